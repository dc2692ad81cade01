//! [`Event`]: what happened on one connection. The same value goes from a session through the store into the model.
//! [`Update`]: an event with its connection, or what concerns the whole app.

use std::path::PathBuf;
use std::sync::Arc;

use super::archive::Archived;
use super::autostart::Autostart;
use super::banner::Banner;
use super::device::{Command, DeviceId, DeviceState, LogLine, MetricName, Readings, Value};
use super::device_choices::DeviceChoices;
use super::diagnosis::Diagnosis;
use super::entry::Entry;
use super::export::Exported;
use super::features::Features;
use super::files::{FileUpdate, Thumbnail};
use super::id::{ConnectionId, Epoch, MessageId, Offset, PrincipalId, RoomId, RoomName};
use super::lan::{Lan, Nearby};
use super::link_state::{LinkState, Why};
use super::lookup::LookupFound;
use super::message::{Delivery, Message, OutboxItem, Position};
use super::note::{Note, Passed};
use super::notices::NoticeChoices;
use super::preferences::Preferences;
use super::principal::{Principal, Sender};
use super::profile::{NewerProfile, Profile, Protocol, Secret};
use super::proxy::ProxyUsed;
use super::receipt::Receipt;
use super::refusal::Refusal;
use super::rights::ManageAnswer;
use super::room::{NamedRoom, RoomInfo};
use super::route::RouteInUse;
use super::samples::Sample;
use super::search::{DayFound, Found, MessageFound};
use super::series::SeriesPage;
use super::states::States;
use super::thread::Thread;
use super::time::{BootMs, WallMs};
use super::topic::TopicEvent;

/// Why a stretch of a hub's log begins anew for this client.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum LogRestart {
    /// First contact: nothing was held before. Replayed from a recent offset; the rest is fetched page by page.
    #[default]
    First,
    /// The log is another one, or was restored from a backup. Replayed in full.
    EpochChanged,
    /// The hub no longer holds what follows our resume point.
    Trimmed,
}

/// Who gives the entries of a log their offsets.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum LogKind {
    /// The server does: its log is replayed after an outage.
    Server {
        /// The newest offset at the time of the welcome.
        head: Offset,
        /// The offset of the next entry to come.
        next: Offset,
    },
    /// The server numbers nothing: this client's store numbers what it receives, when it commits it. Until then an
    /// entry's offset is 0. What was said during an outage is not told again.
    Local,
}

impl LogKind {
    /// The newest offset at the time of the welcome; 0 where nothing is replayed.
    pub fn head(self) -> Offset {
        match self {
            LogKind::Server { head, .. } => head,
            LogKind::Local => Offset(0),
        }
    }
}

/// A person at a hub, and whether any of their apps is connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Who.
    pub who: Principal,
    /// Whether connected.
    pub online: bool,
    /// What they say of themselves at the moment; may be empty.
    pub status: String,
}

/// A room as read from disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRoom {
    /// Its id.
    pub id: RoomId,
    /// Its name.
    pub name: RoomName,
    /// What else is known of it.
    pub info: RoomInfo,
    /// The newest messages, oldest first.
    pub messages: Vec<Message>,
    /// Whether older ones are on disk.
    pub older_on_disk: bool,
    /// Whether the hub may hold older ones than the disk (the room's start is not on disk).
    pub older_on_hub: bool,
    /// The newest message of all.
    pub newest: Position,
    /// What the person has read.
    pub read: Position,
    /// Messages by others after `read`.
    pub unread: u64,
    /// How many of these name the person.
    pub mentions: u64,
    /// Typed and not sent.
    pub draft: String,
    /// What that replies to.
    pub draft_reply: Option<MessageId>,
    /// Whether the server does not know it yet: it is there as long as something in the outbox is for it.
    pub unmade: bool,
    /// The message or entry before which some are missing that were not for the person when they came.
    pub hole: Option<Position>,
}

/// A thread as read from disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredThread {
    /// Of which room.
    pub room: RoomId,
    /// Its first message.
    pub root: MessageId,
    /// What is known of it.
    pub thread: Thread,
}

