//! [`MqttOptions`]: how an MQTT server is used; the rules of topics and filters.

use serde::{Deserialize, Serialize};

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
/// What is subscribed to unless something else is given.
pub const EVERYTHING: &str = "#";
/// Where rooms are unless something else is given.
pub const CHAT_PREFIX: &str = "duplex/chat";
/// Keep-alive unless something else is given, in seconds.
pub const KEEP_ALIVE_S: u16 = 30;
/// How long a server keeps a session while we are away, in seconds: a week.
pub const SESSION_EXPIRY_S: u32 = 7 * 86_400;
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
    pub chat_qos: u8,
    /// What others see as the person's name; empty: the user.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Whether the server keeps messages of the chat while we are away.
    pub keeps_session: bool,
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
            chat_qos: 1,
            name: String::new(),
            keeps_session: true,
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
        if !matches!(self.chat_qos, 1 | 2) {
            return Err(BadTopic::Qos);
        }
        check_topic(&self.chat)?;
        self.subscriptions.iter().try_for_each(Filter::check)
    }

    /// What to subscribe to.
    pub fn filters(&self) -> Vec<Filter> {
        match self.subscriptions.is_empty() {
            true => vec![Filter { filter: EVERYTHING.to_owned(), qos: 0 }],
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
    #[serde(skip_serializing_if = "is_zero")]
    pub qos: u8,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes it by reference")]
fn is_zero(number: &u8) -> bool {
    *number == 0
}

impl Filter {
    /// As a person writes it: `zigbee2mqtt/#`, `alarms/+ | qos: 1`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Filter, BadTopic> {
        let (filter, qos) = match text.rsplit_once(QOS) {
            Some((filter, qos)) => (filter, qos.trim().parse().map_err(|_| BadTopic::Qos)?),
            None => (text, 0),
        };
        let filter = Filter { filter: filter.trim().to_owned(), qos };
        filter.check()?;
        Ok(filter)
    }

    fn check(&self) -> Result<(), BadTopic> {
        if self.qos > 2 {
            return Err(BadTopic::Qos);
        }
        check_text(&self.filter)?;
        check_filter(&self.filter)
    }
}

/// The text that [`Filter::parse`] reads.
impl std::fmt::Display for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.filter)?;
        if self.qos > 0 { write!(f, "{QOS}{}", self.qos) } else { Ok(()) }
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
        assert_eq!(MqttOptions { chat_qos: 0, ..options }.check(), Err(BadTopic::Qos));
    }
}
