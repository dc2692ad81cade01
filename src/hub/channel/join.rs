//! `GET /v1/socket` with the id of a channel: the WebSocket takes the channel over.

use std::sync::Arc;

use axum::extract::Request as HttpRequest;
use axum::response::Response;
use http::StatusCode;
use tokio::time::Instant;

use super::super::http::{Ends, refusal, switching, take_over};
use super::super::socket::Socket;
use super::super::state::Hub;
use super::{Channel, Request, Transport, number, refused};
use crate::wire::duplex::channel::{FROM_HEADER, TURN_HEADER};
use crate::wire::duplex::message::close;

/// Answers the handshake of a WebSocket that is to join.
pub(in super::super) async fn join(
    hub: &Arc<Hub>,
    ends: Ends,
    request: HttpRequest,
    accept: http::HeaderValue,
) -> Response {
    match admit(hub, ends, request, accept).await {
        Ok(response) | Err(response) => response,
    }
}

async fn admit(
    hub: &Arc<Hub>,
    ends: Ends,
    mut request: HttpRequest,
    accept: http::HeaderValue,
) -> Result<Response, Response> {
    let headers = request.headers();
    let (from, turn) = (number(headers, FROM_HEADER)?, number(headers, TURN_HEADER)?);
    let Some(from) = from else {
        let sentence =
            "The header Duplex-From is missing: it is the number of the first frame that is wanted.";
        return Err(refusal(StatusCode::BAD_REQUEST, sentence));
    };
    let waiting = Request::of(hub, &ends, headers).await?;
    {
        let state = waiting.channel.lock();
        if let Some(ended) = &state.ended {
            return Err(ended.response());
        }
        let may = state.numbers.may_join(from, turn);
        may.map_err(|error| refused(hub, &error, state.numbers.received()))?;
    }
    let upgrade = hyper::upgrade::on(&mut request);
    let slot = ends.slot;
    let hub = Arc::clone(hub);
    tokio::spawn(async move {
        let Ok(upgraded) = upgrade.await else { return };
        if let Some(socket) = take_over(upgraded, slot).await {
            hub.metrics.sockets.add(1);
            let late = hand_over(&waiting.channel, socket, from, turn);
            if let Some(socket) = late {
                socket.close(close::GOING_AWAY, "the channel has ended, or was taken over meanwhile").await;
            }
        }
    });
    Ok(switching(accept))
}

/// Gives the WebSocket to the client's task; returns it if it comes too late.
fn hand_over(channel: &Channel, socket: Socket, from: u64, turn: Option<u64>) -> Option<Socket> {
    let mut state = channel.lock();
    if state.ended.is_some() || state.numbers.join(from, turn).is_err() {
        return Some(socket);
    }
    channel.count(&mut state);
    state.joining = Some(Box::new(socket));
    // A request that receives ends.
    state.receiver += 1;
    state.idle_since = Instant::now();
    channel.set_transport(&mut state, Some(Transport::WebSocket));
    drop(state);
    channel.changed.notify_waiters();
    channel.task.wake();
    None
}
