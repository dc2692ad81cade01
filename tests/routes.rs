//! The routes of the Duplex protocol: a real hub, the client's transport, and what may stand between them. Nothing here sleeps for a
//! result: what is waited for is named, and a guard turns a hang into a failure.
//!
//! `DUPLEX_ROUTES_MESSAGES=10000 DUPLEX_ROUTES_SWITCHES=500` makes the rounds longer.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test program"
)]

#[path = "common/hello.rs"]
mod hello;
#[path = "common/middleboxes.rs"]
mod middleboxes;

use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use duplex::frame::Frame;
use duplex::hub::{Options, Running, Tls};
use duplex::link::Input;
use duplex::model::content::{Content, Draft};
use duplex::model::event::{ChatEvent, LinkEvent};
use duplex::model::features::Features;
use duplex::model::link_state::{Closing, LinkState, Why};
use duplex::model::profile::{Profile, Secret, Socket};
use duplex::model::route::{Blocked, HttpVersion, Route, RouteChoice, RouteInUse};
use duplex::model::time::WallMs;
use duplex::model::{ConnectionId, Delivery, Event, MessageId, Offset, OutboxItem, RoomId};
use duplex::transport::channel::{RoutePlan, RouteTimes};
use duplex::transport::{Compression, Connection, Endpoint, Incoming, Outgoing, WireMeter, dial};
use duplex::wire::SavedState;
use duplex::wire::duplex::deflate;
use duplex::wire::duplex::message::{ClientMessage, Decoded, Hello, HubMessage, decode, encode};
use duplex::worker::access::Access;
use duplex::worker::single::Single;
use hello::hello;
use http::{HeaderValue, header};
use middleboxes::{Faults, captive_portal, cuts_idle, forgets_idle, reverse_proxy};
use tempfile::TempDir;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

const GUARD: Duration = Duration::from_secs(120);

async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(GUARD, future).await.unwrap_or_else(|_| panic!("waited too long for {what}"))
}

