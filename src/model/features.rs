//! [`Features`]: what a server offers, as the words of its welcome; [`Feature`]: those that this version knows.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, Serialize, de};

/// Maximum number of words kept.
pub const MAX_WORDS: usize = 64;
/// What stands before the word of a kind of content.
const KIND: &str = "kind:";
/// Maximum length of a word, in bytes of UTF-8. Longer ones are ignored.
pub const MAX_WORD_BYTES: usize = 64;

/// Something that a server may offer. Its words are in PROTOCOL.md.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Feature {
    /// People make rooms.
    CreateRooms,
    /// Others see who is typing.
    Typing,
    /// It tells who comes and goes.
    Presence,
    /// It keeps read markers.
    Read,
    /// Pages of a room's history.
    History,
    /// Devices are announced, published and watched.
    Devices,
    /// The stored past of a device's metrics.
    DevicePast,
    /// What happened to a device.
    DeviceLog,
    /// Devices can be given commands.
    Commands,
    /// People and devices that have a token can be listed and changed; offered to admins.
    People,
    /// Invites can be made, listed and taken back; offered to admins.
    Invites,
    /// A message may say which one it replies to, and which thread it belongs to.
    Replies,
    /// People change what they have written.
    Edits,
    /// People delete what they have written, admins anything.
    Deletions,
    /// People add emoji to messages.
    Reactions,
    /// Messages can be pinned to their room.
    Pins,
    /// Rooms are renamed, described and archived.
    RoomChanges,
    /// Rooms are left and joined.
    Membership,
    /// Rooms of which only their members know, direct messages among them.
    PrivateRooms,
    /// People have roles, which admins change and invites give.
    Roles,
    /// People say something of themselves beside their name.
    Status,
    /// Others learn what somebody has seen, where they let them know.
    Receipts,
    /// Files belong to messages; they are uploaded and downloaded over HTTP.
    Files,
    /// It is a broker: every topic seen is shown, and people publish and subscribe.
    Topics,
    /// Messages of topics carry properties: content type, response topic and others.
    TopicProperties,
    /// A message is a frame of the socket, text or bytes, as it is. Of a server that speaks no protocol of its own.
    Frames,
}

impl Feature {
    /// All that a Duplex server may offer, as far as this version knows.
    pub const ALL: [Feature; 23] = [
        Feature::CreateRooms,
        Feature::Typing,
        Feature::Presence,
        Feature::Read,
        Feature::History,
        Feature::Devices,
        Feature::DevicePast,
        Feature::DeviceLog,
        Feature::Commands,
        Feature::People,
        Feature::Invites,
        Feature::Replies,
        Feature::Edits,
        Feature::Deletions,
        Feature::Reactions,
        Feature::Pins,
        Feature::RoomChanges,
        Feature::Membership,
        Feature::PrivateRooms,
        Feature::Roles,
        Feature::Status,
        Feature::Receipts,
        Feature::Files,
    ];

    /// Its word on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Feature::CreateRooms => "create_rooms",
            Feature::Typing => "typing",
            Feature::Presence => "presence",
            Feature::Read => "read",
            Feature::History => "history",
            Feature::Devices => "devices",
            Feature::DevicePast => "device_past",
            Feature::DeviceLog => "device_log",
            Feature::Commands => "commands",
            Feature::People => "people",
            Feature::Invites => "invites",
            Feature::Replies => "replies",
            Feature::Edits => "edits",
            Feature::Deletions => "deletions",
            Feature::Reactions => "reactions",
            Feature::Pins => "pins",
            Feature::RoomChanges => "room_changes",
            Feature::Membership => "membership",
            Feature::PrivateRooms => "private_rooms",
            Feature::Roles => "roles",
            Feature::Status => "status",
            Feature::Receipts => "receipts",
            Feature::Files => "files",
            Feature::Topics => "topics",
            Feature::TopicProperties => "topic_properties",
            Feature::Frames => "frames",
        }
    }
}

/// A set of words, at most [`MAX_WORDS`] of at most [`MAX_WORD_BYTES`]. Words of later versions are kept as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Features(BTreeSet<String>);

impl Features {
    /// Takes words in; those that are too long or too many are left out.
    pub fn new<W: Into<String>>(words: impl IntoIterator<Item = W>) -> Self {
        let fitting = words.into_iter().map(Into::into);
        let mut all = BTreeSet::new();
        for word in fitting.filter(|word: &String| !word.is_empty() && word.len() <= MAX_WORD_BYTES) {
            if all.len() == MAX_WORDS {
                break;
            }
            all.insert(word);
        }
        Features(all)
    }

    /// All that a Duplex server may offer, as far as this version knows.
    pub fn all() -> Self {
        Features::new(Feature::ALL.map(Feature::word))
    }

    /// Whether this is offered.
    pub fn has(&self, feature: Feature) -> bool {
        self.has_word(feature.word())
    }

    /// Whether this word is among them.
    pub fn has_word(&self, word: &str) -> bool {
        self.0.contains(word)
    }

    /// Whether content of this kind may be sent: a kind beyond messages and rooms is offered by its own word.
    pub fn has_kind(&self, kind: &str) -> bool {
        self.has_word(&format!("{KIND}{kind}"))
    }

    /// The same with one more word, as far as there is room for it.
    pub fn with(self, word: impl Into<String>) -> Self {
        Features::new(self.0.into_iter().chain([word.into()]))
    }

    /// The same without one of them.
    pub fn without(mut self, feature: Feature) -> Self {
        self.0.remove(feature.word());
        self
    }

    /// The words, in order.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'de> Deserialize<'de> for Features {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Words;

        impl<'de> de::Visitor<'de> for Words {
            type Value = Features;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a list of words")
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Features, A::Error> {
                let mut features = Features::default();
                // What is no text may mean something one day.
                while let Some(word) = seq.next_element::<serde_json::Value>()? {
                    if let (serde_json::Value::String(word), true) = (word, features.0.len() < MAX_WORDS)
                        && !word.is_empty()
                        && word.len() <= MAX_WORD_BYTES
                    {
                        features.0.insert(word);
                    }
                }
                Ok(features)
            }
        }

        deserializer.deserialize_seq(Words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_words_are_kept_and_others_than_words_ignored() {
        let text = r#"["typing", 7, {"name":"edits"}, "reactions", "", null, "typing"]"#;
        let features: Features = serde_json::from_str(text).unwrap();
        assert_eq!(features.words().collect::<Vec<_>>(), ["reactions", "typing"]);
        assert!(features.has(Feature::Typing) && !features.has(Feature::CreateRooms));
        assert_eq!(serde_json::to_string(&features).unwrap(), r#"["reactions","typing"]"#);
        assert!(serde_json::from_str::<Features>("7").is_err());
    }

    #[test]
    fn no_more_and_no_longer_words_than_the_limits_are_kept() {
        let (fits, long) = ("é".repeat(32), "é".repeat(32) + "x");
        let many: Vec<String> = (0..1_000).map(|n| format!("word-{n}")).collect();
        let text = serde_json::to_string(&[vec![fits.clone(), long.clone()], many].concat()).unwrap();
        let features: Features = serde_json::from_str(&text).unwrap();
        assert_eq!(features.words().count(), MAX_WORDS);
        assert!(features.words().any(|word| word == fits) && features.words().all(|word| word != long));
        assert_eq!(Features::new(serde_json::from_str::<Vec<String>>(&text).unwrap()), features);
    }

    #[test]
    fn every_word_is_its_own() {
        assert_eq!(Features::all().words().count(), Feature::ALL.len());
        assert!(!Features::all().without(Feature::Typing).has(Feature::Typing));
    }
}
