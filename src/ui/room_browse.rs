//! The dialog with all rooms of a server, those included that are archived or were left.

use egui::{Label, Layout, RichText, ScrollArea, TextEdit, Ui, UiBuilder, vec2};

use super::dialog::Fate;
use super::icons::{self, Icon};
use super::theme::{self, size, space};
use super::{Cx, OpenRoom, harmless, rooms, sheet, widgets};
use crate::model::Room;
use crate::model::id::{ConnectionId, RoomId};
use crate::model::intent::{ChatIntent, Intent};
use crate::model::permit::RoomAct;

/// Height of a room, in points.
const ROW: f32 = 46.0;
/// Longest text in a row, in characters.
const MAX_CHARS: usize = 120;

/// The dialog.
pub(super) struct Sheet {
    connection: ConnectionId,
    filter: String,
    fresh: bool,
    /// The rooms that fit, and what they were found by: the filter and the state of the list.
    found: (Option<(String, u64)>, Vec<RoomId>),
    /// The room that the person wants to see.
    pub(super) go: Option<OpenRoom>,
}

/// One room.
struct Row {
    name: String,
    topic: String,
    state: Option<&'static str>,
    join: Option<RoomAct>,
    private: bool,
}

impl Sheet {
    pub(super) fn new(connection: ConnectionId) -> Sheet {
        Sheet { connection, filter: String::new(), fresh: true, found: (None, Vec::new()), go: None }
    }

    pub(super) fn show(&mut self, ui: &mut Ui, cx: &mut Cx, window_height: f32) -> Fate {
        let (theme, words) = (theme::of(ui), cx.words.rooms);
        sheet::title(ui, words.browse);
        let of = cx.model.read(|model| {
            model.connections.get(&self.connection).map(|connection| rooms::name_of(connection, cx.words))
        });
        let Some(of) = of else { return Fate::Closed };
        ui.add(Label::new(RichText::new(of).font(theme::small()).color(theme.weak)).truncate());
        let field = TextEdit::singleline(&mut self.filter)
            .hint_text(words.find)
            .desired_width(f32::INFINITY)
            .align(egui::Align2::LEFT_CENTER)
            .min_size(vec2(0.0, size::CONTROL));
        let field = ui.add(field).accessible_name(words.find);
        if std::mem::take(&mut self.fresh) {
            field.request_focus();
        }
        self.look(cx);
        let height = (window_height - 240.0).clamp(120.0, 420.0);
        let list = ScrollArea::vertical()
            .id_salt("all rooms")
            .max_height(height)
            .min_scrolled_height(height)
            .auto_shrink([false, true]);
        let mut all = std::mem::take(&mut self.found.1);
        if all.is_empty() {
            ui.add(Label::new(RichText::new(words.none_found).color(theme.weak)).wrap());
        }
        list.show_rows(ui, ROW, all.len(), |ui, range| {
            for room in &all[range] {
                self.row(ui, cx, room);
            }
        });
        std::mem::swap(&mut self.found.1, &mut all);
        ui.add_space(space::SMALL);
        let closes = ui.add(widgets::plain(cx.words.close)).clicked();
        if closes || self.go.is_some() { Fate::Closed } else { Fate::Open }
    }

    /// Looks for the rooms that fit, where the filter or the list has changed.
    fn look(&mut self, cx: &Cx) {
        let filter = self.filter.trim().to_lowercase();
        cx.model.read(|model| {
            let Some(chat) = model.connections.get(&self.connection).map(|at| &at.chat) else { return };
            let by = Some((filter, chat.list_version()));
            if self.found.0 == by {
                return;
            }
            let filter = by.as_ref().map_or("", |(filter, _)| filter.as_str());
            let fits = |room: &Room| {
                let has = |text: &str| text.to_lowercase().contains(filter);
                filter.is_empty() || has(room.name.as_str()) || has(&room.info.topic)
            };
            let rooms = chat.rooms_by_name().filter(|(_, room)| room.info.direct.is_none() && fits(room));
            let mut found: Vec<_> = rooms.map(|(id, room)| (room.name.clone(), id.clone())).collect();
            found.sort();
            self.found = (by, found.into_iter().map(|(_, id)| id).collect());
        });
    }

    fn row(&mut self, ui: &mut Ui, cx: &mut Cx, room: &RoomId) {
        let Some(row) = row(cx, self.connection, room) else { return };
        let (theme, words) = (theme::of(ui), cx.words.rooms);
        let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), egui::Sense::hover());
        let buttons = UiBuilder::new().max_rect(rect).id_salt(("room buttons", room));
        let mut right = rect.right();
        ui.scope_builder(buttons.layout(Layout::right_to_left(egui::Align::Center)), |ui| {
            let open = ui.add(widgets::plain(words.open));
            widgets::named(ui, &open, &format!("{}: {}", words.open, row.name));
            right = open.rect.left();
            if open.clicked() {
                self.go = Some(OpenRoom { connection: self.connection, room: Some(room.clone()) });
            }
            let Some(act) = row.join else { return };
            let button = ui.add(widgets::plain((words.act)(act)));
            widgets::named(ui, &button, &(words.act_on)(act, &row.name));
            right = button.rect.left();
            if button.clicked() {
                let (connection, room) = (self.connection, room.clone());
                cx.intents.push(Intent::Chat(match act {
                    RoomAct::Join => ChatIntent::JoinRoom { connection, room },
                    _ => ChatIntent::SetArchived { connection, room, archived: false },
                }));
                cx.deadline.at(cx.now.boot_ms);
            }
        });
        let left = rect.left() + 22.0;
        let width = (right - left - space::MEDIUM).max(0.0);
        let icon = if row.private { Icon::Lock } else { Icon::Room };
        icons::paint(ui.painter(), rect.left_center() + vec2(8.0, 0.0), icon, 14.0, theme.weak);
        let name = widgets::cut(ui, &row.name, theme::strong(size::BODY), theme.text, width);
        let about = match row.state {
            Some(state) if row.topic.is_empty() => state.to_owned(),
            Some(state) => format!("{state} · {}", row.topic),
            None => row.topic.clone(),
        };
        let spoken = if about.is_empty() { row.name.clone() } else { format!("{}, {about}", row.name) };
        let about = widgets::cut(ui, &about, theme::small(), theme.weak, width);
        let is_alone = about.text().is_empty();
        let height = name.size().y + if is_alone { 0.0 } else { about.size().y };
        let top = rect.center().y - height / 2.0;
        let below = top + name.size().y;
        ui.painter().galley(egui::pos2(left, top), name, theme.text);
        ui.painter().galley(egui::pos2(left, below), about, theme.weak);
        let place = rect.with_max_x(right);
        widgets::spoken(ui, place, egui::Id::unique(("room in list", self.connection, room)), &spoken);
    }
}

fn row(cx: &Cx, connection: ConnectionId, id: &RoomId) -> Option<Row> {
    let words = cx.words.rooms;
    cx.model.read(|model| {
        let connection = model.connections.get(&connection)?;
        let room = connection.chat.rooms.get(id)?;
        let info = &room.info;
        let state = match (info.left, info.archived) {
            (true, _) => Some(words.is_left),
            (_, true) => Some(words.is_archived),
            _ => None,
        };
        let may = |act| connection.may_with_room(id, act);
        Some(Row {
            name: harmless::line(room.name.as_str(), MAX_CHARS),
            topic: harmless::line(&info.topic, MAX_CHARS),
            state,
            join: [RoomAct::Join, RoomAct::Unarchive].into_iter().find(|act| may(*act)),
            private: info.private,
        })
    })
}
