//! What a person would notice of `client.db`: nothing is lost, nothing is there twice, and the app goes on.

mod changes;
mod damage;
mod era;
mod events;
mod held;
mod holes;
mod local;
mod pages;
mod rooms;
mod scale;
mod search;
mod threads;

use std::path::Path;

use super::*;
use crate::model::MessageId;
use crate::model::content::{Content, Draft, Extra};
use crate::model::event::{ChatEvent, LinkEvent, LogKind, LogRestart};
use crate::model::time::WallMs;
use crate::model::{Delivery, Entry, Epoch, Offset, Principal, PrincipalId, PrincipalKind, RoomName, Sender};

pub(super) const C: ConnectionId = ConnectionId(7);

pub(super) fn id(number: u64) -> MessageId {
    MessageId(uuid::Uuid::from_u64_pair(number, 1))
}

pub(super) fn general() -> RoomId {
    RoomId::general()
}

pub(super) fn me() -> Principal {
    Principal { id: PrincipalId("me".into()), kind: PrincipalKind::Person, name: "Me".into(), role: None }
}

pub(super) fn entry(offset: u64, sender: &str, number: u64) -> Entry {
    Entry {
        draft: Draft {
            id: id(number),
            room: general(),
            content: Content::Text { body: format!("body {number}"), extra: Default::default() },
            at: WallMs(1_000 + number as i64),
        },
        offset: Offset(offset),
        sender: Sender { id: PrincipalId(sender.into()), name: sender.to_uppercase() },
        received: WallMs(2_000 + number as i64),
    }
}

pub(super) fn entries(from: u64, to: u64) -> Write {
    let entries = (from..=to).map(|offset| entry(offset, "bob", offset)).collect();
    Write::Event(Event::Chat(ChatEvent::Entries { entries, live: true }))
}

pub(super) fn started(epoch: u64, from: u64, why: LogRestart) -> Write {
    Write::Event(Event::Chat(ChatEvent::LogStarted { epoch: Epoch(epoch), from: Offset(from), why }))
}

pub(super) fn welcomed(head: u64) -> Write {
    Write::Event(Event::Link(LinkEvent::Welcomed {
        me: me(),
        server: "hub".into(),
        log: LogKind::Server { head: Offset(head), next: Offset(head + 1) },
        now: WallMs(0),
        people: Vec::new(),
        rooms: vec![general().into()],
        features: Default::default(),
    }))
}

pub(super) fn item(seq: u64) -> OutboxItem {
    OutboxItem {
        draft: Draft {
            id: id(1_000_000 + seq),
            room: general(),
            content: Content::text(format!("typed {seq}")),
            at: WallMs(5),
        },
        seq,
        delivery: Delivery::Pending,
    }
}

/// Awaits on the spot: the store's threads do the work.
pub(super) fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

pub(super) fn open(dir: &Path) -> ClientStore {
    let opened = ClientStore::open(dir);
    assert_eq!(opened.banners, []);
    opened.store
}

pub(super) fn commit(store: &ClientStore, writes: Vec<Write>) {
    assert_eq!(wait(store.commit(C, writes)), Commit::Saved);
}

pub(super) fn load(store: &ClientStore) -> Loaded {
    wait(store.load(C)).unwrap()
}

/// Lets a test look at, or break, what the writer thread has.
pub(super) fn with_keeper(
    store: &ClientStore,
    test: impl FnOnce(&mut super::held::ClientWriter) + Send + 'static,
) {
    store.jobs().unwrap().blocking_send(Job::Test(Box::new(test))).unwrap();
}

pub(super) fn offsets(loaded: &Loaded) -> Vec<u64> {
    loaded.stored.rooms[0].messages.iter().map(|message| message.position.offset.0).collect()
}

