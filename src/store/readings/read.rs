//! Reads from the readings' file, combined with data that has not been written yet.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};

use super::super::error::StoreError;
use super::memory::{Held, unannounced};
use super::tend::{self, HOURS, MINUTES};
use super::write::{CHUNK_SPAN_MS, in_order};
use super::writer::Live;
use super::{DAY_MS, HOUR_MS, TEXTS, blob};
use crate::model::device::{DeviceId, DeviceState, LogLine, MetricName};
use crate::model::series::{Bucket, MINUTE_MS, Point, SeriesPage};
use crate::model::states::StateChange;
use crate::model::time::WallMs;

/// Maximum number of raw points that are read to be reduced for a plot.
const RAW_READ: usize = 60_000;
/// For longer spans, hours are read instead of minutes.
const MINUTES_SPAN_MS: i64 = 14 * DAY_MS;
/// Maximum number of columns of a page.
const COLUMNS: i64 = 10_000;

/// The requested range of a metric.
pub(super) struct Asked {
    pub source: u64,
    pub device: DeviceId,
    pub metric: MetricName,
    pub from: WallMs,
    pub to: WallMs,
    pub columns: u32,
}

/// The unwritten part of a metric, at the moment at which reading the file begins.
struct Part {
    track: i64,
    points: Vec<Point>,
    minutes: Vec<Bucket>,
    raw_begins: WallMs,
}

/// A range of a metric's history for a plot.
pub(super) fn series(
    db: &Connection,
    live: &Live,
    keeps_raw: bool,
    asked: &Asked,
) -> Result<SeriesPage, StoreError> {
    let Asked { from, to, .. } = *asked;
    let mut page = SeriesPage { from, to, step_ms: 0, buckets: Vec::new() };
    let Some(part) = part(db, live, asked)? else { return Ok(page) };
    if from >= to {
        return Ok(page);
    }
    let span = to.since(from);
    let columns = i64::from(asked.columns).clamp(1, COLUMNS);
    if keeps_raw && from >= part.raw_begins {
        // Minutes suffice if there is about one per column.
        let is_coarse_enough = span / MINUTE_MS >= columns / 2;
        let most = if is_coarse_enough { columns as usize } else { RAW_READ.max(columns as usize) };
        if let Some(points) = raw(db, &part, from, to, most)? {
            page.buckets = points.into_iter().map(Bucket::of).collect();
            if page.buckets.len() as i64 > columns {
                page.step_ms = parts(span, columns);
                page.buckets = merged(std::mem::take(&mut page.buckets), page.step_ms);
            }
            return Ok(page);
        }
    }
    let (width, mut buckets) = if span <= MINUTES_SPAN_MS {
        (MINUTE_MS, minutes(db, &part, from, to)?)
    } else {
        (HOUR_MS, hours(db, &part, from, to)?)
    };
    let begins = from.floor(width);
    buckets.retain(|bucket| bucket.at >= begins && bucket.at < to);
    buckets.sort_by_key(|bucket| bucket.at);
    page.step_ms = parts(parts(span, columns), width).saturating_mul(width);
    page.buckets = merged(buckets, page.step_ms);
    Ok(page)
}

/// A range of a metric's history as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub enum Kept {
    /// All readings.
    Raw(Vec<Point>),
    /// All minutes: the individual readings have been deleted.
    Minutes(Vec<Bucket>),
    /// More than the requested maximum.
    TooMany,
    /// Before this moment there are minutes, and after it all readings: request each range separately.
    RawFrom(WallMs),
}

/// A range of a metric's history as it is stored, up to a maximum number of items.
pub(super) fn kept(
    db: &Connection,
    live: &Live,
    keeps_raw: bool,
    asked: &Asked,
    most: usize,
) -> Result<Kept, StoreError> {
    let Asked { from, to, .. } = *asked;
    let Some(part) = part(db, live, asked)?.filter(|_| from < to) else { return Ok(Kept::Raw(Vec::new())) };
    if keeps_raw && from >= part.raw_begins {
        return Ok(raw(db, &part, from, to, most)?.map_or(Kept::TooMany, Kept::Raw));
    }
    if keeps_raw && to > part.raw_begins {
        return Ok(Kept::RawFrom(part.raw_begins));
    }
    if to.since(from) / MINUTE_MS > most as i64 {
        return Ok(Kept::TooMany);
    }
    let mut buckets = minutes(db, &part, from, to)?;
    buckets.retain(|bucket| (from..to).contains(&bucket.at));
    buckets.sort_by_key(|bucket| bucket.at);
    Ok(Kept::Minutes(merged(buckets, MINUTE_MS)))
}

