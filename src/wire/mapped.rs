//! [`Mapped`]: events of a server that knows nothing of Duplex, as what is in them by its [`crate::mapping`]: messages, people, devices. Shared
//! by the sessions of all such protocols. The log is numbered by the client ([`LogKind::Local`]).
//!
//! A session calls [`Mapped::opened`] once it is online, [`Mapped::received`] with everything that comes, [`Mapped::typed`] with
//! what a person sends, and [`Mapped::delivered`] once that counts as delivered, or as sent where nothing is confirmed. Our own message
//! that comes back is shown once.
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::mapping::{
    Echoes, Found, Incoming, Mapping, Measured, Outgoing, Recognizer, RoomKey, Said, Typed, Who, socket,
    without_secrets,
};
use crate::model::content::{Extra, MemberChange, UNCONFIRMED};
use crate::model::event::{ChatEvent, DeviceEvent, LinkEvent, Listed, LogKind, Person};
use crate::model::id::Offset;
use crate::model::room::NamedRoom;
use crate::model::samples::{MAX_SAMPLE_BYTES, Sample};
use crate::model::time::BootMs;
use crate::model::time::WallMs;
use crate::model::{
    Content, DeviceState, Draft, Entry, Event, Feature, Features, MessageId, Metric, MetricName, OutboxItem,
    Principal, PrincipalId, PrincipalKind, Readings, Refusal, RoomId, RoomName, Sender, ShortName, Spec,
    Time,
};

/// Our id, and that of the server where it speaks itself.
const ME: &str = "me";
const SERVER: &str = "server";
/// What stands before the ids of others, so that nobody is called like us.
const OTHER: &str = "u:";
/// How long somebody counts as typing, in milliseconds.
const TYPING_MS: u64 = 6_000;
/// Maximum number of rooms, people and devices that are known at a time.
const MAX_ROOMS: usize = 1_000;
const MAX_PEOPLE: usize = 5_000;
const MAX_DEVICES: usize = 2_000;
/// Maximum number of messages of ours whose entries are remembered.
const MAX_SHOWN: usize = 2_048;
/// Maximum number of messages that are recognized when they are told again.
const MAX_SEEN: usize = 1_000;
/// Maximum number of events without a meaning that are shown, each once.
const MAX_UNMAPPED: usize = 50;
/// Maximum number of sources of which samples are given.
const MAX_SAMPLED: usize = 500;
/// So many of each source are given as they come.
const SAMPLED_AT_ONCE: u32 = 5;
/// After these, one of each in this time, in milliseconds.
const SAMPLED_EVERY_MS: u64 = 1_000;
/// How much of one is shown, in characters.
const MAX_UNMAPPED_CHARS: usize = 500;
/// Maximum length of a message, in bytes of UTF-8; the rest is cut off, and said so.
const MAX_TEXT_BYTES: usize = 64 * 1024;
/// The field that names an event without a meaning.
pub const UNMAPPED: &str = "unmapped";
/// The field of a message that may have come before.
pub const MAY_BE_REPEAT: &str = "may_be_repeat";

/// Where something comes from, as its session sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The room of what names none.
    pub room: NamedRoom,
    /// What stands before the ids of rooms that are named there, so that rooms of two places differ.
    pub scope: String,
}

impl Place {
    /// The one room of a server without rooms, called like the server.
    pub fn only() -> Self {
        Place { room: RoomId::messages().into(), scope: String::new() }
    }

    /// The place of a namespace or destination.
    pub fn named(text: &str) -> Self {
        let id = RoomId::new(text).unwrap_or_else(|_| RoomId::messages());
        Place { room: id.into(), scope: String::new() }
    }
}

/// How much is known of something that comes.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Novelty {
    /// It is new.
    #[default]
    New,
    /// It may have come before: the server says so.
    Repeated,
}

/// Turns what a server sends into events, and what a person types into what the server takes.
pub struct Mapped {
    recognizer: Recognizer,
    me: Sender,
    server: Sender,
    entropy: [u8; 32],
    made: u64,
    echoes: Echoes,
    /// Ours that were given to the server and have no entry yet.
    sending: HashMap<MessageId, OutboxItem>,
    /// Ours that have an entry.
    shown: VecDeque<MessageId>,
    rooms: HashSet<RoomId>,
    people: BTreeMap<PrincipalId, Person>,
    devices: HashMap<ShortName, Spec>,
    /// Fingerprints of messages that came, oldest first; whether the server tells earlier ones again.
    seen: VecDeque<u64>,
    /// Those of the event that is read now.
    seen_now: Vec<u64>,
    retells: bool,
    unmapped: HashSet<String>,
    sampler: Sampler,
}

