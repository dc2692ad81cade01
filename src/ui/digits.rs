//! [`Digits`]: numbers with digits of equal width, so that a changing value does not move its neighbours. The
//! window's font has proportional digits, and egui cannot enable its tabular ones.

use std::collections::HashMap;
use std::sync::Arc;

use egui::epaint::text::PlacedRow;
use egui::{Color32, FontId, Galley, Rect, Ui, pos2, vec2};

/// Maximum number of cached texts between digits (units and signs, of which there are few).
const MAX_PIECES: usize = 256;

/// Lays out numbers in one font. The galleys can be painted in any colour.
pub(super) struct Digits {
    font: FontId,
    /// Laid out in each frame. A different allocation means that the fonts were reloaded and the cache is
    /// stale.
    zero: Option<Arc<Galley>>,
    generation: u64,
    digits: Vec<Arc<Galley>>,
    /// Width of every digit, in points.
    advance: f32,
    pieces: HashMap<Box<str>, Arc<Galley>>,
}

impl Digits {
    /// For this font.
    pub(super) fn new(font: FontId) -> Digits {
        Digits { font, zero: None, generation: 0, digits: Vec::new(), advance: 0.0, pieces: HashMap::new() }
    }

    /// Call once per frame, before laying out anything. Galleys from an earlier generation than the returned
    /// one must not be painted.
    pub(super) fn begin(&mut self, ui: &Ui) -> u64 {
        let zero = self.lay(ui, "0");
        if self.zero.as_ref().is_none_or(|known| !Arc::ptr_eq(known, &zero)) {
            self.generation += 1;
            self.pieces.clear();
            self.digits = (0..10).map(|digit: u8| self.lay(ui, &digit.to_string())).collect();
            let widest = self.digits.iter().map(|digit| digit.size().x).fold(0.0, f32::max);
            self.advance = up_to_pixel(widest, zero.pixels_per_point);
        }
        self.zero = Some(zero);
        self.generation
    }

    /// Lays out a text with digits of equal width.
    pub(super) fn galley(&mut self, ui: &Ui, text: &str) -> Arc<Galley> {
        if self.zero.is_none() {
            self.begin(ui);
        }
        let Some(zero) = self.zero.clone() else { return self.lay(ui, text) };
        let mut line = Line { galley: Galley::clone(&zero), width: 0.0 };
        line.galley.rows.clear();
        (line.galley.num_vertices, line.galley.num_indices) = (0, 0);
        line.galley.mesh_bounds = Rect::NOTHING;
        let mut rest = text;
        while let Some(first) = rest.bytes().next() {
            if first.is_ascii_digit() {
                let digit = &self.digits[usize::from(first - b'0')];
                line.add(digit, self.advance);
                rest = &rest[1..];
            } else {
                let length = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
                let piece = self.piece(ui, &rest[..length]);
                line.add(&piece, up_to_pixel(piece.size().x, piece.pixels_per_point));
                rest = &rest[length..];
            }
        }
        line.galley.rect = Rect::from_min_size(pos2(0.0, 0.0), vec2(line.width, zero.size().y));
        Arc::new(line.galley)
    }

    fn piece(&mut self, ui: &Ui, text: &str) -> Arc<Galley> {
        if let Some(known) = self.pieces.get(text) {
            return known.clone();
        }
        if self.pieces.len() >= MAX_PIECES {
            self.pieces.clear();
        }
        let piece = self.lay(ui, text);
        self.pieces.insert(text.into(), piece.clone());
        piece
    }

    fn lay(&self, ui: &Ui, text: &str) -> Arc<Galley> {
        ui.painter().layout_no_wrap(text.to_owned(), self.font.clone(), Color32::PLACEHOLDER)
    }
}

/// A text being assembled from left to right.
struct Line {
    galley: Galley,
    width: f32,
}

impl Line {
    /// Adds a piece, centred within a width.
    fn add(&mut self, piece: &Galley, room: f32) {
        let scale = piece.pixels_per_point;
        let spare = ((room - piece.size().x) / 2.0 * scale).round() / scale;
        let offset = vec2(self.width + spare, 0.0);
        for row in &piece.rows {
            let pos = row.pos + offset;
            let bounds = row.row.visuals.mesh_bounds.translate(pos.to_vec2());
            self.galley.mesh_bounds = self.galley.mesh_bounds.union(bounds);
            let placed = PlacedRow { pos, row: row.row.clone(), ends_with_newline: false };
            self.galley.rows.push(placed);
        }
        self.galley.num_vertices += piece.num_vertices;
        self.galley.num_indices += piece.num_indices;
        self.width += room;
    }
}

/// Rounds up to whole pixels, in points.
fn up_to_pixel(points: f32, pixels_per_point: f32) -> f32 {
    (points * pixels_per_point - 0.01).ceil() / pixels_per_point
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_window(look: impl Fn(&Ui)) {
        let ctx = egui::Context::default();
        crate::ui::theme::install_font(&ctx);
        for _ in 0..2 {
            ctx.run_ui(egui::RawInput::default(), |ui| look(ui)).textures_delta.clear();
        }
    }

    #[test]
    fn numbers_with_the_same_number_of_digits_are_equally_wide() {
        with_window(|ui| {
            let mut digits = Digits::new(FontId::proportional(14.0));
            let natural = |text: &str| {
                ui.painter()
                    .layout_no_wrap(text.to_owned(), FontId::proportional(14.0), Color32::PLACEHOLDER)
                    .size()
                    .x
            };
            assert!((natural("111.1") - natural("444.4")).abs() > 1.0, "the font's own digits differ");
            let widths = ["111.1 °C", "444.4 °C", "908.7 °C"].map(|text| digits.galley(ui, text).size().x);
            assert!(widths.iter().all(|width| (width - widths[0]).abs() < 0.001), "{widths:?}");
            assert!(digits.galley(ui, "1,111.1 °C").size().x > widths[0]);
        });
    }

    #[test]
    fn the_whole_text_is_drawn() {
        with_window(|ui| {
            let mut digits = Digits::new(FontId::proportional(14.0));
            let galley = digits.galley(ui, "-12.5 °C");
            let glyphs: usize = galley.rows.iter().map(|row| row.glyphs.len()).sum();
            assert_eq!(glyphs, "-12.5 °C".chars().count());
            let vertices: usize = galley.rows.iter().map(|row| row.visuals.mesh.vertices.len()).sum();
            assert_eq!(galley.num_vertices, vertices);
            assert!(galley.mesh_bounds.width() > 0.0 && galley.mesh_bounds.width() <= galley.size().x + 1.0);
        });
    }

    #[test]
    fn a_new_scale_clears_the_cache() {
        let ctx = egui::Context::default();
        let mut digits = Digits::new(FontId::proportional(14.0));
        let mut seen = Vec::new();
        for zoom in [1.0, 1.0, 1.0, 1.5, 1.5] {
            ctx.set_zoom_factor(zoom);
            let mut output = ctx.run_ui(egui::RawInput::default(), |ui| seen.push(digits.begin(ui)));
            output.textures_delta.clear();
        }
        assert_eq!(seen[1], seen[2]);
        assert_ne!(seen[2], *seen.last().unwrap());
    }
}
