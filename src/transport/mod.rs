//! Carries frames between this computer and a server. Knows sockets, TLS and HTTP upgrades, but no protocols.
//!
//! [`dial`] opens a [`Connection`]: two bounded queues backed by a socket. Every implementation keeps the same
//! contract, and declares exceptions in its [`Capabilities`]:
//!
//! - Frames arrive whole, in order, each once. [`Incoming::Closed`] is the last item and contains the reason.
//! - Memory is bounded: if `incoming` is not read, reading from the socket stops and TCP applies backpressure.
//! - Dropping the [`Connection`] closes the socket; unsent frames are discarded.
//! - Pings from the server are answered automatically and not reported.

pub mod channel;
mod connect;
mod engine_io;
mod ewebsock;
pub mod fetch;
mod http_requests;
mod incoming;
pub mod inspect;
mod memory;
mod metered;
mod packing;
mod ping;
mod proxy;
mod pump;
mod reach;
mod redirect;
pub mod request;
mod request_connection;
mod scheme;
pub mod sockjs;
mod tcp;
mod tls;
mod upgrade;
mod websocket;

use std::fmt;
use std::net::Ipv6Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use crate::frame::Frame;
use crate::model::address;
use crate::model::link_state::Why;
use crate::model::profile::{ClientCertificate, Secret, Socket};
use crate::model::proxy::{ProxyChoice, ProxyUsed};
use crate::model::route::RouteInUse;
use crate::model::socketio::Carriers;
use crate::model::upgrade::{check_headers, check_subprotocols};
use channel::RoutePlan;
use incoming::{Intake, inflow};

pub use incoming::{IncomingQueue, MAX_QUEUED_BYTES};
pub use memory::pair;
pub use metered::WireMeter;

/// Maximum number of frames queued in each direction of a [`Connection`].
pub const QUEUE: usize = 64;

/// How long the server may take to answer our close frame.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);

/// What to dial, and how.
#[derive(Clone)]
pub struct Endpoint {
    /// A `ws://` or `wss://` URL with host and path, or a `stomp`, `stomps`, `mqtt` or `mqtts` URL of a host: a
    /// stream of bytes by TCP.
    pub url: String,
    /// Headers of the HTTP upgrade. They may contain credentials and are never printed. Handshake headers are
    /// rejected, see [`upgrade`](crate::model::upgrade).
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Subprotocols to offer, in order of preference. A server that chooses another one is rejected.
    pub subprotocols: Vec<String>,
    /// Whether a server that chooses no subprotocol is rejected: [`Why::NoSubprotocol`].
    pub subprotocol_needed: bool,
    /// A PEM file of certificate authorities to trust in addition to the system's.
    pub ca_file: Option<PathBuf>,
    /// The certificate that is shown to a server that asks for one.
    pub client_certificate: Option<ClientCertificate>,
    /// SHA-256 of the server's certificate in DER, 64 hexadecimal digits: trusted instead of any authority.
    pub fingerprint: Option<String>,
    /// Maximum size of a received message, in bytes of payload.
    pub max_frame: usize,
    /// Deadline for name lookup, TCP, TLS and upgrade together.
    pub deadline: Duration,
    /// Whether to report flushed frames by [`Incoming::Flushed`], if the implementation can.
    pub report_flushed: bool,
    /// Whether the address may be that of a SockJS endpoint, whose WebSocket is then dialed.
    pub sockjs: bool,
    /// For a server of Engine.IO: which of its transports may be used.
    pub engine_io: Option<Carriers>,
    /// Whether frames are compressed.
    pub compression: Compression,
    /// Counts the bytes on the wire, where somebody wants to know.
    pub meter: Option<Arc<WireMeter>>,
    /// For a Duplex server: which routes may be tried. `None`: a WebSocket alone.
    pub routes: Option<RoutePlan>,
    /// By way of which proxy. Never one for this computer itself.
    pub proxy: ProxyChoice,
    /// The password for a proxy that was chosen.
    pub proxy_password: Option<Secret>,
    /// What is seen while dialing.
    pub trace: Arc<Trace>,
}

/// Whether the frames of a connection, and the bodies of its HTTP requests, are compressed.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// No: binary frames are passed on as they are.
    #[default]
    Off,
    /// Compressed ones are read. They are sent once [`Outgoing::Compress`] says so.
    Offered,
    /// Compressed ones are read and sent from the beginning.
    Agreed,
}

/// What is seen while dialing, for the decision on what to try next.
#[derive(Debug, Default)]
pub struct Trace {
    is_reached: AtomicBool,
    on_reached: Notify,
    by_duplex: AtomicBool,
}

