//! [`Series`]: the recent past of one metric, bounded: raw points, and a minimum, mean and maximum for each minute.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::device::Value;
use super::number::{Number, Whole};
use super::time::WallMs;

/// A minute, in milliseconds.
pub const MINUTE_MS: i64 = 60_000;
/// Most raw points of one series.
pub const RAW_POINTS: usize = 600;
/// Most minutes of one series.
pub const MINUTES: usize = 120;
/// All series of one connection together hold no more than this, in bytes; where there are many, each holds less.
pub const SERIES_BYTES: usize = 12 << 20;

/// One raw point.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Point {
    /// When, by the hub's clock.
    pub at: WallMs,
    /// What. Not a number (NaN): from here on there was no value, and a line drawn through the points ends here.
    pub value: f64,
    /// How far the reading is from `value`, where no `f64` holds it; see [`Whole`].
    pub off: i16,
}

impl Point {
    /// A number that an `f64` holds.
    pub fn new(at: WallMs, value: f64) -> Point {
        Point { at, value, off: 0 }
    }

    /// What of a reading can be charted; none for a text and where there is no value.
    pub fn of(at: WallMs, value: &Value) -> Option<Point> {
        let off = if let Value::Whole(whole) = value { whole.off() } else { 0 };
        value.as_chart().map(|value| Point { at, value, off })
    }
}

/// A stretch of time in few numbers. A raw point is a stretch of one value.
/// As JSON it is `[at, min, mean, max, count]`; a single whole number that no `f64` holds is written with all its digits.
#[derive(Copy, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "(WallMs, Number, Number, Number, u32)", into = "(WallMs, Number, Number, Number, u32)")]
pub struct Bucket {
    /// Where the stretch begins.
    pub at: WallMs,
    /// The lowest value.
    pub min: f64,
    /// The mean of all values.
    pub mean: f64,
    /// The highest value.
    pub max: f64,
    /// How many values.
    pub count: u32,
    /// Of a raw reading: how far it is from `mean`, where no `f64` holds it. A summary has 0.
    pub off: i16,
}

impl From<(WallMs, Number, Number, Number, u32)> for Bucket {
    fn from((at, min, mean, max, count): (WallMs, Number, Number, Number, u32)) -> Self {
        let off = if count == 1 { mean.off() } else { 0 };
        Bucket { at, min: min.nearest(), mean: mean.nearest(), max: max.nearest(), count, off }
    }
}

impl From<Bucket> for (WallMs, Number, Number, Number, u32) {
    fn from(Bucket { at, min, mean, max, count, off }: Bucket) -> Self {
        let off = if count == 1 { off } else { 0 };
        (at, Number::new(min, off), Number::new(mean, off), Number::new(max, off), count)
    }
}

impl Bucket {
    /// One value.
    pub fn of(point: Point) -> Bucket {
        let Point { at, value, off } = point;
        Bucket { at, min: value, mean: value, max: value, count: 1, off }
    }

    /// Of a page of raw readings: the reading, with all its digits; none for a summary of several.
    pub fn single(&self) -> Option<Value> {
        (self.count == 1).then(|| match Whole::join(self.mean, self.off) {
            Some(whole) => Value::Whole(whole),
            None => Value::number(self.mean),
        })
    }

    /// Takes another value in.
    pub fn add(&mut self, value: f64) {
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        self.count = self.count.saturating_add(1);
        self.off = 0;
        self.shift_mean(self.mean, value);
    }

    /// Takes another stretch in; keeps the earlier beginning.
    pub fn merge(&mut self, other: &Bucket) {
        let (own, theirs) = (f64::from(self.count), f64::from(other.count));
        if theirs > 0.0 {
            let share = theirs / (own + theirs);
            self.mean = self.mean * (1.0 - share) + other.mean * share;
        }
        self.at = self.at.min(other.at);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.off = 0;
        self.count = self.count.saturating_add(other.count);
    }

    /// One of its values turned out to be another one. `all`: every value of the stretch after that, if they are at hand;
    /// without them the extremes can only grow.
    fn correct(&mut self, old: f64, new: f64, all: Option<(f64, f64)>) {
        self.off = 0;
        self.shift_mean(old, new);
        (self.min, self.max) = all.unwrap_or((self.min.min(new), self.max.max(new)));
    }

    /// One of `count` values was `old` and is `new`. The difference of two finite numbers need not be finite; that of
    /// their shares is.
    fn shift_mean(&mut self, old: f64, new: f64) {
        let count = f64::from(self.count.max(1));
        let step = (new - old) / count;
        self.mean += if step.is_finite() { step } else { new / count - old / count };
    }
}

/// Part of a metric's past, as read from a disk or a hub.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SeriesPage {
    /// Asked from here.
    pub from: WallMs,
    /// To here, exclusive.
    pub to: WallMs,
    /// The width of one bucket, in milliseconds; 0: raw points.
    pub step_ms: i64,
    /// In order of time; stretches without values are left out.
    pub buckets: Vec<Bucket>,
}

