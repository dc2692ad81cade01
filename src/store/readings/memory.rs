//! [`Memory`]: all data that is not in its final place on disk, and the names of everything. The writer takes a
//! [`Plan`] of what to write, and reports when it is done.

use std::collections::{BTreeMap, HashMap, VecDeque};

use foldhash::fast::RandomState;

use super::inbox::Item;
use super::track::{Last, Track};
use crate::model::clock_lag::ClockLag;
use crate::model::device::{
    DeviceId, DeviceLogEvent, DeviceState, LastValue, LogLine, METRICS, MetricName, Readings, Spec, Value,
    place,
};
use crate::model::link_device::LOCAL_MARK;
use crate::model::series::{Bucket, Point};
use crate::model::states::StateChange;
use crate::model::time::WallMs;

/// A chunk is written when it has this many points,
pub(super) const CHUNK_POINTS: usize = 1_024;
/// or this long after its first point, in milliseconds.
const CHUNK_MS: u64 = 600_000;
/// Maximum number of points waiting for their chunks, over all metrics; beyond it the longest are written as they
/// are.
const POINTS: usize = 200_000;
/// An open minute without new points for this long is written, in milliseconds.
const QUIET_MS: u64 = 120_000;
/// Approximate maximum size of the journal, in bytes; beyond it the data that its oldest rows are kept for is
/// written.
const JOURNAL_BYTES: usize = 64 * 1024 * 1024;
/// Maximum number of metrics, and of devices, in one file.
const TRACKS: usize = 200_000;
/// Maximum number of devices and metrics of one source in an app, so that others have space. A hub has one source.
const MAX_OF_SOURCE: (usize, usize) = (50_000, 100_000);
/// Maximum length of a last value's text, in bytes.
const MAX_TEXT_BYTES: usize = 4_096;
/// Maximum bytes of all last values' texts; beyond it they are cut to [`TIGHT_BYTES`] each.
const MAX_TEXTS_BYTES: usize = 32 * 1024 * 1024;
/// Maximum length of a text beyond that limit, in bytes.
const TIGHT_BYTES: usize = 64;
/// Valid times, in Unix milliseconds: the years 1970 to 9999.
const TIMES: std::ops::Range<WallMs> = WallMs(0)..WallMs(253_402_300_800_000);

type Map<K, V> = HashMap<K, V, RandomState>;

/// A device by its key.
struct Kept {
    source: u64,
    id: DeviceId,
    tracks: Map<MetricName, i64>,
    is_stored: bool,
    /// Its description, if that is not on disk.
    record: Option<Box<DeviceState>>,
    is_record_new: bool,
    log: Vec<LogLine>,
    /// Number of log lines that are being written.
    writing_log: usize,
    /// Offset of the device's clock.
    lag: ClockLag,
    behind_ms: i64,
    /// Time of its last reading by the hub's clock.
    heard: WallMs,
    /// Since when it cannot be heard, by the hub's clock, because it or this program was away. `None` while it can.
    broken: Option<WallMs>,
}

/// The in-memory state of a device.
pub(super) struct Held {
    pub key: i64,
    pub id: DeviceId,
    /// Its description, if that is not on disk.
    pub record: Option<Box<DeviceState>>,
    pub values: Vec<LastValue>,
}

/// The in-memory state of the store.
pub(super) struct Memory {
    keeps_raw: bool,
    /// The next row of the journal.
    pub next: i64,
    next_device: i64,
    next_track: i64,
    sources: Map<u64, Map<DeviceId, i64>>,
    devices: Map<i64, Kept>,
    pub tracks: BTreeMap<i64, Track>,
    /// Keys of removed devices; the first ones are being written.
    removed: Vec<i64>,
    removing: usize,
    /// The journal's rows and their sizes in bytes.
    journal: VecDeque<(i64, usize)>,
    /// Values absorbed since the last plan.
    pub unsaved: usize,
    /// Whether they include something rare, or something that people wait for.
    pub is_urgent: bool,
    /// The latest time of all points.
    pub newest: WallMs,
    /// Number of values that could not be stored.
    pub lost: u64,
    /// Number of metrics of each source.
    tracks_of: Map<u64, usize>,
    /// Bytes of all last values' texts.
    text_bytes: usize,
}

