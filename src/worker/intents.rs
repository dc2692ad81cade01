//! Handles intents and results of background tasks.

use data_encoding::HEXLOWER;
use tokio::task::spawn_blocking;

use super::access::Access;
use super::browser;
use super::detect;
use super::driver::{Driver, NetworkResult, SecretResult, TaskResult};
use super::trial;
use crate::clock;
use crate::engine;
use crate::link;
use crate::link::durable::{Change, Input};
use crate::model::event::{
    ChatEvent, ChoicesUpdate, DiskUpdate, LinkEvent, SearchUpdate, SetupUpdate, Side, TestOutcome, Update,
};
use crate::model::intent::{AppIntent, ChatIntent, Credential, DeviceIntent, Jump, LinkIntent, LogIntent};
use crate::model::link_state::{LinkState, Why};
use crate::model::lookup::{Lookup, LookupFound};
use crate::model::profile::{Login, Secret, WebSocketOptions};
use crate::model::proxy::{Proxy, ProxyAddress, ProxyChoice};
use crate::model::transfer::Moved;
use crate::model::{Banner, ConnectionId, Event, Intent, MessageId, Position, Preferences, Profile, RoomId};
use crate::settings::{NotStored, SecretStore};

impl Driver {
    /// Long: one arm for each intent.
    pub(super) async fn want(&mut self, intent: Intent) {
        match intent {
            Intent::Device(DeviceIntent::Command { .. })
            | Intent::Device(DeviceIntent::LoadSeries { .. })
            | Intent::Device(DeviceIntent::LoadStates { .. })
            | Intent::Device(DeviceIntent::LoadLog { .. }) => self.want_of_devices(intent),
            Intent::App(AppIntent::DecodePicture { number, bytes }) => self.decode_picture(number, bytes),
            Intent::App(AppIntent::SaveText { number, text }) => self.save_text(number, text),
            Intent::File(intent) => self.want_file(intent),
            Intent::Log(LogIntent::Watch(..))
            | Intent::Log(LogIntent::Clear(_))
            | Intent::Log(LogIntent::Save { .. }) => self.want_of_log(intent),
            Intent::Link(LinkIntent::Manage { connection, number, what }) => {
                self.manage(connection, number, what)
            }
            Intent::App(AppIntent::OpenLink(url)) => {
                if let Err(error) = browser::open(url.clone(), self.done.clone()) {
                    self.done(TaskResult::LinkNotOpened { url, detail: error.to_string() });
                }
            }
            Intent::Chat(ChatIntent::Search(search)) => self.search(search),
            Intent::Chat(ChatIntent::FindDay { number, connection, room, from }) => {
                self.find_day(number, connection, room, from);
            }
            Intent::Chat(ChatIntent::FindMessage { number, connection, room, id }) => {
                self.find_message(number, connection, room, id);
            }
            Intent::Chat(ChatIntent::LookUp(asked)) => self.look_up(asked),
            Intent::Link(LinkIntent::RetryNow(connection))
            | Intent::Link(LinkIntent::Connect(connection)) => self.connect(connection),
            Intent::Link(LinkIntent::Disconnect(connection)) => {
                if let Some(slot) = self.slots.get_mut(&connection) {
                    slot.wanted = false;
                }
                self.tell(connection, Input::Link(link::Input::Stop));
            }
            Intent::Link(LinkIntent::SaveConnection { profile, credential }) => {
                self.save_connection(profile, credential).await
            }
            Intent::Link(LinkIntent::AddConnections(moved)) => self.add_connections(moved).await,
            Intent::Link(LinkIntent::GiveToken { connection, token }) => self.take_token(connection, token),
            Intent::Link(LinkIntent::SetFormat(id, format)) => {
                self.change_options(id, |options| options.format = format);
            }
            Intent::Link(LinkIntent::SetSnippets(id, snippets)) => {
                self.change_options(id, |options| options.snippets = snippets);
            }
            Intent::Link(LinkIntent::SetMapping { connection, mapping, recognize }) => {
                self.change_options(connection, |options| {
                    (options.mapping, options.recognize) = (mapping, recognize);
                });
                self.reopen(connection);
            }
            Intent::Link(LinkIntent::SetMerged(id, merged)) => {
                self.change_options(id, |options| options.mqtt.merged = merged);
                self.reopen(id);
            }
            Intent::Link(LinkIntent::AskKeyring) => {
                self.beside(|secrets| TaskResult::Secret(SecretResult::KeyringChecked(secrets.check())))
            }
            Intent::Link(LinkIntent::KeepTokenInFile(None)) => self.next_in_file = true,
            Intent::Link(LinkIntent::KeepTokenInFile(Some(id))) => self.beside(move |secrets| {
                let kept = secrets.keep_in_file(id);
                TaskResult::Secret(SecretResult::SecretKept { id, kept, in_file: secrets.is_in_file(id) })
            }),
            Intent::Link(LinkIntent::DropTokenFile(id)) => self.beside(move |secrets| {
                secrets.forget_in_file(id);
                TaskResult::Update(Update::Setup(SetupUpdate::TokenInFile(id, secrets.is_in_file(id))))
            }),
            Intent::Link(LinkIntent::ShowToken(id)) => {
                let token = self.secrets.known_secret(id);
                self.update(Update::Setup(SetupUpdate::ShownToken(token.map(|token| (id, token)))));
            }
            Intent::Link(LinkIntent::HideToken) => self.update(Update::Setup(SetupUpdate::ShownToken(None))),
            Intent::Link(LinkIntent::RemoveConnection(connection)) => self.remove_connection(connection),
            Intent::Link(LinkIntent::TestConnection { profile, credential }) => {
                self.test_connection(profile, credential)
            }
            Intent::Link(LinkIntent::Detect(profile)) => self.detect(profile),
            Intent::Link(LinkIntent::EndTest) => {
                self.test += 1;
                self.update(Update::Setup(SetupUpdate::Test(None)));
            }
            Intent::Link(LinkIntent::Diagnose(id)) => self.diagnose(id),
            Intent::Link(LinkIntent::EndDiagnosis) => self.end_diagnosis(),
            Intent::Link(LinkIntent::SetLan(choice)) => {
                self.settings.set_lan(choice);
                self.save_settings();
                if let Some(hub) = &self.own_hub {
                    hub.set_lan(choice);
                }
            }
            Intent::Link(LinkIntent::LookForServers(wanted)) => self.look_for_servers(wanted),
            Intent::App(AppIntent::SetPreferences(preferences)) => {
                self.settings.set_preferences(preferences);
                self.save_settings();
                self.prefer(preferences);
                if !preferences.tell_seen {
                    self.drive(engine::Input::Chat(ChatIntent::KeepSeenPrivate, None));
                }
            }
            Intent::Chat(ChatIntent::SetRoomLevel { connection, room, level }) => {
                self.settings.notice_choices_mut().set_room(connection, room, level);
                self.save_choices();
            }
            Intent::Chat(ChatIntent::Archive(wanted)) => self.archive(wanted),
            Intent::Chat(ChatIntent::EndArchive) => self.end_archive(),
            Intent::Chat(intent) => {
                let id = self.new_id();
                self.drive(engine::Input::Chat(intent, id));
            }
            Intent::Device(DeviceIntent::Mute { connection, device, muted }) => {
                self.settings.notice_choices_mut().mute(connection, device, muted);
                self.save_choices();
            }
            Intent::Device(DeviceIntent::Change { connection, device, change }) => {
                // The window does not offer this when there is no space.
                if self.settings.device_choices_mut().change(connection, device, change) {
                    self.save_device_choices();
                }
            }
            Intent::Device(DeviceIntent::TakeOver(connection, choices)) => {
                // The window has said what does not fit.
                let _ = self.settings.device_choices_mut().take_over(connection, &choices);
                self.save_device_choices();
            }
            Intent::Topic(connection, request) => self.drive(engine::Input::Topic(connection, request)),
            Intent::Device(DeviceIntent::Export(export)) => self.export(export),
            Intent::App(AppIntent::ShowFile(path)) => {
                if let Err(error) = browser::show(path.clone(), self.done.clone()) {
                    let url = path.display().to_string();
                    self.done(TaskResult::LinkNotOpened { url, detail: error.to_string() });
                }
            }
            Intent::App(AppIntent::TryNotice) => {
                self.drive(engine::Input::TryNotice { minute: clock::minute_of_day() });
            }
            Intent::App(AppIntent::View(viewing)) => {
                self.drive(engine::Input::View(viewing));
            }
            Intent::App(AppIntent::KeepWindow(place)) => {
                self.settings.set_window(place);
                self.save_settings();
            }
            Intent::App(AppIntent::KeepPanes(panes)) => {
                self.settings.set_panes(panes);
                self.save_settings();
            }
            Intent::App(AppIntent::FirstStepsDone) => {
                self.first_steps_done();
                self.save_settings();
            }
            Intent::App(AppIntent::DismissBanner(banner)) => {
                if matches!(banner, Banner::ClosedUnexpectedly { .. } | Banner::PartFailed { .. }) {
                    self.keep_crash_note();
                }
                self.update(Update::BannerOver(banner));
            }
            Intent::App(AppIntent::SetAutostart(on)) => self.set_autostart(on),
            Intent::App(AppIntent::Focus(true)) => self.drive(engine::Input::NudgeAll),
            Intent::App(AppIntent::Focus(false)) => {}
        }
    }

