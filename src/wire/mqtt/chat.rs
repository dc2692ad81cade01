//! [`Chat`]: rooms, messages and people on topics. `PREFIX/ROOM` carries messages, as JSON or as plain text;
//! `PREFIX-presence/CLIENT` says, retained, who is there. No I/O and no acknowledgements.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::encode::{Outgoing, Will};
use crate::model::content::Extra;
use crate::model::event::{ChatEvent, Listed, Person};
use crate::model::id::Offset;
use crate::model::publication::Qos;
use crate::model::room::NamedRoom;
use crate::model::time::WallMs;
use crate::model::{
    Content, Draft, Entry, Event, MessageId, OutboxItem, Principal, PrincipalId, PrincipalKind, RoomId,
    RoomName, Sender, Time,
};

/// Maximum number of rooms and people that are known at a time.
const MAX_ROOMS: usize = 1_000;
const MAX_PEOPLE: usize = 5_000;
/// Maximum number of ids of messages that are recognized when they come again.
const MAX_RECENT: usize = 4_096;
/// Maximum length of a message, in bytes of UTF-8; the rest is cut off, and said so.
const MAX_TEXT_BYTES: usize = 64 * 1024;
/// Maximum length of a name, in characters.
const MAX_NAME_CHARS: usize = 100;
/// Numbers below this are seconds, above it milliseconds.
const SECONDS_BELOW: f64 = 1e11;
/// How long others wait before they say that we are gone, in seconds: a lost connection usually comes back.
const WILL_DELAY_S: u32 = 10;
/// The field of a message that may have come before.
const MAY_BE_REPEAT: &str = "may_be_repeat";
/// Our id, and that of whoever does not say who they are.
const ME: &str = "me";
const SOMEBODY: &str = "server";

/// A message as it is sent.
#[derive(Serialize)]
struct Written<'a> {
    id: String,
    sender: &'a str,
    client: &'a str,
    time: WallMs,
    text: &'a str,
}

/// A message as it is read: whatever is there of it.
#[derive(Deserialize)]
struct Read {
    id: Option<Value>,
    #[serde(alias = "from", alias = "user", alias = "name", alias = "nick")]
    sender: Option<Value>,
    client: Option<String>,
    #[serde(alias = "timestamp", alias = "ts", alias = "at")]
    time: Option<Value>,
    #[serde(alias = "message", alias = "body", alias = "msg")]
    text: String,
}

/// Somebody's presence.
#[derive(Serialize, Deserialize)]
struct Presence {
    name: String,
    online: bool,
}

/// How a message came.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Came {
    /// The server had kept it.
    pub(super) is_retained: bool,
    /// It may have come before.
    pub(super) may_be_repeat: bool,
}

/// See the module.
pub(super) struct Chat {
    /// With a slash at the end.
    prefix: String,
    presence: String,
    qos: Qos,
    client_id: String,
    me: Sender,
    somebody: Sender,
    entropy: [u8; 32],
    made: u64,
    rooms: HashSet<RoomId>,
    people: BTreeMap<PrincipalId, Person>,
    /// Ours that were given to the server and have no entry yet.
    sending: HashMap<MessageId, OutboxItem>,
    recent: VecDeque<(PrincipalId, MessageId)>,
    known: HashSet<(PrincipalId, MessageId)>,
}

impl Chat {
    pub(super) fn new(prefix: &str, qos: Qos, name: String, client_id: String, entropy: [u8; 32]) -> Chat {
        Chat {
            prefix: format!("{prefix}/"),
            presence: format!("{prefix}-presence/"),
            qos,
            client_id,
            me: Sender { id: PrincipalId(ME.to_owned()), name },
            somebody: Sender { id: PrincipalId(SOMEBODY.to_owned()), name: String::new() },
            entropy,
            made: 0,
            rooms: HashSet::new(),
            people: BTreeMap::new(),
            sending: HashMap::new(),
            recent: VecDeque::new(),
            known: HashSet::new(),
        }
    }

    /// The server as dialed: the name of whoever does not give one.
    pub(super) fn set_server(&mut self, server: &str) {
        server.clone_into(&mut self.somebody.name);
    }

    /// What to subscribe to: rooms, and presence.
    pub(super) fn filters(&self) -> [String; 2] {
        [format!("{}#", self.prefix), format!("{}+", self.presence)]
    }

    /// Whether a topic is the chat's own.
    pub(super) fn owns(&self, topic: &str) -> bool {
        topic.starts_with(&self.prefix) || topic.starts_with(&self.presence)
    }

    /// Whether a topic is that of our own presence.
    pub(super) fn is_own_presence(&self, topic: &str) -> bool {
        topic.strip_prefix(&self.presence).is_some_and(|client| client == self.client_id)
    }

    /// Who we are.
    pub(super) fn me(&self) -> Principal {
        let Sender { id, name } = self.me.clone();
        Principal { id, kind: PrincipalKind::Person, name, role: None }
    }

