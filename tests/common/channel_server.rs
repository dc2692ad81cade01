//! A server of channels before a WebSocket server: each channel is a WebSocket there, and each frame is passed on as it is. With it, what
//! is asked of a WebSocket can be asked of every route.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use duplex::frame::Frame;
use duplex::wire::duplex::channel::{
    CHANNELS_PATH, DUPLEX_HEADER, EVENTS_PATH, FIRST_HEADER, FROM_HEADER, ID_HEADER, POLL_PATH, SEND_PATH,
    STREAM_PATH, ServerChannel, line, sse,
};
use futures_util::{SinkExt, StreamExt, stream};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

/// How long a post waits for the WebSocket server to read.
const PATIENCE: Duration = Duration::from_secs(2);
/// Close code 1006: nobody said why.
const LOST: u16 = 1006;

type Body = UnsyncBoxBody<Bytes, Infallible>;

struct Channel {
    state: Mutex<State>,
    changed: Notify,
    to_server: mpsc::Sender<Frame>,
}

struct State {
    numbers: ServerChannel<Frame>,
    /// The number of the newest receiving request.
    receiver: u64,
    ended: Option<(u16, String)>,
}

impl Channel {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, code: u16, reason: &str) {
        self.lock().ended.get_or_insert((code, reason.to_owned()));
        self.changed.notify_waiters();
    }

    /// Waits until this returns something.
    async fn until<T>(&self, mut what: impl FnMut(&mut State) -> Option<T>) -> T {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            if let Some(found) = what(&mut self.lock()) {
                return found;
            }
            changed.await;
        }
    }
}

type Channels = Arc<Mutex<HashMap<String, Arc<Channel>>>>;

/// What becomes of HTTP/2 that was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Http2 {
    Carried,
    /// The connection is closed at once.
    Cut,
    /// What arrives is read and not answered.
    Swallowed,
}

/// How a server encrypts, and how it ends connections.
#[derive(Clone)]
pub struct Secure {
    pub acceptor: TlsAcceptor,
    pub http2: Http2,
    /// After so long a connection over HTTP/2 takes no more requests (GOAWAY), and after as long again it is cut.
    pub ends_after: Option<Duration>,
    /// How many connections there were.
    pub connections: Arc<AtomicU64>,
}

impl Secure {
    pub fn new(acceptor: TlsAcceptor) -> Secure {
        Secure { acceptor, http2: Http2::Carried, ends_after: None, connections: Arc::default() }
    }
}

/// Starts before the server at this URL. Returns the URL of its own WebSocket, if it had one.
pub async fn before(url: &str) -> String {
    start(url, None).await
}

/// The same with TLS.
pub async fn before_secure(url: &str, secure: Secure) -> String {
    start(url, Some(secure)).await.replacen("ws:", "wss:", 1)
}

async fn start(url: &str, secure: Option<Secure>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (url, channels) = (url.to_owned(), Channels::default());
    let service = hyper::service::service_fn(move |request| {
        let (url, channels) = (url.clone(), Arc::clone(&channels));
        async move {
            let mut response = answer(&url, &channels, request).await;
            response.headers_mut().insert(DUPLEX_HEADER, http::HeaderValue::from_static("1"));
            Ok::<_, Infallible>(response)
        }
    });
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_nodelay(true).unwrap();
            let (service, secure) = (service.clone(), secure.clone());
            // Fails when the client goes away, which is fine.
            tokio::spawn(async move {
                let Some(Secure { acceptor, http2, ends_after, connections }) = secure else {
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                    return;
                };
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                connections.fetch_add(1, Ordering::SeqCst);
                if stream.get_ref().1.alpn_protocol() != Some(b"h2") {
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                    return;
                }
                match http2 {
                    Http2::Carried => {}
                    Http2::Cut => return,
                    Http2::Swallowed => {
                        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
                        return;
                    }
                }
                let connection =
                    http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service);
                let mut connection = std::pin::pin!(connection);
                let Some(ends_after) = ends_after else { return drop(connection.await) };
                if timeout(ends_after, connection.as_mut()).await.is_err() {
                    connection.as_mut().graceful_shutdown();
                    let _ = timeout(ends_after, connection).await;
                }
            });
        }
    });
    socket_url(address)
}

