//! Dialogs in which people are chosen: the members of a private room, who is to be in a new one, and with whom a direct
//! message is.

use crate::model::Offset;
use std::collections::BTreeSet;

use egui::{Checkbox, Label, Layout, RichText, ScrollArea, Stroke, TextEdit, Ui, UiBuilder, pos2, vec2};

use super::chat::RoomKey;
use super::dialog::Fate;
use super::theme::{self, size, space};
use super::{Cx, sheet, widgets};
use crate::model::features::Feature;
use crate::model::id::{ConnectionId, PrincipalId, RoomId, RoomName};
use crate::model::intent::{ChatIntent, Intent};
use crate::model::name;
use crate::model::permit::MemberAct;
use crate::model::reducer::Connection;
use crate::model::room::{MAX_MEMBERS, MAX_TOPIC_CHARS};

/// Height of a person, in points.
const ROW: f32 = 34.0;
/// Longest name in a row, in characters.
const MAX_NAME_CHARS: usize = 60;

/// What people are chosen for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To see and change who is in a private room.
    Members(RoomKey),
    /// To be in a new room at this server; whether a private one is offered first.
    NewRoom(ConnectionId, bool),
    /// For a direct message at this server.
    Direct(ConnectionId),
}

/// A room that is to be opened once it is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Awaited {
    /// The direct message with somebody.
    Direct(ConnectionId, PrincipalId),
    /// The public room of this name.
    Public(ConnectionId, RoomName),
    /// A private room of this name, beside those that there were.
    Private(ConnectionId, RoomName, BTreeSet<RoomId>),
}

impl Awaited {
    /// The connection and, once it is there, the room.
    pub(super) fn look(&self, cx: &Cx) -> (ConnectionId, Option<RoomId>) {
        let (Awaited::Direct(connection, _)
        | Awaited::Public(connection, _)
        | Awaited::Private(connection, ..)) = self;
        let room = cx.model.read(|model| {
            let chat = &model.connections.get(connection)?.chat;
            match self {
                Awaited::Direct(_, who) => chat.direct_with(who).cloned(),
                Awaited::Public(_, name) => public_called(&model.connections[connection], name),
                Awaited::Private(_, name, before) => {
                    private_called(&model.connections[connection], name).find(|room| !before.contains(room))
                }
            }
        });
        (*connection, room)
    }
}

/// The public room of a name.
fn public_called(connection: &Connection, name: &RoomName) -> Option<RoomId> {
    let is_it = |room: &crate::model::Room| !room.info.private && room.name == *name;
    let found = connection.chat.room_called(name)?;
    match connection.chat.rooms.get(found).is_some_and(is_it) {
        true => Some(found.clone()),
        // A private one comes first that is called the same.
        false => connection.chat.rooms.iter().find(|(_, room)| is_it(room)).map(|(id, _)| id.clone()),
    }
}

/// The private rooms of a name, of which there may be several.
fn private_called<'a>(connection: &'a Connection, name: &'a RoomName) -> impl Iterator<Item = RoomId> + 'a {
    let is_it = move |room: &crate::model::Room| room.info.private && room.name == *name;
    connection.chat.rooms.iter().filter(move |(_, room)| is_it(room)).map(|(id, _)| id.clone())
}

/// By what people were found: the filter, and the states of the people and of the room.
type FoundBy = (String, u64, usize, Offset);

/// The dialog.
pub(super) struct Sheet {
    purpose: Purpose,
    name: String,
    topic: String,
    is_private: bool,
    filter: String,
    chosen: BTreeSet<PrincipalId>,
    fresh: bool,
    /// What they were found by, and who fits.
    found: (Option<FoundBy>, Vec<PrincipalId>),
    /// The room that the person wants to be in.
    pub(super) go: Option<Awaited>,
}

/// One person.
struct Row {
    name: String,
    online: bool,
    is_member: bool,
}

impl Sheet {
    pub(super) fn new(purpose: Purpose) -> Sheet {
        Sheet {
            is_private: matches!(purpose, Purpose::NewRoom(_, true)),
            purpose,
            name: String::new(),
            topic: String::new(),
            filter: String::new(),
            chosen: BTreeSet::new(),
            fresh: true,
            found: (None, Vec::new()),
            go: None,
        }
    }

    fn connection(&self) -> ConnectionId {
        match &self.purpose {
            Purpose::Members((connection, _)) => *connection,
            Purpose::NewRoom(connection, _) | Purpose::Direct(connection) => *connection,
        }
    }

