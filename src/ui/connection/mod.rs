//! The dialog to add, edit and test a connection.

mod mqtt;
mod plain;
mod proxy;
mod socketio;
mod stomp;

use egui::accesskit::Role;
use egui::{Key, Label, RichText, ScrollArea, TextEdit, Ui};

use super::dialog::Fate;
use super::theme::{self, space};
use super::{Cx, fade, harmless, nearby, rooms, sheet, widgets};
use crate::model::address::{self, Address, BadAddress, unencrypted_host};
use crate::model::deep_link::DeepLink;
use crate::model::event::{Reached, TestOutcome};
use crate::model::id::ConnectionId;
use crate::model::intent::{Credential, Intent, LinkIntent};
use crate::model::lan::InviteLink;
use crate::model::link_state::Why;
use crate::model::name;
use crate::model::profile::{
    ClientCertificate, Login, NetworkOptions, Profile, Protocol, Secret, Socket, WebSocketOptions,
};
use crate::model::proxy::BadProxy;
use crate::model::route::RouteChoice;
use crate::model::socketio_address::socketio_url;
use crate::model::upgrade::BadOptions;

/// Contents of the dialog.
pub(super) struct Form {
    id: ConnectionId,
    name: String,
    address: String,
    token: String,
    your_name: String,
    ca_file: String,
    client_certificate: String,
    client_key: String,
    fingerprint: String,
    socket: Socket,
    route: RouteChoice,
    protocol: Protocol,
    /// Whether the protocol is to be found out; until then it is the default one.
    detects: bool,
    auto_connect: bool,
    /// Whether the person agreed to store the token in a file because there is no keyring.
    keep_in_file: bool,
    /// Whether the keyring has been looked for.
    asked_keyring: bool,
    advanced: bool,
    /// Inputs of the last test; its result applies only to these.
    tested: Option<Tried>,
    fresh: bool,
    nearby: nearby::Picker,
    plain: plain::Fields,
    socketio: socketio::Fields,
    proxy: proxy::Fields,
}

/// Inputs that determine the result of a test.
#[derive(Clone, PartialEq, Eq)]
struct Tried(Vec<String>, Socket, RouteChoice, Protocol);

/// Validation of the form.
struct Checked {
    addresses: Result<Vec<Address>, BadAddress>,
    fingerprint: Result<Option<String>, ()>,
    /// How to use a plain WebSocket, and its secrets.
    plain: Result<(WebSocketOptions, Login), BadOptions>,
    /// Whether the data to sign in with is not as it must be.
    has_bad_auth: bool,
    proxy: Result<NetworkOptions, BadProxy>,
    /// Another missing field.
    missing: Option<&'static str>,
}

impl Checked {
    /// Whether no address is one of a WebSocket.
    fn is_stream(&self) -> bool {
        self.addresses.as_ref().is_ok_and(|all| all.iter().all(|one| address::is_stream(&one.url)))
    }
}

/// What one click does after a test.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Next {
    /// Nothing.
    Stay,
    /// Test again with the corrected settings.
    Test,
    /// Connect.
    Save,
}

impl Form {
    /// For a new connection.
    pub(super) fn add() -> Form {
        Form {
            id: ConnectionId(0),
            name: String::new(),
            address: String::new(),
            token: String::new(),
            your_name: String::new(),
            ca_file: String::new(),
            client_certificate: String::new(),
            client_key: String::new(),
            fingerprint: String::new(),
            socket: Socket::default(),
            route: RouteChoice::default(),
            protocol: Protocol::default(),
            detects: true,
            auto_connect: true,
            keep_in_file: false,
            asked_keyring: false,
            advanced: false,
            tested: None,
            fresh: true,
            nearby: nearby::Picker::default(),
            plain: plain::Fields::default(),
            socketio: socketio::Fields::default(),
            proxy: proxy::Fields::default(),
        }
    }

