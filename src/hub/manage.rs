//! Administration: lists and changes of people, devices and invites. A running hub carries it out with [`run`] and
//! closes the affected connections; while none runs, the console uses [`manage_offline`].

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::task::spawn_blocking;

use super::sessions::Dismissal;
use super::state::{Hub, hash};
use super::{HubError, device, files, invite};
use crate::clock;
use crate::model::profile::Secret;
use crate::model::rights::{
    Invitation, MAX_INVITE_MS, ManageAnswer, ManageRefusal, ManageRequest, Member, proper_name,
};
use crate::model::time::WallMs;
use crate::model::{DeviceId, Principal, PrincipalId, PrincipalKind, Role};
use crate::store::{Change, HubStore, NotChanged, StoreError};
use crate::wire::duplex::message::{PersonState, close};

const REMOVED: Dismissal =
    Dismissal { code: close::UNAUTHORIZED, reason: "your access was withdrawn", retry_after_ms: None };
const ROTATED: Dismissal =
    Dismissal { code: close::UNAUTHORIZED, reason: "your token was replaced", retry_after_ms: None };
const OTHER_RIGHTS: Dismissal =
    Dismissal { code: close::GOING_AWAY, reason: "your rights have changed", retry_after_ms: Some(0) };
/// Reason sent to others when a device's token was withdrawn.
const DEVICE_REMOVED: &str = "its token was withdrawn";

/// What a running hub needs for this besides its store.
#[derive(Debug)]
pub(super) struct ManageContext {
    /// The directory of the owner's token.
    pub data_dir: PathBuf,
    /// The socket's URL as other computers reach it.
    pub url: String,
    /// SHA-256 of its certificate, if it is self-signed.
    pub fingerprint: Option<String>,
}

/// The admin who made a request.
pub(super) struct Asker {
    /// The admin's id.
    pub who: PrincipalId,
    /// The connection that made the request.
    pub session: Option<u64>,
}

/// A checked request.
enum Plan {
    Page(List, String),
    Change(Change),
    /// An invite: the change, its code and when it expires.
    Invite(Change, Secret, WallMs),
}

enum List {
    People,
    Devices,
    Invites,
}

/// Checks a request and turns it into an operation of the store.
fn plan(what: &ManageRequest, by: Option<&PrincipalId>, now: WallMs) -> Result<Plan, ManageRefusal> {
    let from = |after: &Option<String>| after.clone().unwrap_or_default();
    Ok(match what {
        ManageRequest::People { after } => Plan::Page(List::People, from(after)),
        ManageRequest::Devices { after } => Plan::Page(List::Devices, from(after)),
        ManageRequest::Invites { after } => Plan::Page(List::Invites, from(after)),
        ManageRequest::Invite { kind: PrincipalKind::Device, .. } => return Err(ManageRefusal::BadKind),
        ManageRequest::Invite { kind, role, expires_in_ms } => {
            let code = invite::new_code().map_err(|_| ManageRefusal::Unavailable)?;
            let good_ms = i64::try_from((*expires_in_ms).min(MAX_INVITE_MS)).unwrap_or(i64::MAX);
            let expires_at = now.saturating_add(good_ms);
            let code_hash = hash(&invite::canonical(code.reveal()));
            let role = role.unwrap_or(Role::Operator);
            // The role `admin` in an invite makes an admin by kind as well.
            let kind = if role == Role::Admin { PrincipalKind::Admin } else { *kind };
            let change = Change::Invite { code_hash, kind, role, by: by.cloned(), expires_at };
            Plan::Invite(change, code, expires_at)
        }
        ManageRequest::RemoveInvite { invite } => Plan::Change(Change::RemoveInvite { id: invite.clone() }),
        ManageRequest::AddDevice { who, name, token } => {
            let id = device::new_id(&who.0).map_err(|_| ManageRefusal::BadId)?;
            let id = PrincipalId(id.to_string());
            let name = device::proper_name(name).map_err(|_| ManageRefusal::BadName)?;
            Plan::Change(Change::AddDevice { id, name, token_hash: token_hash(token)? })
        }
        ManageRequest::Rename { who, name } => {
            let name = proper_name(name).ok_or(ManageRefusal::BadName)?;
            Plan::Change(Change::Rename { who: who.clone(), name })
        }
        ManageRequest::Remove { who } => Plan::Change(Change::Remove { who: who.clone() }),
        ManageRequest::SetKind { who, kind } => {
            Plan::Change(Change::SetKind { who: who.clone(), kind: *kind })
        }
        ManageRequest::SetRole { who, role } => {
            Plan::Change(Change::SetRole { who: who.clone(), role: *role })
        }
        ManageRequest::RotateToken { who, token } => {
            Plan::Change(Change::Rotate { who: who.clone(), token_hash: token_hash(token)? })
        }
    })
}

fn token_hash(token: &Secret) -> Result<[u8; 32], ManageRefusal> {
    let is_token = files::is_token(token.reveal());
    if is_token { Ok(hash(token.reveal())) } else { Err(ManageRefusal::BadToken) }
}

fn refused(why: ManageRefusal) -> ManageAnswer {
    ManageAnswer::Refused { why, detail: String::new() }
}

