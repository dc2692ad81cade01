//! The hub: one message log for all clients, served over `GET /v1/socket`. This module owns sockets and files. The
//! protocol is in [`crate::wire::duplex::server`], the database in [`crate::store::HubStore`].
//!
//! Modules, in the order in which a connection passes through them:
//!
//! - `serve`: accepts connections; TLS and both versions of HTTP with limits and deadlines. `tls`: certificates. `guard`: checks of
//!   `Host` and `Origin`. `proxy`: client addresses behind trusted proxies.
//! - `exchange`: requests and their answers over HTTP/1.1 and HTTP/2.
//! - `slots`: connection limits and eviction. `rate`: rate limits.
//! - `http`: routes and the WebSocket handshake.
//! - `client`: the task of one client. `carrier`: what carries its frames. `socket`: its WebSocket. `channel`: HTTP requests
//!   instead of one. `meter`: counts frames and bytes of incomplete
//!   messages. `asks`: answers the session's requests from the store.
//! - `file`: files of messages over HTTP.
//! - `fleet`: devices, their readings and commands. `post`: readings over HTTP. `device`: device tokens.
//! - `account`: limits shared by all connections of one principal. `limits`: how much is stored.
//! - `manage`: administration of people, devices and invites. `sessions`: passes changes of rights to open
//!   connections.
//! - `state`: what all clients share. `presence`: who is connected. `metrics`: counters for Prometheus. `process`:
//!   figures of this process.
//! - `upkeep`: checks, repairs and backs up a hub's data from outside.
//! - `health`: whether the disk works, and the task that monitors it.
//! - `lan`: a second listener with TLS for the local network. `announce`: DNS-SD.
//! - `files`: token, secret, lock, address. [`invite`]: invites. [`spawn`]: the hub inside the app.

mod account;
mod announce;
mod archive;
mod archive_csv;
mod asks;
mod calls;
mod carrier;
mod channel;
mod client;
mod device;
mod embedded;
mod error;
mod exchange;
mod file;
mod files;
mod fleet;
mod guard;
mod health;
mod hook;
mod http;
mod invite;
mod lan;
mod limits;
mod list_file;
mod manage;
mod meter;
mod metrics;
mod packer;
mod post;
mod presence;
mod process;
mod proxy;
mod rate;
mod serve;
mod sessions;
mod slots;
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
pub use archive::{Imported, Importer, Line, ReadingsFailure, Wanted, export, readings_of};
pub use archive_csv::Csv;
pub use calls::{BadCall, Call, CallKind, add_call, calls, check_address, remove_call};
pub use device::{add_device, devices, remove_device};
pub use embedded::{Handle, spawn, spawn_with};
pub use error::HubError;
pub use files::{HubAddressFile, LanEndpoint, is_running, is_there, secret, token};
pub use hook::{Hook, hooks, make_hook, remove_hook};
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
use crate::store::readings::{HUB_FILE, ReadingsLimits, ReadingsStore, WRITE_EVERY};
use crate::store::{HubStore, OwnerRefused};
use file::FileArea;
use fleet::DeviceHub;
use guard::Guard;
use lan::{ListenerHandle, Network};
use proxy::Proxies;
use slots::ConnectionSlots;
use state::{Hub, MAX_SOCKETS};
use tls::{Identity, Renewable};

/// How long shutdown waits for clients to disconnect.
const MAX_CLOSE_WAIT: Duration = Duration::from_secs(5);

/// Configuration of a hub.
#[derive(Clone, Debug)]
pub struct Options {
    /// The data directory.
    pub data_dir: PathBuf,
    /// The address to listen on. Port 0 takes any free port.
    pub listen: SocketAddr,
    /// The hub's display name; defaults to this computer's name.
    pub name: Option<String>,
    /// How connections are encrypted.
    pub tls: Tls,
    /// Allow listening beyond loopback without TLS.
    pub insecure: bool,
    /// Runs inside the app: with port 0 it reuses the port of its previous run if that is free.
    pub embedded: bool,
    /// Announce the hub on the local network while it is reachable there over TLS.
    pub announce: bool,
    /// Host names accepted in requests besides IP addresses and `localhost`.
    pub allowed_hosts: Vec<String>,
    /// Origins of web pages that may connect, such as `https://chat.example`.
    pub allowed_origins: Vec<String>,
    /// Proxies whose `Forwarded` and `X-Forwarded-For` headers are trusted.
    pub trusted_proxies: Vec<IpNet>,
    /// How long a device may take to carry out a command, in milliseconds.
    pub command_ms: u64,
    /// Start a new log if the log in the data directory is missing or damaged.
    pub new_log: bool,
    /// Limits on what is stored.
    pub limits: Limits,
    /// How long readings may wait to be written together. Messages never wait.
    pub write_readings_every: Duration,
    /// Compress what is sent to clients that want it.
    pub compresses: bool,
}

