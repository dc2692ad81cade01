//! What changes messages: applied to the messages that are here, kept for those that are not. Mirrors what the model does
//! (`model::change`).
//!
//! - `message_change`: by the place of a message, what came to it since it was written. A page reads those of its range at
//!   once; most messages have none. `message.body` is the current text, so that searches find it.
//! - `message_revision`: each text that an edited message ever had.
//! - `waiting_change`: entries whose message is not here yet.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::super::error::{StoreError, int, saturated};
use super::book::MessageWriter;
use super::identity::StoredId;
use super::search::index;
use super::write::key;
use crate::model::change::{Changes, Quote, Replies};
use crate::model::content::{Content, Extra};
use crate::model::time::WallMs;
use crate::model::{ConnectionId, Entry, Message, MessageId, Offset, Position, PrincipalId, Sender};

type Result<T> = std::result::Result<T, StoreError>;

/// Maximum number of eras of a connection in which a place is looked for, the newest first.
const MAX_ERAS: u32 = 64;
/// Maximum number of people among whose messages one is looked for of which the server doesn't say where it is.
const MAX_SENDERS: u32 = 64;

/// A message of this database.
struct Target {
    row: i64,
    room: i64,
    message: Message,
}

/// Whether a connection has changes whose messages are not here.
pub(super) fn is_waited(db: &Connection, connection: ConnectionId) -> Result<bool> {
    let mut query =
        db.prepare_cached("SELECT EXISTS (SELECT 1 FROM waiting_change WHERE connection = ?1)")?;
    Ok(query.query_row([key(connection)], |row| row.get(0))?)
}

