//! [`ReadingsStore`]: what devices said, in a file of its own, so that thousands of readings a second never wait behind a
//! message's commit, nor it behind them: raw readings in compressed chunks up to a cap, minimum, mean and maximum of each
//! minute for a year, the last values, and each device's log.
//!
//! A reading goes `inbox` (bounded) → `memory` (a `track` a metric: its points, its open minute) → `keeper` (the writer
//! thread: when) → `write` (the journal; chunks and minutes when they are full) → `tend` (hours packed, the cap, the age).
//! A read takes what is in memory and what is on disk at one moment (`read`). `blob` is the packed form, `open` a start.
//!
//! A number, and a flag as 0 or 1, is a point at its [`place`](crate::model::device::place). A value that is missing is no
//! point: distance in time says that there was none. A minute counts each value told, one told again at the same time
//! right after the first counts once; raw points have one value a time, the later told.
//!
//! Of a text its changes are kept, and from when to when nobody could have heard of one: the device, the link or this
//! program was away. That is written down when it begins, for the next run to know.
//!
//! Where a disk is full, what was taken before that was noticed is written into room that was held back (`reserve`).
//!
//! A crash costs what was not written yet: at most about 5,000 values, or what came within a minute where it was fewer.

mod blob;
mod inbox;
mod keeper;
mod memory;
mod open;
mod read;
mod reserve;
mod schema;
mod tend;
mod track;
mod upkeep;
mod write;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::error::StoreError;
use super::migrate;
use super::readers::{Readers, Slots};
use super::writer::Writer;
use crate::model::time::WallMs;
use crate::model::{DeviceId, DeviceState, LogLine, MetricName, Readings, SeriesPage, StateChange};
use inbox::{Item, Put};
use keeper::{Job, Keeper, Live};
use read::Asked;
pub use read::Kept;

/// The file's name in the data directory of an app.
pub const APP_FILE: &str = "readings.db";
/// The file's name in the data directory of a hub.
pub const HUB_FILE: &str = "hub-readings.db";

/// Lines of a device's log that are kept.
const LOG_LINES: usize = 200;
/// Changes of a text that are kept of each metric.
const TEXTS: usize = 1_000;
/// Jobs that wait for the writer; readings do not wait there.
const WAITING: usize = 64;
/// Reader threads.
const READERS: usize = 2;
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// What is kept.
#[derive(Copy, Clone, Debug)]
pub struct Keep {
    /// Raw readings: at most so many bytes on disk, the oldest go first; 0 keeps none.
    pub raw_bytes: u64,
    /// Minutes: so long, in milliseconds.
    pub minutes_ms: i64,
    /// Room on the disk that is held back, so that what was taken can be written when the disk is full; 0 holds none.
    pub reserve_bytes: u64,
    /// The file: at most about so many bytes in use, whatever is in it; beyond that the oldest minutes and changes of
    /// texts go. 0 is no limit.
    pub file_bytes: u64,
}

impl Keep {
    /// What an app keeps unless it is told otherwise: 1 GiB of raw readings, minutes for a year.
    pub const APP: Keep =
        Keep { raw_bytes: 1 << 30, minutes_ms: 366 * 86_400_000, reserve_bytes: 0, file_bytes: 0 };
    /// What a hub keeps: minutes for a year, as far as they fit into 4 GiB.
    pub const HUB: Keep =
        Keep { raw_bytes: 0, minutes_ms: 366 * 86_400_000, reserve_bytes: 4 << 20, file_bytes: 4 << 30 };
}

/// A handle to the readings' database. Clones share it; when the last one goes, what waits is written first.
#[derive(Clone)]
pub struct ReadingsStore {
    shared: Arc<Shared>,
}

struct Shared {
    // Dropped in this order: the readers first, so that the writer's connection is the last and clears the log away.
    readers: Readers,
    writer: Writer<Job>,
    live: Arc<Live>,
    keeps_raw: bool,
    raw_bytes: Arc<AtomicU64>,
    refused: AtomicU64,
    /// Readings are refused at the moment.
    is_full: AtomicBool,
}

