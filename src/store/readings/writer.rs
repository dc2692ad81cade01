//! The writer thread: decides when to write, and handles disk errors.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::oneshot;

use super::super::error::StoreError;
use super::super::files;
use super::super::readers::ReaderConnections;
use super::super::writer::Work;
use super::inbox::Inbox;
use super::memory::{Memory, Plan};
use super::reserve::Reserve;
use super::tend::{self, Cursor};
use super::{ReadingsLimits, write};
use crate::model::time::WallMs;

/// Minimum interval between two looks at the inbox, and between two writes.
const TICK: Duration = Duration::from_secs(1);
/// Number of values that justify a transaction, for each minute of [`ReadingsLimits::write_every`]. Fewer wait that long: an
/// idle computer with fifty values a second writes once a minute, and a crash loses at most that minute or this many
/// values of raw history.
const WORTH: usize = 5_000;
/// If data has waited for this much longer than it may, the disk hangs and nothing more is accepted.
const LATE: Duration = Duration::from_secs(90);
/// How long to wait after a failed write.
const RETRY: Duration = Duration::from_secs(5);
/// Size at which the write-ahead log is copied into the file, in bytes.
const CHECKPOINT: u64 = 8 * 1024 * 1024;

/// State shared by callers, readers and the writer.
pub(super) struct Live {
    inbox: Mutex<Inbox>,
    memory: Mutex<Memory>,
    /// A copy of [`Memory::lost`] that can be read without waiting.
    lost: AtomicU64,
    /// Why writing fails, or why nothing more is accepted.
    trouble: Mutex<Option<String>>,
    /// When the oldest unwritten data arrived, by the store's own clock; 0 if there is none.
    oldest: AtomicU64,
    /// The new path of a damaged file, until it is reported.
    set_aside: Mutex<Option<PathBuf>>,
    started: Instant,
    /// If data has waited for this long, nothing more is accepted. In milliseconds.
    late_ms: u64,
    /// Deadline for absorbing queued data at shutdown, by the store's own clock.
    close_by: AtomicU64,
}

/// Number of items absorbed between two looks at the clock.
const ITEMS: usize = 8;

impl Live {
    pub(super) fn new(memory: Memory, set_aside: Option<PathBuf>, write_every: Duration) -> Live {
        Live {
            inbox: Mutex::default(),
            memory: Mutex::new(memory),
            lost: AtomicU64::new(0),
            trouble: Mutex::default(),
            oldest: AtomicU64::new(0),
            set_aside: Mutex::new(set_aside),
            started: Instant::now(),
            late_ms: u64::try_from((write_every + LATE).as_millis()).unwrap_or(u64::MAX),
            close_by: AtomicU64::new(u64::MAX),
        }
    }

    /// Shutdown: data that takes longer than this to absorb is dropped.
    pub(super) fn close_within(&self, time: Duration) {
        let time = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.close_by.store(self.now().saturating_add(time), Ordering::Relaxed);
    }

