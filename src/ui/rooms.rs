//! The left panel: connections with their state, their rooms with unread counts, and a way to add both.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use egui::accesskit::Role;
use egui::{Button, Id, Rect, ScrollArea, Sense, Stroke, Ui, UiBuilder, pos2, vec2};

use super::chat::RoomKey;
use super::icons::{self, Icon};
use super::keys::{self, Action};
use super::link::LinkMemory;
use super::members::Purpose;
use super::room_menu::{self, Choice};
use super::text::{StateWord, Words};
use super::theme::{self, radius, size, space};
use super::widgets;
use super::{Cx, OpenRoom, harmless, menu, people};
use crate::model::chat::Unmade;
use crate::model::id::{ConnectionId, RoomId};
use crate::model::intent::{Intent, LinkIntent};
use crate::model::permit::RoomAct;
use crate::model::profile::{NewerProfile, Profile};
use crate::model::shelf::Shelf;
use crate::model::{Connection, Feature, Room};

/// What the person wants of the rest of the window.
pub(super) enum RoomsAction {
    /// To be in this room.
    Open(OpenRoom),
    /// To do this with a room.
    Act(RoomKey, RoomAct),
    /// To see all rooms of a connection.
    Browse(ConnectionId),
    /// To choose people.
    Choose(Purpose),
    /// To add a connection.
    Add,
    /// To see what passes over one.
    Log(ConnectionId),
    /// To check one.
    Diagnose(ConnectionId),
    /// To change one.
    Edit(ConnectionId),
    /// To say what is different on its server.
    Mapping(ConnectionId),
    /// To add one like it.
    Duplicate(ConnectionId),
    /// To change who may come in at one.
    People(ConnectionId),
    /// To invite somebody to one.
    Invite(ConnectionId),
    /// To remove one.
    Remove(ConnectionId),
}

/// The panel's own state.
#[derive(Default)]
pub(super) struct Rooms {
    wants_focus: bool,
    /// Connections whose archived rooms are shown.
    unfolded: HashSet<ConnectionId>,
}

/// Of a connection with more rooms than this, those alone are drawn that are seen, or nearly.
const MAX_ALL_DRAWN: usize = 200;
/// So many rooms are drawn beyond both ends of what is seen: the keyboard goes on into them.
const BEYOND: usize = 30;
/// Between two rows, in points.
const GAP: f32 = 1.0;

/// One connection, copied out of the model.
struct ConnectionRow {
    id: ConnectionId,
    name: String,
    /// How many rooms are listed.
    rooms: usize,
    /// How many of these are direct messages: they are the last of them.
    direct: usize,
    /// How many are archived: they come after those.
    archived: usize,
    /// Whether there can be private rooms.
    has_private: bool,
    /// Whether all rooms can be looked through.
    browses: bool,
    /// Whether its server has more.
    has_more: bool,
    /// The place of the open room, where not all are drawn.
    open: Option<usize>,
    /// Whether the person may change who comes in.
    people: bool,
    /// Whether the person may invite somebody.
    invites: bool,
    /// Whether its server offers to make rooms, as far as is known.
    makes_rooms: bool,
    /// Whether what its server sends is mapped.
    is_mapped: bool,
}

/// What is unread in a room.
#[derive(Copy, Clone)]
struct Counts {
    unread: u64,
    /// How many of these name the person.
    mentions: u64,
}

/// One room, copied out of the model.
struct RoomRow {
    /// Its place among the rooms of its connection.
    at: usize,
    id: RoomId,
    /// What is shown of its name.
    name: String,
    state: State,
}

/// What there is to say of a room beside its name.
#[derive(Copy, Clone)]
struct State {
    counts: Counts,
    choice: Choice,
    unmade: Option<Unmade>,
    archived: bool,
    privacy: Privacy,
}

/// Who may see a room.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Privacy {
    Everybody,
    Members,
    /// The two of a direct message; whether the other one is there, as far as is known.
    Direct(bool),
}

