//! Acts on a room that need a dialog: a new name or topic, and the question before it is archived.

use egui::{Key, Label, RichText, TextEdit, Ui, vec2};

use super::chat::RoomKey;
use super::dialog::{Dialog, Fate};
use super::theme::{self, size, space};
use super::{Cx, archive, members, sheet, widgets};
use crate::model::id::RoomName;
use crate::model::intent::{ChatIntent, Intent};
use crate::model::name;
use crate::model::permit::RoomAct;
use crate::model::room::MAX_TOPIC_CHARS;

/// Longest name of a room in a title, in characters.
const MAX_TITLE_CHARS: usize = 64;

/// Does this with a room, or opens the dialog that it needs.
pub(super) fn act(cx: &mut Cx, key: &RoomKey, act: RoomAct) -> Option<Dialog> {
    let (connection, room) = key.clone();
    let intent = match act {
        RoomAct::Rename | RoomAct::SetTopic | RoomAct::Archive => {
            return Some(Dialog::Room(Sheet::new(cx, key.clone(), act)));
        }
        RoomAct::Unarchive => ChatIntent::SetArchived { connection, room, archived: false },
        RoomAct::Members => {
            let purpose = members::Purpose::Members(key.clone());
            return Some(Dialog::Members(members::Sheet::new(purpose)));
        }
        RoomAct::Export => return Some(Dialog::Archive(archive::Sheet::new(cx, key.clone()))),
        RoomAct::Leave | RoomAct::Hide => ChatIntent::LeaveRoom { connection, room },
        RoomAct::Join => ChatIntent::JoinRoom { connection, room },
    };
    cx.intents.push(Intent::Chat(intent));
    cx.deadline.at(cx.now.boot_ms);
    None
}

/// The dialog.
pub(super) struct Sheet {
    key: RoomKey,
    act: RoomAct,
    /// What the room is called.
    room: String,
    text: String,
    fresh: bool,
}

impl Sheet {
    fn new(cx: &Cx, key: RoomKey, act: RoomAct) -> Sheet {
        let (name, topic) = cx.model.read(|model| {
            let room = model.connections.get(&key.0).and_then(|at| at.chat.rooms.get(&key.1));
            room.map(|room| (room.name.as_str().to_owned(), room.info.topic.clone())).unwrap_or_default()
        });
        let room = cx.room_title(key.0, &key.1, MAX_TITLE_CHARS);
        let text = if act == RoomAct::SetTopic { topic } else { name };
        Sheet { key, act, room, text, fresh: true }
    }

    pub(super) fn title(&self, cx: &Cx) -> String {
        let words = cx.words.rooms;
        match self.act {
            RoomAct::SetTopic => (words.topic_title)(&self.room),
            RoomAct::Archive => (words.archive_title)(&self.room),
            _ => (words.rename_title)(&self.room),
        }
    }

    /// Whether a person may have typed something that they would miss.
    pub(super) fn holds_input(&self) -> bool {
        self.act != RoomAct::Archive
    }

    /// What is asked for with what is in the field; none while that does not fit.
    fn intent(&self) -> Option<ChatIntent> {
        let (connection, room) = self.key.clone();
        match self.act {
            RoomAct::SetTopic => {
                Some(ChatIntent::SetTopic { connection, room, topic: self.text.trim().to_owned() })
            }
            RoomAct::Archive => Some(ChatIntent::SetArchived { connection, room, archived: true }),
            _ => Some(ChatIntent::RenameRoom { connection, room, name: name::make_room(&self.text).ok()? }),
        }
    }

    pub(super) fn show(&mut self, ui: &mut Ui, cx: &mut Cx) -> Fate {
        let (theme, words) = (theme::of(ui), cx.words.rooms);
        sheet::title(ui, &self.title(cx));
        let mut enter = false;
        if self.act == RoomAct::Archive {
            ui.add(Label::new(words.archive_text).wrap());
        } else {
            let (label, limit) = match self.act {
                RoomAct::SetTopic => (words.topic, MAX_TOPIC_CHARS),
                _ => (words.name, RoomName::MAX_CHARS),
            };
            let field = TextEdit::singleline(&mut self.text)
                .hint_text(label)
                .char_limit(limit)
                .return_key(None)
                .desired_width(f32::INFINITY)
                .align(egui::Align2::LEFT_CENTER)
                .min_size(vec2(0.0, size::CONTROL));
            let field = ui.add(field).accessible_name(label);
            if std::mem::take(&mut self.fresh) {
                field.request_focus();
            }
            enter = field.has_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        }
        let intent = self.intent();
        if intent.is_none() && !self.text.trim().is_empty() {
            let rule = RichText::new(cx.words.room_name_rule).font(theme::small()).color(theme.bad);
            ui.add(Label::new(rule).wrap());
        }
        ui.add_space(space::SMALL);
        let mut fate = Fate::Open;
        ui.horizontal(|ui| {
            let name = if self.act == RoomAct::Archive { (words.act)(self.act) } else { cx.words.save };
            let done = ui.add_enabled(intent.is_some(), widgets::primary(theme, name)).clicked();
            if let (true, Some(intent)) = (done || enter, intent) {
                cx.intents.push(Intent::Chat(intent));
                fate = Fate::Closed;
            }
            if ui.add(widgets::plain(cx.words.cancel)).clicked() {
                fate = Fate::Closed;
            }
        });
        fate
    }
}
