//! [`LinkState`]: what is known about a connection at every moment, and [`Why`] it is so. Codes and fields only;
//! `ui` makes the sentences.

use std::path::PathBuf;

use super::proxy::{ProxyProblem, ProxyUsed};
use super::time::{BootMs, WallMs};
use super::upgrade::BadUpgrade;

/// One connection's state. The words people see are in `ui`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LinkState {
    /// Not asked to connect.
    #[default]
    Idle,
    /// Opening the transport.
    Dialing {
        /// 1 for the first try of an outage.
        attempt: u32,
    },
    /// The transport is open; the protocols are greeting each other.
    Handshaking {
        /// As in `Dialing`.
        attempt: u32,
    },
    /// Live.
    Online {
        /// Since when.
        since: WallMs,
        /// The last measured round trip in milliseconds.
        rtt_ms: Option<u64>,
    },
    /// Down; tries again by itself.
    Waiting {
        /// How often it has been tried in this outage.
        attempt: u32,
        /// When it tries next.
        retry_at: BootMs,
        /// When the outage began.
        down_since: BootMs,
        /// What ended or refused the last try.
        why: Why,
    },
    /// Down; only a person can mend it.
    Stopped {
        /// What must be mended.
        why: Why,
    },
}

impl LinkState {
    /// The same with each text from elsewhere changed, as by [`Why::with_texts`].
    #[must_use]
    pub fn with_texts(self, change: impl Fn(&str) -> String) -> LinkState {
        match self {
            LinkState::Waiting { attempt, retry_at, down_since, why } => {
                LinkState::Waiting { attempt, retry_at, down_since, why: why.with_texts(change) }
            }
            LinkState::Stopped { why } => LinkState::Stopped { why: why.with_texts(change) },
            state => state,
        }
    }

    /// Whether messages flow.
    pub fn is_online(&self) -> bool {
        matches!(self, LinkState::Online { .. })
    }

    /// A stable word for scripts and tests.
    pub fn code(&self) -> &'static str {
        match self {
            LinkState::Idle => "off",
            LinkState::Dialing { .. } | LinkState::Handshaking { .. } => "connecting",
            LinkState::Online { .. } => "online",
            LinkState::Waiting { .. } => "waiting",
            LinkState::Stopped { .. } => "stopped",
        }
    }

    /// The reason for being down, where there is one.
    pub fn why(&self) -> Option<&Why> {
        match self {
            LinkState::Waiting { why, .. } | LinkState::Stopped { why } => Some(why),
            _ => None,
        }
    }
}

