//! English: who may come in at a server.

use super::people::PeopleWords;
use crate::model::rights::Unmanaged;

/// English.
pub(super) static ENGLISH: PeopleWords = PeopleWords {
    menu: "People and invites",
    title: |server| format!("People and invites: {server}"),

    people: "People",
    invites: "Invites",
    devices: "Devices",
    loading: "Loading…",
    not_connected: "Not connected. Changes can be made once the connection is back.",
    nobody: "Nobody yet.",
    no_invites: "No invites yet.",
    no_devices: "No device has a token yet.",

    owner: "Owner",
    admin: "Admin",
    person: "Member",
    device: "Device",
    you: "you",
    online: "online",
    offline: "offline",
    more: |name| format!("More for {name}"),
    rename: "Rename…",
    new_token: "New token…",
    make_admin: "Make admin…",
    make_person: "Take admin rights away…",
    remove: "Remove…",
    remove_device: "Remove…",

    rename_title: |name| format!("Rename {name}"),
    new_name: "New name",
    remove_title: |name| format!("Remove {name}?"),
    remove_text: |name| {
        format!("{name} is signed out at once and their token stops working. Their messages stay.")
    },
    remove_really: "Remove",
    remove_device_title: |name| format!("Remove {name}?"),
    remove_device_text: |name| {
        format!("{name} is disconnected at once and its token stops working. What it reported stays.")
    },
    token_title: |name| format!("New token for {name}?"),
    token_text: |name| {
        format!(
            "{name} is signed out at once and the old token stops working. Hand the new one over to them."
        )
    },
    own_token_text: "Your apps elsewhere are signed out at once and the old token stops working. This app goes on with the new one.",
    device_token_text: |name| {
        format!("{name} is disconnected at once and the old token stops working. Set the new one up on it.")
    },
    token_really: "Make new token",
    admin_title: |name| format!("Make {name} an admin?"),
    admin_text: |name| format!("{name} can then add and remove people, invites and devices."),
    admin_really: "Make admin",
    person_title: |name| format!("Take admin rights away from {name}?"),
    person_text: |name| format!("{name} stays, but can no longer add or remove people, invites and devices."),
    person_really: "Take away",

    token_of: |name| format!("Token of {name}"),
    token_once: "Copy it now: it is not shown again.",
    own_token_once: "This app has it already. Copy it for your other apps: it is not shown again.",
    publish_with: "Publish with it:",
    copy_token: "Copy token",
    copy_command: "Copy command",
    copy_link: "Copy link",
    done: "Done",

    new_invite: "New invite",
    good_for: "Good for",
    days: |days| match days {
        1 => "1 day".into(),
        _ => format!("{days} days"),
    },
    as_admin: "As an admin",
    make_invite: "Make invite",
    link: "Invite link",
    link_once: |until| format!("For one person, until {until}. Copy it now: it is not shown again."),
    used_by: |name| format!("Used by {name}"),
    good_until: |until| format!("Good until {until}"),
    expired: |at| format!("Expired {at}"),
    made_by: |name| format!("made by {name}"),
    remove_invite: |id| format!("Remove invite {id}"),
    remove_invite_title: "Remove this invite?",
    remove_invite_text: "Its link stops working.",

    device_id: "Device ID",
    device_id_hint: "shed",
    device_name: "Name (optional)",
    add_device: "Add device",

    saved: "Saved.",
    removed: |name| format!("{name} was removed."),
    removed_device: |name| format!("{name} was removed."),
    refused: |why| match why {
        Unmanaged::NotAllowed => "Only an admin may do that, and you are not one any more.",
        Unmanaged::Unknown => "It is not there any more. The list is up to date now.",
        Unmanaged::LastAdmin => "This is the last admin. Make somebody else an admin first.",
        Unmanaged::Owner => {
            "The owner keeps their rights, since their token is on the server's disk. Give them a new token instead."
        }
        Unmanaged::BadName => "A name has 1 to 64 characters that can be seen.",
        Unmanaged::BadToken => "The server did not take the token. Try again.",
        Unmanaged::BadId => {
            "This ID can’t be used: a person already has it, it begins with ~, or it is . or .."
        }
        Unmanaged::BadKind => "A device cannot become a person, nor a person a device.",
        Unmanaged::TooMany => "There are as many unused invites as the server takes. Remove some first.",
        Unmanaged::Unavailable => "The server cannot read or write its data at the moment. Try again later.",
        Unmanaged::Other => "The server refused it.",
    },
};
