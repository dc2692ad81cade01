//! [`Track`]: the data of one metric that is not in its final place on disk: points waiting for their chunk, the open
//! minute, and minutes to be merged.

use std::sync::Arc;

use crate::model::device::{MetricName, Value};
use crate::model::series::{Bucket, MINUTE_MS, Point};
use crate::model::states::{StateChange, is_change, state_of};
use crate::model::time::WallMs;

/// A minute that is still open.
#[derive(Clone, Debug)]
struct Open {
    at: WallMs,
    /// All points but the last.
    done: Option<Bucket>,
    /// Kept separately, so that a repeat with the same time replaces it.
    last: Point,
    /// The journal row with its first point.
    since: i64,
    /// When its last point arrived, in milliseconds of the store's own clock.
    touched: u64,
}

impl Open {
    fn bucket(&self) -> Bucket {
        match self.done {
            Some(mut bucket) => {
                bucket.add(self.last.value);
                bucket
            }
            None => Bucket { at: self.at, ..Bucket::of(self.last) },
        }
    }
}

/// A metric's last value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Last {
    pub value: Value,
    pub at: WallMs,
    pub received: WallMs,
}

/// The in-memory part of a metric. Data that is being written stays here until it is on disk, so that readers see it
/// exactly once.
#[derive(Debug)]
pub(super) struct Track {
    /// The key of its device.
    pub device: i64,
    pub metric: MetricName,
    /// Whether the metric has a row.
    pub is_stored: bool,
    /// In the order in which they arrived.
    pub points: Vec<Point>,
    /// Number of points that are in the journal.
    pub journaled: usize,
    /// The journal row with the first point.
    pub since: i64,
    /// When the first point arrived, by the store's own clock.
    pub opened: u64,
    open: Option<Open>,
    /// Points of minutes before this one go to `closed` at once.
    pub mark: WallMs,
    pub is_mark_new: bool,
    /// Minutes to be merged into those on disk.
    pub closed: Vec<Bucket>,
    /// Number of them that are being written.
    pub closing: usize,
    pub last: Option<Last>,
    pub is_last_new: bool,
    /// The end of its last text's validity has been recorded.
    pub is_ended: bool,
    /// Changes of a text.
    pub texts: Vec<StateChange>,
    /// Number of them that are being written.
    pub writing_texts: usize,
}

impl Track {
    pub(super) fn new(device: i64, metric: MetricName) -> Track {
        Track {
            device,
            metric,
            is_stored: false,
            points: Vec::new(),
            journaled: 0,
            since: 0,
            opened: 0,
            open: None,
            mark: WallMs::MIN,
            is_mark_new: false,
            closed: Vec::new(),
            closing: 0,
            last: None,
            is_last_new: false,
            is_ended: false,
            texts: Vec::new(),
            writing_texts: 0,
        }
    }

    /// Adds a point to those waiting for their chunk. `seq`: the journal row that will contain it.
    pub(super) fn push(&mut self, point: Point, seq: i64, now: u64) {
        if self.points.is_empty() {
            (self.since, self.opened) = (seq, now);
        }
        self.points.push(point);
    }

    /// Adds a point to its minute.
    pub(super) fn fold(&mut self, point: Point, seq: i64, now: u64) {
        let at = minute_of(point.at);
        if at < self.mark {
            return self.add_late(at, point.value);
        }
        match &mut self.open {
            Some(open) if open.at == at => {
                open.touched = now;
                if open.last.at != point.at {
                    match &mut open.done {
                        Some(bucket) => bucket.add(open.last.value),
                        None => open.done = Some(Bucket { at, ..Bucket::of(open.last) }),
                    }
                }
                open.last = point;
            }
            _ => {
                self.close_minute();
                self.open = Some(Open { at, done: None, last: point, since: seq, touched: now });
                (self.mark, self.is_mark_new) = (at, true);
            }
        }
    }

    fn add_late(&mut self, at: WallMs, value: f64) {
        let waiting = self.closed.get_mut(self.closing..).unwrap_or_default();
        match waiting.iter_mut().rev().find(|bucket| bucket.at == at) {
            Some(bucket) => bucket.add(value),
            None => self.closed.push(Bucket { at, ..Bucket::of(Point::new(at, value)) }),
        }
    }

    /// Closes the open minute; further points of it are late.
    pub(super) fn close_minute(&mut self) {
        if let Some(open) = self.open.take() {
            self.closed.push(open.bucket());
            (self.mark, self.is_mark_new) = (open.at + MINUTE_MS, true);
        }
    }

    /// Sets the last value, unless a newer one is known. `at`: its time by the hub's clock.
    pub(super) fn set_last(&mut self, last: Last, at: WallMs) {
        if self.last.as_ref().is_some_and(|known| known.received > last.received) {
            return;
        }
        if is_change(self.last.as_ref().map(|known| &known.value), &last.value) {
            self.texts.push(StateChange { at, value: state_of(&last.value) });
        }
        self.last = Some(last);
        self.is_last_new = true;
    }

    /// The device went away: its last text is valid until this time.
    pub(super) fn end(&mut self, at: WallMs) {
        if !self.is_ended && self.last_text().is_some() {
            self.texts.push(StateChange { at, value: None });
            self.is_ended = true;
        }
    }

    /// The device is back: its last text is valid again.
    pub(super) fn resume(&mut self, at: WallMs) {
        if std::mem::take(&mut self.is_ended)
            && let Some(value) = self.last_text()
        {
            self.texts.push(StateChange { at, value: Some(value) });
        }
    }

    /// The file is new: the last text must be written to it.
    pub(super) fn restate(&mut self) {
        if let (Some(last), Some(value)) = (&self.last, self.last_text())
            && self.texts.is_empty()
            && !self.is_ended
        {
            self.texts.push(StateChange { at: last.received, value: Some(value) });
        }
    }

    fn last_text(&self) -> Option<Arc<str>> {
        self.last.as_ref().and_then(|last| state_of(&last.value))
    }

    /// Whether the open minute has received no point since then, by the store's own clock.
    pub(super) fn is_quiet_since(&self, then: u64) -> bool {
        self.open.as_ref().is_some_and(|open| open.touched < then)
    }

    /// Whether a minute is open.
    pub(super) fn has_open_minute(&self) -> bool {
        self.open.is_some()
    }

    /// The first journal row still needed for this metric.
    pub(super) fn needs_journal_from(&self, keeps_raw: bool) -> Option<i64> {
        let points = (keeps_raw && !self.points.is_empty()).then_some(self.since);
        let minute = self.open.as_ref().map(|open| open.since);
        [points, minute].into_iter().flatten().min()
    }

    /// All minutes that are not on disk.
    pub(super) fn minutes(&self) -> impl Iterator<Item = Bucket> {
        self.closed.iter().copied().chain(self.open.as_ref().map(Open::bucket))
    }

    /// Drops unwritten data. Returns the approximate number of points.
    pub(super) fn let_go(&mut self) -> usize {
        let closed = self.closed.iter().map(|bucket| bucket.count as usize).sum::<usize>();
        let points = self.points.len().max(closed);
        self.points = Vec::new();
        self.closed = Vec::new();
        // The last text is kept, with a gap before it.
        if let [first, .., last] = self.texts.as_slice() {
            self.texts = vec![StateChange { at: first.at, value: None }, last.clone()];
        }
        (self.journaled, self.closing, self.writing_texts) = (0, 0, 0);
        points
    }
}

/// The start of the minute that contains a time.
pub(super) fn minute_of(at: WallMs) -> WallMs {
    at.floor(MINUTE_MS)
}
