//! The engine's effects: what the driver is to do.

use std::sync::Arc;

use super::show::RepaintReason;
use crate::frame::Frame;
use crate::link::durable::Change;
use crate::model::event::{Side, Update};
use crate::model::intent::Jump;
use crate::model::link_state::LinkState;
use crate::model::notices::NoticeAction;
use crate::model::time::WallMs;
use crate::model::{
    ConnectionId, DeviceId, DeviceState, Event, LogLine, MessageId, Position, Readings, RoomId,
};

/// One connection's part of a commit.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Its number, for [`super::Input::Committed`].
    pub number: u64,
    /// The connection.
    pub connection: ConnectionId,
    /// The changes, in order: all in one transaction.
    pub changes: Vec<Change>,
}

/// What to store about devices.
#[derive(Clone, Debug, PartialEq)]
pub enum DeviceWrite {
    /// Readings as received. The store counts what it rejects.
    Readings(Arc<Readings>),
    /// A device's description from its server.
    State(Box<DeviceState>),
    /// A line of a device's log.
    Log(DeviceId, Box<LogLine>),
    /// Nothing is received from this time on (hub's clock).
    LinkLost(WallMs),
}

/// An effect. Carry them out in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Dial this URL and answer with `Opened` or `Closed` of this number. Replaces earlier dials of the connection.
    Dial {
        /// The connection.
        connection: ConnectionId,
        /// The dial's number.
        dial: u64,
        /// The URL.
        url: String,
    },
    /// Send this over the current dial's connection.
    Send(ConnectionId, Frame),
    /// Send a WebSocket ping over the current dial's connection.
    Ping(ConnectionId),
    /// The server reads compressed frames over the current dial's connection.
    Compress(ConnectionId),
    /// Close the current dial or connection.
    HangUp {
        /// The connection.
        connection: ConnectionId,
        /// The close code.
        code: u16,
    },
    /// Write these, one transaction per part, and report each outcome. No other commit follows before that.
    Commit(Vec<Part>),
    /// An event of a connection. Answer with [`super::Input::Show`] if it is to be shown.
    Event(ConnectionId, Event),
    /// Read a page of a room next to a position and show it by [`super::Input::Show`].
    ReadPage {
        /// The connection.
        connection: ConnectionId,
        /// The room.
        room: RoomId,
        /// The end of the window.
        from: Position,
        /// Older or newer than that.
        side: Side,
        /// Maximum number of messages.
        limit: u32,
    },
    /// Read the messages around a position and show them instead of the window's present ones.
    ReadAround {
        /// The connection.
        connection: ConnectionId,
        /// The room.
        room: RoomId,
        /// The position.
        jump: Jump,
        /// Maximum number of messages.
        limit: u32,
    },
    /// Read a page of a thread and show it by [`super::Input::Show`].
    ReadThread {
        /// The connection.
        connection: ConnectionId,
        /// The room.
        room: RoomId,
        /// The thread's first message.
        root: MessageId,
        /// The oldest message in memory; `None` for the thread's end.
        before: Option<Position>,
        /// Maximum number of messages.
        limit: u32,
    },
    /// Read what a message replies to and show it by [`super::Input::Show`].
    ReadQuote {
        /// The connection.
        connection: ConnectionId,
        /// The room.
        room: RoomId,
        /// Where the message is that replies.
        position: Position,
    },
    /// Store this about a connection's devices, in order. Nothing waits for it.
    KeepOfDevices(ConnectionId, DeviceWrite),
    /// Report the traffic of this connection's sockets: answer with [`super::Input::Measured`] and this state.
    Measure(ConnectionId, LinkState),
    /// Check whether the disk accepts readings.
    CheckReadings,
    /// Apply these to the model in order, and request a repaint.
    Show {
        /// The updates.
        updates: Vec<Update>,
        /// Whether a person is waiting for them.
        news: RepaintReason,
    },
    /// Show or withdraw a notification.
    Notice(NoticeAction),
    /// Count a room's unread messages on disk; answer with [`super::Input::Counted`].
    CountUnread {
        /// The connection.
        connection: ConnectionId,
        /// The room.
        room: RoomId,
    },
    /// This frame is being handled now. Only for connections whose log is open.
    Received(ConnectionId, Frame),
    /// All data received over this connection has been handled: continue reading.
    ReadOn(ConnectionId),
    /// Load this connection from the disk and answer with [`super::Input::Add`] before anything else.
    Reload(ConnectionId),
}
