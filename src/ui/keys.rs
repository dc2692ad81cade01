//! The table of keyboard shortcuts, used by the input handling, the shortcut sheet, tooltips and the palette.
//! To add a shortcut, add a variant to [`Action`], a row to [`TABLE`] and its name in each language
//! (`text/en_keys.rs`, `text/ko_keys.rs`).

use egui::{Event, Key, KeyboardShortcut, Modifiers};

/// An action that has, or may have, a keyboard shortcut.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Open the command palette.
    Palette,
    /// Open the previous room in the list.
    RoomAbove,
    /// Open the next room in the list.
    RoomBelow,
    /// Open the previous room with unread messages.
    UnreadAbove,
    /// Open the next room with unread messages.
    UnreadBelow,
    /// Focus the next pane.
    NextPane,
    /// Focus the previous pane.
    PreviousPane,
    /// Show or hide the room list.
    ToggleRooms,
    /// Show only the chat.
    ShowChat,
    /// Show only the devices.
    ShowDevices,
    /// Show the chat and the devices.
    ShowBoth,
    /// Show the topics of a broker.
    ShowTopics,
    /// Search in the open room.
    SearchRoom,
    /// Search in all rooms.
    SearchEverywhere,
    /// Go to a date in the open room.
    GoToDate,
    /// Show or hide the devices.
    ToggleDevices,
    /// Show or hide the open connection's log.
    ToggleLog,
    /// Zoom in.
    ZoomIn,
    /// Zoom out.
    ZoomOut,
    /// Reset the zoom.
    ZoomReset,
    /// Open the settings.
    Settings,
    /// Open the shortcut sheet.
    Shortcuts,
    /// Open the dialog for a new connection.
    AddConnection,
    /// Retry the open connection now.
    RetryNow,
    /// Send the message.
    Send,
    /// Insert a line break.
    NewLine,
    /// Bold.
    Bold,
    /// Italic.
    Italic,
    /// Code.
    Code,
    /// Scroll the messages by a page.
    Page,
    /// Move by one line or row.
    Step,
    /// Move to the first or last row.
    Ends,
    /// Open the context menu of a room.
    RoomMenu,
    /// Extend or shrink the selection by one message.
    SelectMore,
    /// Select all messages.
    SelectAll,
    /// Reply to the selected message.
    Reply,
    /// React to the selected message.
    React,
    /// Edit the selected message.
    EditMessage,
    /// Delete the selected message.
    DeleteMessage,
    /// Pin the selected message, or unpin it.
    PinMessage,
    /// Edit the last message sent.
    EditLast,
    /// Open or activate the current row.
    Choose,
    /// Close the topmost overlay, or return to the message field.
    Back,
}

/// Where a shortcut applies.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// In the whole window, unless a dialog is open.
    Window,
    /// In the whole window, also while a dialog is open.
    Everywhere,
    /// In the message field, which handles it itself.
    Message,
    /// In a list, which handles it itself.
    List,
}

/// Heading of the shortcut sheet that it is listed under.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Group {
    /// Navigation.
    Go,
    /// What is shown, and how.
    View,
    /// Connections.
    Connections,
    /// Writing messages.
    Write,
    /// Moving in lists.
    Lists,
    /// The selected message.
    Messages,
}

impl Group {
    /// All groups, in the order of the sheet.
    pub const ALL: [Group; 6] =
        [Group::Go, Group::View, Group::Connections, Group::Write, Group::Lists, Group::Messages];
}

/// A row of the table.
#[derive(Copy, Clone, Debug)]
pub struct Shortcut {
    /// The action.
    pub action: Action,
    /// The keys, each of which triggers the action; empty if it is only in the palette and menus.
    pub keys: &'static [KeyboardShortcut],
    /// Where it applies.
    pub place: Scope,
    /// Group on the shortcut sheet.
    pub group: Group,
}

const COMMAND_SHIFT: Modifiers = Modifiers::COMMAND.plus(Modifiers::SHIFT);
const ALT_SHIFT: Modifiers = Modifiers::ALT.plus(Modifiers::SHIFT);

