//! [`Devices`]: all devices of one connection, as the window sees them, and what changes them. Whether the link is up is
//! not known here: [`super::Connection::status`] puts both together. Everything is bounded: what finds no room is counted.

mod one;
mod space;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::device::{
    Command, CommandState, DeviceId, DeviceState, Freshness, LogLine, MetricName, Spec, Status,
};
use super::event::DeviceEvent;
use super::link_device::{LOCAL_MARK, link_spec};
use super::readings::Part;
use super::series::{Bucket, SeriesPage};
use super::states::{StateChange, States};
use super::time::WallMs;
pub use one::{Device, Latest, Presence};
use one::{LINES, Told};
use space::{DEVICES, Space};

/// Most pages of stored pasts held for plots, and most stretches in all of them.
const PAGES: usize = 48;
const PAGED_BUCKETS: usize = 100_000;

/// Most stored pasts of texts held for plots: a page shows fewer at once. Each is at most a megabyte, mostly a few kilobytes.
const STATES: usize = 16;

/// All devices of one connection.
#[derive(Clone, Debug, Default)]
pub struct Devices {
    list: Vec<Device>,
    by_id: HashMap<DeviceId, usize, RandomState>,
    /// The device after the one that was read last: mostly the next one.
    next: usize,
    /// The hub's list has arrived in this connection.
    complete: bool,
    /// The devices of a list that is arriving.
    arriving: Option<HashSet<DeviceId, RandomState>>,
    /// Counts connections; see [`Device::in_generation`].
    generation: u32,
    /// Devices with a command whose end is not known.
    awaited: HashSet<DeviceId, RandomState>,
    space: Space,
    version: u64,
    readings: u64,
    conflated: u64,
    pages: VecDeque<((DeviceId, MetricName), SeriesPage)>,
    pages_version: u64,
    states: VecDeque<((DeviceId, MetricName), States)>,
}

impl PartialEq for Devices {
    fn eq(&self, other: &Self) -> bool {
        self.list == other.list && self.complete == other.complete
    }
}
impl Eq for Devices {}

impl Devices {
    /// Takes one event in.
    pub fn apply(&mut self, event: DeviceEvent) {
        match event {
            DeviceEvent::Listed { devices, started, more } => self.listed(devices, started, more),
            DeviceEvent::Announced(state) => self.announced(*state),
            DeviceEvent::Presence { device, online, since, reason } => {
                self.presence(&device, online, since, reason);
            }
            DeviceEvent::Silent { device, since } => self.silent(&device, since),
            DeviceEvent::Readings(readings) => self.read(&readings.whole()),
            DeviceEvent::LocalReadings(readings) => self.read_local(&readings.whole()),
            DeviceEvent::Commanded(command) => self.commanded(*command),
            DeviceEvent::Logged { device, lines } => self.logged(&device, lines),
            DeviceEvent::SeriesPaged { device, metric, page } => self.paged(device, metric, page),
            DeviceEvent::States { device, metric, changes } => self.states_read(device, metric, changes),
            DeviceEvent::Restored(states) => self.restored(states),
            // For the publisher beside the model.
            DeviceEvent::CommandGiven { .. } | DeviceEvent::PublishRefused { .. } => {}
        }
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether the hub's list has arrived since the link came up.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// Changes with the set of devices, their names, kinds and presence, and with what a person has chosen for them: what a
    /// list is sorted and filtered by.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// A person chose something else for a device: lists are sorted and filtered anew.
    pub(super) fn rearrange(&mut self) {
        self.version += 1;
    }

    /// All, in no order that means anything. The place of a device in it holds until [`Devices::version`] changes.
    pub fn iter(&self) -> std::slice::Iter<'_, Device> {
        self.list.iter()
    }

    /// One, by its place.
    pub fn at(&self, place: usize) -> Option<&Device> {
        self.list.get(place)
    }

    /// One, by its id.
    pub fn get(&self, id: &str) -> Option<&Device> {
        self.list.get(*self.by_id.get(id)?)
    }

    /// How many readings came from the hub in all.
    pub fn readings(&self) -> u64 {
        self.readings
    }

    /// How many readings the hub left out in all, because this app could not keep up.
    pub fn conflated(&self) -> u64 {
        self.conflated
    }

    /// How often a device or a metric found no room here in all.
    pub fn left_out(&self) -> u64 {
        self.space.left_out
    }

