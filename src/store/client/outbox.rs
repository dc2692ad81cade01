//! What waits to be sent, and how far it has come. Mirrors `OutboxItem` in `model::chat`.

use rusqlite::{Connection, OptionalExtension, params};

use super::super::error::{StoreError, int};
use super::identity::{Filters, Rows};
use super::write::key;
use crate::model::{ConnectionId, Delivery, MessageId, OutboxItem, Refusal};

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
    let seq = int(item.seq)?;
    db.prepare_cached("UPDATE connection SET last_seq = max(last_seq, ?2) WHERE id = ?1")?
        .execute(params![key(connection), seq])?;
    if arrived {
        return Ok(());
    }
    db.prepare_cached(
        "INSERT OR REPLACE INTO outbox (connection, seq, id, room, body, at, delivery, kind, extra)
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
        item.draft.content.extra().json()
    ])?;
    if item.delivery != Delivery::Pending {
        deliver(db, connection, item.draft.id, &item.delivery)?;
    }
    Ok(())
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

/// What was acknowledged for a place that the log has passed does not come back as an entry: it is done.
pub(super) fn done_before(db: &Connection, connection: ConnectionId, id: MessageId) -> Result<()> {
    db.prepare_cached(
        "DELETE FROM outbox WHERE connection = ?1 AND id = ?2 AND delivery = 'acknowledged'
         AND offset < (SELECT next_offset FROM connection WHERE id = ?1)",
    )?
    .execute(params![key(connection), id.0.as_bytes()])?;
    Ok(())
}
