//! One connection's life: dial, handshake, online, wait, stop.

use std::collections::BTreeMap;

use duplex::link::backoff::Jitter;
use duplex::link::{Input, Link, MAX_QUICK_RETURNS, Mark, Output};
use duplex::model::content::{Content, Draft};
use duplex::model::event::{ChatEvent, LinkEvent};
use duplex::model::id::Offset;
use duplex::model::link_state::{Closing, Phase};
use duplex::model::profile::Secret;
use duplex::model::time::BootMs;
use duplex::model::time::WallMs;
use duplex::model::{Delivery, Event, LinkState, OutboxItem, PrincipalId, RoomId, Time, Why};
use duplex::wire::duplex::client::{Config, Credentials};
use duplex::wire::{Agreed, DeviceRequest, Request, Saved, Setup};

use super::{BEGIN, Peer, replay, words};

pub struct Wire {
    link: Link,
    /// The current dial's number.
    dial: u64,
    next_seq: u64,
    /// By the offset of the last entry.
    marks: BTreeMap<Offset, Mark>,
}

fn link_to(urls: &[&str], seed: u64) -> Wire {
    wire(urls, seed, false, 0)
}

/// One that is told of all devices.
pub fn watching() -> Wire {
    wire(&["ws://a"], 1, true, 0)
}

fn wire(urls: &[&str], seed: u64, watch: bool, race_ms: u64) -> Wire {
    let credentials = Credentials::Token(Secret::new("t"));
    let setup =
        Setup::Duplex(Config { client: "test".to_owned(), credentials, watch, race_ms, compresses: false });
    let urls = urls.iter().map(|url| (*url).to_owned()).collect();
    let me = Some(PrincipalId("me".to_owned()));
    let link = Link::new(urls, Box::new(setup), Saved::default(), me, seed);
    Wire { link, dial: 0, next_seq: 1, marks: BTreeMap::new() }
}

fn link() -> Wire {
    link_to(&["ws://a"], 1)
}

/// `lost`, `refused`, `4001`, `http 503 retry=7000`, `untrusted`.
pub fn why(text: &str) -> Why {
    let words: Vec<&str> = text.split(' ').collect();
    match words[..] {
        ["lost"] => Why::Lost { detail: String::new() },
        ["refused"] => Why::ConnectionRefused,
        ["violation"] => Why::Violation { detail: String::new() },
        ["redirected"] => Why::Redirected { status: 302, location: None },
        ["scheme"] => Why::WrongScheme { is_tls: true },
        ["untrusted"] => Why::TlsUntrusted { detail: String::new() },
        ["timed", "out"] => Why::TimedOut { during: Phase::Dial },
        ["http", status, ..] => {
            Why::Http { status: status.parse().unwrap(), retry_after_ms: words::number(&words, "retry") }
        }
        [code, ..] => Why::Closed {
            code: Some(code.parse().unwrap()),
            reason: String::new(),
            retry_after_ms: words::number(&words, "retry"),
            closing: Closing::ByServer,
        },
        [] => panic!("no reason"),
    }
}

impl Wire {
    /// `queue a pending`, `queue b attempted`, `queue c acknowledged 7`
    fn item(&mut self, words: &[&str]) -> OutboxItem {
        let delivery = match words[1..] {
            ["pending"] => Delivery::Pending,
            ["attempted"] => Delivery::Attempted,
            ["acknowledged", at] => {
                Delivery::Acknowledged { offset: at.parse().unwrap(), received: WallMs(0) }
            }
            _ => panic!("{words:?}"),
        };
        let seq = self.next_seq;
        self.next_seq += 1;
        let (id, room, body) = (words::id(words[0]), RoomId::general(), words[0].to_owned());
        OutboxItem { draft: Draft { id, room, content: Content::text(body), at: WallMs(0) }, seq, delivery }
    }

    fn told(&mut self, text: &str) -> Input {
        let words: Vec<&str> = text.split(' ').collect();
        match words[..] {
            ["start"] => Input::Start,
            ["stop"] => Input::Stop,
            ["nudge"] => Input::Nudge,
            ["hold", "back"] => Input::HeldBack(true),
            ["read", "on"] => Input::HeldBack(false),
            ["queue", ref how @ ..] => Input::Queued(self.item(how)),
            ["marked", ref of @ ..] => Input::Attempted(of.iter().map(|letter| words::id(letter)).collect()),
            ["publish", ref of @ ..] => {
                Input::Request(Request::Device(DeviceRequest::Publish(words::readings_of(of).into())))
            }
            ["committed", at] => Input::Committed(self.marks[&words::resume(at).offset]),
            _ => panic!("{text}"),
        }
    }

