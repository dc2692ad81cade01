//! What a [`Write`] does to the database. Every function is idempotent, and mirrors what `model::reducer` does to the
//! model with the same event.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};

use super::super::error::{StoreError, int, unsigned};
use super::{Write, read};
use crate::model::event::LogRestart;
use crate::model::{
    ConnectionId, Delivery, Entry, EntryKind, Epoch, Event, MessageId, Offset, OutboxItem, Position,
    Principal, Refusal, ResumePoint, RoomName,
};

type Result<T> = std::result::Result<T, StoreError>;

/// Unread messages are counted one by one up to so many; beyond that the number is an estimate.
pub(super) const COUNT_LIMIT: u64 = 10_000;

/// What became of a write.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It is in the transaction.
    Yes,
    /// Entries before these are missing here: they were not taken, so that the resume point never passes a hole.
    Gap,
}

/// Takes one write into the current transaction.
pub(super) fn apply(db: &Connection, connection: ConnectionId, write: &Write) -> Result<Taken> {
    if !matches!(write, Write::RemoveConnection) {
        db.prepare_cached("INSERT INTO connection (id) VALUES (?1) ON CONFLICT DO NOTHING")?
            .execute([key(connection)])?;
    }
    match write {
        Write::Queue(item) => queue(db, connection, item)?,
        Write::Unqueue(id) => unqueue(db, connection, *id)?,
        Write::Replace { old, new } => {
            unqueue(db, connection, *old)?;
            queue(db, connection, new)?;
        }
        Write::Attempted(ids) => {
            for id in ids {
                deliver(db, connection, *id, &Delivery::Attempted)?;
            }
        }
        Write::Event(event) => return happened(db, connection, event),
        Write::Draft { room, text } => {
            let room = room_id(db, connection, room)?;
            db.prepare_cached("UPDATE room SET draft = ?2 WHERE id = ?1")?.execute(params![room, text])?;
        }
        Write::RemoveConnection => remove(db, connection)?,
    }
    Ok(Taken::Yes)
}

fn happened(db: &Connection, connection: ConnectionId, event: &Event) -> Result<Taken> {
    match event {
        Event::Welcomed { me, head, rooms, .. } => welcomed(db, connection, me, *head, rooms)?,
        Event::LogStarted { epoch, from, why } => log_started(db, connection, *epoch, *from, *why)?,
        Event::Entries { entries, .. } => return take_entries(db, connection, entries),
        Event::Acknowledged { id, offset, received } => {
            let delivery = Delivery::Acknowledged { offset: *offset, received: *received };
            deliver(db, connection, *id, &delivery)?;
        }
        Event::Refused { id, refusal } => {
            deliver(db, connection, *id, &Delivery::Failed(refusal.clone()))?;
        }
        Event::ReadMarker { room, offset } => read_marker(db, connection, room, *offset)?,
        Event::History { room, before, entries, complete } => {
            history(db, connection, room, *before, entries, *complete)?;
        }
        // The rest does not outlive the process, or says what came from here.
        _ => {}
    }
    Ok(Taken::Yes)
}

fn welcomed(
    db: &Connection,
    connection: ConnectionId,
    me: &Principal,
    head: Offset,
    rooms: &[RoomName],
) -> Result<()> {
    db.prepare_cached("UPDATE connection SET me_id = ?2, me_kind = ?3, me_name = ?4 WHERE id = ?1")?
        .execute(params![key(connection), me.id.0, read::kind_text(me.kind), me.name])?;
    for room in rooms {
        room_id(db, connection, room)?;
    }
    // A log that ends before what it acknowledged has lost it (`OutboxItem::beyond`).
    db.prepare_cached(
        "UPDATE outbox SET delivery = 'attempted', offset = NULL, received = NULL
         WHERE connection = ?1 AND delivery = 'acknowledged' AND offset > ?2",
    )?
    .execute(params![key(connection), saturated(head)])?;
    Ok(())
}

