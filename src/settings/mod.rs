//! What a person has set up, in `settings.json` of the data directory, with a version number and migrations; and
//! [`SecretStore`], the keyring. Secrets are never in a file of ours.

mod file;
mod migrate;
pub mod private_file;
mod secrets;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::model::Profile;

pub use file::{OpenedSettings, SettingsError, SettingsFile};
pub use secrets::SecretStore;

/// The file's name in the data directory.
pub const FILE: &str = "settings.json";

/// All settings. Fields of later versions of this program are kept as they are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// The servers, in the person's order.
    pub profiles: Vec<Profile>,
    /// Whether the first steps were taken or put off.
    pub first_steps_done: bool,
    /// The name to propose to servers; empty until the person chose one.
    pub display_name: String,
    /// Light or dark.
    pub theme: Theme,
    /// The window's inner size when it was last closed, in points.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<WindowSize>,
    /// What this version does not know.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

/// Light or dark.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// As the system says.
    #[default]
    System,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

/// A window's size, in points.
#[derive(Copy, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WindowSize {
    /// Its width.
    pub width: f32,
    /// Its height.
    pub height: f32,
}

/// Where the data is unless told otherwise: this user's folder for data that stays on this computer. `None` where the
/// system names no such folder.
pub fn data_dir() -> Option<PathBuf> {
    directories::ProjectDirs::from("", "", "Duplex").map(|dirs| dirs.data_local_dir().to_owned())
}
