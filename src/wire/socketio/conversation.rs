//! [`Conversation`]: a client's end of Engine.IO and Socket.IO over one connection: opening, heartbeat, namespaces,
//! acknowledgements, recovery. What events mean is not its business.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Map, Value};

use super::engine::{Handshake, Packet as EnginePacket, Revision};
use super::offset::is_offset;
use super::packet::{self, Body, Decoder, MAIN, Packet, named};
use super::saved::Known;
use crate::frame::Frame;
use crate::model::link_state::{Closing, Why};
use crate::model::profile::Secret;
use crate::model::time::BootMs;
use crate::model::{MessageId, Refusal, Time};
use crate::wire::{Mark, WireError};

/// How long a server that may be of revision 3 has for the packet that marks it, in milliseconds.
const GREET_MS: u64 = 500;
/// The same for one that was of revision 3 earlier.
const GREET_KNOWN_MS: u64 = 4_000;
/// How long further namespaces may take once one has let us in, in milliseconds.
const MORE_NAMESPACES_MS: u64 = 2_000;
/// Maximum number of namespaces of one connection.
pub const MAX_NAMESPACES: usize = 16;
/// Maximum size of a message to a server that names none, in bytes: Socket.IO's own default.
const MAX_PAYLOAD_BYTES: u64 = 1_000_000;
/// Maximum number of events that are not on disk yet and are to be acknowledged or remembered.
const MAX_DUE: usize = 4_096;
/// Maximum length of what is quoted of a server that speaks something else, in characters.
const MAX_EXCERPT_CHARS: usize = 200;

/// What to connect to.
#[derive(Clone, Debug, Default)]
pub struct Namespaces {
    /// Namespaces, each with a query (`/chat?token=1`) where a server of revision 4 needs one. None: the main one.
    pub names: Vec<String>,
    /// What to sign in with: a JSON object, as text.
    pub auth: Option<Secret>,
}

/// What comes of an input.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Send this. With an id: it is the last frame of that message.
    Send(Frame, Option<MessageId>),
    /// Send a ping of the transport.
    Ping,
    /// A measured round trip, in milliseconds.
    RoundTrip(u64),
    /// What is known of the server has changed, and is to be kept.
    Learned,
    /// At least one namespace let us in, and the others have answered or were given time.
    Online,
    /// A namespace let us in.
    Joined {
        /// Which.
        namespace: String,
        /// Whether what was missed meanwhile follows. `None` at the first contact.
        recovered: Option<bool>,
        /// What the server calls us there; empty where it does not say.
        sid: String,
    },
    /// A namespace did not let us in, or let us go.
    Refused {
        /// Which.
        namespace: String,
        /// The server's words.
        message: String,
        /// Its data, as JSON; may be empty.
        data: String,
    },
    /// An event. Report [`Conversation::taken`] with it.
    Event(Came),
    /// The server acknowledged an event of ours.
    Acked {
        /// The message that it was.
        id: MessageId,
        /// Its name.
        event: String,
        /// The server's answer.
        args: Vec<Value>,
    },
    /// Something could not be understood.
    Unusable(String),
    /// The connection is to end.
    Close(Why),
}

/// An event that came.
#[derive(Clone, Debug, PartialEq)]
pub struct Came {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its arguments.
    pub args: Vec<Value>,
    due: Due,
}

impl Came {
    /// Whether it has a place in the stream that the server can recover.
    pub fn has_offset(&self) -> bool {
        self.due.offset.is_some()
    }
}

/// What follows once an event is on disk.
#[derive(Clone, Debug, Default, PartialEq)]
struct Due {
    namespace: String,
    /// The server asked for an acknowledgement.
    ack: Option<u64>,
    offset: Option<String>,
}

