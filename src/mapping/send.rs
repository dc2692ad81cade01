//! What a typed message becomes: what the person's mapping says, else the shape in which others' messages come.

use std::collections::HashMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value};

use super::document::Emit;
use super::shape::Shape;
use crate::model::time::WallMs;

/// The event that is used where nothing is known of a server.
const DEFAULT_EVENT: &str = "chat-message";
/// Maximum number of rooms of which it is known who spoke last.
const MAX_PEERS: usize = 256;
/// Longest id that is kept, in bytes of UTF-8.
const MAX_ID_BYTES: usize = 256;
/// How deep a template is filled in.
const MAX_DEPTH: usize = 16;

/// A message as a person typed it.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Typed<'a> {
    /// The words.
    pub text: &'a str,
    /// The room's key; empty: the one room that there is.
    pub room: &'a str,
    /// The message's id.
    pub id: &'a str,
    /// When, in milliseconds since 1970.
    pub at: WallMs,
}

/// Something to send.
#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing {
    /// The event's name, or the destination.
    pub to: String,
    /// The arguments, or the body alone.
    pub args: Vec<Value>,
}

/// Arguments as one text, where only that can be sent: a single text as it is, anything else as JSON.
pub fn text_of(args: &[Value]) -> String {
    match args {
        [] => String::new(),
        [Value::String(text)] => text.clone(),
        [value] => value.to_string(),
        values => serde_json::to_string(values).unwrap_or_default(),
    }
}

impl Typed<'_> {
    /// Fills a template in.
    pub(super) fn fill(&self, emit: &Emit, name: &str) -> Outgoing {
        Outgoing {
            to: self.text_of(&emit.to, name),
            args: emit.args.iter().map(|arg| self.value_of(arg, name, 0)).collect(),
        }
    }

    fn value_of(&self, template: &Value, name: &str, depth: usize) -> Value {
        match template {
            Value::String(text) if text == "{time_ms}" => self.at.0.into(),
            Value::String(text) => self.text_of(text, name).into(),
            Value::Array(list) if depth < MAX_DEPTH => {
                list.iter().map(|value| self.value_of(value, name, depth + 1)).collect()
            }
            Value::Object(map) if depth < MAX_DEPTH => {
                let fields =
                    map.iter().map(|(field, value)| (field.clone(), self.value_of(value, name, depth + 1)));
                Value::Object(fields.collect())
            }
            value => value.clone(),
        }
    }

    /// Replaces the words in braces in one pass: what is typed may hold such words itself.
    fn text_of(&self, template: &str, name: &str) -> String {
        let mut filled = String::new();
        let mut rest = template;
        while let Some(start) = rest.find('{') {
            filled.push_str(&rest[..start]);
            rest = &rest[start..];
            let known = ["{text}", "{name}", "{room}", "{id}", "{time}", "{time_ms}"]
                .into_iter()
                .find(|word| rest.starts_with(word));
            match known {
                Some(word) => {
                    match word {
                        "{text}" => filled.push_str(self.text),
                        "{name}" => filled.push_str(name),
                        "{room}" => filled.push_str(self.room),
                        "{id}" => filled.push_str(self.id),
                        "{time}" => filled.push_str(&self.time()),
                        _ => filled.push_str(&self.at.0.to_string()),
                    }
                    rest = &rest[word.len()..];
                }
                None => {
                    filled.push('{');
                    rest = &rest[1..];
                }
            }
        }
        filled + rest
    }

    fn time(&self) -> String {
        let time: DateTime<Utc> = DateTime::from_timestamp_millis(self.at.0).unwrap_or_default();
        time.to_rfc3339_opts(SecondsFormat::Millis, true)
    }
}

/// How a server's messages look.
#[derive(Clone, Debug, Default)]
pub(super) struct Learned {
    /// From which source messages came last.
    source: Option<String>,
    form: Form,
    /// Whether the server passes on what it is given as it is, as our own message that came back shows.
    is_relay: bool,
    /// Whether messages have no event names, so that an object itself has to say what it is.
    is_socket: bool,
    /// Whether the source's name says that its messages are people's.
    is_sure: bool,
    /// The id that the server gave us.
    my_id: Option<String>,
    /// Who spoke last in a room where messages say to whom they go.
    peers: HashMap<String, String>,
}

