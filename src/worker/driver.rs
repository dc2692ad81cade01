//! [`Driver`]: the worker's loop. It feeds the engine with inputs and carries out its effects; each input is handled
//! completely before the next.

use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until};

use super::access::Access;
use super::archive::Archiving;
use super::commit::{self, Committing};
use super::devices::{self, Sockets, Telemetry};
use super::doctor::Diagnosing;
use super::files::{FileJobs, FileResult};
use super::flush;
use super::manage::AskedToken;
use super::nearby::NearbySearch;
use super::own_hub::{HubAt, OwnHub};
use super::record::Recorder;
use super::routes::{self, RouteBook, RouteWatch};
use super::socket_task::{SocketBatch, SocketTask};
use super::{Options, Tell, Wake};
use crate::agent::AgentMessage;
use crate::clock;
use crate::engine::{self, Effect, Engine, NewConnection};
use crate::link;
use crate::link::durable::{Change, Input};
use crate::model::diagnosis::Diagnosis;
use crate::model::event::{ChoicesUpdate, LinkEvent, SearchUpdate, SetupUpdate, TestOutcome, Update};
use crate::model::export::Exported;
use crate::model::lan::{Lan, NearbyServer};
use crate::model::link_state::{LinkState, Why};
use crate::model::log::Way;
use crate::model::profile::{Login, Protocol, Secret};
use crate::model::proxy::{ProxyAddress, ProxyChoice};
use crate::model::time::BootMs;
use crate::model::{
    Banner, ConnectionId, DeviceId, Event, Intent, LogLine, MetricName, Profile, SeriesPage, SharedModel,
};
use crate::settings::{NotStored, SecretStore, Settings};
use crate::store::client::{self, ClientStore, Health};
use crate::store::readings::{APP_FILE, ReadingsLimits, ReadingsStore};
use crate::transport::Connection;

/// Capacity of the queues of socket batches and opened connections.
const POSTS: usize = 256;
/// Interval for comparing both clocks while a link is up, in milliseconds.
const LOOK_MS: u64 = 5_000;
/// If boot time advanced this much more than running time, the computer slept. In milliseconds.
const SLEPT_MS: u64 = 2_000;

/// One open connection.
pub(super) struct Slot {
    pub(super) profile: Profile,
    pub(super) line: SocketTask<ConnectionId>,
    /// Permits returned once all of the socket's batches have been handled.
    unread: Vec<OwnedSemaphorePermit>,
    /// Credentials; `None` until they are known.
    pub(super) access: Option<Access>,
    /// Whether the person wants it to be connected.
    pub(super) wanted: bool,
    /// The id under which its readings are stored.
    pub(super) source: u64,
    /// Traffic of its sockets.
    sockets: Sockets,
    /// What is seen of its route.
    routes: RouteWatch,
    /// Tokens sent to the server that it has not confirmed yet.
    pub(super) asked: Vec<AskedToken>,
}

/// The result of a background task.
pub(super) enum TaskResult {
    /// What is to be shown as it is.
    Update(Update),
    /// The unread count of a room; `None` if it could not be read.
    Counted(ConnectionId, Option<Event>),
    /// A connection test ended.
    Tested(u64, TestOutcome),
    /// The check of a connection went on.
    Diagnosed(u64, ConnectionId, Diagnosis),
    /// No program opened a link.
    LinkNotOpened { url: String, detail: String },
    /// The result of an export.
    Exported(Exported),
    /// A message from this computer's agent to its hub.
    Said(AgentMessage),
    /// A metric's stored readings.
    Series(ConnectionId, DeviceId, MetricName, SeriesPage),
    /// A device's stored log.
    Log(ConnectionId, DeviceId, Vec<LogLine>),
    /// Of a file.
    File(FileResult),
    /// A part of a commit that was held in memory has been saved, or was let go (`None`).
    Committed(u64, Option<client::Outcome>),
    /// About the keyring and the secrets of connections.
    Secret(SecretResult),
    /// About the local network and the app's own hub.
    Network(NetworkResult),
}

