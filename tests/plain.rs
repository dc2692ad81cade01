//! Plain WebSocket on simulated time: the real engine, link and session between a disk that saves, holds and forgets, and a
//! server of which nothing is expected. What a person typed never vanishes, is never called delivered, and is never sent
//! twice unless they say so; what arrived is kept once and in order.
//!
//! `DUPLEX_SIM_SEEDS=100000 cargo test --release --test plain` runs more worlds; `DUPLEX_SIM_SEED=n` repeats one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should say so at once"
)]

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use duplex::engine::{self, Effect, Engine, NewConnection, Outcome, Part};
use duplex::frame::Frame;
use duplex::link::durable::{Change, Input};
use duplex::link::{self, backoff::Jitter};
use duplex::model::event::{ChatEvent, LinkEvent, LogKind, SetupUpdate, Stored, Update};
use duplex::model::link_state::{Closing, LinkState, Why};
use duplex::model::profile::{Profile, Protocol};
use duplex::model::time::BootMs;
use duplex::model::time::WallMs;
use duplex::model::{
    ConnectionId, Content, Delivery, Draft, Entry, Event, MessageId, Model, Offset, OutboxItem, Time,
};
use duplex::wire::{Agreed, Saved, Setup, plain};

const ME: ConnectionId = ConnectionId(7);
const BEGIN: Time = Time { boot_ms: BootMs(1_000_000), wall_ms: WallMs(1_790_000_000_000) };

/// What the disk holds.
#[derive(Clone, Default)]
struct Disk {
    is_begun: bool,
    outbox: BTreeMap<u64, OutboxItem>,
    entries: Vec<Entry>,
}

impl Disk {
    fn set(&mut self, ids: &[MessageId], delivery: &Delivery) {
        for item in self.outbox.values_mut().filter(|item| ids.contains(&item.draft.id)) {
            item.deliver(delivery.clone());
        }
    }

    /// Takes a change in. Returns the offset of its first entry, where it numbers some.
    fn write(&mut self, change: Change) -> Option<Offset> {
        match change {
            Change::Queue(item) => drop(self.outbox.insert(item.seq, item)),
            Change::Unqueue(id) => self.outbox.retain(|_, item| item.draft.id != id),
            Change::Replace { old, new } => {
                self.outbox.retain(|_, item| item.draft.id != old);
                self.outbox.insert(new.seq, new);
            }
            Change::Attempted(ids) => self.set(&ids, &Delivery::Attempted),
            Change::Event(Event::Chat(ChatEvent::Sent(ids))) => self.set(&ids, &Delivery::Sent),
            Change::Event(Event::Chat(ChatEvent::Unsure(ids))) => self.set(&ids, &Delivery::Unsure),
            Change::Event(Event::Chat(ChatEvent::Refused { id, refusal })) => {
                self.set(&[id], &Delivery::Failed(refusal));
            }
            Change::Event(Event::Chat(ChatEvent::Entries { entries, .. })) => {
                let first = self.entries.len() as u64 + 1;
                for (mut entry, offset) in entries.into_iter().zip((first..).map(Offset)) {
                    assert_eq!(entry.offset, Offset(0), "nobody else numbers them");
                    entry.offset = offset;
                    self.outbox.retain(|_, item| item.draft.id != entry.draft.id);
                    self.entries.push(entry);
                }
                return Some(Offset(first));
            }
            Change::Event(Event::Link(LinkEvent::Welcomed { log, .. })) => {
                assert_eq!(log, LogKind::Local);
                self.is_begun = true;
            }
            Change::Event(event) => {
                assert!(matches!(event, Event::Chat(ChatEvent::ReadMarker { .. })), "{event:?}")
            }
            Change::State(_) => panic!("there is nothing to keep"),
            Change::Draft { .. } | Change::RemoveConnection => panic!("nobody asked for that"),
        }
        None
    }
}

/// A part of a commit on its way to the disk.
struct Unsaved {
    part: Part,
    held: bool,
}

