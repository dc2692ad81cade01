//! While the disk takes nothing, nothing that was typed is lost, and no hole is ever called received.

use std::fs;

use super::*;
use crate::model::content::Content;
use crate::model::event::{ChatEvent, Follows, Stored};
use crate::model::id::Offset;
use crate::store::client::held::ClientWriter;

pub(super) fn break_disk(store: &ClientStore, error: fn(&mut ClientWriter) -> Result<(), StoreError>) {
    with_keeper(store, move |keeper| keeper.fault = Some(error));
}

pub(super) fn mend_disk(store: &ClientStore) {
    with_keeper(store, |keeper| keeper.fault = None);
}

fn held(store: &ClientStore, writes: Vec<Write>) {
    assert_eq!(wait(store.commit(C, writes)), Commit::Held);
}

#[test]
fn a_full_disk_holds_writes_in_order_until_there_is_space() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    commit(&store, vec![welcomed(0), started(1, 1, LogRestart::First), entries(1, 3)]);
    with_keeper(&store, |keeper| {
        let db = keeper.db.as_ref().unwrap();
        let pages: i64 = db.query_row("PRAGMA page_count", (), |row| row.get(0)).unwrap();
        db.pragma_update(None, "max_page_count", pages).unwrap();
    });
    let large = |seq| {
        let mut large = item(seq);
        large.draft.content = Content::text("x".repeat(60_000));
        large
    };
    held(&store, vec![Write::Queue(large(1))]);
    held(&store, vec![entries(4, 6)]);
    held(&store, vec![Write::Queue(large(2))]);
    assert_eq!(store.health().borrow().trouble, Some(Banner::DiskFull));
    assert_eq!(load(&store).saved.log.resume.unwrap().offset, Offset(3));
    assert_eq!(load(&store).stored.outbox, [large(1), large(2)], "what is held is not missing");
    with_keeper(&store, |keeper| {
        keeper.db.as_ref().unwrap().pragma_update(None, "max_page_count", 1_000_000).unwrap();
    });
    commit(&store, vec![entries(7, 7)]);
    assert_eq!(*store.health().borrow(), Health::default());
    let loaded = load(&store);
    assert_eq!(offsets(&loaded), [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(loaded.saved.log.resume.unwrap().offset, Offset(7));
    assert_eq!(loaded.stored.outbox, [large(1), large(2)]);
}

#[test]
fn a_disk_that_became_read_only_is_tried_again_and_keeps_the_order() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    commit(&store, vec![Write::Queue(item(1))]);
    break_disk(&store, |_| Err(StoreError::Unwritable { detail: "read-only".into() }));
    held(&store, vec![Write::Queue(item(2))]);
    held(&store, vec![Write::Unqueue(item(1).draft.id), Write::Attempted(vec![item(2).draft.id])]);
    let trouble = Banner::DiskReadOnly { detail: "read-only".into() };
    assert_eq!(store.health().borrow().trouble, Some(trouble));
    let attempted = OutboxItem { delivery: Delivery::Attempted, ..item(2) };
    assert_eq!(load(&store).stored.outbox, std::slice::from_ref(&attempted), "what is held counts");
    mend_disk(&store);
    commit(&store, vec![Write::Queue(item(3))]);
    let outbox = load(&store).stored.outbox;
    assert_eq!(outbox, [attempted, item(3)]);
    assert_eq!(store.health().borrow().trouble, None);
}

/// Checks that a connection rebuilt from the disk and from held writes has the same outbox as once these writes are on disk.
fn outbox_is_the_same_while_held(before: Vec<Write>, held_then: Write, expected: &[OutboxItem]) {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    commit(&store, [vec![welcomed(0), started(1, 1, LogRestart::First)], before].concat());
    break_disk(&store, |_| Err(StoreError::Full));
    held(&store, vec![held_then]);
    let while_held = load(&store).stored;
    assert_eq!(while_held.outbox, expected);
    mend_disk(&store);
    commit(&store, vec![Write::Attempted(Vec::new())]);
    let saved = load(&store).stored;
    let unmade = |stored: &Stored| {
        let rooms = stored.rooms.iter().map(|room| (room.id.clone(), room.name.clone(), room.unmade));
        rooms.collect::<BTreeSet<_>>()
    };
    assert_eq!((&while_held.outbox, unmade(&while_held)), (&saved.outbox, unmade(&saved)));
}

