//! Database files: made readable by their owner only, and set aside whole, never overwritten.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// Makes sure that the file is there, so that SQLite does not make one that everybody can read. SQLite gives its `-wal`
/// and `-shm` files the same permissions. On Windows the folder's access list does this.
pub(super) fn make_private(path: &Path) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Renames a database and the files beside it to `NAME.damaged-TIME` (UTC) and says where it is now.
pub(super) fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let stamp = chrono::Utc::now().format("%Y%m%dT%H%M%SZ");
    let mut target = beside(path, &format!(".damaged-{stamp}"));
    for again in 2.. {
        if !target.exists() {
            break;
        }
        target = beside(path, &format!(".damaged-{stamp}-{again}"));
    }
    // The main file last: until it is gone, the next start finds the same damage and does this again.
    for suffix in ["-wal", "-shm", ""] {
        match fs::rename(beside(path, suffix), beside(&target, suffix)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && !suffix.is_empty() => {}
            other => other?,
        }
    }
    Ok(target)
}

/// Whether the disk of this file has less space than is to be left to others: so many bytes, or on a small disk a
/// twentieth of it. False where the system does not tell.
#[cfg(unix)]
pub(super) fn is_space_low(path: &Path, least: u64) -> bool {
    let Ok(disk) = rustix::fs::statvfs(path) else { return false };
    let bytes = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
    bytes(disk.f_bavail) < least.min(bytes(disk.f_blocks) / 20)
}

/// Not known here.
#[cfg(not(unix))]
pub(super) fn is_space_low(_: &Path, _: u64) -> bool {
    false
}

/// The path with something appended to its last part.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
