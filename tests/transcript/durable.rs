//! Between the network, the disk and the model: nothing shows as pending, is sent or counts as received before it is on
//! disk; what a person may still change.

use duplex::link::durable::{Change, DurableLink, Input, Output};
use duplex::link::{Input as LinkInput, Link};
use duplex::model::content::{Content, Draft};
use duplex::model::profile::Secret;
use duplex::model::time::BootMs;
use duplex::model::time::WallMs;
use duplex::model::{OutboxItem, PrincipalId, Receipt, RoomId, Time};
use duplex::wire::duplex::client::{Config, Credentials};
use duplex::wire::{Agreed, Saved, Setup};

use super::{BEGIN, Peer, link, replay, words};

struct Bench {
    durable: DurableLink,
    dial: u64,
}

fn bench(outbox: Vec<OutboxItem>) -> Bench {
    let credentials = Credentials::Token(Secret::new("t"));
    let setup = Setup::Duplex(Config {
        client: "test".to_owned(),
        credentials,
        watch: false,
        race_ms: 0,
        compresses: false,
    });
    let me = Some(PrincipalId("me".to_owned()));
    let link = Link::new(vec!["ws://a".to_owned()], Box::new(setup), Saved::default(), me, 1);
    Bench { durable: DurableLink::new(link, BEGIN, outbox), dial: 0 }
}

fn told(text: &str) -> Input {
    let words: Vec<&str> = text.split(' ').collect();
    match words[..] {
        ["start"] => Input::Link(LinkInput::Start),
        ["nudge"] => Input::Link(LinkInput::Nudge),
        ["make", which, name] => Input::Send(words::room_to_be(which, name).draft),
        ["type", which, "in", room] => Input::Send(Draft {
            id: words::id(which),
            room: words::id(room).into(),
            content: Content::text(which),
            at: WallMs(0),
        }),
        ["type", which] => Input::Send(Draft {
            id: words::id(which),
            room: RoomId::general(),
            content: Content::text(which),
            at: WallMs(0),
        }),
        ["discard", which] => Input::Discard(words::id(which)),
        ["resend", which] => Input::Resend(words::id(which)),
        ["edit", which, new] => {
            Input::Edit { id: words::id(which), new_id: words::id(new), body: new.to_owned() }
        }
        ["seen", range] => {
            let Receipt { first, last, .. } = words::receipt(&format!(":{range}"));
            Input::Seen { room: RoomId::general(), first, last }
        }
        ["private"] => Input::KeepSeenPrivate,
        ["read", offset] => Input::Read { room: RoomId::general(), offset: offset.parse().unwrap() },
        ["saved", ticket] => Input::Saved(ticket.parse().unwrap()),
        ["held", ticket] => Input::Held(ticket.parse().unwrap()),
        _ => panic!("{text}"),
    }
}

fn written(change: &Change) -> String {
    match change {
        Change::Queue(item) => format!("queue {}", words::outbox_item(item)),
        Change::Unqueue(id) => format!("unqueue {}", words::letter(*id)),
        Change::Replace { old, new } => {
            format!("replace {} by {}", words::letter(*old), words::outbox_item(new))
        }
        Change::Attempted(ids) => format!("attempted {}", words::letters(ids)),
        Change::Event(event) => words::event(event),
        Change::State(state) => format!("state {}", String::from_utf8_lossy(state)),
        Change::Draft { room, text } => format!("draft {room} {text}"),
        Change::RemoveConnection => "remove".to_owned(),
    }
}

impl Peer for Bench {
    fn take(&mut self, now: Time, line: &str) {
        let dial = self.dial;
        let input = match line.split_at(2) {
            ("@ ", text) => told(text),
            (_, "open") => {
                Input::Link(LinkInput::Opened { dial, entropy: [0; 32], agreed: Agreed::default() })
            }
            (_, text) => Input::Link(match text.strip_prefix("closed ") {
                Some(reason) => LinkInput::Closed { dial, why: link::why(reason) },
                None => LinkInput::Frame { dial, frame: words::hub_says(text) },
            }),
        };
        self.durable.handle(now, input);
    }

    fn tick(&mut self, now: Time) {
        self.durable.handle(now, Input::Link(LinkInput::Tick));
    }

    fn deadline(&self) -> Option<BootMs> {
        self.durable.deadline()
    }

    fn poll(&mut self) -> Option<String> {
        Some(match self.durable.poll()? {
            Output::Dial { dial, url } => {
                self.dial = dial;
                format!("> dial {url}")
            }
            Output::Send(frame) => format!("> {}", words::client_said(&frame)),
            Output::Ping => "> ping of the transport".to_owned(),
            Output::Compress => "> compress".to_owned(),
            Output::Hangup { code } => format!("> hang up {code}"),
            Output::Write { ticket, change } => format!("* write {ticket}: {}", written(&change)),
            Output::Apply(event) => format!("! {}", words::event(&event)),
        })
    }
}

