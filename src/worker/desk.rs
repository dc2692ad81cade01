//! [`Desk`]: the worker's loop. Every input is handled to the end before the next; commits run beside it, one at a time,
//! each with all that has gathered meanwhile.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::pending;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until};

use super::access::Access;
use super::commit::{Committing, Written};
use super::devices::{self, Figures, Fleet};
use super::flush;
use super::line::{Line, Post, Tray};
use super::manage::AskedToken;
use super::nearby::Lookout;
use super::own_hub::{HubAt, OwnHub};
use super::record::Recorder;
use super::{News, Options, Tell, Wake};
use crate::agent::Said;
use crate::clock;
use crate::link::courier::{Courier, Input, Output};
use crate::link::{self, Link};
use crate::model::event::{ChatEvent, LinkEvent, LogRestart, TestOutcome, Update};
use crate::model::export::Exported;
use crate::model::lan::{Lan, NearbyServer};
use crate::model::link_state::{LinkState, Why};
use crate::model::log::Way;
use crate::model::notices::{Moment, Notifier};
use crate::model::profile::Secret;
use crate::model::search::{DayFound, Found};
use crate::model::{
    Banner, ConnectionId, DeviceId, Entry, Event, Intent, LogLine, MetricName, Offset, Position, Profile,
    RoomName, SeriesPage, SharedModel, Time,
};
use crate::settings::{NotKept, SecretStore, Settings};
use crate::store::client::{ClientStore, Health, Write};
use crate::store::readings::{APP_FILE, Keep, ReadingsStore};
use crate::transport::Connection;

/// Posts and opened connections waiting for the worker.
const POSTS: usize = 256;
/// How often both clocks are compared while a link is up, in milliseconds.
const LOOK_MS: u64 = 5_000;
/// Boot time ahead of running time by so much means that the computer slept, in milliseconds.
const SLEPT_MS: u64 = 2_000;

/// One connection at the desk.
pub(super) struct Seat {
    pub(super) profile: Profile,
    pub(super) courier: Courier,
    pub(super) line: Line<ConnectionId>,
    /// How to come in; none until it is known.
    pub(super) access: Option<Access>,
    /// Whether the person wants it connected.
    pub(super) wanted: bool,
    /// The log began anew: once it is replayed up to here, unread messages are counted again, since those that were known
    /// before are no news.
    recount_at: Option<Offset>,
    head: Offset,
    /// Under which number its readings are on disk.
    pub(super) source: u64,
    /// What the link says of itself.
    pub(super) figures: Figures,
    /// Bytes of its changes that wait for the disk, and of their copies that wait to be shown.
    pub(super) unsaved: usize,
    /// Tokens that the server was asked to take and has not answered about.
    pub(super) asked: Vec<AskedToken>,
}

/// What a task beside the loop brings back.
pub(super) enum Done {
    /// Something read from the disk, for the model.
    Show(ConnectionId, Event),
    /// A room's unread messages were counted, or could not be.
    Counted(ConnectionId, Option<Event>),
    /// A search has an answer.
    Found(Arc<Found>),
    /// A jump to a date has an answer.
    DayFound(DayFound),
    /// A text was saved to a file, or could not be.
    TextSaved(u64, Result<PathBuf, String>),
    /// A connection test ended.
    Tested(u64, TestOutcome),
    /// How the app's own hub stands on the local network.
    Lan(Lan),
    /// The servers that others announce there; with the number of the search.
    Nearby(u64, Vec<NearbyServer>),
    /// A server that no longer answered is at this address now.
    FoundAgain(ConnectionId, String),
    /// The app's own hub is up, or could not be started.
    Hub(Result<HubAt, Why>),
    /// A secret came from the keyring, for a connection that waits for it.
    Secret(ConnectionId, Result<Option<Secret>, NotKept>),
    /// A connection whose token is not known any more may have this one.
    OtherToken(ConnectionId, Secret),
    /// A secret was kept, or could not be; and whether it is in a file.
    SecretKept { id: ConnectionId, kept: Result<(), NotKept>, in_file: bool },
    /// Whether a connection's secret is in a file.
    TokenInFile(ConnectionId, bool),
    /// Whether the keyring can be asked.
    Keyring(Result<(), NotKept>),
    /// No program took a link.
    LinkNotOpened { url: String, detail: String },
    /// What became of a file of a device's past.
    Exported(Exported),
    /// This computer says something to its hub.
    Said(Said),
    /// A metric's past, as the disk holds it.
    Series(ConnectionId, DeviceId, MetricName, SeriesPage),
    /// A device's log, as the disk holds it.
    Log(ConnectionId, DeviceId, Vec<LogLine>),
    /// What was held in memory is on disk.
    Written(Written),
}

