//! The table of a device's readings: name, value, how far it is to be believed and since when, and a box to plot it.

use egui::{Align2, Checkbox, Label, RichText, Ui, Vec2, pos2};

use super::super::rows::metric_name;
use super::plots::{self, Plots};
use super::{View, rows};
use crate::model::device::Freshness;
use crate::ui::theme::{self, size, space};
use crate::ui::{Cx, value, widgets};

/// Height of a reading's row: two lines.
const ROW: f32 = size::BODY_LINE + size::SMALL_LINE + space::SMALL;
/// Room for the box.
const BOX: f32 = 28.0;

/// Draws the table.
pub(super) fn show(ui: &mut Ui, cx: &mut Cx, view: &View, plots: &mut Plots) {
    let theme = theme::of(ui);
    if view.readings.is_empty() {
        let text = RichText::new(cx.words.device_page.no_readings).color(theme.weak);
        ui.add(Label::new(text).wrap());
    }
    rows(ui, view.readings.len().min(view.metrics.len()), ROW, |ui, number| row(ui, cx, view, plots, number));
}

fn row(ui: &mut Ui, cx: &mut Cx, view: &View, plots: &mut Plots, number: usize) {
    let (metric, reading) = (&view.metrics[number], &view.readings[number]);
    let theme = theme::of(ui);
    let words = cx.words.device_page;
    let rect = ui.max_rect();
    let name = metric_name(cx.words, view.facts.device.as_str(), metric.name.as_str());
    tick(ui, cx, view, plots, number, &name);
    let said = value::reading(cx.words, metric, &reading.value);
    let word = (cx.words.devices.freshness)(reading.freshness);
    let age = match reading.received {
        0 => words.never.to_owned(),
        received => value::age(cx.words, view.facts.hub_now.saturating_sub(received)),
    };
    let is_true = reading.freshness == Freshness::Live;
    let colour = if is_true { theme.text } else { theme.weak };
    let (left, right) = (rect.left() + BOX, rect.right());
    let top = rect.top() + space::TINY;
    let value = widgets::cut(ui, &said, theme::body(), colour, (right - left) * 0.6);
    let name_width = right - left - value.size().x - space::SMALL;
    let label = widgets::cut(ui, &name, theme::body(), theme.text, name_width);
    let cut = value.elided || label.elided;
    let painter = ui.painter();
    painter.galley(pos2(right - value.size().x, top), value, colour);
    painter.galley(pos2(left, top), label, theme.text);
    let low = rect.bottom() - space::TINY;
    let font = theme::small();
    painter.text(pos2(right, low), Align2::RIGHT_BOTTOM, format!("{word} · {age}"), font, theme.weak);
    painter.hline(rect.x_range(), rect.bottom(), egui::Stroke::new(1.0, theme.line));
    let body = egui::Rect::from_min_max(pos2(left, rect.top()), rect.max);
    let id = egui::Id::unique((
        "reading",
        view.facts.connection,
        view.facts.device.as_str(),
        metric.name.as_str(),
    ));
    let spoken = widgets::spoken(ui, body, id, &(words.reading)(&name, &said, word));
    if cut {
        spoken.on_hover_text(format!("{name}\n{said}"));
    }
}

/// The box that says whether it is plotted.
fn tick(ui: &mut Ui, cx: &mut Cx, view: &View, plots: &mut Plots, number: usize, name: &str) {
    let metric = &view.metrics[number];
    let words = cx.words.device_page;
    let was = plots.is_chosen(&metric.name);
    let mut plotted = was;
    let is_free = was || plots.has_room();
    // Beside the name.
    let rect = egui::Rect::from_min_size(ui.max_rect().min, Vec2::splat(BOX));
    let mut place = ui
        .new_child(egui::UiBuilder::new().id_salt(metric.name.as_str()).max_rect(rect).layout(*ui.layout()));
    place.spacing_mut().interact_size = Vec2::splat(BOX);
    let response = place.add_enabled(is_free, Checkbox::without_text(&mut plotted));
    widgets::named(ui, &response, &(words.plot_it)(name));
    if response.gained_focus() {
        response.scroll_to_me(None);
    }
    if response.changed() {
        plots.choose(&metric.name, plotted);
        cx.deadline.at(cx.now.boot_ms);
    }
    if !is_free {
        response.on_disabled_hover_text((words.plots_full)(plots::MOST));
    }
}
