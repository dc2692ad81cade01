//! [`Panes`]: which parts of the window a person has chosen to see, how wide they are, and what was open.

use serde::{Deserialize, Serialize};

use super::id::{ConnectionId, RoomName};

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
    /// The room that was open last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<(ConnectionId, RoomName)>,
}

impl Default for Panes {
    fn default() -> Self {
        Panes {
            middle: Middle::Both,
            single: Pane::Chat,
            rooms: true,
            rooms_width: None,
            devices_width: None,
            room: None,
        }
    }
}
