//! The app's hub on the local network: a second listener, with TLS and a self-signed certificate that is kept. The
//! loopback listener is not affected. Connections accepted here are anonymous until they present a token, and never
//! count as local.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

use super::announce::{Announcement, ServiceData};
use super::files::{HubAddressFile, LanEndpoint};
use super::http;
use super::sessions::Dismissal;
use super::state::Hub;
use super::tls::{self, Identity};
use super::{HubError, Options, Tls, serve};
use crate::model::lan::{Lan, LanChoice, LanOpen, NotOpened};
use crate::wire::duplex::message::close;

/// How often addresses and connections are checked while the listener is open.
const CHECK_INTERVAL: Duration = Duration::from_secs(2);
/// How long to wait before retrying to open the listener.
const RETRY_INTERVAL: Duration = Duration::from_secs(10);
/// How long closing the listener waits for its connections to close.
const MAX_CLOSE_WAIT: Duration = Duration::from_secs(3);
/// Maximum number of connections in the listener's accept queue.
const BACKLOG: i32 = 1024;

/// Sent to clients when the listener that accepted them closes.
pub(super) const CLOSED: Dismissal = Dismissal {
    code: close::GOING_AWAY,
    reason: "this server is no longer open to the network",
    retry_after_ms: None,
};

/// The listener that accepted a connection, and the signal that it closes.
#[derive(Clone)]
pub(super) struct ListenerHandle {
    closing: watch::Receiver<bool>,
    lan: Option<Arc<LanConnections>>,
    /// Counts as a LAN connection until the last clone is dropped.
    _connection: Option<Arc<LanConnection>>,
}

/// Counts connections from the network.
#[derive(Default)]
struct LanConnections {
    /// This computer's own addresses: connections from there do not show that a firewall lets others through.
    own: RwLock<Vec<IpAddr>>,
    ever: AtomicU64,
    now: AtomicUsize,
}

struct LanConnection(Arc<LanConnections>);

impl Drop for LanConnection {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::Relaxed);
    }
}

impl ListenerHandle {
    /// The hub's main listener, which closes with the hub.
    pub(super) fn own(closing: watch::Receiver<bool>) -> ListenerHandle {
        ListenerHandle { closing, lan: None, _connection: None }
    }

    /// Whether it is the LAN listener.
    pub(super) fn is_lan(&self) -> bool {
        self.lan.is_some()
    }

    /// Becomes true when the listener closes.
    pub(super) fn closing(&self) -> watch::Receiver<bool> {
        self.closing.clone()
    }

    /// Counts a connection from this address.
    pub(super) fn enter(&self, from: IpAddr) -> ListenerHandle {
        let connection =
            self.lan.as_ref().filter(|connections| !connections.is_own(from)).map(|connections| {
                connections.ever.fetch_add(1, Ordering::Relaxed);
                connections.now.fetch_add(1, Ordering::Relaxed);
                Arc::new(LanConnection(Arc::clone(connections)))
            });
        ListenerHandle { _connection: connection, ..self.clone() }
    }
}

impl LanConnections {
    fn is_own(&self, from: IpAddr) -> bool {
        let from = from.to_canonical();
        from.is_loopback() || self.own.read().unwrap_or_else(PoisonError::into_inner).contains(&from)
    }
}

/// The address of the LAN listener, shared with the hub's clients.
#[derive(Default)]
pub(super) struct LanAddress(RwLock<Option<LanEndpoint>>);

impl LanAddress {
    fn set(&self, way: Option<LanEndpoint>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = way;
    }

    /// How other computers reach the hub, while the listener is open.
    pub(super) fn way(&self) -> Option<LanEndpoint> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The host names of the LAN listener.
    pub(super) fn hosts(&self) -> Vec<String> {
        let host = |name: String| [format!("{name}.local"), name];
        let announced = self.way().map(|way| way.also).unwrap_or_default();
        tls::host_name().into_iter().flat_map(host).chain(announced).collect()
    }
}

/// Opens and closes the LAN listener.
pub(super) struct Network {
    hub: Arc<Hub>,
    data_dir: PathBuf,
    announce: bool,
    open: Option<Opened>,
}

