//! [`Recognizer`]: says what it finds in what a server sends, by the person's rules, else by the shape. It learns as it goes: who is there,
//! in which order a server puts text and name, what its messages look like.

mod row;

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde_json::{Map, Value};

use super::document::Mapping;
use super::envelope::{self, Envelope};
use super::listed::{came_or_went, is_somebody, list_of_people, people_or_one, people_told, presence};
use super::people::People;
use super::send::{Learned, Outgoing, Typed};
use super::shape::{self, Fields, Shape, word};
use super::words::{self, Meaning};
use super::{Found, Incoming, RoomKey, Said, Who, readings, rules};

/// Maximum number of messages found in one event.
const MAX_OLD: usize = 1000;
/// How many of our last messages are remembered, to learn from how they come back.
const MAX_TYPED: usize = 16;
/// Maximum number of sources of which something is learned.
const MAX_SOURCES: usize = 500;

/// Says what it finds in what a server sends.
#[derive(Clone, Debug, Default)]
pub struct Recognizer {
    mapping: Mapping,
    people: People,
    typed: VecDeque<String>,
    /// Sources that put the name first.
    name_first: HashMap<String, bool>,
    /// Fingerprints of the last message's id and words of each source, and whether its ids turned out to be the senders'.
    ids: HashMap<String, (u64, u64, bool)>,
    /// Sources whose messages begin with the sender and a colon.
    prefixed: HashMap<String, bool>,
    learned: Learned,
}

impl Recognizer {
    /// With a person's mapping.
    pub fn new(mapping: Mapping) -> Self {
        let mut people = People::default();
        if !mapping.name.is_empty() {
            people.i_am(&Who::named(mapping.name.clone()));
        }
        Recognizer { mapping, people, ..Recognizer::default() }
    }

    /// The same for a server without names of events: messages on a socket.
    pub fn of_socket(mapping: Mapping) -> Self {
        Recognizer { learned: Learned::of_socket(), ..Recognizer::new(mapping) }
    }

    /// The server knows us by this id.
    pub fn i_am(&mut self, id: &str) {
        self.people.i_am(&Who { id: Some(id.to_owned()), name: None });
    }

    /// Whether this is us.
    pub fn is_me(&self, who: &Who) -> bool {
        self.people.is_me(who)
    }

    /// What a typed message becomes.
    pub fn send(&mut self, typed: &Typed) -> Outgoing {
        if self.typed.len() == MAX_TYPED {
            self.typed.pop_front();
        }
        self.typed.push_back(typed.text.to_owned());
        match &self.mapping.send {
            Some(emit) => typed.fill(emit, &self.mapping.name),
            None => self.learned.send(typed, &self.mapping.name),
        }
    }

    /// What is sent after connecting.
    pub fn join(&self) -> Vec<Outgoing> {
        let nothing = Typed::default();
        self.mapping.join.iter().map(|emit| nothing.fill(emit, &self.mapping.name)).collect()
    }

    /// What there is in something that came.
    pub fn recognize(&mut self, incoming: &Incoming) -> Vec<Found> {
        let found = match rules::find(&self.mapping.rules, incoming, &self.people) {
            Some(found) => found,
            None if self.mapping.guess => self.guess(incoming),
            None => vec![Found::Unmapped],
        };
        found.into_iter().map(|found| self.complete(found)).collect()
    }

    /// Learns who is who, and adds what is known of them.
    fn complete(&mut self, mut found: Found) -> Found {
        match &mut found {
            Found::Message(Said { who: Some(who), .. })
            | Found::Wordless { who: Some(who), .. }
            | Found::Joined { who, .. }
            | Found::Left { who, .. }
            | Found::Typing { who: Some(who), .. } => {
                *who = self.people.complete(std::mem::take(who));
                self.people.seen(who);
            }
            Found::People { people, .. } => {
                for (who, _) in people {
                    *who = self.people.complete(std::mem::take(who));
                    self.people.seen(who);
                }
            }
            Found::Me(who) => self.i_am_this(who),
            Found::Notice { text, .. } | Found::Message(Said { who: None, text, .. }) => {
                self.people.learn(text)
            }
            // `{"type": "temperature", "value": 21}`: that is the metric, and nothing names the device.
            Found::Readings(measured) if self.learned.is_of_socket() => {
                if matches!(measured.values.as_slice(), [(metric, ..)] if *metric == measured.device) {
                    measured.device = super::socket::SERVER.to_owned();
                }
            }
            _ => {}
        }
        found
    }

