//! [`Book`]: the devices that conventions have found, each under every key by which one of them knows it. What changes is gathered
//! and handed out as [`Change`]s. Handles stay valid when devices are merged, and mean nothing once a device is gone.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::change::{Change, Commanded, Outgoing, There};
use super::device::{Device, Entry};
use super::rhythm::Rhythms;
use super::template::Templates;
use super::text;
use crate::model::device::{Control, DeviceId, METRICS, Metric, MetricName, MetricType, Value};
use crate::model::time::{BootMs, Time, WallMs};

/// Maximum number of devices.
pub const MAX_DEVICES: usize = 8_192;
/// Maximum number of metrics of all devices.
pub const MAX_METRICS: usize = 200_000;
/// Maximum number of keys of one device.
const MAX_KEYS: usize = 16;
/// A device that changes more often is described once in this time, in milliseconds.
const DESCRIBE_EVERY_MS: u64 = 50;
/// The topic of what comes from none.
pub(super) const NO_TOPIC: u32 = u32::MAX;

/// Makes messages of a value to set.
pub(super) type Command =
    Arc<dyn Fn(&Templates, Time, &Value) -> Result<Vec<Outgoing>, String> + Send + Sync>;

/// A device of a [`Book`].
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Dev {
    at: usize,
    born: u32,
}

/// How sure a convention is of what a device is called: the surest names it.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// By the path of its topics.
    Path,
    /// By the shape of its topics.
    Shape,
    /// By what it says of itself.
    Own,
    /// By what a bridge or discovery says of it.
    Told,
}

enum Slot {
    Free,
    Used(Box<Device>),
    Moved(Dev),
}

/// Readings of one device at one moment.
struct Batch {
    dev: Dev,
    at: Option<WallMs>,
    replayed: bool,
    values: Vec<(MetricName, Value)>,
}

/// See the module.
pub(super) struct Book {
    slots: Vec<(u32, Slot)>,
    free: Vec<usize>,
    keys: HashMap<Box<str>, Dev, RandomState>,
    ids: HashMap<DeviceId, Dev, RandomState>,
    metrics: usize,
    /// The time of the message that is read.
    pub now: Time,
    /// Whether it was retained.
    pub replayed: bool,
    /// When it was written, by its own word.
    pub at: Option<WallMs>,
    /// The devices that it was about.
    pub touched: Vec<Dev>,
    /// Devices and metrics that were left out.
    pub left_out: u64,
    /// Whether a device owns everything below a path: see [`Book::own`].
    has_owners: bool,
    born: u32,
    dirty: Vec<Dev>,
    /// Changed devices that were described a moment ago, and when they may be again.
    waiting: VecDeque<(BootMs, Dev)>,
    batch: Vec<Batch>,
    /// When a message came that is read again.
    pub came: Option<WallMs>,
    out: Vec<Change>,
    rhythms: Rhythms,
    /// When to look whether a value still counts.
    expiries: BinaryHeap<Reverse<(BootMs, usize, u32, usize)>>,
    expired: Vec<(Dev, MetricName)>,
}

impl Book {
    pub fn new() -> Book {
        Book {
            slots: Vec::new(),
            free: Vec::new(),
            keys: HashMap::default(),
            ids: HashMap::default(),
            metrics: 0,
            now: Time::default(),
            replayed: false,
            at: None,
            touched: Vec::new(),
            left_out: 0,
            has_owners: false,
            born: 0,
            dirty: Vec::new(),
            waiting: VecDeque::new(),
            batch: Vec::new(),
            came: None,
            out: Vec::new(),
            rhythms: Rhythms::default(),
            expiries: BinaryHeap::new(),
            expired: Vec::new(),
        }
    }

    /// Begins a message.
    pub fn begin(&mut self, now: Time, replayed: bool) {
        (self.now, self.replayed, self.at, self.came) = (now, replayed, None, None);
        self.touched.clear();
    }

    fn place(&self, dev: Dev) -> Option<usize> {
        let mut dev = dev;
        // Merging shortens chains, so that few steps lead to the end of each.
        for _ in 0..32 {
            match self.slots.get(dev.at)? {
                (born, Slot::Used(_)) if *born == dev.born => return Some(dev.at),
                (born, Slot::Moved(to)) if *born == dev.born => dev = *to,
                _ => return None,
            }
        }
        None
    }