/// How connections are encrypted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Tls {
    /// No encryption. Allowed on loopback only, unless [`Options::insecure`] is set.
    #[default]
    Off,
    /// A certificate supplied by the owner.
    Files {
        /// The certificate chain, PEM.
        cert: PathBuf,
        /// The private key, PEM.
        key: PathBuf,
    },
    /// A self-signed certificate that the hub creates and keeps. Clients verify its fingerprint.
    SelfSigned,
}

impl Options {
    /// Options of the hub inside the app: loopback, any port.
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
            write_readings_every: WRITE_EVERY,
            compresses: true,
        }
    }
}

/// A running hub. Dropping it stops it without a clean shutdown; everything acknowledged is on disk.
pub struct Running {
    /// The address that it listens on.
    pub addr: SocketAddr,
    /// The socket's URL as other computers reach it.
    pub url: String,
    /// SHA-256 of its certificate, 64 hexadecimal digits, if it is self-signed.
    pub fingerprint: Option<String>,
    /// The owner's token.
    pub admin_token: Secret,
    data_dir: PathBuf,
    announce: bool,
    /// Path of the certificate, if the owner supplied one.
    certificate: Option<PathBuf>,
    hub: Arc<Hub>,
    accepting: JoinHandle<()>,
    forwarding: JoinHandle<()>,
    calling: JoinHandle<()>,
    watching: JoinHandle<()>,
    retaining: JoinHandle<()>,
    tending_files: JoinHandle<()>,
    renewable: Option<Arc<Renewable>>,
    renewing: Option<JoinHandle<()>>,
    announcing: Option<JoinHandle<()>>,
    _lock: File,
}

/// Starts a hub on the current runtime. Returns once it listens.
///
/// # Errors
/// [`HubError`] says why the hub could not start and what to do. Nothing is left running.
pub async fn start(options: Options) -> Result<Running, HubError> {
    start_on(options, None).await
}

/// Like [`start`], but uses a socket that already listens, as systemd passes it. [`Options::listen`] is ignored then.
///
/// Long: it lists the steps of a start in the order of their dependencies.
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
    let fleet =
        DeviceHub::open(readings, clock::now().wall_ms, options.command_ms, options.limits.devices).await;
    let proxies = Proxies::new(options.trusted_proxies.clone());
    let slots = ConnectionSlots::new(process::max_files());
    let hub = Hub::new(store, fleet, name, secret, guard, proxies, slots);
    hub.registry.load_statuses(hub.store.statuses().await?);
    let manage_context = manage::ManageContext {
        data_dir: options.data_dir.clone(),
        url: url.clone(),
        fingerprint: identity.fingerprint.clone(),
    };
    // Nothing else sets it.
    let _ = hub.manage_context.set(manage_context);
    let _ = hub.files.set(FileArea::new(&options.data_dir, options.limits.files));
    if options.compresses {
        let _ = hub.packer.set(Arc::default());
    }
    let committed = hub.store.subscribe();
    let forwarding = tokio::spawn(Arc::clone(&hub).forward(committed));
    let called = hub.store.subscribe();
    let calling = tokio::spawn(calls::follow(Arc::clone(&hub), options.data_dir.clone(), called));
    let watching = tokio::spawn(health::watch(Arc::clone(&hub)));
    let retaining = tokio::spawn(Arc::clone(&hub).retain(options.limits.log));
    let tending_files = tokio::spawn(Arc::clone(&hub).tend_files());
    let router = http::router(Arc::clone(&hub));
    let accepted_by = ListenerHandle::own(hub.stopping.subscribe());
    let accepting =
        tokio::spawn(serve::accept(listener, Arc::clone(&hub), identity.acceptor, router, accepted_by));
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
            // The console may run in another working directory.
            Tls::Files { cert, .. } => Some(std::path::absolute(cert).unwrap_or_else(|_| cert.clone())),
            _ => None,
        },
        data_dir: options.data_dir,
        announce: options.announce,
        hub,
        accepting,
        forwarding,
        calling,
        watching,
        retaining,
        tending_files,
        renewable: identity.renewable,
        renewing,
        announcing,
        _lock: lock,
    };
    running.announce()?;
    log::info!("listening on {}", running.url);
    Ok(running)
}

