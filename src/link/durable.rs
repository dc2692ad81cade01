//! [`DurableLink`]: a link with its disk and model, sans-IO: nothing shows as pending, is sent, or counts as received
//! before it is on disk. The engine drives it.

use std::collections::{BTreeMap, VecDeque};

use super::{Link, Mark, Output as LinkOutput};
use crate::frame::Frame;
use crate::model::event::{ChatEvent, Follows, LinkEvent, Stored};
use crate::model::receipt::MAX_RECEIPT_ROOMS;
use crate::model::time::BootMs;
use crate::model::{Delivery, Draft, Event, MessageId, Offset, OutboxItem, Refusal, RoomId, Time};
use crate::wire::{ChatRequest, Request};

/// Maximum number of marks kept for changes that the store holds in memory.
const MAX_HELD_MARKS: usize = 1_024;

/// An input of a durable link.
#[derive(Clone, Debug)]
pub enum Input {
    /// For the link.
    Link(super::Input),
    /// The person sends this draft. Its id is new and random.
    Send(Draft),
    /// The person deletes a message. Ignored if the hub may have it.
    Discard(MessageId),
    /// The person sends a refused message again.
    Resend(MessageId),
    /// The person replaces a message. Ignored if the hub may have it.
    Edit {
        /// The message.
        id: MessageId,
        /// Id of the replacement: new and random.
        new_id: MessageId,
        /// The new text.
        body: String,
    },
    /// The person has read up to this offset of the current era.
    Read {
        /// The room.
        room: RoomId,
        /// The last read offset.
        offset: Offset,
    },
    /// The person wants everything after this offset of the current era to be unread.
    Unread {
        /// The room.
        room: RoomId,
        /// The last offset that counts as read.
        offset: Offset,
    },
    /// Others may know that the person has seen these messages of the current era.
    Seen {
        /// The room.
        room: RoomId,
        /// The first seen offset.
        first: Offset,
        /// The last one.
        last: Offset,
    },
    /// What was seen and not told yet is not to be told.
    KeepSeenPrivate,
    /// The change with this ticket is on disk. It may have been held before.
    Saved(u64),
    /// The same; its entries, which had no offsets, were given consecutive ones.
    Numbered {
        /// The ticket.
        ticket: u64,
        /// The first entry's offset.
        first: Offset,
    },
    /// The change with this ticket could not be written; the store holds it in memory and tries again.
    Held(u64),
}

/// An output of a durable link. Carry them out in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Dial; see [`LinkOutput::Dial`].
    Dial {
        /// Its number.
        dial: u64,
        /// The URL.
        url: String,
    },
    /// Send this over the current dial's connection.
    Send(Frame),
    /// Send a WebSocket ping over the current dial's connection.
    Ping,
    /// The server reads compressed frames over the current dial's connection.
    Compress,
    /// Close the current dial or connection.
    Hangup {
        /// The close code.
        code: u16,
    },
    /// Write this change, then report `Saved` or `Held` with the ticket. Changes are written in the order of their
    /// tickets.
    Write {
        /// The ticket.
        ticket: u64,
        /// The change.
        change: Change,
    },
    /// Show this event.
    Apply(Event),
}

/// A change of a connection's stored state.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A new item in the outbox.
    Queue(OutboxItem),
    /// An item leaves the outbox unsent.
    Unqueue(MessageId),
    /// An item of the outbox is replaced.
    Replace {
        /// The old item.
        old: MessageId,
        /// The new item.
        new: OutboxItem,
    },
    /// These are about to be given to the socket.
    Attempted(Vec<MessageId>),
    /// An event. Events that do not outlive the process are ignored.
    Event(Event),
    /// State that the protocol keeps for the next session, in the same transaction as the change before it.
    State(Vec<u8>),
    /// A room's unsent text.
    Draft {
        /// The room.
        room: RoomId,
        /// The text.
        text: String,
    },
    /// The connection is removed, with its history, outbox and drafts.
    RemoveConnection,
}

