//! Rooms, people and read markers, some at a time, in an order in which what is added later comes later (but for people).

use rusqlite::{Connection, OptionalExtension, params};

use super::super::error::{StoreError, int, saturated, unsigned};
use super::access;
use super::people::principal;
use super::read::{room_name, room_uid};
use crate::model::{NamedRoom, Offset, Principal, PrincipalId, RoomId, RoomInfo, RoomName};
use crate::wire::duplex::message::PersonState;
use crate::wire::duplex::server::{Lists, ListsFrom};

/// A part of the rooms ends when the ids of their members take so many bytes.
const MAX_MEMBER_BYTES: usize = 128 * 1024;

type Result<T> = std::result::Result<T, StoreError>;
/// Some of a list, and where it goes on.
type Part<T, P> = (Vec<T>, Option<P>);

/// At most `limit` of each list that goes on.
pub(super) fn lists(db: &Connection, me: &PrincipalId, from: &ListsFrom, limit: usize) -> Result<Lists> {
    let mut lists = Lists::default();
    let mut next = ListsFrom::default();
    if let Some(after) = from.rooms {
        (lists.rooms, next.rooms) = rooms(db, me, after, limit)?;
    }
    if let Some(after) = &from.people {
        let (people, more) = people(db, Some(after), limit)?;
        lists.people = people.into_iter().map(offline).collect();
        next.people = more;
    }
    if let Some(after) = from.read {
        (lists.read, next.read) = reads(db, me, after, limit)?;
    }
    lists.next = next.any();
    Ok(lists)
}

/// Whether anybody is connected, and what they say of themselves, is added by whoever knows it.
fn offline(who: Principal) -> PersonState {
    PersonState { who, online: false, status: String::new() }
}

/// Rooms made after another one.
fn rooms(db: &Connection, me: &PrincipalId, after: u64, limit: usize) -> Result<Part<NamedRoom, u64>> {
    let mut query = db.prepare_cached(
        "SELECT uid, id, name, topic, archived, changed,
             EXISTS (SELECT 1 FROM absent WHERE principal = ?3 AND absent.room = room.id), private, direct IS NOT NULL,
             made_by IS ?3
         FROM room
         WHERE id > ?1 AND (NOT private OR EXISTS
             (SELECT 1 FROM member WHERE principal = ?3 AND member.room = room.id AND is_member))
         ORDER BY id LIMIT ?2",
    )?;
    let mut rows = query.query(params![saturated(after), asked(limit)?, me.0])?;
    let (mut rooms, mut last) = (Vec::new(), after);
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        if rooms.len() == limit || bytes > MAX_MEMBER_BYTES {
            return Ok((rooms, Some(last)));
        }
        let (private, is_direct): (bool, bool) = (row.get(7)?, row.get(8)?);
        let members = if private { access::members(db, row.get(1)?)? } else { Vec::new() };
        bytes += members.iter().map(|member| member.0.len() + 3).sum::<usize>();
        let info = RoomInfo {
            private,
            direct: members.iter().find(|member| is_direct && *member != me).cloned(),
            members: members.into_iter().collect(),
            topic: row.get(3)?,
            archived: row.get(4)?,
            changed: row.get(5)?,
            left: row.get(6)?,
            own: row.get(9)?,
            ..RoomInfo::default()
        };
        // A direct message is called by whom it is with.
        let with = info.direct.as_ref().map(|with| name_of(db, with)).transpose()?.flatten();
        let name = with.and_then(|name| RoomName::closest(&name));
        let name = name.map_or_else(|| room_name(row.get(2)?), Ok)?;
        rooms.push(NamedRoom { info, ..NamedRoom::new(room_uid(row.get(0)?)?, name) });
        last = unsigned(row.get(1)?);
    }
    Ok((rooms, None))
}

/// What somebody is called.
fn name_of(db: &Connection, who: &PrincipalId) -> Result<Option<String>> {
    let mut query = db.prepare_cached("SELECT name FROM principal WHERE id = ?1")?;
    Ok(query.query_row([&who.0], |row| row.get(0)).optional()?)
}

/// People who may chat, by id.
pub(super) fn people(
    db: &Connection,
    after: Option<&PrincipalId>,
    limit: usize,
) -> Result<Part<Principal, PrincipalId>> {
    let mut query = db.prepare_cached(
        "SELECT id, kind, name, role FROM principal
         WHERE (?1 IS NULL OR id > ?1) AND kind <> 'device' ORDER BY id LIMIT ?2",
    )?;
    let mut rows = query.query(params![after.map(|after| &after.0), asked(limit)?])?;
    let mut people: Vec<Principal> = Vec::new();
    while let Some(row) = rows.next()? {
        if people.len() == limit {
            let last = people.last().map(|who| who.id.clone());
            return Ok((people, last));
        }
        people.push(principal(row)?);
    }
    Ok((people, None))
}

/// What somebody has read, by room.
fn reads(db: &Connection, me: &PrincipalId, after: u64, limit: usize) -> Result<Part<(RoomId, Offset), u64>> {
    let mut query = db.prepare_cached(
        "SELECT uid, read_marker.offset, room.id FROM read_marker JOIN room ON room.id = read_marker.room
         WHERE principal = ?1 AND read_marker.room > ?2 AND (NOT private OR EXISTS
             (SELECT 1 FROM member WHERE member.principal = ?1 AND member.room = room.id AND is_member))
         ORDER BY read_marker.room LIMIT ?3",
    )?;
    let mut rows = query.query(params![me.0, saturated(after), asked(limit)?])?;
    let (mut reads, mut last) = (Vec::new(), after);
    while let Some(row) = rows.next()? {
        if reads.len() == limit {
            return Ok((reads, Some(last)));
        }
        reads.push((room_uid(row.get(0)?)?, row.get(1)?));
        last = unsigned(row.get(2)?);
    }
    Ok((reads, None))
}

/// One more than that, to see whether there are more.
fn asked(limit: usize) -> Result<i64> {
    int(limit as u64 + 1)
}
