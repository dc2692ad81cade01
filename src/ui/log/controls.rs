//! The log's toolbar: filters and actions.

use egui::containers::menu::MenuButton;
use egui::{Id, Key, Label, RichText, TextEdit, Ui, vec2};

use super::held::LineKinds;
use super::{Facts, View, line};
use crate::model::intent::{Intent, LogIntent};
use crate::ui::text::log::LogWords;
use crate::ui::theme::{self, size, space};
use crate::ui::{Cx, harmless, menu, widgets};

/// Width of the filter field, in points.
const FILTER: f32 = 180.0;

impl View {
    /// Draws the toolbar. Returns whether the person closed the log.
    pub(super) fn controls(&mut self, ui: &mut Ui, cx: &mut Cx, facts: &Facts) -> bool {
        let words = cx.words.log;
        let mut closed = false;
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = space::SMALL;
            let title = RichText::new((words.title_of)(&facts.name)).font(theme::heading());
            ui.add(Label::new(title).selectable(false));
            self.search(ui, cx);
            ways(ui, words, &mut self.filter.show);
            self.kinds(ui, words);
            self.acts(ui, cx, facts);
            closed = ui.add(widgets::plain(words.close)).clicked();
            // Last in the row, since its width changes.
            let count = if self.filter.is_open() {
                (words.lines)(self.held.len())
            } else {
                (words.matches)(self.held.shown().len(), self.held.len())
            };
            quiet(ui, &count);
        });
        if self.paused {
            let text = (words.meanwhile)(self.held.meanwhile());
            let text = RichText::new(text).font(theme::small()).color(theme::of(ui).warn);
            ui.add(Label::new(text).selectable(false));
        }
        saved(ui, words, facts);
        closed
    }

    fn search(&mut self, ui: &mut Ui, cx: &Cx) {
        let words = cx.words.log;
        let field = TextEdit::singleline(&mut self.filter.text)
            .id(Id::unique("connection log filter"))
            .hint_text(words.filter)
            .desired_width(FILTER)
            .align(egui::Align2::LEFT_CENTER)
            .min_size(vec2(0.0, size::CONTROL));
        let field = ui.add(field).accessible_name(words.filter);
        let pressed = |key| ui.input(|input| input.key_pressed(key));
        if (field.has_focus() || field.lost_focus()) && pressed(Key::Escape) && !self.filter.text.is_empty() {
            self.filter.text.clear();
            field.request_focus();
        }
        if field.has_focus() && pressed(Key::ArrowDown) {
            self.list.focus();
        }
    }

    fn kinds(&mut self, ui: &mut Ui, words: &LogWords) {
        let theme = theme::of(ui);
        let chosen = self.filter.kind.as_deref().map(|kind| harmless::line(kind, 40));
        let face = (words.kind)(chosen.as_deref().unwrap_or(words.any_kind));
        let (kind, held) = (&mut self.filter.kind, &self.held);
        MenuButton::from_button(widgets::link(theme, &face)).ui(ui, |ui| {
            menu::one_of(ui, kind, None, words.any_kind);
            for known in held.kinds() {
                let name = harmless::line(known, 40);
                menu::one_of(ui, kind, Some(known.clone()), &name);
            }
        });
    }

    fn acts(&mut self, ui: &mut Ui, cx: &mut Cx, facts: &Facts) {
        let words = cx.words.log;
        let pause = if self.paused { words.go_on } else { words.pause };
        if ui.add(widgets::plain(pause)).clicked() {
            self.paused = !self.paused;
            cx.deadline.at(cx.now.boot_ms);
        }
        let some = !self.held.shown().is_empty();
        if ui.add_enabled(some, widgets::plain(words.copy_all)).clicked() {
            ui.ctx().copy_text(self.text(cx, facts));
        }
        if ui.add_enabled(some, widgets::plain(words.save)).clicked() {
            let text = self.text(cx, facts);
            cx.intents.push(Intent::Log(LogIntent::Save { connection: self.connection, text }));
        }
        if ui.add_enabled(self.held.len() > 0, widgets::plain(words.clear)).clicked() {
            self.held.clear();
            self.details = None;
            cx.intents.push(Intent::Log(LogIntent::Clear(self.connection)));
            cx.deadline.at(cx.now.boot_ms);
        }
    }

    /// The visible lines as text, one per row.
    fn text(&self, cx: &Cx, facts: &Facts) -> String {
        let mut text = (cx.words.log.title_of)(&facts.name);
        text.push('\n');
        for shown in self.held.shown() {
            line::listed(cx.words, shown, &mut text);
        }
        text
    }
}

fn ways(ui: &mut Ui, words: &LogWords, show: &mut LineKinds) {
    let theme = theme::of(ui);
    let name = |show| match show {
        LineKinds::Everything => words.everything,
        LineKinds::Received => words.only_received,
        LineKinds::Sent => words.only_sent,
        LineKinds::Notes => words.only_notes,
    };
    MenuButton::from_button(widgets::link(theme, &(words.show)(name(*show)))).ui(ui, |ui| {
        for other in [LineKinds::Everything, LineKinds::Received, LineKinds::Sent, LineKinds::Notes] {
            menu::one_of(ui, show, other, name(other));
        }
    });
}

/// Reports where the log was saved, or why it was not.
fn saved(ui: &mut Ui, words: &LogWords, facts: &Facts) {
    let Some(saved) = &facts.saved else { return };
    let theme = theme::of(ui);
    let (text, colour) = match saved {
        Ok(path) => ((words.saved)(&harmless::line(&path.display().to_string(), 400)), theme.good),
        Err(detail) => ((words.not_saved)(&harmless::line(detail, 400)), theme.bad),
    };
    let shown = ui.add(Label::new(RichText::new(&text).font(theme::small()).color(colour)).wrap());
    widgets::live(ui, shown.id, &text);
}

fn quiet(ui: &mut Ui, text: &str) {
    let text = RichText::new(text).font(theme::small()).color(theme::of(ui).weak);
    ui.add(Label::new(text).selectable(false));
}
