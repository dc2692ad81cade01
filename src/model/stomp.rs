//! [`StompOptions`]: how a server that speaks STOMP is used.

use serde::{Deserialize, Serialize};

/// Maximum number of destinations of one connection.
pub const MAX_DESTINATIONS: usize = 200;
/// Maximum length of a destination, and of each of its headers, in bytes of UTF-8. A room's id has no more.
pub const MAX_DESTINATION_BYTES: usize = 200;
/// Maximum number of headers of one destination.
pub const MAX_DESTINATION_HEADERS: usize = 20;
/// Maximum length of the virtual host, in bytes of UTF-8.
pub const MAX_HOST_BYTES: usize = 255;
/// Between a destination and where to send to.
const SENDS_TO: &str = " -> ";
/// Between a destination and its headers.
const HEADERS: &str = " | ";

/// How STOMP is used. Login, passcode and further headers are those of [`super::profile::WebSocketOptions`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StompOptions {
    /// The virtual host (header `host` of `CONNECT`); empty to leave the choice to the server.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub host: String,
    /// What to subscribe to, and send to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub destinations: Vec<Destination>,
}

/// A destination.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Destination {
    /// The destination, such as `/topic/chat`.
    pub name: String,
    /// Whether it is only sent to, and not subscribed to.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_for_sending: bool,
    /// Where messages to this room are sent, if not to the same destination: `/app/chat`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub send_to: Option<String>,
    /// Further headers of `SUBSCRIBE` and `SEND`, such as `x-queue-type: quorum`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
}

/// Why a destination, as a person wrote it, cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadDestination {
    /// There is no name.
    #[error("a destination is missing")]
    Empty,
    /// A name is too long, or there are too many destinations or headers.
    #[error("a destination is too long, or there are too many")]
    TooMuch,
    /// A control character.
    #[error("a destination contains a control character")]
    Control,
    /// Not `name: value`.
    #[error("write a header of a destination as 'name: value': {0}")]
    Header(String),
    /// A header that Duplex sets itself.
    #[error("the header {0} is set by Duplex itself")]
    Reserved(String),
}

/// Headers of `SUBSCRIBE` and `SEND` that are not the person's to set.
const RESERVED: [&str; 9] = [
    "ack",
    "content-length",
    "content-type",
    "destination",
    "id",
    "message-id",
    "receipt",
    "subscription",
    "transaction",
];

impl StompOptions {
    /// Whether nothing is set.
    pub fn is_default(&self) -> bool {
        *self == StompOptions::default()
    }

    /// Checks what did not come from [`Destination::parse`].
    ///
    /// # Errors
    /// The first problem.
    pub fn check(&self) -> Result<(), BadDestination> {
        if self.destinations.len() > MAX_DESTINATIONS || self.host.len() > MAX_HOST_BYTES {
            return Err(BadDestination::TooMuch);
        }
        if self.host.chars().any(char::is_control) {
            return Err(BadDestination::Control);
        }
        self.destinations.iter().try_for_each(Destination::check)
    }
}

impl Destination {
    /// A destination that is sent to as well.
    pub fn new(name: impl Into<String>) -> Destination {
        Destination { name: name.into(), ..Destination::default() }
    }

    /// One that is sent to alone.
    pub fn for_sending(name: impl Into<String>) -> Destination {
        Destination { name: name.into(), is_for_sending: true, ..Destination::default() }
    }

