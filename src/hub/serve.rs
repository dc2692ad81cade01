//! Accepts connections and serves TLS and HTTP on them, with limits and deadlines.

use std::future::Future;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::Router;
use http::Version;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::yield_now;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::exchange::{Requests, paid};
use super::lan::ListenerHandle;
use super::metrics::Refused;
use super::slots::{ConnectionSlot, Eviction};
use super::socket::Io;
use super::state::Hub;
use crate::clock;

/// How long the TLS handshake may take.
const TLS_DEADLINE: Duration = Duration::from_secs(10);
/// How long receiving a request head may take, and how long a connection may be idle between requests: a client that posts its
/// messages gives a sign of life every 25 seconds.
const HEAD_DEADLINE: Duration = Duration::from_secs(30);
/// Maximum time without progress on writes before the connection is dropped, in milliseconds.
const WRITE_DEADLINE_MS: u64 = 10_000;
/// Maximum lifetime of a connection without a known token, unless it becomes a WebSocket.
const MAX_ANONYMOUS_LIFETIME: Duration = Duration::from_secs(30);
/// The same for authenticated connections and trusted proxies.
const MAX_KNOWN_LIFETIME: Duration = Duration::from_secs(600);
/// How long a connection at the end of its lifetime may take to finish the current answer.
const MAX_LAST_ANSWER: Duration = Duration::from_secs(10);
/// How often these deadlines are checked.
const CHECK_INTERVAL: Duration = Duration::from_secs(2);
/// Maximum size of a request head, in bytes.
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// Maximum number of headers of a request.
const MAX_HEADERS: usize = 64;
/// Maximum number of requests at a time over one HTTP/2 connection.
const MAX_STREAMS: u32 = 32;
/// Bytes of one request's body that an HTTP/2 client may send before they are read.
const STREAM_WINDOW_BYTES: u32 = 64 * 1024;
/// The same for all requests of a connection, read or not: what an anonymous client can make the hub keep.
const WINDOW_BYTES: u32 = 128 * 1024;
/// The same for a trusted proxy, whose clients must not wait for each other.
const PROXY_WINDOW_BYTES: u32 = 1024 * 1024;
/// How often an HTTP/2 client is pinged that sends nothing, and how long it may take to answer.
const PING_INTERVAL: Duration = Duration::from_secs(20);
const PING_DEADLINE: Duration = Duration::from_secs(10);
/// What an HTTP/2 connection begins with (RFC 9113 §3.4), as far as no request over HTTP/1.1 begins with it.
const PREFACE: [u8; 16] = *b"PRI * HTTP/2.0\r\n";
/// How long to wait for the rest of it.
const PREFACE_PAUSE: Duration = Duration::from_millis(100);
/// Bytes the system may hold unsent before a client counts as slow.
const UNSENT_BYTES: u32 = 64 * 1024;
/// How long to wait when the system is out of file descriptors.
const OUT_OF_FILES_PAUSE: Duration = Duration::from_millis(100);
/// Minimum interval between log lines about failures to accept.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// Maximum number of connections accepted in a row before other tasks run.
const MAX_AT_ONCE: u32 = 16;

/// Accepts connections until told to stop. Open WebSockets continue.
pub(super) async fn accept(
    listener: TcpListener,
    hub: Arc<Hub>,
    tls: Option<TlsAcceptor>,
    router: Router,
    accepted_by: ListenerHandle,
) {
    let mut stopping = accepted_by.closing();
    let mut last_logged = None;
    let mut count = 0u32;
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.wait_for(|stopping| *stopping) => return,
        };
        match accepted {
            Ok((stream, peer)) => {
                let address = Some(peer.ip()).filter(|address| !hub.proxies.trusts(*address));
                let slot = hub.slots.enter(address);
                let connection = Connection {
                    hub: Arc::clone(&hub),
                    slot,
                    peer,
                    router: router.clone(),
                    accepted_by: accepted_by.enter(peer.ip()),
                };
                let tls = tls.clone();
                tokio::spawn(async move { connection.run(stream, tls).await });
                // A burst of new connections must not starve other tasks.
                count = count.wrapping_add(1);
                if count.is_multiple_of(MAX_AT_ONCE) {
                    yield_now().await;
                }
            }
            Err(error) => refused(&error, &hub, &mut last_logged).await,
        }
    }
}