/// What a connection is called: the person's name for it, the server's own, or where it leads.
pub fn name_of(connection: &Connection, words: &Words) -> String {
    name_of_profile(&connection.profile, connection.server.as_deref(), words)
}

/// The same of one that may never have met its server.
pub(super) fn name_of_profile(profile: &Profile, server: Option<&str>, words: &Words) -> String {
    if !profile.name.trim().is_empty() {
        return harmless::line(&profile.name, 60);
    }
    if profile.id == ConnectionId::OWN_HUB {
        return words.this_computer.to_owned();
    }
    if let Some(server) = server.map(str::trim).filter(|server| !server.is_empty()) {
        return harmless::line(server, 60);
    }
    let url = profile.urls.first().map_or("", String::as_str);
    let place = url.split_once("://").map_or(url, |(_, rest)| rest);
    harmless::line(place.split('/').next().unwrap_or(place), 60)
}

/// The same of one that a newer version set up.
pub(super) fn name_of_newer(newer: &NewerProfile, words: &Words) -> String {
    match newer.name.trim() {
        "" => format!("{}: {}", words.plain.newer, harmless::line(&newer.protocol, 40)),
        name => harmless::line(name, 60),
    }
}

fn rows(cx: &Cx, open: Option<&OpenRoom>) -> Vec<ConnectionRow> {
    cx.model.read(|model| {
        let row = |(id, connection): (&ConnectionId, &Connection)| {
            let on = |shelf| connection.chat.count_on(shelf);
            let (rooms, archived) = (on(Shelf::Rooms) + on(Shelf::Direct), on(Shelf::Archived));
            let here = open.filter(|place| place.connection == *id && rooms + archived > MAX_ALL_DRAWN);
            let open = here.and_then(|place| place.room.as_ref());
            ConnectionRow {
                id: *id,
                name: name_of(connection, cx.words),
                rooms,
                direct: on(Shelf::Direct),
                archived,
                has_private: connection.offers(Feature::PrivateRooms),
                browses: connection.offers(Feature::Membership),
                has_more: connection.chat.left_out.rooms,
                open: open.and_then(|open| connection.chat.place_of(open)),
                people: people::is_offered(connection),
                invites: people::has_invites(connection),
                makes_rooms: connection.offers(Feature::CreateRooms),
                is_mapped: connection.profile.protocol.is_mapped(),
            }
        };
        model.connections.iter().map(row).collect()
    })
}

/// The rooms of a connection that are drawn: these, and the open one where it is among `section`.
fn room_rows(
    cx: &Cx,
    row: &ConnectionRow,
    drawn: &Range<usize>,
    section: &Range<usize>,
    reading: Option<&RoomKey>,
) -> Vec<RoomRow> {
    let is_read = |room: &RoomId| reading.is_some_and(|(id, name)| *id == row.id && name == room);
    let open = row.open.filter(|open| section.contains(open));
    let before = open.filter(|open| *open < drawn.start);
    let after = open.filter(|open| *open >= drawn.end);
    cx.model.read(|model| {
        let Some(connection) = model.connections.get(&row.id) else { return Vec::new() };
        let copy = |(at, (id, room)): (usize, (&RoomId, &Room))| {
            let own = model.notice_choices.room(row.id, id);
            let choice = Choice { own, usual: model.preferences.notices.of_room(&room.info) };
            // What is read while it comes in would only flicker.
            let unread = if is_read(id) { 0 } else { room.shown_unread() };
            let mentions = if is_read(id) { 0 } else { room.shown_mentions() };
            let name = match connection.has_frames() {
                true => cx.words.plain.room.to_owned(),
                false => harmless::line(room.name.as_str(), 64),
            };
            let (archived, unmade, info) = (room.info.archived, room.unmade, &room.info);
            let is_there = |who| connection.chat.people.get(who).is_some_and(|person| person.online);
            let privacy = match &info.direct {
                Some(with) => Privacy::Direct(connection.link.is_online() && is_there(with)),
                None if info.private => Privacy::Members,
                None => Privacy::Everybody,
            };
            let state = State { counts: Counts { unread, mentions }, choice, unmade, archived, privacy };
            RoomRow { at, id: id.clone(), name, state }
        };
        let from = |at: usize| (at..).zip(connection.chat.rooms_from(at));
        let one = |at: usize| from(at).take(1);
        let (first, last) = (before.into_iter().flat_map(one), after.into_iter().flat_map(one));
        first.chain(from(drawn.start).take(drawn.len())).chain(last).map(copy).collect()
    })
}

