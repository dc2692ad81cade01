//! [`Http`]: HTTP/1.1 requests to the host, port and certificate of a WebSocket target, over as few connections as possible, with
//! the headers and the cookies of that server.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, COOKIE, HOST, LOCATION, PROXY_AUTHORIZATION,
    SET_COOKIE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use http_body_util::Full;
use hyper::body::{Body, Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::time::{Duration, Instant, timeout};
use tokio_rustls::TlsConnector;

use super::connect::Opened;
use super::metered::Metered;
use super::proxy::Forward;
use super::{Compression, Endpoint, UrlParts, connect, tls};
use crate::model::link_state::Why;
use crate::model::proxy::ProxyUsed;
use crate::wire::duplex::deflate::{GZIP, Gunzip, Unreadable};
use crate::wire::socketio::carrier::Answer;

/// Maximum size of an answer that is read as a whole, in bytes.
const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;
/// A connection that was idle for longer is not used again: many servers close it after five seconds, and a request that
/// meets that end has an unknown fate.
const MAX_IDLE: Duration = Duration::from_millis(1_500);
/// The same for a request that may be made twice: as long as a hub keeps it, so that a sign of life every 25 seconds and a message
/// now and then need no new one.
const MAX_IDLE_REPEATABLE: Duration = Duration::from_secs(28);
/// Maximum number of idle connections.
const MAX_CONNECTIONS: usize = 2;
/// How long a connection that was idle may take to answer a request that can be repeated: something between may have dropped it
/// without a word.
const MAX_STALE: Duration = Duration::from_secs(5);
/// How long it takes at most until it is ready for the next request.
const MAX_READY: Duration = Duration::from_millis(200);
/// Maximum number of cookies, and maximum size of each, in bytes.
const MAX_COOKIES: usize = 16;
const MAX_COOKIE_BYTES: usize = 4_096;

/// See the module.
pub(super) struct Http {
    target: Endpoint,
    connector: Option<TlsConnector>,
    shared: Arc<Shared>,
    /// Name and value. Load balancers tell by one which of several servers has the session.
    cookies: Mutex<Vec<(String, String)>>,
    /// The proxy of the last connection.
    proxy: Mutex<Option<ProxyUsed>>,
}

/// What answers give back.
struct Shared {
    idle: Mutex<Vec<(Sender, Instant)>>,
    /// Whether compressed answers are asked for.
    takes_gzip: AtomicBool,
    /// Something between drops idle connections without a word: none is kept for long.
    forgets: AtomicBool,
}

/// A connection for requests.
struct Sender {
    requests: SendRequest<Full<Bytes>>,
    /// A proxy forwards them.
    forward: Option<Forward>,
    proxy: Option<ProxyUsed>,
}

/// A request.
pub(super) struct Ask<'a> {
    pub(super) method: Method,
    pub(super) url: &'a str,
    /// Besides those of the target.
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Vec<u8>,
    /// Whether it may be made twice: then it is repeated where a connection that was used before turns out to be dead.
    pub(super) may_repeat: bool,
    /// Whether the answer may take its time although the connection lives.
    pub(super) is_held: bool,
}

/// The head of an answer; its body comes in pieces. Its connection is used again once all of it was read.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    body: Incoming,
    /// What unpacks the body, if it is compressed.
    gunzip: Option<Gunzip>,
    sender: Option<Sender>,
    shared: Arc<Shared>,
}

impl Reply {
    /// The next piece; `None` after the last. Cancel-safe.
    pub(super) async fn piece(&mut self) -> Option<Result<Bytes, Why>> {
        loop {
            match self.gunzip.as_mut().map(Gunzip::piece) {
                Some(Ok(Some(piece))) => return Some(Ok(piece.into())),
                Some(Ok(None)) | None => {}
                Some(Err(error)) => return Some(Err(self.damaged(error))),
            }
            let piece = self.received().await;
            match (&mut self.gunzip, piece) {
                (Some(gunzip), Some(Ok(piece))) => gunzip.push(&piece),
                (Some(gunzip), None) if !gunzip.is_whole() => {
                    return Some(Err(self.damaged(Unreadable::Damaged)));
                }
                (_, piece) => return piece,
            }
        }
    }

    /// Something between may change what it doesn't understand: nothing compressed is asked for any more.
    fn damaged(&mut self, error: Unreadable) -> Why {
        self.gunzip = None;
        self.shared.takes_gzip.store(false, Ordering::Relaxed);
        Why::Lost { detail: format!("an answer could not be read: {error}") }
    }

