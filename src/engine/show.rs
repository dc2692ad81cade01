//! Updates of the model: gathered per turn, split so that the window never waits for a flood, and seen by the notifier
//! before they change the model.

use super::{Effect, Engine};
use crate::model::event::{ChatEvent, DeviceEvent, LogEvent, Update};
use crate::model::notices::{Moment, Notifier, Viewing};
use crate::model::readings::SLICE_VALUES;
use crate::model::{Event, SharedModel, Time, TopicEvent};

/// What has changed in the model.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum RepaintReason {
    /// Something that a person waits for: chat, link states, results of their actions.
    Now,
    /// Only readings: they may be drawn a moment later, together with the next ones.
    Readings,
}

impl Engine {
    /// Whether [`super::Input::Settle`] has something to do.
    pub fn is_unsettled(&self, now: Time) -> bool {
        !self.updates.is_empty() || self.notifier.deadline().is_some_and(|deadline| deadline <= now.boot_ms)
    }

    /// The updates of this turn are complete; they show once there are no other effects. `minute`: since local
    /// midnight.
    pub(super) fn settle(&mut self, now: Time, minute: u16) {
        if !self.updates.is_empty() && news(&self.updates) == RepaintReason::Readings {
            self.measure_early(now);
        }
        self.settling = Some((now, minute));
    }

    pub(super) fn show_all(&mut self) {
        let Some((now, minute)) = self.settling.take() else { return };
        let at = Moment { boot_ms: now.boot_ms, minute };
        if self.notifier.deadline().is_some_and(|deadline| deadline <= now.boot_ms) {
            let notifier = &mut self.notifier;
            self.model.read(|model| notifier.tick(at, model));
        }
        if !self.updates.is_empty() {
            let updates = divide(std::mem::take(&mut self.updates));
            let news = news(&updates);
            if news == RepaintReason::Now || self.notifier.listens_to_readings() {
                hear(&mut self.notifier, &self.model, at, &updates);
            }
            self.effects.push_back(Effect::Show { updates, news });
        }
        self.take_notices();
    }

    pub(super) fn view(&mut self, viewing: Option<Viewing>) {
        self.notifier.view(viewing);
        self.take_notices();
    }

    pub(super) fn try_notice(&mut self, now: Time, minute: u16) {
        self.notifier.try_out(Moment { boot_ms: now.boot_ms, minute });
        self.take_notices();
    }

    fn take_notices(&mut self) {
        self.effects.extend(std::iter::from_fn(|| self.notifier.poll()).map(Effect::Notice));
    }
}

/// Whether a person waits for one of these.
fn news(updates: &[Update]) -> RepaintReason {
    let may_wait = |update: &Update| {
        matches!(
            update,
            Update::Connection(
                _,
                Event::Device(DeviceEvent::Readings(_))
                    | Event::Device(DeviceEvent::LocalReadings(_))
                    | Event::Topic(TopicEvent::Seen(_))
                    | Event::Log(LogEvent::Passed(_))
            )
        )
    };
    if updates.iter().all(may_wait) { RepaintReason::Readings } else { RepaintReason::Now }
}

/// Shows all updates to the notifier, with the model as it was before them.
fn hear(notifier: &mut Notifier, model: &SharedModel, at: Moment, updates: &[Update]) {
    let mut rest = updates;
    while !rest.is_empty() {
        let mut work = 0;
        let fits = |update: &&Update| {
            work += work_of(update);
            work <= SLICE_VALUES
        };
        let (turn, later) = rest.split_at(rest.iter().take_while(fits).count().max(1));
        model.read(|model| turn.iter().for_each(|update| notifier.hear(at, model, update)));
        rest = later;
    }
}

/// Most entries, and most devices and metrics, of one update: about as much work as [`SLICE_VALUES`] readings.
const SLICE_ENTRIES: usize = 64;
const SLICE_METRICS: usize = 256;

