//! The hub's end of a conversation.

use std::sync::Arc;

use duplex::frame::Frame;
use duplex::model::content::Content;
use duplex::model::id::Offset;
use duplex::model::message::MAX_BODY_BYTES;
use duplex::model::time::BootMs;
use duplex::model::time::WallMs;
use duplex::model::{Entry, Principal, RoomId, Time, Value};
use duplex::wire::duplex::message::{self, Decoded, HubMessage, MAX_FRAME_BYTES, PersonState};
use duplex::wire::duplex::proof;
use duplex::wire::duplex::server::{
    AppendOutcome, Batch, Begun, Config, DeviceCommand, HISTORY_LIMIT, HubAccessAnswer, HubAccessRequest,
    HubAnswer, HubChatAnswer, HubChatRequest, HubDeviceRequest, HubRequest, Input, Lists, ListsFrom, Output,
    ServerSession,
};

use super::{BEGIN, Peer, replay, words};

const SECRET: [u8; 32] = [7; 32];
const ADDRESS: &str = "127.0.0.1:7870";

pub struct Server(pub ServerSession);

pub fn server() -> Server {
    Server(ServerSession::new(
        Config { proof: Some((SECRET, ADDRESS.to_owned())), files: None, compresses: false },
        BEGIN,
    ))
}

fn somebody(name: &str) -> Option<Principal> {
    (name != "nobody").then(|| words::principal(name))
}

/// `begun head=5 oldest=1 id=a`
fn begun(words: &[&str]) -> Begun {
    Begun {
        hub: "hub".to_owned(),
        epoch: words::EPOCH,
        oldest: Offset(words::number(words, "oldest").unwrap_or(1)),
        head: Offset(words::number(words, "head").unwrap()),
        visible_head: Offset(words::number(words, "visible").or(words::number(words, "head")).unwrap()),
        at_resume: words::field(words, "id")
            .map(|id| (words::id(id), WallMs(words::number(words, "received").unwrap_or(0) as i64))),
        lists: Lists {
            rooms: vec![RoomId::general().into()],
            next: words.contains(&"more").then(|| ListsFrom { rooms: Some(1), ..ListsFrom::default() }),
            ..Lists::default()
        },
    }
}

fn entries(words: &[&str]) -> Vec<Entry> {
    words.iter().map(|word| words::entry(word)).collect()
}

/// What was read: `(42b)` is there, and not for the client.
fn read(words: &[&str]) -> HubAnswer {
    let all = entries(words);
    let to = all.last().map_or(Offset(0), |last| last.offset);
    HubAnswer::Chat(HubChatAnswer::Entries {
        entries: seen(&Batch::new(all)).map_or(Vec::new(), |seen| seen.entries.clone()),
        to,
    })
}

fn seen(batch: &Option<Arc<Batch>>) -> Option<Arc<Batch>> {
    batch.as_ref().map(|batch| batch.seen(|entry| !entry.draft.content.body().starts_with('(')))
}

