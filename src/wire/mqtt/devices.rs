//! [`Devices`]: what the conventions find in messages, as events; and commands, which are messages too. A command is carried out once the
//! device tells the value that was asked for, or, where it tells none, once the server has the message.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::encode::Outgoing;
use crate::mapping::mqtt::{Change, Commanded, Conventions, Publication, There};
use crate::model::device::{ASLEEP, LastValue, Sample, UNKNOWN_TIME};
use crate::model::event::DeviceEvent;
use crate::model::mqtt::MergedDevices;
use crate::model::publication::Qos;
use crate::model::time::BootMs;
use crate::model::time::WallMs;
use crate::model::{
    Command, CommandRefusal, CommandState, DeviceId, DeviceState, Event, MessageId, MetricName, Readings,
    Sender, Spec, Time, Value,
};

/// Maximum number of commands without an outcome.
const MAX_COMMANDS: usize = 256;
/// How long devices are gathered after the first connection before they are listed, in milliseconds: what the server kept comes
/// within it.
const GATHER_MS: u64 = 1_500;
/// Maximum number of refused topics that are told, each once.
const MAX_REFUSED: usize = 200;

/// The conventions, over lost connections: they are lent to one session at a time.
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<Option<(Conventions, KnownById)>>>);

/// All devices that are known.
type KnownById = HashMap<DeviceId, Known>;

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memory(…)")
    }
}

impl Memory {
    fn take(&self) -> Option<(Conventions, KnownById)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn put(&self, conventions: Conventions, known: KnownById) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((conventions, known));
    }
}

/// What is to be done after messages.
#[derive(Debug)]
pub(super) enum Done {
    Event(Event),
    Publish(Outgoing),
    /// A message of this topic was not understood, for this reason.
    NotUnderstood(String, String),
}

/// What is known of a device.
#[derive(Debug)]
struct Known {
    spec: Spec,
    online: bool,
    since: WallMs,
    reason: String,
    /// Whether something says that it is there or not.
    is_told: bool,
}

/// See the module.
pub(super) struct Devices {
    memory: Memory,
    conventions: Option<Conventions>,
    known: KnownById,
    /// Until when devices are gathered before they are listed; `None`: they are listed.
    listed_at: Option<BootMs>,
    /// Readings of this turn.
    readings: Readings,
    commands: VecDeque<(Command, bool)>,
    refused: HashSet<String>,
    me: Sender,
    done: VecDeque<Done>,
}

impl Devices {
    /// `merged`: devices that the person says are one.
    pub(super) fn new(memory: Memory, merged: &MergedDevices, me: Sender) -> Devices {
        let (conventions, known) =
            memory.take().unwrap_or_else(|| (Conventions::merging(merged), KnownById::default()));
        Devices {
            memory,
            conventions: Some(conventions),
            known,
            listed_at: None,
            readings: Readings::default(),
            commands: VecDeque::new(),
            refused: HashSet::new(),
            me,
            done: VecDeque::new(),
        }
    }

    /// What is to be done next; [`Devices::flush`] comes before.
    pub(super) fn poll(&mut self) -> Option<Done> {
        self.done.pop_front()
    }

    /// The session is online. What the server kept comes now; devices that are known already are there at once.
    pub(super) fn online(&mut self, now: Time) {
        match self.known.is_empty() {
            true => self.listed_at = Some(now.boot_ms.saturating_add(GATHER_MS)),
            false => self.list(now),
        }
    }

    fn list(&mut self, now: Time) {
        self.listed_at = None;
        let devices = self.known.values().map(|known| known.state(Vec::new())).collect();
        let untold = self.known.values().filter(|known| !known.is_told);
        let untold: Vec<_> = untold.map(|known| (known.spec.id.clone(), known.since)).collect();
        self.event(DeviceEvent::Listed { devices, started: now.wall_ms, more: false });
        for (device, since) in untold {
            self.event(DeviceEvent::Unheard { device, since });
        }
    }

