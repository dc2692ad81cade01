//! What must hold: at every moment, and in the end.

use std::collections::BTreeSet;

use duplex::frame::Frame;
use duplex::link::durable::Change;
use duplex::model::chat::Chat;
use duplex::model::content::{Content, Draft, MemberChange};
use duplex::model::event::{ChatEvent, LinkEvent, LogEvent};
use duplex::model::id::Offset;
use duplex::model::{
    Delivery, Edge, Entry, Event, Feature, Message, MessageId, Model, Position, Principal, PrincipalId, Room,
    RoomId, RoomInfo,
};
use duplex::wire::duplex::message::{self, ClientMessage, Decoded, HubMessage};
use duplex::wire::duplex::server::Batch;

use super::apps::Process;
use super::clients::Client;
use super::disk::{ClientDisk, KnownRoom};
use super::hub::{HubDisk, ROOMS};
use super::world::World;

pub fn messages(entries: &[Entry]) -> impl Iterator<Item = &Entry> {
    entries.iter().filter(|entry| entry.draft.content.is_text())
}

// At every moment

/// What a change on the client's disk brings on the screen.
pub fn shown_by(change: &Change) -> Vec<Event> {
    match change.clone() {
        Change::Queue(item) => vec![Event::Chat(ChatEvent::Queued(item))],
        Change::Unqueue(id) => vec![Event::Chat(ChatEvent::Unqueued(id))],
        Change::Replace { old, new } => {
            vec![Event::Chat(ChatEvent::Unqueued(old)), Event::Chat(ChatEvent::Queued(new))]
        }
        Change::Attempted(ids) => vec![Event::Chat(ChatEvent::Attempted(ids))],
        Change::Event(event) => vec![event],
        Change::State(_) | Change::Draft { .. } | Change::RemoveConnection => Vec::new(),
    }
}

/// Pending, acknowledged, received: nothing is shown so before it is on disk, and all that is on disk is shown, in order.
pub fn what_is_shown_is_on_disk(client: &mut Client, event: &Event) {
    let is_kept = !matches!(
        event,
        Event::Link(LinkEvent::State(_))
            | Event::Log(LogEvent::Note(_))
            | Event::Chat(ChatEvent::Presence(_))
            | Event::Chat(ChatEvent::Typing { .. } | ChatEvent::Receipts { .. })
            | Event::Chat(ChatEvent::HistoryFailed { .. })
            | Event::Link(LinkEvent::Paused(_) | LinkEvent::Sampled(_))
            | Event::Chat(ChatEvent::Postponed { unseen: false, .. })
            | Event::Chat(ChatEvent::Restored(_))
    );
    if let Some(running) = client.running.as_mut().filter(|_| is_kept) {
        let next = running.to_show.pop_front();
        assert_eq!(next.as_ref(), Some(event), "shown before it is on disk, or out of turn");
    }
}