/// A number for longer rounds.
fn rounds(variable: &str, usual: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

async fn hub() -> (TempDir, Running) {
    let dir = tempfile::tempdir().unwrap();
    let running = duplex::hub::start(Options::embedded(dir.path())).await.unwrap();
    (dir, running)
}

fn new_id() -> MessageId {
    MessageId::from_random(duplex::clock::random().unwrap())
}

fn url(address: SocketAddr) -> String {
    format!("ws://{address}/v1/socket")
}

/// Times that a test can wait for.
fn quick() -> RouteTimes {
    RouteTimes {
        stagger_ms: 500,
        return_ms: 100,
        max_return_ms: 200,
        silent_ms: 2_000,
        ..RouteTimes::default()
    }
}

fn only(route: Route) -> RoutePlan {
    RoutePlan { choice: RouteChoice::Only(route), known: None, times: quick() }
}

fn endpoint(address: SocketAddr, token: &Secret, plan: RoutePlan) -> Endpoint {
    let mut target = Endpoint::new(url(address));
    let bearer = HeaderValue::try_from(format!("Bearer {}", token.reveal())).unwrap();
    target.headers.push((header::AUTHORIZATION, bearer));
    target.routes = Some(plan);
    target
}

/// A client that sends and receives the protocol's messages one by one.
struct Peer {
    connection: Connection,
    /// Numbers in the bodies of messages, by sender's prefix.
    heard: BTreeMap<String, Vec<u64>>,
    routes: Vec<RouteInUse>,
    sent: u64,
}

impl Peer {
    async fn enter(address: SocketAddr, token: &Secret, plan: RoutePlan) -> Peer {
        Peer::greet(endpoint(address, token, plan), hello()).await
    }

    async fn greet(target: Endpoint, hello: Hello) -> Peer {
        let connection = within("a connection", dial(Socket::Tungstenite, target)).await.expect("open");
        let routes = connection.route.into_iter().collect();
        let mut peer = Peer { connection, heard: BTreeMap::new(), routes, sent: 0 };
        peer.say(&ClientMessage::Hello(hello)).await;
        peer.until("the welcome", |message| matches!(message, HubMessage::Welcome(_))).await;
        peer
    }

    fn route(&self) -> RouteInUse {
        *self.routes.last().expect("a route")
    }

    async fn say(&mut self, message: &ClientMessage) {
        assert!(self.connection.send(encode(message)).await, "the connection has ended");
    }

    fn numbered(&mut self, prefix: &str) -> ClientMessage {
        self.sent += 1;
        let content = Content::text(format!("{prefix} {}", self.sent));
        let draft = Draft { id: new_id(), room: RoomId::general(), content, at: WallMs(7) };
        ClientMessage::Send { draft, seq: self.sent, retry: false }
    }

    /// Takes in what comes until a message is this.
    async fn until(&mut self, what: &str, is_it: impl Fn(&HubMessage) -> bool) {
        loop {
            let item = within(what, self.connection.recv()).await.expect("not the end");
            if let Some(message) = self.take(item)
                && is_it(&message)
            {
                return;
            }
        }
    }

    fn take(&mut self, item: Incoming) -> Option<HubMessage> {
        let frame = match item {
            Incoming::Frame(frame) => frame,
            Incoming::Route(used) => {
                self.routes.push(used);
                return None;
            }
            Incoming::Closed(why) => panic!("closed: {why:?}; {:?}", self.routes),
            Incoming::Flushed(_) | Incoming::Pong => return None,
        };
        let Decoded::Known(message) = decode::<HubMessage>(&frame).unwrap() else {
            panic!("an unknown type: {frame:?}")
        };
        match &message {
            HubMessage::Log { entries, .. } => {
                for entry in entries.iter().filter(|entry| entry.draft.content.is_text()) {
                    let first = entry.draft.content.body().lines().next().unwrap();
                    let (prefix, number) = first.split_once(' ').unwrap();
                    self.heard.entry(prefix.to_owned()).or_default().push(number.parse().unwrap());
                }
            }
            HubMessage::Refused { refusal, .. } => panic!("{refusal:?}"),
            HubMessage::Welcome(welcome) => {
                let features = welcome.features.as_ref().expect("what the hub offers");
                if features.has_word(deflate::WORD) {
                    self.connection.outgoing.try_send(Outgoing::Compress).expect("room");
                }
            }
            _ => {}
        }
        Some(message)
    }

    fn count(&self, prefix: &str) -> usize {
        self.heard.get(prefix).map_or(0, Vec::len)
    }

    fn is_exact(&self, prefix: &str, count: u64) {
        let expected: Vec<u64> = (1..=count).collect();
        assert!(self.heard.get(prefix) == Some(&expected), "{prefix} through {:?}", self.routes);
    }
}

/// Sends `count` messages and receives all of the other's, at once.
async fn exchange(peer: &mut Peer, own: &str, other: &str, count: u64) {
    let outgoing = peer.connection.outgoing.clone();
    while peer.sent < count || (peer.count(other) as u64) < count || (peer.count(own) as u64) < count {
        let has_more = peer.sent < count;
        tokio::select! {
            permit = outgoing.reserve(), if has_more => {
                let message = peer.numbered(own);
                permit.expect("open").send(Outgoing::Frame(encode(&message)));
            }
            item = within("messages", peer.connection.recv()) => drop(peer.take(item.expect("not the end"))),
        }
    }
    peer.is_exact(own, count);
    peer.is_exact(other, count);
}

/// One client by this plan through this address, one by a WebSocket, each sending to the other.
async fn both_ways(address: SocketAddr, hub: &Running, plan: RoutePlan, count: u64) -> Peer {
    let mut near = Peer::enter(hub.addr, &hub.admin_token, only(Route::WebSocket)).await;
    let mut far = Peer::enter(address, &hub.admin_token, plan).await;
    tokio::join!(exchange(&mut near, "near", "far", count), exchange(&mut far, "far", "near", count));
    far
}

#[tokio::test]
async fn every_route_carries_messages_both_ways_once_and_in_order() {
    let count = rounds("DUPLEX_ROUTES_MESSAGES", 300);
    for route in Route::ALL {
        let (_dir, hub) = hub().await;
        let far = both_ways(hub.addr, &hub, only(route), count).await;
        assert_eq!((far.route().route, far.route().blocked), (route, None));
        drop(far);
        hub.shutdown().await;
    }
}

#[tokio::test]
async fn over_tls_every_route_but_a_websocket_uses_http_2() {
    let count = rounds("DUPLEX_ROUTES_MESSAGES", 300);
    for route in Route::ALL {
        let dir = tempfile::tempdir().unwrap();
        let options = Options { tls: Tls::SelfSigned, ..Options::embedded(dir.path()) };
        let hub = duplex::hub::start(options).await.unwrap();
        let target = |plan| Endpoint {
            url: format!("wss://{}/v1/socket", hub.addr),
            fingerprint: hub.fingerprint.clone(),
            ..endpoint(hub.addr, &hub.admin_token, plan)
        };
        let mut near = Peer::greet(target(only(Route::WebSocket)), hello()).await;
        let mut far = Peer::greet(target(only(route)), hello()).await;
        tokio::join!(exchange(&mut near, "near", "far", count), exchange(&mut far, "far", "near", count));
        let http = (route != Route::WebSocket).then_some(HttpVersion::Http2);
        assert_eq!((far.route().route, far.route().http), (route, http));
        drop((near, far));
        hub.shutdown().await;
    }
}

/// Bytes up and down for `count` long messages over this route, sent and received.
async fn wire_bytes(hub: &Running, route: Route, wants: Compression, count: u64) -> (u64, u64) {
    let meter = Arc::new(WireMeter::default());
    let target = Endpoint {
        compression: wants,
        meter: Some(Arc::clone(&meter)),
        ..endpoint(hub.addr, &hub.admin_token, only(route))
    };
    let features =
        if wants == Compression::Off { Features::default() } else { Features::new([deflate::WORD]) };
    let mut peer = Peer::greet(target, Hello { features, since: Some(Offset::MAX), ..hello() }).await;
    let prefix = format!("{}{wants:?}", route.name());
    for _ in 0..count {
        peer.sent += 1;
        let body = format!("{prefix} {}\n{}", peer.sent, "a line that comes again and again\n".repeat(300));
        let draft =
            Draft { id: new_id(), room: RoomId::general(), content: Content::text(body), at: WallMs(7) };
        let message = ClientMessage::Send { draft, seq: peer.sent, retry: false };
        peer.say(&message).await;
    }
    while (peer.count(&prefix) as u64) < count {
        let item = within("messages", peer.connection.recv()).await.expect("not the end");
        peer.take(item);
    }
    peer.is_exact(&prefix, count);
    (meter.up(), meter.down())
}

#[tokio::test]
async fn long_messages_are_compressed_over_every_route_where_both_ends_want_it() {
    const COUNT: u64 = 12;
    const LEAST: u64 = COUNT * 10_000;
    let (_dir, both) = hub().await;
    let dir = tempfile::tempdir().unwrap();
    let options = Options { compresses: false, ..Options::embedded(dir.path()) };
    let plain = duplex::hub::start(options).await.unwrap();
    for route in Route::ALL {
        let (up, down) = wire_bytes(&both, route, Compression::Offered, COUNT).await;
        assert!(up < LEAST / 5 && down < LEAST / 5, "{}: {up} up, {down} down", route.name());
        for (hub, wants) in [(&both, Compression::Off), (&plain, Compression::Offered)] {
            let (up, down) = wire_bytes(hub, route, wants, COUNT).await;
            assert!(up > LEAST && down > LEAST, "{} {wants:?}: {up} up, {down} down", route.name());
        }
    }
    // A WebSocket that takes a channel over goes on with what was agreed on.
    let known = RouteInUse::new(Route::Sse, Some(Blocked::Ended));
    let plan = RoutePlan { choice: RouteChoice::Automatic, known: Some(known), times: quick() };
    let meter = Arc::new(WireMeter::default());
    let mut target = endpoint(both.addr, &both.admin_token, plan);
    (target.compression, target.meter) = (Compression::Offered, Some(Arc::clone(&meter)));
    let features = Features::new([deflate::WORD]);
    let mut peer = Peer::greet(target, Hello { features, since: Some(Offset(0)), ..hello() }).await;
    while peer.route().route != Route::WebSocket {
        let item = within("the WebSocket", peer.connection.recv()).await.expect("not the end");
        peer.take(item);
    }
    let before = meter.up();
    let body = format!("joined 1\n{}", "a line that comes again and again\n".repeat(1_500));
    let draft = Draft { id: new_id(), room: RoomId::general(), content: Content::text(body), at: WallMs(7) };
    peer.say(&ClientMessage::Send { draft, seq: 1, retry: false }).await;
    peer.until("the message", |message| matches!(message, HubMessage::Ack { .. })).await;
    assert!(meter.up() - before < 10_000, "{} bytes", meter.up() - before);
    both.shutdown().await;
    plain.shutdown().await;
}

/// The route that a client ends on by itself.
async fn found(address: SocketAddr, hub: &Running) -> RouteInUse {
    let plan = RoutePlan { times: quick(), ..RoutePlan::default() };
    let times = RouteTimes { return_ms: 3_600_000, ..quick() };
    both_ways(address, hub, RoutePlan { times, ..plan }, 20).await.route().without_details()
}

#[tokio::test]
async fn where_websocket_is_blocked_the_best_route_left_is_found_with_the_true_reason() {
    let (_dir, hub) = hub().await;
    let used = |route, blocked| RouteInUse::new(route, Some(blocked));
    let passes = reverse_proxy(hub.addr, Faults::default()).await;
    assert_eq!(found(passes, &hub).await, RouteInUse::WEBSOCKET);
    let strips = reverse_proxy(hub.addr, Faults { strips_upgrade: true, ..Faults::default() }).await;
    assert_eq!(found(strips, &hub).await, used(Route::Sse, Blocked::Stripped));
    let refuses = Faults { refuses_websockets: true, ..Faults::default() };
    let refusing = reverse_proxy(hub.addr, refuses).await;
    assert_eq!(found(refusing, &hub).await, used(Route::Sse, Blocked::Refused(403)));
    let buffers = Faults { buffers_bytes: Some(16 * 1024), ..refuses };
    let buffering = reverse_proxy(hub.addr, buffers).await;
    assert_eq!(found(buffering, &hub).await, used(Route::LongPoll, Blocked::Refused(403)));
    hub.shutdown().await;
}

#[tokio::test]
async fn a_captive_portal_and_a_closed_port_are_told_as_they_are() {
    let plan = RoutePlan { times: quick(), ..RoutePlan::default() };
    let token = Secret::new("ab".repeat(32));
    let portal = captive_portal().await;
    let why =
        within("an answer", dial(Socket::Tungstenite, endpoint(portal, &token, plan))).await.unwrap_err();
    assert_eq!(why, Why::Http { status: 200, retry_after_ms: None });
    let why = within("an answer", dial(Socket::Tungstenite, endpoint(portal, &token, only(Route::LongPoll))));
    assert_eq!(why.await.unwrap_err(), Why::Http { status: 200, retry_after_ms: None });
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let why =
        within("an answer", dial(Socket::Tungstenite, endpoint(closed, &token, plan))).await.unwrap_err();
    assert_eq!(why, Why::ConnectionRefused);
    let (_dir, hub) = hub().await;
    for plan in [plan, only(Route::Sse), only(Route::Poll)] {
        let dialed = dial(Socket::Tungstenite, endpoint(hub.addr, &token, plan));
        let why = within("a refusal", dialed).await.unwrap_err();
        assert_eq!(why, Why::Http { status: 401, retry_after_ms: None }, "{plan:?}");
    }
    hub.shutdown().await;
}

#[tokio::test]
async fn a_network_that_forgets_idle_connections_leads_to_requests_that_it_lets_through() {
    let (_dir, hub) = hub().await;
    let through = forgets_idle(hub.addr, Duration::from_millis(500)).await;
    // As it is known after two WebSockets were lost.
    let known = RouteInUse::new(Route::Sse, Some(Blocked::Cut));
    let times = RouteTimes {
        return_ms: 3_600_000,
        max_wait_ms: 1_600,
        min_wait_ms: 200,
        silent_ms: 1_000,
        ..RouteTimes::default()
    };
    let plan = RoutePlan { choice: RouteChoice::Automatic, known: Some(known), times };
    let mut far = Peer::enter(through, &hub.admin_token, plan).await;
    assert_eq!(far.route().without_details(), known);
    while far.route().route != Route::LongPoll {
        let item = within("another route", far.connection.recv()).await.expect("not the end");
        far.take(item);
    }
    assert_eq!(far.route().blocked, Some(Blocked::Cut));
    let mut near = Peer::enter(hub.addr, &hub.admin_token, only(Route::WebSocket)).await;
    tokio::join!(exchange(&mut near, "near", "far", 20), exchange(&mut far, "far", "near", 20));
    hub.shutdown().await;
}

/// A relay before a server. WebSockets may be closed through it, or all that are open be cut.
struct Gate {
    address: SocketAddr,
    lets_sockets: Arc<AtomicBool>,
    cuts: watch::Sender<u64>,
    sockets: Arc<AtomicU64>,
}

impl Gate {
    async fn before(server: SocketAddr) -> Gate {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let gate = Gate {
            address,
            lets_sockets: Arc::default(),
            cuts: watch::channel(0).0,
            sockets: Arc::default(),
        };
        let (lets, sockets) = (Arc::clone(&gate.lets_sockets), Arc::clone(&gate.sockets));
        let cuts = gate.cuts.subscribe();
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let (lets, mut cut, sockets) = (Arc::clone(&lets), cuts.clone(), Arc::clone(&sockets));
                tokio::spawn(async move {
                    let mut head = [0; 64];
                    let length = client.peek(&mut head).await.unwrap_or(0);
                    let is_socket = head[..length].starts_with(b"GET /v1/socket");
                    if is_socket && !lets.load(Ordering::SeqCst) {
                        return;
                    }
                    let Ok(mut server) = TcpStream::connect(server).await else { return };
                    cut.mark_unchanged();
                    sockets.fetch_add(u64::from(is_socket), Ordering::SeqCst);
                    tokio::select! {
                        _ = copy_bidirectional(&mut client, &mut server) => {}
                        _ = cut.changed(), if is_socket => {}
                    }
                });
            }
        });
        gate
    }
}