impl ReadingsStore {
    /// Opens (or makes) the file `name` in `dir`. A damaged file is set aside, and a new one begun: readings are not worth
    /// a start that fails. Blocks.
    ///
    /// # Errors
    /// When it can be neither read nor made, or a later version wrote it; nothing is kept then.
    pub fn open(dir: &Path, name: &str, keep: Keep) -> Result<ReadingsStore, StoreError> {
        let path = dir.join(name);
        let keeps_raw = keep.raw_bytes > 0;
        let opened = open::open(&path, keeps_raw).map_err(|error| error.at(&path))?;
        let live = Arc::new(Live::new(opened.memory, opened.set_aside));
        let to_read = path.clone();
        let slots = Slots::new(READERS, Box::new(move || migrate::open_read_only(&to_read)));
        let raw_bytes = Arc::new(AtomicU64::new(keep.raw_bytes));
        let keeper =
            Keeper::new(path, keep, Arc::clone(&raw_bytes), opened.db, Arc::clone(&slots), Arc::clone(&live));
        let writer = Writer::start("readings-writer", WAITING, keeper)?;
        let readers = Readers::start("readings-reader", &slots)?;
        let (refused, is_full) = (AtomicU64::new(0), AtomicBool::new(false));
        let shared = Shared { readers, writer, live, keeps_raw, raw_bytes, refused, is_full };
        Ok(ReadingsStore { shared: Arc::new(shared) })
    }

    /// Changes how many bytes of raw readings are kept, where any are: with the next writes the oldest go, little by
    /// little. The file keeps its size, and what became free in it is used again.
    pub fn set_raw_bytes(&self, bytes: u64) {
        if self.shared.keeps_raw {
            self.shared.raw_bytes.store(bytes.max(1), Ordering::Relaxed);
        }
    }

    /// Takes readings of one source (an app's connection, 0 in a hub). Returns at once. `false`: the disk cannot keep up,
    /// and these are not kept.
    #[must_use]
    pub fn keep(&self, source: u64, readings: Arc<Readings>) -> bool {
        let values = readings.values.len() as u64;
        let is_taken = self.put(Item::Readings(source, readings));
        if !is_taken {
            self.shared.refused.fetch_add(values, Ordering::Relaxed);
        }
        if self.shared.is_full.swap(!is_taken, Ordering::Relaxed) == is_taken && !is_taken {
            log::warn!("the disk cannot keep up with the readings: some are not kept");
        }
        is_taken
    }

    /// Takes what a device said about itself. Its last values are known from its readings; those in `state` count where
    /// they are newer.
    pub fn put_device(&self, source: u64, state: DeviceState) {
        let _ = self.put(Item::Device(source, Box::new(state)));
    }

    /// Adds to a device's log; its oldest lines beyond 200 go.
    pub fn log(&self, source: u64, device: DeviceId, line: LogLine) {
        let _ = self.put(Item::Log(source, device, Box::new(line)));
    }

    /// The link to a source is down: from this moment on, by its clock, nothing is heard of its devices.
    pub fn link_lost(&self, source: u64, at: WallMs) {
        let _ = self.put(Item::Broken(source, at));
    }

    /// Forgets everything of a source.
    pub fn remove(&self, source: u64) {
        let _ = self.put(Item::Remove(source));
    }

    /// How many values could not be kept since the start: the disk did not keep up or took none for long, their time made
    /// no sense, or there were too many metrics.
    pub fn lost(&self) -> u64 {
        self.shared.refused.load(Ordering::Relaxed) + self.shared.live.lost()
    }

    /// Whether what is brought now will be on disk within a minute or two: the last write succeeded, the writer keeps up,
    /// and there is room, held back for it, even if the disk is full by then. A crash may cost that time.
    pub fn is_keeping(&self) -> bool {
        let live = &self.shared.live;
        !self.shared.is_full.load(Ordering::Relaxed) && live.trouble().is_none() && live.is_in_time()
    }

