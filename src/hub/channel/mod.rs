//! Channels: clients whose frames travel in HTTP requests, because something on their way blocks WebSocket. The numbers are in
//! [`crate::wire::duplex::channel`]; this is where requests, WebSockets that join, and the client's task meet.
//!
//! `end` is what the client's task has instead of a WebSocket, `open`, `send`, `receive` and `join` are the requests.

mod end;
mod join;
mod open;
mod receive;
mod send;

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use data_encoding::HEXLOWER;
use futures_util::task::AtomicWaker;
use http::{HeaderMap, StatusCode, header};
use serde_json::json;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

pub(super) use end::ChannelEnd;
pub(super) use join::join;
pub(super) use open::{close, open};
pub(super) use receive::{events, poll, stream};
pub(super) use send::send;

use super::http::{Ends, over_limit, refusal};
use super::metrics::Refused;
use super::rate::{Bucket, CHANNEL_REQUESTS};
use super::slots::{ConnectionSlot, ConnectionSlots};
use super::socket::{Received, Socket};
use super::state::{Hub, hash};
use crate::clock;
use crate::frame::Frame;
use crate::model::PrincipalId;
use crate::wire::duplex::channel::{
    self as numbers, GRACE_MS, ID_HEADER, MAX_KEPT_BYTES, MAX_KEPT_FRAMES, Receipt, ServerChannel, Violation,
};

/// Maximum size of what all channels keep for their clients, or have received and not handled, in bytes. Beyond it, each keeps
/// what it has, and takes more only when that is gone.
const MAX_HELD_HUB_BYTES: usize = 64 * 1024 * 1024;
/// How long an ended channel is remembered, so that its client learns why.
const ENDED_FOR: Duration = Duration::from_secs(60);
/// Maximum number of ended channels that are remembered.
const MAX_ENDED: usize = 1_024;
/// Maximum size of a frame before the client is welcome, in bytes: a hello with an invite fits.
const MAX_ANONYMOUS_BYTES: usize = 8 * 1024;
/// Maximum number of frames before the client is welcome.
const MAX_ANONYMOUS_FRAMES: u32 = 16;
/// The largest number of a frame.
const MAX_NUMBER: u64 = (1 << 53) - 1;
/// What a request costs of [`CHANNEL_REQUESTS`]; each 4 KiB of a body cost one more.
const REQUEST_COST: u32 = 10;
/// Close code 1000, "Normal Closure".
const LEFT: u16 = 1000;
/// Close code 1006, "Abnormal Closure" (RFC 6455 §7.4.1): nobody said why.
const LOST: u16 = 1006;

/// How a channel's client receives.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    /// A WebSocket that joined.
    WebSocket,
    /// Server-sent events.
    Sse,
    /// A stream of lines.
    Stream,
    /// Requests that are held until there is something.
    LongPoll,
    /// Requests that are answered at once.
    Poll,
}

impl Transport {
    /// All of them, with their names.
    pub(super) const ALL: [(Transport, &str); 5] = [
        (Transport::WebSocket, "websocket"),
        (Transport::Sse, "sse"),
        (Transport::Stream, "stream"),
        (Transport::LongPoll, "longpoll"),
        (Transport::Poll, "poll"),
    ];
}

/// Figures of all channels.
#[derive(Debug, Default)]
pub(super) struct Totals {
    /// Bytes kept or received and not handled.
    held: AtomicUsize,
    /// Channels whose client's newest request was of this kind.
    clients: [AtomicUsize; Transport::ALL.len()],
    /// Channels.
    channels: AtomicUsize,
}

impl Totals {
    /// Bytes kept or received and not handled.
    pub(super) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    /// Channels whose client's newest request was of this kind.
    pub(super) fn clients(&self, transport: Transport) -> usize {
        self.clients[transport as usize].load(Ordering::Relaxed)
    }

    /// Channels that have not ended.
    pub(super) fn channels(&self) -> usize {
        self.channels.load(Ordering::Relaxed)
    }

    fn is_full(&self) -> bool {
        self.held() > MAX_HELD_HUB_BYTES
    }
}

