//! How what has happened reaches the model: in short turns of its lock, so that the window never waits for a flood.

use super::News;
use crate::model::event::{ChatEvent, DeviceEvent, LogEvent, Update};
use crate::model::notices::{Moment, Notifier};
use crate::model::readings::SLICE_VALUES;
use crate::model::{Event, SharedModel, Time};

/// Whether a person waits for one of these.
pub(super) fn news(updates: &[Update]) -> News {
    let may_wait = |update: &Update| {
        matches!(
            update,
            Update::Connection(
                _,
                Event::Device(DeviceEvent::Readings(_))
                    | Event::Device(DeviceEvent::LocalReadings(_))
                    | Event::Log(LogEvent::Passed(_))
            )
        )
    };
    if updates.iter().all(may_wait) { News::Readings } else { News::Now }
}

/// Lets the notifier hear all of it, with the model as it is before.
pub(super) fn hear(notifier: &mut Notifier, model: &SharedModel, at: Moment, updates: &[Update]) {
    let mut rest = updates;
    while !rest.is_empty() {
        let mut work = 0;
        let fits = |update: &&Update| {
            work += values(update);
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
pub(super) fn divide(updates: Vec<Update>) -> Vec<Update> {
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

/// How much work it is, in readings.
fn values(update: &Update) -> usize {
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
        Update::Connection(_, Event::Device(DeviceEvent::Announced(device))) => 8 + device.spec.metrics.len(),
        _ => 1,
    }
}

/// Applies all of it in order, about [`SLICE_VALUES`] readings for each turn of the lock. Returns how many turns it took.
pub(super) fn apply(model: &SharedModel, now: Time, updates: Vec<Update>) -> usize {
    let (mut turns, mut held) = (0, 0);
    let mut waiting = Vec::new();
    let mut turn = |waiting: &mut Vec<Update>| {
        if !waiting.is_empty() {
            turns += 1;
            model.write(|model| waiting.drain(..).for_each(|update| model.apply(now, update)));
        }
    };
    let mut parts = 0;
    for update in updates {
        let more = values(&update);
        if held + more > SLICE_VALUES {
            turn(&mut waiting);
            held = 0;
        }
        match update {
            Update::Connection(id, Event::Device(DeviceEvent::Readings(readings))) if more > SLICE_VALUES => {
                for part in readings.parts(SLICE_VALUES) {
                    parts += 1;
                    model.write(|model| model.read(id, &part));
                }
            }
            update => {
                held += more;
                waiting.push(update);
            }
        }
    }
    turn(&mut waiting);
    turns + parts
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::profile::{Protocol, Socket};
    use crate::model::{ConnectionId, DeviceId, MetricName, Model, Profile, Readings, Sample, Value};

    const HUB: ConnectionId = ConnectionId(7);
    const NOW: Time = Time { boot_ms: 0, wall_ms: 0 };

    fn readings(from: usize, samples: usize, each: usize) -> Update {
        let device = |at: usize| DeviceId::new(format!("pump {}", at % 9)).unwrap();
        let sample = |at: usize| {
            let time = at as i64 * 1_000;
            Sample { device: device(at), at: time, received: time, count: each as u32 }
        };
        let metric = |at: usize| MetricName::new(format!("flow {}", at % each)).unwrap();
        let readings = Readings {
            samples: (from..from + samples).map(sample).collect(),
            values: (0..samples * each).map(|at| (metric(at), Value::Number(at as f64))).collect(),
            conflated: 3,
        };
        Update::Connection(HUB, Event::Device(DeviceEvent::Readings(Arc::new(readings))))
    }

    fn model() -> Model {
        let profile = Profile {
            id: HUB,
            name: String::new(),
            urls: Vec::new(),
            protocol: Protocol::Duplex,
            socket: Socket::Tungstenite,
            ca_file: None,
            fingerprint: None,
            auto_connect: true,
            websocket: Default::default(),
        };
        let mut model = Model::default();
        model.apply(NOW, Update::Configured(profile));
        model
    }

    /// Applies these both ways; the model must be the same. Returns how many turns it took.
    fn turns(updates: Vec<Update>) -> usize {
        let (mut at_once, slices) = (model(), SharedModel::new(model()));
        updates.iter().cloned().for_each(|update| at_once.apply(NOW, update));
        let turns = apply(&slices, NOW, updates);
        let counted = |model: &Model| {
            let devices = &model.connections[&HUB].devices;
            (devices.len(), devices.readings(), devices.conflated())
        };
        slices.read(|slices| {
            assert!(*slices == at_once);
            assert_eq!(counted(slices), counted(&at_once));
        });
        turns
    }

    #[test]
    fn little_is_one_turn_and_nothing_is_none() {
        assert_eq!(turns(Vec::new()), 0);
        assert_eq!(turns(vec![Update::FirstSteps(true), readings(0, 20, 5), Update::FirstSteps(false)]), 1);
    }

    #[test]
    fn a_flood_takes_many_turns_and_ends_the_same() {
        assert!((5..=7).contains(&turns(vec![readings(0, 500, 5)])));
        let many: Vec<Update> = (0..20).map(|at| readings(at * 20, 20, 5)).collect();
        assert!((4..=5).contains(&turns(many)));
        let mixed =
            vec![readings(0, 50, 5), Update::FirstSteps(true), readings(50, 500, 5), readings(550, 9, 5)];
        assert!((7..=9).contains(&turns(mixed)));
    }

    #[test]
    fn only_readings_may_wait() {
        assert_eq!(news(&[readings(0, 1, 1), readings(1, 2, 2)]), News::Readings);
        assert_eq!(news(&[readings(0, 1, 1), Update::FirstSteps(true)]), News::Now);
    }
}
