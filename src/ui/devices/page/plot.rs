//! One plot: axes and grid by `egui_plot`, the lines, bands and holes painted over it. What a strip has in common with it
//! is here, too: [`super::strip`].

use std::sync::Arc;

use egui::accesskit::Role;
use egui::{
    EventFilter, Id, Key, Label, Mesh, Pos2, Rect, Response, RichText, Sense, Shape, Stroke, Ui, Vec2, pos2,
    vec2,
};
use egui_plot::{GridInput, GridMark, Plot, PlotPoint, PlotTransform};

use super::past::{Column, Sight};
use super::plots::{Move, Plotted};
use super::vertical::Ranges;
use crate::model::device::{Metric, MetricType, Value};
use crate::model::time::WallMs;
use crate::ui::text::device_page::PageWords;
use crate::ui::text::{Words, local};
use crate::ui::theme::{self, Theme, space};
use crate::ui::{Cx, harmless, value, widgets};

/// The least and the greatest height of a plot, in points.
pub(super) const HEIGHT: (f32, f32) = (132.0, 300.0);
/// Room for the numbers at the left, where they need no more.
pub(super) const AXIS: f32 = 56.0;
/// Least distance of two times on the axis.
const TIMES_APART: f64 = 84.0;
/// Most holes that are named aloud.
const NAMED_HOLES: usize = 4;

/// Where and how a plot is drawn.
pub(super) struct Canvas {
    /// Its id.
    pub id: Id,
    /// What is looked at.
    pub sight: Sight,
    /// The moment under the pointer, in any plot.
    pub cursor: Option<f64>,
    /// A picture is being taken of it.
    pub still: bool,
    /// Whether some of it is being fetched.
    pub loading: bool,
    /// Room for the numbers at the left.
    pub axis: f32,
    /// How high the lines' part of a plot is, in points.
    pub height: f32,
    /// Whether the times stand under it.
    pub with_times: bool,
}

/// What came of it.
pub(super) struct Shown {
    /// The width of the lines' part, in pixels.
    pub width: u32,
    /// The room that the numbers at the left took.
    pub axis: f32,
    /// The moment under the pointer, if it is over this plot.
    pub cursor: Option<f64>,
    /// What the person does.
    pub moved: Vec<Move>,
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
    let (words, sight) = (cx.words, canvas.sight);
    let first = lines.first().map(|line| line.metric.clone());
    let plot = bare(ui, cx, canvas).height(canvas.height).y_grid_spacer(levels(lines)).y_axis_formatter(
        move |mark, _| first.as_ref().map_or(String::new(), |metric| level(words, metric, mark)),
    );
    let shown = plot.show(ui, |plot| {
        plot.set_plot_bounds_x(sight.from as f64..=sight.to as f64);
        plot.set_plot_bounds_y(low..=high);
    });
    let rect = *shown.transform.frame();
    if ui.is_rect_visible(rect) {
        paint(ui, cx, canvas, lines, &shown.transform);
    }
    hand(ui, canvas, rect, |response| speak(ui, cx, canvas, lines, response))
}

/// The axis of time, with its grid, and room for numbers at the left. What a person does is taken by [`hand`].
pub(super) fn bare<'a>(ui: &Ui, cx: &Cx, canvas: &Canvas) -> Plot<'a> {
    let (words, sight) = (cx.words, canvas.sight);
    // A time that does not fit at the right is left out.
    let last = sight.to as f64 - sight.column_ms() * TIMES_APART / 2.0;
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
        .x_grid_spacer(move |input| times(&input, sight))
        .x_axis_formatter(move |mark, _| match mark.value <= last {
            true => (words.device_page.tick)(mark.value as i64, mark.step_size as i64),
            false => String::new(),
        })
}

/// The names of what is plotted, and its values at the pointer.
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

