//! What a person would notice of searching: what is there is found, nothing else is, and nothing that is said of it is
//! untrue.

use super::super::schema::SCHEMA;
use super::super::search::index;
use super::*;
use crate::model::content::Content;
use crate::model::event::ChatEvent;
use crate::model::id::Offset;
use crate::model::search::{End, Found, HitPlace, PAGE, Patience, Query, Scope, Search, Term};
use crate::model::time::WallMs;
use crate::store::migrate::{self, Schema};

const DAY: i64 = 24 * 3_600_000;

fn said(offset: u64, room: &str, by: &str, body: &str) -> Entry {
    let mut entry = entry(offset, by, offset);
    entry.draft.room = RoomId::new(room).unwrap();
    entry.sender.name = by.to_owned();
    entry.draft.content = Content::text(body);
    entry.received = WallMs(1_700_000_000_000 + offset as i64 * 1_000);
    entry
}

fn heard(entries: Vec<Entry>) -> Write {
    Write::Event(Event::Chat(ChatEvent::Entries { entries, live: true }))
}

/// A store in which these were said in `general`, one after the other.
fn with(bodies: &[&str]) -> (tempfile::TempDir, ClientStore) {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let entries = (1..).zip(bodies).map(|(offset, body)| said(offset, "general", "Bob", body)).collect();
    commit(&store, vec![welcomed(0), started(1, 1, LogRestart::First), heard(entries)]);
    (dir, store)
}

fn words(text: &str) -> Query {
    let terms = text.split(' ').filter_map(|word| Term::new(word, false)).collect();
    Query { terms, ..Query::default() }
}

fn everywhere(query: Query) -> Search {
    Search { number: 9, query, scope: Scope::Everywhere, behind: None, patience: Patience::Thorough }
}

fn ask(store: &ClientStore, search: Search) -> Found {
    wait(store.search(search)).unwrap().unwrap()
}

fn offsets_of(found: &Found) -> Vec<u64> {
    let offset = |hit: &crate::model::search::Hit| match hit.place {
        HitPlace::Logged(position) => position.offset.0,
        HitPlace::Outbox => 0,
    };
    found.hits.iter().map(offset).collect()
}

fn found(store: &ClientStore, text: &str) -> Vec<u64> {
    offsets_of(&ask(store, everywhere(words(text))))
}

/// Waits until all that was there before the index is in it.
fn wait_for_index(store: &ClientStore) {
    let mut indexed = store.indexed();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let done = indexed.wait_for(Option::is_none);
        tokio::time::timeout(std::time::Duration::from_secs(60), done).await.unwrap().unwrap();
    });
}

/// Brings the index up to the newest message.
fn catch_up(keeper: &mut crate::store::client::held::ClientWriter) {
    while index::take_in(keeper.db.as_mut().unwrap(), 100, &|| false).unwrap() {}
}

/// Takes the grams of all but the first messages out of the index again, as if it had not come so far yet.
fn set_back(store: &ClientStore, to: i64) {
    let (tell, told) = std::sync::mpsc::sync_channel(1);
    with_keeper(store, move |keeper| {
        catch_up(keeper);
        let db = keeper.db.as_ref().unwrap();
        db.execute(
            "DELETE FROM search WHERE rowid IN (SELECT key FROM search_entry WHERE message > ?1)",
            [to],
        )
        .unwrap();
        db.execute("UPDATE search_state SET since = ?1", [to]).unwrap();
        tell.send(()).unwrap();
    });
    told.recv().unwrap();
}

