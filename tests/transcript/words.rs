//! The abbreviated notation of messages, events and states in transcripts. A message id is a letter, an entry its offset
//! and its letter (`42a`; `42a*` is one of our own), a field `name=value` where it may be left out.

use std::fmt::Write as _;

use duplex::frame::Frame;
use duplex::model::NamedRoom;
use duplex::model::content::{Content, Draft};
use duplex::model::event::{ChatEvent, DeviceEvent, Follows, LinkEvent, Listed, LogEvent, Paused, Person};
use duplex::model::id::{Offset, RoomName};
use duplex::model::log::Note;
use duplex::model::time::WallMs;
use duplex::model::{
    Delivery, DeviceId, DeviceState, Entry, Epoch, Event, Features, LinkState, MessageId, OutboxItem,
    Principal, PrincipalId, PrincipalKind, Readings, Receipt, Refusal, ResumePoint, RoomId, Sender, Spec,
    Value, Why,
};
use duplex::wire::duplex::message::{
    self, ClientMessage, Decoded, Hello, HubMessage, Lists, Message, PersonState, ReadState, Redeem, Start,
    VERSIONS, Welcome,
};
use duplex::wire::duplex::readings::Names;

use super::BEGIN;

pub const EPOCH: Epoch = Epoch(0xe);

pub fn id(letter: &str) -> MessageId {
    let letter = letter.chars().next().expect("a letter");
    MessageId(uuid::Uuid::from_u128(u128::from(u32::from(letter))))
}

pub fn letter(id: MessageId) -> char {
    u32::try_from(id.0.as_u128()).ok().and_then(char::from_u32).expect("an id of a letter")
}

pub fn letters<'a>(ids: impl IntoIterator<Item = &'a MessageId>) -> String {
    ids.into_iter().map(|id| letter(*id).to_string()).collect::<Vec<_>>().join(" ")
}

pub fn principal(name: &str) -> Principal {
    let kind = if name == "device" { PrincipalKind::Device } else { PrincipalKind::Person };
    Principal { id: PrincipalId(name.to_owned()), kind, name: name.to_owned(), role: None }
}

pub fn sender(name: &str) -> Sender {
    Sender { id: PrincipalId(name.to_owned()), name: name.to_owned() }
}

pub fn room(name: &str) -> RoomId {
    RoomId::new(name).expect("a room's id")
}

/// A room that is to be made, as it comes out of the outbox.
pub fn room_to_be(letter: &str, called: &str) -> OutboxItem {
    let id = id(letter);
    let draft = Draft { id, room: id.into(), content: Content::room(name(called)), at: WallMs(0) };
    OutboxItem { draft, seq: 9, delivery: Delivery::Attempted }
}

pub fn name(name: &str) -> RoomName {
    RoomName::new(name).expect("a room's name")
}

/// `42a`, or `42a*` for our own. `(42a)` has a body that begins with a bracket.
pub fn entry(text: &str) -> Entry {
    let hidden = text.strip_prefix('(').and_then(|text| text.strip_suffix(')'));
    if let Some(mut hidden) = hidden.map(entry) {
        hidden.draft.content = Content::text("(");
        return hidden;
    }
    let digits = text.find(|c: char| !c.is_ascii_digit()).expect("a letter behind the offset");
    let (offset, rest) = text.split_at(digits);
    Entry {
        draft: Draft { id: id(rest), room: RoomId::general(), content: Content::text(rest), at: WallMs(0) },
        offset: offset.parse().expect("an offset"),
        sender: sender(if rest.ends_with('*') { "me" } else { "other" }),
        received: WallMs(0),
    }
}

pub fn entries(entries: &[Entry]) -> String {
    let brief = |entry: &Entry| {
        let mine = if entry.sender.id.0 == "me" { "*" } else { "" };
        format!("{}{}{mine}", entry.offset, letter(entry.draft.id))
    };
    entries.iter().map(brief).collect::<Vec<_>>().join(" ")
}

/// `41a`, of the usual epoch unless it begins with another: `f:41a`.
pub fn resume(text: &str) -> ResumePoint {
    let (epoch, place) = text.split_once(':').unwrap_or(("e", text));
    let at = entry(place);
    ResumePoint {
        epoch: Epoch(u64::from_str_radix(epoch, 16).expect("an epoch")),
        offset: at.offset,
        id: at.draft.id,
        received: at.received,
    }
}