/// Says so while some of it is being fetched.
pub(super) fn loading(ui: &mut Ui, cx: &Cx, canvas: &Canvas) {
    if canvas.loading {
        let colour = theme::of(ui).weak;
        let text = RichText::new(cx.words.device_page.loading).font(theme::small()).color(colour);
        ui.add(Label::new(text).selectable(false));
    }
}

/// A dot and what it stands for, on one line.
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
            let bare = Metric { unit: String::new(), ..metric.clone() };
            let end = |number: f64| match metric.unit.as_str() {
                // Each in the unit that fits it.
                "B" | "B/s" => of(number),
                _ => value::number(words, &bare, number),
            };
            format!("{} ({} … {})", of(column.mean), end(column.min), end(column.max))
        }
        _ => format!("{} … {}", of(column.min), of(column.max)),
    }
}

/// A charted number as the value that it stands for.
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

/// The range of values to show: what is in sight, with a little room.
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
        // The smallest difference that a plot can tell apart.
        flat if flat <= size * 1e-9 => size.max(1e-9) * 0.05,
        span => span * 0.08,
    };
    (low - room, high + room)
}

/// The grid of times, at full local minutes, hours and days.
fn times(input: &GridInput, sight: Sight) -> Vec<GridMark> {
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
    let (before, offset) = (local::offset_ms(sight.from), local::offset_ms(sight.to));
    // Times that come twice carry their offset, and are as much wider.
    let apart = if before > offset { TIMES_APART * 1.7 } else { TIMES_APART };
    let least = (sight.column_ms() * apart) as i64;
    let step = STEPS.into_iter().find(|step| *step >= least).unwrap_or(31_536_000_000);
    let begin = input.bounds.0 as i64;
    let first = begin.saturating_add(before).div_euclid(step);
    let marks = (first..first + 64).map(|n| n.saturating_mul(step));
    // Whole hours stay whole when the clock is changed; of longer steps each has the offset of its own day.
    let is_kept = step <= HOUR_MS && (before - offset) % step == 0;
    let offset_at = |at: i64| if is_kept { offset } else { local::offset_ms(at) };
    let moments = marks.map(|mark| mark.saturating_sub(offset_at(mark.saturating_sub(offset))) as f64);
    moments
        .skip_while(|at| *at <= input.bounds.0)
        .take_while(|at| *at <= input.bounds.1)
        .map(|value| GridMark { value, step_size: step as f64 })
        .collect()
}

/// The grid of values: of flags and enumerations each value there is, of numbers a few round ones.
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

/// From here on a number on an axis is written with an exponent.
const LONG: f64 = 1e12;

/// A number at the left of the plot.
fn level(words: &Words, metric: &Metric, mark: GridMark) -> String {
    if matches!(metric.kind, MetricType::Flag | MetricType::Enum)
        || matches!(metric.unit.as_str(), "B" | "B/s")
    {
        return chart_value(words, metric, mark.value);
    }
    // Beside a plot there is no room for twenty digits, unless it takes them to tell two neighbours apart.
    let apart = (mark.value.abs() / mark.step_size).log10().ceil() + 1.0;
    if mark.value.abs() >= LONG && apart <= value::DIGITS as f64 {
        return value::scientific(words, mark.value);
    }
    let mut bare = Metric::new(metric.name.clone(), MetricType::Number);
    // As many digits as tell two neighbours apart.
    let digits = (-mark.step_size.log10().floor()).clamp(0.0, 6.0);
    bare.precision = Some(digits as u8);
    value::number(words, &bare, mark.value)
}

