//! [`ReadingsStore`]: readings of devices, in a separate file, so that thousands of readings a second and commits of
//! messages never wait for each other. It stores raw readings in compressed chunks up to a size limit; the minimum,
//! mean and maximum of each minute for a year; the last values; and each device's log.
//!
//! A reading passes through `inbox` (a bounded queue), `memory` (one `track` per metric: its points and its open
//! minute), `keeper` (the writer thread, which decides when to write), `write` (the journal; complete chunks and
//! minutes) and `tend` (packing hours, limits on size and age). A read combines memory and disk at one moment
//! (`read`). `blob` is the encoding, `open` loads the file at the start.
//!
//! Numbers, and flags as 0 or 1, are points at their [`place`](crate::model::device::place). A missing value is not a
//! point: it shows as a gap in time. A minute counts each value, but a repeat with the same time right after the
//! first counts once. Raw points have one value per time, the one that arrived last.
//!
//! Of a text, its changes are stored, and the periods in which none could be received because the device, the link or
//! this program was away. Such a period is written when it begins, so that the next run knows of it.
//!
//! If the disk is full, data accepted before that is written into space that was reserved for it (`reserve`).
//!
//! A crash loses data that has not been written: at most about 5,000 values, or one minute if that is fewer.

mod blob;
mod inbox;
mod memory;
mod open;
mod read;
mod reserve;
mod schema;
mod tend;
mod track;
mod upkeep;
mod write;
mod writer;

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
use super::readers::{ReaderConnections, Readers};
use super::writer::Writer;
use crate::model::time::WallMs;
use crate::model::{DeviceId, DeviceState, LogLine, MetricName, Readings, SeriesPage, StateChange};
use inbox::{Item, Put};
use read::Asked;
pub use read::Kept;
use writer::{Job, Live, ReadingsWriter};

/// File name in the data directory of an app.
pub const APP_FILE: &str = "readings.db";
/// File name in the data directory of a hub.
pub const HUB_FILE: &str = "hub-readings.db";

/// Maximum number of stored lines of a device's log.
const LOG_LINES: usize = 200;
/// Maximum number of stored changes of a text metric.
const TEXTS: usize = 1_000;
/// Maximum number of jobs queued for the writer; readings do not go through this queue.
const WAITING: usize = 64;
/// Number of reader threads.
const READERS: usize = 2;
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Limits on what is stored.
#[derive(Copy, Clone, Debug)]
pub struct ReadingsLimits {
    /// Maximum bytes of raw readings on disk; the oldest are deleted first. 0 stores none.
    pub raw_bytes: u64,
    /// How long minutes are kept, in milliseconds.
    pub minutes_ms: i64,
    /// Bytes of disk space reserved for writing accepted readings when the disk is full; 0 reserves none.
    pub reserve_bytes: u64,
    /// Approximate maximum of bytes in use in the file; beyond it the oldest minutes and text changes are deleted. 0
    /// means no limit.
    pub file_bytes: u64,
    /// How long readings may wait to be written together: a crash loses at most these. Device logs and descriptions do
    /// not wait.
    pub write_every: Duration,
}

/// Readings are written once a minute, unless many come sooner.
pub const WRITE_EVERY: Duration = Duration::from_secs(60);

impl ReadingsLimits {
    /// The defaults of an app: 1 GiB of raw readings, minutes for a year.
    pub const APP: ReadingsLimits = ReadingsLimits {
        raw_bytes: 1 << 30,
        minutes_ms: 366 * 86_400_000,
        reserve_bytes: 0,
        file_bytes: 0,
        write_every: WRITE_EVERY,
    };
    /// The limits of a hub: minutes for a year, as far as they fit into 4 GiB.
    pub const HUB: ReadingsLimits = ReadingsLimits {
        raw_bytes: 0,
        minutes_ms: 366 * 86_400_000,
        reserve_bytes: 4 << 20,
        file_bytes: 4 << 30,
        write_every: WRITE_EVERY,
    };
}

/// A handle to the readings' database. Clones share it; dropping the last one writes what is queued.
#[derive(Clone)]
pub struct ReadingsStore {
    shared: Arc<Shared>,
}

struct Shared {
    // Drop order matters: readers first, so that the writer's connection is the last one and removes the log.
    readers: Readers,
    writer: Writer<Job>,
    live: Arc<Live>,
    keeps_raw: bool,
    raw_bytes: Arc<AtomicU64>,
    refused: AtomicU64,
    /// Readings are currently being refused.
    is_full: AtomicBool,
}

impl ReadingsStore {
    /// Opens or creates the file `name` in `dir`. A damaged file is renamed and replaced: it must not prevent a
    /// start. Blocks.
    ///
    /// # Errors
    /// If the file cannot be read or created, or was written by a newer version; nothing is stored then.
    pub fn open(dir: &Path, name: &str, keep: ReadingsLimits) -> Result<ReadingsStore, StoreError> {
        let path = dir.join(name);
        let keeps_raw = keep.raw_bytes > 0;
        let opened = open::open(&path, keeps_raw).map_err(|error| error.at(&path))?;
        let live = Arc::new(Live::new(opened.memory, opened.set_aside, keep.write_every));
        let to_read = path.clone();
        let slots = ReaderConnections::new(READERS, Box::new(move || migrate::open_read_only(&to_read)));
        let raw_bytes = Arc::new(AtomicU64::new(keep.raw_bytes));
        let keeper = ReadingsWriter::new(
            path,
            keep,
            Arc::clone(&raw_bytes),
            opened.db,
            Arc::clone(&slots),
            Arc::clone(&live),
        );
        let writer = Writer::start("readings-writer", WAITING, keeper)?;
        let readers = Readers::start("readings-reader", &slots)?;
        let (refused, is_full) = (AtomicU64::new(0), AtomicBool::new(false));
        let shared = Shared { readers, writer, live, keeps_raw, raw_bytes, refused, is_full };
        Ok(ReadingsStore { shared: Arc::new(shared) })
    }

