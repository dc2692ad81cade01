//! What the worker does about devices: this computer as one, commands, the stored past, and the link's own figures.

use std::collections::VecDeque;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::desk::{Desk, Done, Seat};
use super::past;
use crate::agent::{self, Agent, Given, Said};
use crate::clock;
use crate::link::{self, courier::Input};
use crate::model::device::COMMAND_MS;
use crate::model::event::{DeviceEvent, LinkEvent, Update};
use crate::model::intent::DeviceIntent;
use crate::model::link_device::{LinkCounters, link_readings};
use crate::model::link_state::LinkState;
use crate::model::time::{BootMs, WallMs};
use crate::model::{
    Banner, Command, CommandState, ConnectionId, DeviceId, Event, Happened, Intent, LogLine, MetricName,
    Profile, Readings, Sender, SeriesPage, Time,
};
use crate::store::readings::ReadingsStore;
use crate::transport::{Counters, Traffic};
use crate::wire::{DeviceRequest, Request};

/// The hub ends every command by itself; so much later its word will not come any more, in milliseconds.
const OVERDUE_MS: u64 = COMMAND_MS + 2_000;
/// Most commands whose end is waited for. What is beyond is known by the hub's word alone.
const COMMANDS: usize = 256;
/// Most questions to hubs about the past that wait for an answer.
const QUESTIONS: usize = 64;
/// How often a link's own figures are taken, in milliseconds.
const LINK_MS: u64 = 1_000;
/// How often the round trip is measured while a link is up, in milliseconds: readings keep it from ever falling quiet, and
/// what was measured an hour ago is not what it is now.
const ROUND_TRIP_MS: u64 = 10_000;
/// They are taken so much earlier if there is something to draw anyway, in milliseconds.
const EARLY_MS: u64 = 300;

/// What the worker holds about devices.
#[derive(Default)]
pub(super) struct Fleet {
    /// What devices said, on disk; none where that cannot be.
    pub(super) readings: Option<ReadingsStore>,
    computer: Option<Agent>,
    commands: VecDeque<Waiting>,
    pages: VecDeque<(ConnectionId, DeviceId, MetricName, SeriesPage)>,
    logs: VecDeque<(ConnectionId, DeviceId, Vec<LogLine>)>,
    /// When the links' figures are taken next; none while no link is up.
    links_due: Option<BootMs>,
    /// Readings that this disk did not take, as last told.
    not_kept: u64,
    /// What keeps them from being written, as last told.
    trouble: Option<Banner>,
}

/// A command that has no outcome yet.
struct Waiting {
    connection: ConnectionId,
    until: BootMs,
    command: Command,
}

impl Fleet {
    pub(super) fn new(readings: Option<ReadingsStore>) -> Fleet {
        Fleet { readings, ..Fleet::default() }
    }

    /// When there is something to do by the clock.
    pub(super) fn deadline(&self) -> Option<BootMs> {
        let overdue = self.commands.front().map(|waiting| waiting.until);
        overdue.into_iter().chain(self.links_due).min()
    }
}

/// What is counted of one connection.
#[derive(Default)]
pub(super) struct Figures {
    /// What is counted now.
    counters: LinkCounters,
    /// What went over earlier sockets.
    before: Traffic,
    socket: Option<Arc<Counters>>,
    last: Option<(BootMs, LinkCounters)>,
    state: &'static str,
    was_up: bool,
    /// Whether something may have been heard since the store was told that nothing is.
    is_heard: bool,
    /// When the round trip is measured next.
    measure_at: BootMs,
}

impl Figures {
    /// A new socket carries the link.
    pub(super) fn opened(&mut self, socket: Arc<Counters>) {
        self.before = self.traffic();
        self.socket = Some(socket);
    }

    fn traffic(&self) -> Traffic {
        let now = self.socket.as_ref().map(|socket| socket.traffic()).unwrap_or_default();
        Traffic {
            frames_in: self.before.frames_in + now.frames_in,
            bytes_in: self.before.bytes_in + now.bytes_in,
            frames_out: self.before.frames_out + now.frames_out,
            bytes_out: self.before.bytes_out + now.bytes_out,
        }
    }