/// How much one series may hold.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Raw points.
    pub raw: usize,
    /// Minutes.
    pub minutes: usize,
}

impl Allowance {
    /// What a series holds where there are only some.
    pub const FULL: Allowance = Allowance { raw: RAW_POINTS, minutes: MINUTES };

    /// What each of so many series may hold, so that all of them keep within [`SERIES_BYTES`]: two parts of the space for
    /// raw points and one for minutes, and never less than a line needs to be seen.
    pub fn among(series: usize) -> Allowance {
        let each = (SERIES_BYTES / series.max(1)).saturating_sub(size_of::<Held>());
        Allowance {
            raw: (each * 2 / 3 / size_of::<Raw>()).clamp(8, RAW_POINTS),
            minutes: (each / 3 / size_of::<Bucket>()).clamp(2, MINUTES),
        }
    }
}

/// The recent past of one metric. It takes no space until the first number.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series(Option<Box<Held>>);

#[derive(Clone, Debug, Default, PartialEq)]
struct Held {
    /// What [`Raw::after`] counts from.
    base: WallMs,
    raw: VecDeque<Raw>,
    minutes: VecDeque<Bucket>,
}

/// A raw point in 14 bytes: its time counts from [`Held::base`], 49 days at most.
#[derive(Copy, Clone, Debug)]
#[repr(C, packed(2))]
struct Raw {
    value: f64,
    after: u32,
    off: i16,
}

impl PartialEq for Raw {
    fn eq(&self, other: &Self) -> bool {
        // An end of the line is like another one.
        ({ self.value }.to_bits(), { self.after }, self.off)
            == ({ other.value }.to_bits(), { other.after }, other.off)
    }
}

impl Series {
    /// Takes a point in. One that is late is put in its place; of two at the same time the later told one counts.
    pub fn push(&mut self, point: Point) {
        self.push_within(point, Allowance::FULL);
    }

    /// Takes a point in, and lets go of what is more than allowed. The minutes count each point once; a replaced one is
    /// taken out of them as long as it is still held. Without numbers before it, an end of the line is nothing.
    pub fn push_within(&mut self, point: Point, allowance: Allowance) {
        if !point.value.is_finite() && self.0.is_none() {
            return;
        }
        let held = self.0.get_or_insert_default();
        let value = if point.value.is_finite() { point.value } else { f64::NAN };
        held.push(Point { value, ..point }, allowance);
    }

    /// Whether there was ever a number.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The raw points held, in order of time. A value that is not a number ends the line.
    pub fn raw(&self) -> impl DoubleEndedIterator<Item = Point> + ExactSizeIterator {
        let base = self.0.as_ref().map_or(0, |held| held.base);
        let raw = self.0.as_ref().map(|held| held.raw.iter()).unwrap_or_default();
        raw.map(move |raw| raw.point(base))
    }

    /// The minutes held, in order of time; each begins at a full minute.
    pub fn minutes(&self) -> impl DoubleEndedIterator<Item = Bucket> + ExactSizeIterator {
        self.0.as_ref().map(|held| held.minutes.iter()).unwrap_or_default().copied()
    }

    /// Lets go of all but the newest `points` raw points.
    pub fn keep(&mut self, points: usize) {
        self.keep_within(Allowance { raw: points, minutes: MINUTES });
    }

    /// Lets go of the oldest that is more than allowed, and of the space it took.
    pub fn keep_within(&mut self, allowance: Allowance) {
        if let Some(held) = &mut self.0 {
            held.raw.drain(..held.raw.len().saturating_sub(allowance.raw));
            held.raw.shrink_to(allowance.raw);
            held.minutes.drain(..held.minutes.len().saturating_sub(allowance.minutes));
            held.minutes.shrink_to(allowance.minutes);
        }
    }

    /// Lets go of everything later than this: the clock that said so was wrong.
    pub fn forget_after(&mut self, at: WallMs) {
        if let Some(held) = &mut self.0 {
            held.raw.truncate(held.first_after(at));
            let minutes = held.minutes.partition_point(|minute| minute.at <= at);
            held.minutes.truncate(minutes);
        }
    }

    /// About how many bytes it takes beside itself.
    pub fn bytes(&self) -> usize {
        self.0.as_ref().map_or(0, |held| {
            size_of::<Held>()
                + held.raw.capacity() * size_of::<Raw>()
                + held.minutes.capacity() * size_of::<Bucket>()
        })
    }
}

impl Raw {
    fn point(self, base: WallMs) -> Point {
        Point { at: base.saturating_add(i64::from(self.after)), value: self.value, off: self.off }
    }
}

