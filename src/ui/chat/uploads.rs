//! Files that are not messages yet, above the message field: what they wait for, and how to give them up.

use std::path::PathBuf;

use egui::{Align, Label, Layout, ProgressBar, RichText, ScrollArea, TextEdit, Ui, vec2};

use super::RoomKey;
use super::file_card::{percent, sheet_of_paper};
use crate::model::features::Feature;
use crate::model::file::size_text;
use crate::model::files::{FileTrouble, PendingFile, Stage};
use crate::model::id::MessageId;
use crate::model::intent::{FileIntent, FileSource, Intent};
use crate::ui::icons::Icon;
use crate::ui::theme::{self, size, space};
use crate::ui::{Cx, harmless, widgets};

/// Longest name, in characters.
const MAX_NAME_CHARS: usize = 80;
/// So many are shown before they scroll.
const MAX_SHOWN: f32 = 3.5;
/// Height of one, in points.
const ROW: f32 = 40.0;

/// The state of the files of one message field.
#[derive(Default)]
pub(super) struct Uploads {
    /// The path that is typed, where there is nothing to pick files with.
    path: Option<String>,
    /// The request for a path that was answered.
    path_asked: bool,
}

/// Whether files can be sent to a room.
pub(super) fn are_offered(cx: &Cx, key: &RoomKey) -> bool {
    cx.model.read(|model| {
        let connection = model.connections.get(&key.0);
        // Before the server was reached nothing is known: it may take none.
        connection.is_some_and(|c| c.features.as_ref().is_some_and(|features| features.has(Feature::Files)))
    })
}

/// Whether files wait for the next message.
pub(super) fn are_attached(cx: &Cx, key: &RoomKey, thread: Option<MessageId>) -> bool {
    cx.model.read(|model| {
        let mut pending = model.files.pending_in(key.0, &key.1, thread);
        pending.any(|file| matches!(file.stage, Stage::Attached | Stage::Copying))
    })
}

/// Has the person pick files.
pub(super) fn pick(cx: &mut Cx, key: &RoomKey, thread: Option<MessageId>) {
    let (connection, room) = key.clone();
    cx.intents.push(Intent::File(FileIntent::Pick { connection, room, thread }));
}

/// Adds a file to the next message.
pub(super) fn add(cx: &mut Cx, key: &RoomKey, thread: Option<MessageId>, source: FileSource) {
    let (connection, room) = key.clone();
    cx.intents.push(Intent::File(FileIntent::Add { connection, room, thread, source }));
}

/// Adds files that are dropped on the window, and says so while they are above it.
pub(super) fn take_dropped(ui: &Ui, cx: &mut Cx, key: &RoomKey) {
    let (hovers, dropped) =
        ui.input(|input| (!input.raw.hovered_files.is_empty(), input.raw.dropped_files.clone()));
    if (!hovers && dropped.is_empty()) || !are_offered(cx, key) {
        return;
    }
    for file in dropped {
        add(cx, key, None, FileSource::Path(file.path().to_owned()));
    }
    if hovers {
        let theme = theme::of(ui);
        let rect = ui.available_rect_before_wrap().shrink(space::SMALL);
        let painter = ui.ctx().layer_painter(egui::LayerId::new(egui::Order::Foreground, ui.unique_id()));
        painter.rect_filled(rect, f32::from(theme::radius::CARD), theme.veil);
        let stroke = egui::Stroke::new(2.0, theme.accent);
        painter.rect_stroke(rect, f32::from(theme::radius::CARD), stroke, egui::StrokeKind::Inside);
        let text = cx.words.files.drop_here;
        painter.text(rect.center(), egui::Align2::CENTER_CENTER, text, theme::heading(), theme.text);
    }
}

impl Uploads {
    /// Draws them. Returns whether the field is to have the focus again.
    pub(super) fn show(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx,
        key: &RoomKey,
        thread: Option<MessageId>,
    ) -> bool {
        let pending: Vec<PendingFile> =
            cx.model.read(|model| model.files.pending_in(key.0, &key.1, thread).cloned().collect());
        let mut done = self.path_field(ui, cx, key, thread);
        if pending.is_empty() {
            return done;
        }
        let most = MAX_SHOWN * (ROW + space::TINY);
        let area = ScrollArea::vertical().id_salt(("files to send", key, thread)).max_height(most);
        area.auto_shrink([false, true]).show(ui, |ui| {
            for file in &pending {
                done |= row(ui, cx, key, file);
            }
        });
        ui.add_space(space::TINY);
        done
    }

