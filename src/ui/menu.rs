//! Menus: their appearance, their rows, and their focus handling. A menu opens from its button, by secondary
//! click, or by keyboard; arrow keys move along its rows.

use egui::accesskit::Role;
use egui::{Button, Id, Popup, Response, Sense, SetOpenCommand, Ui, Vec2, WidgetInfo, pos2, vec2};

use super::icons::{self, Icon};
use super::keys::{self, Action};
use super::theme::{self, radius, size, space};
use super::{focus_mark, widgets};

/// Minimum width of a row, in points.
const MIN_WIDTH: f32 = 168.0;
/// Maximum width of a row's text, in points; longer text is truncated.
const MAX_TEXT_WIDTH: f32 = 360.0;
/// Padding between a row's edge and its text, in points.
const PAD: f32 = 10.0;
/// Width of the check or radio mark, in points.
const MARK: f32 = 24.0;
/// Space between the text and the shortcut, in points.
const GAP: f32 = 28.0;

/// Type of a row.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Kind {
    /// An action.
    Act,
    /// A destructive action.
    Danger,
    /// A check box.
    Check(bool),
    /// A radio button.
    Radio(bool),
    /// An option of a drop-down list.
    Option(bool),
}

/// A context menu: opens at the pointer on a secondary click, or below the row with the menu key. `name` is
/// called only when it is open, since every row may have a menu.
pub(super) fn context(
    ui: &Ui,
    response: &Response,
    name: impl FnOnce() -> String,
    content: impl FnOnce(&mut Ui),
) {
    let by_keys = response.has_focus()
        && ui.input_mut(|input| {
            keys::of(Action::RoomMenu).iter().any(|shortcut| input.consume_shortcut(shortcut))
        });
    let by_keys = by_keys
        || ui.input(|input| {
            input.has_accesskit_action_request(response.id, egui::accesskit::Action::ShowContextMenu)
        });
    ui.ctx().accesskit_node_builder(response.id, |node| {
        node.set_has_popup(egui::accesskit::HasPopup::Menu);
        node.add_action(egui::accesskit::Action::ShowContextMenu);
    });
    let set = match (response.secondary_clicked() || by_keys, response.clicked()) {
        (true, _) => Some(SetOpenCommand::Bool(true)),
        (false, true) => Some(SetOpenCommand::Bool(false)),
        (false, false) => None,
    };
    let popup = Popup::menu(response).open_memory(set);
    if set.is_none() && !popup.is_open() && !was_open(&popup) {
        return;
    }
    let popup = if is_at_pointer(ui, response, set.is_some()) { popup.at_pointer_fixed() } else { popup };
    show(popup, response, Role::Menu, &name(), content);
}

/// Whether the context menu was opened with the pointer, and so is placed at it.
fn is_at_pointer(ui: &Ui, response: &Response, opens: bool) -> bool {
    let id = response.id.with("menu at pointer");
    if opens {
        let by_pointer = response.secondary_clicked();
        ui.data_mut(|data| data.insert_temp(id, by_pointer));
    }
    ui.data(|data| data.get_temp(id)).unwrap_or(true)
}

/// A "…" button that opens a menu.
pub(super) fn more(ui: &mut Ui, name: &str, min_size: Vec2, content: impl FnOnce(&mut Ui)) -> Response {
    let response = ui.add(Button::new("").frame_when_inactive(false).min_size(min_size));
    let colour = if response.hovered() { theme::of(ui).text } else { theme::of(ui).weak };
    icons::paint(ui.painter(), response.rect.center(), Icon::More, size::ICON, colour);
    below(ui, &response, name, content);
    response.on_hover_text(name)
}

/// A menu that opens below its button.
pub(super) fn below(ui: &Ui, button: &Response, name: &str, content: impl FnOnce(&mut Ui)) {
    let popup = Popup::menu(button);
    let is_open = popup.is_open();
    ui.ctx().accesskit_node_builder(button.id, |node| {
        node.set_label(name);
        node.set_has_popup(egui::accesskit::HasPopup::Menu);
        node.set_expanded(is_open);
    });
    show(popup, button, Role::Menu, name, content);
}

