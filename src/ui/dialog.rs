//! The dialog to add, edit and test a connection, the one that asks before a connection is removed, and the frame of all.

use egui::accesskit::Role;
use egui::{Key, Label, RichText, ScrollArea, TextEdit, Ui, vec2};

use super::search::day;
use super::target::Target;
use super::text::Words;
use super::theme::{self, size, space};
use super::{Cx, fade, harmless, nearby, open_link, people, rooms, settings, sheet, shortcuts, widgets};
use crate::model::address::{self, Address, BadAddress, unencrypted_host};
use crate::model::event::TestOutcome;
use crate::model::id::ConnectionId;
use crate::model::intent::{Credential, Intent, LinkIntent};
use crate::model::lan::InviteLink;
use crate::model::link_state::Why;
use crate::model::name;
use crate::model::preferences::Preferences;
use crate::model::profile::{Profile, Protocol, Secret, Socket};

/// Whether the dialog stays.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It stays.
    Open,
    /// It is done with.
    Closed,
}

/// An open dialog.
pub(super) enum Dialog {
    /// Of a connection's settings.
    Connection(Box<Form>),
    /// The app's settings.
    Settings(settings::Sheet),
    /// Of what can be done by keys.
    Shortcuts,
    /// Before a link is followed.
    OpenLink(open_link::Ask),
    /// To go to a date.
    Day(day::Sheet),
    /// Of who may come in at a server.
    People(Box<people::Sheet>),
    /// To give a device a token.
    AddDevice(Box<people::add_device::Sheet>),
    /// Before a connection is removed.
    Remove {
        /// Which.
        id: ConnectionId,
        /// Its name.
        name: String,
    },
}

/// What is typed in the dialog.
pub(super) struct Form {
    id: ConnectionId,
    name: String,
    address: String,
    token: String,
    your_name: String,
    ca_file: String,
    fingerprint: String,
    socket: Socket,
    protocol: Protocol,
    auto_connect: bool,
    /// Where there is no keyring, the person wants the token in a file.
    keep_in_file: bool,
    /// Whether there is a keyring is being looked for, or known.
    asked_keyring: bool,
    advanced: bool,
    /// With what the last test was made: its outcome says nothing of anything else.
    tested: Option<Tried>,
    fresh: bool,
    nearby: nearby::Picker,
}

/// What decides how a test ends.
#[derive(Clone, PartialEq, Eq)]
struct Tried([String; 4], Socket);

/// What the form says so far.
struct Checked {
    addresses: Result<Vec<Address>, BadAddress>,
    fingerprint: Result<Option<String>, ()>,
    /// Something else that is missing.
    missing: Option<&'static str>,
}

impl Dialog {
    /// For a new connection.
    pub(super) fn add() -> Dialog {
        Dialog::Connection(Box::new(Form {
            id: ConnectionId(0),
            name: String::new(),
            address: String::new(),
            token: String::new(),
            your_name: String::new(),
            ca_file: String::new(),
            fingerprint: String::new(),
            socket: Socket::default(),
            protocol: Protocol::default(),
            auto_connect: true,
            keep_in_file: false,
            asked_keyring: false,
            advanced: false,
            tested: None,
            fresh: true,
            nearby: nearby::Picker::default(),
        }))
    }

    /// For the app's settings.
    pub(super) fn settings(chosen: Preferences) -> Dialog {
        Dialog::Settings(settings::Sheet::new(chosen))
    }

    /// For one of the app's settings.
    pub(super) fn setting(chosen: Preferences, words: &Words, at: usize) -> Dialog {
        Dialog::Settings(settings::Sheet::at(chosen, words, at))
    }

