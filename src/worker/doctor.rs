//! The check of a connection: follows the way to a server step by step, tries each route separately, and measures those that
//! work. It writes nothing on the server and reads nothing of its rooms.

mod route;
mod run;
mod steps;

use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, timeout, timeout_at};

use super::access::Access;
use super::trial;
use crate::clock;
use crate::model::address::is_stream;
use crate::model::diagnosis::{Found, Login, Report, RouteReport, Step};
use crate::model::event::TestOutcome;
use crate::model::link_state::{HttpCause, Why};
use crate::model::profile::{Profile, Protocol, Socket};
use crate::model::route::{Route, RouteChoice};
use crate::privacy;
use crate::transport::Endpoint;
use crate::transport::inspect::{Bare, Place, Stream};
use steps::Way;

pub(super) use run::Diagnosing;

/// How long the parts of a check may take.
#[derive(Copy, Clone, Debug)]
pub struct Limits {
    /// All of it. What is not known by then is left out.
    pub check: Duration,
    /// The way to the server, up to the answer of its handshake.
    pub way: Duration,
    /// Each step on that way.
    pub step: Duration,
    /// Dial and welcome, of each route.
    pub open: Duration,
    /// The answer to one ping.
    pub trip: Duration,
    /// Measuring one route.
    pub measure: Duration,
    /// Measuring polling, whose round trips take long.
    pub measure_poll: Duration,
}

impl Limits {
    /// So that all of it takes less than 30 s, whatever happens.
    pub const DEFAULT: Limits = Limits {
        check: Duration::from_secs(29),
        way: Duration::from_secs(11),
        step: Duration::from_secs(5),
        open: Duration::from_secs(6),
        trip: Duration::from_secs(4),
        measure: Duration::from_millis(2_000),
        measure_poll: Duration::from_secs(8),
    };
}

/// What a check says while it goes on: the report as far as it has come.
pub type Progress = mpsc::Sender<Report>;

/// Checks a server: the profile's first address, over the route that the profile wants, or over all. Dropping the future ends the check.
pub async fn check(profile: Profile, access: Access, progress: Progress, limits: Limits) -> Report {
    // The other implementation of WebSocket cannot be measured.
    let profile = Profile { socket: Socket::Tungstenite, ..profile };
    let (began, deadline) = (clock::now(), Instant::now() + limits.check);
    let mut check = Check {
        report: Report { protocol: profile.protocol, began: began.wall_ms, ..Report::default() },
        profile,
        access,
        progress,
        limits,
    };
    if timeout_at(deadline, check.run()).await.is_err() {
        log::debug!("the check of a connection did not end in time");
    }
    check.report.took_ms = clock::now().boot_ms.since(began.boot_ms);
    // A server could echo what it received.
    check.report.with_texts(|text| privacy::mask(text).into_owned())
}

/// A check that goes on.
struct Check {
    profile: Profile,
    access: Access,
    report: Report,
    progress: Progress,
    limits: Limits,
}

impl Check {
    async fn run(&mut self) {
        let url = self.profile.urls.first().cloned().unwrap_or_default();
        let target = self.access.target(&self.profile, &url);
        let parsed = target.and_then(|target| Ok((Place::of(&target)?, target)));
        let (place, target) = match parsed {
            Ok(parsed) => parsed,
            Err(why) => {
                let found = Found::Name { host: String::new(), addresses: Vec::new() };
                return self.report.steps.push(Step { found, took_us: 0, failed: Some(why) });
            }
        };
        self.report.address = place.shown();
        if timeout(self.limits.way, self.follow_way(&target, &place)).await.is_err() {
            log::debug!("the way to the server took too long");
        }
        // Where nothing of the host answers, no route leads anywhere.
        let is_cut = self.report.steps.iter().any(|step| {
            step.failed.is_some() && matches!(step.found, Found::Name { .. } | Found::Tcp(_) | Found::Tls(_))
        });
        if is_cut {
            return;
        }
        match self.profile.protocol {
            Protocol::Duplex => self.try_routes().await,
            _ => self.try_handshake().await,
        }
    }

    fn tell(&self) {
        let masked = self.report.clone().with_texts(|text| privacy::mask(text).into_owned());
        // A reader that is slow, or gone, misses nothing but this.
        let _ = self.progress.try_send(masked);
    }

    fn add_step(&mut self, step: Step) {
        self.report.steps.push(step);
        self.tell();
    }

    /// Name, TCP, TLS, HTTP and the request for a WebSocket, as far as they lead.
    async fn follow_way(&mut self, target: &Endpoint, place: &Place) {
        let limit = self.limits.step;
        let Some((way, stream)) = self.reach(target, place).await else { return };
        let stream = if place.is_secure() {
            let (step, stream) = steps::greet(target, place, stream, limit).await;
            self.add_step(step);
            stream
        } else {
            Some(Stream::Plain(Box::new(stream)))
        };
        let Some(stream) = stream else { return };
        if is_stream(&target.url) {
            return;
        }
        let path = if self.profile.protocol == Protocol::Duplex { "/healthz" } else { "/" };
        let asks_upgrade = self.profile.protocol != Protocol::SocketIo;
        let (http, handshake) = tokio::join!(steps::request(place, path, stream, limit), async {
            match asks_upgrade {
                true => Some(steps::ask_upgrade(target, place, way, limit).await),
                false => None,
            }
        });
        self.add_step(http);
        if let Some(handshake) = handshake {
            self.add_step(handshake);
        }
    }

