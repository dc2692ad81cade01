//! What the visible devices show. Copied out of the model in one short read; only what changed is formatted,
//! after the lock is released.

use std::collections::HashMap;
use std::sync::Arc;

use super::cut::Cut;
use super::shown::Shown;
use super::spark::Spark;
use super::view::{DeviceKey, Trouble};
use crate::model::Connection;
use crate::model::device::{Freshness, Metric, MetricName, MetricType, Status};
use crate::model::devices::{Device, Latest};
use crate::model::known::device_label;
use crate::model::link_device::LINK;
use crate::model::time::WallMs;
use crate::ui::text::Words;
use crate::ui::{Cx, harmless, value};

/// Maximum number of characters of a name.
const MAX_NAME_CHARS: usize = 80;
/// Readings newer than this count as current, in milliseconds: ticking ages next to live values would be
/// noise.
pub(super) const RECENT_MS: i64 = 10_000;
/// Maximum number of readings per device read out by a screen reader.
const MAX_SPOKEN: usize = 6;

/// The readings to show of a device.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Which {
    /// Up to this many, starting with the first metric that ever had a value.
    First(usize),
    /// These, each in its column, followed by up to this many others.
    Named(Arc<[MetricName]>, usize),
}

/// The content of a row.
#[derive(Debug)]
pub(super) struct Row {
    /// The name chosen by the person, or else the announced one.
    name: String,
    spec_kind: String,
    /// Its id, if the name alone is ambiguous.
    mark: Option<String>,
    /// Revisions of the name and device tables that the texts were made from.
    known: Option<(u64, u64)>,
    /// Display name.
    pub(super) title: String,
    /// Layout of `title`.
    pub(super) title_cut: Cut,
    /// Kind of device.
    pub(super) kind: String,
    /// Layout of `kind`.
    pub(super) kind_cut: Cut,
    /// Its status.
    pub(super) status: Status,
    /// Its trouble.
    pub(super) trouble: Trouble,
    /// Time of the last status change, by the hub's clock.
    pub(super) since: WallMs,
    /// The reason it gave for going offline.
    pub(super) reason: String,
    /// Freshness of its readings as a whole.
    pub(super) freshness: Freshness,
    /// The readings; `None` for a metric that it does not have.
    pub(super) readings: Vec<Option<Shown>>,
    /// A metric whose sensor failed.
    failing: Option<Arc<Metric>>,
    /// Sparkline of the first numeric metric.
    pub(super) spark: Spark,
    heard: Option<WallMs>,
    /// The hub's clock minus ours, in milliseconds.
    skew_ms: i64,
    frame: u64,
}

/// A device's status as text.
pub(super) struct StatusText {
    /// Text to draw; empty if nothing is wrong.
    pub(super) drawn: String,
    /// Text for screen readers.
    pub(super) spoken: String,
}

impl Row {
    fn new() -> Row {
        Row {
            name: String::new(),
            spec_kind: String::new(),
            mark: None,
            known: None,
            title: String::new(),
            title_cut: Cut::default(),
            kind: String::new(),
            kind_cut: Cut::default(),
            status: Status::Unknown,
            trouble: Trouble::Unknown,
            since: WallMs(0),
            reason: String::new(),
            freshness: Freshness::Unknown,
            readings: Vec::new(),
            failing: None,
            spark: Spark::default(),
            heard: None,
            skew_ms: 0,
            frame: 0,
        }
    }

    /// Copies what changed. The model is locked, so nothing is formatted here.
    fn copy(&mut self, connection: &Connection, device: &Device, which: &Which, spark: bool) {
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
        self.trouble = Trouble::of(self.status, device.failing > 0);
        self.since = device.since;
        if self.reason != device.reason {
            self.reason.clone_from(&device.reason);
        }
        self.heard = device.heard;
        self.skew_ms = connection.clock_skew_ms.unwrap_or(0);
        self.failing = match self.trouble {
            Trouble::Faulty => {
                device.latest.iter().find(|latest| latest.is_trouble()).map(|l| l.metric.clone())
            }
            _ => None,
        };
        self.copy_readings(device, which);
        let is_number =
            |latest: &&Latest| latest.metric.kind == MetricType::Number && latest.received > WallMs(0);
        match device.latest.iter().find(is_number).filter(|_| spark) {
            Some(latest) => self.spark.copy(latest, device.every_ms().map_or(0, |ms| ms as i64)),
            None => self.spark.clear(),
        }
        let mut known = self.readings.iter().flatten();
        self.freshness = match self.status {
            Status::Unknown => Freshness::Unknown,
            Status::Silent | Status::Offline => Freshness::Stale,
            Status::Online | Status::Asleep => match known.next() {
                Some(first) if !first.live && !known.any(|shown| shown.live) => Freshness::Replayed,
                _ => Freshness::Live,
            },
        };
    }

