//! The HTTP request that upgrades a stream to a WebSocket (RFC 6455 §4.1).
//!
//! The response is parsed here rather than by tungstenite, which cannot tell a refusal by an HTTP/1.0 server from
//! garbage, rejects `Connection: keep-alive, Upgrade`, and lets a server choose extensions that were not offered.

use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::generate_request;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::{Endpoint, UrlParts, tls};
use crate::model::address::without_zone;
use crate::model::link_state::Why;
use crate::wire::duplex::channel::DUPLEX_HEADER;

/// Maximum size of a response head, in bytes.
const MAX_HEAD: usize = 32 * 1024;
const MAX_HEADERS: usize = 128;
/// Maximum number of interim responses (100, 102, 103) before the final one.
const MAX_INTERIM: u32 = 8;
/// Maximum length of a redirect's `Location`, in bytes.
const MAX_LOCATION_BYTES: usize = 2_048;

/// A successful upgrade.
#[derive(Debug)]
pub(super) struct Upgraded {
    /// The subprotocol agreed on.
    pub(super) subprotocol: Option<String>,
    /// Bytes that the server sent right after its response.
    pub(super) tail: Vec<u8>,
}

/// Requests the upgrade and reads the response.
pub(super) async fn upgrade<S>(stream: &mut S, place: &UrlParts, target: &Endpoint) -> Result<Upgraded, Why>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (request, key) = request(place, target)?;
    let sent = async {
        stream.write_all(&request).await?;
        stream.flush().await
    };
    if let Err(error) = sent.await {
        // A server may refuse and close before it has read the whole request; its response is still useful.
        log::debug!("sending the upgrade request: {error}");
    }
    let mut head = Vec::with_capacity(1024);
    let (response, length) = read_head(stream, &mut head).await?;
    target.trace.answered(response.headers().contains_key(DUPLEX_HEADER));
    let subprotocol = check(&response, &key, target)?;
    Ok(Upgraded { subprotocol, tail: head.split_off(length) })
}

/// Reads the head of a response into `head`; returns it with its length. Interim responses are left out.
pub(super) async fn read_head<S>(stream: &mut S, head: &mut Vec<u8>) -> Result<(Response<()>, usize), Why>
where
    S: AsyncRead + Unpin,
{
    let mut interim = 0;
    loop {
        let hung_up = || Why::Lost { detail: "the server hung up instead of answering".to_owned() };
        match stream.read_buf(head).await {
            Ok(0) => return Err(hung_up()),
            Ok(_) => {}
            Err(error) => return Err(tls::lost(&error)),
        }
        while let Some((response, length)) = parse(head)? {
            if !is_interim(response.status()) {
                return Ok((response, length));
            }
            // RFC 9110 §15.2: a client must be able to parse them, and may ignore them.
            interim += 1;
            if interim > MAX_INTERIM {
                return Err(no_web_socket("endless interim HTTP answers"));
            }
            head.drain(..length);
        }
        if head.len() > MAX_HEAD {
            return Err(no_web_socket("an endless HTTP answer"));
        }
    }
}

/// The request's bytes, and the key that the response must prove knowledge of.
pub(super) fn request(place: &UrlParts, target: &Endpoint) -> Result<(Vec<u8>, String), Why> {
    let bad = |detail: String| Why::BadUrl { detail };
    let mut request = place.uri.clone().into_client_request().map_err(|error| bad(error.to_string()))?;
    target.check_upgrade()?;
    for (name, value) in &target.headers {
        request.headers_mut().append(name, value.clone());
    }
    if !target.subprotocols.is_empty() {
        let offered = target.subprotocols.join(", ");
        let value = HeaderValue::try_from(offered).map_err(|error| bad(error.to_string()))?;
        request.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, value);
    }
    generate_request(request).map_err(|error| bad(error.to_string()))
}

/// The response head and its length, once it is complete.
fn parse(bytes: &[u8]) -> Result<Option<(Response<()>, usize)>, Why> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Response::new(&mut headers);
    let length = match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(no_web_socket(&format!("no HTTP answer ({error})"))),
    };
    let mut response = Response::new(());
    let status = parsed.code.and_then(|code| StatusCode::from_u16(code).ok());
    *response.status_mut() = status.ok_or_else(|| no_web_socket("an HTTP answer without a status"))?;
    for field in parsed.headers.iter() {
        let name = HeaderName::from_bytes(field.name.as_bytes());
        let value = HeaderValue::from_bytes(field.value);
        if let (Ok(name), Ok(value)) = (name, value) {
            response.headers_mut().append(name, value);
        }
    }
    Ok(Some((response, length)))
}