fn log_started(
    db: &Connection,
    connection: ConnectionId,
    epoch: Epoch,
    from: Offset,
    why: LogRestart,
) -> Result<()> {
    db.prepare_cached(
        "UPDATE connection SET
             era = CASE WHEN era = 0 OR era_has_entries THEN era + 1 ELSE era END,
             era_has_entries = 0, log_epoch = ?2, era_from = ?3, next_offset = ?3,
             resume_epoch = NULL, resume_offset = NULL, resume_id = NULL,
             resume_received = NULL
         WHERE id = ?1",
    )?
    .execute(params![key(connection), epoch.0.cast_signed(), int(from)?])?;
    db.prepare_cached("UPDATE room SET floor = NULL, start_known = 0 WHERE connection = ?1")?
        .execute([key(connection)])?;
    if why != LogRestart::First {
        passed_by(db, connection, i64::MAX)?;
    }
    Ok(())
}

/// What was acknowledged for a place up to here has not come back (`OutboxItem::passed_by`).
fn passed_by(db: &Connection, connection: ConnectionId, offset: i64) -> Result<()> {
    db.prepare_cached(
        "UPDATE outbox SET delivery = 'attempted', offset = NULL, received = NULL
         WHERE connection = ?1 AND delivery = 'acknowledged' AND offset <= ?2",
    )?
    .execute(params![key(connection), offset])?;
    Ok(())
}

/// The log that a connection is reading.
struct Log {
    me: Option<String>,
    epoch: Option<i64>,
    era: u32,
    next: Offset,
}

fn log_of(db: &Connection, connection: ConnectionId) -> Result<Log> {
    let mut query =
        db.prepare_cached("SELECT me_id, log_epoch, era, next_offset FROM connection WHERE id = ?1")?;
    Ok(query.query_row([key(connection)], |row| {
        Ok(Log { me: row.get(0)?, epoch: row.get(1)?, era: row.get(2)?, next: unsigned(row.get(3)?) })
    })?)
}

/// Takes entries and the resume point in together. An empty batch says only that the era has entries: it stands for one
/// that had to be let go while the disk was full.
fn take_entries(db: &Connection, connection: ConnectionId, entries: &[Entry]) -> Result<Taken> {
    let log = log_of(db, connection)?;
    db.prepare_cached("UPDATE connection SET era_has_entries = 1 WHERE id = ?1")?
        .execute([key(connection)])?;
    let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
        return Ok(Taken::Yes);
    };
    let (Some(epoch), true) = (log.epoch, first.offset <= log.next) else {
        return Ok(Taken::Gap);
    };
    let mut book = Book::new(db, connection, log.era, log.me)?;
    for entry in entries {
        book.entry(entry)?;
    }
    book.save()?;
    if last.offset >= log.next {
        let resume = ResumePoint {
            epoch: Epoch(epoch.cast_unsigned()),
            offset: last.offset,
            id: last.id,
            received: last.received,
        };
        set_resume(db, connection, resume)?;
    }
    passed_by(db, connection, saturated(last.offset.max(log.next.saturating_sub(1))))?;
    Ok(Taken::Yes)
}

fn set_resume(db: &Connection, connection: ConnectionId, resume: ResumePoint) -> Result<()> {
    db.prepare_cached(
        "UPDATE connection SET resume_epoch = ?2, resume_offset = ?3, resume_id = ?4, resume_received = ?5,
             next_offset = ?3 + 1
         WHERE id = ?1",
    )?
    .execute(params![
        key(connection),
        resume.epoch.0.cast_signed(),
        int(resume.offset)?,
        resume.id.0.as_bytes(),
        resume.received
    ])?;
    Ok(())
}

fn read_marker(db: &Connection, connection: ConnectionId, name: &RoomName, offset: Offset) -> Result<()> {
    let log = log_of(db, connection)?;
    let mut book = Book::new(db, connection, log.era, log.me)?;
    let room = book.room(name)?;
    let position = Position { era: log.era, offset };
    let me = book.me;
    let room = &mut book.rooms[room];
    if position <= room.read {
        return Ok(());
    }
    let (old, id) = (room.read, room.id);
    room.read = position;
    room.changed = true;
    if position >= room.newest {
        room.unread = 0;
    } else {
        room.unread = match count(db, id, position, None, me)? {
            Count::Exactly(number) => number,
            // Too many to count: what was counted before, less what has been read since.
            Count::AtLeast(number) => match count(db, id, old, Some(position), me)? {
                Count::Exactly(read) => room.unread.saturating_sub(read).max(number),
                Count::AtLeast(_) => number,
            },
        };
    }
    book.save()
}

