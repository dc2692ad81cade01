//! Requests and their answers, over either version of HTTP: who each counts for until its answer has been sent, and what ends it
//! before.
//!
//! Over HTTP/1.1 a connection has one request at a time, which counts as the connection. Over HTTP/2 it has several, perhaps of
//! several clients of one proxy: each has a slot of its own, as if it had come over a connection of its own.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use http::{HeaderValue, Request, Response, StatusCode, Version, header};
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use tokio::sync::{Notify, watch};
use tokio::time::sleep;

use super::http::{BUSY_S, Ends, refusal, with};
use super::lan::ListenerHandle;
use super::metrics::Refused;
use super::slots::ConnectionSlot;
use super::state::Hub;
use crate::clock;
use crate::model::time::BootMs;
use crate::wire::duplex::channel::DUPLEX_HEADER;

/// Maximum number of requests over an anonymous connection. This bounds the unsent answers of a client that never
/// reads.
const MAX_ANONYMOUS_REQUESTS: u32 = 100;
/// The same for authenticated connections and trusted proxies.
const MAX_KNOWN_REQUESTS: u32 = 10_000;
/// Maximum number of requests of an HTTP/2 connection that its client gives up within [`RESETS_WINDOW`]: each costs the hub more than
/// the client (CVE-2023-44487).
const MAX_RESETS: u32 = 100;
/// See [`MAX_RESETS`].
const RESETS_WINDOW: Duration = Duration::from_secs(60);
/// Maximum size of the pieces of an answer over HTTP/2, in bytes. The rest waits where it can be taken back from a client that does
/// not read.
const PIECE_BYTES: usize = 16 * 1024;

/// What the requests of a connection have in common.
pub(super) struct Requests {
    pub(super) hub: Arc<Hub>,
    pub(super) router: TowerToHyperService<Router>,
    /// The local address that the client dialed.
    pub(super) own: SocketAddr,
    pub(super) peer: IpAddr,
    /// The slot of the connection.
    pub(super) slot: ConnectionSlot,
    pub(super) accepted_by: ListenerHandle,
    /// Whether the peer is a trusted proxy.
    pub(super) proxied: bool,
    /// Whether the connection is to end.
    pub(super) ending: watch::Receiver<bool>,
    pub(super) state: Mutex<State>,
    /// Notified when the connection has served its time: see [`Requests::is_flooded`].
    pub(super) used_up: Notify,
}

/// What changes with each request.
pub(super) struct State {
    /// Number of requests whose answer has not been sent.
    open: usize,
    /// Since when there are none.
    idle_since: Instant,
    /// Answers over HTTP/2 that are being sent.
    answers: Vec<Weak<Mutex<Option<Answer>>>>,
    /// Number of requests that were given up since then.
    resets: u32,
    resets_since: Instant,
}

impl Default for State {
    fn default() -> State {
        let now = Instant::now();
        State { open: 0, idle_since: now, answers: Vec::new(), resets: 0, resets_since: now }
    }
}

impl Requests {
    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// For how long there has been no request.
    pub(super) fn idle(&self) -> Duration {
        let state = self.lock();
        if state.open > 0 { Duration::ZERO } else { state.idle_since.elapsed() }
    }

    /// Whether the client gives up too many requests.
    pub(super) fn is_flooded(&self) -> bool {
        self.lock().resets > MAX_RESETS
    }

    /// Ends the answers that have made no progress for `most_ms`.
    pub(super) fn end_stuck(&self, now: BootMs, most_ms: u64) {
        let mut stuck: Vec<Answer> = Vec::new();
        self.lock().answers.retain(|answer| {
            let Some(answer) = answer.upgrade() else { return false };
            let mut answer = lock(&answer);
            if answer.as_ref().is_some_and(|answer| answer.turn.slot.stuck_ms(now) >= most_ms) {
                stuck.extend(answer.take());
            }
            answer.is_some()
        });
        for mut answer in stuck {
            answer.turn.done();
            self.hub.metrics.refuse(Refused::TooSlow);
        }
    }

    /// Answers one request.
    pub(super) async fn answer(
        self: Arc<Self>,
        mut request: Request<Incoming>,
    ) -> Result<Response<AnswerBody>, Infallible> {
        let from = self.hub.proxies.client(self.peer, request.headers());
        let turn = Turn::begin(&self, request.version(), from);
        if turn.has_own_slot {
            name_host(&mut request);
        }
        // What this connection's requests count for is known by the time of the second one.
        if !turn.has_own_slot || !self.slot.is_known() {
            paid(&turn.slot).await;
        }
        request.extensions_mut().insert(Ends {
            own: self.own,
            from,
            slot: turn.slot.clone(),
            accepted_by: self.accepted_by.clone(),
            ending: self.ending.clone(),
        });
        let mut response: Response<Body> = tokio::select! {
            response = self.router.call(request) => response?,
            why = turn.slot.evicted(), if turn.has_own_slot => {
                self.hub.metrics.evict(why);
                let sentence = "The server has reached its limit of connections: try again later.";
                with(refusal(StatusCode::SERVICE_UNAVAILABLE, sentence), header::RETRY_AFTER, BUSY_S)
            }
        };
        // Tells a client that this is the hub's answer, and not that of something in between.
        response.headers_mut().insert(DUPLEX_HEADER, HeaderValue::from_static("1"));
        Ok(turn.carry(response))
    }
}

