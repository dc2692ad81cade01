//! How many messages of a room are by others, counted in blocks of offsets: what is unread after a position is the rest of
//! its block and a sum over the blocks behind it, also with millions of them.
//!
//! `room.counted_era`, `counted_offset`: from this position on all messages are in `room_count`. Those of a database from
//! before there were counts are taken in little by little, the newest first.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};

use super::super::error::{StoreError, int, saturated, unsigned};
use super::threads;
use super::write::key;
use crate::model::{ConnectionId, Offset, Position};

type Result<T> = std::result::Result<T, StoreError>;

/// Offsets of a block.
const BLOCK: u64 = 4_096;

fn block_of(offset: Offset) -> u64 {
    offset.0 / BLOCK
}

/// Changes of counts that are not written yet: by room, era and block.
#[derive(Default)]
pub(super) struct Counts(HashMap<(i64, u32, u64), i64>);

impl Counts {
    /// A message by somebody else comes (1) or goes (-1). `counted`: from where on the room's messages are counted.
    pub(super) fn add(&mut self, room: i64, counted: Position, position: Position, change: i64) {
        if position >= counted {
            *self.0.entry((room, position.era, block_of(position.offset))).or_default() += change;
        }
    }

    /// Writes the changes.
    pub(super) fn save(&mut self, db: &Connection) -> Result<()> {
        for ((room, era, block), change) in self.0.drain() {
            db.prepare_cached(
                "INSERT INTO room_count (room, era, block, others) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET others = others + excluded.others",
            )?
            .execute(params![room, era, int(block)?, change])?;
        }
        Ok(())
    }
}

/// From where on a room's messages are counted; none for a room that was removed.
pub(super) fn counted(db: &Connection, room: i64) -> Result<Option<Position>> {
    let mut query = db.prepare_cached("SELECT counted_era, counted_offset FROM room WHERE id = ?1")?;
    let read = |row: &rusqlite::Row<'_>| Ok(Position { era: row.get(0)?, offset: row.get(1)? });
    Ok(query.query_row([room], read).optional()?)
}

/// Messages by others after a position from which on all are counted.
pub(super) fn after(db: &Connection, room: i64, position: Position, me: Option<i64>) -> Result<u64> {
    let block = block_of(position.offset);
    let end = (block + 1).saturating_mul(BLOCK);
    let in_block: i64 = db
        .prepare_cached(
            "SELECT count(*) FROM message
             WHERE room = ?1 AND era = ?2 AND offset > ?3 AND offset < ?4 AND sender IS NOT ?5",
        )?
        .query_row(params![room, position.era, saturated(position.offset), saturated(end), me], |row| {
            row.get(0)
        })?;
    let behind: i64 = db
        .prepare_cached(
            "SELECT coalesce(sum(others), 0) FROM room_count WHERE room = ?1 AND (era, block) > (?2, ?3)",
        )?
        .query_row(params![room, position.era, saturated(block)], |row| row.get(0))?;
    // Replies in threads are not among the blocks behind.
    let block_end = Position { era: position.era, offset: Offset(end.saturating_sub(1)) };
    let asides = threads::asides(db, room, position, block_end, me)?;
    Ok(unsigned(in_block).saturating_sub(asides) + unsigned(behind))
}

/// The person is another one now: all messages of a connection are to be counted anew.
pub(super) fn begin_anew(db: &Connection, connection: ConnectionId) -> Result<()> {
    db.execute(
        "DELETE FROM room_count WHERE room IN (SELECT id FROM room WHERE connection = ?1)",
        [key(connection)],
    )?;
    db.execute(
        "UPDATE room SET (counted_era, counted_offset) = (
             SELECT coalesce(max(era), 0), coalesce(max(offset), 0) + 1 FROM (
                 SELECT era, offset FROM message WHERE message.room = room.id
                 ORDER BY era DESC, offset DESC LIMIT 1))
         WHERE connection = ?1",
        [key(connection)],
    )?;
    Ok(())
}

/// Counts at most `limit` messages that were there before they were counted. Returns whether there are more.
pub(super) fn take_in_old(db: &mut Connection, limit: u32) -> Result<bool> {
    let batch = db.transaction()?;
    let next = batch
        .query_row(
            "SELECT room.id, counted_era, counted_offset, sender.id FROM room
             JOIN connection ON connection.id = room.connection
             LEFT JOIN sender ON sender.connection = room.connection AND principal = me_id
             WHERE counted_era > 0 LIMIT 1",
            (),
            |row| {
                let counted = Position { era: row.get(1)?, offset: row.get(2)? };
                Ok((row.get::<_, i64>(0)?, counted, row.get::<_, Option<i64>>(3)?))
            },
        )
        .optional()?;
    let Some((room, counted, me)) = next else { return Ok(false) };
    let (mut counts, mut last, mut number) = (Counts::default(), counted, 0);
    let mut query = batch.prepare_cached(
        "SELECT era, offset, sender, EXISTS (
             SELECT 1 FROM thread_message WHERE thread_message.room = message.room AND thread_message.era = message.era
                 AND thread_message.offset = message.offset AND aside)
         FROM message WHERE room = ?1 AND (era, offset) < (?2, ?3)
         ORDER BY era DESC, offset DESC LIMIT ?4",
    )?;
    let mut rows = query.query(params![room, counted.era, saturated(counted.offset), limit])?;
    while let Some(row) = rows.next()? {
        last = Position { era: row.get(0)?, offset: row.get(1)? };
        number += 1;
        if Some(row.get(2)?) != me && !row.get::<_, bool>(3)? {
            counts.add(room, Position::default(), last, 1);
        }
    }
    drop(rows);
    drop(query);
    counts.save(&batch)?;
    let counted = if number < limit { Position::default() } else { last };
    batch
        .prepare_cached("UPDATE room SET counted_era = ?2, counted_offset = ?3 WHERE id = ?1")?
        .execute(params![room, counted.era, int(counted.offset)?])?;
    batch.commit()?;
    Ok(true)
}
