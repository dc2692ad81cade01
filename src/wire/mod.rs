//! Protocols, one folder each: a codec (bytes to values) and a [`Session`] (handshake, acknowledgements, heartbeats).
//! Sans-IO: no socket, no clock, no thread, no randomness of their own.

mod describe;
pub mod duplex;
pub mod plain;
mod saved;

use std::sync::Arc;

use crate::frame::Frame;
use crate::model::link_state::Why;

use crate::model::profile::Protocol;
use crate::model::rights::ManageRequest;
use crate::model::time::WallMs;
use crate::model::{
    CommandState, DeviceId, Event, MessageId, MetricName, Offset, OutboxItem, Readings, RoomId, Spec, Time,
    Value,
};

pub use describe::{Describe, Described};
pub use saved::{Saved, SavedState};

/// How to speak with a server: one variant for each protocol, with what it needs to begin a conversation.
#[derive(Clone, Debug)]
pub enum Setup {
    /// The Duplex protocol.
    Duplex(duplex::client::Config),
    /// Plain WebSocket: every message as it comes.
    Plain(plain::Config),
}

/// Opens sessions with one server.
pub trait Open: Send {
    /// Begins a conversation. `entropy`: fresh random bytes.
    fn open(&self, saved: Saved, entropy: [u8; 32]) -> Box<dyn Session>;

    /// How a connection for such sessions is to be dialed.
    fn dialing(&self) -> Dialing;

    /// Whether the server confirms each message that it has taken. Where it does not, a message whose fate is unknown is
    /// not sent again by itself.
    fn confirms(&self) -> bool;
}

/// What a protocol asks of its transport.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialing {
    /// Subprotocols to offer, in this order. Where there are any, the server must choose one.
    pub subprotocols: Vec<String>,
    /// Largest frame that is taken, in bytes of payload.
    pub max_frame: usize,
    /// Whether the session wants to be told what has gone out.
    pub report_flushed: bool,
}

impl Open for Setup {
    fn open(&self, saved: Saved, entropy: [u8; 32]) -> Box<dyn Session> {
        match self {
            Setup::Duplex(config) => {
                Box::new(duplex::client::ClientSession::new(config.clone(), saved, entropy))
            }
            Setup::Plain(_) => Box::new(plain::PlainSession::new(entropy)),
        }
    }

    fn dialing(&self) -> Dialing {
        match self {
            Setup::Duplex(_) => Dialing {
                subprotocols: Vec::new(),
                max_frame: duplex::message::MAX_FRAME_BYTES,
                report_flushed: false,
            },
            Setup::Plain(config) => Dialing {
                subprotocols: config.subprotocols.clone(),
                max_frame: plain::MAX_FRAME_BYTES,
                report_flushed: true,
            },
        }
    }

    fn confirms(&self) -> bool {
        match self {
            Setup::Duplex(_) => true,
            Setup::Plain(_) => false,
        }
    }
}

/// One end of one connection's conversation. Mutate once with [`Session::handle`], then drain [`Session::poll`].
pub trait Session: Send {
    /// Takes one input in. An `Err` ends the connection; whatever was polled before it still counts.
    fn handle(&mut self, now: Time, input: Input) -> Result<(), WireError>;

    /// The next output; `None` when there is nothing more to do.
    fn poll(&mut self) -> Option<Output>;

    /// The boot time in milliseconds at which it wants an [`Input::Tick`].
    fn deadline(&self) -> Option<u64>;

    /// What the next session with this server is to begin with. Asked after this one's end, too: what was received over it
    /// may be committed later.
    fn saved(&self) -> Saved;

    /// When nothing came from the server for so long, in milliseconds, it is asked for a sign of life by
    /// [`Request::Probe`]. `None`: the session watches the server itself.
    fn quiet_ms(&self) -> Option<u64>;

    /// The close code that tells the other end that it broke the protocol.
    fn violation_code(&self) -> u16 {
        1002
    }

    /// Whether there is no use in trying again after this.
    fn is_final(&self, why: &Why) -> bool {
        !why.is_retryable()
    }

    /// Why it did not come online, where it knows more than that nothing came in time.
    fn why_overdue(&self) -> Option<Why> {
        None
    }
}

