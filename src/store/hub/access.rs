//! [`Access`]: who may see which private room, as the log on disk has it. Kept in memory, since every way out of the hub
//! asks for it; the writer changes it before the log's new head is known and before anybody is told of new entries.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, params};

use super::super::error::{StoreError, int, unsigned};
use super::read::room_uid;
use crate::model::content::{MEMBER, MemberChange, Private};
use crate::model::{Content, Entry, Extra, Offset, PrincipalId, RoomId};

type Result<T> = std::result::Result<T, StoreError>;

/// Who may see what. A public room is seen by everybody; a private one by its members.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// The private rooms.
    rooms: HashMap<RoomId, PrivateRoom>,
    /// In which of them somebody is.
    of: HashMap<PrincipalId, HashSet<RoomId>>,
    /// Offset of the last entry that says whether somebody is a member of a private room.
    about: HashMap<PrincipalId, Offset>,
    /// Offset of the last entry in a public room.
    public_head: Offset,
}

#[derive(Clone, Debug, Default)]
struct PrivateRoom {
    members: HashSet<PrincipalId>,
    is_direct: bool,
    /// Offset of its last entry.
    last: Offset,
}

impl Access {
    /// What the database says.
    pub(super) fn load(db: &Connection) -> Result<Access> {
        let mut access = Access::default();
        let mut uids = HashMap::new();
        let mut query = db.prepare(
            "SELECT id, uid, direct IS NOT NULL, coalesce((SELECT max(offset) FROM entry WHERE entry.room = room.id), 0)
             FROM room WHERE private",
        )?;
        let mut rows = query.query(())?;
        while let Some(row) = rows.next()? {
            let uid = room_uid(row.get(1)?)?;
            uids.insert(row.get::<_, i64>(0)?, uid.clone());
            let (is_direct, last) = (row.get(2)?, unsigned(row.get(3)?));
            access.rooms.insert(uid, PrivateRoom { is_direct, last: Offset(last), ..PrivateRoom::default() });
        }
        let mut query = db.prepare("SELECT room, principal, is_member, offset FROM member")?;
        let mut rows = query.query(())?;
        while let Some(row) = rows.next()? {
            let who = PrincipalId(row.get(1)?);
            let Some(uid) = uids.get(&row.get(0)?) else { continue };
            access.is_about(&who, row.get(3)?);
            if row.get(2)? {
                access.enter(&who, uid);
            }
        }
        let mut query = db.prepare(
            "SELECT entry.offset FROM entry JOIN room ON room.id = entry.room WHERE NOT private
             ORDER BY entry.offset DESC LIMIT 1",
        )?;
        let mut rows = query.query(())?;
        access.public_head = rows.next()?.map(|row| row.get(0)).transpose()?.unwrap_or_default();
        Ok(access)
    }

    fn enter(&mut self, who: &PrincipalId, room: &RoomId) {
        if let Some(known) = self.rooms.get_mut(room) {
            known.members.insert(who.clone());
            self.of.entry(who.clone()).or_default().insert(room.clone());
        }
    }

    fn leave(&mut self, who: &PrincipalId, room: &RoomId) {
        if let Some(known) = self.rooms.get_mut(room).filter(|known| !known.is_direct) {
            known.members.remove(who);
            if let Some(rooms) = self.of.get_mut(who) {
                rooms.remove(room);
            }
        }
    }

    fn is_about(&mut self, who: &PrincipalId, offset: Offset) {
        let last = self.about.entry(who.clone()).or_default();
        *last = offset.max(*last);
    }

    /// Takes in an entry that is on disk; in the order of the log.
    pub fn take(&mut self, entry: &Entry) {
        let room = &entry.draft.room;
        match &entry.draft.content {
            Content::Room { private: Some(private), .. } => {
                let made = PrivateRoom { is_direct: private.direct, ..PrivateRoom::default() };
                self.rooms.insert(room.clone(), made);
                for who in members_of(private, &entry.sender.id) {
                    self.is_about(who, entry.offset);
                    self.enter(who, room);
                }
            }
            Content::Member { who, change, .. } if self.is_private(room) => {
                self.is_about(&who.id, entry.offset);
                match change {
                    MemberChange::Left => self.leave(&who.id, room),
                    MemberChange::Joined | MemberChange::Invited => self.enter(&who.id, room),
                }
            }
            _ => {}
        }
        match self.rooms.get_mut(room) {
            // It is for one of the two alone.
            Some(private) if private.is_direct && is_membership(entry) => {}
            Some(private) => private.last = entry.offset,
            None => self.public_head = entry.offset,
        }
    }