/// About the keyring and the secrets of connections.
pub(super) enum SecretResult {
    /// The keyring's secret for a connection that is waiting for it.
    Found(ConnectionId, Result<Option<Secret>, NotStored>),
    /// The keyring's password for a connection's proxy.
    OfProxy(ConnectionId, ProxyAddress, Secret),
    /// A replacement token for a connection whose token is no longer valid.
    Replaced(ConnectionId, Secret),
    /// The login of a plain WebSocket was stored, or storing failed.
    LoginKept { id: ConnectionId, login: Login, kept: Result<(), NotStored>, in_file: bool },
    /// A secret was stored, or storing failed; and whether it is stored in a file.
    SecretKept { id: ConnectionId, kept: Result<(), NotStored>, in_file: bool },
    /// Whether the keyring is available.
    KeyringChecked(Result<(), NotStored>),
}

/// About the local network and the app's own hub.
pub(super) enum NetworkResult {
    /// The state of the app's own hub on the local network.
    Lan(Lan),
    /// Servers found on the local network; with the number of the search.
    Nearby(u64, Vec<NearbyServer>),
    /// A server that stopped answering was found at this address.
    FoundAgain(ConnectionId, String),
    /// The app's own hub has started, or failed to start.
    Hub(Result<HubAt, Why>),
}

/// Everything the worker owns.
pub(super) struct Driver {
    pub(super) model: SharedModel,
    pub(super) engine: Engine,
    /// Whether effects are being carried out at the moment.
    is_carrying_out: bool,
    pub(super) committing: Option<Committing>,
    /// Connections to be reloaded from the disk.
    reloads: Vec<ConnectionId>,
    pub(super) store: ClientStore,
    pub(super) settings: Settings,
    pub(super) secrets: SecretStore,
    pub(super) slots: BTreeMap<ConnectionId, Slot>,
    pub(super) own_hub: Option<OwnHub>,
    /// Searches the local network for servers.
    pub(super) nearby_search: NearbySearch,
    pub(super) data_dir: PathBuf,
    pub(super) done: mpsc::Sender<TaskResult>,
    /// Whether the next token may be stored in a file.
    pub(super) next_in_file: bool,
    /// Number of the newest connection test; results of older ones are dropped.
    pub(super) test: u64,
    /// The check of a connection that goes on, or went on last.
    pub(super) diagnosing: Diagnosing,
    pub(super) fleet: Telemetry,
    pub(super) recorder: Recorder,
    /// Which routes work.
    routes: RouteBook,
    /// Callbacks for notifications and repaints.
    tell: Option<Tell>,
    wake: Wake,
    pub(super) posts: mpsc::Sender<SocketBatch<ConnectionId>>,
    pub(super) opened: mpsc::Sender<(ConnectionId, u64, Connection)>,
    /// Whether an export is under way.
    pub(super) is_exporting: bool,
    /// Messages and readings that are being saved.
    pub(super) archiving: Archiving,
    /// Files of messages.
    pub(super) files: FileJobs,
    health: Health,
}

/// Runs until the intent queue is closed.
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
        let mut driver = Driver::set_up(options, model, wake, posts, opened, done).await;
        driver.settle();
        driver.serve(intents, posted, openings, dones).await;
    });
    // Tasks waiting for a close handshake have two seconds.
    runtime.shutdown_timeout(Duration::from_millis(200));
    Ok(())
}