const fn keys(modifiers: Modifiers, key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(modifiers, key)
}

const fn plain(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::NONE, key)
}

macro_rules! table {
    ($($group:ident $place:ident $action:ident [$($keys:expr),*])*) => {
        &[$(Shortcut {
            action: Action::$action,
            keys: &[$($keys),*],
            place: Scope::$place,
            group: Group::$group,
        }),*]
    };
}

/// Every action, in the order of the sheet.
#[rustfmt::skip]
pub const TABLE: &[Shortcut] = table! {
    Go          Window     Palette       [keys(Modifiers::COMMAND, Key::K)]
    Go          Window     RoomAbove     [keys(Modifiers::ALT, Key::ArrowUp)]
    Go          Window     RoomBelow     [keys(Modifiers::ALT, Key::ArrowDown)]
    Go          Window     UnreadAbove   [keys(ALT_SHIFT, Key::ArrowUp)]
    Go          Window     UnreadBelow   [keys(ALT_SHIFT, Key::ArrowDown)]
    Go          Window     NextPane      [plain(Key::F6)]
    Go          Window     PreviousPane  [keys(Modifiers::SHIFT, Key::F6)]
    Go          Window     SearchRoom    [keys(Modifiers::COMMAND, Key::F)]
    Go          Window     SearchEverywhere [keys(COMMAND_SHIFT, Key::F)]
    Go          Window     GoToDate      [keys(Modifiers::COMMAND, Key::G)]
    Go          List       Back          [plain(Key::Escape)]
    View        Window     ToggleRooms   [keys(Modifiers::COMMAND, Key::Num1)]
    View        Window     ShowChat      [keys(Modifiers::COMMAND, Key::Num2)]
    View        Window     ShowDevices   [keys(Modifiers::COMMAND, Key::Num3)]
    View        Window     ShowBoth      [keys(Modifiers::COMMAND, Key::Num4)]
    View        Window     ShowTopics    [keys(Modifiers::COMMAND, Key::Num5)]
    View        Window     ToggleDevices [keys(COMMAND_SHIFT, Key::D)]
    View        Everywhere ZoomIn        [keys(Modifiers::COMMAND, Key::Plus), keys(Modifiers::COMMAND, Key::Equals)]
    View        Everywhere ZoomOut       [keys(Modifiers::COMMAND, Key::Minus)]
    View        Everywhere ZoomReset     [keys(Modifiers::COMMAND, Key::Num0)]
    View        Window     Settings      [keys(Modifiers::COMMAND, Key::Comma)]
    View        Window     Shortcuts     [plain(Key::F1)]
    Connections Window     ToggleLog     [keys(COMMAND_SHIFT, Key::L)]
    Connections Window     RetryNow      [keys(COMMAND_SHIFT, Key::R)]
    Connections Window     AddConnection [keys(COMMAND_SHIFT, Key::N)]
    Write       Message    Send          [plain(Key::Enter)]
    Write       Message    NewLine       [keys(Modifiers::SHIFT, Key::Enter)]
    Write       Message    Bold          [keys(Modifiers::COMMAND, Key::B)]
    Write       Message    Italic        [keys(Modifiers::COMMAND, Key::I)]
    Write       Message    Code          [keys(Modifiers::COMMAND, Key::E)]
    Write       Message    Page          [plain(Key::PageUp), plain(Key::PageDown)]
    Lists       List       Step          [plain(Key::ArrowUp), plain(Key::ArrowDown)]
    Lists       List       Ends          [plain(Key::Home), plain(Key::End)]
    Lists       List       RoomMenu      [keys(Modifiers::SHIFT, Key::F10), plain(Key::Menu)]
    Lists       List       SelectMore    [keys(Modifiers::SHIFT, Key::ArrowUp), keys(Modifiers::SHIFT, Key::ArrowDown)]
    Lists       List       SelectAll     [keys(Modifiers::COMMAND, Key::A)]
    Lists       List       Choose        [plain(Key::Enter)]
    Messages    List       Reply         [plain(Key::R)]
    Messages    List       React         [plain(Key::Plus), plain(Key::Equals)]
    Messages    List       EditMessage   [plain(Key::E)]
    Messages    List       DeleteMessage [plain(Key::Delete)]
    Messages    List       PinMessage    [plain(Key::P)]
    Messages    Message    EditLast      [plain(Key::ArrowUp)]
};

