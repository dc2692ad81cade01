//! What a hub's session and the hub say to each other: [`Input`] in, [`Output`] out, and questions ([`Ask`]) with their
//! answers ([`Answer`]).

use std::sync::Arc;

use super::batch::Batch;
use super::message::{PersonState, Redeem, Token};
use crate::frame::Frame;
use crate::model::rights::{ManageAnswer, ManageRequest};
use crate::model::time::WallMs;
use crate::model::{
    CommandState, DeviceId, Draft, Entry, Epoch, LogLine, MessageId, MetricName, NamedRoom, Offset,
    Principal, PrincipalId, Readings, Receipt, Refusal, ResumePoint, Role, RoomId, Sender, SeriesPage, Spec,
    Value,
};

/// Maximum number of rooms, of people and of read markers told in one message: with names of the largest size it stays
/// below 640 KiB.
pub const LIST_ITEMS: usize = 200;

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
    Answer(HubAnswer),
    /// New entries are in the log: those that the client may see, of the whole stretch.
    Committed(Arc<Batch>),
    /// The log's newest offset, where batches were missed.
    Head(Offset),
    /// Somebody came or went.
    Presence(PersonState),
    /// Somebody says something else of themselves; it may be this client's principal.
    Status(PersonState),
    /// Somebody was removed.
    Removed(Principal),
    /// Somebody is typing.
    Typing {
        /// Where.
        room: RoomId,
        /// Who.
        who: Sender,
    },
    /// This principal read something in another app.
    Read {
        /// Where.
        room: RoomId,
        /// The last read offset.
        offset: Offset,
    },
    /// This principal wants everything after this place to be unread, in another app.
    Unread {
        /// Where.
        room: RoomId,
        /// The last offset that counts as read.
        offset: Offset,
    },
    /// Somebody has seen more of a room that this client asked about.
    Seen {
        /// Where.
        room: RoomId,
        /// By whom, and what.
        receipt: Receipt,
    },
    /// Something about devices, for a client that watches; see [`Ask::Watch`]. The text is a whole message, encoded once
    /// for all.
    Devices(Arc<str>),
    /// Readings, as the text of one whole `readings` message. Only ever given after [`Input::Drained`].
    Readings(Arc<str>),
    /// A command for a device that this client publishes.
    CommandGiven(DeviceCommand),
    /// This client's principal has another name from now on.
    Renamed {
        /// The name.
        name: String,
        /// What they say of themselves.
        status: String,
    },
    /// This client's rights were taken away or have changed: it is closed.
    Dismissed {
        /// The close code.
        code: u16,
        /// For people.
        reason: &'static str,
        /// When to come back, in milliseconds; none where that would not help.
        retry_after_ms: Option<u64>,
    },
    /// The hub is shutting down.
    GoingAway,
    /// The deadline has come.
    Tick,
}

/// What the session asks of the hub. Appends are answered in the order in which they were asked.
#[derive(Clone, Debug, PartialEq)]
pub enum HubRequest {
    /// About who the client is.
    Access(HubAccessRequest),
    /// About the log, its rooms and its readers.
    Chat(HubChatRequest),
    /// About devices.
    Device(HubDeviceRequest),
    /// An admin asks for people, devices or invites, or changes them.
    Manage {
        /// The number of the request.
        id: u64,
        /// What.
        what: ManageRequest,
    },
}

/// About who the client is.
#[derive(Clone, Debug, PartialEq)]
pub enum HubAccessRequest {
    /// Whose token is this?
    Authenticate {
        /// The token.
        token: Token,
    },
    /// Redeem an invite.
    Redeem(Redeem),
    /// Whether an invite could be redeemed.
    CheckInvite {
        /// Its code.
        code: Token,
    },
}

