//! [`Course`]: how an open channel receives: by which route, when it asks again, how long it lets a request be held, and when it
//! tries a WebSocket again. No clock and no socket.
//!
//! A lasting response that is cut off twice within minutes is given up for one that does not last. Long polls are held for half as
//! long after each one that was cut, and longer again once several went well. Polls come at longer intervals while nothing
//! happens. Beside all that, a WebSocket is tried, less and less often.

use std::collections::VecDeque;

use super::pause::{FIRST_MS, Pause};
use crate::model::route::{Blocked, Route, RouteChoice, RouteInUse};
use crate::model::time::BootMs;

/// Times that a person waits for. In milliseconds.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct RouteTimes {
    /// After how long another route is tried beside one that is not open yet.
    pub stagger_ms: u64,
    /// After how long on another route a WebSocket is tried again for the first time.
    pub return_ms: u64,
    /// Maximum time between two such attempts.
    pub max_return_ms: u64,
    /// How long a request is held at first, and at most.
    pub max_wait_ms: u64,
    /// The least that a request is held.
    pub min_wait_ms: u64,
    /// Time between two polls while something happens.
    pub min_poll_ms: u64,
    /// Maximum time between two polls.
    pub max_poll_ms: u64,
    /// A lasting response that carried nothing for so long is dead.
    pub silent_ms: u64,
}

impl RouteTimes {
    /// How much later than the first route the last one of a race may begin.
    pub fn race_ms(&self) -> u64 {
        self.stagger_ms * (Route::ALL.len() as u64 - 1)
    }
}

impl Default for RouteTimes {
    fn default() -> Self {
        RouteTimes {
            stagger_ms: 4_000,
            return_ms: 60_000,
            max_return_ms: 3_600_000,
            max_wait_ms: 25_000,
            min_wait_ms: 1_000,
            min_poll_ms: 1_000,
            max_poll_ms: 10_000,
            silent_ms: 20_000,
        }
    }
}

/// Number of losses within [`LOSSES_MS`] after which a route counts as cut by the network.
pub const MAX_LOSSES: usize = 2;
/// Within how long these losses must be, in milliseconds.
pub const LOSSES_MS: u64 = 300_000;
/// A lasting response that ended sooner than this, with nothing in it, did not end because its time was over. In milliseconds.
const MIN_LIFE_MS: u64 = 1_000;
/// A WebSocket that lasted so long was not blocked. In milliseconds.
const TRUSTED_MS: u64 = 600_000;
/// Number of held requests that must go well before a longer one is tried; doubled with each that is cut then.
const WELL_BEFORE_GROWTH: u32 = 3;
const MAX_WELL_BEFORE_GROWTH: u32 = 96;
/// Number of requests cut in a row at the least hold after which requests are not held at all.
const MAX_CUTS_AT_LEAST: u32 = 3;

/// How the next receiving request is made.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Ask {
    pub(super) route: Route,
    /// How long it may be held; 0 for a poll, and without meaning for a lasting response.
    pub(super) wait_ms: u64,
    /// When.
    pub(super) at: BootMs,
}

/// How a receiving request ended.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// As it should, with so many frames.
    Answered { frames: u64 },
    /// Cut off, or without an answer in time, or given up by something between (504).
    Cut,
    /// A lasting response did not begin in time, or something between refuses this route.
    Refused,
    /// Something between says that the server is not there (502, 503), or nothing accepts the connection.
    Unavailable,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Course {
    times: RouteTimes,
    is_forced: bool,
    route: Route,
    blocked: Option<Blocked>,
    /// Whether a WebSocket has joined.
    is_joined: bool,
    joined_at: BootMs,
    /// When lasting responses were cut.
    losses: VecDeque<BootMs>,
    ask_at: BootMs,
    asked_at: BootMs,
    /// After a held request was cut: the next one is not held, since it fetches what was missed and shows that the server is there.
    checks: bool,
    pause: Pause,
    wait_ms: u64,
    went_well: u32,
    well_before_growth: u32,
    cuts_at_least: u32,
    poll_ms: u64,
    /// When to try a WebSocket next, and how long to wait after that.
    return_at: Option<BootMs>,
    return_ms: u64,
}

