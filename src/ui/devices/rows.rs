//! What the visible devices show: copied out of the model in one short read, formatted after it, and only what changed.

use std::sync::Arc;

use std::collections::HashMap;

use super::entry::LINK;
use super::order::Key;
use crate::model::Connection;
use crate::model::device::{Freshness, Metric, MetricType, Status, Value};
use crate::model::devices::{Device, Latest};
use crate::model::known::device_label;
use crate::model::series::Point;
use crate::model::time::WallMs;
use crate::ui::text::Words;
use crate::ui::theme::size;
use crate::ui::{Cx, harmless, value};

/// So many readings stand in a row.
const READINGS: usize = 3;
/// Names are shown up to so many characters.
const NAME_CHARS: usize = 80;
/// What is heard less than this ago counts as now, in milliseconds: ages that tick beside what is live tell nothing.
const RECENT_MS: i64 = 10_000;
/// A sparkline breaks where it misses so many expected readings.
const BREAK: i64 = 4;

/// One reading in a row.
#[derive(Debug)]
pub(super) struct Shown {
    metric: Arc<Metric>,
    value: Value,
    /// Whether it is as true as it can be.
    pub(super) live: bool,
    /// The metric's name.
    pub(super) name: String,
    /// The value with its unit.
    pub(super) text: String,
    stale_text: bool,
}

/// What one row shows.
#[derive(Debug)]
pub(super) struct Row {
    /// What it is called: by the person, or by itself.
    name: String,
    spec_kind: String,
    /// Its id, where the name alone does not tell which it is.
    mark: Option<String>,
    /// Of what was known of names, and of devices, then.
    known: Option<(u64, u64)>,
    /// Its name for people.
    pub(super) title: String,
    /// What kind of thing it is.
    pub(super) kind: String,
    /// Its status.
    pub(super) status: Status,
    /// Since when, by the hub's clock.
    pub(super) since: WallMs,
    /// How far its readings are to be believed, together.
    pub(super) freshness: Freshness,
    /// The main readings.
    pub(super) readings: Vec<Shown>,
    /// The first number's recent past: each from 0 to 1; a line begins where `.0` is set.
    pub(super) spark: Vec<(bool, f32, f32)>,
    heard: Option<WallMs>,
    /// The hub's clock minus ours.
    skew_ms: i64,
    spark_of: (WallMs, usize),
    points: Vec<Point>,
    every_ms: i64,
    stale_spark: bool,
    frame: u64,
}

impl Row {
    fn new() -> Row {
        Row {
            name: String::new(),
            spec_kind: String::new(),
            mark: None,
            known: None,
            title: String::new(),
            kind: String::new(),
            status: Status::Unknown,
            since: 0,
            freshness: Freshness::Unknown,
            readings: Vec::new(),
            spark: Vec::new(),
            heard: None,
            skew_ms: 0,
            spark_of: (0, 0),
            points: Vec::new(),
            every_ms: 0,
            stale_spark: false,
            frame: 0,
        }
    }

    /// Copies what changed. The model is locked: nothing is formatted here.
    fn copy(&mut self, connection: &Connection, device: &Device) {
        if self.spec_kind != device.spec.kind {
            self.spec_kind.clone_from(&device.spec.kind);
            self.title.clear();
        }
        let known = (connection.known_devices.version(), connection.devices.version());
        if self.known != Some(known) {
            self.known = Some(known);
            let (name, mark) = connection.device_name(&device.spec);
            if (self.name.as_str(), &self.mark) != (name, &mark) {
                (self.name, self.mark) = (name.to_owned(), mark);
                self.title.clear();
            }
        }
        self.status = connection.status(device);
        self.since = device.since;
        self.heard = device.heard;
        self.skew_ms = connection.clock_skew_ms.unwrap_or(0);
        self.every_ms = device.every_ms().map_or(0, |ms| ms as i64);
        // A metric that had a value keeps its place: one that fails now is seen to fail.
        let is_main = |latest: &&Latest| latest.received > 0 && latest.metric.kind != MetricType::Text;
        let mut count = 0;
        for latest in device.latest.iter().filter(is_main).take(READINGS) {
            match self.readings.get_mut(count) {
                Some(shown) => shown.copy(latest),
                None => self.readings.push(Shown::of(latest)),
            }
            count += 1;
        }
        self.readings.truncate(count);
        let is_number = |latest: &&Latest| latest.metric.kind == MetricType::Number && latest.received > 0;
        match device.latest.iter().find(is_number) {
            Some(latest) => self.copy_points(latest),
            None => self.spark.clear(),
        }
        self.freshness = match self.status {
            Status::Unknown => Freshness::Unknown,
            Status::Silent | Status::Offline => Freshness::Stale,
            Status::Online if self.readings.iter().any(|shown| shown.live) => Freshness::Live,
            Status::Online if self.readings.is_empty() => Freshness::Live,
            Status::Online => Freshness::Replayed,
        };
    }

