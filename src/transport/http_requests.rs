//! [`Http`]: HTTP requests to the host, port and certificate of a WebSocket target, over as few connections as possible, with the
//! headers and the cookies of that server. Over HTTP/2, which is for servers with TLS that choose it, that is one.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use http::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, COOKIE, HOST, LOCATION, PROXY_AUTHORIZATION,
    SET_COOKIE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use http_body_util::Full;
use hyper::body::{Body, Bytes, Incoming};
use tokio::time::{Duration, Instant, timeout};
use tokio_rustls::TlsConnector;

use super::connect::Opened;
use super::metered::Metered;
use super::request_connection::{
    Fate, HTTP_1, HTTP_2, Identity, OFFERED, RequestConnection, Unanswered, lost,
};
use super::{Compression, Endpoint, UrlParts, connect, tls};
use crate::model::link_state::{Phase, Why};
use crate::model::proxy::ProxyUsed;
use crate::model::route::HttpVersion;
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
/// Maximum number of connections that wait for another request.
const MAX_CONNECTIONS: usize = 2;
/// How long a connection that was idle may take to answer a request that can be repeated: something between may have dropped it
/// without a word.
const MAX_STALE: Duration = Duration::from_secs(5);
/// How long the first answer over HTTP/2 may take. Something between may offer HTTP/2 and not carry it.
const MAX_FIRST_ANSWER: Duration = Duration::from_secs(4);
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
    /// The proxy of the last connection, and its version of HTTP.
    used: Mutex<(Option<ProxyUsed>, Option<HttpVersion>)>,
}

/// What answers give back.
struct Shared {
    /// Connections that can take a request, and when they last had one: over HTTP/1.1 those without one, over HTTP/2 all.
    free: Mutex<Vec<(RequestConnection, Instant)>>,
    /// Whether compressed answers are asked for.
    takes_gzip: AtomicBool,
    /// Something between drops idle connections without a word: none is kept for long.
    forgets: AtomicBool,
    /// Something between offers HTTP/2 and does not carry it: HTTP/1.1 alone is offered.
    breaks_http2: AtomicBool,
}

/// A connection that has a request.
struct Lent {
    connection: RequestConnection,
    doubt: Doubt,
}

/// Unless a request is answered to the end, nobody knows whether its connection is alive: it gets no other one. Those that it has
/// over HTTP/2 go on.
struct Doubt {
    /// `None` over HTTP/1.1, where nobody else has the connection.
    about: Option<Weak<Identity>>,
    shared: Arc<Shared>,
}

impl Drop for Doubt {
    fn drop(&mut self) {
        if let Some(about) = &self.about {
            lock(&self.shared.free).retain(|(free, _)| !is(free, about));
        }
    }
}

fn is(connection: &RequestConnection, identity: &Weak<Identity>) -> bool {
    connection.identity().is_some_and(|other| std::ptr::eq(Arc::as_ptr(other), identity.as_ptr()))
}

impl Lent {
    fn new(connection: RequestConnection, shared: &Arc<Shared>) -> Lent {
        let about = connection.identity().map(Arc::downgrade);
        Lent { connection, doubt: Doubt { about, shared: Arc::clone(shared) } }
    }

    /// The request was answered to the end.
    fn give_back(mut self) {
        let about = self.doubt.about.take();
        let mut free = lock(&self.doubt.shared.free);
        match about {
            Some(about) => {
                let known = free.iter_mut().find(|(other, _)| is(other, &about));
                known.into_iter().for_each(|(_, since)| *since = Instant::now());
            }
            None if free.len() < MAX_CONNECTIONS => free.push((self.connection, Instant::now())),
            None => {}
        }
    }
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
    lent: Option<Lent>,
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
        if let Some(lent) = self.lent.take() {
            lent.give_back();
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
        let connector = match UrlParts::parse(&target.url)?.secure {
            true => Some(tls::connector_for(target, OFFERED).await?),
            false => None,
        };
        let takes_gzip = AtomicBool::new(target.compression != Compression::Off);
        let (free, forgets, breaks_http2) = Default::default();
        let shared = Arc::new(Shared { free, takes_gzip, forgets, breaks_http2 });
        let (cookies, used) = Default::default();
        Ok(Http { target: target.clone(), connector, shared, cookies, used })
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
        lock(&self.used).0.clone()
    }

    /// The version of HTTP of the last answer.
    pub(super) fn version(&self) -> Option<HttpVersion> {
        lock(&self.used).1
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
        // One whose end would be noticed late must have been used just now.
        let is_fresh = ask.is_held || !ask.may_repeat;
        if let Some(mut lent) = self.free(is_fresh).await {
            let answer = lent.connection.ask(self.build(&ask, &place, &lent.connection)?);
            let patience = if is_fresh { Duration::MAX } else { MAX_STALE };
            match timeout(patience, answer).await {
                Ok(Ok(response)) => return self.reply(response, lent),
                Ok(Err(unanswered)) if ask.may_repeat || unanswered.fate != Fate::Unknown => {
                    log::debug!("a connection used before: {}", unanswered.why.code());
                }
                Ok(Err(unanswered)) => return Err(unanswered.why),
                Err(_) => {
                    log::debug!("a connection used before says nothing");
                    self.shared.forgets.store(true, Ordering::Relaxed);
                }
            }
        }
        let had_http2 = self.offers_http2();
        let answered = match self.ask_anew(&ask, &place).await {
            Err(unanswered) if unanswered.fate == Fate::Refused || self.offers_http2() != had_http2 => {
                self.ask_anew(&ask, &place).await
            }
            answered => answered,
        };
        answered.map_err(|unanswered| unanswered.why)
    }

