//! [`Chat`]: the rooms, messages and people of one connection, and [`Chat::apply`]. Pure; replays and duplicates of what a
//! server sends end in the same state.

mod changes;
mod threads;

use std::collections::{BTreeMap, BTreeSet};

use super::content::Content;
use super::entry::Entry;
use super::event::{
    ChatEvent, Follows, Listed, LogKind, LogRestart, Page, Person, Side, Stored, StoredThread,
};
use super::id::{MessageId, Offset, PrincipalId, RoomId, RoomName};
use super::known::{Known, Shown};
use super::message::{Delivery, Message, OutboxItem, Position};
use super::notices::mentions;
use super::principal::{Principal, Sender};
use super::receipt::Receipts;
use super::refusal::Refusal;
use super::room::{self, NamedRoom, RoomInfo};
use super::shelf::{RoomList, RoomPlace, Shelf};
use super::thread::Thread;
use super::time::{BootMs, Time};
use super::window::{Edge, Window};

/// Maximum number of rooms of one connection; the others are not shown.
pub const MAX_ROOMS: usize = 10_000;
/// Maximum number of people of one connection; the others are not shown.
pub const MAX_PEOPLE: usize = 10_000;
/// Maximum number of bytes of messages in memory of one connection. Of rooms that nobody looks at the oldest go first:
/// they are on disk.
pub const MAX_MESSAGE_BYTES: usize = 32 * 1024 * 1024;
/// Maximum number of people typing in one room, and in all rooms of a connection; of others nothing is said.
const MAX_TYPING: (usize, usize) = (32, 1_024);
/// Maximum number of rooms of which it is known that they are others now: only whoever has one open asks.
const MAX_MOVED: usize = 64;
/// How often notices that have expired are looked for where there are too many, in milliseconds.
const TYPING_SWEEP_MS: u64 = 1_000;

/// One room as the window sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// What it is called.
    pub name: RoomName,
    /// What else is known of it: topic, members, whether it is archived or private.
    pub info: RoomInfo,
    /// The messages in memory.
    pub window: Window,
    /// The newest message of all, in memory or not.
    pub newest: Position,
    /// What the person has read.
    pub read: Position,
    /// Messages by others after `read`.
    pub unread: u64,
    /// How many of these name the person.
    pub mentions: u64,
    /// Typed and not sent, as last kept.
    pub draft: String,
    /// What that replies to.
    pub draft_reply: Option<MessageId>,
    /// Its threads, as far as they are known: those with something unread or typed, and those that the person takes part in.
    pub threads: BTreeMap<MessageId, Thread>,
    /// How many entries have changed its messages since the start.
    changes: Aside<u64>,
    /// How far its making has come, while the server does not know it. It is there as long as something is typed into it.
    pub unmade: Option<Unmade>,
    /// The place before which messages are missing that were not for the person when they came. Of the current era, the
    /// server has them.
    pub hole: Option<Position>,
    /// Who is typing, and until when to believe it.
    pub typing: BTreeMap<PrincipalId, (String, BootMs)>,
    /// Whether older messages are being fetched.
    pub loading_older: bool,
    /// Whether newer messages are being fetched.
    pub loading_newer: bool,
    /// When somebody last looked at it: counts looks at all rooms of the connection.
    looked_at: Aside<u64>,
    /// Where the server's last page of history began.
    asked_to: Aside<Option<Position>>,
}

/// How far the making of a room has come.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Unmade {
    /// It waits for its turn, or for the server.
    Waiting,
    /// The server does not make it.
    Refused,
}

/// Bookkeeping that says nothing of what is shown: two models that differ in it alone are the same.
#[derive(Copy, Clone, Debug, Default)]
struct Aside<T>(T);

impl<T> PartialEq for Aside<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<T> Eq for Aside<T> {}

/// What of a server's does not fit in.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Some rooms: there are more than [`MAX_ROOMS`].
    pub rooms: bool,
    /// Some people: there are more than [`MAX_PEOPLE`].
    pub people: bool,
}

/// The chat of one connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chat {
    /// Who we are there, once known.
    pub me: Option<Principal>,
    /// Everyone who may chat.
    pub people: BTreeMap<PrincipalId, Person>,
    /// Who was seen there, so that people whose names look alike are told apart.
    pub known: Known,
    /// The rooms.
    pub rooms: BTreeMap<RoomId, Room>,
    /// The same in the order in which they are shown.
    list: RoomList,
    /// What others have seen, where they let one know.
    pub receipts: Receipts,
    /// What has not yet come back as an entry, by `seq`.
    pub outbox: BTreeMap<u64, OutboxItem>,
    /// Offsets up to here were replayed: the hub's head at the last welcome.
    pub head: Offset,
    /// The last offset received in the current era.
    pub received_to: Offset,
    /// Why the current era began.
    pub era_began: LogRestart,
    /// Rooms that were not made because there were others of their name, and those.
    pub moved: BTreeMap<RoomId, RoomId>,
    /// What of the server's there is no room for.
    pub left_out: LeftOut,
    /// Bytes of messages in all windows.
    message_bytes: usize,
    /// What changed messages or replied to them last: a page that was read from the disk before does not know of it.
    recent: Aside<changes::Recent>,
    /// How many people are typing, those included that no longer are; when to count anew.
    typing: Aside<(usize, BootMs)>,
    looks: Aside<u64>,
    /// Whether the log of the current era is numbered here; see [`LogKind::Local`].
    pub is_local: bool,
    era: u32,
    era_from: Offset,
    era_has_entries: bool,
}

