//! [`Watch`]: when a device is silent. It is once its deadline has passed and a round trip behind that brought no word of
//! it: else it is our link that is dead, or what came in meanwhile has not been read yet.
//!
//! A reading moves no timer: a device's place in the heap says when to look at it again, at the earliest.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use foldhash::fast::RandomState;

use crate::model::device::{
    DeviceId, DeviceState, IntervalEstimator, RETURN_MS, SILENT_AFTER, UNKNOWN_RHYTHM_MS,
};
use crate::model::event::{ChatEvent, DeviceEvent, LinkEvent, LogKind};
use crate::model::time::{BootMs, WallMs};
use crate::model::{Event, Feature, Offset, Readings, Time};

/// Most devices watched; beyond that a hub is not believed to have so many.
const DEVICES: usize = 50_000;
/// After a replay, and after this program itself stood still, readings have so long to come, in milliseconds.
const CATCH_UP_MS: u64 = 2_000;
/// A look that is so late means that this program stood still: what was said meanwhile waits to be read. In milliseconds.
const LATE_MS: u64 = 1_000;
/// Round trips before a device counts as silent: a hub may have held readings back until its socket had drained, and then
/// its first answer is sent before them, its second one behind them.
const ROUNDS: u32 = 2;

/// One device under watch.
#[derive(Debug)]
struct Watched {
    id: DeviceId,
    /// Online, and not yet told to be silent.
    expected: bool,
    heard_at: BootMs,
    /// The interval as announced, or as the hub learned it.
    told_every_ms: Option<u64>,
    rhythm: IntervalEstimator,
    /// When it went, by the hub's clock: readings from before may come after.
    gone_at: Option<WallMs>,
    /// A hub that was just started gives it until then to come back.
    not_before: BootMs,
    /// Its place in the heap, where it has one.
    look_at: Option<BootMs>,
}

impl Watched {
    fn new(id: DeviceId, now: Time) -> Watched {
        Watched {
            id,
            expected: true,
            heard_at: now.boot_ms,
            told_every_ms: None,
            rhythm: IntervalEstimator::default(),
            gone_at: None,
            not_before: BootMs(0),
            look_at: None,
        }
    }

    fn due(&self) -> BootMs {
        let every = self.told_every_ms.or_else(|| self.rhythm.every_ms()).unwrap_or(UNKNOWN_RHYTHM_MS);
        self.heard_at.saturating_add(every.saturating_mul(SILENT_AFTER)).max(self.not_before)
    }
}

/// A round trip under way, and the devices that are silent if it brings no word of them.
#[derive(Debug)]
struct Probe {
    suspects: Vec<usize>,
    rounds: u32,
}

/// All devices of one connection, as far as their next word goes.
#[derive(Debug, Default)]
pub struct Watch {
    devices: Vec<Watched>,
    places: HashMap<DeviceId, usize, RandomState>,
    /// When to look at which device. A device that has moved on has an old entry here, which means nothing.
    heap: BinaryHeap<Reverse<(BootMs, usize)>>,
    /// Due, and no round trip asked for yet.
    due: Vec<usize>,
    probe: Option<Probe>,
    /// A round trip is to be asked for.
    ask: bool,
    /// A list of devices is arriving.
    arriving: bool,
    /// The hub's clock minus our boot clock.
    hub_ahead: i64,
    /// The newest offset at the welcome.
    head: Offset,
    /// The log was replayed up to it: until then readings wait, and say nothing by not coming.
    caught_up: bool,
    /// No device is due before.
    floor: BootMs,
    /// Devices of a broker come by their own conventions: the session says when one is silent.
    is_off: bool,
}