/// The client is on long polling, goes over to a WebSocket, which is cut, and so on, while both send.
#[tokio::test]
async fn switches_from_long_polling_to_a_websocket_and_back_lose_and_double_nothing() {
    let switches = rounds("DUPLEX_ROUTES_SWITCHES", 12);
    let (_dir, hub) = hub().await;
    let gate = Gate::before(hub.addr).await;
    let known = RouteInUse::new(Route::LongPoll, Some(Blocked::Ended));
    let times = RouteTimes { return_ms: 20, max_return_ms: 40, ..quick() };
    let plan = RoutePlan { choice: RouteChoice::Automatic, known: Some(known), times };
    let mut near = Peer::enter(hub.addr, &hub.admin_token, only(Route::WebSocket)).await;
    let mut far = Peer::enter(gate.address, &hub.admin_token, plan).await;
    let (done, mut is_done) = watch::channel(false);
    let driving = async {
        for _ in 0..switches {
            gate.lets_sockets.store(true, Ordering::SeqCst);
            let before = far.routes.len();
            // On with messages until it has gone over and back.
            let mut has_joined = false;
            let mut tick = tokio::time::interval(Duration::from_millis(2));
            loop {
                let used = far.route().route;
                if used == Route::WebSocket && !has_joined {
                    has_joined = true;
                    gate.lets_sockets.store(false, Ordering::SeqCst);
                    gate.cuts.send_modify(|cuts| *cuts += 1);
                }
                if has_joined && used == Route::LongPoll && far.routes.len() > before {
                    break;
                }
                tokio::select! {
                    item = within("a switch", far.connection.recv()) => drop(far.take(item.expect("not the end"))),
                    _ = tick.tick() => {
                        let message = far.numbered("far");
                        far.say(&message).await;
                    }
                }
            }
        }
        done.send_replace(true);
        far
    };
    let other = async {
        let mut tick = tokio::time::interval(Duration::from_millis(2));
        loop {
            tokio::select! {
                item = within("messages", near.connection.recv()) => drop(near.take(item.expect("not the end"))),
                _ = tick.tick() => {
                    let message = near.numbered("near");
                    near.say(&message).await;
                }
                _ = is_done.wait_for(|done| *done) => return near,
            }
        }
    };
    let (mut far, mut near) = tokio::join!(driving, other);
    let (from_far, from_near) = (far.sent, near.sent);
    for (peer, far_count, near_count) in [(&mut far, from_far, from_near), (&mut near, from_far, from_near)] {
        while (peer.count("far") as u64) < far_count || (peer.count("near") as u64) < near_count {
            let item = within("the rest", peer.connection.recv()).await.expect("not the end");
            peer.take(item);
        }
        peer.is_exact("far", far_count);
        peer.is_exact("near", near_count);
    }
    let joined = far.routes.iter().filter(|used| used.route == Route::WebSocket).count() as u64;
    assert_eq!(joined, switches, "{:?}", far.routes);
    println!("{switches} switches, {from_far} and {from_near} messages: each once and in order");
    hub.shutdown().await;
}

