//! [`Shape`]: what the fields of one object say, by their names. A message is rarely spelled the same way on two servers; the
//! same few words return in all of them.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::words::{self, Meaning};
use super::{Who, time};
use crate::model::log::json::HIDDEN;
use crate::model::time::WallMs;

/// Maximum number of fields of an object that are looked at.
const MAX_FIELDS: usize = 64;
/// How deep an object inside an object is looked for.
const MAX_DEPTH: usize = 4;
/// How deep a value is shown.
const MAX_SHOWN_DEPTH: usize = 16;
/// Fields that hold text only where somebody is named, since they may hold anything.
const WEAK_TEXT: &[&str] = &["value", "data", "payload", "m"];

/// What one object says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Shape {
    /// The words. Empty: there is a field for them without any.
    pub text: Option<String>,
    /// Whether the words are in a field that may hold anything else, too.
    pub is_weak: bool,
    /// The field that holds them, as the server writes it.
    pub text_field: Option<String>,
    /// Who says it.
    pub who: Option<Who>,
    /// The field that names them.
    pub who_field: Option<String>,
    /// Whether they are a number there.
    pub who_is_number: bool,
    /// Whether it holds an id, whatever it is called.
    pub who_is_id: bool,
    /// The field of their name, where they are an object.
    pub who_name_field: Option<String>,
    /// In which room.
    pub room: Option<String>,
    /// What it is called, where the server says that beside its id.
    pub room_name: Option<String>,
    /// The field that names it, and whether it is a number there.
    pub room_field: Option<(String, bool)>,
    /// The field of its id, where it is an object.
    pub room_id_field: Option<String>,
    /// The message's id.
    pub id: Option<String>,
    /// The field that holds it.
    pub id_field: Option<String>,
    /// When.
    pub at: Option<WallMs>,
    /// Whether it is ours.
    pub mine: Option<bool>,
    /// Whether the server itself says it.
    pub is_of_server: bool,
    /// The word for its kind.
    pub kind: Option<String>,
    /// The field that holds it.
    pub kind_field: Option<String>,
    /// To whom.
    pub to: Option<String>,
    /// The field that names them, and whether they are a number there.
    pub to_field: Option<(String, bool)>,
    /// What it is wrapped in, where the words are in an object inside another.
    pub wrapped: Option<Box<Wrapped>>,
}

/// An object with the words, inside another.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wrapped {
    /// The field that holds it.
    pub field: String,
    /// Whether it is written there as a text.
    pub is_text: bool,
    /// The field and the word for the kind of the whole.
    pub kind: Option<(String, String)>,
    /// The form of the inner one: see [`Shape::form`].
    pub inner: Shape,
}

/// An object's fields by their folded names.
pub(super) struct Fields<'a>(Vec<(String, &'a str, &'a Value)>);

impl<'a> Fields<'a> {
    pub fn of(map: &'a Map<String, Value>) -> Self {
        Fields(
            map.iter()
                .take(MAX_FIELDS)
                .map(|(name, value)| (words::folded(name), name.as_str(), value))
                .collect(),
        )
    }

    /// The first of these fields that holds something of which `take` makes a value.
    pub fn find<T>(&self, names: &[&str], take: impl Fn(&'a Value) -> Option<T>) -> Option<(&'a str, T)> {
        names.iter().find_map(|name| {
            let (_, written, value) = self.0.iter().find(|(folded, ..)| folded == name)?;
            Some((*written, take(value)?))
        })
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &'a str, &'a Value)> {
        self.0.iter().map(|(folded, written, value)| (folded.as_str(), *written, *value))
    }
}

impl Shape {
    /// What an object says. An object inside it that holds the words is read, too.
    pub fn of(map: &Map<String, Value>) -> Shape {
        Shape::at_depth(map, 0)
    }

