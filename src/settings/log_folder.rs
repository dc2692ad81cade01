//! The folder `logs` in the data directory: [`LogFile`], which is rotated, and the notes about crashes. Only the owner
//! can read them.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::private_file;

/// Maximum size of one log file, in bytes. A line is never split, so that a file may be one line longer.
const MAX_FILE_BYTES: u64 = 1024 * 1024;
/// Maximum number of log files: the current one and older ones.
const MAX_FILES: usize = 4;
/// Maximum number of crash notes kept.
const MAX_NOTES: usize = 5;
/// Maximum size of a crash note, in bytes.
pub const MAX_NOTE_BYTES: usize = 64 * 1024;

/// The current log file's name.
const LOG: &str = "duplex.log";
/// The note about a crash that the person has not seen yet, in the data directory.
const NOTE: &str = "app.crash";

/// The folder in a data directory.
pub fn folder(data_dir: &Path) -> PathBuf {
    data_dir.join("logs")
}

/// A log file that is rotated: `duplex.log`, then `duplex.1.log` and so on, the oldest deleted.
#[derive(Debug)]
pub struct LogFile {
    folder: PathBuf,
    file: File,
    bytes: u64,
}

impl LogFile {
    /// Opens the log file of a data directory.
    ///
    /// # Errors
    /// The system's.
    pub fn open(data_dir: &Path) -> io::Result<LogFile> {
        let folder = folder(data_dir);
        private_file::create_dir(&folder)?;
        let path = folder.join(LOG);
        if let Some(why) = private_file::is_foreign(&path) {
            return Err(io::Error::other(format!("{} {why}", path.display())));
        }
        let file = private_file::append(&path)?;
        let bytes = file.metadata()?.len();
        Ok(LogFile { folder, file, bytes })
    }

    fn rotate(&mut self) -> io::Result<()> {
        let path = |number: usize| match number {
            0 => self.folder.join(LOG),
            number => self.folder.join(format!("duplex.{number}.log")),
        };
        for number in (0..MAX_FILES - 1).rev() {
            match fs::rename(path(number), path(number + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        self.file = private_file::append(&path(0))?;
        self.bytes = 0;
        Ok(())
    }
}

/// Each write is one line.
impl Write for LogFile {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.bytes > 0 && self.bytes + line.len() as u64 > MAX_FILE_BYTES {
            self.rotate()?;
        }
        self.file.write_all(line)?;
        self.bytes += line.len() as u64;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Writes a note about a crash, behind earlier ones that nobody has seen yet, as far as there is room.
///
/// # Errors
/// The system's.
pub fn add_note(data_dir: &Path, note: &str) -> io::Result<()> {
    let path = data_dir.join(NOTE);
    if let Some(why) = private_file::is_foreign(&path) {
        return Err(io::Error::other(format!("{} {why}", path.display())));
    }
    let mut file = private_file::append(&path)?;
    let room = MAX_NOTE_BYTES.saturating_sub(usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX));
    file.write_all(&note.as_bytes()[..note.floor_char_boundary(room)])?;
    file.sync_all()
}

/// The note that the person has not seen yet.
pub fn unseen_note(data_dir: &Path) -> Option<String> {
    use io::Read as _;
    let mut note = Vec::new();
    let file = File::open(data_dir.join(NOTE)).ok()?;
    file.take(MAX_NOTE_BYTES as u64).read_to_end(&mut note).ok()?;
    Some(String::from_utf8_lossy(&note).into_owned()).filter(|note| !note.trim().is_empty())
}

/// Moves the note into the log folder once the person has seen it. `at`: for its name, `20261130-041233`.
///
/// # Errors
/// The system's.
pub fn keep_note(data_dir: &Path, at: &str) -> io::Result<()> {
    let folder = folder(data_dir);
    private_file::create_dir(&folder)?;
    match fs::rename(data_dir.join(NOTE), folder.join(format!("crash-{at}.txt"))) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let is_note = |name: &str| name.starts_with("crash-") && name.ends_with(".txt");
    let mut notes: Vec<PathBuf> = fs::read_dir(&folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(is_note))
        .collect();
    notes.sort();
    let oldest = notes.len().saturating_sub(MAX_NOTES);
    notes[..oldest].iter().try_for_each(fs::remove_file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_files_are_bounded_rotated_and_private() {
        let dir = tempfile::tempdir().unwrap();
        let line = format!("{}\n", "x".repeat(9_999));
        let count = MAX_FILE_BYTES as usize * (MAX_FILES + 2) / line.len();
        for half in [0..count / 2, count / 2..count] {
            // As after a restart.
            let mut log = LogFile::open(dir.path()).unwrap();
            for number in half {
                log.write_all(format!("{number:06}{}", &line[6..]).as_bytes()).unwrap();
            }
        }
        let files: Vec<_> = fs::read_dir(folder(dir.path())).unwrap().map(|entry| entry.unwrap()).collect();
        assert_eq!(files.len(), MAX_FILES);
        for file in &files {
            let known = file.metadata().unwrap();
            assert!(known.len() <= MAX_FILE_BYTES, "{}", known.len());
            #[cfg(unix)]
            assert_eq!(std::os::unix::fs::PermissionsExt::mode(&known.permissions()) & 0o777, 0o600);
        }
        #[cfg(unix)]
        {
            let known = fs::metadata(folder(dir.path())).unwrap();
            assert_eq!(std::os::unix::fs::PermissionsExt::mode(&known.permissions()) & 0o777, 0o700);
        }
        let newest = fs::read_to_string(folder(dir.path()).join(LOG)).unwrap();
        assert!(newest.lines().last().unwrap().starts_with(&format!("{:06}", count - 1)));
        let older = fs::read_to_string(folder(dir.path()).join("duplex.1.log")).unwrap();
        let number = |line: &str| line[..6].parse::<usize>().unwrap();
        let (last, first) = (older.lines().last().unwrap(), newest.lines().next().unwrap());
        assert_eq!(number(last) + 1, number(first), "no line is lost between two files");
    }

    #[test]
    fn notes_are_kept_once_they_are_seen_and_are_bounded() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(unseen_note(dir.path()), None);
        add_note(dir.path(), "first\n").unwrap();
        add_note(dir.path(), &"둘".repeat(MAX_NOTE_BYTES)).unwrap();
        let note = unseen_note(dir.path()).unwrap();
        assert!(note.starts_with("first\n둘") && note.len() <= MAX_NOTE_BYTES && !note.contains('\u{FFFD}'));
        for number in 0..8 {
            add_note(dir.path(), "again").unwrap();
            keep_note(dir.path(), &format!("20261130-04123{number}")).unwrap();
            assert_eq!(unseen_note(dir.path()), None);
        }
        let mut kept: Vec<String> = fs::read_dir(folder(dir.path()))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        kept.sort();
        assert_eq!(kept.len(), MAX_NOTES);
        assert_eq!(kept[0], "crash-20261130-041233.txt");
        keep_note(dir.path(), "20261130-050000").unwrap();
        assert_eq!(fs::read_dir(folder(dir.path())).unwrap().count(), MAX_NOTES, "there was none to keep");
    }

    #[cfg(unix)]
    #[test]
    fn nothing_is_written_through_a_planted_link() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("target");
        fs::create_dir(folder(dir.path())).unwrap();
        std::os::unix::fs::symlink(&target, folder(dir.path()).join(LOG)).unwrap();
        std::os::unix::fs::symlink(&target, dir.path().join(NOTE)).unwrap();
        assert!(LogFile::open(dir.path()).is_err());
        assert!(add_note(dir.path(), "x").is_err());
        assert!(!target.exists());
    }
}