    /// The device of a handle.
    pub fn get(&self, dev: Dev) -> Option<&Device> {
        match &self.slots[self.place(dev)?].1 {
            Slot::Used(device) => Some(device),
            _ => None,
        }
    }

    fn get_mut(&mut self, dev: Dev) -> Option<&mut Device> {
        let place = self.place(dev)?;
        match &mut self.slots[place].1 {
            Slot::Used(device) => Some(device),
            _ => None,
        }
    }

    /// The handle under which a device is held now.
    pub fn resolved(&self, dev: Dev) -> Option<Dev> {
        let at = self.place(dev)?;
        Some(Dev { at, born: self.slots[at].0 })
    }

    /// The device with this key.
    pub fn by_key(&self, key: &str) -> Option<Dev> {
        self.keys.get(key).copied()
    }

    /// The device with this id.
    pub fn by_id(&self, id: &str) -> Option<Dev> {
        self.ids.get(id).copied()
    }

    /// The device with one of these keys, or a new one whose id is close to `id`. Devices that have one of them each are one
    /// device from now on. `None` if there is no space.
    pub fn device(&mut self, rank: Rank, keys: &[&str], id: &str) -> Option<Dev> {
        let mut known: Option<Dev> = None;
        for key in keys {
            let Some(found) = self.keys.get(*key).copied().and_then(|dev| self.resolved(dev)) else {
                continue;
            };
            known = match known {
                Some(dev) if dev != found => Some(self.merge(dev, found)),
                _ => Some(found),
            };
        }
        let dev = match known {
            Some(dev) => dev,
            None => self.add(rank, id)?,
        };
        self.add_keys(dev, keys);
        self.touch(dev);
        if let Some(device) = self.get_mut(dev) {
            device.rank = device.rank.max(rank);
        }
        Some(dev)
    }

    /// Adds keys to a device, unless another has them.
    pub fn add_keys(&mut self, dev: Dev, keys: &[&str]) {
        let Some(dev) = self.resolved(dev) else { return };
        for key in keys {
            if self.keys.contains_key(*key) {
                continue;
            }
            let Some(device) = self.get_mut(dev).filter(|device| device.keys.len() < MAX_KEYS) else {
                return;
            };
            device.keys.push((*key).into());
            self.keys.insert((*key).into(), dev);
        }
    }

    /// Everything below a path is about this device. Returns whether that is new.
    pub fn own(&mut self, dev: Dev, path: &str) -> bool {
        let key = format!("below:{path}");
        let is_new = self.by_key(&key).is_none();
        self.add_keys(dev, &[&key]);
        self.has_owners = true;
        is_new
    }