fn brief_resume(resume: ResumePoint) -> String {
    let epoch = if resume.epoch == EPOCH { String::new() } else { format!("{:x}:", resume.epoch.0) };
    format!("{epoch}{}{}", resume.offset, letter(resume.id))
}

/// The value of a `name=value`.
pub fn field<'a>(words: &[&'a str], name: &str) -> Option<&'a str> {
    words.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
}

pub fn number(words: &[&str], name: &str) -> Option<u64> {
    field(words, name).map(|text| text.parse().expect("a number"))
}

/// A time, in seconds since the transcript's begin: `-1.5`.
pub fn wall(seconds: &str) -> WallMs {
    BEGIN.wall_ms + (seconds.parse::<f64>().expect("seconds") * 1_000.0) as i64
}

/// Milliseconds since the transcript's begin.
pub fn since_begin(wall: WallMs) -> i64 {
    wall - BEGIN.wall_ms
}

pub fn device(id: &str) -> DeviceId {
    DeviceId::new(id).expect("a device's id")
}

/// `pump/offline/heard=-1.5/every=1/since=-100`; online since the begin unless it says so.
fn device_state(text: &str) -> DeviceState {
    let words: Vec<&str> = text.split('/').collect();
    DeviceState {
        spec: Spec {
            expect_every_s: field(&words, "every").map(|every| every.parse().unwrap()),
            ..Spec::unannounced(device(words[0]))
        },
        incarnation: 1,
        online: !words.contains(&"offline"),
        since: wall(field(&words, "since").unwrap_or("-1000")),
        reason: String::new(),
        heard: field(&words, "heard").map(wall),
        every_ms: None,
        values: Vec::new(),
    }
}

/// `pump@1.5:temperature=21.5,on=true`: when the hub received them, and what.
fn read_sample(text: &str) -> serde_json::Value {
    let (who, values) = text.split_once(':').expect("values");
    let (device, received) = who.split_once('@').expect("a time");
    let values = values.split(',').filter_map(|value| value.split_once('='));
    let values: serde_json::Map<_, _> = values
        .map(|(name, value)| (name.to_owned(), serde_json::from_str(value).expect("a value")))
        .collect();
    serde_json::json!({
        "device": device, "at": wall(received), "received": wall(received), "values": values,
    })
}

/// `pump@1500 temperature=21.5 on=true, lamp@1600 on=false`, in milliseconds since the begin.
pub fn readings(readings: &Readings) -> String {
    let brief = |(sample, values): (&duplex::model::Sample, &[(DeviceId, Value)])| {
        let values = values.iter().map(|(name, value)| format!(" {name}={}", value_text(value)));
        format!("{}@{}{}", sample.device, since_begin(sample.at), values.collect::<String>())
    };
    readings.iter().map(brief).collect::<Vec<_>>().join(", ")
}

/// The readings of `pump@1.5:temperature=21.5`, as a client reads them.
pub fn readings_of(samples: &[&str]) -> Readings {
    let Frame::Text(text) = hub_says(&format!("readings {}", samples.join(" "))) else { panic!() };
    let decoded = duplex::wire::duplex::readings::decode(&mut Names::default(), &text);
    decoded.expect("readings").expect("well-formed").readings
}

pub fn value_text(value: &Value) -> String {
    serde_json::to_string(value).expect("a value is JSON")
}