impl Chat {
    /// Takes one event in.
    pub fn apply(&mut self, now: Time, event: ChatEvent) {
        match event {
            ChatEvent::Restored(stored) => self.restored(stored),
            ChatEvent::Listed(listed) => self.listed(listed),
            ChatEvent::LogStarted { from, why, .. } => self.log_started(from, why),
            // What follows says how far the log has come.
            ChatEvent::Skipped { .. } => {}
            ChatEvent::Entries { entries, live } => self.entries(entries, live),
            ChatEvent::History { room, entries, complete, .. } => self.history(room, entries, complete),
            ChatEvent::HistoryFailed { room } => {
                if let Some(room) = self.rooms.get_mut(&room) {
                    room.loading_older = false;
                }
            }
            ChatEvent::Typing { room, who, until } => self.typing(now, &room, who, until),
            ChatEvent::Presence(person) => {
                if let Some(me) = self.me.as_mut().filter(|me| me.id == person.who.id) {
                    me.name.clone_from(&person.who.name);
                }
                let known = self.people.get(&person.who.id);
                if known.is_some_and(|known| known.who.name != person.who.name) {
                    self.rename_direct(&person.who);
                }
                self.person(person);
            }
            ChatEvent::PersonRemoved(id) => {
                self.people.remove(&id);
                self.receipts.forget(&id);
            }
            ChatEvent::ReadMarker { room, offset } => {
                self.look_at(&room);
                self.mark_read(&room, offset);
            }
            ChatEvent::MarkedUnread { room, offset } => self.mark_unread(&room, offset),
            ChatEvent::Receipts { room, by, all } => self.receipts.take(room, by, all),
            ChatEvent::ThreadPaged { .. }
            | ChatEvent::ThreadLoading { .. }
            | ChatEvent::ThreadSeen { .. }
            | ChatEvent::ThreadDraft { .. }
            | ChatEvent::DraftReply { .. }
            | ChatEvent::Quoted { .. } => self.thread_event(event),
            ChatEvent::Draft { room, text } => {
                if let Some(room) = self.make_room(&room) {
                    room.draft = text;
                }
                self.drop_unmade(&room);
            }
            ChatEvent::Queued(_)
            | ChatEvent::Unqueued(_)
            | ChatEvent::Attempted(_)
            | ChatEvent::Sent(_)
            | ChatEvent::Unsure(_)
            | ChatEvent::Acknowledged { .. }
            | ChatEvent::Refused { .. }
            | ChatEvent::Postponed { .. } => self.outbox_changed(event),
            ChatEvent::Paged { .. }
            | ChatEvent::Jumped { .. }
            | ChatEvent::Loading { .. }
            | ChatEvent::Counted { .. } => self.read_from_disk(event),
        }
    }

    /// The server knows us: what it lists takes the place of what was known.
    pub(super) fn welcomed(&mut self, me: Principal, log: LogKind, people: Vec<Person>, rooms: &[NamedRoom]) {
        if log == LogKind::Local && (self.era == 0 || !self.is_local) {
            self.log_started(
                Offset(1),
                if self.era == 0 { LogRestart::First } else { LogRestart::EpochChanged },
            );
        }
        self.is_local = log == LogKind::Local;
        let head = log.head();
        let listed: BTreeSet<&RoomId> = rooms.iter().map(|room| &room.id).collect();
        // Of a private room that is not listed the person is a member no more.
        let mut left = Vec::new();
        for (id, room) in &mut self.rooms {
            // What is listed stands, whatever was known.
            room.info.changed = Offset(0);
            if room.info.private && room.unmade.is_none() && !listed.contains(id) {
                left.push(id.clone());
            }
        }
        for id in &left {
            self.receipts.forget_room(id);
            self.change_room(id, |room| {
                room.info.not_listed();
                room.leave();
            });
        }
        for room in rooms {
            self.listed_room(room);
        }
        self.me = Some(me);
        self.head = head;
        for item in self.outbox.values_mut() {
            item.beyond(head);
        }
        self.left_out.people = false;
        self.people.clear();
        people.into_iter().for_each(|person| self.person(person));
    }

    /// Nothing is known of who is typing, and no page comes from the server any more.
    pub(super) fn disconnected(&mut self) {
        self.typing.0.0 = 0;
        for room in self.rooms.values_mut() {
            room.typing.clear();
            if room.window.before == Edge::Hub {
                room.loading_older = false;
            }
        }
    }

    fn entries(&mut self, entries: Vec<Entry>, live: bool) {
        for entry in entries {
            self.entry(entry, live);
        }
        for item in self.outbox.values_mut() {
            item.passed_by(self.received_to);
        }
    }