impl Change {
    /// Applies what the person did, and what became of it, to the stored state, if the store only holds it in memory:
    /// otherwise it would be missing on screen, sent in another order, or sent without being marked. Servers send again
    /// what they sent; an acknowledgement that an entry follows is one of these.
    pub fn add_to(&self, stored: &mut Stored) {
        match self {
            Change::Queue(item) => stored.queue(item.clone()),
            Change::Unqueue(id) => stored.unqueue(*id),
            Change::Replace { old, new } => {
                stored.unqueue(*old);
                stored.queue(new.clone());
            }
            Change::Attempted(ids) => stored.deliver(ids, &Delivery::Attempted),
            Change::Event(Event::Chat(ChatEvent::Refused { id, refusal })) => {
                stored.refuse(*id, refusal);
            }
            Change::Event(Event::Chat(ChatEvent::Postponed { id, unseen: true })) => {
                stored.deliver(&[*id], &Delivery::Pending);
            }
            Change::Event(Event::Chat(ChatEvent::Acknowledged { id, follows, .. }))
                if *follows != Follows::Entry =>
            {
                stored.done(*id, follows);
            }
            Change::Event(Event::Chat(ChatEvent::Sent(ids))) => stored.deliver(ids, &Delivery::Sent),
            Change::Event(Event::Chat(ChatEvent::Unsure(ids))) => stored.deliver(ids, &Delivery::Unsure),
            Change::Draft { room, text } => {
                let room = stored.rooms.iter_mut().find(|known| known.id == *room);
                room.into_iter().for_each(|room| room.draft.clone_from(text));
            }
            Change::Event(_) | Change::State(_) | Change::RemoveConnection => {}
        }
    }
}

/// What to do once a change is on disk.
#[derive(Debug)]
struct After {
    apply: Vec<Event>,
    tell: Option<super::Input>,
    mark: Option<Mark>,
    /// Whether the resume point depends on it.
    moves_on: bool,
    /// Whether its entries have no offsets yet: they show once the disk has numbered them.
    is_unnumbered: bool,
}

impl After {
    /// Whether it sends a message once it is on disk.
    fn is_an_attempt(&self) -> bool {
        match &self.tell {
            Some(super::Input::Attempted(_)) => true,
            Some(super::Input::Queued(item)) => item.delivery == Delivery::Attempted,
            _ => false,
        }
    }
}

/// One connection between the network, the disk and the model.
pub struct DurableLink {
    link: Link,
    next_seq: u64,
    next_ticket: u64,
    waiting: BTreeMap<u64, After>,
    /// Changes held in memory by the store, with their marks, which count once the changes are on disk.
    held: BTreeMap<u64, Mark>,
    /// Ticket of the newest state that is not on disk; frames after it wait.
    unsaved_state: Option<u64>,
    kept_back: VecDeque<Output>,
    /// Read markers that could not be sent yet, in the current log.
    unsaid: BTreeMap<RoomId, Offset>,
    /// Rooms of which something is to be unread again, of which the server does not know yet.
    unsaid_back: BTreeMap<RoomId, Offset>,
    /// What others were told last that the person has seen, by room, in the current log. It is told again after each
    /// welcome, since what was sent over a lost connection may not have arrived.
    seen: VecDeque<(RoomId, Offset, Offset)>,
    /// Whether the hub has just sent a welcome.
    greeted: bool,
    /// A connection that is open but not greeted yet: data of the previous one is still being written.
    opened: Option<super::Input>,
    outputs: VecDeque<Output>,
}

impl DurableLink {
    /// Takes over a link, and the items of the stored outbox.
    pub fn new(mut link: Link, now: Time, outbox: Vec<OutboxItem>) -> Self {
        let next_seq = outbox.iter().map(|item| item.seq + 1).max().unwrap_or(1);
        for item in outbox {
            link.handle(now, super::Input::Restored(item));
        }
        let mut durable = DurableLink {
            link,
            next_seq,
            next_ticket: 1,
            waiting: BTreeMap::new(),
            held: BTreeMap::new(),
            unsaved_state: None,
            kept_back: VecDeque::new(),
            unsaid: BTreeMap::new(),
            unsaid_back: BTreeMap::new(),
            seen: VecDeque::new(),
            greeted: false,
            opened: None,
            outputs: VecDeque::new(),
        };
        durable.take_outputs();
        durable
    }

    /// The link.
    pub fn link(&self) -> &Link {
        &self.link
    }

    /// The link, to change its setup.
    pub fn link_mut(&mut self) -> &mut Link {
        &mut self.link
    }

    /// The next output; `None` if there is nothing more to do.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When the link needs a tick, as boot time in milliseconds.
    pub fn deadline(&self) -> Option<BootMs> {
        self.link.deadline()
    }

