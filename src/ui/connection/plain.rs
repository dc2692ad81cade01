//! Fields for a plain WebSocket in the connection dialog. Header values and the password are masked; stored ones are
//! never read back into the window.

use egui::accesskit::Role;
use egui::{Align, Layout, TextEdit, Ui, vec2};

use super::{Checked, complain, entered, field, hint, label, mqtt, stomp};
use crate::model::address;
use crate::model::link_state::Why;
use crate::model::profile::{Login, MAX_HEADERS, MAX_VALUE_BYTES, Protocol, Secret, WebSocketOptions};
use crate::model::upgrade::{self, BadOptions};
use crate::ui::icons::Icon;
use crate::ui::theme::{size, space};
use crate::ui::{Cx, widgets};

/// Contents of the fields.
pub(super) struct Fields {
    user: String,
    password: String,
    headers: Vec<Header>,
    subprotocols: String,
    stomp: stomp::Fields,
    mqtt: mqtt::Fields,
    /// Whether to reconnect.
    pub(super) reconnect: bool,
    /// The saved options.
    original: WebSocketOptions,
    /// Whether a password and header values may be stored.
    has_kept: bool,
    wants_focus: bool,
}

struct Header {
    name: String,
    value: String,
}

impl Default for Fields {
    fn default() -> Self {
        let mut fields = Fields::of(WebSocketOptions::default());
        fields.forget_kept();
        fields
    }
}

impl Fields {
    /// For an existing connection.
    pub(super) fn of(options: WebSocketOptions) -> Fields {
        let header = |name: &String| Header { name: name.clone(), value: String::new() };
        Fields {
            user: options.user.clone(),
            password: String::new(),
            headers: options.headers.iter().map(header).collect(),
            subprotocols: options.subprotocols.join(", "),
            stomp: stomp::Fields::of(&options.stomp),
            mqtt: mqtt::Fields::of(&options.mqtt),
            reconnect: options.reconnect,
            original: options,
            has_kept: true,
            wants_focus: false,
        }
    }

    /// Nothing is stored for a new connection.
    pub(super) fn forget_kept(&mut self) {
        self.has_kept = false;
    }

    /// The saved options.
    pub(super) fn original(&self) -> &WebSocketOptions {
        &self.original
    }

    /// The inputs that determine whether it connects.
    pub(super) fn texts(&self) -> impl Iterator<Item = &String> {
        let headers = self.headers.iter().flat_map(|header| [&header.name, &header.value]);
        let own = [&self.user, &self.password, &self.subprotocols];
        own.into_iter().chain(headers).chain(self.stomp.texts()).chain(self.mqtt.texts())
    }

    /// Whether a password or header value was entered.
    pub(super) fn gives_secret(&self) -> bool {
        !self.password.is_empty() || self.headers.iter().any(|header| !header.value.is_empty())
    }

    /// Moves user and password from the address into their fields.
    pub(super) fn take_userinfo(&mut self, address: &mut String) {
        if let Some(userinfo) = address::take_userinfo(address) {
            self.user = userinfo.user;
            self.password = userinfo.password.map(|secret| secret.reveal().to_owned()).unwrap_or_default();
        }
    }

    /// Whether anything differs from what is saved.
    pub(super) fn changes_login(&self, given: &Login) -> bool {
        let names = self.named().map(|header| header.name.trim());
        !given.is_empty() || self.user != self.original.user || !names.eq(self.original.headers.iter())
    }

    fn named(&self) -> impl Iterator<Item = &Header> {
        self.headers.iter().filter(|header| !header.name.trim().is_empty() || !header.value.is_empty())
    }

    fn is_kept(&self, name: &str) -> bool {
        self.has_kept && self.original.headers.iter().any(|known| known.eq_ignore_ascii_case(name))
    }

    /// The options and the entered secrets.
    pub(super) fn check(&self, protocol: Protocol) -> Result<(WebSocketOptions, Login), BadOptions> {
        let subprotocols = self.subprotocols.split(',').map(str::trim).filter(|name| !name.is_empty());
        let mut login = Login::default();
        for header in self.named() {
            let name = header.name.trim();
            if header.value.len() > MAX_VALUE_BYTES {
                return Err(BadOptions::TooMuch);
            }
            upgrade::header(name, &header.value)?;
            if !header.value.is_empty() || !self.is_kept(name) {
                login.headers.push((name.to_owned(), Secret::new(header.value.clone())));
            }
        }
        if self.password.len() > MAX_VALUE_BYTES {
            return Err(BadOptions::TooMuch);
        }
        if protocol == Protocol::WebSocket {
            upgrade::basic(&self.user, &Secret::new(self.password.clone()))?;
        }
        login.password = (!self.password.is_empty()).then(|| Secret::new(self.password.clone()));
        let options = WebSocketOptions {
            subprotocols: subprotocols.map(str::to_owned).collect(),
            headers: self.named().map(|header| header.name.trim().to_owned()).collect(),
            user: self.user.clone(),
            reconnect: self.reconnect,
            stomp: match protocol {
                Protocol::Stomp => self.stomp.check()?,
                _ => self.original.stomp.clone(),
            },
            mqtt: match protocol {
                Protocol::Mqtt => Box::new(self.mqtt.check()?),
                _ => self.original.mqtt.clone(),
            },
            ..self.original.clone()
        };
        options.check()?;
        Ok((options, login))
    }