    /// Something typed went further.
    fn outbox_changed(&mut self, event: ChatEvent) {
        match event {
            ChatEvent::Queued(item) => self.queued(item),
            ChatEvent::Unqueued(id) => {
                if let Some(item) = self.take_queued(id) {
                    self.drop_unmade(&item.draft.room);
                    if let Some(room) = item.makes().and_then(|room| self.rooms.get_mut(room)) {
                        // Nothing makes it any more.
                        room.unmade = room.unmade.map(|_| Unmade::Refused);
                    }
                }
            }
            ChatEvent::Attempted(ids) => self.set_deliveries(&ids, &Delivery::Attempted),
            ChatEvent::Sent(ids) => self.set_deliveries(&ids, &Delivery::Sent),
            ChatEvent::Unsure(ids) => self.set_deliveries(&ids, &Delivery::Unsure),
            ChatEvent::Acknowledged { id, offset, received, follows } => {
                // It was stored earlier, at a place that the log has passed: its entry will not come back.
                if follows != Follows::Entry || offset <= self.received_to {
                    self.done(id, follows);
                } else {
                    self.set_delivery(id, Delivery::Acknowledged { offset, received });
                }
            }
            ChatEvent::Refused { id, refusal } => self.refused(id, &refusal),
            ChatEvent::Postponed { id, unseen: true } => self.set_delivery(id, Delivery::Pending),
            _ => {}
        }
    }

    /// The disk answered.
    fn read_from_disk(&mut self, event: ChatEvent) {
        match event {
            ChatEvent::Paged { room, side, page } => {
                if let Some(room) = self.rooms.get_mut(&room) {
                    *room.loading(side) = false;
                }
                self.extend(&room, side, page, &[]);
            }
            ChatEvent::Jumped { room, page } => {
                let page = self.up_to_date(page, &[]);
                self.change_window(&room, |room| {
                    (room.loading_older, room.loading_newer) = (false, false);
                    room.window = Window::from_page(page);
                    room.mend_end();
                });
            }
            ChatEvent::Loading { room, side, loading } => {
                if let Some(room) = self.look_at(&room) {
                    *room.loading(side) = loading;
                }
            }
            ChatEvent::Counted { room, read, newest, unread, mentions } => {
                if let Some(room) = self.rooms.get_mut(&room)
                    && (room.read, room.newest) == (read, newest)
                {
                    (room.unread, room.mentions) = (unread, mentions);
                }
            }
            _ => {}
        }
    }

    /// The current era.
    pub fn era(&self) -> u32 {
        self.era
    }

    /// Whether everything up to the hub's head at the last welcome has arrived.
    pub fn caught_up(&self) -> bool {
        self.received_to >= self.head
    }

    /// The rooms in the order in which they are shown.
    pub fn rooms_by_name(&self) -> impl DoubleEndedIterator<Item = (&RoomId, &Room)> {
        self.list.iter().filter_map(|id| Some((id, self.rooms.get(id)?)))
    }

    /// The same from a place on; those before it cost next to nothing.
    pub fn rooms_from(&self, place: usize) -> impl Iterator<Item = (&RoomId, &Room)> {
        self.list.iter().skip(place).filter_map(|id| Some((id, self.rooms.get(id)?)))
    }

    /// At which place a room is shown.
    pub fn place_of(&self, room: &RoomId) -> Option<usize> {
        self.list.position(&self.rooms.get(room)?.place(room))
    }

    /// Another number after each change of which rooms there are, or of their order.
    pub fn list_version(&self) -> u64 {
        self.list.version()
    }

    /// How many rooms are on a shelf.
    pub fn count_on(&self, shelf: Shelf) -> usize {
        self.list.count(shelf)
    }

    /// The first room that is called this.
    pub fn room_called(&self, name: &RoomName) -> Option<&RoomId> {
        self.list.called(name)
    }

    /// The direct message with somebody. One that the server does not list is none: it may have been lost with a restored
    /// backup, and another one is to be made then.
    pub fn direct_with(&self, who: &PrincipalId) -> Option<&RoomId> {
        let is_with = |room: &Room| room.info.direct.as_ref() == Some(who) && !room.info.unlisted;
        self.rooms.iter().find(|(_, room)| is_with(room)).map(|(id, _)| id)
    }

    /// Who else has seen the message at a place and lets others know, of those who are still there.
    pub fn readers(&self, room: &RoomId, place: Position) -> Vec<&Principal> {
        if place.era != self.era {
            return Vec::new();
        }
        let me = self.me.as_ref().map(|me| &me.id);
        let others = self.receipts.readers(room, place.offset).filter(|who| Some(*who) != me);
        others.filter_map(|who| self.people.get(who)).map(|person| &person.who).collect()
    }

    /// What a room is called; as much of its id as can be shown where it is not known. A direct message is called by whom it
    /// is with.
    pub fn name_of(&self, room: &RoomId) -> RoomName {
        let Some(known) = self.rooms.get(room) else { return RoomName::of_id(room) };
        let with = known.info.direct.as_ref().map(|who| self.people.get(who).map(|person| &person.who.name));
        match with {
            Some(Some(name)) => RoomName::closest(name).unwrap_or_else(|| known.name.clone()),
            _ => known.name.clone(),
        }
    }

