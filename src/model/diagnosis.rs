//! [`Report`]: what a check of a connection found, step by step and for each route, and the [`Verdict`] that follows from it.
//! Codes and figures only; `doctor` makes the sentences.

mod verdict;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::link_state::Why;
use super::profile::Protocol;
use super::proxy::ProxyUsed;
use super::route::{Blocked, HttpVersion, Route};
use super::time::WallMs;

pub use verdict::{Distrust, Verdict};

/// A check, as far as it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// What was found until now.
    pub report: Arc<Report>,
    /// Whether the check still goes on.
    pub is_running: bool,
}

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What was checked: scheme, host, port and path. No query, which may hold a token.
    pub address: String,
    /// What the server is supposed to speak.
    pub protocol: Protocol,
    /// When the check began, by this computer's clock.
    pub began: WallMs,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// What was found on the way to the server, in this order.
    pub steps: Vec<Step>,
    /// Whether the server let us in.
    pub login: Login,
    /// One for each route of the Duplex protocol; for other servers that of the WebSocket alone. Empty while nothing of them
    /// is known.
    pub routes: Vec<RouteReport>,
}

impl Report {
    /// What was found of a route.
    pub fn route(&self, route: Route) -> Option<&RouteReport> {
        self.routes.iter().find(|one| one.route == route)
    }

    /// The step that failed, and why.
    pub fn failure(&self) -> Option<(&Step, &Why)> {
        self.steps.iter().find_map(|step| Some((step, step.failed.as_ref()?)))
    }

    /// What is known of TLS; `None` where it was not used or not reached.
    pub fn tls(&self) -> Option<&Tls> {
        self.steps.iter().find_map(|step| match &step.found {
            Found::Tls(tls) => Some(&**tls),
            _ => None,
        })
    }

    /// The server's answer to the request for a WebSocket.
    pub fn handshake(&self) -> Option<&Answer> {
        self.steps.iter().find_map(|step| match &step.found {
            Found::Handshake { answer, .. } => answer.as_ref(),
            _ => None,
        })
    }

    /// What is in the way of a WebSocket, where there is none, and where it is one of the usual things.
    pub fn blocked(&self) -> Option<Blocked> {
        verdict::blocked(self)
    }

    /// What it comes to.
    pub fn verdict(&self) -> Verdict {
        verdict::verdict(self)
    }

    /// The same with each text from elsewhere changed; for hiding secrets that a server repeats.
    #[must_use]
    pub fn with_texts(mut self, change: impl Fn(&str) -> String) -> Report {
        let of_why = |why: Option<Why>| why.map(|why| why.with_texts(&change));
        self.address = change(&self.address);
        for step in &mut self.steps {
            step.failed = of_why(step.failed.take());
            match &mut step.found {
                Found::Proxy(_) | Found::Name { .. } => {}
                Found::Tcp(dials) => {
                    for dial in dials {
                        dial.failed = of_why(dial.failed.take());
                    }
                }
                Found::Tls(tls) => {
                    for certificate in &mut tls.chain {
                        let names = certificate.names.iter_mut();
                        names.chain([&mut certificate.subject, &mut certificate.issuer]).for_each(|text| {
                            *text = change(text);
                        });
                    }
                }
                Found::Http(answer) => answer.iter_mut().for_each(|answer| answer.change_texts(&change)),
                Found::Handshake { answer, subprotocol, extensions } => {
                    answer.iter_mut().for_each(|answer| answer.change_texts(&change));
                    subprotocol.iter_mut().chain([extensions]).for_each(|text| *text = change(text));
                }
            }
        }
        if let Login::Refused(why) = self.login {
            self.login = Login::Refused(why.with_texts(&change));
        }
        for route in &mut self.routes {
            route.failed = of_why(route.failed.take());
        }
        self
    }
}

/// One step on the way to the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What was found, as far as the step came.
    pub found: Found,
    /// How long it took, in microseconds.
    pub took_us: u64,
    /// Why it failed; `None` where it did not.
    pub failed: Option<Why>,
}