fn paint(ui: &Ui, cx: &Cx, canvas: &Canvas, lines: &[Plotted], to: &PlotTransform) {
    let theme = theme::of(ui);
    let rect = *to.frame();
    let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
    holes(&painter, &common_holes(lines), to, theme);
    for (number, line) in lines.iter().enumerate() {
        if lines.len() > 1 {
            // Where this one alone says nothing: dots, which no value looks like.
            let bottom = rect.bottom() - 2.0 - 4.0 * number as f32;
            for (from, until) in &line.drawn.holes {
                let ends = [*from, *until].map(|at| pos2(rect.x_range().clamp(x(to, at as f64)), bottom));
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

/// Where nothing is known.
pub(super) fn holes(painter: &egui::Painter, holes: &[(WallMs, WallMs)], to: &PlotTransform, theme: &Theme) {
    for (from, until) in holes {
        let (left, right) = (x(to, *from as f64), x(to, *until as f64));
        let rect = Rect::from_x_y_ranges(left..=right.max(left + 1.0), to.frame().y_range());
        painter.rect_filled(rect, 0.0, theme.hover);
    }
}

/// The moment under the pointer, in any plot.
pub(super) fn cursor(painter: &egui::Painter, canvas: &Canvas, to: &PlotTransform, theme: &Theme) {
    if let Some(cursor) = canvas.cursor {
        painter.vline(x(to, cursor), to.frame().y_range(), Stroke::new(1.0, theme.weak));
    }
}

pub(super) fn nothing(painter: &egui::Painter, rect: Rect, text: &str, theme: &Theme) {
    painter.text(rect.center(), egui::Align2::CENTER_CENTER, text, theme::small(), theme.weak);
}

/// Where a moment is on the screen, or just beside what is in sight.
pub(super) fn x(to: &PlotTransform, at: f64) -> f32 {
    to.position_from_point_x(at).clamp(to.frame().left() - 4.0, to.frame().right() + 4.0)
}

/// From the lowest to the highest of each column.
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
        if at > 0 && !column.after_hole {
            mesh.add_triangle(next - 2, next - 1, next);
            mesh.add_triangle(next - 1, next + 1, next);
        }
    }
    painter.add(Shape::Mesh(Arc::new(mesh)));
}

/// The line of means; flags and enumerations in steps.
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
        if column.after_hole {
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

/// Stretches of which no line has data.
fn common_holes(lines: &[Plotted]) -> Vec<(i64, i64)> {
    let mut lines = lines.iter();
    let mut common = lines.next().map(|line| line.drawn.holes.clone()).unwrap_or_default();
    for line in lines {
        let mut both = Vec::new();
        let (mut one, mut other) = (0, 0);
        while let (Some(a), Some(b)) = (common.get(one), line.drawn.holes.get(other)) {
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

/// Takes what the person does to the plot, and makes it known to screen readers.
pub(super) fn hand(ui: &Ui, canvas: &Canvas, rect: Rect, speak: impl FnOnce(&Response)) -> Shown {
    let theme = theme::of(ui);
    let sight = canvas.sight;
    let column_ms = (sight.to - sight.from) as f64 / f64::from(rect.width().max(1.0));
    let response = ui.interact(rect, canvas.id.with("hand"), Sense::click_and_drag());
    speak(&response);
    widgets::focus_ring(ui, &response, theme);
    if response.clicked() || response.drag_started() {
        response.request_focus();
    }
    if response.gained_focus() {
        response.scroll_to_me(None);
    }
    let mut moves = Vec::new();
    if response.dragged() && response.drag_delta().x != 0.0 {
        moves.push(Move::Pan(-f64::from(response.drag_delta().x) * column_ms));
    }
    let pointer = response.hover_pos();
    let cursor = pointer.map(|at| sight.from as f64 + f64::from(at.x - rect.left()) * column_ms);
    if let Some(cursor) = cursor {
        let (zoom, scroll) = ui.input(|input| (input.zoom_delta(), input.smooth_scroll_delta().x));
        if zoom != 1.0 {
            moves.push(Move::Zoom(f64::from(zoom), cursor));
        }
        if scroll != 0.0 {
            moves.push(Move::Pan(-f64::from(scroll) * column_ms));
        }
    }
    if response.has_focus() {
        let filter = EventFilter { horizontal_arrows: true, ..Default::default() };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
        keys(ui, sight, &mut moves);
    }
    let axis = rect.left() - ui.max_rect().left();
    Shown { width: (rect.width().max(1.0) as u32).min(8_192), axis, cursor, moved: moves }
}

fn keys(ui: &Ui, sight: Sight, moves: &mut Vec<Move>) {
    let tenth = (sight.to - sight.from) as f64 / 10.0;
    let middle = sight.from as f64 + tenth * 5.0;
    ui.input(|input| {
        for (key, act) in [
            (Key::ArrowLeft, Move::Pan(-tenth)),
            (Key::ArrowRight, Move::Pan(tenth)),
            (Key::Plus, Move::Zoom(2.0, middle)),
            (Key::Equals, Move::Zoom(2.0, middle)),
            (Key::Minus, Move::Zoom(0.5, middle)),
            (Key::End, Move::Live),
        ] {
            if input.modifiers.is_none() || key == Key::Plus {
                moves.extend((0..input.num_presses(key)).map(|_| act));
            }
        }
    });
}

/// The plot's name, and where it has no data.
fn speak(ui: &Ui, cx: &Cx, canvas: &Canvas, lines: &[Plotted], response: &Response) {
    let words = cx.words.device_page;
    let name = || {
        let names: Vec<&str> = lines.iter().map(|line| line.name.as_str()).collect();
        let (from, to) = ends_said(words, canvas.sight);
        (words.plot_of)(&names.join(", "), &from, &to)
    };
    response.widget_info(|| egui::WidgetInfo::labeled(Role::Figure, true, name()));
    ui.ctx().accesskit_node_builder(response.id, |node| {
        let is_nothing = !canvas.loading && lines.iter().all(|line| line.drawn.ends.is_none());
        let mut said: Vec<String> = is_nothing.then(|| words.no_data.to_owned()).into_iter().collect();
        said.extend(holes_said(words, &common_holes(lines), canvas.sight));
        said.push(words.plot_help.to_owned());
        node.set_description(said.join(" "));
    });
    if response.hovered() && !canvas.still {
        hole_at_hand(ui, cx, canvas, &common_holes(lines), response);
    }
}

/// From when to when, for people.
pub(super) fn ends_said(words: &PageWords, sight: Sight) -> (String, String) {
    let span = sight.to - sight.from;
    ((words.moment)(sight.from, span), (words.moment)(sight.to, span))
}

/// Where there is no data, for people.
pub(super) fn holes_said(
    words: &PageWords,
    holes: &[(WallMs, WallMs)],
    sight: Sight,
) -> impl Iterator<Item = String> {
    let span = (sight.to - sight.from).min(3_600_000 * 48);
    let named = holes.iter().take(NAMED_HOLES);
    let named = named.map(move |(from, to)| {
        (words.no_data_between)(&(words.moment)(*from, span), &(words.moment)(*to, span))
    });
    let more = holes.len().saturating_sub(NAMED_HOLES);
    named.chain((more > 0).then(|| (words.more_gaps)(more)))
}

/// Says beside the pointer that there is no data here.
pub(super) fn hole_at_hand(
    ui: &Ui,
    cx: &Cx,
    canvas: &Canvas,
    holes: &[(WallMs, WallMs)],
    response: &Response,
) {
    let Some(at) = response.hover_pos() else { return };
    let sight = canvas.sight;
    let column_ms = (sight.to - sight.from) as f64 / f64::from(response.rect.width().max(1.0));
    let moment = sight.from as f64 + f64::from(at.x - response.rect.left()) * column_ms;
    if !holes.iter().any(|(from, to)| (*from as f64..=*to as f64).contains(&moment)) {
        return;
    }
    // On the side where there is room.
    let (side, align) = if at.x < response.rect.center().x {
        (space::SMALL, egui::Align2::LEFT_BOTTOM)
    } else {
        (-space::SMALL, egui::Align2::RIGHT_BOTTOM)
    };
    let place = at + vec2(side, -space::SMALL);
    let font = theme::small();
    ui.painter().text(place, align, cx.words.device_page.no_data, font, theme::of(ui).weak);
}
