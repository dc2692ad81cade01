//! The menu of a message: by the second button anywhere on its row, or by the menu key where the keyboard is.

use std::sync::Arc;

use egui::{Popup, RectAlign, Response, SetOpenCommand, Ui};

use super::acts::{self, Act};
use super::frames;
use super::paint::{RowAction, as_written, edit};
use super::rows::{Key, Progress, Row};
use super::{MessageAction, RoomKey};
use crate::model::deep_link::link_to;
use crate::model::features::Feature;
use crate::model::id::PrincipalId;
use crate::model::profile::{FrameFormat, Snippet};
use crate::ui::{Cx, menu};

/// How the menu comes to be open or closed in a frame.
#[derive(Copy, Clone, Default)]
pub(super) struct Opening {
    /// The second button was pressed on the row.
    pub(super) by_pointer: bool,
    /// The menu key was pressed while the keyboard was on the row.
    pub(super) by_keys: bool,
    /// The row was clicked.
    pub(super) closes: bool,
}

impl Opening {
    /// Adds what happened on a part of the row.
    pub(super) fn on(&mut self, response: &Response) {
        self.by_pointer |= response.secondary_clicked();
        self.closes |= response.clicked();
    }
}

/// Opens, closes and draws the menu. `row_response`: of the whole row.
#[allow(clippy::too_many_arguments)]
pub(super) fn show(
    ui: &Ui,
    cx: &Cx,
    key: &RoomKey,
    placed: Key,
    row: &Arc<Row>,
    row_response: &Response,
    opening: Opening,
    (is_selected, in_thread): (bool, bool),
) -> Option<RowAction> {
    let id = row_response.id.with("menu");
    if !opening.by_pointer && !opening.by_keys && !Popup::is_id_open(ui.ctx(), id) {
        return None;
    }
    let set = match opening {
        Opening { by_pointer: true, .. } | Opening { by_keys: true, .. } => Some(SetOpenCommand::Bool(true)),
        Opening { closes: true, .. } => Some(SetOpenCommand::Bool(false)),
        _ => None,
    };
    let by_keys = egui::Id::unique("message menu by keys");
    if set.is_some() {
        ui.data_mut(|data| data.insert_temp(by_keys, opening.by_keys));
    }
    let is_by_keys = ui.data(|data| data.get_temp(by_keys)).unwrap_or(false);
    let popup = Popup::menu(row_response).id(id).open_memory(set).accessible_name(cx.words.rich.message_menu);
    let popup = if is_by_keys { popup.align(RectAlign::BOTTOM_START) } else { popup.at_pointer_fixed() };
    let mut wish = None;
    popup.show(|ui| wish = items(ui, cx, key, placed, row, opening.by_keys, (is_selected, in_thread)));
    wish
}

/// What can be done about a message that the server does not have.
fn pending(ui: &mut Ui, cx: &Cx, row: &Row) -> Option<RowAction> {
    let mut wish = None;
    let waits = row.progress.waits_for_the_person();
    let again = if row.progress == Progress::Unsure { cx.words.send_again } else { cx.words.retry };
    if waits || row.progress.can_be_changed() {
        menu::separator(ui);
    }
    if waits && menu::item(ui, again).clicked() {
        wish = Some(RowAction::Act(MessageAction::Resend(row.id)));
    }
    if row.progress.can_be_changed()
        && let Some(edit) = edit(row)
        && menu::item(ui, cx.words.edit).clicked()
    {
        wish = Some(RowAction::Act(edit));
    }
    if (waits || row.progress.can_be_changed()) && menu::danger(ui, cx.words.delete).clicked() {
        wish = Some(RowAction::Act(MessageAction::Discard(row.id)));
    }
    wish
}