    /// For a new connection to this address.
    pub(super) fn at(address: String) -> Form {
        Form { address, ..Form::add() }
    }

    /// For an existing connection.
    pub(super) fn edit(cx: &Cx, id: ConnectionId) -> Option<Form> {
        let profile = cx.model.read(|model| Some(model.connections.get(&id)?.profile.clone()))?;
        let ca_file = profile.ca_file.map(|path| path.display().to_string()).unwrap_or_default();
        let fingerprint = profile.fingerprint.unwrap_or_default();
        let path = |path: std::path::PathBuf| path.display().to_string();
        let own = profile.network.client_certificate.clone();
        let client_certificate = own.as_ref().map(|own| path(own.certificate.clone())).unwrap_or_default();
        let client_key = own.and_then(|own| own.key).map(path).unwrap_or_default();
        let proxy = proxy::Fields::of(&profile.network.proxy);
        let is_usual = profile.socket == Socket::default()
            && profile.route.is_automatic()
            && profile.network.proxy.is_automatic();
        let has_certificates =
            !ca_file.is_empty() || !fingerprint.is_empty() || !client_certificate.is_empty();
        let advanced = has_certificates || !is_usual;
        Some(Form {
            id,
            name: profile.name,
            address: profile.urls.join(", "),
            ca_file,
            client_certificate,
            client_key,
            fingerprint,
            socket: profile.socket,
            route: profile.route,
            protocol: profile.protocol,
            detects: false,
            auto_connect: profile.auto_connect,
            keep_in_file: cx.model.read(|model| model.tokens_in_file.contains(&id)),
            advanced,
            socketio: socketio::Fields::of(&profile.websocket.socketio),
            plain: plain::Fields::of(profile.websocket),
            proxy,
            ..Form::add()
        })
    }

    /// For a copy of a connection. Secrets are not copied.
    pub(super) fn duplicate(cx: &Cx, id: ConnectionId) -> Option<Form> {
        let mut form = Form::edit(cx, id)?;
        form.id = ConnectionId(0);
        form.keep_in_file = false;
        form.plain.forget_kept();
        form.proxy.forget_kept();
        form.socketio.forget_kept();
        let name = cx.model.read(|model| Some(rooms::name_of(model.connections.get(&id)?, cx.words)))?;
        form.name = (cx.words.profiles.copy_of)(&name);
        Some(form)
    }

    /// Whether it is a server of others, which has no tokens of ours.
    fn is_plain(&self) -> bool {
        self.protocol.has_login()
    }

    /// Whether the protocol is to be found out before anything else. A token and an invite are for Duplex servers alone.
    fn wants_detection(&self, checked: &Checked) -> bool {
        self.detects && self.token.trim().is_empty() && !self.invited(checked) && !self.address.contains(',')
    }

    /// Whether it adds a connection.
    pub(super) fn is_new(&self) -> bool {
        self.id == ConnectionId(0)
    }

