//! What a [`Write`] does to the database. Every function is idempotent, and mirrors what `model::reducer` does to the
//! model with the same event.

use rusqlite::{Connection, OptionalExtension, params};

use super::super::error::{StoreError, int, saturated};
use super::book::{MessageWriter, RoomRow};
use super::changes;
use super::counts;
use super::events;
use super::identity::Filters;
use super::threads;
use super::{Write, outbox, read, rooms};
use crate::model::chat::MAX_ROOMS;
use crate::model::content::Content;
use crate::model::event::{ChatEvent, Follows, LinkEvent, LogKind, LogRestart};
use crate::model::notices::mentions;
use crate::model::{
    ConnectionId, Delivery, Entry, Epoch, Event, Features, MessageId, NamedRoom, Offset, Position, Principal,
    ResumePoint, Role, RoomId, RoomName,
};

type Result<T> = std::result::Result<T, StoreError>;

/// In a room whose messages are not in `room_count` yet, unread ones are counted one by one up to so many; beyond that the
/// number is an estimate.
pub(super) const COUNT_LIMIT: u64 = 10_000;

/// What became of a write.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It is in the transaction.
    Yes,
    /// It is in the transaction, and its entries were given the offsets from this one on.
    Numbered(Offset),
    /// Entries before these are missing here: they were not taken, so that the resume point never passes a hole.
    Gap,
}

/// Takes one write into the current transaction.
pub(super) fn apply(
    db: &Connection,
    filters: &Filters,
    connection: ConnectionId,
    write: &Write,
) -> Result<Taken> {
    if !matches!(write, Write::RemoveConnection) {
        db.prepare_cached("INSERT INTO connection (id) VALUES (?1) ON CONFLICT DO NOTHING")?
            .execute([key(connection)])?;
    }
    match write {
        Write::Queue(item) => outbox::queue(db, filters, connection, item)?,
        Write::Unqueue(id) => {
            outbox::unqueue(db, connection, *id)?;
            outbox::drop_unmade(db, connection)?;
        }
        Write::Replace { old, new } => {
            outbox::unqueue(db, connection, *old)?;
            outbox::queue(db, filters, connection, new)?;
            outbox::drop_unmade(db, connection)?;
        }
        Write::Attempted(ids) => deliver_all(db, connection, ids, &Delivery::Attempted)?,
        Write::Event(event) => return happened(db, filters, connection, event),
        Write::Draft { room, text } => {
            let room = room_id(db, connection, room)?;
            db.prepare_cached("UPDATE room SET draft = ?2 WHERE id = ?1")?.execute(params![room, text])?;
            outbox::drop_unmade(db, connection)?;
        }
        Write::State(state) => {
            db.prepare_cached("UPDATE connection SET state = ?2 WHERE id = ?1")?
                .execute(params![key(connection), state])?;
        }
        Write::RemoveConnection => remove(db, connection)?,
    }
    Ok(Taken::Yes)
}

fn deliver_all(
    db: &Connection,
    connection: ConnectionId,
    ids: &[MessageId],
    delivery: &Delivery,
) -> Result<()> {
    ids.iter().try_for_each(|id| outbox::deliver(db, connection, *id, delivery))
}

