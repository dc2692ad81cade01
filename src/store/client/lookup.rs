//! What the window asks about a room beside its messages: pins, threads, and versions of a message.

use rusqlite::{Connection, params};

use super::super::error::{StoreError, saturated};
use super::{changes, read, threads};
use crate::model::lookup::{Lookup, LookupFound, MAX_LISTED_PINS, MAX_REVISIONS, Revision, Wanted};
use crate::model::{Message, Position};

type Result<T> = std::result::Result<T, StoreError>;

/// Answers a question.
pub(super) fn find(db: &Connection, lookup: &Lookup) -> Result<LookupFound> {
    let room = read::room_id(db, lookup.connection, &lookup.room)?;
    Ok(match &lookup.wanted {
        Wanted::Pins => LookupFound::Pins(room.map(|room| pins(db, room)).transpose()?.unwrap_or_default()),
        Wanted::Threads => {
            let lines = room.map(|room| threads::lines(db, lookup.connection, &lookup.room, room));
            LookupFound::Threads(lines.transpose()?.unwrap_or_default())
        }
        Wanted::Revisions(at) => {
            LookupFound::Revisions(room.map(|room| revisions(db, room, *at)).transpose()?.unwrap_or_default())
        }
    })
}

/// The pinned messages of a room, the newest first.
fn pins(db: &Connection, room: i64) -> Result<Vec<Message>> {
    let mut query = db.prepare_cached(
        "SELECT message.era, message.offset, message.id, principal, sender_name, at, received, body, extra
         FROM message_change
         JOIN message ON message.room = message_change.room AND message.era = message_change.era
             AND message.offset = message_change.offset
         JOIN sender ON sender.id = message.sender
         WHERE message_change.room = ?1 AND pinned
         ORDER BY message_change.era DESC, message_change.offset DESC LIMIT ?2",
    )?;
    let rows = query.query_map(params![room, MAX_LISTED_PINS], changes::message)?;
    let mut pins = rows.collect::<std::result::Result<Vec<_>, _>>()?;
    for pin in &mut pins {
        changes::fill(db, room, std::slice::from_mut(pin))?;
    }
    Ok(pins)
}

/// All versions of the message at a place, the oldest first.
fn revisions(db: &Connection, room: i64, at: Position) -> Result<Vec<Revision>> {
    let mut query = db.prepare_cached(
        "SELECT received, body FROM message_revision WHERE room = ?1 AND era = ?2 AND offset = ?3
         ORDER BY by_era DESC, by_offset DESC LIMIT ?4",
    )?;
    let range = params![room, at.era, saturated(at.offset), MAX_REVISIONS];
    let rows = query.query_map(range, |row| Ok(Revision { at: row.get(0)?, body: row.get(1)? }))?;
    let mut all = rows.collect::<std::result::Result<Vec<_>, _>>()?;
    all.reverse();
    Ok(all)
}

/// The message at a place of a room with what came to it and what it replies to.
pub(super) fn message_at(db: &Connection, room: i64, at: Position) -> Result<Option<Message>> {
    let mut query = db.prepare_cached(
        "SELECT era, offset, message.id, principal, sender_name, at, received, body, extra
         FROM message JOIN sender ON sender.id = message.sender
         WHERE room = ?1 AND era = ?2 AND offset = ?3",
    )?;
    let rows = query.query_map(params![room, at.era, saturated(at.offset)], changes::message)?;
    let mut found = rows.collect::<std::result::Result<Vec<_>, _>>()?;
    changes::fill(db, room, &mut found)?;
    Ok(found.pop())
}

/// A position from two columns.
pub(super) fn position(row: &rusqlite::Row<'_>, first: usize) -> rusqlite::Result<Position> {
    Ok(Position { era: row.get(first)?, offset: row.get(first + 1)? })
}
