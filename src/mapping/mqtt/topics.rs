//! [`Topics`]: every topic that was seen, with who reads it and its last message, so that what is described later can still be read.

use std::collections::{BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::book::Dev;
use super::native::Native;
use crate::model::time::Time;

/// Maximum number of topics.
pub const MAX_TOPICS: usize = 65_536;
/// How many of them are looked at to make room for a new one.
const MAX_LOOKS: usize = 256;
/// Maximum length of a topic, in bytes.
pub(super) const MAX_TOPIC_BYTES: usize = 1_024;
/// Maximum length of a message that is kept, in bytes, and of all of them.
const MAX_KEPT_BYTES: usize = 16 * 1024;
const MAX_ALL_KEPT_BYTES: usize = 24 * 1024 * 1024;
/// Maximum number of devices whose metrics are found again by topic.
const MAX_DEVS: usize = 64;
/// Maximum number of readers of one topic, and of topic filters with wildcards.
const MAX_READERS: usize = 65_536;
const MAX_FILTERS: usize = 256;

/// Who reads a topic, besides the conventions that know it by its shape.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Reader {
    /// The entity of Home Assistant's discovery.
    pub entity: usize,
    /// Which of its parts; see [`Reader::AVAILABILITY`].
    pub part: usize,
}

impl Reader {
    /// Parts from here on are availability topics.
    pub const AVAILABILITY: usize = 1_000;
    /// Reads nothing: what comes is about the entity's other readings.
    pub const ATTRIBUTES: usize = Self::AVAILABILITY - 1;

    pub fn is_state(self) -> bool {
        self.part < Self::AVAILABILITY
    }
}

/// What reads a topic.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Route {
    /// Not looked at yet.
    #[default]
    New,
    /// A convention.
    Native(Native),
    /// The general rule.
    General,
    /// Nothing.
    Ignored,
}

/// A topic.
pub(super) struct Topic {
    pub name: Arc<str>,
    /// In the order in which they came.
    pub readers: Arc<Vec<Reader>>,
    pub route: Route,
    /// The devices that were described or read from it.
    pub devs: Vec<Dev>,
    kept: Option<(Box<[u8]>, bool, Time)>,
    /// Whether anything came since [`Topics::make_room`] last looked at it.
    is_fresh: bool,
}

impl Topic {
    /// Whether a discovered entity takes its state from it.
    pub fn is_explained(&self) -> bool {
        self.readers.iter().any(|reader| reader.is_state())
    }

    pub fn kept(&self) -> Option<(Box<[u8]>, bool, Time)> {
        self.kept.clone()
    }
}

/// See the module.
#[derive(Default)]
pub(super) struct Topics {
    list: Vec<Topic>,
    ids: HashMap<Arc<str>, u32, RandomState>,
    sorted: BTreeSet<Arc<str>>,
    filters: Vec<(Box<str>, Reader)>,
    kept_bytes: usize,
    /// Which topic [`Topics::make_room`] looks at next.
    hand: usize,
    /// Topics that were left out.
    pub left_out: u64,
}

impl Topics {
    /// The number of a topic, which is new if it was not seen. `None` if there is no space.
    pub fn id(&mut self, name: &str) -> Option<u32> {
        if let Some(id) = self.ids.get(name).copied() {
            if let Some(topic) = self.get_mut(id) {
                topic.is_fresh = true;
            }
            return Some(id);
        }
        if self.list.len() >= MAX_TOPICS || name.len() > MAX_TOPIC_BYTES {
            self.left_out += 1;
            return None;
        }
        let id = u32::try_from(self.list.len()).ok()?;
        let topic = self.made(name);
        self.sorted.insert(topic.name.clone());
        self.ids.insert(topic.name.clone(), id);
        self.list.push(topic);
        Some(id)
    }

    fn made(&self, name: &str) -> Topic {
        let readers = self.filters.iter().filter(|(filter, _)| matches(filter, name));
        Topic {
            name: name.into(),
            readers: Arc::new(readers.map(|(_, reader)| *reader).collect()),
            route: Route::New,
            devs: Vec::new(),
            kept: None,
            is_fresh: true,
        }
    }

    /// A topic that makes room for a new one where there is none left: one that no convention reads and that was silent for long.
    pub fn make_room(&mut self, name: &str) -> Option<u32> {
        if self.list.len() < MAX_TOPICS || name.len() > MAX_TOPIC_BYTES || self.ids.contains_key(name) {
            return None;
        }
        for _ in 0..MAX_LOOKS {
            let at = self.hand;
            self.hand = (at + 1) % self.list.len();
            let topic = self.list.get_mut(at)?;
            let is_fresh = std::mem::replace(&mut topic.is_fresh, false);
            if !is_fresh && topic.readers.is_empty() && matches!(topic.route, Route::General | Route::Ignored)
            {
                return u32::try_from(at).ok();
            }
        }
        None
    }

