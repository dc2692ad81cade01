//! A hub's log read from outside, whether the hub runs or not, and its rooms with who made them: what an export needs.

use std::path::Path;

use rusqlite::params;

use super::super::error::StoreError;
use super::super::migrate;
use super::{FILE, HubStore, read};
use crate::model::time::WallMs;
use crate::model::{Entry, Offset, PrincipalId, RoomId, RoomName};

type Result<T> = std::result::Result<T, StoreError>;

/// Entries that are read at once.
const PAGE: u32 = 500;
/// Maximum number of bytes of entries that are read at once, beyond the first one.
const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// A room of a hub, and who made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeRoom {
    /// Its id.
    pub id: RoomId,
    /// Its name.
    pub name: RoomName,
    /// Who made it; empty if that is not known.
    pub made_by: PrincipalId,
    /// When, by the hub's clock.
    pub made_at: WallMs,
}

/// A hub's log, opened to be read.
pub struct LogReader {
    db: rusqlite::Connection,
    next: Offset,
}

impl HubStore {
    /// Opens the log in a data directory to be read, whether a hub runs on it or not. Blocks.
    ///
    /// # Errors
    /// If the file is missing, damaged or of a later version. The error names it.
    pub fn reader(dir: &Path) -> Result<LogReader> {
        let path = dir.join(FILE);
        let db = migrate::open_read_only(&path).map_err(|error| error.at(&path))?;
        Ok(LogReader { db, next: Offset(0) })
    }
}

impl LogReader {
    /// All rooms, in the order in which they were made.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn rooms(&self) -> Result<Vec<MadeRoom>> {
        let mut query =
            self.db.prepare_cached("SELECT uid, name, made_by, made_at FROM room ORDER BY offset")?;
        let mut rows = query.query(params![])?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            all.push(MadeRoom {
                id: read::room_uid(row.get(0)?)?,
                name: read::room_name(row.get(1)?)?,
                made_by: PrincipalId(row.get(2)?),
                made_at: row.get(3)?,
            });
        }
        Ok(all)
    }

    /// The next entries in the order of the log; none at its end.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn next_page(&mut self) -> Result<Vec<Entry>> {
        let entries = read::entries(&self.db, self.next, PAGE, PAGE_BYTES)?;
        if let Some(last) = entries.last() {
            self.next = last.offset + 1;
        }
        Ok(entries)
    }
}
