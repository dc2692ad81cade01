//! English: what a check of a connection found.

use super::text::{date, list, shown};
use super::{Said, SayWhy, Words};
use crate::model::diagnosis::{Distrust, Report, StepKind, Verdict};
use crate::model::profile::Protocol;
use crate::model::route::{Blocked, Route};

/// The words.
pub static ENGLISH: Words = Words {
    verdict,
    blocked,
    unblock: "Ask whoever runs the network to let WebSocket through.",
    answered: |status| format!("The request was answered with HTTP {status}."),
    no_credentials: "No token was given, so nobody signed in.",
    step,
    route,
    headings: [
        "Transport",
        "Works",
        "First message",
        "Round trip",
        "99 of 100",
        "Bytes up / down",
        "Idle requests",
    ],
    reasons: "Why not",
    note: "Round trip: half of those measured were no longer; the next column is the time that 99 of 100 did not exceed. Bytes: \
           sent and received for a message of 100 bytes each way, with HTTP and TLS, without TCP/IP. Idle requests: HTTP \
           requests a minute while nothing happens, by how the transport works, not measured.",
    works: ["yes", "no", "not known"],
    steps: "Steps",
    address: "Address",
    checked: "Checked",
    certificate: |of| {
        let names = if of.names.is_empty() { String::new() } else { format!(" (for {})", of.names) };
        format!("{}{names}, issued by {}, valid from {} to {}", of.subject, of.issuer, of.from, of.until)
    },
    trusted_system: |root| format!("trusted by this computer's authority {root}"),
    trusted_file: |root| format!("trusted by the CA file's authority {root}"),
    trusted_pin: "trusted by its fingerprint",
    untrusted: "not trusted",
    by_duplex: "from the Duplex server itself",
    page: "a web page",
    via: |proxies| format!("by way of {proxies}"),
    direct: "not used",
    chosen: "chosen for this connection",
    system: "this computer's settings",
    redirects_to: |place| format!("redirects to {place}"),
    subprotocol: |name| format!("subprotocol {name}"),
    extensions: |names| format!("extensions {names}"),
};

fn route(route: Route) -> &'static str {
    match route {
        Route::WebSocket => "WebSocket",
        Route::Sse => "server-sent events",
        Route::Stream => "HTTP streaming",
        Route::LongPoll => "long polling",
        Route::Poll => "polling",
    }
}

fn step(step: StepKind) -> &'static str {
    match step {
        StepKind::Proxy => "Proxy",
        StepKind::Name => "Name",
        StepKind::Tcp => "TCP",
        StepKind::Tls => "TLS",
        StepKind::Http => "HTTP",
        StepKind::Handshake => "Handshake",
    }
}

