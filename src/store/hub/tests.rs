//! What a hub's log promises: gapless, once, in order, on disk before it is acknowledged.

mod changes;
mod limits;
mod upkeep;

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::model::PrincipalKind;
use crate::model::content::{Content, Draft, Extra};
use crate::model::id::Offset;
use crate::model::time::WallMs;

mod private;
mod rights;
mod rooms;

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn id(number: u64) -> MessageId {
    MessageId(uuid::Uuid::from_u64_pair(number, 2))
}

fn open(dir: &Path) -> HubStore {
    HubStore::open(dir, Epoch(u64::MAX - 1), WallMs(77), id(0)).unwrap()
}

fn message(sender: &str, number: u64, body: &str) -> Append {
    Append {
        role: Role::Operator,
        draft: Draft { id: id(number), room: RoomId::general(), content: Content::text(body), at: WallMs(1) },
        sender: Sender { id: PrincipalId(sender.into()), name: sender.to_uppercase() },
        received: WallMs(2),
        only_known: false,
    }
}

fn room(name: &str, number: u64) -> Append {
    let mut made = message("ann", number, "");
    made.draft.room = RoomId::new(name).unwrap();
    made.draft.content = Content::room(RoomName::new(name).unwrap());
    made
}

fn invite(code: u8, kind: PrincipalKind) -> Change {
    Change::Invite { code_hash: [code; 32], kind, role: Role::Operator, by: None, expires_at: WallMs(100) }
}

fn append(store: &HubStore, append: Append) -> Appended {
    wait(store.append(append)).unwrap()
}

fn all(store: &HubStore) -> Vec<Entry> {
    wait(store.read(Offset(1), u32::MAX, usize::MAX)).unwrap()
}

fn with_db(store: &HubStore, test: impl FnOnce(&mut Connection) + Send + 'static) {
    wait(store.send(Job::Test(Box::new(test)))).unwrap();
}

#[test]
fn a_new_log_begins_with_the_room_that_every_hub_has() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let general = Entry {
        draft: Draft {
            id: id(0),
            room: RoomId::general(),
            content: Content::room(RoomName::general()),
            at: WallMs(77),
        },
        offset: Offset(1),
        sender: Sender { id: PrincipalId("hub".into()), name: "hub".into() },
        received: WallMs(77),
    };
    assert_eq!(all(&store), std::slice::from_ref(&general));
    append(&store, message("ann", 1, "hello"));
    drop(store);
    // The epoch and the first entry are those of the first start.
    let store = HubStore::open(dir.path(), Epoch(5), WallMs(99), id(9)).unwrap();
    assert_eq!((store.epoch(), store.head(), store.oldest()), (Epoch(u64::MAX - 1), Offset(2), Offset(1)));
    assert_eq!(all(&store)[0], general);
    assert_eq!(all(&store)[1].draft.content.body(), "hello");
    let received = all(&store)[1].received;
    assert_eq!(wait(store.at(Offset(2))).unwrap(), Some((id(1), received)));
    assert_eq!(wait(store.at(Offset(3))).unwrap(), None);
}

#[test]
fn the_same_message_twice_is_there_once_even_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    assert!(matches!(append(&store, message("ann", 1, "a")), Appended::New(Entry { offset: Offset(2), .. })));
    let known = Appended::Known { offset: Offset(2), received: WallMs(2) };
    assert_eq!(append(&store, Append { received: WallMs(9), ..message("ann", 1, "a") }), known);
    assert!(matches!(append(&store, message("bob", 2, "b")), Appended::New(Entry { offset: Offset(3), .. })));
    drop(store);
    let store = open(dir.path());
    assert_eq!(append(&store, message("ann", 1, "a")), known);
    assert_eq!(store.head(), Offset(3));
}

