//! One plot. `egui_plot` draws axes and grid; lines, bands and gaps are painted over it. Also has what plots
//! share with strips ([`super::strip`]).

use std::sync::Arc;

use egui::accesskit::Role;
use egui::{
    EventFilter, Id, Key, Label, Mesh, Pos2, Rect, Response, RichText, Sense, Shape, Stroke, Ui, Vec2, pos2,
    vec2,
};
use egui_plot::{GridInput, GridMark, Plot, PlotPoint, PlotTransform};

use super::past::{Column, Viewport};
use super::plots::{Plotted, RangeChange};
use super::vertical::Ranges;
use crate::model::device::{Metric, MetricType, Value};
use crate::model::time::WallMs;
use crate::ui::text::device_page::PageWords;
use crate::ui::text::{Words, local};
use crate::ui::theme::{self, Theme, space};
use crate::ui::{Cx, harmless, value, widgets};

/// Minimum and maximum height of a plot, in points.
pub(super) const HEIGHT: (f32, f32) = (132.0, 300.0);
/// Minimum width of the value axis, in points.
pub(super) const AXIS: f32 = 56.0;
/// Minimum distance of two labels on the time axis, in points.
const TIMES_APART: f64 = 84.0;
/// Maximum number of gaps read out by a screen reader.
const MAX_NAMED_GAPS: usize = 4;

/// Where and how a plot is drawn.
pub(super) struct Canvas {
    /// Widget id.
    pub id: Id,
    /// Time range shown.
    pub viewport: Viewport,
    /// Time under the pointer, in whichever plot it is.
    pub cursor: Option<f64>,
    /// Whether a screenshot is being taken.
    pub still: bool,
    /// Whether some of the data is being loaded.
    pub loading: bool,
    /// Width of the value axis, in points.
    pub axis: f32,
    /// Height of the plot area, in points.
    pub height: f32,
    /// Whether it has time labels.
    pub with_times: bool,
}

/// Result of drawing a plot.
pub(super) struct Shown {
    /// Width of the plot area, in pixels.
    pub width: u32,
    /// Width that the value axis needs, in points.
    pub axis: f32,
    /// Time under the pointer, if it is over this plot.
    pub cursor: Option<f64>,
    /// Pan and zoom input.
    pub moved: Vec<RangeChange>,
}

/// Draws a plot.
pub(super) fn show(
    ui: &mut Ui,
    cx: &mut Cx,
    canvas: &Canvas,
    lines: &[Plotted],
    vertical: &mut Ranges,
) -> Shown {
    let set = lines.first().and_then(|line| vertical.of(line.metric));
    let (low, high) = set.unwrap_or_else(|| ends(lines));
    legend(ui, cx, canvas, lines, vertical, (low, high));
    let (words, viewport) = (cx.words, canvas.viewport);
    let first = lines.first().map(|line| line.metric.clone());
    let plot =
        empty_plot(ui, cx, canvas).height(canvas.height).y_grid_spacer(levels(lines)).y_axis_formatter(
            move |mark, _| first.as_ref().map_or(String::new(), |metric| level(words, metric, mark)),
        );
    let shown = plot.show(ui, |plot| {
        plot.set_plot_bounds_x(viewport.from.coordinate()..=viewport.to.coordinate());
        plot.set_plot_bounds_y(low..=high);
    });
    let rect = *shown.transform.frame();
    if ui.is_rect_visible(rect) {
        paint(ui, cx, canvas, lines, &shown.transform);
    }
    handle_input(ui, canvas, rect, |response| describe(ui, cx, canvas, lines, response))
}

