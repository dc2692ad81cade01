//! What a plot draws of one metric's past: the stored page and what is in memory as one line, decimated to the plot's
//! pixel columns, with the stretches of which there is no data. Pure; and whether more of the past is to be asked for.

use crate::model::devices::Latest;
use crate::model::series::{Bucket, MINUTE_MS, SeriesPage};
use crate::model::time::{BootMs, WallMs};

/// No line is drawn over a hole longer than so many intervals.
const HOLE: i64 = 3;
/// Charts end here: what is larger is drawn at the edge.
const LARGEST: f64 = 1e200;
/// Wider buckets than this are none that a plot could show, in milliseconds.
const LONGEST_STEP_MS: i64 = 366 * 86_400_000;
/// A request that was not answered for so long is given up, in milliseconds.
pub(super) const UNANSWERED_MS: BootMs = 10_000;
/// The same metric's past is not asked for more often than this, in milliseconds.
pub(super) const PATIENCE_MS: BootMs = 1_000;

/// What part of the past is looked at, and how closely.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(super) struct Sight {
    /// From here, by the hub's clock.
    pub from: WallMs,
    /// To here.
    pub to: WallMs,
    /// The hub's clock now.
    pub now: WallMs,
    /// The plot's width in pixels, at least 1.
    pub width: u32,
}

impl Sight {
    /// How many milliseconds one pixel column is.
    pub(super) fn column_ms(&self) -> f64 {
        (self.to - self.from).max(1) as f64 / f64::from(self.width.max(1))
    }
}

/// One pixel column of a line.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(super) struct Column {
    /// Its place in time.
    pub at: f64,
    /// The lowest value in it.
    pub min: f64,
    /// The mean.
    pub mean: f64,
    /// The highest.
    pub max: f64,
    /// Until when it is known to hold.
    pub until: f64,
    /// Whether there is a hole before it: no line leads here.
    pub after_hole: bool,
}

/// A metric's line.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Drawn {
    /// In order of time; one before and one after what is looked at, where there are.
    pub columns: Vec<Column>,
    /// Stretches without data, as far as is known, in order of time.
    pub holes: Vec<(WallMs, WallMs)>,
    /// The lowest and the highest value in sight.
    pub ends: Option<(f64, f64)>,
    /// The last value holds for so long, in milliseconds: then there should have been another.
    pub hold_ms: f64,
}

impl Drawn {
    /// What it was at this moment; none in a hole.
    pub(super) fn value_at(&self, at: f64) -> Option<&Column> {
        let after = self.columns.partition_point(|column| column.at <= at);
        let column = self.columns.get(after.checked_sub(1)?)?;
        let holds = match self.columns.get(after) {
            None => at <= column.until + self.hold_ms,
            Some(next) => !next.after_hole || at <= column.until,
        };
        holds.then_some(column)
    }
}

/// A stretch of one value or bucket: where it begins, how long it is.
type Stretch = (Bucket, i64);

/// Puts together what is known of a metric in sight, in order of time. The page is as it was when it was read: what came
/// since then, however late, is in memory, and what was said before that is in the page. Neither is told twice.
fn stretches<'a>(latest: &'a Latest, page: Option<&'a SeriesPage>) -> impl Iterator<Item = Stretch> + 'a {
    let step = page.map_or(0, |page| page.step_ms.clamp(0, LONGEST_STEP_MS));
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
            // A point has no width, and is earlier only where it begins earlier.
            if is_earlier && held.at < bucket.at {
                return memory.next();
            }
            match (step, width) {
                // Told again at the same time: the later one counts.
                (0, 0) => *bucket = held,
                // It is counted in there, or came too late for that.
                (step, width) if width <= step => {
                    (bucket.min, bucket.max) = (bucket.min.min(held.min), bucket.max.max(held.max));
                }
                // The page tells of it more closely.
                _ => {}
            }
            memory.next();
        }
    })
}