/// Shows the person who maps a server what it sends: the first of each source, then one a second of each.
#[derive(Default)]
pub struct Sampler {
    /// By source: how many came, and when the next is shown.
    sampled: HashMap<String, (u32, BootMs)>,
}

impl Sampler {
    /// What came, if it is to be shown.
    pub fn take(&mut self, now: Time, incoming: &Incoming) -> Option<Event> {
        let is_new = !self.sampled.contains_key(incoming.source);
        if is_new && self.sampled.len() >= MAX_SAMPLED {
            return None;
        }
        let (count, next) = self.sampled.entry(incoming.source.to_owned()).or_default();
        *count = count.saturating_add(1);
        if *count > SAMPLED_AT_ONCE && now.boot_ms < *next {
            return None;
        }
        *next = now.boot_ms.saturating_add(SAMPLED_EVERY_MS);
        let args: Vec<Value> = incoming.args.iter().map(without_secrets).collect();
        let bytes = args.iter().map(|arg| arg.to_string().len()).sum::<usize>();
        let sample =
            Sample { source: incoming.source.to_owned(), args, bytes: bytes + incoming.source.len() };
        (bytes <= MAX_SAMPLE_BYTES).then_some(Event::Link(LinkEvent::Sampled(sample)))
    }
}

impl Mapped {
    /// Begins a connection. `entropy`: fresh random bytes; `state`: what [`Mapped::state`] was at the end of the last one.
    pub fn new(mapping: Mapping, entropy: [u8; 32], state: Option<&Value>) -> Self {
        let name = mapping.name.clone();
        let seen: VecDeque<u64> =
            state.and_then(|state| serde_json::from_value(state.clone()).ok()).unwrap_or_default();
        Mapped {
            recognizer: Recognizer::new(mapping),
            me: Sender { id: PrincipalId(ME.to_owned()), name },
            server: Sender { id: PrincipalId(SERVER.to_owned()), name: String::new() },
            entropy,
            made: 0,
            echoes: Echoes::default(),
            sending: HashMap::new(),
            shown: VecDeque::new(),
            rooms: HashSet::new(),
            people: BTreeMap::new(),
            devices: HashMap::new(),
            retells: !seen.is_empty(),
            seen,
            seen_now: Vec::new(),
            unmapped: HashSet::new(),
            sampler: Sampler::default(),
        }
    }

    /// The same for a server without names of events: messages on a socket.
    pub fn of_socket(mapping: Mapping, entropy: [u8; 32], state: Option<&Value>) -> Self {
        let recognizer = Recognizer::of_socket(mapping.clone());
        Mapped { recognizer, ..Mapped::new(mapping, entropy, state) }
    }

    /// What the next connection begins with; none while the server tells nothing twice. To be kept by
    /// [`super::Output::Persist`] whenever it has changed.
    pub fn state(&self) -> Option<Value> {
        self.retells.then(|| json!(self.seen))
    }

    /// Whether there is such a state.
    pub fn has_state(&self) -> bool {
        self.retells
    }

    /// The session is online. `server`: the server as dialed.
    pub fn opened(&mut self, now: Time, server: &str, rooms: Vec<NamedRoom>, features: &[Feature]) -> Event {
        self.server.name = server.to_owned();
        self.rooms.extend(rooms.iter().take(MAX_ROOMS).map(|room| room.id.clone()));
        Event::Link(LinkEvent::Welcomed {
            me: Principal {
                id: self.me.id.clone(),
                kind: PrincipalKind::Person,
                name: self.me.name.clone(),
                role: None,
            },
            server: server.to_owned(),
            log: LogKind::Local,
            now: now.wall_ms,
            people: Vec::new(),
            rooms,
            features: Features::new(features.iter().map(|feature| feature.word())),
        })
    }

    /// What follows [`Mapped::opened`]: such a server lists no devices. One of which nothing is heard is not known to be there.
    pub fn no_devices(now: Time) -> Event {
        Event::Device(DeviceEvent::Listed { devices: Vec::new(), started: now.wall_ms, more: false })
    }

    /// The server knows us by this id.
    pub fn i_am(&mut self, id: &str) {
        self.recognizer.i_am(id);
    }

    /// What is sent after connecting.
    pub fn join(&self) -> Vec<Outgoing> {
        self.recognizer.join()
    }

