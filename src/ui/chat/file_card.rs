//! The file of a message: a card with its name, or a thumbnail. Its place does not depend on what is here already, so that
//! nothing moves while pictures come in.

use std::sync::Arc;

use egui::accesskit::Role;
use egui::{
    Color32, CursorIcon, Galley, Id, Image, Painter, Pos2, Rect, Sense, Stroke, StrokeKind, Ui, UiBuilder,
    Vec2, WidgetInfo, pos2, vec2,
};

use super::RoomKey;
use crate::model::file::{FileInfo, size_text};
use crate::model::files::{FileTrouble, Held, MAX_AUTO_BYTES, THUMBNAIL_POINTS, Thumbnail};
use crate::model::intent::{AppIntent, FileIntent, Intent};
use crate::ui::theme::{self, Theme, radius, size, space};
use crate::ui::{Cx, harmless, textures, widgets};

/// Height of a card, in points.
const CARD: f32 = 56.0;
/// Widest card, in points.
const MAX_WIDTH: f32 = 420.0;
/// Height of the line below a thumbnail, in points.
const CAPTION: f32 = 24.0;
/// Above and below it, in points.
const GAP: f32 = 4.0;
/// Width of the line below a file from which on it has all that can be done with it, in points.
const MIN_FOR_SAVE_AS: f32 = 340.0;
/// Longest name, in characters.
const MAX_NAME_CHARS: usize = 120;
/// Longest path, in characters.
const MAX_PATH_CHARS: usize = 300;

/// The place of a file, below and beside the corner of its message's words.
pub(super) struct FileBox {
    info: FileInfo,
    top: f32,
    width: f32,
    /// Of a thumbnail.
    picture: Option<Vec2>,
    /// The thumbnail, once it is there.
    shown: Option<crate::model::export::Picture>,
    state: State,
    note: Option<Arc<Galley>>,
}

/// What is here of it.
struct State {
    held: Option<Held>,
    /// The file turned out to be no picture that can be shown.
    is_no_picture: bool,
    saved: Option<Result<std::path::PathBuf, FileTrouble>>,
}

impl FileBox {
    /// How much room it takes.
    pub(super) fn height(&self) -> f32 {
        let note = self.note.as_ref().map_or(0.0, |note| note.size().y + 2.0);
        2.0 * GAP + note + self.picture.map_or(CARD, |picture| picture.y + CAPTION)
    }
}

/// The size of a thumbnail's place, by what the message says.
fn place_of(info: &FileInfo, width: f32) -> Option<Vec2> {
    let (Some(wide), Some(high)) = (info.width, info.height) else { return None };
    if !info.is_picture() || info.size > MAX_AUTO_BYTES {
        return None;
    }
    let picture = vec2(wide as f32, high as f32);
    let most = vec2(THUMBNAIL_POINTS.0.min(width), THUMBNAIL_POINTS.1);
    let scale = (most.x / picture.x).min(most.y / picture.y).min(1.0);
    // Nothing that cannot be clicked.
    Some((picture * scale).max(vec2(24.0, 24.0)).min(most))
}

/// Gives a file its place, from `top` on.
pub(super) fn measure(ui: &Ui, cx: &Cx, info: &FileInfo, top: f32, width: f32) -> FileBox {
    let (state, shown) = cx.model.read(|model| {
        let thumbnail = model.files.thumbnail(&info.sha256);
        let saved = model.files.saved.as_ref().filter(|(id, _)| *id == info.id);
        let state = State {
            held: model.files.held.get(&info.sha256).cloned(),
            is_no_picture: thumbnail == Some(&Thumbnail::None),
            saved: saved.map(|(_, saved)| saved.clone()),
        };
        let shown = match thumbnail {
            Some(Thumbnail::Picture(picture)) => Some(picture.clone()),
            _ => None,
        };
        (state, shown)
    });
    let width = width.min(MAX_WIDTH);
    let picture = place_of(info, width).filter(|_| !state.is_no_picture);
    let theme = theme::of(ui);
    let note = note_of(cx, &state).map(|(text, is_bad)| {
        let colour = if is_bad { theme.bad } else { theme.weak };
        ui.painter().layout(text, theme::small(), colour, width)
    });
    FileBox { info: info.clone(), top, width, picture, shown, state, note }
}

/// What is said below a file, and whether it is bad.
fn note_of(cx: &Cx, state: &State) -> Option<(String, bool)> {
    let words = cx.words.files;
    match (&state.saved, &state.held) {
        (Some(Ok(path)), _) => {
            Some(((words.saved_to)(&harmless::line(&path.display().to_string(), MAX_PATH_CHARS)), false))
        }
        (Some(Err(trouble)), _) | (None, Some(Held::Failed(trouble))) => {
            Some(((words.trouble)(trouble), true))
        }
        _ => None,
    }
}