impl Course {
    /// A channel is open, and so is this route.
    pub(super) fn new(now: BootMs, choice: RouteChoice, used: RouteInUse, times: RouteTimes) -> Course {
        let is_forced = !choice.is_automatic();
        Course {
            times,
            is_forced,
            route: used.route,
            blocked: used.blocked,
            is_joined: false,
            joined_at: now,
            losses: VecDeque::new(),
            ask_at: now,
            asked_at: now,
            checks: false,
            pause: Pause::default(),
            wait_ms: times.max_wait_ms,
            went_well: 0,
            well_before_growth: WELL_BEFORE_GROWTH,
            cuts_at_least: 0,
            poll_ms: times.min_poll_ms,
            return_at: (!is_forced).then_some(now + times.return_ms),
            return_ms: times.return_ms,
        }
    }

    /// What a person is told.
    pub(super) fn used(&self) -> RouteInUse {
        if self.is_joined {
            return RouteInUse::WEBSOCKET;
        }
        let delay_ms = (self.route == Route::Poll).then_some(self.poll_ms);
        RouteInUse { delay_ms, ..RouteInUse::new(self.route, self.blocked) }
    }

    /// How to ask next.
    pub(super) fn ask(&self) -> Ask {
        let is_held = self.route == Route::LongPoll && !self.checks;
        let wait_ms = if is_held { self.wait_ms } else { 0 };
        Ask { route: self.route, wait_ms, at: self.ask_at }
    }

    /// A receiving request was begun.
    pub(super) fn asked(&mut self, now: BootMs) {
        self.asked_at = now;
    }

    /// Something was posted: an answer may follow soon.
    pub(super) fn posted(&mut self, now: BootMs) {
        self.pause.over();
        if self.route == Route::Poll {
            self.poll_ms = self.times.min_poll_ms;
            self.ask_at = self.ask_at.min(now + self.poll_ms / 4);
        }
    }

    /// The receiving request has ended.
    pub(super) fn ended(&mut self, now: BootMs, outcome: Outcome) {
        match outcome {
            Outcome::Answered { frames } => self.answered(now, frames),
            Outcome::Cut => self.cut(now),
            Outcome::Refused => {
                self.step_down(self.next_route());
                self.ask_later(now);
            }
            Outcome::Unavailable => self.ask_later(now),
        }
    }

    fn answered(&mut self, now: BootMs, frames: u64) {
        self.ask_at = now;
        if std::mem::take(&mut self.checks) {
            self.pause.over();
            return;
        }
        let lived_ms = now.since(self.asked_at);
        match self.route {
            Route::Poll => {
                let longer = (self.poll_ms * 2).min(self.times.max_poll_ms);
                self.poll_ms = if frames > 0 { self.times.min_poll_ms } else { longer };
                self.ask_at = now + self.poll_ms;
            }
            Route::LongPoll => {
                self.cuts_at_least = 0;
                // Only a request that was held all the time says how long one can be.
                if frames == 0 && lived_ms + self.times.min_wait_ms / 2 >= self.wait_ms {
                    self.went_well += 1;
                    if self.went_well >= self.well_before_growth && self.wait_ms < self.times.max_wait_ms {
                        (self.wait_ms, self.went_well) = (self.longer(), 0);
                    }
                } else if frames == 0 && lived_ms < self.times.min_wait_ms / 2 {
                    return self.ask_later(now);
                }
            }
            _ if frames == 0 && lived_ms < MIN_LIFE_MS => return self.ask_later(now),
            _ => {}
        }
        self.pause.over();
    }

    fn longer(&self) -> u64 {
        (self.wait_ms + self.wait_ms / 2).min(self.times.max_wait_ms)
    }

    fn cut(&mut self, now: BootMs) {
        match self.route {
            // The server is not there, however long it is asked.
            Route::LongPoll if self.checks => {}
            Route::LongPoll => {
                self.checks = true;
                if self.wait_ms <= self.times.min_wait_ms {
                    self.cuts_at_least += 1;
                    if self.cuts_at_least >= MAX_CUTS_AT_LEAST {
                        self.step_down(Route::Poll);
                    }
                }
                self.wait_ms = (self.wait_ms / 2).max(self.times.min_wait_ms);
                self.well_before_growth = (self.well_before_growth * 2).min(MAX_WELL_BEFORE_GROWTH);
                self.went_well = 0;
                // It may be repeated at once: the hold is shorter.
                self.ask_at = now + FIRST_MS;
                return;
            }
            Route::Poll => {}
            _ => {
                if now.since(self.asked_at) >= MIN_LIFE_MS {
                    self.pause.over();
                }
                self.losses.retain(|at| now.since(*at) < LOSSES_MS);
                self.losses.push_back(now);
                // Whatever cut WebSockets off cuts other lasting connections off as well.
                let most = if matches!(self.blocked, Some(Blocked::Cut)) { 1 } else { MAX_LOSSES };
                if self.losses.len() >= most {
                    self.step_down(Route::LongPoll);
                }
            }
        }
        self.ask_later(now);
    }