    fn sample(&mut self, now: Time, wall: WallMs, state: &LinkState, queue: u64) -> Readings {
        let traffic = self.traffic();
        if traffic.bytes_in > self.counters.received {
            self.counters.heard = Some(now.boot_ms);
        }
        (self.counters.received, self.counters.sent) = (traffic.bytes_in, traffic.bytes_out);
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

impl Desk {
    /// Starts to measure this computer; it is told of once its hub has welcomed us.
    pub(super) fn start_computer(&mut self) {
        let done = self.done.clone();
        let name = agent::host_name().unwrap_or_default();
        let say = move |said| done.blocking_send(Done::Said(said)).is_ok();
        match Agent::spawn(agent::host_id(), name, say) {
            Ok(agent) => self.fleet.computer = Some(agent),
            Err(error) => log::error!("this computer cannot be measured: {error}"),
        }
    }

    /// This computer says something to its hub. Dropped while that is not there: it will be announced anew.
    pub(super) fn said(&mut self, said: Said) {
        let request = match said {
            Said::Announce(spec) => Request::Device(DeviceRequest::Announce(spec)),
            Said::Publish(readings) => Request::Device(DeviceRequest::Publish(readings)),
            Said::Result { id, state } => Request::Device(DeviceRequest::CommandResult { id, state }),
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
                    drop(done.send(Done::Show(id, Event::Device(DeviceEvent::Restored(states)))).await)
                }
                Err(error) => log::error!("devices cannot be read from the disk: {error}"),
            }
        });
    }

    /// What the worker itself does about an event of devices, before it shows. `None`: it is not to show.
    pub(super) fn devices_noticed(&mut self, id: ConnectionId, event: Event) -> Option<Event> {
        let store = self.fleet.readings.clone();
        let seat = self.seats.get_mut(&id)?;
        let log = |device: &DeviceId, at: WallMs, what: Happened| {
            if let Some(store) = &store {
                store.log(seat.source, device.clone(), LogLine { at, what });
            }
        };
        match &event {
            Event::Device(DeviceEvent::Readings(readings)) => seat.read(store.as_ref(), readings),
            Event::Device(DeviceEvent::Listed { devices, .. }) => {
                for state in devices {
                    store.iter().for_each(|store| store.put_device(seat.source, state.clone()));
                }
            }
            Event::Device(DeviceEvent::Announced(state)) => {
                store.iter().for_each(|store| store.put_device(seat.source, (**state).clone()));
            }
            Event::Device(DeviceEvent::Presence { device, online: true, since, .. }) => {
                log(device, *since, Happened::Online)
            }
            Event::Device(DeviceEvent::Presence { device, since, reason, .. }) => {
                log(device, *since, Happened::Offline { reason: reason.clone() });
            }
            Event::Device(DeviceEvent::Silent { device, since }) => log(device, *since, Happened::Silent),
            Event::Device(DeviceEvent::Commanded(command)) if command.state != CommandState::Pending => {
                log(&command.device, command.at, Happened::Command { command: (**command).clone() });
                self.fleet.commands.retain(|waiting| waiting.command.id != command.id);
            }
            Event::Link(LinkEvent::Welcomed { .. }) if id == ConnectionId::OWN_HUB => {
                self.fleet.computer.iter().for_each(Agent::begin);
            }
            Event::Device(DeviceEvent::PublishRefused { device, code, detail }) => {
                self.publish_refused(device, code, detail)
            }
            Event::Link(LinkEvent::State(state)) => self.link_changed(id, &state.clone()),
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
            Event::Device(DeviceEvent::SeriesPaged { device, metric, page }) => {
                self.answered_series(id, device, metric, &page)
            }
            Event::Device(DeviceEvent::Logged { device, lines }) => {
                Some(self.answered_log(id, device, lines))
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

    fn link_changed(&mut self, id: ConnectionId, state: &LinkState) {
        let online = state.is_online();
        if id == ConnectionId::OWN_HUB && !online {
            self.fleet.computer.iter().for_each(Agent::rest);
        }
        let Some(seat) = self.seats.get_mut(&id) else { return };
        if std::mem::replace(&mut seat.figures.state, state.code()) == state.code() {
            return;
        }
        seat.figures.is_heard |= online;
        if online && std::mem::replace(&mut seat.figures.was_up, true) {
            seat.figures.counters.reconnects += 1;
        }
        if online {
            self.fleet.links_due.get_or_insert(clock::now().boot_ms + LINK_MS);
        }
        self.link_figures(id, state);
    }

    /// What is due by the clock.
    pub(super) fn devices_tick(&mut self) {
        let now = clock::now().boot_ms;
        while self.fleet.commands.front().is_some_and(|waiting| waiting.until <= now) {
            let Some(waiting) = self.fleet.commands.pop_front() else { break };
            let command = Command { state: CommandState::Unknown, ..waiting.command };
            self.show(waiting.connection, Event::Device(DeviceEvent::Commanded(Box::new(command))));
        }
        self.links_tick(now);
    }

    /// Before something is drawn anyway: what is nearly due is done with it.
    pub(super) fn links_early(&mut self) {
        self.links_tick(clock::now().boot_ms + EARLY_MS);
    }

    fn links_tick(&mut self, now: BootMs) {
        if self.fleet.links_due.is_none_or(|due| due > now) {
            return;
        }
        let up: Vec<(ConnectionId, LinkState)> = self
            .seats
            .keys()
            .filter_map(|id| Some((*id, self.engine.state(*id)?.clone())))
            .filter(|(_, state)| state.is_online())
            .collect();
        self.fleet.links_due = (!up.is_empty()).then(|| clock::now().boot_ms + LINK_MS);
        self.readings_kept();
        for (id, state) in up {
            self.link_figures(id, &state);
            self.measure_round_trip(id);
        }
    }

    /// Tells how it stands with what the disk keeps of readings, where that has changed.
    fn readings_kept(&mut self) {
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

    fn measure_round_trip(&mut self, id: ConnectionId) {
        let now = clock::now().boot_ms;
        let Some(seat) = self.seats.get_mut(&id) else { return };
        if now >= seat.figures.measure_at {
            seat.figures.measure_at = now + ROUND_TRIP_MS;
            self.ask(id, Request::Probe);
        }
    }

    /// The link says of itself how it is.
    fn link_figures(&mut self, id: ConnectionId, state: &LinkState) {
        let now = clock::now();
        let (skew, queue) = self.model.read(|model| match model.connections.get(&id) {
            Some(connection) => (connection.clock_skew_ms.unwrap_or(0), connection.chat.outbox.len() as u64),
            None => (0, 0),
        });
        let store = self.fleet.readings.clone();
        let Some(seat) = self.seats.get_mut(&id) else { return };
        let wall = now.wall_ms.saturating_add(skew);
        let readings = Arc::new(seat.figures.sample(now, wall, state, queue));
        if let Some(store) = store {
            if !state.is_online() && std::mem::take(&mut seat.figures.is_heard) {
                store.link_lost(seat.source, wall);
            }
            // Nothing is lost with a second of these.
            let _ = store.keep(seat.source, Arc::clone(&readings));
        }
        self.show(id, Event::Device(DeviceEvent::LocalReadings(readings)));
    }

    fn show(&mut self, id: ConnectionId, event: Event) {
        self.update(Update::Connection(id, event));
    }

    /// Commands, and questions about the past.
    pub(super) fn want_of_devices(&mut self, intent: Intent) {
        match intent {
            Intent::Device(DeviceIntent::Command { connection, device, incarnation, property, value }) => {
                let Some((command, now)) = self.command(connection, device, property, value) else { return };
                self.show(connection, Event::Device(DeviceEvent::Commanded(Box::new(command.clone()))));
                if command.state != CommandState::Pending {
                    return;
                }
                let Command { id, device, property, value, .. } = command.clone();
                let incarnation = Some(incarnation);
                self.ask(
                    connection,
                    Request::Device(DeviceRequest::Command { id, device, incarnation, property, value }),
                );
                if self.fleet.commands.len() < COMMANDS {
                    let until = now.boot_ms + OVERDUE_MS;
                    self.fleet.commands.push_back(Waiting { connection, until, command });
                }
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

    /// A new command, as it shows before the hub has said anything.
    fn command(
        &self,
        connection: ConnectionId,
        device: DeviceId,
        property: MetricName,
        value: crate::model::Value,
    ) -> Option<(Command, Time)> {
        let (id, now) = (self.new_id()?, clock::now());
        let (by, skew) = self.model.read(|model| {
            let connection = model.connections.get(&connection)?;
            let me = connection.chat.me.as_ref()?;
            let by = Sender { id: me.id.clone(), name: me.name.clone() };
            Some((by, connection.clock_skew_ms.unwrap_or(0)))
        })?;
        let state = if self.engine.is_online(connection) {
            CommandState::Pending
        } else {
            CommandState::Failed { detail: "not sent: there is no connection".to_owned() }
        };
        let at = now.wall_ms.saturating_add(skew);
        Some((Command { id, device, property, value, by, at, state }, now))
    }

    fn load_series(
        &mut self,
        id: ConnectionId,
        device: DeviceId,
        metric: MetricName,
        range: std::ops::Range<WallMs>,
        columns: u32,
    ) {
        let Some(source) = self.seats.get(&id).map(|seat| seat.source) else { return };
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
            let _ = done.send(Done::Series(id, device, metric, page)).await;
        });
    }

    /// The disk's part of a past: shown at once; where there are holes, the hub is asked, too.
    pub(super) fn series_read(
        &mut self,
        id: ConnectionId,
        device: DeviceId,
        metric: MetricName,
        page: SeriesPage,
    ) {
        let skew = self.model.read(|model| model.connections.get(&id).and_then(|c| c.clock_skew_ms));
        let now = clock::now().wall_ms.saturating_add(skew.unwrap_or(0));
        let is_local = device.as_str().starts_with('~');
        if !is_local && self.engine.is_online(id) && past::has_holes(&page, now) {
            let key = (id, &device, &metric);
            self.fleet.pages.retain(|(id, device, metric, _)| (*id, device, metric) != key);
            if self.fleet.pages.len() == QUESTIONS {
                self.fleet.pages.pop_front();
            }
            self.fleet.pages.push_back((id, device.clone(), metric.clone(), page.clone()));
            let (from, to) = (page.from, page.to);
            let request = Request::Device(DeviceRequest::Series {
                device: device.clone(),
                metric: metric.clone(),
                from,
                to,
            });
            self.ask(id, request);
        }
        self.show(id, Event::Device(DeviceEvent::SeriesPaged { device, metric, page }));
    }

    /// The hub's part of a past. One that was asked for before something else was is let go.
    fn answered_series(
        &mut self,
        id: ConnectionId,
        device: DeviceId,
        metric: MetricName,
        page: &SeriesPage,
    ) -> Option<Event> {
        let is_it = |known: &(ConnectionId, DeviceId, MetricName, SeriesPage)| {
            (known.0, &known.1, &known.2) == (id, &device, &metric)
                && (known.3.from, known.3.to) == (page.from, page.to)
        };
        let place = self.fleet.pages.iter().position(is_it)?;
        let (_, _, _, own) = self.fleet.pages.remove(place)?;
        Some(Event::Device(DeviceEvent::SeriesPaged { device, metric, page: past::merge(&own, page) }))
    }

    fn load_states(&mut self, id: ConnectionId, device: DeviceId, metric: MetricName) {
        let Some(source) = self.seats.get(&id).map(|seat| seat.source) else { return };
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
            let _ = done.send(Done::Show(id, event)).await;
        });
    }

    fn load_log(&mut self, id: ConnectionId, device: DeviceId) {
        let Some(source) = self.seats.get(&id).map(|seat| seat.source) else { return };
        let (store, done) = (self.fleet.readings.clone(), self.done.clone());
        tokio::spawn(async move {
            let lines = match store {
                None => Vec::new(),
                Some(store) => {
                    let read = store.device_log(source, device.clone(), past::LINES).await;
                    read.unwrap_or_else(|error| {
                        log::error!("a device's log cannot be read: {error}");
                        Vec::new()
                    })
                }
            };
            // The worker is gone if nobody takes it.
            let _ = done.send(Done::Log(id, device, lines)).await;
        });
    }

    /// The disk's log: the hub's is put together with it, where there is one to ask.
    pub(super) fn log_read(&mut self, id: ConnectionId, device: DeviceId, lines: Vec<LogLine>) {
        let is_local = device.as_str().starts_with('~');
        if !is_local && self.engine.is_online(id) {
            self.fleet.logs.retain(|(known, of, _)| (known, of) != (&id, &device));
            if self.fleet.logs.len() == QUESTIONS {
                self.fleet.logs.pop_front();
            }
            self.fleet.logs.push_back((id, device.clone(), lines.clone()));
            self.ask(id, Request::Device(DeviceRequest::Log(device.clone())));
        }
        if !lines.is_empty() {
            self.show(id, Event::Device(DeviceEvent::Logged { device, lines }));
        }
    }

    fn answered_log(&mut self, id: ConnectionId, device: DeviceId, hub: Vec<LogLine>) -> Event {
        let place = self.fleet.logs.iter().position(|(known, of, _)| (*known, of) == (id, &device));
        let own = place.and_then(|place| self.fleet.logs.remove(place)).map(|(_, _, own)| own);
        Event::Device(DeviceEvent::Logged { device, lines: past::merge_logs(own.unwrap_or_default(), hub) })
    }

    /// Forgets what a connection's devices said.
    pub(super) fn forget_devices(&mut self, id: ConnectionId, source: u64) {
        self.fleet.commands.retain(|waiting| waiting.connection != id);
        if let Some(store) = &self.fleet.readings {
            store.remove(source);
        }
    }

    pub(super) fn ask(&mut self, connection: ConnectionId, request: Request) {
        self.tell(connection, Input::Link(link::Input::Request(request)));
    }
}

impl Seat {
    /// Counts and keeps what came.
    fn read(&mut self, store: Option<&ReadingsStore>, readings: &Arc<Readings>) {
        let count = readings.values.len() as u64;
        self.figures.counters.readings += count;
        self.figures.counters.conflated = self.figures.counters.conflated.saturating_add(readings.conflated);
        if let Some(store) = store {
            // What is not taken is counted there.
            let _ = store.keep(self.source, Arc::clone(readings));
        }
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
        let mut figures = Figures::default();
        figures.opened(Arc::default());
        figures.before.bytes_in = 5_000;
        figures.opened(Arc::default());
        let online = LinkState::Online { since: 0, rtt_ms: Some(7) };
        let first = figures.sample(Time { boot_ms: 1_000, wall_ms: 0 }, 50, &online, 3);
        figures.before.bytes_in = 7_000;
        let second = figures.sample(Time { boot_ms: 2_000, wall_ms: 0 }, 60, &online, 3);
        let value = |readings: &Readings, name: &str| {
            let found = readings.values.iter().find(|(metric, _)| metric.as_str() == name);
            found.unwrap().1.clone()
        };
        assert_eq!(value(&first, "received"), crate::model::Value::Missing);
        assert_eq!(value(&second, "received"), crate::model::Value::Number(2_000.0));
        assert_eq!(value(&second, "queue"), crate::model::Value::Number(3.0));
        assert_eq!(second.samples[0].received, 60);
    }
}
