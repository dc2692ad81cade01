//! The confirmation card for a change to a principal or an invite, and the forms for a new invite or device.

use egui::accesskit;
use egui::{Frame, Key, Label, RichText, Stroke, TextEdit, Ui, vec2};

use crate::model::device::DeviceId;
use crate::model::id::{ConnectionId, PrincipalId};
use crate::model::principal::{Principal, PrincipalKind, Role};
use crate::model::profile::Secret;
use crate::model::rights::{ManageRequest, proper_name};
use crate::model::{name, publish};
use crate::ui::text::people::PeopleWords;
use crate::ui::theme::{self, radius, size, space};
use crate::ui::{Cx, harmless, widgets};

/// Lifetimes offered for an invite, in days.
const DAYS: [u64; 3] = [1, 7, 30];
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// A change waiting for the person's confirmation.
pub(super) struct PendingChange {
    what: Change,
    /// Focus its first control in the next frame.
    fresh: bool,
}

/// The change, and the principal or invite it applies to.
pub(super) enum Change {
    /// Rename a person or device; the string is the text typed so far.
    Rename(Principal, String),
    /// Revoke access.
    Remove(Principal),
    /// Replace the token.
    NewToken(Principal),
    /// Grant or revoke admin rights, at a server without roles.
    SetKind(Principal, PrincipalKind),
    /// Give a person another role: the chosen one.
    SetRole(Principal, Role),
    /// Revoke an invite, by its id.
    RemoveInvite(String),
}

/// The kind of a request sent to the server, with what its outcome message needs.
pub(super) enum RequestKind {
    Rename,
    Remove { name: String, device: bool },
    NewToken { who: Principal },
    SetKind,
    SetRole,
    RemoveInvite,
    Invite,
    AddDevice { id: PrincipalId, name: String },
}

impl RequestKind {
    /// Message shown once the server has confirmed the change.
    pub(super) fn done_message(&self, words: &PeopleWords) -> String {
        match self {
            RequestKind::Remove { name, device: true } => (words.removed_device)(name),
            RequestKind::Remove { name, .. } => (words.removed)(name),
            _ => words.saved.to_owned(),
        }
    }
}

/// A request to send, and its kind.
type NewRequest = (ManageRequest, RequestKind);

/// Display name of a person or device; falls back to the id.
pub(super) fn title(who: &Principal) -> String {
    let name = if who.name.trim().is_empty() { &who.id.0 } else { &who.name };
    harmless::line(name, 64)
}

impl PendingChange {
    pub(super) fn new(what: Change) -> PendingChange {
        PendingChange { what, fresh: true }
    }

    /// Draws the card. `Some(None)` means that the person cancelled.
    pub(super) fn show(
        &mut self,
        ui: &mut Ui,
        cx: &Cx,
        me: Option<&PrincipalId>,
        busy: bool,
    ) -> Option<Option<NewRequest>> {
        let words = cx.words.people;
        let (question, text) = self.question(words, me);
        card(ui, |ui| {
            let heading = ui.add(Label::new(RichText::new(&question).font(theme::heading())).wrap());
            widgets::heading(ui, &heading, &question, 2);
            if let Change::SetRole(_, role) = &mut self.what {
                roles(ui, words, role, true);
            }
            if !text.is_empty() {
                let shown = ui.add(Label::new(&text).wrap());
                widgets::alert(ui, shown.id, &format!("{question} {text}"));
            }
            let mut enter = false;
            let fresh = std::mem::take(&mut self.fresh);
            if let Change::Rename(_, name) = &mut self.what {
                let field = text_field(ui, name, words.new_name, "");
                if fresh {
                    field.request_focus();
                }
                enter = entered(ui, &field);
            }
            ui.horizontal(|ui| {
                let good = !busy && self.is_good();
                let button = self.button(ui, cx, good);
                let cancel = ui.add(widgets::plain(cx.words.cancel));
                // Cancel gets the focus, so that a stray Enter never revokes anything.
                if fresh && !matches!(self.what, Change::Rename(..)) {
                    cancel.request_focus();
                }
                if cancel.clicked() {
                    return Some(None);
                }
                (good && (button.clicked() || enter)).then(|| Some(self.wanted()))
            })
            .inner
        })
    }

