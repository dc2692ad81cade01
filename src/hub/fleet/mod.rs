//! [`Fleet`]: the devices of this hub, shared by all clients: descriptions, last values, commands in progress, and
//! readings on their way to clients that watch.
//!
//! - `record`: one device. `feed`: numbered readings. `publish`: announcements and readings. `commands`: commands.
//! - `budget`: memory limits.
//! - `client`: one client's connection to the fleet. `relay`: what a client that watches is sent next.

mod budget;
mod client;
mod commands;
mod feed;
mod publish;
mod record;
mod relay;

#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use foldhash::fast::RandomState;
use tokio::sync::{broadcast, mpsc, watch};

use super::limits::DeviceLimits;
use crate::model::time::WallMs;
use crate::model::{DeviceId, DeviceState, LogLine, MetricName, PrincipalId, SeriesPage};
use crate::store::readings::ReadingsStore;
use crate::wire::duplex::message::{self, HubMessage};
use crate::{clock, frame::Frame};
use budget::Budget;
use commands::Commands;
use feed::{Feed, Seq};
use record::Record;

pub(super) use client::{CommandMessage, FleetClient};
pub(super) use commands::CommandRequest;
pub(super) use publish::{DeviceHints, NOT_KEPT, Publisher};
pub(super) use relay::Relay;

/// Maximum number of device events queued for a slow client; beyond it the client is sent all devices again.
const MAX_EVENTS: usize = 4096;
/// Maximum bytes of text in all events queued for slow clients.
const MAX_RECENT_BYTES: usize = 8 * 1024 * 1024;
/// Number of buckets requested from the store for a series, approximately.
const COLUMNS: u32 = 2_000;
/// Maximum number of buckets in one answer.
const MAX_BUCKETS: usize = 4_000;
/// Maximum number of lines of a device's log in one answer.
const MAX_LINES: u32 = 200;
/// The source id of a hub's devices in the store.
pub(super) const SOURCE: u64 = 0;

/// A device event, encoded once for all clients that watch.
#[derive(Clone)]
struct Event {
    /// It is sent after the reading with this number.
    after: Seq,
    /// A client that has already been sent it.
    already_sent_to: Option<u64>,
    /// Dropped if too many events followed.
    text: Weak<str>,
}

/// The newest events. They are owned here alone, so that slow clients together hold no more than this.
#[derive(Default)]
struct Recent {
    texts: VecDeque<Arc<str>>,
    bytes: usize,
}

impl Recent {
    fn keep(&mut self, text: Arc<str>) -> Weak<str> {
        let kept = Arc::downgrade(&text);
        self.bytes += text.len();
        self.texts.push_back(text);
        while self.texts.len() > MAX_EVENTS || (self.bytes > MAX_RECENT_BYTES && self.texts.len() > 1) {
            self.bytes -= self.texts.pop_front().map_or(0, |text| text.len());
        }
        kept
    }
}

/// All devices.
pub(super) struct DeviceHub {
    inner: Mutex<Inner>,
    store: Option<ReadingsStore>,
    /// When this hub was started, in Unix milliseconds.
    started: WallMs,
    /// The hub is shutting down: disconnecting clients leave their devices' state unchanged.
    closing: AtomicBool,
    keeping: Keeping,
}

/// Whether readings are being stored.
#[derive(Default)]
struct Keeping {
    /// The last attempt failed.
    is_failing: AtomicBool,
    /// Number of failure episodes since the start; each publisher is told once per episode.
    episode: AtomicU64,
    /// Values that were passed on but not stored.
    lost: AtomicU64,
}

struct Inner {
    records: Vec<Record>,
    by_id: HashMap<DeviceId, u32, RandomState>,
    budget: Budget,
    feed: Feed,
    commands: Commands,
    clients: HashMap<u64, ClientState>,
    next_client: u64,
    events: broadcast::Sender<Event>,
    recent: Recent,
    /// The newest reading's number; also sent for events.
    head: watch::Sender<Seq>,
    store: Option<ReadingsStore>,
}

