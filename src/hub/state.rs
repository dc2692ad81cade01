//! [`Hub`]: what all clients of one hub share.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::sync::{Semaphore, broadcast, watch};

use super::channel::Channels;
use super::file::FileArea;
use super::fleet::DeviceHub;
use super::guard::Guard;
use super::hook::Hooks;
use super::lan::LanAddress;
use super::manage::ManageContext;
use super::metrics::Metrics;
use super::packer::Packer;
use super::presence::Registry;
use super::proxy::Proxies;
use super::rate::{Failures, Posts};
use super::sessions::Sessions;
use super::slots::{ConnectionSlots, MAX_ANONYMOUS, MAX_AUTHENTICATED};
use crate::clock;
use crate::model::time::BootMs;
use crate::model::{Content, Entry, Offset, Principal, PrincipalId};
use crate::store::{HubStore, LogLimits, StoreError};
use crate::wire::duplex::server::{Batch, LIST_ITEMS};

/// Maximum number of WebSockets open at once. [`ConnectionSlots`] allows fewer.
pub(super) const MAX_SOCKETS: u32 = (MAX_AUTHENTICATED + MAX_ANONYMOUS) as u32;
/// Maximum number of large answers that are read from the store at a time. The store reads faster than answers are
/// encoded: if thousands of clients reconnect at once, answers would pile up in memory.
const MAX_READING: usize = 64;
/// How long the list of people is cached, in milliseconds, so that a thousand clients that reconnect at once cause
/// one query.
const PEOPLE_MS: u64 = 1_000;
/// Maximum number of commits queued for a slow client; beyond it the client reads from the log.
const MAX_COMMITS: usize = 128;
/// Maximum bytes of text in all batches queued for slow clients.
const MAX_RECENT_BYTES: usize = 8 * 1024 * 1024;
/// How often old entries are looked for.
const RETAIN_EVERY: Duration = Duration::from_secs(1);
/// Pause between two steps of deleting many entries, so that new messages are not held up.
const RETAIN_PAUSE: Duration = Duration::from_millis(10);

/// New entries in the log, for every client.
#[derive(Clone)]
pub(super) enum Commit {
    /// New entries.
    Batch {
        /// They; dropped if too much has followed.
        batch: Weak<Batch>,
        /// The last one's offset.
        last: Offset,
        /// Whether everybody may see all of them.
        is_public: bool,
    },
    /// There are new entries up to this offset; their batches were missed.
    Head(Offset),
}

/// A cached page of people: when it was read, and where the next one begins.
type People = (BootMs, Arc<[Principal]>, Option<PrincipalId>);

/// One hub.
pub(super) struct Hub {
    /// The log and the principals.
    pub store: HubStore,
    /// The display name.
    pub name: String,
    /// The secret that proves its identity.
    pub secret: [u8; 32],
    /// Checks of `Host` and `Origin`.
    pub guard: Guard,
    /// Trusted proxies.
    pub proxies: Proxies,
    /// Connection limits.
    pub slots: Arc<ConnectionSlots>,
    /// Clients whose frames travel in HTTP requests.
    pub channels: Channels,
    /// Connected principals.
    pub registry: Arc<Registry>,
    /// Devices.
    pub fleet: Arc<DeviceHub>,
    /// Tokens of programs that post messages.
    pub hooks: Hooks,
    /// Rates of those programs.
    pub hook_posts: Posts,
    /// Rates of HTTP publishers.
    pub posts: Posts,
    /// Counters.
    pub metrics: Metrics,
    /// Failed authentication by address.
    pub failures: Failures,
    /// Open connections by principal.
    pub sessions: Arc<Sessions>,
    /// What administration needs; set before the first client connects.
    pub manage_context: OnceLock<ManageContext>,
    /// Files of messages; set before the first client connects.
    pub files: OnceLock<FileArea>,
    /// Compresses what is sent, unless that is turned off; set before the first client connects.
    pub packer: OnceLock<Arc<Packer>>,
    /// The address of the LAN listener, while it is open.
    pub lan: LanAddress,
    /// One permit per WebSocket.
    pub sockets: Arc<Semaphore>,
    /// One permit per large answer that is read from the store.
    pub reading: Arc<Semaphore>,
    /// Commits of the log.
    pub commits: broadcast::Sender<Commit>,
    /// Whether the hub is shutting down.
    pub stopping: watch::Sender<bool>,
    log_full: AtomicBool,
    people: Mutex<Option<People>>,
}

impl Hub {
    pub(super) fn new(
        store: HubStore,
        fleet: Arc<DeviceHub>,
        name: String,
        secret: [u8; 32],
        guard: Guard,
        proxies: Proxies,
        slots: Arc<ConnectionSlots>,
    ) -> Arc<Hub> {
        Arc::new(Hub {
            store,
            name,
            secret,
            guard,
            proxies,
            slots,
            channels: Channels::default(),
            registry: Arc::default(),
            fleet,
            hooks: Hooks::default(),
            hook_posts: Posts::of_hooks(),
            posts: Posts::default(),
            metrics: Metrics::default(),
            failures: Failures::default(),
            sessions: Arc::default(),
            manage_context: OnceLock::new(),
            files: OnceLock::new(),
            packer: OnceLock::new(),
            lan: LanAddress::default(),
            sockets: Arc::new(Semaphore::new(MAX_SOCKETS as usize)),
            reading: Arc::new(Semaphore::new(MAX_READING)),
            commits: broadcast::Sender::new(MAX_COMMITS),
            stopping: watch::Sender::new(false),
            log_full: AtomicBool::new(false),
            people: Mutex::new(None),
        })
    }