    /// What the network says. `stale …` is about the dial before.
    fn heard(&self, text: &str) -> Input {
        let (dial, text) = match text.strip_prefix("stale ") {
            Some(text) => (self.dial - 1, text),
            None => (self.dial, text),
        };
        match text.strip_prefix("closed ") {
            Some(reason) => Input::Closed { dial, why: why(reason) },
            None if text == "open" => Input::Opened { dial, entropy: [0; 32], agreed: Agreed::default() },
            None => Input::Frame { dial, frame: words::hub_says(text) },
        }
    }
}

impl Peer for Wire {
    fn take(&mut self, now: Time, line: &str) {
        let input = match line.split_at(2) {
            ("< ", text) => self.heard(text),
            (_, text) => self.told(text),
        };
        self.link.handle(now, input);
    }

    fn tick(&mut self, now: Time) {
        self.link.handle(now, Input::Tick);
    }

    fn deadline(&self) -> Option<BootMs> {
        self.link.deadline()
    }

    fn poll(&mut self) -> Option<String> {
        Some(match self.link.poll()? {
            Output::Dial { dial, url } => {
                self.dial = dial;
                format!("> dial {url}")
            }
            Output::Send(frame) => format!("> {}", words::client_said(&frame)),
            Output::Hangup { code } => format!("> hang up {code}"),
            Output::Ping => "> ping of the transport".to_owned(),
            Output::Compress => "> compress".to_owned(),
            Output::Persist(_) => "* persist".to_owned(),
            Output::Event(event, mark) => {
                if let (Some(mark), Event::Chat(ChatEvent::Entries { entries, .. })) = (mark, &event) {
                    self.marks.extend(entries.last().map(|last| (last.offset, mark)));
                }
                format!("! {}", words::event(&event))
            }
            Output::MarkAttempted(ids) => format!("* mark {}", words::letters(&ids)),
        })
    }
}

/// From off to online, without anything in the log.
const ONLINE: &str = "
    @ start
    ! dialing 1
    > dial ws://a
    < open
    ! handshaking 1
    > hello token=t
    < welcome recent from=1 head=0
    ! online
    ! welcomed as me head=0
    ! log started First from=1
    > ping 1
    < pong 1 sent=0
    ! online rtt=0
";

fn online(transcript: &str) {
    replay(link(), &format!("{ONLINE}{transcript}"));
}

#[test]
fn a_life_from_start_to_stop() {
    online(
        "
        < log 1a
        ! entries 1a live
        @ committed 1a
        @ stop
        > hang up 1000
        ! off
        # nothing wakes it but a person
        @ nudge
        +1000s
        @ start
        ! dialing 1
        > dial ws://a
        < open
        ! handshaking 1
        > hello token=t resume=1a
        ",
    );
}

#[test]
fn a_race_of_routes_takes_longer_and_the_handshake_after_it_does_not() {
    replay(
        wire(&["ws://a"], 1, false, 16_000),
        "
        @ start
        ! dialing 1
        > dial ws://a
        +25999ms
        +1ms
        > hang up 1000
        ! waiting 1 timed_out Dial
        ",
    );
    replay(
        wire(&["ws://a"], 1, false, 16_000),
        "
        @ start
        ! dialing 1
        > dial ws://a
        +12s
        < open
        ! handshaking 1
        > hello token=t
        +9999ms
        +1ms
        > hang up 1000
        ! waiting 1 timed_out Handshake
        ",
    );
}

#[test]
fn a_black_hole_is_given_up_after_10_s() {
    replay(
        link(),
        "
        @ start
        ! dialing 1
        > dial ws://a
        +9999ms
        +1ms
        > hang up 1000
        ! waiting 1 timed_out Dial
        ",
    );
    replay(
        link(),
        "
        @ start
        ! dialing 1
        > dial ws://a
        +6s
        < open
        ! handshaking 1
        > hello token=t
        # dial and handshake share their 10 s
        +3999ms
        +1ms
        > hang up 1000
        ! waiting 1 timed_out Handshake
        ",
    );
}

#[test]
fn silence_is_probed_after_25_s_and_believed_10_s_later() {
    online(
        "
        +24999ms
        +1ms
        > ping 2
        +9999ms
        < pong 2 sent=0
        ! online rtt=9999
        +25s
        > ping 3
        # any frame counts
        +5s
        < typing general
        ! typing general other
        +25s
        > ping 4
        +9999ms
        +1ms
        > hang up 1000
        ! waiting 0 silent
        ! dialing 1
        > dial ws://a
        ",
    );
}

