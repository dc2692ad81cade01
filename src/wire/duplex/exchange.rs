//! What a hub's session and the hub say to each other: [`Input`] in, [`Output`] out, and questions ([`Ask`]) with their
//! answers ([`Answer`]).

use std::sync::Arc;

use super::batch::Batch;
use super::message::Redeem;
use crate::frame::Frame;
use crate::model::time::WallMs;
use crate::model::{
    Entry, EntryKind, Epoch, MessageId, Offset, Principal, Refusal, ResumePoint, RoomName, Sender,
};

/// What the session is told.
#[derive(Clone, Debug)]
pub enum Input {
    /// The socket is open; the handshake's header may have named a principal.
    Opened(Option<Principal>),
    /// A frame came.
    Frame(Frame),
    /// The transport heard a sign of life that is no frame (a WebSocket pong).
    Alive,
    /// Everything polled so far was taken by the socket.
    Drained,
    /// An answer to an [`Ask`].
    Answer(Answer),
    /// New entries are in the log.
    Committed(Arc<Batch>),
    /// The log's newest offset, where batches were missed.
    Head(Offset),
    /// Somebody came or went.
    Presence(Principal, bool),
    /// Somebody is typing.
    Typing {
        /// Where.
        room: RoomName,
        /// Who.
        who: Sender,
    },
    /// This principal read something in another app.
    Read {
        /// Where.
        room: RoomName,
        /// The last read offset.
        offset: Offset,
    },
    /// The hub is shutting down.
    GoingAway,
    /// The deadline has come.
    Tick,
}

/// What the session asks of the hub. Appends are answered in the order in which they were asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// Whose token is this?
    Authenticate {
        /// The token.
        token: String,
    },
    /// Redeem an invite.
    Redeem(Redeem),
    /// The client is welcome: count it in, tell where to begin.
    Begin {
        /// Who it is.
        principal: Principal,
        /// What it holds.
        resume: Option<ResumePoint>,
    },
    /// Write an entry down.
    Append {
        /// By whom.
        sender: Sender,
        /// Its id.
        id: MessageId,
        /// A message or a room.
        kind: EntryKind,
        /// Where.
        room: RoomName,
        /// What.
        body: String,
        /// When, by the sender's clock.
        at: i64,
    },
    /// Entries from this offset on.
    Read {
        /// The first.
        from: Offset,
        /// At most so many.
        limit: u32,
    },
    /// A page of a room's history.
    History {
        /// Of which room.
        room: RoomName,
        /// Only entries before this offset.
        before: Offset,
        /// At most so many.
        limit: u32,
    },
    /// Keep a read marker, and tell this principal's other apps.
    SetRead {
        /// Where.
        room: RoomName,
        /// The last read offset.
        offset: Offset,
    },
    /// Tell the others.
    Typing {
        /// Where.
        room: RoomName,
    },
}

/// The hub's answers.
#[derive(Clone, Debug)]
pub enum Answer {
    /// To `Authenticate`: who it is, if anybody.
    Authenticated(Option<Principal>),
    /// To `Redeem`: who it is from now on, if the invite was good.
    Redeemed(Option<Principal>),
    /// To `Begin`.
    Begun(Begun),
    /// To `Append`.
    Appended {
        /// The entry's id.
        id: MessageId,
        /// What became of it.
        outcome: AppendOutcome,
    },
    /// To `Read`: consecutive entries beginning with the offset asked for; empty if the log does not hold it.
    Entries(Vec<Entry>),
    /// To `History`.
    History {
        /// As asked.
        room: RoomName,
        /// As asked.
        before: Offset,
        /// Oldest first.
        entries: Vec<Entry>,
        /// Whether no older ones are held.
        complete: bool,
    },
    /// To anything: the log cannot be read or written at the moment.
    Unavailable,
}

/// What became of an append.
#[derive(Clone, Debug, PartialEq)]
pub enum AppendOutcome {
    /// It is on disk, now or since an earlier try.
    Stored {
        /// Its place.
        offset: Offset,
        /// When it was written.
        received: i64,
    },
    /// Nothing was stored.
    Refused(Refusal),
}

/// Where a client begins, and what it should know.
#[derive(Clone, Debug)]
pub struct Begun {
    /// The hub's name.
    pub hub: String,
    /// Which log.
    pub epoch: Epoch,
    /// The oldest offset held.
    pub oldest: Offset,
    /// The newest offset.
    pub head: Offset,
    /// The id and the time of the entry at the offset of the client's resume point, if the log holds it.
    pub at_resume: Option<(MessageId, WallMs)>,
    /// All rooms.
    pub rooms: Vec<RoomName>,
    /// Everyone who may chat.
    pub people: Vec<(Principal, bool)>,
    /// What the principal has read.
    pub read: Vec<(RoomName, Offset)>,
}

/// What the session wants done, in this order.
#[derive(Clone, Debug)]
pub enum Output {
    /// Send this.
    Send(Frame),
    /// Send this batch's frame.
    SendBatch(Arc<Batch>),
    /// Send the transport's own ping.
    Ping,
    /// Ask the hub.
    Ask(Ask),
    /// Close the socket with this code and reason.
    Close(u16, String),
}