/// About the log, its rooms and its readers.
#[derive(Clone, Debug, PartialEq)]
pub enum HubChatRequest {
    /// The client is welcome: count it in, tell where to begin.
    Begin {
        /// Who it is.
        principal: Principal,
        /// What it holds.
        resume: Option<ResumePoint>,
    },
    /// The lists of the welcome go on: what follows.
    Lists(ListsFrom),
    /// Write an entry down.
    Append {
        /// What.
        draft: Draft,
        /// By whom.
        sender: Sender,
        /// What they may do.
        role: Role,
        /// Why it is refused, unless it is on disk since an earlier try.
        refusal: Option<Refusal>,
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
        room: RoomId,
        /// Only entries before this offset.
        before: Offset,
        /// At most so many.
        limit: u32,
    },
    /// Keep a read marker, and tell this principal's other apps.
    SetRead {
        /// Where.
        room: RoomId,
        /// The last read offset.
        offset: Offset,
    },
    /// Move a read marker back, and tell this principal's other apps.
    SetUnread {
        /// Where.
        room: RoomId,
        /// The last offset that counts as read.
        offset: Offset,
    },
    /// Keep what this principal has seen, and tell those who look at the room.
    SetSeen {
        /// Where.
        room: RoomId,
        /// The first offset.
        first: Offset,
        /// The last offset.
        last: Offset,
    },
    /// What people have seen in a room; [`Input::Seen`] follows from now on.
    Receipts {
        /// Where.
        room: RoomId,
    },
    /// Keep what this principal says of itself, and tell everyone.
    SetStatus(String),
    /// Tell the others.
    Typing {
        /// Where.
        room: RoomId,
    },
}

/// About devices.
#[derive(Clone, Debug, PartialEq)]
pub enum HubDeviceRequest {
    /// Tell this client of all devices from now on: the list, then [`Input::Devices`] and [`Input::Readings`].
    Watch,
    /// A device of this client's is there.
    Announce(Spec),
    /// A device of this client's comes or goes.
    State {
        /// Which.
        device: DeviceId,
        /// Whether it is there.
        online: bool,
        /// Why it goes.
        reason: String,
    },
    /// Readings of devices of this client's; `received` is the hub's time.
    Publish(Readings),
    /// Set a property of a device.
    Command {
        /// The command's id.
        id: MessageId,
        /// Who asks.
        by: Sender,
        /// Which device.
        device: DeviceId,
        /// The incarnation that the person saw.
        incarnation: Option<u64>,
        /// Which property.
        property: MetricName,
        /// To what.
        value: Value,
    },
    /// A device answered a command.
    CommandResult {
        /// The command's id.
        id: MessageId,
        /// `Done` or `Failed`.
        state: CommandState,
    },
    /// A part of a metric's stored past.
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
    /// A device's log.
    Log(DeviceId),
}

/// A command on its way to the client that publishes the device.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceCommand {
    /// The command's id.
    pub id: MessageId,
    /// Which device.
    pub device: DeviceId,
    /// Which property.
    pub property: MetricName,
    /// To what.
    pub value: Value,
    /// Who asked.
    pub by: Sender,
    /// Not to be carried out later than so long from now, in milliseconds.
    pub expires_in_ms: u64,
}

/// The hub's answers.
#[derive(Clone, Debug)]
pub enum HubAnswer {
    /// To a [`HubAccessRequest`].
    Access(HubAccessAnswer),
    /// To a [`HubChatRequest`].
    Chat(HubChatAnswer),
    /// To a [`HubDeviceRequest`].
    Device(HubDeviceAnswer),
    /// To `Manage`.
    Managed {
        /// As asked.
        id: u64,
        /// What became of it.
        managed: ManageAnswer,
    },
    /// To `SetStatus`: it is not done.
    NotDone {
        /// A stable word.
        code: &'static str,
        /// For people.
        detail: String,
    },
    /// To anything: the log cannot be read or written at the moment.
    Unavailable,
}

/// To a [`HubAccessRequest`].
#[derive(Clone, Debug)]
pub enum HubAccessAnswer {
    /// To `Authenticate`: who it is, if anybody.
    Authenticated(Option<Principal>),
    /// To `Redeem`: who it is from now on, if the invite was good.
    Redeemed(Option<Principal>),
    /// To `CheckInvite`: the hub's name, and until when the invite is good; none where it is not.
    InviteChecked(Option<(String, WallMs)>),
}

