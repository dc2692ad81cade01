//! Private rooms on the disk: who may see them is known after a restart and a repair, and nobody else comes to see them.

use super::upkeep::repair;
use super::*;
use crate::model::content::{MemberChange, Private};
use crate::model::id::Offset;

fn who(id: &str) -> PrincipalId {
    PrincipalId(id.into())
}

/// A hub with Ann, Bob and Eve, and a private room of the first two.
fn begun(dir: &Path) -> (HubStore, RoomId) {
    let store = open(dir);
    for (number, id) in [(1, "ann"), (2, "bob"), (3, "eve")] {
        let principal =
            Principal { id: who(id), kind: PrincipalKind::Person, name: id.to_uppercase(), role: None };
        wait(store.create_principal(principal, [number; 32])).unwrap();
    }
    let mut made = message("ann", 10, "");
    made.draft.room = id(10).into();
    let private = Private { members: vec![who("bob"), who("nobody"), who("bob")], direct: false };
    made.draft.content = Content::private_room(RoomName::new("general").unwrap(), private);
    assert!(matches!(append(&store, made), Appended::New(_)), "its name is nobody's business");
    (store, id(10).into())
}

fn say(room: &RoomId, by: &str, number: u64) -> Append {
    let mut said = message(by, number, "x");
    said.draft.room = room.clone();
    said
}

fn sees(store: &HubStore, room: &RoomId) -> [bool; 3] {
    ["ann", "bob", "eve"].map(|id| store.sees_room(&who(id), room))
}

#[test]
fn members_are_known_after_a_restart_and_others_write_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (store, room) = begun(dir.path());
    assert_eq!(sees(&store, &room), [true, true, false]);
    assert!(matches!(append(&store, say(&room, "bob", 11)), Appended::New(_)));
    assert_eq!(append(&store, say(&room, "eve", 12)), Appended::NoSuchRoom);
    let mut left = say(&room, "bob", 13);
    left.draft.content = Content::member(Sender { id: who("bob"), name: "?".into() }, MemberChange::Left);
    assert!(matches!(append(&store, left), Appended::New(_)));
    let head = store.head();
    drop(store);
    let store = open(dir.path());
    assert_eq!(sees(&store, &room), [true, false, false]);
    let access = store.access();
    let heads = ["ann", "bob", "eve"].map(|id| access.head_for(&who(id)));
    assert_eq!(heads, [head, head, Offset(1)], "whoever left is told that, and others nothing");
    drop(access);
    let seen = wait(store.read_for(who("bob"), Offset(1), 100, usize::MAX)).unwrap();
    let offsets: Vec<u64> = seen.entries.iter().map(|entry| entry.offset.0).collect();
    assert_eq!((offsets, seen.from, seen.to), (vec![1, head.0], Offset(1), head));
    assert_eq!(
        wait(store.history(who("bob"), room, Offset(100), 100, usize::MAX)).unwrap(),
        (Vec::new(), true)
    );
}

#[test]
fn a_repaired_private_room_stays_private_even_if_its_row_was_lost() {
    for damage in
        ["SELECT 1", "DELETE FROM room WHERE private", "DELETE FROM room WHERE private; DELETE FROM member"]
    {
        let dir = tempfile::tempdir().unwrap();
        let (store, room) = begun(dir.path());
        append(&store, say(&room, "bob", 11));
        drop(store);
        let db = Connection::open(dir.path().join(FILE)).unwrap();
        db.execute_batch(&format!("PRAGMA foreign_keys = OFF; {damage}; PRAGMA wal_checkpoint(TRUNCATE)"))
            .unwrap();
        drop(db);
        repair(dir.path()).unwrap();
        let store = open(dir.path());
        let sees = sees(&store, &room);
        assert!(store.has_room(&room) && !sees[2], "{damage}: {sees:?}");
        assert!(sees[1], "{damage}: {sees:?}");
        assert_eq!(append(&store, say(&room, "eve", 12)), Appended::NoSuchRoom, "{damage}");
    }
}