/// What is in memory: minutes, and from where they begin raw points.
fn memory(latest: &Latest) -> impl Iterator<Item = Stretch> + '_ {
    let first = latest.series.raw().next().map_or(WallMs::MAX, |point| point.at);
    let minutes = latest.series.minutes().filter(move |minute| minute.at + MINUTE_MS <= first);
    minutes.map(|minute| (minute, MINUTE_MS)).chain(latest.series.raw().map(|point| (Bucket::of(point), 0)))
}

/// From where on memory knows all, at least about as closely as asked.
fn memory_from(latest: &Latest, column_ms: f64) -> Option<WallMs> {
    let raw = latest.series.raw().next().map(|point| point.at);
    if column_ms * 2.0 < MINUTE_MS as f64 {
        return raw;
    }
    let minutes = latest.series.minutes().next().map(|minute| minute.at);
    minutes.into_iter().chain(raw).min()
}

/// The page, if it tells of what is in sight.
fn in_sight(page: Option<&SeriesPage>, sight: Sight) -> Option<&SeriesPage> {
    page.filter(|page| page.from < sight.to && page.to > sight.from)
}

/// Decimates what is known to pixel columns.
pub(super) fn draw(latest: &Latest, page: Option<&SeriesPage>, every_ms: i64, sight: Sight) -> Drawn {
    let page = in_sight(page, sight);
    let known = known(latest, page, sight);
    let column_ms = sight.column_ms();
    let step = page.map_or(0, |page| page.step_ms.clamp(0, LONGEST_STEP_MS));
    let mut drawn = Drawn { hold_ms: (HOLE.saturating_mul(every_ms.max(step))) as f64, ..Drawn::default() };
    let mut line = Line { drawn: &mut drawn, sight, known, column_ms, every_ms: every_ms.max(1), last: None };
    for (bucket, width) in stretches(latest, page) {
        if !bucket.mean.is_finite() || bucket.count == 0 {
            continue;
        }
        if bucket.at >= sight.to {
            line.take(bucket, width);
            break;
        }
        line.take(bucket, width);
    }
    line.end();
    for column in &drawn.columns {
        if column.until >= sight.from as f64 && column.at <= sight.to as f64 {
            let (low, high) = drawn.ends.unwrap_or((column.min, column.max));
            drawn.ends = Some((low.min(column.min), high.max(column.max)));
        }
    }
    drawn
}

/// The (at most two) stretches of which everything there is is known, in order of time.
fn known(latest: &Latest, page: Option<&SeriesPage>, sight: Sight) -> [(WallMs, WallMs); 2] {
    let memory = memory(latest).next().map(|(bucket, _)| bucket.at);
    match (page, memory) {
        (None, None) => [(0, 0); 2],
        (None, Some(from)) => [(from, sight.now), (0, 0)],
        (Some(page), None) => [(page.from, page.to.max(sight.now)), (0, 0)],
        (Some(page), Some(from)) if from <= page.to => {
            [(page.from.min(from), page.to.min(sight.now).max(sight.now)), (0, 0)]
        }
        (Some(page), Some(from)) => [(page.from, page.to.min(sight.now)), (from, sight.now)],
    }
}

/// A line while it is drawn.
struct Line<'a> {
    drawn: &'a mut Drawn,
    sight: Sight,
    known: [(WallMs, WallMs); 2],
    column_ms: f64,
    every_ms: i64,
    /// Where the last stretch ended, and how wide it was.
    last: Option<(WallMs, i64)>,
}

