//! [`Engine`]: what the app decides about its connections, without doing any of it: who is told what, what is written
//! down before what, whose turn it is. Sans-IO: no socket, no disk, no clock, no thread, no randomness. The app, the
//! console, the connection test and the simulation drive the same one.
//!
//! Mutate with [`Engine::handle`], then drain [`Engine::poll`] and carry out each [`Effect`] in order. The driver
//! (`worker`) owns the sockets and the disk.

mod commits;
mod connection;
mod counts;
mod show;
mod turns;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::frame::Frame;
use crate::link;
use crate::link::courier::{self, Change};
use crate::model::event::{Stored, Update};
use crate::model::link_state::{LinkState, Why};
use crate::model::notices::{Act, Notifier, Viewing};
use crate::model::time::BootMs;
use crate::model::{ConnectionId, Event, Offset, RoomId, SharedModel, Time};
use crate::wire::{Open, Saved};

use commits::Commits;
use connection::Connection;
use counts::Counts;
use turns::Queue;

pub use show::{News, work_of};

/// A connection to take in.
pub struct NewConnection {
    /// Its id. One that is there already is replaced.
    pub id: ConnectionId,
    /// Addresses, tried in turn.
    pub urls: Vec<String>,
    /// How to speak with the server.
    pub setup: Box<dyn Open>,
    /// Whether a lost connection is dialed again.
    pub reconnects: bool,
    /// Whether its server numbers nothing, so that what it says is said once.
    pub is_said_once: bool,
    /// What the disk holds of it, for the model.
    pub stored: Stored,
    /// What the disk holds of it, for the session.
    pub saved: Saved,
    /// Random, for jitter.
    pub seed: u64,
}

/// How much may wait.
#[derive(Copy, Clone, Debug)]
pub struct Limits {
    /// Maximum number of bytes of one connection's changes that wait for the disk before its socket is held back.
    pub max_unsaved_bytes: usize,
    /// Maximum number of bytes of one connection's changes in one commit: those of other connections wait for it.
    pub max_commit_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { max_unsaved_bytes: 4 * 1024 * 1024, max_commit_bytes: 1024 * 1024 }
    }
}

/// What the engine is told.
pub enum Input {
    /// Take a connection in, or begin it anew. It is off until it is started.
    Add(Box<NewConnection>),
    /// A connection goes.
    Remove(ConnectionId),
    /// Speak differently from the next dial on.
    Configure {
        /// Over which connection.
        connection: ConnectionId,
        /// How to speak with the server.
        setup: Box<dyn Open>,
        /// Whether a lost connection is dialed again.
        reconnects: bool,
    },
    /// Dial other addresses from the next dial on.
    Addresses {
        /// Of which connection.
        connection: ConnectionId,
        /// The addresses, tried in turn.
        urls: Vec<String>,
    },
    /// For one connection: what a person wants of it, or what became of a dial.
    Tell(ConnectionId, courier::Input),
    /// What came over a connection's socket, in order. It is looked at slice by slice; see [`Input::Turn`].
    Received {
        /// Over which connection.
        connection: ConnectionId,
        /// What came.
        inputs: Vec<link::Input>,
    },
    /// The sockets had their turn: look at the next slice of what was received, where [`Engine::has_turn`].
    Turn,
    /// A connection's socket takes nothing any more: [`Effect::Send`] or [`Effect::Ping`] could not be carried out.
    Choked(ConnectionId),
    /// What became of a part of [`Effect::Commit`]. One that was held may be saved later.
    Committed {
        /// The part's number.
        part: u64,
        /// What became of it.
        outcome: Outcome,
    },
    /// Some of a part that was held had to be let go: it will never be saved as a whole.
    LetGo(u64),
    /// The disk takes changes again, and misses entries of these that it had to let go of meanwhile: they are to be begun
    /// anew from what it has, so that their servers say it again.
    Behind(BTreeSet<ConnectionId>),
    /// Write this down, too. Nothing waits for it.
    Keep(ConnectionId, Change),
    /// Whether somebody looks at the frames of a connection; see [`Effect::Received`].
    Watch(ConnectionId, bool),
    /// Probe or dial at once, over every connection: the computer woke up, the window got the focus.
    NudgeAll,
    /// A room was counted as [`Effect::CountUnread`] asked for, or could not be.
    Counted(ConnectionId, Option<Event>),
    /// Show this once everything that happened together is known.
    Show(Update),
    /// The person looks somewhere else; none: not at the window.
    View(Option<Viewing>),
    /// The person wants to see what a notice looks like.
    TryNotice {
        /// Minutes since local midnight.
        minute: u16,
    },
    /// Everything that happened together is known: show it. Needed only where [`Engine::is_unsettled`].
    Settle {
        /// Minutes since local midnight.
        minute: u16,
    },
    /// The deadline has come.
    Tick,
    /// The program ends: hang up and write down what the person did. From now on only outcomes of commits count.
    Close,
}