#[test]
fn a_room_is_written_in_by_its_id_or_by_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut made = room("lathes", 1);
    made.draft.room = made.draft.id.into();
    let id = made.draft.room.clone();
    append(&store, made);
    let said_in = |number, room: &str| {
        let mut said = message("ann", number, "x");
        said.draft.room = RoomId::new(room).unwrap();
        match append(&store, said) {
            Appended::New(entry) => entry.draft.room,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((said_in(2, "lathes"), said_in(3, id.as_str())), (id.clone(), id.clone()));
    let all = all(&store);
    assert_eq!(all[1].draft.content, Content::room(RoomName::new("lathes").unwrap()));
    assert_eq!(all.iter().filter(|entry| entry.draft.room == id).count(), 3);
    assert_eq!(
        wait(store.history(PrincipalId("x".into()), id, Offset(9), 9, usize::MAX)).unwrap().0.len(),
        3
    );
}

#[test]
fn what_is_not_understood_of_a_message_is_on_disk_and_back() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut said = message("ann", 1, "x");
    let extra = Extra::from_json(r#"{"card":{"offset":1},"n":1.5}"#);
    said.draft.content = Content::Text { body: "x".into(), extra };
    let mut made = room("lathes", 2);
    made.draft.content = Content::Room {
        name: Some(RoomName::new("lathes").unwrap()),
        private: None,
        extra: Extra::from_json(r#"{"topic":"wood"}"#),
    };
    for new in [said.clone(), made.clone()] {
        append(&store, new);
    }
    drop(store);
    // A later version wrote this one.
    let db = rusqlite::Connection::open(dir.path().join(FILE)).unwrap();
    db.execute(
        "INSERT INTO entry (offset, id, principal, sender_name, kind, room, body, at, received, extra)
         VALUES (4, zeroblob(16), 'ann', 'Ann', 'poll', 1, '', 7, 7, '{\"body\":{\"text\":\"?\"}}')",
        (),
    )
    .unwrap();
    drop(db);
    let contents: Vec<_> = all(&open(dir.path())).into_iter().map(|entry| entry.draft.content).collect();
    let poll = Content::from_fields("poll", None, Extra::from_json(r#"{"body":{"text":"?"}}"#));
    assert_eq!(contents[1..], [said.draft.content, made.draft.content, poll.unwrap()]);
}

#[test]
fn rooms_are_made_once_and_messages_need_one() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut lost = message("ann", 1, "x");
    lost.draft.room = RoomId::new("workshop").unwrap();
    assert_eq!(append(&store, lost.clone()), Appended::NoSuchRoom);
    assert!(matches!(append(&store, room("workshop", 2)), Appended::New(Entry { offset: Offset(2), .. })));
    assert_eq!(
        append(&store, room("workshop", 2)),
        Appended::Known { offset: Offset(2), received: WallMs(2) }
    );
    let workshop = RoomId::new("workshop").unwrap();
    let exists = Appended::RoomExists { room: workshop, offset: Offset(2), received: WallMs(2) };
    assert_eq!(append(&store, room("workshop", 3)), exists);
    let mut same_id = room("lathes", 4);
    same_id.draft.room = RoomId::new("workshop").unwrap();
    assert_eq!(append(&store, same_id), Appended::RoomIdTaken, "nobody takes over another's room");
    assert!(matches!(append(&store, lost), Appended::New(Entry { offset: Offset(3), .. })));
    let names: Vec<String> = wait(store.rooms()).unwrap().iter().map(|room| room.name.to_string()).collect();
    assert_eq!(names, ["general", "workshop"]);
}

#[test]
fn many_at_once_get_gapless_offsets_and_are_published_in_order_before_they_are_answered() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut published = store.subscribe();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut tasks = tokio::task::JoinSet::new();
        for sender in 0..50u64 {
            let store = store.clone();
            tasks.spawn(async move {
                let mut last = 0;
                for number in 0..20 {
                    let new = message(&format!("p{sender}"), sender * 100 + number, "x");
                    let Appended::New(entry) = store.append(new).await.unwrap() else { panic!() };
                    assert!(entry.offset.0 > last, "a sender's own order is kept");
                    assert!(store.head() >= entry.offset);
                    last = entry.offset.0;
                }
            });
        }
        while let Some(task) = tasks.join_next().await {
            task.unwrap();
        }
    });
    let mut next = 2;
    let mut batches = 0;
    while next <= 1_001 {
        match published.try_recv() {
            Ok(batch) => {
                batches += 1;
                for entry in &*batch {
                    assert_eq!(entry.offset.0, next);
                    next += 1;
                }
            }
            // What a slow subscriber misses is on disk.
            Err(broadcast::error::TryRecvError::Lagged(_)) => {
                next = published.try_recv().unwrap().last().unwrap().offset.0 + 1;
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert!(batches < 500, "one fsync serves many: {batches}");
    assert_eq!(
        all(&store).iter().map(|entry| entry.offset.0).collect::<Vec<_>>(),
        (1..=1_001).collect::<Vec<_>>()
    );
}

#[test]
fn a_published_batch_fits_into_a_frame() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut published = store.subscribe();
    let (go, hold) = std::sync::mpsc::sync_channel::<()>(0);
    with_db(&store, move |_| hold.recv().unwrap());
    wait(async {
        let body = "\u{1}\"\\é".repeat(10_000);
        let appends = (0..20).map(|number| store.append(message("ann", number, &body)));
        let (done, ()) =
            tokio::join!(futures_util::future::join_all(appends), async { go.send(()).unwrap() });
        assert!(done.iter().all(Result::is_ok));
    });
    let mut count = 0;
    while let Ok(batch) = published.try_recv() {
        count += batch.len();
        let json: usize = batch.iter().map(|entry| serde_json::to_string(entry).unwrap().len() + 1).sum();
        assert!(json <= 512 * 1024, "{json}");
        assert!(
            batch.iter().all(|entry| serde_json::to_string(entry).unwrap().len() < read::json_size(entry))
        );
    }
    assert_eq!(count, 20);
}

#[test]
fn a_full_disk_acknowledges_nothing_and_works_again_later() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    with_db(&store, |db| {
        let pages: i64 = db.query_row("PRAGMA page_count", (), |row| row.get(0)).unwrap();
        db.pragma_update(None, "max_page_count", pages).unwrap();
    });
    let large = message("ann", 1, &"x".repeat(60_000));
    let results = wait(async {
        tokio::join!(
            store.append(message("ann", 2, "small")),
            store.append(large.clone()),
            store.change(invite(1, PrincipalKind::Person), WallMs(0)),
        )
    });
    assert!(results.1.is_err_and(|error| matches!(error, StoreError::Full)));
    let before = store.head();
    assert_eq!(all(&store).len() as u64, before.0, "what was not acknowledged is not there");
    with_db(&store, |db| db.pragma_update(None, "max_page_count", 1_000_000).unwrap());
    assert!(matches!(append(&store, large), Appended::New(entry) if entry.offset == before.next()));
}

#[test]
fn a_damaged_or_later_file_is_refused_by_name_and_untouched() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(FILE);
    let open = || HubStore::open(dir.path(), Epoch(1), WallMs(0), id(0)).map(|_| ());
    std::fs::write(&path, "not a database").unwrap();
    let refused = open().unwrap_err().to_string();
    assert!(refused.contains("hub.db") && refused.contains("damaged"), "{refused}");
    assert_eq!(std::fs::read(&path).unwrap(), b"not a database");
    std::fs::remove_file(&path).unwrap();
    open().unwrap();
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let before = std::fs::read(&path).unwrap();
    let refused = open().unwrap_err().to_string();
    assert!(refused.contains("hub.db") && refused.contains("99"), "{refused}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_page_of_history_says_whether_there_is_more() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    append(&store, room("other", 1));
    for number in 2..=11 {
        append(&store, message("ann", number, "0123456789"));
    }
    let history = |before, limit, bytes| {
        let (entries, complete) =
            wait(store.history(PrincipalId("x".into()), RoomId::general(), before, limit, bytes)).unwrap();
        (entries.iter().map(|entry| entry.offset.0).collect::<Vec<_>>(), complete)
    };
    assert_eq!(history(Offset(13), 3, 10_000), (vec![10, 11, 12], false));
    assert_eq!(
        history(Offset(6), 100, 10_000),
        (vec![1, 3, 4, 5], true),
        "the entry that made the room is the oldest"
    );
    assert_eq!(history(Offset(6), 4, 10_000), (vec![1, 3, 4, 5], true));
    assert_eq!(history(Offset(u64::MAX), 100, 1), (vec![12], false));
    assert_eq!(history(Offset(1), 100, 10_000), (vec![], true));
    let some = wait(store.read(Offset(4), 100, 700)).unwrap();
    assert_eq!(some.iter().map(|entry| entry.offset.0).collect::<Vec<_>>(), [4, 5]);
    assert_eq!(wait(store.read(Offset(u64::MAX), 100, 700)).unwrap(), []);
}

#[test]
fn an_invite_is_good_once_and_for_whoever_used_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    wait(store.change(invite(1, PrincipalKind::Person), WallMs(0))).unwrap().unwrap();
    let redeem = |code: u8, token: u8, now| {
        let new_id = PrincipalId(format!("id-{token}"));
        wait(store.redeem([code; 32], "Ann".into(), [token; 32], new_id, now))
    };
    let refused = |result: Result<Principal, RedeemError>| match result {
        Err(RedeemError::Refused(why)) => why,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(redeem(9, 1, WallMs(50))), InviteRefused::Unknown);
    assert_eq!(refused(redeem(1, 1, WallMs(100))), InviteRefused::Expired);
    let ann = redeem(1, 1, WallMs(99)).unwrap();
    assert_eq!((ann.kind, ann.name.as_str(), ann.id.0.as_str()), (PrincipalKind::Person, "Ann", "id-1"));
    assert_eq!(redeem(1, 1, WallMs(5_000)).unwrap(), ann, "the answer was lost, and it is asked for again");
    assert_eq!(refused(redeem(1, 2, WallMs(99))), InviteRefused::Used);
    assert_eq!(wait(store.principal_by_token_hash([1; 32])).unwrap(), Some(ann.clone()));
    assert_eq!(wait(store.principal_by_token_hash([2; 32])).unwrap(), None);

    // From another process, while this one runs.
    HubStore::change_offline(dir.path(), &invite(3, PrincipalKind::Admin), WallMs(0)).unwrap().unwrap();
    assert_eq!(redeem(3, 3, WallMs(1)).unwrap().kind, PrincipalKind::Admin);
    // A token that is somebody's already takes nobody over, and the invite stays good.
    wait(store.change(invite(4, PrincipalKind::Admin), WallMs(0))).unwrap().unwrap();
    assert!(matches!(
        wait(store.redeem([4; 32], "Eve".into(), [1; 32], PrincipalId("eve".into()), WallMs(1))),
        Err(RedeemError::Store(_))
    ));
    assert_eq!(wait(store.principals()).unwrap().len(), 2);
    assert_eq!(redeem(4, 4, WallMs(1)).unwrap().kind, PrincipalKind::Admin);
    let nowhere = tempfile::tempdir().unwrap();
    assert!(HubStore::change_offline(nowhere.path(), &invite(3, PrincipalKind::Admin), WallMs(0)).is_err());
    assert_eq!(std::fs::read_dir(nowhere.path()).unwrap().count(), 0);
}

