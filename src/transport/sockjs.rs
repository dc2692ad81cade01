//! SockJS: a server that offers it at `/ws` has its plain WebSocket at `/ws/websocket`, and greets at `/ws` over HTTP.

use super::{Endpoint, request};
use crate::model::link_state::Why;

/// How a SockJS endpoint greets.
const WELCOME: &[u8] = b"Welcome to SockJS!";
/// Maximum number of bytes before it.
const MAX_CHUNK_HEAD_BYTES: usize = 16;
/// Where the WebSocket is below it.
const SOCKET: &str = "websocket";

/// Whether a failed dial may have met a SockJS endpoint: a web server that has no WebSocket at this path.
pub(super) fn is_likely(why: &Why) -> bool {
    match why {
        Why::Http { status, .. } => matches!(status, 200..=299 | 400 | 404 | 405 | 410 | 426),
        Why::NotWebSocket { .. } | Why::Lost { .. } => true,
        _ => false,
    }
}

/// The address of the WebSocket, if the target's address is that of a SockJS endpoint. Sends no credentials.
pub async fn socket_url(target: &Endpoint) -> Option<String> {
    let (before, query) = match target.url.split_once('?') {
        Some((before, query)) => (before, Some(query)),
        None => (target.url.as_str(), None),
    };
    let authority = before.find("://")? + 3;
    let root = before.trim_end_matches('/');
    let path = root.get(authority..)?.find('/').map_or("", |slash| &root[authority + slash..]);
    let answer = request::get(target, if path.is_empty() { "/" } else { path }).await.ok()?;
    // A body in chunks has the size of the first one before it.
    let greets = |start| answer.body.get(start..).is_some_and(|rest: &[u8]| rest.starts_with(WELCOME));
    if answer.status != 200 || !(0..=MAX_CHUNK_HEAD_BYTES).any(greets) {
        return None;
    }
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    Some(format!("{root}/{SOCKET}{query}"))
}
