//! Packets of Engine.IO, revisions 3 and 4 of the protocol: as frames of a WebSocket, and gathered in the payloads of HTTP
//! long polling.

use data_encoding::{BASE64, BASE64_NOPAD};
use serde::Deserialize;

use crate::frame::Frame;

/// Maximum length of a session's id, in bytes.
const MAX_SID_BYTES: usize = 1_024;
/// Maximum number of transports that a handshake may offer for an upgrade.
const MAX_UPGRADES: usize = 16;
/// Shortest and longest interval and timeout of the heartbeat that are believed, in milliseconds.
const MIN_HEARTBEAT_MS: u64 = 50;
const MAX_HEARTBEAT_MS: u64 = 86_400_000;
/// The interval and the timeout of servers that name none, in milliseconds.
const DEFAULT_INTERVAL_MS: u64 = 25_000;
const DEFAULT_TIMEOUT_MS: u64 = 20_000;
/// Separates the packets of a payload of revision 4.
const SEPARATOR: char = '\u{1e}';
/// Digits of a packet's length in a payload of revision 3.
const MAX_LENGTH_DIGITS: usize = 10;

/// A revision of the protocol.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Revision {
    /// Of Socket.IO 1 and 2: the client sends pings.
    V3,
    /// Of Socket.IO 3 and later: the server sends pings.
    V4,
}

/// A packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet {
    /// The server opens the session: [`Handshake`] in JSON.
    Open(String),
    /// The sender ends the session.
    Close,
    /// Answered by a pong with the same text.
    Ping(String),
    /// Answers a ping.
    Pong(String),
    /// A text message.
    Text(String),
    /// A binary message.
    Binary(Vec<u8>),
    /// The client goes over to this transport.
    Upgrade,
    /// Means nothing.
    Noop,
}

/// Bytes that are no packet.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no Engine.IO packet: {detail}")]
pub struct Malformed {
    /// What is wrong with them.
    pub detail: String,
}

fn malformed<T>(detail: impl Into<String>) -> Result<T, Malformed> {
    Err(Malformed { detail: detail.into() })
}

/// What the server says when it opens a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// The session's id; a secret while the session lasts.
    pub sid: String,
    /// Transports that the session may go over to.
    pub upgrades: Vec<String>,
    /// Time between two pings, in milliseconds.
    pub ping_interval_ms: u64,
    /// How long the answer to a ping may take, in milliseconds.
    pub ping_timeout_ms: u64,
    /// Maximum size of what the client sends at once, in bytes. Only servers of revision 4 say this, and older ones of
    /// these don't.
    pub max_payload: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HandshakeJson {
    sid: String,
    #[serde(default)]
    upgrades: Vec<String>,
    ping_interval: Option<f64>,
    ping_timeout: Option<f64>,
    max_payload: Option<f64>,
}

impl Handshake {
    /// Reads the text of [`Packet::Open`].
    ///
    /// # Errors
    /// If it is no handshake.
    pub fn parse(json: &str) -> Result<Handshake, Malformed> {
        let read: HandshakeJson = match serde_json::from_str(json) {
            Ok(read) => read,
            Err(error) => return malformed(format!("the handshake is not understood ({error})")),
        };
        let is_fit = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'&' | b'#');
        if read.sid.is_empty() || read.sid.len() > MAX_SID_BYTES || !read.sid.bytes().all(is_fit) {
            return malformed("the handshake has no usable session id");
        }
        let ms = |given: Option<f64>, default: u64| match given {
            Some(ms) if ms > 0.0 => (ms as u64).clamp(MIN_HEARTBEAT_MS, MAX_HEARTBEAT_MS),
            _ => default,
        };
        Ok(Handshake {
            sid: read.sid,
            upgrades: read.upgrades.into_iter().take(MAX_UPGRADES).collect(),
            ping_interval_ms: ms(read.ping_interval, DEFAULT_INTERVAL_MS),
            ping_timeout_ms: ms(read.ping_timeout, DEFAULT_TIMEOUT_MS),
            max_payload: read.max_payload.filter(|bytes| *bytes >= 1.0).map(|bytes| bytes as u64),
        })
    }
}

impl Packet {
    /// Reads a frame of a WebSocket.
    ///
    /// # Errors
    /// If it is no packet.
    pub fn from_frame(revision: Revision, frame: Frame) -> Result<Packet, Malformed> {
        match (revision, frame) {
            (_, Frame::Text(text)) => Packet::from_text(revision, &text),
            (Revision::V4, Frame::Binary(bytes)) => Ok(Packet::Binary(bytes)),
            (Revision::V3, Frame::Binary(bytes)) => Packet::from_bytes(bytes),
        }
    }