    pub(super) fn show(&mut self, ui: &mut Ui, cx: &mut Cx, window_height: f32) -> Fate {
        let words = cx.words;
        let title = if self.id == ConnectionId(0) { words.add_title } else { words.edit_title };
        sheet::title(ui, title);
        let most = (window_height - 190.0).max(160.0);
        // At full height from the first frame: growing frame by frame, it would move under the pointer.
        let scroll = ScrollArea::vertical().max_height(most).min_scrolled_height(most);
        let enter = scroll.auto_shrink([false, true]).show(ui, |ui| self.fields(ui, cx)).inner;
        let checked = self.check(cx);
        // Before an invite is used, the person should know whether its token can be stored. Only checked then, because
        // a locked keyring asks for its password.
        if self.gives_secret(&checked) && !std::mem::replace(&mut self.asked_keyring, true) {
            cx.intents.push(Intent::Link(LinkIntent::AskKeyring));
        }
        let next = self.outcome(ui, cx, &checked);
        let checked = if next == Next::Stay { checked } else { self.check(cx) };
        ui.add_space(space::TINY);
        let complete = checked.addresses.is_ok()
            && checked.fingerprint.is_ok()
            && checked.plain.is_ok()
            && checked.proxy.is_ok()
            && !checked.has_bad_auth
            && checked.missing.is_none();
        let mut fate = Fate::Open;
        ui.horizontal(|ui| {
            let theme = theme::of(ui);
            let name = if self.invited(&checked) { words.join } else { words.save };
            let save = ui.add_enabled(complete, widgets::primary(theme, name));
            let test = ui.add_enabled(complete, widgets::plain(words.test_button));
            if ui.add(widgets::plain(words.cancel)).clicked() {
                fate = Fate::Closed;
            }
            let save = save.clicked() || (enter && complete) || next == Next::Save;
            if !save && !test.clicked() && next == Next::Stay {
                return;
            }
            let detects = self.wants_detection(&checked);
            let Some((profile, credential)) = self.settings(checked) else {
                return;
            };
            if detects {
                self.tested = Some(self.tried());
                let urls = vec![self.address.trim().to_owned()];
                cx.intents.push(Intent::Link(LinkIntent::Detect(Profile { urls, ..profile })));
            } else if save {
                self.save(cx, profile, credential);
                fate = Fate::Closed;
            } else {
                self.tested = Some(self.tried());
                cx.intents.push(Intent::Link(LinkIntent::TestConnection { profile, credential }));
            }
        });
        fate
    }

    /// Returns whether Enter was pressed in a field; if a field is missing, moves the focus there.
    fn fields(&mut self, ui: &mut Ui, cx: &mut Cx) -> bool {
        let words = cx.words;
        ui.spacing_mut().item_spacing.y = space::TINY;
        // An invite is for a Duplex server. In a scope of its own, so that the fields below stay the same and keep the focus.
        ui.scope(|ui| {
            if !is_invite(&self.addresses()) {
                self.protocol_choice(ui, cx);
            }
        });
        let name = field(ui, words.name, words.name_hint, &mut self.name, false);
        let (label, example) = match self.protocol {
            Protocol::Duplex => (words.address, words.address_hint),
            Protocol::WebSocket => (words.plain.address, words.plain.address_hint),
            Protocol::SocketIo => (words.plain.address, words.socketio.address_hint),
            Protocol::Stomp => (words.plain.address, words.stomp.address_hint),
            Protocol::Mqtt => (words.plain.address, words.mqtt.address_hint),
        };
        let address = field(ui, label, example, &mut self.address, false);
        self.take_apart();
        if std::mem::take(&mut self.fresh) {
            // The only required field; the server provides the name.
            let first = if self.address.is_empty() { &address } else { &name };
            first.request_focus();
        }
        let checked = self.check(cx);
        self.said_of_address(ui, cx, &checked);
        if self.is_plain() {
            return self.plain_fields(ui, cx, &checked, &name, &address);
        }
        if self.is_new() {
            self.nearby.show(ui, cx, &mut self.address);
        }
        let way_in = if self.invited(&checked) {
            let part = self.address.split(',').zip(checked.addresses.iter().flatten());
            if let Some((text, address)) = part.into_iter().find(|(_, address)| address.invite.is_some()) {
                nearby::joining(ui, cx, text, address);
            }
            hint(ui, words.invite_found);
            let your_name = field(ui, words.your_name, words.your_name_hint, &mut self.your_name, false);
            if let Some(missing) = checked.missing {
                hint(ui, missing);
            }
            your_name
        } else {
            let text = if self.id == ConnectionId(0) { words.token_hint_new } else { words.token_hint_keep };
            field(ui, words.token, text, &mut self.token, true)
        };
        self.storage(ui, cx, &checked);
        let enter = [&name, &address, &way_in].into_iter().any(|field| entered(ui, field));
        if enter && checked.addresses.is_err() {
            address.request_focus();
        } else if enter && checked.missing.is_some() {
            way_in.request_focus();
        }
        ui.add_space(space::SMALL);
        ui.checkbox(&mut self.auto_connect, words.connect_at_start);
        self.advanced(ui, cx, &checked);
        enter
    }

