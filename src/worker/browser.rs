//! Opens links in the system's browser or mail program, and shows files in its file manager.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
#[cfg(all(unix, not(target_os = "macos")))]
use std::process::Stdio;
use std::thread;

use tokio::sync::mpsc::Sender;

use super::driver::TaskResult;

/// Opens an address; a failure is reported as [`TaskResult`]. The opener may block its thread for as long as the
/// program runs, so it gets a thread of its own. Returns the system's error if there is no thread.
pub(super) fn open(url: String, done: Sender<TaskResult>) -> io::Result<()> {
    thread::Builder::new().name("link".to_owned()).spawn(move || {
        if let Err(error) = open_with_system(url.as_ref()) {
            // The exit code of a launcher that failed means nothing to a person.
            let detail = error.raw_os_error().map(|_| error.to_string()).unwrap_or_default();
            // The receiver is gone if the worker has ended.
            let _ = done.blocking_send(TaskResult::LinkNotOpened { url, detail });
        }
    })?;
    Ok(())
}

/// Shows a file in the file manager like [`open`] opens a link: selected if the file manager supports it, otherwise its
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
            // The receiver is gone if the worker has ended.
            let _ = done.blocking_send(TaskResult::LinkNotOpened { url, detail });
        }
    })?;
    Ok(())
}

/// Asks the file manager to open the folder with the file selected. `false` if it cannot be asked or failed.
fn is_selected(path: &Path) -> bool {
    let (program, arguments): (&str, Vec<OsString>) = if cfg!(windows) {
        ("explorer.exe", vec![OsString::from("/select,"), path.into()])
    } else if cfg!(target_os = "macos") {
        ("open", vec![OsString::from("-R"), path.into()])
    } else {
        return false;
    };
    let status = Command::new(program).args(arguments).status();
    // Windows Explorer always returns a failure code.
    status.is_ok_and(|status| cfg!(windows) || status.success())
}

/// With the person's own input method settings, not those that our window was started with.
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