#[test]
fn a_principal_can_get_a_new_token() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let admin = Principal {
        id: PrincipalId("owner".into()),
        kind: PrincipalKind::Admin,
        name: "Owner".into(),
        role: Some(Role::Admin),
    };
    wait(store.create_principal(admin.clone(), [1; 32])).unwrap();
    wait(store.create_principal(admin.clone(), [2; 32])).unwrap();
    assert_eq!(wait(store.principal_by_token_hash([1; 32])).unwrap(), None);
    assert_eq!(wait(store.principal_by_token_hash([2; 32])).unwrap(), Some(admin.clone()));
    let other = Principal { id: PrincipalId("other".into()), ..admin.clone() };
    assert!(wait(store.create_principal(other.clone(), [2; 32])).is_err());
    assert!(wait(store.create_principal(other, [1; 32])).is_err(), "nobody comes by the old one again");
    assert_eq!(wait(store.principals()).unwrap(), [admin]);
}

#[test]
fn read_markers_go_forward_only_and_never_beyond_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    append(&store, message("ann", 1, "x"));
    let ann = || PrincipalId("ann".into());
    let set = |room: &str, offset| wait(store.set_read(ann(), RoomId::new(room).unwrap(), offset)).unwrap();
    assert!(set("general", Offset(1)));
    assert!(!set("general", Offset(1)));
    assert!(!set("nowhere", Offset(1)));
    assert!(set("general", Offset(u64::MAX)));
    assert!(!set("general", Offset(1)));
    assert_eq!(wait(store.reads(ann())).unwrap(), [(RoomId::general(), Offset(2))]);
    assert_eq!(wait(store.reads(PrincipalId("bob".into()))).unwrap(), []);
}

