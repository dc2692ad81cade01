//! Generated values of the Duplex protocol for property tests: every variant, odd strings, extreme numbers.

mod rights;

use duplex::model::content::Extra;
use duplex::model::content::{Content, Draft, Private};
use duplex::model::id::{Offset, RoomName};
use duplex::model::time::WallMs;
use duplex::model::{
    Bucket, Command, CommandRefusal, CommandState, DeviceId, DeviceLogEvent, DeviceState, Entry, Epoch,
    Features, LastValue, LogLine, MessageId, Metric, MetricType, Point, Principal, PrincipalId,
    PrincipalKind, Receipt, Refusal, ResumePoint, RoomId, Sender, Spec, Value,
};
use duplex::model::{NamedRoom, RoomInfo};
use duplex::wire::duplex::message::{
    ClientMessage, Hello, HubMessage, Lists, PersonState, PublishedSample, ReadSample, ReadState, Redeem,
    Start, Welcome,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// What people and programs put into a field that was meant for a word.
const ODD: &[&str] = &[
    "",
    "general",
    "\0\u{1}\u{1f}\u{7f}",
    "\"\\/\u{8}\u{c}\n\r\t",
    "\u{202e}abc\u{2066}",
    "한글 물론 ㅎㅎ",
    "👩‍👩‍👧‍👦🟢",
    "\u{2028}\u{2029}\u{feff}\u{fffd}",
    "null",
    "{\"type\":\"bye\"}",
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    "שלום مرحبا",
];

pub fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::sample::select(ODD).prop_map(str::to_owned),
        vec(any::<char>(), 0..40).prop_map(String::from_iter),
    ]
}

pub fn number() -> impl Strategy<Value = u64> {
    prop_oneof![0..100u64, any::<u64>(), Just(u64::MAX)]
}

pub fn moment() -> impl Strategy<Value = WallMs> {
    prop_oneof![Just(1_790_000_000_000), any::<i64>(), Just(i64::MIN), Just(i64::MAX)].prop_map(WallMs)
}

pub fn id() -> impl Strategy<Value = MessageId> {
    any::<[u8; 16]>().prop_map(MessageId::from_random)
}

pub fn room() -> impl Strategy<Value = RoomId> {
    prop_oneof![
        Just(RoomId::general()),
        id().prop_map(RoomId::from),
        vec(any::<char>(), 1..=RoomId::MAX_BYTES / 4)
            .prop_filter_map("keeps the rule of ids", |chars| RoomId::new(String::from_iter(chars)).ok()),
    ]
}

pub fn room_name() -> impl Strategy<Value = RoomName> {
    prop_oneof![
        Just(RoomName::general()),
        vec(any::<char>(), 1..=RoomName::MAX_CHARS)
            .prop_filter_map("keeps the rule of names", |chars| RoomName::new(String::from_iter(chars)).ok()),
    ]
}

pub fn named_room() -> impl Strategy<Value = NamedRoom> {
    prop_oneof![
        (room(), room_name(), room_info()).prop_map(|(id, name, info)| NamedRoom { id, name, info }),
        room_name().prop_map(|name| NamedRoom::new(RoomId::new(name.as_str()).expect("a short text"), name)),
    ]
}

fn room_info() -> impl Strategy<Value = RoomInfo> {
    let people = proptest::collection::btree_set(text().prop_map(PrincipalId), 0..4);
    let flags = any::<(bool, bool, bool, bool)>();
    (text(), flags, option::of(text()), people, number()).prop_map(
        |(topic, flags, direct, members, changed)| {
            let (archived, private, left, own) = flags;
            RoomInfo {
                topic,
                archived,
                private,
                direct: direct.map(PrincipalId),
                left,
                own,
                members,
                changed: Offset(changed),
                // What a client keeps of it; no server says so.
                unlisted: false,
            }
        },
    )
}

fn principal() -> impl Strategy<Value = Principal> {
    let kind =
        proptest::sample::select(vec![PrincipalKind::Person, PrincipalKind::Device, PrincipalKind::Admin]);
    (text(), kind, text(), option::of(rights::role())).prop_map(|(id, kind, name, role)| Principal {
        id: PrincipalId(id),
        kind,
        name,
        role,
    })
}

fn sender() -> impl Strategy<Value = Sender> {
    (text(), text()).prop_map(|(id, name)| Sender { id: PrincipalId(id), name })
}