    /// Handles what a background task brings back.
    pub(super) fn done(&mut self, done: TaskResult) {
        match done {
            TaskResult::Update(update) => self.update(update),
            TaskResult::Secret(done) => self.secret_done(done),
            TaskResult::Network(done) => self.network_done(done),
            TaskResult::File(done) => self.file_done(done),
            TaskResult::Said(said) => self.said(said),
            TaskResult::Counted(connection, counted) => {
                self.drive(engine::Input::Counted(connection, counted));
            }
            TaskResult::Diagnosed(number, id, diagnosis) => self.diagnosed(number, id, diagnosis),
            TaskResult::Tested(test, outcome) => {
                if test == self.test {
                    self.update(Update::Setup(SetupUpdate::Test(Some(outcome))));
                }
            }
            TaskResult::Committed(part, Some(outcome)) => self.committed(part, outcome),
            TaskResult::Committed(part, None) => self.drive(engine::Input::LetGo(part)),
            TaskResult::Series(connection, device, metric, page) => {
                self.drive(engine::Input::SeriesRead { connection, device, metric, page });
            }
            TaskResult::Log(connection, device, lines) => {
                self.drive(engine::Input::LogRead { connection, device, lines });
            }
            TaskResult::Exported(exported) => {
                self.is_exporting = false;
                self.update(Update::Disk(DiskUpdate::Exported(exported)));
            }
            TaskResult::LinkNotOpened { url, detail } => {
                self.update(Update::Banner(Banner::LinkNotOpened { url, detail }));
            }
        }
    }

