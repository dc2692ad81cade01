//! Rooms that are renamed, described and archived, by those who may.

use super::*;
use crate::model::content::MemberChange;
use crate::model::id::Offset;
use crate::model::name::Looks;
use crate::model::room::MAX_TOPIC_CHARS;

fn named(name: &str) -> Content {
    Content::renamed(RoomName::new(name).unwrap())
}

fn change(number: u64, room: &str, by: (&str, Role), content: Content) -> Append {
    let mut new = message(by.0, number, "");
    (new.draft.room, new.draft.content, new.role) = (RoomId::new(room).unwrap(), content, by.1);
    new
}

fn listed(store: &HubStore, room: &str) -> NamedRoom {
    let from = ListsFrom { rooms: Some(0), ..ListsFrom::default() };
    let lists = wait(store.lists(PrincipalId("x".into()), from, 100)).unwrap();
    lists.rooms.into_iter().find(|listed| listed.id.as_str() == room).unwrap()
}

const OPERATOR: (&str, Role) = ("bob", Role::Operator);

#[test]
fn what_is_changed_is_listed_after_a_restart_with_the_place_of_the_change() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    append(&store, room("lathes", 1));
    let long = format!(" Noise\nand {}", "x".repeat(2 * MAX_TOPIC_CHARS));
    for (number, content) in [(2, named("Mills")), (3, Content::topic(long)), (4, Content::archived(true))] {
        assert!(matches!(append(&store, change(number, "lathes", OPERATOR, content)), Appended::New(_)));
    }
    drop(store);
    let store = open(dir.path());
    let NamedRoom { name, info, .. } = listed(&store, "lathes");
    assert_eq!((name.as_str(), info.archived, info.changed), ("Mills", true, Offset(5)));
    assert!(info.topic.starts_with("Noise and xxx") && info.topic.chars().count() == MAX_TOPIC_CHARS);
    let entries = all(&store);
    assert!(
        matches!(&entries[3].draft.content, Content::RoomChange { topic: Some(topic), .. } if *topic == info.topic)
    );
}

#[test]
fn an_archived_room_takes_no_messages_until_it_is_taken_out_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    append(&store, room("lathes", 1));
    let say = |number| change(number, "lathes", OPERATOR, Content::text("x"));
    assert!(matches!(append(&store, say(2)), Appended::New(_)));
    append(&store, change(3, "lathes", OPERATOR, Content::archived(true)));
    assert_eq!(append(&store, say(4)), Appended::Archived);
    assert!(matches!(append(&store, say(2)), Appended::Known { .. }), "what is there is acknowledged");
    drop(store);
    let store = open(dir.path());
    assert_eq!(append(&store, say(4)), Appended::Archived);
    assert!(
        matches!(append(&store, room("LATHES", 5)), Appended::RoomAlike { .. }),
        "its name stays its own"
    );
    append(&store, change(6, "lathes", OPERATOR, Content::archived(false)));
    assert!(matches!(append(&store, say(7)), Appended::New(_)));
    let general = change(8, "general", OPERATOR, Content::archived(true));
    assert_eq!(append(&store, general), Appended::NotAllowed, "there is always a room to write to");
}

#[test]
fn a_name_is_free_once_no_room_has_it_and_never_looks_like_another_ones() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    append(&store, room("lathes", 1));
    append(&store, room("mills", 2));
    let rename = |number, room: &str, name: &str| append(&store, change(number, room, OPERATOR, named(name)));
    assert!(Looks::of("MILLS").is_like(&Looks::of("mills")));
    for alike in ["mills", "MILLS", "General"] {
        assert!(matches!(rename(3, "lathes", alike), Appended::RoomAlike { .. }), "{alike}");
    }
    assert!(matches!(rename(4, "lathes", "Lathes"), Appended::New(_)), "a room may look like itself");
    assert!(matches!(rename(5, "lathes", "Saws"), Appended::New(_)));
    assert!(matches!(rename(6, "mills", "lathes"), Appended::New(_)), "the name was given up");
    assert!(matches!(append(&store, room("SAWS", 7)), Appended::RoomAlike { .. }));
    assert_eq!(rename(8, "nowhere", "Drills"), Appended::NoSuchRoom);
}

