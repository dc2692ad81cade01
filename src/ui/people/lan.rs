//! The switch that opens the own server to the local network, and how it stands there.

use egui::{Label, RichText, Ui};

use super::act::card;
use crate::model::address::DEFAULT_PORT;
use crate::model::intent::{Intent, LinkIntent};
use crate::model::lan::{Lan, LanChoice, LanOpen, NotOpened};
use crate::ui::theme::{self, space};
use crate::ui::{Cx, harmless, widgets};

/// What the person wants of the own server.
fn want(cx: &mut Cx, open: bool, port: u16) {
    cx.intents.push(Intent::Link(LinkIntent::SetLan(LanChoice { open, port })));
}

/// The port that it has, or would have.
pub(super) fn port_of(lan: Option<&Lan>) -> u16 {
    match lan {
        Some(Lan::Open(open)) => open.port,
        Some(Lan::Failed { port, .. } | Lan::Closed { port, .. }) => *port,
        Some(Lan::None | Lan::Changing) | None => DEFAULT_PORT,
    }
}

/// Draws the card of the switch.
pub(super) fn show(ui: &mut Ui, cx: &mut Cx, lan: &Lan) {
    let words = cx.words.people;
    if matches!(lan, Lan::None) {
        return;
    }
    card(ui, |ui| {
        let heading = ui.label(RichText::new(words.lan_title).font(theme::heading()));
        widgets::heading(ui, &heading, words.lan_title, 2);
        let mut open = matches!(lan, Lan::Open(_) | Lan::Changing | Lan::Failed { .. });
        let enabled = !matches!(lan, Lan::Changing);
        if ui.add_enabled(enabled, egui::Checkbox::new(&mut open, words.lan_switch)).changed() {
            want(cx, open, port_of(Some(lan)));
        }
        ui.add_space(space::TINY);
        match lan {
            Lan::None => {}
            Lan::Changing => say(ui, words.lan_changing, theme::of(ui).weak),
            Lan::Closed { ended, .. } => {
                if let Some(ended) = ended {
                    say(ui, &(words.lan_closed)(*ended), theme::of(ui).text);
                }
                say(ui, words.lan_what_it_does, theme::of(ui).weak);
            }
            Lan::Open(open) => opened(ui, cx, open),
            Lan::Failed { port, why } => failed(ui, cx, *port, why),
        }
    });
}

/// The text of how it stands, told as it changes.
fn say(ui: &mut Ui, text: &str, colour: egui::Color32) {
    let shown = ui.add(Label::new(RichText::new(text).font(theme::small()).color(colour)).wrap());
    widgets::live(ui, shown.id, text);
}

fn opened(ui: &mut Ui, cx: &Cx, open: &LanOpen) {
    let words = cx.words.people;
    let theme = theme::of(ui);
    let Some(first) = open.addresses.first() else {
        return say(ui, words.lan_no_network, theme.warn);
    };
    let name = harmless::line(&open.name, 64);
    say(ui, &(words.lan_open)(&name, &first.to_string(), open.port), theme.good);
    match (open.visits, open.visitors) {
        (0, _) => say(ui, &(words.lan_no_visits)(open.port), theme.weak),
        (_, now) => say(ui, &(words.lan_visitors)(now), theme.weak),
    }
    if let Some(detail) = &open.not_announced {
        say(ui, &(words.lan_not_announced)(&harmless::line(detail, 120)), theme.warn);
    }
}

fn failed(ui: &mut Ui, cx: &mut Cx, port: u16, why: &NotOpened) {
    let words = cx.words.people;
    let text = match why {
        NotOpened::PortInUse => (words.lan_port_in_use)(port),
        NotOpened::Other { detail } => (words.lan_failed)(&harmless::line(detail, 160)),
    };
    let shown = ui.add(Label::new(RichText::new(&text).font(theme::small()).color(theme::of(ui).bad)).wrap());
    widgets::alert(ui, shown.id, &text);
    ui.horizontal_wrapped(|ui| {
        if *why == NotOpened::PortInUse && ui.add(widgets::plain(words.lan_other_port)).clicked() {
            want(cx, true, 0);
        }
        if ui.add(widgets::plain(words.lan_again)).clicked() {
            want(cx, true, port);
        }
    });
}
