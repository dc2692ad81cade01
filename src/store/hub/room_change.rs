//! Changes of rooms and of their members: who may make them, and what they do to the rooms that the hub lists.

use rusqlite::{Connection, params};

use super::super::error::{StoreError, int};
use super::rooms::Rooms;
use super::{Appended, read, rights};
use crate::model::content::MemberChange;
use crate::model::name;
use crate::model::rights::Act;
use crate::model::room::MAX_TOPIC_CHARS;
use crate::model::{Content, Offset, PrincipalId, Role, RoomId, RoomName, Sender};

type Result<T> = std::result::Result<T, StoreError>;

/// Why a change of a room is not made, if it is not. Its name and topic are brought into their proper form.
pub(super) fn refusal(
    db: &Connection,
    row: i64,
    who: &PrincipalId,
    role: Role,
    content: &mut Content,
    rooms: &mut Rooms,
) -> Result<Option<Appended>> {
    let mut query = db.prepare_cached("SELECT uid, name, made_by FROM room WHERE id = ?1")?;
    let (uid, current, made_by): (String, String, String) =
        query.query_row([row], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    if let Content::Member { who: about, change, .. } = content {
        return member_refusal(db, row, &uid, who, (about, *change));
    }
    let is_own = made_by == who.0 && role.may(Act::ChangeOwnRoom);
    if !is_own && !role.may(Act::ChangeRoom) {
        return Ok(Some(Appended::NotAllowed));
    }
    let Content::RoomChange { name, topic, archived, .. } = content else { return Ok(None) };
    // Every hub has one room that takes messages.
    if *archived == Some(true) && uid == RoomId::general().as_str() {
        return Ok(Some(Appended::NotAllowed));
    }
    if let Some(topic) = topic {
        *topic = one_line(topic, MAX_TOPIC_CHARS);
    }
    let Some(name) = name else { return Ok(None) };
    *name = match name::make_room(name.as_str()) {
        Ok(name) => name,
        Err(why) => return Ok(Some(Appended::BadRoomName(why))),
    };
    let called = read::room_called(db, name.as_str())?;
    if called.is_some_and(|(other, _)| other != row) {
        return Ok(Some(Appended::RoomAlike { name: name.clone() }));
    }
    let current = RoomName::new(current).ok();
    Ok(rooms.like(db, name, current.as_ref())?.map(|name| Appended::RoomAlike { name }))
}

/// Why somebody does not become a member of a public room, or stop being one. Their name is as the hub has it.
fn member_refusal(
    db: &Connection,
    row: i64,
    uid: &str,
    by: &PrincipalId,
    (about, change): (&mut Sender, MemberChange),
) -> Result<Option<Appended>> {
    let is_self = about.id == *by;
    let is_allowed = match change {
        MemberChange::Joined => is_self,
        // Every hub has one room in which everybody is.
        MemberChange::Left => is_self && uid != RoomId::general().as_str(),
        // Of a public room everybody is a member who has not left it.
        MemberChange::Invited => !is_self && is_absent(db, row, &about.id)?,
    };
    let known = rights::find(db, &about.id)?.filter(|known| known.kind.chats());
    match known {
        Some(known) if is_allowed => {
            about.name = known.name;
            Ok(None)
        }
        _ => Ok(Some(Appended::NotAllowed)),
    }
}

fn is_absent(db: &Connection, row: i64, who: &PrincipalId) -> Result<bool> {
    let mut query = db.prepare_cached("SELECT 1 FROM absent WHERE principal = ?1 AND room = ?2")?;
    Ok(query.exists(params![who.0, row])?)
}

/// Makes a change of a room that is in the log at this place.
pub(super) fn apply(
    db: &Connection,
    row: i64,
    content: &Content,
    offset: Offset,
    rooms: &mut Rooms,
) -> Result<()> {
    let Content::RoomChange { name, topic, archived, .. } = content else {
        return apply_member(db, row, content, offset);
    };
    db.prepare_cached(
        "UPDATE room SET name = coalesce(?2, name), topic = coalesce(?3, topic),
             archived = coalesce(?4, archived), changed = ?5 WHERE id = ?1",
    )?
    .execute(params![row, name.as_ref().map(RoomName::as_str), topic, archived, int(offset)?])?;
    if name.is_some() {
        rooms.renamed();
    }
    if let Some(archived) = archived {
        rooms.set_archived(row, *archived);
    }
    Ok(())
}

fn apply_member(db: &Connection, row: i64, content: &Content, offset: Offset) -> Result<()> {
    let Content::Member { who, change, .. } = content else { return Ok(()) };
    let sql = match change {
        MemberChange::Left => "INSERT OR IGNORE INTO absent (principal, room) VALUES (?1, ?2)",
        MemberChange::Joined | MemberChange::Invited => {
            "DELETE FROM absent WHERE principal = ?1 AND room = ?2"
        }
    };
    db.prepare_cached(sql)?.execute(params![who.id.0, row])?;
    db.prepare_cached("UPDATE room SET changed = ?2 WHERE id = ?1")?.execute(params![row, int(offset)?])?;
    Ok(())
}

/// A text on one line, of at most this many characters.
fn one_line(text: &str, chars: usize) -> String {
    let visible: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let cut: String = visible.trim().chars().take(chars).collect();
    cut.trim_end().to_owned()
}
