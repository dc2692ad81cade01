//! What actions are called in English.

use super::keys::KeyWords;
use crate::ui::keys::{Action, Group};

/// English.
pub static ENGLISH: KeyWords = KeyWords {
    title: "Keyboard shortcuts",
    rooms: "Rooms",
    chat: "Chat",
    both: "Both",
    palette: "Command palette",
    palette_hint: "Search rooms, devices and commands",
    palette_list: "Results",
    found: |count| if count == 1 { "1 result".to_owned() } else { format!("{count} results") },
    nothing_found: "No matches.",
    connection: "connection",
    group,
    action,
};

fn group(group: Group) -> &'static str {
    match group {
        Group::Go => "Navigation",
        Group::View => "View",
        Group::Connections => "Connections",
        Group::Write => "Writing",
        Group::Lists => "Lists",
        Group::Messages => "Selected message",
    }
}

fn action(action: Action) -> &'static str {
    match action {
        Action::Palette => "Command palette",
        Action::RoomAbove => "Previous room",
        Action::RoomBelow => "Next room",
        Action::UnreadAbove => "Previous unread room",
        Action::UnreadBelow => "Next unread room",
        Action::SearchRoom => "Search in this room",
        Action::SearchEverywhere => "Search everywhere",
        Action::GoToDate => "Go to date",
        Action::Back => "Close dialog or return to the message box",
        Action::NextPane => "Next pane",
        Action::PreviousPane => "Previous pane",
        Action::ToggleRooms => "Show or hide rooms",
        Action::ShowChat => "Show chat only",
        Action::ShowDevices => "Show devices only",
        Action::ShowTopics => "Show topics",
        Action::ShowBoth => "Show chat and devices",
        Action::ToggleDevices => "Show or hide devices",
        Action::ZoomIn => "Zoom in",
        Action::ZoomOut => "Zoom out",
        Action::ZoomReset => "Reset zoom",
        Action::Settings => "Settings",
        Action::Shortcuts => "Keyboard shortcuts",
        Action::ToggleLog => "Show or hide the connection log",
        Action::RetryNow => "Reconnect now",
        Action::AddConnection => "Add connection",
        Action::Send => "Send message",
        Action::NewLine => "Start a new line",
        Action::Bold => "Bold",
        Action::Italic => "Italic",
        Action::Code => "Code",
        Action::Page => "Scroll messages",
        Action::Step => "Move up or down",
        Action::Ends => "Go to first or last",
        Action::RoomMenu => "Open the menu of a room or message",
        Action::SelectMore => "Select messages (Ctrl+C copies them)",
        Action::SelectAll => "Select all messages",
        Action::Choose => "Open",
        Action::Reply => "Reply",
        Action::React => "Add reaction",
        Action::EditMessage => "Edit",
        Action::DeleteMessage => "Delete message",
        Action::PinMessage => "Pin or unpin",
        Action::EditLast => "Edit your last message (in an empty message box)",
    }
}