/// Draws the rows of the menu.
///
/// Long: one row after the other, each where it makes sense.
fn items(
    ui: &mut Ui,
    cx: &Cx,
    key: &RoomKey,
    placed: Key,
    row: &Arc<Row>,
    focus_first: bool,
    (is_selected, in_thread): (bool, bool),
) -> Option<RowAction> {
    let mut wish = None;
    let at = ui.max_rect();
    let offered = acts::offered(cx, key, placed, row);
    for act in offered.iter().copied().filter(|act| *act != Act::Delete) {
        let item = match act.action() {
            Some(action) => menu::item_of(ui, act.name(cx.words), action),
            None => menu::item(ui, act.name(cx.words)),
        };
        if focus_first && act == Act::Reply {
            item.request_focus();
        }
        if item.clicked() {
            wish = Some(RowAction::Act(act.on(cx, key, placed, row, at)));
        }
    }
    let is_bytes = row.frame.as_ref().is_some_and(|frame| frame.kind == frames::Kind::Bytes);
    let copy = menu::item(ui, if is_bytes { cx.words.plain.copy_bytes } else { cx.words.copy });
    if focus_first && !offered.contains(&Act::Reply) {
        copy.request_focus();
    }
    if copy.clicked() {
        ui.ctx().copy_text(as_written(cx, key, placed, row));
    }
    copy_link(ui, cx, key, placed, row);
    if let (Key::Message(position), false) = (placed, in_thread || row.frame.is_some() || row.event)
        && menu::item(ui, cx.words.chat.mark_unread).clicked()
    {
        wish = Some(RowAction::Act(MessageAction::MarkUnread(position)));
    }
    if is_selected && menu::item(ui, cx.words.rich.copy_selected).clicked() {
        wish = Some(RowAction::CopySelected);
    }
    if let Some(frame) = row.frame.as_ref().filter(|frame| frame.may_be_json) {
        let words = if frame.formatted { cx.words.plain.as_received } else { cx.words.plain.format_json };
        if menu::item(ui, words).clicked() {
            wish = Some(RowAction::Format(row.id, !frame.formatted));
        }
    }
    if let Some(frame) = row.frame.as_ref().filter(|_| !row.is_about_socket())
        && menu::item(ui, cx.words.plain.save_snippet).clicked()
    {
        let format = match frame.kind {
            frames::Kind::Bytes => FrameFormat::Hex,
            _ => FrameFormat::Text,
        };
        let text = as_written(cx, key, placed, row);
        wish = Some(RowAction::Act(MessageAction::Save(Snippet { name: String::new(), text, format })));
    }
    wish = about_author(ui, cx, key, row).or(wish);
    wish = pending(ui, cx, row).or(wish);
    if offered.contains(&Act::Delete) {
        menu::separator(ui);
        if menu::danger(ui, cx.words.delete).clicked() {
            wish = Some(RowAction::Act(Act::Delete.on(cx, key, placed, row, at)));
        }
    }
    wish
}

/// What can be done about a message's author.
fn about_author(ui: &mut Ui, cx: &Cx, key: &RoomKey, row: &Row) -> Option<RowAction> {
    if row.mine || row.frame.is_some() {
        return None;
    }
    let mut wish = None;
    if menu::item(ui, &(cx.words.rich.mention)(&row.author.name)).clicked() {
        wish = Some(RowAction::Act(MessageAction::Mention(row.author.name.clone())));
    }
    if let Some(who) = direct_with(cx, key, row)
        && menu::item(ui, &(cx.words.private.message_to)(&row.author.name)).clicked()
    {
        wish = Some(RowAction::Act(MessageAction::Direct(who)));
    }
    wish
}

/// The author of a message, if the person can send them a direct message that is not this room.
fn direct_with(cx: &Cx, key: &RoomKey, row: &Row) -> Option<PrincipalId> {
    let who = &row.author_key;
    cx.model.read(|model| {
        let connection = model.connections.get(&key.0)?;
        let is_here = connection.chat.rooms.get(&key.1)?.info.direct.as_ref() == Some(who);
        let may = connection.offers(Feature::PrivateRooms) && connection.chat.people.contains_key(who);
        (may && !is_here).then(|| who.clone())
    })
}

/// Copies the link to a message that is in the server's log, where its server has links.
fn copy_link(ui: &mut Ui, cx: &Cx, (connection, room): &RoomKey, placed: Key, row: &Row) {
    if !matches!(placed, Key::Message(_)) || row.frame.is_some() {
        return;
    }
    let link = cx.model.read(|model| link_to(model, *connection, room, Some(row.id)));
    if let Some(link) = link
        && menu::item(ui, cx.words.deep_link.copy_message_link).clicked()
    {
        ui.ctx().copy_text(link);
    }
}
