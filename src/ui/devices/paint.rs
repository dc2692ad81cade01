//! Draws the lines of the list: a device in two lines, a connection's and a group's heading.

use egui::accesskit::Role;
use egui::{Id, Rect, Response, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2};

use super::acts;
use super::order::Key;
use super::rows::Row;
use crate::model::device::Freshness;
use crate::ui::theme::{self, Theme, radius, size, space};
use crate::ui::{Cx, value, widgets};

/// From a row's edge to its text.
const INDENT: f32 = 30.0;
/// A value takes so much room, or a multiple of it.
const STEP: f32 = 12.0;

/// How a row stands among the others.
#[derive(Copy, Clone, Debug)]
pub(super) struct Stand {
    /// The keyboard is on it.
    pub(super) focused: bool,
    /// Its kind is in the heading already.
    pub(super) under_kind: bool,
}

/// A row's id: of the device, wherever it stands.
pub(super) fn row_id(key: &Key) -> Id {
    Id::unique(("device", key.connection, key.device.as_str()))
}

/// Draws a device. Returns whether the person chose it.
pub(super) fn device(ui: &mut Ui, cx: &mut Cx, rect: Rect, key: &Key, row: &Row, stand: Stand) -> bool {
    let theme = theme::of(ui);
    let id = row_id(key);
    let rect = rect.shrink2(vec2(space::SMALL, 1.0));
    let response = ui.interact(rect, id, Sense::CLICK);
    let standing = row.standing(cx);
    response.widget_info(|| WidgetInfo::labeled(Role::ListItem, true, row.sentence(&standing)));
    ui.ctx().accesskit_node_builder(id, |node| node.set_selected(stand.focused));
    if response.hovered() || stand.focused {
        ui.painter().rect_filled(rect, f32::from(radius::CONTROL), theme.hover);
    }
    if stand.focused {
        let stroke = Stroke::new(2.0, theme.accent);
        let ring = rect.shrink(1.0);
        ui.painter().rect_stroke(ring, f32::from(radius::CONTROL), stroke, egui::StrokeKind::Inside);
    }
    head(ui, theme, rect, row, &standing, stand);
    readings(ui, theme, rect, row);
    spark(ui, theme, rect, row);
    acts::row_menu(ui, cx, &response, (key.connection, &key.device), stand.focused);
    let chosen = was_chosen(ui, &response);
    response.on_hover_ui(|ui| {
        ui.label(&row.title);
        let since = (cx.words.day_and_clock)(row.since);
        ui.label((cx.words.devices.status_since)((cx.words.devices.status)(row.status), &since));
    });
    chosen
}

/// A click counts where it began and ended on the same device: one that has moved away between is not chosen.
fn was_chosen(ui: &Ui, response: &Response) -> bool {
    let released_elsewhere = ui.input(|input| {
        let released = input.pointer.primary_released();
        released && input.pointer.interact_pos().is_some_and(|at| !response.rect.contains(at))
    });
    response.clicked() && !released_elsewhere
}

/// Where the middles of a row's two lines are: apart as the row is high, and never on each other.
fn lines(rect: Rect) -> (f32, f32) {
    let apart = (rect.height() * 0.22).max(9.5);
    (rect.center().y - apart, rect.center().y + apart)
}

/// Name, kind, and how it stands.
fn head(ui: &Ui, theme: &Theme, rect: Rect, row: &Row, standing: &str, stand: Stand) {
    let line = lines(rect).0;
    let faded = row.freshness != Freshness::Live;
    value::paint_status(ui.painter(), pos2(rect.left() + 14.0, line), theme, row.status);
    let left = rect.left() + INDENT;
    let right = rect.right() - space::SMALL;
    let standing = widgets::cut(ui, standing, theme::small(), theme.weak, (right - left) * 0.6);
    let standing_left = right - standing.size().x;
    ui.painter().galley(pos2(standing_left, line - standing.size().y / 2.0), standing, theme.weak);
    let colour = if faded { theme.weak } else { theme.text };
    let name = widgets::cut(ui, &row.title, theme::body(), colour, standing_left - left - space::MEDIUM);
    let name_right = left + name.size().x;
    ui.painter().galley(pos2(left, line - name.size().y / 2.0), name, colour);
    let room = standing_left - name_right - space::SMALL - space::MEDIUM;
    if !stand.under_kind && !row.kind.is_empty() && room > 36.0 {
        let kind = widgets::cut(ui, &row.kind, theme::small(), theme.weak, room);
        ui.painter().galley(pos2(name_right + space::SMALL, line - kind.size().y / 2.0), kind, theme.weak);
    }
}

