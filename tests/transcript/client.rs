//! The client's end of a conversation.

use data_encoding::HEXLOWER;
use duplex::model::content::{Content, Draft};
use duplex::model::id::Offset;
use duplex::model::profile::Secret;
use duplex::model::time::BootMs;
use duplex::model::time::WallMs;
use duplex::model::{Delivery, OutboxItem, RoomId, Time};
use duplex::wire::duplex::client::{ClientSession, Config, Credentials};
use duplex::wire::duplex::proof;
use duplex::wire::{
    Agreed, ChatRequest, Input, Mark, Output, Request, Saved, SavedState, Session, WireError,
};

use super::{Peer, replay, words};

const SECRET: [u8; 32] = [7; 32];
const NONCE: [u8; 32] = [0xab; 32];
const ADDRESS: &str = "127.0.0.1:7870";

struct Client {
    session: ClientSession,
    broken: Option<WireError>,
    /// The last that came.
    mark: Mark,
}

impl Client {
    fn new(credentials: Credentials, saved: SavedState) -> Self {
        let config =
            Config { client: "test".to_owned(), credentials, watch: false, race_ms: 0, compresses: false };
        let session = ClientSession::new(config, Saved { log: saved, state: None }, NONCE);
        Client { session, broken: None, mark: Mark(0) }
    }
}

fn with_token(saved: SavedState) -> Client {
    Client::new(Credentials::Token(Secret::new("t")), saved)
}

fn resuming(at: &str) -> Client {
    with_token(SavedState { resume: Some(words::resume(at)), since: None })
}

fn proving() -> Client {
    let address = ADDRESS.to_owned();
    Client::new(
        Credentials::Prove { secret: SECRET, address, token: Secret::new("t") },
        SavedState::default(),
    )
}

fn item(letter: &str, body: &str) -> OutboxItem {
    let (id, room, delivery) = (words::id(letter), RoomId::general(), Delivery::Attempted);
    OutboxItem { draft: Draft { id, room, content: Content::text(body), at: WallMs(0) }, seq: 90, delivery }
}

impl Peer for Client {
    fn take(&mut self, now: Time, line: &str) {
        let input = match line {
            "< open" => Input::Opened(Agreed::default()),
            "@ ping" => Input::Request(Request::Probe),
            "@ typing" => Input::Request(Request::Chat(ChatRequest::Typing(RoomId::general()))),
            "@ history" => Input::Request(Request::Chat(ChatRequest::History {
                room: RoomId::general(),
                before: Offset(42),
                limit: 100,
            })),
            "@ read" => Input::Request(Request::Chat(ChatRequest::Read {
                room: RoomId::general(),
                offset: Offset(44),
            })),
            "@ seen" => Input::Request(Request::Chat(ChatRequest::Seen {
                room: RoomId::general(),
                first: Offset(40),
                last: Offset(44),
            })),
            "@ receipts" => Input::Request(Request::Chat(ChatRequest::Receipts(RoomId::general()))),
            "@ create_room" => {
                Input::Request(Request::Chat(ChatRequest::Send(words::room_to_be("r", "lathe"))))
            }
            _ => match line.split_once(' ') {
                Some(("@", text)) => {
                    let (letter, body) = text.strip_prefix("send ").and_then(|t| t.split_once(' ')).unwrap();
                    Input::Request(Request::Chat(ChatRequest::Send(item(letter, body))))
                }
                Some((_, text)) => Input::Frame(words::hub_says(text)),
                None => panic!("{line}"),
            },
        };
        self.broken = self.session.handle(now, input).err();
    }

    fn tick(&mut self, now: Time) {
        self.broken = self.session.handle(now, Input::Tick).err();
    }

    fn deadline(&self) -> Option<BootMs> {
        self.session.deadline()
    }

    fn poll(&mut self) -> Option<String> {
        let Some(output) = self.session.poll() else {
            return self.broken.take().map(|WireError::Violation { detail }| format!("! broken: {detail}"));
        };
        Some(match output {
            Output::Send(frame, _) => format!("> {}", words::client_said(&frame)),
            Output::Event(event, None) => format!("! {}", words::event(&event)),
            Output::Event(event, Some(mark)) => {
                let text = words::event(&event);
                assert!(mark > self.mark, "marks grow");
                self.mark = mark;
                format!("! {text} (to commit)")
            }
            Output::Compress => "> compress".to_owned(),
            Output::Ping | Output::Persist(_) => panic!("the protocol has no use for it"),
            Output::Online => "! online".to_owned(),
            Output::RoundTrip(ms) => format!("! round trip {ms}"),
            Output::Unusable => "! unusable".to_owned(),
            Output::Close { code, why } => format!("> close {code} {}", words::reason(&why)),
        })
    }
}

