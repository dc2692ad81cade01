//! What is known of rooms beside their messages. Mirrors what `model::chat` does with the same entries and lists.

use rusqlite::{Connection, OptionalExtension, params};

use super::super::error::StoreError;
use super::read;
use super::write::{key, name_room, room_id};
use crate::model::content::Content;
use crate::model::room;
use crate::model::{ConnectionId, Entry, NamedRoom, Offset, PrincipalId, RoomId, RoomInfo, RoomName};

type Result<T> = std::result::Result<T, StoreError>;

/// The server lists this room. What is listed counts unless something newer is known.
pub(super) fn listed(db: &Connection, connection: ConnectionId, room: &NamedRoom) -> Result<()> {
    let mut known = info(db, connection, &room.id)?.unwrap_or_default();
    if known.list(&room.info) {
        name_room(db, connection, &room.id, &room.name)?;
    }
    keep(db, connection, &room.id, &known)
}

/// An entry makes this room. `false`: what is known of it is newer.
pub(super) fn made(db: &Connection, connection: ConnectionId, entry: &Entry) -> Result<bool> {
    let room = &entry.draft.room;
    let known = info(db, connection, room)?;
    if known.as_ref().is_some_and(|known| known.changed >= entry.offset) {
        return Ok(false);
    }
    let me = me(db, connection)?;
    let name = room::named_when_made(entry, name(db, connection, room)?.as_ref(), me.as_ref());
    name_room(db, connection, room, &name)?;
    let info = RoomInfo::of_made(&entry.draft.content, Some(&entry.sender.id), me.as_ref());
    keep(db, connection, room, &info.made_by_me(known.is_some_and(|known| known.own)))?;
    Ok(true)
}

/// An entry changes this room or its members.
pub(super) fn changed(db: &Connection, connection: ConnectionId, entry: &Entry) -> Result<()> {
    let (room, content) = (&entry.draft.room, &entry.draft.content);
    room_id(db, connection, room)?;
    let mut known = info(db, connection, room)?.unwrap_or_default();
    if !known.change(entry.offset, content, me(db, connection)?.as_ref()) {
        return Ok(());
    }
    if let Some(name) = room::named_by(content, me(db, connection)?.as_ref()) {
        name_room(db, connection, room, &name)?;
    }
    keep(db, connection, room, &known)
}

/// Whether this entry makes the person a member of a room of which something came before that was not for them.
pub(super) fn has_hole_before(db: &Connection, connection: ConnectionId, entry: &Entry) -> Result<bool> {
    let known = info(db, connection, &entry.draft.room)?.unwrap_or_default();
    Ok(known.has_hole_before(&entry.draft.content, me(db, connection)?.as_ref()))
}

/// What is known of all rooms may be changed by what a server lists, or by another log: whatever its offset.
pub(super) fn begin_anew(db: &Connection, connection: ConnectionId) -> Result<()> {
    db.prepare_cached(
        "UPDATE room SET info = json_remove(info, '$.changed') WHERE connection = ?1 AND info IS NOT NULL",
    )?
    .execute([key(connection)])?;
    Ok(())
}

/// Of a private room that the server does not list the person is a member no more; see [`RoomInfo::not_listed`].
pub(super) fn leave_private(db: &Connection, connection: ConnectionId) -> Result<()> {
    db.prepare_cached(
        "UPDATE room SET info = json_set(info, '$.left', json('true'), '$.unlisted', json('true'))
         WHERE connection = ?1 AND NOT unmade AND info IS NOT NULL AND json_extract(info, '$.private')",
    )?
    .execute([key(connection)])?;
    Ok(())
}

/// What is known of a room that is to be made.
pub(super) fn to_be_made(
    db: &Connection,
    connection: ConnectionId,
    room: &RoomId,
    content: &Content,
) -> Result<()> {
    let me = me(db, connection)?;
    keep(db, connection, room, &RoomInfo::of_made(content, me.as_ref(), me.as_ref()))
}

/// What [`keep`] wrote. What cannot be read is as if it had never been told.
pub(super) fn info_of(json: Option<&str>) -> RoomInfo {
    json.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
}

/// What a room is called, if it is known.
fn name(db: &Connection, connection: ConnectionId, room: &RoomId) -> Result<Option<RoomName>> {
    let mut query = db.prepare_cached("SELECT name FROM room WHERE connection = ?1 AND uid = ?2")?;
    let name: Option<String> =
        query.query_row(params![key(connection), room.as_str()], |row| row.get(0)).optional()?;
    Ok(name.and_then(|name| RoomName::new(name).ok()))
}

/// A message came in this place into a direct message that was put out of sight.
pub(super) fn bring_back(
    db: &Connection,
    connection: ConnectionId,
    room: &RoomId,
    offset: Offset,
) -> Result<()> {
    let mut known = info(db, connection, room)?.unwrap_or_default();
    if known.bring_back(offset) { keep(db, connection, room, &known) } else { Ok(()) }
}

fn info(db: &Connection, connection: ConnectionId, room: &RoomId) -> Result<Option<RoomInfo>> {
    let mut query = db.prepare_cached("SELECT info FROM room WHERE connection = ?1 AND uid = ?2")?;
    let json: Option<Option<String>> =
        query.query_row(params![key(connection), room.as_str()], |row| row.get(0)).optional()?;
    Ok(json.map(|json| info_of(json.as_deref())))
}

fn keep(db: &Connection, connection: ConnectionId, room: &RoomId, info: &RoomInfo) -> Result<()> {
    let Some(row) = read::room_id(db, connection, room)? else { return Ok(()) };
    let json = (*info != RoomInfo::default()).then(|| serde_json::to_string(info));
    let json = json.transpose().map_err(|error| StoreError::Nonsense(error.to_string()))?;
    db.prepare_cached("UPDATE room SET info = ?2 WHERE id = ?1 AND info IS NOT ?2")?
        .execute(params![row, json])?;
    Ok(())
}

fn me(db: &Connection, connection: ConnectionId) -> Result<Option<PrincipalId>> {
    let mut query = db.prepare_cached("SELECT me_id FROM connection WHERE id = ?1")?;
    let me: Option<Option<String>> = query.query_row([key(connection)], |row| row.get(0)).optional()?;
    Ok(me.flatten().map(PrincipalId))
}
