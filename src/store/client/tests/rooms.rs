//! What is known of rooms: the same on the disk as in memory, in whatever order lists and entries come.

use super::*;
use crate::model::content::{MemberChange, Private};
use crate::model::event::Listed;
use crate::model::id::Offset;
use crate::model::profile::{Profile, Protocol, Socket};
use crate::model::time::BootMs;
use crate::model::time::WallMs;
use crate::model::{NamedRoom, RoomId, RoomInfo, Time};

const NOW: Time = Time { boot_ms: BootMs(1), wall_ms: WallMs(1) };

fn room() -> RoomId {
    RoomId::new("r-1").unwrap()
}

fn named(name: &str, info: RoomInfo) -> NamedRoom {
    NamedRoom { info, ..NamedRoom::new(room(), RoomName::new(name).unwrap()) }
}

fn of_room(offset: u64, sender: &str, content: Content) -> Entry {
    let mut entry = entry(offset, sender, offset);
    (entry.draft.room, entry.draft.content) = (room(), content);
    entry
}

fn told(entries: Vec<Entry>) -> Event {
    Event::Chat(ChatEvent::Entries { entries, live: false })
}

fn listed(rooms: Vec<NamedRoom>) -> Event {
    Event::Chat(ChatEvent::Listed(Listed { rooms, ..Listed::default() }))
}

fn event(write: Write) -> Event {
    let Write::Event(event) = write else { panic!("an event") };
    event
}

fn profile() -> Profile {
    Profile {
        id: C,
        name: "hub".to_owned(),
        urls: vec!["ws://hub".to_owned()],
        protocol: Protocol::Duplex,
        socket: Socket::Tungstenite,
        route: Default::default(),
        ca_file: None,
        fingerprint: None,
        auto_connect: true,
        websocket: Default::default(),
        network: Default::default(),
    }
}

fn who(id: &str) -> Sender {
    Sender { id: PrincipalId(id.into()), name: id.to_uppercase() }
}

/// What is known of the room after these events: on the disk after a restart, and in memory.
fn known_after(events: &[Event]) -> (RoomName, RoomInfo) {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut connection = crate::model::Connection::new(profile());
    for event in events {
        commit(&store, vec![Write::Event(event.clone())]);
        connection.apply(NOW, event.clone());
    }
    drop(store);
    let stored = load(&open(dir.path())).stored;
    let stored = stored.rooms.into_iter().find(|stored| stored.id == room()).unwrap();
    let shown = &connection.chat.rooms[&room()];
    assert_eq!((&stored.name, &stored.info), (&shown.name, &shown.info));
    (stored.name, stored.info)
}

#[test]
fn a_room_is_what_the_last_change_in_the_log_makes_it() {
    let all = [
        of_room(1, "bob", Content::room(RoomName::new("Lathes").unwrap())),
        of_room(2, "bob", Content::topic("Noise")),
        of_room(3, "me", Content::renamed(RoomName::new("Mills").unwrap())),
        of_room(4, "bob", Content::archived(true)),
        of_room(5, "me", Content::member(who("me"), MemberChange::Left)),
    ];
    let last = RoomInfo {
        topic: "Noise".into(),
        archived: true,
        left: true,
        changed: Offset(5),
        ..RoomInfo::default()
    };
    let begun = [event(welcomed(5)), event(started(1, 1, LogRestart::First))];
    let newest = listed(vec![named("Mills", last.clone())]);
    let as_made = listed(vec![named("Lathes", RoomInfo::default())]);
    for more in [
        vec![told(all.to_vec())],
        vec![told(all.to_vec()), told(all[1..3].to_vec())],
        // Listed before and after the same is told, and late.
        vec![newest.clone(), told(all.to_vec())],
        vec![told(all[..2].to_vec()), newest.clone(), told(all[2..].to_vec())],
        vec![told(all.to_vec()), as_made],
    ] {
        let (name, info) = known_after(&[&begun[..], &more].concat());
        assert_eq!((name.as_str(), info), ("Mills", last.clone()));
    }
}

#[test]
fn what_another_log_says_of_a_room_counts_whatever_its_offset() {
    let events = [
        event(welcomed(9)),
        event(started(1, 1, LogRestart::First)),
        told((1..=9).map(|at| of_room(at, "bob", Content::topic(format!("Topic {at}")))).collect()),
        event(welcomed(2)),
        event(started(2, 1, LogRestart::EpochChanged)),
        told(vec![of_room(1, "bob", Content::topic("Restored"))]),
    ];
    assert_eq!(known_after(&events).1.topic, "Restored");
}

#[test]
fn members_of_a_private_room_are_those_who_were_not_removed() {
    let private = Private { members: vec![PrincipalId("me".into())], direct: false };
    let made = Content::private_room(RoomName::new("Plans").unwrap(), private);
    let events = [
        event(welcomed(9)),
        event(started(1, 1, LogRestart::First)),
        told(vec![
            of_room(1, "bob", made),
            of_room(2, "bob", Content::member(who("ann"), MemberChange::Invited)),
            of_room(3, "bob", Content::member(who("me"), MemberChange::Left)),
        ]),
    ];
    let (_, info) = known_after(&events);
    assert!(info.private && info.left && info.direct.is_none());
    let members: Vec<&str> = info.members.iter().map(|id| id.0.as_str()).collect();
    assert_eq!(members, ["ann", "bob"]);
}

#[test]
fn a_direct_message_is_with_the_other_one_at_both_ends_and_from_the_start() {
    let made = |other: &str| {
        let private = Private { members: vec![PrincipalId(other.into())], direct: true };
        Content::private_room(RoomName::of_id(&room()), private)
    };
    let begun = [event(welcomed(9)), event(started(1, 1, LogRestart::First))];
    for (sender, other, with) in [("bob", "me", "bob"), ("me", "bob", "bob")] {
        let events = [&begun[..], &[told(vec![of_room(1, sender, made(other))])]].concat();
        assert_eq!(known_after(&events).1.direct, Some(PrincipalId(with.into())));
    }
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut queued = item(1);
    (queued.draft.room, queued.draft.content) = (room(), made("bob"));
    commit(&store, vec![welcomed(9), started(1, 1, LogRestart::First), Write::Queue(queued)]);
    let stored = load(&store).stored.rooms.into_iter().find(|stored| stored.id == room()).unwrap();
    assert!(stored.unmade && stored.info.direct == Some(PrincipalId("bob".into())));
}
