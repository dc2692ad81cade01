//! [`Devices`]: all devices of one connection, as the window sees them, and what changes them. Whether the link is up is
//! not known here: [`super::Connection::status`] puts both together.

use std::collections::{HashMap, HashSet, VecDeque};

use foldhash::fast::RandomState;

use super::device::{
    Command, CommandState, DeviceId, DeviceState, Freshness, Happened, LogLine, METRICS, Metric, MetricName,
    Readings, Rhythm, Sample, Spec, Status, Value,
};
use super::series::{Point, Series, SeriesPage};
use super::time::WallMs;

/// Most lines of a device's log, and most commands of it, in memory.
const LINES: usize = 100;
/// Most pages of stored pasts held for plots.
const PAGES: usize = 48;

/// The last value of a metric, and its recent past.
#[derive(Clone, Debug, PartialEq)]
pub struct Latest {
    /// What it is.
    pub metric: Metric,
    /// The last value.
    pub value: Value,
    /// When, by the device's clock; 0 before the first.
    pub at: WallMs,
    /// When, by the hub's; 0 before the first.
    pub received: WallMs,
    /// Whether it came as it was said.
    pub live: bool,
    /// The recent past, for charts.
    pub series: Series,
}

/// What a device was last known to do, while the link was up.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It speaks.
    Online,
    /// It said nothing for three of its intervals.
    Silent,
    /// It said that it goes, or its will did.
    Offline,
    /// The hub was started after it last spoke.
    Unheard,
}

/// One device.
#[derive(Clone, Debug, PartialEq)]
pub struct Device {
    /// What it says about itself.
    pub spec: Spec,
    /// Which one of its lives this is; see [`DeviceState::incarnation`].
    pub incarnation: u64,
    /// What it does, as long as our link is up.
    pub presence: Presence,
    /// Since when, by the hub's clock.
    pub since: WallMs,
    /// Why it is offline, in its own words.
    pub reason: String,
    /// When it last said anything, by the hub's clock.
    pub heard: Option<WallMs>,
    /// How far its clock is behind the hub's, in milliseconds, as of its last reading. Transport included.
    pub behind_ms: Option<i64>,
    /// Each metric with its last value, in the order of the announcement.
    pub latest: Vec<Latest>,
    /// Its commands, oldest first.
    pub commands: VecDeque<Command>,
    /// What happened to it, oldest first.
    pub log: VecDeque<LogLine>,
    rhythm: Rhythm,
    told_every_ms: Option<u64>,
}

/// All devices of one connection.
#[derive(Clone, Debug, Default)]
pub struct Devices {
    list: Vec<Device>,
    by_id: HashMap<DeviceId, usize, RandomState>,
    /// The hub's list has arrived in this connection.
    complete: bool,
    /// The devices of a list that is arriving.
    arriving: Option<HashSet<DeviceId, RandomState>>,
    version: u64,
    readings: u64,
    conflated: u64,
    pages: VecDeque<((DeviceId, MetricName), SeriesPage)>,
    pages_version: u64,
}

impl PartialEq for Devices {
    fn eq(&self, other: &Self) -> bool {
        self.list == other.list && self.complete == other.complete
    }
}
impl Eq for Devices {}

impl Devices {
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