fn part(db: &Connection, live: &Live, asked: &Asked) -> Result<Option<Part>, StoreError> {
    let memory = live.current();
    let Some(track) = memory.find(asked.source, asked.device.as_str(), asked.metric.as_str()) else {
        return Ok(None);
    };
    // The first read determines the snapshot of the file that this connection sees.
    let raw_begins = db.prepare_cached("SELECT raw_begins FROM state")?.query_row((), |row| row.get(0))?;
    let Some(held) = memory.tracks.get(&track) else { return Ok(None) };
    let is_within = |point: &&Point| (asked.from..asked.to).contains(&point.at);
    let points = held.points.iter().filter(is_within).copied().collect();
    Ok(Some(Part { track, points, minutes: held.minutes().collect(), raw_begins }))
}

/// Raw points in order of time; `None` if there are more than `most`.
fn raw(
    db: &Connection,
    part: &Part,
    from: WallMs,
    to: WallMs,
    most: usize,
) -> Result<Option<Vec<Point>>, StoreError> {
    let mut query = db.prepare_cached(
        "SELECT id, first, last, count FROM chunk
         WHERE series = ?1 AND first > ?2 AND first < ?3 AND last >= ?4",
    )?;
    let mut rows = query.query(params![part.track, from.before(CHUNK_SPAN_MS + 1), to, from])?;
    let (mut ids, mut inside) = (Vec::new(), part.points.len());
    while let Some(row) = rows.next()? {
        ids.push(row.get::<_, i64>(0)?);
        if row.get::<_, WallMs>(1)? >= from && row.get::<_, WallMs>(2)? < to {
            inside += row.get::<_, i64>(3)?.max(0) as usize;
        }
        if inside > most {
            return Ok(None);
        }
    }
    // In the order in which they were written, so that of two points with the same time the later one counts.
    ids.sort_unstable();
    let mut points = Vec::with_capacity(inside);
    let mut body = db.prepare_cached("SELECT body FROM chunk WHERE id = ?1")?;
    for id in ids {
        let chunk = body.query_row([id], |row| {
            let bytes = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
            Ok(blob::read_points(bytes))
        })??;
        points.extend(chunk.into_iter().filter(|point| (from..to).contains(&point.at)));
    }
    points.extend(&part.points);
    let points = in_order(points);
    Ok((points.len() <= most).then_some(points))
}

/// Minutes in no particular order; one minute may be in several parts.
fn minutes(db: &Connection, part: &Part, from: WallMs, to: WallMs) -> Result<Vec<Bucket>, StoreError> {
    let mut all = Vec::new();
    blocks(db, part.track, MINUTES, (from, to), &mut all)?;
    staged(db, part.track, (from, to), &mut all)?;
    all.extend(&part.minutes);
    Ok(all)
}

/// Hours in no particular order; one hour may be in several parts.
fn hours(db: &Connection, part: &Part, from: WallMs, to: WallMs) -> Result<Vec<Bucket>, StoreError> {
    let mut all = Vec::new();
    blocks(db, part.track, HOURS, (from, to), &mut all)?;
    let packed = all.len();
    // All minutes of the hours at both ends count.
    let from = from.floor(HOUR_MS);
    let to = (to - 1).floor(HOUR_MS) + HOUR_MS;
    staged(db, part.track, (from, to), &mut all)?;
    all.extend(&part.minutes);
    for bucket in all.get_mut(packed..).unwrap_or_default() {
        bucket.at = bucket.at.floor(HOUR_MS);
    }
    Ok(all)
}

fn blocks(
    db: &Connection,
    track: i64,
    level: i64,
    (from, to): (WallMs, WallMs),
    into: &mut Vec<Bucket>,
) -> Result<(), StoreError> {
    let (span, width) = if level == MINUTES { (HOUR_MS, MINUTE_MS) } else { (DAY_MS, HOUR_MS) };
    let mut query = db.prepare_cached(
        "SELECT at, body FROM block WHERE series = ?1 AND level = ?2 AND at > ?3 AND at < ?4 ORDER BY at",
    )?;
    let mut rows = query.query(params![track, level, from.before(span), to])?;
    while let Some(row) = rows.next()? {
        let body = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        blob::read_buckets(body, row.get(0)?, width, into)?;
    }
    Ok(())
}

/// Minutes that are not in a block yet. They are indexed by time first, so one metric's are looked up one at a time,
/// each from the previous one.
fn staged(
    db: &Connection,
    track: i64,
    (from, to): (WallMs, WallMs),
    into: &mut Vec<Bucket>,
) -> Result<(), StoreError> {
    let mut query = db.prepare_cached(
        "SELECT series, at, min, mean, max, count FROM minute WHERE (at, series) >= (?1, ?2)
         ORDER BY at, series LIMIT 1",
    )?;
    let mut at = from.floor(MINUTE_MS);
    while at < to {
        let next = query.query_row(params![at, track], |row| Ok((row.get::<_, i64>(0)?, tend::bucket(row)?)));
        let Some((series, bucket)) = next.optional()? else { break };
        if series == track && bucket.at < to {
            into.push(bucket);
        }
        at = if series < track { bucket.at } else { bucket.at.saturating_add(MINUTE_MS) };
    }
    Ok(())
}

