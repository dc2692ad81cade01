//! Why a connection is down, in one line: what happened and what to do.

use crate::model::address::other_scheme;
use crate::model::link_state::{HttpCause, Why};
use crate::model::proxy::{ProxyProblem, ProxySource, ProxyUsed};
use crate::privacy;

use super::args::Server;
use super::print::harmless;

/// What happened and what to do, in one clause.
pub(super) fn reason(why: &Why) -> String {
    // A server could echo what it received.
    harmless(&privacy::mask(&sentence(why)))
}

/// The same with the dialed address: suggests the right one if only the scheme is wrong.
pub(super) fn reason_at(why: &Why, url: &str) -> String {
    match (why, other_scheme(url)) {
        (Why::WrongScheme { .. }, Some(other)) => {
            harmless(&privacy::mask(&format!("{}; use {other}", wrong_scheme(why))))
        }
        _ => reason(why),
    }
}

/// The same for a command with several protocols, worded for the chosen one.
pub(super) fn reason_of(server: &Server, why: &Why) -> String {
    let sentence = match &server.websocket {
        Some(_) => of_websocket(why),
        None if server.any_protocol => of_another_protocol(why),
        None => None,
    };
    sentence.map_or_else(|| reason_at(why, &server.url.url), |sentence| harmless(&privacy::mask(&sentence)))
}

/// For a server that may use another protocol than Duplex.
fn of_another_protocol(why: &Why) -> Option<String> {
    let hint = "to use any other WebSocket server, add --protocol websocket";
    match why {
        Why::NotDuplex { said } if said.is_empty() => {
            Some(format!("this isn't a Duplex server: it only repeats what it receives; {hint}"))
        }
        Why::NotDuplex { said } => Some(format!("this isn't a Duplex server; {hint}. It said: {said}")),
        Why::NoToken => Some(format!("{}; {hint}", sentence(why))),
        _ => None,
    }
}

/// Where the usual sentence is about Duplex servers or tokens.
fn of_websocket(why: &Why) -> Option<String> {
    let login = "check --user, its password and --header";
    Some(match why {
        Why::Http { status, .. } => {
            let words = match HttpCause::of(*status) {
                HttpCause::UnknownToken => {
                    format!("the server wants you to sign in, or doesn't accept how you do; {login}")
                }
                HttpCause::Forbidden => format!("the server refuses access; {login}"),
                HttpCause::BadRequest => {
                    "the server didn't accept the request; check the address, --subprotocol and --header"
                        .to_owned()
                }
                HttpCause::NoSocket => {
                    "there is a web page at this address, not a WebSocket; check the address".to_owned()
                }
                HttpCause::NoSuchPath => {
                    "there is a web server, but no WebSocket at this path; check the address".to_owned()
                }
                HttpCause::NoUpgrade => {
                    "something on the way, probably a proxy, removes the request for a WebSocket".to_owned()
                }
                HttpCause::WrongName => "the server isn't set up for this host name".to_owned(),
                HttpCause::TooLarge => {
                    "the server finds the request too large; check the address and the headers".to_owned()
                }
                _ => return None,
            };
            format!("{words} (HTTP {status})")
        }
        Why::Redirected { status, location } => {
            let to = location.as_deref().unwrap_or("an address that it doesn't name");
            format!(
                "the server redirects to {to} (HTTP {status}); redirects are followed only within the same host and with no less \
                 encryption, so that your password and headers go to no other server"
            )
        }
        Why::Violation { detail } => format!("the server broke the WebSocket protocol ({detail})"),
        Why::Closed { code, reason, closing, .. } if !closing.is_ours() => {
            let code =
                code.map_or_else(|| "without a code".to_owned(), |code| format!("with {}", close_code(code)));
            let said = if reason.is_empty() { String::new() } else { format!(". It said: {reason}") };
            format!("the server closed the connection {code}{said}")
        }
        _ => return None,
    })
}

/// A close code and its registered meaning.
pub(super) fn close_code(code: u16) -> String {
    match close_meaning(code) {
        Some(meaning) => format!("{code} ({meaning})"),
        None => code.to_string(),
    }
}