    fn copy_readings(&mut self, device: &Device, which: &Which) {
        // A metric that ever had a value keeps its place, so that a failure is visible.
        let has_told = |latest: &&Latest| latest.received > WallMs(0);
        let is_shown = |latest: &&Latest| has_told(latest) && !latest.metric.hidden;
        let mut count = 0;
        let mut put = |latest: Option<&Latest>| {
            match (self.readings.get_mut(count), latest) {
                (Some(Some(shown)), Some(latest)) => shown.copy(latest),
                (Some(place), latest) => *place = latest.map(Shown::of),
                (None, latest) => self.readings.push(latest.map(Shown::of)),
            }
            count += 1;
        };
        match which {
            Which::First(most) => {
                device.latest.iter().filter(is_shown).take(*most).for_each(|latest| put(Some(latest)));
            }
            Which::Named(names, others) => {
                for name in names.iter() {
                    let is_it = |latest: &&Latest| latest.metric.name == *name;
                    put(device.latest.iter().find(is_it).filter(has_told));
                }
                let is_other = |latest: &&Latest| is_shown(latest) && !names.contains(&latest.metric.name);
                device.latest.iter().filter(is_other).take(*others).for_each(|latest| put(Some(latest)));
            }
        }
        self.readings.truncate(count);
    }

    /// Formats the texts and the sparkline that changed.
    fn prepare(&mut self, words: &Words, key: &DeviceKey) {
        if self.title.is_empty() {
            self.title = title(&self.name, key.device.as_str(), self.mark.as_deref());
            self.kind = kind(words, &self.spec_kind, key.device.as_str());
            self.title_cut.clear();
            self.kind_cut.clear();
        }
        for shown in self.readings.iter_mut().flatten() {
            shown.prepare(words, key.device.as_str());
        }
        self.spark.prepare();
    }

    /// The status text, with an age where it matters. Schedules the next repaint for it.
    pub(super) fn said(&self, cx: &mut Cx, key: &DeviceKey) -> StatusText {
        let words = cx.words.devices;
        let word = match self.freshness {
            Freshness::Replayed => (words.freshness)(Freshness::Replayed),
            _ => words.trouble(self.trouble),
        };
        // If the link is down, every device is unknown and the connection's row says why.
        let is_quiet = matches!(self.trouble, Trouble::None | Trouble::Unknown);
        if let Some(metric) = &self.failing {
            let metric = metric_name(cx.words, key.device.as_str(), metric.label());
            let said = (words.no_value)(&metric);
            return StatusText { spoken: format!("{word}, {said}"), drawn: said };
        }
        if self.heard.is_none() && self.freshness == Freshness::Replayed {
            let drawn = words.age_unknown.to_owned();
            return StatusText { spoken: format!("{word}, {drawn}"), drawn };
        }
        let Some(heard) = self.heard else {
            let spoken = (words.never_spoke)(word);
            return StatusText { drawn: words.no_data_yet.to_owned(), spoken };
        };
        let age = cx.now.wall_ms.saturating_add(self.skew_ms).since(heard);
        if self.freshness == Freshness::Live && age < RECENT_MS {
            cx.deadline.at(cx.now.boot_ms.saturating_add((RECENT_MS - age.max(-RECENT_MS)) as u64));
            return StatusText { drawn: String::new(), spoken: word.to_owned() };
        }
        cx.deadline.at(cx.now.boot_ms.saturating_add(value::age_changes_in(age)));
        let ago = value::age(cx.words, age);
        let spoken = (words.last_spoke)(word, &ago);
        StatusText { drawn: if is_quiet { ago } else { spoken.clone() }, spoken }
    }