    /// Whether only its members may know of a room.
    pub fn is_private(&self, room: &RoomId) -> bool {
        self.rooms.contains_key(room)
    }

    /// Whether a room is a direct message.
    pub fn is_direct(&self, room: &RoomId) -> bool {
        self.rooms.get(room).is_some_and(|room| room.is_direct)
    }

    /// The members of a private room; none of a public one, in which everybody is.
    pub fn members(&self, room: &RoomId) -> Option<&HashSet<PrincipalId>> {
        self.rooms.get(room).map(|room| &room.members)
    }

    /// Whether somebody may know what is in a room. Whether there is such a room is another question.
    pub fn sees_room(&self, who: &PrincipalId, room: &RoomId) -> bool {
        self.members(room).is_none_or(|members| members.contains(who))
    }

    /// Whether somebody may be told of an entry: it is in a room that they see, or says what becomes of them in one. That
    /// somebody has put a direct message out of sight is told to nobody else.
    pub fn sees(&self, who: &PrincipalId, entry: &Entry) -> bool {
        let Some(room) = self.rooms.get(&entry.draft.room) else { return true };
        let is_about =
            || matches!(&entry.draft.content, Content::Member { who: about, .. } if about.id == *who);
        match room.is_direct && is_membership(entry) {
            true => is_about(),
            false => room.members.contains(who) || is_about(),
        }
    }

    /// The same by the fields of an entry, whose kind is among them.
    pub(super) fn sees_fields(
        &self,
        who: &PrincipalId,
        room: &RoomId,
        kind: &str,
        fields: Option<&str>,
    ) -> bool {
        let Some(room) = self.rooms.get(room) else { return true };
        let is_about = || fields.is_some_and(|fields| is_about(fields, who));
        match kind == MEMBER {
            true if room.is_direct => is_about(),
            true => room.members.contains(who) || is_about(),
            false => room.members.contains(who),
        }
    }

    /// The newest offset that somebody may be told of.
    pub fn head_for(&self, who: &PrincipalId) -> Offset {
        let rooms = self.of.get(who).into_iter().flatten();
        let last = rooms.filter_map(|room| self.rooms.get(room)).map(|room| room.last).max();
        let about = self.about.get(who).copied();
        self.public_head.max(last.unwrap_or(Offset(0))).max(about.unwrap_or(Offset(0)))
    }
}

fn is_membership(entry: &Entry) -> bool {
    matches!(entry.draft.content, Content::Member { .. })
}

/// Whether the fields of a change of a room's members are about somebody.
fn is_about(fields: &str, who: &PrincipalId) -> bool {
    let content = Content::from_fields(MEMBER, None, Extra::from_json(fields));
    matches!(content, Ok(Content::Member { who: about, .. }) if about.id == *who)
}

/// The members of a private room when it is made: those whom its maker lists, and the maker.
pub(super) fn members_of<'a>(
    private: &'a Private,
    maker: &'a PrincipalId,
) -> impl Iterator<Item = &'a PrincipalId> {
    private.members.iter().filter(move |who| *who != maker).chain([maker])
}

/// How the database names the two people of a direct message, whichever of them makes it.
pub(super) fn pair(one: &PrincipalId, other: &PrincipalId) -> String {
    let (first, second) = if one < other { (one, other) } else { (other, one) };
    // As JSON no two can be taken for another two.
    serde_json::json!([first, second]).to_string()
}

/// Whether somebody is a member of a private room now, in the open transaction.
pub(super) fn is_member(db: &Connection, room: i64, who: &PrincipalId) -> Result<bool> {
    let mut query =
        db.prepare_cached("SELECT 1 FROM member WHERE principal = ?1 AND room = ?2 AND is_member")?;
    Ok(query.exists(params![who.0, room])?)
}

/// Writes down what an entry at this place says of a member of a private room.
pub(super) fn set_member(
    db: &Connection,
    room: i64,
    who: &PrincipalId,
    is_member: bool,
    offset: Offset,
) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO member (principal, room, is_member, offset) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (principal, room) DO UPDATE SET is_member = excluded.is_member, offset = excluded.offset",
    )?
    .execute(params![who.0, room, is_member, int(offset)?])?;
    Ok(())
}