#[test]
fn korean_and_english_are_found_as_people_look_for_them() {
    let nfd = "\u{110b}\u{1169}\u{11ab}\u{1109}\u{1175}\u{11af}"; // 온실, letter by letter
    let (_dir, store) = with(&[
        "온실에서 물이 샌다",
        "새온실 펌프 교체",
        "Greenhouse PUMP runs",
        "compute the rest",
        &format!("{nfd}은 조용하다"),
        "lift off 🚀",
        "온도만 실험실에서",
        "a café, thirty-five metres",
    ]);
    assert_eq!(found(&store, "온실"), [5, 2, 1], "inside words, with particles, however it is encoded");
    assert_eq!(found(&store, nfd), [5, 2, 1]);
    assert_eq!(found(&store, "온실에서"), [1]);
    assert_eq!(found(&store, "물"), [1], "one syllable");
    assert_eq!(found(&store, "실"), [7, 5, 2, 1]);
    assert_eq!(found(&store, "pump"), [3], "case does not count");
    assert_eq!(found(&store, "house"), [3], "inside a word");
    assert_eq!(found(&store, "pu"), [3], "two letters begin a word: not compute");
    assert_eq!(found(&store, "p"), [3]);
    assert_eq!(found(&store, "🚀"), [6]);
    assert_eq!(found(&store, "CAFE"), [8]);
    assert_eq!(found(&store, "five met"), [8]);
    assert_eq!(found(&store, "pump 온실"), [0; 0], "each word has to be there");
    assert_eq!(found(&store, "온실 펌프"), [2]);
    assert_eq!(found(&store, ","), [8], "what no index knows is looked through");
    let hit = &ask(&store, everywhere(words("물이"))).hits[0];
    let shown: Vec<_> = hit.excerpt.iter().map(|piece| (piece.text.as_str(), piece.marked)).collect();
    assert_eq!(shown, [("온실에서 ", false), ("물이", true), (" 샌다", false)]);
    assert_eq!((hit.connection, hit.room.as_str(), hit.sender.name.as_str()), (C, "general", "Bob"));
}

#[test]
fn filters_narrow_it_down() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut entries = vec![
        said(1, "general", "Mina Kim", "valve"),
        said(2, "온실", "Mina Kim", "valve"),
        said(3, "general", "Bob", "valve"),
        said(4, "general", "Jasmina", "valve"),
        said(5, "general", "me", "valve"),
    ];
    entries[3].received += 2 * DAY;
    entries[4].received += 4 * DAY;
    commit(&store, vec![welcomed(0), started(1, 1, LogRestart::First), heard(entries.clone())]);
    let with = |change: &dyn Fn(&mut Search)| {
        let mut search = everywhere(words("valve"));
        change(&mut search);
        ask(&store, search)
    };
    let offsets = |change: &dyn Fn(&mut Search)| offsets_of(&with(change));
    assert_eq!(offsets(&|search| search.query.from = vec!["mina".into()]), [2, 1], "not Jasmina");
    assert_eq!(offsets(&|search| search.query.from = vec!["kim".into(), "bob".into()]), [3, 2, 1]);
    assert_eq!(offsets(&|search| search.query.from = vec!["mina kim".into()]), [2, 1]);
    assert_eq!(offsets(&|search| search.query.from = vec!["me".into()]), [5]);
    assert_eq!(offsets(&|search| search.query.rooms = vec!["온".into()]), [2]);
    assert_eq!(offsets(&|search| search.scope = Scope::Room(C, general())), [5, 4, 3, 1]);
    assert_eq!(offsets(&|search| search.query.after = Some(entries[3].received)), [5, 4]);
    assert_eq!(offsets(&|search| search.query.before = Some(entries[3].received)), [3, 2, 1]);
    assert_eq!(offsets(&|search| search.query.terms = vec![]), [5, 4, 3, 2, 1], "the whole of it");
    assert_eq!(
        offsets(&|search| {
            search.query.terms = vec![];
            search.query.from = vec!["bob".into()];
        }),
        [3]
    );
    let nobody = with(&|search| search.query.from = vec!["zoe".into()]);
    assert!(nobody.nobody && nobody.hits.is_empty() && nobody.end == End::Complete);
    assert!(with(&|search| search.query.rooms = vec!["attic".into()]).no_room);
}

#[test]
fn the_newest_come_first_whenever_they_were_received_here_and_pages_join() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    commit(&store, vec![welcomed(500), started(1, 301, LogRestart::First)]);
    let all = |from: u64, to: u64| (from..=to).map(|n| said(n, "general", "Bob", "pump")).collect::<Vec<_>>();
    commit(&store, vec![heard(all(301, 320))]);
    // A page of history comes later and is older.
    let history = Event::Chat(ChatEvent::History {
        room: general(),
        before: Offset(301),
        entries: all(241, 300),
        complete: false,
    });
    commit(&store, vec![Write::Event(history)]);
    let first = ask(&store, everywhere(words("pump")));
    assert_eq!(first.hits.len(), PAGE);
    assert_eq!((first.end, first.more_at_hub), (End::More, true));
    let rest = ask(&store, Search { behind: first.next, ..everywhere(words("pump")) });
    assert_eq!(rest.end, End::Complete);
    let mut seen = offsets_of(&first);
    seen.extend(offsets_of(&rest));
    let expected: Vec<u64> = (241..=320).rev().collect();
    let mut sorted = seen.clone();
    sorted.sort_unstable_by(|a, b| b.cmp(a));
    assert_eq!(sorted, expected, "each once");
    // What comes within the same few seconds may stand in the order in which it was received.
    assert!(seen.iter().zip(&expected).all(|(is, should)| is.abs_diff(*should) <= 10), "{seen:?}");
}

