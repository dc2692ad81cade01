//! What actions are called in English.

use super::keys::KeyWords;
use crate::ui::keys::{Action, Group};

/// English.
pub static ENGLISH: KeyWords = KeyWords {
    title: "Keyboard shortcuts",
    rooms: "Rooms",
    chat: "Chat",
    both: "Both",
    palette: "Go to or do",
    palette_hint: "A room, a device, or what to do",
    palette_list: "What was found",
    found: |count| if count == 1 { "1 found".to_owned() } else { format!("{count} found") },
    nothing_found: "Nothing has these letters. Try fewer, or the beginnings of words.",
    connection: "connection",
    group,
    action,
};

fn group(group: Group) -> &'static str {
    match group {
        Group::Go => "Go to",
        Group::View => "Show",
        Group::Connections => "Connections",
        Group::Write => "Write",
        Group::Lists => "In lists",
    }
}

fn action(action: Action) -> &'static str {
    match action {
        Action::Palette => "Go to anything, do anything",
        Action::RoomAbove => "Room above",
        Action::RoomBelow => "Room below",
        Action::UnreadAbove => "Unread room above",
        Action::UnreadBelow => "Unread room below",
        Action::SearchRoom => "Search in this room",
        Action::SearchEverywhere => "Search everywhere",
        Action::GoToDate => "Go to date",
        Action::Back => "Close what is on top, or back to the message",
        Action::NextPane => "Next pane",
        Action::PreviousPane => "Previous pane",
        Action::ToggleRooms => "Show or hide rooms",
        Action::ShowChat => "Show the chat alone",
        Action::ShowDevices => "Show the devices alone",
        Action::ShowBoth => "Show chat and devices",
        Action::ToggleDevices => "Show or hide devices",
        Action::ZoomIn => "Zoom in",
        Action::ZoomOut => "Zoom out",
        Action::ZoomReset => "Reset zoom",
        Action::Settings => "Settings",
        Action::Shortcuts => "Keyboard shortcuts",
        Action::ToggleLog => "Show or hide the connection log",
        Action::RetryNow => "Retry the connection now",
        Action::AddConnection => "Add connection",
        Action::Send => "Send the message",
        Action::NewLine => "Begin a new line",
        Action::Bold => "Bold",
        Action::Italic => "Italic",
        Action::Code => "Code",
        Action::Page => "Scroll the messages",
        Action::Step => "One up or down",
        Action::Ends => "To the first or last",
        Action::RoomMenu => "Open the menu of a room or message",
        Action::SelectMore => "Select messages (Ctrl+C copies them)",
        Action::SelectAll => "Select all messages",
        Action::Choose => "Open",
    }
}
