//! The settings sheet. Each setting has a one-sentence description, is searchable in both languages, and
//! takes effect immediately.

mod acts;
mod control;
mod table;

use egui::accesskit::Role;
use egui::{
    EventFilter, Id, Key, Label, Modifiers, RichText, ScrollArea, Sense, TextEdit, Ui, UiBuilder, WidgetInfo,
    pos2, vec2,
};

use super::Cx;
use super::dialog::Fate;
use super::text::{Language, Words};
use super::theme::{self, radius, size, space};
use super::{focus_mark, menu, sheet, widgets};
use crate::model::intent::{AppIntent, Intent};
use crate::model::preferences::Preferences;
use control::{Control, State};
use table::{Group, Setting, TABLE};

/// Height of what is around the list, in points: the title, the search field, the button and the dialog's
/// frame.
const AROUND: f32 = 210.0;
/// Maximum height of the list, in points.
const MAX_LIST_HEIGHT: f32 = 520.0;
/// Minimum height of the list, in points; in a lower window the whole sheet scrolls.
const MIN_LIST_HEIGHT: f32 = 200.0;
/// The categories are beside the list if it is at least this wide, in points.
const MIN_WIDTH_WITH_CATEGORIES: f32 = 520.0;
/// Width of the categories beside the list, in points.
const CATEGORIES_WIDTH: f32 = 160.0;

/// State of the sheet.
pub(super) struct Sheet {
    search: String,
    /// The category shown while nothing is searched for.
    category: Group,
    fresh: bool,
    state: State,
}

/// All settings, for the palette: index in the table, name of the category, name of the setting, and
/// synonyms.
pub(super) fn all(words: &Words) -> impl Iterator<Item = (usize, &'static str, &'static str, &'static str)> {
    let of = move |(at, setting): (usize, &Setting)| {
        (at, setting.group.name(words), (setting.name)(words), setting.also)
    };
    TABLE.iter().enumerate().map(of)
}

impl Sheet {
    /// Opens the sheet with the current preferences.
    pub(super) fn new(chosen: Preferences) -> Sheet {
        let category = Group::General;
        Sheet { search: String::new(), category, fresh: true, state: State::new(chosen) }
    }

    /// Opens the sheet at one of the settings.
    pub(super) fn at(chosen: Preferences, words: &Words, at: usize) -> Sheet {
        let mut sheet = Sheet::new(chosen);
        if let Some(setting) = TABLE.get(at) {
            sheet.category = setting.group;
            (setting.name)(words).clone_into(&mut sheet.search);
        }
        sheet
    }

    /// The preferences, for the window to follow.
    pub(super) fn chosen(&mut self) -> &mut Preferences {
        &mut self.state.chosen
    }

    /// Draws the sheet into a dialog. `window_height` is in points.
    pub(super) fn show(&mut self, ui: &mut Ui, cx: &mut Cx, window_height: f32) -> Fate {
        self.state.around = cx.around;
        let words = cx.words;
        sheet::title(ui, words.settings);
        let margin = egui::Margin::symmetric(space::SMALL as i8, 5);
        let search = TextEdit::singleline(&mut self.search).hint_text(words.sheet.search);
        let search =
            ui.add(search.desired_width(f32::INFINITY).margin(margin)).accessible_name(words.sheet.search);
        if std::mem::take(&mut self.fresh) {
            search.request_focus();
        }
        // Independent of the number of settings, so that nothing moves under the pointer.
        let height = (window_height - AROUND).clamp(MIN_LIST_HEIGHT, MAX_LIST_HEIGHT);
        if ui.available_width() >= MIN_WIDTH_WITH_CATEGORIES {
            self.beside(ui, cx, height);
        } else {
            self.below(ui, cx, height);
        }
        ui.add_space(space::TINY);
        // A row of its own, which centres the button's text.
        let close = ui.horizontal(|ui| ui.add(widgets::primary(theme::of(ui), words.close)).clicked()).inner;
        if std::mem::take(&mut self.state.tries_notice) {
            cx.intents.push(Intent::App(AppIntent::TryNotice));
        }
        let enter = search.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        if close || enter { Fate::Closed } else { Fate::Open }
    }

    /// Draws the categories on the left and the settings beside them.
    fn beside(&mut self, ui: &mut Ui, cx: &mut Cx, height: f32) {
        let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
        let left = UiBuilder::new().max_rect(rect.with_max_x(rect.left() + CATEGORIES_WIDTH));
        ui.scope_builder(left.accessibility_role(Role::TabList), |ui| {
            ui.ctx().accesskit_node_builder(ui.unique_id(), |node| node.set_label(cx.words.sheet.categories));
            ui.spacing_mut().item_spacing.y = 2.0;
            let chosen = self.search.trim().is_empty().then_some(self.category);
            let stepped = chosen.and_then(|chosen| step(ui, chosen));
            for group in Group::ALL {
                if category(ui, group, group.name(cx.words), chosen == Some(group)) {
                    self.category = group;
                    self.search.clear();
                }
            }
            if let Some(group) = stepped {
                self.category = group;
                ui.memory_mut(|memory| memory.request_focus(category_id(group)));
            }
        });
        let line = rect.left() + CATEGORIES_WIDTH + space::MEDIUM;
        ui.painter().vline(line, rect.y_range(), egui::Stroke::new(1.0, theme::of(ui).line));
        let right = UiBuilder::new().max_rect(rect.with_min_x(line + space::LARGE));
        ui.scope_builder(right, |ui| self.scroll(ui, cx, height, true));
    }

