//! Devices: what is stored, commands with their timeouts, and queries about stored readings.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{DeviceWrite, Effect, Engine, past};
use crate::link;
use crate::link::durable;
use crate::model::device::COMMAND_MS;
use crate::model::event::{DeviceEvent, LinkEvent, Update};
use crate::model::time::{BootMs, WallMs};
use crate::model::{
    Command, CommandState, ConnectionId, DeviceId, DeviceLogEvent, Event, LogLine, MessageId, MetricName,
    Sender, SeriesPage, Time, Value,
};
use crate::wire::{DeviceRequest, Request};

/// How long after the hub's own deadline an answer to a command is still expected, in milliseconds.
const OVERDUE_MS: u64 = COMMAND_MS + 2_000;
/// Maximum number of commands with a local timeout; further ones end only by the hub's answer.
const MAX_COMMANDS: usize = 256;
/// Maximum number of unanswered queries about stored readings.
const MAX_QUESTIONS: usize = 64;

/// A person sets a property of a device.
#[derive(Clone, Debug, PartialEq)]
pub struct NewCommand {
    /// Its id: new and random.
    pub id: MessageId,
    /// The connection.
    pub connection: ConnectionId,
    /// The device.
    pub device: DeviceId,
    /// The device's incarnation that the person saw when they issued the command.
    pub incarnation: u64,
    /// The property.
    pub property: MetricName,
    /// The value.
    pub value: Value,
}

/// What is waiting for an answer or a timeout.
#[derive(Default)]
pub(super) struct Pending {
    commands: VecDeque<PendingCommand>,
    pages: VecDeque<(ConnectionId, DeviceId, MetricName, SeriesPage)>,
    logs: VecDeque<(ConnectionId, DeviceId, Vec<LogLine>)>,
}

/// A command without a result.
struct PendingCommand {
    connection: ConnectionId,
    until: BootMs,
    command: Command,
}

impl Pending {
    pub(super) fn deadline(&self) -> Option<BootMs> {
        self.commands.front().map(|waiting| waiting.until)
    }

    pub(super) fn forget(&mut self, connection: ConnectionId) {
        self.commands.retain(|waiting| waiting.connection != connection);
        self.pages.retain(|(of, ..)| *of != connection);
        self.logs.retain(|(of, ..)| *of != connection);
    }
}

impl Engine {
    /// Handles an event of a device before it is shown. `None` if it must not be shown.
    pub(super) fn devices_after(&mut self, now: Time, id: ConnectionId, event: Event) -> Option<Event> {
        match event {
            Event::Link(LinkEvent::State(ref state)) => self.link_changed(now, id, state),
            Event::Device(DeviceEvent::SeriesPaged { device, metric, page }) => {
                return self.answered_series(id, device, metric, &page);
            }
            Event::Device(DeviceEvent::Logged { device, lines }) => {
                return Some(self.answered_log(id, device, lines));
            }
            Event::Device(ref event) => self.keep_of_devices(id, event),
            _ => {}
        }
        Some(event)
    }

    fn keep_of_devices(&mut self, id: ConnectionId, event: &DeviceEvent) {
        let mut keep = |write| self.effects.push_back(Effect::KeepOfDevices(id, write));
        let log = |device: &DeviceId, at: WallMs, what: DeviceLogEvent| {
            DeviceWrite::Log(device.clone(), Box::new(LogLine { at, what }))
        };
        match event {
            DeviceEvent::Readings(readings) => {
                keep(DeviceWrite::Readings(Arc::clone(readings)));
                let known = self.connections.get_mut(&id);
                known.into_iter().for_each(|known| known.figures.count(readings));
            }
            DeviceEvent::Listed { devices, .. } => {
                devices.iter().for_each(|state| keep(DeviceWrite::State(Box::new(state.clone()))));
            }
            DeviceEvent::Announced(state) => keep(DeviceWrite::State(state.clone())),
            DeviceEvent::Presence { device, online: true, since, .. } => {
                keep(log(device, *since, DeviceLogEvent::Online));
            }
            DeviceEvent::Presence { device, since, reason, .. } => {
                keep(log(device, *since, DeviceLogEvent::Offline { reason: reason.clone() }));
            }
            DeviceEvent::Silent { device, since } => keep(log(device, *since, DeviceLogEvent::Silent)),
            DeviceEvent::Commanded(command) if command.state != CommandState::Pending => {
                let what = DeviceLogEvent::Command { command: (**command).clone() };
                keep(log(&command.device, command.at, what));
                self.pending.commands.retain(|waiting| waiting.command.id != command.id);
            }
            _ => {}
        }
    }

