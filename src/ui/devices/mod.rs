//! The device pane: the list of all devices, or the page of one.

mod acts;
mod card;
mod controls;
mod corrections;
mod cut;
mod empty;
mod entry;
mod list;
mod moves;
mod naming;
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
mod toast;
mod view;
use std::collections::HashMap;

use egui::Ui;

use super::Cx;
use super::harmless;
use super::link::LinkMemory;
use crate::model::device::DeviceId;
use crate::model::device_choices::DeviceChange;
use crate::model::id::ConnectionId;
use crate::model::intent::{DeviceIntent, Intent, LinkIntent};
use crate::model::mqtt::MergedDevices;
use crate::model::panes::DeviceLists;
use crate::model::time::BootMs;

use acts::Subject;
pub(super) use acts::{Act, can_merge};
use corrections::{MergeDialog, Outcome, ReadingsDialog};
use list::List;
use naming::{NamedItem, NamingDialog};
use page::Page;
pub(super) use page::lock_of;
use standing::Standing;
use toast::{Offer, Toast};

/// A save that has not finished after this long no longer blocks the next one, in milliseconds.
const MAX_SAVING_MS: u64 = 300_000;

/// An open dialog about a device.
enum Dialog {
    Naming(NamingDialog),
    Readings(ReadingsDialog),
    Merge(MergeDialog),
}

/// A save in progress.
#[derive(Copy, Clone)]
struct Saving {
    /// Its number.
    number: u64,
    /// Whether the file shows only part of what was asked for.
    is_part: bool,
    since: BootMs,
}

/// State of the pane.
#[derive(Default)]
pub(super) struct Devices {
    list: List,
    page: Option<Page>,
    dialog: Option<Dialog>,
    toast: Option<Toast>,
    saving: Option<Saving>,
}

impl Devices {
    /// Draws the pane.
    pub(super) fn show(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx,
        links: &HashMap<ConnectionId, LinkMemory>,
        lists: &mut DeviceLists,
    ) {
        let pane = ui.max_rect();
        match &mut self.page {
            Some(page) => {
                // A save that never completes must not disable the button for good.
                let is_saving = |saving: Saving| cx.now.boot_ms < saving.since + MAX_SAVING_MS;
                let wish = page.show(ui, cx, self.saving.is_some_and(is_saving));
                self.follow(ui, cx, wish);
            }
            None => {
                let standings = Standing::all(cx, links);
                if let Some(key) = self.list.show(ui, cx, &standings, lists) {
                    self.open(key.connection, key.device);
                    cx.deadline.at(cx.now.boot_ms);
                }
            }
        }
        if let Some(((connection, device), act)) = acts::take(ui) {
            self.act(ui, cx, (connection, &device), act);
        }
        self.ask(ui, cx);
        self.saved(cx);
        toast::show(ui, cx, pane, &mut self.toast);
    }

    /// Handles an action from the device's page.
    fn follow(&mut self, ui: &Ui, cx: &mut Cx, wish: page::PageAction) {
        match wish {
            page::PageAction::Stay => {}
            page::PageAction::Back => {
                self.page = None;
                self.list.focus();
                // Redraw: the page was replaced by the list.
                cx.deadline.at(cx.now.boot_ms);
            }
            page::PageAction::Act(act) => {
                if let Some((connection, device)) = self.opened() {
                    self.act(ui, cx, (connection, &device), act);
                }
            }
            page::PageAction::Save(export, is_part) => {
                self.saving = Some(Saving { number: export.number, is_part, since: cx.now.boot_ms });
                cx.intents.push(Intent::Device(DeviceIntent::Export(export)));
            }
        }
    }

    /// Applies an action to a device.
    pub(super) fn act(
        &mut self,
        ui: &Ui,
        cx: &mut Cx,
        (connection, device): (ConnectionId, &DeviceId),
        act: Act,
    ) {
        let Some(subject) = Subject::of(cx, connection, device) else { return };
        cx.deadline.at(cx.now.boot_ms);
        match act {
            Act::Rename => {
                self.dialog = Some(Dialog::Naming(NamingDialog::new(cx, NamedItem::Name, subject)));
            }
            Act::Group => {
                self.dialog = Some(Dialog::Naming(NamingDialog::new(cx, NamedItem::Group, subject)));
            }
            Act::Readings => self.dialog = Some(Dialog::Readings(ReadingsDialog::new(cx, subject))),
            Act::Merge => self.dialog = Some(Dialog::Merge(MergeDialog::new(cx, subject))),
            Act::Mute(muted) => {
                cx.intents.push(Intent::Device(DeviceIntent::Mute {
                    connection,
                    device: device.clone(),
                    muted,
                }));
            }
            Act::CopyId => ui.ctx().copy_text(device.to_string()),
            Act::Pin(_) | Act::Hide(_) => {
                if let Some(change) = act.change() {
                    self.change(cx, &subject, change);
                }
            }
        }
    }

