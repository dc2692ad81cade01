//! The Duplex protocol's messages and their codec: one JSON object a text frame. Unknown fields and types are
//! tolerated; malformed, over-deep and over-large input is an error that says where.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::frame::Frame;
use crate::model::content::{self, Private};
use crate::model::file::FileLimits;
use crate::model::rights::{ManageAnswer, ManageRequest};
use crate::model::time::WallMs;
use crate::model::{
    Bucket, Command, CommandState, DeviceId, DeviceState, Draft, Entry, Epoch, Extra, Features, LogLine,
    MessageId, MetricName, NamedRoom, Offset, Principal, Receipt, Refusal, ResumePoint, RoomId, RoomName,
    Sender, Spec, Value,
};

/// Largest frame either end takes, in bytes.
pub const MAX_FRAME_BYTES: usize = 1024 * 1024;
/// Deepest nesting either end takes.
pub const MAX_DEPTH: usize = 16;
/// Maximum length of a ping's `pad` that comes back, in bytes.
pub const MAX_PAD_BYTES: usize = 256;
/// Offsets stay below this, so that every reader of JSON has them exactly.
pub const END_OF_OFFSETS: Offset = Offset(1 << 53);
/// The lowest and highest protocol version this program speaks.
pub const VERSIONS: (u32, u32) = (1, 1);

/// Close codes of this protocol, beyond those of RFC 6455. See PROTOCOL.md.
pub mod close {
    /// No version in common.
    pub const NO_COMMON_VERSION: u16 = 4500;
    /// The token is not known.
    pub const UNAUTHORIZED: u16 = 4501;
    /// This principal may not connect here.
    pub const FORBIDDEN: u16 = 4502;
    /// The invite was used, has expired or never was.
    pub const INVITE_REFUSED: u16 = 4503;
    /// The other end broke the protocol.
    pub const VIOLATION: u16 = 4504;
    /// No hello within 5 s, or no answer to pings.
    pub const TIMED_OUT: u16 = 4400;
    /// The hub is shutting down or restarting.
    pub const GOING_AWAY: u16 = 1001;
    /// The client did not read fast enough for too long.
    pub const TOO_SLOW: u16 = 4401;
    /// A send is missing; the client sends all that is unacknowledged again.
    pub const SEND_LOST: u16 = 4403;
    /// The hub cannot read or write its log at the moment.
    pub const UNAVAILABLE: u16 = 4402;
}

/// What a client says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientMessage {
    /// The first message.
    Hello(Hello),
    /// The answer to a proof: only now does the token travel.
    Auth {
        /// The token.
        token: Token,
    },
    /// Instead of a hello: is this invite good? It is not used up, and the conversation ends with the answer.
    CheckInvite {
        /// The invite's code.
        code: Token,
    },
    /// Deliver a message.
    Send {
        /// What.
        #[serde(flatten)]
        draft: Draft,
        /// Counts the sends of this connection from 1, so that a lost one is noticed before a later one is stored.
        seq: u64,
        /// The first send after a refusal that will pass: from here on the hub may take messages again.
        #[serde(default, skip_serializing_if = "is_false")]
        retry: bool,
    },
    /// The person is typing.
    Typing {
        /// Where.
        room: RoomId,
    },
    /// The person says this of themselves.
    Status {
        /// What; may be empty.
        text: String,
    },
    /// The person has read up to here.
    Read {
        /// Where.
        room: RoomId,
        /// The last read offset.
        offset: Offset,
    },
    /// Whatever the person has read, everything after this place is to be unread.
    Unread {
        /// Where.
        room: RoomId,
        /// The last offset that counts as read.
        offset: Offset,
    },
    /// The person has seen these messages, and others may know.
    Seen {
        /// Where.
        room: RoomId,
        /// The first offset.
        first: Offset,
        /// The last offset.
        last: Offset,
    },
    /// What have others seen in this room? Now, and when it changes.
    Receipts {
        /// Where.
        room: RoomId,
    },
    /// A page of a room's history, please.
    History {
        /// Which room.
        room: RoomId,
        /// Only entries before this offset.
        before: Offset,
        /// At most so many; the hub may cap it.
        limit: u32,
    },
    /// Make a room.
    CreateRoom {
        /// The id of its first entry, and so of the room.
        id: MessageId,
        /// Its name.
        room: RoomName,
        /// When it was typed, by the sender's clock.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<WallMs>,
        /// Who is to be in it, where not everybody is to know of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        private: Option<Private>,
        /// What else is to be said of it.
        #[serde(flatten)]
        extra: Extra,
    },
    /// Tell me of all devices from now on: first the list, then what changes.
    Watch,
    /// This is a device of mine; it is online as long as this connection lasts.
    Announce(Spec),
    /// A device of mine comes or goes while this connection lasts.
    DeviceState {
        /// Which.
        device: DeviceId,
        /// Whether it is there.
        online: bool,
        /// Why it goes. May be empty.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        reason: String,
    },
    /// Readings of devices of mine. Decoded by [`super::readings`], not by this type.
    Publish {
        /// The moments.
        samples: Vec<PublishedSample>,
    },
    /// Set a property of a device.
    Command {
        /// The command's id: new and random.
        id: MessageId,
        /// Which device.
        device: DeviceId,
        /// The incarnation that the person saw; without it, whichever is there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        incarnation: Option<u64>,
        /// Which property.
        property: MetricName,
        /// To what.
        value: Value,
    },
    /// What became of a command that a device of mine was given: `done` or `failed`.
    CommandResult {
        /// The command's id.
        id: MessageId,
        /// What became of it.
        #[serde(flatten)]
        state: CommandState,
    },
    /// A part of a metric's stored past, please.
    Series {
        /// Of which device.
        device: DeviceId,
        /// Of which metric.
        metric: MetricName,
        /// From here, by the hub's clock, in Unix milliseconds.
        from: WallMs,
        /// To here, exclusive.
        to: WallMs,
    },
    /// A device's log, please.
    DeviceLog {
        /// Of which device.
        device: DeviceId,
    },
    /// As an admin: list people, devices and invites, or change them.
    Manage {
        /// Comes back in the answer; chosen by the client.
        id: u64,
        /// What.
        #[serde(flatten)]
        what: ManageRequest,
    },
    /// Are you there?
    Ping {
        /// Comes back in the pong.
        nonce: u64,
        /// Comes back, too, where it is no longer than [`MAX_PAD_BYTES`]: measures what a message of some length costs.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        pad: String,
    },
    /// Goodbye; the socket closes next.
    Bye,
}

