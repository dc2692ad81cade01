//! [`Model`]: all that a window shows, and [`Model::apply`], the one way to change it. Pure; replays and duplicates
//! of what a hub sends end in the same state.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::chat::{Delivery, Entry, EntryKind, Message, OutboxItem, Position, Principal, Refusal, Sender};
use super::device::{DeviceId, Freshness, Spec, Status};
use super::device_choices::{DeviceChoice, DeviceChoices, ServerChoices};
use super::devices::{self, Device, Devices, Latest};
use super::event::{Event, Listed, LogRestart, Page, Paused, Person, Side, Stored, TestOutcome, Update};
use super::export::Exported;
use super::features::{Feature, Features};
use super::id::{ConnectionId, MessageId, Offset, PrincipalId, RoomName};
use super::known::{Known, MAX_MARK_CHARS, Shown, device_label, person_line};
use super::lan::{Lan, Nearby};
use super::link_state::LinkState;
use super::log::{Log, Note};
use super::notices::{NoticeChoices, mentions};
use super::preferences::Preferences;
use super::profile::{Profile, Secret};
use super::readings::Part;
use super::rights::Management;
use super::search::Searching;
use super::time::{BootMs, Time};
use super::window::{Edge, Window};
use crate::model::event::{ChatEvent, DeviceEvent, LinkEvent, LogEvent};

/// Maximum number of rooms of one connection; the others are not shown.
pub const MAX_ROOMS: usize = 10_000;
/// Maximum number of people of one connection; the others are not shown.
pub const MAX_PEOPLE: usize = 10_000;
/// Maximum number of bytes of messages in memory of one connection. Of rooms that nobody looks at the oldest go first:
/// they are on disk.
pub const MAX_MESSAGE_BYTES: usize = 32 * 1024 * 1024;
/// Maximum number of people typing in one room, and in all rooms of a connection; of others nothing is said.
const MAX_TYPING: (usize, usize) = (32, 1_024);
/// How often notices that have expired are looked for where there are too many, in milliseconds.
const TYPING_SWEEP_MS: u64 = 1_000;

/// Something to tell above everything else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Banner {
    /// There is little space left on the disk: what servers send is not written any more, what is typed is.
    DiskLow,
    /// The disk is full: what is typed and received stays in memory.
    DiskFull,
    /// The database cannot be written.
    DiskReadOnly {
        /// The system's words.
        detail: String,
    },
    /// The database was damaged, and was set aside untouched; a new one was begun.
    DatabaseSetAside {
        /// Where the damaged one is now.
        path: PathBuf,
    },
    /// The database is of a later version; it is left untouched, and nothing is kept.
    DatabaseNewer {
        /// Where it is.
        path: PathBuf,
    },
    /// The settings could not be read and were set aside.
    SettingsSetAside {
        /// Where they are now.
        path: PathBuf,
    },
    /// What devices say cannot be written to the disk: their past will have holes.
    ReadingsNotWritten {
        /// The system's words.
        detail: String,
    },
    /// What devices said was damaged on the disk, and was set aside untouched; a new file was begun.
    ReadingsSetAside {
        /// Where the damaged one is now.
        path: PathBuf,
    },
    /// A part of the app failed and was started again.
    Restarted,
    /// The secret of a connection could not be kept by this computer: it will be asked for again.
    SecretNotKept {
        /// Of which connection.
        connection: ConnectionId,
        /// The system's words.
        detail: String,
    },
    /// No program took a link that was to be opened.
    LinkNotOpened {
        /// Its address.
        url: String,
        /// The system's words.
        detail: String,
    },
}

/// One room as the window sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Room {
    /// The messages in memory.
    pub window: Window,
    /// The newest message of all, in memory or not.
    pub newest: Position,
    /// What the person has read.
    pub read: Position,
    /// Messages by others after `read`.
    pub unread: u64,
    /// How many of these name the person.
    pub mentions: u64,
    /// Typed and not sent, as last kept.
    pub draft: String,
    /// Who is typing, and until when to believe it.
    pub typing: BTreeMap<PrincipalId, (String, BootMs)>,
    /// Whether older messages are being fetched.
    pub loading_older: bool,
    /// Whether newer messages are being fetched.
    pub loading_newer: bool,
    /// When somebody last looked at it: counts looks at all rooms of the connection.
    looked_at: Aside<u64>,
}