fn told(text: &str) -> Input {
    let all: Vec<&str> = text.split(' ').collect();
    match all[..] {
        ["drained"] => Input::Drained,
        ["going", "away"] => Input::GoingAway,
        ["unavailable"] => Input::Answer(HubAnswer::Unavailable),
        ["authenticated", who] => {
            Input::Answer(HubAnswer::Access(HubAccessAnswer::Authenticated(somebody(who))))
        }
        ["redeemed", who] => Input::Answer(HubAnswer::Access(HubAccessAnswer::Redeemed(somebody(who)))),
        ["invite", "good"] => Input::Answer(HubAnswer::Access(HubAccessAnswer::InviteChecked(Some((
            "hub".to_owned(),
            words::wall("60"),
        ))))),
        ["invite", "bad"] => Input::Answer(HubAnswer::Access(HubAccessAnswer::InviteChecked(None))),
        ["begun", ref how @ ..] => Input::Answer(HubAnswer::Chat(HubChatAnswer::Begun(begun(how)))),
        ["stored", which, offset] => {
            let outcome = AppendOutcome::Stored { offset: offset.parse().unwrap(), received: WallMs(0) };
            Input::Answer(HubAnswer::Chat(HubChatAnswer::Appended { id: words::id(which), outcome }))
        }
        ["refused", which, ref why @ ..] => {
            let outcome = AppendOutcome::Refused(words::refused(why));
            Input::Answer(HubAnswer::Chat(HubChatAnswer::Appended { id: words::id(which), outcome }))
        }
        ["entries", ref of @ ..] => Input::Answer(read(of)),
        ["history", complete, ref of @ ..] => Input::Answer(HubAnswer::Chat(HubChatAnswer::History {
            room: RoomId::general(),
            before: Offset(42),
            entries: entries(of),
            complete: complete == "complete",
        })),
        ["lists", ref of @ ..] => Input::Answer(HubAnswer::Chat(HubChatAnswer::Lists(Lists {
            rooms: of.iter().filter(|word| **word != "more").map(|name| words::room(name).into()).collect(),
            next: of.contains(&"more").then(|| ListsFrom { rooms: Some(7), ..ListsFrom::default() }),
            ..Lists::default()
        }))),
        ["committed", ref of @ ..] => Input::Committed(seen(&Batch::new(entries(of))).unwrap()),
        ["head", head] => Input::Head(head.parse().unwrap()),
        ["presence", who] => {
            Input::Presence(PersonState { who: words::principal(who), online: true, status: String::new() })
        }
        ["typing", who] => Input::Typing { room: RoomId::general(), who: words::sender(who) },
        ["seen", who, range] => {
            Input::Seen { room: RoomId::general(), receipt: words::receipt(&format!("{who}:{range}")) }
        }
        ["readings", ref of @ ..] => {
            let Frame::Text(text) = words::hub_says(&format!("readings {}", of.join(" "))) else { panic!() };
            Input::Readings(text.into())
        }
        ["device", which] => {
            let Frame::Text(text) = words::hub_says(&format!("device {which}")) else { panic!() };
            Input::Devices(text.into())
        }
        ["given", which, device, property] => Input::CommandGiven(DeviceCommand {
            id: words::id(which),
            device: words::device(device),
            property: words::device(property),
            value: Value::Flag(true),
            by: words::sender("other"),
            expires_in_ms: 30_000,
        }),
        ["read", offset] => Input::Read { room: RoomId::general(), offset: offset.parse().unwrap() },
        _ => panic!("{text}"),
    }
}

fn asked(ask: &HubRequest) -> String {
    match ask {
        HubRequest::Access(HubAccessRequest::Authenticate { token }) => format!("authenticate {}", token.0),
        HubRequest::Access(HubAccessRequest::Redeem(redeem)) => format!("redeem {}", redeem.code),
        HubRequest::Access(HubAccessRequest::CheckInvite { code }) => format!("check invite {}", code.0),
        HubRequest::Chat(HubChatRequest::Begin { principal, .. }) => format!("begin {}", principal.id),
        HubRequest::Chat(HubChatRequest::Append { draft, sender, refusal, .. }) => {
            let id = words::letter(draft.id);
            if let Some(refusal) = refusal {
                return format!("find {id} by {}, or {}", sender.id, words::refusal(refusal));
            }
            let name = draft.room_name();
            let room = name.as_ref().map_or(draft.room.as_str(), |name| name.as_str());
            let body = draft.content.body();
            format!("append {id} by {} in {room}: {body}", sender.id)
        }
        HubRequest::Chat(HubChatRequest::Lists(from)) => format!("lists from room {:?}", from.rooms),
        HubRequest::Chat(HubChatRequest::Read { from, limit }) => format!("read from={from} limit={limit}"),
        HubRequest::Chat(HubChatRequest::History { room, before, limit }) => {
            format!("history {room} {before} limit={limit}")
        }
        HubRequest::Chat(HubChatRequest::SetRead { room, offset }) => format!("set read {room} {offset}"),
        HubRequest::Chat(HubChatRequest::SetSeen { room, first, last }) => {
            format!("set seen {room} {first}-{last}")
        }
        HubRequest::Chat(HubChatRequest::Receipts { room }) => format!("receipts {room}"),
        HubRequest::Chat(HubChatRequest::SetUnread { room, offset }) => format!("set unread {room} {offset}"),
        HubRequest::Chat(HubChatRequest::SetStatus(text)) => format!("set status {text}"),
        HubRequest::Chat(HubChatRequest::Typing { room }) => format!("typing {room}"),
        HubRequest::Device(HubDeviceRequest::Watch) => "watch".to_owned(),
        HubRequest::Device(HubDeviceRequest::Announce(spec)) => format!("announce {}", spec.id),
        HubRequest::Device(HubDeviceRequest::State { device, online, reason }) => {
            format!("device {device} {online} {reason}")
        }
        HubRequest::Device(HubDeviceRequest::Publish(readings)) => {
            format!("publish {}", words::readings(readings))
        }
        HubRequest::Device(HubDeviceRequest::Command { id, by, device, property, value, .. }) => {
            let (id, value) = (words::letter(*id), words::value_text(value));
            format!("command {id} by {} {device} {property}={value}", by.id)
        }
        HubRequest::Device(HubDeviceRequest::CommandResult { id, state }) => {
            format!("result {} {state:?}", words::letter(*id))
        }
        HubRequest::Device(HubDeviceRequest::Series { device, metric, .. }) => {
            format!("series {device} {metric}")
        }
        HubRequest::Device(HubDeviceRequest::Log(device)) => format!("device log {device}"),
        HubRequest::Manage { id, what } => format!("manage {id} {what:?}"),
    }
}