impl Held {
    fn push(&mut self, point: Point, allowance: Allowance) {
        let Some(after) = self.after(point.at) else {
            // Too long before everything else to be drawn beside it; its minute may still be held.
            return self.count(point, allowance);
        };
        let raw = Raw { value: point.value, after, off: point.off };
        if self.raw.back().is_none_or(|last| last.after < after) {
            push_back(&mut self.raw, raw, allowance.raw);
            return self.count(point, allowance);
        }
        let place = self.raw.partition_point(|earlier| earlier.after < after);
        match self.raw.get_mut(place).filter(|same| same.after == after) {
            Some(same) => {
                let old = std::mem::replace(same, raw).value;
                self.recount(old, point, allowance);
            }
            None => {
                // What is older than all that may be held counts in its minute alone.
                if place > 0 || self.raw.len() < allowance.raw {
                    make_room(&mut self.raw, allowance.raw + 1);
                    self.raw.insert(place, raw);
                    self.raw.drain(..self.raw.len().saturating_sub(allowance.raw));
                }
                self.count(point, allowance);
            }
        }
    }

    /// A time as it is stored. Moves the base where that is needed, and lets go of what lies too long before a new point;
    /// none for a point too long before the rest.
    fn after(&mut self, at: WallMs) -> Option<u32> {
        if let Ok(after) = u32::try_from(at.saturating_sub(self.base))
            && !self.raw.is_empty()
        {
            return Some(after);
        }
        let newest = self.raw.back().map_or(at, |last| last.point(self.base).at.max(at));
        let reach = newest.saturating_sub(i64::from(u32::MAX));
        if at < reach {
            return None;
        }
        let old = self.base;
        while self.raw.front().is_some_and(|raw| raw.point(old).at < reach) {
            self.raw.pop_front();
        }
        self.base = self.raw.front().map_or(at, |raw| raw.point(old).at.min(at));
        for raw in &mut self.raw {
            let after = raw.point(old).at.saturating_sub(self.base);
            // All that is left lies between the base and the newest, which are no further apart than that.
            raw.after = u32::try_from(after).unwrap_or(u32::MAX);
        }
        u32::try_from(at.saturating_sub(self.base)).ok()
    }

    /// The place of the first raw point later than this.
    fn first_after(&self, at: WallMs) -> usize {
        self.raw.partition_point(|raw| raw.point(self.base).at <= at)
    }

    /// Counts a point in its minute.
    fn count(&mut self, point: Point, allowance: Allowance) {
        if point.value.is_nan() {
            return;
        }
        let at = minute_of(point.at);
        match self.minutes.back_mut() {
            Some(last) if last.at == at => return last.add(point.value),
            Some(last) if last.at > at => {}
            _ => return push_back(&mut self.minutes, Bucket::of(Point { at, ..point }), allowance.minutes),
        }
        let place = self.minutes.partition_point(|minute| minute.at < at);
        let has_room = place > 0 || self.minutes.len() < allowance.minutes;
        match self.minutes.get_mut(place).filter(|minute| minute.at == at) {
            Some(minute) => minute.add(point.value),
            None if has_room => {
                make_room(&mut self.minutes, allowance.minutes + 1);
                self.minutes.insert(place, Bucket::of(Point { at, ..point }));
                self.minutes.drain(..self.minutes.len().saturating_sub(allowance.minutes));
            }
            None => {}
        }
    }

    /// Corrects a minute: the point at this time, already in its place, was `old` before.
    fn recount(&mut self, old: f64, point: Point, allowance: Allowance) {
        if old.is_nan() {
            return self.count(point, allowance);
        }
        let at = minute_of(point.at);
        let Ok(place) = self.minutes.binary_search_by_key(&at, |minute| minute.at) else { return };
        let from = self.raw.partition_point(|raw| raw.point(self.base).at < at);
        let end = at.saturating_add(MINUTE_MS);
        let (mut count, mut min, mut max) = (0, f64::INFINITY, f64::NEG_INFINITY);
        let values = self.raw.range(from..).map(|raw| raw.point(self.base));
        for known in values.take_while(|known| known.at < end).filter(|known| !known.value.is_nan()) {
            (count, min, max) = (count + 1, min.min(known.value), max.max(known.value));
        }
        let minute = &mut self.minutes[place];
        if !point.value.is_nan() {
            let all = (count == minute.count).then_some((min, max));
            minute.correct(old, point.value, all);
        } else if minute.count <= 1 {
            self.minutes.remove(place);
        } else {
            // Of all values' sum the old one's part goes; the extremes are known where all the others are.
            minute.count -= 1;
            let mean = minute.mean;
            minute.shift_mean(old, mean);
            if count == minute.count {
                (minute.min, minute.max) = (min, max);
            }
        }
    }
}

/// The full minute in which a time lies.
fn minute_of(at: WallMs) -> WallMs {
    at.div_euclid(MINUTE_MS).saturating_mul(MINUTE_MS)
}

/// Adds at the end; at most `most` remain.
fn push_back<T>(queue: &mut VecDeque<T>, item: T, most: usize) {
    queue.drain(..(queue.len() + 1).saturating_sub(most.max(1)));
    make_room(queue, most);
    queue.push_back(item);
}

/// Makes room for one more: twice the room, but never more than for `most`.
fn make_room<T>(queue: &mut VecDeque<T>, most: usize) {
    if queue.len() == queue.capacity() {
        let more = queue.len().max(4).min(most.saturating_sub(queue.len()).max(1));
        queue.reserve_exact(more);
    }
}