    /// The field for a path, where there is nothing to pick files with.
    fn path_field(&mut self, ui: &mut Ui, cx: &mut Cx, key: &RoomKey, thread: Option<MessageId>) -> bool {
        let asked = (key.0, key.1.clone(), thread);
        let is_asked = cx.model.read(|model| model.files.asks_path.as_ref() == Some(&asked));
        if is_asked && !std::mem::replace(&mut self.path_asked, true) {
            self.path = Some(String::new());
        }
        let Some(path) = &mut self.path else { return false };
        let words = cx.words.files;
        let (mut chosen, mut done) = (None, false);
        ui.horizontal(|ui| {
            let width = (ui.available_width() - 160.0).max(80.0);
            let field = TextEdit::singleline(path).hint_text(words.path_hint).desired_width(width);
            let field = ui.add(field);
            widgets::named(ui, &field, words.path);
            let enter = field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
            let typed = path.trim();
            let add = ui.add_enabled(!typed.is_empty(), widgets::plain(words.add)).clicked();
            if (add || enter) && !typed.is_empty() {
                chosen = Some(PathBuf::from(typed));
            }
            done = ui.add(widgets::link(theme::of(ui), cx.words.cancel)).clicked();
        });
        if let Some(path) = chosen {
            add(cx, key, thread, FileSource::Path(path));
            done = true;
        }
        if done {
            self.path = None;
        }
        done
    }

    /// The person wants to pick files: where that is not possible, the field for a path comes back.
    pub(super) fn pick(&mut self, cx: &mut Cx, key: &RoomKey, thread: Option<MessageId>) {
        if self.path_asked {
            self.path = Some(String::new());
        }
        pick(cx, key, thread);
    }
}

/// Draws one of them. Returns whether it was given up.
fn row(ui: &mut Ui, cx: &mut Cx, key: &RoomKey, file: &PendingFile) -> bool {
    let (theme, words) = (theme::of(ui), cx.words.files);
    let name = harmless::line(&file.info.name, MAX_NAME_CHARS);
    let mut is_over = false;
    let layout = Layout::right_to_left(Align::Center);
    ui.allocate_ui_with_layout(vec2(ui.available_width(), ROW), layout, |ui| {
        ui.set_min_height(ROW);
        let hint = (words.remove)(&name);
        if widgets::icon_button(ui, Icon::Close, &hint, &hint, false).clicked() {
            let cancel = FileIntent::Cancel { connection: key.0, file: file.info.id };
            cx.intents.push(Intent::File(cancel));
            is_over = true;
        }
        let can_retry =
            !matches!(&file.stage, Stage::Failed(FileTrouble::TooMany | FileTrouble::Disk { .. }));
        if matches!(file.stage, Stage::Failed(_))
            && can_retry
            && ui.add(widgets::link(theme, cx.words.retry)).clicked()
        {
            let retry = FileIntent::Retry { connection: key.0, file: file.info.id };
            cx.intents.push(Intent::File(retry));
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            let (mark, _) = ui.allocate_exact_size(vec2(size::ICON, ROW), egui::Sense::hover());
            sheet_of_paper(ui.painter(), mark.center(), theme);
            ui.vertical(|ui| {
                ui.spacing_mut().item_spacing.y = 0.0;
                let size = size_text(file.info.size);
                let title = if file.info.size > 0 { format!("{name} · {size}") } else { name.clone() };
                ui.add(Label::new(RichText::new(title).font(theme::small())).truncate());
                state(ui, cx, file);
            });
        });
    });
    is_over
}

/// How far a file has come: in words, and where it is on its way as a bar.
fn state(ui: &mut Ui, cx: &Cx, file: &PendingFile) {
    let (theme, words) = (theme::of(ui), cx.words.files);
    let size = file.info.size;
    let (text, colour) = match &file.stage {
        Stage::Copying => (words.copying.to_owned(), theme.weak),
        Stage::Attached => (words.attached.to_owned(), theme.weak),
        Stage::Waiting(None) => (words.waiting.to_owned(), theme.weak),
        Stage::Waiting(Some(trouble)) => ((words.trouble)(trouble), theme.warn),
        Stage::Uploading(sent) => ((words.uploading)(percent(*sent, size)), theme.weak),
        Stage::Sending => (words.sending.to_owned(), theme.weak),
        Stage::Failed(trouble) => ((words.trouble)(trouble), theme.bad),
    };
    if let Stage::Uploading(sent) = &file.stage {
        ui.horizontal(|ui| {
            let share = *sent as f32 / size.max(1) as f32;
            let bar = ui.add(ProgressBar::new(share.min(1.0)).desired_width(120.0).desired_height(4.0));
            widgets::named(ui, &bar, &text);
            ui.add(Label::new(RichText::new(&text).font(theme::small()).color(colour)).truncate());
        });
        return;
    }
    let shown = ui.add(Label::new(RichText::new(&text).font(theme::small()).color(colour)).truncate());
    widgets::live(ui, shown.id, &text);
    shown.on_hover_text(text);
}
