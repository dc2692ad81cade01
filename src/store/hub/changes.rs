//! What changes messages: whether it may, and what the hub keeps beside the log because of it. What a deleted message said,
//! in each of its versions, is in the database no more once the deletion is written.
//!
//! - `entry.target`: the offset of the message that an entry changes or replies to.
//! - `reaction`, `pinned`: what stands, so that it can be bounded.

use rusqlite::{Connection, OptionalExtension, params};

use super::super::error::{StoreError, int, unsigned};
use super::{Appended, file, read};
use crate::model::change::{MAX_EMOJI, MAX_REACTIONS};
use crate::model::content::{DELETED, EDIT, MESSAGE, REPLY_TO, THREAD};
use crate::model::rights::Act;
use crate::model::time::WallMs;
use crate::model::{Content, Draft, Entry, Extra, MessageId, Offset, Role, RoomId, Sender};

type Result<T> = std::result::Result<T, StoreError>;

/// Maximum number of messages that are pinned to one room.
pub const MAX_PINNED: u32 = 500;

/// A message that something refers to.
struct Target {
    offset: Offset,
    received: WallMs,
    room: i64,
    author: String,
    is_deleted: bool,
    is_in_thread: bool,
}

/// The message of this id, whoever wrote it: an id alone names one.
fn find(db: &Connection, id: MessageId) -> Result<Option<Target>> {
    let mut query = db.prepare_cached(
        "SELECT offset, received, room, principal, extra FROM entry
         WHERE id = ?1 AND kind = ?2 ORDER BY offset LIMIT 1",
    )?;
    let found = query
        .query_row(params![id.0.as_bytes(), MESSAGE], |row| {
            let extra: Option<String> = row.get(4)?;
            let extra = extra.map(|json| Extra::from_json(&json)).unwrap_or_default();
            Ok(Target {
                offset: row.get(0)?,
                received: row.get(1)?,
                room: row.get(2)?,
                author: row.get(3)?,
                is_deleted: extra.get(DELETED).is_some(),
                is_in_thread: extra.get(THREAD).is_some(),
            })
        })
        .optional()?;
    Ok(found)
}

/// The room of the message that a draft changes.
pub(super) fn room_of(db: &Connection, content: &Content) -> Result<Option<(i64, RoomId)>> {
    let Some(target) = content.target().map(|id| find(db, id)).transpose()?.flatten() else {
        return Ok(None);
    };
    let mut query = db.prepare_cached("SELECT uid FROM room WHERE id = ?1")?;
    let uid: String = query.query_row([target.room], |row| row.get(0))?;
    Ok(Some((target.room, read::room_uid(uid)?)))
}

/// Whether a draft may be written into a room, as far as other messages decide that. `Ok`: the place of the message that it
/// refers to.
pub(super) fn check(
    db: &Connection,
    draft: &mut Draft,
    room: Option<i64>,
    sender: &Sender,
    role: Role,
) -> Result<std::result::Result<Option<Offset>, Appended>> {
    let Some(room) = room else { return Ok(Ok(None)) };
    let in_room = |id| -> Result<Option<Target>> { Ok(find(db, id)?.filter(|target| target.room == room)) };
    if let Content::Text { extra, .. } = &mut draft.content {
        // Only the hub says that.
        extra.remove(DELETED);
        // An id alone is to name one message.
        if find(db, draft.id)?.is_some() {
            return Ok(Err(Appended::IdTaken));
        }
        if !file::is_there(db, &draft.content, sender)? {
            return Ok(Err(Appended::NoSuchFile));
        }
        return check_reply(&draft.content, in_room);
    }
    let Some(target) = draft.content.target() else { return Ok(Ok(None)) };
    if let Content::Reaction { emoji, .. } = &mut draft.content
        && let Some(known) = emojis::get(emoji)
    {
        // One spelling of each, so that two people who mean the same add to the same.
        *emoji = known.as_str().to_owned();
    }
    let Some(target) = in_room(target)? else { return Ok(Err(Appended::NoSuchMessage)) };
    let is_own = target.author == sender.id.0;
    let nothing = Appended::Redundant { offset: target.offset, received: target.received };
    let refused = match &draft.content {
        Content::Delete { .. } if !is_own && !role.may(Act::DeleteOthers) => Some(Appended::NotYours),
        Content::Delete { .. } => target.is_deleted.then_some(nothing),
        _ if target.is_deleted => Some(Appended::NoSuchMessage),
        Content::Edit { .. } => (!is_own).then_some(Appended::NotYours),
        Content::Reaction { emoji, off, .. } => {
            check_reaction(db, target.offset, sender, emoji, *off, nothing)?
        }
        Content::Pin { off, .. } => check_pin(db, target.offset, room, *off, nothing)?,
        _ => None,
    };
    Ok(refused.map_or(Ok(Some(target.offset)), Err))
}

