//! Paging and jumping through a room.

use super::*;
use crate::model::content::Content;
use crate::model::event::ChatEvent;
use crate::model::id::Offset;

fn filled(dir: &Path) -> ClientStore {
    let store = open(dir);
    commit(&store, vec![welcomed(300), started(1, 101, LogRestart::First), entries(101, 300)]);
    store
}

fn shape(page: &Page) -> (Vec<u64>, bool, bool, bool) {
    let offsets = page.messages.iter().map(|message| message.position.offset.0).collect();
    (offsets, page.older_on_disk, page.older_on_hub, page.newer_on_disk)
}

fn at(offset: u64) -> Position {
    Position { era: 1, offset: Offset(offset) }
}

#[test]
fn pages_lie_next_to_each_other_and_know_what_is_beyond() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path());
    let page = |from, side, limit| shape(&wait(store.page(C, general(), at(from), side, limit)).unwrap());
    let run = |range: std::ops::RangeInclusive<u64>| range.collect::<Vec<_>>();
    assert_eq!(page(201, Side::Older, 50), (run(151..=200), true, false, true));
    assert_eq!(page(111, Side::Older, 10), (run(101..=110), false, true, true));
    assert_eq!(page(101, Side::Older, 10), (vec![], false, true, true));
    assert_eq!(page(200, Side::Newer, 50), (run(201..=250), true, false, true));
    assert_eq!(page(290, Side::Newer, 10), (run(291..=300), true, false, false));
    assert_eq!(page(300, Side::Newer, 10), (vec![], true, false, false));
    let elsewhere = wait(store.page(C, RoomId::new("elsewhere").unwrap(), at(5), Side::Older, 9)).unwrap();
    assert_eq!(shape(&elsewhere), (vec![], false, false, false));
}

#[test]
fn jumps_land_in_the_middle_of_a_page() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path());
    let jump = |jump| shape(&wait(store.jump(C, general(), jump, 10)).unwrap());
    let run = |range: std::ops::RangeInclusive<u64>| range.collect::<Vec<_>>();
    assert_eq!(jump(Jump::Start), (run(101..=110), false, true, true));
    assert_eq!(jump(Jump::End), (run(291..=300), true, false, false));
    assert_eq!(jump(Jump::To(at(200))), (run(195..=204), true, false, true));
    assert_eq!(jump(Jump::To(at(102))), (run(101..=110), false, true, true));
    assert_eq!(jump(Jump::To(at(299))), (run(291..=300), true, false, false));
    assert_eq!(jump(Jump::To(at(999))), (run(291..=300), true, false, false));
}

#[test]
fn a_message_is_found_by_its_id_in_its_room_alone() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path());
    let find = |room, number| wait(store.find_message(C, room, id(number))).unwrap();
    assert_eq!(find(general(), 150), Some(at(150)));
    assert_eq!(find(general(), 9_999), None);
    assert_eq!(find(RoomId::new("elsewhere").unwrap(), 150), None);
    let loaded = wait(store.load(C)).unwrap();
    assert_eq!(loaded.stored.epoch, Some(Epoch(1)), "links recognize the server by its log");
}

#[test]
fn history_goes_before_what_is_there_and_never_leaves_a_hole() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path());
    let history = |before, from: u64, to: u64, complete| {
        let entries = (from..=to).map(|offset| entry(offset, "bob", offset)).collect();
        Write::Event(Event::Chat(ChatEvent::History { room: general(), before, entries, complete }))
    };
    let oldest = || shape(&wait(store.jump(C, general(), Jump::Start, 5)).unwrap());
    commit(&store, vec![history(Offset(51), 41, 50, false)]);
    assert_eq!(oldest(), ((101..=105).collect(), false, true, true), "it does not lie next to anything");
    commit(&store, vec![history(Offset(101), 51, 100, false), history(Offset(101), 51, 100, false)]);
    assert_eq!(oldest(), ((51..=55).collect(), false, true, true));
    commit(&store, vec![history(Offset(51), 40, 50, true)]);
    assert_eq!(oldest(), ((40..=44).collect(), false, false, true));
    let loaded = load(&store);
    let room = &loaded.stored.rooms[0];
    assert_eq!((room.unread, room.newest), (200, at(300)));
    assert_eq!(loaded.saved.log.resume.unwrap().offset, Offset(300));
}

#[test]
fn a_page_of_large_messages_ends_early() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let large = |offset| {
        let mut large = entry(offset, "bob", offset);
        large.draft.content = Content::text("가".repeat(20_000));
        large
    };
    let entries = (1..=50).map(large).collect();
    commit(&store, vec![welcomed(0), started(1, 1, LogRestart::First)]);
    commit(&store, vec![Write::Event(Event::Chat(ChatEvent::Entries { entries, live: false }))]);
    let page = wait(store.jump(C, general(), Jump::End, 50)).unwrap();
    assert_eq!(page.messages.len(), 18);
    assert_eq!(page.messages.last().unwrap().position, at(50));
    assert!(page.older_on_disk);
}

#[test]
fn unread_counts_are_exact_up_to_a_limit_and_then_still_near() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    commit(&store, vec![welcomed(0), started(1, 1, LogRestart::First), entries(1, 12_000)]);
    let read = |offset| {
        commit(&store, vec![Write::Event(Event::Chat(ChatEvent::ReadMarker { room: general(), offset }))]);
        match wait(store.count_unread(C, general())).unwrap() {
            Event::Chat(ChatEvent::Counted { read, newest, unread, mentions: 0, .. }) => {
                (read, newest, unread)
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(read(Offset(0)), (at(0), at(12_000), 12_000));
    assert_eq!(read(Offset(500)), (at(500), at(12_000), 11_500));
    assert_eq!(read(Offset(2_500)), (at(2_500), at(12_000), 9_500));
    assert_eq!(read(Offset(100)), (at(2_500), at(12_000), 9_500), "a marker never goes back");
    assert_eq!(read(Offset(u64::MAX)).2, 0);
}

#[test]
fn mentions_are_counted_apart_and_outlive_the_program() {
    let dir = tempfile::tempdir().unwrap();
    let said = |offset, sender: &str, body: &str| {
        let mut said = entry(offset, sender, offset);
        said.draft.content = Content::text(body);
        said
    };
    let entries = vec![
        said(1, "bob", "hi @me"),
        said(2, "bob", "nothing"),
        said(3, "bob", "@ME, look"),
        said(4, "me", "I am @me"),
        said(5, "bob", "@meadow"),
    ];
    let counts = |store: &ClientStore| {
        let loaded = load(store);
        (loaded.stored.rooms[0].unread, loaded.stored.rooms[0].mentions)
    };
    let read = |store: &ClientStore, offset| {
        commit(store, vec![Write::Event(Event::Chat(ChatEvent::ReadMarker { room: general(), offset }))]);
    };
    {
        let store = open(dir.path());
        commit(&store, vec![welcomed(0), started(1, 1, LogRestart::First)]);
        commit(&store, vec![Write::Event(Event::Chat(ChatEvent::Entries { entries, live: true }))]);
        assert_eq!(counts(&store), (4, 2));
        read(&store, Offset(1));
        assert_eq!(counts(&store), (3, 1));
    }
    let store = open(dir.path());
    assert_eq!(counts(&store), (3, 1));
    read(&store, Offset(5));
    assert_eq!(counts(&store), (0, 0));
}