#[test]
fn a_first_contact() {
    replay(
        with_token(SavedState::default()),
        "
        < open
        > hello token=t
        < welcome recent from=1 head=2
        ! online
        ! welcomed as me head=2
        ! log started First from=1
        > ping 1
        < log 1a 2b
        ! entries 1a 2b replayed (to commit)
        +40ms
        < pong 1 sent=2
        ! round trip 40
        < log 3c
        ! entries 3c live (to commit)
        ",
    );
}

#[test]
fn a_token_that_travels_in_the_header_is_not_in_the_hello() {
    replay(
        Client::new(Credentials::InHeader, SavedState { resume: None, since: Some(Offset(7)) }),
        "
        < open
        > hello since=7
        ",
    );
}

fn asking_about_an_invite() -> Client {
    let code = Secret::new("CODE");
    Client::new(Credentials::CheckInvite { code }, SavedState::default())
}

#[test]
fn an_invite_is_asked_about_without_being_used() {
    for (said, heard) in [
        ("invite good 60", "! invite good at hub until 60000\n> close 1000 closed 1000"),
        ("bye 4503", "> close 1000 invite_refused"),
        // A server that does not know the question.
        ("error unknown_type", "> close 1000 closed 1000"),
        ("bye 4501", "> close 1000 unauthorized"),
    ] {
        replay(asking_about_an_invite(), &format!("< open\n> check_invite CODE\n< {said}\n{heard}"));
    }
}

#[test]
fn what_is_no_duplex_server_is_not_called_silent() {
    // It repeats what it is sent; it greets in another protocol; it is no JSON at all.
    for said in [
        r#"json {"type":"hello","versions":[1,1]}"#,
        r#"json 0{"sid":"x"}"#,
        "json Request served by abc",
        "json [1,2]",
        "json {}",
        "binary",
    ] {
        let heard = format!("< open\n> hello token=t\n< {said}\n> close 4504 not_duplex");
        replay(with_token(SavedState::default()), &heard);
    }
    // A type that is not known may be a later version's; a known one with a fault is a fault.
    replay(with_token(SavedState::default()), "< open\n> hello token=t\n< json {\"type\":\"greeting\"}");
    let session = with_token(SavedState::default());
    replay(session, "< open\n> hello token=t\n< json {\"type\":\"proof\"}\n! broken: missing field `mac`");
}

#[test]
fn an_offset_that_json_does_not_hold_is_never_told() {
    replay(
        Client::new(Credentials::InHeader, SavedState { resume: None, since: Some(Offset(u64::MAX)) }),
        "
        < open
        > hello since=9007199254740991
        ",
    );
}

#[test]
fn an_invite_is_redeemed_with_a_token_of_the_clients_own_making() {
    let (code, token) = (Secret::new("CODE"), Secret::new("mine"));
    replay(
        Client::new(Credentials::Invite { code, name: "Mina".to_owned(), token }, SavedState::default()),
        "
        < open
        > hello invite=CODE/Mina/mine
        < bye 4503
        > close 1000 invite_refused
        ",
    );
}

#[test]
fn the_token_is_told_only_to_a_hub_that_proves_itself() {
    let challenge = HEXLOWER.encode(&NONCE);
    let mac = proof::mac(&SECRET, ADDRESS, &challenge);
    replay(
        proving(),
        &format!(
            "
            < open
            > hello challenge={challenge}
            < proof {mac}
            > auth t
            < welcome recent from=1 head=0
            ! online
            ! welcomed as me head=0
            ! log started First from=1
            > ping 1
            "
        ),
    );
}

#[test]
fn an_impostor_is_told_nothing() {
    let challenge = HEXLOWER.encode(&NONCE);
    let of_another_port = proof::mac(&SECRET, "127.0.0.1:7871", &challenge);
    for answer in ["proof 00", &format!("proof {of_another_port}"), "welcome recent from=1 head=0"] {
        replay(
            proving(),
            &format!(
                "
                < open
                > hello challenge={challenge}
                < {answer}
                > close 1000 impostor
                # whatever it says now
                < welcome recent from=1 head=0
                < proof 00
                "
            ),
        );
    }
}

#[test]
fn a_proof_that_nobody_asked_for_is_a_violation() {
    replay(
        with_token(SavedState::default()),
        "
        < open
        > hello token=t
        < proof 00
        ! broken: a proof that was not asked for
        ",
    );
}

