//! [`Refusal`]: why a hub did not store a message or create a room. Reasons of later versions are read as
//! [`Refusal::Other`].

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

use super::id::RoomName;

/// Codes of the reasons that this version knows, as on the wire.
const KNOWN: [&str; 15] = [
    "no_such_room",
    "no_such_message",
    "no_such_file",
    "not_yours",
    "not_an_emoji",
    "too_large",
    "not_allowed",
    "slow_down",
    "quota",
    "too_many",
    "name_alike",
    "bad_name",
    "unknown_kind",
    "archived",
    "other",
];
/// Maximum length of an unknown reason's code that is kept, in characters.
const MAX_CODE_CHARS: usize = 64;

/// Why a hub did not store a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", remote = "Self")]
pub enum Refusal {
    /// The room does not exist.
    NoSuchRoom,
    /// The message that it changes or replies to is not there, was deleted, or is in another room.
    NoSuchMessage,
    /// The file that belongs to it was not uploaded by its sender, is not complete, or belongs to another message.
    NoSuchFile,
    /// It changes somebody else's message.
    NotYours,
    /// A reaction is not an emoji.
    NotAnEmoji,
    /// The body is too large.
    TooLarge {
        /// The hub's limit, in bytes.
        limit: u64,
    },
    /// The principal lacks permission.
    NotAllowed,
    /// The hub accepts no messages at present. The message keeps its place and is sent again.
    SlowDown {
        /// Minimum delay before the next attempt, in milliseconds.
        retry_after_ms: u64,
    },
    /// The principal's quota for a period is used up. The message keeps its place and is sent again.
    Quota {
        /// Minimum delay before the next attempt, in milliseconds.
        retry_after_ms: u64,
    },
    /// The hub's limit of something, such as rooms, is reached.
    TooMany {
        /// The hub's limit.
        limit: u64,
    },
    /// The name of a new room looks like that of an existing one.
    NameAlike {
        /// The existing room.
        name: RoomName,
    },
    /// The name of a new room is invalid.
    BadName {
        /// The rule that it breaks, as explained by the hub; may be empty.
        #[serde(default)]
        detail: String,
    },
    /// The hub does not support this kind of content.
    UnknownKind {
        /// The kind.
        kind: String,
    },
    /// The room is archived.
    Archived,
    /// Another reason.
    Other {
        /// The hub's code for it.
        code: String,
        /// The hub's explanation; may be empty.
        #[serde(default)]
        detail: String,
    },
}

impl Refusal {
    /// For a temporary refusal: the delay that the hub asked for, in milliseconds.
    pub fn retry_after_ms(&self) -> Option<u64> {
        match self {
            Refusal::SlowDown { retry_after_ms } | Refusal::Quota { retry_after_ms } => Some(*retry_after_ms),
            _ => None,
        }
    }

    /// How messages are refused that were sent behind one that was refused with this: they pass, and are not to be stored
    /// before their sender has heard of the first refusal.
    #[must_use]
    pub fn for_those_behind(&self) -> Self {
        match self.retry_after_ms() {
            Some(_) => self.clone(),
            None => Refusal::SlowDown { retry_after_ms: 0 },
        }
    }

    /// The same refusal with another delay, if it has one.
    pub fn retried_after(self, retry_after_ms: u64) -> Self {
        match self {
            Refusal::SlowDown { .. } => Refusal::SlowDown { retry_after_ms },
            Refusal::Quota { .. } => Refusal::Quota { retry_after_ms },
            lasting => lasting,
        }
    }

    /// Reads a known reason that has no fields in this version, but has some in a later one.
    fn without_fields(value: &Value) -> Option<Self> {
        let object = value.as_object().filter(|object| object.len() == 1)?;
        let code = object.keys().next()?.as_str();
        Refusal::deserialize(Value::from(code)).ok()
    }

