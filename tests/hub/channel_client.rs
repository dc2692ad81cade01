//! A test client over a channel: it makes each request by hand, over HTTP/1.1 connections of its own or one HTTP/2 connection.

use std::collections::VecDeque;
use std::net::SocketAddr;

use duplex::frame::Frame;
use duplex::model::content::{Content, Draft};
use duplex::model::time::WallMs;
use duplex::model::{MessageId, RoomId};
use duplex::wire::duplex::channel::{
    ClientChannel, OverSocket, Request as Ask, line,
    sse::{Received, SseReader},
};
use duplex::wire::duplex::message::{ClientMessage, Decoded, Hello, HubMessage, Welcome, decode};
use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::{http1, http2};
use hyper::{Method, Request, Response, StatusCode, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::client::{dial, frame, hello, new_id, within};

/// How a test receives.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Route {
    Sse,
    Stream,
    LongPoll,
    Poll,
}

pub const ROUTES: [Route; 4] = [Route::Sse, Route::Stream, Route::LongPoll, Route::Poll];

impl Route {
    fn path(self, from: u64) -> String {
        match self {
            Route::Sse => format!("/v1/channels/events?from={from}"),
            Route::Stream => format!("/v1/channels/stream?from={from}"),
            Route::LongPoll => format!("/v1/channels/poll?from={from}&wait_ms=20000"),
            Route::Poll => format!("/v1/channels/poll?from={from}&wait_ms=0"),
        }
    }
}

/// A route, and the version of HTTP of its requests.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Way(pub Route, pub Version);

impl From<Route> for Way {
    fn from(route: Route) -> Way {
        Way(route, Version::HTTP_11)
    }
}

/// Every route over either version.
pub fn ways() -> impl Iterator<Item = Way> {
    [Version::HTTP_11, Version::HTTP_2]
        .into_iter()
        .flat_map(|version| ROUTES.map(|route| Way(route, version)))
}

/// How much of an answer comes that nobody reads, in bytes.
const WINDOW: u32 = 64 * 1024;

/// One connection.
pub struct Http {
    addr: SocketAddr,
    connection: Requests,
}

enum Requests {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

impl Http {
    pub async fn open(addr: SocketAddr) -> Http {
        Http::open_by(addr, Version::HTTP_11).await
    }

    pub async fn open_by(addr: SocketAddr, version: Version) -> Http {
        let io = TokioIo::new(TcpStream::connect(addr).await.unwrap());
        let connection = if version == Version::HTTP_2 {
            let builder =
                http2::Builder::new(TokioExecutor::new()).initial_stream_window_size(WINDOW).clone();
            let (connection, driver) = builder.handshake(io).await.unwrap();
            tokio::spawn(driver);
            Requests::Http2(connection)
        } else {
            let (connection, driver) = http1::handshake(io).await.unwrap();
            tokio::spawn(driver);
            Requests::Http1(connection)
        };
        Http { addr, connection }
    }

    /// One for requests at the same time.
    async fn beside(&self) -> Http {
        match &self.connection {
            Requests::Http1(_) => Http::open(self.addr).await,
            Requests::Http2(connection) => {
                Http { addr: self.addr, connection: Requests::Http2(connection.clone()) }
            }
        }
    }