/// The registered meaning of a close code (RFC 6455 §7.4 and the IANA registry).
pub(super) fn close_meaning(code: u16) -> Option<&'static str> {
    Some(match code {
        1000 => "normal closure",
        1001 => "going away",
        1002 => "protocol error",
        1003 => "unsupported data",
        1005 => "no code",
        1006 => "no close frame",
        1007 => "invalid data",
        1008 => "policy violation",
        1009 => "message too big",
        1010 => "a required extension is missing",
        1011 => "internal error",
        1012 => "service restart",
        1013 => "try again later",
        1014 => "bad gateway",
        3000 => "unauthorized",
        3003 => "forbidden",
        3008 => "timeout",
        4000..=4999 => "the server's own code",
        _ => return None,
    })
}

/// Long: one sentence for each reason.
fn sentence(why: &Why) -> String {
    match why {
        Why::BadUrl { detail } => format!("the address can't be used ({detail})"),
        Why::NameNotFound { host } => format!("host \"{host}\" not found; check its spelling"),
        Why::ConnectionRefused => {
            "no server is listening at this address; check that it's running and that the port is right"
                .to_owned()
        }
        Why::Unreachable { detail } => format!("network unreachable ({detail})"),
        Why::TimedOut { .. } => "the server does not answer".to_owned(),
        Why::TlsUntrusted { detail } => {
            format!("the server's certificate isn't trusted ({detail}); name its CA with --ca-file FILE")
        }
        Why::TlsFailed { detail } => format!("couldn't set up an encrypted connection ({detail})"),
        Why::WrongScheme { is_tls } => {
            format!("{}; use {} instead", wrong_scheme(why), if *is_tls { "wss://" } else { "ws://" })
        }
        Why::Http { status, .. } => format!("{} (HTTP {status})", http(HttpCause::of(*status))),
        Why::Redirected { status, location } => redirected(*status, location.as_deref()),
        Why::BadUpgrade { problem } => problem.to_string(),
        Why::NoSubprotocol { offered } => {
            format!("the server supports none of the subprotocols offered ({})", offered.join(", "))
        }
        Why::NotWebSocket { detail } => {
            format!("whatever is listening at this address doesn't support WebSocket ({detail})")
        }
        Why::NotDuplex { said } if said.is_empty() => {
            "this isn't a Duplex server: it only repeats what it receives; check the address".to_owned()
        }
        Why::NotDuplex { said } => {
            format!("this isn't a Duplex server; check the address. It said: {said}")
        }
        Why::NotSocketIo { said } => {
            format!("this isn't a Socket.IO server; check the address. It said: {said}")
        }
        Why::NamespaceRefused { namespace, message, .. } if message.is_empty() => {
            format!("the server disconnected this client from the namespace {namespace}")
        }
        Why::NamespaceRefused { namespace, message, data } if data.is_empty() => {
            format!("the server refused the namespace {namespace}: {message}")
        }
        Why::NamespaceRefused { namespace, message, data } => {
            format!("the server refused the namespace {namespace}: {message} {data}")
        }
        Why::Closed { closing, .. } if closing.is_ours() => "this program closed the connection".to_owned(),
        Why::Closed { code: Some(code), reason, .. } => {
            format!("the server closed the connection ({})", format!("{code} {reason}").trim_end())
        }
        Why::Closed { code: None, reason, .. } if reason.is_empty() => {
            "the server closed the connection".to_owned()
        }
        Why::Closed { code: None, reason, .. } => format!("the server closed the connection ({reason})"),
        Why::Lost { detail } => format!("connection lost ({detail})"),
        Why::Silent => "the server stopped responding".to_owned(),
        Why::Violation { detail } => {
            format!(
                "the server sent data that breaks the protocol ({detail}); check that it's a Duplex server"
            )
        }
        Why::Mqtt { code, said } => {
            let words = crate::model::mqtt::reason(*code);
            let words = if words.is_empty() { format!("reason code {code:#04x}") } else { words.to_owned() };
            match said.as_str() {
                "" => format!("the server ends the connection: {words}"),
                said => format!("the server ends the connection: {words}. It said: {said}"),
            }
        }
        Why::TakenOver { is_certain: true } => {
            "another program signed in with the same client id, so the server ended this connection".to_owned()
        }
        Why::TakenOver { is_certain: false } => {
            "the server ended several connections right after they opened; another program probably uses the same client id"
                .to_owned()
        }
        Why::Refused { of, said, .. } => {
            let what = of.as_deref().unwrap_or("the connection");
            match said.as_str() {
                "" => format!("the server refuses {what}"),
                said => format!("the server refuses {what}. It said: {said}"),
            }
        }
        Why::NoCommonVersion { ours, theirs } => format!(
            "the server uses protocol versions {} to {}, this program {} to {}; update the older one",
            theirs.0, theirs.1, ours.0, ours.1
        ),
        Why::Unauthorized => http(HttpCause::UnknownToken).to_owned(),
        Why::Withdrawn => "your access was withdrawn; ask your server's admin for a new token".to_owned(),
        Why::Forbidden => "this token isn't allowed to do that".to_owned(),
        Why::InviteRefused => {
            "the invite is not valid: it was used, has expired, or was never issued".to_owned()
        }
        Why::Impostor => {
            "another program is using the address of your own hub; your token was not sent".to_owned()
        }
        Why::BadCaFile { path, detail } => {
            format!("{} isn't a valid CA certificate file ({detail})", path.display())
        }
        Why::BadClientCertificate { path, detail } => {
            format!("{} can't be used as the client certificate ({detail})", path.display())
        }
        Why::NoClientCertificate => {
            "the server asks for a client certificate; name its PEM file with --client-cert FILE".to_owned()
        }
        Why::ClientCertificateRefused { detail } => {
            format!("the server doesn't accept the client certificate ({detail})")
        }
        Why::Unsupported { detail } => detail.clone(),
        Why::HubFailed { detail } => format!("the hub failed ({detail})"),
        Why::NoToken => "a token is needed; give one with --token-file FILE or DUPLEX_TOKEN".to_owned(),
        Why::Proxy { proxy: used, problem } => proxy(used.as_deref(), problem),
        Why::HubLogMissing { path, .. } => format!("the hub's log {} is missing", path.display()),
        Why::HubLogDamaged { path, detail } => {
            format!("the hub's log {} is damaged ({detail})", path.display())
        }
    }
}