    pub(super) fn title(&self, cx: &Cx) -> String {
        let words = cx.words.private;
        match &self.purpose {
            Purpose::Members((connection, room)) => (words.members_of)(&cx.room_title(*connection, room, 64)),
            Purpose::NewRoom(..) => cx.words.new_room.to_owned(),
            Purpose::Direct(_) => words.new_direct.to_owned(),
        }
    }

    pub(super) fn show(&mut self, ui: &mut Ui, cx: &mut Cx, window_height: f32) -> Fate {
        sheet::title(ui, &self.title(cx));
        let is_new = matches!(self.purpose, Purpose::NewRoom(..));
        let entered = is_new && self.what_room(ui, cx);
        if !is_new || self.is_private {
            self.people(ui, cx, window_height - if is_new { 470.0 } else { 320.0 });
        }
        ui.add_space(space::SMALL);
        self.foot(ui, cx, is_new, entered)
    }

    /// What a new room is called and about, and who may see it. Returns whether Enter was pressed in one of the fields.
    fn what_room(&mut self, ui: &mut Ui, cx: &Cx) -> bool {
        let (theme, words) = (theme::of(ui), cx.words.private);
        let (has_private, has_topic) = cx.model.read(|model| {
            let offers = |feature| {
                let connection = model.connections.get(&self.connection());
                connection.is_some_and(|connection| connection.offers(feature))
            };
            (offers(Feature::PrivateRooms), offers(Feature::RoomChanges))
        });
        let focus = std::mem::take(&mut self.fresh);
        let mut entered = field(ui, &mut self.name, cx.words.rooms.name, RoomName::MAX_CHARS, focus);
        if has_topic {
            entered |= field(ui, &mut self.topic, words.topic_optional, MAX_TOPIC_CHARS, false);
        }
        // Without a name that can be one, the field is shown again with the keyboard in it.
        self.fresh = entered && name::make_room(&self.name).is_err();
        self.is_private &= has_private;
        if !has_private {
            return entered;
        }
        for (is_private, name) in [(false, words.public_room), (true, words.private_room)] {
            if ui.radio(self.is_private == is_private, name).clicked() {
                self.is_private = is_private;
            }
        }
        let text = if self.is_private { words.private_text } else { words.public_text };
        ui.add(Label::new(RichText::new(text).color(theme.weak)).wrap());
        entered
    }

    fn people(&mut self, ui: &mut Ui, cx: &mut Cx, height: f32) {
        let (theme, words) = (theme::of(ui), cx.words.private);
        let hint =
            if matches!(self.purpose, Purpose::Direct(_)) { words.find_person } else { words.find_to_invite };
        // In a new room the keyboard begins in its name.
        let focus = !matches!(self.purpose, Purpose::NewRoom(..)) && std::mem::take(&mut self.fresh);
        field(ui, &mut self.filter, hint, MAX_NAME_CHARS, focus);
        self.look(cx);
        let height = height.clamp(110.0, 380.0);
        let list = ScrollArea::vertical()
            .id_salt("people")
            .max_height(height)
            .min_scrolled_height(height)
            .auto_shrink([false, true]);
        let all = std::mem::take(&mut self.found.1);
        if all.is_empty() {
            ui.add(Label::new(RichText::new(cx.words.rich.no_person_found).color(theme.weak)).wrap());
        }
        list.show_rows(ui, ROW, all.len(), |ui, range| {
            for who in &all[range] {
                self.row(ui, cx, who);
            }
        });
        self.found.1 = all;
    }

    fn foot(&mut self, ui: &mut Ui, cx: &mut Cx, is_new: bool, entered: bool) -> Fate {
        let theme = theme::of(ui);
        let name = name::make_room(&self.name);
        if is_new && !self.name.trim().is_empty() && name.is_err() {
            let rule = RichText::new(cx.words.room_name_rule).font(theme::small()).color(theme.bad);
            ui.add(Label::new(rule).wrap());
        }
        let mut fate = if self.go.is_some() { Fate::Closed } else { Fate::Open };
        ui.horizontal(|ui| {
            if is_new {
                let create = ui.add_enabled(name.is_ok(), widgets::primary(theme, cx.words.create)).clicked();
                if let (true, Ok(name)) = (create || entered, name) {
                    self.create(cx, name);
                    fate = Fate::Closed;
                }
            }
            let close = if is_new { cx.words.cancel } else { cx.words.close };
            if ui.add(widgets::plain(close)).clicked() {
                fate = Fate::Closed;
            }
        });
        fate
    }

