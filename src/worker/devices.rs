//! The worker's side of devices: this computer as a device, stored readings, and socket traffic.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::driver::{Driver, TaskResult};
use crate::agent::{self, Agent, AgentMessage, Given};
use crate::clock;
use crate::engine::{self, DeviceWrite, MAX_LOG_LINES, NewCommand};
use crate::link::{self, durable::Input};
use crate::model::event::{DeviceEvent, DiskUpdate, LinkEvent, Update};
use crate::model::intent::DeviceIntent;
use crate::model::time::WallMs;
use crate::model::{
    Banner, CommandState, ConnectionId, DeviceId, Event, Intent, MetricName, Profile, SeriesPage,
};
use crate::store::readings::ReadingsStore;
use crate::transport::Counters;
use crate::wire::{DeviceRequest, Request};

/// The worker's state about devices.
#[derive(Default)]
pub(super) struct Telemetry {
    /// The readings database; `None` if it could not be opened.
    pub(super) readings: Option<ReadingsStore>,
    computer: Option<Agent>,
    /// Number of readings not written, as last reported.
    not_kept: u64,
    /// Why they are not written, as last reported.
    trouble: Option<Banner>,
}

impl Telemetry {
    pub(super) fn new(readings: Option<ReadingsStore>) -> Telemetry {
        Telemetry { readings, ..Telemetry::default() }
    }
}

/// Traffic of one connection's sockets.
#[derive(Default)]
pub(super) struct Sockets {
    /// Traffic of earlier sockets.
    before: engine::Traffic,
    now: Option<Arc<Counters>>,
}

impl Sockets {
    /// A new socket was opened.
    pub(super) fn opened(&mut self, socket: Arc<Counters>) {
        self.before = self.traffic();
        self.now = Some(socket);
    }

    pub(super) fn traffic(&self) -> engine::Traffic {
        let now = self.now.as_ref().map(|socket| socket.traffic()).unwrap_or_default();
        let engine::Traffic { received, sent } = self.before;
        engine::Traffic { received: received + now.bytes_in, sent: sent + now.bytes_out }
    }
}

/// The id under which a connection's readings are stored: its own, or for a connection of this run only, one derived
/// from its address, so that readings of different servers never mix.
pub(super) fn source(profile: &Profile) -> u64 {
    if profile.id != ConnectionId::COMMAND_LINE {
        return profile.id.0;
    }
    let digest = Sha256::digest(profile.urls.join(" "));
    let number = digest.iter().take(8).fold(0u64, |number, byte| number << 8 | u64::from(*byte));
    // Outside the range of connection ids, and within SQLite's integer range.
    number >> 2 | 1 << 62
}

impl Driver {
    /// Starts measuring this computer; the agent is told once its hub sends a welcome.
    pub(super) fn start_computer(&mut self) {
        let done = self.done.clone();
        let name = agent::host_name().unwrap_or_default();
        let say = move |said| done.blocking_send(TaskResult::Said(said)).is_ok();
        match Agent::spawn(agent::host_id(), name, say) {
            Ok(agent) => self.fleet.computer = Some(agent),
            Err(error) => log::error!("this computer cannot be measured: {error}"),
        }
    }

    /// Passes a message from this computer's agent to its hub. Dropped while offline: the agent announces itself again.
    pub(super) fn said(&mut self, said: AgentMessage) {
        let request = match said {
            AgentMessage::Announce(spec) => Request::Device(DeviceRequest::Announce(spec)),
            AgentMessage::Publish(readings) => Request::Device(DeviceRequest::Publish(readings)),
            AgentMessage::Result { id, state } => Request::Device(DeviceRequest::CommandResult { id, state }),
        };
        self.ask(ConnectionId::OWN_HUB, request);
    }

    /// Loads the stored state of a connection's devices.
    pub(super) fn restore_devices(&self, id: ConnectionId, source: u64) {
        let Some(store) = self.fleet.readings.clone() else { return };
        let done = self.done.clone();
        tokio::spawn(async move {
            match store.devices(source).await {
                // The receiver is gone if the worker has ended.
                Ok(states) => drop(
                    done.send(TaskResult::Update(Update::Connection(
                        id,
                        Event::Device(DeviceEvent::Restored(states)),
                    )))
                    .await,
                ),
                Err(error) => log::error!("devices cannot be read from the disk: {error}"),
            }
        });
    }

