//! A log line in full: its head and the formatted frame.

use std::sync::Arc;

use egui::{Align, Label, Layout, RichText, ScrollArea, Ui};

use super::line;
use crate::model::log::{Line, What};
use crate::ui::text::{Words, log};
use crate::ui::theme::{self, space};
use crate::ui::{Cx, widgets};

/// An opened line. It stays available after the log has evicted it.
pub(super) struct Details {
    line: Arc<Line>,
    text: String,
}

impl Details {
    /// Formats a line.
    pub(super) fn new(words: &Words, line: Arc<Line>) -> Details {
        let text = line::whole(words, &line);
        Details { line, text }
    }

    /// Number of the line.
    pub(super) fn number(&self) -> u64 {
        self.line.number
    }

    /// Draws the line. Returns `false` once the person closes it.
    pub(super) fn show(&self, ui: &mut Ui, cx: &Cx) -> bool {
        let (theme, words) = (theme::of(ui), cx.words.log);
        let mut still_open = true;
        ui.horizontal(|ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                still_open = !ui.add(widgets::link(theme, words.close_line)).clicked();
                if ui.add(widgets::link(theme, words.copy_line)).clicked() {
                    ui.ctx().copy_text(line::copied(cx.words, &self.line));
                }
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    let head = RichText::new(self.head(cx.words)).font(theme::small()).color(theme.text);
                    ui.add(Label::new(head).truncate());
                });
            });
        });
        if let What::Frame(passed) = &self.line.what
            && passed.cut
        {
            let text = (words.cut)(&line::size(cx.words, passed));
            ui.add(Label::new(RichText::new(text).font(theme::small()).color(theme.warn)).wrap());
        }
        ui.add_space(space::TINY);
        ScrollArea::both().id_salt(("line", self.line.number)).auto_shrink(false).show(ui, |ui| {
            let text = RichText::new(&self.text).font(theme::mono_small());
            ui.add(Label::new(text).selectable(true).extend());
        });
        still_open
    }

    fn head(&self, words: &Words) -> String {
        let (moment, kind) = (log::moment(self.line.at), line::kind(words, &self.line));
        match &self.line.what {
            What::Note(_) => format!("{moment} · {kind}"),
            What::Frame(passed) => {
                format!("{moment} · {} · {kind} · {}", (words.log.way)(passed.way), line::size(words, passed))
            }
        }
    }
}