    fn secret_done(&mut self, done: SecretResult) {
        match done {
            SecretResult::Found(connection, secret) => self.secret(connection, secret),
            SecretResult::OfProxy(id, address, password) => self.proxy_password(id, address, password),
            SecretResult::Replaced(connection, token) => self.other_token(connection, token),
            SecretResult::LoginKept { id, login, kept, in_file } => {
                if let Some(slot) = self.slots.get_mut(&id) {
                    slot.access = Some(Access::Login(login));
                }
                self.secret_kept(id, kept, in_file);
                self.connect(id);
            }
            SecretResult::SecretKept { id, kept, in_file } => self.secret_kept(id, kept, in_file),
            SecretResult::KeyringChecked(checked) => {
                self.update(Update::Setup(SetupUpdate::Keyring(checked.err().map(|error| error.detail))));
            }
        }
    }

    fn network_done(&mut self, done: NetworkResult) {
        match done {
            NetworkResult::Lan(lan) => self.lan_changed(lan),
            NetworkResult::Nearby(search, found) => self.found_nearby(search, found),
            NetworkResult::FoundAgain(connection, url) => self.found_again(connection, url),
            NetworkResult::Hub(Ok(at)) => {
                let id = ConnectionId::OWN_HUB;
                if let Some(slot) = self.slots.get_mut(&id) {
                    slot.profile.urls = vec![at.url.clone()];
                    slot.access = Some(at.access());
                    let profile = slot.profile.clone();
                    self.update(Update::Setup(SetupUpdate::Configured(Box::new(profile))));
                    self.drive(engine::Input::Addresses { connection: id, urls: vec![at.url] });
                }
                self.connect(id);
            }
            NetworkResult::Hub(Err(why)) => self.stopped(ConnectionId::OWN_HUB, why),
        }
    }

