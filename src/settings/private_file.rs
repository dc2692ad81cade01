//! Files and folders that only their owner may read: tokens, keys, the hub's address and proof, and the folder they are
//! in. On Unix by their mode (0600, 0700), on Windows by their access list.

#[cfg(windows)]
mod access;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Makes a directory and those above it; only its owner may enter those that are made.
#[cfg(unix)]
pub fn create_dir(dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// Makes a directory and those above it; only its owner may enter those that are made.
#[cfg(windows)]
pub fn create_dir(dir: &Path) -> io::Result<()> {
    let is_missing = |dir: &&Path| !dir.as_os_str().is_empty() && !dir.exists();
    if let Some(topmost) = dir.ancestors().take_while(is_missing).last() {
        // What is made in it takes its access list over.
        access::create_dir(topmost)?;
    }
    fs::create_dir_all(dir)
}

/// Makes a file to write to, its owner's alone from the start. Fails where there is one.
fn create_new(path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
    }
    #[cfg(windows)]
    access::create_new(path)
}

/// Writes a file in one piece: after a crash there is the old content or the new, never a part. It is on disk when this
/// returns, and was never readable by others, not even for a moment.
pub fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(dir) = path.parent() {
        create_dir(dir)?;
    }
    let part = beside(path, ".part");
    // Left over from a crash, or somebody else's trap: never written through.
    match fs::remove_file(&part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let written = create_new(&part).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()
    });
    if let Err(error) = written.and_then(|()| fs::rename(&part, path)) {
        // Best effort: the old content is untouched, and that counts.
        let _ = fs::remove_file(&part);
        return Err(error);
    }
    sync_dir(path)
}

/// The rename itself is on disk once the directory is.
#[cfg(unix)]
fn sync_dir(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => File::open(dir)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

/// Windows cannot sync a directory, and does not need to for a rename.
#[cfg(windows)]
fn sync_dir(_: &Path) -> io::Result<()> {
    Ok(())
}

/// The path with something appended to its last part.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_in_one_piece() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new").join("token");
        write(&path, b"one").unwrap();
        fs::write(beside(&path, ".part"), "left over").unwrap();
        write(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_may_read_it_whatever_it_was_before() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("inner").join("token");
        create_dir(path.parent().unwrap()).unwrap();
        fs::write(&path, "open to all").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        write(&path, b"secret").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_laid_in_its_way_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let (path, victim) = (dir.path().join("token"), dir.path().join("victim"));
        fs::write(&victim, "mine").unwrap();
        std::os::unix::fs::symlink(&victim, beside(&path, ".part")).unwrap();
        write(&path, b"secret").unwrap();
        assert_eq!(
            (fs::read(&victim).unwrap(), fs::read(&path).unwrap()),
            (b"mine".to_vec(), b"secret".to_vec())
        );
    }
}
