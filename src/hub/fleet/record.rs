//! [`Record`]: one device as the hub knows it.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::budget;
use super::feed::{Feed, Seq, Slot};
use crate::model::device::{LastValue, METRICS, Metric, MetricName, Rhythm, Spec, Value};
use crate::model::time::WallMs;
use crate::model::{DeviceId, DeviceState, PrincipalId};

/// One device.
pub(super) struct Record {
    /// Its announced description, plus metrics that it never announced.
    pub spec: Spec,
    /// Number of its incarnation; 0 before it was first announced.
    pub incarnation: u64,
    pub online: bool,
    pub since: WallMs,
    pub reason: String,
    /// When it last sent anything, in Unix milliseconds.
    pub heard: Option<WallMs>,
    /// The client that announced it, while connected.
    pub publisher: Option<u64>,
    /// The principal that it is charged to: the first to publish it since the hub started.
    pub owner: Option<PrincipalId>,
    /// Its size in bytes, as charged to the budget.
    pub held: u64,
    pub rhythm: Rhythm,
    /// Its reporting interval as learned before this start of the hub, in milliseconds.
    known_every_ms: Option<u64>,
    /// The last values, in the order of the spec's metrics.
    latest: Vec<Latest>,
    places: HashMap<MetricName, u16, RandomState>,
}

/// The last value of a metric.
#[derive(Clone, Default)]
pub(super) struct Latest {
    pub value: Value,
    pub at: WallMs,
    pub received: WallMs,
    /// Its number in the feed; 0 if it is from before this start of the hub, or there is none.
    pub number: Seq,
    /// Whether there is a value.
    pub said: bool,
    /// Whether the kind of its values is known.
    typed: bool,
}

/// Where a value is stored.
pub(super) enum Place {
    /// At this index.
    At(u16),
    /// At this index, which is new or whose metric changed.
    New(u16),
    /// Nowhere: the device has reached its limit of metrics.
    Full,
}

impl Record {
    /// A device of which only the id is known, and which is online.
    pub(super) fn new(id: DeviceId, now: WallMs) -> Record {
        Record {
            spec: Spec::unannounced(id),
            incarnation: 0,
            online: true,
            since: now,
            reason: String::new(),
            heard: None,
            publisher: None,
            owner: None,
            held: budget::DEVICE_BYTES,
            rhythm: Rhythm::default(),
            known_every_ms: None,
            latest: Vec::new(),
            places: HashMap::default(),
        }
    }

    /// A device as it was stored.
    pub(super) fn restored(state: DeviceState) -> Record {
        let DeviceState { mut spec, incarnation, online, since, reason, heard, every_ms, values } = state;
        let metrics = std::mem::take(&mut spec.metrics);
        let mut record = Record::new(spec.id.clone(), since);
        record.spec = spec;
        let said = values.iter().map(|last| last.received).max();
        (record.incarnation, record.online, record.reason) = (incarnation, online, reason);
        (record.heard, record.known_every_ms) = (heard.max(said), every_ms);
        record.set_metrics(metrics, 0, &mut Feed::default());
        for last in values {
            if let Place::At(place) | Place::New(place) =
                record.place(record.known(&last.metric), &last.metric, &last.value)
            {
                let LastValue { value, at, received, .. } = last;
                record.latest[usize::from(place)] =
                    Latest { value, at, received, number: 0, said: true, typed: true };
            }
        }
        record.held = record.bytes();
        record
    }

    /// Applies a new announcement. Values of metrics that are still announced stay.
    pub(super) fn announce(&mut self, mut spec: Spec, own_place: u32, feed: &mut Feed) {
        let metrics = std::mem::take(&mut spec.metrics);
        self.spec = Spec { metrics: std::mem::take(&mut self.spec.metrics), ..spec };
        self.set_metrics(metrics, own_place, feed);
    }

    fn set_metrics(&mut self, metrics: Vec<Metric>, own_place: u32, feed: &mut Feed) {
        let old_places = std::mem::take(&mut self.places);
        let mut old = std::mem::take(&mut self.latest);
        self.spec.metrics.clear();
        for metric in metrics {
            // A repeated name counts once.
            if self.spec.metrics.len() == METRICS || self.places.contains_key(&metric.name) {
                continue;
            }
            let known = old_places.get(&metric.name).and_then(|place| old.get_mut(usize::from(*place)));
            let mut latest = known.map(std::mem::take).unwrap_or_default();
            latest.typed = true;
            let place = self.push(metric, latest);
            let number = self.latest[usize::from(place)].number;
            feed.moved(number, Slot { device: own_place, metric: place });
        }
        for gone in old {
            feed.forget(gone.number);
        }
    }