#[test]
fn receipts_grow_without_a_hole_and_are_for_those_who_may_see_the_room() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    // Offset 1 makes the room.
    (1..10).for_each(|number| drop(append(&store, message("ann", number, "x"))));
    let room = |name: &str| RoomId::new(name).unwrap();
    let who = |name: &str| PrincipalId(name.into());
    let seen = |who: &str, place: &str, first, last| {
        let receipt = Receipt { id: PrincipalId(who.into()), first: Offset(first), last: Offset(last) };
        let kept = wait(store.set_seen(room(place), receipt)).unwrap();
        kept.map(|kept| (kept.first.0, kept.last.0))
    };
    assert_eq!(seen("bob", "general", 2, 3), Some((2, 3)));
    assert_eq!(seen("bob", "general", 2, 3), None, "nothing new");
    assert_eq!(seen("bob", "general", 4, 5), Some((2, 5)), "no message lies between");
    assert_eq!(seen("bob", "general", 7, 8), Some((7, 8)), "6 was passed over");
    assert_eq!(seen("bob", "general", 2, 3), None, "what was seen last counts");
    assert_eq!(seen("bob", "general", 3, 6), Some((3, 8)));
    assert_eq!(seen("bob", "general", 8, 1_000), Some((3, 10)), "not beyond the end");
    for (first, last) in [(0, 3), (9, 8), (11, 12), (u64::MAX, u64::MAX)] {
        assert_eq!(seen("cleo", "general", first, last), None, "{first} to {last}");
    }
    assert_eq!(seen("cleo", "nowhere", 1, 2), None);
    assert_eq!(seen("cleo", "general", 2, 10), Some((2, 10)));
    let of = |asker: &str, place: &str| wait(store.receipts(who(asker), room(place))).unwrap();
    assert_eq!(of("ann", "general").len(), 2);
    assert_eq!(
        of("bob", "general").iter().map(|receipt| receipt.id.0.as_str()).collect::<Vec<_>>(),
        ["cleo"]
    );
    assert_eq!(of("ann", "nowhere"), []);
}

