//! One device's page.

use crate::model::device::DeviceId;
use crate::model::id::ConnectionId;
use crate::ui::Cx;

/// The page of one device.
pub(super) struct Page {
    connection: ConnectionId,
    device: DeviceId,
}

impl Page {
    /// Opens it.
    pub(super) fn new(connection: ConnectionId, device: DeviceId) -> Page {
        Page { connection, device }
    }

    /// Draws it. `false`: the person goes back to the list.
    pub(super) fn show(&mut self, ui: &mut egui::Ui, cx: &mut Cx) -> bool {
        let there = cx.model.read(|model| {
            let connection = model.connections.get(&self.connection);
            connection.is_some_and(|connection| connection.devices.get(self.device.as_str()).is_some())
        });
        there && !ui.button(cx.words.cancel).clicked()
    }
}
