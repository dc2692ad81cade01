//! The plots of a device's page: which metrics are plotted, the time range in view, and the requests for its
//! data. [`super::plot`] draws one plot of numbers, [`super::strip`] one of text values.

use std::sync::Arc;

use std::collections::HashMap;

use egui::containers::menu::MenuButton;
use egui::style::ScrollAnimation;
use egui::{Align, Label, Rect, RichText, Ui};

use super::super::rows::metric_name;
use super::past::{self, Availability, Drawn, SeriesRequest, Viewport};
use super::range::{self, MAX_RANGE_MS, MIN_RANGE_MS};
use super::states::StateHistory;
use super::strip::{self, Strip};
use super::vertical::Ranges;
use super::{Facts, columns, plot};
use crate::model::device::{Metric, MetricName, MetricType, UNKNOWN_RHYTHM_MS, Value};
use crate::model::devices::{Device, Latest};
use crate::model::intent::{DeviceIntent, Intent};
use crate::model::reducer::Connection;
use crate::model::series::SeriesPage;
use crate::model::time::{BootMs, WallMs};
use crate::ui::text::device_page::Stretch;
use crate::ui::theme::{self, space};
use crate::ui::{Cx, widgets};

/// Maximum number of metrics plotted; more would evict each other's history from the model.
pub(super) const MAX_PLOTTED: usize = 12;
/// Number of metrics plotted by default.
const DEFAULT_PLOTTED: usize = 3;
/// History is requested once the range has been still for this long, in milliseconds.
const SETTLE_MS: u64 = 150;
/// History is requested at least this often while the range keeps moving, in milliseconds.
const MAX_UNSETTLED_MS: u64 = 500;
/// Minimum width for two plots side by side, in points.
const MIN_TWO_COLUMNS: f32 = 1_100.0;

/// State of the plots.
pub(super) struct Plots {
    chosen: Option<Vec<MetricName>>,
    span_ms: i64,
    /// End of the range; `None` to follow the present.
    end: Option<WallMs>,
    moved: BootMs,
    /// Time under the pointer.
    pub(super) cursor: Option<f64>,
    /// Width of the plots in the last frame, in pixels.
    width: u32,
    /// Width of the widest value axis, shared so that all plots start at the same x, in points.
    axis: f32,
    /// When the link came up, as of the last frame in which it was up.
    link: Option<WallMs>,
    kept: HashMap<MetricName, CachedLine>,
    /// History of the metrics with text values.
    states: HashMap<MetricName, StateHistory>,
    viewport: Viewport,
    /// The server's current time.
    present: WallMs,
    /// Whether a screenshot is being taken: pointer marks and buttons are not drawn.
    pub(super) still: bool,
    /// The form for a custom time range.
    form: range::Form,
    /// Whether a custom time range is shown.
    own_range: bool,
    /// Custom value ranges.
    vertical: Ranges,
    /// Area of the plots in the last frame, and its visible part.
    area: (Rect, Rect),
    wish: Option<Save>,
    /// Scroll the plots into view in the next frame.
    reveal: bool,
}

/// What the person wants to save.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Save {
    /// Readings of the range in view, as a table.
    Readings,
    /// The plots as an image.
    Picture,
}

/// A metric's line as last drawn, and what it was made from.
#[derive(Default)]
struct CachedLine {
    asked: Option<SeriesRequest>,
    /// The link went down since the last request, so there may be newer data.
    again: bool,
    loading: bool,
    /// Since when data is missing that has not been requested.
    missing: Option<BootMs>,
    key: Option<Key>,
    drawn: Drawn,
}

/// A line is rebuilt when this changes.
#[derive(Copy, Clone, PartialEq)]
struct Key {
    viewport: Viewport,
    page: Option<(WallMs, WallMs, i64, usize)>,
    received: WallMs,
    every_ms: i64,
    points: (usize, Option<WallMs>, Option<WallMs>),
    minutes: usize,
    pages: u64,
}

/// One line of a plot.
pub(super) struct Plotted<'a> {
    /// Metric that it shows.
    pub metric: &'a Metric,
    /// Display name.
    pub name: String,
    /// The decimated data.
    pub drawn: &'a Drawn,
    /// Its colour.
    pub colour: egui::Color32,
}

