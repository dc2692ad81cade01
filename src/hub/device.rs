//! Device tokens: each is valid for its device only.

use std::path::Path;

use data_encoding::HEXLOWER;

use super::HubError;
use super::state::hash;
use crate::clock;
use crate::model::device::NAME_CHARS;
use crate::model::name::{self, BadName};
use crate::model::profile::Secret;
use crate::model::{DeviceId, Principal, PrincipalId, publish};
use crate::store::{Change, HubStore};

/// Creates a token for a device of the hub in this data directory, whether the hub runs or not. Any process of the
/// owner may do so. A previous token becomes invalid, but a running hub does not close its connection: use the hub's
/// own administration for that. Without a name the device is shown by its id. Blocks.
///
/// # Errors
/// If the id is invalid or belongs to a person, there is no hub's database, or it cannot be written.
pub fn add_device(data_dir: &Path, id: &str, name: &str) -> Result<Secret, HubError> {
    let id = PrincipalId(new_id(id)?.to_string());
    let name = proper_name(name).map_err(|why| HubError::BadName { why })?;
    let token = HEXLOWER.encode(&clock::random::<32>()?);
    let change = Change::AddDevice { id: id.clone(), name, token_hash: hash(&token) };
    match HubStore::change_offline(data_dir, &change, clock::now().wall_ms)? {
        Ok(_) => Ok(Secret::new(token)),
        Err(_) => Err(HubError::IdTaken { id: id.0 }),
    }
}

/// A device's name in normal form; empty if it has none.
pub(super) fn proper_name(name: &str) -> Result<String, BadName> {
    match name.trim() {
        "" => Ok(String::new()),
        name => name::make(name, name::MAX_TITLE_CHARS),
    }
}

/// Revokes a device's token. A running hub does not close its connection: use the hub's own administration for that.
/// Its stored readings stay. Returns whether it had a token. Blocks.
///
/// # Errors
/// If the id is invalid, there is no hub's database, or it cannot be written.
pub fn remove_device(data_dir: &Path, id: &str) -> Result<bool, HubError> {
    let who = PrincipalId(checked(id)?.to_string());
    if !devices(data_dir)?.iter().any(|device| device.id == who) {
        return Ok(false);
    }
    let removed = HubStore::change_offline(data_dir, &Change::Remove { who }, clock::now().wall_ms)?;
    Ok(removed.is_ok())
}

/// The devices with a token for the hub in this data directory, sorted by name, whether the hub runs or not. Blocks.
///
/// # Errors
/// If there is no hub's database, or it cannot be read.
pub fn devices(data_dir: &Path) -> Result<Vec<Principal>, HubError> {
    let (mut all, mut next) = HubStore::page_offline(data_dir, true, "")?;
    while let Some(after) = next {
        let page = HubStore::page_offline(data_dir, true, &after)?;
        all.extend(page.0);
        next = page.1;
    }
    all.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
    Ok(all)
}

/// The normalised id of a new device.
pub(super) fn new_id(id: &str) -> Result<DeviceId, HubError> {
    let id = checked(id)?;
    let made = name::make(id.as_str(), NAME_CHARS).map_err(|why| HubError::BadName { why })?;
    if publish::is_reachable(&made) { checked(&made) } else { Err(HubError::UnreachableId { id: made }) }
}

/// Checks that an id is allowed for a hub's device: ids that begin with `~` are the app's own.
pub(super) fn checked(id: &str) -> Result<DeviceId, HubError> {
    let good = DeviceId::new(id).ok().filter(|good| !good.as_str().starts_with('~'));
    good.ok_or_else(|| HubError::BadDeviceId { id: id.chars().take(100).collect() })
}
