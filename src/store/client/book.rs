//! [`Book`]: a connection's messages while some are being taken in, each in its one place.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};

use super::super::error::{StoreError, int, saturated, unsigned};
use super::changes;
use super::counts::{self, Counts};
use super::identity::{Filters, Rows};
use super::later;
use super::outbox;
use super::rooms;
use super::search::index;
use super::threads;
use super::write::{self, Log, key};
use crate::model::content::Content;
use crate::model::notices::mentions;
use crate::model::{ConnectionId, Entry, MessageId, Offset, Position, RoomId};

type Result<T> = std::result::Result<T, StoreError>;

/// A connection's messages while some are being taken in: senders and rooms are looked up once.
pub(super) struct MessageWriter<'a> {
    pub(super) db: &'a Connection,
    pub(super) connection: ConnectionId,
    pub(super) era: u32,
    /// Whether there are changes whose messages are not here yet.
    pub(super) is_waited: bool,
    /// Rows of messages that others of the same batch refer to.
    pub(super) found: HashMap<MessageId, i64>,
    my_id: Option<String>,
    pub(super) my_name: Option<String>,
    pub(super) me: Option<i64>,
    /// The first offset of this era that never came.
    next: Offset,
    pub(super) filters: &'a Filters,
    pub(super) rows: Rows,
    counts: Counts,
    numbering: index::Numbering,
    senders: HashMap<String, i64>,
    by_name: HashMap<RoomId, usize>,
    pub(super) rooms: Vec<RoomRow>,
}

pub(super) struct RoomRow {
    pub(super) id: i64,
    pub(super) newest: Position,
    pub(super) read: Position,
    pub(super) unread: u64,
    pub(super) mentions: u64,
    /// From where on its messages are counted.
    pub(super) counted: Position,
    pub(super) start_known: bool,
    /// Whether it is a direct message that was put out of sight.
    pub(super) is_hidden: bool,
    pub(super) changed: bool,
}

impl<'a> MessageWriter<'a> {
    pub(super) fn new(
        db: &'a Connection,
        connection: ConnectionId,
        log: Log,
        filters: &'a Filters,
    ) -> Result<Self> {
        let mut book = MessageWriter {
            db,
            connection,
            era: log.era,
            is_waited: changes::is_waited(db, connection)?,
            found: HashMap::new(),
            my_id: log.me,
            my_name: None,
            me: None,
            next: log.next,
            filters,
            rows: Rows::new(db)?,
            counts: Counts::default(),
            numbering: index::Numbering::new(db)?,
            senders: HashMap::new(),
            by_name: HashMap::new(),
            rooms: Vec::new(),
        };
        if let Some(my_id) = book.my_id.clone() {
            book.me = Some(book.sender(&my_id)?);
            let mut query = db.prepare_cached("SELECT me_name FROM connection WHERE id = ?1")?;
            book.my_name = query.query_row([key(connection)], |row| row.get(0))?;
        }
        Ok(book)
    }

    pub(super) fn entry(&mut self, entry: &Entry) -> Result<()> {
        let mine = self.my_id.as_ref() == Some(&entry.sender.id.0);
        if mine {
            outbox::unqueue(self.db, self.connection, entry.draft.id)?;
        }
        match &entry.draft.content {
            Content::Edit { .. }
            | Content::Delete { .. }
            | Content::Reaction { .. }
            | Content::Pin { .. } => self.change(entry)?,
            Content::Unknown(_) => self.keep_json(entry)?,
            Content::Room { .. } => {
                rooms::made(self.db, self.connection, entry)?;
                self.keep_json_of_room(entry)?;
                let room = self.room(&entry.draft.room)?;
                let room = &mut self.rooms[room];
                room.start_known = true;
                room.changed = true;
            }
            Content::RoomChange { .. } | Content::Member { .. } => {
                rooms::changed(self.db, self.connection, entry)?;
                self.event(entry)?;
                // Whether it is in sight may be another now.
                let room = self.room(&entry.draft.room)?;
                self.rooms[room].is_hidden = true;
                if rooms::has_hole_before(self.db, self.connection, entry)? {
                    self.joined(entry)?;
                }
            }
            Content::Text { body, .. } => {
                let position = Position { era: self.era, offset: entry.offset };
                let room = self.room(&entry.draft.room)?;
                let place = self.put(entry, room)?;
                if self.rooms[room].is_hidden {
                    rooms::bring_back(self.db, self.connection, &entry.draft.room, entry.offset)?;
                }
                let counted = matches!(place, Place::Moved { unread: true });
                self.replied(entry, room, counted)?;
                let room = &mut self.rooms[room];
                if entry.draft.content.is_aside() || position <= room.newest {
                    return Ok(());
                }
                room.newest = position;
                room.changed = true;
                if !mine && !counted && position > room.read {
                    room.unread += 1;
                    room.mentions += u64::from(self.my_name.as_ref().is_some_and(|me| mentions(body, me)));
                }
            }
        }
        Ok(())
    }

