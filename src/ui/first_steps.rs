//! The card shown on first start, above the working window: use this computer's server, or join another.

use egui::{Frame, Label, Margin, RichText, Stroke, Ui, vec2};

use super::Cx;
use super::theme::{self, radius, space};
use super::widgets;
use crate::model::intent::{AppIntent, Intent};

/// Draws the card while it is offered. Returns whether the person wants to join a server.
pub(super) fn show(ui: &mut Ui, cx: &mut Cx) -> bool {
    if !cx.model.read(|model| model.first_steps) {
        return false;
    }
    let theme = theme::of(ui);
    let words = cx.words;
    let mut join = false;
    let mut done = false;
    let outer = Margin::symmetric(space::LARGE as i8, space::MEDIUM as i8);
    Frame::new()
        .fill(theme.raised)
        .stroke(Stroke::new(1.0, theme.line))
        .corner_radius(radius::CARD)
        .inner_margin(space::LARGE)
        .outer_margin(outer)
        .show(ui, |ui| {
            ui.set_min_width(ui.available_width());
            ui.label(RichText::new(words.first_title).font(theme::title()));
            ui.add(Label::new(RichText::new(words.first_text).color(theme.weak)).wrap());
            ui.add_space(space::SMALL);
            ui.horizontal_wrapped(|ui| {
                ui.spacing_mut().item_spacing = vec2(space::SMALL, space::SMALL);
                let stay =
                    ui.add(widgets::primary(theme, words.first_stay)).on_hover_text(words.first_stay_text);
                let join_button =
                    ui.add(widgets::plain(words.first_join)).on_hover_text(words.first_join_text);
                join = join_button.clicked();
                done = join || stay.clicked();
            });
        });
    if done {
        cx.intents.push(Intent::App(AppIntent::FirstStepsDone));
    }
    join
}