/// From off to online; the tickets 1 and 2 are used up.
const ONLINE: &str = "
    @ start
    ! dialing 1
    > dial ws://a
    < open
    ! handshaking 1
    > hello token=t
    < welcome recent from=1 head=0
    ! online
    * write 1: welcomed as me head=0
    * write 2: log started First from=1
    > ping 1
    @ saved 1
    ! welcomed as me head=0
    @ saved 2
    ! log started First from=1
";

fn online(transcript: &str) {
    replay(bench(Vec::new()), &format!("{ONLINE}{transcript}"));
}

fn offline(transcript: &str) {
    replay(bench(Vec::new()), transcript);
}

#[test]
fn what_is_typed_online_is_on_disk_before_it_shows_and_before_it_is_sent() {
    online(
        "
        @ type a
        * write 3: queue a seq=1 attempted
        @ saved 3
        ! queued a seq=1 attempted
        > send a seq=1 a
        < ack a 1
        * write 4: acknowledged a 1
        @ saved 4
        ! acknowledged a 1
        < log 1a*
        * write 5: entries 1a* live
        @ saved 5
        ! entries 1a* live
        ",
    );
}

#[test]
fn what_is_typed_offline_waits() {
    offline(
        "
        @ type a
        * write 1: queue a seq=1 pending
        @ type b
        * write 2: queue b seq=2 pending
        @ saved 1
        ! queued a seq=1 pending
        @ saved 2
        ! queued b seq=2 pending
        @ start
        ! dialing 1
        > dial ws://a
        < open
        ! handshaking 1
        > hello token=t
        < welcome recent from=1 head=0
        ! online
        * write 3: welcomed as me head=0
        * write 4: log started First from=1
        > ping 1
        * write 5: attempted a b
        @ saved 3
        ! welcomed as me head=0
        @ saved 4
        ! log started First from=1
        # nothing overtakes them
        @ type c
        * write 6: queue c seq=3 pending
        @ saved 5
        ! attempted a b
        > send a seq=1 a
        > send b seq=2 b
        @ saved 6
        ! queued c seq=3 pending
        * write 7: attempted c
        @ saved 7
        ! attempted c
        > send c seq=3 c
        ",
    );
}

#[test]
fn nobody_is_greeted_before_the_disk_has_what_came_over_the_connection_before() {
    online(
        "
        < log 1x
        * write 3: entries 1x live
        < log 2y
        * write 4: entries 2y live
        < closed lost
        > hang up 1000
        ! waiting 1 lost
        @ nudge
        ! dialing 2
        > dial ws://a
        < open
        @ saved 3
        ! entries 1x live
        @ saved 4
        ! entries 2y live
        ! handshaking 2
        > hello token=t resume=2y
        ",
    );
}

#[test]
fn a_connection_that_ended_before_the_disk_was_ready_is_not_greeted_any_more() {
    online(
        "
        < log 1x
        * write 3: entries 1x live
        < closed lost
        > hang up 1000
        ! waiting 1 lost
        @ nudge
        ! dialing 2
        > dial ws://a
        < open
        < closed lost
        > hang up 1000
        ! waiting 2 lost
        @ saved 3
        ! entries 1x live
        @ nudge
        ! dialing 3
        > dial ws://a
        < open
        ! handshaking 3
        > hello token=t resume=1x
        ",
    );
}