    /// The same as a sender.
    pub(super) fn sender(&self) -> &Sender {
        &self.me
    }

    /// The rooms that are there without a message: the first one, and those of these topics.
    pub(super) fn begin(&mut self, topics: &[String]) -> Vec<NamedRoom> {
        let general = format!("{}general", self.prefix);
        let rooms = std::iter::once(&general).chain(topics).filter_map(|topic| self.room(topic));
        let rooms: Vec<NamedRoom> = rooms.collect();
        self.rooms.extend(rooms.iter().map(|room| room.id.clone()));
        rooms
    }

    /// The room of a topic.
    pub(super) fn room(&self, topic: &str) -> Option<NamedRoom> {
        let name = topic.strip_prefix(&self.prefix).filter(|name| !name.is_empty())?;
        let id = RoomId::new(topic).ok()?;
        Some(NamedRoom::new(id.clone(), RoomName::closest(name).unwrap_or_else(|| RoomName::of_id(&id))))
    }

    /// The topic of a room that a person makes.
    pub(super) fn topic_of_new(&self, name: &str) -> String {
        format!("{}{}", self.prefix, name.trim_matches('/'))
    }

    /// The topic of a room.
    pub(super) fn topic<'a>(&self, room: &'a RoomId) -> Option<&'a str> {
        Some(room.as_str()).filter(|topic| topic.starts_with(&self.prefix))
    }

    /// Lists a room unless it is known.
    pub(super) fn list(&mut self, room: NamedRoom) -> Option<Event> {
        if self.rooms.contains(&room.id) || self.rooms.len() >= MAX_ROOMS {
            return None;
        }
        self.rooms.insert(room.id.clone());
        Some(Event::Chat(ChatEvent::Listed(Listed { rooms: vec![room], ..Listed::default() })))
    }

    /// What a person wrote, as it is sent.
    pub(super) fn typed(&mut self, item: &OutboxItem, topic: &str, body: &str) -> Outgoing {
        let written = Written {
            id: item.draft.id.to_string(),
            sender: &self.me.name,
            client: &self.client_id,
            time: item.draft.at,
            text: body,
        };
        let payload = serde_json::to_vec(&written).unwrap_or_default();
        self.sending.insert(item.draft.id, item.clone());
        Outgoing { topic: topic.to_owned(), payload, qos: self.qos, ..Outgoing::default() }
    }

    /// The server has a message of ours: its entry, unless it came back before.
    pub(super) fn delivered(&mut self, now: Time, id: MessageId) -> Option<Entry> {
        let item = self.sending.remove(&id)?;
        self.remember(&PrincipalId(ME.to_owned()), id);
        Some(Entry { draft: item.draft, offset: Offset(0), sender: self.me.clone(), received: now.wall_ms })
    }

    /// The server does not take a message of ours.
    pub(super) fn refused(&mut self, id: MessageId) {
        self.sending.remove(&id);
    }

    /// Notes an id; returns whether it was noted before.
    fn remember(&mut self, who: &PrincipalId, id: MessageId) -> bool {
        let key = (who.clone(), id);
        if !self.known.insert(key.clone()) {
            return true;
        }
        self.recent.push_back(key);
        if self.recent.len() > MAX_RECENT
            && let Some(oldest) = self.recent.pop_front()
        {
            self.known.remove(&oldest);
        }
        false
    }

    /// A message of a room. With it, the id of ours that came back. Nothing where it came before.
    pub(super) fn received(
        &mut self,
        now: Time,
        room: &RoomId,
        payload: &[u8],
        came: Came,
    ) -> (Option<Entry>, Option<MessageId>) {
        let Some(read) = read(payload) else {
            let text = match std::str::from_utf8(payload) {
                Ok(text) => bounded(text.to_owned()),
                Err(_) => format!("({} bytes that are no text)", payload.len()),
            };
            let id = self.new_id();
            return (Some(self.entry(now, room, id, self.somebody.clone(), text, now.wall_ms, came)), None);
        };
        let name = read.sender.as_ref().map(words).unwrap_or_default();
        let given = read.id.as_ref().map(words).unwrap_or_default();
        let ours = read.client.as_ref().is_some_and(|client| *client == self.client_id);
        // Everybody sees our client id: a message is ours only if we know that we sent it.
        let ours = given.parse::<MessageId>().ok().filter(|id| ours && self.sent(*id));
        let sender = match (ours, read.client, name.is_empty()) {
            (Some(_), _, _) => self.me.clone(),
            (_, Some(client), _) => sender(&client, &name),
            (_, None, false) => sender(&name, &name),
            (_, None, true) => self.somebody.clone(),
        };
        let id = match given.parse::<MessageId>() {
            Ok(id) => id,
            Err(_) if given.is_empty() => self.new_id(),
            Err(_) => {
                let time = read.time.as_ref().map(words).unwrap_or_default();
                let said = format!("{room}\0{}\0{given}\0{time}\0{}", sender.id.0, read.text);
                id_of(Sha256::new_with_prefix(said))
            }
        };
        if ours.is_some() {
            return (self.delivered(now, id), ours);
        }
        if self.remember(&sender.id, id) {
            return (None, None);
        }
        let at = read.time.as_ref().and_then(time_of).unwrap_or(now.wall_ms);
        (Some(self.entry(now, room, id, sender, bounded(read.text), at, came)), None)
    }

    fn sent(&self, id: MessageId) -> bool {
        self.sending.contains_key(&id) || self.known.contains(&(self.me.id.clone(), id))
    }

    #[allow(clippy::too_many_arguments, reason = "they are the parts of an entry")]
    fn entry(
        &self,
        now: Time,
        room: &RoomId,
        id: MessageId,
        sender: Sender,
        body: String,
        at: WallMs,
        came: Came,
    ) -> Entry {
        let mut extra = Extra::default();
        if came.may_be_repeat {
            extra.insert(MAY_BE_REPEAT, true.into());
        }
        let draft = Draft { id, room: room.clone(), content: Content::Text { body, extra }, at };
        let received = if came.is_retained { at.min(now.wall_ms) } else { now.wall_ms };
        Entry { draft, offset: Offset(0), sender, received }
    }

    fn new_id(&mut self) -> MessageId {
        self.made += 1;
        let mut hash = Sha256::new_with_prefix(self.entropy);
        hash.update(self.made.to_be_bytes());
        id_of(hash)
    }

    /// Somebody came or went.
    pub(super) fn presence(&mut self, topic: &str, payload: &[u8]) -> Option<Event> {
        let client = topic.strip_prefix(&self.presence).filter(|client| *client != self.client_id)?;
        let presence: Presence =
            serde_json::from_slice(payload).unwrap_or(Presence { name: String::new(), online: false });
        let Sender { id, name } = sender(client, &presence.name);
        let known = self.people.get(&id);
        let is_new = known.is_none();
        if known.is_some_and(|known| known.online == presence.online && known.who.name == name)
            || is_new && (self.people.len() >= MAX_PEOPLE || !presence.online)
        {
            return None;
        }
        let who = Principal { id: id.clone(), kind: PrincipalKind::Person, name, role: None };
        let person = Person { who, online: presence.online, status: String::new() };
        self.people.insert(id, person.clone());
        Some(Event::Chat(ChatEvent::Presence(person)))
    }

    /// What says that we are there, or no more.
    pub(super) fn own_presence(&self, online: bool) -> Outgoing {
        let presence = Presence { name: self.me.name.clone(), online };
        Outgoing {
            topic: format!("{}{}", self.presence, self.client_id),
            payload: serde_json::to_vec(&presence).unwrap_or_default(),
            qos: Qos::AtLeastOnce,
            retain: true,
            properties: None,
        }
    }

    /// What the server says once we are lost.
    pub(super) fn will(&self) -> Will {
        let Outgoing { topic, payload, .. } = self.own_presence(false);
        Will { topic, payload, delay: WILL_DELAY_S }
    }
}