/// Everything the worker owns.
pub(super) struct Desk {
    pub(super) model: SharedModel,
    pub(super) store: ClientStore,
    pub(super) settings: Settings,
    pub(super) secrets: SecretStore,
    pub(super) seats: BTreeMap<ConnectionId, Seat>,
    pub(super) own_hub: Option<OwnHub>,
    /// Who looks for servers on the local network.
    pub(super) lookout: Lookout,
    pub(super) data_dir: PathBuf,
    pub(super) done: mpsc::Sender<Done>,
    /// The next token that is kept may be in a file.
    pub(super) next_in_file: bool,
    /// The number of the newest connection test; older ones' outcomes are dropped.
    pub(super) test: u64,
    pub(super) fleet: Fleet,
    pub(super) recorder: Recorder,
    /// Of what to tell the person, and who does.
    pub(super) notifier: Notifier,
    tell: Option<Tell>,
    /// What came over the sockets and is not looked at yet: a tray for each connection, in turn.
    pub(super) trays: VecDeque<Tray<ConnectionId>>,
    pub(super) posts: mpsc::Sender<Post<ConnectionId>>,
    pub(super) opened: mpsc::Sender<(ConnectionId, u64, Connection)>,
    updates: Vec<Update>,
    pub(super) unwritten: Vec<(ConnectionId, u64, Write)>,
    /// Rooms whose unread messages are to be counted on disk, and whether one is being counted.
    pub(super) uncounted: BTreeSet<(ConnectionId, RoomName)>,
    pub(super) is_counting: bool,
    /// A file of a device's past is being written.
    pub(super) is_exporting: bool,
    health: Health,
}

/// Runs until the intents end.
pub(super) fn run(
    options: &Options,
    model: &SharedModel,
    wake: &Wake,
    intents: &mut mpsc::Receiver<Intent>,
) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (posts, posted) = mpsc::channel(POSTS);
        let (opened, openings) = mpsc::channel(POSTS);
        let (done, dones) = mpsc::channel(POSTS);
        let mut desk = Desk::set_up(options, model, posts, opened, done).await;
        desk.flush(wake);
        desk.serve(wake, intents, posted, openings, dones).await;
    });
    // Tasks that still wait for a closing handshake have two seconds.
    runtime.shutdown_timeout(Duration::from_millis(200));
    Ok(())
}

impl Desk {
    async fn set_up(
        options: &Options,
        model: &SharedModel,
        posts: mpsc::Sender<Post<ConnectionId>>,
        opened: mpsc::Sender<(ConnectionId, u64, Connection)>,
        done: mpsc::Sender<Done>,
    ) -> Desk {
        let store = ClientStore::open(&options.data_dir);
        let (settings, settings_banner) = Settings::load(&options.data_dir);
        let readings = ReadingsStore::open(&options.data_dir, APP_FILE, Keep::APP);
        let not_kept = readings.as_ref().err().map(|error| {
            log::error!("no readings are kept: {error}");
            Banner::ReadingsNotWritten { detail: error.to_string() }
        });
        let mut desk = Desk {
            model: model.clone(),
            store: store.store,
            settings,
            secrets: SecretStore::new(&options.data_dir),
            seats: BTreeMap::new(),
            own_hub: None,
            lookout: Lookout::default(),
            data_dir: options.data_dir.clone(),
            done,
            next_in_file: false,
            test: 0,
            fleet: Fleet::new(readings.ok()),
            recorder: Recorder::default(),
            notifier: Notifier::default(),
            tell: options.tell.clone(),
            trays: VecDeque::new(),
            posts,
            opened,
            updates: Vec::new(),
            unwritten: Vec::new(),
            uncounted: BTreeSet::new(),
            is_counting: false,
            is_exporting: false,
            health: Health::default(),
        };
        let banners = store.banners.into_iter().chain(settings_banner).chain(not_kept);
        desk.updates.extend(banners.map(Update::Banner));
        desk.prefer(desk.settings.preferences());
        desk.updates.push(Update::NoticeChoices(desk.settings.notice_choices().clone()));
        desk.updates.push(Update::DeviceChoices(desk.settings.device_choices().clone()));
        match &options.only {
            Some((profile, secret)) => {
                let url = profile.urls.first().map_or("", String::as_str);
                let access = match secret {
                    Some(secret) => Some(Access::Token(secret.clone())),
                    // A hub of this user's own needs no token on the command line.
                    None => HubAt::find(None, url).ok().flatten().map(|at| at.access()),
                };
                desk.seat(profile.clone(), access).await;
                desk.connect(profile.id);
            }
            None => desk.set_up_all().await,
        }
        desk
    }