/// Pan and zoom input.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(super) enum RangeChange {
    /// Pan by this many milliseconds, positive towards the present.
    Pan(f64),
    /// Zoom by this factor around this time.
    Zoom(f64, f64),
    /// Go back to the present.
    Live,
}

impl Default for Plots {
    fn default() -> Self {
        Plots {
            chosen: None,
            span_ms: Stretch::Minutes.ms(),
            end: None,
            moved: BootMs(0),
            cursor: None,
            width: 320,
            axis: plot::AXIS,
            link: None,
            kept: HashMap::new(),
            states: HashMap::new(),
            viewport: Viewport { from: WallMs(0), to: WallMs(1), now: WallMs(1), width: 1 },
            present: WallMs(1),
            still: false,
            form: range::Form::default(),
            own_range: false,
            vertical: Ranges::default(),
            area: (Rect::NOTHING, Rect::NOTHING),
            wish: None,
            reveal: false,
        }
    }
}

impl Plots {
    /// Rebuilds lines whose data changed, and requests missing data.
    pub(super) fn update(&mut self, cx: &mut Cx, facts: &Facts, connection: &Connection, device: &Device) {
        let chosen = self.chosen.get_or_insert_with(|| at_first(device)).clone();
        self.kept.retain(|name, _| chosen.contains(name));
        self.states.retain(|name, _| chosen.contains(name));
        if let Some(link) = facts.seen.link {
            if self.link.is_some_and(|before| before != link) {
                self.kept.values_mut().for_each(|kept| kept.again = true);
                self.states.values_mut().for_each(StateHistory::ask_again);
            }
            self.link = Some(link);
        }
        self.viewport = self.viewport(facts.hub_now);
        self.present = facts.hub_now;
        let every_ms = device.every_ms().unwrap_or(UNKNOWN_RHYTHM_MS);
        let every_ms = i64::try_from(every_ms).unwrap_or(i64::MAX / 8).min(i64::MAX / 8);
        for name in chosen {
            let Some(latest) = device.metric(name.as_str()) else { continue };
            if is_words(latest) {
                self.kept.remove(&name);
                self.update_states(cx, facts, connection, device, latest);
                continue;
            }
            self.states.remove(&name);
            let page = connection.devices.page(device.spec.id.as_str(), name.as_str());
            let kept = self.kept.entry(name.clone()).or_default();
            let pages = connection.devices.pages_version();
            kept.draw(latest, page, every_ms.max(own_interval(latest)), self.viewport, pages);
            let settled = self.moved + SETTLE_MS;
            if let Some(asked) = kept.ask(cx, latest, page, self.viewport, settled) {
                cx.intents.push(Intent::Device(DeviceIntent::LoadSeries {
                    connection: facts.connection,
                    device: facts.device.clone(),
                    metric: name,
                    from: asked.from(),
                    to: asked.to(),
                    columns: asked.columns(),
                }));
            }
        }
    }

    /// Like [`Plots::update`] for text values: their whole history is requested, and again when it changes.
    fn update_states(
        &mut self,
        cx: &mut Cx,
        facts: &Facts,
        connection: &Connection,
        device: &Device,
        latest: &Latest,
    ) {
        let name = &latest.metric.name;
        let stored = connection.devices.states(device.spec.id.as_str(), name.as_str());
        let known = self.states.entry(name.clone()).or_default();
        known.update(device, latest, connection.status(device), stored, facts.hub_now);
        match known.ask(latest, stored, cx.now.boot_ms) {
            Ok(()) => cx.intents.push(Intent::Device(DeviceIntent::LoadStates {
                connection: facts.connection,
                device: facts.device.clone(),
                metric: name.clone(),
            })),
            Err(again) => again.into_iter().for_each(|at| cx.deadline.at(at)),
        }
    }

    fn viewport(&self, now: WallMs) -> Viewport {
        let width = self.width.max(1);
        let column_ms = (self.span_ms / i64::from(width)).max(1);
        // While following the present, the range moves by whole pixels.
        let present = now.floor(column_ms) + column_ms;
        let to = self.end.unwrap_or(present);
        Viewport { from: to.before(self.span_ms), to, now: now.floor(column_ms) + column_ms, width }
    }