/// A close goes each way.
#[tokio::test]
async fn a_channel_closes_like_a_websocket() {
    let (dir, hub) = hub().await;
    for route in Route::ALL {
        let mut peer = Peer::enter(hub.addr, &hub.admin_token, only(route)).await;
        let message = peer.numbered("last");
        peer.say(&message).await;
        peer.connection.close(1000, "").await;
        let why = loop {
            match within("the end", peer.connection.recv()).await.expect("a reason") {
                Incoming::Closed(why) => break why,
                item => drop(peer.take(item)),
            }
        };
        let closed = |why: &Why| matches!(why, Why::Closed { code: Some(1000), closing: Closing::ByUs, .. });
        assert!(closed(&why), "{}: {why:?}", route.name());
        assert_eq!(within("the end", peer.connection.recv()).await, None);
    }
    // The hub's own close has its code.
    let mut peers = Vec::new();
    for route in Route::ALL {
        peers.push((route, Peer::enter(hub.addr, &hub.admin_token, only(route)).await));
    }
    tokio::spawn(hub.shutdown());
    for (route, mut peer) in peers {
        let why = loop {
            match within("the end", peer.connection.recv()).await.expect("a reason") {
                Incoming::Closed(why) => break why,
                item => drop(peer.take(item)),
            }
        };
        let is_told = match route {
            Route::WebSocket => matches!(why, Why::Closed { code: Some(1001), .. }),
            // Whoever asks too late finds nobody.
            _ => matches!(
                why,
                Why::Closed { code: Some(1001), .. }
                    | Why::ConnectionRefused
                    | Why::Lost { .. }
                    | Why::Http { .. }
            ),
        };
        assert!(is_told, "{}: {why:?}", route.name());
    }
    drop(dir);
}

