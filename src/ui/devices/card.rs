//! A device as a card: name, status, main readings in two columns and a sparkline.

use egui::{Rect, Stroke, StrokeKind, Ui, pos2, vec2};

use super::paint::{self, Pen};
use super::rows::{Row, StatusText};
use crate::ui::theme::{self, radius, size, space};
use crate::ui::widgets;

/// Maximum number of readings on a card: three lines of two.
pub(super) const READINGS: usize = 6;
/// Cards at least this wide, in points, show two readings side by side.
const MIN_TWO_COLUMNS: f32 = 260.0;
/// Height of a line of readings, in points.
const LINE: f32 = 20.0;

/// The card's rectangle within its cell.
pub(super) fn place(cell: Rect) -> Rect {
    cell.shrink2(vec2(space::TINY, space::TINY))
}

/// Draws the card.
pub(super) fn paint(ui: &Ui, rect: Rect, row: &mut Row, said: &StatusText, pen: &mut Pen<'_>) {
    let theme = theme::of(ui);
    let corner = f32::from(radius::CONTROL);
    ui.painter().rect_stroke(rect, corner, Stroke::new(1.0, theme.line), StrokeKind::Inside);
    let faded = !row.is_live();
    let (left, right) = (rect.left() + space::MEDIUM, rect.right() - space::MEDIUM);
    let top = rect.top() + 18.0;
    paint::mark(ui.painter(), pos2(rect.left() + space::MEDIUM + 2.0, top), theme, row.trouble);
    let mut end = right;
    if !said.drawn.is_empty() {
        let colour = paint::said_colour(theme, row.trouble);
        let text = widgets::cut(ui, &said.drawn, theme::small(), colour, (right - left) * 0.6);
        end -= text.size().x;
        ui.painter().galley(pos2(end, top - text.size().y / 2.0), text, colour);
        end -= space::SMALL;
    }
    let colour = if faded { theme.weak } else { theme.text };
    let from = left + 12.0;
    let name = row.title_cut.get(ui, &row.title, theme::strong(size::BODY), end - from, pen.generation);
    let after = from + name.size().x + space::SMALL;
    ui.painter().galley(pos2(from, top - name.size().y / 2.0), name, colour);
    if !row.kind.is_empty() && end - after > 48.0 {
        let kind = row.kind_cut.get(ui, &row.kind, theme::small(), end - after, pen.generation);
        ui.painter().galley(pos2(after, top - kind.size().y / 2.0), kind, theme.weak);
    }
    let columns = if rect.width() >= MIN_TWO_COLUMNS { 2 } else { 1 };
    let width = (right - left) / columns as f32;
    let lines = READINGS / 2;
    for (at, shown) in row.readings.iter_mut().flatten().take(lines * columns).enumerate() {
        let from = left + width * (at % columns) as f32;
        let gap = if at % columns + 1 < columns { space::MEDIUM } else { 0.0 };
        let middle = top + 22.0 + LINE * (at / columns) as f32;
        let colour = paint::value_colour(theme, faded, shown);
        paint::reading(ui, shown, (from, from + width - gap), middle, colour, pen);
    }
    let foot = Rect::from_min_max(
        pos2(left, rect.bottom() - space::SMALL - size::SPARK.y),
        pos2(right, rect.bottom() - space::SMALL),
    );
    if foot.top() >= top + 22.0 + LINE * (lines as f32 - 0.5) {
        row.spark.paint(ui, foot, if faded { theme.weak } else { theme.accent });
    }
}
