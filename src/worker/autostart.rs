//! Starting with the person's session, and the notes about crashes: what the window wants of the system and of the data
//! directory besides servers. The disk is used by a blocking thread.

use tokio::task::spawn_blocking;

use super::driver::{Driver, TaskResult};
use crate::clock;
use crate::model::Autostart;
use crate::model::event::{ChoicesUpdate, Update};
use crate::settings::{autostart, log_folder};

impl Driver {
    /// Reports whether the app starts when the person signs in. An entry of a program that was moved is updated.
    pub(super) fn read_autostart(&self) {
        self.with_autostart(autostart::Autostart::renew);
    }

    /// Adds the entry, or removes it.
    pub(super) fn set_autostart(&self, on: bool) {
        self.with_autostart(move |entry| entry.set(on));
    }

    fn with_autostart(
        &self,
        act: impl FnOnce(&autostart::Autostart) -> std::io::Result<()> + Send + 'static,
    ) {
        let (data_dir, done) = (self.data_dir.clone(), self.done.clone());
        spawn_blocking(move || {
            let state = match autostart::Autostart::new(&data_dir) {
                Ok(entry) => {
                    let failed = act(&entry).err().map(|error| error.to_string());
                    Autostart { is_known: true, is_on: entry.is_on(), failed }
                }
                Err(error) => Autostart { is_known: false, is_on: false, failed: Some(error.to_string()) },
            };
            // The receiver is gone if the worker has ended.
            let _ = done.blocking_send(TaskResult::Update(Update::Choices(ChoicesUpdate::Autostart(state))));
        });
    }

    /// The person has seen the note about a crash: it is kept with the log files.
    pub(super) fn keep_crash_note(&self) {
        let data_dir = self.data_dir.clone();
        spawn_blocking(move || {
            if let Err(error) = log_folder::keep_note(&data_dir, &clock::utc_stamp()) {
                log::warn!("the note about a crash cannot be kept with the logs: {error}");
            }
        });
    }
}
