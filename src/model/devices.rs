//! [`Devices`]: all devices of one connection as the window sees them. It does not know whether the link is
//! up; [`super::Connection::status`] combines both. Everything is bounded; what exceeds the bounds is
//! counted.

mod one;
mod space;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::device::{
    ASLEEP, Command, CommandState, DeviceId, DeviceState, Freshness, LogLine, MetricName, Spec, Status,
};
use super::device_choices::ServerChoices;
use super::event::DeviceEvent;
use super::link_device::{LOCAL_MARK, link_spec};
use super::readings::Part;
use super::series::{Bucket, SeriesPage};
use super::states::{StateChange, States};
use super::time::WallMs;
pub use one::{Device, Latest, Presence};
use one::{MAX_LINES, StateSource};
use space::{MAX_DEVICES, Space};

/// Maximum number of history pages held for plots, and of buckets in all of them together.
const MAX_PAGES: usize = 48;
const MAX_PAGED_BUCKETS: usize = 100_000;

/// Maximum number of text histories held for plots; a page shows fewer at once. Each is at most a megabyte,
/// usually a few kilobytes.
const MAX_STATES: usize = 16;

/// All devices of one connection.
#[derive(Clone, Debug, Default)]
pub struct Devices {
    list: Vec<Device>,
    by_id: HashMap<DeviceId, usize, RandomState>,
    /// Index after the last device that was read, which is usually the next one.
    next: usize,
    /// Whether the hub's device list is complete since the link came up.
    complete: bool,
    /// Ids of the devices in a list that is still arriving.
    arriving: Option<HashSet<DeviceId, RandomState>>,
    /// Number of connections so far; see [`Device::in_generation`].
    generation: u32,
    /// Devices with a command whose outcome is unknown.
    awaited: HashSet<DeviceId, RandomState>,
    space: Space,
    version: u64,
    readings: u64,
    conflated: u64,
    pages: VecDeque<((DeviceId, MetricName), SeriesPage)>,
    pages_version: u64,
    states: VecDeque<((DeviceId, MetricName), States)>,
    /// What the person has chosen for single devices.
    choices: ServerChoices,
}

impl PartialEq for Devices {
    fn eq(&self, other: &Self) -> bool {
        self.list == other.list && self.complete == other.complete
    }
}
impl Eq for Devices {}

impl Devices {
    /// Applies an event.
    pub fn apply(&mut self, event: DeviceEvent) {
        match event {
            DeviceEvent::Listed { devices, started, more } => self.listed(devices, started, more),
            DeviceEvent::Announced(state) => self.announced(*state),
            DeviceEvent::Presence { device, online, since, reason } => {
                self.presence(&device, online, since, reason);
            }
            DeviceEvent::Silent { device, since } => self.silent(&device, since),
            DeviceEvent::Unheard { device, since } => self.unheard(&device, since),
            DeviceEvent::Gone { device } => self.gone(&device),
            DeviceEvent::Readings(readings) => self.read(&readings.whole()),
            DeviceEvent::LocalReadings(readings) => self.read_local(&readings.whole()),
            DeviceEvent::Commanded(command) => self.commanded(*command),
            DeviceEvent::Logged { device, lines } => self.logged(&device, lines),
            DeviceEvent::SeriesPaged { device, metric, page } => self.paged(device, metric, page),
            DeviceEvent::States { device, metric, changes } => self.states_read(device, metric, changes),
            DeviceEvent::Restored(states) => self.restored(states),
            // Handled by the publisher, not the model.
            DeviceEvent::CommandGiven { .. } | DeviceEvent::PublishRefused { .. } => {}
        }
    }

    /// Number of devices.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are no devices.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether the hub's device list has arrived since the link came up.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// Changes when the set of devices, a name, kind or presence, or a device's settings change: everything
    /// that lists are sorted and filtered by.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// What the person has chosen for single devices.
    pub fn choices(&self) -> &ServerChoices {
        &self.choices
    }

    /// The person has changed settings of devices.
    pub(super) fn choose(&mut self, choices: ServerChoices) {
        if self.choices == choices {
            return;
        }
        let before = std::mem::replace(&mut self.choices, choices);
        for device in &mut self.list {
            let (old, new) = (before.get(&device.spec.id), self.choices.get(&device.spec.id));
            if old.map(|choice| &choice.readings) != new.map(|choice| &choice.readings) {
                device.correct(new, &mut self.space);
            }
        }
        // Lists are sorted and filtered again.
        self.version += 1;
    }