    /// The route to go over to where something between refuses this one.
    fn next_route(&self) -> Route {
        match self.route {
            Route::WebSocket => Route::Sse,
            Route::Sse => Route::Stream,
            Route::Stream => Route::LongPoll,
            Route::LongPoll | Route::Poll => Route::Poll,
        }
    }

    fn step_down(&mut self, route: Route) {
        if !self.is_forced && route != self.route {
            self.route = route;
            self.losses.clear();
            (self.wait_ms, self.cuts_at_least, self.went_well) = (self.times.max_wait_ms, 0, 0);
            self.checks = false;
        }
    }

    fn ask_later(&mut self, now: BootMs) {
        self.ask_at = self.pause.failed(now);
    }

    /// When to try a WebSocket.
    pub(super) fn return_at(&self) -> Option<BootMs> {
        self.return_at.filter(|_| !self.is_joined)
    }

    /// A WebSocket is being tried.
    pub(super) fn returning(&mut self) {
        self.return_at = None;
    }

    /// A WebSocket has joined the channel.
    pub(super) fn joined(&mut self, now: BootMs) {
        (self.is_joined, self.joined_at) = (true, now);
    }

    /// A WebSocket did not join; `blocked`: why, if that is known.
    pub(super) fn not_joined(&mut self, now: BootMs, blocked: Option<Blocked>) {
        self.blocked = blocked.or(self.blocked);
        self.return_later(now);
    }

    /// The WebSocket that had joined is gone.
    pub(super) fn socket_lost(&mut self, now: BootMs) {
        (self.is_joined, self.ask_at) = (false, now);
        self.blocked = Some(Blocked::Cut);
        if now.since(self.joined_at) >= TRUSTED_MS {
            self.return_ms = self.times.return_ms;
            self.return_at = Some(now + self.return_ms);
        } else {
            self.return_later(now);
        }
    }