    /// What a typed message becomes. Its echo is awaited from now on.
    ///
    /// # Errors
    /// Why it cannot be sent.
    pub fn typed(&mut self, now: Time, place: &Place, item: &OutboxItem) -> Result<Outgoing, Refusal> {
        let Content::Text { body, .. } = &item.draft.content else {
            return Err(Refusal::UnknownKind { kind: item.draft.content.kind().to_owned() });
        };
        let id = item.draft.id.to_string();
        let room = match item.draft.room == place.room.id {
            true => "",
            false => item
                .draft
                .room
                .as_str()
                .strip_prefix(place.scope.as_str())
                .unwrap_or(item.draft.room.as_str()),
        };
        let outgoing = self.recognizer.send(&Typed { text: body, room, id: &id, at: item.draft.at });
        self.echoes.sent(now.boot_ms, item.draft.id, item.draft.room.as_str(), body);
        self.sending.insert(item.draft.id, item.clone());
        Ok(outgoing)
    }

    /// A message of ours counts as delivered: its entry, unless it came back before.
    pub fn delivered(&mut self, now: Time, id: MessageId) -> Option<Entry> {
        let item = self.sending.remove(&id)?;
        if self.shown.len() == MAX_SHOWN {
            self.shown.pop_front();
        }
        self.shown.push_back(id);
        Some(Entry { draft: item.draft, offset: Offset(0), sender: self.me.clone(), received: now.wall_ms })
    }

    /// A message of ours counts as sent, and nothing confirms it: its entry, unless it came back before.
    pub fn unconfirmed(&mut self, now: Time, id: MessageId) -> Option<Entry> {
        let mut entry = self.delivered(now, id)?;
        if let Content::Text { extra, .. } = &mut entry.draft.content {
            extra.insert(UNCONFIRMED, true.into());
        }
        Some(entry)
    }

    /// Ours has come back with the id that it was sent under: its entry, unless it has one.
    pub fn came_back(&mut self, now: Time, id: MessageId) -> Option<Entry> {
        self.echoes.by_id(&id.to_string());
        self.delivered(now, id)
    }

    /// The entry of what a person did and the server is not told.
    pub fn own(&self, now: Time, item: &OutboxItem) -> Entry {
        Entry { draft: item.draft.clone(), offset: Offset(0), sender: self.me.clone(), received: now.wall_ms }
    }

    /// What the next connection of this run begins with, whether or not the server tells anything twice.
    pub fn memory(&self) -> Value {
        json!(self.seen)
    }

    /// Words of the server or of the session, as a row of their own.
    pub fn notice(&mut self, now: Time, room: &RoomId, text: &str, extra: Extra) -> Event {
        let content = Content::Text { body: text.to_owned(), extra };
        let entry = self.entry(now, self.server.clone(), room.clone(), content, None);
        Event::Chat(ChatEvent::Entries { entries: vec![entry], live: true })
    }

    /// What there is in something that came.
    pub fn received(
        &mut self,
        now: Time,
        place: &Place,
        incoming: &Incoming,
        novelty: Novelty,
    ) -> Vec<Event> {
        self.read(now, place, incoming, novelty, None)
    }

    /// The same of a value that came as text on a socket. What has no meaning is shown as it came, each time.
    pub fn received_on_socket(&mut self, now: Time, value: &Value, text: &str) -> Vec<Event> {
        let incoming = Incoming { source: socket::source(value), args: std::slice::from_ref(value) };
        self.read(now, &Place::only(), &incoming, Novelty::New, Some(text))
    }

    fn read(
        &mut self,
        now: Time,
        place: &Place,
        incoming: &Incoming,
        novelty: Novelty,
        text: Option<&str>,
    ) -> Vec<Event> {
        let mut events: Vec<Event> = self.sampler.take(now, incoming).into_iter().collect();
        // Messages in a row are one event.
        let (mut entries, mut are_live) = (Vec::new(), true);
        for found in self.recognizer.recognize(incoming) {
            let (entry, is_live) = match found {
                Found::Message(said) => {
                    let is_live = !said.old;
                    (self.message(now, place, said, novelty, &mut events), is_live)
                }
                Found::Unmapped => match text {
                    Some(text) => (Some(self.as_it_came(now, place, text)), true),
                    None => (self.unmapped(now, place, incoming), true),
                },
                other => (self.other(now, place, other, &mut events), true),
            };
            let Some(entry) = entry else { continue };
            if is_live != are_live {
                flush(&mut entries, are_live, &mut events);
                are_live = is_live;
            }
            entries.push(entry);
        }
        flush(&mut entries, are_live, &mut events);
        self.seen.extend(self.seen_now.drain(..));
        self.seen.drain(..self.seen.len().saturating_sub(MAX_SEEN));
        events
    }

