//! What goes to the disk, in which order, and who is kept waiting meanwhile.

use super::*;
use crate::frame::Frame;
use crate::link::durable::Change;
use crate::model::Event;
use crate::model::content::{Content, Draft};
use crate::model::event::ChatEvent;
use crate::model::event::Stored;
use crate::model::time::BootMs;
use crate::model::time::WallMs;
use crate::model::{Delivery, MessageId, RoomId};
use crate::wire::Saved;
use crate::wire::{Setup, plain};

const NOW: Time = Time { boot_ms: BootMs(1_000_000), wall_ms: WallMs(1_790_000_000_000) };
const A: ConnectionId = ConnectionId(7);
const B: ConnectionId = ConnectionId(8);
const MIB: usize = 1024 * 1024;

fn handle(engine: &mut Engine, input: Input) -> Vec<Effect> {
    engine.handle(NOW, input);
    std::iter::from_fn(|| engine.poll()).collect()
}

fn new(id: ConnectionId) -> NewConnection {
    NewConnection {
        id,
        urls: vec!["ws://a".to_owned()],
        setup: Box::new(Setup::Plain(plain::Config::default())),
        reconnects: true,
        is_said_once: false,
        stored: Stored::default(),
        saved: Saved::default(),
        seed: 1,
    }
}

fn add(engine: &mut Engine, id: ConnectionId) {
    let effects = handle(engine, Input::Add(Box::new(new(id))));
    assert!(matches!(effects[..], [Effect::Event(_, Event::Chat(ChatEvent::Restored(_)))]), "{effects:?}");
}

fn engine() -> Engine {
    let mut engine = Engine::default();
    add(&mut engine, A);
    add(&mut engine, B);
    engine
}

fn draft(bytes: usize) -> Change {
    Change::Draft { room: RoomId::general(), text: "x".repeat(bytes) }
}

/// A message, typed offline.
fn typed(which: u8) -> durable::Input {
    let id = MessageId::from_random([which; 16]);
    let content = Content::text(which.to_string());
    durable::Input::Send(Draft { id, room: RoomId::general(), content, at: NOW.wall_ms })
}

fn parts(effects: &[Effect]) -> &[Part] {
    match effects {
        [Effect::Commit(parts)] => parts,
        other => panic!("one commit and nothing else: {other:?}"),
    }
}

fn saved(part: u64) -> Input {
    Input::Committed { part, outcome: Outcome::Saved { numbered: Vec::new() } }
}

fn held(part: u64) -> Input {
    Input::Committed { part, outcome: Outcome::Held }
}

/// The messages that now show as pending.
fn queued(effects: &[Effect]) -> Vec<Delivery> {
    let queued = |effect: &Effect| match effect {
        Effect::Event(_, Event::Chat(ChatEvent::Queued(item))) => Some(item.delivery.clone()),
        _ => None,
    };
    effects.iter().filter_map(queued).collect()
}

#[test]
fn what_comes_while_a_commit_is_under_way_is_in_the_next_one() {
    let mut engine = engine();
    let first = handle(&mut engine, Input::Keep(A, draft(1)));
    assert_eq!(parts(&first)[0].changes, [draft(1)]);
    assert_eq!(handle(&mut engine, Input::Keep(A, draft(2))), []);
    assert_eq!(handle(&mut engine, Input::Keep(B, draft(3))), []);
    let second = handle(&mut engine, saved(parts(&first)[0].number));
    let second = parts(&second);
    assert_eq!(second.iter().map(|part| part.connection).collect::<Vec<_>>(), [A, B]);
    assert_eq!((&second[0].changes[..], &second[1].changes[..]), (&[draft(2)][..], &[draft(3)][..]));
    assert_eq!(handle(&mut engine, Input::Keep(A, draft(4))), []);
    assert_eq!(handle(&mut engine, saved(second[1].number)), [], "the other part is still under way");
    assert_eq!(parts(&handle(&mut engine, saved(second[0].number))).len(), 1);
}

