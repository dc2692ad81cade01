//! Whether the hub's disk works: for `/healthz`, for `/metrics`, and for the task that retries what failed and reads
//! the whole log once a day, so that damage is found early.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::state::Hub;
use crate::model::Offset;
use crate::store::LogTrouble;

/// How often failed operations are retried.
const RETRY: Duration = Duration::from_secs(5);
/// When the log is first read from the beginning, and the pause before it is read again.
const FIRST_SCAN: Duration = Duration::from_secs(60);
const NEXT_SCAN: Duration = Duration::from_secs(24 * 60 * 60);
/// The pause between two parts of the log.
const SCAN_PAUSE: Duration = Duration::from_millis(500);
/// Number of entries that are read at the start.
const SAMPLES: u64 = 64;
/// Maximum size of a part: entries, and bytes of JSON.
const MAX_SCAN_ENTRIES: u32 = 1_000;
const MAX_SCAN_BYTES: usize = 2 * 1024 * 1024;

/// The health of the hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Health {
    /// A status word that stays the same across versions.
    pub status: &'static str,
    /// A sentence, if something is wrong. It names no file: `/healthz` is public.
    pub detail: Option<&'static str>,
}

impl Health {
    /// The health of the hub according to its last reads and writes.
    pub(super) fn of(hub: &Hub) -> Health {
        let (status, detail) = match hub.store.trouble() {
            Some(LogTrouble::Damaged { .. }) => (
                "log_damaged",
                "A part of the log is damaged. The hub's log says which; `duplexctl hub repair` saves the rest.",
            ),
            Some(LogTrouble::Unreadable { .. }) => {
                ("log_unreadable", "The log cannot be read at the moment. See to the disk.")
            }
            Some(LogTrouble::Unwritable { .. }) => {
                ("log_unwritable", "The log cannot be written at the moment. The disk may be full.")
            }
            None if !hub.fleet.is_keeping() => (
                "readings_not_kept",
                "What devices say is passed on, but cannot be kept at the moment. The disk may be full.",
            ),
            None => return Health { status: "ok", detail: None },
        };
        Health { status, detail: Some(detail) }
    }

    pub(super) fn is_ok(&self) -> bool {
        self.detail.is_none()
    }

    /// What `/healthz` answers.
    pub(super) fn json(&self) -> serde_json::Value {
        let mut json = serde_json::json!({ "status": self.status, "version": env!("CARGO_PKG_VERSION") });
        if let Some(detail) = self.detail {
            json["detail"] = detail.into();
        }
        json
    }
}

/// The lines of `/metrics` about health.
pub(super) fn metrics(hub: &Hub) -> String {
    let ((is_readable, is_writable), (reads, writes)) = (hub.store.works(), hub.store.failed());
    let mut text = String::new();
    for (name, kind, help, value) in [
        ("log_readable", "gauge", "Whether what was read last could be read.", u64::from(is_readable)),
        ("log_writable", "gauge", "Whether what was written last could be written.", u64::from(is_writable)),
        ("log_read_errors_total", "counter", "Reads of the log that failed.", reads),
        ("log_write_errors_total", "counter", "Writes to the log that failed.", writes),
        ("readings_kept", "gauge", "Whether readings are kept.", u64::from(hub.fleet.is_keeping())),
        ("readings_not_kept_total", "counter", "Readings that were not kept.", hub.fleet.not_kept()),
    ] {
        // Writing to a `String` cannot fail.
        let _ =
            write!(text, "# HELP duplex_{name} {help}\n# TYPE duplex_{name} {kind}\nduplex_{name} {value}\n");
    }
    text
}

/// Monitors the log for as long as the hub runs.
pub(super) async fn watch(hub: Arc<Hub>) {
    let (mut next, mut rest) = (hub.store.oldest(), FIRST_SCAN);
    sample(&hub).await;
    loop {
        if hub.store.trouble().is_some() {
            sleep(RETRY).await;
            hub.store.probe().await;
        } else if timeout(rest, hub.store.troubled()).await.is_err() {
            (next, rest) = scan(&hub, next).await;
        }
    }
}

/// Reads a few entries across the whole log, so that large damage is found at the start.
async fn sample(hub: &Hub) {
    let (oldest, head) = (hub.store.oldest(), hub.store.head());
    let step = (head.since(oldest) / SAMPLES).max(1);
    for place in 0..=SAMPLES {
        let offset = oldest + place * step;
        // The store records failures.
        if offset > head || hub.store.read(offset, 1, MAX_SCAN_BYTES).await.is_err() {
            return;
        }
    }
}

/// Reads a part of the log. Returns where to continue, and when.
async fn scan(hub: &Hub, from: Offset) -> (Offset, Duration) {
    if from > hub.store.head() {
        return (hub.store.oldest(), NEXT_SCAN);
    }
    let from = from.max(hub.store.oldest());
    match hub.store.read(from, MAX_SCAN_ENTRIES, MAX_SCAN_BYTES).await {
        Ok(entries) => (entries.last().map_or(from, |last| last.offset + 1), SCAN_PAUSE),
        // The store records the failure and it is retried; the scan continues behind it.
        Err(_) => (from + u64::from(MAX_SCAN_ENTRIES), SCAN_PAUSE),
    }
}
