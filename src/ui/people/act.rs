//! What is asked before something is done, and what makes a new invite or device.

use egui::accesskit::Role;
use egui::{Frame, Key, Label, RichText, Stroke, TextEdit, Ui, vec2};

use crate::model::chat::{Principal, PrincipalKind};
use crate::model::device::DeviceId;
use crate::model::id::PrincipalId;
use crate::model::profile::Secret;
use crate::model::rights::{Manage, proper_name};
use crate::ui::text::people::PeopleWords;
use crate::ui::theme::{self, radius, size, space};
use crate::ui::{Cx, harmless, widgets};

/// How long an invite may be good, in days.
const DAYS: [u64; 3] = [1, 7, 30];
/// Milliseconds of a day.
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// What the person is about to do.
pub(super) struct Act {
    what: What,
    /// Its control is to have the focus.
    fresh: bool,
}

/// With whom or what.
pub(super) enum What {
    /// Gives somebody another name.
    Rename(Principal, String),
    /// Takes somebody's access away.
    Remove(Principal),
    /// Gives somebody another token.
    NewToken(Principal),
    /// Makes somebody an admin, or not one.
    SetKind(Principal, PrincipalKind),
    /// Takes an invite back.
    RemoveInvite(String),
}

/// What was asked of the server.
pub(super) enum Doing {
    Rename,
    Remove { name: String, device: bool },
    NewToken { who: Principal },
    SetKind,
    RemoveInvite,
    Invite,
    AddDevice { id: PrincipalId, name: String },
}

impl Doing {
    /// What to say once it is done.
    pub(super) fn said(&self, words: &PeopleWords) -> String {
        match self {
            Doing::Remove { name, device: true } => (words.removed_device)(name),
            Doing::Remove { name, .. } => (words.removed)(name),
            _ => words.saved.to_owned(),
        }
    }
}

/// What to ask of the server.
type Wanted = (Manage, Doing);

/// What somebody is called on screen; a device without a name by its id.
pub(super) fn title(who: &Principal) -> String {
    let name = if who.name.trim().is_empty() { &who.id.0 } else { &who.name };
    harmless::line(name, 64)
}

impl Act {
    pub(super) fn new(what: What) -> Act {
        Act { what, fresh: true }
    }