fn is_interim(status: StatusCode) -> bool {
    status.is_informational() && status != StatusCode::SWITCHING_PROTOCOLS
}

/// The target of a redirect, resolved to an absolute URL.
pub(super) fn location(headers: &HeaderMap, url: &str) -> Option<String> {
    let text = String::from_utf8_lossy(headers.get(header::LOCATION)?.as_bytes()).into_owned();
    let text = text.trim();
    if text.is_empty() || text.len() > MAX_LOCATION_BYTES {
        return None;
    }
    let base = url::Url::parse(&without_zone(url).0).ok()?;
    Some(base.join(text).map_or_else(|_| text.to_owned(), String::from))
}

/// RFC 6455 §4.1, "the client MUST validate the server's response". Returns the subprotocol.
fn check(response: &Response<()>, key: &str, target: &Endpoint) -> Result<Option<String>, Why> {
    let (status, headers) = (response.status(), response.headers());
    if let 300..=303 | 307 | 308 = status.as_u16() {
        return Err(Why::Redirected { status: status.as_u16(), location: location(headers, &target.url) });
    }
    if status != StatusCode::SWITCHING_PROTOCOLS {
        return Err(Why::Http { status: status.as_u16(), retry_after_ms: retry_after_ms(headers) });
    }
    if !has_token(headers, header::UPGRADE, "websocket") || !has_token(headers, header::CONNECTION, "upgrade")
    {
        return Err(no_web_socket("an upgrade to something else"));
    }
    let accept = headers.get(header::SEC_WEBSOCKET_ACCEPT).map(HeaderValue::as_bytes);
    if accept != Some(derive_accept_key(key.as_bytes()).as_bytes()) {
        return Err(no_web_socket("an upgrade that does not answer our key"));
    }
    if let Some(chosen) =
        joined(headers, header::SEC_WEBSOCKET_EXTENSIONS).filter(|chosen| !chosen.is_empty())
    {
        let detail = format!("the server chose the extension {chosen}, which was not offered");
        return Err(Why::Violation { detail });
    }
    let offered = &target.subprotocols;
    match joined(headers, header::SEC_WEBSOCKET_PROTOCOL) {
        None if target.subprotocol_needed && !offered.is_empty() => {
            Err(Why::NoSubprotocol { offered: offered.clone() })
        }
        Some(chosen) if !offered.contains(&chosen) => {
            let offered = if offered.is_empty() { "none".to_owned() } else { offered.join(", ") };
            let detail = format!(
                "the server chose the subprotocol \"{chosen}\", which was not offered (offered: {offered})"
            );
            Err(Why::Violation { detail })
        }
        chosen => Ok(chosen),
    }
}

/// A header's value; repeated headers are joined (RFC 9110 §5.3).
pub(super) fn joined(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    let values = headers.get_all(name).into_iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    values.map(|value| value.trim().to_owned()).reduce(|all, value| format!("{all}, {value}"))
}

/// Whether a comma-separated header contains `token`, ignoring case.
fn has_token(headers: &HeaderMap, name: HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|part| part.trim().eq_ignore_ascii_case(token))
}

/// `Retry-After` (RFC 9110 §10.2.3) in milliseconds: seconds, or a date relative to the response's own `Date`, so
/// that our clock does not matter. A date is ignored if the response has no `Date` (§6.6.1 requires one).
pub(super) fn retry_after_ms(headers: &HeaderMap) -> Option<u64> {
    let date = |name: HeaderName| {
        let text = headers.get(name)?.to_str().ok()?;
        chrono::DateTime::parse_from_rfc2822(text).ok().map(|date| date.timestamp_millis())
    };
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(text.parse::<u64>().unwrap_or(u64::MAX).saturating_mul(1000));
    }
    let (now, until) = (date(header::DATE)?, date(header::RETRY_AFTER)?);
    Some(u64::try_from(until.saturating_sub(now)).unwrap_or(0))
}

