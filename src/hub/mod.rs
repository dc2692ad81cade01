//! The hub: one log for everyone, served over `GET /v1/socket`. It owns sockets and files; what a conversation is, is
//! [`crate::wire::duplex::server`]'s, and what is on disk is [`crate::store::HubStore`]'s.
//!
//! The map, as a connection comes in:
//!
//! - `serve`: accepts, TLS, HTTP within limits. `tls`: certificates. `guard`: whose requests are looked at. `proxy`: from
//!   where they come.
//! - `places`: how many connections there may be, and who goes when there are too many. `rate`: how much is too much.
//! - `http`: the routes, and the handshake of the socket.
//! - `client`: one client's task. `socket`: its frames. `meter`: what is counted of them, before they are whole. `asks`: how
//!   its session's questions are answered.
//! - `fleet`: the devices: what they say, and what they are told. `post`: readings over HTTP. `device`: their tokens.
//! - `account`: what all clients of one principal may do together. `limits`: what is kept at most.
//! - `manage`: what an admin asks for. `sessions`: whom a change of rights reaches.
//! - `state`: what all clients share. `presence`: who is connected. `metrics`: what is counted. `process`: what the system
//!   says of us.
//! - `upkeep`: checks, repairs and copies what a hub keeps, from outside of it.
//! - `health`: whether the disk does what is promised, and who looks.
//! - `lan`: the app's hub on the local network: a second listener with TLS. `announce`: how it is found there.
//! - `files`: token, secret, lock, address. [`invite`]: how people join. [`spawn`]: a hub within the app.

mod account;
mod announce;
mod asks;
mod client;
mod device;
mod embedded;
mod error;
mod files;
mod fleet;
mod guard;
mod health;
mod http;
mod invite;
mod lan;
mod limits;
mod manage;
mod meter;
mod metrics;
mod places;
mod post;
mod presence;
mod process;
mod proxy;
mod rate;
mod serve;
mod sessions;
mod socket;
mod state;
mod tls;
mod upkeep;

use std::fs::File;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::timeout;

pub use announce::SERVICE;
pub use device::{add_device, devices, remove_device};
pub use embedded::{Handle, spawn, spawn_with};
pub use error::HubError;
pub use files::{Beacon, LanWay, is_running, is_there, secret, token};
pub use ipnet::IpNet;
pub use upkeep::{backup, check, repair};

pub use invite::{INVITE_MS, Invite, InviteOptions, invite};
pub use limits::{DeviceLimits, Limits};
pub use manage::manage_offline;

use crate::clock;
use crate::model::address::SOCKET_PATH;
use crate::model::device::COMMAND_MS;
use crate::model::name;
use crate::model::profile::Secret;
use crate::model::{Epoch, MessageId, Principal, PrincipalKind};
use crate::store::readings::{HUB_FILE, Keep, ReadingsStore};
use crate::store::{HubStore, OwnerRefused};
use fleet::Fleet;
use guard::Guard;
use lan::{Door, Network};
use places::Places;
use proxy::Proxies;
use state::{Hub, MAX_SOCKETS};
use tls::{Identity, Renewable};

/// How long a hub that shuts down waits for its clients to have gone.
const GOODBYE: Duration = Duration::from_secs(5);

/// How a hub is to be.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where its files are.
    pub data_dir: PathBuf,
    /// Where it listens. Port 0 takes any free one.
    pub listen: SocketAddr,
    /// Its name for people; this computer's unless given.
    pub name: Option<String>,
    /// How connections are encrypted.
    pub tls: Tls,
    /// Listen beyond loopback without TLS.
    pub insecure: bool,
    /// Within the app: with port 0 it takes the port of its previous run, if that is free.
    pub embedded: bool,
    /// Announce it on the local network while others can reach it there, with TLS.
    pub announce: bool,
    /// Host names under which it is reached, besides IP addresses and `localhost`.
    pub allowed_hosts: Vec<String>,
    /// Web pages that may connect, by their origin: `https://chat.example`.
    pub allowed_origins: Vec<String>,
    /// Proxies that are believed when they say in `Forwarded` or `X-Forwarded-For` for whom they ask.
    pub trusted_proxies: Vec<IpNet>,
    /// How long a device may take for a command, in milliseconds.
    pub command_ms: u64,
    /// Begin a new log where the log of a hub that lived here is missing or damaged.
    pub new_log: bool,
    /// What is kept at most.
    pub limits: Limits,
}