    /// For the settings of a connection.
    pub(super) fn edit(cx: &Cx, id: ConnectionId) -> Option<Dialog> {
        let profile = cx.model.read(|model| Some(model.connections.get(&id)?.profile.clone()))?;
        let ca_file = profile.ca_file.map(|path| path.display().to_string()).unwrap_or_default();
        let fingerprint = profile.fingerprint.unwrap_or_default();
        let advanced = !ca_file.is_empty() || !fingerprint.is_empty() || profile.socket != Socket::default();
        Some(Dialog::Connection(Box::new(Form {
            id,
            name: profile.name,
            address: profile.urls.join(", "),
            token: String::new(),
            your_name: String::new(),
            ca_file,
            fingerprint,
            socket: profile.socket,
            protocol: profile.protocol,
            auto_connect: profile.auto_connect,
            keep_in_file: cx.model.read(|model| model.tokens_in_file.contains(&id)),
            asked_keyring: false,
            advanced,
            tested: None,
            fresh: true,
            nearby: nearby::Picker::default(),
        })))
    }

    /// Before a link is followed whose text names an address, or none.
    pub(super) fn open_link(target: Target, claimed: Option<String>) -> Dialog {
        Dialog::OpenLink(open_link::Ask::new(target, claimed))
    }

    /// For a new connection like another. Its token is not taken along: a copy is there to differ.
    pub(super) fn duplicate(cx: &Cx, id: ConnectionId) -> Option<Dialog> {
        let mut dialog = Dialog::edit(cx, id)?;
        if let Dialog::Connection(form) = &mut dialog {
            form.id = ConnectionId(0);
            form.keep_in_file = false;
            let name = cx.model.read(|model| Some(rooms::name_of(model.connections.get(&id)?, cx.words)))?;
            form.name = (cx.words.profiles.copy_of)(&name);
        }
        Some(dialog)
    }

    /// For who may come in at the other end of a connection.
    pub(super) fn people(cx: &Cx, id: ConnectionId) -> Dialog {
        Dialog::People(Box::new(people::Sheet::new(cx, id)))
    }

    /// To invite somebody to the server at the other end of a connection.
    pub(super) fn invites(cx: &Cx, id: ConnectionId) -> Dialog {
        Dialog::People(Box::new(people::Sheet::invites(cx, id)))
    }

    /// To add a device, at this server unless the person chooses another.
    pub(super) fn add_device(cx: &Cx, at: Option<ConnectionId>) -> Dialog {
        Dialog::AddDevice(Box::new(people::add_device::Sheet::new(cx, at)))
    }

    /// Before a connection is removed.
    pub(super) fn remove(cx: &Cx, id: ConnectionId) -> Option<Dialog> {
        let name = cx.model.read(|model| Some(rooms::name_of(model.connections.get(&id)?, cx.words)))?;
        Some(Dialog::Remove { id, name })
    }

    /// What it is called by those who read it aloud.
    fn title(&self, cx: &Cx) -> String {
        let words = cx.words;
        match self {
            Dialog::Connection(form) if form.id == ConnectionId(0) => words.add_title.to_owned(),
            Dialog::Connection(_) => words.edit_title.to_owned(),
            Dialog::Settings(_) => words.settings.to_owned(),
            Dialog::Shortcuts => words.keys.title.to_owned(),
            Dialog::OpenLink(_) => words.rich.open_title.to_owned(),
            Dialog::Day(_) => words.search.go_to_date.to_owned(),
            Dialog::People(sheet) => sheet.title(cx),
            Dialog::AddDevice(sheet) => sheet.title(cx),
            Dialog::Remove { name, .. } => (words.remove_title)(name),
        }
    }

    /// How wide its contents want to be, in points.
    fn width(&self) -> f32 {
        match self {
            Dialog::Settings(_) => size::SETTINGS,
            Dialog::Shortcuts => size::SHORTCUTS,
            Dialog::People(_) | Dialog::AddDevice(_) => size::WIDE_DIALOG,
            _ => size::DIALOG,
        }
    }

