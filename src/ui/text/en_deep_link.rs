//! English about `duplex://` links.

use super::deep_link::DeepLinkWords;
use crate::model::deep_link::BadLink;

/// English about `duplex://` links.
pub static ENGLISH: DeepLinkWords = DeepLinkWords {
    copy_room_link: "Copy link to room",
    copy_message_link: "Copy link to message",
    bad_title: "This link can't be opened",
    bad: |bad| match bad {
        BadLink::Scheme => "It isn't a Duplex link. Those begin with duplex://, then the server's address.",
        BadLink::TooLong => "It is too long to be a Duplex link.",
        BadLink::Address(_) => "The server's address in the link isn't valid.",
        BadLink::Path => "A link names a server, a room and a message: duplex://SERVER/ROOM/MESSAGE.",
        BadLink::Room => "The room in the link isn't valid. Copy the link again.",
        BadLink::Message => "The message in the link isn't valid. Copy the link again.",
    },
    other_computer: "It leads to a server that only the computer it was copied on can reach. Ask for an invite to that server.",

    add_title: "Add this server?",
    add: "The link leads to a server that you haven't added. Nothing is sent to it until you connect.",
    join_title: "Join this server?",
    join: "The link is an invite to this server. Nothing is sent to it until you connect.",
    known_title: "You already have this server",
    known: |name| {
        format!(
            "The link is an invite to a server that you have added as {name}. You only need it to join again."
        )
    },
    server: "Server",
    claimed_name: |name| format!("The link calls it “{name}”. Anyone who makes a link can choose that name."),
    continue_adding: "Continue…",
    use_invite: "Use the invite…",
    open_server: "Open server",

    no_room_title: "Room not found",
    no_room: |room, name| {
        format!("{name} has no room “{room}” that you can see. It may be gone, or you may not be a member.")
    },
    no_room_offline: |room, name| {
        format!(
            "The room “{room}” of {name} isn't on this computer. Connect to the server, then open the link again."
        )
    },
    no_message_title: "Message not found",
    no_message: "The room is open, but the message isn't on this computer. It may be older than what is stored here, or deleted.",
};
