//! What becomes of old entries: they are let go of from the log's beginning, in small steps. Who sent what stays known, so
//! that a message that comes again is acknowledged and not written again.

use rusqlite::{Connection, OptionalExtension, params};

use super::super::error::{StoreError, unsigned};
use super::{LogLimits, changes, file};
use crate::model::Offset;
use crate::model::time::WallMs;

type Result<T> = std::result::Result<T, StoreError>;

/// Most entries of one step.
const STEP_ENTRIES: u32 = 256;
/// About how much text one step lets go of at most, in bytes.
const STEP_BYTES: u64 = 1024 * 1024;

/// Bytes of the database that hold something.
pub(super) fn used_bytes(db: &Connection) -> Result<u64> {
    let pragma = |sql| -> Result<u64> {
        let mut query = db.prepare_cached(sql)?;
        Ok(unsigned(query.query_row((), |row| row.get(0))?))
    };
    let pages = pragma("PRAGMA page_count")?.saturating_sub(pragma("PRAGMA freelist_count")?);
    Ok(pages.saturating_mul(pragma("PRAGMA page_size")?))
}

/// The oldest offset held; 0 without entries.
pub(super) fn oldest(db: &Connection) -> Result<Offset> {
    let mut query = db.prepare_cached("SELECT min(offset) FROM entry")?;
    let oldest: Option<Offset> = query.query_row((), |row| row.get(0))?;
    Ok(oldest.unwrap_or_default())
}

/// When the oldest entry may go, where entries go by their age.
pub(super) fn oldest_goes_at(db: &Connection, limits: &LogLimits) -> Result<Option<WallMs>> {
    if limits.keep_ms <= 0 {
        return Ok(None);
    }
    let mut query = db.prepare_cached("SELECT received FROM entry ORDER BY offset LIMIT 1")?;
    let received: WallMs = query.query_row((), |row| row.get(0))?;
    Ok(Some(received.saturating_add(limits.keep_ms)))
}

/// Whether the log is so full that its oldest entries go, where that is how room is made.
pub(super) fn is_nearly_full(limits: &LogLimits, used: u64) -> bool {
    limits.drop_oldest && limits.log_bytes > 0 && used > limits.log_bytes / 10 * 9
}

/// Lets go of some of the oldest entries, if they may go; the newest one stays. Returns whether there may be more.
pub(super) fn step(db: &Connection, limits: &LogLimits, now: WallMs) -> Result<bool> {
    let nearly_full = is_nearly_full(limits, used_bytes(db)?);
    let mut query = db.prepare_cached(
        "SELECT offset, received, octet_length(body) FROM entry
         WHERE offset < (SELECT max(offset) FROM entry) ORDER BY offset LIMIT ?1",
    )?;
    let mut rows = query.query([STEP_ENTRIES])?;
    let (mut last, mut count, mut bytes) = (None, 0, 0u64);
    while let Some(row) = rows.next()? {
        let (offset, received): (i64, WallMs) = (row.get(0)?, row.get(1)?);
        let is_old = limits.keep_ms > 0 && received < now.before(limits.keep_ms);
        if !(is_old || nearly_full) || bytes > STEP_BYTES {
            break;
        }
        bytes += unsigned(row.get(2)?);
        count += 1;
        last = Some(offset);
    }
    let Some(last) = last else { return Ok(false) };
    db.prepare_cached(
        "INSERT OR IGNORE INTO gone (principal, id, offset, received)
         SELECT principal, id, offset, received FROM entry WHERE offset <= ?1",
    )?
    .execute([last])?;
    db.prepare_cached("DELETE FROM entry WHERE offset <= ?1")?.execute([last])?;
    changes::let_go(db, last)?;
    file::let_go(db, last)?;
    Ok(count == STEP_ENTRIES || bytes > STEP_BYTES)
}

/// Whether any entry was let go of. A repaired log begins at 1 again, and still knows what was in the one before.
pub(super) fn has_gone(db: &Connection) -> Result<bool> {
    let mut query = db.prepare_cached("SELECT EXISTS (SELECT 1 FROM gone)")?;
    Ok(query.query_row((), |row| row.get(0))?)
}

/// Where an entry was that is no longer held, and when it was written.
pub(super) fn gone(db: &Connection, principal: &str, id: &[u8; 16]) -> Result<Option<(Offset, WallMs)>> {
    let mut query =
        db.prepare_cached("SELECT offset, received FROM gone WHERE principal = ?1 AND id = ?2")?;
    Ok(query.query_row(params![principal, id], |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
}