/// Handles a failed accept. Errors of a connection that has already closed are ignored; otherwise the system is out
/// of file descriptors or memory, and the oldest anonymous connection is evicted.
async fn refused(error: &io::Error, hub: &Hub, last_logged: &mut Option<Instant>) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        return;
    }
    if last_logged.is_none_or(|at| at.elapsed() >= LOG_INTERVAL) {
        *last_logged = Some(Instant::now());
        log::error!("cannot accept connections: {error}; allow more open files (ulimit -n, LimitNOFILE=)");
    }
    hub.slots.evict_anonymous();
    sleep(OUT_OF_FILES_PAUSE).await;
}

/// One connection, until it ends or becomes a WebSocket.
struct Connection {
    hub: Arc<Hub>,
    slot: ConnectionSlot,
    peer: SocketAddr,
    router: Router,
    accepted_by: ListenerHandle,
}

impl Connection {
    async fn run(self, stream: TcpStream, tls: Option<TlsAcceptor>) {
        let Ok(own) = stream.local_addr() else { return };
        // A dual-stack socket reports IPv4 addresses as IPv4-mapped IPv6.
        let own = SocketAddr::new(own.ip().to_canonical(), own.port());
        // Otherwise Nagle's algorithm delays small frames until the previous one is acknowledged.
        if let Err(error) = stream.set_nodelay(true) {
            log::debug!("cannot set TCP_NODELAY: {error}");
        }
        keep_unsent_small(&stream);
        let greeting = timeout(MAX_ANONYMOUS_LIFETIME, async {
            paid(&self.slot).await;
            greet(stream, tls).await
        });
        let io = tokio::select! {
            io = greeting => io.ok().flatten(),
            why = self.slot.evicted() => return self.hub.metrics.evict(why),
        };
        if let Some((io, version)) = io {
            let watched = Watched { io, slot: self.slot.clone() };
            self.serve(watched, own, version).await;
        }
    }

    async fn serve(self, io: Watched, own: SocketAddr, version: Version) {
        let (end, ending) = watch::channel(false);
        let requests = Arc::new(Requests {
            hub: Arc::clone(&self.hub),
            router: TowerToHyperService::new(self.router.clone()),
            own,
            peer: self.peer.ip(),
            slot: self.slot.clone(),
            accepted_by: self.accepted_by.clone(),
            proxied: self.hub.proxies.trusts(self.peer.ip()),
            ending,
            state: Mutex::default(),
            used_up: Notify::new(),
        });
        let io = TokioIo::new(io);
        let service = {
            let requests = Arc::clone(&requests);
            service_fn(move |request| Arc::clone(&requests).answer(request))
        };
        if version == Version::HTTP_2 {
            let connection = http2(requests.proxied).serve_connection(io, service);
            self.drive(connection, http2::Connection::graceful_shutdown, &requests, &end).await;
        } else {
            let connection = http1().serve_connection(io, service).with_upgrades();
            self.drive(connection, http1::UpgradeableConnection::graceful_shutdown, &requests, &end).await;
        }
    }

    /// Runs a connection until it has ended, or a deadline ends it. `shut_down`: after the answers under way.
    async fn drive<C>(
        &self,
        connection: C,
        shut_down: fn(Pin<&mut C>),
        requests: &Requests,
        end: &watch::Sender<bool>,
    ) where
        C: Future<Output = hyper::Result<()>>,
    {
        let mut connection = pin!(connection);
        let mut stopping = self.accepted_by.closing();
        let (begun, mut closing) = (Instant::now(), None);
        loop {
            let mut is_over = false;
            tokio::select! {
                result = connection.as_mut() => {
                    if let Err(error) = result {
                        log::debug!("a connection from {} ended: {error}", self.peer);
                    }
                    return;
                }
                why = self.slot.evicted() => return self.hub.metrics.evict(why),
                _ = stopping.wait_for(|stopping| *stopping), if closing.is_none() => is_over = true,
                () = requests.used_up.notified() => {
                    if requests.is_flooded() {
                        return self.hub.metrics.refuse(Refused::Resets);
                    }
                    is_over = true;
                }
                () = sleep(CHECK_INTERVAL) => {}
            }
            let is_known = requests.proxied || self.slot.is_known();
            let lifetime = if is_known { MAX_KNOWN_LIFETIME } else { MAX_ANONYMOUS_LIFETIME };
            is_over |= begun.elapsed() >= lifetime || requests.idle() >= HEAD_DEADLINE;
            if closing.is_none() && is_over {
                closing = Some(Instant::now());
                end.send_replace(true);
                shut_down(connection.as_mut());
            }
            let now = clock::now().boot_ms;
            requests.end_stuck(now, WRITE_DEADLINE_MS);
            let is_late = closing.is_some_and(|since| since.elapsed() >= MAX_LAST_ANSWER);
            if is_late || self.slot.stuck_ms(now) >= WRITE_DEADLINE_MS {
                return self.hub.metrics.refuse(Refused::TooSlow);
            }
        }
    }
}

