//! [`StompSession`]: a connection as the app sees it. Each destination is a room; what is in its messages is up to the mapping.
use crate::model::id::Offset;
use crate::model::time::BootMs;
use std::collections::{BTreeMap, VecDeque};

use super::body;
use super::client::{self, Client, Output as Done};
use super::frame::Frame;
use super::kept::Kept;
use crate::mapping::{Incoming, Mapping};
use crate::model::content::MemberChange;
use crate::model::event::{ChatEvent, Follows, Listed, LogEvent};
use crate::model::link_state::Why;
use crate::model::log::Note;
use crate::model::room::NamedRoom;
use crate::model::stomp::{Destination, MAX_DESTINATIONS};
use crate::model::{Content, Event, Feature, MessageId, OutboxItem, Refusal, RoomId, RoomName, Time};
use crate::wire::mapped::{Mapped, Novelty, Place};
use crate::wire::{ChatRequest, Input, Mark, Output, Request, Saved, Session, WireError};

/// A subscription that the server has neither confirmed nor refused for this long counts as made, in milliseconds: some servers
/// confirm none.
const SUBSCRIBED_MS: u64 = 5_000;
/// Maximum number of rooms of a destination that stands for many.
const MAX_PATTERN_ROOMS: usize = 500;
/// Between a destination and what names a room within it.
const WITHIN: char = '|';

/// What a session needs to begin.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// How to connect.
    pub connection: client::Config,
    /// What messages mean.
    pub mapping: Mapping,
}

/// A room that is being made: a destination that was subscribed to for it.
struct Making {
    item: MessageId,
    destination: Destination,
    /// When it counts as made, as boot time in milliseconds.
    by: BootMs,
}

/// The client's end.
pub struct StompSession {
    client: Client,
    mapped: Mapped,
    /// Whether the mapping says where messages are sent.
    has_send: bool,
    kept: Kept,
    server: String,
    is_open: bool,
    /// The destinations, by their rooms; of a pattern, those that sent something, too.
    places: BTreeMap<RoomId, Destination>,
    making: VecDeque<Making>,
    outputs: VecDeque<Output>,
}

impl StompSession {
    /// Begins a session. `entropy`: fresh random bytes.
    pub fn new(mut config: Config, saved: &Saved, entropy: [u8; 32]) -> Self {
        let kept = Kept::read(saved.state.as_deref());
        config.connection.destinations = kept.destinations(&config.connection.destinations);
        StompSession {
            has_send: config.mapping.send.is_some(),
            mapped: Mapped::new(config.mapping, entropy, kept.seen.as_ref()),
            client: Client::new(config.connection, kept.client.clone()),
            kept,
            server: String::new(),
            is_open: false,
            places: BTreeMap::new(),
            making: VecDeque::new(),
            outputs: VecDeque::new(),
        }
    }

