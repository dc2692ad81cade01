//! English: private rooms, their members and direct messages.

use super::private::PrivateWords;

/// English.
pub(super) static ENGLISH: PrivateWords = PrivateWords {
    hole: |from, to| {
        format!(
            "Messages between {from} and {to} are not loaded: you were not a member of this room. Go to the newest message and scroll up to load them."
        )
    },
    direct_messages: "Direct messages",
    is_private: "private room",
    is_direct: "direct message",
    is_member: "member",
    new_private_room: "New private room",
    public_room: "Public",
    private_room: "Private",
    public_text: "Everyone on this server can see this room.",
    topic_optional: "What this room is about (optional)",
    private_text: "Only the people you choose can see this room. Members can invite others.",
    new_direct: "New direct message",
    message: "Message",
    message_to: |name| format!("Message {name}"),
    members_of: |room| format!("Members of {room}"),
    find_person: "Find a person",
    find_to_invite: "Find people to invite",
    invite: "Invite",
    invite_person: |name| format!("Invite {name}"),
    remove: "Remove",
    remove_person: |name| format!("Remove {name}"),
    nobody_called: |name| format!("Nobody here is called “{name}”."),
    several_called: |name| {
        format!("Several people are called “{name}”. Choose one of them in the list of people.")
    },
    cannot_invite: "People are invited to private rooms that you are a member of. Public rooms are open to everyone on the server.",
};