fn resume() -> impl Strategy<Value = ResumePoint> {
    (any::<u64>(), number(), id(), moment()).prop_map(|(epoch, offset, id, received)| ResumePoint {
        epoch: Epoch(epoch),
        offset: Offset(offset),
        id,
        received,
    })
}

pub fn entry() -> impl Strategy<Value = Entry> {
    (draft(&["message", "room", "poll"]), number(), sender(), moment()).prop_map(
        |(draft, offset, sender, received)| Entry { draft, offset: Offset(offset), sender, received },
    )
}

/// Content of one of these kinds.
fn draft(kinds: &'static [&'static str]) -> impl Strategy<Value = Draft> {
    let kind = proptest::sample::select(kinds);
    (id(), room(), kind, text(), option::of(text()), moment()).prop_map(|(id, room, kind, body, more, at)| {
        let mut extra = Extra::default();
        if let Some(more) = more {
            extra.insert("later", more.into());
        }
        let content = Content::from_fields(kind, Some(body.into()), extra).expect("a body that is text");
        Draft { id, room, content, at }
    })
}

fn refusal() -> impl Strategy<Value = Refusal> {
    prop_oneof![
        Just(Refusal::NoSuchRoom),
        Just(Refusal::NotAllowed),
        number().prop_map(|limit| Refusal::TooLarge { limit }),
        number().prop_map(|retry_after_ms| Refusal::SlowDown { retry_after_ms }),
        number().prop_map(|retry_after_ms| Refusal::Quota { retry_after_ms }),
        number().prop_map(|limit| Refusal::TooMany { limit }),
        room_name().prop_map(|name| Refusal::NameAlike { name }),
        text().prop_map(|detail| Refusal::BadName { detail }),
        (text(), text()).prop_map(|(code, detail)| Refusal::Other { code, detail }),
    ]
}

pub fn features() -> impl Strategy<Value = Features> {
    vec(text(), 0..4).prop_map(Features::new)
}

fn hello() -> impl Strategy<Value = Hello> {
    let redeem = (text(), text(), text()).prop_map(|(code, name, token)| Redeem { code, name, token });
    let known = (option::of(resume()), option::of(number()));
    (
        any::<(u32, u32)>(),
        text(),
        features(),
        option::of(text()),
        option::of(redeem),
        option::of(text()),
        known,
    )
        .prop_map(|(versions, client, features, token, invite, challenge, (resume, since))| Hello {
            versions,
            client,
            features,
            token,
            invite,
            challenge,
            resume,
            since: since.map(Offset),
        })
}

fn welcome() -> impl Strategy<Value = Welcome> {
    let start =
        proptest::sample::select(vec![Start::Resumed, Start::Recent, Start::EpochChanged, Start::Trimmed]);
    let people = vec((principal(), any::<bool>()), 0..4).prop_map(|people| {
        people.into_iter().map(|(who, online)| PersonState { who, online, status: String::new() }).collect()
    });
    let read = vec((room(), number()), 0..4).prop_map(|read| {
        read.into_iter().map(|(room, offset)| ReadState { room, offset: Offset(offset) }).collect()
    });
    let log = (any::<u64>(), number(), number(), start);
    let figures = (any::<u32>(), moment(), number(), option::of(features()));
    let read = (read, any::<bool>());
    (text(), principal(), log, figures, vec(named_room(), 0..4), people, read).prop_map(
        |(hub, me, log, (version, now, max_body, features), rooms, people, (read, more))| Welcome {
            version,
            hub,
            me,
            epoch: Epoch(log.0),
            head: Offset(log.1),
            from: Offset(log.2),
            start: log.3,
            now,
            max_body,
            files: None,
            features,
            rooms,
            people,
            read,
            more,
        },
    )
}

fn lists() -> impl Strategy<Value = Lists> {
    welcome().prop_map(|Welcome { rooms, people, read, more, .. }| Lists { rooms, people, read, more })
}

/// A name of a device that is not one of an app's own, or of a metric.
pub fn name() -> impl Strategy<Value = DeviceId> {
    prop_oneof![
        "[a-z]{1,3}".prop_map(|text| DeviceId::new(text).expect("keeps the rule")),
        vec(any::<char>(), 1..=64).prop_filter_map("keeps the rule of names", |chars| {
            DeviceId::new(String::from_iter(chars)).ok().filter(|name| !name.as_str().starts_with('~'))
        }),
    ]
}

