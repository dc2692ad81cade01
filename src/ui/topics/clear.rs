//! [`Clearing`]: retained messages are cleared: first a preview of which, then how far it has come.

use egui::{Label, RichText, ScrollArea, Ui};

use super::tree::read;
use crate::model::id::ConnectionId;
use crate::model::intent::Intent;
use crate::model::topic::{MAX_CLEARED, TopicRequest};
use crate::model::topics::Answer;
use crate::ui::theme::{self, size, space};
use crate::ui::{Cx, harmless, sheet, widgets};

/// Longest topic in the preview, in characters.
const MAX_TOPIC_CHARS: usize = 200;

/// The dialog's own state.
pub(super) struct Clearing {
    connection: ConnectionId,
    topics: Vec<String>,
    /// The request, once it was made.
    asked: Option<u64>,
}

impl Clearing {
    /// Of these topics.
    pub(super) fn new(connection: ConnectionId, mut topics: Vec<String>) -> Clearing {
        topics.truncate(MAX_CLEARED);
        topics.sort_by(|one, other| crate::model::topics::natural(one, other));
        Clearing { connection, topics, asked: None }
    }

    /// Draws the dialog. Returns whether it was closed.
    pub(super) fn show(&mut self, ui: &mut Ui, cx: &mut Cx) -> bool {
        let words = cx.words.topics;
        let title = words.clear_title;
        let most = (ui.ctx().content_rect().height() - 260.0).max(80.0);
        let shown = sheet::show(ui, "clear retained", title, size::WIDE_DIALOG, |ui| {
            sheet::title(ui, title);
            if self.topics.is_empty() {
                ui.add(Label::new(words.nothing_to_clear).wrap());
                return ui.add(widgets::plain(cx.words.close)).clicked();
            }
            ui.add(Label::new((words.clear_text)(cx.words, self.topics.len())).wrap());
            self.preview(ui, most);
            ui.add_space(space::SMALL);
            match self.asked {
                None => self.ask(ui, cx),
                Some(number) => self.progress(ui, cx, number),
            }
        });
        let escape = sheet::is_escaped(ui, &shown);
        shown.inner || escape
    }

    fn preview(&self, ui: &mut Ui, most: f32) {
        let row = ui.fonts_mut(|fonts| fonts.row_height(&theme::mono_small()));
        let scroll = ScrollArea::vertical().id_salt("to clear").max_height(most).auto_shrink([false, true]);
        scroll.show_rows(ui, row, self.topics.len(), |ui, range| {
            for topic in &self.topics[range] {
                let text = RichText::new(harmless::line(topic, MAX_TOPIC_CHARS)).font(theme::mono_small());
                ui.add(Label::new(text).truncate());
            }
        });
    }

    fn ask(&mut self, ui: &mut Ui, cx: &mut Cx) -> bool {
        let words = cx.words.topics;
        let mut closed = false;
        ui.horizontal(|ui| {
            let text =
                RichText::new((words.clear_button)(cx.words, self.topics.len())).color(theme::of(ui).bad);
            let really = egui::Button::new(text).min_size(egui::vec2(72.0, size::CONTROL));
            if ui.add(really).clicked() {
                let number = crate::ui::request_number();
                self.asked = Some(number);
                let topics = self.topics.clone();
                cx.intents.push(Intent::Topic(self.connection, TopicRequest::Clear { number, topics }));
                cx.deadline.at(cx.now.boot_ms);
            }
            closed = ui.add(widgets::plain(cx.words.cancel)).clicked();
        });
        closed
    }

    fn progress(&self, ui: &mut Ui, cx: &Cx, number: u64) -> bool {
        let words = cx.words.topics;
        let answer = read(cx, self.connection, |topics| topics.answer_to(number).cloned()).flatten();
        let text = match &answer {
            Some(Answer::Cleared { done, failed, why, is_over }) => {
                let mut text = (words.cleared)(cx.words, *done as usize, self.topics.len(), *is_over);
                if *failed > 0 {
                    text.push(' ');
                    text.push_str(&(words.not_cleared)(cx.words, *failed as usize));
                }
                if let Some(why) = why {
                    text.push(' ');
                    text.push_str(&(words.outcome)(why));
                }
                text
            }
            _ => words.clearing.to_owned(),
        };
        let label = ui.add(Label::new(&text).wrap());
        widgets::live(ui, label.id, &text);
        ui.add(widgets::plain(cx.words.close)).clicked()
    }
}
