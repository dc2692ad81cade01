//! The people sheet for admins: members, devices and invites of a server. Members and devices are renamed,
//! removed and given new tokens here; invites are created and revoked.

mod act;
pub(super) mod add_device;
mod lan;
mod list;
mod qr;
mod rows;
mod shown;

use egui::{Key, Label, Modifiers, RichText, Ui};

use super::dialog::Fate;
use super::theme::{self, size, space};
use super::{Cx, rooms, widgets};
use crate::model::Feature;
use crate::model::id::{ConnectionId, PrincipalId};
use crate::model::intent::{Intent, LinkIntent};
use crate::model::lan::Lan;
use crate::model::reducer::Connection;
use crate::model::rights::{Invitation, ManageAnswer, ManageRequest, Member};
use crate::model::time::WallMs;
use act::{NewDevice, NewInvite, PendingChange, RequestKind};
use list::List;
use shown::{Shown, ShownAction};

/// Maximum height of the sheet without its frame and bottom button, in points.
const MAX_HEIGHT: f32 = 560.0;

/// The tab shown.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
enum Tab {
    #[default]
    People,
    Invites,
    Devices,
}

/// State of the sheet.
pub(super) struct Sheet {
    connection: ConnectionId,
    tab: Tab,
    people: List<Member>,
    devices: List<Member>,
    invites: List<Invitation>,
    /// The change waiting for confirmation.
    act: Option<PendingChange>,
    new_invite: NewInvite,
    new_device: NewDevice,
    /// The request in flight, with its number.
    doing: Option<(u64, RequestKind)>,
    /// The token or invite link shown once.
    shown: Option<Shown>,
    /// Message about the last change, and whether it was refused.
    outcome: Option<(String, bool)>,
    was_online: bool,
}

/// What the sheet needs from the model, copied out of it.
struct Facts {
    name: String,
    online: bool,
    /// Whether the server supports invites.
    has_invites: bool,
    /// Whether the server knows more roles than admins and others.
    has_roles: bool,
    me: Option<PrincipalId>,
    url: String,
    fingerprint: Option<String>,
    /// Name of the server as it announced it.
    server: String,
    /// State of local-network access; `None` unless this is the app's own server.
    lan: Option<Lan>,
}

impl Facts {
    /// For a connection that no longer exists.
    fn unknown() -> Facts {
        Facts {
            name: String::new(),
            online: false,
            has_invites: false,
            has_roles: false,
            me: None,
            url: String::new(),
            fingerprint: None,
            server: String::new(),
            lan: None,
        }
    }

    /// Whether only this computer can reach the server.
    fn is_local_only(&self) -> bool {
        self.lan.as_ref().is_some_and(|lan| !matches!(lan, Lan::Open(open) if !open.addresses.is_empty()))
    }
}

/// Whether the server lets the person manage members.
pub(super) fn is_offered(connection: &Connection) -> bool {
    let features = connection.features.as_ref();
    connection.link.is_online() && features.is_some_and(|features| features.has(Feature::People))
}

/// Whether the server lets the person create invites.
pub(super) fn has_invites(connection: &Connection) -> bool {
    is_offered(connection) && connection.offers(Feature::Invites)
}

impl Sheet {
    /// Opens the sheet for the server of a connection.
    pub(super) fn new(connection: ConnectionId) -> Sheet {
        Sheet {
            connection,
            tab: Tab::People,
            people: List::default(),
            devices: List::default(),
            invites: List::default(),
            act: None,
            new_invite: NewInvite::default(),
            new_device: NewDevice::default(),
            doing: None,
            shown: None,
            outcome: None,
            was_online: false,
        }
    }

    /// Opens the sheet on its invites tab.
    pub(super) fn invites(connection: ConnectionId) -> Sheet {
        Sheet { tab: Tab::Invites, ..Sheet::new(connection) }
    }