/// The fleet's state of one [`FleetClient`].
struct ClientState {
    messages: mpsc::Sender<CommandMessage>,
    /// The client's principal.
    principal: PrincipalId,
    /// Indexes of the devices that it announced and still owns.
    devices: Vec<u32>,
    /// The last failure episode that it was told about.
    reported_episode: u64,
}

impl DeviceHub {
    /// Loads the devices known to the store. A command expires after `command_ms`.
    pub(super) async fn open(
        store: Option<ReadingsStore>,
        started: WallMs,
        command_ms: u64,
        limits: DeviceLimits,
    ) -> Arc<DeviceHub> {
        let known = match &store {
            Some(store) => store.devices(SOURCE).await,
            None => Ok(Vec::new()),
        };
        let known = known.unwrap_or_else(|error| {
            log::warn!("cannot load the known devices: {error}");
            Vec::new()
        });
        let mut inner = Inner {
            records: Vec::new(),
            by_id: HashMap::default(),
            budget: Budget::new(limits),
            feed: Feed::default(),
            commands: Commands::new(command_ms),
            clients: HashMap::new(),
            next_client: 1,
            events: broadcast::Sender::new(MAX_EVENTS),
            recent: Recent::default(),
            head: watch::Sender::new(0),
            store: store.clone(),
        };
        // Known devices are kept even if they exceed lowered limits.
        for state in known {
            let record = Record::restored(state);
            inner.budget.restore(record.held);
            inner.add(record);
        }
        let (closing, keeping) = (AtomicBool::new(false), Keeping::default());
        Arc::new(DeviceHub { inner: Mutex::new(inner), store, started, closing, keeping })
    }

    /// Whether readings published now are stored.
    pub(super) fn is_keeping(&self) -> bool {
        self.store.as_ref().is_some_and(ReadingsStore::is_keeping)
    }

    /// Number of values passed on but not stored since the start.
    pub(super) fn not_kept(&self) -> u64 {
        self.keeping.lost.load(Ordering::Relaxed) + self.store.as_ref().map_or(0, ReadingsStore::lost)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Number of devices.
    pub(super) fn count(&self) -> usize {
        self.lock().records.len()
    }

    /// Estimated memory of all devices in bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.lock().budget.bytes()
    }

