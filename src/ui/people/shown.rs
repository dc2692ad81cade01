//! [`Shown`]: a token or invite link, shown once, with what is needed to use it.
use egui::accesskit::Role;
use egui::{Frame, Label, RichText, Ui};

use super::Facts;
use super::act::{RequestKind, card, title};
use super::qr::Code;
use crate::model::address::{Address, is_loopback};
use crate::model::deep_link;
use crate::model::intent::{Intent, LinkIntent};
use crate::model::lan::{InviteLink, LanChoice};
use crate::model::principal::PrincipalKind;
use crate::model::profile::Secret;
use crate::model::publish::{self, Trust};
use crate::model::time::{BootMs, WallMs};
use crate::ui::theme::{self, radius, space};
use crate::ui::{Cx, harmless, widgets};

/// Space for a QR code, in points.
const QR_ROOM: f32 = 232.0;
/// If fewer points than this remain beside the QR code, it goes below the text.
const MIN_BESIDE: f32 = 220.0;

/// A secret shown once.
pub(super) enum Shown {
    /// A new token.
    Token {
        /// Display name of the person or device it belongs to.
        name: String,
        token: Secret,
        /// Whether it is the person's own token.
        own: bool,
        /// Id of the device it belongs to, if any.
        device: Option<String>,
        /// Whether the device will run on another computer.
        elsewhere: bool,
    },
    /// An invite link.
    Link {
        link: String,
        code: Option<Code>,
        /// When it expires.
        expires: WallMs,
        /// Whether the link works only on this computer.
        local_only: bool,
    },
}

/// The person's response to a secret shown once.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum ShownAction {
    /// Keep showing it.
    Stay,
    /// The person has noted it.
    Done,
    /// Revoke the invite.
    Revoke,
}

impl Shown {
    /// For a new token.
    pub(super) fn token(facts: &Facts, doing: &RequestKind, token: Secret) -> Shown {
        let (name, device, own) = match doing {
            RequestKind::NewToken { who } => {
                let device = (who.kind == PrincipalKind::Device).then(|| who.id.0.clone());
                (title(who), device, facts.me.as_ref() == Some(&who.id))
            }
            RequestKind::AddDevice { id, name } => {
                let name = if name.is_empty() { &id.0 } else { name };
                (harmless::line(name, 64), Some(id.0.clone()), false)
            }
            _ => (String::new(), None, false),
        };
        Shown::Token { name, token, own, device, elsewhere: !facts.is_local_only() }
    }

    /// For a new invite. If we reach the server by a loopback address, the link has the address that the
    /// server itself gave.
    pub(super) fn link(
        facts: &Facts,
        (code, expires): (Secret, WallMs),
        (url, fingerprint, also): (String, Option<String>, Vec<String>),
    ) -> Shown {
        let is_ours = host_is_loopback(&facts.url) && !url.is_empty();
        let (url, also) = if is_ours { (url, also) } else { (facts.url.clone(), Vec::new()) };
        let local_only = host_is_loopback(&url);
        let fingerprint = facts.fingerprint.clone().or(fingerprint);
        let address = Address { url, invite: Some(code), fingerprint };
        let link = InviteLink { address, also, name: facts.server.clone() }.to_string();
        Shown::Link { code: Code::new(&link), link, expires, local_only }
    }

    /// When the invite expires; `None` for a token.
    pub(super) fn expires(&self) -> Option<WallMs> {
        match self {
            Shown::Link { expires, .. } => Some(*expires),
            Shown::Token { .. } => None,
        }
    }

    /// Draws it. Returns whether the person is done with it.
    pub(super) fn show(&mut self, ui: &mut Ui, cx: &mut Cx, facts: &Facts) -> bool {
        self.show_with(ui, cx, facts, false) == ShownAction::Done
    }