#[test]
fn a_nudge_probes_within_2_s() {
    online(
        "
        @ nudge
        > ping 2
        +1999ms
        < typing general
        ! typing general other
        @ nudge
        > ping 3
        +1999ms
        +1ms
        > hang up 1000
        ! waiting 1 silent
        # and dials at once where it waits
        @ nudge
        ! dialing 2
        > dial ws://a
        # but not twice
        @ nudge
        @ start
        ",
    );
}

#[test]
fn a_nudge_shortens_a_probe_that_is_under_way() {
    online(
        "
        +25s
        > ping 2
        @ nudge
        > ping 3
        +2s
        > hang up 1000
        ! waiting 0 silent
        ! dialing 1
        > dial ws://a
        ",
    );
}

#[test]
fn an_unanswered_message_means_a_dead_link_after_30_s() {
    online(
        "
        @ queue a attempted
        > send a seq=1 a
        +20s
        < typing general
        ! typing general other
        # the hub is alive, and has forgotten about us
        +9999ms
        < typing general
        ! typing general other
        +1ms
        > hang up 1000
        ! waiting 0 silent
        ! dialing 1
        > dial ws://a
        ",
    );
}

#[test]
fn an_answer_in_time_keeps_the_link() {
    online(
        "
        @ queue a attempted
        > send a seq=1 a
        +20s
        @ queue b attempted
        > send b seq=2 b
        < ack a 1
        ! acknowledged a 1
        # b has 30 s from here
        +20s
        < refused b
        ! refused b no_such_room
        +24s
        < typing general
        ! typing general other
        +24s
        ",
    );
}

#[test]
fn no_clock_runs_against_a_server_that_we_do_not_read() {
    online(
        "
        +20s
        @ hold back
        # neither a ping nor its answer is waited for
        +1000s
        @ read on
        # of the 25 s that it may be quiet 5 s are left
        +4s
        +1s
        > ping 2
        +4s
        @ hold back
        +1000s
        @ read on
        # of the 10 s for the answer 6 s are left
        +5s
        +1s
        > hang up 1000
        ! waiting 0 silent
        ! dialing 1
        > dial ws://a
        ",
    );
}

#[test]
fn an_answer_to_a_message_may_wait_in_what_we_do_not_read() {
    online(
        "
        @ queue a attempted
        > send a seq=1 a
        +10s
        @ hold back
        +1000s
        @ read on
        < ack a 1
        ! acknowledged a 1
        ",
    );
}