/// The keys of an action; empty if it has none.
pub fn of(action: Action) -> &'static [KeyboardShortcut] {
    TABLE.iter().find(|row| row.action == action).map_or(&[], |row| row.keys)
}

/// The keys of a row in effect: what Enter does is a preference.
pub fn of_row(row: &'static Shortcut, enter_sends: bool) -> &'static [KeyboardShortcut] {
    const SENDS: &[KeyboardShortcut] = &[keys(Modifiers::COMMAND, Key::Enter)];
    const BREAKS: &[KeyboardShortcut] = &[plain(Key::Enter)];
    match row.action {
        Action::Send if !enter_sends => SENDS,
        Action::NewLine if !enter_sends => BREAKS,
        _ => row.keys,
    }
}

/// The first keys of an action, formatted for the platform.
pub fn label(ctx: &egui::Context, action: Action) -> Option<String> {
    Some(written(of(action).first()?, ctx.os().is_mac()))
}

/// A tooltip with the shortcut, if there is one.
pub fn hint(ctx: &egui::Context, what: &str, action: Action) -> String {
    label(ctx, action).map_or_else(|| what.to_owned(), |keys| format!("{what} ({keys})"))
}

/// Keys as text: `Ctrl+Shift+D`, on a Mac `⇧⌘D`.
pub fn written(shortcut: &KeyboardShortcut, is_mac: bool) -> String {
    let Modifiers { alt, ctrl, shift, mac_cmd, command } = shortcut.modifiers;
    let names = if is_mac {
        [(ctrl, "⌃"), (alt, "⌥"), (shift, "⇧"), (command || mac_cmd, "⌘")]
    } else {
        [(ctrl || command, "Ctrl+"), (alt, "Alt+"), (shift, "Shift+"), (false, "")]
    };
    let mut text: String = names.iter().filter(|(held, _)| *held).map(|(_, name)| *name).collect();
    text.push_str(match shortcut.logical_key {
        Key::ArrowUp => "↑",
        Key::ArrowDown => "↓",
        Key::Comma => ",",
        Key::Plus => "+",
        Key::Equals => "=",
        Key::Minus => "−",
        Key::Escape => "Esc",
        Key::PageUp => "Page Up",
        Key::PageDown => "Page Down",
        other => other.name(),
    });
    text
}

/// Input that followed a shortcut in the same frame. It is meant for what the shortcut opens, so it is
/// replayed in the next frame.
#[derive(Debug, Default)]
pub(super) struct Later(Vec<Event>);

impl Later {
    /// Whether any input waits for the next frame.
    pub(super) fn is_some(&self) -> bool {
        !self.0.is_empty()
    }

    /// Takes the next shortcut, and the input after it, out of this frame's events. Shortcuts handled by
    /// lists and fields themselves are left alone.
    pub(super) fn take(&mut self, ui: &egui::Ui, over_dialog: bool) -> Option<Action> {
        ui.input_mut(|input| {
            let mut events = std::mem::take(&mut self.0);
            events.append(&mut input.events);
            let mut found = None;
            for event in events {
                if found.is_some() && is_typed(&event) {
                    self.0.push(event);
                    continue;
                }
                if let Event::Key { key, modifiers, pressed: true, repeat, .. } = event
                    && let Some(row) = row_of(key, modifiers, over_dialog)
                {
                    // A held key repeats only actions for which that makes sense.
                    found = (!repeat || repeats(row.action)).then_some(row.action);
                    continue;
                }
                input.events.push(event);
            }
            found
        })
    }
}

/// Whether an event comes from a keyboard or an input method.
fn is_typed(event: &Event) -> bool {
    matches!(
        event,
        Event::Key { .. } | Event::Text(_) | Event::Ime(_) | Event::Paste(_) | Event::Copy | Event::Cut
    )
}

fn row_of(key: Key, held: Modifiers, over_dialog: bool) -> Option<&'static Shortcut> {
    TABLE.iter().find(|row| {
        let counts = match row.place {
            Scope::Everywhere => true,
            Scope::Window => !over_dialog,
            Scope::Message | Scope::List => false,
        };
        counts && row.keys.iter().any(|keys| matches(keys, key, held))
    })
}