fn happened(db: &Connection, filters: &Filters, connection: ConnectionId, event: &Event) -> Result<Taken> {
    match event {
        Event::Link(LinkEvent::Welcomed { me, log, rooms, features, .. }) => {
            welcomed(db, connection, me, *log, features)?;
            rooms::begin_anew(db, connection)?;
            rooms::leave_private(db, connection)?;
            make_rooms(db, connection, rooms)?;
        }
        Event::Chat(ChatEvent::Listed(listed)) => {
            make_rooms(db, connection, &listed.rooms)?;
            for (room, offset) in &listed.read {
                read_marker(db, filters, connection, room, *offset)?;
            }
        }
        Event::Chat(ChatEvent::LogStarted { epoch, from, why }) => {
            log_started(db, connection, *epoch, *from, *why)?
        }
        Event::Chat(ChatEvent::Skipped { from, to }) => return skip(db, connection, *from, *to),
        Event::Chat(ChatEvent::Entries { entries, .. }) => {
            return take_entries(db, filters, connection, entries);
        }
        Event::Chat(ChatEvent::Acknowledged { id, offset, received, follows: Follows::Entry }) => {
            let delivery = Delivery::Acknowledged { offset: *offset, received: *received };
            outbox::deliver(db, connection, *id, &delivery)?;
            if outbox::is_passed(db, connection, *id)? {
                outbox::done(db, connection, *id, &Follows::Nothing)?;
            }
        }
        Event::Chat(ChatEvent::Acknowledged { id, follows, .. }) => {
            outbox::done(db, connection, *id, follows)?;
        }
        Event::Chat(ChatEvent::Sent(ids)) => deliver_all(db, connection, ids, &Delivery::Sent)?,
        Event::Chat(ChatEvent::Unsure(ids)) => deliver_all(db, connection, ids, &Delivery::Unsure)?,
        Event::Chat(ChatEvent::Refused { id, refusal }) => outbox::refused(db, connection, *id, refusal)?,
        Event::Chat(ChatEvent::Postponed { id, unseen: true }) => {
            outbox::deliver(db, connection, *id, &Delivery::Pending)?
        }
        Event::Chat(ChatEvent::ReadMarker { room, offset }) => {
            read_marker(db, filters, connection, room, *offset)?
        }
        Event::Chat(ChatEvent::History { room, before, entries, complete }) => {
            history(db, filters, connection, room, (*before, *complete), entries)?;
        }
        Event::Chat(ChatEvent::MarkedUnread { room, offset }) => {
            mark_unread(db, filters, connection, room, *offset)?;
        }
        Event::Chat(ChatEvent::ThreadSeen { room, root, position }) => {
            threads::seen(db, connection, room, *root, *position)?;
        }
        Event::Chat(ChatEvent::ThreadDraft { room, root, text, reply }) => {
            threads::draft(db, connection, room, *root, text, *reply)?;
        }
        Event::Chat(ChatEvent::DraftReply { room, reply }) => {
            let room = room_id(db, connection, room)?;
            db.prepare_cached("UPDATE room SET draft_reply = ?2 WHERE id = ?1")?
                .execute(params![room, reply.map(|id| *id.0.as_bytes())])?;
        }
        // The rest does not outlive the process, or says what came from here.
        _ => {}
    }
    Ok(Taken::Yes)
}

/// Keeps rooms that a server tells of, up to [`MAX_ROOMS`] of one connection.
fn make_rooms(db: &Connection, connection: ConnectionId, rooms: &[NamedRoom]) -> Result<()> {
    let mut count = db.prepare_cached("SELECT count(*) FROM room WHERE connection = ?1")?;
    let known: i64 = count.query_row([key(connection)], |row| row.get(0))?;
    let free = MAX_ROOMS.saturating_sub(usize::try_from(known).unwrap_or(usize::MAX));
    let mut made = 0;
    for room in rooms {
        if read::room_id(db, connection, &room.id)?.is_none() {
            if made == free {
                continue;
            }
            made += 1;
        }
        rooms::listed(db, connection, room)?;
    }
    Ok(())
}

fn welcomed(
    db: &Connection,
    connection: ConnectionId,
    me: &Principal,
    log: LogKind,
    features: &Features,
) -> Result<()> {
    if log == LogKind::Local {
        local_log_started(db, connection)?;
    }
    let before: Option<String> = db
        .prepare_cached("SELECT me_id FROM connection WHERE id = ?1")?
        .query_row([key(connection)], |row| row.get(0))?;
    if before.as_ref() != Some(&me.id.0) {
        counts::begin_anew(db, connection)?;
    }
    let features =
        serde_json::to_string(features).map_err(|error| StoreError::Nonsense(error.to_string()))?;
    db.prepare_cached(
        "UPDATE connection SET me_id = ?2, me_kind = ?3, me_name = ?4, features = ?5, me_role = ?6 WHERE id = ?1",
    )?
    .execute(params![
        key(connection),
        me.id.0,
        read::kind_text(me.kind),
        me.name,
        features,
        me.role.map(Role::word)
    ])?;
    match log {
        LogKind::Server { head, .. } => outbox::beyond(db, connection, saturated(head)),
        LogKind::Local => Ok(()),
    }
}

