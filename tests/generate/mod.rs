//! Generated values of the Duplex protocol for property tests: every variant, odd strings, extreme numbers.

use duplex::model::{
    Entry, EntryKind, Epoch, MessageId, Principal, PrincipalId, PrincipalKind, Refusal, ResumePoint,
    RoomName, Sender,
};
use duplex::wire::duplex::message::{
    ClientMessage, Hello, HubMessage, PersonState, ReadState, Redeem, Start, Welcome,
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

pub fn moment() -> impl Strategy<Value = i64> {
    prop_oneof![Just(1_790_000_000_000), any::<i64>(), Just(i64::MIN), Just(i64::MAX)]
}

pub fn id() -> impl Strategy<Value = MessageId> {
    any::<[u8; 16]>().prop_map(MessageId::from_random)
}

pub fn room() -> impl Strategy<Value = RoomName> {
    prop_oneof![
        Just(RoomName::general()),
        vec(any::<char>(), 1..=RoomName::MAX_CHARS)
            .prop_filter_map("keeps the rule of names", |chars| RoomName::new(String::from_iter(chars)).ok()),
    ]
}

fn principal() -> impl Strategy<Value = Principal> {
    let kind =
        proptest::sample::select(vec![PrincipalKind::Person, PrincipalKind::Device, PrincipalKind::Admin]);
    (text(), kind, text()).prop_map(|(id, kind, name)| Principal { id: PrincipalId(id), kind, name })
}

fn sender() -> impl Strategy<Value = Sender> {
    (text(), text()).prop_map(|(id, name)| Sender { id: PrincipalId(id), name })
}

fn resume() -> impl Strategy<Value = ResumePoint> {
    (any::<u64>(), number(), id(), moment()).prop_map(|(epoch, offset, id, received)| ResumePoint {
        epoch: Epoch(epoch),
        offset,
        id,
        received,
    })
}

pub fn entry() -> impl Strategy<Value = Entry> {
    let kind = proptest::sample::select(vec![EntryKind::Message, EntryKind::Room, EntryKind::Unknown]);
    (kind, number(), id(), room(), sender(), text(), moment(), moment()).prop_map(
        |(kind, offset, id, room, sender, body, at, received)| Entry {
            kind,
            offset,
            id,
            room,
            sender,
            body,
            at,
            received,
        },
    )
}

fn refusal() -> impl Strategy<Value = Refusal> {
    prop_oneof![
        Just(Refusal::NoSuchRoom),
        Just(Refusal::NotAllowed),
        number().prop_map(|limit| Refusal::TooLarge { limit }),
        (text(), text()).prop_map(|(code, detail)| Refusal::Other { code, detail }),
    ]
}

fn hello() -> impl Strategy<Value = Hello> {
    let redeem = (text(), text(), text()).prop_map(|(code, name, token)| Redeem { code, name, token });
    let known = (option::of(resume()), option::of(number()));
    (any::<(u32, u32)>(), text(), option::of(text()), option::of(redeem), option::of(text()), known).prop_map(
        |(versions, client, token, invite, challenge, (resume, since))| Hello {
            versions,
            client,
            token,
            invite,
            challenge,
            resume,
            since,
        },
    )
}

fn welcome() -> impl Strategy<Value = Welcome> {
    let start =
        proptest::sample::select(vec![Start::Resumed, Start::Recent, Start::EpochChanged, Start::Trimmed]);
    let people = vec((principal(), any::<bool>()), 0..4)
        .prop_map(|people| people.into_iter().map(|(who, online)| PersonState { who, online }).collect());
    let read = vec((room(), number()), 0..4)
        .prop_map(|read| read.into_iter().map(|(room, offset)| ReadState { room, offset }).collect());
    let log = (any::<u64>(), number(), number(), start);
    let figures = (any::<u32>(), moment(), number());
    (text(), principal(), log, figures, vec(room(), 0..4), people, read).prop_map(
        |(hub, me, (epoch, head, from, start), (version, now, max_body), rooms, people, read)| Welcome {
            version,
            hub,
            me,
            epoch: Epoch(epoch),
            head,
            from,
            start,
            now,
            max_body,
            rooms,
            people,
            read,
        },
    )
}

/// Any message of a client.
pub fn client_message() -> impl Strategy<Value = ClientMessage> {
    prop_oneof![
        hello().prop_map(ClientMessage::Hello),
        text().prop_map(|token| ClientMessage::Auth { token }),
        (id(), number(), room(), text(), moment())
            .prop_map(|(id, seq, room, body, at)| ClientMessage::Send { id, seq, room, body, at }),
        room().prop_map(|room| ClientMessage::Typing { room }),
        (room(), number()).prop_map(|(room, offset)| ClientMessage::Read { room, offset }),
        (room(), number(), any::<u32>()).prop_map(|(room, before, limit)| ClientMessage::History {
            room,
            before,
            limit
        }),
        (id(), room()).prop_map(|(id, room)| ClientMessage::CreateRoom { id, room }),
        number().prop_map(|nonce| ClientMessage::Ping { nonce }),
        Just(ClientMessage::Bye),
    ]
}

/// Any message of a hub.
pub fn hub_message() -> impl Strategy<Value = HubMessage> {
    prop_oneof![
        text().prop_map(|mac| HubMessage::Proof { mac }),
        welcome().prop_map(HubMessage::Welcome),
        vec(entry(), 0..4).prop_map(|entries| HubMessage::Log { entries }),
        (id(), number(), moment()).prop_map(|(id, offset, received)| HubMessage::Ack {
            id,
            offset,
            received
        }),
        (id(), refusal()).prop_map(|(id, refusal)| HubMessage::Refused { id, refusal }),
        (room(), sender()).prop_map(|(room, who)| HubMessage::Typing { room, who }),
        (principal(), any::<bool>()).prop_map(|(who, online)| HubMessage::Presence { who, online }),
        (room(), number()).prop_map(|(room, offset)| HubMessage::Read { room, offset }),
        (room(), number(), vec(entry(), 0..4), any::<bool>()).prop_map(
            |(room, before, entries, complete)| HubMessage::History { room, before, entries, complete }
        ),
        (text(), text()).prop_map(|(code, detail)| HubMessage::Error { code, detail }),
        (number(), number()).prop_map(|(nonce, sent)| HubMessage::Pong { nonce, sent }),
        (any::<u16>(), text(), option::of(number()))
            .prop_map(|(code, reason, retry_after_ms)| { HubMessage::Bye { code, reason, retry_after_ms } }),
    ]
}

/// Any JSON at all, near to what the protocol speaks.
pub fn json() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number().prop_map(Value::from),
        moment().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    let key = prop_oneof![
        proptest::sample::select(vec![
            "type", "id", "room", "entries", "offset", "kind", "sender", "versions", "nonce", "refusal",
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
        "none of these",
    ]);
    (tree, option::of(kind)).prop_map(|(mut tree, kind)| {
        if let (Value::Object(map), Some(kind)) = (&mut tree, kind) {
            map.insert("type".to_owned(), kind.into());
        }
        tree
    })
}