/// What a hub says: `welcome resumed from=42 head=43`, `log 42a 43b`, `ack a 44`, `pong 1 sent=43`, `bye 1001 retry=0`.
/// `json …` and `binary` are sent as they are.
pub fn hub_says(text: &str) -> Frame {
    let words: Vec<&str> = text.split(' ').collect();
    let said = match words[..] {
        ["binary", ..] => return Frame::Binary(vec![1]),
        ["json", ..] => return Frame::Text(text["json ".len()..].to_owned()),
        ["proof", mac] => HubMessage::Proof { mac: mac.to_owned() },
        ["invite", "good", until] => HubMessage::InviteGood { hub: "hub".to_owned(), expires: wall(until) },
        ["welcome", start, ..] => HubMessage::Welcome(welcome(start, &words)),
        ["lists", ref of @ ..] => {
            let names = |kind: &str| {
                let of = of.iter().filter_map(move |word| word.strip_prefix(kind)?.strip_prefix('='));
                of.map(str::to_owned).collect::<Vec<_>>()
            };
            HubMessage::Lists(Lists {
                rooms: names("room").iter().map(|name| room(name).into()).collect(),
                people: names("person")
                    .iter()
                    .map(|name| PersonState { who: principal(name), online: true, status: String::new() })
                    .collect(),
                read: names("read")
                    .iter()
                    .map(|at| ReadState { room: room("general"), offset: at.parse().unwrap() })
                    .collect(),
                more: of.contains(&"more"),
            })
        }
        ["log", ref of @ ..] => {
            let (skip, of): (Vec<_>, Vec<_>) = of.iter().partition(|word| word.starts_with("skip="));
            let range = |word: &str| {
                let (from, to) = word.strip_prefix("skip=")?.split_once('-')?;
                Some((from.parse().ok()?, to.parse().ok()?))
            };
            let skip = skip.into_iter().map(|word| range(word).expect("a range")).collect();
            HubMessage::Log { entries: of.iter().map(|e| entry(e)).collect(), skip }
        }
        ["ack", which, offset, ref more @ ..] => HubMessage::Ack {
            id: id(which),
            offset: offset.parse().unwrap(),
            received: WallMs(0),
            entry: more.is_empty(),
            room: field(more, "room").map(room),
        },
        ["refused", which, ref why @ ..] => HubMessage::Refused { id: id(which), refusal: refused(why) },
        ["typing", name] => HubMessage::Typing { room: room(name), who: sender("other") },
        ["receipts", name, ref by @ ..] => HubMessage::Receipts {
            room: room(name),
            by: by.iter().filter(|word| **word != "all").map(|text| receipt(text)).collect(),
            all: by.contains(&"all"),
        },
        ["presence", who, state] => HubMessage::Presence {
            status: String::new(),
            who: principal(who),
            online: state == "online",
            removed: state == "removed",
        },
        ["read", name, offset] => HubMessage::Read { room: room(name), offset: offset.parse().unwrap() },
        ["history", name, before, complete, ref of @ ..] => HubMessage::History {
            room: room(name),
            before: before.parse().unwrap(),
            entries: of.iter().map(|e| entry(e)).collect(),
            complete: complete == "complete",
        },
        ["devices", started, ref of @ ..] => HubMessage::Devices {
            started: wall(started),
            devices: of.iter().filter(|word| **word != "more").map(|word| device_state(word)).collect(),
            more: of.contains(&"more"),
        },
        ["device", which] => HubMessage::Device { device: Box::new(device_state(which)) },
        ["device_state", which, state, since] => HubMessage::DeviceState {
            device: device(which),
            online: state == "online",
            since: wall(since),
            reason: String::new(),
        },
        ["readings", ref of @ ..] => {
            let samples: Vec<_> = of.iter().map(|sample| read_sample(sample)).collect();
            return Frame::Text(serde_json::json!({"type": "readings", "samples": samples}).to_string());
        }
        ["error", code] => HubMessage::Error { code: code.to_owned(), detail: String::new() },
        ["pong", nonce, ..] => {
            let sent = number(&words, "sent").expect("sent");
            HubMessage::Pong { nonce: nonce.parse().unwrap(), sent: Offset(sent), pad: String::new() }
        }
        ["bye", code, ..] => HubMessage::Bye {
            code: code.parse().unwrap(),
            reason: field(&words, "reason").unwrap_or_default().to_owned(),
            retry_after_ms: number(&words, "retry"),
        },
        _ => panic!("a hub does not say: {text}"),
    };
    message::encode(&said)
}

fn welcome(start: &str, words: &[&str]) -> Welcome {
    let start = serde_json::from_value::<Start>(start.into()).expect("a start");
    Welcome {
        version: number(words, "version").map_or(1, |v| v as u32),
        hub: "hub".to_owned(),
        me: principal(field(words, "as").unwrap_or("me")),
        epoch: field(words, "epoch").map_or(EPOCH, |e| Epoch(u64::from_str_radix(e, 16).unwrap())),
        head: Offset(number(words, "head").expect("head")),
        from: Offset(number(words, "from").expect("from")),
        start,
        now: field(words, "now").map_or(WallMs(0), wall),
        max_body: number(words, "max_body").unwrap_or(65_536),
        files: None,
        features: field(words, "features").map(|all| Features::new(all.split(','))),
        rooms: vec![RoomId::general().into()],
        people: Vec::new(),
        read: Vec::new(),
        more: words.contains(&"more"),
    }
}

