//! [`Publications`]: messages of a broker as they came, many in one value; [`NewPublication`]: one that a person publishes.

use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::time::Time;

/// Maximum length of a topic, in bytes of UTF-8. Messages on longer ones are left out, and counted.
pub const MAX_TOPIC_BYTES: usize = 1_024;
/// How much of a payload is kept, in bytes.
pub const MAX_PAYLOAD_BYTES: usize = 256 * 1024;
/// A batch of this many messages is full.
pub const MAX_BATCH: usize = 512;
/// A batch of this many bytes is full; one payload fits above it.
pub const MAX_BATCH_BYTES: usize = 256 * 1024;
/// Maximum number of user properties kept of a message.
pub const MAX_USER_PROPERTIES: usize = 16;
/// Maximum length of a property, in bytes of UTF-8; longer ones are left out.
pub const MAX_PROPERTY_BYTES: usize = 1_024;

/// How surely a broker and its client hand over a message.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub enum Qos {
    /// 0: at most once, unconfirmed.
    #[default]
    AtMostOnce,
    /// 1: at least once.
    AtLeastOnce,
    /// 2: exactly once.
    ExactlyOnce,
}

impl Qos {
    /// All of them, from 0 to 2.
    pub const ALL: [Qos; 3] = [Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce];

    /// Its number.
    pub fn number(self) -> u8 {
        match self {
            Qos::AtMostOnce => 0,
            Qos::AtLeastOnce => 1,
            Qos::ExactlyOnce => 2,
        }
    }

    /// The one with this number.
    pub fn of(number: u8) -> Option<Qos> {
        Qos::ALL.get(usize::from(number)).copied()
    }
}

impl From<Qos> for u8 {
    fn from(qos: Qos) -> u8 {
        qos.number()
    }
}

impl TryFrom<u8> for Qos {
    type Error = String;

    fn try_from(number: u8) -> Result<Qos, String> {
        Qos::of(number).ok_or_else(|| format!("{number} is no QoS"))
    }
}

/// What a message's retain flag says.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Retain {
    /// It is not set. MQTT 3.1.1 does not set it on live messages, even where the broker keeps them.
    #[default]
    No,
    /// Published just now, to be kept by the broker.
    Live,
    /// Kept by the broker and sent because of a subscription: older than that, nobody knows how much.
    Replayed,
}

/// What MQTT 5 lets a message carry beside its payload.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Properties {
    /// Whether the payload is declared to be UTF-8 text.
    pub is_text: bool,
    /// What the payload is, usually a MIME type.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub content_type: String,
    /// Where an answer is expected.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub response_topic: String,
    /// What an answer is to repeat.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub correlation: Vec<u8>,
    /// When the broker gives the message up, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiry_s: Option<u32>,
    /// Names and values of the publisher's own meaning.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub user: Vec<(String, String)>,
}

impl Properties {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        *self == Properties::default()
    }

    /// Drops what exceeds the limits.
    pub fn bound(&mut self) {
        for text in [&mut self.content_type, &mut self.response_topic] {
            if text.len() > MAX_PROPERTY_BYTES {
                text.clear();
            }
        }
        if self.correlation.len() > MAX_PROPERTY_BYTES {
            self.correlation.clear();
        }
        self.user
            .retain(|(name, value)| name.len() <= MAX_PROPERTY_BYTES && value.len() <= MAX_PROPERTY_BYTES);
        self.user.truncate(MAX_USER_PROPERTIES);
    }

    /// About how much memory they take, in bytes.
    pub fn size(&self) -> usize {
        let user: usize = self.user.iter().map(|(name, value)| name.len() + value.len() + 48).sum();
        self.content_type.len() + self.response_topic.len() + self.correlation.len() + user
    }
}

/// A message of a broker.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Publication<'a> {
    /// Its topic.
    pub topic: &'a str,
    /// Its payload, or the beginning of it.
    pub payload: &'a [u8],
    /// The size of the whole payload, in bytes.
    pub size: u32,
    /// The QoS that it came with: not higher than that of the subscription.
    pub qos: Qos,
    /// Its retain flag.
    pub retain: Retain,
    /// What it carries beside the payload, if anything.
    pub properties: Option<&'a Arc<Properties>>,
}

/// One message of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Item {
    /// Where its topic and payload are in the bytes of the batch.
    topic: Range<u32>,
    payload: Range<u32>,
    size: u32,
    qos: Qos,
    retain: Retain,
    properties: Option<Arc<Properties>>,
}