#[test]
fn everything_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    commit(&store, vec![welcomed(3), started(u64::MAX, 1, LogRestart::First), entries(1, 3)]);
    commit(&store, vec![Write::Queue(item(1)), Write::Queue(item(2)), Write::Queue(item(3))]);
    commit(&store, vec![Write::Attempted(vec![item(1).draft.id])]);
    let refusal = crate::model::Refusal::TooLarge { limit: 9 };
    commit(
        &store,
        vec![Write::Event(Event::Chat(ChatEvent::Refused {
            id: item(2).draft.id,
            refusal: refusal.clone(),
        }))],
    );
    commit(
        &store,
        vec![Write::Event(Event::Chat(ChatEvent::Acknowledged {
            id: item(3).draft.id,
            offset: Offset(4),
            received: WallMs(44),
            follows: Default::default(),
        }))],
    );
    commit(&store, vec![Write::Draft { room: general(), text: "half a sen".into() }]);
    commit(
        &store,
        vec![Write::Event(Event::Chat(ChatEvent::ReadMarker { room: general(), offset: Offset(2) }))],
    );
    let before = load(&store);
    drop(store);
    let store = open(dir.path());
    let after = load(&store);
    assert_eq!(after, before);
    assert_eq!(after.stored.me, Some(me()));
    let resume = after.saved.log.resume.unwrap();
    assert_eq!((resume.epoch, resume.offset.0, resume.id), (Epoch(u64::MAX), 3, id(3)));
    let room = &after.stored.rooms[0];
    assert_eq!((room.unread, room.read.offset.0, room.newest.offset.0), (1, 2, 3));
    assert_eq!(room.draft, "half a sen");
    assert_eq!(offsets(&after), [1, 2, 3]);
    let deliveries: Vec<_> = after.stored.outbox.into_iter().map(|item| item.delivery).collect();
    let acknowledged = Delivery::Acknowledged { offset: Offset(4), received: WallMs(44) };
    assert_eq!(deliveries, [Delivery::Attempted, Delivery::Failed(refusal), acknowledged]);
    assert_eq!(wait(store.next_seq(C)).unwrap(), 4);
}

#[test]
fn a_log_that_began_anew_is_asked_for_from_where_it_began() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    assert_eq!(
        (load(&store).saved.log.resume, load(&store).saved.log.since),
        (None, None),
        "nothing is held"
    );
    commit(&store, vec![welcomed(3), started(1, 1, LogRestart::First), entries(1, 3)]);
    commit(&store, vec![welcomed(9), started(1, 7, LogRestart::EpochChanged)]);
    drop(store);
    let loaded = load(&open(dir.path()));
    assert_eq!((loaded.saved.log.resume, loaded.saved.log.since), (None, Some(Offset(6))));
}

#[test]
fn a_copy_taken_in_mid_flight_holds_every_commit_that_was_saved() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    commit(&store, vec![welcomed(0), started(1, 1, LogRestart::First)]);
    for offset in 1..=20 {
        commit(&store, vec![entries(offset, offset), Write::Queue(item(offset))]);
        // What a killed process leaves behind: the files as they are, not closed.
        let crash = tempfile::tempdir().unwrap();
        for file in ["client.db", "client.db-wal"] {
            std::fs::copy(dir.path().join(file), crash.path().join(file)).unwrap();
        }
        let loaded = load(&open(crash.path()));
        assert_eq!(loaded.saved.log.resume.unwrap().offset, Offset(offset));
        assert_eq!(loaded.stored.outbox.len() as u64, offset);
        assert_eq!(offsets(&loaded).len() as u64, offset);
    }
}

#[test]
fn an_own_message_leaves_the_outbox_in_the_commit_that_brings_it_back() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    commit(&store, vec![welcomed(0), started(1, 1, LogRestart::First), Write::Queue(item(1))]);
    let mut mine = entry(1, "me", 1);
    mine.draft.id = item(1).draft.id;
    commit(&store, vec![Write::Event(Event::Chat(ChatEvent::Entries { entries: vec![mine], live: true }))]);
    let loaded = load(&store);
    assert_eq!(loaded.stored.outbox, []);
    assert_eq!(loaded.stored.rooms[0].unread, 0);
    // Whoever queues it again is late.
    commit(&store, vec![Write::Queue(item(1))]);
    assert_eq!(load(&store).stored.outbox, []);
}

#[test]
fn a_removed_connection_leaves_nothing_and_the_others_stay() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let log = || vec![welcomed(0), started(1, 1, LogRestart::First), entries(1, 50), Write::Queue(item(1))];
    commit(&store, log());
    wait(store.commit(ConnectionId(8), log()));
    commit(&store, vec![Write::RemoveConnection]);
    assert_eq!(load(&store), Loaded::default());
    let rows = |keeper: &mut super::held::ClientWriter| -> i64 {
        keeper.db.as_ref().unwrap().query_row("SELECT count(*) FROM message", (), |row| row.get(0)).unwrap()
    };
    let (tell, told) = std::sync::mpsc::sync_channel(1);
    with_keeper(&store, move |keeper| {
        while write::purge(keeper.db.as_ref().unwrap(), 10).unwrap() {}
        tell.send(rows(keeper)).unwrap();
    });
    assert_eq!(told.recv().unwrap(), 50);
    assert_eq!(offsets(&wait(store.load(ConnectionId(8))).unwrap()).len(), 50);
    // Its number may be given to another one.
    commit(&store, log());
    assert_eq!(offsets(&load(&store)).len(), 50);
}

