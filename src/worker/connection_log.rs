//! The worker's side of the connection log: records frames while the log is open, and saves it on request.

use std::io;
use std::path::{Path, PathBuf};

use tokio::task::spawn_blocking;

use super::access::Access;
use super::downloads::{folder, names};
use super::driver::{Driver, TaskResult};
use crate::engine;
use crate::frame::Frame;
use crate::model::event::{DiskUpdate, LinkEvent, LogEvent, Update};
use crate::model::intent::LogIntent;
use crate::model::log::{Note, Passed, Way};
use crate::model::{ConnectionId, Event, Intent, mask};
use crate::settings::private_file;

/// Maximum number of files with the same base name.
const MAX_OF_A_NAME: u32 = 100;

impl Driver {
    pub(super) fn want_of_log(&mut self, intent: Intent) {
        match intent {
            Intent::Log(LogIntent::Watch(id, watched)) => {
                let slot = self.slots.get(&id).filter(|_| watched);
                match slot {
                    Some(slot) => self.recorder.watch(id, slot.profile.protocol),
                    None => self.recorder.end(id),
                }
                let watched = self.recorder.watches(id);
                self.drive(engine::Input::Watch(id, watched));
                self.update(Update::Connection(id, Event::Log(LogEvent::Watched(watched))));
            }
            Intent::Log(LogIntent::Clear(id)) => {
                self.update(Update::Connection(id, Event::Log(LogEvent::Cleared)))
            }
            Intent::Log(LogIntent::Save { connection, text }) => self.save_log(connection, text),
            _ => {}
        }
    }

    /// A connection was opened again; keep recording if its log is open.
    pub(super) fn log_opened(&mut self, id: ConnectionId) {
        let watched = self.recorder.watches(id);
        self.update(Update::Connection(id, Event::Log(LogEvent::Watched(watched))));
    }

    /// The log line for a frame; `None` while nobody has the log open.
    pub(super) fn recorded(&mut self, id: ConnectionId, way: Way, frame: &Frame) -> Option<Passed> {
        if !self.recorder.watches(id) {
            return None;
        }
        let secrets = self.slots.get(&id)?.access.as_ref().map(Access::secrets).unwrap_or_default();
        self.recorder.passed(id, &secrets, way, frame)
    }

    pub(super) fn record(&mut self, id: ConnectionId, passed: Passed) {
        self.update(Update::Connection(id, Event::Log(LogEvent::Passed(Box::new(passed)))));
    }

    /// Masks an event for the log: a server could echo a secret.
    pub(super) fn clean(&self, id: ConnectionId, event: Event) -> Event {
        let access = self.slots.get(&id).and_then(|slot| slot.access.as_ref());
        let secrets = access.map(Access::secrets).unwrap_or_default();
        let clean = |text: &str| mask::hide_shapes(&mask::hide(&secrets, text)).into_owned();
        match event {
            Event::Log(LogEvent::Note(Note::Malformed { detail })) => {
                Event::Log(LogEvent::Note(Note::Malformed { detail: clean(&detail) }))
            }
            Event::Log(LogEvent::Note(Note::ServerError { code, detail })) => {
                Event::Log(LogEvent::Note(Note::ServerError { code: clean(&code), detail: clean(&detail) }))
            }
            Event::Log(LogEvent::Note(Note::State { text, why })) => {
                let why = why.map(|why| Box::new(why.with_texts(clean)));
                Event::Log(LogEvent::Note(Note::State { text: clean(&text), why }))
            }
            Event::Link(LinkEvent::State(state)) => Event::Link(LinkEvent::State(state.with_texts(clean))),
            event => event,
        }
    }

    /// Saves a text to the download directory.
    pub(super) fn save_text(&self, number: u64, text: String) {
        let done = self.done.clone();
        let stem = format!("duplex-text-{}", chrono::Local::now().format("%Y%m%d-%H%M%S"));
        spawn_blocking(move || {
            let _ = done.blocking_send(TaskResult::Update(Update::Disk(DiskUpdate::TextSaved(
                number,
                save_for_person(&stem, &text),
            ))));
        });
    }

    fn save_log(&self, id: ConnectionId, text: String) {
        let done = self.done.clone();
        let name = self.slots.get(&id).map_or("", |slot| slot.profile.name.as_str());
        let stem = stem(name, &chrono::Local::now().format("%Y%m%d-%H%M%S").to_string());
        spawn_blocking(move || {
            let saved = save_for_person(&stem, &text);
            // The receiver is gone if the worker has ended.
            let _ = done.blocking_send(TaskResult::Update(Update::Connection(
                id,
                Event::Log(LogEvent::Saved(saved)),
            )));
        });
    }
}

fn save_for_person(stem: &str, text: &str) -> Result<PathBuf, String> {
    folder()
        .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
        .and_then(|folder| save(&folder, stem, text))
        .map_err(|error| error.to_string())
}

/// A file name without its extension.
fn stem(connection: &str, moment: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() { c } else { '-' };
    let name: String = connection.chars().take(40).map(plain).collect();
    match name.trim_matches('-') {
        "" => format!("duplex-log-{moment}"),
        name => format!("duplex-log-{name}-{moment}"),
    }
}

/// Writes a new file that only its owner may read; an existing one is never overwritten.
fn save(folder: &Path, stem: &str, text: &str) -> io::Result<PathBuf> {
    let free = names(stem, "txt", MAX_OF_A_NAME).map(|name| folder.join(name)).find(|path| !path.exists());
    let path = free.ok_or_else(|| io::Error::from(io::ErrorKind::AlreadyExists))?;
    private_file::write(&path, text.as_bytes())?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_saved_beside_what_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let first = save(dir.path(), "log", "one").unwrap();
        let second = save(dir.path(), "log", "two").unwrap();
        assert_eq!((first, second.clone()), (dir.path().join("log.txt"), dir.path().join("log-2.txt")));
        assert_eq!(std::fs::read_to_string(dir.path().join("log.txt")).unwrap(), "one");
        assert_eq!(std::fs::read_to_string(second).unwrap(), "two");
    }

    #[test]
    fn a_file_s_name_is_one_on_every_system() {
        assert_eq!(stem("My hub: a/b\\..", "20261123-1"), "duplex-log-My-hub--a-b-20261123-1");
        assert_eq!(stem("작업실", "1"), "duplex-log-작업실-1");
        assert_eq!(stem(" ../", "1"), "duplex-log-1");
    }
}
