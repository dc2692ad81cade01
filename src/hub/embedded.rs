//! A hub on its own thread, for the app: panics are contained there, and it can be restarted.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::sync_channel;
use std::thread::{Builder, JoinHandle};

use tokio::sync::{oneshot, watch};

use super::{HubError, Options, start};
use crate::model::lan::{Lan, LanChoice};
use crate::model::profile::Secret;

/// A hub on its own thread. Dropping it tells the hub to stop, without waiting.
pub struct Handle {
    /// The socket's URL: see [`super::Running`].
    pub url: String,
    /// The owner's token.
    pub admin_token: Secret,
    /// SHA-256 of its certificate, if it is self-signed.
    pub fingerprint: Option<String>,
    stop: Option<oneshot::Sender<()>>,
    lan: watch::Receiver<Lan>,
    failed: watch::Receiver<Option<String>>,
    thread: Option<JoinHandle<()>>,
}

impl Handle {
    /// Why it ended unexpectedly; `None` while it runs. It can be restarted with the same options: everything
    /// acknowledged is on disk.
    pub fn failed(&self) -> Option<String> {
        self.failed.borrow().clone()
    }

    /// Waits until it ends unexpectedly, and returns the reason.
    pub async fn failure(&mut self) -> String {
        match self.failed.wait_for(Option::is_some).await {
            Ok(why) => why.clone().unwrap_or_default(),
            Err(_) => "its thread has ended".to_owned(),
        }
    }

    /// The state of the LAN listener.
    pub fn lan(&self) -> watch::Receiver<Lan> {
        self.lan.clone()
    }

    /// Closes all connections and the database. Blocks for some seconds at most.
    pub fn shutdown(mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // Panics are caught inside.
            let _ = thread.join();
        }
    }
}

/// Runs a hub on its own thread, named `duplex-hub`. Blocks until it listens.
///
/// # Errors
/// As [`start`].
pub fn spawn(options: Options) -> Result<Handle, HubError> {
    // The default is closed, and nothing changes it.
    spawn_with(options, watch::channel(LanChoice::default()).1)
}

/// Like [`spawn`], with a LAN listener that opens and closes as `wanted` says.
///
/// # Errors
/// As [`start`]. A LAN listener that cannot be opened is not an error: [`Handle::lan`] reports it.
pub fn spawn_with(options: Options, wanted: watch::Receiver<LanChoice>) -> Result<Handle, HubError> {
    let (state, lan) = watch::channel(Lan::Closed { ended: None, port: wanted.borrow().port });
    let (tell, told) = sync_channel(1);
    let (stop, stopped) = oneshot::channel();
    let (fail, failed) = watch::channel(None);
    let run = move || {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => {
                // The caller waits for this.
                let _ = tell.send(Err(HubError::System { detail: error.to_string() }));
                return;
            }
        };
        let hub = AssertUnwindSafe(|| {
            runtime.block_on(async {
                let mut running = match start(options).await {
                    Ok(running) => running,
                    Err(error) => {
                        let _ = tell.send(Err(error));
                        return None;
                    }
                };
                let facts = (running.url.clone(), running.admin_token.clone(), running.fingerprint.clone());
                let _ = tell.send(Ok(facts));
                let network = running.network();
                let why = tokio::select! {
                    why = running.failure() => Some(why),
                    _ = stopped => None,
                    // `keep` ends with the select, which closes the LAN listener.
                    () = network.keep(wanted, state) => None,
                };
                running.shutdown().await;
                why
            })
        });
        let why = catch_unwind(hub).unwrap_or_else(|_| Some("internal error".to_owned()));
        if let Some(why) = why {
            log::error!("the hub has ended: {why}");
            fail.send_replace(Some(why));
        }
    };
    let system = |error: std::io::Error| HubError::System { detail: error.to_string() };
    let thread = Builder::new().name("duplex-hub".to_owned()).spawn(run).map_err(system)?;
    let ended = |_| Err(HubError::System { detail: "the hub's thread has ended".to_owned() });
    let (url, admin_token, fingerprint) = told.recv().unwrap_or_else(ended)?;
    Ok(Handle { url, admin_token, fingerprint, stop: Some(stop), lan, failed, thread: Some(thread) })
}
