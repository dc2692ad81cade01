//! Part of the *Add connection* dialog: servers announced on the local network, and the target of an invite
//! link. Announcements are untrusted: they only fill in the address.

use egui::accesskit::Role;
use egui::{Button, Frame, Id, Label, RichText, ScrollArea, Stroke, TextEdit, Ui, vec2};

use super::theme::{self, radius, size, space};
use super::{Cx, harmless, widgets};
use crate::model::address::Address;
use crate::model::lan::{InviteLink, Nearby, NearbyServer};
use crate::model::time::BootMs;

/// How long to wait before showing that no server was found, in milliseconds; responses normally arrive
/// sooner.
const MAX_WAIT_MS: u64 = 3_000;
/// Height of a server's row, in points.
const ROW: f32 = 40.0;
/// Number of rows visible without scrolling.
const MAX_SEEN: f32 = 3.5;

/// State of the list.
#[derive(Default)]
pub(super) struct Picker {
    /// The server chosen.
    chosen: Option<NearbyServer>,
    /// The invite link pasted for it.
    link: String,
    /// When discovery started.
    since: Option<BootMs>,
    wants_focus: bool,
}

impl Picker {
    /// Draws the list. Choosing a server fills in its address; an invite link for it replaces that.
    pub(super) fn show(&mut self, ui: &mut Ui, cx: &mut Cx, address: &mut String) {
        let words = cx.words.people;
        let since = *self.since.get_or_insert(cx.now.boot_ms);
        ui.add_space(space::TINY);
        let label = RichText::new(words.nearby).font(theme::small()).color(theme::of(ui).weak);
        let label = ui.add(Label::new(label).selectable(false));
        widgets::heading(ui, &label, words.nearby, 2);
        let nearby = cx.model.read(|model| model.nearby.clone());
        match nearby {
            Nearby::Failed(detail) => {
                let detail = harmless::line(&detail, 120);
                said(ui, &(words.nearby_failed)(detail.trim_end_matches('.')), theme::of(ui).warn);
            }
            Nearby::Looking(found) if !found.is_empty() => self.list(ui, cx, &found, address),
            Nearby::Off | Nearby::Looking(_) => {
                let due = since.saturating_add(MAX_WAIT_MS);
                let text = if cx.now.boot_ms < due {
                    cx.deadline.at(due);
                    words.nearby_looking
                } else {
                    words.nearby_none
                };
                said(ui, text, theme::of(ui).weak);
            }
        }
        self.ask_for_link(ui, cx, address);
    }

    fn list(&mut self, ui: &mut Ui, cx: &Cx, found: &[NearbyServer], address: &mut String) {
        let height = ROW * (found.len() as f32).min(MAX_SEEN);
        let frame = Frame::new()
            .stroke(Stroke::new(1.0, theme::of(ui).line))
            .corner_radius(radius::CONTROL)
            .inner_margin(space::TINY);
        let mut chosen = None;
        frame.show(ui, |ui| {
            let group = egui::UiBuilder::new()
                .accessibility_label(cx.words.people.nearby)
                .accessibility_role(Role::List);
            ui.scope_builder(group, |ui| {
                ui.spacing_mut().item_spacing.y = 0.0;
                let scroll = ScrollArea::vertical().id_salt("nearby").max_height(height);
                scroll.min_scrolled_height(height).show(ui, |ui| {
                    ui.set_min_width(ui.available_width());
                    for server in found {
                        if row(ui, cx, server, self.chosen.as_ref()) {
                            chosen = Some(server.clone());
                        }
                    }
                });
            });
        });
        if let Some(server) = chosen {
            *address = server.urls().into_iter().next().unwrap_or_default();
            (self.chosen, self.link, self.wants_focus) = (Some(server), String::new(), true);
        }
    }

    /// Asks for the invite link that the chosen server requires.
    fn ask_for_link(&mut self, ui: &mut Ui, cx: &Cx, address: &mut String) {
        let words = cx.words.people;
        let Some(server) = &self.chosen else { return };
        // The person has since typed another address.
        let parsed = Address::parse(address.split(',').next().unwrap_or(address)).ok();
        let invited = parsed.as_ref().is_some_and(|address| address.invite.is_some());
        if !invited && !parsed.is_some_and(|address| server.urls().contains(&address.url)) {
            self.chosen = None;
            return;
        }
        if invited {
            let fingerprint = Address::parse(address).ok().and_then(|address| address.fingerprint);
            if fingerprint.is_some_and(|hex| !server.may_be(&hex)) {
                said(ui, &(words.nearby_other_server)(&server.name), theme::of(ui).warn);
            }
            return;
        }
        ui.add_space(space::TINY);
        let label = RichText::new(words.nearby_link).font(theme::small()).color(theme::of(ui).weak);
        let label = ui.add(Label::new(label).selectable(false));
        let field = TextEdit::singleline(&mut self.link)
            .hint_text((words.nearby_link_hint)(&server.name))
            .desired_width(f32::INFINITY)
            .return_key(None)
            .margin(egui::Margin::symmetric(space::SMALL as i8, 5));
        let field = ui.add(field).labelled_by(label.id);
        if std::mem::take(&mut self.wants_focus) {
            field.request_focus();
            field.scroll_to_me(None);
        }
        let pasted = Address::parse(&self.link).ok().filter(|address| address.invite.is_some());
        if pasted.is_some() {
            *address = std::mem::take(&mut self.link).trim().to_owned();
        } else if self.link.trim().is_empty() {
            said(ui, words.nearby_link_text, theme::of(ui).weak);
        } else {
            said(ui, words.nearby_whole_link, theme::of(ui).bad);
        }
    }
}