#[test]
fn a_room_is_changed_by_operators_and_by_whoever_made_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    append(&store, room("lathes", 1));
    let tell = |number, by| outcome(&append(&store, change(number, "lathes", by, Content::topic("x"))));
    assert_eq!(tell(2, ("bob", Role::Member)), Err("not allowed"));
    assert_eq!(tell(3, ("ann", Role::Guest)), Err("not allowed"), "a guest reads what they once made");
    assert!(tell(4, ("ann", Role::Member)).is_ok());
    assert!(tell(5, ("bob", Role::Operator)).is_ok());
    assert!(tell(6, ("eve", Role::Admin)).is_ok());
}

#[test]
fn people_leave_rooms_and_come_back_and_only_the_rooms_lists_know() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    append(&store, room("lathes", 1));
    for id in ["ann", "bob"] {
        let who = Principal {
            id: PrincipalId(id.into()),
            kind: PrincipalKind::Person,
            name: id.into(),
            role: None,
        };
        wait(store.create_principal(who, [id.as_bytes()[0]; 32])).unwrap();
    }
    let has_left = |who: &str| {
        let from = ListsFrom { rooms: Some(0), ..ListsFrom::default() };
        let rooms = wait(store.lists(PrincipalId(who.into()), from, 100)).unwrap().rooms;
        let lathes = rooms.into_iter().find(|listed| listed.id.as_str() == "lathes").unwrap();
        (lathes.info.left, lathes.info.changed)
    };
    let member = |number, room: &str, by, who: &str, what| {
        let about = Sender { id: PrincipalId(who.into()), name: "anything".into() };
        append(&store, change(number, room, (by, Role::Member), Content::member(about, what)))
    };
    let Appended::New(left) = member(2, "lathes", "bob", "bob", MemberChange::Left) else {
        panic!("not left")
    };
    assert!(
        matches!(&left.draft.content, Content::Member { who, .. } if who.name == "bob"),
        "the hub's name"
    );
    assert_eq!((has_left("bob"), has_left("ann")), ((true, Offset(3)), (false, Offset(3))));
    assert!(matches!(member(3, "lathes", "ann", "bob", MemberChange::Invited), Appended::New(_)));
    assert_eq!(has_left("bob"), (false, Offset(4)));
    for (number, room, by, who, what) in [
        (4, "lathes", "ann", "bob", MemberChange::Left),
        (5, "lathes", "ann", "bob", MemberChange::Joined),
        (6, "lathes", "ann", "bob", MemberChange::Invited),
        (7, "lathes", "ann", "eve", MemberChange::Invited),
        (8, "general", "bob", "bob", MemberChange::Left),
    ] {
        assert_eq!(member(number, room, by, who, what), Appended::NotAllowed, "{number}");
    }
    assert!(matches!(member(9, "lathes", "bob", "bob", MemberChange::Left), Appended::New(_)));
    assert!(matches!(member(10, "lathes", "bob", "bob", MemberChange::Joined), Appended::New(_)));
    assert_eq!(has_left("bob"), (false, Offset(6)));
}

#[test]
fn whoever_is_there_at_the_upgrade_may_do_what_they_could() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(FILE);
    drop(open(dir.path()));
    let db = Connection::open(&path).unwrap();
    // As an earlier version had it.
    db.execute_batch(
        "ALTER TABLE room DROP COLUMN topic; ALTER TABLE room DROP COLUMN archived;
         ALTER TABLE room DROP COLUMN changed; ALTER TABLE principal DROP COLUMN role;
         ALTER TABLE principal DROP COLUMN status; ALTER TABLE invite DROP COLUMN role;
         DROP TABLE absent; DROP TABLE file; DROP TABLE file_trash; DROP INDEX room_direct; ALTER TABLE room DROP COLUMN private;
         ALTER TABLE room DROP COLUMN direct; DROP TABLE member; DROP TABLE receipt;
         INSERT INTO principal (id, kind, name, token_hash) VALUES ('p', 'person', 'P', zeroblob(32)),
             ('a', 'admin', 'A', randomblob(32)), ('d', 'device', 'D', randomblob(32));",
    )
    .unwrap();
    db.pragma_update(None, "user_version", schema::SCHEMA.steps.len() as i64 - 4).unwrap();
    drop(db);
    let store = open(dir.path());
    let roles: Vec<_> =
        wait(store.principals()).unwrap().into_iter().map(|who| (who.id.0, who.role)).collect();
    let role = |id: &str| roles.iter().find(|(of, _)| of == id).unwrap().1;
    assert_eq!([role("p"), role("a"), role("d")], [Some(Role::Operator), Some(Role::Admin), None]);
    assert_eq!(listed(&store, "general"), NamedRoom::general());
}
