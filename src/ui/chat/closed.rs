//! What stands in the place of the message field where nothing can be written, and the way out of it.

use egui::{Align, Frame, Label, Layout, Margin, RichText, Ui};

use super::RoomKey;
use crate::model::intent::{ChatIntent, Intent};
use crate::model::permit::{Closed, RoomAct};
use crate::ui::theme::{self, radius, space};
use crate::ui::{Cx, widgets};

/// Draws it. `false`: the person can write.
pub(super) fn show(ui: &mut Ui, cx: &mut Cx, key: &RoomKey) -> bool {
    let closed = cx.model.read(|model| model.connections.get(&key.0)?.closed(&key.1));
    let Some(closed) = closed else { return false };
    let (theme, words) = (theme::of(ui), cx.words.rooms);
    let (connection, room) = key.clone();
    let (text, way) = match closed {
        Closed::Guest => (words.guest, None),
        Closed::Left { may_join: false } => (words.left_private, None),
        Closed::Left { .. } => (words.left, Some((RoomAct::Join, ChatIntent::JoinRoom { connection, room }))),
        Closed::Archived { may_open } => {
            let open = ChatIntent::SetArchived { connection, room, archived: false };
            (words.archived, may_open.then_some((RoomAct::Unarchive, open)))
        }
    };
    let frame = Frame::new()
        .fill(theme.hover)
        .corner_radius(radius::CONTROL)
        .inner_margin(Margin::symmetric(space::MEDIUM as i8, space::SMALL as i8));
    frame.show(ui, |ui| {
        ui.set_min_width(ui.available_width());
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if let Some((act, intent)) = way
                && ui.add(widgets::plain((words.act)(act))).clicked()
            {
                cx.intents.push(Intent::Chat(intent));
                cx.deadline.at(cx.now.boot_ms);
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let said = ui.add(Label::new(RichText::new(text).color(theme.weak)).wrap());
                widgets::live(ui, said.id, text);
            });
        });
    });
    true
}