/// What became of a part of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is on disk.
    Saved {
        /// Of changes whose entries had no offsets: which of the part's, and its first entry's offset.
        numbered: Vec<(usize, Offset)>,
    },
    /// The disk does not take it; the store holds it in memory and tries again.
    Held,
}

/// One connection's part of a commit.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Its number, for [`Input::Committed`].
    pub number: u64,
    /// Whose changes.
    pub connection: ConnectionId,
    /// The changes, in order: all in one transaction.
    pub changes: Vec<Change>,
}

/// What the driver is to do, in this order.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Dial this URL; answer with `Opened` or `Closed` of this number. It replaces the connection's earlier dials.
    Dial {
        /// For which connection.
        connection: ConnectionId,
        /// The dial's number.
        dial: u64,
        /// The URL.
        url: String,
    },
    /// Send this over the current dial's connection.
    Send(ConnectionId, Frame),
    /// Send a ping of the transport over the current dial's connection.
    Ping(ConnectionId),
    /// Close the current dial or connection.
    HangUp {
        /// Which connection's.
        connection: ConnectionId,
        /// The close code.
        code: u16,
    },
    /// Write these down, one transaction for each part, and say what became of each. No other commit follows before that.
    Commit(Vec<Part>),
    /// This happened on a connection. Answer with [`Input::Show`] where it is to be seen.
    Event(ConnectionId, Event),
    /// Apply these to the model, in order, and tell whoever draws it.
    Show {
        /// The updates.
        updates: Vec<Update>,
        /// Whether a person waits for them.
        news: News,
    },
    /// Tell the person this, or take it back.
    Notice(Act),
    /// Count a room's unread messages on disk; answer with [`Input::Counted`].
    CountUnread {
        /// Of which connection.
        connection: ConnectionId,
        /// In which room.
        room: RoomId,
    },
    /// This frame is looked at now. Only of connections whose frames somebody looks at.
    Received(ConnectionId, Frame),
    /// All that was received over this connection has been looked at: read on.
    ReadOn(ConnectionId),
    /// Read from the disk what it has of this connection, and answer with [`Input::Add`] before anything else.
    Reload(ConnectionId),
}

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
    notifier: Notifier,
    effects: VecDeque<Effect>,
}

impl Engine {
    /// An engine without connections. `model`: what the driver applies [`Effect::Show`] to.
    pub fn new(model: SharedModel, limits: Limits) -> Engine {
        Engine { model, limits, ..Engine::default() }
    }

    /// How a connection is; none where there is no such connection.
    pub fn state(&self, connection: ConnectionId) -> Option<&LinkState> {
        self.connections.get(&connection).map(|known| known.courier.link().state())
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
        self.links_deadline().into_iter().chain(self.notifier.deadline()).min()
    }

    /// The same, for links alone: none while none is up or on its way.
    pub fn links_deadline(&self) -> Option<BootMs> {
        self.connections.values().filter_map(|known| known.courier.deadline()).min()
    }