fn profile(address: SocketAddr, route: RouteChoice) -> Profile {
    Profile {
        id: ConnectionId::COMMAND_LINE,
        name: String::new(),
        urls: vec![url(address)],
        protocol: Default::default(),
        socket: Socket::Tungstenite,
        route,
        ca_file: None,
        fingerprint: None,
        auto_connect: true,
        websocket: Default::default(),
        network: Default::default(),
    }
}

/// A whole link, which reconnects.
struct Client {
    single: Single,
    heard: BTreeMap<String, Vec<u64>>,
    queued: u64,
    used: Option<RouteInUse>,
}

impl Client {
    fn start(address: SocketAddr, route: RouteChoice, token: &Secret) -> Client {
        let saved = SavedState { resume: None, since: Some(Offset(0)) };
        let single = Single::start(profile(address, route), Access::Token(token.clone()), saved, false);
        Client { single, heard: BTreeMap::new(), queued: 0, used: None }
    }

    fn queue(&mut self, prefix: &str) {
        self.queued += 1;
        let content = Content::text(format!("{prefix} {}", self.queued));
        let draft = Draft { id: new_id(), room: RoomId::general(), content, at: WallMs(7) };
        let item = OutboxItem { draft, seq: self.queued, delivery: Delivery::Pending };
        self.single.tell(Input::Queued(item));
    }

