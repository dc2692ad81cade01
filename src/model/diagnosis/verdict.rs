//! [`Verdict`]: what a [`Report`] comes to, the cause that is nearest to this computer first.

use super::{Answer, Found, Login, Report, RouteReport, StepKind};
use crate::model::link_state::{HttpCause, Phase, Why};
use crate::model::profile::Protocol;
use crate::model::route::{Blocked, Route};
use crate::model::time::WallMs;

/// What a check comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The check has not come to an end.
    Unfinished,
    /// Every route works and the server let us in; for a server of others: it was reached, and its handshake succeeded.
    Works,
    /// The server was reached, and there were no credentials to sign in with.
    Reached,
    /// A WebSocket works, these others do not.
    WebSocketOnly {
        /// Which.
        broken: Vec<Route>,
    },
    /// No WebSocket; another route works.
    Fallback {
        /// The best that works.
        to: Route,
        /// What is in the way of a WebSocket, where that is one of the usual things.
        blocked: Option<Blocked>,
    },
    /// The server answers, and none of the routes works.
    NoRoute {
        /// What is in the way of a WebSocket, where that is one of the usual things.
        blocked: Option<Blocked>,
    },
    /// A web page answers instead of the server.
    Page {
        /// The HTTP status.
        status: u16,
        /// Where it leads, where it redirects.
        location: Option<String>,
    },
    /// A proxy or the network wants somebody to sign in.
    SignIn {
        /// The HTTP status.
        status: u16,
    },
    /// The server does not let these credentials in.
    LoginRefused(Why),
    /// The host's name has no address.
    NameNotFound {
        /// The name.
        host: String,
    },
    /// The computer is there, and nothing listens at the port.
    NothingListens {
        /// Host and port.
        at: String,
    },
    /// None of the addresses answers.
    NoAnswer {
        /// Host and port.
        at: String,
    },
    /// The network leads to none of the addresses.
    NoWay {
        /// Host and port.
        at: String,
        /// The system's words.
        detail: String,
    },
    /// Something accepts connections at the port and then says nothing.
    Silent {
        /// Host and port.
        at: String,
    },
    /// The server's certificate is not trusted.
    Untrusted {
        /// Why not.
        distrust: Distrust,
        /// The host that it should be for.
        host: String,
        /// What else there is to say of it, such as who signed it.
        of: String,
        /// The limit of its validity that matters here.
        at: WallMs,
    },
    /// Something else, at this step.
    Failed {
        /// Which.
        step: StepKind,
        /// What.
        why: Why,
    },
}

/// Why a certificate is not trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Distrust {
    /// It was valid until a moment that has passed.
    Expired,
    /// It will be valid.
    NotYetValid,
    /// It is for other hosts.
    WrongName,
    /// An authority signed it that this computer does not know.
    UnknownIssuer,
    /// It signed itself.
    SelfSigned,
    /// It is not the one whose fingerprint is known.
    NotPinned,
    /// Something else, in the verifier's words.
    Other(String),
}

impl Distrust {
    /// A stable word for scripts.
    pub fn code(&self) -> &'static str {
        match self {
            Distrust::Expired => "expired",
            Distrust::NotYetValid => "not_yet_valid",
            Distrust::WrongName => "wrong_name",
            Distrust::UnknownIssuer => "unknown_issuer",
            Distrust::SelfSigned => "self_signed",
            Distrust::NotPinned => "not_pinned",
            Distrust::Other(_) => "other",
        }
    }
}