/// What is sent is marked on disk, or it could be changed after a crash; what is said to be held is held on disk. While the
/// disk takes nothing, what the store holds in memory counts.
pub fn what_is_sent_is_true_on_disk(client: &Client, held: &[Change], frame: &Frame) {
    if ![r#"{"type":"send""#, r#"{"type":"create_room""#, r#"{"type":"hello""#]
        .iter()
        .any(|with| begins(frame, with))
    {
        return;
    }
    let mut known: ClientDisk = client.disk.clone();
    let mut resumes = client.running.as_ref().map(|running| running.resumed_from.clone()).unwrap_or_default();
    resumes.push(known.saved().log.resume);
    for change in held {
        known.write(change.clone());
        resumes.push(known.saved().log.resume);
    }
    match message::decode(frame) {
        Ok(Decoded::Known(
            ClientMessage::Send { draft: Draft { id, .. }, .. } | ClientMessage::CreateRoom { id, .. },
        )) => {
            let item = known.outbox.values().find(|item| item.draft.id == id);
            let was_attempted =
                client.running.as_ref().is_some_and(|running| running.attempted_before.contains(&id));
            let is_marked = item.map_or(was_attempted, |item| item.delivery != Delivery::Pending);
            assert!(is_marked, "{id} is sent and not marked: {item:?}");
        }
        Ok(Decoded::Known(ClientMessage::Hello(hello))) => {
            assert!(
                resumes.contains(&hello.resume),
                "it resumes elsewhere than its disk: {:?}",
                hello.resume
            );
        }
        other => panic!("the client said {other:?}"),
    }
}

/// What is acknowledged is on the hub's disk at that moment, in that place.
pub fn what_is_acknowledged_is_on_disk(disk: &HubDisk, to: Option<&Principal>, frame: &Frame) {
    if !begins(frame, r#"{"type":"ack""#) {
        return;
    }
    if let Ok(Decoded::Known(HubMessage::Ack { id, offset, room, entry, .. })) = message::decode(frame) {
        if let Some(room) = room {
            let there = disk.at(offset).filter(|entry| entry.draft.content.is_room());
            assert_eq!(there.map(|entry| &entry.draft.room), Some(&room), "a room that is not there");
            return;
        }
        let place = to.and_then(|to| disk.known.get(&(to.id.clone(), id)));
        // What stands already is not stored; the hub here names the first place then.
        if place.is_none() && !entry && offset == Offset(1) {
            return;
        }
        assert_eq!(place, Some(&offset), "acknowledged, and not on the hub's disk");
    }
}

/// What is told is on the hub's disk at that moment: it could give the place to another entry otherwise.
pub fn what_is_told_is_on_disk(disk: &HubDisk, batch: &Batch) {
    for entry in &batch.entries {
        assert_eq!(disk.at(entry.offset), Some(entry), "told, and not on the hub's disk");
    }
}

/// Who is a member of a private room by what the log says, computed apart from what the hub goes by. None: it is public.
fn members(disk: &HubDisk, room: &RoomId) -> Option<BTreeSet<PrincipalId>> {
    let made = disk.rooms().find(|made| made.draft.room == *room)?;
    let private = made.draft.content.private()?;
    let mut members: BTreeSet<PrincipalId> = private.members.iter().cloned().collect();
    members.insert(made.sender.id.clone());
    for entry in disk.log.iter().filter(|entry| entry.draft.room == *room) {
        match &entry.draft.content {
            Content::Member { who, change: MemberChange::Left, .. } if !private.direct => {
                members.remove(&who.id);
            }
            Content::Member { who, .. } => _ = members.insert(who.id.clone()),
            _ => {}
        }
    }
    Some(members)
}

/// Whether somebody may know what is in a room, at this moment.
fn may_see(disk: &HubDisk, who: &PrincipalId, room: &RoomId) -> bool {
    members(disk, room).is_none_or(|members| members.contains(who))
}

/// Whether somebody may be told of an entry, at this moment: it is in a room that they see, or says what becomes of them in
/// one. That somebody has put a direct message out of sight is for them alone.
fn may_be_told(disk: &HubDisk, to: &PrincipalId, entry: &Entry) -> bool {
    let room = &entry.draft.room;
    let is_direct = || {
        let made = disk.rooms().find(|made| made.draft.room == *room);
        made.and_then(|made| made.draft.content.private()).is_some_and(|private| private.direct)
    };
    match &entry.draft.content {
        Content::Member { who, .. } => who.id == *to || (may_see(disk, to, room) && !is_direct()),
        _ => may_see(disk, to, room),
    }
}

/// Nobody sees what they may not: what is told is in a room that they see at that moment, or says what becomes of them.
pub fn nobody_is_told_what_is_not_for_them(disk: &HubDisk, to: Option<&Principal>, entries: &[Entry]) {
    let Some(to) = to else { return };
    for entry in entries {
        assert!(may_be_told(disk, &to.id, entry), "{} is told {entry:?}", to.name);
    }
}

/// The same of a page of history, and of what a welcome and its lists say of rooms.
pub fn history_is_for_whom_it_is_told(disk: &HubDisk, to: Option<&Principal>, frame: &Frame) {
    let kinds = [r#"{"type":"history""#, r#"{"type":"welcome""#, r#"{"type":"lists""#];
    if !kinds.iter().any(|with| begins(frame, with)) {
        return;
    }
    let rooms = match message::decode(frame) {
        Ok(Decoded::Known(HubMessage::History { entries, .. })) => {
            return nobody_is_told_what_is_not_for_them(disk, to, &entries);
        }
        Ok(Decoded::Known(HubMessage::Welcome(welcome))) => {
            assert!(welcome.head <= disk.head(), "a head beyond the log");
            welcome.rooms
        }
        Ok(Decoded::Known(HubMessage::Lists(lists))) => lists.rooms,
        _ => return,
    };
    for room in rooms {
        assert!(to.is_none_or(|to| may_see(disk, &to.id, &room.id)), "{to:?} is told of {room:?}");
    }
}

/// Spares the decoding of what a law is not about.
fn begins(frame: &Frame, with: &str) -> bool {
    matches!(frame, Frame::Text(text) if text.starts_with(with))
}

/// The entries from `first_new` on are new messages, each in its sender's order, and none that was taken back.
pub fn once_and_in_order_at_the_hub(disk: &HubDisk, first_new: usize, clients: &[Client]) {
    let (before, new) = disk.log.split_at(first_new);
    for (index, entry) in messages(new).map(|entry| (entry.offset.0 as usize - 1, entry)) {
        let Some(client) = clients.iter().find(|client| client.is(&entry.sender.id)) else {
            panic!("nobody wrote {entry:?}");
        };
        assert!(
            !client.discarded.contains(&entry.draft.id),
            "it was taken back before it was sent: {entry:?}"
        );
        let earlier = messages(before).chain(messages(&new[..index - first_new]));
        let of_sender = earlier.filter(|other| other.sender.id == entry.sender.id);
        let last = of_sender.last().and_then(|last| client.turn_of(last.draft.id));
        assert!(client.turn_of(entry.draft.id) > last, "twice, or before its turn: {entry:?}");
    }
}

impl Client {
    /// Whether the person is removed from the room of an entry after it.
    fn is_removed_in(&self, log: &[Entry], entry: &Entry) -> bool {
        let is_direct = |made: &Entry| {
            made.draft.room == entry.draft.room
                && made.draft.content.private().is_some_and(|private| private.direct)
        };
        let removes = |later: &Entry| {
            later.offset > entry.offset
                && later.draft.room == entry.draft.room
                && matches!(&later.draft.content, Content::Member { who, change: MemberChange::Left, .. } if self.is(&who.id))
        };
        log.iter().any(removes) && !log.iter().any(is_direct)
    }

    fn is(&self, id: &PrincipalId) -> bool {
        id.0 == self.name
    }

    fn chat<'a>(&self, model: &'a Model) -> &'a Chat {
        &model.connections[&self.id()].chat
    }

    /// Its place in the order of sending.
    fn turn_of(&self, id: MessageId) -> Option<usize> {
        self.queued.iter().position(|known| *known == id)
    }
}