    fn at_depth(map: &Map<String, Value>, depth: usize) -> Shape {
        let fields = Fields::of(map);
        let mut shape = Shape::default();
        if let Some((field, kind)) = kind(&fields) {
            (shape.kind, shape.kind_field) = (Some(kind.to_owned()), Some(field.to_owned()));
        }
        shape.read_text(&fields, depth);
        shape.read_status(&fields);
        shape.read_who(&fields);
        shape.read_room(&fields);
        if shape.at.is_none() {
            shape.at = fields.find(words::TIME, time::of).map(|(_, at)| at);
        }
        shape.mine = fields.find(words::MINE, Value::as_bool).map(|(_, mine)| mine).or(shape.mine);
        let recipient = |value: &Value| match value {
            Value::Object(map) => person(map).map(|who| (who.key().to_owned(), false)),
            value => Some((word(value)?, value.is_number())),
        };
        if let Some((field, (to, is_number))) = fields.find(words::RECIPIENT, recipient) {
            (shape.to, shape.to_field) = (Some(to), Some((field.to_owned(), is_number)));
        }
        shape.read_id(&fields);
        let is = |names| fields.find(names, |value| value.as_bool().filter(|is| *is)).is_some();
        shape.is_of_server |= is(words::OF_SERVER_FLAG) || shape.who.is_none() && is(words::OF_ADMIN_FLAG);
        shape
    }

    /// Some name the kind `status`, which may as well be the sender's: `{"status": "JOIN", "senderName": "jun", "message": null}`.
    fn read_status(&mut self, fields: &Fields) {
        let Some(text) = self.text.as_ref().filter(|_| self.kind.is_none()) else { return };
        let kind = |value: &Value| {
            let word = value.as_str()?;
            let is_kind = match words::meaning(word)? {
                Meaning::Message => true,
                Meaning::Joined | Meaning::Left => text.is_empty(),
                _ => false,
            };
            is_kind.then(|| word.to_owned())
        };
        if let Some((field, kind)) = fields.find(&["status"], kind) {
            (self.kind, self.kind_field) = (Some(kind), Some(field.to_owned()));
        }
    }

    fn read_text(&mut self, fields: &Fields, depth: usize) {
        // An object that holds the words, with whatever else it says; it may be written as text.
        let inner = |value: &Value| {
            let value = opened_at(value, depth);
            let map = value.as_object().filter(|_| depth < MAX_DEPTH)?;
            Some(Shape::at_depth(map, depth + 1)).filter(|shape| shape.text.is_some())
        };
        let words_of = |value: &Value| match opened_at(value, depth) {
            Cow::Borrowed(value) => value.as_str().map(str::to_owned),
            Cow::Owned(_) => None,
        };
        if let Some((field, text)) = fields.find(words::TEXT, words_of) {
            self.is_weak = WEAK_TEXT.contains(&words::folded(field).as_str());
            (self.text, self.text_field) = (Some(text), Some(field.to_owned()));
            // Of a widely copied tutorial, where the server adds the title: `{"msg": "New message", "content": "hi"}`.
            if self.text.as_ref().is_some_and(|text| words::folded(text) == "newmessage")
                && let Some((_, text)) = fields.find(&["content"], words_of)
            {
                (self.text, self.text_field) = (Some(text), None);
            }
        }
        let within = (self.text.is_none() || self.is_weak)
            .then(|| fields.find(words::TEXT, inner).or_else(|| fields.find(words::ENVELOPE, inner)))
            .flatten();
        // `{"messageAdded": {…}}`
        let only = || match fields.0.as_slice() {
            [(_, written, value)] if self.text.is_none() => inner(value).map(|within| (*written, within)),
            _ => None,
        };
        if let Some((field, within)) = within.or_else(only) {
            let kind = (self.kind.take(), self.kind_field.take());
            let wrapped = Wrapped {
                field: field.to_owned(),
                is_text: fields.iter().any(|(_, written, value)| written == field && value.is_string()),
                kind: kind.1.clone().zip(kind.0.clone()),
                inner: within.form(),
            };
            *self = within;
            self.wrapped = Some(Box::new(wrapped));
            if self.kind.is_none() {
                (self.kind, self.kind_field) = kind;
            }
            // Its fields are not those of the whole.
            self.text_field = None;
            return;
        }
        if self.text.is_none() {
            let strong =
                words::TEXT.iter().filter(|name| !WEAK_TEXT.contains(name)).copied().collect::<Vec<_>>();
            let number = |value: &Value| match value {
                Value::Number(number) => Some(number.to_string()),
                Value::Null => Some(String::new()),
                _ => None,
            };
            if let Some((field, text)) = fields.find(&strong, number) {
                (self.text, self.text_field) = (Some(text), Some(field.to_owned()));
            }
        }
        self.read_attached(fields);
    }

