//! The store against the model: whatever a hub sends, however often, in whichever era, what is read back is what the
//! model shows.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::model::Message;
use crate::model::content::{Content, Extra};
use crate::model::event::{ChatEvent, LinkEvent, LogKind, SetupUpdate, Update};
use crate::model::id::{Offset, RoomName};
use crate::model::time::WallMs;
use crate::model::{Connection, Edge, Model, Profile, Refusal, Time};

/// A hub that may lose its log's end, or get another log.
struct Hub {
    epoch: u64,
    log: Vec<Entry>,
    appended: u64,
}

impl Hub {
    fn append(&mut self, sender: &str, room: &RoomId, id: MessageId, content: Content) {
        let offset = self.log.len() as u64 + 1;
        let mut entry = entry(offset, sender, offset);
        (entry.draft.id, entry.draft.room) = (id, room.clone());
        // A message keeps its words.
        if !content.is_text() {
            entry.draft.content = content;
        }
        self.log.push(entry);
    }
}

#[derive(Clone, Debug)]
enum Step {
    /// Somebody writes.
    Write {
        sender: u8,
        room: u8,
    },
    /// Somebody makes a room, or writes what this version does not know.
    Other {
        room: u8,
        known: bool,
    },
    /// The client connects, with its resume point.
    Connect {
        recent: u8,
    },
    /// The next entries arrive, beginning with some that came before.
    Entries {
        again: u8,
        count: u8,
    },
    /// The person types.
    Queue {
        room: u8,
    },
    /// What becomes of the n-th message of the outbox.
    Attempt(u8),
    Acknowledge(u8),
    Arrive(u8),
    Refuse(u8),
    Replace(u8),
    Unqueue(u8),
    Read {
        room: u8,
        back: u8,
    },
    History {
        room: u8,
        limit: u8,
    },
    Draft {
        room: u8,
        length: u8,
    },
    /// The log's end is lost; the epoch is the same (a backup) or another.
    Lose {
        count: u8,
        epoch: bool,
    },
    /// The app is started anew.
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    use Step::*;
    prop_oneof![
        8 => (0..3u8, 0..3u8).prop_map(|(sender, room)| Write { sender, room }),
        1 => (0..3u8, any::<bool>()).prop_map(|(room, known)| Other { room, known }),
        2 => (0..8u8).prop_map(|recent| Connect { recent }),
        5 => (0..4u8, 1..6u8).prop_map(|(again, count)| Entries { again, count }),
        3 => (0..3u8).prop_map(|room| Queue { room }),
        2 => (0..3u8).prop_map(Attempt),
        2 => (0..3u8).prop_map(Acknowledge),
        2 => (0..3u8).prop_map(Arrive),
        1 => (0..3u8).prop_map(Refuse),
        1 => (0..3u8).prop_map(Replace),
        1 => (0..3u8).prop_map(Unqueue),
        2 => (0..3u8, 0..5u8).prop_map(|(room, back)| Read { room, back }),
        2 => (0..3u8, 1..4u8).prop_map(|(room, limit)| History { room, limit }),
        1 => (0..3u8, 0..4u8).prop_map(|(room, length)| Draft { room, length }),
        1 => (1..6u8, any::<bool>()).prop_map(|(count, epoch)| Lose { count, epoch }),
        1 => Just(Restart),
    ]
}

/// One client that never stops, beside a store that is read back after every step.
struct World {
    dir: tempfile::TempDir,
    store: ClientStore,
    model: Model,
    hub: Hub,
    /// The next offset of the session, if there is one.
    next: Option<u64>,
    typed: u64,
    head: u64,
    had_history: bool,
    /// Everything that came as an entry, at its last place.
    arrived: BTreeMap<(PrincipalId, MessageId), (RoomId, Position)>,
}

fn profile() -> Profile {
    Profile {
        id: C,
        name: "test".into(),
        urls: vec!["ws://localhost".into()],
        protocol: Default::default(),
        socket: Default::default(),
        route: Default::default(),
        ca_file: None,
        fingerprint: None,
        auto_connect: true,
        websocket: Default::default(),
        network: Default::default(),
    }
}

