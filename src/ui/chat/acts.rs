//! What can be done with a message, offered alike by its menu, its toolbar and keys: only what the server offers and the
//! person may do.

use egui::{Rect, Ui};

use super::paint::as_written;
use super::rows::{Key, Row};
use super::{MessageAction, RoomKey};
use crate::model::features::Feature;
use crate::model::rights::Act as MayAct;
use crate::ui::Cx;
use crate::ui::icons::Icon;
use crate::ui::keys::{self, Action};
use crate::ui::text::Words;

/// What can be done with a message.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Reply,
    Thread,
    React,
    Edit,
    Pin,
    Unpin,
    Delete,
}

impl Act {
    /// What it is called.
    pub(super) fn name(self, words: &Words) -> &'static str {
        match self {
            Act::Reply => words.chat.reply,
            Act::Thread => words.chat.reply_in_thread,
            Act::React => words.chat.react,
            Act::Edit => words.edit,
            Act::Pin => words.chat.pin,
            Act::Unpin => words.chat.unpin,
            Act::Delete => words.delete,
        }
    }

    pub(super) fn icon(self) -> Icon {
        match self {
            Act::Reply => Icon::Reply,
            Act::Thread => Icon::Thread,
            Act::React => Icon::React,
            Act::Edit => Icon::Edit,
            Act::Pin | Act::Unpin => Icon::Pin,
            Act::Delete => Icon::Delete,
        }
    }

    /// The action whose keys choose it, while the keyboard is on the message.
    pub(super) fn action(self) -> Option<Action> {
        match self {
            Act::Reply => Some(Action::Reply),
            Act::React => Some(Action::React),
            Act::Edit => Some(Action::EditMessage),
            Act::Delete => Some(Action::DeleteMessage),
            Act::Pin | Act::Unpin => Some(Action::PinMessage),
            Act::Thread => None,
        }
    }

    /// What follows from it. `at`: what it was chosen at.
    pub(super) fn on(self, cx: &Cx, key: &RoomKey, placed: Key, row: &Row, at: Rect) -> MessageAction {
        match self {
            Act::Reply => MessageAction::Reply(row.id),
            Act::Thread => MessageAction::Thread(row.extras.thread.unwrap_or(row.id)),
            Act::React => MessageAction::PickReaction(row.id, at),
            Act::Edit => MessageAction::EditSent(row.id, as_written(cx, key, placed, row)),
            Act::Pin => MessageAction::Pin(row.id, false),
            Act::Unpin => MessageAction::Pin(row.id, true),
            Act::Delete => MessageAction::Delete(row.id, as_written(cx, key, placed, row)),
        }
    }
}

/// What is offered at a message, in the order of its menu. One that the server does not have yet has other choices.
pub(super) fn offered(cx: &Cx, key: &RoomKey, placed: Key, row: &Row) -> Vec<Act> {
    if !matches!(placed, Key::Message(_)) || row.frame.is_some() || row.event || row.extras.deleted {
        return Vec::new();
    }
    cx.model.read(|model| {
        let Some(connection) = model.connections.get(&key.0) else { return Vec::new() };
        let has = |feature| connection.offers(feature);
        let may = |act| connection.role().may(act);
        let pin = if row.extras.pinned.is_some() { Act::Unpin } else { Act::Pin };
        let all = [
            (Act::Reply, has(Feature::Replies) && may(MayAct::Write)),
            (Act::Thread, has(Feature::Replies)),
            (Act::React, has(Feature::Reactions) && may(MayAct::Write)),
            (Act::Edit, has(Feature::Edits) && row.mine && may(MayAct::Write)),
            (pin, has(Feature::Pins) && may(MayAct::Write)),
            (
                Act::Delete,
                has(Feature::Deletions) && (row.mine && may(MayAct::Write) || may(MayAct::DeleteOthers)),
            ),
        ];
        all.into_iter().filter(|(_, offered)| *offered).map(|(act, _)| act).collect()
    })
}

/// What keys choose, of what was pressed while the list has the focus.
pub(super) fn by_keys(ui: &Ui) -> Option<Action> {
    let all = [Action::Reply, Action::React, Action::EditMessage, Action::DeleteMessage, Action::PinMessage];
    let pressed = |action: &Action| {
        keys::of(*action).iter().any(|shortcut| ui.input_mut(|input| input.consume_shortcut(shortcut)))
    };
    let found = all.into_iter().find(pressed);
    // The letter is not typed where the focus goes.
    if found.is_some() {
        ui.input_mut(|input| {
            input.events.retain(|event| !matches!(event, egui::Event::Text(_)));
        });
    }
    found
}