    /// All devices in arbitrary order. Indices are valid until [`Devices::version`] changes.
    pub fn iter(&self) -> std::slice::Iter<'_, Device> {
        self.list.iter()
    }

    /// The device at an index.
    pub fn at(&self, place: usize) -> Option<&Device> {
        self.list.get(place)
    }

    /// The device with this id.
    pub fn get(&self, id: &str) -> Option<&Device> {
        self.list.get(*self.by_id.get(id)?)
    }

    /// Total number of readings received from the hub.
    pub fn readings(&self) -> u64 {
        self.readings
    }

    /// Total number of readings that the hub dropped because this app could not keep up.
    pub fn conflated(&self) -> u64 {
        self.conflated
    }

    /// Total number of times that a device or metric was dropped for lack of space.
    pub fn left_out(&self) -> u64 {
        self.space.left_out
    }

    /// Approximate memory use in bytes. Visits everything: for tests and benchmarks only.
    pub fn bytes(&self) -> usize {
        let entry = size_of::<(DeviceId, usize)>() + 1;
        let spare = (self.list.capacity() - self.list.len()) * size_of::<Device>();
        let page = |page: &SeriesPage| page.buckets.capacity() * size_of::<Bucket>();
        let change = |change: &StateChange| {
            let shared = |text: &Arc<str>| text.len() / Arc::strong_count(text);
            size_of::<StateChange>() + change.value.as_ref().map_or(0, shared)
        };
        self.list.iter().map(Device::bytes).sum::<usize>()
            + spare
            + self.by_id.capacity() * entry
            + self.pages.iter().map(|(_, held)| page(held)).sum::<usize>()
            + self.states.iter().flat_map(|(_, held)| held.iter()).map(change).sum::<usize>()
    }

    /// The page of a metric's history that was last requested.
    pub fn page(&self, device: &str, metric: &str) -> Option<&SeriesPage> {
        held(&self.pages, device, metric)
    }

    /// The history of a text metric that was last requested, in order of time. A new answer has a new
    /// allocation.
    pub fn states(&self, device: &str, metric: &str) -> Option<&States> {
        held(&self.states, device, metric)
    }

    /// Changes whenever a page arrives.
    pub fn pages_version(&self) -> u64 {
        self.pages_version
    }

    /// The link went down. Known devices are kept, and count as unknown until the hub sends everything again.
    /// Only devices with a pending command are touched.
    pub(super) fn disconnected(&mut self) {
        (self.complete, self.arriving) = (false, None);
        self.generation = self.generation.wrapping_add(1);
        self.version += 1;
        for id in self.awaited.drain() {
            let Some(device) = self.by_id.get(&id).and_then(|place| self.list.get_mut(*place)) else {
                continue;
            };
            for command in device.commands.iter_mut().filter(|known| known.state == CommandState::Pending) {
                command.state = CommandState::Unknown;
            }
        }
    }

    /// Handles a part of the hub's device list. `started` is when the hub started, by its clock.
    pub(super) fn listed(&mut self, states: Vec<DeviceState>, started: WallMs, more: bool) {
        let mut arriving = self.arriving.take().unwrap_or_default();
        for state in states {
            if arriving.len() < MAX_DEVICES {
                arriving.insert(state.spec.id.clone());
            }
            self.put(state, StateSource::Listed(started));
        }
        if more {
            self.arriving = Some(arriving);
        } else {
            self.complete = true;
            self.retain(|device| device.is_local() || arriving.contains(&device.spec.id));
        }
        self.devices_changed();
    }

    /// Removes devices.
    fn retain(&mut self, stays: impl Fn(&Device) -> bool) {
        let before = self.list.len();
        let space = &mut self.space;
        self.list.retain(|device| {
            let stays = stays(device);
            if !stays {
                device.release_space(space);
            }
            stays
        });
        if self.list.len() < before {
            let ids = self.list.iter().enumerate();
            self.by_id = ids.map(|(at, device)| (device.spec.id.clone(), at)).collect();
            self.awaited.retain(|id| self.by_id.contains_key(id));
        }
    }

    /// Adds devices restored from disk. Newer data from the hub takes precedence.
    pub(super) fn restored(&mut self, states: Vec<DeviceState>) {
        for state in states {
            match self.by_id.get(&state.spec.id) {
                Some(place) => {
                    let choice = self.choices.get(&state.spec.id);
                    self.list[*place].apply_older_values(state.values, choice, &mut self.space);
                }
                None if self.complete => {}
                None => self.put(state, StateSource::Restored),
            }
        }
        self.devices_changed();
    }

    /// A device announced itself, or changed its announcement.
    pub(super) fn announced(&mut self, state: DeviceState) {
        self.put(state, StateSource::Announced);
        self.devices_changed();
    }

    fn put(&mut self, state: DeviceState, how: StateSource) {
        if is_local(&state.spec.id) {
            return;
        }
        if let Some(place) = self.place(&state.spec.id) {
            let choice = self.choices.get(&state.spec.id);
            self.list[place].apply_state(state, how, choice, &mut self.space);
        }
    }

    /// Updates derived data after the set of devices changed.
    fn devices_changed(&mut self) {
        self.version += 1;
        self.sweep();
    }

    /// Trims all series to their allowance, which shrinks as more series are added.
    fn sweep(&mut self) {
        if self.space.is_sweep_due() {
            let allowance = self.space.allowance;
            for latest in self.list.iter_mut().flat_map(|device| &mut device.latest) {
                latest.series.keep_within(allowance);
            }
        }
    }

    /// Index of a device. An unknown one is added, if there is space.
    fn place(&mut self, id: &DeviceId) -> Option<usize> {
        if let Some(device) = self.list.get(self.next)
            && device.spec.id.same(id)
        {
            return Some(self.next);
        }
        let place = match self.by_id.get(id) {
            Some(place) => {
                // Share the allocation, so that the next comparison is fast.
                self.list[*place].spec.id = id.clone();
                *place
            }
            None if !self.space.take_device() => return None,
            None => {
                self.list.push(Device::new(Spec::unannounced(id.clone())));
                self.by_id.insert(id.clone(), self.list.len() - 1);
                self.version += 1;
                self.list.len() - 1
            }
        };
        self.list[place].in_generation(self.generation);
        Some(place)
    }

    /// Handles readings from the hub.
    pub(super) fn read(&mut self, part: &Part<'_>) {
        self.conflated = self.conflated.saturating_add(part.conflated);
        self.readings += part.values.len() as u64;
        self.take_in(part, false);
    }

    /// Handles readings of the app's own link.
    pub(super) fn read_local(&mut self, part: &Part<'_>) {
        let spec = link_spec();
        if !self.by_id.contains_key(&spec.id)
            && let Some(place) = self.place(&spec.id)
        {
            let since = part.samples.first().map_or(WallMs(0), |sample| sample.received);
            let state = DeviceState {
                spec,
                incarnation: 0,
                online: true,
                since,
                reason: String::new(),
                heard: None,
                every_ms: None,
                values: Vec::new(),
            };
            self.list[place].apply_state(state, StateSource::Announced, None, &mut self.space);
        }
        self.take_in(part, true);
    }

    fn take_in(&mut self, part: &Part<'_>, local: bool) {
        for sample in part.samples.iter().filter(|sample| is_local(&sample.device) == local) {
            if let Some(place) = self.place(&sample.device) {
                self.next = place + 1;
                self.list[place].update_clock_lag(sample);
            }
        }
        for (sample, values) in part.iter() {
            if is_local(&sample.device) != local {
                continue;
            }
            let Some(place) = self.place(&sample.device) else { continue };
            self.next = place + 1;
            let device = &mut self.list[place];
            device.in_generation(self.generation);
            // Looked up only where it may be needed: most people have corrected few devices.
            let choice = if self.choices.is_empty() { None } else { self.choices.get(&sample.device) };
            self.version += u64::from(device.read(sample, values, choice, &mut self.space));
        }
        self.sweep();
    }

    /// A device came online or went offline.
    pub(super) fn presence(&mut self, id: &DeviceId, online: bool, since: WallMs, reason: String) {
        if is_local(id) {
            return;
        }
        let Some(place) = self.place(id) else { return };
        let presence = if online { Presence::Online } else { Presence::Offline };
        self.version += u64::from(self.list[place].set_presence(presence, since, reason, true));
        self.list[place].recount(&mut self.space);
    }

    /// A device published nothing for three of its intervals, although the link is up.
    pub(super) fn silent(&mut self, id: &DeviceId, since: WallMs) {
        let Some(place) = self.by_id.get(id) else { return };
        let device = &mut self.list[*place];
        let spoke_since = device.heard.is_some_and(|heard| heard > since);
        if matches!(device.presence, Presence::Online | Presence::Unheard)
            && !spoke_since
            && !device.is_local()
        {
            self.version += u64::from(device.set_presence(Presence::Silent, since, String::new(), true));
            device.recount(&mut self.space);
        }
    }

    /// Nothing is known of whether a device is there.
    pub(super) fn unheard(&mut self, id: &DeviceId, since: WallMs) {
        let Some(place) = self.by_id.get(id) else { return };
        let device = &mut self.list[*place];
        if !device.is_local() {
            self.version += u64::from(device.set_presence(Presence::Unheard, since, String::new(), true));
            device.recount(&mut self.space);
        }
    }

    /// A device does not exist any longer.
    pub(super) fn gone(&mut self, id: &DeviceId) {
        if !is_local(id) && self.by_id.contains_key(id) {
            self.retain(|device| device.spec.id != *id);
            self.devices_changed();
        }
    }

    /// A command was given or completed.
    pub(super) fn commanded(&mut self, command: Command) {
        let Some(place) = self.by_id.get(&command.device) else { return };
        if command.state == CommandState::Pending {
            self.awaited.insert(command.device.clone());
        }
        self.list[*place].commanded(command);
        self.list[*place].recount(&mut self.space);
    }

    /// Handles a device's log from disk or from the hub.
    pub(super) fn logged(&mut self, id: &DeviceId, mut lines: Vec<LogLine>) {
        let Some(place) = self.by_id.get(id) else { return };
        lines.drain(..lines.len().saturating_sub(MAX_LINES));
        self.list[*place].logged(lines);
        self.list[*place].recount(&mut self.space);
    }

    /// Stores a page of history. The pages requested longest ago are evicted if there are too many.
    pub(super) fn paged(&mut self, device: DeviceId, metric: MetricName, page: SeriesPage) {
        let key = (device, metric);
        self.pages.retain(|(known, _)| *known != key);
        self.pages.push_back((key, page));
        let held = |pages: &VecDeque<(_, SeriesPage)>| pages.iter().map(|(_, page)| page.buckets.len()).sum();
        let mut buckets: usize = held(&self.pages);
        while self.pages.len() > 1 && (self.pages.len() > MAX_PAGES || buckets > MAX_PAGED_BUCKETS) {
            buckets -= self.pages.pop_front().map_or(0, |(_, page)| page.buckets.len());
        }
        self.pages_version += 1;
    }

    /// Stores the history of a text metric. The one requested longest ago is evicted if there are too many.
    pub(super) fn states_read(&mut self, device: DeviceId, metric: MetricName, changes: States) {
        let key = (device, metric);
        self.states.retain(|(known, _)| *known != key);
        self.states.push_back((key, changes));
        self.states.drain(..self.states.len().saturating_sub(MAX_STATES));
    }
}

