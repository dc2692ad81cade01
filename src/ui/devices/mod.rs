//! The device pane: the list of all devices, or the page of one.

mod card;
mod controls;
mod empty;
mod entry;
mod list;
mod moves;
mod order;
mod page;
mod paint;
mod rows;
mod shown;
mod spark;
mod standing;
mod sweep;
mod table;
mod tally;
mod view;

use std::collections::HashMap;

use egui::Ui;

use super::Cx;
use super::link::LinkMemory;
use crate::model::device::DeviceId;
use crate::model::id::ConnectionId;
use crate::model::panes::DeviceLists;

use list::List;
use page::Page;
use standing::Standing;

/// The pane's own state.
#[derive(Default)]
pub(super) struct Devices {
    list: List,
    page: Option<Page>,
}

impl Devices {
    /// Draws the pane into what it is given.
    pub(super) fn show(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx,
        links: &HashMap<ConnectionId, LinkMemory>,
        lists: &mut DeviceLists,
    ) {
        if let Some(page) = &mut self.page {
            if !page.show(ui, cx) {
                self.page = None;
                self.list.focus();
                // Something else is to be drawn, and nothing else says so.
                cx.deadline.at(cx.now.boot_ms);
            }
            return;
        }
        let standings = Standing::all(cx, links);
        if let Some(key) = self.list.show(ui, cx, &standings, lists) {
            self.open(key.connection, key.device);
            cx.deadline.at(cx.now.boot_ms);
        }
    }

    /// Opens the page of one device.
    pub(super) fn open(&mut self, connection: ConnectionId, device: DeviceId) {
        self.list.rest();
        self.page = Some(Page::new(connection, device));
    }

    /// Whether the person wants to add a device, and at which server if that is known; asked for once.
    pub(super) fn take_wish(&mut self) -> Option<Option<ConnectionId>> {
        self.list.take_add().then_some(None)
    }

    /// The device whose page is open.
    pub(super) fn opened(&self) -> Option<(ConnectionId, DeviceId)> {
        self.page.as_ref().map(Page::of)
    }

    /// Leaves the page for the list.
    pub(super) fn close(&mut self) {
        self.page = None;
    }

    /// Puts the keyboard's focus into the list, or onto the page that is open.
    pub(super) fn focus(&mut self) {
        match &mut self.page {
            Some(page) => page.focus(),
            None => self.list.focus(),
        }
    }

    /// The pane is hidden: what is prepared for drawing is let go.
    pub(super) fn rest(&mut self) {
        self.list.rest();
    }
}
