//! Database files: private to their owner; damaged ones are renamed, never overwritten.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use super::error::StoreError;

/// Creates the file if it is missing, since SQLite would make it readable by everyone. SQLite gives its `-wal` and
/// `-shm` files the same permissions. On Windows the directory's access list does this.
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

/// Renames a database and its companion files to `NAME.damaged-TIME` (UTC) and returns the new path.
pub(super) fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let stamp = chrono::Utc::now().format("%Y%m%dT%H%M%SZ");
    let mut target = beside(path, &format!(".damaged-{stamp}"));
    for again in 2.. {
        if !target.exists() {
            break;
        }
        target = beside(path, &format!(".damaged-{stamp}-{again}"));
    }
    // The main file is renamed last: until then, the next start finds the same damage and repeats this.
    for suffix in ["-wal", "-shm", ""] {
        match fs::rename(beside(path, suffix), beside(&target, suffix)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => other?,
        }
    }
    Ok(target)
}

/// Checks that a database file has the length in its header, and that its write-ahead log still contains what was
/// committed (sqlite.org/fileformat2.html §1.3.8, §4; sqlite.org/walformat.html §2). Fast: reads headers only.
pub(super) fn check_length(path: &Path) -> Result<(), StoreError> {
    // The index is read first: the log then contains at least what the index counts.
    let index = read_index(path);
    let length = fs::metadata(path).map_or(0, |file| file.len());
    if length == 0 {
        // SQLite would delete the log.
        let log = fs::metadata(beside(path, "-wal")).map_or(0, |log| log.len());
        return if log == 0 { Ok(()) } else { Err(damaged("it is empty, and its write-ahead log is not")) };
    }
    let (mut file, mut head) = (File::open(path)?, [0; 100]);
    if file.read_exact(&mut head).is_err() || !head.starts_with(b"SQLite format 3\0") {
        return Err(damaged("it is not a database"));
    }
    let page_size = match u16::from_be_bytes([head[16], head[17]]) {
        1 => 65_536,
        size => u64::from(size),
    };
    if page_size < 512 {
        return Err(damaged("its header makes no sense"));
    }
    let log = LogPages::read(&beside(path, "-wal"))?;
    if let Some(index) = index
        && index.unsaved
        && log.as_ref().is_none_or(|log| log.salts == index.salts && log.frames < index.frames)
    {
        return Err(damaged("its write-ahead log is shorter than what was committed"));
    }
    let log = log.unwrap_or_default();
    let is_counted = head[24..28] == head[92..96];
    let pages = if is_counted { u64::from(be(&head, 28)) } else { 0 };
    let (pages, there) = (log.pages_after.unwrap_or(pages), length / page_size);
    let added = log.pages.iter().filter(|page| **page > there && **page <= pages).count() as u64;
    if pages > there + added {
        return Err(damaged(&format!("it has {there} of its {pages} pages")));
    }
    Ok(())
}

fn damaged(detail: &str) -> StoreError {
    StoreError::Damaged { detail: detail.to_owned() }
}

fn be(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).map_or(0, u32::from_be_bytes)
}

/// What the index of the write-ahead log says, as the last process left it.
struct Index {
    salts: [u8; 8],
    frames: u64,
    /// Some of the log has not been copied to the file.
    unsaved: bool,
}

/// `None` if there is no index, or it is being changed.
fn read_index(path: &Path) -> Option<Index> {
    let mut head = [0; 100];
    File::open(beside(path, "-shm")).ok()?.read_exact(&mut head).ok()?;
    // Two copies that are equal unless a write is in progress; in this computer's byte order.
    if head[..48] != head[48..96] || head[12] != 1 {
        return None;
    }
    let ne = |at: usize| head.get(at..at + 4).and_then(|four| four.try_into().ok()).map(u32::from_ne_bytes);
    let (frames, saved) = (ne(16)?, ne(96)?);
    let salts = head.get(32..40)?.try_into().ok()?;
    Some(Index { salts, frames: u64::from(frames), unsaved: frames > saved })
}

/// The content of a write-ahead log.
#[derive(Default)]
struct LogPages {
    salts: [u8; 8],
    /// Number of complete frames, committed or not.
    frames: u64,
    /// Number of pages in the file after the last commit.
    pages_after: Option<u64>,
    /// The pages of all commits.
    pages: HashSet<u64>,
}

impl LogPages {
    /// `None` if there is no log.
    fn read(path: &Path) -> Result<Option<LogPages>, StoreError> {
        let Ok(mut file) = File::open(path) else { return Ok(None) };
        let length = file.metadata()?.len();
        let mut head = [0; 32];
        if file.read_exact(&mut head).is_err() || be(&head, 0) & !1 != 0x377f_0682 {
            return Ok(None);
        }
        let page_size = u64::from(be(&head, 8));
        let salts = head[16..24].try_into().unwrap_or_default();
        let mut log = LogPages { salts, ..LogPages::default() };
        let mut open = Vec::new();
        loop {
            let next = 32 + log.frames * (24 + page_size);
            let mut frame = [0; 24];
            if next + 24 + page_size > length {
                break;
            }
            file.seek(SeekFrom::Start(next))?;
            file.read_exact(&mut frame)?;
            if frame[8..16] != log.salts {
                break;
            }
            log.frames += 1;
            open.push(u64::from(be(&frame, 0)));
            if be(&frame, 4) != 0 {
                log.pages_after = Some(u64::from(be(&frame, 4)));
                log.pages.extend(open.drain(..));
            }
        }
        Ok(Some(log))
    }
}

/// A rename is durable once the directory is synced. Windows does not need that.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    #[cfg(windows)]
    let _ = path;
    Ok(())
}

/// Whether the disk has less free space than is to be left to others: `least` bytes, or 5 % of a small disk. False if
/// the system does not report it.
#[cfg(unix)]
pub(super) fn is_space_low(path: &Path, least: u64) -> bool {
    let Ok(disk) = rustix::fs::statvfs(path) else { return false };
    let bytes = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
    bytes(disk.f_bavail) < least.min(bytes(disk.f_blocks) / 20)
}

/// Not supported on this system.
#[cfg(not(unix))]
pub(super) fn is_space_low(_: &Path, _: u64) -> bool {
    false
}

/// The path with a suffix appended to its file name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