impl Driver {
    async fn set_up(
        options: &Options,
        model: &SharedModel,
        wake: &Wake,
        posts: mpsc::Sender<SocketBatch<ConnectionId>>,
        opened: mpsc::Sender<(ConnectionId, u64, Connection)>,
        done: mpsc::Sender<TaskResult>,
    ) -> Driver {
        let store = ClientStore::open(&options.data_dir);
        let (settings, settings_banner) = Settings::load(&options.data_dir);
        let readings = ReadingsStore::open(&options.data_dir, APP_FILE, ReadingsLimits::APP);
        let not_kept = readings.as_ref().err().map(|error| {
            log::error!("no readings are kept: {error}");
            Banner::ReadingsNotWritten { detail: error.to_string() }
        });
        let mut driver = Driver {
            model: model.clone(),
            engine: Engine::new(model.clone(), engine::Limits::default()),
            is_carrying_out: false,
            committing: None,
            reloads: Vec::new(),
            store: store.store,
            settings,
            secrets: SecretStore::new(&options.data_dir),
            slots: BTreeMap::new(),
            own_hub: None,
            nearby_search: NearbySearch::default(),
            data_dir: options.data_dir.clone(),
            done,
            next_in_file: false,
            test: 0,
            diagnosing: Diagnosing::default(),
            fleet: Telemetry::new(readings.ok()),
            recorder: Recorder::default(),
            routes: RouteBook::load(&options.data_dir),
            tell: options.tell.clone(),
            wake: wake.clone(),
            posts,
            opened,
            is_exporting: false,
            archiving: Archiving::default(),
            files: FileJobs::new(&options.data_dir),
            health: Health::default(),
        };
        let banners = store.banners.into_iter().chain(settings_banner).chain(not_kept);
        banners.for_each(|banner| driver.update(Update::Banner(banner)));
        driver.prefer(driver.settings.preferences());
        driver.update(Update::Choices(ChoicesUpdate::Notices(driver.settings.notice_choices().clone())));
        driver.update(Update::Choices(ChoicesUpdate::Devices(driver.settings.device_choices().clone())));
        match &options.only {
            Some((profile, secret)) => {
                let url = profile.urls.first().map_or("", String::as_str);
                let access = match secret {
                    Some(secret) => Some(Access::Token(secret.clone())),
                    // A hub of the same user needs no token on the command line.
                    None => HubAt::find(None, url).ok().flatten().map(|at| at.access()),
                };
                driver.open_slot(profile.clone(), access).await;
                driver.connect(profile.id);
            }
            None => {
                driver.set_up_all().await;
                driver.read_autostart();
            }
        }
        driver.restore_files().await;
        driver.update(Update::Setup(SetupUpdate::Loaded));
        driver
    }

    /// Moves passwords in addresses to the keyring; they are not in any file afterwards.
    async fn keep_passwords(&mut self) {
        let (passwords, secrets) = (self.settings.take_passwords(), self.secrets.clone());
        let proxies = self.settings.take_proxy_passwords();
        if passwords.is_empty() && proxies.is_empty() {
            return;
        }
        let plain = |id| self.settings.profiles().iter().any(|p| p.id == id && p.protocol.has_login());
        let passwords: Vec<_> = passwords.into_iter().map(|(id, secret)| (id, plain(id), secret)).collect();
        let kept = tokio::task::spawn_blocking(move || {
            let keep = |(id, is_plain, password): &(ConnectionId, bool, Secret)| {
                if !is_plain {
                    return secrets.set(*id, password);
                }
                let mut login = secrets.get(*id).ok().flatten().map(|secret| Login::of_secret(&secret));
                let login = login.get_or_insert_default();
                login.password = Some(password.clone());
                secrets.set(*id, &login.to_secret())
            };
            // One that cannot be kept does not prevent the others.
            let mut failed = None;
            for (id, proxy) in &proxies {
                failed = secrets.set_proxy_password(*id, proxy).err().or(failed);
            }
            passwords.iter().try_for_each(keep).err().or(failed)
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
        self.update(Update::Setup(SetupUpdate::FirstSteps(first_steps)));
        self.update(Update::Setup(SetupUpdate::NewerConnections(self.settings.newer_profiles())));
        self.open_slot(OwnHub::profile(), None).await;
        self.own_hub = Some(OwnHub::start(self.data_dir.clone(), self.settings.lan(), self.done.clone()));
        self.start_computer();
        let connect_at_start = self.settings.preferences().connect_at_start;
        let profiles: Vec<Profile> = self.settings.profiles().into_iter().cloned().collect();
        for profile in profiles {
            let (id, auto_connect) = (profile.id, profile.auto_connect);
            self.open_slot(profile, None).await;
            if auto_connect && connect_at_start {
                self.connect(id);
            }
        }
    }

    /// Opens a connection: shows its stored state at once.
    pub(super) async fn open_slot(&mut self, profile: Profile, access: Option<Access>) {
        let id = profile.id;
        let loaded = self.store.load(id).await.unwrap_or_else(|error| {
            log::error!("connection {id:?} cannot be read from the disk: {error}");
            Default::default()
        });
        let setup = access.as_ref().unwrap_or(&Access::Nobody).setup(&profile, true);
        let new = NewConnection {
            id,
            urls: profile.urls.clone(),
            setup: Box::new(setup),
            reconnects: profile.reconnects(),
            is_said_once: profile.protocol != Protocol::Duplex,
            stored: loaded.stored,
            saved: loaded.saved,
            seed: clock::random::<8>().map_or(clock::now().boot_ms.0, u64::from_le_bytes),
        };
        let source = devices::source(&profile);
        self.update(Update::Setup(SetupUpdate::Configured(Box::new(profile.without_password()))));
        let slot = Slot {
            profile,
            line: SocketTask::new(id, self.posts.clone(), self.opened.clone()),
            unread: Vec::new(),
            access,
            wanted: false,
            source,
            sockets: Sockets::default(),
            routes: RouteWatch::default(),
            asked: Vec::new(),
        };
        self.slots.insert(id, slot);
        self.drive(engine::Input::Add(Box::new(new)));
        self.restore_devices(id, source);
        self.log_opened(id);
    }

    /// Connects as soon as the credentials are known.
    pub(super) fn connect(&mut self, id: ConnectionId) {
        let Some(slot) = self.slots.get_mut(&id) else { return };
        slot.wanted = true;
        self.read_proxy_password(id);
        let Some(slot) = self.slots.get(&id) else { return };
        if slot.access.is_some() {
            self.configure(id);
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
                // The receiver is gone if the worker has ended.
                let _ = done
                    .blocking_send(TaskResult::Update(Update::Setup(SetupUpdate::TokenInFile(id, in_file))));
                let _ = done.blocking_send(TaskResult::Secret(SecretResult::Found(id, secret)));
            });
        }
    }