    /// Takes out of the address what has its own place.
    fn take_apart(&mut self) {
        // Nothing else is at such an address.
        if self.detects && address::is_stomp(self.address.trim()) {
            (self.protocol, self.detects) = (Protocol::Stomp, false);
        }
        if self.detects && address::is_mqtt(self.address.trim()) {
            (self.protocol, self.detects) = (Protocol::Mqtt, false);
        }
        if self.protocol == Protocol::Duplex
            && let Ok(link) = DeepLink::parse(&self.address)
        {
            self.address = link.address_text;
        }
        // In the address it would be visible on screen and stored with the address.
        if self.is_plain() {
            self.plain.take_userinfo(&mut self.address);
        } else if let Some(password) = address::take_password(&mut self.address) {
            self.token = password.reveal().to_owned();
        }
    }

    /// Explains what is wrong with the address, or how it was understood.
    fn said_of_address(&self, ui: &mut Ui, cx: &Cx, checked: &Checked) {
        let words = cx.words;
        match &checked.addresses {
            Err(bad) if !self.address.trim().is_empty() => complain(ui, (words.bad_address)(*bad)),
            Err(_) => {}
            Ok(addresses) => {
                let is_other = addresses.first().is_some_and(|address| address.url != self.address.trim());
                if is_other && !self.wants_detection(checked) {
                    let url = harmless::line(&addresses[0].url, 100);
                    hint(ui, &(words.address_taken_as)(&url));
                }
                if addresses.iter().any(in_the_clear) {
                    let in_the_clear = match self.protocol {
                        Protocol::Duplex => words.clear_text_warning,
                        Protocol::WebSocket | Protocol::SocketIo | Protocol::Stomp | Protocol::Mqtt => {
                            words.plain.clear_text_warning
                        }
                    };
                    warn(ui, in_the_clear);
                }
            }
        }
    }

    /// The other fields of a plain WebSocket. Returns whether Enter was pressed in one of them or before.
    fn plain_fields(
        &mut self,
        ui: &mut Ui,
        cx: &Cx,
        checked: &Checked,
        name: &egui::Response,
        address: &egui::Response,
    ) -> bool {
        let words = cx.words;
        let is_socketio = self.protocol == Protocol::SocketIo;
        let in_socketio = is_socketio && self.socketio.show(ui, cx, checked.has_bad_auth);
        let entered_here = self.plain.show(ui, cx, self.protocol, checked);
        let enter =
            entered_here || in_socketio || [name, address].into_iter().any(|field| entered(ui, field));
        if enter && checked.addresses.is_err() {
            address.request_focus();
        }
        self.storage(ui, cx, checked);
        ui.add_space(space::SMALL);
        if !is_socketio {
            ui.checkbox(&mut self.plain.reconnect, words.plain.reconnect);
        }
        ui.checkbox(&mut self.auto_connect, words.connect_at_start);
        self.advanced(ui, cx, checked);
        enter
    }

    /// Says where the token will be stored; without a keyring, lets the person choose.
    fn storage(&mut self, ui: &mut Ui, cx: &Cx, checked: &Checked) {
        let words = cx.words.profiles;
        let (invited, gives_secret) = (self.invited(checked), self.gives_secret(checked));
        let (no_keyring, in_file) =
            cx.model.read(|model| (model.no_keyring.is_some(), model.tokens_in_file.contains(&self.id)));
        let concerns_this = in_file || (no_keyring && gives_secret);
        if !concerns_this {
            return;
        }
        let plain = self.is_plain().then_some(cx.words.plain);
        match (no_keyring, invited) {
            (true, _) if plain.is_some() && !in_file => warn(ui, cx.words.plain.no_keyring),
            _ if plain.is_some() => {}
            (true, true) => warn(ui, words.no_keyring_invite),
            (true, false) if !in_file => warn(ui, words.no_keyring_token),
            _ => {}
        }
        ui.checkbox(&mut self.keep_in_file, plain.map_or(words.keep_in_file, |plain| plain.keep_in_file));
        hint(ui, words.keep_in_file_warning);
    }