    /// Handles one input; then drain [`DurableLink::poll`].
    pub fn handle(&mut self, now: Time, input: Input) {
        match input {
            // Greeting now would resume before what is being written. If the hub was restored from a backup meanwhile,
            // other entries could come for the same offsets.
            Input::Link(input @ super::Input::Opened { .. }) if self.is_receiving() => {
                self.opened = Some(input);
            }
            Input::Link(input) => self.tell(now, input),
            Input::Send(draft) => {
                let seq = self.take_seq();
                let delivery = self.first_delivery(&draft);
                let item = OutboxItem { draft, seq, delivery };
                self.write(
                    Change::Queue(item.clone()),
                    vec![Event::Chat(ChatEvent::Queued(item.clone()))],
                    queued(item),
                );
            }
            Input::Discard(id) => {
                if let Some(item) = self.link.take_back(id) {
                    self.write(Change::Unqueue(id), vec![Event::Chat(ChatEvent::Unqueued(id))], None);
                    self.strand(&item);
                }
            }
            Input::Resend(id) => self.resend(id),
            Input::Edit { id, new_id, body } => {
                if let Some(item) = self.link.take_back(id) {
                    let content = item.draft.content.with_body(body);
                    let draft = Draft { id: new_id, content, at: now.wall_ms, ..item.draft };
                    self.replace(id, OutboxItem { draft, ..item });
                }
            }
            Input::Unread { room, offset } => {
                self.unsaid.remove(&room);
                if !self.link.state().is_online() {
                    self.unsaid_back.insert(room.clone(), offset);
                }
                let event = Event::Chat(ChatEvent::MarkedUnread { room: room.clone(), offset });
                let tell = super::Input::Request(Request::Chat(ChatRequest::Unread { room, offset }));
                self.write(Change::Event(event.clone()), vec![event], Some(tell));
            }
            Input::Read { room, offset } => {
                if !self.link.state().is_online() {
                    self.unsaid_back.remove(&room);
                    self.unsaid.insert(room.clone(), offset);
                }
                let event = Event::Chat(ChatEvent::ReadMarker { room: room.clone(), offset });
                let tell = super::Input::Request(Request::Chat(ChatRequest::Read { room, offset }));
                self.write(Change::Event(event.clone()), vec![event], Some(tell));
            }
            Input::Seen { room, first, last } => self.seen(now, room, first, last),
            Input::KeepSeenPrivate => self.seen.clear(),
            Input::Saved(ticket) => self.saved(now, ticket, None),
            Input::Numbered { ticket, first } => self.saved(now, ticket, Some(first)),
            Input::Held(ticket) => self.store_holds(now, ticket),
        }
    }

    /// Others may know what the person has seen; of a few rooms that is told again after each welcome.
    fn seen(&mut self, now: Time, room: RoomId, first: Offset, last: Offset) {
        self.seen.retain(|(told, ..)| *told != room);
        if self.seen.len() == MAX_RECEIPT_ROOMS {
            self.seen.pop_front();
        }
        self.seen.push_back((room.clone(), first, last));
        self.tell(now, super::Input::Request(Request::Chat(ChatRequest::Seen { room, first, last })));
    }

    /// If this would have made a room, the items typed into the room cannot be sent.
    fn strand(&mut self, item: &OutboxItem) {
        for id in item.makes().map(|room| self.link.strand(room)).unwrap_or_default() {
            let event = Event::Chat(ChatEvent::Refused { id, refusal: Refusal::NoSuchRoom });
            self.write(Change::Event(event.clone()), vec![event], None);
        }
    }

    /// A refused item is sent again, with what was refused along with it.
    fn resend(&mut self, id: MessageId) {
        for id in self.link.to_send_again(id) {
            if let Some(item) = self.link.take_back(id) {
                self.replace(id, item);
            }
        }
    }

    /// A refused item moves to the end: the hub may have what was behind it.
    fn replace(&mut self, old: MessageId, item: OutboxItem) {
        let is_in_its_turn = item.delivery == Delivery::Pending;
        let seq = if is_in_its_turn { item.seq } else { self.take_seq() };
        let of_room = self.link.refusal_of_room(&item.draft.room).filter(|_| item.makes().is_none());
        let delivery = of_room.map_or(Delivery::Pending, |refusal| Delivery::Failed(refusal.clone()));
        let new = OutboxItem { seq, delivery, ..item };
        if is_in_its_turn {
            self.link.keep_place(new.clone());
        }
        let apply = vec![Event::Chat(ChatEvent::Unqueued(old)), Event::Chat(ChatEvent::Queued(new.clone()))];
        self.write(Change::Replace { old, new: new.clone() }, apply, queued(new));
    }