    /// Changes with the set of devices, their names, kinds and presence: what a list is sorted and filtered by.
    pub fn version(&self) -> u64 {
        self.version
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

    /// How many readings came in all.
    pub fn readings(&self) -> u64 {
        self.readings
    }

    /// How many readings the hub left out in all, because this app could not keep up.
    pub fn conflated(&self) -> u64 {
        self.conflated
    }

    /// A part of a metric's stored past, as last asked for.
    pub fn page(&self, device: &str, metric: &str) -> Option<&SeriesPage> {
        let is_it = |(id, name): &(DeviceId, MetricName)| id.as_str() == device && name.as_str() == metric;
        self.pages.iter().find(|(key, _)| is_it(key)).map(|(_, page)| page)
    }

    /// Changes whenever a page arrives.
    pub fn pages_version(&self) -> u64 {
        self.pages_version
    }

    /// The link went down: what was known is kept, and counts as unknown until the hub has told everything anew.
    pub(super) fn disconnected(&mut self) {
        (self.complete, self.arriving) = (false, None);
        self.version += 1;
        for command in self.list.iter_mut().flat_map(|device| &mut device.commands) {
            if command.state == CommandState::Pending {
                command.state = CommandState::Unknown;
            }
        }
    }

    /// A piece of the hub's list. `started`: when the hub was, by its clock.
    pub(super) fn listed(&mut self, states: Vec<DeviceState>, started: WallMs, more: bool) {
        let mut arriving = self.arriving.take().unwrap_or_default();
        for state in states {
            arriving.insert(state.spec.id.clone());
            self.put(state, Some(started));
        }
        if more {
            self.arriving = Some(arriving);
        } else {
            self.complete = true;
            if self.list.iter().any(|device| !arriving.contains(&device.spec.id)) {
                self.list.retain(|device| arriving.contains(&device.spec.id) || device.is_local());
                self.by_id =
                    self.list.iter().enumerate().map(|(at, device)| (device.spec.id.clone(), at)).collect();
            }
        }
        self.version += 1;
    }

    /// What the disk holds.
    pub(super) fn restored(&mut self, states: Vec<DeviceState>) {
        for state in states {
            self.put(state, None);
        }
        self.version += 1;
    }

    /// A device announced itself, or its announcement changed.
    pub(super) fn announced(&mut self, state: DeviceState) {
        self.put(state, None);
        self.version += 1;
    }

    fn put(&mut self, state: DeviceState, started: Option<WallMs>) {
        let place = self.place(&state.spec.id);
        self.list[place].told(state, started);
    }

    fn place(&mut self, id: &DeviceId) -> usize {
        if let Some(place) = self.by_id.get(id) {
            return *place;
        }
        self.list.push(Device::new(Spec::unannounced(id.clone())));
        self.by_id.insert(id.clone(), self.list.len() - 1);
        self.version += 1;
        self.list.len() - 1
    }

    /// Readings came over the wire.
    pub(super) fn read(&mut self, readings: &Readings) {
        self.conflated += readings.conflated;
        self.readings += readings.values.len() as u64;
        for (sample, values) in readings.iter() {
            let place = self.place(&sample.device);
            self.version += u64::from(self.list[place].read(sample, values));
        }
    }

    /// It came or went.
    pub(super) fn presence(&mut self, id: &DeviceId, online: bool, since: WallMs, reason: String) {
        let place = self.place(id);
        let device = &mut self.list[place];
        device.presence = if online { Presence::Online } else { Presence::Offline };
        let what = if online { Happened::Online } else { Happened::Offline { reason: reason.clone() } };
        (device.since, device.reason) = (since, reason);
        device.note(LogLine { at: since, what });
        self.version += 1;
    }

    /// It said nothing for three of its intervals, and the link is alive.
    pub(super) fn silent(&mut self, id: &DeviceId, since: WallMs) {
        let Some(place) = self.by_id.get(id) else { return };
        let device = &mut self.list[*place];
        if matches!(device.presence, Presence::Online | Presence::Unheard) {
            device.presence = Presence::Silent;
            device.since = since;
            device.note(LogLine { at: since, what: Happened::Silent });
            self.version += 1;
        }
    }

    /// A command was given, or ended.
    pub(super) fn commanded(&mut self, command: Command) {
        let Some(place) = self.by_id.get(&command.device) else { return };
        let device = &mut self.list[*place];
        if !matches!(command.state, CommandState::Pending | CommandState::Unknown) {
            device.note(LogLine { at: command.at, what: Happened::Command { command: command.clone() } });
        }
        match device.commands.iter_mut().find(|known| known.id == command.id) {
            // What came from the hub is not undone by what was only asked here.
            Some(known) => *known = command,
            None => {
                device.commands.push_back(command);
                if device.commands.len() > LINES {
                    device.commands.pop_front();
                }
            }
        }
    }

    /// A device's log as the disk or the hub holds it.
    pub(super) fn logged(&mut self, id: &DeviceId, lines: Vec<LogLine>) {
        let Some(place) = self.by_id.get(id) else { return };
        let device = &mut self.list[*place];
        device.log = lines.into();
        while device.log.len() > LINES {
            device.log.pop_front();
        }
    }

    /// A part of a stored past.
    pub(super) fn paged(&mut self, device: DeviceId, metric: MetricName, page: SeriesPage) {
        let key = (device, metric);
        self.pages.retain(|(known, _)| *known != key);
        if self.pages.len() == PAGES {
            self.pages.pop_front();
        }
        self.pages.push_back((key, page));
        self.pages_version += 1;
    }
}

impl Device {
    fn new(spec: Spec) -> Device {
        Device {
            spec,
            incarnation: 0,
            presence: Presence::Online,
            since: 0,
            reason: String::new(),
            heard: None,
            behind_ms: None,
            latest: Vec::new(),
            commands: VecDeque::new(),
            log: VecDeque::new(),
            rhythm: Rhythm::default(),
            told_every_ms: None,
        }
    }

