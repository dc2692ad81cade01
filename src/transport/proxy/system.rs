//! The system's proxies. Scripts that choose one (PAC) are evaluated where the system offers to do it: by the desktop portal.

use super::Hop;
use crate::model::link_state::Why;
use crate::model::proxy::Destination;

/// The ways to a server that the system names; without a proxy where it names none, or cannot be asked.
#[cfg(all(unix, not(target_os = "macos")))]
pub(super) async fn hops(to: &Destination<'_>) -> Result<Vec<Hop>, Why> {
    Ok(super::portal::hops(to).await)
}

/// As above.
#[cfg(any(windows, target_os = "macos"))]
pub(super) async fn hops(to: &Destination<'_>) -> Result<Vec<Hop>, Why> {
    // Reading it may take a moment, and never long.
    let settings = tokio::task::spawn_blocking(read).await.unwrap_or_default();
    Ok(vec![super::hop(settings.of(to))?])
}

/// What is set in Windows's settings for the person.
#[cfg(windows)]
fn read() -> crate::model::proxy::ProxySettings {
    const KEY: &str = r"Software\Microsoft\Windows\CurrentVersion\Internet Settings";
    let Ok(key) = windows_registry::CURRENT_USER.open(KEY) else { return Default::default() };
    if key.get_u32("ProxyEnable").unwrap_or_default() == 0 {
        return Default::default();
    }
    let text = |name| key.get_string(name).unwrap_or_default();
    crate::model::proxy_system::of_windows(&text("ProxyServer"), &text("ProxyOverride"))
}

/// What is set in macOS's settings for the network in use. The program is a part of the system.
#[cfg(target_os = "macos")]
fn read() -> crate::model::proxy::ProxySettings {
    match std::process::Command::new("/usr/sbin/scutil").arg("--proxy").output() {
        Ok(output) => crate::model::proxy_system::of_scutil(&String::from_utf8_lossy(&output.stdout)),
        Err(error) => {
            log::warn!("the system's proxies cannot be read: {error}");
            Default::default()
        }
    }
}
