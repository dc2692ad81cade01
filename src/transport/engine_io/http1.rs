//! [`Http`]: HTTP/1.1 requests to the host, port and certificate of a WebSocket target, one after the other over as few
//! connections as possible, with the headers and the cookies of that server.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::header::{ACCEPT, CONTENT_TYPE, COOKIE, HOST, LOCATION, PROXY_AUTHORIZATION, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::time::{Duration, Instant};
use tokio_rustls::TlsConnector;

use crate::model::link_state::Why;
use crate::model::proxy::ProxyUsed;
use crate::transport::connect::Opened;
use crate::transport::proxy::Forward;
use crate::transport::{Endpoint, UrlParts, connect, tls};
use crate::wire::socketio::carrier::Answer;

/// Maximum size of an answer, in bytes.
const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;
/// A connection that was idle for longer is not used again: many servers close it after five seconds, and a request that
/// meets that end has an unknown fate.
const MAX_IDLE: Duration = Duration::from_millis(1_500);
/// Maximum number of idle connections.
const MAX_CONNECTIONS: usize = 2;
/// Maximum number of cookies, and maximum size of each, in bytes.
const MAX_COOKIES: usize = 16;
const MAX_COOKIE_BYTES: usize = 4_096;

/// See the module.
pub(super) struct Http {
    target: Endpoint,
    connector: Option<TlsConnector>,
    idle: Mutex<Vec<(Sender, Instant)>>,
    /// Name and value. Load balancers tell by one which of several servers has the session.
    cookies: Mutex<Vec<(String, String)>>,
}

/// A connection for requests.
struct Sender {
    requests: SendRequest<String>,
    /// A proxy forwards them.
    forward: Option<Forward>,
    proxy: Option<ProxyUsed>,
}

impl Http {
    pub(super) async fn new(target: &Endpoint) -> Result<Http, Why> {
        let connector =
            if UrlParts::parse(&target.url)?.secure { Some(tls::connector(target).await?) } else { None };
        let (idle, cookies) = Default::default();
        Ok(Http { target: target.clone(), connector, idle, cookies })
    }

    pub(super) async fn get(&self, url: &str) -> Result<Answer, Why> {
        self.request(Method::GET, url, String::new()).await
    }

    pub(super) async fn post(&self, url: &str, body: String) -> Result<Answer, Why> {
        self.request(Method::POST, url, body).await
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

    async fn request(&self, method: Method, url: &str, body: String) -> Result<Answer, Why> {
        let place = UrlParts::parse(url)?;
        let bad = |error: http::Error| Why::BadUrl { detail: error.to_string() };
        let path = place.uri.path_and_query().map_or("/", |path| path.as_str());
        let mut sender = match self.idle() {
            Some(sender) => sender,
            None => self.connect(&place).await?,
        };
        let authority = place.uri.authority().map_or("", |authority| authority.as_str());
        let origin = if sender.forward.is_some() { format!("http://{authority}") } else { String::new() };
        let uri = format!("{origin}{path}");
        let mut request = Request::builder().method(method.clone()).uri(uri).body(body).map_err(bad)?;
        let headers = request.headers_mut();
        if let Some(value) = sender.forward.as_ref().and_then(|forward| forward.authorization.clone()) {
            headers.insert(PROXY_AUTHORIZATION, value);
        }
        insert(headers, HOST, authority);
        insert(headers, ACCEPT, "*/*");
        if method == Method::POST {
            insert(headers, CONTENT_TYPE, "text/plain;charset=UTF-8");
        }
        for (name, value) in self.target.headers.iter().filter(|(name, _)| name != COOKIE) {
            headers.append(name, value.clone());
        }
        if let Some(cookie) = self.cookie() {
            headers.insert(COOKIE, cookie);
        }
        let response = sender.requests.send_request(request).await.map_err(lost)?;
        let (head, body) = response.into_parts();
        if let Some(forward) = &sender.forward {
            forward.check(head.status.as_u16(), sender.proxy.as_ref())?;
        }
        self.keep_cookies(&head.headers);
        let status = head.status.as_u16();
        if let 300..=303 | 307 | 308 = status {
            let location = head.headers.get(LOCATION).and_then(|value| value.to_str().ok());
            let location = location.map(|text| text.chars().take(MAX_COOKIE_BYTES / 2).collect());
            return Err(Why::Redirected { status, location });
        }
        let body = read(body).await?;
        let mut idle = lock(&self.idle);
        if idle.len() < MAX_CONNECTIONS {
            idle.push((sender, Instant::now()));
        }
        Ok(Answer { status, body })
    }

    /// A connection that can be used again.
    fn idle(&self) -> Option<Sender> {
        let mut idle = lock(&self.idle);
        idle.retain(|(sender, since)| sender.requests.is_ready() && since.elapsed() <= MAX_IDLE);
        idle.pop().map(|(sender, _)| sender)
    }

    async fn connect(&self, place: &UrlParts) -> Result<Sender, Why> {
        let Opened { stream, proxy, forward } = connect::open_for_requests(place, &self.target).await?;
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

async fn read(mut body: Incoming) -> Result<Vec<u8>, Why> {
    let mut bytes = Vec::new();
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        if let Some(data) = frame.map_err(lost)?.data_ref() {
            if bytes.len() + data.len() > MAX_ANSWER_BYTES {
                return Err(Why::Lost { detail: format!("an answer of more than {MAX_ANSWER_BYTES} bytes") });
            }
            bytes.extend_from_slice(data);
        }
    }
    Ok(bytes)
}
