//! What people have seen, as far as they let others know: one stretch of offsets for each person and room.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::super::error::{StoreError, saturated};
use super::access;
use super::read::room_id;
use crate::model::receipt::MAX_RECEIPTS;
use crate::model::{Offset, PrincipalId, Receipt, RoomId};

type Result<T> = std::result::Result<T, StoreError>;

/// Keeps what somebody has seen. What follows the stretch that is known, without a message between them, makes that longer;
/// what lies behind it takes its place; what lies before it is left out. Returns the stretch, if it has changed.
pub(super) fn set(db: &Connection, room: &RoomId, seen: Receipt) -> Result<Option<Receipt>> {
    let Receipt { id, first, last } = seen;
    let Some(row) = seen_room(db, room, &id)? else { return Ok(None) };
    // Never beyond what is in the room.
    let newest: Option<Offset> = db
        .prepare_cached("SELECT max(offset) FROM entry WHERE room = ?1")?
        .query_row([row], |row| row.get(0))?;
    let last = last.min(newest.unwrap_or_default());
    if first.0 == 0 || last < first {
        return Ok(None);
    }
    let known: Option<(Offset, Offset)> = db
        .prepare_cached("SELECT first, last FROM receipt WHERE room = ?1 AND principal = ?2")?
        .query_row(params![row, id.0], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (first, last) = match known {
        None => (first, last),
        Some(known) if joins(db, row, known, (first, last))? => (first.min(known.0), last.max(known.1)),
        Some(known) if last < known.0 => return Ok(None),
        Some(_) => (first, last),
    };
    if known == Some((first, last)) {
        return Ok(None);
    }
    db.prepare_cached(
        "INSERT OR REPLACE INTO receipt (room, principal, first, last) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![row, id.0, saturated(first), saturated(last)])?;
    Ok(Some(Receipt { id, first, last }))
}

/// Whether two stretches of a room have no message between them.
fn joins(db: &Connection, room: i64, a: (Offset, Offset), b: (Offset, Offset)) -> Result<bool> {
    let (before, after) = if a.0 <= b.0 { (a.1, b.0) } else { (b.1, a.0) };
    let is_between = || -> Result<bool> {
        let mut query = db.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM entry WHERE room = ?1 AND offset > ?2 AND offset < ?3)",
        )?;
        Ok(query.query_row(params![room, saturated(before), saturated(after)], |row| row.get(0))?)
    };
    Ok(after <= before || !is_between()?)
}

/// What others than the one who asks have seen, as far as they may see the room.
pub(super) fn of_room(db: &Connection, asker: &PrincipalId, room: &RoomId) -> Result<Vec<Receipt>> {
    let Some(room) = seen_room(db, room, asker)? else { return Ok(Vec::new()) };
    let mut query = db.prepare_cached(
        "SELECT receipt.principal, first, last FROM receipt JOIN room ON room.id = receipt.room
         WHERE room = ?1 AND receipt.principal <> ?2 AND (NOT private OR EXISTS (SELECT 1 FROM member
             WHERE member.room = receipt.room AND member.principal = receipt.principal AND is_member))
         ORDER BY last DESC LIMIT ?3",
    )?;
    let receipts = query.query_map(params![room, asker.0, MAX_RECEIPTS as i64], |row| {
        Ok(Receipt { id: PrincipalId(row.get(0)?), first: row.get(1)?, last: row.get(2)? })
    })?;
    Ok(receipts.collect::<std::result::Result<_, _>>()?)
}

/// The room's row, if it is for this person.
fn seen_room(db: &Connection, room: &RoomId, who: &PrincipalId) -> Result<Option<i64>> {
    let Some(row) = room_id(db, room)? else { return Ok(None) };
    let is_private: bool =
        db.prepare_cached("SELECT private FROM room WHERE id = ?1")?.query_row([row], |row| row.get(0))?;
    Ok((!is_private || access::is_member(db, row, who)?).then_some(row))
}
