//! The switch that opens this computer's own server to the local network, and its status.

use egui::{Label, RichText, Ui};

use super::act::card;
use crate::model::address::DEFAULT_PORT;
use crate::model::intent::{Intent, LinkIntent};
use crate::model::lan::{Lan, LanChoice, LanOpen, NotOpened};
use crate::ui::theme::{self, space};
use crate::ui::{Cx, harmless, widgets};

/// Queues the request to open or close the server.
fn request_lan(cx: &mut Cx, open: bool, port: u16) {
    cx.intents.push(Intent::Link(LinkIntent::SetLan(LanChoice { open, port })));
}

/// The port in use, or the one that would be used.
pub(super) fn port_of(lan: Option<&Lan>) -> u16 {
    match lan {
        Some(Lan::Open(open)) => open.port,
        Some(Lan::Failed { port, .. } | Lan::Closed { port, .. }) => *port,
        Some(Lan::None | Lan::Changing) | None => DEFAULT_PORT,
    }
}

/// Draws the card with the switch.
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
            request_lan(cx, open, port_of(Some(lan)));
        }
        ui.add_space(space::TINY);
        match lan {
            Lan::None => {}
            Lan::Changing => status_text(ui, words.lan_changing, theme::of(ui).weak),
            Lan::Closed { ended, .. } => {
                if let Some(ended) = ended {
                    status_text(ui, &(words.lan_closed)(*ended), theme::of(ui).text);
                }
                status_text(ui, words.lan_what_it_does, theme::of(ui).weak);
            }
            Lan::Open(open) => show_open(ui, cx, open),
            Lan::Failed { port, why } => show_failure(ui, cx, *port, why),
        }
    });
}

/// Status text, announced to screen readers when it changes.
fn status_text(ui: &mut Ui, text: &str, colour: egui::Color32) {
    let shown = ui.add(Label::new(RichText::new(text).font(theme::small()).color(colour)).wrap());
    widgets::live(ui, shown.id, text);
}

fn show_open(ui: &mut Ui, cx: &Cx, open: &LanOpen) {
    let words = cx.words.people;
    let theme = theme::of(ui);
    let Some(first) = open.addresses.first() else {
        return status_text(ui, words.lan_no_network, theme.warn);
    };
    let name = harmless::line(&open.name, 64);
    status_text(ui, &(words.lan_open)(&name, &first.to_string(), open.port), theme.good);
    match (open.visits, open.visitors) {
        (0, _) => status_text(ui, &(words.lan_no_visits)(open.port), theme.weak),
        (_, now) => status_text(ui, &(words.lan_visitors)(now), theme.weak),
    }
    if let Some(detail) = &open.not_announced {
        status_text(ui, &(words.lan_not_announced)(&harmless::line(detail, 120)), theme.warn);
    }
}

fn show_failure(ui: &mut Ui, cx: &mut Cx, port: u16, why: &NotOpened) {
    let words = cx.words.people;
    let text = match why {
        NotOpened::PortInUse => (words.lan_port_in_use)(port),
        NotOpened::Other { detail } => (words.lan_failed)(&harmless::line(detail, 160)),
    };
    let shown = ui.add(Label::new(RichText::new(&text).font(theme::small()).color(theme::of(ui).bad)).wrap());
    widgets::alert(ui, shown.id, &text);
    ui.horizontal_wrapped(|ui| {
        if *why == NotOpened::PortInUse && ui.add(widgets::plain(words.lan_other_port)).clicked() {
            request_lan(cx, true, 0);
        }
        if ui.add(widgets::plain(words.lan_again)).clicked() {
            request_lan(cx, true, port);
        }
    });
}
