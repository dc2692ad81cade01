//! What a person can do with a device as a whole: name it, group it, pin it, hide it, mute it. The same menu opens from a
//! row of the list and from the device's page.

use egui::{Popup, Response, SetOpenCommand, Ui};

use super::rows;
use crate::model::device::DeviceId;
use crate::model::device_choices::{DeviceChange, DeviceChoice, MAX_CHOSEN_DEVICES};
use crate::model::harmless;
use crate::model::id::ConnectionId;
use crate::model::intent::{DeviceIntent, Intent};
use crate::ui::keys::{self, Action};
use crate::ui::{Cx, menu};

/// Maximum length of a name in a sentence, in characters.
const NAME_CHARS: usize = 40;

/// A device, and what is chosen for it.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    /// Of which connection.
    pub(super) connection: ConnectionId,
    /// Which.
    pub(super) device: DeviceId,
    /// What it is called here.
    pub(super) name: String,
    /// What it calls itself.
    pub(super) announced: String,
    /// What is chosen.
    pub(super) choice: DeviceChoice,
    /// Whether nothing is told of it.
    pub(super) muted: bool,
    /// Whether a choice for it can be kept.
    has_room: bool,
}

/// What a person wants of a device.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::ui) enum Act {
    /// Give it a name.
    Rename,
    /// Put it into a group.
    Group,
    /// Pin it to the top of the list, or no longer.
    Pin(bool),
    /// Leave it out of the list, or no longer.
    Hide(bool),
    /// Tell nothing of it, or tell again.
    Mute(bool),
    /// Copy its id.
    CopyId,
}

impl Act {
    /// What of a choice it changes, if that is all that it does.
    pub(super) fn change(self) -> Option<DeviceChange> {
        match self {
            Act::Pin(pinned) => Some(DeviceChange::Pinned(pinned)),
            Act::Hide(hidden) => Some(DeviceChange::Hidden(hidden)),
            Act::Rename | Act::Group | Act::Mute(_) | Act::CopyId => None,
        }
    }
}

impl Subject {
    /// Of a device that is known; none of the app's own view of a link, which has no choices.
    pub(super) fn of(cx: &Cx, connection: ConnectionId, id: &DeviceId) -> Option<Subject> {
        cx.model.read(|model| {
            let of = model.connections.get(&connection)?;
            let device = of.devices.get(id.as_str()).filter(|device| !device.is_local())?;
            let name = rows::title(of.device_name(&device.spec).0, id.as_str(), None);
            Some(Subject {
                connection,
                device: id.clone(),
                name: harmless::line(&name, NAME_CHARS),
                announced: harmless::line(device.spec.title(), NAME_CHARS),
                choice: of.device_choice(id).cloned().unwrap_or_default(),
                muted: model.notice_choices.is_muted(connection, id),
                has_room: model.device_choices.has_room(connection, id),
            })
        })
    }
}

/// The items of the menu. Returns what the person chose.
pub(super) fn items(ui: &mut Ui, cx: &Cx, subject: &Subject) -> Option<Act> {
    let words = cx.words.device_acts;
    let choice = &subject.choice;
    let mut chosen = None;
    ui.add_enabled_ui(subject.has_room, |ui| {
        for (name, act) in [
            (words.rename, Act::Rename),
            (words.group, Act::Group),
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

/// The menu of a row: opened by the second button, or by the menu key or Shift and F10 while the keyboard is on the row.
/// What is chosen waits for [`take`].
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
    // A row that is only drawn asks the model for nothing.
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

/// What was chosen, and of which device.
type Asked = ((ConnectionId, DeviceId), Act);
/// Until it is taken.
type Waiting = Option<Asked>;

fn asked_id() -> egui::Id {
    egui::Id::unique("act on a device")
}

/// Leaves what is chosen for the pane to do: a row is drawn deep inside the list.
fn ask(ui: &Ui, of: (ConnectionId, DeviceId), act: Act) {
    ui.data_mut(|data| data.insert_temp::<Waiting>(asked_id(), Some((of, act))));
}

/// What was chosen in a row's menu, once.
pub(super) fn take(ui: &Ui) -> Option<Asked> {
    ui.data_mut(|data| data.remove_temp::<Waiting>(asked_id())).flatten()
}

/// Asks for a change to be kept. Returns the sentence that says so, where it is not seen by itself, and what takes it back.
pub(super) fn change(cx: &mut Cx, subject: &Subject, change: DeviceChange) -> Option<(String, DeviceChange)> {
    let words = cx.words.device_acts;
    let undo = subject.choice.inverse_of(&change);
    let said = match &change {
        _ if undo == change => return None,
        DeviceChange::Name(name) if name.is_empty() => Some((words.renamed)(&subject.announced)),
        DeviceChange::Name(name) => Some((words.renamed)(&harmless::line(name, NAME_CHARS))),
        DeviceChange::Group(group) if group.is_empty() => Some((words.ungrouped)(&subject.name)),
        DeviceChange::Group(group) => {
            Some((words.grouped)(&subject.name, &harmless::line(group, NAME_CHARS)))
        }
        DeviceChange::Hidden(true) => Some((words.hidden)(&subject.name)),
        DeviceChange::Hidden(false) => Some((words.shown)(&subject.name)),
        DeviceChange::Pinned(_) => None,
    };
    let (connection, device) = (subject.connection, subject.device.clone());
    cx.intents.push(Intent::Device(DeviceIntent::Change { connection, device, change }));
    Some((said?, undo))
}