/// What was typed is in the outbox or has come back, and the window shows it so.
/// `known`: what the disk has, with what the store holds. `is_hidden`: whether the hub has it, in a room of which the person
/// was a member no more when it would have come back.
pub fn what_was_typed_is_there_after_a_restart(
    client: &Client,
    known: &ClientDisk,
    model: &Model,
    is_hidden: impl Fn(MessageId) -> bool,
) {
    let shown: BTreeSet<MessageId> = client.chat(model).outbox.values().map(|item| item.draft.id).collect();
    for id in &client.queued {
        let came_back = client.disk.messages.keys().any(|(who, known)| client.is(who) && known == id)
            || client.disk.changes.values().any(|entry| entry.draft.id == *id);
        let on_disk = known.outbox.values().any(|item| item.draft.id == *id);
        assert!(
            came_back != shown.contains(id) || (!came_back && is_hidden(*id)),
            "gone or there twice after a restart: {id}; came back {came_back}, in the outbox on disk {on_disk}"
        );
    }
    for id in &client.made {
        let room = RoomId::from(*id);
        let is_there = known.rooms.iter().any(|known| known.id == room);
        assert!(is_there || known.moved.contains_key(&room), "a room is gone after a restart: {id}");
    }
}

// In the end

impl World {
    fn process_of(&self, client: &Client) -> Option<&Process> {
        self.apps[client.app].process.as_ref()
    }

    pub(super) fn is_settled(&self) -> bool {
        if self.is_reading() {
            return false;
        }
        self.clients.iter().all(|client| {
            self.process_of(client).is_some_and(|process| {
                process.engine.is_online(client.id())
                    && process.commit.is_empty()
                    && process.held.is_empty()
                    && client.disk.outbox.keys().all(|seq| self.waits_for_a_start(client, *seq))
                    && process.model.read(|model| {
                        let chat = client.chat(model);
                        chat.outbox.is_empty() && chat.received_to >= self.visible_head(client)
                    })
                    // A computer that slept through a restore believes to be online for a while.
                    && client.disk.saved().log.resume.is_some_and(|resume| {
                        self.disk.at(resume.offset).is_some_and(|entry| entry.draft.id == resume.id)
                    })
                    && client.disk.rooms.iter().all(|room| {
                        client.disk.open_hole(&room.id).is_none() && !self.waits_for_a_list(client, room)
                    })
            })
        })
    }