    /// Another topic takes the place of one.
    pub fn replace(&mut self, id: u32, name: &str) {
        let new = self.made(name);
        let Some(old) = self.list.get_mut(id as usize) else { return };
        self.sorted.insert(new.name.clone());
        self.ids.insert(new.name.clone(), id);
        let old = std::mem::replace(old, new);
        self.sorted.remove(&old.name);
        self.ids.remove(&old.name);
        self.kept_bytes -= old.kept.map_or(0, |(kept, ..)| kept.len());
    }

    pub fn find(&self, name: &str) -> Option<u32> {
        self.ids.get(name).copied()
    }

    pub fn get(&self, id: u32) -> Option<&Topic> {
        self.list.get(id as usize)
    }

    pub fn get_mut(&mut self, id: u32) -> Option<&mut Topic> {
        self.list.get_mut(id as usize)
    }

    /// Whether a discovered entity takes its state from this topic.
    pub fn is_explained(&self, name: &str) -> bool {
        self.find(name).and_then(|id| self.get(id)).is_some_and(Topic::is_explained)
    }

    /// Notes that a topic was about these devices.
    pub fn note(&mut self, id: u32, devs: &[Dev]) {
        let Some(topic) = self.get_mut(id) else { return };
        for dev in devs {
            if !topic.devs.contains(dev) && topic.devs.len() < MAX_DEVS {
                topic.devs.push(*dev);
            }
        }
    }

    /// Keeps a topic's last message.
    pub fn keep(&mut self, id: u32, payload: &[u8], retained: bool, now: Time) {
        let bytes = self.kept_bytes;
        let Some(topic) = self.get_mut(id) else { return };
        if let Some((kept, was_retained, at)) = &mut topic.kept
            && kept.len() == payload.len()
        {
            // The usual case: no allocation.
            kept.copy_from_slice(payload);
            (*was_retained, *at) = (retained, now);
            return;
        }
        let before = topic.kept.take().map_or(0, |(kept, ..)| kept.len());
        let fits = payload.len() <= MAX_KEPT_BYTES && bytes + payload.len() <= MAX_ALL_KEPT_BYTES;
        if fits {
            topic.kept = Some((payload.into(), retained, now));
        }
        self.kept_bytes = (bytes + if fits { payload.len() } else { 0 }).saturating_sub(before);
    }

    /// Adds a reader of a topic or of a filter with wildcards. Returns the topics that it reads and that were seen.
    pub fn listen(&mut self, filter: &str, reader: Reader) -> Vec<u32> {
        if filter.is_empty() || filter.len() > MAX_TOPIC_BYTES {
            return Vec::new();
        }
        if !filter.contains(['+', '#']) {
            let id = self.id(filter);
            id.into_iter().for_each(|id| self.add_reader(id, reader));
            return id.into_iter().collect();
        }
        if self.filters.len() >= MAX_FILTERS {
            return Vec::new();
        }
        self.filters.push((filter.into(), reader));
        let ids = self.list.iter().zip(0u32..).filter(|(topic, _)| matches(filter, &topic.name));
        let ids: Vec<u32> = ids.map(|(_, id)| id).collect();
        ids.iter().for_each(|id| self.add_reader(*id, reader));
        ids
    }

    fn add_reader(&mut self, id: u32, reader: Reader) {
        let Some(topic) = self.get_mut(id) else { return };
        if topic.readers.len() < MAX_READERS {
            Arc::make_mut(&mut topic.readers).push(reader);
        }
    }

    /// Removes the readers of an entity from these topics.
    pub fn stop(&mut self, entity: usize, ids: &[u32]) {
        self.filters.retain(|(_, reader)| reader.entity != entity);
        for id in ids {
            let Some(topic) = self.get_mut(*id) else { continue };
            Arc::make_mut(&mut topic.readers).retain(|reader| reader.entity != entity);
        }
    }

    /// The topics that begin like this.
    pub fn below(&self, prefix: &str) -> Vec<u32> {
        let from = self.sorted.range::<str, _>((Bound::Included(prefix), Bound::Unbounded));
        let names = from.take_while(|name| name.starts_with(prefix));
        names.filter_map(|name| self.ids.get(name).copied()).collect()
    }
}

/// Whether a topic matches a filter with wildcards (MQTT 5 §4.7).
pub(super) fn matches(filter: &str, topic: &str) -> bool {
    if topic.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let (mut filter, mut topic) = (filter.split('/'), topic.split('/'));
    loop {
        match (filter.next(), topic.next()) {
            (Some("#"), _) | (None, None) => return true,
            (Some("+"), Some(_)) => {}
            (Some(wanted), Some(level)) if wanted == level => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_match_as_the_standard_says() {
        for (filter, topic, is_match) in [
            ("+/+/RTL", "home/x/RTL", true),
            ("+/+/RTL", "home/RTL", false),
            ("a/#", "a", true),
            ("a/#", "a/b/c", true),
            ("#", "$SYS/x", false),
            ("+", "/a", false),
            ("/+", "/a", true),
            ("a/+", "a/", true),
        ] {
            assert_eq!(matches(filter, topic), is_match, "{filter} {topic}");
        }
    }
}
