//! The settings: each with a sentence, found by any word of it in either language, seen at once.

mod acts;
mod control;
mod table;

use egui::{Key, RichText, ScrollArea, TextEdit, Ui};

use super::Cx;
use super::dialog::Fate;
use super::text::{Language, Words};
use super::theme::{self, space};
use super::widgets;
use crate::model::intent::Intent;
use crate::model::preferences::Preferences;
use control::{Control, State};
use table::{Setting, TABLE};

/// What stands around the list, in points: the title, the search, the button and the dialog's own edge.
const AROUND: f32 = 210.0;
/// A window lower than this scrolls the whole sheet, since the list alone would have no room.
const LOW: f32 = 400.0;

/// The settings' own state.
pub(super) struct Sheet {
    search: String,
    fresh: bool,
    state: State,
}

impl Sheet {
    /// Begins with what is chosen now.
    pub(super) fn new(chosen: Preferences) -> Sheet {
        Sheet { search: String::new(), fresh: true, state: State::new(chosen) }
    }

    /// What is chosen, for the window to follow.
    pub(super) fn chosen(&mut self) -> &mut Preferences {
        &mut self.state.chosen
    }

    /// Draws the settings into a dialog.
    pub(super) fn show(&mut self, ui: &mut Ui, cx: &mut Cx, window_height: f32) -> Fate {
        self.state.around = cx.around;
        let fate = self.sized(ui, cx, window_height);
        if std::mem::take(&mut self.state.tries_notice) {
            cx.intents.push(Intent::TryNotice);
        }
        fate
    }

    fn sized(&mut self, ui: &mut Ui, cx: &mut Cx, window_height: f32) -> Fate {
        let is_low = window_height < LOW;
        let most =
            if is_low { window_height - 2.0 * (space::HUGE + space::SMALL) } else { window_height - AROUND };
        // At its full height from the first frame: grown frame by frame it would move under the pointer.
        let scroll =
            ScrollArea::vertical().max_height(most).min_scrolled_height(most).auto_shrink([false, true]);
        if is_low {
            scroll.show(ui, |ui| self.whole(ui, cx, None)).inner
        } else {
            self.whole(ui, cx, Some(scroll))
        }
    }

    fn whole(&mut self, ui: &mut Ui, cx: &mut Cx, scroll: Option<ScrollArea>) -> Fate {
        let words = cx.words;
        let title = ui.label(RichText::new(words.settings).font(theme::title()));
        widgets::heading(ui, &title, words.settings, 1);
        let margin = egui::Margin::symmetric(space::SMALL as i8, 5);
        let search = TextEdit::singleline(&mut self.search).hint_text(words.sheet.search);
        let search =
            ui.add(search.desired_width(f32::INFINITY).margin(margin)).accessible_name(words.sheet.search);
        if std::mem::take(&mut self.fresh) {
            search.request_focus();
        }
        match scroll {
            Some(scroll) => scroll.show(ui, |ui| self.list(ui, cx)).inner,
            None => self.list(ui, cx),
        }
        ui.add_space(space::TINY);
        // In a row of its own, which centres its text.
        let close = ui.horizontal(|ui| ui.add(widgets::primary(theme::of(ui), words.close)).clicked()).inner;
        let enter = search.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        if close || enter { Fate::Closed } else { Fate::Open }
    }

    fn list(&mut self, ui: &mut Ui, cx: &mut Cx) {
        let words = cx.words;
        let search = self.search.trim().to_lowercase();
        let (mut group, mut found) = (None, 0);
        for setting in TABLE.iter().filter(|setting| setting.matches(&search)) {
            found += 1;
            if group.replace(setting.group) != Some(setting.group) {
                ui.add_space(space::MEDIUM);
                let name = setting.group.name(words);
                let title = ui.label(RichText::new(name).font(theme::heading()));
                widgets::heading(ui, &title, name, 2);
            }
            ui.push_id((setting.name)(Language::English.words()), |ui| {
                setting.show(ui, cx, &mut self.state);
            });
        }
        if found == 0 {
            let nothing = RichText::new(words.sheet.nothing_found).color(theme::of(ui).weak);
            let nothing = ui.label(nothing);
            widgets::live(ui, nothing.id, words.sheet.nothing_found);
        } else if !search.is_empty() {
            // Seen by what is left; said to those who do not see.
            let at = ui.allocate_response(egui::Vec2::ZERO, egui::Sense::hover());
            widgets::live(ui, at.id, &(words.sheet.found)(found));
        }
    }
}

impl Setting {
    /// Whether every word of the search is somewhere in what is said of the setting, in whichever language.
    fn matches(&self, search: &str) -> bool {
        if search.is_empty() {
            return true;
        }
        let mut said = self.also.to_owned();
        for language in [Language::English, Language::Korean] {
            self.say(language.words(), &mut said);
        }
        let said = said.to_lowercase();
        search.split_whitespace().all(|word| said.contains(word))
    }

    fn say(&self, words: &Words, said: &mut String) {
        let options: &[_] = match &self.control {
            Control::Choice(options) => options,
            _ => &[],
        };
        let names = options.iter().map(|option| (option.name)(words));
        for text in
            [self.group.name(words), (self.name)(words), (self.sentence)(words)].into_iter().chain(names)
        {
            said.push('\n');
            said.push_str(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_stand_together_and_every_setting_has_one_sentence_in_both_languages() {
        let mut seen = Vec::new();
        for setting in TABLE {
            if seen.last() != Some(&setting.group) {
                assert!(!seen.contains(&setting.group), "{:?} is in two parts", setting.group);
                seen.push(setting.group);
            }
            for language in [Language::English, Language::Korean] {
                let (name, sentence) =
                    ((setting.name)(language.words()), (setting.sentence)(language.words()));
                assert!(!name.is_empty() && sentence.ends_with('.'), "{name}: {sentence}");
            }
        }
    }
}