    fn offers_http2(&self) -> bool {
        !self.shared.breaks_http2.load(Ordering::Relaxed)
    }

    /// Makes a request over a new connection.
    async fn ask_anew(&self, ask: &Ask<'_>, place: &UrlParts) -> Result<Reply, Unanswered> {
        let mut lent = self.connect(place).await?;
        let request = self.build(ask, place, &lent.connection)?;
        // Nothing else was asked yet, so nothing is asked twice.
        let is_trial = lent.connection.version() == HttpVersion::Http2 && self.version().is_none();
        let patience = if is_trial { MAX_FIRST_ANSWER } else { Duration::MAX };
        let answered = timeout(patience, lent.connection.ask(request)).await;
        let timed_out = || Unanswered::from(Why::TimedOut { during: Phase::Handshake });
        match answered.unwrap_or_else(|_| Err(timed_out())) {
            Ok(response) => Ok(self.reply(response, lent)?),
            Err(unanswered) => {
                if is_trial && unanswered.fate != Fate::Refused {
                    log::info!(
                        "HTTP/2 is offered, but not carried ({}): HTTP/1.1 is used",
                        unanswered.why.code()
                    );
                    self.shared.breaks_http2.store(true, Ordering::Relaxed);
                }
                Err(unanswered)
            }
        }
    }

    fn build(
        &self,
        ask: &Ask<'_>,
        place: &UrlParts,
        connection: &RequestConnection,
    ) -> Result<Request<Full<Bytes>>, Why> {
        let bad = |error: http::Error| Why::BadUrl { detail: error.to_string() };
        let path = place.uri.path_and_query().map_or("/", |path| path.as_str());
        let authority = place.uri.authority().map_or("", |authority| authority.as_str());
        let is_http2 = connection.version() == HttpVersion::Http2;
        let origin = match (is_http2, &connection.forward) {
            // Its pseudo-headers are made of this.
            (true, _) => format!("https://{authority}"),
            (false, Some(_)) => format!("http://{authority}"),
            (false, None) => String::new(),
        };
        let uri = format!("{origin}{path}");
        let request =
            Request::builder().method(ask.method.clone()).uri(uri).body(Full::from(ask.body.clone()));
        let mut request = request.map_err(bad)?;
        let headers = request.headers_mut();
        if let Some(value) = connection.forward.as_ref().and_then(|forward| forward.authorization.clone()) {
            headers.insert(PROXY_AUTHORIZATION, value);
        }
        if !is_http2 {
            insert(headers, HOST, authority);
        }
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

    fn reply(&self, response: http::Response<Incoming>, lent: Lent) -> Result<Reply, Why> {
        let (head, body) = response.into_parts();
        let connection = &lent.connection;
        if let Some(forward) = &connection.forward {
            forward.check(head.status.as_u16(), connection.proxy.as_ref())?;
        }
        *lock(&self.used) = (connection.proxy.clone(), Some(connection.version()));
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
        Ok(Reply { status, headers: head.headers, body, gunzip, lent: Some(lent), shared })
    }

    /// A connection that can be used again. `is_fresh`: only one that was used just now, or is watched.
    async fn free(&self, is_fresh: bool) -> Option<Lent> {
        let forgets = self.shared.forgets.load(Ordering::Relaxed);
        let most = if is_fresh || forgets { MAX_IDLE } else { MAX_IDLE_REPEATABLE };
        let mut lent = {
            let mut free = lock(&self.shared.free);
            let is_young =
                |one: &RequestConnection, since: &Instant, most| one.is_watched() || since.elapsed() <= most;
            free.retain(|(one, since)| !one.is_closed() && is_young(one, since, MAX_IDLE_REPEATABLE));
            // The last one was used last.
            let (last, since) = free.last()?;
            if !is_young(last, since, most) {
                return None;
            }
            let connection = match last.share() {
                Some(shared) => shared,
                None => free.pop()?.0,
            };
            Lent::new(connection, &self.shared)
        };
        // Its task may not have noticed yet that the last answer is over.
        let ready = timeout(MAX_READY, lent.connection.ready()).await;
        matches!(ready, Ok(true)).then_some(lent)
    }

    async fn connect(&self, place: &UrlParts) -> Result<Lent, Why> {
        let Opened { stream, proxy, forward } = connect::open_for_requests(place, &self.target).await?;
        self.target.trace.reached();
        let stream = Metered::new(stream, self.target.meter.clone());
        let mut connection = match &self.connector {
            Some(connector) => {
                let http1 = (!self.offers_http2()).then(|| tls::offering(connector, &[HTTP_1]));
                let stream = tls::greet(http1.as_ref().unwrap_or(connector), &place.host, stream).await?;
                let version = match stream.get_ref().1.alpn_protocol() {
                    Some(HTTP_2) => HttpVersion::Http2,
                    _ => HttpVersion::Http1,
                };
                RequestConnection::begin(stream, version).await?
            }
            None => RequestConnection::begin(stream, HttpVersion::Http1).await?,
        };
        (connection.forward, connection.proxy) = (forward, proxy);
        if let Some(shared) = connection.share() {
            let mut free = lock(&self.shared.free);
            // Requests that began over another one are answered there.
            free.retain(|(one, _)| one.identity().is_none());
            free.push((shared, Instant::now()));
        }
        Ok(Lent::new(connection, &self.shared))
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