/// Why a link is down. Text from outside (`detail`, `reason`) is shown harmless and never trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The URL cannot be used at all.
    BadUrl {
        /// What is wrong with it.
        detail: String,
    },
    /// The host's name has no address.
    NameNotFound {
        /// The name.
        host: String,
    },
    /// Nothing listens there.
    ConnectionRefused,
    /// The network said no (no route, reset while dialing, interface down).
    Unreachable {
        /// The system's words.
        detail: String,
    },
    /// No answer in time.
    TimedOut {
        /// `dial`: nothing accepted the connection. `handshake`: something did, and then said nothing.
        during: Phase,
    },
    /// The server's certificate is not trusted.
    TlsUntrusted {
        /// The verifier's words.
        detail: String,
    },
    /// The profile's own CA file cannot be used.
    BadCaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// The profile's own client certificate or its key cannot be used.
    BadClientCertificate {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// The server asks for a client certificate, and was shown none.
    NoClientCertificate,
    /// The server does not accept the client certificate.
    ClientCertificateRefused {
        /// The alert that it sent.
        detail: String,
    },
    /// TLS failed otherwise.
    TlsFailed {
        /// The library's words.
        detail: String,
    },
    /// The server answered the WebSocket handshake with an HTTP status.
    Http {
        /// The status, such as 401.
        status: u16,
        /// `Retry-After`, in milliseconds.
        retry_after_ms: Option<u64>,
    },
    /// The server answered the WebSocket handshake with a redirect that isn't followed: to another host, without encryption where
    /// there was some, or one too many. The token goes to no other server.
    Redirected {
        /// The status, such as 301.
        status: u16,
        /// Where it points; none where the server does not say.
        location: Option<String>,
    },
    /// The server is not encrypted and the address says that it is, or the reverse.
    WrongScheme {
        /// Whether the server speaks TLS.
        is_tls: bool,
    },
    /// The request for a WebSocket cannot be sent as the profile wants it.
    BadUpgrade {
        /// What is wrong with it.
        problem: BadUpgrade,
    },
    /// The server agreed to none of the subprotocols that were offered, and one is needed.
    NoSubprotocol {
        /// Which were offered.
        offered: Vec<String>,
    },
    /// Something answers there, but it is no WebSocket server.
    NotWebSocket {
        /// What it said instead.
        detail: String,
    },
    /// The connection was closed with a close frame, the server's or ours.
    Closed {
        /// The code in the server's close frame; `None` where it has none (1005), or where the transport cannot tell.
        code: Option<u16>,
        /// The server's words; may be empty.
        reason: String,
        /// The server's wish to be left alone for so long.
        retry_after_ms: Option<u64>,
        /// Who began, and whether the other end answered.
        closing: Closing,
    },
    /// The connection ended without any close frame (1006).
    Lost {
        /// The system's words.
        detail: String,
    },
    /// The server stopped answering; found by our ping.
    Silent,
    /// A WebSocket server answers there, but it does not speak the Duplex protocol.
    NotDuplex {
        /// What it said instead; empty where it only repeats what it is sent.
        said: String,
    },
    /// A server answers there, and it does not speak Socket.IO.
    NotSocketIo {
        /// What it said instead; may be empty.
        said: String,
    },
    /// A Socket.IO server does not let us into the namespace, or let us go.
    NamespaceRefused {
        /// Which.
        namespace: String,
        /// The server's words. Empty: it let us go.
        message: String,
        /// Its data, as JSON; may be empty.
        data: String,
    },
    /// The server sent what its protocol does not allow.
    Violation {
        /// What it was.
        detail: String,
    },
    /// The server said in its own words that it does not go on.
    Refused {
        /// What it refuses, such as a destination; `None`: the connection.
        of: Option<String>,
        /// Its words; may be empty.
        said: String,
        /// Whether the same attempt would end the same way.
        is_final: bool,
    },
    /// An MQTT server does not let us in, or ends the connection, by this reason code of version 5.
    Mqtt {
        /// The code.
        code: u8,
        /// Its words; may be empty.
        said: String,
    },
    /// Another program connected under our name, so that the server ended our connection.
    TakenOver {
        /// Whether the server says so; otherwise connections end too soon and too often for anything else.
        is_certain: bool,
    },
    /// The server and we have no protocol version in common.
    NoCommonVersion {
        /// Ours, lowest and highest.
        ours: (u32, u32),
        /// Theirs.
        theirs: (u32, u32),
    },
    /// The token is not (or no longer) known to the server.
    Unauthorized,
    /// The server took our access away, or replaced our token, while we were connected.
    Withdrawn,
    /// The token is known and may not do this.
    Forbidden,
    /// The invite was used before, has expired, or never was.
    InviteRefused,
    /// Whatever listens at our own hub's address cannot prove that it is our hub; it was told nothing.
    Impostor,
    /// This transport cannot do what the profile asks for (own CA with `ewebsock`, say).
    Unsupported {
        /// What it cannot do.
        detail: String,
    },
    /// Our own hub could not be started.
    HubFailed {
        /// What happened.
        detail: String,
    },
    /// The log of our own hub is gone, though a hub has lived there: nothing is begun anew by itself.
    HubLogMissing {
        /// Where it should be.
        path: PathBuf,
        /// What of the hub is still there, beside it.
        left: Vec<String>,
    },
    /// The log of our own hub is damaged.
    HubLogDamaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        detail: String,
    },
    /// No token is known for this connection.
    NoToken,
    /// The way leads through a proxy, which does not let us through.
    Proxy {
        /// Which; `None` where what is written for it is no address.
        proxy: Option<Box<ProxyUsed>>,
        /// What is wrong.
        problem: ProxyProblem,
    },
}