/// Bookkeeping that says nothing of what is shown: two models that differ in it alone are the same.
#[derive(Copy, Clone, Debug, Default)]
struct Aside<T>(T);

impl<T> PartialEq for Aside<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<T> Eq for Aside<T> {}

/// What of a server's does not fit in.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Some rooms: there are more than [`MAX_ROOMS`].
    pub rooms: bool,
    /// Some people: there are more than [`MAX_PEOPLE`].
    pub people: bool,
}

/// One connection as the window sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Its settings.
    pub profile: Profile,
    /// Its link.
    pub link: LinkState,
    /// Who we are there, once known.
    pub me: Option<Principal>,
    /// The server's name, once known.
    pub server: Option<String>,
    /// What the server offers, or offered last; none before it was reached.
    pub features: Option<Features>,
    /// Everyone who may chat.
    pub people: BTreeMap<PrincipalId, Person>,
    /// Who was seen there, so that people whose names look alike are told apart.
    pub known: Known,
    /// The same of devices, by their titles.
    pub known_devices: Known,
    /// The rooms.
    pub rooms: BTreeMap<RoomName, Room>,
    /// What has not yet come back as an entry, by `seq`.
    pub outbox: BTreeMap<u64, OutboxItem>,
    /// The hub's wall clock minus ours at the last welcome, in milliseconds.
    pub clock_skew_ms: Option<i64>,
    /// Offsets up to here were replayed: the hub's head at the last welcome.
    pub head: Offset,
    /// The last offset received in the current era.
    pub received_to: Offset,
    /// Why the current era began.
    pub era_began: LogRestart,
    /// The last room that could not be made, and why.
    pub room_refused: Option<(RoomName, Refusal)>,
    /// Why nothing is sent at the moment.
    pub paused: Option<Paused>,
    /// Its devices, and the link itself as one.
    pub devices: Devices,
    /// What the person has chosen for single devices.
    pub device_choices: ServerChoices,
    /// Decoded lines for people.
    pub log: Log,
    /// What of the server's there is no room for.
    pub left_out: LeftOut,
    /// Bytes of messages in all windows.
    message_bytes: usize,
    /// How many people are typing, those included that no longer are; when to count anew.
    typing: Aside<(usize, BootMs)>,
    looks: Aside<u64>,
    /// What an admin's requests came to.
    pub management: Management,
    era: u32,
    era_from: Offset,
    era_has_entries: bool,
}

/// All that a window shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Model {
    /// The connections.
    pub connections: BTreeMap<ConnectionId, Connection>,
    /// What to tell above everything else.
    pub banners: Vec<Banner>,
    /// How many readings this disk did not take since the start: they were shown, and are not in the stored past.
    pub readings_not_kept: u64,
    /// How the person wants the window to be.
    pub preferences: Preferences,
    /// Of what they want to be told otherwise than usual.
    pub notice_choices: NoticeChoices,
    /// What they have chosen for single devices. Each connection has its own of it.
    pub device_choices: DeviceChoices,
    /// Where everything is kept.
    pub data_dir: PathBuf,
    /// Why the system's keyring cannot be asked, in the system's words; none while nobody came upon that.
    pub no_keyring: Option<String>,
    /// The connections whose tokens are in a file, because the person wants that.
    pub tokens_in_file: BTreeSet<ConnectionId>,
    /// A token that the person wants to copy.
    pub shown_token: Option<(ConnectionId, Secret)>,
    /// Whether to offer the first steps.
    pub first_steps: bool,
    /// How the last connection test ended.
    pub test: Option<TestOutcome>,
    /// What became of the last file that was to be saved of a device's past.
    pub exported: Option<Exported>,
    /// How the own server stands on the local network.
    pub lan: Lan,
    /// The servers that others announce there.
    pub nearby: Nearby,
    /// Where the last text was saved that the person wanted as a file, with the request's number.
    pub text_saved: Option<(u64, Result<PathBuf, String>)>,
    /// What was searched for and found.
    pub searching: Searching,
}