enum Count {
    Exactly(u64),
    AtLeast(u64),
}

/// Messages by others after one position, up to another. Looks at so many rows at most, in an index that covers it.
fn count(
    db: &Connection,
    room: i64,
    after: Position,
    up_to: Option<Position>,
    me: Option<i64>,
) -> Result<Count> {
    let end = up_to.unwrap_or(Position { era: u32::MAX, offset: Offset::MAX });
    let mut query = db.prepare_cached(
        "SELECT count(*), total(sender IS NOT ?6) FROM (
             SELECT sender FROM message
             WHERE room = ?1 AND (era, offset) > (?2, ?3) AND (era, offset) <= (?4, ?5) LIMIT ?7)",
    )?;
    let limit = saturated(COUNT_LIMIT);
    let range = params![room, after.era, saturated(after.offset), end.era, saturated(end.offset), me, limit];
    let (rows, others): (i64, f64) = query.query_row(range, |row| Ok((row.get(0)?, row.get(1)?)))?;
    // `total` is a float that holds whole numbers up to 2⁵³.
    let others = others as u64;
    Ok(if rows < limit { Count::Exactly(others) } else { Count::AtLeast(others) })
}

/// Takes a page from the hub. It must lie next to what the disk holds, or there would be a hole; the hub is asked for
/// pages in the first era alone, of rooms whose start is not on disk.
fn history(
    db: &Connection,
    connection: ConnectionId,
    name: &RoomName,
    before: Offset,
    entries: &[Entry],
    complete: bool,
) -> Result<()> {
    let log = log_of(db, connection)?;
    if log.era != 1 {
        return Ok(());
    }
    let room = room_id(db, connection, name)?;
    let floor: i64 = db
        .prepare_cached(
            "SELECT coalesce(floor, era_from) FROM room JOIN connection ON connection.id = room.connection
             WHERE room.id = ?1",
        )?
        .query_row([room], |row| row.get(0))?;
    if saturated(before) < floor {
        return Ok(());
    }
    let mut book = Book::new(db, connection, log.era, log.me)?;
    let mut lowest = floor;
    let mut start = complete;
    for entry in entries.iter().filter(|entry| entry.room == *name) {
        lowest = lowest.min(int(entry.offset)?);
        match entry.kind {
            EntryKind::Message => book.old_message(entry)?,
            EntryKind::Room => start = true,
            EntryKind::Unknown => {}
        }
    }
    db.prepare_cached("UPDATE room SET floor = ?2, start_known = start_known OR ?3 WHERE id = ?1")?
        .execute(params![room, lowest, start])?;
    Ok(())
}

/// A connection's messages while some are being taken in: senders and rooms are looked up once.
struct Book<'a> {
    db: &'a Connection,
    connection: ConnectionId,
    era: u32,
    my_id: Option<String>,
    me: Option<i64>,
    senders: HashMap<String, i64>,
    by_name: HashMap<RoomName, usize>,
    rooms: Vec<RoomRow>,
}

struct RoomRow {
    id: i64,
    newest: Position,
    read: Position,
    unread: u64,
    start_known: bool,
    changed: bool,
}

impl<'a> Book<'a> {
    fn new(db: &'a Connection, connection: ConnectionId, era: u32, my_id: Option<String>) -> Result<Self> {
        let mut book = Book {
            db,
            connection,
            era,
            my_id,
            me: None,
            senders: HashMap::new(),
            by_name: HashMap::new(),
            rooms: Vec::new(),
        };
        if let Some(my_id) = book.my_id.clone() {
            book.me = Some(book.sender(&my_id)?);
        }
        Ok(book)
    }

    fn entry(&mut self, entry: &Entry) -> Result<()> {
        let mine = self.my_id.as_ref() == Some(&entry.sender.id.0);
        if mine {
            unqueue(self.db, self.connection, entry.id)?;
        }
        match entry.kind {
            EntryKind::Unknown => {}
            EntryKind::Room => {
                let room = self.room(&entry.room)?;
                let room = &mut self.rooms[room];
                room.start_known = true;
                room.changed = true;
            }
            EntryKind::Message => {
                let position = Position { era: self.era, offset: entry.offset };
                let room = self.room(&entry.room)?;
                let place = self.put(entry, room)?;
                let room = &mut self.rooms[room];
                if position <= room.newest {
                    return Ok(());
                }
                room.newest = position;
                room.changed = true;
                let counted = matches!(place, Place::Moved { unread: true });
                if !mine && !counted && position > room.read {
                    room.unread += 1;
                }
            }
        }
        Ok(())
    }

