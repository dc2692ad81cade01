//! Right-to-left text. egui shapes words but does not reorder them, so lines are broken and reordered here
//! (UAX #9): egui gets the text in visual order, and a [`Plan`] maps between characters and positions. Text
//! without right-to-left characters bypasses this module.

mod atoms;
mod plan;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use egui::text::{LayoutJob, TextFormat};
use egui::{Galley, Ui};
use unicode_bidi::{BidiInfo, Level};
use unicode_bidi_mirroring::get_mirrored;

pub(super) use plan::{Measured, Plan};

/// Whether a text has characters of a right-to-left script.
pub(super) fn is_needed(text: &str) -> bool {
    // Fast path: in UTF-8 all of them start with one of these bytes, unlike Korean, Chinese and most other
    // text.
    let may_begin = |byte: u8| matches!(byte, 0xD6..=0xDF | 0xE0 | 0xEF | 0xF0);
    text.bytes().any(may_begin) && text.chars().any(is_rtl)
}

/// Whether a character belongs to a right-to-left script, including its digits and punctuation.
fn is_rtl(c: char) -> bool {
    matches!(c,
        '\u{590}'..='\u{8FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}'
        | '\u{10800}'..='\u{10FFF}' | '\u{1E800}'..='\u{1EFFF}')
}

/// The direction of a text: that of its first strong character.
pub(super) fn is_right_to_left(text: &str) -> bool {
    unicode_bidi::get_base_direction(text) == unicode_bidi::Direction::Rtl
}

/// The mirrored form of a bracket or similar character, used in right-to-left text.
fn mirrored(text: &str) -> Cow<'_, str> {
    let mut chars = text.chars();
    match chars.next().and_then(get_mirrored) {
        Some(other) => Cow::Owned(std::iter::once(other).chain(chars).collect()),
        None => Cow::Borrowed(text),
    }
}

/// A single line of text in visual order, for names and titles. Right-to-left words stay in logical order,
/// since egui reverses them.
pub(super) fn line(text: &str) -> Cow<'_, str> {
    if !is_needed(text) {
        return Cow::Borrowed(text);
    }
    let info = BidiInfo::new(text, None);
    let [paragraph] = &info.paragraphs[..] else { return Cow::Borrowed(text) };
    let atoms = atoms::of(text, &info.levels, &[]);
    let mut out = String::with_capacity(text.len() + 8);
    let mut before = None;
    for at in atoms::order(&atoms, paragraph.level) {
        let atom = &atoms[at];
        let is_word = atom.kind == atoms::Kind::Word;
        if is_word && before == Some(atoms::Kind::Word) {
            // Keeps egui from joining neighbours into one word.
            out.push('\u{200B}');
        }
        before = Some(atom.kind);
        out.push_str(&atom.painted(text));
    }
    Cow::Owned(out)
}

/// Lays out a text without keeping a [`Plan`], for text that cannot be selected or clicked.
pub(super) fn lay_out(ui: &Ui, job: &LayoutJob, width: f32) -> Arc<Galley> {
    let sections: Vec<(Range<usize>, TextFormat)> = job
        .sections
        .iter()
        .map(|section| (section.byte_range.start.0..section.byte_range.end.0, section.format.clone()))
        .collect();
    let plan = Plan::new(&job.text, &sections, width, |text, format| measure(ui, text, format));
    ui.fonts_mut(|fonts| fonts.layout_job(plan.job))
}

/// Lays out a part of a text to measure it.
pub(super) fn measure(ui: &Ui, text: &str, format: &TextFormat) -> Measured {
    let mut job = LayoutJob::single_section(text.to_owned(), format.clone());
    job.wrap.max_width = f32::INFINITY;
    let galley = ui.fonts_mut(|fonts| fonts.layout_job(job));
    let glyphs = galley.rows.iter().flat_map(|row| &row.glyphs);
    Measured {
        width: galley.rows.first().map_or(0.0, |row| row.size.x),
        glyphs: glyphs.map(|glyph| (glyph.chr, glyph.pos.x, glyph.advance_width)).collect(),
    }
}

/// The embedding level of a paragraph's direction.
fn level(rtl: bool) -> Level {
    if rtl { Level::rtl() } else { Level::ltr() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_right_to_left_scripts_are_reordered() {
        for text in ["", "plain", "온실 펌프", "Привет", "日本語 テスト", "café 🚀 — “x”", "ไทย", "हिन्दी"]
        {
            assert!(!is_needed(text), "{text}");
        }
        for text in ["שלום", "a שלום b", "مرحبا", "۱۲۳", "ﻻ", "ﬡ"] {
            assert!(is_needed(text), "{text}");
        }
    }

    #[test]
    fn words_of_a_line_are_in_visual_order() {
        for (text, expected) in [
            ("plain text", "plain text"),
            ("דוד כהן", "כהן דוד"),
            ("Dana דוד כהן", "Dana כהן דוד"),
            ("דוד (12) כהן", "כהן (12) דוד"),
            ("שלום world!", "!world שלום"),
            ("חדר 12-5 קטן", "קטן 12-5 חדר"),
            // Between Arabic letters, UAX #9 displays a range of numbers from right to left.
            ("غرفة 12-5 صغيرة", "صغيرة 5-12 غرفة"),
        ] {
            assert_eq!(line(text), expected, "{text}");
        }
    }
}