fn http1() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_DEADLINE)
        .max_headers(MAX_HEADERS)
        .max_header_size(MAX_HEAD_BYTES)
        .max_buf_size(2 * MAX_HEAD_BYTES);
    builder
}

fn http2(proxied: bool) -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    let window = if proxied { PROXY_WINDOW_BYTES } else { WINDOW_BYTES };
    builder
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_DEADLINE)
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEAD_BYTES as u32)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(window)
        .max_send_buf_size(UNSENT_BYTES as usize);
    builder
}

/// Performs the TLS handshake, and finds out which version of HTTP the client speaks.
async fn greet(stream: TcpStream, tls: Option<TlsAcceptor>) -> Option<(Io, Version)> {
    let Some(tls) = tls else {
        let version = version_of(&stream).await.ok()?;
        return Some((Io::Plain(stream), version));
    };
    match timeout(TLS_DEADLINE, tls.accept(stream)).await {
        Ok(Ok(stream)) => {
            let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            let version = if is_http2 { Version::HTTP_2 } else { Version::HTTP_11 };
            Some((Io::Tls(Box::new(stream)), version))
        }
        Ok(Err(error)) => {
            log::debug!("no TLS: {error}");
            None
        }
        Err(_) => None,
    }
}

/// Without TLS, a client that begins with HTTP/2 knows that it may (RFC 9113 §3.3): a reverse proxy, usually.
async fn version_of(stream: &TcpStream) -> io::Result<Version> {
    let mut first = [0; PREFACE.len()];
    loop {
        let length = stream.peek(&mut first).await?;
        if length == 0 || first[..length] != PREFACE[..length] {
            return Ok(Version::HTTP_11);
        }
        if length == PREFACE.len() {
            return Ok(Version::HTTP_2);
        }
        sleep(PREFACE_PAUSE).await;
    }
}

/// Keeps the system's send buffer small: data in it cannot be taken back, so messages would queue behind it and
/// readings would become stale. Platforms without TCP_NOTSENT_LOWAT use SO_SNDBUF.
fn keep_unsent_small(stream: &TcpStream) {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if let Err(error) = socket2::SockRef::from(stream).set_tcp_notsent_lowat(UNSENT_BYTES) {
        log::debug!("cannot set TCP_NOTSENT_LOWAT: {error}");
    }
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    if let Err(error) = socket2::SockRef::from(stream).set_send_buffer_size(2 * UNSENT_BYTES as usize) {
        log::debug!("cannot set SO_SNDBUF: {error}");
    }
}

/// A connection that records since when writes have been blocked.
pub(super) struct Watched {
    /// The connection.
    pub io: Io,
    slot: ConnectionSlot,
}

impl Watched {
    fn wrote<T>(&self, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        self.slot.writes(result.is_ready());
        result
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, buf);
        self.wrote(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(cx, bufs);
        self.wrote(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.io).poll_flush(cx);
        self.wrote(flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.io).poll_shutdown(cx);
        self.wrote(shut)
    }
}

impl super::metrics::Metrics {
    /// Counts an evicted connection.
    pub(super) fn evict(&self, why: Eviction) {
        self.refuse(match why {
            Eviction::TooMany => Refused::Evicted,
            Eviction::Unfinished => Refused::Unfinished,
        });
    }
}