/// The stored entry for a metric, if any.
fn held<'a, T>(all: &'a VecDeque<((DeviceId, MetricName), T)>, device: &str, metric: &str) -> Option<&'a T> {
    let is_it = |(id, name): &(DeviceId, MetricName)| id.as_str() == device && name.as_str() == metric;
    all.iter().find(|(key, _)| is_it(key)).map(|(_, past)| past)
}

/// Whether an id is reserved for the app's own links. The hub must not use such ids.
fn is_local(id: &DeviceId) -> bool {
    id.as_str().starts_with(LOCAL_MARK)
}

/// Status of a device, given the state of the link.
pub(super) fn status(device: &Device, link_is_up: bool, complete: bool) -> Status {
    match device.presence {
        // What the app reports about its own link is known even while the link is down.
        Presence::Online if device.is_local() => Status::Online,
        _ if !link_is_up || !complete => Status::Unknown,
        Presence::Online if device.reason == ASLEEP => Status::Asleep,
        Presence::Online => Status::Online,
        Presence::Silent => Status::Silent,
        Presence::Offline => Status::Offline,
        Presence::Unheard => Status::Unknown,
    }
}

/// Freshness of a value.
pub(super) fn freshness(status: Status, latest: &Latest) -> Freshness {
    match status {
        Status::Unknown => Freshness::Unknown,
        Status::Silent | Status::Offline => Freshness::Stale,
        Status::Online | Status::Asleep if latest.live => Freshness::Live,
        Status::Online | Status::Asleep => Freshness::Replayed,
    }
}