/// A log as a plain list.
#[derive(Default)]
struct Plain {
    log: Vec<(String, u64, bool, String)>,
    known: BTreeSet<(String, u64)>,
    /// How many entries were let go of.
    gone: usize,
}

#[derive(Clone, Debug)]
enum Act {
    Message {
        sender: u8,
        number: u64,
        room: u8,
    },
    Room {
        sender: u8,
        number: u64,
        room: u8,
    },
    Together(Vec<(u8, u64)>),
    Restart,
    /// All but the newest entry go.
    LetGo,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (0..3u8, 0..12u64, 0..3u8).prop_map(|(sender, number, room)| Act::Message { sender, number, room }),
        2 => (0..3u8, 0..12u64, 0..3u8).prop_map(|(sender, number, room)| Act::Room { sender, number, room }),
        2 => proptest::collection::vec((0..3u8, 0..12u64), 1..6).prop_map(Act::Together),
        1 => Just(Act::Restart),
        1 => Just(Act::LetGo),
    ]
}

impl Plain {
    fn append(&mut self, append: &Append, number: u64) -> Result<u64, &'static str> {
        let key = (append.sender.id.0.clone(), number);
        if self.known.contains(&key) {
            return Err("known");
        }
        let room = append.draft.room.to_string();
        let exists = self.log.iter().any(|(_, _, is_room, name)| *is_room && *name == room);
        let is_room = append.draft.content.is_room();
        match (is_room, exists) {
            (false, false) => return Err("no room"),
            (true, true) => return Err("room exists"),
            _ => {}
        }
        // An id names one message, as long as that is held.
        let is_taken = |(_, other, is_room, _): &(String, u64, bool, String)| !is_room && *other == number;
        if !is_room && self.log.iter().skip(self.gone).any(is_taken) {
            return Err("id taken");
        }
        self.log.push((key.0.clone(), number, is_room, room));
        self.known.insert(key);
        Ok(self.log.len() as u64)
    }
}

