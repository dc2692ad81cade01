//! HTTP routes: the WebSocket handshake, health and metrics. Readings are in [`super::post`], channels in [`super::channel`].

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::{Extension, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use http::{HeaderMap, HeaderName, StatusCode, Uri, header};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::carrier::Carrier;
use super::channel;
use super::client::{self, Peer};
use super::guard::Rejected;
use super::health::{self, Health};
use super::lan::ListenerHandle;
use super::metrics::{Gauges, Refused};
use super::process;
use super::serve::Watched;
use super::slots::{ConnectionSlot, Full};
use super::socket::Socket;
use super::state::{Hub, MAX_SOCKETS, hash};
use crate::clock;
use crate::model::address::SOCKET_PATH;
use crate::model::{Principal, PrincipalKind};
use crate::wire::duplex::channel::{
    CHANNELS_PATH, EVENTS_PATH, ID_HEADER, POLL_PATH, SEND_PATH, STREAM_PATH,
};

/// `Retry-After` in seconds, if the hub has reached its connection limit or its log does not work.
pub(super) const BUSY_S: u64 = 5;

/// The two ends of a connection.
#[derive(Clone)]
pub(super) struct Ends {
    /// The local address that the client dialed.
    pub own: SocketAddr,
    /// The client's address, or the one named by a trusted proxy.
    pub from: IpAddr,
    /// The slot of the connection, or of one of the requests that it has at a time.
    pub slot: ConnectionSlot,
    /// The listener that accepted it.
    pub accepted_by: ListenerHandle,
    /// Whether the connection is to end after the current answer.
    pub ending: watch::Receiver<bool>,
}

/// All routes.
pub(super) fn router(hub: Arc<Hub>) -> Router {
    Router::new()
        .route(SOCKET_PATH, get(socket))
        .route(CHANNELS_PATH, post(channel::open).delete(channel::close))
        .route(SEND_PATH, post(channel::send))
        .route(EVENTS_PATH, get(channel::events))
        .route(STREAM_PATH, get(channel::stream))
        .route(POLL_PATH, get(channel::poll))
        .route("/v1/devices/{id}/readings", post(super::post::readings))
        .route("/v1/rooms/{room}/messages", post(super::hook::post::message))
        .route(
            "/v1/files/{id}",
            put(super::file::upload).get(super::file::download).delete(super::file::cancel),
        )
        .route("/v1/files/{id}/status", get(super::file::status))
        .route("/v1/proof", get(super::file::prove))
        .route("/healthz", get(healthz))
        .route("/metrics", get(metrics))
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(Arc::clone(&hub), guarded))
        .with_state(hub)
}

/// An error response: a status, and a sentence that says what to do.
pub(super) fn refusal(status: StatusCode, sentence: &str) -> Response {
    let plain = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    (status, plain, format!("{sentence}\n")).into_response()
}

async fn unknown_path(uri: Uri) -> Response {
    let sentence = if uri.path().starts_with("/v1/devices") {
        "No such path. Readings go to /v1/devices/ID/readings, where ID is the device's id, percent-encoded."
    } else if uri.path().starts_with("/v1/rooms") {
        "No such path. Messages go to /v1/rooms/ROOM/messages, as `duplexctl hook make` prints it."
    } else if uri.path().starts_with("/v1/files") {
        "No such path. Files are at /v1/files/ID, where ID is a UUID; /v1/files/ID/status says how far an upload is."
    } else if uri.path().starts_with(CHANNELS_PATH) {
        "No such path. A channel is opened with POST /v1/channels; frames go to /v1/channels/send and come from \
         /v1/channels/events, /v1/channels/stream or /v1/channels/poll."
    } else {
        "No such path. This is a Duplex server: connect to /v1/socket with WebSocket, or post readings to \
         /v1/devices/ID/readings; /healthz and /metrics are for monitoring."
    };
    refusal(StatusCode::NOT_FOUND, sentence)
}

/// The router adds `Allow`.
async fn wrong_method(uri: Uri) -> Response {
    let sentence = if uri.path().starts_with("/v1/devices/") {
        "Wrong method: send readings with POST. They are read back over the socket, not from here."
    } else if uri.path().starts_with("/v1/rooms/") {
        "Wrong method: send messages with POST. They are read back over the socket, not from here."
    } else if uri.path().starts_with("/v1/files/") {
        "Wrong method: upload with PUT, download with GET, give an upload up with DELETE."
    } else if uri.path() == CHANNELS_PATH {
        "Wrong method: open a channel with POST, end it with DELETE."
    } else if uri.path() == SEND_PATH {
        "Wrong method: send frames with POST."
    } else {
        "Wrong method: use GET."
    };
    refusal(StatusCode::METHOD_NOT_ALLOWED, sentence)
}

pub(super) fn with(
    mut response: Response,
    name: HeaderName,
    value: impl Into<http::HeaderValue>,
) -> Response {
    response.headers_mut().insert(name, value.into());
    response
}