    async fn step(&mut self) {
        match within("an event", self.single.next()).await {
            Event::Chat(ChatEvent::Entries { entries, .. }) => {
                for entry in entries.iter().filter(|entry| entry.draft.content.is_text()) {
                    let (prefix, number) = entry.draft.content.body().split_once(' ').unwrap();
                    self.heard.entry(prefix.to_owned()).or_default().push(number.parse().unwrap());
                }
            }
            Event::Link(LinkEvent::Route(used)) => self.used = Some(used),
            Event::Link(LinkEvent::State(LinkState::Stopped { why })) => panic!("stopped: {why:?}"),
            _ => {}
        }
    }

    fn count(&self, prefix: &str) -> u64 {
        self.heard.get(prefix).map_or(0, |all| all.len() as u64)
    }
}

/// HAProxy with the limits of a strict network, until this is dropped.
struct HaProxy {
    address: SocketAddr,
    process: std::process::Child,
    _dir: TempDir,
}

impl HaProxy {
    async fn before(program: &str, server: SocketAddr) -> HaProxy {
        let dir = tempfile::tempdir().unwrap();
        let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let text = format!(
            "defaults\n mode http\n timeout connect 2s\n timeout client 2s\n timeout server 2s\n timeout tunnel 2s\n\
             frontend f\n bind {address}\n default_backend b\nbackend b\n server hub {server}\n"
        );
        let path = dir.path().join("haproxy.cfg");
        std::fs::write(&path, text).unwrap();
        let process = std::process::Command::new(program).arg("-db").arg("-f").arg(&path).spawn().unwrap();
        within("HAProxy", async {
            let mut tick = tokio::time::interval(Duration::from_millis(20));
            while TcpStream::connect(address).await.is_err() {
                tick.tick().await;
            }
        })
        .await;
        HaProxy { address, process, _dir: dir }
    }
}