/// What a client finds on its disk about one connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// Who we were there.
    pub me: Option<Principal>,
    /// What the server offered last; none before it was reached.
    pub features: Option<Features>,
    /// The current era; 0 before the first.
    pub era: u32,
    /// The first offset that the current era was replayed from; 0 before the first era.
    pub era_from: Offset,
    /// Whether the current era has an entry.
    pub era_has_entries: bool,
    /// Whether its log is numbered here; see [`LogKind::Local`].
    pub is_local: bool,
    /// The server's log; none where it is numbered here.
    pub epoch: Option<Epoch>,
    /// The last offset received in the current era.
    pub received_to: Offset,
    /// All rooms.
    pub rooms: Vec<StoredRoom>,
    /// Threads with something unread or typed, and those that the person takes part in.
    pub threads: Vec<StoredThread>,
    /// All that is not yet an entry of the log, by `seq`.
    pub outbox: Vec<OutboxItem>,
}

impl Stored {
    /// Adds something to the outbox, and the room that it makes.
    pub fn queue(&mut self, item: OutboxItem) {
        self.unqueue(item.draft.id);
        if let (Some(id), Some(name)) = (item.makes(), item.draft.room_name()) {
            match self.rooms.iter().find(|room| room.id == *id) {
                Some(room) if !room.unmade => return,
                Some(_) => {}
                None => {
                    let me = self.me.as_ref().map(|me| &me.id);
                    let info = RoomInfo::of_made(&item.draft.content, me, me);
                    self.rooms.push(StoredRoom { info, ..StoredRoom::unmade(id.clone(), name) });
                }
            }
        }
        let place = self.outbox.partition_point(|other| other.seq < item.seq);
        self.outbox.insert(place, item);
    }

    /// Takes something out of the outbox, and with the last of what was for it a room that the server does not know.
    pub fn unqueue(&mut self, id: MessageId) {
        self.outbox.retain(|item| item.draft.id != id);
        let outbox = &self.outbox;
        let is_wanted = |room: &StoredRoom| {
            !room.draft.is_empty() || outbox.iter().any(|item| item.draft.room == room.id)
        };
        self.rooms.retain(|room| !room.unmade || is_wanted(room));
    }

    /// The server does not take something. Where that makes a room, nothing that was typed into it can be sent.
    pub fn refuse(&mut self, id: MessageId, refusal: &Refusal) {
        let room = self.outbox.iter().find(|item| item.draft.id == id).and_then(OutboxItem::makes).cloned();
        let is_refused =
            |item: &&mut OutboxItem| item.draft.id == id || room.as_ref() == Some(&item.draft.room);
        let items = self.outbox.iter_mut().filter(is_refused);
        items.for_each(|item| item.deliver(Delivery::Failed(refusal.clone())));
    }

    /// Sets how far these have come.
    pub fn deliver(&mut self, ids: &[MessageId], delivery: &Delivery) {
        let items = self.outbox.iter_mut().filter(|item| ids.contains(&item.draft.id));
        items.for_each(|item| item.deliver(delivery.clone()));
    }

    /// The server has something, and no entry of it will follow. Where it made a room, the server knows the room.
    pub fn done(&mut self, id: MessageId, follows: &Follows) {
        let Some(place) = self.outbox.iter().position(|item| item.draft.id == id) else { return };
        let item = self.outbox.remove(place);
        let Some(made) = item.makes() else { return };
        match follows {
            Follows::OtherRoom(to) if to != made => self.move_to(made, to),
            _ => {
                let room = self.rooms.iter_mut().find(|room| room.id == *made);
                room.into_iter().for_each(|room| room.unmade = false);
            }
        }
    }

    /// What was typed into a room that was there already under another id goes there.
    fn move_to(&mut self, from: &RoomId, to: &RoomId) {
        for item in self.outbox.iter_mut().filter(|item| item.draft.room == *from) {
            item.draft.room = to.clone();
        }
        let Some(place) = self.rooms.iter().position(|room| room.id == *from) else { return };
        let unmade = self.rooms.remove(place);
        match self.rooms.iter_mut().find(|room| room.id == *to) {
            Some(room) if room.draft.is_empty() => room.draft = unmade.draft,
            Some(_) => {}
            None => {
                let known = StoredRoom::unmade(to.clone(), unmade.name);
                self.rooms.push(StoredRoom { unmade: false, draft: unmade.draft, ..known });
            }
        }
    }
}

impl StoredRoom {
    /// A room that the server does not know.
    fn unmade(id: RoomId, name: RoomName) -> StoredRoom {
        let (newest, read) = (Position::default(), Position::default());
        let (messages, draft) = (Vec::new(), String::new());
        let (older_on_disk, older_on_hub, unread, mentions) = (false, false, 0, 0);
        StoredRoom {
            id,
            name,
            info: RoomInfo::default(),
            messages,
            older_on_disk,
            older_on_hub,
            newest,
            read,
            unread,
            mentions,
            draft,
            draft_reply: None,
            unmade: true,
            hole: None,
        }
    }
}

