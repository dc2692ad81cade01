//! [`SocketIoSession`]: a [`Conversation`], with what its events mean by [`Mapped`], as a session of a link.
use crate::model::id::Offset;
use crate::model::time::BootMs;
use std::collections::VecDeque;

use serde_json::Value;

use super::conversation::{Came, Conversation, Emit, Namespaces, Outcome};
use super::packet::MAIN;
use super::saved::Known;
use crate::mapping::{Incoming, Mapping};
use crate::model::content::{Extra, GAP};
use crate::model::event::{ChatEvent, Follows, LogEvent};
use crate::model::log::Note;
use crate::model::profile::Secret;
use crate::model::{Entry, Event, Feature, MessageId, OutboxItem, Refusal, RoomId, Time};
use crate::wire::mapped::{Mapped, Novelty, Place};
use crate::wire::{Agreed, ChatRequest, Input, Mark, Output, Request, Saved, SavedState, Session, WireError};

/// What a server offers.
const FEATURES: [Feature; 1] = [Feature::Presence];
/// How long the acknowledgement of a message may take at a server that has never acknowledged one, in milliseconds. After
/// that it counts as sent, unconfirmed.
const MAX_FIRST_ACK_MS: u64 = 2_000;
/// The same at a server that has acknowledged earlier ones.
const MAX_ACK_MS: u64 = 10_000;
/// If the server says nothing for this long after a message, a ping finds out whether it is there. In milliseconds.
const MAX_QUIET_MS: u64 = 500;
/// How long what the mapping remembers may wait to be written, in milliseconds.
const PERSIST_MS: u64 = 200;
/// Maximum number of events that are held back until the server is shown.
const MAX_EARLY: usize = 1_000;
/// Longest text of a refusal in an acknowledgement, in characters.
const MAX_DETAIL_CHARS: usize = 500;

/// Configuration of a session.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Namespaces as a person writes them; none: the main one.
    pub namespaces: Vec<String>,
    /// What to sign in with: a JSON object.
    pub auth: Option<Secret>,
    /// What on this server means what.
    pub mapping: Mapping,
}

/// A message of ours that the server may or may not have.
struct Pending {
    id: MessageId,
    /// When it was sent; none: it is still with the transport.
    sent_at: Option<BootMs>,
    /// How long its acknowledgement may take.
    wait_ms: u64,
}

/// The client's end.
pub struct SocketIoSession {
    conversation: Conversation,
    mapped: Mapped,
    server: String,
    /// The namespaces, each with its place in the window.
    places: Vec<(String, Place)>,
    pending: VecDeque<Pending>,
    heard_at: BootMs,
    /// When the last ping because of a message was sent.
    pinged_at: BootMs,
    told_gap: bool,
    /// When to write down what has changed.
    persist_at: Option<BootMs>,
    is_online: bool,
    /// What came before we were online.
    early: Vec<Output>,
    outputs: VecDeque<Output>,
}

impl SocketIoSession {
    /// Begins a session. `entropy`: fresh random bytes.
    pub fn new(config: Config, saved: &Saved, entropy: [u8; 32]) -> Self {
        let known = Known::of_bytes(saved.state.as_deref());
        let mapped = Mapped::new(config.mapping, entropy, known.mapped.as_ref());
        let told_gap = known.told_gap;
        let namespaces = Namespaces { names: config.namespaces, auth: config.auth };
        let conversation = Conversation::new(namespaces, known);
        let places = conversation.paths().enumerate().map(|(at, path)| (path.to_owned(), place(at, path)));
        SocketIoSession {
            places: places.collect(),
            conversation,
            mapped,
            server: String::new(),
            pending: VecDeque::new(),
            heard_at: BootMs(0),
            pinged_at: BootMs(0),
            told_gap,
            persist_at: None,
            is_online: false,
            early: Vec::new(),
            outputs: VecDeque::new(),
        }
    }

    /// Whether a server acknowledges messages, as far as is known from earlier sessions.
    pub fn confirms(saved: &Saved) -> bool {
        !Known::of_bytes(saved.state.as_deref()).acknowledges.is_empty()
    }

    fn event(&mut self, event: Event) {
        self.marked(event, None);
    }

