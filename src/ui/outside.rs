//! Interface to the program around the window: what the person is viewing, and what the platform provides.

use super::{OpenRoom, Ui, dialog, first_room};
use crate::model::id::{ConnectionId, RoomId};
use crate::model::intent::Intent;
use crate::model::notices::Viewing;
use crate::model::preferences::Preferences;
use crate::model::shared::SharedModel;

/// Capabilities of the platform, as far as known.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// Whether the system shows notifications; `None` until known.
    pub notices: Option<bool>,
    /// Whether there is a tray icon; `None` until known, or if not wanted.
    pub tray: Option<bool>,
    /// Whether a hidden window can be shown again.
    pub can_hide: bool,
    /// Whether the system asks for reduced motion.
    pub reduced_motion: bool,
}

impl Ui {
    /// Stores the platform's capabilities, for the settings sheet.
    pub fn set_surroundings(&mut self, around: Surroundings) {
        self.around = around;
    }

    /// What is visible to a person looking at the window.
    pub fn viewing(&self) -> Viewing {
        let room = self.open_room().filter(|_| self.layout.shows_chat());
        Viewing {
            room: room.map(|(connection, room)| (connection, room.clone())),
            device: self.devices.opened().filter(|_| self.shows_devices()),
        }
    }

    /// Opens a room and shows the chat.
    pub fn bring_room(&mut self, connection: ConnectionId, room: RoomId, intents: &mut Vec<Intent>) {
        self.layout.bring_chat();
        self.open(connection, room, intents);
    }

    /// Opens a connection at its first room.
    pub fn open_connection(
        &mut self,
        connection: ConnectionId,
        model: &SharedModel,
        intents: &mut Vec<Intent>,
    ) {
        let room = model.read(|model| first_room(model.connections.get(&connection)?));
        self.layout.bring_chat();
        let is_open = self.open.as_ref().is_some_and(|place| place.connection == connection);
        if !is_open {
            self.go_to(OpenRoom { connection, room }, intents);
        }
    }

    /// Shows the device list.
    pub fn show_device_list(&mut self) {
        self.layout.bring_devices();
        self.devices.close();
    }

    /// Focuses the message field.
    pub fn focus_message(&mut self) {
        if self.dialog.is_none() {
            self.chat.focus_input();
        }
    }

    /// Turns "do not disturb" on or off.
    pub fn toggle_do_not_disturb(&mut self, model: &SharedModel, intents: &mut Vec<Intent>) {
        self.looks.sync(model);
        let wanted = self.looks.wanted();
        let mut notices = wanted.notices;
        notices.do_not_disturb = !notices.do_not_disturb;
        self.looks.choose(Preferences { notices, ..wanted }, intents);
        if let Some(dialog::Dialog::Settings(sheet)) = &mut self.dialog {
            sheet.chosen().notices.do_not_disturb = notices.do_not_disturb;
        }
    }
}
