//! [`Model`]: all that a window shows, and [`Model::apply`], the one way to change it. Pure; replays and duplicates
//! of what a hub sends end in the same state.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use super::archive::Archived;
use super::autostart::Autostart;
use super::banner::Banner;
use super::chat::Chat;
use super::device::{DeviceId, Freshness, Spec, Status};
use super::device_choices::{DeviceChoice, DeviceChoices};
use super::devices::{self, Device, Devices, Latest};
use super::diagnosis::Diagnosis;
use super::event::{
    ChatEvent, ChoicesUpdate, DiskUpdate, Event, LinkEvent, NetworkUpdate, Paused, SearchUpdate, SetupUpdate,
    TestOutcome, Update,
};
use super::export::Exported;
use super::features::{Feature, Features};
use super::files::{Files, Thumbnail};
use super::id::{ConnectionId, Epoch};
use super::known::{Known, MAX_MARK_CHARS, device_label, person_line};
use super::lan::{Lan, Nearby};
use super::link_state::LinkState;
use super::log::{Log, Note};
use super::notices::NoticeChoices;
use super::preferences::Preferences;
use super::profile::{NewerProfile, Profile, Secret};
use super::proxy::ProxyUsed;
use super::readings::Part;
use super::rights::Management;
use super::route::RouteInUse;
use super::samples::Samples;
use super::search::Searching;
use super::time::Time;
use super::topics::Topics;

/// One connection as the window sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Its settings.
    pub profile: Profile,
    /// Its link.
    pub link: LinkState,
    /// How its frames travel; none while it is down, and where only one way leads to the server.
    pub route: Option<RouteInUse>,
    /// The server's name, once known.
    pub server: Option<String>,
    /// What the server offers, or offered last; none before it was reached.
    pub features: Option<Features>,
    /// The hub's wall clock minus ours at the last welcome, in milliseconds.
    pub clock_skew_ms: Option<i64>,
    /// The server's log, by which it is recognized at another address; none before it is known, and where the server
    /// numbers nothing.
    pub log_epoch: Option<Epoch>,
    /// What a foreign server sent last.
    pub samples: Samples,
    /// Why nothing is sent at the moment.
    pub paused: Option<Paused>,
    /// The proxy that the connection that opened last goes through.
    pub proxy: Option<Box<ProxyUsed>>,
    /// Rooms, messages and people.
    pub chat: Chat,
    /// Its devices, and the link itself as one.
    pub devices: Devices,
    /// Every topic seen, of a broker.
    pub topics: Topics,
    /// Devices that were seen there, by their titles, so that those that look alike are told apart.
    pub known_devices: Known,
    /// What an admin's requests came to.
    pub management: Management,
    /// Decoded lines for people.
    pub log: Log,
}

