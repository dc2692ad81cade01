//! What may stand before a server and misbehave: a reverse proxy that strips `Upgrade`, buffers responses, or refuses WebSockets; a
//! network that forgets idle connections without a word, or ends them; a captive portal.
#![allow(dead_code, reason = "each test program uses a part of them")]

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, BodyStream, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// What a reverse proxy does to what passes.
#[derive(Copy, Clone, Debug, Default)]
pub struct Faults {
    /// It passes `Upgrade` and `Connection` on to nobody, as nginx does unless it is told.
    pub strips_upgrade: bool,
    /// It answers 403 to whoever asks for a WebSocket.
    pub refuses_websockets: bool,
    /// It keeps a response until it has so many bytes of it, or its end.
    pub buffers_bytes: Option<usize>,
}

/// A reverse proxy before a server.
pub async fn reverse_proxy(server: SocketAddr, faults: Faults) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let service = hyper::service::service_fn(move |request| pass(request, server, faults));
                let serving = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .with_upgrades();
                // Fails when the client goes away, which is fine.
                let _ = serving.await;
            });
        }
    });
    address
}

type Body = UnsyncBoxBody<Bytes, hyper::Error>;

async fn pass(
    mut request: Request<Incoming>,
    server: SocketAddr,
    faults: Faults,
) -> Result<Response<Body>, Infallible> {
    let answer = |status| {
        let mut response = Response::new(full("no"));
        *response.status_mut() = status;
        response
    };
    let is_upgrade = request.headers().contains_key(header::UPGRADE);
    if is_upgrade && faults.refuses_websockets {
        return Ok(answer(StatusCode::FORBIDDEN));
    }
    let Ok(stream) = TcpStream::connect(server).await else { return Ok(answer(StatusCode::BAD_GATEWAY)) };
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let Ok((mut sender, connection)) = handshake else { return Ok(answer(StatusCode::BAD_GATEWAY)) };
    tokio::spawn(connection.with_upgrades());
    let keeps_upgrade = is_upgrade && !faults.strips_upgrade;
    let clients_half = keeps_upgrade.then(|| hyper::upgrade::on(&mut request));
    if !keeps_upgrade {
        strip(request.headers_mut());
    }
    let Ok(mut response) = sender.send_request(request).await else {
        return Ok(answer(StatusCode::BAD_GATEWAY));
    };
    if let (StatusCode::SWITCHING_PROTOCOLS, Some(clients_half)) = (response.status(), clients_half) {
        let servers_half = hyper::upgrade::on(&mut response);
        tokio::spawn(async move {
            if let (Ok(one), Ok(other)) = tokio::join!(clients_half, servers_half) {
                let _ = copy_bidirectional(&mut TokioIo::new(one), &mut TokioIo::new(other)).await;
            }
        });
        return Ok(response.map(BodyExt::boxed_unsync));
    }
    if !keeps_upgrade {
        strip(response.headers_mut());
    }
    Ok(match faults.buffers_bytes {
        Some(bytes) => response.map(|body| buffered(body, bytes)),
        None => response.map(BodyExt::boxed_unsync),
    })
}

/// Headers of one hop.
fn strip(headers: &mut HeaderMap) {
    headers.remove(header::UPGRADE);
    headers.remove(header::CONNECTION);
}

fn full(text: &'static str) -> Body {
    Full::new(Bytes::from_static(text.as_bytes())).map_err(|never| match never {}).boxed_unsync()
}

/// The body in pieces of at least so many bytes, but for the last.
fn buffered(body: Incoming, bytes: usize) -> Body {
    let pieces =
        futures_util::stream::unfold((BodyStream::new(body), false), move |(mut body, is_over)| async move {
            let mut kept = Vec::new();
            while !is_over && kept.len() < bytes {
                match body.next().await {
                    Some(Ok(frame)) => kept.extend_from_slice(&frame.into_data().unwrap_or_default()),
                    Some(Err(error)) => return Some((Err(error), (body, true))),
                    None if kept.is_empty() => return None,
                    None => return Some((Ok(Frame::data(Bytes::from(kept))), (body, true))),
                }
            }
            (!is_over).then(|| (Ok(Frame::data(Bytes::from(kept))), (body, false)))
        });
    StreamBody::new(pieces).boxed_unsync()
}

/// A network before a server that forgets a connection on which nothing passed for so long: neither end is told, and nothing passes
/// any more.
pub async fn forgets_idle(server: SocketAddr, idle: Duration) -> SocketAddr {
    relays(server, idle, true).await
}

/// A network that ends connections on which nothing passed for so long, as HAProxy does.
pub async fn cuts_idle(server: SocketAddr, idle: Duration) -> SocketAddr {
    relays(server, idle, false).await
}

async fn relays(server: SocketAddr, idle: Duration, keeps_open: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            tokio::spawn(async move {
                let Ok(mut server) = TcpStream::connect(server).await else { return };
                let is_idle = relay(&mut client, &mut server, idle).await;
                if is_idle && keeps_open {
                    // Both sockets stay open, and nobody reads them.
                    std::future::pending::<()>().await;
                }
            });
        }
    });
    address
}

/// Passes bytes on both ways. Returns true once nothing passed for so long, false once an end is gone.
async fn relay(client: &mut TcpStream, server: &mut TcpStream, idle: Duration) -> bool {
    let (mut up, mut down) = (vec![0; 16 * 1024], vec![0; 16 * 1024]);
    loop {
        let passed = timeout(idle, async {
            tokio::select! {
                length = client.read(&mut up) => {
                    let length = length.ok().filter(|length| *length > 0)?;
                    server.write_all(&up[..length]).await.ok()
                }
                length = server.read(&mut down) => {
                    let length = length.ok().filter(|length| *length > 0)?;
                    client.write_all(&down[..length]).await.ok()
                }
            }
        });
        match passed.await {
            Ok(Some(())) => {}
            Ok(None) => return false,
            Err(_) => return true,
        }
    }
}

/// A network that answers everything with its own page until somebody signs in: over HTTP.
pub async fn captive_portal() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let service = hyper::service::service_fn(|_: Request<Incoming>| async {
                    let mut response =
                        Response::new(full("<html><title>Sign in</title><form>…</form></html>"));
                    let html = http::HeaderValue::from_static("text/html; charset=utf-8");
                    response.headers_mut().insert(header::CONTENT_TYPE, html);
                    Ok::<_, Infallible>(response)
                });
                let _ = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
    address
}
