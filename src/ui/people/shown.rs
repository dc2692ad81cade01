//! [`Shown`]: a token or an invite's link, which is shown this once.

use egui::{Frame, Label, RichText, Ui};

use super::Facts;
use super::act::{Doing, card, title};
use crate::model::address::{Address, is_loopback};
use crate::model::chat::PrincipalKind;
use crate::model::profile::Secret;
use crate::model::publish;
use crate::model::time::WallMs;
use crate::ui::theme::{self, radius, space};
use crate::ui::{Cx, harmless, widgets};

/// What is shown this once.
pub(super) enum Shown {
    /// A token.
    Token {
        /// Of whom, as they are called.
        name: String,
        token: Secret,
        /// It is the person's own.
        own: bool,
        /// How a device publishes with it, where it is a device's.
        command: Option<String>,
    },
    /// An invite's link.
    Link {
        link: String,
        /// Until when it is good.
        expires: WallMs,
    },
}

impl Shown {
    /// A new token, and what to do with it.
    pub(super) fn token(facts: &Facts, doing: &Doing, token: Secret) -> Shown {
        let (name, device, own) = match doing {
            Doing::NewToken { who } => {
                let device = (who.kind == PrincipalKind::Device).then(|| who.id.0.clone());
                (title(who), device, facts.me.as_ref() == Some(&who.id))
            }
            Doing::AddDevice { id, name } => {
                let name = if name.is_empty() { &id.0 } else { name };
                (harmless::line(name, 64), Some(id.0.clone()), false)
            }
            _ => (String::new(), None, false),
        };
        let command = device
            .map(|device| publish::command(&facts.url, facts.fingerprint.is_some(), &device, token.reveal()));
        Shown::Token { name, token, own, command }
    }

    /// A new invite. Where we reach the server by an address that only this computer knows, its own is in the link.
    pub(super) fn link(
        facts: &Facts,
        code: Secret,
        expires: WallMs,
        url: String,
        fingerprint: Option<String>,
    ) -> Shown {
        let host = facts.url.split_once("://").map_or(facts.url.as_str(), |(_, rest)| rest);
        let host = host.split('/').next().unwrap_or(host);
        let host = host.rsplit_once(':').map_or(host, |(name, _)| name);
        let url = if is_loopback(host) && !url.is_empty() { url } else { facts.url.clone() };
        let fingerprint = facts.fingerprint.clone().or(fingerprint);
        let link = Address { url, invite: Some(code), fingerprint }.to_string();
        Shown::Link { link, expires }
    }

    /// Draws it. Returns whether the person has it.
    pub(super) fn show(&self, ui: &mut Ui, cx: &Cx) -> bool {
        let words = cx.words.people;
        card(ui, |ui| {
            let (name, text, secret, copy) = match self {
                Shown::Token { name, token, own, .. } => {
                    let text = if *own { words.own_token_once } else { words.token_once };
                    ((words.token_of)(name), text.to_owned(), token.reveal(), words.copy_token)
                }
                Shown::Link { link, expires } => {
                    let until = (cx.words.day_and_clock)(*expires);
                    (words.link.to_owned(), (words.link_once)(&until), link.as_str(), words.copy_link)
                }
            };
            let heading = ui.add(Label::new(RichText::new(&name).font(theme::heading())).wrap());
            widgets::heading(ui, &heading, &name, 2);
            let shown = ui.add(Label::new(&text).wrap());
            widgets::live(ui, shown.id, &format!("{name}. {text}"));
            code(ui, secret);
            let command = match self {
                Shown::Token { command: Some(command), .. } => {
                    ui.label(RichText::new(words.publish_with).font(theme::small()));
                    code(ui, command);
                    Some(command)
                }
                _ => None,
            };
            ui.horizontal_wrapped(|ui| {
                let copied = ui.add(widgets::primary(theme::of(ui), copy));
                if copied.clicked() {
                    ui.ctx().copy_text(secret.to_owned());
                }
                if let Some(command) = command
                    && ui.add(widgets::plain(words.copy_command)).clicked()
                {
                    ui.ctx().copy_text(command.clone());
                }
                ui.add(widgets::plain(words.done)).clicked()
            })
            .inner
        })
    }
}

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
        Facts { name: String::new(), online: true, me: None, url: url.into(), fingerprint: None }
    }

    #[test]
    fn a_link_leads_where_the_guest_reaches_the_server() {
        let link = |ours: &str, theirs: &str| match Shown::link(
            &facts(ours),
            Secret::new("abcd"),
            0,
            theirs.into(),
            None,
        ) {
            Shown::Link { link, .. } => link,
            Shown::Token { .. } => panic!("no link"),
        };
        let remote = "wss://hub.example:7870/v1/socket";
        assert_eq!(link(remote, "wss://10.0.0.1:7870/v1/socket"), format!("{remote}#invite=abcd"));
        let local = "ws://127.0.0.1:7870/v1/socket";
        assert_eq!(link(local, remote), format!("{remote}#invite=abcd"));
        assert_eq!(link(local, ""), format!("{local}#invite=abcd"));
    }
}
