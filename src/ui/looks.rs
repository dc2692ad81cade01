//! [`Looks`]: the person's preferences as the window follows them: its words, its colours, its zoom.

use super::text::{Language, Words};
use super::{Surroundings, fade, theme};
use crate::model::intent::{AppIntent, Intent};
use crate::model::preferences::{Motion, Preferences};
use crate::model::shared::SharedModel;

/// The preferences that the window follows.
pub(super) struct Looks {
    system: Language,
    /// What the model said last.
    told: Preferences,
    /// What the person wants: ahead of the model until the worker has kept it.
    wanted: Preferences,
    /// What the context is dressed in.
    worn: Preferences,
    /// Whether things fade in; none before the first frame.
    fades: Option<bool>,
}

impl Looks {
    /// Dresses the context as if nothing had been chosen. `system` is the language that the system speaks.
    pub(super) fn new(ctx: &egui::Context, system: Language) -> Looks {
        // The zoom is a preference: kept, and the same wherever it is changed.
        ctx.options_mut(|options| options.zoom_with_keyboard = false);
        theme::install_font(ctx);
        let usual = Preferences::default();
        theme::apply(ctx, usual.theme);
        Looks { system, told: usual, wanted: usual, worn: usual, fades: None }
    }

    /// The words to speak in.
    pub(super) fn words(&self) -> &'static Words {
        self.system.chosen(self.wanted.language).words_with(self.wanted.hours)
    }

    /// What the person wants.
    pub(super) fn wanted(&self) -> Preferences {
        self.wanted
    }

    /// Takes a choice: it is seen at once, and handed to be kept.
    pub(super) fn choose(&mut self, choice: Preferences, intents: &mut Vec<Intent>) {
        if choice != self.wanted {
            self.wanted = choice;
            intents.push(Intent::App(AppIntent::SetPreferences(choice)));
        }
    }

    /// Takes over what the model says, where it says something new.
    pub(super) fn hear(&mut self, model: &SharedModel) {
        let said = model.read(|model| model.preferences);
        if said != self.told {
            (self.told, self.wanted) = (said, said);
        }
    }

    /// Follows the model, and dresses the window anew where something changed.
    pub(super) fn follow(&mut self, ui: &mut egui::Ui, model: &SharedModel, around: Surroundings) {
        self.hear(model);
        let fades = match self.wanted.motion {
            Motion::System => !around.reduced_motion,
            Motion::Full => true,
            Motion::Reduced => false,
        };
        if self.fades.replace(fades) != Some(fades) {
            fade::set(ui.ctx(), fades);
        }
        if self.worn == self.wanted {
            return;
        }
        if self.worn.theme != self.wanted.theme {
            theme::apply(ui.ctx(), self.wanted.theme);
            ui.reset_style();
        }
        if self.worn.zoom() != self.wanted.zoom() {
            ui.ctx().set_zoom_factor(f32::from(self.wanted.zoom()) / 100.0);
        }
        self.worn = self.wanted;
        // What was drawn before this frame knew, a tooltip or a dialog's ground, follows in the next.
        ui.ctx().request_repaint_after(std::time::Duration::ZERO);
    }
}
