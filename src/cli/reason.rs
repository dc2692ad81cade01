//! Why a connection is down, as the console says it: what happened and what to do, in one line.

use crate::model::address::other_scheme;
use crate::model::link_state::{HttpCause, Why};
use crate::privacy;

use super::print::harmless;

/// What happened and what to do, in one clause.
pub(super) fn reason(why: &Why) -> String {
    // A server could echo what it received.
    harmless(&privacy::mask(&sentence(why)))
}

/// The same, where the address that was dialed is known: it names the right one where only the scheme is wrong.
pub(super) fn reason_at(why: &Why, url: &str) -> String {
    match (why, other_scheme(url)) {
        (Why::WrongScheme { .. }, Some(other)) => {
            harmless(&privacy::mask(&format!("{}; use {other}", wrong_scheme(why))))
        }
        _ => reason(why),
    }
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
        Why::Unsupported { detail } => detail.clone(),
        Why::HubFailed { detail } => format!("the hub failed ({detail})"),
        Why::NoToken => "a token is needed; give one with --token-file FILE or DUPLEX_TOKEN".to_owned(),
        Why::HubLogMissing { path, .. } => format!("the hub's log {} is missing", path.display()),
        Why::HubLogDamaged { path, detail } => {
            format!("the hub's log {} is damaged ({detail})", path.display())
        }
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
        "the server redirects to {to} (HTTP {status}); redirects are not followed, so that your token goes to no other server"
    )
}

fn http(cause: HttpCause) -> &'static str {
    match cause {
        HttpCause::NoSocket => "there is a web page at this address, not a Duplex server; check the address",
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