#[derive(Clone, Debug, Default, PartialEq)]
enum Form {
    #[default]
    Text,
    TextAndName,
    NameAndText,
    Object(Box<Shape>),
}

impl Learned {
    /// Of a server whose messages have no event names.
    pub fn of_socket() -> Self {
        Learned { is_socket: true, ..Learned::default() }
    }

    /// Whether it is of such a server.
    pub fn is_of_socket(&self) -> bool {
        self.is_socket
    }

    /// The server calls us this.
    pub fn i_am(&mut self, id: &str) {
        self.my_id = Some(id.to_owned()).filter(|id| id.len() <= MAX_ID_BYTES);
    }

    /// Somebody else said something to us in a room, as this shape names both.
    pub fn spoke(&mut self, shape: &Shape) {
        let Some((room, peer)) = shape.room.as_deref().zip(shape.peer()) else { return };
        let fits = room.len() <= MAX_ID_BYTES && peer.len() <= MAX_ID_BYTES;
        if fits && (self.peers.len() < MAX_PEERS || self.peers.contains_key(room)) {
            self.peers.insert(room.to_owned(), peer.to_owned());
        }
    }

    /// Notes a source; returns whether what is typed is to look like its messages. `is_sure`: its name says that they are people's.
    pub fn is_to_follow(&mut self, source: &str, is_sure: bool) -> bool {
        let is_better = is_sure || !self.is_sure || self.source.as_deref() == Some(source);
        self.is_sure |= is_sure;
        is_better
    }

    /// A message came as one text (1), a text and a name (2) or a name and a text (3). `own`: it was ours.
    pub fn bare(&mut self, source: &str, form: u8, own: bool) {
        let form = match form {
            2 => Form::TextAndName,
            3 => Form::NameAndText,
            _ => Form::Text,
        };
        // Others may send more than we have.
        if own && form == Form::Text && self.source.as_deref() == Some(source) && self.form != Form::Text {
            self.is_relay = true;
            return;
        }
        self.is_relay |= own && form == Form::Text;
        (self.source, self.form) = (Some(source.to_owned()), form);
    }

    /// A message came as an object.
    pub fn object(&mut self, source: &str, shape: &Shape, own: bool) {
        if own && self.form == Form::Text && self.source.as_deref() == Some(source) {
            self.is_relay = false;
        }
        let is_known = matches!(&self.form, Form::Object(known) if has_words(known));
        let is_of_text = has_words(shape) && !shape.is_of_media();
        // Somebody sent a picture.
        if is_known && !is_of_text && self.source.as_deref() == Some(source) {
            return;
        }
        let mut shape = shape.form();
        shape.wrapped = shape.wrapped.filter(|_| self.is_socket);
        (self.source, self.form) = (Some(source.to_owned()), Form::Object(Box::new(shape)));
    }

    /// What a typed message is likely to be there.
    pub fn send(&self, typed: &Typed, name: &str) -> Outgoing {
        let to = self.source.as_deref().map_or_else(|| DEFAULT_EVENT.to_owned(), sent_as);
        let text = || Value::from(typed.text);
        let args = match &self.form {
            Form::TextAndName if !name.is_empty() => vec![text(), name.into()],
            Form::NameAndText if !name.is_empty() => vec![name.into(), text()],
            Form::Object(shape) if self.is_socket && has_words(shape) => {
                vec![self.object_of(shape, typed, name)]
            }
            Form::Object(shape) if self.mirrors(shape) => vec![self.object_of(shape, typed, name)],
            _ => vec![text()],
        };
        Outgoing { to, args }
    }

    /// Whether the server expects objects such as it sends. Where they name the sender, it may have added that itself, to a text.
    fn mirrors(&self, shape: &Shape) -> bool {
        let Some(field) = &shape.text_field else { return false };
        !field.is_empty()
            && (self.is_relay
                || shape.who_field.is_none()
                || shape.kind_field.is_some()
                || shape.room_field.is_some()
                || shape.to_field.is_some()
                || self.source.as_deref().is_some_and(|source| source.starts_with('/')))
    }

