//! [`Device`]: one device of a [`super::book::Book`]: what is said of it, its metrics, and whether it is there.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::RandomState;

use super::book::{Command, Rank};
use super::change::{Change, There};
use super::text;
use crate::model::device::{DeviceId, Metric, MetricName, Spec, Value};
use crate::model::time::BootMs;

/// Maximum number of attributes.
const MAX_ATTRIBUTES: usize = 64;
/// Maximum number of sources that say whether it is there.
const MAX_SOURCES: usize = 64;
/// What stands before sources of which one is enough: a device that one of its own availability topics calls online is online.
pub(super) const ANY: &str = "any:";

/// A metric.
pub(super) struct Entry {
    key: Box<str>,
    topic: u32,
    /// Its description.
    pub metric: Metric,
    /// Whether its kind follows from what came.
    pub is_guessed: bool,
    /// Whether a number has come.
    pub was_number: bool,
    /// The last value, and when it came.
    pub last: Option<(Value, BootMs)>,
    /// What sets it.
    pub command: Option<Command>,
    /// Whether the device reports it.
    pub is_reported: bool,
    /// How long a value counts, in milliseconds.
    pub lasts_ms: Option<u64>,
    /// Whether a timer looks at it.
    pub is_timed: bool,
}

/// See the module.
pub(super) struct Device {
    pub id: DeviceId,
    pub rank: Rank,
    pub keys: Vec<Box<str>>,
    named_by: Rank,
    name: String,
    kind: String,
    attributes: BTreeMap<String, (Rank, String)>,
    entries: Vec<Option<Entry>>,
    by_key: HashMap<Box<str>, usize, RandomState>,
    pub said: Vec<(Box<str>, There)>,
    /// Number of descriptions that hold it.
    pub held: i32,
    shown: There,
    pub is_announced: bool,
    pub is_dirty: bool,
    /// When it was last described.
    pub described_at: Option<BootMs>,
    spec: Option<Box<Spec>>,
}

impl Device {
    pub fn new(id: DeviceId, rank: Rank) -> Device {
        Device {
            id,
            rank,
            keys: Vec::new(),
            named_by: Rank::Path,
            name: String::new(),
            kind: String::new(),
            attributes: BTreeMap::new(),
            entries: Vec::new(),
            by_key: HashMap::default(),
            said: Vec::new(),
            held: 0,
            shown: There::Unknown,
            is_announced: false,
            is_dirty: true,
            described_at: None,
            spec: None,
        }
    }