    /// The hub is shutting down: disconnecting clients leave their devices' state unchanged.
    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
        let Some(store) = &self.store else { return };
        for record in self.lock().records.iter().filter(|record| record.heard.is_some()) {
            // The learned interval may have changed since it was last stored.
            store.put_device(SOURCE, record.state());
        }
    }

    /// Renames a device's principal. A device whose name comes from its token, not from an announcement, is renamed
    /// as well.
    pub(super) fn rename(&self, device: &DeviceId, name: &str) {
        let mut inner = self.lock();
        let Some(index) = inner.by_id.get(device).copied() else { return };
        let record = &mut inner.records[index as usize];
        if record.incarnation == 0 && record.spec.name != name {
            record.spec.name = name.to_owned();
            let after = inner.feed.head();
            inner.tell_device(after, index);
            inner.keep(&inner.records[index as usize]);
        }
    }

    /// Handles a revoked device token: unless another connection publishes the device, it goes offline and its
    /// commands are refused.
    pub(super) fn withdraw(&self, device: &DeviceId, reason: &str) {
        let mut inner = self.lock();
        let Some(index) = inner.by_id.get(device).copied() else { return };
        let publisher = inner.records[index as usize].publisher.and_then(|client| inner.clients.get(&client));
        if publisher.is_some_and(|client_state| client_state.principal.0 != device.as_str()) {
            return;
        }
        inner.disown(index);
        if inner.records[index as usize].online {
            let after = inner.feed.head();
            inner.set_online(after, index, false, reason.to_owned(), wall_now());
        }
        inner.end_all(device, reason);
    }

    /// Waits until everything is on disk.
    pub(super) async fn flush(&self) {
        if let Some(store) = &self.store {
            store.flush().await;
        }
    }

    /// A range of a metric's history; `None` if it cannot be read.
    pub(super) async fn series(
        &self,
        device: DeviceId,
        metric: MetricName,
        from: WallMs,
        to: WallMs,
    ) -> Option<SeriesPage> {
        let empty = SeriesPage { from, to, step_ms: 0, buckets: Vec::new() };
        let store = match &self.store {
            Some(store) if from < to && self.lock().by_id.contains_key(&device) => store,
            _ => return Some(empty),
        };
        let page = store.series(SOURCE, device, metric, from, to, COLUMNS).await;
        let mut page =
            page.inspect_err(|error| log::warn!("cannot read a device's history: {error}")).ok()?;
        if let Some(beyond) = page.buckets.get(MAX_BUCKETS).map(|bucket| bucket.at) {
            page.buckets.truncate(MAX_BUCKETS);
            page.to = beyond;
        }
        Some(page)
    }

    /// A device's log, newest last; `None` if it cannot be read.
    pub(super) async fn device_log(&self, device: DeviceId) -> Option<Vec<LogLine>> {
        let Some(store) = &self.store else { return Some(Vec::new()) };
        let lines = store.device_log(SOURCE, device, MAX_LINES).await;
        lines.inspect_err(|error| log::warn!("cannot read a device's log: {error}")).ok()
    }
}

impl Inner {
    fn add(&mut self, record: Record) -> u32 {
        // The memory limit allows far fewer.
        let index = u32::try_from(self.records.len()).unwrap_or(u32::MAX);
        self.by_id.insert(record.spec.id.clone(), index);
        self.records.push(record);
        index
    }

    fn record(&self, id: &DeviceId) -> Option<&Record> {
        self.by_id.get(id).and_then(|index| self.records.get(*index as usize))
    }

    /// Sends an event to all clients that watch, after the readings so far. One client may have been sent it already.
    fn tell(&mut self, message: &HubMessage, already_sent_to: Option<u64>) {
        self.tell_after(self.feed.head(), message, already_sent_to);
    }

    fn tell_after(&mut self, after: Seq, message: &HubMessage, already_sent_to: Option<u64>) {
        if self.events.receiver_count() > 0 {
            let text = self.recent.keep(text_of(message));
            // Fails if no client watches.
            let _ = self.events.send(Event { after, already_sent_to, text });
            self.head.send_replace(self.feed.head());
        }
    }

    /// Sends the full state of a device to all clients that watch.
    fn tell_device(&mut self, after: Seq, index: u32) {
        let Some(record) = self.records.get(index as usize) else { return };
        let device = Box::new(DeviceState { values: Vec::new(), ..record.state() });
        self.tell_after(after, &HubMessage::Device { device }, None);
    }

    fn tell_presence(&mut self, after: Seq, index: u32) {
        let Some(record) = self.records.get(index as usize) else { return };
        let (device, online, since) = (record.spec.id.clone(), record.online, record.since);
        let reason = record.reason.clone();
        self.tell_after(after, &HubMessage::DeviceState { device, online, since, reason }, None);
    }

    fn note(&self, device: &DeviceId, line: LogLine) {
        if let Some(store) = &self.store {
            store.log(SOURCE, device.clone(), line);
        }
    }

    fn keep(&self, record: &Record) {
        if let Some(store) = &self.store {
            store.put_device(SOURCE, record.state());
        }
    }
}

fn text_of(message: &HubMessage) -> Arc<str> {
    match message::encode(message) {
        Frame::Text(text) => text.into(),
        Frame::Binary(_) => Arc::from(""),
    }
}

fn wall_now() -> WallMs {
    clock::now().wall_ms
}
