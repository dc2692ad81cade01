//! [`Engine`]: what the app decides about its connections, without doing any of it: who is told what, what is written
//! down before what, whose turn it is. Sans-IO: no socket, no disk, no clock, no thread, no randomness. The app, the
//! console, the connection test and the simulation drive the same one.
//!
//! Mutate with [`Engine::handle`], then drain [`Engine::poll`] and carry out each [`Effect`] in order. The driver
//! (`worker`) owns the sockets and the disk.

mod chat;
mod commits;
mod connection;
mod counts;
mod devices;
mod effect;
mod figures;
mod input;
mod past;
mod rooms;
mod show;
mod turns;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::link;
use crate::link::durable;
use crate::model::event::Update;
use crate::model::link_state::{LinkState, Why};
use crate::model::notices::Notifier;
use crate::model::time::BootMs;
use crate::model::{ConnectionId, SharedModel, Time};

use commits::Commits;
use connection::Connection;
use counts::Counts;
use devices::Pending;
use turns::Queue;

pub use devices::NewCommand;
pub use effect::{DeviceWrite, Effect, Part};
pub use figures::Traffic;
pub use input::{Input, Limits, NewConnection, Outcome};
pub use past::MAX_LOG_LINES;
pub use show::{RepaintReason, work_of};

/// All connections, and what waits for the disk.
#[derive(Default)]
pub struct Engine {
    connections: BTreeMap<ConnectionId, Connection>,
    /// How many connections were ever taken in.
    taken_in: u64,
    /// What came over the sockets and is not looked at yet, in the order of turns.
    queues: VecDeque<Queue>,
    commits: Commits,
    limits: Limits,
    /// To be begun anew once nothing of theirs is on its way to the disk.
    behind: BTreeSet<ConnectionId>,
    /// To be started once they have begun anew.
    restarts: BTreeSet<ConnectionId>,
    /// Whose frames somebody looks at.
    watched: BTreeSet<ConnectionId>,
    is_closing: bool,
    counts: Counts,
    /// What the window draws from: read here, and written by the driver alone.
    model: SharedModel,
    updates: Vec<Update>,
    /// When it was said that everything is known, and at which minute of the day.
    settling: Option<(Time, u16)>,
    pending: Pending,
    /// Whether links say of themselves how they are, as devices do.
    measures_links: bool,
    /// When the links' figures are taken next; none while no link is up.
    links_due: Option<BootMs>,
    notifier: Notifier,
    effects: VecDeque<Effect>,
}

impl Engine {
    /// An engine without connections. `model`: what the driver applies [`Effect::Show`] to. Unlike that of
    /// [`Engine::default`], its links say of themselves how they are.
    pub fn new(model: SharedModel, limits: Limits) -> Engine {
        Engine { model, limits, measures_links: true, ..Engine::default() }
    }

    /// How a connection is; none where there is no such connection.
    pub fn state(&self, connection: ConnectionId) -> Option<&LinkState> {
        self.connections.get(&connection).map(|known| known.durable.link().state())
    }

    /// Whether a connection is online.
    pub fn is_online(&self, connection: ConnectionId) -> bool {
        self.state(connection).is_some_and(LinkState::is_online)
    }

    /// Whether something that was received waits for its turn.
    pub fn has_turn(&self) -> bool {
        self.queues.iter().any(|queue| self.has_room(queue.connection()))
    }

    /// The boot time in milliseconds at which it wants an [`Input::Tick`].
    pub fn deadline(&self) -> Option<BootMs> {
        let others = [self.notifier.deadline(), self.pending.deadline(), self.links_due];
        self.links_deadline().into_iter().chain(others.into_iter().flatten()).min()
    }

    /// The same, for links alone: none while none is up or on its way.
    pub fn links_deadline(&self) -> Option<BootMs> {
        self.connections.values().filter_map(|known| known.durable.deadline()).min()
    }

    /// The next effect; `None` when there is nothing more to do.
    pub fn poll(&mut self) -> Option<Effect> {
        if self.effects.is_empty() {
            let parts = self.commits.begin(self.limits.max_commit_bytes);
            self.effects.extend(parts.map(Effect::Commit));
            let reload = self.next_reload();
            self.effects.extend(reload.map(Effect::Reload));
        }
        if self.effects.is_empty() {
            self.show_all();
        }
        self.effects.pop_front()
    }