    /// When [`Devices::tick`] is to be called.
    pub(super) fn deadline(&self) -> Option<BootMs> {
        let of_conventions = self.conventions.as_ref().and_then(Conventions::deadline);
        [of_conventions, self.listed_at].into_iter().flatten().min()
    }

    /// A message came.
    pub(super) fn received(&mut self, now: Time, topic: &str, payload: &[u8], retained: bool) {
        let Some(conventions) = &mut self.conventions else { return };
        let message = Publication { topic, payload, retained };
        for change in conventions.received(now, &message) {
            self.change(now, change);
        }
    }

    /// Time has passed.
    pub(super) fn tick(&mut self, now: Time) {
        let Some(conventions) = &mut self.conventions else { return };
        for change in conventions.tick(now) {
            self.change(now, change);
        }
        if self.listed_at.is_some_and(|at| now.boot_ms >= at) {
            self.list(now);
        }
    }

    fn change(&mut self, now: Time, change: Change) {
        match change {
            Change::Readings { device, at, replayed, values } => {
                self.confirm(&device, &values);
                self.read(now, device, at, replayed, values);
            }
            Change::Described(spec) => self.described(now, *spec),
            Change::Gone(device) => {
                self.known.remove(&device);
                self.event(DeviceEvent::Gone { device });
            }
            Change::Presence { device, there } => self.presence(now, device, there),
            Change::Silent { device, since } => self.event(DeviceEvent::Silent { device, since }),
            Change::Publish(outgoing) => self.done.push_back(Done::Publish(message(outgoing))),
            Change::Refused { topic, why } => {
                if self.refused.len() < MAX_REFUSED && self.refused.insert(topic.clone()) {
                    self.done.push_back(Done::NotUnderstood(topic, why));
                }
            }
        }
    }

    /// Readings before it keep their place.
    fn event(&mut self, event: DeviceEvent) {
        self.flush();
        self.done.push_back(Done::Event(Event::Device(event)));
    }

    /// Passes on the readings of this turn.
    pub(super) fn flush(&mut self) {
        if !self.readings.samples.is_empty() {
            let readings = std::mem::take(&mut self.readings);
            self.done.push_back(Done::Event(Event::Device(DeviceEvent::Readings(readings.into()))));
        }
    }

    fn read(
        &mut self,
        now: Time,
        device: DeviceId,
        at: Option<WallMs>,
        replayed: bool,
        values: Vec<(MetricName, Value)>,
    ) {
        if replayed {
            return self.replayed(&device, at, values);
        }
        let count = u32::try_from(values.len()).unwrap_or(u32::MAX);
        let (at, received) = (at.unwrap_or(now.wall_ms), now.wall_ms);
        self.readings.samples.push(Sample { device, at, received, count });
        self.readings.values.extend(values);
    }

    /// Values that the server had kept: they are not live, and nobody knows their age unless they say it.
    fn replayed(&mut self, device: &DeviceId, at: Option<WallMs>, values: Vec<(MetricName, Value)>) {
        let Some(known) = self.known.get(device) else { return };
        let at = at.unwrap_or(UNKNOWN_TIME);
        let last = |(metric, value)| LastValue { metric, value, at, received: at };
        let state = known.state(values.into_iter().map(last).collect());
        let (is_told, since) = (known.is_told, known.since);
        self.event(DeviceEvent::Announced(Box::new(state)));
        if !is_told {
            self.event(DeviceEvent::Unheard { device: device.clone(), since });
        }
    }

    fn described(&mut self, now: Time, spec: Spec) {
        let device = spec.id.clone();
        let known = self.known.entry(device.clone()).or_insert_with(|| Known {
            spec: Spec::unannounced(device.clone()),
            online: true,
            since: now.wall_ms,
            reason: String::new(),
            is_told: false,
        });
        known.spec = spec;
        let (state, is_told, since) = (known.state(Vec::new()), known.is_told, known.since);
        self.event(DeviceEvent::Announced(Box::new(state)));
        if !is_told {
            self.event(DeviceEvent::Unheard { device, since });
        }
    }

