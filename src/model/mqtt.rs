//! [`MqttOptions`]: how an MQTT server is used; the rules of topics and filters.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::device::DeviceId;
use super::publication::Qos;

/// Maximum number of subscriptions of one connection.
pub const MAX_SUBSCRIPTIONS: usize = 100;
/// Maximum length of a topic or filter, in bytes of UTF-8 (MQTT-1.5.4).
pub const MAX_TOPIC_BYTES: usize = 65_535;
/// Maximum length of a topic or filter that a person gives, in bytes of UTF-8.
pub const MAX_GIVEN_BYTES: usize = 1_024;
/// Maximum length of a client id and of a name, in bytes of UTF-8.
pub const MAX_ID_BYTES: usize = 200;
/// Maximum length of a prefix, in bytes of UTF-8: with a room's name it is the id of a room.
pub const MAX_PREFIX_BYTES: usize = 100;
/// Maximum number of devices that are shown as parts of others.
pub const MAX_MERGED: usize = 1_024;
/// Devices that are shown as parts of others, each with the device that it belongs to.
pub type MergedDevices = BTreeMap<DeviceId, DeviceId>;

/// What is subscribed to unless something else is given.
pub const EVERYTHING: &str = "#";
/// Where rooms are unless something else is given.
pub const CHAT_PREFIX: &str = "duplex/chat";
/// Keep-alive unless something else is given, in seconds.
pub const KEEP_ALIVE_S: u16 = 30;
/// How long a server keeps a session while we are away, in seconds: a week.
pub const SESSION_EXPIRY_S: u32 = 7 * 86_400;
/// The kinds of entities that Home Assistant discovers (its documentation of MQTT discovery).
pub const HOME_ASSISTANT_COMPONENTS: &[&str] = &[
    "alarm_control_panel",
    "binary_sensor",
    "button",
    "camera",
    "climate",
    "cover",
    "date",
    "datetime",
    "device_automation",
    "device_tracker",
    "event",
    "fan",
    "humidifier",
    "image",
    "lawn_mower",
    "light",
    "lock",
    "notify",
    "number",
    "scene",
    "select",
    "sensor",
    "siren",
    "switch",
    "tag",
    "text",
    "time",
    "update",
    "vacuum",
    "valve",
    "water_heater",
];
/// Between a filter and its QoS.
const QOS: &str = " | qos: ";

/// Which version of the protocol is spoken.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum MqttVersion {
    /// Version 5, and 3.1.1 where a server does not know it.
    #[default]
    #[serde(rename = "auto")]
    Automatic,
    /// Version 5 alone.
    #[serde(rename = "5")]
    V5,
    /// Version 3.1.1 alone.
    #[serde(rename = "3.1.1")]
    V311,
}

/// How an MQTT server is used. User and password are those of [`super::profile::WebSocketOptions`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MqttOptions {
    /// The version.
    #[serde(skip_serializing_if = "is_default")]
    pub version: MqttVersion,
    /// The client id; empty: one is made up and kept.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub client_id: String,
    /// What to subscribe to; empty: [`EVERYTHING`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subscriptions: Vec<Filter>,
    /// Where rooms are: `PREFIX/ROOM`.
    pub chat: String,
    /// The QoS of what a person writes: 1 or 2.
    pub chat_qos: Qos,
    /// What others see as the person's name; empty: the user.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Whether the server keeps messages of the chat while we are away.
    pub keeps_session: bool,
    /// Whether rooms are listened to, and others are told who is there.
    pub chats: bool,
    /// Devices that are shown as parts of others, each with the device that it belongs to.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub merged: MergedDevices,
    /// Of a command that only sends: nothing is subscribed to. Not a setting.
    #[serde(skip)]
    pub is_deaf: bool,
}

fn is_default(version: &MqttVersion) -> bool {
    *version == MqttVersion::default()
}

impl Default for MqttOptions {
    fn default() -> Self {
        MqttOptions {
            version: MqttVersion::Automatic,
            client_id: String::new(),
            subscriptions: Vec::new(),
            chat: CHAT_PREFIX.to_owned(),
            chat_qos: Qos::AtLeastOnce,
            name: String::new(),
            keeps_session: true,
            chats: true,
            merged: BTreeMap::new(),
            is_deaf: false,
        }
    }
}

