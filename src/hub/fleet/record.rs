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
    /// What it said about itself, and the metrics that it never announced.
    pub spec: Spec,
    /// Which of its lives this is; 0 before it was first announced.
    pub incarnation: u64,
    pub online: bool,
    pub since: WallMs,
    pub reason: String,
    /// When it last said anything.
    pub heard: Option<WallMs>,
    /// The station that announced it and is still there.
    pub publisher: Option<u64>,
    /// Whose budget it is in: that of the first who said anything of it since the hub was started.
    pub owner: Option<PrincipalId>,
    /// What it takes in memory, as the budget has it.
    pub held: u64,
    pub rhythm: Rhythm,
    /// Its interval as it was learned before this hub's start.
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
    /// Its number in the feed; 0: from before this hub's start, or none yet.
    pub number: Seq,
    /// There has been one.
    pub said: bool,
    /// What kind of value it has is known.
    typed: bool,
}

/// Where a value goes.
pub(super) enum Place {
    /// There.
    At(u16),
    /// There, and the device's metrics are others than before.
    New(u16),
    /// The device has as many metrics as there may be.
    Full,
}

impl Record {
    /// A device of which only the id is known; it speaks.
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

    /// A device as it was.
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

    /// Takes another announcement in. What was measured stays, where it is still announced.
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
            // A name that comes twice counts once.
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

    /// Where a metric's value goes, given its place as [`Record::known`] has it. One that was never announced is known by
    /// its first value.
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

    /// What it takes in memory.
    pub(super) fn bytes(&self) -> u64 {
        let values = self.latest.iter().map(|latest| budget::of_value(&latest.value));
        budget::of_spec(&self.spec) + values.sum::<u64>()
    }

    /// What it would take in memory with this announcement.
    pub(super) fn bytes_with(&self, spec: &Spec) -> u64 {
        let stays = |metric: &Metric| {
            let place = self.places.get(metric.name.as_str())?;
            self.latest.get(usize::from(*place)).map(|latest| budget::of_value(&latest.value))
        };
        budget::of_spec(spec) + spec.metrics.iter().filter_map(stays).sum::<u64>()
    }

    /// What it would take in memory with this value of a metric.
    pub(super) fn held_with(&self, known: Option<u16>, name: &MetricName, value: &Value) -> u64 {
        match known.and_then(|place| self.latest.get(usize::from(place))) {
            Some(latest) => {
                (self.held + budget::of_value(value)).saturating_sub(budget::of_value(&latest.value))
            }
            // There is no room for it anyway.
            None if self.latest.len() >= METRICS => self.held,
            None => {
                let metric = budget::METRIC_BYTES + 2 * name.as_str().len() as u64;
                self.held + metric + budget::of_value(value)
            }
        }
    }

    /// The place of a metric that is known.
    pub(super) fn known(&self, name: &MetricName) -> Option<u16> {
        self.places.get(name.as_str()).copied()
    }

    /// A metric's last value.
    pub(super) fn latest_mut(&mut self, place: u16) -> &mut Latest {
        // Places come from `place`, and metrics go only when all places change.
        &mut self.latest[usize::from(place)]
    }

    /// A metric and its last value.
    pub(super) fn at(&self, place: u16) -> Option<(&MetricName, &Latest)> {
        let place = usize::from(place);
        Some((&self.spec.metrics.get(place)?.name, self.latest.get(place)?))
    }

    /// How it is known, without its values.
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

    /// How it is known, with those of its values that are not newer than a number: the others follow.
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
