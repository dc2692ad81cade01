//! Threads: which messages are replies in one, and what the person has read of each. A reply is shown in its thread, and in
//! its room only where it says so (`Content::is_aside`).
//!
//! - `thread_message`: the place of each reply, by the thread's first message.
//! - `thread`: what is known of a thread beside its messages. Mirrors `model::thread`.

use crate::store::client::Offset;
use rusqlite::{Connection, OptionalExtension, params};

use super::super::error::{StoreError, int, saturated, unsigned};
use super::book::MessageWriter;
use super::lookup::{message_at, position};
use super::write::key;
use super::{changes, read};
use crate::model::event::{Page, StoredThread};
use crate::model::lookup::{MAX_LISTED_THREADS, ThreadLine};
use crate::model::notices::mentions;
use crate::model::thread::{MAX_THREADS, Thread};
use crate::model::{ConnectionId, Entry, MessageId, Position, RoomId};

type Result<T> = std::result::Result<T, StoreError>;

fn id_of(bytes: [u8; 16]) -> MessageId {
    MessageId(uuid::Uuid::from_bytes(bytes))
}

/// Writes down where a reply is.
pub(super) fn put(db: &Connection, room: i64, era: u32, sender: i64, entry: &Entry) -> Result<()> {
    let Some(root) = entry.draft.content.thread() else { return Ok(()) };
    db.prepare_cached(
        "INSERT OR REPLACE INTO thread_message (room, era, offset, root, sender, aside) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        room,
        era,
        int(entry.offset)?,
        root.0.as_bytes(),
        sender,
        entry.draft.content.is_aside()
    ])?;
    Ok(())
}

/// Whether what is at a place is shown in its thread alone.
pub(super) fn is_aside(db: &Connection, room: i64, at: Position) -> Result<bool> {
    let mut query =
        db.prepare_cached("SELECT aside FROM thread_message WHERE room = ?1 AND era = ?2 AND offset = ?3")?;
    let aside = query.query_row(params![room, at.era, saturated(at.offset)], |row| row.get(0)).optional()?;
    Ok(aside.unwrap_or(false))
}

/// The thread that alone shows what is at a place.
pub(super) fn root_of(db: &Connection, room: i64, at: Position) -> Result<Option<MessageId>> {
    let mut query = db.prepare_cached(
        "SELECT root FROM thread_message WHERE room = ?1 AND era = ?2 AND offset = ?3 AND aside",
    )?;
    let root = query.query_row(params![room, at.era, saturated(at.offset)], |row| row.get::<_, [u8; 16]>(0));
    Ok(root.optional()?.map(id_of))
}

/// A message leaves a place.
pub(super) fn leave(db: &Connection, room: i64, at: Position) -> Result<()> {
    db.prepare_cached("DELETE FROM thread_message WHERE room = ?1 AND era = ?2 AND offset = ?3")?
        .execute(params![room, at.era, int(at.offset)?])?;
    Ok(())
}

/// How many replies by others that are shown in threads alone lie after a position, and not beyond another.
pub(super) fn asides(
    db: &Connection,
    room: i64,
    after: Position,
    to: Position,
    me: Option<i64>,
) -> Result<u64> {
    let mut query = db.prepare_cached(
        "SELECT count(*) FROM thread_message
         WHERE room = ?1 AND (era, offset) > (?2, ?3) AND (era, offset) <= (?4, ?5) AND aside AND sender IS NOT ?6",
    )?;
    let range = params![room, after.era, saturated(after.offset), to.era, saturated(to.offset), me];
    Ok(unsigned(query.query_row(range, |row| row.get(0))?))
}

