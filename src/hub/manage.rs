//! What an admin asks for: lists of people, devices and invites, and changes of them. A running hub does it ([`run`]) and
//! ends the connections of those whom it concerns; while none runs, the console does it ([`manage_offline`]).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::task::spawn_blocking;

use super::sessions::Dismissal;
use super::state::{Hub, hash};
use super::{HubError, device, files, invite};
use crate::clock;
use crate::model::profile::Secret;
use crate::model::rights::{Invitation, MAX_INVITE_MS, Manage, Managed, Member, Unmanaged, proper_name};
use crate::model::time::WallMs;
use crate::model::{DeviceId, Principal, PrincipalId, PrincipalKind};
use crate::store::{Change, HubStore, NotChanged, StoreError};
use crate::wire::duplex::message::close;

const REMOVED: Dismissal =
    Dismissal { code: close::UNAUTHORIZED, reason: "your access was withdrawn", retry_after_ms: None };
const ROTATED: Dismissal =
    Dismissal { code: close::UNAUTHORIZED, reason: "your token was replaced", retry_after_ms: None };
const OTHER_RIGHTS: Dismissal =
    Dismissal { code: close::GOING_AWAY, reason: "your rights have changed", retry_after_ms: Some(0) };
/// What others are told of a device whose token was withdrawn.
const DEVICE_REMOVED: &str = "its token was withdrawn";

/// What a running hub needs to know for it beside its store.
#[derive(Debug)]
pub(super) struct Premises {
    /// Where the owner's token is.
    pub data_dir: PathBuf,
    /// The socket's URL, as others reach it.
    pub url: String,
    /// SHA-256 of its certificate, where it signed its own.
    pub fingerprint: Option<String>,
}

/// Who asks.
pub(super) struct Asker {
    /// Who.
    pub who: PrincipalId,
    /// Over which connection.
    pub session: Option<u64>,
}

/// What is to be done.
enum Plan {
    Page(List, String),
    Change(Change),
    /// The code, and until when it is good.
    Invite(Change, Secret, WallMs),
}

enum List {
    People,
    Devices,
    Invites,
}

/// Checks what was asked, and makes of it what the store takes.
fn plan(what: &Manage, by: Option<&PrincipalId>, now: WallMs) -> Result<Plan, Unmanaged> {
    let from = |after: &Option<String>| after.clone().unwrap_or_default();
    Ok(match what {
        Manage::People { after } => Plan::Page(List::People, from(after)),
        Manage::Devices { after } => Plan::Page(List::Devices, from(after)),
        Manage::Invites { after } => Plan::Page(List::Invites, from(after)),
        Manage::Invite { kind: PrincipalKind::Device, .. } => return Err(Unmanaged::BadKind),
        Manage::Invite { kind, expires_in_ms } => {
            let code = invite::new_code().map_err(|_| Unmanaged::Unavailable)?;
            let good_ms = i64::try_from((*expires_in_ms).min(MAX_INVITE_MS)).unwrap_or(i64::MAX);
            let expires_at = now.saturating_add(good_ms);
            let code_hash = hash(&invite::canonical(code.reveal()));
            let change = Change::Invite { code_hash, kind: *kind, by: by.cloned(), expires_at };
            Plan::Invite(change, code, expires_at)
        }
        Manage::RemoveInvite { invite } => Plan::Change(Change::RemoveInvite { id: invite.clone() }),
        Manage::AddDevice { who, name, token } => {
            let id = device::new_id(&who.0).map_err(|_| Unmanaged::BadId)?;
            let id = PrincipalId(id.to_string());
            let name = device::proper_name(name).map_err(|_| Unmanaged::BadName)?;
            Plan::Change(Change::AddDevice { id, name, token_hash: token_hash(token)? })
        }
        Manage::Rename { who, name } => {
            let name = proper_name(name).ok_or(Unmanaged::BadName)?;
            Plan::Change(Change::Rename { who: who.clone(), name })
        }
        Manage::Remove { who } => Plan::Change(Change::Remove { who: who.clone() }),
        Manage::SetKind { who, kind } => Plan::Change(Change::SetKind { who: who.clone(), kind: *kind }),
        Manage::RotateToken { who, token } => {
            Plan::Change(Change::Rotate { who: who.clone(), token_hash: token_hash(token)? })
        }
    })
}