    /// The device that owns a path, and what of the path is below its own.
    pub fn owner<'a>(&self, path: &'a str) -> Option<(Dev, &'a str)> {
        if !self.has_owners {
            return None;
        }
        let ends = path.match_indices('/').map(|(at, _)| at).take(16).chain([path.len()]);
        ends.filter_map(|end| {
            let dev = self.by_key(&format!("below:{}", &path[..end]))?;
            Some((self.resolved(dev)?, path[end..].trim_start_matches('/')))
        })
        .next()
    }

    fn add(&mut self, rank: Rank, wanted: &str) -> Option<Dev> {
        if self.ids.len() >= MAX_DEVICES {
            self.left_out += 1;
            return None;
        }
        let mut id = text::short(wanted)?;
        // What was only known by its path turns out to be this device.
        let holder = self.ids.get(id.as_str()).copied();
        if let Some(holder) = holder
            && rank > Rank::Path
            && self.get(holder).is_some_and(|device| device.rank == Rank::Path)
        {
            return Some(holder);
        }
        let mut number = 2;
        while self.ids.contains_key(id.as_str()) {
            id = text::short(&format!("{wanted} {number}"))?;
            number += 1;
            if number > 64 {
                return None;
            }
        }
        self.born = self.born.wrapping_add(1);
        let device = Box::new(Device::new(id.clone(), rank));
        let at = match self.free.pop() {
            Some(at) => at,
            None => {
                self.slots.push((0, Slot::Free));
                self.slots.len() - 1
            }
        };
        self.slots[at] = (self.born, Slot::Used(device));
        let dev = Dev { at, born: self.born };
        self.ids.insert(id, dev);
        self.dirty.push(dev);
        Some(dev)
    }

    /// Makes one device of two: the one that is known more surely takes in the other.
    pub fn merge(&mut self, one: Dev, other: Dev) -> Dev {
        let (Some(one), Some(other)) = (self.resolved(one), self.resolved(other)) else { return one };
        let rank = |dev| self.get(dev).map(|device| device.rank);
        let (stays, goes) = if rank(other) > rank(one) { (other, one) } else { (one, other) };
        if stays == goes {
            return stays;
        }
        let Slot::Used(gone) = std::mem::replace(&mut self.slots[goes.at].1, Slot::Moved(stays)) else {
            return stays;
        };
        self.ids.remove(&gone.id);
        if gone.is_announced {
            self.out.push(Change::Gone(gone.id.clone()));
        }
        for key in &gone.keys {
            self.keys.insert(key.clone(), stays);
        }
        // The values go with it: what the server kept does not come again.
        let last = gone.last_values();
        let left_out = self.get_mut(stays).map_or(0, |device| device.take_in(*gone));
        self.left_out += left_out;
        let named = |(key, value): (Box<str>, Value)| {
            let device = self.get(stays)?;
            Some((device.entry(device.find(&key)?)?.metric.name.clone(), value))
        };
        let values: Vec<(MetricName, Value)> = last.into_iter().filter_map(named).collect();
        if !values.is_empty() {
            self.batch.push(Batch { dev: stays, at: None, replayed: true, values });
        }
        self.recount();
        self.mark(stays);
        stays
    }

    fn recount(&mut self) {
        let used = self.slots.iter().filter_map(|(_, slot)| match slot {
            Slot::Used(device) => Some(device.len()),
            _ => None,
        });
        self.metrics = used.sum();
    }

    /// Removes a device.
    pub fn remove(&mut self, dev: Dev) {
        let Some(dev) = self.resolved(dev) else { return };
        let Slot::Used(gone) = std::mem::replace(&mut self.slots[dev.at].1, Slot::Free) else { return };
        self.free.push(dev.at);
        self.metrics = self.metrics.saturating_sub(gone.len());
        self.ids.remove(&gone.id);
        gone.keys.iter().for_each(|key| {
            self.keys.remove(key);
        });
        self.batch.retain(|batch| batch.dev != dev);
        if gone.is_announced {
            self.out.push(Change::Gone(gone.id));
        }
    }

    fn mark(&mut self, dev: Dev) {
        if let Some(dev) = self.resolved(dev)
            && let Some(device) = self.get_mut(dev)
            && !device.is_dirty
        {
            device.is_dirty = true;
            self.dirty.push(dev);
        }
    }

    fn touch(&mut self, dev: Dev) {
        if !self.touched.contains(&dev) {
            self.touched.push(dev);
        }
    }

    /// Changes what is said of a device. What a surer convention says stays.
    pub fn describe(&mut self, dev: Dev, rank: Rank, name: &str, kind: &str, attributes: &[(&str, &str)]) {
        let Some(device) = self.get_mut(dev) else { return };
        if device.describe(rank, name, kind, attributes) {
            self.mark(dev);
        }
    }

    /// The metric with this key, made by `make` if it is new. `topic`: where its values come from.
    pub fn metric(
        &mut self,
        dev: Dev,
        key: &str,
        topic: u32,
        make: impl FnOnce() -> Metric,
    ) -> Option<usize> {
        self.touch(dev);
        let metrics = self.metrics;
        let device = self.get_mut(dev)?;
        if let Some(at) = device.find(key) {
            return Some(at);
        }
        if device.len() >= METRICS || metrics >= MAX_METRICS {
            self.left_out += 1;
            return None;
        }
        let at = device.add(key, topic, make());
        self.metrics += 1;
        self.mark(dev);
        Some(at)
    }

    /// Adds a metric, or replaces it if it was described differently.
    pub fn put_metric(&mut self, dev: Dev, key: &str, topic: u32, metric: Metric) {
        let Some(at) = self.metric(dev, key, topic, || metric.clone()) else { return };
        let Some(device) = self.get_mut(dev) else { return };
        if device.replace(at, topic, metric) {
            self.mark(dev);
        }
    }

    /// Changes a metric.
    pub fn change_metric(&mut self, dev: Dev, key: &str, change: impl FnOnce(&mut Metric)) {
        let Some(device) = self.get_mut(dev) else { return };
        let Some(metric) = device.find(key).and_then(|at| device.metric_mut(at)) else { return };
        let before = metric.clone();
        change(metric);
        if *metric != before {
            self.mark(dev);
        }
    }

    /// What sets the metric, which becomes writable.
    pub fn command(&mut self, dev: Dev, key: &str, is_reported: bool, command: Command) {
        let Some(device) = self.get_mut(dev) else { return };
        let Some(entry) = device.find(key).and_then(|at| device.entry_mut(at)) else { return };
        let changed = !entry.metric.writable;
        entry.metric.writable = true;
        // A colour comes back in another form, or rounded.
        let is_colour = entry.metric.control == Some(Control::Colour);
        (entry.command, entry.is_reported) = (Some(command), is_reported && !is_colour);
        if changed {
            self.mark(dev);
        }
    }

    /// The same for what one message on one topic sets; `payload` makes it of the value.
    pub fn command_on<P: Into<Vec<u8>>>(
        &mut self,
        dev: Dev,
        key: &str,
        is_reported: bool,
        topic: String,
        payload: impl Fn(&Value) -> Result<P, String> + Send + Sync + 'static,
    ) {
        let command: Command =
            Arc::new(move |_, _, value| Ok(vec![Outgoing::new(topic.as_str(), payload(value)?)]));
        self.command(dev, key, is_reported, command);
    }

    /// A reading. `make` describes the metric, if it is new.
    pub fn read(&mut self, dev: Dev, key: &str, topic: u32, value: Value, make: impl FnOnce() -> Metric) {
        if let Some(at) = self.metric(dev, key, topic, make) {
            self.read_at(dev, at, value);
        }
    }

    fn read_at(&mut self, dev: Dev, at: usize, value: Value) {
        let Some(dev) = self.resolved(dev) else { return };
        let (now, when, replayed) = (self.now.boot_ms, self.at.or(self.came), self.replayed);
        let Some(entry) = self.get_mut(dev).and_then(|device| device.entry_mut(at)) else { return };
        if value == Value::Missing && entry.last.is_none() {
            // It has no value yet, which is no fault of the device.
            return;
        }
        let is_upgraded = entry.is_guessed && !matches!(value, Value::Missing) && entry.widen(&value);
        entry.last = Some((value.clone(), now));
        let name = entry.metric.name.clone();
        let lasts = entry.lasts_ms.filter(|_| !entry.is_timed && !matches!(value, Value::Missing));
        entry.is_timed |= lasts.is_some();
        if let Some(lasts) = lasts {
            self.expiries.push(Reverse((now + lasts, dev.at, dev.born, at)));
        }
        if is_upgraded {
            self.mark(dev);
        }
        let same = |batch: &&mut Batch| batch.dev == dev && batch.at == when && batch.replayed == replayed;
        match self.batch.iter_mut().find(same) {
            Some(batch) => match batch.values.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) => *known = value,
                None => batch.values.push((name, value)),
            },
            None => self.batch.push(Batch { dev, at: when, replayed, values: vec![(name, value)] }),
        }
    }

    /// The last value of a metric, and when it came.
    pub fn last(&self, dev: Dev, key: &str) -> Option<&(Value, BootMs)> {
        let device = self.get(dev)?;
        device.entry(device.find(key)?)?.last.as_ref()
    }

    /// A convention holds a device that it describes (1), or does not any longer (-1). A device that none holds and that has no
    /// metrics goes.
    pub fn hold(&mut self, dev: Dev, by: i32) {
        let Some(device) = self.get_mut(dev) else { return };
        device.held += by;
        if device.is_empty() {
            self.remove(dev);
        }
    }

    /// A key that is shared with a device only if no surer one has it.
    pub fn add_weak_key(&mut self, dev: Dev, key: &str) {
        let other = self.by_key(key).and_then(|other| self.resolved(other));
        let rank = other.and_then(|other| self.get(other)).map(|device| device.rank);
        match (other, rank) {
            (Some(other), Some(rank)) if Some(other) != self.resolved(dev) && rank < Rank::Told => {
                self.merge(dev, other);
            }
            (None, _) => self.add_keys(dev, &[key]),
            _ => {}
        }
    }

    /// How long a metric's values count, in milliseconds.
    pub fn lasts(&mut self, dev: Dev, key: &str, lasts_ms: u64) {
        let Some(device) = self.get_mut(dev) else { return };
        if let Some(entry) = device.find(key).and_then(|at| device.entry_mut(at)) {
            entry.lasts_ms = Some(lasts_ms);
        }
    }

    /// Values that do not count any longer are missing.
    fn expire(&mut self) {
        let now = self.now.boot_ms;
        while let Some(Reverse((due, place, born, at))) = self.expiries.peek().copied()
            && due <= now
        {
            self.expiries.pop();
            let dev = Dev { at: place, born };
            let Some(entry) = self.get_mut(dev).and_then(|device| device.entry_mut(at)) else { continue };
            entry.is_timed = false;
            let (Some(lasts), Some((value, came))) = (entry.lasts_ms, entry.last.clone()) else { continue };
            if came + lasts > now {
                entry.is_timed = true;
                self.expiries.push(Reverse((came + lasts, place, born, at)));
            } else if value != Value::Missing {
                entry.last = Some((Value::Missing, came));
                let name = entry.metric.name.clone();
                if let Some(dev) = self.resolved(dev) {
                    // Nothing was heard of the device: its rhythm does not change.
                    self.expired.push((dev, name));
                }
            }
        }
    }

    /// Whether a metric's type follows from what comes.
    pub fn guess(&mut self, dev: Dev, key: &str, is_guessed: bool) {
        let Some(device) = self.get_mut(dev) else { return };
        if let Some(entry) = device.find(key).and_then(|at| device.entry_mut(at)) {
            entry.is_guessed = is_guessed;
        }
    }

    /// Removes a metric.
    pub fn remove_metric(&mut self, dev: Dev, key: &str) {
        let removed = self.get_mut(dev).is_some_and(|device| device.remove(key));
        if removed {
            self.metrics -= 1;
            self.mark(dev);
        }
    }

    /// Removes what a topic's values were shown as. A device that has nothing left goes.
    pub fn forget_topic(&mut self, dev: Dev, topic: u32, name: &str) {
        let Some(device) = self.get_mut(dev) else { return };
        let removed = device.remove_topic(topic);
        let is_changed = device.unsay(name) || removed > 0;
        let is_empty = device.is_empty();
        self.metrics -= removed;
        if is_empty {
            self.remove(dev);
        } else if is_changed {
            self.mark(dev);
        }
    }

    /// What a source says of a device being there.
    pub fn say(&mut self, dev: Dev, source: &str, there: There) {
        self.touch(dev);
        let Some(device) = self.get_mut(dev) else { return };
        if device.say(source, there) {
            self.mark(dev);
        }
    }

    /// A source says nothing any longer.
    pub fn unsay(&mut self, dev: Dev, source: &str) {
        let Some(device) = self.get_mut(dev) else { return };
        if device.unsay(source) {
            self.mark(dev);
        }
    }

    /// Publishes a message.
    pub fn publish(&mut self, message: Outgoing) {
        self.out.push(Change::Publish(message));
    }

    /// Reports that a message was not understood.
    pub fn refuse(&mut self, topic: &str, why: impl Into<String>) {
        self.out.push(Change::Refused { topic: text::visible(topic), why: why.into() });
    }

    /// What a command becomes.
    ///
    /// # Errors
    /// Why it cannot be sent, in English.
    pub fn run(
        &self,
        templates: &Templates,
        now: Time,
        device: &str,
        property: &str,
        value: &Value,
    ) -> Result<Commanded, String> {
        let dev = self.by_id(device).ok_or("there is no such device")?;
        let device = self.get(dev).ok_or("there is no such device")?;
        let entry = device.by_name(property).ok_or("the device has no such property")?;
        let command = entry.command.as_ref().ok_or("this property cannot be set")?;
        entry.metric.check(value)?;
        Ok(Commanded { messages: command(templates, now, value)?, is_reported: entry.is_reported })
    }

    /// Ends a message: everything that changed. `all`: also what could wait.
    pub fn finish(&mut self, all: bool) -> Vec<Change> {
        let now = self.now.boot_ms;
        for dev in std::mem::take(&mut self.dirty) {
            let Some(device) = self.get_mut(dev) else { continue };
            let due = device.described_at.map_or(now, |at| at + DESCRIBE_EVERY_MS);
            if all || due <= now {
                let changes = device.changes(now);
                self.out.extend(changes);
            } else {
                self.waiting.push_back((due, dev));
            }
        }
        while let Some((due, dev)) = self.waiting.front().copied()
            && (all || due <= now)
        {
            self.waiting.pop_front();
            self.tell(dev);
        }
        for Batch { dev, at, replayed, values } in std::mem::take(&mut self.batch) {
            self.tell(dev);
            let now = self.now;
            let Some(dev) = self.resolved(dev) else { continue };
            let Some(device) = self.get_mut(dev) else { continue };
            let id = device.id.clone();
            if !replayed && !device.is_asleep() {
                self.rhythms.heard(dev.at, dev.born, now);
            }
            self.out.push(Change::Readings { device: id, at, replayed, values });
        }
        std::mem::take(&mut self.out)
    }

    /// Tells what changed of a device, if anything did.
    fn tell(&mut self, dev: Dev) {
        let now = self.now.boot_ms;
        let Some(device) = self.get_mut(dev).filter(|device| device.is_dirty) else { return };
        let changes = device.changes(now);
        self.out.extend(changes);
    }

    /// When [`Book::tick`] is to be called.
    pub fn deadline(&self) -> Option<BootMs> {
        let described = self.waiting.front().map(|(due, _)| *due);
        let expires = self.expiries.peek().map(|Reverse((due, ..))| *due);
        [described, expires, self.rhythms.deadline()].into_iter().flatten().min()
    }

    /// Time has passed: what waited, and who is silent.
    pub fn tick(&mut self, now: Time) -> Vec<Change> {
        self.begin(now, false);
        for (at, born, since) in self.rhythms.silent(now) {
            let device = self.get(Dev { at, born });
            if let Some(device) =
                device.filter(|device| !matches!(device.there(), There::Offline(_) | There::Asleep))
            {
                let device = device.id.clone();
                self.out.push(Change::Silent { device, since });
            }
        }
        self.expire();
        for (dev, name) in std::mem::take(&mut self.expired) {
            if let Some(device) = self.get(dev) {
                let device = device.id.clone();
                let values = vec![(name, Value::Missing)];
                self.out.push(Change::Readings { device, at: None, replayed: false, values });
            }
        }
        self.finish(true)
    }

    /// Ids of all devices.
    pub fn ids(&self) -> impl Iterator<Item = &DeviceId> {
        self.ids.keys()
    }
}