impl Trace {
    /// Something accepted the connection.
    fn reached(&self) {
        self.is_reached.store(true, Ordering::Relaxed);
        self.on_reached.notify_one();
    }

    fn is_reached(&self) -> bool {
        self.is_reached.load(Ordering::Relaxed)
    }

    /// Waits for that.
    async fn until_reached(&self) {
        while !self.is_reached() {
            self.on_reached.notified().await;
        }
    }

    /// An answer came; `by_duplex`: it has a Duplex server's mark. Cleared once what was asked for succeeded.
    fn answered(&self, by_duplex: bool) {
        self.by_duplex.store(by_duplex, Ordering::Relaxed);
    }

    fn is_by_duplex(&self) -> bool {
        self.by_duplex.load(Ordering::Relaxed)
    }
}

impl Endpoint {
    /// A target with defaults: messages up to 1 MiB, ten seconds to connect, no proxy.
    pub fn new(url: impl Into<String>) -> Self {
        Endpoint {
            url: url.into(),
            headers: Vec::new(),
            subprotocols: Vec::new(),
            subprotocol_needed: false,
            ca_file: None,
            client_certificate: None,
            fingerprint: None,
            max_frame: 1 << 20,
            deadline: Duration::from_secs(10),
            report_flushed: false,
            sockjs: false,
            engine_io: None,
            compression: Compression::Off,
            meter: None,
            routes: None,
            trace: Arc::default(),
            proxy: ProxyChoice::None,
            proxy_password: None,
        }
    }

    /// Whether a certificate is to be checked or shown, which needs TLS.
    fn has_certificates(&self) -> bool {
        self.ca_file.is_some() || self.fingerprint.is_some() || self.client_certificate.is_some()
    }

    /// Checks that the upgrade request is allowed.
    fn check_upgrade(&self) -> Result<(), Why> {
        let checked = check_headers(&self.headers).and_then(|()| check_subprotocols(&self.subprotocols));
        checked.map_err(|problem| Why::BadUpgrade { problem })
    }
}

/// Omits the headers' values: one of them is the token.
impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&HeaderName> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("Target")
            .field("url", &self.url)
            .field("headers", &names)
            .field("subprotocols", &self.subprotocols)
            .field("subprotocol_needed", &self.subprotocol_needed)
            .field("ca_file", &self.ca_file)
            .field("client_certificate", &self.client_certificate)
            .field("fingerprint", &self.fingerprint)
            .field("max_frame", &self.max_frame)
            .field("deadline", &self.deadline)
            .field("report_flushed", &self.report_flushed)
            .field("sockjs", &self.sockjs)
            .field("engine_io", &self.engine_io)
            .field("compression", &self.compression)
            .field("routes", &self.routes)
            .field("proxy", &self.proxy)
            .finish()
    }
}

/// What an implementation supports beyond carrying frames. The window says so if a field is false.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Close codes and reasons are received and sent.
    pub close_code: bool,
    /// [`Target::ca_file`] works; otherwise dialing with one fails with [`Why::Unsupported`].
    pub own_ca: bool,
    /// [`Target::fingerprint`] works; otherwise dialing with one fails with [`Why::Unsupported`].
    pub fingerprint: bool,
    /// [`Target::headers`] are sent.
    pub headers: bool,
    /// A refused upgrade reports its `Retry-After` with its status.
    pub retry_after: bool,
    /// A timeout reports whether the TCP connection was accepted; otherwise it is always [`Phase::Dial`].
    ///
    /// [`Phase::Dial`]: crate::model::link_state::Phase::Dial
    pub timeout_phase: bool,
    /// [`Target::report_flushed`] works; otherwise [`Incoming::Flushed`] is never sent.
    pub flush: bool,
    /// The negotiated subprotocol and extensions are reported and checked. Otherwise offering more than one
    /// subprotocol fails with [`Why::Unsupported`], and the one offered is required.
    pub agreement: bool,
    /// [`Outgoing::Ping`] is sent and answers are reported; otherwise it is ignored.
    pub ping: bool,
    /// Proxies are used; otherwise dialing through one fails with [`Why::Unsupported`].
    pub proxy: bool,
}

/// The capabilities of a transport.
pub fn capabilities(socket: Socket) -> Capabilities {
    match socket {
        Socket::Tungstenite => websocket::CAPABILITIES,
        Socket::Ewebsock => ewebsock::CAPABILITIES,
    }
}

