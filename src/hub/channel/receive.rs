//! Frames to the client: `GET /v1/channels/poll`, `…/stream` and `…/events`.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Extension, Query, State};
use axum::response::Response;
use futures_util::stream;
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::super::http::{Ends, refusal, with};
use super::super::packer::Packer;
use super::super::state::Hub;
use super::{Ended, Request, Transport, answer, number, refused};
use crate::wire::duplex::channel::{MAX_POLL_WAIT_MS, STREAM_ALIVE_MS, TURN_HEADER, line, sse};
use crate::wire::duplex::deflate::{GZIP, GzipStream};

/// Maximum duration of a stream: a proxy may not support one that never ends.
const MAX_STREAM: Duration = Duration::from_secs(240);
/// Maximum size of a stream, in bytes.
const MAX_STREAM_BYTES: usize = 16 * 1024 * 1024;
/// How long a stream may go on once its connection is to end.
const MAX_LAST_PIECES: Duration = Duration::from_secs(1);
/// The header in which a browser's `EventSource` says where it was.
const LAST_EVENT_ID: &str = "last-event-id";

/// Query parameters.
#[derive(Debug, Deserialize)]
pub(in super::super) struct Wanted {
    from: u64,
    #[serde(default)]
    wait_ms: u64,
}

type WantedQuery = Result<Query<Wanted>, axum::extract::rejection::QueryRejection>;

/// A request that receives.
struct Receiver {
    request: Request,
    /// Its number: a newer one ends it.
    number: u64,
    /// The number of the next frame.
    next: u64,
}

/// What there is for a [`Receiver`].
enum Next {
    Frames(Vec<Arc<str>>),
    /// Nothing came in time.
    Nothing,
    /// Another request receives now.
    Over,
    Ended(Ended),
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let mut state = self.request.channel.lock();
        if state.receiver == self.number {
            state.receiver_slot = None;
        }
    }
}

impl Receiver {
    /// Begins to receive: everything before the wanted frame is confirmed, and an older request ends.
    async fn begin(
        hub: &Hub,
        ends: &Ends,
        headers: &HeaderMap,
        wanted: WantedQuery,
        transport: impl FnOnce(&Wanted) -> Transport,
    ) -> Result<(Receiver, Wanted), Response> {
        let Ok(Query(mut wanted)) = wanted else {
            let sentence = "from is missing or no whole number: it is the number of the first frame that is wanted, 1 at first.";
            return Err(refusal(StatusCode::BAD_REQUEST, sentence));
        };
        let turn = number(headers, TURN_HEADER)?;
        if let Some(last) = number(headers, LAST_EVENT_ID)? {
            wanted.from = wanted.from.max(last.saturating_add(1));
        }
        let request = Request::of(hub, ends, headers).await?;
        let channel = Arc::clone(&request.channel);
        let mut state = channel.lock();
        if let Some(ended) = state.ended.as_ref().filter(|_| state.numbers.is_past(wanted.from)) {
            return Err(ended.response());
        }
        let asked = state.numbers.ask(wanted.from, turn);
        channel.count(&mut state);
        if let Err(error) = asked {
            return Err(refused(hub, &error, state.numbers.received()));
        }
        state.receiver += 1;
        state.receiver_slot = state.before_welcome.map(|_| ends.slot.clone());
        let receiver = Receiver { request, number: state.receiver, next: wanted.from };
        let transport = transport(&wanted);
        if state.ended.is_none() {
            channel.set_transport(&mut state, Some(transport));
        }
        drop(state);
        hub.metrics.channel_requests[transport as usize].add(1);
        // Frames were confirmed, and a WebSocket that had joined has left.
        channel.changed.notify_waiters();
        channel.task.wake();
        Ok((receiver, wanted))
    }