    /// Reads the password for a connection's proxy, if it needs one that is not known yet.
    fn read_proxy_password(&self, id: ConnectionId) {
        let Some(network) = self.slots.get(&id).map(|slot| &slot.profile.network) else { return };
        let ProxyChoice::At(address) = network.proxy.clone() else { return };
        if address.user.is_empty() || network.proxy_password.is_some() {
            return;
        }
        let (secrets, done) = (self.secrets.clone(), self.done.clone());
        tokio::task::spawn_blocking(move || {
            if let Some(password) = secrets.proxy_password(id, &address) {
                // The receiver is gone if the worker has ended.
                let _ = done.blocking_send(TaskResult::Secret(SecretResult::OfProxy(id, address, password)));
            }
        });
    }

    async fn serve(
        &mut self,
        intents: &mut mpsc::Receiver<Intent>,
        mut posted: mpsc::Receiver<SocketBatch<ConnectionId>>,
        mut openings: mpsc::Receiver<(ConnectionId, u64, Connection)>,
        mut dones: mpsc::Receiver<TaskResult>,
    ) {
        let mut looked = (Instant::now(), clock::now().boot_ms);
        let mut health = self.store.health();
        let mut indexed = self.store.indexed();
        indexed.mark_changed();
        loop {
            let (deadline, has_turn) = (self.deadline(), self.engine.has_turn());
            let committing = &mut self.committing;
            tokio::select! {
                biased;
                committed = async {
                    match committing {
                        Some(commit) => commit.await,
                        None => pending().await,
                    }
                } => {
                    self.committing = None;
                    committed.into_iter().for_each(|(part, outcome)| self.committed(part, outcome));
                }
                intent = intents.recv() => match intent {
                    Some(intent) => self.want(intent).await,
                    None => break,
                },
                Some((id, dial, connection)) = openings.recv() => self.opened(id, dial, connection),
                Some(done) = dones.recv() => self.done(done),
                Ok(()) = health.changed() => {
                    let now = health.borrow_and_update().clone();
                    self.disk_changed(now);
                }
                Ok(()) = indexed.changed() => {
                    let percent = *indexed.borrow_and_update();
                    self.update(Update::Search(SearchUpdate::Indexed(percent)));
                }
                () = sleep_until(deadline) => {
                    self.look(&mut looked);
                    self.drive(engine::Input::Tick);
                }
                // Last, so that a flood from one server delays nothing else. Each socket task has a limited number of
                // batches.
                Some(post) = posted.recv() => self.received(post),
                // Sockets get their turn between two slices.
                () = yield_now(), if has_turn => self.drive(engine::Input::Turn),
            }
            while let Some(id) = self.reloads.pop() {
                self.reopen_slot(id).await;
            }
            self.settle();
        }
        self.close().await;
    }