/// Opens a connection. Must run on a tokio runtime, where the connection's task continues. Dropping the future
/// cancels dialing.
///
/// # Errors
/// Why the connection could not be opened within [`Target::deadline`].
pub async fn dial(socket: Socket, target: Endpoint) -> Result<Connection, Why> {
    if let Some(plan) = target.routes {
        return channel::dial(socket, target, plan).await;
    }
    if let Some(carriers) = target.engine_io {
        return engine_io::dial(socket, target, carriers).await;
    }
    if address::is_stream(&target.url) {
        return tcp::dial(target).await;
    }
    let (began, sockjs) = (Instant::now(), target.sockjs.then(|| target.clone()));
    let failed = match (dial_websocket(socket, target).await, sockjs) {
        (Err(why), Some(target)) if sockjs::is_likely(&why) => (why, target),
        (dialed, _) => return dialed,
    };
    let (why, mut target) = failed;
    target.deadline = target.deadline.saturating_sub(began.elapsed());
    match sockjs::socket_url(&target).await {
        Some(url) => {
            target.url = url;
            dial_websocket(socket, target).await
        }
        None => Err(why),
    }
}

async fn dial_websocket(socket: Socket, target: Endpoint) -> Result<Connection, Why> {
    match socket {
        Socket::Tungstenite => websocket::dial(target).await,
        Socket::Ewebsock => ewebsock::dial(target).await,
    }
}

/// What is sent to a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// Send a frame.
    Frame(Frame),
    /// Send a ping after the frames before it. [`Incoming::Pong`] follows when the server answers.
    Ping,
    /// The server reads compressed frames: compress those from now on. Ignored where there is no [`Endpoint::compression`].
    Compress,
    /// Send a close frame after everything queued before it, and end: [`Incoming::Closed`] follows within two seconds
    /// of the frames being written.
    Close {
        /// Close code (RFC 6455 §7.4); omitted if it may not be sent.
        code: u16,
        /// Reason; truncated to 123 bytes.
        reason: String,
    },
}

/// What is received from a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A frame.
    Frame(Frame),
    /// Number of frames written and flushed to the operating system since the connection opened. Does not tell
    /// whether the server received them. Only if [`Target::report_flushed`] is set; follows frames that arrived
    /// earlier; reports may be merged.
    Flushed(u64),
    /// The server answered a ping of ours. One answer may cover several pings (RFC 6455 §5.5.3); unsolicited pongs
    /// are not reported.
    Pong,
    /// Frames travel another way from now on. Only of a connection with a [`Connection::route`].
    Route(RouteInUse),
    /// The connection has ended; nothing follows.
    Closed(Why),
}

/// An open connection. Its ends are queues, so that a `select!` can wait on both.
///
/// While you wait for space in `outgoing`, keep receiving from `incoming`: a server blocked on sending does not read,
/// which would be a deadlock.
#[derive(Debug)]
pub struct Connection {
    /// Queue to the server. Closed once the connection has ended.
    pub outgoing: mpsc::Sender<Outgoing>,
    /// Queue from the server; receiving is cancel-safe. Ends after [`Incoming::Closed`].
    pub incoming: IncomingQueue,
    /// The subprotocol that the server chose from [`Target::subprotocols`].
    pub subprotocol: Option<String>,
    /// Extensions in use, from `Sec-WebSocket-Extensions`. None is offered at present, and a server that chooses one
    /// is rejected.
    pub extensions: Vec<String>,
    /// Whether frames are pieces of a stream of bytes: without boundaries, and without pings.
    pub is_stream: bool,
    /// How frames travel, if there was a choice.
    pub route: Option<RouteInUse>,
    /// The proxy that it goes through.
    pub proxy: Option<ProxyUsed>,
    /// Traffic so far.
    pub counters: Arc<Counters>,
}

impl Connection {
    /// Sends a frame, waiting for space. Returns false if the connection has ended; `incoming` has the reason.
    pub async fn send(&self, frame: Frame) -> bool {
        self.outgoing.send(Outgoing::Frame(frame)).await.is_ok()
    }

    /// Receives the next item; cancel-safe. `None` after [`Incoming::Closed`].
    pub async fn recv(&mut self) -> Option<Incoming> {
        self.incoming.recv().await
    }

    /// Appends at least one and at most `limit` available items; cancel-safe. Returns 0 after [`Incoming::Closed`].
    pub async fn recv_many(&mut self, into: &mut Vec<Incoming>, limit: usize) -> usize {
        self.incoming.recv_many(into, limit).await
    }

    /// Requests a close. Keep receiving until [`Incoming::Closed`].
    pub async fn close(&self, code: u16, reason: impl Into<String>) {
        let reason = reason.into();
        // Fails if the connection has already ended, which is fine.
        let _ = self.outgoing.send(Outgoing::Close { code, reason }).await;
    }
}