#[test]
fn a_resumed_log_goes_on_behind_the_resume_point() {
    replay(
        resuming("41a"),
        "
        < open
        > hello token=t resume=41a
        < welcome resumed from=42 head=42
        ! online
        ! welcomed as me head=42
        > ping 1
        < log 42b
        ! entries 42b replayed (to commit)
        ",
    );
}

#[test]
fn another_log_or_a_trimmed_one_begins_anew() {
    for (start, why) in [("epoch_changed", "EpochChanged"), ("trimmed", "Trimmed"), ("recent", "First")] {
        replay(
            resuming("41a"),
            &format!(
                "
                < open
                > hello token=t resume=41a
                < welcome {start} from=7 head=50 epoch=f
                ! online
                ! welcomed as me head=50
                ! log started {why} from=7
                > ping 1
                "
            ),
        );
    }
}

#[test]
fn a_welcome_that_contradicts_itself_is_a_violation() {
    for (client, welcome) in [
        (resuming("41a"), "resumed from=43 head=50"),
        (resuming("41a"), "resumed from=42 head=50 epoch=f"),
        (resuming("41a"), "resumed from=42 head=40"),
        (with_token(SavedState::default()), "resumed from=1 head=1"),
        (with_token(SavedState::default()), "recent from=0 head=1"),
        (with_token(SavedState::default()), "recent from=3 head=1"),
    ] {
        let hello = if welcome.starts_with("resumed") && !welcome.ends_with("head=1") {
            "hello token=t resume=41a"
        } else {
            "hello token=t"
        };
        replay(
            client,
            &format!(
                "
                < open
                > {hello}
                < welcome {welcome}
                ! broken: a welcome that …
                "
            ),
        );
    }
}

#[test]
fn a_version_that_we_do_not_speak_ends_it() {
    replay(
        with_token(SavedState::default()),
        "
        < open
        > hello token=t
        < welcome recent from=1 head=0 version=2
        > close 4500 no_common_version
        ",
    );
    replay(
        with_token(SavedState::default()),
        "
        < open
        > hello token=t
        < bye 4500 reason=2-3
        > close 1000 no_common_version
        ",
    );
}