    fn change(&mut self, cx: &mut Cx, subject: &Subject, change: DeviceChange) {
        if let Some((said, undo)) = acts::change(cx, subject, change) {
            let (connection, device) = (subject.connection, subject.device.clone());
            let undo = Intent::Device(DeviceIntent::Change { connection, device, change: undo });
            self.toast = Some(Toast::new(cx, said, Offer::Undo(Box::new(undo))));
        }
    }

    fn merge(&mut self, cx: &mut Cx, subject: &Subject, before: MergedDevices, merged: MergedDevices) {
        let words = cx.words.device_acts;
        let connection = subject.connection;
        let said = match merged.get(&subject.device) {
            Some(whole) => {
                // Its page becomes that of the device that it is a part of now.
                if self.opened() == Some((connection, subject.device.clone())) {
                    self.open(connection, whole.clone());
                }
                (words.merged)(&subject.name, &harmless::line(whole.as_str(), 64))
            }
            None => (words.separated)(&subject.name),
        };
        cx.intents.push(Intent::Link(LinkIntent::SetMerged(connection, merged)));
        let undo = Intent::Link(LinkIntent::SetMerged(connection, before));
        self.toast = Some(Toast::new(cx, said, Offer::Undo(Box::new(undo))));
    }

    /// Shows the result of a finished save.
    fn saved(&mut self, cx: &mut Cx) {
        let Some(Saving { number, is_part, .. }) = self.saving else { return };
        let exported = cx.model.read(|model| model.exported.clone());
        let Some(exported) = exported.filter(|exported| exported.number == number) else { return };
        self.saving = None;
        cx.deadline.at(cx.now.boot_ms);
        let words = cx.words.device_acts;
        self.toast = Some(match exported.outcome {
            Ok(file) => {
                let mut said =
                    vec![(words.saved)(&harmless::line(&file.path.display().to_string(), 200), file.rows)];
                said.extend(file.cut_at.map(|at| (words.cut)(&(cx.words.day_and_clock)(at))));
                said.extend(is_part.then(|| words.picture_part.to_owned()));
                Toast::new(cx, said.join("\n"), Offer::File(file.path))
            }
            Err(failure) => Toast::lasting((words.not_saved)(&failure)),
        });
    }

    /// Draws the dialog that is open, if any.
    fn ask(&mut self, ui: &Ui, cx: &mut Cx) {
        let (subject, change) = match &mut self.dialog {
            None => return,
            Some(Dialog::Naming(dialog)) => match dialog.show(ui, cx) {
                Outcome::Open => return,
                Outcome::Closed(change) => (dialog.subject().clone(), change),
            },
            Some(Dialog::Readings(dialog)) => match dialog.show(ui, cx) {
                Outcome::Open => return,
                Outcome::Closed(change) => (dialog.subject().clone(), change),
            },
            Some(Dialog::Merge(dialog)) => match dialog.show(ui, cx) {
                Outcome::Open => return,
                Outcome::Closed(None) => (dialog.subject().clone(), None),
                Outcome::Closed(Some(merged)) => {
                    let (subject, before) = (dialog.subject().clone(), dialog.before().clone());
                    self.dialog = None;
                    cx.deadline.at(cx.now.boot_ms);
                    return self.merge(cx, &subject, before, merged);
                }
            },
        };
        self.dialog = None;
        cx.deadline.at(cx.now.boot_ms);
        if let Some(change) = change {
            self.change(cx, &subject, change);
        }
    }

    /// Opens the page of a device.
    pub(super) fn open(&mut self, connection: ConnectionId, device: DeviceId) {
        self.list.rest();
        self.page = Some(Page::new(connection, device));
    }

    /// Takes the request to add a device. The inner option is the server, if known.
    pub(super) fn take_wish(&mut self) -> Option<Option<ConnectionId>> {
        self.list.take_add().then_some(None)
    }

    /// The device whose page is open.
    pub(super) fn opened(&self) -> Option<(ConnectionId, DeviceId)> {
        self.page.as_ref().map(Page::of)
    }

    /// Closes the page and returns to the list.
    pub(super) fn close(&mut self) {
        self.page = None;
    }

    /// Focuses the list, or the open page.
    pub(super) fn focus(&mut self) {
        match &mut self.page {
            Some(page) => page.focus(),
            None => self.list.focus(),
        }
    }

    /// Drops what is cached for drawing, since the pane is hidden.
    pub(super) fn rest(&mut self) {
        self.list.rest();
    }
}
