//! What became of rooms and their members: entries of the log that are shown among the messages and count as none. A page
//! of messages takes in those that lie between them.

use rusqlite::{Connection, params};

use super::super::error::{StoreError, int, saturated};
use super::book::MessageWriter;
use super::read::Run;
use crate::model::{Entry, Message, Position};

type Result<T> = std::result::Result<T, StoreError>;

impl MessageWriter<'_> {
    /// Keeps an entry that tells what became of a room. One that another log holds too leaves its old place.
    pub(super) fn event(&mut self, entry: &Entry) -> Result<()> {
        let room = self.room(&entry.draft.room)?;
        let json = serde_json::to_string(entry).map_err(|error| StoreError::Nonsense(error.to_string()))?;
        self.db
            .prepare_cached(
                "INSERT OR REPLACE INTO room_event (room, era, offset, principal, id, json)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                self.rooms[room].id,
                self.era,
                int(entry.offset)?,
                entry.sender.id.0,
                entry.draft.id.0.as_bytes(),
                json
            ])?;
        Ok(())
    }
}

/// At most `limit` events of a room, in the order of the run.
pub(super) fn run(db: &Connection, room: i64, which: Run, limit: u32) -> Result<Vec<Message>> {
    let (condition, position) = which.sql();
    let mut query = db.prepare_cached(&format!(
        "SELECT era, offset, json FROM room_event WHERE room = ?1 AND {condition} LIMIT ?4"
    ))?;
    let mut rows = query.query(params![room, position.era, saturated(position.offset), limit])?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        let position = Position { era: row.get(0)?, offset: row.get(1)? };
        // What cannot be read is not shown.
        if let Ok(entry) = serde_json::from_str::<Entry>(row.get_ref(2)?.as_str().unwrap_or_default()) {
            events.push(Message::new(entry, position, false));
        }
    }
    Ok(events)
}

/// Whether a room has an event in the run.
pub(super) fn exists(db: &Connection, room: i64, which: Run) -> Result<bool> {
    let (condition, position) = which.sql();
    let mut query =
        db.prepare_cached(&format!("SELECT 1 FROM room_event WHERE room = ?1 AND {condition} LIMIT 1"))?;
    Ok(query.exists(params![room, position.era, saturated(position.offset)])?)
}

/// A removed room's events go with the last of its messages.
pub(super) fn purge(db: &Connection, room: i64) -> Result<()> {
    db.execute("DELETE FROM room_event WHERE room = ?1", [room])?;
    Ok(())
}