    /// Draws the categories above the settings, unless something is searched for.
    fn below(&mut self, ui: &mut Ui, cx: &mut Cx, height: f32) {
        let words = cx.words;
        let mut left = height;
        if self.search.trim().is_empty() {
            let chosen = self.category.name(words);
            menu::choice(ui, words.sheet.categories, chosen, ui.available_width(), |ui| {
                for group in Group::ALL {
                    if menu::option(ui, group == self.category, group.name(words)).clicked() {
                        self.category = group;
                    }
                }
            });
            left -= size::CONTROL + space::SMALL;
        }
        self.scroll(ui, cx, left, false);
    }

    fn scroll(&mut self, ui: &mut Ui, cx: &mut Cx, height: f32, has_heading: bool) {
        let search = self.search.trim().to_lowercase();
        let salt = ("settings", self.category as usize, search.is_empty());
        let area = ScrollArea::vertical().id_salt(salt).max_height(height).min_scrolled_height(height);
        area.auto_shrink(false).show(ui, |ui| {
            // Keeps the content clear of the scroll bar.
            ui.set_max_width(ui.available_width() - space::MEDIUM);
            if search.is_empty() {
                self.category(ui, cx, has_heading);
            } else {
                self.found(ui, cx, &search);
            }
            focus_mark::follow(ui);
        });
    }

    /// The settings of the chosen category.
    fn category(&mut self, ui: &mut Ui, cx: &mut Cx, has_heading: bool) {
        let category = self.category;
        if has_heading {
            sheet::heading(ui, category.name(cx.words));
        }
        for setting in TABLE.iter().filter(|setting| setting.group == category) {
            self.setting(ui, cx, setting);
        }
    }

    /// The settings of all categories that match the search.
    fn found(&mut self, ui: &mut Ui, cx: &mut Cx, search: &str) {
        let words = cx.words;
        let (mut group, mut found) = (None, 0);
        for setting in TABLE.iter().filter(|setting| setting.matches(search)) {
            if group.replace(setting.group) != Some(setting.group) {
                ui.add_space(if found > 0 { space::MEDIUM } else { 0.0 });
                sheet::heading(ui, setting.group.name(words));
            }
            found += 1;
            self.setting(ui, cx, setting);
        }
        if found == 0 {
            let nothing = RichText::new(words.sheet.nothing_found).color(theme::of(ui).weak);
            let nothing = ui.add(Label::new(nothing).wrap());
            widgets::live(ui, nothing.id, words.sheet.nothing_found);
        } else {
            // The number of matches is announced to screen readers only; it is obvious visually.
            let at = ui.allocate_response(egui::Vec2::ZERO, Sense::hover());
            widgets::live(ui, at.id, &(words.sheet.found)(found));
        }
    }

    fn setting(&mut self, ui: &mut Ui, cx: &mut Cx, setting: &Setting) {
        ui.push_id((setting.name)(Language::English.words()), |ui| setting.show(ui, cx, &mut self.state));
    }
}

fn category_id(group: Group) -> Id {
    Id::unique(("settings category", group as usize))
}

/// The category to which an arrow key leads from the focused one.
fn step(ui: &Ui, chosen: Group) -> Option<Group> {
    let id = category_id(chosen);
    if !ui.memory(|memory| memory.has_focus(id)) {
        return None;
    }
    let filter = EventFilter { vertical_arrows: true, ..EventFilter::default() };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(id, filter));
    let pressed = |key| ui.input_mut(|input| input.count_and_consume_key(Modifiers::NONE, key)) as isize;
    let step = pressed(Key::ArrowDown) - pressed(Key::ArrowUp);
    let at = Group::ALL.iter().position(|group| *group == chosen)? as isize + step;
    Group::ALL.get(at.clamp(0, Group::ALL.len() as isize - 1) as usize).copied().filter(|_| step != 0)
}

/// Draws a category. Returns whether it was clicked. Only the chosen one is a tab stop.
fn category(ui: &mut Ui, group: Group, name: &str, is_chosen: bool) -> bool {
    let theme = theme::of(ui);
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), size::CONTROL + space::TINY));
    let sense = if is_chosen { Sense::click() } else { Sense::click() - Sense::FOCUSABLE };
    let response = ui.interact(rect, category_id(group), sense);
    response.widget_info(|| WidgetInfo::labeled(Role::Tab, true, name));
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_selected(is_chosen));
    let fill = match (is_chosen, response.hovered()) {
        (true, _) => Some(theme.selected),
        (false, true) => Some(theme.hover),
        (false, false) => None,
    };
    if let Some(fill) = fill {
        ui.painter().rect_filled(rect, f32::from(radius::CONTROL), fill);
    }
    let font = if is_chosen { theme::strong(size::BODY) } else { theme::body() };
    let text = widgets::cut(ui, name, font, theme.text, rect.width() - 2.0 * space::SMALL);
    let at = pos2(rect.left() + space::SMALL, rect.center().y - text.size().y / 2.0);
    ui.painter().galley(at, text, theme.text);
    response.clicked()
}

impl Setting {
    /// Whether every word of the search occurs in the setting's texts, in either language.
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
    fn groups_are_contiguous_and_every_setting_has_one_sentence_in_both_languages() {
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
