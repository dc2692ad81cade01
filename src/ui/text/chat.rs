//! [`ChatWords`]: what is said about writing messages: slash commands, formatting, emoji, and what is done with messages.

/// The slash commands.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum CommandName {
    /// Say what one does.
    Me,
    /// Set a property of a device.
    Set,
    /// Show a reading of a device.
    Get,
    /// Say what the room is about.
    Topic,
    /// Give the room another name.
    Rename,
    /// Have the room take no new messages.
    Archive,
    /// Have it take them again.
    Unarchive,
    /// Leave the room.
    Leave,
    /// Join it again.
    Join,
    /// Say something of oneself to the others.
    Status,
    /// Send somebody a direct message.
    Msg,
    /// Invite somebody into a private room.
    Invite,
}

impl CommandName {
    /// All of them, in the order in which they are offered.
    pub const ALL: [CommandName; 12] = [
        CommandName::Me,
        CommandName::Msg,
        CommandName::Invite,
        CommandName::Topic,
        CommandName::Set,
        CommandName::Get,
        CommandName::Status,
        CommandName::Rename,
        CommandName::Archive,
        CommandName::Unarchive,
        CommandName::Leave,
        CommandName::Join,
    ];

    /// What is typed behind the slash, in every language.
    pub fn word(self) -> &'static str {
        match self {
            CommandName::Me => "me",
            CommandName::Set => "set",
            CommandName::Get => "get",
            CommandName::Topic => "topic",
            CommandName::Rename => "rename",
            CommandName::Archive => "archive",
            CommandName::Unarchive => "unarchive",
            CommandName::Leave => "leave",
            CommandName::Join => "join",
            CommandName::Status => "status",
            CommandName::Msg => "msg",
            CommandName::Invite => "invite",
        }
    }
}

/// A change of a message that the person wants.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// Other words.
    Edit,
    /// Its deletion.
    Delete,
    /// A reaction, or one taken back.
    Reaction,
    /// A pin, or one taken off.
    Pin,
}

/// What is said about writing messages in one language. Text from outside comes in harmless.
#[allow(missing_docs)] // The names say it; the sentences are in the language's file.
pub struct ChatWords {
    // Slash commands
    pub commands_found: &'static str,
    /// A command with what belongs to it, and what it does.
    pub command_help: fn(CommandName) -> &'static str,
    /// Of a command that lacks something.
    pub command_usage: fn(CommandName) -> &'static str,
    /// Said of `@room` where it is offered.
    pub everybody_here: &'static str,
    /// A change of a room that waits to be sent.
    pub changing_room: &'static str,
    pub archived: &'static str,
    pub left: &'static str,
    pub unknown_command: fn(&str) -> String,
    pub command_not_offered: fn(&str) -> String,
    pub no_such_device: fn(&str) -> String,
    pub several_devices: fn(&str) -> String,
    /// The device, and what it lacks.
    pub no_such_property: fn(&str, &str) -> String,
    pub not_settable: fn(&str, &str) -> String,
    pub no_such_reading: fn(&str, &str) -> String,
    pub no_value_yet: fn(&str, &str) -> String,
    pub not_on_or_off: fn(&str) -> String,
    /// What was typed, and the options.
    pub not_an_option: fn(&str, &str) -> String,
    /// Device, property and value.
    pub command_sent: fn(&str, &str, &str) -> String,
    /// Device, reading, value, how far it is to be believed, and when it came.
    pub reading: fn(&str, &str, &str, &str, &str) -> String,

    // Formatting
    pub formatting: &'static str,
    pub show_formatting: &'static str,
    pub hide_formatting: &'static str,
    pub link: &'static str,
    pub list: &'static str,
    pub quote: &'static str,

    // Emoji
    pub emoji: &'static str,
    pub find_emoji: &'static str,
    pub no_emoji: &'static str,
    pub recent_emoji: &'static str,
    pub emoji_group: fn(emojis::Group) -> &'static str,

    // Unread messages
    pub jump_to_unread: &'static str,

    // What is done with a message
    pub reply: &'static str,
    pub reply_in_thread: &'static str,
    pub react: &'static str,
    pub pin: &'static str,
    pub unpin: &'static str,
    pub replying_to: fn(&str) -> String,
    pub cancel_reply: &'static str,
    /// Of the line that quotes what a message replies to: whose words they are, and these.
    pub replies_to: fn(&str) -> String,
    /// In place of a quote, where the message is not known.
    pub quote_unknown: &'static str,
    /// Behind a message.
    pub edited: &'static str,
    /// When.
    pub edited_at: fn(&str) -> String,
    /// In place of a message.
    pub deleted: &'static str,
    pub pinned_by: fn(&str) -> String,
    /// Oneself, among those who reacted.
    pub yourself: &'static str,
    /// The emoji, who added it, and how many others.
    pub reacted: fn(&str, &[String], usize) -> String,
    /// Of a message of the person's: names of who has read it, and how many others have.
    pub read_by: fn(&[String], usize) -> String,
    /// The same in a direct message.
    pub read: &'static str,
    pub replies: fn(u32) -> String,
    pub change_waits: fn(ChangeKind) -> &'static str,
    pub change_refused: fn(ChangeKind) -> &'static str,
    pub discard_change: &'static str,
    pub thread: &'static str,
    pub close_thread: &'static str,
    pub resize_thread: &'static str,
    pub thread_message: &'static str,
    pub thread_hint: &'static str,
    /// Before a thread's first message.
    pub thread_begins: &'static str,
    /// The same where so many replies are not shown.
    pub also_in_room: &'static str,
    /// How many replies there are, and how many of them are new.
    pub new_replies: fn(u32, u64) -> String,
    pub threads: &'static str,
    pub threads_unread: fn(u64) -> String,
    pub no_threads: &'static str,
    pub read_all: &'static str,
    pub pins: &'static str,
    pub no_pins: &'static str,
    pub cannot_read: &'static str,
    pub mark_unread: &'static str,
    pub edit_history: &'static str,
    pub no_history: &'static str,
    pub first_version: fn(&str) -> String,
    pub editing_sent: &'static str,
    pub deleted_meanwhile: &'static str,
    pub delete_title: &'static str,
    pub delete_text: &'static str,
    /// The names of some who are offline, and how many more are.
    pub delete_offline: fn(&str, usize) -> String,
}
