//! What became of a room is shown among its messages, from the disk as from the server, and counts as no message.

use super::*;
use crate::model::content::MemberChange;
use crate::model::event::{Page, Side};
use crate::model::id::Offset;
use crate::model::intent::Jump;
use crate::model::profile::{Profile, Protocol, Socket};
use crate::model::time::BootMs;
use crate::model::time::WallMs;
use crate::model::{Connection, Position, Time};

fn said(entries: Vec<Entry>) -> Write {
    Write::Event(Event::Chat(ChatEvent::Entries { entries, live: true }))
}

fn event(offset: u64, content: Content) -> Entry {
    let mut entry = entry(offset, "bob", offset);
    entry.draft.content = content;
    entry
}

fn topic(offset: u64) -> Entry {
    event(offset, Content::topic(format!("topic {offset}")))
}

fn joined(offset: u64) -> Entry {
    let who = Sender { id: PrincipalId("ann".into()), name: "Ann".into() };
    event(offset, Content::member(who, MemberChange::Joined))
}

fn text(offset: u64) -> Entry {
    entry(offset, "bob", offset)
}

fn offsets(page: &Page) -> Vec<u64> {
    page.messages.iter().map(|message| message.position.offset.0).collect()
}

fn at(offset: u64) -> Position {
    Position { era: 1, offset: Offset(offset) }
}

fn begun(store: &ClientStore) {
    commit(store, vec![welcomed(0), started(1, 1, LogRestart::First)]);
}

#[test]
fn events_stand_between_the_messages_of_every_page_and_none_is_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    begun(&store);
    // Two events, a message, and so on, with ten events in a row in the middle and at the end.
    let kind = |n: u64| match n {
        20..=29 | 51..=60 => joined(n),
        n if n % 3 == 0 => text(n),
        n => topic(n),
    };
    commit(&store, vec![said((1..=60).map(kind).collect())]);
    let room = general;
    for limit in [1, 2, 3, 7, 60, 100] {
        let (mut all, mut from) = (Vec::new(), at(1_000));
        loop {
            let page = wait(store.page(C, room(), from, Side::Older, limit)).unwrap();
            assert!(page.messages.len() <= limit as usize);
            let mut found = offsets(&page);
            let Some(first) = found.first().copied() else { break };
            assert_eq!(page.older_on_disk, first > 1, "limit {limit} before {from:?}");
            from = at(first);
            found.append(&mut all);
            all = found;
        }
        assert_eq!(all, (1..=60).collect::<Vec<_>>(), "limit {limit}");
        let (mut all, mut from) = (Vec::new(), at(0));
        loop {
            let page = wait(store.page(C, room(), from, Side::Newer, limit)).unwrap();
            let found = offsets(&page);
            let Some(last) = found.last().copied() else { break };
            assert_eq!(page.newer_on_disk, last < 60, "limit {limit} after {from:?}");
            from = at(last);
            all.extend(found);
        }
        assert_eq!(all, (1..=60).collect::<Vec<_>>(), "limit {limit}");
    }
    let page = wait(store.jump(C, room(), Jump::To(at(25)), 10)).unwrap();
    assert!(offsets(&page).contains(&25) && page.messages.iter().any(|message| message.is_event()));
}

#[test]
fn events_are_no_messages_and_outlive_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    begun(&store);
    commit(&store, vec![said(vec![text(1), topic(2), joined(3)])]);
    let room = load(&store).stored.rooms.into_iter().find(|room| room.id == general()).unwrap();
    assert_eq!((room.unread, room.newest), (1, at(1)));
    drop(store);
    let store = open(dir.path());
    let room = load(&store).stored.rooms.into_iter().find(|room| room.id == general()).unwrap();
    let kinds: Vec<_> = room.messages.iter().map(|message| message.content.kind().to_owned()).collect();
    assert_eq!(kinds, ["message", "room_change", "member"]);
    assert_eq!(room.messages[1].content, topic(2).draft.content);
    // The same as in memory.
    let profile = Profile {
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
    };
    let mut connection = Connection::new(profile);
    for write in [welcomed(0), started(1, 1, LogRestart::First), said(vec![text(1), topic(2), joined(3)])] {
        let Write::Event(event) = write else { panic!("an event") };
        connection.apply(Time { boot_ms: BootMs(1), wall_ms: WallMs(1) }, event);
    }
    let shown = &connection.chat.rooms[&general()];
    assert_eq!((shown.unread, shown.newest), (1, at(1)));
    assert_eq!(shown.window.messages().map(|message| message.id).collect::<Vec<_>>(), [id(1), id(2), id(3)]);
}

#[test]
fn events_of_history_are_kept_and_those_of_a_log_that_begins_anew_leave_their_old_place() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    commit(&store, vec![welcomed(10), started(1, 10, LogRestart::First), said(vec![text(10)])]);
    let page = ChatEvent::History {
        room: general(),
        before: Offset(10),
        entries: vec![topic(7), text(8), joined(9)],
        complete: true,
    };
    commit(&store, vec![Write::Event(Event::Chat(page))]);
    let page = || wait(store.jump(C, general(), Jump::End, 50)).unwrap();
    assert_eq!(offsets(&page()), [7, 8, 9, 10]);
    commit(&store, vec![started(2, 1, LogRestart::EpochChanged)]);
    let moved = |offset, number| Entry { offset, ..topic(number) };
    commit(&store, vec![said(vec![moved(Offset(1), 7)])]);
    let places: Vec<_> = page().messages.iter().map(|message| message.position).collect();
    assert_eq!(places, [at(8), at(9), at(10), Position { era: 2, offset: Offset(1) }]);
}

#[test]
fn what_somebody_may_do_is_known_before_the_server_answers() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    begun(&store);
    assert_eq!(load(&store).stored.me.unwrap().role, None);
    let Write::Event(Event::Link(LinkEvent::Welcomed { me, server, log, now, people, rooms, features })) =
        welcomed(0)
    else {
        panic!("a welcome")
    };
    let me = Principal { role: Some(crate::model::Role::Guest), ..me };
    let welcome = LinkEvent::Welcomed { me, server, log, now, people, rooms, features };
    commit(&store, vec![Write::Event(Event::Link(welcome))]);
    assert_eq!(load(&store).stored.me.unwrap().role, Some(crate::model::Role::Guest));
}
