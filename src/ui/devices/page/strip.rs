//! One strip: the history of a text value on the plots' time axis. Each value has its colour and, where it
//! fits, its label.

use egui::accesskit::Role;
use egui::{Painter, Rect, Response, Stroke, Ui, pos2};
use egui_plot::PlotTransform;

use super::plot::{self, Canvas, Shown};
use super::states::{Drawn, Stretch, StretchKind};
use crate::model::device::{Metric, Value};
use crate::ui::theme::{self, Theme, space};
use crate::ui::{Cx, value, widgets};

/// Height of a strip, in points.
const HEIGHT: f32 = 28.0;
/// Space above and below its stretches for the focus ring, in points.
const EDGE: f32 = 3.0;
/// Height of the time labels under it, in points.
const TIMES: f32 = 17.0;
/// Minimum width of a stretch with a label, in points.
const MIN_LABELLED: f32 = 24.0;
/// Distance of the hatching lines that stand for many changes, in points.
const HATCH: f32 = 4.0;
/// Maximum number of values read out by a screen reader.
const MAX_NAMED: usize = 8;

/// The history of a text value in view.
pub(super) struct Strip<'a> {
    /// Metric that it shows.
    pub metric: &'a Metric,
    /// Display name.
    pub name: String,
    /// The stretches.
    pub drawn: &'a Drawn,
}

impl Strip<'_> {
    fn word(&self, cx: &Cx, what: &StretchKind) -> String {
        match what {
            StretchKind::Said { value, .. } => {
                value::reading(cx.words, self.metric, &Value::Text(value.clone()))
            }
            StretchKind::Many(count) => (cx.words.device_page.changes)(*count),
        }
    }

    /// The value at a time, and since when, as text.
    fn said(&self, cx: &Cx, canvas: &Canvas, stretch: Option<&Stretch>) -> String {
        let words = cx.words.device_page;
        let Some(stretch) = stretch else { return words.no_data.to_owned() };
        let word = self.word(cx, &stretch.what);
        match stretch.what {
            StretchKind::Said { since, .. } => {
                let span = canvas.viewport.to.since(since.min(canvas.viewport.from));
                (words.since)(&word, &(words.moment)(since, span))
            }
            StretchKind::Many(_) => word,
        }
    }
}

/// Draws a strip.
pub(super) fn show(ui: &mut Ui, cx: &Cx, canvas: &Canvas, strip: &Strip) -> Shown {
    legend(ui, cx, canvas, strip);
    let viewport = canvas.viewport;
    let times = if canvas.with_times { TIMES } else { 0.0 };
    let plot = plot::empty_plot(ui, cx, canvas)
        .height(HEIGHT + times)
        .y_grid_spacer(|_| Vec::new())
        .y_axis_formatter(|_, _| String::new());
    let shown = plot.show(ui, |plot| {
        plot.set_plot_bounds_x(viewport.from.coordinate()..=viewport.to.coordinate());
        plot.set_plot_bounds_y(0.0..=1.0);
    });
    let rect = *shown.transform.frame();
    if ui.is_rect_visible(rect) {
        paint(ui, cx, canvas, strip, &shown.transform);
    }
    plot::handle_input(ui, canvas, rect, |response| describe(ui, cx, canvas, strip, response))
}

/// The name, and the value at the pointer.
fn legend(ui: &mut Ui, cx: &Cx, canvas: &Canvas, strip: &Strip) {
    let theme = theme::of(ui);
    let stretch = canvas.cursor.and_then(|cursor| strip.drawn.at(cursor));
    let text = match canvas.cursor {
        Some(_) => format!("{}  {}", strip.name, strip.said(cx, canvas, stretch)),
        None => strip.name.clone(),
    };
    let colour = stretch.and_then(|stretch| fill(theme, &stretch.what)).unwrap_or(theme.weak);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = space::TINY;
        plot::entry(ui, canvas.id.with("legend"), colour, &text);
        plot::loading(ui, cx, canvas);
    });
}

fn fill(theme: &Theme, what: &StretchKind) -> Option<egui::Color32> {
    match what {
        // Adjacent palette colours are similar, so consecutive values are three apart.
        StretchKind::Said { colour, .. } => Some(theme.people[colour * 3 % theme.people.len()]),
        StretchKind::Many(_) => None,
    }
}

