//! Draws the lines of the list: devices, connection rows and group headings; and what lines, tables and cards
//! have in common.

use egui::accesskit::Role;
use egui::{Color32, Id, Painter, Pos2, Rect, Response, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use super::acts;
use super::rows::{Row, StatusText};
use super::shown::Shown;
use super::standing::Standing;
use super::view::{DeviceKey, Trouble};
use crate::ui::digits::Digits;
use crate::ui::text::devices::Counts;
use crate::ui::theme::{self, Theme, radius, size, space};
use crate::ui::{Cx, value, widgets};

/// From the pane's edge to a row's edge, in points.
pub(super) const EDGE: f32 = space::SMALL;
/// From a row's edge to the centre of its status mark, in points.
pub(super) const MARK: f32 = 11.0;
/// From a row's edge to its text, in points.
pub(super) const INDENT: f32 = 22.0;
/// Minimum width of a device name in a row, in points.
const MIN_NAME: f32 = 118.0;
/// Maximum width of a device name in a row, in points, while there are readings to show.
const MAX_NAME: f32 = 260.0;
/// Minimum width of a reading with its name, in points.
pub(super) const MIN_SLOT: f32 = 116.0;
/// Maximum number of readings in a row.
const MAX_SLOTS: usize = 8;
/// Minimum width of a metric's name, in points. If less remains, the reading takes the next slot too or is
/// left out.
const MIN_LABEL: f32 = 28.0;
/// The kind is shown after names with at least this much space, in points.
const MIN_WIDTH_WITH_KIND: f32 = 180.0;
/// The sparkline is shown in rows at least this wide, in points.
const MIN_WIDTH_WITH_SPARK: f32 = 520.0;

/// Lays out numbers.
pub(super) struct Pen<'a> {
    /// Glyphs in the font of values.
    pub(super) digits: &'a mut Digits,
    /// Generation of the digit cache that new layouts belong to.
    pub(super) generation: u64,
}

/// State of a device's row within the list.
#[derive(Copy, Clone, Debug)]
pub(super) struct RowState {
    /// Whether it has the keyboard cursor.
    pub(super) cursor: bool,
    /// Whether the cursor is drawn.
    pub(super) ring: bool,
    /// Its position among all listed devices, and their number.
    pub(super) position: (usize, usize),
    /// Its accessibility role.
    pub(super) role: Role,
}

/// Layout of the readings in a row.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(super) struct Slots {
    /// Width of the name, in points.
    name: f32,
    /// Width of each slot, in points.
    width: f32,
    /// Number of slots that fit.
    pub(super) count: usize,
    /// Whether the sparkline fits.
    pub(super) spark: bool,
}

impl Slots {
    /// For a pane of this width, in points.
    pub(super) fn of(width: f32) -> Slots {
        let spark = width >= MIN_WIDTH_WITH_SPARK;
        let tail = if spark { size::SPARK.x + space::LARGE } else { 0.0 };
        let room = width - 2.0 * EDGE - INDENT - space::SMALL - tail;
        let name = (room * 0.3).clamp(MIN_NAME, MAX_NAME);
        let count = (((room - name) / MIN_SLOT) as usize).clamp(1, MAX_SLOTS);
        let slot = ((room - name) / count as f32).clamp(MIN_SLOT.min(room * 0.5), 1.6 * MIN_SLOT);
        Slots { name: (room - slot * count as f32).max(0.0), width: slot, count, spark }
    }
}

/// Widget id of a device's row; independent of its position.
pub(super) fn row_id(key: &DeviceKey) -> Id {
    Id::unique(("device", key.connection, key.device.as_str()))
}

