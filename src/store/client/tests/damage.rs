//! Whatever state the file is in, the app starts, says so, and destroys nothing.

use std::fs;

use super::*;
use crate::store::files::beside;

fn set_aside_path(banners: &[Banner]) -> std::path::PathBuf {
    match banners {
        [Banner::DatabaseSetAside { path }] => path.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_file_that_is_no_database_is_set_aside_byte_by_byte() {
    let dir = tempfile::tempdir().unwrap();
    let garbage: Vec<u8> = (0..100_000u32).map(|number| (number % 251) as u8).collect();
    fs::write(dir.path().join(FILE), &garbage).unwrap();
    let opened = ClientStore::open(dir.path());
    let aside = set_aside_path(&opened.banners);
    assert_eq!(fs::read(&aside).unwrap(), garbage);
    commit(&opened.store, vec![Write::Queue(item(1))]);
    drop(opened);
    assert_eq!(load(&open(dir.path())).stored.outbox, [item(1)]);
    // A second one does not overwrite the first.
    let first = aside;
    fs::write(dir.path().join(FILE), &garbage).unwrap();
    let opened = ClientStore::open(dir.path());
    let second = set_aside_path(&opened.banners);
    assert_ne!(first, second);
    assert_eq!((fs::read(first).unwrap(), fs::read(second).unwrap()), (garbage.clone(), garbage));
}

#[test]
fn what_was_typed_is_rescued_from_a_damaged_file() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    commit(&store, vec![welcomed(0), started(1, 1, LogRestart::First), Write::Queue(item(1))]);
    commit(&store, vec![Write::Draft { room: general(), text: "half".into() }]);
    for block in 0..10 {
        commit(&store, vec![entries(block * 100 + 1, block * 100 + 100)]);
    }
    let (tell, told) = std::sync::mpsc::sync_channel(1);
    with_keeper(&store, move |keeper| {
        let root = "SELECT rootpage FROM sqlite_schema WHERE name = 'message'";
        let db = keeper.db.as_ref().unwrap();
        tell.send(db.query_row(root, (), |row| row.get::<_, i64>(0)).unwrap()).unwrap();
    });
    let page = told.recv().unwrap();
    drop(store);
    let path = dir.path().join(FILE);
    let mut bytes = fs::read(&path).unwrap();
    let start = (page as usize - 1) * 4096;
    bytes[start..start + 4096].fill(0xaa);
    fs::write(&path, &bytes).unwrap();

    let opened = ClientStore::open(dir.path());
    assert_eq!(fs::read(set_aside_path(&opened.banners)).unwrap(), bytes);
    let loaded = load(&opened.store);
    assert_eq!(loaded.stored.outbox, [item(1)]);
    assert_eq!(loaded.stored.rooms[0].draft, "half");
    assert_eq!(loaded.saved.log.resume, None, "the hub sends the rest again");
}

#[test]
fn damage_found_while_in_use_is_set_aside_and_the_app_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    commit(&store, vec![welcomed(0), started(1, 1, LogRestart::First), entries(1, 3)]);
    commit(&store, vec![Write::Queue(item(1))]);
    let mut health = store.health();
    with_keeper(&store, |keeper| {
        keeper.fault = Some(|keeper| {
            keeper.fault = None;
            Err(StoreError::Damaged { detail: "as the test asks".into() })
        });
    });
    // These do not continue what the new file holds: they have to come again, from the start.
    assert_eq!(wait(store.commit(C, vec![entries(4, 5), Write::Queue(item(2))])), Commit::Held);
    let now = health.borrow_and_update().clone();
    assert!(matches!(now.set_aside, Some(Banner::DatabaseSetAside { .. })), "{now:?}");
    assert_eq!(now.trouble, None);
    assert_eq!(now.behind, BTreeSet::from([C]));
    let loaded = load(&store);
    assert_eq!(loaded.stored.outbox, [item(1), item(2)]);
    assert_eq!(loaded.saved.log.resume, None);
    commit(&store, vec![welcomed(5), started(1, 1, LogRestart::First), entries(1, 5)]);
    assert_eq!(store.health().borrow().behind, BTreeSet::new());
    assert_eq!(offsets(&load(&store)), [1, 2, 3, 4, 5]);
}

#[test]
fn a_later_version_is_left_untouched_and_the_app_works_in_memory() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    let path = dir.path().join(FILE);
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let before = fs::read(&path).unwrap();
    let opened = ClientStore::open(dir.path());
    assert_eq!(opened.banners, [Banner::DatabaseNewer { path: path.clone() }]);
    commit(&opened.store, vec![welcomed(0), started(1, 1, LogRestart::First), entries(1, 9)]);
    assert_eq!(offsets(&load(&opened.store)).len(), 9);
    drop(opened);
    assert_eq!(fs::read(&path).unwrap(), before);
    let log = fs::read(beside(&path, "-wal")).unwrap_or_default();
    assert!(log.is_empty());
}

#[test]
fn what_was_rescued_waits_for_a_disk_that_takes_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    commit(&store, vec![Write::Queue(item(1)), Write::Queue(item(2))]);
    with_keeper(&store, |keeper| {
        keeper.fault = Some(|keeper| {
            keeper.fault = Some(|_| Err(StoreError::Full));
            Err(StoreError::Damaged { detail: "as the test asks".into() })
        });
    });
    assert_eq!(wait(store.commit(C, vec![Write::Unqueue(item(1).draft.id)])), Commit::Held);
    assert_eq!(store.health().borrow().trouble, Some(Banner::DiskFull));
    with_keeper(&store, |keeper| keeper.fault = None);
    commit(&store, vec![Write::Queue(item(3))]);
    assert_eq!(load(&store).stored.outbox, [item(2), item(3)]);
}

#[test]
fn damage_that_a_read_comes_upon_is_looked_into() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    commit(&store, vec![Write::Queue(item(1))]);
    // A false alarm changes nothing.
    store.jobs().unwrap().blocking_send(Job::Suspect).unwrap();
    commit(&store, vec![Write::Queue(item(2))]);
    assert_eq!(store.health().borrow().set_aside, None);
    assert_eq!(load(&store).stored.outbox, [item(1), item(2)]);
}

#[test]
fn a_file_that_a_full_disk_left_empty_reads_as_empty_and_is_filled_later() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(FILE), "").unwrap();
    let place = super::super::open::Location::File(dir.path().join(FILE));
    let reader = super::super::open::open_to_read(&place).unwrap();
    assert_eq!(read::load(&reader, C).unwrap(), Loaded::default());
    drop(reader);
    let store = open(dir.path());
    commit(&store, vec![Write::Queue(item(1))]);
    assert_eq!(load(&store).stored.outbox, [item(1)]);
}
