//! One route alone: dials, signs in where there are credentials, and sends pings of 100 bytes that come back as long.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout, timeout_at};

use super::Limits;
use super::steps::us_since;
use crate::clock;
use crate::frame::Frame;
use crate::model::Offset;
use crate::model::diagnosis::{Login, RoundTrips, RouteReport};
use crate::model::link_state::{Closing, Phase, Why};
use crate::model::profile::Profile;
use crate::model::route::{Route, RouteChoice};
use crate::transport::channel::{RoutePlan, RouteTimes};
use crate::transport::{self, Connection, Incoming, WireMeter};
use crate::wire::duplex::client::QUIET_MS;
use crate::wire::duplex::message::{self, ClientMessage, Decoded, HubMessage, MAX_PAD_BYTES};
use crate::wire::{Agreed, Input, Open as _, Output, Saved, SavedState, Session};
use crate::worker::access::{Access, authority};

/// How many round trips are measured.
const MAX_TRIPS: usize = 200;
/// Without credentials: a hub takes 16 frames before the hello, and waits 5 s for it.
const MAX_TRIPS_UNKNOWN: usize = 12;
const MAX_MEASURE_UNKNOWN: Duration = Duration::from_millis(3_500);
/// The first number of our pings: far from those of the session, and of always the same length.
const FIRST_NONCE: u64 = 1_000_000;
/// How long a message is, in bytes.
const MESSAGE_BYTES: usize = 100;
const HOUR_MS: u64 = 3_600_000;

/// What came of a route.
pub(super) struct Probed {
    /// What was measured.
    pub(super) report: RouteReport,
    /// Whether the server let us in, where that was learned.
    pub(super) login: Option<Login>,
}

/// Tries one route and measures it. `measuring`: one route after the other, so that they do not delay each other; polling
/// waits most of the time and is measured beside them.
pub(super) async fn probe(
    route: Route,
    profile: &Profile,
    access: &Access,
    measuring: &Semaphore,
    limits: &Limits,
) -> Probed {
    let began = Instant::now();
    let meter = Arc::new(WireMeter::default());
    let opened = timeout(limits.open, Probe::open(route, profile, access, meter)).await;
    let mut probe = match opened.unwrap_or(Err(Why::TimedOut { during: Phase::Handshake })) {
        Ok(Some(probe)) => probe,
        Ok(None) => return Probed { report: RouteReport::unknown(route), login: None },
        Err(why) => return refused(route, why),
    };
    probe.began = began;
    let is_known = probe.is_online;
    let _turn = match route {
        Route::Poll => None,
        // Before the hello the hub does not wait for long.
        _ if !is_known => None,
        // It is never closed.
        _ => measuring.acquire().await.ok(),
    };
    let (limit, trips) = match (is_known, route) {
        (false, _) => (MAX_MEASURE_UNKNOWN, MAX_TRIPS_UNKNOWN),
        (true, Route::Poll) => (limits.measure_poll, MAX_TRIPS),
        (true, _) => (limits.measure, MAX_TRIPS),
    };
    let mut report = probe.measure(Instant::now() + limit, trips, limits.trip).await;
    if report.works == Some(true) {
        report.idle_requests_per_hour = Some(idle_requests_per_hour(route, &RouteTimes::default()));
    }
    probe.connection.close(1000, "").await;
    Probed { report, login: is_known.then_some(Login::In) }
}

/// A route that did not lead to a welcome. A server that does not know our token was reached all the same.
fn refused(route: Route, why: Why) -> Probed {
    let login = super::is_login(&why).then(|| Login::Refused(why.clone()));
    Probed { report: RouteReport::failed(route, why), login }
}

/// An open route.
struct Probe {
    route: Route,
    connection: Connection,
    meter: Arc<WireMeter>,
    began: Instant,
    /// Whether the server has welcomed us; otherwise there were no credentials.
    is_online: bool,
    first_message_us: Option<u64>,
}

impl Probe {
    /// Dials and signs in. `None` where this program has no such route.
    async fn open(
        route: Route,
        profile: &Profile,
        access: &Access,
        meter: Arc<WireMeter>,
    ) -> Result<Option<Probe>, Why> {
        let began = Instant::now();
        let profile = Profile { route: RouteChoice::Only(route), ..profile.clone() };
        let url = profile.urls.first().cloned().unwrap_or_default();
        let mut target = access.target(&profile, &url)?;
        target.meter = Some(meter.clone());
        target.routes = Some(RoutePlan { choice: RouteChoice::Only(route), ..RoutePlan::default() });
        let connection = transport::dial(profile.socket, target).await?;
        if connection.route.map_or(Route::WebSocket, |used| used.route) != route {
            return Ok(None);
        }
        let mut probe = Probe { route, connection, meter, began, is_online: false, first_message_us: None };
        if !matches!(access, Access::Nobody) {
            probe.sign_in(&profile, access, &url).await?;
            probe.is_online = true;
        }
        Ok(Some(probe))
    }