/// All that a window shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Model {
    /// The connections.
    pub connections: BTreeMap<ConnectionId, Connection>,
    /// Whether the app starts when the person signs in.
    pub autostart: Autostart,
    /// Whether all saved connections are among them: at start they come one after the other.
    pub connections_loaded: bool,
    /// Connections that a newer version set up: they are not connected.
    pub newer_connections: Vec<NewerProfile>,
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
    /// The check of a connection that goes on, or went on last.
    pub diagnosis: Option<(ConnectionId, Diagnosis)>,
    /// What became of the last file that was to be saved of a device's past.
    pub exported: Option<Exported>,
    /// How far the last file with messages and readings has come.
    pub archived: Option<Archived>,
    /// How the own server stands on the local network.
    pub lan: Lan,
    /// The servers that others announce there.
    pub nearby: Nearby,
    /// Where the last text was saved that the person wanted as a file, with the request's number.
    pub text_saved: Option<(u64, Result<PathBuf, String>)>,
    /// The last picture that was decoded for the window, with the request's number.
    pub decoded_picture: Option<(u64, Thumbnail)>,
    /// What the window shows of files.
    pub files: Files,
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
            Update::Banner(banner) => {
                if !self.banners.contains(&banner) {
                    self.banners.push(banner);
                }
            }
            Update::BannerOver(banner) => self.banners.retain(|known| *known != banner),
            Update::File(update) => self.files.apply(update),
            Update::Setup(update) => self.apply_setup(update),
            Update::Choices(ChoicesUpdate::Preferences(preferences)) => self.preferences = preferences,
            Update::Choices(ChoicesUpdate::Notices(choices)) => self.notice_choices = choices,
            Update::Choices(ChoicesUpdate::Devices(choices)) => self.choose_devices(choices),
            Update::Choices(ChoicesUpdate::Autostart(autostart)) => self.autostart = autostart,
            Update::Search(update) => self.apply_search(update),
            Update::Disk(DiskUpdate::ReadingsNotKept(count)) => self.readings_not_kept = count,
            Update::Disk(DiskUpdate::Exported(exported)) => self.exported = Some(exported),
            Update::Disk(DiskUpdate::Archived(archived)) => self.archived = Some(archived),
            Update::Disk(DiskUpdate::TextSaved(number, saved)) => self.text_saved = Some((number, saved)),
            Update::Disk(DiskUpdate::PictureDecoded(number, found)) => {
                self.decoded_picture = Some((number, found));
            }
            Update::Network(NetworkUpdate::Lan(lan)) => self.lan = lan,
            Update::Network(NetworkUpdate::Nearby(nearby)) => self.nearby = nearby,
        }
    }

    fn apply_setup(&mut self, update: SetupUpdate) {
        match update {
            SetupUpdate::Configured(profile) => match self.connections.get_mut(&profile.id) {
                Some(connection) => connection.profile = *profile,
                None => {
                    let mut connection = Connection::new(*profile);
                    connection.devices.choose(self.device_choices.of(connection.profile.id));
                    self.connections.insert(connection.profile.id, connection);
                }
            },
            SetupUpdate::Removed(id) => {
                self.connections.remove(&id);
                self.tokens_in_file.remove(&id);
            }
            SetupUpdate::NewerConnections(newer) => self.newer_connections = newer,
            SetupUpdate::Loaded => self.connections_loaded = true,
            SetupUpdate::Test(outcome) => self.test = outcome,
            SetupUpdate::Diagnosis(diagnosis) => self.diagnosis = diagnosis,
            SetupUpdate::FirstSteps(offer) => self.first_steps = offer,
            SetupUpdate::Keyring(trouble) => self.no_keyring = trouble,
            SetupUpdate::TokenInFile(id, true) => _ = self.tokens_in_file.insert(id),
            SetupUpdate::TokenInFile(id, false) => _ = self.tokens_in_file.remove(&id),
            SetupUpdate::ShownToken(shown) => self.shown_token = shown,
        }
    }

    fn apply_search(&mut self, update: SearchUpdate) {
        let searching = &mut self.searching;
        match update {
            SearchUpdate::Found(found) => searching.found = Some(found),
            SearchUpdate::DayFound(found) => searching.day = Some(found),
            SearchUpdate::MessageFound(found) => searching.message = Some(found),
            SearchUpdate::LookedUp(number, found) => searching.lookup = Some((number, Arc::new(found))),
            SearchUpdate::Indexed(percent) => searching.indexed = percent,
        }
    }

    fn choose_devices(&mut self, choices: DeviceChoices) {
        for (id, connection) in &mut self.connections {
            connection.devices.choose(choices.of(*id));
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
            .flat_map(|connection| connection.chat.rooms.values())
            .map(super::chat::Room::shown_unread)
            .sum()
    }
}

impl Connection {
    /// A connection of which nothing is known yet.
    pub fn new(profile: Profile) -> Self {
        Connection {
            profile,
            link: LinkState::Idle,
            server: None,
            features: None,
            clock_skew_ms: None,
            log_epoch: None,
            samples: Samples::default(),
            route: None,
            paused: None,
            proxy: None,
            chat: Chat::default(),
            devices: Devices::default(),
            topics: Topics::default(),
            known_devices: Known::default(),
            management: Management::default(),
            log: Log::default(),
        }
    }