impl MessageWriter<'_> {
    /// Takes in an entry that changes a message. Until that is here, the entry waits.
    pub(super) fn change(&mut self, entry: &Entry) -> Result<()> {
        let place = Position { era: self.era, offset: entry.offset };
        let Some(id) = entry.draft.content.target() else { return Ok(()) };
        match self.target(entry, id)? {
            Some(target) => apply(self.db, target, entry, place),
            None => self.wait(entry, id, place),
        }
    }

    /// Counts a message at the first one of its thread.
    pub(super) fn count_reply(&mut self, entry: &Entry) -> Result<()> {
        let Some(root) = entry.draft.content.thread() else { return Ok(()) };
        let place = Position { era: self.era, offset: entry.offset };
        match self.target(entry, root)? {
            Some(target) => reply(self.db, &target, place),
            None => self.wait(entry, root, place),
        }
    }

    /// A message came: what waited for it is applied, in the order of the log.
    pub(super) fn arrived(&mut self, id: MessageId, row: i64) -> Result<()> {
        let mut query = self.db.prepare_cached(
            "SELECT era, offset, json FROM waiting_change WHERE connection = ?1 AND target = ?2 ORDER BY era, offset",
        )?;
        let mut rows = query.query(params![key(self.connection), id.0.as_bytes()])?;
        let mut waiting = Vec::new();
        while let Some(row) = rows.next()? {
            let place = Position { era: row.get(0)?, offset: row.get(1)? };
            // One that can't be read changes nothing.
            if let Ok(entry) = serde_json::from_str::<Entry>(row.get_ref(2)?.as_str().unwrap_or_default()) {
                waiting.push((place, entry));
            }
        }
        drop(rows);
        if waiting.is_empty() {
            return Ok(());
        }
        for (place, entry) in &waiting {
            let Some(target) = at_row(self.db, row)? else { break };
            match entry.draft.content.target() {
                Some(_) => apply(self.db, target, entry, *place)?,
                None => reply(self.db, &target, *place)?,
            }
        }
        self.db
            .prepare_cached("DELETE FROM waiting_change WHERE connection = ?1 AND target = ?2")?
            .execute(params![key(self.connection), id.0.as_bytes()])?;
        Ok(())
    }

    fn wait(&mut self, entry: &Entry, target: MessageId, place: Position) -> Result<()> {
        if let Content::Delete { .. } = entry.draft.content {
            // What it was edited to is not kept any longer.
            self.db
                .prepare_cached("DELETE FROM waiting_change WHERE connection = ?1 AND target = ?2")?
                .execute(params![key(self.connection), target.0.as_bytes()])?;
        }
        // A message of a thread is kept elsewhere: only its place is of interest.
        let mut kept = entry.clone();
        if kept.draft.content.is_text() {
            kept.draft.content = kept.draft.content.deleted(None);
        }
        let json = serde_json::to_string(&kept).map_err(|error| StoreError::Nonsense(error.to_string()))?;
        self.db
            .prepare_cached(
                "INSERT OR REPLACE INTO waiting_change (connection, target, era, offset, json)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![
                key(self.connection),
                target.0.as_bytes(),
                place.era,
                int(place.offset)?,
                json
            ])?;
        self.is_waited = true;
        Ok(())
    }

    /// Who sent the message that an entry names, if it is here.
    pub(super) fn sender_of(&mut self, entry: &Entry, id: MessageId) -> Result<Option<String>> {
        Ok(self.target(entry, id)?.map(|target| target.message.sender.id.0))
    }

    /// The message of the same room that an entry names.
    fn target(&mut self, entry: &Entry, id: MessageId) -> Result<Option<Target>> {
        let room = self.room(&entry.draft.room)?;
        let room = self.rooms[room].id;
        let content = &entry.draft.content;
        let is_there = content.target() == Some(id) || content.reply_to() == Some(id);
        if let Some(offset) = content.target_offset().filter(|_| is_there) {
            return at_offset(self.db, room, self.era, offset, id);
        }
        let found = match self.found.get(&id) {
            Some(row) => at_row(self.db, *row)?.filter(|target| target.message.id == id),
            None => self.search_target(entry, id)?,
        };
        let found = found.filter(|target| target.room == room);
        if let Some(target) = &found {
            self.found.insert(id, target.row);
        }
        Ok(found)
    }

    /// Looks among everybody's messages: the server didn't say where it is.
    fn search_target(&mut self, entry: &Entry, id: MessageId) -> Result<Option<Target>> {
        let author = self.sender(&entry.sender.id.0)?;
        let mut query =
            self.db.prepare_cached("SELECT id FROM sender WHERE connection = ?1 AND id <> ?2 LIMIT ?3")?;
        let others = query.query_map(params![key(self.connection), author, MAX_SENDERS], |row| row.get(0))?;
        let mut senders = vec![author];
        if !matches!(entry.draft.content, Content::Edit { .. }) {
            senders.extend(others.collect::<std::result::Result<Vec<i64>, _>>()?);
        }
        for sender in senders {
            if let Some(found) = self.rows.find(self.db, self.filters, sender, id, false)? {
                return at_row(self.db, found.row);
            }
        }
        Ok(None)
    }
}

