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