/// One device's values of one moment, on the way to the hub.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PublishedSample {
    /// Whose.
    pub device: DeviceId,
    /// When, by the device's clock; none: now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<WallMs>,
    /// What.
    pub values: BTreeMap<MetricName, Value>,
}

/// One device's values of one moment, on the way from the hub.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReadSample {
    /// Whose.
    pub device: DeviceId,
    /// When, by the device's clock.
    pub at: WallMs,
    /// When, by the hub's.
    pub received: WallMs,
    /// What.
    pub values: BTreeMap<MetricName, Value>,
}

/// A token on its way. Not part of what `Debug` prints.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(pub String);

impl From<&str> for Token {
    fn from(text: &str) -> Self {
        Token(text.to_owned())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// A client's first message.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    /// Lowest and highest version it speaks.
    pub versions: (u32, u32),
    /// The program and its version, for people.
    #[serde(default)]
    pub client: String,
    /// What the client understands beyond version 1: words of later versions.
    #[serde(default, skip_serializing_if = "Features::is_empty")]
    pub features: Features,
    /// The token, where the transport could not carry it in a header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// An invite to redeem.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invite: Option<Redeem>,
    /// 32 random bytes in hexadecimal: prove that you are the hub I know, before I tell you my token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub challenge: Option<String>,
    /// What the client holds; none on first contact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<ResumePoint>,
    /// Without `resume`: begin after this offset instead of a recent one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Offset>,
}

/// Without the token.
impl fmt::Debug for Hello {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hello")
            .field("versions", &self.versions)
            .field("client", &self.client)
            .field("has_token", &self.token.is_some())
            .field("invite", &self.invite)
            .field("resume", &self.resume)
            .field("since", &self.since)
            .finish_non_exhaustive()
    }
}

/// Without the code and the token.
impl fmt::Debug for Redeem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redeem").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A single-use invite being redeemed. The client makes its own token, so that a lost answer can be asked for again.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Redeem {
    /// The invite's code.
    pub code: String,
    /// The name people will see.
    pub name: String,
    /// The token that the client will come with from now on: 64 hexadecimal digits.
    pub token: String,
}