    /// Whether a metric is plotted.
    pub(super) fn is_chosen(&self, name: &MetricName) -> bool {
        self.chosen.as_ref().is_some_and(|chosen| chosen.contains(name))
    }

    /// Whether another metric can be plotted.
    pub(super) fn has_room(&self) -> bool {
        self.chosen.as_ref().is_none_or(|chosen| chosen.len() < MAX_PLOTTED)
    }

    /// Adds or removes a metric.
    pub(super) fn choose(&mut self, name: &MetricName, plotted: bool) {
        self.axis = plot::AXIS;
        let chosen = self.chosen.get_or_insert_default();
        chosen.retain(|known| known != name);
        if plotted && chosen.len() < MAX_PLOTTED {
            chosen.push(name.clone());
        }
    }

    /// The plotted metrics.
    pub(super) fn chosen(&self) -> Vec<MetricName> {
        self.chosen.clone().unwrap_or_default()
    }

    /// Start and end of the range in view.
    pub(super) fn range(&self) -> (WallMs, WallMs) {
        // While following the present, the plot ends on a whole pixel, which may be hours ahead.
        let to = if self.end.is_none() { self.viewport.to.min(self.present) } else { self.viewport.to };
        (self.viewport.from, to.max(self.viewport.from))
    }

    /// Takes the request to save.
    pub(super) fn take_wish(&mut self) -> Option<Save> {
        self.wish.take()
    }

    /// Visible part of the plots' area on screen.
    pub(super) fn area(&self) -> Rect {
        self.area.1
    }

    /// Whether all plots were visible.
    pub(super) fn is_whole(&self) -> bool {
        self.area.1.height() >= self.area.0.height() - 1.0
    }

    /// Draws the plots.
    pub(super) fn show(&mut self, ui: &mut Ui, cx: &mut Cx, facts: &Facts, metrics: &[Arc<Metric>]) {
        self.head(ui, cx, facts.hub_now);
        let begin = ui.cursor().min;
        self.drawings(ui, cx, facts, metrics);
        let area = Rect::from_min_max(begin, ui.min_rect().max);
        self.area = (area, area.intersect(ui.clip_rect()));
        if std::mem::take(&mut self.reveal) && !self.is_whole() {
            ui.scroll_to_rect_animation(area, Some(Align::Min), ScrollAnimation::none());
        }
    }

    fn drawings(&mut self, ui: &mut Ui, cx: &mut Cx, facts: &Facts, metrics: &[Arc<Metric>]) {
        self.range_label(ui, cx);
        let theme = theme::of(ui);
        let groups = self.groups(metrics);
        if groups.is_empty() {
            let text = RichText::new(cx.words.device_page.nothing_chosen).color(theme.weak);
            ui.add(Label::new(text).wrap());
            return;
        }
        let mut moves = Vec::new();
        let mut cursor = None;
        let mut width = self.width;
        let mut axis = self.axis;
        let count = if ui.available_width() >= MIN_TWO_COLUMNS && groups.len() > 1 { 2 } else { 1 };
        let gap = super::GAP;
        let widths = vec![(ui.available_width() - gap * (count - 1) as f32) / count as f32; count];
        let height = height(ui, groups.len().div_ceil(count));
        let mut one = |ui: &mut Ui, number: usize, group: &[(usize, &Metric)]| {
            let name = group.first().map(|(_, metric)| metric.name.as_str()).unwrap_or_default();
            let id = egui::Id::unique(("device plot", facts.connection, facts.device.as_str(), name));
            let mut canvas = plot::Canvas {
                id,
                viewport: self.viewport,
                cursor: self.cursor.filter(|_| !self.still),
                still: self.still,
                loading: false,
                axis: self.axis,
                height,
                with_times: number + count >= groups.len(),
            };
            let shown = match group {
                [(_, metric)] if let Some(known) = self.states.get_mut(&metric.name) => {
                    canvas.loading = known.is_loading();
                    let name = metric_name(cx.words, facts.device.as_str(), metric.label());
                    let drawn = known.draw(metric, self.viewport);
                    strip::show(ui, cx, &canvas, &Strip { metric, name, drawn })
                }
                _ => self.lines(ui, cx, facts, &mut canvas, group),
            };
            width = shown.width;
            axis = axis.max(shown.axis);
            cursor = cursor.or(shown.cursor);
            moves.extend(shown.moved);
        };
        if count == 1 {
            groups.iter().enumerate().for_each(|(number, group)| one(ui, number, group));
        } else {
            // Top to bottom, in the same order as in a single column.
            columns(ui, &widths, |ui, column| {
                for (number, group) in
                    groups.iter().enumerate().filter(|(number, _)| number % count == column)
                {
                    one(ui, number, group);
                }
            });
        }
        if axis > self.axis {
            self.axis = axis;
            cx.deadline.at(cx.now.boot_ms);
        }
        self.after(cx, facts.hub_now, width, cursor, moves);
    }