#[test]
fn answers_that_nobody_asked_for_are_dropped() {
    online(
        "
        < ack z 9
        < json {\"type\":\"typing\",\"room\":\"made up\",\"who\":{\"id\":\"p\",\"name\":\"p\"}}
        < json {\"type\":\"read\",\"room\":\"made up\",\"offset\":1}
        < json {\"type\":\"history\",\"room\":\"general\",\"before\":9,\"entries\":[],\"complete\":true}
        ",
    );
}

#[test]
fn a_message_that_came_back_needs_no_answer() {
    online(
        "
        @ queue a attempted
        > send a seq=1 a
        +20s
        < log 1a*
        ! entries 1a* live
        +20s
        < typing general
        ! typing general other
        +20s
        ",
    );
}

#[test]
fn what_is_not_news_of_this_dial_is_not_heard() {
    online(
        "
        < closed lost
        > hang up 1000
        ! waiting 1 lost
        < closed lost
        @ nudge
        ! dialing 2
        > dial ws://a
        < stale open
        < stale closed lost
        < stale log 1a
        < open
        ! handshaking 2
        > hello token=t since=0
        < stale welcome recent from=1 head=0
        < open
        ",
    );
}

/// Ends an attempt at once and goes to the next one.
fn attempt(number: u32, reason: &str) -> String {
    format!("! dialing {number}\n> dial ws://a\n< closed {reason}\n> hang up 1000\n")
}

#[test]
fn what_only_a_person_can_mend_stops_it() {
    for (reason, shown) in [
        ("http 401", "http 401"),
        ("http 403", "http 403"),
        ("http 404", "http 404"),
        ("http 421", "http 421"),
        ("untrusted", "tls_untrusted"),
        ("4500", "closed 4500"),
        ("4999", "closed 4999"),
        ("3500", "closed 3500"),
        ("1008", "closed 1008"),
        ("1009", "closed 1009"),
    ] {
        replay(
            link(),
            &format!(
                "@ start\n{}! stopped {shown}\n@ nudge\n+1000s\n@ start\n! dialing 1\n> dial ws://a",
                attempt(1, reason)
            ),
        );
    }
}

#[test]
fn everything_else_is_tried_again() {
    for (reason, shown) in [
        ("http 500", "http 500"),
        ("http 503", "http 503"),
        ("http 429", "http 429"),
        ("refused", "connection_refused"),
        ("lost", "lost"),
        ("1000", "closed 1000"),
        ("1001", "closed 1001"),
        ("1006", "closed 1006"),
        ("1011", "closed 1011"),
        ("4001", "closed 4001"),
        ("4499", "closed 4499"),
    ] {
        replay(
            link(),
            &format!(
                "@ start\n{}! waiting 1 {shown}\n+500ms\n! dialing 2\n> dial ws://a",
                attempt(1, reason)
            ),
        );
    }
}

#[test]
fn a_server_that_asks_to_be_left_alone_is() {
    replay(
        link(),
        &format!(
            "@ start\n{}! waiting 1 http 503\n+6999ms\n+1ms\n! dialing 2\n> dial ws://a",
            attempt(1, "http 503 retry=7000")
        ),
    );
    online(
        "
        < bye 1001 retry=3000
        > hang up 1000
        ! waiting 1 closed 1001
        +2999ms
        +1ms
        ! dialing 2
        > dial ws://a
        ",
    );
}

#[test]
fn a_violation_is_borne_once() {
    online(
        "
        < log 2b
        > hang up 4504
        ! waiting 1 violation
        @ nudge
        ! dialing 2
        > dial ws://a
        < open
        ! handshaking 2
        > hello token=t since=0
        < log 2b
        > hang up 4504
        ! stopped violation
        ",
    );
}

/// PROTOCOL.md: a violation that the client sees is tried again once, however it comes.
#[test]
fn a_violation_with_the_handshake_or_in_another_protocol_is_borne_once() {
    let first = "
        @ start
        ! dialing 1
        > dial ws://a
        ";
    let open = |attempt| format!("< open\n! handshaking {attempt}\n> hello token=t\n");
    let (one, two) = (open(1), open(2));
    for (heard, why, code) in [
        ("< closed violation", "violation", 1000),
        ("< json {\"type\":\"hello\"}", "not_duplex", 4504),
        ("< json hi", "not_duplex", 4504),
    ] {
        let again = "@ nudge\n! dialing 2\n> dial ws://a\n";
        let ends = format!("{heard}\n> hang up {code}\n");
        replay(link(), &format!("{first}{one}{ends}! waiting 1 {why}\n{again}{two}{ends}! stopped {why}"));
    }
    // Something else in between changes nothing.
    replay(
        link(),
        &format!(
            "{first}{one}< closed violation\n> hang up 1000\n! waiting 1 violation
             @ nudge\n! dialing 2\n> dial ws://a\n< closed lost\n> hang up 1000\n! waiting 2 lost
             @ nudge\n! dialing 3\n> dial ws://a\n< closed violation\n> hang up 1000\n! stopped violation"
        ),
    );
    // Of what is not of this protocol, the first is told once the time is over.
    replay(
        link(),
        &format!(
            "{first}{one}< json {{\"type\":\"greeting\"}}\n+10s\n> hang up 1000\n! waiting 1 not_duplex"
        ),
    );
}

#[test]
fn what_only_a_person_can_mend_stops() {
    for why in ["redirected", "scheme", "http 421", "http 200", "http 511", "4600", "1008"] {
        let told = match why {
            "scheme" => "wrong_scheme",
            "4600" | "1008" => &format!("closed {why}"),
            other => other,
        };
        let transcript =
            format!("@ start\n! dialing 1\n> dial ws://a\n< closed {why}\n> hang up 1000\n! stopped {told}");
        replay(link(), &transcript);
    }
    for why in ["http 408", "http 429", "http 502", "http 599"] {
        let transcript =
            format!("@ start\n! dialing 1\n> dial ws://a\n< closed {why}\n> hang up 1000\n! waiting 1 {why}");
        replay(link(), &transcript);
    }
}

#[test]
fn several_addresses_are_tried_in_turn() {
    replay(
        link_to(&["ws://a", "ws://b", "ws://c"], 1),
        "
        @ start
        ! dialing 1
        > dial ws://a
        < closed refused
        > hang up 1000
        ! waiting 1 connection_refused
        @ nudge
        ! dialing 2
        > dial ws://b
        < open
        ! handshaking 2
        > hello token=t
        < closed lost
        > hang up 1000
        ! waiting 2 lost
        @ nudge
        ! dialing 3
        > dial ws://c
        < closed refused
        > hang up 1000
        ! waiting 3 connection_refused
        @ nudge
        ! dialing 4
        > dial ws://a
        ",
    );
    replay(link_to(&[], 1), "@ start\n! stopped bad_url");
}

#[test]
fn the_address_that_led_to_the_server_is_tried_first_and_in_between() {
    replay(
        link_to(&["wss://a", "wss://b", "wss://c"], 1),
        "
        @ start
        ! dialing 1
        > dial wss://a
        < closed refused
        > hang up 1000
        ! waiting 1 connection_refused
        @ nudge
        ! dialing 2
        > dial wss://b
        < open
        ! handshaking 2
        > hello token=t
        < welcome recent from=1 head=0
        ! online
        ! welcomed as me head=0
        ! log started First from=1
        > ping 1
        < closed lost
        > hang up 1000
        ! waiting 1 lost
        @ nudge
        ! dialing 2
        > dial wss://b
        < closed refused
        > hang up 1000
        ! waiting 2 connection_refused
        @ nudge
        ! dialing 3
        > dial wss://c
        < closed refused
        > hang up 1000
        ! waiting 3 connection_refused
        @ nudge
        ! dialing 4
        > dial wss://b
        < closed refused
        > hang up 1000
        ! waiting 4 connection_refused
        @ nudge
        ! dialing 5
        > dial wss://a
        ",
    );
}

#[test]
fn another_server_at_one_of_several_addresses_does_not_end_the_search() {
    replay(
        link_to(&["wss://a", "wss://b"], 1),
        "
        @ start
        ! dialing 1
        > dial wss://a
        < closed untrusted
        > hang up 1000
        ! waiting 1 tls_untrusted
        @ nudge
        ! dialing 2
        > dial wss://b
        < closed refused
        > hang up 1000
        ! waiting 2 connection_refused
        @ nudge
        ! dialing 3
        > dial wss://a
        < closed untrusted
        > hang up 1000
        ! waiting 3 tls_untrusted
        @ nudge
        ! dialing 4
        > dial wss://b
        < closed untrusted
        > hang up 1000
        ! stopped tls_untrusted
        ",
    );
}

// Backoff

/// Runs a link whose every attempt fails `after_ms` and returns how long it waited before each one.
fn waits(seed: u64, attempts: usize, after_ms: u64) -> Vec<u64> {
    let mut link = link_to(&["ws://a"], seed).link;
    let mut now = BEGIN;
    link.handle(now, Input::Start);
    let mut waits = Vec::new();
    while waits.len() < attempts {
        let mut dialed = None;
        while let Some(output) = link.poll() {
            if let Output::Dial { dial, .. } = output {
                dialed = Some(dial);
            }
        }
        let dial = dialed.expect("it dials");
        now = now.plus(after_ms);
        link.handle(now, Input::Closed { dial, why: Why::ConnectionRefused });
        let retry_at = match link.state() {
            LinkState::Waiting { retry_at, .. } => *retry_at,
            other => panic!("{other:?}"),
        };
        waits.push(retry_at - now.boot_ms);
        now = now.plus(retry_at - now.boot_ms);
        link.handle(now, Input::Tick);
    }
    waits
}

#[test]
fn waiting_grows_with_the_outage_from_half_a_second_to_twenty_and_never_ends() {
    for seed in 0..200 {
        // At once for 5 s it would be a hammer: the second attempt already waits at random.
        let quick = waits(seed, 8, 0);
        assert!(quick.iter().all(|ms| *ms <= 500), "seed {seed}: {quick:?}");
        for after_ms in [0, 6_000] {
            let mut down_ms = 0;
            for ms in waits(seed, 60, after_ms) {
                down_ms += after_ms;
                let bound = if down_ms < 5_000 { 500 } else { 20_000.min(down_ms / 4) };
                assert!(ms <= bound, "seed {seed}: {ms} ms after {down_ms} ms");
                down_ms += ms;
            }
        }
    }
    let longest = (0..200).flat_map(|seed| waits(seed, 20, 6_000)).max();
    assert!(longest.is_some_and(|ms| ms > 19_000), "{longest:?}");
    let all_at_once = (0..200).filter(|seed| waits(*seed, 1, 0) == [0]).count();
    assert!(all_at_once < 5, "a thousand clients would come at the same moment: {all_at_once} of 200");
}

/// Brings a link online and lets it fall `after_ms` later, again and again; how long it waits each time.
fn welcomed_and_thrown_out(after_ms: u64, times: usize) -> Vec<u64> {
    let mut wire = link();
    let mut now = BEGIN;
    wire.link.handle(now, Input::Start);
    let mut waits = Vec::new();
    for _ in 0..times {
        while wire.poll().is_some() {}
        for line in ["< open", "< welcome recent from=1 head=0"] {
            wire.take(now, line);
            while wire.poll().is_some() {}
        }
        assert!(wire.link.state().is_online());
        now = now.plus(after_ms);
        wire.take(now, "< closed 4001");
        let wait = wire.deadline().unwrap() - now.boot_ms;
        waits.push(wait);
        now = now.plus(wait);
        wire.tick(now);
    }
    waits
}

#[test]
fn a_server_that_restarts_is_dialed_quickly_and_one_that_throws_everybody_out_is_not_for_long() {
    for after_ms in [0, 9_999] {
        let kicked = welcomed_and_thrown_out(after_ms, 100);
        let (first, then) = kicked.split_at(MAX_QUICK_RETURNS as usize);
        assert!(first.iter().all(|ms| *ms <= 500), "not prompt: {kicked:?}");
        assert!(then.iter().any(|ms| *ms > 15_000), "it spins: {kicked:?}");
        assert!(then.iter().sum::<u64>() > 100_000, "it spins: {kicked:?}");
    }
    let stable = welcomed_and_thrown_out(10_000, 40);
    assert!(stable.iter().all(|ms| *ms == 0), "the first attempt of an outage is made at once: {stable:?}");
}

#[test]
fn jitter_is_spread_over_the_whole_range() {
    let mut jitter = Jitter::new(7);
    let sum: u64 = (0..10_000).map(|_| jitter.up_to(1_000)).sum();
    assert!((4_500_000..5_500_000).contains(&sum), "{sum}");
}

// The outbox

#[test]
fn what_is_typed_is_marked_on_disk_before_it_is_sent() {
    online(
        "
        @ queue a pending
        * mark a
        @ queue b pending
        # b does not overtake
        @ marked a
        * mark b
        > send a seq=1 a
        @ queue c attempted
        @ marked b
        > send b seq=2 b
        > send c seq=3 c
        ",
    );
}

#[test]
fn at_most_32_are_under_way_and_they_go_in_order() {
    let names: Vec<char> = ('A'..='Z').chain('a'..='h').collect();
    let mut transcript = String::from(ONLINE);
    for (index, name) in names.iter().enumerate() {
        transcript += &format!("@ queue {name} attempted\n");
        if index < 32 {
            transcript += &format!("> send {name} seq={} {name}\n", index + 1);
        }
    }
    transcript += "
        < ack A 1
        ! acknowledged A 1
        > send g seq=33 g
        # it came back before its ack did
        < log 1A* 2B*
        ! entries 1A* 2B* live
        > send h seq=34 h
        < ack B 2
        ! acknowledged B 2
        ";
    replay(link(), &transcript);
}

/// The connection is lost and comes back, with this in its log from 1 on.
fn back(head: u64) -> String {
    format!(
        "
        < closed lost
        > hang up 1000
        ! waiting 1 lost
        @ nudge
        ! dialing 2
        > dial ws://a
        < open
        ! handshaking 2
        > hello token=t since=0
        < welcome recent from=1 head={head}
        ! online
        ! welcomed as me head={head}
        ! log started First from=1
        > ping 1
        "
    )
}

#[test]
fn what_has_no_answer_is_sent_again_in_order_and_counted_anew() {
    online(&format!(
        "
        @ queue a attempted
        > send a seq=1 a
        @ queue b attempted
        > send b seq=2 b
        @ queue c pending
        * mark c
        {}
        * mark c
        > send a seq=1 a
        > send b seq=2 b
        @ marked c
        > send c seq=3 c
        < ack a 1
        ! acknowledged a 1
        ",
        back(0)
    ));
}

#[test]
fn a_refused_message_waits_for_the_person() {
    online(&format!(
        "
        @ queue a attempted
        > send a seq=1 a
        < refused a
        ! refused a no_such_room
        @ queue b attempted
        > send b seq=2 b (retry)
        {}
        > send b seq=1 b
        ",
        back(0)
    ));
}

#[test]
fn nothing_is_sent_before_it_is_clear_what_became_of_what_was_acknowledged() {
    let acknowledged = "
        @ queue a attempted
        > send a seq=1 a
        < ack a 1
        ! acknowledged a 1
        @ queue b attempted
        > send b seq=2 b
    ";
    // The replay brings it: it is there.
    online(&format!(
        "{acknowledged}{}
        < pong 1 sent=0
        ! online rtt=0
        < log 1a*
        ! entries 1a* replayed
        > send b seq=1 b
        ",
        back(1)
    ));
    // The replay brings another one in its place: it is lost, and goes first.
    online(&format!(
        "{acknowledged}{}
        < log 1x
        ! entries 1x replayed
        > send a seq=1 a
        > send b seq=2 b
        ",
        back(1)
    ));
    // The log ends before it.
    let lost = back(0).replace("> ping 1", "> ping 1\n> send a seq=1 a\n> send b seq=2 b");
    online(&format!("{acknowledged}{lost}"));
}

#[test]
fn another_log_has_nothing_of_what_was_acknowledged() {
    online(
        "
        < log 1z
        ! entries 1z live
        @ committed 1z
        @ queue a attempted
        > send a seq=1 a
        < ack a 2
        ! acknowledged a 2
        < closed lost
        > hang up 1000
        ! waiting 1 lost
        @ nudge
        ! dialing 2
        > dial ws://a
        < open
        ! handshaking 2
        > hello token=t resume=1z
        < welcome epoch_changed from=1 head=9 epoch=f
        ! online
        ! welcomed as me head=9
        ! log started EpochChanged from=1
        > ping 1
        > send a seq=1 a
        ",
    );
}

#[test]
fn a_log_that_began_anew_is_not_resumed_where_the_old_one_was_held() {
    online(
        "
        < log 1z
        ! entries 1z live
        @ committed 1z
        < closed lost
        > hang up 1000
        ! waiting 1 lost
        @ nudge
        ! dialing 2
        > dial ws://a
        < open
        ! handshaking 2
        > hello token=t resume=1z
        < welcome epoch_changed from=1 head=9 epoch=f
        ! online
        ! welcomed as me head=9
        ! log started EpochChanged from=1
        > ping 1
        # nothing of it came; by now 1z may stand in its place again
        < closed lost
        > hang up 1000
        ! waiting 1 lost
        @ nudge
        ! dialing 2
        > dial ws://a
        < open
        ! handshaking 2
        > hello token=t since=0
        ",
    );
}

#[test]
fn what_the_disk_held_is_sent_once_online() {
    let held = "
        @ queue a acknowledged 2
        @ queue b attempted
        @ queue c pending
    ";
    replay(
        link(),
        &format!(
            "{held}
            @ start
            ! dialing 1
            > dial ws://a
            < open
            ! handshaking 1
            > hello token=t
            < welcome recent from=1 head=2
            ! online
            ! welcomed as me head=2
            ! log started First from=1
            > ping 1
            < log 1z 2a*
            ! entries 1z 2a* replayed
            * mark c
            > send b seq=1 b
            @ marked c
            > send c seq=2 c
            "
        ),
    );
}

#[test]
fn a_mark_that_comes_after_the_link_fell_sends_nothing() {
    online(
        "
        @ queue a pending
        * mark a
        < closed lost
        > hang up 1000
        ! waiting 1 lost
        @ marked a
        ",
    );
}

#[test]
fn the_event_of_a_fall_is_told_to_people_once() {
    let mut wire = link();
    for line in ["@ start", "< open", "< welcome recent from=1 head=0", "< closed lost", "< closed lost"] {
        wire.take(BEGIN, line);
        if line == "@ start" {
            while wire.poll().is_some() {}
        }
    }
    let falls = std::iter::from_fn(|| wire.link.poll()).filter(|output| {
        matches!(output, Output::Event(Event::Link(LinkEvent::State(LinkState::Waiting { .. })), _))
    });
    assert_eq!(falls.count(), 1);
}

// Refusals that will pass

#[test]
fn what_is_refused_for_a_while_keeps_its_place_and_is_sent_again_by_itself() {
    online(
        "
        @ queue a attempted
        > send a seq=1 a
        @ queue b attempted
        > send b seq=2 b
        < refused a slow_down 5000
        ! postponed a unseen
        ! paused slow_down 5000 until…
        < refused b slow_down 4990
        ! postponed b unseen
        # what is typed meanwhile waits behind it
        @ queue c pending
        +4999ms
        +1s
        ! resumed
        * mark a b c
        @ marked a b c
        > send a seq=3 a (retry)
        > send b seq=4 b
        > send c seq=5 c
        < ack a 1
        ! acknowledged a 1
        < ack b 2
        ! acknowledged b 2
        @ queue d attempted
        > send d seq=6 d
        ",
    );
}

#[test]
fn nothing_is_sent_again_before_all_that_is_under_way_has_its_answer() {
    online(
        "
        @ queue a attempted
        > send a seq=1 a
        @ queue b attempted
        > send b seq=2 b
        < refused a quota 1000
        ! postponed a unseen
        ! paused quota 1000 until…
        +10s
        < refused b quota 0
        ! postponed b unseen
        ! paused quota 0 until…
        +1s
        ! resumed
        * mark a b
        ",
    );
    // One of them is never answered: the hub has lost track of us.
    online(
        "
        @ queue a attempted
        > send a seq=1 a
        @ queue b attempted
        > send b seq=2 b
        < refused a quota 1000
        ! postponed a unseen
        ! paused quota 1000 until…
        +24s
        < typing general
        ! typing general other
        +6s
        > hang up 1000
        ! waiting 0 silent
        ! dialing 1
        > dial ws://a
        ",
    );
}

#[test]
fn a_new_connection_does_not_shorten_the_time() {
    online(
        "
        @ queue a attempted
        > send a seq=1 a
        < refused a quota 60000
        ! postponed a unseen
        ! paused quota 60000 until…
        < closed lost
        > hang up 1000
        ! waiting 1 lost
        +500ms
        ! dialing 2
        > dial ws://a
        < open
        ! handshaking 2
        > hello token=t since=0
        < welcome recent from=1 head=0
        ! online
        ! welcomed as me head=0
        ! log started First from=1
        > ping 1
        < pong 1 sent=0
        ! online rtt=0
        +25s
        > ping 2
        < pong 2 sent=0
        ! online rtt=0
        +24s
        < typing general
        ! typing general other
        +16s
        ! resumed
        * mark a
        @ marked a
        > send a seq=1 a
        ",
    );
}

#[test]
fn what_the_hub_may_have_from_an_earlier_connection_stays_attempted() {
    online(
        "
        @ queue a attempted
        > send a seq=1 a
        < closed lost
        > hang up 1000
        ! waiting 1 lost
        +500ms
        ! dialing 2
        > dial ws://a
        < open
        ! handshaking 2
        > hello token=t since=0
        < welcome recent from=1 head=0
        ! online
        ! welcomed as me head=0
        ! log started First from=1
        > ping 1
        > send a seq=1 a
        < refused a slow_down 1000
        ! postponed a
        ! paused slow_down 1000 until…
        # a doubled answer changes nothing
        < refused a slow_down 1000
        +2s
        ! resumed
        > send a seq=2 a (retry)
        < refused a
        ! refused a no_such_room
        ",
    );
}

#[test]
fn a_hub_that_asks_for_no_time_is_not_asked_at_once() {
    online(
        "
        @ queue a attempted
        > send a seq=1 a
        < refused a slow_down 0
        ! postponed a unseen
        ! paused slow_down 0 until…
        +499ms
        +100ms
        ! resumed
        * mark a
        ",
    );
}

#[test]
fn what_was_sent_behind_a_refused_message_goes_before_what_is_typed_later_and_at_once() {
    online(
        "
        @ queue a attempted
        > send a seq=1 a
        @ queue b attempted
        > send b seq=2 b
        < refused a
        ! refused a no_such_room
        # b has no answer yet
        @ queue c pending
        < refused b slow_down 0
        ! postponed b unseen
        * mark b c
        @ marked b c
        > send b seq=3 b (retry)
        > send c seq=4 c
        < ack b 1
        ! acknowledged b 1
        < refused c slow_down 0
        ! postponed c unseen
        ! paused slow_down 0 until…
        +499ms
        +100ms
        ! resumed
        * mark c
        ",
    );
}

#[test]
fn after_a_refusal_the_next_message_says_that_it_was_heard() {
    online(
        "
        @ queue a attempted
        > send a seq=1 a
        < refused a
        ! refused a no_such_room
        @ queue b attempted
        > send b seq=2 b (retry)
        @ queue c attempted
        > send c seq=3 c
        ",
    );
    // A lost refusal: both are sent again in the old order, over a connection that knows of no refusal.
    online(
        &(String::from(
            "
        @ queue a attempted
        > send a seq=1 a
        @ queue b attempted
        > send b seq=2 b
        < refused b slow_down 0
        ! postponed b unseen
        ! paused slow_down 0 until…
        +600ms
        ",
        ) + &back(0)
            + "
        ! resumed
        * mark b
        > send a seq=1 a
        @ marked b
        > send b seq=2 b
        "),
    );
}
