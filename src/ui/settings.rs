//! The settings: each with a sentence, found by any word of it, seen at once.

use egui::{Key, Label, RichText, ScrollArea, TextEdit, Ui, vec2};

use super::Cx;
use super::dialog::Fate;
use super::text::Words;
use super::theme::{self, size, space};
use super::widgets;
use crate::model::preferences::{LanguageChoice, Preferences, Theme};

/// The settings' own state.
pub(super) struct Sheet {
    search: String,
    fresh: bool,
    /// What is chosen, for the window to follow.
    pub(super) chosen: Preferences,
}

/// One setting.
#[derive(Copy, Clone)]
enum Setting {
    Language,
    Theme,
    Zoom,
}

impl Setting {
    fn name(self, words: &Words) -> &'static str {
        match self {
            Setting::Language => words.language,
            Setting::Theme => words.theme,
            Setting::Zoom => words.zoom,
        }
    }

    fn sentence(self, words: &Words) -> &'static str {
        match self {
            Setting::Language => words.language_text,
            Setting::Theme => words.theme_text,
            Setting::Zoom => words.zoom_text,
        }
    }

    fn matches(self, words: &Words, search: &str) -> bool {
        let search = search.trim().to_lowercase();
        let options = match self {
            Setting::Language => languages(words).map(|(_, name)| name).join(" "),
            Setting::Theme => themes(words).map(|(_, name)| name).join(" "),
            Setting::Zoom => String::new(),
        };
        [self.name(words), self.sentence(words), &options]
            .iter()
            .any(|text| text.to_lowercase().contains(&search))
    }
}

/// The languages, each by its own name: whoever cannot read the window finds theirs.
fn languages(words: &Words) -> [(LanguageChoice, &'static str); 3] {
    [
        (LanguageChoice::System, words.as_system),
        (LanguageChoice::English, "English"),
        (LanguageChoice::Korean, "한국어"),
    ]
}

fn themes(words: &Words) -> [(Theme, &'static str); 4] {
    [
        (Theme::System, words.as_system),
        (Theme::Light, words.theme_light),
        (Theme::Dark, words.theme_dark),
        (Theme::HighContrast, words.theme_high_contrast),
    ]
}

impl Sheet {
    /// Begins with what is chosen now.
    pub(super) fn new(chosen: Preferences) -> Sheet {
        Sheet { search: String::new(), fresh: true, chosen }
    }

    /// Draws the settings into a dialog.
    pub(super) fn show(&mut self, ui: &mut Ui, cx: &Cx, window_height: f32) -> Fate {
        let words = cx.words;
        ui.label(RichText::new(words.settings).font(theme::title()));
        let margin = egui::Margin::symmetric(space::SMALL as i8, 5);
        let search = TextEdit::singleline(&mut self.search).hint_text(words.search_settings);
        let search =
            ui.add(search.desired_width(f32::INFINITY).margin(margin)).accessible_name(words.search_settings);
        if std::mem::take(&mut self.fresh) {
            search.request_focus();
        }
        let most = (window_height - 210.0).max(140.0);
        ScrollArea::vertical().max_height(most).auto_shrink([false, true]).show(ui, |ui| {
            let mut found = false;
            for setting in [Setting::Language, Setting::Theme, Setting::Zoom] {
                if setting.matches(words, &self.search) {
                    found = true;
                    self.setting(ui, words, setting);
                }
            }
            if !found {
                ui.label(RichText::new(words.no_setting_found).color(theme::of(ui).weak));
            }
        });
        ui.add_space(space::TINY);
        // In a row of its own, which centres its text.
        let close = ui.horizontal(|ui| ui.add(widgets::primary(theme::of(ui), words.close)).clicked()).inner;
        let enter = search.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        if close || enter { Fate::Closed } else { Fate::Open }
    }

    fn setting(&mut self, ui: &mut Ui, words: &Words, setting: Setting) {
        let weak = theme::of(ui).weak;
        ui.add_space(space::SMALL);
        ui.label(RichText::new(setting.name(words)).font(theme::heading()));
        let sentence = RichText::new(setting.sentence(words)).font(theme::small()).color(weak);
        ui.add(Label::new(sentence).wrap());
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = space::MEDIUM;
            self.options(ui, words, setting);
        });
    }

    fn options(&mut self, ui: &mut Ui, words: &Words, setting: Setting) {
        match setting {
            Setting::Language => {
                for (choice, name) in languages(words) {
                    ui.push_id(("language", name), |ui| {
                        ui.radio_value(&mut self.chosen.language, choice, name);
                    });
                }
            }
            Setting::Theme => {
                for (choice, name) in themes(words) {
                    ui.push_id(("theme", name), |ui| {
                        ui.radio_value(&mut self.chosen.theme, choice, name);
                    });
                }
            }
            Setting::Zoom => self.zoom(ui, words),
        }
    }

    fn zoom(&mut self, ui: &mut Ui, words: &Words) {
        let zoom = self.chosen.zoom();
        let button = |sign| widgets::plain(sign).min_size(vec2(size::CONTROL + 4.0, size::CONTROL));
        let out = ui.add_enabled(zoom > 50, button("−"));
        out.clone().accessible_name(words.zoom_out);
        ui.label(format!("{zoom} %"));
        let larger = ui.add_enabled(zoom < 300, button("+"));
        larger.clone().accessible_name(words.zoom_in);
        let reset = ui.add_enabled(zoom != 100, widgets::plain(words.zoom_reset));
        if out.clicked() {
            self.chosen.zoom_percent = self.chosen.zoom_out();
        } else if larger.clicked() {
            self.chosen.zoom_percent = self.chosen.zoom_in();
        } else if reset.clicked() {
            self.chosen.zoom_percent = 100;
        }
    }
}
