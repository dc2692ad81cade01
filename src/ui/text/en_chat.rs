//! English about writing messages.

use emojis::Group;

use super::chat::{ChangeKind, ChatWords, CommandName};

/// English about writing messages.
pub static ENGLISH: ChatWords = ChatWords {
    commands_found: "Commands",
    command_help: |name| match name {
        CommandName::Me => "/me TEXT: say what you do",
        CommandName::Set => "/set DEVICE PROPERTY VALUE: control a device",
        CommandName::Get => "/get DEVICE READING: show a reading",
        CommandName::Topic => "/topic TEXT: set what this room is about",
        CommandName::Rename => "/rename NAME: rename this room",
        CommandName::Archive => "/archive: close this room for new messages",
        CommandName::Unarchive => "/unarchive: open this room again",
        CommandName::Leave => "/leave: leave this room",
        CommandName::Join => "/join: join this room again",
        CommandName::Status => "/status TEXT: set your status",
        CommandName::Msg => "/msg NAME TEXT: send a direct message",
        CommandName::Invite => "/invite NAME: invite a person to this private room",
    },
    everybody_here: "room: notify everyone in this room",
    command_usage: |name| match name {
        CommandName::Me => "Type what you do after /me, for example: /me is back.",
        CommandName::Rename => {
            "Type a name of up to 64 characters after /rename, for example: /rename Workshop. Names that look like another room's are not allowed."
        }
        CommandName::Topic | CommandName::Status => "Type a text after the command.",
        CommandName::Msg => {
            "Type a person's name and a text after /msg, for example: /msg Mina Hello. Put names with spaces in quotes."
        }
        CommandName::Invite => {
            "Type a person's name after /invite, for example: /invite Mina. Put names with spaces in quotes."
        }
        CommandName::Archive | CommandName::Unarchive | CommandName::Leave | CommandName::Join => {
            "This command takes nothing else."
        }
        CommandName::Set => {
            "Type a device, a property and a value after /set, for example: /set lamp power on. Put names with spaces in quotes."
        }
        CommandName::Get => {
            "Type a device and a reading after /get, for example: /get oven temperature. Put names with spaces in quotes."
        }
    },
    changing_room: "Change of this room",
    archived: "Archived",
    left: "You left this room",
    unknown_command: |name| {
        format!("There is no command /{name}. Type / for a list, or start with // to send it as a message.")
    },
    command_not_offered: |name| format!("This server doesn't support /{name}."),
    no_such_device: |name| format!("There is no device “{name}” on this server."),
    several_devices: |name| format!("Several devices are called “{name}”. Use the device's id instead."),
    no_such_property: |device, name| format!("{device} has no property “{name}”."),
    not_settable: |device, name| format!("{name} of {device} is a reading and can't be set."),
    no_such_reading: |device, name| format!("{device} has no reading “{name}”."),
    no_value_yet: |device, name| format!("{device}: {name} has no value yet."),
    not_on_or_off: |typed| format!("Nothing was sent: “{typed}” is neither on nor off."),
    not_an_option: |typed, options| format!("Nothing was sent: “{typed}” is not one of {options}."),
    command_sent: |device, name, value| {
        format!("{device}: setting {name} to {value}. Its page shows the outcome.")
    },
    reading: |device, name, value, freshness, when| format!("{device}: {name} {value} ({freshness}, {when})"),

    formatting: "Formatting",
    show_formatting: "Show formatting",
    hide_formatting: "Hide formatting",
    link: "Link",
    list: "List",
    quote: "Quote",

    emoji: "Emoji",
    find_emoji: "Search emoji",
    no_emoji: "No matches.",
    recent_emoji: "Recently used",
    emoji_group: |group| match group {
        Group::SmileysAndEmotion => "Smileys and emotions",
        Group::PeopleAndBody => "People",
        Group::AnimalsAndNature => "Animals and nature",
        Group::FoodAndDrink => "Food and drink",
        Group::TravelAndPlaces => "Travel and places",
        Group::Activities => "Activities",
        Group::Objects => "Objects",
        Group::Symbols => "Symbols",
        Group::Flags => "Flags",
    },

    jump_to_unread: "Jump to first unread",

    reply: "Reply",
    reply_in_thread: "Reply in thread",
    react: "Add reaction",
    pin: "Pin to room",
    unpin: "Unpin from room",
    replying_to: |name| format!("Replying to {name}"),
    cancel_reply: "Cancel reply",
    replies_to: |quote| format!("In reply to {quote}"),
    quote_unknown: "In reply to an earlier message",
    edited: "(edited)",
    edited_at: |when| format!("Edited {when}"),
    deleted: "This message was deleted.",
    pinned_by: |name| format!("Pinned by {name}"),
    yourself: "You",
    reacted: |emoji, names, more| format!("{} reacted with {emoji}", people(names, more)),
    read_by: |names, more| format!("Read by {}", people(names, more)),
    read: "Read",
    replies: |count| if count == 1 { "1 reply".to_owned() } else { format!("{count} replies") },
    change_waits: |kind| match kind {
        ChangeKind::Edit => "Edit not sent yet",
        ChangeKind::Delete => "Deletion not sent yet",
        ChangeKind::Reaction => "Reaction not sent yet",
        ChangeKind::Pin => "Pin not sent yet",
    },
    change_refused: |kind| match kind {
        ChangeKind::Edit => "Edit not saved",
        ChangeKind::Delete => "Not deleted",
        ChangeKind::Reaction => "Reaction not saved",
        ChangeKind::Pin => "Pin not saved",
    },
    discard_change: "Discard",
    thread: "Thread",
    close_thread: "Close thread",
    resize_thread: "Resize the thread",
    thread_message: "Reply to thread",
    thread_hint: "Reply to thread",
    thread_begins: "This is the beginning of the thread.",
    also_in_room: "Also send to the room",
    new_replies: |count, new| match count {
        1 => format!("1 reply, {new} new"),
        count => format!("{count} replies, {new} new"),
    },
    threads: "Threads",
    threads_unread: |count| match count {
        1 => "Threads: 1 new reply".to_owned(),
        count => format!("Threads: {count} new replies"),
    },
    no_threads: "No threads yet. Start one from a message's menu.",
    read_all: "Mark all as read",
    pins: "Pinned messages",
    no_pins: "Nothing is pinned. Pin a message from its menu.",
    cannot_read: "The database can't be read right now.",
    mark_unread: "Mark unread from here",
    edit_history: "Edit history",
    no_history: "Earlier versions are not on this computer.",
    first_version: |when| format!("Original, {when}"),
    editing_sent: "Editing message",
    deleted_meanwhile: "That message has been deleted. This will be sent as a new message.",
    delete_title: "Delete this message?",
    delete_text: "It is deleted for everyone in the room. This can't be undone.",
    delete_offline: |names, more| match more {
        0 => format!("Offline now: {names}. Their apps delete it when they connect again."),
        _ => format!("Offline now: {names} and {more} more. Their apps delete it when they connect again."),
    },
};

/// Names and how many others.
fn people(names: &[String], more: usize) -> String {
    let mut all: Vec<String> = names.to_vec();
    match more {
        0 => {}
        1 => all.push("1 other".to_owned()),
        more => all.push(format!("{more} others")),
    }
    match &all[..] {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}
