//! `POST /v1/channels/send`: frames from the client, one a line.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Extension, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::json;
use tokio::time::{Instant, timeout_at};

use super::super::http::{BUSY_S, Ends, refusal, with};
use super::super::post::told_bytes;
use super::super::rate::cost;
use super::super::state::Hub;
use super::{MAX_ANONYMOUS_BYTES, Offered, Request, answer, number, refused};
use crate::wire::duplex::channel::{FIRST_HEADER, FROM_HEADER, MAX_LINE_BYTES, line};
use crate::wire::duplex::deflate::{GZIP, Unreadable, gunzip};

/// How long a body may take, in addition to the time that its size allows.
const BODY_GRACE: Duration = Duration::from_secs(10);
/// Minimum transfer rate of a body, in bytes per second.
const MIN_BYTES_PER_S: u64 = 24 * 1024;
/// How long frames wait for the client's task, which reads more slowly from those that send too much. Then the answer says how many
/// were taken.
const MAX_ROOM_WAIT: Duration = Duration::from_secs(20);
/// Granularity at which bytes of an incomplete body are counted.
const COUNTED_BYTES: usize = 16 * 1024;

/// Takes frames.
pub(in super::super) async fn send(
    State(hub): State<Arc<Hub>>,
    Extension(ends): Extension<Ends>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let sent = take(&hub, &ends, &headers, body).await;
    ends.slot.hold(0);
    sent.unwrap_or_else(|refused| refused)
}

async fn take(hub: &Hub, ends: &Ends, headers: &HeaderMap, body: Body) -> Result<Response, Response> {
    let request = Request::of(hub, ends, headers).await?;
    let channel = &request.channel;
    let (first, from) = (number(headers, FIRST_HEADER)?, number(headers, FROM_HEADER)?);
    let is_welcome = channel.lock().before_welcome.is_none();
    let most = if is_welcome { MAX_LINE_BYTES + 1 } else { 2 * MAX_ANONYMOUS_BYTES };
    let is_zipped = is_zipped(headers).map_err(|refused| *refused)?;
    let body = read(ends, headers, body, most).await.map_err(|refused| *refused)?;
    let body = if is_zipped { unzip(&body, most).map_err(|refused| *refused)? } else { body };
    request.pay(cost(body.len()) - 1).await;
    if let Some(from) = from {
        let mut state = channel.lock();
        let confirmed = state.numbers.confirm(from);
        channel.count(&mut state);
        let received = state.numbers.received();
        drop(state);
        channel.task.wake();
        confirmed.map_err(|violation| refused(hub, &violation.into(), received))?;
    }
    // The client may leave out the end of the last line.
    let body = body.strip_suffix(b"\n").unwrap_or(&body);
    let frames =
        body.split(|byte| *byte == b'\n').map(|line| line.trim_ascii_end()).filter(|line| !line.is_empty());
    let has_frames = frames.clone().next().is_some();
    let Some(first) = first.or((!has_frames).then_some(1)) else {
        let sentence = "The header Duplex-First is missing: it is the number of the first frame.";
        return Err(refusal(StatusCode::BAD_REQUEST, sentence));
    };
    let until = Instant::now() + MAX_ROOM_WAIT;
    for (number, text) in (first..).zip(frames) {
        if !offer(hub, &request, number, text, until).await? {
            break;
        }
    }
    let received = channel.lock().numbers.received();
    Ok(answer(StatusCode::OK, "application/json", json!({"received": received}).to_string()))
}

/// Hands a frame to the client's task, as soon as there is room for it; false if that took too long.
async fn offer(
    hub: &Hub,
    request: &Request,
    number: u64,
    text: &[u8],
    until: Instant,
) -> Result<bool, Response> {
    let channel = &request.channel;
    loop {
        let mut changed = std::pin::pin!(channel.changed.notified());
        changed.as_mut().enable();
        {
            let mut state = channel.lock();
            let frame = line::read(text).map_err(|violation| {
                refusal(StatusCode::BAD_REQUEST, &format!("Frame {number}: {violation}."))
            })?;
            match channel.offer(&mut state, number, frame) {
                Offered::Taken => return Ok(true),
                Offered::Full => {}
                Offered::Ended(ended) => return Err(ended.response()),
                Offered::Refused(violation) => {
                    let received = state.numbers.received();
                    drop(state);
                    return Err(refused(hub, &violation.into(), received));
                }
            }
        }
        if timeout_at(until, changed).await.is_err() {
            return Ok(false);
        }
    }
}

/// Whether a body is compressed, in the only way that is read.
fn is_zipped(headers: &HeaderMap) -> Result<bool, Box<Response>> {
    match headers.get(header::CONTENT_ENCODING).map(|value| value.as_bytes()) {
        None | Some(b"identity") => Ok(false),
        Some(coding) if coding.eq_ignore_ascii_case(GZIP.as_bytes()) => Ok(true),
        Some(_) => {
            let sentence = "The Content-Encoding is not known here: send gzip, or the frames as they are.";
            let response = refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, sentence);
            let gzip = header::HeaderValue::from_static(GZIP);
            Err(Box::new(with(response, header::ACCEPT_ENCODING, gzip)))
        }
    }
}

/// Unpacks a body, which may have as many bytes then as one that was not compressed.
fn unzip(body: &[u8], most: usize) -> Result<Vec<u8>, Box<Response>> {
    gunzip(body, most).map_err(|error| {
        let status = match error {
            Unreadable::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Unreadable::Damaged | Unreadable::NotUtf8 => StatusCode::BAD_REQUEST,
        };
        let sentence = format!("The body could not be unpacked: {error}. Send it again, or not compressed.");
        Box::new(refusal(status, &sentence))
    })
}

/// Receives a body of at most so many bytes.
async fn read(
    ends: &Ends,
    headers: &HeaderMap,
    mut body: Body,
    most: usize,
) -> Result<Vec<u8>, Box<Response>> {
    let refuse = |status, sentence: &str| Err(Box::new(refusal(status, sentence)));
    let too_large = format!("A body has at most {most} bytes: send fewer frames at once.");
    // The body is not read then; a client that waits for `100 Continue` sends nothing.
    if told_bytes(headers).is_some_and(|told| told > most as u64) {
        return refuse(StatusCode::PAYLOAD_TOO_LARGE, &too_large);
    }
    let (begun, mut bytes, mut counted) = (Instant::now(), Vec::new(), 0);
    loop {
        let allowed = Duration::from_millis(bytes.len() as u64 * 1_000 / MIN_BYTES_PER_S);
        let piece: Bytes = match timeout_at(begun + BODY_GRACE + allowed, body.frame()).await {
            Ok(None) => return Ok(bytes),
            Ok(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
            Ok(Some(Err(_))) => {
                return refuse(StatusCode::BAD_REQUEST, "The body ended early: send it again, whole.");
            }
            Err(_) => {
                let sentence = "The body did not arrive in time: send it again, or in smaller requests.";
                let response = refusal(StatusCode::REQUEST_TIMEOUT, sentence);
                return Err(Box::new(with(response, header::RETRY_AFTER, BUSY_S)));
            }
        };
        if bytes.len() + piece.len() > most {
            return refuse(StatusCode::PAYLOAD_TOO_LARGE, &too_large);
        }
        bytes.extend_from_slice(&piece);
        if bytes.len() >= counted + COUNTED_BYTES {
            counted = bytes.len();
            ends.slot.hold(counted);
        }
    }
}