/// Long: one sentence for each verdict.
fn verdict(verdict: &Verdict, report: &Report, say: SayWhy) -> Said {
    match verdict {
        Verdict::Unfinished => Said::new("The check didn't come to an end.", "Run it again."),
        Verdict::Works if report.routes.iter().any(|route| route.works.is_none()) => {
            Said::new("What was checked works.", "")
        }
        Verdict::Works if report.protocol == Protocol::Duplex => Said::new("Everything works.", ""),
        Verdict::Works => Said::new("Everything works: the server answers as it should.", ""),
        Verdict::Reached => Said::new(
            "The server was reached, but nobody signed in: no token was given.",
            "Run the check with a token to try that, too.",
        ),
        Verdict::WebSocketOnly { broken } => Said::new(
            "WebSocket works, and Duplex uses it. Not every fallback does.",
            format!(
                "Nothing needs to be done now. If WebSocket were blocked, these wouldn't work: {}.",
                list(broken.iter().map(|one| route(*one)))
            ),
        ),
        Verdict::Fallback { to, .. } => Said::new(
            format!("WebSocket is blocked between you and the server: Duplex uses {}.", route(*to)),
            "",
        ),
        Verdict::NoRoute { .. } => {
            Said::new("Something answers at this address, but Duplex doesn't get through to the server.", "")
        }
        Verdict::Page { status, location: Some(place) } => Said::new(
            format!("Instead of the server, something redirects to {} (HTTP {status}).", shown(place, 200)),
            "If this network wants you to sign in, open a browser and do so. Otherwise check the address.",
        ),
        Verdict::Page { status, location: None } => Said::new(
            format!("A web page answers instead of the server (HTTP {status})."),
            "If this network wants you to sign in, open a browser and do so. Otherwise check the address.",
        ),
        Verdict::SignIn { status } => Said::new(
            format!("A proxy or the network asks you to sign in first (HTTP {status})."),
            "Sign in with a browser, or check the user name and password in your proxy settings.",
        ),
        Verdict::LoginRefused(why) => {
            let said = say(why);
            Said::new(format!("The server was reached, but it doesn't let you in. {}", said.what), said.then)
        }
        Verdict::NameNotFound { host } => Said::new(
            format!("Host \"{}\" not found.", shown(host, 100)),
            "Check the address and your network connection.",
        ),
        Verdict::NothingListens { at } => Said::new(
            format!("No server answers at {}: the connection is refused.", shown(at, 200)),
            "Check that the server is running and that the port is right.",
        ),
        Verdict::NoAnswer { at } => Said::new(
            format!("No server answers at {}.", shown(at, 200)),
            "Check the address. The computer may be off, or a firewall may be dropping the connection.",
        ),
        Verdict::NoWay { at, detail } => Said::new(
            format!("This network doesn't lead to {} ({}).", shown(at, 200), shown(detail, 200)),
            "Check your network connection.",
        ),
        Verdict::Silent { at } => Said::new(
            format!("{} accepts connections, but nothing answers.", shown(at, 200)),
            "Check the port: it may belong to another program. The server may be stuck, or a firewall may hold the answer back.",
        ),
        Verdict::Untrusted { distrust, host, of, at } => untrusted(distrust, host, of, &date(*at)),
        Verdict::Failed { why, .. } => say(why),
    }
}

fn untrusted(distrust: &Distrust, host: &str, of: &str, at: &str) -> Said {
    let (host, of) = (shown(host, 100), shown(of, 200));
    let ask = "Ask your server's admin. No token was sent.";
    match distrust {
        Distrust::Expired => Said::new(
            format!("The server's certificate expired on {at}."),
            format!("If the clock of this computer is right, the certificate must be renewed. {ask}"),
        ),
        Distrust::NotYetValid => Said::new(
            format!("The server's certificate is valid only from {at} on."),
            format!("Check the clock of this computer. {ask}"),
        ),
        Distrust::WrongName => Said::new(
            format!("The server's certificate isn't for {host}, but for {of}."),
            format!("Use one of those names, or {}", ask.replacen("Ask", "ask", 1)),
        ),
        Distrust::UnknownIssuer => Said::new(
            format!("The server's certificate is from an authority that this computer doesn't know: {of}."),
            "If your network inspects encrypted traffic or your organization has its own authority, give its CA certificate file. No \
             token was sent.",
        ),
        Distrust::SelfSigned => Said::new(
            "The server's certificate is self-signed.".to_owned(),
            "Use an invite, which carries its fingerprint, or give the fingerprint or a CA certificate file. No token was sent.",
        ),
        Distrust::NotPinned => Said::new(
            "The server has another certificate than the one whose fingerprint is known.".to_owned(),
            "If the server was reinstalled, ask for a new invite. Otherwise something else may be answering in its place. No token \
             was sent.",
        ),
        Distrust::Other(detail) => Said::new(
            format!("The server's certificate isn't trusted ({}).", shown(detail, 200)),
            ask.to_owned(),
        ),
    }
}

fn blocked(blocked: Blocked) -> String {
    match blocked {
        Blocked::Refused(status) => {
            return format!(
                "Something on the way, probably a proxy or a firewall, answers in the server's place (HTTP {status})."
            );
        }
        Blocked::Stripped => "Something on the way, probably a proxy, removes the request for a WebSocket.",
        Blocked::Garbled => {
            "Something on the way answers the request for a WebSocket with what makes no sense."
        }
        Blocked::Ended => {
            "The connection is cut when a WebSocket is asked for; a firewall or virus scanner probably does that."
        }
        Blocked::Unanswered => {
            "The request for a WebSocket is never answered; a firewall probably holds it back."
        }
        Blocked::Mute => "A WebSocket opens, but nothing comes through it; a proxy probably holds it back.",
        Blocked::Cut => {
            "A WebSocket opens, and is cut after a while; a proxy probably ends connections that are idle."
        }
    }
    .to_owned()
}
