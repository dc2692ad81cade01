//! The local network: the own server's announcement, and servers announced by others. Announcements are untrusted and
//! only used to find addresses.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use mdns_sd::{Receiver, ResolvedService, ServiceDaemon, ServiceEvent};
use tokio::sync::mpsc;

use super::access::Access;
use super::driver::{Driver, NetworkResult, Slot, TaskResult};
use crate::engine;
use crate::link::{self, durable::Input};
use crate::model::event::{NetworkUpdate, SetupUpdate, Update};
use crate::model::lan::{
    ANNOUNCED_DIGITS, Lan, MAX_ADDRESSES, MAX_NEARBY, MAX_NEARBY_NAME_CHARS, Nearby, NearbyServer,
};
use crate::model::link_state::LinkState;
use crate::model::profile::Secret;
use crate::model::proxy::ProxyChoice;
use crate::model::{ConnectionId, harmless};
use crate::{hub, transport};

/// Events within this time are reported together.
const TOGETHER: Duration = Duration::from_millis(200);

/// Number of failed attempts after which a server is searched for at other addresses.
const LOST_ATTEMPTS: u32 = 2;
/// Maximum number of addresses kept of a server that was found again; the oldest is dropped.
const MAX_URLS: usize = 8;
/// Maximum number of events reported together.
const MAX_TOGETHER: usize = 64;

/// A search for servers.
#[derive(Default)]
pub(super) struct NearbySearch {
    /// Number of the last search; results of earlier ones are dropped.
    number: u64,
    search: Option<Search>,
    /// Whether the person has the list of servers open.
    is_shown: bool,
    /// Servers found last.
    found: Vec<NearbyServer>,
}

/// A search under way; dropping it ends it.
struct Search(ServiceDaemon);

impl Drop for Search {
    fn drop(&mut self) {
        // This also ends its thread and the listening one.
        if let Err(error) = self.0.shutdown() {
            log::debug!("the search for servers does not end: {error}");
        }
    }
}

impl NearbySearch {
    /// Starts or stops the search. Returns the system's error.
    fn look(&mut self, wanted: bool, done: &mpsc::Sender<TaskResult>) -> Result<(), String> {
        if wanted != self.search.is_some() {
            self.number += 1;
            self.search = None;
            self.found.clear();
            if wanted {
                self.search = Some(search(self.number, done.clone())?);
            }
        }
        Ok(())
    }
}

fn search(number: u64, done: mpsc::Sender<TaskResult>) -> Result<Search, String> {
    let daemon = ServiceDaemon::new().map_err(|error| error.to_string())?;
    let search = Search(daemon);
    let events = search.0.browse(hub::SERVICE).map_err(|error| error.to_string())?;
    let thread = std::thread::Builder::new().name("nearby".to_owned());
    let listen = move || {
        listen(&events, |found| {
            done.blocking_send(TaskResult::Network(NetworkResult::Nearby(number, found))).is_ok()
        })
    };
    thread.spawn(listen).map_err(|error| error.to_string())?;
    Ok(search)
}

/// Passes on results until the search ends or its receiver is gone.
fn listen(events: &Receiver<ServiceEvent>, tell: impl Fn(Vec<NearbyServer>) -> bool) {
    let mut found = BTreeMap::new();
    while let Ok(event) = events.recv() {
        let mut changed = note(&mut found, event);
        for _ in 0..MAX_TOGETHER {
            let Ok(event) = events.recv_timeout(TOGETHER) else { break };
            changed |= note(&mut found, event);
        }
        if changed && !tell(list(&found)) {
            return;
        }
    }
}

fn list(found: &BTreeMap<String, NearbyServer>) -> Vec<NearbyServer> {
    let mut all: Vec<NearbyServer> = found.values().cloned().collect();
    all.sort_by(|one, other| {
        (one.name.to_lowercase(), one.place()).cmp(&(other.name.to_lowercase(), other.place()))
    });
    all
}

/// Applies an event. Returns whether anything changed.
fn note(found: &mut BTreeMap<String, NearbyServer>, event: ServiceEvent) -> bool {
    match event {
        ServiceEvent::ServiceResolved(service) => {
            let Some(server) = server(&service) else { return false };
            if found.len() >= MAX_NEARBY && !found.contains_key(&service.fullname) {
                return false;
            }
            found.insert(service.fullname, server.clone()) != Some(server)
        }
        ServiceEvent::ServiceRemoved(_, fullname) => found.remove(&fullname).is_some(),
        _ => false,
    }
}

