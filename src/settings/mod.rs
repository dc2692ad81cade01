//! [`Settings`]: what a person has set up, in `settings.json` of the data directory, with a version number and
//! migrations; and [`SecretStore`], the keyring. Secrets are never in a file of ours.

mod file;
mod migrate;
pub mod private_file;
mod secrets;

use std::path::PathBuf;

pub use file::{Settings, SettingsError};
pub use secrets::{NotKept, SecretStore};

/// The file's name in the data directory.
pub const FILE: &str = "settings.json";

/// Where the data is unless told otherwise: this user's folder for data that stays on this computer. `None` where the
/// system names no such folder.
pub fn data_dir() -> Option<PathBuf> {
    directories::ProjectDirs::from("", "", "Duplex").map(|dirs| dirs.data_local_dir().to_owned())
}