/// An empty plot with the time axis, its grid and space for the value axis. Input is handled by [`handle_input`].
pub(super) fn empty_plot<'a>(ui: &Ui, cx: &Cx, canvas: &Canvas) -> Plot<'a> {
    let (words, viewport) = (cx.words, canvas.viewport);
    // A label that would be cut off at the right is left out.
    let last = viewport.to.coordinate() - viewport.column_ms() * TIMES_APART / 2.0;
    Plot::new(canvas.id)
        .id(canvas.id)
        .sense(Sense::hover())
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .allow_axis_zoom_drag(false)
        .allow_double_click_reset(false)
        .show_x(false)
        .show_y(false)
        .show_crosshair(false)
        .show_axes([canvas.with_times, true])
        .set_margin_fraction(Vec2::ZERO)
        .grid_color(theme::of(ui).line)
        .grid_fade(0.0)
        .y_axis_min_width(canvas.axis)
        .x_grid_spacer(move |input| times(&input, viewport))
        .x_axis_formatter(move |mark, _| match mark.value <= last {
            true => (words.device_page.tick)(WallMs(mark.value as i64), mark.step_size as i64),
            false => String::new(),
        })
}

/// Draws the names of the lines, with their values at the pointer.
fn legend(
    ui: &mut Ui,
    cx: &mut Cx,
    canvas: &Canvas,
    lines: &[Plotted],
    vertical: &mut Ranges,
    ends: (f64, f64),
) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = space::TINY;
        for line in lines {
            let mut text = line.name.clone();
            if let Some(cursor) = canvas.cursor {
                let said = match line.drawn.value_at(cursor) {
                    Some(column) => column_value(cx.words, line.metric, column),
                    None => cx.words.device_page.no_data.to_owned(),
                };
                text = format!("{text}  {said}");
            } else if !line.metric.unit.is_empty() {
                text = format!("{text}, {}", harmless::line(&line.metric.unit, 16));
            }
            entry(ui, canvas.id.with(line.metric.name.as_str()), line.colour, &text);
        }
        if !canvas.still {
            vertical.button(ui, cx, lines, ends);
        }
        loading(ui, cx, canvas);
    });
}

/// Shows that data is being loaded, if it is.
pub(super) fn loading(ui: &mut Ui, cx: &Cx, canvas: &Canvas) {
    if canvas.loading {
        let colour = theme::of(ui).weak;
        let text = RichText::new(cx.words.device_page.loading).font(theme::small()).color(colour);
        ui.add(Label::new(text).selectable(false));
    }
}

/// A legend entry: a dot and its text.
pub(super) fn entry(ui: &mut Ui, id: Id, colour: egui::Color32, text: &str) {
    const DOT: f32 = 14.0;
    let theme = theme::of(ui);
    let most = ui.max_rect().width() - DOT - space::MEDIUM;
    let said = widgets::cut(ui, text, theme::small(), theme.text, most);
    let size = vec2(DOT + said.size().x + space::MEDIUM, said.size().y);
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    ui.painter().circle_filled(rect.left_center() + vec2(5.0, 0.0), 4.0, colour);
    ui.painter().galley(rect.left_top() + vec2(DOT, 0.0), said, theme.text);
    widgets::spoken(ui, rect, id, text);
}

fn column_value(words: &Words, metric: &Metric, column: &Column) -> String {
    let of = |number: f64| chart_value(words, metric, number);
    if column.min == column.max {
        return of(column.mean);
    }
    match metric.kind {
        MetricType::Number => {
            let empty_plot = Metric { unit: String::new(), ..metric.clone() };
            let end = |number: f64| match metric.unit.as_str() {
                // Values of one column may differ in scale: each gets its own unit prefix.
                "B" | "B/s" => of(number),
                _ => value::number(words, &empty_plot, number),
            };
            format!("{} ({} … {})", of(column.mean), end(column.min), end(column.max))
        }
        _ => format!("{} … {}", of(column.min), of(column.max)),
    }
}

/// A plotted number as a value of the metric.
fn chart_value(words: &Words, metric: &Metric, number: f64) -> String {
    match metric.kind {
        MetricType::Flag => value::reading(words, metric, &Value::Flag(number >= 0.5)),
        MetricType::Enum => match metric.options.get(number.max(0.0) as usize) {
            Some(option) => harmless::line(option, 24),
            None => value::number(words, metric, number),
        },
        MetricType::Number | MetricType::Text => value::number(words, metric, number),
    }
}