/// All channels of a hub.
pub(super) struct Channels {
    /// How many there may be, and whose.
    pub slots: Arc<ConnectionSlots>,
    /// Figures of them.
    pub totals: Arc<Totals>,
    map: Mutex<Map>,
}

#[derive(Default)]
struct Map {
    /// By the hash of their id.
    channels: HashMap<[u8; 32], Arc<Channel>>,
    /// Those that have ended, the earliest first.
    ended: VecDeque<([u8; 32], Instant)>,
}

impl Default for Channels {
    fn default() -> Self {
        Channels { slots: ConnectionSlots::new(None), totals: Arc::default(), map: Mutex::default() }
    }
}

impl Channels {
    fn lock(&self) -> MutexGuard<'_, Map> {
        self.map.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new channel, and its id.
    fn add(&self, principal: Option<PrincipalId>) -> Result<(Arc<Channel>, String), getrandom::Error> {
        let mut id = [0; 32];
        getrandom::fill(&mut id)?;
        let id = HEXLOWER.encode(&id);
        let key = hash(&id);
        let channel = Arc::new(Channel::new(key, principal, Arc::clone(&self.totals)));
        let mut map = self.lock();
        map.forget_old(&self.totals);
        map.channels.insert(key, Arc::clone(&channel));
        Ok((channel, id))
    }

    fn get(&self, id: &str) -> Option<Arc<Channel>> {
        self.lock().channels.get(&hash(id)).cloned()
    }

    /// The channel has ended: it is remembered for a while.
    fn ended(&self, channel: &Channel) {
        let mut map = self.lock();
        map.ended.push_back((channel.key, Instant::now()));
        map.forget_old(&self.totals);
    }
}

impl Map {
    fn forget_old(&mut self, totals: &Totals) {
        let is_old = |at: &Instant| at.elapsed() >= ENDED_FOR;
        while let Some((key, _)) = self.ended.front().filter(|(_, at)| {
            is_old(at) || self.ended.len() > MAX_ENDED || totals.held() > MAX_HELD_HUB_BYTES / 2
        }) {
            self.channels.remove(key);
            self.ended.pop_front();
        }
    }
}

/// How a channel ended: what a close frame would have said.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Ended {
    code: u16,
    reason: String,
    retry_after_ms: Option<u64>,
}

impl Ended {
    fn response(&self) -> Response {
        let told = json!({"code": self.code, "reason": self.reason, "retry_after_ms": self.retry_after_ms});
        answer(StatusCode::GONE, "application/json", told.to_string())
    }
}

/// One channel.
pub(super) struct Channel {
    key: [u8; 32],
    state: Mutex<State>,
    /// Wakes the client's task.
    task: AtomicWaker,
    /// Wakes requests: there are frames, or room for more, or another request is newer.
    changed: Notify,
    totals: Arc<Totals>,
}

struct State {
    numbers: ServerChannel<Arc<str>>,
    /// Frames that the client's task has not taken.
    incoming: VecDeque<Frame>,
    incoming_bytes: usize,
    /// How many bytes of both count in [`Totals`].
    counted: usize,
    /// Frames so far, until the client is welcome.
    before_welcome: Option<u32>,
    /// The client broke a limit that ends it.
    fault: Option<Received>,
    /// Whose it is, once that is known.
    principal: Option<PrincipalId>,
    /// A WebSocket that the client's task has to take over.
    joining: Option<Box<Socket>>,
    /// The number of the newest receiving request.
    receiver: u64,
    /// The slot of its connection, until it is known whose it is.
    receiver_slot: Option<ConnectionSlot>,
    /// Requests under way.
    requests: u32,
    /// Since when there are none.
    idle_since: Instant,
    /// There was a request that the client's task does not know of.
    has_come: bool,
    transport: Option<Transport>,
    pace: Bucket,
    ended: Option<Ended>,
}

/// What became of a frame in a post.
enum Offered {
    Taken,
    /// There is no room for it yet.
    Full,
    Refused(Violation),
    Ended(Ended),
}

