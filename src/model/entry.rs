//! [`Entry`]: one entry of a server's log, and its JSON.

use std::fmt;

use serde::de::{self, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::content::{Draft, Fields, Name, once};
use super::id::Offset;
use super::principal::Sender;
use super::time::WallMs;

/// The fields around an entry's content.
const AROUND: [&str; 7] = ["kind", "id", "room", "at", "offset", "sender", "received"];

/// One entry of a hub's log: committed there, the same for everyone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What was written.
    pub draft: Draft,
    /// Its place in the log.
    pub offset: Offset,
    /// Who wrote it.
    pub sender: Sender,
    /// When, by the hub's clock.
    pub received: WallMs,
}

impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Draft { id, room, content, at } = &self.draft;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("kind", content.kind())?;
        map.serialize_entry("offset", &self.offset)?;
        map.serialize_entry("id", id)?;
        map.serialize_entry("room", room)?;
        map.serialize_entry("sender", &self.sender)?;
        content.serialize_fields(&mut map, &AROUND)?;
        map.serialize_entry("at", at)?;
        map.serialize_entry("received", &self.received)?;
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
        let mut fields = Fields::default();
        let (mut offset, mut sender, mut received) = (None, None, None);
        while let Some(Name(name)) = map.next_key()? {
            match &*name {
                "offset" => once(&mut offset, "offset", map.next_value()?)?,
                "sender" => once(&mut sender, "sender", map.next_value()?)?,
                "received" => once(&mut received, "received", map.next_value()?)?,
                _ => fields.take(name, &mut map)?,
            }
        }
        let missing = de::Error::missing_field;
        Ok(Entry {
            draft: fields.draft()?,
            offset: offset.ok_or_else(|| missing("offset"))?,
            sender: sender.ok_or_else(|| missing("sender"))?,
            received: received.ok_or_else(|| missing("received"))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

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
            json!({"kind": "room", "name": "Lathes", "body": "", "topic": {"text": "lathes"}}),
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
        assert!(known.draft.content.extra().is_empty());
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
        assert_eq!(no_body.draft.content.body(), "");
    }
}
