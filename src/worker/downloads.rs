//! The download directory and file names in it.

use std::path::{Path, PathBuf};

/// The directory for files saved for the person.
pub(super) fn folder() -> Option<PathBuf> {
    let dirs = directories::UserDirs::new()?;
    let home = dirs.home_dir();
    // Systems without a desktop do not define one.
    let downloads = dirs.download_dir().map_or_else(|| home.join("Downloads"), Path::to_owned);
    Some(if downloads.is_dir() { downloads } else { home.to_owned() })
}

/// Candidate file names in order: `stem.extension`, `stem-2.extension`, and so on.
pub(super) fn names(stem: &str, ending: &str, most: u32) -> impl Iterator<Item = String> {
    (1..=most).map(move |number| match number {
        1 => format!("{stem}.{ending}"),
        number => format!("{stem}-{number}.{ending}"),
    })
}