impl Model {
    /// Takes one update in.
    pub fn apply(&mut self, now: Time, update: Update) {
        match update {
            Update::Connection(id, event) => {
                if let Some(connection) = self.connections.get_mut(&id) {
                    connection.apply(now, event);
                }
            }
            Update::Configured(profile) => match self.connections.get_mut(&profile.id) {
                Some(connection) => connection.profile = profile,
                None => {
                    let mut connection = Connection::new(profile);
                    connection.device_choices = self.device_choices.of(connection.profile.id);
                    self.connections.insert(connection.profile.id, connection);
                }
            },
            Update::Removed(id) => {
                self.connections.remove(&id);
                self.tokens_in_file.remove(&id);
            }
            Update::Banner(banner) => {
                if !self.banners.contains(&banner) {
                    self.banners.push(banner);
                }
            }
            Update::BannerOver(banner) => self.banners.retain(|known| *known != banner),
            Update::ReadingsNotKept(count) => self.readings_not_kept = count,
            Update::Preferences(preferences) => self.preferences = preferences,
            Update::NoticeChoices(choices) => self.notice_choices = choices,
            Update::DeviceChoices(choices) => self.choose_devices(choices),
            Update::Exported(exported) => self.exported = Some(exported),
            Update::Keyring(trouble) => self.no_keyring = trouble,
            Update::TokenInFile(id, true) => _ = self.tokens_in_file.insert(id),
            Update::TokenInFile(id, false) => _ = self.tokens_in_file.remove(&id),
            Update::ShownToken(shown) => self.shown_token = shown,
            Update::FirstSteps(offer) => self.first_steps = offer,
            Update::Test(outcome) => self.test = outcome,
            Update::Lan(lan) => self.lan = lan,
            Update::Nearby(nearby) => self.nearby = nearby,
            Update::Found(found) => self.searching.found = Some(found),
            Update::DayFound(found) => self.searching.day = Some(found),
            Update::TextSaved(number, saved) => self.text_saved = Some((number, saved)),
            Update::Indexed(percent) => self.searching.indexed = percent,
        }
    }

    fn choose_devices(&mut self, choices: DeviceChoices) {
        for (id, connection) in &mut self.connections {
            let own = choices.of(*id);
            if connection.device_choices != own {
                connection.device_choices = own;
                connection.devices.rearrange();
            }
        }
        self.device_choices = choices;
    }

    /// Takes a part of a frame of readings in: the same as [`DeviceEvent::Readings`], for a frame so big that the window would
    /// wait for it. See [`super::device::Readings::parts`].
    pub fn read(&mut self, connection: ConnectionId, part: &Part<'_>) {
        if let Some(connection) = self.connections.get_mut(&connection) {
            connection.devices.read(part);
        }
    }

    /// Unread messages over all connections.
    pub fn unread(&self) -> u64 {
        self.connections
            .values()
            .flat_map(|connection| connection.rooms.values())
            .map(|room| room.unread)
            .sum()
    }
}

impl Connection {
    /// A connection of which nothing is known yet.
    pub fn new(profile: Profile) -> Self {
        Connection {
            profile,
            link: LinkState::Idle,
            me: None,
            server: None,
            features: None,
            people: BTreeMap::new(),
            known: Known::default(),
            known_devices: Known::default(),
            rooms: BTreeMap::new(),
            outbox: BTreeMap::new(),
            clock_skew_ms: None,
            head: 0,
            received_to: 0,
            era_began: LogRestart::First,
            room_refused: None,
            paused: None,
            devices: Devices::default(),
            device_choices: ServerChoices::default(),
            log: Log::default(),
            left_out: LeftOut::default(),
            message_bytes: 0,
            typing: Aside::default(),
            looks: Aside::default(),
            management: Management::default(),
            era: 0,
            era_from: 0,
            era_has_entries: false,
        }
    }