    /// A picture or a file is shown as its address.
    fn read_attached(&mut self, fields: &Fields) {
        match self.text.as_deref().unwrap_or_default() {
            "" => {
                let Some((_, address)) = fields.find(words::ATTACHED, address) else { return };
                let name = fields.find(words::FILE_NAME, word).map(|(_, name)| name + " ");
                self.text = Some(name.unwrap_or_default() + &address);
            }
            text => {
                let Some((_, address)) = fields.find(words::FILE, address) else { return };
                if !text.contains(&address) {
                    self.text = Some(format!("{text} {address}"));
                }
            }
        }
    }

    fn read_room(&mut self, fields: &Fields) {
        let is_text = |field: &str| self.text_field.as_deref() == Some(field);
        // `{"target": {"id": …, "name": "lobby"}}`, where others have a person.
        let target = |value: &Value| room(value).filter(|room| value.is_object() && room.id_field.is_some());
        let found = fields.find(words::ROOM, room).filter(|(field, _)| !is_text(field));
        let Some((field, room)) = found.or_else(|| fields.find(&["target"], target)) else { return };
        if self.room.is_none() {
            if self.room_field.is_none() {
                self.room_field = Some((field.to_owned(), room.is_number));
                self.room_id_field = room.id_field;
            }
            (self.room, self.room_name) = (Some(room.key), room.name);
        }
    }

    fn read_who(&mut self, fields: &Fields) {
        let is_text = |field: &str| self.text_field.as_deref() == Some(field);
        let Some((field, mut who)) =
            fields.find(words::SENDER, person_or_word).filter(|(field, _)| !is_text(field))
        else {
            self.who = self.who.take().or_else(|| name_of_sender(fields).map(Who::named));
            return;
        };
        // Who says the words is known better where they are.
        if self.wrapped.is_some() && self.who.as_ref().is_some_and(|who| who.name.is_some()) {
            return;
        }
        let value = fields.iter().find(|(_, written, _)| *written == field).map(|(.., value)| value);
        self.who_is_number = value.is_some_and(Value::is_number);
        self.who_name_field = value.and_then(Value::as_object).and_then(|map| {
            let name = Fields::of(map).find(words::PERSON_NAME, word).map(|(field, _)| field.to_owned());
            name.or_else(|| Some("name".to_owned()))
        });
        if who.id.is_none()
            && let Some((id_field, id)) =
                fields.find(words::SENDER_ID, word).filter(|(other, _)| *other != field)
        {
            let is_name_too = who.name.as_ref() == Some(&id);
            if !is_name_too && !is_text(id_field) {
                who.id = Some(id);
            }
        }
        if is_id_field(field) && who.name.is_some() && who.id.is_none() {
            who = Who { id: who.name, name: None };
        }
        if who.name.is_none() {
            who.name = name_of_sender(fields).filter(|name| self.text.as_ref() != Some(name));
        }
        (self.who, self.who_field) = (Some(who), Some(field.to_owned()));
    }

    /// An `id` is the message's, unless nothing else says who it is from and it is no number or random code.
    fn read_id(&mut self, fields: &Fields) {
        let Some((field, id)) = fields.find(words::ID, word) else { return };
        let is_plain = words::folded(field) == "id";
        // Many servers send the id of the sender's socket.
        if is_plain && is_socket(&id) {
            let who = self.who.get_or_insert_default();
            who.id.get_or_insert(id);
            return;
        }
        if is_plain && self.who.is_none() && self.text.is_some() && !is_code(&id) {
            (self.who, self.who_field) = (Some(Who { id: Some(id), name: None }), Some(field.to_owned()));
        } else if self.id.is_none() {
            (self.id, self.id_field) = (Some(id), Some(field.to_owned()));
        }
    }