/// Reason codes of MQTT after which the same attempt would end the same way: unsupported version, client id, user or password,
/// not authorized, banned, authentication method, topic, retain, QoS, another server, and kinds of subscriptions.
const MQTT_STOPS: [u8; 15] =
    [0x84, 0x85, 0x86, 0x87, 0x8A, 0x8C, 0x8F, 0x90, 0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0xA1, 0xA2];
/// Two programs under one name would throw each other out for ever: a new attempt waits so long, in milliseconds.
const TAKEN_OVER_MS: u64 = 20_000;

/// How far a closing handshake went (RFC 6455 §7.1). It is clean where a close frame went each way.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Closing {
    /// The server began, and our close frame was sent in answer. Clean.
    #[default]
    ByServer,
    /// The server began, and our answer could not be sent.
    ByServerUnanswered,
    /// We began, and the server answered. Clean.
    ByUs,
    /// We began, and the server ended the connection without an answer, or did not answer in time, or the transport does not
    /// wait for answers.
    ByUsUnanswered,
}

impl Closing {
    /// Whether a close frame went each way.
    pub fn is_clean(self) -> bool {
        matches!(self, Closing::ByServer | Closing::ByUs)
    }

    /// Whether we sent the first close frame.
    pub fn is_ours(self) -> bool {
        matches!(self, Closing::ByUs | Closing::ByUsUnanswered)
    }
}

/// A part of coming online.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Opening the transport.
    Dial,
    /// Greeting.
    Handshake,
}

impl Why {
    /// Whether trying again by itself can help. The rest waits for a person.
    pub fn is_retryable(&self) -> bool {
        match self {
            Why::BadUrl { .. }
            | Why::TlsUntrusted { .. }
            | Why::BadCaFile { .. }
            | Why::BadClientCertificate { .. }
            | Why::NoClientCertificate
            | Why::ClientCertificateRefused { .. }
            | Why::NoCommonVersion { .. }
            | Why::Unauthorized
            | Why::Withdrawn
            | Why::Forbidden
            | Why::InviteRefused
            | Why::Impostor
            | Why::Redirected { .. }
            | Why::WrongScheme { .. }
            | Why::BadUpgrade { .. }
            | Why::NoSubprotocol { .. }
            | Why::Unsupported { .. }
            | Why::NamespaceRefused { .. }
            | Why::NoToken => false,
            Why::Http { status, retry_after_ms } => {
                HttpCause::of(*status).is_retryable(retry_after_ms.is_some())
            }
            Why::Closed { code: Some(code), .. } => !Self::close_code_stops(*code),
            Why::Refused { is_final, .. } => !is_final,
            Why::Proxy { problem, .. } => problem.is_retryable(),
            Why::Mqtt { code, .. } => !MQTT_STOPS.contains(code),
            _ => true,
        }
    }

    /// RFC 6455 §7.4: codes after which the same attempt would end the same way.
    pub fn close_code_stops(code: u16) -> bool {
        matches!(code, 4500..=4999 | 3500..=3999 | 1002 | 1003 | 1007 | 1008 | 1009 | 1010)
    }

    /// Whether it is about what the server sent: such a connection is tried once more, and no further.
    pub fn is_violation(&self) -> bool {
        matches!(self, Why::Violation { .. } | Why::NotDuplex { .. } | Why::NotSocketIo { .. })
    }

    /// How long the server asked to be left alone, in milliseconds.
    pub fn retry_after_ms(&self) -> Option<u64> {
        match self {
            Why::Http { retry_after_ms, .. } | Why::Closed { retry_after_ms, .. } => *retry_after_ms,
            Why::TakenOver { .. } => Some(TAKEN_OVER_MS),
            _ => None,
        }
    }

