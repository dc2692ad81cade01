//! Engine.IO's transports against a small server that follows the protocol: polling, the upgrade, and what to do where a
//! WebSocket is refused.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use duplex::frame::Frame;
use duplex::model::link_state::Why;
use duplex::model::profile::Socket;
use duplex::model::socketio::Carriers;
use duplex::transport::{Connection, Endpoint, Incoming, dial};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::{next_frame, server, text, within};

const OPEN: &str =
    r#"0{"sid":"abc","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000}"#;
const SEPARATOR: &str = "\u{1e}";

/// A server that sends back every message.
#[derive(Default)]
struct Server {
    state: Mutex<State>,
    more: Notify,
    refuses_websocket: bool,
    refuses_polling: bool,
}

#[derive(Default)]
struct State {
    to_send: VecDeque<String>,
    came: Vec<String>,
    is_probed: bool,
    is_upgraded: bool,
    is_closed: bool,
    has_forgotten: bool,
    /// Requests with a session that did not bring the cookie.
    without_cookie: usize,
    largest_post: usize,
}

/// A request: its first line, its head in lower case, the key of an upgrade, and its body.
struct Request {
    line: String,
    head: String,
    key: String,
    body: String,
}

async fn request(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let line = head.lines().next().unwrap().to_owned();
    let lower = head.to_lowercase();
    let length = lower.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
    let length: usize = length.trim().parse().unwrap();
    while bytes.len() < end + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    let is_key = |line: &&str| line.to_lowercase().starts_with("sec-websocket-key:");
    let key = head.lines().find(is_key).and_then(|line| line.split_once(':'));
    let key = key.map(|(_, key)| key.trim().to_owned()).unwrap_or_default();
    Some(Request { line, head: lower, key, body: String::from_utf8(bytes[end..].to_vec()).unwrap() })
}

