//! [`DeviceChoices`]: the person's settings for individual devices: name, group, pinned, hidden. Local to
//! this app; the server's names and ids are not changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::device::DeviceId;
use super::id::ConnectionId;

/// Maximum number of devices with settings, over all servers.
pub const MAX_CHOSEN_DEVICES: usize = 4_096;
/// Maximum length of a chosen device or group name, in characters.
pub const MAX_CHOSEN_NAME_CHARS: usize = 64;

/// The settings of one device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeviceChoice {
    /// Chosen name; empty for the announced one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Chosen group; empty for none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub group: String,
    /// Whether it is pinned to the top of lists.
    #[serde(skip_serializing_if = "is_false")]
    pub pinned: bool,
    /// Whether it is hidden from lists.
    #[serde(skip_serializing_if = "is_false")]
    pub hidden: bool,
    /// Settings of later versions, kept as they are.
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

impl DeviceChoice {
    /// Whether all settings are the defaults.
    pub fn is_default(&self) -> bool {
        *self == DeviceChoice::default()
    }

    fn apply(&mut self, change: DeviceChange) {
        match change {
            DeviceChange::Name(name) => self.name = chosen_name(&name),
            DeviceChange::Group(group) => self.group = chosen_name(&group),
            DeviceChange::Pinned(pinned) => self.pinned = pinned,
            DeviceChange::Hidden(hidden) => self.hidden = hidden,
        }
    }

    /// The change that reverts `change`.
    pub fn inverse_of(&self, change: &DeviceChange) -> DeviceChange {
        match change {
            DeviceChange::Name(_) => DeviceChange::Name(self.name.clone()),
            DeviceChange::Group(_) => DeviceChange::Group(self.group.clone()),
            DeviceChange::Pinned(_) => DeviceChange::Pinned(self.pinned),
            DeviceChange::Hidden(_) => DeviceChange::Hidden(self.hidden),
        }
    }
}

/// A change to a device's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceChange {
    /// Set the name; empty for the announced one.
    Name(String),
    /// Set the group; empty for none.
    Group(String),
    /// Pin or unpin it.
    Pinned(bool),
    /// Hide it, or show it again.
    Hidden(bool),
}

/// Normalizes a name: one line, trimmed, at most [`MAX_CHOSEN_NAME_CHARS`] characters.
pub fn chosen_name(typed: &str) -> String {
    let line = typed.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| !c.is_control());
    let line: String = line.collect();
    let short: String = line.trim().chars().take(MAX_CHOSEN_NAME_CHARS).collect();
    short.trim_end().to_owned()
}

/// The settings of one server's devices.
pub type ServerChoices = Arc<BTreeMap<DeviceId, DeviceChoice>>;

/// The settings of all devices, by server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Value>", into = "Vec<Value>")]
pub struct DeviceChoices {
    servers: BTreeMap<ConnectionId, ServerChoices>,
    /// Entries of the file that this version does not understand; written back unchanged.
    unreadable: Vec<Value>,
}

/// An entry of the file.
#[derive(Serialize, Deserialize)]
struct Line {
    connection: ConnectionId,
    device: DeviceId,
    #[serde(flatten)]
    choice: DeviceChoice,
}

impl DeviceChoices {
    /// The settings of a server's devices.
    pub fn of(&self, connection: ConnectionId) -> ServerChoices {
        self.servers.get(&connection).cloned().unwrap_or_default()
    }

    /// Number of devices with settings.
    pub fn len(&self) -> usize {
        self.servers.values().map(|server| server.len()).sum()
    }

    /// Whether there is nothing to save.
    pub fn is_empty(&self) -> bool {
        self.servers.is_empty() && self.unreadable.is_empty()
    }

    /// Whether settings for this device can be stored.
    pub fn has_room(&self, connection: ConnectionId, device: &DeviceId) -> bool {
        self.len() < MAX_CHOSEN_DEVICES
            || self.servers.get(&connection).is_some_and(|server| server.contains_key(device))
    }

    /// Applies a change. Returns `false`, without changing anything, if [`MAX_CHOSEN_DEVICES`] is reached.
    pub fn change(&mut self, connection: ConnectionId, device: DeviceId, change: DeviceChange) -> bool {
        if !self.has_room(connection, &device) {
            return false;
        }
        let server = Arc::make_mut(self.servers.entry(connection).or_default());
        let choice = server.entry(device.clone()).or_default();
        choice.apply(change);
        if choice.is_default() {
            server.remove(&device);
        }
        self.servers.retain(|_, server| !server.is_empty());
        true
    }