    fn event(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event, None));
    }

    fn note(&mut self, note: Note) {
        self.event(Event::Log(LogEvent::Note(note)));
    }

    /// Passes on what the client did.
    fn drain(&mut self, now: Time) {
        while let Some(done) = self.client.poll() {
            match done {
                Done::Send(frame, of) => self.outputs.push_back(Output::Send(frame, of)),
                Done::Ping => self.outputs.push_back(Output::Ping),
                Done::RoundTrip(ms) => self.outputs.push_back(Output::RoundTrip(ms)),
                Done::Connected => self.connected(now),
                Done::Message(frame, mark) => self.message(now, &frame, mark),
                Done::Receipted(id) => self.delivered(now, &[id], true),
                Done::Unconfirmed(ids) => {
                    self.delivered(now, &ids, false);
                }
                Done::Refused(id, refusal) => {
                    self.mapped.delivered(now, id);
                    self.event(Event::Chat(ChatEvent::Refused { id, refusal }));
                }
                Done::Subscribed(name) => {
                    if let Some(at) = self.making.iter().position(|making| making.destination.name == name) {
                        self.made(now, at);
                    }
                }
                Done::Error(code, detail) => self.note(Note::ServerError { code, detail }),
                Done::Unusable(detail) => {
                    self.outputs.push_back(Output::Unusable);
                    self.note(Note::Malformed { detail });
                }
                Done::Changed => self.persist(),
                Done::Close(why) => self.close(why),
            }
        }
    }

    fn persist(&mut self) {
        self.kept.client = self.client.saved();
        self.outputs.push_back(Output::Persist(self.kept.write()));
    }

    fn connected(&mut self, now: Time) {
        self.is_open = true;
        self.outputs.push_back(Output::Online);
        let destinations: Vec<Destination> = self.client.destinations().to_vec();
        let rooms: Vec<NamedRoom> = destinations.iter().map(room).collect();
        let features = [Feature::CreateRooms, Feature::Membership];
        let welcomed = self.mapped.opened(now, &self.server, rooms.clone(), &features);
        self.event(welcomed);
        self.event(Mapped::no_devices(now));
        self.places = rooms.into_iter().map(|room| room.id).zip(destinations).collect();
        for outgoing in self.mapped.join() {
            let (content_type, bytes) = body::write(&outgoing.args);
            if let Err(refusal) = self.client.send_once(now, &outgoing.to, content_type, bytes) {
                self.note(Note::Malformed { detail: format!("{refusal:?}") });
            }
        }
    }

    fn close(&mut self, why: Why) {
        let why = self.told(why);
        self.outputs.push_back(Output::Close { code: 1000, why });
    }

    /// Why it ends. A room that is refused is not made, and is no reason to stay away.
    fn told(&mut self, why: Why) -> Why {
        match why {
            Why::Refused { of: Some(of), said, is_final } => {
                let making = self.making.iter().position(|making| making.destination.name == of);
                match making.and_then(|at| self.making.remove(at)) {
                    Some(making) => {
                        self.kept.remove(&of);
                        let refusal = Refusal::Other { code: "refused".to_owned(), detail: said.clone() };
                        self.event(Event::Chat(ChatEvent::Refused { id: making.item, refusal }));
                        Why::Refused { of: Some(of), said, is_final: false }
                    }
                    None => Why::Refused { of: Some(of), said, is_final },
                }
            }
            why => why,
        }
    }

    fn message(&mut self, now: Time, frame: &Frame, mark: Option<Mark>) {
        let events = self.events_of(now, frame);
        let last = events.iter().rposition(|event| matches!(event, Event::Chat(ChatEvent::Entries { .. })));
        for (at, event) in events.into_iter().enumerate() {
            let mark = mark.filter(|_| Some(at) == last);
            self.outputs.push_back(Output::Event(event, mark));
        }
        // Nothing of it waits for the disk.
        if let Some(mark) = mark.filter(|_| last.is_none()) {
            self.client.acknowledge(now, mark);
        }
    }

    fn events_of(&mut self, now: Time, frame: &Frame) -> Vec<Event> {
        let Some(destination) = self.client.destination_of(frame).cloned() else {
            self.outputs.push_back(Output::Unusable);
            return Vec::new();
        };
        // Brokers return the headers of what was sent; every attempt of a Duplex has the same id.
        let id = frame.header("id").and_then(|id| id.parse::<MessageId>().ok());
        if let Some(id) = id.filter(|id| self.kept.ids.is_known(*id)) {
            let entry = self.mapped.came_back(now, id);
            return entry
                .map(|entry| Event::Chat(ChatEvent::Entries { entries: vec![entry], live: true }))
                .into_iter()
                .collect();
        }
        let actual = frame.header("destination").filter(|_| destination.is_pattern());
        let source = actual.unwrap_or(&destination.name).to_owned();
        let place = place(&source).unwrap_or_else(|| self::place_of(&destination));
        let args = [body::read(frame)];
        let novelty = match frame.header("redelivered") {
            Some("true") => Novelty::Repeated,
            _ => Novelty::New,
        };
        let mut events =
            self.mapped.received(now, &place, &Incoming { source: &source, args: &args }, novelty);
        if let Some(id) = id {
            self.kept.ids.add(id);
            name_only_entry(&mut events, id);
        }
        let has_entries = events.iter().any(|event| matches!(event, Event::Chat(ChatEvent::Entries { .. })));
        if has_entries && !self.places.contains_key(&place.room.id) && self.places.len() < MAX_PATTERN_ROOMS {
            let named = Destination { send_to: destination.send_to, ..Destination::new(source) };
            self.places.insert(place.room.id.clone(), named);
            let listed = Listed { rooms: vec![place.room], ..Listed::default() };
            events.insert(0, Event::Chat(ChatEvent::Listed(listed)));
        }
        events
    }

    /// These count as delivered, or as sent where nothing is confirmed.
    fn delivered(&mut self, now: Time, ids: &[MessageId], is_confirmed: bool) {
        let entries = ids.iter().filter_map(|id| match is_confirmed {
            true => self.mapped.delivered(now, *id),
            false => self.mapped.unconfirmed(now, *id),
        });
        let entries: Vec<_> = entries.collect();
        if !entries.is_empty() {
            self.event(Event::Chat(ChatEvent::Entries { entries, live: true }));
        }
    }

    fn request(&mut self, now: Time, request: Request) {
        match request {
            Request::Chat(ChatRequest::Send(item)) => {
                let id = item.draft.id;
                if let Err(refusal) = self.send(now, item) {
                    self.mapped.delivered(now, id);
                    self.event(Event::Chat(ChatEvent::Refused { id, refusal }));
                }
            }
            Request::Probe => self.client.probe(now),
            other => self.outputs.extend(other.decline().map(|event| Output::Event(event, None))),
        }
    }

    fn send(&mut self, now: Time, item: OutboxItem) -> Result<(), Refusal> {
        match &item.draft.content {
            Content::Text { .. } => self.send_text(now, &item),
            Content::Room { .. } => self.make_room(now, &item),
            Content::Member { change: MemberChange::Left, .. } => self.leave(now, &item),
            Content::Member { change: MemberChange::Joined, .. } => self.join(now, &item),
            content => Err(Refusal::UnknownKind { kind: content.kind().to_owned() }),
        }
    }

    /// The destination of a room, or of a room that messages of a destination name.
    fn destination(&self, room: &RoomId) -> Option<&Destination> {
        let within = || room.as_str().rsplit_once(WITHIN).and_then(|(name, _)| RoomId::new(name).ok());
        self.places.get(room).or_else(|| self.places.get(&within()?))
    }

    fn send_text(&mut self, now: Time, item: &OutboxItem) -> Result<(), Refusal> {
        let destination = self.destination(&item.draft.room).ok_or(Refusal::NoSuchRoom)?.clone();
        let outgoing = self.mapped.typed(now, &place_of(&destination), item)?;
        let to = match (&destination.send_to, self.has_send) {
            (Some(send_to), _) => send_to.clone(),
            (None, true) => outgoing.to,
            (None, false) if destination.is_pattern() => {
                let detail = "nothing can be sent to a destination with wildcards; say where to send with \" -> /app/chat\"";
                return Err(Refusal::Other { code: "no_destination".to_owned(), detail: detail.to_owned() });
            }
            (None, false) => destination.name,
        };
        self.kept.ids.add(item.draft.id);
        let (content_type, body) = body::write(&outgoing.args);
        if body.len() > super::decode::MAX_BODY_BYTES {
            return Err(Refusal::TooLarge { limit: super::decode::MAX_BODY_BYTES as u64 });
        }
        self.client.send(
            now,
            client::Outgoing {
                id: item.draft.id,
                destination: to,
                content_type: content_type.to_owned(),
                headers: destination.headers,
                body,
            },
        );
        Ok(())
    }

    /// A person adds a destination: the room's name.
    fn make_room(&mut self, now: Time, item: &OutboxItem) -> Result<(), Refusal> {
        let name = item.draft.room_name().ok_or(Refusal::NoSuchRoom)?;
        let destination = Destination::parse(name.as_str())
            .map_err(|error| Refusal::BadName { detail: error.to_string() })?;
        self.kept.add(destination.clone());
        if destination.is_for_sending {
            self.making.push_back(Making { item: item.draft.id, destination, by: now.boot_ms });
            self.made(now, self.making.len() - 1);
            return Ok(());
        }
        if self.places.contains_key(&place_of(&destination).room.id) {
            self.acknowledge_room(now, item.draft.id, &destination);
            return Ok(());
        }
        if !self.client.subscribe(now, destination.clone()) {
            self.kept.remove(&destination.name);
            return Err(Refusal::TooMany { limit: MAX_DESTINATIONS as u64 });
        }
        self.making.push_back(Making { item: item.draft.id, destination, by: now.boot_ms + SUBSCRIBED_MS });
        Ok(())
    }

    fn made(&mut self, now: Time, at: usize) {
        let Some(Making { item, destination, .. }) = self.making.remove(at) else { return };
        let room = room(&destination);
        self.places.insert(room.id.clone(), destination.clone());
        self.event(Event::Chat(ChatEvent::Listed(Listed { rooms: vec![room], ..Listed::default() })));
        self.persist();
        self.acknowledge_room(now, item, &destination);
    }

    /// What was typed into the room goes to that of the destination.
    fn acknowledge_room(&mut self, now: Time, id: MessageId, destination: &Destination) {
        let follows = Follows::OtherRoom(place_of(destination).room.id);
        self.event(Event::Chat(ChatEvent::Acknowledged {
            id,
            offset: Offset(0),
            received: now.wall_ms,
            follows,
        }));
    }

    /// A person removes a destination.
    fn leave(&mut self, now: Time, item: &OutboxItem) -> Result<(), Refusal> {
        let destination = self.places.get(&item.draft.room).ok_or(Refusal::NoSuchRoom)?.clone();
        self.client.unsubscribe(now, &destination.name);
        self.kept.remove(&destination.name);
        self.persist();
        self.changed_membership(now, item);
        Ok(())
    }

    fn join(&mut self, now: Time, item: &OutboxItem) -> Result<(), Refusal> {
        let known = self.places.get(&item.draft.room).cloned();
        let destination = known.unwrap_or_else(|| Destination::new(item.draft.room.as_str()));
        if !self.client.subscribe(now, destination.clone()) {
            return Err(Refusal::TooMany { limit: MAX_DESTINATIONS as u64 });
        }
        self.places.insert(item.draft.room.clone(), destination.clone());
        self.kept.add(destination);
        self.persist();
        self.changed_membership(now, item);
        Ok(())
    }

    fn changed_membership(&mut self, now: Time, item: &OutboxItem) {
        let entry = self.mapped.own(now, item);
        self.event(Event::Chat(ChatEvent::Entries { entries: vec![entry], live: true }));
    }

    /// Rooms whose subscription nothing was heard of count as made.
    fn make_due(&mut self, now: Time) {
        while let Some(at) = self.making.iter().position(|making| now.boot_ms >= making.by) {
            self.made(now, at);
        }
    }
}

