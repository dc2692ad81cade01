//! System fonts for characters that the built-in fonts lack, with the system's emoji font first: otherwise the few
//! emoji that a text font contains as outlines would appear among coloured ones.

use std::sync::Arc;

use egui::epaint::ClippedShape;
use egui::epaint::text::{FallbackRequest, FontInsert, FontProvider as _};
use egui::{Context, FontFamily, FullOutput, Plugin, Shape};
use egui_system_font_provider::SystemFontProvider;

use crate::ui::theme;

/// Emoji that no text font contains: a font with them is an emoji font. Older and newer ones.
const ONLY_EMOJI: [&str; 3] = ["🦄", "🥰", "🫠"];

/// Installs the system's fonts; must run before the views choose theirs.
pub(super) fn install(ctx: &Context) {
    let system = Arc::new(SystemFontProvider::new());
    ctx.add_font_provider(Arc::clone(&system) as _);
    ctx.add_plugin(FirstEmoji { system: Some(system) });
}

/// Looks for the system's emoji font when the first emoji appears on screen: the font has about 10 MB, and finding it
/// requires reading all fonts.
struct FirstEmoji {
    /// `None` once the search has started.
    system: Option<Arc<SystemFontProvider>>,
}

impl Plugin for FirstEmoji {
    fn debug_name(&self) -> &'static str {
        "FirstEmoji"
    }

    fn output_hook(&mut self, ctx: &Context, output: &mut FullOutput) {
        let shows_one = |clipped: &ClippedShape| match &clipped.shape {
            Shape::Text(text) => text.galley.job.text.chars().any(may_be_emoji),
            _ => false,
        };
        if self.system.is_some()
            && output.shapes.iter().any(shows_one)
            && let Some(system) = self.system.take()
        {
            look_for_emoji(ctx, system);
        }
    }
}

/// Whether emoji fonts contain this character, or it selects emoji style (U+FE0F).
fn may_be_emoji(c: char) -> bool {
    matches!(c, '\u{2600}'..='\u{27BF}' | '\u{2B00}'..='\u{2BFF}' | '\u{FE0F}' | '\u{1F000}'..='\u{1FAFF}')
}

fn look_for_emoji(ctx: &Context, system: Arc<SystemFontProvider>) {
    let theirs = ctx.clone();
    // Waits until the system's fonts have been read, without blocking the window.
    let found = std::thread::Builder::new().name("emoji".to_owned()).spawn(move || {
        let font = emoji(&system);
        log::debug!("emoji: {}", font.as_ref().map_or("our own", |font| &font.name));
        theme::prefer_emoji(&theirs, font);
        theirs.request_repaint_after(std::time::Duration::ZERO);
    });
    if let Err(error) = found {
        log::warn!("cannot load the emoji font: {error}");
    }
}

/// The system's colour emoji font, if there is one.
fn emoji(system: &SystemFontProvider) -> Option<FontInsert> {
    let font = |cluster| system.font_for(&FallbackRequest { cluster, family: &FontFamily::Proportional });
    ONLY_EMOJI
        .into_iter()
        .filter_map(font)
        .find(|font| is_coloured((*font.data.font).as_ref(), font.data.index))
}

/// Whether a font has colour glyph tables that we can draw: bitmaps (CBDT, sbix) or layers (COLR).
fn is_coloured(font: &[u8], index: u32) -> bool {
    tables(font, index)
        .is_some_and(|tables| tables.iter().any(|tag| matches!(*tag, b"CBDT" | b"sbix" | b"COLR")))
}

/// The tags in a font's table directory (OpenType, "Organization of an OpenType Font").
fn tables(font: &[u8], index: u32) -> Option<Vec<&[u8; 4]>> {
    /// Maximum number of tables read: there are about 60 kinds.
    const MAX_TABLES: usize = 128;
    let number = |at: usize| Some(u32::from_be_bytes(font.get(at..at.checked_add(4)?)?.try_into().ok()?));
    let start = match font.get(..4)? {
        b"ttcf" => number(12 + 4 * index as usize)? as usize,
        _ => 0,
    };
    let count_at = start.checked_add(4)?;
    let count = u16::from_be_bytes(font.get(count_at..count_at.checked_add(2)?)?.try_into().ok()?);
    let records = font.get(start.checked_add(12)?..)?.chunks_exact(16);
    Some(records.take(usize::from(count).min(MAX_TABLES)).filter_map(|record| record.first_chunk()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn font(tags: &[&[u8; 4]]) -> Vec<u8> {
        let mut font = vec![0, 1, 0, 0, 0, tags.len() as u8, 0, 0, 0, 0, 0, 0];
        for tag in tags {
            font.extend_from_slice(*tag);
            font.extend_from_slice(&[0; 12]);
        }
        font
    }

    #[test]
    fn colour_fonts_are_recognised_by_their_tables() {
        assert!(is_coloured(&font(&[b"cmap", b"CBDT", b"CBLC"]), 0));
        assert!(is_coloured(&font(&[b"COLR", b"CPAL", b"glyf"]), 0));
        assert!(!is_coloured(&font(&[b"cmap", b"glyf", b"head"]), 0));
        // The second font of a collection.
        let mut collection = b"ttcf\0\x01\0\0\0\0\0\x02".to_vec();
        collection.extend_from_slice(&20_u32.to_be_bytes());
        collection.extend_from_slice(&(20 + 12 + 16_u32).to_be_bytes());
        collection.extend(font(&[b"glyf"]));
        collection.extend(font(&[b"sbix"]));
        assert!(!is_coloured(&collection, 0));
        assert!(is_coloured(&collection, 1));
    }

    #[test]
    fn only_emoji_trigger_the_search_for_an_emoji_font() {
        for text in ["😀", "❤️", "☀", "✅", "⭐", "🇰🇷", "🫠"] {
            assert!(text.chars().any(may_be_emoji), "{text}");
        }
        for text in ["plain", "안녕하세요", "→ … °C ·", "\u{E048}", "שלום", "漢字"] {
            assert!(!text.chars().any(may_be_emoji), "{text}");
        }
    }

    #[test]
    fn truncated_and_invalid_fonts_are_not_colour_fonts() {
        let whole = font(&[b"cmap", b"CBDT"]);
        for length in 0..12 + 16 + 4 {
            assert!(!is_coloured(&whole[..length], 0), "{length}");
        }
        assert!(!is_coloured(b"ttcf", 7));
        assert!(!is_coloured(&[0xff; 64], u32::MAX));
    }
}