/// Draws a row's background, handles pointer input and accessibility. Returns whether the person opened the
/// device.
pub(super) fn ground(
    ui: &mut Ui,
    cx: &Cx,
    rect: Rect,
    (key, row): (&DeviceKey, &Row),
    said: &StatusText,
    stand: RowState,
) -> bool {
    let theme = theme::of(ui);
    let id = row_id(key);
    let response = ui.interact(rect, id, Sense::CLICK);
    response.widget_info(|| WidgetInfo::labeled(stand.role, true, row.sentence(&said.spoken)));
    ui.ctx().accesskit_node_builder(id, |node| {
        node.set_selected(stand.cursor);
        node.set_position_in_set(stand.position.0);
        node.set_size_of_set(stand.position.1);
    });
    let corner = f32::from(radius::CONTROL);
    let fill = match row.trouble {
        _ if response.hovered() || stand.ring => Some(theme.hover),
        Trouble::Silent | Trouble::Faulty => Some(theme.warn_ground),
        Trouble::Offline => Some(theme.bad_ground),
        Trouble::Unknown | Trouble::None => None,
    };
    if let Some(fill) = fill {
        ui.painter().rect_filled(rect, corner, fill);
    }
    if stand.ring {
        let stroke = Stroke::new(2.0, theme.accent);
        ui.painter().rect_stroke(rect.shrink(1.0), corner, stroke, egui::StrokeKind::Inside);
    }
    acts::row_menu(ui, cx, &response, (key.connection, &key.device), stand.cursor);
    let chosen = was_chosen(ui, &response);
    response.on_hover_ui(|ui| {
        ui.label(&row.title);
        let since = (cx.words.day_and_clock)(row.since);
        let status = (cx.words.devices.status)(row.status);
        ui.label((cx.words.devices.status_since)(status, &since));
        if row.trouble == Trouble::Offline && !row.reason.is_empty() {
            ui.label(crate::ui::harmless::line(&row.reason, 200));
        }
        for shown in row.readings.iter().flatten() {
            ui.label(format!("{}: {}", shown.name, shown.text));
        }
    });
    chosen
}

/// A click counts only if the press and the release hit the same device: rows may have moved in between.
fn was_chosen(ui: &Ui, response: &Response) -> bool {
    let released_elsewhere = ui.input(|input| {
        let released = input.pointer.primary_released();
        released && input.pointer.interact_pos().is_some_and(|at| !response.rect.contains(at))
    });
    response.clicked() && !released_elsewhere
}

/// The status mark; small for a device without trouble.
pub(super) fn mark(painter: &Painter, centre: Pos2, theme: &Theme, trouble: Trouble) {
    use crate::model::device::Status;
    match trouble {
        Trouble::None => {
            painter.circle_filled(centre, 2.5, theme.good);
        }
        Trouble::Faulty => {
            let stroke = Stroke::new(1.5, theme.warn);
            let corners = [vec2(0.0, -4.5), vec2(5.0, 4.0), vec2(-5.0, 4.0)].map(|corner| centre + corner);
            painter.add(egui::Shape::closed_line(corners.to_vec(), stroke));
            painter.line_segment([centre - vec2(0.0, 1.5), centre + vec2(0.0, 1.5)], stroke);
        }
        Trouble::Silent => value::paint_status(painter, centre, theme, Status::Silent),
        Trouble::Offline => value::paint_status(painter, centre, theme, Status::Offline),
        Trouble::Unknown => value::paint_status(painter, centre, theme, Status::Unknown),
    }
}

/// Colour of a device's status text.
pub(super) fn said_colour(theme: &Theme, trouble: Trouble) -> Color32 {
    match trouble {
        Trouble::Silent | Trouble::Faulty => theme.warn,
        Trouble::Offline => theme.bad,
        Trouble::Unknown | Trouble::None => theme.weak,
    }
}

/// Colour of a value. Only current values have the normal text colour.
pub(super) fn value_colour(theme: &Theme, faded: bool, shown: &Shown) -> Color32 {
    match () {
        () if faded => theme.weak,
        () if shown.failing => theme.warn,
        () if shown.live => theme.text,
        () => theme.weak,
    }
}

/// Draws a value between two edges: numbers right-aligned, and only if they fit whole; text left-aligned and
/// truncated. Returns whether it was drawn.
pub(super) fn value(
    ui: &Ui,
    shown: &mut Shown,
    (left, end): (f32, f32),
    middle: f32,
    at_right: bool,
    colour: Color32,
    pen: &mut Pen<'_>,
) {
    let mut galley = shown.value(ui, pen.digits, pen.generation);
    if galley.size().x > end - left + 0.5 {
        galley = widgets::cut(ui, &shown.text, theme::body(), colour, end - left);
    }
    let x = if at_right { (end - galley.size().x).max(left) } else { left };
    ui.painter().galley(pos2(x, middle - galley.size().y / 2.0), galley, colour);
}