/// How many members a private room has.
pub(super) fn count_members(db: &Connection, room: i64) -> Result<usize> {
    let mut query = db.prepare_cached("SELECT count(*) FROM member WHERE room = ?1 AND is_member")?;
    let count: i64 = query.query_row([room], |row| row.get(0))?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

/// Who is in a private room, by id.
pub(super) fn members(db: &Connection, room: i64) -> Result<Vec<PrincipalId>> {
    let mut query =
        db.prepare_cached("SELECT principal FROM member WHERE room = ?1 AND is_member ORDER BY principal")?;
    let rows = query.query_map([room], |row| row.get(0).map(PrincipalId))?;
    Ok(rows.collect::<std::result::Result<_, _>>()?)
}

/// Which rooms are private, and who is in them, as far as a repaired log says. `is_damaged`: what was saved of members is
/// not all, so that the log decides.
pub(super) fn rebuild(db: &Connection, saved: &HashSet<i64>, is_damaged: bool) -> Result<()> {
    // A room whose row was lost must not become everybody's.
    let mut query = db.prepare("SELECT id FROM room")?;
    let rows: Vec<i64> = query.query_map((), |row| row.get(0))?.collect::<std::result::Result<_, _>>()?;
    for room in rows.into_iter().filter(|room| !saved.contains(room)) {
        let made: Option<String> = {
            let mut query = db.prepare_cached(
                "SELECT extra FROM entry WHERE room = ?1 AND kind = 'room' AND json_valid(extra) ORDER BY offset LIMIT 1",
            )?;
            let mut rows = query.query([room])?;
            rows.next()?.map(|row| row.get(0)).transpose()?
        };
        let private: Option<Private> = made
            .and_then(|json| serde_json::from_str::<serde_json::Value>(&json).ok())
            .and_then(|mut fields| serde_json::from_value(fields.get_mut("private")?.take()).ok());
        let is_known =
            private.is_some() || db.prepare_cached("SELECT 1 FROM member WHERE room = ?1")?.exists([room])?;
        if !is_known && !is_damaged {
            continue;
        }
        db.execute("UPDATE room SET private = 1 WHERE id = ?1 AND uid <> 'general'", [room])?;
        let has_members = db.prepare_cached("SELECT 1 FROM member WHERE room = ?1")?.exists([room])?;
        // Where nothing else is known, whoever wrote there was a member.
        db.execute(
            "INSERT OR IGNORE INTO member (principal, room, is_member, offset)
             SELECT principal, room, 1, min(offset) FROM entry
             WHERE room = ?1 AND NOT EXISTS (SELECT 1 FROM member WHERE room = ?1)
                 AND EXISTS (SELECT 1 FROM room WHERE id = ?1 AND private) GROUP BY principal",
            [room],
        )?;
        if !has_members {
            replay(db, Some(room))?;
        }
        if let Some(Private { direct: true, members }) = private
            && let Some(with) = members.first()
        {
            let by: String = db.query_row(
                "SELECT principal FROM entry WHERE room = ?1 AND kind = 'room' ORDER BY offset LIMIT 1",
                [room],
                |row| row.get(0),
            )?;
            db.execute(
                "UPDATE OR IGNORE room SET direct = ?2 WHERE id = ?1",
                params![room, pair(&PrincipalId(by), with)],
            )?;
        }
    }
    if is_damaged { replay(db, None) } else { Ok(()) }
}

/// Makes members of those whom the log's entries make members, and of nobody else whom they speak of; `only`: of this room.
fn replay(db: &Connection, only: Option<i64>) -> Result<()> {
    let mut query = db.prepare(
        "SELECT entry.room, entry.offset, kind, principal, extra, direct IS NOT NULL FROM entry JOIN room ON room.id = entry.room
         WHERE private AND kind IN ('room', 'member') AND json_valid(extra) AND (?1 IS NULL OR entry.room = ?1)
         ORDER BY entry.offset",
    )?;
    let mut rows = query.query([only])?;
    while let Some(row) = rows.next()? {
        let (room, offset): (i64, Offset) = (row.get(0)?, row.get(1)?);
        let (kind, by, extra): (String, String, String) = (row.get(2)?, row.get(3)?, row.get(4)?);
        let is_direct: bool = row.get(5)?;
        let extra = Extra::from_json(&extra);
        let Ok(content) = Content::from_fields(&kind, None, extra) else { continue };
        match &content {
            Content::Room { private: Some(private), .. } => {
                for who in members_of(private, &PrincipalId(by)) {
                    set_member(db, room, who, true, offset)?;
                }
            }
            Content::Member { who, change, .. } => {
                let is_member = is_direct || *change != MemberChange::Left;
                set_member(db, room, &who.id, is_member, offset)?;
            }
            _ => {}
        }
    }
    Ok(())
}