/// What a counter can have come to.
pub fn counter() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), any::<u64>()]
}

fn finite() -> impl Strategy<Value = f64> {
    prop_oneof![(-1_000..1_000i32).prop_map(|n| f64::from(n) / 10.0), proptest::num::f64::NORMAL]
}

pub fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Missing),
        finite().prop_map(Value::Number),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::Flag),
        text().prop_map(|text| Value::Text(text.into())),
    ]
}

/// A time that a clock can have.
fn clock() -> impl Strategy<Value = i64> {
    prop_oneof![Just(1_790_000_000_000), 0..=(1i64 << 53)]
}

pub fn sample() -> impl Strategy<Value = ReadSample> {
    let values = proptest::collection::btree_map(name(), value(), 0..5);
    (name(), clock(), clock(), values).prop_map(|(device, at, received, values)| ReadSample {
        device,
        at: WallMs(at),
        received: WallMs(received),
        values,
    })
}

fn published() -> impl Strategy<Value = PublishedSample> {
    (sample(), any::<bool>()).prop_map(|(sample, told)| {
        let ReadSample { device, at, values, .. } = sample;
        PublishedSample { device, at: told.then_some(at), values }
    })
}

fn metric() -> impl Strategy<Value = Metric> {
    let kind = proptest::sample::select(vec![
        MetricType::Number,
        MetricType::Text,
        MetricType::Flag,
        MetricType::Enum,
    ]);
    let range = (option::of(finite()), option::of(finite()), option::of(any::<u8>()));
    (name(), kind, text(), range, vec(text(), 0..3), any::<(bool, bool)>()).prop_map(
        |(name, kind, unit, (min, max, precision), options, (writable, risky))| Metric {
            unit,
            min: min.map(Into::into),
            max: max.map(Into::into),
            precision,
            options,
            writable,
            risky,
            ..Metric::new(name, kind)
        },
    )
}

fn spec() -> impl Strategy<Value = Spec> {
    let attributes = proptest::collection::btree_map(text(), text(), 0..3);
    (name(), (text(), text(), text()), vec(metric(), 0..3), attributes, option::of(finite())).prop_map(
        |(id, (name, kind, will), metrics, attributes, expect_every_s)| Spec {
            id,
            name,
            kind,
            metrics,
            attributes,
            expect_every_s,
            will,
        },
    )
}

fn device_state() -> impl Strategy<Value = DeviceState> {
    let last = (name(), value(), moment(), moment()).prop_map(|(metric, value, at, received)| LastValue {
        metric,
        value,
        at,
        received,
    });
    let heard = (option::of(moment()), option::of(number()));
    (spec(), number(), any::<bool>(), moment(), text(), heard, vec(last, 0..3)).prop_map(
        |(spec, incarnation, online, since, reason, (heard, every_ms), values)| DeviceState {
            spec,
            incarnation,
            online,
            since,
            reason,
            heard,
            every_ms,
            values,
        },
    )
}

fn command_state() -> impl Strategy<Value = CommandState> {
    let why = proptest::sample::select(vec![
        CommandRefusal::UnknownDevice,
        CommandRefusal::NotWritable,
        CommandRefusal::BadValue,
        CommandRefusal::Changed,
        CommandRefusal::NotAllowed,
        CommandRefusal::Other,
    ]);
    prop_oneof![
        Just(CommandState::Pending),
        Just(CommandState::Done),
        text().prop_map(|detail| CommandState::Failed { detail }),
        Just(CommandState::Expired),
        (why, text()).prop_map(|(why, detail)| CommandState::Refused { why, detail }),
    ]
}

fn command() -> impl Strategy<Value = Command> {
    (id(), name(), name(), value(), sender(), moment(), command_state()).prop_map(
        |(id, device, property, value, by, at, state)| Command { id, device, property, value, by, at, state },
    )
}

fn log_line() -> impl Strategy<Value = LogLine> {
    let what = prop_oneof![
        Just(DeviceLogEvent::Online),
        text().prop_map(|reason| DeviceLogEvent::Offline { reason }),
        Just(DeviceLogEvent::Silent),
        command().prop_map(|command| DeviceLogEvent::Command { command }),
    ];
    (moment(), what).prop_map(|(at, what)| LogLine { at, what })
}

