//! Whatever is damaged, what can be read is saved, in order, and the result is a whole log.

use std::fs;

use super::*;
use crate::model::id::Offset;
use crate::model::time::WallMs;
use crate::store::hub::Anew;

const PAGE: usize = 4096;
const MESSAGES: u64 = 300;

/// A log of many pages, closed, and how its file is.
fn lived() -> (tempfile::TempDir, Vec<u8>) {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    append(&store, room("workshop", 1));
    append(&store, room("empty", 2));
    for number in 0..MESSAGES {
        let sender = ["ann", "bob", "cec"][number as usize % 3];
        let body =
            format!("{number} {}", "m".repeat(number as usize * 37 % 2_000 + number as usize / 290 * 9_000));
        let name = if number % 2 == 0 { "general" } else { "workshop" };
        let room = RoomId::new(name).unwrap();
        let mut message = message(sender, 10 + number, &body);
        message.draft.room = room;
        append(&store, message);
    }
    for (number, id) in ["ann", "bob", "cec"].into_iter().enumerate() {
        let who = Principal {
            id: PrincipalId(id.into()),
            kind: PrincipalKind::Person,
            name: id.to_uppercase(),
            role: None,
        };
        wait(store.create_principal(who, [number as u8; 32])).unwrap();
        wait(store.set_read(PrincipalId(id.into()), RoomId::general(), Offset(100 + number as u64))).unwrap();
        wait(store.change(invite(10 + number as u8, PrincipalKind::Device), WallMs(1))).unwrap().unwrap();
    }
    drop(store);
    let whole = fs::read(dir.path().join(FILE)).unwrap();
    (dir, whole)
}

pub(super) fn repair(dir: &Path) -> Result<crate::store::hub::Repaired, StoreError> {
    let mut next = 0;
    let mut new_id = || {
        next += 1;
        MessageId(uuid::Uuid::from_u64_pair(next, 77))
    };
    HubStore::repair(dir, Anew { epoch: Epoch(9), now: WallMs(5), new_id: &mut new_id })
}

fn put(dir: &Path, bytes: &[u8]) {
    for entry in fs::read_dir(dir).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    fs::write(dir.join(FILE), bytes).unwrap();
}

/// Repairs, and returns what is in the log then, which is a whole one.
fn repaired(dir: &Path, damaged: &[u8], what: &str) -> Vec<Entry> {
    put(dir, damaged);
    let done = repair(dir).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(fs::read(&done.aside).unwrap() == damaged, "{what}: set aside, and whole");
    let found = HubStore::check(dir);
    assert!(found.is_sound(), "{what}: {found:?}");
    let store = HubStore::open(dir, Epoch(1), WallMs(0), id(999)).unwrap();
    assert_eq!(store.epoch(), Epoch(9), "{what}");
    let all = all(&store);
    let offsets: Vec<_> = all.iter().map(|entry| entry.offset.0).collect();
    assert_eq!(offsets, (1..=all.len() as u64).collect::<Vec<_>>(), "{what}: gapless");
    let mut made = BTreeSet::new();
    for entry in &all {
        match entry.draft.content {
            Content::Room { .. } => {
                assert!(made.insert(entry.draft.room.clone()), "{what}: {} is made once", entry.draft.room)
            }
            _ => assert!(
                made.contains(&entry.draft.room),
                "{what}: {} is made before it is used",
                entry.draft.room
            ),
        }
    }
    assert!(made.contains(&RoomId::general()), "{what}");
    let numbers: Vec<u64> = numbers(&all);
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{what}: in their order, each once");
    // It goes on.
    assert!(matches!(append(&store, message("ann", 5_000, "more")), Appended::New(_)), "{what}");
    all
}

fn numbers(all: &[Entry]) -> Vec<u64> {
    let messages = all.iter().filter(|entry| entry.draft.content.is_text());
    messages.map(|entry| entry.draft.content.body().split(' ').next().unwrap().parse().unwrap()).collect()
}

