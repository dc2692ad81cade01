//! English: why a connection is down, what is wrong with an address, how a connection test went.

use std::path::Path;

use super::Sentence;
use super::en::{ENGLISH, detail, quote, say, shown};
use crate::model::address::{BadAddress, MAX_ADDRESS_BYTES};
use crate::model::event::{Reached, TestOutcome};
use crate::model::link_state::{HttpCause, Phase, Why};
use crate::model::profile::Protocol;
use crate::model::upgrade::BadUpgrade;
use crate::ui::harmless;

const RECONNECTING: &str = "Reconnecting automatically; nothing you typed is lost.";
const RETRYING: &str = "Retrying automatically.";
const CHECK_ADDRESS: &str = "Check the address under Edit connection.";
const CHECK_ADDRESS_OR_SIGN_IN: &str = "Check the address under Edit connection. If it is right, this network may want you to sign in first: open any web page in \
     a browser, then choose Retry now.";
const FIX_REQUEST: &str = "Change it under Edit connection.";
const NEW_TOKEN: &str = "Enter a new token under Edit connection.";

/// Long: one sentence for each reason.
pub(super) fn why(why: &Why) -> Sentence {
    match why {
        Why::BadUrl { detail: d } => say(format!("The address can't be used{}.", detail(d)), CHECK_ADDRESS),
        Why::BadCaFile { path, detail: d } => say(
            format!("{} isn't a valid CA certificate file{}.", shown(path), detail(d)),
            "Choose a PEM file under Edit connection.",
        ),
        Why::BadClientCertificate { path, detail: d } => say(
            format!("{} can't be used as your client certificate{}.", shown(path), detail(d)),
            "Change the files under Edit connection, Advanced.",
        ),
        Why::NoClientCertificate => say(
            "The server asks for a client certificate.",
            "Name its PEM file under Edit connection, Advanced.",
        ),
        Why::ClientCertificateRefused { detail: d } => say(
            format!("The server doesn't accept your client certificate{}.", detail(d)),
            "Ask the server's admin for a valid one, and name its file under Edit connection, Advanced.",
        ),
        Why::NameNotFound { host } => say(
            format!("Host “{}” not found.", harmless::line(host, 100)),
            "Check the address and your network connection.",
        ),
        Why::ConnectionRefused => say(
            "No server is listening at this address.",
            "Check that it's running and that the port is right.",
        ),
        Why::Unreachable { detail: d } => {
            say(format!("Network unreachable{}.", detail(d)), "Check your network connection.")
        }
        Why::TimedOut { during: Phase::Dial } => say(
            "The server didn't answer in time.",
            "Check the address. A firewall may be blocking the connection.",
        ),
        Why::TimedOut { during: Phase::Handshake } => say(
            "The server accepted the connection but didn't answer.",
            "Check the port: it may belong to another program, or the server may be stuck.",
        ),
        Why::TlsUntrusted { detail: d } => say(
            format!("The server's certificate isn't trusted{}.", detail(d)),
            "Your token was not sent. Use a new invite, or set the CA certificate file or fingerprint under Edit connection.",
        ),
        Why::TlsFailed { detail: d } => say(
            format!("Couldn't set up an encrypted connection{}.", detail(d)),
            "Check the address and port. If they are right, tell your server's admin.",
        ),
        Why::WrongScheme { is_tls: false } => say(
            "This server doesn't use encryption, but the address says wss://.",
            "Use ws:// instead, or ask your server's admin to turn on TLS.",
        ),
        Why::WrongScheme { is_tls: true } => {
            say("This server uses encryption, but the address says ws://.", "Use wss:// instead.")
        }
        Why::Http { status, retry_after_ms } => http(*status, retry_after_ms.is_some()),
        Why::Redirected { status, location } => redirected(*status, location.as_deref()),
        Why::BadUpgrade { problem } => say(bad_upgrade(problem), FIX_REQUEST),
        Why::NoSubprotocol { offered } => say(
            format!(
                "The server supports none of the subprotocols offered: {}.",
                harmless::line(&offered.join(", "), 200)
            ),
            "Change them under Edit connection.",
        ),
        Why::NotWebSocket { detail: d } => say(
            format!("Whatever is listening at this address doesn't support WebSocket{}.", detail(d)),
            CHECK_ADDRESS,
        ),
        Why::NotDuplex { said } if said.is_empty() => say(
            "The server at this address isn't a Duplex server: it only repeats what it receives.",
            CHECK_ADDRESS,
        ),
        Why::NotDuplex { said } => {
            say(format!("The server at this address isn't a Duplex server.{}", quote(said)), CHECK_ADDRESS)
        }
        Why::NotSocketIo { said } => {
            say(format!("The server at this address isn't a Socket.IO server.{}", quote(said)), CHECK_ADDRESS)
        }
        Why::NamespaceRefused { namespace, message, data } => namespace_refused(namespace, message, data),
        Why::Closed { closing, .. } if closing.is_ours() => say("Duplex closed the connection.", RETRYING),
        Why::Closed { code, reason, .. } => closed(*code, reason),
        Why::Lost { detail: d } => say(format!("Connection lost{}.", detail(d)), RECONNECTING),
        Why::Silent => say("The server stopped responding.", RECONNECTING),
        Why::Violation { detail: d } => say(
            format!("The server sent data that breaks the protocol{}.", detail(d)),
            "If this happens again, check that the address belongs to a Duplex server.",
        ),
        Why::Refused { of, said, is_final } => {
            let refused = match of {
                Some(of) => format!("The server refuses {}.", harmless::line(of, 100)),
                None => "The server refuses the connection.".to_owned(),
            };
            let fix = match (is_final, of) {
                (false, _) => RETRYING,
                (true, None) => "Check your name, password and headers under Edit connection.",
                (true, Some(_)) => "Change or remove it under Edit connection.",
            };
            say(refused + &quote(said), fix)
        }
        Why::Mqtt { code, said } => {
            let words = super::en_mqtt::ENGLISH.reason;
            say(
                format!("{}{}", words(*code), quote(said)),
                if why.is_retryable() { RETRYING } else { super::en_mqtt::fix(*code) },
            )
        }
        Why::TakenOver { is_certain } => say(
            match is_certain {
                true => {
                    "Another program signed in with the same client ID, so the server ended this connection."
                }
                false => {
                    "The server ended several connections right after they opened. Another program probably uses the same \
                     client ID."
                }
            },
            "Give each program its own client ID under Edit connection. Trying again every 20 seconds.",
        ),
        Why::NoCommonVersion { ours, theirs } => say(
            format!(
                "The server uses protocol versions {} to {}; this app uses {} to {}.",
                theirs.0, theirs.1, ours.0, ours.1
            ),
            if theirs.0 > ours.1 {
                "Update Duplex."
            } else {
                "Ask your server's admin to update the server."
            },
        ),
        Why::Unauthorized => say("The server doesn't know this token.", NEW_TOKEN),
        Why::Withdrawn => say(
            "Your access to this server was withdrawn.",
            "Ask your server's admin for a new token. Your unsent messages are kept.",
        ),
        Why::Forbidden => say(
            "This token isn't allowed to connect to this server.",
            "Ask your server's admin, or enter another token under Edit connection.",
        ),
        Why::InviteRefused => say(
            "This invite is not valid: it was used, has expired, or was never issued.",
            "Ask for a new one and paste it under Edit connection.",
        ),
        Why::Impostor => say(
            "Another program is using the address of this computer's own server.",
            "Your token was not sent. Quit that program, then choose Retry now.",
        ),
        Why::Unsupported { detail: d } => say(
            format!("The selected socket doesn't support this connection{}.", detail(d)),
            "Choose tungstenite as the socket under Edit connection.",
        ),
        Why::NoToken => say(
            "There is no token for this connection.",
            "Enter one under Edit connection, or use --token-file with --url.",
        ),
        Why::Proxy { proxy, problem } => super::en_proxy::why(proxy.as_deref(), problem),
        Why::HubFailed { .. } | Why::HubLogMissing { .. } | Why::HubLogDamaged { .. } => own_server(why),
    }
}