    /// Whether the disk let go of a message of the person's own that came back, and the hub does not tell it again because they
    /// have been removed from its room: it is sent again after the next start, and acknowledged.
    fn waits_for_a_start(&self, client: &Client, seq: u64) -> bool {
        let id = client.disk.outbox[&seq].draft.id;
        client.has_let_go && self.was_removed_after(client, id)
    }

    /// Whether a private room counts as left because the part of the list that names it has not come yet.
    fn waits_for_a_list(&self, client: &Client, room: &KnownRoom) -> bool {
        let me = PrincipalId(client.name.clone());
        room.info.unlisted && self.disk.has_room(&room.id) && may_see(&self.disk, &me, &room.id)
    }

    /// Whether the person was removed from the room of a message of their own after it was stored, so that it may never have
    /// come back.
    pub(super) fn was_removed_after(&self, client: &Client, id: MessageId) -> bool {
        [&self.disk.log, &self.replaced].into_iter().any(|log| {
            let is_it = |entry: &&Entry| client.is(&entry.sender.id) && entry.draft.id == id;
            log.iter().find(is_it).is_some_and(|own| client.is_removed_in(log, own))
        })
    }

    pub(super) fn check_the_end(&self) {
        for client in &self.clients {
            self.all_that_was_typed_is_at_the_hub(client);
            self.the_clients_disk_is_the_hubs_log(client);
            self.each_room_is_made_once(client);
            self.rooms_are_as_the_log_makes_them(client);
            let process = self.process_of(client).expect("settled");
            process.model.read(|model| the_window_is_the_disk(client, model));
            process.model.read(|model| self.a_direct_message_is_one_of_the_hubs(client, model));
            process.model.read(|model| self.messages_are_changed_as_the_log_says(client, model));
            for key in &client.shown {
                // What was only held in memory is told again by the hub, unless the person was removed meanwhile.
                let me = PrincipalId(client.name.clone());
                let entry = self.disk.known.get(key).and_then(|offset| self.disk.at(*offset));
                let is_hidden = entry.is_some_and(|entry| !may_see(&self.disk, &me, &entry.draft.room));
                let is_held = client.disk.messages.contains_key(key);
                assert!(
                    is_held || is_hidden || self.taken.contains(key),
                    "it was shown and is gone: {key:?}"
                );
            }
        }
    }

    /// The last entry that somebody may see.
    fn visible_head(&self, client: &Client) -> Offset {
        let me = PrincipalId(client.name.clone());
        let sees = |entry: &&Entry| may_be_told(&self.disk, &me, entry);
        self.disk.log.iter().rev().find(sees).map_or(Offset(0), |entry| entry.offset)
    }

    fn all_that_was_typed_is_at_the_hub(&self, client: &Client) {
        let key = |id: &MessageId| (PrincipalId(client.name.clone()), *id);
        // What changes a message is sent like one.
        let written =
            |entry: &&Entry| entry.draft.content.is_text() || entry.draft.content.target().is_some();
        let at_the_hub: Vec<MessageId> = self
            .disk
            .log
            .iter()
            .filter(written)
            .filter(|entry| client.is(&entry.sender.id))
            .map(|entry| entry.draft.id)
            .collect();
        // What a restored backup took with it stays with the one who wrote it, and with all who received it.
        let (lost, kept): (Vec<MessageId>, Vec<MessageId>) =
            client.queued.iter().partition(|id| !at_the_hub.contains(id));
        assert_eq!(at_the_hub, kept, "once and in order at the hub");
        for id in lost {
            let is_change = client.disk.changes.values().any(|entry| entry.draft.id == id);
            let is_held = is_change || client.disk.messages.contains_key(&key(&id));
            // What came back to nobody because its writer had been removed from the room is in the backup alone.
            let was_hidden = self.was_removed_after(client, id);
            assert!(self.taken.contains(&key(&id)) && (is_held || was_hidden), "lost: {id}");
        }
    }

