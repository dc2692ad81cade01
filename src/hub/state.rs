//! [`Hub`]: what all clients of one hub share.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::sync::{Semaphore, broadcast, watch};

use super::fleet::Fleet;
use super::guard::Guard;
use super::lan::Doorway;
use super::manage::Premises;
use super::metrics::Metrics;
use super::places::{MAX_MEMBERS, MAX_STRANGERS, Places};
use super::presence::Registry;
use super::proxy::Proxies;
use super::rate::{Failures, Posts};
use super::sessions::Sessions;
use crate::clock;
use crate::model::time::BootMs;
use crate::model::{Entry, Offset, Principal, PrincipalId};
use crate::store::{HubStore, LogLimits, StoreError};
use crate::wire::duplex::server::{Batch, LIST_ITEMS};

/// Maximum number of sockets open at once. [`Places`] allows fewer.
pub(super) const MAX_SOCKETS: u32 = (MAX_MEMBERS + MAX_STRANGERS) as u32;
/// Maximum number of large answers that are read from the store at a time. The store reads faster than answers are encoded:
/// when thousands of clients come back at once, their answers would pile up in memory.
const MAX_READING: usize = 64;
/// How long what the store said about people is believed, in milliseconds: a thousand clients that come back at once
/// ask once.
const PEOPLE_MS: u64 = 1_000;
/// Pieces of news that wait for a client that is slow; after that it reads from the log.
const COMMITS: usize = 128;
/// Bytes of text in the batches that wait for slow clients, for all of them together.
const MAX_RECENT_BYTES: usize = 8 * 1024 * 1024;
/// How often it is looked whether there are old entries to let go of.
const RETAIN_EVERY: Duration = Duration::from_secs(1);
/// How long it waits between two steps of letting go of many, so that others' messages are not held up.
const RETAIN_PAUSE: Duration = Duration::from_millis(10);

/// News of the log, for every client.
#[derive(Clone)]
pub(super) enum Commit {
    /// New entries, up to this one, unless too much has come since for them to be still here.
    Batch(Weak<Batch>, Offset),
    /// There are new entries up to here, and the batches were missed.
    Head(Offset),
}

/// People as the store had them at that time.
type People = (BootMs, Arc<[Principal]>, Option<PrincipalId>);

/// One hub.
pub(super) struct Hub {
    /// The log and the principals.
    pub store: HubStore,
    /// For people.
    pub name: String,
    /// What it proves itself with.
    pub secret: [u8; 32],
    /// Who may ask.
    pub guard: Guard,
    /// The proxies that are believed.
    pub proxies: Proxies,
    /// The connections, and whose they are.
    pub places: Arc<Places>,
    /// Who is connected.
    pub registry: Arc<Registry>,
    /// The devices.
    pub fleet: Arc<Fleet>,
    /// Who publishes over HTTP.
    pub posts: Posts,
    /// What is counted.
    pub metrics: Metrics,
    /// Who guesses tokens.
    pub failures: Failures,
    /// The connections of each principal.
    pub sessions: Arc<Sessions>,
    /// What changing rights needs to know; set before the first client is let in.
    pub premises: OnceLock<Premises>,
    /// The way in from the local network, where the app has opened one.
    pub lan: Doorway,
    /// One permit for each socket.
    pub sockets: Arc<Semaphore>,
    /// One permit for each large answer that is read from the store.
    pub reading: Arc<Semaphore>,
    /// News of the log.
    pub commits: broadcast::Sender<Commit>,
    /// Whether the hub is shutting down.
    pub stopping: watch::Sender<bool>,
    log_full: AtomicBool,
    people: Mutex<Option<People>>,
}