impl Peer for Server {
    fn take(&mut self, now: Time, line: &str) {
        let input = match line.split_at(2) {
            ("< ", "open") => Input::Opened(None),
            ("< ", "websocket pong") => Input::Alive,
            ("< ", text) => match text.strip_prefix("open as ") {
                Some(who) => Input::Opened(somebody(who)),
                None => Input::Frame(words::client_says(text)),
            },
            (_, text) => told(text),
        };
        self.0.handle(now, input);
    }

    fn tick(&mut self, now: Time) {
        self.0.handle(now, Input::Tick);
    }

    fn deadline(&self) -> Option<BootMs> {
        self.0.deadline()
    }

    fn poll(&mut self) -> Option<String> {
        Some(match self.0.poll()? {
            Output::Send(frame) => format!("> {}", words::hub_said(&frame)),
            Output::SendBatch(batch) => {
                format!("> {}", words::hub_said(&Frame::Text(batch.text().to_string())))
            }
            Output::SendShared(text) => format!("> {}", words::hub_said(&Frame::Text(text.to_string()))),
            Output::Ping => "> websocket ping".to_owned(),
            Output::Compress => "> compress".to_owned(),
            Output::Ask(ask) => format!("* {}", asked(&ask)),
            Output::Close(code, _) => format!("> close {code}"),
        })
    }
}

#[test]
fn a_client_comes_in_by_its_header() {
    replay(
        server(),
        "
        < open as me
        < hello
        * begin me
        @ begun head=0
        > welcome recent from=1 head=0
        @ drained
        @ committed 1a
        > log 1a
        ",
    );
}

#[test]
fn a_client_comes_in_by_the_token_in_its_hello() {
    replay(
        server(),
        "
        < open
        < hello token=me
        * authenticate me
        @ authenticated me
        * begin me
        @ begun head=0
        > welcome recent from=1 head=0
        ",
    );
    replay(
        server(),
        "
        < open as other
        < hello token=me
        * authenticate me
        @ authenticated nobody
        > bye 4501 the token is not known
        > close 4501
        ",
    );
    replay(server(), "< open\n< hello\n> bye 4501 no token\n> close 4501");
}

#[test]
fn an_invite_is_redeemed_or_refused() {
    replay(
        server(),
        "
        < open
        < hello invite=CODE
        * redeem CODE
        @ redeemed me
        * begin me
        @ begun head=0
        > welcome recent from=1 head=0
        ",
    );
    replay(
        server(),
        "
        < open
        < hello invite=CODE
        * redeem CODE
        @ redeemed nobody
        > bye 4503 the invite is not good
        > close 4503
        ",
    );
}

#[test]
fn an_invite_is_looked_at_without_being_used() {
    replay(
        server(),
        "
        < open
        < check_invite CODE
        * check invite CODE
        @ invite good
        > invite good at hub until 60000
        > close 1000
        ",
    );
    replay(
        server(),
        "
        < open
        < check_invite CODE
        * check invite CODE
        @ invite bad
        > bye 4503 the invite is not good
        > close 4503
        ",
    );
    // One question a connection, and only in the place of a hello.
    replay(
        server(),
        "
        < open
        < check_invite CODE
        * check invite CODE
        < check_invite OTHER
        > bye 4504 a message before its time
        > close 4504
        ",
    );
}