/// An announced server as it may be shown; `None` if it cannot be reached.
fn server(service: &ResolvedService) -> Option<NearbyServer> {
    let addresses = service.addresses.iter().map(mdns_sd::ScopedIp::to_ip_addr);
    let id = service.get_property_val_str("id").unwrap_or_default();
    nearby(&service.fullname, addresses.collect(), service.port, id)
}

fn nearby(fullname: &str, mut addresses: Vec<IpAddr>, port: u16, id: &str) -> Option<NearbyServer> {
    // Announcements must not lead to this computer or to multicast addresses.
    addresses.retain(|ip| match ip.to_canonical() {
        IpAddr::V4(ip) => {
            !(ip.is_loopback() || ip.is_unspecified() || ip.is_multicast() || ip.is_broadcast())
        }
        IpAddr::V6(ip) => {
            !(ip.is_loopback() || ip.is_unspecified() || ip.is_multicast() || ip.is_unicast_link_local())
        }
    });
    addresses.sort_by_key(|ip| (ip.is_ipv6(), *ip));
    addresses.dedup();
    addresses.truncate(MAX_ADDRESSES);
    if addresses.is_empty() || port == 0 {
        return None;
    }
    let suffix = format!(".{}", hub::SERVICE);
    let name = fullname.strip_suffix(suffix.as_str()).unwrap_or(fullname).replace('\\', "");
    let name = harmless::line(&name, MAX_NEARBY_NAME_CHARS);
    let is_id =
        id.len() == ANNOUNCED_DIGITS && id.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    let mut server =
        NearbyServer { name, addresses, port, id: if is_id { id.to_owned() } else { String::new() } };
    if server.name.trim().is_empty() {
        server.name = server.place();
    }
    Some(server)
}

impl Driver {
    /// The own server's state on the network has changed.
    pub(super) fn lan_changed(&mut self, lan: Lan) {
        let mut choice = self.settings.lan();
        if let Lan::Open(open) = &lan
            && choice.open
            && choice.port == 0
        {
            // A port was chosen automatically; keep it, because invites contain it.
            choice.port = open.port;
            self.settings.set_lan(choice);
            self.save_settings();
            self.own_hub.iter().for_each(|hub| hub.set_lan(choice));
        }
        self.update(Update::Network(NetworkUpdate::Lan(lan)));
    }

    /// Shows or hides the list of announced servers.
    pub(super) fn look_for_servers(&mut self, wanted: bool) {
        self.nearby_search.is_shown = wanted;
        let looking = wanted || !self.lost().is_empty();
        let nearby = match self.nearby_search.look(looking, &self.done) {
            _ if !wanted => Nearby::Off,
            Ok(()) => Nearby::Looking(self.nearby_search.found.clone()),
            Err(detail) => Nearby::Failed(detail),
        };
        self.update(Update::Network(NetworkUpdate::Nearby(nearby)));
    }

    /// A search found servers; the own server is not listed.
    pub(super) fn found_nearby(&mut self, search: u64, mut found: Vec<NearbyServer>) {
        if search != self.nearby_search.number || self.nearby_search.search.is_none() {
            return;
        }
        let own = self.model.read(|model| model.lan.opened().map(|open| open.fingerprint.clone()));
        found.retain(|server| own.as_ref().is_none_or(|own| !server.may_be(own)));
        self.nearby_search.found.clone_from(&found);
        if self.nearby_search.is_shown {
            self.update(Update::Network(NetworkUpdate::Nearby(Nearby::Looking(found))));
        }
        for id in self.lost() {
            self.try_to_find(id);
        }
    }

    /// Servers with a known certificate that stopped answering; their address may have changed.
    fn lost(&self) -> Vec<ConnectionId> {
        let is_lost = |id: ConnectionId, slot: &Slot| {
            let state = self.engine.state(id);
            let is_pinned = slot.profile.fingerprint.is_some();
            let has_tls = slot.profile.urls.iter().any(|url| url.starts_with("wss://"));
            let is_down =
                matches!(state, Some(LinkState::Waiting { attempt, .. }) if *attempt >= LOST_ATTEMPTS);
            slot.wanted && is_pinned && has_tls && is_down
        };
        self.slots.iter().filter(|(id, slot)| is_lost(**id, slot)).map(|(id, _)| *id).collect()
    }

