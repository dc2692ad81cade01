//! A single HTTP request to the host, port and certificate of a WebSocket target.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

use super::proxy::Forward;
use super::{Endpoint, UrlParts, connect, scheme, tls};
use crate::model::link_state::{Phase, Why};

/// Maximum size of an answer, in bytes; the rest is not read.
const MAX_ANSWER_BYTES: u64 = 64 * 1024;
const MAX_HEADERS: usize = 64;

/// An HTTP response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status. Redirects are returned, not followed.
    pub status: u16,
    /// The body; truncated if it is long.
    pub body: Vec<u8>,
}

/// Requests `path` from the target's host. Sends none of the target's headers, so no credentials.
///
/// # Errors
/// Why no answer arrived within [`Target::deadline`].
pub async fn get(target: &Endpoint, path: &str) -> Result<Response, Why> {
    let deadline = Instant::now() + target.deadline;
    let timed_out = |during| move |_| Why::TimedOut { during };
    let place = UrlParts::parse(&target.url)?;
    let open = async {
        let connector = if place.secure { Some(tls::connector(target).await?) } else { None };
        Ok((connector, connect::open_for_requests(&place, target).await?))
    };
    let (connector, opened) = timeout_at(deadline, open).await.map_err(timed_out(Phase::Dial))??;
    let ask = async {
        match connector {
            Some(connector) => {
                let mut stream = tls::greet(&connector, &place.host, opened.stream).await?;
                ask(&mut stream, &place, path, None).await
            }
            None => {
                let answer = ask(&mut { opened.stream }, &place, path, opened.forward.as_ref()).await?;
                if let Some(forward) = &opened.forward {
                    forward.check(answer.status, opened.proxy.as_ref())?;
                }
                Ok(answer)
            }
        }
    };
    match timeout_at(deadline, ask).await.map_err(timed_out(Phase::Handshake))? {
        Ok(answer) => Ok(answer),
        Err(why) => Err(scheme::explain(why, &place, target).await),
    }
}

async fn ask<S>(
    stream: &mut S,
    place: &UrlParts,
    path: &str,
    forward: Option<&Forward>,
) -> Result<Response, Why>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let authority = place.uri.authority().map_or("", |authority| authority.as_str());
    let origin = if forward.is_some() { format!("http://{authority}") } else { String::new() };
    let mut request =
        format!("GET {origin}{path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n").into_bytes();
    if let Some(value) = forward.and_then(|forward| forward.authorization.as_ref()) {
        request.extend_from_slice(b"Proxy-Authorization: ");
        request.extend_from_slice(value.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    let lost = |error: std::io::Error| tls::lost(&error);
    stream.write_all(&request).await.map_err(lost)?;
    stream.flush().await.map_err(lost)?;
    let mut answer = Vec::new();
    let read = stream.take(MAX_ANSWER_BYTES).read_to_end(&mut answer).await;
    // A server may close without TLS close_notify; what arrived before is still an answer.
    match read {
        Err(error) if answer.is_empty() => Err(lost(error)),
        _ => parse(&answer),
    }
}

fn parse(bytes: &[u8]) -> Result<Response, Why> {
    let nonsense = || Why::NotWebSocket { detail: "no HTTP answer".to_owned() };
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    match (response.parse(bytes), response.code) {
        (Ok(httparse::Status::Complete(length)), Some(status)) => {
            Ok(Response { status, body: bytes[length..].to_vec() })
        }
        _ => Err(nonsense()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_a_status_and_a_body() {
        let answer = parse(b"HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\nno").unwrap();
        assert_eq!(answer, Response { status: 503, body: b"no".to_vec() });
        for bad in [&b"SSH-2.0-OpenSSH\r\n"[..], b"", b"HTTP/1.1 200 OK\r\nContent-"] {
            assert!(matches!(parse(bad), Err(Why::NotWebSocket { .. })));
        }
    }
}