fn outcome(appended: &Appended) -> Result<u64, &'static str> {
    match appended {
        Appended::New(entry) => Ok(entry.offset.0),
        Appended::Known { .. } => Err("known"),
        Appended::NotKnown => Err("not known"),
        Appended::NoSuchRoom => Err("no room"),
        Appended::Archived => Err("archived"),
        Appended::NotAllowed => Err("not allowed"),
        Appended::RoomExists { .. } => Err("room exists"),
        Appended::RoomAlike { .. } => Err("room alike"),
        Appended::BadRoomName(_) => Err("bad name"),
        Appended::RoomIdTaken | Appended::IdTaken => Err("id taken"),
        Appended::NoSuchMessage => Err("no message"),
        Appended::NoSuchFile => Err("no file"),
        Appended::NotYours => Err("not theirs"),
        Appended::TooMany { .. } => Err("too many"),
        Appended::Redundant { .. } => Err("redundant"),
        Appended::Behind => Err("behind"),
        Appended::Refused { .. } => Err("refused"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_log_is_what_a_plain_list_would_be(acts in proptest::collection::vec(act(), 1..40)) {
        let dir = tempfile::tempdir().unwrap();
        let mut store = open(dir.path());
        let mut plain = Plain::default();
        plain.log.push(("hub".into(), 0, true, "general".into()));
        let rooms = ["general", "left", "right"];
        for act in acts {
            match act {
                Act::Message { sender, number, room } => {
                    let room = RoomId::new(rooms[room as usize]).unwrap();
                    let mut new = message(&format!("p{sender}"), number, "x");
                    new.draft.room = room;
                    prop_assert_eq!(outcome(&append(&store, new.clone())), plain.append(&new, number));
                }
                Act::Room { sender, number, room: name } => {
                    let mut new = room(rooms[name as usize], number);
                    new.sender.id = PrincipalId(format!("p{sender}"));
                    prop_assert_eq!(outcome(&append(&store, new.clone())), plain.append(&new, number));
                }
                Act::Together(all) => {
                    let new: Vec<_> =
                        all.iter().map(|(sender, number)| message(&format!("p{sender}"), *number, "x")).collect();
                    let appends = new.iter().map(|new| store.append(new.clone()));
                    let done = wait(futures_util::future::join_all(appends));
                    for ((done, new), (_, number)) in done.iter().zip(&new).zip(&all) {
                        prop_assert_eq!(outcome(done.as_ref().unwrap()), plain.append(new, *number));
                    }
                }
                Act::Restart => {
                    drop(store);
                    store = open(dir.path());
                }
                Act::LetGo => {
                    store.set_limits(LogLimits { keep_ms: 1, ..LogLimits::default() });
                    while wait(store.retain(WallMs(100))).unwrap() {}
                    prop_assert_eq!(store.oldest(), store.head());
                    plain.gone = plain.log.len() - 1;
                }
            }
        }
        prop_assert_eq!(store.head(), Offset(plain.log.len() as u64));
        let log: Vec<_> = all(&store)
            .into_iter()
            .map(|entry| (entry.sender.id.0, entry.draft.content.is_room(), entry.draft.room.to_string(), entry.draft.id))
            .collect();
        let expected: Vec<_> = plain
            .log
            .into_iter()
            .skip(store.oldest().0 as usize - 1)
            .map(|(sender, number, is_room, room)| (sender, is_room, room, id(number)))
            .collect();
        prop_assert_eq!(log, expected);
    }
}