    /// Draws the question. `Some(None)`: the person would rather not.
    pub(super) fn show(
        &mut self,
        ui: &mut Ui,
        cx: &Cx,
        me: Option<&PrincipalId>,
        busy: bool,
    ) -> Option<Option<Wanted>> {
        let words = cx.words.people;
        let (question, text) = self.question(words, me);
        card(ui, |ui| {
            let heading = ui.add(Label::new(RichText::new(&question).font(theme::heading())).wrap());
            widgets::heading(ui, &heading, &question, 2);
            if !text.is_empty() {
                let shown = ui.add(Label::new(&text).wrap());
                widgets::alert(ui, shown.id, &format!("{question} {text}"));
            }
            let mut enter = false;
            let fresh = std::mem::take(&mut self.fresh);
            if let What::Rename(_, name) = &mut self.what {
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
                // What takes something away is never done by an Enter that was meant for something else.
                if fresh && !matches!(self.what, What::Rename(..)) {
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
            What::Rename(who, _) => ((words.rename_title)(&title(who)), String::new()),
            What::Remove(who) => {
                let name = title(who);
                match is_device(who) {
                    true => ((words.remove_device_title)(&name), (words.remove_device_text)(&name)),
                    false => ((words.remove_title)(&name), (words.remove_text)(&name)),
                }
            }
            What::NewToken(who) => {
                let name = title(who);
                let text = match who {
                    who if me == Some(&who.id) => words.own_token_text.to_owned(),
                    who if is_device(who) => (words.device_token_text)(&name),
                    _ => (words.token_text)(&name),
                };
                ((words.token_title)(&name), text)
            }
            What::SetKind(who, PrincipalKind::Admin) => {
                ((words.admin_title)(&title(who)), (words.admin_text)(&title(who)))
            }
            What::SetKind(who, _) => ((words.person_title)(&title(who)), (words.person_text)(&title(who))),
            What::RemoveInvite(_) => {
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
            What::Rename(..) => widgets::primary(theme, cx.words.save),
            What::Remove(who) if !is_device(who) => bad(words.remove_really),
            What::Remove(_) | What::RemoveInvite(_) => bad(cx.words.remove),
            What::NewToken(_) => bad(words.token_really),
            What::SetKind(_, PrincipalKind::Admin) => widgets::primary(theme, words.admin_really),
            What::SetKind(..) => bad(words.person_really),
        };
        ui.add_enabled(good, button)
    }

    fn is_good(&self) -> bool {
        match &self.what {
            What::Rename(who, name) => proper_name(name).is_some_and(|name| name != who.name),
            _ => true,
        }
    }

    fn wanted(&self) -> Wanted {
        match &self.what {
            What::Rename(who, name) => {
                (Manage::Rename { who: who.id.clone(), name: name.trim().to_owned() }, Doing::Rename)
            }
            What::Remove(who) => (
                Manage::Remove { who: who.id.clone() },
                Doing::Remove { name: title(who), device: is_device(who) },
            ),
            What::NewToken(who) => {
                let what = Manage::RotateToken { who: who.id.clone(), token: Secret::new("") };
                (what, Doing::NewToken { who: who.clone() })
            }
            What::SetKind(who, kind) => {
                (Manage::SetKind { who: who.id.clone(), kind: *kind }, Doing::SetKind)
            }
            What::RemoveInvite(id) => (Manage::RemoveInvite { invite: id.clone() }, Doing::RemoveInvite),
        }
    }
}

fn is_device(who: &Principal) -> bool {
    who.kind == PrincipalKind::Device
}

/// What a new invite is to be.
pub(super) struct NewInvite {
    days: u64,
    admin: bool,
}

impl Default for NewInvite {
    fn default() -> Self {
        NewInvite { days: DAYS[0], admin: false }
    }
}

impl NewInvite {
    pub(super) fn show(&mut self, ui: &mut Ui, cx: &Cx, busy: bool) -> Option<Wanted> {
        let words = cx.words.people;
        card(ui, |ui| {
            let heading = ui.label(RichText::new(words.new_invite).font(theme::heading()));
            widgets::heading(ui, &heading, words.new_invite, 2);
            let group = egui::UiBuilder::new()
                .accessibility_label(words.good_for)
                .accessibility_role(Role::RadioGroup);
            ui.scope_builder(group, |ui| {
                ui.horizontal_wrapped(|ui| {
                    ui.label(words.good_for);
                    for days in DAYS {
                        ui.radio_value(&mut self.days, days, (words.days)(days));
                    }
                });
            });
            ui.horizontal_wrapped(|ui| {
                let make = ui.add_enabled(!busy, widgets::primary(theme::of(ui), words.make_invite));
                ui.checkbox(&mut self.admin, words.as_admin);
                make.clicked().then(|| {
                    let kind = if self.admin { PrincipalKind::Admin } else { PrincipalKind::Person };
                    (Manage::Invite { kind, expires_in_ms: self.days * DAY_MS }, Doing::Invite)
                })
            })
            .inner
        })
    }
}

/// What a new device is to be.
#[derive(Default)]
pub(super) struct NewDevice {
    id: String,
    name: String,
}

impl NewDevice {
    pub(super) fn show(&mut self, ui: &mut Ui, cx: &Cx, busy: bool) -> Option<Wanted> {
        let words = cx.words.people;
        card(ui, |ui| {
            let (mut enter, half) = (false, (ui.available_width() - space::SMALL) / 2.0);
            ui.horizontal(|ui| {
                for (text, name, hint) in [
                    (&mut self.id, words.device_id, words.device_id_hint),
                    (&mut self.name, words.device_name, ""),
                ] {
                    ui.vertical(|ui| {
                        ui.set_width(half);
                        enter |= {
                            let field = text_field(ui, text, name, hint);
                            entered(ui, &field)
                        };
                    });
                }
            });
            let id = DeviceId::new(self.id.trim()).ok().filter(|id| !id.as_str().starts_with('~'));
            let add = ui.horizontal(|ui| {
                ui.add_enabled(!busy && id.is_some(), widgets::primary(theme::of(ui), words.add_device))
            });
            let id = id.filter(|_| !busy && (add.inner.clicked() || enter))?;
            let (who, name) = (PrincipalId(id.to_string()), self.name.trim().to_owned());
            let doing = Doing::AddDevice { id: who.clone(), name: name.clone() };
            Some((Manage::AddDevice { who, name, token: Secret::new("") }, doing))
        })
    }
}

/// A part of its own above the list.
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

/// Whether Enter was pressed there; not the one that ends a syllable of an input method.
fn entered(ui: &Ui, field: &egui::Response) -> bool {
    let is_ime = |event: &egui::Event| matches!(event, egui::Event::Ime(_));
    field.has_focus() && ui.input(|input| input.key_pressed(Key::Enter) && !input.events.iter().any(is_ime))
}