/// Whether exactly these keys are pressed. Shift is ignored for signs: whether a plus sign needs it depends
/// on the keyboard layout.
fn matches(keys: &KeyboardShortcut, key: Key, held: Modifiers) -> bool {
    let is_sign = matches!(key, Key::Plus | Key::Equals | Key::Minus);
    let held = if is_sign { Modifiers { shift: false, ..held } } else { held };
    keys.logical_key == key && held.matches_exact(keys.modifiers)
}

fn repeats(action: Action) -> bool {
    use Action::{RoomAbove, RoomBelow, UnreadAbove, UnreadBelow, ZoomIn, ZoomOut};
    matches!(action, RoomAbove | RoomBelow | UnreadAbove | UnreadBelow | ZoomIn | ZoomOut)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_two_actions_share_keys_in_the_same_place() {
        let heard_together = |a: Scope, b: Scope| {
            let everywhere = |place| matches!(place, Scope::Window | Scope::Everywhere);
            a == b || everywhere(a) || everywhere(b)
        };
        for (at, one) in TABLE.iter().enumerate() {
            for other in TABLE[at + 1..].iter().filter(|other| heard_together(one.place, other.place)) {
                for keys in one.keys {
                    assert!(!other.keys.contains(keys), "{:?} and {:?}: {keys:?}", one.action, other.action);
                }
            }
        }
    }

    #[test]
    fn each_action_is_in_the_table_once_and_groups_are_contiguous() {
        let actions: HashSet<_> = TABLE.iter().map(|row| row.action).collect();
        assert_eq!(actions.len(), TABLE.len());
        let mut groups: Vec<_> = TABLE.iter().map(|row| row.group).collect();
        groups.dedup();
        assert_eq!(groups, Group::ALL);
    }

    #[test]
    fn keys_are_written_as_on_the_platform() {
        let both = |keys| (written(&keys, false), written(&keys, true));
        assert_eq!(both(keys(COMMAND_SHIFT, Key::D)), ("Ctrl+Shift+D".into(), "⇧⌘D".into()));
        assert_eq!(both(keys(ALT_SHIFT, Key::ArrowUp)), ("Alt+Shift+↑".into(), "⌥⇧↑".into()));
        assert_eq!(both(plain(Key::Escape)), ("Esc".into(), "Esc".into()));
    }

    #[test]
    fn extra_modifiers_make_another_shortcut_except_for_signs() {
        let held = Modifiers { ctrl: true, command: true, ..Modifiers::NONE };
        let with_shift = Modifiers { shift: true, ..held };
        assert!(matches(&keys(Modifiers::COMMAND, Key::Comma), Key::Comma, held));
        assert!(!matches(&keys(Modifiers::COMMAND, Key::Comma), Key::Comma, with_shift));
        assert!(matches(&keys(Modifiers::COMMAND, Key::Plus), Key::Plus, with_shift));
    }

    #[test]
    fn the_readme_names_every_shortcut() {
        let readme = include_str!("../../README.md");
        for row in TABLE.iter().filter(|row| !matches!(row.place, Scope::Message | Scope::List)) {
            // The README needs to name only one shortcut per action.
            for keys in row.keys.iter().take(1) {
                let keys = written(keys, false);
                assert!(readme.contains(&format!("`{keys}`")), "{:?}: {keys}", row.action);
            }
        }
    }
}
