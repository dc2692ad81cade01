//! Threads: their replies are read page by page and are no messages of the room, what is unread of them is known after a
//! restart, and what is typed into them is kept.

use super::*;
use crate::model::Position;
use crate::model::event::{Page, Side, StoredThread};
use crate::model::id::Offset;
use crate::model::intent::Jump;
use crate::model::lookup::{Lookup, LookupFound, Wanted};

fn said(entries: Vec<Entry>) -> Write {
    Write::Event(Event::Chat(ChatEvent::Entries { entries, live: true }))
}

fn text(offset: u64, by: &str) -> Entry {
    entry(offset, by, offset)
}

fn reply(offset: u64, by: &str, root: u64, body: &str) -> Entry {
    let mut entry = entry(offset, by, offset);
    entry.draft.content = Content::reply(body, id(root), Some(id(root)));
    entry
}

fn at(offset: u64) -> Position {
    Position { era: 1, offset: Offset(offset) }
}

fn offsets(page: &Page) -> Vec<u64> {
    page.messages.iter().map(|message| message.position.offset.0).collect()
}

fn begun(store: &ClientStore) {
    commit(store, vec![welcomed(0), started(1, 1, LogRestart::First)]);
}

fn thread(store: &ClientStore, root: u64) -> StoredThread {
    load(store).stored.threads.into_iter().find(|thread| thread.root == id(root)).unwrap()
}

#[test]
fn a_thread_is_read_page_by_page_and_its_replies_are_not_in_the_room() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    begun(&store);
    let mut all = vec![text(1, "bob"), text(2, "bob")];
    all.extend((3..=42).map(|offset| reply(offset, "bob", 1, "aside")));
    let mut both = reply(43, "bob", 1, "for all");
    both.draft.content = both.draft.content.also_in_room();
    all.extend([both, text(44, "bob"), reply(45, "bob", 2, "elsewhere")]);
    commit(&store, vec![said(all)]);
    let page = wait(store.jump(C, general(), Jump::End, 100)).unwrap();
    assert_eq!(offsets(&page), [1, 2, 43, 44]);
    assert_eq!((page.messages[0].replies.count, page.older_on_disk), (41, false));
    let page = wait(store.page(C, general(), at(43), Side::Older, 1)).unwrap();
    assert_eq!((offsets(&page), page.older_on_disk), (vec![2], true));
    let (mut found, mut before) = (Vec::new(), None);
    loop {
        let page = wait(store.thread_page(C, general(), id(1), before, 10)).unwrap();
        let mut part = offsets(&page);
        before = part.first().map(|offset| at(*offset));
        part.append(&mut found);
        found = part;
        if !page.older_on_disk {
            break;
        }
    }
    assert_eq!(found, std::iter::once(1).chain(3..=43).collect::<Vec<_>>(), "with its first message");
    let wanted = Lookup { number: 1, connection: C, room: general(), wanted: Wanted::Threads };
    let LookupFound::Threads(lines) = wait(store.look_up(wanted)).unwrap() else { panic!("threads") };
    let lines: Vec<_> =
        lines.iter().map(|line| (line.root, line.first.as_ref().unwrap().id, line.unread)).collect();
    assert_eq!(lines, [(id(2), id(2), 1), (id(1), id(1), 41)]);
    assert_eq!(wait(store.thread_of(C, general(), at(5))).unwrap(), Some(id(1)));
    assert_eq!(wait(store.thread_of(C, general(), at(43))).unwrap(), None, "the room shows it");
}