#[test]
fn more_messages_at_one_moment_than_it_has_places_are_all_found() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut entries: Vec<Entry> = (1..=700).map(|n| said(n, "general", "Bob", "flood")).collect();
    entries.iter_mut().for_each(|entry| entry.received = WallMs(1_700_000_000_000));
    commit(&store, vec![welcomed(0), started(1, 1, LogRestart::First), heard(entries)]);
    let mut query = words("flood");
    query.before = Some(WallMs(1_700_000_000_001));
    query.after = Some(WallMs(1_700_000_000_000));
    let (mut count, mut behind) = (0, None);
    loop {
        let page = ask(&store, Search { behind, ..everywhere(query.clone()) });
        count += page.hits.len();
        behind = page.next;
        if page.end == End::Complete {
            break;
        }
    }
    assert_eq!(count, 700);
}

#[test]
fn what_is_gone_is_not_found() {
    let (_dir, store) = with(&["leak one", "leak two"]);
    let log =
        vec![welcomed(0), started(1, 1, LogRestart::First), heard(vec![said(1, "general", "Zoe", "leak")])];
    wait(store.commit(ConnectionId(8), log));
    assert_eq!(found(&store, "leak").len(), 3);
    // The log begins anew, and holds another message at this place.
    let again = vec![said(1, "general", "Bob", "dry"), said(2, "general", "Bob", "leak two")];
    commit(&store, vec![started(2, 1, LogRestart::EpochChanged), heard(again)]);
    assert_eq!(found(&store, "dry").len(), 1);
    assert_eq!(found(&store, "leak").len(), 2, "the one that it replaced, and the one that moved");
    wait(store.commit(ConnectionId(8), vec![Write::RemoveConnection]));
    assert_eq!(found(&store, "leak").len(), 1, "before it is purged");
    let mut from_zoe = everywhere(words("leak"));
    from_zoe.query.from = vec!["zoe".into()];
    assert!(ask(&store, from_zoe).nobody);
    let (tell, told) = std::sync::mpsc::sync_channel(1);
    with_keeper(&store, move |keeper| {
        catch_up(keeper);
        let db = keeper.db.as_ref().unwrap();
        while write::purge(db, 10).unwrap() {}
        let count = |table| -> i64 {
            db.query_row(&format!("SELECT count(*) FROM {table}"), (), |row| row.get(0)).unwrap()
        };
        tell.send((count("message"), count("search_entry"), count("search_docsize"))).unwrap();
    });
    assert_eq!(told.recv().unwrap(), (2, 2, 2), "and it leaves the index");
}

/// A database as the first version left it, with so many messages.
pub(super) fn first_version(dir: &Path, messages: i64) {
    let first = Schema { steps: &SCHEMA.steps[..1], ..SCHEMA };
    let db = migrate::open(&dir.join(FILE), &first).unwrap();
    db.execute_batch(
        "INSERT INTO connection (id, me_id, me_kind, me_name, era, era_from, era_has_entries)
             VALUES (7, 'me', 'person', 'Me', 1, 1, 1);
         INSERT INTO room (id, connection, name, start_known) VALUES (1, 7, 'general', 1);
         INSERT INTO sender (id, connection, principal) VALUES (1, 7, 'bob');",
    )
    .unwrap();
    let filling = db.unchecked_transaction().unwrap();
    let mut insert = db.prepare("INSERT INTO message VALUES (1, 1, ?1, 1, 'Bob', ?2, 0, ?3, ?4)").unwrap();
    for number in 1..=messages {
        let body = if number == 1 { "온실에서 시작".to_owned() } else { format!("message {number}") };
        let (id, at) = (id(number as u64), 1_700_000_000_000 + number * 1_000);
        insert.execute(rusqlite::params![number, id.0.as_bytes(), at, body]).unwrap();
    }
    filling.commit().unwrap();
}