    /// Whether it is this app's own view of a link, and not a device of the hub.
    pub fn is_local(&self) -> bool {
        self.spec.id.as_str().starts_with('~')
    }

    /// How often it is expected to speak, in milliseconds: as announced, or as learned.
    pub fn every_ms(&self) -> Option<u64> {
        self.spec.every_ms().or(self.told_every_ms).or_else(|| self.rhythm.every_ms())
    }

    /// One metric with its last value.
    pub fn metric(&self, name: &str) -> Option<&Latest> {
        self.latest.iter().find(|latest| latest.metric.name.as_str() == name)
    }

    fn told(&mut self, state: DeviceState, started: Option<WallMs>) {
        let DeviceState { spec, incarnation, online, since, reason, heard, every_ms, values } = state;
        for metric in spec.metrics.iter().take(METRICS) {
            match self.latest.iter_mut().find(|latest| latest.metric.name == metric.name) {
                Some(latest) => latest.metric = metric.clone(),
                None => self.latest.push(Latest::new(metric.clone())),
            }
        }
        let order = |latest: &Latest| spec.metrics.iter().position(|m| m.name == latest.metric.name);
        self.latest.retain(|latest| order(latest).is_some() || latest.received > 0);
        self.latest.sort_by_key(|latest| order(latest).unwrap_or(usize::MAX));
        for last in values {
            let Some(at) = self.index(&last.metric, &last.value) else { continue };
            let latest = &mut self.latest[at];
            if last.received >= latest.received {
                latest.live &= last.received == latest.received;
                latest.take(last.value, last.at, last.received);
            }
        }
        self.presence = match (online, started) {
            (false, _) => Presence::Offline,
            (true, Some(started)) if heard.is_none_or(|heard| heard < started) && since < started => {
                Presence::Unheard
            }
            (true, _) => Presence::Online,
        };
        (self.spec, self.incarnation, self.since, self.reason) = (spec, incarnation, since, reason);
        (self.heard, self.told_every_ms) = (heard.max(self.heard), every_ms);
    }

    /// Takes the values of one moment in. Returns whether the device's presence changed by that.
    fn read(&mut self, sample: &Sample, values: &[(MetricName, Value)]) -> bool {
        self.rhythm.heard(sample.received);
        self.heard = self.heard.max(Some(sample.received));
        self.behind_ms = Some(sample.received - sample.at);
        for (name, value) in values {
            let Some(at) = self.index(name, value) else { continue };
            let latest = &mut self.latest[at];
            if sample.received >= latest.received {
                latest.live = true;
                latest.take(value.clone(), sample.at, sample.received);
            }
        }
        let was_gone = self.presence != Presence::Online;
        if was_gone {
            (self.presence, self.since) = (Presence::Online, sample.received);
            self.note(LogLine { at: sample.received, what: Happened::Online });
        }
        was_gone
    }

    fn index(&mut self, name: &MetricName, value: &Value) -> Option<usize> {
        if let Some(at) = self.latest.iter().position(|latest| latest.metric.name == *name) {
            return Some(at);
        }
        if self.latest.len() >= METRICS {
            return None;
        }
        self.latest.push(Latest::new(Metric::of_value(name.clone(), value)));
        Some(self.latest.len() - 1)
    }

    fn note(&mut self, line: LogLine) {
        self.log.push_back(line);
        if self.log.len() > LINES {
            self.log.pop_front();
        }
    }
}

impl Latest {
    fn new(metric: Metric) -> Latest {
        Latest { metric, value: Value::Missing, at: 0, received: 0, live: false, series: Series::default() }
    }

    fn take(&mut self, value: Value, at: WallMs, received: WallMs) {
        if let Some(number) = value.as_chart() {
            self.series.push(Point { at: received, value: number });
        }
        (self.value, self.at, self.received) = (value, at, received);
    }
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
