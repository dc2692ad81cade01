//! The client's disk as pure state: what `store` promises, without SQLite.

use std::collections::BTreeMap;

use duplex::link::durable::Change;
use duplex::model::content::{Content, Draft};
use duplex::model::event::{ChatEvent, Follows, LinkEvent, LogRestart, Page, Stored, StoredRoom};
use duplex::model::id::Offset;
use duplex::model::id::RoomName;
use duplex::model::room;
use duplex::model::{
    Delivery, Entry, Epoch, Event, Features, Message, MessageId, NamedRoom, OutboxItem, Position, Principal,
    PrincipalId, ResumePoint, RoomId, RoomInfo,
};
use duplex::wire::{Saved, SavedState};

/// What one client holds about one connection.
#[derive(Clone, Debug, Default)]
pub struct ClientDisk {
    pub me: Option<Principal>,
    pub features: Option<Features>,
    pub era: u32,
    pub era_from: Offset,
    pub era_has_entries: bool,
    /// The log that is being read; the resume point follows with its first entries.
    pub epoch: Option<Epoch>,
    pub resume: Option<ResumePoint>,
    /// The offset of the next entry: what is beyond it does not continue what is here.
    pub next: Offset,
    pub rooms: Vec<KnownRoom>,
    /// Rooms that were there already under another id.
    pub moved: BTreeMap<RoomId, RoomId>,
    pub outbox: BTreeMap<u64, OutboxItem>,
    /// Keyed by who and which, so that nothing is there twice; the value says where it stands.
    pub messages: BTreeMap<(PrincipalId, MessageId), (Position, Entry)>,
    /// What changes messages, also those that are not here.
    pub changes: BTreeMap<Position, Entry>,
}

/// A room, and whether the hub does not know it.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownRoom {
    pub id: RoomId,
    pub name: RoomName,
    pub info: RoomInfo,
    pub unmade: bool,
    /// The place before which entries are missing that were not for the person when they came.
    pub hole: Option<Position>,
}

