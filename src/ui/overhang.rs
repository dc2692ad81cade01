//! [`Overhang`]: clips text to its own lines. Any number of combining marks can be stacked on a letter;
//! wherever the text is shown, they are cut off before they cover neighbouring lines.

use egui::{Context, FullOutput, Plugin, Shape};

/// How far glyphs may extend beyond their lines, in points; some scripts need a little.
const MAX_OVERHANG: f32 = 3.0;

/// An egui plugin that clips what extends beyond the lines of its text.
pub(super) struct Overhang;

impl Plugin for Overhang {
    fn debug_name(&self) -> &'static str {
        "Overhang"
    }

    fn output_hook(&mut self, _ctx: &Context, output: &mut FullOutput) {
        for clipped in &mut output.shapes {
            // Rotated text is a plot's label, which is ours.
            let Shape::Text(text) = &clipped.shape else { continue };
            if text.angle != 0.0 {
                continue;
            }
            let (lines, ink) = (text.galley.rect, text.galley.mesh_bounds);
            let (top, bottom) = (lines.top() - MAX_OVERHANG, lines.bottom() + MAX_OVERHANG);
            if ink.top() < top {
                clipped.clip_rect.min.y = clipped.clip_rect.min.y.max(text.pos.y + top);
            }
            if ink.bottom() > bottom {
                clipped.clip_rect.max.y = clipped.clip_rect.max.y.min(text.pos.y + bottom);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use egui::{FontId, RawInput, Rect, pos2};

    use super::*;
    use crate::ui::theme;

    /// The clip rectangle in which a text is painted, and the extent of its glyphs.
    fn painted(text: &str) -> (Rect, Rect) {
        let ctx = Context::default();
        ctx.add_plugin(Overhang);
        let mut shapes = Vec::new();
        // Fonts are available from the second frame on.
        for _ in 0..2 {
            let mut ink = Rect::NOTHING;
            let output = ctx.run_ui(RawInput::default(), |ui| {
                let galley = ui.painter().layout_no_wrap(
                    text.to_owned(),
                    FontId::proportional(14.0),
                    theme::LIGHT.text,
                );
                ink = galley.mesh_bounds.translate(egui::vec2(0.0, 200.0));
                ui.painter().galley(pos2(0.0, 200.0), galley, theme::LIGHT.text);
            });
            shapes = output.shapes.iter().map(|clipped| (clipped.clip_rect, ink)).collect();
            output.drop_without_applying_deltas();
        }
        shapes[0]
    }

    #[test]
    fn stacked_marks_are_clipped_to_their_line() {
        let (clip, ink) = painted(&format!("o{}", "\u{351}".repeat(60)));
        let reaches = ink.top() < 190.0 || ink.bottom() > 230.0;
        assert!(!reaches || (clip.top() >= 190.0 && clip.bottom() <= 230.0), "{clip:?} {ink:?}");
        let (clip, _) = painted("plain Ångström 한글");
        assert!(clip.top() <= 0.0 && clip.bottom() > 230.0, "what fits is not cut: {clip:?}");
    }
}