fn socket_url(address: SocketAddr) -> String {
    format!("ws://{address}{}", duplex::model::address::SOCKET_PATH)
}

fn whole(status: StatusCode, text: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Full::new(text.into()).boxed_unsync());
    *response.status_mut() = status;
    response
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}

async fn answer(url: &str, channels: &Channels, request: Request<Incoming>) -> Response<Body> {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    if (&method, path.as_str()) == (&Method::POST, CHANNELS_PATH) {
        let id = format!("{:064x}", channels.lock().unwrap().len());
        let Some(channel) = open(url).await else { return whole(StatusCode::BAD_GATEWAY, "no server") };
        channels.lock().unwrap().insert(id.clone(), channel);
        return whole(StatusCode::OK, format!("{{\"channel\":\"{id}\"}}"));
    }
    let id = request.headers().get(ID_HEADER).and_then(|id| id.to_str().ok()).unwrap_or_default();
    let Some(channel) = channels.lock().unwrap().get(id).cloned() else {
        return whole(StatusCode::NOT_FOUND, "no such channel");
    };
    match (&method, path.as_str()) {
        (&Method::POST, SEND_PATH) => send(&channel, request).await,
        (&Method::DELETE, CHANNELS_PATH) => {
            channel.end(1000, "");
            whole(StatusCode::NO_CONTENT, "")
        }
        (&Method::GET, EVENTS_PATH | STREAM_PATH | POLL_PATH) => receive(channel, &path, &request).await,
        _ => whole(StatusCode::NOT_FOUND, "no such path"),
    }
}

/// A channel, and the WebSocket behind it.
async fn open(url: &str) -> Option<Arc<Channel>> {
    let config = WebSocketConfig::default().max_frame_size(Some(64 << 20)).max_message_size(Some(64 << 20));
    let (socket, _) = tokio_tungstenite::connect_async_with_config(url, Some(config), true).await.ok()?;
    let (to_server, mut from_client) = mpsc::channel::<Frame>(16);
    let state = State { numbers: ServerChannel::default(), receiver: 0, ended: None };
    let channel = Arc::new(Channel { state: Mutex::new(state), changed: Notify::new(), to_server });
    let (mut sink, mut frames) = socket.split();
    let (reader, writer) = (Arc::clone(&channel), Arc::clone(&channel));
    tokio::spawn(async move {
        let reading = async {
            loop {
                reader.until(|state| (!state.numbers.is_full()).then_some(())).await;
                let frame = match frames.next().await {
                    Some(Ok(Message::Text(text))) => Frame::Text(text.as_str().to_owned()),
                    Some(Ok(Message::Binary(bytes))) => Frame::Binary(bytes.to_vec()),
                    Some(Ok(Message::Close(Some(frame)))) => {
                        return (u16::from(frame.code), frame.reason.as_str().to_owned());
                    }
                    Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => continue,
                    _ => return (LOST, "the WebSocket was lost".to_owned()),
                };
                reader.lock().numbers.send(frame);
                reader.changed.notify_waiters();
            }
        };
        let over = async { reader.until(|state| state.ended.as_ref().map(drop)).await };
        tokio::select! {
            (code, reason) = reading => reader.end(code, &reason),
            () = over => {}
        }
    });
    tokio::spawn(async move {
        let writing = async {
            while let Some(frame) = from_client.recv().await {
                let message = match frame {
                    Frame::Text(text) => Message::text(text),
                    Frame::Binary(bytes) => Message::binary(bytes),
                };
                if sink.send(message).await.is_err() {
                    return;
                }
            }
        };
        let over = async { writer.until(|state| state.ended.as_ref().map(drop)).await };
        tokio::select! {
            () = writing => {}
            () = over => {}
        }
        // A server that does not read is not waited for.
        let _ = tokio::time::timeout(PATIENCE, sink.close()).await;
    });
    Some(channel)
}