/// How connections are encrypted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Tls {
    /// Not at all. On loopback only, unless [`Options::insecure`].
    #[default]
    Off,
    /// By the owner's certificate.
    Files {
        /// The certificate and its chain, PEM.
        cert: PathBuf,
        /// The private key, PEM.
        key: PathBuf,
    },
    /// By a certificate that the hub signs itself, and keeps. Clients know it by its fingerprint.
    SelfSigned,
}

impl Options {
    /// The hub within the app: on loopback, at any port.
    pub fn embedded(data_dir: impl Into<PathBuf>) -> Options {
        Options {
            data_dir: data_dir.into(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            name: None,
            tls: Tls::Off,
            insecure: false,
            embedded: true,
            announce: true,
            allowed_hosts: Vec::new(),
            allowed_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            command_ms: COMMAND_MS,
            new_log: false,
            limits: Limits::default(),
        }
    }
}

/// A running hub. Dropping it ends it as a crash would: everything acknowledged is on disk.
pub struct Running {
    /// Where it listens.
    pub addr: SocketAddr,
    /// The socket's URL, as others reach it.
    pub url: String,
    /// SHA-256 of its certificate, 64 hexadecimal digits, where it signed its own.
    pub fingerprint: Option<String>,
    /// The owner's token.
    pub admin_token: Secret,
    data_dir: PathBuf,
    announce: bool,
    /// The file of its certificate, where it was given one.
    certificate: Option<PathBuf>,
    hub: Arc<Hub>,
    accepting: JoinHandle<()>,
    forwarding: JoinHandle<()>,
    watching: JoinHandle<()>,
    retaining: JoinHandle<()>,
    renewable: Option<Arc<Renewable>>,
    renewing: Option<JoinHandle<()>>,
    announcing: Option<JoinHandle<()>>,
    _lock: File,
}

/// Starts a hub on the runtime that it is called from. Returns once it listens.
///
/// # Errors
/// [`HubError`] says why it does not run, and what to do. Nothing is left running.
pub async fn start(options: Options) -> Result<Running, HubError> {
    start_on(options, None).await
}

/// The same on a socket that listens already, as systemd hands it over; [`Options::listen`] counts for nothing then.
///
/// Long: the steps of a start, in the order in which each needs the ones before.
///
/// # Errors
/// As [`start`].
pub async fn start_on(
    mut options: Options,
    listener: Option<std::net::TcpListener>,
) -> Result<Running, HubError> {
    if let Some(listener) = &listener {
        let system = |error: io::Error| HubError::System { detail: error.to_string() };
        options.listen = listener.local_addr().map_err(system)?;
        listener.set_nonblocking(true).map_err(system)?;
    }
    if !options.listen.ip().is_loopback() && options.tls == Tls::Off && !options.insecure {
        return Err(HubError::TlsRequired { address: options.listen });
    }
    let lock = files::take_to_serve(&options.data_dir).await?;
    let prepare = options.clone();
    let prepared = spawn_blocking(move || Prepared::new(&prepare, lock)).await;
    let Prepared { lock, identity, token, secret, store, readings } =
        prepared.map_err(|error| HubError::System { detail: error.to_string() })??;
    ensure_owner(&store, &token, &options.data_dir).await?;
    let listener = match listener {
        Some(listener) => TcpListener::from_std(listener)
            .map_err(|source| HubError::Listen { address: options.listen, source })?,
        None => listen(&options).await?,
    };
    let addr =
        listener.local_addr().map_err(|source| HubError::Listen { address: options.listen, source })?;
    if !options.embedded {
        allow_sockets();
    }

    let url = url(&options, addr);
    let name = hub_name(options.name.as_deref())?;
    let guard = Guard { hosts: options.allowed_hosts.clone(), origins: options.allowed_origins.clone() };
    store.set_limits(options.limits.log);
    let fleet = Fleet::open(readings, clock::now().wall_ms, options.command_ms, options.limits.devices).await;
    let proxies = Proxies::new(options.trusted_proxies.clone());
    let places = Places::new(process::max_files());
    let hub = Hub::new(store, fleet, name, secret, guard, proxies, places);
    let premises = manage::Premises {
        data_dir: options.data_dir.clone(),
        url: url.clone(),
        fingerprint: identity.fingerprint.clone(),
    };
    // Nobody else sets it.
    let _ = hub.premises.set(premises);
    let committed = hub.store.subscribe();
    let forwarding = tokio::spawn(Arc::clone(&hub).forward(committed));
    let watching = tokio::spawn(health::watch(Arc::clone(&hub)));
    let retaining = tokio::spawn(Arc::clone(&hub).retain(options.limits.log));
    let router = http::router(Arc::clone(&hub));
    let door = Door::own(hub.stopping.subscribe());
    let accepting = tokio::spawn(serve::accept(listener, Arc::clone(&hub), identity.acceptor, router, door));
    let renewing = identity.renewable.clone().map(|renewable| tokio::spawn(renewable.follow()));

    let announcing = (options.announce && !options.embedded && options.tls != Tls::Off).then(|| {
        let fingerprint = identity.fingerprint.clone().unwrap_or_default();
        tokio::spawn(lan::announce(hub.name.clone(), addr, fingerprint))
    });

    let running = Running {
        addr,
        url,
        fingerprint: identity.fingerprint,
        admin_token: token,
        certificate: match &options.tls {
            // The console may stand in another folder.
            Tls::Files { cert, .. } => Some(std::path::absolute(cert).unwrap_or_else(|_| cert.clone())),
            _ => None,
        },
        data_dir: options.data_dir,
        announce: options.announce,
        hub,
        accepting,
        forwarding,
        watching,
        retaining,
        renewable: identity.renewable,
        renewing,
        announcing,
        _lock: lock,
    };
    running.announce()?;
    log::info!("the hub listens on {}", running.url);
    Ok(running)
}

/// What comes from the disk.
struct Prepared {
    lock: File,
    identity: Identity,
    token: Secret,
    secret: [u8; 32],
    store: HubStore,
    readings: Option<ReadingsStore>,
}

impl Prepared {
    fn new(options: &Options, lock: File) -> Result<Prepared, HubError> {
        let dir = &options.data_dir;
        let identity = tls::identity(options)?;
        expect_log(options)?;
        let epoch = Epoch(u64::from_be_bytes(clock::random()?));
        let general = MessageId::from_random(clock::random()?);
        let store = HubStore::open(dir, epoch, clock::now().wall_ms, general)
            .map_err(|error| HubError::log(dir, error))?;
        let readings = ReadingsStore::open(dir, HUB_FILE, Keep::HUB);
        let readings =
            readings.inspect_err(|error| log::error!("what devices say is not kept: {error}")).ok();
        // The token last: where it is without a log, the log was lost, and this is no first start that was cut short.
        let (secret, token) = (files::ensure_secret(dir)?, files::ensure_token(dir)?);
        Ok(Prepared { lock, identity, token, secret, store, readings })
    }
}

/// The hub's name for people: as given, or else this computer's.
fn hub_name(given: Option<&str>) -> Result<String, HubError> {
    let made = |text: &str| name::make(text, name::MAX_TITLE_CHARS);
    match given {
        Some(given) => made(given).map_err(|why| HubError::BadName { why }),
        None => Ok(tls::host_name().and_then(|host| made(&host).ok()).unwrap_or_else(|| "Duplex".to_owned())),
    }
}

/// Whether a log may be begun where there is none: at a first start, also one that was cut short, or where somebody asks
/// for it.
fn expect_log(options: &Options) -> Result<(), HubError> {
    let dir = &options.data_dir;
    let path = dir.join(crate::store::hub::FILE);
    let begun = HubStore::is_begun(dir).map_err(|error| HubError::log(dir, error));
    match begun {
        Ok(true) if options.new_log => return Err(HubError::LogThere { data_dir: dir.clone() }),
        Ok(true) => return Ok(()),
        Ok(false) if options.new_log => {}
        Ok(false) => {
            return match files::left_over(dir) {
                left if left.is_empty() => Ok(()),
                left => Err(HubError::LogMissing { path, data_dir: dir.clone(), left }),
            };
        }
        Err(HubError::LogDamaged { .. }) if options.new_log => {}
        Err(error) => return Err(error),
    }
    let aside = HubStore::set_aside(dir)?;
    if aside.exists() {
        log::warn!("{} is set aside as {}, and a new log is begun", path.display(), aside.display());
    }
    Ok(())
}

/// Whoever can read the token's file is an admin, also after the database was lost or restored. Where the file was lost, the
/// token that was in it is good for nothing from now on.
async fn ensure_owner(store: &HubStore, token: &Secret, data_dir: &Path) -> Result<(), HubError> {
    let user = ["USER", "USERNAME"].iter().find_map(|name| std::env::var(name).ok());
    let name = user
        .and_then(|name| name::make(&name, name::MAX_PERSON_CHARS).ok())
        .unwrap_or_else(|| "admin".to_owned());
    let new = Principal { id: asks::new_principal_id()?, kind: PrincipalKind::Admin, name };
    let path = || files::token_file(data_dir);
    match store.settle_owner(state::hash(token.reveal()), new).await? {
        Ok(owner) => {
            for admin in owner.former {
                log::warn!(
                    "{:?} ({}) was the owner before, by another token that is good still; take it away by \
                     `duplexctl people remove {}`",
                    admin.name,
                    admin.id.0,
                    admin.id.0
                );
            }
            Ok(())
        }
        Err(OwnerRefused::Withdrawn) => Err(HubError::TokenWithdrawn { path: path() }),
        Err(OwnerRefused::NotAdmin { name }) => Err(HubError::TokenNotAdmins { path: path(), name }),
    }
}

async fn listen(options: &Options) -> Result<TcpListener, HubError> {
    if options.embedded
        && options.listen.port() == 0
        && let Some(port) = files::last_port(&options.data_dir)
        && let Ok(listener) = TcpListener::bind(SocketAddr::new(options.listen.ip(), port)).await
    {
        return Ok(listener);
    }
    let address = options.listen;
    TcpListener::bind(address).await.map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => HubError::PortInUse { address },
        _ => HubError::Listen { address, source },
    })
}

