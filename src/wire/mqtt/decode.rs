//! [`Decoder`]: packets out of pieces of any size. A packet that lies in one piece is read where it lies. Properties are read by
//! `mqtt-protocol-core`; the packets around them here, because that refuses codes which it does not know, and copies payloads.

use std::sync::Arc;

use mqtt_protocol_core::mqtt::packet::prelude::PropertyValueAccess;
use mqtt_protocol_core::mqtt::packet::{Properties as Read, PropertiesParse, Property};

use super::packet::{Ack, AckKind, Connack, Packet, Publish, Version};
use crate::model::publication::{Properties, Qos};

/// Maximum size of a packet that is read, in bytes. Of a longer message, only the topic is.
pub const MAX_PACKET_BYTES: usize = 4 * 1024 * 1024;
/// How much is kept of a longer message, in bytes: its topic, packet id and the begin of its properties.
const HEAD_BYTES: usize = 128 * 1024;
/// Maximum length of the fixed header, in bytes.
const MAX_HEADER_BYTES: usize = 5;
/// A buffer larger than this is not kept for the next packet, in bytes.
const KEPT_BYTES: usize = 256 * 1024;

/// Why something is no packet.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The length has more than four bytes.
    #[error("the length of a packet is malformed")]
    Length,
    /// A packet other than `PUBLISH` is longer than [`MAX_PACKET_BYTES`].
    #[error("a {kind} of {bytes} bytes is too large")]
    TooLarge {
        /// The packet's name.
        kind: &'static str,
        /// Its length.
        bytes: usize,
    },
    /// A packet that servers do not send.
    #[error("a packet of type {0} was not expected")]
    Type(u8),
    /// A packet ends too early or too late, or has a value that does not exist.
    #[error("a {kind} is malformed: {what}")]
    Packet {
        /// The packet's name.
        kind: &'static str,
        /// What is wrong.
        what: &'static str,
    },
}

/// Reads packets.
#[derive(Debug, Default)]
pub struct Decoder {
    version: Version,
    /// The begin of a packet whose end has not come.
    buffer: Vec<u8>,
    /// Bytes of a message too large that are still to come and are not kept.
    skip: usize,
    /// Length of the message that is too large.
    oversized: Option<usize>,
    /// Whether what is in the buffer was read.
    is_read: bool,
}

/// A fixed header.
#[derive(Copy, Clone)]
struct Header {
    first: u8,
    /// Its length.
    length: usize,
    /// The length of what follows.
    body: usize,
}

impl Header {
    /// `None` if its end has not come.
    fn read(bytes: &[u8]) -> Result<Option<Header>, Malformed> {
        let Some((first, rest)) = bytes.split_first() else { return Ok(None) };
        let mut body = 0;
        for (at, byte) in rest.iter().take(MAX_HEADER_BYTES - 1).enumerate() {
            body |= usize::from(byte & 0x7F) << (7 * at);
            if byte & 0x80 == 0 {
                return Ok(Some(Header { first: *first, length: at + 2, body }));
            }
        }
        if rest.len() >= MAX_HEADER_BYTES - 1 { Err(Malformed::Length) } else { Ok(None) }
    }

    fn total(self) -> usize {
        self.length + self.body
    }
}

impl Decoder {
    /// Reads packets of this version from now on.
    pub fn set_version(&mut self, version: Version) {
        self.version = version;
    }

    /// The next packet; `None` once `input` is used up.
    ///
    /// # Errors
    /// What was received is no MQTT.
    pub fn next<'a, 'i: 'a>(&'a mut self, input: &mut &'i [u8]) -> Result<Option<Packet<'a>>, Malformed> {
        if std::mem::take(&mut self.is_read) {
            self.buffer.clear();
            self.buffer.shrink_to(KEPT_BYTES);
            self.oversized = None;
        }
        if self.buffer.is_empty()
            && let Some(header) = Header::read(input)?
            && header.total() <= input.len().min(MAX_PACKET_BYTES)
        {
            let (packet, rest) = input.split_at(header.total());
            *input = rest;
            return parse(self.version, header.first, &packet[header.length..], None).map(Some);
        }
        let Some(header) = self.gather(input)? else { return Ok(None) };
        self.is_read = true;
        let left_out = self.oversized.map(|total| total - self.buffer.len());
        parse(self.version, header.first, &self.buffer[header.length..], left_out).map(Some)
    }

