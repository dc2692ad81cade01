//! Accepts connections and serves TLS and HTTP on them, with limits and deadlines.

use std::convert::Infallible;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use http::{Response, StatusCode, header};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::yield_now;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::http::{Ends, GoesOn};
use super::lan::ListenerHandle;
use super::metrics::Refused;
use super::slots::{ConnectionSlot, Eviction};
use super::socket::Io;
use super::state::Hub;
use crate::clock;
use crate::wire::duplex::channel::DUPLEX_HEADER;

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
/// Maximum number of requests over an anonymous connection. This bounds the unsent answers of a client that never
/// reads.
const MAX_ANONYMOUS_REQUESTS: u32 = 100;
/// The same for authenticated connections and trusted proxies.
const MAX_KNOWN_REQUESTS: u32 = 10_000;
/// Maximum size of a request head, in bytes.
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// Maximum number of headers of a request.
const MAX_HEADERS: usize = 64;
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
        if let Some(io) = io {
            let watched = Watched { io, slot: self.slot.clone() };
            self.serve(watched, own).await;
        }
    }

    async fn serve(self, io: Watched, own: SocketAddr) {
        let (hub, slot, peer) = (Arc::clone(&self.hub), self.slot.clone(), self.peer);
        let router = TowerToHyperService::new(self.router.clone());
        let (accepted_by, mut stopping) = (self.accepted_by.clone(), self.accepted_by.closing());
        let (end, ending) = watch::channel(false);
        let proxied = self.hub.proxies.trusts(peer.ip());
        let service = service_fn(move |request| {
            let (slot, accepted_by) = (slot.clone(), accepted_by.clone());
            let ends = Ends { own, from: peer.ip(), slot, accepted_by, proxied, ending: ending.clone() };
            answer(Arc::clone(&hub), ends, router.clone(), request)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_DEADLINE)
            .max_headers(MAX_HEADERS)
            .max_header_size(MAX_HEAD_BYTES)
            .max_buf_size(2 * MAX_HEAD_BYTES)
            .serve_connection(TokioIo::new(io), service)
            .with_upgrades();
        let mut connection = pin!(connection);
        let (begun, mut closing) = (Instant::now(), None);
        loop {
            tokio::select! {
                result = connection.as_mut() => {
                    if let Err(error) = result {
                        log::debug!("a connection from {} ended: {error}", self.peer);
                    }
                    return;
                }
                why = self.slot.evicted() => return self.hub.metrics.evict(why),
                _ = stopping.wait_for(|stopping| *stopping), if closing.is_none() => {
                    closing = Some(Instant::now());
                    end.send_replace(true);
                    connection.as_mut().graceful_shutdown();
                }
                () = sleep(CHECK_INTERVAL) => {}
            }
            let known = proxied || self.slot.is_known();
            let lifetime = if known { MAX_KNOWN_LIFETIME } else { MAX_ANONYMOUS_LIFETIME };
            if closing.is_none() && begun.elapsed() >= lifetime {
                closing = Some(Instant::now());
                end.send_replace(true);
                connection.as_mut().graceful_shutdown();
            }
            let over = closing.is_some_and(|since| since.elapsed() >= MAX_LAST_ANSWER);
            if over || self.slot.stuck_ms(clock::now().boot_ms) >= WRITE_DEADLINE_MS {
                return self.hub.metrics.refuse(Refused::TooSlow);
            }
        }
    }
}

/// Waits until the rate limit of this anonymous client's address allows one more request.
async fn paid(slot: &ConnectionSlot) {
    loop {
        match slot.pay(clock::now().boot_ms) {
            0 => return,
            wait_ms => sleep(Duration::from_millis(wait_ms)).await,
        }
    }
}

/// Answers one request and records in `ends` who the connection belongs to.
async fn answer(
    hub: Arc<Hub>,
    ends: Ends,
    router: TowerToHyperService<Router>,
    mut request: hyper::Request<hyper::body::Incoming>,
) -> Result<Response<Body>, Infallible> {
    let (peer, slot, proxied) = (ends.from, ends.slot.clone(), ends.proxied);
    let from = hub.proxies.client(peer, request.headers());
    if proxied {
        slot.forward(Some(from));
    }
    paid(&slot).await;
    request.extensions_mut().insert(Ends { from, ..ends });
    let mut response = router.call(request).await?;
    // Tells a client that this is the hub's answer, and not that of something in between.
    response.headers_mut().insert(DUPLEX_HEADER, header::HeaderValue::from_static("1"));
    let upgraded = response.status() == StatusCode::SWITCHING_PROTOCOLS;
    let goes_on = upgraded || response.extensions().get::<GoesOn>().is_some();
    if proxied && !goes_on {
        slot.forward(None);
    }
    let most = if proxied || slot.is_known() { MAX_KNOWN_REQUESTS } else { MAX_ANONYMOUS_REQUESTS };
    if slot.request() >= most && !upgraded {
        response.headers_mut().insert(header::CONNECTION, header::HeaderValue::from_static("close"));
    }
    Ok(response)
}

async fn greet(stream: TcpStream, tls: Option<TlsAcceptor>) -> Option<Io> {
    let Some(tls) = tls else {
        return Some(Io::Plain(stream));
    };
    match timeout(TLS_DEADLINE, tls.accept(stream)).await {
        Ok(Ok(stream)) => Some(Io::Tls(Box::new(stream))),
        Ok(Err(error)) => {
            log::debug!("no TLS: {error}");
            None
        }
        Err(_) => None,
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
    fn evict(&self, why: Eviction) {
        self.refuse(match why {
            Eviction::TooMany => Refused::Evicted,
            Eviction::Unfinished => Refused::Unfinished,
        });
    }
}