#[test]
fn messages_from_before_the_index_come_into_it_by_themselves() {
    let dir = tempfile::tempdir().unwrap();
    first_version(dir.path(), 3_000);
    let store = open(dir.path());
    assert!(store.indexed().borrow().is_some(), "it says so meanwhile");
    // New ones are found at once, and commits go on.
    commit(&store, vec![welcomed(0), started(2, 1, LogRestart::EpochChanged)]);
    commit(&store, vec![heard(vec![said(1, "general", "Mina", "펌프 새로 설치")])]);
    assert_eq!(found(&store, "펌프"), [1]);
    wait_for_index(&store);
    assert_eq!(found(&store, "온실"), [1], "the oldest, too");
    assert_eq!(found(&store, "2999"), [2999]);
    assert_eq!(found(&store, "message").len(), PAGE);
}

#[test]
fn indexing_goes_on_after_a_crash_where_it_was() {
    let dir = tempfile::tempdir().unwrap();
    first_version(dir.path(), 2_000);
    let store = open(dir.path());
    let (tell, told) = std::sync::mpsc::sync_channel(1);
    let crash = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().to_owned(), crash.path().to_owned());
    with_keeper(&store, move |keeper| {
        let percent = index::take_in_old(keeper.db.as_mut().unwrap(), 100).unwrap();
        // What a killed process leaves behind.
        for file in ["client.db", "client.db-wal"] {
            std::fs::copy(from.join(file), to.join(file)).unwrap();
        }
        tell.send(percent).unwrap();
    });
    let percent = told.recv().unwrap().unwrap();
    assert!((5..100).contains(&percent), "{percent}");
    let store = open(crash.path());
    assert!(store.indexed().borrow().is_some_and(|now| now >= percent));
    wait_for_index(&store);
    assert_eq!(found(&store, "온실"), [1]);
    let mut numbers = everywhere(words("message"));
    let mut count = 0;
    loop {
        let page = ask(&store, numbers.clone());
        count += page.hits.len();
        numbers.behind = page.next;
        if page.end == End::Complete {
            break;
        }
    }
    assert_eq!(count, 1_999, "each once");
}

#[test]
fn a_damaged_index_is_made_anew_and_no_message_is_lost() {
    let (_dir, store) = with(&["온실에서", "온실은", "pump"]);
    let (tell, told) = std::sync::mpsc::sync_channel(1);
    with_keeper(&store, move |keeper| {
        catch_up(keeper);
        let db = keeper.db.as_ref().unwrap();
        db.execute("UPDATE search_data SET block = x'0000000300000000' WHERE id > 10", ()).unwrap();
        tell.send(()).unwrap();
    });
    told.recv().unwrap();
    // Whoever comes upon it first.
    let refused = wait(store.search(everywhere(words("온실"))));
    assert!(matches!(refused, Err(StoreError::IndexDamaged)), "{refused:?}");
    commit(&store, vec![heard(vec![said(4, "general", "Bob", "온실에")])]);
    wait_for_index(&store);
    let mut seen = found(&store, "온실");
    seen.sort_unstable();
    assert_eq!(seen, [1, 2, 4]);
    assert_eq!(store.health().borrow().set_aside, None);
    assert_eq!(offsets(&load(&store)), [1, 2, 3, 4]);
}

#[test]
fn a_newer_search_ends_an_older_one() {
    let (_dir, store) = with(&["one"]);
    let (older, newer) = wait(async {
        let (hold, held) = std::sync::mpsc::sync_channel::<()>(2);
        let held = Arc::new(std::sync::Mutex::new(held));
        let keep_busy = || {
            let held = Arc::clone(&held);
            store.read(move |_| {
                held.lock().unwrap().recv().unwrap();
                Ok(())
            })
        };
        // Both readers are busy: the searches wait, one behind the other.
        let (first, second) = (keep_busy(), keep_busy());
        let (older, newer) = (store.search(everywhere(words("one"))), store.search(everywhere(words("one"))));
        let go = async {
            tokio::task::yield_now().await;
            hold.send(()).unwrap();
            hold.send(()).unwrap();
        };
        let (_, _, older, newer, ()) = tokio::join!(first, second, older, newer, go);
        (older.unwrap(), newer.unwrap())
    });
    assert_eq!(older, None);
    assert_eq!(newer.unwrap().hits.len(), 1);
}