    /// A message that will be sent at once is stored as attempted, which saves a commit. A message for a room that is
    /// not made yet waits for the room, or is refused with it.
    fn first_delivery(&self, draft: &Draft) -> Delivery {
        if !draft.content.is_room() {
            if let Some(refusal) = self.link.refusal_of_room(&draft.room) {
                return Delivery::Failed(refusal.clone());
            }
            let makes_it = |after: &After| match &after.tell {
                Some(super::Input::Queued(item)) => item.makes() == Some(&draft.room),
                _ => false,
            };
            if self.link.is_unmade(&draft.room) || self.waiting.values().any(makes_it) {
                return Delivery::Pending;
            }
        }
        let on_its_way = |after: &After| match &after.tell {
            // A refused one delays nothing.
            Some(super::Input::Queued(item)) => {
                matches!(item.delivery, Delivery::Attempted | Delivery::Failed(_))
            }
            Some(super::Input::Attempted(_)) => false,
            _ => true,
        };
        let nothing_before =
            self.waiting.len() < super::outbox::WINDOW && self.waiting.values().all(on_its_way);
        if self.link.would_send_now() && nothing_before { Delivery::Attempted } else { Delivery::Pending }
    }

    fn take_seq(&mut self) -> u64 {
        let seq = self.next_seq;
        self.next_seq += 1;
        seq
    }

    fn tell(&mut self, now: Time, input: super::Input) {
        self.link.handle(now, input);
        self.take_outputs();
        if std::mem::take(&mut self.greeted) {
            for (room, offset) in std::mem::take(&mut self.unsaid_back) {
                self.handle(now, Input::Unread { room, offset });
            }
            for (room, offset) in std::mem::take(&mut self.unsaid) {
                self.tell(now, super::Input::Request(Request::Chat(ChatRequest::Read { room, offset })));
            }
            for (room, first, last) in self.seen.clone() {
                self.tell(now, super::Input::Request(Request::Chat(ChatRequest::Seen { room, first, last })));
            }
        }
    }

    fn take_outputs(&mut self) {
        while let Some(output) = self.link.poll() {
            match output {
                LinkOutput::Dial { dial, url } => {
                    self.kept_back.clear();
                    self.outputs.push_back(Output::Dial { dial, url });
                }
                LinkOutput::Send(frame) => self.send(Output::Send(frame)),
                LinkOutput::Ping => self.send(Output::Ping),
                LinkOutput::Compress => self.send(Output::Compress),
                LinkOutput::Hangup { code } => {
                    self.kept_back.clear();
                    self.outputs.push_back(Output::Hangup { code });
                }
                LinkOutput::Event(event, mark) => self.event(event, mark),
                LinkOutput::Persist(state) => {
                    let ticket = self.write(Change::State(state), Vec::new(), None);
                    self.unsaved_state = Some(ticket);
                }
                LinkOutput::MarkAttempted(ids) => {
                    let apply = vec![Event::Chat(ChatEvent::Attempted(ids.clone()))];
                    let tell = Some(super::Input::Attempted(ids.clone()));
                    self.write(Change::Attempted(ids), apply, tell);
                }
            }
        }
    }

    /// Sends a frame, or keeps it back while a state that it may depend on is unsaved.
    fn send(&mut self, output: Output) {
        match self.unsaved_state {
            Some(_) => self.kept_back.push_back(output),
            None => self.outputs.push_back(output),
        }
    }

    fn event(&mut self, event: Event, mark: Option<Mark>) {
        self.greeted |= matches!(event, Event::Link(LinkEvent::Welcomed { .. }));
        if matches!(event, Event::Chat(ChatEvent::LogStarted { .. })) {
            self.unsaid.clear();
            self.seen.clear();
        }
        if is_kept(&event) {
            let moves_on = mark.is_some() || matches!(event, Event::Chat(ChatEvent::LogStarted { .. }));
            let is_unnumbered = event.is_unnumbered();
            let ticket = self.write(Change::Event(kept(&event)), vec![event], None);
            if let Some(after) = self.waiting.get_mut(&ticket) {
                (after.mark, after.moves_on, after.is_unnumbered) = (mark, moves_on, is_unnumbered);
            }
        } else {
            self.outputs.push_back(Output::Apply(event));
        }
    }