    /// Title of the dialog, with the connection's name.
    pub(super) fn title(&self, cx: &Cx) -> String {
        let name = facts(cx, self.connection).map_or_else(String::new, |facts| facts.name);
        (cx.words.people.title)(&name)
    }

    /// Draws the sheet into a dialog. `window_height` is in points.
    pub(super) fn show(&mut self, ui: &mut Ui, cx: &mut Cx, window_height: f32) -> Fate {
        // The connection may have been removed since the last frame.
        let Some(facts) = facts(cx, self.connection) else { return Fate::Closed };
        self.follow(cx, &facts);
        if (self.act.is_some() || self.shown.is_some())
            && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape))
        {
            (self.act, self.shown) = (None, None);
        }
        let words = cx.words.people;
        let top = ui.cursor().top();
        let title = self.title(cx);
        let heading = ui.add(Label::new(RichText::new(&title).font(theme::title())).truncate());
        widgets::heading(ui, &heading, &title, 1);
        self.tabs(ui, cx, &facts);
        if !facts.online {
            let text = RichText::new(words.not_connected).color(theme::of(ui).warn);
            let shown = ui.add(Label::new(text).wrap());
            widgets::live(ui, shown.id, words.not_connected);
        }
        // Full height from the first frame: a sheet that grows would move under the pointer.
        let whole = (window_height - 160.0).min(MAX_HEIGHT);
        let room = (top + whole - ui.cursor().top() - 2.0 * rows::HEIGHT).max(2.0 * rows::HEIGHT);
        let above =
            egui::ScrollArea::vertical().id_salt("above the list").max_height(room).min_scrolled_height(room);
        above.auto_shrink([false, true]).show(ui, |ui| {
            if let Some(lan) = facts.lan.as_ref().filter(|_| self.tab == Tab::Invites && self.shown.is_none())
            {
                lan::show(ui, cx, lan);
            }
            ui.add_enabled_ui(facts.online, |ui| self.above(ui, cx, &facts));
        });
        self.say_outcome(ui);
        let most = (top + whole - ui.cursor().top()).max(2.0 * rows::HEIGHT);
        self.list(ui, cx, &facts, most);
        ui.add_space(space::TINY);
        let close = ui.horizontal(|ui| ui.add(widgets::plain(cx.words.close))).inner;
        if ui.memory(|memory| memory.focused().is_none()) {
            close.request_focus();
        }
        if close.clicked() { Fate::Closed } else { Fate::Open }
    }

    fn tabs(&mut self, ui: &mut Ui, cx: &Cx, facts: &Facts) {
        let words = cx.words.people;
        let all = [(Tab::People, words.people), (Tab::Invites, words.invites), (Tab::Devices, words.devices)];
        ui.horizontal_wrapped(|ui| {
            for (tab, name) in all.into_iter().filter(|(tab, _)| *tab != Tab::Invites || facts.has_invites) {
                let chosen = self.tab == tab;
                let button =
                    egui::Button::new(name).selected(chosen).min_size(egui::vec2(0.0, size::CONTROL));
                let button = ui.add(button);
                ui.ctx().accesskit_node_builder(button.id, |node| {
                    node.set_role(egui::accesskit::Role::Tab);
                    node.clear_toggled();
                    node.set_selected(chosen);
                });
                if button.clicked() && !chosen {
                    (self.tab, self.act, self.shown, self.outcome) = (tab, None, None, None);
                }
            }
        });
    }

    /// Draws what is above the list: a confirmation, a token or link shown once, or a form for a new entry.
    fn above(&mut self, ui: &mut Ui, cx: &mut Cx, facts: &Facts) {
        if let Some(shown) = &mut self.shown {
            let revocable = shown.expires().and_then(|expires| self.unused(expires));
            let shown = self.shown.as_mut().map(|shown| shown.show_with(ui, cx, facts, revocable.is_some()));
            match (shown, revocable) {
                (Some(ShownAction::Done), _) => self.shown = None,
                (Some(ShownAction::Revoke), Some(id)) => {
                    (self.act, self.shown) = (Some(PendingChange::new(act::Change::RemoveInvite(id))), None);
                }
                _ => {}
            }
            return;
        }
        let busy = self.doing.is_some();
        let wanted = match (&mut self.act, self.tab) {
            (Some(act), _) => {
                let decided = act.show(ui, cx, facts.me.as_ref(), busy);
                if matches!(decided, Some(None)) {
                    self.act = None;
                }
                decided.flatten()
            }
            (None, Tab::Invites) => {
                self.new_invite.show(ui, cx, busy, (facts.is_local_only(), facts.has_roles))
            }
            (None, Tab::Devices) => self.new_device.show(ui, cx, self.connection, busy),
            (None, Tab::People) => None,
        };
        if let Some((what, doing)) = wanted {
            let number = self.ask(cx, what);
            (self.doing, self.outcome) = (Some((number, doing)), None);
        }
    }

    /// Id of the unused invite with this expiry; `None` unless exactly one matches.
    fn unused(&self, expires: WallMs) -> Option<String> {
        let mut all = self.invites.rows().iter();
        let is_it = |invite: &&Invitation| invite.expires == expires && invite.used_by.is_none();
        let first = all.find(is_it)?;
        all.find(is_it).is_none().then(|| first.id.clone())
    }

    fn ask(&mut self, cx: &mut Cx, what: ManageRequest) -> u64 {
        let number = crate::ui::request_number();
        cx.intents.push(Intent::Link(LinkIntent::Manage { connection: self.connection, number, what }));
        number
    }

    /// Handles answers, and requests the pages that are missing.
    fn follow(&mut self, cx: &mut Cx, facts: &Facts) {
        if facts.online != self.was_online {
            self.was_online = facts.online;
            // Requests sent over a connection that broke are never answered.
            self.doing = None;
            for forget in [List::forget_asked, List::reload] {
                forget(&mut self.people);
                forget(&mut self.devices);
            }
            self.invites.forget_asked();
            self.invites.reload();
        }
        self.take_answers(cx, facts);
        if !facts.online {
            return;
        }
        let after = match self.tab {
            Tab::People => self.people.wanted(),
            Tab::Devices => self.devices.wanted(),
            Tab::Invites => self.invites.wanted(),
        };
        if let Some(after) = after {
            let what = match self.tab {
                Tab::People => ManageRequest::People { after },
                Tab::Devices => ManageRequest::Devices { after },
                Tab::Invites => ManageRequest::Invites { after },
            };
            let number = self.ask(cx, what);
            match self.tab {
                Tab::People => self.people.asked(number),
                Tab::Devices => self.devices.asked(number),
                Tab::Invites => self.invites.asked(number),
            }
        }
    }

    fn take_answers(&mut self, cx: &Cx, facts: &Facts) {
        let answer = |number: Option<u64>| {
            let number = number?;
            cx.model.read(|model| model.connections.get(&self.connection)?.management.answer(number).cloned())
        };
        let by_name = |member: &Member| (member.who.name.to_lowercase(), member.who.id.0.clone());
        match answer(self.people.number()) {
            Some(ManageAnswer::People { people, next }) => {
                self.people.take(people, next);
                self.people.sort(by_name);
            }
            Some(_) => self.people.give_up(),
            None => {}
        }
        match answer(self.devices.number()) {
            Some(ManageAnswer::Devices { devices, next }) => {
                self.devices.take(devices, next);
                self.devices.sort(by_name);
            }
            Some(_) => self.devices.give_up(),
            None => {}
        }
        match answer(self.invites.number()) {
            // Invites arrive in the order in which they were created.
            Some(ManageAnswer::Invites { invites, next }) => self.invites.take(invites, next),
            Some(_) => self.invites.give_up(),
            None => {}
        }
        let number = self.doing.as_ref().map(|(number, _)| *number);
        if let Some(answer) = answer(number)
            && let Some((_, doing)) = self.doing.take()
        {
            self.done(cx, facts, doing, answer);
        }
    }

    /// Handles the answer to a change: made, or refused.
    fn done(&mut self, cx: &Cx, facts: &Facts, doing: RequestKind, answer: ManageAnswer) {
        let words = cx.words.people;
        self.people.reload();
        self.devices.reload();
        self.invites.reload();
        self.outcome = match answer {
            ManageAnswer::Refused { why, .. } => {
                return self.outcome = Some(((words.refused)(why).to_owned(), true));
            }
            ManageAnswer::Token { token } => {
                self.shown = Some(Shown::token(facts, &doing, token));
                None
            }
            ManageAnswer::Invited { code, expires, url, fingerprint, also } => {
                self.shown = Some(Shown::link(facts, (code, expires), (url, fingerprint, also)));
                None
            }
            _ => Some((doing.done_message(words), false)),
        };
        self.act = None;
        if matches!(doing, RequestKind::AddDevice { .. }) {
            self.new_device = NewDevice::default();
        }
    }

    fn say_outcome(&self, ui: &mut Ui) {
        let Some((text, refused)) = &self.outcome else { return };
        let theme = theme::of(ui);
        let colour = if *refused { theme.bad } else { theme.good };
        let shown = ui.add(Label::new(RichText::new(text).color(colour)).wrap());
        match refused {
            true => widgets::alert(ui, shown.id, text),
            false => widgets::live(ui, shown.id, text),
        }
    }

    fn list(&mut self, ui: &mut Ui, cx: &mut Cx, facts: &Facts, most: f32) {
        let words = cx.words.people;
        let (count, complete, nothing) = match self.tab {
            Tab::People => (self.people.rows().len(), self.people.is_complete(), words.nobody),
            Tab::Devices => (self.devices.rows().len(), self.devices.is_complete(), words.no_devices),
            Tab::Invites => (self.invites.rows().len(), self.invites.is_complete(), words.no_invites),
        };
        let area = egui::ScrollArea::vertical()
            .id_salt(("people", self.tab as u8))
            .max_height(most)
            .min_scrolled_height(most)
            .auto_shrink([false, false]);
        if count == 0 {
            area.show(ui, |ui| {
                let text = if complete { nothing } else { words.loading };
                let shown = ui.label(RichText::new(text).color(theme::of(ui).weak));
                widgets::live(ui, shown.id, text);
            });
            return;
        }
        let enabled = facts.online && self.doing.is_none();
        let mut act = None;
        area.show_rows(ui, rows::HEIGHT, count, |ui, range| {
            for place in range {
                let wanted = match self.tab {
                    Tab::People => {
                        rows::member(ui, cx, (self.connection, facts), &self.people.rows()[place], enabled)
                    }
                    Tab::Devices => {
                        rows::member(ui, cx, (self.connection, facts), &self.devices.rows()[place], enabled)
                    }
                    Tab::Invites => rows::invite(ui, cx, &self.invites.rows()[place], enabled),
                };
                act = wanted.or(act.take());
            }
        });
        if act.is_some() {
            (self.act, self.shown, self.outcome) = (act, None, None);
        }
    }
}

fn facts(cx: &Cx, id: ConnectionId) -> Option<Facts> {
    cx.model.read(|model| {
        let connection = model.connections.get(&id)?;
        Some(Facts {
            name: rooms::name_of(connection, cx.words),
            online: is_offered(connection),
            has_invites: connection.offers(Feature::Invites),
            has_roles: connection.offers(Feature::Roles),
            me: connection.chat.me.as_ref().map(|me| me.id.clone()),
            url: connection.profile.urls.first().cloned().unwrap_or_default(),
            fingerprint: connection.profile.fingerprint.clone(),
            server: connection.server.clone().unwrap_or_default(),
            lan: (id == ConnectionId::OWN_HUB).then(|| model.lan.clone()),
        })
    })
}
