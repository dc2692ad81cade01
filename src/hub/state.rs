//! [`Hub`]: what all clients of one hub share.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use sha2::{Digest, Sha256};
use tokio::sync::{Semaphore, broadcast, watch};

use super::fleet::Fleet;
use super::guard::Guard;
use super::manage::Premises;
use super::metrics::Metrics;
use super::presence::Registry;
use super::rate::{Failures, Posts};
use super::sessions::Sessions;
use crate::clock;
use crate::model::time::BootMs;
use crate::model::{Entry, Offset, Principal, PrincipalId};
use crate::store::{HubStore, StoreError};
use crate::wire::duplex::server::{Batch, LIST_ITEMS};

/// Most sockets open at once.
pub(super) const MAX_SOCKETS: u32 = 10_000;
/// How long what the store said about people is believed, in milliseconds: a thousand clients that come back at once
/// ask once.
const PEOPLE_MS: u64 = 1_000;
/// Batches that wait for a client that is slow; after that it reads from the log.
const COMMITS: usize = 128;

/// News of the log, for every client.
#[derive(Clone)]
pub(super) enum Commit {
    /// New entries.
    Batch(Arc<Batch>),
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
    /// One permit for each socket.
    pub sockets: Arc<Semaphore>,
    /// News of the log.
    pub commits: broadcast::Sender<Commit>,
    /// Whether the hub is shutting down.
    pub stopping: watch::Sender<bool>,
    log_works: AtomicBool,
    people: Mutex<Option<People>>,
}

impl Hub {
    pub(super) fn new(
        store: HubStore,
        fleet: Arc<Fleet>,
        name: String,
        secret: [u8; 32],
        guard: Guard,
    ) -> Arc<Hub> {
        Arc::new(Hub {
            store,
            name,
            secret,
            guard,
            registry: Arc::default(),
            fleet,
            posts: Posts::default(),
            metrics: Metrics::default(),
            failures: Failures::default(),
            sessions: Arc::default(),
            premises: OnceLock::new(),
            sockets: Arc::new(Semaphore::new(MAX_SOCKETS as usize)),
            commits: broadcast::Sender::new(COMMITS),
            stopping: watch::Sender::new(false),
            log_works: AtomicBool::new(true),
            people: Mutex::new(None),
        })
    }

    /// Whether the log could be written when it was last tried.
    pub(super) fn log_works(&self) -> bool {
        self.log_works.load(Ordering::Relaxed)
    }

    /// Remembers whether writing worked.
    pub(super) fn log_worked(&self, worked: bool) {
        self.log_works.store(worked, Ordering::Relaxed);
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
        loop {
            let commit = match committed.recv().await {
                Ok(entries) => Batch::new(entries.to_vec()).map(Commit::Batch),
                Err(broadcast::error::RecvError::Lagged(_)) => Some(Commit::Head(self.store.head())),
                Err(broadcast::error::RecvError::Closed) => return,
            };
            // Nobody may be connected.
            let _ = commit.map(|commit| self.commits.send(commit));
        }
    }
}

/// What the store keeps of a token or an invite's code.
pub(super) fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}
