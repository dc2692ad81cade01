//! Principals, invites and read markers. Tokens and codes are here as hashes only, made by the caller.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::super::error::{StoreError, saturated, unsigned};
use super::InviteRefused;
use super::access;
use super::read::room_id;
use super::rights::{check_token, is_revoked, revoke_token_of};
use crate::model::time::WallMs;
use crate::model::{Offset, Principal, PrincipalId, PrincipalKind, Role, RoomId};

type Result<T> = std::result::Result<T, StoreError>;

pub(super) fn put_principal(db: &Connection, principal: &Principal, token_hash: [u8; 32]) -> Result<()> {
    if !check_token(db, token_hash, &principal.id)? {
        return Err(StoreError::Nonsense("a token that was withdrawn or is another's".to_owned()));
    }
    revoke_token_of(db, &principal.id, Some(token_hash))?;
    db.prepare_cached(
        "INSERT INTO principal (id, kind, name, token_hash, role) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (id) DO UPDATE SET
             kind = excluded.kind, name = excluded.name, token_hash = excluded.token_hash, role = excluded.role",
    )?
    .execute(params![
        principal.id.0,
        kind_text(principal.kind),
        principal.name,
        token_hash,
        principal.role().min(Role::Operator).word()
    ])?;
    Ok(())
}

/// Makes a device's principal, or gives the one there is this name and token. `false`: somebody else has this id.
pub(super) fn put_device(
    db: &Connection,
    id: &PrincipalId,
    name: &str,
    token_hash: [u8; 32],
) -> Result<bool> {
    let known: Option<String> = db
        .prepare_cached("SELECT kind FROM principal WHERE id = ?1")?
        .query_row([&id.0], |row| row.get(0))
        .optional()?;
    if known.is_some_and(|kind| kind != "device") || !check_token(db, token_hash, id)? {
        return Ok(false);
    }
    revoke_token_of(db, id, Some(token_hash))?;
    let put = db
        .prepare_cached(
            "INSERT INTO principal (id, kind, name, token_hash) VALUES (?1, 'device', ?2, ?3)
             ON CONFLICT (id) DO UPDATE SET name = excluded.name, token_hash = excluded.token_hash
             WHERE kind = 'device'",
        )?
        .execute(params![id.0, name, token_hash])?;
    Ok(put > 0)
}

pub(super) fn by_token_hash(db: &Connection, token_hash: [u8; 32]) -> Result<Option<Principal>> {
    let mut query = db.prepare_cached("SELECT id, kind, name, role FROM principal WHERE token_hash = ?1")?;
    query.query_row([token_hash], |row| Ok(principal(row))).optional()?.transpose()
}

pub(super) fn principals(db: &Connection) -> Result<Vec<Principal>> {
    let mut query = db.prepare_cached("SELECT id, kind, name, role FROM principal ORDER BY name, id")?;
    let mut rows = query.query(())?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(principal(row)?);
    }
    Ok(all)
}

/// What [`redeem`] needs to know.
pub(super) struct Redeem {
    pub code_hash: [u8; 32],
    pub name: String,
    pub token_hash: [u8; 32],
    pub new_id: PrincipalId,
    pub now: WallMs,
    /// Most people; 0 is no limit.
    pub most: u32,
}

/// Who comes with an invite again, because the answer was lost, is known by the token it has made itself.
/// What an invite makes of whoever uses it (kind and role), until when it is good, and who used it.
type FoundInvite = ((String, String), WallMs, Option<String>);

fn invite(db: &Connection, code_hash: [u8; 32]) -> Result<Option<FoundInvite>> {
    let mut query =
        db.prepare_cached("SELECT kind, role, expires_at, redeemed_by FROM invite WHERE code_hash = ?1")?;
    let read = |row: &Row<'_>| Ok(((row.get(0)?, row.get(1)?), row.get(2)?, row.get(3)?));
    Ok(query.query_row([code_hash], read).optional()?)
}

/// Whether there are as many people as there may be; 0 is no limit.
fn is_full(db: &Connection, most: u32) -> Result<bool> {
    let count = "SELECT count(*) FROM principal WHERE kind <> 'device'";
    let people: i64 = db.prepare_cached(count)?.query_row((), |row| row.get(0))?;
    Ok(most > 0 && unsigned(people) >= u64::from(most))
}

/// Until when somebody new can redeem this invite.
pub(super) fn check_invite(
    db: &Connection,
    code_hash: [u8; 32],
    now: WallMs,
    most: u32,
) -> Result<std::result::Result<WallMs, InviteRefused>> {
    Ok(match invite(db, code_hash)? {
        None => Err(InviteRefused::Unknown),
        Some((.., Some(_))) => Err(InviteRefused::Used),
        Some((_, expires, _)) if now >= expires => Err(InviteRefused::Expired),
        Some(_) if is_full(db, most)? => Err(InviteRefused::Full),
        Some((_, expires, _)) => Ok(expires),
    })
}

