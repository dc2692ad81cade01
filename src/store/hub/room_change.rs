//! Changes of rooms and of their members: who may make them, and what they do to the rooms that the hub lists.

use rusqlite::{Connection, OptionalExtension, params};

use super::super::error::{StoreError, int, unsigned};
use super::rooms::Rooms;
use super::{Appended, access, read, rights};
use crate::model::content::{MemberChange, Private};
use crate::model::name;
use crate::model::rights::Act;
use crate::model::room::{MAX_MEMBERS, MAX_TOPIC_CHARS};
use crate::model::{Content, NamedRoom, Offset, PrincipalId, Role, RoomId, RoomInfo, RoomName, Sender};

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
    let privacy = rooms.privacy(db, row)?;
    let is_own = made_by == who.0 && role.may(Act::ChangeOwnRoom);
    let may_change = is_own || role.may(Act::ChangeRoom);
    if let Content::Member { who: about, change, .. } = content {
        return match privacy {
            None => member_refusal(db, row, &uid, who, (about, *change)),
            Some(is_direct) => private_refusal(db, row, who, (about, *change), is_direct, may_change),
        };
    }
    if !may_change {
        return Ok(Some(Appended::NotAllowed));
    }
    let Content::RoomChange { name, topic, archived, .. } = content else { return Ok(None) };
    // Every hub has one room that takes messages. A direct message is called by whom it is with, for ever.
    let is_direct = privacy == Some(true);
    if (*archived == Some(true) && (is_direct || uid == RoomId::general().as_str()))
        || (is_direct && name.is_some())
    {
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
    if privacy.is_some() {
        return Ok(None);
    }
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

/// The same of a private room: members invite others, leave, and are removed by whoever may change the room. A direct
/// message has its two members for ever; to leave it is to have it out of sight.
fn private_refusal(
    db: &Connection,
    row: i64,
    by: &PrincipalId,
    (about, change): (&mut Sender, MemberChange),
    is_direct: bool,
    may_change: bool,
) -> Result<Option<Appended>> {
    let is_self = about.id == *by;
    let is_member = access::is_member(db, row, &about.id)?;
    let is_allowed = match change {
        // Whoever is a member here has left a direct message, or was removed from a room while this was under way.
        MemberChange::Joined => is_direct && is_self,
        MemberChange::Left if is_direct => is_self,
        MemberChange::Left => is_self || may_change,
        MemberChange::Invited => !is_direct && !is_self,
    };
    let known = rights::find(db, &about.id)?.filter(|known| known.kind.chats());
    let name = match known {
        Some(known) if is_allowed => known.name,
        // Somebody who is gone from the hub can be taken out of a room all the same.
        None if is_allowed && change == MemberChange::Left && is_member => about.name.clone(),
        _ => return Ok(Some(Appended::NotAllowed)),
    };
    about.name = name;
    let stands = match change {
        _ if is_direct => false,
        MemberChange::Left => !is_member,
        _ => is_member,
    };
    if stands {
        let mut query = db.prepare_cached("SELECT offset, made_at FROM room WHERE id = ?1")?;
        return Ok(Some(query.query_row([row], |row| {
            Ok(Appended::Redundant { offset: row.get(0)?, received: row.get(1)? })
        })?));
    }
    let is_full = change == MemberChange::Invited && access::count_members(db, row)? >= MAX_MEMBERS;
    Ok(is_full.then_some(Appended::TooMany { limit: MAX_MEMBERS as u64 }))
}

/// What a private room is, for somebody who becomes a member of it.
pub(super) fn about(db: &Connection, row: i64) -> Result<NamedRoom> {
    let mut query = db.prepare_cached("SELECT uid, name, topic, archived FROM room WHERE id = ?1")?;
    let (uid, name, topic, archived): (String, String, String, bool) =
        query.query_row([row], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    let members = access::members(db, row)?.into_iter().collect();
    let info = RoomInfo { topic, archived, private: true, members, ..RoomInfo::default() };
    Ok(NamedRoom { info, ..NamedRoom::new(read::room_uid(uid)?, read::room_name(name)?) })
}

/// Brings the name and the members of a new private room into their proper form: people who are there, each once. `Err`: it
/// cannot be made, or is there.
pub(super) fn check_private(
    db: &Connection,
    name: &mut Option<RoomName>,
    private: &mut Private,
    room: &RoomId,
    maker: &PrincipalId,
) -> Result<std::result::Result<(), Appended>> {
    // A direct message is called by whom it is with.
    let wanted = name.take().filter(|_| !private.direct).unwrap_or_else(|| RoomName::of_id(room));
    *name = Some(match name::make_room(wanted.as_str()) {
        Ok(name) => name,
        Err(why) => return Ok(Err(Appended::BadRoomName(why))),
    });
    let mut known = Vec::new();
    for who in std::mem::take(&mut private.members) {
        let is_new = who != *maker && !known.contains(&who);
        if is_new && rights::find(db, &who)?.is_some_and(|who| who.kind.chats()) {
            known.push(who);
        }
    }
    private.members = known;
    if !private.direct {
        return Ok(Ok(()));
    }
    let [with] = private.members.as_slice() else { return Ok(Err(Appended::NotAllowed)) };
    let mut query = db.prepare_cached("SELECT uid, offset, made_at FROM room WHERE direct = ?1")?;
    let there = query
        .query_row([access::pair(maker, with)], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((uid, offset, received)) = there else { return Ok(Ok(())) };
    let (room, offset) = (read::room_uid(uid)?, unsigned(offset));
    Ok(Err(Appended::RoomExists { room, offset: Offset(offset), received }))
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
        return apply_member(db, row, content, offset, rooms.privacy(db, row)?);
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

fn apply_member(
    db: &Connection,
    row: i64,
    content: &Content,
    offset: Offset,
    privacy: Option<bool>,
) -> Result<()> {
    let Content::Member { who, change, .. } = content else { return Ok(()) };
    if let Some(is_direct) = privacy {
        let is_member = is_direct || *change != MemberChange::Left;
        access::set_member(db, row, &who.id, is_member, offset)?;
    }
    let sql = match change {
        // Nobody has left a room in which they are not.
        MemberChange::Left if privacy == Some(false) => {
            "DELETE FROM absent WHERE principal = ?1 AND room = ?2"
        }
        MemberChange::Left => "INSERT OR IGNORE INTO absent (principal, room) VALUES (?1, ?2)",
        MemberChange::Joined | MemberChange::Invited => {
            "DELETE FROM absent WHERE principal = ?1 AND room = ?2"
        }
    };
    db.prepare_cached(sql)?.execute(params![who.id.0, row])?;
    if privacy == Some(true) {
        // The other one is not told.
        return Ok(());
    }
    db.prepare_cached("UPDATE room SET changed = ?2 WHERE id = ?1")?.execute(params![row, int(offset)?])?;
    Ok(())
}

/// Has what a room begins to be about keep the rule for topics.
pub(super) fn tidy_topic(content: &mut Content) {
    if content.is_room() {
        let topic = one_line(content.first_topic(), MAX_TOPIC_CHARS);
        content.set_first_topic(&topic);
    }
}

/// A text on one line, of at most this many characters.
fn one_line(text: &str, chars: usize) -> String {
    let visible: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let cut: String = visible.trim().chars().take(chars).collect();
    cut.trim_end().to_owned()
}