    fn copy_points(&mut self, latest: &Latest) {
        let raw = latest.series.raw();
        let of = (latest.received, raw.len());
        if self.spark_of != of {
            self.spark_of = of;
            self.stale_spark = true;
            self.points.clear();
            self.points.extend(raw);
        }
    }

    /// Makes texts and the sparkline of what changed.
    fn prepare(&mut self, words: &Words, key: &Key) {
        if self.title.is_empty() {
            self.title = title(words, &self.name, key.device.as_str(), self.mark.as_deref());
            self.kind = kind(words, &self.spec_kind, key.device.as_str());
        }
        for shown in &mut self.readings {
            if std::mem::take(&mut shown.stale_text) {
                shown.text = value::reading(words, &shown.metric, &shown.value);
            }
            if shown.name.is_empty() {
                shown.name = metric_name(words, key.device.as_str(), shown.metric.name.as_str());
            }
        }
        if std::mem::take(&mut self.stale_spark) {
            self.draw_spark();
        }
    }

    /// At most two points a pixel: the lowest and the highest. A point that is no number ends the line.
    fn draw_spark(&mut self) {
        self.spark.clear();
        let (Some(first), Some(last)) = (self.points.first().copied(), self.points.last().copied()) else {
            return;
        };
        let (mut low, mut high) = (f64::MAX, f64::MIN);
        for point in &self.points {
            low = low.min(point.value);
            high = high.max(point.value);
        }
        let span = (last.at - first.at).max(1) as f64;
        // By halves: the two ends may be further apart than any number.
        let range = high / 2.0 - low / 2.0;
        // What does not change is a line in the middle.
        let y = |value: f64| if range > 0.0 { ((value / 2.0 - low / 2.0) / range) as f32 } else { 0.5 };
        let column = |point: &Point| ((point.at - first.at) as f64 / span * f64::from(size::SPARK.x)) as i32;
        let gap = if self.every_ms > 0 { self.every_ms.saturating_mul(BREAK) } else { i64::MAX };
        let mut rest = self.points.as_slice();
        let mut before = first.at;
        let mut ended = false;
        while let Some(begin) = rest.first() {
            if !begin.value.is_finite() {
                (ended, rest) = (true, &rest[1..]);
                continue;
            }
            let at = column(begin);
            let is_in = |point: &&Point| column(point) == at && point.value.is_finite();
            let count = rest.iter().take_while(is_in).count().max(1);
            let (own, others) = rest.split_at(count);
            let (low, high) = own.iter().fold((f64::MAX, f64::MIN), |(low, high), point| {
                (low.min(point.value), high.max(point.value))
            });
            let begins = std::mem::take(&mut ended) || self.spark.is_empty() || begin.at - before > gap;
            let x = at as f32 / size::SPARK.x;
            self.spark.push((begins, x, y(low)));
            if high > low {
                self.spark.push((false, x, y(high)));
            }
            before = own.last().map_or(before, |point| point.at);
            rest = others;
        }
    }