    /// Makes a request, over a new connection where the old one has ended.
    pub async fn call(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Response<Incoming> {
        let host = self.addr.to_string();
        let (version, is_ready) = match &mut self.connection {
            Requests::Http1(connection) => (Version::HTTP_11, connection.ready().await.is_ok()),
            Requests::Http2(connection) => (Version::HTTP_2, connection.ready().await.is_ok()),
        };
        if !is_ready {
            *self = Http::open_by(self.addr, version).await;
        }
        let uri = if version == Version::HTTP_2 { format!("http://{host}{path}") } else { path.to_owned() };
        let mut request = Request::builder().method(method).uri(uri);
        if version != Version::HTTP_2 && !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", &host);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body.into())).unwrap();
        let answer = async {
            match &mut self.connection {
                Requests::Http1(connection) => connection.send_request(request).await,
                Requests::Http2(connection) => connection.send_request(request).await,
            }
        };
        let answer = within("the answer", answer).await.unwrap();
        assert_eq!(answer.version(), version);
        answer
    }

    /// The same, with the whole answer.
    pub async fn ask(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> (StatusCode, String) {
        let response = self.call(method, path, headers, body).await;
        assert_eq!(response.headers()["duplex"], "1", "every answer says that it is the hub's");
        let status = response.status();
        (status, text(response).await)
    }
}

/// The body of an answer.
pub async fn text(response: Response<Incoming>) -> String {
    let body = within("the body", response.into_body().collect()).await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

/// An answer that goes on.
struct Open {
    body: Incoming,
    from: u64,
    lines: line::LineDecoder,
    events: SseReader,
}

type Ws = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A client over a channel.
pub struct Caller {
    pub id: String,
    pub route: Route,
    pub core: ClientChannel,
    pub up: Http,
    pub down: Http,
    open: Option<Open>,
    pub socket: Option<Ws>,
    heard: VecDeque<HubMessage>,
    sends: u64,
}

impl Caller {
    /// Opens a channel with a token in the header.
    pub async fn open(addr: SocketAddr, token: Option<&str>, way: impl Into<Way>) -> Caller {
        let Way(route, version) = way.into();
        let mut up = Http::open_by(addr, version).await;
        let bearer = token.map(|token| format!("Bearer {token}"));
        let headers: Vec<_> = bearer.iter().map(|bearer| ("authorization", bearer.as_str())).collect();
        let (status, body) = up.ask(Method::POST, "/v1/channels", &headers, "").await;
        assert_eq!(status, StatusCode::OK, "{body}");
        let opened: serde_json::Value = serde_json::from_str(&body).unwrap();
        let id = opened["channel"].as_str().unwrap().to_owned();
        assert!(id.len() == 64 && opened["grace_ms"] == 45_000, "{body}");
        let (core, down) = (ClientChannel::new(), up.beside().await);
        let (open, socket, heard, sends) = (None, None, VecDeque::new(), 0);
        Caller { id, route, core, up, down, open, socket, heard, sends }
    }

    /// Opens a channel and waits for the welcome.
    pub async fn enter(addr: SocketAddr, token: &str, way: impl Into<Way>) -> (Caller, Welcome) {
        let mut caller = Caller::open(addr, Some(token), way).await;
        caller.say(&ClientMessage::Hello(hello())).await;
        match caller.hear().await {
            HubMessage::Welcome(welcome) => (caller, welcome),
            other => panic!("no welcome: {other:?}"),
        }
    }

    pub async fn hello(&mut self, hello: Hello) {
        self.say(&ClientMessage::Hello(hello)).await;
    }

    /// Keeps a message and posts what there is, or writes it to the WebSocket.
    pub async fn say(&mut self, message: &ClientMessage) {
        self.core.send(Frame::Text(frame(message)));
        if self.core.is_joined() {
            self.write().await;
        } else {
            let (status, body) = self.post().await.expect("there is something to post");
            assert_eq!(status, StatusCode::OK, "{body}");
        }
    }

    /// Makes the next post.
    pub async fn post(&mut self) -> Option<(StatusCode, String)> {
        let post = self.core.post()?;
        let (first, from) = (post.first.to_string(), post.from.to_string());
        let id = self.id.clone();
        let headers = [("duplex-channel", id.as_str()), ("duplex-first", &first), ("duplex-from", &from)];
        let (status, body) = self.up.ask(Method::POST, "/v1/channels/send", &headers, post.body).await;
        match status {
            StatusCode::OK => {
                let answer: serde_json::Value = serde_json::from_str(&body).unwrap();
                self.core.posted(answer["received"].as_u64().unwrap()).unwrap();
            }
            _ => self.core.post_failed(),
        }
        Some((status, body))
    }

    /// Sends a message to `general`.
    pub async fn send(&mut self, body: &str) -> MessageId {
        self.sends += 1;
        let (id, room) = (new_id(), RoomId::general());
        let draft = Draft { id, room, content: Content::text(body), at: WallMs(7) };
        self.say(&ClientMessage::Send { draft, seq: self.sends, retry: false }).await;
        id
    }

    /// The next message.
    pub async fn hear(&mut self) -> HubMessage {
        match within("a message", self.try_hear()).await {
            Ok(message) => message,
            Err((status, body)) => panic!("{status} {body}"),
        }
    }

    /// The next message, or how the channel has ended.
    pub async fn try_hear(&mut self) -> Result<HubMessage, (StatusCode, String)> {
        loop {
            if let Some(message) = self.heard.pop_front() {
                return Ok(message);
            }
            if self.core.is_joined() {
                self.read().await;
                self.write().await;
            } else {
                self.receive().await?;
                // While a stream goes on, only posts confirm what has come.
                if self.core.wants_post() {
                    self.post().await;
                }
            }
        }
    }

    /// Waits for a message for which `what` returns a value; others are kept.
    pub async fn find<T>(&mut self, what: impl Fn(&HubMessage) -> Option<T>) -> T {
        let mut passed = VecDeque::new();
        loop {
            let message = self.hear().await;
            if let Some(found) = what(&message) {
                passed.append(&mut self.heard);
                self.heard = passed;
                return found;
            }
            passed.push_back(message);
        }
    }

    pub async fn acked(&mut self, id: MessageId) {
        self.find(|message| {
            matches!(message, HubMessage::Ack { id: acked, .. } if *acked == id).then_some(())
        })
        .await;
    }

    /// The texts of the next messages in the log.
    pub async fn bodies(&mut self, count: usize) -> Vec<String> {
        let mut all = Vec::new();
        while all.len() < count {
            let entries = self.find(|message| match message {
                HubMessage::Log { entries, .. } => Some(entries.clone()),
                _ => None,
            });
            let texts = entries.await.into_iter().filter(|entry| entry.draft.content.is_text());
            all.extend(texts.map(|entry| entry.draft.content.body().to_owned()));
        }
        all
    }

    fn take(&mut self, number: u64, frame: Frame) {
        if let Some(frame) = self.core.receive(number, frame).unwrap() {
            self.keep(&frame);
        }
    }

    fn keep(&mut self, frame: &Frame) {
        match decode::<HubMessage>(frame).unwrap() {
            Decoded::Known(message) => self.heard.push_back(message),
            Decoded::UnknownType(kind) => panic!("an unknown type: {kind}"),
        }
    }

    /// Takes in what the route brings next.
    async fn receive(&mut self) -> Result<(), (StatusCode, String)> {
        if let Some(mut open) = self.open.take() {
            let piece = within("a piece", open.body.frame()).await;
            // A stream that ends is asked for again.
            if let Some(Ok(piece)) = piece {
                self.piece(&mut open, &piece.into_data().unwrap());
                self.open = Some(open);
            }
            return Ok(());
        }
        let Ask { from, turn } = self.core.ask();
        let (path, turn, id) = (self.route.path(from), turn.to_string(), self.id.clone());
        let headers = [("duplex-channel", id.as_str()), ("duplex-turn", &turn)];
        let response = self.down.call(Method::GET, &path, &headers, "").await;
        assert_eq!(response.headers()["duplex"], "1");
        let status = response.status();
        if status != StatusCode::OK {
            return Err((status, text(response).await));
        }
        match self.route {
            Route::Sse | Route::Stream => {
                let (body, lines) = (response.into_body(), line::LineDecoder::default());
                self.open = Some(Open { body, from, lines, events: SseReader::default() });
            }
            Route::LongPoll | Route::Poll => {
                let body = text(response).await;
                for (number, line) in (from..).zip(body.lines()) {
                    self.take(number, line::read(line.as_bytes()).unwrap());
                }
            }
        }
        Ok(())
    }

    fn piece(&mut self, open: &mut Open, piece: &[u8]) {
        if self.route == Route::Sse {
            for received in open.events.push(piece).unwrap() {
                if let Received::Event(event) = received {
                    self.take(event.id.parse().unwrap(), line::read(event.data.as_bytes()).unwrap());
                }
            }
            return;
        }
        let mut frames = Vec::new();
        let read = open.lines.push(piece, |line| {
            frames.extend(if line.is_empty() { None } else { Some(line::read(line)?) });
            Ok(())
        });
        read.unwrap();
        for frame in frames {
            self.take(open.from, frame);
            open.from += 1;
        }
    }

    /// Has a WebSocket take over.
    pub async fn join(&mut self, addr: SocketAddr) {
        let Ask { from, turn } = self.core.join();
        let (from, turn) = (from.to_string(), turn.to_string());
        let id = self.id.clone();
        let headers = [("duplex-channel", id.as_str()), ("duplex-from", &from), ("duplex-turn", &turn)];
        self.socket = Some(dial(&format!("ws://{addr}/v1/socket"), &headers).await.unwrap());
        while !self.core.is_joined() {
            self.read().await;
        }
        self.open = None;
        self.write().await;
    }

    /// Reads a frame of the WebSocket.
    async fn read(&mut self) {
        let socket = self.socket.as_mut().expect("a WebSocket has joined");
        let message = within("a frame", socket.next()).await;
        let Some(Ok(Message::Text(text))) = message else { panic!("the WebSocket ended: {message:?}") };
        match self.core.receive_on_socket(Frame::Text(text.as_str().to_owned())).unwrap() {
            OverSocket::Frame(frame) => self.keep(&frame),
            OverSocket::Joined | OverSocket::Nothing => {}
        }
    }

    /// Writes to the WebSocket what there is.
    pub async fn write(&mut self) {
        let socket = self.socket.as_mut().expect("a WebSocket has joined");
        while let Some(Frame::Text(text)) = self.core.next_on_socket() {
            within("the hub to take a frame", socket.send(Message::text(text))).await.unwrap();
        }
    }

    /// Waits until the hub has ended the WebSocket.
    pub async fn ended(&mut self) {
        let socket = self.socket.as_mut().expect("a WebSocket has joined");
        while let Some(Ok(_)) = socket.next().await {}
        self.leave();
    }

    /// Loses the WebSocket.
    pub fn leave(&mut self) {
        self.socket = None;
        self.core.leave();
    }
}