    /// About how many bytes all of it takes. Looks at everything: for tests and benches.
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

    /// A part of a metric's stored past, as last asked for.
    pub fn page(&self, device: &str, metric: &str) -> Option<&SeriesPage> {
        held(&self.pages, device, metric)
    }

    /// A text's stored past, as last asked for, in order of time. Another answer is another allocation.
    pub fn states(&self, device: &str, metric: &str) -> Option<&States> {
        held(&self.states, device, metric)
    }

    /// Changes whenever a page arrives.
    pub fn pages_version(&self) -> u64 {
        self.pages_version
    }

    /// The link went down: what was known is kept, and counts as unknown until the hub has told everything anew. No device
    /// is touched but those with a pending command.
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

    /// A piece of the hub's list. `started`: when the hub was, by its clock.
    pub(super) fn listed(&mut self, states: Vec<DeviceState>, started: WallMs, more: bool) {
        let mut arriving = self.arriving.take().unwrap_or_default();
        for state in states {
            if arriving.len() < DEVICES {
                arriving.insert(state.spec.id.clone());
            }
            self.put(state, Told::Listed(started));
        }
        if more {
            self.arriving = Some(arriving);
        } else {
            self.complete = true;
            self.retain(|device| device.is_local() || arriving.contains(&device.spec.id));
        }
        self.mend();
    }

    /// Lets go of devices that are gone.
    fn retain(&mut self, stays: impl Fn(&Device) -> bool) {
        let before = self.list.len();
        let space = &mut self.space;
        self.list.retain(|device| {
            let stays = stays(device);
            if !stays {
                device.give_back(space);
            }
            stays
        });
        if self.list.len() < before {
            let ids = self.list.iter().enumerate();
            self.by_id = ids.map(|(at, device)| (device.spec.id.clone(), at)).collect();
            self.awaited.retain(|id| self.by_id.contains_key(id));
        }
    }

    /// What the disk holds. What the hub has told since is newer.
    pub(super) fn restored(&mut self, states: Vec<DeviceState>) {
        for state in states {
            match self.by_id.get(&state.spec.id) {
                Some(place) => self.list[*place].remember(state.values, &mut self.space),
                None if self.complete => {}
                None => self.put(state, Told::Restored),
            }
        }
        self.mend();
    }

    /// A device announced itself, or its announcement changed.
    pub(super) fn announced(&mut self, state: DeviceState) {
        self.put(state, Told::Announced);
        self.mend();
    }

    fn put(&mut self, state: DeviceState, how: Told) {
        if is_local(&state.spec.id) {
            return;
        }
        if let Some(place) = self.place(&state.spec.id) {
            self.list[place].told(state, how, &mut self.space);
        }
    }

    /// What follows a change of the set of devices.
    fn mend(&mut self) {
        self.version += 1;
        self.sweep();
    }

    /// Lets all series go of what is more than they may hold since others came.
    fn sweep(&mut self) {
        if self.space.is_sweep_due() {
            let allowance = self.space.allowance;
            for latest in self.list.iter_mut().flat_map(|device| &mut device.latest) {
                latest.series.keep_within(allowance);
            }
        }
    }

