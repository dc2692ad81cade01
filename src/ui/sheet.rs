//! The frame of all dialogs: as wide as needed and possible, scrolled as a whole in a low window, keeping the
//! keyboard focus inside until it is closed.

use egui::accesskit::Role;
use egui::{
    Frame, Id, Key, Margin, Modal, ModalResponse, RichText, ScrollArea, Sense, Stroke, Ui, UiBuilder,
};

use super::theme::{self, radius, size, space};
use super::{focus_mark, widgets};

/// Number of frames during which a newly opened dialog claims the focus.
const SETTLING_FRAMES: u64 = 3;

/// Draws a dialog over the window. `title` is its accessible name; the contents draw a visible one, best with
/// [`title`]. `width` is the preferred width of the contents, in points.
pub(super) fn show<R>(
    ui: &Ui,
    salt: impl std::hash::Hash + std::fmt::Debug,
    title: &str,
    width: f32,
    content: impl FnOnce(&mut Ui) -> R,
) -> ModalResponse<R> {
    let theme = theme::of(ui);
    let window = ui.ctx().content_rect().size();
    let is_cramped = window.x < size::CRAMPED_WIDTH || window.y < size::CRAMPED_HEIGHT;
    let margin = if is_cramped { space::MEDIUM } else { space::HUGE };
    let frame = Frame::new()
        .fill(theme.raised)
        .stroke(Stroke::new(1.0, theme.outline))
        .corner_radius(radius::CARD)
        .shadow(ui.style().visuals.popup_shadow)
        .inner_margin(Margin::same(margin as i8));
    let most = window - egui::Vec2::splat(2.0 * (margin + space::SMALL));
    let id = Id::unique(salt);
    let frames = note_shown(ui, id);
    // The accessible dialog is the content inside, which can have the focus.
    let area = Modal::default_area(id).role(Role::GenericContainer);
    let modal = Modal::new(id).area(area).frame(frame).backdrop_color(theme.veil);
    modal.show(ui.ctx(), |ui| {
        ui.set_width(width.min(most.x));
        ui.spacing_mut().item_spacing.y = space::SMALL;
        let builder = UiBuilder::new().sense(Sense::focusable_noninteractive());
        ui.scope_builder(builder, |ui| {
            let dialog = ui.unique_id();
            ui.ctx().accesskit_node_builder(dialog, |node| {
                node.set_role(Role::Dialog);
                node.set_label(title);
                node.set_modal();
            });
            // Claims the focus until the contents set it, so that nothing below keeps it. A menu that opened
            // the dialog gives back the focus one frame later.
            if frames == 0 || (frames < SETTLING_FRAMES && !has_focus(ui)) {
                ui.memory_mut(|memory| memory.request_focus(dialog));
            }
            let scroll = ScrollArea::vertical().max_height(most.y).min_scrolled_height(most.y);
            let shown = scroll.auto_shrink([false, true]).show(ui, |ui| {
                let inner = content(ui);
                focus_mark::follow(ui);
                inner
            });
            shown.inner
        })
        .inner
    })
}

/// Whether Escape was pressed in a dialog, which closes it without a change.
pub(super) fn is_escaped<R>(ui: &Ui, shown: &ModalResponse<R>) -> bool {
    shown.is_top_modal && ui.input(|input| input.key_pressed(Key::Escape))
}

/// Whether a widget of this layer has the focus.
fn has_focus(ui: &Ui) -> bool {
    let focused = ui.memory(|memory| memory.focused()).and_then(|id| ui.ctx().read_response(id));
    focused.is_some_and(|response| response.layer_id == ui.layer_id())
}

/// State of a dialog kept between frames.
#[derive(Copy, Clone, Debug)]
struct Memory {
    /// The last frame in which it was shown.
    last: u64,
    /// Number of frames in which it was shown.
    frames: u64,
    /// The widget that had the focus before.
    before: Option<Id>,
}

/// Records that the dialog is shown. Returns the number of frames before this one.
fn note_shown(ui: &Ui, id: Id) -> u64 {
    let now = ui.ctx().cumulative_pass_nr();
    let focused = ui.memory(|memory| memory.focused());
    ui.data_mut(|data| {
        let last: Option<Memory> = data.get_temp(id.with("shown"));
        let goes_on = last.filter(|last| last.last + 1 >= now);
        let memory = match goes_on {
            Some(last) => Memory { last: now, frames: last.frames + 1, ..last },
            None => Memory { last: now, frames: 0, before: focused },
        };
        data.insert_temp(id.with("shown"), memory);
        memory.frames
    })
}

/// Restores the focus to the widget that had it before the dialog opened.
pub(super) fn give_focus_back(ui: &Ui, salt: impl std::hash::Hash + std::fmt::Debug) {
    let id = Id::unique(salt).with("shown");
    let last: Option<Memory> = ui.data(|data| data.get_temp(id));
    if let Some(before) = last.and_then(|last| last.before) {
        ui.memory_mut(|memory| memory.request_focus(before));
    }
}

/// Title of a dialog.
pub(super) fn title(ui: &mut Ui, text: &str) {
    let shown = ui.add(egui::Label::new(RichText::new(text).font(theme::title())).wrap().selectable(false));
    widgets::heading(ui, &shown, text, 1);
}

/// Heading of a part of a dialog or pane.
pub(super) fn heading(ui: &mut Ui, text: &str) {
    let shown = ui.add(egui::Label::new(RichText::new(text).font(theme::heading())).wrap().selectable(false));
    widgets::heading(ui, &shown, text, 2);
}
