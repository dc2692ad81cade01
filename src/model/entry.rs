//! [`Entry`]: one entry of a hub's log, and its JSON. What this version does not understand of it is kept beside the rest,
//! so that a later version finds it, and the entry can be encoded again as it was.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::id::{MessageId, Offset, RoomName};
use super::principal::Sender;
use super::time::WallMs;

/// What an entry of the log says.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// Somebody wrote in a room.
    Message,
    /// A room was made.
    Room,
    /// Of a later version: it keeps its place in the log and is not shown. Its word is in [`Entry::extra`].
    Unknown,
}

impl EntryKind {
    /// Its word on the wire; none for one that this version does not know.
    pub fn word(self) -> Option<&'static str> {
        match self {
            EntryKind::Message => Some("message"),
            EntryKind::Room => Some("room"),
            EntryKind::Unknown => None,
        }
    }

    fn of_word(word: &str) -> Self {
        match word {
            "message" => EntryKind::Message,
            "room" => EntryKind::Room,
            _ => EntryKind::Unknown,
        }
    }
}

/// One entry of a hub's log: committed there, the same for everyone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it says.
    pub kind: EntryKind,
    /// Its place in the log.
    pub offset: Offset,
    /// Its id: unique with its sender, for ever.
    pub id: MessageId,
    /// Where.
    pub room: RoomName,
    /// Who.
    pub sender: Sender,
    /// What was written; empty unless a message.
    pub body: String,
    /// When, by the sender's clock.
    pub at: WallMs,
    /// When, by the hub's clock.
    pub received: WallMs,
    /// What this version does not understand.
    pub extra: Extra,
}

/// The fields of an entry that this version does not know, as they came; of a kind that it does not know also its `kind`,
/// and its `body` where that is no text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extra(Option<Box<Map<String, Value>>>);

impl Extra {
    /// Adds a field.
    pub fn insert(&mut self, name: impl Into<String>, value: Value) {
        self.0.get_or_insert_default().insert(name.into(), value);
    }

    /// The value of a field.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.as_ref()?.get(name)
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// All of it as one JSON object; none where there is nothing.
    pub fn json(&self) -> Option<String> {
        self.0.as_ref().and_then(|fields| serde_json::to_string(fields).ok())
    }

    fn fields(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.0.iter().flat_map(|fields| fields.iter())
    }
}

impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match (self.kind.word(), self.extra.get("kind")) {
            (Some(word), _) => map.serialize_entry("kind", word)?,
            (None, Some(word)) => map.serialize_entry("kind", word)?,
            (None, None) => map.serialize_entry("kind", "unknown")?,
        }
        map.serialize_entry("offset", &self.offset)?;
        map.serialize_entry("id", &self.id)?;
        map.serialize_entry("room", &self.room)?;
        map.serialize_entry("sender", &self.sender)?;
        if self.extra.get("body").is_none() {
            map.serialize_entry("body", &self.body)?;
        }
        map.serialize_entry("at", &self.at)?;
        map.serialize_entry("received", &self.received)?;
        for (name, value) in self.extra.fields().filter(|(name, _)| *name != "kind") {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntryVisitor)
    }
}

struct EntryVisitor;

