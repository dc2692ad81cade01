//! [`Race`]: which routes to a server are tried, and when, until one works. No clock and no socket.
//!
//! The first route starts at once, each other one some seconds after the one before, or as soon as that has failed. A refusal by
//! the server itself ends the race, and so does whatever would be no different on another route: a name without an address, a
//! port that nobody listens on, a certificate that is not trusted. While nothing at all answers, nothing else is started.

use std::collections::VecDeque;

use crate::model::link_state::{Phase, Why};
use crate::model::proxy::ProxyProblem;
use crate::model::route::{Blocked, Route, RouteChoice, RouteInUse};
use crate::model::time::BootMs;

/// Why a route did not open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) why: Why,
    /// Whether the answer came from the server, and not from something between.
    pub(super) by_server: bool,
}

/// What the race wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Try this route, too.
    Start(Route),
    /// Nothing is left to try.
    Lost(Why),
}

/// A route that is being tried.
#[derive(Copy, Clone, Debug)]
struct Runner {
    route: Route,
    /// Whether anything answered.
    is_reached: bool,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Race {
    waiting: VecDeque<Route>,
    running: Vec<Runner>,
    stagger_ms: u64,
    /// When the next route starts, if one that runs was answered.
    next_at: BootMs,
    /// Why no WebSocket, as far as is known.
    blocked: Option<Blocked>,
    /// What is told if nothing works: why the WebSocket did not, or else the first.
    why: Option<(Route, Why)>,
    /// What ended the race.
    end: Option<Why>,
}

impl Race {
    /// `known`: what worked last, and why no WebSocket did.
    pub(super) fn new(now: BootMs, choice: RouteChoice, known: Option<RouteInUse>, stagger_ms: u64) -> Race {
        let mut waiting: VecDeque<Route> = match choice {
            RouteChoice::Automatic => Route::ALL.into(),
            RouteChoice::Only(route) => [route].into(),
        };
        let known = known.filter(|_| choice.is_automatic());
        if let Some(known) = known {
            waiting.retain(|route| *route != known.route);
            waiting.push_front(known.route);
        }
        Race {
            waiting,
            running: Vec::new(),
            stagger_ms,
            next_at: now,
            blocked: known.and_then(|known| known.blocked),
            why: None,
            end: None,
        }
    }

    /// The next step; `None` if there is nothing to do but wait.
    pub(super) fn poll(&mut self, now: BootMs) -> Option<Step> {
        if let Some(why) = self.end.take() {
            return Some(Step::Lost(why));
        }
        let is_due = now >= self.next_at && self.running.iter().all(|runner| runner.is_reached);
        if (self.running.is_empty() || is_due)
            && let Some(route) = self.waiting.pop_front()
        {
            self.running.push(Runner { route, is_reached: false });
            self.next_at = now + self.stagger_ms;
            return Some(Step::Start(route));
        }
        match self.running.is_empty() {
            true => Some(Step::Lost(self.lost())),
            false => None,
        }
    }

    /// When to poll again if nothing happens.
    pub(super) fn deadline(&self) -> Option<BootMs> {
        let may_start = !self.waiting.is_empty() && self.running.iter().all(|runner| runner.is_reached);
        may_start.then_some(self.next_at)
    }

    /// Something accepted the connection of this route.
    pub(super) fn reached(&mut self, route: Route) {
        let runner = self.running.iter_mut().find(|runner| runner.route == route);
        runner.into_iter().for_each(|runner| runner.is_reached = true);
    }

    /// This route did not open.
    pub(super) fn failed(&mut self, now: BootMs, route: Route, failure: Failure) {
        self.running.retain(|runner| runner.route != route);
        let Failure { why, by_server } = failure;
        let reason = reason(&why, by_server, route);
        if route == Route::WebSocket || self.why.is_none() {
            self.why = Some((route, why.clone()));
        }
        match reason {
            Reason::Server => self.end = Some(why),
            Reason::Host => {
                self.waiting.clear();
                if self.running.is_empty() {
                    self.end = Some(why);
                }
            }
            Reason::Route(blocked) => {
                if route == Route::WebSocket {
                    self.blocked = Some(blocked);
                }
                self.next_at = now;
                // What runs may still win; the next one doesn't wait for it.
                self.running.iter_mut().for_each(|runner| runner.is_reached = true);
            }
        }
    }

