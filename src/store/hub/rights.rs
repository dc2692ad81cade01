//! Rights that are given and taken back: the owner, changes of principals and invites, and the tokens that are good for
//! nothing any more.

use data_encoding::HEXLOWER;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::super::error::StoreError;
use super::people::{by_token_hash, kind_from, kind_text, principal, put_device, put_principal};
use crate::model::rights::Invitation;
use crate::model::time::WallMs;
use crate::model::{Principal, PrincipalId, PrincipalKind, Role, Sender};

type Result<T> = std::result::Result<T, StoreError>;

/// Maximum number of invites that are good and not used.
pub const MAX_OPEN_INVITES: i64 = 1_000;
/// Maximum number of invites that are kept, used and expired ones included. The oldest that are good for nothing go first.
pub const MAX_KEPT_INVITES: i64 = 10_000;
/// Entries on one page of a list: a thousand bytes each at most, so that a page is well below the largest frame.
pub const PAGE: u32 = 200;
/// Hexadecimal digits of a hash that make an invite's id.
const ID_DIGITS: u32 = 10;

/// A change of who may do what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A device is given a token, or another one.
    AddDevice {
        /// Which.
        id: PrincipalId,
        /// Its name for people; empty: it goes by its id, or keeps its name.
        name: String,
        /// The token's hash.
        token_hash: [u8; 32],
    },
    /// Somebody has another name from now on.
    Rename {
        /// Who.
        who: PrincipalId,
        /// The name.
        name: String,
    },
    /// Somebody has no token any more.
    Remove {
        /// Who.
        who: PrincipalId,
    },
    /// A person is an admin from now on, or an admin a person.
    SetKind {
        /// Who.
        who: PrincipalId,
        /// What.
        kind: PrincipalKind,
    },
    /// A person has another role from now on; an admin is made and unmade by it.
    SetRole {
        /// Who.
        who: PrincipalId,
        /// What.
        role: Role,
    },
    /// Somebody has another token from now on.
    Rotate {
        /// Who.
        who: PrincipalId,
        /// The token's hash.
        token_hash: [u8; 32],
    },
    /// An invite is made.
    Invite {
        /// The code's hash.
        code_hash: [u8; 32],
        /// What whoever uses it becomes.
        kind: PrincipalKind,
        /// Their role, where they are no admin.
        role: Role,
        /// Who makes it; none: whoever has the data directory, who is the owner.
        by: Option<PrincipalId>,
        /// Until when it is good.
        expires_at: WallMs,
    },
    /// An invite is good for nothing any more.
    RemoveInvite {
        /// Its id.
        id: String,
    },
}

/// Why nothing was changed.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum NotChanged {
    /// There is nobody and nothing of this id.
    Unknown,
    /// Nobody would be left who may change anything.
    LastAdmin,
    /// It is the owner.
    Owner,
    /// The token is another's, or was withdrawn.
    BadToken,
    /// A person has this id.
    IdTaken,
    /// A device does not become a person, nor a person a device.
    BadKind,
    /// There are as many as there may be.
    TooMany,
}

/// Why the token in the data directory makes nobody the owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnerRefused {
    /// It was withdrawn.
    Withdrawn,
    /// It is the token of somebody who is no admin.
    NotAdmin {
        /// Whose.
        name: String,
    },
}

/// The owner, as a start finds them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Who.
    pub who: Principal,
    /// Admins whom nobody invited: owners of before, by a token that was lost or replaced and works still. Found once, when
    /// a database of an earlier version is first asked who the owner is.
    pub former: Vec<Principal>,
}

// ----- Tokens -----

pub(super) fn is_revoked(db: &Connection, token_hash: [u8; 32]) -> Result<bool> {
    let mut query = db.prepare_cached("SELECT EXISTS (SELECT 1 FROM revoked WHERE hash = ?1)")?;
    Ok(query.query_row([token_hash], |row| row.get(0))?)
}

/// Whether this principal may have this token: it was never withdrawn, and is nobody else's.
pub(super) fn check_token(db: &Connection, token_hash: [u8; 32], of: &PrincipalId) -> Result<bool> {
    let other = by_token_hash(db, token_hash)?.is_some_and(|principal| principal.id != *of);
    Ok(!other && !is_revoked(db, token_hash)?)
}

/// Withdraws the token that a principal has, unless it is the one to keep.
pub(super) fn revoke_token_of(db: &Connection, who: &PrincipalId, keep: Option<[u8; 32]>) -> Result<()> {
    db.prepare_cached(
        "INSERT OR IGNORE INTO revoked (hash)
         SELECT token_hash FROM principal WHERE id = ?1 AND token_hash IS NOT ?2",
    )?
    .execute(params![who.0, keep])?;
    Ok(())
}