/// What is wrong at a proxy, and what to do.
fn proxy(used: Option<&ProxyUsed>, problem: &ProxyProblem) -> String {
    let name = used.map(|used| used.address.to_string()).unwrap_or_default();
    let from = |source: &ProxySource| match source {
        ProxySource::Chosen => "--proxy".to_owned(),
        ProxySource::Variable(name) => format!("the environment variable {name}"),
        ProxySource::System => "the system's settings".to_owned(),
    };
    let by = used.map_or_else(|| "--proxy".to_owned(), |used| from(&used.source));
    match problem {
        ProxyProblem::Bad { source, bad } => format!("the proxy in {} can't be used: {bad}", from(source)),
        ProxyProblem::NameNotFound => {
            format!("the proxy {name} was not found; check {by}, or use --proxy none")
        }
        ProxyProblem::Unreachable { detail } => {
            format!("the proxy {name} can't be reached ({detail}); check {by}, or use --proxy none")
        }
        ProxyProblem::TimedOut => format!("the proxy {name}, or the server behind it, didn't answer in time"),
        ProxyProblem::WantsLogin { was_told: false } => {
            format!(
                "the proxy {name} asks for a user name and a password; give them in {by}: http://user:password@host:port"
            )
        }
        ProxyProblem::WantsLogin { was_told: true } => {
            format!("the proxy {name} doesn't accept the user name or the password of {by}")
        }
        ProxyProblem::UnknownLogin { wants } => format!(
            "the proxy {name} asks to sign in in a way that isn't supported ({wants}); only Basic and SOCKS 5's user name and \
             password are"
        ),
        ProxyProblem::Forbids { host, code } => format!(
            "the proxy {name} doesn't allow connections to {host} ({code}); many proxies only allow port 443"
        ),
        ProxyProblem::NoWay { host, code } => format!("the proxy {name} can't reach {host} ({code})"),
        ProxyProblem::NotAProxy { said } => {
            format!(
                "what answers at {name} isn't a proxy (it said {said}); check {by}, or sign in to the network first"
            )
        }
        ProxyProblem::WrongKind { kind } => {
            format!(
                "the proxy {name} is one of another kind; begin its address in {by} with {}://",
                kind.scheme()
            )
        }
        ProxyProblem::TlsFailed { detail } => format!(
            "couldn't set up an encrypted connection to the proxy {name} ({detail}); if it doesn't use encryption, begin its \
             address with http://"
        ),
    }
}

