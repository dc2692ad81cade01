//! [`DurableLink`]: what ties one link to the disk and the model, sans-IO: nothing shows as pending, is sent, or counts as
//! received before the disk has it. The engine drives it.

use std::collections::{BTreeMap, VecDeque};

use super::{Link, Mark, Output as LinkOutput};
use crate::frame::Frame;
use crate::model::event::{ChatEvent, LinkEvent, Stored};
use crate::model::{Delivery, Draft, Event, MessageId, Offset, OutboxItem, Refusal, RoomId, Time};
use crate::wire::{ChatRequest, Request};

/// Maximum number of marks kept of changes that the store holds in memory.
const MAX_HELD_MARKS: usize = 1_024;

/// What a durable link is told.
#[derive(Clone, Debug)]
pub enum Input {
    /// For the link.
    Link(super::Input),
    /// The person sends this. Its id is new and random.
    Send(Draft),
    /// The person deletes a message; nothing happens if the hub may have it.
    Discard(MessageId),
    /// The person sends a refused message again.
    Resend(MessageId),
    /// The person replaces a message; nothing happens if the hub may have it.
    Edit {
        /// Which.
        id: MessageId,
        /// The new one's id: new and random.
        new_id: MessageId,
        /// The new text.
        body: String,
    },
    /// The person has read up to this offset of the current era.
    Read {
        /// Where.
        room: RoomId,
        /// The last read offset.
        offset: Offset,
    },
    /// The change of this ticket is on disk. It may have been held before.
    Saved(u64),
    /// The same, and its entries, which had no offsets, were given these: the first one's, and so on.
    Numbered {
        /// Whose.
        ticket: u64,
        /// The first entry's offset.
        first: Offset,
    },
    /// The change of this ticket cannot be written; the store holds it in memory and will try again.
    Held(u64),
}

/// What a durable link wants done, in this order.
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
    /// Send a ping of the transport over the current dial's connection.
    Ping,
    /// Close the current dial or connection.
    Hangup {
        /// The close code.
        code: u16,
    },
    /// Write this down, then say `Saved` (or `Held`) with the ticket. Changes are written in the order of their tickets.
    Write {
        /// Its number.
        ticket: u64,
        /// What.
        change: Change,
    },
    /// Show this.
    Apply(Event),
}

/// A change of what the disk holds about one connection.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A new message in the outbox.
    Queue(OutboxItem),
    /// A message leaves the outbox unsent.
    Unqueue(MessageId),
    /// A message in the outbox is replaced by another.
    Replace {
        /// Which.
        old: MessageId,
        /// By what.
        new: OutboxItem,
    },
    /// These are about to be given to the socket.
    Attempted(Vec<MessageId>),
    /// Something happened. What does not outlive the process is ignored.
    Event(Event),
    /// What the protocol wants to be kept for the next session, in the same transaction as the change before it.
    State(Vec<u8>),
    /// What is typed and not sent.
    Draft {
        /// Where.
        room: RoomId,
        /// What.
        text: String,
    },
    /// The connection goes, with its history, outbox and drafts.
    RemoveConnection,
}

impl Change {
    /// Adds what a person did to what the disk has, where the store only holds it in memory: it must neither be missing on
    /// the screen nor be sent in another order. What a server said it says again.
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

/// What follows once a change is on disk.
#[derive(Debug)]
struct After {
    apply: Vec<Event>,
    tell: Option<super::Input>,
    mark: Option<Mark>,
    /// Where the hub is to go on the next time depends on it.
    moves_on: bool,
    /// Its entries have no offsets yet: they show once the disk has numbered them.
    is_unnumbered: bool,
}

impl After {
    /// Whether a message goes to the socket once it is on disk.
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
    /// Changes that the store holds in memory, with their marks: those count once the disk takes them.
    held: BTreeMap<u64, Mark>,
    /// The newest state that is not on disk; what is to be sent after it waits.
    unsaved_state: Option<u64>,
    kept_back: VecDeque<Output>,
    /// What was read while the hub could not be told, in the log of now.
    unsaid: BTreeMap<RoomId, Offset>,
    /// Whether the hub has just welcomed us.
    greeted: bool,
    /// A connection that is open, and where nothing is said yet: the disk is still writing what came over the one before.
    opened: Option<super::Input>,
    outputs: VecDeque<Output>,
}

impl DurableLink {
    /// Takes over a link and what the disk's outbox holds.
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

    /// The link, to set it up anew.
    pub fn link_mut(&mut self) -> &mut Link {
        &mut self.link
    }