    fn lines(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx,
        facts: &Facts,
        canvas: &mut plot::Canvas,
        group: &[(usize, &Metric)],
    ) -> plot::Shown {
        let people = theme::of(ui).people;
        let kept = &self.kept;
        let of = |metric: &Metric| kept.get(&metric.name);
        let lines: Vec<Plotted> = group
            .iter()
            .filter_map(|(place, metric)| {
                let name = metric_name(cx.words, facts.device.as_str(), metric.label());
                let colour = people[place % people.len()];
                Some(Plotted { metric, name, drawn: &of(metric)?.drawn, colour })
            })
            .collect();
        canvas.loading = group.iter().any(|(_, metric)| of(metric).is_some_and(|kept| kept.loading));
        plot::show(ui, cx, canvas, &lines, &mut self.vertical)
    }

    fn after(&mut self, cx: &mut Cx, now: WallMs, width: u32, cursor: Option<f64>, moves: Vec<RangeChange>) {
        let before = (self.width, self.cursor, self.span_ms, self.end);
        (self.width, self.cursor) = (width, cursor);
        for change in moves {
            self.moved = cx.now.boot_ms;
            self.apply(change, now);
        }
        if before != (self.width, self.cursor, self.span_ms, self.end) {
            cx.deadline.at(cx.now.boot_ms);
        }
    }

    fn apply(&mut self, change: RangeChange, now: WallMs) {
        // The drawn range ends up to a pixel after the present: without this, slow dragging would never leave
        // it.
        let end = self.end.unwrap_or(now);
        self.own_range = false;
        let end = match change {
            RangeChange::Live => now,
            RangeChange::Pan(ms) => end.saturating_add(ms as i64),
            RangeChange::Zoom(factor, around) => {
                let before = self.span_ms as f64;
                let after =
                    (before / factor.clamp(0.01, 100.0)).clamp(MIN_RANGE_MS as f64, MAX_RANGE_MS as f64);
                self.span_ms = after as i64;
                // While following the present, zooming keeps it at the right edge.
                if self.end.is_none() {
                    return;
                }
                WallMs((around + (end.coordinate() - around) * after / before) as i64)
            }
        };
        self.end = (end < now).then_some(end.max(WallMs(0)));
    }

    fn head(&mut self, ui: &mut Ui, cx: &mut Cx, now: WallMs) {
        let theme = theme::of(ui);
        let words = cx.words.device_page;
        ui.horizontal_wrapped(|ui| {
            for stretch in Stretch::ALL {
                let chosen = self.span_ms == stretch.ms() && !self.own_range;
                let button = ui.selectable_label(chosen, (words.stretch)(stretch));
                let name = (words.stretch_named)(stretch);
                button.widget_info(|| {
                    egui::WidgetInfo::selected(egui::accesskit::Role::Button, true, chosen, name)
                });
                if button.clicked() && !chosen {
                    self.span_ms = stretch.ms();
                    if std::mem::take(&mut self.own_range) {
                        self.end = None;
                    }
                    self.range_changed(cx);
                }
            }
            let shown = (self.viewport.from, self.viewport.to);
            let range = self.form.button(ui, cx, shown, self.own_range, now);
            if let Some((from, to)) = range {
                (self.span_ms, self.end, self.own_range) = (to.since(from), Some(to), true);
                self.range_changed(cx);
            }
            ui.add_space(space::TINY);
            if self.end.is_none() {
                let text = RichText::new(words.live).font(theme::small()).color(theme.good);
                ui.add(Label::new(text).selectable(false));
            } else if ui.add(widgets::plain(words.go_live)).clicked() {
                (self.end, self.own_range) = (None, false);
                cx.deadline.at(cx.now.boot_ms);
            }
        });
    }