fn rooms() -> Vec<RoomId> {
    ["general", "left", "right"].into_iter().map(|name| RoomId::new(name).unwrap()).collect()
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path());
        let mut model = Model::default();
        model.apply(Time::default(), Update::Setup(SetupUpdate::Configured(Box::new(profile()))));
        let mut hub = Hub { epoch: 1, log: Vec::new(), appended: 0 };
        hub.append("hub", &general(), id(0), Content::room(RoomName::general()));
        World {
            dir,
            store,
            model,
            hub,
            next: None,
            typed: 0,
            head: 0,
            had_history: false,
            arrived: BTreeMap::new(),
        }
    }

    fn connection(&self) -> &Connection {
        &self.model.connections[&C]
    }

    fn apply(&mut self, event: Event) {
        self.model.apply(Time::default(), Update::Connection(C, event));
    }

    fn happen(&mut self, event: Event) {
        commit(&self.store, vec![Write::Event(event.clone())]);
        self.apply(event);
    }

    fn waiting(&self, which: u8) -> Option<OutboxItem> {
        self.connection().chat.outbox.values().nth(which as usize).cloned()
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Write { sender, room } => {
                self.hub.appended += 1;
                let id = id(self.hub.appended);
                self.hub.append(
                    ["ann", "bob", "me"][sender as usize],
                    &rooms()[room as usize],
                    id,
                    Content::text(""),
                );
            }
            Step::Other { room, known } => {
                self.hub.appended += 1;
                let id = id(self.hub.appended);
                let room = &rooms()[room as usize];
                let exists = self.hub.log.iter().any(|entry| entry.draft.room == *room);
                if !known || !exists {
                    let unknown =
                        || Content::from_fields("poll", None, Extra::from_json(r#"{"n":1}"#)).unwrap();
                    let content = if known { Content::room(RoomName::of_id(room)) } else { unknown() };
                    self.hub.append("ann", room, id, content);
                }
            }
            Step::Connect { recent } => self.connect(recent),
            Step::Entries { again, count } => self.entries(again, count),
            Step::Queue { room } => {
                self.typed += 1;
                let mut item = item(self.typed);
                item.draft.room = rooms()[room as usize].clone();
                commit(&self.store, vec![Write::Queue(item.clone())]);
                self.apply(Event::Chat(ChatEvent::Queued(item)));
            }
            Step::Attempt(which) => {
                if let Some(item) = self.waiting(which) {
                    commit(&self.store, vec![Write::Attempted(vec![item.draft.id])]);
                    self.apply(Event::Chat(ChatEvent::Attempted(vec![item.draft.id])));
                }
            }
            Step::Acknowledge(which) | Step::Arrive(which) => {
                let Some(item) = self.waiting(which) else { return };
                let there = self.hub.log.iter().position(|entry| entry.draft.id == item.draft.id);
                if there.is_none() {
                    self.hub.append("me", &item.draft.room, item.draft.id, Content::text(""));
                }
                let offset = there.map_or(self.hub.log.len(), |index| index + 1) as u64;
                if matches!(step, Step::Acknowledge(_)) {
                    self.happen(Event::Chat(ChatEvent::Acknowledged {
                        id: item.draft.id,
                        offset: Offset(offset),
                        received: WallMs(3),
                        follows: Default::default(),
                    }));
                }
            }
            Step::Refuse(which) => {
                if let Some(item) = self.waiting(which) {
                    let refusal = Refusal::Other { code: "no".into(), detail: "\"\\".into() };
                    self.happen(Event::Chat(ChatEvent::Refused { id: item.draft.id, refusal }));
                }
            }
            Step::Replace(which) => {
                let Some(old) = self.waiting(which) else { return };
                self.typed += 1;
                let mut new = item(self.typed);
                new.draft.room = old.draft.room.clone();
                commit(&self.store, vec![Write::Replace { old: old.draft.id, new: new.clone() }]);
                self.apply(Event::Chat(ChatEvent::Unqueued(old.draft.id)));
                self.apply(Event::Chat(ChatEvent::Queued(new)));
            }
            Step::Unqueue(which) => {
                if let Some(item) = self.waiting(which) {
                    commit(&self.store, vec![Write::Unqueue(item.draft.id)]);
                    self.apply(Event::Chat(ChatEvent::Unqueued(item.draft.id)));
                }
            }
            Step::Read { room, back } => {
                let room = rooms()[room as usize].clone();
                let offset = (self.hub.log.len() as u64).saturating_sub(u64::from(back) * 2);
                self.happen(Event::Chat(ChatEvent::ReadMarker {
                    room: room.clone(),
                    offset: Offset(offset),
                }));
                let counted = wait(self.store.count_unread(C, room)).unwrap();
                self.apply(counted);
            }
            Step::History { room, limit } => self.history(&rooms()[room as usize].clone(), limit),
            Step::Draft { room, length } => {
                let (room, text) = (rooms()[room as usize].clone(), "y".repeat(length as usize));
                commit(&self.store, vec![Write::Draft { room: room.clone(), text: text.clone() }]);
                self.apply(Event::Chat(ChatEvent::Draft { room, text }));
            }
            Step::Lose { count, epoch } => {
                let left = self.hub.log.len().saturating_sub(count as usize).max(1);
                self.hub.log.truncate(left);
                self.hub.epoch += u64::from(epoch);
                self.next = None;
            }
            Step::Restart => self.store = open(self.dir.path()),
        }
    }

    /// As `wire::duplex::server` begins a session.
    fn connect(&mut self, recent: u8) {
        let (hub, saved) = (&self.hub, load(&self.store).saved);
        let head = hub.log.len() as u64;
        let same =
            |offset: u64, id| hub.log.get(offset as usize - 1).is_some_and(|entry| entry.draft.id == id);
        let (from, why) = match saved.log.resume {
            None => {
                let recent = || (head + 1).saturating_sub(u64::from(recent)).max(1);
                let from = saved.log.since.map_or_else(recent, |since| (since.0 + 1).min(head + 1));
                (from, Some(LogRestart::First))
            }
            Some(resume) if resume.epoch.0 == hub.epoch && same(resume.offset.0, resume.id) => {
                (resume.offset.0 + 1, None)
            }
            Some(_) => (1, Some(LogRestart::EpochChanged)),
        };
        let rooms: BTreeSet<_> = hub.log.iter().map(|entry| entry.draft.room.clone()).collect();
        let epoch = Epoch(hub.epoch);
        self.next = Some(from);
        self.head = head;
        self.happen(Event::Link(LinkEvent::Welcomed {
            me: me(),
            server: "hub".into(),
            log: LogKind::Server { head: Offset(head), next: Offset(head + 1) },
            now: WallMs(0),
            people: Vec::new(),
            rooms: rooms.into_iter().map(Into::into).collect(),
            features: Default::default(),
        }));
        if let Some(why) = why {
            self.happen(Event::Chat(ChatEvent::LogStarted { epoch, from: Offset(from), why }));
        }
    }

    fn entries(&mut self, again: u8, count: u8) {
        let Some(next) = self.next else { return };
        let held = load(&self.store).stored;
        let first = next.saturating_sub(u64::from(again)).max(held.era_from.0).max(1);
        let all = &self.hub.log[first as usize - 1..];
        let entries: Vec<Entry> = all.iter().take(count as usize).cloned().collect();
        let Some(last) = entries.last() else { return };
        self.next = Some(next.max(last.offset.0 + 1));
        for entry in entries.iter().filter(|entry| entry.draft.content.is_text()) {
            let place = Position { era: held.era, offset: entry.offset };
            self.arrived.insert((entry.sender.id.clone(), entry.draft.id), (entry.draft.room.clone(), place));
        }
        let live = last.offset.0 > self.head;
        self.happen(Event::Chat(ChatEvent::Entries { entries, live }));
    }

    /// As the worker asks for it: before the oldest message that is shown.
    fn history(&mut self, room: &RoomId, limit: u8) {
        let Some(shown) = self.connection().chat.rooms.get(room) else { return };
        if shown.window.before != Edge::Hub || self.connection().chat.era() != 1 || self.next.is_none() {
            return;
        }
        let Stored { era_from, era_has_entries, .. } = load(&self.store).stored;
        // The hub sends entries before it answers anything.
        if !era_has_entries {
            return;
        }
        let before = shown.window.first().map_or(era_from, |first| first.position.offset.min(era_from));
        let older: Vec<_> = self
            .hub
            .log
            .iter()
            .filter(|entry| entry.draft.room == *room && entry.offset < before)
            .cloned()
            .collect();
        let skipped = older.len().saturating_sub(limit as usize);
        let entries = older[skipped..].to_vec();
        self.had_history = true;
        self.happen(Event::Chat(ChatEvent::History {
            room: room.clone(),
            before,
            entries,
            complete: skipped == 0,
        }));
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let stored = load(&self.store).stored;
        let shown = self.connection();
        prop_assert_eq!(&stored.me, &shown.chat.me);
        prop_assert_eq!((stored.era, stored.received_to), (shown.chat.era(), shown.chat.received_to));
        prop_assert_eq!(&stored.outbox, &shown.chat.outbox.values().cloned().collect::<Vec<_>>());
        let names: BTreeSet<_> = stored.rooms.iter().map(|room| &room.id).collect();
        prop_assert_eq!(names, shown.chat.rooms.keys().collect::<BTreeSet<_>>());
        for room in &stored.rooms {
            let shown = &shown.chat.rooms[&room.id];
            prop_assert_eq!((room.newest, room.read, &room.draft), (shown.newest, shown.read, &shown.draft));
            let tail = shown.window.messages().map(|message| Message { live: false, ..message.clone() });
            let tail: Vec<_> = tail.collect();
            prop_assert_eq!(&room.messages, &tail);
            prop_assert!(!room.older_on_disk);
            if room.older_on_hub {
                prop_assert_eq!(shown.window.before, Edge::Hub);
            }
            if stored.era == 1 {
                prop_assert_eq!((room.unread, room.mentions), (shown.unread, shown.mentions));
            }
            if !self.had_history {
                let unread = self.arrived.iter().filter(|((sender, _), (name, place))| {
                    *name == room.id && *place > room.read && *sender != me().id
                });
                prop_assert_eq!(room.unread, unread.count() as u64);
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_read_back_is_what_the_model_shows(steps in proptest::collection::vec(step(), 1..60)) {
        let mut world = World::new();
        for step in steps {
            world.step(step);
            world.check()?;
        }
    }
}