    /// Its status or freshness, and how long ago it spoke where that matters. Asks for its next change.
    pub(super) fn standing(&self, cx: &mut Cx) -> String {
        let words = cx.words.devices;
        let word = match self.freshness {
            Freshness::Replayed => (words.freshness)(Freshness::Replayed),
            _ => (words.status)(self.status),
        };
        let Some(heard) = self.heard else {
            return (words.never_spoke)(word);
        };
        let age = cx.now.wall_ms.saturating_add(self.skew_ms).saturating_sub(heard);
        if self.freshness == Freshness::Live && age < RECENT_MS {
            cx.deadline.at(cx.now.boot_ms.saturating_add((RECENT_MS - age.max(-RECENT_MS)) as u64));
            return word.to_owned();
        }
        cx.deadline.at(cx.now.boot_ms.saturating_add(value::age_changes_in(age)));
        (words.last_spoke)(word, &value::age(cx.words, age))
    }

    /// All of it in one sentence, for screen readers.
    pub(super) fn sentence(&self, standing: &str) -> String {
        let mut all = format!("{}, {standing}", self.title);
        for shown in &self.readings {
            all.push_str(", ");
            all.push_str(&shown.name);
            all.push(' ');
            all.push_str(&shown.text);
        }
        all
    }
}

impl Shown {
    fn of(latest: &Latest) -> Shown {
        Shown {
            metric: latest.metric.clone(),
            value: latest.value.clone(),
            live: latest.live,
            name: String::new(),
            text: String::new(),
            stale_text: true,
        }
    }

    fn copy(&mut self, latest: &Latest) {
        self.live = latest.live;
        if !Arc::ptr_eq(&self.metric, &latest.metric) && self.metric != latest.metric {
            *self = Shown::of(latest);
        } else if self.value != latest.value {
            self.value.clone_from(&latest.value);
            self.stale_text = true;
        }
    }
}

/// The name to show.
pub(super) fn title(words: &Words, name: &str, id: &str, mark: Option<&str>) -> String {
    match name.trim() {
        _ if id == LINK => words.devices.link_name.to_owned(),
        "" => device_label(id, mark, NAME_CHARS),
        name => device_label(name, mark, NAME_CHARS),
    }
}

/// A metric's name to show.
pub(super) fn metric_name(words: &Words, device: &str, name: &str) -> String {
    let own = if device == LINK { (words.devices.link_metric)(name) } else { None };
    own.map_or_else(|| harmless::line(name, NAME_CHARS), str::to_owned)
}

/// The kind to show; empty: none.
pub(super) fn kind(words: &Words, kind: &str, id: &str) -> String {
    match kind.trim() {
        _ if id == LINK => words.devices.link_kind.to_owned(),
        kind => harmless::line(kind, NAME_CHARS),
    }
}

/// The rows on screen, kept from one frame to the next.
#[derive(Default)]
pub(super) struct Cache {
    rows: HashMap<Key, Row>,
    frame: u64,
}

impl Cache {
    /// Brings these rows up to date, each with its place in the model, and lets go of all others.
    pub(super) fn update(&mut self, cx: &Cx, visible: &[(Key, usize)]) {
        self.frame += 1;
        for (key, _) in visible {
            if !self.rows.contains_key(key) {
                self.rows.insert(key.clone(), Row::new());
            }
        }
        let (rows, frame) = (&mut self.rows, self.frame);
        cx.model.read(|model| {
            for (key, place) in visible {
                let Some(connection) = model.connections.get(&key.connection) else { continue };
                let devices = &connection.devices;
                let device = devices.at(*place).filter(|device| device.spec.id == key.device);
                let Some(device) = device.or_else(|| devices.get(key.device.as_str())) else { continue };
                if let Some(row) = rows.get_mut(key) {
                    row.copy(connection, device);
                    row.frame = frame;
                }
            }
        });
        // What is gone from the model is gone from here.
        self.rows.retain(|_, row| row.frame == frame);
        for (key, row) in &mut self.rows {
            row.prepare(cx.words, key);
        }
    }

    /// One that was brought up to date.
    pub(super) fn get(&self, key: &Key) -> Option<&Row> {
        self.rows.get(key)
    }

    /// Lets go of all.
    pub(super) fn clear(&mut self) {
        self.rows.clear();
    }
}