    fn guess(&mut self, incoming: &Incoming) -> Vec<Found> {
        match envelope::opened(incoming) {
            Some(Envelope::Event { source, args, room }) => {
                let room = room.map(|key| RoomKey { key, name: None });
                let found = self.guess_event(&Incoming { source: &source, args: &args });
                found.into_iter().map(|found| found.within(room.as_ref())).collect()
            }
            Some(Envelope::Nothing) => Vec::new(),
            None => self.guess_event(incoming),
        }
    }

    fn guess_event(&mut self, incoming: &Incoming) -> Vec<Found> {
        let args: Vec<Cow<'_, Value>> =
            incoming.args.iter().filter(|arg| !arg.is_null()).map(shape::opened).collect();
        let of_source = words::meaning(incoming.source).filter(|_| !self.is_nameless(incoming));
        let Some(first) = args.first() else {
            return bare_event(of_source).into_iter().collect();
        };
        match &**first {
            Value::Object(map) => {
                let mut shape = Shape::of(map);
                self.add_positional(&mut shape, &args[1..]);
                if let Some(who) = welcomed(map, &shape, of_source) {
                    if shape.text.is_none() {
                        return vec![Found::Me(who)];
                    }
                    self.i_am_this(&who);
                }
                if is_signaling(map) {
                    return vec![Found::Unmapped];
                }
                if let Some(found) = answered(incoming, map, &shape).or_else(|| published(map, &shape)) {
                    return vec![found];
                }
                if let Some(found) = self.unwrapped(incoming, map, &shape) {
                    return found;
                }
                let meaning = shape.meaning().filter(|meant| *meant != Meaning::Me);
                let meaning = meaning.or_else(|| of_destination(incoming, &shape, of_source)).or(of_source);
                self.object(incoming, map, &shape, meaning)
            }
            Value::Array(list) => self.list(incoming, list, of_source),
            _ => self.row(incoming, &args, of_source),
        }
    }

    /// Whether a message on a socket names itself nothing.
    fn is_nameless(&self, incoming: &Incoming) -> bool {
        self.learned.is_of_socket() && incoming.source == super::socket::SERVER
    }

    fn i_am_this(&mut self, who: &Who) {
        self.people.i_am(who);
        if let Some(id) = &who.id {
            self.learned.i_am(id);
        }
    }

    /// What an event says in a field of its own, where that is no message: `{"type": "users", "data": ["jun"]}`, `{"joined": "jun"}`.
    fn unwrapped(
        &mut self,
        incoming: &Incoming,
        map: &Map<String, Value>,
        shape: &Shape,
    ) -> Option<Vec<Found>> {
        let fields = Fields::of(map);
        let is_message = shape.text.as_ref().is_some_and(|text| !text.is_empty());
        let (source, inner) = match map.iter().next() {
            Some((name, value)) if map.len() == 1 && tells_by_itself(name, value) => (name.as_str(), value),
            _ if is_message || fields.find(words::DEVICE, word).is_some() => return None,
            _ => {
                let holds = |value| matches!(value, &Value::Object(_) | &Value::Array(_)).then_some(value);
                let (_, inner) = fields.find(words::PAYLOAD, holds)?;
                let tells_who = inner.as_object().is_none_or(|map| shape::person(map).is_some());
                if shape.who.is_some() && !tells_who {
                    return None;
                }
                (shape.kind.as_deref().unwrap_or(incoming.source), inner)
            }
        };
        let found = self.guess_event(&Incoming { source, args: std::slice::from_ref(inner) });
        known_within(found, self.room_of(shape).as_ref())
    }

    /// Whether we typed this lately.
    fn is_typed(&self, text: &str) -> bool {
        self.typed.iter().any(|typed| typed == text)
    }