/// What a client says of devices.
fn client_of_devices() -> impl Strategy<Value = ClientMessage> {
    let series = (name(), name(), moment(), moment())
        .prop_map(|(device, metric, from, to)| ClientMessage::Series { device, metric, from, to });
    let command = (id(), name(), option::of(number()), name(), value()).prop_map(
        |(id, device, incarnation, property, value)| ClientMessage::Command {
            id,
            device,
            incarnation,
            property,
            value,
        },
    );
    prop_oneof![
        Just(ClientMessage::Watch),
        spec().prop_map(ClientMessage::Announce),
        (name(), any::<bool>(), text()).prop_map(|(device, online, reason)| ClientMessage::DeviceState {
            device,
            online,
            reason
        }),
        vec(published(), 0..4).prop_map(|samples| ClientMessage::Publish { samples }),
        command,
        (id(), command_state()).prop_map(|(id, state)| ClientMessage::CommandResult { id, state }),
        series,
        name().prop_map(|device| ClientMessage::DeviceLog { device }),
    ]
}

/// What a hub says of devices.
fn hub_of_devices() -> impl Strategy<Value = HubMessage> {
    let summary = (moment(), finite(), finite(), finite(), any::<u32>())
        .prop_map(|(at, min, mean, max, count)| Bucket { at, min, mean, max, count, off: 0 });
    let single = (moment(), any::<u64>()).prop_map(|(at, whole)| {
        Bucket::of(Point::of(at, &Value::from(whole)).unwrap_or(Point::new(at, 0.0)))
    });
    let bucket = prop_oneof![summary, single];
    let series = (name(), name(), moment(), moment(), any::<i64>(), vec(bucket, 0..4)).prop_map(
        |(device, metric, from, to, step_ms, buckets)| HubMessage::Series {
            device,
            metric,
            from,
            to,
            step_ms,
            buckets,
        },
    );
    let given = (id(), name(), name(), value(), sender(), number()).prop_map(
        |(id, device, property, value, by, expires_in_ms)| HubMessage::Command {
            id,
            device,
            property,
            value,
            by,
            expires_in_ms,
        },
    );
    prop_oneof![
        (moment(), vec(device_state(), 0..3), any::<bool>())
            .prop_map(|(started, devices, more)| HubMessage::Devices { started, devices, more }),
        device_state().prop_map(|device| HubMessage::Device { device: Box::new(device) }),
        (name(), any::<bool>(), moment(), text()).prop_map(|(device, online, since, reason)| {
            HubMessage::DeviceState { device, online, since, reason }
        }),
        (vec(sample(), 0..4), counter())
            .prop_map(|(samples, conflated)| HubMessage::Readings { samples, conflated }),
        given,
        command().prop_map(|command| HubMessage::Commanded { command }),
        series,
        (name(), vec(log_line(), 0..3)).prop_map(|(device, lines)| HubMessage::DeviceLog { device, lines }),
        (text(), text(), text()).prop_map(|(device, code, detail)| HubMessage::PublishRefused {
            device,
            code,
            detail
        }),
    ]
}

fn receipt() -> impl Strategy<Value = Receipt> {
    (text(), offset(), offset()).prop_map(|(id, first, last)| Receipt { id: PrincipalId(id), first, last })
}

/// Any message of a client.
pub fn client_message() -> impl Strategy<Value = ClientMessage> {
    prop_oneof![
        hello().prop_map(ClientMessage::Hello),
        text().prop_map(|token| ClientMessage::Auth { token: token.as_str().into() }),
        text().prop_map(|code| ClientMessage::CheckInvite { code: code.as_str().into() }),
        (draft(&["message", "poll"]), number(), any::<bool>())
            .prop_map(|(draft, seq, retry)| ClientMessage::Send { draft, seq, retry }),
        room().prop_map(|room| ClientMessage::Typing { room }),
        (room(), number()).prop_map(|(room, offset)| ClientMessage::Read { room, offset: Offset(offset) }),
        (room(), number()).prop_map(|(room, offset)| ClientMessage::Unread { room, offset: Offset(offset) }),
        (room(), offset(), offset()).prop_map(|(room, first, last)| ClientMessage::Seen {
            room,
            first,
            last
        }),
        room().prop_map(|room| ClientMessage::Receipts { room }),
        (room(), number(), any::<u32>()).prop_map(|(room, before, limit)| ClientMessage::History {
            room,
            before: Offset(before),
            limit
        }),
        (id(), room_name(), option::of(moment()), option::of(text())).prop_map(|(id, room, at, more)| {
            let mut extra = Extra::default();
            if let Some(more) = more {
                extra.insert("later", more.into());
            }
            let private = extra.is_empty().then(|| Private { members: Vec::new(), direct: at.is_some() });
            ClientMessage::CreateRoom { id, room, at, private, extra }
        }),
        text().prop_map(|text| ClientMessage::Status { text }),
        (number(), text()).prop_map(|(nonce, pad)| ClientMessage::Ping { nonce, pad }),
        Just(ClientMessage::Bye),
        (number(), rights::manage()).prop_map(|(id, what)| ClientMessage::Manage { id, what }),
        client_of_devices(),
    ]
}

