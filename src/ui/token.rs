//! Shows a token to be copied. Without a keyring, the person needs it again after a restart.

use egui::accesskit::Role;
use egui::{Frame, Id, Label, Modal, RichText, Ui};

use super::theme::{self, radius, size, space};
use super::{Cx, rooms, widgets};
use crate::model::intent::{Intent, LinkIntent};

/// State of the sheet.
#[derive(Default)]
pub(super) struct TokenSheet {
    /// The person closed it, which the model does not reflect yet.
    closed: bool,
}

impl TokenSheet {
    /// Draws the token that the model offers, if any.
    pub(super) fn show(&mut self, ui: &Ui, cx: &mut Cx) {
        let Some((id, token)) = cx.model.read(|model| model.shown_token.clone()) else {
            self.closed = false;
            return;
        };
        if self.closed {
            return;
        }
        let words = cx.words;
        let name = cx.model.read(|model| Some(rooms::name_of(model.connections.get(&id)?, words)));
        let title = (words.profiles.token_title)(&name.unwrap_or_default());
        let theme = theme::of(ui);
        let frame = Frame::new()
            .fill(theme.raised)
            .stroke(egui::Stroke::new(1.0, theme.line))
            .corner_radius(radius::CARD)
            .inner_margin(space::HUGE);
        let modal = Modal::new(Id::unique("token")).frame(frame).backdrop_color(theme.veil);
        let shown = modal.show(ui.ctx(), |ui| {
            let room = ui.ctx().content_rect().width() - 2.0 * (space::HUGE + space::LARGE);
            ui.set_width(size::DIALOG.min(room));
            ui.ctx().accesskit_node_builder(ui.unique_id(), |node| {
                node.set_role(Role::Dialog);
                node.set_label(title.as_str());
                node.set_modal();
            });
            ui.label(RichText::new(&title).font(theme::title()));
            ui.add(Label::new(words.profiles.token_text).wrap());
            let code = Frame::new().fill(theme.code_ground).corner_radius(radius::CONTROL);
            code.inner_margin(space::TINY).show(ui, |ui| {
                let token = RichText::new(token.reveal()).font(theme::mono_small());
                ui.add(Label::new(token).selectable(true).wrap());
            });
            ui.add_space(space::SMALL);
            ui.horizontal(|ui| {
                if ui.add(widgets::primary(theme, words.people.copy_token)).clicked() {
                    ui.ctx().copy_text(token.reveal().to_owned());
                }
                ui.add(widgets::plain(words.people.done)).clicked()
            })
            .inner
        });
        let escape = super::sheet::is_escaped(ui, &shown);
        if shown.inner || escape {
            self.closed = true;
            cx.intents.push(Intent::Link(LinkIntent::HideToken));
        }
    }
}