/// An event to send.
#[derive(Clone, Debug)]
pub struct Emit {
    /// The message that it is. None: its acknowledgement is of no interest.
    pub id: Option<MessageId>,
    /// The namespace; empty: the first one.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its arguments.
    pub args: Vec<Value>,
    /// Whether to ask for an acknowledgement.
    pub asks_ack: bool,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Phase {
    /// The server has said nothing.
    New,
    /// The session is open. Until then it may turn out to be of revision 3.
    Greeting {
        until: BootMs,
    },
    /// Namespaces were asked for.
    Joining,
    Online,
    Ended,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Standing {
    Asked,
    In,
    Out,
}

#[derive(Debug)]
struct Namespace {
    path: String,
    query: Option<String>,
    standing: Standing,
    /// Whether the server can recover this session.
    has_pid: bool,
}

/// See the module.
pub struct Conversation {
    known: Known,
    auth: Option<Secret>,
    namespaces: Vec<Namespace>,
    phase: Phase,
    revision: Revision,
    handshake: Option<Handshake>,
    decoder: Decoder,
    heard_at: BootMs,
    /// Revision 3: when to send the next ping, and when the last unanswered one was sent.
    ping_at: Option<BootMs>,
    pinged_at: Option<BootMs>,
    /// When an unanswered ping of the transport was sent.
    probed_at: Option<BootMs>,
    /// Since when only further namespaces are waited for.
    joined_at: Option<BootMs>,
    next_ack: u64,
    /// Events of ours whose acknowledgement is due: namespace, message and name.
    asked: BTreeMap<u64, (String, MessageId, String)>,
    due: VecDeque<(Mark, Due)>,
    /// By namespace: the last event that was taken over.
    ahead: BTreeMap<String, String>,
    next_mark: u64,
    outcomes: VecDeque<Outcome>,
}

impl Conversation {
    /// Begins a conversation.
    pub fn new(namespaces: Namespaces, known: Known) -> Self {
        Conversation {
            known,
            auth: namespaces.auth,
            namespaces: wanted(&namespaces.names),
            phase: Phase::New,
            revision: Revision::V4,
            handshake: None,
            decoder: Decoder::default(),
            heard_at: BootMs(0),
            ping_at: None,
            pinged_at: None,
            probed_at: None,
            joined_at: None,
            next_ack: 0,
            asked: BTreeMap::new(),
            due: VecDeque::new(),
            ahead: BTreeMap::new(),
            next_mark: 1,
            outcomes: VecDeque::new(),
        }
    }

    /// What is known of the server, as far as it is on disk.
    pub fn known(&self) -> &Known {
        &self.known
    }

    /// The same, with everything that was taken over.
    pub fn known_ahead(&self) -> Known {
        let mut known = self.known.clone();
        for (namespace, offset) in &self.ahead {
            known.reached(namespace, offset.clone());
        }
        known
    }

    /// The paths of the namespaces, the first one first.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.namespaces.iter().map(|namespace| namespace.path.as_str())
    }

    /// Whether an event is acknowledged; `None`: the server was not asked yet.
    pub fn acknowledges(&self, event: &str) -> Option<bool> {
        match (self.known.acknowledges.contains(event), self.known.ignores.contains(event)) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        }
    }

    /// The next outcome.
    pub fn poll(&mut self) -> Option<Outcome> {
        self.outcomes.pop_front()
    }

    /// When it needs [`Conversation::tick`].
    pub fn deadline(&self) -> Option<BootMs> {
        let greeting = match self.phase {
            Phase::Greeting { until } => Some(until),
            Phase::Joining => self.joined_at.map(|at| at.saturating_add(MORE_NAMESPACES_MS)),
            Phase::New | Phase::Online | Phase::Ended => None,
        };
        [greeting, self.ping_at, self.silent_at()].into_iter().flatten().min()
    }

    /// When the server counts as gone unless it says something.
    fn silent_at(&self) -> Option<BootMs> {
        let handshake = self.handshake.as_ref().filter(|_| self.phase != Phase::Ended)?;
        match self.revision {
            // The server sends pings.
            Revision::V4 => {
                Some(self.heard_at.saturating_add(handshake.ping_interval_ms + handshake.ping_timeout_ms))
            }
            Revision::V3 => {
                Some(self.pinged_at?.max(self.heard_at).saturating_add(handshake.ping_timeout_ms))
            }
        }
    }

    /// The transport is open.
    pub fn opened(&mut self, now: Time) {
        self.heard_at = now.boot_ms;
    }

    /// Nothing was read for so long, which is not the server's fault.
    pub fn stood_still(&mut self, ms: u64) {
        self.heard_at += ms;
        for at in [&mut self.pinged_at, &mut self.probed_at].into_iter().flatten() {
            *at += ms;
        }
    }