    /// Takes one input in; then drain [`Engine::poll`].
    pub fn handle(&mut self, now: Time, input: Input) {
        match input {
            Input::Committed { part, outcome } => self.committed(now, part, outcome),
            Input::LetGo(part) => self.let_go(part),
            _ if self.is_closing => {}
            Input::Add(new) => self.add(now, *new),
            Input::Remove(connection) => self.remove(connection),
            Input::Configure { connection, setup, reconnects } => {
                if let Some(known) = self.connections.get_mut(&connection) {
                    known.durable.link_mut().set_setup(setup);
                    known.durable.link_mut().set_reconnects(reconnects);
                }
            }
            Input::Addresses { connection, urls } => {
                if let Some(known) = self.connections.get_mut(&connection) {
                    known.durable.link_mut().set_urls(urls);
                }
            }
            Input::Tell(connection, durable::Input::Link(link::Input::Start))
                if self.behind.contains(&connection) =>
            {
                self.restarts.insert(connection);
            }
            Input::Tell(connection, input) => {
                if matches!(input, durable::Input::Link(link::Input::Stop)) {
                    self.restarts.remove(&connection);
                }
                self.tell(now, connection, input);
            }
            Input::Received { connection, inputs } => self.received(now, connection, inputs),
            Input::Turn => self.take_turn(now),
            Input::Choked(connection) => self.choked(now, connection),
            Input::Behind(connections) => self.begin_anew(now, connections),
            Input::Keep(connection, change) => self.keep(connection, 0, change),
            Input::Watch(connection, true) => _ = self.watched.insert(connection),
            Input::Watch(connection, false) => _ = self.watched.remove(&connection),
            Input::NudgeAll => {
                let all: Vec<ConnectionId> = self.connections.keys().copied().collect();
                for connection in all {
                    self.tell(now, connection, durable::Input::Link(link::Input::Nudge));
                }
            }
            Input::Counted(connection, counted) => self.counted(connection, counted),
            Input::Chat(intent, id) => self.want_in_chat(now, intent, id),
            Input::Command(new) => self.command(now, new),
            Input::SeriesRead { connection, device, metric, page } => {
                self.series_read(now, connection, device, metric, page);
            }
            Input::LogRead { connection, device, lines } => self.log_read(now, connection, device, lines),
            Input::Measured(connection, state, traffic) => self.measured(now, connection, &state, traffic),
            Input::Show(update) => self.updates.push(update),
            Input::View(viewing) => self.view(viewing),
            Input::TryNotice { minute } => self.try_notice(now, minute),
            Input::Settle { minute } => self.settle(now, minute),
            Input::Tick => self.tick(now),
            Input::Close => self.close(now),
        }
    }

    /// Gives a link an input and gathers what it wants done.
    fn tell(&mut self, now: Time, connection: ConnectionId, input: durable::Input) {
        let Some(known) = self.connections.get_mut(&connection) else { return };
        known.durable.handle(now, input);
        self.take_outputs(now, connection);
    }

    fn take_outputs(&mut self, now: Time, connection: ConnectionId) {
        while let Some(output) = self.connections.get_mut(&connection).and_then(|c| c.durable.poll()) {
            let effect = match output {
                durable::Output::Dial { dial, url } => Effect::Dial { connection, dial, url },
                durable::Output::Send(frame) => Effect::Send(connection, frame),
                durable::Output::Ping => Effect::Ping(connection),
                durable::Output::Hangup { code } => Effect::HangUp { connection, code },
                durable::Output::Apply(event) => {
                    self.count_after(connection, &event);
                    match self.devices_after(now, connection, event) {
                        Some(event) => Effect::Event(connection, event),
                        None => continue,
                    }
                }
                durable::Output::Write { ticket, change } => {
                    self.keep(connection, ticket, change);
                    continue;
                }
            };
            self.effects.push_back(effect);
        }
    }

    /// A socket that takes nothing any more is a dead link.
    fn choked(&mut self, now: Time, connection: ConnectionId) {
        let Some(known) = self.connections.get(&connection) else { return };
        if known.durable.link().state().is_online() {
            let dial = known.durable.link().current_dial();
            let closed = link::Input::Closed { dial, why: Why::Silent };
            self.tell(now, connection, durable::Input::Link(closed));
        }
    }

    fn tick(&mut self, now: Time) {
        let is_due =
            |known: &Connection| known.durable.deadline().is_some_and(|deadline| deadline <= now.boot_ms);
        let due = self.connections.iter().filter(|(_, known)| is_due(known));
        for connection in due.map(|(id, _)| *id).collect::<Vec<_>>() {
            // What would answer may be among what is not looked at yet.
            let is_behind = self.queues.iter().any(|queue| queue.connection() == connection);
            self.hold_back(now, connection, is_behind);
            self.tell(now, connection, durable::Input::Link(link::Input::Tick));
        }
        self.end_commands(now);
        self.measure_links(now, 0);
    }

    /// What servers said and is not on its way to the disk yet they will say again, except those that number nothing.
    fn close(&mut self, now: Time) {
        let said_once: BTreeSet<ConnectionId> =
            self.connections.iter().filter(|(_, known)| known.is_said_once).map(|(id, _)| *id).collect();
        for queue in std::mem::take(&mut self.queues) {
            let connection = queue.connection();
            if said_once.contains(&connection) {
                queue.into_inputs().for_each(|input| self.tell(now, connection, durable::Input::Link(input)));
            }
        }
        for connection in said_once {
            self.tell(now, connection, durable::Input::Link(link::Input::Stop));
        }
        self.is_closing = true;
        for connection in self.connections.keys() {
            self.effects.push_back(Effect::HangUp { connection: *connection, code: 1001 });
        }
        self.commits.drop_what_is_said_again();
    }
}

#[cfg(test)]
mod tests;
