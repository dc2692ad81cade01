//! Tokens of devices: each speaks for its device alone.

use std::path::Path;

use super::HubError;
use super::state::hash;
use crate::clock;
use crate::model::device::NAME_CHARS;
use crate::model::name;
use crate::model::profile::Secret;
use crate::model::{DeviceId, Principal, PrincipalId, PrincipalKind};
use crate::store::HubStore;
use crate::wire::duplex::proof;

/// Gives a device of the hub on this data directory a token, from any process of its owner's, whether the hub runs or not.
/// One that it had before is good for nothing from then on. Without a name it goes by its id. Blocks.
///
/// # Errors
/// When the id is none or a person's, there is no hub's database, or it cannot be written.
pub fn add_device(data_dir: &Path, id: &str, name: &str) -> Result<Secret, HubError> {
    let id = PrincipalId(new_id(id)?.to_string());
    let name = match name.trim() {
        "" => String::new(),
        name => name::make(name, name::MAX_TITLE_CHARS).map_err(|why| HubError::BadName { why })?,
    };
    let token = proof::hex(&clock::random::<32>()?);
    if !HubStore::put_device_offline(data_dir, &id, &name, hash(&token))? {
        return Err(HubError::IdTaken { id: id.0 });
    }
    Ok(Secret::new(token))
}

/// Takes a device's token away. What it said stays. Returns whether it had one. Blocks.
///
/// # Errors
/// When the id is none, there is no hub's database, or it cannot be written.
pub fn remove_device(data_dir: &Path, id: &str) -> Result<bool, HubError> {
    let id = PrincipalId(checked(id)?.to_string());
    Ok(HubStore::remove_device_offline(data_dir, &id)?)
}

/// The devices that have a token for the hub on this data directory, whether it runs or not, by name. Blocks.
///
/// # Errors
/// When there is no hub's database, or it cannot be read.
pub fn devices(data_dir: &Path) -> Result<Vec<Principal>, HubError> {
    let mut all = HubStore::principals_offline(data_dir)?;
    all.retain(|principal| principal.kind == PrincipalKind::Device);
    Ok(all)
}

/// The id of a device that is new, in its one spelling.
fn new_id(id: &str) -> Result<DeviceId, HubError> {
    let id = checked(id)?;
    let made = name::make(id.as_str(), NAME_CHARS).map_err(|why| HubError::BadName { why })?;
    checked(&made)
}

/// An id that a hub's device can have: an app's own views of its links begin with `~`.
pub(super) fn checked(id: &str) -> Result<DeviceId, HubError> {
    let good = DeviceId::new(id).ok().filter(|good| !good.as_str().starts_with('~'));
    good.ok_or_else(|| HubError::BadDeviceId { id: id.chars().take(100).collect() })
}