impl Server {
    /// Serves, and returns where.
    async fn start(self) -> (Arc<Server>, String) {
        let server = Arc::new(self);
        let serving = Arc::clone(&server);
        let address = server::tcp(move |stream| Arc::clone(&serving).serve(stream)).await;
        (server, format!("ws://{address}/socket.io/?token=a"))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    async fn serve(self: Arc<Self>, mut stream: TcpStream) {
        while let Some(request) = request(&mut stream).await {
            assert!(request.line.contains("/socket.io/?token=a&EIO=4&transport="), "{}", request.line);
            assert!(request.head.contains("x-key: k3y"), "{}", request.head);
            let has_sid = request.line.contains("&sid=abc");
            if has_sid && !request.head.contains("cookie: own=1; node=a7") {
                self.state().without_cookie += 1;
            }
            let is_websocket = request.line.contains("transport=websocket");
            let is_refused = if is_websocket { self.refuses_websocket } else { self.refuses_polling };
            if is_refused {
                answer(&mut stream, "400 Bad Request", r#"{"code":0,"message":"Transport unknown"}"#).await;
            } else if self.state().has_forgotten {
                answer(&mut stream, "400 Bad Request", r#"{"code":1,"message":"Session ID unknown"}"#).await;
            } else if is_websocket {
                return self.websocket(stream, &request, has_sid).await;
            } else if request.line.starts_with("POST") {
                let largest = self.state().largest_post.max(request.body.len());
                self.state().largest_post = largest;
                request.body.split(SEPARATOR).for_each(|packet| self.takes(packet));
                answer(&mut stream, "200 OK", "ok").await;
            } else if has_sid {
                let body = self.poll().await;
                answer(&mut stream, "200 OK", &body).await;
            } else {
                answer(&mut stream, "200 OK", OPEN).await;
            }
        }
    }

    /// What waits, once something does.
    async fn poll(&self) -> String {
        loop {
            let more = self.more.notified();
            {
                let mut state = self.state();
                assert!(!state.is_upgraded, "a poll after the upgrade");
                if !state.to_send.is_empty() {
                    return state.to_send.drain(..).collect::<Vec<_>>().join(SEPARATOR);
                }
                if state.is_probed || state.is_closed {
                    return "6".to_owned();
                }
            }
            more.await;
        }
    }

    fn takes(&self, packet: &str) {
        let mut state = self.state();
        match packet {
            "1" => state.is_closed = true,
            "5" => state.is_upgraded = true,
            _ if packet.starts_with('4') => {
                state.came.push(packet.to_owned());
                state.to_send.push_back(packet.to_owned());
            }
            _ => {}
        }
        drop(state);
        self.more.notify_waiters();
    }

    async fn websocket(&self, mut stream: TcpStream, request: &Request, has_sid: bool) {
        let accept = derive_accept_key(request.key.as_bytes());
        let head = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
        if !has_sid {
            socket.send(Message::text(OPEN)).await.unwrap();
            self.state().is_upgraded = true;
        }
        loop {
            let more = self.more.notified();
            let packets: Vec<String> = match self.state().is_upgraded {
                true => self.state().to_send.drain(..).collect(),
                false => Vec::new(),
            };
            for packet in packets {
                socket.send(Message::text(packet)).await.unwrap();
            }
            tokio::select! {
                message = socket.next() => match message {
                    Some(Ok(Message::Text(text))) if text.as_str() == "2probe" => {
                        socket.send(Message::text("3probe")).await.unwrap();
                        self.state().is_probed = true;
                        self.more.notify_waiters();
                    }
                    Some(Ok(Message::Text(text))) => self.takes(text.as_str()),
                    Some(Ok(_)) => {}
                    _ => return,
                },
                () = more => {}
            }
        }
    }
}

async fn answer(stream: &mut TcpStream, status: &str, body: &str) {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nSet-Cookie: node=a7; Path=/; HttpOnly\r\n\r\n"
    );
    // The client may be gone.
    let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
}

async fn connect(url: &str, carriers: Carriers) -> Result<Connection, Why> {
    let mut target = Endpoint::new(url);
    target.engine_io = Some(carriers);
    target.report_flushed = true;
    let header = |name: &'static str, value| {
        (http::HeaderName::from_static(name), http::HeaderValue::from_static(value))
    };
    target.headers = vec![header("x-key", "k3y"), header("cookie", "own=1")];
    dial(Socket::Tungstenite, target).await
}

/// Sends so many messages, in bursts, and returns what comes back, and the last report of what was sent.
async fn exchange(connection: &mut Connection, count: usize) -> (Vec<Frame>, u64) {
    let (mut back, mut flushed) = (Vec::new(), 0);
    let mut sent = 0;
    while back.len() < count || flushed < count as u64 {
        while sent < count && sent < back.len() + 20 {
            assert!(connection.send(text(format!("4message {sent}"))).await);
            sent += 1;
        }
        match connection.recv().await {
            Some(Incoming::Frame(frame)) => back.push(frame),
            Some(Incoming::Flushed(frames)) => flushed = frames,
            other => panic!("{other:?}"),
        }
    }
    (back, flushed)
}

fn messages(count: usize) -> Vec<Frame> {
    (0..count).map(|number| text(format!("4message {number}"))).collect()
}

async fn until_closed(connection: &mut Connection) -> Why {
    loop {
        match connection.recv().await {
            Some(Incoming::Closed(why)) => return why,
            Some(_) => {}
            None => panic!("it ended without a reason"),
        }
    }
}

#[tokio::test]
async fn polling_carries_frames_in_order_and_ends_politely() {
    within(async {
        let (server, url) = Server::default().start().await;
        let mut connection = connect(&url, Carriers::Polling).await.unwrap();
        assert_eq!(next_frame(&mut connection).await, text(OPEN));
        assert_eq!(exchange(&mut connection, 200).await, (messages(200), 200));
        connection.close(1000, "").await;
        assert!(matches!(until_closed(&mut connection).await, Why::Closed { .. }));
        let state = server.state();
        assert!(state.is_closed && !state.is_upgraded);
        assert_eq!(state.came.len(), 200);
        assert_eq!(state.without_cookie, 0);
        assert!(state.largest_post <= 1_000, "{}", state.largest_post);
    })
    .await;
}

#[tokio::test]
async fn an_upgrade_keeps_everything_in_order() {
    within(async {
        for _ in 0..20 {
            let (server, url) = Server::default().start().await;
            let mut connection = connect(&url, Carriers::PollingFirst).await.unwrap();
            assert_eq!(next_frame(&mut connection).await, text(OPEN));
            assert_eq!(exchange(&mut connection, 300).await, (messages(300), 300));
            let state = server.state();
            assert!(state.is_upgraded);
            assert_eq!(state.without_cookie, 0);
        }
    })
    .await;
}

#[tokio::test]
async fn where_a_websocket_is_refused_polling_is_tried_and_the_reverse_is_not() {
    within(async {
        let (_, url) = Server { refuses_websocket: true, ..Server::default() }.start().await;
        let mut connection = connect(&url, Carriers::Automatic).await.unwrap();
        assert_eq!(next_frame(&mut connection).await, text(OPEN));
        assert_eq!(exchange(&mut connection, 5).await, (messages(5), 5));
        // The server offers an upgrade and refuses it: polling goes on.
        let (_, url) = Server { refuses_websocket: true, ..Server::default() }.start().await;
        let mut connection = connect(&url, Carriers::PollingFirst).await.unwrap();
        assert_eq!(next_frame(&mut connection).await, text(OPEN));
        assert_eq!(exchange(&mut connection, 50).await, (messages(50), 50));
        let refused = connect(&url, Carriers::WebSocket).await.unwrap_err();
        assert!(matches!(refused, Why::Http { status: 400, .. }), "{refused:?}");

        let (_, url) = Server { refuses_polling: true, ..Server::default() }.start().await;
        let mut connection = connect(&url, Carriers::Automatic).await.unwrap();
        assert_eq!(next_frame(&mut connection).await, text(OPEN));
        assert_eq!(exchange(&mut connection, 5).await, (messages(5), 5));
        let refused = connect(&url, Carriers::Polling).await.unwrap_err();
        assert!(matches!(refused, Why::Http { status: 400, .. }), "{refused:?}");
    })
    .await;
}

#[tokio::test]
async fn a_server_that_forgot_the_session_ends_it() {
    within(async {
        let (server, url) = Server::default().start().await;
        let mut connection = connect(&url, Carriers::Polling).await.unwrap();
        assert_eq!(next_frame(&mut connection).await, text(OPEN));
        server.state().has_forgotten = true;
        assert!(connection.send(text("4x")).await);
        let why = until_closed(&mut connection).await;
        assert!(matches!(&why, Why::Lost { detail } if detail == "Session ID unknown"), "{why:?}");
        assert!(why.is_retryable());
    })
    .await;
}
