//! The transports of Engine.IO: a WebSocket, or HTTP long polling that may go over to one. [`Carrier`] decides what is
//! requested when; this does it. Frames are those that a WebSocket would carry.

use std::collections::VecDeque;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::FuturesUnordered;
use http::header::COOKIE;
use tokio::sync::mpsc;
use tokio::time::{Duration, Instant, sleep_until, timeout};

use super::http_requests::Http;
use super::incoming::Intake;
use super::{Connection, Endpoint, Incoming, Outgoing, Port, UrlParts, channels, scheme};
use crate::model::link_state::{Phase, Why};
use crate::model::profile::Socket;
use crate::model::socketio::Carriers;
use crate::wire::socketio::carrier::{Answer, Carrier, Input, Output};

/// How long a WebSocket may take to answer the probe.
const MAX_PROBE: Duration = Duration::from_secs(10);
/// Of the time to connect, how much the WebSocket may take before polling is tried, in percent.
const WEBSOCKET_PERCENT: u32 = 60;
/// After the end, how long the last post may take.
const LAST_POST: Duration = Duration::from_secs(2);

/// Opens a session by the allowed transports.
pub(super) async fn dial(socket: Socket, target: Endpoint, carriers: Carriers) -> Result<Connection, Why> {
    match carriers {
        Carriers::WebSocket => dial_socket(socket, &target, 4, None).await,
        Carriers::Polling => dial_polling(socket, target, false).await,
        Carriers::PollingFirst => dial_polling(socket, target, true).await,
        Carriers::Automatic => {
            let mut first = target.clone();
            first.deadline = target.deadline * WEBSOCKET_PERCENT / 100;
            let why = match dial_socket(socket, &first, 4, None).await {
                Err(why) if may_be_the_websocket(&why) => why,
                other => return other,
            };
            let deadline = target.deadline - first.deadline;
            // A server of an earlier version may have refused the revision, and not the WebSocket.
            let may_upgrade = matches!(why, Why::Http { status: 400, .. });
            dial_polling(socket, Endpoint { deadline, ..target }, may_upgrade).await.map_err(|_| why)
        }
    }
}

/// Whether a WebSocket may have been refused where other requests are not.
fn may_be_the_websocket(why: &Why) -> bool {
    match why {
        Why::Http { status, .. } => !matches!(status, 401 | 407 | 429),
        Why::NotWebSocket { .. }
        | Why::Lost { .. }
        | Why::Violation { .. }
        | Why::TimedOut { during: Phase::Handshake } => true,
        _ => false,
    }
}

async fn dial_socket(
    socket: Socket,
    target: &Endpoint,
    revision: u8,
    sid: Option<&str>,
) -> Result<Connection, Why> {
    let url = with_query(&target.url, revision, "websocket", sid);
    // Boxed: dialing leads here again where it is not Engine.IO that is dialed.
    Box::pin(super::dial(socket, Endpoint { url, engine_io: None, ..target.clone() })).await
}

/// The address with what Engine.IO adds to its query.
fn with_query(url: &str, revision: u8, transport: &str, sid: Option<&str>) -> String {
    let sign = if url.contains('?') { '&' } else { '?' };
    let sid = sid.map(|sid| format!("&sid={sid}")).unwrap_or_default();
    format!("{url}{sign}EIO={revision}&transport={transport}{sid}")
}

async fn dial_polling(socket: Socket, target: Endpoint, may_upgrade: bool) -> Result<Connection, Why> {
    target.check_upgrade()?;
    let place = UrlParts::parse(&target.url)?;
    let deadline = target.deadline;
    let http = Arc::new(Http::new(&target).await?);
    let mut driver = Driver::new(socket, target.clone(), http, may_upgrade);
    match timeout(deadline, driver.open()).await {
        Ok(Ok(())) => {}
        Ok(Err(why)) => return Err(scheme::explain(why, &place, &target).await),
        Err(_) => return Err(Why::TimedOut { during: Phase::Handshake }),
    }
    let (connection, port) = channels(None, target.report_flushed);
    tokio::spawn(driver.run(port));
    Ok(connection)
}

/// A WebSocket with less space for frames is given none of the session's.
const MIN_SPACE: usize = 4;

/// What ended of what is under way.
enum Done {
    Polled(Result<Answer, Why>),
    Posted(Result<Answer, Why>),
    Dialed(Result<Connection, Why>),
    /// What came was handed on, or nobody takes it any more.
    Delivered,
}

