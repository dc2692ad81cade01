//! Accepts connections: TLS beside each other and with a deadline, then HTTP within limits.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::http::Ends;
use super::socket::Io;

/// Most connections that are not yet sockets.
const MAX_VISITORS: usize = 512;
/// How long greeting each other by TLS may take.
const TLS_DEADLINE: Duration = Duration::from_secs(10);
/// How long a request's head may take, and how long a connection may wait for its next request.
const HEAD_DEADLINE: Duration = Duration::from_secs(10);
/// Largest head of a request, in bytes.
const HEAD_BYTES: usize = 16 * 1024;
/// Most headers of a request.
const HEADERS: usize = 64;
/// What the system holds unsent for a client before the client counts as slow, in bytes.
const UNSENT_BYTES: u32 = 64 * 1024;
/// How long to wait when the system has no more file descriptors.
const OUT_OF_FILES: Duration = Duration::from_millis(100);

/// Accepts until told to stop. Sockets that are open by then go on.
pub(super) async fn accept(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    mut stopping: watch::Receiver<bool>,
) {
    let visitors = Arc::new(Semaphore::new(MAX_VISITORS));
    loop {
        // The permits are never taken away: acquiring them does not fail.
        let Ok(place) = Arc::clone(&visitors).acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.wait_for(|stopping| *stopping) => return,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                refused(&error).await;
                continue;
            }
        };
        let (tls, router) = (tls.clone(), router.clone());
        tokio::spawn(async move {
            let Ok(own) = stream.local_addr() else { return };
            let ends = Ends { peer, own };
            if let Some(io) = greet(stream, tls).await {
                visit(io, ends, router).await;
            }
            drop(place);
        });
    }
}

/// The other end may be gone again, which concerns nobody; anything else is worth a word, and a little time.
async fn refused(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        log::error!("cannot accept a connection: {error}");
        sleep(OUT_OF_FILES).await;
    }
}

async fn greet(stream: TcpStream, tls: Option<TlsAcceptor>) -> Option<Io> {
    // Without it a small frame waits for the acknowledgement of the one before.
    if let Err(error) = stream.set_nodelay(true) {
        log::debug!("cannot set TCP_NODELAY: {error}");
    }
    keep_unsent_small(&stream);
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

/// What the system holds for a slow client cannot be taken back: a message would wait behind it, and readings would grow
/// old in it. Elsewhere the socket's buffer is what there is.
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

async fn visit(io: Io, ends: Ends, router: Router) {
    let service = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(ends);
        service.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_DEADLINE)
        .max_headers(HEADERS)
        .max_header_size(HEAD_BYTES)
        .max_buf_size(2 * HEAD_BYTES)
        .serve_connection(TokioIo::new(io), service)
        .with_upgrades();
    if let Err(error) = connection.await {
        log::debug!("a connection from {} ended: {error}", ends.peer);
    }
}