impl Verdict {
    /// A stable word for scripts.
    pub fn code(&self) -> &'static str {
        match self {
            Verdict::Unfinished => "unfinished",
            Verdict::Works => "works",
            Verdict::Reached => "reached",
            Verdict::WebSocketOnly { .. } => "websocket_only",
            Verdict::Fallback { .. } => "fallback",
            Verdict::NoRoute { .. } => "no_route",
            Verdict::Page { .. } => "page",
            Verdict::SignIn { .. } => "sign_in",
            Verdict::LoginRefused(_) => "login_refused",
            Verdict::NameNotFound { .. } => "name_not_found",
            Verdict::NothingListens { .. } => "nothing_listens",
            Verdict::NoAnswer { .. } => "no_answer",
            Verdict::NoWay { .. } => "no_way",
            Verdict::Silent { .. } => "silent",
            Verdict::Untrusted { .. } => "untrusted",
            Verdict::Failed { .. } => "failed",
        }
    }

    /// Whether the server can be used: some route works, and it lets us in.
    pub fn is_usable(&self) -> bool {
        matches!(self, Verdict::Works | Verdict::WebSocketOnly { .. } | Verdict::Fallback { .. })
    }

    /// Whether the server was reached at least, though nobody signed in.
    pub fn is_reached(&self) -> bool {
        self.is_usable() || matches!(self, Verdict::Reached)
    }
}

/// The verdict of a report.
pub(super) fn verdict(report: &Report) -> Verdict {
    if let Some(verdict) = of_the_way(report) {
        return verdict;
    }
    if let Login::Refused(why) = &report.login {
        return Verdict::LoginRefused(why.clone());
    }
    match report.protocol {
        Protocol::Duplex => of_routes(report),
        _ => of_handshake(report),
    }
}

/// Where the way to the server ends before anything of its protocol: no route can work.
fn of_the_way(report: &Report) -> Option<Verdict> {
    let (step, why) = report.failure()?;
    let at = || authority(&report.address);
    match (&step.found, why) {
        (Found::Name { host, .. }, Why::NameNotFound { .. }) => {
            Some(Verdict::NameNotFound { host: host.clone() })
        }
        (Found::Tcp(_), Why::ConnectionRefused) => Some(Verdict::NothingListens { at: at() }),
        (Found::Tcp(_), Why::TimedOut { .. }) => Some(Verdict::NoAnswer { at: at() }),
        (Found::Tcp(_), Why::Unreachable { detail }) => {
            Some(Verdict::NoWay { at: at(), detail: detail.clone() })
        }
        (Found::Tls(tls), why) => Some(match &tls.distrust {
            Some(distrust) => untrusted(report, distrust),
            None if matches!(why, Why::TimedOut { .. }) => Verdict::Silent { at: at() },
            None => Verdict::Failed { step: StepKind::Tls, why: why.clone() },
        }),
        (Found::Name { .. } | Found::Tcp(_), why) => {
            Some(Verdict::Failed { step: step.kind(), why: why.clone() })
        }
        // A proxy that opens no tunnel may still pass on requests.
        (Found::Proxy(_), why) => {
            let works = report.routes.iter().any(|route| route.works == Some(true));
            (!works).then(|| Verdict::Failed { step: StepKind::Proxy, why: why.clone() })
        }
        // What answers these is the protocols' business.
        (Found::Http(_) | Found::Handshake { .. }, _) => None,
    }
}

fn untrusted(report: &Report, distrust: &Distrust) -> Verdict {
    let first = report.tls().and_then(|tls| tls.chain.first()).cloned().unwrap_or_default();
    let (of, at) = match distrust {
        Distrust::Expired => (first.issuer, first.until),
        Distrust::NotYetValid => (first.issuer, first.from),
        Distrust::WrongName => (first.names.join(", "), first.until),
        Distrust::UnknownIssuer | Distrust::SelfSigned => (first.issuer, first.until),
        Distrust::NotPinned => (first.fingerprint, first.until),
        Distrust::Other(detail) => (detail.clone(), first.until),
    };
    let host = report.steps.iter().find_map(|step| match &step.found {
        Found::Name { host, .. } => Some(host.clone()),
        _ => None,
    });
    let host = host.unwrap_or_else(|| authority(&report.address));
    Verdict::Untrusted { distrust: distrust.clone(), host, of, at }
}