    /// Saves the connection, and its token where the person wants it.
    fn save(&self, cx: &mut Cx, profile: Profile, credential: Credential) {
        let was_in_file = cx.model.read(|model| model.tokens_in_file.contains(&self.id));
        let is_new_token = match &credential {
            Credential::Keep => false,
            Credential::Login(login) => !login.is_empty(),
            Credential::Token(_) | Credential::Invite { .. } => true,
        };
        if self.keep_in_file && is_new_token {
            cx.intents.push(Intent::Link(LinkIntent::KeepTokenInFile(None)));
        }
        if was_in_file && !self.keep_in_file {
            cx.intents.push(Intent::Link(LinkIntent::DropTokenFile(self.id)));
        }
        cx.intents.push(Intent::Link(LinkIntent::SaveConnection { profile, credential }));
    }

    fn protocol_choice(&mut self, ui: &mut Ui, cx: &Cx) {
        label(ui, cx.words.plain.protocol);
        ui.horizontal_wrapped(|ui| {
            if self.is_new() {
                ui.radio_value(&mut self.detects, true, cx.words.socketio.detect);
            }
            for (protocol, name) in [
                (Protocol::Duplex, cx.words.protocol_duplex),
                (Protocol::SocketIo, cx.words.protocol_socketio),
                (Protocol::WebSocket, cx.words.protocol_websocket),
                (Protocol::Mqtt, cx.words.protocol_mqtt),
                (Protocol::Stomp, cx.words.protocol_stomp),
            ] {
                let is_chosen = !self.detects && self.protocol == protocol;
                if ui.radio(is_chosen, name).clicked() {
                    (self.protocol, self.detects) = (protocol, false);
                }
            }
        });
        if self.detects {
            self.protocol = Protocol::default();
        }
    }

    fn advanced(&mut self, ui: &mut Ui, cx: &Cx, checked: &Checked) {
        let words = cx.words;
        ui.checkbox(&mut self.advanced, words.advanced);
        if !self.advanced {
            return;
        }
        if self.protocol == Protocol::SocketIo {
            self.socketio.show_advanced(ui, cx);
        }
        if self.protocol == Protocol::Mqtt {
            self.plain.show_advanced_mqtt(ui, cx);
        }
        field(ui, words.ca_file, words.ca_file_hint, &mut self.ca_file, false);
        field(ui, words.fingerprint, words.fingerprint_hint, &mut self.fingerprint, false);
        if checked.fingerprint.is_err() {
            complain(ui, words.bad_fingerprint);
        }
        let (name, hint) = (words.client_certificate, words.client_certificate_hint);
        field(ui, name, hint, &mut self.client_certificate, false);
        if !self.client_certificate.trim().is_empty() {
            field(ui, words.client_key, words.client_key_hint, &mut self.client_key, false);
        }
        self.proxy.show(ui, cx, &checked.proxy, self.socket);
        if checked.is_stream() {
            return;
        }
        label(ui, words.socket);
        ui.horizontal_wrapped(|ui| {
            ui.radio_value(&mut self.socket, Socket::Tungstenite, words.socket_tungstenite);
            ui.radio_value(&mut self.socket, Socket::Ewebsock, words.socket_ewebsock);
        });
        if self.socket == Socket::Ewebsock {
            warn(ui, words.ewebsock_limits);
        }
        if self.protocol == Protocol::Duplex && self.socket == Socket::Tungstenite {
            self.route_choice(ui, cx);
        }
    }

