//! What is kept at most, and what is let go of.

use super::*;
use crate::model::id::Offset;
use crate::model::time::WallMs;

const DAY: i64 = 86_400_000;

fn at(received: WallMs, append: Append) -> Append {
    Append { received, ..append }
}

fn refused(appended: Appended) -> (Quota, Option<WallMs>) {
    match appended {
        Appended::Refused { quota, until } => (quota, until),
        other => panic!("{other:?}"),
    }
}

fn is_new(appended: &Appended) -> bool {
    matches!(appended, Appended::New(_))
}

#[test]
fn what_one_writes_in_a_day_is_counted_over_a_crash_and_is_free_again_the_next_day() {
    let dir = tempfile::tempdir().unwrap();
    let limits =
        LogLimits { messages_per_day: 3, bytes_per_day: 100, rooms_per_day: 1, ..LogLimits::default() };
    let store = open(dir.path());
    store.set_limits(limits);
    let noon = 20_000 * DAY + DAY / 2;
    for number in 1..=2 {
        assert!(is_new(&append(&store, at(WallMs(noon), message("ann", number, "x")))));
    }
    assert!(is_new(&append(&store, at(WallMs(noon), room("one", 8)))));
    assert_eq!(
        refused(append(&store, at(WallMs(noon), room("two", 9)))),
        (Quota::RoomsToday, Some(WallMs(20_001 * DAY)))
    );
    // As after a crash: nothing was written down when it ended.
    let kept = std::fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().path());
    let copy = tempfile::tempdir().unwrap();
    for file in kept {
        std::fs::copy(&file, copy.path().join(file.file_name().unwrap())).unwrap();
    }
    drop(store);
    for dir in [dir.path(), copy.path()] {
        let store = open(dir);
        store.set_limits(limits);
        assert!(is_new(&append(&store, at(WallMs(noon), message("ann", 3, "x")))));
        let until = Some(WallMs(20_001 * DAY));
        assert_eq!(
            refused(append(&store, at(WallMs(noon), message("ann", 4, "x")))),
            (Quota::MessagesToday, until)
        );
        assert!(
            is_new(&append(&store, at(WallMs(noon), message("bob", 5, &"x".repeat(100))))),
            "somebody else"
        );
        assert_eq!(
            refused(append(&store, at(WallMs(noon), message("bob", 6, "x")))),
            (Quota::BytesToday, until)
        );
        let known = append(&store, at(WallMs(noon), message("ann", 1, "x")));
        assert!(matches!(known, Appended::Known { .. }), "what is known is acknowledged all the same");
        let next = 20_001 * DAY;
        assert!(is_new(&append(&store, at(WallMs(next), message("ann", 4, "x")))), "the next day");
        assert_eq!(all(&store).len() as u64, store.head().0, "nothing was written in between");
    }
}

#[test]
fn counts_that_were_written_down_are_not_counted_twice() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    for restart in 0..5 {
        let new =
            (0..1_000).map(|number| at(WallMs(20_000 * DAY), message("ann", restart * 1_000 + number, "x")));
        assert_eq!(wait(store.append_all(new.collect())).unwrap().len(), 1_000);
        drop(store);
        store = open(dir.path());
    }
    store.set_limits(LogLimits { messages_per_day: 5_001, ..LogLimits::default() });
    assert!(is_new(&append(&store, at(WallMs(20_000 * DAY), message("ann", 9_998, "x")))));
    assert_eq!(
        refused(append(&store, at(WallMs(20_000 * DAY), message("ann", 9_999, "x")))).0,
        Quota::MessagesToday
    );
}

#[test]
fn rooms_are_limited_by_person_and_in_all_and_messages_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.set_limits(LogLimits { rooms: 4, rooms_per_person: 2, ..LogLimits::default() });
    let of = |who: &str, name: &str, number| Append {
        sender: Sender { id: PrincipalId(who.into()), name: who.into() },
        ..room(name, number)
    };
    assert!(is_new(&append(&store, of("ann", "a", 1))));
    assert!(is_new(&append(&store, of("ann", "b", 2))));
    assert_eq!(refused(append(&store, of("ann", "c", 3))), (Quota::RoomsOfPerson, None));
    assert!(matches!(append(&store, of("ann", "a", 4)), Appended::RoomExists { offset: Offset(2), .. }));
    assert!(is_new(&append(&store, of("bob", "c", 5))));
    assert_eq!(refused(append(&store, of("bob", "d", 6))), (Quota::Rooms, None));
    assert!(is_new(&append(&store, message("ann", 7, "x"))));
    let known = |name: &str| store.has_room(&RoomId::new(name).unwrap());
    assert!(known("general") && known("c") && !known("d"));
}