    /// Removes the settings of a server's devices.
    pub fn forget(&mut self, connection: ConnectionId) {
        self.servers.remove(&connection);
    }
}

impl From<Vec<Value>> for DeviceChoices {
    fn from(lines: Vec<Value>) -> Self {
        let mut choices = DeviceChoices::default();
        for value in lines {
            let Ok(Line { connection, device, mut choice }) = Line::deserialize(&value) else {
                choices.unreadable.push(value);
                continue;
            };
            if !choices.has_room(connection, &device) {
                choices.unreadable.push(value);
                continue;
            }
            choice.name = chosen_name(&choice.name);
            choice.group = chosen_name(&choice.group);
            let server = choices.servers.entry(connection).or_default();
            Arc::make_mut(server).insert(device, choice);
        }
        choices
    }
}

impl From<DeviceChoices> for Vec<Value> {
    fn from(choices: DeviceChoices) -> Self {
        let mut lines = Vec::new();
        for (connection, server) in choices.servers {
            // `--url` may name another server in the next run.
            if connection == ConnectionId::COMMAND_LINE {
                continue;
            }
            for (device, choice) in server.iter() {
                let line = Line { connection, device: device.clone(), choice: choice.clone() };
                lines.extend(serde_json::to_value(line));
            }
        }
        lines.extend(choices.unreadable);
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SERVER: ConnectionId = ConnectionId(3);

    fn id(text: &str) -> DeviceId {
        DeviceId::new(text).unwrap()
    }

    #[test]
    fn choices_and_unknown_entries_survive_a_round_trip() {
        let text = json!([
            {"connection": 3, "device": "kiln", "name": "가마", "pinned": true, "colour": "red"},
            {"connection": 3, "device": "not an id\n"},
            {"connection": 4, "device": "pump", "group": "Cellar", "hidden": true},
            "of a later version",
        ]);
        let mut choices: DeviceChoices = serde_json::from_value(text).unwrap();
        let kiln = choices.of(SERVER)[&id("kiln")].clone();
        assert_eq!((kiln.name.as_str(), kiln.pinned, kiln.hidden), ("가마", true, false));
        assert_eq!(choices.of(ConnectionId(4))[&id("pump")].group, "Cellar");
        assert!(choices.change(SERVER, id("kiln"), DeviceChange::Pinned(false)));
        assert_eq!(
            serde_json::to_value(&choices).unwrap(),
            json!([
                {"connection": 3, "device": "kiln", "name": "가마", "colour": "red"},
                {"connection": 4, "device": "pump", "group": "Cellar", "hidden": true},
                {"connection": 3, "device": "not an id\n"},
                "of a later version",
            ])
        );
        choices.forget(ConnectionId(4));
        assert_eq!((choices.len(), choices.of(ConnectionId(4)).len()), (1, 0));
    }

    #[test]
    fn a_reverted_choice_leaves_nothing() {
        let mut choices = DeviceChoices::default();
        let undo = DeviceChoice::default().inverse_of(&DeviceChange::Name("Shed".into()));
        choices.change(SERVER, id("a"), DeviceChange::Name("  Shed\u{0}\n ".into()));
        assert_eq!(choices.of(SERVER)[&id("a")].name, "Shed");
        choices.change(SERVER, id("a"), undo);
        assert_eq!(choices, DeviceChoices::default());
    }

    #[test]
    fn names_and_numbers_are_bounded() {
        let mut choices = DeviceChoices::default();
        for number in 0..MAX_CHOSEN_DEVICES {
            assert!(choices.change(SERVER, id(&format!("d{number}")), DeviceChange::Hidden(true)));
        }
        assert!(!choices.change(SERVER, id("more"), DeviceChange::Hidden(true)));
        assert!(choices.change(SERVER, id("d7"), DeviceChange::Group("x".repeat(1_000))));
        assert_eq!(choices.of(SERVER)[&id("d7")].group.len(), MAX_CHOSEN_NAME_CHARS);
        assert_eq!(choices.len(), MAX_CHOSEN_DEVICES);
    }

    #[test]
    fn choices_for_a_command_line_server_are_not_saved() {
        let mut choices = DeviceChoices::default();
        choices.change(ConnectionId::COMMAND_LINE, id("a"), DeviceChange::Pinned(true));
        assert_eq!(serde_json::to_value(&choices).unwrap(), json!([]));
    }
}