fn show(popup: Popup<'_>, anchor: &Response, role: Role, name: &str, content: impl FnOnce(&mut Ui)) {
    let (ctx, id) = (anchor.ctx.clone(), memory_id(&popup));
    let was_open: Option<bool> = ctx.data(|data| data.get_temp(id));
    let popup_id = popup.get_id();
    let shown = popup.gap(2.0).show(|ui| {
        ui.spacing_mut().item_spacing = vec2(0.0, 1.0);
        content(ui);
    });
    if let Some(shown) = &shown {
        ctx.accesskit_node_builder(shown.response.layer_id.id, |node| {
            node.set_role(role);
            node.set_label(name);
        });
    }
    let is_open = shown.is_some() && Popup::is_id_open(&ctx, popup_id);
    match (was_open, is_open) {
        (None, true) => {
            let by_keys = focus_mark::is_visible(&ctx);
            ctx.data_mut(|data| {
                data.insert_temp(id, by_keys);
                data.insert_temp(first_id(), by_keys);
            });
        }
        (Some(by_keys), false) => {
            ctx.data_mut(|data| data.remove::<bool>(id));
            let focused = ctx.memory(|memory| memory.focused()).and_then(|id| ctx.read_response(id));
            let layer = shown.map(|shown| shown.response.layer_id);
            // The row's action may have moved the focus.
            if by_keys && focused.is_none_or(|focused| Some(focused.layer_id) == layer) {
                anchor.request_focus();
            }
        }
        _ => {}
    }
}

/// Where the menu's state is stored: that it is open, and whether the keyboard opened it.
fn memory_id(popup: &Popup<'_>) -> Id {
    popup.get_id().with("open by keys")
}

fn was_open(popup: &Popup<'_>) -> bool {
    popup.ctx().data(|data| data.get_temp::<bool>(memory_id(popup))).is_some()
}

/// Where it is stored that the first row is to get the focus.
fn first_id() -> Id {
    Id::unique("first row of a menu")
}

/// A row with an action.
pub(super) fn item(ui: &mut Ui, text: &str) -> Response {
    row(ui, text, None, Kind::Act)
}

/// A row with an action that has a shortcut.
pub(super) fn item_of(ui: &mut Ui, text: &str, action: Action) -> Response {
    let keys = keys::label(ui.ctx(), action);
    row(ui, text, keys.as_deref(), Kind::Act)
}

/// A row with a destructive action.
pub(super) fn danger(ui: &mut Ui, text: &str) -> Response {
    row(ui, text, None, Kind::Danger)
}

/// A row with a check box.
#[allow(dead_code, reason = "the set of rows is whole")]
pub(super) fn check(ui: &mut Ui, is_on: bool, text: &str) -> Response {
    row(ui, text, None, Kind::Check(is_on))
}

/// A row with a radio button.
pub(super) fn radio(ui: &mut Ui, is_on: bool, text: &str) -> Response {
    row(ui, text, None, Kind::Radio(is_on))
}

/// A row with a radio button for `option`; selects it when clicked.
pub(super) fn one_of<T: PartialEq>(ui: &mut Ui, chosen: &mut T, option: T, text: &str) -> Response {
    let response = radio(ui, *chosen == option, text);
    if response.clicked() {
        *chosen = option;
    }
    response
}

/// An option of a drop-down list.
pub(super) fn option(ui: &mut Ui, is_on: bool, text: &str) -> Response {
    row(ui, text, None, Kind::Option(is_on))
}

/// A heading for the rows below it.
pub(super) fn title(ui: &mut Ui, text: &str) {
    let text = egui::RichText::new(text).font(theme::small()).color(theme::of(ui).weak);
    ui.add(egui::Label::new(text).selectable(false));
}

/// A line between groups of rows.
pub(super) fn separator(ui: &mut Ui) {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width().min(MIN_WIDTH), 9.0), Sense::hover());
    let line = egui::Stroke::new(1.0, theme::of(ui).outline);
    let whole = ui.max_rect().x_range();
    ui.painter().hline(whole, rect.center().y, line);
}