    fn create(&mut self, cx: &mut Cx, name: RoomName) {
        let connection = self.connection();
        let topic = self.topic.trim().to_owned();
        if !self.is_private {
            self.go = Some(Awaited::Public(connection, name.clone()));
            let is_there = cx.model.read(|model| {
                let connection = model.connections.get(&connection);
                connection.is_some_and(|connection| public_called(connection, &name).is_some())
            });
            // One that is there is opened instead.
            if !is_there {
                cx.intents.push(Intent::Chat(ChatIntent::CreateRoom { connection, name, topic }));
            }
            return cx.deadline.at(cx.now.boot_ms);
        }
        let before = cx.model.read(|model| {
            let connection = model.connections.get(&connection);
            connection.map(|connection| private_called(connection, &name).collect()).unwrap_or_default()
        });
        self.go = Some(Awaited::Private(connection, name.clone(), before));
        let members = std::mem::take(&mut self.chosen).into_iter().collect();
        cx.intents.push(Intent::Chat(ChatIntent::CreatePrivateRoom { connection, name, topic, members }));
        cx.deadline.at(cx.now.boot_ms);
    }

    /// Looks for the people who fit, where the filter or what is known of them has changed: members first, then by name.
    fn look(&mut self, cx: &Cx) {
        let filter = self.filter.trim().to_lowercase();
        cx.model.read(|model| {
            let Some(chat) = model.connections.get(&self.connection()).map(|at| &at.chat) else { return };
            let room = match &self.purpose {
                Purpose::Members((_, room)) => chat.rooms.get(room).map(|room| &room.info),
                _ => None,
            };
            let state = room.map(|info| info.changed).unwrap_or_default();
            let by = Some((filter, chat.known.version(), chat.people.len(), state));
            if self.found.0 == by {
                return;
            }
            let filter = by.as_ref().map_or("", |(filter, ..)| filter.as_str());
            let me = chat.me.as_ref().map(|me| &me.id);
            let mut found: Vec<(bool, String, PrincipalId)> = Vec::new();
            let members = room.map(|info| &info.members);
            let gone = members.into_iter().flatten().filter(|who| !chat.people.contains_key(*who));
            let people = chat.people.values().filter(|person| person.who.kind.chats());
            for (id, name) in
                people.map(|person| (&person.who.id, &person.who.name)).chain(gone.map(|id| (id, &id.0)))
            {
                let is_member = room.is_some_and(|info| info.members.contains(id));
                if (Some(id) != me || is_member)
                    && (filter.is_empty() || name.to_lowercase().contains(filter))
                {
                    found.push((!is_member, name.to_lowercase(), id.clone()));
                }
            }
            found.sort();
            self.found = (by, found.into_iter().map(|(.., id)| id).collect());
        });
    }