    /// Edits, deletions, reactions and pins end the same at all ends: as the order of the hub's log has them.
    fn messages_are_changed_as_the_log_says(&self, client: &Client, model: &Model) {
        let era = client.disk.era;
        let is_text = |message: &&Message| message.content.is_text() && message.position.era == era;
        // Of a room from which the person was removed, what was changed since was not for them.
        let is_told = |room: &&Room| !room.info.private || !room.info.left || room.info.direct.is_some();
        for room in client.chat(model).rooms.values().filter(is_told) {
            for shown in room.window.messages().filter(is_text) {
                let entry = self.disk.at(shown.position.offset).expect("it is at the hub");
                let mut expected = Message::new(entry.clone(), shown.position, shown.live);
                for change in &self.disk.log {
                    expected.change(change, Position { era, offset: change.offset });
                }
                assert_eq!(shown.content, expected.content, "{shown:?}");
                assert_eq!(shown.changes, expected.changes, "{shown:?}");
            }
        }
    }

    /// Nobody is kept from writing to somebody by a direct message that the hub does not have.
    fn a_direct_message_is_one_of_the_hubs(&self, client: &Client, model: &Model) {
        let me = PrincipalId(client.name.clone());
        for other in self.clients.iter().filter(|other| other.name != client.name) {
            let who = PrincipalId(other.name.clone());
            let pair = BTreeSet::from([me.clone(), who.clone()]);
            let is_theirs = |made: &&Entry| {
                made.draft.content.private().is_some_and(|private| private.direct)
                    && members(&self.disk, &made.draft.room).as_ref() == Some(&pair)
            };
            let expected = self.disk.rooms().find(is_theirs).map(|made| &made.draft.room);
            assert_eq!(
                client.chat(model).direct_with(&who),
                expected,
                "the direct message of {me:?} and {who:?}"
            );
        }
    }

    fn each_room_is_made_once(&self, client: &Client) {
        for id in &client.made {
            let room = RoomId::from(*id);
            let made = self.disk.rooms().filter(|entry| entry.draft.id == *id).count();
            let moved = client.disk.moved.contains_key(&room);
            let taken = self.taken.contains(&(PrincipalId(client.name.clone()), *id));
            assert!(made == 1 || (made == 0 && (moved || taken)), "made {made} times: {id}");
        }
        for id in &client.discarded {
            let key = (PrincipalId(client.name.clone()), *id);
            assert!(!self.disk.known.contains_key(&key), "it was taken back and is there: {id}");
        }
        let public = || self.disk.rooms().filter(|made| made.draft.content.private().is_none());
        let names: BTreeSet<String> = public().map(|entry| format!("{:?}", entry.draft.content)).collect();
        assert_eq!(names.len(), public().count(), "one room of each name");
        let direct = || {
            let is_direct =
                |made: &&Entry| made.draft.content.private().is_some_and(|private| private.direct);
            self.disk.rooms().filter(is_direct)
        };
        let pairs: BTreeSet<_> = direct().map(|made| members(&self.disk, &made.draft.room)).collect();
        assert_eq!(pairs.len(), direct().count(), "one direct message of each pair");
    }

    /// However lists and entries overtook each other, the last change in the log stands.
    fn rooms_are_as_the_log_makes_them(&self, client: &Client) {
        let me = PrincipalId(client.name.clone());
        for made in self.disk.rooms() {
            let room = self.disk.room(made, &me);
            let known = client.disk.rooms.iter().find(|known| known.id == room.id);
            if !may_see(&self.disk, &me, &room.id) {
                // Whoever was a member once knows that they are one no more; nobody else knows anything.
                let was_told = |entry: &Entry| {
                    entry.draft.room == room.id
                        && matches!(&entry.draft.content, Content::Member { who, .. } if who.id == me)
                };
                let was_member = made.sender.id == me
                    || made.draft.content.private().is_some_and(|private| private.members.contains(&me))
                    || self.disk.log.iter().chain(&self.replaced).any(was_told);
                assert!(
                    known.is_none_or(|known| was_member && (known.info.left || known.unmade)),
                    "{known:?}"
                );
                let holds = client.disk.messages.values().any(|(_, entry)| entry.draft.room == room.id);
                assert!(was_member || !holds, "it holds what it may not: {room:?}");
                continue;
            }
            let told = |name, info: &RoomInfo| {
                (name, info.topic.clone(), info.members.clone(), info.direct.clone(), info.left)
            };
            let known = known.map(|known| told(known.name.clone(), &known.info));
            let expected = told(room.name, &room.info);
            assert_eq!(known, Some(expected), "a room as it is at the hub, for {}", client.name);
        }
    }