/// What a message replies to is in its room, and its thread begins with a message that is in none.
fn check_reply(
    content: &Content,
    in_room: impl Fn(MessageId) -> Result<Option<Target>>,
) -> Result<std::result::Result<Option<Offset>, Appended>> {
    let names = |field: &str| content.extra().get(field).is_some();
    let mut offset = None;
    if names(REPLY_TO) {
        match content.reply_to().map(&in_room).transpose()?.flatten() {
            Some(target) => offset = Some(target.offset),
            None => return Ok(Err(Appended::NoSuchMessage)),
        }
    }
    if names(THREAD) {
        let root = content.thread().map(&in_room).transpose()?.flatten();
        if root.is_none_or(|root| root.is_in_thread) {
            return Ok(Err(Appended::NoSuchMessage));
        }
    }
    Ok(Ok(offset))
}

fn check_reaction(
    db: &Connection,
    target: Offset,
    sender: &Sender,
    emoji: &str,
    off: bool,
    nothing: Appended,
) -> Result<Option<Appended>> {
    let mut stands =
        db.prepare_cached("SELECT 1 FROM reaction WHERE target = ?1 AND emoji = ?2 AND principal = ?3")?;
    if stands.exists(params![int(target)?, emoji, sender.id.0])? != off {
        return Ok(Some(nothing));
    }
    if off {
        return Ok(None);
    }
    let (all, kinds, is_known): (u64, u64, bool) = db
        .prepare_cached(
            "SELECT count(*), count(DISTINCT emoji), total(emoji = ?2) > 0 FROM reaction WHERE target = ?1",
        )?
        .query_row(params![int(target)?, emoji], |row| {
            Ok((unsigned(row.get(0)?), unsigned(row.get(1)?), row.get(2)?))
        })?;
    if all >= MAX_REACTIONS as u64 {
        return Ok(Some(Appended::TooMany { limit: MAX_REACTIONS as u64 }));
    }
    let is_full = !is_known && kinds >= MAX_EMOJI as u64;
    Ok(is_full.then_some(Appended::TooMany { limit: MAX_EMOJI as u64 }))
}

fn check_pin(
    db: &Connection,
    target: Offset,
    room: i64,
    off: bool,
    nothing: Appended,
) -> Result<Option<Appended>> {
    let mut stands = db.prepare_cached("SELECT 1 FROM pinned WHERE room = ?1 AND target = ?2")?;
    if stands.exists(params![room, int(target)?])? != off {
        return Ok(Some(nothing));
    }
    let mut count = db.prepare_cached("SELECT count(*) FROM pinned WHERE room = ?1")?;
    let count: i64 = count.query_row([room], |row| row.get(0))?;
    let is_full = !off && count >= i64::from(MAX_PINNED);
    Ok(is_full.then_some(Appended::TooMany { limit: MAX_PINNED.into() }))
}

