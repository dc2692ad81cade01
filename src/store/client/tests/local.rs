//! Logs that are numbered here: entries get their offsets when they are written, and none of them is ever let go.

use super::held::{break_disk, mend_disk};
use super::*;
use crate::model::event::LogKind;
use crate::model::id::Offset;

fn joined() -> Write {
    match welcomed(0) {
        Write::Event(Event::Link(LinkEvent::Welcomed {
            me, server, now, people, rooms, features, ..
        })) => {
            let log = LogKind::Local;
            Write::Event(Event::Link(LinkEvent::Welcomed { me, server, log, now, people, rooms, features }))
        }
        _ => unreachable!(),
    }
}

fn said(numbers: &[u64]) -> Write {
    let entries =
        numbers.iter().map(|number| Entry { offset: Offset(0), ..entry(0, "server", *number) }).collect();
    Write::Event(Event::Chat(ChatEvent::Entries { entries, live: true }))
}

fn outcome(store: &ClientStore, writes: Vec<Write>) -> Outcome {
    wait(async { store.submit(C, writes).await.outcome().await })
}

#[test]
fn entries_are_numbered_when_they_are_written() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let first = outcome(&store, vec![joined(), said(&[1, 2]), Write::Queue(item(1)), said(&[3])]);
    assert_eq!((first.commit, first.numbered), (Commit::Saved, vec![(1, Offset(1)), (3, Offset(3))]));
    drop(store);
    let store = open(dir.path());
    let again = outcome(&store, vec![joined(), said(&[4])]);
    assert_eq!(again.numbered, [(1, Offset(4))], "the same log goes on");
    let loaded = load(&store);
    assert_eq!(offsets(&loaded), [1, 2, 3, 4]);
    assert_eq!((loaded.stored.era, loaded.stored.is_local, loaded.stored.received_to), (1, true, Offset(4)));
    assert_eq!(loaded.saved, Default::default(), "there is nothing to ask the server for");
}

#[test]
fn a_log_of_a_servers_own_is_another_era_before_and_after() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    commit(&store, vec![welcomed(0), started(1, 1, LogRestart::First), entries(1, 2)]);
    let local = outcome(&store, vec![joined(), said(&[7])]);
    assert_eq!(local.numbered, [(1, Offset(1))]);
    let loaded = load(&store);
    assert_eq!((loaded.stored.era, loaded.stored.is_local), (2, true));
    assert_eq!(loaded.saved.log.resume, None);
    commit(&store, vec![welcomed(2), started(1, 3, LogRestart::EpochChanged), entries(3, 3)]);
    let loaded = load(&store);
    assert_eq!((loaded.stored.era, loaded.stored.is_local), (3, false));
    assert_eq!(offsets(&loaded), [1, 2, 1, 3]);
}

#[test]
fn while_the_disk_takes_nothing_all_of_it_is_held_and_numbered_later() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    commit(&store, vec![joined(), said(&[1])]);
    break_disk(&store, |_| Err(StoreError::Full));
    with_keeper(&store, |keeper| keeper.limit = 1_000);
    let many: Vec<Outcome> = (2..50).map(|number| outcome(&store, vec![said(&[number])])).collect();
    assert!(many.iter().all(|each| each.commit == Commit::Held && each.numbered.is_empty()));
    mend_disk(&store);
    commit(&store, vec![said(&[50])]);
    for (each, offset) in many.into_iter().zip(2..) {
        let later = wait(each.later.unwrap()).unwrap();
        assert_eq!((later.commit, later.numbered), (Commit::Saved, vec![(0, Offset(offset))]));
    }
    assert_eq!(load(&store).stored.received_to, Offset(50));
    assert!(store.health().borrow().behind.is_empty());
}

#[test]
fn what_may_not_have_arrived_is_so_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let sent = |id| Write::Event(Event::Chat(ChatEvent::Sent(vec![id])));
    let unsure = |id| Write::Event(Event::Chat(ChatEvent::Unsure(vec![id])));
    commit(&store, vec![joined(), Write::Queue(item(1)), Write::Queue(item(2)), sent(item(1).draft.id)]);
    commit(&store, vec![unsure(item(2).draft.id), Write::State(b"kept".to_vec())]);
    drop(store);
    let loaded = load(&open(dir.path()));
    let deliveries: Vec<_> = loaded.stored.outbox.iter().map(|item| item.delivery.clone()).collect();
    assert_eq!(deliveries, [Delivery::Sent, Delivery::Unsure]);
    assert_eq!(loaded.saved.state.as_deref(), Some(&b"kept"[..]));
}
