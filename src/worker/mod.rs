//! The engine's driver: owns the sockets, the store, the keyring and the app's own hub, carries out effects, and
//! applies events to the model. Runs on one named thread; a panic is caught and reported, and the worker restarted from
//! the disk.

pub mod access;
mod archive;
mod autostart;
mod browser;
mod commit;
mod connection_log;
pub mod detect;
mod devices;
pub mod doctor;
mod downloads;
mod driver;
mod export;
pub mod file_transfer;
mod files;
mod flush;
mod intents;
mod manage;
mod nearby;
pub mod own_hub;
mod picker;
mod pictures;
mod record;
mod routes;
mod search;
pub mod single;
pub mod socket_task;
mod table;
mod trial;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::mpsc;

use crate::clock;
pub use crate::engine::RepaintReason;
use crate::model::event::Update;
use crate::model::notices::NoticeAction;
use crate::model::profile::{Profile, Secret};
use crate::model::{Banner, Intent, SharedModel};

/// Maximum number of queued intents.
const INTENTS: usize = 1024;

/// Maximum number of panics after which the worker is restarted.
const MOST_RESTARTS: u32 = 5;

/// Options of a worker.
#[derive(Clone)]
pub struct Options {
    /// The data directory.
    pub data_dir: PathBuf,
    /// One connection for this run only, instead of the app's own hub and the saved ones.
    pub only: Option<(Profile, Option<Secret>)>,
    /// Called to show notifications; `None`: none are shown.
    pub tell: Option<Tell>,
}

/// Called after the model has changed.
pub type Wake = Arc<dyn Fn(RepaintReason) + Send + Sync>;

/// Called with notifications to show. Must not block.
pub type Tell = Arc<dyn Fn(NoticeAction) + Send + Sync>;

/// Handle to the worker's thread.
pub struct Worker {
    intents: mpsc::Sender<Intent>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts the worker.
    ///
    /// # Errors
    /// If the thread cannot be spawned.
    pub fn spawn(options: Options, model: SharedModel, wake: Wake) -> std::io::Result<Worker> {
        let (intents, mut wanted) = mpsc::channel(INTENTS);
        let thread = std::thread::Builder::new().name("worker".to_owned()).spawn(move || {
            for _ in 0..MOST_RESTARTS {
                let run = AssertUnwindSafe(|| driver::run(&options, &model, &wake, &mut wanted));
                match catch_unwind(run) {
                    Ok(Ok(())) => return,
                    Ok(Err(error)) => log::error!("the worker cannot run: {error}"),
                    Err(_) => log::error!("the worker panicked"),
                }
                model.write(|model| model.apply(clock::now(), Update::Banner(Banner::Restarted)));
                wake(RepaintReason::Now);
            }
        })?;
        Ok(Worker { intents, thread: Some(thread) })
    }

    /// Queues an intent. `Err` if the queue is full: keep it and try again with the next frame.
    ///
    /// # Errors
    /// Returns the intent.
    pub fn want(&self, intent: Intent) -> Result<(), Intent> {
        self.intents.try_send(intent).map_err(mpsc::error::TrySendError::into_inner)
    }

    /// Queues these even if the queue is full, and ends the worker; see [`Worker::shut_down`].
    pub fn shut_down_after(self, last: impl IntoIterator<Item = Intent>) {
        // A worker that has ended accepts nothing.
        let _ = last.into_iter().try_for_each(|intent| self.intents.blocking_send(intent));
        self.shut_down();
    }

    /// Ends the worker once everything it was given is on disk and every link is closed.
    pub fn shut_down(mut self) {
        let Some(thread) = self.thread.take() else { return };
        drop(self);
        if thread.join().is_err() {
            log::error!("the worker ended in a panic");
        }
    }
}
