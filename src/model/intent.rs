//! [`Intent`]: what a person wants, from the window to the worker.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::archive::ArchiveWanted;
use super::banner::Banner;
use super::content::Content;
use super::device::{DeviceId, MetricName, Value};
use super::device_choices::{DeviceChange, DeviceChoice};
use super::event::Side;
use super::export::{Export, Picture};
use super::file::{FileHash, FileId, FileInfo};
use super::id::{ConnectionId, MessageId, PrincipalId, RoomId, RoomName};
use super::lan::LanChoice;
use super::lookup::Lookup;
use super::message::Position;
use super::mqtt::MergedDevices;
use super::notices::{Level, Viewing};
use super::panes::Panes;
use super::preferences::{Preferences, WindowPlace};
use super::profile::{FrameFormat, Login, Profile, Secret, Snippet};
use super::rights::ManageRequest;
use super::search::Search;
use super::time::WallMs;
use super::topic::TopicRequest;
use super::transfer::Moved;

/// Where to jump in a room.
#[derive(Copy, Clone, Debug, PartialEq)]
pub enum Jump {
    /// To the oldest message.
    Start,
    /// To the newest.
    End,
    /// To the message at this position, or the next one after it.
    To(Position),
}

/// How to come in at a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// Keep what is known.
    Keep,
    /// With this token.
    Token(Secret),
    /// With a single-use invite, as `name`.
    Invite {
        /// The invite's code.
        code: Secret,
        /// The name people will see.
        name: String,
    },
    /// With what a plain WebSocket's handshake carries. What it leaves out and the profile names is kept as it is.
    Login(Login),
}

/// What a person wants.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "there are few at a time, and none for long")]
pub enum Intent {
    /// Of a connection and its server.
    Link(LinkIntent),
    /// In chat.
    Chat(ChatIntent),
    /// Of devices.
    Device(DeviceIntent),
    /// Of a broker's topics, by which connection.
    Topic(ConnectionId, TopicRequest),
    /// Of files.
    File(FileIntent),
    /// Of a connection log.
    Log(LogIntent),
    /// Of the app as a whole.
    App(AppIntent),
}

/// What a person wants of a connection and its server.
#[derive(Clone, Debug, PartialEq)]
pub enum LinkIntent {
    /// List people, devices and invites, or change them.
    Manage {
        /// Of which connection.
        connection: ConnectionId,
        /// Chosen by the caller and returned in the answer.
        number: u64,
        /// What.
        what: ManageRequest,
    },
    /// Dial or probe at once.
    RetryNow(ConnectionId),
    /// Connect and stay so.
    Connect(ConnectionId),
    /// Disconnect and stay so.
    Disconnect(ConnectionId),
    /// Add a connection (`profile.id` 0) or change one.
    SaveConnection {
        /// The settings.
        profile: Profile,
        /// How to come in.
        credential: Credential,
    },
    /// Add connections that come from elsewhere. They are not dialled.
    AddConnections(Vec<Moved>),
    /// Come in at a connection with this token from now on, and connect.
    GiveToken {
        /// By which connection.
        connection: ConnectionId,
        /// The token.
        token: Secret,
    },
    /// Turn what is typed into frames like this from now on.
    SetFormat(ConnectionId, FrameFormat),
    /// Keep these messages to be sent with one click.
    SetSnippets(ConnectionId, Vec<Snippet>),
    /// What is different on a foreign server from now on. Reconnects.
    SetMapping {
        /// The server's connection.
        connection: ConnectionId,
        /// A `mapping::Mapping` as JSON.
        mapping: serde_json::Map<String, serde_json::Value>,
        /// On a plain WebSocket: whether messages and readings are recognized at all.
        recognize: bool,
    },
    /// Show these devices of an MQTT server as parts of others from now on. Reconnects.
    SetMerged(ConnectionId, MergedDevices),
    /// Look whether there is a keyring to keep tokens in.
    AskKeyring,
    /// Keep a connection's token in a file where there is no keyring: this one's, or that of the next one that is saved or
    /// given a token.
    KeepTokenInFile(Option<ConnectionId>),
    /// Take a connection's token out of the file again.
    DropTokenFile(ConnectionId),
    /// Show a connection's token, for the person to copy.
    ShowToken(ConnectionId),
    /// The person has seen it.
    HideToken,
    /// Remove a connection with its history.
    RemoveConnection(ConnectionId),
    /// Try settings without saving them.
    TestConnection {
        /// The settings.
        profile: Profile,
        /// How to come in. An invite is not used up by a test: only reachability and trust are tried.
        credential: Credential,
    },
    /// Find out what a server speaks. The profile's only address is as the person wrote it.
    Detect(Profile),
    /// Forget the last test's outcome.
    EndTest,
    /// Check the way to a connection's server, and every transport.
    Diagnose(ConnectionId),
    /// End the check, and forget what it found.
    EndDiagnosis,
    /// Open the own server to the local network, or close it.
    SetLan(LanChoice),
    /// Look for servers that others announce on the local network, or look no more.
    LookForServers(bool),
}