fn place(to: &PlotTransform, stretch: &Stretch) -> Rect {
    let (left, right) = (plot::x(to, stretch.from.coordinate()), plot::x(to, stretch.to.coordinate()));
    Rect::from_x_y_ranges(left..=right.max(left + 1.0), to.frame().y_range().shrink(EDGE))
}

fn paint(ui: &Ui, cx: &Cx, canvas: &Canvas, strip: &Strip, to: &PlotTransform) {
    let theme = theme::of(ui);
    let painter = ui.painter().with_clip_rect(to.frame().intersect(ui.clip_rect()));
    plot::gaps(&painter, &strip.drawn.gaps, to, theme);
    for stretch in &strip.drawn.stretches {
        let rect = place(to, stretch);
        let fill = fill(theme, &stretch.what);
        // A gap between neighbours keeps them apart whatever their colours.
        let inner = if rect.width() > 3.0 { rect.with_max_x(rect.right() - 1.0) } else { rect };
        match fill {
            Some(fill) => drop(painter.rect_filled(inner, 0.0, fill)),
            None => hatch(&painter, inner, theme),
        }
        if rect.width() >= MIN_LABELLED {
            let on = if fill.is_some() { theme.ground } else { theme.text };
            let word = strip.word(cx, &stretch.what);
            let word = widgets::cut(ui, &word, theme::small(), on, rect.width() - 2.0 * space::TINY);
            let top = rect.center().y - word.size().y / 2.0;
            if fill.is_none() {
                let ground = Rect::from_min_size(pos2(rect.left() + space::TINY, top), word.size());
                painter.rect_filled(ground.expand2(egui::vec2(2.0, 0.0)), 0.0, theme.ground);
            }
            painter.galley(pos2(rect.left() + space::TINY, top), word, on);
        }
    }
    if !canvas.loading && strip.drawn.stretches.is_empty() {
        plot::nothing(&painter, *to.frame(), cx.words.device_page.no_data, theme);
    }
    if let Some(cursor) = canvas.cursor {
        // An outline keeps it visible on any colour.
        painter.vline(plot::x(to, cursor), to.frame().y_range(), Stroke::new(3.0, theme.ground));
    }
    plot::cursor(&painter, canvas, to, theme);
}

/// Hatching for changes too short to draw.
fn hatch(painter: &Painter, rect: Rect, theme: &Theme) {
    let stroke = Stroke::new(1.0, theme.weak);
    painter.rect_filled(rect, 0.0, theme.ground);
    let count = (rect.width() / HATCH) as usize;
    for number in 0..=count {
        painter.vline(rect.left() + number as f32 * HATCH, rect.y_range(), stroke);
    }
    painter.hline(rect.x_range(), rect.top(), stroke);
    painter.hline(rect.x_range(), rect.bottom(), stroke);
}

/// Accessible description: the name, the total time of each value, and the gaps.
fn describe(ui: &Ui, cx: &Cx, canvas: &Canvas, strip: &Strip, response: &Response) {
    let words = cx.words.device_page;
    let drawn = strip.drawn;
    let name = || {
        let (from, to) = plot::range_text(words, canvas.viewport);
        (words.strip_of)(&strip.name, &from, &to)
    };
    response.widget_info(|| egui::WidgetInfo::labeled(Role::Figure, true, name()));
    ui.ctx().accesskit_node_builder(response.id, |node| {
        let is_nothing = !canvas.loading && drawn.totals.is_empty();
        let mut said: Vec<String> = is_nothing.then(|| words.no_data.to_owned()).into_iter().collect();
        said.extend(drawn.totals.iter().take(MAX_NAMED).map(|(text, ms)| {
            let text = value::reading(cx.words, strip.metric, &Value::Text(text.clone()));
            (words.said_for)(&text, *ms)
        }));
        if drawn.totals.len() > MAX_NAMED {
            said.push((words.more_values)(drawn.totals.len() - MAX_NAMED));
        }
        said.extend(plot::gaps_text(words, &drawn.gaps, canvas.viewport));
        said.push(words.plot_help.to_owned());
        node.set_description(said.join(" "));
    });
    if !response.hovered() {
        return;
    }
    plot::gap_tooltip(ui, cx, canvas, &drawn.gaps, response);
    if let Some(stretch) = canvas.cursor.and_then(|cursor| drawn.at(cursor)) {
        response.clone().on_hover_text_at_pointer(strip.said(cx, canvas, Some(stretch)));
    }
}
