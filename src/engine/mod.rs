//! [`Engine`]: decides everything about the app's connections and does nothing itself: what is sent, what is written
//! before what, whose turn it is. Sans-IO: no socket, disk, clock, thread or randomness. The app, the console, the
//! connection test and the simulation use the same engine.
//!
//! Call [`Engine::handle`], then drain [`Engine::poll`] and carry out each [`Effect`] in order. The driver (`worker`)
//! owns the sockets and the disk.

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
mod topics;
mod turns;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::link;
use crate::link::durable;
use crate::model::event::{ChatEvent, Update};
use crate::model::link_state::{LinkState, Why};
use crate::model::notices::Notifier;
use crate::model::time::BootMs;
use crate::model::{ConnectionId, Event, SharedModel, Time};

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

/// All connections, and the changes waiting for the disk.
#[derive(Default)]
pub struct Engine {
    connections: BTreeMap<ConnectionId, Connection>,
    /// Number of connections added so far.
    taken_in: u64,
    /// Received data that is not handled yet, in the order of turns.
    queues: VecDeque<Queue>,
    commits: Commits,
    limits: Limits,
    /// To be reloaded once none of their changes is on its way to the store.
    behind: BTreeSet<ConnectionId>,
    /// To be started after they have been reloaded.
    restarts: BTreeSet<ConnectionId>,
    /// Connections whose log is open.
    watched: BTreeSet<ConnectionId>,
    is_closing: bool,
    counts: Counts,
    /// The window's model: read here, written by the driver alone.
    model: SharedModel,
    updates: Vec<Update>,
    /// When the updates of this turn were complete, and the minute of the day.
    settling: Option<(Time, u16)>,
    pending: Pending,
    /// Whether links publish figures, as devices do.
    measures_links: bool,
    /// When the links' figures are due; `None` while no link is up.
    links_due: Option<BootMs>,
    notifier: Notifier,
    effects: VecDeque<Effect>,
}

impl Engine {
    /// An engine without connections. `model`: what the driver applies [`Effect::Show`] to. Unlike with
    /// [`Engine::default`], its links publish figures.
    pub fn new(model: SharedModel, limits: Limits) -> Engine {
        Engine { model, limits, measures_links: true, ..Engine::default() }
    }

    /// A connection's state; `None` if there is no such connection.
    pub fn state(&self, connection: ConnectionId) -> Option<&LinkState> {
        self.connections.get(&connection).map(|known| known.durable.link().state())
    }

    /// Whether a connection is online.
    pub fn is_online(&self, connection: ConnectionId) -> bool {
        self.state(connection).is_some_and(LinkState::is_online)
    }

    /// Whether received data is waiting for its turn.
    pub fn has_turn(&self) -> bool {
        self.queues.iter().any(|queue| self.has_room(queue.connection()))
    }

    /// When it needs an [`Input::Tick`], as boot time in milliseconds.
    pub fn deadline(&self) -> Option<BootMs> {
        let others = [self.notifier.deadline(), self.pending.deadline(), self.links_due];
        self.links_deadline().into_iter().chain(others.into_iter().flatten()).min()
    }

    /// The same for links alone: `None` while none is up or connecting.
    pub fn links_deadline(&self) -> Option<BootMs> {
        self.connections.values().filter_map(|known| known.durable.deadline()).min()
    }

    /// The next effect; `None` if there is nothing more to do.
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

    /// Handles one input; then drain [`Engine::poll`].
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
            Input::Topic(connection, request) => self.ask_of_topics(now, connection, request),
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

    /// Gives a link an input and gathers its outputs.
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
                durable::Output::Compress => Effect::Compress(connection),
                durable::Output::Hangup { code } => Effect::HangUp { connection, code },
                durable::Output::Apply(event) => {
                    self.count_after(connection, &event);
                    let Some(event) = self.devices_after(now, connection, event) else { continue };
                    let is_history = matches!(event, Event::Chat(ChatEvent::History { .. }));
                    let again = is_history.then(|| event.clone());
                    self.effects.push_back(Effect::Event(connection, event));
                    if let Some(history) = again {
                        self.read_history_again(connection, &history);
                    }
                    continue;
                }
                durable::Output::Write { ticket, change } => {
                    self.keep(connection, ticket, change);
                    continue;
                }
            };
            self.effects.push_back(effect);
        }
    }

    /// A link whose socket no longer accepts data is dead.
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
            // The answer may be in the data that is not handled yet.
            let is_behind = self.queues.iter().any(|queue| queue.connection() == connection);
            self.hold_back(now, connection, is_behind);
            self.tell(now, connection, durable::Input::Link(link::Input::Tick));
        }
        self.end_commands(now);
        self.measure_links(now, 0);
    }

    /// Servers send again what is not on its way to the disk yet, except those that number nothing.
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
