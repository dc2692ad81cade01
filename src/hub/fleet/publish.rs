//! What devices publish: announcements, presence and readings; and who may publish for a device.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::feed::{CHUNK_BYTES, Feed, Seq, Slot};
use super::record::{Record, ValueIndex};
use super::{DeviceHub, Inner, wall_now};
use crate::model::device::{DeviceLogEvent, METRICS};
use crate::model::time::{BootMs, WallMs};
use crate::model::{DeviceId, LogLine, MetricName, Principal, PrincipalKind, Readings, Sample, Spec, Value};
use crate::wire::duplex::readings;
use crate::wire::duplex::server::{HubAnswer, HubDeviceAnswer};

/// Maximum size of an announcement, in bytes of JSON.
const MAX_SPEC_BYTES: usize = 64 * 1024;
/// Maximum size of a text reading, in bytes of JSON: a device with all its metrics must fit into one frame.
const MAX_TEXT_BYTES: usize = 1024;
/// Maximum length of a reason, in characters.
const MAX_REASON_CHARS: usize = 256;
/// Times beyond this are dropped, in milliseconds: no clock shows them, and sums would overflow.
const FAR: u64 = 1 << 53;
/// The code for readings that were passed on but not stored.
pub(in crate::hub) const NOT_KEPT: &str = "not_kept";
/// Maximum number of refusals reported for one message.
const MAX_REFUSALS: usize = 8;
/// Maximum number of metrics named in one refusal.
const MAX_NAMED: usize = 8;

/// Who publishes for a device.
#[derive(Copy, Clone)]
pub(in crate::hub) struct Publisher<'a> {
    /// The principal of its token.
    pub principal: &'a Principal,
    /// Its connection; `None` over HTTP.
    pub client: Option<u64>,
}

impl Publisher<'_> {
    fn may_speak_for(&self, device: &DeviceId) -> bool {
        match self.principal.kind {
            PrincipalKind::Admin => !device.as_str().starts_with('~'),
            PrincipalKind::Device => self.principal.id.0 == device.as_str(),
            PrincipalKind::Person => false,
        }
    }
}

/// Device details that an HTTP request carries besides its readings.
#[derive(Debug, Default)]
pub(in crate::hub) struct DeviceHints {
    pub name: Option<String>,
    pub kind: Option<String>,
    pub expect_every_s: Option<f64>,
    pub units: Vec<(MetricName, String)>,
}

fn refused(device: &DeviceId, code: &'static str, detail: &str) -> HubAnswer {
    HubAnswer::Device(HubDeviceAnswer::Refused {
        device: device.to_string(),
        code,
        detail: detail.to_owned(),
    })
}

fn not_allowed(device: &DeviceId) -> HubAnswer {
    refused(device, "not_allowed", "this token may not publish for this device")
}

impl DeviceHub {
    /// A device announces itself over a connection and is online while that lasts. Returns a refusal.
    pub(super) fn announce(&self, from: Publisher<'_>, mut spec: Spec, now: BootMs) -> Option<HubAnswer> {
        if !from.may_speak_for(&spec.id) {
            return Some(not_allowed(&spec.id));
        }
        let size = serde_json::to_string(&spec).map_or(0, |text| text.len());
        if size > MAX_SPEC_BYTES {
            return Some(refused(&spec.id, "too_large", "an announcement is limited to 64 KiB"));
        }
        spec.metrics.truncate(METRICS);
        let wall = wall_now();
        let mut inner = self.lock();
        let index = match inner.find_or_add(from, &spec.id, wall) {
            Ok((index, _)) => index,
            Err(answer) => return Some(answer),
        };
        let Inner { records, budget, .. } = &mut *inner;
        let record = &mut records[index as usize];
        let held = record.bytes_with(&spec);
        if let Err(full) = budget.grow(record.owner.as_ref(), record.held, held) {
            return Some(refused(&spec.id, "quota", full));
        }
        record.held = held;
        inner.disown(index);
        let Inner { records, feed, .. } = &mut *inner;
        let record = &mut records[index as usize];
        let came = !record.online || record.heard.is_none();
        record.announce(spec, index, feed);
        record.publisher = from.client;
        record.incarnation = (record.incarnation + 1).max(u64::try_from(wall.0).unwrap_or(0));
        record.heard = Some(wall);
        if came {
            (record.online, record.since, record.reason) = (true, wall, String::new());
        }
        if let Some(client_state) = from.client.and_then(|client| inner.clients.get_mut(&client)) {
            client_state.devices.push(index);
        }
        let head = inner.feed.head();
        inner.tell_device(head, index);
        let record = &inner.records[index as usize];
        inner.keep(record);
        if came {
            inner.note(&record.spec.id, LogLine { at: wall, what: DeviceLogEvent::Online });
        }
        inner.send_waiting_commands(index, now);
        None
    }