    /// The frame of a WebSocket.
    pub fn to_frame(&self, revision: Revision) -> Frame {
        match self {
            Packet::Binary(bytes) if revision == Revision::V3 => {
                Frame::Binary([&[4], bytes.as_slice()].concat())
            }
            Packet::Binary(bytes) => Frame::Binary(bytes.clone()),
            packet => Frame::Text(packet.to_text(revision)),
        }
    }

    /// Revision 3: the first byte of bytes is their type.
    fn from_bytes(mut bytes: Vec<u8>) -> Result<Packet, Malformed> {
        match bytes.first() {
            Some(4) => {
                bytes.remove(0);
                Ok(Packet::Binary(bytes))
            }
            Some(kind) => malformed(format!("bytes of type {kind}")),
            None => malformed("it is empty"),
        }
    }

    fn from_text(revision: Revision, text: &str) -> Result<Packet, Malformed> {
        let mut rest = text.chars();
        let kind = rest.next();
        let rest = rest.as_str();
        match kind {
            Some('0') => Ok(Packet::Open(rest.to_owned())),
            Some('1') => Ok(Packet::Close),
            Some('2') => Ok(Packet::Ping(rest.to_owned())),
            Some('3') => Ok(Packet::Pong(rest.to_owned())),
            Some('4') => Ok(Packet::Text(rest.to_owned())),
            Some('5') => Ok(Packet::Upgrade),
            Some('6') => Ok(Packet::Noop),
            Some('b') if revision == Revision::V4 => decode_base64(rest).map(Packet::Binary),
            Some('b') => match rest.strip_prefix('4') {
                Some(base64) => decode_base64(base64).map(Packet::Binary),
                None => malformed("bytes that are no message"),
            },
            Some(kind) => malformed(format!("unknown type {kind:?}")),
            None => malformed("it is empty"),
        }
    }

    /// As text; bytes in Base64, as they are in a payload.
    fn to_text(&self, revision: Revision) -> String {
        match self {
            Packet::Open(json) => format!("0{json}"),
            Packet::Close => "1".to_owned(),
            Packet::Ping(text) => format!("2{text}"),
            Packet::Pong(text) => format!("3{text}"),
            Packet::Text(text) => format!("4{text}"),
            Packet::Binary(bytes) if revision == Revision::V3 => format!("b4{}", BASE64.encode(bytes)),
            Packet::Binary(bytes) => format!("b{}", BASE64.encode(bytes)),
            Packet::Upgrade => "5".to_owned(),
            Packet::Noop => "6".to_owned(),
        }
    }
}

fn decode_base64(text: &str) -> Result<Vec<u8>, Malformed> {
    let bytes = BASE64.decode(text.as_bytes());
    let bytes = bytes.or_else(|_| BASE64_NOPAD.decode(text.trim_end_matches('=').as_bytes()));
    bytes.map_err(|error| Malformed { detail: format!("bad Base64 ({error})") })
}

/// The revision of a payload that opens a session: those of revision 3 begin with a length, or with bytes.
pub fn revision_of_opening(payload: &[u8]) -> Revision {
    let is_v4 = payload.starts_with(b"0{") || payload.is_empty();
    if is_v4 { Revision::V4 } else { Revision::V3 }
}

/// The packets of a payload of HTTP long polling, one after the other. Ends after the first error.
pub struct Payload<'a> {
    revision: Revision,
    rest: &'a [u8],
    is_done: bool,
}

impl<'a> Payload<'a> {
    /// Reads a payload.
    pub fn new(revision: Revision, bytes: &'a [u8]) -> Self {
        Payload { revision, rest: bytes, is_done: revision == Revision::V3 && bytes.is_empty() }
    }

    fn read(&mut self) -> Result<Packet, Malformed> {
        match (self.revision, self.rest.first()) {
            (Revision::V4, _) => self.read_separated(),
            (Revision::V3, Some(0 | 1)) => self.read_binary(),
            (Revision::V3, _) => self.read_counted(),
        }
    }

    fn read_separated(&mut self) -> Result<Packet, Malformed> {
        let end = self.rest.iter().position(|byte| *byte == SEPARATOR as u8);
        let (packet, rest) = match end {
            Some(end) => (&self.rest[..end], &self.rest[end + 1..]),
            None => (self.rest, &self.rest[self.rest.len()..]),
        };
        self.rest = rest;
        self.is_done = end.is_none();
        Packet::from_text(self.revision, utf8(packet)?)
    }

