//! [`Pictures`]: a payload that is a picture. It is decoded by the worker, away from the window.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use egui::{ColorImage, Image, TextureHandle, TextureOptions, Ui, vec2};

use crate::model::files::Thumbnail;
use crate::model::intent::{AppIntent, Intent};
use crate::model::topics::Past;
use crate::ui::{Cx, widgets};

/// The number of the next request.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// State of the picture.
#[derive(Default)]
pub(super) struct Pictures {
    /// The request without an answer, and the number of the message.
    asked: Option<(u64, u64)>,
    /// The number of the message that is shown, and its picture; none if it cannot be shown.
    shown: Option<(u64, Option<TextureHandle>)>,
}

impl Pictures {
    /// Draws the picture of a message, at most so high. While a newer one is decoded the one before stays.
    pub(super) fn show(&mut self, ui: &mut Ui, cx: &mut Cx, past: &Past, most: f32) {
        self.take(ui, cx);
        let is_shown = self.shown.as_ref().is_some_and(|(number, _)| *number == past.number);
        if !is_shown && self.asked.is_none() {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let bytes = Arc::clone(&past.payload);
            cx.intents.push(Intent::App(AppIntent::DecodePicture { number, bytes }));
            self.asked = Some((number, past.number));
        }
        let words = cx.words.topics;
        match &self.shown {
            Some((_, Some(texture))) => {
                let room = vec2(ui.available_width(), most);
                let image = ui.add(Image::new(texture).max_size(room).fit_to_exact_size(fit(texture, room)));
                widgets::named(ui, &image, words.picture);
            }
            Some((_, None)) => _ = widgets::small_label(ui, cx.words.files.not_a_picture),
            None => _ = widgets::small_label(ui, cx.words.files.loading),
        }
    }

    /// Takes the answer.
    fn take(&mut self, ui: &Ui, cx: &Cx) {
        let Some((asked, message)) = self.asked else { return };
        let answer = cx.model.read(|model| {
            model
                .decoded_picture
                .as_ref()
                .filter(|(number, _)| *number == asked)
                .map(|(_, found)| found.clone())
        });
        let Some(answer) = answer else { return };
        self.asked = None;
        let texture = match answer {
            Thumbnail::Picture(picture) => {
                let size = [picture.width as usize, picture.height as usize];
                let image = ColorImage::from_rgba_unmultiplied(size, &picture.rgba);
                Some(ui.ctx().load_texture("topic", image, TextureOptions::LINEAR))
            }
            Thumbnail::None => None,
        };
        self.shown = Some((message, texture));
    }
}

/// As large as fits, and no larger than it is.
fn fit(texture: &TextureHandle, room: egui::Vec2) -> egui::Vec2 {
    let size = texture.size_vec2();
    size * (room.x / size.x).min(room.y / size.y).min(1.0)
}
