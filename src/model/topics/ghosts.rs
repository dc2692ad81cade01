//! Ghosts: retained discovery messages whose device is gone. A guess, from what was seen: they are listed, and cleared only
//! when a person says so.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::leaf::{Kept, Leaf};
use super::tree::Tree;
use crate::model::mqtt::HOME_ASSISTANT_COMPONENTS;
use crate::model::time::Time;

/// Maximum number of state topics and of availability topics that are looked at.
const MAX_TOPICS: usize = 64;
/// A device that says nothing for this long after we connected may be gone, in milliseconds.
pub const QUIET_MS: u64 = 60_000;

/// A discovery message whose device seems to be gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ghost {
    /// The topic of the discovery message.
    pub topic: Arc<str>,
    /// What it calls the device; may be empty.
    pub name: String,
    /// Why the device seems to be gone.
    pub why: Gone,
}

/// Why a device seems to be gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gone {
    /// Its availability topic says that it is offline.
    Offline {
        /// That topic.
        topic: String,
    },
    /// Nothing came on its topics since we connected, not even something retained.
    Silent {
        /// The first of them.
        topic: String,
    },
}

/// Whether messages on this topic describe devices: `homeassistant/KIND/[NODE/]ID/config`, also under another prefix.
pub fn is_discovery(topic: &str) -> bool {
    let Some(path) = topic.strip_suffix("/config") else { return false };
    let levels = path.rsplit('/').take(4).count();
    let component = |nth: usize| {
        path.rsplit('/')
            .nth(nth)
            .is_some_and(|level| level == "device" || HOME_ASSISTANT_COMPONENTS.contains(&level))
    };
    levels >= 3 && (component(1) || component(2))
}

/// Judges a topic: `Some` if it holds a retained discovery message whose device seems to be gone.
pub fn judge(tree: &Tree, leaf: &Leaf, connected: Time, now: Time) -> Option<Ghost> {
    if leaf.kept == Kept::No || !is_discovery(&leaf.topic) {
        return None;
    }
    let Ok(Value::Object(config)) = serde_json::from_slice(&leaf.last.payload) else { return None };
    let found = Found::of(&config);
    let why = match found.offline(tree) {
        Some(topic) => Gone::Offline { topic },
        None => {
            let first = found.states.first()?;
            let is_early = now.boot_ms.since(connected.boot_ms) < QUIET_MS;
            let was_heard = |topic: &String| {
                let at = tree.find(topic).and_then(|node| tree.leaf(node)).map(|leaf| leaf.last.at.boot_ms);
                at.is_some_and(|at| at >= connected.boot_ms)
            };
            if is_early || found.states.iter().any(was_heard) {
                return None;
            }
            Gone::Silent { topic: first.clone() }
        }
    };
    Some(Ghost { topic: Arc::clone(&leaf.topic), name: name(&config), why })
}

/// The topics that a discovery message names.
#[derive(Default)]
struct Found {
    states: Vec<String>,
    /// Availability topics, each with the payload that means offline.
    availability: Vec<(String, String)>,
}

impl Found {
    fn of(config: &Map<String, Value>) -> Found {
        let base = text(config, &["~"]).unwrap_or_default();
        let mut found = Found::default();
        found.add(config, base);
        for components in ["components", "cmps"] {
            if let Some(Value::Object(components)) = config.get(components) {
                components.values().filter_map(Value::as_object).for_each(|one| found.add(one, base));
            }
        }
        found.states.truncate(MAX_TOPICS);
        found.availability.truncate(MAX_TOPICS);
        found
    }

    fn add(&mut self, config: &Map<String, Value>, base: &str) {
        for (_, value) in config.iter().filter(|(key, _)| is_state(key)) {
            if let Value::String(topic) = value {
                self.states.push(whole(topic, base));
            }
        }
        let offline = |one: &Map<String, Value>| {
            text(one, &["payload_not_available", "pl_not_avail"]).unwrap_or("offline").to_owned()
        };
        if let Some(topic) = text(config, &["availability_topic", "avty_t"]) {
            self.availability.push((whole(topic, base), offline(config)));
        }
        let lists = ["availability", "avty"].into_iter().filter_map(|key| config.get(key)?.as_array());
        for one in lists.flatten().filter_map(Value::as_object) {
            if let Some(topic) = text(one, &["topic", "t"]) {
                self.availability.push((whole(topic, base), offline(one)));
            }
        }
    }

    /// The first availability topic that says offline.
    fn offline(&self, tree: &Tree) -> Option<String> {
        let says = |(topic, offline): &&(String, String)| {
            let last = tree.find(topic).and_then(|node| tree.leaf(node)).map(|leaf| &leaf.last.payload);
            last.is_some_and(|payload| is_word(payload, offline))
        };
        self.availability.iter().find(says).map(|(topic, _)| topic.clone())
    }
}

fn is_state(key: &str) -> bool {
    key.ends_with("state_topic") || key.ends_with("stat_t")
}

/// Whether a payload is this word, by itself or as the `state` of an object.
fn is_word(payload: &[u8], word: &str) -> bool {
    if payload == word.as_bytes() {
        return true;
    }
    let state = || serde_json::from_slice::<Value>(payload).ok()?.get("state")?.as_str().map(str::to_owned);
    payload.first() == Some(&b'{') && state().is_some_and(|state| state == word)
}

/// A topic with `~` replaced.
fn whole(topic: &str, base: &str) -> String {
    match (topic.strip_prefix('~'), topic.strip_suffix('~')) {
        (Some(rest), _) => format!("{base}{rest}"),
        (None, Some(rest)) => format!("{rest}{base}"),
        (None, None) => topic.to_owned(),
    }
}

fn text<'a>(object: &'a Map<String, Value>, keys: &[&str]) -> Option<&'a str> {
    keys.iter().find_map(|key| object.get(*key)?.as_str())
}

/// What a discovery message calls its device, and what of it.
fn name(config: &Map<String, Value>) -> String {
    let device = ["device", "dev"].into_iter().find_map(|key| config.get(key)?.as_object());
    let device = device.and_then(|device| text(device, &["name"])).unwrap_or_default();
    let own = text(config, &["name"]).unwrap_or_default();
    match (device.is_empty(), own.is_empty() || own == device) {
        (true, _) => own.to_owned(),
        (false, true) => device.to_owned(),
        (false, false) => format!("{device}, {own}"),
    }
}