    /// The current era.
    pub fn era(&self) -> u32 {
        self.era
    }

    /// Whether the server offers this, as far as is known: before it was reached, it may.
    pub fn offers(&self, feature: Feature) -> bool {
        self.features.as_ref().is_none_or(|features| features.has(feature))
    }

    /// Whether a device is there, as far as is known.
    pub fn status(&self, device: &Device) -> Status {
        devices::status(device, self.link.is_online(), self.devices.is_complete())
    }

    /// How far a value of a device is to be believed.
    pub fn freshness(&self, device: &Device, latest: &Latest) -> Freshness {
        devices::freshness(self.status(device), latest)
    }

    /// Whether everything up to the hub's head at the last welcome has arrived.
    pub fn caught_up(&self) -> bool {
        self.received_to >= self.head
    }

    /// What waits in one room, in order.
    pub fn outbox_of(&self, room: &RoomName) -> impl Iterator<Item = &OutboxItem> {
        self.outbox.values().filter(move |item| item.room == *room)
    }

    /// How to show somebody, told apart from everybody else who was seen there.
    pub fn shown(&self, who: &Sender, most_chars: usize) -> Shown {
        self.known.shown(&who.id, &who.name, most_chars)
    }

    /// What the person has chosen for a device, if anything.
    pub fn device_choice(&self, device: &DeviceId) -> Option<&DeviceChoice> {
        self.device_choices.get(device)
    }