/// A metric whose kind follows from its first value.
pub(super) fn guessed(name: MetricName, value: &Value, unit: &str) -> Metric {
    let mut metric = Metric::of_value(name, value);
    unit.clone_into(&mut metric.unit);
    if !unit.is_empty() {
        metric.kind = MetricType::Number;
    }
    metric
}

/// A metric's name from the words of a path.
pub(super) fn named(name: &str) -> MetricName {
    text::short(name).or_else(|| text::short("value")).unwrap_or_else(fallback)
}

#[allow(clippy::panic, reason = "a fixed name that follows the rules")]
fn fallback() -> MetricName {
    MetricName::new("value").unwrap_or_else(|why| panic!("{why}"))
}

impl Entry {
    /// Makes room for another kind of value. Returns whether the kind changed.
    fn widen(&mut self, value: &Value) -> bool {
        let wider = match (self.metric.kind, value) {
            (MetricType::Text, Value::Number(_) | Value::Whole(_)) => MetricType::Number,
            (MetricType::Flag, Value::Number(_) | Value::Whole(_)) => MetricType::Number,
            (MetricType::Flag, Value::Text(_)) => MetricType::Text,
            // It had no value when it was found.
            (MetricType::Number, Value::Text(_)) if !self.was_number => MetricType::Text,
            (MetricType::Number, Value::Flag(_)) if !self.was_number => MetricType::Flag,
            _ => self.metric.kind,
        };
        self.was_number |= matches!(value, Value::Number(_) | Value::Whole(_));
        std::mem::replace(&mut self.metric.kind, wider) != wider
    }
}