/// An open listener. Dropping it closes the listener and tells its connections to close.
struct Opened {
    closing: watch::Sender<bool>,
    connections: Arc<LanConnections>,
    announcement: Option<Result<Announcement, String>>,
    service_data: ServiceData,
    public_key_pin: String,
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.closing.send_replace(true);
    }
}

impl Network {
    pub(super) fn new(hub: Arc<Hub>, data_dir: PathBuf, announce: bool) -> Network {
        Network { hub, data_dir, announce, open: None }
    }

    /// Follows the user's choice and publishes the state until the sender is dropped; never returns after that.
    pub(super) async fn keep(mut self, mut wanted: watch::Receiver<LanChoice>, state: watch::Sender<Lan>) {
        loop {
            let choice = *wanted.borrow_and_update();
            let is_other = |open: &Opened| choice.port != 0 && open.service_data.port != choice.port;
            if self.open.as_ref().is_some_and(|open| !choice.open || is_other(open)) {
                state.send_replace(Lan::Changing);
                let ended = self.close().await;
                state.send_replace(Lan::Closed { ended: Some(ended), port: choice.port });
            }
            if choice.open && self.open.is_none() {
                // A retry does not replace the error on screen.
                if !matches!(&*state.borrow(), Lan::Failed { .. }) {
                    state.send_replace(Lan::Changing);
                }
                if let Err(why) = self.open(choice.port).await {
                    let failed = Lan::Failed { port: choice.port, why };
                    if *state.borrow() != failed {
                        log::warn!("the hub cannot be opened to the network: {failed:?}");
                        state.send_replace(failed);
                    }
                }
            } else if !choice.open {
                let was_open = matches!(&*state.borrow(), Lan::Closed { ended: Some(_), .. });
                if !was_open {
                    state.send_replace(Lan::Closed { ended: None, port: choice.port });
                }
            }
            loop {
                if let Some(now) = self.look() {
                    state.send_if_modified(|before| {
                        let is_news = *before != now;
                        *before = now;
                        is_news
                    });
                }
                tokio::select! {
                    changed = wanted.changed() => match changed {
                        Ok(()) => break,
                        Err(_) => return std::future::pending().await,
                    },
                    () = sleep(CHECK_INTERVAL), if self.open.is_some() => {}
                    () = sleep(RETRY_INTERVAL), if choice.open && self.open.is_none() => break,
                }
            }
        }
    }

    async fn open(&mut self, port: u16) -> Result<(), NotOpened> {
        let other = |detail: String| NotOpened::Other { detail };
        let listener = listen(port).map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => NotOpened::PortInUse,
            _ => other(error.to_string()),
        })?;
        let port = listener.local_addr().map_err(|error| other(error.to_string()))?.port();
        let dir = self.data_dir.clone();
        let identity = spawn_blocking(move || identity(&dir, port)).await;
        let (identity, pin) =
            identity.map_err(|error| other(error.to_string()))?.map_err(|error| other(error.to_string()))?;
        let fingerprint = identity.fingerprint.unwrap_or_default();
        let (closing, closed) = watch::channel(false);
        let connections = Arc::<LanConnections>::default();
        let handle =
            ListenerHandle { closing: closed, lan: Some(Arc::clone(&connections)), _connection: None };
        let router = http::router(Arc::clone(&self.hub));
        tokio::spawn(serve::accept(listener, Arc::clone(&self.hub), identity.acceptor, router, handle));
        let host = announced_host(&fingerprint);
        let service_data =
            ServiceData { name: self.hub.name.clone(), host, port, fingerprint, addresses: own_addresses() };
        let announcement = self.announce.then(|| Announcement::new(service_data.clone()));
        log::info!("listening on the local network on port {port}");
        self.open = Some(Opened { closing, connections, announcement, service_data, public_key_pin: pin });
        Ok(())
    }

    /// Closes the listener. Returns how many connections from other computers that ended.
    async fn close(&mut self) -> usize {
        let Some(open) = self.open.take() else { return 0 };
        self.hub.lan.set(None);
        self.write_beacon(None);
        let connections = Arc::clone(&open.connections);
        let count = connections.now.load(Ordering::Relaxed);
        drop(open);
        let gone = async {
            while connections.now.load(Ordering::Relaxed) > 0 {
                sleep(Duration::from_millis(20)).await;
            }
        };
        if timeout(MAX_CLOSE_WAIT, gone).await.is_err() {
            log::info!("some LAN connections were still open when the listener closed");
        }
        log::info!("no longer listening on the local network");
        count
    }

    /// The current state, if the listener is open.
    fn look(&mut self) -> Option<Lan> {
        let open = self.open.as_mut()?;
        open.service_data.addresses = own_addresses();
        open.connections
            .own
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .clone_from(&open.service_data.addresses);
        let not_announced = match &mut open.announcement {
            Some(Ok(announcement)) => announcement.follow(&open.service_data),
            Some(Err(detail)) => Some(detail.clone()),
            None => None,
        };
        let ServiceData { name, host, port, fingerprint, addresses } = open.service_data.clone();
        let now = LanOpen {
            port,
            addresses,
            host,
            name,
            fingerprint,
            public_key_pin: open.public_key_pin.clone(),
            visits: open.connections.ever.load(Ordering::Relaxed),
            visitors: open.connections.now.load(Ordering::Relaxed),
            not_announced,
        };
        let way = now.url().map(|url| LanEndpoint {
            url,
            also: now.also(),
            fingerprint: now.fingerprint.clone(),
            name: now.name.clone(),
        });
        if self.hub.lan.way() != way {
            self.hub.lan.set(way.clone());
            self.write_beacon(way);
        }
        Some(Lan::Open(now))
    }

    /// Writes `hub.json` for other programs of the same user.
    fn write_beacon(&self, lan: Option<LanEndpoint>) {
        let Some(address_file) = HubAddressFile::read(&self.data_dir) else { return };
        if let Err(error) = (HubAddressFile { lan, ..address_file }).write(&self.data_dir) {
            log::warn!("cannot write the hub's address for the console: {error}");
        }
    }
}

