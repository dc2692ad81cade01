//! Sentences of many scripts in the app's fonts and a desktop's: no character is drawn as a box. What a desktop has is
//! installed by `packaging/setup.sh --tests`; `tests/real/scripts.sh` runs this.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test that fails should say so at once")]

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use duplex::ui::theme;
use egui::epaint::text::FontProvider;
use egui::{Color32, FontId, MissingGlyphPolicy};
use egui_system_font_provider::SystemFontProvider;

/// Script and sentence, one pair a line.
const SENTENCES: &str = include_str!("real/scripts.txt");

/// Whether a text is drawn whole in a font, where these fonts come to help.
fn is_whole(text: &str, font: &FontId, system: Option<&Arc<dyn FontProvider>>) -> bool {
    let ctx = egui::Context::default();
    if let Some(system) = system {
        ctx.add_font_provider(Arc::clone(system));
    }
    theme::install_font(&ctx);
    ctx.set_missing_glyph_policy(MissingGlyphPolicy::Panic);
    let draw = || {
        let output = ctx.run_ui(egui::RawInput::default(), |ui| {
            let _ = ui.painter().layout(text.to_owned(), font.clone(), Color32::WHITE, 600.0);
        });
        output.drop_without_applying_deltas();
    };
    catch_unwind(AssertUnwindSafe(draw)).is_ok()
}

#[test]
#[ignore = "needs the fonts of a desktop: bash tests/real.sh scripts.sh"]
fn no_box_stands_in_forty_sentences_of_twenty_scripts() {
    let pairs: Vec<(&str, &str)> = SENTENCES.lines().filter_map(|line| line.split_once('\t')).collect();
    let scripts: BTreeSet<&str> = pairs.iter().map(|(script, _)| *script).collect();
    assert!(pairs.len() >= 40 && scripts.len() >= 20, "{} sentences, {scripts:?}", pairs.len());
    let system: Arc<dyn FontProvider> = Arc::new(SystemFontProvider::new());
    // Each miss panics, and is counted: its message would be noise.
    std::panic::set_hook(Box::new(|_| {}));
    let mut boxes = Vec::new();
    for (script, sentence) in &pairs {
        for font in [theme::body(), theme::strong(14.0), theme::mono_small()] {
            if !is_whole(sentence, &font, Some(&system)) {
                boxes.push(format!("{script} in {:?}: {sentence}", font.family));
            }
        }
    }
    // The fonts of the app alone do not suffice: so the check can fail.
    let alone = pairs.iter().filter(|(_, sentence)| !is_whole(sentence, &theme::body(), None)).count();
    drop(std::panic::take_hook());
    println!("{} sentences of {} scripts; {alone} need the system's fonts", pairs.len(), scripts.len());
    assert!(alone > 10, "{alone}");
    assert!(boxes.is_empty(), "boxes in:\n{}", boxes.join("\n"));
}

#[test]
fn latin_and_hangul_need_no_font_but_the_app_s() {
    for (script, sentence) in SENTENCES.lines().filter_map(|line| line.split_once('\t')) {
        if matches!(script, "Latin" | "Hangul") {
            assert!(is_whole(sentence, &theme::body(), None), "{sentence}");
            assert!(is_whole(sentence, &theme::strong(14.0), None), "{sentence}");
        }
    }
}