    /// A frame came.
    ///
    /// # Errors
    /// If the server violated the protocol.
    pub fn frame(&mut self, now: Time, frame: Frame) -> Result<(), WireError> {
        self.heard_at = now.boot_ms;
        if self.phase == Phase::Ended {
            return Ok(());
        }
        if self.phase == Phase::New {
            return self.first(now, frame);
        }
        match EnginePacket::from_frame(self.revision, frame) {
            Ok(packet) => self.engine_packet(now, packet),
            Err(malformed) => self.outcomes.push_back(Outcome::Unusable(malformed.to_string())),
        }
        Ok(())
    }

    /// The first frame: it tells whether this is such a server at all.
    fn first(&mut self, now: Time, frame: Frame) -> Result<(), WireError> {
        let said = excerpt(&frame);
        let opening = match EnginePacket::from_frame(Revision::V4, frame) {
            Ok(EnginePacket::Open(json)) if json.starts_with('{') => json,
            _ => {
                self.end(Why::NotSocketIo { said });
                return Ok(());
            }
        };
        let handshake = Handshake::parse(&opening)
            .map_err(|malformed| WireError::Violation { detail: malformed.to_string() })?;
        // Servers of revision 3 do not name a maximum.
        let is_v4 = handshake.max_payload.is_some();
        let known = self.known.revision();
        self.handshake = Some(handshake);
        if is_v4 || known == Some(Revision::V4) {
            self.speak(now, Revision::V4);
        } else {
            let ms = if known == Some(Revision::V3) { GREET_KNOWN_MS } else { GREET_MS };
            self.phase = Phase::Greeting { until: now.boot_ms.saturating_add(ms) };
        }
        Ok(())
    }

    /// The server's revision is known: ask for the namespaces.
    fn speak(&mut self, now: Time, revision: Revision) {
        self.revision = revision;
        self.phase = Phase::Joining;
        if revision == Revision::V3 {
            let interval = self.handshake.as_ref().map_or(0, |handshake| handshake.ping_interval_ms);
            self.ping_at = Some(now.boot_ms.saturating_add(interval));
        }
        for index in 0..self.namespaces.len() {
            let namespace = &self.namespaces[index];
            let (path, query) = (namespace.path.clone(), namespace.query.clone());
            let data = match revision {
                // The main namespace lets us in unasked.
                Revision::V3 if path == MAIN => continue,
                Revision::V3 => None,
                Revision::V4 => self.credentials(&path),
            };
            let query = query.filter(|_| revision == Revision::V3);
            let text = Packet::new(path, Body::Connect(data)).to_text(query.as_deref());
            self.send(EnginePacket::Text(text), None);
        }
    }

    /// What a namespace is told: how to sign in, and what to recover.
    fn credentials(&self, path: &str) -> Option<Value> {
        let mut fields = Map::new();
        if let Some(place) = self.known.places.get(path)
            && let Some(pid) = &place.pid
        {
            fields.insert("pid".to_owned(), pid.clone().into());
            if let Some(offset) = &place.offset {
                fields.insert("offset".to_owned(), offset.clone().into());
            }
        }
        let auth = self.auth.as_ref().and_then(|auth| super::json::parse(auth.reveal()).ok());
        if let Some(Value::Object(auth)) = auth {
            fields.extend(auth);
        }
        (!fields.is_empty()).then_some(Value::Object(fields))
    }

    fn engine_packet(&mut self, now: Time, packet: EnginePacket) {
        match packet {
            EnginePacket::Ping(text) => {
                self.send(EnginePacket::Pong(text), None);
                self.probe(now);
            }
            EnginePacket::Pong(_) => self.pong(now),
            EnginePacket::Close => {
                let closing = Closing::ByServer;
                self.end(Why::Closed { code: None, reason: String::new(), retry_after_ms: None, closing });
            }
            EnginePacket::Text(text) => match self.decoder.text(&text) {
                Ok(decoded) => {
                    if decoded.dropped.is_some() {
                        let detail = "an event whose attachments did not come".to_owned();
                        self.outcomes.push_back(Outcome::Unusable(detail));
                    }
                    if let Some(packet) = decoded.packet {
                        self.packet(now, packet);
                    }
                }
                Err(malformed) => self.outcomes.push_back(Outcome::Unusable(malformed.to_string())),
            },
            EnginePacket::Binary(bytes) => match self.decoder.bytes(bytes) {
                Ok(Some(packet)) => self.packet(now, packet),
                Ok(None) => {}
                Err(malformed) => self.outcomes.push_back(Outcome::Unusable(malformed.to_string())),
            },
            EnginePacket::Open(_) | EnginePacket::Upgrade | EnginePacket::Noop => {}
        }
    }