fn why(reason: NotChanged) -> ManageRefusal {
    match reason {
        NotChanged::Unknown => ManageRefusal::Unknown,
        NotChanged::LastAdmin => ManageRefusal::LastAdmin,
        NotChanged::Owner => ManageRefusal::Owner,
        NotChanged::BadToken => ManageRefusal::BadToken,
        NotChanged::IdTaken => ManageRefusal::BadId,
        NotChanged::BadKind => ManageRefusal::BadKind,
        NotChanged::TooMany => ManageRefusal::TooMany,
    }
}

/// A page of principals as shown to an admin.
fn members(
    page: (Vec<PersonState>, Option<String>),
    owner: Option<&PrincipalId>,
    devices: bool,
) -> ManageAnswer {
    let (principals, next) = page;
    let member = |PersonState { who, online, .. }| Member { owner: owner == Some(&who.id), online, who };
    let members = principals.into_iter().map(member).collect();
    if devices {
        ManageAnswer::Devices { devices: members, next }
    } else {
        ManageAnswer::People { people: members, next }
    }
}

fn invites((invites, next): (Vec<Invitation>, Option<String>)) -> ManageAnswer {
    ManageAnswer::Invites { invites, next }
}

// ----- While the hub runs -----

/// Carries out an admin's request. It runs to completion even if the admin disconnects.
pub(super) async fn run(hub: Arc<Hub>, asker: Asker, what: ManageRequest) -> ManageAnswer {
    let doing = tokio::spawn(async move {
        let done = carry_out(&hub, &asker, what).await;
        done.unwrap_or_else(|error| {
            log::warn!("cannot read or change people, devices or invites: {error}");
            refused(ManageRefusal::Unavailable)
        })
    });
    doing.await.unwrap_or_else(|_| refused(ManageRefusal::Unavailable))
}

async fn carry_out(hub: &Arc<Hub>, asker: &Asker, what: ManageRequest) -> Result<ManageAnswer, StoreError> {
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
        ManageRequest::RotateToken { who, token } if hub.store.owner().await?.as_ref() == Some(who) => {
            Some(token.clone())
        }
        _ => None,
    };
    let changed = match (file, hub.manage_context.get()) {
        (Some(token), Some(manage_context)) => {
            // The file is written first: if a crash leaves an unknown token in it, the next start gives it to the
            // owner.
            let dir = manage_context.data_dir.clone();
            let written = spawn_blocking(move || files::replace_token(&dir, &token)).await;
            let Ok(Ok(before)) = written else { return Ok(refused(ManageRefusal::Unavailable)) };
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
    Ok(invited.map_or(ManageAnswer::Done, |(code, expires)| told_invite(hub, code, expires)))
}

/// A new invite, with the address of the hub that its recipient can reach.
fn told_invite(hub: &Hub, code: Secret, expires: WallMs) -> ManageAnswer {
    let manage_context = hub.manage_context.get();
    match hub.lan.way() {
        Some(way) => ManageAnswer::Invited {
            code,
            expires,
            url: way.url,
            fingerprint: Some(way.fingerprint),
            also: way.also,
        },
        None => ManageAnswer::Invited {
            code,
            expires,
            url: manage_context.map_or_else(String::new, |manage_context| manage_context.url.clone()),
            fingerprint: manage_context.and_then(|manage_context| manage_context.fingerprint.clone()),
            also: Vec::new(),
        },
    }
}

/// Applies a stored change to connected clients.
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
        Change::SetKind { .. } | Change::SetRole { .. } => {
            dismiss(None, OTHER_RIGHTS);
            hub.registry.rename(about);
        }
        // A principal that rotates its own token knows the new one: its connection stays.
        Change::Rotate { .. } => dismiss(asker.session.filter(|_| asker.who == about.id), ROTATED),
        Change::AddDevice { .. } => dismiss(None, ROTATED),
        Change::Invite { .. } | Change::RemoveInvite { .. } => {}
    }
}

/// Checks that a token is still valid after its client was added to [`super::sessions::Sessions`]: its rights may
/// have changed before that.
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

/// Carries out a request in the database of a hub that does not run. Blocks.
///
/// # Errors
/// Also if a hub runs on this directory: the request must go to that hub, since only it can close connections. A new
/// invite has no address.
pub fn manage_offline(data_dir: &Path, what: &ManageRequest) -> Result<ManageAnswer, HubError> {
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
            let offline = |who| PersonState { who, online: false, status: String::new() };
            let principals = principals.into_iter().map(offline).collect();
            let owner = HubStore::owner_offline(data_dir)?;
            return Ok(members((principals, next), owner.as_ref(), devices));
        }
        Plan::Change(change) => (change, None),
        Plan::Invite(change, code, expires) => (change, Some((code, expires))),
    };
    let before = match what {
        ManageRequest::RotateToken { who, token }
            if HubStore::owner_offline(data_dir)?.as_ref() == Some(who) =>
        {
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
            ManageAnswer::Invited { code, expires, url: String::new(), fingerprint: None, also: Vec::new() }
        }
        (Ok(_), None) => ManageAnswer::Done,
    })
}
