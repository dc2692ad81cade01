//! [`Page`]: a part of a room or thread as it is read, and which way it extends what is in memory.

use super::message::Message;

/// Which way a page extends a window.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Side {
    /// Towards the room's start.
    Older,
    /// Towards the room's end.
    Newer,
}

/// A page of a room, read from disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Oldest first.
    pub messages: Vec<Message>,
    /// Whether older ones than these are on disk.
    pub older_on_disk: bool,
    /// Whether the hub may hold older ones than the disk.
    pub older_on_hub: bool,
    /// Whether newer ones than these are on disk.
    pub newer_on_disk: bool,
}
