//! Packets of Socket.IO, revisions 4 and 5 of the protocol, and the bytes attached to them.

use std::fmt::Write as _;

use data_encoding::BASE64;
use serde_json::{Map, Value};

use super::json;

/// Maximum number of binary attachments of a packet.
pub const MAX_ATTACHMENTS: usize = 256;
/// Maximum size of the attachments of a packet together, in bytes.
pub const MAX_ATTACHED_BYTES: usize = 4 * 1024 * 1024;
/// Maximum length of a namespace, in bytes.
pub const MAX_NAMESPACE_BYTES: usize = 512;
/// The namespace that every server has.
pub const MAIN: &str = "/";
/// What an attachment is written as where only JSON is at hand.
const BYTES_AS_URL: &str = "data:application/octet-stream;base64,";
/// Fields of the object that stands in the place of an attachment.
const PLACEHOLDER: &str = "_placeholder";
const NUMBER: &str = "num";

/// A packet.
#[derive(Clone, Debug, PartialEq)]
pub struct Packet {
    /// Its namespace, without a query.
    pub namespace: String,
    /// What it says.
    pub body: Body,
    /// The bytes that belong to it; placeholders in the body name them by their index.
    pub attachments: Vec<Vec<u8>>,
}

/// What a packet says.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// The client asks to join the namespace, or the server lets it in.
    Connect(Option<Value>),
    /// The sender leaves the namespace.
    Disconnect,
    /// Something happened; the first argument is its name.
    Event {
        /// An acknowledgement with this id is asked for.
        id: Option<u64>,
        /// The name, and what belongs to it.
        args: Vec<Value>,
    },
    /// Acknowledges an event.
    Ack {
        /// The id that the event had.
        id: u64,
        /// The answer.
        args: Vec<Value>,
    },
    /// The server does not let the client into the namespace.
    ConnectError(Value),
}

/// A text or bytes that are no packet.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no Socket.IO packet: {detail}")]
pub struct Malformed {
    /// What is wrong with them.
    pub detail: String,
}

fn malformed<T>(detail: impl Into<String>) -> Result<T, Malformed> {
    Err(Malformed { detail: detail.into() })
}

impl Packet {
    /// A packet without attachments.
    pub fn new(namespace: impl Into<String>, body: Body) -> Packet {
        Packet { namespace: namespace.into(), body, attachments: Vec::new() }
    }

    /// Its text; the attachments follow as binary messages. `query`: of the namespace, for servers of revision 4.
    pub fn to_text(&self, query: Option<&str>) -> String {
        let count = self.attachments.len();
        let (kind, id, data) = match &self.body {
            Body::Connect(data) => ('0', None, data.as_ref().map(Value::to_string)),
            Body::Disconnect => ('1', None, None),
            Body::Event { id, args } if count == 0 => ('2', *id, Some(array(args))),
            Body::Event { id, args } => ('5', *id, Some(array(args))),
            Body::Ack { id, args } if count == 0 => ('3', Some(*id), Some(array(args))),
            Body::Ack { id, args } => ('6', Some(*id), Some(array(args))),
            Body::ConnectError(data) => ('4', None, Some(data.to_string())),
        };
        let mut text = String::from(kind);
        // Writing to a string cannot fail.
        if matches!(kind, '5' | '6') {
            let _ = write!(text, "{count}-");
        }
        if self.namespace != MAIN || query.is_some() {
            text.push_str(&self.namespace);
            if let Some(query) = query {
                let _ = write!(text, "?{query}");
            }
            text.push(',');
        }
        if let Some(id) = id {
            let _ = write!(text, "{id}");
        }
        text.push_str(&data.unwrap_or_default());
        text
    }

    /// Its arguments with each placeholder replaced by its bytes, as a `data:` URL.
    pub fn readable_args(self) -> Vec<Value> {
        let args = match self.body {
            Body::Event { args, .. } | Body::Ack { args, .. } => args,
            Body::Connect(_) | Body::Disconnect | Body::ConnectError(_) => Vec::new(),
        };
        match self.attachments.is_empty() {
            true => args,
            false => args.into_iter().map(|arg| with_bytes(arg, &self.attachments)).collect(),
        }
    }
}

fn array(args: &[Value]) -> String {
    serde_json::to_string(args).unwrap_or_default()
}

fn with_bytes(value: Value, attachments: &[Vec<u8>]) -> Value {
    match value {
        Value::Object(fields) => match placeholder(&fields).and_then(|index| attachments.get(index)) {
            Some(bytes) => Value::String(format!("{BYTES_AS_URL}{}", BASE64.encode(bytes))),
            None => fields.into_iter().map(|(name, value)| (name, with_bytes(value, attachments))).collect(),
        },
        Value::Array(values) => {
            values.into_iter().map(|value| with_bytes(value, attachments)).collect::<Vec<_>>().into()
        }
        other => other,
    }
}

/// The attachment that an object stands for. One that does not exist: `usize::MAX`.
fn placeholder(fields: &Map<String, Value>) -> Option<usize> {
    if fields.get(PLACEHOLDER) != Some(&Value::Bool(true)) {
        return None;
    }
    let number = fields.get(NUMBER).and_then(Value::as_u64);
    Some(number.and_then(|number| usize::try_from(number).ok()).unwrap_or(usize::MAX))
}

/// Whether every placeholder names an attachment.
fn are_all_attached(value: &Value, count: usize) -> bool {
    match value {
        Value::Object(fields) => match placeholder(fields) {
            Some(index) => index < count,
            None => fields.values().all(|value| are_all_attached(value, count)),
        },
        Value::Array(values) => values.iter().all(|value| are_all_attached(value, count)),
        _ => true,
    }
}