    /// What waits in one room and has a row of its own, in order.
    pub fn queued_rows(&self, room: &RoomId) -> impl Iterator<Item = &OutboxItem> {
        self.outbox_of(room).filter(|item| item.is_row())
    }

    /// What waits in one room and changes messages, in order, by the message: it is shown there.
    pub fn queued_changes(&self, room: &RoomId) -> BTreeMap<MessageId, Vec<&OutboxItem>> {
        let mut all: BTreeMap<MessageId, Vec<&OutboxItem>> = BTreeMap::new();
        for item in self.outbox_of(room) {
            if let Some(target) = item.draft.content.target() {
                all.entry(target).or_default().push(item);
            }
        }
        all
    }

    /// All that waits in one room, in order.
    pub fn outbox_of(&self, room: &RoomId) -> impl Iterator<Item = &OutboxItem> {
        self.outbox.values().filter(move |item| item.draft.room == *room)
    }

    /// What waits in a room or in one of its threads and has a row of its own there, in order.
    pub fn queued_in(&self, room: &RoomId, thread: Option<MessageId>) -> impl Iterator<Item = &OutboxItem> {
        self.queued_rows(room).filter(move |item| match thread {
            None => !item.draft.content.is_aside(),
            Some(_) => item.draft.content.thread() == thread,
        })
    }

    /// How to show somebody, told apart from everybody else who was seen there.
    pub fn shown(&self, who: &Sender, most_chars: usize) -> Shown {
        self.known.shown(&who.id, &who.name, most_chars)
    }

    /// What is listed after the welcome adds to what that said.
    fn listed(&mut self, listed: Listed) {
        for room in &listed.rooms {
            self.listed_room(room);
        }
        listed.people.into_iter().for_each(|person| self.person(person));
        for (room, offset) in listed.read {
            self.mark_read(&room, offset);
        }
    }

    /// Everything after this place is unread. How many that are the disk counts.
    fn mark_unread(&mut self, room: &RoomId, offset: Offset) {
        let read = Position { era: self.era, offset };
        if let Some(room) = self.rooms.get_mut(room).filter(|room| room.read > read) {
            room.read = read;
        }
    }

    fn mark_read(&mut self, room: &RoomId, offset: Offset) {
        let position = Position { era: self.era, offset };
        if let Some(room) = self.rooms.get_mut(room) {
            room.mark_read(position, self.me.as_ref());
        }
    }

    fn log_started(&mut self, from: Offset, why: LogRestart) {
        if self.era == 0 || self.era_has_entries {
            self.era += 1;
            self.era_has_entries = false;
            self.era_began = why;
        }
        self.receipts.clear();
        self.received_to = from.previous();
        self.era_from = from;
        for room in self.rooms.values_mut() {
            // It was told of another log.
            room.info.changed = Offset(0);
        }
        let unseen = self.edge_of_unseen();
        // What an earlier log still had at the hub is gone with it.
        let is_open = |room: &&mut Room| room.window.is_empty() || room.window.before == Edge::Hub;
        for room in self.rooms.values_mut().filter(is_open) {
            // Before a hole there may be more on disk.
            room.window.before = if room.hole.is_some() { Edge::Disk } else { unseen };
        }
        // What was acknowledged and has not come back was in the log that is gone: it is sent again.
        if why != LogRestart::First {
            for item in self.outbox.values_mut() {
                item.passed_by(Offset::MAX);
            }
        }
    }

    fn entry(&mut self, entry: Entry, live: bool) {
        let position = Position { era: self.era, offset: entry.offset };
        self.era_has_entries = true;
        self.received_to = self.received_to.max(entry.offset);
        let mine = self.my_id().as_ref() == Some(&entry.sender.id);
        if mine {
            self.outbox.retain(|_, item| item.draft.id != entry.draft.id);
        }
        match &entry.draft.content {
            Content::Unknown(_) => return,
            Content::Room { .. } => return self.room_made(&entry),
            Content::RoomChange { .. } | Content::Member { .. } => return self.room_changed(entry, live),
            Content::Edit { .. }
            | Content::Delete { .. }
            | Content::Reaction { .. }
            | Content::Pin { .. } => {
                return self.changed(entry, position);
            }
            Content::Text { .. } => {}
        }
        if entry.draft.content.is_aside() {
            return self.aside(entry, position, live, mine);
        }
        let names_me =
            !mine && self.me.as_ref().is_some_and(|me| mentions(entry.draft.content.body(), &me.name));
        let hidden = self.rooms.get(&entry.draft.room).is_some_and(|room| room.info.left);
        if hidden {
            self.change_room(&entry.draft.room, |room| _ = room.info.bring_back(entry.offset));
        }
        // Without room for its room it is on disk alone.
        let Some(room) = self.make_room(&entry.draft.room) else { return };
        let bytes = room.window.bytes();
        room.typing.remove(&entry.sender.id);
        // Of an earlier era: it moves to this one.
        let was_counted = room.window.position(entry.draft.id).is_some_and(|earlier| earlier > room.read);
        if position > room.newest {
            room.newest = position;
            if !mine && position > room.read && !was_counted {
                room.unread += 1;
                room.mentions += u64::from(names_me);
            }
        }
        let (id, refers) = (entry.draft.id, entry.draft.content.reply_to().is_some());
        let replied = refers.then(|| entry.clone());
        room.window.append(Message::new(entry, position, live));
        room.window.quote(id);
        let more = room.window.bytes();
        self.count_messages(bytes, more);
        if let Some(replied) = replied {
            self.in_thread(&replied, position, (live, mine), was_counted);
            self.replied(replied, position);
        }
    }

