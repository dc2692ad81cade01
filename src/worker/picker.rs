//! Has the person pick files in a window of the system's, where there is one.

use std::path::PathBuf;
#[cfg(all(unix, not(target_os = "macos")))]
use std::time::Duration;

/// How long the desktop may take to say whether it has a window for picking files.
#[cfg(all(unix, not(target_os = "macos")))]
const MAX_WAIT: Duration = Duration::from_secs(3);

/// The files that the person picked, perhaps none; `None` where this computer has nothing to pick files with.
pub(super) async fn pick() -> Option<Vec<PathBuf>> {
    if !is_there().await {
        return None;
    }
    pick_there().await
}

/// Where the person wants a file to be saved that is called so; `None`: nowhere after all.
pub(super) enum Chosen {
    /// There.
    At(Option<PathBuf>),
    /// This computer has nothing to choose with.
    NoPicker,
}

/// Has the person choose where a file is saved. The window asks before it takes the place of another file.
pub(super) async fn choose(name: String) -> Chosen {
    if !is_there().await {
        return Chosen::NoPicker;
    }
    choose_there(name).await
}

#[cfg(target_os = "macos")]
async fn choose_there(_: String) -> Chosen {
    Chosen::NoPicker
}

#[cfg(not(target_os = "macos"))]
async fn choose_there(name: String) -> Chosen {
    let choose = move || {
        let dialog = rfd::FileDialog::new().set_file_name(name);
        match super::downloads::folder() {
            Some(folder) => dialog.set_directory(folder).save_file(),
            None => dialog.save_file(),
        }
    };
    Chosen::At(tokio::task::spawn_blocking(choose).await.ok().flatten())
}

/// On macOS such a window belongs to the main thread, which is the event loop's.
#[cfg(target_os = "macos")]
async fn pick_there() -> Option<Vec<PathBuf>> {
    None
}

#[cfg(not(target_os = "macos"))]
async fn pick_there() -> Option<Vec<PathBuf>> {
    // Without a choice there is nothing to add.
    let pick = || rfd::FileDialog::new().pick_files().unwrap_or_default();
    tokio::task::spawn_blocking(pick).await.ok()
}

#[cfg(any(windows, target_os = "macos"))]
async fn is_there() -> bool {
    cfg!(windows)
}

/// A desktop without a portal for it and without zenity would answer as if the person had chosen nothing.
#[cfg(all(unix, not(target_os = "macos")))]
async fn is_there() -> bool {
    let portal = tokio::time::timeout(MAX_WAIT, portal_version());
    matches!(portal.await, Ok(Ok(version)) if version > 0) || has_zenity()
}

#[cfg(all(unix, not(target_os = "macos")))]
async fn portal_version() -> zbus::Result<u32> {
    let bus = zbus::Connection::session().await?;
    let name = "org.freedesktop.portal.Desktop";
    let chooser = "org.freedesktop.portal.FileChooser";
    let portal = zbus::Proxy::new(&bus, name, "/org/freedesktop/portal/desktop", chooser).await?;
    portal.get_property("version").await
}

#[cfg(all(unix, not(target_os = "macos")))]
fn has_zenity() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join("zenity").is_file())
}