    /// Applies preferences that concern the worker, and shows them.
    pub(super) fn prefer(&mut self, preferences: Preferences) {
        if let Some(readings) = &self.fleet.readings {
            readings.set_raw_bytes(preferences.raw_readings_bytes());
        }
        self.update(Update::Choices(ChoicesUpdate::Preferences(preferences)));
    }

    async fn add_connections(&mut self, connections: Vec<Moved>) {
        for Moved { mut profile, devices } in connections {
            profile.id = self.settings.new_connection_id();
            self.settings.set_profile(profile.clone());
            let _ = self.settings.device_choices_mut().take_over(profile.id, &devices);
            self.open_slot(profile, None).await;
        }
        self.save_device_choices();
    }

    fn take_token(&mut self, connection: ConnectionId, token: Secret) {
        let Some(slot) = self.slots.get_mut(&connection) else { return };
        slot.access = Some(Access::Token(token.clone()));
        // Connections from the command line are not saved.
        if connection > ConnectionId::COMMAND_LINE {
            self.keep_secret(connection, token);
        }
        self.tell(connection, Input::Link(link::Input::Stop));
        self.connect(connection);
    }

    fn secret(&mut self, connection: ConnectionId, secret: Result<Option<Secret>, NotStored>) {
        self.update(Update::Setup(SetupUpdate::Keyring(secret.as_ref().err().map(ToString::to_string))));
        let secret = secret.ok().flatten();
        let Some(slot) = self.slots.get_mut(&connection) else { return };
        match Access::of_secret(&slot.profile, secret) {
            _ if slot.access.is_some() => {}
            Some(access) => {
                slot.access = Some(access);
                if slot.wanted {
                    self.connect(connection);
                }
            }
            None => self.stopped(connection, Why::NoToken),
        }
    }

    fn stopped(&mut self, connection: ConnectionId, why: Why) {
        self.update(Update::Connection(
            connection,
            Event::Link(LinkEvent::State(LinkState::Stopped { why })),
        ));
    }

    pub(super) fn new_id(&self) -> Option<MessageId> {
        match clock::random() {
            Ok(bytes) => Some(MessageId::from_random(bytes)),
            Err(error) => {
                log::error!("the system gives no randomness: {error}");
                None
            }
        }
    }

    pub(super) fn count_unread(&self, connection: ConnectionId, room: RoomId) {
        let (store, done) = (self.store.clone(), self.done.clone());
        tokio::spawn(async move {
            let counted = store.count_unread(connection, room).await;
            let counted =
                counted.inspect_err(|error| log::error!("unread messages cannot be counted: {error}")).ok();
            // The receiver is gone if the worker has ended.
            let _ = done.send(TaskResult::Counted(connection, counted)).await;
        });
    }

