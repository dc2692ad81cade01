//! A small STOMP broker for tests, over WebSocket and TCP. It knows topics, receipts and acknowledgements, and does on request
//! what real ones do on bad days. It reads frames in its own way, and bodies without NUL.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::http::HeaderValue;

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// A frame as a client sent it.
#[derive(Clone, Debug)]
pub struct Got {
    pub command: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
    /// The connection, counted from 0.
    pub connection: usize,
}

impl Got {
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

/// What it does.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The version it chooses.
    pub version: &'static str,
    /// Destinations of `SEND` that are answered with a receipt begin with this.
    pub receipts_of: &'static str,
    /// Whether it returns messages to their sender.
    pub echoes: bool,
    /// The subprotocol it chooses.
    pub subprotocol: Option<&'static str>,
}

impl Default for Policy {
    fn default() -> Self {
        Policy { version: "1.2", receipts_of: "/", echoes: true, subprotocol: Some("v12.stomp") }
    }
}

struct Peer {
    connection: usize,
    to_it: mpsc::Sender<Vec<u8>>,
    subscriptions: Vec<(String, String)>,
}

struct State {
    policy: Policy,
    peers: Vec<Peer>,
    got: Vec<Got>,
    connections: usize,
    messages: usize,
}

/// The broker.
#[derive(Clone)]
pub struct Broker {
    state: Arc<Mutex<State>>,
    news: Arc<Notify>,
    /// Where it listens for WebSockets, at any path, and for TCP.
    pub websocket: String,
    pub tcp: String,
}

impl Broker {
    pub async fn start(policy: Policy) -> Broker {
        let state = State { policy, peers: Vec::new(), got: Vec::new(), connections: 0, messages: 0 };
        let (web, raw) = (
            TcpListener::bind("127.0.0.1:0").await.unwrap(),
            TcpListener::bind("127.0.0.1:0").await.unwrap(),
        );
        let broker = Broker {
            state: Arc::new(Mutex::new(state)),
            news: Arc::new(Notify::new()),
            websocket: format!("ws://{}/ws", web.local_addr().unwrap()),
            tcp: format!("stomp://{}", raw.local_addr().unwrap()),
        };
        let one = broker.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = web.accept().await {
                tokio::spawn(one.clone().over_websocket(stream));
            }
        });
        let one = broker.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = raw.accept().await {
                tokio::spawn(one.clone().over_tcp(stream));
            }
        });
        broker
    }

    /// Ends all connections at once.
    pub fn cut(&self) {
        self.state.lock().unwrap().peers.clear();
    }

    pub fn change(&self, change: impl FnOnce(&mut Policy)) {
        change(&mut self.state.lock().unwrap().policy);
    }

    /// Sends a frame to everybody who is subscribed to a destination, `{id}` being their subscription's.
    pub fn publish(&self, destination: &str, headers: &str, body: &str) {
        self.state.lock().unwrap().deliver(destination, headers, body, None);
    }

    /// What clients sent.
    pub fn got(&self) -> Vec<Got> {
        self.state.lock().unwrap().got.clone()
    }

    /// Waits until clients have sent this.
    pub async fn until(&self, what: &str, mut has_it: impl FnMut(&[Got]) -> bool) -> Vec<Got> {
        let waiting = async {
            loop {
                let news = self.news.notified();
                let got = self.got();
                if has_it(&got) {
                    return got;
                }
                news.await;
            }
        };
        match tokio::time::timeout(PATIENCE, waiting).await {
            Ok(got) => got,
            Err(_) => panic!("{what} did not come: {:#?}", self.got()),
        }
    }

    /// Waits for so many frames with this command.
    pub async fn count(&self, command: &str, count: usize) -> Vec<Got> {
        let of_it =
            |got: &[Got]| got.iter().filter(|got| got.command == command).cloned().collect::<Vec<_>>();
        let got = self.until(command, |got| of_it(got).len() >= count).await;
        of_it(&got)
    }

    async fn over_tcp(self, mut stream: TcpStream) {
        let (to_it, mut from_us) = mpsc::channel::<Vec<u8>>(1024);
        let mut talk = Talk::new(self, to_it);
        let mut buffer = vec![0; 1 << 16];
        loop {
            tokio::select! {
                read = stream.read(&mut buffer) => match read {
                    Ok(size) if size > 0 => if !talk.read(&buffer[..size]) { break },
                    _ => break,
                },
                said = from_us.recv() => match said {
                    // In two pieces, as TCP may have it.
                    Some(bytes) => {
                        let (one, two) = bytes.split_at(bytes.len() / 2);
                        let _ = stream.write_all(one).await;
                        let _ = stream.flush().await;
                        if stream.write_all(two).await.is_err() { break }
                    }
                    None => break,
                },
            }
        }
    }

    async fn over_websocket(self, stream: TcpStream) {
        let chosen = self.state.lock().unwrap().policy.subprotocol;
        let choose = |_: &Request, mut response: Response| {
            if let Some(chosen) = chosen {
                response.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static(chosen));
            }
            Ok(response)
        };
        let Ok(mut socket) = tokio_tungstenite::accept_hdr_async(stream, choose).await else { return };
        let (to_it, mut from_us) = mpsc::channel::<Vec<u8>>(1024);
        let mut talk = Talk::new(self, to_it);
        loop {
            tokio::select! {
                read = socket.next() => match read {
                    Some(Ok(Message::Text(text))) => if !talk.read(text.as_bytes()) { break },
                    Some(Ok(Message::Binary(bytes))) => if !talk.read(&bytes) { break },
                    Some(Ok(_)) => {}
                    _ => break,
                },
                said = from_us.recv() => match said {
                    Some(bytes) => {
                        let message = Message::text(String::from_utf8(bytes).unwrap());
                        if socket.send(message).await.is_err() { break }
                    }
                    None => break,
                },
            }
        }
    }
}