/// What a client says: `hello resume=41a`, `auth t`, `send a seq=1 some text`, `ping 1`.
pub fn client_says(text: &str) -> Frame {
    let words: Vec<&str> = text.split(' ').collect();
    let said = match words[..] {
        ["binary", ..] => return Frame::Binary(vec![1]),
        ["json", ..] => return Frame::Text(text["json ".len()..].to_owned()),
        ["hello", ..] => ClientMessage::Hello(Hello {
            versions: field(&words, "versions")
                .and_then(|range| range.split_once('-'))
                .map_or(VERSIONS, |(low, high)| (low.parse().unwrap(), high.parse().unwrap())),
            client: "test".to_owned(),
            features: Features::default(),
            token: field(&words, "token").map(str::to_owned),
            invite: field(&words, "invite").map(|code| Redeem {
                code: code.to_owned(),
                name: "me".to_owned(),
                token: "me".to_owned(),
            }),
            challenge: field(&words, "challenge").map(str::to_owned),
            resume: field(&words, "resume").map(resume),
            since: number(&words, "since").map(Offset),
        }),
        ["auth", token] => ClientMessage::Auth { token: token.into() },
        ["check_invite", code] => ClientMessage::CheckInvite { code: code.into() },
        ["send", which, _, ref body @ ..] => ClientMessage::Send {
            draft: Draft {
                id: id(which),
                room: RoomId::general(),
                content: Content::text(
                    body.iter().filter(|word| **word != "(retry)").copied().collect::<Vec<_>>().join(" "),
                ),
                at: WallMs(0),
            },
            seq: number(&words, "seq").expect("seq"),
            retry: body.contains(&"(retry)"),
        },
        ["typing", name] => ClientMessage::Typing { room: room(name) },
        ["seen", name, range] => {
            let Receipt { first, last, .. } = receipt(&format!(":{range}"));
            ClientMessage::Seen { room: room(name), first, last }
        }
        ["receipts", name] => ClientMessage::Receipts { room: room(name) },
        ["read", name, offset] => ClientMessage::Read { room: room(name), offset: offset.parse().unwrap() },
        ["history", name, before, limit] => ClientMessage::History {
            room: room(name),
            before: before.parse().unwrap(),
            limit: limit.parse().unwrap(),
        },
        ["create_room", which, name] => ClientMessage::CreateRoom {
            id: id(which),
            room: self::name(name),
            at: None,
            private: None,
            extra: Default::default(),
        },
        ["ping", nonce] => ClientMessage::Ping { nonce: nonce.parse().unwrap(), pad: String::new() },
        ["bye"] => ClientMessage::Bye,
        _ => panic!("a client does not say: {text}"),
    };
    message::encode(&said)
}

fn read<M: Message>(frame: &Frame) -> M {
    match message::decode(frame) {
        Ok(Decoded::Known(message)) => message,
        _ => panic!("it sent what is no message: {frame:?}"),
    }
}

/// The frame of a client, abbreviated.
pub fn client_said(frame: &Frame) -> String {
    match read(frame) {
        ClientMessage::Hello(hello) => brief_hello(&hello),
        ClientMessage::Auth { token } => format!("auth {}", token.0),
        ClientMessage::CheckInvite { code } => format!("check_invite {}", code.0),
        ClientMessage::Send { draft, seq, retry } => {
            let (id, body) = (draft.id, draft.content.body());
            let room =
                if draft.room == RoomId::general() { String::new() } else { format!(" in {}", draft.room) };
            format!("send {} seq={seq} {body}{room}{}", letter(id), if retry { " (retry)" } else { "" })
        }
        ClientMessage::Typing { room } => format!("typing {room}"),
        ClientMessage::Seen { room, first, last } => format!("seen {room} {first}-{last}"),
        ClientMessage::Receipts { room } => format!("receipts {room}"),
        ClientMessage::Read { room, offset } => format!("read {room} {offset}"),
        ClientMessage::History { room, before, limit } => format!("history {room} {before} {limit}"),
        ClientMessage::CreateRoom { id, room, .. } => format!("create_room {} {room}", letter(id)),
        ClientMessage::Ping { nonce, .. } => format!("ping {nonce}"),
        ClientMessage::Bye => "bye".to_owned(),
        ClientMessage::Watch => "watch".to_owned(),
        _ => as_json(frame),
    }
}

/// The frame as it is.
fn as_json(frame: &Frame) -> String {
    let Frame::Text(text) = frame else { panic!("it sent a binary frame") };
    format!("json {text}")
}