fn no_web_socket(said: &str) -> Why {
    Why::NotWebSocket { detail: said.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::upgrade::{self, BadUpgrade};

    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

    fn answer(head: &str, wanted: Option<&str>) -> Result<Option<String>, Why> {
        let head = head.replace('\n', "\r\n") + "\r\n\r\n";
        let (response, length) = parse(head.as_bytes())?.expect("a complete head");
        assert_eq!(length, head.len());
        let mut target = Endpoint::new("wss://hub.example:7870/v1/socket");
        target.subprotocols = wanted.map(str::to_owned).into_iter().collect();
        target.subprotocol_needed = true;
        check(&response, KEY, &target)
    }

    /// The example of RFC 6455 §1.3.
    const GOOD: &str = "HTTP/1.1 101 Switching Protocols\nUpgrade: websocket\nConnection: keep-alive, Upgrade\n\
                        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

    #[test]
    fn an_upgrade_response_is_validated() {
        assert_eq!(answer(GOOD, None), Ok(None));
        let chosen = format!("{GOOD}\nSec-WebSocket-Protocol: mqtt");
        assert_eq!(answer(&chosen, Some("mqtt")), Ok(Some("mqtt".to_owned())));
        assert!(matches!(answer(&chosen, Some("stomp")), Err(Why::Violation { .. })));
        assert!(matches!(answer(&chosen, None), Err(Why::Violation { .. })));
        assert_eq!(answer(GOOD, Some("mqtt")), Err(Why::NoSubprotocol { offered: vec!["mqtt".to_owned()] }));
        let extended = format!("{GOOD}\nSec-WebSocket-Extensions: permessage-deflate");
        assert!(matches!(answer(&extended, None), Err(Why::Violation { .. })));
        for broken in
            [GOOD.replace("s3p", "s3q"), GOOD.replace("websocket", "h2c"), GOOD.replace(", Upgrade", "")]
        {
            assert!(matches!(answer(&broken, None), Err(Why::NotWebSocket { .. })), "{broken}");
        }
    }

    #[test]
    fn the_server_may_choose_one_subprotocol_or_none() {
        let choose = |chosen: &str, needed| {
            let head = format!("{GOOD}{chosen}\n\n").replace('\n', "\r\n");
            let (response, _) = parse(head.as_bytes()).unwrap().unwrap();
            let mut target = Endpoint::new("ws://hub.example/");
            target.subprotocols = vec!["v2.chat".to_owned(), "v1.chat".to_owned()];
            target.subprotocol_needed = needed;
            check(&response, KEY, &target)
        };
        let header = "\nSec-WebSocket-Protocol: ";
        for needed in [true, false] {
            assert_eq!(choose(&format!("{header}v1.chat"), needed), Ok(Some("v1.chat".to_owned())));
            for other in
                ["V1.chat", "v3.chat", "v1.chat, v2.chat", "", "v1.chat\nSec-WebSocket-Protocol: v2.chat"]
            {
                let Err(Why::Violation { detail }) = choose(&format!("{header}{other}"), needed) else {
                    panic!("{other} was accepted")
                };
                assert!(detail.contains("v2.chat, v1.chat"), "what was offered is named: {detail}");
            }
        }
        assert_eq!(choose("", false), Ok(None));
        let offered = vec!["v2.chat".to_owned(), "v1.chat".to_owned()];
        assert_eq!(choose("", true), Err(Why::NoSubprotocol { offered }));
    }

    #[test]
    fn the_request_contains_what_the_target_says() {
        let ask = |target: &Endpoint| {
            let (bytes, _) = request(&UrlParts::parse(&target.url)?, target)?;
            Ok::<_, Why>(String::from_utf8(bytes).unwrap())
        };
        let mut target = Endpoint::new("ws://[::1]:80?room=%ea%b0%80");
        target.subprotocols = vec!["v2.chat".to_owned(), "v1.chat".to_owned()];
        target.headers = vec![upgrade::header("Origin", "https://app.example").unwrap()];
        let text = ask(&target).unwrap();
        assert!(text.starts_with("GET /?room=%ea%b0%80 HTTP/1.1\r\n"), "{text}");
        let lower = text.to_ascii_lowercase();
        for line in ["host: [::1]", "origin: https://app.example", "sec-websocket-protocol: v2.chat, v1.chat"]
        {
            assert!(lower.contains(&format!("\r\n{line}\r\n")), "{line} is not in {text}");
        }
        assert!(!lower.contains("extensions"), "none is offered: {text}");
        target.headers.push((header::HOST, HeaderValue::from_static("elsewhere")));
        assert!(matches!(ask(&target), Err(Why::BadUpgrade { problem: BadUpgrade::Reserved { .. } })));
        target.headers.pop();
        target.subprotocols.push("v1.chat".to_owned());
        assert!(matches!(
            ask(&target),
            Err(Why::BadUpgrade { problem: BadUpgrade::SubprotocolTwice { .. } })
        ));
    }

    #[test]
    fn a_redirect_reports_its_target() {
        let to = |head: &str| match answer(head, None) {
            Err(Why::Redirected { location, .. }) => location,
            other => panic!("{other:?}"),
        };
        for (location, whole) in [
            ("https://other.example/login?next=x", "https://other.example/login?next=x"),
            ("/v1/socket2", "wss://hub.example:7870/v1/socket2"),
            ("//other.example/x", "wss://other.example/x"),
        ] {
            for status in [300, 301, 302, 303, 307, 308] {
                let head = format!("HTTP/1.1 {status} Found\nLocation: {location}");
                assert_eq!(to(&head).as_deref(), Some(whole));
            }
        }
        assert_eq!(to("HTTP/1.1 302 Found"), None);
        assert_eq!(to(&format!("HTTP/1.1 302 Found\nLocation: /{}", "a".repeat(5_000))), None);
    }

    #[tokio::test]
    async fn interim_responses_are_skipped() {
        let answer = |head: &'static str| async move {
            let (mut ours, mut theirs) = tokio::io::duplex(64 * 1024);
            tokio::spawn(async move {
                let mut waste = vec![0; 4096];
                let _ = theirs.read(&mut waste).await;
                let _ = theirs.write_all(head.as_bytes()).await;
            });
            let target = Endpoint::new("ws://hub.example/v1/socket");
            let place = UrlParts::parse(&target.url).unwrap();
            super::upgrade(&mut ours, &place, &target).await.unwrap_err()
        };
        let hints = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 401 No\r\n\r\n";
        assert_eq!(answer(hints).await, Why::Http { status: 401, retry_after_ms: None });
        let endless = Box::leak("HTTP/1.1 100 Continue\r\n\r\n".repeat(100).into_boxed_str());
        assert!(matches!(answer(endless).await, Why::NotWebSocket { .. }));
    }

    #[test]
    fn refusals_keep_their_status() {
        let status = |status, retry_after_ms| Err(Why::Http { status, retry_after_ms });
        assert_eq!(answer("HTTP/1.1 401 Unauthorized", None), status(401, None));
        assert_eq!(answer("HTTP/1.0 404 File not found\nServer: old", None), status(404, None));
        assert_eq!(answer("HTTP/1.1 503 Busy\nRetry-After: 7", None), status(503, Some(7000)));
        let date = "HTTP/1.1 503 Busy\nDate: Sun, 06 Nov 1994 08:49:37 GMT\nRetry-After: Sun, 06 Nov 1994 08:50:07 GMT";
        assert_eq!(answer(date, None), status(503, Some(30_000)));
        let past = date.replace("08:50:07", "08:40:07");
        assert_eq!(answer(&past, None), status(503, Some(0)));
        let timeless = "HTTP/1.1 503 Busy\nRetry-After: Sun, 06 Nov 1994 08:50:07 GMT";
        assert_eq!(answer(timeless, None), status(503, None));
        assert_eq!(answer("HTTP/1.1 503 Busy\nRetry-After: soon", None), status(503, None));
        assert_eq!(answer("HTTP/1.1 200 OK\nContent-Type: text/html", None), status(200, None));
        assert_eq!(answer("HTTP/1.1 304 Not Modified", None), status(304, None));
        assert!(matches!(parse(b"SSH-2.0-OpenSSH_9.2\r\n"), Err(Why::NotWebSocket { .. })));
    }
}