impl Line<'_> {
    fn take(&mut self, bucket: Bucket, width: i64) {
        let end = bucket.at.saturating_add(width);
        let after_hole = match self.last {
            Some((last, last_width)) => {
                let longest = HOLE * self.every_ms.max(width).max(last_width);
                let hole = bucket.at.saturating_sub(last) > longest;
                if hole {
                    self.hole(last, bucket.at);
                }
                hole
            }
            None => {
                let begin = self.known.iter().filter(|(from, to)| from < to).map(|(from, _)| *from).min();
                if let Some(begin) = begin
                    && bucket.at.saturating_sub(begin) > HOLE * self.every_ms.max(width)
                {
                    self.hole(begin, bucket.at);
                }
                true
            }
        };
        self.last = Some((self.last.map_or(end, |(last, _)| last.max(end)), width));
        let clamp = |value: f64| value.clamp(-LARGEST, LARGEST);
        let at = bucket.at as f64 + width as f64 / 2.0;
        let column = Column {
            at,
            min: clamp(bucket.min),
            mean: clamp(bucket.mean),
            max: clamp(bucket.max),
            until: end as f64,
            after_hole,
        };
        let columns = &mut self.drawn.columns;
        if end < self.sight.from {
            // Only the last one before what is in sight matters.
            columns.clear();
            columns.push(column);
            return;
        }
        let place = |at: f64| ((at - self.sight.from as f64) / self.column_ms).floor();
        match columns.last_mut() {
            // A hole narrower than a pixel is not seen, and its bucket's line is the neighbours' too.
            Some(last) if last.until >= self.sight.from as f64 && place(last.at) == place(at) => {
                last.min = last.min.min(column.min);
                last.max = last.max.max(column.max);
                // The newest value where values are raw; close enough to the mean where they are many.
                last.mean = f64::midpoint(last.mean, column.mean);
                last.until = last.until.max(column.until);
            }
            _ => columns.push(column),
        }
    }

    /// What comes after the last value.
    fn end(&mut self) {
        let end = self.sight.to.min(self.sight.now);
        match self.last {
            Some((last, width)) => {
                if end.saturating_sub(last) > HOLE * self.every_ms.max(width) {
                    self.hole(last, end);
                }
            }
            None => self.hole(self.sight.from, end),
        }
    }

    /// Notes a hole as far as it is in sight and known, and wider than a pixel.
    fn hole(&mut self, from: WallMs, to: WallMs) {
        for (begin, end) in self.known {
            let from = from.max(begin).max(self.sight.from);
            let to = to.min(end).min(self.sight.to);
            if to > from && (to - from) as f64 >= self.column_ms {
                self.drawn.holes.push((from, to));
            }
        }
    }
}

/// A request for a part of a metric's past.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(super) struct Asked {
    from: WallMs,
    to: WallMs,
    /// How closely it was asked for, in milliseconds a column.
    column_ms: f64,
    at: BootMs,
    answered: bool,
}

/// What to do about a metric's stored past.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(super) enum Need {
    /// All that is in sight is here.
    Nothing,
    /// It was asked for, and not answered yet; look again then.
    UnderWay(BootMs),
    /// It is to be asked for, not before this moment.
    Ask(BootMs),
}

impl Asked {
    /// Asks for what is in sight, with as much again around it.
    pub(super) fn new(sight: Sight, boot_ms: BootMs) -> Asked {
        let margin = (sight.to - sight.from) / 2;
        let to = sight.to.saturating_add(margin).min(sight.now.max(sight.from + 1));
        let from = sight.from.saturating_sub(margin).min(to - 1);
        Asked { from, to, column_ms: sight.column_ms(), at: boot_ms, answered: false }
    }

    /// From where.
    pub(super) fn from(&self) -> WallMs {
        self.from
    }

    /// To where, exclusive.
    pub(super) fn to(&self) -> WallMs {
        self.to
    }

    /// At most about so many buckets.
    pub(super) fn columns(&self) -> u32 {
        (((self.to - self.from) as f64 / self.column_ms).ceil() as u32).clamp(1, 8_192)
    }
}