    fn the_clients_disk_is_the_hubs_log(&self, client: &Client) {
        let (era, from) = (client.disk.era, client.disk.era_from);
        assert_eq!(from, Offset(1), "with so few messages, everything is replayed");
        let held = client.disk.in_order();
        let me = PrincipalId(client.name.clone());
        let is_visible = |entry: &&Entry| may_see(&self.disk, &me, &entry.draft.room);
        let of_this_era = held.iter().filter(|(position, _)| position.era == era);
        let (current, hidden): (Vec<&Entry>, Vec<&Entry>) =
            of_this_era.map(|(_, entry)| *entry).partition(is_visible);
        // What came while they were members stays.
        for entry in hidden {
            assert_eq!(self.disk.at(entry.offset), Some(entry), "what was received is the hub's");
        }
        let theirs: Vec<&Entry> = messages(&self.disk.log).filter(is_visible).collect();
        assert_eq!(current, theirs, "once and in order at the client");
        for (position, entry) in held.iter().filter(|(position, _)| position.era != era) {
            let key = (entry.sender.id.clone(), entry.draft.id);
            assert!(
                self.taken.contains(&key) || !is_visible(entry),
                "of an earlier log, and not lost: {position:?} {entry:?}"
            );
        }
    }

    pub(super) fn describe(&self) -> String {
        let state = |client: &Client| {
            let process = self.process_of(client)?;
            let outbox: Vec<&Delivery> = client.disk.outbox.values().map(|item| &item.delivery).collect();
            let state = process.engine.state(client.id());
            let received_to = process.model.read(|model| client.chat(model).received_to);
            let waits = client.disk.rooms.iter().filter(|room| self.waits_for_a_list(client, room));
            Some(format!(
                "{state:?} waits {:?} outbox {outbox:?} at {received_to} of {} (for them {}), holes {:?}, resume {:?}, on disk {}, commit {}, held {}, turn {}",
                waits.collect::<Vec<_>>(),
                self.disk.head(),
                self.visible_head(client),
                client
                    .disk
                    .rooms
                    .iter()
                    .filter_map(|room| Some((room.id.clone(), client.disk.open_hole(&room.id)?)))
                    .collect::<Vec<_>>(),
                client.disk.saved().log.resume.map(|resume| resume.offset),
                client.disk.next,
                process.commit.len(),
                process.held.len(),
                process.engine.has_turn(),
            ))
        };
        format!("{:?}", self.clients.iter().map(state).collect::<Vec<_>>())
    }
}

fn the_window_is_the_disk(client: &Client, model: &Model) {
    let connection = &model.connections[&client.id()];
    for known in &client.disk.rooms {
        let page = client.disk.page(&known.id);
        let room = connection.chat.rooms.get(&known.id).expect("a room that is on disk is shown");
        // Of a room of which the person is a member no more, what was only held in memory and let go may be on the screen until
        // the next start: the hub does not tell it again.
        if client.has_let_go && room.info.private && room.info.left && known.info.left {
            continue;
        }
        assert_eq!((&room.name, room.unmade.is_some()), (&known.name, known.unmade), "{known:?}");
        assert_eq!(room.info, known.info, "what is known of a room is on disk");
        let said = room.window.messages().filter(|m| m.content.is_text());
        let seen: Vec<_> = said.map(|m| (m.position, m.id, m.content.clone())).collect();
        let held: Vec<_> = page.messages.iter().map(|m| (m.position, m.id, m.content.clone())).collect();
        // What lies before a hole is read from the disk when somebody scrolls there.
        let from =
            held.len().saturating_sub(if room.window.before == Edge::Disk { seen.len() } else { held.len() });
        assert_eq!(seen, held[from..], "the window shows what is on disk");
    }
    assert_eq!(connection.chat.rooms.len(), client.disk.rooms.len(), "no more than is on disk is shown");
    for name in ROOMS.map(|name| RoomId::new(name).expect("keeps the rule")) {
        assert!(connection.chat.rooms.contains_key(&name), "a room that was listed is shown: {name}");
    }
    assert_eq!(connection.features, client.disk.features, "what the hub offers is on disk");
    assert!(connection.features.as_ref().is_some_and(|all| all.has(Feature::CreateRooms)));
}
