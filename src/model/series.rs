//! [`Series`]: the recent past of one metric, bounded: raw points, and a minimum, mean and maximum for each minute.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::time::WallMs;

/// A minute, in milliseconds.
pub const MINUTE_MS: i64 = 60_000;
/// Most raw points of one series.
pub const RAW_POINTS: usize = 600;
/// Most minutes of one series.
pub const MINUTES: usize = 120;

/// One raw point.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Point {
    /// When, by the hub's clock.
    pub at: WallMs,
    /// What.
    pub value: f64,
}

/// A stretch of time in few numbers. A raw point is a stretch of one value.
/// As JSON it is `[at, min, mean, max, count]`.
#[derive(Copy, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "(WallMs, f64, f64, f64, u32)", into = "(WallMs, f64, f64, f64, u32)")]
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
}

impl From<(WallMs, f64, f64, f64, u32)> for Bucket {
    fn from((at, min, mean, max, count): (WallMs, f64, f64, f64, u32)) -> Self {
        Bucket { at, min, mean, max, count }
    }
}

impl From<Bucket> for (WallMs, f64, f64, f64, u32) {
    fn from(bucket: Bucket) -> Self {
        (bucket.at, bucket.min, bucket.mean, bucket.max, bucket.count)
    }
}

impl Bucket {
    /// One value.
    pub fn of(point: Point) -> Bucket {
        Bucket { at: point.at, min: point.value, mean: point.value, max: point.value, count: 1 }
    }

    /// Takes another value in.
    pub fn add(&mut self, value: f64) {
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        self.count = self.count.saturating_add(1);
        self.mean += (value - self.mean) / f64::from(self.count);
    }

    /// Takes another stretch in; keeps the earlier beginning.
    pub fn merge(&mut self, other: &Bucket) {
        let (own, theirs) = (f64::from(self.count), f64::from(other.count));
        if theirs > 0.0 {
            self.mean = (self.mean * own + other.mean * theirs) / (own + theirs);
        }
        self.at = self.at.min(other.at);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.count = self.count.saturating_add(other.count);
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

/// The recent past of one metric.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    raw: VecDeque<Point>,
    minutes: VecDeque<Bucket>,
}

impl Series {
    /// Takes a point in. One that is late is put in its place; of two at the same time the later told one counts.
    pub fn push(&mut self, point: Point) {
        self.raw.push_back(point);
        if self.raw.len() > RAW_POINTS {
            self.raw.pop_front();
        }
    }

    /// The raw points held, in order of time.
    pub fn raw(&self) -> impl DoubleEndedIterator<Item = Point> + ExactSizeIterator {
        self.raw.iter().copied()
    }

    /// The minutes held, in order of time; each begins at a full minute.
    pub fn minutes(&self) -> impl DoubleEndedIterator<Item = Bucket> + ExactSizeIterator {
        self.minutes.iter().copied()
    }

    /// Lets go of all but the newest `points` raw points.
    pub fn keep(&mut self, points: usize) {
        while self.raw.len() > points {
            self.raw.pop_front();
        }
        self.raw.shrink_to(points);
    }
}
