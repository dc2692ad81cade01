//! [`Kept`]: what outlives a connection, as JSON.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::outbound::TwiceById;
use crate::model::mqtt::{Filter, MAX_SUBSCRIPTIONS, MqttOptions};
use crate::model::time::WallMs;

/// Maximum number of rooms that a person made.
pub(super) const MAX_ROOMS: usize = 200;
/// A server that knew only version 3.1.1 is asked again after this time, in milliseconds: a week.
const ASK_AGAIN_MS: i64 = 7 * 86_400_000;
/// Maximum number of filters that the server's session may have: those of the chat, of a person, and some that were ended.
const MAX_SUBSCRIBED: usize = 3 * MAX_SUBSCRIPTIONS;
/// Maximum number of fingerprints of messages that are perhaps not acknowledged.
const MAX_UNACKED: usize = 512;
/// Maximum number of fingerprints of retained messages.
const MAX_RETAINED: usize = 500;

/// What outlives a connection.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Kept {
    /// The client id that was made up.
    pub(super) client_id: String,
    /// When the server was found to know only version 3.1.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) old_since: Option<WallMs>,
    /// Whether the last attempt with version 5 was not answered.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) falls_back: bool,
    /// How many connections in a row ended soon after they were online, without a word.
    #[serde(skip_serializing_if = "is_none")]
    pub(super) losses: u32,
    /// Ids of messages of the chat with QoS 2 that are on disk and not released.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) taken: BTreeSet<u16>,
    /// Fingerprints of messages with QoS 1 that have no id of their own, are on disk and perhaps not acknowledged, by packet id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) unacked: BTreeMap<u16, u64>,
    /// What is sent with QoS 2 and not done.
    #[serde(skip_serializing_if = "TwiceById::is_empty")]
    pub(super) twice: TwiceById,
    /// Topics of rooms that a person made.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) rooms: Vec<String>,
    /// The profile's filters when a person changed what is subscribed to: the changes hold until these change. Empty in states of
    /// earlier versions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    of: Vec<Filter>,
    /// What a person subscribed to beyond the profile.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    added: Vec<Filter>,
    /// Filters of the profile that a person ended.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ended: Vec<String>,
    /// Filters that the server's session may have.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    subscribed: Vec<String>,
    /// Fingerprints of retained messages that are shown, oldest first: they come again with every connection.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) retained: Vec<u64>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes it by reference")]
fn is_none(number: &u32) -> bool {
    *number == 0
}

impl Kept {
    /// From what [`Kept::write`] wrote; nothing where that cannot be read.
    pub(super) fn read(bytes: Option<&[u8]>) -> Kept {
        bytes.and_then(|bytes| serde_json::from_slice(bytes).ok()).unwrap_or_default()
    }