    pub(super) fn read_page(
        &self,
        connection: ConnectionId,
        room: RoomId,
        from: Position,
        side: Side,
        limit: u32,
    ) {
        let (store, done) = (self.store.clone(), self.done.clone());
        tokio::spawn(async move {
            let event = match store.page(connection, room.clone(), from, side, limit).await {
                Ok(page) => Event::Chat(ChatEvent::Paged { room, side, page }),
                Err(error) => {
                    log::error!("a page cannot be read: {error}");
                    Event::Chat(ChatEvent::Loading { room, side, loading: false })
                }
            };
            // The receiver is gone if the worker has ended.
            let _ = done.send(TaskResult::Update(Update::Connection(connection, event))).await;
        });
    }

    pub(super) fn read_around(&self, connection: ConnectionId, room: RoomId, jump: Jump, limit: u32) {
        let (store, done) = (self.store.clone(), self.done.clone());
        tokio::spawn(async move {
            match store.jump(connection, room.clone(), jump, limit).await {
                Ok(page) => drop(
                    done.send(TaskResult::Update(Update::Connection(
                        connection,
                        Event::Chat(ChatEvent::Jumped { room, page }),
                    )))
                    .await,
                ),
                Err(error) => log::error!("a page cannot be read: {error}"),
            }
        });
    }

    pub(super) fn read_thread(
        &self,
        connection: ConnectionId,
        room: RoomId,
        (root, before): (MessageId, Option<Position>),
        limit: u32,
    ) {
        let (store, done) = (self.store.clone(), self.done.clone());
        tokio::spawn(async move {
            let event = match store.thread_page(connection, room.clone(), root, before, limit).await {
                Ok(page) => ChatEvent::ThreadPaged { room, root, is_end: before.is_none(), page },
                Err(error) => {
                    log::error!("a thread cannot be read: {error}");
                    ChatEvent::ThreadLoading { room, root, loading: false }
                }
            };
            // The receiver is gone if the worker has ended.
            let _ = done.send(TaskResult::Update(Update::Connection(connection, Event::Chat(event)))).await;
        });
    }

    pub(super) fn read_quote(&self, connection: ConnectionId, room: RoomId, position: Position) {
        let (store, done) = (self.store.clone(), self.done.clone());
        tokio::spawn(async move {
            match store.message_at(connection, room.clone(), position).await {
                Ok(Some(message)) if message.quote.is_some() => {
                    let event = ChatEvent::Quoted { room, message: Box::new(message) };
                    // The receiver is gone if the worker has ended.
                    let _ = done
                        .send(TaskResult::Update(Update::Connection(connection, Event::Chat(event))))
                        .await;
                }
                Ok(_) => {}
                Err(error) => log::error!("a message cannot be read: {error}"),
            }
        });
    }

    fn look_up(&self, asked: Lookup) {
        let (store, done) = (self.store.clone(), self.done.clone());
        tokio::spawn(async move {
            let number = asked.number;
            let found = store.look_up(asked).await.unwrap_or_else(|error| {
                log::error!("the disk cannot be asked about a room: {error}");
                LookupFound::Failed
            });
            // The receiver is gone if the worker has ended.
            let _ =
                done.send(TaskResult::Update(Update::Search(SearchUpdate::LookedUp(number, found)))).await;
        });
    }

    fn first_steps_done(&mut self) {
        self.settings.set_first_steps_done();
        self.update(Update::Setup(SetupUpdate::FirstSteps(false)));
    }