    /// Passwords that somebody wrote into an address go to the keyring, and are in no file from then on.
    async fn keep_passwords(&mut self) {
        let (passwords, secrets) = (self.settings.take_passwords(), self.secrets.clone());
        if passwords.is_empty() {
            return;
        }
        let kept = tokio::task::spawn_blocking(move || {
            passwords.iter().try_for_each(|(id, password)| secrets.set(*id, password)).err()
        });
        if let Ok(Some(error)) = kept.await {
            log::warn!("a password of an address lives as long as the window: {error}");
        }
        if let Err(error) = self.settings.save_without_copy() {
            log::error!("a password is still in the settings: {error}");
        }
    }

    async fn set_up_all(&mut self) {
        self.keep_passwords().await;
        let first_steps = !self.settings.first_steps_done();
        self.updates.push(Update::FirstSteps(first_steps));
        self.seat(OwnHub::profile(), None).await;
        self.own_hub = Some(OwnHub::start(self.data_dir.clone(), self.settings.lan(), self.done.clone()));
        self.start_computer();
        let connect_at_start = self.settings.preferences().connect_at_start;
        for profile in self.settings.profiles().to_vec() {
            let (id, auto_connect) = (profile.id, profile.auto_connect);
            self.seat(profile, None).await;
            if auto_connect && connect_at_start {
                self.connect(id);
            }
        }
    }

    /// Takes a connection in: what the disk holds of it shows at once.
    pub(super) async fn seat(&mut self, profile: Profile, access: Option<Access>) {
        let id = profile.id;
        let loaded = self.store.load(id).await.unwrap_or_else(|error| {
            log::error!("connection {id:?} cannot be read from the disk: {error}");
            Default::default()
        });
        let now = clock::now();
        let me = loaded.stored.me.as_ref().map(|me| me.id.clone());
        let setup = access.as_ref().unwrap_or(&Access::Nobody).setup(&profile, true);
        let seed = clock::random::<8>().map_or(now.boot_ms, u64::from_le_bytes);
        let mut link = Link::new(profile.urls.clone(), Box::new(setup), loaded.saved, me, seed);
        link.set_reconnects(profile.reconnects());
        link.know_rooms(loaded.stored.rooms.iter().map(|room| &room.name));
        let courier = Courier::new(link, now, loaded.stored.outbox.clone());
        let line = Line::new(id, self.posts.clone(), self.opened.clone());
        let source = devices::source(&profile);
        self.updates.push(Update::Configured(profile.clone()));
        self.updates.push(Update::Connection(id, Event::Chat(ChatEvent::Restored(loaded.stored))));
        self.restore_devices(id, source);
        self.log_seated(id);
        let (wanted, recount_at, head, figures) = (false, None, 0, Figures::default());
        let (unsaved, asked) = (0, Vec::new());
        let seat = Seat {
            profile,
            courier,
            line,
            access,
            wanted,
            recount_at,
            head,
            source,
            figures,
            unsaved,
            asked,
        };
        self.seats.insert(id, seat);
    }