    /// Takes what belongs to the packet in the buffer. Returns its header once it is complete.
    fn gather(&mut self, input: &mut &[u8]) -> Result<Option<Header>, Malformed> {
        let header = loop {
            if let Some(header) = Header::read(&self.buffer)? {
                break header;
            }
            let Some((byte, rest)) = input.split_first() else { return Ok(None) };
            self.buffer.push(*byte);
            *input = rest;
        };
        let total = header.total();
        if total > MAX_PACKET_BYTES && self.oversized.is_none() {
            if header.first >> 4 != 3 {
                return Err(Malformed::TooLarge { kind: name(header.first), bytes: total });
            }
            self.oversized = Some(total);
            self.skip = total - HEAD_BYTES;
        }
        let wanted = if self.oversized.is_some() { HEAD_BYTES } else { total };
        let (more, rest) = input.split_at((wanted - self.buffer.len()).min(input.len()));
        self.buffer.extend_from_slice(more);
        let skipped = if self.buffer.len() == wanted { self.skip.min(rest.len()) } else { 0 };
        self.skip -= skipped;
        *input = &rest[skipped..];
        Ok((self.buffer.len() == wanted && self.skip == 0).then_some(header))
    }
}

/// A packet's name.
pub fn name(first: u8) -> &'static str {
    match first >> 4 {
        1 => "CONNECT",
        2 => "CONNACK",
        3 => "PUBLISH",
        4 => "PUBACK",
        5 => "PUBREC",
        6 => "PUBREL",
        7 => "PUBCOMP",
        8 => "SUBSCRIBE",
        9 => "SUBACK",
        10 => "UNSUBSCRIBE",
        11 => "UNSUBACK",
        12 => "PINGREQ",
        13 => "PINGRESP",
        14 => "DISCONNECT",
        15 => "AUTH",
        _ => "packet",
    }
}

/// Reads the body of a packet piece by piece.
struct Body<'a> {
    kind: &'static str,
    rest: &'a [u8],
}

impl<'a> Body<'a> {
    fn bad<T>(&self, what: &'static str) -> Result<T, Malformed> {
        Err(Malformed::Packet { kind: self.kind, what })
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        if count > self.rest.len() {
            return self.bad("it ends too early");
        }
        let (taken, rest) = self.rest.split_at(count);
        self.rest = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, Malformed> {
        Ok(self.take(1)?[0])
    }

    fn number(&mut self) -> Result<u16, Malformed> {
        let bytes = self.take(2)?;
        Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    /// A packet id, which is never 0 (MQTT-2.2.1-3).
    fn id(&mut self) -> Result<u16, Malformed> {
        match self.number()? {
            0 => self.bad("its packet id is 0"),
            id => Ok(id),
        }
    }

    fn text(&mut self) -> Result<&'a str, Malformed> {
        let length = self.number()?.into();
        let bytes = self.take(length)?;
        match std::str::from_utf8(bytes) {
            // MQTT-1.5.4-2.
            Ok(text) if !text.contains('\0') => Ok(text),
            _ => self.bad("a text is not UTF-8"),
        }
    }

    fn properties(&mut self) -> Result<Read, Malformed> {
        if self.rest.first() == Some(&0) {
            self.rest = &self.rest[1..];
            return Ok(Read::new());
        }
        match Read::parse(self.rest) {
            Ok((properties, length)) if length <= self.rest.len() => {
                self.rest = &self.rest[length..];
                Ok(properties)
            }
            _ => self.bad("its properties are malformed"),
        }
    }

    /// A code and properties, which MQTT 5 may leave out at the end of a packet.
    fn outcome(&mut self, version: Version) -> Result<(u8, Read), Malformed> {
        if version == Version::V311 || self.rest.is_empty() {
            return Ok((0, Read::new()));
        }
        let code = self.byte()?;
        let properties = if self.rest.is_empty() { Read::new() } else { self.properties()? };
        Ok((code, properties))
    }

    fn end<T>(self, value: T) -> Result<T, Malformed> {
        if self.rest.is_empty() { Ok(value) } else { self.bad("it has more than it should") }
    }
}

fn parse<'a>(
    version: Version,
    first: u8,
    body: &'a [u8],
    left_out: Option<usize>,
) -> Result<Packet<'a>, Malformed> {
    let kind = name(first);
    let mut body = Body { kind, rest: body };
    // All but PUBLISH have fixed flags (MQTT-2.1.3-1).
    let flags = if first >> 4 == 6 { 2 } else { 0 };
    if first >> 4 != 3 && first & 0x0F != flags {
        return body.bad("its flags are wrong");
    }
    match first >> 4 {
        2 => connack(version, body).map(Packet::Connack),
        3 => publish(version, first, body, left_out).map(Packet::Publish),
        4 => ack(version, AckKind::Puback, body),
        5 => ack(version, AckKind::Pubrec, body),
        6 => ack(version, AckKind::Pubrel, body),
        7 => ack(version, AckKind::Pubcomp, body),
        9 | 11 => {
            let id = body.id()?;
            let properties = if version == Version::V5 { body.properties()? } else { Read::new() };
            Ok(Packet::Granted { id, codes: body.rest.to_vec(), said: said(&properties) })
        }
        13 => body.end(Packet::Pong),
        14 if version == Version::V5 => {
            let (code, properties) = body.outcome(version)?;
            let reference = text(&properties, |property| matches!(property, Property::ServerReference(_)));
            body.end(Packet::Disconnect { code, said: said(&properties), reference })
        }
        15 if version == Version::V5 => Ok(Packet::Auth),
        other => Err(Malformed::Type(other)),
    }
}

