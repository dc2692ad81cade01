//! Maintenance of the file, a little with each commit: packs complete hours of minutes into blocks, and deletes data
//! that is too old, beyond the size limit, or of a removed connection.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};

use super::super::error::StoreError;
use super::{DAY_MS, HOUR_MS, ReadingsLimits, blob};
use crate::model::series::{Bucket, MINUTE_MS};
use crate::model::time::WallMs;

/// Level of blocks with the minutes of an hour.
pub(super) const MINUTES: i64 = 1;
/// Level of blocks with the hours of a day.
pub(super) const HOURS: i64 = 2;
/// Maximum number of metrics whose minutes are packed in one step.
const PACKED: i64 = 256;
/// Maximum number of chunks deleted in one step.
const CHUNKS: i64 = 2_048;
/// Maximum number of metrics checked for old blocks in one step.
const LOOKED: i64 = 256;
/// Maximum number of rows purged in one step.
const PURGED: i64 = 1_000;
/// Maximum number of text changes deleted in one step if the file is too large.
const TEXTS: i64 = 20_000;
/// If the file is too large, the time that minutes are kept is reduced in steps of one part of this many.
const PARTS: i64 = 64;

/// Where the next step continues.
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct Cursor {
    pack: i64,
    look: i64,
    /// Number of [`PARTS`] by which the time that minutes are kept is reduced.
    given_up: i64,
}

/// One maintenance step. `newest`: the latest time of all readings.
pub(super) fn step(
    db: &Connection,
    keep: &ReadingsLimits,
    newest: WallMs,
    mut cursor: Cursor,
) -> Result<Cursor, StoreError> {
    cursor.pack = pack(db, cursor.pack)?;
    let_chunks_go(db, keep.raw_bytes)?;
    let used = if keep.file_bytes > 0 { used_bytes(db)? } else { 0 };
    let minutes_ms = keep.minutes_ms / PARTS * (PARTS - cursor.given_up);
    cursor.look = let_blocks_go(db, newest.before(minutes_ms), cursor.look)?;
    if used > keep.file_bytes {
        let_texts_go(db)?;
    }
    // After a pass over all metrics, checks whether the file is small enough.
    if cursor.look == 0 && used > keep.file_bytes {
        cursor.given_up = (cursor.given_up + 1).min(PARTS - 1);
    } else if cursor.look == 0 && used < keep.file_bytes / 4 * 3 {
        cursor.given_up = (cursor.given_up - 1).max(0);
    }
    purge(db)?;
    Ok(cursor)
}