/// Whether what is in sight is here, under way, or to be asked for. Never more than one request of a metric is under way.
pub(super) fn need(
    asked: &mut Option<Asked>,
    latest: &Latest,
    page: Option<&SeriesPage>,
    sight: Sight,
    boot_ms: BootMs,
) -> Need {
    if let Some(request) = asked {
        let is_answer = |page: &&SeriesPage| page.from == request.from && page.to == request.to;
        request.answered |= page.is_some_and(|page| is_answer(&page));
        if !request.answered {
            let over = request.at + UNANSWERED_MS;
            if boot_ms < over {
                return Need::UnderWay(over);
            }
            *asked = None;
        }
    }
    let column_ms = sight.column_ms();
    let fine = |page: &&SeriesPage| {
        let request = asked.filter(|asked| asked.from == page.from && asked.to == page.to);
        let closeness = request.map_or(page.step_ms as f64, |request| request.column_ms);
        closeness <= column_ms * 2.0
    };
    let end = sight.to.min(sight.now);
    let memory = memory_from(latest, column_ms);
    let follows = |to: WallMs| {
        to.saturating_add((column_ms * 2.0) as i64) >= end
            || memory.is_some_and(|from| from <= to)
            || latest.series.raw().len() == 0
    };
    let page = in_sight(page, sight).filter(fine);
    let is_here = memory.is_some_and(|from| from <= sight.from)
        || page.is_some_and(|page| page.from <= sight.from && follows(page.to))
        || sight.from >= sight.now;
    match (is_here, asked) {
        (true, _) => Need::Nothing,
        (false, Some(asked)) => Need::Ask(asked.at + PATIENCE_MS),
        (false, None) => Need::Ask(boot_ms),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::device::{DeviceId, Readings, ShortName, Value};
    use crate::model::event::DeviceEvent;
    use crate::model::event::{Event, Update};
    use crate::model::id::ConnectionId;
    use crate::model::profile::{Profile, Protocol, Socket};
    use crate::model::{Model, Time};

    const START: WallMs = 1_760_529_600_000;

    /// A metric that said these values, each so many milliseconds after the start.
    fn latest(values: &[(i64, f64)]) -> Latest {
        let mut model = Model::default();
        let id = ConnectionId(1);
        let profile = Profile {
            id,
            name: String::new(),
            urls: vec![],
            protocol: Protocol::Duplex,
            socket: Socket::Tungstenite,
            ca_file: None,
            fingerprint: None,
            auto_connect: true,
            websocket: Default::default(),
        };
        model.apply(Time::default(), Update::Configured(profile));
        let (device, metric) = (DeviceId::new("d").unwrap(), ShortName::new("m").unwrap());
        for (at, value) in values {
            let values = vec![(metric.clone(), Value::number(*value))];
            let readings = Readings::of(device.clone(), START + at, START + at, values);
            model.apply(
                Time::default(),
                Update::Connection(id, Event::Device(DeviceEvent::Readings(readings.into()))),
            );
        }
        model.connections[&id].devices.get("d").unwrap().metric("m").unwrap().clone()
    }

    fn sight(from: i64, to: i64, now: i64, width: u32) -> Sight {
        Sight { from: START + from, to: START + to, now: START + now, width }
    }

    fn page(from: i64, to: i64, step_ms: i64, buckets: &[(i64, f64)]) -> SeriesPage {
        let bucket = |(at, value): &(i64, f64)| Bucket {
            at: START + at,
            min: value - 1.0,
            mean: *value,
            max: value + 1.0,
            count: 4,
            off: 0,
        };
        let buckets = buckets.iter().map(bucket).collect();
        SeriesPage { from: START + from, to: START + to, step_ms, buckets }
    }

    fn holes(drawn: &Drawn) -> Vec<(i64, i64)> {
        drawn.holes.iter().map(|(from, to)| (from - START, to - START)).collect()
    }

    #[test]
    fn many_values_become_one_column_a_pixel_and_keep_their_ends() {
        let values: Vec<(i64, f64)> =
            (0..600).map(|n| (n * 100, if n == 301 { 99.0 } else { 1.0 })).collect();
        let drawn = draw(&latest(&values), None, 100, sight(0, 60_000, 60_000, 60));
        assert!(drawn.columns.len() <= 62, "{}", drawn.columns.len());
        assert_eq!(drawn.ends, Some((1.0, 99.0)));
        assert!(drawn.holes.is_empty());
    }

    #[test]
    fn no_line_leads_over_a_hole_of_more_than_three_intervals() {
        let metric = latest(&[(0, 1.0), (1_000, 1.0), (4_000, 2.0), (8_000, 3.0)]);
        let drawn = draw(&metric, None, 1_000, sight(0, 10_000, 8_500, 1_000));
        assert_eq!(holes(&drawn), [(4_000, 8_000)]);
        let apart: Vec<bool> = drawn.columns.iter().map(|column| column.after_hole).collect();
        assert_eq!(apart, [true, false, false, true]);
        assert_eq!(drawn.value_at((START + 3_000) as f64).map(|c| c.mean), Some(1.0));
        assert_eq!(drawn.value_at((START + 6_000) as f64), None);
        assert_eq!(drawn.value_at((START + 8_500) as f64).map(|c| c.mean), Some(3.0), "the last one holds");
        assert_eq!(drawn.value_at((START + 11_500) as f64), None, "but not for ever");
    }

    #[test]
    fn what_stopped_has_no_data_up_to_now_and_the_future_is_no_hole() {
        let metric = latest(&[(0, 1.0), (1_000, 1.0)]);
        let drawn = draw(&metric, None, 1_000, sight(0, 60_000, 30_000, 600));
        assert_eq!(holes(&drawn), [(1_000, 30_000)]);
    }

    #[test]
    fn what_is_stored_and_what_is_in_memory_are_one_line() {
        let metric = latest(&[(120_000, 5.0), (121_000, 6.0)]);
        let stored = page(0, 120_500, 60_000, &[(0, 1.0), (60_000, 2.0)]);
        let drawn = draw(&metric, Some(&stored), 1_000, sight(0, 122_000, 122_000, 1_220));
        let at: Vec<i64> = drawn.columns.iter().map(|column| column.at as i64 - START).collect();
        assert_eq!(at, [30_000, 90_000, 120_000, 121_000]);
        assert_eq!(drawn.ends, Some((0.0, 6.0)));
    }

    #[test]
    fn what_came_after_the_page_was_read_is_drawn_however_late_and_nothing_twice() {
        let metric = latest(&[(3_000, 3.0), (1_500, 1.5), (2_000, 9.0), (10_000, 4.0)]);
        let raw = page(0, 4_000, 0, &[(1_000, 1.0), (2_000, 2.0)]);
        let drawn = draw(&metric, Some(&raw), 1_000, sight(0, 11_000, 11_000, 11_000));
        let told: Vec<(i64, f64)> = drawn.columns.iter().map(|c| (c.at as i64 - START, c.mean)).collect();
        let late = [(1_000, 1.0), (1_500, 1.5), (2_000, 9.0), (3_000, 3.0), (10_000, 4.0)];
        assert_eq!(told, late, "of two at one time the one that was told later counts");

        let wide = page(0, 60_000, 2_000, &[(0, 1.0), (2_000, 2.0)]);
        let drawn = draw(&metric, Some(&wide), 1_000, sight(0, 11_000, 11_000, 11_000));
        let told: Vec<i64> = drawn.columns.iter().map(|column| column.at as i64 - START).collect();
        assert_eq!(told, [1_000, 3_000, 10_000], "a point within a stretch is no column of its own");
        assert_eq!(drawn.ends, Some((0.0, 9.0)), "but it is seen");

        // A page that tells of a minute more closely than memory does.
        let mut values: Vec<(i64, f64)> = (0..10).map(|n| (n * 1_000, 7.0)).collect();
        values.extend((0..600).map(|n| (120_000 + n * 100, 8.0)));
        let close = page(0, 130_000, 0, &[(0, 7.0), (30_000, 7.0), (120_000, 8.0)]);
        let drawn = draw(&latest(&values), Some(&close), 30_000, sight(0, 121_000, 121_000, 121_000));
        let told: Vec<i64> = drawn.columns.iter().take(3).map(|c| c.at as i64 - START).collect();
        assert_eq!(told, [0, 30_000, 120_000]);
    }

    #[test]
    fn a_hole_in_what_is_stored_is_one_and_what_is_not_known_is_none() {
        let metric = latest(&[(600_000, 5.0)]);
        let stored = page(0, 400_000, 10_000, &[(0, 1.0), (10_000, 1.0), (200_000, 2.0), (390_000, 2.0)]);
        let drawn = draw(&metric, Some(&stored), 1_000, sight(-100_000, 600_000, 600_000, 700));
        assert_eq!(
            holes(&drawn),
            [(20_000, 200_000), (210_000, 390_000)],
            "400,000 to 600,000 is not known yet"
        );
    }

    #[test]
    fn nothing_at_all_is_one_hole_once_that_is_known() {
        let metric = latest(&[(0, f64::NAN)]);
        assert!(draw(&metric, None, 1_000, sight(0, 1_000, 1_000, 10)).holes.is_empty());
        let stored = page(-500, 1_000, 0, &[]);
        let drawn = draw(&metric, Some(&stored), 1_000, sight(0, 1_000, 1_000, 10));
        assert_eq!((holes(&drawn), drawn.ends), (vec![(0, 1_000)], None));
    }

    #[test]
    fn absurd_values_stay_finite() {
        let metric = latest(&[(0, f64::MAX), (1_000, f64::MIN), (2_000, -0.0)]);
        let drawn = draw(&metric, None, 1_000, sight(0, 2_000, 2_000, 20));
        let (low, high) = drawn.ends.unwrap();
        assert!((high - low).is_finite() && high == LARGEST && low == -LARGEST);
    }

    #[test]
    fn the_past_is_asked_for_once_and_again_when_closer_or_elsewhere() {
        let metric = latest(&[(0, 1.0)]);
        let wide = sight(-600_000, 0, 0, 100);
        let mut asked = None;
        assert_eq!(need(&mut asked, &metric, None, wide, 5), Need::Ask(5));
        asked = Some(Asked::new(wide, 5));
        assert_eq!(need(&mut asked, &metric, None, wide, 6), Need::UnderWay(10_005));
        let (from, to) = (asked.unwrap().from() - START, asked.unwrap().to() - START);
        assert_eq!((from, to, asked.unwrap().columns()), (-900_000, 0, 150));
        let answer = page(from, to, 60_000, &[]);
        assert_eq!(
            need(&mut asked, &metric, Some(&answer), wide, 7),
            Need::Nothing,
            "coarser is all there is"
        );
        let close = sight(-30_000, 0, 0, 100);
        assert_eq!(need(&mut asked, &metric, Some(&answer), close, 2_000), Need::Ask(1_005));
        let earlier = sight(-1_200_000, -600_000, 0, 100);
        assert_eq!(need(&mut asked, &metric, Some(&answer), earlier, 2_000), Need::Ask(1_005));
    }

    #[test]
    fn an_answer_that_never_comes_is_asked_for_anew() {
        let metric = latest(&[(0, 1.0)]);
        let wide = sight(-600_000, 0, 0, 100);
        let mut asked = Some(Asked::new(wide, 5));
        assert_eq!(need(&mut asked, &metric, None, wide, 10_005), Need::Ask(10_005));
    }

    #[test]
    fn what_is_in_memory_is_not_asked_for() {
        let metric = latest(&[(0, 1.0), (1_000, 1.0)]);
        assert_eq!(need(&mut None, &metric, None, sight(500, 1_500, 1_500, 100), 0), Need::Nothing);
    }
}