impl Rooms {
    /// Puts the keyboard's focus on the open room.
    pub(super) fn focus(&mut self) {
        self.wants_focus = true;
    }

    /// Draws the panel.
    pub(super) fn show(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx,
        open: Option<&OpenRoom>,
        links: &HashMap<ConnectionId, LinkMemory>,
        reading: Option<&RoomKey>,
    ) -> Option<RoomsAction> {
        let rows = rows(cx, open);
        let mut wish = None;
        egui::Panel::bottom("add connection")
            .resizable(false)
            .frame(egui::Frame::new().inner_margin(space::SMALL))
            .show(ui, |ui| {
                let add = Button::new(cx.words.add_connection).truncate();
                let add = ui.add_sized(vec2(ui.available_width(), size::CONTROL), add);
                let hint = keys::hint(ui.ctx(), cx.words.add_connection, Action::AddConnection);
                if add.on_hover_text(hint).clicked() {
                    wish = Some(RoomsAction::Add);
                }
                // To the server that is looked at, or else the first where the person may.
                let here = open.and_then(|place| rows.iter().find(|row| row.id == place.connection));
                let host = here.filter(|row| row.invites).or_else(|| rows.iter().find(|row| row.invites));
                if let Some(row) = host {
                    ui.add_space(space::TINY);
                    let invite = Button::new(cx.words.people.invite).truncate();
                    let invite = ui.add_sized(vec2(ui.available_width(), size::CONTROL), invite);
                    if invite.on_hover_text(&row.name).clicked() {
                        wish = Some(RoomsAction::Invite(row.id));
                    }
                }
            });
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = GAP;
            ui.add_space(space::SMALL);
            for row in &rows {
                let link = links.get(&row.id);
                if let Some(wanted) = self.connection(ui, cx, row, (open, reading), link) {
                    wish = Some(wanted);
                }
                ui.add_space(space::MEDIUM);
            }
            for newer in cx.model.read(|model| model.newer_connections.clone()) {
                if newer_row(ui, cx, &newer) {
                    wish = Some(RoomsAction::Remove(newer.id));
                }
            }
        });
        wish
    }

    fn connection(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx,
        row: &ConnectionRow,
        (open, reading): (Option<&OpenRoom>, Option<&RoomKey>),
        link: Option<&LinkMemory>,
    ) -> Option<RoomsAction> {
        let here = open.filter(|place| place.connection == row.id);
        let mut wish = header(ui, cx, row, link);
        let list = UiBuilder::new().accessibility_role(Role::List);
        let list = list.accessibility_label((cx.words.rooms_of)(&row.name));
        let folded = row.archived > 0 && !self.unfolded.contains(&row.id);
        let set = if folded { row.rooms } else { row.rooms + row.archived };
        ui.scope_builder(list, |ui| {
            ui.ctx().accesskit_node_builder(ui.unique_id(), |node| node.set_size_of_set(set));
            let public = row.rooms - row.direct;
            wish = self.section(ui, cx, row, 0..public, set, (here, reading)).or(wish.take());
            if row.direct > 0 {
                direct_header(ui, cx, row);
                wish = self.section(ui, cx, row, public..row.rooms, set, (here, reading)).or(wish.take());
            }
            if row.archived > 0 && archived_header(ui, cx, row, folded) {
                match folded {
                    true => _ = self.unfolded.insert(row.id),
                    false => _ = self.unfolded.remove(&row.id),
                }
                cx.deadline.at(cx.now.boot_ms);
            }
            if !folded && row.archived > 0 {
                wish = self.section(ui, cx, row, row.rooms..set, set, (here, reading)).or(wish.take());
            }
        });
        let said = match row.rooms + row.archived {
            0 => Some(cx.words.no_rooms.to_owned()),
            shown => row.has_more.then(|| (cx.words.rooms_left_out)(shown)),
        };
        if let Some(said) = said {
            ui.horizontal(|ui| {
                ui.add_space(space::LARGE + 18.0);
                widgets::explain(ui, said);
            });
        }
        wish
    }

    /// Draws some of a connection's rooms, by their places in its list.
    fn section(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx,
        row: &ConnectionRow,
        rooms: Range<usize>,
        set: usize,
        (here, reading): (Option<&OpenRoom>, Option<&RoomKey>),
    ) -> Option<RoomsAction> {
        let pitch = cx.rhythm().row + GAP;
        let visible = drawn(ui, rooms.len(), pitch);
        let visible = rooms.start + visible.start..rooms.start + visible.end;
        let shown = room_rows(cx, row, &visible, &rooms, reading);
        let (mut wish, mut next) = (None, rooms.start);
        for RoomRow { at, id, name, state } in shown {
            ui.add_space((at - next) as f32 * pitch);
            next = at + 1;
            let selected = here.is_some_and(|place| place.room.as_ref() == Some(&id));
            let wants_focus = selected && std::mem::take(&mut self.wants_focus);
            let place = (row.id, &id, name.as_str());
            let chosen = room_row(ui, cx, place, (at, set), state, selected, wants_focus);
            match chosen {
                Some(RoomWish::Open) => {
                    wish = Some(RoomsAction::Open(OpenRoom { connection: row.id, room: Some(id) }));
                }
                Some(RoomWish::Act(act)) => wish = Some(RoomsAction::Act((row.id, id), act)),
                None => {}
            }
        }
        ui.add_space(rooms.end.saturating_sub(next) as f32 * pitch);
        wish
    }
}

