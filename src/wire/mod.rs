//! Protocols, one folder each: a codec (bytes to values) and a [`Session`] (handshake, acknowledgements, heartbeats).
//! Sans-IO: no socket, no clock, no thread, no randomness of their own.

pub mod duplex;

use crate::frame::Frame;
use crate::model::link_state::Why;
use std::sync::Arc;

use crate::model::rights::Manage;
use crate::model::time::WallMs;
use crate::model::{
    CommandState, DeviceId, Event, MessageId, MetricName, Offset, OutboxItem, Readings, ResumePoint,
    RoomName, Spec, Time, Value,
};

/// One end of one connection's conversation. Mutate once with [`Session::handle`], then drain [`Session::poll`].
pub trait Session: Send {
    /// Takes one input in. An `Err` ends the connection; whatever was polled before it still counts.
    fn handle(&mut self, now: Time, input: Input) -> Result<(), WireError>;

    /// The next output; `None` when there is nothing more to do.
    fn poll(&mut self) -> Option<Output>;

    /// The boot time in milliseconds at which it wants an [`Input::Tick`].
    fn deadline(&self) -> Option<u64>;

    /// Why it did not come online, where it knows more than that nothing came in time.
    fn why_overdue(&self) -> Option<Why> {
        None
    }
}

/// What a session is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The transport is open.
    Opened,
    /// A frame came.
    Frame(Frame),
    /// Something to ask of the other end. Only while online.
    Request(Request),
    /// Everything up to this mark is on disk here.
    Committed(Mark),
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
        what: Manage,
    },
    /// Ask for a sign of life.
    Ping,
}

/// What is asked in chat.
#[derive(Clone, Debug, PartialEq)]
pub enum ChatRequest {
    /// Deliver a message.
    Send(OutboxItem),
    /// Say that the person is typing.
    Typing(RoomName),
    /// Say what the person has read.
    Read {
        /// Where.
        room: RoomName,
        /// The last read offset.
        offset: Offset,
    },
    /// Fetch a page of a room's history.
    History {
        /// Of which room.
        room: RoomName,
        /// Only entries before this offset.
        before: Offset,
        /// At most so many.
        limit: u32,
    },
    /// Make a room.
    CreateRoom {
        /// The id of the room's first entry.
        id: MessageId,
        /// Its name.
        room: RoomName,
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

/// What a session wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Send this.
    Send(Frame),
    /// This happened. With a mark: commit it, then say [`Input::Committed`].
    Event(Event, Option<Mark>),
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

/// How far a stream of events has come; commits are acknowledged with it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// What a client holds once the event is committed.
    pub resume: ResumePoint,
}

/// What of a session outlives the process. The store keeps it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SavedState {
    /// The last committed entry of the current era; none while the era has no entry.
    pub resume: Option<ResumePoint>,
    /// Without a resume point: begin after this offset; none means recently. An era without entries has the one before
    /// its first.
    pub since: Option<Offset>,
}

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