fn wrong_scheme(why: &Why) -> &'static str {
    match why {
        Why::WrongScheme { is_tls: true } => "this server uses TLS, but the address says ws://",
        _ => "this server doesn't use TLS, but the address says wss://",
    }
}

fn redirected(status: u16, location: Option<&str>) -> String {
    let to = location.unwrap_or("an address that it doesn't name");
    format!(
        "the server redirects to {to} (HTTP {status}); redirects are followed only within the same host and with no less \
         encryption, so that your token goes to no other server"
    )
}

fn http(cause: HttpCause) -> &'static str {
    match cause {
        HttpCause::NoSocket => {
            "there is a web page at this address, not a Duplex server; check the address, and whether this network wants you to sign in \
             with a browser first"
        }
        HttpCause::NoAnswer => "the server's answer makes no sense here; check the address",
        HttpCause::BadRequest => {
            "the server didn't understand the request; check the address, and any proxy in between"
        }
        HttpCause::UnknownToken => {
            "the server doesn't know this token; give another with --token-file FILE or DUPLEX_TOKEN"
        }
        HttpCause::Forbidden => "this token isn't allowed to connect here",
        HttpCause::NoSuchPath => {
            "there is a web server, but no Duplex server at this path; check the address"
        }
        HttpCause::NoUpgrade => {
            "something on the way, probably a proxy, removes the request for a WebSocket; try another --transport"
        }
        HttpCause::SignInToNetwork => "the network or a proxy wants you to sign in first",
        HttpCause::TimedOut => "the server gave up waiting for the request",
        HttpCause::WrongName => {
            "the server isn't set up for this host name; use its IP address, or start it with --allow-host NAME"
        }
        HttpCause::TooLarge => "the server finds the request too large; check the address and the token",
        HttpCause::TooManyAttempts => "too many attempts from your network",
        HttpCause::Legal => "the server is not available for legal reasons",
        HttpCause::Refused => "the server refused the connection",
        HttpCause::Failed => "the server reported an error",
        HttpCause::Unable => "the server doesn't support this kind of connection; check the address",
        HttpCause::BehindProxy => "a proxy is reachable, but not the server behind it",
        HttpCause::Busy => "the server is busy or restarting",
        HttpCause::NoSpace => "the server's disk is full",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_websocket_is_spoken_of_without_tokens_and_duplex() {
        for status in (200..600).filter(|status| !matches!(status, 300..=303 | 307 | 308)) {
            let why = Why::Http { status, retry_after_ms: None };
            let said = of_websocket(&why).unwrap_or_else(|| reason(&why));
            let strange = ["token", "Duplex", "--allow-host"].into_iter().find(|word| said.contains(word));
            assert!(said.contains(&format!("HTTP {status}")) && strange.is_none(), "{said}");
        }
        let said = of_websocket(&Why::Redirected { status: 302, location: None }).unwrap_or_default();
        assert!(said.contains("password") && !said.contains("token"), "{said}");
        let why = |said: &str| Why::NotDuplex { said: said.to_owned() };
        for why in [why(""), why("hello"), Why::NoToken] {
            assert!(
                of_another_protocol(&why).is_some_and(|said| said.contains("--protocol websocket")),
                "{why:?}"
            );
        }
        assert_eq!(close_code(4001), "4001 (the server's own code)");
        assert_eq!(close_code(2999), "2999");
    }

    #[test]
    fn every_status_has_a_sentence_and_the_right_address_is_named() {
        for status in (200..600).filter(|status| !matches!(status, 300..=303 | 307 | 308)) {
            let said = reason(&Why::Http { status, retry_after_ms: None });
            assert!(said.contains(&format!("HTTP {status}")) && said.len() > 25, "{said}");
        }
        assert!(reason(&Why::Http { status: 421, retry_after_ms: None }).contains("--allow-host"));
        let to = Why::Redirected { status: 302, location: Some("https://a.example/\u{202e}x".into()) };
        assert!(reason(&to).contains("https://a.example/⟨U+202E⟩x (HTTP 302)"));
        let plain = Why::WrongScheme { is_tls: false };
        assert!(reason_at(&plain, "wss://a.example/v1/socket").ends_with("use ws://a.example/v1/socket"));
    }
}