#[test]
fn a_challenge_is_answered_before_the_token_is_told() {
    let mac = proof::mac(&SECRET, ADDRESS, "c0ffee");
    replay(
        server(),
        &format!(
            "
            < open
            +4s
            < hello challenge=c0ffee resume=3c
            > proof {mac}
            # another 5 s from here
            +4999ms
            < auth me
            * authenticate me
            @ authenticated me
            * begin me
            @ begun head=5 id=c
            > welcome resumed from=4 head=5
            "
        ),
    );
    let nothing_to_prove = Server(ServerSession::new(Config::default(), BEGIN));
    replay(nothing_to_prove, "< open\n< hello challenge=c0ffee\n> bye 4501 this hub…\n> close 4501");
    replay(
        server(),
        &format!(
            "
            < open
            < hello challenge=c0ffee
            > proof {mac}
            +5s
            > bye 4400 no hello came
            > close 4400
            "
        ),
    );
}

#[test]
fn no_version_in_common_is_a_refusal_with_our_range() {
    for versions in ["2-3", "0-0", "3-2"] {
        replay(server(), &format!("< open\n< hello versions={versions}\n> bye 4500 1-1\n> close 4500"));
    }
    replay(server(), "< open as me\n< hello versions=0-9\n* begin me");
}

#[test]
fn who_says_no_hello_within_5_s_is_closed() {
    replay(
        server(),
        "
        < open as me
        # this is a sign of life, but no hello
        +4s
        < ping 1
        > pong 1 sent=0
        +999ms
        +1ms
        > bye 4400 no hello came
        > close 4400
        # it is over
        < hello
        +100s
        ",
    );
}

