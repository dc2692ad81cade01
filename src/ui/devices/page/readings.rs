//! The current values of a device: name, value, freshness and age, and a check box to plot it. In as many
//! columns as fit, so that they can be seen at a glance.

use egui::accesskit::Role;
use egui::{Label, Rect, RichText, Sense, Stroke, StrokeKind, Ui, Vec2, WidgetInfo, pos2};

use super::super::rows::metric_name;
use super::plots::{self, Plots};
use super::{View, rows};
use crate::model::device::{Freshness, Status, UNKNOWN_TIME};
use crate::model::harmless;
use crate::model::time::WallMs;
use crate::ui::theme::{self, size, space};
use crate::ui::{Cx, value, widgets};

/// Height of a value's row, in points: two lines.
const ROW: f32 = size::BODY_LINE + size::SMALL_LINE + space::SMALL;
/// Width of the check box's click area, in points.
const BOX: f32 = 28.0;
/// Side of the check box, in points.
const MARK: f32 = 14.0;
/// Minimum width of a column, in points.
const MIN_COLUMN: f32 = 170.0;
/// Readings newer than this count as current, in milliseconds: ticking ages next to live values would be
/// noise.
const RECENT_MS: i64 = 10_000;

/// Draws the values.
pub(super) fn show(ui: &mut Ui, cx: &mut Cx, view: &View, plots: &mut Plots) {
    let theme = theme::of(ui);
    if view.readings.is_empty() {
        let text = RichText::new(cx.words.device_page.no_readings).color(theme.weak);
        ui.add(Label::new(text).wrap());
    }
    ui.add_space(space::TINY);
    // What only takes commands has no value.
    let all = (0..view.readings.len().min(view.metrics.len())).filter(|at| !view.metrics[*at].write_only);
    let (hidden, all): (Vec<usize>, Vec<usize>) = all.partition(|at| view.metrics[*at].hidden);
    let count = all.len();
    let columns = ((ui.available_width() / MIN_COLUMN) as usize).clamp(1, count.max(1));
    rows(ui, count.div_ceil(columns), ROW, |ui, row| {
        let place = ui.max_rect();
        let width = place.width() / columns as f32;
        ui.painter().hline(place.x_range(), place.bottom(), egui::Stroke::new(1.0, theme.line));
        for (column, number) in all.iter().skip(row * columns).take(columns).enumerate() {
            let left = place.left() + column as f32 * width;
            let cell = Rect::from_min_size(pos2(left, place.top()), Vec2::new(width, place.height()));
            one(ui, cx, view, plots, *number, cell.with_max_x(cell.right() - space::MEDIUM));
        }
    });
    if !hidden.is_empty() {
        let text = (cx.words.device_acts.hidden_readings)(hidden.len());
        widgets::explain(ui, text);
    }
}