    fn range_changed(&mut self, cx: &mut Cx) {
        self.axis = plot::AXIS;
        self.moved = cx.now.boot_ms;
        cx.deadline.at(cx.now.boot_ms);
    }

    /// The button to save, and its menu. `saving`: a save is in progress.
    pub(super) fn save_button(&mut self, ui: &mut Ui, cx: &mut Cx, saving: bool) {
        let words = cx.words.device_acts;
        if saving {
            let text = RichText::new(words.saving).font(theme::small()).color(theme::of(ui).weak);
            let label = ui.add(Label::new(text).selectable(false));
            widgets::live(ui, label.id, words.saving);
            return;
        }
        if self.chosen.as_ref().is_none_or(Vec::is_empty) {
            return;
        }
        MenuButton::new(words.save).ui(ui, |ui| {
            for (name, wish) in [(words.save_csv, Save::Readings), (words.save_picture, Save::Picture)] {
                if crate::ui::menu::item(ui, name).clicked() {
                    self.wish = Some(wish);
                    self.reveal = wish == Save::Picture;
                    ui.close();
                    cx.deadline.at(cx.now.boot_ms);
                }
            }
        });
    }

    /// The range in view and the time under the pointer, as text.
    fn range_label(&self, ui: &mut Ui, cx: &Cx) {
        let theme = theme::of(ui);
        let words = cx.words.device_page;
        let moment = |at: WallMs| (words.moment)(at, self.span_ms);
        let (from, to) = self.range();
        let mut text = format!("{} – {}", moment(from), moment(to));
        if let Some(cursor) = self.cursor.filter(|_| !self.still) {
            text =
                format!("{text}  ·  {}", (words.moment)(WallMs(cursor as i64), self.span_ms.min(3_600_000)));
        }
        ui.add(Label::new(RichText::new(text).font(theme::small()).color(theme.weak)).truncate());
    }

    /// The plotted metrics grouped by unit, since those share a plot; each with its index among the chosen.
    fn groups<'a>(&self, metrics: &'a [Arc<Metric>]) -> Vec<Vec<(usize, &'a Metric)>> {
        let mut groups: Vec<Vec<(usize, &Metric)>> = Vec::new();
        let chosen = self.chosen.iter().flatten().enumerate();
        for (place, name) in chosen {
            let Some(metric) = metrics.iter().find(|metric| metric.name == *name) else { continue };
            let is_alone =
                |metric: &Metric| is_words_kind(metric.kind) || self.states.contains_key(&metric.name);
            let together = |other: &Metric| {
                other.kind == metric.kind
                    && other.unit == metric.unit
                    && !is_alone(metric)
                    && !is_alone(other)
            };
            match groups.iter_mut().find(|group| group.first().is_some_and(|(_, other)| together(other))) {
                Some(group) => group.push((place, metric)),
                None => groups.push(vec![(place, metric)]),
            }
        }
        groups
    }
}

/// The interval at which a metric is published, which may differ within a device. Median of its last
/// intervals, in milliseconds, so that an outage has no influence; 0 if too few are known.
fn own_interval(latest: &Latest) -> i64 {
    let mut gaps = [0; 16];
    let mut known = 0;
    let mut raw = latest.series.raw().rev();
    let mut after = raw.next().map_or(WallMs(0), |point| point.at);
    for (point, gap) in raw.zip(&mut gaps) {
        *gap = after.since(point.at);
        after = point.at;
        known += 1;
    }
    let gaps = &mut gaps[..known];
    if known < 3 {
        return 0;
    }
    gaps.sort_unstable();
    gaps[known / 2].clamp(0, i64::MAX / 8)
}