/// What a person wants in chat.
#[derive(Clone, Debug, PartialEq)]
pub enum ChatIntent {
    /// Send a message.
    Send {
        /// By which connection.
        connection: ConnectionId,
        /// To which room.
        room: RoomId,
        /// What.
        content: Content,
    },
    /// Send a refused message again.
    Resend {
        /// Of which connection.
        connection: ConnectionId,
        /// Which.
        id: MessageId,
    },
    /// Delete a message that the hub has not seen or has refused.
    Discard {
        /// Of which connection.
        connection: ConnectionId,
        /// Which.
        id: MessageId,
    },
    /// Replace a message that the hub has not seen or has refused.
    Edit {
        /// Of which connection.
        connection: ConnectionId,
        /// Which.
        id: MessageId,
        /// The new text.
        body: String,
    },
    /// Give a message that the server has new words: one of the person's own.
    EditSent {
        /// Of which connection.
        connection: ConnectionId,
        /// In which room.
        room: RoomId,
        /// Which message.
        target: MessageId,
        /// The new text.
        body: String,
    },
    /// Delete a message that the server has.
    DeleteSent {
        /// Of which connection.
        connection: ConnectionId,
        /// In which room.
        room: RoomId,
        /// Which message.
        target: MessageId,
    },
    /// Add an emoji to a message, or take the person's own back.
    React {
        /// Of which connection.
        connection: ConnectionId,
        /// In which room.
        room: RoomId,
        /// Which message.
        target: MessageId,
        /// The emoji.
        emoji: String,
        /// Whether to take it back.
        off: bool,
    },
    /// Pin a message to its room, or unpin it.
    Pin {
        /// Of which connection.
        connection: ConnectionId,
        /// In which room.
        room: RoomId,
        /// Which message.
        target: MessageId,
        /// Whether to unpin it.
        off: bool,
    },
    /// Keep what is typed into a thread and not sent.
    SaveThreadDraft {
        /// Of which connection.
        connection: ConnectionId,
        /// Of which room.
        room: RoomId,
        /// The thread's first message.
        root: MessageId,
        /// What.
        text: String,
        /// What it replies to.
        reply: Option<MessageId>,
    },
    /// Keep what a room's draft replies to.
    SaveReply {
        /// Of which connection.
        connection: ConnectionId,
        /// Of which room.
        room: RoomId,
        /// Which message.
        reply: Option<MessageId>,
    },
    /// Read a page of a thread: its end, or what lies before a position.
    LoadThread {
        /// Of which connection.
        connection: ConnectionId,
        /// Of which room.
        room: RoomId,
        /// The thread's first message.
        root: MessageId,
        /// The oldest message in memory, where older ones are wanted.
        before: Option<Position>,
    },
    /// The person has seen a thread up to here.
    ReadThread {
        /// Of which connection.
        connection: ConnectionId,
        /// Of which room.
        room: RoomId,
        /// The thread's first message.
        root: MessageId,
        /// The last seen message.
        position: Position,
    },
    /// Have this message and all after it be unread.
    MarkUnread {
        /// Of which connection.
        connection: ConnectionId,
        /// Of which room.
        room: RoomId,
        /// Where the message is.
        position: Position,
    },
    /// Read what a message replies to, which is not in memory.
    LoadQuote {
        /// Of which connection.
        connection: ConnectionId,
        /// Of which room.
        room: RoomId,
        /// Where the message is that replies.
        position: Position,
    },
    /// Ask the disk about a room.
    LookUp(Lookup),
    /// Keep what is typed and not sent.
    SaveDraft {
        /// Of which connection.
        connection: ConnectionId,
        /// Of which room.
        room: RoomId,
        /// What.
        text: String,
    },
    /// Make a room.
    CreateRoom {
        /// By which connection.
        connection: ConnectionId,
        /// Its name.
        name: RoomName,
        /// What it is about; empty: nothing is said.
        topic: String,
    },
    /// Make a room of which only its members know.
    CreatePrivateRoom {
        /// By which connection.
        connection: ConnectionId,
        /// Its name.
        name: RoomName,
        /// What it is about; empty: nothing is said.
        topic: String,
        /// Its members, beside the person.
        members: Vec<PrincipalId>,
    },
    /// See to it that there is a direct message with somebody. [`super::Chat::direct_with`] tells which room it is.
    OpenDirect {
        /// By which connection.
        connection: ConnectionId,
        /// With whom.
        who: PrincipalId,
    },
    /// Send somebody a direct message; it is made first, if there is none.
    SendDirect {
        /// By which connection.
        connection: ConnectionId,
        /// To whom.
        who: PrincipalId,
        /// What.
        content: Content,
    },
    /// Call a room something else.
    RenameRoom {
        /// By which connection.
        connection: ConnectionId,
        /// Which room.
        room: RoomId,
        /// Its new name.
        name: RoomName,
    },
    /// Say what a room is about.
    SetTopic {
        /// By which connection.
        connection: ConnectionId,
        /// Which room.
        room: RoomId,
        /// The topic; may be empty.
        topic: String,
    },
    /// Have a room take no new messages, or take them again.
    SetArchived {
        /// By which connection.
        connection: ConnectionId,
        /// Which room.
        room: RoomId,
        /// Whether it is archived.
        archived: bool,
    },
    /// Become a member of a public room again.
    JoinRoom {
        /// By which connection.
        connection: ConnectionId,
        /// Which room.
        room: RoomId,
    },
    /// Be a member of a room no more.
    LeaveRoom {
        /// By which connection.
        connection: ConnectionId,
        /// Which room.
        room: RoomId,
    },
    /// Make somebody a member of a room.
    InviteToRoom {
        /// By which connection.
        connection: ConnectionId,
        /// Which room.
        room: RoomId,
        /// Whom.
        who: PrincipalId,
    },
    /// Take somebody out of a private room.
    RemoveFromRoom {
        /// By which connection.
        connection: ConnectionId,
        /// Which room.
        room: RoomId,
        /// Whom.
        who: PrincipalId,
    },
    /// Say this of oneself to the others.
    SetStatus {
        /// By which connection.
        connection: ConnectionId,
        /// What; may be empty.
        text: String,
    },
    /// Tell the others that the person is typing.
    Typing {
        /// By which connection.
        connection: ConnectionId,
        /// Where.
        room: RoomId,
    },
    /// The person has seen everything up to here.
    MarkRead {
        /// Of which connection.
        connection: ConnectionId,
        /// Of which room.
        room: RoomId,
        /// The last seen message.
        position: Position,
    },
    /// Let others know that the person has seen the messages from one place to another.
    TellSeen {
        /// By which connection.
        connection: ConnectionId,
        /// Of which room.
        room: RoomId,
        /// The first seen message.
        first: Position,
        /// The last one.
        last: Position,
    },
    /// What was seen and not told yet is not to be told.
    KeepSeenPrivate,
    /// Hear from now on what others have seen in a room.
    AskReceipts {
        /// By which connection.
        connection: ConnectionId,
        /// Of which room.
        room: RoomId,
    },
    /// Save messages and readings as a file.
    Archive(ArchiveWanted),
    /// The file is not wanted any more.
    EndArchive,
    /// Extend a room's window.
    LoadMore {
        /// Of which connection.
        connection: ConnectionId,
        /// Of which room.
        room: RoomId,
        /// On which side.
        side: Side,
    },
    /// Replace a room's window.
    JumpTo {
        /// Of which connection.
        connection: ConnectionId,
        /// Of which room.
        room: RoomId,
        /// Where to.
        jump: Jump,
    },
    /// Find messages. A newer search takes an older one's place.
    Search(Search),
    /// Find the first message of a room at this moment or later.
    FindDay {
        /// Chosen by the caller and returned in the answer.
        number: u64,
        /// Of which connection.
        connection: ConnectionId,
        /// In which room.
        room: RoomId,
        /// The day's beginning, by the clock on the wall here.
        from: WallMs,
    },
    /// Find where one message of a room is. A newer request takes an older one's place.
    FindMessage {
        /// Chosen by the caller and returned in the answer.
        number: u64,
        /// Of which connection.
        connection: ConnectionId,
        /// In which room.
        room: RoomId,
        /// Which message.
        id: MessageId,
    },
    /// Tell of this room's messages so from now on; none: as of all rooms.
    SetRoomLevel {
        /// Of which connection.
        connection: ConnectionId,
        /// Which room.
        room: RoomId,
        /// Of which messages.
        level: Option<Level>,
    },
}