/// What a hub says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum HubMessage {
    /// The answer to a challenge.
    Proof {
        /// HMAC-SHA-256 in hexadecimal; see PROTOCOL.md.
        mac: String,
    },
    /// The answer to `check_invite`: it can be redeemed.
    InviteGood {
        /// The hub's name, for people.
        hub: String,
        /// Until when, in Unix milliseconds by the hub's clock.
        expires: WallMs,
    },
    /// The answer to hello: the session is online.
    Welcome(Welcome),
    /// What follows of the welcome's lists.
    Lists(Lists),
    /// Entries of the log, in order. With what is skipped they are gapless.
    Log {
        /// The entries; at least one, and the last one is the last of all that this tells of.
        entries: Vec<Entry>,
        /// Offsets of entries that are not for this client, from one to another, in order.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        skip: Vec<(Offset, Offset)>,
    },
    /// A message is on disk here.
    Ack {
        /// Which.
        id: MessageId,
        /// Where in the log.
        offset: Offset,
        /// When, by the hub's clock.
        received: WallMs,
        /// Whether its entry follows in the log.
        #[serde(default = "yes", skip_serializing_if = "is_true")]
        entry: bool,
        /// For a room that was there already: which.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        room: Option<RoomId>,
    },
    /// A message was not taken; nothing was stored.
    Refused {
        /// Which.
        id: MessageId,
        /// Why.
        refusal: Refusal,
    },
    /// Somebody is typing.
    Typing {
        /// Where.
        room: RoomId,
        /// Who.
        who: Sender,
    },
    /// Somebody came or went.
    Presence {
        /// Who.
        who: Principal,
        /// Whether any of their apps is connected.
        online: bool,
        /// What they say of themselves.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        status: String,
        /// Whether they were removed: they are nobody at this hub any more.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        removed: bool,
    },
    /// This principal has read up to here, in another app.
    Read {
        /// Where.
        room: RoomId,
        /// The last read offset.
        offset: Offset,
    },
    /// This principal wants everything after this place to be unread, in another app.
    Unread {
        /// Where.
        room: RoomId,
        /// The last offset that counts as read.
        offset: Offset,
    },
    /// What people have seen in a room that this client asked about, as far as they let others know.
    Receipts {
        /// Where.
        room: RoomId,
        /// By whom.
        by: Vec<Receipt>,
        /// Whether these are all that there are; else those that have changed.
        #[serde(default, skip_serializing_if = "is_false")]
        all: bool,
    },
    /// A page of history.
    History {
        /// Which room.
        room: RoomId,
        /// As asked.
        before: Offset,
        /// Oldest first; the newest ones before `before`.
        entries: Vec<Entry>,
        /// Whether no older ones are held.
        complete: bool,
    },
    /// A piece of the list of devices.
    Devices {
        /// When the hub was started, by its clock.
        started: WallMs,
        /// The devices of this piece.
        devices: Vec<DeviceState>,
        /// Whether more pieces follow.
        #[serde(default)]
        more: bool,
    },
    /// A device announced itself, or its announcement changed.
    Device {
        /// It.
        device: Box<DeviceState>,
    },
    /// A device came or went.
    DeviceState {
        /// Which.
        device: DeviceId,
        /// Whether it is there.
        online: bool,
        /// Since when, by the hub's clock.
        since: WallMs,
        /// Why it went. May be empty.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        reason: String,
    },
    /// Readings, as they come. Decoded by [`super::readings`], not by this type.
    Readings {
        /// The moments, in the order in which the hub received them.
        samples: Vec<ReadSample>,
        /// How many other readings were left out before these, because the client did not keep up.
        #[serde(default, skip_serializing_if = "is_zero")]
        conflated: u64,
    },
    /// To a publisher: a property of a device of its own is to be set.
    Command {
        /// The command's id.
        id: MessageId,
        /// Which device.
        device: DeviceId,
        /// Which property.
        property: MetricName,
        /// To what.
        value: Value,
        /// Who asked.
        by: Sender,
        /// Not to be carried out later than so long after it came, in milliseconds.
        expires_in_ms: u64,
    },
    /// To those who watch: a command was given, or ended.
    Commanded {
        /// The command and what became of it.
        #[serde(flatten)]
        command: Command,
    },
    /// A part of a metric's stored past.
    Series {
        /// As asked.
        device: DeviceId,
        /// As asked.
        metric: MetricName,
        /// As asked.
        from: WallMs,
        /// As asked.
        to: WallMs,
        /// The width of one bucket, in milliseconds.
        step_ms: i64,
        /// `[at, min, mean, max, count]`, in order of time.
        buckets: Vec<Bucket>,
    },
    /// A device's log, newest last.
    DeviceLog {
        /// Whose.
        device: DeviceId,
        /// The lines.
        lines: Vec<LogLine>,
    },
    /// The answer to `manage`.
    Managed {
        /// As asked.
        id: u64,
        /// What became of it.
        #[serde(flatten)]
        managed: ManageAnswer,
    },
    /// An announcement or readings were not taken.
    PublishRefused {
        /// Of which device, as it was told.
        device: String,
        /// A stable word; see PROTOCOL.md.
        code: String,
        /// For people.
        #[serde(default)]
        detail: String,
    },
    /// Something that was asked could not be done.
    Error {
        /// A stable word; see PROTOCOL.md.
        code: String,
        /// For people.
        #[serde(default)]
        detail: String,
    },
    /// The answer to a ping.
    Pong {
        /// The ping's.
        nonce: u64,
        /// The last offset sent before this pong; a client that has not received it missed a frame.
        sent: Offset,
        /// The ping's.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        pad: String,
    },
    /// The hub is about to close the socket.
    Bye {
        /// The close code that follows.
        code: u16,
        /// For people.
        #[serde(default)]
        reason: String,
        /// Do not come back sooner, in milliseconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after_ms: Option<u64>,
    },
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_true(flag: &bool) -> bool {
    *flag
}

