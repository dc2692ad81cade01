//! What is done for millions of messages changes nothing that a person would notice: each is there once, and what is unread
//! is counted exactly.

use super::super::{counts, write};
use super::search::first_version;
use super::*;
use crate::model::id::Offset;

/// Looks at what the writer has, and waits for what comes of it.
fn of_keeper<T: Send + 'static>(
    store: &ClientStore,
    look: impl FnOnce(&mut crate::store::client::held::ClientWriter) -> T + Send + 'static,
) -> T {
    let (tell, told) = std::sync::mpsc::sync_channel(1);
    with_keeper(store, move |keeper| tell.send(look(keeper)).unwrap());
    told.recv().unwrap()
}

fn rows(store: &ClientStore) -> (i64, i64) {
    of_keeper(store, |keeper| {
        let sql = "SELECT count(*), count(DISTINCT substr(id, -16)) FROM message";
        keeper.db.as_ref().unwrap().query_row(sql, (), |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
    })
}

/// As if so many messages had been there and gone.
fn skip_rows(store: &ClientStore, last: i64) {
    of_keeper(store, move |keeper| {
        keeper.db.as_ref().unwrap().execute("UPDATE message_state SET last_row = ?1", [last]).unwrap();
    });
}

/// As in the midst of a replay.
fn load_filters(store: &ClientStore) {
    of_keeper(store, |keeper| keeper.pretend_replay());
}

#[test]
fn a_message_is_there_once_in_whichever_stretch_of_rows_it_came_first() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    commit(&store, vec![welcomed(0), started(1, 1, LogRestart::First), entries(1, 10)]);
    skip_rows(&store, (1 << 18) - 5);
    commit(&store, vec![entries(11, 20)]);
    skip_rows(&store, (3 << 18) - 5);
    commit(&store, vec![entries(21, 30)]);
    let everything = (1..=30).collect::<Vec<_>>();
    for filtered in [false, true] {
        if filtered {
            load_filters(&store);
        }
        // The same again, at the same places.
        commit(&store, vec![entries(1, 30)]);
        assert_eq!((rows(&store), offsets(&load(&store))), ((30, 30), everything.clone()));
        // And at others: the log began anew.
        let epoch = 2 + u64::from(filtered);
        let moved = (1..=30).map(|offset| entry(offset, "bob", 31 - offset)).collect();
        let moved = Write::Event(Event::Chat(ChatEvent::Entries { entries: moved, live: true }));
        commit(&store, vec![started(epoch, 1, LogRestart::EpochChanged), moved]);
        assert_eq!((rows(&store), offsets(&load(&store))), ((30, 30), everything.clone()));
        skip_rows(&store, (5 << 18) - 5);
        commit(&store, vec![started(epoch + 10, 1, LogRestart::EpochChanged), entries(1, 30)]);
        assert_eq!((rows(&store), offsets(&load(&store))), ((30, 30), everything.clone()));
    }
    // What was typed and came back long ago does not go into the outbox again.
    let mut mine = entry(31, "me", 31);
    mine.draft.id = item(1).draft.id;
    let came = Write::Event(Event::Chat(ChatEvent::Entries { entries: vec![mine], live: true }));
    commit(&store, vec![came]);
    skip_rows(&store, (9 << 18) - 5);
    commit(&store, vec![Write::Queue(item(1)), entries(32, 40)]);
    let loaded = load(&store);
    assert_eq!(loaded.stored.outbox, []);
    let messages = &loaded.stored.rooms[0].messages;
    assert_eq!((messages.len(), messages[30].id), (40, item(1).draft.id));
}

#[test]
fn messages_of_an_earlier_version_are_not_doubled_by_a_new_log_that_holds_them() {
    let dir = tempfile::tempdir().unwrap();
    first_version(dir.path(), 1_000);
    let store = open(dir.path());
    commit(&store, vec![welcomed(0), started(2, 1, LogRestart::EpochChanged)]);
    load_filters(&store);
    commit(&store, vec![entries(1, 1_200)]);
    assert_eq!(rows(&store), (1_200, 1_200));
    assert_eq!(load(&store).stored.rooms[0].messages[0].id, id(1_101));
}