    /// As a person writes it: `/topic/chat`, `-> /app/chat` (for sending only), `/topic/chat -> /app/chat`, `/queue/work | x-queue-type: quorum | durable: true`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Destination, BadDestination> {
        let mut parts = text.split(HEADERS);
        let names = parts.next().unwrap_or_default().trim();
        let (is_for_sending, names) = match names.strip_prefix(SENDS_TO.trim_start()) {
            Some(name) => (true, name.trim()),
            None => (false, names),
        };
        let (name, send_to) = match names.split_once(SENDS_TO) {
            Some((name, send_to)) => (name.trim(), Some(send_to.trim().to_owned())),
            None => (names, None),
        };
        let header = |text: &str| match text.split_once(':') {
            Some((name, value)) if !name.trim().is_empty() => {
                Ok((name.trim().to_owned(), value.trim().to_owned()))
            }
            _ => Err(BadDestination::Header(text.trim().to_owned())),
        };
        let headers = parts.map(header).collect::<Result<_, _>>()?;
        let destination = Destination { name: name.to_owned(), is_for_sending, send_to, headers };
        destination.check()?;
        Ok(destination)
    }

    fn check(&self) -> Result<(), BadDestination> {
        let headers = self.headers.iter().flat_map(|(name, value)| [name, value]);
        let mut texts = std::iter::once(&self.name).chain(&self.send_to).chain(headers);
        if self.name.is_empty() || self.send_to.as_ref().is_some_and(String::is_empty) {
            return Err(BadDestination::Empty);
        }
        if self.headers.len() > MAX_DESTINATION_HEADERS {
            return Err(BadDestination::TooMuch);
        }
        if let Some((name, _)) = self.headers.iter().find(|(name, _)| RESERVED.contains(&name.as_str())) {
            return Err(BadDestination::Reserved(name.clone()));
        }
        match texts.find(|text| text.len() > MAX_DESTINATION_BYTES || text.chars().any(char::is_control)) {
            Some(text) if text.len() > MAX_DESTINATION_BYTES => Err(BadDestination::TooMuch),
            Some(_) => Err(BadDestination::Control),
            None => Ok(()),
        }
    }

    /// Whether it stands for many destinations, by the wildcards of RabbitMQ, Spring and ActiveMQ.
    pub fn is_pattern(&self) -> bool {
        self.name.contains(['*', '#']) || self.name.ends_with('>')
    }

    /// Where messages to this room are sent.
    pub fn sends_to(&self) -> &str {
        self.send_to.as_deref().unwrap_or(&self.name)
    }
}

/// The text that [`Destination::parse`] reads.
impl std::fmt::Display for Destination {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.is_for_sending {
            f.write_str(SENDS_TO.trim_start())?;
        }
        f.write_str(&self.name)?;
        if let Some(send_to) = &self.send_to {
            write!(f, "{SENDS_TO}{send_to}")?;
        }
        self.headers.iter().try_for_each(|(name, value)| write!(f, "{HEADERS}{name}: {value}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_is_read_as_it_is_written() {
        for text in [
            "/topic/chat",
            "/topic/chat/room 1",
            "/topic.42",
            "/topic/FOO.>",
            "/topic/public -> /app/chat.sendMessage",
            "/queue/work | x-queue-type: quorum | durable: true",
            "-> /app/hello",
            "/exchange/amq.topic/a.# -> /exchange/amq.topic/a.b | x: y:z",
        ] {
            assert_eq!(Destination::parse(text).unwrap().to_string(), text);
        }
        let both = Destination::parse(" /topic/a ->  /app/a ").unwrap();
        assert_eq!((both.name.as_str(), both.sends_to()), ("/topic/a", "/app/a"));
        assert_eq!(Destination::parse("/queue/a").unwrap().sends_to(), "/queue/a");
    }

    #[test]
    fn what_is_no_destination_is_refused_by_its_cause() {
        for (text, bad) in [
            ("", BadDestination::Empty),
            (" | a: b", BadDestination::Empty),
            ("/a\u{7}b", BadDestination::Control),
            ("/a | nonsense", BadDestination::Header("nonsense".into())),
            ("/a | ack: auto", BadDestination::Reserved("ack".into())),
        ] {
            assert_eq!(Destination::parse(text), Err(bad), "{text}");
        }
        assert_eq!(Destination::parse(&"x".repeat(201)), Err(BadDestination::TooMuch));
    }
}