/// The content of one transaction.
#[derive(Default)]
pub(super) struct Plan {
    pub seq: i64,
    now: u64,
    pub newest: WallMs,
    pub removed: Vec<i64>,
    /// Key, source, name, and the description if it is new.
    pub devices: Vec<(i64, u64, DeviceId, Option<Box<DeviceState>>)>,
    pub logs: Vec<(i64, LogLine)>,
    pub parts: Vec<Part>,
    /// Journal rows before this one are no longer needed afterwards.
    pub floor: i64,
}

/// The part of one metric in a transaction.
#[derive(Default)]
pub(super) struct Part {
    pub track: i64,
    /// The device and name of a new metric, whose row is to be created.
    pub fresh: Option<(i64, MetricName)>,
    /// Points for the journal.
    pub told: Vec<Point>,
    /// Points for a chunk.
    pub chunk: Option<Vec<Point>>,
    pub minutes: Vec<Bucket>,
    pub mark: Option<WallMs>,
    pub last: Option<Last>,
    pub texts: Vec<StateChange>,
    points: usize,
}

impl Memory {
    pub(super) fn new(keeps_raw: bool) -> Memory {
        Memory {
            keeps_raw,
            next: 1,
            next_device: 1,
            next_track: 1,
            sources: Map::default(),
            devices: Map::default(),
            tracks: BTreeMap::new(),
            removed: Vec::new(),
            removing: 0,
            journal: VecDeque::new(),
            unsaved: 0,
            is_urgent: false,
            newest: WallMs(0),
            lost: 0,
            tracks_of: Map::default(),
            text_bytes: 0,
        }
    }

    /// Maximum number of devices and metrics of one source.
    fn share(&self) -> (usize, usize) {
        if self.keeps_raw { MAX_OF_SOURCE } else { (TRACKS, TRACKS) }
    }

    /// Sets a metric's last value.
    fn set_last(&mut self, id: i64, mut last: Last, at: WallMs) {
        let Some(track) = self.tracks.get_mut(&id) else { return };
        let longest = if self.text_bytes < MAX_TEXTS_BYTES { MAX_TEXT_BYTES } else { TIGHT_BYTES };
        if let Value::Text(text) = &mut last.value
            && text.len() > longest
        {
            *text = text[..text.floor_char_boundary(longest)].into();
        }
        self.text_bytes = self.text_bytes.saturating_sub(text_bytes(track.last.as_ref()));
        track.set_last(last, at);
        self.text_bytes += text_bytes(track.last.as_ref());
    }

    /// Adds a device from disk.
    pub(super) fn load_device(&mut self, key: i64, source: u64, id: DeviceId) {
        self.next_device = self.next_device.max(key + 1);
        self.sources.entry(source).or_default().insert(id.clone(), key);
        self.devices.insert(key, Kept { is_stored: true, ..Kept::new(source, id) });
    }

    /// Adds a metric from disk.
    pub(super) fn load_track(&mut self, id: i64, mut track: Track) {
        self.next_track = self.next_track.max(id + 1);
        let Some(device) = self.devices.get_mut(&track.device) else { return };
        device.tracks.insert(track.metric.clone(), id);
        device.heard = device.heard.max(track.last.as_ref().map_or(WallMs(0), |last| last.received));
        *self.tracks_of.entry(device.source).or_default() += 1;
        self.text_bytes += text_bytes(track.last.as_ref());
        track.is_stored = true;
        self.tracks.insert(id, track);
    }

    /// Called after loading: nothing was received since the last reading of any device of a source.
    pub(super) fn was_away(&mut self) {
        for devices in self.sources.values() {
            let heard = devices.values().filter_map(|key| self.devices.get(key)).map(|kept| kept.heard).max();
            for key in devices.values() {
                if let Some(kept) = self.devices.get_mut(key) {
                    kept.break_off(heard.unwrap_or_default(), &mut self.tracks);
                }
            }
        }
    }

    /// Reserves keys that were used before, even if nothing has them any more.
    pub(super) fn skip_keys(&mut self, device: i64, track: i64) {
        self.next_device = self.next_device.max(device + 1);
        self.next_track = self.next_track.max(track + 1);
    }

