//! [`Toast`]: a message at the bottom of the pane about what was just done, with an optional action. It
//! overlays the pane, so that nothing moves when it appears or disappears.

use std::path::PathBuf;

use egui::{Align2, Area, Frame, Id, Label, Order, Rect, RichText, Stroke, Ui, vec2};

use crate::model::intent::{AppIntent, Intent};
use crate::model::time::BootMs;
use crate::ui::icons::Icon;
use crate::ui::theme::{self, radius, size, space};
use crate::ui::{Cx, widgets};

/// How long it is shown, in milliseconds.
const SHOWN_MS: u64 = 10_000;
/// How long it is shown after saving a file, in milliseconds.
const SAVED_SHOWN_MS: u64 = 30_000;

/// The action offered by a toast.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Offer {
    /// No action.
    Nothing,
    /// Undo by this intent.
    Undo(Box<Intent>),
    /// Show the saved file in its folder, or copy its path.
    File(PathBuf),
}

/// A message and its action.
#[derive(Clone, Debug)]
pub(super) struct Toast {
    text: String,
    offer: Offer,
    /// When it disappears; `None` if the person has to close it.
    until: Option<BootMs>,
}

impl Toast {
    /// A toast that disappears after a while.
    pub(super) fn new(cx: &Cx, text: String, offer: Offer) -> Toast {
        let stays = if matches!(offer, Offer::File(_)) { SAVED_SHOWN_MS } else { SHOWN_MS };
        Toast { text, offer, until: Some(cx.now.boot_ms.saturating_add(stays)) }
    }

    /// A toast that stays until the person closes it.
    pub(super) fn lasting(text: String) -> Toast {
        Toast { text, offer: Offer::Nothing, until: None }
    }
}

/// Draws the action's buttons. Returns whether one was used, which closes the toast.
fn offer(ui: &mut Ui, cx: &mut Cx, offer: &Offer) -> bool {
    let words = cx.words.device_acts;
    match offer {
        Offer::Nothing => {}
        Offer::Undo(intent) => {
            if ui.add(widgets::plain(words.undo)).clicked() {
                cx.intents.push((**intent).clone());
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

/// Draws the toast at the bottom of the pane, until it expires.
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
    // A toast with the pointer or the focus on it does not expire.
    let focused = ui.memory(|memory| memory.focused()).and_then(|id| ui.ctx().read_response(id));
    let is_held = drawn.response.contains_pointer()
        || focused.is_some_and(|focused| focused.layer_id == drawn.response.layer_id);
    if let Some(until) = &mut shown.until {
        if is_held {
            *until = (*until).max(cx.now.boot_ms.saturating_add(SHOWN_MS / 2));
        }
        over |= cx.now.boot_ms >= *until;
        cx.deadline.at(*until);
    }
    if over {
        *toast = None;
        cx.deadline.at(cx.now.boot_ms);
    }
}
