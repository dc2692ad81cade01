//! The menu of a room: of which of its messages to be told.

use egui::{Popup, Response, SetOpenCommand, Ui};

use super::Cx;
use super::keys::{self, Action};
use super::text::Words;
use crate::model::id::{ConnectionId, RoomName};
use crate::model::intent::Intent;
use crate::model::notices::Level;

/// What is chosen of a room.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    /// For this room; none: as all.
    pub(super) own: Option<Level>,
    /// For all rooms.
    pub(super) usual: Level,
}

impl Choice {
    /// What to say of a room that differs from the others.
    pub(super) fn said(self, words: &Words) -> Option<&'static str> {
        self.own.filter(|own| *own != self.usual).map(words.notices.room_is)
    }

    /// Whether nothing is told of a room although others are told of.
    pub(super) fn is_muted(self) -> bool {
        self.own == Some(Level::Nothing)
    }
}

/// Opens the menu by the second button, or by the menu key or Shift and F10 on a room that has the focus; and draws it.
pub(super) fn show(
    ui: &Ui,
    cx: &mut Cx,
    response: &Response,
    (connection, room): (ConnectionId, &RoomName),
    choice: Choice,
) {
    let by_keys = response.has_focus()
        && ui.input_mut(|input| {
            keys::of(Action::RoomMenu).iter().any(|shortcut| input.consume_shortcut(shortcut))
        });
    let set = if response.secondary_clicked() || by_keys {
        Some(SetOpenCommand::Bool(true))
    } else {
        response.clicked().then_some(SetOpenCommand::Bool(false))
    };
    let words = cx.words.notices;
    Popup::menu(response).open_memory(set).show(|ui| {
        let usual = (words.as_all_rooms)(choice.usual);
        let levels = [Level::All, Level::Mentions, Level::Nothing];
        let own = levels.map(|level| (Some(level), (words.level)(level).to_owned()));
        for (at, (level, name)) in std::iter::once((None, usual)).chain(own).enumerate() {
            let option = ui.radio(choice.own == level, name);
            if by_keys && at == 0 {
                option.request_focus();
            }
            if option.clicked() {
                cx.intents.push(Intent::SetRoomLevel { connection, room: room.clone(), level });
                ui.close();
            }
        }
    });
}