impl State {
    fn deliver(&mut self, destination: &str, headers: &str, body: &str, from: Option<usize>) {
        self.messages += 1;
        let number = self.messages;
        for peer in self.peers.iter().filter(|peer| self.policy.echoes || Some(peer.connection) != from) {
            for (id, _) in peer.subscriptions.iter().filter(|(_, of)| of == destination) {
                let frame = format!(
                    "MESSAGE\nsubscription:{id}\nmessage-id:{number}\nack:{number}\ndestination:{destination}\n{headers}\n{body}\0\n"
                );
                let _ = peer.to_it.try_send(frame.into_bytes());
            }
        }
    }
}

/// One connection.
struct Talk {
    broker: Broker,
    connection: usize,
    unread: Vec<u8>,
}

impl Talk {
    fn new(broker: Broker, to_it: mpsc::Sender<Vec<u8>>) -> Talk {
        let connection = {
            let mut state = broker.state.lock().unwrap();
            state.connections += 1;
            let connection = state.connections - 1;
            state.peers.push(Peer { connection, to_it, subscriptions: Vec::new() });
            connection
        };
        Talk { broker, connection, unread: Vec::new() }
    }

    /// `false`: the connection ends.
    fn read(&mut self, bytes: &[u8]) -> bool {
        self.unread.extend_from_slice(bytes);
        while let Some(end) = self.unread.iter().position(|byte| *byte == 0) {
            let frame: Vec<u8> = self.unread.drain(..=end).collect();
            let text = String::from_utf8(frame).unwrap();
            let (head, body) = text.trim_start_matches('\n').split_once("\n\n").unwrap();
            let mut lines = head.lines();
            let command = lines.next().unwrap().to_owned();
            let pair =
                |line: &str| line.split_once(':').map(|(name, value)| (name.to_owned(), value.to_owned()));
            let headers = lines.filter_map(pair).collect();
            let body = body.trim_end_matches('\0').to_owned();
            let got = Got { command, headers, body, connection: self.connection };
            let goes_on = self.frame(&got);
            self.broker.state.lock().unwrap().got.push(got);
            self.broker.news.notify_waiters();
            if !goes_on {
                return false;
            }
        }
        true
    }

    fn frame(&mut self, got: &Got) -> bool {
        let mut state = self.broker.state.lock().unwrap();
        let policy = state.policy.clone();
        let Some(peer) = state.peers.iter_mut().find(|peer| peer.connection == self.connection) else {
            return false;
        };
        let answer = |peer: &Peer, text: String| drop(peer.to_it.try_send(text.into_bytes()));
        let mut gets_receipt = !got.header("receipt").is_empty();
        match got.command.as_str() {
            "CONNECT" if got.header("passcode") == "wrong" => {
                answer(peer, "ERROR\nmessage:Bad CONNECT\n\nAccess refused for user 'jun'\n\0".to_owned());
                return true;
            }
            "CONNECT" => {
                answer(peer, format!("CONNECTED\nversion:{}\nheart-beat:0,0\n\n\0\n", policy.version))
            }
            "SUBSCRIBE" => {
                peer.subscriptions.push((got.header("id").to_owned(), got.header("destination").to_owned()));
            }
            "UNSUBSCRIBE" => peer.subscriptions.retain(|(id, _)| id != got.header("id")),
            "SEND" => {
                gets_receipt &= got.header("destination").starts_with(policy.receipts_of);
                let (destination, id) =
                    (got.header("destination").to_owned(), format!("id:{}\n", got.header("id")));
                state.deliver(&destination, &id, &got.body, Some(self.connection));
            }
            _ => {}
        }
        if let Some(peer) = state.peers.iter().find(|peer| peer.connection == self.connection && gets_receipt)
        {
            answer(peer, format!("RECEIPT\nreceipt-id:{}\n\n\0", got.header("receipt")));
        }
        got.command != "DISCONNECT"
    }
}