/// The value range to show: that of the data, with some margin.
fn ends(lines: &[Plotted]) -> (f64, f64) {
    if lines.iter().any(|line| line.metric.kind == MetricType::Flag) {
        return (-0.15, 1.15);
    }
    let all = lines.iter().filter_map(|line| line.drawn.ends);
    let Some((low, high)) = all.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))) else {
        return (0.0, 1.0);
    };
    let size = low.abs().max(high.abs());
    let room = match high - low {
        _ if size == 0.0 => 1.0,
        // The smallest range that the plot can resolve.
        flat if flat <= size * 1e-9 => size.max(1e-9) * 0.05,
        span => span * 0.08,
    };
    (low - room, high + room)
}

/// Grid marks of the time axis, at full local minutes, hours and days.
fn times(input: &GridInput, viewport: Viewport) -> Vec<GridMark> {
    const HOUR_MS: i64 = 3_600_000;
    const STEPS: [i64; 19] = [
        1_000,
        2_000,
        5_000,
        10_000,
        30_000,
        60_000,
        120_000,
        300_000,
        600_000,
        1_800_000,
        3_600_000,
        10_800_000,
        21_600_000,
        43_200_000,
        86_400_000,
        172_800_000,
        604_800_000,
        2_592_000_000,
        7_776_000_000,
    ];
    let (before, offset) = (local::offset_ms(viewport.from), local::offset_ms(viewport.to));
    // Ambiguous times are labelled with their UTC offset, which makes them wider.
    let apart = if before > offset { TIMES_APART * 1.7 } else { TIMES_APART };
    let least = (viewport.column_ms() * apart) as i64;
    let step = STEPS.into_iter().find(|step| *step >= least).unwrap_or(31_536_000_000);
    let begin = input.bounds.0 as i64;
    let first = begin.saturating_add(before).div_euclid(step);
    let marks = (first..first + 64).map(|n| n.saturating_mul(step));
    // Steps of up to an hour stay aligned when the UTC offset changes; longer steps use the offset of their
    // own day.
    let is_kept = step <= HOUR_MS && (before - offset) % step == 0;
    let offset_at = |at: i64| if is_kept { offset } else { local::offset_ms(WallMs(at)) };
    let moments = marks.map(|mark| mark.saturating_sub(offset_at(mark.saturating_sub(offset))) as f64);
    moments
        .skip_while(|at| *at <= input.bounds.0)
        .take_while(|at| *at <= input.bounds.1)
        .map(|value| GridMark { value, step_size: step as f64 })
        .collect()
}

/// Grid marks of the value axis: every value for flags and enumerations, a few round ones for numbers.
fn levels(lines: &[Plotted]) -> impl Fn(GridInput) -> Vec<GridMark> + use<> {
    let whole = lines.iter().all(|line| matches!(line.metric.kind, MetricType::Flag | MetricType::Enum));
    move |input: GridInput| {
        let span = input.bounds.1 - input.bounds.0;
        let rough = span / 4.0;
        let decade = 10f64.powf(rough.log10().floor());
        let mut step = [1.0, 2.0, 5.0, 10.0].map(|n| n * decade).into_iter().find(|step| *step >= rough);
        if whole {
            step = step.map(|step| step.round().max(1.0));
        }
        let Some(step) = step.filter(|step| step.is_finite() && *step > 0.0) else {
            return Vec::new();
        };
        let first = (input.bounds.0 / step).ceil();
        let marks = (0..12).map(|n| (first + f64::from(n)) * step);
        marks
            .take_while(|value| *value <= input.bounds.1)
            .map(|value| GridMark { value, step_size: step })
            .collect()
    }
}

/// Axis labels use an exponent from this value on.
const LONG: f64 = 1e12;