    /// Like [`Shown::show`]; an invite that is `revocable` has a button that revokes it.
    pub(super) fn show_with(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx,
        facts: &Facts,
        revocable: bool,
    ) -> ShownAction {
        card(ui, |ui| match self {
            Shown::Token { name, token, own, device, elsewhere } => {
                let words = cx.words.people;
                let text = if *own { words.own_token_once } else { words.token_once };
                head(ui, &(words.token_of)(name), text);
                code(ui, token.reveal());
                copy(ui, cx, token.reveal(), words.copy_token, true);
                if let Some(device) = device {
                    ui.add_space(space::SMALL);
                    commands(ui, cx, facts, (device, token.reveal()), elsewhere);
                }
                ui.add_space(space::SMALL);
                if ui.add(widgets::plain(words.done)).clicked() {
                    ShownAction::Done
                } else {
                    ShownAction::Stay
                }
            }
            Shown::Link { link, code, expires, local_only } => {
                invite(ui, cx, link, code.as_ref(), (*expires, *local_only, revocable))
            }
        })
    }
}

fn host_is_loopback(url: &str) -> bool {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = host.split('/').next().unwrap_or(host);
    is_loopback(host.rsplit_once(':').map_or(host, |(name, _)| name))
}

fn head(ui: &mut Ui, name: &str, text: &str) {
    let heading = ui.add(Label::new(RichText::new(name).font(theme::heading())).wrap());
    widgets::heading(ui, &heading, name, 2);
    let shown = ui.add(Label::new(text).wrap());
    widgets::live(ui, shown.id, &format!("{name}. {text}"));
}

/// Draws an invite. The QR code is on the right if there is room.
fn invite(
    ui: &mut Ui,
    cx: &Cx,
    link: &str,
    qr: Option<&Code>,
    (expires, local_only, revocable): (WallMs, bool, bool),
) -> ShownAction {
    let words = cx.words.people;
    let edge = qr.map_or(0.0, |qr| qr.edge(QR_ROOM));
    let beside = ui.available_width() - edge - space::LARGE;
    let is_beside = qr.is_some() && beside >= MIN_BESIDE;
    let text = |ui: &mut Ui| {
        let until = (cx.words.day_and_clock)(expires);
        head(ui, words.link, &(words.link_once)(&until));
        if local_only {
            let shown =
                ui.add(Label::new(RichText::new(words.link_local_only).color(theme::of(ui).warn)).wrap());
            widgets::alert(ui, shown.id, words.link_local_only);
        } else if qr.is_some() {
            widgets::explain(ui, words.link_how);
        }
        code(ui, link);
        ui.horizontal_wrapped(|ui| {
            copy(ui, cx, link, words.copy_link, true);
            if let Some(link) = deep_link::invite_link(link) {
                copy(ui, cx, &link, words.copy_duplex_link, false);
            }
            let revoke = revocable && ui.add(widgets::plain(words.revoke)).clicked();
            let done = ui.add(widgets::plain(words.done)).clicked();
            match (revoke, done) {
                (true, _) => ShownAction::Revoke,
                (_, true) => ShownAction::Done,
                _ => ShownAction::Stay,
            }
        })
        .inner
    };
    match qr {
        Some(qr) if is_beside => {
            ui.horizontal_top(|ui| {
                let wish = ui
                    .vertical(|ui| {
                        ui.set_width(beside);
                        text(ui)
                    })
                    .inner;
                qr.show(ui, QR_ROOM, words.qr_name);
                wish
            })
            .inner
        }
        qr => {
            let wish = text(ui);
            if let Some(qr) = qr {
                qr.show(ui, QR_ROOM, words.qr_name);
            }
            wish
        }
    }
}