    /// Connects, as soon as it is known how to come in.
    pub(super) fn connect(&mut self, id: ConnectionId) {
        let Some(seat) = self.seats.get_mut(&id) else { return };
        seat.wanted = true;
        if let Some(access) = &seat.access {
            let link = seat.courier.link_mut();
            link.set_setup(Box::new(access.setup(&seat.profile, true)));
            link.set_reconnects(seat.profile.reconnects());
            self.tell(id, Input::Link(link::Input::Start));
        } else if id == ConnectionId::OWN_HUB {
            if self.own_hub.as_ref().is_some_and(OwnHub::is_over) {
                self.own_hub =
                    Some(OwnHub::start(self.data_dir.clone(), self.settings.lan(), self.done.clone()));
            }
        } else {
            let (secrets, done) = (self.secrets.clone(), self.done.clone());
            tokio::task::spawn_blocking(move || {
                let secret = secrets.get(id);
                let in_file = secrets.is_in_file(id);
                // The worker is gone if nobody takes it.
                let _ = done.blocking_send(Done::TokenInFile(id, in_file));
                let _ = done.blocking_send(Done::Secret(id, secret));
            });
        }
    }

    async fn serve(
        &mut self,
        wake: &Wake,
        intents: &mut mpsc::Receiver<Intent>,
        mut posted: mpsc::Receiver<Post<ConnectionId>>,
        mut openings: mpsc::Receiver<(ConnectionId, u64, Connection)>,
        mut dones: mpsc::Receiver<Done>,
    ) {
        let mut committing: Option<Committing> = None;
        let mut looked = (Instant::now(), clock::now().boot_ms);
        let mut health = self.store.health();
        let mut indexed = self.store.indexed();
        indexed.mark_changed();
        loop {
            if committing.is_none() && !self.unwritten.is_empty() {
                committing = Some(self.begin_commit());
            }
            let deadline = self.deadline();
            tokio::select! {
                biased;
                committed = async {
                    match &mut committing {
                        Some(commit) => commit.await,
                        None => pending().await,
                    }
                } => {
                    committing = None;
                    self.committed(committed);
                }
                intent = intents.recv() => match intent {
                    Some(intent) => self.want(intent).await,
                    None => break,
                },
                Some((id, dial, connection)) = openings.recv() => self.opened(id, dial, connection),
                Some(done) = dones.recv() => self.done(done),
                Ok(()) = health.changed() => {
                    let now = health.borrow_and_update().clone();
                    self.disk_changed(now).await;
                }
                Ok(()) = indexed.changed() => {
                    let percent = *indexed.borrow_and_update();
                    self.update(Update::Indexed(percent));
                }
                () = sleep_until(deadline) => {
                    self.look(&mut looked);
                    self.tick();
                }
                // Last: a flood from one server holds nothing else up. Each line posts no more than it has room for.
                Some(post) = posted.recv() => {
                    let is_alone = self.trays.is_empty();
                    self.lay_down(post);
                    if is_alone {
                        self.take_up();
                    }
                }
                // The sockets have their turn between two slices.
                () = yield_now(), if self.can_take_up() => self.take_up(),
            }
            self.flush(wake);
        }
        self.close(committing).await;
    }

    /// Gives a courier an input and does what it wants.
    pub(super) fn tell(&mut self, id: ConnectionId, input: Input) {
        let now = clock::now();
        let Some(seat) = self.seats.get_mut(&id) else { return };
        seat.courier.handle(now, input);
        let mut choked = false;
        while let Some(output) = self.seats.get_mut(&id).and_then(|seat| seat.courier.poll()) {
            choked |= !self.does(id, output);
        }
        if choked {
            self.choked(now, id);
        }
    }

    /// Does what a courier wants. `false`: its socket takes nothing any more.
    fn does(&mut self, id: ConnectionId, output: Output) -> bool {
        let Some(seat) = self.seats.get_mut(&id) else { return true };
        match output {
            Output::Dial { dial, url } => {
                let target = match &seat.access {
                    Some(access) => access.target(&seat.profile, &url),
                    None => Err(Why::NoToken),
                };
                seat.line.dial(dial, seat.profile.socket, target);
            }
            Output::Send(frame) => {
                let passed = self.recorded(id, Way::Sent, &frame);
                let sent = self.seats.get(&id).is_none_or(|seat| seat.line.send(frame));
                if let Some(passed) = passed.filter(|_| sent) {
                    self.record(id, passed);
                }
                return sent;
            }
            Output::Ping => return seat.line.ping(),
            Output::Hangup { code } => seat.line.hang_up(code),
            Output::Write { ticket, change } => self.put(id, ticket, change.into()),
            Output::Apply(event) => {
                let event = self.clean(id, event);
                let event = self.managed(id, event);
                self.noticed(id, &event);
                if let Some(event) = self.devices_noticed(id, event) {
                    self.updates.push(Update::Connection(id, event));
                }
            }
        }
        true
    }

