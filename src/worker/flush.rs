//! Applies updates to the model, holding its lock only briefly, so that the window never waits for a flood.

use crate::engine::work_of;
use crate::model::event::{DeviceEvent, Update};
use crate::model::readings::SLICE_VALUES;
use crate::model::{Event, SharedModel, Time};

/// Applies all updates in order, about [`SLICE_VALUES`] readings per lock. Returns the number of locks.
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
        let more = work_of(&update);
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
    use crate::model::event::SetupUpdate;
    use crate::model::profile::{Protocol, Socket};
    use crate::model::time::BootMs;
    use crate::model::time::WallMs;
    use crate::model::{ConnectionId, DeviceId, MetricName, Model, Profile, Readings, Sample, Value};

    const HUB: ConnectionId = ConnectionId(7);
    const NOW: Time = Time { boot_ms: BootMs(0), wall_ms: WallMs(0) };

    fn readings(from: usize, samples: usize, each: usize) -> Update {
        let device = |at: usize| DeviceId::new(format!("pump {}", at % 9)).unwrap();
        let sample = |at: usize| {
            let time = at as i64 * 1_000;
            Sample { device: device(at), at: WallMs(time), received: WallMs(time), count: each as u32 }
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
            route: Default::default(),
            ca_file: None,
            fingerprint: None,
            auto_connect: true,
            websocket: Default::default(),
            network: Default::default(),
        };
        let mut model = Model::default();
        model.apply(NOW, Update::Setup(SetupUpdate::Configured(Box::new(profile))));
        model
    }

    /// Applies the updates both ways; the model must be the same. Returns the number of locks.
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
        assert_eq!(
            turns(vec![
                Update::Setup(SetupUpdate::FirstSteps(true)),
                readings(0, 20, 5),
                Update::Setup(SetupUpdate::FirstSteps(false))
            ]),
            1
        );
    }

    #[test]
    fn a_flood_takes_many_turns_and_ends_the_same() {
        assert!((5..=7).contains(&turns(vec![readings(0, 500, 5)])));
        let many: Vec<Update> = (0..20).map(|at| readings(at * 20, 20, 5)).collect();
        assert!((4..=5).contains(&turns(many)));
        let mixed = vec![
            readings(0, 50, 5),
            Update::Setup(SetupUpdate::FirstSteps(true)),
            readings(50, 500, 5),
            readings(550, 9, 5),
        ];
        assert!((7..=9).contains(&turns(mixed)));
    }
}