fn acknowledged(item: &OutboxItem, follows: Follows) -> Write {
    let (offset, received) = (Offset(1), WallMs(0));
    Write::Event(Event::Chat(ChatEvent::Acknowledged { id: item.draft.id, offset, received, follows }))
}

#[test]
fn what_the_hub_takes_later_has_to_be_marked_again_though_the_disk_does_not_know_yet() {
    let attempted = OutboxItem { delivery: Delivery::Attempted, ..item(1) };
    let postponed = ChatEvent::Postponed { id: attempted.draft.id, unseen: true };
    outbox_is_the_same_while_held(
        vec![Write::Queue(attempted)],
        Write::Event(Event::Chat(postponed)),
        &[item(1)],
    );
}

#[test]
fn what_no_entry_follows_is_not_sent_again_though_the_disk_does_not_know_yet() {
    let attempted = OutboxItem { delivery: Delivery::Attempted, ..item(1) };
    let done = acknowledged(&attempted, Follows::Nothing);
    outbox_is_the_same_while_held(vec![Write::Queue(attempted), Write::Queue(item(2))], done, &[item(2)]);
}

#[test]
fn what_was_typed_into_a_room_that_was_there_already_goes_there_though_the_disk_does_not_know_yet() {
    let mut maker = OutboxItem { delivery: Delivery::Attempted, ..item(1) };
    maker.draft.room = maker.draft.id.into();
    maker.draft.content = Content::room(RoomName::new("attic").unwrap());
    let mut typed = item(2);
    typed.draft.room = maker.draft.room.clone();
    let there = RoomId::new("the other attic").unwrap();
    let mut moved = typed.clone();
    moved.draft.room = there.clone();
    let before = vec![Write::Queue(maker.clone()), Write::Queue(typed.clone())];
    let other = acknowledged(&maker, Follows::OtherRoom(there));
    outbox_is_the_same_while_held(before.clone(), other, &[moved]);
    let made = acknowledged(&maker, Follows::Nothing);
    outbox_is_the_same_while_held(before, made, &[typed]);
}

#[test]
fn that_a_server_has_a_message_is_never_let_go_where_no_entry_follows() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    commit(&store, vec![welcomed(0), started(1, 1, LogRestart::First)]);
    break_disk(&store, |_| Err(StoreError::Full));
    with_keeper(&store, |keeper| keeper.limit = 0);
    let attempted = OutboxItem { delivery: Delivery::Attempted, ..item(1) };
    held(&store, vec![Write::Queue(attempted.clone())]);
    held(&store, vec![acknowledged(&attempted, Follows::Nothing)]);
    mend_disk(&store);
    commit(&store, vec![Write::Queue(item(2))]);
    assert_eq!(load(&store).stored.outbox, [item(2)]);
}

#[test]
fn a_directory_that_cannot_be_made_is_made_later() {
    let dir = tempfile::tempdir().unwrap();
    let inside = dir.path().join("a-file").join("data");
    fs::write(dir.path().join("a-file"), "in the way").unwrap();
    let opened = ClientStore::open(&inside);
    assert!(matches!(opened.banners[..], [Banner::DiskReadOnly { .. }]), "{:?}", opened.banners);
    let store = opened.store;
    assert_eq!(load(&store), Loaded::default());
    held(&store, vec![Write::Queue(item(1))]);
    fs::remove_file(dir.path().join("a-file")).unwrap();
    commit(&store, vec![Write::Queue(item(2))]);
    assert_eq!(load(&store).stored.outbox, [item(1), item(2)]);
    drop(store);
    assert_eq!(load(&open(&inside)).stored.outbox, [item(1), item(2)]);
}

#[test]
fn what_waits_is_written_when_the_store_is_closed() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    break_disk(&store, |_| Err(StoreError::Full));
    held(&store, vec![Write::Queue(item(1))]);
    mend_disk(&store);
    drop(store);
    assert_eq!(load(&open(dir.path())).stored.outbox, [item(1)]);
}

