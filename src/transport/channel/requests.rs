//! [`Channel`]: the HTTP requests of a channel.

use std::sync::Arc;

use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method};
use serde::Deserialize;
use tokio::time::{Duration, Instant, timeout};

use super::course;
use crate::model::address::SOCKET_PATH;
use crate::model::link_state::{Closing, Phase, Why};
use crate::model::proxy::ProxyUsed;
use crate::model::route::{HttpVersion, Route};
use crate::transport::http_requests::{self, Http, Reply};
use crate::transport::{Compression, Endpoint, redirect, upgrade};
use crate::wire::duplex::channel::line::MEDIA_TYPE;
use crate::wire::duplex::channel::{
    CHANNELS_PATH, DUPLEX_HEADER, EVENTS_PATH, FIRST_HEADER, FROM_HEADER, ID_HEADER, POLL_PATH, Post,
    Request, SEND_PATH, STREAM_PATH, TURN_HEADER,
};
use crate::wire::duplex::deflate::{Deflater, GZIP};

/// Maximum size of an answer that has no frames, in bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// How long the body of such an answer may take.
const MAX_BODY: Duration = Duration::from_secs(3);
/// How long a request that is not held may take.
pub(super) const MAX_REQUEST: Duration = Duration::from_secs(10);
/// How soon a lasting response must begin, besides twice the time that a request takes. The server sends its first piece at once, and
/// waits no longer than five seconds for a client's first frame.
const FIRST_PIECE: Duration = Duration::from_millis(2_500);
/// How long a post may take: the hub answers later where it has no room yet.
const MAX_POST: Duration = Duration::from_secs(25);
/// The close code that says that nobody said why (RFC 6455 §7.4.1).
const ABNORMAL: u16 = 1006;
/// How long the end of a channel may take.
pub(super) const MAX_END: Duration = Duration::from_secs(2);

/// An open channel.
pub(super) struct Channel {
    http: Arc<Http>,
    /// The server's address without the path of its WebSocket.
    base: String,
    id: HeaderValue,
    /// The lasting response that showed that its route is open; nothing of it was read but a sign of life.
    pub(super) first: Option<(Box<Reply>, Vec<u8>)>,
    /// What compresses posts, if the hub reads that.
    deflater: Option<Deflater>,
    /// Whether the hub is not to be told of the end any more.
    is_over: bool,
}

/// What answers a request for frames, or a post.
pub(super) enum Answered {
    /// It may have frames.
    Frames(Box<Reply>),
    /// The post arrived, and everything up to this number.
    Received(u64),
    /// A frame before the post is missing; this one is the last that arrived.
    Missing(u64),
    /// It comes too late: there is a newer request.
    Late,
    /// The channel is no more.
    Ended(Why),
    /// Something between, or a server that is not ready.
    Not(Refusal),
}

/// An answer that is of no use.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) by_server: bool,
    pub(super) retry_after_ms: Option<u64>,
}

impl Refusal {
    /// What it means for a receiving request.
    pub(super) fn outcome(&self) -> course::Outcome {
        match self.status {
            408 | 499 | 504 => course::Outcome::Cut,
            425 | 429 | 500 | 502 | 503 | 520..=530 => course::Outcome::Unavailable,
            _ => course::Outcome::Refused,
        }
    }

    pub(super) fn why(&self) -> Why {
        Why::Http { status: self.status, retry_after_ms: self.retry_after_ms }
    }
}

/// The answer to the request that opens a channel.
#[derive(Deserialize)]
struct Opened {
    channel: String,
}

/// The last post's number; or why the channel ended.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Told {
    received: Option<u64>,
    /// Of a request that contradicts what the hub has: `late`, `gap` or another word.
    refused: String,
    code: Option<u16>,
    reason: String,
    retry_after_ms: Option<u64>,
}

impl Channel {
    /// Opens a channel, and sees that this route is open.
    pub(super) async fn open(target: &Endpoint, route: Route) -> Result<Channel, Why> {
        match timeout(target.deadline, open(target, route)).await {
            Ok(opened) => opened,
            Err(_) => {
                let is_reached = target.trace.is_reached();
                Err(Why::TimedOut { during: if is_reached { Phase::Handshake } else { Phase::Dial } })
            }
        }
    }

    /// What a WebSocket that is to join carries besides the headers of the target.
    pub(super) fn join_headers(&self, request: Request) -> Vec<(HeaderName, HeaderValue)> {
        let mut headers = self.headers(Some(request.turn), Some(request.from));
        headers.extend(self.http.cookie().map(|cookie| (http::header::COOKIE, cookie)));
        headers
    }

