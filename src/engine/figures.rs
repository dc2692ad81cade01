//! Figures of a link as readings of a device: its state, traffic and round-trip time.

use std::sync::Arc;

use super::{DeviceWrite, Effect, Engine};
use crate::link;
use crate::link::durable;
use crate::model::event::{DeviceEvent, Update};
use crate::model::link_device::{LinkCounters, link_readings};
use crate::model::link_state::LinkState;
use crate::model::time::{BootMs, WallMs};
use crate::model::{ConnectionId, Event, Readings, Time};
use crate::wire::Request;

/// Interval of the figures, in milliseconds.
const LINK_MS: u64 = 1_000;
/// Interval of round-trip measurements while a link is up, in milliseconds. Readings keep a link busy, so heartbeats
/// alone would not measure it.
const ROUND_TRIP_MS: u64 = 10_000;
/// Figures are taken this much earlier if something is drawn anyway, in milliseconds.
const EARLY_MS: u64 = 300;

/// Bytes transferred over a connection's sockets.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Received in total.
    pub received: u64,
    /// Sent in total.
    pub sent: u64,
}

/// Figures of one connection.
#[derive(Default)]
pub(super) struct Figures {
    /// Present counters.
    counters: LinkCounters,
    last: Option<(BootMs, LinkCounters)>,
    state: &'static str,
    was_up: bool,
    /// Whether something may have been received since the store was told that nothing is.
    is_heard: bool,
    /// When to measure the round trip next.
    measure_at: BootMs,
}

impl Figures {
    pub(super) fn count(&mut self, readings: &Readings) {
        self.counters.readings += readings.values.len() as u64;
        self.counters.conflated = self.counters.conflated.saturating_add(readings.conflated);
    }

    fn sample(
        &mut self,
        now: Time,
        wall: WallMs,
        state: &LinkState,
        traffic: Traffic,
        queue: u64,
    ) -> Readings {
        if traffic.received > self.counters.received {
            self.counters.heard = Some(now.boot_ms);
        }
        (self.counters.received, self.counters.sent) = (traffic.received, traffic.sent);
        self.counters.queue = queue;
        self.counters.round_trip_ms = match state {
            LinkState::Online { rtt_ms, .. } => *rtt_ms,
            _ => None,
        };
        let before = self.last.as_ref().map(|(at, counters)| (*at, counters));
        let readings = link_readings(state, &self.counters, now.boot_ms, before, wall);
        self.last = Some((now.boot_ms, self.counters.clone()));
        readings
    }
}

impl Engine {
    /// A link's state changed.
    pub(super) fn link_changed(&mut self, now: Time, id: ConnectionId, state: &LinkState) {
        if !self.measures_links {
            return;
        }
        let online = state.is_online();
        let Some(known) = self.connections.get_mut(&id) else { return };
        if std::mem::replace(&mut known.figures.state, state.code()) == state.code() {
            return;
        }
        known.figures.is_heard |= online;
        if online && std::mem::replace(&mut known.figures.was_up, true) {
            known.figures.counters.reconnects += 1;
        }
        if online {
            self.links_due.get_or_insert(now.boot_ms + LINK_MS);
        }
        self.effects.push_back(Effect::Measure(id, state.clone()));
    }

    /// Takes figures that are nearly due when something is drawn anyway.
    pub(super) fn measure_early(&mut self, now: Time) {
        self.measure_links(now, EARLY_MS);
    }

    /// Takes the figures of all links that are up, if they are due within `early_ms`.
    pub(super) fn measure_links(&mut self, now: Time, early_ms: u64) {
        if self.links_due.is_none_or(|due| due > now.boot_ms + early_ms) {
            return;
        }
        let up = self.connections.iter().filter(|(_, known)| known.durable.link().state().is_online());
        let up: Vec<(ConnectionId, LinkState)> =
            up.map(|(id, known)| (*id, known.durable.link().state().clone())).collect();
        self.links_due = (!up.is_empty()).then(|| now.boot_ms + LINK_MS);
        self.effects.push_back(Effect::CheckReadings);
        for (id, state) in up {
            self.effects.push_back(Effect::Measure(id, state));
            self.measure_round_trip(now, id);
        }
    }

    fn measure_round_trip(&mut self, now: Time, id: ConnectionId) {
        let Some(known) = self.connections.get_mut(&id) else { return };
        if now.boot_ms >= known.figures.measure_at {
            known.figures.measure_at = now.boot_ms + ROUND_TRIP_MS;
            self.tell(now, id, durable::Input::Link(link::Input::Request(Request::Probe)));
        }
    }

    /// Publishes a link's state as a reading.
    pub(super) fn measured(&mut self, now: Time, id: ConnectionId, state: &LinkState, traffic: Traffic) {
        let (skew, queue) = self.model.read(|model| match model.connections.get(&id) {
            Some(connection) => (connection.clock_skew_ms.unwrap_or(0), connection.chat.outbox.len() as u64),
            None => (0, 0),
        });
        let Some(known) = self.connections.get_mut(&id) else { return };
        let wall = now.wall_ms.saturating_add(skew);
        let readings = Arc::new(known.figures.sample(now, wall, state, traffic, queue));
        if !state.is_online() && std::mem::take(&mut known.figures.is_heard) {
            self.effects.push_back(Effect::KeepOfDevices(id, DeviceWrite::LinkLost(wall)));
        }
        // Losing a second of these does not matter.
        self.effects.push_back(Effect::KeepOfDevices(id, DeviceWrite::Readings(Arc::clone(&readings))));
        let event = Event::Device(DeviceEvent::LocalReadings(readings));
        self.updates.push(Update::Connection(id, event));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Value;

    #[test]
    fn rates_are_over_the_time_since_the_figures_before() {
        let mut figures = Figures::default();
        let online = LinkState::Online { since: WallMs(0), rtt_ms: Some(7) };
        let mut sample = |boot_ms, wall, received| {
            let now = Time { boot_ms, wall_ms: WallMs(0) };
            figures.sample(now, wall, &online, Traffic { received, sent: 0 }, 3)
        };
        let (first, second) =
            (sample(BootMs(1_000), WallMs(50), 5_000), sample(BootMs(2_000), WallMs(60), 7_000));
        let value = |readings: &Readings, name: &str| {
            let found = readings.values.iter().find(|(metric, _)| metric.as_str() == name);
            found.unwrap().1.clone()
        };
        assert_eq!(value(&first, "received"), Value::Missing);
        assert_eq!(value(&second, "received"), Value::Number(2_000.0));
        assert_eq!(value(&second, "queue"), Value::Number(3.0));
        assert_eq!(second.samples[0].received, WallMs(60));
    }
}