    /// Nothing is shown before the server is.
    fn marked(&mut self, event: Event, mark: Option<Mark>) {
        let output = Output::Event(event, mark);
        match self.is_online {
            true => self.outputs.push_back(output),
            false => self.early.push(output),
        }
    }

    /// What the next session begins with. `is_ahead`: as it will be once everything that came is on disk.
    fn state(&self, is_ahead: bool) -> Vec<u8> {
        let mut known = match is_ahead {
            true => self.conversation.known_ahead(),
            false => self.conversation.known().clone(),
        };
        known.told_gap = self.told_gap;
        known.mapped = self.mapped.state();
        known.to_bytes()
    }

    fn persist(&mut self) {
        self.persist_at = None;
        // What is held back is not among what is written before it.
        let state = self.state(self.is_online);
        self.outputs.push_back(Output::Persist(state));
    }

    /// Carries out what came of an input.
    fn follow(&mut self, now: Time) {
        while let Some(outcome) = self.conversation.poll() {
            match outcome {
                Outcome::Send(frame, id) => self.outputs.push_back(Output::Send(frame, id)),
                Outcome::Ping => self.outputs.push_back(Output::Ping),
                Outcome::RoundTrip(ms) => self.outputs.push_back(Output::RoundTrip(ms)),
                Outcome::Learned => self.persist(),
                Outcome::Online => self.online(now),
                Outcome::Joined { namespace, recovered, sid } => {
                    self.joined(now, &namespace, recovered, &sid)
                }
                Outcome::Refused { namespace, message, data } => {
                    let text = match message.is_empty() && data.is_empty() {
                        true => format!("The server disconnected the namespace {namespace}"),
                        false => format!("The server refused the namespace {namespace}: {message} {data}"),
                    };
                    let room = self.place_of(&namespace).room.id;
                    let row = self.mapped.notice(now, &room, text.trim_end(), Extra::default());
                    self.event(row);
                }
                Outcome::Event(came) => self.came(now, came),
                Outcome::Acked { id, args, .. } => self.acked(now, id, &args),
                Outcome::Unusable(detail) => {
                    self.outputs.push_back(Output::Unusable);
                    self.event(Event::Log(LogEvent::Note(Note::Malformed { detail })));
                }
                Outcome::Close(why) => self.outputs.push_back(Output::Close { code: 1000, why }),
            }
        }
    }

    fn online(&mut self, now: Time) {
        let rooms = self.places.iter().map(|(_, place)| place.room.clone()).collect();
        let welcome = self.mapped.opened(now, &self.server, rooms, &FEATURES);
        self.is_online = true;
        self.outputs.push_back(Output::Online);
        self.event(welcome);
        self.event(Mapped::no_devices(now));
        self.outputs.extend(self.early.drain(..));
        self.persist();
    }

    /// A namespace let us in.
    fn joined(&mut self, now: Time, namespace: &str, recovered: Option<bool>, sid: &str) {
        if !sid.is_empty() {
            self.mapped.i_am(sid);
        }
        if recovered == Some(false) && !self.told_gap {
            self.told_gap = true;
            let mut extra = Extra::default();
            extra.insert(GAP, true.into());
            let room = self.place_of(namespace).room.id;
            let text = "What was sent while this app was not connected may be missing here.";
            let row = self.mapped.notice(now, &room, text, extra);
            self.event(row);
        }
        if recovered != Some(true) && self.places.first().is_some_and(|(path, _)| path == namespace) {
            for outgoing in self.mapped.join() {
                let (namespace, asks_ack) = (namespace.to_owned(), false);
                let emit = Emit { id: None, namespace, name: outgoing.to, args: outgoing.args, asks_ack };
                if let Err(refusal) = self.conversation.emit(emit) {
                    log_refusal(&mut self.outputs, &refusal);
                }
            }
        }
        self.persist();
    }

