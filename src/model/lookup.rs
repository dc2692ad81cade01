//! [`Lookup`]: what the window asks the disk about a room beside its messages, and the answers.

use super::id::{ConnectionId, MessageId, RoomId};
use super::message::{Message, Position};
use super::time::WallMs;

/// Maximum number of versions of a message that are read.
pub const MAX_REVISIONS: u32 = 200;
/// Maximum number of pinned messages that are listed, the newest first.
pub const MAX_LISTED_PINS: u32 = 500;
/// Maximum number of threads of a room that are listed, the newest first.
pub const MAX_LISTED_THREADS: u32 = 100;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The room's pinned messages.
    Pins,
    /// The room's threads, those first that were written in last.
    Threads,
    /// All versions of a message.
    Revisions(Position),
}

/// A question. A newer one takes its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// Chosen by the caller and returned in the answer.
    pub number: u64,
    /// Of which connection.
    pub connection: ConnectionId,
    /// Of which room.
    pub room: RoomId,
    /// What is asked for.
    pub wanted: Wanted,
}

/// One version of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// When the server received it.
    pub at: WallMs,
    /// What it said.
    pub body: String,
}

/// A thread in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadLine {
    /// Its first message's id.
    pub root: MessageId,
    /// That message, if it is on the disk.
    pub first: Option<Message>,
    /// Replies that the person has not read.
    pub unread: u64,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LookupFound {
    /// Pinned messages, the newest first.
    Pins(Vec<Message>),
    /// Threads, those first that were written in last.
    Threads(Vec<ThreadLine>),
    /// Versions of a message, the oldest first.
    Revisions(Vec<Revision>),
    /// The disk cannot be read.
    Failed,
}