async fn send(channel: &Channel, request: Request<Incoming>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let Ok(body) = body.collect().await else { return whole(StatusCode::BAD_REQUEST, "cut off") };
    if let Some(from) = number(&head.headers, FROM_HEADER) {
        channel.lock().numbers.confirm(from).unwrap();
        channel.changed.notify_waiters();
    }
    let body = body.to_bytes();
    let lines = body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let until = Instant::now() + PATIENCE;
    for (number, text) in (number(&head.headers, FIRST_HEADER).unwrap_or(1)..).zip(lines) {
        let Ok(Ok(permit)) = timeout_at(until, channel.to_server.reserve()).await else { break };
        let frame = line::read(text).unwrap();
        let receipt = channel.lock().numbers.receive(number, frame.len()).unwrap();
        if receipt == duplex::wire::duplex::channel::Receipt::New {
            permit.send(frame);
        }
    }
    if let Some(ended) = &channel.lock().ended {
        return gone(ended);
    }
    let received = channel.lock().numbers.received();
    whole(StatusCode::OK, format!("{{\"received\":{received}}}"))
}

fn gone((code, reason): &(u16, String)) -> Response<Body> {
    whole(StatusCode::GONE, serde_json::json!({"code": code, "reason": reason}).to_string())
}

/// Frames from a number on, as soon as there are some; `None` where nothing more comes, or a newer request is there.
async fn next(channel: &Channel, receiver: u64, from: u64) -> Option<Vec<Frame>> {
    channel
        .until(|state| {
            let frames = state.numbers.hand_out(from);
            match (frames.is_empty(), state.receiver == receiver) {
                (_, false) => Some(None),
                (false, true) => Some(Some(frames)),
                (true, true) => state.ended.as_ref().map(|_| None),
            }
        })
        .await
}

async fn receive(channel: Arc<Channel>, path: &str, request: &Request<Incoming>) -> Response<Body> {
    let query = request.uri().query().unwrap_or_default();
    let field = |name: &str| {
        query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')?.parse::<u64>().ok())
    };
    let from = field("from").unwrap();
    let receiver = {
        let mut state = channel.lock();
        if let Some(ended) = state.ended.as_ref().filter(|_| state.numbers.is_past(from)) {
            return gone(ended);
        }
        state.numbers.ask(from, number(request.headers(), "duplex-turn")).unwrap();
        state.receiver += 1;
        state.receiver
    };
    channel.changed.notify_waiters();
    let is_events = path == EVENTS_PATH;
    if path == POLL_PATH {
        let until = Instant::now() + Duration::from_millis(field("wait_ms").unwrap_or(0));
        let frames =
            timeout_at(until, next(&channel, receiver, from)).await.ok().flatten().unwrap_or_default();
        let mut body = Vec::new();
        frames.iter().for_each(|frame| line::write(&mut body, frame));
        return whole(StatusCode::OK, body);
    }
    let opening = if is_events { sse::opening() } else { line::ALIVE.to_owned() };
    let first = stream::iter([Ok(hyper::body::Frame::data(Bytes::from(opening)))]);
    let rest = stream::unfold((channel, from), move |(channel, from)| async move {
        let frames = next(&channel, receiver, from).await?;
        let mut piece = Vec::new();
        for (number, frame) in (from..).zip(&frames) {
            let mut line = Vec::new();
            line::write(&mut line, frame);
            if is_events { sse::write(&mut piece, number, &line) } else { piece.extend(line) }
        }
        Some((Ok(hyper::body::Frame::data(Bytes::from(piece))), (channel, from + frames.len() as u64)))
    });
    Response::new(StreamBody::new(first.chain(rest)).boxed_unsync())
}
