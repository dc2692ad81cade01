//! The head of the search pane: the field, the scope and notes about the answer; and what is shown instead of
//! results: help, or why there are none.

use egui::text::{CCursor, CCursorRange};
use egui::{Align, Event, Id, ImeEvent, Label, Layout, RichText, ScrollArea, TextEdit, Ui, vec2};

use super::{Facts, View};
use crate::ui::icons::Icon;
use crate::ui::theme::{self, size, space};
use crate::ui::{Cx, harmless, widgets};

pub(super) fn field_id() -> Id {
    Id::unique("search field")
}

/// Whether an input method is composing, after all events of this frame.
pub(super) fn note_composing(ui: &Ui, composing: &mut bool) {
    ui.input(|input| {
        for event in &input.events {
            match event {
                Event::Ime(ImeEvent::Preedit { text, .. }) => *composing = !text.is_empty(),
                Event::Ime(ImeEvent::Commit(_)) => *composing = false,
                _ => {}
            }
        }
    });
}

impl View {
    /// Draws the head. Returns whether the person closed the pane.
    pub(super) fn controls(&mut self, ui: &mut Ui, cx: &mut Cx, facts: &Facts) -> bool {
        let words = cx.words.search;
        let mut closed = false;
        ui.spacing_mut().item_spacing.y = space::SMALL;
        let line = vec2(ui.available_width(), size::CONTROL);
        ui.allocate_ui_with_layout(line, Layout::right_to_left(Align::Center), |ui| {
            closed = widgets::icon_button(ui, Icon::Close, words.close, words.close, false).clicked();
            self.field(ui, cx, facts);
        });
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = space::TINY;
            let before = self.everywhere;
            if facts.room.is_some() {
                ui.selectable_value(&mut self.everywhere, false, words.this_room);
                ui.selectable_value(&mut self.everywhere, true, words.everywhere);
            }
            if before != self.everywhere {
                cx.deadline.at(cx.now.boot_ms);
                self.wants_focus = true;
            }
            let count = self.count(cx);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let text = RichText::new(&count).font(theme::small()).color(theme::of(ui).weak);
                let shown = ui.add(Label::new(text).selectable(false).truncate());
                widgets::live(ui, shown.id, &count);
            });
        });
        self.notes(ui, cx, facts);
        closed
    }

    fn field(&mut self, ui: &mut Ui, cx: &mut Cx, facts: &Facts) {
        let words = cx.words.search;
        let hint = match &facts.room {
            Some((connection, room)) if !self.everywhere => {
                (words.hint_room)(&cx.room_title(*connection, room, 40))
            }
            _ => words.hint_everywhere.to_owned(),
        };
        let field = TextEdit::singleline(&mut self.text)
            .id(field_id())
            .hint_text(hint)
            // Enter opens a result, and the field keeps the focus.
            .return_key(None)
            .desired_width(f32::INFINITY)
            .align(egui::Align2::LEFT_CENTER)
            .min_size(vec2(0.0, size::CONTROL));
        let mut output = field.show(ui);
        let response = output.response.response.clone().accessible_name(words.field);
        if let Some(row) = self.list.drawn_cursor() {
            ui.ctx().accesskit_node_builder(response.id, |node| {
                node.set_active_descendant(super::list::row_id(row).accesskit_id());
            });
        }
        let goes_on = std::mem::take(&mut self.goes_on);
        if std::mem::take(&mut self.wants_focus) || goes_on {
            response.request_focus();
            // Select the old text, to be typed over, unless the person is continuing it.
            let end = CCursor::new(self.text.chars().count());
            let range = CCursorRange::two(if goes_on { end } else { CCursor::new(0) }, end);
            output.state.cursor.set_char_range(Some(range));
            output.state.store(ui.ctx(), response.id);
        }
        if response.changed() {
            // The search starts in the next frame.
            cx.deadline.at(cx.now.boot_ms);
        }
    }

    fn count(&self, cx: &Cx) -> String {
        match &self.shown.answer {
            Some(answer) if answer.failed => String::new(),
            Some(_) if self.shown.hits.is_empty() && !self.has_more() => cx.words.search.nothing.to_owned(),
            Some(_) => (cx.words.search.count)(self.shown.hits.len(), self.has_more()),
            None => String::new(),
        }
    }

    /// Notes about unusable filters and possibly missing results.
    fn notes(&self, ui: &mut Ui, cx: &Cx, facts: &Facts) {
        let (theme, words) = (theme::of(ui), cx.words.search);
        for fault in &self.faults {
            note(ui, &(words.fault)(&harmless_fault(fault)), theme.warn);
        }
        if self.shown.answer.as_ref().is_some_and(|answer| answer.failed) {
            note(ui, words.failed, theme.bad);
        }
        if let Some(percent) = facts.indexed {
            note(ui, &(words.indexing)(percent), theme.warn);
        }
        if facts.disk_trouble {
            note(ui, words.disk_trouble, theme.warn);
        }
    }

    /// Draws what is shown instead of results.
    pub(super) fn nothing(&mut self, ui: &mut Ui, cx: &mut Cx, facts: &Facts) {
        let Some(answer) = self.shown.answer.clone() else {
            if self.asked.is_none() {
                self.help(ui, cx);
            }
            return;
        };
        if answer.failed {
            return;
        }
        let (theme, words) = (theme::of(ui), cx.words.search);
        ui.add_space(space::HUGE);
        ui.vertical_centered(|ui| {
            ui.set_max_width(ui.available_width() - 2.0 * space::LARGE);
            let here = facts.room.is_some() && !self.everywhere;
            if !self.has_more() {
                let title = if here { words.nothing_here } else { words.nothing };
                ui.label(RichText::new(title).font(theme::heading()));
                let why = match (answer.nobody, answer.no_room) {
                    (true, _) => words.nobody,
                    (_, true) => words.no_room,
                    _ => words.nothing_text,
                };
                ui.add(Label::new(RichText::new(why).color(theme.weak)).wrap());
            }
            ui.add_space(space::SMALL);
            if here && ui.add(widgets::plain(words.hint_everywhere)).clicked() {
                self.everywhere = true;
                self.wants_focus = true;
                cx.deadline.at(cx.now.boot_ms);
            }
            if self.end_of(ui, cx) {
                self.ask_more(cx);
            }
        });
    }

    fn help(&mut self, ui: &mut Ui, cx: &mut Cx) {
        let (theme, words) = (theme::of(ui), cx.words.search);
        ScrollArea::vertical().id_salt("search help").auto_shrink(false).show(ui, |ui| {
            let margin = egui::Margin::symmetric(space::LARGE as i8, space::MEDIUM as i8);
            egui::Frame::new().inner_margin(margin).show(ui, |ui| {
                ui.spacing_mut().item_spacing.y = space::SMALL;
                ui.add(Label::new(RichText::new(words.help_title).font(theme::heading())).wrap());
                ui.add(Label::new(RichText::new(words.help_text).color(theme.weak)).wrap());
                for (begin, meaning) in words.help {
                    ui.horizontal_top(|ui| {
                        let button = widgets::plain(begin).min_size(vec2(size::SEARCH_FILTER, size::CONTROL));
                        if ui.add(button).clicked() {
                            self.begin(begin);
                            cx.deadline.at(cx.now.boot_ms);
                        }
                        let text = RichText::new(meaning).font(theme::small()).color(theme.text);
                        ui.vertical(|ui| {
                            // Aligned with the button.
                            ui.add_space((size::CONTROL - size::SMALL_LINE) / 2.0);
                            ui.add(Label::new(text).wrap());
                        });
                    });
                }
            });
        });
    }

    /// Inserts the start of a filter for the person to complete.
    fn begin(&mut self, filter: &str) {
        if !self.text.is_empty() && !self.text.ends_with(' ') {
            self.text.push(' ');
        }
        self.text.push_str(filter);
        self.goes_on = true;
    }
}

fn harmless_fault(fault: &crate::model::search::Fault) -> crate::model::search::Fault {
    use crate::model::search::Fault;
    match fault {
        Fault::NoDay(filter, text) => Fault::NoDay(*filter, harmless::line(text, 40)),
        other => other.clone(),
    }
}

fn note(ui: &mut Ui, text: &str, colour: egui::Color32) {
    let shown = ui.add(Label::new(RichText::new(text).font(theme::small()).color(colour)).wrap());
    widgets::live(ui, shown.id, text);
}