    /// A link went down or came up.
    pub(super) fn look_for_lost(&mut self, id: ConnectionId) {
        let lost = self.lost();
        let looking = self.nearby_search.is_shown || !lost.is_empty();
        if let Err(detail) = self.nearby_search.look(looking, &self.done) {
            log::debug!("a server that no longer answers is not looked for on the network: {detail}");
        }
        if lost.contains(&id) {
            self.try_to_find(id);
        }
    }

    /// Tries the addresses of announced servers that may be this one. Only the certificate decides, and nothing is sent
    /// to them before that.
    fn try_to_find(&self, id: ConnectionId) {
        let Some(slot) = self.slots.get(&id) else { return };
        let Some(fingerprint) = &slot.profile.fingerprint else { return };
        let servers = self.nearby_search.found.iter().filter(|server| server.may_be(fingerprint));
        for url in servers.flat_map(NearbyServer::urls).filter(|url| !slot.profile.urls.contains(url)) {
            let nobody = Access::Token(Secret::new(""));
            let Ok(mut target) = nobody.target(&slot.profile, &url) else { continue };
            target.headers.clear();
            // They are on this network.
            target.proxy = ProxyChoice::None;
            let (socket, done) = (slot.profile.socket, self.done.clone());
            tokio::spawn(async move {
                if transport::dial(socket, target).await.is_ok() {
                    // The receiver is gone if the worker has ended.
                    let _ = done.send(TaskResult::Network(NetworkResult::FoundAgain(id, url))).await;
                }
            });
        }
    }

    /// A server answers at another address with its own certificate.
    pub(super) fn found_again(&mut self, id: ConnectionId, url: String) {
        if !self.lost().contains(&id) {
            return;
        }
        let Some(slot) = self.slots.get_mut(&id) else { return };
        log::info!("connection {id:?} was found again on the local network");
        // Try it first from now on, also after a restart.
        slot.profile.urls.retain(|known| *known != url);
        slot.profile.urls.insert(0, url);
        slot.profile.urls.truncate(MAX_URLS);
        let profile = slot.profile.clone();
        self.drive(engine::Input::Addresses { connection: id, urls: profile.urls.clone() });
        if id > ConnectionId::COMMAND_LINE {
            self.settings.set_profile(profile.clone());
            self.save_settings();
        }
        self.update(Update::Setup(SetupUpdate::Configured(Box::new(profile.without_password()))));
        self.tell(id, Input::Link(link::Input::Nudge));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ips(all: &[&str]) -> Vec<IpAddr> {
        all.iter().map(|ip| ip.parse().unwrap()).collect()
    }

    #[test]
    fn what_is_announced_is_bounded_and_harmless() {
        let name = format!("Work\u{202e}shop\n{}._duplex._tcp.local.", "x".repeat(500));
        let all: Vec<String> = (1..=60).map(|n| format!("10.0.0.{n}")).collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let server = nearby(&name, ips(&all), 7870, "not hexadecimal!").unwrap();
        assert!(server.name.chars().count() <= MAX_NEARBY_NAME_CHARS + 1);
        assert!(!server.name.contains(['\u{202e}', '\n']), "{}", server.name);
        assert_eq!(server.addresses.len(), MAX_ADDRESSES);
        assert_eq!(server.id, "");
        let named =
            nearby("Work shop._duplex._tcp.local.", ips(&["10.0.0.1"]), 7870, "0f0f0f0f0f0f0f0f").unwrap();
        assert_eq!((named.name.as_str(), named.id.as_str()), ("Work shop", "0f0f0f0f0f0f0f0f"));
        assert_eq!(nearby("._duplex._tcp.local.", ips(&["10.0.0.1"]), 7, "").unwrap().name, "10.0.0.1:7");
    }

    #[test]
    fn nobody_leads_us_to_our_own_computer() {
        for bad in [
            "127.0.0.1",
            "::1",
            "0.0.0.0",
            "::",
            "224.0.0.251",
            "255.255.255.255",
            "::ffff:127.0.0.1",
            "fe80::1",
        ] {
            assert_eq!(nearby("a", ips(&[bad]), 7870, ""), None, "{bad}");
        }
        assert_eq!(nearby("a", ips(&["10.0.0.1"]), 0, ""), None);
        let mixed = nearby("a", ips(&["127.0.0.1", "2001:db8::1", "10.0.0.1"]), 7870, "").unwrap();
        assert_eq!(mixed.addresses, ips(&["10.0.0.1", "2001:db8::1"]));
    }
}
