//! [`Panes`]: which parts of the window a person has chosen to see, how wide they are, and what was open.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::id::{ConnectionId, RoomId};

/// What stands in the middle of a wide window.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Middle {
    /// The chat alone.
    Chat,
    /// The devices alone.
    Devices,
    /// The chat, and the devices beside it.
    #[default]
    Both,
}

/// The one pane of a narrow window.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pane {
    /// Connections and their rooms.
    Rooms,
    /// The chat.
    #[default]
    Chat,
    /// The devices.
    Devices,
}

/// How devices are listed.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceLayout {
    /// By the room there is.
    #[default]
    Auto,
    /// A line each, with as many values as fit.
    Rows,
    /// A table with chosen columns.
    Table,
    /// A card each.
    Cards,
}

/// The table of one connection's devices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeviceTable {
    /// Whose devices.
    pub connection: ConnectionId,
    /// The metrics that have a column, in order; none: those that most devices have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<String>>,
    /// Columns that were made wider or narrower, by their keys, in points.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub widths: BTreeMap<String, f32>,
}

/// How the list of devices stands, from one start to the next.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeviceLists {
    /// How they are listed.
    pub layout: DeviceLayout,
    /// The tables that were changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<DeviceTable>,
}

impl DeviceLists {
    /// The table of a connection, if anything in it was chosen.
    pub fn table(&self, connection: ConnectionId) -> Option<&DeviceTable> {
        self.tables.iter().find(|table| table.connection == connection)
    }

    /// The table of a connection, to be changed.
    pub fn table_mut(&mut self, connection: ConnectionId) -> &mut DeviceTable {
        let known = self.tables.iter().position(|table| table.connection == connection);
        let at = known.unwrap_or_else(|| {
            self.tables.push(DeviceTable { connection, columns: None, widths: BTreeMap::new() });
            self.tables.len() - 1
        });
        &mut self.tables[at]
    }
}

/// How the panes stand, from one start to the next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Panes {
    /// In a wide window.
    pub middle: Middle,
    /// In a narrow one.
    pub single: Pane,
    /// Whether the list of rooms stands beside the middle.
    pub rooms: bool,
    /// The width of the list of rooms, in points, once it was dragged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rooms_width: Option<f32>,
    /// The width of the devices beside the chat, in points, once it was dragged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub devices_width: Option<f32>,
    /// How the devices are listed.
    pub devices: DeviceLists,
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
            room: None,
        }
    }
}
