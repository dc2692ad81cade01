//! HTTP requests over one connection, to the host, port and certificate of a WebSocket target. Redirects are returned, not
//! followed: what a request carries goes to this server alone.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinHandle;
use tokio::time::{Duration, Instant, timeout, timeout_at};

use super::connect::Opened;
use super::proxy::Forward;
use super::{Endpoint, UrlParts, connect, tls};
use crate::model::link_state::{Phase, Why};
use crate::model::proxy::ProxyUsed;

/// Maximum size of an answer that is read as a whole, in bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// How long the next piece of an answer may take.
const IDLE: Duration = Duration::from_secs(30);

/// An open connection.
#[derive(Debug)]
pub struct HttpConnection {
    sender: SendRequest<Full<Bytes>>,
    authority: String,
    /// A proxy forwards the requests.
    forward: Option<Forward>,
    proxy: Option<ProxyUsed>,
    driver: JoinHandle<()>,
}

/// The head of an answer, and its body, which is still to come.
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    body: Incoming,
}

impl Drop for HttpConnection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl HttpConnection {
    /// Connects. None of the target's headers are sent.
    ///
    /// # Errors
    /// Why the connection could not be opened within [`Endpoint::deadline`].
    pub async fn open(target: &Endpoint) -> Result<HttpConnection, Why> {
        let deadline = Instant::now() + target.deadline;
        let place = UrlParts::parse(&target.url)?;
        let open = async {
            let connector = if place.secure { Some(tls::connector(target).await?) } else { None };
            let Opened { stream, proxy, forward } = connect::open_for_requests(&place, target).await?;
            let mut connection = match connector {
                Some(connector) => begin(tls::greet(&connector, &place.host, stream).await?, &place).await,
                None => begin(stream, &place).await,
            }?;
            (connection.forward, connection.proxy) = (forward, proxy);
            Ok(connection)
        };
        timeout_at(deadline, open).await.map_err(|_| Why::TimedOut { during: Phase::Dial })?
    }

    /// The same at an address of this kind alone, and never through a proxy: only so it is known what is dialed. A host's
    /// addresses are looked up once: what is looked at is dialed.
    ///
    /// # Errors
    /// As [`HttpConnection::open`], and where no address is of this kind.
    pub async fn open_where(
        target: &Endpoint,
        is_allowed: fn(IpAddr) -> bool,
    ) -> Result<HttpConnection, Why> {
        let deadline = Instant::now() + target.deadline;
        let place = UrlParts::parse(&target.url)?;
        let open = async {
            if place.secure {
                let connector = tls::connector(target).await?;
                let stream = connect::connect_where(&place.dialed(), place.port, is_allowed).await?;
                begin(tls::greet(&connector, &place.host, stream).await?, &place).await
            } else {
                let stream = connect::connect_where(&place.dialed(), place.port, is_allowed).await?;
                begin(stream, &place).await
            }
        };
        timeout_at(deadline, open).await.map_err(|_| Why::TimedOut { during: Phase::Dial })?
    }

    /// Where it leads: `host:port`, as dialed.
    pub fn address(&self) -> &str {
        &self.authority
    }

    /// Sends a request, and waits for the head of its answer. A request after this one needs its body read to the end.
    ///
    /// # Errors
    /// The connection was lost, or no answer came in time.
    pub async fn request(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(HeaderName, HeaderValue)],
        body: Bytes,
        within: Duration,
    ) -> Result<Answer, Why> {
        let bad = |error: http::Error| Why::BadUrl { detail: error.to_string() };
        let host = HeaderValue::try_from(&self.authority).map_err(|error| bad(error.into()))?;
        let uri = match self.forward {
            Some(_) => format!("http://{}{path}", self.authority),
            None => path.to_owned(),
        };
        let mut request = Request::builder().method(method).uri(uri).body(Full::new(body)).map_err(bad)?;
        request.headers_mut().insert(header::HOST, host);
        if let Some(value) = self.forward.as_ref().and_then(|forward| forward.authorization.clone()) {
            request.headers_mut().insert(header::PROXY_AUTHORIZATION, value);
        }
        for (name, value) in headers {
            request.headers_mut().insert(name, value.clone());
        }
        let ask = async {
            self.sender.ready().await.map_err(|error| lost(&error))?;
            self.sender.send_request(request).await.map_err(|error| lost(&error))
        };
        let answer = timeout(within, ask).await.map_err(|_| Why::TimedOut { during: Phase::Handshake })??;
        let (parts, body) = answer.into_parts();
        if let Some(forward) = &self.forward {
            forward.check(parts.status.as_u16(), self.proxy.as_ref())?;
        }
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    }
}

async fn begin<S>(stream: S, place: &UrlParts) -> Result<HttpConnection, Why>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|error| lost(&error))?;
    let driver = tokio::spawn(async move {
        // Whoever waits for an answer is told, too.
        if let Err(error) = connection.await {
            log::debug!("an HTTP connection ended: {error}");
        }
    });
    let authority = place.uri.authority().map_or("", |authority| authority.as_str()).to_owned();
    Ok(HttpConnection { sender, authority, forward: None, proxy: None, driver })
}

fn lost(error: &hyper::Error) -> Why {
    Why::Lost { detail: error.to_string() }
}

impl Answer {
    /// The next piece of the body; `None` at its end.
    ///
    /// # Errors
    /// The connection was lost before the end, or nothing came for long.
    pub async fn piece(&mut self) -> Result<Option<Bytes>, Why> {
        loop {
            match timeout(IDLE, self.body.frame()).await {
                Err(_) => return Err(Why::TimedOut { during: Phase::Handshake }),
                Ok(None) => return Ok(None),
                Ok(Some(Err(error))) => return Err(lost(&error)),
                Ok(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
            }
        }
    }

    /// The whole body of a short answer; what is beyond 64 KiB is left out.
    ///
    /// # Errors
    /// As [`Answer::piece`].
    pub async fn whole(mut self) -> Result<Vec<u8>, Why> {
        let mut whole = Vec::new();
        while let Some(piece) = self.piece().await? {
            let room = MAX_ANSWER_BYTES - whole.len();
            whole.extend_from_slice(&piece[..piece.len().min(room)]);
            if whole.len() == MAX_ANSWER_BYTES {
                break;
            }
        }
        Ok(whole)
    }
}