#[test]
fn what_is_only_held_in_memory_is_shown_and_sent_but_not_received() {
    online(
        "
        @ type a
        * write 3: queue a seq=1 attempted
        @ held 3
        ! queued a seq=1 attempted
        > send a seq=1 a
        < log 1a*
        * write 4: entries 1a* live
        @ held 4
        ! entries 1a* live
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
fn what_the_hub_cannot_have_seen_can_be_changed() {
    offline(
        "
        @ type a
        * write 1: queue a seq=1 pending
        # not shown yet: there is nothing to change
        @ discard a
        @ saved 1
        ! queued a seq=1 pending
        @ edit a b
        * write 2: replace a by b seq=1 pending
        @ saved 2
        ! unqueued a
        ! queued b seq=1 pending
        @ discard b
        * write 3: unqueue b
        @ saved 3
        ! unqueued b
        # and is gone
        @ discard b
        @ edit b c
        @ resend b
        ",
    );
}

#[test]
fn what_the_hub_may_have_cannot_be_changed() {
    let hands_off = "
        @ discard a
        @ edit a b
        @ resend a
    ";
    online(&format!(
        "
        @ type a
        * write 3: queue a seq=1 attempted
        @ saved 3
        ! queued a seq=1 attempted
        > send a seq=1 a
        {hands_off}
        < closed lost
        > hang up 1000
        ! waiting 1 lost
        {hands_off}
        "
    ));
    online(&format!(
        "
        @ type a
        * write 3: queue a seq=1 attempted
        @ saved 3
        ! queued a seq=1 attempted
        > send a seq=1 a
        < ack a 1
        * write 4: acknowledged a 1
        @ saved 4
        ! acknowledged a 1
        {hands_off}
        "
    ));
}

/// `a` was sent and refused; the tickets up to 4 are used up.
const REFUSED: &str = "
    @ type a
    * write 3: queue a seq=1 attempted
    @ saved 3
    ! queued a seq=1 attempted
    > send a seq=1 a
    < refused a
    * write 4: refused a no_such_room
    @ saved 4
    ! refused a no_such_room
";

#[test]
fn what_was_refused_goes_to_the_end_when_it_is_sent_again() {
    online(&format!(
        "{REFUSED}
        @ type b
        * write 5: queue b seq=2 attempted
        @ saved 5
        ! queued b seq=2 attempted
        > send b seq=2 b (retry)
        @ resend a
        * write 6: replace a by a seq=3 pending
        # a second press of the button
        @ resend a
        @ saved 6
        ! unqueued a
        ! queued a seq=3 pending
        * write 7: attempted a
        @ saved 7
        ! attempted a
        > send a seq=3 a
        "
    ));
}

#[test]
fn what_was_refused_can_be_changed_or_dropped() {
    online(&format!(
        "{REFUSED}
        @ edit a b
        * write 5: replace a by b seq=2 pending
        @ saved 5
        ! unqueued a
        ! queued b seq=2 pending
        * write 6: attempted b
        "
    ));
    online(&format!("{REFUSED}\n@ discard a\n* write 5: unqueue a\n@ saved 5\n! unqueued a"));
}

#[test]
fn nothing_overtakes_a_message_that_is_being_edited() {
    offline(
        "
        @ type a
        * write 1: queue a seq=1 pending
        @ type b
        * write 2: queue b seq=2 pending
        @ saved 1
        ! queued a seq=1 pending
        @ saved 2
        ! queued b seq=2 pending
        @ edit a c
        * write 3: replace a by c seq=1 pending
        # the link comes up while the disk is slow
        @ start
        ! dialing 1
        > dial ws://a
        < open
        ! handshaking 1
        > hello token=t
        < welcome recent from=1 head=0
        ! online
        * write 4: welcomed as me head=0
        * write 5: log started First from=1
        > ping 1
        @ saved 3
        ! unqueued a
        ! queued c seq=1 pending
        * write 6: attempted c b
        @ saved 4
        ! welcomed as me head=0
        @ saved 5
        ! log started First from=1
        @ saved 6
        ! attempted c b
        > send c seq=1 c
        > send b seq=2 b
        ",
    );
}

#[test]
fn what_the_disk_held_goes_on_after_it() {
    let held = {
        let mut wire = bench(Vec::new());
        wire.take(BEGIN, "@ type a");
        match wire.durable.poll() {
            Some(Output::Write { change: Change::Queue(item), .. }) => item,
            other => panic!("{other:?}"),
        }
    };
    replay(bench(vec![OutboxItem { seq: 41, ..held }]), "@ type b\n* write 1: queue b seq=42 pending");
}

#[test]
fn what_was_read_during_an_outage_is_told_after_it() {
    online(
        "
        < log 1x
        * write 3: entries 1x live
        @ saved 3
        ! entries 1x live
        < closed lost
        > hang up 1000
        ! waiting 1 lost
        @ read 1
        * write 4: read general 1
        @ saved 4
        ! read general 1
        @ nudge
        ! dialing 2
        > dial ws://a
        < open
        ! handshaking 2
        > hello token=t resume=1x
        < welcome resumed from=2 head=1
        ! online
        * write 5: welcomed as me head=1
        > ping 1
        > read general 1
        ",
    );
}

/// The connection is lost, and another one is made.
const AGAIN: &str = "
        < closed lost
        > hang up 1000
        ! waiting 1 lost
";
const WELCOME: &str = "
        @ nudge
        ! dialing 2
        > dial ws://a
        < open
        ! handshaking 2
        > hello token=t resume=1x
        < welcome resumed from=2 head=1
        ! online
        * write 4: welcomed as me head=1
        > ping 1
";

#[test]
fn what_others_may_know_is_told_again_after_a_lost_connection_unless_they_may_not() {
    let begin = "
        < log 1x
        * write 3: entries 1x live
        @ saved 3
        ! entries 1x live
        @ seen 1-1
        > seen general 1-1
    ";
    online(&format!("{begin}{AGAIN}@ seen 1-2\n{WELCOME}> seen general 1-2"));
    online(&format!("{begin}{AGAIN}{WELCOME}> seen general 1-1"));
    online(&format!("{begin}{AGAIN}@ private\n{WELCOME}"));
}

#[test]
fn what_is_refused_for_a_while_can_be_changed_in_its_place() {
    online(
        "
        @ type a
        * write 3: queue a seq=1 attempted
        @ saved 3
        ! queued a seq=1 attempted
        > send a seq=1 a
        < refused a slow_down 5000
        * write 4: postponed a unseen
        ! paused slow_down 5000 until…
        @ saved 4
        ! postponed a unseen
        @ edit a b
        * write 5: replace a by b seq=1 pending
        @ saved 5
        ! unqueued a
        ! queued b seq=1 pending
        @ type c
        * write 6: queue c seq=2 pending
        @ saved 6
        ! queued c seq=2 pending
        +6s
        ! resumed
        * write 7: attempted b c
        @ saved 7
        ! attempted b c
        > send b seq=2 b (retry)
        > send c seq=3 c
        ",
    );
}

#[test]
fn of_what_was_sent_in_an_earlier_run_nobody_knows_whether_the_hub_has_it() {
    let item = OutboxItem {
        draft: Draft {
            id: words::id("a"),
            room: RoomId::general(),
            content: Content::text("a"),
            at: WallMs(0),
        },
        seq: 1,
        delivery: duplex::model::Delivery::Attempted,
    };
    let sent = "
        < refused a quota 60000
        ! postponed a
        ! paused quota 60000 until…
        @ discard a
        @ edit a b
        ";
    replay(bench(vec![item]), &(ONLINE.replace("> ping 1", "> ping 1\n> send a seq=1 a") + sent));
}

#[test]
fn what_is_typed_into_a_room_that_is_not_made_goes_behind_it() {
    online(
        "
        @ make r lathe
        * write 3: queue r seq=1 attempted
        @ type a in r
        * write 4: queue a seq=2 pending
        @ type b
        * write 5: queue b seq=3 pending
        @ saved 3
        ! queued r seq=1 attempted
        > create_room r lathe
        @ saved 4
        ! queued a seq=2 pending
        @ saved 5
        ! queued b seq=3 pending
        < ack r 1
        * write 6: acknowledged r 1
        * write 7: attempted a b
        @ saved 6
        ! acknowledged r 1
        ",
    );
}

#[test]
fn a_room_that_is_refused_keeps_what_was_typed_into_it_and_goes_again_with_it() {
    online(
        "
        @ make r lathe
        * write 3: queue r seq=1 attempted
        @ type a in r
        * write 4: queue a seq=2 pending
        @ saved 3
        ! queued r seq=1 attempted
        > create_room r lathe
        @ saved 4
        ! queued a seq=2 pending
        < refused r name_alike Lathe
        * write 5: refused r name_alike Lathe
        @ saved 5
        ! refused r name_alike Lathe
        # what is typed now cannot be sent either, and all else can
        @ type b in r
        * write 6: queue b seq=3 failed name_alike Lathe
        @ type c
        * write 7: queue c seq=4 attempted
        @ saved 6
        ! queued b seq=3 failed name_alike Lathe
        @ saved 7
        ! queued c seq=4 attempted
        > send c seq=1 c
        < ack c 1
        * write 8: acknowledged c 1
        @ saved 8
        ! acknowledged c 1
        # one of them brings all of them
        @ resend b
        * write 9: replace r by r seq=5 pending
        * write 10: replace a by a seq=6 pending
        * write 11: replace b by b seq=7 pending
        @ saved 9
        ! unqueued r
        ! queued r seq=5 pending
        * write 12: attempted r
        @ saved 10
        ! unqueued a
        ! queued a seq=6 pending
        @ saved 11
        ! unqueued b
        ! queued b seq=7 pending
        @ saved 12
        ! attempted r
        > create_room r lathe
        # it is there: what was typed goes there
        < ack r 1 room=lathe
        * write 13: acknowledged r 1 moved=lathe
        * write 14: attempted a b
        @ saved 13
        ! acknowledged r 1 moved=lathe
        @ saved 14
        ! attempted a b
        > send a seq=2 a in lathe
        > send b seq=3 b in lathe
        ",
    );
}

#[test]
fn what_was_typed_into_a_room_that_is_given_up_is_not_lost() {
    offline(
        "
        @ make r lathe
        * write 1: queue r seq=1 pending
        @ type a in r
        * write 2: queue a seq=2 pending
        @ saved 1
        ! queued r seq=1 pending
        @ saved 2
        ! queued a seq=2 pending
        @ discard r
        * write 3: unqueue r
        * write 4: refused a no_such_room
        @ saved 3
        ! unqueued r
        @ saved 4
        ! refused a no_such_room
        ",
    );
}