/// How much of it is here, of a hundred.
pub(super) fn percent(done: u64, size: u64) -> u8 {
    u8::try_from(done.saturating_mul(100) / size.max(1)).unwrap_or(100).min(100)
}

/// Draws it. `corner`: of the message's words. Returns what the person wants.
pub(super) fn show(
    ui: &mut Ui,
    cx: &mut Cx,
    key: &RoomKey,
    id: Id,
    file: &FileBox,
    corner: Pos2,
) -> Option<Intent> {
    let theme = theme::of(ui);
    let id = id.with("file");
    let top = corner + vec2(0.0, file.top + GAP);
    if file.picture.is_some() && file.shown.is_none() && !matches!(file.state.held, Some(Held::Failed(_))) {
        fetch_for_thumbnail(ui, cx, key, file);
    }
    let name = harmless::line(&file.info.name, MAX_NAME_CHARS);
    let wish = match file.picture {
        Some(picture) => thumbnail(ui, cx, key, id, file, &name, Rect::from_min_size(top, picture)),
        None => card(ui, cx, key, id, file, &name, Rect::from_min_size(top, vec2(file.width, CARD))),
    };
    let Some(note) = &file.note else { return wish };
    let at = top + vec2(0.0, file.picture.map_or(CARD, |picture| picture.y + CAPTION) + 2.0);
    ui.painter().galley(at, Arc::clone(note), theme.text);
    let shown = widgets::spoken(ui, Rect::from_min_size(at, note.size()), id.with("note"), note.text());
    widgets::live(ui, shown.id, note.text());
    wish
}

fn fetch_for_thumbnail(ui: &Ui, cx: &mut Cx, key: &RoomKey, file: &FileBox) {
    if textures::is_due(ui.ctx(), file.info.sha256, cx.now.boot_ms) {
        let fetch = FileIntent::Fetch { connection: key.0, file: file.info.clone(), thumbnail: true };
        cx.intents.push(Intent::File(fetch));
    }
}

fn thumbnail(
    ui: &mut Ui,
    cx: &Cx,
    key: &RoomKey,
    id: Id,
    file: &FileBox,
    name: &str,
    rect: Rect,
) -> Option<Intent> {
    let theme = theme::of(ui);
    let response = ui.interact(rect, id, Sense::click());
    let said = (cx.words.files.picture_named)(name, &size_text(file.info.size));
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &said));
    let corner = f32::from(radius::CONTROL);
    match &file.shown {
        Some(picture) => {
            let texture = textures::texture(ui.ctx(), file.info.sha256, picture);
            Image::new((texture.id(), rect.size())).corner_radius(corner).paint_at(ui, rect);
        }
        None => {
            ui.painter().rect_filled(rect, corner, theme.panel);
            let text = match &file.state.held {
                Some(Held::Loading(here)) => (cx.words.files.fetching)(percent(*here, file.info.size)),
                _ => cx.words.files.loading.to_owned(),
            };
            let text = widgets::cut(ui, &text, theme::small(), theme.weak, rect.width() - space::SMALL);
            ui.painter().galley(rect.center() - text.size() / 2.0, text, theme.weak);
        }
    }
    ui.painter().rect_stroke(rect, corner, Stroke::new(1.0, theme.line), StrokeKind::Inside);
    widgets::focus_ring(ui, &response, theme);
    if response.hovered() {
        ui.set_cursor_icon(CursorIcon::PointingHand);
    }
    let viewed = response.on_hover_text(name).clicked();
    let line = Rect::from_min_size(rect.left_bottom(), vec2(file.width, CAPTION));
    let wish = acts(ui, cx, key, id, file, line, Some(name));
    if viewed { Some(view(key, file)) } else { wish }
}

fn view(key: &RoomKey, file: &FileBox) -> Intent {
    Intent::File(FileIntent::View { connection: key.0, file: file.info.clone() })
}

fn card(
    ui: &mut Ui,
    cx: &Cx,
    key: &RoomKey,
    id: Id,
    file: &FileBox,
    name: &str,
    rect: Rect,
) -> Option<Intent> {
    let theme = theme::of(ui);
    let corner = f32::from(radius::CARD);
    ui.painter().rect(rect, corner, theme.panel, Stroke::new(1.0, theme.line), StrokeKind::Inside);
    let said = (cx.words.files.file_named)(name, &size_text(file.info.size));
    widgets::spoken(ui, rect, id, &said).on_hover_text(name);
    sheet_of_paper(ui.painter(), rect.left_center() + vec2(24.0, 0.0), theme);
    let left = rect.left() + 44.0;
    let shown = widgets::cut(ui, name, theme::body(), theme.text, rect.right() - left - space::SMALL);
    ui.painter().galley(pos2(left, rect.top() + 7.0), shown, theme.text);
    let line = Rect::from_min_max(pos2(left, rect.top() + 28.0), rect.max - vec2(space::SMALL, 4.0));
    acts(ui, cx, key, id, file, line, None)
}