    /// Replays a row of the journal; rows come in order. `chunked`: the row up to which a metric's points are in
    /// chunks.
    pub(super) fn replay(
        &mut self,
        seq: i64,
        bytes: usize,
        parts: Vec<(i64, Vec<Point>)>,
        chunked: &HashMap<i64, i64>,
    ) {
        self.journal.push_back((seq, bytes));
        self.next = self.next.max(seq + 1);
        for (id, points) in parts {
            let Some(track) = self.tracks.get_mut(&id) else { continue };
            let is_waiting = self.keeps_raw && chunked.get(&id).is_none_or(|chunked| *chunked < seq);
            for point in points {
                self.newest = self.newest.max(point.at);
                if is_waiting {
                    track.push(point, seq, 0);
                }
                // Late points were added to their minute in that commit.
                if super::track::minute_of(point.at) >= track.mark {
                    track.fold(point, seq, 0);
                }
            }
            track.journaled = track.points.len();
        }
    }

    /// Finds a metric by its names.
    pub(super) fn find(&self, source: u64, device: &str, metric: &str) -> Option<i64> {
        let key = self.device(source, device)?;
        self.devices.get(&key)?.tracks.get(metric).copied()
    }

    /// Finds a device's key by its names.
    pub(super) fn device(&self, source: u64, device: &str) -> Option<i64> {
        self.sources.get(&source)?.get(device).copied()
    }

    /// The lines of a device's log that are not on disk.
    pub(super) fn log_of(&self, device: i64) -> Vec<LogLine> {
        self.devices.get(&device).map(|kept| kept.log.clone()).unwrap_or_default()
    }

    /// The devices of a source.
    pub(super) fn devices_of(&self, source: u64) -> Vec<Held> {
        let devices = self.sources.get(&source).into_iter().flatten();
        devices
            .filter_map(|(id, key)| {
                let kept = self.devices.get(key)?;
                let values = kept.tracks.iter().filter_map(|(metric, track)| {
                    let Last { value, at, received } = self.tracks.get(track)?.last.clone()?;
                    Some(LastValue { metric: metric.clone(), value, at, received })
                });
                let mut values: Vec<LastValue> = values.collect();
                values.sort_by(|a, b| a.metric.cmp(&b.metric));
                Some(Held { key: *key, id: id.clone(), record: kept.record.clone(), values })
            })
            .collect()
    }

    /// Absorbs an item. `now`: the store's own clock, in milliseconds.
    pub(super) fn absorb(&mut self, item: Item, now: u64) {
        match item {
            Item::Readings(source, readings) => self.read(source, &readings, now),
            Item::Device(source, state) => {
                self.is_urgent = true;
                let Some(key) = self.key(source, &state.spec.id) else { return };
                for LastValue { metric, value, at, received } in &state.values {
                    if let Some(id) = self.track(key, metric) {
                        // The clock's offset at that time is unknown: it was either correct or off by all of this.
                        let placed = place(*at, *received, received.since(*at));
                        let last = Last { value: value.clone(), at: *at, received: *received };
                        self.set_last(id, last, placed);
                    }
                }
                let heard = state.heard.unwrap_or_default();
                self.heard(key, heard, heard);
                if let Some(kept) = self.devices.get_mut(&key) {
                    if !state.online && state.since >= kept.heard {
                        kept.break_off(state.since, &mut self.tracks);
                    }
                    kept.record = Some(Box::new(DeviceState { values: Vec::new(), ..*state }));
                    kept.is_record_new = true;
                }
            }
            Item::Log(source, device, line) => {
                self.is_urgent = true;
                let key = self.key(source, &device);
                if let Some(kept) = key.and_then(|key| self.devices.get_mut(&key)) {
                    let is_away =
                        matches!(line.what, DeviceLogEvent::Silent | DeviceLogEvent::Offline { .. });
                    if is_away && line.at >= kept.heard {
                        kept.break_off(line.at, &mut self.tracks);
                    }
                    kept.log.push(*line);
                }
            }
            Item::Broken(source, at) => {
                self.is_urgent = true;
                for (id, key) in self.sources.get(&source).into_iter().flatten() {
                    // Log lines about this app's own link stay.
                    if let Some(kept) = self.devices.get_mut(key)
                        && !id.as_str().starts_with(LOCAL_MARK)
                    {
                        kept.break_off(at, &mut self.tracks);
                    }
                }
            }
            Item::Remove(source) => self.remove(source),
        }
    }