    /// The next output; `None` when there is nothing more to do.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// The boot time in milliseconds at which the link wants a tick.
    pub fn deadline(&self) -> Option<u64> {
        self.link.deadline()
    }

    /// Takes one input in; then drain [`DurableLink::poll`].
    pub fn handle(&mut self, now: Time, input: Input) {
        match input {
            // It would be greeted with a place before what comes of that write, and other entries could come for the same
            // offsets, if the hub was restored from a backup meanwhile.
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
            Input::Resend(id) => {
                for id in self.link.to_send_again(id) {
                    if let Some(item) = self.link.take_back(id) {
                        self.replace(id, item);
                    }
                }
            }
            Input::Edit { id, new_id, body } => {
                if let Some(item) = self.link.take_back(id) {
                    let content = item.draft.content.with_body(body);
                    let draft = Draft { id: new_id, content, at: now.wall_ms, ..item.draft };
                    self.replace(id, OutboxItem { draft, ..item });
                }
            }
            Input::Read { room, offset } => {
                if !self.link.state().is_online() {
                    self.unsaid.insert(room.clone(), offset);
                }
                let event = Event::Chat(ChatEvent::ReadMarker { room: room.clone(), offset });
                let tell = super::Input::Request(Request::Chat(ChatRequest::Read { room, offset }));
                self.write(Change::Event(event.clone()), vec![event], Some(tell));
            }
            Input::Saved(ticket) => self.saved(now, ticket, None),
            Input::Numbered { ticket, first } => self.saved(now, ticket, Some(first)),
            Input::Held(ticket) => self.store_holds(now, ticket),
        }
    }

    /// Where this would have made a room, what was typed into that cannot be sent.
    fn strand(&mut self, item: &OutboxItem) {
        for id in item.makes().map(|room| self.link.strand(room)).unwrap_or_default() {
            let event = Event::Chat(ChatEvent::Refused { id, refusal: Refusal::NoSuchRoom });
            self.write(Change::Event(event.clone()), vec![event], None);
        }
    }

    /// What the hub has refused goes to the end: what was behind it is there already.
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

    /// A message that will be sent at once is written down as such: one commit instead of two. One for a room that is not
    /// made waits for that, or is refused like it.
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
            // One that is refused already holds up nothing.
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
            for (room, offset) in std::mem::take(&mut self.unsaid) {
                self.tell(now, super::Input::Request(Request::Chat(ChatRequest::Read { room, offset })));
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

    /// What the other end is told after a state may rest on it.
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

    /// A change is in the store's memory and not on disk: it shows, and is not received, since the server must not forget
    /// it. What the disk is to number waits.
    fn store_holds(&mut self, now: Time, ticket: u64) {
        let Some(after) = self.waiting.get_mut(&ticket).filter(|after| !after.is_unnumbered) else { return };
        if after.is_an_attempt() && !self.link.confirms() {
            // After a crash nobody would know that it was tried, and it would be sent again unasked.
            let shown = std::mem::take(&mut after.apply);
            return self.outputs.extend(shown.into_iter().map(Output::Apply));
        }
        if let Some(mark) = self.written(now, ticket, None) {
            self.held.insert(ticket, mark);
        }
        // A later mark stands for those before it.
        if self.held.len() > MAX_HELD_MARKS {
            self.held.pop_first();
        }
        self.greet(now);
    }

    /// Does what follows a change. Returns its mark.
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

    /// Tells the link of a connection that opened while the disk was still writing what came over the one before.
    fn greet(&mut self, now: Time) {
        if self.opened.is_some()
            && !self.is_receiving()
            && let Some(opened) = self.opened.take()
        {
            // One that was replaced meanwhile is none of the link's any more.
            self.tell(now, opened);
        }
    }

    /// Whether the disk is still writing what came from the hub.
    fn is_receiving(&self) -> bool {
        self.waiting.values().any(|after| after.moves_on)
    }
}

fn queued(item: OutboxItem) -> Option<super::Input> {
    Some(super::Input::Queued(item))
}

/// What is written down of an event. Who is there is not kept.
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
            | Event::Chat(ChatEvent::Entries { .. })
            | Event::Chat(ChatEvent::Acknowledged { .. })
            | Event::Chat(ChatEvent::Refused { .. })
            | Event::Chat(ChatEvent::Sent(_))
            | Event::Chat(ChatEvent::Unsure(_))
            | Event::Chat(ChatEvent::Postponed { unseen: true, .. })
            | Event::Chat(ChatEvent::ReadMarker { .. })
            | Event::Chat(ChatEvent::History { .. })
    )
}