    fn route_choice(&mut self, ui: &mut Ui, cx: &Cx) {
        let words = cx.words.routes;
        label(ui, words.transport);
        ui.horizontal_wrapped(|ui| {
            for choice in RouteChoice::all() {
                ui.radio_value(&mut self.route, choice, words.choice(choice));
            }
        });
        if !self.route.is_automatic() {
            ui.add(Label::new(RichText::new(words.only_hint).font(theme::small())).wrap());
        }
    }

    fn tried(&self) -> Tried {
        let own = [&self.address, &self.token, &self.ca_file, &self.fingerprint];
        let own = own.into_iter().chain([&self.client_certificate, &self.client_key]);
        let all = own.chain(self.plain.texts()).chain(self.socketio.texts());
        let all = all.chain(self.proxy.texts());
        let all = all.map(|text| text.trim().to_owned()).chain([self.proxy.word().to_owned()]);
        Tried(all.collect(), self.socket, self.route, self.protocol)
    }

    /// The result of the test. Returns what the person wants to do: test again with the corrected address, or connect
    /// with the protocol that was found.
    /// right, or to connect by the protocol that it found.
    fn outcome(&mut self, ui: &mut Ui, cx: &Cx, checked: &Checked) -> Next {
        let is_of_this = self.tested.as_ref() == Some(&self.tried());
        let Some(outcome) = cx.model.read(|model| model.test.clone()).filter(|_| is_of_this) else {
            return Next::Stay;
        };
        self.take_detected(&outcome);
        let theme = theme::of(ui);
        let own = match &outcome {
            TestOutcome::Failed(why) if self.is_plain() => (cx.words.plain.why)(why, false),
            _ => None,
        };
        let sentence = own.unwrap_or_else(|| (cx.words.test)(&outcome));
        let colour = match outcome {
            TestOutcome::Running => theme.weak,
            TestOutcome::Passed { .. } | TestOutcome::Reached { .. } => theme.good,
            TestOutcome::Failed(_) => theme.bad,
        };
        let text = format!("{} {}", sentence.what, sentence.then);
        ui.scope(|ui| {
            fade::appear(ui, ("outcome of a test", &text));
            let shown = ui.add(Label::new(RichText::new(text.trim_end()).color(colour)).wrap());
            widgets::live(ui, shown.id, text.trim_end());
        });
        if matches!(outcome, TestOutcome::Failed(Why::NotDuplex { .. })) && !self.invited(checked) {
            if !ui.add(widgets::plain(cx.words.plain.connect_as_plain)).clicked() {
                return Next::Stay;
            }
            // Credentials for a Duplex server are not sent to another server.
            self.token.clear();
            (self.protocol, self.detects) = (Protocol::WebSocket, false);
            return Next::Save;
        }
        let TestOutcome::Failed(Why::WrongScheme { .. }) = outcome else { return Next::Stay };
        let Some(first) = checked.addresses.as_ref().ok().and_then(|all| all.first()) else {
            return Next::Stay;
        };
        let Some(url) = address::other_scheme(&first.url) else { return Next::Stay };
        if !ui.add(widgets::plain(&(cx.words.use_address)(&harmless::line(&url, 100)))).clicked() {
            return Next::Stay;
        }
        let right = Address { url, ..first.clone() };
        let rest = self.address.split_once(',').map(|(_, rest)| format!(",{rest}")).unwrap_or_default();
        self.address = format!("{right}{rest}");
        // Without encryption the test would send the token: the person sees the warning first.
        if in_the_clear(&right) { Next::Stay } else { Next::Test }
    }