/// A label of the value axis.
fn level(words: &Words, metric: &Metric, mark: GridMark) -> String {
    if matches!(metric.kind, MetricType::Flag | MetricType::Enum)
        || matches!(metric.unit.as_str(), "B" | "B/s")
    {
        return chart_value(words, metric, mark.value);
    }
    // There is no space for twenty digits, unless it takes that many to distinguish neighbouring labels.
    let apart = (mark.value.abs() / mark.step_size).log10().ceil() + 1.0;
    if mark.value.abs() >= LONG && apart <= value::DIGITS as f64 {
        return value::scientific(words, mark.value);
    }
    let mut empty_plot = Metric::new(metric.name.clone(), MetricType::Number);
    // As many decimals as distinguish neighbouring labels.
    let digits = (-mark.step_size.log10().floor()).clamp(0.0, 6.0);
    empty_plot.precision = Some(digits as u8);
    value::number(words, &empty_plot, mark.value)
}

fn paint(ui: &Ui, cx: &Cx, canvas: &Canvas, lines: &[Plotted], to: &PlotTransform) {
    let theme = theme::of(ui);
    let rect = *to.frame();
    let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
    gaps(&painter, &common_gaps(lines), to, theme);
    for (number, line) in lines.iter().enumerate() {
        if lines.len() > 1 {
            // A gap of one line only is marked by dots, which no value looks like.
            let bottom = rect.bottom() - 2.0 - 4.0 * number as f32;
            for (from, until) in &line.drawn.gaps {
                let ends =
                    [*from, *until].map(|at| pos2(rect.x_range().clamp(x(to, at.coordinate())), bottom));
                painter.extend(Shape::dotted_line(&ends, line.colour.gamma_multiply(0.6), 8.0, 1.0));
            }
        }
        band(&painter, line, to);
        trace(&painter, line, to);
    }
    cursor(&painter, canvas, to, theme);
    if !canvas.loading && lines.iter().all(|line| line.drawn.ends.is_none()) {
        nothing(&painter, rect, cx.words.device_page.no_data, theme);
    }
}

/// Paints gaps.
pub(super) fn gaps(painter: &egui::Painter, gaps: &[(WallMs, WallMs)], to: &PlotTransform, theme: &Theme) {
    for (from, until) in gaps {
        let (left, right) = (x(to, from.coordinate()), x(to, until.coordinate()));
        let rect = Rect::from_x_y_ranges(left..=right.max(left + 1.0), to.frame().y_range());
        painter.rect_filled(rect, 0.0, theme.hover);
    }
}

/// Paints a vertical line at the time under the pointer.
pub(super) fn cursor(painter: &egui::Painter, canvas: &Canvas, to: &PlotTransform, theme: &Theme) {
    if let Some(cursor) = canvas.cursor {
        painter.vline(x(to, cursor), to.frame().y_range(), Stroke::new(1.0, theme.weak));
    }
}

pub(super) fn nothing(painter: &egui::Painter, rect: Rect, text: &str, theme: &Theme) {
    painter.text(rect.center(), egui::Align2::CENTER_CENTER, text, theme::small(), theme.weak);
}

/// Screen position of a time, clamped to just outside the plot.
pub(super) fn x(to: &PlotTransform, at: f64) -> f32 {
    to.position_from_point_x(at).clamp(to.frame().left() - 4.0, to.frame().right() + 4.0)
}

/// The band between each column's minimum and maximum.
fn band(painter: &egui::Painter, line: &Plotted, to: &PlotTransform) {
    let columns = &line.drawn.columns;
    if columns.iter().all(|column| column.min == column.max) {
        return;
    }
    let colour = line.colour.gamma_multiply(0.25);
    let mut mesh = Mesh::default();
    mesh.reserve_vertices(columns.len() * 2);
    for (at, column) in columns.iter().enumerate() {
        let top = to.position_from_point(&PlotPoint::new(column.at, column.max));
        let bottom = to.position_from_point(&PlotPoint::new(column.at, column.min));
        let next = mesh.vertices.len() as u32;
        mesh.colored_vertex(top, colour);
        mesh.colored_vertex(bottom, colour);
        if at > 0 && !column.after_gap {
            mesh.add_triangle(next - 2, next - 1, next);
            mesh.add_triangle(next - 1, next + 1, next);
        }
    }
    painter.add(Shape::Mesh(Arc::new(mesh)));
}