/// Puts packets together from messages of the transport, in their order.
#[derive(Debug, Default)]
pub struct Decoder {
    incomplete: Option<Incomplete>,
}

#[derive(Debug)]
struct Incomplete {
    packet: Packet,
    count: usize,
    bytes: usize,
}

impl Decoder {
    /// Takes a text message. `None`: attachments must come first.
    ///
    /// # Errors
    /// If it is no packet, or the attachments of the one before it have not all come: that packet is dropped, and this
    /// one as well if it is none.
    pub fn text(&mut self, text: &str) -> Result<Decoded, Malformed> {
        let dropped = self.incomplete.take().map(|incomplete| incomplete.packet);
        let (packet, count) = parse(text)?;
        let packet = match count {
            None => Some(packet),
            Some(0) => Some(check(packet, 0)?),
            Some(count) => {
                self.incomplete = Some(Incomplete { packet, count, bytes: 0 });
                None
            }
        };
        Ok(Decoded { packet, dropped })
    }

    /// Takes a binary message.
    ///
    /// # Errors
    /// If no packet waits for it, or the packet that it completes has a fault.
    pub fn bytes(&mut self, bytes: Vec<u8>) -> Result<Option<Packet>, Malformed> {
        let Some(mut incomplete) = self.incomplete.take() else {
            return malformed("bytes that belong to no packet");
        };
        incomplete.bytes += bytes.len();
        if incomplete.bytes > MAX_ATTACHED_BYTES {
            return malformed(format!("attachments of more than {MAX_ATTACHED_BYTES} bytes"));
        }
        incomplete.packet.attachments.push(bytes);
        if incomplete.packet.attachments.len() < incomplete.count {
            self.incomplete = Some(incomplete);
            return Ok(None);
        }
        check(incomplete.packet, incomplete.count).map(Some)
    }
}

/// What a text message brought.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decoded {
    /// A complete packet.
    pub packet: Option<Packet>,
    /// The packet before it, whose attachments never came.
    pub dropped: Option<Packet>,
}

fn check(packet: Packet, count: usize) -> Result<Packet, Malformed> {
    let is_whole = match &packet.body {
        Body::Event { args, .. } | Body::Ack { args, .. } => {
            args.iter().all(|arg| are_all_attached(arg, count))
        }
        _ => true,
    };
    if is_whole { Ok(packet) } else { malformed("it refers to an attachment that it does not have") }
}

/// Reads a packet's text, and how many attachments it has, where it is of a type that has some.
fn parse(text: &str) -> Result<(Packet, Option<usize>), Malformed> {
    let Some(kind) = text.chars().next().filter(|kind| ('0'..='6').contains(kind)) else {
        return malformed("unknown type");
    };
    let mut rest = &text[1..];
    let mut count = None;
    if matches!(kind, '5' | '6') {
        let Some((digits, after)) = rest.split_once('-') else {
            return malformed("no number of attachments");
        };
        let number = number(digits).and_then(|number| usize::try_from(number).ok());
        match number {
            Some(number) if number <= MAX_ATTACHMENTS => count = Some(number),
            Some(_) => return malformed(format!("more than {MAX_ATTACHMENTS} attachments")),
            None => return malformed("a bad number of attachments"),
        }
        rest = after;
    }
    let namespace;
    (namespace, rest) = parse_namespace(rest)?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let id = match digits {
        0 => None,
        _ => match number(&rest[..digits]) {
            Some(id) => Some(id),
            None => return malformed("a bad id"),
        },
    };
    let data = match &rest[digits..] {
        "" => None,
        text => match json::parse(text) {
            Ok(data) => Some(data),
            Err(error) => return malformed(format!("bad JSON ({error})")),
        },
    };
    let body = body(kind, id, data)?;
    Ok((Packet { namespace, body, attachments: Vec::new() }, count))
}

fn body(kind: char, id: Option<u64>, data: Option<Value>) -> Result<Body, Malformed> {
    match (kind, id, data) {
        ('0', None, data @ (None | Some(Value::Object(_)))) => Ok(Body::Connect(data)),
        ('1', None, None) => Ok(Body::Disconnect),
        ('2' | '5', id, Some(Value::Array(args))) if is_named(&args) => Ok(Body::Event { id, args }),
        ('3' | '6', Some(id), Some(Value::Array(args))) => Ok(Body::Ack { id, args }),
        ('4', None, data) => Ok(Body::ConnectError(data.unwrap_or(Value::Null))),
        _ => malformed("what it says does not fit its type"),
    }
}

/// Whether an event has a name. Servers in JavaScript may use numbers.
fn is_named(args: &[Value]) -> bool {
    matches!(args.first(), Some(Value::String(_) | Value::Number(_)))
}

/// The name of an event, and its other arguments.
pub fn named(mut args: Vec<Value>) -> (String, Vec<Value>) {
    if args.is_empty() {
        return (String::new(), args);
    }
    let name = match args.remove(0) {
        Value::String(name) => name,
        other => other.to_string(),
    };
    (name, args)
}

/// The namespace without its query, and what follows it.
fn parse_namespace(text: &str) -> Result<(String, &str), Malformed> {
    if !text.starts_with('/') {
        return Ok((MAIN.to_owned(), text));
    }
    let (namespace, rest) = text.split_once(',').unwrap_or((text, ""));
    if namespace.len() > MAX_NAMESPACE_BYTES {
        return malformed("its namespace is too long");
    }
    Ok((without_query(namespace).to_owned(), rest))
}

/// A namespace without its query.
pub fn without_query(namespace: &str) -> &str {
    namespace.split_once('?').map_or(namespace, |(namespace, _)| namespace)
}

fn number(digits: &str) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok())?
}