    /// The person becomes a member of a room: what came before was not for them. It is history, and as good as read.
    fn joined(&mut self, entry: &Entry) -> Result<()> {
        let position = Position { era: self.era, offset: entry.offset };
        let room = self.room(&entry.draft.room)?;
        let room = &mut self.rooms[room];
        room.read = room.read.max(position);
        if room.newest <= room.read {
            (room.unread, room.mentions) = (0, 0);
        }
        (room.start_known, room.changed) = (false, true);
        self.db
            .prepare_cached("UPDATE room SET floor = ?2, hole_era = ?3, hole_offset = ?2 WHERE id = ?1")?
            .execute(params![room.id, int(entry.offset)?, self.era])?;
        Ok(())
    }

    /// Keeps an entry that is not understood as it came: a later version may.
    pub(super) fn keep_json(&self, entry: &Entry) -> Result<()> {
        later::keep(self.db, self.connection, self.era, entry)
    }

    /// The same of one that made a room, where it says more than that.
    pub(super) fn keep_json_of_room(&self, entry: &Entry) -> Result<()> {
        if entry.draft.content.extra().is_empty() { Ok(()) } else { self.keep_json(entry) }
    }

    /// A message of a kind that was not known when it came: it may have newer ones behind it, and counts like them.
    pub(super) fn late_message(&mut self, entry: &Entry) -> Result<()> {
        let mine = self.my_id.as_ref() == Some(&entry.sender.id.0);
        let position = Position { era: self.era, offset: entry.offset };
        let room = self.room(&entry.draft.room)?;
        if !matches!(self.put(entry, room)?, Place::New) {
            return Ok(());
        }
        self.replied(entry, room, false)?;
        if entry.draft.content.is_aside() {
            return Ok(());
        }
        let names_me = self.my_name.as_ref().is_some_and(|me| mentions(entry.draft.content.body(), me));
        let room = &mut self.rooms[room];
        room.changed = true;
        room.newest = room.newest.max(position);
        if !mine && position > room.read {
            room.unread += 1;
            room.mentions += u64::from(names_me);
        }
        Ok(())
    }

    /// One of a page of history: it is read or not as it is, and never the newest.
    pub(super) fn old_message(&mut self, entry: &Entry) -> Result<()> {
        let room = self.room(&entry.draft.room)?;
        self.put(entry, room)?;
        // What lies before all that was replayed counts as read.
        self.replied(entry, room, true)
    }

    /// Puts a message in its place. One that another log holds too (a new epoch) leaves its old place.
    fn put(&mut self, entry: &Entry, room: usize) -> Result<Place> {
        let sender = self.sender(&entry.sender.id.0)?;
        let position = Position { era: self.era, offset: entry.offset };
        let RoomRow { id: room, newest, read, .. } = self.rooms[room];
        // Nothing was ever at a place beyond the newest.
        let is_free = position > newest && entry.offset >= self.next;
        let find =
            |book: &Self, is_new| book.rows.find(book.db, book.filters, sender, entry.draft.id, is_new);
        let mut known = find(self, is_free)?;
        if is_free && known.is_none() {
            if self.insert(entry, room, sender)? {
                return Ok(Place::New);
            }
            known = find(self, false)?;
        }
        let mut place = Place::New;
        if let Some(known) = known {
            if (known.room, known.position) == (room, position) {
                return Ok(Place::Known);
            }
            let unread = known.room == room && known.position > read && Some(sender) != self.me;
            self.db.prepare_cached("DELETE FROM message WHERE rowid = ?1")?.execute([known.row])?;
            changes::leave(self.db, known.room, known.position)?;
            if !threads::is_aside(self.db, known.room, known.position)? {
                self.count(known.room, known.position, sender, -1)?;
            }
            threads::leave(self.db, known.room, known.position)?;
            place = Place::Moved { unread };
        }
        self.clear(room, position)?;
        self.insert(entry, room, sender)?;
        Ok(place)
    }

