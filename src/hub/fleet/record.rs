//! [`Record`]: one device as the hub knows it.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::budget;
use super::feed::{Feed, Seq, Slot};
use crate::model::device::{IntervalEstimator, LastValue, METRICS, Metric, MetricName, Spec, Value};
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
    pub rhythm: IntervalEstimator,
    /// Its reporting interval as learned before this start of the hub, in milliseconds.
    known_every_ms: Option<u64>,
    /// The last values, in the order of the spec's metrics.
    latest: Vec<Latest>,
    indexes: HashMap<MetricName, u16, RandomState>,
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
    pub has_value: bool,
    /// Whether the kind of its values is known.
    typed: bool,
}

/// Where a value is stored.
pub(super) enum ValueIndex {
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
            rhythm: IntervalEstimator::default(),
            known_every_ms: None,
            latest: Vec::new(),
            indexes: HashMap::default(),
        }
    }

    /// A device as it was stored.
    pub(super) fn restored(state: DeviceState) -> Record {
        let DeviceState { mut spec, incarnation, online, since, reason, heard, every_ms, values } = state;
        let metrics = std::mem::take(&mut spec.metrics);
        let mut record = Record::new(spec.id.clone(), since);
        record.spec = spec;
        let last_received = values.iter().map(|last| last.received).max();
        (record.incarnation, record.online, record.reason) = (incarnation, online, reason);
        (record.heard, record.known_every_ms) = (heard.max(last_received), every_ms);
        record.set_metrics(metrics, 0, &mut Feed::default());
        for last in values {
            if let ValueIndex::At(index) | ValueIndex::New(index) =
                record.value_index(record.known(&last.metric), &last.metric, &last.value)
            {
                let LastValue { value, at, received, .. } = last;
                record.latest[usize::from(index)] =
                    Latest { value, at, received, number: 0, has_value: true, typed: true };
            }
        }
        record.held = record.bytes();
        record
    }

    /// Applies a new announcement. Values of metrics that are still announced stay.
    pub(super) fn announce(&mut self, mut spec: Spec, own_index: u32, feed: &mut Feed) {
        let metrics = std::mem::take(&mut spec.metrics);
        self.spec = Spec { metrics: std::mem::take(&mut self.spec.metrics), ..spec };
        self.set_metrics(metrics, own_index, feed);
    }

    fn set_metrics(&mut self, metrics: Vec<Metric>, own_index: u32, feed: &mut Feed) {
        let old_indexes = std::mem::take(&mut self.indexes);
        let mut old = std::mem::take(&mut self.latest);
        self.spec.metrics.clear();
        for metric in metrics {
            // A repeated name counts once.
            if self.spec.metrics.len() == METRICS || self.indexes.contains_key(&metric.name) {
                continue;
            }
            let known = old_indexes.get(&metric.name).and_then(|index| old.get_mut(usize::from(*index)));
            let mut latest = known.map(std::mem::take).unwrap_or_default();
            latest.typed = true;
            let index = self.push(metric, latest);
            let number = self.latest[usize::from(index)].number;
            feed.moved(number, Slot { device: own_index, metric: index });
        }
        for gone in old {
            feed.forget(gone.number);
        }
    }

    fn push(&mut self, metric: Metric, latest: Latest) -> u16 {
        // There are at most `METRICS`.
        let index = u16::try_from(self.latest.len()).unwrap_or(u16::MAX);
        self.indexes.insert(metric.name.clone(), index);
        self.spec.metrics.push(metric);
        self.latest.push(latest);
        index
    }

    /// Where a metric's value is stored, given its index from [`Record::known`]. A metric that was never announced is
    /// added with its first value.
    pub(super) fn value_index(&mut self, known: Option<u16>, name: &MetricName, value: &Value) -> ValueIndex {
        let Some(index) = known else {
            if self.latest.len() >= METRICS {
                return ValueIndex::Full;
            }
            let typed = *value != Value::Missing;
            let latest = Latest { typed, ..Latest::default() };
            return ValueIndex::New(self.push(Metric::of_value(name.clone(), value), latest));
        };
        let latest = &mut self.latest[usize::from(index)];
        if !latest.typed && *value != Value::Missing {
            latest.typed = true;
            let metric = &mut self.spec.metrics[usize::from(index)];
            let kind = Metric::of_value(name.clone(), value).kind;
            if metric.kind != kind {
                metric.kind = kind;
                return ValueIndex::New(index);
            }
        }
        ValueIndex::At(index)
    }

    /// Estimated memory in bytes.
    pub(super) fn bytes(&self) -> u64 {
        let values = self.latest.iter().map(|latest| budget::of_value(&latest.value));
        budget::of_spec(&self.spec) + values.sum::<u64>()
    }

    /// Estimated memory in bytes with this announcement.
    pub(super) fn bytes_with(&self, spec: &Spec) -> u64 {
        let stays = |metric: &Metric| {
            let index = self.indexes.get(metric.name.as_str())?;
            self.latest.get(usize::from(*index)).map(|latest| budget::of_value(&latest.value))
        };
        budget::of_spec(spec) + spec.metrics.iter().filter_map(stays).sum::<u64>()
    }

    /// Estimated memory in bytes with this value of a metric.
    pub(super) fn held_with(&self, known: Option<u16>, name: &MetricName, value: &Value) -> u64 {
        match known.and_then(|index| self.latest.get(usize::from(index))) {
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
        self.indexes.get(name.as_str()).copied()
    }

    /// A metric's last value.
    pub(super) fn latest_mut(&mut self, index: u16) -> &mut Latest {
        // Indexes come from `place`, and metrics are removed only when all indexes change.
        &mut self.latest[usize::from(index)]
    }

    /// A metric and its last value.
    pub(super) fn at(&self, index: u16) -> Option<(&MetricName, &Latest)> {
        let index = usize::from(index);
        Some((&self.spec.metrics.get(index)?.name, self.latest.get(index)?))
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
        let known = known.filter(|(_, latest)| latest.has_value && latest.number <= number);
        let values = known.map(|(metric, latest)| LastValue {
            metric: metric.name.clone(),
            value: latest.value.clone(),
            at: latest.at,
            received: latest.received,
        });
        DeviceState { values: values.collect(), ..self.state() }
    }
}