impl ClientDisk {
    /// Takes a change in. `false`: the entries before it are missing here, and it is not taken.
    pub fn write(&mut self, change: Change) -> bool {
        if let Change::Event(Event::Chat(ChatEvent::Skipped { from, to })) = &change {
            if *from <= self.next {
                self.next = self.next.max(to.next());
                return true;
            }
            return false;
        }
        if let Change::Event(Event::Chat(ChatEvent::Entries { entries, .. })) = &change {
            // An empty batch stands for one that had to be let go.
            self.era_has_entries = true;
            if entries.first().is_some_and(|first| first.offset > self.next) {
                return false;
            }
        }
        match change {
            Change::Queue(item) => self.queue(item),
            Change::Unqueue(id) => {
                self.outbox.retain(|_, item| item.draft.id != id);
                self.drop_unmade();
            }
            Change::Replace { old, new } => {
                self.outbox.retain(|_, item| item.draft.id != old);
                self.queue(new);
                self.drop_unmade();
            }
            Change::Attempted(ids) => {
                for id in ids {
                    self.set(id, Delivery::Attempted);
                }
            }
            Change::Event(event) => self.event(event),
            Change::State(_) | Change::Draft { .. } | Change::RemoveConnection => {}
        }
        true
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Link(LinkEvent::Welcomed { me, rooms, log, features, .. }) => {
                self.me = Some(me);
                self.features = Some(features);
                for item in self.outbox.values_mut() {
                    item.beyond(log.head());
                }
                for room in &mut self.rooms {
                    room.info.changed = Offset(0);
                    if room.info.private && !room.unmade {
                        room.info.not_listed();
                    }
                }
                rooms.iter().for_each(|room| self.listed(room));
            }
            Event::Chat(ChatEvent::Listed(listed)) => {
                listed.rooms.iter().for_each(|room| self.listed(room));
            }
            Event::Chat(ChatEvent::LogStarted { epoch, from, why }) => {
                self.epoch = Some(epoch);
                if self.era == 0 || self.era_has_entries {
                    self.era += 1;
                    self.era_has_entries = false;
                }
                (self.era_from, self.next, self.resume) = (from, from, None);
                self.rooms.iter_mut().for_each(|room| room.info.changed = Offset(0));
                if why != LogRestart::First {
                    for item in self.outbox.values_mut() {
                        item.passed_by(Offset::MAX);
                    }
                }
            }
            Event::Chat(ChatEvent::Entries { entries, .. }) => {
                if let (Some(epoch), Some(last)) = (self.epoch, entries.last())
                    && last.offset >= self.next
                {
                    self.next = last.offset + 1;
                    self.resume = Some(ResumePoint {
                        epoch,
                        offset: last.offset,
                        id: last.draft.id,
                        received: last.received,
                    });
                }
                let last = entries.last().map_or(Offset(0), |entry| entry.offset);
                for entry in entries {
                    self.entry(entry);
                }
                for item in self.outbox.values_mut() {
                    item.passed_by(last);
                }
            }
            Event::Chat(ChatEvent::Acknowledged { id, offset, received, follows: Follows::Entry }) => {
                self.set(id, Delivery::Acknowledged { offset, received });
                if self.resume.is_some_and(|resume| self.era_has_entries && offset <= resume.offset) {
                    self.done(id, Follows::Nothing);
                }
            }
            Event::Chat(ChatEvent::Acknowledged { id, follows, .. }) => self.done(id, follows),
            Event::Chat(ChatEvent::Refused { id, refusal }) => {
                self.set(id, Delivery::Failed(refusal.clone()));
                let made =
                    self.outbox.values().find(|item| item.draft.id == id).and_then(|item| item.makes());
                if let Some(room) = made.cloned() {
                    let typed = self.outbox.values_mut().filter(|item| item.draft.room == room);
                    typed.for_each(|item| item.deliver(Delivery::Failed(refusal.clone())));
                }
            }
            Event::Chat(ChatEvent::Postponed { id, unseen: true }) => self.set(id, Delivery::Pending),
            Event::Chat(ChatEvent::History { room, before, entries, complete }) => {
                self.history(&room, before, entries, complete);
            }
            _ => {}
        }
    }

    fn entry(&mut self, entry: Entry) {
        self.era_has_entries = true;
        if self.me.as_ref().is_some_and(|me| me.id == entry.sender.id) {
            self.outbox.retain(|_, item| item.draft.id != entry.draft.id);
        }
        self.changed(&entry);
        if entry.draft.content.is_text() {
            let room = self.rooms.iter_mut().find(|room| room.id == entry.draft.room);
            room.into_iter().for_each(|room| _ = room.info.bring_back(entry.offset));
            let position = Position { era: self.era, offset: entry.offset };
            self.messages.insert((entry.sender.id.clone(), entry.draft.id), (position, entry));
        } else if entry.draft.content.target().is_some() {
            self.changes.insert(Position { era: self.era, offset: entry.offset }, entry);
        }
    }

    /// The hole before which the hub may be asked, while the person is a member.
    pub fn open_hole(&self, room: &RoomId) -> Option<Position> {
        let room = self.rooms.iter().find(|known| known.id == *room)?;
        room.hole.filter(|hole| hole.era == self.era && !room.info.left)
    }

    fn history(&mut self, room: &RoomId, before: Offset, entries: Vec<Entry>, complete: bool) {
        let Some(hole) = self.open_hole(room).filter(|hole| before >= hole.offset) else { return };
        let mut lowest = hole.offset;
        for entry in entries {
            let position = Position { era: self.era, offset: entry.offset };
            lowest = lowest.min(entry.offset);
            if entry.draft.content.is_text() {
                self.messages.insert((entry.sender.id.clone(), entry.draft.id), (position, entry));
            } else if entry.draft.content.target().is_some() {
                self.changes.insert(position, entry);
            }
        }
        let known = self.rooms.iter_mut().find(|known| known.id == *room);
        let filled = Position { offset: lowest, ..hole };
        known.into_iter().for_each(|known| known.hole = (!complete).then_some(filled));
    }

    fn listed(&mut self, listed: &NamedRoom) {
        let known = self.rooms.iter().find(|room| room.id == listed.id);
        let is_older = known.is_some_and(|room| room.info.changed > listed.info.changed);
        self.room(&listed.id, (!is_older).then_some(&listed.name)).info.list(&listed.info);
    }

    /// What an entry says of its room.
    fn changed(&mut self, entry: &Entry) {
        let (Draft { room: id, content, .. }, offset) = (&entry.draft, entry.offset);
        let me = self.me.as_ref().map(|me| me.id.clone());
        let known = self.rooms.iter().find(|room| room.id == *id).map_or(Offset(0), |room| room.info.changed);
        match content {
            Content::Room { .. } if offset > known => {
                let info = RoomInfo::of_made(content, Some(&entry.sender.id), me.as_ref());
                let called = self.rooms.iter().find(|room| room.id == *id).map(|room| room.name.clone());
                let name = room::named_when_made(entry, called.as_ref(), me.as_ref());
                let known = self.room(id, Some(&name));
                known.info = info.made_by_me(known.info.own);
            }
            Content::RoomChange { .. } | Content::Member { .. } => {
                let era = self.era;
                let room = self.room(id, None);
                if room.info.change(offset, content, me.as_ref())
                    && let Some(name) = room::named_by(content, me.as_ref())
                {
                    room.name = name;
                }
                if room.info.has_hole_before(content, me.as_ref()) {
                    room.hole = Some(Position { era, offset });
                }
            }
            _ => {
                self.room(id, None);
            }
        }
    }

    /// The hub knows this room, and perhaps what it is called.
    fn room(&mut self, id: &RoomId, name: Option<&RoomName>) -> &mut KnownRoom {
        let known = self.rooms.iter().position(|room| room.id == *id).unwrap_or_else(|| {
            let (name, info) = (RoomName::of_id(id), RoomInfo::default());
            self.rooms.push(KnownRoom { id: id.clone(), name, info, unmade: false, hole: None });
            self.rooms.len() - 1
        });
        let room = &mut self.rooms[known];
        if let Some(name) = name {
            (room.name, room.unmade) = (name.clone(), false);
        }
        room
    }

    fn queue(&mut self, item: OutboxItem) {
        if let Some(name) = item.draft.room_name() {
            match self.rooms.iter().find(|room| room.id == item.draft.room) {
                Some(room) if !room.unmade => return,
                Some(_) => {}
                None => {
                    let id = item.draft.room.clone();
                    let me = self.me.as_ref().map(|me| &me.id);
                    let info = RoomInfo::of_made(&item.draft.content, me, me);
                    self.rooms.push(KnownRoom { id, name, info, unmade: true, hole: None });
                }
            }
        }
        self.outbox.insert(item.seq, item);
    }

    fn done(&mut self, id: MessageId, follows: Follows) {
        let item = self.outbox.values().find(|item| item.draft.id == id).cloned();
        let Some(item) = item else { return };
        self.outbox.remove(&item.seq);
        let Some(unmade) = item.makes() else { return };
        match follows {
            Follows::OtherRoom(to) => {
                let typed = self.outbox.values_mut().filter(|item| item.draft.room == *unmade);
                typed.for_each(|item| item.draft.room = to.clone());
                let name = self.rooms.iter().find(|room| room.id == *unmade).map(|room| room.name.clone());
                self.rooms.retain(|room| room.id != *unmade);
                if !self.rooms.iter().any(|room| room.id == to) {
                    self.room(&to, name.as_ref());
                }
                self.moved.insert(unmade.clone(), to);
            }
            Follows::Nothing | Follows::Entry => {
                let room = self.rooms.iter_mut().find(|room| room.id == *unmade);
                room.into_iter().for_each(|room| room.unmade = false);
            }
        }
    }

    fn drop_unmade(&mut self) {
        let outbox = &self.outbox;
        self.rooms.retain(|room| !room.unmade || outbox.values().any(|item| item.draft.room == room.id));
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
        let rooms = self.rooms.iter().map(|room| {
            let messages = self.page(&room.id).messages;
            let newest = messages.last().map(|message| message.position).unwrap_or_default();
            StoredRoom {
                id: room.id.clone(),
                name: room.name.clone(),
                info: room.info.clone(),
                unmade: room.unmade,
                hole: room.hole,
                messages,
                older_on_disk: false,
                older_on_hub: self.open_hole(&room.id).is_some(),
                newest,
                read: Position::default(),
                unread: 0,
                mentions: 0,
                draft: String::new(),
                draft_reply: None,
            }
        });
        Stored {
            me: self.me.clone(),
            features: self.features.clone(),
            era: self.era,
            era_from: self.era_from,
            era_has_entries: self.era_has_entries,
            is_local: false,
            epoch: self.resume.map(|resume| resume.epoch),
            received_to: self.saved().log.resume.map_or(self.era_from.previous(), |resume| resume.offset),
            rooms: rooms.collect(),
            threads: Vec::new(),
            outbox: self.outbox.values().cloned().collect(),
        }
    }

    /// A message as it is now: with all that came to it since, in the order of the log.
    fn message(&self, position: Position, entry: &Entry) -> Message {
        let mut message = Message::new(entry.clone(), position, false);
        for (place, change) in &self.changes {
            message.change(change, *place);
        }
        message
    }

    /// All of a room that lies behind its hole, as a page.
    pub fn page(&self, room: &RoomId) -> Page {
        let hole = self.open_hole(room);
        let of_room = self.in_order().into_iter().filter(|(position, entry)| {
            entry.draft.room == *room && hole.is_none_or(|hole| *position >= hole)
        });
        Page {
            messages: of_room.map(|(position, entry)| self.message(position, entry)).collect(),
            older_on_disk: false,
            older_on_hub: hole.is_some(),
            newer_on_disk: false,
        }
    }
}

/// Lets go of what a server says again. Returns whether there was any.
pub fn let_go(changes: &mut [Change]) -> bool {
    let mut is_some_gone = false;
    for change in changes {
        if let Change::Event(Event::Chat(ChatEvent::Entries { entries, .. })) = change {
            is_some_gone = true;
            entries.clear();
        }
    }
    is_some_gone
}
