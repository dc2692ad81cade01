//! Hands a link to the system's browser or mail program.

use std::io;
use std::thread;

use tokio::sync::mpsc::Sender;

use super::desk::Done;

/// Opens an address; how it went wrong comes as [`Done`]. A program that stays in front of its caller may keep the thread
/// for as long as it is open, so that it is of no pool. The error is that of the system, which gives no thread.
pub(super) fn open(url: String, done: Sender<Done>) -> io::Result<()> {
    thread::Builder::new().name("link".to_owned()).spawn(move || {
        if let Err(error) = open::that(&url) {
            // A launcher that gave up is told of by its exit code alone, which says nothing to a person.
            let detail = error.raw_os_error().map(|_| error.to_string()).unwrap_or_default();
            // The worker is gone if nobody takes it.
            let _ = done.blocking_send(Done::LinkNotOpened { url, detail });
        }
    })?;
    Ok(())
}