    /// A device that this connection announced goes online or offline. Returns a refusal.
    pub(super) fn set_presence(
        &self,
        client: u64,
        device: &DeviceId,
        online: bool,
        reason: &str,
        now: BootMs,
    ) -> Option<HubAnswer> {
        let mut inner = self.lock();
        let Some(index) = inner.by_id.get(device).copied() else {
            return Some(refused(device, "unknown_device", "no device with this id was announced"));
        };
        if inner.records[index as usize].publisher != Some(client) {
            return Some(refused(device, "not_allowed", "this connection has not announced this device"));
        }
        let wall = wall_now();
        inner.records[index as usize].heard = Some(wall);
        if inner.records[index as usize].online != online {
            let reason = if online { "" } else { reason };
            let (after, reason) = (inner.feed.head(), reason.chars().take(MAX_REASON_CHARS).collect());
            inner.set_online(after, index, online, reason, wall);
        }
        if online {
            inner.send_waiting_commands(index, now);
        }
        None
    }

    /// A connection ends: the devices that it announced go offline.
    pub(super) fn leave(&self, client: u64, closing: bool) {
        let mut inner = self.lock();
        let Some(client_state) = inner.clients.remove(&client) else { return };
        let wall = wall_now();
        for index in client_state.devices {
            let record = &mut inner.records[index as usize];
            record.publisher = None;
            if record.online && !closing {
                let will = record.spec.will.chars().take(MAX_REASON_CHARS).collect();
                let after = inner.feed.head();
                inner.set_online(after, index, false, will, wall);
            }
        }
    }

    /// Accepts readings. Returns refusals, and how many readings were accepted.
    pub(in crate::hub) fn publish(
        &self,
        from: Publisher<'_>,
        readings: Readings,
        hints: Option<DeviceHints>,
        now: BootMs,
    ) -> (Vec<HubAnswer>, u64) {
        let mut inner = self.lock();
        let mut intake = Intake::new(inner.feed.head());
        let Readings { samples, values, .. } = readings;
        let mut values = values.into_iter();
        for sample in samples {
            let own = values.by_ref().take(sample.count as usize);
            match inner.find_to_publish(from, &sample.device, sample.received) {
                Ok((index, is_new)) => inner.accept_sample(&mut intake, (index, is_new), sample, own, now),
                Err(refusal) => {
                    own.for_each(drop);
                    intake.refuse_with(refusal);
                }
            }
        }
        intake.flush(&mut inner.feed);
        if let Some((hints, first)) = hints.zip(intake.accepted.samples.first()) {
            inner.learn(&first.device.clone(), hints);
        }
        let taken = intake.accepted.values.len() as u64;
        if taken > 0 {
            inner.head.send_replace(inner.feed.head());
        }
        drop(inner);
        let Intake { accepted, refusals, .. } = intake;
        let mut refusals: Vec<HubAnswer> = refusals.into_iter().map(Refusal::answer).collect();
        if let Some(first) = accepted.samples.first().map(|sample| sample.device.clone()) {
            refusals.extend(self.keep(from, &first, accepted));
        }
        (refusals, taken)
    }