/// An entry was written that refers to the message at this offset.
pub(super) fn written(db: &Connection, entry: &Entry, room: i64, target: Offset) -> Result<()> {
    let at = int(target)?;
    db.prepare_cached("UPDATE entry SET target = ?2 WHERE offset = ?1")?
        .execute(params![int(entry.offset)?, at])?;
    match &entry.draft.content {
        Content::Delete { target: id, .. } => erase(db, *id, at, entry),
        Content::Reaction { emoji, off: false, .. } => {
            db.prepare_cached(
                "INSERT OR IGNORE INTO reaction (target, emoji, principal) VALUES (?1, ?2, ?3)",
            )?
            .execute(params![at, emoji, entry.sender.id.0])?;
            Ok(())
        }
        Content::Reaction { emoji, .. } => {
            db.prepare_cached("DELETE FROM reaction WHERE target = ?1 AND emoji = ?2 AND principal = ?3")?
                .execute(params![at, emoji, entry.sender.id.0])?;
            Ok(())
        }
        Content::Pin { off: false, .. } => {
            db.prepare_cached("INSERT OR IGNORE INTO pinned (room, target) VALUES (?1, ?2)")?
                .execute(params![room, at])?;
            Ok(())
        }
        Content::Pin { .. } => {
            db.prepare_cached("DELETE FROM pinned WHERE room = ?1 AND target = ?2")?
                .execute(params![room, at])?;
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Takes what a message said out of the database, with all that it was edited to. Its entries keep their places.
fn erase(db: &Connection, id: MessageId, at: i64, deletion: &Entry) -> Result<()> {
    let extra: Option<String> =
        db.prepare_cached("SELECT extra FROM entry WHERE offset = ?1")?.query_row([at], |row| row.get(0))?;
    let extra = extra.map(|json| Extra::from_json(&json)).unwrap_or_default();
    let left =
        Content::Text { body: String::new(), extra }.deleted(Some((&deletion.sender, deletion.received)));
    db.prepare_cached("UPDATE entry SET body = '', extra = ?2 WHERE offset = ?1")?
        .execute(params![at, left.fields_json()])?;
    db.prepare_cached("UPDATE entry SET body = '', extra = ?3 WHERE target = ?1 AND kind = ?2")?
        .execute(params![at, EDIT, Content::edit(id, "").fields_json()])?;
    db.prepare_cached("DELETE FROM reaction WHERE target = ?1")?.execute([at])?;
    db.prepare_cached("DELETE FROM pinned WHERE target = ?1")?.execute([at])?;
    file::message_deleted(db, at)
}

/// Entries up to this offset are let go of: nothing changes them any more.
pub(super) fn let_go(db: &Connection, last: i64) -> Result<()> {
    db.prepare_cached("DELETE FROM reaction WHERE target <= ?1")?.execute([last])?;
    db.prepare_cached("DELETE FROM pinned WHERE target <= ?1")?.execute([last])?;
    Ok(())
}

/// Finds anew what entries of a repaired log refer to, and what stands.
pub(super) fn rebuild(db: &Connection) -> Result<()> {
    db.execute_batch(
        "DELETE FROM reaction;
         DELETE FROM pinned;
         UPDATE entry SET target = (
             SELECT min(message.offset) FROM entry AS message WHERE message.kind = 'message' AND message.room = entry.room
                 AND message.offset < entry.offset
                 AND message.id = unhex(replace(json_extract(entry.extra,
                     CASE entry.kind WHEN 'message' THEN '$.reply_to' ELSE '$.target' END), '-', '')))
         WHERE json_valid(extra) AND (kind IN ('edit', 'delete', 'reaction', 'pin')
             OR (kind = 'message' AND json_extract(extra, '$.reply_to') IS NOT NULL));",
    )?;
    let mut query = db.prepare(
        "SELECT target, room, kind, principal, json_extract(extra, '$.emoji'), json_extract(extra, '$.off')
         FROM entry WHERE target IS NOT NULL AND kind IN ('reaction', 'pin') ORDER BY offset",
    )?;
    let mut rows = query.query(())?;
    while let Some(row) = rows.next()? {
        let (target, room, kind): (i64, i64, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let (who, emoji): (String, Option<String>) = (row.get(3)?, row.get(4)?);
        let off = row.get::<_, Option<bool>>(5)?.unwrap_or_default();
        let change = match (kind.as_str(), off) {
            ("pin", false) => "INSERT OR IGNORE INTO pinned (room, target) VALUES (?1, ?2)",
            ("pin", true) => "DELETE FROM pinned WHERE room = ?1 AND target = ?2",
            (_, false) => "INSERT OR IGNORE INTO reaction (target, emoji, principal) VALUES (?2, ?3, ?4)",
            (_, true) => "DELETE FROM reaction WHERE target = ?2 AND emoji = ?3 AND principal = ?4",
        };
        let mut change = db.prepare_cached(change)?;
        match (kind.as_str(), emoji) {
            ("pin", _) => _ = change.execute(params![room, target])?,
            (_, Some(emoji)) => {
                _ = change.execute(params![room, target, emoji, who])?;
            }
            _ => {}
        }
    }
    // A deleted message has neither.
    db.execute_batch(
        "DELETE FROM reaction WHERE target IN (SELECT target FROM entry WHERE kind = 'delete');
         DELETE FROM pinned WHERE target IN (SELECT target FROM entry WHERE kind = 'delete');",
    )?;
    Ok(())
}
