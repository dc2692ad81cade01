//! The index: which grams are in which message, and its room and author beside them. Its rows are numbered by time, so
//! that it is read newest first and from day to day.
//!
//! - `search`: the grams. It keeps no text of its own; the database's `message` table has it.
//! - `search_entry`: which message a number stands for.
//! - `search_author`: each name that a sender ever had.
//! - `search_state`: how far messages that were there before the index have come into it (`todo` of `of`, from the newest
//!   down), and by how many stretches of time a message ever had to give way to others (`late`).
//!
//! A message that is deleted leaves the index by a trigger.

use rusqlite::{Connection, OptionalExtension, params};

use super::super::super::error::StoreError;
use crate::model::search::fold::grams;
use crate::model::time::WallMs;

type Result<T> = std::result::Result<T, StoreError>;

/// A number is a stretch of 2¹³ ms (about 8 s) and one of 2⁸ places within: small distances make a small index.
const STRETCH_BITS: u32 = 13;
const PLACE_BITS: u32 = 8;
/// A message gives way to others of its moment by at most so many stretches (97 days).
const MAX_LATE: i64 = (1 << 20) - 1;
/// Times beyond this (the year 9999) count as this.
const MAX_TIME: WallMs = 253_402_300_800_000;
/// Bodies taken in at a time, in bytes.
const BATCH_BYTES: usize = 16 * 1024;
/// Pages of the index that are put together at a time.
const MERGE_PAGES: i64 = 16;

/// What an index entry says beside the grams.
#[derive(Copy, Clone)]
pub(super) enum Slot {
    Room,
    Author,
}

impl Slot {
    /// The word for it; no gram begins like this.
    pub(super) fn word(self, id: i64) -> String {
        match self {
            Slot::Room => format!("#{id}"),
            Slot::Author => format!("@{id}"),
        }
    }
}

/// What the index needs of a message.
pub(in super::super) struct Entry<'a> {
    /// Its row.
    pub row: i64,
    pub room: i64,
    pub sender: i64,
    pub sender_name: &'a str,
    pub received: WallMs,
    pub body: &'a str,
}

/// Takes a message in. One that is there already is left alone.
pub(in super::super) fn add(db: &Connection, entry: &Entry) -> Result<()> {
    let is_known = db.prepare_cached("SELECT 1 FROM search_entry WHERE message = ?1")?.exists([entry.row])?;
    if is_known {
        return Ok(());
    }
    let author = author(db, entry.sender, entry.sender_name)?;
    let Some(key) = free_key(db, entry.received)? else {
        // Hundreds of millions of one moment: no server means them to be found.
        return Ok(());
    };
    let mut words = grams(entry.body);
    words.push_str(&Slot::Room.word(entry.room));
    words.push(' ');
    words.push_str(&Slot::Author.word(author));
    db.prepare_cached("INSERT INTO search_entry (key, message) VALUES (?1, ?2)")?
        .execute([key, entry.row])?;
    db.prepare_cached("INSERT INTO search (rowid, grams) VALUES (?1, ?2)")?.execute(params![key, words])?;
    Ok(())
}

fn author(db: &Connection, sender: i64, name: &str) -> Result<i64> {
    let mut find = db.prepare_cached("SELECT id FROM search_author WHERE sender = ?1 AND name = ?2")?;
    if let Some(id) = find.query_row(params![sender, name], |row| row.get(0)).optional()? {
        return Ok(id);
    }
    db.prepare_cached("INSERT INTO search_author (sender, name) VALUES (?1, ?2)")?
        .execute(params![sender, name])?;
    Ok(db.last_insert_rowid())
}

/// The stretch of a moment. What a server says it is need not make sense.
fn stretch(at: WallMs) -> i64 {
    at.clamp(0, MAX_TIME) >> STRETCH_BITS
}

/// The next number of a moment. Where more messages came within its stretch than it has places, one of a later stretch;
/// none where all that are near enough are taken.
fn free_key(db: &Connection, received: WallMs) -> Result<Option<i64>> {
    let wanted = stretch(received);
    let mut last_of = db.prepare_cached("SELECT max(key) FROM search_entry WHERE key BETWEEN ?1 AND ?2")?;
    let (mut late, mut stretches) = (0, 1);
    loop {
        let first = (wanted + late) << PLACE_BITS;
        let end = first + (stretches << PLACE_BITS) - 1;
        let last: Option<i64> = last_of.query_row([first, end], |row| row.get(0))?;
        let key = last.map_or(first, |last| last + 1);
        if key <= end {
            let late = (key >> PLACE_BITS) - wanted;
            if late > 0 {
                db.prepare_cached("UPDATE search_state SET late = max(late, ?1)")?.execute([late])?;
            }
            return Ok(Some(key));
        }
        (late, stretches) = match late {
            // Twice as far each time, and in the end behind all that are there.
            _ if stretches > 1 => return Ok(None),
            late if late > MAX_LATE / 2 - 1 => (0, MAX_LATE + 1),
            late => (late * 2 + 1, 1),
        };
    }
}