#[test]
fn no_more_people_join_than_there_may_be() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.set_limits(LogLimits { people: 1, ..LogLimits::default() });
    let join = |number: u8| {
        wait(store.change(invite(number, PrincipalKind::Person), WallMs(1))).unwrap().unwrap();
        let id = PrincipalId(number.to_string());
        wait(store.redeem([number; 32], "Ann".into(), [number; 32], id, WallMs(5)))
    };
    join(1).unwrap();
    assert!(matches!(join(2), Err(RedeemError::Refused(InviteRefused::Full))));
    store.set_limits(LogLimits { people: 2, ..LogLimits::default() });
    assert!(wait(store.redeem([2; 32], "Ben".into(), [2; 32], PrincipalId("2".into()), WallMs(5))).is_ok());
}

#[test]
fn a_message_that_is_refused_takes_those_behind_it_along() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let used = wait(store.used_bytes()).unwrap();
    store.set_limits(LogLimits { log_bytes: used + 10_000, ..LogLimits::default() });
    let sizes = [100, 20_000, 100];
    let appends = sizes.iter().zip(1..).map(|(size, number)| message("ann", number, &"x".repeat(*size)));
    let done = wait(store.append_all(appends.collect())).unwrap();
    assert!(is_new(&done[0]));
    assert_eq!(refused(done[1].clone()).0, Quota::LogFull);
    assert_eq!(refused(done[2].clone()).0, Quota::LogFull, "a smaller one does not overtake it");
    assert!(is_new(&append(&store, message("bob", 9, "x"))), "somebody else's does");
}

#[test]
fn no_message_of_a_connection_is_written_behind_one_that_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut nowhere = message("ann", 1, "x");
    nowhere.draft.room = RoomId::new("nowhere").unwrap();
    let known = message("ann", 9, "x");
    assert!(is_new(&append(&store, known.clone())));
    let all = || vec![nowhere.clone(), room("attic", 3), message("ann", 2, "x"), known.clone()];
    let done = wait(store.append_in_order(all())).unwrap();
    assert!(matches!(
        done[..],
        [Appended::NoSuchRoom, Appended::New(_), Appended::Behind, Appended::Known { .. }]
    ));
    let done = wait(store.append_all(all())).unwrap();
    assert!(is_new(&done[2]), "those of others are written");
}

#[test]
fn a_full_log_takes_messages_again_once_old_ones_have_gone() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let full = LogLimits { log_bytes: 400_000, keep_ms: DAY, ..LogLimits::default() };
    store.set_limits(full);
    let mut number = 0;
    let until = loop {
        number += 1;
        match append(&store, at(WallMs(1_000 + number as i64), message("ann", number, &"x".repeat(5_000)))) {
            Appended::New(_) => {}
            other => break refused(other),
        }
        assert!(number < 200, "it is never full");
    };
    assert_eq!(until.0, Quota::LogFull);
    assert_eq!(until.1, Some(WallMs(DAY + 77)), "when the oldest entry is old enough");
    assert!(!wait(store.retain(WallMs(DAY))).unwrap());
    assert_eq!(store.oldest(), Offset(1), "nothing is old yet");
    while wait(store.retain(WallMs(2 * DAY))).unwrap() {}
    assert_eq!(store.oldest(), store.head(), "the newest stays");
    assert!(is_new(&append(&store, at(WallMs(2 * DAY), message("ann", number, &"x".repeat(5_000))))));
}