fn set_token(db: &Connection, who: &PrincipalId, token_hash: [u8; 32]) -> Result<()> {
    revoke_token_of(db, who, Some(token_hash))?;
    db.prepare_cached("UPDATE principal SET token_hash = ?2 WHERE id = ?1")?
        .execute(params![who.0, token_hash])?;
    Ok(())
}

// ----- The owner -----

/// Who the owner is, if that is known.
pub(super) fn owner(db: &Connection) -> Result<Option<PrincipalId>> {
    let mut query = db.prepare_cached("SELECT principal FROM owner")?;
    Ok(query.query_row((), |row| row.get(0).map(PrincipalId)).optional()?)
}

fn set_owner(db: &Connection, who: &PrincipalId) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO owner (id, principal) VALUES (1, ?1)
         ON CONFLICT (id) DO UPDATE SET principal = excluded.principal",
    )?
    .execute([&who.0])?;
    Ok(())
}

/// Sees to it that the token in the data directory is an admin's. One that nobody has becomes the owner's, and the one that
/// the owner had before is good for nothing from then on; where there is no owner, `new` becomes it.
pub(super) fn settle_owner(
    db: &Connection,
    token_hash: [u8; 32],
    new: &Principal,
) -> Result<std::result::Result<Owner, OwnerRefused>> {
    if is_revoked(db, token_hash)? {
        return Ok(Err(OwnerRefused::Withdrawn));
    }
    let marked = match owner(db)? {
        Some(id) => find(db, &id)?,
        None => None,
    };
    let (who, is_first) = match (by_token_hash(db, token_hash)?, marked) {
        (Some(who), _) if who.kind != PrincipalKind::Admin => {
            return Ok(Err(OwnerRefused::NotAdmin { name: who.name }));
        }
        // Whoever put another admin's token there has the directory, and with it the hub.
        (Some(who), Some(_)) => return Ok(Ok(Owner { who, former: Vec::new() })),
        (Some(who), None) => (who, true),
        (None, Some(who)) => (who, false),
        (None, None) => (uninvited(db)?.into_iter().next().unwrap_or_else(|| new.clone()), true),
    };
    let who = Principal { kind: PrincipalKind::Admin, ..who };
    put_principal(db, &who, token_hash)?;
    set_owner(db, &who.id)?;
    let mut former = if is_first { uninvited(db)? } else { Vec::new() };
    former.retain(|admin| admin.id != who.id);
    Ok(Ok(Owner { who, former }))
}

/// Admins who did not come by an invite, in the order in which they were made.
fn uninvited(db: &Connection) -> Result<Vec<Principal>> {
    let mut query = db.prepare_cached(
        "SELECT id, kind, name, role FROM principal WHERE kind = 'admin'
         AND id NOT IN (SELECT redeemed_by FROM invite WHERE redeemed_by IS NOT NULL) ORDER BY rowid",
    )?;
    all(query.query(())?)
}

// ----- Lists -----

pub(super) fn find(db: &Connection, who: &PrincipalId) -> Result<Option<Principal>> {
    let mut query = db.prepare_cached("SELECT id, kind, name, role FROM principal WHERE id = ?1")?;
    query.query_row([&who.0], |row| Ok(principal(row))).optional()?.transpose()
}

fn all(mut rows: rusqlite::Rows<'_>) -> Result<Vec<Principal>> {
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(principal(row)?);
    }
    Ok(all)
}

/// A page of those who have a token: devices, or everybody else; and what the next page begins after.
pub(super) fn page(db: &Connection, devices: bool, after: &str) -> Result<(Vec<Principal>, Option<String>)> {
    let mut query = db.prepare_cached(
        "SELECT id, kind, name, role FROM principal WHERE (kind = 'device') = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
    )?;
    let mut page = all(query.query(params![devices, after, PAGE + 1])?)?;
    let more = page.len() > PAGE as usize;
    page.truncate(PAGE as usize);
    let next = page.last().filter(|_| more).map(|last| last.id.0.clone());
    Ok((page, next))
}

/// A page of the invites, the newest first; and what the next page begins after.
pub(super) fn invites(db: &Connection, after: &str) -> Result<(Vec<Invitation>, Option<String>)> {
    let before = after.parse::<i64>().unwrap_or(i64::MAX);
    let mut query = db.prepare_cached(
        "SELECT rowid, code_hash, kind, made_by, made_name, made_at, expires_at,
                redeemed_by, redeemed_name, redeemed_at, role
         FROM invite WHERE rowid < ?1 ORDER BY rowid DESC LIMIT ?2",
    )?;
    let mut rows = query.query(params![before, PAGE + 1])?;
    let (mut page, mut last, mut next) = (Vec::new(), 0, None);
    while let Some(row) = rows.next()? {
        if page.len() == PAGE as usize {
            next = Some(last.to_string());
            break;
        }
        last = row.get::<_, i64>(0)?;
        page.push(invitation(row)?);
    }
    Ok((page, next))
}

