//! What the engine wants done.

use std::sync::Arc;

use super::show::RepaintReason;
use crate::frame::Frame;
use crate::link::durable::Change;
use crate::model::event::{Side, Update};
use crate::model::intent::Jump;
use crate::model::link_state::LinkState;
use crate::model::notices::NoticeAction;
use crate::model::time::WallMs;
use crate::model::{ConnectionId, DeviceId, DeviceState, Event, LogLine, Position, Readings, RoomId};

/// One connection's part of a commit.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Its number, for [`super::Input::Committed`].
    pub number: u64,
    /// Whose changes.
    pub connection: ConnectionId,
    /// The changes, in order: all in one transaction.
    pub changes: Vec<Change>,
}

/// What the disk is to keep of devices.
#[derive(Clone, Debug, PartialEq)]
pub enum DeviceWrite {
    /// Readings, as they came. What is not taken is counted by the store.
    Readings(Arc<Readings>),
    /// A device as its server describes it.
    State(Box<DeviceState>),
    /// A line of a device's log.
    Log(DeviceId, Box<LogLine>),
    /// From this time on, by the hub's clock, nothing is heard.
    LinkLost(WallMs),
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
    /// This happened on a connection. Answer with [`super::Input::Show`] where it is to be seen.
    Event(ConnectionId, Event),
    /// Read a page of a room next to a position, and have it shown by [`super::Input::Show`].
    ReadPage {
        /// Of which connection.
        connection: ConnectionId,
        /// Of which room.
        room: RoomId,
        /// Where the window ends.
        from: Position,
        /// On which side.
        side: Side,
        /// Maximum number of messages.
        limit: u32,
    },
    /// Read the messages around a place in a room, and have them shown instead of what its window has.
    ReadAround {
        /// Of which connection.
        connection: ConnectionId,
        /// Of which room.
        room: RoomId,
        /// Where.
        jump: Jump,
        /// Maximum number of messages.
        limit: u32,
    },
    /// Keep this of a connection's devices, in order. Nothing waits for it.
    KeepOfDevices(ConnectionId, DeviceWrite),
    /// Say how much went over this connection's sockets: answer with [`super::Input::Measured`] and this state.
    Measure(ConnectionId, LinkState),
    /// Look whether the disk keeps what devices say.
    CheckReadings,
    /// Apply these to the model, in order, and tell whoever draws it.
    Show {
        /// The updates.
        updates: Vec<Update>,
        /// Whether a person waits for them.
        news: RepaintReason,
    },
    /// Tell the person this, or take it back.
    Notice(NoticeAction),
    /// Count a room's unread messages on disk; answer with [`super::Input::Counted`].
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
    /// Read from the disk what it has of this connection, and answer with [`super::Input::Add`] before anything else.
    Reload(ConnectionId),
}