fn said(ui: &mut Ui, text: &str, colour: egui::Color32) {
    let shown = ui.add(Label::new(RichText::new(text).font(theme::small()).color(colour)).wrap());
    widgets::live(ui, shown.id, text);
}

/// Draws a server's row. Returns whether it was clicked.
fn row(ui: &mut Ui, cx: &Cx, server: &NearbyServer, chosen: Option<&NearbyServer>) -> bool {
    let words = cx.words.people;
    let theme = theme::of(ui);
    let known = cx.model.read(|model| {
        let urls = model.connections.values().flat_map(|connection| &connection.profile.urls);
        let here = server.urls();
        urls.into_iter().any(|url| here.contains(url))
    });
    let note = if known { words.nearby_known } else { words.nearby_invite };
    let place = server.place();
    let id = Id::unique(("nearby", &server.name, &place));
    let button = Button::new("")
        .selected(chosen == Some(server))
        .frame_when_inactive(chosen == Some(server))
        .min_size(vec2(ui.available_width(), ROW));
    let response = ui.push_id(id, |ui| ui.add(button)).inner;
    let rect = response.rect.shrink2(vec2(space::SMALL, 0.0));
    let weak = if chosen == Some(server) { theme.text } else { theme.weak };
    let note_shown = widgets::cut(ui, note, theme::small(), weak, rect.width() / 2.0);
    let width = rect.width() - note_shown.size().x - space::SMALL;
    let name = widgets::cut(ui, &server.name, theme::strong(size::BODY), theme.text, width);
    ui.painter().galley(rect.left_top() + vec2(0.0, 3.0), name, theme.text);
    let at = widgets::cut(ui, &place, theme::small(), weak, width);
    ui.painter().galley(rect.left_top() + vec2(0.0, 21.0), at, weak);
    let corner = egui::pos2(rect.right() - note_shown.size().x, rect.center().y - note_shown.size().y / 2.0);
    ui.painter().galley(corner, note_shown, weak);
    widgets::named(ui, &response, &format!("{}, {place}. {note}", server.name));
    response.clicked()
}

/// Describes the target of an invite link: the server's name according to the link, its address, and its
/// fingerprint.
pub(super) fn joining(ui: &mut Ui, cx: &Cx, text: &str, address: &Address) {
    let words = cx.words.people;
    let theme = theme::of(ui);
    let (also, name) = InviteLink::extras(text, address);
    let name = if name.is_empty() { words.joining_unnamed.to_owned() } else { name };
    let place = address.url.split_once("://").map_or(address.url.as_str(), |(_, rest)| rest);
    let place = harmless::line(place.split('/').next().unwrap_or(place), 100);
    let place = if also.is_empty() { place } else { (words.joining_also)(&place, also.len()) };
    let mut facts = vec![(words.joining_server, name), (words.joining_address, place)];
    if let Some(hex) = &address.fingerprint {
        facts.push((words.joining_fingerprint, grouped(hex)));
    }
    let frame = Frame::new()
        .fill(theme.code_ground)
        .corner_radius(radius::CONTROL)
        .inner_margin(space::SMALL)
        .outer_margin(egui::Margin::symmetric(0, space::TINY as i8));
    frame.show(ui, |ui| {
        ui.set_min_width(ui.available_width());
        ui.spacing_mut().item_spacing.y = 2.0;
        let heading = ui.label(RichText::new(words.joining).font(theme::strong(size::BODY)));
        widgets::heading(ui, &heading, words.joining, 2);
        for (what, value) in &facts {
            let mono = *what == words.joining_fingerprint;
            let font = if mono { theme::mono_small() } else { theme::body() };
            ui.add(Label::new(RichText::new(*what).font(theme::small()).color(theme.weak)).selectable(false));
            let shown = ui.add(Label::new(RichText::new(value).font(font)).selectable(true).wrap());
            let spoken = format!("{what}: {value}");
            ui.ctx().accesskit_node_builder(shown.id, |node| node.set_value(spoken));
        }
        if address.fingerprint.is_some() {
            widgets::explain(ui, words.joining_pinned);
        }
    });
}

/// In groups of four digits, for comparing by eye.
fn grouped(hex: &str) -> String {
    let groups: Vec<&str> =
        (0..hex.len()).step_by(4).filter_map(|at| hex.get(at..(at + 4).min(hex.len()))).collect();
    groups.join(" ")
}
