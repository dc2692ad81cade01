//! What waits to be sent, and how far it has come. Mirrors `OutboxItem` in `model::chat`.

use rusqlite::{Connection, OptionalExtension, params};

use super::super::error::{StoreError, int};
use super::identity::{Filters, Rows};
use super::rooms;
use super::write::key;
use crate::model::content::ROOM;
use crate::model::event::Follows;
use crate::model::{ConnectionId, Delivery, MessageId, OutboxItem, Refusal, RoomId};

type Result<T> = std::result::Result<T, StoreError>;

pub(super) fn queue(
    db: &Connection,
    filters: &Filters,
    connection: ConnectionId,
    item: &OutboxItem,
) -> Result<()> {
    unqueue(db, connection, item.draft.id)?;
    // It may have come back as an entry already.
    let me: Option<i64> = db
        .prepare_cached(
            "SELECT sender.id FROM connection
             JOIN sender ON sender.connection = connection.id AND sender.principal = connection.me_id
             WHERE connection.id = ?1",
        )?
        .query_row([key(connection)], |row| row.get(0))
        .optional()?;
    let find = |me| Rows::new(db)?.find(db, filters, me, item.draft.id, false);
    let arrived = me.map(find).transpose()?.flatten().is_some();
    let seq = free_seq(db, connection, int(item.seq)?)?;
    db.prepare_cached("UPDATE connection SET last_seq = max(last_seq, ?2) WHERE id = ?1")?
        .execute(params![key(connection), seq])?;
    if arrived || !make_unmade(db, connection, item)? {
        return Ok(());
    }
    db.prepare_cached(
        "INSERT INTO outbox (connection, seq, id, room, body, at, delivery, kind, extra)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'pending', ?7, ?8)",
    )?
    .execute(params![
        key(connection),
        seq,
        item.draft.id.0.as_bytes(),
        item.draft.room.as_str(),
        item.draft.content.body(),
        item.draft.at,
        item.draft.content.kind(),
        item.draft.content.fields_json()
    ])?;
    if item.delivery != Delivery::Pending {
        deliver(db, connection, item.draft.id, &item.delivery)?;
    }
    Ok(())
}

/// This `seq`, or the next free one if another item has it. If the outbox could not be read, numbering began again at 1,
/// and a new item must not replace one that is still waiting.
fn free_seq(db: &Connection, connection: ConnectionId, seq: i64) -> Result<i64> {
    let mut taken = db.prepare_cached("SELECT 1 FROM outbox WHERE connection = ?1 AND seq = ?2")?;
    if !taken.exists(params![key(connection), seq])? {
        return Ok(seq);
    }
    let mut last = db.prepare_cached("SELECT last_seq + 1 FROM connection WHERE id = ?1")?;
    Ok(last.query_row([key(connection)], |row| row.get(0))?)
}

/// A room that is to be made is there from now on. `false`: the server knows it already.
fn make_unmade(db: &Connection, connection: ConnectionId, item: &OutboxItem) -> Result<bool> {
    let Some(name) = item.draft.room_name() else { return Ok(true) };
    let mut known = db.prepare_cached("SELECT unmade FROM room WHERE connection = ?1 AND uid = ?2")?;
    let unmade: Option<bool> =
        known.query_row(params![key(connection), item.draft.room.as_str()], |row| row.get(0)).optional()?;
    if unmade.is_none() {
        // It begins with what is typed into it.
        db.prepare_cached(
            "INSERT INTO room (connection, uid, name, unmade, start_known) VALUES (?1, ?2, ?3, 1, 1)",
        )?
        .execute(params![key(connection), item.draft.room.as_str(), name.as_str()])?;
    }
    if unmade != Some(false) {
        rooms::to_be_made(db, connection, &item.draft.room, &item.draft.content)?;
    }
    Ok(unmade != Some(false))
}

pub(super) fn unqueue(db: &Connection, connection: ConnectionId, id: MessageId) -> Result<()> {
    db.prepare_cached("DELETE FROM outbox WHERE connection = ?1 AND id = ?2")?
        .execute(params![key(connection), id.0.as_bytes()])?;
    Ok(())
}

/// A later word never weakens an earlier one (`OutboxItem::deliver`).
pub(super) fn deliver(
    db: &Connection,
    connection: ConnectionId,
    id: MessageId,
    delivery: &Delivery,
) -> Result<()> {
    let (word, offset, received, refusal) = match delivery {
        Delivery::Pending => ("pending", None, None, None),
        Delivery::Attempted => ("attempted", None, None, None),
        Delivery::Acknowledged { offset, received } => {
            ("acknowledged", Some(int(*offset)?), Some(*received), None)
        }
        Delivery::Sent => ("sent", None, None, None),
        Delivery::Unsure => ("unsure", None, None, None),
        Delivery::Failed(refusal) => ("failed", None, None, Some(refusal_text(refusal)?)),
    };
    db.prepare_cached(
        "UPDATE outbox SET delivery = ?3, offset = ?4, received = ?5, refusal = ?6
         WHERE connection = ?1 AND id = ?2 AND (delivery <> 'acknowledged' OR ?3 = 'acknowledged')",
    )?
    .execute(params![key(connection), id.0.as_bytes(), word, offset, received, refusal])?;
    Ok(())
}