/// The era of a log that is numbered here begins, unless it has.
fn local_log_started(db: &Connection, connection: ConnectionId) -> Result<()> {
    let begun = db
        .prepare_cached(
            "UPDATE connection SET
                 era = CASE WHEN era = 0 OR era_has_entries THEN era + 1 ELSE era END,
                 era_has_entries = 0, log_epoch = NULL, era_from = 1, next_offset = 1,
                 resume_epoch = NULL, resume_offset = NULL, resume_id = NULL, resume_received = NULL
             WHERE id = ?1 AND (era = 0 OR log_epoch IS NOT NULL)",
        )?
        .execute([key(connection)])?;
    if begun > 0 {
        rooms::begin_anew(db, connection)?;
        db.prepare_cached("UPDATE room SET floor = NULL, start_known = 0 WHERE connection = ?1")?
            .execute([key(connection)])?;
        outbox::passed_by(db, connection, i64::MAX)?;
    }
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
    rooms::begin_anew(db, connection)?;
    if why != LogRestart::First {
        outbox::passed_by(db, connection, i64::MAX)?;
    }
    Ok(())
}

/// The log that a connection is reading.
pub(super) struct Log {
    pub(super) me: Option<String>,
    epoch: Option<i64>,
    pub(super) era: u32,
    pub(super) next: Offset,
}

impl Log {
    /// An era of which nothing new comes.
    pub(super) fn past(era: u32, me: Option<String>) -> Self {
        Log { me, epoch: None, era, next: Offset::MAX }
    }
}

fn log_of(db: &Connection, connection: ConnectionId) -> Result<Log> {
    let mut query =
        db.prepare_cached("SELECT me_id, log_epoch, era, next_offset FROM connection WHERE id = ?1")?;
    Ok(query.query_row([key(connection)], |row| {
        Ok(Log { me: row.get(0)?, epoch: row.get(1)?, era: row.get(2)?, next: row.get(3)? })
    })?)
}

/// Takes entries and the resume point in together. An empty batch says only that the era has entries: it stands for one
/// that had to be let go while the disk was full.
fn take_entries(
    db: &Connection,
    filters: &Filters,
    connection: ConnectionId,
    entries: &[Entry],
) -> Result<Taken> {
    let log = log_of(db, connection)?;
    db.prepare_cached("UPDATE connection SET era_has_entries = 1 WHERE id = ?1")?
        .execute([key(connection)])?;
    let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
        return Ok(Taken::Yes);
    };
    if first.offset == Offset(0) {
        return number_entries(db, filters, connection, log, entries);
    }
    let (Some(epoch), true) = (log.epoch, first.offset <= log.next) else {
        return Ok(Taken::Gap);
    };
    let next = log.next;
    let mut book = MessageWriter::new(db, connection, log, filters)?;
    for entry in entries {
        book.entry(entry)?;
    }
    book.save()?;
    if last.offset >= next {
        let resume = ResumePoint {
            epoch: Epoch(epoch.cast_unsigned()),
            offset: last.offset,
            id: last.draft.id,
            received: last.received,
        };
        set_resume(db, connection, resume)?;
    }
    outbox::passed_by(db, connection, saturated(last.offset.max(next.previous())))?;
    Ok(Taken::Yes)
}

/// A part of the log is not for us: what follows it follows what is on disk.
fn skip(db: &Connection, connection: ConnectionId, from: Offset, to: Offset) -> Result<Taken> {
    let skipped = db
        .prepare_cached(
            "UPDATE connection SET next_offset = max(next_offset, ?3) WHERE id = ?1 AND next_offset >= ?2",
        )?
        .execute(params![key(connection), int(from)?, int(to.next())?])?;
    Ok(if skipped > 0 { Taken::Yes } else { Taken::Gap })
}

