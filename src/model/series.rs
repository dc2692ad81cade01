//! [`Series`]: the bounded recent history of one metric: raw points, and minimum, mean and maximum per
//! minute.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::device::Value;
use super::number::{Number, Whole};
use super::time::WallMs;

/// Milliseconds per minute.
pub const MINUTE_MS: i64 = 60_000;
/// Maximum number of raw points of a series.
pub const RAW_POINTS: usize = 600;
/// Maximum number of minute buckets of a series.
pub const MINUTES: usize = 120;
/// Maximum size of all series of a connection, in bytes. The more series there are, the less each may hold.
pub const SERIES_BYTES: usize = 12 << 20;

/// A raw point.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Point {
    /// Time by the hub's clock.
    pub at: WallMs,
    /// Value. NaN: there is no value from here on, which interrupts the line.
    pub value: f64,
    /// Difference of the reading from `value` if no `f64` represents it exactly; see [`Whole`].
    pub off: i16,
}

impl Point {
    /// A point with a value that an `f64` represents exactly.
    pub fn new(at: WallMs, value: f64) -> Point {
        Point { at, value, off: 0 }
    }

    /// The point for a reading; `None` for a text or a missing value.
    pub fn of(at: WallMs, value: &Value) -> Option<Point> {
        let off = if let Value::Whole(whole) = value { whole.off() } else { 0 };
        value.as_chart().map(|value| Point { at, value, off })
    }
}

/// A summary of a period. A raw point is a summary of one value.
/// As JSON it is `[at, min, mean, max, count]`; a single integer that no `f64` represents exactly is written
/// with all digits.
#[derive(Copy, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "(WallMs, Number, Number, Number, u32)", into = "(WallMs, Number, Number, Number, u32)")]
pub struct Bucket {
    /// Start of the period.
    pub at: WallMs,
    /// Minimum.
    pub min: f64,
    /// Mean.
    pub mean: f64,
    /// Maximum.
    pub max: f64,
    /// Number of values.
    pub count: u32,
    /// For a raw reading, its difference from `mean` if no `f64` represents it exactly. 0 for a summary.
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
    /// A summary of one value.
    pub fn of(point: Point) -> Bucket {
        let Point { at, value, off } = point;
        Bucket { at, min: value, mean: value, max: value, count: 1, off }
    }

    /// The exact reading, on a page of raw readings; `None` for a summary of several.
    pub fn single(&self) -> Option<Value> {
        (self.count == 1).then(|| match Whole::join(self.mean, self.off) {
            Some(whole) => Value::Whole(whole),
            None => Value::number(self.mean),
        })
    }

    /// Adds a value.
    pub fn add(&mut self, value: f64) {
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        self.count = self.count.saturating_add(1);
        self.off = 0;
        self.shift_mean(self.mean, value);
    }

    /// Adds another summary; keeps the earlier start.
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

    /// Replaces a value. `all`: minimum and maximum of all values after the change, if known; otherwise the
    /// extremes can only grow.
    fn correct(&mut self, old: f64, new: f64, all: Option<(f64, f64)>) {
        self.off = 0;
        self.shift_mean(old, new);
        (self.min, self.max) = all.unwrap_or((self.min.min(new), self.max.max(new)));
    }

    /// Replaces a value in the mean. Divides before subtracting, since the difference of two finite numbers
    /// may overflow.
    fn shift_mean(&mut self, old: f64, new: f64) {
        let count = f64::from(self.count.max(1));
        let step = (new - old) / count;
        self.mean += if step.is_finite() { step } else { new / count - old / count };
    }
}

/// A part of a metric's history, read from disk or from a hub.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SeriesPage {
    /// Start of the requested range.
    pub from: WallMs,
    /// End of the requested range, exclusive.
    pub to: WallMs,
    /// Width of a bucket, in milliseconds; 0 for raw points.
    pub step_ms: i64,
    /// In order of time; periods without values are left out.
    pub buckets: Vec<Bucket>,
}

/// Maximum contents of a series.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Number of raw points.
    pub raw: usize,
    /// Number of minute buckets.
    pub minutes: usize,
}

impl Allowance {
    /// The allowance when there are few series.
    pub const FULL: Allowance = Allowance { raw: RAW_POINTS, minutes: MINUTES };

    /// The allowance of each of `series` series, so that all fit into [`SERIES_BYTES`]: two thirds of the
    /// space are for raw points, one third for minutes, and never less than a visible line needs.
    pub fn among(series: usize) -> Allowance {
        let each = (SERIES_BYTES / series.max(1)).saturating_sub(size_of::<Held>());
        Allowance {
            raw: (each * 2 / 3 / size_of::<Raw>()).clamp(8, RAW_POINTS),
            minutes: (each / 3 / size_of::<Bucket>()).clamp(2, MINUTES),
        }
    }
}

/// The recent history of one metric. Allocates nothing until the first number.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series(Option<Box<Held>>);

#[derive(Clone, Debug, Default, PartialEq)]
struct Held {
    /// Base of [`Raw::after`].
    base: WallMs,
    raw: VecDeque<Raw>,
    minutes: VecDeque<Bucket>,
}

/// A raw point in 14 bytes: its time is relative to [`Held::base`], at most 49 days after it.
#[derive(Copy, Clone, Debug)]
#[repr(C, packed(2))]
struct Raw {
    value: f64,
    after: u32,
    off: i16,
}

