//! The rows that tell what became of a room and its members, among its messages.

use egui::{Id, Rect, Ui, pos2};

use super::paint::Columns;
use super::rows::AUTHOR_CHARS;
use crate::model::content::{Content, MemberChange};
use crate::model::principal::Sender;
use crate::model::reducer::Connection;
use crate::ui::icons::{self, Icon};
use crate::ui::text::Words;
use crate::ui::text::rooms::RoomEvent;
use crate::ui::theme::{self, size};
use crate::ui::{harmless, widgets};

/// Longest name or topic that is told, in characters.
const MAX_TOLD_CHARS: usize = 250;

/// What becomes of a room by this, as sentences; none where it is nothing that is shown.
pub(super) fn sentence(
    content: &Content,
    by: &Sender,
    connection: &Connection,
    words: &Words,
) -> Option<String> {
    let told = words.rooms.event;
    let who = connection.chat.shown(by, AUTHOR_CHARS).label();
    match content {
        Content::RoomChange { name, topic, archived, .. } => {
            let name = name.as_ref().map(|name| harmless::line(name.as_str(), MAX_TOLD_CHARS));
            let topic = topic.as_ref().map(|topic| harmless::line(topic, MAX_TOLD_CHARS));
            let all = [
                name.as_deref().map(RoomEvent::Renamed),
                topic.as_deref().map(|topic| match topic {
                    "" => RoomEvent::NoTopic,
                    topic => RoomEvent::Topic(topic),
                }),
                archived.map(|archived| if archived { RoomEvent::Archived } else { RoomEvent::Unarchived }),
            ];
            let all: Vec<String> = all.into_iter().flatten().map(|event| told(&who, event)).collect();
            (!all.is_empty()).then(|| all.join(". "))
        }
        Content::Member { who: about, change, .. } => {
            let whom = connection.chat.shown(about, AUTHOR_CHARS).label();
            let is_self = about.id == by.id;
            let event = match change {
                MemberChange::Joined => RoomEvent::Joined,
                MemberChange::Left if is_self => RoomEvent::Left,
                MemberChange::Left => RoomEvent::Removed(&whom),
                MemberChange::Invited => RoomEvent::Invited(&whom),
            };
            Some(told(if *change == MemberChange::Joined { &whom } else { &who }, event))
        }
        _ => None,
    }
}

/// Paints the mark of such a row, in the place where others have their author.
pub(super) fn mark(ui: &Ui, id: Id, columns: &Columns, text: Rect, spoken: &str) {
    let theme = theme::of(ui);
    let at = pos2(columns.text_left - size::AVATAR / 2.0 - 8.0, text.center().y);
    icons::paint(ui.painter(), at, Icon::Room, 14.0, theme.weak);
    widgets::spoken(ui, text, id.with("event"), spoken);
}