#[test]
fn a_day_is_found_in_a_room_or_it_is_said_that_there_is_none() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let at = |offset: u64| 1_700_000_000_000 + offset as i64 * DAY;
    let on = |offset: u64, room: &str| {
        let mut entry = said(offset, room, "Bob", "x");
        entry.received = WallMs(at(offset));
        entry
    };
    let entries: Vec<Entry> =
        (11..=60).map(|n| on(n, if n % 7 == 0 { "attic" } else { "general" })).collect();
    commit(&store, vec![welcomed(60), started(1, 11, LogRestart::First), heard(entries)]);
    commit(&store, vec![started(2, 70, LogRestart::EpochChanged), heard(vec![on(70, "general")])]);
    let first = |at| wait(store.first_at(C, general(), at)).unwrap();
    let place = |at| first(at).first.map(|(position, _)| (position.era, position.offset.0));
    assert_eq!(place(WallMs(at(20))), Some((1, 20)));
    assert_eq!(place(WallMs(at(20) + 1)), Some((1, 22)), "21 is in another room");
    assert_eq!(place(WallMs(at(0))), Some((1, 11)));
    assert_eq!(place(WallMs(at(61))), Some((2, 70)), "across a gap");
    assert_eq!((place(WallMs(at(71))), first(WallMs(at(71))).newest), (None, Some(WallMs(at(70)))));
    let nowhere = wait(store.first_at(C, RoomId::new("cellar").unwrap(), WallMs(0))).unwrap();
    assert_eq!(nowhere, FirstAt::default());
}

#[test]
fn messages_of_one_moment_and_of_impossible_ones_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let at = |offset, received, body: &str| Entry { received, ..said(offset, "general", "Bob", body) };
    let many = 30_000;
    let mut entries: Vec<Entry> =
        (1..=many).map(|offset| at(offset, WallMs(1_700_000_000_000), "flood")).collect();
    entries.push(at(many + 1, WallMs(i64::MAX), "never"));
    entries.push(at(many + 2, WallMs(i64::MIN), "before time"));
    entries.push(at(many + 3, WallMs(1_700_000_000_000), "needle"));
    commit(&store, vec![welcomed(0), started(1, 1, LogRestart::First), heard(entries)]);
    assert_eq!(found(&store, "needle"), [many + 3]);
    assert_eq!(found(&store, "never"), [many + 1]);
    assert_eq!(found(&store, "before"), [many + 2]);
    let day = |after, before| {
        let query = Query { after, before, ..words("needle") };
        offsets_of(&ask(&store, everywhere(query)))
    };
    assert_eq!(day(Some(WallMs(1_700_000_000_000 - DAY)), Some(WallMs(1_700_000_000_000 + DAY))), [many + 3]);
    assert!(day(None, Some(WallMs(1_700_000_000_000 - DAY))).is_empty());
    assert_eq!(day(Some(WallMs(i64::MIN)), Some(WallMs(i64::MAX))), [many + 3]);
}

#[test]
fn what_the_index_has_not_come_to_yet_is_found_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let rooms = ["general", "attic"];
    let by = ["Mina", "Bob", "Zoe"];
    let entries: Vec<Entry> =
        (1..=120_u64).map(|n| said(n, rooms[n as usize % 2], by[n as usize % 3], "the pump")).collect();
    commit(&store, vec![welcomed(0), started(1, 1, LogRestart::First), heard(entries)]);
    let all = |search: &Search| {
        let (mut search, mut offsets) = (search.clone(), Vec::new());
        loop {
            let page = ask(&store, search.clone());
            offsets.extend(offsets_of(&page));
            search.behind = page.next;
            if page.end == End::Complete {
                return offsets;
            }
        }
    };
    let mut from_zoe = everywhere(words("pump"));
    from_zoe.query.from = vec!["zoe".into()];
    let attic = Search { scope: Scope::Room(C, RoomId::new("attic").unwrap()), ..everywhere(words("pu")) };
    let mut early = everywhere(words("pump"));
    early.query.before = Some(WallMs(1_700_000_000_000 + 100_000));
    let searches = [everywhere(words("pump")), everywhere(words("qq")), from_zoe, attic, early];
    let expected: Vec<Vec<u64>> = searches.iter().map(all).collect();
    assert_eq!(expected.iter().map(Vec::len).collect::<Vec<_>>(), [120, 0, 40, 60, 99]);
    for to in [0, 60, 119, 120] {
        set_back(&store, to);
        for (search, expected) in searches.iter().zip(&expected) {
            assert_eq!(all(search), *expected, "set back to {to}");
        }
    }
    set_back(&store, 100);
    commit(&store, vec![heard(vec![said(121, "general", "Ann", "the pump")])]);
    assert_eq!(found(&store, "pump")[0], 121);
    with_keeper(&store, catch_up);
    assert_eq!(all(&searches[0]).len(), 121);
}

