//! A test client that sends and receives single messages, and a hub for it.

use std::collections::VecDeque;
use std::future::Future;
use std::time::Duration;

use data_encoding::HEXLOWER;
use duplex::frame::Frame;
use duplex::hub::{InviteOptions, Options, Running};
use duplex::model::content::{Content, Draft};
use duplex::model::time::WallMs;
use duplex::model::{Entry, MessageId, Offset, ResumePoint, RoomId};
use duplex::wire::duplex::message::{
    ClientMessage, Decoded, Hello, HubMessage, Redeem, Welcome, decode, encode,
};
use futures_util::{SinkExt, StreamExt};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue, Response};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

pub use super::hello::hello;

/// Maximum time to wait for anything.
pub const GUARD: Duration = Duration::from_secs(60);

pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(GUARD, future).await.unwrap_or_else(|_| panic!("waited too long for {what}"))
}

/// A hub on a free loopback port, with its own directory.
pub async fn hub() -> (TempDir, Running) {
    let dir = tempfile::tempdir().unwrap();
    let running = duplex::hub::start(Options::embedded(dir.path())).await.unwrap();
    (dir, running)
}

/// A random message id.
pub fn new_id() -> MessageId {
    MessageId::from_random(duplex::clock::random().unwrap())
}

/// 64 hexadecimal digits.
pub fn new_token() -> String {
    HEXLOWER.encode(&duplex::clock::random::<32>().unwrap())
}

/// A frame of a client.
pub fn frame(message: &ClientMessage) -> String {
    match encode(message) {
        Frame::Text(text) => text,
        Frame::Binary(_) => unreachable!(),
    }
}

/// The HTTP response to a refused handshake.
pub async fn refused(url: &str, headers: &[(&str, &str)]) -> Response<Option<Vec<u8>>> {
    match dial(url, headers).await {
        Err(Error::Http(response)) => *response,
        Err(other) => panic!("not refused by a status: {other}"),
        Ok(_) => panic!("not refused"),
    }
}

pub async fn dial(
    url: &str,
    headers: &[(&str, &str)],
) -> Result<WebSocketStream<MaybeTlsStream<TcpStream>>, Error> {
    let mut request = url.into_client_request().unwrap();
    for (name, value) in headers {
        let name: HeaderName = name.parse().unwrap();
        request.headers_mut().insert(name, HeaderValue::from_str(value).unwrap());
    }
    within("the handshake", connect_async(request)).await.map(|(ws, _)| ws)
}

/// One connection.
pub struct Client {
    pub ws: WebSocketStream<MaybeTlsStream<TcpStream>>,
    heard: VecDeque<HubMessage>,
    sends: u64,
}

impl Client {
    /// Connects with a token in the header, or without one.
    pub async fn dial(url: &str, token: Option<&str>) -> Client {
        let bearer = token.map(|token| format!("Bearer {token}"));
        let headers: Vec<_> = bearer.iter().map(|bearer| ("authorization", bearer.as_str())).collect();
        let ws = dial(url, &headers).await.unwrap();
        Client { ws, heard: VecDeque::new(), sends: 0 }
    }

    /// Connects and waits for the welcome.
    pub async fn enter(url: &str, token: &str, resume: Option<ResumePoint>) -> (Client, Welcome) {
        let mut client = Client::dial(url, Some(token)).await;
        client.say(&ClientMessage::Hello(Hello { resume, ..hello() })).await;
        let welcome = client.welcome().await;
        (client, welcome)
    }

    /// Joins with a new invite.
    pub async fn join(dir: &TempDir, url: &str, name: &str) -> (Client, String) {
        let invite = duplex::hub::invite(dir.path(), &InviteOptions::default()).unwrap();
        let token = new_token();
        let code = invite.code.reveal().to_owned();
        let redeem = Redeem { code, name: name.to_owned(), token: token.clone() };
        let mut client = Client::dial(url, None).await;
        client.say(&ClientMessage::Hello(Hello { invite: Some(redeem), ..hello() })).await;
        let welcome = client.welcome().await;
        assert_eq!(welcome.me.name, name);
        (client, token)
    }

    pub async fn say(&mut self, message: &ClientMessage) {
        self.raw(Message::text(frame(message))).await;
    }