    /// Gives the engine an input for one connection.
    pub(super) fn tell(&mut self, id: ConnectionId, input: Input) {
        self.drive(engine::Input::Tell(id, input));
    }

    /// Has the engine write a change that nothing waits for.
    pub(super) fn keep(&mut self, id: ConnectionId, change: Change) {
        self.drive(engine::Input::Keep(id, change));
    }

    /// Updates a connection's setup; takes effect with the next dial.
    pub(super) fn configure(&mut self, id: ConnectionId) {
        let Some(slot) = self.slots.get(&id) else { return };
        let Some(access) = &slot.access else { return };
        let (setup, reconnects) = (Box::new(access.setup(&slot.profile, true)), slot.profile.reconnects());
        self.drive(engine::Input::Configure { connection: id, setup, reconnects });
    }

    fn received(&mut self, post: SocketBatch<ConnectionId>) {
        let connection = *post.key();
        let Some(slot) = self.slots.get_mut(&connection) else { return };
        slot.unread.extend(post.room);
        self.routes.received(clock::now(), &mut slot.routes, &post.inputs, post.quiet_ms);
        self.drive(engine::Input::Received { connection, inputs: post.inputs });
    }

    /// Carries out the engine's effects, including those that result from them.
    pub(super) fn carry_out(&mut self) {
        if std::mem::replace(&mut self.is_carrying_out, true) {
            return;
        }
        let mut choked = BTreeSet::new();
        loop {
            while let Some(effect) = self.engine.poll() {
                choked.extend(self.effect(effect));
            }
            let Some(id) = choked.pop_first() else { break };
            log::warn!("connection {id:?} takes nothing any more");
            self.engine.handle(clock::now(), engine::Input::Choked(id));
        }
        self.is_carrying_out = false;
    }

    /// Carries out one effect. Returns the connection if its socket no longer accepts data.
    fn effect(&mut self, effect: Effect) -> Option<ConnectionId> {
        match effect {
            Effect::Dial { connection, dial, url } => {
                let slot = self.slots.get_mut(&connection)?;
                let mut target = match &slot.access {
                    Some(access) => access.target(&slot.profile, &url),
                    None => Err(Why::NoToken),
                };
                if let Ok(target) = &mut target {
                    target.routes = self.routes.plan(clock::now(), &mut slot.routes, &slot.profile, &url);
                }
                slot.line.dial(dial, slot.profile.socket, target);
            }
            Effect::Send(connection, frame) => {
                let passed = self.recorded(connection, Way::Sent, &frame);
                if !self.slots.get(&connection)?.line.send(frame) {
                    return Some(connection);
                }
                passed.into_iter().for_each(|passed| self.record(connection, passed));
            }
            Effect::Ping(connection) => {
                return (!self.slots.get(&connection)?.line.ping()).then_some(connection);
            }
            Effect::Compress(connection) => {
                return (!self.slots.get(&connection)?.line.compress()).then_some(connection);
            }
            Effect::HangUp { connection, code } => self.slots.get_mut(&connection)?.line.hang_up(code),
            Effect::Commit(parts) => self.committing = Some(commit::begin(self.store.clone(), parts)),
            Effect::Event(connection, event) => self.happened(connection, event),
            Effect::Show { updates, news } => {
                flush::apply(&self.model, clock::now(), updates);
                (self.wake)(news);
            }
            Effect::Notice(act) => self.tell.iter().for_each(|tell| tell(act.clone())),
            Effect::KeepOfDevices(connection, write) => self.keep_of_devices(connection, write),
            Effect::Measure(connection, state) => {
                let traffic = self.slots.get(&connection)?.sockets.traffic();
                self.drive(engine::Input::Measured(connection, state, traffic));
            }
            Effect::CheckReadings => self.readings_kept(),
            Effect::ReadPage { connection, room, from, side, limit } => {
                self.read_page(connection, room, from, side, limit);
            }
            Effect::ReadAround { connection, room, jump, limit } => {
                self.read_around(connection, room, jump, limit);
            }
            Effect::ReadThread { connection, room, root, before, limit } => {
                self.read_thread(connection, room, (root, before), limit);
            }
            Effect::ReadQuote { connection, room, position } => self.read_quote(connection, room, position),
            Effect::CountUnread { connection, room } => self.count_unread(connection, room),
            Effect::Received(connection, frame) => {
                let passed = self.recorded(connection, Way::Received, &frame);
                passed.into_iter().for_each(|passed| self.record(connection, passed));
            }
            Effect::Reload(connection) => self.reloads.push(connection),
            Effect::ReadOn(connection) => self.slots.get_mut(&connection)?.unread.clear(),
        }
        None
    }