/// Announces a hub on the local network for as long as it runs. Never returns.
pub(super) async fn announce(name: String, listen: SocketAddr, fingerprint: String) {
    let host = announced_host(&fingerprint);
    let ip = listen.ip();
    let addresses = || if ip.is_unspecified() { own_addresses() } else { vec![ip] };
    let mut service_data =
        ServiceData { name, host, port: listen.port(), fingerprint, addresses: addresses() };
    if ip.is_loopback() {
        return std::future::pending().await;
    }
    let mut announcement = match Announcement::new(service_data.clone()) {
        Ok(announcement) => announcement,
        Err(detail) => {
            log::warn!("cannot announce the hub on the local network: {detail}");
            return std::future::pending().await;
        }
    };
    let mut trouble = None;
    loop {
        sleep(CHECK_INTERVAL).await;
        service_data.addresses = addresses();
        let now = announcement.follow(&service_data);
        if now != trouble {
            now.iter().for_each(|detail| log::warn!("the hub is not announced on all networks: {detail}"));
            trouble = now;
        }
    }
}

/// The host name to announce. It belongs to the hub alone, so that it cannot conflict with the system's own mDNS
/// name.
fn announced_host(fingerprint: &str) -> String {
    let id = fingerprint.get(..8).map_or_else(|| tls::host_name().unwrap_or_default(), str::to_owned);
    format!("duplex-{id}.local")
}

/// Listens on all addresses, IPv6 and IPv4 where the system has both.
fn listen(port: u16) -> io::Result<TcpListener> {
    let bind = |domain: Domain, ip: IpAddr| {
        let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
        if domain == Domain::IPV6 {
            socket.set_only_v6(false)?;
        }
        // Otherwise the port stays in use for a while after closing. (On Windows this option would let other programs
        // share the port.)
        #[cfg(unix)]
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&SocketAddr::new(ip, port).into())?;
        socket.listen(BACKLOG)?;
        TcpListener::from_std(socket.into())
    };
    match bind(Domain::IPV6, Ipv6Addr::UNSPECIFIED.into()) {
        Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
            bind(Domain::IPV4, Ipv4Addr::UNSPECIFIED.into())
        }
        bound => bound,
    }
}

