//! [`RoomWords`]: what is said about rooms as such: their menu and dialogs, and what became of them.

use crate::model::permit::{Denied, RoomAct};

/// What became of a room or its members. Names come in harmless.
#[derive(Copy, Clone, Debug)]
pub enum RoomEvent<'a> {
    /// It has another name: this one.
    Renamed(&'a str),
    /// It is about something else: this.
    Topic(&'a str),
    /// It has no topic any more.
    NoTopic,
    /// It takes no new messages.
    Archived,
    /// It takes messages again.
    Unarchived,
    /// Whoever did it joined.
    Joined,
    /// Whoever did it left.
    Left,
    /// Somebody else was added.
    Invited(&'a str),
    /// Somebody else was removed.
    Removed(&'a str),
}

/// What is said about rooms in one language. Text from outside comes in harmless.
#[allow(missing_docs)] // The names say it; the sentences are in the language's file.
pub struct RoomWords {
    /// In a menu, where what it is about is clear.
    pub act: fn(RoomAct) -> &'static str,
    /// In a list of all that can be done; the room's name.
    pub act_on: fn(RoomAct, &str) -> String,
    pub denied: fn(Denied) -> &'static str,
    pub menu: &'static str,

    pub rename_title: fn(&str) -> String,
    pub name: &'static str,
    pub topic_title: fn(&str) -> String,
    pub topic: &'static str,
    pub archive_title: fn(&str) -> String,
    pub archive_text: &'static str,

    pub browse: &'static str,
    pub find: &'static str,
    pub none_found: &'static str,
    pub open: &'static str,
    /// Beside a room's name in the list of all rooms.
    pub is_archived: &'static str,
    pub is_left: &'static str,
    pub archived_rooms: fn(usize) -> String,

    pub guest: &'static str,
    pub archived: &'static str,
    pub left: &'static str,
    pub left_private: &'static str,

    /// Who did it, and what.
    pub event: fn(&str, RoomEvent) -> String,
}
