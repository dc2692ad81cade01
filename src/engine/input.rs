//! The engine's inputs.

use std::collections::BTreeSet;

use super::devices::NewCommand;
use super::figures::Traffic;
use crate::link;
use crate::link::durable::{self, Change};
use crate::model::event::{Stored, Update};
use crate::model::intent::ChatIntent;
use crate::model::link_state::LinkState;
use crate::model::notices::Viewing;
use crate::model::{
    ConnectionId, DeviceId, Event, LogLine, MessageId, MetricName, Offset, SeriesPage, TopicRequest,
};
use crate::wire::{Open, Saved};

/// A connection to add.
pub struct NewConnection {
    /// Its id. An existing connection with this id is replaced.
    pub id: ConnectionId,
    /// Addresses, tried in turn.
    pub urls: Vec<String>,
    /// How to communicate with the server.
    pub setup: Box<dyn Open>,
    /// Whether a lost connection is dialed again.
    pub reconnects: bool,
    /// Whether its server numbers nothing, and so sends everything only once.
    pub is_said_once: bool,
    /// Its stored state, for the model.
    pub stored: Stored,
    /// Its stored state, for the session.
    pub saved: Saved,
    /// Random seed for jitter.
    pub seed: u64,
}

/// Limits of what may be queued.
#[derive(Copy, Clone, Debug)]
pub struct Limits {
    /// Maximum size of a connection's unsaved changes before its socket is no longer read, in bytes.
    pub max_unsaved_bytes: usize,
    /// Maximum size of a connection's changes per commit, in bytes; commits of other connections wait for it.
    pub max_commit_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { max_unsaved_bytes: 4 * 1024 * 1024, max_commit_bytes: 1024 * 1024 }
    }
}

/// An input of the engine.
pub enum Input {
    /// Adds or reloads a connection. It is off until it is started.
    Add(Box<NewConnection>),
    /// Removes a connection.
    Remove(ConnectionId),
    /// Changes the setup from the next dial on.
    Configure {
        /// The connection.
        connection: ConnectionId,
        /// How to communicate with the server.
        setup: Box<dyn Open>,
        /// Whether a lost connection is dialed again.
        reconnects: bool,
    },
    /// Changes the addresses from the next dial on.
    Addresses {
        /// The connection.
        connection: ConnectionId,
        /// The addresses, tried in turn.
        urls: Vec<String>,
    },
    /// For one connection: an intent, or the result of a dial.
    Tell(ConnectionId, durable::Input),
    /// Data received over a connection's socket, in order. It is handled in slices; see [`Input::Turn`].
    Received {
        /// The connection.
        connection: ConnectionId,
        /// The data.
        inputs: Vec<link::Input>,
    },
    /// Handle the next slice of received data, if [`super::Engine::has_turn`].
    Turn,
    /// A connection's socket no longer accepts data: [`super::Effect::Send`], [`super::Effect::Ping`] or [`super::Effect::Compress`] failed.
    Choked(ConnectionId),
    /// The outcome of a part of [`super::Effect::Commit`]. A part that is held may be saved later.
    Committed {
        /// The part's number.
        part: u64,
        /// The outcome.
        outcome: Outcome,
    },
    /// Some of a held part had to be let go: it will never be saved as a whole.
    LetGo(u64),
    /// The disk accepts changes again, but entries of these connections were let go: reload them, so that their servers
    /// send the entries again.
    Behind(BTreeSet<ConnectionId>),
    /// Write this change. Nothing waits for it.
    Keep(ConnectionId, Change),
    /// Whether a connection's log is open; see [`super::Effect::Received`].
    Watch(ConnectionId, bool),
    /// Probe or dial all connections at once: the computer woke up, or the window got the focus.
    NudgeAll,
    /// The result of [`super::Effect::CountUnread`]; `None` if counting failed.
    Counted(ConnectionId, Option<Event>),
    /// A chat intent. The id is new and random; `None` if the system provides no randomness.
    Chat(ChatIntent, Option<MessageId>),
    /// The person sets a property of a device.
    Command(NewCommand),
    /// The person asks something of a broker's topics.
    Topic(ConnectionId, TopicRequest),
    /// A part of a metric's stored readings.
    SeriesRead {
        /// The connection.
        connection: ConnectionId,
        /// The device.
        device: DeviceId,
        /// The metric.
        metric: MetricName,
        /// The readings.
        page: SeriesPage,
    },
    /// A device's stored log: at most [`super::MAX_LOG_LINES`].
    LogRead {
        /// The connection.
        connection: ConnectionId,
        /// The device.
        device: DeviceId,
        /// The lines.
        lines: Vec<LogLine>,
    },
    /// The answer to [`super::Effect::Measure`].
    Measured(ConnectionId, LinkState, Traffic),
    /// Show this with the other updates of this turn.
    Show(Update),
    /// The person looks at another place; `None`: the window is not in view.
    View(Option<Viewing>),
    /// The person wants to see a test notification.
    TryNotice {
        /// Minutes since local midnight.
        minute: u16,
    },
    /// All updates of this turn are known: show them. Needed only if [`super::Engine::is_unsettled`].
    Settle {
        /// Minutes since local midnight.
        minute: u16,
    },
    /// The deadline has passed.
    Tick,
    /// The program ends: hang up and write the person's changes. From now on only outcomes of commits matter.
    Close,
}

/// The outcome of a part of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is on disk.
    Saved {
        /// Of changes whose entries had no offsets: the change's index in the part, and its first entry's offset.
        numbered: Vec<(usize, Offset)>,
    },
    /// The disk rejected it; the store holds it in memory and tries again.
    Held,
}
