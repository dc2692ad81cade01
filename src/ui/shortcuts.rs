//! The sheet of what can be done by keys.

use egui::{Align, Frame, Label, Layout, RichText, ScrollArea, Stroke, Ui, vec2};

use super::Cx;
use super::dialog::Fate;
use super::keys::{self, Group, TABLE};
use super::theme::{self, radius, size, space};
use super::widgets;

/// Draws the sheet into a dialog.
pub(super) fn show(ui: &mut Ui, cx: &Cx, window_height: f32) -> Fate {
    let words = cx.words.keys;
    ui.label(RichText::new(words.title).font(theme::title()));
    let most = (window_height - 190.0).max(140.0);
    let area = ScrollArea::vertical().max_height(most).min_scrolled_height(most).auto_shrink([false, true]);
    area.show(ui, |ui| {
        // The scroll bar stands beside the keys, not on them.
        ui.set_max_width(ui.available_width() - space::MEDIUM);
        for group in Group::ALL {
            ui.add_space(space::SMALL);
            ui.label(RichText::new((words.group)(group)).font(theme::small()).color(theme::of(ui).weak));
            for row in TABLE.iter().filter(|row| row.group == group && !row.keys.is_empty()) {
                line(ui, (words.action)(row.action), keys::of_row(row, cx.chosen.enter_sends));
            }
        }
    });
    ui.add_space(space::TINY);
    let close = ui.horizontal(|ui| ui.add(widgets::primary(theme::of(ui), cx.words.close))).inner;
    if ui.memory(|memory| memory.focused().is_none()) {
        close.request_focus();
    }
    if close.clicked() { Fate::Closed } else { Fate::Open }
}

/// What is done, and each of its keys on a cap.
fn line(ui: &mut Ui, name: &str, shortcuts: &[egui::KeyboardShortcut]) {
    let is_mac = ui.ctx().os().is_mac();
    let theme = theme::of(ui);
    let size = vec2(ui.available_width(), size::CONTROL);
    ui.allocate_ui_with_layout(size, Layout::right_to_left(Align::Center), |ui| {
        for shortcut in shortcuts.iter().rev() {
            let cap = Frame::new()
                .fill(theme.hover)
                .stroke(Stroke::new(1.0, theme.line))
                .corner_radius(radius::CONTROL)
                .inner_margin(egui::Margin::symmetric(6, 1));
            cap.show(ui, |ui| {
                let keys = RichText::new(keys::written(shortcut, is_mac)).font(theme::small());
                ui.add(Label::new(keys).selectable(false));
            });
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            ui.add(Label::new(name).selectable(false).truncate());
        });
    });
}
