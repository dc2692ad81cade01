//! Tokens of devices: each speaks for its device alone.

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

/// Gives a device of the hub on this data directory a token, from any process of its owner's, whether the hub runs or not.
/// One that it had before is good for nothing from then on; a hub that runs does not end the connection that came by it:
/// ask that one instead. Without a name it goes by its id. Blocks.
///
/// # Errors
/// When the id is none or a person's, there is no hub's database, or it cannot be written.
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

/// A device's name as it is kept; empty where there is none.
pub(super) fn proper_name(name: &str) -> Result<String, BadName> {
    match name.trim() {
        "" => Ok(String::new()),
        name => name::make(name, name::MAX_TITLE_CHARS),
    }
}

/// Takes a device's token away. A hub that runs does not end its connection: ask that one instead. What it said stays. Returns whether it had one. Blocks.
///
/// # Errors
/// When the id is none, there is no hub's database, or it cannot be written.
pub fn remove_device(data_dir: &Path, id: &str) -> Result<bool, HubError> {
    let who = PrincipalId(checked(id)?.to_string());
    if !devices(data_dir)?.iter().any(|device| device.id == who) {
        return Ok(false);
    }
    let removed = HubStore::change_offline(data_dir, &Change::Remove { who }, clock::now().wall_ms)?;
    Ok(removed.is_ok())
}

/// The devices that have a token for the hub on this data directory, whether it runs or not, by name. Blocks.
///
/// # Errors
/// When there is no hub's database, or it cannot be read.
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

/// The id of a device that is new, in its one spelling.
pub(super) fn new_id(id: &str) -> Result<DeviceId, HubError> {
    let id = checked(id)?;
    let made = name::make(id.as_str(), NAME_CHARS).map_err(|why| HubError::BadName { why })?;
    if publish::is_reachable(&made) { checked(&made) } else { Err(HubError::UnreachableId { id: made }) }
}

/// An id that a hub's device can have: an app's own views of its links begin with `~`.
pub(super) fn checked(id: &str) -> Result<DeviceId, HubError> {
    let good = DeviceId::new(id).ok().filter(|good| !good.as_str().starts_with('~'));
    good.ok_or_else(|| HubError::BadDeviceId { id: id.chars().take(100).collect() })
}