/// What a session is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The transport is open.
    Opened(Agreed),
    /// A frame came.
    Frame(Frame),
    /// An answer to [`Output::Ping`] came.
    Pong,
    /// These messages were given to the operating system, or at least as much of them as anybody can know.
    Flushed(Vec<MessageId>),
    /// Something to ask of the other end. Only while online.
    Request(Request),
    /// Everything up to this mark is on disk here: this one and all before it.
    Committed(Mark),
    /// The connection ended, for this reason. Only events may follow.
    Closed(Why),
    /// The deadline has come.
    Tick,
}

/// What the rest of the app asks of a session.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// In chat.
    Chat(ChatRequest),
    /// Of devices.
    Device(DeviceRequest),

    /// List people, devices and invites, or change them.
    Manage {
        /// Comes back in the answer.
        id: u64,
        /// What.
        what: ManageRequest,
    },
    /// Ask for a sign of life. Whatever comes next from the server is one.
    Probe,
}

/// What is asked in chat.
#[derive(Clone, Debug, PartialEq)]
pub enum ChatRequest {
    /// Deliver a message, or make a room.
    Send(OutboxItem),
    /// Say that the person is typing.
    Typing(RoomId),
    /// This person says this of themselves.
    Status(String),
    /// Say what the person has read.
    Read {
        /// Where.
        room: RoomId,
        /// The last read offset.
        offset: Offset,
    },
    /// Fetch a page of a room's history.
    History {
        /// Of which room.
        room: RoomId,
        /// Only entries before this offset.
        before: Offset,
        /// At most so many.
        limit: u32,
    },
}

/// What is asked of devices, or said for a device of ours.
#[derive(Clone, Debug, PartialEq)]
pub enum DeviceRequest {
    /// Say that a device of ours is there.
    Announce(Spec),
    /// Say that a device of ours comes or goes.
    State {
        /// Which.
        device: DeviceId,
        /// Whether it is there.
        online: bool,
        /// Why it goes.
        reason: String,
    },
    /// Publish readings of devices of ours.
    Publish(Arc<Readings>),
    /// Set a property of a device.
    Command {
        /// The command's id: new and random.
        id: MessageId,
        /// Which device.
        device: DeviceId,
        /// The incarnation that the person saw; none: whichever is there.
        incarnation: Option<u64>,
        /// Which property.
        property: MetricName,
        /// To what.
        value: Value,
    },
    /// Answer a command that a device of ours was given.
    CommandResult {
        /// The command's id.
        id: MessageId,
        /// `Done` or `Failed`.
        state: CommandState,
    },
    /// Fetch a part of a metric's stored past.
    Series {
        /// Of which device.
        device: DeviceId,
        /// Of which metric.
        metric: MetricName,
        /// From here, by the hub's clock.
        from: WallMs,
        /// To here, exclusive.
        to: WallMs,
    },
    /// Fetch a device's log.
    Log(DeviceId),
}

/// What the transport agreed with the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agreed {
    /// The server, as it was dialed: host and port.
    pub server: String,
    /// The subprotocol.
    pub subprotocol: Option<String>,
    /// The extensions, as the server's header has them; empty if there are none.
    pub extensions: String,
}

/// What a session wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Send this. With an id: it is the last frame of that message, and [`Input::Flushed`] is to say when it has gone out.
    Send(Frame, Option<MessageId>),
    /// Send a ping of the transport itself; [`Input::Pong`] answers.
    Ping,
    /// This happened. With a mark: commit it, then say [`Input::Committed`].
    Event(Event, Option<Mark>),
    /// Keep this instead of what was kept before, in the same transaction as the events before it. Frames after it are
    /// sent once it is on disk. The next session is opened with it, in a later run of the program, too.
    Persist(Vec<u8>),
    /// The handshake is complete.
    Online,
    /// A round trip was measured, in milliseconds.
    RoundTrip(u64),
    /// The other end sent something that cannot be used. One costs nothing; very many end the connection.
    Unusable,
    /// Close the transport, and this is why the connection ends.
    Close {
        /// The close code to send.
        code: u16,
        /// Why.
        why: Why,
    },
}

/// A place in a session's stream of events, numbered by the session. Opaque to everybody else: the session knows what to
/// say to the server once everything up to there is on disk.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark(pub u64);

/// The session cannot go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The other end broke the protocol.
    #[error("the other end broke the protocol: {detail}")]
    Violation {
        /// How.
        detail: String,
    },
}

/// Describes the frames of a protocol.
pub fn describer(protocol: Protocol) -> Box<dyn Describe> {
    match protocol {
        Protocol::Duplex => Box::<duplex::describe::Describer>::default(),
        Protocol::WebSocket => Box::new(plain::Describer),
    }
}