    /// A message as an entry; none where it was shown before.
    fn message(
        &mut self,
        now: Time,
        place: &Place,
        said: Said,
        novelty: Novelty,
        events: &mut Vec<Event>,
    ) -> Option<Entry> {
        let room = self.room(place, said.room.as_ref(), events);
        let is_mine =
            said.mine == Some(true) || said.who.as_ref().is_some_and(|who| self.recognizer.is_me(who));
        if let Some(id) = said.id.as_deref().and_then(|id| self.echoes.by_id(id)) {
            return self.echoed(now, id, &room, &said);
        }
        let may_be_mine = is_mine || said.who.is_none() && said.mine.is_none();
        if may_be_mine
            && !said.old
            && let Some(id) = self.echo(now, place, &room, is_mine, &said)
        {
            return self.echoed(now, id, &room, &said);
        }
        let is_repeat = said.old || novelty == Novelty::Repeated;
        if said.old {
            self.retells = true;
        }
        if self.see(&room, &said, is_repeat) {
            return None;
        }
        let sender = match (&said.who, is_mine) {
            (_, true) => self.me.clone(),
            (Some(who), _) => sender_of(who),
            (None, _) => self.server.clone(),
        };
        let mut extra = Extra::default();
        if novelty == Novelty::Repeated {
            extra.insert(MAY_BE_REPEAT, true.into());
        }
        let content = Content::Text { body: bounded(said.text), extra };
        let mut entry = self.entry(now, sender, room, content, said.at);
        if let Some(id) = said.id.as_deref().and_then(lasting_id) {
            entry.draft.id = id;
        }
        if said.old {
            entry.received = said.at.map_or(now.wall_ms, |at| at.min(now.wall_ms));
        }
        Some(entry)
    }

    /// Which of ours has come back with its words. `is_mine`: it is ours for certain, so that it may be told in another room than
    /// it was typed in, if one of the two is that of what names none.
    fn echo(
        &mut self,
        now: Time,
        place: &Place,
        room: &RoomId,
        is_mine: bool,
        said: &Said,
    ) -> Option<MessageId> {
        let (now, text) = (now.boot_ms, said.text.as_str());
        if let Some(id) = self.echoes.by_text(now, room.as_str(), text) {
            return Some(id);
        }
        match said.room {
            _ if !is_mine => None,
            Some(_) => self.echoes.by_text(now, place.room.id.as_str(), text),
            None => self.echoes.by_text_below(now, &place.scope, text),
        }
    }

    /// Ours has come back: its entry, unless it has one.
    fn echoed(&mut self, now: Time, id: MessageId, room: &RoomId, said: &Said) -> Option<Entry> {
        self.see(room, said, false);
        self.delivered(now, id)
    }

    /// Notes a message; returns whether it was noted before. Each noted message answers for one that `is_repeat`, and none for
    /// another of the same event.
    fn see(&mut self, room: &RoomId, said: &Said, is_repeat: bool) -> bool {
        let fingerprint = fingerprint(room, said);
        let place = self.seen.iter().position(|seen| *seen == fingerprint).filter(|_| is_repeat);
        if let Some(place) = place {
            self.seen.remove(place);
        }
        self.seen_now.push(fingerprint);
        place.is_some()
    }

    /// What is no message: events of its own, and a row where there is something to read.
    fn other(&mut self, now: Time, place: &Place, found: Found, events: &mut Vec<Event>) -> Option<Entry> {
        match found {
            Found::Notice { room, text } => {
                let room = self.room(place, room.as_ref(), events);
                let content = Content::text(bounded(text));
                Some(self.entry(now, self.server.clone(), room, content, None))
            }
            Found::Wordless { who, room } => {
                let room = self.room(place, room.as_ref(), events);
                let sender = who.as_ref().map_or_else(|| self.server.clone(), sender_of);
                let content = Content::text("(a message whose text the server does not send here)");
                Some(self.entry(now, sender, room, content, None))
            }
            Found::Joined { room, who } => self.came_or_went(now, place, room.as_ref(), &who, true, events),
            Found::Left { room, who } => self.came_or_went(now, place, room.as_ref(), &who, false, events),
            Found::Typing { room, who: Some(who), on } if !self.recognizer.is_me(&who) => {
                let room = self.room(place, room.as_ref(), events);
                let until = if on { now.boot_ms.saturating_add(TYPING_MS) } else { now.boot_ms };
                events.push(Event::Chat(ChatEvent::Typing { room, who: sender_of(&who), until }));
                None
            }
            Found::People { room, people } => {
                self.listed(people, room.is_none(), events);
                None
            }
            Found::Readings(measured) => {
                self.measured(now, measured, events);
                None
            }
            Found::Me(who) => {
                if let Some(name) = who.name {
                    self.me.name = name;
                }
                None
            }
            _ => None,
        }
    }