async fn guarded(State(hub): State<Arc<Hub>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let from_lan = parts.extensions.get::<Ends>().is_some_and(|ends| ends.accepted_by.is_lan());
    let also = if from_lan { hub.lan.hosts() } else { Vec::new() };
    match hub.guard.check(&parts, &also) {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(Rejected::Host) => {
            hub.metrics.refuse(Refused::Host);
            refusal(
                StatusCode::MISDIRECTED_REQUEST,
                "This server does not go by that host name: use its IP address, or start it with --allow-host NAME.",
            )
        }
        Err(Rejected::Origin) => {
            hub.metrics.refuse(Refused::Origin);
            refusal(
                StatusCode::FORBIDDEN,
                "Web pages may not connect to this server unless it is started with --allow-origin for theirs.",
            )
        }
    }
}

async fn healthz(State(hub): State<Arc<Hub>>) -> Response {
    let health = Health::of(&hub);
    let status = if health.is_ok() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let mut response =
        (status, [(header::CONTENT_TYPE, "application/json")], health.json().to_string()).into_response();
    if !health.is_ok() {
        response = with(response, header::RETRY_AFTER, BUSY_S);
    }
    response
}

async fn metrics(
    State(hub): State<Arc<Hub>>,
    Extension(ends): Extension<Ends>,
    headers: HeaderMap,
) -> Response {
    match authorize(&hub, &ends, &headers).await {
        Err(refused) => return refused,
        Ok(None) => return unauthorized(&hub, &ends),
        Ok(Some(principal)) if principal.kind != PrincipalKind::Admin => {
            hub.metrics.refuse(Refused::Kind);
            return refusal(
                StatusCode::FORBIDDEN,
                "Only an admin may read the metrics: send an admin's token.",
            );
        }
        Ok(Some(_)) => {}
    }
    let gauges = Gauges {
        sockets: (MAX_SOCKETS as usize).saturating_sub(hub.sockets.available_permits()),
        principals: hub.registry.count(),
        head: hub.store.head().0,
        devices: hub.fleet.count(),
        device_bytes: hub.fleet.bytes(),
        oldest: hub.store.oldest().0,
        log_bytes: hub.store.used_bytes().await.unwrap_or_default(),
        is_log_full: hub.is_log_full(),
        anonymous: hub.slots.anonymous(),
        unfinished: hub.slots.unfinished(),
        saved: hub.packer.get().map_or(0, |packer| packer.saved()),
        channels: Some(Arc::clone(&hub.channels.totals)),
        process: process::figures().await,
    };
    let plain = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (plain, hub.metrics.text(&gauges) + &health::metrics(&hub)).into_response()
}

/// The principal of the `Authorization` header; `None` without one.
pub(super) async fn authorize(
    hub: &Hub,
    ends: &Ends,
    headers: &HeaderMap,
) -> Result<Option<Principal>, Response> {
    if !headers.contains_key(header::AUTHORIZATION) {
        return Ok(None);
    }
    let known = match bearer(headers) {
        Some(token) => hub.principal(token).await,
        None => Ok(None),
    };
    match known {
        Ok(Some(principal)) => match ends.slot.know(&principal.id) {
            Ok(()) => Ok(Some(principal)),
            Err(full) => Err(over_limit(hub, full)),
        },
        Ok(None) => Err(unauthorized(hub, ends)),
        Err(error) => {
            // The store logs the cause once when it begins.
            log::debug!("cannot look up a token: {error}");
            hub.metrics.refuse(Refused::Unavailable);
            let response = refusal(
                StatusCode::SERVICE_UNAVAILABLE,
                "The server cannot read its database: try again later, and see its log.",
            );
            Err(with(response, header::RETRY_AFTER, BUSY_S))
        }
    }
}

/// Whether somebody may open a connection, and whose token the header has; without one it comes in the hello.
pub(super) async fn admission(
    hub: &Hub,
    ends: &Ends,
    headers: &HeaderMap,
) -> Result<Option<Principal>, Response> {
    let principal = authorize(hub, ends, headers).await?;
    // Addresses with too many bad tokens in hellos are refused here. Not on loopback: there one user of the computer
    // could lock out another, and 256 bits cannot be guessed.
    let is_local = ends.from.is_loopback() && !ends.accepted_by.is_lan() && !hub.proxies.trusts(ends.from);
    match hub.failures.away(ends.from, clock::now().boot_ms) {
        Some(seconds) if principal.is_none() && !is_local => Err(too_many(hub, seconds)),
        _ => Ok(principal),
    }
}

/// The principal or the hub has reached its connection limit.
pub(super) fn over_limit(hub: &Hub, full: Full) -> Response {
    let sentence = match full {
        Full::Share => {
            hub.metrics.refuse(Refused::Share);
            "This token has reached its limit of connections: close some, or use a token for each device."
        }
        Full::Hub => {
            hub.metrics.refuse(Refused::Full);
            "The server has reached its limit of connections: try again later."
        }
    };
    with(refusal(StatusCode::SERVICE_UNAVAILABLE, sentence), header::RETRY_AFTER, BUSY_S)
}

