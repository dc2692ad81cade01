//! [`Toast`]: a quiet line at the foot of the pane that says what was done, with what can be done about it. It lies over
//! the pane, so that nothing moves when it comes and goes.

use std::path::PathBuf;

use egui::{Align2, Area, Frame, Id, Label, Order, Rect, RichText, Stroke, Ui, vec2};

use crate::model::device::DeviceId;
use crate::model::device_choices::DeviceChange;
use crate::model::id::ConnectionId;
use crate::model::intent::{AppIntent, DeviceIntent, Intent};
use crate::model::time::BootMs;
use crate::ui::icons::Icon;
use crate::ui::theme::{self, radius, size, space};
use crate::ui::{Cx, widgets};

/// How long it stays, in milliseconds.
const STAYS_MS: BootMs = 10_000;
/// How long it stays where something can be done with what was saved, in milliseconds.
const SAVED_STAYS_MS: BootMs = 30_000;

/// What can be done about it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Offer {
    /// Nothing.
    Nothing,
    /// Take a change back.
    Undo(ConnectionId, DeviceId, DeviceChange),
    /// Show a saved file, or copy where it is.
    File(PathBuf),
}

/// What is said.
#[derive(Clone, Debug)]
pub(super) struct Toast {
    text: String,
    offer: Offer,
    /// Until when; none: until it is closed.
    until: Option<BootMs>,
}

impl Toast {
    /// Says something for a while.
    pub(super) fn new(cx: &Cx, text: String, offer: Offer) -> Toast {
        let stays = if matches!(offer, Offer::File(_)) { SAVED_STAYS_MS } else { STAYS_MS };
        Toast { text, offer, until: Some(cx.now.boot_ms.saturating_add(stays)) }
    }

    /// Says something until the person closes it.
    pub(super) fn lasting(text: String) -> Toast {
        Toast { text, offer: Offer::Nothing, until: None }
    }
}

/// Draws the buttons of what is offered. Returns whether it was taken, and there is nothing more to say.
fn offer(ui: &mut Ui, cx: &mut Cx, offer: &Offer) -> bool {
    let words = cx.words.device_acts;
    match offer {
        Offer::Nothing => {}
        Offer::Undo(connection, device, change) => {
            if ui.add(widgets::plain(words.undo)).clicked() {
                let (connection, device, change) = (*connection, device.clone(), change.clone());
                cx.intents.push(Intent::Device(DeviceIntent::Change { connection, device, change }));
                return true;
            }
        }
        Offer::File(path) => {
            if ui.add(widgets::plain(words.show_in_folder)).clicked() {
                cx.intents.push(Intent::App(AppIntent::ShowFile(path.clone())));
            }
            if ui.add(widgets::plain(words.copy_path)).clicked() {
                ui.ctx().copy_text(path.display().to_string());
            }
        }
    }
    false
}

/// Draws it at the foot of the pane, if there is one and it is not over.
pub(super) fn show(ui: &Ui, cx: &mut Cx, pane: Rect, toast: &mut Option<Toast>) {
    let Some(shown) = toast else { return };
    let theme = theme::of(ui);
    let foot = pane.center_bottom() - vec2(0.0, space::MEDIUM);
    let area = Area::new(Id::unique("device toast")).order(Order::Middle).fixed_pos(foot);
    let area = area.pivot(Align2::CENTER_BOTTOM).constrain_to(pane);
    let frame = Frame::new()
        .fill(theme.raised)
        .stroke(Stroke::new(1.0, theme.outline))
        .corner_radius(radius::CARD)
        .inner_margin(space::SMALL);
    let mut over = false;
    let drawn = area.show(ui.ctx(), |ui| {
        frame.show(ui, |ui| {
            ui.set_max_width((pane.width() - 4.0 * space::MEDIUM).clamp(120.0, size::MEASURE));
            let label = ui.add(Label::new(RichText::new(&shown.text).color(theme.text)).wrap());
            widgets::live(ui, label.id, &shown.text);
            ui.horizontal_wrapped(|ui| {
                over |= offer(ui, cx, &shown.offer);
                over |= widgets::icon_button(ui, Icon::Close, cx.words.dismiss, cx.words.dismiss, false)
                    .clicked();
            });
        });
    });
    // Nothing goes from under the pointer or the keyboard.
    let focused = ui.memory(|memory| memory.focused()).and_then(|id| ui.ctx().read_response(id));
    let is_held = drawn.response.contains_pointer()
        || focused.is_some_and(|focused| focused.layer_id == drawn.response.layer_id);
    if let Some(until) = &mut shown.until {
        if is_held {
            *until = (*until).max(cx.now.boot_ms.saturating_add(STAYS_MS / 2));
        }
        over |= cx.now.boot_ms >= *until;
        cx.deadline.at(*until);
    }
    if over {
        *toast = None;
        cx.deadline.at(cx.now.boot_ms);
    }
}