    /// The whole row as a sentence, for screen readers.
    pub(super) fn sentence(&self, said: &str) -> String {
        let mut all = format!("{}, {said}", self.title);
        for shown in self.readings.iter().flatten().take(MAX_SPOKEN) {
            all.push_str(", ");
            all.push_str(&shown.name);
            all.push(' ');
            all.push_str(&shown.text);
        }
        all
    }

    /// Whether its readings are current.
    pub(super) fn is_live(&self) -> bool {
        self.freshness == Freshness::Live
    }
}

/// The display name.
pub(super) fn title(name: &str, id: &str, mark: Option<&str>) -> String {
    match name.trim() {
        "" => device_label(id, mark, MAX_NAME_CHARS),
        name => device_label(name, mark, MAX_NAME_CHARS),
    }
}

/// Display name of a metric.
pub(super) fn metric_name(words: &Words, device: &str, name: &str) -> String {
    let own = if device == LINK { (words.devices.link_metric)(name) } else { None };
    own.map_or_else(|| harmless::line(name, MAX_NAME_CHARS), str::to_owned)
}

/// Display name of a kind; empty if the device has none.
pub(super) fn kind(words: &Words, kind: &str, id: &str) -> String {
    match kind.trim() {
        _ if id == LINK => words.devices.link_kind.to_owned(),
        kind => harmless::line(kind, MAX_NAME_CHARS),
    }
}

/// A device on screen.
#[derive(Clone, Debug)]
pub(super) struct Visible {
    /// Which device it is.
    pub(super) key: DeviceKey,
    /// Index in the model.
    pub(super) place: usize,
    /// Index of its section.
    pub(super) section: usize,
}

/// The rows on screen, kept between frames.
#[derive(Default)]
pub(super) struct Cache {
    rows: HashMap<DeviceKey, Row>,
    frame: u64,
}

impl Cache {
    /// Updates the given rows and drops all others. `which` lists the readings to show, by section.
    pub(super) fn update(
        &mut self,
        cx: &Cx,
        visible: &[Visible],
        which: impl Fn(usize) -> Option<Which>,
        spark: bool,
    ) {
        self.frame += 1;
        for Visible { key, .. } in visible {
            if !self.rows.contains_key(key) {
                self.rows.insert(key.clone(), Row::new());
            }
        }
        let (rows, frame) = (&mut self.rows, self.frame);
        let mut of: Option<(usize, Which)> = None;
        let mut asked = Vec::with_capacity(visible.len());
        for Visible { section, .. } in visible {
            if of.as_ref().is_none_or(|(known, _)| known != section) {
                of = which(*section).map(|which| (*section, which));
            }
            asked.push(of.as_ref().map(|(_, which)| which.clone()));
        }
        cx.model.read(|model| {
            for (Visible { key, place, .. }, which) in visible.iter().zip(&asked) {
                let (Some(connection), Some(which)) = (model.connections.get(&key.connection), which) else {
                    continue;
                };
                let devices = &connection.devices;
                let device = devices.at(*place).filter(|device| device.spec.id == key.device);
                let Some(device) = device.or_else(|| devices.get(key.device.as_str())) else { continue };
                if let Some(row) = rows.get_mut(key) {
                    row.copy(connection, device, which, spark);
                    row.frame = frame;
                }
            }
        });
        // Drop rows that are no longer on screen.
        self.rows.retain(|_, row| row.frame == frame);
        for (key, row) in &mut self.rows {
            row.prepare(cx.words, key);
        }
    }

    /// A row that was updated in this frame.
    pub(super) fn get(&self, key: &DeviceKey) -> Option<&Row> {
        self.rows.get(key)
    }

    /// Mutable access to a row, for its layout caches.
    pub(super) fn get_mut(&mut self, key: &DeviceKey) -> Option<&mut Row> {
        self.rows.get_mut(key)
    }

    /// Drops all rows.
    pub(super) fn clear(&mut self) {
        self.rows.clear();
    }
}