/// Messages as they came, in order. All their bytes are in one buffer, so that a message costs no allocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publications {
    /// When they came.
    pub received: Time,
    /// How many the session left out because they could not be handled in time, or exceeded the limits.
    pub left_out: u64,
    bytes: Vec<u8>,
    items: Vec<Item>,
}

impl Publications {
    /// An empty batch.
    pub fn new(received: Time) -> Self {
        Publications { received, left_out: 0, bytes: Vec::new(), items: Vec::new() }
    }

    /// Adds a message. Its payload is cut at [`MAX_PAYLOAD_BYTES`]; one whose topic is too long is counted as left out.
    pub fn push(&mut self, message: &Publication<'_>) {
        if message.topic.len() > MAX_TOPIC_BYTES {
            self.left_out += 1;
            return;
        }
        let payload = &message.payload[..message.payload.len().min(MAX_PAYLOAD_BYTES)];
        let mut put = |bytes: &[u8]| {
            let from = self.bytes.len() as u32;
            self.bytes.extend_from_slice(bytes);
            from..self.bytes.len() as u32
        };
        let (topic, payload) = (put(message.topic.as_bytes()), put(payload));
        let (size, qos, retain) = (message.size, message.qos, message.retain);
        let properties = message.properties.cloned();
        self.items.push(Item { topic, payload, size, qos, retain, properties });
    }

    /// Whether the next message is to begin a batch of its own.
    pub fn is_full(&self) -> bool {
        self.items.len() >= MAX_BATCH || self.bytes.len() >= MAX_BATCH_BYTES
    }

    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty() && self.left_out == 0
    }

    /// Number of messages.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Size of the topics and payloads, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The messages, in order.
    pub fn iter(&self) -> impl Iterator<Item = Publication<'_>> {
        let part = |range: &Range<u32>| &self.bytes[range.start as usize..range.end as usize];
        self.items.iter().map(move |item| Publication {
            // What was put in is UTF-8.
            topic: std::str::from_utf8(part(&item.topic)).unwrap_or_default(),
            payload: part(&item.payload),
            size: item.size,
            qos: item.qos,
            retain: item.retain,
            properties: item.properties.as_ref(),
        })
    }
}

/// A message that a person publishes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewPublication {
    /// Its topic.
    pub topic: String,
    /// Its payload.
    pub payload: Vec<u8>,
    /// Its QoS.
    pub qos: Qos,
    /// Whether the broker is to keep it for later subscribers.
    pub retain: bool,
    /// What it carries beside the payload; only where [`super::Feature::TopicProperties`] is offered.
    pub properties: Properties,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publication<'a>(topic: &'a str, payload: &'a [u8]) -> Publication<'a> {
        let size = payload.len() as u32;
        let (qos, retain) = (Qos::AtLeastOnce, Retain::Live);
        Publication { topic, payload, size, qos, retain, properties: None }
    }

    #[test]
    fn messages_come_out_as_they_went_in() {
        let mut batch = Publications::new(Time::default());
        let properties = Arc::new(Properties { content_type: "text/plain".into(), ..Properties::default() });
        let with = Publication { properties: Some(&properties), ..publication("ä/b", b"\xff\x00") };
        for message in [publication("a", b""), with, publication("", b"x")] {
            batch.push(&message);
        }
        assert_eq!(batch.iter().collect::<Vec<_>>(), [publication("a", b""), with, publication("", b"x")]);
    }

    #[test]
    fn what_is_too_long_is_cut_or_counted() {
        let mut batch = Publications::new(Time::default());
        let (long, payload) = ("t".repeat(MAX_TOPIC_BYTES + 1), vec![7; MAX_PAYLOAD_BYTES + 9]);
        batch.push(&publication(&long, b"x"));
        assert_eq!((batch.len(), batch.left_out), (0, 1));
        batch.push(&publication(&long[1..], &payload));
        let kept = batch.iter().next().unwrap();
        assert_eq!((kept.payload.len(), kept.size as usize), (MAX_PAYLOAD_BYTES, payload.len()));
        assert!(batch.is_full());
    }

    #[test]
    fn properties_are_bounded() {
        let long = "x".repeat(MAX_PROPERTY_BYTES + 1);
        let mut properties = Properties {
            content_type: long.clone(),
            user: (0..99)
                .map(|n| (format!("{n}"), if n == 0 { long.clone() } else { String::new() }))
                .collect(),
            ..Properties::default()
        };
        properties.bound();
        assert_eq!((properties.content_type.as_str(), properties.user.len()), ("", MAX_USER_PROPERTIES));
        assert_eq!(properties.user[0].0, "1");
    }
}