/// As many file descriptors as the system lets this process have: one for each socket.
fn allow_sockets() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit, setrlimit};
        let mut limit = getrlimit(Resource::Nofile);
        let wanted = u64::from(MAX_SOCKETS) + 1024;
        if limit.current.is_some_and(|current| current < wanted) {
            limit.current = Some(limit.maximum.map_or(wanted, |most| most.min(wanted)));
            if let Err(error) = setrlimit(Resource::Nofile, limit) {
                log::warn!("cannot raise the limit of open files: {error}");
            }
        }
    }
}

fn url(options: &Options, addr: SocketAddr) -> String {
    let scheme = if options.tls == Tls::Off { "ws" } else { "wss" };
    let host = match (options.allowed_hosts.first(), tls::reachable_address(addr)) {
        (Some(host), _) => format!("{host}:{}", addr.port()),
        (None, Some(ip)) => SocketAddr::new(ip, addr.port()).to_string(),
        (None, None) => format!("localhost:{}", addr.port()),
    };
    format!("{scheme}://{host}{SOCKET_PATH}")
}

/// The same as this computer reaches it: the proof is bound to an address, and a name may lead elsewhere.
fn local_url(url: &str, addr: SocketAddr) -> String {
    let scheme = if url.starts_with("wss") { "wss" } else { "ws" };
    let ip = match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    format!("{scheme}://{}{SOCKET_PATH}", SocketAddr::new(ip, addr.port()))
}

