//! A scripted session under the real durable link: marks, states and frames in their order, whatever the disk does.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use duplex::frame::Frame;
use duplex::link::durable::{Change, DurableLink, Input, Output};
use duplex::link::{Input as LinkInput, Link};
use duplex::model::NamedRoom;
use duplex::model::event::{ChatEvent, LinkEvent, LogKind};
use duplex::model::id::Offset;
use duplex::model::time::BootMs;
use duplex::model::time::WallMs;
use duplex::model::{Event, Principal, PrincipalId, PrincipalKind, Time};
use duplex::wire::{self, Agreed, Dialing, Mark, Open, Saved, Session, WireError};
use proptest::collection::vec;
use proptest::prelude::*;

use super::BEGIN;

/// What the session was told.
type Told = Arc<Mutex<Vec<String>>>;

/// Says what each frame asks for: `event 3` (with mark 3), `persist x`, `say y`.
struct Scripted {
    told: Told,
    outputs: VecDeque<wire::Output>,
}

impl Session for Scripted {
    fn handle(&mut self, _: Time, input: wire::Input) -> Result<(), WireError> {
        match input {
            wire::Input::Opened(_) => {
                self.outputs.push_back(wire::Output::Online);
                self.outputs.push_back(wire::Output::Event(welcomed(), None));
            }
            wire::Input::Frame(Frame::Text(text)) => {
                for order in text.split(", ") {
                    self.outputs.push_back(match order.split_once(' ').unwrap() {
                        ("event", mark) => wire::Output::Event(marker(), Some(Mark(mark.parse().unwrap()))),
                        ("persist", state) => wire::Output::Persist(state.as_bytes().to_vec()),
                        (_, text) => wire::Output::Send(Frame::Text(text.to_owned()), None),
                    });
                }
            }
            wire::Input::Committed(Mark(mark)) => self.told.lock().unwrap().push(format!("committed {mark}")),
            _ => {}
        }
        Ok(())
    }

    fn poll(&mut self) -> Option<wire::Output> {
        self.outputs.pop_front()
    }

    fn deadline(&self) -> Option<BootMs> {
        None
    }

    fn saved(&self) -> Saved {
        Saved { state: Some(b"of the session".to_vec()), ..Saved::default() }
    }

    fn quiet_ms(&self) -> Option<u64> {
        None
    }
}

struct Script {
    told: Told,
}

impl Open for Script {
    fn open(&self, saved: Saved, _: [u8; 32]) -> Box<dyn Session> {
        let state = saved.state.map(|state| String::from_utf8(state).unwrap());
        self.told.lock().unwrap().push(format!("opened with {state:?}"));
        Box::new(Scripted { told: Arc::clone(&self.told), outputs: VecDeque::new() })
    }

    fn dialing(&self) -> Dialing {
        Dialing { max_frame: 1, ..Dialing::default() }
    }

    fn confirms(&self, _: &Saved) -> bool {
        true
    }
}

fn welcomed() -> Event {
    Event::Link(LinkEvent::Welcomed {
        me: Principal {
            id: PrincipalId("me".to_owned()),
            kind: PrincipalKind::Person,
            name: String::new(),
            role: None,
        },
        server: String::new(),
        log: LogKind::Server { head: Offset(0), next: Offset(1) },
        now: WallMs(0),
        people: Vec::new(),
        rooms: vec![NamedRoom::general()],
        features: Default::default(),
    })
}

/// Something that is kept.
fn marker() -> Event {
    Event::Chat(ChatEvent::Postponed { id: super::words::id("a"), unseen: true })
}

struct Bench {
    durable: DurableLink,
    told: Told,
    dial: u64,
}

impl Bench {
    fn new(saved: Saved) -> Bench {
        let told = Told::default();
        let script = Script { told: Arc::clone(&told) };
        let link = Link::new(vec!["ws://a".to_owned()], Box::new(script), saved, None, 1);
        let mut bench = Bench { durable: DurableLink::new(link, BEGIN, Vec::new()), told, dial: 0 };
        bench.does(Input::Link(LinkInput::Start));
        bench
    }

    fn open(&mut self) -> Vec<String> {
        let (dial, agreed) = (self.dial, Agreed::default());
        self.does(Input::Link(LinkInput::Opened { dial, entropy: [0; 32], agreed }))
    }

    fn hears(&mut self, orders: &str) -> Vec<String> {
        let frame = Frame::Text(orders.to_owned());
        self.does(Input::Link(LinkInput::Frame { dial: self.dial, frame }))
    }

    fn falls(&mut self) -> Vec<String> {
        let why = duplex::model::Why::Lost { detail: String::new() };
        self.does(Input::Link(LinkInput::Closed { dial: self.dial, why }))
    }

    /// What the durable link wants of the disk and the network.
    fn does(&mut self, input: Input) -> Vec<String> {
        self.durable.handle(BEGIN, input);
        let mut wants = Vec::new();
        while let Some(output) = self.durable.poll() {
            wants.extend(match output {
                Output::Dial { dial, .. } => {
                    self.dial = dial;
                    None
                }
                Output::Send(Frame::Text(text)) => Some(format!("send {text}")),
                Output::Write { ticket, change: Change::State(state) } => {
                    Some(format!("{ticket}: state {}", String::from_utf8(state).unwrap()))
                }
                Output::Write { ticket, .. } => Some(format!("{ticket}: event")),
                _ => None,
            });
        }
        wants
    }