/// Which of so many rooms, from here on down, are drawn.
fn drawn(ui: &Ui, rooms: usize, pitch: f32) -> Range<usize> {
    if rooms <= MAX_ALL_DRAWN {
        return 0..rooms;
    }
    let (seen, top) = (ui.clip_rect(), ui.cursor().top());
    let place = |y: f32| ((y - top) / pitch).max(0.0) as usize;
    let from = place(seen.top()).saturating_sub(BEYOND).min(rooms);
    from..(place(seen.bottom()) + BEYOND).clamp(from, rooms)
}

fn header(ui: &mut Ui, cx: &mut Cx, row: &ConnectionRow, link: Option<&LinkMemory>) -> Option<RoomsAction> {
    let theme = theme::of(ui);
    let (word, alarm) = link.map_or((StateWord::Off, false), |link| (link.word, link.alarm));
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), cx.rhythm().row + 4.0), Sense::hover());
    let colour = widgets::state_colour(theme, word, alarm);
    let centre = pos2(rect.left() + space::LARGE + 4.0, rect.center().y);
    widgets::state_mark(ui.painter(), centre, word, colour);
    let menu_rect = Rect::from_min_max(
        pos2(rect.right() - 40.0, rect.top() + 3.0),
        rect.right_bottom() - vec2(12.0, 3.0),
    );
    let left = centre.x + 14.0;
    let state = (cx.words.state)(word);
    let name =
        widgets::cut(ui, &row.name, theme::strong(size::BODY), theme.text, menu_rect.left() - left - 4.0);
    let name_width = name.size().x;
    ui.painter().galley(pos2(left, rect.center().y - name.size().y / 2.0), name, theme.text);
    let room_left = menu_rect.left() - left - name_width - 12.0;
    if word != StateWord::Online && room_left > 30.0 {
        let galley = widgets::cut(ui, state, theme::small(), colour, room_left);
        ui.painter().galley(
            pos2(left + name_width + 8.0, rect.center().y - galley.size().y / 2.0),
            galley,
            colour,
        );
    }
    let id = Id::unique(("connection header", row.id));
    let spoken = (cx.words.state_of)(&row.name, state);
    let shown = widgets::spoken(ui, Rect::from_min_max(rect.min, menu_rect.left_bottom()), id, &spoken);
    widgets::heading(ui, &shown, &spoken, 2);
    shown.on_hover_text(spoken);
    more(ui, cx, row, word, menu_rect)
}