    fn write(&mut self, change: Change, apply: Vec<Event>, tell: Option<super::Input>) -> u64 {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.waiting.insert(ticket, After { apply, tell, mark: None, moves_on: false, is_unnumbered: false });
        self.outputs.push_back(Output::Write { ticket, change });
        ticket
    }

    /// A change is on disk.
    fn saved(&mut self, now: Time, ticket: u64, first: Option<Offset>) {
        let mark = self.held.remove(&ticket).or_else(|| self.written(now, ticket, first));
        if let Some(mark) = mark {
            self.tell(now, super::Input::Committed(mark));
        }
        if self.unsaved_state.is_some_and(|state| state <= ticket) {
            self.unsaved_state = None;
            self.outputs.append(&mut self.kept_back);
        }
        self.greet(now);
    }

    /// A change is held in the store's memory: it shows, but does not count as received, so that the server keeps it.
    /// Entries that the disk numbers wait.
    fn store_holds(&mut self, now: Time, ticket: u64) {
        let Some(after) = self.waiting.get_mut(&ticket).filter(|after| !after.is_unnumbered) else { return };
        if after.is_an_attempt() && !self.link.confirms() {
            // After a crash nobody would know of the attempt, and the message would be sent again without asking.
            let shown = std::mem::take(&mut after.apply);
            return self.outputs.extend(shown.into_iter().map(Output::Apply));
        }
        if let Some(mark) = self.written(now, ticket, None) {
            self.held.insert(ticket, mark);
        }
        // A later mark implies those before it.
        if self.held.len() > MAX_HELD_MARKS {
            self.held.pop_first();
        }
        self.greet(now);
    }

    /// Does what follows a written change. Returns its mark.
    fn written(&mut self, now: Time, ticket: u64, first: Option<Offset>) -> Option<Mark> {
        let After { mut apply, tell, mark, .. } = self.waiting.remove(&ticket)?;
        if let Some(first) = first {
            apply.iter_mut().for_each(|event| event.number(first));
        }
        self.outputs.extend(apply.into_iter().map(Output::Apply));
        if let Some(input) = tell {
            self.tell(now, input);
        }
        mark
    }

    /// Greets a connection that opened while data of the previous one was being written.
    fn greet(&mut self, now: Time) {
        if self.opened.is_some()
            && !self.is_receiving()
            && let Some(opened) = self.opened.take()
        {
            // The link ignores it if it has been replaced meanwhile.
            self.tell(now, opened);
        }
    }

    /// Whether data received from the hub is still being written.
    fn is_receiving(&self) -> bool {
        self.waiting.values().any(|after| after.moves_on)
    }
}

fn queued(item: OutboxItem) -> Option<super::Input> {
    Some(super::Input::Queued(item))
}

/// The part of an event that is stored. Presence is not.
fn kept(event: &Event) -> Event {
    match event {
        Event::Link(LinkEvent::Welcomed { me, server, log, now, people: _, rooms, features }) => {
            let (me, server, log, now) = (me.clone(), server.clone(), *log, *now);
            let (people, rooms, features) = (Vec::new(), rooms.clone(), features.clone());
            Event::Link(LinkEvent::Welcomed { me, server, log, now, people, rooms, features })
        }
        event => event.clone(),
    }
}

/// Whether an event outlives the process.
fn is_kept(event: &Event) -> bool {
    matches!(
        event,
        Event::Link(LinkEvent::Welcomed { .. })
            | Event::Chat(ChatEvent::Listed(_))
            | Event::Chat(ChatEvent::LogStarted { .. })
            | Event::Chat(ChatEvent::Skipped { .. })
            | Event::Chat(ChatEvent::Entries { .. })
            | Event::Chat(ChatEvent::Acknowledged { .. })
            | Event::Chat(ChatEvent::Refused { .. })
            | Event::Chat(ChatEvent::Sent(_))
            | Event::Chat(ChatEvent::Unsure(_))
            | Event::Chat(ChatEvent::Postponed { unseen: true, .. })
            | Event::Chat(ChatEvent::ReadMarker { .. })
            | Event::Chat(ChatEvent::MarkedUnread { .. })
            | Event::Chat(ChatEvent::ThreadSeen { .. })
            | Event::Chat(ChatEvent::ThreadDraft { .. })
            | Event::Chat(ChatEvent::DraftReply { .. })
            | Event::Chat(ChatEvent::History { .. })
    )
}