#[test]
fn before_the_welcome_there_is_nothing_else_to_say() {
    for early in ["send a seq=1 x", "typing general", "auth t", "read general 1"] {
        replay(server(), &format!("< open as me\n< {early}\n> bye 4504 a message before…\n> close 4504"));
    }
    replay(server(), "< open as me\n< binary\n> bye 4504 a binary…\n> close 4504");
    replay(
        server(),
        "
        < open as me
        < json {\"type\":\"of a later version\"}
        > error unknown_type of a later version
        < hello
        * begin me
        < hello
        > bye 4504 a message before…
        > close 4504
        # too late
        @ begun head=1
        ",
    );
}

#[test]
fn where_a_client_begins() {
    for (hello, begun, welcome) in [
        ("", "head=0", "recent from=1 head=0"),
        ("", "head=500", "recent from=1 head=500"),
        ("", "head=501", "recent from=2 head=501"),
        ("", "head=501 oldest=400", "recent from=400 head=501"),
        ("since=0", "head=501", "recent from=1 head=501"),
        ("since=7", "head=501", "recent from=8 head=501"),
        ("since=501", "head=501", "recent from=502 head=501"),
        ("since=999", "head=501", "recent from=502 head=501"),
        ("since=18446744073709551615", "head=501", "recent from=502 head=501"),
        ("since=7", "head=501 oldest=400", "recent from=400 head=501"),
        ("resume=3c", "head=5 id=c", "resumed from=4 head=5"),
        ("resume=5c", "head=5 id=c", "resumed from=6 head=5"),
        ("resume=3c since=0", "head=5 id=c", "resumed from=4 head=5"),
        ("resume=3c", "head=5 id=d", "epoch_changed from=1 head=5"),
        // The same message, and written at another time: after other entries, perhaps.
        ("resume=3c", "head=5 id=c received=7", "epoch_changed from=1 head=5"),
        ("resume=3c", "head=5", "epoch_changed from=1 head=5"),
        ("resume=6c", "head=5 id=c", "epoch_changed from=1 head=5"),
        ("resume=f:3c", "head=5 id=c", "epoch_changed from=1 head=5"),
        ("resume=f:3c", "head=5 oldest=3 id=c", "epoch_changed from=3 head=5"),
        ("resume=3c", "head=9 oldest=4", "trimmed from=4 head=9"),
        ("resume=3c", "head=9 oldest=10", "trimmed from=10 head=9"),
        ("resume=3c", "head=0 oldest=0", "epoch_changed from=1 head=0"),
    ] {
        let hello = format!("hello {hello}").trim().to_owned();
        replay(
            server(),
            &format!("< open as me\n< {hello}\n* begin me\n@ begun {begun}\n> welcome {welcome}"),
        );
    }
}

/// What comes first in the transcripts below: a client that has all there is.
const ONLINE: &str = "
    < open as me
    < hello resume=4z
    * begin me
    @ begun head=4 id=z
    > welcome resumed from=5 head=4
    @ drained
";

fn online(transcript: &str) {
    replay(server(), &format!("{ONLINE}{transcript}"));
}

#[test]
fn a_send_is_answered_when_it_is_on_disk() {
    online(
        "
        < send a seq=1 one
        * append a by me in general: one
        < send b seq=2 two
        * append b by me in general: two
        @ committed 5a* 6b*
        > log 5a* 6b*
        @ stored a 5
        > ack a 5
        @ refused b
        > refused b no_such_room
        ",
    );
}

#[test]
fn a_doubled_send_is_ignored_and_a_missing_one_ends_it() {
    online(
        "
        < send a seq=1 one
        * append a by me in general: one
        < send a seq=1 one
        < send c seq=3 three
        > bye 4403 a send is missing
        > close 4403
        ",
    );
    online("< send b seq=2 two\n> bye 4403 a send is missing\n> close 4403");
}

#[test]
fn a_refused_send_counts_too() {
    let large = "x".repeat(MAX_BODY_BYTES + 1);
    online(&format!(
        "
        < send a seq=1 {large}
        * find a by me, or too_large {MAX_BODY_BYTES}
        @ refused a too_large {MAX_BODY_BYTES}
        > refused a too_large {MAX_BODY_BYTES}
        < json {{\"type\":\"send\",\"id\":\"00000000-0000-0000-0000-000000000062\",\"seq\":2,\"room\":\"general\",\"body\":\"\",\"at\":0}}
        * find b by me, or slow_down 0
        @ refused b slow_down 0
        > refused b slow_down 0
        < send c seq=3 three (retry)
        * append c by me in general: three
        "
    ));
}

#[test]
fn a_replay_is_read_from_the_log_piece_by_piece() {
    replay(
        server(),
        "
        < open as me
        < hello since=0
        * begin me
        @ begun head=3
        > welcome recent from=1 head=3
        # nothing is read before the socket took the welcome
        @ drained
        * read from=1 limit=256
        # what is committed meanwhile is read in its turn
        @ committed 4d
        @ entries 1a 2b
        > log 1a 2b
        @ drained
        * read from=3 limit=256
        @ entries 3c 4d
        > log 3c 4d
        @ drained
        ",
    );
}

#[test]
fn a_slow_reader_is_given_nothing_more() {
    online(
        "
        @ committed 5a
        > log 5a
        # the socket has not taken it
        @ committed 6b
        @ committed 7c
        @ head 9
        @ drained
        * read from=6 limit=256
        @ drained
        @ entries 6b 7c 8d 9e
        > log 6b 7c 8d 9e
        @ drained
        # an old announcement changes nothing
        @ committed 9e
        @ head 3
        ",
    );
}

#[test]
fn a_hole_in_the_log_is_never_sent() {
    for hole in ["entries 4z 5a", "entries 4z", "entries"] {
        let answer = if hole == "entries" { "unavailable" } else { hole };
        online(&format!(
            "@ head 7\n* read from=5 limit=256\n@ {answer}\n> bye 4402 retry=5000 the log…\n> close 4402"
        ));
    }
}

#[test]
fn a_pong_stands_behind_what_was_sent() {
    online(
        "
        < ping 1
        > pong 1 sent=4
        @ drained
        @ committed 5a
        > log 5a
        @ committed 6b
        < ping 2
        > pong 2 sent=5
        ",
    );
}

#[test]
fn a_silent_client_is_pinged_after_45_s_and_closed_15_s_later() {
    online(
        "
        +44999ms
        +1ms
        > websocket ping
        +14s
        < websocket pong
        +45s
        > websocket ping
        +14s
        < ping 1
        > pong 1 sent=4
        +45s
        > websocket ping
        +14999ms
        +1ms
        > bye 4400 no answer to a ping
        > close 4400
        ",
    );
}

#[test]
fn sixteen_malformed_frames_are_borne() {
    let sixteen = "< binary\n> error malformed a binary frame…\n".repeat(16);
    online(&format!("{sixteen}< binary\n> bye 4504 a binary frame…\n> close 4504"));
}

#[test]
fn an_unknown_type_is_answered_and_skipped() {
    online(
        "
        < json {\"type\":\"of a later version\"}
        > error unknown_type of a later version
        < hello
        > bye 4504 a second hello
        > close 4504
        ",
    );
}

#[test]
fn the_others_are_told_and_not_the_one_who_did_it() {
    online(
        "
        @ presence me
        @ presence other
        > presence other online
        @ typing me
        @ typing other
        > typing general other
        # another app of ours
        @ read 3
        > read general 3
        < typing general
        * typing general
        < read general 4
        * set read general 4
        < seen general 3-4
        * set seen general 3-4
        < receipts general
        * receipts general
        @ seen other 2-4
        > receipts general other:2-4
        < create_room r lathe
        * append r by me in lathe…
        ",
    );
}

#[test]
fn who_is_not_in_is_told_nothing() {
    replay(
        server(),
        "
        < open as me
        @ presence other
        @ typing other
        @ committed 5a
        @ head 9
        @ drained
        ",
    );
}

#[test]
fn a_page_of_history_is_capped() {
    online(&format!(
        "
        < history general 42 4000000000
        * history general 42 limit={HISTORY_LIMIT}
        < history general 42 0
        * history general 42 limit=1
        @ history complete 1a 2b
        > history general 42 complete 1a 2b
        "
    ));
}

#[test]
fn it_ends_with_a_bye() {
    online("< bye\n> close 1000\n< send a seq=1 x\n@ going away\n+100s");
    online("@ going away\n> bye 1001 retry=0 the hub…\n> close 1001");
    online("< send a seq=1 x\n* append a…\n@ unavailable\n> bye 4402 retry=5000 the log…\n> close 4402");
}

// Frames that both ends take

fn large(offset: u64, body: &str) -> Entry {
    let mut entry = words::entry(&format!("{offset}a"));
    entry.draft.content = Content::text(body);
    entry
}

/// Brings a session online with this head, having nothing.
fn behind(head: u64) -> ServerSession {
    let mut session = server().0;
    for input in [
        Input::Opened(Some(words::principal("me"))),
        Input::Frame(words::client_says("hello since=0")),
        told(&format!("begun head={head}")),
        Input::Drained,
    ] {
        session.handle(BEGIN, input);
    }
    while session.poll().is_some() {}
    session
}

fn log_frames(session: &mut ServerSession) -> Vec<Vec<Entry>> {
    let mut frames = Vec::new();
    while let Some(output) = session.poll() {
        let Output::SendBatch(batch) = output else { continue };
        assert!(batch.text().len() <= MAX_FRAME_BYTES, "a frame of {} bytes", batch.text().len());
        let frame = Frame::Text(batch.text().to_string());
        let Ok(Decoded::Known(HubMessage::Log { entries, .. })) = message::decode(&frame) else {
            panic!("no log frame");
        };
        frames.push(entries);
    }
    frames
}

#[test]
fn large_messages_are_sent_in_several_frames() {
    for (body, most) in [("x".repeat(MAX_BODY_BYTES), 15), ("\u{1}".repeat(MAX_BODY_BYTES), 2)] {
        let mut session = behind(40);
        let entries: Vec<Entry> = (1..=40).map(|offset| large(offset, &body)).collect();
        session.handle(
            BEGIN,
            Input::Answer(HubAnswer::Chat(HubChatAnswer::Entries {
                entries: entries.clone(),
                to: Offset(entries.len() as u64),
            })),
        );
        let frames = log_frames(&mut session);
        assert!(frames.iter().all(|frame| frame.len() <= most) && frames[0].len() == most);
        assert_eq!(frames.concat(), entries);
    }
}

#[test]
fn large_messages_that_were_committed_together_are_read_back_in_pieces() {
    let mut session = behind(0);
    let body = "x".repeat(MAX_BODY_BYTES);
    let batch = Batch::new((1..=40).map(|offset| large(offset, &body)).collect()).unwrap();
    session.handle(BEGIN, Input::Committed(batch));
    let Some(Output::Ask(ask)) = session.poll() else { panic!("it was sent as it is") };
    assert_eq!(asked(&ask), "read from=1 limit=256");
    assert!(session.poll().is_none());
}

#[test]
fn a_page_of_large_messages_is_cut_to_the_newest() {
    let mut session = behind(0);
    let body = "x".repeat(MAX_BODY_BYTES);
    let entries: Vec<Entry> = (1..=40).map(|offset| large(offset, &body)).collect();
    let room = RoomId::general();
    session.handle(
        BEGIN,
        Input::Answer(HubAnswer::Chat(HubChatAnswer::History {
            room,
            before: Offset(41),
            entries,
            complete: true,
        })),
    );
    let Some(Output::Send(frame)) = session.poll() else { panic!("nothing was sent") };
    let Ok(Decoded::Known(HubMessage::History { entries, complete, .. })) = message::decode(&frame) else {
        panic!("a frame of {} bytes", frame.len());
    };
    assert_eq!(entries.last().map(|entry| entry.offset), Some(Offset(40)));
    assert!(entries.len() >= 15 && !complete, "{} of 40", entries.len());
}

#[test]
fn after_a_refusal_that_will_pass_all_sends_are_refused_until_the_client_begins_again() {
    online(
        "
        < send a seq=1 x
        * append a by me in general: x
        < send b seq=2 y
        * append b by me in general: y
        @ refused a slow_down 5000
        > refused a slow_down 5000
        @ refused b slow_down 5000
        > refused b slow_down 5000
        +2s
        < send c seq=3 z
        * find c by me, or slow_down 3000
        @ refused c slow_down 3000
        > refused c slow_down 3000
        # time alone does not bring a later one in first
        +10s
        < send c seq=4 z
        * find c by me, or slow_down 0
        @ refused c slow_down 0
        > refused c slow_down 0
        < send a seq=5 x (retry)
        * append a by me in general: x
        # a doubled frame
        < send a seq=5 x (retry)
        < send b seq=6 y
        * append b by me in general: y
        @ stored a 5
        > ack a 5
        @ refused b quota 1000
        > refused b quota 1000
        < send c seq=7 z
        * find c by me, or quota 1000
        @ refused c quota 1000
        > refused c quota 1000
        ",
    );
}

#[test]
fn nothing_is_stored_behind_a_refused_message_until_the_client_has_heard_of_it() {
    online(
        "
        < send a seq=1 x
        * append a by me in general: x
        < send b seq=2 y
        * append b by me in general: y
        @ refused a
        > refused a no_such_room
        @ refused b slow_down 0
        > refused b slow_down 0
        < send c seq=3 z
        * find c by me, or slow_down 0
        @ stored c 5
        > ack c 5
        < send b seq=4 y (retry)
        * append b by me in general: y
        < send d seq=5 z
        * append d by me in general: z
        ",
    );
}

#[test]
fn a_room_that_is_refused_for_a_while_keeps_no_messages_back() {
    online(
        "
        < create_room r lathe
        * append r by me in lathe:…
        @ refused r quota 5000
        > refused r quota 5000
        < send a seq=1 x
        * append a by me in general: x
        ",
    );
}

#[test]
fn the_lists_are_told_in_parts_as_the_socket_takes_them_beside_the_log() {
    replay(
        server(),
        "
        < open as me
        < hello
        * begin me
        @ begun head=0 more
        > welcome recent from=1 head=0 more
        @ drained
        * lists from room Some(1)
        @ committed 1a
        > log 1a
        @ lists a b more
        > lists room=a room=b more
        @ drained
        * lists from room Some(7)
        @ lists c
        > lists room=c
        @ drained
        ",
    );
}

#[test]
fn what_is_hidden_is_told_of_with_the_next_visible_entry_alone() {
    online(
        "
        @ committed (5a)
        < ping 7
        > pong 7 sent=4
        @ drained
        @ committed (6b) 7c (8d) 9e (10f)
        > log 7c 9e skip=5-6 skip=8-8
        < ping 8
        > pong 8 sent=9
        @ drained
        @ committed 11g
        > log 11g skip=10-10
        ",
    );
}

#[test]
fn a_replay_passes_over_what_is_hidden_without_waiting_for_the_socket() {
    replay(
        server(),
        "
        < open as me
        < hello
        * begin me
        @ begun head=9 visible=6
        > welcome recent from=1 head=6
        @ drained
        * read from=1 limit=256
        @ entries (1a) (2b)
        * read from=3 limit=256
        @ entries (3c) 4d 5e 6f
        > log 4d 5e 6f skip=1-3
        @ drained
        * read from=7 limit=256
        @ entries (7g) (8h) (9i)
        @ committed 10j
        > log 10j skip=7-9
        ",
    );
}