    /// Stores something about a connection's devices.
    pub(super) fn keep_of_devices(&self, id: ConnectionId, write: DeviceWrite) {
        let (Some(store), Some(slot)) = (&self.fleet.readings, self.slots.get(&id)) else { return };
        match write {
            // The store counts what it rejects.
            DeviceWrite::Readings(readings) => _ = store.keep(slot.source, readings),
            DeviceWrite::State(state) => store.put_device(slot.source, *state),
            DeviceWrite::Log(device, line) => store.log(slot.source, device, *line),
            DeviceWrite::LinkLost(at) => store.link_lost(slot.source, at),
        }
    }

    /// Handles an event about this computer as a device. `None` if the event must not be shown.
    pub(super) fn told_computer(&mut self, id: ConnectionId, event: Event) -> Option<Event> {
        match &event {
            Event::Link(LinkEvent::Welcomed { .. }) if id == ConnectionId::OWN_HUB => {
                self.fleet.computer.iter().for_each(Agent::begin);
            }
            Event::Link(LinkEvent::State(state)) if id == ConnectionId::OWN_HUB && !state.is_online() => {
                self.fleet.computer.iter().for_each(Agent::rest);
            }
            Event::Device(DeviceEvent::PublishRefused { device, code, detail }) => {
                self.publish_refused(device, code, detail);
            }
            _ => {}
        }
        match event {
            Event::Device(DeviceEvent::CommandGiven {
                id: command,
                device,
                property,
                value,
                expires_in_ms,
                ..
            }) => {
                let until = clock::now().boot_ms.saturating_add(expires_in_ms);
                self.command_given(id, &device, Given { id: command, property, value, until });
                None
            }
            event => Some(event),
        }
    }

    fn publish_refused(&mut self, device: &DeviceId, code: &str, detail: &str) {
        log::warn!("the hub does not take what {device} says: {code} {detail}");
        if code == "not_kept" {
            // The event is shown in any case.
            return;
        }
        // Somebody else publishes under this name; ask again after the next welcome.
        self.fleet.computer.iter().filter(|agent| agent.id() == device).for_each(Agent::rest);
    }

    fn command_given(&mut self, id: ConnectionId, device: &DeviceId, given: Given) {
        let command = given.id;
        let agent = self.fleet.computer.as_ref();
        let agent = agent.filter(|agent| id == ConnectionId::OWN_HUB && agent.id() == device);
        if agent.is_some_and(|agent| agent.carry_out(given)) {
            return;
        }
        let state = CommandState::Failed { detail: "it is too busy".to_owned() };
        self.ask(id, Request::Device(DeviceRequest::CommandResult { id: command, state }));
    }

    /// Reports the state of the readings database if it has changed.
    pub(super) fn readings_kept(&mut self) {
        let Some(store) = &self.fleet.readings else { return };
        let (not_kept, set_aside) = (store.lost(), store.take_set_aside());
        let trouble = store.trouble().map(|detail| Banner::ReadingsNotWritten { detail });
        if std::mem::replace(&mut self.fleet.not_kept, not_kept) != not_kept {
            self.update(Update::Disk(DiskUpdate::ReadingsNotKept(not_kept)));
        }
        if self.fleet.trouble != trouble {
            let before = std::mem::replace(&mut self.fleet.trouble, trouble.clone());
            before.into_iter().for_each(|banner| self.update(Update::BannerOver(banner)));
            trouble.into_iter().for_each(|banner| self.update(Update::Banner(banner)));
        }
        if let Some(path) = set_aside {
            self.update(Update::Banner(Banner::ReadingsSetAside { path }));
        }
    }

    /// Handles commands and queries about stored readings.
    pub(super) fn want_of_devices(&mut self, intent: Intent) {
        match intent {
            Intent::Device(DeviceIntent::Command { connection, device, incarnation, property, value }) => {
                let Some(id) = self.new_id() else { return };
                let new = NewCommand { id, connection, device, incarnation, property, value };
                self.drive(engine::Input::Command(new));
            }
            Intent::Device(DeviceIntent::LoadSeries { connection, device, metric, from, to, columns }) => {
                self.load_series(connection, device, metric, from..to, columns);
            }
            Intent::Device(DeviceIntent::LoadStates { connection, device, metric }) => {
                self.load_states(connection, device, metric)
            }
            Intent::Device(DeviceIntent::LoadLog { connection, device }) => self.load_log(connection, device),
            _ => {}
        }
    }