    pub(super) fn write(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Whether to speak version 3.1.1 where the choice is ours.
    pub(super) fn is_old(&self, now: WallMs) -> bool {
        let knows = self.old_since.is_some_and(|since| (since..since + ASK_AGAIN_MS).contains(&now));
        self.falls_back || knows
    }

    /// What is subscribed to beside the chat.
    pub(super) fn subscriptions(&self, options: &MqttOptions) -> Vec<Filter> {
        let mut all = options.filters();
        if self.is_of(&all) {
            let is_changed = |filter: &Filter| {
                let is_it = |known: &Filter| known.filter == filter.filter;
                self.ended.contains(&filter.filter) || self.added.iter().any(is_it)
            };
            all.retain(|filter| !is_changed(filter));
            all.splice(..0, self.added.iter().cloned());
        }
        all.truncate(MAX_SUBSCRIPTIONS);
        all
    }

    /// Whether a person's changes are to these filters of the profile.
    fn is_of(&self, filters: &[Filter]) -> bool {
        self.of.is_empty() || self.of == filters
    }

    /// A person is about to change what is subscribed to.
    fn begin_changes(&mut self, options: &MqttOptions) {
        let filters = options.filters();
        if !self.is_of(&filters) {
            self.added.clear();
            self.ended.clear();
        }
        self.of = filters;
    }

    /// A person subscribes. Returns whether there is room for it.
    pub(super) fn subscribe(&mut self, options: &MqttOptions, filter: &Filter) -> bool {
        let others = self.subscriptions(options).iter().filter(|known| known.filter != filter.filter).count();
        if others >= MAX_SUBSCRIPTIONS {
            return false;
        }
        self.unsubscribe(options, &filter.filter);
        self.ended.retain(|ended| *ended != filter.filter);
        self.added.push(filter.clone());
        if self.subscribed.len() < MAX_SUBSCRIBED && !self.subscribed.contains(&filter.filter) {
            self.subscribed.push(filter.filter.clone());
        }
        true
    }

    /// A person ends a subscription.
    pub(super) fn unsubscribe(&mut self, options: &MqttOptions, filter: &str) {
        self.begin_changes(options);
        self.added.retain(|known| known.filter != filter);
        if !self.ended.iter().any(|ended| ended == filter) && self.ended.len() < MAX_SUBSCRIPTIONS {
            self.ended.push(filter.to_owned());
        }
    }

    /// These are subscribed to now, and nothing else. Returns what else the server's session may have, and whether anything changed.
    pub(super) fn subscribe_all(&mut self, filters: Vec<String>) -> (Vec<String>, bool) {
        let others = self.subscribed.iter().filter(|known| !filters.contains(known)).cloned().collect();
        let is_changed = self.subscribed != filters;
        self.subscribed = filters;
        (others, is_changed)
    }

    /// A person made a room. Returns whether there is room for it.
    pub(super) fn add_room(&mut self, topic: &str) -> bool {
        if self.rooms.iter().any(|room| room == topic) {
            return true;
        }
        let has_space = self.rooms.len() < MAX_ROOMS;
        if has_space {
            self.rooms.push(topic.to_owned());
        }
        has_space
    }

    /// A message with QoS 1 and no id of its own is about to be on disk.
    pub(super) fn note_unacked(&mut self, id: u16, fingerprint: u64) {
        if self.unacked.len() >= MAX_UNACKED {
            self.unacked.pop_first();
        }
        self.unacked.insert(id, fingerprint);
    }

    /// The server kept nothing of us.
    pub(super) fn forget_session(&mut self) {
        self.taken.clear();
        self.unacked.clear();
        self.twice.clear();
        self.subscribed.clear();
    }

    /// Notes a retained message; returns whether it was noted before.
    pub(super) fn is_known_retained(&mut self, fingerprint: u64) -> bool {
        if self.retained.contains(&fingerprint) {
            return true;
        }
        self.retained.drain(..(self.retained.len() + 1).saturating_sub(MAX_RETAINED));
        self.retained.push(fingerprint);
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::MessageId;
    use crate::wire::mqtt::outbound::Twice;

    #[test]
    fn it_is_read_as_it_was_written() {
        let message = Some(MessageId::from_random([3; 16]));
        let mut kept = Kept {
            client_id: "duplex1".into(),
            old_since: Some(WallMs(1_000)),
            taken: [4, 5].into(),
            unacked: [(9, u64::MAX)].into(),
            twice: [(7, Twice { message, is_released: true })].into(),
            rooms: vec!["duplex/chat/a".into()],
            ..Kept::default()
        };
        assert!(!kept.is_known_retained(8) && kept.is_known_retained(8));
        assert_eq!(Kept::read(Some(&kept.write())), kept);
        assert_eq!(Kept::read(Some(b"nonsense")), Kept::default());
        assert!(
            kept.is_old(WallMs(1_000))
                && !kept.is_old(WallMs(999))
                && !kept.is_old(WallMs(1_000 + ASK_AGAIN_MS))
        );
        kept.forget_session();
        assert!(kept.taken.is_empty() && kept.twice.is_empty() && kept.unacked.is_empty());
    }

    #[test]
    fn a_person_changes_what_is_subscribed_to() {
        let options = MqttOptions::default();
        let names = |kept: &Kept| {
            kept.subscriptions(&options).into_iter().map(|filter| filter.to_string()).collect::<Vec<_>>()
        };
        let mut kept = Kept::default();
        assert_eq!(names(&kept), ["#"]);
        assert!(kept.subscribe(&options, &Filter::parse("$SYS/#").unwrap()));
        kept.unsubscribe(&options, "#");
        assert_eq!(names(&kept), ["$SYS/#"]);
        kept.unsubscribe(&options, "$SYS/#");
        assert!(kept.subscribe(&options, &Filter::parse("# | qos: 1").unwrap()));
        assert_eq!(names(&Kept::read(Some(&kept.write()))), ["# | qos: 1"]);
        // Until the profile says something else.
        let edited = MqttOptions {
            subscriptions: vec![Filter::parse("a/#").unwrap(), Filter::parse("#").unwrap()],
            ..MqttOptions::default()
        };
        kept.unsubscribe(&options, "#");
        assert_eq!(kept.subscriptions(&edited), edited.subscriptions);
        kept.unsubscribe(&edited, "a/#");
        assert_eq!(kept.subscriptions(&edited), edited.subscriptions[1..]);
    }
}
