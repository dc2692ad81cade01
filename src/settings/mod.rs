//! [`Settings`]: the user's settings, in `settings.json` in the data directory, with a version number and migrations;
//! and [`SecretStore`], the keyring. Secrets are stored in a file only if the user asked for it.

pub mod autostart;
mod file;
mod kept_profiles;
pub mod log_folder;
mod migrate;
pub mod private_file;
mod secrets;
mod token_file;

use std::path::{Path, PathBuf};

pub use file::{Settings, SettingsError};
pub use secrets::{NotStored, SecretStore};

/// File name in the data directory.
pub const FILE: &str = "settings.json";

/// A file beside the program that makes it portable: data is kept in the directory `data` beside it, for example on a
/// USB stick.
const PORTABLE: &str = "portable.txt";

/// The default data directory: beside a portable program, otherwise the user's local data directory. `None` if the
/// system has none.
pub fn data_dir() -> Option<PathBuf> {
    let program = std::env::current_exe().ok();
    let portable = program.as_deref().and_then(Path::parent).and_then(portable_dir);
    portable.or_else(|| {
        directories::ProjectDirs::from("", "", "Duplex").map(|dirs| dirs.data_local_dir().to_owned())
    })
}

/// The data directory of a program in this directory, if it is portable.
fn portable_dir(folder: &Path) -> Option<PathBuf> {
    folder.join(PORTABLE).is_file().then(|| folder.join("data"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_portable_program_stores_its_data_beside_itself() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(portable_dir(folder.path()), None);
        std::fs::write(folder.path().join(PORTABLE), "").unwrap();
        assert_eq!(portable_dir(folder.path()), Some(folder.path().join("data")));
    }
}
