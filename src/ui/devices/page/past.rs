//! The line that a plot draws for one metric: the stored page and the points in memory, merged and decimated
//! to pixel columns, with the gaps. Also decides whether to request more from the server. Pure.

use crate::model::devices::Latest;
use crate::model::series::{Bucket, MINUTE_MS, SeriesPage};
use crate::model::time::{BootMs, WallMs};

/// A gap longer than this many intervals interrupts the line.
const MAX_GAP_INTERVALS: i64 = 3;
/// Values beyond this are drawn at the edge of the chart.
const MAX_VALUE: f64 = 1e200;
/// Pages with wider buckets than this are ignored as implausible, in milliseconds.
const MAX_STEP_MS: i64 = 366 * 86_400_000;
/// A request is given up if unanswered for this long, in milliseconds.
pub(super) const REQUEST_TIMEOUT_MS: u64 = 10_000;
/// Minimum time between two requests for the same metric, in milliseconds.
pub(super) const MIN_REQUEST_INTERVAL_MS: u64 = 1_000;

/// The time range in view and its resolution.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(super) struct Viewport {
    /// Start, by the hub's clock.
    pub from: WallMs,
    /// End, by the hub's clock.
    pub to: WallMs,
    /// The hub's current time.
    pub now: WallMs,
    /// Width of the plot in pixels, at least 1.
    pub width: u32,
}

impl Viewport {
    /// Milliseconds per pixel column.
    pub(super) fn column_ms(&self) -> f64 {
        (self.to - self.from).max(1) as f64 / f64::from(self.width.max(1))
    }
}

/// One pixel column of a line.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(super) struct Column {
    /// Time, in milliseconds.
    pub at: f64,
    /// Minimum.
    pub min: f64,
    /// Mean.
    pub mean: f64,
    /// Maximum.
    pub max: f64,
    /// Time until which the value holds.
    pub until: f64,
    /// Whether there is a gap before it, so that no line is drawn to it.
    pub after_gap: bool,
}

/// The line of a metric.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Drawn {
    /// In order of time, including one column before and one after the range, if any.
    pub columns: Vec<Column>,
    /// Gaps, as far as known, in order of time.
    pub gaps: Vec<(WallMs, WallMs)>,
    /// Minimum and maximum within the range.
    pub ends: Option<(f64, f64)>,
    /// How long the last value holds before the next one is overdue, in milliseconds.
    pub hold_ms: f64,
}

impl Drawn {
    /// The value at a time; `None` within a gap.
    pub(super) fn value_at(&self, at: f64) -> Option<&Column> {
        let after = self.columns.partition_point(|column| column.at <= at);
        let column = self.columns.get(after.checked_sub(1)?)?;
        let holds = match self.columns.get(after) {
            None => at <= column.until + self.hold_ms,
            Some(next) => !next.after_gap || at <= column.until,
        };
        holds.then_some(column)
    }
}

/// A value or bucket and its width in milliseconds.
type Stretch = (Bucket, i64);

/// Merges the stored page and memory in order of time, each value once. The page is as of when it was read;
/// whatever arrived since then, even with an older timestamp, is in memory.
fn stretches<'a>(latest: &'a Latest, page: Option<&'a SeriesPage>) -> impl Iterator<Item = Stretch> + 'a {
    let step = page.map_or(0, |page| page.step_ms.clamp(0, MAX_STEP_MS));
    let stored = page.into_iter().flat_map(|page| page.buckets.iter().copied());
    let (mut stored, mut memory) = (stored.peekable(), memory(latest).peekable());
    std::iter::from_fn(move || {
        loop {
            let Some(bucket) = stored.peek_mut() else { return memory.next() };
            let Some((held, width)) = memory.peek().copied() else { return Some((stored.next()?, step)) };
            let (is_later, is_earlier) = (
                held.at >= bucket.at.saturating_add(step.max(1)),
                held.at.saturating_add(width) <= bucket.at,
            );
            if is_later {
                return Some((stored.next()?, step));
            }
            // A point has no width; it is earlier only if it starts earlier.
            if is_earlier && held.at < bucket.at {
                return memory.next();
            }
            match (step, width) {
                // Same timestamp: the value received later wins.
                (0, 0) => *bucket = held,
                // Already counted in the bucket, or arrived too late to be.
                (step, width) if width <= step => {
                    (bucket.min, bucket.max) = (bucket.min.min(held.min), bucket.max.max(held.max));
                }
                // The page has a finer resolution here.
                _ => {}
            }
            memory.next();
        }
    })
}