    fn happened(&mut self, id: ConnectionId, event: Event) {
        let event = self.clean(id, event);
        let event = self.managed(id, event);
        self.noticed(id, &event);
        if let Some(event) = self.told_computer(id, event) {
            self.update(Update::Connection(id, event));
        }
    }

    /// The worker's own reactions to an event.
    fn noticed(&mut self, id: ConnectionId, event: &Event) {
        self.note_for_files(id, event);
        self.note_route(id, event);
        match event {
            Event::Link(LinkEvent::Welcomed { .. }) => self.invite_redeemed(id),
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

    /// Remembers which routes work.
    fn note_route(&mut self, id: ConnectionId, event: &Event) {
        let Event::Link(LinkEvent::State(state)) = event else { return };
        let Some(slot) = self.slots.get_mut(&id) else { return };
        self.routes.changed(clock::now(), &mut slot.routes, state);
        if let Some(changed) = self.routes.take_changed() {
            tokio::task::spawn_blocking(move || routes::save(changed));
        }
    }

    fn opened(&mut self, id: ConnectionId, dial: u64, connection: Connection) {
        let Some(slot) = self.slots.get_mut(&id) else { return };
        let Some((agreed, counters)) = slot.line.opened(dial, connection) else { return };
        self.routes.opened(&mut slot.routes, agreed.route);
        slot.sockets.opened(counters);
        let input = match clock::random() {
            Ok(entropy) => link::Input::Opened { dial, entropy, agreed },
            Err(error) => link::Input::Closed { dial, why: Why::Lost { detail: error.to_string() } },
        };
        self.tell(id, Input::Link(input));
    }

    fn deadline(&self) -> Instant {
        let now = clock::now().boot_ms;
        let look = self.engine.links_deadline().map(|_| now + LOOK_MS);
        let due = self.engine.deadline().into_iter().chain(look).min();
        let wait = due.map_or(Duration::from_secs(3_600), |due| Duration::from_millis(due.since(now)));
        Instant::now() + wait
    }

    /// Detects sleep: boot time advances while the computer sleeps, running time does not.
    fn look(&mut self, looked: &mut (Instant, BootMs)) {
        let now = (Instant::now(), clock::now().boot_ms);
        let ran = u64::try_from(now.0.duration_since(looked.0).as_millis()).unwrap_or(u64::MAX);
        let passed = now.1.since(looked.1);
        *looked = now;
        if passed.saturating_sub(ran) > SLEPT_MS {
            log::info!("the computer slept for {} ms", passed - ran);
            self.drive(engine::Input::NudgeAll);
        }
    }

    /// Reports the state of the disk, and reloads connections whose entries had to be let go.
    fn disk_changed(&mut self, health: Health) {
        if health.trouble != self.health.trouble {
            let over = self.health.trouble.take();
            over.into_iter().for_each(|banner| self.update(Update::BannerOver(banner)));
            health.trouble.iter().for_each(|banner| self.update(Update::Banner(banner.clone())));
        }
        if health.set_aside != self.health.set_aside {
            health.set_aside.iter().for_each(|banner| self.update(Update::Banner(banner.clone())));
        }
        if health.trouble.is_none() {
            self.drive(engine::Input::Behind(health.behind.clone()));
        }
        self.health = health;
    }

    async fn reopen_slot(&mut self, id: ConnectionId) {
        let Some(Slot { profile, access, wanted, .. }) = self.slots.remove(&id) else { return };
        self.open_slot(profile, access).await;
        if let Some(slot) = self.slots.get_mut(&id) {
            slot.wanted = wanted;
        }
    }

    pub(super) fn update(&mut self, update: Update) {
        self.engine.handle(clock::now(), engine::Input::Show(update));
    }

    /// Applies the updates of this turn to the model, holding its lock only briefly.
    fn settle(&mut self) {
        if self.engine.is_unsettled(clock::now()) {
            self.drive(engine::Input::Settle { minute: clock::minute_of_day() });
        }
    }
}