/// Whether a metric has text values.
fn is_words(latest: &Latest) -> bool {
    match latest.value {
        Value::Text(_) => true,
        Value::Number(_) | Value::Whole(_) | Value::Flag(_) => false,
        Value::Missing => is_words_kind(latest.metric.kind) && latest.series.is_empty(),
    }
}

/// Height of each plot for this many rows, in points.
fn height(ui: &Ui, rows: usize) -> f32 {
    // The plots fill the window's height, less about this much for what is around them.
    const AROUND: f32 = 230.0;
    const LEGEND: f32 = 40.0;
    let beside = ui.clip_rect().width() > ui.available_width() * 1.3;
    let each = (ui.clip_rect().height() - AROUND) / rows as f32 - LEGEND;
    if beside { each.clamp(plot::HEIGHT.0, plot::HEIGHT.1) } else { plot::HEIGHT.0 }
}

fn is_words_kind(kind: MetricType) -> bool {
    matches!(kind, MetricType::Text | MetricType::Enum)
}

/// The metrics plotted by default: the first numeric ones, otherwise any.
fn at_first(device: &Device) -> Vec<MetricName> {
    let of = |is_kind: fn(MetricType) -> bool| {
        let all =
            device.latest.iter().filter(move |latest| is_kind(latest.metric.kind) && !latest.metric.hidden);
        all.map(|latest| latest.metric.name.clone()).take(DEFAULT_PLOTTED).collect::<Vec<_>>()
    };
    let kinds = [|kind| kind == MetricType::Number, |kind| kind == MetricType::Flag, is_words_kind];
    kinds.into_iter().map(of).find(|names| !names.is_empty()).unwrap_or_default()
}

impl CachedLine {
    fn draw(
        &mut self,
        latest: &Latest,
        page: Option<&SeriesPage>,
        every_ms: i64,
        viewport: Viewport,
        pages: u64,
    ) {
        let mut raw = latest.series.raw();
        let points = (raw.len(), raw.next().map(|point| point.at), raw.next_back().map(|point| point.at));
        let key = Key {
            viewport,
            page: page.map(|page| (page.from, page.to, page.step_ms, page.buckets.len())),
            received: latest.received,
            every_ms,
            points,
            minutes: latest.series.minutes().len(),
            pages,
        };
        if self.key != Some(key) {
            self.drawn = past::draw(latest, page, every_ms, viewport);
            self.key = Some(key);
        }
    }

    /// The request to send now, if any.
    fn ask(
        &mut self,
        cx: &mut Cx,
        latest: &Latest,
        page: Option<&SeriesPage>,
        viewport: Viewport,
        settled: BootMs,
    ) -> Option<SeriesRequest> {
        let now = cx.now.boot_ms;
        let need = past::need(&mut self.asked, latest, page, viewport, now);
        self.loading = need != Availability::Nothing;
        if !matches!(need, Availability::Ask(_)) {
            self.missing = None;
        }
        let not_before = match need {
            Availability::UnderWay(over) => {
                cx.deadline.at(over);
                return None;
            }
            Availability::Nothing if !self.again => return None,
            Availability::Nothing => now,
            Availability::Ask(not_before) => {
                let on_the_way = *self.missing.get_or_insert(now) + MAX_UNSETTLED_MS;
                not_before.max(settled.min(on_the_way))
            }
        };
        if now < not_before {
            cx.deadline.at(not_before);
            return None;
        }
        let asked = SeriesRequest::new(viewport, now);
        (self.asked, self.again, self.missing) = (Some(asked), false, None);
        Some(asked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_panning_leaves_the_present_and_returns_to_it() {
        let now = WallMs(1_760_529_600_123);
        let mut plots = Plots::default();
        plots.viewport = plots.viewport(now);
        plots.apply(RangeChange::Pan(-10.0), now);
        assert_eq!(plots.end, Some(now - 10), "less than a pixel");
        plots.apply(RangeChange::Pan(10.0), now);
        assert_eq!(plots.end, None);
    }
}