    /// Draws the dialog.
    pub(super) fn show(&mut self, ui: &mut Ui, cx: &mut Cx) -> Fate {
        let window = ui.ctx().content_rect().size();
        let (title, width) = (self.title(cx), self.width());
        let shown = sheet::show(ui, "dialog", &title, width, |ui| match self {
            Dialog::Connection(form) => form.show(ui, cx, window.y),
            Dialog::Settings(sheet) => sheet.show(ui, cx, window.y),
            Dialog::Shortcuts => shortcuts::show(ui, cx),
            Dialog::OpenLink(ask) => ask.show(ui, cx, window.y),
            Dialog::Day(sheet) => sheet.show(ui, cx),
            Dialog::People(sheet) => sheet.show(ui, cx, window.y),
            Dialog::AddDevice(sheet) => sheet.show(ui, cx, window.y),
            Dialog::Remove { id, name } => remove(ui, cx, *id, name),
        });
        let escape =
            shown.is_top_modal && !shown.any_popup_open && ui.input(|input| input.key_pressed(Key::Escape));
        let fate = if escape { Fate::Closed } else { shown.inner };
        if let (Fate::Closed, Dialog::Connection(form)) = (fate, self) {
            form.forget_test(cx);
        }
        fate
    }
}

fn remove(ui: &mut Ui, cx: &mut Cx, id: ConnectionId, name: &str) -> Fate {
    let theme = theme::of(ui);
    sheet::title(ui, &(cx.words.remove_title)(name));
    ui.add(Label::new(cx.words.remove_text).wrap());
    ui.add_space(space::SMALL);
    let mut fate = Fate::Open;
    ui.horizontal(|ui| {
        let really = egui::Button::new(RichText::new(cx.words.remove).color(theme.bad))
            .min_size(vec2(72.0, size::CONTROL));
        if ui.add(really).clicked() {
            cx.intents.push(Intent::Link(LinkIntent::RemoveConnection(id)));
            fate = Fate::Closed;
        }
        if ui.add(widgets::plain(cx.words.cancel)).clicked() {
            fate = Fate::Closed;
        }
    });
    fate
}

impl Form {
    /// Whether it is for a new connection.
    pub(super) fn is_new(&self) -> bool {
        self.id == ConnectionId(0)
    }

    fn show(&mut self, ui: &mut Ui, cx: &mut Cx, window_height: f32) -> Fate {
        let words = cx.words;
        let title = if self.id == ConnectionId(0) { words.add_title } else { words.edit_title };
        sheet::title(ui, title);
        let most = (window_height - 190.0).max(160.0);
        // At its full height from the first frame: grown frame by frame it would move under the pointer.
        let scroll = ScrollArea::vertical().max_height(most).min_scrolled_height(most);
        let enter = scroll.auto_shrink([false, true]).show(ui, |ui| self.fields(ui, cx)).inner;
        let checked = self.check(cx);
        // Before an invite is used, the person is to know whether its token can be kept. It is asked for only then: a keyring
        // that is locked wants its password.
        let gives_token = self.invited(&checked) || !self.token.trim().is_empty();
        if gives_token && !std::mem::replace(&mut self.asked_keyring, true) {
            cx.intents.push(Intent::Link(LinkIntent::AskKeyring));
        }
        let again = self.outcome(ui, cx, &checked);
        let checked = if again { self.check(cx) } else { checked };
        ui.add_space(space::TINY);
        let complete = checked.addresses.is_ok() && checked.fingerprint.is_ok() && checked.missing.is_none();
        let mut fate = Fate::Open;
        ui.horizontal(|ui| {
            let theme = theme::of(ui);
            let save = ui.add_enabled(complete, widgets::primary(theme, words.save));
            let test = ui.add_enabled(complete, widgets::plain(words.test_button));
            if ui.add(widgets::plain(words.cancel)).clicked() {
                fate = Fate::Closed;
            }
            let save = save.clicked() || (enter && complete);
            if !save && !test.clicked() && !again {
                return;
            }
            let Some((profile, credential)) = self.settings(checked) else {
                return;
            };
            if save {
                self.save(cx, profile, credential);
                fate = Fate::Closed;
            } else {
                self.tested = Some(self.tried());
                cx.intents.push(Intent::Link(LinkIntent::TestConnection { profile, credential }));
            }
        });
        fate
    }