    pub async fn raw_text(&mut self, text: String) {
        self.raw(Message::text(text)).await;
    }

    pub async fn raw(&mut self, message: Message) {
        within("the hub to take a frame", self.ws.send(message)).await.unwrap();
    }

    /// Sends a message to `general`.
    pub async fn send(&mut self, body: &str) -> MessageId {
        let id = new_id();
        self.send_as(id, body).await;
        id
    }

    pub async fn send_as(&mut self, id: MessageId, body: &str) {
        self.sends += 1;
        let (room, body) = (RoomId::general(), body.to_owned());
        self.say(&ClientMessage::Send {
            draft: Draft { id, room, content: Content::text(body), at: WallMs(7) },
            seq: self.sends,
            retry: false,
        })
        .await;
    }

    /// The next message.
    pub async fn hear(&mut self) -> HubMessage {
        if let Some(heard) = self.heard.pop_front() {
            return heard;
        }
        match within("a message", self.next()).await {
            Ok(message) => message,
            Err((code, reason)) => panic!("closed with {code} {reason}"),
        }
    }

    async fn next(&mut self) -> Result<HubMessage, (u16, String)> {
        loop {
            match self.ws.next().await {
                Some(Ok(Message::Text(text))) => {
                    let frame = Frame::Text(text.as_str().to_owned());
                    match decode::<HubMessage>(&frame).unwrap() {
                        Decoded::Known(message) => return Ok(message),
                        Decoded::UnknownType(kind) => panic!("an unknown type: {kind}"),
                    }
                }
                Some(Ok(Message::Close(Some(frame)))) => {
                    return Err((frame.code.into(), frame.reason.as_str().to_owned()));
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => return Err((1006, format!("{other:?}"))),
            }
        }
    }

    /// The next message for which `what` returns a value; earlier ones are kept for later.
    pub async fn find<T>(&mut self, what: impl Fn(&HubMessage) -> Option<T>) -> T {
        let mut passed = VecDeque::new();
        let found = loop {
            let message = self.hear().await;
            match what(&message) {
                Some(found) => break found,
                None => passed.push_back(message),
            }
        };
        passed.append(&mut self.heard);
        self.heard = passed;
        found
    }

    pub async fn welcome(&mut self) -> Welcome {
        match self.hear().await {
            HubMessage::Welcome(welcome) => welcome,
            other => panic!("no welcome: {other:?}"),
        }
    }

    /// Waits until this message is acknowledged.
    pub async fn acked(&mut self, id: MessageId) -> Offset {
        self.find(|message| match message {
            HubMessage::Ack { id: acked, offset, .. } if *acked == id => Some(*offset),
            HubMessage::Refused { id: refused, refusal } if *refused == id => panic!("{refusal:?}"),
            _ => None,
        })
        .await
    }

    /// Reads log entries until there are `count` messages.
    pub async fn messages(&mut self, count: usize) -> Vec<Entry> {
        let mut all = Vec::new();
        while all.len() < count {
            let entries = self
                .find(|message| match message {
                    HubMessage::Log { entries, .. } => Some(entries.clone()),
                    _ => None,
                })
                .await;
            all.extend(entries.into_iter().filter(|entry| entry.draft.content.is_text()));
        }
        all
    }

    /// The hub's close code and reason; messages before it are skipped.
    pub async fn closed(&mut self) -> (u16, String) {
        loop {
            if let Err(closed) = within("the close", self.next()).await {
                return closed;
            }
        }
    }
}

/// An HTTP response: status, headers, body.
pub async fn get(addr: std::net::SocketAddr, path: &str, headers: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    within("the answer", stream.read_to_string(&mut answer)).await.unwrap();
    answer
}

/// Posts to the hub over HTTP with this token; returns the response.
pub async fn post(addr: std::net::SocketAddr, path: &str, token: &str, body: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = TcpStream::connect(addr).await.unwrap();
    // As sent by `curl -d`.
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    within("the answer", stream.read_to_string(&mut answer)).await.unwrap();
    answer
}

/// Sends a whole request, and returns the answer.
pub async fn exchange(addr: std::net::SocketAddr, request: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    within("the answer", stream.read_to_string(&mut answer)).await.unwrap();
    answer
}
