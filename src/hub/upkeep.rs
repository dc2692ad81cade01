//! Maintenance of a hub's data from outside: check, repair, backup.

use std::fs;
use std::path::{Path, PathBuf};

use super::file::disk::{Disk, FOLDER};
use super::{HubError, files};
use crate::clock;
use crate::model::{Epoch, FileHash, MessageId};
use crate::settings::private_file;
use crate::store::hub::{Anew, FILE, Repaired};
use crate::store::readings::{HUB_FILE, ReadingsStore};
use crate::store::{Findings, HubStore, StoreError};

/// Damaged files that are named one by one.
const MAX_TOLD_FILES: usize = 16;

/// Checks everything in this data directory, whether a hub runs on it or not. Reads only. Blocks.
///
/// # Errors
/// If the directory contains no hub's data.
pub fn check(data_dir: &Path) -> Result<Findings, HubError> {
    expect_hub(data_dir)?;
    let mut found = HubStore::check(data_dir);
    let readings = ReadingsStore::check(data_dir, HUB_FILE);
    found.problems.extend(readings.problems);
    found.notes.extend(readings.notes);
    match HubStore::files_in(data_dir) {
        Ok(contents) => {
            let disk = Disk::new(data_dir);
            let problem = |(sha256, id, size): &_| disk.problem(*id, *sha256, *size);
            found.problems.extend(contents.iter().filter_map(problem).take(MAX_TOLD_FILES));
            if !contents.is_empty() {
                found.notes.push(format!("{FOLDER}: {} files", contents.len()));
            }
        }
        // It was said above.
        Err(error) => log::debug!("the files are not checked: {error}"),
    }
    let token = files::token(data_dir).map(drop);
    for kept in [token, files::secret(data_dir).map(drop)] {
        match kept {
            Err(HubError::File { source, path }) if source.kind() == std::io::ErrorKind::NotFound => {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                found.notes.push(format!("{name} is missing; the next start creates one"));
            }
            Err(error) => found.problems.push(error.to_string()),
            Ok(()) => {}
        }
    }
    Ok(found)
}

/// Recovers what can be read of damaged databases in this data directory into new ones, and sets the damaged files
/// aside. `None` if nothing is damaged; nothing was changed then. The lines say what was recovered. Blocks.
///
/// # Errors
/// If a hub runs on it, nothing can be recovered, or there is no space. Nothing was changed then.
pub fn repair(data_dir: &Path) -> Result<Option<Vec<String>>, HubError> {
    expect_hub(data_dir)?;
    let _lock = match files::take(data_dir) {
        Err(HubError::AlreadyRunning { data_dir }) => return Err(HubError::Running { data_dir }),
        other => other?,
    };
    let mut lines = Vec::new();
    if !HubStore::check(data_dir).is_sound() {
        let epoch = Epoch(u64::from_be_bytes(clock::random()?));
        let mut ids = std::iter::repeat_with(|| clock::random().map(MessageId::from_random));
        // The call before has shown that randomness works.
        let mut new_id =
            || ids.next().and_then(Result::ok).unwrap_or_else(|| MessageId::from_random([7; 16]));
        let anew = Anew { epoch, now: clock::now().wall_ms, new_id: &mut new_id };
        let repaired = HubStore::repair(data_dir, anew).map_err(|error| beyond_repair(data_dir, error))?;
        told(&mut lines, FILE, repaired);
        verify(HubStore::check(data_dir))?;
    }
    if !ReadingsStore::check(data_dir, HUB_FILE).is_sound() {
        told(&mut lines, HUB_FILE, ReadingsStore::repair(data_dir, HUB_FILE)?);
        verify(ReadingsStore::check(data_dir, HUB_FILE))?;
    }
    Ok((!lines.is_empty()).then_some(lines))
}

fn beyond_repair(data_dir: &Path, error: StoreError) -> HubError {
    let detail = match error {
        StoreError::File { source, .. } if source.is_damage() => source.to_string(),
        StoreError::Damaged { detail } => detail,
        error => return error.into(),
    };
    HubError::BeyondRepair { path: data_dir.join(FILE), data_dir: data_dir.to_owned(), detail }
}