    async fn save_connection(&mut self, mut profile: Profile, credential: Credential) {
        if profile.id == ConnectionId(0) {
            profile.id = self.settings.new_connection_id();
            // Whoever joins a server, in whatever way, has redeemed them.
            self.first_steps_done();
        }
        let id = profile.id;
        self.keep_proxy_password(&mut profile);
        self.settings.set_profile(profile.without_password());
        self.save_settings();
        let access = self.access(&credential);
        // The token is stored before the invite is redeemed, so that a crash in between does not lose access.
        if let Some(Access::Token(token) | Access::Invite { token, .. }) = &access {
            self.keep_secret(id, token.clone());
        }
        let now = profile.websocket.clone();
        let before = match self.slots.get_mut(&id) {
            None => {
                self.open_slot(profile, access).await;
                None
            }
            // What is known of a server does not apply to one with another protocol, and credentials for one are never
            // sent to the other.
            Some(slot) if slot.profile.protocol != profile.protocol => {
                let before = slot.profile.websocket.clone();
                self.slots.remove(&id);
                let access = access.or_else(|| Access::of_secret(&profile, None));
                self.open_slot(profile, access).await;
                Some(before)
            }
            Some(slot) => {
                let before = std::mem::replace(&mut slot.profile, profile.clone());
                if access.is_some() {
                    slot.access = access;
                }
                self.drive(engine::Input::Addresses { connection: id, urls: profile.urls.clone() });
                self.update(Update::Setup(SetupUpdate::Configured(Box::new(profile.without_password()))));
                self.tell(id, Input::Link(link::Input::Stop));
                Some(before.websocket)
            }
        };
        match credential {
            Credential::Login(given) if before.is_some() || !given.is_empty() => {
                self.keep_login(id, given, before.unwrap_or_default(), now);
            }
            _ => self.connect(id),
        }
    }

    /// Stores a new password for a connection's proxy; without one, what is known of the same proxy remains.
    fn keep_proxy_password(&mut self, profile: &mut Profile) {
        let (id, network) = (profile.id, profile.network.clone());
        if let (ProxyChoice::At(address), Some(_)) = (network.proxy, &network.proxy_password) {
            let proxy = Proxy { address, password: network.proxy_password };
            self.beside(move |secrets| {
                let kept = secrets.set_proxy_password(id, &proxy);
                TaskResult::Secret(SecretResult::SecretKept { id, kept, in_file: secrets.is_in_file(id) })
            });
        }
        self.know_proxy_password(profile);
    }

    /// The password was read, perhaps after a first dial without it.
    fn proxy_password(&mut self, id: ConnectionId, address: ProxyAddress, password: Secret) {
        let Some(slot) = self.slots.get_mut(&id) else { return };
        let network = &mut slot.profile.network;
        if network.proxy != ProxyChoice::At(address) || network.proxy_password.is_some() {
            return;
        }
        network.proxy_password = Some(password);
        if slot.wanted && slot.access.is_some() {
            self.tell(id, Input::Link(link::Input::Start));
        }
    }

    /// Completes a profile by the password of its proxy, if it has none and that is known.
    fn know_proxy_password(&self, profile: &mut Profile) {
        let known = self.slots.get(&profile.id).map(|slot| &slot.profile.network);
        let known = known.filter(|network| network.proxy == profile.network.proxy);
        if let (None, Some(network)) = (&profile.network.proxy_password, known) {
            profile.network.proxy_password.clone_from(&network.proxy_password);
        }
    }

    /// Completes a plain WebSocket's login with the stored values, stores it, and connects.
    fn keep_login(
        &mut self,
        id: ConnectionId,
        given: Login,
        before: WebSocketOptions,
        now: WebSocketOptions,
    ) {
        let may_be_in_file = std::mem::take(&mut self.next_in_file);
        if let Some(slot) = self.slots.get_mut(&id) {
            slot.access = None;
            slot.wanted = false;
        }
        self.beside(move |secrets| {
            let kept = secrets.get(id).ok().flatten().map(|secret| Login::of_secret(&secret));
            let login = given.completed(&kept.unwrap_or_default(), &before, &now);
            let kept = if login.is_empty() {
                secrets.remove(id);
                Ok(())
            } else {
                match secrets.set(id, &login.to_secret()) {
                    Err(_) if may_be_in_file => secrets.keep_in_file(id),
                    kept => kept,
                }
            };
            TaskResult::Secret(SecretResult::LoginKept { id, login, kept, in_file: secrets.is_in_file(id) })
        });
    }

