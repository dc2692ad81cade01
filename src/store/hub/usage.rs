//! [`Usage`]: how much each principal has written today. Counted in memory, and written down every few thousand entries;
//! what is not written down is counted again from the log at the next start.

use std::collections::HashMap;

use rusqlite::{Connection, params};

use super::super::error::{StoreError, int, unsigned};
use super::{LogLimits, Quota};
use crate::model::content::ROOM;
use crate::model::time::WallMs;
use crate::model::{Offset, PrincipalId};

type Result<T> = std::result::Result<T, StoreError>;

/// Entries after which the counts are written down.
const WRITE_EVERY: u64 = 4096;
const DAY_MS: i64 = 86_400_000;

/// What one principal has written on one day.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
struct Count {
    messages: u64,
    bytes: u64,
    rooms: u64,
}

/// What everybody has written on one day, which begins at midnight UTC.
#[derive(Debug, Default)]
pub(super) struct Usage {
    day: i64,
    of: HashMap<PrincipalId, Count>,
    /// The last entry that is counted.
    through: Offset,
    /// The last entry whose count is on disk.
    written: Offset,
}

impl Usage {
    /// The counts of the newest day in the log.
    pub(super) fn load(db: &Connection) -> Result<Usage> {
        let written: i64 = db.query_row("SELECT counted FROM log", (), |row| row.get(0))?;
        let written = unsigned(written);
        let mut usage =
            Usage { day: i64::MIN, of: HashMap::new(), through: Offset(written), written: Offset(written) };
        let mut query = db.prepare("SELECT principal, day, messages, bytes, rooms FROM written")?;
        let mut rows = query.query(())?;
        while let Some(row) = rows.next()? {
            let (messages, bytes) = (unsigned(row.get(2)?), unsigned(row.get(3)?));
            let count = Count { messages, bytes, rooms: unsigned(row.get(4)?) };
            usage.turn_to(row.get(1)?);
            if usage.day == row.get::<_, i64>(1)? {
                usage.of.insert(PrincipalId(row.get(0)?), count);
            }
        }
        let mut query = db.prepare(
            "SELECT principal, received, kind, octet_length(body) + coalesce(octet_length(extra), 0), offset FROM entry
             WHERE offset > ?1 ORDER BY offset",
        )?;
        let mut rows = query.query([int(written)?])?;
        while let Some(row) = rows.next()? {
            let is_room = row.get_ref(2)?.as_str().is_ok_and(|kind| kind == ROOM);
            let (bytes, offset) = (unsigned(row.get(3)?), unsigned(row.get(4)?));
            usage.add(&PrincipalId(row.get(0)?), is_room, bytes, row.get(1)?, Offset(offset));
        }
        Ok(usage)
    }

    /// Another day begins everybody's count anew. A clock that goes back does not.
    fn turn_to(&mut self, day: i64) {
        if day > self.day {
            self.day = day;
            self.of.clear();
        }
    }

    /// Counts an entry.
    pub(super) fn add(
        &mut self,
        who: &PrincipalId,
        is_room: bool,
        bytes: u64,
        received: WallMs,
        offset: Offset,
    ) {
        self.turn_to(received.0.div_euclid(DAY_MS));
        self.through = self.through.max(offset);
        let count = match self.of.get_mut(who) {
            Some(count) => count,
            None => self.of.entry(who.clone()).or_default(),
        };
        if is_room {
            count.rooms += 1;
        } else {
            (count.messages, count.bytes) = (count.messages + 1, count.bytes + bytes);
        }
    }

    /// Which limit of a day this principal has reached.
    pub(super) fn reached(
        &mut self,
        limits: &LogLimits,
        who: &PrincipalId,
        is_room: bool,
        now: WallMs,
    ) -> Option<(Quota, WallMs)> {
        self.turn_to(now.0.div_euclid(DAY_MS));
        let count = self.of.get(who).copied().unwrap_or_default();
        let beyond = |limit: u64, count: u64| limit > 0 && count >= limit;
        let which = match is_room {
            true if beyond(limits.rooms_per_day.into(), count.rooms) => Quota::RoomsToday,
            true => return None,
            _ if beyond(limits.messages_per_day, count.messages) => Quota::MessagesToday,
            _ if beyond(limits.bytes_per_day, count.bytes) => Quota::BytesToday,
            _ => return None,
        };
        Some((which, WallMs((self.day + 1).saturating_mul(DAY_MS))))
    }

    /// Writes the counts down, in the open transaction, where that is due.
    pub(super) fn write(&mut self, db: &Connection, is_due: bool) -> Result<()> {
        if !is_due && self.through < self.written + WRITE_EVERY {
            return Ok(());
        }
        db.execute("DELETE FROM written", ())?;
        let mut insert = db.prepare_cached(
            "INSERT INTO written (principal, day, messages, bytes, rooms) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        for (who, count) in &self.of {
            insert.execute(params![
                who.0,
                self.day,
                int(count.messages)?,
                int(count.bytes)?,
                int(count.rooms)?
            ])?;
        }
        db.execute("UPDATE log SET counted = ?1", [int(self.through)?])?;
        self.written = self.through;
        Ok(())
    }
}