fn of_routes(report: &Report) -> Verdict {
    let works = |route: &Route| report.route(*route).and_then(|one| one.works);
    let best = Route::ALL.into_iter().find(|route| works(route) == Some(true));
    match (best, works(&Route::WebSocket)) {
        (None, _) if tried(report).count() == 0 => Verdict::Unfinished,
        (None, _) => of_no_route(report),
        (Some(to), Some(false)) => Verdict::Fallback { to, blocked: blocked(report) },
        _ if report.login == Login::NoCredentials => Verdict::Reached,
        _ => {
            let broken: Vec<Route> =
                Route::ALL.into_iter().filter(|route| works(route) == Some(false)).collect();
            if broken.is_empty() { Verdict::Works } else { Verdict::WebSocketOnly { broken } }
        }
    }
}

/// The routes of which something is known.
fn tried(report: &Report) -> impl Iterator<Item = &RouteReport> {
    report.routes.iter().filter(|route| route.works.is_some())
}

/// Something answers, and no route works.
fn of_no_route(report: &Report) -> Verdict {
    let answers: Vec<&Answer> = report
        .steps
        .iter()
        .filter_map(|step| match &step.found {
            Found::Http(answer) | Found::Handshake { answer, .. } => answer.as_ref(),
            _ => None,
        })
        .collect();
    let is_silent = |why: &Why| matches!(why, Why::TimedOut { during: Phase::Handshake } | Why::Silent);
    let all_silent = report.routes.iter().filter_map(|route| route.failed.as_ref()).all(is_silent);
    let foreign = |answer: &&&Answer| !answer.is_of_duplex;
    let signs_in = |answer: &&&Answer| HttpCause::of(answer.status) == HttpCause::SignInToNetwork;
    let is_portal = |answer: &&&Answer| {
        answer.location.is_some() || (answer.is_page && HttpCause::of(answer.status) == HttpCause::NoSocket)
    };
    if let Some(answer) = answers.iter().filter(foreign).find(signs_in) {
        return Verdict::SignIn { status: answer.status };
    }
    if let Some(answer) = answers.iter().filter(foreign).find(is_portal) {
        return Verdict::Page { status: answer.status, location: answer.location.clone() };
    }
    if answers.is_empty() && all_silent {
        return Verdict::Silent { at: authority(&report.address) };
    }
    // Of a single one, its own reason says most.
    let mut all = tried(report);
    if let (Some(RouteReport { failed: Some(why), .. }), None) = (all.next(), all.next()) {
        return Verdict::Failed { step: StepKind::Handshake, why: why.clone() };
    }
    Verdict::NoRoute { blocked: blocked(report) }
}

/// What is in the way of a WebSocket, by the answer to the request for one and by how the route failed.
pub(super) fn blocked(report: &Report) -> Option<Blocked> {
    let route = report.route(Route::WebSocket).filter(|route| route.works == Some(false));
    let why = route?.failed.as_ref();
    match report.handshake() {
        Some(answer) if answer.status == 101 => match why {
            Some(Why::Silent | Why::TimedOut { .. } | Why::Lost { .. }) => Some(Blocked::Mute),
            _ => None,
        },
        Some(answer) if answer.is_of_duplex => {
            matches!(answer.status, 400 | 426).then_some(Blocked::Stripped)
        }
        Some(answer) => Some(Blocked::Refused(answer.status)),
        None => match why? {
            Why::TimedOut { .. } | Why::Silent => Some(Blocked::Unanswered),
            Why::Lost { .. } => Some(Blocked::Ended),
            Why::NotWebSocket { .. } => Some(Blocked::Garbled),
            Why::Http { status, .. } => Some(Blocked::Refused(*status)),
            _ => None,
        },
    }
}

/// Of a server of others: its handshake says it all.
fn of_handshake(report: &Report) -> Verdict {
    match report.steps.iter().find(|step| step.kind() == StepKind::Handshake) {
        None => Verdict::Unfinished,
        Some(step) => match &step.failed {
            None => Verdict::Works,
            Some(Why::TimedOut { during: Phase::Handshake }) => {
                Verdict::Silent { at: authority(&report.address) }
            }
            Some(why) => Verdict::Failed { step: StepKind::Handshake, why: why.clone() },
        },
    }
}

/// Host and port of an address.
fn authority(address: &str) -> String {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default().to_owned()
}