    /// The same with each text from elsewhere changed; for hiding secrets that a server repeats.
    #[must_use]
    pub fn with_texts(mut self, change: impl Fn(&str) -> String) -> Why {
        match &mut self {
            Why::BadUrl { detail: text }
            | Why::Unreachable { detail: text }
            | Why::TlsUntrusted { detail: text }
            | Why::BadCaFile { detail: text, .. }
            | Why::BadClientCertificate { detail: text, .. }
            | Why::ClientCertificateRefused { detail: text }
            | Why::TlsFailed { detail: text }
            | Why::NotWebSocket { detail: text }
            | Why::NotDuplex { said: text }
            | Why::NotSocketIo { said: text }
            | Why::Redirected { location: Some(text), .. }
            | Why::Closed { reason: text, .. }
            | Why::Lost { detail: text }
            | Why::Violation { detail: text }
            | Why::Unsupported { detail: text }
            | Why::HubFailed { detail: text } => *text = change(text),
            Why::NamespaceRefused { message, data, .. } => {
                (*message, *data) = (change(message), change(data));
            }
            Why::Mqtt { said, .. } => *said = change(said),
            Why::Proxy { problem, .. } => problem.texts().into_iter().for_each(|text| *text = change(text)),
            Why::Refused { of, said, .. } => {
                *said = change(said);
                of.iter_mut().for_each(|text| *text = change(text));
            }
            _ => {}
        }
        self
    }

    /// A stable word for scripts, logs and tests.
    pub fn code(&self) -> &'static str {
        match self {
            Why::BadUrl { .. } => "bad_url",
            Why::NameNotFound { .. } => "name_not_found",
            Why::ConnectionRefused => "connection_refused",
            Why::Unreachable { .. } => "unreachable",
            Why::TimedOut { .. } => "timed_out",
            Why::TlsUntrusted { .. } => "tls_untrusted",
            Why::BadCaFile { .. } => "bad_ca_file",
            Why::BadClientCertificate { .. } => "bad_client_certificate",
            Why::NoClientCertificate => "no_client_certificate",
            Why::ClientCertificateRefused { .. } => "client_certificate_refused",
            Why::TlsFailed { .. } => "tls_failed",
            Why::Http { .. } => "http",
            Why::Redirected { .. } => "redirected",
            Why::WrongScheme { .. } => "wrong_scheme",
            Why::BadUpgrade { .. } => "bad_upgrade",
            Why::NoSubprotocol { .. } => "no_subprotocol",
            Why::NotWebSocket { .. } => "not_web_socket",
            Why::NotDuplex { .. } => "not_duplex",
            Why::NotSocketIo { .. } => "not_socket_io",
            Why::NamespaceRefused { .. } => "namespace_refused",
            Why::Closed { .. } => "closed",
            Why::Lost { .. } => "lost",
            Why::Silent => "silent",
            Why::Violation { .. } => "violation",
            Why::Refused { .. } => "refused",
            Why::Mqtt { .. } => "mqtt",
            Why::TakenOver { .. } => "taken_over",
            Why::NoCommonVersion { .. } => "no_common_version",
            Why::Unauthorized => "unauthorized",
            Why::Withdrawn => "withdrawn",
            Why::Forbidden => "forbidden",
            Why::InviteRefused => "invite_refused",
            Why::Impostor => "impostor",
            Why::Unsupported { .. } => "unsupported",
            Why::HubFailed { .. } => "hub_failed",
            Why::HubLogMissing { .. } => "hub_log_missing",
            Why::HubLogDamaged { .. } => "hub_log_damaged",
            Why::NoToken => "no_token",
            Why::Proxy { .. } => "proxy",
        }
    }
}