fn brief_hello(hello: &Hello) -> String {
    let mut text = "hello".to_owned();
    let mut say = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            let _ = write!(text, " {name}={value}");
        }
    };
    say("token", hello.token.clone());
    say(
        "invite",
        hello.invite.as_ref().map(|redeem| format!("{}/{}/{}", redeem.code, redeem.name, redeem.token)),
    );
    say("challenge", hello.challenge.clone());
    say("resume", hello.resume.map(brief_resume));
    say("since", hello.since.map(|since| since.to_string()));
    text
}

fn brief_lists<'a>(
    rooms: impl Iterator<Item = &'a NamedRoom>,
    people: impl Iterator<Item = &'a String>,
    read: impl Iterator<Item = u64>,
    more: bool,
) -> String {
    let rooms = rooms.map(|room| format!(" room={}", room.id));
    let people = people.map(|name| format!(" person={name}"));
    let read = read.map(|offset| format!(" read={offset}"));
    let more = more.then(|| " more".to_owned());
    format!("lists{}", rooms.chain(people).chain(read).chain(more).collect::<String>())
}

/// The frame of a hub, abbreviated.
pub fn hub_said(frame: &Frame) -> String {
    match read(frame) {
        HubMessage::Proof { mac } => format!("proof {mac}"),
        HubMessage::InviteGood { hub, expires } => {
            format!("invite good at {hub} until {}", since_begin(expires))
        }
        HubMessage::Welcome(welcome) => {
            let start = serde_json::to_value(welcome.start).unwrap();
            let (start, from, head) = (start.as_str().unwrap_or_default(), welcome.from, welcome.head);
            let more = if welcome.more { " more" } else { "" };
            format!("welcome {start} from={from} head={head}{more}")
        }
        HubMessage::Lists(Lists { rooms, people, read, more }) => {
            let people = people.iter().map(|person| &person.who.name);
            brief_lists(rooms.iter(), people, read.iter().map(|read| read.offset.0), more)
        }
        HubMessage::Log { entries: of, skip } => {
            let skip: String = skip.iter().map(|(from, to)| format!(" skip={from}-{to}")).collect();
            format!("log {}{skip}", entries(&of))
        }
        HubMessage::Ack { id, offset, entry, room, .. } => {
            let room = room.map(|room| format!(" room={room}")).unwrap_or_default();
            let nothing = if entry || !room.is_empty() { "" } else { " nothing" };
            format!("ack {} {offset}{room}{nothing}", letter(id))
        }
        HubMessage::Refused { id, refusal: why } => format!("refused {} {}", letter(id), refusal(&why)),
        HubMessage::Typing { room, who } => format!("typing {room} {}", who.id),
        HubMessage::Receipts { room, by, all } => receipts(&room, &by, all),
        HubMessage::Presence { who, removed: true, .. } => format!("presence {} removed", who.id),
        HubMessage::Presence { who, online, .. } => format!("presence {} {}", who.id, on(online)),
        HubMessage::Read { room, offset } => format!("read {room} {offset}"),
        HubMessage::History { room, before, entries: of, complete } => {
            format!("history {room} {before} {} {}", completeness(complete), entries(&of))
        }
        HubMessage::Error { code, detail } => format!("error {code} {detail}"),
        HubMessage::Pong { nonce, sent, .. } => format!("pong {nonce} sent={sent}"),
        HubMessage::Bye { code, reason, retry_after_ms } => {
            let retry = retry_after_ms.map(|ms| format!(" retry={ms}")).unwrap_or_default();
            format!("bye {code}{retry} {reason}")
        }
        HubMessage::PublishRefused { device, code, detail } => {
            format!("publish_refused {device} {code} {detail}")
        }
        _ => as_json(frame),
    }
}

/// A receipt, such as `other:40-44`.
pub fn receipt(text: &str) -> Receipt {
    let (who, range) = text.split_once(':').unwrap();
    let (first, last) = range.split_once('-').unwrap();
    Receipt { id: PrincipalId(who.into()), first: first.parse().unwrap(), last: last.parse().unwrap() }
}

fn receipts(room: &RoomId, by: &[Receipt], all: bool) -> String {
    let by = by.iter().map(|Receipt { id, first, last }| format!(" {id}:{first}-{last}")).collect::<String>();
    format!("receipts {room}{}{by}", if all { " all" } else { "" })
}