    fn told(&self) -> Vec<String> {
        std::mem::take(&mut *self.told.lock().unwrap())
    }
}

#[test]
fn a_mark_of_what_was_only_held_counts_once_the_disk_has_it() {
    let mut bench = Bench::new(Saved::default());
    bench.open();
    assert_eq!(bench.told(), ["opened with None"]);
    assert_eq!(bench.hears("event 1, event 2, event 3"), ["2: event", "3: event", "4: event"]);
    bench.does(Input::Held(2));
    bench.does(Input::Held(3));
    assert_eq!(bench.told(), [] as [&str; 0], "held is not saved");
    bench.does(Input::Saved(2));
    bench.does(Input::Saved(3));
    bench.does(Input::Saved(4));
    assert_eq!(bench.told(), ["committed 1", "committed 2", "committed 3"]);
}

#[test]
fn what_is_said_after_a_state_waits_until_the_disk_has_it() {
    let mut bench = Bench::new(Saved::default());
    bench.open();
    bench.does(Input::Saved(1));
    assert_eq!(
        bench.hears("say before, event 1, persist x, say after"),
        ["send before", "2: event", "3: state x"]
    );
    assert_eq!(bench.does(Input::Saved(2)), [] as [&str; 0]);
    assert_eq!(bench.does(Input::Held(3)), [] as [&str; 0], "in memory is not on disk");
    assert_eq!(bench.hears("say later"), [] as [&str; 0], "nothing overtakes it");
    assert_eq!(bench.does(Input::Saved(3)), ["send after", "send later"]);
    assert_eq!(bench.hears("say at once"), ["send at once"]);
}

#[test]
fn the_next_session_begins_with_what_the_one_before_wants_kept() {
    let mut bench = Bench::new(Saved { state: Some(b"of the disk".to_vec()), ..Saved::default() });
    bench.open();
    bench.does(Input::Saved(1));
    bench.hears("event 5");
    bench.falls();
    // What came over a connection is committed after its end.
    bench.does(Input::Saved(2));
    assert_eq!(bench.told(), ["opened with Some(\"of the disk\")", "committed 5"]);
    bench.does(Input::Link(LinkInput::Nudge));
    bench.open();
    assert_eq!(bench.told(), ["opened with Some(\"of the session\")"]);
}

/// What the disk makes of the oldest change that waits: `Held` is followed by `Saved` later.
#[derive(Clone, Copy, Debug)]
enum Disk {
    Saves,
    Holds,
    SavesHeld,
}

/// Tickets of the events that were written, in order.
fn tickets(wants: &[String]) -> Vec<u64> {
    let of_event = |want: &String| want.strip_suffix(": event").map(|ticket| ticket.parse().unwrap());
    wants.iter().filter_map(of_event).collect()
}

proptest! {
    /// Whatever is saved at once, held, and saved later: a session hears of a mark only once all up to it is on disk, in
    /// order, and in the end of the last one.
    #[test]
    fn no_mark_is_lost_or_told_too_soon_whatever_the_disk_does(
        steps in vec((1..4_usize, vec(prop_oneof![Just(Disk::Saves), Just(Disk::Holds), Just(Disk::SavesHeld)], 0..6)), 1..12),
    ) {
        let mut bench = Bench::new(Saved::default());
        bench.open();
        bench.does(Input::Saved(1));
        bench.told();
        let (mut last, mut told) = (0, 0);
        // By ticket, in the order of writing: what waits for its commit, and what the store holds.
        let (mut waiting, mut held) = (VecDeque::new(), VecDeque::new());
        let mut on_disk = 0;
        let mut hears = |bench: &Bench, on_disk: u64| {
            for said in bench.told() {
                let mark: u64 = said.strip_prefix("committed ").expect("a mark").parse().unwrap();
                assert!(mark > told, "{mark} after {told}");
                assert!(mark <= on_disk, "{mark}, and only {on_disk} is on disk");
                told = mark;
            }
            told
        };
        let drain = vec![Disk::Saves; 99];
        for (count, disk) in steps.into_iter().chain([(0, drain)]) {
            let orders: Vec<String> = (1..=count).map(|n| format!("event {}", last + n)).collect();
            last += count;
            if count > 0 {
                waiting.extend(tickets(&bench.hears(&orders.join(", "))));
            }
            for does in disk {
                match does {
                    Disk::Holds => {
                        let Some(ticket) = waiting.pop_front() else { continue };
                        held.push_back(ticket);
                        bench.does(Input::Held(ticket));
                    }
                    // What is held goes first.
                    Disk::Saves | Disk::SavesHeld => {
                        let is_next = held.is_empty() && matches!(does, Disk::Saves);
                        let next = if is_next { waiting.pop_front() } else { held.pop_front() };
                        let Some(ticket) = next else { continue };
                        on_disk += 1;
                        bench.does(Input::Saved(ticket));
                    }
                }
                hears(&bench, on_disk);
            }
        }
        prop_assert_eq!(hears(&bench, on_disk), last as u64);
    }
}