    /// Takes over what was found out. The person can still choose otherwise.
    fn take_detected(&mut self, outcome: &TestOutcome) {
        match outcome {
            _ if !self.detects => return,
            TestOutcome::Reached { found: Reached::Speaks { protocol, url, namespace }, .. } => {
                self.protocol = *protocol;
                if *protocol != Protocol::Duplex {
                    self.address.clone_from(url);
                }
                if let Some(namespace) = namespace {
                    self.socketio.set_namespace(namespace.clone());
                }
            }
            // Without an answer, the connection can be saved as what was chosen.
            TestOutcome::Failed(_) => {}
            _ => return,
        }
        self.detects = false;
        self.tested = Some(self.tried());
    }

    pub(super) fn forget_test(&mut self, cx: &mut Cx) {
        if self.tested.take().is_some() {
            cx.intents.push(Intent::Link(LinkIntent::EndTest));
        }
    }

    fn invited(&self, checked: &Checked) -> bool {
        is_invite(&checked.addresses)
    }

    /// Whether any secret was entered.
    fn gives_secret(&self, checked: &Checked) -> bool {
        let is_given = match self.protocol {
            Protocol::Duplex => self.invited(checked) || !self.token.trim().is_empty(),
            Protocol::WebSocket | Protocol::Stomp | Protocol::Mqtt => self.plain.gives_secret(),
            Protocol::SocketIo => self.plain.gives_secret() || self.socketio.gives_secret(),
        };
        is_given || self.proxy.gives_secret()
    }

    fn changes_login(&self, given: &Login) -> bool {
        self.plain.changes_login(given) || self.socketio.changes_login()
    }

    /// What is entered as the address.
    fn addresses(&self) -> Result<Vec<Address>, BadAddress> {
        let parts = self.address.split(',').map(str::trim).filter(|part| !part.is_empty());
        let addresses: Result<Vec<Address>, BadAddress> = match self.protocol {
            Protocol::Duplex => parts.map(Address::parse).collect(),
            Protocol::WebSocket => urls_of(&self.address, address::websocket_url),
            Protocol::SocketIo => urls_of(&self.address, socketio_url),
            Protocol::Stomp => urls_of(&self.address, address::stomp_url),
            Protocol::Mqtt => urls_of(&self.address, address::mqtt_url),
        };
        addresses.and_then(|all| if all.is_empty() { Err(BadAddress::Empty) } else { Ok(all) })
    }

    fn check(&self, cx: &Cx) -> Checked {
        let addresses = self.addresses();
        let plain = match self.protocol {
            Protocol::Duplex => Ok((self.plain.original().clone(), Login::default())),
            Protocol::WebSocket | Protocol::Stomp | Protocol::Mqtt => self.plain.check(self.protocol),
            Protocol::SocketIo => {
                self.plain.check(self.protocol).and_then(|plain| self.socketio.complete(plain))
            }
        };
        let has_bad_auth = self.protocol == Protocol::SocketIo && !self.socketio.is_auth_good();
        let fingerprint = match self.fingerprint.trim() {
            "" => Ok(None),
            text => {
                Address::parse(&format!("localhost#sha256={text}")).map(|a| a.fingerprint).map_err(|_| ())
            }
        };
        let proxy = self.proxy.check();
        let mut checked = Checked { addresses, fingerprint, plain, has_bad_auth, proxy, missing: None };
        if self.invited(&checked) {
            checked.missing = match name::make(&self.your_name, name::MAX_PERSON_CHARS) {
                Ok(_) => None,
                Err(_) if self.your_name.trim().is_empty() => Some(cx.words.your_name_needed),
                Err(_) => Some(cx.words.your_name_rule),
            };
        }
        checked
    }