#[test]
fn commits_that_wait_share_one_transaction() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let (go, hold) = std::sync::mpsc::sync_channel::<()>(0);
    with_keeper(&store, move |_| hold.recv().unwrap());
    wait(async {
        let mut tickets = Vec::new();
        for seq in 1..=40 {
            tickets.push(store.submit(C, vec![Write::Queue(item(seq))]).await);
        }
        go.send(()).unwrap();
        for ticket in tickets {
            assert_eq!(ticket.done().await, Commit::Saved);
        }
    });
    let (tell, told) = std::sync::mpsc::sync_channel(1);
    with_keeper(&store, move |keeper| tell.send(keeper.transactions).unwrap());
    assert!(told.recv().unwrap() <= 2, "one for the one that was held, one for all the others");
    assert_eq!(load(&store).stored.outbox.len(), 40);
}

#[test]
fn what_a_server_offers_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    assert_eq!(load(&store).stored.features, None);
    let features = crate::model::Features::new(["typing", "of a later version"]);
    let Write::Event(Event::Link(LinkEvent::Welcomed { me, server, log, now, people, rooms, .. })) =
        welcomed(0)
    else {
        unreachable!()
    };
    let told =
        Event::Link(LinkEvent::Welcomed { me, server, log, now, people, rooms, features: features.clone() });
    commit(&store, vec![Write::Event(told)]);
    drop(store);
    assert_eq!(load(&open(dir.path())).stored.features, Some(features));
}