    /// Why readings cannot be written at the moment, in the system's words; none while they can.
    pub fn trouble(&self) -> Option<String> {
        self.shared.live.trouble().clone()
    }

    /// Where a damaged file was set aside, once.
    pub fn take_set_aside(&self) -> Option<PathBuf> {
        self.shared.live.set_aside().take()
    }

    /// All devices of a source, with their last values, by id. One that never said anything about itself is among them if
    /// it has readings.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn devices(&self, source: u64) -> Result<Vec<DeviceState>, StoreError> {
        self.read(move |db, live| read::devices(db, live, source)).await
    }

    /// A part of a metric's past: raw where that is at most `columns` points or there is nothing coarser, else stretches of
    /// a width that gives about that many, each from a full minute or hour where it is at least that wide. What still
    /// waits to be written is among it.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn series(
        &self,
        source: u64,
        device: DeviceId,
        metric: MetricName,
        from: WallMs,
        to: WallMs,
        columns: u32,
    ) -> Result<SeriesPage, StoreError> {
        let asked = Asked { source, device, metric, from, to, columns };
        let keeps_raw = self.shared.keeps_raw;
        self.read(move |db, live| read::series(db, live, keeps_raw, &asked)).await
    }

    /// A part of a metric's past as it is kept, for a file of it: every reading where raw ones are, else every minute.
    /// Nothing where that would be more than `most`. What still waits to be written is among it.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn kept(
        &self,
        source: u64,
        device: DeviceId,
        metric: MetricName,
        from: WallMs,
        to: WallMs,
        most: usize,
    ) -> Result<Kept, StoreError> {
        let asked = Asked { source, device, metric, from, to, columns: 0 };
        let keeps_raw = self.shared.keeps_raw;
        self.read(move |db, live| read::kept(db, live, keeps_raw, &asked, most)).await
    }

    /// All that is kept of a text's past, in order of time: its newest 1,000 changes, each up to 1 KiB. What still waits to
    /// be written is among it. While the device, or this app, was away nothing is known; with the device's next word after
    /// that its last text counts again.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn states(
        &self,
        source: u64,
        device: DeviceId,
        metric: MetricName,
    ) -> Result<Vec<StateChange>, StoreError> {
        self.read(move |db, live| read::states(db, live, source, &device, &metric)).await
    }

    /// A device's log, newest last, at most `limit` lines.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn device_log(
        &self,
        source: u64,
        device: DeviceId,
        limit: u32,
    ) -> Result<Vec<LogLine>, StoreError> {
        self.read(move |db, live| read::log(db, live, source, &device, limit as usize)).await
    }

    /// Waits until everything taken so far is on disk, or the disk has refused it.
    pub async fn flush(&self) {
        let (reply, done) = oneshot::channel();
        if let Some(jobs) = self.shared.writer.jobs()
            && jobs.send(Job::Flush(reply)).await.is_ok()
        {
            let _ = done.await;
        }
    }

    /// Waits as [`ReadingsStore::flush`] does, for the last time: what takes longer than this to be looked at is given up.
    pub async fn close(&self, within: Duration) {
        self.shared.live.close_within(within);
        self.flush().await;
    }

    fn put(&self, item: Item) -> bool {
        let put = self.shared.live.inbox().put(item);
        self.shared.live.waits();
        if put == Put::Look
            && let Some(jobs) = self.shared.writer.jobs()
        {
            // When its queue is full, it is about to look anyway.
            let _ = jobs.try_send(Job::Look);
        }
        put != Put::Full
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection, &Live) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let live = Arc::clone(&self.shared.live);
        let result = self.shared.readers.read(move |db| read(db, &live)).await;
        if result.as_ref().is_err_and(StoreError::is_damage)
            && let Some(jobs) = self.shared.writer.jobs()
        {
            // When the queue is full, the next such read says so again.
            let _ = jobs.try_send(Job::Suspect);
        }
        result
    }
}