    fn headers(&self, turn: Option<u64>, from: Option<u64>) -> Vec<(HeaderName, HeaderValue)> {
        let mut headers = vec![(HeaderName::from_static(ID_HEADER), self.id.clone())];
        headers.extend(turn.map(|turn| (HeaderName::from_static(TURN_HEADER), turn.into())));
        headers.extend(from.map(|from| (HeaderName::from_static(FROM_HEADER), from.into())));
        headers
    }

    /// Asks for frames.
    pub(super) fn ask(
        &self,
        ask: course::Ask,
        request: Request,
    ) -> impl Future<Output = Result<Answered, Why>> + Send + use<> {
        let from = request.from;
        let (path, accept) = match ask.route {
            Route::WebSocket | Route::Sse => (format!("{EVENTS_PATH}?from={from}"), "text/event-stream"),
            Route::Stream => (format!("{STREAM_PATH}?from={from}"), MEDIA_TYPE),
            Route::LongPoll | Route::Poll => {
                (format!("{POLL_PATH}?from={from}&wait_ms={}", ask.wait_ms), MEDIA_TYPE)
            }
        };
        let mut headers = self.headers(Some(request.turn), None);
        headers.push((ACCEPT, HeaderValue::from_static(accept)));
        let (http, url) = (Arc::clone(&self.http), format!("{}{path}", self.base));
        let is_held = ask.wait_ms > 0;
        async move {
            let (method, body) = (Method::GET, Vec::new());
            let ask = http_requests::Ask { method, url: &url, headers, body, may_repeat: true, is_held };
            let reply = http.request(ask).await?;
            if reply.status == 200 && is_marked(&reply) {
                return Ok(Answered::Frames(Box::new(reply)));
            }
            Ok(told(reply).await)
        }
    }

    /// Posts frames.
    pub(super) fn post(&mut self, post: Post) -> impl Future<Output = Result<Answered, Why>> + Send + use<> {
        let mut headers = self.headers(None, Some(post.from));
        headers.push((HeaderName::from_static(FIRST_HEADER), post.first.into()));
        headers.push((CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE)));
        let (http, url) = (Arc::clone(&self.http), format!("{}{SEND_PATH}", self.base));
        let packed = self.deflater.as_mut().and_then(|deflater| deflater.gzip(&post.body));
        if packed.is_some() {
            headers.push((CONTENT_ENCODING, HeaderValue::from_static(GZIP)));
        }
        let body = packed.unwrap_or(post.body);
        async move {
            let method = Method::POST;
            let ask =
                http_requests::Ask { method, url: &url, headers, body, may_repeat: true, is_held: false };
            let answer = async { Ok(told(http.request(ask).await?).await) };
            timeout(MAX_POST, answer).await.unwrap_or(Err(Why::TimedOut { during: Phase::Handshake }))
        }
    }

    /// Ends the channel. `true` if the hub has answered.
    pub(super) fn end(&mut self) -> impl Future<Output = bool> + Send + use<> {
        self.is_over = true;
        let (http, url) = (Arc::clone(&self.http), format!("{}{CHANNELS_PATH}", self.base));
        let headers = self.headers(None, None);
        async move {
            let (method, body) = (Method::DELETE, Vec::new());
            let ask =
                http_requests::Ask { method, url: &url, headers, body, may_repeat: true, is_held: false };
            match timeout(MAX_END, http.request(ask)).await {
                Ok(Ok(reply)) => is_marked(&reply),
                _ => false,
            }
        }
    }

    /// The proxy that its requests go through.
    pub(super) fn proxy(&self) -> Option<ProxyUsed> {
        self.http.proxy()
    }

    /// The version of HTTP of its requests.
    pub(super) fn version(&self) -> Option<HttpVersion> {
        self.http.version()
    }

    /// Something between may have changed what was posted: it is not compressed any more.
    pub(super) fn posts_as_it_is(&mut self) {
        self.deflater = None;
    }

    /// The hub has ended it.
    pub(super) fn is_over(&mut self) {
        self.is_over = true;
    }
}

/// A channel that nobody uses is ended, so that the hub need not keep it.
impl Drop for Channel {
    fn drop(&mut self) {
        if !self.is_over
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(self.end());
        }
    }
}

/// Opens a channel where redirects lead that are followed.
async fn open(target: &Endpoint, route: Route) -> Result<Channel, Why> {
    let mut target = target.clone();
    for _ in 0..redirect::MAX_FOLLOWED {
        let why = match open_at(&target, route).await {
            Err(why @ Why::Redirected { .. }) => why,
            opened => return opened,
        };
        let Why::Redirected { status, location: Some(location) } = &why else { return Err(why) };
        let next = redirect::followed(&target.url, *status, location);
        let base = next.as_deref().and_then(|next| next.strip_suffix(CHANNELS_PATH));
        let Some(base) = base else { return Err(why) };
        target.url = format!("{base}{SOCKET_PATH}");
    }
    open_at(&target, route).await
}