pub use super::page::{Page, Side};

/// A part of what a hub lists after its welcome.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// Rooms.
    pub rooms: Vec<NamedRoom>,
    /// People who may chat.
    pub people: Vec<Person>,
    /// What the person has read, as offsets of the current era.
    pub read: Vec<(RoomId, Offset)>,
    /// Whether more follows.
    pub more: bool,
}

/// Why nothing is sent at the moment, though the link is up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paused {
    /// A refusal that will pass.
    pub refusal: Refusal,
    /// When sending goes on, by our clock.
    pub until: WallMs,
}

/// What happened on one connection.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The link or its server.
    Link(LinkEvent),
    /// Rooms, messages, people and the outbox.
    Chat(ChatEvent),
    /// Devices.
    Device(DeviceEvent),
    /// A broker's topics.
    Topic(TopicEvent),
    /// The connection log.
    Log(LogEvent),
}

/// What happened to a link and its server.
#[derive(Clone, Debug, PartialEq)]
pub enum LinkEvent {
    /// The link's state changed.
    State(LinkState),
    /// The hub knows us; the session is online.
    Welcomed {
        /// Who we are there.
        me: Principal,
        /// The hub's name.
        server: String,
        /// Who numbers the log, and where it is.
        log: LogKind,
        /// The hub's clock.
        now: WallMs,
        /// Everyone who may chat, or the first of them; the rest is [`ChatEvent::Listed`].
        people: Vec<Person>,
        /// All rooms, or the first of them.
        rooms: Vec<NamedRoom>,
        /// What the hub offers.
        features: Features,
    },
    /// The hub says that an invite we asked about is good.
    InviteGood {
        /// The hub's name.
        server: String,
        /// Until when, by the hub's clock.
        until: WallMs,
    },
    /// How its frames travel from now on; where more than one way leads to the server.
    Route(RouteInUse),
    /// Something that a foreign server sent, as its mapping is given it: now and then, for the person who maps it.
    Sampled(Sample),
    /// The connection that has just opened goes through this proxy; `None`: through none, after one that did.
    Proxy(Option<Box<ProxyUsed>>),
    /// Nothing is sent for a while, since the hub would not take it; `None`: it is again.
    Paused(Option<Paused>),
    /// The answer to [`super::intent::LinkIntent::Manage`].
    Managed {
        /// The number of the request.
        id: u64,
        /// What became of it.
        managed: ManageAnswer,
    },
}

/// What follows an acknowledgement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Follows {
    /// Its entry, in the log.
    #[default]
    Entry,
    /// Nothing: its entry is older than what we are sent, or not for us.
    Nothing,
    /// Nothing: a room of this name was there already, and what was typed into ours goes there.
    OtherRoom(RoomId),
}

/// What happened in a connection's chat.
#[derive(Clone, Debug, PartialEq)]
pub enum ChatEvent {
    /// More of what the hub lists after its welcome.
    Listed(Listed),
    /// The log begins anew with offset `from`: the next era.
    LogStarted {
        /// Which log.
        epoch: Epoch,
        /// The next entry's offset.
        from: Offset,
        /// Why.
        why: LogRestart,
    },
    /// The entries of the log from one offset to another are not for us. What follows them follows at once.
    Skipped {
        /// The first one.
        from: Offset,
        /// The last one.
        to: Offset,
    },
    /// Entries of the log, in order. Between them others may be missing, which are not for us. Applying one twice changes
    /// nothing. Of a log of kind [`LogKind::Local`] they have no offset until they are on disk.
    Entries {
        /// The entries.
        entries: Vec<Entry>,
        /// Whether they were just written (`false`: replayed).
        live: bool,
    },
    /// The hub has a message of ours on disk.
    Acknowledged {
        /// Which.
        id: MessageId,
        /// Where in the log.
        offset: Offset,
        /// When, by the hub's clock.
        received: WallMs,
        /// What comes of it.
        follows: Follows,
    },
    /// These were given to the operating system, and the server confirms nothing.
    Sent(Vec<MessageId>),
    /// Whether the server has these is not known: they may not have arrived. They are not sent again by themselves.
    Unsure(Vec<MessageId>),
    /// The hub did not take a message of ours. Of a room: nor what was typed into it.
    Refused {
        /// Which.
        id: MessageId,
        /// Why.
        refusal: Refusal,
    },
    /// The hub takes a message of ours later: it waits in its place and is sent again by itself.
    Postponed {
        /// Which.
        id: MessageId,
        /// Whether the hub cannot have it, so that it may be changed or deleted.
        unseen: bool,
    },
    /// Somebody else is typing.
    Typing {
        /// Where.
        room: RoomId,
        /// Who.
        who: Sender,
        /// Until when to believe it.
        until: BootMs,
    },
    /// Somebody came or went.
    Presence(Person),
    /// Somebody was removed: they are nobody at this server any more.
    PersonRemoved(PrincipalId),
    /// The person has read up to this offset, here or in another app of theirs.
    ReadMarker {
        /// Where.
        room: RoomId,
        /// The last read offset, in the current era.
        offset: Offset,
    },
    /// What people let others know that they have seen.
    Receipts {
        /// Where.
        room: RoomId,
        /// By whom.
        by: Vec<Receipt>,
        /// Whether these are all that there are; else those that have changed.
        all: bool,
    },
    /// A page of history from the hub.
    History {
        /// Of which room.
        room: RoomId,
        /// Entries of this room before this offset.
        before: Offset,
        /// Oldest first; the newest ones before `before`.
        entries: Vec<Entry>,
        /// Whether the room's start is among them (or the hub holds no older ones).
        complete: bool,
    },
    /// A page of history could not be had.
    HistoryFailed {
        /// Of which room.
        room: RoomId,
    },