    /// Says hello and waits for the welcome. Nothing of the log is asked for.
    async fn sign_in(&mut self, profile: &Profile, access: &Access, url: &str) -> Result<(), Why> {
        let entropy = clock::random().map_err(|error| Why::Lost { detail: error.to_string() })?;
        let log = SavedState { resume: None, since: Some(Offset::MAX) };
        let mut session = access.setup(profile, false).open(Saved { log, state: None }, entropy);
        let agreed = Agreed { server: authority(url), ..Agreed::default() };
        self.handle(&mut *session, Input::Opened(agreed)).await?;
        loop {
            let frame = self.next_frame().await?;
            self.first_message_us.get_or_insert_with(|| us_since(self.began));
            if self.handle(&mut *session, Input::Frame(frame)).await? {
                return Ok(());
            }
        }
    }

    /// Gives the session an input and sends what it says. Returns whether it has come online.
    async fn handle(&mut self, session: &mut dyn Session, input: Input) -> Result<bool, Why> {
        let handled = session.handle(clock::now(), input);
        let mut is_online = false;
        while let Some(output) = session.poll() {
            match output {
                Output::Send(frame, _) => drop(self.connection.send(frame).await),
                Output::Online => is_online = true,
                Output::Close { code, why } => {
                    self.connection.close(code, "").await;
                    return Err(why);
                }
                _ => {}
            }
        }
        handled.map_err(|error| Why::Violation { detail: error.to_string() })?;
        Ok(is_online)
    }