    fn object_of(&self, shape: &Shape, typed: &Typed, name: &str) -> Value {
        let mut map = Map::new();
        if let Some(wrapped) = &shape.wrapped {
            let inner = self.object_of(&wrapped.inner, typed, name);
            let inner = if wrapped.is_text { inner.to_string().into() } else { inner };
            if let Some((field, kind)) = &wrapped.kind {
                map.insert(field.clone(), sent_as(kind).into());
            }
            if wrapped.inner.room_field.is_none() && wrapped.inner.to_field.is_none() {
                map.extend(self.recipients(shape, typed));
            }
            map.insert(wrapped.field.clone(), inner);
            return Value::Object(map);
        }
        if let Some(field) = &shape.text_field {
            map.insert(field.clone(), typed.text.into());
        }
        map.extend(self.sender(shape, name));
        map.extend(self.recipients(shape, typed));
        if let (Some(field), Some(kind)) = (&shape.kind_field, &shape.kind) {
            map.insert(field.clone(), sent_as(kind).into());
        }
        if let Some(field) = shape.id_field.as_ref().filter(|_| !typed.id.is_empty()) {
            map.insert(field.clone(), typed.id.into());
        }
        Value::Object(map)
    }

    /// The fields that say where a message goes: to a room, and to a person where others say that, too.
    fn recipients(&self, shape: &Shape, typed: &Typed) -> Vec<(String, Value)> {
        if typed.room.is_empty() {
            return Vec::new();
        }
        let room = shape.room_field.as_ref().map(|(field, is_number)| {
            let room = number_or_text(typed.room, *is_number);
            let inner = |id: &String| Map::from_iter([(id.clone(), room.clone())]).into();
            (field.clone(), shape.room_id_field.as_ref().map_or_else(|| room.clone(), inner))
        });
        // Whom a direct message is with is its room.
        let peer =
            if room.is_some() { self.peers.get(typed.room).map(String::as_str) } else { Some(typed.room) };
        let to = shape.to_field.as_ref().zip(peer);
        let to = to.map(|((field, is_number), peer)| (field.clone(), number_or_text(peer, *is_number)));
        room.into_iter().chain(to).collect()
    }

    /// The field that says who we are: by the id that the server gave us where it wants an id, else by name.
    fn sender(&self, shape: &Shape, name: &str) -> Option<(String, Value)> {
        let field = shape.who_field.clone()?;
        let id = self.my_id.as_deref().filter(|_| shape.is_who_id());
        let word = id.or(Some(name).filter(|name| !name.is_empty()))?;
        let value = match &shape.who_name_field {
            Some(inner) => Map::from_iter([(inner.clone(), word.into())]).into(),
            None if shape.who_is_number => word.parse::<u64>().ok()?.into(),
            None => word.into(),
        };
        Some((field, value))
    }
}

/// Whether the field for the words is known, that of the object inside where it is wrapped.
fn has_words(shape: &Shape) -> bool {
    match &shape.wrapped {
        Some(wrapped) => has_words(&wrapped.inner),
        None => shape.text_field.as_ref().is_some_and(|field| !field.is_empty()),
    }
}

/// The event that a server expects for what it sends as another one.
fn sent_as(source: &str) -> String {
    for (received, sent) in [
        ("received", "send"),
        ("receive", "send"),
        ("Received", "Send"),
        ("Receive", "Send"),
        ("RECEIVE", "SEND"),
        ("recieved", "send"),
        ("recieve", "send"),
        ("Recieve", "Send"),
        ("incoming", "outgoing"),
        ("ToClients", "ToServer"),
        ("ToClient", "ToServer"),
        ("to_client", "to_server"),
        ("FromServer", "FromClient"),
        ("from_server", "from_client"),
        ("getMessage", "sendMessage"),
        ("message:new", "message:send"),
    ] {
        if source.contains(received) {
            return source.replacen(received, sent, 1);
        }
    }
    match source.strip_suffix("Response").unwrap_or(source) {
        // Of Flask-SocketIO's example.
        "my_response" => "my_broadcast_event".to_owned(),
        "my response" => "my broadcast event".to_owned(),
        // Of a widely copied tutorial for Nest.
        "onMessage" => "newMessage".to_owned(),
        source => source.to_owned(),
    }
}

