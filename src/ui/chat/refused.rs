//! A paste that is too long for a message: it is said what was not taken, and it can be saved as a file.

use egui::{Label, RichText, Ui};

use crate::model::intent::{AppIntent, Intent};
use crate::ui::theme;
use crate::ui::{Cx, harmless, widgets};

/// A longer paste is not held for a file, in bytes.
const MAX_HELD_BYTES: usize = 256 * 1024 * 1024;

/// A paste that was not taken.
pub(super) struct Refused {
    /// All of it; none where even that is too much.
    text: Option<String>,
    /// How many characters it has, and for how many there was room.
    length: usize,
    room: usize,
    /// The number of the request to save it.
    asked: Option<u64>,
}

impl Refused {
    /// Of a paste of so many characters, where there was room for `room`.
    pub(super) fn new(text: &str, length: usize, room: usize) -> Refused {
        let held = (text.len() <= MAX_HELD_BYTES).then(|| text.to_owned());
        Refused { text: held, length, room, asked: None }
    }

    /// Draws the note above the field. Returns whether it is done with.
    pub(super) fn show(&mut self, ui: &mut Ui, cx: &mut Cx) -> bool {
        let theme = theme::of(ui);
        let words = cx.words.rich;
        let saved = cx.model.read(|model| {
            let asked = self.asked?;
            model.text_saved.clone().filter(|(number, _)| *number == asked).map(|(_, saved)| saved)
        });
        let (text, colour) = match &saved {
            Some(Ok(path)) => {
                ((words.paste_saved)(&harmless::line(&path.display().to_string(), 400)), theme.text)
            }
            Some(Err(detail)) => ((words.paste_not_saved)(&harmless::line(detail, 200)), theme.bad),
            None => ((words.paste_too_long)(self.length, self.room), theme.bad),
        };
        let mut done = false;
        ui.horizontal_wrapped(|ui| {
            let label = ui.add(Label::new(RichText::new(&text).font(theme::small()).color(colour)).wrap());
            widgets::live(ui, label.id, &text);
            let is_saved = matches!(saved, Some(Ok(_)));
            let waits = self.asked.is_some() && saved.is_none();
            if !is_saved
                && let Some(held) = &self.text
                && ui.add_enabled(!waits, widgets::link(theme, words.save_as_file)).clicked()
            {
                let number = crate::ui::request_number();
                self.asked = Some(number);
                cx.intents.push(Intent::App(AppIntent::SaveText { number, text: held.clone() }));
            }
            done = ui.add(widgets::link(theme, cx.words.dismiss)).clicked();
        });
        done
    }
}