pub(super) fn redeem(
    db: &Connection,
    with: &Redeem,
) -> Result<std::result::Result<Principal, InviteRefused>> {
    let Some(((kind, role), expires_at, redeemed_by)) = invite(db, with.code_hash)? else {
        return Ok(Err(InviteRefused::Unknown));
    };
    if is_revoked(db, with.token_hash)? {
        return Ok(Err(InviteRefused::Withdrawn));
    }
    if let Some(redeemed_by) = redeemed_by {
        let same = by_token_hash(db, with.token_hash)?.filter(|principal| principal.id.0 == redeemed_by);
        return Ok(same.ok_or(InviteRefused::Used));
    }
    if with.now >= expires_at {
        return Ok(Err(InviteRefused::Expired));
    }
    if is_full(db, with.most)? {
        return Ok(Err(InviteRefused::Full));
    }
    // A plain insert: an id or a token that is somebody's already is an error, and nobody is taken over.
    db.prepare_cached(
        "INSERT INTO principal (id, kind, name, token_hash, role) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![with.new_id.0, kind, with.name, with.token_hash, role])?;
    db.prepare_cached(
        "UPDATE invite SET redeemed_by = ?2, redeemed_name = ?3, redeemed_at = ?4 WHERE code_hash = ?1",
    )?
    .execute(params![with.code_hash, with.new_id.0, with.name, with.now])?;
    let new = by_token_hash(db, with.token_hash)?;
    new.map(Ok).ok_or_else(|| StoreError::Nonsense("somebody who was just made is not there".to_owned()))
}

pub(super) fn set_read(
    db: &Connection,
    principal: &PrincipalId,
    room: &RoomId,
    offset: Offset,
) -> Result<bool> {
    let Some(row) = room_id(db, room)? else {
        return Ok(false);
    };
    let is_private: bool =
        db.prepare_cached("SELECT private FROM room WHERE id = ?1")?.query_row([row], |row| row.get(0))?;
    if is_private && !access::is_member(db, row, principal)? {
        return Ok(false);
    }
    let room = row;
    // Never beyond what is in the room, which says nothing of other rooms.
    let moved = db
        .prepare_cached(
            "INSERT INTO read_marker (principal, room, offset)
             SELECT ?1, ?2, min(?3, coalesce(max(entry.offset), (SELECT room.offset FROM room WHERE room.id = ?2)))
             FROM entry WHERE entry.room = ?2
             ON CONFLICT (principal, room) DO UPDATE SET offset = excluded.offset
             WHERE excluded.offset > offset",
        )?
        .execute(params![principal.0, room, saturated(offset)])?;
    Ok(moved > 0)
}

/// Moves a read marker back. Returns whether it moved.
pub(super) fn set_unread(
    db: &Connection,
    principal: &PrincipalId,
    room: &RoomId,
    offset: Offset,
) -> Result<bool> {
    let Some(room) = room_id(db, room)? else {
        return Ok(false);
    };
    // A marker at 0 is none.
    let sql = match offset.0 {
        0 => "DELETE FROM read_marker WHERE principal = ?1 AND room = ?2 AND offset > ?3",
        _ => "UPDATE read_marker SET offset = ?3 WHERE principal = ?1 AND room = ?2 AND offset > ?3",
    };
    Ok(db.prepare_cached(sql)?.execute(params![principal.0, room, saturated(offset)])? > 0)
}

pub(super) fn reads(db: &Connection, principal: &PrincipalId) -> Result<Vec<(RoomId, Offset)>> {
    let mut query = db.prepare_cached(
        "SELECT uid, read_marker.offset FROM read_marker JOIN room ON room.id = read_marker.room
         WHERE principal = ?1 ORDER BY room.offset",
    )?;
    let mut rows = query.query([&principal.0])?;
    let mut reads = Vec::new();
    while let Some(row) = rows.next()? {
        let room =
            RoomId::new(row.get::<_, String>(0)?).map_err(|error| StoreError::Nonsense(error.to_string()))?;
        reads.push((room, row.get(1)?));
    }
    Ok(reads)
}

pub(super) fn principal(row: &Row<'_>) -> Result<Principal> {
    let kind: String = row.get(1)?;
    let kind = kind_from(&kind)?;
    let word: String = row.get(3)?;
    // A role of a later version may mean less than any that this one knows.
    let role = Role::from_word(&word).unwrap_or(Role::Guest);
    let role = match kind {
        PrincipalKind::Admin => Some(Role::Admin),
        PrincipalKind::Person => Some(role.min(Role::Operator)),
        PrincipalKind::Device => None,
    };
    Ok(Principal { id: PrincipalId(row.get(0)?), kind, name: row.get(2)?, role })
}

pub(super) fn kind_text(kind: PrincipalKind) -> &'static str {
    match kind {
        PrincipalKind::Person => "person",
        PrincipalKind::Device => "device",
        PrincipalKind::Admin => "admin",
    }
}

pub(super) fn kind_from(text: &str) -> Result<PrincipalKind> {
    match text {
        "person" => Ok(PrincipalKind::Person),
        "device" => Ok(PrincipalKind::Device),
        "admin" => Ok(PrincipalKind::Admin),
        other => Err(StoreError::Nonsense(format!("the principal kind {other:?}"))),
    }
}

/// What people say of themselves, as far as they say anything.
pub(super) fn statuses(db: &Connection) -> Result<Vec<(PrincipalId, String)>> {
    let mut query = db.prepare_cached("SELECT id, status FROM principal WHERE status <> ''")?;
    let rows = query.query_map((), |row| Ok((PrincipalId(row.get(0)?), row.get(1)?)))?;
    Ok(rows.collect::<std::result::Result<_, _>>()?)
}

pub(super) fn set_status(db: &Connection, who: &PrincipalId, status: &str) -> Result<()> {
    db.prepare_cached("UPDATE principal SET status = ?2 WHERE id = ?1")?.execute(params![who.0, status])?;
    Ok(())
}
