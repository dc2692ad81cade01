//! The clients: one connection of an app each, its part of the disk, and a person before it.

use std::collections::{BTreeSet, VecDeque};

use duplex::link::Input as LinkInput;
use duplex::link::durable::{Change, Input};
use duplex::model::content::{Content, Draft, MemberChange, Private};
use duplex::model::event::Side;
use duplex::model::id::RoomName;
use duplex::model::intent::ChatIntent;
use duplex::model::time::WallMs;
use duplex::model::{
    ConnectionId, Delivery, Event, MessageId, OutboxItem, PrincipalId, Refusal, ResumePoint, RoomId, Sender,
};

use super::disk::{ClientDisk, KnownRoom};
use super::world::{Happening, World};

#[derive(Default)]
pub struct Client {
    number: usize,
    /// Its token, and its id at the hub.
    pub name: String,
    pub app: usize,
    pub disk: ClientDisk,
    pub running: Option<Running>,
    /// What was typed and is kept, in the order in which it is to be sent.
    pub queued: Vec<MessageId>,
    /// Rooms whose making was typed and is kept.
    pub made: Vec<MessageId>,
    /// Whether the store ever let something go that was on the screen.
    pub has_let_go: bool,
    /// What was deleted or replaced before it was ever sent.
    pub discarded: BTreeSet<MessageId>,
    /// What was shown as a message of the log.
    pub shown: BTreeSet<(PrincipalId, MessageId)>,
    typed: u64,
}

/// What a crash takes away, beside the process itself.
#[derive(Default)]
pub struct Running {
    /// What is being dialed, until it is given up.
    pub dial: Option<u64>,
    pub conn: Option<u64>,
    /// Kept, and not shown yet.
    pub to_show: VecDeque<Event>,
    /// Where the log was to go on before the disk took what was held. A session that began meanwhile goes on from there, and
    /// is told again what is there already.
    pub resumed_from: Vec<Option<ResumePoint>>,
    /// The messages that were marked as attempted in the outbox when the connection was last rebuilt. If one had come back already,
    /// and its entry was only held in memory, it is sent again until the entry comes again: the hub knows its id.
    pub attempted_before: BTreeSet<MessageId>,
    /// Refused for its credentials: it must not dial before a person says so.
    pub refused: bool,
}

impl Client {
    pub fn new(client: usize, app: usize) -> Self {
        Client { number: client, name: format!("client {client}"), app, ..Client::default() }
    }

    pub fn id(&self) -> ConnectionId {
        Client::connection(self.number)
    }

    /// The id of a client's connection.
    pub fn connection(client: usize) -> ConnectionId {
        ConnectionId(client as u64 + 1)
    }

    /// Whose connection it is.
    pub fn of(connection: ConnectionId) -> usize {
        connection.0 as usize - 1
    }
}

/// Whether it is a message, or changes one: these arrive in the order in which they were typed.
fn counts_in_order(item: &OutboxItem) -> bool {
    item.draft.content.is_text() || item.draft.content.target().is_some()
}

impl World {
    pub(super) fn dial(&mut self, client: usize, run: u64, dial: u64) {
        let running = self.clients[client].running.as_ref();
        assert!(
            running.is_none_or(|running| !running.refused),
            "it dials again with credentials that were refused"
        );
        self.hang_up(client);
        self.clients[client].running.iter_mut().for_each(|running| running.dial = Some(dial));
        // A black hole answers nothing at all.
        if !self.mishap(50) {
            let in_ms = self.rng.up_to(50);
            self.at(in_ms, Happening::Dialed { client, run, dial });
        }
    }

    /// What the disk has, with what the store holds in memory.
    pub(super) fn known(&self, client: usize) -> ClientDisk {
        let mut known = self.clients[client].disk.clone();
        for change in self.held_of(client) {
            known.write(change);
        }
        known
    }

    /// What a change says of what the person did. `known`: what was kept before it, where it replaces something.
    pub(super) fn typed_is_kept(&mut self, client: usize, known: Option<&ClientDisk>, change: &Change) {
        let is_in_its_turn = |seq: &u64| known.is_none_or(|known| known.outbox.contains_key(seq));
        let c = &mut self.clients[client];
        match change {
            Change::Queue(item) if item.makes().is_some() => c.made.push(item.draft.id),
            Change::Queue(item) if !counts_in_order(item) => {}
            Change::Queue(item) => c.queued.push(item.draft.id),
            Change::Unqueue(id) => {
                self.figures.discarded += 1;
                c.queued.retain(|known| known != id);
                c.made.retain(|known| known != id);
                c.discarded.insert(*id);
            }
            // A room, or a change of one, that is sent again.
            Change::Replace { new, .. } if !counts_in_order(new) => {}
            // What was refused goes to the end.
            Change::Replace { old, new } if !is_in_its_turn(&new.seq) => {
                c.queued.retain(|known| known != old);
                c.queued.push(new.draft.id);
                if *old != new.draft.id {
                    c.discarded.insert(*old);
                }
            }
            Change::Replace { old, new } => {
                self.figures.edited += 1;
                c.queued.iter_mut().filter(|known| *known == old).for_each(|known| *known = new.draft.id);
                c.discarded.insert(*old);
            }
            Change::Attempted(_) | Change::Event(_) | Change::State(_) => {}
            Change::Draft { .. } | Change::RemoveConnection => {}
        }
    }