fn token_hash(token: &Secret) -> Result<[u8; 32], Unmanaged> {
    let is_token = files::is_token(token.reveal());
    if is_token { Ok(hash(token.reveal())) } else { Err(Unmanaged::BadToken) }
}

fn refused(why: Unmanaged) -> Managed {
    Managed::Refused { why, detail: String::new() }
}

fn why(reason: NotChanged) -> Unmanaged {
    match reason {
        NotChanged::Unknown => Unmanaged::Unknown,
        NotChanged::LastAdmin => Unmanaged::LastAdmin,
        NotChanged::Owner => Unmanaged::Owner,
        NotChanged::BadToken => Unmanaged::BadToken,
        NotChanged::IdTaken => Unmanaged::BadId,
        NotChanged::BadKind => Unmanaged::BadKind,
        NotChanged::TooMany => Unmanaged::TooMany,
    }
}

/// A page of principals, as an admin sees them.
fn members(
    page: (Vec<(Principal, bool)>, Option<String>),
    owner: Option<&PrincipalId>,
    devices: bool,
) -> Managed {
    let (principals, next) = page;
    let member = |(who, online): (Principal, bool)| Member { owner: owner == Some(&who.id), online, who };
    let members = principals.into_iter().map(member).collect();
    if devices {
        Managed::Devices { devices: members, next }
    } else {
        Managed::People { people: members, next }
    }
}

fn invites((invites, next): (Vec<Invitation>, Option<String>)) -> Managed {
    Managed::Invites { invites, next }
}

// ----- While the hub runs -----

/// Does what an admin asks. What was begun is done to its end, also where whoever asked goes meanwhile.
pub(super) async fn run(hub: Arc<Hub>, asker: Asker, what: Manage) -> Managed {
    let doing = tokio::spawn(async move {
        let done = carry_out(&hub, &asker, what).await;
        done.unwrap_or_else(|error| {
            log::warn!("people, devices or invites cannot be read or changed: {error}");
            refused(Unmanaged::Unavailable)
        })
    });
    doing.await.unwrap_or_else(|_| refused(Unmanaged::Unavailable))
}

async fn carry_out(hub: &Arc<Hub>, asker: &Asker, what: Manage) -> Result<Managed, StoreError> {
    let now = clock::now().wall_ms;
    let plan = match plan(&what, Some(&asker.who), now) {
        Ok(plan) => plan,
        Err(why) => return Ok(refused(why)),
    };
    let (change, invited) = match plan {
        Plan::Page(List::Invites, after) => return hub.store.invites(after).await.map(invites),
        Plan::Page(list, after) => {
            let devices = matches!(list, List::Devices);
            let (principals, next) = hub.store.page(devices, after).await?;
            let owner = hub.store.owner().await?;
            return Ok(members((hub.registry.mark(principals.into_iter()), next), owner.as_ref(), devices));
        }
        Plan::Change(change) => (change, None),
        Plan::Invite(change, code, expires) => (change, Some((code, expires))),
    };
    let file = match &what {
        Manage::RotateToken { who, token } if hub.store.owner().await?.as_ref() == Some(who) => {
            Some(token.clone())
        }
        _ => None,
    };
    let changed = match (file, hub.premises.get()) {
        (Some(token), Some(premises)) => {
            // The file first: one that a crash leaves with a token that nobody has makes that the owner's at the next start.
            let dir = premises.data_dir.clone();
            let written = spawn_blocking(move || files::replace_token(&dir, &token)).await;
            let Ok(Ok(before)) = written else { return Ok(refused(Unmanaged::Unavailable)) };
            let changed = hub.store.change(change.clone(), now).await;
            if !matches!(changed, Ok(Ok(_))) {
                before.put_back();
            }
            changed?
        }
        _ => hub.store.change(change.clone(), now).await?,
    };
    let about = match changed {
        Ok(about) => about,
        Err(reason) => return Ok(refused(why(reason))),
    };
    if let Some(about) = about {
        follow_up(hub, asker, &change, &about);
    }
    Ok(invited.map_or(Managed::Done, |(code, expires)| told_invite(hub, code, expires)))
}

