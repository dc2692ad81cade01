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
}

impl CommandName {
    /// All of them, in the order in which they are offered.
    pub const ALL: [CommandName; 3] = [CommandName::Me, CommandName::Set, CommandName::Get];

    /// What is typed behind the slash, in every language.
    pub fn word(self) -> &'static str {
        match self {
            CommandName::Me => "me",
            CommandName::Set => "set",
            CommandName::Get => "get",
        }
    }
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
}
