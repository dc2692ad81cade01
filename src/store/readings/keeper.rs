//! The writer thread's work: when to write, and what to do when the disk does not take it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::oneshot;

use super::super::error::StoreError;
use super::super::files;
use super::super::readers::Slots;
use super::super::writer::Work;
use super::inbox::Inbox;
use super::memory::{Memory, Plan};
use super::reserve::Reserve;
use super::tend::{self, Cursor};
use super::{Keep, write};

/// What waits is taken in so often, and written at most so often.
const TICK: Duration = Duration::from_secs(1);
/// So many values are worth a transaction. Fewer wait up to [`LONGEST`]: an idle computer, which says fifty values a
/// second, has its disk left alone for a minute, and a crash costs at most that minute or so many values of raw past.
const WORTH: usize = 5_000;
/// The longest that anything waits, and how often the open minutes and chunks are looked after.
const LONGEST: Duration = Duration::from_secs(60);
/// Nothing more is taken while something has waited for so long: the disk hangs. In milliseconds.
const LATE_MS: u64 = 150_000;
/// A disk that took nothing is tried again after this.
const RETRY: Duration = Duration::from_secs(5);
/// The write-ahead log is copied into the file when it has so many bytes.
const CHECKPOINT: u64 = 8 * 1024 * 1024;

/// What the callers, the readers and the writer share.
pub(super) struct Live {
    inbox: Mutex<Inbox>,
    memory: Mutex<Memory>,
    /// A copy of [`Memory::lost`], for whoever must not wait.
    lost: AtomicU64,
    /// Why nothing can be written at the moment, or nothing more is to be taken.
    trouble: Mutex<Option<String>>,
    /// Since when the oldest of what is not written waits, by the store's own clock; 0: nothing waits.
    oldest: AtomicU64,
    /// Where a damaged file was set aside, not told yet.
    set_aside: Mutex<Option<PathBuf>>,
    started: Instant,
    /// What is not taken in by then, by the store's own clock, is given up: the program ends.
    close_by: AtomicU64,
}

/// So many items are taken in between two looks at the clock.
const ITEMS: usize = 8;

impl Live {
    pub(super) fn new(memory: Memory, set_aside: Option<PathBuf>) -> Live {
        Live {
            inbox: Mutex::default(),
            memory: Mutex::new(memory),
            lost: AtomicU64::new(0),
            trouble: Mutex::default(),
            oldest: AtomicU64::new(0),
            set_aside: Mutex::new(set_aside),
            started: Instant::now(),
            close_by: AtomicU64::new(u64::MAX),
        }
    }

    /// The program ends: what takes longer than this to be taken in is given up.
    pub(super) fn close_within(&self, time: Duration) {
        let time = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.close_by.store(self.now().saturating_add(time), Ordering::Relaxed);
    }

