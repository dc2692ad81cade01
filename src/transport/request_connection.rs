//! [`RequestConnection`]: a connection for HTTP requests, by the version that the server chose: HTTP/1.1, one request at a time, or
//! HTTP/2, many at a time.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::{TrySendError, http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};

use super::proxy::Forward;
use crate::model::link_state::Why;
use crate::model::proxy::ProxyUsed;
use crate::model::route::HttpVersion;

/// What is offered by ALPN for requests, the preferred version first.
pub(super) const OFFERED: &[&[u8]] = &[HTTP_2, HTTP_1];
/// The name of HTTP/2 there (RFC 9113 §3.2).
pub(super) const HTTP_2: &[u8] = b"h2";
/// The name of HTTP/1.1 there (RFC 7301 §6).
pub(super) const HTTP_1: &[u8] = b"http/1.1";
/// How long a server may say nothing while it has a request, before it is pinged; and how long it may take to answer that.
const PING_AFTER: Duration = Duration::from_secs(12);
const MAX_PING: Duration = Duration::from_secs(5);
/// Bytes of one answer, and of all answers of a connection, that a server may send before they are read.
const ANSWER_WINDOW_BYTES: u32 = 256 * 1024;
const WINDOW_BYTES: u32 = 1024 * 1024;
/// Bytes of a request that are kept until they are sent.
const MAX_UNSENT_BYTES: usize = 64 * 1024;
/// Maximum size of the head of an answer, in bytes.
const MAX_HEAD_BYTES: u32 = 32 * 1024;

type Body = Full<Bytes>;

/// See the module. Clones share an HTTP/2 connection; of an HTTP/1.1 connection there are none.
pub(super) struct RequestConnection {
    requests: Requests,
    /// A proxy forwards the requests.
    pub(super) forward: Option<Forward>,
    pub(super) proxy: Option<ProxyUsed>,
}

enum Requests {
    Http1(http1::SendRequest<Body>),
    Http2(http2::SendRequest<Body>, Arc<Identity>),
}

/// Tells one HTTP/2 connection from another.
pub(super) struct Identity;

/// Why a request was not answered.
pub(super) struct Unanswered {
    pub(super) why: Why,
    pub(super) fate: Fate,
}

/// What became of a request that was not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Nothing of it was sent.
    Unsent,
    /// The server has not begun with it and says so (RFC 9113 §8.7).
    Refused,
    /// The server may have carried it out.
    Unknown,
}

impl From<Why> for Unanswered {
    fn from(why: Why) -> Unanswered {
        Unanswered { why, fate: Fate::Unknown }
    }
}