/// Carries out what the carrier wants.
struct Driver {
    socket: Socket,
    target: Endpoint,
    http: Arc<Http>,
    carrier: Carrier,
    under_way: FuturesUnordered<BoxFuture<'static, Done>>,
    /// The WebSocket, once it is open.
    websocket: Option<Connection>,
    probe_by: Instant,
    /// What came and was not handed on, and whether some of it is being.
    ready: VecDeque<Incoming>,
    is_delivering: bool,
    /// The poll to begin once that is empty.
    next_poll: Option<(Option<String>, u8)>,
    has_opened: bool,
    /// How it ended.
    ended: Option<Why>,
}

impl Driver {
    fn new(socket: Socket, target: Endpoint, http: Arc<Http>, may_upgrade: bool) -> Driver {
        Driver {
            socket,
            target,
            http,
            carrier: Carrier::new(may_upgrade),
            under_way: FuturesUnordered::new(),
            websocket: None,
            probe_by: Instant::now(),
            ready: VecDeque::new(),
            is_delivering: false,
            next_poll: None,
            has_opened: false,
            ended: None,
        }
    }

    /// Until the session is open.
    async fn open(&mut self) -> Result<(), Why> {
        loop {
            self.carry_out();
            self.begin_poll();
            if self.has_opened {
                return Ok(());
            }
            if let Some(why) = self.ended.take() {
                return Err(why);
            }
            match self.under_way.next().await {
                Some(done) => self.done(done),
                None => return Err(Why::Lost { detail: "nothing is under way".to_owned() }),
            }
        }
    }

    /// From then to its end.
    async fn run(mut self, port: Port) {
        let Port { mut outgoing, incoming, counters } = port;
        loop {
            self.carry_out();
            self.hand_on(&incoming);
            self.begin_poll();
            if self.ended.is_some() && self.ready.is_empty() && !self.is_delivering {
                break;
            }
            let is_full = self.websocket.as_ref().is_some_and(|one| one.outgoing.capacity() < MIN_SPACE);
            let may_take = self.carrier.has_room() && self.ended.is_none() && !is_full;
            let to_socket = self.websocket.as_ref().map(|one| one.outgoing.clone());
            let may_read = self.ready.is_empty() && !self.is_delivering && self.ended.is_none();
            tokio::select! {
                Some(done) = self.under_way.next() => {
                    if let Done::Polled(Ok(answer)) = &done {
                        counters.received(answer.body.len());
                    }
                    self.done(done);
                }
                item = outgoing.recv(), if may_take => match item {
                    Some(Outgoing::Frame(frame)) => {
                        counters.sent(frame.len());
                        self.carrier.handle(Input::Send(frame));
                    }
                    Some(Outgoing::Compress) => {}
                    Some(Outgoing::Ping) => self.carrier.handle(Input::Ping),
                    Some(Outgoing::Close { code, .. }) => self.carrier.handle(Input::Close { code }),
                    None => return self.leave().await,
                },
                () = space(&to_socket), if is_full => {}
                item = recv(&mut self.websocket), if may_read => self.socket_item(item),
                () = sleep_until(self.probe_by), if self.carrier.is_probing() => {
                    self.websocket = None;
                    self.carrier.handle(Input::SocketGone(Why::TimedOut { during: Phase::Handshake }));
                }
                () = incoming.closed() => return self.leave().await,
            }
        }
        drop(outgoing);
        if let Some(why) = self.ended {
            // Fails if the receiver is gone.
            let _ = incoming.send(Incoming::Closed(why)).await;
        }
    }

    /// Nobody listens any more: the server is told, as far as it takes no time.
    async fn leave(mut self) {
        self.carrier.handle(Input::Close { code: 1001 });
        let end = async {
            loop {
                self.carry_out();
                if self.ended.is_some() {
                    return;
                }
                match self.under_way.next().await {
                    Some(done) => self.done(done),
                    None => return,
                }
            }
        };
        let _ = timeout(LAST_POST, end).await;
    }

