//! The proxies of a Linux desktop: its portal is asked for each server, and evaluates scripts (PAC) as well.

use std::env;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use tokio::time::{Duration, Instant, timeout};

use super::Hop;
use crate::model::proxy::{Destination, MAX_TRIED, ProxySource};
use crate::model::proxy_system::of_portal;

/// How long the portal may take.
const MAX_ANSWER: Duration = Duration::from_millis(1_500);
/// How long its answer counts, and for how long it isn't asked again where it gave none.
const FRESH: Duration = Duration::from_secs(30);
const FRESH_FAILURE: Duration = Duration::from_secs(300);
/// Maximum number of servers whose answers are remembered.
const MAX_REMEMBERED: usize = 64;

/// What it answered last.
struct Known {
    uri: String,
    until: Instant,
    hops: Vec<Hop>,
}

static KNOWN: Mutex<(Vec<Known>, Option<Instant>)> = Mutex::new((Vec::new(), None));

/// The ways to a server. Without a session bus, or without a portal on it: directly.
pub(super) async fn hops(to: &Destination<'_>) -> Vec<Hop> {
    let direct = vec![Hop::Direct];
    if !has_session_bus() {
        return direct;
    }
    let uri = uri(to);
    let now = Instant::now();
    {
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        known.0.retain(|known| known.until > now);
        if let Some(known) = known.0.iter().find(|known| known.uri == uri) {
            return known.hops.clone();
        }
        if known.1.is_some_and(|until| until > now) {
            return direct;
        }
    }
    let answer = match timeout(MAX_ANSWER, lookup(&uri)).await {
        Ok(Ok(answer)) => Some(answer),
        Ok(Err(error)) => {
            log::debug!("the desktop portal names no proxies: {error}");
            None
        }
        Err(_) => {
            log::info!("the desktop portal does not say in time which proxies to use");
            None
        }
    };
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(answer) = answer else {
        known.1 = Some(Instant::now() + FRESH_FAILURE);
        return direct;
    };
    let mut hops: Vec<Hop> = of_portal(&answer)
        .map(|proxy| proxy.map_or(Hop::Direct, |proxy| Hop::Through(proxy, ProxySource::System)))
        .take(MAX_TRIED)
        .collect();
    if hops.is_empty() {
        hops = direct;
    }
    if known.0.len() < MAX_REMEMBERED {
        known.0.push(Known { uri, until: Instant::now() + FRESH, hops: hops.clone() });
    }
    hops
}

/// A portal is asked about web pages: what isn't plain HTTP needs a tunnel, as `https` does.
fn uri(to: &Destination<'_>) -> String {
    let scheme = if to.scheme == "ws" { "http" } else { "https" };
    format!("{scheme}://{}/", super::authority(to))
}

fn has_session_bus() -> bool {
    let is_set = |name| env::var_os(name).filter(|value| !value.is_empty());
    is_set("DBUS_SESSION_BUS_ADDRESS").is_some()
        || is_set("XDG_RUNTIME_DIR").is_some_and(|dir| Path::new(&dir).join("bus").exists())
}

async fn lookup(uri: &str) -> zbus::Result<Vec<String>> {
    let connection = zbus::connection::Builder::session()?.method_timeout(MAX_ANSWER).build().await?;
    let answer = connection
        .call_method(
            Some("org.freedesktop.portal.Desktop"),
            "/org/freedesktop/portal/desktop",
            Some("org.freedesktop.portal.ProxyResolver"),
            "Lookup",
            &uri,
        )
        .await?;
    answer.body().deserialize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_portal_is_asked_as_for_a_page() {
        let uri = |scheme, host| uri(&Destination { scheme, host, port: 7870 });
        assert_eq!(uri("ws", "hub.example"), "http://hub.example:7870/");
        assert_eq!(uri("wss", "2001:db8::1"), "https://[2001:db8::1]:7870/");
        assert_eq!(uri("mqtt", "a"), "https://a:7870/");
    }
}
