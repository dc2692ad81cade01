//! The viewer: one picture of a message, as large as the window, with zoom.

use egui::{
    ColorImage, Image, Key, Label, RichText, ScrollArea, TextureHandle, TextureOptions, Ui, Vec2, vec2,
};

use super::icons::Icon;
use super::theme::{self, size, space};
use super::{Cx, harmless, sheet, widgets};
use crate::model::export::Picture;
use crate::model::file::{FileHash, size_text};
use crate::model::files::{Held, Thumbnail, Viewed};
use crate::model::intent::{FileIntent, Intent};

/// Longest name, in characters.
const MAX_NAME_CHARS: usize = 120;
/// How much larger or smaller a step makes it.
const STEP: f32 = 1.25;
/// Smallest and largest zoom.
const ZOOM: std::ops::RangeInclusive<f32> = 0.05..=8.0;

/// The viewer's own state.
#[derive(Default)]
pub(super) struct Viewer {
    /// Of the picture that is shown.
    texture: Option<(FileHash, TextureHandle)>,
    /// None: as large as fits.
    zoom: Option<f32>,
}

/// Whether a picture is looked at.
pub(super) fn is_open(cx: &Cx) -> bool {
    cx.model.read(|model| model.files.viewed.is_some())
}

impl Viewer {
    /// Draws it, if a picture is looked at. Returns whether it was closed.
    pub(super) fn show(&mut self, ui: &Ui, cx: &mut Cx) -> bool {
        let (viewed, held) = cx.model.read(|model| {
            let viewed = model.files.viewed.clone();
            let held = viewed.as_ref().and_then(|viewed| model.files.held.get(&viewed.info.sha256).cloned());
            (viewed, held)
        });
        let Some(viewed) = viewed else {
            *self = Viewer::default();
            return false;
        };
        let window = ui.ctx().content_rect().size();
        let mut closed = false;
        let shown = sheet::show(ui, "viewer", cx.words.files.viewer, window.x, |ui| {
            closed = self.head(ui, cx, &viewed);
            let room = vec2(ui.available_width(), (window.y - 150.0).max(80.0));
            match (&viewed.picture, &held) {
                (Some(Thumbnail::Picture(picture)), _) => self.picture(ui, cx, &viewed, picture, room),
                (Some(Thumbnail::None), _) => said(ui, cx.words.files.not_a_picture, room),
                (None, Some(Held::Failed(trouble))) => said(ui, &(cx.words.files.trouble)(trouble), room),
                (None, _) => said(ui, cx.words.files.loading, room),
            }
        });
        let escape = shown.is_top_modal
            && !shown.any_popup_open
            && (ui.input(|input| input.key_pressed(Key::Escape)) || shown.backdrop_response.clicked());
        if closed || escape {
            cx.intents.push(Intent::File(FileIntent::EndView));
            *self = Viewer::default();
        }
        closed || escape
    }