impl Watch {
    /// Takes in what the link passes on. `held`: the last entry that it holds.
    pub fn handle(&mut self, now: Time, event: &Event) {
        match event {
            Event::Link(LinkEvent::Welcomed { now: hub, log, features, .. }) => {
                self.is_off = features.has(Feature::Topics);
                self.hub_ahead = hub.0.saturating_sub(signed(now.boot_ms.0));
                (self.head, self.caught_up) = match *log {
                    LogKind::Server { head, next } => (head, next > head),
                    LogKind::Local => (Offset(0), true),
                };
            }
            Event::Chat(ChatEvent::LogStarted { from, .. }) => self.caught_up = *from > self.head,
            Event::Chat(ChatEvent::Entries { entries, .. })
                if !self.caught_up && entries.last().is_some_and(|last| last.offset >= self.head) =>
            {
                (self.caught_up, self.floor) = (true, now.boot_ms + CATCH_UP_MS);
            }
            Event::Device(DeviceEvent::Listed { devices, started, more }) => {
                self.listed(now, devices, *started, *more)
            }
            Event::Device(DeviceEvent::Announced(state)) => {
                if let Some(place) = self.put(now, state)
                    && state.online
                {
                    self.heard(now, place, None);
                }
            }
            Event::Device(DeviceEvent::Presence { device, online, since, .. }) => {
                if let Some(place) = self.place(now, device) {
                    self.devices[place].expected = *online;
                    self.devices[place].gone_at = Some(*since).filter(|_| !online);
                    if *online {
                        self.heard(now, place, None);
                    }
                }
            }
            Event::Device(DeviceEvent::Unheard { device, .. } | DeviceEvent::Gone { device }) => {
                if let Some(place) = self.places.get(device) {
                    self.devices[*place].expected = false;
                }
            }
            Event::Device(DeviceEvent::Readings(readings)) => self.readings(now, readings),
            _ => {}
        }
    }

    /// Whether the hub has told of a device in this connection.
    pub fn knows(&self, device: &DeviceId) -> bool {
        self.places.contains_key(device)
    }

    /// What was said for some time is read only from now on.
    pub fn stood_still(&mut self, now: Time) {
        self.floor = self.floor.max(now.boot_ms.saturating_add(CATCH_UP_MS));
    }

    /// The boot time in milliseconds at which [`Watch::wants_round_trip`] is to be asked.
    pub fn deadline(&self) -> Option<BootMs> {
        let Reverse((at, _)) = self.heap.peek().filter(|_| self.caught_up && !self.is_off)?;
        Some((*at).max(self.floor))
    }

    /// Whether a ping is to be sent now; [`Watch::answered`] is to be called when its pong comes.
    pub fn wants_round_trip(&mut self, now: Time) -> bool {
        match self.deadline() {
            Some(due) if now.boot_ms >= due.saturating_add(LATE_MS) => self.floor = now.boot_ms + CATCH_UP_MS,
            _ => {}
        }
        if !self.caught_up || self.is_off || now.boot_ms < self.floor {
            return false;
        }
        while let Some(Reverse((at, place))) =
            self.heap.peek().copied().filter(|Reverse((at, _))| *at <= now.boot_ms)
        {
            self.heap.pop();
            if self.devices[place].look_at != Some(at) {
                continue;
            }
            self.devices[place].look_at = None;
            if self.is_due(now, place) {
                self.due.push(place);
            }
        }
        if self.probe.is_none() && !self.due.is_empty() {
            self.probe = Some(Probe { suspects: std::mem::take(&mut self.due), rounds: ROUNDS });
            self.ask = true;
        }
        std::mem::take(&mut self.ask)
    }

    /// A round trip has ended. Returns who is silent, and since when by the hub's clock.
    pub fn answered(&mut self, now: Time) -> Vec<(DeviceId, WallMs)> {
        let Some(mut probe) = self.probe.take() else {
            return Vec::new();
        };
        probe.suspects.retain(|place| self.is_due(now, *place));
        if probe.rounds > 1 && !probe.suspects.is_empty() {
            self.probe = Some(Probe { rounds: probe.rounds - 1, ..probe });
            self.ask = true;
            return Vec::new();
        }
        let silent = probe.suspects.iter().map(|place| {
            let device = &mut self.devices[*place];
            device.expected = false;
            (device.id.clone(), WallMs(signed(device.due().0).saturating_add(self.hub_ahead)))
        });
        silent.collect()
    }

    /// Whether nothing was heard of it for too long; otherwise it is looked at again in time.
    fn is_due(&mut self, now: Time, place: usize) -> bool {
        let device = &self.devices[place];
        let is_due = device.expected && device.due() <= now.boot_ms;
        if !is_due {
            self.arm(now, place);
        }
        is_due
    }

    fn listed(&mut self, now: Time, devices: &[DeviceState], started: WallMs, more: bool) {
        if !self.arriving {
            self.devices.clear();
            self.places.clear();
            self.heap.clear();
            self.due.clear();
            (self.probe, self.ask) = (None, false);
        }
        self.arriving = more;
        for state in devices {
            // Readings since the list was written down are younger than it.
            let known = self.places.contains_key(&state.spec.id);
            let Some(place) = self.put(now, state) else { continue };
            let heard = state.heard.unwrap_or(WallMs::MIN).max(state.since);
            let heard_at = self.boot(now, heard);
            let back_by = self.boot_ms(started).saturating_add(RETURN_MS);
            let device = &mut self.devices[place];
            if !known {
                device.heard_at = heard_at;
                device.not_before = if heard < started { back_by } else { BootMs(0) };
            }
            self.arm(now, place);
        }
    }