/// Any message of a hub.
pub fn hub_message() -> impl Strategy<Value = HubMessage> {
    prop_oneof![
        text().prop_map(|mac| HubMessage::Proof { mac }),
        (text(), any::<i64>())
            .prop_map(|(hub, expires)| HubMessage::InviteGood { hub, expires: WallMs(expires) }),
        welcome().prop_map(HubMessage::Welcome),
        lists().prop_map(HubMessage::Lists),
        (vec(entry(), 0..4), vec((offset(), offset()), 0..3))
            .prop_map(|(entries, skip)| HubMessage::Log { entries, skip }),
        (id(), number(), moment(), any::<bool>(), option::of(room())).prop_map(
            |(id, offset, received, entry, room)| HubMessage::Ack {
                id,
                offset: Offset(offset),
                received,
                entry,
                room
            }
        ),
        (id(), refusal()).prop_map(|(id, refusal)| HubMessage::Refused { id, refusal }),
        (room(), sender()).prop_map(|(room, who)| HubMessage::Typing { room, who }),
        (principal(), any::<bool>(), any::<bool>(), text())
            .prop_map(|(who, online, removed, status)| HubMessage::Presence { who, online, status, removed }),
        (number(), rights::managed()).prop_map(|(id, managed)| HubMessage::Managed { id, managed }),
        (room(), number()).prop_map(|(room, offset)| HubMessage::Read { room, offset: Offset(offset) }),
        (room(), number()).prop_map(|(room, offset)| HubMessage::Unread { room, offset: Offset(offset) }),
        (room(), vec(receipt(), 0..4), any::<bool>()).prop_map(|(room, by, all)| HubMessage::Receipts {
            room,
            by,
            all
        }),
        (room(), number(), vec(entry(), 0..4), any::<bool>()).prop_map(
            |(room, before, entries, complete)| HubMessage::History {
                room,
                before: Offset(before),
                entries,
                complete
            }
        ),
        (text(), text()).prop_map(|(code, detail)| HubMessage::Error { code, detail }),
        (number(), number(), text()).prop_map(|(nonce, sent, pad)| HubMessage::Pong {
            nonce,
            sent: Offset(sent),
            pad
        }),
        (any::<u16>(), text(), option::of(number()))
            .prop_map(|(code, reason, retry_after_ms)| { HubMessage::Bye { code, reason, retry_after_ms } }),
        hub_of_devices(),
    ]
}

/// Any JSON at all, near to what the protocol speaks.
pub fn json() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    let key = prop_oneof![
        proptest::sample::select(vec![
            "type",
            "id",
            "room",
            "entries",
            "offset",
            "kind",
            "sender",
            "versions",
            "nonce",
            "refusal",
            "samples",
            "device",
            "at",
            "received",
            "values",
            "conflated",
        ])
        .prop_map(str::to_owned),
        text(),
    ];
    let tree = leaf.prop_recursive(6, 64, 8, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..8).prop_map(Value::from),
            proptest::collection::btree_map(key.clone(), inner, 0..8)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    });
    let kind = proptest::sample::select(vec![
        "hello",
        "send",
        "history",
        "log",
        "welcome",
        "refused",
        "bye",
        "pong",
        "presence",
        "manage",
        "managed",
        "none of these",
    ]);
    (tree, option::of(kind)).prop_map(|(mut tree, kind)| {
        if let (Value::Object(map), Some(kind)) = (&mut tree, kind) {
            map.insert("type".to_owned(), kind.into());
        }
        tree
    })
}

fn offset() -> impl Strategy<Value = Offset> {
    any::<u64>().prop_map(Offset)
}