    /// Number of metrics.
    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Whether nothing is left of it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0 && self.held <= 0 && self.said.is_empty()
    }

    /// Whether it has no metrics.
    pub fn is_bare(&self) -> bool {
        self.by_key.is_empty()
    }

    pub fn find(&self, key: &str) -> Option<usize> {
        self.by_key.get(key).copied()
    }

    pub fn entry(&self, at: usize) -> Option<&Entry> {
        self.entries.get(at)?.as_ref()
    }

    pub fn entry_mut(&mut self, at: usize) -> Option<&mut Entry> {
        self.entries.get_mut(at)?.as_mut()
    }

    pub fn metric_mut(&mut self, at: usize) -> Option<&mut Metric> {
        self.entry_mut(at).map(|entry| &mut entry.metric)
    }

    /// The metric of this name.
    pub fn by_name(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().flatten().find(|entry| entry.metric.name.as_str() == name)
    }

    /// Whether anybody but its topics says what it is called.
    pub fn is_named(&self) -> bool {
        self.named_by >= Rank::Own && !self.name.is_empty()
    }

    /// The last value of each metric, by key.
    pub fn last_values(&self) -> Vec<(Box<str>, Value)> {
        let entries = self.entries.iter().flatten();
        entries.filter_map(|entry| Some((entry.key.clone(), entry.last.as_ref()?.0.clone()))).collect()
    }

    /// What to call it.
    pub fn title(&self) -> &str {
        if self.name.is_empty() { self.id.as_str() } else { &self.name }
    }

    /// Adds a metric under a name that no other has.
    pub fn add(&mut self, key: &str, topic: u32, mut metric: Metric) -> usize {
        metric.name = self.free_name(&metric.name);
        let is_guessed = metric.options.is_empty() && !metric.writable;
        let entry = Entry {
            key: key.into(),
            topic,
            metric,
            is_guessed,
            was_number: false,
            last: None,
            command: None,
            is_reported: false,
            lasts_ms: None,
            is_timed: false,
        };
        let at = self.entries.iter().position(Option::is_none).unwrap_or(self.entries.len());
        match self.entries.get_mut(at) {
            Some(slot) => *slot = Some(entry),
            None => self.entries.push(Some(entry)),
        }
        self.by_key.insert(key.into(), at);
        at
    }

    fn free_name(&self, wanted: &MetricName) -> MetricName {
        let is_taken = |name: &str| self.by_name(name).is_some();
        if !is_taken(wanted.as_str()) {
            return wanted.clone();
        }
        let numbered =
            (2..).map(|number| text::short(&format!("{wanted} {number}")).unwrap_or_else(|| wanted.clone()));
        numbered
            .take(self.entries.len() + 2)
            .find(|name| !is_taken(name.as_str()))
            .unwrap_or_else(|| wanted.clone())
    }

    /// Replaces the description of a metric. Returns whether anything changed.
    pub fn replace(&mut self, at: usize, topic: u32, mut metric: Metric) -> bool {
        let Some(entry) = self.entry(at) else { return false };
        let own = entry.metric.name.clone();
        let is_numbered = own
            .as_str()
            .strip_prefix(metric.name.as_str())
            .is_some_and(|rest| rest.strip_prefix(' ').is_some_and(|number| number.parse::<u32>().is_ok()));
        metric.name = match own == metric.name || is_numbered {
            true => own,
            false => self.free_name(&metric.name),
        };
        let Some(entry) = self.entry_mut(at) else { return false };
        metric.writable |= entry.command.is_some();
        entry.topic = topic;
        entry.is_guessed = false;
        let is_changed = entry.metric != metric;
        entry.metric = metric;
        is_changed
    }

    /// Removes a metric. Returns whether it was there.
    pub fn remove(&mut self, key: &str) -> bool {
        let Some(at) = self.by_key.remove(key) else { return false };
        self.entries[at] = None;
        true
    }

    /// Removes the metrics of a topic. Returns their number.
    pub fn remove_topic(&mut self, topic: u32) -> usize {
        let of_topic = self.entries.iter().flatten().filter(|entry| entry.topic == topic);
        let keys: Vec<Box<str>> = of_topic.map(|entry| entry.key.clone()).collect();
        keys.iter().filter(|key| self.remove(key)).count()
    }

    /// Takes in another device, which is the same one. Returns how many metrics have no space.
    pub fn take_in(&mut self, other: Device) -> u64 {
        if other.named_by > self.named_by || self.name.is_empty() && other.named_by >= self.named_by {
            (self.name, self.named_by) = (other.name, other.named_by);
        }
        if self.kind.is_empty() {
            self.kind = other.kind;
        }
        for (name, (rank, text)) in other.attributes {
            let known = self.attributes.get(&name).map(|(rank, _)| *rank);
            if known.is_none_or(|known| rank > known) {
                self.attributes.insert(name, (rank, text));
            }
        }
        for key in other.keys {
            if !self.keys.contains(&key) {
                self.keys.push(key);
            }
        }
        self.held += other.held;
        for (source, there) in other.said {
            self.say(&source, there);
        }
        let mut left_out = 0;
        for entry in other.entries.into_iter().flatten() {
            if self.by_key.contains_key(&entry.key) {
                continue;
            }
            if self.len() >= crate::model::device::METRICS {
                left_out += 1;
                continue;
            }
            let at = self.add(&entry.key, entry.topic, entry.metric);
            if let Some(own) = self.entry_mut(at) {
                (own.command, own.is_reported, own.is_guessed) =
                    (entry.command, entry.is_reported, entry.is_guessed);
                (own.last, own.was_number) = (entry.last, entry.was_number);
                own.lasts_ms = entry.lasts_ms;
            }
        }
        left_out
    }

    /// See [`super::book::Book::describe`]. Returns whether anything changed.
    pub fn describe(&mut self, rank: Rank, name: &str, kind: &str, attributes: &[(&str, &str)]) -> bool {
        let mut is_changed = false;
        let name = text::visible(name);
        if !name.is_empty() && (rank >= self.named_by || self.name.is_empty()) {
            is_changed |= self.name != name;
            (self.name, self.named_by) = (name, rank);
        }
        let kind = text::visible(kind);
        if !kind.is_empty() && (rank >= self.named_by || self.kind.is_empty()) && self.kind != kind {
            self.kind = kind;
            is_changed = true;
        }
        for (name, said) in attributes {
            let said = text::visible(said);
            let known = self.attributes.get(*name);
            if said.is_empty()
                || known.is_some_and(|(by, known)| *by > rank || *known == said)
                || known.is_none() && self.attributes.len() >= MAX_ATTRIBUTES
            {
                continue;
            }
            self.attributes.insert((*name).to_owned(), (rank, said));
            is_changed = true;
        }
        is_changed
    }

    /// What a source says. Returns whether that changed anything.
    pub fn say(&mut self, source: &str, there: There) -> bool {
        let is_full = self.said.len() >= MAX_SOURCES;
        match self.said.iter_mut().find(|(known, _)| **known == *source) {
            Some((_, known)) if *known == there => return false,
            Some((_, known)) => *known = there,
            None if is_full => return false,
            None => self.said.push((source.into(), there)),
        }
        true
    }

    /// A source says nothing any longer. Returns whether it had said something.
    pub fn unsay(&mut self, source: &str) -> bool {
        let before = self.said.len();
        self.said.retain(|(known, _)| **known != *source);
        before != self.said.len()
    }

    /// Whether it is there, by all that say so: offline if one of them says it, except where one of several is enough.
    pub fn there(&self) -> There {
        let is_any = |source: &str| source.starts_with(ANY);
        let any = || self.said.iter().filter(|(source, _)| is_any(source)).map(|(_, there)| there);
        let mut all: Vec<&There> =
            self.said.iter().filter(|(source, _)| !is_any(source)).map(|(_, there)| there).collect();
        let best = any()
            .find(|there| matches!(there, There::Online | There::Asleep))
            .or_else(|| any().find(|there| **there == There::Unknown))
            .or_else(|| any().next());
        all.extend(best);
        let offline = all.iter().find(|there| matches!(there, There::Offline(_)));
        let asleep = || all.iter().find(|there| matches!(there, There::Asleep));
        let online = || all.iter().find(|there| matches!(there, There::Online));
        offline.or_else(asleep).or_else(online).map_or(There::Unknown, |there| (*there).clone())
    }

    pub fn is_asleep(&self) -> bool {
        self.shown == There::Asleep
    }

    /// What changed since the last call.
    pub fn changes(&mut self, now: BootMs) -> Vec<Change> {
        self.is_dirty = false;
        let mut changes = Vec::new();
        let spec = self.spec();
        if self.spec.as_deref() != Some(&spec) {
            self.described_at = Some(now);
            self.is_announced = true;
            self.spec = Some(Box::new(spec.clone()));
            changes.push(Change::Described(Box::new(spec)));
        }
        let there = self.there();
        if there != self.shown {
            self.shown = there.clone();
            changes.push(Change::Presence { device: self.id.clone(), there });
        }
        changes
    }

    fn spec(&self) -> Spec {
        Spec {
            name: self.name.clone(),
            kind: self.kind.clone(),
            metrics: self.entries.iter().flatten().map(|entry| entry.metric.clone()).collect(),
            attributes: self
                .attributes
                .iter()
                .map(|(name, (_, text))| (name.clone(), text.clone()))
                .collect(),
            ..Spec::unannounced(self.id.clone())
        }
    }
}