    /// Read from disk at start.
    Restored(Stored),
    /// On disk in the outbox (or held in memory, while a banner says so).
    Queued(OutboxItem),
    /// Deleted from the outbox before it was ever sent.
    Unqueued(MessageId),
    /// About to be given to the socket.
    Attempted(Vec<MessageId>),
    /// A page read from disk, next to the window.
    Paged {
        /// Of which room.
        room: RoomId,
        /// On which side.
        side: Side,
        /// What was read.
        page: Page,
    },
    /// A new window, read from disk: the person jumped.
    Jumped {
        /// Of which room.
        room: RoomId,
        /// What was read.
        page: Page,
    },
    /// A page is being fetched (or no longer is).
    Loading {
        /// Of which room.
        room: RoomId,
        /// On which side.
        side: Side,
        /// Whether it is under way.
        loading: bool,
    },
    /// Unread messages as counted on disk; ignored when `read` has moved since.
    Counted {
        /// Of which room.
        room: RoomId,
        /// What had been read.
        read: Position,
        /// The newest message that was counted.
        newest: Position,
        /// How many by others between the two.
        unread: u64,
        /// How many of these name the person.
        mentions: u64,
    },
    /// The person wants everything after this place to be unread, here or in another app of theirs.
    MarkedUnread {
        /// Where.
        room: RoomId,
        /// The last read offset, in the current era.
        offset: Offset,
    },
    /// A page of a thread, read from disk.
    ThreadPaged {
        /// Of which room.
        room: RoomId,
        /// The thread's first message.
        root: MessageId,
        /// Whether it is the thread's end: it takes the place of what is in memory.
        is_end: bool,
        /// What was read.
        page: Page,
    },
    /// A page of a thread is being read (or no longer is).
    ThreadLoading {
        /// Of which room.
        room: RoomId,
        /// The thread's first message.
        root: MessageId,
        /// Whether it is under way.
        loading: bool,
    },
    /// The person has read a thread.
    ThreadSeen {
        /// Of which room.
        room: RoomId,
        /// The thread's first message.
        root: MessageId,
        /// The last message that was read.
        position: Position,
    },
    /// What is typed into a thread and not sent.
    ThreadDraft {
        /// Of which room.
        room: RoomId,
        /// The thread's first message.
        root: MessageId,
        /// What.
        text: String,
        /// What it replies to.
        reply: Option<MessageId>,
    },
    /// What a room's draft replies to.
    DraftReply {
        /// Of which room.
        room: RoomId,
        /// Which message.
        reply: Option<MessageId>,
    },
    /// What a message replies to, read from disk.
    Quoted {
        /// Of which room.
        room: RoomId,
        /// The message.
        message: Box<Message>,
    },
    /// A draft was set aside or cleared.
    Draft {
        /// Of which room.
        room: RoomId,
        /// What is typed and not sent.
        text: String,
    },
}