    /// A socket that takes nothing any more is a dead link.
    fn choked(&mut self, now: Time, id: ConnectionId) {
        let Some(seat) = self.seats.get_mut(&id) else { return };
        if seat.courier.link().state().is_online() {
            log::warn!("connection {id:?} takes nothing any more");
            let dial = seat.courier.link().current_dial();
            let why = Why::Silent;
            seat.courier.handle(now, Input::Link(link::Input::Closed { dial, why }));
            while let Some(output) = self.seats.get_mut(&id).and_then(|seat| seat.courier.poll()) {
                self.does(id, output);
            }
        }
    }

    /// What the worker itself must do about an event.
    fn noticed(&mut self, id: ConnectionId, event: &Event) {
        match event {
            Event::Link(LinkEvent::Welcomed { log, .. }) => {
                self.invite_redeemed(id);
                if let Some(seat) = self.seats.get_mut(&id) {
                    seat.head = log.head();
                }
            }
            Event::Chat(ChatEvent::LogStarted { why, .. }) if *why != LogRestart::First => {
                if let Some(seat) = self.seats.get_mut(&id) {
                    seat.recount_at = Some(seat.head);
                }
            }
            Event::Chat(ChatEvent::Entries { entries, .. }) => self.recount_replayed(id, entries),
            Event::Chat(ChatEvent::ReadMarker { room, .. }) => self.recount(id, room.clone()),
            Event::Chat(ChatEvent::Listed(listed)) => self.recount_listed(id, &listed.read),
            Event::Link(LinkEvent::State(LinkState::Stopped { why })) => {
                log::info!("connection {id:?} stopped: {}", why.code());
                self.try_other_token(id, why);
                self.look_for_lost(id);
            }
            Event::Link(LinkEvent::State(LinkState::Waiting { why, .. })) => {
                log::info!("connection {id:?} is down: {}", why.code());
                self.look_for_lost(id);
            }
            Event::Link(LinkEvent::State(LinkState::Online { rtt_ms: None, .. })) => {
                log::info!("connection {id:?} is online");
                self.look_for_lost(id);
            }
            Event::Link(LinkEvent::State(LinkState::Idle)) => self.look_for_lost(id),
            _ => {}
        }
    }

    /// Counts what is unread in the rooms that were read further than is known here.
    fn recount_listed(&mut self, id: ConnectionId, read: &[(RoomName, Offset)]) {
        let rooms = self.model.read(|model| {
            let Some(connection) = model.connections.get(&id) else { return Vec::new() };
            let is_news = |(room, offset): &&(RoomName, Offset)| {
                let known = connection.chat.rooms.get(room).map(|room| room.read).unwrap_or_default();
                Position { era: connection.chat.era(), offset: *offset } > known
            };
            read.iter().filter(is_news).map(|(room, _)| room.clone()).collect::<Vec<_>>()
        });
        for room in rooms {
            self.recount(id, room);
        }
    }

    fn recount_replayed(&mut self, id: ConnectionId, entries: &[Entry]) {
        let Some(seat) = self.seats.get_mut(&id) else { return };
        let is_there = |head: &mut Offset| entries.last().is_some_and(|last| last.offset >= *head);
        if seat.recount_at.take_if(is_there).is_some() {
            let rooms = self.model.read(|model| {
                let rooms =
                    model.connections.get(&id).map(|connection| connection.chat.rooms.keys().cloned());
                rooms.map(Iterator::collect::<Vec<_>>).unwrap_or_default()
            });
            for room in rooms {
                self.recount(id, room);
            }
        }
    }

    fn opened(&mut self, id: ConnectionId, dial: u64, connection: Connection) {
        let Some(seat) = self.seats.get_mut(&id) else { return };
        let Some((agreed, counters)) = seat.line.opened(dial, connection) else { return };
        seat.figures.opened(counters);
        let input = match clock::random() {
            Ok(entropy) => link::Input::Opened { dial, entropy, agreed },
            Err(error) => link::Input::Closed { dial, why: Why::Lost { detail: error.to_string() } },
        };
        self.tell(id, Input::Link(input));
    }