/// A word as the server writes it.
fn number_or_text(word: &str, is_number: bool) -> Value {
    let number = word.parse::<u64>().ok().filter(|_| is_number);
    number.map_or_else(|| word.into(), Value::from)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TYPED: Typed = Typed { text: "hi {name}", room: "7", id: "i-1", at: WallMs(1_767_323_045_000) };

    #[test]
    fn a_template_is_filled_in_once() {
        let emit: Emit = serde_json::from_value(json!({
            "event": "/app/{room}",
            "args": [{"t": "{text}", "n": "{name}", "w": "{time}", "ms": "{time_ms}", "list": ["{id}", 1, null], "{": "}{x}"}],
        })).unwrap();
        let sent = TYPED.fill(&emit, "mina");
        assert_eq!(sent.to, "/app/7");
        assert_eq!(
            sent.args,
            [json!({
                "t": "hi {name}", "n": "mina", "w": "2026-01-02T03:04:05.000Z", "ms": 1_767_323_045_000_i64, "list": ["i-1", 1, null], "{": "}{x}",
            })]
        );
    }

    #[test]
    fn what_is_typed_takes_the_shape_of_what_came() {
        let send = |learned: &Learned| learned.send(&TYPED, "mina");
        let shape = |value: Value| Shape::of(value.as_object().unwrap());
        let mut learned = Learned::default();
        assert_eq!(send(&learned), Outgoing { to: "chat-message".into(), args: vec![json!("hi {name}")] });
        learned.bare("chat", 1, false);
        assert_eq!(send(&learned), Outgoing { to: "chat".into(), args: vec![json!("hi {name}")] });
        learned.bare("chat", 2, false);
        assert_eq!(send(&learned).args, [json!("hi {name}"), json!("mina")]);
        learned.bare("chat", 3, false);
        assert_eq!(send(&learned).args, [json!("mina"), json!("hi {name}")]);
        // The server may have added who it is from.
        learned.object("receive_message", &shape(json!({"username": "jun", "message": "x"})), false);
        assert_eq!(send(&learned), Outgoing { to: "send_message".into(), args: vec![json!("hi {name}")] });
        learned.object("new_message", &shape(json!({"room": 3, "message": "x"})), false);
        assert_eq!(send(&learned).args, [json!({"room": 7, "message": "hi {name}"})]);
        learned.object("m", &shape(json!({"type": "CHAT", "sender": "jun", "content": "x"})), false);
        assert_eq!(send(&learned).args, [json!({"type": "CHAT", "sender": "mina", "content": "hi {name}"})]);
        learned.object("m", &shape(json!({"msg": "x"})), false);
        assert_eq!(send(&learned).args, [json!({"msg": "hi {name}"})]);
    }

    #[test]
    fn without_names_of_events_an_object_is_answered_with_one_like_it() {
        let shape = |value: Value| Shape::of(value.as_object().unwrap());
        for (came, sent) in [
            (json!({"user": "jun", "text": "x"}), json!({"text": "hi {name}", "user": "mina"})),
            (
                json!({"type": "receive_message", "data": {"from": "jun", "body": "x", "at": 1_767_323_045}}),
                json!({"type": "send_message", "data": {"body": "hi {name}", "from": "mina"}}),
            ),
            (
                json!({"event": "chat", "room": "lathes", "payload": {"nick": "jun", "message": "x", "id": "m1"}}),
                json!({"event": "chat", "room": "7", "payload": {"message": "hi {name}", "nick": "mina", "id": "i-1"}}),
            ),
            (
                json!({"action": "message", "data": "{\"name\":\"jun\",\"text\":\"x\"}"}),
                json!({"action": "message", "data": "{\"name\":\"mina\",\"text\":\"hi {name}\"}"}),
            ),
        ] {
            let mut learned = Learned::of_socket();
            assert_eq!(learned.send(&TYPED, "mina").args, [json!("hi {name}")]);
            learned.object("server", &shape(came), false);
            assert_eq!(learned.send(&TYPED, "mina").args, [sent]);
        }
    }

    #[test]
    fn a_server_that_passes_our_text_on_unchanged_takes_objects_as_others_send_them() {
        let mut learned = Learned::default();
        learned.bare("chat-message", 1, true);
        let shape = Shape::of(json!({"user": "jun", "text": "x"}).as_object().unwrap());
        learned.object("chat-message", &shape, false);
        assert_eq!(learned.send(&TYPED, "mina").args, [json!({"user": "mina", "text": "hi {name}"})]);
    }
}