    /// A stream to the server: through its proxy, or to the first of its addresses that answers.
    async fn reach(&mut self, target: &Endpoint, place: &Place) -> Option<(Way, Bare)> {
        let limit = self.limits.step;
        if let Some((step, stream)) = steps::by_proxy(target, place, limit).await {
            self.add_step(step);
            return Some((Way::Proxy, stream?));
        }
        let (step, addresses) = steps::look_up(place, limit).await;
        self.add_step(step);
        let (step, stream) = steps::connect(addresses?, limit).await;
        self.add_step(step);
        let (address, stream) = stream?;
        Some((Way::Address(address), stream))
    }

    /// Tries the WebSocket with the credentials there are, then everything else beside each other, and measures what works.
    async fn try_routes(&mut self) {
        let has_credentials = !matches!(self.access, Access::Nobody);
        if !has_credentials {
            self.report.login = Login::NoCredentials;
        }
        self.report.routes = Route::ALL.map(RouteReport::unknown).to_vec();
        let (measuring, limits) = (Semaphore::new(1), self.limits);
        let only = self.profile.route;
        let is_wanted = |route: Route| only.is_automatic() || only == RouteChoice::Only(route);
        // By itself first: bad credentials are to be shown to the server once, not five times.
        if is_wanted(Route::WebSocket) {
            let first =
                route::probe(Route::WebSocket, &self.profile, &self.access, &measuring, &limits).await;
            self.take_route(first);
            if matches!(self.report.login, Login::Refused(_)) {
                // How far the routes lead can be said without credentials.
                self.access = Access::Nobody;
                let again =
                    route::probe(Route::WebSocket, &self.profile, &self.access, &measuring, &limits).await;
                self.take_route(again);
            }
        }
        let (profile, access) = (self.profile.clone(), self.access.clone());
        let others = Route::ALL.into_iter().filter(|route| *route != Route::WebSocket && is_wanted(*route));
        let mut probes: FuturesUnordered<_> =
            others.map(|route| route::probe(route, &profile, &access, &measuring, &limits)).collect();
        while let Some(probed) = probes.next().await {
            self.take_route(probed);
        }
    }

    /// What a server of others makes of its protocol's beginning, with the credentials there are.
    async fn try_handshake(&mut self) {
        let began = Instant::now();
        let outcome = trial::try_out(self.profile.clone(), self.access.clone()).await;
        let took_us = steps::us_since(began);
        let failed = match outcome {
            TestOutcome::Failed(why) => Some(why),
            TestOutcome::Running => Some(Why::Silent),
            TestOutcome::Passed { .. } | TestOutcome::Reached { .. } => None,
        };
        if failed.as_ref().is_some_and(is_login) {
            self.report.login = Login::Refused(failed.clone().unwrap_or(Why::Unauthorized));
        } else if failed.is_none() && self.profile.protocol != Protocol::WebSocket {
            self.report.login = Login::In;
        }
        if !is_stream(&self.report.address) {
            let report =
                RouteReport { works: Some(failed.is_none()), ..RouteReport::unknown(Route::WebSocket) };
            self.report.routes = vec![RouteReport { failed: failed.clone(), ..report }];
        }
        let (mut answer, mut subprotocol, mut extensions) = (None, None, String::new());
        // The protocol's own handshake decides; what came of the bare request is a detail of it.
        self.report.steps.retain_mut(|step| match &mut step.found {
            Found::Handshake { answer: of, subprotocol: chosen, extensions: with } => {
                (answer, subprotocol, extensions) = (of.take(), chosen.take(), std::mem::take(with));
                false
            }
            _ => true,
        });
        let found = Found::Handshake { answer, subprotocol, extensions };
        self.add_step(Step { found, took_us, failed });
    }

    fn take_route(&mut self, probed: route::Probed) {
        let route::Probed { report, login } = probed;
        // Something between may want another login, and say it with the same status.
        let is_of_server = self.report.steps.iter().any(|step| match &step.found {
            Found::Http(answer) | Found::Handshake { answer, .. } => {
                answer.as_ref().is_some_and(|answer| answer.is_of_duplex)
            }
            _ => false,
        });
        match login {
            Some(Login::Refused(Why::Http { .. })) if !is_of_server => {}
            Some(login) if self.report.login == Login::Unknown => self.report.login = login,
            _ => {}
        }
        if let Some(one) = self.report.routes.iter_mut().find(|one| one.route == report.route) {
            *one = report;
        }
        self.tell();
    }
}

/// Whether a server says that it does not let these credentials in.
fn is_login(why: &Why) -> bool {
    match why {
        Why::Unauthorized | Why::Withdrawn | Why::Forbidden | Why::Impostor => true,
        Why::Http { status, .. } => HttpCause::of(*status) == HttpCause::UnknownToken,
        // Bad user name or password, not authorized, banned (MQTT 5 §2.4).
        Why::Mqtt { code, .. } => matches!(code, 0x86 | 0x87 | 0x8A | 0x8C),
        Why::Refused { of: None, is_final, .. } => *is_final,
        _ => false,
    }
}