/// A connection that a newer version set up. Returns whether the person wants it removed.
fn newer_row(ui: &mut Ui, cx: &Cx, newer: &NewerProfile) -> bool {
    let theme = theme::of(ui);
    let words = cx.words.plain;
    let name = name_of_newer(newer, cx.words);
    let (rect, _) =
        ui.allocate_exact_size(vec2(ui.available_width(), cx.rhythm().row + 18.0), Sense::hover());
    let menu = Rect::from_min_max(
        pos2(rect.right() - 40.0, rect.top() + 3.0),
        pos2(rect.right() - 12.0, rect.top() + cx.rhythm().row),
    );
    let left = rect.left() + space::LARGE + 18.0;
    let room = menu.left() - left - 4.0;
    let title = widgets::cut(ui, &name, theme::strong(size::BODY), theme.weak, room);
    let note = widgets::cut(ui, words.newer, theme::small(), theme.weak, room);
    let top = pos2(left, rect.top() + 4.0);
    let below = pos2(left, top.y + title.size().y);
    ui.painter().galley(top, title, theme.weak);
    ui.painter().galley(below, note, theme.weak);
    let said = format!("{name}: {}", words.newer);
    let place = Rect::from_min_max(rect.min, pos2(menu.left(), rect.bottom()));
    let shown = widgets::spoken(ui, place, Id::unique(("newer connection", newer.id)), &said);
    shown.on_hover_text(words.newer_text);
    let builder = UiBuilder::new().max_rect(menu).id_salt(("newer connection menu", newer.id));
    let mut corner = ui.new_child(builder);
    let mut remove = false;
    menu::more(&mut corner, &(cx.words.more)(&name), menu.size(), |ui| {
        remove = menu::danger(ui, cx.words.remove_connection).clicked();
    });
    remove
}

fn more(ui: &mut Ui, cx: &mut Cx, row: &ConnectionRow, word: StateWord, rect: Rect) -> Option<RoomsAction> {
    let mut wish = None;
    let words = cx.words;
    let builder = UiBuilder::new().max_rect(rect).id_salt(("connection menu", row.id));
    // Beside the flow of the list: it takes no room of its own.
    let mut corner = ui.new_child(builder);
    menu::more(&mut corner, &(words.more)(&row.name), rect.size(), |ui| {
        if row.makes_rooms && menu::item(ui, words.new_room).clicked() {
            wish = Some(RoomsAction::Choose(Purpose::NewRoom(row.id, false)));
        }
        if row.makes_rooms && row.has_private && menu::item(ui, words.private.new_direct).clicked() {
            wish = Some(RoomsAction::Choose(Purpose::Direct(row.id)));
        }
        if row.browses && menu::item(ui, words.rooms.browse).clicked() {
            wish = Some(RoomsAction::Browse(row.id));
        }
        if row.invites && menu::item(ui, words.people.invite).clicked() {
            wish = Some(RoomsAction::Invite(row.id));
        }
        if row.people && menu::item(ui, words.people.menu).clicked() {
            wish = Some(RoomsAction::People(row.id));
        }
        if row.makes_rooms || row.browses || row.people {
            menu::separator(ui);
        }
        // The app's own hub, and what the command line names for one run, are not the person's to change.
        let is_saved = row.id > ConnectionId::COMMAND_LINE;
        if word == StateWord::Off {
            if menu::item(ui, words.connect).clicked() {
                cx.intents.push(Intent::Link(LinkIntent::Connect(row.id)));
            }
        } else if menu::item(ui, words.disconnect).clicked() {
            cx.intents.push(Intent::Link(LinkIntent::Disconnect(row.id)));
        }
        if menu::item_of(ui, words.log.title, Action::ToggleLog).clicked() {
            wish = Some(RoomsAction::Log(row.id));
        }
        if menu::item(ui, words.doctor.menu).clicked() {
            wish = Some(RoomsAction::Diagnose(row.id));
        }
        if is_saved {
            menu::separator(ui);
            if menu::item(ui, words.edit_connection).clicked() {
                wish = Some(RoomsAction::Edit(row.id));
            }
            if row.is_mapped && menu::item(ui, words.mapping.menu).clicked() {
                wish = Some(RoomsAction::Mapping(row.id));
            }
            if menu::item(ui, words.profiles.duplicate).clicked() {
                wish = Some(RoomsAction::Duplicate(row.id));
            }
            if menu::danger(ui, words.remove_connection).clicked() {
                wish = Some(RoomsAction::Remove(row.id));
            }
        }
    });
    wish
}