    fn deadline(&self) -> Instant {
        let now = clock::now().boot_ms;
        let any_up = self.seats.values().any(|seat| seat.courier.deadline().is_some());
        let look = any_up.then_some(now + LOOK_MS);
        let links = self.seats.values().filter_map(|seat| seat.courier.deadline());
        let due = links.chain(look).chain(self.fleet.deadline()).chain(self.notifier.deadline()).min();
        let wait =
            due.map_or(Duration::from_secs(3_600), |due| Duration::from_millis(due.saturating_sub(now)));
        Instant::now() + wait
    }

    fn tick(&mut self) {
        let now = clock::now().boot_ms;
        let due = |seat: &Seat| seat.courier.deadline().is_some_and(|deadline| deadline <= now);
        let ids: Vec<ConnectionId> =
            self.seats.iter().filter(|(_, seat)| due(seat)).map(|(id, _)| *id).collect();
        for id in ids {
            // What would answer may be among what we have not looked at.
            let is_behind = self.trays.iter().any(|tray| *tray.key() == id);
            self.hold_back(id, is_behind);
            self.tell(id, Input::Link(link::Input::Tick));
        }
        self.devices_tick();
        if self.notifier.deadline().is_some_and(|deadline| deadline <= now) {
            self.model.read(|model| self.notifier.tick(moment(now), model));
            self.tell_notices();
        }
    }

    /// Hands out what the person is to be told.
    pub(super) fn tell_notices(&mut self) {
        while let Some(act) = self.notifier.poll() {
            if let Some(tell) = &self.tell {
                tell(act);
            }
        }
    }

    /// Compares both clocks: boot time runs on while the computer sleeps, running time does not.
    fn look(&mut self, looked: &mut (Instant, u64)) {
        let now = (Instant::now(), clock::now().boot_ms);
        let ran = u64::try_from(now.0.duration_since(looked.0).as_millis()).unwrap_or(u64::MAX);
        let passed = now.1.saturating_sub(looked.1);
        *looked = now;
        if passed.saturating_sub(ran) > SLEPT_MS {
            log::info!("the computer slept for {} ms", passed - ran);
            self.nudge_all();
        }
    }

    pub(super) fn nudge_all(&mut self) {
        let ids: Vec<ConnectionId> = self.seats.keys().copied().collect();
        for id in ids {
            self.tell(id, Input::Link(link::Input::Nudge));
        }
    }

    /// Tells how the disk is. What it had to let go of comes from the hub again, from what it holds.
    async fn disk_changed(&mut self, health: Health) {
        if health.trouble != self.health.trouble {
            self.updates.extend(self.health.trouble.take().map(Update::BannerOver));
            self.updates.extend(health.trouble.clone().map(Update::Banner));
        }
        if health.set_aside != self.health.set_aside {
            self.updates.extend(health.set_aside.clone().map(Update::Banner));
        }
        if health.trouble.is_none() {
            for id in &health.behind {
                self.seat_anew(*id).await;
            }
        }
        self.health = health;
    }

    async fn seat_anew(&mut self, id: ConnectionId) {
        if let Some(Seat { profile, access, wanted, .. }) = self.seats.remove(&id) {
            self.seat(profile, access).await;
            if wanted {
                self.connect(id);
            }
        }
    }

    pub(super) fn updates_of(&mut self, id: ConnectionId, events: impl IntoIterator<Item = Event>) {
        self.updates.extend(events.into_iter().map(|event| Update::Connection(id, event)));
    }

    pub(super) fn update(&mut self, update: Update) {
        self.updates.push(update);
    }

    /// Applies what gathered, in short turns of the lock, and tells once it is in place.
    fn flush(&mut self, wake: &Wake) {
        if self.updates.is_empty() {
            return;
        }
        if flush::news(&self.updates) == News::Readings {
            self.links_early();
        }
        let updates = flush::divide(std::mem::take(&mut self.updates));
        let news = flush::news(&updates);
        let now = clock::now();
        if news == News::Now || self.notifier.listens_to_readings() {
            flush::hear(&mut self.notifier, &self.model, moment(now.boot_ms), &updates);
            self.tell_notices();
        }
        flush::apply(&self.model, now, updates);
        wake(news);
    }
}

/// This moment on the boot clock and on the wall.
pub(super) fn moment(boot_ms: u64) -> Moment {
    Moment { boot_ms, minute: clock::minute_of_day() }
}
