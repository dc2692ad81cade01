//! [`Mapping`]: what is different on one server, as a document in JSON that a person edits, exports and imports.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::path::Path;

/// Maximum size of a mapping as JSON, in bytes.
pub const MAX_MAPPING_BYTES: usize = 256 * 1024;
/// Maximum number of rules, and of what is sent after connecting.
pub const MAX_RULES: usize = 200;
/// Maximum length of an event's name, a destination or a pattern for one, in bytes of UTF-8.
pub const MAX_SOURCE_BYTES: usize = 256;

/// What is different on one server. All fields are optional.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mapping {
    /// What we are called there: for `{name}` in what is sent, and to know our own messages by.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// What is received, told by rules: the first that fits counts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
    /// Whether what fits no rule is recognized by its shape.
    #[serde(skip_serializing_if = "is_true")]
    pub guess: bool,
    /// What a typed message becomes; none: what is likely by what was received.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub send: Option<Emit>,
    /// What is sent after each connect, in this order: who we are, which room we join.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub join: Vec<Emit>,
}

impl Default for Mapping {
    fn default() -> Self {
        Mapping { name: String::new(), rules: Vec::new(), guess: true, send: None, join: Vec::new() }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes it by reference")]
fn is_true(flag: &bool) -> bool {
    *flag
}

/// What an event, or a message of a destination, is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The event's name or the destination; `*` stands for any characters.
    #[serde(alias = "event", alias = "destination")]
    pub source: String,
    /// A value that must be there for the rule to fit, and what it must be; none: it always fits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<When>,
    /// What it is.
    pub is: What,
    /// Where the words are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Path>,
    /// Where the sender's name is, or that of whoever comes, goes or types.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<Path>,
    /// Where the sender's id is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender_id: Option<Path>,
    /// Where the room is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<Path>,
    /// Where the message's id is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Path>,
    /// Where the time is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Path>,
    /// Where the device is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<Path>,
    /// Where the values are, or where the people are listed; none: in the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<Path>,
    /// What a single value is called; none: like the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<Path>,
    /// The unit of the values.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
}

/// A condition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// Where to look.
    pub path: Path,
    /// What must be there.
    pub equals: Value,
}

/// What something is.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A message of somebody.
    Message,
    /// Words of the server.
    Notice,
    /// Somebody comes.
    Joined,
    /// Somebody goes.
    Left,
    /// Somebody is typing.
    Typing,
    /// Who is there.
    People,
    /// Readings of a device.
    Readings,
    /// Nothing to show.
    Ignore,
}

/// Something to send: an event with arguments, or a message to a destination. In texts, `{text}`, `{name}`, `{room}`, `{id}` and
/// `{time}` (ISO 8601) are replaced; a text that is `{time_ms}` alone becomes a number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Emit {
    /// The event's name or the destination.
    #[serde(alias = "event", alias = "destination")]
    pub to: String,
    /// The arguments, or the body alone.
    #[serde(default)]
    pub args: Vec<Value>,
}

/// A text is not a mapping.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMapping {
    /// It is too long.
    #[error("the mapping has more than {MAX_MAPPING_BYTES} bytes")]
    TooLarge,
    /// It is not JSON, or not such a document.
    #[error("this is not a mapping: {0}")]
    Malformed(String),
    /// It has too many rules.
    #[error("the mapping has more than {MAX_RULES} {0}")]
    TooMany(&'static str),
    /// An event's name or a destination is missing or too long.
    #[error("{0}: an event's name or a destination has 1 to {MAX_SOURCE_BYTES} bytes")]
    Source(String),
    /// A rule lacks what it needs.
    #[error("the rule for {rule:?} needs {needs:?}")]
    Lacks {
        /// The rule's source.
        rule: String,
        /// The field that is missing.
        needs: &'static str,
    },
}

impl Rule {
    /// A rule for one source. The words of a message are likely the longest text in its arguments.
    pub fn likely(source: &str, is: What, args: &[Value]) -> Rule {
        let words = || {
            let mut texts = Vec::new();
            for (place, arg) in args.iter().enumerate() {
                texts_in(arg, &format!("args[{place}]"), 0, &mut texts);
            }
            let longest = texts.into_iter().max_by_key(|(_, length)| *length);
            let path = longest.and_then(|(path, _)| path.parse().ok());
            path.or_else(|| "args[0]".parse().ok())
        };
        Rule {
            source: source.to_owned(),
            when: None,
            is,
            text: matches!(is, What::Message | What::Notice).then(words).flatten(),
            sender: None,
            sender_id: None,
            room: None,
            id: None,
            time: None,
            device: None,
            values: None,
            metric: None,
            unit: String::new(),
        }
    }
}