    /// Stores readings, or reports that they are not stored: for every HTTP request, and once per connection and
    /// failure episode.
    fn keep(&self, from: Publisher<'_>, device: &DeviceId, readings: Readings) -> Option<HubAnswer> {
        let (keeping, values) = (&self.keeping, readings.values.len() as u64);
        let kept = match self.store.as_ref().filter(|store| store.is_keeping()) {
            Some(store) => store.keep(super::SOURCE, Arc::new(readings)),
            None => {
                keeping.lost.fetch_add(values, Ordering::Relaxed);
                false
            }
        };
        if kept {
            if keeping.is_failing.swap(false, Ordering::Relaxed) {
                log::info!("readings are stored again");
            }
            return None;
        }
        if !keeping.is_failing.swap(true, Ordering::Relaxed) {
            keeping.episode.fetch_add(1, Ordering::Relaxed);
            log::warn!("readings are passed on but not stored: {}", self.why_not_kept());
        }
        if let Some(client) = from.client {
            let episode = keeping.episode.load(Ordering::Relaxed);
            let mut inner = self.lock();
            let client_state = inner.clients.get_mut(&client)?;
            if std::mem::replace(&mut client_state.reported_episode, episode) == episode {
                return None;
            }
        }
        Some(refused(device, NOT_KEPT, "passed on, but not stored: the hub's disk is not writable"))
    }

    fn why_not_kept(&self) -> String {
        match &self.store {
            Some(store) => store.trouble().unwrap_or_else(|| "the disk cannot keep up".to_owned()),
            None => "their database could not be opened at the start".to_owned(),
        }
    }
}

/// Rejected readings of a device with one reason, naming the first of the metrics.
struct Refusal {
    device: String,
    code: &'static str,
    detail: String,
    metrics: Vec<MetricName>,
    more: bool,
}

impl Refusal {
    fn answer(self) -> HubAnswer {
        let Refusal { device, code, detail, metrics, more } = self;
        let mut names: Vec<String> = metrics.iter().map(|metric| format!("`{metric}`")).collect();
        if more {
            names.push("…".to_owned());
        }
        let detail = if names.is_empty() { detail } else { format!("{}: {detail}", names.join(", ")) };
        HubAnswer::Device(HubDeviceAnswer::Refused { device, code, detail })
    }
}

/// The outcome of one publish.
struct Intake {
    /// Accepted readings.
    accepted: Readings,
    refusals: Vec<Refusal>,
    /// Numbers of readings that are encoded but not yet in the ring.
    pending: (Seq, Seq),
    text: String,
}

impl Intake {
    fn new(head: Seq) -> Intake {
        let pending = (head, head);
        Intake { accepted: Readings::default(), refusals: Vec::new(), pending, text: String::new() }
    }

    /// Records a rejected reading.
    fn refuse(&mut self, device: &DeviceId, metric: &MetricName, code: &'static str, detail: &str) {
        self.note(device.to_string(), Some(metric), code, detail);
    }

    /// Records that all readings of a device are rejected.
    fn refuse_with(&mut self, refusal: HubAnswer) {
        if let HubAnswer::Device(HubDeviceAnswer::Refused { device, code, detail }) = refusal {
            self.note(device, None, code, &detail);
        }
    }

    fn note(&mut self, device: String, metric: Option<&MetricName>, code: &'static str, detail: &str) {
        let known = self.refusals.iter().position(|refusal| refusal.device == device && refusal.code == code);
        if let Some(index) = known {
            let refusal = &mut self.refusals[index];
            match metric {
                Some(metric) if refusal.metrics.len() < MAX_NAMED => refusal.metrics.push(metric.clone()),
                metric => refusal.more |= metric.is_some(),
            }
        } else if self.refusals.len() < MAX_REFUSALS {
            let (detail, metrics) = (detail.to_owned(), metric.into_iter().cloned().collect());
            self.refusals.push(Refusal { device, code, detail, metrics, more: false });
        }
    }

    /// Puts the encoded readings into the ring.
    fn flush(&mut self, feed: &mut Feed) {
        if !self.text.is_empty() {
            feed.push(self.pending, &self.text);
            self.text.clear();
        }
        self.pending.0 = self.pending.1;
    }

