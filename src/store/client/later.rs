//! Entries of a kind that this version does not know: kept as they came, and projected once a version knows their kind.

use rusqlite::{Connection, params};

use super::super::error::{StoreError, int};
use super::book::MessageWriter;
use super::identity::Filters;
use super::write::{Log, key};
use crate::model::content::{DELETE, EDIT, MEMBER, MESSAGE, PIN, REACTION, ROOM, ROOM_CHANGE};
use crate::model::{ConnectionId, Content, Entry};

type Result<T> = std::result::Result<T, StoreError>;

/// Entries that are projected before a database counts as open; the others are when there is nothing else to do.
pub(super) const AT_ONCE: u32 = 1_000;

/// Where an entry that was kept stands: its connection, era and offset.
type EntryKey = (i64, u32, i64);

/// Keeps an entry as it came.
pub(super) fn keep(db: &Connection, connection: ConnectionId, era: u32, entry: &Entry) -> Result<()> {
    let json = serde_json::to_string(entry).map_err(|error| StoreError::Nonsense(error.to_string()))?;
    db.prepare_cached(
        "INSERT OR REPLACE INTO other_entry (connection, era, offset, json, known) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![key(connection), era, int(entry.offset)?, json, !entry.draft.content.is_unknown()])?;
    Ok(())
}

/// Puts at most `limit` of the entries that were kept, and that this version knows, where they belong. Returns whether
/// there may be more.
pub(super) fn project(db: &mut Connection, filters: &Filters, limit: u32) -> Result<bool> {
    let transaction = db.transaction()?;
    let kept = known_now(&transaction, limit)?;
    let is_all = kept.len() < limit as usize;
    for (place, entry) in kept {
        // A message is kept whole where it is now. What cannot be read after all is not tried again.
        let done = match &entry {
            Some(entry) if entry.draft.content.is_shown() || entry.draft.content.target().is_some() => {
                "DELETE FROM other_entry"
            }
            _ => "UPDATE other_entry SET known = 1",
        };
        transaction
            .prepare_cached(&format!("{done} WHERE connection = ?1 AND era = ?2 AND offset = ?3"))?
            .execute(params![place.0, place.1, place.2])?;
        // Of a kind that is known, and with fields that are not: it stays.
        if let Some(entry) = entry.filter(|entry| !entry.draft.content.is_unknown()) {
            project_one(&transaction, filters, place, &entry)?;
        }
    }
    transaction.commit()?;
    Ok(!is_all)
}

fn known_now(db: &Connection, limit: u32) -> Result<Vec<(EntryKey, Option<Entry>)>> {
    // The expression is that of the index.
    let mut query = db.prepare_cached(
        "SELECT connection, era, offset, json FROM other_entry
         WHERE CASE WHEN json_valid(json) THEN json_extract(json, '$.kind') END IN (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             AND known = 0
         ORDER BY connection, era, offset LIMIT ?9",
    )?;
    let mut rows =
        query.query(params![MESSAGE, ROOM, ROOM_CHANGE, MEMBER, EDIT, DELETE, REACTION, PIN, limit])?;
    let mut kept = Vec::new();
    while let Some(row) = rows.next()? {
        let entry = row.get_ref(3)?.as_str().ok().and_then(|json| serde_json::from_str(json).ok());
        kept.push(((row.get(0)?, row.get(1)?, row.get(2)?), entry));
    }
    Ok(kept)
}

fn project_one(
    db: &Connection,
    filters: &Filters,
    (connection, era, _): EntryKey,
    entry: &Entry,
) -> Result<()> {
    let mut query = db.prepare_cached("SELECT me_id, era FROM connection WHERE id = ?1")?;
    let (me, now): (Option<String>, u32) =
        query.query_row([connection], |row| Ok((row.get(0)?, row.get(1)?)))?;
    // What an earlier log said of a room has passed.
    let is_past =
        era != now && matches!(entry.draft.content, Content::RoomChange { .. } | Content::Member { .. });
    let mut book =
        MessageWriter::new(db, ConnectionId(connection.cast_unsigned()), Log::past(era, me), filters)?;
    match entry.draft.content {
        Content::Text { .. } => book.late_message(entry)?,
        _ if is_past => book.event(entry)?,
        _ => book.entry(entry)?,
    }
    book.save()
}