/// The line with a file's size and what can be done with it. `name`: told first, where nothing else tells it.
fn acts(
    ui: &mut Ui,
    cx: &Cx,
    key: &RoomKey,
    id: Id,
    file: &FileBox,
    place: Rect,
    name: Option<&str>,
) -> Option<Intent> {
    let theme = theme::of(ui);
    let words = cx.words.files;
    let layout = egui::Layout::left_to_right(egui::Align::Center);
    let mut line = ui.new_child(UiBuilder::new().max_rect(place).scope_id(id.with("acts")).layout(layout));
    line.spacing_mut().item_spacing.x = space::MEDIUM;
    line.spacing_mut().button_padding.x = 0.0;
    let has_room = place.width() > MIN_FOR_SAVE_AS;
    let text = match &file.state.held {
        Some(Held::Loading(here)) if file.picture.is_none() => {
            (words.fetching)(percent(*here, file.info.size))
        }
        _ => size_text(file.info.size),
    };
    let text = match name {
        Some(name) => format!("{name} · {text}"),
        None => text,
    };
    let text = widgets::cut(
        &line,
        &text,
        theme::small(),
        theme.weak,
        place.width() - if has_room { 240.0 } else { 130.0 },
    );
    let (rect, _) = line.allocate_exact_size(text.size(), Sense::hover());
    line.painter().galley(rect.min, text, theme.weak);
    offers(&mut line, cx, key, file, has_room)
}

/// What can be done with a file, as links in its line. `has_room`: for one that is wanted seldom, too.
fn offers(line: &mut Ui, cx: &Cx, key: &RoomKey, file: &FileBox, has_room: bool) -> Option<Intent> {
    let (theme, words) = (theme::of(line), cx.words.files);
    let file_intent = |intent| Some(Intent::File(intent));
    let (connection, info) = (key.0, file.info.clone());
    let mut wish = None;
    match (&file.state.held, &file.state.saved) {
        (_, Some(Ok(path))) => {
            if line.add(widgets::link(theme, words.show_in_folder)).clicked() {
                wish = Some(Intent::App(AppIntent::ShowFile(path.clone())));
            }
        }
        (Some(Held::Loading(_)), _) => {
            if line.add(widgets::link(theme, cx.words.cancel)).clicked() {
                wish = file_intent(FileIntent::EndFetch(info.sha256));
            }
        }
        (Some(Held::Failed(_)), _) => {
            if line.add(widgets::link(theme, cx.words.retry)).clicked() {
                wish = file_intent(FileIntent::Fetch {
                    connection,
                    file: info,
                    thumbnail: file.picture.is_some(),
                });
            }
        }
        _ => {
            if line.add(widgets::link(theme, words.save)).clicked() {
                wish = file_intent(FileIntent::Save { connection, file: info.clone() });
            }
            if has_room && line.add(widgets::link(theme, words.save_as)).clicked() {
                wish = file_intent(FileIntent::SaveAs { connection, file: info });
            }
        }
    }
    let can_view = file.info.is_picture() && file.picture.is_none() && !file.state.is_no_picture;
    if can_view && line.add(widgets::link(theme, words.view)).clicked() {
        wish = Some(view(key, file));
    }
    wish
}

/// A sheet with a folded corner.
pub(super) fn sheet_of_paper(painter: &Painter, centre: Pos2, theme: &Theme) {
    let (half, fold) = (vec2(size::ICON * 0.4, size::ICON * 0.5), 5.0);
    let rect = Rect::from_center_size(centre, 2.0 * half);
    let stroke = Stroke::new(1.5, theme.weak);
    let corner = rect.right_top();
    let outline = vec![
        rect.left_top(),
        corner - vec2(fold, 0.0),
        corner + vec2(0.0, fold),
        rect.right_bottom(),
        rect.left_bottom(),
    ];
    painter.add(egui::Shape::convex_polygon(outline, Color32::TRANSPARENT, stroke));
    painter.line_segment([corner - vec2(fold, 0.0), corner + vec2(-fold, fold)], stroke);
    painter.line_segment([corner + vec2(-fold, fold), corner + vec2(0.0, fold)], stroke);
}