/// `whole / part`, rounded up. Both are positive.
fn parts(whole: i64, part: i64) -> i64 {
    (whole - 1) / part + 1
}

/// Buckets in order of time, merged to this width.
fn merged(buckets: Vec<Bucket>, step: i64) -> Vec<Bucket> {
    let mut wide: Vec<Bucket> = Vec::new();
    for mut bucket in buckets {
        bucket.at = bucket.at.floor(step);
        match wide.last_mut() {
            Some(last) if last.at == bucket.at => last.merge(&bucket),
            _ => wide.push(bucket),
        }
    }
    wide
}

/// All devices of a source.
pub(super) fn devices(db: &Connection, live: &Live, source: u64) -> Result<Vec<DeviceState>, StoreError> {
    let held = {
        let memory = live.current();
        // See `part`.
        db.query_row("SELECT raw_begins FROM state", (), |_| Ok(()))?;
        memory.devices_of(source)
    };
    let mut records: HashMap<i64, String> = HashMap::new();
    let mut query =
        db.prepare_cached("SELECT id, body FROM device WHERE source = ?1 AND body IS NOT NULL")?;
    let mut rows = query.query([source.cast_signed()])?;
    while let Some(row) = rows.next()? {
        records.insert(row.get(0)?, row.get(1)?);
    }
    let mut devices = Vec::with_capacity(held.len());
    for Held { key, id, record, values } in held {
        let mut state = match record {
            Some(record) => *record,
            None => records
                .get(&key)
                .and_then(|body| serde_json::from_str(body).ok())
                .unwrap_or_else(|| unannounced(id)),
        };
        state.heard = state.heard.max(values.iter().map(|value| value.received).max());
        state.values = values;
        devices.push(state);
    }
    devices.sort_by(|a, b| a.spec.id.cmp(&b.spec.id));
    Ok(devices)
}

/// The newest lines of a device's log, oldest first.
pub(super) fn log(
    db: &Connection,
    live: &Live,
    source: u64,
    device: &DeviceId,
    limit: usize,
) -> Result<Vec<LogLine>, StoreError> {
    let limit = limit.min(super::LOG_LINES);
    let (key, mut waiting) = {
        let memory = live.current();
        // See `part`.
        db.query_row("SELECT raw_begins FROM state", (), |_| Ok(()))?;
        let Some(key) = memory.device(source, device.as_str()) else { return Ok(Vec::new()) };
        (key, memory.log_of(key))
    };
    let mut query = db.prepare_cached("SELECT body FROM log WHERE device = ?1 ORDER BY id DESC LIMIT ?2")?;
    let bodies = query.query_map(params![key, limit as i64], |row| row.get::<_, String>(0))?;
    let mut lines = Vec::new();
    for body in bodies {
        // Lines written by a newer version are skipped.
        lines.extend(serde_json::from_str(&body?).ok());
    }
    lines.reverse();
    lines.append(&mut waiting);
    lines.drain(..lines.len().saturating_sub(limit));
    Ok(lines)
}

/// All stored changes of a text, in order of time.
pub(super) fn states(
    db: &Connection,
    live: &Live,
    source: u64,
    device: &DeviceId,
    metric: &MetricName,
) -> Result<Vec<StateChange>, StoreError> {
    let (track, waiting) = {
        let memory = live.current();
        // See `part`.
        db.query_row("SELECT raw_begins FROM state", (), |_| Ok(()))?;
        let found = memory.find(source, device.as_str(), metric.as_str());
        let Some(track) = found else { return Ok(Vec::new()) };
        (track, memory.tracks.get(&track).map(|held| held.texts.clone()).unwrap_or_default())
    };
    let mut query = db.prepare_cached("SELECT at, value FROM text WHERE series = ?1 ORDER BY id")?;
    let rows = query.query_map([track], |row| Ok((row.get(0)?, row.get::<_, Option<String>>(1)?)))?;
    // Texts repeat often: each is stored once.
    let mut known: HashSet<Arc<str>> = HashSet::new();
    let mut changes = Vec::new();
    for row in rows {
        let (at, text) = row?;
        let value = text.map(|text| match known.get(text.as_str()) {
            Some(known) => Arc::clone(known),
            None => {
                let text: Arc<str> = text.into();
                known.insert(Arc::clone(&text));
                text
            }
        });
        changes.push(StateChange { at, value });
    }
    changes.extend(waiting);
    changes.drain(..changes.len().saturating_sub(TEXTS));
    changes.sort_by_key(|change| change.at);
    Ok(changes)
}