/// Why something a person wrote is no topic, filter or option.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadTopic {
    /// Nothing.
    #[error("a topic is missing")]
    Empty,
    /// It is too long, or there are too many.
    #[error("a topic is too long, or there are too many")]
    TooMuch,
    /// A control character.
    #[error("a topic contains a control character")]
    Control,
    /// `+` or `#` where none may be.
    #[error("a wildcard stands alone between slashes, and # at the end: {0}")]
    Wildcard(String),
    /// A topic to publish to has wildcards.
    #[error("a topic to publish to has no wildcards (+ and #)")]
    NoWildcard,
    /// Not a QoS.
    #[error("the QoS is 0, 1 or 2")]
    Qos,
}

impl MqttOptions {
    /// Whether nothing is set.
    pub fn is_default(&self) -> bool {
        *self == MqttOptions::default()
    }

    /// Checks what did not come from [`Filter::parse`].
    ///
    /// # Errors
    /// The first problem.
    pub fn check(&self) -> Result<(), BadTopic> {
        let is_long = self.client_id.len() > MAX_ID_BYTES || self.name.len() > MAX_ID_BYTES;
        if is_long || self.subscriptions.len() > MAX_SUBSCRIPTIONS || self.chat.len() > MAX_PREFIX_BYTES {
            return Err(BadTopic::TooMuch);
        }
        if [&self.client_id, &self.name].into_iter().any(|text| text.chars().any(char::is_control)) {
            return Err(BadTopic::Control);
        }
        if self.chat_qos == Qos::AtMostOnce {
            return Err(BadTopic::Qos);
        }
        check_topic(&self.chat)?;
        self.subscriptions.iter().try_for_each(Filter::check)
    }

    /// What to subscribe to.
    pub fn filters(&self) -> Vec<Filter> {
        match self.subscriptions.is_empty() {
            true => vec![Filter { filter: EVERYTHING.to_owned(), qos: Qos::default() }],
            false => self.subscriptions.clone(),
        }
    }
}

/// What to subscribe to.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Filter {
    /// The filter, such as `zigbee2mqtt/#`.
    pub filter: String,
    /// The highest QoS.
    pub qos: Qos,
}

impl Filter {
    /// As a person writes it: `zigbee2mqtt/#`, `alarms/+ | qos: 1`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Filter, BadTopic> {
        let (filter, qos) = match text.rsplit_once(QOS) {
            Some((filter, qos)) => (filter, qos.trim().parse().ok().and_then(Qos::of).ok_or(BadTopic::Qos)?),
            None => (text, Qos::default()),
        };
        let filter = Filter { filter: filter.trim().to_owned(), qos };
        filter.check()?;
        Ok(filter)
    }

    fn check(&self) -> Result<(), BadTopic> {
        check_text(&self.filter)?;
        check_filter(&self.filter)
    }
}

/// The text that [`Filter::parse`] reads.
impl std::fmt::Display for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.filter)?;
        if self.qos > Qos::default() { write!(f, "{QOS}{}", self.qos.number()) } else { Ok(()) }
    }
}

fn check_text(text: &str) -> Result<(), BadTopic> {
    match text {
        "" => Err(BadTopic::Empty),
        _ if text.len() > MAX_GIVEN_BYTES => Err(BadTopic::TooMuch),
        _ if text.chars().any(char::is_control) => Err(BadTopic::Control),
        _ => Ok(()),
    }
}

/// Whether the wildcards stand where they may (MQTT-4.7.1-1, MQTT-4.7.1-2).
fn check_filter(filter: &str) -> Result<(), BadTopic> {
    let last = filter.split('/').count() - 1;
    let is_good = filter.split('/').enumerate().all(|(at, level)| match level {
        "+" => true,
        "#" => at == last,
        level => !level.contains(['+', '#']),
    });
    if is_good { Ok(()) } else { Err(BadTopic::Wildcard(filter.to_owned())) }
}

/// Whether a person may publish to a topic.
///
/// # Errors
/// What is wrong with it.
pub fn check_topic(topic: &str) -> Result<(), BadTopic> {
    check_text(topic)?;
    if topic.contains(['+', '#']) { Err(BadTopic::NoWildcard) } else { Ok(()) }
}