#[test]
fn a_message_that_takes_the_place_of_the_newest_one_is_found() {
    let (_dir, store) = with(&["one", "two"]);
    with_keeper(&store, catch_up);
    let again = Entry { offset: Offset(1), ..said(2, "general", "Bob", "two") };
    commit(&store, vec![started(2, 1, LogRestart::EpochChanged), heard(vec![again])]);
    commit(&store, vec![heard(vec![Entry { offset: Offset(2), ..said(3, "general", "Bob", "three") }])]);
    with_keeper(&store, catch_up);
    assert_eq!((found(&store, "two"), found(&store, "three")), (vec![1], vec![2]));
}

#[test]
fn messages_with_a_file_are_found_by_that() {
    use crate::model::file::{FileHash, FileId, FileInfo};
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let file = FileInfo {
        id: FileId::from_random([1; 16]),
        name: "pump.log".into(),
        size: 5,
        sha256: FileHash([1; 32]),
        media_type: String::new(),
        width: None,
        height: None,
    };
    let mut with_file = said(2, "general", "Bob", "pump.log (5 B)");
    with_file.draft.content = with_file.draft.content.with_file(&file);
    let entries = vec![said(1, "general", "Bob", "the pump.log is long"), with_file];
    commit(&store, vec![welcomed(0), started(1, 1, LogRestart::First), heard(entries)]);
    assert_eq!(found(&store, "pump"), [2, 1]);
    let query = Query { has_file: true, ..words("pump") };
    assert_eq!(offsets_of(&ask(&store, everywhere(query))), [2]);
    let any = Query { has_file: true, ..Query::default() };
    assert_eq!(offsets_of(&ask(&store, everywhere(any))), [2], "without words");
}

/// What is in the database and its write-ahead log.
fn on_disk(dir: &Path) -> Vec<u8> {
    ["client.db", "client.db-wal"].map(|file| std::fs::read(dir.join(file)).unwrap_or_default()).concat()
}

#[test]
fn the_words_of_a_deleted_message_leave_the_index() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    commit(&store, vec![welcomed(0), started(1, 1, LogRestart::First)]);
    // A letter of its own, so that no other gram hides it.
    let body = |n| if n == 700 { "rare 龘 letter".to_owned() } else { format!("message {n} of many") };
    for first in [1, 501, 1_001] {
        let entries = (first..first + 500).map(|n| said(n, "general", "Bob", &body(n))).collect();
        commit(&store, vec![heard(entries)]);
    }
    // It is in one large segment, of which hardly anything is deleted.
    let (tell, told) = std::sync::mpsc::sync_channel(1);
    with_keeper(&store, move |keeper| {
        catch_up(keeper);
        let db = keeper.db.as_ref().unwrap();
        db.execute("INSERT INTO search (search) VALUES ('optimize')", ()).unwrap();
        tell.send(()).unwrap();
    });
    told.recv().unwrap();
    std::fs::write(dir.path().join("client.db.before-v3"), "龘").unwrap();
    let letter = "龘".as_bytes();
    let is_there = || on_disk(dir.path()).windows(letter.len()).any(|window| window == letter);
    assert!(is_there());
    let mut delete = said(1_501, "general", "Bob", "");
    delete.draft.content = Content::delete(id(700)).with_target_offset(Some(Offset(700)));
    commit(&store, vec![heard(vec![delete])]);
    assert!(!dir.path().join("client.db.before-v3").exists(), "it was in the copy of an earlier version");
    let begun = std::time::Instant::now();
    while is_there() {
        assert!(begun.elapsed() < std::time::Duration::from_secs(60), "it is still there");
        std::thread::yield_now();
    }
    assert_eq!(found(&store, "message").len(), PAGE, "the others are there");
    assert_eq!(found(&store, "1234"), [1234]);
}