impl MessageWriter<'_> {
    /// A reply came: what is known of its thread. `counted`: it counted as unread where it was before.
    pub(super) fn replied(&mut self, entry: &Entry, room: usize, counted: bool) -> Result<()> {
        let Some(root) = entry.draft.content.thread() else { return Ok(()) };
        let place = Position { era: self.era, offset: entry.offset };
        let (row, room_read) = (self.rooms[room].id, self.rooms[room].read);
        let mine = self.is_mine(&entry.sender.id.0);
        let names_me =
            self.my_name.as_ref().is_some_and(|me| !mine && mentions(entry.draft.content.body(), me));
        let mut thread = get(self.db, row, root)?.unwrap_or_default();
        if !thread.followed && !mine && !names_me {
            thread.followed = self.is_root_mine(entry, root)?;
        }
        thread.replied(place, room_read, (mine, names_me), counted);
        save(self.db, row, root, &thread)
    }

    fn is_root_mine(&mut self, entry: &Entry, root: MessageId) -> Result<bool> {
        Ok(self.sender_of(entry, root)?.is_some_and(|sender| self.is_mine(&sender)))
    }
}

/// What is known of a thread.
pub(super) fn get(db: &Connection, room: i64, root: MessageId) -> Result<Option<Thread>> {
    let mut query = db.prepare_cached(
        "SELECT newest_era, newest_offset, read_era, read_offset, unread, mentions, followed, draft, draft_reply
         FROM thread WHERE room = ?1 AND root = ?2",
    )?;
    Ok(query.query_row(params![room, root.0.as_bytes()], |row| thread(row, 0)).optional()?)
}

fn thread(row: &rusqlite::Row<'_>, first: usize) -> rusqlite::Result<Thread> {
    Ok(Thread {
        newest: position(row, first)?,
        read: position(row, first + 2)?,
        unread: unsigned(row.get(first + 4)?),
        mentions: unsigned(row.get(first + 5)?),
        followed: row.get(first + 6)?,
        draft: row.get(first + 7)?,
        draft_reply: row.get::<_, Option<[u8; 16]>>(first + 8)?.map(id_of),
        ..Thread::default()
    })
}

fn save(db: &Connection, room: i64, root: MessageId, thread: &Thread) -> Result<()> {
    db.prepare_cached(
        "INSERT OR REPLACE INTO thread (room, root, newest_era, newest_offset, read_era, read_offset, unread, mentions,
             followed, draft, draft_reply)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?
    .execute(params![
        room,
        root.0.as_bytes(),
        thread.newest.era,
        saturated(thread.newest.offset),
        thread.read.era,
        saturated(thread.read.offset),
        saturated(thread.unread),
        saturated(thread.mentions),
        thread.followed,
        thread.draft,
        thread.draft_reply.map(|id| *id.0.as_bytes())
    ])?;
    Ok(())
}

/// The person has read a thread up to a position.
pub(super) fn seen(
    db: &Connection,
    connection: ConnectionId,
    room: &RoomId,
    root: MessageId,
    to: Position,
) -> Result<()> {
    let Some(row) = read::room_id(db, connection, room)? else { return Ok(()) };
    let Some(mut thread) = get(db, row, root)? else { return Ok(()) };
    thread.seen(to);
    save(db, row, root, &thread)
}

/// What is typed into a thread and not sent, and which message it replies to.
pub(super) fn draft(
    db: &Connection,
    connection: ConnectionId,
    room: &RoomId,
    root: MessageId,
    text: &str,
    reply: Option<MessageId>,
) -> Result<()> {
    let Some(row) = read::room_id(db, connection, room)? else { return Ok(()) };
    let mut thread = get(db, row, root)?.unwrap_or_default();
    text.clone_into(&mut thread.draft);
    thread.draft_reply = reply;
    save(db, row, root, &thread)
}