fn one(ui: &mut Ui, cx: &mut Cx, view: &View, plots: &mut Plots, number: usize, rect: Rect) {
    let (metric, reading) = (&view.metrics[number], &view.readings[number]);
    let theme = theme::of(ui);
    let words = cx.words.device_page;
    let name = metric_name(cx.words, view.facts.device.as_str(), metric.label());
    tick(ui, cx, view, plots, number, &name, rect);
    let said = value::reading(cx.words, metric, &reading.value);
    let word = (cx.words.devices.freshness)(reading.freshness);
    let age = view.facts.hub_now.since(reading.received);
    let is_live = reading.freshness == Freshness::Live;
    let standing = match reading.received {
        WallMs(0) => words.never.to_owned(),
        UNKNOWN_TIME => cx.words.devices.age_unknown.to_owned(),
        _ if is_live && age < RECENT_MS => String::new(),
        _ if is_live => value::age(cx.words, age),
        // What applies to the whole device is shown in the page's head.
        _ if is_of_device(view.status, reading.freshness) => value::age(cx.words, age),
        _ => format!("{word}, {}", value::age(cx.words, age)),
    };
    let colour = if is_live { theme.text } else { theme.weak };
    let (left, right) = (rect.left() + BOX, rect.right());
    let top = rect.top() + space::TINY;
    let standing = widgets::cut(ui, &standing, theme::small(), theme.weak, (right - left) * 0.6);
    let name_width = right - left - standing.size().x - space::SMALL;
    // What its source says about it, for example why the value is shown as it came.
    let note = harmless::line(&metric.note, 400);
    let marked = if note.is_empty() { name.clone() } else { format!("⚠ {name}") };
    let label = widgets::cut(ui, &marked, theme::small(), theme.weak, name_width);
    let value = widgets::cut(ui, &said, theme::heading(), colour, right - left);
    let cut = value.elided || label.elided || standing.elided;
    let low = rect.bottom() - space::TINY - value.size().y;
    let painter = ui.painter();
    painter.galley(pos2(right - standing.size().x, top), standing, theme.weak);
    painter.galley(pos2(left, top), label, theme.weak);
    painter.galley(pos2(left, low), value, colour);
    let body = Rect::from_min_max(pos2(left, rect.top()), rect.max);
    let id = egui::Id::unique((
        "reading",
        view.facts.connection,
        view.facts.device.as_str(),
        metric.name.as_str(),
    ));
    let label = (words.reading)(&name, &said, word);
    let label = if note.is_empty() { label } else { format!("{label}. {note}") };
    let spoken = widgets::spoken(ui, body, id, &label);
    if cut || !note.is_empty() {
        spoken.on_hover_text(format!("{name}\n{said}\n{word}\n{note}").trim_end());
    }
}

/// Whether the freshness merely reflects the device's status.
fn is_of_device(status: Status, freshness: Freshness) -> bool {
    match status {
        Status::Unknown => freshness == Freshness::Unknown,
        Status::Silent | Status::Offline => freshness == Freshness::Stale,
        Status::Online | Status::Asleep => false,
    }
}

/// The check box to plot the metric. Painted directly, since a page may have hundreds of them.
fn tick(ui: &mut Ui, cx: &mut Cx, view: &View, plots: &mut Plots, number: usize, name: &str, rect: Rect) {
    let metric = &view.metrics[number];
    let words = cx.words.device_page;
    let theme = theme::of(ui);
    let plotted = plots.is_chosen(&metric.name);
    let is_free = plotted || plots.has_room();
    // Left of the name.
    let place = Rect::from_min_size(rect.min, Vec2::splat(BOX));
    let id = egui::Id::unique((
        "plotted",
        view.facts.connection,
        view.facts.device.as_str(),
        metric.name.as_str(),
    ));
    let response = ui.interact(place, id, if is_free { Sense::click() } else { Sense::hover() });
    response.widget_info(|| WidgetInfo::selected(Role::CheckBox, is_free, plotted, (words.plot_it)(name)));
    let colour = match (is_free, response.hovered() || response.has_focus()) {
        (false, _) => theme.line,
        (true, true) => theme.text,
        (true, false) => theme.outline,
    };
    let mark = Rect::from_center_size(place.center(), Vec2::splat(MARK));
    let painter = ui.painter();
    painter.rect(mark, 3.0, theme.raised, Stroke::new(1.0, colour), StrokeKind::Inside);
    if plotted {
        let points = [(0.22, 0.52), (0.42, 0.72), (0.78, 0.28)];
        let points = points.map(|(x, y)| mark.min + Vec2::new(x, y) * MARK);
        painter.add(egui::Shape::line(points.to_vec(), Stroke::new(1.5, theme.text)));
    }
    if response.gained_focus() {
        response.scroll_to_me(None);
    }
    if response.clicked() {
        plots.choose(&metric.name, !plotted);
        cx.deadline.at(cx.now.boot_ms);
    }
    if !is_free {
        response.on_hover_text((words.plots_full)(plots::MAX_PLOTTED));
    }
}