/// Draws a device as one line: name, as many readings as fit, and the status text.
pub(super) fn line(ui: &Ui, rect: Rect, row: &mut Row, said: &StatusText, slots: Slots, pen: &mut Pen<'_>) {
    let theme = theme::of(ui);
    let middle = rect.center().y;
    let faded = !row.is_live();
    mark(ui.painter(), pos2(rect.left() + MARK, middle), theme, row.trouble);
    let mut end = rect.right() - space::SMALL;
    if slots.spark && said.drawn.is_empty() {
        let area = Rect::from_center_size(pos2(end - size::SPARK.x / 2.0, middle), size::SPARK);
        row.spark.paint(ui, area, if faded { theme.weak } else { theme.accent });
        end -= size::SPARK.x + space::LARGE;
    }
    let left = rect.left() + INDENT;
    let first = left + slots.name;
    let mut name_end = first - space::SMALL;
    if !said.drawn.is_empty() {
        let colour = said_colour(theme, row.trouble);
        let text = widgets::cut(ui, &said.drawn, theme::small(), colour, (end - left) * 0.6);
        let x = end - text.size().x;
        ui.painter().galley(pos2(x, middle - text.size().y / 2.0), text, colour);
        end = x - space::MEDIUM;
        name_end = name_end.min(end);
    }
    let colour = if faded { theme.weak } else { theme.text };
    // If nothing follows the name, it may use the whole width.
    if row.readings.is_empty() || first + slots.width > end + space::MEDIUM {
        name_end = end;
    }
    let name = row.title_cut.get(ui, &row.title, theme::body(), name_end - left, pen.generation);
    let name_right = left + name.size().x;
    ui.painter().galley(pos2(left, middle - name.size().y / 2.0), name, colour);
    let room = name_end - name_right - space::SMALL;
    if !row.kind.is_empty() && slots.name >= MIN_WIDTH_WITH_KIND && room > 48.0 {
        let kind = row.kind_cut.get(ui, &row.kind, theme::small(), room, pen.generation);
        let at = pos2(name_right + space::SMALL, middle - kind.size().y / 2.0);
        ui.painter().galley(at, kind, theme.weak);
    }
    let all = row.readings.iter_mut().flatten();
    if readings(ui, all, (first, end), middle, slots.width, faded, pen) > 0 {
        return;
    }
    // In a narrow pane the first reading uses the space left by a short name.
    let Some(shown) = row.readings.iter_mut().flatten().next() else { return };
    let needed = MIN_LABEL + space::TINY + shown.room();
    let from = end - needed;
    if from >= name_right + space::SMALL {
        let colour = value_colour(theme, faded, shown);
        reading(ui, shown, (from, end), middle, colour, pen);
    }
}

/// Draws as many readings as fit between two edges, each in a slot of this width. Returns their number.
pub(super) fn readings<'a>(
    ui: &Ui,
    all: impl Iterator<Item = &'a mut Shown>,
    (first, end): (f32, f32),
    middle: f32,
    slot: f32,
    faded: bool,
    pen: &mut Pen<'_>,
) -> usize {
    let theme = theme::of(ui);
    let mut from = first;
    let mut drawn = 0;
    for shown in all {
        shown.value(ui, pen.digits, pen.generation);
        // Numbers are never truncated: one that needs more space takes the next slot too.
        let needed = MIN_LABEL + space::TINY + shown.room() + space::MEDIUM;
        let width = if shown.is_number && needed > slot { 2.0 * slot } else { slot };
        let to = from + width - space::MEDIUM;
        if to > end + 0.5 {
            // A narrower one may still fit.
            continue;
        }
        let colour = value_colour(theme, faded, shown);
        reading(ui, shown, (from, to), middle, colour, pen);
        from += width;
        drawn += 1;
    }
    drawn
}

/// A reading: name on the left, value on the right.
pub(super) fn reading(
    ui: &Ui,
    shown: &mut Shown,
    (left, end): (f32, f32),
    middle: f32,
    colour: Color32,
    pen: &mut Pen<'_>,
) {
    let theme = theme::of(ui);
    shown.value(ui, pen.digits, pen.generation);
    // A long name is shortened before a number is, and text before a name.
    let width = end - left;
    let least = if shown.is_number { MIN_LABEL } else { width * 0.45 };
    let label_room = (width - shown.room() - space::TINY).max(least);
    let label = shown.name_cut.get(ui, &shown.name, theme::small(), label_room, pen.generation);
    let value_left = left + label.size().x + space::TINY;
    ui.painter().galley(pos2(left, middle - label.size().y / 2.0 + 0.5), label, theme.weak);
    value(ui, shown, (value_left, end), middle, true, colour, pen);
}