/// Divides what is so large that the window would wait for it.
fn divide(updates: Vec<Update>) -> Vec<Update> {
    let is_large = |update: &Update| match update {
        Update::Connection(_, Event::Chat(ChatEvent::Entries { entries, .. })) => {
            entries.len() > SLICE_ENTRIES
        }
        Update::Connection(
            _,
            Event::Device(DeviceEvent::Listed { devices, .. })
            | Event::Device(DeviceEvent::Restored(devices)),
        ) => devices.len() > 1,
        _ => false,
    };
    if !updates.iter().any(is_large) {
        return updates;
    }
    let mut divided = Vec::new();
    for update in updates {
        match update {
            Update::Connection(id, Event::Chat(ChatEvent::Entries { entries, live })) => {
                let parts = parts(entries, SLICE_ENTRIES, |_| 1).into_iter();
                divided.extend(parts.map(|entries| {
                    Update::Connection(id, Event::Chat(ChatEvent::Entries { entries, live }))
                }));
            }
            Update::Connection(id, Event::Device(DeviceEvent::Listed { devices, started, more })) => {
                let mut parts = parts(devices, SLICE_METRICS, |device| 8 + device.spec.metrics.len());
                let last = parts.pop().unwrap_or_default();
                let part = |devices, more| {
                    Update::Connection(id, Event::Device(DeviceEvent::Listed { devices, started, more }))
                };
                divided.extend(parts.into_iter().map(|devices| part(devices, true)));
                divided.push(part(last, more));
            }
            Update::Connection(id, Event::Device(DeviceEvent::Restored(devices))) => {
                let parts = parts(devices, SLICE_METRICS, |device| 8 + device.values.len()).into_iter();
                divided.extend(
                    parts.map(|part| Update::Connection(id, Event::Device(DeviceEvent::Restored(part)))),
                );
            }
            update => divided.push(update),
        }
    }
    divided
}

/// Parts of a list, each of about so much weight, in order.
fn parts<T>(list: Vec<T>, weight: usize, weigh: impl Fn(&T) -> usize) -> Vec<Vec<T>> {
    let (mut parts, mut part, mut weighs) = (Vec::new(), Vec::new(), 0);
    for item in list {
        weighs += weigh(&item);
        part.push(item);
        if weighs >= weight {
            parts.push(std::mem::take(&mut part));
            weighs = 0;
        }
    }
    if !part.is_empty() || parts.is_empty() {
        parts.push(part);
    }
    parts
}

/// How much work it is to apply it, in readings.
pub fn work_of(update: &Update) -> usize {
    match update {
        Update::Connection(_, Event::Device(DeviceEvent::Readings(readings))) => readings.values.len(),
        Update::Connection(_, Event::Chat(ChatEvent::Entries { entries, .. })) => {
            entries.len() * (SLICE_VALUES / SLICE_ENTRIES)
        }
        Update::Connection(_, Event::Device(DeviceEvent::Listed { devices, .. })) => {
            devices.iter().map(|device| 8 + device.spec.metrics.len()).sum::<usize>()
                * (SLICE_VALUES / SLICE_METRICS)
        }
        Update::Connection(_, Event::Device(DeviceEvent::Restored(devices))) => {
            devices.iter().map(|device| 8 + device.values.len()).sum::<usize>()
                * (SLICE_VALUES / SLICE_METRICS)
        }
        Update::Connection(_, Event::Topic(TopicEvent::Seen(seen))) => seen.len() + seen.bytes() / 1_024,
        Update::Connection(_, Event::Device(DeviceEvent::Announced(device))) => 8 + device.spec.metrics.len(),
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::event::SetupUpdate;
    use crate::model::{ConnectionId, Readings};

    #[test]
    fn only_readings_may_wait() {
        let readings = || {
            let readings = Event::Device(DeviceEvent::Readings(Arc::new(Readings::default())));
            Update::Connection(ConnectionId(7), readings)
        };
        assert_eq!(news(&[readings(), readings()]), RepaintReason::Readings);
        assert_eq!(news(&[readings(), Update::Setup(SetupUpdate::FirstSteps(true))]), RepaintReason::Now);
    }
}