/// What a person wants of devices.
#[derive(Clone, Debug, PartialEq)]
pub enum DeviceIntent {
    /// Take over settings for devices of a connection from elsewhere.
    TakeOver(ConnectionId, BTreeMap<DeviceId, DeviceChoice>),
    /// Set a property of a device.
    Command {
        /// By which connection.
        connection: ConnectionId,
        /// Of which device.
        device: DeviceId,
        /// Of which of its lives: what the person saw when they touched it.
        incarnation: u64,
        /// Which property.
        property: MetricName,
        /// To what.
        value: Value,
    },
    /// Read a part of a metric's stored past.
    LoadSeries {
        /// Of which connection.
        connection: ConnectionId,
        /// Of which device.
        device: DeviceId,
        /// Of which metric.
        metric: MetricName,
        /// From here, by the hub's clock.
        from: WallMs,
        /// To here, exclusive.
        to: WallMs,
        /// At most about so many buckets: the plot's width in pixels.
        columns: u32,
    },
    /// Read a text's stored past.
    LoadStates {
        /// Of which connection.
        connection: ConnectionId,
        /// Of which device.
        device: DeviceId,
        /// Of which metric.
        metric: MetricName,
    },
    /// Read a device's log.
    LoadLog {
        /// Of which connection.
        connection: ConnectionId,
        /// Of which device.
        device: DeviceId,
    },
    /// Tell that this device is gone, or do not.
    Mute {
        /// Of which connection.
        connection: ConnectionId,
        /// Which device.
        device: DeviceId,
        /// Whether to keep quiet about it.
        muted: bool,
    },
    /// Name, group, pin or hide a device, for this app alone.
    Change {
        /// Of which connection.
        connection: ConnectionId,
        /// Which device.
        device: DeviceId,
        /// What to change.
        change: DeviceChange,
    },
    /// Save a part of a device's past into a file of the person's.
    Export(Export),
}

