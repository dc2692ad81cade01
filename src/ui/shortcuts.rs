//! The shortcut sheet: all keyboard shortcuts, grouped, in as many columns as fit.

use egui::{Align, Frame, Label, Layout, RichText, Stroke, Ui, UiBuilder, vec2};

use super::Cx;
use super::dialog::Fate;
use super::keys::{self, Group, Shortcut, TABLE};
use super::theme::{self, radius, size, space};
use super::{sheet, widgets};

/// Minimum width of a column, in points.
const MIN_COLUMN_WIDTH: f32 = 272.0;
/// Maximum number of columns.
const MAX_COLUMNS: usize = 3;
/// Height of a group's heading, in rows.
const HEADING_ROWS: f32 = 1.5;

/// Draws the sheet into a dialog.
pub(super) fn show(ui: &mut Ui, cx: &Cx) -> Fate {
    sheet::title(ui, cx.words.keys.title);
    let count = ((ui.available_width() + space::HUGE) / (MIN_COLUMN_WIDTH + space::HUGE)) as usize;
    let columns = columns(count.clamp(1, MAX_COLUMNS));
    let width = (ui.available_width() + space::HUGE) / columns.len() as f32 - space::HUGE;
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = space::HUGE;
        for groups in &columns {
            ui.allocate_ui_with_layout(vec2(width, 0.0), Layout::top_down(Align::Min), |ui| {
                ui.set_width(width);
                ui.spacing_mut().item_spacing.y = 0.0;
                groups.iter().for_each(|group| self::group(ui, cx, *group));
            });
        }
    });
    ui.add_space(space::TINY);
    let close = ui.horizontal(|ui| ui.add(widgets::primary(theme::of(ui), cx.words.close))).inner;
    if close.clicked() { Fate::Closed } else { Fate::Open }
}

/// The rows of a group that have keys.
fn rows(group: Group) -> impl Iterator<Item = &'static Shortcut> {
    TABLE.iter().filter(move |row| row.group == group && !row.keys.is_empty())
}

/// Distributes the groups, in order, over columns of similar height.
fn columns(count: usize) -> Vec<Vec<Group>> {
    let height = |group: Group| HEADING_ROWS + rows(group).count() as f32;
    let even = Group::ALL.into_iter().map(height).sum::<f32>() / count as f32;
    let mut columns = vec![Vec::new()];
    let mut filled = 0.0;
    for group in Group::ALL {
        let high = height(group);
        let is_full = filled > 0.0 && filled + high / 2.0 > even;
        if is_full && columns.len() < count {
            columns.push(Vec::new());
            filled = 0.0;
        }
        filled += high;
        if let Some(column) = columns.last_mut() {
            column.push(group);
        }
    }
    columns
}

fn group(ui: &mut Ui, cx: &Cx, group: Group) {
    let words = cx.words.keys;
    ui.add_space(space::SMALL);
    let name = (words.group)(group);
    let text = RichText::new(name).font(theme::strong(size::BODY)).color(theme::of(ui).accent);
    let shown = ui.add(Label::new(text).selectable(false));
    widgets::heading(ui, &shown, name, 2);
    ui.add_space(space::TINY);
    for row in rows(group) {
        line(ui, (words.action)(row.action), keys::of_row(row, cx.chosen.enter_sends));
    }
}

/// An action with its shortcuts as key caps.
fn line(ui: &mut Ui, name: &str, shortcuts: &[egui::KeyboardShortcut]) {
    let is_mac = ui.ctx().os().is_mac();
    let theme = theme::of(ui);
    let size = vec2(ui.available_width(), size::CONTROL);
    ui.allocate_ui_with_layout(size, Layout::right_to_left(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = space::TINY;
        for shortcut in shortcuts.iter().rev() {
            let cap = Frame::new()
                .fill(theme.hover)
                .stroke(Stroke::new(1.0, theme.outline))
                .corner_radius(radius::CONTROL)
                .inner_margin(egui::Margin::symmetric(6, 1));
            cap.show(ui, |ui| {
                let keys = RichText::new(keys::written(shortcut, is_mac)).font(theme::small());
                ui.add(Label::new(keys).selectable(false).extend());
            });
        }
        let left = UiBuilder::new().layout(Layout::left_to_right(Align::Center));
        ui.scope_builder(left, |ui| ui.add(Label::new(name).selectable(false).wrap()));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_is_in_one_column_in_order() {
        for count in 1..=MAX_COLUMNS {
            let columns = columns(count);
            assert_eq!(columns.len(), count);
            assert_eq!(columns.concat(), Group::ALL);
        }
    }
}
