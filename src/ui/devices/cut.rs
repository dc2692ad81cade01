//! [`Cut`]: a text cut to a width, laid out once for as long as neither changes.

use std::sync::Arc;

use egui::{Color32, FontId, Galley, Ui};

use crate::ui::widgets;

/// A text as it was laid out last. Drawn in any colour.
#[derive(Debug, Default)]
pub(super) struct Cut(Option<(u64, FontId, f32, Arc<Galley>)>);

impl Cut {
    /// The text is another one.
    pub(super) fn clear(&mut self) {
        self.0 = None;
    }

    /// It in this font and width. `generation`: as [`crate::ui::digits::Digits::begin`] returns it.
    pub(super) fn get(
        &mut self,
        ui: &Ui,
        text: &str,
        font: FontId,
        width: f32,
        generation: u64,
    ) -> Arc<Galley> {
        if let Some((of, known, room, galley)) = &self.0
            && (*of, *room) == (generation, width)
            && *known == font
        {
            return galley.clone();
        }
        let galley = widgets::cut(ui, text, font.clone(), Color32::PLACEHOLDER, width);
        self.0 = Some((generation, font, width, galley.clone()));
        galley
    }
}