    fn room_made(&mut self, entry: &Entry) {
        let (id, me) = (&entry.draft.room, self.my_id());
        if entry.draft.room_name().is_none() {
            return;
        }
        let known = self.rooms.get(id).map(|room| &room.name);
        let name = room::named_when_made(entry, known, me.as_ref());
        let is_new = self.rooms.get(id).is_none_or(|room| room.unmade.is_some());
        if self.rooms.get(id).is_some_and(|room| room.info.changed >= entry.offset) {
            return;
        }
        self.told_of_room(id, &name);
        let me = self.me.as_ref().map(|me| &me.id);
        let info = RoomInfo::of_made(&entry.draft.content, Some(&entry.sender.id), me);
        self.change_room(id, |room| {
            room.info = info.made_by_me(room.info.own);
            // The room begins here: nothing of it is older.
            if is_new {
                room.window.before = Edge::End;
            }
        });
    }

    /// What becomes of a room and its members is told among its messages, and counts as none.
    fn room_changed(&mut self, entry: Entry, live: bool) {
        let (draft, me) = (&entry.draft, self.my_id());
        if self.make_room(&draft.room).is_none() {
            return;
        }
        let position = Position { era: self.era, offset: entry.offset };
        let before = self.rooms.get(&draft.room).map_or(0, |room| room.window.bytes());
        self.change_room(&draft.room, |room| {
            if room.info.change(entry.offset, &draft.content, me.as_ref())
                && let Some(name) = room::named_by(&draft.content, me.as_ref())
            {
                room.name = name;
            }
            if room.info.has_hole_before(&draft.content, me.as_ref()) {
                room.join(position);
            }
            if room.info.private && room.info.left && room.info.direct.is_none() {
                room.leave();
            }
        });
        let id = draft.room.clone();
        let Some(room) = self.rooms.get_mut(&id) else { return };
        room.window.append(Message::new(entry, position, live));
        let after = room.window.bytes();
        self.count_messages(before, after);
    }

    fn history(&mut self, name: RoomId, entries: Vec<Entry>, complete: bool) {
        let era = self.era;
        let Some(room) = self.rooms.get_mut(&name) else { return };
        room.loading_older = false;
        let first = entries.first().map(|first| Position { era, offset: first.offset });
        if first.is_some() {
            room.asked_to.0 = first;
        }
        if room.hole.is_some_and(|hole| hole.era == era) {
            room.hole = first.filter(|_| !complete).or(room.hole.filter(|_| !complete));
        }
        if room.window.before != Edge::Hub {
            return;
        }
        let (mut messages, mut changes) = (Vec::new(), Vec::new());
        for entry in entries {
            let position = Position { era, offset: entry.offset };
            if entry.draft.content.is_shown() {
                self.old_of_thread(&entry, position);
                if !entry.draft.content.is_aside() {
                    messages.push(Message::new(entry, position, false));
                }
            } else if entry.draft.content.target().is_some() {
                changes.push((position, entry));
            }
        }
        let page = Page { messages, older_on_disk: false, older_on_hub: !complete, newer_on_disk: false };
        self.extend(&name, Side::Older, page, &changes);
        // The messages that they change may be on the next page.
        changes.into_iter().for_each(|(place, entry)| self.changed(entry, place));
    }

    fn restored(&mut self, stored: Stored) {
        self.me = stored.me;
        self.era = stored.era;
        self.era_from = stored.era_from;
        self.era_has_entries = stored.era_has_entries;
        self.is_local = stored.is_local;
        self.received_to = stored.received_to;
        for room in stored.rooms {
            if self.rooms.len() >= MAX_ROOMS && !self.rooms.contains_key(&room.id) {
                self.left_out.rooms = true;
                continue;
            }
            let page = Page {
                messages: room.messages,
                older_on_disk: room.older_on_disk,
                older_on_hub: room.older_on_hub,
                newer_on_disk: false,
            };
            let restored = Room {
                name: room.name,
                info: room.info,
                window: Window::from_page(page),
                newest: room.newest,
                read: room.read,
                unread: room.unread,
                mentions: room.mentions,
                draft: room.draft,
                draft_reply: room.draft_reply,
                // Whatever makes it is in the outbox, unless it was given up.
                unmade: room.unmade.then_some(Unmade::Refused),
                hole: room.hole,
                ..Room::new(RoomName::general(), Window::default())
            };
            self.message_bytes += restored.window.bytes();
            let place = restored.place(&room.id);
            if let Some(replaced) = self.rooms.insert(room.id.clone(), restored) {
                self.list.remove(&replaced.place(&room.id));
                self.message_bytes -= replaced.bytes();
            }
            self.list.insert(place);
        }
        for StoredThread { room, root, thread } in stored.threads {
            if let Some(room) = self.rooms.get_mut(&room) {
                room.threads.insert(root, thread);
            }
        }
        self.outbox = stored.outbox.into_iter().map(|item| (item.seq, item)).collect();
        for item in self.outbox.values().filter(|item| item.makes().is_some()) {
            if let Some(room) = self.rooms.get_mut(&item.draft.room)
                && !matches!(item.delivery, Delivery::Failed(_))
            {
                room.unmade = room.unmade.map(|_| Unmade::Waiting);
            }
        }
        self.count_messages(0, 0);
    }

