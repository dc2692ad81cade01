//! [`Settings`]: what a person has set up, in `settings.json` of the data directory, with a version number and
//! migrations; and [`SecretStore`], the keyring. Secrets are in a file of ours only where the person asked for that.

mod file;
mod kept_profiles;
mod migrate;
pub mod private_file;
mod secrets;
mod token_file;

use std::path::{Path, PathBuf};

pub use file::{Settings, SettingsError};
pub use secrets::{NotKept, SecretStore};

/// The file's name in the data directory.
pub const FILE: &str = "settings.json";

/// The file beside the program that makes it keep its data there, in the folder `data`: for a stick, or a folder that is
/// carried from computer to computer.
const PORTABLE: &str = "portable.txt";

/// Where the data is unless told otherwise: beside the program where it is portable, else in this user's folder for data
/// that stays on this computer. `None` where the system names no such folder.
pub fn data_dir() -> Option<PathBuf> {
    let program = std::env::current_exe().ok();
    let portable = program.as_deref().and_then(Path::parent).and_then(portable_dir);
    portable.or_else(|| {
        directories::ProjectDirs::from("", "", "Duplex").map(|dirs| dirs.data_local_dir().to_owned())
    })
}

/// Where a program in this folder keeps its data, if it is portable.
fn portable_dir(folder: &Path) -> Option<PathBuf> {
    folder.join(PORTABLE).is_file().then(|| folder.join("data"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_portable_program_keeps_its_data_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(portable_dir(folder.path()), None);
        std::fs::write(folder.path().join(PORTABLE), "").unwrap();
        assert_eq!(portable_dir(folder.path()), Some(folder.path().join("data")));
    }
}