    fn came(&mut self, now: Time, came: Came) {
        let place = self.place_of(&came.namespace);
        let incoming = Incoming { source: &came.name, args: &came.args };
        let mut events = self.mapped.received(now, &place, &incoming, Novelty::New);
        let kept = events.iter().rposition(is_kept);
        self.told_gap &= kept.is_none();
        let has_place = came.has_offset();
        let mark = self.conversation.taken(came, kept.is_some());
        for (at, event) in events.drain(..).enumerate() {
            self.marked(event, mark.filter(|_| Some(at) == kept));
        }
        if self.early.len() > MAX_EARLY {
            self.conversation.hurry(now);
        }
        match (has_place, self.mapped.has_state()) {
            _ if !self.is_online => {}
            (true, false) => self.persist(),
            // What the mapping remembers is too large to be written with each message.
            (_, true) if kept.is_some() || has_place => {
                self.persist_at.get_or_insert(now.boot_ms.saturating_add(PERSIST_MS));
            }
            _ => {}
        }
    }

    /// The server acknowledged a message of ours.
    fn acked(&mut self, now: Time, id: MessageId, args: &[Value]) {
        self.pending.retain(|pending| pending.id != id);
        let entry = self.mapped.delivered(now, id);
        if let Some(detail) = refusal_in(args).filter(|_| entry.is_some()) {
            let refusal = Refusal::Other { code: "refused".to_owned(), detail };
            return self.event(Event::Chat(ChatEvent::Refused { id, refusal }));
        }
        // It may have come back before, and then has its entry.
        self.entries(entry.into_iter().collect());
        let (offset, received, follows) = (0, now.wall_ms, Follows::Nothing);
        self.event(Event::Chat(ChatEvent::Acknowledged { id, offset: Offset(offset), received, follows }));
    }

    fn entries(&mut self, entries: Vec<Entry>) {
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
            Request::Probe => self.conversation.probe(now),
            other => self.outputs.extend(other.decline().map(|event| Output::Event(event, None))),
        }
    }

    fn send(&mut self, now: Time, item: OutboxItem) -> Result<(), Refusal> {
        let room = item.draft.room.clone();
        let (path, place) = self.place_for(&room);
        let outgoing = self.mapped.typed(now, &place, &item)?;
        let acknowledges = self.conversation.acknowledges(&outgoing.to);
        let asks_ack = acknowledges != Some(false);
        let emit = Emit {
            id: Some(item.draft.id),
            namespace: path,
            name: outgoing.to,
            args: outgoing.args,
            asks_ack,
        };
        self.conversation.emit(emit)?;
        let wait_ms = if acknowledges == Some(true) { MAX_ACK_MS } else { MAX_FIRST_ACK_MS };
        self.pending.push_back(Pending { id: item.draft.id, sent_at: None, wait_ms });
        Ok(())
    }

    fn place_of(&self, namespace: &str) -> Place {
        let known = self.places.iter().find(|(path, _)| path == namespace);
        known.map_or_else(Place::only, |(_, place)| place.clone())
    }

    /// The namespace that a room is in.
    fn place_for(&self, room: &RoomId) -> (String, Place) {
        let is_in = |place: &Place| {
            place.room.id == *room || (!place.scope.is_empty() && room.as_str().starts_with(&place.scope))
        };
        let known = self.places.iter().find(|(_, place)| is_in(place)).or(self.places.first());
        known.cloned().unwrap_or_else(|| (MAIN.to_owned(), Place::only()))
    }

    fn flushed(&mut self, now: Time, ids: &[MessageId]) {
        for pending in self.pending.iter_mut().filter(|pending| ids.contains(&pending.id)) {
            pending.sent_at.get_or_insert(now.boot_ms);
        }
    }

    /// When to ask whether the server is there, because of a message that it has said nothing after.
    fn ping_at(&self) -> Option<BootMs> {
        let newest = self.pending.iter().filter_map(|pending| pending.sent_at).max()?;
        (newest >= self.heard_at.max(self.pinged_at)).then(|| newest.saturating_add(MAX_QUIET_MS))
    }

    /// When the first message counts as sent, unconfirmed, if the server has said something since.
    fn give_up_at(&self) -> Option<BootMs> {
        let heard_at = self.heard_at;
        let waits = self.pending.iter().filter_map(|pending| {
            let sent_at = pending.sent_at.filter(|at| *at < heard_at)?;
            Some(sent_at.saturating_add(pending.wait_ms))
        });
        waits.min()
    }

    fn tick(&mut self, now: Time) {
        self.conversation.tick(now);
        if self.persist_at.is_some_and(|at| now.boot_ms >= at) {
            self.persist();
        }
        if self.ping_at().is_some_and(|at| now.boot_ms >= at) {
            self.pinged_at = now.boot_ms;
            self.conversation.probe(now);
        }
        if self.give_up_at().is_none_or(|at| now.boot_ms < at) {
            return;
        }
        let heard_at = self.heard_at;
        let is_over = |pending: &Pending| {
            pending.sent_at.is_some_and(|at| at < heard_at && now.boot_ms >= at + pending.wait_ms)
        };
        let (over, pending): (VecDeque<_>, _) =
            std::mem::take(&mut self.pending).into_iter().partition(is_over);
        self.pending = pending;
        let mut entries = Vec::new();
        for Pending { id, .. } in over {
            self.conversation.give_up(id);
            entries.extend(self.mapped.unconfirmed(now, id));
        }
        self.entries(entries);
    }
}

