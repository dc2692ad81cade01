//! [`Recognizer`]: says what it finds in what a server sends, by the person's rules, else by the shape. It learns as it goes: who is there,
//! in which order a server puts text and name, what its messages look like.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde_json::{Map, Value};

use super::document::Mapping;
use super::envelope::{self, Envelope};
use super::people::People;
use super::send::{Learned, Outgoing, Typed};
use super::shape::{self, Fields, Shape, word};
use super::words::{self, Meaning};
use super::{Found, Incoming, RoomKey, Said, Who, readings, rules};

/// Maximum number of messages found in one event.
const MAX_OLD: usize = 1000;
/// Maximum number of people found in one event.
const MAX_PEOPLE: usize = 5000;
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
            Found::Me(who) => self.people.i_am(who),
            Found::Notice { text, .. } => self.people.learn(text),
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
        let of_source = words::meaning(incoming.source);
        let Some(first) = args.first() else {
            return bare_event(of_source).into_iter().collect();
        };
        match &**first {
            Value::Object(map) => {
                let mut shape = Shape::of(map);
                self.add_positional(&mut shape, &args[1..]);
                let meaning = shape.meaning().filter(|meant| *meant != Meaning::Me).or(of_source);
                self.object(incoming, map, &shape, meaning)
            }
            Value::Array(list) => self.list(incoming, list, of_source),
            _ => {
                // Words and an object: `("jun", {"text": "hi"})`.
                if let Some(map) = args[1..].iter().find_map(|arg| arg.as_object()) {
                    let mut shape = Shape::of(map);
                    if shape.text.is_some() {
                        self.add_positional(&mut shape, &args[..1]);
                        return self.object(incoming, map, &shape, of_source.or(Some(Meaning::Message)));
                    }
                }
                self.plain(incoming, &args, of_source)
            }
        }
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
        let mut found = Vec::new();
        if let Some((_, people)) = fields.find(words::PEOPLE, list_of_people) {
            found.push(Found::People { room: room.clone(), people });
        }
        let who = || shape.who.clone().or_else(|| shape::person(map));
        if text.is_none()
            && found.is_empty()
            && words::is_of_people(incoming.source)
            && let (Some(there), Some(who)) = (presence(&fields), who())
        {
            return vec![came_or_went(room, who, there)];
        }
        match meaning {
            Some(Meaning::Nothing) => return found,
            Some(Meaning::Other) => {}
            Some(meant @ (Meaning::Typing | Meaning::TypingEnded)) => {
                let flag = fields
                    .find(&["typing", "istyping", "status", "state", "on"], Value::as_bool)
                    .map(|(_, on)| on);
                let on = meant == Meaning::Typing && flag.unwrap_or(true);
                found.push(Found::Typing { room, who: who(), on });
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
            Some(Meaning::People) if found.is_empty() => {
                found.extend(people_or_one(map, room, text.is_none()))
            }
            Some(Meaning::History) => {
                let list = fields.find(words::HISTORY, Value::as_array);
                if let Some((_, list)) =
                    list.or_else(|| fields.find(&["data", "result", "items"], Value::as_array))
                {
                    found.extend(self.old(incoming, list, room.as_ref()));
                }
            }
            Some(Meaning::Notice) if shape.who.is_none() || is_of_server(shape) => match text {
                Some(text) => found.push(Found::Notice { room, text }),
                None => found.extend(measured(incoming, map)),
            },
            _ => self.said(incoming, map, shape, meaning, &mut found),
        }
        if found.is_empty() { vec![Found::Unmapped] } else { found }
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
            Some(text) if shape.who.as_ref().is_some_and(|who| announces(text, who)) => {
                found.push(Found::Notice { room, text: text.to_owned() });
            }
            Some(text)
                if !text.is_empty() && (is_sure || !shape.is_weak && measured(incoming, map).is_none()) =>
            {
                let said = self.message(incoming, shape, text, false);
                self.learned.object(incoming.source, shape, self.typed.iter().any(|typed| typed == text));
                found.push(Found::Message(said));
            }
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
            mine: shape.mine,
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
        if meaning == Some(Meaning::People)
            || (!people.is_empty()
                && objects().next().is_some()
                && matches!(meaning, None | Some(Meaning::Joined | Meaning::Left | Meaning::Me))
                && !has_numbers(list))
        {
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

    /// Texts, numbers and flags in a row.
    fn plain(
        &mut self,
        incoming: &Incoming,
        args: &[Cow<'_, Value>],
        meaning: Option<Meaning>,
    ) -> Vec<Found> {
        let texts: Vec<&str> =
            args.iter().filter_map(|arg| arg.as_str()).filter(|text| !text.trim().is_empty()).collect();
        let measured = || readings::of(incoming.source, &args[0], None, "").map(Found::Readings);
        let who = texts.first().map(|text| Who::named(*text));
        let is_sentence = texts.first().is_some_and(|text| {
            text.split_whitespace().count() > 2 || text.contains(char::is_whitespace) && tells(text)
        });
        let found = match (meaning, texts.as_slice()) {
            (Some(Meaning::Nothing), _) => return Vec::new(),
            (Some(meant @ (Meaning::Typing | Meaning::TypingEnded)), _) => {
                let on = args.iter().find_map(|arg| arg.as_bool()).unwrap_or(true);
                // `jun is typing`
                let name = texts.first().and_then(|text| text.split_once(" is typing"));
                let who = name.map(|(name, _)| Who::named(name)).or(who.filter(|_| !is_sentence));
                Some(Found::Typing { room: None, who, on: on && meant == Meaning::Typing })
            }
            (Some(Meaning::Joined | Meaning::Left), [text, ..]) if is_sentence => Some(notice(text)),
            (Some(Meaning::Joined), [_, ..]) => who.map(|who| Found::Joined { room: None, who }),
            (Some(Meaning::Left), [_, ..]) => who.map(|who| Found::Left { room: None, who }),
            (Some(Meaning::Other), _) => None,
            (Some(Meaning::People), [_]) if !is_sentence => who.map(|who| Found::Joined { room: None, who }),
            (Some(Meaning::Me), [text]) if !is_sentence => Some(Found::Me(Who::named(*text))),
            (Some(Meaning::Notice | Meaning::Me | Meaning::People), [text, ..]) => Some(notice(text)),
            (Some(Meaning::Message | Meaning::History), []) => args
                .first()
                .and_then(|value| word(value))
                .map(|text| Found::Message(Said { text, ..Said::default() })),
            (Some(Meaning::Message | Meaning::History), _) => Some(self.positional(incoming, &texts)),
            (None, [text]) if is_sentence && tells(text) => Some(notice(text)),
            (None, [_, ..]) => measured().or_else(|| Some(self.positional(incoming, &texts))),
            _ => measured(),
        };
        vec![found.unwrap_or(Found::Unmapped)]
    }

    /// `("hi")`, `("hi", "jun")`, `("jun", "hi")`, with the room or a time after them.
    fn positional(&mut self, incoming: &Incoming, texts: &[&str]) -> Found {
        let mut said = Said::default();
        let (first, rest) = match texts {
            [] => return Found::Unmapped,
            [text] => {
                said.text = (*text).to_owned();
                self.learned.bare(incoming.source, 1, self.typed.iter().any(|typed| typed == text));
                self.split(incoming.source, &mut said);
                return Found::Message(said);
            }
            [first, rest @ ..] => (*first, rest),
        };
        let (second, others) = (rest[0], &rest[1..]);
        let name_first = self.is_name_first(incoming.source, first, second);
        let (text, name) = if name_first { (second, first) } else { (first, second) };
        if is_server(name) {
            return notice(text);
        }
        said.text = text.to_owned();
        said.who = Some(Who::named(name));
        for other in others {
            match super::time::of(&Value::from(*other)) {
                Some(at) => said.at = Some(at),
                None if said.room.is_none() && other.chars().count() <= 64 && !other.contains(':') => {
                    said.room = Some(RoomKey { key: (*other).to_owned(), name: None });
                }
                None => {}
            }
        }
        self.learned.bare(
            incoming.source,
            if name_first { 3 } else { 2 },
            self.typed.iter().any(|typed| typed == text),
        );
        Found::Message(said)
    }

    /// Whether the name comes before the words. Usually it does not; what is known of people and of our own words says so.
    fn is_name_first(&mut self, source: &str, first: &str, second: &str) -> bool {
        // Of a widely copied tutorial.
        if words::folded(source) == "updatechat" {
            return true;
        }
        let typed = |text: &str| self.typed.iter().any(|typed| typed == text);
        let known = (self.people.is_known(first), self.people.is_known(second));
        let words = |text: &str| text.split_whitespace().count();
        let sure = match (typed(first), typed(second), known) {
            (true, false, _) => Some(false),
            (false, true, _) => Some(true),
            (.., (true, false)) => Some(true),
            (.., (false, true)) => Some(false),
            _ if words(second) > 3 && words(first) == 1 => Some(true),
            _ if words(first) > 3 => Some(false),
            _ => None,
        };
        match sure {
            Some(is) => {
                note(&mut self.name_first, source, is);
                is
            }
            None => self.name_first.get(source).copied().unwrap_or(false),
        }
    }
}

fn came_or_went(room: Option<RoomKey>, who: Who, came: bool) -> Found {
    if came { Found::Joined { room, who } } else { Found::Left { room, who } }
}

/// Everybody who is there, or somebody who came: an object with an id of theirs. `is_wordless`: it holds no message.
fn people_or_one(map: &Map<String, Value>, room: Option<RoomKey>, is_wordless: bool) -> Option<Found> {
    if let Some(who) = shape::person(map).filter(|who| is_wordless && who.id.is_some()) {
        return Some(came_or_went(room, who, true));
    }
    let people = people_in(&Value::Object(map.clone()));
    (!people.is_empty()).then_some(Found::People { room, people })
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
    let words = sentence.split_whitespace().skip(1).take(4);
    let words = words.map(|word| word.trim_end_matches(|c: char| !c.is_alphanumeric()));
    words.into_iter().any(|word| VERBS.contains(&word))
}

/// Whether a message is the server's word about its sender: `jun has joined the chat`, from jun.
fn announces(text: &str, who: &Who) -> bool {
    let rest = who.name.as_deref().and_then(|name| text.strip_prefix(name)).unwrap_or_default();
    rest.starts_with(' ') && rest.split_whitespace().count() <= 6 && tells(text)
}

/// Whether somebody is there, by a field of theirs.
fn presence(fields: &Fields<'_>) -> Option<bool> {
    let flag = |value: &Value| match value {
        Value::Bool(is) => Some(*is),
        Value::String(word) => match word.to_lowercase().as_str() {
            "online" | "connected" | "joined" | "join" => Some(true),
            "offline" | "disconnected" | "left" | "leave" => Some(false),
            _ => None,
        },
        _ => None,
    };
    fields.find(&["connected", "online", "isonline", "status", "presence"], flag).map(|(_, is)| is)
}

fn note(map: &mut HashMap<String, bool>, source: &str, is: bool) {
    if map.len() < MAX_SOURCES || map.contains_key(source) {
        map.insert(source.to_owned(), is);
    }
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

/// The people in a list, or in an object whose fields are their ids.
pub(super) fn people_in(value: &Value) -> Vec<(Who, bool)> {
    match value {
        Value::Object(map) => {
            if let Some((_, people)) = Fields::of(map).find(words::PEOPLE, list_of_people) {
                return people;
            }
            let each = map.iter().take(MAX_PEOPLE).filter_map(|(id, value)| match value {
                Value::String(name) if !name.trim().is_empty() => {
                    Some((Who { id: Some(id.clone()), name: Some(name.clone()) }, true))
                }
                Value::Object(map) => {
                    let who = shape::person(map)?;
                    Some((Who { id: who.id.or_else(|| Some(id.clone())), name: who.name }, is_there(map)))
                }
                _ => None,
            });
            each.collect()
        }
        value => list_of_people(value).unwrap_or_default(),
    }
}

fn list_of_people(value: &Value) -> Option<Vec<(Who, bool)>> {
    let list = match value {
        Value::Array(list) => list,
        Value::Object(map)
            if !map.is_empty() && map.values().all(|value| value.is_string() || value.is_object()) =>
        {
            return Some(people_in(value)).filter(|people| !people.is_empty());
        }
        _ => return None,
    };
    let each = list.iter().take(MAX_PEOPLE).filter_map(|value| match value {
        Value::Object(map) => Some((shape::person(map)?, is_there(map))),
        // Pairs of a JavaScript Map: `["sock1", "jun"]`.
        Value::Array(pair) => match pair.as_slice() {
            [id, Value::String(name)] => Some((Who { id: word(id), name: Some(name.clone()) }, true)),
            [id, Value::Object(map)] => {
                let who = shape::person(map)?;
                Some((Who { id: who.id.or_else(|| word(id)), name: who.name }, is_there(map)))
            }
            _ => None,
        },
        value => Some((Who::named(value.as_str().filter(|name| !name.trim().is_empty())?), true)),
    });
    Some(each.collect())
}

fn is_there(map: &Map<String, Value>) -> bool {
    let fields = Fields::of(map);
    let flag = |value: &Value| match value {
        Value::Bool(is) => Some(*is),
        Value::String(word) => match word.to_lowercase().as_str() {
            "online" | "connected" | "active" | "away" | "busy" => Some(true),
            "offline" | "disconnected" | "inactive" => Some(false),
            _ => None,
        },
        _ => None,
    };
    fields
        .find(&["connected", "online", "isonline", "active", "status", "presence"], flag)
        .is_none_or(|(_, is)| is)
}