    /// Held only briefly, to add an item or to take all.
    pub(super) fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The memory with everything queued so far. A reader that begins its snapshot while holding this sees each
    /// reading once, since the writer commits under the same lock.
    pub(super) fn current(&self) -> MutexGuard<'_, Memory> {
        let mut memory = self.memory();
        let items = self.inbox().take();
        let now = self.now();
        for (place, item) in items.into_iter().enumerate() {
            if place % ITEMS == 0 && self.now() > self.close_by.load(Ordering::Relaxed) {
                log::warn!("readings that were still queued at exit were dropped");
                break;
            }
            memory.absorb(item, now);
        }
        self.lost.store(memory.lost, Ordering::Relaxed);
        memory
    }

    /// The absorbed data.
    pub(super) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Number of absorbed values that could not be stored.
    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Why writing fails, in the system's words.
    pub(super) fn trouble(&self) -> MutexGuard<'_, Option<String>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The new path of a damaged file, until it is taken.
    pub(super) fn set_aside(&self) -> MutexGuard<'_, Option<PathBuf>> {
        self.set_aside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records that unwritten data has arrived.
    pub(super) fn waits(&self) {
        let _ = self.oldest.compare_exchange(0, self.now().max(1), Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Whether nothing has waited too long.
    pub(super) fn is_in_time(&self) -> bool {
        let oldest = self.oldest.load(Ordering::Relaxed);
        oldest == 0 || self.now().saturating_sub(oldest) <= self.late_ms
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// A job for the writer.
pub(super) enum Job {
    /// The inbox is not empty.
    Look,
    /// Write everything, then reply.
    Flush(oneshot::Sender<()>),
    /// A reader found damage.
    Suspect,
    /// Run this between writes.
    #[cfg(test)]
    Test(Box<dyn FnOnce(&mut ReadingsWriter) + Send>),
}

/// The state of the writer thread.
pub(super) struct ReadingsWriter {
    path: PathBuf,
    keep: ReadingsLimits,
    /// Maximum bytes of raw readings; can be changed at any time.
    raw_bytes: Arc<AtomicU64>,
    pub db: Option<Connection>,
    slots: Arc<ReaderConnections>,
    live: Arc<Live>,
    /// When to look at the inbox next.
    next: Option<Instant>,
    written: Instant,
    cursor: Cursor,
    reserve: Reserve,
}

impl ReadingsWriter {
    pub(super) fn new(
        path: PathBuf,
        keep: ReadingsLimits,
        raw_bytes: Arc<AtomicU64>,
        db: Connection,
        slots: Arc<ReaderConnections>,
        live: Arc<Live>,
    ) -> ReadingsWriter {
        let written = Instant::now();
        // Data from the journal is handled from the start.
        let next = Some(written + keep.write_every);
        let reserve = Reserve::new(&path, keep.reserve_bytes);
        let cursor = Cursor::default();
        let mut keeper = ReadingsWriter {
            path,
            keep,
            raw_bytes,
            db: Some(db),
            slots,
            live,
            next,
            written,
            cursor,
            reserve,
        };
        keeper.hold_back();
        keeper
    }

    /// Creates the reserve if it is missing. While that fails, nothing more is accepted.
    fn hold_back(&mut self) {
        match self.reserve.hold() {
            Ok(()) => *self.live.trouble() = None,
            Err(error) => {
                self.trouble(StoreError::from(error));
                let again = Instant::now() + RETRY;
                self.next = Some(self.next.map_or(again, |next| next.min(again)));
            }
        }
    }

    fn trouble(&self, error: StoreError) {
        let error = error.at(&self.path).to_string();
        if self.live.trouble().replace(error.clone()).is_none() {
            log::warn!("cannot write readings: {error}");
        }
    }

    fn look(&mut self, is_forced: bool) {
        let mut memory = self.live.current();
        if memory.unsaved == 0 && !memory.is_urgent {
            // The new items contained nothing to write.
            self.live.oldest.store(0, Ordering::Relaxed);
        }
        let is_due = is_forced
            || memory.is_urgent
            || is_worth_it(memory.unsaved, self.keep.write_every)
            || (self.written.elapsed() >= self.keep.write_every && memory.has_open());
        let is_failing = self.live.trouble().is_some();
        let can_write = is_forced || !is_failing || self.written.elapsed() >= RETRY;
        let is_due = is_due || (is_failing && self.reserve.is_spent());
        if is_due && can_write {
            self.live.oldest.store(0, Ordering::Relaxed);
            let plan = memory.plan(self.live.now());
            drop(memory);
            self.write(&plan);
            memory = self.live.memory();
        }
        let soon = memory.unsaved > 0
            || memory.is_urgent
            || !self.live.inbox().is_empty()
            || self.reserve.is_spent();
        let after = if soon { Some(TICK) } else { memory.has_open().then_some(self.keep.write_every) };
        drop(memory);
        self.next = after.map(|after| Instant::now() + after);
    }

    fn write(&mut self, plan: &Plan) {
        self.written = Instant::now();
        let mut result = self.try_write(plan, true);
        if matches!(result, Err(StoreError::Full)) && self.reserve.spend() {
            log::warn!("the disk is full: writing accepted readings into the reserved space");
            result = self.try_write(plan, false);
        }
        let is_damage = result.as_ref().is_err_and(StoreError::is_damage);
        match result {
            Ok(()) => self.hold_back(),
            Err(error) => {
                self.live.memory().failed(plan);
                self.live.waits();
                self.trouble(error);
            }
        }
        if is_damage {
            self.replace();
        }
    }

    /// `tends`: also run maintenance, which needs space of its own.
    fn try_write(&mut self, plan: &Plan, tends: bool) -> Result<(), StoreError> {
        if self.db.is_none() {
            // The previous file was renamed.
            self.db = Some(super::super::migrate::open(&self.path, &super::schema::SCHEMA)?);
        }
        let Some(db) = self.db.as_mut() else { return Err(StoreError::Closed) };
        let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let journal = write::apply(&transaction, plan)?;
        let today = plan.newest.min(WallMs(chrono::Utc::now().timestamp_millis()));
        let keep = ReadingsLimits { raw_bytes: self.raw_bytes.load(Ordering::Relaxed), ..self.keep };
        let cursor = if tends { tend::step(&transaction, &keep, today, self.cursor)? } else { self.cursor };
        {
            let mut memory = self.live.memory();
            transaction.commit()?;
            memory.done(plan, journal);
        }
        self.cursor = cursor;
        let log = std::fs::metadata(files::beside(&self.path, "-wal")).map_or(0, |log| log.len());
        if log > CHECKPOINT {
            // Readers may block part of it, which is copied the next time. Committed data is safe in any case.
            if let Err(error) = db.query_row("PRAGMA wal_checkpoint(PASSIVE)", (), |_| Ok(())) {
                log::warn!("cannot checkpoint the readings' log: {error}");
            }
        }
        Ok(())
    }

    /// A reader found damage: verifies every page before acting on it.
    fn examine(&mut self) {
        let Some(db) = &self.db else { return };
        let verdict = db.query_row("PRAGMA quick_check(1)", (), |row| row.get::<_, String>(0));
        let is_damaged = match verdict {
            Ok(verdict) => verdict != "ok",
            Err(error) => StoreError::from(error).is_damage(),
        };
        self.slots.close();
        if is_damaged {
            self.replace();
        }
    }

    /// Renames the damaged file and starts a new one with the data in memory.
    fn replace(&mut self) {
        log::warn!("{} is damaged and will be replaced", self.path.display());
        self.slots.close();
        if let Some(db) = self.db.take() {
            // Best effort: a checkpoint would write to the damaged file.
            let _ = db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        }
        match files::set_aside(&self.path) {
            Ok(path) => *self.live.set_aside() = Some(path),
            Err(error) => log::warn!("cannot rename {}: {error}", self.path.display()),
        }
        self.cursor = Cursor::default();
        self.live.memory().begin_anew();
    }
}

/// Whether so many values are written before their time is up.
fn is_worth_it(values: usize, write_every: Duration) -> bool {
    let minutes = usize::try_from(write_every.as_secs() / 60).unwrap_or(usize::MAX);
    values >= WORTH.saturating_mul(minutes.max(1))
}

impl Work for ReadingsWriter {
    type Job = Job;

    fn batch(&mut self, jobs: Vec<Job>) {
        let mut replies = Vec::new();
        for job in jobs {
            match job {
                Job::Look => {
                    let soon = Instant::now() + TICK;
                    self.next = Some(self.next.map_or(soon, |next| next.min(soon)));
                }
                Job::Flush(reply) => replies.push(reply),
                Job::Suspect => self.examine(),
                #[cfg(test)]
                Job::Test(test) => test(self),
            }
        }
        let is_hurried = self.live.inbox().is_half_full();
        if !replies.is_empty() || is_hurried || self.next.is_some_and(|next| next <= Instant::now()) {
            self.look(!replies.is_empty());
        }
        for reply in replies {
            // Fails if the caller has gone.
            let _ = reply.send(());
        }
    }

    fn idle_after(&self) -> Option<Duration> {
        self.next.map(|next| next.saturating_duration_since(Instant::now()))
    }

    fn idle(&mut self, _waits: &dyn Fn() -> bool) {
        self.look(false);
    }

    fn finish(&mut self) {
        self.look(true);
    }
}

#[cfg(test)]
mod tests {
    use super::super::WRITE_EVERY;
    use super::*;

    #[test]
    fn readings_that_may_wait_longer_wait_in_larger_numbers() {
        let (hour, second) = (Duration::from_secs(3_600), Duration::from_secs(1));
        for (write_every, worth) in [(WRITE_EVERY, WORTH), (WRITE_EVERY * 10, WORTH * 10), (second, WORTH)] {
            assert!(
                !is_worth_it(worth - 1, write_every) && is_worth_it(worth, write_every),
                "{write_every:?}"
            );
        }
        let live = |write_every| Live::new(Memory::new(false), None, write_every).late_ms;
        assert_eq!((live(WRITE_EVERY), live(hour)), (150_000, 3_690_000));
    }
}