impl Drop for HaProxy {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

macro_rules! over_each_route {
    ($($name:ident: $route:ident),* $(,)?) => {
        $(#[tokio::test] async fn $name() {
            restarted(Route::$route).await;
        })*
    };
}

over_each_route![
    a_link_over_websocket_loses_and_doubles_nothing_while_its_hub_is_restarted: WebSocket,
    a_link_over_sse_loses_and_doubles_nothing_while_its_hub_is_restarted: Sse,
    a_link_over_a_stream_loses_and_doubles_nothing_while_its_hub_is_restarted: Stream,
    a_link_over_long_polling_loses_and_doubles_nothing_while_its_hub_is_restarted: LongPoll,
    a_link_over_polling_loses_and_doubles_nothing_while_its_hub_is_restarted: Poll,
];

/// A link through a network that cuts idle tunnels, to a hub that is restarted every few seconds. The network is HAProxy where
/// `DUPLEX_ROUTES_HAPROXY` says where that is.
async fn restarted(route: Route) {
    let count = rounds("DUPLEX_ROUTES_MESSAGES", 150);
    let dir = tempfile::tempdir().unwrap();
    let options = || Options { listen: "127.0.0.1:0".parse().unwrap(), ..Options::embedded(dir.path()) };
    let mut hub = duplex::hub::start(options()).await.unwrap();
    let (address, token) = (hub.addr, hub.admin_token.clone());
    let haproxy = match std::env::var("DUPLEX_ROUTES_HAPROXY") {
        Ok(program) => Some(HaProxy::before(&program, address).await),
        Err(_) => None,
    };
    let through = match &haproxy {
        Some(haproxy) => haproxy.address,
        None => cuts_idle(address, Duration::from_millis(700)).await,
    };
    let mut far = Client::start(through, RouteChoice::Only(route), &token);
    let mut near = Client::start(address, RouteChoice::Automatic, &token);
    let mut restarts = 0;
    let begun = tokio::time::Instant::now();
    // So slowly that several restarts fall into it.
    let pace = if count > 1_000 { 8 } else { 30 };
    let mut tick = tokio::time::interval(Duration::from_millis(pace));
    let mut restart =
        tokio::time::interval_at(begun + Duration::from_millis(1_000), Duration::from_millis(3_000));
    restart.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let is_all = |client: &Client| client.count("far") >= count && client.count("near") >= count;
    while !is_all(&far) || !is_all(&near) {
        assert!(
            // A link is dialed less and less often where no connection lasts.
            begun.elapsed() < 30 * GUARD,
            "{}: {} {}",
            route.name(),
            far.count("near"),
            near.count("far")
        );
        tokio::select! {
            () = far.step() => {}
            () = near.step() => {}
            _ = tick.tick(), if far.queued < count => {
                far.queue("far");
                near.queue("near");
            }
            _ = restart.tick(), if restarts < 3 || count > 1_000 => {
                restarts += 1;
                hub.shutdown().await;
                let at = Options { listen: address, ..options() };
                hub = duplex::hub::start(at).await.unwrap();
            }
        }
    }
    for client in [&far, &near] {
        for prefix in ["far", "near"] {
            assert_eq!(client.heard[prefix], (1..=count).collect::<Vec<_>>(), "{}: {prefix}", route.name());
        }
    }
    assert!(restarts > 1, "{}: {restarts} restarts", route.name());
    assert_eq!(far.used.map(|used| used.route), Some(route));
    far.single.end().await;
    near.single.end().await;
    hub.shutdown().await;
    println!(
        "{}: {count} messages each way in {:.0} s, {restarts} restarts: each once and in order",
        route.name(),
        begun.elapsed().as_secs_f64()
    );
}