    /// The principal of a token.
    pub(super) async fn principal(&self, token: &str) -> Result<Option<Principal>, StoreError> {
        self.store.principal_by_token_hash(hash(token)).await
    }

    /// Counts a failed authentication. Returns the seconds to wait if the address has reached the limit.
    pub(super) fn failed(&self, from: IpAddr) -> Option<u64> {
        self.failures.count(from, clock::now().boot_ms)
    }

    /// The first page of people, and where the next one begins.
    pub(super) async fn first_people(&self) -> Result<(Arc<[Principal]>, Option<PrincipalId>), StoreError> {
        let now = clock::now().boot_ms;
        let known = self.people.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, people, next)) = known.filter(|(at, ..)| now.since(*at) < PEOPLE_MS) {
            return Ok((people, next));
        }
        let (people, next) = self.store.people(None, LIST_ITEMS).await?;
        let people: Arc<[_]> = people.into();
        *self.people.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((now, Arc::clone(&people), next.clone()));
        Ok((people, next))
    }

    /// Drops the cache, so that the next welcome contains a new person.
    pub(super) fn forget_people(&self) {
        *self.people.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Broadcasts commits of the store to all clients, each encoded once. Returns when the store has closed.
    pub(super) async fn forward(self: Arc<Self>, mut committed: broadcast::Receiver<Arc<[Entry]>>) {
        let mut recent = Recent::default();
        loop {
            let commit = match committed.recv().await {
                Ok(entries) => {
                    self.note_deletions(&entries);
                    let access = self.store.access();
                    let is_public = !entries.iter().any(|entry| access.is_private(&entry.draft.room));
                    Batch::new(entries.to_vec()).map(|batch| recent.keep(batch, is_public))
                }
                Err(broadcast::error::RecvError::Lagged(_)) => Some(Commit::Head(self.store.head())),
                Err(broadcast::error::RecvError::Closed) => return,
            };
            // Fails if no client is connected.
            let _ = commit.map(|commit| self.commits.send(commit));
        }
    }

    /// A deleted message may have had a file.
    fn note_deletions(&self, entries: &[Entry]) {
        let is_deletion = |entry: &Entry| matches!(entry.draft.content, Content::Delete { .. });
        if let Some(files) = self.files.get().filter(|_| entries.iter().any(is_deletion)) {
            files.messages_deleted();
        }
    }

    /// Removes files as the limits require. Never returns.
    pub(super) async fn tend_files(self: Arc<Self>) {
        match self.files.get() {
            Some(files) => files.tend(&self).await,
            None => std::future::pending().await,
        }
    }

    /// Deletes old entries as the limits require. Never returns.
    pub(super) async fn retain(self: Arc<Self>, limits: LogLimits) {
        if limits.keep_ms <= 0 && !limits.drop_oldest {
            return std::future::pending().await;
        }
        let mut is_told = false;
        loop {
            let more = self.store.retain(clock::now().wall_ms).await;
            if let Err(error) = &more
                && !std::mem::replace(&mut is_told, true)
            {
                log::warn!("cannot delete old messages: {error}");
            }
            is_told &= more.is_err();
            let pause = if more.unwrap_or(false) { RETAIN_PAUSE } else { RETAIN_EVERY };
            tokio::time::sleep(pause).await;
        }
    }

    /// Records whether the log is full. Logs only changes.
    pub(super) fn log_full(&self, is_full: bool) {
        // In the usual case nothing changes: avoid writing to a cache line that all threads share.
        if self.is_log_full() == is_full || self.log_full.swap(is_full, Ordering::Relaxed) == is_full {
            return;
        }
        if is_full {
            log::warn!("the log has reached --log-bytes: messages are refused until there is space");
        } else {
            log::info!("the log accepts messages again");
        }
    }

    /// Whether the last message was refused because the log is full.
    pub(super) fn is_log_full(&self) -> bool {
        self.log_full.load(Ordering::Relaxed)
    }
}

/// The newest batches. They are owned here alone, so that slow clients together hold no more than this.
#[derive(Default)]
struct Recent {
    batches: VecDeque<(Arc<Batch>, usize)>,
    bytes: usize,
}

impl Recent {
    fn keep(&mut self, batch: Arc<Batch>, is_public: bool) -> Commit {
        let commit = Commit::Batch { batch: Arc::downgrade(&batch), last: batch.last(), is_public };
        // As entries and as JSON.
        let bytes =
            2 * batch.entries.iter().map(|entry| entry.draft.content.body().len() + 256).sum::<usize>();
        self.bytes += bytes;
        self.batches.push_back((batch, bytes));
        while self.bytes > MAX_RECENT_BYTES && self.batches.len() > 1 {
            self.bytes -= self.batches.pop_front().map_or(0, |(_, bytes)| bytes);
        }
        commit
    }
}

/// The hash under which the store keeps a token or an invite's code.
pub(super) fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}