impl Step {
    /// Which step it is.
    pub fn kind(&self) -> StepKind {
        match self.found {
            Found::Proxy(_) => StepKind::Proxy,
            Found::Name { .. } => StepKind::Name,
            Found::Tcp(_) => StepKind::Tcp,
            Found::Tls(_) => StepKind::Tls,
            Found::Http(_) => StepKind::Http,
            Found::Handshake { .. } => StepKind::Handshake,
        }
    }
}

/// The steps.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// Reaching the server through a proxy, which finds its addresses itself.
    Proxy,
    /// Looking up the host's addresses.
    Name,
    /// Connecting to each of them.
    Tcp,
    /// Encryption, and whether the certificate is trusted.
    Tls,
    /// A plain request.
    Http,
    /// The request for a WebSocket, or what the protocol begins with.
    Handshake,
}

impl StepKind {
    /// A stable word for scripts.
    pub fn code(self) -> &'static str {
        match self {
            StepKind::Proxy => "proxy",
            StepKind::Name => "name",
            StepKind::Tcp => "tcp",
            StepKind::Tls => "tls",
            StepKind::Http => "http",
            StepKind::Handshake => "handshake",
        }
    }
}

/// What a step found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The proxy that is used; none where that did not come to it, or another way worked.
    Proxy(Option<ProxyUsed>),
    /// The host and its addresses.
    Name {
        /// The host.
        host: String,
        /// Its addresses, of both families, in the system's order.
        addresses: Vec<IpAddr>,
    },
    /// How each address answered.
    Tcp(Vec<Dial>),
    /// What was agreed on, and who the server says that it is.
    Tls(Box<Tls>),
    /// The answer to a plain request, which carried no credentials.
    Http(Option<Answer>),
    /// The answer to the handshake.
    Handshake {
        /// The HTTP answer, where there was one.
        answer: Option<Answer>,
        /// The subprotocol that was agreed on.
        subprotocol: Option<String>,
        /// The extensions, as the server's header has them; may be empty.
        extensions: String,
    },
}

/// How one address answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dial {
    /// Which.
    pub address: SocketAddr,
    /// How long it took, in microseconds.
    pub took_us: u64,
    /// Why it did not answer; `None` where it did.
    pub failed: Option<Why>,
}

/// What TLS agreed on, and the server's certificates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// The version, such as `TLS 1.3`.
    pub version: String,
    /// The server's certificates, its own first.
    pub chain: Vec<Certificate>,
    /// Why it is trusted, where it is.
    pub trust: Option<Trust>,
    /// Why it is not, where that is.
    pub distrust: Option<Distrust>,
}

/// Why a certificate is trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// It leads to this authority of the system.
    System(String),
    /// It leads to this authority of the CA file that was given.
    File(String),
    /// It is the one that was pinned by its fingerprint.
    Pinned,
}

/// A certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificate {
    /// Whom it is for, such as `CN=hub.example`.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// The hosts that it is valid for.
    pub names: Vec<String>,
    /// From when it is valid.
    pub from: WallMs,
    /// Until when.
    pub until: WallMs,
    /// SHA-256 of it, 64 hexadecimal digits.
    pub fingerprint: String,
}

/// An HTTP answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Whether a Duplex server says that it gave it, not something before it.
    pub is_of_duplex: bool,
    /// Whether it is a web page.
    pub is_page: bool,
    /// `Server`, where it has one.
    pub server: Option<String>,
    /// `Via`: the proxies that it passed, where they say so.
    pub via: Option<String>,
    /// Where it redirects to.
    pub location: Option<String>,
}

impl Answer {
    fn change_texts(&mut self, change: &impl Fn(&str) -> String) {
        let texts = [&mut self.server, &mut self.via, &mut self.location];
        texts.into_iter().flatten().for_each(|text| *text = change(text));
    }
}

/// Whether the server let us in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Login {
    /// Not known: it was not reached, or its protocol has no such thing.
    #[default]
    Unknown,
    /// It did.
    In,
    /// There were no credentials to show. It was measured as far as that leads.
    NoCredentials,
    /// It did not.
    Refused(Why),
}