    fn load_series(
        &mut self,
        id: ConnectionId,
        device: DeviceId,
        metric: MetricName,
        range: std::ops::Range<WallMs>,
        columns: u32,
    ) {
        let Some(source) = self.slots.get(&id).map(|slot| slot.source) else { return };
        let (store, done) = (self.fleet.readings.clone(), self.done.clone());
        tokio::spawn(async move {
            let (from, to) = (range.start, range.end);
            let nothing = SeriesPage { from, to, step_ms: 0, buckets: Vec::new() };
            let page = match store {
                None => nothing,
                Some(store) => {
                    let read = store.series(source, device.clone(), metric.clone(), from, to, columns).await;
                    read.unwrap_or_else(|error| {
                        log::error!("a metric's past cannot be read: {error}");
                        nothing
                    })
                }
            };
            // The receiver is gone if the worker has ended.
            let _ = done.send(TaskResult::Series(id, device, metric, page)).await;
        });
    }

    fn load_states(&mut self, id: ConnectionId, device: DeviceId, metric: MetricName) {
        let Some(source) = self.slots.get(&id).map(|slot| slot.source) else { return };
        let (store, done) = (self.fleet.readings.clone(), self.done.clone());
        tokio::spawn(async move {
            let changes = match store {
                None => Vec::new(),
                Some(store) => {
                    let read = store.states(source, device.clone(), metric.clone()).await;
                    read.unwrap_or_else(|error| {
                        log::error!("a text's past cannot be read: {error}");
                        Vec::new()
                    })
                }
            };
            let event = Event::Device(DeviceEvent::States { device, metric, changes: changes.into() });
            // The receiver is gone if the worker has ended.
            let _ = done.send(TaskResult::Update(Update::Connection(id, event))).await;
        });
    }

    fn load_log(&mut self, id: ConnectionId, device: DeviceId) {
        let Some(source) = self.slots.get(&id).map(|slot| slot.source) else { return };
        let (store, done) = (self.fleet.readings.clone(), self.done.clone());
        tokio::spawn(async move {
            let lines = match store {
                None => Vec::new(),
                Some(store) => {
                    let read = store.device_log(source, device.clone(), MAX_LOG_LINES).await;
                    read.unwrap_or_else(|error| {
                        log::error!("a device's log cannot be read: {error}");
                        Vec::new()
                    })
                }
            };
            // The receiver is gone if the worker has ended.
            let _ = done.send(TaskResult::Log(id, device, lines)).await;
        });
    }

    /// Deletes the stored readings of a connection's devices.
    pub(super) fn forget_devices(&self, source: u64) {
        if let Some(store) = &self.fleet.readings {
            store.remove(source);
        }
    }

    pub(super) fn ask(&mut self, connection: ConnectionId, request: Request) {
        self.tell(connection, Input::Link(link::Input::Request(request)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::profile::{Protocol, Socket};

    #[test]
    fn a_connection_of_one_run_has_a_past_of_its_own_address() {
        let profile = |id, url: &str| Profile {
            id,
            name: String::new(),
            urls: vec![url.to_owned()],
            protocol: Protocol::Duplex,
            socket: Socket::Tungstenite,
            route: Default::default(),
            ca_file: None,
            fingerprint: None,
            auto_connect: true,
            websocket: Default::default(),
            network: Default::default(),
        };
        assert_eq!(source(&profile(ConnectionId(7), "ws://a")), 7);
        let (a, b) =
            (profile(ConnectionId::COMMAND_LINE, "ws://a"), profile(ConnectionId::COMMAND_LINE, "ws://b"));
        assert_eq!(source(&a), source(&a));
        assert_ne!(source(&a), source(&b));
        assert!((1 << 62..1 << 63).contains(&source(&a)));
    }

    #[test]
    fn what_went_over_earlier_sockets_counts() {
        let mut sockets = Sockets::default();
        sockets.opened(Arc::default());
        sockets.before.received = 5_000;
        sockets.opened(Arc::default());
        assert_eq!(sockets.traffic(), engine::Traffic { received: 5_000, sent: 0 });
    }
}
