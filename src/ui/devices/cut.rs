//! [`Cut`]: a text truncated to a width, with its layout cached until either changes.

use std::sync::Arc;

use egui::{Color32, FontId, Galley, Ui};

use crate::ui::widgets;

/// The cached layout, which can be painted in any colour.
#[derive(Debug, Default)]
pub(super) struct Cut(Option<(u64, FontId, f32, Arc<Galley>)>);

impl Cut {
    /// Drops the layout: the text has changed.
    pub(super) fn clear(&mut self) {
        self.0 = None;
    }

    /// The layout for this font and width. `generation` is that of [`crate::ui::digits::Digits::begin`].
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