    /// Its fields, without what they hold.
    pub fn form(&self) -> Shape {
        Shape {
            text_field: self.text_field.clone(),
            who_field: self.who_field.clone(),
            who_is_number: self.who_is_number,
            who_is_id: self.who_is_id,
            who_name_field: self.who_name_field.clone(),
            room_field: self.room_field.clone(),
            room_id_field: self.room_id_field.clone(),
            to_field: self.to_field.clone(),
            id_field: self.id_field.clone(),
            kind: self.kind.clone(),
            kind_field: self.kind_field.clone(),
            wrapped: self.wrapped.clone(),
            ..Shape::default()
        }
    }

    /// Whether the field that names who says it holds an id.
    pub fn is_who_id(&self) -> bool {
        self.who_is_id || self.who_field.as_deref().is_some_and(is_id_field)
    }

    /// The sender, as messages name a recipient: by id where that field holds ids, else by name.
    pub fn peer(&self) -> Option<&str> {
        let (who, (field, _)) = (self.who.as_ref()?, self.to_field.as_ref()?);
        let (first, second) = if is_id_field(field) { (&who.id, &who.name) } else { (&who.name, &who.id) };
        first.as_deref().or(second.as_deref())
    }

    /// Whether its kind says that it is no text.
    pub fn is_of_media(&self) -> bool {
        let kind = self.kind.as_deref().map(words::folded);
        kind.is_some_and(|kind| words::MEDIA.contains(&kind.as_str()))
    }

    /// What the word for its kind means.
    pub fn meaning(&self) -> Option<Meaning> {
        self.kind.as_deref().and_then(words::meaning)
    }
}

/// The word for a message's kind, with its field: `{"type": "event", "event": "joined"}` is no mere event.
pub(super) fn kind<'a>(fields: &Fields<'a>) -> Option<(&'a str, &'a str)> {
    let telling = |value: &'a Value| value.as_str().filter(|kind| !kind.eq_ignore_ascii_case("event"));
    fields.find(words::KIND, telling).or_else(|| fields.find(words::KIND, Value::as_str))
}

/// The name in a field that says whose it is: `agentName`.
fn name_of_sender(fields: &Fields) -> Option<String> {
    let (.., value) =
        fields.iter().find(|(_, field, value)| value.is_string() && words::is_name_of_sender(field))?;
    word(value)
}

fn is_id_field(field: &str) -> bool {
    let field = words::folded(field);
    field.ends_with("id")
}

