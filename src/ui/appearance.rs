//! [`Looks`]: applies the preferences to the window: language, theme and zoom.

use super::text::{Language, Words};
use super::{Surroundings, fade, theme};
use crate::model::intent::{AppIntent, Intent};
use crate::model::preferences::{Motion, Preferences};
use crate::model::shared::SharedModel;

/// The preferences that affect the window's appearance.
pub(super) struct Appearance {
    system: Language,
    /// Preferences last seen in the model.
    known: Preferences,
    /// Preferences in effect; ahead of the model until the worker has saved them.
    wanted: Preferences,
    /// Preferences that the egui context is set up for.
    applied: Preferences,
    /// Whether fading is enabled; `None` before the first frame.
    fades: Option<bool>,
}

impl Appearance {
    /// Sets up the context with the defaults. `system` is the system's language.
    pub(super) fn new(ctx: &egui::Context, system: Language) -> Appearance {
        // The zoom is a preference, so egui must not change it itself.
        ctx.options_mut(|options| options.zoom_with_keyboard = false);
        theme::install_font(ctx);
        let usual = Preferences::default();
        theme::apply(ctx, usual.theme);
        Appearance { system, known: usual, wanted: usual, applied: usual, fades: None }
    }

    /// The texts in the chosen language.
    pub(super) fn words(&self) -> &'static Words {
        self.system.chosen(self.wanted.language).words_with(self.wanted.hours)
    }

    /// The preferences in effect.
    pub(super) fn wanted(&self) -> Preferences {
        self.wanted
    }

    /// Applies new preferences immediately, and queues them to be saved.
    pub(super) fn choose(&mut self, choice: Preferences, intents: &mut Vec<Intent>) {
        if choice != self.wanted {
            self.wanted = choice;
            intents.push(Intent::App(AppIntent::SetPreferences(choice)));
        }
    }

    /// Takes over the model's preferences if they changed.
    pub(super) fn sync(&mut self, model: &SharedModel) {
        let latest = model.read(|model| model.preferences);
        if latest != self.known {
            (self.known, self.wanted) = (latest, latest);
        }
    }

    /// Takes over the model's preferences, and updates the context if anything changed.
    pub(super) fn follow(&mut self, ui: &mut egui::Ui, model: &SharedModel, around: Surroundings) {
        self.sync(model);
        let fades = match self.wanted.motion {
            Motion::System => !around.reduced_motion,
            Motion::Full => true,
            Motion::Reduced => false,
        };
        if self.fades.replace(fades) != Some(fades) {
            fade::set(ui.ctx(), fades);
        }
        if self.applied == self.wanted {
            return;
        }
        if self.applied.theme != self.wanted.theme {
            theme::apply(ui.ctx(), self.wanted.theme);
            ui.reset_style();
        }
        if self.applied.zoom() != self.wanted.zoom() {
            ui.ctx().set_zoom_factor(f32::from(self.wanted.zoom()) / 100.0);
        }
        self.applied = self.wanted;
        // Redraw what was already drawn in this frame, such as tooltips and dialog backgrounds.
        ui.ctx().request_repaint_after(std::time::Duration::ZERO);
    }
}