/// The paths of all texts, with their lengths in characters.
fn texts_in(value: &Value, path: &str, depth: usize, texts: &mut Vec<(String, usize)>) {
    match value {
        Value::String(text) => texts.push((path.to_owned(), text.chars().count())),
        Value::Object(map) if depth < 4 => {
            for (name, value) in map {
                texts_in(value, &format!("{path}['{name}']"), depth + 1, texts);
            }
        }
        _ => {}
    }
}

impl Mapping {
    /// Reads a mapping from JSON.
    ///
    /// # Errors
    /// What is wrong with it, with line and column where JSON is.
    pub fn parse(json: &str) -> Result<Mapping, InvalidMapping> {
        if json.len() > MAX_MAPPING_BYTES {
            return Err(InvalidMapping::TooLarge);
        }
        if json.trim_start().starts_with('[') {
            return Err(InvalidMapping::Malformed("it is a list, and a mapping is an object".to_owned()));
        }
        let mapping: Mapping =
            serde_json::from_str(json).map_err(|error| InvalidMapping::Malformed(error.to_string()))?;
        mapping.check()?;
        Ok(mapping)
    }

    /// As JSON for people.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Whether it says nothing.
    pub fn is_default(&self) -> bool {
        *self == Mapping::default()
    }

    /// Checks what types alone do not.
    ///
    /// # Errors
    /// The first fault.
    pub fn check(&self) -> Result<(), InvalidMapping> {
        if self.rules.len() > MAX_RULES {
            return Err(InvalidMapping::TooMany("rules"));
        }
        if self.join.len() > MAX_RULES {
            return Err(InvalidMapping::TooMany("events to send after connecting"));
        }
        let sources = self.rules.iter().map(|rule| &rule.source);
        for source in sources.chain(self.join.iter().chain(&self.send).map(|emit| &emit.to)) {
            if source.is_empty() || source.len() > MAX_SOURCE_BYTES || source.contains('\0') {
                return Err(InvalidMapping::Source(source.chars().take(64).collect()));
            }
        }
        for rule in &self.rules {
            let needs = match rule.is {
                What::Message | What::Notice if rule.text.is_none() => "text",
                What::Joined | What::Left if rule.sender.is_none() && rule.sender_id.is_none() => "sender",
                _ => continue,
            };
            return Err(InvalidMapping::Lacks { rule: rule.source.clone(), needs });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_is_read_and_written_as_json() {
        let json = r#"{
            "name": "mina",
            "rules": [
                {"event": "bericht", "is": "message", "text": "args[0]", "sender": "args[1]"},
                {"destination": "/topic/shed.*", "is": "readings", "device": "source[2]", "when": {"path": "$.v", "equals": 2}}
            ],
            "send": {"event": "bericht", "args": ["{text}", "{name}"]},
            "join": [{"event": "add user", "args": ["{name}"]}]
        }"#;
        let mapping = Mapping::parse(json).unwrap();
        assert_eq!(Mapping::parse(&mapping.to_json()).unwrap(), mapping);
        assert!(mapping.guess, "what is not said is as usual");
        assert!(Mapping::parse("{}").unwrap().is_default());
        assert_eq!(Mapping::default().to_json(), "{}");
    }

    #[test]
    fn what_is_no_mapping_is_refused_with_its_place() {
        for (json, named) in [
            ("", "line 1"),
            ("[]", "mapping"),
            (r#"{"rule": []}"#, "rules"),
            (r#"{"rules": [{"event": "x", "is": "chat"}]}"#, "message"),
            (r#"{"rules": [{"event": "x", "is": "message"}]}"#, "text"),
            (r#"{"rules": [{"event": "x", "is": "left"}]}"#, "sender"),
            (r#"{"rules": [{"event": "", "is": "ignore"}]}"#, "1 to 256"),
            (r#"{"rules": [{"event": "x", "is": "message", "text": "text"}]}"#, "$.user.name"),
            (r#"{"send": {"args": []}}"#, "to"),
        ] {
            let error = Mapping::parse(json).unwrap_err().to_string();
            assert!(error.contains(named), "{json}: {error}");
        }
        let many = format!(r#"{{"rules": [{}]}}"#, vec![r#"{"event":"x","is":"ignore"}"#; 201].join(","));
        assert!(Mapping::parse(&many).unwrap_err().to_string().contains("200 rules"));
        assert_eq!(Mapping::parse(&" ".repeat(MAX_MAPPING_BYTES + 1)), Err(InvalidMapping::TooLarge));
    }
}