    fn question(&self, words: &PeopleWords, me: Option<&PrincipalId>) -> (String, String) {
        match &self.what {
            Change::Rename(who, _) => ((words.rename_title)(&title(who)), String::new()),
            Change::Remove(who) => {
                let name = title(who);
                match is_device(who) {
                    true => ((words.remove_device_title)(&name), (words.remove_device_text)(&name)),
                    false => ((words.remove_title)(&name), (words.remove_text)(&name)),
                }
            }
            Change::NewToken(who) => {
                let name = title(who);
                let text = match who {
                    who if me == Some(&who.id) => words.own_token_text.to_owned(),
                    who if is_device(who) => (words.device_token_text)(&name),
                    _ => (words.token_text)(&name),
                };
                ((words.token_title)(&name), text)
            }
            Change::SetKind(who, PrincipalKind::Admin) => {
                ((words.admin_title)(&title(who)), (words.admin_text)(&title(who)))
            }
            Change::SetKind(who, _) => ((words.person_title)(&title(who)), (words.person_text)(&title(who))),
            Change::SetRole(who, _) => ((words.role_title)(&title(who)), String::new()),
            Change::RemoveInvite(_) => {
                (words.remove_invite_title.to_owned(), words.remove_invite_text.to_owned())
            }
        }
    }

    fn button(&self, ui: &mut Ui, cx: &Cx, good: bool) -> egui::Response {
        let theme = theme::of(ui);
        let words = cx.words.people;
        let bad = |text: &str| {
            egui::Button::new(RichText::new(text).color(theme.bad)).min_size(vec2(72.0, size::CONTROL))
        };
        let button = match &self.what {
            Change::Rename(..) | Change::SetRole(..) => widgets::primary(theme, cx.words.save),
            Change::Remove(who) if !is_device(who) => bad(words.remove_really),
            Change::RemoveInvite(_) => bad(words.revoke_really),
            Change::Remove(_) => bad(cx.words.remove),
            Change::NewToken(_) => bad(words.token_really),
            Change::SetKind(_, PrincipalKind::Admin) => widgets::primary(theme, words.admin_really),
            Change::SetKind(..) => bad(words.person_really),
        };
        ui.add_enabled(good, button)
    }

    fn is_good(&self) -> bool {
        match &self.what {
            Change::Rename(who, name) => proper_name(name).is_some_and(|name| name != who.name),
            Change::SetRole(who, role) => *role != who.role(),
            _ => true,
        }
    }

    fn wanted(&self) -> NewRequest {
        match &self.what {
            Change::Rename(who, name) => (
                ManageRequest::Rename { who: who.id.clone(), name: name.trim().to_owned() },
                RequestKind::Rename,
            ),
            Change::Remove(who) => (
                ManageRequest::Remove { who: who.id.clone() },
                RequestKind::Remove { name: title(who), device: is_device(who) },
            ),
            Change::NewToken(who) => {
                let what = ManageRequest::RotateToken { who: who.id.clone(), token: Secret::new("") };
                (what, RequestKind::NewToken { who: who.clone() })
            }
            Change::SetKind(who, kind) => {
                (ManageRequest::SetKind { who: who.id.clone(), kind: *kind }, RequestKind::SetKind)
            }
            Change::SetRole(who, role) => {
                (ManageRequest::SetRole { who: who.id.clone(), role: *role }, RequestKind::SetRole)
            }
            Change::RemoveInvite(id) => {
                (ManageRequest::RemoveInvite { invite: id.clone() }, RequestKind::RemoveInvite)
            }
        }
    }
}

fn is_device(who: &Principal) -> bool {
    who.kind == PrincipalKind::Device
}

/// The form for a new invite.
pub(super) struct NewInvite {
    days: u64,
    role: Role,
}