    /// The next effect; `None` when there is nothing more to do.
    pub fn poll(&mut self) -> Option<Effect> {
        if self.effects.is_empty() {
            let parts = self.commits.begin(self.limits.max_commit_bytes);
            self.effects.extend(parts.map(Effect::Commit));
            let reload = self.next_reload();
            self.effects.extend(reload.map(Effect::Reload));
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
                    known.courier.link_mut().set_setup(setup);
                    known.courier.link_mut().set_reconnects(reconnects);
                }
            }
            Input::Addresses { connection, urls } => {
                if let Some(known) = self.connections.get_mut(&connection) {
                    known.courier.link_mut().set_urls(urls);
                }
            }
            Input::Tell(connection, courier::Input::Link(link::Input::Start))
                if self.behind.contains(&connection) =>
            {
                self.restarts.insert(connection);
            }
            Input::Tell(connection, input) => {
                if matches!(input, courier::Input::Link(link::Input::Stop)) {
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
                    self.tell(now, connection, courier::Input::Link(link::Input::Nudge));
                }
            }
            Input::Counted(connection, counted) => self.counted(connection, counted),
            Input::Show(update) => self.updates.push(update),
            Input::View(viewing) => self.view(viewing),
            Input::TryNotice { minute } => self.try_notice(now, minute),
            Input::Settle { minute } => self.settle(now, minute),
            Input::Tick => self.tick(now),
            Input::Close => self.close(now),
        }
    }

    /// Gives a courier an input and gathers what it wants done.
    fn tell(&mut self, now: Time, connection: ConnectionId, input: courier::Input) {
        let Some(known) = self.connections.get_mut(&connection) else { return };
        known.courier.handle(now, input);
        self.take_outputs(connection);
    }

    fn take_outputs(&mut self, connection: ConnectionId) {
        while let Some(output) = self.connections.get_mut(&connection).and_then(|c| c.courier.poll()) {
            let effect = match output {
                courier::Output::Dial { dial, url } => Effect::Dial { connection, dial, url },
                courier::Output::Send(frame) => Effect::Send(connection, frame),
                courier::Output::Ping => Effect::Ping(connection),
                courier::Output::Hangup { code } => Effect::HangUp { connection, code },
                courier::Output::Apply(event) => {
                    self.count_after(connection, &event);
                    Effect::Event(connection, event)
                }
                courier::Output::Write { ticket, change } => {
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
        if known.courier.link().state().is_online() {
            let dial = known.courier.link().current_dial();
            let closed = link::Input::Closed { dial, why: Why::Silent };
            self.tell(now, connection, courier::Input::Link(closed));
        }
    }

    fn tick(&mut self, now: Time) {
        let is_due =
            |known: &Connection| known.courier.deadline().is_some_and(|deadline| deadline <= now.boot_ms);
        let due = self.connections.iter().filter(|(_, known)| is_due(known));
        for connection in due.map(|(id, _)| *id).collect::<Vec<_>>() {
            // What would answer may be among what is not looked at yet.
            let is_behind = self.queues.iter().any(|queue| queue.connection() == connection);
            self.hold_back(now, connection, is_behind);
            self.tell(now, connection, courier::Input::Link(link::Input::Tick));
        }
    }

    /// What servers said and is not on its way to the disk yet they will say again, except those that number nothing.
    fn close(&mut self, now: Time) {
        let said_once: BTreeSet<ConnectionId> =
            self.connections.iter().filter(|(_, known)| known.is_said_once).map(|(id, _)| *id).collect();
        for queue in std::mem::take(&mut self.queues) {
            let connection = queue.connection();
            if said_once.contains(&connection) {
                queue.into_inputs().for_each(|input| self.tell(now, connection, courier::Input::Link(input)));
            }
        }
        for connection in said_once {
            self.tell(now, connection, courier::Input::Link(link::Input::Stop));
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