impl Session for StompSession {
    fn handle(&mut self, now: Time, input: Input) -> Result<(), WireError> {
        let result = match input {
            Input::Opened(agreed) => {
                self.server.clone_from(&agreed.server);
                self.client.opened(now, &agreed);
                Ok(())
            }
            Input::Frame(frame) => self.client.received(now, &frame),
            Input::Request(request) => {
                self.request(now, request);
                Ok(())
            }
            Input::Committed(mark) => {
                self.client.committed(now, mark);
                Ok(())
            }
            Input::Pong => {
                self.client.pong(now);
                Ok(())
            }
            Input::Tick => {
                self.client.tick(now);
                self.make_due(now);
                Ok(())
            }
            Input::Closed(_) => {
                self.client.ended();
                Ok(())
            }
            Input::Flushed(_) | Input::StoodStill(_) => Ok(()),
        };
        self.drain(now);
        result
    }

    fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn deadline(&self) -> Option<BootMs> {
        let making = self.making.iter().map(|making| making.by).min();
        [self.client.deadline(), making].into_iter().flatten().min()
    }

    fn must_send_at(&self) -> Option<BootMs> {
        self.client.beat_due()
    }

    fn goodbye(&mut self) -> Option<crate::frame::Frame> {
        self.client.goodbye()
    }