    fn queued(&mut self, item: OutboxItem) {
        self.outbox.retain(|_, known| known.draft.id != item.draft.id);
        let known = self.rooms.get(&item.draft.room);
        let arrived = match item.makes() {
            Some(_) => known.is_some_and(|room| room.unmade.is_none()),
            None => known.is_some_and(|room| room.window.contains(item.draft.id)),
        };
        if !arrived {
            self.make_unmade(&item);
            self.outbox.insert(item.seq, item);
        }
    }

    fn set_deliveries(&mut self, ids: &[MessageId], delivery: &Delivery) {
        for id in ids {
            self.set_delivery(*id, delivery.clone());
        }
    }

    fn set_delivery(&mut self, id: MessageId, delivery: Delivery) {
        if let Some(item) = self.outbox.values_mut().find(|item| item.draft.id == id) {
            item.deliver(delivery);
        }
    }

    fn typing(&mut self, now: Time, name: &RoomId, who: Sender, until: BootMs) {
        let (count, sweep_at) = &mut self.typing.0;
        if *count >= MAX_TYPING.1 && now.boot_ms >= *sweep_at {
            (*count, *sweep_at) = (0, now.boot_ms.saturating_add(TYPING_SWEEP_MS));
            for room in self.rooms.values_mut() {
                room.typing.retain(|_, (_, until)| *until > now.boot_ms);
                *count += room.typing.len();
            }
        }
        if self.me.as_ref().is_some_and(|me| me.id == who.id) {
            return;
        }
        let Some(room) = self.rooms.get_mut(name) else { return };
        if room.typing.len() >= MAX_TYPING.0 {
            room.typing.retain(|_, (_, until)| *until > now.boot_ms);
        }
        let has_room = room.typing.len() < MAX_TYPING.0 && *count < MAX_TYPING.1;
        if has_room || room.typing.contains_key(&who.id) {
            let known = room.typing.insert(who.id, (who.name, until));
            *count += usize::from(known.is_none());
        }
    }

    /// A direct message is called by whom it is with.
    fn rename_direct(&mut self, who: &Principal) {
        let room = self.direct_with(&who.id).cloned();
        if let (Some(room), Some(name)) = (room, RoomName::closest(&who.name)) {
            self.change_room(&room, |room| room.name = name);
        }
    }

    fn person(&mut self, person: Person) {
        if self.people.len() < MAX_PEOPLE || self.people.contains_key(&person.who.id) {
            self.people.insert(person.who.id.clone(), person);
        } else {
            self.left_out.people = true;
        }
    }

    fn my_id(&self) -> Option<PrincipalId> {
        self.me.as_ref().map(|me| me.id.clone())
    }

    /// What lies before the first message of a room of which nothing is on disk.
    fn edge_of_unseen(&self) -> Edge {
        if self.era == 1 && self.era_from > Offset(1) { Edge::Hub } else { Edge::End }
    }

    /// A room; a new one, if there is room for it.
    fn make_room(&mut self, id: &RoomId) -> Option<&mut Room> {
        if !self.rooms.contains_key(id) {
            if self.rooms.len() >= MAX_ROOMS {
                self.left_out.rooms = true;
                return None;
            }
            let window = Window::empty(self.edge_of_unseen());
            let name = RoomName::of_id(id);
            let room = Room::new(name, window);
            self.list.insert(room.place(id));
            self.rooms.insert(id.clone(), room);
        }
        self.rooms.get_mut(id)
    }

    /// A room is to be made.
    fn make_unmade(&mut self, item: &OutboxItem) {
        let Some(name) = item.draft.room_name() else { return };
        let is_new = !self.rooms.contains_key(&item.draft.room);
        self.name_room(&item.draft.room, &name);
        let is_refused = matches!(item.delivery, Delivery::Failed(_));
        let me = self.me.as_ref().map(|me| &me.id);
        let info = RoomInfo::of_made(&item.draft.content, me, me);
        self.change_room(&item.draft.room, |room| {
            room.info = info;
            room.unmade = Some(if is_refused { Unmade::Refused } else { Unmade::Waiting });
            // It begins with what is typed into it.
            if is_new {
                room.window.before = Edge::End;
            }
        });
    }