    fn came_or_went(
        &mut self,
        now: Time,
        place: &Place,
        room: Option<&RoomKey>,
        who: &Who,
        came: bool,
        events: &mut Vec<Event>,
    ) -> Option<Entry> {
        if self.recognizer.is_me(who) || who.title().is_empty() {
            return None;
        }
        let sender = sender_of(who);
        if came || room.is_none() {
            self.person(&sender, came, events);
        }
        let room = self.room(place, room, events);
        let change = if came { MemberChange::Joined } else { MemberChange::Left };
        Some(self.entry(now, sender.clone(), room, Content::member(sender, change), None))
    }

    /// Who is there: all of them, or those of one room.
    fn listed(&mut self, people: Vec<(Who, bool)>, are_all: bool, events: &mut Vec<Event>) {
        let mut there = HashSet::new();
        for (who, online) in people {
            if who.title().is_empty() || self.recognizer.is_me(&who) {
                continue;
            }
            let sender = sender_of(&who);
            self.person(&sender, online, events);
            there.insert(sender.id);
        }
        if are_all {
            let gone = self.people.iter().filter(|(id, person)| person.online && !there.contains(*id));
            let gone: Vec<Sender> =
                gone.map(|(id, person)| Sender { id: id.clone(), name: person.who.name.clone() }).collect();
            gone.iter().for_each(|sender| self.person(sender, false, events));
        }
    }

    fn person(&mut self, sender: &Sender, online: bool, events: &mut Vec<Event>) {
        let known = self.people.get(&sender.id);
        if known.is_some_and(|known| known.online == online && known.who.name == sender.name)
            || known.is_none() && self.people.len() >= MAX_PEOPLE
        {
            return;
        }
        let who = Principal {
            id: sender.id.clone(),
            kind: PrincipalKind::Person,
            name: sender.name.clone(),
            role: None,
        };
        let person = Person { who, online, status: String::new() };
        self.people.insert(sender.id.clone(), person.clone());
        events.push(Event::Chat(ChatEvent::Presence(person)));
    }

    fn measured(&mut self, now: Time, measured: Measured, events: &mut Vec<Event>) {
        let Some(id) = short_name(&measured.device) else { return };
        let is_known = self.devices.contains_key(&id);
        if !is_known && self.devices.len() >= MAX_DEVICES {
            return;
        }
        let spec = self.devices.entry(id.clone()).or_insert_with(|| Spec::unannounced(id.clone()));
        let mut values: Vec<(MetricName, crate::model::Value)> = Vec::new();
        let mut is_changed = !is_known;
        for (name, value, unit) in measured.values {
            let Some(name) = short_name(&name) else { continue };
            let has_space = spec.metrics.len() < crate::model::device::METRICS;
            match spec.metrics.iter_mut().find(|metric| metric.name == name) {
                Some(metric) if !unit.is_empty() && metric.unit != unit => {
                    metric.unit = unit;
                    is_changed = true;
                }
                Some(_) => {}
                None if has_space => {
                    spec.metrics.push(Metric { unit, ..Metric::of_value(name.clone(), &value) });
                    is_changed = true;
                }
                None => continue,
            }
            if values.iter().all(|(known, _)| *known != name) {
                values.push((name, value));
            }
        }
        if is_changed {
            events.push(Event::Device(DeviceEvent::Announced(Box::new(DeviceState {
                spec: spec.clone(),
                incarnation: 1,
                online: true,
                since: now.wall_ms,
                reason: String::new(),
                heard: Some(now.wall_ms),
                every_ms: None,
                values: Vec::new(),
            }))));
        }
        let at = measured.at.unwrap_or(now.wall_ms);
        let readings = Readings::of(id, at, now.wall_ms, values);
        events.push(Event::Device(DeviceEvent::Readings(readings.into())));
    }

    fn as_it_came(&mut self, now: Time, place: &Place, text: &str) -> Entry {
        let content = Content::text(bounded(text.to_owned()));
        self.entry(now, self.server.clone(), place.room.id.clone(), content, None)
    }