/// The line of means; stepped for flags and enumerations.
fn trace(painter: &egui::Painter, line: &Plotted, to: &PlotTransform) {
    let stroke = Stroke::new(1.5, line.colour);
    let steps = !matches!(line.metric.kind, MetricType::Number);
    let mut points: Vec<Pos2> = Vec::with_capacity(line.drawn.columns.len());
    let flush = |points: &mut Vec<Pos2>| match points.len() {
        0 => {}
        1 => {
            painter.circle_filled(points[0], 1.75, line.colour);
            points.clear();
        }
        _ => {
            painter.add(Shape::line(std::mem::take(points), stroke));
        }
    };
    for column in &line.drawn.columns {
        if column.after_gap {
            flush(&mut points);
        }
        let point = to.position_from_point(&PlotPoint::new(column.at, column.mean));
        if let Some(last) = points.last().filter(|_| steps) {
            points.push(pos2(point.x, last.y));
        }
        points.push(point);
    }
    flush(&mut points);
}

/// Gaps that all lines have in common.
fn common_gaps(lines: &[Plotted]) -> Vec<(WallMs, WallMs)> {
    let mut lines = lines.iter();
    let mut common = lines.next().map(|line| line.drawn.gaps.clone()).unwrap_or_default();
    for line in lines {
        let mut both = Vec::new();
        let (mut one, mut other) = (0, 0);
        while let (Some(a), Some(b)) = (common.get(one), line.drawn.gaps.get(other)) {
            let (from, to) = (a.0.max(b.0), a.1.min(b.1));
            if from < to {
                both.push((from, to));
            }
            if a.1 < b.1 { one += 1 } else { other += 1 }
        }
        common = both;
    }
    common
}

/// Handles pan and zoom input, and sets the accessible description.
pub(super) fn handle_input(ui: &Ui, canvas: &Canvas, rect: Rect, describe: impl FnOnce(&Response)) -> Shown {
    let theme = theme::of(ui);
    let viewport = canvas.viewport;
    let column_ms = (viewport.to - viewport.from) as f64 / f64::from(rect.width().max(1.0));
    let response = ui.interact(rect, canvas.id.with("hand"), Sense::click_and_drag());
    describe(&response);
    widgets::focus_ring(ui, &response, theme);
    if response.clicked() || response.drag_started() {
        response.request_focus();
    }
    if response.gained_focus() {
        response.scroll_to_me(None);
    }
    let mut moves = Vec::new();
    if response.dragged() && response.drag_delta().x != 0.0 {
        moves.push(RangeChange::Pan(-f64::from(response.drag_delta().x) * column_ms));
    }
    let pointer = response.hover_pos();
    let cursor = pointer.map(|at| viewport.from.coordinate() + f64::from(at.x - rect.left()) * column_ms);
    if let Some(cursor) = cursor {
        let (zoom, scroll) = ui.input(|input| (input.zoom_delta(), input.smooth_scroll_delta().x));
        if zoom != 1.0 {
            moves.push(RangeChange::Zoom(f64::from(zoom), cursor));
        }
        if scroll != 0.0 {
            moves.push(RangeChange::Pan(-f64::from(scroll) * column_ms));
        }
    }
    if response.has_focus() {
        let filter = EventFilter { horizontal_arrows: true, ..Default::default() };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
        keys(ui, viewport, &mut moves);
    }
    let axis = rect.left() - ui.max_rect().left();
    Shown { width: (rect.width().max(1.0) as u32).min(8_192), axis, cursor, moved: moves }
}

