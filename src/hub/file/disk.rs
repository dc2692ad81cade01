//! The content of files on the hub's disk. Unfinished uploads lie in `parts` under their id, complete ones under their
//! SHA-256, so that what two people send is there once. Names that people gave are never part of a path. Everything here
//! blocks.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::model::file::{FileHash, FileId};
use crate::settings::private_file;

/// The folder in the data directory. Its name begins like those of the hub's other files.
pub(in crate::hub) const FOLDER: &str = "hub-files";
/// The folder of unfinished uploads.
const PARTS: &str = "parts";
/// What stays free on the disk for the log, in bytes.
const MIN_FREE_BYTES: u64 = 16 * 1024 * 1024;
/// Bytes that are hashed at once.
const HASHED_BYTES: usize = 128 * 1024;

/// The folder of a hub's files.
#[derive(Clone, Debug)]
pub(in crate::hub) struct Disk {
    dir: PathBuf,
}

impl Disk {
    /// The files of the hub in a data directory. Creates nothing.
    pub(in crate::hub) fn new(data_dir: &Path) -> Disk {
        Disk { dir: data_dir.join(FOLDER) }
    }

    fn part(&self, id: FileId) -> PathBuf {
        self.dir.join(PARTS).join(id.to_string())
    }

    /// Where complete content lies.
    pub(in crate::hub) fn content(&self, sha256: FileHash) -> PathBuf {
        let digits = sha256.to_string();
        self.dir.join(&digits[..2]).join(&digits[2..])
    }

    /// Whether the disk has room for so many more bytes. Where that cannot be found out, writing will tell.
    pub(super) fn has_room(&self, bytes: u64) -> bool {
        free_bytes(&self.dir).is_none_or(|free| free >= bytes.saturating_add(MIN_FREE_BYTES))
    }

    /// Opens the part of an upload to write from an offset on. What lies beyond was never acknowledged, and goes.
    pub(super) fn write_from(&self, id: FileId, offset: u64) -> io::Result<File> {
        let path = self.part(id);
        private_file::create_dir(&self.dir.join(PARTS))?;
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path)?;
        let length = file.metadata()?.len();
        if length < offset {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the part is shorter than what was kept",
            ));
        }
        if length > offset {
            file.set_len(offset)?;
        }
        if offset == 0 {
            sync_dir(&self.dir.join(PARTS))?;
        }
        file.seek(SeekFrom::Start(offset))?;
        Ok(file)
    }

    /// Bytes of an upload that are there.
    pub(super) fn length(&self, id: FileId) -> u64 {
        fs::metadata(self.part(id)).map_or(0, |file| file.len())
    }

    /// Whether the whole upload has this checksum.
    pub(super) fn is_right(&self, id: FileId, sha256: FileHash) -> io::Result<bool> {
        Ok(hash(&mut File::open(self.part(id))?)? == sha256)
    }

    /// Moves a complete upload to where its content belongs. Where the same is there already, the upload goes.
    pub(super) fn settle(&self, id: FileId, sha256: FileHash) -> io::Result<()> {
        let (part, content) = (self.part(id), self.content(sha256));
        if !part.exists() {
            return Ok(());
        }
        if content.exists() {
            return fs::remove_file(part);
        }
        let folder = content.parent().unwrap_or(&self.dir);
        private_file::create_dir(folder)?;
        fs::rename(part, &content)?;
        sync_dir(folder)?;
        sync_dir(&self.dir)
    }

    /// Opens the content of a complete file.
    pub(super) fn open(&self, id: FileId, sha256: FileHash) -> io::Result<File> {
        match File::open(self.content(sha256)) {
            // The hub ended between its last two steps.
            Err(error) if error.kind() == io::ErrorKind::NotFound => File::open(self.part(id)),
            opened => opened,
        }
    }

    /// Removes what is left of a file; its content only where no other file has the same.
    pub(super) fn remove(&self, id: FileId, sha256: FileHash, is_needed: bool) -> io::Result<()> {
        remove(&self.part(id))?;
        if is_needed { Ok(()) } else { remove(&self.content(sha256)) }
    }

    /// Why the content of a complete file is not as it should be; none where it is.
    pub(in crate::hub) fn problem(&self, id: FileId, sha256: FileHash, size: u64) -> Option<String> {
        let told = |what: String| Some(format!("{FOLDER}: the file {sha256} {what}"));
        match self.open(id, sha256) {
            Err(error) => told(format!("cannot be read: {error}")),
            Ok(mut file) => match (file.metadata().map(|file| file.len()), hash(&mut file)) {
                (Ok(length), _) if length != size => told(format!("has {length} bytes instead of {size}")),
                (_, Ok(found)) if found == sha256 => None,
                (_, Ok(_)) => told("has other content".to_owned()),
                (_, Err(error)) => told(format!("cannot be read: {error}")),
            },
        }
    }

    /// Copies the content of a complete file into another folder of files.
    pub(in crate::hub) fn copy_to(&self, to: &Disk, id: FileId, sha256: FileHash) -> io::Result<()> {
        let target = to.content(sha256);
        private_file::create_dir(target.parent().unwrap_or(&to.dir))?;
        let mut file = OpenOptions::new();
        file.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut file, 0o600);
        let mut file = file.open(&target)?;
        io::copy(&mut self.open(id, sha256)?, &mut file)?;
        file.sync_all()
    }
}