    /// Changes what is known of a room, and with it its place in the list.
    fn change_room(&mut self, id: &RoomId, change: impl FnOnce(&mut Room)) {
        let Some(room) = self.rooms.get_mut(id) else { return };
        let before = room.place(id);
        change(room);
        let after = room.place(id);
        if before != after {
            self.list.remove(&before);
            self.list.insert(after);
        }
    }

    /// A room that the server does not know goes with the last of what was typed into it.
    fn drop_unmade(&mut self, id: &RoomId) {
        let is_left = |room: &Room| room.unmade.is_some() && room.draft.is_empty();
        if self.rooms.get(id).is_some_and(is_left)
            && self.outbox_of(id).next().is_none()
            && let Some(room) = self.rooms.remove(id)
        {
            self.message_bytes -= room.bytes();
            self.list.remove(&room.place(id));
        }
    }

    /// The server lists this room.
    fn listed_room(&mut self, listed: &NamedRoom) {
        let is_older = |room: &Room| room.info.changed > listed.info.changed;
        if !self.rooms.get(&listed.id).is_some_and(is_older) {
            self.told_of_room(&listed.id, &listed.name);
        }
        let era = self.era;
        let before = self.rooms.get(&listed.id).map_or(0, |room| room.window.bytes());
        self.change_room(&listed.id, |room| {
            let was_left = room.info.left;
            room.info.list(&listed.info);
            // The server tells again what was before.
            if let Some(hole) = room.hole.filter(|hole| was_left && !room.info.left && hole.era == era) {
                room.window.begin_at(hole, Edge::Hub);
            }
        });
        let after = self.rooms.get(&listed.id).map_or(0, |room| room.window.bytes());
        self.count_messages(before, after);
    }

    /// The server knows this room.
    fn told_of_room(&mut self, id: &RoomId, name: &RoomName) {
        self.name_room(id, name);
        if let Some(room) = self.rooms.get_mut(id) {
            room.unmade = None;
        }
    }

    /// Takes something out of the outbox.
    fn take_queued(&mut self, id: MessageId) -> Option<OutboxItem> {
        let seq = self.outbox.iter().find(|(_, item)| item.draft.id == id).map(|(seq, _)| *seq)?;
        self.outbox.remove(&seq)
    }

    /// The server does not take something. Where that makes a room, nothing that was typed into it can be sent.
    fn refused(&mut self, id: MessageId, refusal: &Refusal) {
        self.set_delivery(id, Delivery::Failed(refusal.clone()));
        let item = self.outbox.values().find(|item| item.draft.id == id);
        let Some(id) = item.and_then(OutboxItem::makes).cloned() else { return };
        for item in self.outbox.values_mut().filter(|item| item.draft.room == id) {
            item.deliver(Delivery::Failed(refusal.clone()));
        }
        if let Some(room) = self.rooms.get_mut(&id) {
            room.unmade = room.unmade.map(|_| Unmade::Refused);
        }
    }

    /// Nothing more comes of something that the server has.
    fn done(&mut self, id: MessageId, follows: Follows) {
        let Some(item) = self.take_queued(id) else { return };
        let Some(unmade) = item.makes() else { return };
        match follows {
            Follows::OtherRoom(to) if to != *unmade => self.move_to(unmade, to),
            _ => {
                if let Some(room) = self.rooms.get_mut(unmade) {
                    room.unmade = None;
                }
            }
        }
    }

    /// What was typed into a room that was there already under another id goes there.
    fn move_to(&mut self, from: &RoomId, to: RoomId) {
        for item in self.outbox.values_mut().filter(|item| item.draft.room == *from) {
            item.draft.room = to.clone();
        }
        let Some(unmade) = self.rooms.remove(from) else { return };
        self.message_bytes -= unmade.bytes();
        self.list.remove(&unmade.place(from));
        if !self.rooms.contains_key(&to) {
            self.name_room(&to, &unmade.name);
        }
        if let Some(room) = self.rooms.get_mut(&to).filter(|room| room.draft.is_empty()) {
            room.draft = unmade.draft;
        }
        if self.moved.len() >= MAX_MOVED {
            self.moved.clear();
        }
        self.moved.insert(from.clone(), to);
    }

    /// A room is called this from now on; a new one, if there is room for it.
    fn name_room(&mut self, id: &RoomId, name: &RoomName) {
        if self.make_room(id).is_some_and(|room| room.name != *name) {
            self.change_room(id, |room| room.name.clone_from(name));
        }
    }

    /// A room that somebody looks at.
    fn look_at(&mut self, name: &RoomId) -> Option<&mut Room> {
        self.looks.0 += 1;
        let room = self.rooms.get_mut(name)?;
        room.looked_at = self.looks;
        Some(room)
    }

    /// Changes what a room holds in memory.
    fn change_window(&mut self, name: &RoomId, change: impl FnOnce(&mut Room)) {
        let Some(room) = self.look_at(name) else { return };
        let before = room.window.bytes();
        change(room);
        let after = room.window.bytes();
        self.count_messages(before, after);
    }