    /// Changes the maximum of raw readings in bytes, if any are stored. The next writes delete the oldest step by
    /// step. The file does not shrink; freed space is reused.
    pub fn set_raw_bytes(&self, bytes: u64) {
        if self.shared.keeps_raw {
            self.shared.raw_bytes.store(bytes.max(1), Ordering::Relaxed);
        }
    }

    /// Queues readings of one source (an app's connection, 0 in a hub). Does not block. Returns `false` if the disk
    /// cannot keep up and the readings were dropped.
    #[must_use]
    pub fn keep(&self, source: u64, readings: Arc<Readings>) -> bool {
        let values = readings.values.len() as u64;
        let is_taken = self.put(Item::Readings(source, readings));
        if !is_taken {
            self.shared.refused.fetch_add(values, Ordering::Relaxed);
        }
        if self.shared.is_full.swap(!is_taken, Ordering::Relaxed) == is_taken && !is_taken {
            log::warn!("the disk cannot keep up: some readings are dropped");
        }
        is_taken
    }

    /// Queues a device's description. Its last values are usually known from readings; those in `state` count if they
    /// are newer.
    pub fn put_device(&self, source: u64, state: DeviceState) {
        let _ = self.put(Item::Device(source, Box::new(state)));
    }

    /// Appends to a device's log; only the newest 200 lines are kept.
    pub fn log(&self, source: u64, device: DeviceId, line: LogLine) {
        let _ = self.put(Item::Log(source, device, Box::new(line)));
    }

    /// The link to a source is down: from this time on, by its clock, its devices cannot be heard.
    pub fn link_lost(&self, source: u64, at: WallMs) {
        let _ = self.put(Item::Broken(source, at));
    }

    /// Deletes everything of a source.
    pub fn remove(&self, source: u64) {
        let _ = self.put(Item::Remove(source));
    }

    /// Number of values that could not be stored since the start: the disk was too slow or failed for too long, their
    /// time was invalid, or there were too many metrics.
    pub fn lost(&self) -> u64 {
        self.shared.refused.load(Ordering::Relaxed) + self.shared.live.lost()
    }

    /// Whether readings accepted now will be on disk within a minute or two: the last write succeeded, the writer
    /// keeps up, and space is reserved in case the disk fills up. A crash may lose that period.
    pub fn is_keeping(&self) -> bool {
        let live = &self.shared.live;
        !self.shared.is_full.load(Ordering::Relaxed) && live.trouble().is_none() && live.is_in_time()
    }

    /// Why readings cannot be written, in the system's words; `None` if they can.
    pub fn trouble(&self) -> Option<String> {
        self.shared.live.trouble().clone()
    }

    /// The new path of a damaged file; returned once.
    pub fn take_set_aside(&self) -> Option<PathBuf> {
        self.shared.live.set_aside().take()
    }

    /// All devices of a source with their last values, by id, including devices known only from their readings.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub async fn devices(&self, source: u64) -> Result<Vec<DeviceState>, StoreError> {
        self.read(move |db, live| read::devices(db, live, source)).await
    }

    /// A range of a metric's history: raw points if there are at most `columns` or nothing coarser exists, otherwise
    /// buckets of a width that gives about that many, aligned to full minutes or hours if they are at least that
    /// wide. Includes data that has not been written yet.
    ///
    /// # Errors
    /// If the file cannot be read.
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

    /// A range of a metric's history as it is stored, for an export: all readings if they are still stored, otherwise
    /// minutes. Returns [`Kept::TooMany`] if there are more than `most`. Includes data that has not been written yet.
    ///
    /// # Errors
    /// If the file cannot be read.
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

    /// The stored history of a text, in order of time: its newest 1,000 changes of up to 1 KiB each. Includes data
    /// that has not been written yet. While the device or this app was away, the text is unknown; its last text is
    /// valid again from the device's next reading on.
    ///
    /// # Errors
    /// If the file cannot be read.
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
    /// If the file cannot be read.
    pub async fn device_log(
        &self,
        source: u64,
        device: DeviceId,
        limit: u32,
    ) -> Result<Vec<LogLine>, StoreError> {
        self.read(move |db, live| read::log(db, live, source, &device, limit as usize)).await
    }

    /// Waits until everything accepted so far is on disk or could not be written.
    pub async fn flush(&self) {
        let (reply, done) = oneshot::channel();
        if let Some(jobs) = self.shared.writer.jobs()
            && jobs.send(Job::Flush(reply)).await.is_ok()
        {
            let _ = done.await;
        }
    }

    /// Like [`ReadingsStore::flush`], for shutdown: data not absorbed within this time is dropped.
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
            // If the queue is full, the writer is about to look anyway.
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
            // If the queue is full, the next such read reports it again.
            let _ = jobs.try_send(Job::Suspect);
        }
        result
    }
}