    fn carry_out(&mut self) {
        while let Some(output) = self.carrier.poll() {
            match output {
                Output::Poll { sid, revision } => self.next_poll = Some((sid, revision)),
                Output::Post { sid, revision, body } => {
                    let url = with_query(&self.target.url, revision, "polling", Some(&sid));
                    let http = Arc::clone(&self.http);
                    let post = async move { Done::Posted(http.post(&url, body).await) };
                    self.under_way.push(post.boxed());
                }
                Output::OpenSocket { sid, revision } => self.open_socket(sid, revision),
                Output::SendSocket(frame) => self.send_to_socket(Outgoing::Frame(frame)),
                Output::PingSocket => self.send_to_socket(Outgoing::Ping),
                Output::CloseSocket { code } => {
                    self.send_to_socket(Outgoing::Close { code, reason: String::new() });
                }
                Output::Opened => self.has_opened = true,
                Output::Deliver(frame) => self.ready.push_back(Incoming::Frame(frame)),
                Output::Flushed(frames) => self.ready.push_back(Incoming::Flushed(frames)),
                Output::Pong => self.ready.push_back(Incoming::Pong),
                Output::Closed(why) => self.ended = Some(why),
            }
        }
    }

    /// A WebSocket that takes nothing counts as gone: what it was given since would be lost.
    fn send_to_socket(&mut self, item: Outgoing) {
        let Some(websocket) = &self.websocket else { return };
        if websocket.outgoing.try_send(item).is_err() {
            let detail = "the WebSocket takes nothing".to_owned();
            self.websocket = None;
            self.carrier.handle(Input::SocketGone(Why::Lost { detail }));
        }
    }

    fn open_socket(&mut self, sid: String, revision: u8) {
        let mut target = self.target.clone();
        target.report_flushed = true;
        target.headers.retain(|(name, _)| name != COOKIE);
        target.headers.extend(self.http.cookie().map(|value| (COOKIE, value)));
        let socket = self.socket;
        let dial = async move { Done::Dialed(dial_socket(socket, &target, revision, Some(&sid)).await) };
        self.under_way.push(dial.boxed());
    }

    /// Begins the next poll, once everything that came was handed on.
    fn begin_poll(&mut self) {
        if !self.ready.is_empty() || self.is_delivering {
            return;
        }
        if let Some((sid, revision)) = self.next_poll.take() {
            let url = with_query(&self.target.url, revision, "polling", sid.as_deref());
            let http = Arc::clone(&self.http);
            self.under_way.push(async move { Done::Polled(http.get(&url).await) }.boxed());
        }
    }

    fn hand_on(&mut self, incoming: &Intake) {
        if self.ready.is_empty() || self.is_delivering {
            return;
        }
        self.is_delivering = true;
        let (items, incoming) = (std::mem::take(&mut self.ready), incoming.clone());
        let deliver = async move {
            // Who no longer reads is noticed elsewhere.
            incoming.deliver(items).await;
            Done::Delivered
        };
        self.under_way.push(deliver.boxed());
    }

    fn done(&mut self, done: Done) {
        match done {
            Done::Polled(Ok(answer)) => self.carrier.handle(Input::Polled(answer)),
            Done::Posted(Ok(answer)) => self.carrier.handle(Input::Posted(answer)),
            Done::Polled(Err(why)) | Done::Posted(Err(why)) => self.carrier.handle(Input::Failed(why)),
            Done::Dialed(Ok(websocket)) => {
                self.websocket = Some(websocket);
                self.probe_by = Instant::now() + MAX_PROBE;
                self.carrier.handle(Input::SocketOpened);
            }
            Done::Dialed(Err(why)) => self.carrier.handle(Input::SocketGone(why)),
            Done::Delivered => self.is_delivering = false,
        }
    }

    fn socket_item(&mut self, item: Option<Incoming>) {
        match item {
            Some(Incoming::Frame(frame)) => self.carrier.handle(Input::SocketFrame(frame)),
            Some(Incoming::Flushed(frames)) => self.carrier.handle(Input::SocketFlushed(frames)),
            Some(Incoming::Pong) => self.carrier.handle(Input::SocketPong),
            Some(Incoming::Route(_)) => {}
            Some(Incoming::Closed(why)) => {
                self.websocket = None;
                self.carrier.handle(Input::SocketGone(why));
            }
            None => self.websocket = None,
        }
    }
}

/// Waits for a WebSocket to have space. Cancel-safe.
async fn space(websocket: &Option<mpsc::Sender<Outgoing>>) {
    match websocket {
        // Fails if it has ended, which its last item tells.
        Some(outgoing) => drop(outgoing.reserve_many(MIN_SPACE).await),
        None => std::future::pending().await,
    }
}

/// The next item of a WebSocket; never, where there is none. Cancel-safe.
async fn recv(websocket: &mut Option<Connection>) -> Option<Incoming> {
    match websocket {
        Some(websocket) => websocket.recv().await,
        None => std::future::pending().await,
    }
}