    /// Returns whether Enter was pressed in a field; where something is missing, it goes there.
    fn fields(&mut self, ui: &mut Ui, cx: &mut Cx) -> bool {
        let words = cx.words;
        ui.spacing_mut().item_spacing.y = space::TINY;
        let name = field(ui, words.name, words.name_hint, &mut self.name, false);
        let address = field(ui, words.address, words.address_hint, &mut self.address, false);
        // It is typed where everybody can read it, and would be kept with the address.
        if let Some(password) = address::take_password(&mut self.address) {
            self.token = password.reveal().to_owned();
        }
        if std::mem::take(&mut self.fresh) {
            // The one thing that is needed; a name the server has.
            let first = if self.address.is_empty() { &address } else { &name };
            first.request_focus();
        }
        let checked = self.check(cx);
        match &checked.addresses {
            Err(bad) if !self.address.trim().is_empty() => complain(ui, (words.bad_address)(*bad)),
            Err(_) => {}
            Ok(addresses) => {
                if addresses.first().is_some_and(|address| address.url != self.address.trim()) {
                    let url = harmless::line(&addresses[0].url, 100);
                    hint(ui, &(words.address_taken_as)(&url));
                }
                if addresses.iter().any(in_the_clear) {
                    warn(ui, words.clear_text_warning);
                }
            }
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
        self.storage(ui, cx, self.invited(&checked));
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

    /// Where the token will be: said before it is given, and chosen where there is no keyring.
    fn storage(&mut self, ui: &mut Ui, cx: &Cx, invited: bool) {
        let words = cx.words.profiles;
        let (no_keyring, in_file) =
            cx.model.read(|model| (model.no_keyring.is_some(), model.tokens_in_file.contains(&self.id)));
        let gives_token = invited || !self.token.trim().is_empty();
        let concerns_this = in_file || (no_keyring && gives_token);
        if !concerns_this {
            return;
        }
        match (no_keyring, invited) {
            (true, true) => warn(ui, words.no_keyring_invite),
            (true, false) if !in_file => warn(ui, words.no_keyring_token),
            _ => {}
        }
        ui.checkbox(&mut self.keep_in_file, words.keep_in_file);
        hint(ui, words.keep_in_file_warning);
    }

    /// Asks for it to be saved, and its token to be kept where the person wants it.
    fn save(&self, cx: &mut Cx, profile: Profile, credential: Credential) {
        let was_in_file = cx.model.read(|model| model.tokens_in_file.contains(&self.id));
        let is_new_token = credential != Credential::Keep;
        if self.keep_in_file && is_new_token {
            cx.intents.push(Intent::Link(LinkIntent::KeepTokenInFile(None)));
        }
        if was_in_file && !self.keep_in_file {
            cx.intents.push(Intent::Link(LinkIntent::DropTokenFile(self.id)));
        }
        cx.intents.push(Intent::Link(LinkIntent::SaveConnection { profile, credential }));
    }

    fn advanced(&mut self, ui: &mut Ui, cx: &Cx, checked: &Checked) {
        let words = cx.words;
        ui.checkbox(&mut self.advanced, words.advanced);
        if !self.advanced {
            return;
        }
        field(ui, words.ca_file, words.ca_file_hint, &mut self.ca_file, false);
        field(ui, words.fingerprint, words.fingerprint_hint, &mut self.fingerprint, false);
        if checked.fingerprint.is_err() {
            complain(ui, words.bad_fingerprint);
        }
        label(ui, words.socket);
        ui.horizontal_wrapped(|ui| {
            ui.radio_value(&mut self.socket, Socket::Tungstenite, words.socket_tungstenite);
            ui.radio_value(&mut self.socket, Socket::Ewebsock, words.socket_ewebsock);
        });
        if self.socket == Socket::Ewebsock {
            warn(ui, words.ewebsock_limits);
        }
    }

    fn tried(&self) -> Tried {
        let all =
            [&self.address, &self.token, &self.ca_file, &self.fingerprint].map(|text| text.trim().to_owned());
        Tried(all, self.socket)
    }

    /// How the test went. Returns whether to test again, with the address that it found to be right.
    fn outcome(&mut self, ui: &mut Ui, cx: &Cx, checked: &Checked) -> bool {
        let is_of_this = self.tested.as_ref() == Some(&self.tried());
        let Some(outcome) = cx.model.read(|model| model.test.clone()).filter(|_| is_of_this) else {
            return false;
        };
        let theme = theme::of(ui);
        let sentence = (cx.words.test)(&outcome);
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
        let TestOutcome::Failed(Why::WrongScheme { .. }) = outcome else { return false };
        let Some(first) = checked.addresses.as_ref().ok().and_then(|all| all.first()) else { return false };
        let Some(url) = address::other_scheme(&first.url) else { return false };
        if !ui.add(widgets::plain(&(cx.words.use_address)(&harmless::line(&url, 100)))).clicked() {
            return false;
        }
        let right = Address { url, ..first.clone() };
        let rest = self.address.split_once(',').map(|(_, rest)| format!(",{rest}")).unwrap_or_default();
        self.address = format!("{right}{rest}");
        // Without encryption the test would send the token: the person sees the warning first.
        !in_the_clear(&right)
    }

    fn forget_test(&mut self, cx: &mut Cx) {
        if self.tested.take().is_some() {
            cx.intents.push(Intent::Link(LinkIntent::EndTest));
        }
    }

    fn invited(&self, checked: &Checked) -> bool {
        checked.addresses.as_ref().is_ok_and(|all| all.iter().any(|address| address.invite.is_some()))
    }

    fn check(&self, cx: &Cx) -> Checked {
        let parts = self.address.split(',').map(str::trim).filter(|part| !part.is_empty());
        let addresses: Result<Vec<Address>, BadAddress> = parts.map(Address::parse).collect();
        let addresses =
            addresses.and_then(|all| if all.is_empty() { Err(BadAddress::Empty) } else { Ok(all) });
        let fingerprint = match self.fingerprint.trim() {
            "" => Ok(None),
            text => {
                Address::parse(&format!("localhost#sha256={text}")).map(|a| a.fingerprint).map_err(|_| ())
            }
        };
        let mut checked = Checked { addresses, fingerprint, missing: None };
        if self.invited(&checked) {
            checked.missing = match name::make(&self.your_name, name::MAX_PERSON_CHARS) {
                Ok(_) => None,
                Err(_) if self.your_name.trim().is_empty() => Some(cx.words.your_name_needed),
                Err(_) => Some(cx.words.your_name_rule),
            };
        }
        checked
    }

    /// The settings and the way in, as the worker takes them.
    fn settings(&self, checked: Checked) -> Option<(Profile, Credential)> {
        let addresses = checked.addresses.ok()?;
        let mut urls: Vec<String> = addresses.iter().map(|address| address.url.clone()).collect();
        for part in self.address.split(',') {
            let also = Address::parse(part).map(|address| InviteLink::extras(part, &address).0);
            urls.extend(also.unwrap_or_default());
        }
        let code = addresses.iter().find_map(|address| address.invite.clone());
        let credential = match code {
            Some(code) => {
                let name = name::make(&self.your_name, name::MAX_PERSON_CHARS).ok()?;
                Credential::Invite { code, name }
            }
            None if self.token.trim().is_empty() => Credential::Keep,
            None => Credential::Token(Secret::new(self.token.trim())),
        };
        let invited_fingerprint = addresses.iter().find_map(|address| address.fingerprint.clone());
        let ca_file = self.ca_file.trim();
        let profile = Profile {
            id: self.id,
            name: self.name.trim().to_owned(),
            urls,
            protocol: self.protocol,
            socket: self.socket,
            ca_file: (!ca_file.is_empty()).then(|| ca_file.into()),
            fingerprint: invited_fingerprint.or(checked.fingerprint.ok()?),
            auto_connect: self.auto_connect,
            websocket: Default::default(),
        };
        Some((profile, credential))
    }
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

/// Whether Enter was pressed there; not the one that ends a syllable of an input method.
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