    fn packet(&mut self, now: Time, packet: Packet) {
        if let Phase::Greeting { .. } = self.phase {
            match &packet.body {
                // Nobody asked for it.
                Body::Connect(None) if packet.namespace == MAIN => self.speak(now, Revision::V3),
                // Middleware of revision 3 refused us.
                Body::ConnectError(_) => self.speak(now, Revision::V3),
                _ => return,
            }
        }
        let Packet { namespace, body, attachments } = packet;
        match body {
            Body::Connect(data) => self.connected(now, &namespace, data.as_ref()),
            Body::ConnectError(data) => {
                let (message, data) = words(data);
                self.out(namespace, message, data);
            }
            Body::Disconnect => self.out(namespace, String::new(), String::new()),
            Body::Event { id, args } => {
                let args = Packet { namespace: String::new(), body: Body::Event { id, args }, attachments };
                self.event(now, namespace, id, args.readable_args());
            }
            Body::Ack { id, args } => {
                let is_of = |(of, ..): &&(String, MessageId, String)| *of == namespace;
                if self.asked.get(&id).filter(is_of).is_none() {
                    return self.outcomes.push_back(Outcome::Unusable("an answer to no event".to_owned()));
                }
                if let Some((_, message, event)) = self.asked.remove(&id) {
                    let args =
                        Packet { namespace, body: Body::Ack { id, args }, attachments }.readable_args();
                    self.learn(&event, true);
                    self.outcomes.push_back(Outcome::Acked { id: message, event, args });
                }
            }
        }
    }

    fn standing(&mut self, path: &str) -> Option<&mut Namespace> {
        self.namespaces.iter_mut().find(|namespace| namespace.path == path)
    }

    fn connected(&mut self, now: Time, path: &str, data: Option<&Value>) {
        let sid = data.and_then(|data| data.get("sid")).and_then(Value::as_str);
        if self.revision == Revision::V4 && sid.is_none() {
            // It let us in without being asked before we asked: a server of revision 3 that was slow to say so. It may
            // have let us in twice, so it is greeted anew.
            self.known.set_revision(Revision::V3);
            self.outcomes.push_back(Outcome::Learned);
            let closing = Closing::ByUs;
            let reason = "the server speaks an earlier version".to_owned();
            return self.end(Why::Closed { code: Some(1000), reason, retry_after_ms: None, closing });
        }
        let revision = self.revision;
        let Some(namespace) = self.standing(path).filter(|namespace| namespace.standing == Standing::Asked)
        else {
            return;
        };
        let pid = data.and_then(|data| data.get("pid")).and_then(Value::as_str);
        namespace.standing = Standing::In;
        namespace.has_pid = pid.is_some();
        let before = self.known.places.get(path);
        let recovered = before.map(|place| pid.is_some() && place.pid.as_deref() == pid);
        if recovered != Some(true) {
            self.known.begin(path, pid);
            self.ahead.remove(path);
        }
        self.known.set_revision(revision);
        self.outcomes.push_back(Outcome::Learned);
        let sid = sid.unwrap_or_default().to_owned();
        self.outcomes.push_back(Outcome::Joined { namespace: path.to_owned(), recovered, sid });
        self.joined_at.get_or_insert(now.boot_ms);
        self.arrive(now);
    }

    /// A namespace did not let us in, or let us go.
    fn out(&mut self, path: String, message: String, data: String) {
        let Some(namespace) = self.standing(&path).filter(|namespace| namespace.standing != Standing::Out)
        else {
            return;
        };
        namespace.standing = Standing::Out;
        if self.namespaces.iter().all(|namespace| namespace.standing == Standing::Out) {
            return self.end(Why::NamespaceRefused { namespace: path, message, data });
        }
        self.outcomes.push_back(Outcome::Refused { namespace: path, message, data });
        if self.joined_at.is_some() && self.phase == Phase::Joining && !self.is_asked() {
            self.phase = Phase::Online;
            self.outcomes.push_back(Outcome::Online);
        }
    }

    fn is_asked(&self) -> bool {
        self.namespaces.iter().any(|namespace| namespace.standing == Standing::Asked)
    }

