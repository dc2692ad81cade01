//! What changes messages, as the disk keeps it: whatever comes first, the same is there.

use super::*;
use crate::model::event::Page;
use crate::model::id::Offset;
use crate::model::search::{Patience, Query, Scope, Search, Term};

fn change(offset: u64, who: &str, content: Content) -> Entry {
    let mut one = entry(offset, who, 10_000 + offset);
    one.draft.content = content;
    one
}

fn at(content: Content, offset: u64) -> Content {
    content.with_target_offset(Some(Offset(offset)))
}

fn log(entries: Vec<Entry>) -> Write {
    Write::Event(Event::Chat(ChatEvent::Entries { entries, live: true }))
}

fn page(store: &ClientStore) -> Page {
    wait(store.jump(C, general(), Jump::End, 100)).unwrap()
}

/// What is shown of each message: its words, its reactions, its quote, the count of its thread.
type Shown = (u64, String, Vec<String>, Option<String>, u32);

fn shown(store: &ClientStore) -> Vec<Shown> {
    let one = |message: crate::model::Message| {
        let reactions =
            message.reactions().iter().map(|one| format!("{}{}", one.emoji, one.by.len())).collect();
        let quote = message.quote.as_ref().map(|quote| quote.text.clone());
        (message.position.offset.0, message.body().to_owned(), reactions, quote, message.replies.count)
    };
    page(store).messages.into_iter().map(one).collect()
}

fn find(store: &ClientStore, text: &str) -> Vec<MessageId> {
    let terms = vec![Term::new(text, false).unwrap()];
    let query = Query { terms, ..Query::default() };
    let patience = Patience::Thorough;
    let search = Search { number: 1, scope: Scope::Everywhere, query, behind: None, patience };
    wait(store.search(search)).unwrap().unwrap().hits.into_iter().map(|hit| hit.id).collect()
}

#[test]
fn a_page_has_what_came_to_its_messages() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    commit(&store, vec![welcomed(9), started(1, 1, LogRestart::First), entries(1, 3)]);
    let reply = at(Content::reply("reply", id(1), Some(id(1))), 1);
    commit(
        &store,
        vec![log(vec![
            change(4, "bob", at(Content::edit(id(1), "corrected"), 1)),
            change(5, "ann", at(Content::edit(id(2), "not hers"), 2)),
            change(6, "ann", at(Content::reaction(id(2), "👍", false), 2)),
            change(7, "cy", Content::reaction(id(2), "👍", false)),
            change(8, "ann", reply),
            change(9, "ann", at(Content::delete(id(3)), 3)),
        ])],
    );
    let expected = vec![
        (1, "corrected".to_owned(), vec![], None, 1),
        (2, "body 2".to_owned(), vec!["👍2".to_owned()], None, 0),
        (3, String::new(), vec![], None, 0),
    ];
    assert_eq!(shown(&store), expected, "what is said in a thread stands there alone");
    assert!(page(&store).messages[2].is_deleted());
    assert_eq!((find(&store, "corrected"), find(&store, "body 1")), (vec![id(1)], vec![]));
    assert_eq!(find(&store, "body 3"), []);
    drop(store);
    assert_eq!(shown(&open(dir.path())), expected, "also after a restart");
}

#[test]
fn what_comes_before_its_message_waits_for_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    commit(&store, vec![welcomed(9), started(1, 8, LogRestart::First)]);
    commit(
        &store,
        vec![log(vec![
            change(8, "bob", at(Content::edit(id(3), "later"), 3)),
            change(9, "ann", at(Content::reaction(id(3), "👍", false), 3)),
        ])],
    );
    assert_eq!(shown(&store), [], "nothing is shown without its message");
    let history = |entries: Vec<Entry>, before| {
        Write::Event(Event::Chat(ChatEvent::History { room: general(), before, entries, complete: false }))
    };
    let older = vec![
        entry(3, "bob", 3),
        change(5, "bob", at(Content::edit(id(3), "earlier"), 3)),
        change(6, "cy", at(Content::reaction(id(3), "👍", false), 3)),
        change(7, "cy", at(Content::reaction(id(2), "🎉", false), 2)),
    ];
    commit(&store, vec![history(older, Offset(8))]);
    assert_eq!(shown(&store), [(3, "later".to_owned(), vec!["👍2".to_owned()], None, 0)]);
    commit(&store, vec![history(vec![entry(2, "bob", 2)], Offset(3))]);
    assert_eq!(shown(&store)[0], (2, "body 2".to_owned(), vec!["🎉1".to_owned()], None, 0));
}

#[test]
fn a_message_of_an_old_era_is_changed_too_and_one_that_comes_again_begins_anew() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    commit(&store, vec![welcomed(3), started(1, 1, LogRestart::First), entries(1, 3)]);
    commit(&store, vec![welcomed(20), started(1, 10, LogRestart::Trimmed)]);
    commit(&store, vec![log(vec![change(10, "bob", at(Content::edit(id(2), "trimmed"), 2))])]);
    assert_eq!(shown(&store)[1].1, "trimmed");
    // A log that was restored from before the edit.
    commit(&store, vec![welcomed(2), started(2, 1, LogRestart::EpochChanged), entries(1, 2)]);
    let bodies: Vec<String> = shown(&store).into_iter().map(|one| one.1).collect();
    assert_eq!(bodies, ["body 3", "body 1", "body 2"]);
}

#[test]
fn nothing_is_left_on_disk_of_what_a_deleted_message_said() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let secret = |n: u32| format!("very secret words number {n}");
    let mut said = entry(1, "bob", 1);
    said.draft.content = Content::text(secret(1));
    commit(&store, vec![welcomed(3), started(1, 1, LogRestart::First), log(vec![said])]);
    commit(
        &store,
        vec![log(vec![
            change(2, "bob", at(Content::edit(id(1), secret(2)), 1)),
            change(3, "bob", at(Content::delete(id(1)), 1)),
        ])],
    );
    drop(store);
    for file in std::fs::read_dir(dir.path()).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let is_there = bytes.windows(11).any(|window| window == b"very secret");
        assert!(!is_there, "{}", path.display());
    }
}