fn invitation(row: &Row<'_>) -> Result<Invitation> {
    let somebody = |id: Option<String>, name: Option<String>| {
        id.map(|id| Sender { name: name.unwrap_or_else(|| id.clone()), id: PrincipalId(id) })
    };
    let (kind, role): (String, String) = (row.get(2)?, row.get(10)?);
    Ok(Invitation {
        id: invite_id(&row.get(1)?),
        kind: kind_from(&kind)?,
        role: match kind_from(&kind)? {
            PrincipalKind::Admin => Some(Role::Admin),
            _ => Role::from_word(&role),
        },
        by: somebody(row.get(3)?, row.get(4)?),
        made: row.get(5)?,
        expires: row.get(6)?,
        used_by: somebody(row.get(7)?, row.get(8)?),
        used: row.get(9)?,
    })
}

/// What an invite goes by: the beginning of its code's hash, which says nothing of the code.
fn invite_id(code_hash: &[u8; 32]) -> String {
    HEXLOWER.encode(&code_hash[..ID_DIGITS as usize / 2])
}

// ----- Changes -----

/// Changes who may do what. Returns whom it was about: as they are now, or as they were when they were removed; nobody
/// where it was an invite.
pub(super) fn change(
    db: &Connection,
    change: &Change,
    now: WallMs,
) -> Result<std::result::Result<Option<Principal>, NotChanged>> {
    match change {
        Change::AddDevice { id, name, token_hash } => add_device(db, id, name, *token_hash),
        Change::Invite { code_hash, kind, role, by, expires_at } => {
            let (kind, by) = (*kind, by.as_ref());
            let invite = NewInvite { code_hash: *code_hash, kind, role: *role, by, expires_at: *expires_at };
            Ok(create_invite(db, &invite, now)?.map(|()| None))
        }
        Change::RemoveInvite { id } => Ok(remove_invite(db, id)?.map(|()| None)),
        Change::Rename { who, .. }
        | Change::Remove { who }
        | Change::SetKind { who, .. }
        | Change::SetRole { who, .. }
        | Change::Rotate { who, .. } => match find(db, who)? {
            Some(found) => Ok(change_principal(db, change, found)?.map(Some)),
            None => Ok(Err(NotChanged::Unknown)),
        },
    }
}

fn change_principal(
    db: &Connection,
    change: &Change,
    found: Principal,
) -> Result<std::result::Result<Principal, NotChanged>> {
    let who = found.id.clone();
    match change {
        Change::Rename { name, .. } => {
            db.prepare_cached("UPDATE principal SET name = ?2 WHERE id = ?1")?
                .execute(params![who.0, name])?;
            Ok(Ok(Principal { name: name.clone(), ..found }))
        }
        Change::Remove { .. } => {
            if let Some(reason) = keeps_rights(db, &found)? {
                return Ok(Err(reason));
            }
            revoke_token_of(db, &who, None)?;
            db.prepare_cached("DELETE FROM read_marker WHERE principal = ?1")?.execute([&who.0])?;
            db.prepare_cached("DELETE FROM receipt WHERE principal = ?1")?.execute([&who.0])?;
            db.prepare_cached("DELETE FROM absent WHERE principal = ?1")?.execute([&who.0])?;
            db.prepare_cached("DELETE FROM principal WHERE id = ?1")?.execute([&who.0])?;
            Ok(Ok(found))
        }
        Change::SetKind { kind, .. } => {
            let is_device = |kind| kind == PrincipalKind::Device;
            if is_device(*kind) || is_device(found.kind) {
                return Ok(Err(NotChanged::BadKind));
            }
            if *kind != PrincipalKind::Admin
                && let Some(reason) = keeps_rights(db, &found)?
            {
                return Ok(Err(reason));
            }
            db.prepare_cached("UPDATE principal SET kind = ?2 WHERE id = ?1")?
                .execute(params![who.0, kind_text(*kind)])?;
            Ok(find(db, &who)?.ok_or(NotChanged::Unknown))
        }
        Change::SetRole { role, .. } => {
            if found.kind == PrincipalKind::Device {
                return Ok(Err(NotChanged::BadKind));
            }
            if *role != Role::Admin
                && let Some(reason) = keeps_rights(db, &found)?
            {
                return Ok(Err(reason));
            }
            db.prepare_cached("UPDATE principal SET kind = ?2, role = ?3 WHERE id = ?1")?
                .execute(params![who.0, kind_text(role.kind()), role.min(&Role::Operator).word()])?;
            Ok(Ok(Principal { kind: role.kind(), role: Some(*role), ..found }))
        }
        Change::Rotate { token_hash, .. } => {
            if !check_token(db, *token_hash, &who)? {
                return Ok(Err(NotChanged::BadToken));
            }
            set_token(db, &who, *token_hash)?;
            Ok(Ok(found))
        }
        // `change` takes care of the rest.
        _ => Ok(Err(NotChanged::Unknown)),
    }
}

