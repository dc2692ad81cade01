//! A tunnel through an HTTP proxy (RFC 9110 §9.3.6).

use http::HeaderValue;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::authority;
use crate::model::proxy::{Destination, ProxyKind, ProxyProblem};

/// Maximum size of an answer's head, in bytes.
const MAX_HEAD_BYTES: usize = 16 * 1024;
const MAX_HEADERS: usize = 64;
/// Maximum number of interim answers before the final one.
const MAX_INTERIM: u32 = 8;
/// Maximum length of what is repeated of an answer, in characters.
const MAX_SAID_CHARS: usize = 100;

/// Asks for a tunnel. Afterwards the stream is the server's.
pub(super) async fn connect<S>(
    stream: &mut S,
    to: &Destination<'_>,
    authorization: Option<&HeaderValue>,
) -> Result<(), ProxyProblem>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let place = authority(to);
    let mut request = format!("CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n").into_bytes();
    if let Some(value) = authorization {
        request.extend_from_slice(b"Proxy-Authorization: ");
        request.extend_from_slice(value.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request
        .extend_from_slice(concat!("User-Agent: Duplex/", env!("CARGO_PKG_VERSION"), "\r\n\r\n").as_bytes());
    let sent = async {
        stream.write_all(&request).await?;
        stream.flush().await
    };
    if let Err(error) = sent.await {
        // It may have refused before it read all; its answer is still useful.
        log::debug!("sending CONNECT: {error}");
    }
    let (mut head, mut interim) = (Vec::with_capacity(1024), 0);
    loop {
        match stream.read_buf(&mut head).await {
            Ok(0) => return Err(not_a_proxy("nothing")),
            Ok(_) => {}
            Err(error) => return Err(not_a_proxy(&error.to_string())),
        }
        while let Some((answer, length)) = parse(&head)? {
            if (100..200).contains(&answer.status) && answer.status != 101 {
                interim += 1;
                if interim > MAX_INTERIM {
                    return Err(not_a_proxy("endless interim HTTP answers"));
                }
                head.drain(..length);
                continue;
            }
            check(&answer, &place, authorization.is_some())?;
            // Nothing that we connect to speaks first: this is a page.
            return if head.len() == length { Ok(()) } else { Err(not_a_proxy("a page")) };
        }
        if head.len() > MAX_HEAD_BYTES {
            return Err(not_a_proxy("an endless HTTP answer"));
        }
    }
}

struct Answer {
    status: u16,
    /// The schemes of `Proxy-Authenticate`.
    wants: Vec<String>,
}

/// The head of an answer and its length, once it is complete.
fn parse(bytes: &[u8]) -> Result<Option<(Answer, usize)>, ProxyProblem> {
    // A TLS alert or handshake record.
    if matches!(bytes, [0x15 | 0x16, 0x03, ..]) {
        return Err(ProxyProblem::WrongKind { kind: ProxyKind::Https });
    }
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Response::new(&mut headers);
    match parsed.parse(bytes) {
        Ok(httparse::Status::Partial) => Ok(None),
        Err(error) => {
            let begin = String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_SAID_CHARS)]);
            let begin: String = begin.chars().take_while(|c| !c.is_control()).collect();
            Err(not_a_proxy(if begin.is_empty() { error.to_string() } else { begin }.as_str()))
        }
        Ok(httparse::Status::Complete(length)) => {
            let is_wanted = |name: &str| name.eq_ignore_ascii_case("proxy-authenticate");
            let wants = parsed.headers.iter().filter(|header| is_wanted(header.name));
            let scheme = |header: &httparse::Header<'_>| {
                let value = String::from_utf8_lossy(header.value).into_owned();
                value.split_whitespace().next().unwrap_or_default().chars().take(MAX_SAID_CHARS).collect()
            };
            let wants = wants.map(scheme).collect();
            Ok(Some((Answer { status: parsed.code.unwrap_or_default(), wants }, length)))
        }
    }
}

fn check(answer: &Answer, place: &str, was_told: bool) -> Result<(), ProxyProblem> {
    let (host, code) = (place.to_owned(), answer.status);
    match code {
        200..300 => Ok(()),
        407 if answer.wants.is_empty()
            || answer.wants.iter().any(|scheme| scheme.eq_ignore_ascii_case("basic")) =>
        {
            Err(ProxyProblem::WantsLogin { was_told })
        }
        407 => Err(ProxyProblem::UnknownLogin { wants: answer.wants.join(", ") }),
        403 | 451 => Err(ProxyProblem::Forbids { host, code }),
        408 | 429 | 500 | 502..=504 => Err(ProxyProblem::NoWay { host, code }),
        code => Err(not_a_proxy(&format!("HTTP {code}"))),
    }
}

