//! [`Kept`]: what outlives a connection, as JSON.

use std::collections::{BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::client;
use crate::model::MessageId;
use crate::model::stomp::{Destination, MAX_DESTINATIONS};

/// Maximum number of ids.
const MAX_IDS: usize = 2_048;

/// What outlives a connection.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Kept {
    /// What the client keeps.
    pub(super) client: client::Kept,
    /// Destinations that were added as rooms.
    added: Vec<Destination>,
    /// Names of destinations that were left.
    left: Vec<String>,
    /// Which messages came.
    pub(super) seen: Option<Value>,
    /// The ids of messages that came or went.
    pub(super) ids: Ids,
}

/// The ids of the last messages that came or went with one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Ids(VecDeque<MessageId>);

impl Ids {
    /// Whether it is one of them.
    pub(super) fn is_known(&self, id: MessageId) -> bool {
        self.0.contains(&id)
    }

    /// Adds one.
    pub(super) fn add(&mut self, id: MessageId) {
        if !self.is_known(id) {
            self.0.drain(..(self.0.len() + 1).saturating_sub(MAX_IDS));
            self.0.push_back(id);
        }
    }
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Json {
    without_receipts: BTreeSet<String>,
    one_by_one: bool,
    suspect: client::Suspect,
    added: Vec<Destination>,
    left: Vec<String>,
    seen: Option<Value>,
    ids: Ids,
}

impl Kept {
    /// From what [`Kept::write`] wrote; nothing where that cannot be read.
    pub(super) fn read(bytes: Option<&[u8]>) -> Kept {
        let json: Json = bytes.and_then(|bytes| serde_json::from_slice(bytes).ok()).unwrap_or_default();
        let Json { without_receipts, one_by_one, suspect, added, left, seen, ids } = json;
        Kept { client: client::Kept { without_receipts, one_by_one, suspect }, added, left, seen, ids }
    }

    pub(super) fn write(&self) -> Vec<u8> {
        let client::Kept { without_receipts, one_by_one, suspect } = self.client.clone();
        let (added, left, seen) = (self.added.clone(), self.left.clone(), self.seen.clone());
        let ids = self.ids.clone();
        serde_json::to_vec(&Json { without_receipts, one_by_one, suspect, added, left, seen, ids })
            .unwrap_or_default()
    }

    /// What to subscribe to: what the profile names, without what was left, and what was added.
    pub(super) fn destinations(&self, of_profile: &[Destination]) -> Vec<Destination> {
        let mut all: Vec<Destination> = Vec::new();
        for destination in of_profile.iter().chain(&self.added) {
            let is_left = self.left.contains(&destination.name);
            if !is_left
                && all.iter().all(|known| known.name != destination.name)
                && all.len() < MAX_DESTINATIONS
            {
                all.push(destination.clone());
            }
        }
        all
    }

    /// A destination was added.
    pub(super) fn add(&mut self, destination: Destination) {
        self.left.retain(|name| *name != destination.name);
        if self.added.iter().all(|known| known.name != destination.name)
            && self.added.len() < MAX_DESTINATIONS
        {
            self.added.push(destination);
        }
    }

    /// A destination was left.
    pub(super) fn remove(&mut self, name: &str) {
        self.added.retain(|known| known.name != name);
        if !self.left.iter().any(|left| left == name) && self.left.len() < MAX_DESTINATIONS {
            self.left.push(name.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_stays_and_what_was_left_does_not() {
        let of_profile = ["/topic/a", "/topic/b"].map(Destination::new);
        let mut kept = Kept::default();
        kept.add(Destination::new("/topic/c"));
        kept.add(Destination::new("/topic/a"));
        kept.remove("/topic/b");
        kept.client.one_by_one = true;
        kept.ids.add(MessageId::from_random([7; 16]));
        let read = Kept::read(Some(&kept.write()));
        assert_eq!(read, kept);
        assert_eq!(read.destinations(&of_profile), ["/topic/a", "/topic/c"].map(Destination::new));
        kept.add(Destination::new("/topic/b"));
        assert_eq!(kept.destinations(&of_profile).len(), 3);
        assert_eq!(Kept::read(Some(b"nonsense")), Kept::default());
    }
}