/// What a reason code of MQTT 5 from 0x80 on means, in English; empty if this version does not know it.
pub fn reason(code: u8) -> &'static str {
    match code {
        0x80 => "an unspecified error",
        0x81 => "a packet could not be read",
        0x82 => "the protocol was broken",
        0x83 => "the server cannot do this",
        0x84 => "the protocol version is not supported",
        0x85 => "the client id is not valid",
        0x86 => "wrong user name or password",
        0x87 => "not authorized",
        0x88 => "the server is unavailable",
        0x89 => "the server is busy",
        0x8A => "this client is banned",
        0x8B => "the server is shutting down",
        0x8C => {
            "the server wants another way to sign in (enhanced authentication), which Duplex does not have"
        }
        0x8D => "nothing was sent for too long",
        0x8E => "another program signed in with the same client id",
        0x8F => "a topic filter is not valid",
        0x90 => "a topic is not valid",
        0x91 => "a packet id is in use",
        0x92 => "a packet id is not known",
        0x93 => "too many messages at a time",
        0x94 => "a topic alias is not valid",
        0x95 => "a packet is too large",
        0x96 => "too many messages",
        0x97 => "a quota is used up",
        0x98 => "an administrator ended the connection",
        0x99 => "the payload is not what it is said to be",
        0x9A => "the server keeps no retained messages",
        0x9B => "the QoS is not supported",
        0x9C => "another server is to be used",
        0x9D => "the server has moved",
        0x9E => "shared subscriptions are not supported",
        0x9F => "too many connections",
        0xA0 => "the longest time of a connection is over",
        0xA1 => "subscription identifiers are not supported",
        0xA2 => "wildcards are not supported",
        _ => "",
    }
}

/// Whether a filter matches a topic (MQTT 5 §4.7). A wildcard at the begin matches no topic that begins with `$`.
pub fn matches(filter: &str, topic: &str) -> bool {
    if topic.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let (mut filters, mut levels) = (filter.split('/'), topic.split('/'));
    loop {
        match (filters.next(), levels.next()) {
            (Some("#"), _) | (None, None) => return true,
            (Some("+"), Some(_)) => {}
            (Some(filter), Some(level)) if filter == level => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_read_as_it_is_written() {
        for text in ["#", "+/status", "zigbee2mqtt/#", "a b/+/c | qos: 2", "$SYS/#", "/"] {
            assert_eq!(Filter::parse(text).unwrap().to_string(), text);
        }
        for (text, bad) in [
            ("", BadTopic::Empty),
            ("a\u{7}", BadTopic::Control),
            ("a/#/b", BadTopic::Wildcard("a/#/b".into())),
            ("a+", BadTopic::Wildcard("a+".into())),
            ("a | qos: 3", BadTopic::Qos),
            ("a | qos: x", BadTopic::Qos),
        ] {
            assert_eq!(Filter::parse(text), Err(bad), "{text}");
        }
        assert_eq!(Filter::parse(&"x".repeat(2_000)), Err(BadTopic::TooMuch));
        assert_eq!((check_topic("a/b"), check_topic("a/+")), (Ok(()), Err(BadTopic::NoWildcard)));
    }

    #[test]
    fn filters_match_as_the_standard_has_it() {
        for (filter, topic, is_match) in [
            ("#", "a/b", true),
            ("a/#", "a", true),
            ("a/#", "a/b/c", true),
            ("a/+", "a/b", true),
            ("a/+", "a", false),
            ("a/+", "a/b/c", false),
            ("+/+", "/x", true),
            ("/+", "/x", true),
            ("+", "/x", false),
            ("#", "$SYS/a", false),
            ("+/a", "$SYS/a", false),
            ("$SYS/#", "$SYS/a", true),
            ("a/b", "a/c", false),
        ] {
            assert_eq!(matches(filter, topic), is_match, "{filter} {topic}");
        }
    }

    #[test]
    fn options_are_kept_as_json() {
        let options = MqttOptions {
            version: MqttVersion::V311,
            subscriptions: vec![Filter::parse("a/# | qos: 1").unwrap()],
            ..MqttOptions::default()
        };
        let json = serde_json::to_string(&options).unwrap();
        assert_eq!(serde_json::from_str::<MqttOptions>(&json).unwrap(), options);
        assert_eq!(serde_json::from_str::<MqttOptions>("{}").unwrap(), MqttOptions::default());
        assert_eq!(options.check(), Ok(()));
        assert_eq!(MqttOptions { chat_qos: Qos::AtMostOnce, ..options }.check(), Err(BadTopic::Qos));
    }
}