#[test]
fn much_of_one_connection_does_not_keep_another_waiting() {
    let mut engine = engine();
    let begun = handle(&mut engine, Input::Keep(B, draft(1)));
    for _ in 0..3 {
        assert_eq!(handle(&mut engine, Input::Keep(A, draft(MIB))), []);
    }
    // Of the last of them, whose transaction it is in.
    assert_eq!(handle(&mut engine, Input::Keep(A, Change::State(vec![1]))), []);
    assert_eq!(handle(&mut engine, Input::Keep(B, draft(2))), []);
    let first = handle(&mut engine, saved(parts(&begun)[0].number));
    let [a, b] = parts(&first) else { panic!("{}", parts(&first).len()) };
    assert_eq!((a.changes.len(), &b.changes[..]), (1, &[draft(2)][..]));
    let (a, b) = (a.number, b.number);
    assert_eq!(handle(&mut engine, saved(a)), []);
    let second = handle(&mut engine, saved(b));
    assert_eq!(parts(&second)[0].changes, [draft(MIB)]);
    let third = handle(&mut engine, saved(parts(&second)[0].number));
    assert_eq!(parts(&third)[0].changes, [draft(MIB), Change::State(vec![1])]);
}

#[test]
fn what_was_kept_of_a_connection_is_written_before_it_is_removed() {
    let mut engine = engine();
    let begun = handle(&mut engine, Input::Keep(B, draft(1)));
    for _ in 0..2 {
        assert_eq!(handle(&mut engine, Input::Keep(A, draft(MIB))), []);
    }
    assert_eq!(handle(&mut engine, Input::Remove(A)), []);
    assert_eq!(handle(&mut engine, Input::Keep(A, Change::RemoveConnection)), []);
    let mut written = Vec::new();
    let mut number = parts(&begun)[0].number;
    loop {
        let next = handle(&mut engine, saved(number));
        if next.is_empty() {
            break;
        }
        number = parts(&next).last().unwrap().number;
        for part in parts(&next) {
            written.extend(part.changes.iter().map(|change| *change == Change::RemoveConnection));
            if part.number != number {
                assert_eq!(handle(&mut engine, saved(part.number)), []);
            }
        }
    }
    assert_eq!(written, [false, false, true]);
}

#[test]
fn nothing_shows_before_its_commit_and_nothing_shows_twice() {
    let mut engine = engine();
    let first = handle(&mut engine, Input::Tell(A, typed(1)));
    let number = parts(&first)[0].number;
    let shown = handle(&mut engine, held(number));
    assert_eq!(queued(&shown).len(), 1, "held in memory, and a banner says so");
    assert_eq!(handle(&mut engine, saved(number)), []);
    assert_eq!(handle(&mut engine, saved(number)), [], "an outcome of nothing");
    let second = handle(&mut engine, Input::Tell(A, typed(2)));
    assert_eq!(queued(&handle(&mut engine, saved(parts(&second)[0].number))).len(), 1);
}

#[test]
fn an_outcome_for_a_connection_that_began_anew_is_not_taken_for_the_new_one_s() {
    let mut engine = engine();
    let first = handle(&mut engine, Input::Tell(A, typed(1)));
    add(&mut engine, A);
    // The new one's first, too.
    assert_eq!(handle(&mut engine, Input::Tell(A, typed(2))), []);
    let second = handle(&mut engine, saved(parts(&first)[0].number));
    assert_eq!(queued(&second), [], "the second is not on disk");
    assert_eq!(queued(&handle(&mut engine, saved(parts(&second)[0].number))).len(), 1);
}

#[test]
fn what_came_over_a_connection_that_began_anew_is_not_for_the_new_one() {
    let mut engine = engine();
    let start = || Input::Tell(A, durable::Input::Link(link::Input::Start));
    let dial = |effects: Vec<Effect>| {
        let dial = effects.iter().find_map(|effect| match effect {
            Effect::Dial { dial, .. } => Some(*dial),
            _ => None,
        });
        dial.unwrap()
    };
    let old = dial(handle(&mut engine, start()));
    add(&mut engine, A);
    let new = dial(handle(&mut engine, start()));
    assert_ne!(old, new);
    let closed = vec![link::Input::Closed { dial: old, why: Why::ConnectionRefused }];
    let effects = handle(&mut engine, Input::Received { connection: A, inputs: closed });
    assert_eq!(effects, [Effect::ReadOn(A)], "it still dials");
}