impl RequestConnection {
    /// Begins with requests over a stream.
    pub(super) async fn begin<S>(stream: S, version: HttpVersion) -> Result<RequestConnection, Why>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let io = TokioIo::new(stream);
        let requests = match version {
            HttpVersion::Http1 => {
                let (requests, connection) = http1::handshake(io).await.map_err(lost)?;
                // It ends with its sender, or with an error that the request has, too.
                tokio::spawn(async move { drop(connection.await) });
                Requests::Http1(requests)
            }
            HttpVersion::Http2 => {
                let (requests, connection) = http2::Builder::new(TokioExecutor::new())
                    .timer(TokioTimer::new())
                    .keep_alive_interval(PING_AFTER)
                    .keep_alive_timeout(MAX_PING)
                    .initial_stream_window_size(ANSWER_WINDOW_BYTES)
                    .initial_connection_window_size(WINDOW_BYTES)
                    .max_send_buf_size(MAX_UNSENT_BYTES)
                    .max_header_list_size(MAX_HEAD_BYTES)
                    .handshake(io)
                    .await
                    .map_err(lost)?;
                tokio::spawn(async move { drop(connection.await) });
                Requests::Http2(requests, Arc::new(Identity))
            }
        };
        Ok(RequestConnection { requests, forward: None, proxy: None })
    }

    pub(super) fn version(&self) -> HttpVersion {
        match self.requests {
            Requests::Http1(_) => HttpVersion::Http1,
            Requests::Http2(..) => HttpVersion::Http2,
        }
    }

    /// The same connection for another request at the same time, if it can have one.
    pub(super) fn share(&self) -> Option<RequestConnection> {
        let Requests::Http2(requests, identity) = &self.requests else { return None };
        let requests = Requests::Http2(requests.clone(), Arc::clone(identity));
        Some(RequestConnection { requests, forward: self.forward.clone(), proxy: self.proxy.clone() })
    }

    /// What clones of it have in common, and nothing else has.
    pub(super) fn identity(&self) -> Option<&Arc<Identity>> {
        match &self.requests {
            Requests::Http1(_) => None,
            Requests::Http2(_, identity) => Some(identity),
        }
    }

    /// Whether another clone has a request: the connection is then watched by pings.
    pub(super) fn is_watched(&self) -> bool {
        self.identity().is_some_and(|identity| Arc::strong_count(identity) > 1)
    }

    pub(super) fn is_closed(&self) -> bool {
        match &self.requests {
            Requests::Http1(requests) => requests.is_closed(),
            Requests::Http2(requests, _) => requests.is_closed(),
        }
    }

    /// Waits until it can take a request; false if it takes none any more.
    pub(super) async fn ready(&mut self) -> bool {
        match &mut self.requests {
            Requests::Http1(requests) => requests.ready().await.is_ok(),
            Requests::Http2(requests, _) => requests.ready().await.is_ok(),
        }
    }

    /// Makes a request and waits for the head of its answer.
    pub(super) async fn ask(&mut self, request: Request<Body>) -> Result<Response<Incoming>, Unanswered> {
        let answered = match &mut self.requests {
            Requests::Http1(requests) => requests.try_send_request(request).await,
            Requests::Http2(requests, _) => requests.try_send_request(request).await,
        };
        answered.map_err(|error: TrySendError<Request<Body>>| {
            let is_unsent = error.message().is_some();
            let error = error.into_error();
            let fate = match is_refused(&error) {
                _ if is_unsent => Fate::Unsent,
                true => Fate::Refused,
                false => Fate::Unknown,
            };
            Unanswered { why: lost(error), fate }
        })
    }
}

/// Whether a server says that it has not begun with a request: it refuses it, or ends the connection after earlier ones.
fn is_refused(error: &hyper::Error) -> bool {
    let Some(error) = error.source().and_then(|error| error.downcast_ref::<h2::Error>()) else {
        return false;
    };
    let is_last = error.is_go_away() && error.is_remote() && error.reason() == Some(h2::Reason::NO_ERROR);
    is_last || error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM)
}

pub(super) fn lost(error: hyper::Error) -> Why {
    match error.is_parse() {
        true => Why::NotWebSocket { detail: format!("no HTTP answer ({error})") },
        false => Why::Lost { detail: error.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What becomes of a request that an HTTP/2 server treats like this.
    async fn fate(
        server: impl AsyncFnOnce(h2::server::Connection<tokio::io::DuplexStream, Bytes>) + Send + 'static,
    ) -> Fate {
        let (near, far) = tokio::io::duplex(64 * 1024);
        let serve = async move { server(h2::server::handshake(far).await.unwrap()).await };
        let ask = async move {
            let mut connection = RequestConnection::begin(near, HttpVersion::Http2).await.ok().unwrap();
            let request = Request::get("https://hub.test/").body(Body::default()).unwrap();
            connection.ask(request).await.expect_err("no answer").fate
        };
        tokio::join!(ask, serve).0
    }

    #[tokio::test]
    async fn a_request_that_a_server_has_not_begun_with_is_told_from_one_that_it_has() {
        let refused = fate(async |mut server| {
            let (_, mut answer) = server.accept().await.unwrap().unwrap();
            answer.send_reset(h2::Reason::REFUSED_STREAM);
            drop(answer);
            server.accept().await;
        });
        assert_eq!(refused.await, Fate::Refused);
        let cut = fate(async |mut server| {
            let (_, mut answer) = server.accept().await.unwrap().unwrap();
            answer.send_reset(h2::Reason::INTERNAL_ERROR);
            drop(answer);
            server.accept().await;
        });
        assert_eq!(cut.await, Fate::Unknown);
        let closed = fate(async |mut server| {
            drop(server.accept().await.unwrap().unwrap());
            server.abrupt_shutdown(h2::Reason::PROTOCOL_ERROR);
            server.accept().await;
        });
        assert_eq!(closed.await, Fate::Unknown);
    }
}