impl Default for NewInvite {
    fn default() -> Self {
        NewInvite { days: DAYS[0], role: Role::Operator }
    }
}

impl NewInvite {
    /// `local_only`: the server cannot be reached from other computers at present. `has_roles`: it knows more roles than
    /// admins and others.
    pub(super) fn show(
        &mut self,
        ui: &mut Ui,
        cx: &Cx,
        busy: bool,
        (local_only, has_roles): (bool, bool),
    ) -> Option<NewRequest> {
        let words = cx.words.people;
        card(ui, |ui| {
            let heading = ui.label(RichText::new(words.new_invite).font(theme::heading()));
            widgets::heading(ui, &heading, words.new_invite, 2);
            let group = egui::UiBuilder::new()
                .accessibility_label(words.good_for)
                .accessibility_role(accesskit::Role::RadioGroup);
            ui.scope_builder(group, |ui| {
                ui.horizontal_wrapped(|ui| {
                    ui.label(words.good_for);
                    for days in DAYS {
                        ui.radio_value(&mut self.days, days, (words.days)(days));
                    }
                });
            });
            if has_roles {
                roles(ui, words, &mut self.role, false);
                note(ui, (words.role_text)(self.role), theme::of(ui).weak);
            }
            if local_only {
                note(ui, words.invite_local_only, theme::of(ui).warn);
            }
            ui.horizontal_wrapped(|ui| {
                let make = ui.add_enabled(!busy, widgets::primary(theme::of(ui), words.make_invite));
                if !has_roles {
                    let mut admin = self.role == Role::Admin;
                    ui.checkbox(&mut admin, words.as_admin);
                    self.role = if admin { Role::Admin } else { Role::Operator };
                }
                make.clicked().then(|| {
                    let role = Some(self.role).filter(|role| has_roles && *role != Role::Admin);
                    let (kind, expires_in_ms) = (self.role.kind(), self.days * DAY_MS);
                    (ManageRequest::Invite { kind, role, expires_in_ms }, RequestKind::Invite)
                })
            })
            .inner
        })
    }
}

/// The choice of a role; with what each may do, where there is `room` for that.
fn roles(ui: &mut Ui, words: &PeopleWords, chosen: &mut Role, room: bool) {
    let group = egui::UiBuilder::new()
        .accessibility_label(words.roles)
        .accessibility_role(accesskit::Role::RadioGroup);
    let mut all = |ui: &mut Ui| {
        for role in Role::ALL {
            ui.radio_value(chosen, role, (words.role)(role)).on_hover_text((words.role_text)(role));
            if room {
                note(ui, (words.role_text)(role), theme::of(ui).weak);
            }
        }
    };
    ui.scope_builder(group, |ui| match room {
        true => all(ui),
        false => {
            _ = ui.horizontal_wrapped(|ui| {
                ui.label(words.roles);
                all(ui);
            })
        }
    });
}

/// The form for a new device.
#[derive(Default)]
pub(super) struct NewDevice {
    id: String,
    name: String,
    /// The id was typed by the person and no longer follows the name.
    own_id: bool,
    /// Focus the name field in the next frame.
    wants_focus: bool,
    /// The form was submitted at least once; errors are shown from then on.
    tried: bool,
}

impl NewDevice {
    /// A form whose name field gets the focus.
    pub(super) fn fresh() -> NewDevice {
        NewDevice { wants_focus: true, ..NewDevice::default() }
    }