/// What a start loads from the disk.
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
        let keep = ReadingsLimits { write_every: options.write_readings_every, ..ReadingsLimits::HUB };
        let readings = ReadingsStore::open(dir, HUB_FILE, keep);
        let readings = readings.inspect_err(|error| log::error!("readings are not stored: {error}")).ok();
        // The token is written last: a token without a log means that the log was lost, not that a first start was
        // interrupted.
        let (secret, token) = (files::ensure_secret(dir)?, files::ensure_token(dir)?);
        Ok(Prepared { lock, identity, token, secret, store, readings })
    }
}

/// The hub's display name: the given one, or this computer's.
fn hub_name(given: Option<&str>) -> Result<String, HubError> {
    let made = |text: &str| name::make(text, name::MAX_TITLE_CHARS);
    match given {
        Some(given) => made(given).map_err(|why| HubError::BadName { why }),
        None => Ok(tls::host_name().and_then(|host| made(&host).ok()).unwrap_or_else(|| "Duplex".to_owned())),
    }
}

/// Whether a new log may be created where there is none: on a first start, even one that was interrupted, or if
/// `--new-log` is given.
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
        log::warn!("moved {} to {} and started a new log", path.display(), aside.display());
    }
    Ok(())
}

/// Gives the token in the token file admin rights: whoever can read that file owns the hub, even after the database
/// was lost or restored. If the file was lost, the token that was in it becomes invalid.
async fn ensure_owner(store: &HubStore, token: &Secret, data_dir: &Path) -> Result<(), HubError> {
    let user = ["USER", "USERNAME"].iter().find_map(|name| std::env::var(name).ok());
    let name = user
        .and_then(|name| name::make(&name, name::MAX_PERSON_CHARS).ok())
        .unwrap_or_else(|| "admin".to_owned());
    let new = Principal { id: asks::new_principal_id()?, kind: PrincipalKind::Admin, name, role: None };
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

/// Raises the limit of open files to the maximum: each socket needs one.
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

/// The URL as this computer reaches it. It uses the IP address: the proof is bound to an address, and a name may
/// resolve to another one.
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
    /// Writes `hub.json`, which tells local programs the address.
    fn announce(&self) -> Result<(), HubError> {
        files::keep_port(&self.data_dir, self.addr.port());
        let address_file = HubAddressFile {
            url: self.url.clone(),
            pid: std::process::id(),
            started: clock::now().wall_ms,
            fingerprint: self.fingerprint.clone(),
            local: Some(local_url(&self.url, self.addr)),
            certificate: self.certificate.clone(),
            lan: None,
        };
        address_file.write(&self.data_dir)
    }

    /// Controls the listener for the local network while the hub runs.
    fn network(&self) -> Network {
        Network::new(Arc::clone(&self.hub), self.data_dir.clone(), self.announce)
    }

    /// Waits until the hub ends unexpectedly, and returns the reason.
    pub async fn failure(&mut self) -> String {
        let (what, ended) = tokio::select! {
            ended = &mut self.accepting => ("the listener", ended),
            ended = &mut self.forwarding => ("the task that forwards new messages", ended),
        };
        match ended {
            Ok(()) => format!("{what} has ended"),
            Err(error) => format!("{what} failed: {error}"),
        }
    }

    /// Reloads the owner's certificate, if one is in use.
    pub async fn reload(&self) {
        if let Some(renewable) = self.renewable.clone() {
            // `reload` logs the outcome itself.
            let _ = spawn_blocking(move || renewable.reload()).await;
        }
    }

    /// Closes all connections, waits a few seconds for clients to disconnect, and closes the database.
    pub async fn shutdown(self) {
        HubAddressFile::remove(&self.data_dir);
        self.hub.fleet.close();
        self.hub.stopping.send_replace(true);
        // The semaphore is never closed: only the timeout can fail.
        if timeout(MAX_CLOSE_WAIT, self.hub.sockets.acquire_many(MAX_SOCKETS)).await.is_err() {
            log::info!("some clients were still connected when the hub closed");
        }
        self.hub.fleet.flush().await;
        self.renewing.iter().chain(&self.announcing).for_each(JoinHandle::abort);
        self.accepting.abort();
        self.forwarding.abort();
        self.calling.abort();
        self.watching.abort();
        self.retaining.abort();
        self.tending_files.abort();
        // The tasks hold the database, which closes when the last one ends.
        let _ = self.accepting.await;
        let _ = self.forwarding.await;
        let _ = self.calling.await;
        let _ = self.watching.await;
        let _ = self.retaining.await;
        let _ = self.tending_files.await;
    }
}