/// What an HTTP status means as the answer to a handshake (RFC 9110 §15, RFC 6455 §4.1). Of `ui` and the console each makes
/// its own sentences.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum HttpCause {
    /// 2xx: a page, and no socket.
    NoSocket,
    /// 300 to 399 without being a redirect that names a place: 304, 305, 306.
    NoAnswer,
    /// 400: the handshake was not understood.
    BadRequest,
    /// 401: the token is not known.
    UnknownToken,
    /// 403: this account, or this program, may not come in.
    Forbidden,
    /// 404, 405, 410: there is a web server, and no socket at this path.
    NoSuchPath,
    /// 426: the request came without its header `Upgrade`, which something between removes.
    NoUpgrade,
    /// 407, 511: a proxy or the network wants somebody to sign in first.
    SignInToNetwork,
    /// 408, 425: too slow, or too early.
    TimedOut,
    /// 421: the server does not go by that name.
    WrongName,
    /// 413, 414, 431: the request is too large, which a very long token or path makes it.
    TooLarge,
    /// 429: too many attempts.
    TooManyAttempts,
    /// 451: the law forbids it.
    Legal,
    /// Another 4xx.
    Refused,
    /// 500 and other 5xx.
    Failed,
    /// 501, 505, 506, 508, 510: it cannot do what was asked for.
    Unable,
    /// 502, 504, and what large proxies have of their own (520 to 530): what stands before the server does not reach it.
    BehindProxy,
    /// 503: busy, starting, or shutting down.
    Busy,
    /// 507: its disk is full.
    NoSpace,
}

impl HttpCause {
    /// What a status means. 101 and redirects do not come here.
    pub fn of(status: u16) -> HttpCause {
        match status {
            0..300 => HttpCause::NoSocket,
            300..400 => HttpCause::NoAnswer,
            400 => HttpCause::BadRequest,
            401 => HttpCause::UnknownToken,
            403 => HttpCause::Forbidden,
            404 | 405 | 410 => HttpCause::NoSuchPath,
            426 => HttpCause::NoUpgrade,
            407 | 511 => HttpCause::SignInToNetwork,
            408 | 425 => HttpCause::TimedOut,
            421 => HttpCause::WrongName,
            413 | 414 | 431 => HttpCause::TooLarge,
            429 => HttpCause::TooManyAttempts,
            451 => HttpCause::Legal,
            402..500 => HttpCause::Refused,
            501 | 505 | 506 | 508 | 510 => HttpCause::Unable,
            502 | 504 | 520..=530 => HttpCause::BehindProxy,
            503 => HttpCause::Busy,
            507 => HttpCause::NoSpace,
            500.. => HttpCause::Failed,
        }
    }

    /// Whether trying again by itself can help. `named_a_time`: the server said when to come back, which says that it can
    /// where the status alone does not tell.
    pub fn is_retryable(self, named_a_time: bool) -> bool {
        match self {
            HttpCause::TimedOut
            | HttpCause::TooManyAttempts
            | HttpCause::Failed
            | HttpCause::BehindProxy
            | HttpCause::Busy
            | HttpCause::NoSpace => true,
            HttpCause::Refused | HttpCause::TooLarge => named_a_time,
            HttpCause::NoSocket
            | HttpCause::NoAnswer
            | HttpCause::BadRequest
            | HttpCause::UnknownToken
            | HttpCause::Forbidden
            | HttpCause::NoSuchPath
            | HttpCause::NoUpgrade
            | HttpCause::SignInToNetwork
            | HttpCause::WrongName
            | HttpCause::Legal
            | HttpCause::Unable => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_of_a_handshake_has_a_decision() {
        let retries = |status, retry_after_ms| Why::Http { status, retry_after_ms }.is_retryable();
        let retried: Vec<u16> = (100..600).filter(|status| retries(*status, None)).collect();
        let expected: Vec<u16> = [408, 425, 429]
            .into_iter()
            .chain((500..600).filter(|status| ![501, 505, 506, 508, 510, 511].contains(status)))
            .collect();
        assert_eq!(retried, expected);
        // Who says when to come back can be asked again, unless the status says that a person has to change something.
        for status in [409, 413, 423, 499] {
            assert!(retries(status, Some(1_000)) && !retries(status, None), "{status}");
        }
        for status in [200, 304, 400, 401, 403, 404, 405, 407, 410, 421, 426, 451, 501, 511] {
            assert!(!retries(status, Some(1_000)), "{status}");
        }
        let redirected = Why::Redirected { status: 302, location: None };
        assert!(!redirected.is_retryable());
    }
}