    fn push(&mut self, metric: Metric, latest: Latest) -> u16 {
        // There are at most `METRICS`.
        let place = u16::try_from(self.latest.len()).unwrap_or(u16::MAX);
        self.places.insert(metric.name.clone(), place);
        self.spec.metrics.push(metric);
        self.latest.push(latest);
        place
    }

    /// Where a metric's value is stored, given its index from [`Record::known`]. A metric that was never announced is
    /// added with its first value.
    pub(super) fn place(&mut self, known: Option<u16>, name: &MetricName, value: &Value) -> Place {
        let Some(place) = known else {
            if self.latest.len() >= METRICS {
                return Place::Full;
            }
            let typed = *value != Value::Missing;
            let latest = Latest { typed, ..Latest::default() };
            return Place::New(self.push(Metric::of_value(name.clone(), value), latest));
        };
        let latest = &mut self.latest[usize::from(place)];
        if !latest.typed && *value != Value::Missing {
            latest.typed = true;
            let metric = &mut self.spec.metrics[usize::from(place)];
            let kind = Metric::of_value(name.clone(), value).kind;
            if metric.kind != kind {
                metric.kind = kind;
                return Place::New(place);
            }
        }
        Place::At(place)
    }

    /// Estimated memory in bytes.
    pub(super) fn bytes(&self) -> u64 {
        let values = self.latest.iter().map(|latest| budget::of_value(&latest.value));
        budget::of_spec(&self.spec) + values.sum::<u64>()
    }

    /// Estimated memory in bytes with this announcement.
    pub(super) fn bytes_with(&self, spec: &Spec) -> u64 {
        let stays = |metric: &Metric| {
            let place = self.places.get(metric.name.as_str())?;
            self.latest.get(usize::from(*place)).map(|latest| budget::of_value(&latest.value))
        };
        budget::of_spec(spec) + spec.metrics.iter().filter_map(stays).sum::<u64>()
    }

    /// Estimated memory in bytes with this value of a metric.
    pub(super) fn held_with(&self, known: Option<u16>, name: &MetricName, value: &Value) -> u64 {
        match known.and_then(|place| self.latest.get(usize::from(place))) {
            Some(latest) => {
                (self.held + budget::of_value(value)).saturating_sub(budget::of_value(&latest.value))
            }
            // It will be refused anyway.
            None if self.latest.len() >= METRICS => self.held,
            None => {
                let metric = budget::METRIC_BYTES + 2 * name.as_str().len() as u64;
                self.held + metric + budget::of_value(value)
            }
        }
    }

    /// The index of a known metric.
    pub(super) fn known(&self, name: &MetricName) -> Option<u16> {
        self.places.get(name.as_str()).copied()
    }

    /// A metric's last value.
    pub(super) fn latest_mut(&mut self, place: u16) -> &mut Latest {
        // Indexes come from `place`, and metrics are removed only when all indexes change.
        &mut self.latest[usize::from(place)]
    }

    /// A metric and its last value.
    pub(super) fn at(&self, place: u16) -> Option<(&MetricName, &Latest)> {
        let place = usize::from(place);
        Some((&self.spec.metrics.get(place)?.name, self.latest.get(place)?))
    }

    /// Its state without values.
    pub(super) fn state(&self) -> DeviceState {
        DeviceState {
            spec: self.spec.clone(),
            incarnation: self.incarnation,
            online: self.online,
            since: self.since,
            reason: self.reason.clone(),
            heard: self.heard,
            every_ms: self.spec.every_ms().or(self.rhythm.every_ms()).or(self.known_every_ms),
            values: Vec::new(),
        }
    }

    /// Its state, with the values up to this number: newer ones follow as readings.
    pub(super) fn state_at(&self, number: Seq) -> DeviceState {
        let known = self.spec.metrics.iter().zip(&self.latest);
        let known = known.filter(|(_, latest)| latest.said && latest.number <= number);
        let values = known.map(|(metric, latest)| LastValue {
            metric: metric.name.clone(),
            value: latest.value.clone(),
            at: latest.at,
            received: latest.received,
        });
        DeviceState { values: values.collect(), ..self.state() }
    }
}