/// Payload traffic of a [`Connection`], as far as the socket has accepted it. Of compressed frames it is what they were before.
#[derive(Debug, Default)]
pub struct Counters {
    frames_in: AtomicU64,
    bytes_in: AtomicU64,
    frames_out: AtomicU64,
    bytes_out: AtomicU64,
}

/// [`Counters`] at one moment.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Frames received.
    pub frames_in: u64,
    /// Payload received, in bytes.
    pub bytes_in: u64,
    /// Frames sent.
    pub frames_out: u64,
    /// Payload sent, in bytes.
    pub bytes_out: u64,
}

impl Counters {
    /// Traffic so far.
    pub fn traffic(&self) -> Traffic {
        Traffic {
            frames_in: self.frames_in.load(Ordering::Relaxed),
            bytes_in: self.bytes_in.load(Ordering::Relaxed),
            frames_out: self.frames_out.load(Ordering::Relaxed),
            bytes_out: self.bytes_out.load(Ordering::Relaxed),
        }
    }

    fn received(&self, bytes: usize) {
        add(&self.frames_in, 1);
        add(&self.bytes_in, bytes as u64);
    }

    fn sent(&self, bytes: usize) {
        add(&self.frames_out, 1);
        add(&self.bytes_out, bytes as u64);
    }
}

/// Each counter has one writer, so an atomic addition is not needed.
fn add(counter: &AtomicU64, more: u64) {
    counter.store(counter.load(Ordering::Relaxed) + more, Ordering::Relaxed);
}

/// The implementation's side of a connection.
struct Port {
    outgoing: mpsc::Receiver<Outgoing>,
    incoming: Intake,
    counters: Arc<Counters>,
}

fn channels(subprotocol: Option<String>, report_flushed: bool) -> (Connection, Port) {
    let (to_socket, outgoing) = mpsc::channel(QUEUE);
    let (to_us, incoming) = inflow(report_flushed);
    let counters = Arc::new(Counters::default());
    let connection = Connection {
        outgoing: to_socket,
        incoming,
        subprotocol,
        extensions: Vec::new(),
        is_stream: false,
        route: None,
        proxy: None,
        counters: counters.clone(),
    };
    (connection, Port { outgoing, incoming: to_us, counters })
}

/// The parts of a URL to dial.
struct UrlParts {
    /// The URI for the request (RFC 6455 §3): with a path, without a default port, and without the zone of a
    /// link-local host, which only this computer understands.
    uri: http::Uri,
    /// The host as in a certificate: without the brackets of an IPv6 address.
    host: String,
    /// The zone (interface) of a link-local host.
    zone: Option<String>,
    port: u16,
    secure: bool,
}

impl UrlParts {
    /// Parses an ASCII URL. User input is parsed by [`address`] first.
    fn parse(url: &str) -> Result<UrlParts, Why> {
        let bad = |detail: &str| Why::BadUrl { detail: detail.to_owned() };
        if url.contains('#') {
            return Err(bad("an address of a WebSocket has no fragment; a # in it is written %23"));
        }
        if !url.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(bad("spaces and characters that are not ASCII must be percent-encoded"));
        }
        let (url, zone) = address::without_zone(url);
        let zone = zone.map(str::to_owned);
        let uri: http::Uri = url.parse().map_err(|error: http::uri::InvalidUri| bad(&error.to_string()))?;
        let scheme = uri.scheme_str().unwrap_or_default().to_ascii_lowercase();
        let (secure, default_port) = match scheme.as_str() {
            "ws" => (false, 80),
            "wss" => (true, 443),
            "stomp" => (false, address::STOMP_PORT),
            "stomps" => (true, address::STOMPS_PORT),
            "mqtt" => (false, address::MQTT_PORT),
            "mqtts" => (true, address::MQTTS_PORT),
            _ => return Err(bad("the address must begin with ws:// or wss://")),
        };
        let authority = uri.authority().ok_or_else(|| bad("the address names no host"))?.as_str();
        if authority.contains('@') {
            return Err(bad("a user name or password must not be part of the address"));
        }
        let (named, port) = host_and_port(authority);
        let port = match port {
            None | Some("") => default_port,
            Some(port) => match port.parse() {
                Ok(port) if port > 0 => port,
                _ => return Err(bad("the port must be a number from 1 to 65535")),
            },
        };
        let host = match named.strip_prefix('[') {
            None => named,
            Some(rest) => match rest.strip_suffix(']') {
                Some(host) if host.parse::<Ipv6Addr>().is_ok() => host,
                _ => return Err(bad("what stands in brackets is not an IPv6 address")),
            },
        };
        if host.is_empty() {
            return Err(bad("the address names no host"));
        }
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        let slash = if target.starts_with('/') { "" } else { "/" };
        let shown_port = if port == default_port { String::new() } else { format!(":{port}") };
        let asked = format!("{scheme}://{named}{shown_port}{slash}{target}");
        let host = host.to_owned();
        let uri = asked.parse().map_err(|error: http::uri::InvalidUri| bad(&error.to_string()))?;
        Ok(UrlParts { uri, host, zone, port, secure })
    }

    /// The host as passed to the system's resolver.
    fn dialed(&self) -> String {
        match &self.zone {
            Some(zone) => format!("{}%{zone}", self.host),
            None => self.host.clone(),
        }
    }
}