    /// Begins a new session, if there is to be one: what an open one has recognized stays as it is.
    fn reopen(&mut self, id: ConnectionId) {
        if self.slots.get(&id).is_some_and(|slot| slot.wanted) {
            self.tell(id, Input::Link(link::Input::Stop));
            self.connect(id);
        }
    }

    /// Applies changes of a connection's options that need no new credentials.
    fn change_options(&mut self, id: ConnectionId, change: impl FnOnce(&mut WebSocketOptions)) {
        let Some(slot) = self.slots.get_mut(&id) else { return };
        change(&mut slot.profile.websocket);
        let profile = slot.profile.clone();
        // Connections from the command line are not saved.
        if id > ConnectionId::COMMAND_LINE {
            self.settings.set_profile(profile.without_password());
            self.save_settings();
        }
        self.update(Update::Setup(SetupUpdate::Configured(Box::new(profile.without_password()))));
    }

    fn access(&self, credential: &Credential) -> Option<Access> {
        match credential {
            Credential::Keep => None,
            Credential::Token(token) => Some(Access::Token(token.clone())),
            Credential::Login(login) => Some(Access::Login(login.clone())),
            Credential::Invite { code, name } => {
                let token = clock::random::<32>().ok().map(|bytes| Secret::new(HEXLOWER.encode(&bytes)))?;
                Some(Access::Invite { code: code.clone(), name: name.clone(), token })
            }
        }
    }

    /// The invite has been redeemed: use the token from now on.
    pub(super) fn invite_redeemed(&mut self, id: ConnectionId) {
        let Some(slot) = self.slots.get_mut(&id) else { return };
        let Some(Access::Invite { token, .. }) = &slot.access else { return };
        slot.access = Some(Access::Token(token.clone()));
        self.configure(id);
    }

    /// Stores a token in the keyring; without a keyring, in a file if the person agreed to that for this one.
    pub(super) fn keep_secret(&mut self, id: ConnectionId, secret: Secret) {
        let may_be_in_file = std::mem::take(&mut self.next_in_file);
        self.beside(move |secrets| {
            let kept = match secrets.set(id, &secret) {
                Err(_) if may_be_in_file => secrets.keep_in_file(id),
                kept => kept,
            };
            TaskResult::Secret(SecretResult::SecretKept { id, kept, in_file: secrets.is_in_file(id) })
        });
    }

    /// Runs a blocking operation on the secret store.
    fn beside(&self, act: impl FnOnce(&SecretStore) -> TaskResult + Send + 'static) {
        let (secrets, done) = (self.secrets.clone(), self.done.clone());
        // The receiver is gone if the worker has ended.
        spawn_blocking(move || drop(done.blocking_send(act(&secrets))));
    }

    fn secret_kept(&mut self, id: ConnectionId, kept: Result<(), NotStored>, in_file: bool) {
        self.update(Update::Setup(SetupUpdate::TokenInFile(id, in_file)));
        let is_of = |banner: &&Banner| matches!(banner, Banner::SecretNotKept { connection, .. } if *connection == id);
        let before = self.model.read(|model| model.banners.iter().find(is_of).cloned());
        before.into_iter().for_each(|banner| self.update(Update::BannerOver(banner)));
        if let Err(NotStored { detail }) = kept {
            self.update(Update::Setup(SetupUpdate::Keyring(Some(detail.clone()))));
            self.update(Update::Banner(Banner::SecretNotKept { connection: id, detail }));
        }
    }

    pub(super) fn save_settings(&self) {
        if let Err(error) = self.settings.save() {
            log::error!("the settings cannot be saved: {error}");
        }
    }

    fn save_choices(&mut self) {
        self.save_settings();
        self.update(Update::Choices(ChoicesUpdate::Notices(self.settings.notice_choices().clone())));
    }

