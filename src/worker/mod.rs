//! The engine's driver: owns the sockets, the store, the keyring and the app's own hub, carries out what the engine wants,
//! and applies what happens to the model. One named thread; a panic in it is caught here, told, and the part started again from the disk.

pub mod access;
mod browser;
mod commit;
mod connection_log;
mod devices;
mod downloads;
mod driver;
mod export;
mod flush;
mod intents;
mod manage;
mod nearby;
pub mod own_hub;
mod record;
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

/// Most intents waiting for the worker.
const INTENTS: usize = 1024;

/// Panics after which the worker is not started again: what fails at every start is no accident.
const MOST_RESTARTS: u32 = 5;

/// What a worker needs to begin.
#[derive(Clone)]
pub struct Options {
    /// Where everything is kept.
    pub data_dir: PathBuf,
    /// One connection for this run alone, instead of the app's own hub and the saved ones.
    pub only: Option<(Profile, Option<Secret>)>,
    /// Who shows notices; none: nobody.
    pub tell: Option<Tell>,
}

/// Told after the model changed.
pub type Wake = Arc<dyn Fn(RepaintReason) + Send + Sync>;

/// Told what to show a person who looks elsewhere. Must not block.
pub type Tell = Arc<dyn Fn(NoticeAction) + Send + Sync>;

/// The worker's thread, from outside.
pub struct Worker {
    intents: mpsc::Sender<Intent>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts the worker.
    ///
    /// # Errors
    /// When the system has no thread to give.
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

    /// Hands an intent over. `Err`: the worker is far behind; keep it and try again with the next frame.
    ///
    /// # Errors
    /// Gives the intent back.
    pub fn want(&self, intent: Intent) -> Result<(), Intent> {
        self.intents.try_send(intent).map_err(mpsc::error::TrySendError::into_inner)
    }

    /// Hands these over too, however far behind the worker is, and ends it: see [`Worker::shut_down`].
    pub fn shut_down_after(self, last: impl IntoIterator<Item = Intent>) {
        // A worker that has ended for good takes nothing more.
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
