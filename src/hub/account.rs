//! [`Account`]: limits for all connections of one principal together. Each principal has a share of the store's
//! writer and readers, however many connections it opens: a bounded amount of work in progress, served in turn, and a
//! rate in bytes weighted by what its requests cost the hub and others.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use super::rate::{
    ALL_READS, Bucket, Charge, PRESENCE, PRINCIPAL, PRINCIPAL_READINGS, PRINCIPAL_READS, PRINCIPAL_WRITES,
    Rate, SEEN, TYPING,
};
use crate::clock;
use crate::model::time::BootMs;
use crate::model::{PrincipalId, RoomId};

/// Maximum size of one principal's write at the store's writer, in units of [`UNIT_BYTES`]: it bounds how much a
/// principal can add to a shared commit.
const MAX_WRITING_UNITS: u32 = 128;
const UNIT_BYTES: usize = 1024;
/// Maximum number of connections of one principal that are being admitted at a time.
const MAX_ENTERING: usize = 2;
/// Maximum delay before a connection is admitted, whatever its principal owes, in milliseconds. Clients wait 10 s.
const MAX_ENTER_MS: u64 = 3_000;
/// Maximum bytes queued for writing for one principal: two full windows of the largest messages.
const MAX_WAITING_BYTES: u64 = 4 * 1024 * 1024;
/// Fixed cost of an entry besides its text, in bytes: about its JSON overhead.
const ENTRY_COST_BYTES: usize = 256;
/// Cost of a read marker, in bytes.
pub(super) const MARKER_COST_BYTES: usize = 1024;
/// Fixed cost of an answer besides its size, in bytes.
const ANSWER_COST_BYTES: usize = 2048;
/// Number of receivers that adds one unit to the cost factor of an entry.
const RECEIVERS: u32 = 16;
/// Maximum cost factor: a principal's rate is never below a quarter of its rate when alone, which is 1 MB/s.
const MAX_FACTOR: u32 = 4;
/// A notice is charged as if it had at least this many receivers.
const MIN_RECEIVERS: u32 = 500;
/// Minimum interval between typing notices of one principal in one room, in milliseconds.
const MIN_TYPING_INTERVAL_MS: u64 = 1_000;
/// Maximum number of accounts remembered, so that reconnecting does not refill a bucket. Beyond it, accounts of
/// disconnected principals that owe nothing are forgotten.
const MAX_ACCOUNTS: usize = 4_096;

/// The current load on the hub.
#[derive(Debug)]
pub(super) struct Load {
    /// Number of connected clients that receive the log.
    pub receivers: AtomicU32,
    writers: AtomicU32,
    /// Rate of answers to all principals together.
    reads: Mutex<Bucket>,
}

impl Default for Load {
    fn default() -> Self {
        let reads = Mutex::new(Bucket::new(ALL_READS, clock::now().boot_ms));
        Load { receivers: AtomicU32::new(0), writers: AtomicU32::new(0), reads }
    }
}

impl Load {
    /// Cost factor of an answer: above 1 while all answers together exceed the hub's rate.
    fn read_factor(&self, bytes: u32, now: BootMs) -> u32 {
        let mut reads = self.reads.lock().unwrap_or_else(PoisonError::into_inner);
        let is_busy = reads.lack(now) > 0;
        // Answers at a higher factor do not count, so that the others are back at their normal rate soon.
        if !is_busy {
            reads.take(bytes, now);
        }
        if is_busy { MAX_FACTOR } else { 1 }
    }
}

/// Counts a principal that is using up its rate.
struct Waiting<'a>(&'a AtomicU32);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicU32) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Waiting(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A principal's turn; it ends when dropped.
pub(super) struct Turn<'a> {
    /// Always `Some`: the semaphores are never closed.
    _permit: Option<SemaphorePermit<'a>>,
    /// Set if the principal owes something or writes much; it counts as busy until its turn ends.
    _waiting: Option<Waiting<'a>>,
}