/// The message of this id at an offset, in the newest era that has it there.
fn at_offset(db: &Connection, room: i64, era: u32, offset: Offset, id: MessageId) -> Result<Option<Target>> {
    let mut query =
        db.prepare_cached("SELECT rowid, id FROM message WHERE room = ?1 AND era = ?2 AND offset = ?3")?;
    for era in (1..=era).rev().take(MAX_ERAS as usize) {
        let found: Option<(i64, StoredId)> = query
            .query_row(params![room, era, saturated(offset)], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        if let Some((row, _)) = found.filter(|(_, stored)| stored.0 == id) {
            return at_row(db, row);
        }
    }
    Ok(None)
}

fn at_row(db: &Connection, row: i64) -> Result<Option<Target>> {
    let mut query = db.prepare_cached(
        "SELECT era, offset, message.id, principal, sender_name, at, received, body, extra, room
         FROM message JOIN sender ON sender.id = message.sender WHERE message.rowid = ?1",
    )?;
    let found = query.query_row([row], |found| Ok((message(found)?, found.get(9)?))).optional()?;
    let Some((mut message, room)) = found else { return Ok(None) };
    if let Some(known) = known(db, room, message.position)? {
        message.changes = Some(Box::new(known));
    }
    Ok(Some(Target { row, room, message }))
}

/// A message from the columns that every query of messages begins with.
pub(super) fn message(row: &Row<'_>) -> rusqlite::Result<Message> {
    let extra = row.get_ref(8)?.as_str().map(Extra::from_json).unwrap_or_default();
    let mut content = Content::Text { body: row.get(7)?, extra };
    let position = Position { era: row.get(0)?, offset: row.get(1)? };
    // It was deleted before it came here.
    let deleted = content.take_deleted();
    Ok(Message {
        position,
        id: row.get::<_, StoredId>(2)?.0,
        sender: Sender { id: PrincipalId(row.get(3)?), name: row.get(4)? },
        at: row.get(5)?,
        received: row.get(6)?,
        content,
        changes: deleted.map(|(by, at)| Box::new(Changes::deleted(by, at, position))),
        quote: None,
        replies: Replies::default(),
        live: false,
    })
}

fn known(db: &Connection, room: i64, position: Position) -> Result<Option<Changes>> {
    let mut query =
        db.prepare_cached("SELECT changes FROM message_change WHERE room = ?1 AND era = ?2 AND offset = ?3")?;
    let json: Option<String> = query
        .query_row(params![room, position.era, saturated(position.offset)], |row| row.get(0))
        .optional()?;
    Ok(json.and_then(|json| parse(&json)))
}

fn parse(json: &str) -> Option<Changes> {
    serde_json::from_str(json).ok().filter(|changes| *changes != Changes::default())
}

fn apply(db: &Connection, target: Target, entry: &Entry, place: Position) -> Result<()> {
    let Target { row, room, mut message } = target;
    let (before, was_deleted) = (message.body().to_owned(), message.is_deleted());
    if let Content::Edit { body, .. } = &entry.draft.content
        && place > message.position
        && entry.sender.id == message.sender.id
        && !was_deleted
    {
        keep_revision(db, room, message.position, message.position, message.received, &before)?;
        keep_revision(db, room, message.position, place, entry.received, body)?;
    }
    if !message.change(entry, place) {
        return Ok(());
    }
    let changes = message.changes.clone().unwrap_or_default();
    let json = serde_json::to_string(&changes).map_err(|error| StoreError::Nonsense(error.to_string()))?;
    db.prepare_cached(
        "INSERT INTO message_change (room, era, offset, changes, pinned) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO UPDATE SET changes = excluded.changes, pinned = excluded.pinned",
    )?
    .execute(params![
        room,
        message.position.era,
        int(message.position.offset)?,
        json,
        message.pinned().is_some()
    ])?;
    if message.body() != before || message.is_deleted() != was_deleted {
        db.prepare_cached("UPDATE message SET body = ?2, extra = ?3 WHERE rowid = ?1")?.execute(params![
            row,
            message.body(),
            message.content.extra().json()
        ])?;
        index::changed(db, row)?;
    }
    if message.is_deleted() {
        forget_revisions(db, room, message.position)?;
    }
    Ok(())
}

/// The first text of a message is kept with the message's own place.
fn keep_revision(
    db: &Connection,
    room: i64,
    of: Position,
    by: Position,
    received: WallMs,
    body: &str,
) -> Result<()> {
    db.prepare_cached(
        "INSERT OR IGNORE INTO message_revision (room, era, offset, by_era, by_offset, received, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![room, of.era, int(of.offset)?, by.era, int(by.offset)?, received, body])?;
    Ok(())
}

fn forget_revisions(db: &Connection, room: i64, position: Position) -> Result<()> {
    db.prepare_cached("DELETE FROM message_revision WHERE room = ?1 AND era = ?2 AND offset = ?3")?
        .execute(params![room, position.era, int(position.offset)?])?;
    Ok(())
}

fn reply(db: &Connection, root: &Target, place: Position) -> Result<()> {
    let of = root.message.position;
    if place <= of {
        return Ok(());
    }
    db.prepare_cached(
        "INSERT INTO message_change (room, era, offset, changes, replies, reply_era, reply_offset)
         VALUES (?1, ?2, ?3, '{}', 1, ?4, ?5)
         ON CONFLICT DO UPDATE SET replies = replies + 1,
             reply_era = excluded.reply_era, reply_offset = excluded.reply_offset
         WHERE (reply_era, reply_offset) < (excluded.reply_era, excluded.reply_offset)",
    )?
    .execute(params![root.room, of.era, int(of.offset)?, place.era, int(place.offset)?])?;
    Ok(())
}

/// A message leaves a place: with another log its changes come again.
pub(super) fn leave(db: &Connection, room: i64, position: Position) -> Result<()> {
    db.prepare_cached("DELETE FROM message_change WHERE room = ?1 AND era = ?2 AND offset = ?3")?
        .execute(params![room, position.era, int(position.offset)?])?;
    forget_revisions(db, room, position)
}

/// A removed room's changes go with the last of its messages.
pub(super) fn purge(db: &Connection, room: i64) -> Result<()> {
    db.execute("DELETE FROM message_change WHERE room = ?1", [room])?;
    db.execute("DELETE FROM message_revision WHERE room = ?1", [room])?;
    Ok(())
}

/// Adds to the messages of a page, oldest first, what came to them, and what they reply to.
pub(super) fn fill(db: &Connection, room: i64, messages: &mut [Message]) -> Result<()> {
    let (Some(first), Some(last)) = (messages.first(), messages.last()) else { return Ok(()) };
    let (from, to) = (first.position, last.position);
    let mut query = db.prepare_cached(
        "SELECT era, offset, changes, replies, reply_era, reply_offset FROM message_change
         WHERE room = ?1 AND (era, offset) >= (?2, ?3) AND (era, offset) <= (?4, ?5)",
    )?;
    let mut rows =
        query.query(params![room, from.era, saturated(from.offset), to.era, saturated(to.offset)])?;
    while let Some(row) = rows.next()? {
        let position = Position { era: row.get(0)?, offset: row.get(1)? };
        let Ok(index) = messages.binary_search_by_key(&position, |message| message.position) else {
            continue;
        };
        if let Some(changes) = parse(row.get_ref(2)?.as_str().unwrap_or_default()) {
            messages[index].changes = Some(Box::new(changes));
        }
        let newest = Position { era: row.get(4)?, offset: row.get(5)? };
        messages[index].replies = Replies { count: row.get(3)?, newest };
    }
    drop(rows);
    quote(db, room, messages)
}

/// What the messages of a page reply to, each looked up by its place.
fn quote(db: &Connection, room: i64, messages: &mut [Message]) -> Result<()> {
    let mut quotes: HashMap<MessageId, Option<Quote>> = HashMap::new();
    let here: HashMap<MessageId, usize> = match messages.iter().any(|one| one.content.reply_to().is_some()) {
        true => messages.iter().enumerate().map(|(index, message)| (message.id, index)).collect(),
        false => return Ok(()),
    };
    for index in 0..messages.len() {
        let message = &messages[index];
        let Some(id) = message.content.reply_to().filter(|_| !message.is_deleted()) else { continue };
        let quoted = match (here.get(&id), quotes.get(&id), message.content.target_offset()) {
            (Some(quoted), ..) => Some(Quote::of(&messages[*quoted])),
            (_, Some(known), _) => known.clone(),
            (_, None, Some(offset)) => {
                let target = at_offset(db, room, message.position.era, offset, id)?;
                let quoted = target.map(|target| Quote::of(&target.message));
                quotes.insert(id, quoted.clone());
                quoted
            }
            (_, None, None) => None,
        };
        messages[index].quote = quoted.map(Box::new);
    }
    Ok(())
}