    /// Sends pings one after the other until the deadline.
    async fn measure(&mut self, deadline: Instant, most: usize, limit: Duration) -> RouteReport {
        let mut trips = RoundTrips::default();
        let mut bytes = Bytes::default();
        let mut pad = 0;
        let mut failed = None;
        for number in 0..=most as u64 {
            let (up, down) = (self.meter.up(), self.meter.down());
            let began = Instant::now();
            let pong = match timeout_at(began + limit, self.ping(FIRST_NONCE + number, pad)).await {
                Ok(Ok(pong)) => pong,
                Ok(Err(why)) => {
                    failed = Some(why);
                    break;
                }
                Err(_) => {
                    failed = Some(Why::Silent);
                    break;
                }
            };
            let took_us = us_since(began);
            self.first_message_us.get_or_insert_with(|| us_since(self.began));
            // The first one is not counted: it wakes up what sleeps, and says how long an answer is without a pad.
            if number == 0 {
                pad = MESSAGE_BYTES.saturating_sub(pong.length + r#","pad":"""#.len()).min(MAX_PAD_BYTES);
            } else {
                trips.add(took_us);
                if pong.is_alone {
                    bytes.add(self.meter.up() - up, self.meter.down() - down, pong.length);
                }
            }
            if Instant::now() >= deadline {
                break;
            }
        }
        if trips.count() == 0
            && self.first_message_us.is_none()
            && let Some(why) = failed
        {
            return RouteReport::failed(self.route, why);
        }
        RouteReport {
            works: Some(trips.count() > 0),
            failed: if trips.count() > 0 { None } else { failed },
            http: self.connection.route.and_then(|used| used.http),
            first_message_us: self.first_message_us,
            samples: u32::try_from(trips.count()).unwrap_or(u32::MAX),
            rtt_p50_us: trips.percentile(50),
            rtt_p99_us: trips.percentile(99),
            bytes_up: bytes.up(),
            bytes_down: bytes.down(),
            ..RouteReport::unknown(self.route)
        }
    }

    /// The next frame that comes.
    async fn next_frame(&mut self) -> Result<Frame, Why> {
        loop {
            match self.connection.recv().await {
                Some(Incoming::Frame(frame)) => return Ok(frame),
                Some(Incoming::Closed(why)) => return Err(why),
                Some(_) => {}
                None => return Err(Why::Lost { detail: String::new() }),
            }
        }
    }

    /// One round trip.
    async fn ping(&mut self, nonce: u64, pad: usize) -> Result<Pong, Why> {
        let frame = ping(nonce, pad);
        self.connection.send(frame).await;
        let mut is_alone = true;
        loop {
            let frame = self.next_frame().await?;
            match message::decode::<HubMessage>(&frame) {
                Ok(Decoded::Known(HubMessage::Pong { nonce: of, .. })) if of == nonce => {
                    return Ok(Pong { length: frame.len(), is_alone });
                }
                Ok(Decoded::Known(HubMessage::Bye { code, reason, retry_after_ms })) => {
                    return Err(Why::Closed {
                        code: Some(code),
                        reason,
                        retry_after_ms,
                        closing: Closing::ByServer,
                    });
                }
                // What others do on the server meanwhile.
                Ok(_) => is_alone = false,
                Err(_) if self.is_online => is_alone = false,
                // Before a welcome, it may be anything else.
                Err(malformed) => return Err(Why::NotDuplex { said: malformed.to_string() }),
            }
        }
    }
}

/// HTTP requests of a route in an hour in which nothing is said: the session's sign of life after each silence is posted, and its
/// answer ends a request that is held, or makes polls frequent for a while. That a hub ends a lasting response after minutes is
/// too rare to count.
fn idle_requests_per_hour(route: Route, times: &RouteTimes) -> u32 {
    let receiving = match route {
        Route::WebSocket => return 0,
        Route::Sse | Route::Stream => 0,
        // The one that the answer ends, and those that are held to their end.
        Route::LongPoll => 1 + QUIET_MS / times.max_wait_ms,
        Route::Poll => {
            let (mut polls, mut pause, mut at) = (1, times.min_poll_ms, times.min_poll_ms / 4);
            while at + pause < QUIET_MS {
                (at, pause, polls) = (at + pause, (pause * 2).min(times.max_poll_ms), polls + 1);
            }
            polls
        }
    };
    u32::try_from((receiving + 1) * HOUR_MS / QUIET_MS).unwrap_or(u32::MAX)
}

/// An answer to a ping.
struct Pong {
    /// Its length in bytes.
    length: usize,
    /// Whether nothing else came meanwhile.
    is_alone: bool,
}

/// A ping that is as long as a message, with so much of a pad that comes back.
fn ping(nonce: u64, pad: usize) -> Frame {
    let bare = message::encode(&ClientMessage::Ping { nonce, pad: ".".repeat(pad) });
    let Frame::Text(text) = bare else { return bare };
    // A field that nobody knows is ignored.
    let fill = MESSAGE_BYTES.saturating_sub(text.len() + r#","x":"""#.len());
    let end = text.strip_suffix('}').unwrap_or(&text);
    Frame::Text(format!(r#"{end},"x":"{}"}}"#, ".".repeat(fill)))
}

/// What round trips cost on the wire.
#[derive(Default)]
struct Bytes {
    trips: u64,
    up: u64,
    down: u64,
}

impl Bytes {
    /// `length`: that of the answer. A server that does not know the pad answers with a shorter one.
    fn add(&mut self, up: u64, down: u64, length: usize) {
        self.trips += 1;
        self.up += up;
        self.down += down + (MESSAGE_BYTES as u64).saturating_sub(length as u64);
    }

    fn up(&self) -> Option<u64> {
        (self.up + self.trips / 2).checked_div(self.trips)
    }

    fn down(&self) -> Option<u64> {
        (self.down + self.trips / 2).checked_div(self.trips)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pings_are_as_long_as_a_message() {
        for pad in [0, 1, 17, 40] {
            let Frame::Text(text) = ping(FIRST_NONCE, pad) else { panic!("binary") };
            assert_eq!(text.len(), MESSAGE_BYTES, "{text}");
            let decoded = message::decode::<ClientMessage>(&Frame::Text(text));
            let pad = ".".repeat(pad);
            assert_eq!(decoded, Ok(Decoded::Known(ClientMessage::Ping { nonce: FIRST_NONCE, pad })));
        }
    }

    #[test]
    fn idle_requests_follow_from_the_times_of_a_route() {
        let hourly = |route| idle_requests_per_hour(route, &RouteTimes::default());
        // A post every 25 s; with long polling, two requests more; with polling, those after 0.25, 1.25, 3.25, 7.25 and 15.25 s.
        let expected = [0, 144, 144, 3 * 144, 6 * 144];
        assert_eq!(Route::ALL.map(hourly), expected);
    }

    #[test]
    fn what_trips_cost_is_an_average() {
        let mut bytes = Bytes::default();
        assert_eq!((bytes.up(), bytes.down()), (None, None));
        bytes.add(106, 102, 100);
        bytes.add(107, 82, 80);
        assert_eq!((bytes.up(), bytes.down()), (Some(107), Some(102)));
    }
}