    /// Reads an unknown reason: its code and, if present, a delay or explanation.
    fn unknown(value: &Value) -> Option<Self> {
        let (code, fields) = match value {
            Value::String(code) => (code, None),
            Value::Object(object) if object.len() == 1 => {
                let (code, fields) = object.iter().next()?;
                (code, Some(fields))
            }
            _ => return None,
        };
        if KNOWN.contains(&code.as_str()) {
            return None;
        }
        let field = |name| fields.and_then(|fields| fields.get(name));
        if let Some(retry_after_ms) = field("retry_after_ms").and_then(Value::as_u64) {
            return Some(Refusal::SlowDown { retry_after_ms });
        }
        let detail = field("detail").and_then(Value::as_str).unwrap_or_default().to_owned();
        Some(Refusal::Other { code: code.chars().take(MAX_CODE_CHARS).collect(), detail })
    }
}

impl Serialize for Refusal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Refusal::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Refusal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        match Refusal::unknown(&value) {
            Some(refusal) => Ok(refusal),
            None => Refusal::deserialize(&value)
                .or_else(|error| Refusal::without_fields(&value).ok_or(error))
                .map_err(de::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Refusal, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn every_known_reason_survives_a_round_trip() {
        let all = [
            (Refusal::NoSuchRoom, r#""no_such_room""#),
            (Refusal::NoSuchMessage, r#""no_such_message""#),
            (Refusal::NoSuchFile, r#""no_such_file""#),
            (Refusal::NotYours, r#""not_yours""#),
            (Refusal::NotAnEmoji, r#""not_an_emoji""#),
            (Refusal::TooLarge { limit: 9 }, r#"{"too_large":{"limit":9}}"#),
            (Refusal::NotAllowed, r#""not_allowed""#),
            (Refusal::SlowDown { retry_after_ms: 9 }, r#"{"slow_down":{"retry_after_ms":9}}"#),
            (Refusal::Quota { retry_after_ms: 9 }, r#"{"quota":{"retry_after_ms":9}}"#),
            (Refusal::TooMany { limit: 9 }, r#"{"too_many":{"limit":9}}"#),
            (Refusal::NameAlike { name: RoomName::general() }, r#"{"name_alike":{"name":"general"}}"#),
            (Refusal::BadName { detail: "x".into() }, r#"{"bad_name":{"detail":"x"}}"#),
            (Refusal::UnknownKind { kind: "x".into() }, r#"{"unknown_kind":{"kind":"x"}}"#),
            (Refusal::Archived, r#""archived""#),
            (
                Refusal::Other { code: "x".into(), detail: "y".into() },
                r#"{"other":{"code":"x","detail":"y"}}"#,
            ),
        ];
        assert_eq!(all.len(), KNOWN.len());
        for (refusal, text) in all {
            assert_eq!(serde_json::to_string(&refusal).unwrap(), text);
            assert_eq!(read(text).unwrap(), refusal);
        }
    }

    #[test]
    fn reasons_of_later_versions_are_read_as_far_as_possible() {
        let other = |code: &str, detail: &str| Refusal::Other { code: code.into(), detail: detail.into() };
        assert_eq!(read(r#""retired""#), Ok(other("retired", "")));
        assert_eq!(read(r#"{"retired":{"detail":"since May","by":7}}"#), Ok(other("retired", "since May")));
        assert_eq!(
            read(r#"{"maintenance":{"retry_after_ms":5}}"#),
            Ok(Refusal::SlowDown { retry_after_ms: 5 }),
            "a refusal with a delay is temporary"
        );
        assert_eq!(
            read(r#"{"archived":{"detail":"since May"}}"#),
            Ok(Refusal::Archived),
            "with a later field"
        );
        assert_eq!(read(r#"{"not_allowed":{}}"#), Ok(Refusal::NotAllowed));
        assert!(read(r#"{"nonsense":1,"archived":{}}"#).is_err());
        assert!(read(r#"{"too_large":{}}"#).is_err(), "a known reason without its field is malformed");
        assert!(read("7").is_err());
        assert!(read(r#"{"a":1,"b":2}"#).is_err());
    }
}
