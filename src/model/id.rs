//! Names and positions that a client and a hub share. Each has one text form, used on the wire and on the disk.

use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::time::WallMs;

/// Position in a hub's one event log: 1 for the first entry, gapless over all rooms. 0 is "before the first".
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Offset(pub u64);

impl Offset {
    /// Greater than that of any entry.
    pub const MAX: Offset = Offset(u64::MAX);

    /// The one after this.
    #[must_use]
    pub const fn next(self) -> Offset {
        Offset(self.0.saturating_add(1))
    }

    /// The one before this; 0 if there is none.
    #[must_use]
    pub const fn previous(self) -> Offset {
        Offset(self.0.saturating_sub(1))
    }

    /// How many entries after `earlier` this is; 0 if it is before.
    #[must_use]
    pub const fn since(self, earlier: Offset) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// So many entries later.
impl Add<u64> for Offset {
    type Output = Offset;

    fn add(self, entries: u64) -> Offset {
        Offset(self.0.saturating_add(entries))
    }
}

/// So many entries earlier.
impl Sub<u64> for Offset {
    type Output = Offset;

    fn sub(self, entries: u64) -> Offset {
        Offset(self.0.saturating_sub(entries))
    }
}

/// How many entries there are from one to a later one.
impl Sub for Offset {
    type Output = u64;

    fn sub(self, earlier: Offset) -> u64 {
        self.since(earlier)
    }
}

impl From<Offset> for u64 {
    fn from(offset: Offset) -> u64 {
        offset.0
    }
}

impl FromStr for Offset {
    type Err = std::num::ParseIntError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Offset)
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A UUID made by the sender's app: the key by which a hub knows a message again.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageId(pub Uuid);

impl MessageId {
    /// Makes an id (version 4) of 16 random bytes.
    pub fn from_random(bytes: [u8; 16]) -> Self {
        MessageId(uuid::Builder::from_random_bytes(bytes).into_uuid())
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for MessageId {
    type Err = uuid::Error;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::from_str(text).map(MessageId)
    }
}

/// Who sends or publishes, as a hub names them. Opaque to a client.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PrincipalId(pub String);

impl PrincipalId {
    /// How the id of a program begins that posts messages with the token of a hook. Nobody else's id begins so.
    pub const INTEGRATION: &str = "hook:";

    /// Whether it is a program that posts messages, and not a person.
    pub fn is_integration(&self) -> bool {
        self.0.starts_with(Self::INTEGRATION)
    }
}

impl fmt::Display for PrincipalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A random number made when a hub's log was created. 16 hexadecimal digits as text.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Epoch(pub u64);

impl From<Epoch> for String {
    fn from(epoch: Epoch) -> String {
        epoch.to_string()
    }
}

impl TryFrom<String> for Epoch {
    type Error = InvalidName;
    fn try_from(text: String) -> Result<Self, InvalidName> {
        if text.len() == 16
            && text.bytes().all(|b| b.is_ascii_hexdigit())
            && let Ok(number) = u64::from_str_radix(&text, 16)
        {
            return Ok(Epoch(number));
        }
        Err(InvalidName("an epoch is 16 hexadecimal digits"))
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// What a client has committed of a hub's log: the last entry it holds on disk.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResumePoint {
    /// The log it was read from.
    pub epoch: Epoch,
    /// The last committed entry's offset.
    pub offset: Offset,
    /// The last committed entry's id: a log restored from a backup has another one there.
    pub id: MessageId,
    /// When the hub wrote it: a log restored from a backup may have taken the same message again, in the same place and
    /// after others.
    pub received: WallMs,
}

/// A name that breaks its rule; the text says the rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidName(pub &'static str);

/// A room, as its server knows it: that of the entry which made it, as text. The room that every server has is called
/// `general`, and rooms of older versions have the name that they had then. Opaque to a client: 1 to 256 bytes, no control
/// characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RoomId(String);

impl RoomId {
    /// Longest id, in bytes of UTF-8.
    pub const MAX_BYTES: usize = 256;

    /// Takes an id that keeps the rule.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidName> {
        let text = text.into();
        if text.is_empty() || text.len() > Self::MAX_BYTES || text.chars().any(char::is_control) {
            return Err(InvalidName("a room's id has 1 to 256 bytes, none of them control characters"));
        }
        Ok(RoomId(text))
    }

    /// The room that every server has.
    pub fn general() -> Self {
        RoomId("general".to_owned())
    }

    /// The one room of a server that has no rooms.
    pub fn messages() -> Self {
        RoomId("messages".to_owned())
    }

    /// That of a room whose name is its id too.
    pub(super) fn same_as(name: &RoomName) -> Self {
        RoomId(name.0.clone())
    }

    /// One before which no other is in order.
    pub(super) fn least() -> Self {
        RoomId(String::new())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RoomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The room that an entry makes.
impl From<MessageId> for RoomId {
    fn from(id: MessageId) -> RoomId {
        RoomId(id.to_string())
    }
}

impl From<RoomId> for String {
    fn from(id: RoomId) -> String {
        id.0
    }
}

impl TryFrom<String> for RoomId {
    type Error = InvalidName;
    fn try_from(text: String) -> Result<Self, InvalidName> {
        RoomId::new(text)
    }
}

/// A room's name, which may change: 1 to 64 characters, no control characters, no white space at either end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RoomName(String);

impl RoomName {
    /// Longest name, in characters.
    pub const MAX_CHARS: usize = 64;

    /// Takes a name that keeps the rule.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidName> {
        let text = text.into();
        let count = text.chars().take(Self::MAX_CHARS + 1).count();
        let visible = !text.chars().any(char::is_control) && text.trim() == text;
        if count == 0 || count > Self::MAX_CHARS || !visible {
            return Err(InvalidName("a room's name has 1 to 64 characters, none of them control characters"));
        }
        Ok(RoomName(text))
    }

    /// The name of the room that every server has.
    pub fn general() -> Self {
        RoomName("general".to_owned())
    }

    /// The name of a room of which only the id is known: as much of that as keeps the rule.
    pub fn of_id(id: &RoomId) -> Self {
        RoomName::closest(&id.0).unwrap_or_else(|| RoomName("?".to_owned()))
    }

    /// As much of a text as keeps the rule; none where nothing does.
    pub fn closest(text: &str) -> Option<Self> {
        let visible: String = text.chars().filter(|c| !c.is_control()).collect();
        let cut: String = visible.trim().chars().take(Self::MAX_CHARS).collect();
        RoomName::new(cut.trim()).ok()
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RoomName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<RoomName> for String {
    fn from(name: RoomName) -> String {
        name.0
    }
}

impl TryFrom<String> for RoomName {
    type Error = InvalidName;
    fn try_from(text: String) -> Result<Self, InvalidName> {
        RoomName::new(text)
    }
}

/// Where a message stands in a room: first the *era*, then the offset.
///
/// An era is an unbroken stretch of one log as this client saw it. A changed epoch, or entries that the hub no longer
/// holds, begin the next era: neighbours of different eras have a gap between them.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// 1 for the first.
    pub era: u32,
    /// The hub's offset within it.
    pub offset: Offset,
}

/// One connection of this app: a key into the settings and the database, never sent to a server.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConnectionId(pub u64);

impl ConnectionId {
    /// The connection to the app's own hub.
    pub const OWN_HUB: ConnectionId = ConnectionId(1);
    /// The connection that `--url` makes for one run.
    pub const COMMAND_LINE: ConnectionId = ConnectionId(2);
}
