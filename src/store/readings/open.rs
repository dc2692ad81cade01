//! Opens the readings' file and loads its state into memory.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension};

use super::super::error::StoreError;
use super::super::{files, migrate};
use super::blob;
use super::memory::Memory;
use super::schema::SCHEMA;
use super::track::{Last, Track};
use crate::model::device::{DeviceId, MetricName, Value};

/// An open file.
pub(super) struct Opened {
    pub db: Connection,
    pub memory: Memory,
    /// The new path of a damaged file that was replaced.
    pub set_aside: Option<PathBuf>,
}

/// Opens or creates the file. A damaged one is renamed first.
pub(super) fn open(path: &Path, keeps_raw: bool) -> Result<Opened, StoreError> {
    let opened = migrate::open(path, &SCHEMA).and_then(|db| load(&db, keeps_raw).map(|memory| (db, memory)));
    match opened {
        Err(error) if error.is_damage() => {
            log::warn!("{} is damaged and was renamed: {error}", path.display());
            let set_aside = Some(files::set_aside(path)?);
            let db = migrate::open(path, &SCHEMA)?;
            Ok(Opened { db, memory: Memory::new(keeps_raw), set_aside })
        }
        other => other.map(|(db, memory)| Opened { db, memory, set_aside: None }),
    }
}

/// Loads the names, the last values, and data that is only in the journal.
pub(super) fn load(db: &Connection, keeps_raw: bool) -> Result<Memory, StoreError> {
    let mut memory = Memory::new(keeps_raw);
    let mut query = db.prepare("SELECT id, source, name FROM device")?;
    let mut rows = query.query(())?;
    while let Some(row) = rows.next()? {
        // This program writes only valid names.
        let Ok(id) = DeviceId::new(row.get::<_, String>(2)?) else { continue };
        memory.load_device(row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned(), id);
    }
    let mut newest_text =
        db.prepare("SELECT value IS NULL FROM text WHERE series = ?1 ORDER BY id DESC LIMIT 1")?;
    let mut chunked = HashMap::new();
    let mut query = db.prepare(
        "SELECT id, device, metric, chunked, mark, at, received, value
         FROM series LEFT JOIN last ON last.series = series.id ORDER BY id",
    )?;
    let mut rows = query.query(())?;
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        let Ok(metric) = MetricName::new(row.get::<_, String>(2)?) else { continue };
        let mut track = Track::new(row.get(1)?, metric);
        let upto: i64 = row.get(3)?;
        memory.next = memory.next.max(upto + 1);
        chunked.insert(id, upto);
        track.mark = row.get(4)?;
        if let Some(value) = row.get::<_, Option<String>>(7)?
            && let Ok(value) = serde_json::from_str(&value)
        {
            if let Value::Text(_) = value {
                track.is_ended = newest_text.query_row([id], |row| row.get(0)).optional()?.unwrap_or(false);
            }
            track.last = Some(Last { value, at: row.get(5)?, received: row.get(6)? });
        }
        memory.load_track(id, track);
    }
    memory.was_away();
    let given = |table: &str| -> Result<i64, StoreError> {
        let query = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = ?1";
        Ok(db.query_row(query, [table], |row| row.get(0))?)
    };
    memory.skip_keys(given("device")?, given("series")?);
    memory.newest = db.query_row(
        "SELECT max(coalesce((SELECT max(at) FROM minute), 0), coalesce((SELECT max(received) FROM last), 0))",
        (),
        |row| row.get(0),
    )?;
    let mut query = db.prepare("SELECT seq, body FROM journal ORDER BY seq")?;
    let mut rows = query.query(())?;
    while let Some(row) = rows.next()? {
        let body = row.get_ref(1)?.as_blob().map_err(|error| StoreError::Nonsense(error.to_string()))?;
        memory.replay(row.get(0)?, body.len(), blob::read_journal(body)?, &chunked);
    }
    Ok(memory)
}