    /// What a device is called, and the id to show beside that: of a device that has the person's own name, and where
    /// another one's title looks the same.
    pub fn device_name<'a>(&'a self, spec: &'a Spec) -> (&'a str, Option<String>) {
        match self.device_choice(&spec.id).map(|choice| choice.name.as_str()) {
            Some(own) if !own.is_empty() => {
                let id = spec.id.as_str();
                (own, (own != id).then(|| person_line(id, MAX_MARK_CHARS)))
            }
            _ => (spec.title(), self.known_devices.device_mark(spec)),
        }
    }

    /// The title of a device, with its id where that is shown.
    pub fn device_title(&self, device: &Device, most_chars: usize) -> String {
        let (name, mark) = self.device_name(&device.spec);
        device_label(name, mark.as_deref(), most_chars)
    }

    /// Takes one event in.
    pub fn apply(&mut self, now: Time, event: Event) {
        self.known.hear(&event);
        self.known_devices.hear_devices(&event);
        match event {
            Event::Link(LinkEvent::State(state)) => self.link_changed(now, state),
            Event::Link(LinkEvent::Welcomed { me, server, head, now: hub_now, people, rooms, features }) => {
                self.features = Some(features);
                for name in rooms {
                    self.make_room(&name);
                }
                self.me = Some(me);
                self.server = Some(server);
                self.head = head;
                self.clock_skew_ms = Some(hub_now.saturating_sub(now.wall_ms));
                for item in self.outbox.values_mut() {
                    item.beyond(head);
                }
                self.left_out.people = false;
                self.people.clear();
                people.into_iter().for_each(|person| self.person(person));
            }
            Event::Chat(ChatEvent::Listed(listed)) => self.listed(listed),
            Event::Chat(ChatEvent::LogStarted { from, why, .. }) => self.log_started(from, why),
            Event::Chat(ChatEvent::Entries { entries, live }) => {
                for entry in entries {
                    self.entry(entry, live);
                }
                for item in self.outbox.values_mut() {
                    item.passed_by(self.received_to);
                }
            }
            Event::Chat(ChatEvent::Acknowledged { id, offset, received }) => {
                if offset <= self.received_to {
                    // It was stored earlier, at a place that the log has passed: its entry will not come back.
                    self.outbox.retain(|_, item| item.id != id);
                } else {
                    self.set_delivery(id, Delivery::Acknowledged { offset, received });
                }
            }
            Event::Chat(ChatEvent::Refused { id, refusal }) => {
                self.set_delivery(id, Delivery::Failed(refusal))
            }
            Event::Chat(ChatEvent::Postponed { id, unseen: true }) => {
                self.set_delivery(id, Delivery::Pending)
            }
            Event::Chat(ChatEvent::Postponed { unseen: false, .. }) => {}
            Event::Link(LinkEvent::Paused(paused)) => self.paused = paused,
            Event::Chat(ChatEvent::Typing { room, who, until }) => self.typing(now, &room, who, until),
            Event::Chat(ChatEvent::Presence(person)) => {
                if let Some(me) = self.me.as_mut().filter(|me| me.id == person.who.id) {
                    me.name.clone_from(&person.who.name);
                }
                self.person(person);
            }
            Event::Chat(ChatEvent::PersonRemoved(id)) => {
                self.people.remove(&id);
            }
            Event::Link(LinkEvent::Managed { id, managed }) => self.management.answered(id, managed),
            Event::Chat(ChatEvent::ReadMarker { room, offset }) => {
                self.look_at(&room);
                self.mark_read(&room, offset);
            }
            Event::Chat(ChatEvent::History { room, entries, complete, .. }) => {
                self.history(room, entries, complete)
            }
            Event::Chat(ChatEvent::HistoryFailed { room }) => {
                if let Some(room) = self.rooms.get_mut(&room) {
                    room.loading_older = false;
                }
            }
            Event::Chat(ChatEvent::RoomRefused { room, refusal }) => {
                self.room_refused = Some((room, refusal))
            }
            Event::Device(DeviceEvent::Listed { devices, started, more }) => {
                self.devices.listed(devices, started, more)
            }
            Event::Device(DeviceEvent::Announced(state)) => self.devices.announced(*state),
            Event::Device(DeviceEvent::Presence { device, online, since, reason }) => {
                self.devices.presence(&device, online, since, reason);
            }
            Event::Device(DeviceEvent::Silent { device, since }) => self.devices.silent(&device, since),
            Event::Device(DeviceEvent::Readings(readings)) => self.devices.read(&readings.whole()),
            Event::Device(DeviceEvent::LocalReadings(readings)) => self.devices.read_local(&readings.whole()),
            Event::Device(DeviceEvent::Commanded(command)) => self.devices.commanded(*command),
            Event::Device(DeviceEvent::Logged { device, lines }) => self.devices.logged(&device, lines),
            Event::Device(DeviceEvent::SeriesPaged { device, metric, page }) => {
                self.devices.paged(device, metric, page)
            }
            Event::Device(DeviceEvent::States { device, metric, changes }) => {
                self.devices.states_read(device, metric, changes)
            }
            Event::Device(DeviceEvent::Restored(states)) => self.devices.restored(states),
            // For the publisher beside the model.
            Event::Device(DeviceEvent::CommandGiven { .. })
            | Event::Device(DeviceEvent::PublishRefused { .. }) => {}
            // Of a connection test, which has no place here.
            Event::Link(LinkEvent::InviteGood { .. }) => {}
            Event::Log(LogEvent::Note(note)) => self.log.note(now.wall_ms, note),
            Event::Log(LogEvent::Passed(passed)) => self.log.frame(now.wall_ms, *passed),
            Event::Log(LogEvent::Watched(watched)) => self.log.watch(watched),
            Event::Log(LogEvent::Cleared) => self.log.clear(),
            Event::Log(LogEvent::Saved(saved)) => self.log.saved = Some(saved),
            Event::Chat(ChatEvent::Restored(stored)) => self.restored(stored),
            Event::Chat(ChatEvent::Queued(item)) => self.queued(item),
            Event::Chat(ChatEvent::Unqueued(id)) => self.outbox.retain(|_, item| item.id != id),
            Event::Chat(ChatEvent::Attempted(ids)) => {
                for id in ids {
                    self.set_delivery(id, Delivery::Attempted);
                }
            }
            Event::Chat(ChatEvent::Paged { room, side, page }) => {
                self.change_window(&room, |room| {
                    *room.loading(side) = false;
                    room.window.extend(side, page);
                    room.mend_end();
                });
            }
            Event::Chat(ChatEvent::Jumped { room, page }) => {
                self.change_window(&room, |room| {
                    (room.loading_older, room.loading_newer) = (false, false);
                    room.window = Window::from_page(page);
                    room.mend_end();
                });
            }
            Event::Chat(ChatEvent::Loading { room, side, loading }) => {
                if let Some(room) = self.look_at(&room) {
                    *room.loading(side) = loading;
                }
            }
            Event::Chat(ChatEvent::Counted { room, read, newest, unread, mentions }) => {
                if let Some(room) = self.rooms.get_mut(&room)
                    && (room.read, room.newest) == (read, newest)
                {
                    (room.unread, room.mentions) = (unread, mentions);
                }
            }
            Event::Chat(ChatEvent::Draft { room, text }) => {
                if let Some(room) = self.make_room(&room) {
                    room.draft = text;
                }
            }
        }
    }

    /// What is listed after the welcome adds to what that said.
    fn listed(&mut self, listed: Listed) {
        for name in listed.rooms {
            self.make_room(&name);
        }
        listed.people.into_iter().for_each(|person| self.person(person));
        for (room, offset) in listed.read {
            self.mark_read(&room, offset);
        }
    }

    fn mark_read(&mut self, room: &RoomName, offset: Offset) {
        let position = Position { era: self.era, offset };
        if let Some(room) = self.rooms.get_mut(room) {
            room.mark_read(position, self.me.as_ref());
        }
    }

    fn link_changed(&mut self, now: Time, state: LinkState) {
        if state.code() != self.link.code() {
            let why = state.why().cloned().map(Box::new);
            self.log.note(now.wall_ms, Note::State { text: state.code().to_owned(), why });
        }
        if self.link.is_online() && !state.is_online() {
            self.devices.disconnected();
        }
        if !state.is_online() {
            self.typing.0.0 = 0;
            for room in self.rooms.values_mut() {
                room.typing.clear();
                if room.window.before == Edge::Hub {
                    room.loading_older = false;
                }
            }
        }
        self.link = state;
    }

    fn log_started(&mut self, from: Offset, why: LogRestart) {
        if self.era == 0 || self.era_has_entries {
            self.era += 1;
            self.era_has_entries = false;
            self.era_began = why;
        }
        self.received_to = from.saturating_sub(1);
        self.era_from = from;
        let unseen = self.edge_of_unseen();
        // What an earlier log still had at the hub is gone with it.
        let is_open = |room: &&mut Room| room.window.is_empty() || room.window.before == Edge::Hub;
        for room in self.rooms.values_mut().filter(is_open) {
            room.window.before = unseen;
        }
        // What was acknowledged and has not come back was in the log that is gone: it is sent again.
        if why != LogRestart::First {
            for item in self.outbox.values_mut() {
                item.passed_by(Offset::MAX);
            }
        }
    }

    fn entry(&mut self, entry: Entry, live: bool) {
        let position = Position { era: self.era, offset: entry.offset };
        self.era_has_entries = true;
        self.received_to = self.received_to.max(entry.offset);
        let mine = self.my_id().as_ref() == Some(&entry.sender.id);
        if mine {
            self.outbox.retain(|_, item| item.id != entry.id);
        }
        let is_message = entry.kind == EntryKind::Message;
        if entry.kind == EntryKind::Unknown {
            return;
        }
        if self.room_refused.as_ref().is_some_and(|(name, _)| *name == entry.room) {
            self.room_refused = None;
        }
        if !is_message {
            // The room begins here: nothing of it is older.
            if !self.rooms.contains_key(&entry.room)
                && let Some(room) = self.make_room(&entry.room)
            {
                room.window.before = Edge::End;
            }
            return;
        }
        let names_me = !mine && self.me.as_ref().is_some_and(|me| mentions(&entry.body, &me.name));
        // Without room for its room it is on disk alone.
        let Some(room) = self.make_room(&entry.room) else { return };
        let bytes = room.window.bytes();
        room.typing.remove(&entry.sender.id);
        // Of an earlier era: it moves to this one.
        let was_counted = room.window.position(entry.id).is_some_and(|earlier| earlier > room.read);
        if position > room.newest {
            room.newest = position;
            if !mine && position > room.read && !was_counted {
                room.unread += 1;
                room.mentions += u64::from(names_me);
            }
        }
        room.window.append(message(entry, position, live));
        let more = room.window.bytes();
        self.count_messages(bytes, more);
    }

    fn history(&mut self, name: RoomName, entries: Vec<Entry>, complete: bool) {
        let era = self.era;
        let Some(room) = self.rooms.get_mut(&name) else { return };
        room.loading_older = false;
        if room.window.before != Edge::Hub {
            return;
        }
        let messages = entries
            .into_iter()
            .filter(|entry| entry.kind == EntryKind::Message)
            .map(|entry| {
                let position = Position { era, offset: entry.offset };
                message(entry, position, false)
            })
            .collect();
        let page = Page { messages, older_on_disk: false, older_on_hub: !complete, newer_on_disk: false };
        self.change_window(&name, |room| room.window.extend(Side::Older, page));
    }

    fn restored(&mut self, stored: Stored) {
        self.me = stored.me;
        self.features = stored.features;
        self.era = stored.era;
        self.era_from = stored.era_from;
        self.era_has_entries = stored.era_has_entries;
        self.received_to = stored.received_to;
        self.outbox = stored.outbox.into_iter().map(|item| (item.seq, item)).collect();
        for room in stored.rooms {
            if self.rooms.len() >= MAX_ROOMS && !self.rooms.contains_key(&room.name) {
                self.left_out.rooms = true;
                continue;
            }
            let page = Page {
                messages: room.messages,
                older_on_disk: room.older_on_disk,
                older_on_hub: room.older_on_hub,
                newer_on_disk: false,
            };
            let restored = Room {
                window: Window::from_page(page),
                newest: room.newest,
                read: room.read,
                unread: room.unread,
                mentions: room.mentions,
                draft: room.draft,
                ..Room::default()
            };
            self.message_bytes += restored.window.bytes();
            if let Some(replaced) = self.rooms.insert(room.name, restored) {
                self.message_bytes -= replaced.window.bytes();
            }
        }
        self.count_messages(0, 0);
    }

    fn queued(&mut self, item: OutboxItem) {
        self.outbox.retain(|_, known| known.id != item.id);
        let arrived = self.rooms.get(&item.room).is_some_and(|room| room.window.contains(item.id));
        if !arrived {
            self.outbox.insert(item.seq, item);
        }
    }

    fn set_delivery(&mut self, id: MessageId, delivery: Delivery) {
        if let Some(item) = self.outbox.values_mut().find(|item| item.id == id) {
            item.deliver(delivery);
        }
    }

    fn typing(&mut self, now: Time, name: &RoomName, who: Sender, until: BootMs) {
        let (count, sweep_at) = &mut self.typing.0;
        if *count >= MAX_TYPING.1 && now.boot_ms >= *sweep_at {
            (*count, *sweep_at) = (0, now.boot_ms.saturating_add(TYPING_SWEEP_MS));
            for room in self.rooms.values_mut() {
                room.typing.retain(|_, (_, until)| *until > now.boot_ms);
                *count += room.typing.len();
            }
        }
        if self.me.as_ref().is_some_and(|me| me.id == who.id) {
            return;
        }
        let Some(room) = self.rooms.get_mut(name) else { return };
        if room.typing.len() >= MAX_TYPING.0 {
            room.typing.retain(|_, (_, until)| *until > now.boot_ms);
        }
        let has_room = room.typing.len() < MAX_TYPING.0 && *count < MAX_TYPING.1;
        if has_room || room.typing.contains_key(&who.id) {
            let known = room.typing.insert(who.id, (who.name, until));
            *count += usize::from(known.is_none());
        }
    }

    fn person(&mut self, person: Person) {
        if self.people.len() < MAX_PEOPLE || self.people.contains_key(&person.who.id) {
            self.people.insert(person.who.id.clone(), person);
        } else {
            self.left_out.people = true;
        }
    }

    fn my_id(&self) -> Option<PrincipalId> {
        self.me.as_ref().map(|me| me.id.clone())
    }

    /// What lies before the first message of a room of which nothing is on disk.
    fn edge_of_unseen(&self) -> Edge {
        if self.era == 1 && self.era_from > 1 { Edge::Hub } else { Edge::End }
    }

    /// A room; a new one, if there is room for it.
    fn make_room(&mut self, name: &RoomName) -> Option<&mut Room> {
        if !self.rooms.contains_key(name) {
            if self.rooms.len() >= MAX_ROOMS {
                self.left_out.rooms = true;
                return None;
            }
            let window = Window::empty(self.edge_of_unseen());
            self.rooms.insert(name.clone(), Room { window, ..Room::default() });
        }
        self.rooms.get_mut(name)
    }

    /// A room that somebody looks at.
    fn look_at(&mut self, name: &RoomName) -> Option<&mut Room> {
        self.looks.0 += 1;
        let room = self.rooms.get_mut(name)?;
        room.looked_at = self.looks;
        Some(room)
    }

    /// Changes what a room holds in memory.
    fn change_window(&mut self, name: &RoomName, change: impl FnOnce(&mut Room)) {
        let Some(room) = self.look_at(name) else { return };
        let before = room.window.bytes();
        change(room);
        let after = room.window.bytes();
        self.count_messages(before, after);
    }

    /// A window that took so many bytes takes so many now. Where all of them are too much, rooms that nobody looks at let
    /// go of their older messages.
    fn count_messages(&mut self, before: usize, after: usize) {
        self.message_bytes = self.message_bytes + after - before;
        if self.message_bytes <= MAX_MESSAGE_BYTES {
            return;
        }
        let last_seen = self.rooms.values().map(|room| room.looked_at.0).max().filter(|look| *look > 0);
        // Half of it, so that it is not the same again at once.
        for each in [64 * 1024, 4 * 1024, 0] {
            for room in self.rooms.values_mut().filter(|room| Some(room.looked_at.0) != last_seen) {
                let bytes = room.window.bytes();
                room.window.shrink(each);
                self.message_bytes -= bytes - room.window.bytes();
            }
            if self.message_bytes <= MAX_MESSAGE_BYTES / 2 {
                return;
            }
        }
    }
}