    /// Words beside an object say who, if it does not; else where.
    fn add_positional(&self, shape: &mut Shape, others: &[Cow<'_, Value>]) {
        for text in others.iter().filter_map(|value| value.as_str()).filter(|text| !text.trim().is_empty()) {
            if shape.who.is_none() {
                shape.who = Some(Who::named(text));
            } else if shape.room.is_none() {
                shape.room = Some(text.to_owned());
            }
        }
    }

    fn object(
        &mut self,
        incoming: &Incoming,
        map: &Map<String, Value>,
        shape: &Shape,
        meaning: Option<Meaning>,
    ) -> Vec<Found> {
        let fields = Fields::of(map);
        let room = self.room_of(shape);
        let text = shape.text.clone().filter(|text| !text.is_empty());
        let mut found = people_told(&fields, room.as_ref());
        let who = || shape.who.clone().or_else(|| shape::person(map));
        if text.is_none()
            && found.is_empty()
            && let Some(state) = state_of(incoming.source, map, room.clone(), who())
        {
            return vec![state];
        }
        let old = match (meaning, &text) {
            (Some(Meaning::History), _) => self.old_in(incoming, &fields, true, room.as_ref()),
            (Some(Meaning::Nothing | Meaning::Other), _) | (_, Some(_)) => Vec::new(),
            (_, None) => self.old_in(incoming, &fields, false, room.as_ref()),
        };
        let is_history = !old.is_empty();
        found.extend(old);
        match meaning {
            Some(Meaning::Nothing) => return found,
            Some(Meaning::Other) => {}
            Some(meant @ (Meaning::Typing | Meaning::TypingEnded)) => {
                found.push(typing(&fields, room, who(), meant == Meaning::Typing));
            }
            Some(meant @ (Meaning::Joined | Meaning::Left)) => {
                match (text, who().filter(|_| !is_of_server(shape))) {
                    (_, Some(who)) => found.push(came_or_went(room, who, meant == Meaning::Joined)),
                    (Some(text), None) => found.push(Found::Notice { room, text }),
                    (None, None) => {}
                }
            }
            Some(Meaning::Me) => {
                if let Some(who) = shape::person(map).filter(|_| text.is_none()) {
                    found.insert(0, Found::Me(who));
                } else if let Some(text) = text {
                    found.push(Found::Notice { room, text });
                }
            }
            Some(Meaning::People) if found.is_empty() => found.extend(match text {
                Some(text) if shape.who.is_some() => Some(Found::Notice { room, text }),
                text => people_or_one(map, room, text.is_none()).or_else(|| measured(incoming, map)),
            }),
            None | Some(Meaning::History | Meaning::Message | Meaning::Notice) if is_history => {}
            Some(Meaning::History) => {
                let said = text.map(|text| self.message(incoming, shape, &text, true));
                found.extend(said.map(Found::Message));
            }
            Some(Meaning::Notice)
                if shape.who.is_none() || is_of_server(shape) || words::is_of_failure(incoming.source) =>
            {
                let reason = || fields.find(words::REASON, word).map(|(_, reason)| reason);
                match text.or_else(reason) {
                    Some(text) => found.push(Found::Notice { room, text }),
                    None if words::is_of_failure(incoming.source) => {}
                    None => found.extend(measured(incoming, map)),
                }
            }
            _ => self.said(incoming, map, shape, meaning, &mut found),
        }
        if found.is_empty() { vec![Found::Unmapped] } else { found }
    }

    /// Earlier messages that a field lists. `is_told`: the event says that it tells of them.
    fn old_in(
        &mut self,
        incoming: &Incoming,
        fields: &Fields<'_>,
        is_told: bool,
        room: Option<&RoomKey>,
    ) -> Vec<Found> {
        let lists = |names| fields.find(names, Value::as_array).filter(|_| is_told);
        let list = fields.find(words::HISTORY, list_of_objects);
        let texts = |value: &Value| value.as_array().is_some_and(|list| list.iter().all(Value::is_string));
        let list =
            list.or_else(|| fields.find(words::TEXTS, |value| value.as_array().filter(|_| texts(value))));
        let list = list.or_else(|| lists(words::HISTORY)).or_else(|| lists(&["data", "result", "items"]));
        list.map(|(_, list)| self.old(incoming, list, room)).unwrap_or_default()
    }

    /// Something that is a message if it looks like one, else readings.
    fn said(
        &mut self,
        incoming: &Incoming,
        map: &Map<String, Value>,
        shape: &Shape,
        meaning: Option<Meaning>,
        found: &mut Vec<Found>,
    ) {
        let is_meant = matches!(meaning, Some(Meaning::Message | Meaning::Notice));
        let is_sure = shape.who.is_some() || is_meant;
        let room = self.room_of(shape);
        match shape.text.as_deref() {
            Some(text)
                if !text.is_empty()
                    && (shape.is_of_server || shape.who.as_ref().is_some_and(|who| announces(text, who))) =>
            {
                found.push(Found::Notice { room, text: text.to_owned() });
            }
            Some(text)
                if !text.is_empty() && (is_sure || !shape.is_weak && measured(incoming, map).is_none()) =>
            {
                let said = self.message(incoming, shape, text, false);
                if self.learned.is_to_follow(incoming.source, meaning == Some(Meaning::Message)) {
                    let is_own = self.is_typed(text);
                    let is_named = |who: &Who| {
                        who.name.is_some() && said.who.as_ref().is_some_and(|said| said.id == who.name)
                    };
                    let who_is_id = shape.who.as_ref().is_some_and(is_named);
                    self.learned.object(incoming.source, &Shape { who_is_id, ..shape.clone() }, is_own);
                    if !said.who.as_ref().is_some_and(|who| self.people.is_me(who)) {
                        self.learned.spoke(shape);
                    }
                }
                found.push(Found::Message(said));
            }
            _ if !found.is_empty() => {}
            _ => match measured(incoming, map) {
                Some(readings) => found.push(readings),
                None if meaning == Some(Meaning::Message) && shape.who.is_some() && shape.text.is_none() => {
                    found.push(Found::Wordless { who: shape.who.clone(), room });
                }
                None => {}
            },
        }
    }

    fn message(&mut self, incoming: &Incoming, shape: &Shape, text: &str, old: bool) -> Said {
        let is_of_sender = self.is_of_sender(incoming.source, shape, text);
        let mut who = shape.who.clone();
        if let Some(who) = who.as_mut().filter(|who| is_of_sender && who.id.is_none()) {
            who.id.clone_from(&shape.id);
        }
        let mut said = Said {
            who: who.map(|who| self.people.complete(who)),
            room: self.room_of(shape),
            text: text.to_owned(),
            id: shape.id.clone().filter(|_| !is_of_sender),
            at: shape.at,
            mine: shape.mine.or_else(|| words::is_of_ours(incoming.source).then_some(true)),
            old,
        };
        if said.who.is_none() && said.mine.is_none() {
            self.split(incoming.source, &mut said);
        }
        said
    }

    /// Whether what is called `id` is the sender's, as on servers that send the id of their connection: it comes again with other words.
    fn is_of_sender(&mut self, source: &str, shape: &Shape, text: &str) -> bool {
        let (Some(id), Some("id"), true) = (&shape.id, shape.id_field.as_deref(), shape.who.is_some()) else {
            return false;
        };
        let (id, text) = (fingerprint(id), fingerprint(text));
        let is_full = self.ids.len() >= MAX_SOURCES;
        match self.ids.get_mut(source) {
            Some((last, words, is_sender)) => {
                *is_sender |= *last == id && *words != text;
                (*last, *words) = (id, text);
                *is_sender
            }
            None if is_full => false,
            None => {
                self.ids.insert(source.to_owned(), (id, text, false));
                false
            }
        }
    }

    /// Takes who says it from `jun: hi`.
    fn split(&mut self, source: &str, said: &mut Said) {
        // Our own words that come back with something before them show how this server writes.
        let own = self.typed.iter().any(|typed| {
            said.text.len() > typed.len()
                && said.text.ends_with(typed.as_str())
                && said.text[..said.text.len() - typed.len()].trim_end().ends_with([':', '>', ']'])
        });
        if own {
            note(&mut self.prefixed, source, true);
        }
        let trusts = self.prefixed.get(source).copied().unwrap_or(false);
        if let Some((name, text)) = self.people.split(&said.text, trusts) {
            (said.who, said.text) = (Some(Who::named(name)), text.to_owned());
        }
    }

    /// Where a message is: in the room it names, else with whom it is, if it goes to one person alone.
    fn room_of(&self, shape: &Shape) -> Option<RoomKey> {
        if let Some(key) = &shape.room {
            return Some(RoomKey { key: key.clone(), name: shape.room_name.clone() });
        }
        let to = Who::named(shape.to.clone()?);
        let to_all = ["all", "everyone", "everybody", "*", "broadcast", "public"];
        if to_all.contains(&to.title().to_lowercase().as_str()) {
            return None;
        }
        let from = shape.who.clone().map(|who| self.people.complete(who));
        let is_mine = shape.mine == Some(true) || from.as_ref().is_some_and(|from| self.people.is_me(from));
        let with = if is_mine { self.people.complete(to) } else { from? };
        Some(RoomKey { key: with.key().to_owned(), name: with.name })
    }

    fn list(&mut self, incoming: &Incoming, list: &[Value], meaning: Option<Meaning>) -> Vec<Found> {
        let objects = || list.iter().filter_map(Value::as_object);
        let has_words = |map: &Map<String, Value>| {
            let shape = Shape::of(map);
            shape.text.is_some_and(|text| !text.is_empty()) && !shape.is_weak
        };
        let are_messages = meaning != Some(Meaning::People) && objects().next().is_some_and(has_words);
        if are_messages || meaning == Some(Meaning::History) {
            let found = self.old(incoming, list, None);
            return if found.is_empty() && !list.is_empty() { vec![Found::Unmapped] } else { found };
        }
        let people = list_of_people(&Value::Array(list.to_vec())).unwrap_or_default();
        let are_people = match meaning {
            Some(Meaning::People) => true,
            Some(Meaning::Joined | Meaning::Left | Meaning::Me) => objects().next().is_some(),
            None => objects().next().is_some_and(is_somebody) && !has_numbers(list),
            _ => false,
        };
        if are_people && (!people.is_empty() || list.is_empty()) {
            // What they said is told below them.
            people.iter().for_each(|(who, _)| self.people.seen(who));
            let mut found = vec![Found::People { room: None, people }];
            for map in objects() {
                // What was said to us before, beside who said it.
                if let Some((_, list)) = Fields::of(map).find(words::HISTORY, Value::as_array) {
                    found.extend(self.old(incoming, list, None));
                }
            }
            return found;
        }
        let measured: Vec<Found> = objects().take(64).filter_map(|map| measured(incoming, map)).collect();
        if measured.is_empty() { vec![Found::Unmapped] } else { measured }
    }

    /// Messages that were said earlier.
    fn old(&mut self, incoming: &Incoming, list: &[Value], room: Option<&RoomKey>) -> Vec<Found> {
        let newest = &list[list.len().saturating_sub(MAX_OLD)..];
        let mut found = Vec::new();
        for value in newest {
            let said = match &*shape::opened(value) {
                Value::Object(map) => {
                    let shape = Shape::of(map);
                    let Some(text) = shape.text.clone().filter(|text| !text.is_empty()) else { continue };
                    self.message(incoming, &shape, &text, true)
                }
                Value::String(text) => {
                    let mut said = Said { text: text.clone(), old: true, ..Said::default() };
                    self.split(incoming.source, &mut said);
                    said
                }
                _ => continue,
            };
            found.push(Found::Message(Said { room: said.room.clone().or_else(|| room.cloned()), ..said }));
        }
        found
    }
}

/// A message on a destination is one, whatever else the destination speaks of: `/topic/members/7/chat`.
fn of_destination(incoming: &Incoming, shape: &Shape, meaning: Option<Meaning>) -> Option<Meaning> {
    let is_said = shape.who.is_some() && shape.text.as_ref().is_some_and(|text| !text.is_empty());
    let misleads = matches!(
        meaning?,
        Meaning::Joined
            | Meaning::Left
            | Meaning::Typing
            | Meaning::TypingEnded
            | Meaning::People
            | Meaning::Me
    );
    (is_said && misleads && incoming.source.starts_with('/')).then_some(Meaning::Message)
}

/// What flags say of somebody: whether they are there, whether they are typing.
fn state_of(
    source: &str,
    map: &Map<String, Value>,
    room: Option<RoomKey>,
    who: Option<Who>,
) -> Option<Found> {
    let fields = Fields::of(map);
    match (presence(&fields, words::is_of_people(source)), who) {
        (Some(there), Some(who)) => Some(came_or_went(room, who, there)),
        (_, who) => {
            let on = is_typing(&fields).filter(|_| is_somebody(map))?;
            Some(Found::Typing { room, who, on })
        }
    }
}

/// Who is typing, or no more: `{"from": "…", "typing": {"senderName": "jun"}}`, `{"username": "jun", "isTyping": false}`.
fn typing(fields: &Fields<'_>, room: Option<RoomKey>, who: Option<Who>, begins: bool) -> Found {
    let flag = is_typing(fields)
        .or_else(|| fields.find(&["status", "state", "on"], Value::as_bool).map(|(_, flag)| flag));
    let inner = fields.find(&["typing", "user"], Value::as_object).and_then(|(_, map)| Shape::of(map).who);
    Found::Typing { room, who: inner.or(who), on: begins && flag.unwrap_or(true) }
}

/// What a flag says of somebody who types.
fn is_typing(fields: &Fields<'_>) -> Option<bool> {
    fields.find(&["typing", "istyping"], Value::as_bool).map(|(_, is)| is)
}

/// Who we are, as a welcome tells: `{"type": "welcome", "clientId": 1, "message": "Hello!"}`.
fn welcomed(map: &Map<String, Value>, shape: &Shape, of_source: Option<Meaning>) -> Option<Who> {
    let fields = Fields::of(map);
    let is_welcome = shape.kind.as_deref() == Some("welcome")
        && matches!(of_source, None | Some(Meaning::Notice | Meaning::Message));
    let ours = fields.find(&["yourid", "yoursocketid", "yourclientid"], word);
    let theirs = || fields.find(&["clientid", "userid", "socketid"], word).filter(|_| is_welcome);
    let (_, id) = ours.or_else(theirs)?;
    Some(Who { id: Some(id), name: None })
}

/// What an answer to something that we did says: `{"success": false, "error": "This name is taken"}`; to a login, who we are.
fn answered(incoming: &Incoming, map: &Map<String, Value>, shape: &Shape) -> Option<Found> {
    let fields = Fields::of(map);
    let (_, is_done) = fields.find(&["success", "ok"], Value::as_bool)?;
    if is_done {
        let is_login = words::words(incoming.source).iter().any(|word| word == "login");
        return shape::person(map).filter(|_| is_login && shape.text.is_none()).map(Found::Me);
    }
    let text = shape.text.clone().filter(|text| !text.is_empty() && shape.who.is_none());
    let text = text.or_else(|| fields.find(words::REASON, word).map(|(_, reason)| reason))?;
    Some(Found::Notice { room: None, text })
}

/// Whether programs talk about a call: its numbers are no readings.
fn is_signaling(map: &Map<String, Value>) -> bool {
    let is = |map: &Map<String, Value>| map.contains_key("sdp") || map.contains_key("sdpMLineIndex");
    is(map) || map.values().filter_map(Value::as_object).any(is)
}

/// Whether one field alone is an event: `{"joined": "jun"}`, `{"error": "…"}`.
fn tells_by_itself(name: &str, value: &Value) -> bool {
    match words::meaning(name) {
        Some(Meaning::Joined | Meaning::Left | Meaning::Typing | Meaning::TypingEnded) => {
            value.is_string() || value.is_object()
        }
        Some(Meaning::Notice) => value.is_string() && name != "status",
        Some(Meaning::People) => value.is_object(),
        _ => false,
    }
}

fn list_of_objects(value: &Value) -> Option<&Vec<Value>> {
    value.as_array().filter(|list| list.iter().any(Value::is_object))
}

/// What a broker's message measures: `{"topic": "shed/temperature", "payload": "21.5"}`. A topic may as well be that of a chat.
fn published(map: &Map<String, Value>, shape: &Shape) -> Option<Found> {
    let topic = map.get("topic")?.as_str().filter(|_| shape.who.is_none())?;
    let payload = ["payload", "message", "value", "data"].iter().find_map(|field| map.get(*field))?;
    let payload = shape::opened(payload);
    let is_of_broker = match payload.as_object() {
        Some(map) => Shape::of(map).text.is_none() && !is_somebody(map),
        None => topic.contains('/') || readings::is_quantity(topic),
    };
    let fields = Fields::of(map);
    let device = fields.find(words::DEVICE, word).map(|(_, device)| device);
    let unit = fields.find(words::UNIT, word).map(|(_, unit)| unit).unwrap_or_default();
    readings::of(topic, &payload, device, &unit).filter(|_| is_of_broker).map(Found::Readings)
}

/// An event without arguments: one that is known by its name says no more than that.
fn bare_event(meaning: Option<Meaning>) -> Option<Found> {
    match meaning {
        Some(Meaning::Typing) => Some(Found::Typing { room: None, who: None, on: true }),
        Some(Meaning::TypingEnded) => Some(Found::Typing { room: None, who: None, on: false }),
        Some(Meaning::Joined | Meaning::Left | Meaning::Nothing | Meaning::Me) => None,
        _ => Some(Found::Unmapped),
    }
}

fn fingerprint(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// Whether a sentence tells that somebody came or went.
fn tells(sentence: &str) -> bool {
    const VERBS: &[&str] = &[
        "joined",
        "left",
        "connected",
        "disconnected",
        "entered",
        "exited",
        "online",
        "offline",
        "joins",
        "leaves",
    ];
    if ["님이 입장", "님이 퇴장", "님이 나가", "님이 나갔", "님이 들어"]
        .iter()
        .any(|part| sentence.contains(part))
    {
        return true;
    }
    let words = sentence.split_whitespace().skip(1).take(4);
    let words = words.map(|word| word.trim_end_matches(|c: char| !c.is_alphanumeric()));
    words.into_iter().any(|word| VERBS.contains(&word))
}

/// Whether a message is the server's word about its sender: `jun has joined the chat`, from jun.
fn announces(text: &str, who: &Who) -> bool {
    let rest = who.name.as_deref().and_then(|name| text.strip_prefix(name)).unwrap_or_default();
    rest.starts_with(' ') && rest.split_whitespace().count() <= 6 && tells(text)
}

fn note(map: &mut HashMap<String, bool>, source: &str, is: bool) {
    if map.len() < MAX_SOURCES || map.contains_key(source) {
        map.insert(source.to_owned(), is);
    }
}

/// What was found, in this room where it names none; `None` where nothing was recognized.
fn known_within(found: Vec<Found>, room: Option<&RoomKey>) -> Option<Vec<Found>> {
    let is_known = !found.is_empty() && !found.contains(&Found::Unmapped);
    is_known.then(|| found.into_iter().map(|found| found.within(room)).collect())
}

fn notice(text: &str) -> Found {
    Found::Notice { room: None, text: text.to_owned() }
}

/// Whether the server itself speaks, by the name it gives itself.
fn is_of_server(shape: &Shape) -> bool {
    let name = shape.who.as_ref().map(Who::title).unwrap_or_default();
    is_server(name)
        || ["admin", "bot"].contains(&name.to_lowercase().as_str())
        || shape.meaning() == Some(Meaning::Notice)
}

/// Whether this is what servers call themselves.
fn is_server(name: &str) -> bool {
    ["system", "server"].contains(&name.to_lowercase().as_str())
}

fn measured(incoming: &Incoming, map: &Map<String, Value>) -> Option<Found> {
    readings::of(incoming.source, &Value::Object(map.clone()), None, "").map(Found::Readings)
}

fn has_numbers(list: &[Value]) -> bool {
    let has = |map: &Map<String, Value>| {
        Fields::of(map).iter().any(|(folded, _, value)| {
            value.is_number() && !words::PERSON_ID.contains(&folded) && !words::TIME.contains(&folded)
        })
    };
    list.iter().filter_map(Value::as_object).any(has)
}