/// What happened to a connection's devices.
#[derive(Clone, Debug, PartialEq)]
pub enum DeviceEvent {
    /// A piece of the hub's list of devices, after each welcome.
    Listed {
        /// The devices of this piece.
        devices: Vec<DeviceState>,
        /// When the hub was started, by its clock: a device last heard before that may still come back.
        started: WallMs,
        /// Whether more pieces follow. With the last one, what was in none of them is gone.
        more: bool,
    },
    /// A device announced itself, or its announcement changed.
    Announced(Box<DeviceState>),
    /// A device came or went.
    Presence {
        /// Which.
        device: DeviceId,
        /// Whether it is there.
        online: bool,
        /// Since when, by the hub's clock.
        since: WallMs,
        /// Why it went, in its own words.
        reason: String,
    },
    /// A device said nothing for three of its intervals, and the link was alive all the while.
    Silent {
        /// Which.
        device: DeviceId,
        /// Since when it counts as silent, by the hub's clock.
        since: WallMs,
    },
    /// Nothing is known of whether a device is there.
    Unheard {
        /// Which.
        device: DeviceId,
        /// Since when, by the hub's clock.
        since: WallMs,
    },
    /// A device does not exist any longer.
    Gone {
        /// Which.
        device: DeviceId,
    },
    /// Readings, as they came.
    Readings(Arc<Readings>),
    /// What this app says of its own link; see [`super::link_device`]. Never from a hub.
    LocalReadings(Arc<Readings>),
    /// A command was given, or ended.
    Commanded(Box<Command>),
    /// A device's log, newest last.
    Logged {
        /// Whose.
        device: DeviceId,
        /// The lines.
        lines: Vec<LogLine>,
    },
    /// A part of a metric's stored past.
    SeriesPaged {
        /// Of which device.
        device: DeviceId,
        /// Of which metric.
        metric: MetricName,
        /// What was read.
        page: SeriesPage,
    },
    /// A text's stored past, all of it that is kept.
    States {
        /// Of which device.
        device: DeviceId,
        /// Of which metric.
        metric: MetricName,
        /// What it said when.
        changes: States,
    },
    /// For a publisher: somebody wants a property of a device of ours set. Answer with `Request::CommandResult`.
    CommandGiven {
        /// The command's id.
        id: MessageId,
        /// Of which device.
        device: DeviceId,
        /// Which property.
        property: MetricName,
        /// To what.
        value: Value,
        /// Who asked.
        by: Sender,
        /// It is not to be carried out later than this long after it came, in milliseconds.
        expires_in_ms: u64,
    },
    /// For a publisher: the hub did not take an announcement or readings.
    PublishRefused {
        /// Of which device.
        device: DeviceId,
        /// A stable word: `not_allowed`, `bad_name`, `too_many`.
        code: String,
        /// For people.
        detail: String,
    },

    /// Devices as the disk holds them, at start.
    Restored(Vec<DeviceState>),
}

/// What happened to a connection's log: the one for people, not the server's.
#[derive(Clone, Debug, PartialEq)]
pub enum LogEvent {
    /// For the connection log.
    Note(Note),
    /// For the connection log: a frame passed while somebody looked.
    Passed(Box<Passed>),
    /// The connection log keeps frames from now on, or no more.
    Watched(bool),
    /// The connection log begins anew.
    Cleared,
    /// The connection log was saved to this file, or could not be, in the system's words.
    Saved(Result<PathBuf, String>),
}

impl Event {
    /// Whether its entries wait for their offsets; see [`LogKind::Local`].
    pub fn is_unnumbered(&self) -> bool {
        match self {
            Event::Chat(ChatEvent::Entries { entries, .. }) => {
                entries.first().is_some_and(|entry| entry.offset == Offset(0))
            }
            _ => false,
        }
    }

    /// Gives its entries the offsets from `first` on.
    pub fn number(&mut self, first: Offset) {
        if let Event::Chat(ChatEvent::Entries { entries, .. }) = self {
            for (entry, offset) in entries.iter_mut().zip((first.0..).map(Offset)) {
                entry.offset = offset;
            }
        }
    }
}

/// What a connection test without signing in learned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reached {
    /// It is a Duplex server. There was no token to sign in with.
    NoToken,
    /// The server says that the invite is good. It was not used up.
    InviteGood {
        /// The server's name.
        server: String,
        /// Until when, by the server's clock.
        until: WallMs,
    },
    /// The server cannot say whether an invite is good without using it up.
    InviteUnknown,
    /// What the server speaks was found out.
    Speaks {
        /// The protocol.
        protocol: Protocol,
        /// The address at which it is spoken.
        url: String,
        /// The namespace that the address meant, of a Socket.IO server.
        namespace: Option<String>,
    },
    /// A plain WebSocket opened.
    Opened {
        /// The subprotocol that was agreed on.
        subprotocol: Option<String>,
        /// The extensions, as the server's header has them; may be empty.
        extensions: String,
    },
}