    fn readings(&mut self, now: Time, readings: &Readings) {
        let mut last: Option<(&DeviceId, usize)> = None;
        for sample in &readings.samples {
            let place = match last {
                Some((device, place)) if *device == sample.device => Some(place),
                _ => self.place(now, &sample.device),
            };
            if let Some(place) = place {
                self.heard(now, place, Some(sample.received));
                last = Some((&sample.device, place));
            }
        }
    }

    /// It said something; `received`: readings, at this time of the hub.
    fn heard(&mut self, now: Time, place: usize, received: Option<WallMs>) {
        let device = &mut self.devices[place];
        if let Some(received) = received {
            if device.gone_at.is_some_and(|gone| received <= gone) {
                return;
            }
            if device.told_every_ms.is_none() {
                device.rhythm.heard(received);
            }
        }
        device.heard_at = now.boot_ms;
        (device.expected, device.gone_at, device.not_before) = (true, None, BootMs(0));
        // A later deadline is found when the earlier one is looked at.
        if device.look_at.is_none_or(|at| device.due() < at) {
            self.arm(now, place);
        }
    }

    /// Has it looked at when it is due.
    fn arm(&mut self, now: Time, place: usize) {
        let device = &mut self.devices[place];
        if !device.expected {
            device.look_at = None;
            return;
        }
        let due = device.due().max(now.boot_ms);
        device.look_at = Some(due);
        self.heap.push(Reverse((due, place)));
        if self.heap.len() > 4 * self.devices.len() + 64 {
            let armed = self.devices.iter().enumerate();
            self.heap = armed.filter_map(|(place, device)| Some(Reverse((device.look_at?, place)))).collect();
        }
    }

    fn put(&mut self, now: Time, state: &DeviceState) -> Option<usize> {
        let place = self.place(now, &state.spec.id)?;
        let device = &mut self.devices[place];
        device.told_every_ms = state.spec.every_ms().or(state.every_ms);
        device.expected = state.online;
        device.gone_at = Some(state.since).filter(|_| !state.online);
        Some(place)
    }

    fn place(&mut self, now: Time, id: &DeviceId) -> Option<usize> {
        if let Some(place) = self.places.get(id) {
            return Some(*place);
        }
        if self.devices.len() >= DEVICES {
            return None;
        }
        self.devices.push(Watched::new(id.clone(), now));
        self.places.insert(id.clone(), self.devices.len() - 1);
        Some(self.devices.len() - 1)
    }

    /// A time of the hub's on our boot clock, not later than now.
    fn boot(&self, now: Time, hub: WallMs) -> BootMs {
        self.boot_ms(hub).min(now.boot_ms)
    }

    fn boot_ms(&self, hub: WallMs) -> BootMs {
        BootMs(u64::try_from(hub.0.saturating_sub(self.hub_ahead)).unwrap_or(0))
    }
}