#[test]
fn the_oldest_go_instead_where_that_is_wanted_and_the_database_stays_small() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.set_limits(LogLimits { log_bytes: 1_000_000, drop_oldest: true, ..LogLimits::default() });
    let mut taken = 0;
    for number in 0..1_000 {
        match append(&store, message("ann", number, &"x".repeat(5_000))) {
            Appended::New(_) => taken += 1,
            // It comes again when there is room: here at once.
            other => assert_eq!(refused(other).0, Quota::LogFull),
        }
        if number % 20 == 0 {
            while wait(store.retain(WallMs(0))).unwrap() {}
        }
    }
    assert!(taken > 900, "{taken}");
    assert!(store.oldest() > Offset(700), "{}", store.oldest());
    assert!(wait(store.used_bytes()).unwrap() <= 1_000_000);
    let size = std::fs::metadata(dir.path().join(FILE)).unwrap().len();
    assert!(size < 1_300_000, "{size}");
}

#[test]
fn what_was_let_go_of_is_known_and_rooms_and_markers_stay() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    append(&store, room("left", 1));
    for number in 2..=10 {
        append(&store, at(WallMs(100 + number as i64), message("ann", number, "x")));
    }
    let (left, ann) = (RoomId::new("left").unwrap(), PrincipalId("ann".into()));
    wait(store.set_read(ann.clone(), left.clone(), Offset(2))).unwrap();
    store.set_limits(LogLimits { keep_ms: DAY, ..LogLimits::default() });
    while wait(store.retain(WallMs(DAY + 109))).unwrap() {}
    let check = |store: &HubStore| {
        assert_eq!((store.oldest(), store.head()), (Offset(10), Offset(11)));
        assert_eq!(all(store).iter().map(|entry| entry.offset.0).collect::<Vec<_>>(), [10, 11]);
        let known = |offset, received| Appended::Known { offset, received };
        assert_eq!(append(store, message("ann", 5, "x")), known(Offset(6), WallMs(105)), "sent again");
        assert_eq!(append(store, room("left", 1)), known(Offset(2), WallMs(2)));
        assert!(matches!(
            append(store, room("left", 99)),
            Appended::RoomExists { offset: Offset(2), received: WallMs(2), .. }
        ));
        assert_eq!(wait(store.rooms()).unwrap(), [NamedRoom::general(), left.clone().into()]);
        assert_eq!(wait(store.reads(ann.clone())).unwrap(), [(left.clone(), Offset(2))]);
        assert_eq!(wait(store.at_and_oldest(Offset(5))).unwrap(), (None, Offset(10)));
        assert_eq!(
            wait(store.history(PrincipalId("x".into()), RoomId::general(), Offset(20), 9, usize::MAX))
                .unwrap()
                .0
                .len(),
            2
        );
        assert!(
            wait(store.history(PrincipalId("x".into()), left.clone(), Offset(20), 9, usize::MAX)).unwrap().1,
            "no older ones are held"
        );
    };
    check(&store);
    drop(store);
    let store = open(dir.path());
    check(&store);
    let new = append(&store, message("ann", 100, "x"));
    assert!(matches!(new, Appended::New(Entry { offset: Offset(12), .. })), "offsets go on");
}

#[test]
fn a_database_of_before_keeps_who_made_its_rooms() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(FILE);
    {
        let before = migrate::Schema { steps: &schema::SCHEMA.steps[..1], ..schema::SCHEMA };
        let db = migrate::open(&path, &before).unwrap();
        db.execute_batch(
            "INSERT INTO log VALUES (1, 5);
             INSERT INTO room VALUES (1, 'general', 1), (2, 'left', 2);
             INSERT INTO entry VALUES (1, zeroblob(16), 'hub', 'hub', 'room', 1, '', 7, 7);
             INSERT INTO entry VALUES (2, x'00000000000000000000000000000001', 'ann', 'Ann', 'room', 2, '', 8, 9);",
        )
        .unwrap();
    }
    let store = open(dir.path());
    let left = RoomId::new("left").unwrap();
    assert_eq!(
        wait(store.rooms()).unwrap(),
        [NamedRoom::general(), left.clone().into()],
        "its id is its name"
    );
    let content = wait(store.read(Offset(2), 1, 1)).unwrap().remove(0).draft.content;
    assert_eq!(content, Content::room(RoomName::of_id(&left)));
    assert!(matches!(
        append(&store, room("left", 99)),
        Appended::RoomExists { offset: Offset(2), received: WallMs(9), .. }
    ));
    store.set_limits(LogLimits { rooms_per_person: 1, ..LogLimits::default() });
    assert_eq!(refused(append(&store, room("right", 3))).0, Quota::RoomsOfPerson);
}
