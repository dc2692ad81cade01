//! English about rooms.

use super::rooms::{RoomEvent, RoomWords};
use crate::model::permit::{Denied, RoomAct};

fn act(act: RoomAct) -> &'static str {
    match act {
        RoomAct::Rename => "Rename",
        RoomAct::SetTopic => "Set topic",
        RoomAct::Archive => "Archive",
        RoomAct::Unarchive => "Unarchive",
        RoomAct::Leave => "Leave room",
        RoomAct::Members => "Members",
        RoomAct::Hide => "Hide",
        RoomAct::Export => "Export messages…",
        RoomAct::Join => "Join room",
    }
}

/// English about rooms.
pub static ENGLISH: RoomWords = RoomWords {
    act,
    act_on: |what, room| format!("#{room}: {}", act(what)),
    denied: |why| match why {
        Denied::NotYours => "Only operators, admins and whoever made the room can do this.",
        Denied::General => "This can't be done with the server's main room.",
    },
    menu: "Room menu",
    rename_title: |room| format!("Rename #{room}"),
    name: "Room name",
    topic_title: |room| format!("Topic of #{room}"),
    topic: "What this room is about",
    archive_title: |room| format!("Archive #{room}?"),
    archive_text: "Nobody can write in an archived room. Its messages stay, and it can be unarchived at any time.",
    browse: "Browse rooms",
    find: "Find a room",
    none_found: "No rooms match.",
    open: "Open",
    is_archived: "Archived",
    is_left: "You left this room",
    archived_rooms: |count| format!("Archived ({count})"),
    guest: "You are a guest on this server: you can read but not write.",
    archived: "This room is archived. Nobody can write in it.",
    left: "You left this room. Join it to write.",
    left_private: "You are no longer in this private room. A member can invite you again.",
    event: |who, event| match event {
        RoomEvent::Renamed(name) => format!("{who} renamed the room to “{name}”"),
        RoomEvent::Topic(topic) => format!("{who} set the topic to “{topic}”"),
        RoomEvent::NoTopic => format!("{who} removed the topic"),
        RoomEvent::Archived => format!("{who} archived the room"),
        RoomEvent::Unarchived => format!("{who} unarchived the room"),
        RoomEvent::Joined => format!("{who} joined"),
        RoomEvent::Left => format!("{who} left"),
        RoomEvent::Invited(whom) => format!("{who} added {whom}"),
        RoomEvent::Removed(whom) => format!("{who} removed {whom}"),
    },
};