impl<'a> Turn<'a> {
    async fn after(
        wait_ms: u64,
        permit: Option<SemaphorePermit<'a>>,
        waiting: Option<Waiting<'a>>,
    ) -> Turn<'a> {
        if wait_ms > 0 {
            tokio::time::sleep(Duration::from_millis(wait_ms)).await;
        }
        Turn { _permit: permit, _waiting: waiting }
    }
}

/// Limits of one principal.
#[derive(Debug)]
pub(super) struct Account {
    load: Arc<Load>,
    buckets: Mutex<Buckets>,
    writing: Semaphore,
    reading: Semaphore,
    entering: Semaphore,
    /// Bytes queued for writing.
    waiting: AtomicU64,
}

#[derive(Debug)]
struct Buckets {
    frames: Bucket,
    readings: Bucket,
    writes: Bucket,
    reads: Bucket,
    typing: Bucket,
    seen: Bucket,
    presence: Bucket,
    typed: Option<(RoomId, BootMs)>,
}

/// A queued entry, charged to its principal's account until dropped.
#[derive(Debug)]
pub(super) struct Held {
    account: Arc<Account>,
    bytes: u64,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.account.waiting.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Account {
    pub(super) fn new(load: Arc<Load>, now: BootMs) -> Arc<Account> {
        let full = |rate: Rate| Bucket::new(rate, now);
        let buckets = Buckets {
            frames: full(PRINCIPAL),
            readings: full(PRINCIPAL_READINGS),
            writes: full(PRINCIPAL_WRITES),
            reads: full(PRINCIPAL_READS),
            typing: full(TYPING),
            seen: full(SEEN),
            presence: full(PRESENCE),
            typed: None,
        };
        Arc::new(Account {
            load,
            buckets: Mutex::new(buckets),
            writing: Semaphore::new(MAX_WRITING_UNITS as usize),
            reading: Semaphore::new(1),
            entering: Semaphore::new(MAX_ENTERING),
            waiting: AtomicU64::new(0),
        })
    }

    fn buckets(&self) -> MutexGuard<'_, Buckets> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Charges a frame.
    pub(super) fn take_frame(&self, cost: u32, now: BootMs) -> Charge {
        self.buckets().frames.take(cost, now)
    }

    /// Charges a frame of readings.
    pub(super) fn take_readings(&self, cost: u32, now: BootMs) -> Charge {
        self.buckets().readings.take(cost, now)
    }

    /// Reserves space for an entry that waits to be written. If too much waits, the error is when to retry, in
    /// milliseconds.
    pub(super) fn hold(self: &Arc<Self>, text: usize) -> Result<Held, u64> {
        let bytes = (text + ENTRY_COST_BYTES) as u64;
        let before = self.waiting.fetch_add(bytes, Ordering::Relaxed);
        let held = Held { account: Arc::clone(self), bytes };
        if before + bytes <= MAX_WAITING_BYTES {
            return Ok(held);
        }
        let cost = before.saturating_mul(u64::from(self.write_factor()));
        Err((cost / u64::from(PRINCIPAL_WRITES.per_second / 1000)).clamp(500, 5_000))
    }

    /// Cost factor of an entry: it grows with the number of receivers or of principals that wait to write.
    fn write_factor(&self) -> u32 {
        let receivers = self.load.receivers.load(Ordering::Relaxed) / RECEIVERS;
        let writers = self.load.writers.load(Ordering::Relaxed);
        receivers.max(writers).clamp(1, MAX_FACTOR)
    }

    /// Waits for this principal's turn to write entries with this much text. The turn ends when the returned value is
    /// dropped.
    pub(super) async fn write(&self, entries: usize, text: usize) -> Turn<'_> {
        let bytes = text + entries * ENTRY_COST_BYTES;
        let units = u32::try_from(bytes / UNIT_BYTES + 1).unwrap_or(u32::MAX).min(MAX_WRITING_UNITS);
        let turn = self.writing.acquire_many(units).await;
        let wait_ms = self.buckets().writes.lack(clock::now().boot_ms);
        let is_busy = wait_ms > 0 || units >= MAX_WRITING_UNITS / 2;
        let waiting = is_busy.then(|| Waiting::new(&self.load.writers));
        let cost = u32::try_from(bytes).unwrap_or(u32::MAX).saturating_mul(self.write_factor());
        self.buckets().writes.take(cost, clock::now().boot_ms);
        Turn::after(wait_ms, turn.ok(), waiting).await
    }