    // The person

    pub(super) fn person_starts(&mut self, client: usize) {
        if let Some(running) = &mut self.clients[client].running {
            running.refused = false;
        }
        self.tell(client, Input::Link(LinkInput::Start));
    }

    pub(super) fn person_types(&mut self, client: usize) {
        let id = self.new_id();
        let c = &mut self.clients[client];
        if c.running.is_some() {
            c.typed += 1;
            let body = format!("{client}:{}", c.typed);
            let rooms = c.disk.rooms.clone();
            self.figures.typed += 1;
            let at = self.rng.up_to(rooms.len() as u64 * 2) as usize;
            let room = rooms.get(at).map_or_else(RoomId::general, |room| room.id.clone());
            self.tell(client, Input::Send(Draft { id, room, content: Content::text(body), at: WallMs(0) }));
        }
    }

    /// Edits, deletes, pins or reacts to a message that is on the screen; now and then to one that is nowhere.
    pub(super) fn person_changes_a_message(&mut self, client: usize) {
        let (id, nowhere) = (self.new_id(), self.new_id());
        let choice = self.rng.up_to(9);
        let which = self.rng.up_to(20) as usize;
        let c = &mut self.clients[client];
        if c.running.is_none() {
            return;
        }
        let messages: Vec<(MessageId, RoomId)> =
            c.disk.messages.values().map(|(_, entry)| (entry.draft.id, entry.draft.room.clone())).collect();
        let (target, room) = messages.get(which).cloned().unwrap_or((nowhere, RoomId::general()));
        c.typed += 1;
        let content = match choice {
            0..=3 => Content::edit(target, format!("{client}: edit {}", c.typed)),
            4..=7 => Content::reaction(target, ["👍", "🎉"][choice as usize % 2], choice < 6),
            8 => Content::pin(target, c.typed.is_multiple_of(2)),
            _ => Content::delete(target),
        };
        self.figures.typed += 1;
        self.tell(client, Input::Send(Draft { id, room, content, at: WallMs(0) }));
    }

    /// Makes a room, and types into it at once. Others make some of the same names.
    pub(super) fn person_makes_a_room(&mut self, client: usize) {
        let (id, first) = (self.new_id(), self.new_id());
        let name = ["general", "lathe", "kiln", "attic"][self.rng.up_to(3) as usize];
        if self.clients[client].running.is_some() {
            let content = Content::room(RoomName::new(name).expect("keeps the rule"));
            self.figures.rooms += 1;
            self.figures.typed += 1;
            self.tell(client, Input::Send(Draft { id, room: id.into(), content, at: WallMs(0) }));
            let body = format!("{client}: the first in {name}");
            let content = Content::text(body);
            self.tell(client, Input::Send(Draft { id: first, room: id.into(), content, at: WallMs(0) }));
        }
    }

    /// Makes a private room with somebody, or writes them a direct message, and types into it at once. The other one may do
    /// the same at the same time.
    pub(super) fn person_makes_a_private_room(&mut self, client: usize, direct: bool) {
        let (id, first) = (self.new_id(), self.new_id());
        let other = self.rng.up_to(self.clients.len() as u64 - 1) as usize;
        if self.clients[client].running.is_none() || other == client {
            return;
        }
        let who = PrincipalId(self.clients[other].name.clone());
        if direct && self.has_direct_with(client, &who) {
            self.figures.typed += 1;
            let (connection, content) =
                (self.clients[client].id(), Content::text(format!("{client}: again")));
            return self.want(client, ChatIntent::SendDirect { connection, who, content }, Some(first));
        }
        let members = vec![who];
        let name = if direct { self.clients[other].name.clone() } else { "plans".to_owned() };
        let content =
            Content::private_room(RoomName::new(name).expect("keeps the rule"), Private { members, direct });
        self.figures.private_rooms += 1;
        self.figures.typed += 1;
        self.tell(client, Input::Send(Draft { id, room: id.into(), content, at: WallMs(0) }));
        let content = Content::text(format!("{client}: the first"));
        self.tell(client, Input::Send(Draft { id: first, room: id.into(), content, at: WallMs(0) }));
    }

    /// Whether the window has a direct message with somebody.
    fn has_direct_with(&self, client: usize, who: &PrincipalId) -> bool {
        let c = &self.clients[client];
        let process = self.apps[c.app].process.as_ref();
        process.is_some_and(|process| {
            process.model.read(|model| model.connections[&c.id()].chat.direct_with(who).is_some())
        })
    }