/// Packs a part of the oldest complete hour.
fn pack(db: &Connection, from: i64) -> Result<i64, StoreError> {
    let ends: (Option<WallMs>, Option<WallMs>) = db
        .prepare_cached("SELECT (SELECT min(at) FROM minute), (SELECT max(at) FROM minute)")?
        .query_row((), |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (Some(oldest), Some(newest)) = ends else { return Ok(0) };
    let hour = oldest.floor(HOUR_MS);
    if hour + HOUR_MS > newest {
        return Ok(0);
    }
    let highest: Option<i64> =
        db.prepare_cached("SELECT max(id) FROM series")?.query_row((), |row| row.get(0))?;
    let to = from.saturating_add(PACKED);
    let mut staged: BTreeMap<i64, Vec<Bucket>> = BTreeMap::new();
    let mut query = db.prepare_cached(
        "SELECT series, at, min, mean, max, count FROM minute WHERE at = ?1 AND series >= ?2 AND series < ?3",
    )?;
    let mut remove =
        db.prepare_cached("DELETE FROM minute WHERE at = ?1 AND series >= ?2 AND series < ?3")?;
    for minute in 0..HOUR_MS / MINUTE_MS {
        let piece = params![hour + minute * MINUTE_MS, from, to];
        let mut rows = query.query(piece)?;
        while let Some(row) = rows.next()? {
            staged.entry(row.get(0)?).or_default().push(bucket(row)?);
        }
        drop(rows);
        remove.execute(piece)?;
    }
    for (series, minutes) in staged {
        let of_hour = add_to_block(db, series, MINUTES, hour, MINUTE_MS, &minutes)?;
        let day = hour.floor(DAY_MS);
        add_to_block(db, series, HOURS, day, HOUR_MS, &[of_hour])?;
    }
    // Rows of deleted metrics above all known ids are packed with the last part.
    if highest.is_none_or(|highest| to > highest) {
        db.prepare_cached("DELETE FROM minute WHERE at >= ?1 AND at < ?2 AND series >= ?3")?
            .execute(params![hour, hour + HOUR_MS, to,])?;
        return Ok(0);
    }
    Ok(to)
}

/// Reads a row of `series, at, min, mean, max, count`.
pub(super) fn bucket(row: &rusqlite::Row<'_>) -> rusqlite::Result<Bucket> {
    let (at, min, mean, max) = (row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
    Ok(Bucket { at, min, mean, max, count: row.get(5)?, off: 0 })
}

/// Merges buckets into a block and returns all of it as one. An existing minute is added to; an existing hour is
/// replaced, since it is always computed from all its minutes.
fn add_to_block(
    db: &Connection,
    series: i64,
    level: i64,
    at: WallMs,
    width: i64,
    new: &[Bucket],
) -> Result<Bucket, StoreError> {
    let mut all = Vec::new();
    let known: Option<Vec<u8>> = db
        .prepare_cached("SELECT body FROM block WHERE series = ?1 AND level = ?2 AND at = ?3")?
        .query_row(params![series, level, at], |row| row.get(0))
        .optional()?;
    if let Some(known) = known {
        blob::read_buckets(&known, at, width, &mut all)?;
    }
    for bucket in new {
        match all.iter_mut().find(|known| known.at == bucket.at) {
            Some(known) if level == MINUTES => known.merge(bucket),
            Some(known) => *known = *bucket,
            None => all.push(*bucket),
        }
    }
    all.sort_by_key(|bucket| bucket.at);
    let body = blob::buckets(&all, at, width)?;
    db.prepare_cached("INSERT OR REPLACE INTO block (series, level, at, body) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![series, level, at, body])?;
    let mut whole = Bucket { at, min: f64::MAX, mean: 0.0, max: f64::MIN, count: 0, off: 0 };
    for bucket in &all {
        whole.merge(bucket);
    }
    Ok(whole)
}

/// Deletes the oldest chunks until the rest is within the limit.
fn let_chunks_go(db: &Connection, cap: u64) -> Result<(), StoreError> {
    let cap = i64::try_from(cap).unwrap_or(i64::MAX);
    let bytes: i64 = db.prepare_cached("SELECT raw_bytes FROM state")?.query_row((), |row| row.get(0))?;
    let (mut excess, mut gone, mut upto, mut begins) = (bytes - cap, 0, None, WallMs::MIN);
    if excess <= 0 {
        return Ok(());
    }
    let mut query = db.prepare_cached("SELECT id, length(body), last FROM chunk ORDER BY id LIMIT ?1")?;
    let mut rows = query.query([CHUNKS])?;
    while excess > 0
        && let Some(row) = rows.next()?
    {
        let (id, bytes, last): (i64, i64, WallMs) = (row.get(0)?, row.get(1)?, row.get(2)?);
        (excess, gone, upto, begins) = (excess - bytes, gone + bytes, Some(id), begins.max(last + 1));
    }
    drop(rows);
    let Some(upto) = upto else { return Ok(()) };
    db.prepare_cached("DELETE FROM chunk WHERE id <= ?1")?.execute([upto])?;
    db.prepare_cached(
        "UPDATE state SET raw_bytes = max(0, raw_bytes - ?1), raw_begins = max(raw_begins, ?2)",
    )?
    .execute(params![gone, begins])?;
    Ok(())
}

/// Deletes blocks that end before `cutoff`, of some of the metrics.
fn let_blocks_go(db: &Connection, cutoff: WallMs, from: i64) -> Result<i64, StoreError> {
    let mut query = db.prepare_cached("SELECT id FROM series WHERE id >= ?1 ORDER BY id LIMIT ?2")?;
    let some = query.query_map([from, LOOKED], |row| row.get(0))?.collect::<Result<Vec<i64>, _>>()?;
    for series in &some {
        for (level, span) in [(MINUTES, HOUR_MS), (HOURS, DAY_MS)] {
            db.prepare_cached("DELETE FROM block WHERE series = ?1 AND level = ?2 AND at <= ?3")?
                .execute(params![series, level, cutoff.before(span)])?;
        }
    }
    let is_end = (some.len() as i64) < LOOKED;
    Ok(if is_end { 0 } else { some.last().map_or(0, |last| last + 1) })
}

/// Bytes in use in the file.
fn used_bytes(db: &Connection) -> Result<u64, StoreError> {
    let pragma = |sql| db.prepare_cached(sql)?.query_row((), |row| row.get::<_, i64>(0));
    let pages = pragma("PRAGMA page_count")? - pragma("PRAGMA freelist_count")?;
    Ok(pages.saturating_mul(pragma("PRAGMA page_size")?).max(0).unsigned_abs())
}

/// Deletes the oldest text changes.
fn let_texts_go(db: &Connection) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM text WHERE id IN (SELECT id FROM text ORDER BY id LIMIT ?1)")?
        .execute([TEXTS])?;
    Ok(())
}

/// Deletes some of the rows of removed metrics.
fn purge(db: &Connection) -> Result<(), StoreError> {
    let mut left = PURGED;
    while left > 0 {
        let series: Option<i64> =
            db.prepare_cached("SELECT min(series) FROM purge")?.query_row((), |row| row.get(0))?;
        let Some(series) = series else { return Ok(()) };
        let before = left;
        let chunks: (i64, i64) = db
            .prepare_cached(
                "SELECT count(*), coalesce(sum(length(body)), 0) FROM
                 (SELECT body FROM chunk WHERE series = ?1 ORDER BY first, last, count, id LIMIT ?2)",
            )?
            .query_row([series, left], |row| Ok((row.get(0)?, row.get(1)?)))?;
        db.prepare_cached(
            "DELETE FROM chunk WHERE id IN
             (SELECT id FROM chunk WHERE series = ?1 ORDER BY first, last, count, id LIMIT ?2)",
        )?
        .execute([series, left])?;
        db.prepare_cached("UPDATE state SET raw_bytes = max(0, raw_bytes - ?1)")?.execute([chunks.1])?;
        left -= chunks.0;
        for some in [
            "DELETE FROM block WHERE series = ?1 AND (level, at) IN
             (SELECT level, at FROM block WHERE series = ?1 LIMIT ?2)",
            "DELETE FROM text WHERE id IN (SELECT id FROM text WHERE series = ?1 LIMIT ?2)",
        ] {
            left -= db.prepare_cached(some)?.execute([series, left.max(0)])? as i64;
        }
        if left == before {
            db.prepare_cached("DELETE FROM purge WHERE series = ?1")?.execute([series])?;
            left -= 10;
        }
    }
    Ok(())
}
