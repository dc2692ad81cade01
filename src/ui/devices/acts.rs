//! Actions on a device as a whole: rename, group, pin, hide, mute. The same menu opens from a row of the list
//! and from the device's page.

use egui::{Popup, Response, SetOpenCommand, Ui};

use super::rows;
use crate::model::Connection;
use crate::model::device::DeviceId;
use crate::model::device_choices::{DeviceChange, DeviceChoice, MAX_CHOSEN_DEVICES};
use crate::model::harmless;
use crate::model::id::ConnectionId;
use crate::model::intent::{DeviceIntent, Intent};
use crate::model::profile::Protocol;
use crate::ui::keys::{self, Action};
use crate::ui::{Cx, menu};

/// Maximum length of a device name within a sentence, in characters.
const MAX_NAME_CHARS: usize = 40;

/// A device and the person's settings for it.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    /// Connection that the device belongs to.
    pub(super) connection: ConnectionId,
    /// Id of the device.
    pub(super) device: DeviceId,
    /// Display name, after any local renaming.
    pub(super) name: String,
    /// Name that the device announced.
    pub(super) announced: String,
    /// The person's settings for it.
    pub(super) choice: DeviceChoice,
    /// Whether its notifications are muted.
    pub(super) muted: bool,
    /// Whether settings for it can still be stored.
    has_room: bool,
    /// Whether its server's devices can be merged.
    pub(super) can_merge: bool,
}

/// An action on a device.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::ui) enum Act {
    /// Rename it.
    Rename,
    /// Assign it to a group.
    Group,
    /// Pin it to the top of the list, or unpin it.
    Pin(bool),
    /// Hide it from the list, or show it again.
    Hide(bool),
    /// Correct names, units and visibility of its readings.
    Readings,
    /// Show it as a part of another device, or separate its parts.
    Merge,
    /// Mute or unmute its notifications.
    Mute(bool),
    /// Copy its id.
    CopyId,
}

impl Act {
    /// The settings change that the action amounts to, if it needs no dialog.
    pub(super) fn change(self) -> Option<DeviceChange> {
        match self {
            Act::Pin(pinned) => Some(DeviceChange::Pinned(pinned)),
            Act::Hide(hidden) => Some(DeviceChange::Hidden(hidden)),
            Act::Rename | Act::Group | Act::Readings | Act::Merge | Act::Mute(_) | Act::CopyId => None,
        }
    }
}

impl Subject {
    /// For a known device; `None` for the built-in view of the link, which has no settings.
    pub(super) fn of(cx: &Cx, connection: ConnectionId, id: &DeviceId) -> Option<Subject> {
        cx.model.read(|model| {
            let of = model.connections.get(&connection)?;
            let device = of.devices.get(id.as_str()).filter(|device| !device.is_local())?;
            let name = rows::title(of.device_name(&device.spec).0, id.as_str(), None);
            Some(Subject {
                connection,
                device: id.clone(),
                name: harmless::line(&name, MAX_NAME_CHARS),
                announced: harmless::line(device.spec.title(), MAX_NAME_CHARS),
                choice: of.device_choice(id).cloned().unwrap_or_default(),
                muted: model.notice_choices.is_muted(connection, id),
                has_room: model.device_choices.has_room(connection, id),
                can_merge: can_merge(of),
            })
        })
    }
}

/// Whether it can be said of a server's devices that two of them are one.
pub(in crate::ui) fn can_merge(connection: &Connection) -> bool {
    connection.profile.protocol == Protocol::Mqtt
}

/// Draws the menu items. Returns the action chosen.
pub(super) fn items(ui: &mut Ui, cx: &Cx, subject: &Subject) -> Option<Act> {
    let words = cx.words.device_acts;
    let choice = &subject.choice;
    let mut chosen = None;
    ui.add_enabled_ui(subject.has_room, |ui| {
        for (name, act) in [
            (words.rename, Act::Rename),
            (words.group, Act::Group),
            (words.readings, Act::Readings),
            (if choice.pinned { words.unpin } else { words.pin }, Act::Pin(!choice.pinned)),
            (if choice.hidden { words.unhide } else { words.hide }, Act::Hide(!choice.hidden)),
        ] {
            let item = menu::item(ui, name);
            if item.clicked() {
                chosen = Some(act);
            }
            if !subject.has_room {
                item.on_disabled_hover_text((words.full)(MAX_CHOSEN_DEVICES));
            }
        }
    });
    if subject.can_merge && menu::item(ui, words.merge).clicked() {
        chosen = Some(Act::Merge);
    }
    menu::separator(ui);
    let mute = if subject.muted { words.unmute } else { cx.words.notices.mute_device };
    if menu::item(ui, mute).on_hover_text(cx.words.notices.mute_device_text).clicked() {
        chosen = Some(Act::Mute(!subject.muted));
    }
    if menu::item(ui, words.copy_id).clicked() {
        chosen = Some(Act::CopyId);
    }
    if chosen.is_some() {
        ui.close();
    }
    chosen
}