/// The host, with the brackets of an IPv6 address, and the text after its colon.
fn host_and_port(authority: &str) -> (&str, Option<&str>) {
    let end = authority.find(']').map_or(0, |bracket| bracket + 1);
    match authority[end..].split_once(':') {
        Some((rest, port)) => (&authority[..end + rest.len()], Some(port)),
        None => (authority, None),
    }
}

/// The error for a payload larger than [`Target::max_frame`].
fn too_large(size: usize, limit: usize) -> Why {
    Why::Violation { detail: format!("a message of {size} bytes came; at most {limit} are accepted") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_parsed() {
        let place = |url: &str| UrlParts::parse(url).map(|place| (place.host, place.port, place.secure));
        assert_eq!(place("ws://a.example"), Ok(("a.example".to_owned(), 80, false)));
        assert_eq!(place("wss://a.example/x?y"), Ok(("a.example".to_owned(), 443, true)));
        assert_eq!(place("ws://[::1]:7870/x"), Ok(("::1".to_owned(), 7870, false)));
        assert_eq!(place("stomp://a.example"), Ok(("a.example".to_owned(), 61_613, false)));
        assert_eq!(place("stomps://[::1]:7"), Ok(("::1".to_owned(), 7, true)));
        let scoped = UrlParts::parse("ws://[fe80::1%25lo]:7870/x").unwrap();
        assert_eq!((scoped.host.as_str(), scoped.dialed()), ("fe80::1", "fe80::1%lo".to_owned()));
        assert_eq!(scoped.uri.to_string(), "ws://[fe80::1]:7870/x");
        for bad in [
            "",
            "a.example",
            "http://a.example",
            "ws:a.example",
            "ws://u:p@a.example",
            "ws://a.example:99999",
            "ws://a.example:0",
            "ws://a.example:x",
            "ws://:80",
            "ws://[::1",
            "ws://[::g]/",
            "ws://[1.2.3.4]/",
            "ws://[]:80/",
            "ws://a.example/x#y",
            "ws://a.example/#",
            "ws://a.example/a b",
            "ws://a.example/방",
            "ws://서버.example/",
            "ws://a.example/x\r\nHost: b.example",
        ] {
            assert!(matches!(place(bad), Err(Why::BadUrl { .. })), "{bad}");
        }
    }

    /// RFC 6455 §3 and §4.1.
    #[test]
    fn requests_have_a_path_and_no_default_port() {
        let asked = |url: &str| UrlParts::parse(url).map(|place| place.uri.to_string()).unwrap();
        for (url, uri) in [
            ("ws://a.example", "ws://a.example/"),
            ("ws://a.example?x=1", "ws://a.example/?x=1"),
            ("ws://a.example/?", "ws://a.example/?"),
            ("ws://a.example:80/x", "ws://a.example/x"),
            ("wss://a.example:443/x", "wss://a.example/x"),
            ("wss://a.example:80/x", "wss://a.example:80/x"),
            ("ws://a.example:/x", "ws://a.example/x"),
            (
                "WS://A.example/X%20y//z/../?q=a/b&c=%ea%b0%80",
                "ws://A.example/X%20y//z/../?q=a/b&c=%ea%b0%80",
            ),
            ("ws://[::1]?x", "ws://[::1]/?x"),
            ("ws://[::1]:443/", "ws://[::1]:443/"),
        ] {
            assert_eq!(asked(url), uri);
        }
    }

    #[test]
    fn a_target_never_prints_its_token() {
        let mut target = Endpoint::new("ws://a.example");
        target.headers.push((http::header::AUTHORIZATION, HeaderValue::from_static("Bearer hunter2")));
        let text = format!("{target:?}");
        assert!(text.contains("authorization") && !text.contains("hunter2"), "{text}");
    }
}