    fn save_device_choices(&mut self) {
        self.save_settings();
        self.update(Update::Choices(ChoicesUpdate::Devices(self.settings.device_choices().clone())));
    }

    fn remove_connection(&mut self, id: ConnectionId) {
        if id == ConnectionId::OWN_HUB {
            return;
        }
        let Some(slot) = self.slots.remove(&id) else { return self.remove_newer(id) };
        self.drive(engine::Input::Remove(id));
        self.forget_devices(slot.source);
        self.forget_files(id);
        self.recorder.end(id);
        self.settings.remove_profile(id);
        self.settings.notice_choices_mut().forget(id);
        self.settings.device_choices_mut().forget(id);
        self.save_choices();
        self.update(Update::Choices(ChoicesUpdate::Devices(self.settings.device_choices().clone())));
        self.keep(id, Change::RemoveConnection);
        let secrets = self.secrets.clone();
        spawn_blocking(move || secrets.remove(id));
        self.look_for_lost(id);
        self.update(Update::Setup(SetupUpdate::Removed(id)));
    }

    /// Removes a connection that was set up by a newer version, with its data.
    fn remove_newer(&mut self, id: ConnectionId) {
        if !self.settings.newer_profiles().iter().any(|newer| newer.id == id) {
            return;
        }
        self.settings.remove_profile(id);
        self.save_settings();
        self.keep(id, Change::RemoveConnection);
        let secrets = self.secrets.clone();
        spawn_blocking(move || secrets.remove(id));
        self.update(Update::Setup(SetupUpdate::NewerConnections(self.settings.newer_profiles())));
    }

    fn detect(&mut self, mut profile: Profile) {
        self.know_proxy_password(&mut profile);
        self.test += 1;
        self.update(Update::Setup(SetupUpdate::Test(Some(TestOutcome::Running))));
        let (test, done) = (self.test, self.done.clone());
        tokio::spawn(async move {
            let outcome = detect::detect(profile).await;
            // The receiver is gone if the worker has ended.
            let _ = done.send(TaskResult::Tested(test, outcome)).await;
        });
    }

    fn test_connection(&mut self, mut profile: Profile, credential: Credential) {
        self.know_proxy_password(&mut profile);
        self.test += 1;
        self.update(Update::Setup(SetupUpdate::Test(Some(TestOutcome::Running))));
        let access = match &credential {
            // A test does not use up an invite.
            Credential::Invite { code, .. } => Some(Access::CheckInvite { code: code.clone() }),
            Credential::Keep => {
                let slot = self.slots.get(&profile.id);
                slot.filter(|slot| slot.profile.protocol == profile.protocol).and_then(|s| s.access.clone())
            }
            Credential::Token(_) => self.access(&credential),
            Credential::Login(_) => None,
        };
        let before = self.slots.get(&profile.id).map(|slot| slot.profile.websocket.clone());
        let (test, done, secrets) = (self.test, self.done.clone(), self.secrets.clone());
        tokio::spawn(async move {
            let access = match access {
                Some(access) => access,
                // Its token is read when it first connects, which may not have happened yet.
                None => {
                    let id = profile.id;
                    let secret = spawn_blocking(move || secrets.get(id)).await;
                    let secret = secret.ok().and_then(Result::ok).flatten();
                    match credential {
                        Credential::Login(given) => {
                            let kept = secret.as_ref().map(Login::of_secret).unwrap_or_default();
                            let before = before.unwrap_or_default();
                            Access::Login(given.completed(&kept, &before, &profile.websocket))
                        }
                        _ => Access::of_secret(&profile, secret).unwrap_or(Access::Nobody),
                    }
                }
            };
            let outcome = trial::try_out(profile, access).await;
            // The receiver is gone if the worker has ended.
            let _ = done.send(TaskResult::Tested(test, outcome)).await;
        });
    }
}