fn not_a_proxy(said: &str) -> ProxyProblem {
    ProxyProblem::NotAProxy { said: said.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TO: Destination<'static> = Destination { scheme: "wss", host: "2001:db8::1", port: 443 };

    async fn ask(
        answer: &'static [u8],
        authorization: Option<&HeaderValue>,
    ) -> (Result<(), ProxyProblem>, String) {
        let (mut ours, mut theirs) = tokio::io::duplex(64 * 1024);
        let proxy = tokio::spawn(async move {
            let mut asked = vec![0; 4096];
            let length = theirs.read(&mut asked).await.unwrap();
            // Byte by byte, as a slow network may deliver it.
            for byte in answer {
                if theirs.write_all(&[*byte]).await.is_err() {
                    break;
                }
            }
            asked.truncate(length);
            String::from_utf8(asked).unwrap()
        });
        let answered = connect(&mut ours, &TO, authorization).await;
        drop(ours);
        (answered, proxy.await.unwrap())
    }

    #[tokio::test]
    async fn a_tunnel_is_asked_for_and_its_answer_understood() {
        let (answered, asked) = ask(b"HTTP/1.1 200 Connection established\r\n\r\n", None).await;
        assert_eq!(answered, Ok(()));
        assert!(
            asked.starts_with("CONNECT [2001:db8::1]:443 HTTP/1.1\r\nHost: [2001:db8::1]:443\r\n"),
            "{asked}"
        );
        assert!(!asked.contains("Authorization"), "{asked}");
        let value = HeaderValue::from_static("Basic bWU6cGFzcw==");
        let (answered, asked) = ask(b"HTTP/1.0 200 OK\r\nVia: x\r\n\r\n", Some(&value)).await;
        assert_eq!(answered, Ok(()));
        assert!(asked.contains("\r\nProxy-Authorization: Basic bWU6cGFzcw==\r\n"), "{asked}");
        let (answered, _) = ask(b"HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", None).await;
        assert_eq!(answered, Ok(()));
    }

    #[tokio::test]
    async fn a_refusal_says_what_is_wrong() {
        let basic = b"HTTP/1.1 407 x\r\nProxy-Authenticate: Negotiate\r\nproxy-authenticate: basic realm=\"x\"\r\n\r\n";
        assert_eq!(ask(basic, None).await.0, Err(ProxyProblem::WantsLogin { was_told: false }));
        let value = HeaderValue::from_static("Basic x");
        assert_eq!(ask(basic, Some(&value)).await.0, Err(ProxyProblem::WantsLogin { was_told: true }));
        let other =
            b"HTTP/1.1 407 x\r\nProxy-Authenticate: NTLM\r\nProxy-Authenticate: Digest realm=x\r\n\r\n";
        let wants = "NTLM, Digest".to_owned();
        assert_eq!(ask(other, None).await.0, Err(ProxyProblem::UnknownLogin { wants }));
        let host = || "[2001:db8::1]:443".to_owned();
        let forbids = ask(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", None).await.0;
        assert_eq!(forbids, Err(ProxyProblem::Forbids { host: host(), code: 403 }));
        let no_way = ask(b"HTTP/1.1 503 Service Unavailable\r\n\r\n", None).await.0;
        assert_eq!(no_way, Err(ProxyProblem::NoWay { host: host(), code: 503 }));
        let tls = ask(b"\x15\x03\x01\x00\x02\x02\x0a", None).await.0;
        assert_eq!(tls, Err(ProxyProblem::WrongKind { kind: ProxyKind::Https }));
        let portal = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>";
        for odd in [
            &b"SSH-2.0-OpenSSH_9.2\r\n"[..],
            b"",
            b"HTTP/1.1 405 Method Not Allowed\r\n\r\n",
            b"HTTP/1.1 302 Found\r\nLocation: http://portal/\r\n\r\n",
            b"HTTP/1.1 200",
            b"HTTP/1.1 100 Continue\r\n\r\n",
        ] {
            assert!(matches!(ask(odd, None).await.0, Err(ProxyProblem::NotAProxy { .. })), "{odd:?}");
        }
        // All at once: byte by byte the page would look like what the server says.
        let (mut ours, mut theirs) = tokio::io::duplex(4096);
        theirs.write_all(portal).await.unwrap();
        let answered = connect(&mut ours, &TO, None).await;
        assert_eq!(answered, Err(ProxyProblem::NotAProxy { said: "a page".into() }));
        let endless = Box::leak(
            format!("HTTP/1.1 200 OK\r\nX: {}", "a".repeat(40_000)).into_bytes().into_boxed_slice(),
        );
        assert!(matches!(ask(endless, None).await.0, Err(ProxyProblem::NotAProxy { .. })));
    }
}