    fn remove(&mut self, source: u64) {
        self.is_urgent = true;
        for key in self.sources.remove(&source).unwrap_or_default().into_values() {
            for track in self.devices.remove(&key).map(|kept| kept.tracks).unwrap_or_default().into_values() {
                let track = self.tracks.remove(&track);
                let text = text_bytes(track.and_then(|track| track.last).as_ref());
                self.text_bytes = self.text_bytes.saturating_sub(text);
            }
            self.removed.push(key);
        }
        self.tracks_of.remove(&source);
    }

    fn read(&mut self, source: u64, readings: &Readings, now: u64) {
        for sample in &readings.samples {
            let key = self.key(source, &sample.device);
            if let Some(kept) = key.and_then(|key| self.devices.get_mut(&key)) {
                kept.behind_ms = kept.lag.heard(sample.at, sample.received, Some(kept.behind_ms));
            }
        }
        for (sample, values) in readings.iter() {
            let key = self.key(source, &sample.device);
            let behind = key.and_then(|key| self.devices.get(&key)).map_or(0, |kept| kept.behind_ms);
            let at = place(sample.at, sample.received, behind);
            let Some(key) = key.filter(|_| TIMES.contains(&at)) else {
                self.lost += values.len() as u64;
                continue;
            };
            self.newest = self.newest.max(at);
            self.unsaved += values.len();
            for (metric, value) in values {
                let Some(id) = self.track(key, metric) else {
                    self.lost += 1;
                    continue;
                };
                let Some(track) = self.tracks.get_mut(&id) else { continue };
                if let Some(point) = Point::of(at, value) {
                    track.push(point, self.next, now);
                    track.fold(point, self.next, now);
                }
                let last = Last { value: value.clone(), at: sample.at, received: sample.received };
                self.set_last(id, last, at);
            }
            self.heard(key, at, sample.received);
        }
    }

    /// A device was heard: after a break, its last texts are valid again.
    fn heard(&mut self, key: i64, at: WallMs, received: WallMs) {
        let Some(kept) = self.devices.get_mut(&key) else { return };
        kept.heard = kept.heard.max(received);
        let Some(until) = kept.broken.filter(|until| received > *until) else { return };
        kept.broken = None;
        // A delayed reading from before the break also shows that the device is back.
        let back = if at > until { at } else { received };
        for id in kept.tracks.values() {
            if let Some(track) = self.tracks.get_mut(id) {
                track.resume(back);
            }
        }
    }

    fn key(&mut self, source: u64, id: &DeviceId) -> Option<i64> {
        if let Some(key) = self.sources.get(&source).and_then(|devices| devices.get(id)) {
            return Some(*key);
        }
        let of_source = self.sources.get(&source).map_or(0, |devices| devices.len());
        if self.devices.len() >= TRACKS || of_source >= self.share().0 {
            return None;
        }
        let key = self.next_device;
        self.next_device += 1;
        self.sources.entry(source).or_default().insert(id.clone(), key);
        self.devices.insert(key, Kept::new(source, id.clone()));
        Some(key)
    }

    fn track(&mut self, device: i64, metric: &MetricName) -> Option<i64> {
        let (_, share) = self.share();
        let kept = self.devices.get_mut(&device)?;
        if let Some(id) = kept.tracks.get(metric) {
            return Some(*id);
        }
        let of_source = self.tracks_of.entry(kept.source).or_default();
        if self.tracks.len() >= TRACKS || *of_source >= share || kept.tracks.len() >= METRICS {
            return None;
        }
        *of_source += 1;
        let id = self.next_track;
        self.next_track += 1;
        kept.tracks.insert(metric.clone(), id);
        self.tracks.insert(id, Track::new(device, metric.clone()));
        Some(id)
    }

    /// Whether a minute or a chunk is still open.
    pub(super) fn has_open(&self) -> bool {
        self.unsaved > 0
            || self
                .tracks
                .values()
                .any(|track| track.has_open_minute() || !track.closed.is_empty() || !track.points.is_empty())
    }

    /// Number of points that wait.
    pub(super) fn waiting(&self) -> usize {
        let texts = |track: &Track| track.texts.iter().map(text_weight).sum::<usize>();
        self.tracks.values().map(|track| track.points.len() + track.closed.len() + texts(track)).sum()
    }

