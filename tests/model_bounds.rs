//! What one server may put into the model: what is beyond is left out and known to be, or read from the disk again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test program")]

use duplex::model::NamedRoom;
use duplex::model::chat::{MAX_MESSAGE_BYTES, MAX_PEOPLE, MAX_ROOMS};
use duplex::model::content::{Content, Draft};
use duplex::model::device::{DeviceState, Metric, MetricType, Spec};
use duplex::model::entry::Entry;
use duplex::model::event::{
    ChatEvent, DeviceEvent, Event, LinkEvent, LogKind, LogRestart, Page, Person, Side,
};
use duplex::model::id::Offset;
use duplex::model::principal::{Principal, PrincipalKind, Sender};
use duplex::model::profile::{Profile, Protocol, Socket};
use duplex::model::time::BootMs;
use duplex::model::time::WallMs;
use duplex::model::window::MAX_WINDOW_BYTES;
use duplex::model::{
    Connection, ConnectionId, DeviceId, Edge, Epoch, MessageId, MetricName, PrincipalId, RoomId, Time,
};

const NOW: Time = Time { boot_ms: BootMs(1_000), wall_ms: WallMs(0) };

fn room(name: impl Into<String>) -> RoomId {
    RoomId::new(name.into()).unwrap()
}

fn principal(id: &str) -> Principal {
    Principal { id: PrincipalId(id.into()), kind: PrincipalKind::Person, name: id.into(), role: None }
}

fn connection() -> Connection {
    let profile = Profile {
        id: ConnectionId(3),
        name: String::new(),
        urls: Vec::new(),
        protocol: Protocol::Duplex,
        socket: Socket::Tungstenite,
        route: Default::default(),
        ca_file: None,
        fingerprint: None,
        auto_connect: true,
        websocket: Default::default(),
        network: Default::default(),
    };
    let mut connection = Connection::new(profile);
    connection.apply(
        NOW,
        Event::Chat(ChatEvent::LogStarted { epoch: Epoch(1), from: Offset(1), why: LogRestart::First }),
    );
    welcome(&mut connection, vec![room("general").into()], Vec::new());
    connection
}

fn welcome(connection: &mut Connection, rooms: Vec<NamedRoom>, people: Vec<Person>) {
    let (me, server) = (principal("me"), "hub".to_owned());
    connection.apply(
        NOW,
        Event::Link(LinkEvent::Welcomed {
            me,
            server,
            log: LogKind::Server { head: Offset(0), next: Offset(1) },
            now: WallMs(0),
            people,
            rooms,
            features: Default::default(),
        }),
    );
}

fn message(offset: u64, room: RoomId, body: String) -> Entry {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&offset.to_be_bytes());
    Entry {
        draft: Draft { id: MessageId::from_random(id), room, content: Content::text(body), at: WallMs(0) },
        offset: Offset(offset),
        sender: Sender { id: PrincipalId("mina".into()), name: "Mina".into() },
        received: WallMs(0),
    }
}

fn say(connection: &mut Connection, entries: Vec<Entry>) {
    connection.apply(NOW, Event::Chat(ChatEvent::Entries { entries, live: true }));
}

fn bytes(connection: &Connection) -> usize {
    connection.chat.rooms.values().map(|room| room.window.bytes()).sum()
}

#[test]
fn rooms_and_people_beyond_the_bound_are_left_out_and_that_is_known() {
    let mut connection = connection();
    assert!(!connection.chat.left_out.rooms && !connection.chat.left_out.people);
    welcome(&mut connection, (0..MAX_ROOMS + 9).map(|n| room(format!("r{n}")).into()).collect(), Vec::new());
    assert_eq!(connection.chat.rooms.len(), MAX_ROOMS);
    assert!(connection.chat.left_out.rooms && connection.chat.rooms.contains_key(&room("general")));
    say(
        &mut connection,
        vec![message(1, room("one more"), "hi".into()), message(2, room("general"), "ho".into())],
    );
    assert!(!connection.chat.rooms.contains_key(&room("one more")));
    assert_eq!(
        (connection.chat.rooms[&room("general")].window.len(), connection.chat.received_to),
        (1, Offset(2))
    );

    let person = |n| Person { who: principal(&format!("p{n}")), online: true, status: String::new() };
    (0..MAX_PEOPLE + 9).for_each(|n| connection.apply(NOW, Event::Chat(ChatEvent::Presence(person(n)))));
    assert_eq!(connection.chat.people.len(), MAX_PEOPLE);
    assert!(connection.chat.left_out.people);
    connection.apply(
        NOW,
        Event::Chat(ChatEvent::Presence(Person {
            who: principal("p0"),
            online: false,
            status: String::new(),
        })),
    );
    assert!(!connection.chat.people[&PrincipalId("p0".into())].online, "whoever is known comes and goes");
    welcome(&mut connection, Vec::new(), vec![person(1)]);
    assert!(!connection.chat.left_out.people, "the next welcome says anew who is there");
}

#[test]
fn a_room_that_nobody_knows_is_made_by_entries_alone() {
    let mut connection = connection();
    let name = || room("made up");
    let who = Sender { id: PrincipalId("p".into()), name: "p".into() };
    let page = Page { messages: Vec::new(), older_on_disk: false, older_on_hub: false, newer_on_disk: false };
    for event in [
        Event::Chat(ChatEvent::Typing { room: name(), who, until: BootMs(9_999) }),
        Event::Chat(ChatEvent::ReadMarker { room: name(), offset: Offset(1) }),
        Event::Chat(ChatEvent::History {
            room: name(),
            before: Offset(9),
            entries: Vec::new(),
            complete: true,
        }),
        Event::Chat(ChatEvent::HistoryFailed { room: name() }),
        Event::Chat(ChatEvent::Paged { room: name(), side: Side::Older, page: page.clone() }),
        Event::Chat(ChatEvent::Jumped { room: name(), page }),
        Event::Chat(ChatEvent::Loading { room: name(), side: Side::Older, loading: true }),
    ] {
        connection.apply(NOW, event.clone());
        assert_eq!(connection.chat.rooms.len(), 1, "{event:?}");
    }
    say(&mut connection, vec![message(1, name(), "hi".into())]);
    assert_eq!(connection.chat.rooms.len(), 2);
}