    /// The profile and credentials for the worker.
    fn settings(&self, checked: Checked) -> Option<(Profile, Credential)> {
        let addresses = checked.addresses.ok()?;
        let mut urls: Vec<String> = addresses.iter().map(|address| address.url.clone()).collect();
        let (websocket, login) = checked.plain.ok()?;
        let parts = if self.is_plain() { "" } else { self.address.as_str() };
        for part in parts.split(',') {
            let also = Address::parse(part).map(|address| InviteLink::extras(part, &address).0);
            urls.extend(also.unwrap_or_default());
        }
        let code = addresses.iter().find_map(|address| address.invite.clone());
        let credential = match code {
            Some(code) => {
                let name = name::make(&self.your_name, name::MAX_PERSON_CHARS).ok()?;
                Credential::Invite { code, name }
            }
            None if self.is_plain() && (self.is_new() || self.changes_login(&login)) => {
                Credential::Login(login)
            }
            None if self.is_plain() || self.token.trim().is_empty() => Credential::Keep,
            None => Credential::Token(Secret::new(self.token.trim())),
        };
        let invited_fingerprint = addresses.iter().find_map(|address| address.fingerprint.clone());
        let file = |text: &str| (!text.trim().is_empty()).then(|| std::path::PathBuf::from(text.trim()));
        let own = file(&self.client_certificate)
            .map(|certificate| ClientCertificate { certificate, key: file(&self.client_key) });
        let profile = Profile {
            id: self.id,
            name: self.name.trim().to_owned(),
            urls,
            protocol: self.protocol,
            socket: self.socket,
            route: if self.protocol == Protocol::Duplex { self.route } else { RouteChoice::Automatic },
            ca_file: file(&self.ca_file),
            fingerprint: invited_fingerprint.or(checked.fingerprint.ok()?),
            auto_connect: self.auto_connect,
            websocket,
            network: NetworkOptions { client_certificate: own, ..checked.proxy.ok()? },
        };
        Some((profile, credential))
    }
}

fn is_invite(addresses: &Result<Vec<Address>, BadAddress>) -> bool {
    addresses.as_ref().is_ok_and(|all| all.iter().any(|address| address.invite.is_some()))
}

/// The addresses in a text, each read by `read`.
fn urls_of(text: &str, read: fn(&str) -> Result<String, BadAddress>) -> Result<Vec<Address>, BadAddress> {
    let address = |url| Address { url, invite: None, fingerprint: None };
    address::websocket_urls(text).map(|part| read(part).map(address)).collect()
}

fn in_the_clear(address: &Address) -> bool {
    unencrypted_host(&address.url).is_some()
}

fn label(ui: &mut Ui, text: &str) -> egui::Response {
    ui.add_space(space::TINY);
    let theme = theme::of(ui);
    ui.add(Label::new(RichText::new(text).font(theme::small()).color(theme.weak)).selectable(false))
}

fn field(ui: &mut Ui, name: &str, hint: &str, text: &mut String, secret: bool) -> egui::Response {
    let label = label(ui, name);
    let edit =
        TextEdit::singleline(text).hint_text(hint.to_owned()).password(secret).desired_width(f32::INFINITY);
    let edit = edit.return_key(None).margin(egui::Margin::symmetric(space::SMALL as i8, 5));
    let response = ui.add(edit).labelled_by(label.id);
    if secret {
        ui.ctx().accesskit_node_builder(response.id, |node| node.set_role(Role::PasswordInput));
    }
    response
}

/// Whether Enter was pressed; ignores the one that ends a composition.
fn entered(ui: &Ui, field: &egui::Response) -> bool {
    let is_ime = |event: &egui::Event| matches!(event, egui::Event::Ime(_));
    field.has_focus() && ui.input(|input| input.key_pressed(Key::Enter) && !input.events.iter().any(is_ime))
}

fn say(ui: &mut Ui, text: &str, colour: egui::Color32) {
    ui.add(Label::new(RichText::new(text).font(theme::small()).color(colour)).wrap());
}

fn complain(ui: &mut Ui, text: &str) {
    say(ui, text, theme::of(ui).bad);
}

fn warn(ui: &mut Ui, text: &str) {
    say(ui, text, theme::of(ui).warn);
}

fn hint(ui: &mut Ui, text: &str) {
    say(ui, text, theme::of(ui).weak);
}