/// The line above the direct messages.
fn direct_header(ui: &mut Ui, cx: &Cx, row: &ConnectionRow) {
    let theme = theme::of(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), cx.rhythm().row), Sense::hover());
    let left = rect.left() + 2.0 * space::SMALL;
    let words = cx.words.private.direct_messages;
    let text = widgets::cut(ui, words, theme::small(), theme.weak, rect.right() - left - space::SMALL);
    ui.painter().galley(pos2(left, rect.bottom() - text.size().y - 4.0), text, theme.weak);
    let shown = widgets::spoken(ui, rect, Id::unique(("direct messages", row.id)), words);
    widgets::heading(ui, &shown, words, 3);
}

/// The line above the archived rooms. Returns whether the person shows or hides them.
fn archived_header(ui: &mut Ui, cx: &Cx, row: &ConnectionRow, folded: bool) -> bool {
    let theme = theme::of(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), cx.rhythm().row), Sense::hover());
    let rect = rect.shrink2(vec2(space::SMALL, 0.0));
    let response = ui.interact(rect, Id::unique(("archived rooms", row.id)), Sense::click());
    let text = (cx.words.rooms.archived_rooms)(row.archived);
    widgets::named(ui, &response, &text);
    ui.ctx().accesskit_node_builder(response.id, |node| {
        node.set_role(Role::Button);
        node.set_expanded(!folded);
    });
    if response.hovered() {
        ui.painter().rect_filled(rect, f32::from(radius::CONTROL), theme.hover);
    }
    let at = pos2(rect.left() + space::SMALL + 4.0, rect.center().y);
    icons::paint(ui.painter(), at, Icon::Archive, 14.0, theme.weak);
    if folded {
        let at = pos2(rect.right() - space::SMALL - 6.0, rect.center().y);
        icons::paint(ui.painter(), at, Icon::Unfold, 14.0, theme.weak);
    }
    let left = rect.left() + space::SMALL + 18.0;
    let text = widgets::cut(ui, &text, theme::small(), theme.weak, rect.right() - left - 24.0);
    ui.painter().galley(pos2(left, rect.center().y - text.size().y / 2.0), text, theme.weak);
    response.clicked()
}

/// What a person wants of a room in the list.
enum RoomWish {
    /// To be in it.
    Open,
    /// To do this with it.
    Act(RoomAct),
}

