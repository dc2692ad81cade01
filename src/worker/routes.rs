//! [`RouteBook`]: which route led to a server, on which network, and why no WebSocket did; remembered for a day. [`RouteWatch`]: what of
//! it is seen on one connection.
//!
//! A network is recognized by the addresses that it gives out: the part of this computer's address that it shares with others there.
//! Two networks that give out the same addresses count as one, which costs no more than another order of attempts.

use std::collections::VecDeque;
use std::net::{IpAddr, UdpSocket};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::access::{self, authority};
use crate::link::Input;
use crate::model::link_state::{LinkState, Phase, Why};
use crate::model::route::{Blocked, Route, RouteInUse};
use crate::model::time::{BootMs, Time, WallMs};
use crate::model::{Profile, RouteChoice};
use crate::settings::private_file;
use crate::transport::channel::{LOSSES_MS, MAX_LOSSES, RoutePlan, RouteTimes};

/// The file's name in the data directory.
const FILE: &str = "routes.json";
/// Maximum number of servers and networks that are remembered; the oldest is forgotten.
const MAX_ENTRIES: usize = 64;
/// Maximum size of the file, in bytes. A larger one is not ours.
const MAX_FILE_BYTES: u64 = 64 * 1024;
/// Maximum length of a network's or a server's name, in bytes.
const MAX_NAME_BYTES: usize = 300;
/// How long something is remembered, in milliseconds.
const REMEMBERED_MS: u64 = 86_400_000;
/// A connection that broke while it was busy was not cut for being idle. In milliseconds.
const IDLE_MS: u64 = 900;

/// A server as seen from a network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    network: String,
    server: String,
}

/// What is remembered of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    #[serde(flatten)]
    place: Place,
    /// The route that worked.
    route: Route,
    /// Why it was no WebSocket.
    blocked: Blocked,
    /// When, by this computer's clock.
    at: WallMs,
}

/// A WebSocket that was lost in silence.
#[derive(Debug)]
struct Loss {
    place: Place,
    at: BootMs,
    /// Whether the server was reached since. One that is not there was down, which says nothing about the network.
    is_reached: bool,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct RouteBook {
    /// The oldest first.
    entries: VecDeque<Entry>,
    /// Those of late, the oldest first.
    losses: VecDeque<Loss>,
    path: Option<PathBuf>,
    is_changed: bool,
}

/// What is seen of a connection's route.
#[derive(Debug, Default)]
pub(super) struct RouteWatch {
    place: Place,
    used: Option<RouteInUse>,
    /// Whether anything came since the transport opened.
    has_heard: bool,
}

impl RouteBook {
    /// Reads what is kept in the data directory. A damaged file counts as empty.
    pub(super) fn load(dir: &Path) -> RouteBook {
        let path = dir.join(FILE);
        let is_ours =
            std::fs::metadata(&path).is_ok_and(|file| file.is_file() && file.len() <= MAX_FILE_BYTES);
        let text = if is_ours { std::fs::read_to_string(&path).unwrap_or_default() } else { String::new() };
        let mut entries: VecDeque<Entry> = serde_json::from_str(&text).unwrap_or_default();
        let is_short = |text: &str| text.len() <= MAX_NAME_BYTES;
        entries.retain(|entry| is_short(&entry.place.network) && is_short(&entry.place.server));
        entries.truncate(MAX_ENTRIES);
        RouteBook { entries, path: Some(path), ..RouteBook::default() }
    }

    /// What is to be written, if anything has changed: the file and its content.
    pub(super) fn take_changed(&mut self) -> Option<(PathBuf, Vec<u8>)> {
        let path = self.path.clone().filter(|_| std::mem::take(&mut self.is_changed))?;
        Some((path, serde_json::to_vec_pretty(&self.entries).ok()?))
    }