    /// Held for as long as it takes to put something in, or to take all out.
    pub(super) fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All that was brought until now, taken in. What begins to read the file while it holds this sees each reading once:
    /// the writer commits under the same lock.
    pub(super) fn current(&self) -> MutexGuard<'_, Memory> {
        let mut memory = self.memory();
        let items = self.inbox().take();
        let now = self.now();
        for (place, item) in items.into_iter().enumerate() {
            if place % ITEMS == 0 && self.now() > self.close_by.load(Ordering::Relaxed) {
                log::warn!("readings that waited when the program ended are not kept");
                break;
            }
            memory.absorb(item, now);
        }
        self.lost.store(memory.lost, Ordering::Relaxed);
        memory
    }

    /// What was taken in.
    pub(super) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What could not be kept, of what was taken in.
    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Why nothing can be written at the moment, in the system's words.
    pub(super) fn trouble(&self) -> MutexGuard<'_, Option<String>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where a damaged file was set aside, until it is taken.
    pub(super) fn set_aside(&self) -> MutexGuard<'_, Option<PathBuf>> {
        self.set_aside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something was brought, which waits to be written.
    pub(super) fn waits(&self) {
        let _ = self.oldest.compare_exchange(0, self.now().max(1), Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Whether nothing waits longer than it should.
    pub(super) fn is_in_time(&self) -> bool {
        let oldest = self.oldest.load(Ordering::Relaxed);
        oldest == 0 || self.now().saturating_sub(oldest) <= LATE_MS
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Something for the writer to do.
pub(super) enum Job {
    /// Something waits in the inbox.
    Look,
    /// Write all, and say so.
    Flush(oneshot::Sender<()>),
    /// A reader came upon damage.
    Suspect,
    /// Run this in between.
    #[cfg(test)]
    Test(Box<dyn FnOnce(&mut Keeper) + Send>),
}

/// See the module.
pub(super) struct Keeper {
    path: PathBuf,
    keep: Keep,
    /// How much of it is raw; it can be changed at any time.
    raw_bytes: Arc<AtomicU64>,
    pub db: Option<Connection>,
    slots: Arc<Slots>,
    live: Arc<Live>,
    /// When to look next.
    next: Option<Instant>,
    written: Instant,
    cursor: Cursor,
    reserve: Reserve,
}

impl Keeper {
    pub(super) fn new(
        path: PathBuf,
        keep: Keep,
        raw_bytes: Arc<AtomicU64>,
        db: Connection,
        slots: Arc<Slots>,
        live: Arc<Live>,
    ) -> Keeper {
        let written = Instant::now();
        // What the journal held is looked after from the start.
        let next = Some(written + LONGEST);
        let reserve = Reserve::new(&path, keep.reserve_bytes);
        let cursor = Cursor::default();
        let mut keeper =
            Keeper { path, keep, raw_bytes, db: Some(db), slots, live, next, written, cursor, reserve };
        keeper.hold_back();
        keeper
    }

    /// Holds room back, if that is not done yet. While it cannot, nothing more is to be taken.
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
            log::warn!("readings cannot be written at the moment: {error}");
        }
    }

    fn look(&mut self, is_forced: bool) {
        let mut memory = self.live.current();
        if memory.unsaved == 0 && !memory.is_urgent {
            // What came was nothing to be kept.
            self.live.oldest.store(0, Ordering::Relaxed);
        }
        let is_due = is_forced
            || memory.is_urgent
            || memory.unsaved >= WORTH
            || (self.written.elapsed() >= LONGEST && memory.has_open());
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
        let after = if soon { Some(TICK) } else { memory.has_open().then_some(LONGEST) };
        drop(memory);
        self.next = after.map(|after| Instant::now() + after);
    }

    fn write(&mut self, plan: &Plan) {
        self.written = Instant::now();
        let mut result = self.try_write(plan, true);
        if matches!(result, Err(StoreError::Full)) && self.reserve.spend() {
            log::warn!("the disk is full: what was taken is written into the room that was held back for it");
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

    /// `tends`: also what is done little by little, which needs room of its own.
    fn try_write(&mut self, plan: &Plan, tends: bool) -> Result<(), StoreError> {
        if self.db.is_none() {
            // It was set aside.
            self.db = Some(super::super::migrate::open(&self.path, &super::schema::SCHEMA)?);
        }
        let Some(db) = self.db.as_mut() else { return Err(StoreError::Closed) };
        let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let journal = write::apply(&transaction, plan)?;
        let today = plan.newest.min(chrono::Utc::now().timestamp_millis());
        let keep = Keep { raw_bytes: self.raw_bytes.load(Ordering::Relaxed), ..self.keep };
        let cursor = if tends { tend::step(&transaction, &keep, today, self.cursor)? } else { self.cursor };
        {
            let mut memory = self.live.memory();
            transaction.commit()?;
            memory.done(plan, journal);
        }
        self.cursor = cursor;
        let log = std::fs::metadata(files::beside(&self.path, "-wal")).map_or(0, |log| log.len());
        if log > CHECKPOINT {
            // What readers are in the way of is copied the next time, and what is committed is safe without it.
            if let Err(error) = db.query_row("PRAGMA wal_checkpoint(PASSIVE)", (), |_| Ok(())) {
                log::warn!("the readings' log cannot be copied into the file: {error}");
            }
        }
        Ok(())
    }

    /// A reader found damage: looks at every page before anything is done about it.
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

    /// Sets the damaged file aside and begins a new one with what is in memory.
    fn replace(&mut self) {
        log::warn!("{} is damaged and set aside", self.path.display());
        self.slots.close();
        if let Some(db) = self.db.take() {
            // Best effort: a checkpoint would write to a file that is to stay as it is.
            let _ = db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        }
        match files::set_aside(&self.path) {
            Ok(path) => *self.live.set_aside() = Some(path),
            Err(error) => log::warn!("{} cannot be set aside: {error}", self.path.display()),
        }
        self.cursor = Cursor::default();
        self.live.memory().begin_anew();
    }
}

impl Work for Keeper {
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
            // Whoever asked may have gone.
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