#[test]
fn what_was_not_understood_once_is_shown_once_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut mine = entry(7, "me", 7);
    mine.draft.content = Content::text("of mine");
    let mut room = entry(4, "bob", 4);
    let name = RoomName::new("Lathes").unwrap();
    (room.draft.room, room.draft.content) = (RoomId::new("lathes").unwrap(), Content::room(name));
    let mut reply = serde_json::to_value(entry(2, "bob", 2)).unwrap();
    reply["reply_to"] = serde_json::json!({"offset": 1});
    let value = |entry: &Entry| serde_json::to_value(entry).unwrap();
    // These were of kinds that an earlier version did not know.
    let later = [
        (2, reply),
        (4, value(&room)),
        (7, value(&mine)),
        (8, serde_json::json!({"kind": "message", "body": 7})),
        (9, serde_json::json!({"kind": "poll"})),
    ];
    let unknown = |offset| {
        let mut poll = entry(offset, "bob", offset);
        poll.draft.content = Content::from_fields("poll", None, Extra::default()).unwrap();
        poll
    };
    commit(&store, vec![welcomed(9), started(1, 1, LogRestart::First)]);
    for offset in 1..=9 {
        let is_later = later.iter().any(|(later, _)| *later == offset);
        let entries = vec![if is_later { unknown(offset) } else { entry(offset, "bob", offset) }];
        commit(&store, vec![Write::Event(Event::Chat(ChatEvent::Entries { entries, live: true }))]);
        if offset == 3 {
            let read = ChatEvent::ReadMarker { room: general(), offset: Offset(offset) };
            commit(&store, vec![Write::Event(Event::Chat(read))]);
        }
    }
    drop(store);
    let db = rusqlite::Connection::open(dir.path().join(super::FILE)).unwrap();
    for (offset, json) in &later {
        let known = "UPDATE other_entry SET json = ?2 WHERE offset = ?1";
        assert_eq!(db.execute(known, rusqlite::params![*offset as i64, json.to_string()]).unwrap(), 1);
    }
    let broken = "INSERT INTO other_entry (connection, era, offset, json) VALUES (?1, 1, 10, '{')";
    db.execute(broken, [C.0.cast_signed()]).unwrap();
    drop(db);
    for _ in 0..2 {
        let store = open(dir.path());
        let loaded = load(&store);
        let rooms: Vec<_> = loaded.stored.rooms.iter().map(|room| room.name.as_str()).collect();
        assert_eq!(rooms, ["general", "Lathes"]);
        assert_eq!(offsets(&loaded), [1, 2, 3, 5, 6, 7], "each in its place");
        let general = &loaded.stored.rooms[0];
        assert_eq!((general.unread, general.newest.offset.0), (2, 7), "what is mine is read");
        assert_eq!(
            general.messages[1].content.extra().json().as_deref(),
            Some(r#"{"reply_to":{"offset":1}}"#)
        );
        drop(store);
    }
    let db = rusqlite::Connection::open(dir.path().join(super::FILE)).unwrap();
    let left: Vec<i64> = db
        .prepare("SELECT offset FROM other_entry ORDER BY offset")
        .unwrap()
        .query_map((), |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(left, [4, 8, 9, 10], "what is still not understood stays");
}

#[test]
fn what_a_later_version_typed_waits_in_the_outbox_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let fields = Extra::from_json(r#"{"body":{"text":"?"},"choices":["a",{"b":1.5}]}"#);
    let mut poll = item(1);
    poll.draft.content = Content::from_fields("poll", None, fields).unwrap();
    let mut reply = item(2);
    reply.draft.content =
        Content::Text { body: "x".into(), extra: Extra::from_json(r#"{"reply_to":{"offset":1}}"#) };
    commit(&store, vec![Write::Queue(poll.clone()), Write::Queue(reply.clone())]);
    drop(store);
    assert_eq!(load(&open(dir.path())).stored.outbox, [poll, reply]);
}

#[test]
fn what_is_not_understood_of_the_log_is_kept_as_it_came() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let changed = |offset, change: serde_json::Value| {
        let mut json = serde_json::to_value(entry(offset, "bob", offset)).unwrap();
        for (name, value) in change.as_object().unwrap() {
            json[name.as_str()] = value.clone();
        }
        (serde_json::from_value::<Entry>(json.clone()).unwrap(), json)
    };
    let (poll, poll_json) = changed(2, serde_json::json!({"kind": "poll", "choices": ["a", 2]}));
    let (reply, _) = changed(3, serde_json::json!({"reply_to": {"offset": 1}}));
    let (room, room_json) =
        changed(4, serde_json::json!({"kind": "room", "name": "Lathes", "topic": "lathes"}));
    let entries = vec![entry(1, "bob", 1), poll, reply, room, entry(5, "bob", 5)];
    let taken = Write::Event(Event::Chat(ChatEvent::Entries { entries, live: true }));
    commit(&store, vec![welcomed(5), started(1, 1, LogRestart::First), taken.clone()]);
    commit(&store, vec![taken]);
    let loaded = load(&store);
    assert_eq!(loaded.saved.log.resume.map(|resume| resume.offset.0), Some(5), "they keep their place");
    assert_eq!(offsets(&loaded), [1, 3, 5]);
    drop(store);
    let db = rusqlite::Connection::open(dir.path().join(super::FILE)).unwrap();
    let mut query = db.prepare("SELECT json FROM other_entry ORDER BY era, offset").unwrap();
    let kept: Vec<serde_json::Value> = query
        .query_map((), |row| row.get::<_, String>(0))
        .unwrap()
        .map(|json| serde_json::from_str(&json.unwrap()).unwrap())
        .collect();
    assert_eq!(kept, [poll_json, room_json]);
    let extra: Vec<Option<String>> = db
        .prepare("SELECT extra FROM message ORDER BY offset")
        .unwrap()
        .query_map((), |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(extra, [None, Some(r#"{"reply_to":{"offset":1}}"#.to_owned()), None]);
}

#[test]
fn the_parts_of_a_long_list_are_taken_in_one_after_the_other() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    commit(&store, vec![welcomed(3), started(1, 1, LogRestart::First), entries(1, 3)]);
    let part = |rooms: std::ops::Range<u32>, more| {
        let rooms = rooms.map(|number| RoomId::new(format!("room {number}")).unwrap().into()).collect();
        let read = vec![(general(), Offset(if more { 2 } else { 1 }))];
        Write::Event(Event::Chat(ChatEvent::Listed(crate::model::event::Listed {
            rooms,
            people: Vec::new(),
            read,
            more,
        })))
    };
    commit(&store, vec![part(0..3, true)]);
    commit(&store, vec![part(2..5, false)]);
    let stored = load(&store).stored;
    assert_eq!(stored.rooms.len(), 6);
    let of = stored.rooms.iter().find(|room| room.id == general()).unwrap();
    assert_eq!((of.read.offset.0, of.unread), (2, 1), "a marker only moves forward");
}