/// Draws a room. Returns what the person wants of it.
///
/// Long: one row from left to right: ground, icon, counts, name.
fn room_row(
    ui: &mut Ui,
    cx: &mut Cx,
    (connection, room, name): (ConnectionId, &RoomId, &str),
    (at, of): (usize, usize),
    state: State,
    selected: bool,
    wants_focus: bool,
) -> Option<RoomWish> {
    let State { counts: Counts { unread, mentions }, choice, unmade, archived, privacy } = state;
    let theme = theme::of(ui);
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), cx.rhythm().row));
    let id = Id::unique(("room", connection, room));
    let rect = rect.shrink2(vec2(space::SMALL, 0.0));
    let response = ui.interact(rect, id, Sense::click());
    if wants_focus {
        response.request_focus();
    }
    if response.gained_focus() {
        response.scroll_to_me(None);
    }
    speak(ui, cx, id, name, (at, of), state, selected);
    let act = room_menu::show(ui, cx, &response, (connection, room, name), choice).map(RoomWish::Act);
    let wish = act.or(response.clicked().then_some(RoomWish::Open));
    if !ui.is_rect_visible(rect) {
        return wish;
    }
    let fill = match (selected, response.hovered()) {
        (true, _) => Some(theme.selected),
        (false, true) => Some(theme.hover),
        (false, false) => None,
    };
    if let Some(fill) = fill {
        ui.painter().rect_filled(rect, f32::from(radius::CONTROL), fill);
    }
    let left = rect.left() + space::SMALL;
    let colour = if selected || unread > 0 { theme.text } else { theme.weak };
    let (icon, icon_colour) = match unmade {
        None if archived => (Icon::Archive, theme.weak),
        None if privacy == Privacy::Members => (Icon::Lock, theme.weak),
        None => (Icon::Room, theme.weak),
        Some(Unmade::Waiting) => (Icon::Clock, theme.weak),
        Some(Unmade::Refused) => (Icon::Alert, theme.bad),
    };
    let at = pos2(left + 4.0, rect.center().y);
    match privacy {
        Privacy::Direct(true) if unmade.is_none() && !archived => {
            ui.painter().circle_filled(at, 4.0, theme.good);
        }
        Privacy::Direct(_) if unmade.is_none() && !archived => {
            ui.painter().circle_stroke(at, 3.5, Stroke::new(1.5, theme.weak));
        }
        _ => icons::paint(ui.painter(), at, icon, 14.0, icon_colour),
    }
    let mut right = rect.right() - space::SMALL;
    if unread > 0 {
        right -= widgets::count_pill(ui, pos2(right, rect.center().y), unread, theme) + 6.0;
    }
    if mentions > 0 {
        right -= widgets::mention_pill(ui, pos2(right, rect.center().y), mentions, theme) + 6.0;
    }
    if choice.is_muted() {
        widgets::muted_mark(ui.painter(), pos2(right - 7.0, rect.center().y), theme.weak);
        right -= 20.0;
    }
    let left = left + 18.0;
    let font = if unread > 0 { theme::strong(size::BODY) } else { theme::body() };
    let name = widgets::cut(ui, name, font, colour, right - left);
    ui.painter().galley(pos2(left, rect.center().y - name.size().y / 2.0), name, colour);
    wish
}

/// What of a room is said to those who listen.
fn speak(ui: &Ui, cx: &Cx, id: Id, name: &str, (at, of): (usize, usize), state: State, selected: bool) {
    let State { counts: Counts { unread, mentions }, choice, unmade, archived, privacy } = state;
    ui.ctx().accesskit_node_builder(id, |node| {
        node.set_role(Role::ListItem);
        let mut name = name.to_owned();
        for (count, said) in [(unread, cx.words.unread), (mentions, cx.words.mentions)] {
            if count > 0 {
                name = format!("{name}, {}", said(count));
            }
        }
        if let Some(unmade) = unmade {
            name = format!("{name}, {}", (cx.words.unmade)(unmade));
        }
        if archived {
            name = format!("{name}, {}", cx.words.rooms.is_archived);
        }
        let people = cx.words.people;
        let said = match privacy {
            Privacy::Everybody => None,
            Privacy::Members => Some(cx.words.private.is_private),
            Privacy::Direct(true) => Some(people.online),
            Privacy::Direct(false) => Some(people.offline),
        };
        if let Some(said) = said {
            name = format!("{name}, {said}");
        }
        node.set_label(name);
        node.set_selected(selected);
        node.set_position_in_set(at);
        node.set_size_of_set(of);
        if let Some(said) = choice.said(cx.words) {
            node.set_description(said);
        }
    });
}
