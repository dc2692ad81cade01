//! `POST /v1/channels` opens a channel, `DELETE /v1/channels` ends it.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use serde_json::json;

use super::super::client::{self, Peer};
use super::super::http::{BUSY_S, Ends, admission, bearer, over_limit, refusal, with};
use super::super::slots::Full;
use super::super::state::{Hub, hash};
use super::{ChannelEnd, Ended, LEFT, Request, answer};
use crate::hub::carrier::Carrier;
use crate::wire::duplex::channel::{
    GRACE_MS, MAX_LINE_BYTES, MAX_POLL_WAIT_MS, MAX_POST_FRAMES, STREAM_ALIVE_MS,
};
use crate::wire::duplex::deflate::GZIP;

/// Opens a channel, and starts the task of its client.
pub(in super::super) async fn open(
    State(hub): State<Arc<Hub>>,
    Extension(ends): Extension<Ends>,
    headers: HeaderMap,
) -> Response {
    let principal = match admission(&hub, &ends, &headers).await {
        Ok(principal) => principal,
        Err(response) => return response,
    };
    let Ok(permit) = Arc::clone(&hub.sockets).try_acquire_owned() else {
        return over_limit(&hub, Full::Hub);
    };
    let slot = hub.channels.slots.enter(Some(ends.from));
    if let Some(principal) = &principal
        && let Err(full) = slot.know(&principal.id)
    {
        return over_limit(&hub, full);
    }
    let (channel, id) = match hub.channels.add(principal.as_ref().map(|principal| principal.id.clone())) {
        Ok(added) => added,
        Err(error) => {
            log::error!("no channel can be opened: {error}");
            let sentence = "The server has no random numbers: try again later.";
            let response = refusal(StatusCode::SERVICE_UNAVAILABLE, sentence);
            return with(response, http::header::RETRY_AFTER, BUSY_S);
        }
    };
    let Ends { own, from, accepted_by, .. } = ends;
    let credential = bearer(&headers).map(hash);
    let peer = Peer { address: from, dialed: own.to_string(), principal, slot, credential, accepted_by };
    hub.metrics.channels.add(1);
    let takes_gzip = hub.packer.get().is_some();
    let end = ChannelEnd::new(channel, Arc::clone(&hub));
    tokio::spawn(async move {
        client::serve(hub, Carrier::Channel(Box::new(end)), peer).await;
        drop(permit);
    });
    let told = json!({
        "channel": id,
        "grace_ms": GRACE_MS,
        "alive_ms": STREAM_ALIVE_MS,
        "max_wait_ms": MAX_POLL_WAIT_MS,
        "max_body_bytes": MAX_LINE_BYTES + 1,
        "max_frames": MAX_POST_FRAMES,
    });
    let answer = answer(StatusCode::OK, "application/json", told.to_string());
    // Bodies of posts may be compressed (RFC 7694).
    match takes_gzip {
        true => with(answer, http::header::ACCEPT_ENCODING, http::HeaderValue::from_static(GZIP)),
        false => answer,
    }
}

/// Ends a channel, as a close frame with 1000 ends a WebSocket.
pub(in super::super) async fn close(
    State(hub): State<Arc<Hub>>,
    Extension(ends): Extension<Ends>,
    headers: HeaderMap,
) -> Response {
    let request = match Request::of(&hub, &ends, &headers).await {
        Ok(request) => request,
        Err(response) => return response,
    };
    let ended = Ended { code: LEFT, reason: "the client ended it".to_owned(), retry_after_ms: None };
    if request.channel.end(ended) {
        hub.channels.ended(&request.channel);
    }
    StatusCode::NO_CONTENT.into_response()
}