    /// Whether the server offers this, as far as is known: before it was reached, it may.
    pub fn offers(&self, feature: Feature) -> bool {
        self.features.as_ref().is_none_or(|features| features.has(feature))
    }

    /// Whether it is a broker, whose topics can be looked at.
    pub fn has_topics(&self) -> bool {
        self.features.as_ref().is_some_and(|features| features.has(Feature::Topics))
    }

    /// Whether its messages are frames of the socket, as they are.
    pub fn has_frames(&self) -> bool {
        self.features.as_ref().is_some_and(|features| features.has(Feature::Frames))
    }

    /// Whether a device is there, as far as is known.
    pub fn status(&self, device: &Device) -> Status {
        devices::status(device, self.link.is_online(), self.devices.is_complete())
    }

    /// How far a value of a device is to be believed.
    pub fn freshness(&self, device: &Device, latest: &Latest) -> Freshness {
        devices::freshness(self.status(device), latest)
    }

    /// What the person has chosen for a device, if anything.
    pub fn device_choice(&self, device: &DeviceId) -> Option<&DeviceChoice> {
        self.devices.choices().get(device)
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
        self.chat.known.hear(&event);
        self.known_devices.hear_devices(&event);
        match event {
            Event::Link(event) => self.apply_link(now, event),
            Event::Chat(ChatEvent::Restored(stored)) => {
                self.features.clone_from(&stored.features);
                self.log_epoch = stored.epoch;
                self.chat.apply(now, ChatEvent::Restored(stored));
            }
            Event::Chat(event) => {
                if let ChatEvent::LogStarted { epoch, .. } = &event {
                    self.log_epoch = Some(*epoch);
                }
                self.chat.apply(now, event);
            }
            Event::Device(event) => self.devices.apply(event),
            Event::Topic(event) => self.topics.apply(event),
            Event::Log(event) => self.log.apply(now, event),
        }
    }

    fn apply_link(&mut self, now: Time, event: LinkEvent) {
        match event {
            LinkEvent::State(state) => self.link_changed(now, state),
            LinkEvent::Welcomed { me, server, log, now: hub_now, people, rooms, features } => {
                self.features = Some(features);
                self.server = Some(server);
                self.clock_skew_ms = Some(hub_now.since(now.wall_ms));
                self.topics.connected(now);
                self.chat.welcomed(me, log, people, &rooms);
            }
            LinkEvent::Proxy(proxy) => {
                proxy.iter().for_each(|used| self.log.note(now.wall_ms, Note::Proxy(used.clone())));
                self.proxy = proxy;
            }
            LinkEvent::Paused(paused) => self.paused = paused,
            LinkEvent::Route(used) => self.route_changed(now, used),
            LinkEvent::Sampled(sample) => self.samples.push(sample),
            LinkEvent::Managed { id, managed } => self.management.answered(id, managed),
            // Of a connection test, which has no place here.
            LinkEvent::InviteGood { .. } => {}
        }
    }

    /// A WebSocket where there was nothing else is not worth a line in the log.
    fn route_changed(&mut self, now: Time, used: RouteInUse) {
        let before = self.route.replace(used).unwrap_or(RouteInUse::WEBSOCKET);
        if before.without_details() != used.without_details() {
            self.log.note(now.wall_ms, Note::Route(used));
        }
    }

    fn link_changed(&mut self, now: Time, state: LinkState) {
        if !matches!(state, LinkState::Online { .. } | LinkState::Handshaking { .. }) {
            self.route = None;
        }
        if state.code() != self.link.code() {
            let why = state.why().cloned().map(Box::new);
            self.log.note(now.wall_ms, Note::State { text: state.code().to_owned(), why });
        }
        if self.link.is_online() && !state.is_online() {
            self.devices.disconnected();
            self.topics.disconnected();
        }
        if !state.is_online() {
            self.chat.disconnected();
        }
        self.link = state;
    }
}