    /// Revision 3, as text: the number of UTF-16 code units, a colon, the packet. Servers in Python count characters
    /// instead: this shows where another packet, or the end, does not follow.
    fn read_counted(&mut self) -> Result<Packet, Malformed> {
        let colon = self.rest.iter().take(MAX_LENGTH_DIGITS + 1).position(|byte| *byte == b':');
        let Some(colon) = colon else { return malformed("a packet of a payload has no length") };
        let length = decimal(&self.rest[..colon])?;
        let text = utf8(&self.rest[colon + 1..])?;
        let by_units = end_of_units(text, length).filter(|end| is_boundary(&text[*end..]));
        let by_chars = || end_of_chars(text, length).filter(|end| is_boundary(&text[*end..]));
        let Some(end) = by_units.or_else(by_chars) else {
            return malformed("a packet of a payload is shorter than its length");
        };
        self.rest = &self.rest[colon + 1 + end..];
        self.is_done = self.rest.is_empty();
        Packet::from_text(self.revision, &text[..end])
    }

    /// Revision 3, as bytes: 0 for text or 1 for bytes, the number of bytes as one byte per decimal digit, 255, the packet.
    fn read_binary(&mut self) -> Result<Packet, Malformed> {
        let is_text = self.rest.first() == Some(&0);
        let end = self.rest.iter().take(MAX_LENGTH_DIGITS + 2).position(|byte| *byte == 255);
        let Some(end) = end.filter(|end| *end > 1) else {
            return malformed("a packet of a payload has no length");
        };
        let mut length = 0_usize;
        for digit in &self.rest[1..end] {
            if *digit > 9 {
                return malformed("a packet of a payload has a bad length");
            }
            length = length.saturating_mul(10).saturating_add(usize::from(*digit));
        }
        let after = &self.rest[end + 1..];
        if after.len() < length {
            return malformed("a packet of a payload is shorter than its length");
        }
        self.rest = &after[length..];
        self.is_done = self.rest.is_empty();
        match is_text {
            true => Packet::from_text(self.revision, utf8(&after[..length])?),
            false => Packet::from_bytes(after[..length].to_vec()),
        }
    }
}

impl Iterator for Payload<'_> {
    type Item = Result<Packet, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_done {
            return None;
        }
        let packet = self.read();
        self.is_done |= packet.is_err();
        Some(packet)
    }
}

fn utf8(bytes: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(bytes).map_err(|error| Malformed { detail: error.to_string() })
}

fn decimal(digits: &[u8]) -> Result<usize, Malformed> {
    let text = std::str::from_utf8(digits).ok().filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
    match text.and_then(|text| text.parse().ok()) {
        Some(number) => Ok(number),
        None => malformed("a packet of a payload has a bad length"),
    }
}

/// Where a text of so many UTF-16 code units ends, in bytes.
fn end_of_units(text: &str, units: usize) -> Option<usize> {
    let mut left = units;
    for (at, c) in text.char_indices() {
        if left == 0 {
            return Some(at);
        }
        left = left.checked_sub(c.len_utf16())?;
    }
    (left == 0).then_some(text.len())
}

/// Where a text of so many characters ends, in bytes.
fn end_of_chars(text: &str, chars: usize) -> Option<usize> {
    let mut ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    ends.nth(chars)
}

/// Whether a payload of revision 3 ends here, or another packet follows.
fn is_boundary(rest: &str) -> bool {
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    rest.is_empty() || (digits > 0 && rest.as_bytes().get(digits) == Some(&b':'))
}

/// The payload that carries the first of these packets: as many as fit into `max_bytes`, at least one. Returns how many.
pub fn payload<'a>(
    revision: Revision,
    packets: impl IntoIterator<Item = &'a Packet>,
    max_bytes: usize,
) -> (String, usize) {
    let (mut text, mut count) = (String::new(), 0);
    for packet in packets {
        let packet = packet.to_text(revision);
        let (units, chars) = (packet.encode_utf16().count(), packet.chars().count());
        let head = match revision {
            Revision::V4 if count == 0 => String::new(),
            Revision::V4 => SEPARATOR.to_string(),
            Revision::V3 => format!("{units}:"),
        };
        if count > 0 && text.len() + head.len() + packet.len() > max_bytes {
            break;
        }
        text.push_str(&head);
        text.push_str(&packet);
        count += 1;
        // A server in Python would look for the next packet too far on: none follows.
        if revision == Revision::V3 && units != chars {
            break;
        }
    }
    (text, count)
}