    fn row(&mut self, ui: &mut Ui, cx: &mut Cx, who: &PrincipalId) {
        let Some(row) = row(cx, &self.purpose, who) else { return };
        let theme = theme::of(ui);
        let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), egui::Sense::hover());
        let buttons = UiBuilder::new().max_rect(rect).id_salt(("person", &who.0));
        // Beside the flow of the list: a row without buttons is as high as the others.
        let mut beside = ui.new_child(buttons.layout(Layout::right_to_left(egui::Align::Center)));
        let right = self.buttons(&mut beside, cx, who, &row).min(rect.right());
        let dot = pos2(rect.left() + space::MEDIUM, rect.center().y);
        if row.online {
            ui.painter().circle_filled(dot, 4.0, theme.good);
        } else {
            ui.painter().circle_stroke(dot, 3.5, Stroke::new(1.5, theme.weak));
        }
        let left = dot.x + space::MEDIUM;
        let colour = if row.is_member { theme.text } else { theme.weak };
        let galley =
            widgets::cut(ui, &row.name, theme::body(), colour, (right - left - space::SMALL).max(0.0));
        ui.painter().galley(pos2(left, rect.center().y - galley.size().y / 2.0), galley, colour);
        let people = cx.words.people;
        let mut spoken = format!("{}, {}", row.name, if row.online { people.online } else { people.offline });
        if row.is_member && matches!(self.purpose, Purpose::Members(_)) {
            spoken = format!("{spoken}, {}", cx.words.private.is_member);
        }
        widgets::spoken(ui, rect.with_max_x(right), egui::Id::unique(("person to choose", &who.0)), &spoken);
    }

    /// What can be done about a person, at the right of their row. Returns where it begins.
    fn buttons(&mut self, ui: &mut Ui, cx: &mut Cx, who: &PrincipalId, row: &Row) -> f32 {
        let words = cx.words.private;
        match &self.purpose {
            Purpose::NewRoom(..) => {
                let mut chosen = self.chosen.contains(who);
                let has_place = chosen || self.chosen.len() + 1 < MAX_MEMBERS;
                let check = ui.add_enabled(has_place, Checkbox::without_text(&mut chosen));
                widgets::named(ui, &check, &row.name);
                if check.changed() {
                    if chosen {
                        self.chosen.insert(who.clone())
                    } else {
                        self.chosen.remove(who)
                    };
                }
                check.rect.left()
            }
            Purpose::Direct(connection) => {
                let button = ui.add(widgets::plain(words.message));
                widgets::named(ui, &button, &(words.message_to)(&row.name));
                if button.clicked() {
                    self.go = Some(ask_direct(cx, *connection, who.clone()));
                }
                button.rect.left()
            }
            Purpose::Members((connection, room)) => {
                let (connection, room, who) = (*connection, room.clone(), who.clone());
                let (label, name) = match row.is_member {
                    true => (words.remove, (words.remove_person)(&row.name)),
                    false => (words.invite, (words.invite_person)(&row.name)),
                };
                let allowed = cx
                    .model
                    .read(|model| may(model.connections.get(&connection), &room, &who, row.is_member));
                if !allowed {
                    return ui.max_rect().right();
                }
                let button = ui.add(widgets::plain(label));
                widgets::named(ui, &button, &name);
                if button.clicked() {
                    cx.intents.push(Intent::Chat(match row.is_member {
                        true => ChatIntent::RemoveFromRoom { connection, room, who },
                        false => ChatIntent::InviteToRoom { connection, room, who },
                    }));
                    cx.deadline.at(cx.now.boot_ms);
                }
                button.rect.left()
            }
        }
    }
}

/// Asks for the direct message with somebody.
pub(super) fn ask_direct(cx: &mut Cx, connection: ConnectionId, who: PrincipalId) -> Awaited {
    cx.intents.push(Intent::Chat(ChatIntent::OpenDirect { connection, who: who.clone() }));
    cx.deadline.at(cx.now.boot_ms);
    Awaited::Direct(connection, who)
}

/// Whether the person may remove a member, or invite somebody who is none.
fn may(connection: Option<&Connection>, room: &RoomId, who: &PrincipalId, is_member: bool) -> bool {
    let Some(connection) = connection else { return false };
    let is_me = connection.chat.me.as_ref().is_some_and(|me| me.id == *who);
    let act = if is_member { MemberAct::Remove } else { MemberAct::Invite };
    !is_me && connection.may_with_members(room, act)
}

fn row(cx: &Cx, purpose: &Purpose, who: &PrincipalId) -> Option<Row> {
    cx.model.read(|model| {
        let (connection, room) = match purpose {
            Purpose::Members((connection, room)) => (connection, Some(room)),
            Purpose::NewRoom(connection, _) | Purpose::Direct(connection) => (connection, None),
        };
        let chat = &model.connections.get(connection)?.chat;
        let person = chat.people.get(who);
        let name = person.map_or(who.0.as_str(), |person| person.who.name.as_str());
        let shown = chat.known.shown(who, name, MAX_NAME_CHARS);
        let name = shown.short_id.map_or(shown.name.clone(), |short| format!("{} ·{short}", shown.name));
        let is_me = chat.me.as_ref().is_some_and(|me| me.id == *who);
        Some(Row {
            name: if is_me { (cx.words.you)(&name) } else { name },
            online: person.is_some_and(|person| person.online),
            is_member: room
                .is_none_or(|room| chat.rooms.get(room).is_some_and(|room| room.info.members.contains(who))),
        })
    })
}

/// A field of one line. Returns whether Enter was pressed in it.
fn field(ui: &mut Ui, text: &mut String, label: &str, limit: usize, focus: bool) -> bool {
    let field = TextEdit::singleline(text)
        .hint_text(label)
        .char_limit(limit)
        .desired_width(f32::INFINITY)
        .align(egui::Align2::LEFT_CENTER)
        .min_size(vec2(0.0, size::CONTROL));
    let field = ui.add(field).accessible_name(label);
    if focus {
        field.request_focus();
    }
    field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter))
}