/// Why this computer's own server does not run.
fn own_server(why: &Why) -> Sentence {
    match why {
        Why::HubLogMissing { path, left } => say(
            format!("The message log of this computer's server is missing or empty: {}.", path.display()),
            format!(
                "Restore it from a backup, then choose Retry now. To start with a new, empty log instead, first move these \
                 files out of that folder: {}. Other connections still work.",
                left.join(", ")
            ),
        ),
        Why::HubLogDamaged { path, detail: d } => say(
            format!("The message log of this computer's server is damaged: {}{}.", path.display(), detail(d)),
            format!(
                "Run this in a terminal to save what can be read: duplexctl hub repair --data-dir \"{}\". Or restore the \
                 file from a backup. Then choose Retry now. Other connections still work.",
                path.parent().unwrap_or(Path::new(".")).display()
            ),
        ),
        Why::HubFailed { detail: d } => say(
            format!("Couldn't start this computer's server{}.", detail(d)),
            "Choose Retry now to try again. Other connections still work.",
        ),
        _ => Sentence::default(),
    }
}

fn redirected(status: u16, location: Option<&str>) -> Sentence {
    let what = match location {
        Some(place) => format!("The server redirects to {} (HTTP {status}).", harmless::line(place, 200)),
        None => format!("The server redirects elsewhere without saying where (HTTP {status})."),
    };
    say(
        what,
        "Duplex follows redirects only within the same host and never to an unencrypted address, so that your token goes nowhere else. If you trust that address, enter it under Edit connection.",
    )
}