    fn return_later(&mut self, now: BootMs) {
        self.return_ms = (self.return_ms * 2).min(self.times.max_return_ms);
        self.return_at = (!self.is_forced).then_some(now + self.return_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: BootMs = BootMs(10_000);

    fn course(route: Route) -> Course {
        let used = RouteInUse::new(route, Some(Blocked::Refused(403)));
        Course::new(BEGIN, RouteChoice::Automatic, used, RouteTimes::default())
    }

    /// Asks as the course wants, and ends each request like this after so long.
    fn ask(course: &mut Course, held_ms: u64, outcome: Outcome) -> BootMs {
        let mut at = course.ask().at;
        course.asked(at);
        if course.ask().route == Route::LongPoll && course.ask().wait_ms == 0 {
            course.ended(at + 5, Outcome::Answered { frames: 0 });
            at = course.ask().at;
            course.asked(at);
        }
        course.ended(at + held_ms, outcome);
        at + held_ms
    }

    #[test]
    fn a_lasting_response_that_is_cut_twice_within_minutes_gives_way_to_long_polling() {
        let mut once = course(Route::Sse);
        ask(&mut once, 5_000, Outcome::Cut);
        assert_eq!(once.ask().route, Route::Sse);
        ask(&mut once, LOSSES_MS, Outcome::Cut);
        assert_eq!(once.ask().route, Route::Sse, "the first one is long ago");
        ask(&mut once, 5_000, Outcome::Cut);
        assert_eq!(once.ask().route, Route::LongPoll);
        let mut known = course(Route::Stream);
        known.blocked = Some(Blocked::Cut);
        ask(&mut known, 5_000, Outcome::Cut);
        assert_eq!(known.ask().route, Route::LongPoll);
        let mut buffered = course(Route::Sse);
        let ended = ask(&mut buffered, 10_000, Outcome::Refused);
        assert_eq!(buffered.ask(), Ask { route: Route::Stream, wait_ms: 0, at: ended + FIRST_MS });
    }

    #[test]
    fn the_server_ends_a_lasting_response_and_is_asked_again_at_once() {
        let mut course = course(Route::Sse);
        for _ in 0..10 {
            let ended = ask(&mut course, 240_000, Outcome::Answered { frames: 0 });
            assert_eq!((course.ask().route, course.ask().at), (Route::Sse, ended));
        }
        // But not in a frenzy where something between ends it.
        let ended = ask(&mut course, 3, Outcome::Answered { frames: 0 });
        assert!(course.ask().at > ended);
    }

    #[test]
    fn a_long_poll_is_held_for_half_as_long_after_each_cut_and_longer_again_later() {
        let mut course = course(Route::LongPoll);
        let mut waits = Vec::new();
        for _ in 0..6 {
            waits.push(course.wait_ms);
            ask(&mut course, 600, Outcome::Cut);
            assert_eq!(course.ask().wait_ms, 0, "what was missed comes at once");
        }
        assert_eq!(waits, [25_000, 12_500, 6_250, 3_125, 1_562, 1_000]);
        // Through a proxy that gives up after five seconds.
        let mut cuts = 0;
        for _ in 0..1_000 {
            let wait = course.wait_ms;
            if wait > 5_000 {
                cuts += 1;
                ask(&mut course, 5_000, Outcome::Cut);
            } else {
                ask(&mut course, wait, Outcome::Answered { frames: 0 });
            }
        }
        assert!((1..15).contains(&cuts), "{cuts} of 1,000 requests were cut");
        assert!(course.wait_ms >= 2_500, "{course:?}");
    }

    #[test]
    fn requests_that_cannot_be_held_at_all_are_polls() {
        let mut course = course(Route::LongPoll);
        while course.ask().route == Route::LongPoll {
            ask(&mut course, 500, Outcome::Cut);
        }
        assert_eq!(course.used().delay_ms, Some(1_000));
        let mut delays = Vec::new();
        for _ in 0..5 {
            let ended = ask(&mut course, 20, Outcome::Answered { frames: 0 });
            delays.push(course.ask().at.since(ended));
        }
        assert_eq!(delays, [2_000, 4_000, 8_000, 10_000, 10_000]);
        let now = course.ask().at.before(9_000);
        course.posted(now);
        assert!(course.ask().at.since(now) <= 1_000);
        assert_eq!(course.used().delay_ms, Some(1_000));
        ask(&mut course, 20, Outcome::Answered { frames: 3 });
        assert_eq!(course.used().delay_ms, Some(1_000));
    }

    #[test]
    fn a_websocket_is_tried_less_and_less_often() {
        let mut course = course(Route::Sse);
        let mut now = BEGIN;
        let mut waits = Vec::new();
        for _ in 0..8 {
            let at = course.return_at().unwrap();
            waits.push(at.since(now) / 1_000);
            now = at;
            course.returning();
            assert_eq!(course.return_at(), None);
            course.not_joined(now, Some(Blocked::Unanswered));
        }
        assert_eq!(waits, [60, 120, 240, 480, 960, 1_920, 3_600, 3_600]);
        assert_eq!(course.used().blocked, Some(Blocked::Unanswered));
        course.joined(now);
        assert_eq!(course.used(), RouteInUse::WEBSOCKET);
        assert_eq!(course.return_at(), None);
        course.socket_lost(now + 60_000);
        assert_eq!(course.used().blocked, Some(Blocked::Cut));
        assert_eq!(course.return_at(), Some(now + 60_000 + 3_600_000));
        course.joined(now + 100_000);
        course.socket_lost(now + 100_000 + TRUSTED_MS);
        assert_eq!(course.return_at(), Some(now + 100_000 + TRUSTED_MS + 60_000));
    }

    #[test]
    fn a_forced_route_is_never_left() {
        let used = RouteInUse::new(Route::Stream, None);
        let only = RouteChoice::Only(Route::Stream);
        let mut course = Course::new(BEGIN, only, used, RouteTimes::default());
        for outcome in [Outcome::Cut, Outcome::Cut, Outcome::Refused, Outcome::Unavailable, Outcome::Cut] {
            ask(&mut course, 10, outcome);
        }
        assert_eq!((course.used(), course.return_at()), (used, None));
    }
}
