//! The app's own hub: started beside the window, watched, and started again if it fails.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::desk::Done;
use super::line::Access;
use crate::hub;
use crate::model::ConnectionId;
use crate::model::profile::{Profile, Protocol, Secret, Socket};
use crate::wire::duplex::proof::unhex;

/// How long a failed hub rests before it is started again.
const REST: Duration = Duration::from_secs(2);

/// Where the app's own hub is, and how to come in.
pub struct HubAt {
    pub(super) url: String,
    secret: [u8; 32],
    token: Secret,
}

impl HubAt {
    /// The hub must prove itself before it is told the token: somebody else may own the port.
    pub fn access(&self) -> Access {
        Access::Proof { secret: self.secret, token: self.token.clone() }
    }

    /// Reads what a hub leaves in its data directory for the programs of the same user.
    pub fn read(data_dir: &Path, url: String) -> Result<HubAt, String> {
        let read = |name: &str| {
            let path = data_dir.join(name);
            std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
        };
        let secret = unhex(read(hub::SECRET_FILE)?.trim()).and_then(|bytes| bytes.try_into().ok());
        let secret =
            secret.ok_or_else(|| format!("{} is damaged", data_dir.join(hub::SECRET_FILE).display()))?;
        let token = Secret::new(read(hub::TOKEN_FILE)?.trim());
        Ok(HubAt { url, secret, token })
    }
}

/// Ends the hub when dropped.
pub(super) struct OwnHub {
    _end: oneshot::Sender<()>,
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
        tokio::spawn(watch(data_dir, done, ended));
        OwnHub { _end: end }
    }
}

async fn watch(data_dir: PathBuf, done: mpsc::Sender<Done>, mut ended: oneshot::Receiver<()>) {
    loop {
        let options = hub::Options::embedded(data_dir.clone());
        let started = tokio::task::spawn_blocking(move || hub::spawn(options)).await;
        let handle = match started {
            Ok(Ok(handle)) => handle,
            Ok(Err(error)) => return drop(done.send(Done::Hub(Err(error.to_string()))).await),
            Err(error) => return drop(done.send(Done::Hub(Err(error.to_string()))).await),
        };
        let at = HubAt::read(&data_dir, handle.url().to_owned());
        if done.send(Done::Hub(at)).await.is_err() {
            return;
        }
        tokio::select! {
            _ = &mut ended => return,
            why = handle.failed() => log::error!("the hub failed: {why}"),
        }
        tokio::time::sleep(REST).await;
    }
}
