//! Where files are saved for a person, and under which names.

use std::path::{Path, PathBuf};

/// Where a person looks for a file that was saved for them.
pub(super) fn folder() -> Option<PathBuf> {
    let dirs = directories::UserDirs::new()?;
    let home = dirs.home_dir();
    // A system without a desktop does not name it.
    let downloads = dirs.download_dir().map_or_else(|| home.join("Downloads"), Path::to_owned);
    Some(if downloads.is_dir() { downloads } else { home.to_owned() })
}

/// The names that a file may get, in order: `stem.ending`, `stem-2.ending` and so on.
pub(super) fn names(stem: &str, ending: &str, most: u32) -> impl Iterator<Item = String> {
    (1..=most).map(move |number| match number {
        1 => format!("{stem}.{ending}"),
        number => format!("{stem}-{number}.{ending}"),
    })
}