    fn may_resend(&self, message: MessageId) -> bool {
        self.client.may_resend(message)
    }

    fn saved(&self) -> Saved {
        let mut kept = self.kept.clone();
        kept.client = self.client.saved();
        kept.seen = Some(self.mapped.memory());
        Saved { state: Some(kept.write()), ..Saved::default() }
    }

    fn quiet_ms(&self) -> Option<u64> {
        self.client.quiet_ms()
    }

    fn explain(&mut self, now: Time, why: Why) -> Why {
        let Why::Closed { code, reason, closing, .. } = &why else { return why };
        // A server that goes away or restarts closes without a word, or by these codes.
        if closing.is_ours() || reason.is_empty() || matches!(code, Some(1001 | 1012 | 1013)) {
            return why;
        }
        match self.client.closed(now, reason) {
            Some(known) => self.told(known),
            None => why,
        }
    }

    /// Close codes are the server's own: Spring's 4500, say, asks to come back.
    fn is_final(&self, why: &Why) -> bool {
        !matches!(why, Why::Closed { .. }) && !why.is_retryable()
    }
}

/// Gives the only entry its sender's id, by which the disk knows it again.
fn name_only_entry(events: &mut [Event], id: MessageId) {
    let mut entries = events.iter_mut().filter_map(|event| match event {
        Event::Chat(ChatEvent::Entries { entries, .. }) => Some(entries),
        _ => None,
    });
    if let (Some(entries), None) = (entries.next(), entries.next())
        && let [entry] = entries.as_mut_slice()
    {
        entry.draft.id = id;
    }
}

/// The room of a destination.
fn room(destination: &Destination) -> NamedRoom {
    place_of(destination).room
}

fn place_of(destination: &Destination) -> Place {
    place(&destination.name).unwrap_or_else(Place::only)
}

/// The place of a destination; `None` if its name cannot be that of a room.
fn place(name: &str) -> Option<Place> {
    let id = RoomId::new(name).ok()?;
    let name = RoomName::of_id(&id);
    let scope = format!("{id}{WITHIN}");
    Some(Place { room: NamedRoom::new(id, name), scope })
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
