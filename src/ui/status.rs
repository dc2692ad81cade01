//! The dialog in which a person says something of themselves, such as what they are doing.

use egui::{Key, TextEdit, Ui, vec2};

use super::dialog::Fate;
use super::theme::{self, size, space};
use super::{Cx, sheet, widgets};
use crate::model::id::ConnectionId;
use crate::model::intent::{ChatIntent, Intent};
use crate::model::principal::MAX_STATUS_CHARS;

/// The dialog.
pub(super) struct Sheet {
    connection: ConnectionId,
    text: String,
    fresh: bool,
}

impl Sheet {
    pub(super) fn new(cx: &Cx, connection: ConnectionId) -> Sheet {
        let text = cx.model.read(|model| {
            let chat = &model.connections.get(&connection)?.chat;
            Some(chat.people.get(&chat.me.as_ref()?.id)?.status.clone())
        });
        Sheet { connection, text: text.unwrap_or_default(), fresh: true }
    }

    pub(super) fn show(&mut self, ui: &mut Ui, cx: &mut Cx) -> Fate {
        let (theme, words) = (theme::of(ui), cx.words.people);
        sheet::title(ui, words.set_status);
        let field = TextEdit::singleline(&mut self.text)
            .hint_text(words.status_hint)
            .char_limit(MAX_STATUS_CHARS)
            .return_key(None)
            .desired_width(f32::INFINITY)
            .align(egui::Align2::LEFT_CENTER)
            .min_size(vec2(0.0, size::CONTROL));
        let field = ui.add(field).accessible_name(words.status_hint);
        if std::mem::take(&mut self.fresh) {
            field.request_focus();
        }
        let enter = field.has_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        widgets::explain(ui, words.status_text);
        ui.add_space(space::SMALL);
        let mut fate = Fate::Open;
        ui.horizontal(|ui| {
            let saves = ui.add(widgets::primary(theme, cx.words.save)).clicked() || enter;
            let clears = ui.add(widgets::plain(words.clear_status)).clicked();
            if saves || clears {
                let text = if clears { String::new() } else { self.text.trim().to_owned() };
                let connection = self.connection;
                cx.intents.push(Intent::Chat(ChatIntent::SetStatus { connection, text }));
                fate = Fate::Closed;
            }
            if ui.add(widgets::plain(cx.words.cancel)).clicked() {
                fate = Fate::Closed;
            }
        });
        fate
    }
}