impl PartialEq for Raw {
    fn eq(&self, other: &Self) -> bool {
        // Ends of the line (NaN) are equal.
        ({ self.value }.to_bits(), { self.after }, self.off)
            == ({ other.value }.to_bits(), { other.after }, other.off)
    }
}

impl Series {
    /// Adds a point in order of time. A point at the time of an existing one replaces it.
    pub fn push(&mut self, point: Point) {
        self.push_within(point, Allowance::FULL);
    }

    /// Adds a point, and drops what exceeds the allowance. Each point counts once in its minute; a replaced
    /// one is removed from its minute if that is still held. An end of the line without a number before it is
    /// ignored.
    pub fn push_within(&mut self, point: Point, allowance: Allowance) {
        if !point.value.is_finite() && self.0.is_none() {
            return;
        }
        let held = self.0.get_or_insert_default();
        let value = if point.value.is_finite() { point.value } else { f64::NAN };
        held.push(Point { value, ..point }, allowance);
    }

    /// Whether there was never a number.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The raw points held, in order of time. A NaN value interrupts the line.
    pub fn raw(&self) -> impl DoubleEndedIterator<Item = Point> + ExactSizeIterator {
        let base = self.0.as_ref().map_or(WallMs(0), |held| held.base);
        let raw = self.0.as_ref().map(|held| held.raw.iter()).unwrap_or_default();
        raw.map(move |raw| raw.point(base))
    }

    /// The minute buckets held, in order of time; each starts at a full minute.
    pub fn minutes(&self) -> impl DoubleEndedIterator<Item = Bucket> + ExactSizeIterator {
        self.0.as_ref().map(|held| held.minutes.iter()).unwrap_or_default().copied()
    }

    /// Keeps only the newest `points` raw points.
    pub fn keep(&mut self, points: usize) {
        self.keep_within(Allowance { raw: points, minutes: MINUTES });
    }

    /// Drops the oldest data that exceeds the allowance, and frees its space.
    pub fn keep_within(&mut self, allowance: Allowance) {
        if let Some(held) = &mut self.0 {
            held.raw.drain(..held.raw.len().saturating_sub(allowance.raw));
            held.raw.shrink_to(allowance.raw);
            held.minutes.drain(..held.minutes.len().saturating_sub(allowance.minutes));
            held.minutes.shrink_to(allowance.minutes);
        }
    }

    /// Drops everything later than this, since it was stamped by a wrong clock.
    pub fn forget_after(&mut self, at: WallMs) {
        if let Some(held) = &mut self.0 {
            held.raw.truncate(held.first_after(at));
            let minutes = held.minutes.partition_point(|minute| minute.at <= at);
            held.minutes.truncate(minutes);
        }
    }

    /// Approximate heap size, in bytes.
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
            // Too old to be represented, but its minute may still be held.
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
                // Older than all points that fit: counts only in its minute.
                if place > 0 || self.raw.len() < allowance.raw {
                    make_room(&mut self.raw, allowance.raw + 1);
                    self.raw.insert(place, raw);
                    self.raw.drain(..self.raw.len().saturating_sub(allowance.raw));
                }
                self.count(point, allowance);
            }
        }
    }

    /// A time relative to the base. Moves the base if needed, dropping points that are too old for it; `None`
    /// if the time itself is too old.
    fn after(&mut self, at: WallMs) -> Option<u32> {
        if let Ok(after) = u32::try_from(at.since(self.base))
            && !self.raw.is_empty()
        {
            return Some(after);
        }
        let newest = self.raw.back().map_or(at, |last| last.point(self.base).at.max(at));
        let reach = newest.before(i64::from(u32::MAX));
        if at < reach {
            return None;
        }
        let old = self.base;
        while self.raw.front().is_some_and(|raw| raw.point(old).at < reach) {
            self.raw.pop_front();
        }
        self.base = self.raw.front().map_or(at, |raw| raw.point(old).at.min(at));
        for raw in &mut self.raw {
            let after = raw.point(old).at.since(self.base);
            // The remaining points lie between the new base and the newest, so the difference fits.
            raw.after = u32::try_from(after).unwrap_or(u32::MAX);
        }
        u32::try_from(at.since(self.base)).ok()
    }

    /// Index of the first raw point later than this.
    fn first_after(&self, at: WallMs) -> usize {
        self.raw.partition_point(|raw| raw.point(self.base).at <= at)
    }

    /// Adds a point to its minute.
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

    /// Corrects a minute: the value of the point at this time, already replaced, was `old`.
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
            // Remove the old value from the mean; the extremes can be recomputed if all other values are
            // held.
            minute.count -= 1;
            let mean = minute.mean;
            minute.shift_mean(old, mean);
            if count == minute.count {
                (minute.min, minute.max) = (min, max);
            }
        }
    }
}

/// Start of the minute that contains a time.
fn minute_of(at: WallMs) -> WallMs {
    at.floor(MINUTE_MS)
}

/// Appends an item; keeps at most `most`.
fn push_back<T>(queue: &mut VecDeque<T>, item: T, most: usize) {
    queue.drain(..(queue.len() + 1).saturating_sub(most.max(1)));
    make_room(queue, most);
    queue.push_back(item);
}

/// Reserves space for one more item: doubles the capacity, up to `most`.
fn make_room<T>(queue: &mut VecDeque<T>, most: usize) {
    if queue.len() == queue.capacity() {
        let more = queue.len().max(4).min(most.saturating_sub(queue.len()).max(1));
        queue.reserve_exact(more);
    }
}