/// One connection's transport: frames on their way out, and what the server said.
#[derive(Default)]
struct Wire {
    dial: u64,
    is_open: bool,
    /// Given to the transport, with the message's text.
    queued: VecDeque<Option<String>>,
    given: u64,
    flushed: u64,
    /// Flushed, and not yet at the server.
    on_the_way: VecDeque<Option<String>>,
}

struct World {
    rng: Jitter,
    now: Time,
    disk: Disk,
    engine: Engine,
    model: Model,
    unsaved: VecDeque<Unsaved>,
    /// Typed, and not on disk yet.
    on_the_way: BTreeSet<String>,
    wire: Wire,
    /// What the person typed and has on screen, by text: how often they sent it.
    typed: BTreeMap<String, u64>,
    texts: BTreeMap<MessageId, String>,
    /// Typed, and lost with the process before the disk had it: nobody was told that it was kept.
    never_kept: BTreeSet<String>,
    deleted: BTreeSet<String>,
    /// What the server got, by text.
    got: BTreeMap<String, u64>,
    /// What the server said and the durable link was given, and of it what was in memory alone when the process ended.
    said: Vec<String>,
    lost_with_the_process: BTreeSet<String>,
    numbers: u64,
    healed: bool,
}

fn profile() -> Profile {
    Profile {
        id: ME,
        name: String::new(),
        urls: vec!["ws://a".to_owned()],
        protocol: Protocol::WebSocket,
        socket: Default::default(),
        route: Default::default(),
        ca_file: None,
        fingerprint: None,
        auto_connect: true,
        websocket: Default::default(),
        network: Default::default(),
    }
}

fn stored(disk: &Disk) -> Stored {
    Stored {
        era: u32::from(disk.is_begun),
        era_from: Offset(u64::from(disk.is_begun)),
        era_has_entries: !disk.entries.is_empty(),
        is_local: disk.is_begun,
        received_to: Offset(disk.entries.len() as u64),
        outbox: disk.outbox.values().cloned().collect(),
        ..Stored::default()
    }
}

impl World {
    fn new(seed: u64) -> World {
        let mut world = World {
            rng: Jitter::new(seed ^ 0xD1B5_4A32_D192_ED03),
            now: BEGIN,
            disk: Disk::default(),
            engine: Engine::default(),
            model: Model::default(),
            unsaved: VecDeque::new(),
            on_the_way: BTreeSet::new(),
            wire: Wire::default(),
            typed: BTreeMap::new(),
            texts: BTreeMap::new(),
            never_kept: BTreeSet::new(),
            deleted: BTreeSet::new(),
            got: BTreeMap::new(),
            said: Vec::new(),
            lost_with_the_process: BTreeSet::new(),
            numbers: 0,
            healed: false,
        };
        world.starts();
        world
    }

    fn starts(&mut self) {
        (self.engine, self.model, self.wire) = (Engine::default(), Model::default(), Wire::default());
        self.model.apply(self.now, Update::Setup(SetupUpdate::Configured(Box::new(profile()))));
        let new = NewConnection {
            id: ME,
            urls: vec!["ws://a".to_owned()],
            setup: Box::new(Setup::Plain(plain::Config::default())),
            reconnects: true,
            is_said_once: true,
            stored: stored(&self.disk),
            saved: Saved::default(),
            seed: self.rng.draw(),
        };
        self.drive(engine::Input::Add(Box::new(new)));
        self.tell(Input::Link(link::Input::Start));
    }

    fn state(&self) -> &LinkState {
        self.engine.state(ME).expect("it is there")
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.rng.up_to(99) < percent
    }