fn ack(version: Version, kind: AckKind, mut body: Body<'_>) -> Result<Packet<'static>, Malformed> {
    let id = body.id()?;
    let (code, properties) = body.outcome(version)?;
    body.end(Packet::Ack(Ack { kind, id, code, said: said(&properties) }))
}

fn connack(version: Version, mut body: Body<'_>) -> Result<Connack, Malformed> {
    let flags = body.byte()?;
    if flags > 1 {
        return body.bad("its flags are wrong");
    }
    let code = body.byte()?;
    let mut connack = Connack { session_present: flags == 1, code, ..Connack::default() };
    // A server that does not know version 5 answers as its own version has it.
    if version == Version::V311 || body.rest.is_empty() {
        return body.end(connack);
    }
    let properties = body.properties()?;
    connack.said = said(&properties);
    for property in &properties {
        let number = property.as_u16();
        let is_on = property.as_u8().map(|byte| byte != 0);
        let words = || property.as_str().map(str::to_owned);
        match property {
            Property::ReceiveMaximum(_) => connack.receive_maximum = number,
            Property::MaximumPacketSize(_) => connack.max_packet = property.as_u32(),
            Property::MaximumQos(_) => connack.max_qos = property.as_u8(),
            Property::RetainAvailable(_) => connack.retains = is_on,
            Property::WildcardSubscriptionAvailable(_) => connack.has_wildcards = is_on,
            Property::SubscriptionIdentifierAvailable(_) => connack.has_subscription_ids = is_on,
            Property::ServerKeepAlive(_) => connack.keep_alive = number,
            Property::SessionExpiryInterval(_) => connack.session_expiry = property.as_u32(),
            Property::AssignedClientIdentifier(_) => connack.client_id = words(),
            Property::ServerReference(_) => connack.reference = words(),
            _ => {}
        }
    }
    body.end(connack)
}

fn publish<'a>(
    version: Version,
    first: u8,
    mut body: Body<'a>,
    left_out: Option<usize>,
) -> Result<Publish<'a>, Malformed> {
    let Some(qos) = Qos::of((first >> 1) & 3) else { return body.bad("its QoS is 3") };
    let topic = body.text()?;
    if topic.contains(['+', '#']) {
        return body.bad("its topic has wildcards");
    }
    let id = if qos == Qos::AtMostOnce { None } else { Some(body.id()?) };
    let (is_retained, is_repeated) = (first & 1 != 0, first & 8 != 0);
    let mut publish = Publish { topic, qos, is_retained, is_repeated, id, ..Publish::default() };
    match (version, body.rest.first()) {
        (Version::V311, _) => {}
        (Version::V5, Some(0)) => body.rest = &body.rest[1..],
        // Longer than what was kept of the packet: they have no meaning here, as the payload has none.
        (Version::V5, _) if left_out.is_some() => _ = body.properties().map(|read| publish.describe(&read)),
        (Version::V5, _) => publish.describe(&body.properties()?),
    }
    if topic.is_empty() && publish.alias.is_none() {
        return body.bad("it has no topic");
    }
    publish.left_out = left_out.map(|more| body.rest.len() + more);
    publish.payload = if left_out.is_some() { &[] } else { body.rest };
    Ok(publish)
}

impl Publish<'_> {
    /// Takes over its properties.
    fn describe(&mut self, read: &Read) {
        let mut properties = Properties::default();
        for property in read {
            let words = || property.as_str().unwrap_or_default().to_owned();
            match property {
                Property::TopicAlias(alias) => self.alias = Some(alias.val()),
                Property::SubscriptionIdentifier(id) => self.subscriptions.push(id.val()),
                Property::PayloadFormatIndicator(_) => properties.is_text = property.as_u8() == Some(1),
                Property::MessageExpiryInterval(expiry) => properties.expiry_s = Some(expiry.val()),
                Property::ContentType(_) => properties.content_type = words(),
                Property::ResponseTopic(_) => properties.response_topic = words(),
                Property::CorrelationData(data) => properties.correlation = data.val().to_vec(),
                Property::UserProperty(pair) => {
                    properties.user.push((pair.key().to_owned(), pair.val().to_owned()));
                }
                _ => {}
            }
        }
        properties.bound();
        self.properties = (!properties.is_empty()).then(|| Arc::new(properties));
    }
}

/// The reason string.
fn said(properties: &Read) -> String {
    text(properties, |property| matches!(property, Property::ReasonString(_))).unwrap_or_default()
}

fn text(properties: &Read, is_it: impl Fn(&Property) -> bool) -> Option<String> {
    properties.iter().find(|property| is_it(property))?.as_str().map(str::to_owned)
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