impl Room {
    fn loading(&mut self, side: Side) -> &mut bool {
        match side {
            Side::Older => &mut self.loading_older,
            Side::Newer => &mut self.loading_newer,
        }
    }

    /// A page that was read before the newest message came does not know of it.
    fn mend_end(&mut self) {
        let last = self.window.last().map(|message| message.position).unwrap_or_default();
        if self.window.after == Edge::End && last < self.newest {
            self.window.after = Edge::Disk;
        }
    }

    fn mark_read(&mut self, position: Position, me: Option<&Principal>) {
        if position <= self.read {
            return;
        }
        self.read = position;
        if position >= self.newest {
            (self.unread, self.mentions) = (0, 0);
        } else if self.window.after == Edge::End
            && self.window.first().is_some_and(|m| m.position <= position)
        {
            let is_unread = |m: &&Message| m.position > position && Some(&m.sender.id) != me.map(|me| &me.id);
            let unread = || self.window.from(position).filter(is_unread);
            let names_me = |m: &&Message| me.is_some_and(|me| mentions(&m.body, &me.name));
            let count = unread().count() as u64;
            // Whoever has no mention left has none to look for.
            let named = if self.mentions > 0 { unread().filter(names_me).count() as u64 } else { 0 };
            (self.unread, self.mentions) = (count, named);
        }
    }
}

fn message(entry: Entry, position: Position, live: bool) -> Message {
    Message {
        position,
        id: entry.id,
        sender: entry.sender,
        body: entry.body,
        at: entry.at,
        received: entry.received,
        live,
    }
}