    /// One of a page of history: it is read or not as it is, and never the newest.
    fn old_message(&mut self, entry: &Entry) -> Result<()> {
        let room = self.room(&entry.room)?;
        self.put(entry, room)?;
        Ok(())
    }

    /// Puts a message in its place. One that another log holds too (a new epoch) leaves its old place.
    fn put(&mut self, entry: &Entry, room: usize) -> Result<Place> {
        let (era, offset) = (self.era, int(entry.offset)?);
        let sender = self.sender(&entry.sender.id.0)?;
        let room = &self.rooms[room];
        let mut find = self
            .db
            .prepare_cached("SELECT rowid, room, era, offset FROM message WHERE sender = ?1 AND id = ?2")?;
        let found: Option<(i64, i64, u32, i64)> = find
            .query_row(params![sender, entry.id.0.as_bytes()], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })
            .optional()?;
        let mut place = Place::New;
        if let Some((row, in_room, in_era, at_offset)) = found {
            if (in_room, in_era, at_offset) == (room.id, era, offset) {
                return Ok(Place::Known);
            }
            let old = Position { era: in_era, offset: unsigned(at_offset) };
            let unread = in_room == room.id && old > room.read && Some(sender) != self.me;
            self.db.prepare_cached("DELETE FROM message WHERE rowid = ?1")?.execute([row])?;
            place = Place::Moved { unread };
        }
        self.db
            .prepare_cached("DELETE FROM message WHERE room = ?1 AND era = ?2 AND offset = ?3")?
            .execute(params![room.id, era, offset])?;
        self.db
            .prepare_cached(
                "INSERT INTO message (room, era, offset, sender, sender_name, id, at, received, body)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![
                room.id,
                era,
                offset,
                sender,
                entry.sender.name,
                entry.id.0.as_bytes(),
                entry.at,
                entry.received,
                entry.body
            ])?;
        Ok(place)
    }

    fn sender(&mut self, principal: &str) -> Result<i64> {
        if let Some(id) = self.senders.get(principal) {
            return Ok(*id);
        }
        let mut find =
            self.db.prepare_cached("SELECT id FROM sender WHERE connection = ?1 AND principal = ?2")?;
        let found = find.query_row(params![key(self.connection), principal], |row| row.get(0)).optional()?;
        let id = match found {
            Some(id) => id,
            None => {
                self.db
                    .prepare_cached("INSERT INTO sender (connection, principal) VALUES (?1, ?2)")?
                    .execute(params![key(self.connection), principal])?;
                self.db.last_insert_rowid()
            }
        };
        self.senders.insert(principal.to_owned(), id);
        Ok(id)
    }

    fn room(&mut self, name: &RoomName) -> Result<usize> {
        if let Some(index) = self.by_name.get(name) {
            return Ok(*index);
        }
        let id = room_id(self.db, self.connection, name)?;
        let mut find = self.db.prepare_cached(
            "SELECT newest_era, newest_offset, read_era, read_offset, unread, start_known FROM room WHERE id = ?1",
        )?;
        let row = find.query_row([id], |row| {
            Ok(RoomRow {
                id,
                newest: Position { era: row.get(0)?, offset: unsigned(row.get(1)?) },
                read: Position { era: row.get(2)?, offset: unsigned(row.get(3)?) },
                unread: unsigned(row.get(4)?),
                start_known: row.get(5)?,
                changed: false,
            })
        })?;
        self.rooms.push(row);
        self.by_name.insert(name.clone(), self.rooms.len() - 1);
        Ok(self.rooms.len() - 1)
    }

    fn save(&self) -> Result<()> {
        for room in self.rooms.iter().filter(|room| room.changed) {
            self.db
                .prepare_cached(
                    "UPDATE room SET newest_era = ?2, newest_offset = ?3, read_era = ?4, read_offset = ?5,
                         unread = ?6, start_known = ?7
                     WHERE id = ?1",
                )?
                .execute(params![
                    room.id,
                    room.newest.era,
                    int(room.newest.offset)?,
                    room.read.era,
                    saturated(room.read.offset),
                    saturated(room.unread),
                    room.start_known
                ])?;
        }
        Ok(())
    }
}