/// Gives entries of a log that is numbered here their offsets, and takes them in.
fn number_entries(
    db: &Connection,
    filters: &Filters,
    connection: ConnectionId,
    log: Log,
    entries: &[Entry],
) -> Result<Taken> {
    let first = log.next.max(Offset(1));
    let mut book = MessageWriter::new(db, connection, log, filters)?;
    for (entry, offset) in entries.iter().zip((first.0..).map(Offset)) {
        book.entry(&Entry { offset, ..entry.clone() })?;
    }
    book.save()?;
    let next = first + entries.len() as u64;
    db.prepare_cached("UPDATE connection SET next_offset = ?2 WHERE id = ?1")?
        .execute(params![key(connection), int(next)?])?;
    Ok(Taken::Numbered(first))
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

fn read_marker(
    db: &Connection,
    filters: &Filters,
    connection: ConnectionId,
    name: &RoomId,
    offset: Offset,
) -> Result<()> {
    // A marker makes no room.
    if read::room_id(db, connection, name)?.is_none() {
        return Ok(());
    }
    let log = log_of(db, connection)?;
    let position = Position { era: log.era, offset };
    let mut book = MessageWriter::new(db, connection, log, filters)?;
    let room = book.room(name)?;
    let me = book.me;
    let my_name = book.my_name.clone();
    let room = &mut book.rooms[room];
    if position <= room.read {
        return Ok(());
    }
    let old = room.read;
    room.read = position;
    recount(db, room, me, my_name.as_deref(), old)?;
    book.save()
}

/// Everything after a place is to be unread.
fn mark_unread(
    db: &Connection,
    filters: &Filters,
    connection: ConnectionId,
    name: &RoomId,
    offset: Offset,
) -> Result<()> {
    if read::room_id(db, connection, name)?.is_none() {
        return Ok(());
    }
    let log = log_of(db, connection)?;
    let position = Position { era: log.era, offset };
    let mut book = MessageWriter::new(db, connection, log, filters)?;
    let room = book.room(name)?;
    let (me, my_name) = (book.me, book.my_name.clone());
    let room = &mut book.rooms[room];
    if position >= room.read {
        return Ok(());
    }
    let old = std::mem::replace(&mut room.read, position);
    // There may be mentions again.
    room.mentions = room.mentions.max(1);
    recount(db, room, me, my_name.as_deref(), old)?;
    book.save()
}

/// Counts what is unread in a room whose read position was another one before.
fn recount(
    db: &Connection,
    room: &mut RoomRow,
    me: Option<i64>,
    my_name: Option<&str>,
    old: Position,
) -> Result<()> {
    let (position, id) = (room.read, room.id);
    room.changed = true;
    if position >= room.newest {
        (room.unread, room.mentions) = (0, 0);
    } else {
        if room.mentions > 0 {
            room.mentions = count_mentions(db, id, position, me, my_name.unwrap_or(""))?;
        }
        room.unread = if position >= room.counted {
            counts::after(db, id, position, me)?
        } else {
            match count(db, id, position, None, me)? {
                Count::Exactly(number) => number,
                // Too many to count: what was counted before, less what has been read since.
                Count::AtLeast(number) => match count(db, id, old, Some(position), me)? {
                    Count::Exactly(read) => room.unread.saturating_sub(read).max(number),
                    Count::AtLeast(_) => number,
                },
            }
        };
    }
    Ok(())
}

/// Messages by others after a position that name the person. Looks at so many rows at most.
fn count_mentions(
    db: &Connection,
    room: i64,
    after: Position,
    me: Option<i64>,
    my_name: &str,
) -> Result<u64> {
    let mut query = db.prepare_cached(
        "SELECT body FROM message WHERE room = ?1 AND (era, offset) > (?2, ?3) AND sender IS NOT ?4
             AND NOT EXISTS (
                 SELECT 1 FROM thread_message WHERE thread_message.room = message.room
                     AND thread_message.era = message.era AND thread_message.offset = message.offset AND aside)
         ORDER BY era, offset LIMIT ?5",
    )?;
    let range = params![room, after.era, saturated(after.offset), me, saturated(COUNT_LIMIT)];
    let mut rows = query.query(range)?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        count += u64::from(row.get_ref(0)?.as_str().is_ok_and(|body| mentions(body, my_name)));
    }
    Ok(count)
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
    let others = (others as u64).saturating_sub(threads::asides(db, room, after, end, me)?);
    Ok(if rows < limit { Count::Exactly(others) } else { Count::AtLeast(others) })
}

