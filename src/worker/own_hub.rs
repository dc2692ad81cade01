//! The app's own hub: started beside the window, watched, and started again if it fails.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, spawn_blocking};

use super::desk::Done;
use super::line::Access;
use crate::hub::{self, Beacon, HubError};
use crate::model::ConnectionId;
use crate::model::link_state::Why;
use crate::model::profile::{Profile, Protocol, Secret, Socket};
use crate::settings;

/// How long a failed hub rests before it is started again.
const REST: Duration = Duration::from_secs(2);

/// Where a hub of this user's is, and how to come in.
pub struct HubAt {
    pub(super) url: String,
    secret: [u8; 32],
    pub(super) token: Secret,
}

impl HubAt {
    /// Reads what a hub leaves in its data directory for the programs of the same user.
    ///
    /// # Errors
    /// When the files are not there or cannot be read.
    pub fn read(data_dir: &Path, url: impl Into<String>) -> Result<HubAt, HubError> {
        Ok(HubAt { url: url.into(), secret: hub::secret(data_dir)?, token: hub::token(data_dir)? })
    }

    /// The hub of this user's at a URL, if one of these data directories (or else the usual ones) is that of a hub there.
    ///
    /// # Errors
    /// When its files cannot be read.
    pub fn find(data_dir: Option<&Path>, url: &str) -> Result<Option<HubAt>, HubError> {
        let usual = || settings::data_dir().map_or(Vec::new(), |dir| vec![dir.join("hub"), dir]);
        let dirs = data_dir.map_or_else(usual, |dir| vec![dir.to_owned()]);
        let is_there = |dir: &&PathBuf| {
            Beacon::read(dir)
                .is_some_and(|beacon| same_place(&beacon.url, url) || same_place(beacon.local_url(), url))
        };
        dirs.iter().find(is_there).map(|dir| HubAt::read(dir, url)).transpose()
    }

    /// The hub must prove itself before it is told the token: somebody else may own the port.
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

/// The hub within the app, as the worker holds it.
pub(super) struct OwnHub {
    end: oneshot::Sender<()>,
    watch: JoinHandle<()>,
}

impl OwnHub {
    /// The connection to it.
    pub(super) fn profile() -> Profile {
        Profile {
            id: ConnectionId::OWN_HUB,
            name: String::new(),
            urls: Vec::new(),
            protocol: Protocol::Duplex,
            socket: Socket::Tungstenite,
            ca_file: None,
            fingerprint: None,
            auto_connect: true,
        }
    }

    /// Starts it; where it is comes by `done`.
    pub(super) fn start(data_dir: PathBuf, done: mpsc::Sender<Done>) -> OwnHub {
        let (end, ended) = oneshot::channel();
        OwnHub { end, watch: tokio::spawn(watch(data_dir, done, ended)) }
    }

    /// Whether it has given up: it could not be started.
    pub(super) fn is_over(&self) -> bool {
        self.watch.is_finished()
    }

    /// Ends it: its clients are told, its database is closed.
    pub(super) async fn end(self) {
        drop(self.end);
        // What fails in there has been told.
        let _ = self.watch.await;
    }
}

/// Why there is no hub. What a person can do about is told apart.
fn why_failed(error: HubError) -> Why {
    match error {
        HubError::LogMissing { path, left, .. } => Why::HubLogMissing { path, left },
        HubError::LogDamaged { path, detail, .. } => Why::HubLogDamaged { path, detail },
        other => Why::HubFailed { detail: other.to_string() },
    }
}

/// Keeps the hub running until told to end.
async fn watch(data_dir: PathBuf, done: mpsc::Sender<Done>, mut ended: oneshot::Receiver<()>) {
    loop {
        let dir = data_dir.clone();
        let started = spawn_blocking(move || {
            let handle = hub::spawn(hub::Options::embedded(dir.clone()))?;
            let at = HubAt::read(&dir, handle.url.clone())?;
            Ok((handle, at))
        });
        let started: Result<_, HubError> = match started.await {
            Ok(started) => started,
            Err(error) => Err(HubError::System { detail: error.to_string() }),
        };
        let (mut handle, at) = match started {
            Ok(started) => started,
            Err(error) => return drop(done.send(Done::Hub(Err(why_failed(error)))).await),
        };
        // The worker is gone if nobody takes it; then the hub is told to end, too.
        let _ = done.send(Done::Hub(Ok(at))).await;
        let why = tokio::select! {
            _ = &mut ended => None,
            why = handle.failure() => Some(why),
        };
        // It closes on its own thread; waiting for that blocks.
        let closed = spawn_blocking(move || handle.shutdown()).await;
        match (why, closed) {
            (Some(why), _) => log::error!("the hub failed: {why}"),
            (None, Err(error)) => return log::error!("the hub did not close: {error}"),
            (None, Ok(())) => return,
        }
        tokio::time::sleep(REST).await;
    }
}