    /// Which routes to try in a dial that begins now; `None` if the server has none but its socket.
    pub(super) fn plan(
        &self,
        now: Time,
        watch: &mut RouteWatch,
        profile: &Profile,
        url: &str,
    ) -> Option<RoutePlan> {
        *watch = RouteWatch::default();
        let choice = access::routes(profile)?;
        if choice == RouteChoice::Automatic {
            watch.place = Place { network: network(), server: authority(url) };
        }
        let known = self.known(now, &watch.place);
        Some(RoutePlan { choice, known, times: RouteTimes::default() })
    }

    fn known(&self, now: Time, place: &Place) -> Option<RouteInUse> {
        let is_fresh = |entry: &&Entry| {
            // A clock that was set back makes nothing last longer.
            let age = now.wall_ms.since(entry.at);
            entry.place == *place && u64::try_from(age).is_ok_and(|age| age < REMEMBERED_MS)
        };
        let entry = self.entries.iter().find(is_fresh)?;
        Some(RouteInUse::new(entry.route, Some(entry.blocked)))
    }

    /// The transport of a dial has opened.
    pub(super) fn opened(&mut self, watch: &mut RouteWatch, used: Option<RouteInUse>) {
        (watch.used, watch.has_heard) = (used, false);
        let place = &watch.place;
        let is_cut = self.entries.iter().any(|entry| entry.place == *place && entry.blocked == Blocked::Cut);
        self.losses.retain(|loss| loss.place != *place || !is_cut);
        self.losses.iter_mut().filter(|loss| loss.place == *place).for_each(|loss| loss.is_reached = true);
    }

    /// These came over it, so long after what came before.
    pub(super) fn received(&mut self, now: Time, watch: &mut RouteWatch, inputs: &[Input], quiet_ms: u64) {
        for input in inputs {
            match input {
                Input::Frame { .. } => watch.has_heard = true,
                Input::Routed { used, .. } => {
                    watch.used = Some(*used);
                    self.worked(now, watch);
                }
                Input::Closed { why: Why::Lost { .. }, .. } if quiet_ms >= IDLE_MS && watch.has_heard => {
                    self.lost(now, watch);
                }
                _ => {}
            }
        }
    }

    /// The link has another state.
    pub(super) fn changed(&mut self, now: Time, watch: &mut RouteWatch, state: &LinkState) {
        match state {
            LinkState::Online { rtt_ms: None, .. } => self.worked(now, watch),
            LinkState::Waiting { why: Why::Silent, .. } => self.lost(now, watch),
            LinkState::Waiting { why: Why::TimedOut { during: Phase::Handshake }, .. }
                if watch.is_websocket() && !watch.has_heard =>
            {
                self.remember(now, watch.place.clone(), Route::Sse, Blocked::Mute);
            }
            LinkState::Waiting { why, .. } if watch.used.is_none() && is_not_there(why) => {
                self.take_back(&watch.place);
            }
            _ => {}
        }
    }

    /// The server was not there when it was dialed again: its last loss was no fault of the network's.
    fn take_back(&mut self, place: &Place) {
        let is_in_doubt = |loss: &Loss| loss.place == *place && !loss.is_reached;
        if self.losses.iter().any(is_in_doubt) {
            self.losses.retain(|loss| !is_in_doubt(loss));
            self.forget(|entry| entry.place == *place && entry.blocked == Blocked::Cut);
        }
    }

    /// It works by this route.
    fn worked(&mut self, now: Time, watch: &RouteWatch) {
        let Some(used) = watch.used.filter(|_| !watch.place.server.is_empty()) else { return };
        match used.blocked {
            Some(blocked) => self.remember(now, watch.place.clone(), used.route, blocked),
            // One that opens and is cut later opens again.
            None => self.forget(|entry| {
                entry.place == watch.place && !matches!(entry.blocked, Blocked::Cut | Blocked::Mute)
            }),
        }
    }

