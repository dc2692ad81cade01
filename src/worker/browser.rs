//! Hands a link to the system's browser or mail program, and a file to its file manager.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
#[cfg(all(unix, not(target_os = "macos")))]
use std::process::Stdio;
use std::thread;

use tokio::sync::mpsc::Sender;

use super::driver::TaskResult;

/// Opens an address; how it went wrong comes as [`Done`]. A program that stays in front of its caller may keep the thread
/// for as long as it is open, so that it is of no pool. The error is that of the system, which gives no thread.
pub(super) fn open(url: String, done: Sender<TaskResult>) -> io::Result<()> {
    thread::Builder::new().name("link".to_owned()).spawn(move || {
        if let Err(error) = open_with_system(url.as_ref()) {
            // A launcher that gave up is told of by its exit code alone, which says nothing to a person.
            let detail = error.raw_os_error().map(|_| error.to_string()).unwrap_or_default();
            // The worker is gone if nobody takes it.
            let _ = done.blocking_send(TaskResult::LinkNotOpened { url, detail });
        }
    })?;
    Ok(())
}

/// Shows a file in the system's file manager, as [`open`] opens a link: selected where that can be asked for, else its
/// folder is opened.
pub(super) fn show(path: PathBuf, done: Sender<TaskResult>) -> io::Result<()> {
    thread::Builder::new().name("file manager".to_owned()).spawn(move || {
        if is_selected(&path) {
            return;
        }
        let folder = path.parent().unwrap_or(&path);
        if let Err(error) = open_with_system(folder.as_os_str()) {
            let detail = error.raw_os_error().map(|_| error.to_string()).unwrap_or_default();
            let url = folder.display().to_string();
            // The worker is gone if nobody takes it.
            let _ = done.blocking_send(TaskResult::LinkNotOpened { url, detail });
        }
    })?;
    Ok(())
}

/// Asks the file manager to open the folder with the file selected. `false`: it cannot be asked, or does not do it.
fn is_selected(path: &Path) -> bool {
    let (program, arguments): (&str, Vec<OsString>) = if cfg!(windows) {
        ("explorer.exe", vec![OsString::from("/select,"), path.into()])
    } else if cfg!(target_os = "macos") {
        ("open", vec![OsString::from("-R"), path.into()])
    } else {
        return false;
    };
    let status = Command::new(program).args(arguments).status();
    // The one of Windows says that it failed whatever it did.
    status.is_ok_and(|status| cfg!(windows) || status.success())
}

/// With the input method that the person chose, not the one that our own window is opened with.
#[cfg(all(unix, not(target_os = "macos")))]
fn open_with_system(target: &OsStr) -> io::Result<()> {
    let Some(modifiers) = std::env::var_os("DUPLEX_XMODIFIERS") else { return open::that(target) };
    let mut outcome = Err(io::Error::from(io::ErrorKind::NotFound));
    for mut command in open::commands(target) {
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
fn open_with_system(target: &OsStr) -> io::Result<()> {
    open::that(target)
}