#[test]
fn who_types_is_bounded_in_a_room_and_over_all_rooms_and_passes() {
    let mut connection = connection();
    welcome(&mut connection, (0..99).map(|n| room(format!("r{n}")).into()).collect(), Vec::new());
    let typing = |at: u64, name: String, n: usize| {
        let who = Sender { id: PrincipalId(format!("p{n}")), name: "x".into() };
        (
            Time { boot_ms: BootMs(at), wall_ms: WallMs(0) },
            Event::Chat(ChatEvent::Typing { room: room(name), who, until: BootMs(at + 6_000) }),
        )
    };
    let count = |connection: &Connection| {
        let each = connection.chat.rooms.values().map(|room| room.typing.len());
        (each.clone().max().unwrap(), each.sum::<usize>())
    };
    for n in 0..50_000 {
        let (now, event) = typing(1_000, format!("r{}", n % 99), n);
        connection.apply(now, event);
    }
    let (most, all) = count(&connection);
    assert!(most <= 32 && (1_000..=1_024).contains(&all), "{most} {all}");
    for n in 0..50 {
        let (now, event) = typing(60_000, "r7".into(), 100_000 + n);
        connection.apply(now, event);
    }
    assert_eq!(connection.chat.rooms[&room("r7")].typing.len(), 32, "those of a minute ago have gone");
    assert!(connection.chat.rooms[&room("r7")].typing.values().all(|(_, until)| *until > BootMs(60_000)));
}

#[test]
fn messages_in_memory_are_bounded_in_bytes_and_the_rest_is_on_disk() {
    let mut connection = connection();
    let large = || "y".repeat(64 * 1024);
    let mut offset = 0;
    let mut write = |connection: &mut Connection, name: String| {
        offset += 1;
        say(connection, vec![message(offset, room(name), large())]);
        assert!(bytes(connection) <= MAX_MESSAGE_BYTES);
    };
    (0..400).for_each(|_| write(&mut connection, "general".into()));
    let general = &connection.chat.rooms[&room("general")].window;
    assert!(general.bytes() <= MAX_WINDOW_BYTES && general.len() > 100);
    assert_eq!(general.before, Edge::Disk, "scrolling up reads them");

    // Somebody looks at this one.
    connection.apply(NOW, Event::Chat(ChatEvent::ReadMarker { room: room("general"), offset: Offset(400) }));
    let seen = connection.chat.rooms[&room("general")].window.len();
    (0..2_000).for_each(|n| write(&mut connection, format!("r{}", n % 1_500)));
    assert_eq!(connection.chat.rooms[&room("general")].window.len(), seen, "what somebody looks at stays");
    let emptied = connection.chat.rooms.values().filter(|room| room.window.is_empty()).collect::<Vec<_>>();
    assert!(!emptied.is_empty() && emptied.iter().all(|room| room.window.before == Edge::Disk));
    assert!(
        emptied.iter().all(|room| room.unread > 0 && room.newest.offset > Offset(0)),
        "nothing else is forgotten"
    );
}

#[test]
fn devices_are_bounded_by_what_they_take() {
    let mut connection = connection();
    let name = |text: String| DeviceId::new(text).unwrap();
    let metric = |n: usize| Metric {
        options: (0..10).map(|option| format!("option {option} {}", "x".repeat(400))).collect(),
        ..Metric::new(MetricName::new(format!("m{n}")).unwrap(), MetricType::Enum)
    };
    let state = |n: usize| DeviceState {
        spec: Spec {
            metrics: (0..20).map(metric).collect(),
            attributes: [("a".repeat(500), "b".repeat(500))].into(),
            name: "n".repeat(900),
            ..Spec::unannounced(name(format!("d{n}")))
        },
        incarnation: 1,
        online: true,
        since: WallMs(1),
        reason: "r".repeat(900),
        heard: Some(WallMs(2)),
        every_ms: None,
        values: Vec::new(),
    };
    for n in 0..12_000 {
        connection.apply(NOW, Event::Device(DeviceEvent::Announced(Box::new(state(n)))));
    }
    let devices = &connection.devices;
    let texts: usize = devices
        .iter()
        .flat_map(|device| device.spec.metrics.iter().flat_map(|metric| &metric.options))
        .map(|option| option.len() + 24)
        .sum();
    assert!(devices.bytes() + texts <= 80 << 20, "{} + {texts}", devices.bytes());
    assert!(devices.left_out() > 0, "and that is known");
    let some = devices.len();
    assert!(some > 100);
    let device = devices.get("d0").unwrap();
    assert_eq!(device.latest.len(), 20, "what was there before has all of it");

    // A list without them gives the room back.
    connection.apply(
        NOW,
        Event::Device(DeviceEvent::Listed { devices: vec![state(1)], started: WallMs(0), more: false }),
    );
    assert_eq!(connection.devices.len(), 1);
    for n in 50_000..50_000 + some {
        connection.apply(NOW, Event::Device(DeviceEvent::Announced(Box::new(state(n)))));
    }
    assert!(connection.devices.len() + 1 >= some, "{} of {some}", connection.devices.len());
}