    /// Goes online without the namespaces that have not answered.
    pub fn hurry(&mut self, now: Time) {
        self.joined_at = self.joined_at.map(|_| BootMs(0));
        self.arrive(now);
    }

    /// Goes online once every namespace has answered, or had time to.
    fn arrive(&mut self, now: Time) {
        let is_late = self.joined_at.is_some_and(|at| now.boot_ms >= at.saturating_add(MORE_NAMESPACES_MS));
        if self.phase == Phase::Joining && self.joined_at.is_some() && (is_late || !self.is_asked()) {
            self.phase = Phase::Online;
            self.outcomes.push_back(Outcome::Online);
            self.probe(now);
        }
    }

    fn event(&mut self, now: Time, path: String, ack: Option<u64>, args: Vec<Value>) {
        let (name, mut args) = named(args);
        let Some(namespace) = self.standing(&path).filter(|namespace| namespace.standing != Standing::Out)
        else {
            return;
        };
        let has_offset = namespace.has_pid && ack.is_none();
        let mut offset = None;
        if has_offset
            && let Some(Value::String(last)) = args.last()
            && is_offset(last, now.wall_ms)
        {
            offset = Some(last.clone());
            args.pop();
        }
        let due = Due { namespace: path.clone(), ack, offset };
        self.outcomes.push_back(Outcome::Event(Came { namespace: path, name, args, due }));
    }

    /// An event was taken over. Returns the mark to report once it is on disk; `None` if nothing needs to know.
    /// `is_kept`: whether anything of it goes to the disk.
    pub fn taken(&mut self, came: Came, is_kept: bool) -> Option<Mark> {
        let due = came.due;
        if due.ack.is_none() && due.offset.is_none() {
            return None;
        }
        if let Some(offset) = &due.offset {
            self.ahead.insert(due.namespace.clone(), offset.clone());
        }
        if self.due.len() >= MAX_DUE {
            self.due.pop_front();
        }
        if !is_kept {
            match self.due.back().map(|(mark, _)| *mark) {
                Some(mark) => self.due.push_back((mark, due)),
                None => self.done(due),
            }
            return None;
        }
        let mark = Mark(self.next_mark);
        self.next_mark += 1;
        self.due.push_back((mark, due));
        Some(mark)
    }

    /// This mark and all before it are on disk.
    pub fn committed(&mut self, mark: Mark) {
        while self.due.front().is_some_and(|(first, _)| *first <= mark) {
            if let Some((_, due)) = self.due.pop_front() {
                self.done(due);
            }
        }
    }

    fn done(&mut self, due: Due) {
        if let Some(offset) = due.offset {
            self.known.reached(&due.namespace, offset);
        }
        if let Some(id) = due.ack.filter(|_| self.phase != Phase::Ended) {
            let text = Packet::new(due.namespace, Body::Ack { id, args: Vec::new() }).to_text(None);
            self.send(EnginePacket::Text(text), None);
        }
    }

    /// Sends an event.
    ///
    /// # Errors
    /// Why it cannot be sent.
    pub fn emit(&mut self, emit: Emit) -> Result<(), Refusal> {
        let first = || self.namespaces.first().map_or(MAIN, |namespace| namespace.path.as_str());
        let path = if emit.namespace.is_empty() { first().to_owned() } else { path_of(&emit.namespace).0 };
        let is_in = |namespace: &Namespace| namespace.path == path && namespace.standing == Standing::In;
        if !self.namespaces.iter().any(is_in) {
            let detail = format!("not connected to the namespace {path}");
            return Err(Refusal::Other { code: "namespace".to_owned(), detail });
        }
        let ack = emit.id.filter(|_| emit.asks_ack).map(|id| (self.next_ack, id));
        let mut args = vec![Value::String(emit.name.clone())];
        args.extend(emit.args);
        let packet = Packet::new(path.clone(), Body::Event { id: ack.map(|(ack, _)| ack), args });
        let frame = EnginePacket::Text(packet.to_text(None)).to_frame(self.revision);
        let limit = self.handshake.as_ref().and_then(|handshake| handshake.max_payload);
        let limit = limit.unwrap_or(MAX_PAYLOAD_BYTES);
        if frame.len() as u64 > limit {
            return Err(Refusal::TooLarge { limit });
        }
        if let Some((ack, id)) = ack {
            self.next_ack += 1;
            self.asked.insert(ack, (path, id, emit.name));
        }
        self.outcomes.push_back(Outcome::Send(frame, emit.id));
        Ok(())
    }