    /// Deletes what is at a place.
    fn clear(&mut self, room: i64, position: Position) -> Result<()> {
        let place = params![room, position.era, int(position.offset)?];
        let mut query = self
            .db
            .prepare_cached("SELECT sender FROM message WHERE room = ?1 AND era = ?2 AND offset = ?3")?;
        let senders: Vec<i64> =
            query.query_map(place, |row| row.get(0))?.collect::<std::result::Result<_, _>>()?;
        let counts = !senders.is_empty() && !threads::is_aside(self.db, room, position)?;
        for sender in senders.iter().filter(|_| counts) {
            self.count(room, position, *sender, -1)?;
        }
        if !senders.is_empty() {
            threads::leave(self.db, room, position)?;
            changes::leave(self.db, room, position)?;
            self.db
                .prepare_cached("DELETE FROM message WHERE room = ?1 AND era = ?2 AND offset = ?3")?
                .execute(place)?;
        }
        Ok(())
    }

    /// Writes a message. Returns false, and changes nothing, if one of this id was written a short while ago.
    fn insert(&mut self, entry: &Entry, room: i64, sender: i64) -> Result<bool> {
        let (row, id) = self.rows.next(entry.draft.id);
        let inserted = self
            .db
            .prepare_cached(
                "INSERT INTO message (rowid, room, era, offset, sender, sender_name, id, at, received, body, extra)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT (sender, id) DO NOTHING",
            )?
            .execute(params![
                row,
                room,
                self.era,
                int(entry.offset)?,
                sender,
                entry.sender.name,
                id,
                entry.draft.at,
                entry.received,
                entry.draft.content.body(),
                entry.draft.content.extra().json()
            ])?;
        if inserted == 0 {
            return Ok(false);
        }
        self.rows.advance();
        self.numbering.keep_author(self.db, sender, &entry.sender.name)?;
        self.numbering.enter(self.db, row, entry.received)?;
        threads::put(self.db, room, self.era, sender, entry)?;
        if !entry.draft.content.is_aside() {
            self.count(room, Position { era: self.era, offset: entry.offset }, sender, 1)?;
        }
        if self.is_waited {
            self.arrived(entry.draft.id, row)?;
        }
        if entry.draft.content.thread().is_some() {
            self.count_reply(entry)?;
        }
        Ok(true)
    }

    /// A message comes to a place (1) or leaves it (-1).
    fn count(&mut self, room: i64, position: Position, sender: i64, change: i64) -> Result<()> {
        if Some(sender) == self.me {
            return Ok(());
        }
        let loaded = self.rooms.iter().find(|row| row.id == room).map(|row| row.counted);
        let counted = match loaded {
            Some(counted) => Some(counted),
            None => counts::counted(self.db, room)?,
        };
        if let Some(counted) = counted {
            self.counts.add(room, counted, position, change);
        }
        Ok(())
    }

    /// Whether somebody is the person.
    pub(super) fn is_mine(&self, principal: &str) -> bool {
        self.my_id.as_deref() == Some(principal)
    }

    pub(super) fn sender(&mut self, principal: &str) -> Result<i64> {
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

    pub(super) fn room(&mut self, name: &RoomId) -> Result<usize> {
        if let Some(index) = self.by_name.get(name) {
            return Ok(*index);
        }
        let id = write::room_id(self.db, self.connection, name)?;
        let mut find = self.db.prepare_cached(
            "SELECT newest_era, newest_offset, read_era, read_offset, unread, start_known, mentions,
                 counted_era, counted_offset,
                 coalesce(json_extract(info, '$.left') AND json_extract(info, '$.direct') IS NOT NULL, 0) FROM room
             WHERE id = ?1",
        )?;
        let row = find.query_row([id], |row| {
            Ok(RoomRow {
                id,
                newest: Position { era: row.get(0)?, offset: row.get(1)? },
                read: Position { era: row.get(2)?, offset: row.get(3)? },
                unread: unsigned(row.get(4)?),
                start_known: row.get(5)?,
                mentions: unsigned(row.get(6)?),
                counted: Position { era: row.get(7)?, offset: row.get(8)? },
                is_hidden: row.get(9)?,
                changed: false,
            })
        })?;
        self.rooms.push(row);
        self.by_name.insert(name.clone(), self.rooms.len() - 1);
        Ok(self.rooms.len() - 1)
    }

    /// Writes what the messages changed beside themselves.
    pub(super) fn save(&mut self) -> Result<()> {
        self.rows.save(self.db)?;
        self.counts.save(self.db)?;
        for room in self.rooms.iter().filter(|room| room.changed) {
            self.db
                .prepare_cached(
                    "UPDATE room SET newest_era = ?2, newest_offset = ?3, read_era = ?4, read_offset = ?5,
                         unread = ?6, start_known = ?7, mentions = ?8
                     WHERE id = ?1",
                )?
                .execute(params![
                    room.id,
                    room.newest.era,
                    int(room.newest.offset)?,
                    room.read.era,
                    saturated(room.read.offset),
                    saturated(room.unread),
                    room.start_known,
                    saturated(room.mentions)
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