/// The threads that a start needs to know: those with something unread or typed, and those that the person takes part in.
pub(super) fn load(db: &Connection, connection: ConnectionId) -> Result<Vec<StoredThread>> {
    let mut query = db.prepare_cached(
        "SELECT uid, root, thread.newest_era, thread.newest_offset, thread.read_era, thread.read_offset,
             thread.unread, thread.mentions, followed, thread.draft, thread.draft_reply
         FROM thread JOIN room ON room.id = thread.room
         WHERE connection = ?1 AND (thread.unread > 0 OR followed OR thread.draft <> '')
         ORDER BY thread.newest_era DESC, thread.newest_offset DESC LIMIT ?2",
    )?;
    let mut rows = query.query(params![key(connection), MAX_THREADS as i64])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let room = read::room_uid(row.get(0)?)?;
        all.push(StoredThread { room, root: id_of(row.get(1)?), thread: thread(row, 2)? });
    }
    Ok(all)
}

/// The newest messages of a thread before a position, or of all of it. Where there are no older replies, the thread's first
/// message is among them.
pub(super) fn page(
    db: &Connection,
    connection: ConnectionId,
    room: &RoomId,
    root: MessageId,
    before: Option<Position>,
    limit: u32,
) -> Result<Page> {
    let nothing =
        Page { messages: Vec::new(), older_on_disk: false, older_on_hub: false, newer_on_disk: false };
    let Some(row) = read::room_id(db, connection, room)? else { return Ok(nothing) };
    let before = before.unwrap_or(Position { era: u32::MAX, offset: Offset::MAX });
    let mut query = db.prepare_cached(
        "SELECT message.era, message.offset, message.id, principal, sender_name, at, received, body, extra
         FROM thread_message
         JOIN message ON message.room = thread_message.room AND message.era = thread_message.era
             AND message.offset = thread_message.offset
         JOIN sender ON sender.id = message.sender
         WHERE thread_message.room = ?1 AND root = ?2 AND (thread_message.era, thread_message.offset) < (?3, ?4)
         ORDER BY thread_message.era DESC, thread_message.offset DESC LIMIT ?5",
    )?;
    let range = params![row, root.0.as_bytes(), before.era, saturated(before.offset), i64::from(limit) + 1];
    let rows = query.query_map(range, changes::message)?;
    let mut messages = rows.collect::<std::result::Result<Vec<_>, _>>()?;
    let older_on_disk = messages.len() > limit as usize;
    messages.truncate(limit as usize);
    messages.reverse();
    changes::fill(db, row, &mut messages)?;
    let mut older_on_hub = false;
    if !older_on_disk {
        match read::find_message(db, connection, room, root)? {
            Some(at) if at < before => {
                let first = message_at(db, row, at)?;
                messages.splice(0..0, first);
            }
            Some(_) => {}
            None => older_on_hub = read::hub_may_hold_older(db, row)?,
        }
    }
    Ok(Page { messages, older_on_disk, older_on_hub, newer_on_disk: false })
}

/// The threads of a room, those first that were written in last.
pub(super) fn lines(
    db: &Connection,
    connection: ConnectionId,
    name: &RoomId,
    room: i64,
) -> Result<Vec<ThreadLine>> {
    let mut query = db.prepare_cached(
        "SELECT root, unread FROM thread WHERE room = ?1 AND newest_offset > 0
         ORDER BY newest_era DESC, newest_offset DESC LIMIT ?2",
    )?;
    let read = |row: &rusqlite::Row<'_>| Ok((id_of(row.get(0)?), unsigned(row.get(1)?)));
    let found = query.query_map(params![room, MAX_LISTED_THREADS], read)?;
    let found = found.collect::<std::result::Result<Vec<_>, _>>()?;
    let mut lines = Vec::with_capacity(found.len());
    for (root, unread) in found {
        let at = read::find_message(db, connection, name, root)?;
        let first = at.map(|at| message_at(db, room, at)).transpose()?.flatten();
        lines.push(ThreadLine { root, first, unread });
    }
    Ok(lines)
}

/// A removed room's threads go with the last of its messages.
pub(super) fn purge(db: &Connection, room: i64) -> Result<()> {
    db.execute("DELETE FROM thread_message WHERE room = ?1", [room])?;
    db.execute("DELETE FROM thread WHERE room = ?1", [room])?;
    Ok(())
}