    /// The next piece as it was sent.
    async fn received(&mut self) -> Option<Result<Bytes, Why>> {
        while let Some(frame) = poll_fn(|cx| Pin::new(&mut self.body).poll_frame(cx)).await {
            match frame {
                // What is no data is trailers.
                Ok(frame) => {
                    if let Ok(data) = frame.into_data() {
                        return Some(Ok(data));
                    }
                }
                Err(error) => return Some(Err(lost(error))),
            }
        }
        if let Some(sender) = self.sender.take() {
            let mut idle = lock(&self.shared.idle);
            if idle.len() < MAX_CONNECTIONS {
                idle.push((sender, Instant::now()));
            }
        }
        None
    }

    /// All of it, up to so many bytes.
    pub(super) async fn whole(mut self, most: usize) -> Result<Vec<u8>, Why> {
        let mut bytes = Vec::new();
        while let Some(piece) = self.piece().await {
            let piece = piece?;
            if bytes.len() + piece.len() > most {
                return Err(Why::Lost { detail: format!("an answer of more than {most} bytes") });
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    }
}

impl Http {
    pub(super) async fn new(target: &Endpoint) -> Result<Http, Why> {
        let connector =
            if UrlParts::parse(&target.url)?.secure { Some(tls::connector(target).await?) } else { None };
        let takes_gzip = AtomicBool::new(target.compression != Compression::Off);
        let shared = Arc::new(Shared { idle: Mutex::default(), takes_gzip, forgets: AtomicBool::new(false) });
        let (cookies, proxy) = Default::default();
        Ok(Http { target: target.clone(), connector, shared, cookies, proxy })
    }

    pub(super) async fn get(&self, url: &str) -> Result<Answer, Why> {
        self.whole(Method::GET, url, Vec::new()).await
    }

    pub(super) async fn post(&self, url: &str, body: String) -> Result<Answer, Why> {
        self.whole(Method::POST, url, body.into_bytes()).await
    }

    async fn whole(&self, method: Method, url: &str, body: Vec<u8>) -> Result<Answer, Why> {
        let text = HeaderValue::from_static("text/plain;charset=UTF-8");
        let headers = if method == Method::POST { vec![(CONTENT_TYPE, text)] } else { Vec::new() };
        let ask = Ask { method, url, headers, body, may_repeat: false, is_held: true };
        let reply = self.request(ask).await?;
        if let status @ (300..=303 | 307 | 308) = reply.status {
            let location = reply.headers.get(LOCATION).and_then(|value| value.to_str().ok());
            let location = location.map(|text| text.chars().take(MAX_COOKIE_BYTES / 2).collect());
            return Err(Why::Redirected { status, location });
        }
        Ok(Answer { status: reply.status, body: reply.whole(MAX_ANSWER_BYTES).await? })
    }

    /// The proxy that requests go through.
    pub(super) fn proxy(&self) -> Option<ProxyUsed> {
        lock(&self.proxy).clone()
    }

    /// The cookies of the target's headers and of the server together.
    pub(super) fn cookie(&self) -> Option<HeaderValue> {
        let own = self.target.headers.iter().filter(|(name, _)| name == COOKIE);
        let own = own.filter_map(|(_, value)| value.to_str().ok().map(str::to_owned));
        let theirs = lock(&self.cookies);
        let theirs = theirs.iter().map(|(name, value)| format!("{name}={value}"));
        let all: Vec<String> = own.chain(theirs).collect();
        let mut value = HeaderValue::try_from(all.join("; ")).ok().filter(|value| !value.is_empty())?;
        value.set_sensitive(true);
        Some(value)
    }

    /// Makes a request and reads the head of its answer.
    pub(super) async fn request(&self, ask: Ask<'_>) -> Result<Reply, Why> {
        let place = UrlParts::parse(ask.url)?;
        if ask.may_repeat
            && let Some(mut sender) = self.idle(ask.is_held).await
        {
            let answer = sender.requests.send_request(self.build(&ask, &place, &sender.forward)?);
            let patience = if ask.is_held { Duration::MAX } else { MAX_STALE };
            match timeout(patience, answer).await {
                Ok(Ok(response)) => return self.reply(response, sender),
                Ok(Err(error)) => log::debug!("a connection used before: {error}"),
                Err(_) => {
                    log::debug!("a connection used before says nothing");
                    self.shared.forgets.store(true, Ordering::Relaxed);
                }
            }
        }
        let idle = if ask.may_repeat { None } else { self.idle(true).await };
        let mut sender = match idle {
            Some(sender) => sender,
            None => self.connect(&place).await?,
        };
        let request = self.build(&ask, &place, &sender.forward)?;
        let response = sender.requests.send_request(request).await.map_err(lost)?;
        self.reply(response, sender)
    }

    fn build(
        &self,
        ask: &Ask<'_>,
        place: &UrlParts,
        forward: &Option<Forward>,
    ) -> Result<Request<Full<Bytes>>, Why> {
        let bad = |error: http::Error| Why::BadUrl { detail: error.to_string() };
        let path = place.uri.path_and_query().map_or("/", |path| path.as_str());
        let authority = place.uri.authority().map_or("", |authority| authority.as_str());
        let origin = if forward.is_some() { format!("http://{authority}") } else { String::new() };
        let uri = format!("{origin}{path}");
        let request =
            Request::builder().method(ask.method.clone()).uri(uri).body(Full::from(ask.body.clone()));
        let mut request = request.map_err(bad)?;
        let headers = request.headers_mut();
        if let Some(value) = forward.as_ref().and_then(|forward| forward.authorization.clone()) {
            headers.insert(PROXY_AUTHORIZATION, value);
        }
        insert(headers, HOST, authority);
        insert(headers, ACCEPT, "*/*");
        if self.shared.takes_gzip.load(Ordering::Relaxed) {
            insert(headers, ACCEPT_ENCODING, GZIP);
        }
        for (name, value) in self.target.headers.iter().filter(|(name, _)| name != COOKIE) {
            headers.append(name, value.clone());
        }
        for (name, value) in &ask.headers {
            headers.insert(name, value.clone());
        }
        if let Some(cookie) = self.cookie() {
            headers.insert(COOKIE, cookie);
        }
        Ok(request)
    }

    fn reply(&self, response: http::Response<Incoming>, sender: Sender) -> Result<Reply, Why> {
        let (head, body) = response.into_parts();
        if let Some(forward) = &sender.forward {
            forward.check(head.status.as_u16(), sender.proxy.as_ref())?;
        }
        *lock(&self.proxy) = sender.proxy.clone();
        self.keep_cookies(&head.headers);
        let gunzip = match head.headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes) {
            None | Some(b"identity") => None,
            Some(coding) if coding.eq_ignore_ascii_case(GZIP.as_bytes()) => Some(Gunzip::default()),
            Some(_) => {
                let detail =
                    "an answer came in a coding (Content-Encoding) that was not asked for".to_owned();
                return Err(Why::Violation { detail });
            }
        };
        let (status, shared) = (head.status.as_u16(), Arc::clone(&self.shared));
        Ok(Reply { status, headers: head.headers, body, gunzip, sender: Some(sender), shared })
    }

    /// A connection that can be used again. `is_fresh`: only one that was used just now, since it would be noticed late if it is dead.
    async fn idle(&self, is_fresh: bool) -> Option<Sender> {
        let forgets = self.shared.forgets.load(Ordering::Relaxed);
        let most = if is_fresh || forgets { MAX_IDLE } else { MAX_IDLE_REPEATABLE };
        let mut sender = {
            let mut idle = lock(&self.shared.idle);
            idle.retain(|(sender, since)| {
                !sender.requests.is_closed() && since.elapsed() <= MAX_IDLE_REPEATABLE
            });
            // The last one was used last.
            idle.pop_if(|(_, since)| since.elapsed() <= most)?.0
        };
        // Its task may not have noticed yet that the last answer is over.
        let ready = timeout(MAX_READY, sender.requests.ready()).await;
        matches!(ready, Ok(Ok(()))).then_some(sender)
    }

    async fn connect(&self, place: &UrlParts) -> Result<Sender, Why> {
        let Opened { stream, proxy, forward } = connect::open_for_requests(place, &self.target).await?;
        self.target.trace.reached();
        let stream = Metered::new(stream, self.target.meter.clone());
        let requests = match &self.connector {
            Some(connector) => {
                let stream = tls::greet(connector, &place.host, stream).await?;
                let (requests, connection) = handshake(TokioIo::new(stream)).await.map_err(lost)?;
                // It ends with its sender, or with an error that the request has, too.
                tokio::spawn(async move { drop(connection.await) });
                requests
            }
            None => {
                let (requests, connection) = handshake(TokioIo::new(stream)).await.map_err(lost)?;
                tokio::spawn(async move { drop(connection.await) });
                requests
            }
        };
        Ok(Sender { requests, forward, proxy })
    }

    fn keep_cookies(&self, headers: &HeaderMap) {
        let mut cookies = lock(&self.cookies);
        for value in headers.get_all(SET_COOKIE) {
            let pair = value.to_str().ok().filter(|text| text.len() <= MAX_COOKIE_BYTES);
            let pair = pair.and_then(|text| text.split(';').next()?.trim().split_once('='));
            let Some((name, value)) = pair.filter(|(name, _)| !name.is_empty()) else { continue };
            cookies.retain(|(known, _)| known != name);
            if cookies.len() < MAX_COOKIES {
                cookies.push((name.to_owned(), value.to_owned()));
            }
        }
    }
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}

/// No code panics while it holds one of these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn lost(error: hyper::Error) -> Why {
    match error.is_parse() {
        true => Why::NotWebSocket { detail: format!("no HTTP answer ({error})") },
        false => Why::Lost { detail: error.to_string() },
    }
}