/// What a person wants of files.
#[derive(Clone, Debug, PartialEq)]
pub enum FileIntent {
    /// Pick files and add them.
    Pick {
        /// By which connection.
        connection: ConnectionId,
        /// To which room.
        room: RoomId,
        /// To which thread of it.
        thread: Option<MessageId>,
    },
    /// Add a file. It is copied at once, and sent with [`FileIntent::Send`].
    Add {
        /// By which connection.
        connection: ConnectionId,
        /// To which room.
        room: RoomId,
        /// To which thread of it.
        thread: Option<MessageId>,
        /// The file.
        source: FileSource,
    },
    /// Send the files that were added to a room or a thread.
    Send {
        /// By which connection.
        connection: ConnectionId,
        /// To which room.
        room: RoomId,
        /// To which thread of it.
        thread: Option<MessageId>,
        /// What the person wrote with them; may be empty.
        text: String,
        /// The message that they reply to.
        reply_to: Option<MessageId>,
    },
    /// Give up a file that is not a message yet.
    Cancel {
        /// Of which connection.
        connection: ConnectionId,
        /// Which.
        file: FileId,
    },
    /// Try a file again that went no further by itself.
    Retry {
        /// Of which connection.
        connection: ConnectionId,
        /// Which.
        file: FileId,
    },
    /// Have the file of a message here.
    Fetch {
        /// By which connection.
        connection: ConnectionId,
        /// The file.
        file: FileInfo,
        /// Whether its thumbnail is wanted.
        thumbnail: bool,
    },
    /// Fetch a file no further.
    EndFetch(FileHash),
    /// Save the file of a message where the person finds it.
    Save {
        /// By which connection.
        connection: ConnectionId,
        /// The file.
        file: FileInfo,
    },
    /// Save the file of a message where the person chooses, or else where they find it.
    SaveAs {
        /// By which connection.
        connection: ConnectionId,
        /// The file.
        file: FileInfo,
    },
    /// Look at a picture.
    View {
        /// By which connection.
        connection: ConnectionId,
        /// The file.
        file: FileInfo,
    },
    /// Look at it no longer.
    EndView,
}