/// The token in the `Authorization` header.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let words = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ');
    let token = words.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token);
    token.map(str::trim)
}

/// The answer to a missing or unknown token; after too many from one address, 429.
pub(super) fn unauthorized(hub: &Hub, ends: &Ends) -> Response {
    if let Some(seconds) = hub.failed(ends.from) {
        return too_many(hub, seconds);
    }
    hub.metrics.refuse(Refused::Token);
    let response = refusal(
        StatusCode::UNAUTHORIZED,
        "Unknown or missing token: send a valid one as `Authorization: Bearer TOKEN`.",
    );
    with(response, header::WWW_AUTHENTICATE, http::HeaderValue::from_static("Bearer"))
}

fn too_many(hub: &Hub, seconds: u64) -> Response {
    hub.metrics.refuse(Refused::Guessing);
    let response = refusal(
        StatusCode::TOO_MANY_REQUESTS,
        "Too many wrong tokens from your address: wait, then check the token.",
    );
    with(response, header::RETRY_AFTER, seconds)
}

async fn socket(
    State(hub): State<Arc<Hub>>,
    Extension(ends): Extension<Ends>,
    mut request: Request,
) -> Response {
    let accept = match handshake(request.headers()) {
        Ok(accept) => accept,
        Err(response) => {
            hub.metrics.refuse(Refused::Handshake);
            return *response;
        }
    };
    if request.headers().contains_key(ID_HEADER) {
        return channel::join(&hub, ends, request, accept).await;
    }
    let principal = match admission(&hub, &ends, request.headers()).await {
        Ok(principal) => principal,
        Err(response) => return response,
    };
    let Ok(permit) = Arc::clone(&hub.sockets).try_acquire_owned() else {
        return over_limit(&hub, Full::Hub);
    };
    let upgrade = hyper::upgrade::on(&mut request);
    let Ends { own, from, slot, accepted_by, .. } = ends;
    let credential = bearer(request.headers()).map(hash);
    let peer = Peer {
        address: from,
        dialed: own.to_string(),
        principal,
        slot: slot.clone(),
        credential,
        accepted_by,
    };
    tokio::spawn(async move {
        let Ok(upgraded) = upgrade.await else { return };
        if let Some(socket) = take_over(upgraded, slot).await {
            hub.metrics.sockets.add(1);
            client::serve(hub, Carrier::Socket(socket), peer).await;
        }
        drop(permit);
    });
    switching(accept)
}

/// The answer to a handshake that succeeds.
pub(super) fn switching(accept: http::HeaderValue) -> Response {
    let upgrade = [(header::CONNECTION, "upgrade"), (header::UPGRADE, "websocket")];
    let response = (StatusCode::SWITCHING_PROTOCOLS, upgrade).into_response();
    with(response, header::SEC_WEBSOCKET_ACCEPT, accept)
}

/// Takes the connection and its buffered bytes over from HTTP; `None` for a connection that this hub did not accept.
pub(super) async fn take_over(upgraded: Upgraded, slot: ConnectionSlot) -> Option<Socket> {
    let parts = upgraded.downcast::<TokioIo<Watched>>().ok()?;
    Some(Socket::new(parts.io.into_inner().io, &parts.read_buf, slot).await)
}

/// Checks a handshake (RFC 6455 §4.2.1) and computes `Sec-WebSocket-Accept`.
fn handshake(headers: &HeaderMap) -> Result<http::HeaderValue, Box<Response>> {
    let says = |name: HeaderName, word: &str| {
        headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .any(|value| value.split(',').any(|part| part.trim().eq_ignore_ascii_case(word)))
    };
    if !says(header::CONNECTION, "upgrade") || !says(header::UPGRADE, "websocket") {
        let response = refusal(
            StatusCode::UPGRADE_REQUIRED,
            "This path takes WebSocket connections only: connect with a Duplex app, or post readings to /v1/devices/ID/readings.",
        );
        return Err(Box::new(with(response, header::UPGRADE, http::HeaderValue::from_static("websocket"))));
    }
    if !says(header::SEC_WEBSOCKET_VERSION, "13") {
        let response = refusal(
            StatusCode::UPGRADE_REQUIRED,
            "Only version 13 of WebSocket is supported: send Sec-WebSocket-Version: 13.",
        );
        return Err(Box::new(with(response, header::SEC_WEBSOCKET_VERSION, 13u16)));
    }
    let key = headers.get(header::SEC_WEBSOCKET_KEY).map(|key| derive_accept_key(key.as_bytes()));
    let key = key.and_then(|key| http::HeaderValue::from_str(&key).ok());
    key.ok_or_else(|| {
        Box::new(refusal(StatusCode::BAD_REQUEST, "Not a WebSocket handshake: Sec-WebSocket-Key is missing."))
    })
}