fn read(store: &ClientStore, room: &RoomId, offset: u64) -> u64 {
    let marker = Event::Chat(ChatEvent::ReadMarker { room: room.clone(), offset: Offset(offset) });
    commit(store, vec![Write::Event(marker)]);
    match wait(store.count_unread(C, room.clone())).unwrap() {
        Event::Chat(ChatEvent::Counted { unread, .. }) => unread,
        other => panic!("{other:?}"),
    }
}

fn count_again(store: &ClientStore) {
    of_keeper(store, |keeper| while counts::take_in_old(keeper.db.as_mut().unwrap(), 777).unwrap() {});
}

/// Every fifth is by the person, every third in another room.
fn spread(from: u64, to: u64, number: impl Fn(u64) -> u64) -> Write {
    let said = |offset| {
        let by = if offset % 5 == 0 { "me" } else { "bob" };
        let room = if offset % 3 == 0 { RoomId::new("attic").unwrap() } else { general() };
        let mut entry = entry(offset, by, number(offset));
        entry.draft.room = room;
        entry
    };
    let entries = (from..=to).map(said).collect();
    Write::Event(Event::Chat(ChatEvent::Entries { entries, live: false }))
}

/// Reads on in both rooms, step by step, and compares what is left with what it has to be.
fn check_unread(store: &ClientStore, from: u64, to: u64, last: u64) {
    let attic = RoomId::new("attic").unwrap();
    for offset in (from..=to).step_by(3_989) {
        let left = |in_attic: bool| {
            (offset + 1..=last).filter(|n| n % 5 != 0 && (n % 3 == 0) == in_attic).count() as u64
        };
        assert_eq!(read(store, &general(), offset), left(false), "after {offset}");
        assert_eq!(read(store, &attic, offset), left(true), "after {offset}, in the attic");
    }
}

#[test]
fn what_is_unread_is_counted_exactly_however_much_it_is() {
    const LAST: u64 = 40_000;
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let write = spread(1, LAST, |offset| offset);
    commit(&store, vec![welcomed(LAST), started(1, 1, LogRestart::First), write.clone()]);
    // Twice is once.
    commit(&store, vec![write]);
    check_unread(&store, 7, LAST, LAST);
    // Half of it comes again in another log, at other places; the rest stays where it was, and is read.
    let moved = spread(1, LAST / 2, |offset| offset + 5);
    commit(&store, vec![started(2, 1, LogRestart::EpochChanged), moved]);
    commit(&store, vec![spread(LAST / 2 + 1, LAST, |offset| offset + 1_000_000)]);
    check_unread(&store, 11, LAST - 10_000, LAST);
    // As a database is that knows no counts yet.
    of_keeper(&store, |keeper| counts::begin_anew(keeper.db.as_ref().unwrap(), C).unwrap());
    assert_eq!(read(&store, &general(), LAST - 9_000), 4_800, "those few are counted one by one");
    count_again(&store);
    check_unread(&store, LAST - 8_000, LAST, LAST);
    // Nothing is left of a connection that goes.
    wait(store.commit(C, vec![Write::RemoveConnection]));
    let left = of_keeper(&store, |keeper| {
        let db = keeper.db.as_ref().unwrap();
        while write::purge(db, 10_000).unwrap() {}
        db.query_row("SELECT count(*) FROM room_count", (), |row| row.get::<_, i64>(0)).unwrap()
    });
    assert_eq!(left, 0);
}

#[test]
fn rooms_of_an_earlier_version_are_counted_after_the_start() {
    let dir = tempfile::tempdir().unwrap();
    first_version(dir.path(), 30_000);
    let store = open(dir.path());
    of_keeper(&store, |keeper| {
        let db = keeper.db.as_ref().unwrap();
        db.execute("UPDATE room SET newest_era = 1, newest_offset = 30000", ()).unwrap();
    });
    count_again(&store);
    commit(&store, vec![welcomed(0)]);
    count_again(&store);
    assert_eq!(read(&store, &general(), 1_000), 29_000);
    assert_eq!(read(&store, &general(), 25_000), 5_000);
}