/// The numbers that messages from one moment up to another have, the second one excluded. Some of them may be messages
/// from before or after.
pub(super) fn range(db: &Connection, after: Option<WallMs>, before: Option<WallMs>) -> Result<(i64, i64)> {
    let late: i64 = db.prepare_cached("SELECT late FROM search_state")?.query_row((), |row| row.get(0))?;
    let from = after.map_or(i64::MIN, |after| stretch(after) << PLACE_BITS);
    // A database of before there was a limit may have any number.
    let late = late.clamp(0, MAX_TIME);
    let to = before.map_or(i64::MAX, |before| (stretch(before) + late + 1) << PLACE_BITS);
    Ok((from, to))
}

/// How many of a hundred messages that were there before the index are in it; `None`: all.
pub(in super::super) fn progress(db: &Connection) -> Result<Option<u8>> {
    let (todo, of): (i64, i64) = db
        .prepare_cached("SELECT todo, of FROM search_state")?
        .query_row((), |row| Ok((row.get(0)?, row.get(1)?)))?;
    let percent = (of - todo).saturating_mul(100) / of.max(1);
    Ok((todo > 0).then(|| percent.clamp(0, 99) as u8))
}

/// Takes in at most `limit` messages that were there before the index, the newest first. Returns [`progress`].
pub(in super::super) fn take_in_old(db: &mut Connection, limit: u32) -> Result<Option<u8>> {
    let batch = db.transaction()?;
    let mut todo: i64 = batch.query_row("SELECT todo FROM search_state", (), |row| row.get(0))?;
    let (mut bytes, mut is_over) = (0, true);
    if todo > 0 {
        let mut query = batch.prepare_cached(
            "SELECT rowid, room, sender, sender_name, received, body FROM message
             WHERE rowid <= ?1 ORDER BY rowid DESC LIMIT ?2",
        )?;
        let mut rows = query.query(params![todo, limit])?;
        while let Some(row) = rows.next()? {
            let nonsense = |error: rusqlite::types::FromSqlError| StoreError::Nonsense(error.to_string());
            let entry = Entry {
                row: row.get(0)?,
                room: row.get(1)?,
                sender: row.get(2)?,
                sender_name: row.get_ref(3)?.as_str().map_err(nonsense)?,
                received: row.get(4)?,
                body: row.get_ref(5)?.as_str().map_err(nonsense)?,
            };
            // Of a connection that was removed: its messages will be, too.
            let is_orphan =
                !batch.prepare_cached("SELECT 1 FROM sender WHERE id = ?1")?.exists([entry.sender])?;
            if !is_orphan {
                add(&batch, &entry)?;
            }
            bytes += entry.body.len();
            todo = entry.row - 1;
            is_over = false;
            if bytes > BATCH_BYTES {
                break;
            }
        }
        if is_over {
            todo = 0;
        }
        drop(rows);
        batch.prepare_cached("UPDATE search_state SET todo = ?1")?.execute([todo])?;
    }
    let progress = progress(&batch)?;
    batch.commit()?;
    Ok(progress)
}

/// Puts some of the index's segments together: each commit leaves one. FTS5 would do so by itself within commits, now and
/// then for very long. Returns whether there may be more to do.
pub(in super::super) fn merge(db: &Connection) -> Result<bool> {
    let before = db.total_changes();
    db.prepare_cached("INSERT INTO search (search, rank) VALUES ('merge', ?1)")?.execute([MERGE_PAGES])?;
    // sqlite.org/fts5.html#the_merge_command: a difference of less than two means that there was nothing to do.
    Ok(db.total_changes() - before >= 2)
}

/// Empties the index, so that all messages are taken in anew: for one that is damaged.
pub(in super::super) fn begin_anew(db: &Connection) -> Result<()> {
    log::warn!("the search index is damaged and made anew");
    db.execute_batch(
        "INSERT INTO search (search) VALUES ('delete-all');
         DELETE FROM search_entry;
         UPDATE search_state SET late = 0, todo = (SELECT coalesce(max(rowid), 0) FROM message),
             of = (SELECT coalesce(max(rowid), 0) FROM message);",
    )?;
    Ok(())
}