#[test]
fn a_connection_waits_while_the_disk_does_not_keep_up_and_others_go_on() {
    let mut engine = engine();
    let frame = || link::Input::Frame { dial: 1, frame: Frame::Text("hello".to_owned()) };
    let received = |connection| Input::Received { connection, inputs: vec![frame()] };
    let first = handle(&mut engine, Input::Keep(A, draft(4 * MIB)));
    assert_eq!(handle(&mut engine, received(A)), [], "nothing of it is looked at");
    assert!(!engine.has_turn());
    assert_eq!(handle(&mut engine, received(B)), [], "another waits, so it is a matter of turns");
    assert!(engine.has_turn());
    assert_eq!(handle(&mut engine, Input::Turn), [Effect::ReadOn(B)]);
    assert!(!engine.has_turn());
    assert_eq!(handle(&mut engine, saved(parts(&first)[0].number)), []);
    assert!(engine.has_turn());
    assert_eq!(handle(&mut engine, Input::Turn), [Effect::ReadOn(A)]);
}

#[test]
fn what_the_disk_lets_go_of_holds_nobody_back() {
    let mut engine = engine();
    let first = handle(&mut engine, Input::Keep(A, draft(4 * MIB)));
    assert_eq!(handle(&mut engine, Input::LetGo(parts(&first)[0].number)), []);
    let received = Input::Received { connection: A, inputs: vec![link::Input::Pong { dial: 1 }] };
    assert_eq!(handle(&mut engine, received), [Effect::ReadOn(A)]);
    assert_eq!(handle(&mut engine, saved(parts(&first)[0].number)), [], "it was given up");
    assert_eq!(parts(&handle(&mut engine, Input::Keep(A, draft(1)))).len(), 1);
}

#[test]
fn at_the_end_all_that_the_person_did_is_written_and_nothing_else_happens() {
    let mut engine = engine();
    let first = handle(&mut engine, Input::Keep(A, draft(1)));
    assert_eq!(handle(&mut engine, Input::Keep(A, draft(2))), []);
    let told_again = Change::Event(Event::Chat(ChatEvent::Entries { entries: Vec::new(), live: true }));
    assert_eq!(handle(&mut engine, Input::Keep(A, told_again)), []);
    let effects = handle(&mut engine, Input::Close);
    let hang_up = |connection| Effect::HangUp { connection, code: 1001 };
    assert_eq!(effects, [hang_up(A), hang_up(B)]);
    assert_eq!(handle(&mut engine, Input::Tell(A, typed(1))), [], "too late");
    let second = handle(&mut engine, saved(parts(&first)[0].number));
    assert_eq!(parts(&second)[0].changes, [draft(2)]);
    assert_eq!(handle(&mut engine, saved(parts(&second)[0].number)), []);
}

#[test]
fn a_connection_that_the_disk_is_behind_with_begins_anew_once_all_that_was_done_is_written() {
    let mut engine = engine();
    let start =
        |engine: &mut Engine, id| handle(engine, Input::Tell(id, durable::Input::Link(link::Input::Start)));
    assert!(start(&mut engine, A).iter().any(|effect| matches!(effect, Effect::Dial { .. })));
    let first = handle(&mut engine, Input::Tell(A, typed(1)));
    let effects = handle(&mut engine, Input::Behind([A, B].into()));
    assert!(effects.contains(&Effect::HangUp { connection: A, code: 1000 }), "{effects:?}");
    assert!(effects.contains(&Effect::Reload(B)) && !effects.contains(&Effect::Reload(A)), "{effects:?}");
    let effects = start(&mut engine, A);
    assert_eq!(effects, [], "it will dial when it has begun anew");
    let effects = handle(&mut engine, saved(parts(&first)[0].number));
    assert_eq!(effects.last(), Some(&Effect::Reload(A)), "{effects:?}");
    let (again, other) = (new(A), new(B));
    let effects = handle(&mut engine, Input::Add(Box::new(again)));
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Dial { .. })), "{effects:?}");
    let effects = handle(&mut engine, Input::Add(Box::new(other)));
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Dial { .. })), "it was off: {effects:?}");
}

#[test]
fn a_connection_that_the_person_ends_meanwhile_stays_off() {
    let mut engine = engine();
    let tell = |input| Input::Tell(A, durable::Input::Link(input));
    handle(&mut engine, tell(link::Input::Start));
    let first = handle(&mut engine, Input::Tell(A, typed(1)));
    handle(&mut engine, Input::Behind([A].into()));
    handle(&mut engine, tell(link::Input::Stop));
    let effects = handle(&mut engine, saved(parts(&first)[0].number));
    assert_eq!(effects.last(), Some(&Effect::Reload(A)), "{effects:?}");
    let effects = handle(&mut engine, Input::Add(Box::new(new(A))));
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Dial { .. })), "{effects:?}");
}