    /// The server does not acknowledge this message.
    pub fn give_up(&mut self, id: MessageId) {
        let ack = self.asked.iter().find(|(_, (_, message, _))| *message == id).map(|(ack, _)| *ack);
        if let Some((_, _, event)) = ack.and_then(|ack| self.asked.remove(&ack)) {
            self.learn(&event, false);
        }
    }

    fn learn(&mut self, event: &str, acknowledges: bool) {
        if self.known.learn(event, acknowledges) {
            self.outcomes.push_back(Outcome::Learned);
        }
    }

    /// Asks for a sign of life.
    pub fn probe(&mut self, now: Time) {
        match self.revision {
            Revision::V3 => self.ping(now),
            Revision::V4 => {
                self.probed_at.get_or_insert(now.boot_ms);
                self.outcomes.push_back(Outcome::Ping);
            }
        }
    }

    /// Revision 3: the client sends pings.
    fn ping(&mut self, now: Time) {
        let interval = self.handshake.as_ref().map_or(0, |handshake| handshake.ping_interval_ms);
        self.ping_at = Some(now.boot_ms.saturating_add(interval));
        self.pinged_at.get_or_insert(now.boot_ms);
        self.send(EnginePacket::Ping(String::new()), None);
    }

    /// The answer to a ping of the transport, or to one of revision 3.
    pub fn pong(&mut self, now: Time) {
        self.heard_at = now.boot_ms;
        let pinged = match self.revision {
            Revision::V3 => self.pinged_at.take(),
            Revision::V4 => self.probed_at.take(),
        };
        if let Some(at) = pinged.filter(|_| self.phase == Phase::Online) {
            self.outcomes.push_back(Outcome::RoundTrip(now.boot_ms.since(at)));
        }
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Time) {
        if self.silent_at().is_some_and(|at| now.boot_ms >= at) {
            return self.end(Why::Silent);
        }
        if let Phase::Greeting { until } = self.phase
            && now.boot_ms >= until
        {
            self.speak(now, Revision::V4);
        }
        if self.ping_at.is_some_and(|at| now.boot_ms >= at) {
            self.ping(now);
        }
        self.arrive(now);
    }

    /// The connection has ended.
    pub fn closed(&mut self) {
        self.phase = Phase::Ended;
    }

    fn end(&mut self, why: Why) {
        self.phase = Phase::Ended;
        self.outcomes.push_back(Outcome::Close(why));
    }

    fn send(&mut self, packet: EnginePacket, id: Option<MessageId>) {
        self.outcomes.push_back(Outcome::Send(packet.to_frame(self.revision), id));
    }
}

/// The namespaces to ask for, each once.
fn wanted(names: &[String]) -> Vec<Namespace> {
    let mut namespaces: Vec<Namespace> = Vec::new();
    let main = [MAIN.to_owned()];
    let names = if names.is_empty() { &main } else { names };
    for name in names.iter().take(MAX_NAMESPACES) {
        let (path, query) = path_of(name);
        if namespaces.iter().all(|known| known.path != path) {
            namespaces.push(Namespace { path, query, standing: Standing::Asked, has_pid: false });
        }
    }
    namespaces
}

/// The path of a namespace as a person writes it, and its query.
pub fn path_of(name: &str) -> (String, Option<String>) {
    let name = name.trim();
    let path = packet::without_query(name);
    let query = name.split_once('?').map(|(_, query)| query.to_owned());
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    (path, query)
}

/// What the server says of why a namespace did not let us in: its words, and its data as JSON.
fn words(data: Value) -> (String, String) {
    match data {
        Value::Object(mut fields) => {
            let data = fields.remove("data").map(|data| data.to_string()).unwrap_or_default();
            match fields.remove("message") {
                Some(Value::String(message)) => (message, data),
                _ => {
                    (String::new(), if fields.is_empty() { data } else { Value::Object(fields).to_string() })
                }
            }
        }
        Value::String(message) => (message, String::new()),
        Value::Null => (String::new(), String::new()),
        other => (String::new(), other.to_string()),
    }
}

fn excerpt(frame: &Frame) -> String {
    match frame {
        Frame::Text(text) => text.chars().take(MAX_EXCERPT_CHARS).collect(),
        Frame::Binary(bytes) => format!("{} bytes", bytes.len()),
    }
}