    /// The place of a device; one that was unknown gets one, if there is room.
    fn place(&mut self, id: &DeviceId) -> Option<usize> {
        if let Some(device) = self.list.get(self.next)
            && device.spec.id.same(id)
        {
            return Some(self.next);
        }
        let place = match self.by_id.get(id) {
            Some(place) => {
                // The next time the same allocation will come.
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

    /// Readings came over the wire.
    pub(super) fn read(&mut self, part: &Part<'_>) {
        self.conflated = self.conflated.saturating_add(part.conflated);
        self.readings += part.values.len() as u64;
        self.take_in(part, false);
    }

    /// The app says something of its own link.
    pub(super) fn read_local(&mut self, part: &Part<'_>) {
        let spec = link_spec();
        if !self.by_id.contains_key(&spec.id)
            && let Some(place) = self.place(&spec.id)
        {
            let since = part.samples.first().map_or(0, |sample| sample.received);
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
            self.list[place].told(state, Told::Announced, &mut self.space);
        }
        self.take_in(part, true);
    }

    fn take_in(&mut self, part: &Part<'_>, local: bool) {
        for sample in part.samples.iter().filter(|sample| is_local(&sample.device) == local) {
            if let Some(place) = self.place(&sample.device) {
                self.next = place + 1;
                self.list[place].date(sample);
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
            self.version += u64::from(device.read(sample, values, &mut self.space));
        }
        self.sweep();
    }

    /// It came or went.
    pub(super) fn presence(&mut self, id: &DeviceId, online: bool, since: WallMs, reason: String) {
        if is_local(id) {
            return;
        }
        let Some(place) = self.place(id) else { return };
        let presence = if online { Presence::Online } else { Presence::Offline };
        self.version += u64::from(self.list[place].turn(presence, since, reason, true));
        self.list[place].recount(&mut self.space);
    }

    /// It said nothing for three of its intervals, and the link is alive.
    pub(super) fn silent(&mut self, id: &DeviceId, since: WallMs) {
        let Some(place) = self.by_id.get(id) else { return };
        let device = &mut self.list[*place];
        let spoke_since = device.heard.is_some_and(|heard| heard > since);
        if matches!(device.presence, Presence::Online | Presence::Unheard)
            && !spoke_since
            && !device.is_local()
        {
            self.version += u64::from(device.turn(Presence::Silent, since, String::new(), true));
            device.recount(&mut self.space);
        }
    }

    /// A command was given, or ended.
    pub(super) fn commanded(&mut self, command: Command) {
        let Some(place) = self.by_id.get(&command.device) else { return };
        if command.state == CommandState::Pending {
            self.awaited.insert(command.device.clone());
        }
        self.list[*place].commanded(command);
        self.list[*place].recount(&mut self.space);
    }

    /// A device's log as the disk or the hub holds it.
    pub(super) fn logged(&mut self, id: &DeviceId, mut lines: Vec<LogLine>) {
        let Some(place) = self.by_id.get(id) else { return };
        lines.drain(..lines.len().saturating_sub(LINES));
        self.list[*place].logged(lines);
        self.list[*place].recount(&mut self.space);
    }

    /// A part of a stored past. The pages asked for longest ago go where all together are too much.
    pub(super) fn paged(&mut self, device: DeviceId, metric: MetricName, page: SeriesPage) {
        let key = (device, metric);
        self.pages.retain(|(known, _)| *known != key);
        self.pages.push_back((key, page));
        let held = |pages: &VecDeque<(_, SeriesPage)>| pages.iter().map(|(_, page)| page.buckets.len()).sum();
        let mut buckets: usize = held(&self.pages);
        while self.pages.len() > 1 && (self.pages.len() > PAGES || buckets > PAGED_BUCKETS) {
            buckets -= self.pages.pop_front().map_or(0, |(_, page)| page.buckets.len());
        }
        self.pages_version += 1;
    }

    /// A text's stored past. Of too many the one asked for longest ago goes.
    pub(super) fn states_read(&mut self, device: DeviceId, metric: MetricName, changes: States) {
        let key = (device, metric);
        self.states.retain(|(known, _)| *known != key);
        self.states.push_back((key, changes));
        self.states.drain(..self.states.len().saturating_sub(STATES));
    }
}

/// What is held of a metric's past.
fn held<'a, T>(all: &'a VecDeque<((DeviceId, MetricName), T)>, device: &str, metric: &str) -> Option<&'a T> {
    let is_it = |(id, name): &(DeviceId, MetricName)| id.as_str() == device && name.as_str() == metric;
    all.iter().find(|(key, _)| is_it(key)).map(|(_, past)| past)
}

/// Whether a name is one that this app gives its own links. A hub's word for such a one is not taken.
fn is_local(id: &DeviceId) -> bool {
    id.as_str().starts_with(LOCAL_MARK)
}

/// What a device's presence means, with the link up or not.
pub(super) fn status(device: &Device, link_is_up: bool, complete: bool) -> Status {
    match device.presence {
        // What this app says of its own links needs no link to be known.
        Presence::Online if device.is_local() => Status::Online,
        _ if !link_is_up || !complete => Status::Unknown,
        Presence::Online => Status::Online,
        Presence::Silent => Status::Silent,
        Presence::Offline => Status::Offline,
        Presence::Unheard => Status::Unknown,
    }
}

/// How far a value is to be believed.
pub(super) fn freshness(status: Status, latest: &Latest) -> Freshness {
    match status {
        Status::Unknown => Freshness::Unknown,
        Status::Silent | Status::Offline => Freshness::Stale,
        Status::Online if latest.live => Freshness::Live,
        Status::Online => Freshness::Replayed,
    }
}