    /// A window that took so many bytes takes so many now. Where all of them are too much, rooms that nobody looks at let
    /// go of their older messages.
    fn count_messages(&mut self, before: usize, after: usize) {
        self.message_bytes = self.message_bytes + after - before;
        if self.message_bytes <= MAX_MESSAGE_BYTES {
            return;
        }
        let last_seen = self.rooms.values().map(|room| room.looked_at.0).max().filter(|look| *look > 0);
        // Half of it, so that it is not the same again at once.
        for each in [64 * 1024, 4 * 1024, 0] {
            for room in self.rooms.values_mut().filter(|room| Some(room.looked_at.0) != last_seen) {
                let bytes = room.window.bytes();
                room.window.shrink(each);
                self.message_bytes -= bytes - room.window.bytes();
            }
            if self.message_bytes <= MAX_MESSAGE_BYTES / 2 {
                return;
            }
        }
    }
}

impl Room {
    fn new(name: RoomName, window: Window) -> Self {
        Room {
            name,
            info: RoomInfo::default(),
            window,
            newest: Position::default(),
            read: Position::default(),
            unread: 0,
            mentions: 0,
            draft: String::new(),
            draft_reply: None,
            threads: BTreeMap::new(),
            changes: Aside::default(),
            unmade: None,
            hole: None,
            typing: BTreeMap::new(),
            loading_older: false,
            loading_newer: false,
            looked_at: Aside::default(),
            asked_to: Aside::default(),
        }
    }

    /// Where the server's last page of history in this era began, whether any message was in it or not.
    pub fn asked_to(&self, era: u32) -> Option<Offset> {
        self.asked_to.0.filter(|place| place.era == era).map(|place| place.offset)
    }

    /// The person becomes a member here: what came before was not for them. It is history, and as good as read.
    fn join(&mut self, at: Position) {
        self.hole = Some(at);
        (self.window, self.loading_older) = (Window::empty(Edge::Hub), false);
        self.asked_to.0 = Some(at);
        self.read = self.read.max(at);
        if self.newest <= self.read {
            (self.unread, self.mentions) = (0, 0);
        }
    }

    /// The person is a member of this private room no more: what is here is all that there will be.
    fn leave(&mut self) {
        self.info.left = true;
        if self.window.before == Edge::Hub {
            // No page comes from the server any more.
            (self.window.before, self.loading_older) = (Edge::Disk, false);
        }
    }

    /// Its place in the list of rooms.
    fn place(&self, id: &RoomId) -> RoomPlace {
        (self.info.shelf(), self.name.clone(), id.clone())
    }

    /// Another number after each change of one of its messages.
    pub fn change_count(&self) -> u64 {
        self.changes.0
    }

    /// The messages in memory of the room, or of one of its threads.
    pub fn window_of(&self, thread: Option<MessageId>) -> Option<&Window> {
        match thread {
            None => Some(&self.window),
            Some(root) => self.threads.get(&root)?.window.as_ref(),
        }
    }

    /// A message, if it is in memory.
    pub fn message(&self, id: MessageId) -> Option<&Message> {
        let of_threads = || self.threads.values().filter_map(|thread| thread.window.as_ref()?.get(id)).next();
        self.window.get(id).or_else(of_threads)
    }

    /// How many messages are unread, as it is shown: with threads that the person takes part in, and none of a room that was
    /// left.
    pub fn shown_unread(&self) -> u64 {
        if self.info.left { 0 } else { self.unread + self.threads.values().map(Thread::told).sum::<u64>() }
    }

    /// How many of these name the person.
    pub fn shown_mentions(&self) -> u64 {
        if self.info.left {
            return 0;
        }
        self.mentions + self.threads.values().map(|thread| thread.mentions).sum::<u64>()
    }

    fn loading(&mut self, side: Side) -> &mut bool {
        match side {
            Side::Older => &mut self.loading_older,
            Side::Newer => &mut self.loading_newer,
        }
    }

    /// A page that was read before the newest message came does not know of it.
    fn mend_end(&mut self) {
        let last = self.window.last().map(|message| message.position).unwrap_or_default();
        if self.window.after == Edge::End && last < self.newest {
            self.window.after = Edge::Disk;
        }
    }

    fn mark_read(&mut self, position: Position, me: Option<&Principal>) {
        if position <= self.read {
            return;
        }
        self.read = position;
        if position >= self.newest {
            (self.unread, self.mentions) = (0, 0);
        } else if self.window.after == Edge::End
            && self.window.first().is_some_and(|m| m.position <= position)
        {
            let is_by_other = |m: &&Message| Some(&m.sender.id) != me.map(|me| &me.id);
            let is_unread = |m: &&Message| m.position > position && !m.is_event() && is_by_other(m);
            let unread = || self.window.from(position).filter(is_unread);
            let names_me = |m: &&Message| me.is_some_and(|me| mentions(m.body(), &me.name));
            let count = unread().count() as u64;
            // Whoever has no mention left has none to look for.
            let named = if self.mentions > 0 { unread().filter(names_me).count() as u64 } else { 0 };
            (self.unread, self.mentions) = (count, named);
        }
    }
}