    /// Adds encoded samples with numbers up to `head`.
    fn append(&mut self, text: &str, head: Seq, feed: &mut Feed) {
        push_sample(&mut self.text, text);
        self.pending.1 = head;
        if self.text.len() >= CHUNK_BYTES {
            self.flush(feed);
        }
    }

    /// A sample is complete: its values are those from `begin` on.
    fn close(&mut self, sample: &Sample, begin: usize, text: &mut String) {
        let values = &self.accepted.values[begin..];
        if !values.is_empty() {
            let (at, received) = (sample.at, sample.received);
            push_sample(text, &readings::encode_sample(&sample.device, at, received, values));
            let count = u32::try_from(values.len()).unwrap_or(u32::MAX);
            self.accepted.samples.push(Sample { count, ..sample.clone() });
        }
    }
}

fn push_sample(text: &mut String, sample: &str) {
    if !text.is_empty() && !sample.is_empty() {
        text.push(',');
    }
    text.push_str(sample);
}

impl Inner {
    /// The index of a device that this publisher may publish for, and whether it is new.
    fn find_or_add(
        &mut self,
        from: Publisher<'_>,
        device: &DeviceId,
        now: WallMs,
    ) -> Result<(u32, bool), HubAnswer> {
        if !from.may_speak_for(device) {
            return Err(not_allowed(device));
        }
        if let Some(index) = self.by_id.get(device.as_str()).copied() {
            let record = &mut self.records[index as usize];
            if record.owner.is_none() {
                self.budget.adopt(&from.principal.id, record.held);
                record.owner = Some(from.principal.id.clone());
            }
            return Ok((index, false));
        }
        self.budget.add(&from.principal.id).map_err(|full| refused(device, "quota", full))?;
        let mut record = Record::new(device.clone(), now);
        record.owner = Some(from.principal.id.clone());
        if from.principal.kind == PrincipalKind::Device {
            record.spec.name.clone_from(&from.principal.name);
        }
        Ok((self.add(record), true))
    }

    /// As [`Inner::find_or_add`], unless another connection announced the device.
    fn find_to_publish(
        &mut self,
        from: Publisher<'_>,
        device: &DeviceId,
        now: WallMs,
    ) -> Result<(u32, bool), HubAnswer> {
        let (index, is_new) = self.find_or_add(from, device, now)?;
        match (self.records[index as usize].publisher, from.client) {
            (Some(publisher), Some(client)) if publisher != client => {
                Err(refused(device, "not_allowed", "another connection has announced this device"))
            }
            _ => Ok((index, is_new)),
        }
    }

    /// The connection that announced this device loses it, to another one or to a new announcement.
    pub(super) fn disown(&mut self, index: u32) {
        let publisher = self.records[index as usize].publisher.take();
        if let Some(client_state) = publisher.and_then(|client| self.clients.get_mut(&client)) {
            client_state.devices.retain(|own| *own != index);
        }
    }

    /// Sets a device's presence; reported after the reading with this number.
    pub(super) fn set_online(&mut self, after: Seq, index: u32, online: bool, reason: String, wall: WallMs) {
        let record = &mut self.records[index as usize];
        (record.online, record.since, record.reason) = (online, wall, reason.clone());
        self.tell_presence(after, index);
        let record = &self.records[index as usize];
        self.keep(record);
        let what = if online { DeviceLogEvent::Online } else { DeviceLogEvent::Offline { reason } };
        self.note(&record.spec.id, LogLine { at: wall, what });
    }