impl Channel {
    fn new(key: [u8; 32], principal: Option<PrincipalId>, totals: Arc<Totals>) -> Channel {
        totals.channels.fetch_add(1, Ordering::Relaxed);
        let state = State {
            numbers: ServerChannel::default(),
            incoming: VecDeque::new(),
            incoming_bytes: 0,
            counted: 0,
            before_welcome: Some(0),
            fault: None,
            principal,
            joining: None,
            receiver: 0,
            receiver_slot: None,
            requests: 0,
            idle_since: Instant::now(),
            has_come: false,
            transport: None,
            pace: Bucket::new(CHANNEL_REQUESTS, clock::now().boot_ms),
            ended: None,
        };
        let (task, changed) = (AtomicWaker::new(), Notify::new());
        Channel { key, state: Mutex::new(state), task, changed, totals }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Updates the totals; to be called whenever frames came or went.
    fn count(&self, state: &mut State) {
        let now = state.numbers.kept_bytes() + state.incoming_bytes;
        if now > state.counted {
            self.totals.held.fetch_add(now - state.counted, Ordering::Relaxed);
        } else {
            self.totals.held.fetch_sub(state.counted - now, Ordering::Relaxed);
        }
        state.counted = now;
    }

    /// The client receives this way from now on.
    fn set_transport(&self, state: &mut State, transport: Option<Transport>) {
        let before = std::mem::replace(&mut state.transport, transport);
        if before == transport {
            return;
        }
        if let Some(before) = before {
            self.totals.clients[before as usize].fetch_sub(1, Ordering::Relaxed);
        }
        if let Some(now) = transport {
            self.totals.clients[now as usize].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether nothing more should be kept for the client for now.
    fn is_full(&self, state: &State) -> bool {
        state.numbers.is_full() || (self.totals.is_full() && !state.numbers.is_all_confirmed())
    }

    /// Takes a frame of a post, or of a WebSocket while the task is busy writing.
    fn offer(&self, state: &mut State, number: u64, frame: Frame) -> Offered {
        if let Some(ended) = &state.ended {
            return Offered::Ended(ended.clone());
        }
        if number <= state.numbers.received() {
            return Offered::Taken;
        }
        if state.is_crowded() || (self.totals.is_full() && !state.incoming.is_empty()) {
            return Offered::Full;
        }
        match state.numbers.receive(number, frame.len()) {
            Ok(Receipt::New) => {
                state.keep(frame);
                self.count(state);
                self.task.wake();
                Offered::Taken
            }
            Ok(Receipt::Repeated) => Offered::Taken,
            Err(violation) => Offered::Refused(violation),
        }
    }

    /// The channel ends; only the first reason counts.
    fn end(&self, ended: Ended) -> bool {
        let mut state = self.lock();
        if state.ended.is_some() {
            return false;
        }
        // Nobody comes back for what was not fetched, unless the hub ended it.
        if matches!(ended.code, LEFT | LOST) {
            state.numbers = ServerChannel::default();
        }
        state.ended = Some(ended);
        (state.incoming, state.incoming_bytes) = (VecDeque::new(), 0);
        (state.joining, state.receiver_slot) = (None, None);
        self.count(&mut state);
        self.set_transport(&mut state, None);
        self.totals.channels.fetch_sub(1, Ordering::Relaxed);
        drop(state);
        self.changed.notify_waiters();
        self.task.wake();
        true
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        self.totals.held.fetch_sub(state.counted, Ordering::Relaxed);
    }
}

impl State {
    /// Whether no more frames are taken until the client's task has handled some.
    fn is_crowded(&self) -> bool {
        self.incoming.len() >= MAX_KEPT_FRAMES || self.incoming_bytes >= MAX_KEPT_BYTES
    }

    /// Keeps a frame for the client's task.
    fn keep(&mut self, frame: Frame) {
        if let Some(frames) = &mut self.before_welcome {
            *frames += 1;
            if *frames > MAX_ANONYMOUS_FRAMES {
                self.fault = Some(Received::TooMany);
            } else if frame.len() > MAX_ANONYMOUS_BYTES {
                self.fault = Some(Received::TooLarge);
            }
        }
        self.incoming_bytes += frame.len();
        self.incoming.push_back(frame);
    }

    fn take(&mut self) -> Option<Frame> {
        let frame = self.incoming.pop_front()?;
        self.incoming_bytes -= frame.len();
        if self.incoming.is_empty() && self.incoming.capacity() > MAX_KEPT_FRAMES / 64 {
            self.incoming = VecDeque::new();
        }
        Some(frame)
    }

    /// When the channel is abandoned, if nothing comes before; while a request is under way, not before this long.
    fn abandoned_at(&self) -> Instant {
        let since = if self.requests > 0 { Instant::now() } else { self.idle_since };
        since + Duration::from_millis(GRACE_MS)
    }
}

/// A request of a channel, until it is answered.
struct Request {
    channel: Arc<Channel>,
}

impl Request {
    /// Finds the channel that a request belongs to. Its connection then counts for the channels of their principal.
    async fn of(hub: &Hub, ends: &Ends, headers: &HeaderMap) -> Result<Request, Response> {
        let id = headers.get(ID_HEADER).and_then(|id| id.to_str().ok());
        let Some(id) = id else {
            hub.metrics.refuse(Refused::Handshake);
            let sentence = "The header Duplex-Channel is missing: open a channel with POST /v1/channels, and send its id.";
            return Err(refusal(StatusCode::BAD_REQUEST, sentence));
        };
        let Some(channel) = hub.channels.get(id) else {
            hub.metrics.refuse(Refused::Handshake);
            let sentence = "There is no such channel, or no longer: open another one with POST /v1/channels.";
            return Err(refusal(StatusCode::NOT_FOUND, sentence));
        };
        let principal = channel.lock().principal.clone();
        if let Some(principal) = principal
            && let Err(full) = ends.slot.carry(&principal)
        {
            return Err(over_limit(hub, full));
        }
        let request = Request::begin(channel);
        request.pay(REQUEST_COST).await;
        Ok(request)
    }

    /// Waits where the channel's requests exceed their rate.
    async fn pay(&self, cost: u32) {
        let wait_ms = self.channel.lock().pace.take(cost, clock::now().boot_ms).wait_ms;
        if wait_ms > 0 {
            sleep(Duration::from_millis(wait_ms)).await;
        }
    }

    fn begin(channel: Arc<Channel>) -> Request {
        {
            let mut state = channel.lock();
            state.requests += 1;
            state.has_come = true;
        }
        channel.task.wake();
        Request { channel }
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        let mut state = self.channel.lock();
        state.requests -= 1;
        state.idle_since = Instant::now();
    }
}

/// A number in a header, as JSON has them exactly: `Err` where it is none.
fn number(headers: &HeaderMap, name: &str) -> Result<Option<u64>, Response> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    match value.to_str().ok().and_then(|text| text.parse().ok()) {
        Some(number) if number <= MAX_NUMBER => Ok(Some(number)),
        _ => Err(refusal(StatusCode::BAD_REQUEST, &format!("The header {name} is a whole number from 0."))),
    }
}

/// A request that contradicts what the channel has, or came late.
fn refused(hub: &Hub, refused: &numbers::Refused, received: u64) -> Response {
    hub.metrics.refuse(Refused::Handshake);
    let what = match refused {
        numbers::Refused::Late { .. } => "late",
        numbers::Refused::Violation(Violation::Gap { .. }) => "gap",
        numbers::Refused::Violation(Violation::LetGo { .. }) => "let_go",
        numbers::Refused::Violation(_) => "not_sent",
    };
    let told = json!({"refused": what, "detail": refused.to_string(), "received": received});
    answer(StatusCode::CONFLICT, "application/json", told.to_string())
}

/// An answer that nothing in between keeps, changes or holds back.
fn answer(status: StatusCode, media_type: &'static str, body: impl Into<axum::body::Body>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, media_type),
        (header::CACHE_CONTROL, "no-store, no-transform"),
        // nginx passes such an answer on as it comes.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (status, headers, body.into()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(totals: &Arc<Totals>) -> Channel {
        Channel::new([0; 32], None, Arc::clone(totals))
    }

    #[test]
    fn a_channel_lives_as_long_as_requests_come() {
        let channel = Arc::new(channel(&Arc::default()));
        let grace = Duration::from_millis(GRACE_MS);
        let idle_since = channel.lock().idle_since;
        assert_eq!(channel.lock().abandoned_at(), idle_since + grace);
        let requests = [Request::begin(Arc::clone(&channel)), Request::begin(Arc::clone(&channel))];
        channel.lock().idle_since -= grace;
        assert!(channel.lock().abandoned_at() >= idle_since + grace, "two requests are under way");
        let [first, second] = requests;
        drop(first);
        channel.lock().idle_since -= grace;
        assert!(channel.lock().abandoned_at() >= idle_since + grace, "one still is");
        drop(second);
        assert!(channel.lock().abandoned_at() >= idle_since + grace, "it counts from the end of the last");
        channel.lock().idle_since -= grace;
        assert!(channel.lock().abandoned_at() <= Instant::now());
    }

    #[test]
    fn totals_follow_what_is_held() {
        let totals = Arc::<Totals>::default();
        let one = channel(&totals);
        {
            let mut state = one.lock();
            state.before_welcome = None;
            state.numbers.send("12345".into());
            one.count(&mut state);
            assert!(matches!(one.offer(&mut state, 1, Frame::Text("123".to_owned())), Offered::Taken));
            assert!(matches!(one.offer(&mut state, 1, Frame::Text("123".to_owned())), Offered::Taken));
            assert!(matches!(one.offer(&mut state, 3, Frame::Text("123".to_owned())), Offered::Refused(_)));
            assert_eq!(totals.held(), 8);
            one.set_transport(&mut state, Some(Transport::Sse));
            one.set_transport(&mut state, Some(Transport::Poll));
        }
        assert_eq!(
            (totals.clients(Transport::Sse), totals.clients(Transport::Poll), totals.channels()),
            (0, 1, 1)
        );
        let ended = Ended { code: 4501, reason: String::new(), retry_after_ms: None };
        assert!(one.end(ended.clone()) && !one.end(ended));
        assert_eq!((totals.held(), totals.clients(Transport::Poll), totals.channels()), (5, 0, 0));
        assert!(matches!(
            one.offer(&mut one.lock(), 2, Frame::Text(String::new())),
            Offered::Ended(Ended { code: 4501, .. })
        ));
        drop(one);
        assert_eq!(totals.held(), 0);
        let left = channel(&totals);
        left.lock().numbers.send("12345".into());
        left.end(Ended { code: LEFT, reason: String::new(), retry_after_ms: None });
        assert_eq!(totals.held(), 0, "nobody comes back for it");
        assert!(left.lock().numbers.is_past(1));
    }

    #[test]
    fn what_a_task_does_not_take_is_bounded() {
        let channel = channel(&Arc::default());
        let mut state = channel.lock();
        state.before_welcome = None;
        let mut taken = 0;
        while let Offered::Taken = channel.offer(&mut state, taken + 1, Frame::Text("x".repeat(1_000))) {
            taken += 1;
        }
        assert_eq!(taken, MAX_KEPT_BYTES.div_ceil(1_000) as u64);
        assert!(state.take().is_some());
        assert!(matches!(channel.offer(&mut state, taken + 1, Frame::Text("x".to_owned())), Offered::Taken));
    }

    #[test]
    fn ended_channels_are_forgotten() {
        let channels = Channels::default();
        let mut ids = Vec::new();
        for _ in 0..MAX_ENDED + 10 {
            let (channel, id) = channels.add(None).unwrap();
            channel.end(Ended { code: 1000, reason: String::new(), retry_after_ms: None });
            channels.ended(&channel);
            ids.push(id);
        }
        assert!(channels.get(&ids[0]).is_none() && channels.get(&ids[MAX_ENDED + 9]).is_some());
        assert_eq!(channels.lock().channels.len(), MAX_ENDED);
        assert!(ids[0] != ids[1] && channels.get("").is_none());
    }
}