    /// Draws the fields. Returns whether Enter was pressed in one.
    pub(super) fn show(&mut self, ui: &mut Ui, cx: &Cx, protocol: Protocol, checked: &Checked) -> bool {
        let words = cx.words.plain;
        let kept = self.has_kept && !self.original.user.is_empty();
        let user_hint = match protocol {
            Protocol::Stomp => cx.words.stomp.user_hint,
            Protocol::Mqtt => cx.words.mqtt.user_hint,
            _ => words.user_hint,
        };
        let mut enter = false;
        ui.columns(2, |columns| {
            let [left, right] = columns else { return };
            let user = field(left, words.user, user_hint, &mut self.user, false);
            let hint = if kept { words.password_keep } else { words.password_new };
            let password = field(right, words.password, hint, &mut self.password, true);
            enter |= entered(left, &user) || entered(right, &password);
        });
        // Those of STOMP are of its CONNECT, too.
        if protocol == Protocol::Mqtt && checked.is_stream() && self.headers.is_empty() {
            hint(ui, words.password_is_kept);
        } else {
            enter |= self.headers(ui, cx, protocol);
            hint(ui, words.secrets_are_kept);
        }
        enter |= match protocol {
            Protocol::Stomp => self.stomp.show(ui, cx),
            Protocol::Mqtt => self.mqtt.show(ui, cx),
            Protocol::SocketIo => false,
            _ => {
                let (name, hint) = (words.subprotocols, words.subprotocols_hint);
                let subprotocols = field(ui, name, hint, &mut self.subprotocols, false);
                entered(ui, &subprotocols)
            }
        };
        match &checked.plain {
            Err(BadOptions::Upgrade(problem)) => {
                complain(ui, &(cx.words.why)(&Why::BadUpgrade { problem: problem.clone() }).what);
            }
            Err(BadOptions::TooMuch) => complain(ui, words.too_much),
            Err(BadOptions::Topic(bad)) => complain(ui, &(cx.words.mqtt.bad)(bad)),
            Err(BadOptions::Destination(bad)) => complain(ui, &(cx.words.stomp.bad)(bad)),
            Ok(_) => {}
        }
        enter
    }

    /// Draws what few need of MQTT.
    pub(super) fn show_advanced_mqtt(&mut self, ui: &mut Ui, cx: &Cx) {
        self.mqtt.show_advanced(ui, cx);
    }

    fn headers(&mut self, ui: &mut Ui, cx: &Cx, protocol: Protocol) -> bool {
        let words = cx.words.plain;
        let heading = match protocol {
            Protocol::Stomp => cx.words.stomp.headers,
            Protocol::Mqtt => cx.words.mqtt.headers,
            _ => words.headers,
        };
        label(ui, heading);
        let (mut enter, mut removed) = (false, None);
        let kept: Vec<bool> = self.headers.iter().map(|header| self.is_kept(header.name.trim())).collect();
        let count = self.headers.len();
        for (at, (header, kept)) in self.headers.iter_mut().zip(kept).enumerate() {
            let height = size::CONTROL;
            let line = Layout::left_to_right(Align::Center);
            ui.allocate_ui_with_layout(vec2(ui.available_width(), height), line, |ui| {
                let gap = ui.spacing().item_spacing.x;
                let room = (ui.available_width() - size::CONTROL - 2.0 * gap).max(120.0);
                let edit = |text| {
                    let margin = egui::Margin::symmetric(space::SMALL as i8, 5);
                    TextEdit::singleline(text).return_key(None).margin(margin)
                };
                let name = edit(&mut header.name).hint_text(cx.words.name).desired_width(room * 0.4);
                let name = ui.add(name).accessible_name((words.header_name)(at + 1));
                if self.wants_focus && at + 1 == count {
                    self.wants_focus = false;
                    name.request_focus();
                }
                let hint = if kept { words.value_keep } else { words.value_new };
                let value = edit(&mut header.value).hint_text(hint).password(true).desired_width(room * 0.6);
                let value = ui.add(value).accessible_name((words.header_value)(at + 1));
                ui.ctx().accesskit_node_builder(value.id, |node| node.set_role(Role::PasswordInput));
                enter |= entered(ui, &name) || entered(ui, &value);
                let remove = (words.remove_header)(at + 1);
                if widgets::icon_button(ui, Icon::Close, &remove, &remove, false).clicked() {
                    removed = Some(at);
                }
            });
        }
        if let Some(at) = removed {
            self.headers.remove(at);
        }
        if self.headers.len() < MAX_HEADERS && ui.add(widgets::plain(words.add_header)).clicked() {
            self.headers.push(Header { name: String::new(), value: String::new() });
            self.wants_focus = true;
        }
        enter
    }
}