fn yes() -> bool {
    true
}

/// The hub's answer to hello.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Welcome {
    /// The version both speak from now on.
    pub version: u32,
    /// The hub's name, for people.
    pub hub: String,
    /// Who the client is.
    pub me: Principal,
    /// Which log.
    pub epoch: Epoch,
    /// The newest offset; 0 when the log is empty.
    pub head: Offset,
    /// The next offset that will be sent.
    pub from: Offset,
    /// How `from` was found.
    pub start: Start,
    /// The hub's clock, in Unix milliseconds.
    pub now: WallMs,
    /// Largest message body, in bytes.
    pub max_body: u64,
    /// What the hub takes in files, where it takes any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<FileLimits>,
    /// What the hub offers; none: all of version 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub features: Option<Features>,
    /// All rooms, or the first of them.
    pub rooms: Vec<NamedRoom>,
    /// Everyone who may chat, or the first of them.
    pub people: Vec<PersonState>,
    /// What this principal has read, or the first of that.
    #[serde(default)]
    pub read: Vec<ReadState>,
    /// Whether the three lists are only their beginning, and `lists` follow.
    #[serde(default, skip_serializing_if = "is_false")]
    pub more: bool,
}

/// More of a welcome's lists.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Lists {
    /// More rooms.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rooms: Vec<NamedRoom>,
    /// More people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<PersonState>,
    /// More of what this principal has read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub read: Vec<ReadState>,
    /// Whether more follows.
    #[serde(default)]
    pub more: bool,
}

/// How the hub found the first offset to send.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// The one after the client's resume point.
    Resumed,
    /// A recent one: the client held nothing.
    Recent,
    /// The oldest: the client's resume point is not in this log.
    EpochChanged,
    /// The oldest held: what follows the client's resume point is gone.
    Trimmed,
}

/// Somebody, and whether connected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PersonState {
    /// Who.
    #[serde(flatten)]
    pub who: Principal,
    /// Whether any of their apps is connected.
    pub online: bool,
    /// What they say of themselves.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub status: String,
}

/// A read marker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReadState {
    /// Where.
    pub room: RoomId,
    /// The last read offset.
    pub offset: Offset,
}

/// A frame that is not a message of this protocol.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Larger than [`MAX_FRAME_BYTES`].
    #[error("a frame of {bytes} bytes; at most {MAX_FRAME_BYTES} are allowed")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// Nested deeper than [`MAX_DEPTH`].
    #[error("nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// A binary frame.
    #[error("a binary frame; this protocol has text frames only")]
    Binary,
    /// Not JSON, or not of the shape its type asks for.
    #[error("{detail}")]
    Shape {
        /// What and where.
        detail: String,
    },
}

/// A decoded frame: a message, or one of a type this version does not know.
#[derive(Clone, Debug, PartialEq)]
pub enum Decoded<M> {
    /// A message.
    Known(M),
    /// Of another version: to be skipped.
    UnknownType(String),
}

/// The `type` values of [`ClientMessage`].
const CLIENT_TYPES: &[&str] = &[
    "hello",
    "auth",
    "check_invite",
    "send",
    "typing",
    "status",
    "read",
    "unread",
    "seen",
    "receipts",
    "history",
    "create_room",
    "watch",
    "announce",
    "device_state",
    "publish",
    "command",
    "command_result",
    "series",
    "device_log",
    "manage",
    "ping",
    "bye",
];
/// The `type` values of [`HubMessage`].
const HUB_TYPES: &[&str] = &[
    "proof",
    "unread",
    "invite_good",
    "welcome",
    "lists",
    "log",
    "ack",
    "refused",
    "typing",
    "presence",
    "read",
    "receipts",
    "history",
    "devices",
    "device",
    "device_state",
    "readings",
    "command",
    "commanded",
    "series",
    "device_log",
    "managed",
    "publish_refused",
    "error",
    "pong",
    "bye",
];