    fn id(&mut self) -> MessageId {
        let (a, b) = (self.rng.draw().to_be_bytes(), self.rng.draw().to_be_bytes());
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&a);
        bytes[8..].copy_from_slice(&b);
        MessageId::from_random(bytes)
    }

    fn tell(&mut self, input: Input) {
        self.drive(engine::Input::Tell(ME, input));
    }

    /// Something comes over the socket.
    fn receives(&mut self, inputs: Vec<link::Input>) {
        self.drive(engine::Input::Received { connection: ME, inputs });
        while self.engine.has_turn() {
            self.drive(engine::Input::Turn);
        }
    }

    fn drive(&mut self, input: engine::Input) {
        self.engine.handle(self.now, input);
        while let Some(effect) = self.engine.poll() {
            match effect {
                Effect::Dial { dial, .. } => self.wire = Wire { dial, ..Wire::default() },
                Effect::Send(_, frame) => {
                    let Frame::Text(text) = frame else { panic!("text was typed") };
                    self.what_is_sent_may_be_sent(&text);
                    self.wire.queued.push_back(Some(text));
                    self.wire.given += 1;
                }
                Effect::Ping(_) => self.wire.queued.push_back(None),
                Effect::Compress(_) => panic!("this protocol compresses nothing"),
                Effect::HangUp { .. } => self.wire = Wire { dial: self.wire.dial, ..Wire::default() },
                Effect::Commit(parts) => {
                    assert!(self.unsaved.iter().all(|unsaved| unsaved.held), "one commit at a time");
                    self.unsaved.extend(parts.into_iter().map(|part| Unsaved { part, held: false }));
                }
                Effect::Event(_, event) => self.shows(event),
                _ => {}
            }
        }
    }

    /// On disk it says that it was tried, so that it will not be sent again by itself after a crash.
    fn what_is_sent_may_be_sent(&self, text: &str) {
        let item = self
            .disk
            .outbox
            .values()
            .find(|item| item.draft.content.body() == text)
            .expect("it is in the outbox");
        assert_eq!(item.delivery, Delivery::Attempted, "{text}");
    }

    fn shows(&mut self, event: Event) {
        if let Event::Chat(ChatEvent::Entries { entries, .. }) = &event {
            for entry in entries {
                let at = usize::try_from(entry.offset.0).unwrap();
                assert!(at >= 1, "it shows before it has a place");
                assert_eq!(
                    self.disk.entries.get(at - 1).map(|kept| kept.draft.id),
                    Some(entry.draft.id),
                    "it shows elsewhere"
                );
            }
        }
        assert!(!matches!(event, Event::Chat(ChatEvent::Acknowledged { .. })), "nobody confirms anything");
        self.model.apply(self.now, Update::Connection(ME, event));
    }

    // What happens

    fn types(&mut self) {
        self.numbers += 1;
        let (id, text) = (self.id(), format!("typed {}", self.numbers));
        self.texts.insert(id, text.clone());
        self.typed.insert(text.clone(), 1);
        self.on_the_way.insert(text.clone());
        let draft = Draft { id, room: plain::room(), content: Content::text(text), at: self.now.wall_ms };
        self.tell(Input::Send(draft));
    }

    fn unsure(&self) -> Vec<MessageId> {
        let outbox = &self.model.connections[&ME].chat.outbox;
        outbox.values().filter(|item| item.delivery == Delivery::Unsure).map(|item| item.draft.id).collect()
    }

    fn decides(&mut self) {
        let Some(id) = self.unsure().first().copied() else { return };
        let text = self.texts[&id].clone();
        if self.chance(70) {
            *self.typed.get_mut(&text).unwrap() += 1;
            self.tell(Input::Resend(id));
        } else {
            self.deleted.insert(text);
            self.tell(Input::Discard(id));
        }
    }

    fn disk_works(&mut self) {
        let is_troubled = !self.healed && self.chance(20);
        if is_troubled {
            let mut fresh = Vec::new();
            for unsaved in self.unsaved.iter_mut().filter(|unsaved| !unsaved.held) {
                unsaved.held = true;
                fresh.push(unsaved.part.number);
            }
            for part in fresh {
                self.drive(engine::Input::Committed { part, outcome: Outcome::Held });
            }
            return;
        }
        for (part, numbered) in self.disk_takes_all() {
            self.drive(engine::Input::Committed { part, outcome: Outcome::Saved { numbered } });
        }
    }

    /// The parts that got to the disk, each with what was numbered.
    fn disk_takes_all(&mut self) -> Vec<(u64, Vec<(usize, Offset)>)> {
        let mut taken = Vec::new();
        for Unsaved { part, .. } in std::mem::take(&mut self.unsaved) {
            let mut numbered = Vec::new();
            for (place, change) in part.changes.into_iter().enumerate() {
                if let Change::Queue(item) = &change {
                    self.on_the_way.remove(item.draft.content.body());
                }
                numbered.extend(self.disk.write(change).map(|first| (place, first)));
            }
            taken.push((part.number, numbered));
        }
        taken
    }

    fn network_works(&mut self) {
        let dial = self.wire.dial;
        if !self.wire.is_open {
            if !self.state().is_online() && self.state().code() == "connecting" {
                if self.healed || self.chance(60) {
                    self.wire.is_open = true;
                    let agreed = Agreed { server: "a".to_owned(), ..Agreed::default() };
                    let mut entropy = [0; 32];
                    entropy[..8].copy_from_slice(&self.rng.draw().to_le_bytes());
                    self.tell(Input::Link(link::Input::Opened { dial, entropy, agreed }));
                } else {
                    self.tell(Input::Link(link::Input::Closed { dial, why: Why::ConnectionRefused }));
                }
            }
            return;
        }
        // Some of it goes out, some of that arrives.
        let going = if self.healed {
            self.wire.queued.len()
        } else {
            self.rng.up_to(self.wire.queued.len() as u64) as usize
        };
        for frame in self.wire.queued.drain(..going).collect::<Vec<_>>() {
            self.wire.flushed += u64::from(frame.is_some());
            self.wire.on_the_way.push_back(frame);
        }
        let frames = self.wire.flushed;
        if frames > 0 {
            self.receives(vec![link::Input::Flushed { dial, frames }]);
        }
        let arriving = if self.healed {
            self.wire.on_the_way.len()
        } else {
            self.rng.up_to(self.wire.on_the_way.len() as u64) as usize
        };
        for frame in self.wire.on_the_way.drain(..arriving).collect::<Vec<_>>() {
            match frame {
                Some(text) => *self.got.entry(text).or_default() += 1,
                None if self.wire.dial == dial => self.receives(vec![link::Input::Pong { dial }]),
                None => {}
            }
        }
    }

    fn server_speaks(&mut self) {
        if self.wire.is_open && self.state().is_online() {
            let frame = self.frame();
            self.receives(vec![frame]);
        }
    }

    fn frame(&mut self) -> link::Input {
        self.numbers += 1;
        let text = format!("said {}", self.numbers);
        self.said.push(text.clone());
        link::Input::Frame { dial: self.wire.dial, frame: Frame::Text(text) }
    }

    fn link_falls(&mut self) {
        if !self.wire.is_open {
            return;
        }
        let why = match self.rng.up_to(2) {
            0 => Why::Lost { detail: "reset".to_owned() },
            code => Why::Closed {
                code: Some(if code == 1 { 1000 } else { 4001 }),
                reason: "Bye!".to_owned(),
                retry_after_ms: None,
                closing: Closing::ByServer,
            },
        };
        let dial = self.wire.dial;
        self.wire.is_open = false;
        self.receives(vec![link::Input::Closed { dial, why }]);
    }

    fn process_ends(&mut self) {
        // What was in memory alone is gone, and nobody was told otherwise.
        self.unsaved.clear();
        self.never_kept.append(&mut self.on_the_way);
        let kept: BTreeSet<&str> = self.disk.entries.iter().map(|entry| entry.draft.content.body()).collect();
        let lost = self.said.iter().filter(|text| !kept.contains(text.as_str())).cloned();
        self.lost_with_the_process.extend(lost);
        // Where the person's wish is not on disk, the message is as it was.
        let waiting = self.disk.outbox.values().map(|item| item.draft.content.body());
        waiting.for_each(|text| _ = self.deleted.remove(text));
        self.starts();
    }

    /// The person closes the program: what the server said is taken in, however much it is.
    fn program_closes(&mut self) {
        if self.wire.is_open && self.state().is_online() {
            let inputs = (0..40).map(|_| self.frame()).collect();
            self.drive(engine::Input::Received { connection: ME, inputs });
        }
        self.drive(engine::Input::Close);
        while !self.unsaved.is_empty() {
            for (part, numbered) in self.disk_takes_all() {
                self.drive(engine::Input::Committed { part, outcome: Outcome::Saved { numbered } });
            }
        }
        assert_eq!(self.on_the_way, BTreeSet::new(), "typed, and not on disk when the program has closed");
        let kept: BTreeSet<&str> = self.disk.entries.iter().map(|entry| entry.draft.content.body()).collect();
        for text in self.said.iter().filter(|text| !self.lost_with_the_process.contains(*text)) {
            assert!(kept.contains(text.as_str()), "{text} is lost");
        }
        self.starts();
    }

    fn time_passes(&mut self) {
        let until = self.now.plus(self.rng.up_to(3_000));
        while let Some(due) = self.engine.deadline().filter(|due| *due <= until.boot_ms) {
            self.now = self.now.plus(due.since(self.now.boot_ms));
            self.drive(engine::Input::Tick);
            if self.engine.deadline() == Some(due) {
                break;
            }
        }
        self.now = self.now.plus(until.boot_ms.since(self.now.boot_ms));
    }

    // What must hold

    fn laws(&self) {
        let kept: BTreeSet<&str> = self.disk.entries.iter().map(|entry| entry.draft.content.body()).collect();
        assert_eq!(kept.len(), kept.iter().collect::<BTreeSet<_>>().len());
        let waiting: BTreeSet<&str> =
            self.disk.outbox.values().map(|item| item.draft.content.body()).collect();
        for (text, times) in &self.typed {
            let got = self.got.get(text).copied().unwrap_or(0);
            assert!(got <= *times, "{text} arrived {got} times and was sent {times} times");
            let is_somewhere = kept.contains(text.as_str())
                || waiting.contains(text.as_str())
                || self.on_the_way.contains(text)
                || self.deleted.contains(text)
                || self.never_kept.contains(text);
            assert!(is_somewhere, "{text} has vanished");
        }
        let is_said = |entry: &&Entry| entry.draft.content.body().starts_with("said");
        let said: Vec<&str> =
            self.disk.entries.iter().filter(is_said).map(|entry| entry.draft.content.body()).collect();
        let order: Vec<&str> =
            self.said.iter().map(String::as_str).filter(|text| kept.contains(text)).collect();
        assert_eq!(said, order, "what arrived is kept once and in order");
    }

    /// Everything works again, and time passes: nothing is left that is not decided.
    fn heals(&mut self) {
        self.healed = true;
        for _ in 0..60 {
            self.disk_works();
            self.network_works();
            self.time_passes();
        }
        self.server_speaks();
        self.disk_works();
        self.laws();
        assert!(self.unsaved.is_empty() && self.on_the_way.is_empty());
        for item in self.disk.outbox.values() {
            assert_eq!(item.delivery, Delivery::Unsure, "{item:?} waits for nothing");
        }
        let shown: Vec<_> = self.model.connections[&ME].chat.outbox.values().cloned().collect();
        assert_eq!(
            shown,
            self.disk.outbox.values().cloned().collect::<Vec<_>>(),
            "the screen says what the disk says"
        );
        let kept: BTreeSet<&str> = self.disk.entries.iter().map(|entry| entry.draft.content.body()).collect();
        for text in &self.said {
            assert!(
                kept.contains(text.as_str()) || self.lost_with_the_process.contains(text),
                "{text} is lost"
            );
        }
    }

    fn run(mut self) {
        for _ in 0..150 {
            match self.rng.up_to(99) {
                0..20 => self.types(),
                20..45 => self.disk_works(),
                45..65 => self.network_works(),
                65..75 => self.server_speaks(),
                75..80 => self.link_falls(),
                80..85 => self.decides(),
                85..87 => self.process_ends(),
                87..89 => self.program_closes(),
                _ => self.time_passes(),
            }
            self.laws();
        }
        self.heals();
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

#[test]
fn nothing_typed_vanishes_is_called_delivered_or_is_sent_twice_unasked() {
    let seeds = match number("DUPLEX_SIM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("DUPLEX_SIM_SEEDS").unwrap_or(500),
    };
    for seed in seeds {
        if let Err(panic) = std::panic::catch_unwind(|| World::new(seed).run()) {
            eprintln!("seed {seed} failed; repeat it with DUPLEX_SIM_SEED={seed}");
            std::panic::resume_unwind(panic);
        }
    }
}