fn http(status: u16, named_a_time: bool) -> Sentence {
    let cause = HttpCause::of(status);
    let what = |words: &str| format!("{words} (HTTP {status}).");
    let ask = "Ask your server's admin.";
    match cause {
        HttpCause::NoSocket => {
            say(what("There is a web page at this address, not a Duplex server"), CHECK_ADDRESS_OR_SIGN_IN)
        }
        HttpCause::NoAnswer => say(what("The server's answer makes no sense here"), CHECK_ADDRESS),
        HttpCause::BadRequest => say(
            what("The server didn't understand the request"),
            "Check the address under Edit connection. A proxy in between may not support WebSocket.",
        ),
        HttpCause::UnknownToken => say(what("The server doesn't know this token"), NEW_TOKEN),
        HttpCause::Forbidden => say(
            what("The server refused this account"),
            "Ask your server's admin, or enter another token under Edit connection.",
        ),
        HttpCause::NoSuchPath => {
            say(what("There is a web server, but no Duplex server at this path"), CHECK_ADDRESS)
        }
        HttpCause::NoUpgrade => say(
            what("Something on the way removes the request for a WebSocket"),
            "Ask whoever runs the network or the proxy to let WebSocket through, or choose another transport under Edit connection.",
        ),
        HttpCause::SignInToNetwork => say(
            what("The network asks you to sign in first"),
            "Sign in with a browser, or check your proxy settings. Then choose Retry now.",
        ),
        HttpCause::TimedOut => say(what("The server gave up waiting for the request"), RETRYING),
        HttpCause::WrongName => say(
            what("The server isn't set up for this host name"),
            "Use its IP address, or ask its admin to allow the name (duplexctl hub --allow-host NAME).",
        ),
        HttpCause::TooLarge => {
            say(what("The server finds the request too large"), "Check the address and the token.")
        }
        HttpCause::TooManyAttempts => say(what("Too many attempts from your network"), RETRYING),
        HttpCause::Legal => say(what("The server is not available for legal reasons"), ask),
        HttpCause::Refused => say(
            what("The server refused the connection"),
            if named_a_time { RETRYING } else { CHECK_ADDRESS },
        ),
        HttpCause::Failed => say(
            what("The server reported an error"),
            "Retrying automatically. If it stays, tell your server's admin.",
        ),
        HttpCause::Unable => say(what("The server doesn't support this kind of connection"), CHECK_ADDRESS),
        HttpCause::BehindProxy => say(
            what("A proxy is reachable, but not the server behind it"),
            "Retrying automatically. If it stays, tell your server's admin.",
        ),
        HttpCause::Busy => say(what("The server is busy or restarting"), RETRYING),
        HttpCause::NoSpace => {
            say(what("The server's disk is full"), "Retrying automatically. Tell your server's admin.")
        }
    }
}

fn closed(code: Option<u16>, reason: &str) -> Sentence {
    let Some(code) = code else {
        return say("The server closed the connection.", RETRYING);
    };
    let what = |words: &str| format!("{words} (code {code}).{}", quote(reason));
    if Why::close_code_stops(code) {
        let then = "Connecting again would end the same way. Choose Retry now once this is fixed.";
        return say(what("The server closed the connection for good"), then);
    }
    match code {
        1001 => say(what("The server is shutting down"), RETRYING),
        1011..=1014 => say(what("The server reported an error or is restarting"), RETRYING),
        _ => say(what("The server closed the connection"), RETRYING),
    }
}

/// What is wrong with a header, a subprotocol or a user's name.
fn bad_upgrade(problem: &BadUpgrade) -> String {
    match problem {
        BadUpgrade::HeaderName { name } => format!("\"{}\" isn't a header name.", harmless::line(name, 200)),
        BadUpgrade::Reserved { name } => {
            format!("Duplex sets the header {} itself.", harmless::line(name, 200))
        }
        BadUpgrade::HeaderValue { name } => {
            format!(
                "The value of the header {} has a line break or another control character.",
                harmless::line(name, 200)
            )
        }
        BadUpgrade::HeaderTwice { name } => {
            format!("The header {} is there twice.", harmless::line(name, 200))
        }
        BadUpgrade::Subprotocol { name } => format!(
            "\"{}\" isn't a subprotocol: only ASCII letters, digits and !#$%&'*+-.^_`|~ are allowed.",
            harmless::line(name, 200)
        ),
        BadUpgrade::SubprotocolTwice { name } => {
            format!("The subprotocol {} is there twice.", harmless::line(name, 200))
        }
        BadUpgrade::Credentials => {
            "A user name can't have a colon, and neither it nor the password a control character.".to_owned()
        }
    }
}