/// A message of one of the two directions.
pub trait Message: Serialize + DeserializeOwned {
    /// Every `type` there is.
    const TYPES: &'static [&'static str];

    /// Reads a message of the most frequent type in one pass. `None`: it is of another type.
    fn read_frequent(_text: &str) -> Option<serde_json::Result<Self>> {
        None
    }
}

impl Message for ClientMessage {
    const TYPES: &'static [&'static str] = CLIENT_TYPES;

    fn read_frequent(text: &str) -> Option<serde_json::Result<Self>> {
        let sent =
            |send: SendFields| ClientMessage::Send { draft: send.draft, seq: send.seq, retry: send.retry };
        text.starts_with(BEGIN_OF_SEND).then(|| serde_json::from_str(text).map(sent))
    }
}

impl Message for HubMessage {
    const TYPES: &'static [&'static str] = HUB_TYPES;
}

/// How clients begin a `send`.
const BEGIN_OF_SEND: &str = r#"{"type":"send","#;

/// The fields of a `send`, as they are read in one pass: with an internally tagged enum all of them would be copied first.
struct SendFields {
    draft: Draft,
    seq: u64,
    retry: bool,
}

impl<'de> Deserialize<'de> for SendFields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SendVisitor;

        impl<'de> Visitor<'de> for SendVisitor {
            type Value = SendFields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a `send`")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SendFields, A::Error> {
                let (mut fields, mut seq, mut retry) = (content::Fields::default(), None, None);
                while let Some(content::Name(name)) = map.next_key()? {
                    match &*name {
                        "type" => drop(map.next_value::<de::IgnoredAny>()?),
                        "seq" => content::once(&mut seq, "seq", map.next_value()?)?,
                        "retry" => content::once(&mut retry, "retry", map.next_value()?)?,
                        _ => fields.take_of_sender(name, &mut map)?,
                    }
                }
                let seq = seq.ok_or_else(|| de::Error::missing_field("seq"))?;
                Ok(SendFields { draft: fields.draft_of_sender()?, seq, retry: retry.unwrap_or(false) })
            }
        }

        deserializer.deserialize_map(SendVisitor)
    }
}

/// Makes a frame of a message.
pub fn encode<M: Message>(message: &M) -> Frame {
    // Serialising these types cannot fail: no maps with non-text keys, no failing `Serialize` of our own.
    Frame::Text(serde_json::to_string(message).unwrap_or_default())
}

/// Makes a message of a frame.
pub fn decode<M: Message>(frame: &Frame) -> Result<Decoded<M>, Malformed> {
    let Frame::Text(text) = frame else {
        return Err(Malformed::Binary);
    };
    if text.len() > MAX_FRAME_BYTES {
        return Err(Malformed::TooLarge { bytes: text.len() });
    }
    if deeper_than(text, MAX_DEPTH) {
        return Err(Malformed::TooDeep);
    }
    match M::read_frequent(text).unwrap_or_else(|| serde_json::from_str::<M>(text)) {
        Ok(message) => Ok(Decoded::Known(message)),
        Err(error) => match serde_json::from_str::<Probe>(text) {
            Ok(probe) if !M::TYPES.contains(&probe.kind.as_str()) => Ok(Decoded::UnknownType(probe.kind)),
            _ => Err(Malformed::Shape { detail: error.to_string() }),
        },
    }
}

/// Whether a frame has the type of a message that a hub says, however the rest of it looks.
pub(super) fn hub_type(frame: &Frame) -> bool {
    let Frame::Text(text) = frame else { return false };
    let fits = text.len() <= MAX_FRAME_BYTES && !deeper_than(text, MAX_DEPTH);
    fits && serde_json::from_str::<Probe>(text).is_ok_and(|probe| HUB_TYPES.contains(&probe.kind.as_str()))
}

/// The type alone.
#[derive(Deserialize)]
pub(super) struct Probe {
    #[serde(rename = "type")]
    pub(super) kind: String,
}

/// Whether brackets outside of strings nest deeper than `limit`.
pub(super) fn deeper_than(text: &str, limit: usize) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                if depth > limit {
                    return true;
                }
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}