    /// Waits for frames until then.
    async fn next(&mut self, until: Instant) -> Next {
        let channel = &self.request.channel;
        loop {
            let mut changed = pin!(channel.changed.notified());
            changed.as_mut().enable();
            {
                let mut state = channel.lock();
                if state.receiver != self.number {
                    return Next::Over;
                }
                let frames = state.numbers.hand_out(self.next);
                if !frames.is_empty() {
                    self.next += frames.len() as u64;
                    drop(state);
                    channel.task.wake();
                    return Next::Frames(frames);
                }
                if let Some(ended) = &state.ended {
                    return Next::Ended(ended.clone());
                }
            }
            tokio::select! {
                () = changed => {}
                () = sleep_until(until) => return Next::Nothing,
            }
        }
    }
}

/// Waits until the connection is to end.
async fn is_to_end(ending: &mut watch::Receiver<bool>) {
    // Fails if the sender is gone: the connection is, too, and this task with it.
    let _ = ending.wait_for(|ending| *ending).await;
}

/// Answers with the frames there are, or waits for the next one.
pub(in super::super) async fn poll(
    State(hub): State<Arc<Hub>>,
    Extension(ends): Extension<Ends>,
    wanted: WantedQuery,
    headers: HeaderMap,
) -> Response {
    let transport = |wanted: &Wanted| if wanted.wait_ms == 0 { Transport::Poll } else { Transport::LongPoll };
    let (mut receiver, wanted) = match Receiver::begin(&hub, &ends, &headers, wanted, transport).await {
        Ok(begun) => begun,
        Err(response) => return response,
    };
    let until = Instant::now() + Duration::from_millis(wanted.wait_ms.min(MAX_POLL_WAIT_MS));
    let mut ending = ends.ending;
    let next = tokio::select! {
        next = receiver.next(until) => next,
        // Its connection is at the end of its lifetime: the client asks again over another one.
        () = is_to_end(&mut ending) => receiver.next(Instant::now() + MAX_LAST_PIECES).await,
    };
    let mut body = Vec::new();
    match next {
        Next::Frames(frames) => frames.iter().for_each(|frame| line::write_text(&mut body, frame)),
        Next::Nothing | Next::Over => {}
        Next::Ended(ended) => return ended.response(),
    }
    match accepted(&hub, &headers).and_then(|packer| packer.gzip(&body)) {
        Some(packed) => zipped(answer(StatusCode::OK, line::MEDIA_TYPE, packed)),
        None => answer(StatusCode::OK, line::MEDIA_TYPE, body),
    }
}

/// What compresses answers to this request, if its client takes compressed ones.
fn accepted<'a>(hub: &'a Hub, headers: &HeaderMap) -> Option<&'a Arc<Packer>> {
    let values = headers.get_all(header::ACCEPT_ENCODING);
    let mut codings = values.iter().filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(','));
    let accepts = codings.any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().trim_start_matches("q=");
        // A weight of 0, with any number of decimals, means that it is not wanted (RFC 9110 §12.4.2).
        let is_wanted = weight.is_empty() || weight.parse::<f32>().is_ok_and(|weight| weight > 0.0);
        name.trim().eq_ignore_ascii_case(GZIP) && is_wanted
    });
    hub.packer.get().filter(|_| accepts)
}

fn zipped(response: Response) -> Response {
    with(response, header::CONTENT_ENCODING, header::HeaderValue::from_static(GZIP))
}

/// Frames as they come, one a line.
pub(in super::super) async fn stream(
    State(hub): State<Arc<Hub>>,
    Extension(ends): Extension<Ends>,
    wanted: WantedQuery,
    headers: HeaderMap,
) -> Response {
    endless(&hub, ends, &headers, wanted, Format::Lines).await
}

/// Frames as they come, as server-sent events.
pub(in super::super) async fn events(
    State(hub): State<Arc<Hub>>,
    Extension(ends): Extension<Ends>,
    wanted: WantedQuery,
    headers: HeaderMap,
) -> Response {
    endless(&hub, ends, &headers, wanted, Format::Events).await
}