fn told(lines: &mut Vec<String>, name: &str, repaired: Repaired) {
    lines.push(format!("{name} is repaired; the damaged file is {}", repaired.aside.display()));
    lines.extend(repaired.lines.into_iter().map(|line| format!("  {line}")));
}

fn verify(found: Findings) -> Result<(), HubError> {
    match found.problems.into_iter().next() {
        None => Ok(()),
        Some(detail) => {
            Err(HubError::System { detail: format!("the repaired data failed its check: {detail}") })
        }
    }
}

/// Copies a hub's data into a new, private directory, whether the hub runs or not, and checks the copy. Returns the
/// names of the files copied. Blocks.
///
/// # Errors
/// If there is no hub's data, the target exists, or the data is damaged or cannot be copied. No copy is left then.
pub fn backup(data_dir: &Path, to: &Path) -> Result<Vec<String>, HubError> {
    expect_hub(data_dir)?;
    if to.exists() && !fs::read_dir(to).is_ok_and(|mut entries| entries.next().is_none()) {
        return Err(HubError::InTheWay { path: to.to_owned() });
    }
    // It gets its final name only when it is complete.
    let part = part(to);
    if part.exists() {
        fs::remove_dir_all(&part).map_err(HubError::file(&part))?;
    }
    let copied = copy_all(data_dir, &part).and_then(|names| {
        let found = check(&part)?;
        match found.problems.into_iter().next() {
            Some(detail) => Err(HubError::BadCopy { detail }),
            None => Ok(names),
        }
    });
    let finished = copied.and_then(|names| {
        for leftover in
            ["-wal", "-shm"].iter().flat_map(|end| [FILE, HUB_FILE].map(|name| format!("{name}{end}")))
        {
            // Created by the check; they are empty.
            let _ = fs::remove_file(part.join(leftover));
        }
        if to.exists() {
            fs::remove_dir(to).map_err(HubError::file(to))?;
        }
        fs::rename(&part, to).map_err(HubError::file(to))?;
        Ok(names)
    });
    if finished.is_err() {
        // An incomplete copy must not be mistaken for a backup.
        let _ = fs::remove_dir_all(&part);
    }
    finished
}

fn part(to: &Path) -> PathBuf {
    let mut name = to.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}

fn copy_all(data_dir: &Path, to: &Path) -> Result<Vec<String>, HubError> {
    private_file::create_dir(to).map_err(HubError::file(to))?;
    let damaged = |error| HubError::log(data_dir, error);
    HubStore::copy(data_dir, to).map_err(damaged)?;
    let mut names = vec![FILE.to_owned()];
    if data_dir.join(HUB_FILE).exists() {
        ReadingsStore::copy(data_dir, HUB_FILE, to).map_err(damaged)?;
        names.push(HUB_FILE.to_owned());
    }
    let (disk, copy) = (Disk::new(data_dir), Disk::new(to));
    for (sha256, id, _) in HubStore::files_in(to).map_err(damaged)? {
        match disk.copy_to(&copy, id, sha256) {
            Ok(()) => {}
            // Its message was deleted after the log was copied.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && is_deleted(data_dir, sha256) => {}
            Err(source) => return Err(HubError::File { path: disk.content(sha256), source }),
        }
        if names.last().is_none_or(|name| name != FOLDER) {
            names.push(FOLDER.to_owned());
        }
    }
    for name in files::TO_COPY {
        let from = data_dir.join(name);
        match fs::read(&from) {
            Ok(content) => {
                private_file::write(&to.join(name), &content).map_err(HubError::file(to.join(name)))?;
                names.push(name.to_owned());
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => return Err(HubError::File { path: from, source }),
        }
    }
    Ok(names)
}

fn is_deleted(data_dir: &Path, sha256: FileHash) -> bool {
    HubStore::files_in(data_dir).is_ok_and(|files| files.iter().all(|(needed, ..)| *needed != sha256))
}

fn expect_hub(data_dir: &Path) -> Result<(), HubError> {
    let is_there = data_dir.join(FILE).exists() || !files::left_over(data_dir).is_empty();
    if is_there { Ok(()) } else { Err(HubError::NoHub { data_dir: data_dir.to_owned() }) }
}