    /// Accepts one sample of a device.
    fn accept_sample(
        &mut self,
        intake: &mut Intake,
        (index, is_new): (u32, bool),
        mut sample: Sample,
        values: impl Iterator<Item = (MetricName, Value)>,
        now: BootMs,
    ) {
        let Inner { records, feed, budget, .. } = self;
        let record = &mut records[index as usize];
        if sample.at.0.unsigned_abs() > FAR {
            sample.at = sample.received;
        }
        let (before, mut learned, mut text) = (feed.head(), is_new, String::new());
        // A metric repeated within a sample begins another sample, so that each reading is sent and counted once.
        let (mut part, mut begin) = (before, intake.accepted.values.len());
        for (name, value) in values {
            if is_too_long(&value) {
                intake.refuse(&sample.device, &name, "too_large", "a text reading is limited to 1 KiB");
                continue;
            }
            let known = record.known(&name);
            let held = record.held_with(known, &name, &value);
            if let Err(full) = budget.grow(record.owner.as_ref(), record.held, held) {
                intake.refuse(&sample.device, &name, "quota", full);
                continue;
            }
            record.held = held;
            let (metric, is_news) = match record.value_index(known, &name, &value) {
                ValueIndex::At(metric) => (metric, false),
                ValueIndex::New(metric) => (metric, true),
                ValueIndex::Full => {
                    intake.refuse(&sample.device, &name, "too_many", "a device is limited to 256 metrics");
                    continue;
                }
            };
            learned |= is_news;
            let latest = record.latest_mut(metric);
            if latest.number > part {
                intake.close(&sample, begin, &mut text);
                (part, begin) = (feed.head(), intake.accepted.values.len());
            }
            latest.number = feed.number(Slot { device: index, metric }, latest.number);
            (latest.value, latest.at, latest.received) = (value.clone(), sample.at, sample.received);
            latest.has_value = true;
            intake.accepted.values.push((name, value));
        }
        intake.close(&sample, begin, &mut text);
        let (head, wall) = (feed.head(), sample.received);
        if head > before {
            record.rhythm.heard(wall);
            record.heard = record.heard.max(Some(wall));
        }
        let came = head > before && !record.online;
        if learned || came {
            // The event belongs between the readings before it and those after it.
            intake.flush(feed);
            self.news(before, index, (is_new, learned, came), wall, now);
        }
        intake.append(&text, head, &mut self.feed);
    }

    /// Readings added a device or metrics, or brought a device back online.
    fn news(
        &mut self,
        after: Seq,
        index: u32,
        (is_new, learned, came): (bool, bool, bool),
        wall: WallMs,
        now: BootMs,
    ) {
        if learned {
            self.tell_device(after, index);
            let record = &self.records[index as usize];
            self.keep(record);
        }
        if is_new {
            let id = &self.records[index as usize].spec.id;
            self.note(id, LogLine { at: wall, what: DeviceLogEvent::Online });
        }
        if came {
            self.set_online(after, index, true, String::new(), wall);
            self.send_waiting_commands(index, now);
        }
    }

    /// Applies the device details of an HTTP request.
    fn learn(&mut self, device: &DeviceId, hints: DeviceHints) {
        let Some(index) = self.by_id.get(device).copied() else { return };
        let Inner { records, budget, .. } = self;
        let record = &mut records[index as usize];
        let before = record.spec.clone();
        let DeviceHints { name, kind, expect_every_s, units } = hints;
        let spec = &mut record.spec;
        spec.name = name.unwrap_or(std::mem::take(&mut spec.name));
        spec.kind = kind.unwrap_or(std::mem::take(&mut spec.kind));
        spec.expect_every_s = expect_every_s.or(spec.expect_every_s);
        for (metric, unit) in units {
            if let Some(metric) = spec.metrics.iter_mut().find(|known| known.name == metric) {
                metric.unit = unit;
            }
        }
        if *spec != before {
            let held = record.bytes();
            if budget.grow(record.owner.as_ref(), record.held, held).is_err() {
                record.spec = before;
                return;
            }
            record.held = held;
            self.tell_device(self.feed.head(), index);
            let record = &self.records[index as usize];
            self.keep(record);
        }
    }
}

fn is_too_long(value: &Value) -> bool {
    match value {
        // A byte takes at most six bytes in JSON.
        Value::Text(text) if text.len() > MAX_TEXT_BYTES / 6 => {
            serde_json::to_string(&**text).map_or(0, |json| json.len()) > MAX_TEXT_BYTES
        }
        _ => false,
    }
}
