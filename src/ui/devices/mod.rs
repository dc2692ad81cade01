//! The devices' pane: a list, or the page of one device.

mod page;

use egui::Ui;

use super::Cx;
use crate::model::device::DeviceId;
use crate::model::id::ConnectionId;

use page::Page;

/// The pane's own state.
#[derive(Default)]
pub(super) struct Devices {
    page: Option<Page>,
}

impl Devices {
    /// Opens the page of one device.
    pub(super) fn open(&mut self, connection: ConnectionId, device: DeviceId) {
        self.page = Some(Page::new(connection, device));
    }

    /// Whether there is something to show.
    pub(super) fn is_open(&self) -> bool {
        self.page.is_some()
    }

    /// Draws the pane.
    pub(super) fn show(&mut self, ui: &mut Ui, cx: &mut Cx) {
        if let Some(page) = &mut self.page
            && !page.show(ui, cx)
        {
            self.page = None;
        }
    }
}
