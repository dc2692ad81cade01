//! [`Pulse`]: what the last reads and writes of a hub's log say about its health. A trouble is logged when it begins and
//! when it is over, not for each read that meets it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use tokio::sync::Notify;

use super::super::error::StoreError;

/// Maximum number of failed reads that are tried again. The log is sound when all of them work.
const MAX_PROBES: usize = 8;

/// A read that failed, to be tried again.
pub(super) type Probe = Arc<dyn Fn(&Connection) -> Result<(), StoreError> + Send + Sync>;

/// What is wrong with the log at the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogTrouble {
    /// The last write failed.
    Unwritable {
        /// The system's words.
        detail: String,
    },
    /// A read failed: an I/O error, permissions.
    Unreadable {
        /// The system's words.
        detail: String,
    },
    /// A read met damage.
    Damaged {
        /// What was found.
        detail: String,
    },
}

/// See the module.
pub(super) struct IoHealth {
    path: PathBuf,
    state: Mutex<State>,
    failed_reads: AtomicU64,
    failed_writes: AtomicU64,
    changed: Notify,
}

#[derive(Default)]
struct State {
    writing: Option<String>,
    reading: Option<Reading>,
}

struct Reading {
    is_damage: bool,
    detail: String,
    probes: Vec<Probe>,
}

impl IoHealth {
    pub(super) fn new(path: PathBuf) -> IoHealth {
        IoHealth {
            path,
            state: Mutex::default(),
            failed_reads: AtomicU64::new(0),
            failed_writes: AtomicU64::new(0),
            changed: Notify::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is wrong at the moment; damage first, since it needs somebody.
    pub(super) fn trouble(&self) -> Option<LogTrouble> {
        let state = self.state();
        let writing = state.writing.clone().map(|detail| LogTrouble::Unwritable { detail });
        match &state.reading {
            Some(Reading { is_damage: true, detail, .. }) => {
                Some(LogTrouble::Damaged { detail: detail.clone() })
            }
            Some(Reading { detail, .. }) => {
                writing.or_else(|| Some(LogTrouble::Unreadable { detail: detail.clone() }))
            }
            None => writing,
        }
    }

    /// Whether the last read, and the last write, worked.
    pub(super) fn works(&self) -> (bool, bool) {
        let state = self.state();
        (state.reading.is_none(), state.writing.is_none())
    }

    /// Returns when a trouble has begun since the last call.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Failed reads and failed writes since the start.
    pub(super) fn failed(&self) -> (u64, u64) {
        (self.failed_reads.load(Ordering::Relaxed), self.failed_writes.load(Ordering::Relaxed))
    }

    /// A read failed, which may be tried again by `probe`.
    pub(super) fn read_failed(&self, error: &StoreError, probe: Probe) {
        let is_damage = match error {
            StoreError::Closed => return,
            error => error.is_damage() || matches!(error, StoreError::Nonsense(_)),
        };
        self.failed_reads.fetch_add(1, Ordering::Relaxed);
        let mut state = self.state();
        if let Some(reading) = &mut state.reading {
            reading.is_damage |= is_damage;
            if reading.probes.len() < MAX_PROBES {
                reading.probes.push(probe);
            }
            return;
        }
        let detail = error.to_string();
        let (path, folder) = (self.path.display(), self.folder());
        if is_damage {
            log::error!(
                "{path} is damaged ({detail}): clients that need the damaged part are turned away; stop the hub and run \
                 `duplexctl hub repair --data-dir {folder}`, or restore a backup"
            );
        } else {
            log::error!(
                "{path} cannot be read ({detail}): see to the disk; the hub goes on by itself once it can"
            );
        }
        state.reading = Some(Reading { is_damage, detail, probes: vec![probe] });
        drop(state);
        self.changed.notify_one();
    }

    /// The reads that failed in this episode.
    pub(super) fn probes(&self) -> Vec<Probe> {
        self.state().reading.as_ref().map(|reading| reading.probes.clone()).unwrap_or_default()
    }

    /// So many failed reads of this episode work again.
    pub(super) fn reads_work(&self, tried: usize) {
        let mut state = self.state();
        if state.reading.take_if(|reading| reading.probes.len() == tried).is_some() {
            log::info!("{} can be read again", self.path.display());
        }
    }

    /// A write failed.
    pub(super) fn write_failed(&self, error: &StoreError) {
        if matches!(error, StoreError::Closed) {
            return;
        }
        self.failed_writes.fetch_add(1, Ordering::Relaxed);
        let detail = error.to_string();
        if self.state().writing.replace(detail.clone()).is_none() {
            let (path, folder) = (self.path.display(), self.folder());
            if error.is_damage() {
                log::error!(
                    "{path} cannot be written ({detail}): nothing is acknowledged; stop the hub and run \
                     `duplexctl hub repair --data-dir {folder}`, or restore a backup"
                );
            } else {
                log::error!(
                    "{path} cannot be written ({detail}): nothing is acknowledged until it can; make room on the disk"
                );
            }
            self.changed.notify_one();
        }
    }

    /// Something was written.
    pub(super) fn write_works(&self) {
        if self.state().writing.take().is_some() {
            log::info!("{} can be written again", self.path.display());
        }
    }

    fn folder(&self) -> std::path::Display<'_> {
        self.path.parent().unwrap_or(&self.path).display()
    }
}
