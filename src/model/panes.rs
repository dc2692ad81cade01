//! [`Panes`]: the layout of the window as chosen by the person, and what was open.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::id::{ConnectionId, RoomId};
use super::publication::{Properties, Qos};

/// The main area of a wide window.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Middle {
    /// The chat only.
    Chat,
    /// The devices only.
    Devices,
    /// The chat with the devices beside it.
    #[default]
    Both,
}

/// The pane shown in a narrow window.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pane {
    /// The room list.
    Rooms,
    /// The chat.
    #[default]
    Chat,
    /// The devices.
    Devices,
}

/// Layout of the device list.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceLayout {
    /// Chosen by the width of the pane.
    #[default]
    Auto,
    /// One line each, with as many values as fit.
    Rows,
    /// A table with selectable columns.
    Table,
    /// One card each.
    Cards,
}

/// Settings of the table of a connection's devices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeviceTable {
    /// The connection.
    pub connection: ConnectionId,
    /// Metrics with a column, in order; `None` for the most common ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<String>>,
    /// Widths of resized columns by their keys, in points.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub widths: BTreeMap<String, f32>,
}

/// Layout of the device list, saved across restarts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeviceLists {
    /// The layout.
    pub layout: DeviceLayout,
    /// Tables with changed settings.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<DeviceTable>,
}

impl DeviceLists {
    /// Settings of a connection's table, if any were changed.
    pub fn table(&self, connection: ConnectionId) -> Option<&DeviceTable> {
        self.tables.iter().find(|table| table.connection == connection)
    }

    /// Mutable settings of a connection's table; created if missing.
    pub fn table_mut(&mut self, connection: ConnectionId) -> &mut DeviceTable {
        let known = self.tables.iter().position(|table| table.connection == connection);
        let at = known.unwrap_or_else(|| {
            self.tables.push(DeviceTable { connection, columns: None, widths: BTreeMap::new() });
            self.tables.len() - 1
        });
        &mut self.tables[at]
    }
}

/// Maximum number of recently used emoji that are kept.
pub const MAX_RECENT_EMOJI: usize = 27;
/// Maximum length of one of them, in bytes.
const MAX_EMOJI_BYTES: usize = 64;

/// What the message field has beside the text, saved across restarts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Composer {
    /// Whether the formatting toolbar is shown.
    pub formatting: bool,
    /// Recently used emoji, the newest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub emoji: Vec<String>,
}

impl Default for Composer {
    fn default() -> Self {
        Composer { formatting: true, emoji: Vec::new() }
    }
}

impl Composer {
    /// Puts an emoji before all that were used earlier.
    pub fn used_emoji(&mut self, emoji: &str) {
        self.emoji.retain(|known| known != emoji && known.len() <= MAX_EMOJI_BYTES);
        self.emoji.insert(0, emoji.to_owned());
        self.emoji.truncate(MAX_RECENT_EMOJI);
    }
}

/// Maximum number of messages that are kept to be published again.
pub const MAX_SAVED_PUBLICATIONS: usize = 50;

/// A message to be published again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedPublication {
    /// By which connection.
    pub connection: ConnectionId,
    /// Its topic.
    pub topic: String,
    /// Its payload as it was typed.
    #[serde(default)]
    pub payload: String,
    /// Whether the payload is hexadecimal.
    #[serde(default)]
    pub is_hex: bool,
    /// Its QoS.
    #[serde(default)]
    pub qos: Qos,
    /// Whether the broker is to keep it.
    #[serde(default)]
    pub retain: bool,
    /// What it carries beside the payload.
    #[serde(default, skip_serializing_if = "Properties::is_empty")]
    pub properties: Properties,
}

/// What is kept of the topics' pane, saved across restarts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TopicLists {
    /// Whether topics are shown in place of the devices, where there are any.
    pub shown: bool,
    /// Messages to be published again, the newest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub saved: Vec<SavedPublication>,
}

impl TopicLists {
    /// Keeps a message to be published again, before those that were kept earlier.
    pub fn save(&mut self, message: SavedPublication) {
        self.saved.retain(|known| *known != message);
        self.saved.insert(0, message);
        self.saved.truncate(MAX_SAVED_PUBLICATIONS);
    }
}

/// Layout of the panes, saved across restarts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Panes {
    /// Main area in a wide window.
    pub middle: Middle,
    /// Pane shown in a narrow window.
    pub single: Pane,
    /// Whether the room list is shown in a wide window.
    pub rooms: bool,
    /// Width of the room list in points, if it was resized.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rooms_width: Option<f32>,
    /// Width of the devices beside the chat in points, if it was resized.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub devices_width: Option<f32>,
    /// Layout of the device list.
    pub devices: DeviceLists,
    /// What is kept of the topics' pane.
    pub topics: TopicLists,
    /// What the message field has beside the text.
    pub composer: Composer,
    /// The room that was open last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<(ConnectionId, RoomId)>,
}

impl Default for Panes {
    fn default() -> Self {
        Panes {
            middle: Middle::Both,
            single: Pane::Chat,
            rooms: true,
            rooms_width: None,
            devices_width: None,
            devices: DeviceLists::default(),
            topics: TopicLists::default(),
            composer: Composer::default(),
            room: None,
        }
    }
}