    /// Ends commands whose result is overdue.
    pub(super) fn end_commands(&mut self, now: Time) {
        while self.pending.commands.front().is_some_and(|waiting| waiting.until <= now.boot_ms) {
            let Some(waiting) = self.pending.commands.pop_front() else { break };
            let command = Command { state: CommandState::Unknown, ..waiting.command };
            self.show(waiting.connection, DeviceEvent::Commanded(Box::new(command)));
        }
    }

    fn show(&mut self, id: ConnectionId, event: DeviceEvent) {
        self.updates.push(Update::Connection(id, Event::Device(event)));
    }

    fn ask_of_devices(&mut self, now: Time, id: ConnectionId, request: DeviceRequest) {
        self.tell(now, id, durable::Input::Link(link::Input::Request(Request::Device(request))));
    }

    /// The command shows before the hub has answered.
    pub(super) fn command(&mut self, now: Time, new: NewCommand) {
        let NewCommand { id, connection, device, incarnation, property, value } = new;
        let known = self.model.read(|model| {
            let connection = model.connections.get(&connection)?;
            let me = connection.chat.me.as_ref()?;
            let by = Sender { id: me.id.clone(), name: me.name.clone() };
            Some((by, connection.clock_skew_ms.unwrap_or(0)))
        });
        let Some((by, skew)) = known else { return };
        let is_online = self.is_online(connection);
        let state = if is_online {
            CommandState::Pending
        } else {
            CommandState::Failed { detail: "not sent: there is no connection".to_owned() }
        };
        let at = now.wall_ms.saturating_add(skew);
        let command = Command { id, device, property, value, by, at, state };
        self.show(connection, DeviceEvent::Commanded(Box::new(command.clone())));
        if !is_online {
            return;
        }
        let Command { device, property, value, .. } = command.clone();
        let incarnation = Some(incarnation);
        self.ask_of_devices(
            now,
            connection,
            DeviceRequest::Command { id, device, incarnation, property, value },
        );
        if self.pending.commands.len() < MAX_COMMANDS {
            let until = now.boot_ms + OVERDUE_MS;
            self.pending.commands.push_back(PendingCommand { connection, until, command });
        }
    }

    /// Readings from the disk: shown at once; gaps are requested from the hub.
    pub(super) fn series_read(
        &mut self,
        now: Time,
        id: ConnectionId,
        device: DeviceId,
        metric: MetricName,
        page: SeriesPage,
    ) {
        let skew = self.model.read(|model| model.connections.get(&id).and_then(|c| c.clock_skew_ms));
        let at = now.wall_ms.saturating_add(skew.unwrap_or(0));
        let is_local = device.as_str().starts_with('~');
        if !is_local && self.is_online(id) && past::has_holes(&page, at) {
            let pages = &mut self.pending.pages;
            let key = (id, &device, &metric);
            pages.retain(|(id, device, metric, _)| (*id, device, metric) != key);
            if pages.len() == MAX_QUESTIONS {
                pages.pop_front();
            }
            pages.push_back((id, device.clone(), metric.clone(), page.clone()));
            let (from, to) = (page.from, page.to);
            let request = DeviceRequest::Series { device: device.clone(), metric: metric.clone(), from, to };
            self.ask_of_devices(now, id, request);
        }
        self.show(id, DeviceEvent::SeriesPaged { device, metric, page });
    }

    /// Readings from the hub. Ignored if another range has been requested since.
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
        let place = self.pending.pages.iter().position(is_it)?;
        let (_, _, _, own) = self.pending.pages.remove(place)?;
        Some(Event::Device(DeviceEvent::SeriesPaged { device, metric, page: past::merge(&own, page) }))
    }

    /// The log from the disk: merged with the hub's if there is one to ask.
    pub(super) fn log_read(&mut self, now: Time, id: ConnectionId, device: DeviceId, lines: Vec<LogLine>) {
        let is_local = device.as_str().starts_with('~');
        if !is_local && self.is_online(id) {
            let logs = &mut self.pending.logs;
            logs.retain(|(known, of, _)| (known, of) != (&id, &device));
            if logs.len() == MAX_QUESTIONS {
                logs.pop_front();
            }
            logs.push_back((id, device.clone(), lines.clone()));
            self.ask_of_devices(now, id, DeviceRequest::Log(device.clone()));
        }
        if !lines.is_empty() {
            self.show(id, DeviceEvent::Logged { device, lines });
        }
    }

    fn answered_log(&mut self, id: ConnectionId, device: DeviceId, hub: Vec<LogLine>) -> Event {
        let logs = &mut self.pending.logs;
        let place = logs.iter().position(|(known, of, _)| (*known, of) == (id, &device));
        let own = place.and_then(|place| logs.remove(place)).map(|(_, _, own)| own);
        Event::Device(DeviceEvent::Logged { device, lines: past::merge_logs(own.unwrap_or_default(), hub) })
    }
}