#[test]
fn what_is_unread_in_a_room_and_in_its_threads_is_counted_apart_and_outlives_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    begun(&store);
    let entries = vec![
        text(1, "me"),
        text(2, "bob"),
        reply(3, "bob", 1, "one"),
        reply(4, "bob", 1, "@Me two"),
        reply(5, "bob", 2, "of no concern"),
        text(6, "bob"),
    ];
    commit(&store, vec![said(entries)]);
    let general_of =
        |store: &ClientStore| load(store).stored.rooms.into_iter().find(|room| room.id == general()).unwrap();
    let room = general_of(&store);
    assert_eq!((room.unread, room.mentions, room.newest), (2, 0, at(6)));
    let of = thread(&store, 1).thread;
    assert_eq!((of.unread, of.mentions, of.followed, of.newest), (2, 1, true, at(4)));
    assert!(!thread(&store, 2).thread.followed);
    let marker = |offset| Write::Event(Event::Chat(ChatEvent::ReadMarker { room: general(), offset }));
    commit(&store, vec![marker(Offset(2))]);
    assert_eq!(general_of(&store).unread, 1, "replies in threads do not count");
    commit(&store, vec![marker(Offset(6))]);
    let seen = ChatEvent::ThreadSeen { room: general(), root: id(1), position: at(4) };
    commit(&store, vec![Write::Event(Event::Chat(seen))]);
    drop(store);
    let store = open(dir.path());
    let of = thread(&store, 1).thread;
    assert_eq!((of.unread, of.mentions, of.read), (0, 0, at(4)));
    // Everything after a place is unread again.
    let unread = ChatEvent::MarkedUnread { room: general(), offset: Offset(1) };
    commit(&store, vec![Write::Event(Event::Chat(unread))]);
    let room = general_of(&store);
    assert_eq!((room.read, room.unread, room.mentions), (at(1), 2, 0));
}

#[test]
fn what_is_typed_into_a_thread_outlives_a_restart_with_what_it_replies_to() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    begun(&store);
    commit(&store, vec![said(vec![text(1, "bob")])]);
    let (room, root, reply) = (general(), id(1), Some(id(1)));
    let draft = ChatEvent::ThreadDraft { room: room.clone(), root, text: "half".into(), reply };
    let replies = ChatEvent::DraftReply { room: room.clone(), reply };
    commit(&store, vec![Write::Event(Event::Chat(draft)), Write::Event(Event::Chat(replies))]);
    drop(store);
    let store = open(dir.path());
    let kept = thread(&store, 1).thread;
    assert_eq!((kept.draft.as_str(), kept.draft_reply), ("half", reply));
    let stored = load(&store).stored.rooms.into_iter().find(|known| known.id == room).unwrap();
    assert_eq!(stored.draft_reply, reply);
}

#[test]
fn pins_and_versions_of_messages_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    begun(&store);
    let change = |offset, by: &str, content| {
        let mut entry = text(offset, by);
        entry.draft.content = content;
        entry
    };
    commit(
        &store,
        vec![said(vec![
            text(1, "bob"),
            text(2, "bob"),
            change(3, "bob", Content::edit(id(1), "second")),
            change(4, "bob", Content::edit(id(1), "third")),
            change(5, "me", Content::pin(id(2), false)),
            change(6, "me", Content::pin(id(1), false)),
            change(7, "me", Content::pin(id(2), true)),
        ])],
    );
    let ask =
        |wanted| wait(store.look_up(Lookup { number: 1, connection: C, room: general(), wanted })).unwrap();
    let LookupFound::Pins(pins) = ask(Wanted::Pins) else { panic!("pins") };
    assert_eq!(pins.iter().map(|pin| (pin.id, pin.body())).collect::<Vec<_>>(), [(id(1), "third")]);
    assert!(pins[0].pinned().is_some());
    let LookupFound::Revisions(all) = ask(Wanted::Revisions(at(1))) else { panic!("versions") };
    assert_eq!(all.iter().map(|one| one.body.as_str()).collect::<Vec<_>>(), ["body 1", "second", "third"]);
    commit(&store, vec![said(vec![change(8, "bob", Content::delete(id(1)))])]);
    assert_eq!(ask(Wanted::Revisions(at(1))), LookupFound::Revisions(Vec::new()), "nothing is left of it");
    assert_eq!(ask(Wanted::Pins), LookupFound::Pins(Vec::new()));
}