fn refusal_text(refusal: &Refusal) -> Result<String> {
    serde_json::to_string(refusal).map_err(|error| StoreError::Nonsense(error.to_string()))
}

/// A log that ends before what it acknowledged has lost it (`OutboxItem::beyond`).
pub(super) fn beyond(db: &Connection, connection: ConnectionId, head: i64) -> Result<()> {
    db.prepare_cached(
        "UPDATE outbox SET delivery = 'attempted', offset = NULL, received = NULL
         WHERE connection = ?1 AND delivery = 'acknowledged' AND offset > ?2",
    )?
    .execute(params![key(connection), head])?;
    Ok(())
}

/// What was acknowledged for a place up to here has not come back (`OutboxItem::passed_by`).
pub(super) fn passed_by(db: &Connection, connection: ConnectionId, offset: i64) -> Result<()> {
    db.prepare_cached(
        "UPDATE outbox SET delivery = 'attempted', offset = NULL, received = NULL
         WHERE connection = ?1 AND delivery = 'acknowledged' AND offset <= ?2",
    )?
    .execute(params![key(connection), offset])?;
    Ok(())
}

/// Whether something was acknowledged for a place that the log has passed: it does not come back as an entry.
pub(super) fn is_passed(db: &Connection, connection: ConnectionId, id: MessageId) -> Result<bool> {
    let mut query = db.prepare_cached(
        "SELECT 1 FROM outbox WHERE connection = ?1 AND id = ?2 AND delivery = 'acknowledged'
         AND offset < (SELECT next_offset FROM connection WHERE id = ?1)",
    )?;
    Ok(query.exists(params![key(connection), id.0.as_bytes()])?)
}

/// Nothing more comes of something that the server has (`Chat::done`).
pub(super) fn done(
    db: &Connection,
    connection: ConnectionId,
    id: MessageId,
    follows: &Follows,
) -> Result<()> {
    let unmade = makes(db, connection, id)?;
    unqueue(db, connection, id)?;
    match (unmade, follows) {
        (None, _) => Ok(()),
        (Some(unmade), Follows::OtherRoom(to)) if unmade != to.as_str() => {
            move_to(db, connection, &unmade, to)
        }
        (Some(unmade), _) => {
            db.prepare_cached("UPDATE room SET unmade = 0 WHERE connection = ?1 AND uid = ?2")?
                .execute(params![key(connection), unmade])?;
            Ok(())
        }
    }
}

/// What was typed into a room that was there already under another id goes there (`Chat::move_to`).
fn move_to(db: &Connection, connection: ConnectionId, from: &str, to: &RoomId) -> Result<()> {
    db.prepare_cached("UPDATE outbox SET room = ?3 WHERE connection = ?1 AND room = ?2")?
        .execute(params![key(connection), from, to.as_str()])?;
    let mut unmade = db.prepare_cached("SELECT name, draft FROM room WHERE connection = ?1 AND uid = ?2")?;
    let unmade: Option<(String, String)> =
        unmade.query_row(params![key(connection), from], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((name, draft)) = unmade else { return Ok(()) };
    db.prepare_cached("DELETE FROM room WHERE connection = ?1 AND uid = ?2")?
        .execute(params![key(connection), from])?;
    db.prepare_cached(
        "INSERT INTO room (connection, uid, name) VALUES (?1, ?2, ?3) ON CONFLICT (connection, uid) DO NOTHING",
    )?
    .execute(params![key(connection), to.as_str(), name])?;
    db.prepare_cached("UPDATE room SET draft = ?3 WHERE connection = ?1 AND uid = ?2 AND draft = ''")?
        .execute(params![key(connection), to.as_str(), draft])?;
    Ok(())
}

/// The server does not take something. Where that makes a room, nothing that was typed into it can be sent
/// (`Chat::refused`).
pub(super) fn refused(
    db: &Connection,
    connection: ConnectionId,
    id: MessageId,
    refusal: &Refusal,
) -> Result<()> {
    deliver(db, connection, id, &Delivery::Failed(refusal.clone()))?;
    if let Some(unmade) = makes(db, connection, id)? {
        db.prepare_cached(
            "UPDATE outbox SET delivery = 'failed', offset = NULL, received = NULL, refusal = ?3
             WHERE connection = ?1 AND room = ?2 AND delivery <> 'acknowledged'",
        )?
        .execute(params![key(connection), unmade, refusal_text(refusal)?])?;
    }
    Ok(())
}

/// The room that something in the outbox makes.
fn makes(db: &Connection, connection: ConnectionId, id: MessageId) -> Result<Option<String>> {
    let mut query =
        db.prepare_cached("SELECT room FROM outbox WHERE connection = ?1 AND id = ?2 AND kind = ?3")?;
    Ok(query.query_row(params![key(connection), id.0.as_bytes(), ROOM], |row| row.get(0)).optional()?)
}

/// Rooms that the server does not know go with the last of what was typed into them (`Chat::drop_unmade`).
pub(super) fn drop_unmade(db: &Connection, connection: ConnectionId) -> Result<()> {
    db.prepare_cached(
        "DELETE FROM room WHERE connection = ?1 AND unmade AND draft = ''
         AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.connection = ?1 AND outbox.room = room.uid)",
    )?
    .execute([key(connection)])?;
    Ok(())
}