fn on(online: bool) -> &'static str {
    if online { "online" } else { "offline" }
}

fn completeness(complete: bool) -> &'static str {
    if complete { "complete" } else { "more" }
}

/// `slow_down 5000`, `quota 60000`; there is no such room where nothing is said.
pub fn refused(words: &[&str]) -> Refusal {
    match words {
        [] | ["no_such_room"] => Refusal::NoSuchRoom,
        ["no_such_message"] => Refusal::NoSuchMessage,
        ["not_yours"] => Refusal::NotYours,
        ["not_an_emoji"] => Refusal::NotAnEmoji,
        ["not_allowed"] => Refusal::NotAllowed,
        ["too_large", limit] => Refusal::TooLarge { limit: limit.parse().unwrap() },
        ["other", code] => Refusal::Other { code: (*code).to_owned(), detail: String::new() },
        ["slow_down", ms] => Refusal::SlowDown { retry_after_ms: ms.parse().unwrap() },
        ["quota", ms] => Refusal::Quota { retry_after_ms: ms.parse().unwrap() },
        ["name_alike", name] => Refusal::NameAlike { name: self::name(name) },
        _ => panic!("no refusal: {words:?}"),
    }
}

pub fn refusal(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Archived => "archived".to_owned(),
        Refusal::NoSuchRoom => "no_such_room".to_owned(),
        Refusal::NoSuchMessage => "no_such_message".to_owned(),
        Refusal::NoSuchFile => "no_such_file".to_owned(),
        Refusal::NotYours => "not_yours".to_owned(),
        Refusal::NotAnEmoji => "not_an_emoji".to_owned(),
        Refusal::TooLarge { limit } => format!("too_large {limit}"),
        Refusal::NotAllowed => "not_allowed".to_owned(),
        Refusal::SlowDown { retry_after_ms } => format!("slow_down {retry_after_ms}"),
        Refusal::Quota { retry_after_ms } => format!("quota {retry_after_ms}"),
        Refusal::TooMany { limit } => format!("too_many {limit}"),
        Refusal::NameAlike { name } => format!("name_alike {name}"),
        Refusal::BadName { detail } => format!("bad_name {detail}"),
        Refusal::UnknownKind { kind } => format!("unknown_kind {kind}"),
        Refusal::Other { code, .. } => format!("other {code}"),
    }
}

pub fn delivery(delivery: &Delivery) -> String {
    match delivery {
        Delivery::Pending => "pending".to_owned(),
        Delivery::Attempted => "attempted".to_owned(),
        Delivery::Sent => "sent".to_owned(),
        Delivery::Unsure => "unsure".to_owned(),
        Delivery::Acknowledged { offset, .. } => format!("acknowledged {offset}"),
        Delivery::Failed(why) => format!("failed {}", refusal(why)),
    }
}