/// The data in memory: minute buckets, and raw points from where those begin.
fn memory(latest: &Latest) -> impl Iterator<Item = Stretch> + '_ {
    let first = latest.series.raw().next().map_or(WallMs::MAX, |point| point.at);
    let minutes = latest.series.minutes().filter(move |minute| minute.at + MINUTE_MS <= first);
    minutes.map(|minute| (minute, MINUTE_MS)).chain(latest.series.raw().map(|point| (Bucket::of(point), 0)))
}

/// Time from which memory has everything, at about the requested resolution.
fn memory_from(latest: &Latest, column_ms: f64) -> Option<WallMs> {
    let raw = latest.series.raw().next().map(|point| point.at);
    if column_ms * 2.0 < MINUTE_MS as f64 {
        return raw;
    }
    let minutes = latest.series.minutes().next().map(|minute| minute.at);
    minutes.into_iter().chain(raw).min()
}

/// The page, if it overlaps the range.
fn overlapping(page: Option<&SeriesPage>, viewport: Viewport) -> Option<&SeriesPage> {
    page.filter(|page| page.from < viewport.to && page.to > viewport.from)
}

/// Decimates the data to pixel columns.
pub(super) fn draw(latest: &Latest, page: Option<&SeriesPage>, every_ms: i64, viewport: Viewport) -> Drawn {
    let page = overlapping(page, viewport);
    let known = known(latest, page, viewport);
    let column_ms = viewport.column_ms();
    let step = page.map_or(0, |page| page.step_ms.clamp(0, MAX_STEP_MS));
    let mut drawn =
        Drawn { hold_ms: (MAX_GAP_INTERVALS.saturating_mul(every_ms.max(step))) as f64, ..Drawn::default() };
    let mut line =
        Line { drawn: &mut drawn, viewport, known, column_ms, every_ms: every_ms.max(1), last: None };
    for (bucket, width) in stretches(latest, page) {
        if !bucket.mean.is_finite() || bucket.count == 0 {
            continue;
        }
        if bucket.at >= viewport.to {
            line.take(bucket, width);
            break;
        }
        line.take(bucket, width);
    }
    line.end();
    for column in &drawn.columns {
        if column.until >= viewport.from.coordinate() && column.at <= viewport.to.coordinate() {
            let (low, high) = drawn.ends.unwrap_or((column.min, column.max));
            drawn.ends = Some((low.min(column.min), high.max(column.max)));
        }
    }
    drawn
}

/// The (at most two) ranges that are fully known, in order of time.
fn known(latest: &Latest, page: Option<&SeriesPage>, viewport: Viewport) -> [(WallMs, WallMs); 2] {
    let memory = memory(latest).next().map(|(bucket, _)| bucket.at);
    match (page, memory) {
        (None, None) => [(WallMs(0), WallMs(0)); 2],
        (None, Some(from)) => [(from, viewport.now), (WallMs(0), WallMs(0))],
        (Some(page), None) => [(page.from, page.to.max(viewport.now)), (WallMs(0), WallMs(0))],
        (Some(page), Some(from)) if from <= page.to => {
            [(page.from.min(from), page.to.min(viewport.now).max(viewport.now)), (WallMs(0), WallMs(0))]
        }
        (Some(page), Some(from)) => [(page.from, page.to.min(viewport.now)), (from, viewport.now)],
    }
}

/// A line under construction.
struct Line<'a> {
    drawn: &'a mut Drawn,
    viewport: Viewport,
    known: [(WallMs, WallMs); 2],
    column_ms: f64,
    every_ms: i64,
    /// End and width of the last bucket.
    last: Option<(WallMs, i64)>,
}

