//! What changes messages: who may, how much, and what is left of a message that was deleted.

use super::*;
use crate::model::change::MAX_EMOJI;
use crate::model::id::Offset;
use crate::model::time::WallMs;

fn change(sender: &str, number: u64, content: Content) -> Append {
    let mut one = message(sender, number, "");
    one.draft.content = content;
    if sender == "boss" {
        one.role = crate::model::Role::Admin;
    }
    one
}

fn is_new(appended: &Appended) -> bool {
    matches!(appended, Appended::New(_))
}

#[test]
fn only_authors_edit_and_only_they_and_admins_delete() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    append(&store, message("ann", 1, "one"));
    append(&store, message("ann", 2, "two"));
    assert_eq!(append(&store, change("bob", 3, Content::edit(id(1), "x"))), Appended::NotYours);
    assert_eq!(append(&store, change("boss", 4, Content::edit(id(1), "x"))), Appended::NotYours);
    assert_eq!(append(&store, change("bob", 5, Content::delete(id(1)))), Appended::NotYours);
    assert_eq!(append(&store, change("ann", 6, Content::edit(id(9), "x"))), Appended::NoSuchMessage);
    let edited = append(&store, change("ann", 7, Content::edit(id(1), "1st")));
    let Appended::New(edited) = edited else { panic!("{edited:?}") };
    assert_eq!(edited.draft.content.target_offset(), Some(Offset(2)));
    assert!(is_new(&append(&store, change("boss", 8, Content::delete(id(1))))));
    assert!(is_new(&append(&store, change("ann", 9, Content::delete(id(2))))));
    // What was deleted stays so.
    assert_eq!(append(&store, change("ann", 10, Content::edit(id(1), "x"))), Appended::NoSuchMessage);
    let again = append(&store, change("ann", 11, Content::delete(id(1))));
    assert!(matches!(again, Appended::Redundant { offset: Offset(2), .. }), "{again:?}");
    let read = all(&store);
    assert!(read.iter().all(|entry| entry.draft.content.body().is_empty()), "{read:?}");
    let mut said = read[1].draft.content.clone();
    assert_eq!(said.take_deleted().map(|(who, _)| who.name).as_deref(), Some("BOSS"));
    assert_eq!(read[3].draft.content, Content::edit(id(1), "").with_target_offset(Some(Offset(2))));
}

#[test]
fn a_deleted_message_is_in_the_file_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    append(&store, message("ann", 1, "very secret words"));
    append(&store, change("ann", 2, Content::edit(id(1), "very secret, corrected")));
    append(&store, change("ann", 3, Content::delete(id(1))));
    // The write-ahead log is emptied while the hub runs.
    let log = dir.path().join(format!("{FILE}-wal"));
    let until = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while std::fs::metadata(&log).is_ok_and(|file| file.len() > 0) {
        assert!(std::time::Instant::now() < until, "what was deleted is still in the write-ahead log");
        std::thread::yield_now();
    }
    drop(store);
    let file = std::fs::read(dir.path().join(FILE)).unwrap();
    assert!(!file.windows(11).any(|window| window == b"very secret"));
}

#[test]
fn a_message_id_names_one_message_whoever_wrote_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    append(&store, message("ann", 1, "one"));
    assert_eq!(append(&store, message("bob", 1, "another")), Appended::IdTaken);
    // What is no message may have any.
    assert!(is_new(&append(&store, change("bob", 1, Content::reaction(id(1), "👍", false)))));
}

#[test]
fn reactions_are_a_bounded_set() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    append(&store, message("ann", 1, "one"));
    let mut number = 100;
    let mut react = |who: &str, emoji: &str, off| {
        number += 1;
        append(&store, change(who, number, Content::reaction(id(1), emoji, off)))
    };
    assert!(is_new(&react("bob", "❤", false)));
    assert!(matches!(react("bob", "❤️", false), Appended::Redundant { .. }), "one spelling of each");
    assert!(matches!(react("cy", "❤️", true), Appended::Redundant { .. }));
    assert!(is_new(&react("bob", "❤️", true)));
    let emoji: Vec<&str> = emojis::iter().take(MAX_EMOJI + 1).map(|emoji| emoji.as_str()).collect();
    assert!(emoji[..MAX_EMOJI].iter().all(|emoji| is_new(&react("bob", emoji, false))));
    let one_more = react("bob", emoji[MAX_EMOJI], false);
    assert_eq!(one_more, Appended::TooMany { limit: MAX_EMOJI as u64 });
    assert!(is_new(&react("cy", emoji[0], false)), "of one that is there already");
}

#[test]
fn a_reply_names_a_message_of_its_room_and_a_thread_one_that_is_in_none() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    append(&store, room("lathes", 50));
    append(&store, message("ann", 1, "one"));
    let reply = append(&store, change("bob", 2, Content::reply("two", id(1), Some(id(1)))));
    let Appended::New(reply) = reply else { panic!("{reply:?}") };
    assert_eq!(reply.draft.content.target_offset(), Some(Offset(3)));
    assert_eq!(all(&store)[3], reply);
    let nested = change("bob", 3, Content::reply("three", id(2), Some(id(2))));
    assert_eq!(append(&store, nested), Appended::NoSuchMessage);
    let mut elsewhere = change("bob", 4, Content::reply("four", id(1), None));
    elsewhere.draft.room = RoomId::new("lathes").unwrap();
    assert_eq!(append(&store, elsewhere), Appended::NoSuchMessage);
    let mut forged = message("bob", 5, "five");
    forged.draft.content =
        forged.draft.content.deleted(Some((&reply.sender, WallMs(1)))).with_body("five".into());
    append(&store, forged);
    assert_eq!(all(&store).last().unwrap().draft.content, Content::text("five"));
}

#[test]
fn pins_are_taken_off_by_anybody_and_by_a_deletion() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    append(&store, message("ann", 1, "one"));
    assert!(is_new(&append(&store, change("ann", 2, Content::pin(id(1), false)))));
    assert!(matches!(
        append(&store, change("bob", 3, Content::pin(id(1), false))),
        Appended::Redundant { .. }
    ));
    assert!(is_new(&append(&store, change("bob", 4, Content::pin(id(1), true)))));
    assert!(is_new(&append(&store, change("bob", 5, Content::pin(id(1), false)))));
    append(&store, change("ann", 6, Content::delete(id(1))));
    with_db(&store, |db| {
        let left: i64 = db.query_row("SELECT count(*) FROM pinned", (), |row| row.get(0)).unwrap();
        assert_eq!(left, 0);
    });
}
