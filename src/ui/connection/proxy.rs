//! Fields for a connection's proxy in the dialog. A stored password is never read back into the window.

use egui::Ui;

use super::{complain, field, hint, label, warn};
use crate::model::profile::{NetworkOptions, Secret, Socket};
use crate::model::proxy::{self, BadProxy, ProxyChoice};
use crate::ui::Cx;

/// What is chosen.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Automatic,
    None,
    Other,
}

/// Contents of the fields.
#[derive(Default)]
pub(super) struct Fields {
    kind: Kind,
    address: String,
    password: String,
    /// Whether a password may be stored for the address as it was.
    kept_for: Option<String>,
}

impl Fields {
    /// For an existing connection.
    pub(super) fn of(choice: &ProxyChoice) -> Fields {
        let (kind, address) = match choice {
            ProxyChoice::Automatic => (Kind::Automatic, String::new()),
            ProxyChoice::None => (Kind::None, String::new()),
            ProxyChoice::At(_) | ProxyChoice::Unreadable(_) => (Kind::Other, choice.text().into_owned()),
        };
        let kept_for = matches!(choice, ProxyChoice::At(at) if !at.user.is_empty()).then(|| address.clone());
        Fields { kind, address, password: String::new(), kept_for }
    }

    /// Nothing is stored for a new connection.
    pub(super) fn forget_kept(&mut self) {
        self.kept_for = None;
    }

    /// The inputs that determine whether it connects.
    pub(super) fn texts(&self) -> impl Iterator<Item = &String> {
        let is_other = self.kind == Kind::Other;
        [&self.address, &self.password].into_iter().filter(move |_| is_other)
    }

    /// What is chosen, as a word.
    pub(super) fn word(&self) -> &'static str {
        match self.kind {
            Kind::Automatic => "automatic",
            Kind::None => "none",
            Kind::Other => "other",
        }
    }

    /// Whether a password was entered.
    pub(super) fn gives_secret(&self) -> bool {
        self.kind == Kind::Other && !self.password.is_empty()
    }

    /// What is entered.
    pub(super) fn check(&self) -> Result<NetworkOptions, BadProxy> {
        let proxy = match self.kind {
            Kind::Automatic => ProxyChoice::Automatic,
            Kind::None => ProxyChoice::None,
            Kind::Other => ProxyChoice::At(proxy::Proxy::parse(&self.address)?.address),
        };
        if !self.gives_secret() {
            return Ok(NetworkOptions { proxy, ..NetworkOptions::default() });
        }
        proxy::check_login("", Some(&self.password))?;
        let proxy_password = Some(Secret::new(self.password.clone()));
        Ok(NetworkOptions { proxy, proxy_password, ..NetworkOptions::default() })
    }

    /// Draws the fields.
    pub(super) fn show(
        &mut self,
        ui: &mut Ui,
        cx: &Cx,
        checked: &Result<NetworkOptions, BadProxy>,
        socket: Socket,
    ) {
        let words = cx.words.proxy;
        label(ui, words.proxy);
        ui.horizontal_wrapped(|ui| {
            ui.radio_value(&mut self.kind, Kind::Automatic, words.automatic);
            ui.radio_value(&mut self.kind, Kind::None, words.none);
            ui.radio_value(&mut self.kind, Kind::Other, words.other);
        });
        if self.kind == Kind::Other {
            field(ui, words.address, words.address_hint, &mut self.address, false);
            // In the address it would be visible on screen and saved with it.
            if let Some(password) = proxy::take_typed_password(&mut self.address) {
                password.reveal().clone_into(&mut self.password);
            }
            let is_kept = self.kept_for.as_ref() == Some(&self.address);
            let text = if is_kept { words.password_keep } else { words.password_new };
            field(ui, words.password, text, &mut self.password, true);
            match checked {
                Err(BadProxy::Empty) | Ok(_) => {}
                Err(bad) => complain(ui, (words.bad)(*bad)),
            }
        }
        hint(ui, words.help);
        if socket == Socket::Ewebsock && self.kind == Kind::Other {
            warn(ui, words.ewebsock);
        }
    }
}