    /// A WebSocket was lost in silence.
    fn lost(&mut self, now: Time, watch: &mut RouteWatch) {
        if !watch.is_websocket() || watch.place.server.is_empty() {
            return;
        }
        watch.used = None;
        self.losses.retain(|loss| now.boot_ms.since(loss.at) < LOSSES_MS);
        let loss = Loss { place: watch.place.clone(), at: now.boot_ms, is_reached: false };
        self.losses.push_back(loss);
        let count = self.losses.iter().filter(|loss| loss.place == watch.place).count();
        if count >= MAX_LOSSES {
            self.remember(now, watch.place.clone(), Route::Sse, Blocked::Cut);
        }
        while self.losses.len() > MAX_ENTRIES {
            self.losses.pop_front();
        }
    }

    fn remember(&mut self, now: Time, place: Place, route: Route, blocked: Blocked) {
        if place.server.is_empty() {
            return;
        }
        self.entries.retain(|entry| entry.place != place);
        self.entries.push_back(Entry { place, route, blocked, at: now.wall_ms });
        if self.entries.len() > MAX_ENTRIES {
            self.entries.pop_front();
        }
        self.is_changed = true;
    }

    fn forget(&mut self, is_over: impl Fn(&Entry) -> bool) {
        let before = self.entries.len();
        self.entries.retain(|entry| !is_over(entry));
        self.is_changed |= self.entries.len() != before;
    }
}

impl RouteWatch {
    fn is_websocket(&self) -> bool {
        self.used.is_some_and(|used| used.route == Route::WebSocket)
    }
}

/// Whether nobody was reached at a server's address.
fn is_not_there(why: &Why) -> bool {
    matches!(
        why,
        Why::ConnectionRefused
            | Why::Unreachable { .. }
            | Why::NameNotFound { .. }
            | Why::TimedOut { during: Phase::Dial }
            // A proxy whose server is down.
            | Why::Http { status: 502..=504, .. }
    )
}

/// Writes what [`RouteBook::take_changed`] returned.
pub(super) fn save((path, content): (PathBuf, Vec<u8>)) {
    if let Err(error) = private_file::write(&path, &content) {
        log::warn!("which routes work is not remembered: {error}");
    }
}

/// The network that this computer is in; empty without one.
fn network() -> String {
    let parts = [("0.0.0.0:0", "192.0.2.1:9"), ("[::]:0", "[2001:db8::1]:9")];
    let own = parts.into_iter().find_map(|(from, to)| own_address(from, to));
    let Some(own) = own else { return String::new() };
    let all = if_addrs::get_if_addrs().unwrap_or_default();
    let prefix = all.iter().find_map(|interface| match (&interface.addr, own) {
        (if_addrs::IfAddr::V4(at), IpAddr::V4(own)) if at.ip == own => {
            let bits = u32::from(at.netmask).count_ones();
            Some(format!("{}/{bits}", std::net::Ipv4Addr::from(u32::from(own) & u32::from(at.netmask))))
        }
        (if_addrs::IfAddr::V6(at), IpAddr::V6(own)) if at.ip == own => {
            let bits = u128::from(at.netmask).count_ones();
            Some(format!("{}/{bits}", std::net::Ipv6Addr::from(u128::from(own) & u128::from(at.netmask))))
        }
        _ => None,
    });
    prefix.unwrap_or_else(|| own.to_string())
}

/// The address from which traffic to other networks leaves. Nothing is sent to find it: the addresses are for documentation
/// (RFC 5737, RFC 3849), routed like any other, and in use by nobody.
fn own_address(from: &str, to: &str) -> Option<IpAddr> {
    let socket = UdpSocket::bind(from).ok()?;
    socket.connect(to).ok()?;
    Some(socket.local_addr().ok()?.ip()).filter(|address| !address.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFUSED: RouteInUse = RouteInUse::new(Route::LongPoll, Some(Blocked::Refused(403)));

    fn at(ms: u64) -> Time {
        Time { boot_ms: BootMs(1_000), wall_ms: WallMs(1_700_000_000_000) }.plus(ms)
    }

    fn watch(used: RouteInUse) -> RouteWatch {
        let place = Place { network: "192.0.2.0/24".into(), server: "hub.example:7870".into() };
        RouteWatch { place, used: Some(used), has_heard: true }
    }

    fn online() -> LinkState {
        LinkState::Online { since: at(0).wall_ms, rtt_ms: None }
    }

    fn lost(why: Why) -> Vec<Input> {
        vec![Input::Closed { dial: 1, why }]
    }

    #[test]
    fn what_worked_is_remembered_for_a_day_on_disk_and_for_that_network() {
        let dir = tempfile::tempdir().unwrap();
        let mut book = RouteBook::load(dir.path());
        let mut seen = watch(REFUSED);
        book.changed(at(0), &mut seen, &online());
        save(book.take_changed().unwrap());
        assert_eq!(book.take_changed(), None, "nothing has changed since");
        let mut book = RouteBook::load(dir.path());
        assert_eq!(book.known(at(REMEMBERED_MS - 1), &seen.place), Some(REFUSED));
        assert_eq!(book.known(at(REMEMBERED_MS), &seen.place), None);
        let elsewhere = Place { network: "198.51.100.0/24".into(), ..seen.place.clone() };
        assert_eq!(book.known(at(0), &elsewhere), None);
        book.received(at(9), &mut seen, &[Input::Routed { dial: 1, used: RouteInUse::WEBSOCKET }], 0);
        assert_eq!(book.known(at(10), &seen.place), None, "a WebSocket works");
    }

    #[test]
    fn a_websocket_lost_in_silence_twice_within_minutes_is_blocked() {
        let mut book = RouteBook::default();
        let detail = String::new();
        let lose = |book: &mut RouteBook, ms, quiet_ms| {
            let mut seen = watch(RouteInUse::WEBSOCKET);
            let lost = lost(Why::Lost { detail: detail.clone() });
            book.received(at(ms), &mut seen, &lost, quiet_ms);
            book.known(at(ms), &seen.place).and_then(|known| known.blocked)
        };
        assert_eq!(lose(&mut book, 0, 2_000), None);
        assert_eq!(lose(&mut book, LOSSES_MS, 2_000), None, "the first one is long ago");
        assert_eq!(lose(&mut book, LOSSES_MS + 10, 100), None, "it was busy");
        assert_eq!(lose(&mut book, LOSSES_MS + 20, 2_000), Some(Blocked::Cut));
        let mut seen = watch(RouteInUse::WEBSOCKET);
        book.changed(at(LOSSES_MS + 30), &mut seen, &online());
        assert!(book.known(at(LOSSES_MS + 40), &seen.place).is_some(), "that it opens says nothing");
    }

    fn waiting(why: Why) -> LinkState {
        LinkState::Waiting { attempt: 1, retry_at: BootMs(0), down_since: BootMs(0), why }
    }

    /// A WebSocket opens, is lost in silence, and what the next dial comes to.
    fn lose_and_dial(book: &mut RouteBook, ms: u64, next: Result<RouteInUse, Why>) -> Option<Blocked> {
        let mut seen = watch(RouteInUse::WEBSOCKET);
        book.opened(&mut seen, Some(RouteInUse::WEBSOCKET));
        seen.has_heard = true;
        book.received(at(ms), &mut seen, &lost(Why::Lost { detail: String::new() }), 60_000);
        book.changed(at(ms), &mut seen, &waiting(Why::Lost { detail: String::new() }));
        let mut seen = RouteWatch { used: None, ..watch(RouteInUse::WEBSOCKET) };
        match next {
            Ok(used) => book.opened(&mut seen, Some(used)),
            Err(why) => book.changed(at(ms + 1), &mut seen, &waiting(why)),
        }
        book.known(at(ms + 2), &seen.place).map(|known| known.blocked.unwrap())
    }

    #[test]
    fn a_server_that_was_down_says_nothing_about_the_network() {
        for why in [
            Why::ConnectionRefused,
            Why::Http { status: 502, retry_after_ms: None },
            Why::TimedOut { during: Phase::Dial },
        ] {
            let mut book = RouteBook::default();
            for ms in [0, 1_000, 2_000, 3_000] {
                assert_eq!(lose_and_dial(&mut book, ms, Err(why.clone())), None, "{why:?}");
            }
            assert!(book.losses.is_empty());
        }
    }

    #[test]
    fn a_loss_counts_once_the_server_was_reached_again() {
        let mut book = RouteBook::default();
        assert_eq!(lose_and_dial(&mut book, 0, Ok(RouteInUse::WEBSOCKET)), None);
        assert_eq!(lose_and_dial(&mut book, 1_000, Err(Why::ConnectionRefused)), None, "it was down");
        let used = RouteInUse { route: Route::Sse, ..RouteInUse::WEBSOCKET };
        assert_eq!(lose_and_dial(&mut book, 2_000, Ok(used)), Some(Blocked::Cut), "with the first one");
        // That the server is down later doesn't change it.
        let mut seen = RouteWatch { used: None, ..watch(RouteInUse::WEBSOCKET) };
        book.changed(at(3_000), &mut seen, &waiting(Why::ConnectionRefused));
        assert!(book.known(at(3_000), &seen.place).is_some());
        assert!(book.losses.is_empty());
    }

    #[test]
    fn silence_counts_and_a_close_frame_does_not() {
        let mut book = RouteBook::default();
        let closed = Why::Closed {
            code: Some(1001),
            reason: String::new(),
            retry_after_ms: None,
            closing: Default::default(),
        };
        for ms in 0..9 {
            let mut seen = watch(RouteInUse::WEBSOCKET);
            book.received(at(ms), &mut seen, &lost(closed.clone()), 60_000);
            book.changed(at(ms), &mut seen, &waiting(closed.clone()));
        }
        let mut seen = watch(RouteInUse::WEBSOCKET);
        book.changed(at(10), &mut seen, &waiting(Why::Silent));
        book.changed(at(10), &mut seen, &waiting(Why::Silent));
        assert_eq!(book.known(at(10), &seen.place), None, "one loss counts once");
        let mut seen = watch(RouteInUse::WEBSOCKET);
        book.changed(at(20), &mut seen, &waiting(Why::Silent));
        assert!(book.known(at(20), &seen.place).is_some());
        let mut mute = watch(RouteInUse::WEBSOCKET);
        (mute.has_heard, mute.place.server) = (false, "other".into());
        book.changed(at(30), &mut mute, &waiting(Why::TimedOut { during: Phase::Handshake }));
        assert_eq!(book.known(at(30), &mute.place).unwrap().blocked, Some(Blocked::Mute));
    }

    #[test]
    fn the_file_is_bounded_and_a_damaged_one_is_empty() {
        let dir = tempfile::tempdir().unwrap();
        let mut book = RouteBook::load(dir.path());
        for number in 0..500 {
            let mut seen = watch(REFUSED);
            seen.place.server = format!("hub-{number}.example");
            book.changed(at(number), &mut seen, &online());
        }
        save(book.take_changed().unwrap());
        assert_eq!(RouteBook::load(dir.path()).entries.len(), MAX_ENTRIES);
        for damage in
            ["", "{", "[{\"network\": 1}]", "[{\"network\":\"a\",\"server\":\"b\",\"route\":\"x\"}]"]
        {
            std::fs::write(dir.path().join(FILE), damage).unwrap();
            assert!(RouteBook::load(dir.path()).entries.is_empty(), "{damage}");
        }
        std::fs::write(dir.path().join(FILE), vec![b' '; 1 << 20]).unwrap();
        assert!(RouteBook::load(dir.path()).entries.is_empty());
    }
}