/// Where the content of a file comes from that the person adds.
#[derive(Clone, Debug, PartialEq)]
pub enum FileSource {
    /// A file on this computer.
    Path(PathBuf),
    /// A picture that was copied.
    Picture(Picture),
}

/// What a person wants of a connection log.
#[derive(Clone, Debug, PartialEq)]
pub enum LogIntent {
    /// Keep the frames of a connection for its log, or keep them no more.
    Watch(ConnectionId, bool),
    /// Let go of all that a connection's log holds.
    Clear(ConnectionId),
    /// Write a connection's log into a file of the person's.
    Save {
        /// Of which connection.
        connection: ConnectionId,
        /// What the file is to say.
        text: String,
    },
}

/// What a person wants of the app as a whole.
#[derive(Clone, Debug, PartialEq)]
pub enum AppIntent {
    /// Decode a picture that came as bytes.
    DecodePicture {
        /// For the answer.
        number: u64,
        /// The whole of it.
        bytes: Arc<[u8]>,
    },
    /// Write a text into a file where the person finds it.
    SaveText {
        /// For the answer.
        number: u64,
        /// What the file is to hold.
        text: String,
    },
    /// Open an address in the system's browser or mail program.
    OpenLink(String),
    /// Look and speak like this from now on.
    SetPreferences(Preferences),
    /// Show a saved file in the system's file manager.
    ShowFile(PathBuf),
    /// Start the app when the person signs in, or no longer.
    SetAutostart(bool),
    /// Show a notice, for the person to see what it looks like.
    TryNotice,
    /// The person looks at this now; none: not at the window.
    View(Option<Viewing>),
    /// The window closes: it stood here.
    KeepWindow(WindowPlace),
    /// The panes stand like this from now on.
    KeepPanes(Panes),
    /// The first steps were taken or put off.
    FirstStepsDone,
    /// The person has read a banner.
    DismissBanner(Banner),
    /// The window got or lost the focus.
    Focus(bool),
}