fn keys(ui: &Ui, viewport: Viewport, moves: &mut Vec<RangeChange>) {
    let tenth = (viewport.to - viewport.from) as f64 / 10.0;
    let middle = viewport.from.coordinate() + tenth * 5.0;
    ui.input(|input| {
        for (key, act) in [
            (Key::ArrowLeft, RangeChange::Pan(-tenth)),
            (Key::ArrowRight, RangeChange::Pan(tenth)),
            (Key::Plus, RangeChange::Zoom(2.0, middle)),
            (Key::Equals, RangeChange::Zoom(2.0, middle)),
            (Key::Minus, RangeChange::Zoom(0.5, middle)),
            (Key::End, RangeChange::Live),
        ] {
            if input.modifiers.is_none() || key == Key::Plus {
                moves.extend((0..input.num_presses(key)).map(|_| act));
            }
        }
    });
}

/// Accessible description: the name of the plot and its gaps.
fn describe(ui: &Ui, cx: &Cx, canvas: &Canvas, lines: &[Plotted], response: &Response) {
    let words = cx.words.device_page;
    let name = || {
        let names: Vec<&str> = lines.iter().map(|line| line.name.as_str()).collect();
        let (from, to) = range_text(words, canvas.viewport);
        (words.plot_of)(&names.join(", "), &from, &to)
    };
    response.widget_info(|| egui::WidgetInfo::labeled(Role::Figure, true, name()));
    ui.ctx().accesskit_node_builder(response.id, |node| {
        let is_nothing = !canvas.loading && lines.iter().all(|line| line.drawn.ends.is_none());
        let mut said: Vec<String> = is_nothing.then(|| words.no_data.to_owned()).into_iter().collect();
        said.extend(gaps_text(words, &common_gaps(lines), canvas.viewport));
        said.push(words.plot_help.to_owned());
        node.set_description(said.join(" "));
    });
    if response.hovered() && !canvas.still {
        gap_tooltip(ui, cx, canvas, &common_gaps(lines), response);
    }
}

/// Start and end of the range as text.
pub(super) fn range_text(words: &PageWords, viewport: Viewport) -> (String, String) {
    let span = viewport.to - viewport.from;
    ((words.moment)(viewport.from, span), (words.moment)(viewport.to, span))
}

/// The gaps as text.
pub(super) fn gaps_text(
    words: &PageWords,
    gaps: &[(WallMs, WallMs)],
    viewport: Viewport,
) -> impl Iterator<Item = String> {
    let span = (viewport.to - viewport.from).min(3_600_000 * 48);
    let named = gaps.iter().take(MAX_NAMED_GAPS);
    let named = named.map(move |(from, to)| {
        (words.no_data_between)(&(words.moment)(*from, span), &(words.moment)(*to, span))
    });
    let more = gaps.len().saturating_sub(MAX_NAMED_GAPS);
    named.chain((more > 0).then(|| (words.more_gaps)(more)))
}

/// A tooltip in a gap: no data.
pub(super) fn gap_tooltip(ui: &Ui, cx: &Cx, canvas: &Canvas, gaps: &[(WallMs, WallMs)], response: &Response) {
    let Some(at) = response.hover_pos() else { return };
    let viewport = canvas.viewport;
    let column_ms = (viewport.to - viewport.from) as f64 / f64::from(response.rect.width().max(1.0));
    let moment = viewport.from.coordinate() + f64::from(at.x - response.rect.left()) * column_ms;
    if !gaps.iter().any(|(from, to)| (from.coordinate()..=to.coordinate()).contains(&moment)) {
        return;
    }
    // On the side with more space.
    let (side, align) = if at.x < response.rect.center().x {
        (space::SMALL, egui::Align2::LEFT_BOTTOM)
    } else {
        (-space::SMALL, egui::Align2::RIGHT_BOTTOM)
    };
    let place = at + vec2(side, -space::SMALL);
    let font = theme::small();
    ui.painter().text(place, align, cx.words.device_page.no_data, font, theme::of(ui).weak);
}