async fn endless(
    hub: &Hub,
    ends: Ends,
    headers: &HeaderMap,
    wanted: WantedQuery,
    format: Format,
) -> Response {
    let (transport, media_type) = match format {
        Format::Lines => (Transport::Stream, line::MEDIA_TYPE),
        Format::Events => (Transport::Sse, sse::MEDIA_TYPE),
    };
    let receiver = match Receiver::begin(hub, &ends, headers, wanted, |_| transport).await {
        Ok((receiver, _)) => receiver,
        Err(response) => return response,
    };
    let zip = accepted(hub, headers).map(|packer| (Arc::clone(packer), GzipStream::default()));
    let is_zipped = zip.is_some();
    let streaming = Streaming {
        receiver,
        zip,
        format,
        ending: ends.ending,
        until: Instant::now() + MAX_STREAM,
        left: MAX_STREAM_BYTES,
        has_begun: false,
        is_over: false,
    };
    let body = Body::from_stream(stream::unfold(streaming, Streaming::piece));
    let response = answer(StatusCode::OK, media_type, body);
    if is_zipped { zipped(response) } else { response }
}

#[derive(Copy, Clone)]
enum Format {
    Lines,
    Events,
}

/// The body of an answer that goes on.
struct Streaming {
    receiver: Receiver,
    format: Format,
    /// The body is compressed.
    zip: Option<(Arc<Packer>, GzipStream)>,
    /// The connection is to end.
    ending: watch::Receiver<bool>,
    until: Instant,
    /// Bytes that may still be sent.
    left: usize,
    has_begun: bool,
    /// The last piece was returned.
    is_over: bool,
}

impl Streaming {
    /// The next piece as it is sent.
    async fn piece(mut self) -> Option<(Result<Bytes, Infallible>, Streaming)> {
        if self.is_over {
            return None;
        }
        let piece = self.written().await;
        let piece = match (&mut self.zip, piece) {
            (Some((packer, zip)), Some(piece)) => packer.piece(zip, &piece),
            (Some((_, zip)), None) => {
                self.is_over = true;
                zip.end()
            }
            (None, piece) => piece?,
        };
        Some((Ok(piece.into()), self))
    }

    /// The next piece; `None` after the last one.
    async fn written(&mut self) -> Option<Vec<u8>> {
        if !std::mem::replace(&mut self.has_begun, true) {
            // At once: this shows that nothing in between holds the answer back.
            let opening = match self.format {
                Format::Lines => line::ALIVE.to_owned(),
                Format::Events => sse::opening(),
            };
            return Some(opening.into());
        }
        if self.left == 0 {
            return None;
        }
        let alive = Instant::now() + Duration::from_millis(STREAM_ALIVE_MS);
        let until = alive.min(self.until);
        let next = tokio::select! {
            next = self.receiver.next(until) => next,
            () = is_to_end(&mut self.ending) => {
                self.until = self.until.min(Instant::now() + MAX_LAST_PIECES);
                self.receiver.next(self.until).await
            }
        };
        let piece = match next {
            Next::Frames(frames) => self.write(&frames),
            Next::Nothing if Instant::now() < self.until => match self.format {
                Format::Lines => line::ALIVE.into(),
                Format::Events => sse::ALIVE.into(),
            },
            // The client asks again, and learns then how the channel has ended.
            Next::Nothing | Next::Over | Next::Ended(_) => return None,
        };
        self.left = self.left.saturating_sub(piece.len());
        Some(piece)
    }

    fn write(&self, frames: &[Arc<str>]) -> Vec<u8> {
        let mut piece = Vec::new();
        let first = self.receiver.next - frames.len() as u64;
        for (number, frame) in (first..).zip(frames) {
            match self.format {
                Format::Lines => line::write_text(&mut piece, frame),
                Format::Events => {
                    let mut line = Vec::new();
                    line::write_text(&mut line, frame);
                    sse::write(&mut piece, number, &line);
                }
            }
        }
        piece
    }
}