fn row(ui: &mut Ui, text: &str, keys: Option<&str>, kind: Kind) -> Response {
    let theme = theme::of(ui);
    let colour = match kind {
        _ if !ui.is_enabled() => theme.weak,
        Kind::Danger => theme.bad,
        _ => theme.text,
    };
    let name = widgets::cut(ui, text, theme::body(), colour, MAX_TEXT_WIDTH);
    let keys = keys.map(|keys| ui.painter().layout_no_wrap(keys.to_owned(), theme::small(), theme.weak));
    let is_on = match kind {
        Kind::Check(is_on) | Kind::Radio(is_on) | Kind::Option(is_on) => Some(is_on),
        Kind::Act | Kind::Danger => None,
    };
    let left = PAD + if is_on.is_some() { MARK } else { 0.0 };
    let right = keys.as_ref().map_or(0.0, |keys| keys.size().x + GAP);
    let width = (left + name.size().x + right + PAD).max(MIN_WIDTH);
    let (rect, response) = ui.allocate_exact_size(vec2(width, size::CONTROL), Sense::click());
    let role = match kind {
        Kind::Act | Kind::Danger => Role::MenuItem,
        Kind::Check(_) => Role::MenuItemCheckBox,
        Kind::Radio(_) => Role::MenuItemRadio,
        Kind::Option(_) => Role::ListBoxOption,
    };
    response.widget_info(|| match is_on {
        Some(is_on) => WidgetInfo::selected(role, ui.is_enabled(), is_on, text),
        None => WidgetInfo::labeled(role, ui.is_enabled(), text),
    });
    if let Kind::Option(is_on) = kind {
        ui.ctx().accesskit_node_builder(response.id, |node| {
            node.clear_toggled();
            node.set_selected(is_on);
        });
    }
    if let Some(keys) = &keys {
        ui.ctx().accesskit_node_builder(response.id, |node| node.set_keyboard_shortcut(keys.text()));
    }
    if !ui.is_sizing_pass() && ui.data_mut(|data| data.remove_temp(first_id())) == Some(true) {
        response.request_focus();
    }
    if response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect, f32::from(radius::CONTROL), theme.hover);
    }
    let middle = rect.center().y;
    if is_on == Some(true) {
        let at = pos2(rect.left() + PAD + 6.0, middle);
        match kind {
            Kind::Radio(_) => _ = ui.painter().circle_filled(at, 3.5, theme.accent),
            _ => icons::paint(ui.painter(), at, Icon::Check, size::ICON, theme.accent),
        }
    }
    ui.painter().galley(pos2(rect.left() + left, middle - name.size().y / 2.0), name, colour);
    if let Some(keys) = keys {
        let at = pos2(rect.right() - PAD - keys.size().x, middle - keys.size().y / 2.0);
        ui.painter().galley(at, keys, theme.weak);
    }
    if response.clicked() {
        ui.close();
    }
    response
}

/// A drop-down button: the chosen option and an arrow. `what` names the choice.
pub(super) fn choice(
    ui: &mut Ui,
    what: &str,
    chosen: &str,
    min_width: f32,
    content: impl FnOnce(&mut Ui),
) -> Response {
    let theme = theme::of(ui);
    let beside = 2.0 * PAD + space::HUGE;
    let most = (ui.available_width() - beside).min(MAX_TEXT_WIDTH);
    let text = widgets::cut(ui, chosen, theme::body(), theme.text, most);
    let width = (text.size().x + beside).max(min_width);
    let button = ui.add(Button::new("").min_size(vec2(width, size::CONTROL)));
    let colour = if ui.is_enabled() { theme.text } else { theme.weak };
    let at = pos2(button.rect.left() + PAD, button.rect.center().y - text.size().y / 2.0);
    ui.painter().galley(at, text, colour);
    let arrow = pos2(button.rect.right() - PAD - 4.0, button.rect.center().y);
    icons::paint(ui.painter(), arrow, Icon::Unfold, 14.0, theme.weak);
    let popup = Popup::menu(&button);
    let is_open = popup.is_open();
    ui.ctx().accesskit_node_builder(button.id, |node| {
        node.set_role(Role::ComboBox);
        node.set_label(what);
        node.set_value(chosen);
        node.set_has_popup(egui::accesskit::HasPopup::Listbox);
        node.set_expanded(is_open);
    });
    show(popup, &button, Role::ListBox, what, content);
    button
}
