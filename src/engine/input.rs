//! What the engine is told.

use std::collections::BTreeSet;

use super::devices::NewCommand;
use super::figures::Traffic;
use crate::link;
use crate::link::durable::{self, Change};
use crate::model::event::{Stored, Update};
use crate::model::intent::ChatIntent;
use crate::model::link_state::LinkState;
use crate::model::notices::Viewing;
use crate::model::{ConnectionId, DeviceId, Event, LogLine, MessageId, MetricName, Offset, SeriesPage};
use crate::wire::{Open, Saved};

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
    Tell(ConnectionId, durable::Input),
    /// What came over a connection's socket, in order. It is looked at slice by slice; see [`Input::Turn`].
    Received {
        /// Over which connection.
        connection: ConnectionId,
        /// What came.
        inputs: Vec<link::Input>,
    },
    /// The sockets had their turn: look at the next slice of what was received, where [`super::Engine::has_turn`].
    Turn,
    /// A connection's socket takes nothing any more: [`super::Effect::Send`] or [`super::Effect::Ping`] could not be carried out.
    Choked(ConnectionId),
    /// What became of a part of [`super::Effect::Commit`]. One that was held may be saved later.
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
    /// Whether somebody looks at the frames of a connection; see [`super::Effect::Received`].
    Watch(ConnectionId, bool),
    /// Probe or dial at once, over every connection: the computer woke up, the window got the focus.
    NudgeAll,
    /// A room was counted as [`super::Effect::CountUnread`] asked for, or could not be.
    Counted(ConnectionId, Option<Event>),
    /// The person wants something in chat. The id is new and random; none where the system has no randomness to give.
    Chat(ChatIntent, Option<MessageId>),
    /// The person sets a property of a device.
    Command(NewCommand),
    /// A part of a metric's past, as the disk holds it.
    SeriesRead {
        /// Of which connection.
        connection: ConnectionId,
        /// Of which device.
        device: DeviceId,
        /// Of which metric.
        metric: MetricName,
        /// What was read.
        page: SeriesPage,
    },
    /// A device's log, as the disk holds it: at most [`super::MAX_LOG_LINES`].
    LogRead {
        /// Of which connection.
        connection: ConnectionId,
        /// Of which device.
        device: DeviceId,
        /// What was read.
        lines: Vec<LogLine>,
    },
    /// The answer to [`super::Effect::Measure`].
    Measured(ConnectionId, LinkState, Traffic),
    /// Show this once everything that happened together is known.
    Show(Update),
    /// The person looks somewhere else; none: not at the window.
    View(Option<Viewing>),
    /// The person wants to see what a notice looks like.
    TryNotice {
        /// Minutes since local midnight.
        minute: u16,
    },
    /// Everything that happened together is known: show it. Needed only where [`super::Engine::is_unsettled`].
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