impl<'de> Visitor<'de> for EntryVisitor {
    type Value = Entry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an entry of the log")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entry, A::Error> {
        let (mut kind, mut offset, mut id, mut room) = (None, None, None, None);
        let (mut sender, mut body, mut at, mut received) = (None, None, None, None);
        let mut extra = Extra::default();
        while let Some(Name(name)) = map.next_key()? {
            match &*name {
                "kind" => once(&mut kind, "kind", map.next_value::<Text<'de>>()?.0)?,
                "offset" => once(&mut offset, "offset", map.next_value()?)?,
                "id" => once(&mut id, "id", map.next_value()?)?,
                "room" => once(&mut room, "room", map.next_value()?)?,
                "sender" => once(&mut sender, "sender", map.next_value()?)?,
                // Of an unknown kind it may be anything.
                "body" => once(&mut body, "body", map.next_value::<Value>()?)?,
                "at" => once(&mut at, "at", map.next_value()?)?,
                "received" => once(&mut received, "received", map.next_value()?)?,
                _ => extra.insert(name.into_owned(), map.next_value()?),
            }
        }
        let missing = de::Error::missing_field;
        let word = kind.ok_or_else(|| missing("kind"))?;
        let kind = EntryKind::of_word(&word);
        if kind == EntryKind::Unknown {
            extra.insert("kind", Value::String(word.into_owned()));
        }
        let body = match body {
            None => String::new(),
            Some(Value::String(body)) => body,
            Some(other) if kind == EntryKind::Unknown => {
                extra.insert("body", other);
                String::new()
            }
            Some(_) => return Err(de::Error::custom("invalid type: a `body` that is no text")),
        };
        Ok(Entry {
            kind,
            offset: offset.ok_or_else(|| missing("offset"))?,
            id: id.ok_or_else(|| missing("id"))?,
            room: room.ok_or_else(|| missing("room"))?,
            sender: sender.ok_or_else(|| missing("sender"))?,
            body,
            at: at.ok_or_else(|| missing("at"))?,
            received: received.ok_or_else(|| missing("received"))?,
            extra,
        })
    }
}

fn once<T, E: de::Error>(field: &mut Option<T>, name: &'static str, value: T) -> Result<(), E> {
    match field.replace(value) {
        None => Ok(()),
        Some(_) => Err(E::duplicate_field(name)),
    }
}

/// A key: borrowed where that can be, since most are thrown away.
struct Name<'de>(Cow<'de, str>);

/// A text: borrowed where that can be.
struct Text<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_identifier(TextVisitor).map(Name)
    }
}

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor).map(Text)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entry(changes: Value) -> Value {
        let mut entry = json!({
            "kind": "message", "offset": 9, "id": "6f9619ff-8b86-4d01-b42d-00cf4fc964ff", "room": "general",
            "sender": {"id": "p", "name": "P"}, "body": "x", "at": 1, "received": 2,
        });
        for (name, value) in changes.as_object().unwrap() {
            match value {
                Value::Null => drop(entry.as_object_mut().unwrap().remove(name)),
                value => drop(entry.as_object_mut().unwrap().insert(name.clone(), value.clone())),
            }
        }
        entry
    }

    #[test]
    fn what_is_not_understood_is_encoded_again_as_it_was() {
        for changes in [
            json!({}),
            json!({"kind": "room", "body": "", "topic": {"text": "lathes"}}),
            json!({"reply_to": 7, "marks": ["a", {"b": 1.5}]}),
            json!({"kind": "poll", "choices": ["a", "b"], "body": "A poll"}),
            json!({"kind": "poll", "body": {"text": "A poll", "choices": []}}),
            json!({"kind": "unknown"}),
        ] {
            let json = entry(changes);
            let read: Entry = serde_json::from_value(json.clone()).unwrap();
            assert_eq!(serde_json::to_value(&read).unwrap(), json);
            let again: Entry = serde_json::from_str(&serde_json::to_string(&read).unwrap()).unwrap();
            assert_eq!(again, read);
        }
        let known: Entry = serde_json::from_value(entry(json!({}))).unwrap();
        assert!(known.extra.is_empty() && known.extra.json().is_none());
    }

    #[test]
    fn a_field_that_is_missing_there_twice_or_of_another_type_is_named() {
        for (changes, named) in [
            (json!({"room": null}), "room"),
            (json!({"kind": null}), "kind"),
            (json!({"offset": "9"}), "u64"),
            (json!({"body": 7}), "body"),
            (json!({"kind": 7}), "text"),
            (json!({"kind": "poll", "room": null}), "room"),
        ] {
            let error = serde_json::from_value::<Entry>(entry(changes)).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
        let twice = entry(json!({})).to_string().replacen('{', r#"{"at":3,"#, 1);
        assert!(serde_json::from_str::<Entry>(&twice).unwrap_err().to_string().contains("at"));
        let no_body: Entry = serde_json::from_value(entry(json!({"body": null}))).unwrap();
        assert_eq!(no_body.body, "");
    }
}
