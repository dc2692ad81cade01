//! The context menu of a room: its notification level, and its link.

use egui::{Response, Ui};

use super::text::Words;
use super::{Cx, menu};
use crate::model::deep_link::link_to;
use crate::model::id::{ConnectionId, RoomId};
use crate::model::intent::{ChatIntent, Intent};
use crate::model::notices::Level;

/// Notification levels that apply to a room.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    /// Level of this room; `None` for the default.
    pub(super) own: Option<Level>,
    /// The default level.
    pub(super) usual: Level,
}

impl Choice {
    /// The text shown for a room whose level is not the default.
    pub(super) fn said(self, words: &Words) -> Option<&'static str> {
        self.own.filter(|own| *own != self.usual).map(words.notices.room_is)
    }

    /// Whether this room is muted although the default is not.
    pub(super) fn is_muted(self) -> bool {
        self.own == Some(Level::Nothing)
    }
}

/// The menu: opens on a secondary click, or with the menu key or Shift+F10 while the room has the focus.
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
        let link = cx.model.read(|model| link_to(model, connection, room, None));
        if let Some(link) = link {
            menu::separator(ui);
            if menu::item(ui, all.deep_link.copy_room_link).clicked() {
                ui.ctx().copy_text(link);
                ui.close();
            }
        }
    });
}