/// Why this principal's rights must not be taken away, if they must not.
fn keeps_rights(db: &Connection, who: &Principal) -> Result<Option<NotChanged>> {
    if who.kind != PrincipalKind::Admin {
        return Ok(None);
    }
    let mut query =
        db.prepare_cached("SELECT EXISTS (SELECT 1 FROM principal WHERE kind = 'admin' AND id != ?1)")?;
    if !query.query_row([&who.id.0], |row| row.get::<_, bool>(0))? {
        return Ok(Some(NotChanged::LastAdmin));
    }
    Ok((owner(db)?.as_ref() == Some(&who.id)).then_some(NotChanged::Owner))
}

fn add_device(
    db: &Connection,
    id: &PrincipalId,
    name: &str,
    token_hash: [u8; 32],
) -> Result<std::result::Result<Option<Principal>, NotChanged>> {
    let known = find(db, id)?;
    if known.as_ref().is_some_and(|known| known.kind != PrincipalKind::Device) {
        return Ok(Err(NotChanged::IdTaken));
    }
    let name = match (name, known) {
        ("", Some(known)) => known.name,
        (name, _) => name.to_owned(),
    };
    if !put_device(db, id, &name, token_hash)? {
        return Ok(Err(NotChanged::BadToken));
    }
    Ok(Ok(Some(Principal { id: id.clone(), kind: PrincipalKind::Device, name, role: None })))
}

/// What [`create_invite`] needs to know.
pub(super) struct NewInvite<'a> {
    pub code_hash: [u8; 32],
    pub kind: PrincipalKind,
    pub role: Role,
    pub by: Option<&'a PrincipalId>,
    pub expires_at: WallMs,
}

pub(super) fn create_invite(
    db: &Connection,
    invite: &NewInvite<'_>,
    now: WallMs,
) -> Result<std::result::Result<(), NotChanged>> {
    let mut open =
        db.prepare_cached("SELECT count(*) FROM invite WHERE redeemed_by IS NULL AND expires_at > ?1")?;
    if open.query_row([now], |row| row.get::<_, i64>(0))? >= MAX_OPEN_INVITES {
        return Ok(Err(NotChanged::TooMany));
    }
    db.prepare_cached(
        "DELETE FROM invite WHERE rowid IN (
             SELECT rowid FROM invite WHERE redeemed_by IS NOT NULL OR expires_at <= ?1 ORDER BY rowid
             LIMIT max(0, (SELECT count(*) FROM invite) - ?2))",
    )?
    .execute(params![now, MAX_KEPT_INVITES - 1])?;
    let by = match invite.by {
        Some(by) => Some(by.clone()),
        None => owner(db)?,
    };
    db.prepare_cached(
        "INSERT INTO invite (code_hash, kind, expires_at, made_by, made_name, made_at, role)
         VALUES (?1, ?2, ?3, ?4, (SELECT name FROM principal WHERE id = ?4), ?5, ?6)",
    )?
    .execute(params![
        invite.code_hash,
        kind_text(invite.kind),
        invite.expires_at,
        by.map(|by| by.0),
        now,
        invite.role.min(Role::Operator).word()
    ])?;
    Ok(Ok(()))
}

/// Without its row an invite's code is one that never was.
fn remove_invite(db: &Connection, id: &str) -> Result<std::result::Result<(), NotChanged>> {
    let is_id = id.len() == ID_DIGITS as usize && id.bytes().all(|digit| digit.is_ascii_hexdigit());
    if !is_id {
        return Ok(Err(NotChanged::Unknown));
    }
    let mut delete =
        db.prepare_cached("DELETE FROM invite WHERE lower(hex(substr(code_hash, 1, ?2))) = lower(?1)")?;
    let removed = delete.execute(params![id, ID_DIGITS / 2])?;
    Ok(if removed > 0 { Ok(()) } else { Err(NotChanged::Unknown) })
}