impl Hub {
    pub(super) fn new(
        store: HubStore,
        fleet: Arc<Fleet>,
        name: String,
        secret: [u8; 32],
        guard: Guard,
        proxies: Proxies,
        places: Arc<Places>,
    ) -> Arc<Hub> {
        Arc::new(Hub {
            store,
            name,
            secret,
            guard,
            proxies,
            places,
            registry: Arc::default(),
            fleet,
            posts: Posts::default(),
            metrics: Metrics::default(),
            failures: Failures::default(),
            sessions: Arc::default(),
            premises: OnceLock::new(),
            lan: Doorway::default(),
            sockets: Arc::new(Semaphore::new(MAX_SOCKETS as usize)),
            reading: Arc::new(Semaphore::new(MAX_READING)),
            commits: broadcast::Sender::new(COMMITS),
            stopping: watch::Sender::new(false),
            log_full: AtomicBool::new(false),
            people: Mutex::new(None),
        })
    }

    /// Whose token this is.
    pub(super) async fn principal(&self, token: &str) -> Result<Option<Principal>, StoreError> {
        self.store.principal_by_token_hash(hash(token)).await
    }

    /// Counts bad credentials from an address. Returns the seconds to stay away, if they were one too many.
    pub(super) fn failed(&self, from: IpAddr) -> Option<u64> {
        self.failures.count(from, clock::now().boot_ms)
    }

    /// The first of those who may chat, and after whom the rest comes.
    pub(super) async fn first_people(&self) -> Result<(Arc<[Principal]>, Option<PrincipalId>), StoreError> {
        let now = clock::now().boot_ms;
        let known = self.people.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, people, next)) = known.filter(|(at, ..)| now.saturating_sub(*at) < PEOPLE_MS) {
            return Ok((people, next));
        }
        let (people, next) = self.store.people(None, LIST_ITEMS).await?;
        let people: Arc<[_]> = people.into();
        *self.people.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((now, Arc::clone(&people), next.clone()));
        Ok((people, next))
    }

    /// Somebody joined: they are to be in the next welcome.
    pub(super) fn forget_people(&self) {
        *self.people.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Turns what the store commits into news for every client, encoded once. Returns when the store has closed.
    pub(super) async fn forward(self: Arc<Self>, mut committed: broadcast::Receiver<Arc<[Entry]>>) {
        let mut recent = Recent::default();
        loop {
            let commit = match committed.recv().await {
                Ok(entries) => Batch::new(entries.to_vec()).map(|batch| recent.keep(batch)),
                Err(broadcast::error::RecvError::Lagged(_)) => Some(Commit::Head(self.store.head())),
                Err(broadcast::error::RecvError::Closed) => return,
            };
            // Nobody may be connected.
            let _ = commit.map(|commit| self.commits.send(commit));
        }
    }

    /// Lets go of old entries, where the limits say so. Never returns.
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
                log::warn!("old messages cannot be let go of: {error}");
            }
            is_told &= more.is_err();
            let pause = if more.unwrap_or(false) { RETAIN_PAUSE } else { RETAIN_EVERY };
            tokio::time::sleep(pause).await;
        }
    }

    /// The log has refused a message because it is full, or has taken one. Says so once in each episode.
    pub(super) fn log_full(&self, is_full: bool) {
        // Nearly always there is nothing to change, and nothing is written that all threads share.
        if self.is_log_full() == is_full || self.log_full.swap(is_full, Ordering::Relaxed) == is_full {
            return;
        }
        if is_full {
            log::warn!(
                "the log has as many bytes as --log-bytes allows: messages are refused until there is room"
            );
        } else {
            log::info!("the log takes messages again");
        }
    }

    /// Whether the last message was refused because the log is full.
    pub(super) fn is_log_full(&self) -> bool {
        self.log_full.load(Ordering::Relaxed)
    }
}

/// The newest batches. They are kept here alone, so that slow clients together hold no more than this.
#[derive(Default)]
struct Recent {
    batches: VecDeque<(Arc<Batch>, usize)>,
    bytes: usize,
}

impl Recent {
    fn keep(&mut self, batch: Arc<Batch>) -> Commit {
        let commit = Commit::Batch(Arc::downgrade(&batch), batch.last());
        // As entries, and as JSON.
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

/// What the store keeps of a token or an invite's code.
pub(super) fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}
