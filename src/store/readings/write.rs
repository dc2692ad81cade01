//! Writes a [`Plan`] in one transaction.

use rusqlite::{Connection, params};

use super::super::error::StoreError;
use super::memory::{CHUNK_POINTS, Part, Plan};
use super::{LOG_LINES, TEXTS, blob};
use crate::model::series::Point;

/// Maximum time span of a chunk, in milliseconds: readers look back this far.
pub(super) const CHUNK_SPAN_MS: i64 = 3_600_000;

/// Writes the plan. Returns the size of its journal row, in bytes.
pub(super) fn apply(db: &Connection, plan: &Plan) -> Result<usize, StoreError> {
    for device in &plan.removed {
        remove(db, *device)?;
    }
    for (key, source, id, record) in &plan.devices {
        let body = record.as_ref().map(json).transpose()?;
        db.prepare_cached(
            "INSERT INTO device (id, source, name, body) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (id) DO UPDATE SET body = coalesce(excluded.body, body)",
        )?
        .execute(params![key, source.cast_signed(), id.as_str(), body])?;
    }
    for (device, line) in &plan.logs {
        db.prepare_cached("INSERT INTO log (device, body) VALUES (?1, ?2)")?
            .execute(params![device, json(line)?])?;
        db.prepare_cached(
            "DELETE FROM log WHERE device = ?1 AND id <=
             (SELECT id FROM log WHERE device = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
        )?
        .execute(params![device, LOG_LINES as i64])?;
    }
    let mut raw_bytes = 0;
    for part in &plan.parts {
        raw_bytes += write_part(db, plan.seq, part)?;
    }
    if raw_bytes > 0 {
        db.prepare_cached("UPDATE state SET raw_bytes = raw_bytes + ?1")?.execute([raw_bytes])?;
    }
    write_journal(db, plan)
}

fn json<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Nonsense(error.to_string()))
}

fn write_journal(db: &Connection, plan: &Plan) -> Result<usize, StoreError> {
    let mut size = 0;
    if plan.parts.iter().any(|part| !part.told.is_empty()) {
        let told = plan.parts.iter().filter(|part| !part.told.is_empty());
        let body = blob::journal(told.map(|part| (part.track, part.told.as_slice())))?;
        size = body.len();
        db.prepare_cached("INSERT INTO journal (seq, body) VALUES (?1, ?2)")?
            .execute(params![plan.seq, body])?;
    }
    db.prepare_cached("DELETE FROM journal WHERE seq < ?1")?.execute([plan.floor])?;
    Ok(size)
}

/// Returns by how many bytes the chunks grew.
fn write_part(db: &Connection, seq: i64, part: &Part) -> Result<i64, StoreError> {
    if let Some((device, metric)) = &part.fresh {
        db.prepare_cached("INSERT INTO series (id, device, metric) VALUES (?1, ?2, ?3)")?
            .execute(params![part.track, device, metric.as_str()])?;
    }
    if let Some(mark) = part.mark {
        db.prepare_cached("UPDATE series SET mark = ?2 WHERE id = ?1")?.execute(params![part.track, mark])?;
    }
    if let Some(last) = &part.last {
        db.prepare_cached(
            "INSERT OR REPLACE INTO last (series, at, received, value) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![part.track, last.at, last.received, json(&last.value)?])?;
    }
    for minute in &part.minutes {
        db.prepare_cached(
            "INSERT INTO minute (at, series, min, mean, max, count) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (at, series) DO UPDATE SET
             mean = (mean * count + excluded.mean * excluded.count) / (count + excluded.count),
             min = min(min, excluded.min), max = max(max, excluded.max), count = count + excluded.count",
        )?
        .execute(params![
            minute.at,
            part.track,
            minute.min,
            minute.mean,
            minute.max,
            minute.count
        ])?;
    }
    for change in &part.texts {
        db.prepare_cached("INSERT INTO text (series, at, value) VALUES (?1, ?2, ?3)")?.execute(params![
            part.track,
            change.at,
            change.value.as_deref()
        ])?;
    }
    if !part.texts.is_empty() {
        db.prepare_cached(
            "DELETE FROM text WHERE series = ?1 AND id <=
             (SELECT id FROM text WHERE series = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
        )?
        .execute(params![part.track, TEXTS as i64])?;
    }
    let Some(points) = &part.chunk else { return Ok(0) };
    let mut bytes = 0;
    for chunk in chunks(points) {
        bytes += write_chunk(db, part.track, &chunk)?;
    }
    db.prepare_cached("UPDATE series SET chunked = ?2 WHERE id = ?1")?.execute([part.track, seq])?;
    Ok(bytes)
}

fn write_chunk(db: &Connection, track: i64, points: &[Point]) -> Result<i64, StoreError> {
    let [first, ..] = points else { return Ok(0) };
    let last = points.last().unwrap_or(first);
    let body = blob::points(points)?;
    db.prepare_cached("INSERT INTO chunk (series, first, last, count, body) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![track, first.at, last.at, points.len() as i64, body])?;
    Ok(i64::try_from(body.len()).unwrap_or(i64::MAX))
}

/// Splits points into chunks within the limits, in order of time; of equal times the later arrival counts.
fn chunks(points: &[Point]) -> Vec<Vec<Point>> {
    let mut chunks: Vec<Vec<Point>> = Vec::new();
    for point in in_order(points.to_vec()) {
        match chunks.last_mut() {
            Some(chunk) if chunk.len() < 4 * CHUNK_POINTS && point.at - chunk[0].at < CHUNK_SPAN_MS => {
                chunk.push(point);
            }
            _ => chunks.push(vec![point]),
        }
    }
    chunks
}

/// Sorts by time; of equal times the later arrival counts.
pub(super) fn in_order(mut points: Vec<Point>) -> Vec<Point> {
    points.sort_by_key(|point| point.at);
    points.dedup_by(|later, earlier| {
        let is_same = later.at == earlier.at;
        if is_same {
            *earlier = *later;
        }
        is_same
    });
    points
}

/// Forgets a device; its readings are purged step by step.
fn remove(db: &Connection, device: i64) -> Result<(), StoreError> {
    db.prepare_cached("INSERT OR IGNORE INTO purge (series) SELECT id FROM series WHERE device = ?1")?
        .execute([device])?;
    db.prepare_cached("DELETE FROM last WHERE series IN (SELECT id FROM series WHERE device = ?1)")?
        .execute([device])?;
    for forget in [
        "DELETE FROM series WHERE device = ?1",
        "DELETE FROM log WHERE device = ?1",
        "DELETE FROM device WHERE id = ?1",
    ] {
        db.prepare_cached(forget)?.execute([device])?;
    }
    Ok(())
}