    /// Returns what to write now. The data stays here until [`Memory::done`].
    pub(super) fn plan(&mut self, now: u64) -> Plan {
        let limit = self.chunk_limit();
        let pinned = self.pinned_from();
        let mut plan =
            Plan { seq: self.next, now, newest: self.newest, floor: self.next + 1, ..Plan::default() };
        self.next += 1;
        (self.unsaved, self.is_urgent) = (0, false);
        self.removing = self.removed.len();
        plan.removed.clone_from(&self.removed);
        for (key, kept) in &mut self.devices {
            if !kept.is_stored || kept.is_record_new {
                plan.devices.push((*key, kept.source, kept.id.clone(), kept.record.clone()));
                kept.is_record_new = false;
            }
            kept.writing_log = kept.log.len();
            plan.logs.extend(kept.log.iter().map(|line| (*key, line.clone())));
        }
        for (id, track) in &mut self.tracks {
            if track.is_quiet_since(now.saturating_sub(QUIET_MS)) {
                track.close_minute();
            }
            let is_old = track.opened + CHUNK_MS <= now || track.since < pinned;
            let is_full = track.points.len() >= limit || (!track.points.is_empty() && is_old);
            let part = Part::of(*id, track, self.keeps_raw && is_full);
            let needs = if part.chunk.is_some() { None } else { track.needs_journal_from(self.keeps_raw) };
            let minute = track.needs_journal_from(false);
            plan.floor = [needs, minute].into_iter().flatten().fold(plan.floor, i64::min);
            if !part.is_empty() {
                plan.parts.push(part);
            }
        }
        plan
    }

    /// Number of points that make a chunk: fewer if too many wait.
    fn chunk_limit(&self) -> usize {
        let lengths = self.tracks.values().map(|track| track.points.len()).filter(|length| *length > 0);
        let mut lengths: Vec<usize> = lengths.collect();
        let mut excess = lengths.iter().sum::<usize>().saturating_sub(POINTS);
        if excess == 0 {
            return CHUNK_POINTS;
        }
        // Down to three quarters, so that the limit is not reached again at once.
        excess += POINTS / 4;
        lengths.sort_unstable_by(|a, b| b.cmp(a));
        for length in lengths {
            excess = excess.saturating_sub(length);
            if excess == 0 {
                return length.min(CHUNK_POINTS);
            }
        }
        1
    }

    /// Data in journal rows before this one is written because the journal is too large.
    fn pinned_from(&self) -> i64 {
        let mut bytes = self.journal.iter().map(|(_, bytes)| bytes).sum::<usize>();
        let rows = self.journal.iter().take_while(|(_, size)| {
            let is_too_large = bytes > JOURNAL_BYTES;
            bytes -= size;
            is_too_large
        });
        rows.last().map_or(0, |(seq, _)| seq + 1)
    }

    /// The plan is on disk; `journal` is the size of its journal row in bytes.
    pub(super) fn done(&mut self, plan: &Plan, journal: usize) {
        self.journal.push_back((plan.seq, journal));
        while self.journal.front().is_some_and(|(seq, _)| *seq < plan.floor) {
            self.journal.pop_front();
        }
        self.removed.drain(..std::mem::take(&mut self.removing).min(self.removed.len()));
        for (key, ..) in &plan.devices {
            if let Some(kept) = self.devices.get_mut(key) {
                kept.is_stored = true;
                if !kept.is_record_new {
                    kept.record = None;
                }
            }
        }
        for (key, _) in &plan.logs {
            if let Some(kept) = self.devices.get_mut(key) {
                let written = std::mem::take(&mut kept.writing_log);
                kept.log.drain(..written.min(kept.log.len()));
            }
        }
        for part in &plan.parts {
            if let Some(track) = self.tracks.get_mut(&part.track) {
                part.done(track, plan, self.keeps_raw);
            }
        }
    }