    /// Puts a direct message out of sight.
    pub(super) fn person_hides_a_direct_message(&mut self, client: usize) {
        let id = self.new_id();
        let c = &self.clients[client];
        let is_seen = |room: &&KnownRoom| room.info.direct.is_some() && !room.info.left && !room.unmade;
        let room = c.disk.rooms.iter().find(is_seen).map(|room| room.id.clone());
        if let (true, Some(room)) = (c.running.is_some(), room) {
            let connection = c.id();
            self.figures.hidden += 1;
            self.want(client, ChatIntent::LeaveRoom { connection, room }, Some(id));
        }
    }

    /// Invites somebody into a private room, removes them, or leaves it.
    pub(super) fn person_changes_members(&mut self, client: usize) {
        let (id, which) = (self.new_id(), self.rng.up_to(99) as usize);
        let other = self.rng.up_to(self.clients.len() as u64 - 1) as usize;
        let c = &self.clients[client];
        let is_open = |room: &&KnownRoom| room.info.private && room.info.direct.is_none();
        let rooms: Vec<RoomId> = c.disk.rooms.iter().filter(is_open).map(|room| room.id.clone()).collect();
        if c.running.is_none() || rooms.is_empty() {
            return;
        }
        let name = self.clients[other].name.clone();
        let who = Sender { id: PrincipalId(name.clone()), name };
        let change =
            if other == client || self.chance(40) { MemberChange::Left } else { MemberChange::Invited };
        let content = Content::member(who, change);
        self.figures.members_changed += 1;
        let room = rooms[which % rooms.len()].clone();
        self.tell(client, Input::Send(Draft { id, room, content, at: WallMs(0) }));
    }

    /// Scrolls to where something is missing.
    pub(super) fn person_scrolls(&mut self, client: usize) {
        let c = &self.clients[client];
        let holes: Vec<RoomId> = c
            .disk
            .rooms
            .iter()
            .filter(|room| c.disk.open_hole(&room.id).is_some())
            .map(|room| room.id.clone())
            .collect();
        let connection = c.id();
        for room in holes {
            let side = Side::Older;
            self.want(client, ChatIntent::LoadMore { connection, room, side }, None);
        }
    }

    /// Renames a room, or says what it is about. Others do the same at the same time.
    pub(super) fn person_changes_a_room(&mut self, client: usize) {
        let (id, number) = (self.new_id(), self.rng.up_to(99));
        let is_name = self.chance(50);
        let c = &self.clients[client];
        let rooms: Vec<&KnownRoom> = c.disk.rooms.iter().filter(|room| room.info.direct.is_none()).collect();
        if c.running.is_some() && !rooms.is_empty() {
            let room = rooms[number as usize % rooms.len()].id.clone();
            let text = format!("{client} says {number}");
            let content = match is_name {
                true => Content::renamed(RoomName::new(text).expect("keeps the rule")),
                false => Content::topic(text),
            };
            self.figures.room_changes += 1;
            self.tell(client, Input::Send(Draft { id, room, content, at: WallMs(0) }));
        }
    }

    /// Has what was refused sent again, or deletes it where there is no room for it any more.
    pub(super) fn person_mends(&mut self, client: usize) {
        let failed = |item: &OutboxItem| match &item.delivery {
            Delivery::Failed(refusal) => Some((item.draft.id, refusal.clone())),
            _ => None,
        };
        let Some((id, refusal)) = self.known(client).outbox.values().find_map(failed) else { return };
        match refusal {
            Refusal::NoSuchRoom | Refusal::NotAllowed => self.tell(client, Input::Discard(id)),
            _ => {
                self.figures.sent_again += 1;
                self.tell(client, Input::Resend(id));
            }
        }
    }

    pub(super) fn person_edits(&mut self, client: usize) {
        // The first one that waits: others are behind it.
        let pending = |delivery: &Delivery| *delivery == Delivery::Pending;
        let known = self.known(client);
        let first =
            known.outbox.values().find(|item| pending(&item.delivery) && item.draft.content.is_text());
        let first = first.map(|item| item.draft.id);
        if let Some(id) = first {
            let new_id = self.new_id();
            self.tell(client, Input::Edit { id, new_id, body: format!("{client}: better") });
        }
    }

    pub(super) fn person_discards(&mut self, client: usize) {
        let last = self.known(client).outbox.values().next_back().map(|item| item.draft.id);
        if let Some(id) = last {
            self.tell(client, Input::Discard(id));
        }
    }

    fn new_id(&mut self) -> MessageId {
        let mut bytes = [0u8; 16];
        bytes[..8].copy_from_slice(&self.rng.draw().to_le_bytes());
        bytes[8..].copy_from_slice(&self.rng.draw().to_le_bytes());
        MessageId::from_random(bytes)
    }
}