    /// This route is open: what is used from now on.
    pub(super) fn won(&self, route: Route, choice: RouteChoice) -> RouteInUse {
        let is_running = self.running.iter().any(|runner| runner.route == Route::WebSocket);
        let blocked = match (route, choice) {
            (Route::WebSocket, _) | (_, RouteChoice::Only(_)) => None,
            _ => self.blocked.or(is_running.then_some(Blocked::Unanswered)),
        };
        RouteInUse::new(route, blocked)
    }

    fn lost(&mut self) -> Why {
        self.why.take().map_or(Why::TimedOut { during: Phase::Dial }, |(_, why)| why)
    }
}

/// What a failure is about.
enum Reason {
    /// The server: it said no.
    Server,
    /// The host: no route leads there.
    Host,
    /// The route alone.
    Route(Blocked),
}

fn reason(why: &Why, by_server: bool, route: Route) -> Reason {
    match why {
        // The server did not see what belongs to a WebSocket.
        Why::Http { status: 400 | 426, .. } if by_server && route == Route::WebSocket => {
            Reason::Route(Blocked::Stripped)
        }
        // A server of an earlier version has no such path.
        Why::Http { status: status @ (404 | 405), .. } if by_server => {
            Reason::Route(Blocked::Refused(*status))
        }
        _ if by_server => Reason::Server,
        Why::Http { status, .. } => Reason::Route(Blocked::Refused(*status)),
        Why::NotWebSocket { .. } | Why::Violation { .. } => Reason::Route(Blocked::Garbled),
        Why::Lost { .. } => Reason::Route(Blocked::Ended),
        Why::TimedOut { during: Phase::Handshake } => Reason::Route(Blocked::Unanswered),
        // It opens no tunnel, which HTTP requests may not need.
        Why::Proxy { problem: ProxyProblem::Forbids { code, .. }, .. } if route == Route::WebSocket => {
            Reason::Route(Blocked::Refused(*code))
        }
        _ => Reason::Host,
    }
}

/// Why a WebSocket that was tried does not work, if it is something between.
pub(super) fn blocked(why: &Why, by_server: bool) -> Option<Blocked> {
    match reason(why, by_server, Route::WebSocket) {
        Reason::Route(blocked) => Some(blocked),
        Reason::Server | Reason::Host => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: BootMs = BootMs(1_000);
    const STAGGER_MS: u64 = 4_000;

    fn race() -> Race {
        let mut race = Race::new(BEGIN, RouteChoice::Automatic, None, STAGGER_MS);
        assert_eq!(race.poll(BEGIN), Some(Step::Start(Route::WebSocket)));
        assert_eq!(race.poll(BEGIN), None);
        race
    }

    fn by_proxy(why: Why) -> Failure {
        Failure { why, by_server: false }
    }

    fn http(status: u16) -> Why {
        Why::Http { status, retry_after_ms: None }
    }

    #[test]
    fn a_refused_websocket_starts_the_next_route_at_once_and_is_the_reason_told() {
        let mut race = race();
        race.failed(BEGIN + 30, Route::WebSocket, by_proxy(http(403)));
        assert_eq!(race.poll(BEGIN + 30), Some(Step::Start(Route::Sse)));
        assert_eq!(race.poll(BEGIN + 30), None);
        let used = race.won(Route::Sse, RouteChoice::Automatic);
        let blocked = Some(Blocked::Refused(403));
        assert_eq!(used, RouteInUse::new(Route::Sse, blocked));
        for route in [Route::Sse, Route::Stream, Route::LongPoll, Route::Poll] {
            race.failed(BEGIN + 40, route, by_proxy(http(500)));
            if route != Route::Poll {
                assert!(matches!(race.poll(BEGIN + 40), Some(Step::Start(_))));
            }
        }
        assert_eq!(race.poll(BEGIN + 40), Some(Step::Lost(http(403))));
    }

    #[test]
    fn a_websocket_that_is_not_answered_gets_company_after_a_while() {
        let mut race = race();
        race.reached(Route::WebSocket);
        assert_eq!(race.deadline(), Some(BEGIN + STAGGER_MS));
        assert_eq!(race.poll(BEGIN + (STAGGER_MS - 1)), None);
        assert_eq!(race.poll(BEGIN + STAGGER_MS), Some(Step::Start(Route::Sse)));
        assert_eq!(race.deadline(), None, "whether anything answers it is not known yet");
        race.reached(Route::Sse);
        assert_eq!(race.poll(BEGIN + 2 * STAGGER_MS), Some(Step::Start(Route::Stream)));
        let used = race.won(Route::Stream, RouteChoice::Automatic);
        assert_eq!(used.blocked, Some(Blocked::Unanswered));
        assert_eq!(race.won(Route::WebSocket, RouteChoice::Automatic), RouteInUse::WEBSOCKET);
    }

    #[test]
    fn what_no_route_would_change_ends_the_race() {
        let untrusted = Why::TlsUntrusted { detail: String::new() };
        for why in [
            Why::ConnectionRefused,
            Why::TimedOut { during: Phase::Dial },
            Why::NameNotFound { host: "a".into() },
            untrusted,
        ] {
            let mut race = race();
            assert_eq!(race.poll(BEGIN + 9_000), None, "nothing answers");
            race.failed(BEGIN + 9_500, Route::WebSocket, by_proxy(why.clone()));
            assert_eq!(race.poll(BEGIN + 9_500), Some(Step::Lost(why)));
        }
    }

    #[test]
    fn a_refusal_by_the_server_is_final_unless_it_never_saw_a_websocket() {
        let by_server = |status| Failure { why: http(status), by_server: true };
        for status in [401, 403, 421, 429, 503] {
            let mut race = race();
            race.failed(BEGIN, Route::WebSocket, by_server(status));
            assert_eq!(race.poll(BEGIN), Some(Step::Lost(http(status))));
        }
        let mut race = race();
        race.failed(BEGIN, Route::WebSocket, by_server(426));
        assert_eq!(race.poll(BEGIN), Some(Step::Start(Route::Sse)));
        assert_eq!(race.won(Route::Sse, RouteChoice::Automatic).blocked, Some(Blocked::Stripped));
    }

    #[test]
    fn what_worked_before_is_tried_first() {
        let known = RouteInUse::new(Route::LongPoll, Some(Blocked::Cut));
        let mut race = Race::new(BEGIN, RouteChoice::Automatic, Some(known), STAGGER_MS);
        assert_eq!(race.poll(BEGIN), Some(Step::Start(Route::LongPoll)));
        assert_eq!(race.won(Route::LongPoll, RouteChoice::Automatic), known);
        race.failed(BEGIN, Route::LongPoll, by_proxy(http(502)));
        assert_eq!(race.poll(BEGIN), Some(Step::Start(Route::WebSocket)));
    }

    #[test]
    fn a_forced_route_runs_alone() {
        let only = RouteChoice::Only(Route::Poll);
        let mut race = Race::new(BEGIN, only, Some(RouteInUse::WEBSOCKET), STAGGER_MS);
        assert_eq!(race.poll(BEGIN), Some(Step::Start(Route::Poll)));
        assert_eq!(race.won(Route::Poll, only).blocked, None);
        race.failed(BEGIN, Route::Poll, by_proxy(http(200)));
        assert_eq!(race.poll(BEGIN), Some(Step::Lost(http(200))));
    }
}