/// Appends to an open part.
pub(super) fn append(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)
}

/// Reads at most so many bytes from an offset on.
pub(super) fn read_at(file: &mut File, offset: u64, most: usize) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::with_capacity(most);
    file.take(most as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn hash(file: &mut File) -> io::Result<FileHash> {
    let (mut digest, mut buffer) = (Sha256::new(), vec![0; HASHED_BYTES]);
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(FileHash(digest.finalize().into())),
            Ok(count) => digest.update(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A rename is on disk once its folder is. Windows has no such thing.
fn sync_dir(dir: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(dir)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = dir;
    Ok(())
}

/// Free bytes of the disk that a folder is on, or would be; none where the system does not say.
fn free_bytes(dir: &Path) -> Option<u64> {
    #[cfg(unix)]
    {
        let there = dir.ancestors().find(|dir| dir.exists())?;
        let disk = rustix::fs::statvfs(there).ok()?;
        Some(disk.f_bavail.saturating_mul(disk.f_frsize))
    }
    #[cfg(not(unix))]
    {
        let _ = dir;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_people_send_is_there_once_until_neither_needs_it() {
        let dir = tempfile::tempdir().unwrap();
        let disk = Disk::new(dir.path());
        let sha256 = FileHash(Sha256::digest(b"pump").into());
        let ids = [1, 2].map(|n| FileId::from_random([n; 16]));
        for id in ids {
            append(&mut disk.write_from(id, 0).unwrap(), b"pu").unwrap();
            append(&mut disk.write_from(id, 2).unwrap(), b"mp").unwrap();
            assert!(disk.is_right(id, sha256).unwrap() && !disk.is_right(id, FileHash([0; 32])).unwrap());
            assert_eq!(read_at(&mut disk.open(id, sha256).unwrap(), 1, 9).unwrap(), b"ump");
            disk.settle(id, sha256).unwrap();
            disk.settle(id, sha256).unwrap();
            assert_eq!(disk.length(id), 0, "no part is left");
        }
        assert_eq!(disk.problem(ids[0], sha256, 4), None);
        assert!(disk.problem(ids[0], sha256, 5).is_some());
        disk.remove(ids[0], sha256, true).unwrap();
        assert!(disk.content(sha256).exists());
        disk.remove(ids[1], sha256, false).unwrap();
        assert!(disk.open(ids[1], sha256).is_err());
    }

    #[test]
    fn what_was_not_acknowledged_is_written_again() {
        let dir = tempfile::tempdir().unwrap();
        let disk = Disk::new(dir.path());
        let id = FileId::from_random([3; 16]);
        append(&mut disk.write_from(id, 0).unwrap(), b"abXX").unwrap();
        append(&mut disk.write_from(id, 2).unwrap(), b"c").unwrap();
        assert_eq!(fs::read(disk.part(id)).unwrap(), b"abc");
        assert!(disk.write_from(id, 9).is_err(), "what is missing is not made up");
    }
}