/// What was found of one route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteReport {
    /// Which.
    pub route: Route,
    /// Whether it works; `None` where that was not found out.
    pub works: Option<bool>,
    /// The version of HTTP that its requests have, where it has any.
    pub http: Option<HttpVersion>,
    /// Why it does not.
    pub failed: Option<Why>,
    /// From dial to the server's first message, in microseconds.
    pub first_message_us: Option<u64>,
    /// How many round trips were measured.
    pub samples: u32,
    /// The round trip in microseconds: half of them took at most this long.
    pub rtt_p50_us: Option<u64>,
    /// The round trip in microseconds: 99 of 100 took at most this long. With fewer samples, the longest.
    pub rtt_p99_us: Option<u64>,
    /// Bytes sent for a message of 100 bytes each way, TLS and HTTP included.
    pub bytes_up: Option<u64>,
    /// Bytes received for the same.
    pub bytes_down: Option<u64>,
    /// HTTP requests in an hour in which nothing is said, by what the route does.
    pub idle_requests_per_hour: Option<u32>,
}

impl RouteReport {
    /// Nothing is known of it yet.
    pub fn unknown(route: Route) -> RouteReport {
        RouteReport {
            route,
            works: None,
            http: None,
            failed: None,
            first_message_us: None,
            samples: 0,
            rtt_p50_us: None,
            rtt_p99_us: None,
            bytes_up: None,
            bytes_down: None,
            idle_requests_per_hour: None,
        }
    }

    /// It does not work, for this reason.
    pub fn failed(route: Route, why: Why) -> RouteReport {
        RouteReport { works: Some(false), failed: Some(why), ..RouteReport::unknown(route) }
    }
}

/// Round trips.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoundTrips(Vec<u64>);

impl RoundTrips {
    /// Adds one, in microseconds.
    pub fn add(&mut self, took_us: u64) {
        self.0.push(took_us);
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The shortest time that this many of a hundred did not exceed, in microseconds; `None` without any.
    pub fn percentile(&self, percent: usize) -> Option<u64> {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() * percent).div_ceil(100).max(1);
        sorted.get(rank - 1).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_what_was_measured() {
        let mut trips = RoundTrips::default();
        assert_eq!((trips.percentile(50), trips.percentile(99)), (None, None));
        trips.add(7);
        assert_eq!((trips.percentile(50), trips.percentile(99)), (Some(7), Some(7)));
        let mut trips = RoundTrips::default();
        (1..=200).rev().for_each(|took| trips.add(took));
        assert_eq!((trips.percentile(50), trips.percentile(99)), (Some(100), Some(198)));
        assert_eq!(trips.count(), 200);
    }

    #[test]
    fn secrets_are_hidden_wherever_a_server_repeats_them() {
        let why = || Some(Why::Lost { detail: "hunter2".to_owned() });
        let answer = || {
            Some(Answer { server: Some("hunter2".into()), via: Some("hunter2".into()), ..Answer::default() })
        };
        let step = |found| Step { found, took_us: 1, failed: why() };
        let dial = Dial { address: ([127, 0, 0, 1], 1).into(), took_us: 1, failed: why() };
        let certificate = Certificate {
            subject: "hunter2".into(),
            issuer: "hunter2".into(),
            names: vec!["hunter2".into()],
            ..Certificate::default()
        };
        let report = Report {
            address: "wss://hunter2/".into(),
            steps: vec![
                step(Found::Tcp(vec![dial])),
                step(Found::Tls(Box::new(Tls { chain: vec![certificate], ..Tls::default() }))),
                step(Found::Http(answer())),
                step(Found::Handshake {
                    answer: answer(),
                    subprotocol: Some("hunter2".into()),
                    extensions: "hunter2".into(),
                }),
            ],
            login: Login::Refused(Why::Lost { detail: "hunter2".into() }),
            routes: vec![RouteReport::failed(Route::Sse, Why::Lost { detail: "hunter2".into() })],
            ..Report::default()
        };
        let hidden = format!("{:?}", report.with_texts(|text| text.replace("hunter2", "…")));
        assert!(!hidden.contains("hunter2") && hidden.contains('…'), "{hidden}");
    }
}