fn signed(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test program")]

    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::model::{Principal, PrincipalId, PrincipalKind, Spec};

    const BEGIN: Time = Time { boot_ms: BootMs(1_000_000), wall_ms: WallMs(1_790_000_000_000) };

    fn id(number: usize) -> DeviceId {
        DeviceId::new(format!("device-{number}")).unwrap()
    }

    /// One that has the hub's list: these devices, just heard, each with its interval in seconds.
    fn watch(every_s: &[Option<f64>]) -> Watch {
        let me = Principal {
            id: PrincipalId("p".to_owned()),
            kind: PrincipalKind::Person,
            name: String::new(),
            role: None,
        };
        let (people, rooms) = (Vec::new(), Vec::new());
        let welcomed = Event::Link(LinkEvent::Welcomed {
            me,
            server: String::new(),
            log: LogKind::Server { head: Offset(0), next: Offset(1) },
            now: BEGIN.wall_ms,
            people,
            rooms,
            features: Default::default(),
        });
        let devices = every_s.iter().enumerate().map(|(number, every)| DeviceState {
            spec: Spec { expect_every_s: *every, ..Spec::unannounced(id(number)) },
            incarnation: 1,
            online: true,
            since: BEGIN.wall_ms - 5_000,
            reason: String::new(),
            heard: Some(BEGIN.wall_ms),
            every_ms: None,
            values: Vec::new(),
        });
        let started = BEGIN.wall_ms - 9_000;
        let listed = Event::Device(DeviceEvent::Listed { devices: devices.collect(), started, more: false });
        let mut watch = Watch::default();
        watch.handle(BEGIN, &welcomed);
        watch.handle(BEGIN, &listed);
        watch
    }

    fn reads(watch: &mut Watch, now: Time, devices: impl Iterator<Item = usize>) {
        let sample = |number| crate::model::Sample {
            device: id(number),
            at: now.wall_ms,
            received: now.wall_ms,
            count: 0,
        };
        let samples = devices.map(sample).collect();
        let readings = Readings { samples, ..Readings::default() };
        watch.handle(now, &Event::Device(DeviceEvent::Readings(Arc::new(readings))));
    }

    /// Lets time pass, and answers each round trip at once. Returns who fell silent.
    fn pass(watch: &mut Watch, now: &mut Time, ms: u64) -> Vec<DeviceId> {
        let (end, mut silent) = (now.plus(ms), Vec::new());
        while let Some(due) = watch.deadline().filter(|due| *due <= end.boot_ms) {
            *now = now.plus(due - now.boot_ms);
            while watch.wants_round_trip(*now) {
                silent.extend(watch.answered(*now).into_iter().map(|(id, _)| id));
            }
        }
        *now = end;
        silent
    }

    #[test]
    fn a_reading_moves_no_timer() {
        let mut watch = watch(&[Some(1.0); 1_000]);
        let mut now = BEGIN;
        for _ in 0..100 {
            assert_eq!(pass(&mut watch, &mut now, 100), []);
            reads(&mut watch, now, 0..1_000);
            assert!(watch.heap.len() <= 1_000, "{}", watch.heap.len());
        }
        assert_eq!(pass(&mut watch, &mut now, 2_999), []);
        assert_eq!(pass(&mut watch, &mut now, 1).len(), 1_000);
        assert_eq!((watch.deadline(), watch.heap.len()), (None, 0), "nothing more to look at");
    }

    #[test]
    fn what_was_looked_at_for_nothing_does_not_pile_up() {
        let mut watch = watch(&[None; 10]);
        let mut now = BEGIN;
        for round in 0..2_000 {
            // The rhythm is learned anew all the time.
            pass(&mut watch, &mut now, if round % 5 == 0 { 2_500 } else { 1_000 });
            reads(&mut watch, now, 0..10);
            assert!(watch.heap.len() <= 4 * 10 + 64, "{}", watch.heap.len());
        }
    }

    proptest! {
        /// However it looks for them, it finds those who said nothing for three intervals, and no others.
        #[test]
        fn who_is_silent_is_who_said_nothing_for_three_intervals(
            every in proptest::collection::vec(proptest::option::of(0.5..4.0f64), 1..4),
            said in proptest::collection::vec((0..4usize, 0..9_000u64), 1..40),
        ) {
            let mut watch = watch(&every);
            let mut now = BEGIN;
            let every_ms = |number: usize, rhythm: &IntervalEstimator| {
                let told = every[number].map(|seconds| (seconds * 1_000.0) as u64);
                told.or(rhythm.every_ms()).unwrap_or(UNKNOWN_RHYTHM_MS)
            };
            let mut known: Vec<_> = every.iter().map(|_| (BEGIN.boot_ms, IntervalEstimator::default(), false)).collect();
            for (number, ms) in said {
                for silent in pass(&mut watch, &mut now, ms) {
                    let number = (0..known.len()).find(|number| id(*number) == silent).unwrap();
                    prop_assert!(!std::mem::replace(&mut known[number].2, true), "told twice");
                }
                for (number, (heard, rhythm, silent)) in known.iter().enumerate() {
                    let due = *heard + SILENT_AFTER * every_ms(number, rhythm);
                    prop_assert_eq!(*silent, due <= now.boot_ms, "device {} at {:?}", number, now.boot_ms);
                }
                if number < known.len() {
                    reads(&mut watch, now, std::iter::once(number));
                    known[number].1.heard(now.wall_ms);
                    (known[number].0, known[number].2) = (now.boot_ms, false);
                }
            }
        }
    }
}