/// Takes a page from the hub. It must lie next to what the disk holds, or there would be a hole; the hub is asked for
/// pages of rooms of which it may hold what the disk does not ([`read::HUB_MAY_HOLD_OLDER`]).
fn history(
    db: &Connection,
    filters: &Filters,
    connection: ConnectionId,
    name: &RoomId,
    (before, complete): (Offset, bool),
    entries: &[Entry],
) -> Result<()> {
    let log = log_of(db, connection)?;
    let era = log.era;
    let Some(room) = read::room_id(db, connection, name)? else { return Ok(()) };
    if !read::hub_may_hold_older(db, room)? {
        return Ok(());
    }
    let floor: i64 = db
        .prepare_cached(
            "SELECT coalesce(floor, era_from) FROM room JOIN connection ON connection.id = room.connection
             WHERE room.id = ?1",
        )?
        .query_row([room], |row| row.get(0))?;
    if saturated(before) < floor {
        return Ok(());
    }
    let mut book = MessageWriter::new(db, connection, log, filters)?;
    let mut lowest = floor;
    let mut start = complete;
    // The newest first: what changes a message waits for it, and is applied in the order of the log.
    for entry in entries.iter().rev().filter(|entry| entry.draft.room == *name && entry.offset < before) {
        lowest = lowest.min(int(entry.offset)?);
        match &entry.draft.content {
            Content::Text { .. } => book.old_message(entry)?,
            Content::Room { .. } => {
                start = true;
                book.keep_json_of_room(entry)?;
            }
            Content::RoomChange { .. } | Content::Member { .. } => book.event(entry)?,
            Content::Unknown(_) => book.keep_json(entry)?,
            Content::Edit { .. }
            | Content::Delete { .. }
            | Content::Reaction { .. }
            | Content::Pin { .. } => book.change(entry)?,
        }
    }
    book.save()?;
    // Messages of a hole may be newer than any that were here.
    db.prepare_cached(
        "UPDATE room SET floor = ?2, start_known = start_known OR ?3,
             hole_offset = CASE WHEN hole_era <> ?4 THEN hole_offset WHEN ?3 THEN 0 ELSE ?2 END,
             hole_era = CASE WHEN hole_era = ?4 AND ?3 THEN 0 ELSE hole_era END
         WHERE id = ?1",
    )?
    .execute(params![room, lowest, start, era])?;
    Ok(())
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
        db.execute("DELETE FROM room_count WHERE room = ?1", [room])?;
        changes::purge(db, room)?;
        events::purge(db, room)?;
        threads::purge(db, room)?;
        db.execute("DELETE FROM purge WHERE room = ?1", [room])?;
    }
    Ok(true)
}

/// The server knows this room, which is called so from now on.
pub(super) fn name_room(
    db: &Connection,
    connection: ConnectionId,
    room: &RoomId,
    name: &RoomName,
) -> Result<()> {
    let id = room_id(db, connection, room)?;
    db.prepare_cached("UPDATE room SET name = ?2, unmade = 0 WHERE id = ?1 AND (name <> ?2 OR unmade)")?
        .execute(params![id, name.as_str()])?;
    Ok(())
}

pub(super) fn room_id(db: &Connection, connection: ConnectionId, room: &RoomId) -> Result<i64> {
    if let Some(id) = read::room_id(db, connection, room)? {
        return Ok(id);
    }
    db.prepare_cached("INSERT INTO room (connection, uid, name) VALUES (?1, ?2, ?3)")?.execute(params![
        key(connection),
        room.as_str(),
        RoomName::of_id(room).as_str()
    ])?;
    Ok(db.last_insert_rowid())
}

/// A connection's id as SQLite holds it, bit by bit.
pub(super) fn key(connection: ConnectionId) -> i64 {
    connection.0.cast_signed()
}
