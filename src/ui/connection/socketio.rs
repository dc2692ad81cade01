//! Fields for a Socket.IO server in the connection dialog. The data to sign in with is never read back into the window.

use egui::Ui;

use super::{complain, entered, field, hint, label};
use crate::model::profile::{Login, MAX_VALUE_BYTES, Secret, WebSocketOptions};
use crate::model::socketio::{Carriers, SocketIoOptions};
use crate::model::upgrade::BadOptions;
use crate::ui::{Cx, widgets};

/// Contents of the fields.
#[derive(Default)]
pub(super) struct Fields {
    /// With commas between them.
    namespaces: String,
    /// A JSON object; empty: what is stored, if anything.
    auth: String,
    carriers: Carriers,
    /// Whether there is stored data to sign in with.
    has_kept: bool,
    /// Whether the stored data is to be removed.
    drops_kept: bool,
}

impl Fields {
    /// For an existing connection.
    pub(super) fn of(options: &SocketIoOptions) -> Fields {
        Fields {
            namespaces: options.namespaces.join(", "),
            auth: String::new(),
            carriers: options.carriers,
            has_kept: options.has_auth,
            drops_kept: false,
        }
    }

    /// Nothing is stored for a new connection.
    pub(super) fn forget_kept(&mut self) {
        self.has_kept = false;
    }

    /// The inputs that determine whether it connects.
    pub(super) fn texts(&self) -> impl Iterator<Item = &String> {
        [&self.namespaces, &self.auth].into_iter()
    }

    /// Goes to this namespace.
    pub(super) fn set_namespace(&mut self, namespace: String) {
        self.namespaces = namespace;
    }

    /// Whether data to sign in with was entered.
    pub(super) fn gives_secret(&self) -> bool {
        !self.auth.trim().is_empty()
    }

    /// Whether what is stored changes.
    pub(super) fn changes_login(&self) -> bool {
        self.gives_secret() || self.drops_kept
    }

    /// Whether the data to sign in with can be sent.
    pub(super) fn is_auth_good(&self) -> bool {
        let auth = self.auth.trim();
        let is_object = || serde_json::from_str::<serde_json::Map<_, _>>(auth).is_ok();
        auth.is_empty() || (auth.len() <= MAX_VALUE_BYTES && is_object())
    }

    /// Adds the fields to the options and secrets of the handshake.
    pub(super) fn complete(
        &self,
        (mut options, mut login): (WebSocketOptions, Login),
    ) -> Result<(WebSocketOptions, Login), BadOptions> {
        let names = self.namespaces.split(',').map(str::trim).filter(|name| !name.is_empty());
        options.socketio = SocketIoOptions {
            namespaces: names.map(str::to_owned).collect(),
            carriers: self.carriers,
            has_auth: self.gives_secret() || (self.has_kept && !self.drops_kept),
        };
        options.check()?;
        login.auth = self.gives_secret().then(|| Secret::new(self.auth.trim()));
        Ok((options, login))
    }

    /// Draws the fields. Returns whether Enter was pressed in one.
    pub(super) fn show(&mut self, ui: &mut Ui, cx: &Cx, has_bad_auth: bool) -> bool {
        let words = cx.words.socketio;
        let namespaces = field(ui, words.namespaces, words.namespaces_hint, &mut self.namespaces, false);
        let is_kept = self.has_kept && !self.drops_kept;
        let auth_hint = if is_kept { words.auth_keep } else { words.auth_new };
        let auth = field(ui, words.auth, auth_hint, &mut self.auth, false);
        if has_bad_auth {
            complain(ui, words.bad_auth);
        } else if is_kept {
            if ui.add(widgets::plain(words.remove_auth)).clicked() {
                self.drops_kept = true;
            }
        } else {
            hint(ui, words.auth_is_kept);
        }
        entered(ui, &namespaces) || entered(ui, &auth)
    }

    /// Draws the fields that few people need.
    pub(super) fn show_advanced(&mut self, ui: &mut Ui, cx: &Cx) {
        let words = cx.words.socketio;
        label(ui, words.carriers);
        ui.horizontal_wrapped(|ui| {
            for carriers in
                [Carriers::Automatic, Carriers::PollingFirst, Carriers::Polling, Carriers::WebSocket]
            {
                ui.radio_value(&mut self.carriers, carriers, words.carriers_of(carriers));
            }
        });
    }
}