/// An event, abbreviated.
pub fn event(event: &Event) -> String {
    match event {
        Event::Link(LinkEvent::State(state)) => link_state(state),
        Event::Link(LinkEvent::Welcomed { me, log, .. }) => {
            format!("welcomed as {} head={}", me.id, log.head())
        }
        Event::Link(LinkEvent::InviteGood { server, until }) => {
            format!("invite good at {server} until {}", since_begin(*until))
        }
        Event::Chat(ChatEvent::Listed(Listed { rooms, people, read, more })) => {
            let people = people.iter().map(|person| &person.who.name);
            brief_lists(rooms.iter(), people, read.iter().map(|(_, offset)| offset.0), *more)
        }
        Event::Chat(ChatEvent::HistoryFailed { room }) => format!("history failed {room}"),
        Event::Chat(ChatEvent::LogStarted { from, why, .. }) => format!("log started {why:?} from={from}"),
        Event::Chat(ChatEvent::Entries { entries: of, live }) => {
            format!("entries {} {}", entries(of), if *live { "live" } else { "replayed" })
        }
        Event::Chat(ChatEvent::Acknowledged { id, offset, follows, .. }) => {
            let follows = match follows {
                Follows::Entry => String::new(),
                Follows::Nothing => " nothing".to_owned(),
                Follows::OtherRoom(room) => format!(" moved={room}"),
            };
            format!("acknowledged {} {offset}{follows}", letter(*id))
        }
        Event::Chat(ChatEvent::Refused { id, refusal: why }) => {
            format!("refused {} {}", letter(*id), refusal(why))
        }
        Event::Chat(ChatEvent::Postponed { id, unseen }) => {
            format!("postponed {}{}", letter(*id), if *unseen { " unseen" } else { "" })
        }
        Event::Link(LinkEvent::Paused(Some(Paused { refusal: why, until }))) => {
            format!("paused {} until {}", refusal(why), since_begin(*until))
        }
        Event::Link(LinkEvent::Paused(None)) => "resumed".to_owned(),
        Event::Link(LinkEvent::Sampled(sample)) => format!("sampled {}", sample.source),
        Event::Chat(ChatEvent::Typing { room, who, .. }) => format!("typing {room} {}", who.id),
        Event::Chat(ChatEvent::Receipts { room, by, all }) => receipts(room, by, *all),
        Event::Chat(ChatEvent::Presence(Person { who, online, status: _ })) => {
            format!("presence {} {}", who.id, on(*online))
        }
        Event::Chat(ChatEvent::ReadMarker { room, offset }) => format!("read {room} {offset}"),
        Event::Chat(ChatEvent::History { room, before, entries: of, complete }) => {
            format!("history {room} {before} {} {}", completeness(*complete), entries(of))
        }
        Event::Log(LogEvent::Note(Note::Malformed { detail })) => format!("note malformed {detail}"),
        Event::Log(LogEvent::Note(Note::ServerError { code, .. })) => format!("note error {code}"),
        Event::Chat(ChatEvent::Queued(item)) => format!("queued {}", outbox_item(item)),
        Event::Chat(ChatEvent::Unqueued(id)) => format!("unqueued {}", letter(*id)),
        Event::Chat(ChatEvent::Attempted(ids)) => format!("attempted {}", letters(ids)),
        Event::Device(DeviceEvent::Listed { devices, more, .. }) => {
            let of = devices.iter().map(|device| format!(" {}", device.spec.id)).collect::<String>();
            format!("devices{of}{}", if *more { " (more)" } else { "" })
        }
        Event::Device(DeviceEvent::Announced(state)) => format!("announced {}", state.spec.id),
        Event::Device(DeviceEvent::Presence { device, online, since, .. }) => {
            format!("{device} {} since {}", on(*online), since_begin(*since))
        }
        Event::Device(DeviceEvent::Silent { device, since }) => {
            format!("silent {device} since {}", since_begin(*since))
        }
        Event::Device(DeviceEvent::Readings(of)) => {
            let conflated =
                if of.conflated > 0 { format!(" conflated={}", of.conflated) } else { String::new() };
            format!("readings {}{conflated}", readings(of))
        }
        Event::Device(DeviceEvent::CommandGiven { id, device, property, value, by, expires_in_ms }) => {
            let (id, value) = (letter(*id), value_text(value));
            format!("given {id} {device} {property}={value} by {} for {expires_in_ms}", by.id)
        }
        Event::Device(DeviceEvent::Commanded(command)) => {
            let (id, value) = (letter(command.id), value_text(&command.value));
            format!("commanded {id} {} {}={value} {:?}", command.device, command.property, command.state)
        }
        Event::Device(DeviceEvent::PublishRefused { device, code, .. }) => {
            format!("publish refused {device} {code}")
        }
        other => panic!("unexpected here: {other:?}"),
    }
}

pub fn outbox_item(item: &OutboxItem) -> String {
    format!("{} seq={} {}", letter(item.draft.id), item.seq, delivery(&item.delivery))
}

fn link_state(state: &LinkState) -> String {
    match state {
        LinkState::Idle => "off".to_owned(),
        LinkState::Dialing { attempt } => format!("dialing {attempt}"),
        LinkState::Handshaking { attempt } => format!("handshaking {attempt}"),
        LinkState::Online { rtt_ms: None, .. } => "online".to_owned(),
        LinkState::Online { rtt_ms: Some(ms), .. } => format!("online rtt={ms}"),
        LinkState::Waiting { attempt, why, .. } => format!("waiting {attempt} {}", reason(why)),
        LinkState::Stopped { why } => format!("stopped {}", reason(why)),
    }
}

/// `lost`, `closed 4001`, `http 503`, `timed_out Dial`.
pub fn reason(why: &Why) -> String {
    let detail = match why {
        Why::Closed { code: Some(code), .. } => format!(" {code}"),
        Why::Http { status, .. } => format!(" {status}"),
        Why::TimedOut { during } => format!(" {during:?}"),
        _ => String::new(),
    };
    format!("{}{detail}", why.code())
}
