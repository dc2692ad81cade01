//! Confirmation before opening a link: shows its real target and what is suspicious about it.

use egui::text::{LayoutJob, TextFormat};
use egui::{Frame, Label, RichText, ScrollArea, Ui};

use super::dialog::Fate;
use super::target::{Concern, LinkTarget};
use super::theme::{self, radius, size, space};
use super::{Cx, harmless, widgets};
use crate::model::intent::{AppIntent, Intent};

/// A link waiting for confirmation.
pub(super) struct LinkConfirmation {
    target: LinkTarget,
    concerns: Vec<Concern>,
    is_fresh: bool,
}

impl LinkConfirmation {
    /// `claimed` is the address that the link's text shows, if any.
    pub(super) fn new(target: LinkTarget, claimed: Option<String>) -> LinkConfirmation {
        let concerns = target.concerns(claimed.as_deref());
        LinkConfirmation { target, concerns, is_fresh: true }
    }

    /// Draws the dialog's contents.
    pub(super) fn show(&mut self, ui: &mut Ui, cx: &mut Cx, window_height: f32) -> Fate {
        let words = cx.words.rich;
        let theme = theme::of(ui);
        ui.label(RichText::new(words.open_title).font(theme::title()));
        ui.label(RichText::new(words.leads_to).font(theme::small()).color(theme.weak));
        let most = (window_height - 320.0).max(60.0);
        Frame::new().fill(theme.code_ground).corner_radius(radius::CONTROL).inner_margin(space::SMALL).show(
            ui,
            |ui| {
                ScrollArea::vertical()
                    .max_height(most)
                    .min_scrolled_height(most)
                    .auto_shrink([false, true])
                    .show(ui, |ui| {
                        ui.add(Label::new(self.address(theme)).wrap());
                    });
            },
        );
        let host = self.target.host();
        for concern in &self.concerns {
            let text = match concern {
                Concern::OtherThanText(claim) => (words.other_than_text)(claim, host),
                Concern::User(user) => (words.user_in_address)(user, host),
                Concern::Letters(name) => (words.letters)(name),
                Concern::MixedAlphabets(name) => (words.mixed_alphabets)(name),
            };
            ui.add(Label::new(RichText::new(text).color(theme.warn)).wrap());
        }
        ui.add_space(space::SMALL);
        self.buttons(ui, cx)
    }

    fn buttons(&mut self, ui: &mut Ui, cx: &mut Cx) -> Fate {
        let words = cx.words.rich;
        let mut fate = Fate::Open;
        ui.horizontal_wrapped(|ui| {
            let open = ui.add(widgets::primary(theme::of(ui), words.open));
            let copy = ui.add(widgets::plain(words.copy_address));
            let cancel = ui.add(widgets::plain(cx.words.cancel));
            if std::mem::take(&mut self.is_fresh) {
                // For a suspicious link Cancel gets the focus, so that repeating the key press does not open
                // it.
                if self.concerns.is_empty() { open.request_focus() } else { cancel.request_focus() }
            }
            if open.clicked() {
                cx.intents.push(Intent::App(AppIntent::OpenLink(self.target.url().to_owned())));
            }
            if copy.clicked() {
                ui.ctx().copy_text(self.target.url().to_owned());
            }
            if open.clicked() || copy.clicked() || cancel.clicked() {
                fate = Fate::Closed;
            }
        });
        fate
    }

    /// The address, with its host emphasized.
    fn address(&self, theme: &theme::Theme) -> LayoutJob {
        let (before, host, after) = self.target.parts();
        let part = |font_id, color| TextFormat {
            font_id,
            color,
            line_height: Some(size::BODY_LINE),
            ..TextFormat::default()
        };
        let mut job = LayoutJob::default();
        // [`Target::parse`] rejects addresses that need sanitizing.
        debug_assert_eq!(harmless::text(self.target.url()), self.target.url());
        job.append(before, 0.0, part(theme::body(), theme.weak));
        job.append(host, 0.0, part(theme::strong(size::BODY), theme.text));
        job.append(after, 0.0, part(theme::body(), theme.weak));
        job.wrap.break_anywhere = true;
        job
    }
}