#[tokio::test]
async fn a_whole_link_says_how_it_travels() {
    let (_dir, hub) = hub().await;
    let refuses = Faults { refuses_websockets: true, ..Faults::default() };
    let refusing = reverse_proxy(hub.addr, refuses).await;
    let mut client = Client::start(refusing, RouteChoice::Automatic, &hub.admin_token);
    while !client.single.state().is_online() {
        client.step().await;
    }
    let used = RouteInUse::new(Route::Sse, Some(Blocked::Refused(403)));
    assert_eq!(client.used.map(RouteInUse::without_details), Some(used));
    client.single.end().await;
    let mut forced = Client::start(refusing, RouteChoice::Only(Route::Poll), &hub.admin_token);
    while !forced.single.state().is_online() {
        forced.step().await;
    }
    let used = forced.used.unwrap();
    assert_eq!((used.route, used.blocked), (Route::Poll, None));
    assert!(used.delay_ms.is_some());
    forced.single.end().await;
    // A frame is not lost where nobody expects one.
    let socket = Peer::enter(hub.addr, &hub.admin_token, only(Route::Stream)).await;
    assert!(socket.connection.send(Frame::Text("{\"type\":\"later\"}".to_owned())).await);
    socket.connection.close(1000, "").await;
    hub.shutdown().await;
}