impl Running {
    /// Writes down where it is found.
    fn announce(&self) -> Result<(), HubError> {
        files::keep_port(&self.data_dir, self.addr.port());
        let beacon = Beacon {
            url: self.url.clone(),
            pid: std::process::id(),
            started: clock::now().wall_ms,
            fingerprint: self.fingerprint.clone(),
            local: Some(local_url(&self.url, self.addr)),
            certificate: self.certificate.clone(),
            lan: None,
        };
        beacon.write(&self.data_dir)
    }

    /// For opening it to the local network while it runs.
    fn network(&self) -> Network {
        Network::new(Arc::clone(&self.hub), self.data_dir.clone(), self.announce)
    }

    /// Waits until it has ended without being told to, and says why.
    pub async fn failure(&mut self) -> String {
        let (what, ended) = tokio::select! {
            ended = &mut self.accepting => ("accepting connections", ended),
            ended = &mut self.forwarding => ("passing on what is committed", ended),
        };
        match ended {
            Ok(()) => format!("{what} has ended"),
            Err(error) => format!("{what} failed: {error}"),
        }
    }

    /// Reads the owner's certificate again, where one is in use.
    pub async fn reload(&self) {
        if let Some(renewable) = self.renewable.clone() {
            // It is a task of its own: what it comes to is in the log.
            let _ = spawn_blocking(move || renewable.reload()).await;
        }
    }

    /// Says goodbye to all clients, waits some seconds for them to have gone, and closes the database.
    pub async fn shutdown(self) {
        Beacon::remove(&self.data_dir);
        self.hub.fleet.close();
        self.hub.stopping.send_replace(true);
        // Nobody ever closes the semaphore: what can go wrong is that a client does not go in time.
        if timeout(GOODBYE, self.hub.sockets.acquire_many(MAX_SOCKETS)).await.is_err() {
            log::info!("some clients had not gone when the hub closed");
        }
        self.hub.fleet.flush().await;
        self.renewing.iter().chain(&self.announcing).for_each(JoinHandle::abort);
        self.accepting.abort();
        self.forwarding.abort();
        self.watching.abort();
        self.retaining.abort();
        // They hold the database: it closes when the last of them has let go.
        let _ = self.accepting.await;
        let _ = self.forwarding.await;
        let _ = self.watching.await;
        let _ = self.retaining.await;
    }
}
