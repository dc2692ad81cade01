//! The dialog that saves a room's or a connection's messages as a file.

use egui::{Label, RichText, TextEdit, Ui, vec2};

use super::chat::RoomKey;
use super::dialog::Fate;
use super::text::local;
use super::theme::{self, size, space};
use super::{Cx, sheet, widgets};
use crate::model::archive::{ArchiveFormat, ArchiveState, ArchiveWanted};
use crate::model::intent::{AppIntent, ChatIntent, Intent};
use crate::model::search::day;
use crate::model::time::WallMs;

/// Longest name of a room in the dialog, and longest path, in characters.
const MAX_CHARS: (usize, usize) = (64, 300);

/// The dialog.
pub(super) struct Sheet {
    key: RoomKey,
    /// What the room is called.
    room: String,
    all_rooms: bool,
    readings: bool,
    from: String,
    to: String,
    format: ArchiveFormat,
    /// The number of what is being saved, or was saved.
    number: Option<u64>,
}

impl Sheet {
    pub(super) fn new(cx: &Cx, key: RoomKey) -> Sheet {
        let room = cx.room_title(key.0, &key.1, MAX_CHARS.0);
        Sheet {
            key,
            room,
            all_rooms: false,
            readings: false,
            from: String::new(),
            to: String::new(),
            format: ArchiveFormat::default(),
            number: None,
        }
    }

    pub(super) fn show(&mut self, ui: &mut Ui, cx: &mut Cx) -> Fate {
        let words = cx.words.archive;
        sheet::title(ui, words.title);
        let state = cx.model.read(|model| {
            let archived = model.archived.as_ref();
            archived
                .filter(|archived| Some(archived.number) == self.number)
                .map(|archived| archived.state.clone())
        });
        let is_under_way = match &state {
            Some(ArchiveState::Choosing | ArchiveState::Writing(_)) => true,
            Some(_) => false,
            // It was asked for, and the worker has not said anything yet.
            None => self.number.is_some(),
        };
        ui.add_enabled_ui(!is_under_way, |ui| self.fields(ui, cx));
        let range = self.range(cx);
        ui.add_space(space::SMALL);
        let saved = said(ui, cx, state.as_ref());
        ui.add_space(space::SMALL);
        let mut fate = Fate::Open;
        ui.horizontal(|ui| {
            if is_under_way {
                if ui.add(widgets::plain(cx.words.cancel)).clicked() {
                    cx.intents.push(Intent::Chat(ChatIntent::EndArchive));
                }
                return;
            }
            let name = widgets::primary(theme::of(ui), words.save);
            if ui.add_enabled(range.is_some(), name).clicked()
                && let Some((from, to)) = range
            {
                self.save(cx, from, to);
            }
            if let Some(path) = saved
                && ui.add(widgets::plain(cx.words.files.show_in_folder)).clicked()
            {
                cx.intents.push(Intent::App(AppIntent::ShowFile(path)));
            }
            if ui.add(widgets::plain(cx.words.close)).clicked() {
                fate = Fate::Closed;
            }
        });
        fate
    }

    /// Nobody waits for the file any more.
    pub(super) fn closed(&self, cx: &mut Cx) {
        if self.number.is_some() {
            cx.intents.push(Intent::Chat(ChatIntent::EndArchive));
        }
    }

    fn fields(&mut self, ui: &mut Ui, cx: &Cx) {
        let (theme, words) = (theme::of(ui), cx.words.archive);
        ui.radio_value(&mut self.all_rooms, false, (words.this_room)(&self.room));
        ui.radio_value(&mut self.all_rooms, true, words.all_rooms);
        ui.checkbox(&mut self.readings, words.readings);
        ui.add_space(space::SMALL);
        let today = local::date(cx.now.wall_ms).unwrap_or_default();
        for (text, name, hint) in
            [(&mut self.from, words.from, words.from_hint), (&mut self.to, words.to, words.to_hint)]
        {
            let label = widgets::small_label(ui, name);
            let field = TextEdit::singleline(text)
                .hint_text(hint)
                .return_key(None)
                .desired_width(f32::INFINITY)
                .align(egui::Align2::LEFT_CENTER)
                .min_size(vec2(0.0, size::CONTROL));
            ui.add(field).labelled_by(label.id);
            if !text.trim().is_empty() && day::parse(text, today).is_none() {
                let no_date = RichText::new(cx.words.search.no_date).font(theme::small()).color(theme.bad);
                ui.add(Label::new(no_date).wrap());
            }
        }
        ui.add_space(space::SMALL);
        ui.radio_value(&mut self.format, ArchiveFormat::Csv, words.csv);
        ui.radio_value(&mut self.format, ArchiveFormat::JsonLines, words.json_lines);
        widgets::explain(ui, words.note);
    }

    /// The moments that the dates stand for, the last day included; none if one of them is no date.
    fn range(&self, cx: &Cx) -> Option<(WallMs, WallMs)> {
        let today = local::date(cx.now.wall_ms).unwrap_or_default();
        let from = match self.from.trim() {
            "" => WallMs::MIN,
            text => local::begins(day::parse(text, today)?)?,
        };
        let to = match self.to.trim() {
            "" => WallMs::MAX,
            text => local::begins(day::parse(text, today)?.succ_opt()?)?,
        };
        (from < to).then_some((from, to))
    }

    fn save(&mut self, cx: &mut Cx, from: WallMs, to: WallMs) {
        // Unique: only one file can be begun at a moment.
        let number = cx.now.boot_ms.0;
        self.number = Some(number);
        let (connection, room) = self.key.clone();
        cx.intents.push(Intent::Chat(ChatIntent::Archive(ArchiveWanted {
            number,
            connection,
            room: (!self.all_rooms).then_some(room),
            readings: self.readings,
            from,
            to,
            format: self.format,
        })));
        cx.deadline.at(cx.now.boot_ms);
    }
}

/// Says how far it is. Returns where the file is, once it is whole.
fn said(ui: &mut Ui, cx: &Cx, state: Option<&ArchiveState>) -> Option<std::path::PathBuf> {
    let (theme, words) = (theme::of(ui), cx.words.archive);
    let state = state?;
    let (text, colour) = match state {
        ArchiveState::Choosing => (words.choosing.to_owned(), theme.weak),
        ArchiveState::Writing(count) => ((words.writing)(*count), theme.text),
        ArchiveState::Saved { path, count } => {
            let path = super::harmless::line(&path.display().to_string(), MAX_CHARS.1);
            ((words.saved)(*count, &path), theme.text)
        }
        ArchiveState::Cancelled => (words.cancelled.to_owned(), theme.weak),
        ArchiveState::Failed(failure) => ((words.failed)(failure), theme.bad),
    };
    let label = ui.add(Label::new(RichText::new(&text).color(colour)).wrap());
    match state {
        ArchiveState::Saved { .. } | ArchiveState::Failed(_) => widgets::live(ui, label.id, &text),
        _ => {}
    }
    match state {
        ArchiveState::Saved { path, .. } => Some(path.clone()),
        _ => None,
    }
}