#[test]
fn any_page_may_be_damaged() {
    let (_dir, whole) = lived();
    let pages = whole.len() / PAGE;
    assert!(pages > 80, "{pages}");
    let dir = tempfile::tempdir().unwrap();
    let noise: Vec<u8> = (0..PAGE as u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let mut complete = 0;
    // The roots of all tables and indexes, and some of the pages below them.
    for page in (0..14).chain((14..pages).step_by(7)) {
        for length in [256, PAGE] {
            let mut damaged = whole.clone();
            damaged[page * PAGE..page * PAGE + length].copy_from_slice(&noise[..length]);
            let all = repaired(dir.path(), &damaged, &format!("page {page}, {length} bytes"));
            let saved = numbers(&all).len() as u64;
            // A page holds at most some dozens of the short ones.
            assert!(saved >= MESSAGES - 60, "page {page}, {length} bytes: {saved} of {MESSAGES} saved");
            complete += u64::from(saved == MESSAGES);
            // Names of rooms are in an index, too.
            let known = all.iter().map(|entry| entry.draft.room.to_string()).collect::<BTreeSet<_>>();
            assert_eq!(known.len(), 3, "page {page}, {length} bytes: {known:?}");
        }
    }
    assert!(complete > 4, "where an index or the first page is hit, no message is lost: {complete}");
}

#[test]
fn a_file_may_be_cut_anywhere() {
    let (_dir, whole) = lived();
    let dir = tempfile::tempdir().unwrap();
    let mut most = 0;
    for part in 5..=20 {
        let cut = whole.len() * part / 20;
        if part == 20 {
            put(dir.path(), &whole);
            assert!(HubStore::check(dir.path()).is_sound());
            continue;
        }
        put(dir.path(), &whole[..cut]);
        assert!(!HubStore::check(dir.path()).is_sound(), "{cut} bytes");
        let saved = numbers(&repaired(dir.path(), &whole[..cut], &format!("{cut} bytes")));
        assert!(saved.len() >= most, "{cut} bytes: more of the file is not less of the log");
        most = saved.len();
    }
    assert!(most as u64 > MESSAGES / 2);
    for empty in [0, 100] {
        put(dir.path(), &whole[..empty]);
        let refused = repair(dir.path()).unwrap_err().to_string();
        assert!(refused.contains("nothing to repair") || refused.contains("no message"), "{refused}");
        assert_eq!(fs::metadata(dir.path().join(FILE)).unwrap().len(), empty as u64, "left as it was");
    }
}

#[test]
fn read_markers_people_and_invites_survive_and_follow() {
    let (_dir, whole) = lived();
    let dir = tempfile::tempdir().unwrap();
    // An entry in the middle is gone, and nothing else: its page says so.
    put(dir.path(), &whole);
    let db = Connection::open(dir.path().join(FILE)).unwrap();
    db.execute_batch("DELETE FROM entry WHERE offset BETWEEN 50 AND 59; PRAGMA wal_checkpoint(TRUNCATE)")
        .unwrap();
    db.close().unwrap();
    let found = HubStore::check(dir.path());
    assert!(found.problems.iter().any(|line| line.contains("entries 50 to 59 are missing")), "{found:?}");
    let done = repair(dir.path()).unwrap();
    assert!(done.lines.iter().any(|line| line.contains("50 to 59 could not be read")), "{done:?}");
    let store = open(dir.path());
    let reads = |who: &str| wait(store.reads(PrincipalId(who.into()))).unwrap();
    assert_eq!(reads("ann"), [(RoomId::general(), Offset(90))]);
    assert_eq!(reads("cec"), [(RoomId::general(), Offset(92))]);
    assert_eq!(wait(store.principal_by_token_hash([1; 32])).unwrap().unwrap().name, "BOB");
    let new_id = PrincipalId("new".into());
    assert!(wait(store.redeem([11; 32], "New".into(), [99; 32], new_id, WallMs(50))).is_ok());
    // Who has sent a message before is still known by it.
    assert!(matches!(append(&store, message("ann", 10, "again")), Appended::Known { .. }));
}

#[test]
fn what_was_committed_and_not_yet_in_the_file_is_saved_too() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for number in 0..50 {
        append(&store, message("ann", 1 + number, &format!("{number} {}", "m".repeat(500))));
    }
    let crashed = tempfile::tempdir().unwrap();
    for suffix in ["", "-wal"] {
        let name = files::beside(Path::new(FILE), suffix);
        fs::copy(dir.path().join(&name), crashed.path().join(&name)).unwrap();
    }
    // Half of its log alone, and no file at all to begin with.
    let log = crashed.path().join("hub.db-wal");
    let bytes = fs::read(&log).unwrap();
    fs::write(&log, &bytes[..bytes.len() / 2]).unwrap();
    repair(crashed.path()).unwrap();
    assert!(HubStore::check(crashed.path()).is_sound());
    let saved = numbers(&all(&open(crashed.path())));
    assert!((10..50).contains(&saved.len()), "{}", saved.len());
    assert_eq!(saved, (0..saved.len() as u64).collect::<Vec<_>>());
    let aside = fs::read_dir(crashed.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(
        aside.map(|name| name.to_string_lossy().into_owned()).any(|name| name.ends_with("-wal")),
        "whole"
    );
}

#[test]
fn a_repair_that_was_cut_short_goes_on_with_what_was_set_aside() {
    let (_dir, whole) = lived();
    let dir = tempfile::tempdir().unwrap();
    put(dir.path(), &whole);
    // Killed between setting aside and putting the new one in place.
    HubStore::set_aside(dir.path()).unwrap();
    fs::write(dir.path().join("hub.db.repaired"), "half").unwrap();
    repair(dir.path()).unwrap();
    assert_eq!(numbers(&all(&open(dir.path()))).len() as u64, MESSAGES);
}

#[test]
fn another_program_s_database_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(FILE);
    let other = Connection::open(&path).unwrap();
    other
        .execute_batch("PRAGMA application_id = 5; PRAGMA user_version = 1; CREATE TABLE entry (x)")
        .unwrap();
    other.close().unwrap();
    let before = fs::read(&path).unwrap();
    assert!(!HubStore::check(dir.path()).is_sound());
    assert!(repair(dir.path()).unwrap_err().to_string().contains("another program's"));
    assert!(fs::read(&path).unwrap() == before);
}