#[test]
fn nothing_but_a_welcome_comes_first() {
    for early in ["log 1a", "ack a 1", "pong 1 sent=0", "read general 1"] {
        replay(
            with_token(SavedState::default()),
            &format!("< open\n> hello token=t\n< {early}\n! broken: a message before the welcome"),
        );
    }
    replay(
        with_token(SavedState::default()),
        "
        < open
        > hello token=t
        # of a later version
        < json {\"type\":\"weather\"}
        < error no_idea
        ! note error no_idea
        < json {\"type\":\"log\"}
        ! broken: missing field `entries`…
        ",
    );
}

/// What comes first in the transcripts below.
const ONLINE: &str = "
    < open
    > hello token=t
    < welcome recent from=5 head=5
    ! online
    ! welcomed as me head=5
    ! log started First from=5
    > ping 1
";

fn online(transcript: &str) {
    replay(with_token(SavedState::default()), &format!("{ONLINE}{transcript}"));
}

#[test]
fn a_gap_a_repetition_and_a_wrong_beginning_break_the_log() {
    online("< log 6b\n! broken: entries that do not continue at offset 5");
    online("< log 5a 7c\n! broken: entries that do not continue at offset 5");
    online(
        "
        < log 5a
        ! entries 5a replayed (to commit)
        < log 5a
        ! broken: entries that do not continue at offset 6
        ",
    );
    online("< log 4a\n! broken: entries that do not continue at offset 5");
}

#[test]
fn an_offset_at_the_end_of_all_numbers_breaks_nothing() {
    let last = u64::MAX;
    replay(
        with_token(SavedState::default()),
        &format!(
            "
            < open
            > hello token=t
            < welcome recent from={last} head={last}
            ! broken: a welcome that …
            "
        ),
    );
}

#[test]
fn a_frame_lost_at_the_end_of_the_log_is_found_by_the_pong() {
    online(
        "
        < log 5a
        ! entries 5a replayed (to commit)
        < pong 1 sent=5
        ! round trip 0
        @ ping
        > ping 2
        # 6 was sent and did not come
        < pong 2 sent=6
        ! broken: entries up to offset 6 were sent and did not arrive
        ",
    );
}

#[test]
fn only_the_answer_to_the_last_ping_is_a_round_trip() {
    online(
        "
        +10ms
        @ ping
        > ping 2
        +10ms
        < pong 1 sent=4
        < pong 2 sent=4
        ! round trip 10
        < pong 2 sent=4
        ",
    );
}

#[test]
fn sends_are_counted_whatever_their_place_in_the_outbox() {
    online(
        "
        @ send a one
        > send a seq=1 one
        @ send b two
        > send b seq=2 two
        < ack a 6
        ! acknowledged a 6
        < refused b
        ! refused b no_such_room
        ",
    );
}

#[test]
fn a_body_that_the_hub_does_not_take_is_not_sent() {
    replay(
        with_token(SavedState::default()),
        "
        < open
        > hello token=t
        < welcome recent from=5 head=5 max_body=4
        ! online
        ! welcomed as me head=5
        ! log started First from=5
        > ping 1
        @ send a 12345
        ! refused a too_large 4
        @ send b 1234
        > send b seq=1 1234
        ",
    );
}

#[test]
fn everything_else_is_passed_on() {
    online(
        "
        @ typing
        > typing general
        @ read
        > read general 44
        @ seen
        > seen general 40-44
        @ receipts
        > receipts general
        @ history
        > history general 42 100
        @ create_room
        > create_room r lathe
        < receipts general all other:40-44
        ! receipts general all other:40-44
        < receipts general other:40-45
        ! receipts general other:40-45
        < typing general
        ! typing general other
        < presence other online
        ! presence other online
        < read general 44
        ! read general 44
        < history general 42 more 40a 41b
        ! history general 42 more 40a 41b
        < error unknown_type
        ! note error unknown_type
        ",
    );
}

#[test]
fn a_malformed_message_is_noted_and_skipped() {
    online(
        "
        < binary
        ! unusable
        ! note malformed a binary frame…
        < json {\"type\":\"ack\"}
        ! unusable
        ! note malformed missing field `id`…
        < json {\"type\":\"of a later version\"}
        < log 5a
        ! entries 5a replayed (to commit)
        ",
    );
}

#[test]
fn a_second_welcome_is_a_violation() {
    online("< welcome recent from=5 head=5\n! broken: a second welcome");
}

#[test]
fn a_bye_ends_it_with_its_reason() {
    online("< bye 1001 retry=0\n> close 1000 closed 1001\n< log 5a\n@ send a late");
    online("< bye 4501\n> close 1000 withdrawn");
    online("< bye 4502\n> close 1000 forbidden");
    online("< bye 4402 retry=5000\n> close 1000 closed 4402");
}

const WELCOMED: &str = "
    ! online
    ! welcomed as me head=0
    ! log started First from=1
";

fn welcomed_with(words: &str, rest: &str) {
    let hello = "< open\n> hello token=t";
    let transcript = format!("{hello}\n< welcome recent from=1 head=0 {words}\n{WELCOMED}\n{rest}");
    replay(with_token(SavedState::default()), &transcript);
}

#[test]
fn the_lists_go_on_after_the_welcome_until_the_last_part() {
    welcomed_with(
        "more",
        "
        ! lists more
        > ping 1
        < lists room=a room=b person=other more
        ! lists room=a room=b person=other more
        < log 1a
        ! entries 1a live (to commit)
        < lists room=c read=40
        ! lists room=c read=40
        # nothing is due any more
        < lists room=d
        ",
    );
    welcomed_with("", "> ping 1\n< lists room=d");
}

#[test]
fn what_a_hub_does_not_offer_it_is_not_asked_for() {
    welcomed_with(
        "features=presence,later",
        "
        > ping 1
        @ typing
        @ read
        @ seen
        @ receipts
        @ history
        ! history failed general
        @ create_room
        ! refused r not_allowed
        @ send a some words
        > send a seq=1 some words
        @ ping
        > ping 2
        ",
    );
    welcomed_with("features=typing,later", "> ping 1\n@ typing\n> typing general");
    // A hub that does not say offers all of this version.
    welcomed_with("", "> ping 1\n@ create_room\n> create_room r lathe");
}

#[test]
fn what_became_of_a_room_is_told_like_of_a_message() {
    welcomed_with(
        "",
        "
        > ping 1
        @ create_room
        > create_room r lathe
        < refused r name_alike Lathe
        ! refused r name_alike Lathe
        @ create_room
        > create_room r lathe
        < ack r 1
        ! acknowledged r 1
        @ create_room
        > create_room r lathe
        < ack r 1 room=lathe
        ! acknowledged r 1 moved=lathe
        < ack a 1 nothing
        ! acknowledged a 1 nothing
        < refused r
        ! refused r no_such_room
        ",
    );
}