/// Whether an id is one of a Socket.IO connection: 15 random bytes in base64, of which the last are a number that counts from 0.
pub(super) fn is_socket(id: &str) -> bool {
    id.len() == 20
        && id.get(16..18) == Some("AA")
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Where a picture or a file is, for a person to open.
fn address(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    let is_link = text.starts_with("http://") || text.starts_with("https://");
    is_link.then(|| text.to_owned())
}

/// Whether an id is a number, or random: a UUID, an ObjectId, a ULID.
fn is_code(id: &str) -> bool {
    let is_hex = id.len() >= 16 && id.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    let is_ulid = id.len() == 26 && id.chars().all(|c| c.is_ascii_digit() || c.is_ascii_uppercase());
    is_hex || is_ulid || id.parse::<f64>().is_ok() || is_prefixed_number(id)
}

/// `m1`, `msg-17`.
fn is_prefixed_number(id: &str) -> bool {
    let rest = id.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let prefix = &id[..id.len() - rest.len()];
    let rest = rest.trim_start_matches(['-', '_', ':']);
    matches!(words::folded(prefix).as_str(), "m" | "msg" | "message" | "chat")
        && !rest.is_empty()
        && rest.chars().all(|c| c.is_ascii_digit())
}

/// A text that is not blank, or a number as text.
pub(super) fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A room as a server names it.
struct Room {
    key: String,
    name: Option<String>,
    is_number: bool,
    /// The field of its id, where it is an object.
    id_field: Option<String>,
}

/// A room: by its id, with its name, where both are there.
fn room(value: &Value) -> Option<Room> {
    match value {
        Value::Object(map) => {
            let fields = Fields::of(map);
            let name = fields.find(&["name", "title", "roomname", "chatname"], word).map(|(_, name)| name);
            let id = fields
                .find(&["id", "_id", "roomid", "chatid"], |value| Some((word(value)?, value.is_number())));
            Some(match id {
                Some((field, (key, is_number))) => {
                    Room { key, name, is_number, id_field: Some(field.to_owned()) }
                }
                None => Room { key: name?, name: None, is_number: false, id_field: None },
            })
        }
        value => Some(Room { key: word(value)?, name: None, is_number: value.is_number(), id_field: None }),
    }
}

/// Somebody, as an object or by name.
pub(super) fn person_or_word(value: &Value) -> Option<Who> {
    match value {
        Value::Object(map) => person(map),
        value => Some(Who { id: None, name: Some(word(value)?) }),
    }
}

/// Somebody of whom there is one word: an id where it is a number or the id of a connection, else their name.
pub(super) fn somebody(word: String) -> Who {
    match is_socket(&word) || word.bytes().all(|byte| byte.is_ascii_digit()) {
        true => Who { id: Some(word), name: None },
        false => Who::named(word),
    }
}

/// Somebody, as an object.
pub(super) fn person(map: &Map<String, Value>) -> Option<Who> {
    let fields = Fields::of(map);
    let name = fields.find(words::PERSON_NAME, word).map(|(_, name)| name);
    let id = fields.find(words::PERSON_ID, word).map(|(_, id)| id);
    // Somebody inside: `{"user": {"name": …}}`.
    let inside = || {
        fields
            .find(&["user", "profile", "person", "sender", "author"], |value| person(value.as_object()?))
            .map(|(_, who)| who)
    };
    match name.is_none() && id.is_none() {
        true => inside(),
        false => Some(Who { id, name }),
    }
}

/// A value in which nothing that its name calls a secret is left to read.
pub fn without_secrets(value: &Value) -> Value {
    masked(value, 0)
}

fn masked(value: &Value, depth: usize) -> Value {
    match value {
        Value::Object(map) if depth < MAX_SHOWN_DEPTH => {
            let fields = map.iter().map(|(name, value)| {
                let is_secret = words::SECRET.contains(&words::folded(name).as_str());
                (name.clone(), if is_secret { HIDDEN.into() } else { masked(value, depth + 1) })
            });
            Value::Object(fields.collect())
        }
        Value::Array(list) if depth < MAX_SHOWN_DEPTH => {
            list.iter().map(|value| masked(value, depth + 1)).collect()
        }
        Value::Object(_) | Value::Array(_) => "…".into(),
        value => value.clone(),
    }
}

/// A text that is an object or a list in JSON, as that.
pub(super) fn opened(value: &Value) -> Cow<'_, Value> {
    opened_at(value, 0)
}