/// Loads or creates the certificate, and the pin of its key. Blocks.
fn identity(data_dir: &std::path::Path, port: u16) -> Result<(Identity, String), HubError> {
    let names = tls::host_name().into_iter().map(|name| format!("{name}.local"));
    let options = Options {
        tls: Tls::SelfSigned,
        listen: SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)),
        allowed_hosts: names.collect(),
        ..Options::embedded(data_dir)
    };
    let identity = tls::identity(&options)?;
    let pin = tls::public_key_pin(data_dir).unwrap_or_default();
    Ok((identity, pin))
}

/// This computer's addresses beyond loopback, the most likely one first: the source address of outgoing traffic, then
/// other IPv4, then IPv6. Link-local addresses are omitted unless there are no others.
fn own_addresses() -> Vec<IpAddr> {
    let all = if_addrs::get_if_addrs().unwrap_or_else(|error| {
        log::debug!("cannot list this computer's addresses: {error}");
        Vec::new()
    });
    let beyond = || all.iter().filter(|face| !face.is_loopback());
    let mut outside: Vec<IpAddr> =
        beyond().filter(|face| !is_inner(&face.name)).map(|face| face.ip()).collect();
    if outside.is_empty() {
        outside = beyond().map(|face| face.ip()).collect();
    }
    let sent_from = tls::reachable_address(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)));
    in_order(outside, sent_from)
}

/// Interfaces of containers and virtual machines: the same addresses may exist on other computers, where they lead
/// elsewhere.
fn is_inner(interface: &str) -> bool {
    const INNER: [&str; 10] =
        ["docker", "br-", "virbr", "lxcbr", "lxdbr", "podman", "cni", "vboxnet", "vmnet", "vEthernet"];
    INNER.iter().any(|inner| interface.starts_with(inner))
}

fn in_order(mut all: Vec<IpAddr>, sent_from: Option<IpAddr>) -> Vec<IpAddr> {
    // A link-local IPv6 address is useless without the interface's scope id on the other computer.
    all.retain(|ip| match ip {
        IpAddr::V4(ip) => !ip.is_unspecified(),
        IpAddr::V6(ip) => !ip.is_unspecified() && !ip.is_unicast_link_local(),
    });
    let is_makeshift = |ip: &IpAddr| matches!(ip, IpAddr::V4(ip) if ip.is_link_local());
    if all.iter().any(|ip| !is_makeshift(ip)) {
        all.retain(|ip| !is_makeshift(ip));
    }
    all.sort_by_key(|ip| (Some(*ip) != sent_from, ip.is_ipv6(), *ip));
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_that_others_reach_comes_first() {
        let ips = |all: &[&str]| all.iter().map(|ip| ip.parse().unwrap()).collect::<Vec<IpAddr>>();
        let all = ips(&["fe80::1", "2001:db8::7", "172.17.0.1", "192.168.1.7", "169.254.3.4", "192.168.1.7"]);
        let first = Some("192.168.1.7".parse().unwrap());
        assert_eq!(in_order(all.clone(), first), ips(&["192.168.1.7", "172.17.0.1", "2001:db8::7"]));
        assert_eq!(in_order(all, None), ips(&["172.17.0.1", "192.168.1.7", "2001:db8::7"]));
        assert_eq!(
            in_order(ips(&["169.254.3.4"]), None),
            ips(&["169.254.3.4"]),
            "a cable between two computers"
        );
        assert_eq!(in_order(ips(&["fe80::1"]), None), ips(&[]));
    }

    #[test]
    fn connections_from_this_computer_do_not_count_as_reachable() {
        let (_closing, closed) = watch::channel(false);
        let connections = Arc::<LanConnections>::default();
        connections.own.write().unwrap().push("192.168.1.7".parse().unwrap());
        let handle =
            ListenerHandle { closing: closed, lan: Some(Arc::clone(&connections)), _connection: None };
        let count = || (connections.ever.load(Ordering::Relaxed), connections.now.load(Ordering::Relaxed));
        for own in ["127.0.0.1", "::1", "::ffff:127.0.0.1", "192.168.1.7", "::ffff:192.168.1.7"] {
            let _inside = handle.enter(own.parse().unwrap());
            assert_eq!(count(), (0, 0), "{own}");
        }
        let connection = handle.enter("192.168.1.8".parse().unwrap());
        let socket = connection.clone();
        drop(connection);
        assert_eq!(count(), (1, 1), "it counts until its socket closes");
        drop(socket);
        assert_eq!(count(), (1, 0));
    }
}