pub(super) fn bad_address(bad: BadAddress) -> &'static str {
    const _: () = assert!(MAX_ADDRESS_BYTES == 2_048);
    match bad {
        BadAddress::Empty => "Enter the server's address, or paste an invite.",
        BadAddress::TooLong => "This address is too long: 2,048 bytes is the maximum.",
        BadAddress::Space => "Remove the space or control character from the address.",
        BadAddress::NoUrl => "That isn't a valid address. Try server.example or wss://server.example:7870.",
        BadAddress::Scheme => "The address must begin with wss:// or ws://.",
        BadAddress::Userinfo => {
            "Leave the user name and password out of the address; the token has its own field."
        }
        BadAddress::Host => "That isn't a valid host name.",
        BadAddress::Ipv4 => "That isn't a valid IPv4 address.",
        BadAddress::Ipv6 => "That isn't a valid IPv6 address.",
        BadAddress::Brackets => "Put brackets around an IPv6 address: [::1]:7870.",
        BadAddress::Zone => "Only a link-local IPv6 address takes a network interface: [fe80::1%eth0]:7870.",
        BadAddress::Port => "The port must be a number from 1 to 65535.",
        BadAddress::Fragment => "Remove the part from # on. An invite belongs to a Duplex server.",
        BadAddress::Invite | BadAddress::Fingerprint => {
            "The invite is incomplete or damaged. Copy all of it and paste it again."
        }
    }
}

pub(super) fn test(outcome: &TestOutcome) -> Sentence {
    match outcome {
        TestOutcome::Running => say("Testing…", ""),
        TestOutcome::Passed { me, server, took_ms } => {
            let (server, name) = (harmless::line(server, 60), harmless::line(&me.name, 60));
            say(format!("Connection works: you are {name} on {server} ({took_ms} ms)."), "")
        }
        TestOutcome::Reached { found, took_ms } => match found {
            Reached::NoToken => {
                say(format!("A Duplex server answers ({took_ms} ms)."), "Enter a token to test signing in.")
            }
            Reached::InviteGood { server, until } => say(
                format!(
                    "{} accepts this invite ({took_ms} ms). It is valid until {} and has not been used.",
                    harmless::line(server, 60),
                    (ENGLISH.day_and_clock)(*until)
                ),
                "",
            ),
            Reached::InviteUnknown => say(
                format!("A Duplex server answers ({took_ms} ms)."),
                "It can't check an invite without using it.",
            ),
            Reached::Speaks { protocol, .. } => match protocol {
                Protocol::Duplex => say(
                    format!("A Duplex server answers ({took_ms} ms)."),
                    "Enter a token or an invite link to sign in.",
                ),
                Protocol::SocketIo => say(
                    format!("A Socket.IO server answers ({took_ms} ms)."),
                    "Add a namespace or sign-in data if it needs them, then save.",
                ),
                Protocol::Stomp => say(
                    format!("A STOMP server answers ({took_ms} ms)."),
                    "Add the destinations to read and to write, then save.",
                ),
                Protocol::Mqtt => say(
                    format!("An MQTT server answers ({took_ms} ms)."),
                    "Add a user and a password if it needs them, then save.",
                ),
                Protocol::WebSocket => say(
                    format!("A WebSocket server answers ({took_ms} ms)."),
                    "Its messages will be shown as they are. If it uses another protocol, choose that above.",
                ),
            },
            Reached::Opened { subprotocol, extensions } => say(
                format!(
                    "The WebSocket opened ({took_ms} ms). Subprotocol: {}. Extensions: {}.",
                    subprotocol.as_deref().map_or("none".to_owned(), |name| harmless::line(name, 100)),
                    if extensions.is_empty() { "none".to_owned() } else { harmless::line(extensions, 200) },
                ),
                "",
            ),
        },
        TestOutcome::Failed(reason) => why(reason),
    }
}

fn namespace_refused(namespace: &str, message: &str, data: &str) -> Sentence {
    let namespace = harmless::line(namespace, 100);
    if message.is_empty() && data.is_empty() {
        return say(
            format!("The server disconnected Duplex from the namespace {namespace}."),
            "Choose Retry now to connect again.",
        );
    }
    let data = if data.is_empty() { String::new() } else { format!(" ({})", harmless::line(data, 200)) };
    say(
        format!("The server refused access to the namespace {namespace}{data}.{}", quote(message)),
        "Check the namespace and the sign-in data under Edit connection.",
    )
}