/// The same at some depth of what came: texts in texts in texts are left alone.
fn opened_at(value: &Value, depth: usize) -> Cow<'_, Value> {
    let Some(text) = value.as_str().filter(|_| depth < MAX_DEPTH) else { return Cow::Borrowed(value) };
    let trimmed = text.trim();
    let looks = (trimmed.starts_with('{') && trimmed.ends_with('}'))
        || (trimmed.starts_with('[') && trimmed.ends_with(']'));
    match looks.then(|| serde_json::from_str::<Value>(trimmed)) {
        // A person may type JSON: only what names its fields as a message does is one.
        Some(Ok(Value::Object(map)))
            if Shape::at_depth(&map, depth + 1).text.is_some() || map.values().any(Value::is_number) =>
        {
            Cow::Owned(Value::Object(map))
        }
        Some(Ok(Value::Array(list))) if list.iter().any(Value::is_object) => Cow::Owned(Value::Array(list)),
        _ => Cow::Borrowed(value),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shape(value: Value) -> Shape {
        Shape::of(value.as_object().unwrap())
    }

    fn who(shape: &Shape) -> Option<(Option<&str>, Option<&str>)> {
        shape.who.as_ref().map(|who| (who.id.as_deref(), who.name.as_deref()))
    }

    #[test]
    fn who_says_what_is_read_from_many_spellings() {
        for (value, id, name) in [
            (json!({"username": "jun", "message": "hi"}), None, Some("jun")),
            (json!({"user": "jun", "msg": "hi"}), None, Some("jun")),
            (json!({"sender": "jun", "content": "hi"}), None, Some("jun")),
            (json!({"from": "jun", "text": "hi"}), None, Some("jun")),
            (json!({"name": "jun", "body": "hi"}), None, Some("jun")),
            (json!({"id": "jun", "msg": "hi"}), Some("jun"), None),
            (json!({"id": "hEo3bTq0x1AAAB", "msg": "hi"}), Some("hEo3bTq0x1AAAB"), None),
            (json!({"user": {"id": 7, "name": "jun"}, "text": "hi"}), Some("7"), Some("jun")),
            (json!({"senderId": "u2", "senderName": "jun", "content": "hi"}), Some("u2"), Some("jun")),
            (json!({"userId": "u2", "text": "hi"}), Some("u2"), None),
            (json!({"User_Name": "jun", "Message": "hi"}), None, Some("jun")),
            (json!({"author": {"displayName": "jun"}, "content": {"text": "hi"}}), None, Some("jun")),
            (json!({"type": "chat", "data": {"user": "jun", "text": "hi"}}), None, Some("jun")),
            (json!({"message": {"text": "hi", "sender": {"username": "jun"}}}), None, Some("jun")),
            (json!({"data": "hi", "nickname": "jun"}), None, Some("jun")),
        ] {
            let shape = shape(value.clone());
            assert_eq!(shape.text.as_deref(), Some("hi"), "{value}");
            assert_eq!(who(&shape), Some((id, name)), "{value}");
        }
    }

    #[test]
    fn an_id_is_the_messages_where_somebody_is_named_or_it_is_a_code() {
        for (value, id) in [
            (json!({"id": 17, "text": "hi"}), "17"),
            (json!({"id": "m1", "text": "hi"}), "m1"),
            (json!({"_id": "507f1f77bcf86cd799439011", "text": "hi"}), "507f1f77bcf86cd799439011"),
            (
                json!({"id": "6f9619ff-8b86-4d01-b42d-00cf4fc964ff", "text": "hi"}),
                "6f9619ff-8b86-4d01-b42d-00cf4fc964ff",
            ),
            (json!({"id": "jun", "user": "jun", "text": "hi"}), "jun"),
            (json!({"messageId": "x", "id": "jun", "text": "hi"}), "x"),
        ] {
            assert_eq!(shape(value.clone()).id.as_deref(), Some(id), "{value}");
        }
    }

    #[test]
    fn rooms_times_kinds_and_recipients_are_read() {
        let read = shape(json!({
            "chatRoomId": 7, "sender": "jun", "receiver": "mina", "message": "hi", "type": "CHAT",
            "createdAt": "2026-01-02T03:04:05Z", "self": false,
        }));
        assert_eq!(read.room.as_deref(), Some("7"));
        assert_eq!(read.room_field, Some(("chatRoomId".to_owned(), true)));
        assert_eq!(read.to.as_deref(), Some("mina"));
        assert_eq!(read.meaning(), Some(Meaning::Message));
        assert_eq!(read.at, Some(WallMs(1_767_323_045_000)));
        assert_eq!(read.mine, Some(false));
        assert_eq!(shape(json!({"room": {"name": "Lathes"}, "text": "hi"})).room.as_deref(), Some("Lathes"));
    }

    #[test]
    fn a_field_for_words_without_any_is_not_the_same_as_none() {
        assert_eq!(
            shape(json!({"type": "JOIN", "content": null, "sender": "jun"})).text.as_deref(),
            Some("")
        );
        assert_eq!(shape(json!({"sender": "jun"})).text, None);
        assert_eq!(shape(json!({"message": 42, "user": "jun"})).text.as_deref(), Some("42"));
        assert!(shape(json!({"value": "x"})).is_weak);
    }

    #[test]
    fn objects_inside_objects_end_somewhere() {
        let mut deep = json!({"text": "hi"});
        for _ in 0..60 {
            deep = json!({ "data": deep });
        }
        assert_eq!(shape(deep).text, None);
    }
}