    fn presence(&mut self, now: Time, device: DeviceId, there: There) {
        let Some(known) = self.known.get_mut(&device) else { return };
        let since = now.wall_ms;
        let (online, reason, is_told) = match there {
            There::Unknown => (true, String::new(), false),
            There::Online => (true, String::new(), true),
            There::Asleep => (true, ASLEEP.to_owned(), true),
            There::Offline(reason) => (false, reason, true),
        };
        (known.online, known.since, known.is_told) = (online, since, is_told);
        known.reason.clone_from(&reason);
        self.event(match is_told {
            true => DeviceEvent::Presence { device, online, since, reason },
            false => DeviceEvent::Unheard { device, since },
        });
    }

    /// A person sets a property. Returns what is to be published; nothing where it was refused.
    pub(super) fn command(
        &mut self,
        now: Time,
        id: MessageId,
        device: &DeviceId,
        property: &MetricName,
        value: &Value,
    ) -> Vec<Outgoing> {
        let (by, at) = (self.me.clone(), now.wall_ms);
        let (target, name, wanted) = (device.clone(), property.clone(), value.clone());
        let mut command = Command {
            id,
            device: target,
            property: name,
            value: wanted,
            by,
            at,
            state: CommandState::Pending,
        };
        let made = self.conventions.as_mut().map(|known| known.command(now, device, property, value));
        match made {
            Some(Ok(Commanded { messages, is_reported })) => {
                self.event(DeviceEvent::Commanded(Box::new(command.clone())));
                if self.commands.len() == MAX_COMMANDS {
                    self.commands.pop_front();
                }
                self.commands.push_back((command, is_reported));
                messages.into_iter().map(message).collect()
            }
            Some(Err(detail)) => {
                command.state = CommandState::Refused { why: CommandRefusal::Other, detail };
                self.event(DeviceEvent::Commanded(Box::new(command)));
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    /// The server has the message of a command, or does not take it.
    pub(super) fn published(&mut self, id: MessageId, refused: Option<String>) {
        let Some(at) = self.commands.iter().position(|(command, _)| command.id == id) else { return };
        match refused {
            Some(detail) => {
                self.end(at, CommandState::Refused { why: CommandRefusal::NotAllowed, detail });
            }
            None if !self.commands[at].1 => self.end(at, CommandState::Done),
            None => {}
        }
    }

    /// A device tells values: what was asked for is done.
    fn confirm(&mut self, device: &DeviceId, values: &[(MetricName, Value)]) {
        if self.commands.is_empty() {
            return;
        }
        let is_done = |(command, _): &(Command, bool)| {
            command.device == *device
                && values.iter().any(|(name, value)| *name == command.property && *value == command.value)
        };
        while let Some(at) = self.commands.iter().position(is_done) {
            self.end(at, CommandState::Done);
        }
    }

    fn end(&mut self, at: usize, state: CommandState) {
        if let Some((command, _)) = self.commands.remove(at) {
            self.event(DeviceEvent::Commanded(Box::new(Command { state, ..command })));
        }
    }

    /// The connection has ended: the next session goes on with what is known.
    pub(super) fn ended(&mut self) {
        if let Some(conventions) = self.conventions.take() {
            self.memory.put(conventions, std::mem::take(&mut self.known));
        }
    }
}

impl Known {
    fn state(&self, values: Vec<LastValue>) -> DeviceState {
        DeviceState {
            spec: self.spec.clone(),
            incarnation: 1,
            online: self.online,
            since: self.since,
            reason: self.reason.clone(),
            heard: None,
            every_ms: None,
            values,
        }
    }
}

fn message(outgoing: crate::mapping::mqtt::Outgoing) -> Outgoing {
    let crate::mapping::mqtt::Outgoing { topic, payload, qos, retain } = outgoing;
    Outgoing { topic, payload, qos: Qos::of(qos).unwrap_or_default(), retain, properties: None }
}