/// The context menu of a row. Opens on a secondary click, or with the menu key or Shift+F10 while the row has
/// the focus. The chosen action is left for [`take`].
pub(super) fn row_menu(
    ui: &Ui,
    cx: &Cx,
    response: &Response,
    (connection, device): (ConnectionId, &DeviceId),
    focused: bool,
) {
    let by_keys = focused
        && ui.input_mut(|input| {
            keys::of(Action::RoomMenu).iter().any(|shortcut| input.consume_shortcut(shortcut))
        });
    let set = if response.secondary_clicked() || by_keys {
        Some(SetOpenCommand::Bool(true))
    } else {
        response.clicked().then_some(SetOpenCommand::Bool(false))
    };
    // Drawing a row must not lock the model.
    if set.is_none() && !Popup::is_id_open(ui.ctx(), Popup::default_response_id(response)) {
        return;
    }
    let Some(subject) = Subject::of(cx, connection, device) else { return };
    let at_row = response.id.with("menu at the row");
    if set == Some(SetOpenCommand::Bool(true)) {
        ui.data_mut(|data| data.insert_temp(at_row, by_keys));
    }
    let popup = Popup::menu(response).open_memory(set);
    let popup = match ui.data(|data| data.get_temp(at_row)).unwrap_or(true) {
        true => popup,
        false => popup.at_pointer_fixed(),
    };
    let shown = popup.show(|ui| items(ui, cx, &subject));
    if let Some(act) = shown.and_then(|shown| shown.inner) {
        ask(ui, (connection, device.clone()), act);
    }
}

/// The device and the action chosen for it.
type ChosenAction = ((ConnectionId, DeviceId), Act);
/// The chosen action until [`take`] fetches it.
type PendingAction = Option<ChosenAction>;

fn asked_id() -> egui::Id {
    egui::Id::unique("act on a device")
}

/// Stores the chosen action for the pane: rows are drawn deep inside the list.
fn ask(ui: &Ui, of: (ConnectionId, DeviceId), act: Act) {
    ui.data_mut(|data| data.insert_temp::<PendingAction>(asked_id(), Some((of, act))));
}

/// Takes the action chosen in a row's menu.
pub(super) fn take(ui: &Ui) -> Option<ChosenAction> {
    ui.data_mut(|data| data.remove_temp::<PendingAction>(asked_id())).flatten()
}

/// Queues a settings change. If its effect is not visible, returns a message about it and the change that
/// undoes it.
pub(super) fn change(cx: &mut Cx, subject: &Subject, change: DeviceChange) -> Option<(String, DeviceChange)> {
    let words = cx.words.device_acts;
    let undo = subject.choice.inverse_of(&change);
    let said = match &change {
        _ if undo == change => return None,
        DeviceChange::Name(name) if name.is_empty() => Some((words.renamed)(&subject.announced)),
        DeviceChange::Name(name) => Some((words.renamed)(&harmless::line(name, MAX_NAME_CHARS))),
        DeviceChange::Group(group) if group.is_empty() => Some((words.ungrouped)(&subject.name)),
        DeviceChange::Group(group) => {
            Some((words.grouped)(&subject.name, &harmless::line(group, MAX_NAME_CHARS)))
        }
        DeviceChange::Hidden(true) => Some((words.hidden)(&subject.name)),
        DeviceChange::Hidden(false) => Some((words.shown)(&subject.name)),
        DeviceChange::Readings(_) => Some((words.readings_changed)(&subject.name)),
        DeviceChange::Pinned(_) => None,
    };
    let (connection, device) = (subject.connection, subject.device.clone());
    cx.intents.push(Intent::Device(DeviceIntent::Change { connection, device, change }));
    Some((said?, undo))
}