impl Session for SocketIoSession {
    fn handle(&mut self, now: Time, input: Input) -> Result<(), WireError> {
        let mut result = Ok(());
        match input {
            Input::Opened(Agreed { server, .. }) => {
                self.server = server;
                self.conversation.opened(now);
            }
            Input::Frame(frame) => {
                self.heard_at = now.boot_ms;
                result = self.conversation.frame(now, frame);
            }
            Input::Pong => {
                self.heard_at = now.boot_ms;
                self.conversation.pong(now);
            }
            Input::Flushed(ids) => self.flushed(now, &ids),
            Input::Request(request) => self.request(now, request),
            Input::Committed(mark) => self.conversation.committed(mark),
            Input::Closed(_) => self.conversation.closed(),
            Input::StoodStill(ms) => self.conversation.stood_still(ms),
            Input::Tick => self.tick(now),
        }
        self.follow(now);
        result
    }

    fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn deadline(&self) -> Option<BootMs> {
        [self.conversation.deadline(), self.ping_at(), self.give_up_at(), self.persist_at]
            .into_iter()
            .flatten()
            .min()
    }

    fn saved(&self) -> Saved {
        Saved { log: SavedState::default(), state: Some(self.state(false)) }
    }

    /// The heartbeat is the protocol's own.
    fn quiet_ms(&self) -> Option<u64> {
        None
    }

    fn confirms(&self) -> Option<bool> {
        Some(!self.conversation.known().acknowledges.is_empty())
    }
}

/// The place of a namespace in the window: the first one has the server's only room, and each other one a room of its own.
fn place(at: usize, path: &str) -> Place {
    match at {
        0 => Place::only(),
        _ => Place { scope: format!("{path}#"), ..Place::named(path) },
    }
}

/// Whether anything of it goes to the disk.
fn is_kept(event: &Event) -> bool {
    matches!(event, Event::Chat(ChatEvent::Entries { .. }))
}

fn log_refusal(outputs: &mut VecDeque<Output>, refusal: &Refusal) {
    let detail = format!("an event after connecting was not sent: {refusal:?}");
    outputs.push_back(Output::Event(Event::Log(LogEvent::Note(Note::Malformed { detail })), None));
}

/// What an acknowledgement says if it is a refusal, as far as that is usual: an error as the first argument, or an object
/// that says so.
fn refusal_in(args: &[Value]) -> Option<String> {
    let Value::Object(fields) = args.first()? else { return None };
    let text = |name: &str| fields.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let is_false = |name: &str| fields.get(name) == Some(&Value::Bool(false));
    let is_error =
        fields.get("error").is_some_and(|error| !matches!(error, Value::Null | Value::Bool(false)))
            || is_false("ok")
            || is_false("success")
            || matches!(text("status"), Some("error" | "failed" | "fail" | "nok"));
    let words = text("error").or(text("message")).or(text("reason")).map(str::to_owned);
    let words = words.unwrap_or_else(|| args[0].to_string());
    is_error.then(|| words.chars().take(MAX_DETAIL_CHARS).collect())
}