/// How a connection test ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TestOutcome {
    /// Under way.
    Running,
    /// The server welcomed us.
    Passed {
        /// Who we would be there.
        me: Principal,
        /// The server's name.
        server: String,
        /// From dial to welcome, in milliseconds.
        took_ms: u64,
    },
    /// A server answered, and nobody signed in.
    Reached {
        /// What was learned besides.
        found: Reached,
        /// From dial to answer, in milliseconds.
        took_ms: u64,
    },
    /// It did not.
    Failed(Why),
}

/// What changes the model.
#[derive(Clone, Debug, PartialEq)]
pub enum Update {
    /// Something happened on a connection.
    Connection(ConnectionId, Event),
    /// Something to tell above everything else, until it is mended or dismissed.
    Banner(Banner),
    /// That is over.
    BannerOver(Banner),
    /// Something about files.
    File(FileUpdate),
    /// About the saved connections, and the secrets that they need.
    Setup(SetupUpdate),
    /// About what the person has chosen.
    Choices(ChoicesUpdate),
    /// An answer to a search, or a step of the search index.
    Search(SearchUpdate),
    /// About files of the person, and what this disk did not take.
    Disk(DiskUpdate),
    /// About the local network.
    Network(NetworkUpdate),
}

/// About the saved connections, and the secrets that they need.
#[derive(Clone, Debug, PartialEq)]
pub enum SetupUpdate {
    /// A connection was added or its profile changed.
    Configured(Box<Profile>),
    /// A connection and all it held was removed.
    Removed(ConnectionId),
    /// The connections that a newer version set up: all of them.
    NewerConnections(Vec<NewerProfile>),
    /// The system's keyring cannot be asked, and why; or it can.
    Keyring(Option<String>),
    /// Whether a connection's token is in a file.
    TokenInFile(ConnectionId, bool),
    /// A token to be copied by the person, or none any more.
    ShownToken(Option<(ConnectionId, Secret)>),
    /// Whether to offer the first steps.
    FirstSteps(bool),
    /// All saved connections are there.
    Loaded,
    /// A connection test went on.
    Test(Option<TestOutcome>),
    /// The check of a connection went on; none: it is over and forgotten.
    Diagnosis(Option<(ConnectionId, Diagnosis)>),
}

/// About what the person has chosen.
#[derive(Clone, Debug, PartialEq)]
pub enum ChoicesUpdate {
    /// How the person wants the window to be.
    Preferences(Preferences),
    /// Of what they want to be told otherwise than usual.
    Notices(NoticeChoices),
    /// What they have chosen for single devices.
    Devices(DeviceChoices),
    /// Whether the app starts when the person signs in.
    Autostart(Autostart),
}

/// An answer to a search, or a step of the search index.
#[derive(Clone, Debug, PartialEq)]
pub enum SearchUpdate {
    /// A search has an answer.
    Found(Arc<Found>),
    /// A jump to a date has an answer.
    DayFound(DayFound),
    /// A message was looked for.
    MessageFound(MessageFound),
    /// An answer of the disk.
    LookedUp(u64, LookupFound),
    /// Messages that were there before the search index are being taken in: so many of a hundred are; `None`: all.
    Indexed(Option<u8>),
}

/// About files of the person, and what this disk did not take.
#[derive(Clone, Debug, PartialEq)]
pub enum DiskUpdate {
    /// How many readings this disk did not take since the start.
    ReadingsNotKept(u64),
    /// A file that they asked for was saved, or not.
    Exported(Exported),
    /// Messages and readings that they asked for are being saved, or not.
    Archived(Archived),
    /// A text was saved to this file, or could not be, in the system's words. With the request's number.
    TextSaved(u64, Result<PathBuf, String>),
    /// A picture was decoded, or is none. With the request's number.
    PictureDecoded(u64, Thumbnail),
}

/// About the local network.
#[derive(Clone, Debug, PartialEq)]
pub enum NetworkUpdate {
    /// How the own server stands on the local network.
    Lan(Lan),
    /// The servers that others announce there.
    Nearby(Nearby),
}
