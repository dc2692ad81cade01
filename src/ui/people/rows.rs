//! A row of the sheet's lists: a member, a device or an invite.

use egui::containers::menu::MenuButton;
use egui::{Button, Id, Rect, Sense, Ui, UiBuilder, pos2, vec2};

use super::Facts;
use super::act::{Change, PendingChange, title};
use crate::model::id::ConnectionId;
use crate::model::principal::PrincipalKind;
use crate::model::rights::{Invitation, Member};
use crate::ui::icons::{self, Icon};
use crate::ui::theme::{self, size, space};
use crate::ui::{Cx, harmless, menu, widgets};

/// Height of a row, in points.
pub(super) const HEIGHT: f32 = 44.0;

/// Draws a member or device. Returns the action chosen from its menu.
///
/// Long: what is said of somebody, and what can be done, in one row.
pub(super) fn member(
    ui: &mut Ui,
    cx: &Cx,
    (connection, facts): (ConnectionId, &Facts),
    member: &Member,
    enabled: bool,
) -> Option<PendingChange> {
    let words = cx.words.people;
    let who = &member.who;
    let is_me = facts.me.as_ref() == Some(&who.id);
    let online = match who.kind {
        PrincipalKind::Device => member.online,
        // People's presence is announced by the server as it changes.
        _ => is_me || is_online(cx, connection, member),
    };
    let kind = match (member.owner, who.kind) {
        (true, _) => words.owner,
        (false, PrincipalKind::Admin) => words.admin,
        (false, PrincipalKind::Device) => words.device,
        (false, _) if facts.has_roles && who.role.is_some() => (words.role)(who.role()),
        (false, _) => words.person,
    };
    let name = title(who);
    let shown = if is_me { format!("{name} ({})", words.you) } else { name.clone() };
    let id = harmless::line(&who.id.0, 64);
    // Devices that publish over HTTP are never connected; their status is shown in the device list instead.
    let presence = (online || who.kind != PrincipalKind::Device).then_some(online);
    let note = match presence {
        Some(true) => format!("{kind} · {} · {id}", words.online),
        Some(false) => format!("{kind} · {} · {id}", words.offline),
        None => format!("{kind} · {id}"),
    };
    let id = Id::unique(("member", &who.id.0));
    let place = line(ui, (id, &shown, &note), presence);
    let mut act = None;
    let mut corner = ui.new_child(UiBuilder::new().max_rect(place).id_salt(id));
    if !enabled {
        corner.disable();
    }
    let button = Button::new("").frame_when_inactive(false).min_size(place.size());
    let (response, _) = MenuButton::from_button(button).ui(&mut corner, |ui| {
        let mut choose = |ui: &mut Ui, text: &str, what: &dyn Fn() -> Change| {
            if menu::item(ui, text).clicked() {
                act = Some(PendingChange::new(what()));
                ui.close();
            }
        };
        choose(ui, words.rename, &|| Change::Rename(who.clone(), who.name.clone()));
        choose(ui, words.new_token, &|| Change::NewToken(who.clone()));
        // Nobody can change the owner's rights.
        if !member.owner {
            match who.kind {
                PrincipalKind::Device => {}
                _ if facts.has_roles => {
                    choose(ui, words.change_role, &|| Change::SetRole(who.clone(), who.role()));
                }
                PrincipalKind::Admin => {
                    choose(ui, words.make_person, &|| Change::SetKind(who.clone(), PrincipalKind::Person));
                }
                _ => choose(ui, words.make_admin, &|| Change::SetKind(who.clone(), PrincipalKind::Admin)),
            }
            let remove = if who.kind == PrincipalKind::Device { words.remove_device } else { words.remove };
            menu::separator(ui);
            choose(ui, remove, &|| Change::Remove(who.clone()));
        }
    });
    icons::paint(ui.painter(), place.center(), Icon::More, size::ICON, theme::of(ui).weak);
    response.accessible_name((words.more)(&name));
    act
}

fn is_online(cx: &Cx, connection: ConnectionId, member: &Member) -> bool {
    let known = cx
        .model
        .read(|model| Some(model.connections.get(&connection)?.chat.people.get(&member.who.id)?.online));
    known.unwrap_or(member.online)
}

/// Draws an invite. Returns the action chosen from its menu.
pub(super) fn invite(ui: &mut Ui, cx: &Cx, invite: &Invitation, enabled: bool) -> Option<PendingChange> {
    let words = cx.words.people;
    let is_open = invite.used_by.is_none() && invite.expires > cx.now.wall_ms;
    let at = (cx.words.day_and_clock)(invite.expires);
    let state = match &invite.used_by {
        Some(who) => (words.used_by)(&harmless::line(&who.name, 64)),
        None if is_open => (words.good_until)(&at),
        None => (words.expired)(&at),
    };
    let kind = match (invite.kind, invite.role) {
        (PrincipalKind::Admin, _) => words.admin,
        (_, Some(role)) => (words.role)(role),
        _ => words.person,
    };
    let mut note = kind.to_owned();
    if let Some(by) = &invite.by {
        note.push_str(&format!(" · {}", (words.made_by)(&harmless::line(&by.name, 64))));
    }
    let short = harmless::line(&invite.id, 16);
    note.push_str(&format!(" · {short}"));
    let id = Id::unique(("invite", &invite.id));
    let corner = line(ui, (id, &state, &note), None);
    if !is_open {
        return None;
    }
    let mut place = ui.new_child(UiBuilder::new().max_rect(corner).id_salt(id));
    if !enabled {
        place.disable();
    }
    let name = (words.remove_invite)(&short);
    let clicked = widgets::icon_button(&mut place, Icon::Close, &name, &name, false).clicked();
    clicked.then(|| PendingChange::new(Change::RemoveInvite(invite.id.clone())))
}

/// Two lines of text. Returns the area on the right for a control.
fn line(ui: &mut Ui, (id, name, note): (Id, &str, &str), online: Option<bool>) -> Rect {
    let theme = theme::of(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), HEIGHT), Sense::hover());
    let corner = Rect::from_center_size(
        pos2(rect.right() - size::CONTROL / 2.0 - space::MEDIUM, rect.center().y),
        vec2(size::CONTROL, size::CONTROL),
    );
    let mut left = rect.left() + space::TINY;
    if let Some(online) = online {
        let centre = pos2(left + 6.0, rect.top() + 13.0);
        match online {
            true => ui.painter().circle_filled(centre, 4.5, theme.good),
            false => ui.painter().circle_stroke(centre, 4.0, egui::Stroke::new(1.5, theme.weak)),
        };
        left += 20.0;
    }
    let width = corner.left() - left - space::SMALL;
    let galley = widgets::cut(ui, name, theme::strong(size::BODY), theme.text, width);
    ui.painter().galley(pos2(left, rect.top() + 4.0), galley, theme.text);
    let galley = widgets::cut(ui, note, theme::small(), theme.weak, width);
    ui.painter().galley(pos2(left, rect.top() + 23.0), galley, theme.weak);
    let text = rect.with_max_x(corner.left());
    widgets::spoken(ui, text, id.with("text"), &format!("{name}. {note}"));
    corner
}