/// The commands that publish with a device's token. The address in them depends on where the device runs.
fn commands(ui: &mut Ui, cx: &mut Cx, facts: &Facts, (device, token): (&str, &str), elsewhere: &mut bool) {
    let words = cx.words.people;
    let lan = facts.lan.as_ref().and_then(|lan| lan.opened()).and_then(|open| Some((open.url()?, open)));
    if facts.lan.is_some() {
        let group = egui::UiBuilder::new()
            .accessibility_label(words.device_runs)
            .accessibility_role(Role::RadioGroup);
        ui.scope_builder(group, |ui| {
            ui.horizontal_wrapped(|ui| {
                ui.label(words.device_runs);
                ui.radio_value(elsewhere, false, words.on_this_computer);
                ui.radio_value(elsewhere, true, words.on_another);
            });
        });
        if *elsewhere && lan.is_none() {
            let shown =
                ui.add(Label::new(RichText::new(words.device_local_only).color(theme::of(ui).warn)).wrap());
            widgets::live(ui, shown.id, words.device_local_only);
            if ui.add(widgets::plain(words.lan_switch)).clicked() {
                cx.intents.push(Intent::Link(LinkIntent::SetLan(LanChoice {
                    open: true,
                    port: super::lan::port_of(facts.lan.as_ref()),
                })));
            }
            return;
        }
    }
    let (url, trust, fingerprint) = match (lan, &facts.fingerprint) {
        (Some((url, open)), _) if *elsewhere => {
            let trust = match open.public_key_pin.as_str() {
                "" => Trust::Unchecked,
                pin => Trust::Pinned(pin),
            };
            (url, trust, Some(open.fingerprint.clone()))
        }
        (_, Some(fingerprint)) => (facts.url.clone(), Trust::Unchecked, Some(fingerprint.clone())),
        (_, None) => (facts.url.clone(), Trust::System, None),
    };
    let weak = |ui: &mut Ui, text: &str| {
        widgets::explain(ui, text);
    };
    let command = publish::command(&url, trust, device, token);
    weak(ui, words.publish_with);
    code(ui, &command);
    match trust {
        Trust::System => {}
        Trust::Unchecked => weak(ui, words.curl_unchecked),
        Trust::Pinned(_) => weak(ui, words.curl_pinned),
    }
    copy(ui, cx, &command, words.copy_command, false);
    ui.add_space(space::SMALL);
    let agent = publish::agent(&url, fingerprint.as_deref(), token);
    weak(ui, words.agent_with);
    code(ui, &agent);
    copy(ui, cx, &agent, words.copy_agent, false);
}

/// A button that copies a text, and shows that it did.
fn copy(ui: &mut Ui, cx: &Cx, text: &str, name: &str, first: bool) {
    let button = if first { widgets::primary(theme::of(ui), name) } else { widgets::plain(name) };
    let copied = egui::Id::unique(("copied", name, text));
    ui.horizontal(|ui| {
        if ui.add(button).clicked() {
            ui.ctx().copy_text(text.to_owned());
            ui.data_mut(|data| data.insert_temp(copied, cx.now.boot_ms));
        }
        let at: Option<BootMs> = ui.data(|data| data.get_temp(copied));
        if at.is_some_and(|at| cx.now.boot_ms.since(at) < COPIED_MS) {
            let words = cx.words.people.copied;
            let shown = ui.label(RichText::new(words).font(theme::small()).color(theme::of(ui).good));
            widgets::live(ui, shown.id, words);
        }
    });
}

/// How long "copied" is shown, in milliseconds.
const COPIED_MS: u64 = 10_000;

fn code(ui: &mut Ui, text: &str) {
    let theme = theme::of(ui);
    let frame = Frame::new().fill(theme.code_ground).corner_radius(radius::CONTROL).inner_margin(space::TINY);
    frame.show(ui, |ui| {
        ui.add(Label::new(RichText::new(text).font(theme::mono_small())).selectable(true).wrap());
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(url: &str) -> Facts {
        Facts { online: true, url: url.into(), ..Facts::unknown() }
    }

    #[test]
    fn a_link_leads_where_the_guest_reaches_the_server() {
        let link = |ours: &str, theirs: &str, also: &[&str]| {
            let also = also.iter().map(|host| (*host).to_owned()).collect();
            match Shown::link(&facts(ours), (Secret::new("abcd"), WallMs(0)), (theirs.into(), None, also)) {
                Shown::Link { link, local_only, code, .. } => {
                    assert!(code.is_some());
                    (link, local_only)
                }
                Shown::Token { .. } => panic!("no link"),
            }
        };
        let remote = "wss://hub.example:7870/v1/socket";
        let at = |url: &str| format!("{url}#invite=abcd");
        assert_eq!(link(remote, "wss://10.0.0.1:7870/v1/socket", &["10.0.0.2"]), (at(remote), false));
        let local = "ws://127.0.0.1:7870/v1/socket";
        assert_eq!(link(local, remote, &[]), (at(remote), false));
        assert_eq!(link(local, remote, &["10.0.0.2"]), (format!("{}&at=10.0.0.2", at(remote)), false));
        assert_eq!(link(local, "", &[]), (at(local), true));
        assert_eq!(link(local, local, &[]), (at(local), true));
    }
}
