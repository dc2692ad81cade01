//! [`Known`]: what is known of a server from earlier sessions, as the bytes that the store keeps.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::engine::Revision;

/// Maximum number of namespaces and of event names that are remembered.
const MAX_REMEMBERED: usize = 64;
/// Maximum length of what is remembered of a namespace, in bytes.
const MAX_TEXT_BYTES: usize = 1_024;

/// What is known of a server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Known {
    /// The Engine.IO revision that it speaks: 3 or 4.
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<u8>,
    /// By namespace: where the stream of events was left.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub places: BTreeMap<String, Place>,
    /// Whether the last thing to read was that something may be missing.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub told_gap: bool,
    /// What the mapping remembers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mapped: Option<serde_json::Value>,
    /// Events that the server has acknowledged.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub acknowledges: BTreeSet<String>,
    /// Events that it has not, though it was asked to.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub ignores: BTreeSet<String>,
}

/// Where a namespace's stream of events was left.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Place {
    /// The session that the server may recover; none where it does not offer this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<String>,
    /// The last event of it that is on disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<String>,
}

impl Known {
    /// Reads what [`Known::to_bytes`] wrote; nothing is known where it is something else.
    pub fn of_bytes(bytes: Option<&[u8]>) -> Known {
        bytes.and_then(|bytes| serde_json::from_slice(bytes).ok()).unwrap_or_default()
    }

    /// For the store.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The revision.
    pub fn revision(&self) -> Option<Revision> {
        match self.revision {
            Some(3) => Some(Revision::V3),
            Some(4) => Some(Revision::V4),
            _ => None,
        }
    }

    /// Remembers the revision. Returns whether that is news.
    pub fn set_revision(&mut self, revision: Revision) -> bool {
        let number = match revision {
            Revision::V3 => 3,
            Revision::V4 => 4,
        };
        self.revision.replace(number) != Some(number)
    }

    /// Remembers a namespace's session, or that it has none. The place in an earlier session is forgotten.
    pub fn begin(&mut self, namespace: &str, pid: Option<&str>) {
        let pid = pid.filter(|pid| pid.len() <= MAX_TEXT_BYTES).map(str::to_owned);
        if self.places.contains_key(namespace) || self.places.len() < MAX_REMEMBERED {
            self.places.insert(namespace.to_owned(), Place { pid, offset: None });
        }
    }

    /// The stream was received up to this event.
    pub fn reached(&mut self, namespace: &str, offset: String) {
        if let Some(place) = self.places.get_mut(namespace).filter(|_| offset.len() <= MAX_TEXT_BYTES) {
            place.offset = Some(offset);
        }
    }

    /// Remembers whether an event is acknowledged. Returns whether that is news.
    pub fn learn(&mut self, event: &str, acknowledges: bool) -> bool {
        let (to, from) = match acknowledges {
            true => (&mut self.acknowledges, &mut self.ignores),
            false => (&mut self.ignores, &mut self.acknowledges),
        };
        if to.contains(event) || to.len() >= MAX_REMEMBERED || event.len() > MAX_TEXT_BYTES {
            return false;
        }
        from.remove(event);
        to.insert(event.to_owned())
    }
}