#[test]
fn a_copy_is_whole_while_the_hub_writes() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    append(&store, message("ann", 1, "0 one"));
    let to = tempfile::tempdir().unwrap();
    HubStore::copy(dir.path(), to.path()).unwrap();
    append(&store, message("ann", 2, "1 two"));
    assert!(HubStore::check(to.path()).is_sound());
    assert!(HubStore::check(dir.path()).is_sound(), "beside whoever writes");
    let copy = open(to.path());
    assert_eq!((copy.epoch(), numbers(&all(&copy))), (store.epoch(), vec![0]));
    assert!(HubStore::copy(dir.path(), to.path()).is_err(), "nothing is overwritten");
}

#[test]
fn what_was_let_go_of_or_withdrawn_stays_so() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    append(&store, room("left", 1));
    for number in 2..=20 {
        append(
            &store,
            Append {
                received: WallMs(100 * number as i64),
                ..message("ann", number, &format!("{number} m"))
            },
        );
    }
    let bob = PrincipalId("bob".into());
    let who = Principal { id: bob.clone(), kind: PrincipalKind::Person, name: "Bob".into(), role: None };
    wait(store.create_principal(who.clone(), [7; 32])).unwrap();
    let admin = Principal {
        id: PrincipalId("ada".into()),
        kind: PrincipalKind::Admin,
        name: "Ada".into(),
        role: None,
    };
    wait(store.create_principal(admin, [8; 32])).unwrap();
    wait(store.change(Change::Remove { who: bob }, WallMs(5))).unwrap().unwrap();
    store.set_limits(LogLimits { keep_ms: 500, ..LogLimits::default() });
    while wait(store.retain(WallMs(2_000))).unwrap() {}
    let oldest = store.oldest();
    assert!(oldest > Offset(10), "{oldest}");
    drop(store);
    let found = HubStore::check(dir.path());
    assert!(found.is_sound(), "a log whose beginning was let go of is whole: {found:?}");

    // A page from before the removal comes back.
    let db = Connection::open(dir.path().join(FILE)).unwrap();
    db.execute(
        "INSERT INTO principal (id, kind, name, token_hash) VALUES ('bob', 'person', 'Bob', ?1)",
        [[7u8; 32]],
    )
    .unwrap();
    drop(db);
    let done = repair(dir.path()).unwrap();
    let lines = done.lines.join("\n");
    assert!(!lines.contains("could not be read"), "{lines}");
    assert!(lines.contains("1 whose access was withdrawn"), "{lines}");
    assert!(HubStore::check(dir.path()).is_sound());
    let store = open(dir.path());
    assert_eq!(wait(store.principal_by_token_hash([7; 32])).unwrap(), None);
    let offsets: Vec<_> = all(&store).iter().map(|entry| entry.offset.0).collect();
    assert_eq!(offsets, (1..=offsets.len() as u64).collect::<Vec<_>>());
    let again = append(&store, message("ann", 3, "3 m"));
    assert!(matches!(again, Appended::Known { offset: Offset(1), .. }), "{again:?}");
}