/// To a [`HubChatRequest`].
#[derive(Clone, Debug)]
pub enum HubChatAnswer {
    /// To `Begin`.
    Begun(Begun),
    /// To `Lists`.
    Lists(Lists),
    /// To `Append`.
    Appended {
        /// The entry's id.
        id: MessageId,
        /// What became of it.
        outcome: AppendOutcome,
    },
    /// To `Read`: entries from the offset asked for on, in order.
    Entries {
        /// Those that the client may see.
        entries: Vec<Entry>,
        /// The last offset that was looked at; less than the one asked for if the log does not hold that.
        to: Offset,
    },
    /// To `History`.
    History {
        /// As asked.
        room: RoomId,
        /// As asked.
        before: Offset,
        /// Oldest first.
        entries: Vec<Entry>,
        /// Whether no older ones are held.
        complete: bool,
    },
    /// To `Receipts`.
    Receipts {
        /// As asked.
        room: RoomId,
        /// All that there are.
        by: Vec<Receipt>,
    },
}

/// To a [`HubDeviceRequest`].
#[derive(Clone, Debug)]
pub enum HubDeviceAnswer {
    /// To `Series`.
    Series {
        /// As asked.
        device: DeviceId,
        /// As asked.
        metric: MetricName,
        /// What is held.
        page: SeriesPage,
    },
    /// To `DeviceLog`, newest last.
    Log {
        /// As asked.
        device: DeviceId,
        /// What is held.
        lines: Vec<LogLine>,
    },
    /// To `Announce`, `DeviceState` or `Publish`: not taken.
    Refused {
        /// Of which device, as it was told.
        device: String,
        /// A stable word.
        code: &'static str,
        /// For people.
        detail: String,
    },
}

/// What became of an append.
#[derive(Clone, Debug, PartialEq)]
pub enum AppendOutcome {
    /// It is on disk, now or since an earlier try.
    Stored {
        /// Its place.
        offset: Offset,
        /// When it was written.
        received: WallMs,
    },
    /// It would change nothing. Nothing was stored.
    Redundant {
        /// The place of the message that it refers to.
        offset: Offset,
        /// When that was written.
        received: WallMs,
    },
    /// There is a room of this name already. Nothing was stored.
    RoomExists {
        /// Its id.
        room: RoomId,
        /// The place of the entry that made it.
        offset: Offset,
        /// When it was made.
        received: WallMs,
    },
    /// Nothing was stored. After a refusal of a message that will pass, nothing of the same client that was asked for
    /// behind it may be stored either, until that is refused, too.
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
    /// The newest offset that the client may be told of.
    pub visible_head: Offset,
    /// The id and the time of the entry at the offset of the client's resume point, if the log holds it.
    pub at_resume: Option<(MessageId, WallMs)>,
    /// The first of what a client is told of rooms, people and what its principal has read.
    pub lists: Lists,
}

/// A part of the lists that a client is told: at most [`LIST_ITEMS`] of each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lists {
    /// Rooms.
    pub rooms: Vec<NamedRoom>,
    /// People who may chat, and whether connected.
    pub people: Vec<PersonState>,
    /// What the principal has read.
    pub read: Vec<(RoomId, Offset)>,
    /// Where they go on; none: that was all.
    pub next: Option<ListsFrom>,
}

/// Where the lists go on, each after some place that the hub chose; none: there is no more of that one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListsFrom {
    /// The rooms.
    pub rooms: Option<u64>,
    /// The people.
    pub people: Option<PrincipalId>,
    /// The read markers.
    pub read: Option<u64>,
}

impl ListsFrom {
    /// Nothing where no list goes on.
    pub fn any(self) -> Option<Self> {
        (self != ListsFrom::default()).then_some(self)
    }
}

/// What the session wants done, in this order.
#[derive(Clone, Debug)]
pub enum Output {
    /// Send this.
    Send(Frame),
    /// Send this batch's frame.
    SendBatch(Arc<Batch>),
    /// Send this text, encoded once for many clients.
    SendShared(Arc<str>),
    /// The client reads compressed frames: those from now on may be compressed.
    Compress,
    /// Send the transport's own ping.
    Ping,
    /// Ask the hub.
    Ask(HubRequest),
    /// Close the socket with this code and reason.
    Close(u16, String),
}
