//! Hands a link to the system's browser or mail program.

use std::io;
#[cfg(all(unix, not(target_os = "macos")))]
use std::process::Stdio;
use std::thread;

use tokio::sync::mpsc::Sender;

use super::desk::Done;

/// Opens an address; how it went wrong comes as [`Done`]. A program that stays in front of its caller may keep the thread
/// for as long as it is open, so that it is of no pool. The error is that of the system, which gives no thread.
pub(super) fn open(url: String, done: Sender<Done>) -> io::Result<()> {
    thread::Builder::new().name("link".to_owned()).spawn(move || {
        if let Err(error) = open_with_system(&url) {
            // A launcher that gave up is told of by its exit code alone, which says nothing to a person.
            let detail = error.raw_os_error().map(|_| error.to_string()).unwrap_or_default();
            // The worker is gone if nobody takes it.
            let _ = done.blocking_send(Done::LinkNotOpened { url, detail });
        }
    })?;
    Ok(())
}

/// With the input method that the person chose, not the one that our own window is opened with.
#[cfg(all(unix, not(target_os = "macos")))]
fn open_with_system(url: &str) -> io::Result<()> {
    let Some(modifiers) = std::env::var_os("DUPLEX_XMODIFIERS") else { return open::that(url) };
    let mut outcome = Err(io::Error::from(io::ErrorKind::NotFound));
    for mut command in open::commands(url) {
        command.env("XMODIFIERS", &modifiers).env_remove("DUPLEX_XMODIFIERS");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        outcome = match command.status() {
            Ok(status) if status.success() => return Ok(()),
            Ok(status) => Err(io::Error::other(format!("the launcher ended with {status}"))),
            Err(error) => Err(error),
        };
    }
    outcome
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
fn open_with_system(url: &str) -> io::Result<()> {
    open::that(url)
}