    /// Charges a notice of this many bytes that is sent to others. Returns how long to wait before the next one, in
    /// milliseconds.
    pub(super) fn tell(&self, bytes: usize, now: BootMs) -> u64 {
        let bytes = u32::try_from(bytes + ENTRY_COST_BYTES).unwrap_or(u32::MAX);
        self.buckets().writes.take(bytes.saturating_mul(self.write_factor()), now).wait_ms
    }

    /// Waits for this principal's turn to read. The turn ends when the returned value is dropped.
    pub(super) async fn read(&self) -> Turn<'_> {
        let turn = self.reading.acquire().await;
        let wait_ms = self.buckets().reads.lack(clock::now().boot_ms);
        Turn::after(wait_ms, turn.ok(), None).await
    }

    /// Waits for this principal's turn to admit another connection.
    pub(super) async fn enter(&self) -> Turn<'_> {
        let turn = self.entering.acquire().await;
        let wait_ms = self.buckets().reads.lack(clock::now().boot_ms).min(MAX_ENTER_MS);
        Turn::after(wait_ms, turn.ok(), None).await
    }

    /// Charges an answer. Returns how long it takes until nothing is owed, in milliseconds.
    pub(super) fn answered(&self, bytes: usize) -> u64 {
        let (bytes, now) =
            (u32::try_from(bytes + ANSWER_COST_BYTES).unwrap_or(u32::MAX), clock::now().boot_ms);
        let cost = bytes.saturating_mul(self.load.read_factor(bytes, now));
        self.buckets().reads.take(cost, now).wait_ms
    }
}

impl Account {
    /// Whether a typing notice of this principal is to be passed on to the receivers now.
    pub(super) fn may_type(&self, room: &RoomId, now: BootMs) -> bool {
        let receivers = self.load.receivers.load(Ordering::Relaxed).max(MIN_RECEIVERS);
        let mut buckets = self.buckets();
        let told = buckets
            .typed
            .as_ref()
            .is_some_and(|(last, at)| last == room && now < *at + MIN_TYPING_INTERVAL_MS);
        if told || buckets.typing.lack(now) > 0 {
            return false;
        }
        buckets.typing.take(receivers, now);
        buckets.typed = Some((room.clone(), now));
        true
    }

    /// Whether so many others are to be told now what this principal has seen.
    pub(super) fn may_tell_seen(&self, receivers: usize, now: BootMs) -> bool {
        let mut buckets = self.buckets();
        let may = buckets.seen.lack(now) == 0;
        if may {
            buckets.seen.take(u32::try_from(receivers).unwrap_or(u32::MAX), now);
        }
        may
    }

    /// How long to wait before others are told that this principal went offline, in milliseconds: frequent reconnects
    /// must not keep everyone busy.
    pub(super) fn presence_wait(&self, now: BootMs) -> u64 {
        self.buckets().presence.take(1, now).wait_ms
    }

    /// Whether the account owes nothing and is not in use.
    fn is_idle(self: &Arc<Self>, now: BootMs) -> bool {
        let mut buckets = self.buckets();
        let Buckets { frames, readings, writes, reads, typing, seen, presence, .. } = &mut *buckets;
        let all = [frames, readings, writes, reads, typing, seen, presence];
        Arc::strong_count(self) == 1 && all.into_iter().all(|bucket| bucket.is_full(now))
    }
}

/// Accounts of connected and recently connected principals.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    of: HashMap<PrincipalId, Arc<Account>>,
    /// Number of accounts at which idle ones are removed; doubles if most are in use.
    prune_at: usize,
}

