//! What the worker does about devices: this computer as one, the stored past, and what went over the sockets.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::driver::{Driver, TaskResult};
use crate::agent::{self, Agent, AgentMessage, Given};
use crate::clock;
use crate::engine::{self, DeviceWrite, MAX_LOG_LINES, NewCommand};
use crate::link::{self, durable::Input};
use crate::model::event::{DeviceEvent, LinkEvent, Update};
use crate::model::intent::DeviceIntent;
use crate::model::time::WallMs;
use crate::model::{
    Banner, CommandState, ConnectionId, DeviceId, Event, Intent, MetricName, Profile, SeriesPage,
};
use crate::store::readings::ReadingsStore;
use crate::transport::Counters;
use crate::wire::{DeviceRequest, Request};

/// What the worker holds about devices.
#[derive(Default)]
pub(super) struct Telemetry {
    /// What devices said, on disk; none where that cannot be.
    pub(super) readings: Option<ReadingsStore>,
    computer: Option<Agent>,
    /// Readings that this disk did not take, as last told.
    not_kept: u64,
    /// What keeps them from being written, as last told.
    trouble: Option<Banner>,
}

impl Telemetry {
    pub(super) fn new(readings: Option<ReadingsStore>) -> Telemetry {
        Telemetry { readings, ..Telemetry::default() }
    }
}

/// What went over one connection's sockets.
#[derive(Default)]
pub(super) struct Sockets {
    /// Over earlier ones.
    before: engine::Traffic,
    now: Option<Arc<Counters>>,
}

impl Sockets {
    /// A new socket carries the link.
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

/// Under which number a connection's readings are on disk: its own, or where it is for this run alone, that of its
/// address. What was read at another server must not count as this one's past.
pub(super) fn source(profile: &Profile) -> u64 {
    if profile.id != ConnectionId::COMMAND_LINE {
        return profile.id.0;
    }
    let digest = Sha256::digest(profile.urls.join(" "));
    let number = digest.iter().take(8).fold(0u64, |number, byte| number << 8 | u64::from(*byte));
    // Apart from the numbers of connections, and within what a database takes.
    number >> 2 | 1 << 62
}

impl Driver {
    /// Starts to measure this computer; it is told of once its hub has welcomed us.
    pub(super) fn start_computer(&mut self) {
        let done = self.done.clone();
        let name = agent::host_name().unwrap_or_default();
        let say = move |said| done.blocking_send(TaskResult::Said(said)).is_ok();
        match Agent::spawn(agent::host_id(), name, say) {
            Ok(agent) => self.fleet.computer = Some(agent),
            Err(error) => log::error!("this computer cannot be measured: {error}"),
        }
    }

    /// This computer says something to its hub. Dropped while that is not there: it will be announced anew.
    pub(super) fn said(&mut self, said: AgentMessage) {
        let request = match said {
            AgentMessage::Announce(spec) => Request::Device(DeviceRequest::Announce(spec)),
            AgentMessage::Publish(readings) => Request::Device(DeviceRequest::Publish(readings)),
            AgentMessage::Result { id, state } => Request::Device(DeviceRequest::CommandResult { id, state }),
        };
        self.ask(ConnectionId::OWN_HUB, request);
    }

    /// Shows what the disk holds of a connection's devices.
    pub(super) fn restore_devices(&self, id: ConnectionId, source: u64) {
        let Some(store) = self.fleet.readings.clone() else { return };
        let done = self.done.clone();
        tokio::spawn(async move {
            match store.devices(source).await {
                // The worker is gone if nobody takes it.
                Ok(states) => {
                    drop(done.send(TaskResult::Show(id, Event::Device(DeviceEvent::Restored(states)))).await)
                }
                Err(error) => log::error!("devices cannot be read from the disk: {error}"),
            }
        });
    }

    /// Keeps something of a connection's devices on disk.
    pub(super) fn keep_of_devices(&self, id: ConnectionId, write: DeviceWrite) {
        let (Some(store), Some(slot)) = (&self.fleet.readings, self.slots.get(&id)) else { return };
        match write {
            // What is not taken is counted there.
            DeviceWrite::Readings(readings) => _ = store.keep(slot.source, readings),
            DeviceWrite::State(state) => store.put_device(slot.source, *state),
            DeviceWrite::Log(device, line) => store.log(slot.source, device, *line),
            DeviceWrite::LinkLost(at) => store.link_lost(slot.source, at),
        }
    }

    /// What this computer, as a device of its hub, has to do with an event. `None`: it is not to show.
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
            // It is seen all the same.
            return;
        }
        // Somebody else publishes under this name: the hub is asked again with the next welcome.
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

    /// Tells how it stands with what the disk keeps of readings, where that has changed.
    pub(super) fn readings_kept(&mut self) {
        let Some(store) = &self.fleet.readings else { return };
        let (not_kept, set_aside) = (store.lost(), store.take_set_aside());
        let trouble = store.trouble().map(|detail| Banner::ReadingsNotWritten { detail });
        if std::mem::replace(&mut self.fleet.not_kept, not_kept) != not_kept {
            self.update(Update::ReadingsNotKept(not_kept));
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

    /// Commands, and questions about the past.
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
            // The worker is gone if nobody takes it.
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
            // The worker is gone if nobody takes it.
            let _ = done.send(TaskResult::Show(id, event)).await;
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
            // The worker is gone if nobody takes it.
            let _ = done.send(TaskResult::Log(id, device, lines)).await;
        });
    }

    /// Forgets what a connection's devices said.
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
            ca_file: None,
            fingerprint: None,
            auto_connect: true,
            websocket: Default::default(),
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
