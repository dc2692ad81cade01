//! The menu of a room: of which of its messages to be told.

use egui::{Response, Ui};

use super::text::Words;
use super::{Cx, menu};
use crate::model::id::{ConnectionId, RoomId};
use crate::model::intent::{ChatIntent, Intent};
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
    (connection, room, name): (ConnectionId, &RoomId, &str),
    choice: Choice,
) {
    let all = cx.words;
    let words = all.notices;
    let name = || (all.more)(name);
    menu::context(ui, response, name, |ui| {
        menu::title(ui, words.of_room);
        let usual = (words.as_all_rooms)(choice.usual);
        let levels = [Level::All, Level::Mentions, Level::Nothing];
        let own = levels.map(|level| (Some(level), (words.level)(level).to_owned()));
        for (level, name) in std::iter::once((None, usual)).chain(own) {
            if menu::radio(ui, choice.own == level, &name).clicked() {
                cx.intents.push(Intent::Chat(ChatIntent::SetRoomLevel {
                    connection,
                    room: room.clone(),
                    level,
                }));
            }
        }
    });
}
