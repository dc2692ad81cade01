//! Private files and directories: tokens, keys, the hub's address and secret, and the directory that contains them.
//! On Unix by mode (0600, 0700), on Windows by access list.

#[cfg(windows)]
mod access;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Creates a directory and its parents, private to their owner.
#[cfg(unix)]
pub fn create_dir(dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// Creates a directory and its parents, private to their owner.
#[cfg(windows)]
pub fn create_dir(dir: &Path) -> io::Result<()> {
    let is_missing = |dir: &&Path| !dir.as_os_str().is_empty() && !dir.exists();
    if let Some(topmost) = dir.ancestors().take_while(is_missing).last() {
        // Everything created inside inherits its access list.
        access::create_dir(topmost)?;
    }
    fs::create_dir_all(dir)
}

/// Prefixes of the files of Duplex in a data directory.
const OURS: [&str; 9] =
    ["app.", "client.db", "hooks.json", "hub", "logs", "readings.db", "settings.json", "token", "window"];

/// Makes a data directory and the files of Duplex in it private. A directory that contains other files, or belongs to
/// another user, is left as it is with a warning: its permissions are its owner's choice.
pub fn close(dir: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
        let me = rustix::process::geteuid().as_raw();
        let is_ours = |name: &str| OURS.iter().any(|ours| name.starts_with(ours));
        let mut holds_others = false;
        for entry in fs::read_dir(dir)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let known = fs::symlink_metadata(&path)?;
            holds_others |= !is_ours(&name);
            if is_ours(&name) && known.is_file() && known.uid() == me && known.mode() & 0o077 != 0 {
                close_file(&path)?;
            }
        }
        let own = fs::metadata(dir)?;
        let (shown, mode) = (dir.display(), own.mode() & 0o7777);
        if mode & 0o077 == 0 {
            return Ok(());
        }
        if own.uid() == me && !holds_others && mode & 0o1000 == 0 {
            fs::set_permissions(dir, fs::Permissions::from_mode(0o700))?;
            log::info!("restricted access to {shown}, which others could access ({mode:o})");
        } else {
            let why = if own.uid() == me { "it contains other files" } else { "it belongs to another user" };
            log::warn!(
                "others can access {shown} ({mode:o}), and {why}: only the files of Duplex in it were made private; \
                 restrict it with `chmod 700`, or use a separate directory with --data-dir"
            );
        }
    }
    #[cfg(windows)]
    let _ = (dir, OURS);
    Ok(())
}

/// Makes a file readable by its owner only. Does not follow symbolic links.
#[cfg(unix)]
fn close_file(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
    let file = fs::OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW).open(path)?;
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    log::info!("restricted access to {}, which others could read", path.display());
    Ok(())
}

/// Why a file cannot be trusted as the owner's: it is a symbolic link, whose target somebody else may change, or
/// another user's file. `None` if it is fine or missing.
pub fn is_foreign(path: &Path) -> Option<&'static str> {
    let known = fs::symlink_metadata(path).ok()?;
    if known.is_symlink() {
        return Some("is a link");
    }
    #[cfg(unix)]
    if std::os::unix::fs::MetadataExt::uid(&known) != rustix::process::geteuid().as_raw() {
        return Some("belongs to another user");
    }
    None
}

/// Creates a private file for writing. Fails if it exists.
fn create_new(path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
    }
    #[cfg(windows)]
    access::create_new(path)
}

/// Opens a private file for appending, and creates it if it is missing. Does not follow symbolic links on Unix.
pub fn append(path: &Path) -> io::Result<File> {
    let mut options = fs::OpenOptions::new();
    options.append(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.create(true).mode(0o600).custom_flags(libc::O_NOFOLLOW).open(path)
    }
    #[cfg(windows)]
    match access::create_new(path) {
        // Closed again: it was opened so that no other program could read it.
        Ok(_) => options.open(path),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => options.open(path),
        Err(error) => Err(error),
    }
}

/// Replaces a file atomically: after a crash it has the old or the new content. It is on disk when this returns, and
/// never readable by others.
pub fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(dir) = path.parent() {
        create_dir(dir)?;
    }
    let part = beside(path, ".part");
    // Left by a crash, or planted: removed rather than written through.
    match fs::remove_file(&part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let written = create_new(&part).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()
    });
    if let Err(error) = written.and_then(|()| fs::rename(&part, path)) {
        // Best effort: the old content is unchanged.
        let _ = fs::remove_file(&part);
        return Err(error);
    }
    sync_dir(path)
}

/// The rename is durable only once the directory is synced.
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

/// The path with a suffix appended to its file name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_atomically() {
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
    fn files_become_private_whatever_they_were() {
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
    fn our_directory_is_made_private_and_in_a_shared_one_only_our_files() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let mode =
            |name: &str| fs::symlink_metadata(dir.path().join(name)).unwrap().permissions().mode() & 0o777;
        let open = |name: &str, mode| {
            fs::set_permissions(dir.path().join(name), fs::Permissions::from_mode(mode)).unwrap();
        };
        for name in ["token", "hub.db", "hub.db-wal", "settings.json"] {
            fs::write(dir.path().join(name), "x").unwrap();
            open(name, 0o644);
        }
        open("", 0o755);
        close(dir.path()).unwrap();
        assert_eq!((mode(""), mode("token"), mode("hub.db-wal")), (0o700, 0o600, 0o600));
        // A directory with other files stays accessible, and so do those files.
        let victim = tempfile::NamedTempFile::new().unwrap();
        fs::set_permissions(victim.path(), fs::Permissions::from_mode(0o644)).unwrap();
        std::os::unix::fs::symlink(victim.path(), dir.path().join("hub.json")).unwrap();
        fs::write(dir.path().join("holiday.jpg"), "x").unwrap();
        open("holiday.jpg", 0o644);
        open("hub.db", 0o640);
        open("", 0o750);
        close(dir.path()).unwrap();
        assert_eq!((mode(""), mode("holiday.jpg"), mode("hub.db")), (0o750, 0o644, 0o600));
        assert_eq!(fs::metadata(victim.path()).unwrap().permissions().mode() & 0o777, 0o644);
        assert_eq!(is_foreign(&dir.path().join("hub.json")), Some("is a link"));
        assert_eq!(
            (is_foreign(&dir.path().join("token")), is_foreign(&dir.path().join("none"))),
            (None, None)
        );
    }

    #[cfg(unix)]
    #[test]
    fn symbolic_links_are_not_followed() {
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
