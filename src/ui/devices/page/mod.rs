//! One device's page.

use crate::model::device::DeviceId;
use crate::model::id::ConnectionId;
use crate::ui::{Cx, harmless, theme, value};

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
        let known = cx.model.read(|model| {
            let connection = model.connections.get(&self.connection)?;
            let device = connection.devices.get(self.device.as_str())?;
            Some((device.spec.title().to_owned(), connection.status(device)))
        });
        let Some((title, status)) = known else { return false };
        let back = ui.horizontal(|ui| {
            value::status_mark(ui, theme::of(ui), status);
            ui.label(harmless::line(&title, 80));
            ui.button(cx.words.cancel).clicked()
        });
        !back.inner
    }
}