fn read(payload: &[u8]) -> Option<Read> {
    let is_object = payload.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    if is_object { serde_json::from_slice(payload).ok() } else { None }
}

/// A text or number as text.
fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

/// Seconds or milliseconds since 1970.
fn time_of(value: &Value) -> Option<WallMs> {
    let number = value.as_f64().filter(|number| *number > 0.0 && *number < 1e15)?;
    Some(WallMs(if number < SECONDS_BELOW { number * 1_000.0 } else { number } as i64))
}

/// Nobody is called as we are.
fn sender(key: &str, name: &str) -> Sender {
    let key: String = key.chars().filter(|c| !c.is_control()).take(MAX_NAME_CHARS / 2).collect();
    let name: String = name.chars().filter(|c| !c.is_control()).take(MAX_NAME_CHARS).collect();
    let name = if name.trim().is_empty() { key.clone() } else { name };
    Sender { id: PrincipalId(format!("u:{key}")), name }
}

fn id_of(hash: Sha256) -> MessageId {
    let digest = hash.finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    MessageId::from_random(bytes)
}

/// A number that two different messages hardly share.
pub(super) fn fingerprint(topic: &str, payload: &[u8]) -> u64 {
    let mut hash = Sha256::new_with_prefix(topic);
    hash.update([0]);
    hash.update(payload);
    let digest = hash.finalize();
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&digest[..8]);
    u64::from_be_bytes(bytes)
}

/// Whether a message names itself, so that it is recognized when it comes again.
pub(super) fn has_id(payload: &[u8]) -> bool {
    read(payload).is_some_and(|read| read.id.as_ref().is_some_and(|id| !words(id).is_empty()))
}

fn bounded(mut text: String) -> String {
    if text.len() > MAX_TEXT_BYTES {
        text.truncate(text.floor_char_boundary(MAX_TEXT_BYTES));
        text.push_str("… (cut off)");
    }
    text
}

#[cfg(test)]
#[path = "chat_tests.rs"]
mod tests;