impl Accounts {
    /// Returns a principal's account; creates it if needed.
    pub(super) fn of(&mut self, who: &PrincipalId, load: &Arc<Load>, now: BootMs) -> Arc<Account> {
        if let Some(account) = self.of.get(who) {
            return Arc::clone(account);
        }
        if self.of.len() >= self.prune_at.max(MAX_ACCOUNTS) {
            self.of.retain(|_, account| !account.is_idle(now));
            self.prune_at = 2 * self.of.len();
        }
        let account = Account::new(Arc::clone(load), now);
        self.of.insert(who.clone(), Arc::clone(&account));
        account
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> (Arc<Load>, Arc<Account>) {
        let load = Arc::new(Load::default());
        (Arc::clone(&load), Account::new(load, clock::now().boot_ms))
    }

    #[test]
    fn queued_bytes_of_a_principal_are_bounded_and_released_on_drop() {
        let (_, account) = account();
        let held: Vec<Held> = std::iter::from_fn(|| account.hold(64 * 1024).ok()).collect();
        assert_eq!(held.len(), 63, "two windows of 32, nearly");
        assert!(account.hold(64 * 1024).unwrap_err() >= 500);
        drop(held);
        assert!(account.hold(64 * 1024).is_ok());
    }

    #[test]
    fn entries_with_many_receivers_cost_up_to_four_times_as_much() {
        let (load, account) = account();
        for (receivers, factor) in [(0, 1), (31, 1), (32, 2), (64, 4), (10_000, 4)] {
            load.receivers.store(receivers, Ordering::Relaxed);
            assert_eq!(account.write_factor(), factor, "{receivers} receivers");
        }
        load.receivers.store(0, Ordering::Relaxed);
        let _waiting: Vec<_> = (0..3).map(|_| Waiting::new(&load.writers)).collect();
        assert_eq!(account.write_factor(), 3, "others wait as well");
        const { assert!(PRINCIPAL_WRITES.per_second / MAX_FACTOR >= 1_000_000) };
    }

    #[tokio::test]
    async fn each_principal_has_its_own_bounded_share_of_the_writer() {
        let (load, one) = account();
        let other = Account::new(load, clock::now().boot_ms);
        let held = one.write(1, 127 * 1024).await;
        let mut second = Box::pin(one.write(1, 64 * 1024));
        let waits = futures_util::poll!(second.as_mut());
        assert!(waits.is_pending(), "its first is under way");
        // Another principal is not delayed.
        other.write(1, 64 * 1024).await;
        drop(held);
        second.await;
    }

    #[test]
    fn typing_notices_are_limited_to_one_per_second_and_room() {
        let (_, account) = account();
        let now = clock::now().boot_ms;
        let room = |number: usize| RoomId::new(format!("room {number}")).unwrap();
        assert!(account.may_type(&room(0), now));
        assert!(!account.may_type(&room(0), now + 999), "the same again");
        let told = (0..100).filter(|number| account.may_type(&room(*number), now)).count();
        assert_eq!(told, 9, "ten at once");
        let told = (0..10_000).filter(|ms| account.may_type(&room(*ms as usize), now + *ms)).count();
        assert!((90..=110).contains(&told), "{told} in ten seconds");
    }

    #[test]
    fn idle_accounts_of_disconnected_principals_are_forgotten() {
        let (load, mut accounts) = (Arc::new(Load::default()), Accounts::default());
        let id = |number: usize| PrincipalId(format!("{number}"));
        let kept = accounts.of(&id(0), &load, BootMs(0));
        accounts.of(&id(1), &load, BootMs(0)).answered(100_000_000);
        for number in 2..2 * MAX_ACCOUNTS {
            accounts.of(&id(number), &load, BootMs(0));
        }
        assert!(accounts.of.len() <= MAX_ACCOUNTS + 2, "{}", accounts.of.len());
        assert!(Arc::ptr_eq(&kept, &accounts.of(&id(0), &load, BootMs(0))), "it is connected");
        assert!(accounts.of.contains_key(&id(1)), "it owes");
    }
}
