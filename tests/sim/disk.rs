//! The client's disk as pure state: what `store` promises, without SQLite.

use std::collections::BTreeMap;

use duplex::link::courier::Change;
use duplex::model::event::{ChatEvent, LinkEvent, LogRestart, Page, Stored, StoredRoom};
use duplex::model::{
    Delivery, Entry, Epoch, Event, Features, Message, MessageId, OutboxItem, Position, Principal,
    PrincipalId, ResumePoint, RoomName,
};
use duplex::wire::{Saved, SavedState};

/// What one client holds about one connection.
#[derive(Clone, Debug, Default)]
pub struct ClientDisk {
    pub me: Option<Principal>,
    pub features: Option<Features>,
    pub era: u32,
    pub era_from: u64,
    pub era_has_entries: bool,
    /// The log that is being read; the resume point follows with its first entries.
    pub epoch: Option<Epoch>,
    pub resume: Option<ResumePoint>,
    pub rooms: Vec<RoomName>,
    pub outbox: BTreeMap<u64, OutboxItem>,
    /// Keyed by who and which, so that nothing is there twice; the value says where it stands.
    pub messages: BTreeMap<(PrincipalId, MessageId), (Position, Entry)>,
}

impl ClientDisk {
    pub fn write(&mut self, change: Change) {
        match change {
            Change::Queue(item) => {
                self.outbox.insert(item.seq, item);
            }
            Change::Unqueue(id) => self.outbox.retain(|_, item| item.draft.id != id),
            Change::Replace { old, new } => {
                self.outbox.retain(|_, item| item.draft.id != old);
                self.outbox.insert(new.seq, new);
            }
            Change::Attempted(ids) => {
                for id in ids {
                    self.set(id, Delivery::Attempted);
                }
            }
            Change::Event(event) => self.event(event),
            Change::State(_) | Change::Draft { .. } | Change::RemoveConnection => {}
        }
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Link(LinkEvent::Welcomed { me, rooms, log, features, .. }) => {
                self.me = Some(me);
                self.features = Some(features);
                for item in self.outbox.values_mut() {
                    item.beyond(log.head());
                }
                for room in rooms {
                    self.room(&room);
                }
            }
            Event::Chat(ChatEvent::Listed(listed)) => {
                for room in listed.rooms {
                    self.room(&room);
                }
            }
            Event::Chat(ChatEvent::LogStarted { epoch, from, why }) => {
                self.epoch = Some(epoch);
                if self.era == 0 || self.era_has_entries {
                    self.era += 1;
                    self.era_has_entries = false;
                }
                self.era_from = from;
                if why != LogRestart::First {
                    for item in self.outbox.values_mut() {
                        item.passed_by(u64::MAX);
                    }
                }
            }
            Event::Chat(ChatEvent::Entries { entries, .. }) => {
                if let (Some(epoch), Some(last)) = (self.epoch, entries.last()) {
                    self.resume = Some(ResumePoint {
                        epoch,
                        offset: last.offset,
                        id: last.draft.id,
                        received: last.received,
                    });
                }
                let last = entries.last().map_or(0, |entry| entry.offset);
                for entry in entries {
                    self.entry(entry);
                }
                for item in self.outbox.values_mut() {
                    item.passed_by(last);
                }
            }
            Event::Chat(ChatEvent::Acknowledged { id, offset, received }) => {
                self.set(id, Delivery::Acknowledged { offset, received })
            }
            Event::Chat(ChatEvent::Refused { id, refusal }) => self.set(id, Delivery::Failed(refusal)),
            Event::Chat(ChatEvent::Postponed { id, unseen: true }) => self.set(id, Delivery::Pending),
            _ => {}
        }
    }

    fn entry(&mut self, entry: Entry) {
        self.era_has_entries = true;
        if self.me.as_ref().is_some_and(|me| me.id == entry.sender.id) {
            self.outbox.retain(|_, item| item.draft.id != entry.draft.id);
        }
        self.room(&entry.draft.room);
        if entry.draft.content.is_text() {
            let position = Position { era: self.era, offset: entry.offset };
            self.messages.insert((entry.sender.id.clone(), entry.draft.id), (position, entry));
        }
    }

    fn room(&mut self, room: &RoomName) {
        if !self.rooms.contains(room) {
            self.rooms.push(room.clone());
        }
    }

    fn set(&mut self, id: MessageId, delivery: Delivery) {
        if let Some(item) = self.outbox.values_mut().find(|item| item.draft.id == id) {
            item.deliver(delivery);
        }
    }

    /// The messages in their order.
    pub fn in_order(&self) -> Vec<(Position, &Entry)> {
        let mut all: Vec<_> = self.messages.values().map(|(position, entry)| (*position, entry)).collect();
        all.sort_by_key(|(position, _)| *position);
        all
    }

    /// Where to resume: never at an entry of an earlier era.
    pub fn saved(&self) -> Saved {
        let log = match self.era {
            0 => SavedState::default(),
            _ if self.era_has_entries => SavedState { resume: self.resume, since: None },
            _ => SavedState { resume: None, since: Some(self.era_from - 1) },
        };
        Saved { log, state: None }
    }

    /// What a start reads.
    pub fn stored(&self) -> Stored {
        let rooms = self.rooms.iter().map(|name| {
            let of_room = self.in_order().into_iter().filter(|(_, entry)| entry.draft.room == *name);
            let messages: Vec<Message> = of_room.map(|(position, entry)| message(position, entry)).collect();
            let newest = messages.last().map(|message| message.position).unwrap_or_default();
            StoredRoom {
                name: name.clone(),
                messages,
                older_on_disk: false,
                older_on_hub: false,
                newest,
                read: Position::default(),
                unread: 0,
                mentions: 0,
                draft: String::new(),
            }
        });
        Stored {
            me: self.me.clone(),
            features: self.features.clone(),
            era: self.era,
            era_from: self.era_from,
            era_has_entries: self.era_has_entries,
            is_local: false,
            received_to: self
                .saved()
                .log
                .resume
                .map_or(self.era_from.saturating_sub(1), |resume| resume.offset),
            rooms: rooms.collect(),
            outbox: self.outbox.values().cloned().collect(),
        }
    }

    /// All of a room, as a page.
    pub fn page(&self, room: &RoomName) -> Page {
        let of_room = self.in_order().into_iter().filter(|(_, entry)| entry.draft.room == *room);
        Page {
            messages: of_room.map(|(position, entry)| message(position, entry)).collect(),
            older_on_disk: false,
            older_on_hub: false,
            newer_on_disk: false,
        }
    }
}

fn message(position: Position, entry: &Entry) -> Message {
    let Entry { draft, sender, received, .. } = entry.clone();
    Message { position, id: draft.id, sender, content: draft.content, at: draft.at, received, live: false }
}