#[test]
fn entries_that_there_is_no_room_for_come_again_and_the_resume_point_passes_no_hole() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    commit(&store, vec![welcomed(0), started(1, 1, LogRestart::First), entries(1, 2)]);
    break_disk(&store, |_| Err(StoreError::Full));
    with_keeper(&store, |keeper| keeper.limit = 2_000);
    held(&store, vec![entries(3, 4)]);
    held(&store, vec![entries(5, 40)]);
    held(&store, vec![Write::Queue(item(1))]);
    held(&store, vec![entries(41, 42)]);
    mend_disk(&store);
    held(&store, vec![entries(43, 43)]);
    assert_eq!(*store.health().borrow(), Health { behind: BTreeSet::from([C]), ..Health::default() });
    let loaded = load(&store);
    assert_eq!(loaded.saved.log.resume.unwrap().offset, Offset(4));
    assert_eq!(loaded.stored.outbox, [item(1)]);
    assert_eq!(offsets(&loaded), [1, 2, 3, 4]);
    commit(&store, vec![entries(5, 43)]);
    assert_eq!(offsets(&load(&store)), (1..=43).collect::<Vec<_>>());
    assert_eq!(*store.health().borrow(), Health::default());
}

#[test]
fn a_change_that_makes_no_sense_does_not_stop_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    commit(&store, vec![welcomed(0), started(1, 1, LogRestart::First)]);
    let impossible = OutboxItem { seq: u64::MAX, ..item(1) };
    held(&store, vec![Write::Queue(item(2)), Write::Queue(impossible)]);
    commit(&store, vec![Write::Queue(item(3))]);
    assert_eq!(load(&store).stored.outbox, [item(3)]);
    assert_eq!(store.health().borrow().trouble, None);
}

#[test]
fn what_servers_send_to_a_disk_that_takes_nothing_is_bounded() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    commit(&store, vec![welcomed(0), started(1, 1, LogRestart::First), entries(1, 2)]);
    break_disk(&store, |_| Err(StoreError::Full));
    with_keeper(&store, |keeper| keeper.limit = 20_000);
    for round in 0..200 {
        let from = 3 + round * 10;
        let read = |offset| Write::Event(Event::Chat(ChatEvent::ReadMarker { room: general(), offset }));
        held(&store, vec![entries(from, from + 9), read(Offset(from))]);
    }
    held(&store, vec![Write::Queue(item(1))]);
    with_keeper(&store, |keeper| {
        let bytes = keeper.held_bytes();
        assert!(bytes < 40_000, "{bytes} bytes");
    });
    mend_disk(&store);
    held(&store, vec![entries(3_000, 3_000)]);
    let loaded = load(&store);
    assert_eq!(loaded.stored.outbox, [item(1)], "what was typed is there");
    assert!(store.health().borrow().behind.contains(&C), "the rest comes again");
}

#[test]
fn a_disk_that_is_nearly_full_takes_what_is_typed_and_not_what_servers_send() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    commit(&store, vec![welcomed(0), started(1, 1, LogRestart::First), entries(1, 2)]);
    with_keeper(&store, |keeper| keeper.pretend_small(true));
    held(&store, vec![entries(3, 4)]);
    assert_eq!(store.health().borrow().trouble, Some(Banner::DiskLow));
    commit(&store, vec![Write::Queue(item(1))]);
    let loaded = load(&store);
    assert_eq!(offsets(&loaded), [1, 2]);
    assert_eq!(loaded.saved.log.resume.unwrap().offset, Offset(2));
    assert_eq!(loaded.stored.outbox, [item(1)]);
    with_keeper(&store, |keeper| keeper.pretend_small(false));
    commit(&store, vec![Write::Unqueue(item(1).draft.id)]);
    assert_eq!(store.health().borrow().trouble, None);
    assert!(store.health().borrow().behind.contains(&C), "what is missing comes again");
    commit(&store, vec![entries(3, 5)]);
    assert_eq!(offsets(&load(&store)), [1, 2, 3, 4, 5]);
    assert_eq!(*store.health().borrow(), Health::default());
}