/// Waits until the rate limit of this anonymous client's address allows one more request.
pub(super) async fn paid(slot: &ConnectionSlot) {
    loop {
        match slot.pay(clock::now().boot_ms) {
            0 => return,
            wait_ms => sleep(Duration::from_millis(wait_ms)).await,
        }
    }
}

/// HTTP/2 has the host in `:authority` (RFC 9113 §8.3.1), and everything else looks for it in `Host`.
fn name_host(request: &mut Request<Incoming>) {
    let authority = request.uri().authority().and_then(|host| HeaderValue::try_from(host.as_str()).ok());
    if let Some(authority) = authority {
        request.headers_mut().entry(header::HOST).or_insert(authority);
    }
}

/// A request, until its answer has been sent.
struct Turn {
    requests: Arc<Requests>,
    slot: ConnectionSlot,
    /// Whether it is a slot of its own, because the connection has several requests at a time: HTTP/2.
    has_own_slot: bool,
    /// Whether the answer has been sent; otherwise the client gave the request up.
    is_done: bool,
    /// Whether the connection is a WebSocket from now on, and keeps counting for its client.
    is_upgraded: bool,
}

impl Turn {
    fn begin(requests: &Arc<Requests>, version: Version, from: IpAddr) -> Turn {
        let has_own_slot = version == Version::HTTP_2;
        let slot = match has_own_slot {
            true => requests.hub.slots.enter_by(from, (!requests.proxied).then_some(&requests.slot)),
            false => requests.slot.clone(),
        };
        if requests.proxied && !has_own_slot {
            slot.forward(Some(from));
        }
        requests.lock().open += 1;
        let requests = Arc::clone(requests);
        Turn { requests, slot, has_own_slot, is_done: false, is_upgraded: false }
    }

    /// The client did not give it up.
    fn done(&mut self) {
        self.is_done = true;
    }

    /// Gives the answer away, whose body ends the turn.
    fn carry(mut self, mut response: Response<Body>) -> Response<AnswerBody> {
        let requests = Arc::clone(&self.requests);
        self.is_upgraded = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        let is_known = requests.proxied || requests.slot.is_known();
        let most = if is_known { MAX_KNOWN_REQUESTS } else { MAX_ANONYMOUS_REQUESTS };
        if requests.slot.request() >= most && !self.is_upgraded {
            match self.has_own_slot {
                true => requests.used_up.notify_one(),
                false => {
                    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
                }
            }
        }
        let has_own_slot = self.has_own_slot;
        response.map(|body| {
            let answer = Answer { body, rest: Bytes::new(), turn: self };
            let answer = Arc::new(Mutex::new(Some(answer)));
            if has_own_slot {
                let answers = &mut requests.lock().answers;
                answers.retain(|answer| answer.strong_count() > 0);
                answers.push(Arc::downgrade(&answer));
            }
            AnswerBody { answer }
        })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let requests = &self.requests;
        if requests.proxied && !self.has_own_slot && !self.is_upgraded {
            self.slot.forward(None);
        }
        let mut state = requests.lock();
        state.open -= 1;
        state.idle_since = Instant::now();
        if self.is_done || !self.has_own_slot {
            return;
        }
        if state.resets_since.elapsed() >= RESETS_WINDOW {
            (state.resets, state.resets_since) = (0, Instant::now());
        }
        state.resets += 1;
        if state.resets > MAX_RESETS {
            requests.used_up.notify_one();
        }
    }
}

/// An answer that is being sent.
struct Answer {
    body: Body,
    /// What was taken from the body and not sent yet.
    rest: Bytes,
    turn: Turn,
}

/// The body of an answer. Its slot says since when nothing of it could be sent.
pub(super) struct AnswerBody {
    /// `None` once it has ended, or was taken back.
    answer: Arc<Mutex<Option<Answer>>>,
}

impl Answer {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if !self.turn.has_own_slot {
            return Pin::new(&mut self.body).poll_frame(cx);
        }
        // The piece before this one is on its way.
        self.turn.slot.writes(true);
        if let Poll::Ready(why) = self.turn.slot.poll_evicted(cx) {
            self.turn.requests.hub.metrics.evict(why);
            return Poll::Ready(Some(Err(taken_back())));
        }
        while self.rest.is_empty() {
            match std::task::ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                ended => return Poll::Ready(ended),
            }
        }
        self.turn.slot.writes(false);
        let piece = self.rest.split_to(self.rest.len().min(PIECE_BYTES));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_over(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }
}

impl HttpBody for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let mut answer = lock(&self.answer);
        let Some(sending) = answer.as_mut() else { return Poll::Ready(Some(Err(taken_back()))) };
        let polled = sending.poll(cx);
        // What fails here, the client did not give up.
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            sending.turn.done();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        lock(&self.answer).as_ref().is_some_and(Answer::is_over)
    }

    fn size_hint(&self) -> SizeHint {
        let answer = lock(&self.answer);
        let Some(answer) = answer.as_ref() else { return SizeHint::default() };
        match (answer.rest.len() as u64, answer.body.size_hint()) {
            (0, hint) => hint,
            (rest, hint) => {
                hint.exact().map_or_else(SizeHint::default, |body| SizeHint::with_exact(rest + body))
            }
        }
    }
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        // Dropped without the lock, as its turn takes that of the connection.
        let answer = lock(&self.answer).take();
        if let Some(mut answer) = answer.filter(Answer::is_over) {
            answer.turn.done();
        }
    }
}

fn taken_back() -> axum::Error {
    axum::Error::new(std::io::Error::from(std::io::ErrorKind::TimedOut))
}

/// No code panics while it holds one of these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