#[derive(Copy, Clone, PartialEq, Eq)]
enum Place {
    New,
    Known,
    /// From another place; `unread` if it counted as such there.
    Moved {
        unread: bool,
    },
}

fn queue(db: &Connection, connection: ConnectionId, item: &OutboxItem) -> Result<()> {
    unqueue(db, connection, item.id)?;
    // It may have come back as an entry already.
    let arrived = db
        .prepare_cached(
            "SELECT 1 FROM message
             WHERE id = ?2 AND sender = (
                 SELECT sender.id FROM connection
                 JOIN sender ON sender.connection = connection.id AND sender.principal = connection.me_id
                 WHERE connection.id = ?1)",
        )?
        .exists(params![key(connection), item.id.0.as_bytes()])?;
    let seq = int(item.seq)?;
    db.prepare_cached("UPDATE connection SET last_seq = max(last_seq, ?2) WHERE id = ?1")?
        .execute(params![key(connection), seq])?;
    if arrived {
        return Ok(());
    }
    db.prepare_cached(
        "INSERT OR REPLACE INTO outbox (connection, seq, id, room, body, at, delivery)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'pending')",
    )?
    .execute(params![
        key(connection),
        seq,
        item.id.0.as_bytes(),
        item.room.as_str(),
        item.body,
        item.at
    ])?;
    if item.delivery != Delivery::Pending {
        deliver(db, connection, item.id, &item.delivery)?;
    }
    Ok(())
}

fn unqueue(db: &Connection, connection: ConnectionId, id: MessageId) -> Result<()> {
    db.prepare_cached("DELETE FROM outbox WHERE connection = ?1 AND id = ?2")?
        .execute(params![key(connection), id.0.as_bytes()])?;
    Ok(())
}

/// A later word never weakens an earlier one (`OutboxItem::deliver`).
fn deliver(db: &Connection, connection: ConnectionId, id: MessageId, delivery: &Delivery) -> Result<()> {
    let (word, offset, received, refusal) = match delivery {
        Delivery::Pending => ("pending", None, None, None),
        Delivery::Attempted => ("attempted", None, None, None),
        Delivery::Acknowledged { offset, received } => {
            ("acknowledged", Some(int(*offset)?), Some(*received), None)
        }
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

/// Its rooms' messages, perhaps a million, are purged when there is nothing else to do.
fn remove(db: &Connection, connection: ConnectionId) -> Result<()> {
    db.execute("INSERT INTO purge SELECT id FROM room WHERE connection = ?1", [key(connection)])?;
    db.execute("DELETE FROM connection WHERE id = ?1", [key(connection)])?;
    Ok(())
}

/// Deletes at most `limit` messages of removed rooms. Returns whether there are more.
pub(super) fn purge(db: &Connection, limit: u32) -> Result<bool> {
    let Some(room) =
        db.query_row("SELECT room FROM purge LIMIT 1", (), |row| row.get::<_, i64>(0)).optional()?
    else {
        return Ok(false);
    };
    let deleted = db.execute(
        "DELETE FROM message WHERE rowid IN (SELECT rowid FROM message WHERE room = ?1 LIMIT ?2)",
        params![room, limit],
    )?;
    if deleted == 0 {
        db.execute("DELETE FROM purge WHERE room = ?1", [room])?;
    }
    Ok(true)
}

fn room_id(db: &Connection, connection: ConnectionId, name: &RoomName) -> Result<i64> {
    if let Some(id) = read::room_id(db, connection, name)? {
        return Ok(id);
    }
    db.prepare_cached("INSERT INTO room (connection, name) VALUES (?1, ?2)")?
        .execute(params![key(connection), name.as_str()])?;
    Ok(db.last_insert_rowid())
}

/// A connection's id as SQLite holds it, bit by bit.
pub(super) fn key(connection: ConnectionId) -> i64 {
    connection.0.cast_signed()
}

/// For comparisons alone: no stored number is larger than what this gives for a larger one.
pub(super) fn saturated(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