/// The row of a connection: its link and its counts. Returns whether its page is to be opened.
pub(super) fn connection(
    ui: &mut Ui,
    cx: &mut Cx,
    rect: Rect,
    standing: &Standing,
    counts: Option<&Counts>,
) -> bool {
    let theme = theme::of(ui);
    let rect = rect.shrink2(vec2(EDGE, 1.0));
    let id = Id::unique(("devices of", standing.connection));
    let sense = if standing.has_page { Sense::click() } else { Sense::hover() };
    let response = ui.interact(rect, id, sense);
    if standing.has_page && response.hovered() {
        ui.painter().rect_filled(rect, f32::from(radius::CONTROL), theme.hover);
    }
    let middle = rect.center().y;
    let colour = widgets::state_colour(theme, standing.word, standing.alarm);
    widgets::state_mark(ui.painter(), pos2(rect.left() + MARK, middle), standing.word, colour);
    let sentence = standing.sentence(cx);
    let state = (cx.words.state)(standing.word);
    let facts = standing.facts(cx);
    let joined = |counts| {
        let parts = cx.words.devices.counts(counts).into_iter().map(|(text, _)| text);
        parts.collect::<Vec<_>>().join(", ")
    };
    let counted = counts.map(joined).filter(|text| !text.is_empty());
    let right = sentence.clone().or(counted);
    let mut end = rect.right() - space::SMALL;
    if let Some(right) = &right {
        let colour = if standing.is_down() { theme.warn } else { theme.weak };
        let text = widgets::cut(ui, right, theme::small(), colour, rect.width() * 0.6);
        end -= text.size().x;
        ui.painter().galley(pos2(end, middle - text.size().y / 2.0), text, colour);
        end -= space::MEDIUM;
    }
    let left = rect.left() + INDENT;
    let name = widgets::cut(ui, &standing.name, theme::strong(size::BODY), theme.text, end - left);
    let after = left + name.size().x + space::SMALL;
    ui.painter().galley(pos2(left, middle - name.size().y / 2.0), name, theme.text);
    if !facts.is_empty() && end - after > 40.0 {
        let text = widgets::cut(ui, &facts.join(" · "), theme::small(), theme.weak, end - after);
        ui.painter().galley(pos2(after, middle - text.size().y / 2.0), text, theme.weak);
    }
    let named = (cx.words.devices.connection_to)(&standing.name);
    let mut spoken = (cx.words.state_of)(&named, state);
    for fact in facts.iter().chain(&right) {
        spoken.push_str(", ");
        spoken.push_str(fact);
    }
    let role = if standing.has_page { Role::Button } else { Role::Label };
    response.widget_info(|| WidgetInfo::labeled(role, true, &spoken));
    let clicked = response.clicked();
    if standing.has_page {
        response.on_hover_text((cx.words.devices.open_connection)(&standing.name));
    }
    clicked
}

/// The heading of a group.
pub(super) fn group(ui: &Ui, rect: Rect, id: Id, name: &str) {
    let theme = theme::of(ui);
    let rect = rect.shrink2(vec2(space::LARGE, 0.0));
    let text = widgets::cut(ui, name, theme::small(), theme.weak, rect.width());
    ui.painter().galley(pos2(rect.left(), rect.bottom() - 4.0 - text.size().y), text, theme.weak);
    let response = widgets::spoken(ui, rect, id, name);
    widgets::heading(ui, &response, name, 3);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_use_the_space_available() {
        let counts: Vec<usize> = [280.0, 400.0, 519.0, 640.0, 1_000.0].map(|w| Slots::of(w).count).to_vec();
        assert!(counts.is_sorted() && counts[0] == 1 && counts[1] >= 2 && counts[4] >= 4, "{counts:?}");
        for width in [200.0_f32, 280.0, 400.0, 900.0, 2_400.0] {
            let slots = Slots::of(width);
            let used = slots.name + slots.width * slots.count as f32;
            assert!(used <= width && slots.name >= 0.0, "{width}: {slots:?}");
        }
    }
}
