//! The app's own hub: started with the app, supervised, and restarted if it fails.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinHandle, spawn_blocking};

use super::access::Access;
use super::driver::{NetworkResult, TaskResult};
use crate::hub::{self, HubAddressFile, HubError};
use crate::model::ConnectionId;
use crate::model::lan::{Lan, LanChoice};
use crate::model::link_state::Why;
use crate::model::profile::{Profile, Protocol, Secret, Socket};
use crate::settings;

/// Pause before a failed hub is restarted.
const REST: Duration = Duration::from_secs(2);

/// Address and credentials of a hub of the same user.
pub struct HubAt {
    pub(super) url: String,
    secret: [u8; 32],
    pub(super) token: Secret,
}

impl HubAt {
    /// Reads the files that a hub writes to its data directory for other programs of the same user.
    ///
    /// # Errors
    /// If the files are missing or unreadable.
    pub fn read(data_dir: &Path, url: impl Into<String>) -> Result<HubAt, HubError> {
        Ok(HubAt { url: url.into(), secret: hub::secret(data_dir)?, token: hub::token(data_dir)? })
    }

    /// Finds the hub of the same user at a URL, in these data directories or else the usual ones.
    ///
    /// # Errors
    /// If its files are unreadable.
    pub fn find(data_dir: Option<&Path>, url: &str) -> Result<Option<HubAt>, HubError> {
        let usual = || settings::data_dir().map_or(Vec::new(), |dir| vec![dir.join("hub"), dir]);
        let dirs = data_dir.map_or_else(usual, |dir| vec![dir.to_owned()]);
        let is_there = |dir: &&PathBuf| {
            HubAddressFile::read(dir).is_some_and(|address_file| {
                same_place(&address_file.url, url) || same_place(address_file.local_url(), url)
            })
        };
        dirs.iter().find(is_there).map(|dir| HubAt::read(dir, url)).transpose()
    }

    /// The hub must prove its identity before the token is sent: another user may be listening on the port.
    pub fn access(&self) -> Access {
        Access::Proof { secret: self.secret, token: self.token.clone() }
    }
}

/// Whether two URLs name the same host and port.
fn same_place(one: &str, other: &str) -> bool {
    let place = |url: &str| {
        let uri: http::Uri = url.parse().ok()?;
        let host = uri.host()?.replace("localhost", "127.0.0.1");
        Some((host, uri.port_u16()))
    };
    place(one).is_some_and(|one| Some(one) == place(other))
}

/// Handle to the app's own hub.
pub(super) struct OwnHub {
    end: oneshot::Sender<()>,
    lan: watch::Sender<LanChoice>,
    watch: JoinHandle<()>,
}

impl OwnHub {
    /// Its profile.
    pub(super) fn profile() -> Profile {
        Profile {
            id: ConnectionId::OWN_HUB,
            name: String::new(),
            urls: Vec::new(),
            protocol: Protocol::Duplex,
            socket: Socket::Tungstenite,
            route: Default::default(),
            ca_file: None,
            fingerprint: None,
            auto_connect: true,
            websocket: Default::default(),
            network: Default::default(),
        }
    }

    /// Starts it; its address is reported through `done`.
    pub(super) fn start(data_dir: PathBuf, lan: LanChoice, done: mpsc::Sender<TaskResult>) -> OwnHub {
        let (end, ended) = oneshot::channel();
        let (lan, wanted) = watch::channel(lan);
        OwnHub { end, lan, watch: tokio::spawn(watch_over(data_dir, wanted, done, ended)) }
    }

    /// Opens or closes it to the local network; the new state is reported through `done`.
    pub(super) fn set_lan(&self, choice: LanChoice) {
        self.lan.send_replace(choice);
    }

    /// Whether it could not be started and was given up.
    pub(super) fn is_over(&self) -> bool {
        self.watch.is_finished()
    }

    /// Ends it: clients are notified, the database is closed.
    pub(super) async fn end(self) {
        drop(self.end);
        // Failures have been reported already.
        let _ = self.watch.await;
    }
}

/// Why there is no hub; distinguishes what a person can fix.
fn why_failed(error: HubError) -> Why {
    match error {
        HubError::LogMissing { path, left, .. } => Why::HubLogMissing { path, left },
        HubError::LogDamaged { path, detail, .. } => Why::HubLogDamaged { path, detail },
        other => Why::HubFailed { detail: other.to_string() },
    }
}

/// Reports every change of the hub's state on the local network. Never returns.
async fn tell_lan(mut lan: watch::Receiver<Lan>, done: &mpsc::Sender<TaskResult>) {
    loop {
        let now = lan.borrow_and_update().clone();
        // The receiver is gone if the worker has ended.
        let _ = done.send(TaskResult::Network(NetworkResult::Lan(now))).await;
        if lan.changed().await.is_err() {
            return std::future::pending().await;
        }
    }
}

/// Keeps the hub running until told to end.
async fn watch_over(
    data_dir: PathBuf,
    wanted: watch::Receiver<LanChoice>,
    done: mpsc::Sender<TaskResult>,
    mut ended: oneshot::Receiver<()>,
) {
    loop {
        let (dir, wanted) = (data_dir.clone(), wanted.clone());
        let started = spawn_blocking(move || {
            let handle = hub::spawn_with(hub::Options::embedded(dir.clone()), wanted)?;
            let at = HubAt::read(&dir, handle.url.clone())?;
            Ok((handle, at))
        });
        let started: Result<_, HubError> = match started.await {
            Ok(started) => started,
            Err(error) => Err(HubError::System { detail: error.to_string() }),
        };
        let (mut handle, at) = match started {
            Ok(started) => started,
            Err(error) => {
                drop(done.send(TaskResult::Network(NetworkResult::Lan(Lan::None))).await);
                return drop(
                    done.send(TaskResult::Network(NetworkResult::Hub(Err(why_failed(error))))).await,
                );
            }
        };
        // If the worker is gone, the hub is told to end as well.
        let _ = done.send(TaskResult::Network(NetworkResult::Hub(Ok(at)))).await;
        let lan = handle.lan();
        let why = tokio::select! {
            _ = &mut ended => None,
            why = handle.failure() => Some(why),
            () = tell_lan(lan, &done) => None,
        };
        // It closes on its own thread, and waiting for that blocks.
        let closed = spawn_blocking(move || handle.shutdown()).await;
        match (why, closed) {
            (Some(why), _) => log::error!("the hub failed: {why}"),
            (None, Err(error)) => return log::error!("the hub did not close: {error}"),
            (None, Ok(())) => return,
        }
        tokio::time::sleep(REST).await;
    }
}
