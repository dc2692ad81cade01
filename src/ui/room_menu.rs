//! The menu of a room: what can be done with it, its notification level, and its link.

use egui::{Response, Ui};

use super::chat::RoomKey;
use super::text::Words;
use super::{Cx, menu};
use crate::model::deep_link::link_to;
use crate::model::id::{ConnectionId, RoomId};
use crate::model::intent::{ChatIntent, Intent};
use crate::model::notices::Level;
use crate::model::permit::{Denied, RoomAct};

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
) -> Option<RoomAct> {
    let all = cx.words;
    let words = all.notices;
    let name = || (all.more)(name);
    let mut wish = None;
    menu::context(ui, response, name, |ui| {
        wish = acts(ui, cx, &(connection, room.clone()));
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
        menu::separator(ui);
        link(ui, cx, &(connection, room.clone()));
    });
    wish
}

/// The rows with what can be done with a room. What the person may not do is disabled and says why.
pub(super) fn acts(ui: &mut Ui, cx: &Cx, key: &RoomKey) -> Option<RoomAct> {
    let words = cx.words.rooms;
    let offered = offered(cx, key);
    let mut wish = None;
    for (act, denied) in &offered {
        let item = ui.add_enabled_ui(denied.is_none(), |ui| menu::item(ui, (words.act)(*act))).inner;
        if item.clicked() {
            wish = Some(*act);
        }
        if let Some(why) = denied {
            item.on_disabled_hover_text((words.denied)(*why));
        }
    }
    if !offered.is_empty() {
        menu::separator(ui);
    }
    wish
}

/// The row that copies a room's link, where its server has links.
pub(super) fn link(ui: &mut Ui, cx: &Cx, (connection, room): &RoomKey) {
    let link = cx.model.read(|model| link_to(model, *connection, room, None));
    if let Some(link) = link
        && menu::item(ui, cx.words.deep_link.copy_room_link).clicked()
    {
        ui.ctx().copy_text(link);
        ui.close();
    }
}

/// What can be done with a room, and why the person may not.
pub(super) fn offered(cx: &Cx, key: &RoomKey) -> Vec<(RoomAct, Option<Denied>)> {
    cx.model.read(|model| model.connections.get(&key.0).map(|at| at.room_acts(&key.1)).unwrap_or_default())
}
