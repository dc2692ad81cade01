//! Hooks: tokens with which other programs post messages into one room each. They are in `hooks.json` in the data
//! directory, as hashes; `duplexctl hook` changes the file, and a running hub notices.

pub(super) mod format;
pub(super) mod post;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use serde::{Deserialize, Serialize};

use super::state::hash;
use super::{HubError, list_file};
use crate::clock;
use crate::model::profile::Secret;
use crate::model::time::WallMs;
use crate::model::{NamedRoom, PrincipalId, RoomId, Sender};
use crate::store::HubStore;

/// The file in the data directory.
pub(super) const FILE: &str = "hooks.json";
/// Maximum number of hooks of a hub.
const MAX_HOOKS: usize = 1_000;

/// A program that may post messages into one room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hook {
    /// Its id: 16 hexadecimal digits.
    pub id: String,
    /// The room.
    pub room: RoomId,
    /// The name that its messages bear.
    pub name: String,
    /// When it was made.
    pub made: WallMs,
    /// SHA-256 of its token, 64 hexadecimal digits.
    hash: String,
}

impl Hook {
    /// The principal that its messages are charged to.
    pub(super) fn principal(&self) -> PrincipalId {
        PrincipalId(format!("{}{}", PrincipalId::INTEGRATION, self.id))
    }

    /// The sender of its messages.
    pub(super) fn sender(&self) -> Sender {
        Sender { id: self.principal(), name: self.name.clone() }
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Content {
    hooks: Vec<Hook>,
}

/// The hooks of a hub, listed in the order in which they were made.
///
/// # Errors
/// If the file cannot be read, or makes no sense.
pub fn hooks(data_dir: &Path) -> Result<Vec<Hook>, HubError> {
    let content: Content = list_file::read(&data_dir.join(FILE))?;
    Ok(content.hooks)
}

fn write(data_dir: &Path, hooks: Vec<Hook>) -> Result<(), HubError> {
    list_file::write(&data_dir.join(FILE), &Content { hooks })
}

/// Makes a hook for a room, which is named by its id or its name. Returns it with its token, which is stored nowhere.
///
/// # Errors
/// If there is no such room, it is a direct message, there are too many hooks, or the files cannot be used.
pub fn make_hook(data_dir: &Path, room: &str, name: &str) -> Result<(Hook, Secret), HubError> {
    let mut all = hooks(data_dir)?;
    if all.len() >= MAX_HOOKS {
        return Err(HubError::TooManyHooks { most: MAX_HOOKS });
    }
    let rooms = HubStore::rooms_in(data_dir).map_err(|error| HubError::log(data_dir, error))?;
    let by_id = rooms.iter().find(|known| known.id.as_str() == room);
    // Several private rooms may have one name: such a room is named by its id.
    let is_called = |known: &&NamedRoom| !known.info.private && known.name.as_str() == room;
    let found: Option<&NamedRoom> = by_id.or_else(|| rooms.iter().find(is_called));
    let found = found.ok_or_else(|| HubError::NoSuchRoom { room: room.to_owned() })?;
    if found.info.direct.is_some() {
        return Err(HubError::DirectHook);
    }
    let room = found.id.clone();
    let random = || clock::random::<32>().map_err(|error| HubError::System { detail: error.to_string() });
    let token = HEXLOWER.encode(&random()?);
    let id = HEXLOWER.encode(&random()?[..8]);
    let hash = HEXLOWER.encode(&hash(&token));
    let hook = Hook { id, room, name: name.to_owned(), made: clock::now().wall_ms, hash };
    all.push(hook.clone());
    write(data_dir, all)?;
    Ok((hook, Secret::new(token)))
}

/// Removes a hook: its token stops working at once. Returns whether there was one.
///
/// # Errors
/// If the file cannot be used.
pub fn remove_hook(data_dir: &Path, id: &str) -> Result<bool, HubError> {
    let mut all = hooks(data_dir)?;
    let before = all.len();
    all.retain(|hook| hook.id != id);
    let found = all.len() < before;
    if found {
        write(data_dir, all)?;
    }
    Ok(found)
}

/// Hooks by the hash of their token.
type ByHash = HashMap<[u8; 32], Arc<Hook>>;
/// What tells a file apart from what was there before.
pub(super) type Version = Option<(SystemTime, u64)>;

/// The hooks of a running hub, read again when the file has changed.
#[derive(Debug, Default)]
pub(super) struct Hooks(Mutex<(Version, Arc<ByHash>)>);

impl Hooks {
    /// The hook of a token. Blocks for as long as the disk needs.
    pub(super) fn find(&self, data_dir: &Path, token: &str) -> Option<Arc<Hook>> {
        let version = version(&data_dir.join(FILE));
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.0 != version || version.is_none() {
            match hooks(data_dir) {
                Ok(hooks) => *known = (version, Arc::new(by_hash(hooks))),
                Err(error) => {
                    // Nobody comes in with what cannot be read.
                    log::warn!("hooks cannot be read: {error}");
                    *known = (version, Arc::default());
                }
            }
        }
        known.1.get(&hash(token)).cloned()
    }
}

pub(super) fn version(path: &PathBuf) -> Version {
    let known = std::fs::metadata(path).ok()?;
    Some((known.modified().ok()?, known.len()))
}

fn by_hash(hooks: Vec<Hook>) -> ByHash {
    let key = |hook: &Hook| HEXLOWER_PERMISSIVE.decode(hook.hash.as_bytes()).ok()?.try_into().ok();
    hooks.into_iter().filter_map(|hook| Some((key(&hook)?, Arc::new(hook)))).collect()
}