/// As many of the main readings as have room, whole.
fn readings(ui: &Ui, theme: &Theme, rect: Rect, row: &Row) {
    let line = lines(rect).1;
    let spark = if row.spark.len() > 1 { size::SPARK.x + space::MEDIUM } else { 0.0 };
    let right = rect.right() - space::SMALL - spark;
    let mut left = rect.left() + INDENT;
    let faded = row.freshness != Freshness::Live;
    for (at, shown) in row.readings.iter().enumerate() {
        let colour = if faded || !shown.live { theme.weak } else { theme.text };
        let room = right - left;
        // A name gives way before a value does.
        let value = widgets::cut(ui, &shown.text, theme::body(), colour, room);
        let name_room = (room - value.size().x - space::TINY).min(110.0);
        let name = widgets::cut(ui, &shown.name, theme::small(), theme.weak, name_room);
        let width = name.size().x + space::TINY + value.size().x;
        if at > 0 && (width > room || name.elided) {
            break;
        }
        if name_room >= 24.0 {
            let top = line - name.size().y / 2.0 + 0.5;
            let next = left + name.size().x + space::TINY;
            ui.painter().galley(pos2(left, top), name, theme.weak);
            left = next;
        }
        // In steps, so that what follows stays where it is while the last digits change.
        let next = left + (value.size().x / STEP).ceil() * STEP + space::SMALL;
        ui.painter().galley(pos2(left, line - value.size().y / 2.0), value, colour);
        left = next;
    }
}

/// The first number's recent past.
fn spark(ui: &Ui, theme: &Theme, rect: Rect, row: &Row) {
    if row.spark.len() < 2 {
        return;
    }
    let centre = pos2(rect.right() - space::SMALL - size::SPARK.x / 2.0, lines(rect).1);
    let area = Rect::from_center_size(centre, size::SPARK);
    let colour = if row.freshness == Freshness::Live { theme.accent } else { theme.weak };
    let stroke = Stroke::new(1.25, colour);
    for part in row.spark.chunk_by(|_, next| !next.0) {
        let points = part
            .iter()
            .map(|(_, x, y)| pos2(area.left() + x * area.width(), area.bottom() - y * area.height()));
        if part.len() > 1 {
            ui.painter().add(Shape::line(points.collect(), stroke));
        } else {
            for point in points {
                ui.painter().circle_filled(point, 1.0, colour);
            }
        }
    }
}

/// A connection's heading, with how its link stands.
pub(super) fn section(ui: &Ui, rect: Rect, id: Id, name: &str, standing: &str, alarm: bool) {
    let theme = theme::of(ui);
    let rect = rect.shrink2(vec2(space::LARGE, 0.0));
    let line = rect.bottom() - 16.0;
    let colour = if alarm { theme.warn } else { theme.weak };
    let standing_text = widgets::cut(ui, standing, theme::small(), colour, rect.width() * 0.7);
    let left = rect.right() - standing_text.size().x;
    ui.painter().galley(pos2(left, line - standing_text.size().y / 2.0), standing_text, colour);
    let room = left - rect.left() - space::SMALL;
    let name_text = widgets::cut(ui, name, theme::body(), theme.text, room);
    ui.painter().galley(pos2(rect.left(), line - name_text.size().y / 2.0), name_text, theme.text);
    widgets::spoken(ui, rect, id, &format!("{name}: {standing}"));
}

/// A group's heading.
pub(super) fn group(ui: &Ui, rect: Rect, id: Id, name: &str) {
    let theme = theme::of(ui);
    let rect = rect.shrink2(vec2(space::LARGE, 0.0));
    let text = widgets::cut(ui, name, theme::small(), theme.weak, rect.width());
    ui.painter().galley(pos2(rect.left(), rect.bottom() - 4.0 - text.size().y), text, theme.weak);
    widgets::spoken(ui, rect, id, name);
}