async fn open_at(target: &Endpoint, route: Route) -> Result<Channel, Why> {
    target.check_upgrade()?;
    let base = target.url.split_once(SOCKET_PATH).map_or(target.url.as_str(), |(base, _)| base).to_owned();
    let http = Arc::new(Http::new(target).await?);
    let url = format!("{base}{CHANNELS_PATH}");
    let (method, headers, body) = (Method::POST, Vec::new(), Vec::new());
    let ask = http_requests::Ask { method, url: &url, headers, body, may_repeat: false, is_held: false };
    let begun = Instant::now();
    let reply = http.request(ask).await?;
    target.trace.answered(is_marked(&reply));
    let refused = refusal(&reply).why();
    if !matches!(reply.status, 200 | 201) || !is_marked(&reply) {
        return Err(redirected(&reply, &url).unwrap_or(refused));
    }
    let takes_gzip = target.compression != Compression::Off
        && reply.headers.get(ACCEPT_ENCODING).is_some_and(|coding| coding == GZIP);
    let opened = serde_json::from_slice::<Opened>(&reply.whole(MAX_ANSWER_BYTES).await?);
    target.trace.answered(false);
    let id = opened.ok().map(|opened| opened.channel).filter(|id| id.len() <= 256);
    let mut id = id.and_then(|id| HeaderValue::try_from(id).ok()).ok_or(refused)?;
    id.set_sensitive(true);
    let deflater = takes_gzip.then(Deflater::default);
    let mut channel = Channel { http, base, id, first: None, deflater, is_over: false };
    if route.is_lasting() {
        let patience = FIRST_PIECE + 2 * begun.elapsed();
        let ask = course::Ask { route, wait_ms: 0, at: crate::model::time::BootMs(0) };
        let opening = async {
            let mut answered = channel.ask(ask, Request { from: 1, turn: 0 }).await?;
            let piece = match &mut answered {
                // Something between that keeps the response until it is long would keep this, too.
                Answered::Frames(reply) => reply.piece().await.unwrap_or(Err(ended_early()))?.to_vec(),
                _ => Vec::new(),
            };
            Ok((answered, piece))
        };
        let opened = timeout(patience, opening).await;
        let held_back = Err(Why::TimedOut { during: Phase::Handshake });
        let (answered, piece) = opened.unwrap_or(held_back)?;
        match answered {
            Answered::Frames(reply) => channel.first = Some((reply, piece)),
            Answered::Not(refusal) => return Err(refusal.why()),
            Answered::Ended(why) => return Err(why),
            Answered::Received(_) | Answered::Missing(_) | Answered::Late => return Err(ended_early()),
        }
    }
    Ok(channel)
}

fn ended_early() -> Why {
    Why::Lost { detail: "the response ended before anything was in it".to_owned() }
}

fn is_marked(reply: &Reply) -> bool {
    reply.headers.contains_key(DUPLEX_HEADER)
}

fn refusal(reply: &Reply) -> Refusal {
    let retry_after_ms = upgrade::retry_after_ms(&reply.headers);
    Refusal { status: reply.status, by_server: is_marked(reply), retry_after_ms }
}

fn redirected(reply: &Reply, url: &str) -> Option<Why> {
    let status = reply.status;
    let location = upgrade::location(&reply.headers, url);
    matches!(status, 300..=303 | 307 | 308).then_some(Why::Redirected { status, location })
}

/// Reads an answer without frames.
async fn told(reply: Reply) -> Answered {
    let refusal = refusal(&reply);
    if !refusal.by_server {
        return Answered::Not(refusal);
    }
    let body = timeout(MAX_BODY, reply.whole(MAX_ANSWER_BYTES)).await;
    let Ok(Ok(body)) = body else { return Answered::Not(Refusal { status: 504, ..refusal }) };
    let told: Told = serde_json::from_slice(&body).unwrap_or_default();
    match (refusal.status, told.received) {
        (200..=299, Some(received)) => Answered::Received(received),
        (409, Some(received)) if told.refused == "gap" => Answered::Missing(received),
        (409, _) if told.refused == "late" => Answered::Late,
        (409, _) => {
            Answered::Ended(Why::Lost { detail: format!("the server has another state ({})", told.refused) })
        }
        (410, _) if told.code == Some(ABNORMAL) => Answered::Ended(Why::Lost { detail: told.reason }),
        (410, _) if told.code.is_some() => Answered::Ended(Why::Closed {
            code: told.code,
            reason: told.reason,
            retry_after_ms: told.retry_after_ms,
            closing: Closing::ByServer,
        }),
        (401 | 403 | 421, _) => Answered::Ended(refusal.why()),
        (404 | 410, _) => {
            Answered::Ended(Why::Lost { detail: "the server has no such channel any more".to_owned() })
        }
        _ => Answered::Not(refusal),
    }
}