impl Line<'_> {
    fn take(&mut self, bucket: Bucket, width: i64) {
        let end = bucket.at.saturating_add(width);
        let after_gap = match self.last {
            Some((last, last_width)) => {
                let longest = MAX_GAP_INTERVALS * self.every_ms.max(width).max(last_width);
                let gap = bucket.at.since(last) > longest;
                if gap {
                    self.gap(last, bucket.at);
                }
                gap
            }
            None => {
                let begin = self.known.iter().filter(|(from, to)| from < to).map(|(from, _)| *from).min();
                if let Some(begin) = begin
                    && bucket.at.since(begin) > MAX_GAP_INTERVALS * self.every_ms.max(width)
                {
                    self.gap(begin, bucket.at);
                }
                true
            }
        };
        self.last = Some((self.last.map_or(end, |(last, _)| last.max(end)), width));
        let clamp = |value: f64| value.clamp(-MAX_VALUE, MAX_VALUE);
        let at = bucket.at.coordinate() + width as f64 / 2.0;
        let column = Column {
            at,
            min: clamp(bucket.min),
            mean: clamp(bucket.mean),
            max: clamp(bucket.max),
            until: end.coordinate(),
            after_gap,
        };
        let columns = &mut self.drawn.columns;
        if end < self.viewport.from {
            // Only the last column before the range matters.
            columns.clear();
            columns.push(column);
            return;
        }
        let place = |at: f64| ((at - self.viewport.from.coordinate()) / self.column_ms).floor();
        match columns.last_mut() {
            // A gap narrower than a pixel is invisible, so the column is merged.
            Some(last) if last.until >= self.viewport.from.coordinate() && place(last.at) == place(at) => {
                last.min = last.min.min(column.min);
                last.max = last.max.max(column.max);
                // For raw values this is nearly the newest, for many values nearly the mean.
                last.mean = f64::midpoint(last.mean, column.mean);
                last.until = last.until.max(column.until);
            }
            _ => columns.push(column),
        }
    }

    /// Handles the time after the last value.
    fn end(&mut self) {
        let end = self.viewport.to.min(self.viewport.now);
        match self.last {
            Some((last, width)) => {
                if end.since(last) > MAX_GAP_INTERVALS * self.every_ms.max(width) {
                    self.gap(last, end);
                }
            }
            None => self.gap(self.viewport.from, end),
        }
    }

    /// Records a gap, limited to the known part of the range, if it is wider than a pixel.
    fn gap(&mut self, from: WallMs, to: WallMs) {
        for (begin, end) in self.known {
            let from = from.max(begin).max(self.viewport.from);
            let to = to.min(end).min(self.viewport.to);
            if to > from && (to - from) as f64 >= self.column_ms {
                self.drawn.gaps.push((from, to));
            }
        }
    }
}

/// A request for a part of a metric's history.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(super) struct SeriesRequest {
    from: WallMs,
    to: WallMs,
    /// Requested resolution, in milliseconds per column.
    column_ms: f64,
    at: BootMs,
    answered: bool,
}

/// What is needed of a metric's history.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(super) enum Availability {
    /// Everything in the range is available.
    Nothing,
    /// A request is in flight; check again at this time.
    UnderWay(BootMs),
    /// Send a request, no earlier than this time.
    Ask(BootMs),
}

impl SeriesRequest {
    /// Requests the range, extended by half of its length on either side.
    pub(super) fn new(viewport: Viewport, boot_ms: BootMs) -> SeriesRequest {
        let margin = (viewport.to - viewport.from) / 2;
        let to = viewport.to.saturating_add(margin).min(viewport.now.max(viewport.from + 1));
        let from = viewport.from.before(margin).min(to - 1);
        SeriesRequest { from, to, column_ms: viewport.column_ms(), at: boot_ms, answered: false }
    }

    /// Start.
    pub(super) fn from(&self) -> WallMs {
        self.from
    }

    /// End, exclusive.
    pub(super) fn to(&self) -> WallMs {
        self.to
    }

    /// Approximate number of buckets requested.
    pub(super) fn columns(&self) -> u32 {
        (((self.to - self.from) as f64 / self.column_ms).ceil() as u32).clamp(1, 8_192)
    }
}