/// A new invite, with the address by which whoever gets it reaches the hub.
fn told_invite(hub: &Hub, code: Secret, expires: WallMs) -> Managed {
    let premises = hub.premises.get();
    match hub.lan.way() {
        Some(way) => Managed::Invited {
            code,
            expires,
            url: way.url,
            fingerprint: Some(way.fingerprint),
            also: way.also,
        },
        None => Managed::Invited {
            code,
            expires,
            url: premises.map_or_else(String::new, |premises| premises.url.clone()),
            fingerprint: premises.and_then(|premises| premises.fingerprint.clone()),
            also: Vec::new(),
        },
    }
}

/// What a change that is on disk means to those who are connected.
fn follow_up(hub: &Hub, asker: &Asker, change: &Change, about: &Principal) {
    hub.forget_people();
    let dismiss = |but, dismissal| hub.sessions.dismiss(&about.id, but, dismissal);
    let device = DeviceId::new(&about.id.0).ok().filter(|_| about.kind == PrincipalKind::Device);
    match change {
        Change::Rename { .. } => {
            hub.registry.rename(about);
            hub.sessions.rename(&about.id, &about.name);
            if let Some(device) = device {
                hub.fleet.rename(&device, &about.name);
            }
        }
        Change::Remove { .. } => {
            dismiss(None, REMOVED);
            hub.registry.remove(about);
            if let Some(device) = device {
                hub.fleet.withdraw(&device, DEVICE_REMOVED);
            }
        }
        Change::SetKind { .. } => dismiss(None, OTHER_RIGHTS),
        // Whoever makes a token of their own anew knows it.
        Change::Rotate { .. } => dismiss(asker.session.filter(|_| asker.who == about.id), ROTATED),
        Change::AddDevice { .. } => dismiss(None, ROTATED),
        Change::Invite { .. } | Change::RemoveInvite { .. } => {}
    }
}

/// Whether a client that came in by this token, and is among [`super::sessions::Sessions`] by now, may still be who it is:
/// its rights may have changed between the two.
pub(super) async fn confirm(
    hub: &Hub,
    credential: Option<[u8; 32]>,
    principal: &Principal,
) -> Result<Option<Dismissal>, StoreError> {
    let Some(credential) = credential else { return Ok(Some(REMOVED)) };
    Ok(match hub.store.principal_by_token_hash(credential).await? {
        Some(now) if now == *principal => None,
        Some(_) => Some(OTHER_RIGHTS),
        None => Some(REMOVED),
    })
}

// ----- While no hub runs -----

/// Does what the owner asks in the database of a hub that does not run. Blocks.
///
/// # Errors
/// Also when a hub runs on this directory: it is to be asked then, since it alone can end connections. An invite that was
/// made has no address.
pub fn manage_offline(data_dir: &Path, what: &Manage) -> Result<Managed, HubError> {
    if !files::is_there(data_dir) {
        return Err(HubError::NoHub { data_dir: data_dir.to_owned() });
    }
    let _lock = files::take(data_dir)?;
    let now = clock::now().wall_ms;
    let plan = match plan(what, None, now) {
        Ok(plan) => plan,
        Err(why) => return Ok(refused(why)),
    };
    let (change, invited) = match plan {
        Plan::Page(List::Invites, after) => return Ok(invites(HubStore::invites_offline(data_dir, &after)?)),
        Plan::Page(list, after) => {
            let devices = matches!(list, List::Devices);
            let (principals, next) = HubStore::page_offline(data_dir, devices, &after)?;
            let principals = principals.into_iter().map(|who| (who, false)).collect();
            let owner = HubStore::owner_offline(data_dir)?;
            return Ok(members((principals, next), owner.as_ref(), devices));
        }
        Plan::Change(change) => (change, None),
        Plan::Invite(change, code, expires) => (change, Some((code, expires))),
    };
    let before = match what {
        Manage::RotateToken { who, token } if HubStore::owner_offline(data_dir)?.as_ref() == Some(who) => {
            Some(files::replace_token(data_dir, token)?)
        }
        _ => None,
    };
    let changed = HubStore::change_offline(data_dir, &change, now);
    if let (Some(before), false) = (before, matches!(changed, Ok(Ok(_)))) {
        before.put_back();
    }
    Ok(match (changed?, invited) {
        (Err(reason), _) => refused(why(reason)),
        (Ok(_), Some((code, expires))) => {
            Managed::Invited { code, expires, url: String::new(), fingerprint: None, also: Vec::new() }
        }
        (Ok(_), None) => Managed::Done,
    })
}