    /// The picture's name, and what can be done with it. Returns whether it is to be closed.
    fn head(&mut self, ui: &mut Ui, cx: &mut Cx, viewed: &Viewed) -> bool {
        let (words, theme) = (cx.words.files, theme::of(ui));
        let mut closed = false;
        let saved = cx.model.read(|model| {
            let saved = model.files.saved.as_ref().filter(|(id, _)| *id == viewed.info.id);
            saved.map(|(_, saved)| saved.clone())
        });
        ui.allocate_ui_with_layout(
            vec2(ui.available_width(), size::CONTROL),
            egui::Layout::right_to_left(egui::Align::Center),
            |ui| {
                closed =
                    widgets::icon_button(ui, Icon::Close, cx.words.close, cx.words.close, false).clicked();
                if ui.add(widgets::plain(words.save)).clicked() {
                    let (connection, file) = (viewed.connection, viewed.info.clone());
                    cx.intents.push(Intent::File(FileIntent::Save { connection, file }));
                }
                if ui.add(widgets::plain(words.save_as)).clicked() {
                    let (connection, file) = (viewed.connection, viewed.info.clone());
                    cx.intents.push(Intent::File(FileIntent::SaveAs { connection, file }));
                }
                let fit = widgets::icon_button(ui, Icon::Both, words.fit, words.fit, false);
                let more = widgets::icon_button(ui, Icon::ZoomIn, words.zoom_in, words.zoom_in, false);
                let less = widgets::icon_button(ui, Icon::ZoomOut, words.zoom_out, words.zoom_out, false);
                let by_key = |key| ui.input(|input| input.key_pressed(key));
                if fit.clicked() || by_key(Key::Num0) {
                    self.zoom = None;
                }
                let step = match () {
                    () if more.clicked() || by_key(Key::Plus) || by_key(Key::Equals) => Some(STEP),
                    () if less.clicked() || by_key(Key::Minus) => Some(1.0 / STEP),
                    () => None,
                };
                if let Some(step) = step {
                    let now = self.zoom.unwrap_or(1.0);
                    self.zoom = Some((now * step).clamp(*ZOOM.start(), *ZOOM.end()));
                }
                ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                    let name = harmless::line(&viewed.info.name, MAX_NAME_CHARS);
                    let title = format!("{name} · {}", size_text(viewed.info.size));
                    let shown = ui.add(Label::new(RichText::new(&title)).truncate());
                    widgets::heading(ui, &shown, &title, 2);
                });
            },
        );
        let text = match saved {
            Some(Ok(path)) => {
                Some(((words.saved_to)(&harmless::line(&path.display().to_string(), 300)), false))
            }
            Some(Err(trouble)) => Some(((words.trouble)(&trouble), true)),
            None => None,
        };
        if let Some((text, is_bad)) = text {
            let colour = if is_bad { theme.bad } else { theme.weak };
            let note = ui.add(Label::new(RichText::new(&text).font(theme::small()).color(colour)).wrap());
            widgets::live(ui, note.id, &text);
        }
        closed
    }

    fn picture(&mut self, ui: &mut Ui, cx: &Cx, viewed: &Viewed, picture: &Picture, room: Vec2) {
        let hash = viewed.info.sha256;
        let texture = match &self.texture {
            Some((known, texture)) if *known == hash => texture.clone(),
            _ => {
                let pixels = [picture.width as usize, picture.height as usize];
                let image = ColorImage::from_rgba_unmultiplied(pixels, &picture.rgba);
                let texture = ui.ctx().load_texture("viewer", image, TextureOptions::LINEAR);
                self.texture = Some((hash, texture.clone()));
                texture
            }
        };
        let own = vec2(picture.width as f32, picture.height as f32) / ui.ctx().pixels_per_point();
        let fits = (room.x / own.x).min(room.y / own.y).min(1.0);
        // Zooming begins at what is shown.
        let scale = self.zoom.map_or(fits, |zoom| fits * zoom);
        let shown = (own * scale).max(Vec2::splat(1.0));
        let area = ScrollArea::both().max_width(room.x).max_height(room.y).auto_shrink([false, false]);
        area.show(ui, |ui| {
            let beside = ((room - shown) / 2.0).max(Vec2::ZERO);
            ui.add_space(beside.y);
            ui.horizontal(|ui| {
                ui.add_space(beside.x);
                let image = ui.add(Image::new((texture.id(), shown)));
                let name = harmless::line(&viewed.info.name, MAX_NAME_CHARS);
                let said = (cx.words.files.picture_named)(&name, &size_text(viewed.info.size));
                widgets::named(ui, &image, &said);
            });
        });
    }
}

/// Words in place of the picture.
fn said(ui: &mut Ui, text: &str, room: Vec2) {
    ui.allocate_ui(room, |ui| {
        ui.set_min_height(room.y);
        ui.add_space(room.y / 2.0 - size::BODY_LINE);
        ui.vertical_centered(|ui| {
            let label = ui.add(Label::new(RichText::new(text).color(theme::of(ui).weak)).wrap());
            widgets::live(ui, label.id, text);
        });
    });
    ui.add_space(space::TINY);
}