    /// The plan could not be written; its data is part of the next one.
    pub(super) fn failed(&mut self, plan: &Plan) {
        self.unsaved += plan.parts.iter().map(|part| part.told.len()).sum::<usize>();
        self.is_urgent |= !(plan.removed.is_empty() && plan.devices.is_empty() && plan.logs.is_empty());
        self.removing = 0;
        for (key, ..) in &plan.devices {
            if let Some(kept) = self.devices.get_mut(key) {
                kept.is_record_new = kept.record.is_some();
            }
        }
        for part in &plan.parts {
            if let Some(track) = self.tracks.get_mut(&part.track) {
                track.is_mark_new |= part.mark.is_some();
                track.is_last_new |= part.last.is_some();
                (track.closing, track.writing_texts) = (0, 0);
            }
        }
        for kept in self.devices.values_mut() {
            kept.writing_log = 0;
            // The disk has been failing for long.
            let excess = kept.log.len().saturating_sub(super::LOG_LINES);
            kept.log.drain(..excess);
        }
        if self.waiting() > POINTS + POINTS / 4 {
            self.lost += self.tracks.values_mut().map(|track| track.let_go() as u64).sum::<u64>();
        }
    }

    /// The file is new and empty: everything known must be written to it.
    pub(super) fn begin_anew(&mut self) {
        self.journal.clear();
        self.is_urgent = true;
        for kept in self.devices.values_mut() {
            kept.is_stored = false;
        }
        for track in self.tracks.values_mut() {
            (track.is_stored, track.is_mark_new, track.is_last_new) = (false, true, true);
            track.journaled = 0;
            track.restate();
        }
    }
}

impl Kept {
    fn new(source: u64, id: DeviceId) -> Kept {
        Kept {
            source,
            id,
            tracks: Map::default(),
            is_stored: false,
            record: None,
            is_record_new: false,
            log: Vec::new(),
            writing_log: 0,
            lag: ClockLag::default(),
            behind_ms: 0,
            heard: WallMs(0),
            broken: None,
        }
    }

    /// From this moment on the device cannot be heard, unless that is so already.
    fn break_off(&mut self, at: WallMs, tracks: &mut BTreeMap<i64, Track>) {
        if self.broken.is_some() {
            return;
        }
        self.broken = Some(at);
        for id in self.tracks.values() {
            if let Some(track) = tracks.get_mut(id) {
                track.end(at);
            }
        }
    }
}

impl Part {
    fn of(id: i64, track: &mut Track, is_full: bool) -> Part {
        track.closing = track.closed.len();
        track.writing_texts = track.texts.len();
        Part {
            track: id,
            fresh: (!track.is_stored).then(|| (track.device, track.metric.clone())),
            told: track.points.get(track.journaled..).unwrap_or_default().to_vec(),
            chunk: is_full.then(|| track.points.clone()),
            minutes: track.closed.clone(),
            mark: std::mem::take(&mut track.is_mark_new).then_some(track.mark),
            last: std::mem::take(&mut track.is_last_new).then(|| track.last.clone()).flatten(),
            texts: track.texts.clone(),
            points: track.points.len(),
        }
    }

    fn is_empty(&self) -> bool {
        self.fresh.is_none()
            && self.told.is_empty()
            && self.chunk.is_none()
            && self.minutes.is_empty()
            && self.mark.is_none()
            && self.last.is_none()
            && self.texts.is_empty()
    }

    fn done(&self, track: &mut Track, plan: &Plan, keeps_raw: bool) {
        track.is_stored = true;
        if self.chunk.is_some() || !keeps_raw {
            track.points.drain(..self.points.min(track.points.len()));
            (track.since, track.opened) = (plan.seq + 1, plan.now);
            track.journaled = 0;
        } else {
            track.journaled = self.points;
        }
        track.closed.drain(..std::mem::take(&mut track.closing).min(track.closed.len()));
        track.texts.drain(..std::mem::take(&mut track.writing_texts).min(track.texts.len()));
    }
}

/// Memory used by a text change, in points.
fn text_weight(change: &StateChange) -> usize {
    1 + change.value.as_ref().map_or(0, |text| text.len() / size_of::<Point>())
}

/// Memory used by a last value's text, in bytes.
fn text_bytes(last: Option<&Last>) -> usize {
    match last.map(|last| &last.value) {
        Some(Value::Text(text)) => text.len(),
        _ => 0,
    }
}

/// A device that is known only from its readings.
pub(super) fn unannounced(id: DeviceId) -> DeviceState {
    DeviceState {
        spec: Spec::unannounced(id),
        incarnation: 0,
        online: true,
        since: WallMs(0),
        reason: String::new(),
        heard: None,
        every_ms: None,
        values: Vec::new(),
    }
}