/// Whether the range is available, requested, or to be requested. At most one request per metric is in
/// flight.
pub(super) fn need(
    asked: &mut Option<SeriesRequest>,
    latest: &Latest,
    page: Option<&SeriesPage>,
    viewport: Viewport,
    boot_ms: BootMs,
) -> Availability {
    if let Some(request) = asked {
        let is_answer = |page: &&SeriesPage| page.from == request.from && page.to == request.to;
        request.answered |= page.is_some_and(|page| is_answer(&page));
        if !request.answered {
            let over = request.at + REQUEST_TIMEOUT_MS;
            if boot_ms < over {
                return Availability::UnderWay(over);
            }
            *asked = None;
        }
    }
    let column_ms = viewport.column_ms();
    let fine = |page: &&SeriesPage| {
        let request = asked.filter(|asked| asked.from == page.from && asked.to == page.to);
        let closeness = request.map_or(page.step_ms as f64, |request| request.column_ms);
        closeness <= column_ms * 2.0
    };
    let end = viewport.to.min(viewport.now);
    let memory = memory_from(latest, column_ms);
    let follows = |to: WallMs| {
        to.saturating_add((column_ms * 2.0) as i64) >= end
            || memory.is_some_and(|from| from <= to)
            || latest.series.raw().len() == 0
    };
    let page = overlapping(page, viewport).filter(fine);
    let is_here = memory.is_some_and(|from| from <= viewport.from)
        || page.is_some_and(|page| page.from <= viewport.from && follows(page.to))
        || viewport.from >= viewport.now;
    match (is_here, asked) {
        (true, _) => Availability::Nothing,
        (false, Some(asked)) => Availability::Ask(asked.at + MIN_REQUEST_INTERVAL_MS),
        (false, None) => Availability::Ask(boot_ms),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::device::{DeviceId, Readings, ShortName, Value};
    use crate::model::event::DeviceEvent;
    use crate::model::event::{Event, SetupUpdate, Update};
    use crate::model::id::ConnectionId;
    use crate::model::profile::{Profile, Protocol, Socket};
    use crate::model::{Model, Time};

    const START: WallMs = WallMs(1_760_529_600_000);

    /// A metric with these values, each at the given offset from the start, in milliseconds.
    fn latest(values: &[(i64, f64)]) -> Latest {
        let mut model = Model::default();
        let id = ConnectionId(1);
        let profile = Profile {
            id,
            name: String::new(),
            urls: vec![],
            protocol: Protocol::Duplex,
            socket: Socket::Tungstenite,
            route: Default::default(),
            ca_file: None,
            fingerprint: None,
            auto_connect: true,
            websocket: Default::default(),
            network: Default::default(),
        };
        model.apply(Time::default(), Update::Setup(SetupUpdate::Configured(Box::new(profile))));
        let (device, metric) = (DeviceId::new("d").unwrap(), ShortName::new("m").unwrap());
        for (at, value) in values {
            let values = vec![(metric.clone(), Value::number(*value))];
            let readings = Readings::of(device.clone(), START + *at, START + *at, values);
            model.apply(
                Time::default(),
                Update::Connection(id, Event::Device(DeviceEvent::Readings(readings.into()))),
            );
        }
        model.connections[&id].devices.get("d").unwrap().metric("m").unwrap().clone()
    }

    fn viewport(from: i64, to: i64, now: i64, width: u32) -> Viewport {
        Viewport { from: START + from, to: START + to, now: START + now, width }
    }

    fn page(from: i64, to: i64, step_ms: i64, buckets: &[(i64, f64)]) -> SeriesPage {
        let bucket = |(at, value): &(i64, f64)| Bucket {
            at: START + *at,
            min: value - 1.0,
            mean: *value,
            max: value + 1.0,
            count: 4,
            off: 0,
        };
        let buckets = buckets.iter().map(bucket).collect();
        SeriesPage { from: START + from, to: START + to, step_ms, buckets }
    }

    fn gaps(drawn: &Drawn) -> Vec<(i64, i64)> {
        drawn.gaps.iter().map(|(from, to)| (*from - START, *to - START)).collect()
    }

    #[test]
    fn values_are_decimated_to_pixels_and_keep_their_extremes() {
        let values: Vec<(i64, f64)> =
            (0..600).map(|n| (n * 100, if n == 301 { 99.0 } else { 1.0 })).collect();
        let drawn = draw(&latest(&values), None, 100, viewport(0, 60_000, 60_000, 60));
        assert!(drawn.columns.len() <= 62, "{}", drawn.columns.len());
        assert_eq!(drawn.ends, Some((1.0, 99.0)));
        assert!(drawn.gaps.is_empty());
    }

    #[test]
    fn a_gap_of_more_than_three_intervals_interrupts_the_line() {
        let metric = latest(&[(0, 1.0), (1_000, 1.0), (4_000, 2.0), (8_000, 3.0)]);
        let drawn = draw(&metric, None, 1_000, viewport(0, 10_000, 8_500, 1_000));
        assert_eq!(gaps(&drawn), [(4_000, 8_000)]);
        let apart: Vec<bool> = drawn.columns.iter().map(|column| column.after_gap).collect();
        assert_eq!(apart, [true, false, false, true]);
        assert_eq!(drawn.value_at((START + 3_000).coordinate()).map(|c| c.mean), Some(1.0));
        assert_eq!(drawn.value_at((START + 6_000).coordinate()), None);
        assert_eq!(
            drawn.value_at((START + 8_500).coordinate()).map(|c| c.mean),
            Some(3.0),
            "the last value holds for a while"
        );
        assert_eq!(drawn.value_at((START + 11_500).coordinate()), None, "but not indefinitely");
    }

    #[test]
    fn a_gap_after_the_last_value_ends_at_the_present() {
        let metric = latest(&[(0, 1.0), (1_000, 1.0)]);
        let drawn = draw(&metric, None, 1_000, viewport(0, 60_000, 30_000, 600));
        assert_eq!(gaps(&drawn), [(1_000, 30_000)]);
    }

    #[test]
    fn stored_and_live_values_form_one_line() {
        let metric = latest(&[(120_000, 5.0), (121_000, 6.0)]);
        let stored = page(0, 120_500, 60_000, &[(0, 1.0), (60_000, 2.0)]);
        let drawn = draw(&metric, Some(&stored), 1_000, viewport(0, 122_000, 122_000, 1_220));
        let at: Vec<i64> = drawn.columns.iter().map(|column| column.at as i64 - START.0).collect();
        assert_eq!(at, [30_000, 90_000, 120_000, 121_000]);
        assert_eq!(drawn.ends, Some((0.0, 6.0)));
    }

    #[test]
    fn late_values_are_merged_without_duplicates() {
        let metric = latest(&[(3_000, 3.0), (1_500, 1.5), (2_000, 9.0), (10_000, 4.0)]);
        let raw = page(0, 4_000, 0, &[(1_000, 1.0), (2_000, 2.0)]);
        let drawn = draw(&metric, Some(&raw), 1_000, viewport(0, 11_000, 11_000, 11_000));
        let told: Vec<(i64, f64)> = drawn.columns.iter().map(|c| (c.at as i64 - START.0, c.mean)).collect();
        let late = [(1_000, 1.0), (1_500, 1.5), (2_000, 9.0), (3_000, 3.0), (10_000, 4.0)];
        assert_eq!(told, late, "of two values at one time, the later received wins");

        let wide = page(0, 60_000, 2_000, &[(0, 1.0), (2_000, 2.0)]);
        let drawn = draw(&metric, Some(&wide), 1_000, viewport(0, 11_000, 11_000, 11_000));
        let told: Vec<i64> = drawn.columns.iter().map(|column| column.at as i64 - START.0).collect();
        assert_eq!(told, [1_000, 3_000, 10_000], "a point within a bucket gets no column of its own");
        assert_eq!(drawn.ends, Some((0.0, 9.0)), "but it counts for the extremes");

        // A page with a finer resolution than memory's minutes.
        let mut values: Vec<(i64, f64)> = (0..10).map(|n| (n * 1_000, 7.0)).collect();
        values.extend((0..600).map(|n| (120_000 + n * 100, 8.0)));
        let close = page(0, 130_000, 0, &[(0, 7.0), (30_000, 7.0), (120_000, 8.0)]);
        let drawn = draw(&latest(&values), Some(&close), 30_000, viewport(0, 121_000, 121_000, 121_000));
        let told: Vec<i64> = drawn.columns.iter().take(3).map(|c| c.at as i64 - START.0).collect();
        assert_eq!(told, [0, 30_000, 120_000]);
    }

    #[test]
    fn only_gaps_in_known_ranges_are_gaps() {
        let metric = latest(&[(600_000, 5.0)]);
        let stored = page(0, 400_000, 10_000, &[(0, 1.0), (10_000, 1.0), (200_000, 2.0), (390_000, 2.0)]);
        let drawn = draw(&metric, Some(&stored), 1_000, viewport(-100_000, 600_000, 600_000, 700));
        assert_eq!(
            gaps(&drawn),
            [(20_000, 200_000), (210_000, 390_000)],
            "400,000 to 600,000 is not known yet"
        );
    }

    #[test]
    fn no_data_at_all_is_one_gap_once_known() {
        let metric = latest(&[(0, f64::NAN)]);
        assert!(draw(&metric, None, 1_000, viewport(0, 1_000, 1_000, 10)).gaps.is_empty());
        let stored = page(-500, 1_000, 0, &[]);
        let drawn = draw(&metric, Some(&stored), 1_000, viewport(0, 1_000, 1_000, 10));
        assert_eq!((gaps(&drawn), drawn.ends), (vec![(0, 1_000)], None));
    }

    #[test]
    fn absurd_values_stay_finite() {
        let metric = latest(&[(0, f64::MAX), (1_000, f64::MIN), (2_000, -0.0)]);
        let drawn = draw(&metric, None, 1_000, viewport(0, 2_000, 2_000, 20));
        let (low, high) = drawn.ends.unwrap();
        assert!((high - low).is_finite() && high == MAX_VALUE && low == -MAX_VALUE);
    }

    #[test]
    fn history_is_requested_once_and_again_when_zoomed_or_panned() {
        let metric = latest(&[(0, 1.0)]);
        let wide = viewport(-600_000, 0, 0, 100);
        let mut asked = None;
        assert_eq!(need(&mut asked, &metric, None, wide, BootMs(5)), Availability::Ask(BootMs(5)));
        asked = Some(SeriesRequest::new(wide, BootMs(5)));
        assert_eq!(need(&mut asked, &metric, None, wide, BootMs(6)), Availability::UnderWay(BootMs(10_005)));
        let (from, to) = (asked.unwrap().from() - START, asked.unwrap().to() - START);
        assert_eq!((from, to, asked.unwrap().columns()), (-900_000, 0, 150));
        let answer = page(from, to, 60_000, &[]);
        assert_eq!(
            need(&mut asked, &metric, Some(&answer), wide, BootMs(7)),
            Availability::Nothing,
            "coarser is all there is"
        );
        let close = viewport(-30_000, 0, 0, 100);
        assert_eq!(
            need(&mut asked, &metric, Some(&answer), close, BootMs(2_000)),
            Availability::Ask(BootMs(1_005))
        );
        let earlier = viewport(-1_200_000, -600_000, 0, 100);
        assert_eq!(
            need(&mut asked, &metric, Some(&answer), earlier, BootMs(2_000)),
            Availability::Ask(BootMs(1_005))
        );
    }

    #[test]
    fn an_unanswered_request_is_repeated() {
        let metric = latest(&[(0, 1.0)]);
        let wide = viewport(-600_000, 0, 0, 100);
        let mut asked = Some(SeriesRequest::new(wide, BootMs(5)));
        assert_eq!(need(&mut asked, &metric, None, wide, BootMs(10_005)), Availability::Ask(BootMs(10_005)));
    }

    #[test]
    fn data_in_memory_is_not_requested() {
        let metric = latest(&[(0, 1.0), (1_000, 1.0)]);
        assert_eq!(
            need(&mut None, &metric, None, viewport(500, 1_500, 1_500, 100), BootMs(0)),
            Availability::Nothing
        );
    }
}