    pub(super) fn show(
        &mut self,
        ui: &mut Ui,
        cx: &Cx,
        connection: ConnectionId,
        busy: bool,
    ) -> Option<NewRequest> {
        let words = cx.words.people;
        card(ui, |ui| {
            let mut enter = self.fields(ui, words);
            if !self.own_id {
                self.id = publish::id_of_name(&self.name);
            }
            let (id, name) = (publish::new_id(&self.id), device_name(&self.name));
            let is_empty = self.id.trim().is_empty();
            let wrong = match (&id, &name) {
                (_, None) => Some(words.bad_device_name),
                (None, _) if !is_empty || self.tried => Some(words.bad_device_id),
                _ => None,
            };
            if let Some(wrong) = wrong {
                note(ui, wrong, theme::of(ui).bad);
            } else if id.as_ref().is_some_and(|id| is_known(cx, connection, id)) {
                note(ui, words.device_known, theme::of(ui).warn);
            }
            let add =
                ui.horizontal(|ui| ui.add_enabled(!busy, widgets::primary(theme::of(ui), words.add_device)));
            enter |= add.inner.clicked();
            self.tried |= enter;
            let (who, name) = id.zip(name).filter(|_| enter && !busy)?;
            let doing = RequestKind::AddDevice { id: who.clone(), name: name.clone() };
            Some((ManageRequest::AddDevice { who, name, token: Secret::new("") }, doing))
        })
    }

    /// Draws the fields. Returns whether Enter was pressed in one of them.
    fn fields(&mut self, ui: &mut Ui, words: &PeopleWords) -> bool {
        let (mut enter, half) = (false, (ui.available_width() - space::SMALL) / 2.0);
        ui.horizontal(|ui| {
            ui.vertical(|ui| {
                ui.set_width(half);
                let field = text_field(ui, &mut self.name, words.device_name, words.device_name_hint);
                if std::mem::take(&mut self.wants_focus) {
                    field.request_focus();
                }
                enter |= entered(ui, &field);
            });
            ui.vertical(|ui| {
                ui.set_width(half);
                let field = text_field(ui, &mut self.id, words.device_id, words.device_id_hint);
                if field.changed() {
                    self.own_id = !self.id.trim().is_empty();
                }
                enter |= entered(ui, &field);
            });
        });
        enter
    }
}

/// The normalized device name: an empty string if nothing was typed, `None` if the text is not a valid name.
fn device_name(text: &str) -> Option<String> {
    match text.trim() {
        "" => Some(String::new()),
        text => name::make(text, name::MAX_TITLE_CHARS).ok(),
    }
}

fn is_known(cx: &Cx, connection: ConnectionId, id: &PrincipalId) -> bool {
    let Ok(id) = DeviceId::new(&id.0) else { return false };
    cx.model.read(|model| {
        model
            .connections
            .get(&connection)
            .is_some_and(|connection| connection.devices.get(id.as_str()).is_some())
    })
}

/// A line of small text below a field.
fn note(ui: &mut Ui, text: &str, colour: egui::Color32) {
    let shown = ui.add(Label::new(RichText::new(text).font(theme::small()).color(colour)).wrap());
    widgets::live(ui, shown.id, text);
}

/// A framed card above the list.
pub(super) fn card<R>(ui: &mut Ui, add: impl FnOnce(&mut Ui) -> R) -> R {
    let theme = theme::of(ui);
    let frame = Frame::new()
        .stroke(Stroke::new(1.0, theme.line))
        .corner_radius(radius::CONTROL)
        .inner_margin(space::MEDIUM);
    frame
        .show(ui, |ui| {
            ui.set_min_width(ui.available_width());
            add(ui)
        })
        .inner
}

fn text_field(ui: &mut Ui, text: &mut String, name: &str, hint: &str) -> egui::Response {
    let label = RichText::new(name).font(theme::small()).color(theme::of(ui).weak);
    let label = ui.add(Label::new(label).selectable(false));
    let edit = TextEdit::singleline(text).hint_text(hint.to_owned()).desired_width(f32::INFINITY);
    let edit = edit.return_key(None).margin(egui::Margin::symmetric(space::SMALL as i8, 5));
    ui.add(edit).labelled_by(label.id)
}

/// Whether Enter was pressed in the field, ignoring an Enter that commits an input method's composition.
fn entered(ui: &Ui, field: &egui::Response) -> bool {
    let is_ime = |event: &egui::Event| matches!(event, egui::Event::Ime(_));
    field.has_focus() && ui.input(|input| input.key_pressed(Key::Enter) && !input.events.iter().any(is_ime))
}