    /// Something without a meaning is shown once, so that nothing is missed and a rule can be made for it.
    fn unmapped(&mut self, now: Time, place: &Place, incoming: &Incoming) -> Option<Entry> {
        if self.unmapped.len() >= MAX_UNMAPPED || !self.unmapped.insert(incoming.source.to_owned()) {
            return None;
        }
        let args: Vec<String> = incoming.args.iter().map(|arg| without_secrets(arg).to_string()).collect();
        let text: String =
            format!("{} {}", incoming.source, args.join(", ")).chars().take(MAX_UNMAPPED_CHARS).collect();
        let mut extra = Extra::default();
        extra.insert(UNMAPPED, incoming.source.into());
        let content = Content::Text { body: text.trim_end().to_owned(), extra };
        Some(self.entry(now, self.server.clone(), place.room.id.clone(), content, None))
    }

    /// The room that something names, which is made known if it is new.
    fn room(&mut self, place: &Place, named: Option<&RoomKey>, events: &mut Vec<Event>) -> RoomId {
        let Some(named) = named else { return place.room.id.clone() };
        let Ok(id) = RoomId::new(format!("{}{}", place.scope, named.key)) else {
            return place.room.id.clone();
        };
        if !self.rooms.contains(&id) {
            if self.rooms.len() >= MAX_ROOMS {
                return place.room.id.clone();
            }
            self.rooms.insert(id.clone());
            let name = RoomName::closest(named.name.as_deref().unwrap_or(&named.key));
            let name = name.unwrap_or_else(|| RoomName::of_id(&id));
            let rooms = vec![NamedRoom::new(id.clone(), name)];
            events.push(Event::Chat(ChatEvent::Listed(Listed { rooms, ..Listed::default() })));
        }
        id
    }

    fn entry(
        &mut self,
        now: Time,
        sender: Sender,
        room: RoomId,
        content: Content,
        at: Option<WallMs>,
    ) -> Entry {
        self.made += 1;
        let mut hash = Sha256::new_with_prefix(self.entropy);
        hash.update(self.made.to_be_bytes());
        let draft = Draft { id: id_of(hash), room, content, at: at.unwrap_or(now.wall_ms) };
        Entry { draft, offset: Offset(0), sender, received: now.wall_ms }
    }
}

fn flush(entries: &mut Vec<Entry>, live: bool, events: &mut Vec<Event>) {
    if !entries.is_empty() {
        events.push(Event::Chat(ChatEvent::Entries { entries: std::mem::take(entries), live }));
    }
}

fn sender_of(who: &Who) -> Sender {
    let mut key: String = who.key().chars().filter(|c| !c.is_control()).take(200).collect();
    key.insert_str(0, OTHER);
    Sender { id: PrincipalId(key), name: who.title().chars().take(200).collect() }
}

fn short_name(text: &str) -> Option<ShortName> {
    let visible: String = text.chars().filter(|c| !c.is_control()).collect();
    let cut: String = visible.trim().chars().take(crate::model::device::NAME_CHARS).collect();
    ShortName::new(cut.trim()).ok()
}

fn id_of(hash: Sha256) -> MessageId {
    let digest = hash.finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    MessageId::from_random(bytes)
}

/// The id of a message that its server calls by a long random code. Short ids begin anew when a server starts, and then another
/// message must not pass for one that was there.
fn lasting_id(id: &str) -> Option<MessageId> {
    if let Ok(id) = id.parse() {
        return Some(id);
    }
    let is_random = id.len() >= 20
        && id.bytes().any(|b| b.is_ascii_digit())
        && id.bytes().any(|b| b.is_ascii_alphabetic());
    is_random.then(|| id_of(Sha256::new_with_prefix(id)))
}

fn fingerprint(room: &RoomId, said: &Said) -> u64 {
    let mut hash = Sha256::new_with_prefix(room.as_str());
    match &said.id {
        Some(id) => hash.update(format!("\u{0}id\u{0}{id}")),
        None => {
            let who = said.who.as_ref().map(Who::title).unwrap_or_default();
            hash.update(format!("\u{0}{who}\u{0}{}", said.text));
        }
    }
    let digest = hash.finalize();
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&digest[..8]);
    u64::from_be_bytes(bytes)
}

fn bounded(mut text: String) -> String {
    if text.len() > MAX_TEXT_BYTES {
        let end = (0..=MAX_TEXT_BYTES).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        text.push_str("… (cut off)");
    }
    text
}
