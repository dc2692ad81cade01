//! Draws the bar and, as the layout has them, the panes below it.

use egui::accesskit::Role;
use egui::{CentralPanel, Frame, Margin, Panel};

use super::panes::Layout;
use super::theme::{self, size, space};
use super::{
    Cx, OpenRoom, Ui, banner, bar, chat, dialog, first_steps, members, room_browse, rooms, search, status,
    topics, widgets,
};
use crate::model::deep_link;
use crate::model::id::{ConnectionId, MessageId, RoomId};
use crate::model::intent::{AppIntent, Jump};

/// A pane that the keyboard can be sent to, in the order from left to right and down.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The list of rooms.
    Rooms,
    /// The chat.
    Chat,
    /// The devices.
    Devices,
    /// The connection log.
    Log,
    /// The search pane.
    Search,
}

impl Ui {
    /// Draws everything but dialogs.
    pub(super) fn panels(&mut self, ui: &mut egui::Ui, cx: &mut Cx) {
        let width = ui.available_width();
        self.layout.fit(width);
        self.brokers = topics::brokers(cx);
        self.stops.clear();
        if let Some(note) = banner::show(ui, cx) {
            self.dialog = Some(dialog::Dialog::CrashNote(note));
        }
        self.bar(ui, cx);
        let below = ui.available_rect_before_wrap();
        if self.logs.show(ui, cx) {
            self.chat.focus_input();
        }
        let log = below.with_min_y(ui.available_rect_before_wrap().bottom());
        let (search, is_alone) = self.search(ui, cx);
        let widths = match self.layout.is_wide() {
            true => self.side_by_side(ui, cx, ui.available_width()),
            // It has the whole window.
            false if is_alone => [None, None],
            false => self.alone(ui, cx),
        };
        self.stops.extend(search);
        if log.height() > 0.0 {
            self.stops.push((Stop::Log, log));
        }
        self.layout.note_widths(widths, ui.input(|input| input.pointer.any_down()));
        if !self.shows_devices() {
            self.devices.rest();
        }
    }

    fn bar(&mut self, ui: &mut egui::Ui, cx: &mut Cx) {
        let frame =
            Frame::new().fill(theme::of(ui).panel).inner_margin(Margin::symmetric(space::MEDIUM as i8, 0));
        let unread = self.unread(cx);
        let shown = |log| bar::Shown {
            layout: &self.layout,
            devices: self.shows_devices(),
            topics: (!self.brokers.is_empty()).then_some(self.layout.chosen().topics.shown),
            search: self.search.is_open(),
            log,
            unread,
        };
        let wish = Panel::top("connection bar").frame(frame).resizable(false).show(ui, |ui| {
            widgets::landmark(ui, Role::Banner, cx.words.connection_bar);
            let open = self.open.as_ref();
            let link = open.and_then(|place| self.links.get(&place.connection));
            let log = open.is_some_and(|place| self.logs.shows(place.connection));
            bar::show(ui, cx, open, link, shown(log))
        });
        if let Some(connection) = wish.inner.edit {
            self.dialog = dialog::Dialog::edit(cx, connection);
        }
        if let Some(connection) = wish.inner.diagnose {
            self.dialog = dialog::Dialog::doctor(cx, connection);
        }
        if let Some(action) = wish.inner.action {
            self.act(ui, cx, action);
        }
    }

    /// The list of rooms, the chat and the devices beside each other, as far as they are shown. Returns the widths of the
    /// first and the last.
    fn side_by_side(&mut self, ui: &mut egui::Ui, cx: &mut Cx, width: f32) -> [Option<f32>; 2] {
        let panel = Frame::new().fill(theme::of(ui).panel);
        // What less room took from a panel it gets back with the room: only a drag changes what was chosen.
        if !ui.input(|input| input.pointer.any_down()) {
            widgets::forget_size(ui, "rooms");
            widgets::forget_size(ui, "devices");
        }
        let chosen = self.layout.chosen();
        let (rooms_width, devices_width) = (chosen.rooms_width, chosen.devices_width);
        let both = self.layout.shows_chat() && self.shows_devices();
        // The rooms give way before the devices do.
        let least = if both { size::CHAT_LEAST + size::DEVICES_LEAST + 1.0 } else { size::CHAT_LEAST };
        let most_rooms = (width * 0.4).min(width - least).max(size::ROOMS_LEAST);
        let rooms = self.layout.shows_rooms().then(|| {
            let shown = Panel::left("rooms")
                .frame(panel)
                .default_size(rooms_width.unwrap_or(size::ROOMS))
                .size_range(size::ROOMS_LEAST..=most_rooms)
                .show(ui, |ui| self.rooms(ui, cx));
            widgets::splitter(ui, "rooms", cx.words.resize_rooms);
            self.stops.push((Stop::Rooms, shown.response.rect));
            shown.response.rect.width()
        });
        let mut beside = None;
        let devices = both.then(|| {
            let rest = width - rooms.unwrap_or(0.0);
            let most = (rest - size::CHAT_LEAST).max(size::DEVICES_LEAST);
            // Messages are no wider than can be read along: devices have the rest.
            let room_for_devices = (rest - size::CHAT_WIDE).max(size::DEVICES);
            let shown = Panel::right("devices")
                .frame(panel)
                .default_size(devices_width.unwrap_or(room_for_devices))
                .size_range(size::DEVICES_LEAST..=most)
                .show(ui, |ui| {
                    widgets::landmark(ui, Role::Complementary, cx.words.devices.devices);
                    self.devices_or_topics(ui, cx);
                });
            widgets::splitter(ui, "devices", cx.words.resize_devices);
            beside = Some((Stop::Devices, shown.response.rect));
            shown.response.rect.width()
        });
        self.middle(ui, cx);
        self.stops.extend(beside);
        [rooms, devices]
    }

    /// Draws the search pane, if it is open. Returns where it stands, and whether it has the whole window.
    fn search(&mut self, ui: &mut egui::Ui, cx: &mut Cx) -> (Option<(Stop, egui::Rect)>, bool) {
        if !self.search.is_open() {
            return (None, false);
        }
        let is_alone = !self.layout.is_wide();
        if is_alone {
            self.leave_chat(cx);
        }
        let (wish, rect) = self.search.show(ui, cx, self.open.as_ref(), is_alone);
        match wish {
            Some(search::SearchAction::Closed) => self.chat.focus_input(),
            Some(search::SearchAction::Go(target)) => {
                let (jump, id) = (target.jump(), target.id);
                match target.thread {
                    Some(root) => self.go_to_thread(cx, target.connection, target.room, root),
                    None => self.go_to_message(cx, target.connection, target.room, jump, Some(id)),
                }
                if is_alone {
                    self.chat.focus_input();
                }
            }
            None => {}
        }
        (Some((Stop::Search, rect)), is_alone)
    }

    /// Opens a room at a place, and marks a message there.
    pub(super) fn go_to_message(
        &mut self,
        cx: &mut Cx,
        connection: ConnectionId,
        room: RoomId,
        jump: Jump,
        id: Option<MessageId>,
    ) {
        self.layout.bring_chat();
        self.go_to(OpenRoom { connection, room: Some(room.clone()) }, cx.intents);
        self.chat.point_at((connection, room), jump, id);
        cx.deadline.at(cx.now.boot_ms);
    }

    /// Opens a room and one of its threads beside it.
    pub(super) fn go_to_thread(
        &mut self,
        cx: &mut Cx,
        connection: ConnectionId,
        room: RoomId,
        root: MessageId,
    ) {
        self.layout.bring_chat();
        self.go_to(OpenRoom { connection, room: Some(room.clone()) }, cx.intents);
        self.chat.open_thread(&(connection, room), root);
        cx.deadline.at(cx.now.boot_ms);
    }

    /// One pane in the whole width.
    fn alone(&mut self, ui: &mut egui::Ui, cx: &mut Cx) -> [Option<f32>; 2] {
        if self.layout.shows_rooms() {
            let panel = Frame::new().fill(theme::of(ui).panel);
            let shown = CentralPanel::default().frame(panel).show(ui, |ui| self.rooms(ui, cx));
            self.stops.push((Stop::Rooms, shown.response.rect));
            self.leave_chat(cx);
        } else {
            self.middle(ui, cx);
        }
        [None, None]
    }

    /// The chat, or in its place the devices.
    fn middle(&mut self, ui: &mut egui::Ui, cx: &mut Cx) {
        let theme = theme::of(ui);
        let is_chat = self.layout.shows_chat();
        let frame = Frame::new().fill(if is_chat { theme.ground } else { theme.panel });
        let shown = CentralPanel::default().frame(frame).show(ui, |ui| {
            let name = if is_chat { cx.words.keys.chat } else { cx.words.devices.devices };
            widgets::landmark(ui, Role::Main, name);
            if first_steps::show(ui, cx) {
                self.dialog = Some(dialog::Dialog::add());
            }
            if is_chat {
                let (open, focused) = (self.open.as_ref(), self.focused.unwrap_or(true));
                match self.chat.show(ui, cx, open, focused, self.layout.composer_mut()) {
                    Some(chat::ChatAction::Follow(target, _)) if deep_link::is_link(target.url()) => {
                        self.open_link(target.url());
                        cx.deadline.at(cx.now.boot_ms);
                    }
                    Some(chat::ChatAction::Follow(target, claimed)) => {
                        self.dialog = Some(dialog::Dialog::open_link(target, claimed));
                    }
                    Some(chat::ChatAction::Delete(room, id, body)) => {
                        self.dialog = Some(dialog::Dialog::delete(cx, room, id, body));
                    }
                    Some(chat::ChatAction::Mapping(of)) => self.dialog = dialog::Dialog::mapping(cx, of),
                    Some(chat::ChatAction::Snippets(connection, more)) => {
                        self.dialog = dialog::Dialog::snippets(cx, connection, more);
                    }
                    Some(chat::ChatAction::History(key, at)) => {
                        let sheet = chat::history::Sheet::new(cx, &key, at);
                        self.dialog = Some(dialog::Dialog::History(sheet));
                        cx.deadline.at(cx.now.boot_ms);
                    }
                    Some(chat::ChatAction::SetStatus(connection)) => {
                        self.dialog = Some(dialog::Dialog::Status(status::Sheet::new(cx, connection)));
                        cx.deadline.at(cx.now.boot_ms);
                    }
                    Some(chat::ChatAction::Direct(connection, who)) => {
                        self.awaited = Some(members::ask_direct(cx, connection, who));
                    }
                    Some(chat::ChatAction::People(connection)) => {
                        self.dialog = Some(dialog::Dialog::people(connection));
                        cx.deadline.at(cx.now.boot_ms);
                    }
                    Some(chat::ChatAction::Room(key, act)) => {
                        self.room_act(cx, &key, act);
                        cx.deadline.at(cx.now.boot_ms);
                    }
                    Some(chat::ChatAction::Act(action)) => {
                        self.act(ui, cx, action);
                        cx.deadline.at(cx.now.boot_ms);
                    }
                    None => {}
                }
            } else {
                self.leave_chat(cx);
                self.devices_or_topics(ui, cx);
            }
        });
        let stop = if is_chat { Stop::Chat } else { Stop::Devices };
        self.stops.push((stop, shown.response.rect));
    }

    /// The devices, or in their place the topics of a broker.
    fn devices_or_topics(&mut self, ui: &mut egui::Ui, cx: &mut Cx) {
        let has_topics = !self.brokers.is_empty();
        if has_topics {
            let words = cx.words;
            let shown = &mut self.layout.topics_mut().shown;
            let frame = Frame::new().inner_margin(Margin::symmetric(space::LARGE as i8, space::TINY as i8));
            frame.show(ui, |ui| {
                ui.horizontal(|ui| {
                    for (is_topics, name) in [(false, words.devices.devices), (true, words.topics.title)] {
                        if widgets::tab(ui, *shown == is_topics, name).clicked() {
                            *shown = is_topics;
                            cx.deadline.at(cx.now.boot_ms);
                        }
                    }
                });
            });
        }
        if has_topics && self.layout.chosen().topics.shown {
            self.devices.rest();
            let open = self.open.as_ref().map(|place| place.connection);
            self.topics.show(ui, cx, &self.brokers, open, self.layout.topics_mut());
        } else {
            self.devices.show(ui, cx, &self.links, self.layout.lists_mut());
        }
    }

    fn rooms(&mut self, ui: &mut egui::Ui, cx: &mut Cx) {
        widgets::landmark(ui, Role::Navigation, cx.words.keys.rooms);
        match self.rooms.show(ui, cx, self.open.as_ref(), &self.links, self.chat.reading()) {
            Some(rooms::RoomsAction::Open(place)) => {
                self.visit(cx, place);
                // What is drawn already may be another pane.
                cx.deadline.at(cx.now.boot_ms);
            }
            Some(rooms::RoomsAction::Act(key, act)) => self.room_act(cx, &key, act),
            Some(rooms::RoomsAction::Browse(id)) => {
                self.dialog = Some(dialog::Dialog::Browse(room_browse::Sheet::new(id)));
            }
            Some(rooms::RoomsAction::Choose(purpose)) => {
                self.dialog = Some(dialog::Dialog::Members(members::Sheet::new(purpose)));
            }
            Some(rooms::RoomsAction::Add) => self.dialog = Some(dialog::Dialog::add()),
            Some(rooms::RoomsAction::Log(id)) => self.logs.open(id, cx.intents),
            Some(rooms::RoomsAction::Diagnose(id)) => self.dialog = dialog::Dialog::doctor(cx, id),
            Some(rooms::RoomsAction::Edit(id)) => self.dialog = dialog::Dialog::edit(cx, id),
            Some(rooms::RoomsAction::Mapping(id)) => self.dialog = dialog::Dialog::mapping(cx, id),
            Some(rooms::RoomsAction::Duplicate(id)) => self.dialog = dialog::Dialog::duplicate(cx, id),
            Some(rooms::RoomsAction::People(id)) => self.dialog = Some(dialog::Dialog::people(id)),
            Some(rooms::RoomsAction::Invite(id)) => self.dialog = Some(dialog::Dialog::invites(id)),
            Some(rooms::RoomsAction::Remove(id)) => self.dialog = dialog::Dialog::remove(cx, id),
            None => {}
        }
    }

    fn leave_chat(&mut self, cx: &mut Cx) {
        self.chat.flush_drafts(cx.intents);
        self.chat.leave();
    }

    /// Hands out how the panes stand when a person has changed it; a drag once it has ended.
    pub(super) fn keep_panes(&mut self, ui: &egui::Ui, cx: &mut Cx) {
        let dragging = ui.input(|input| input.pointer.any_down());
        if !dragging && !Layout::same(self.layout.chosen(), &self.kept) {
            self.kept = self.panes();
            cx.intents.push(crate::model::Intent::App(AppIntent::KeepPanes(self.kept.clone())));
        }
    }

    /// What is unread, but for the room that is being read: what comes there would only flicker.
    fn unread(&self, cx: &Cx) -> u64 {
        let reading = self.chat.reading();
        cx.model.read(|model| {
            let rooms = model.connections.iter().flat_map(|(id, connection)| {
                connection.chat.rooms.iter().map(move |(name, room)| (*id, name, room.shown_unread()))
            });
            let is_read = |id, name| reading.is_some_and(|(at, room)| *at == id && room == name);
            rooms.filter(|(id, name, _)| !is_read(*id, *name)).map(|(.., unread)| unread).sum()
        })
    }

    /// Says in the window's title which room is open, and what is unread.
    pub(super) fn entitle(&mut self, ui: &egui::Ui, cx: &Cx) {
        let room = self.open.as_ref().and_then(|place| Some((place.connection, place.room.clone()?)));
        let room = room.map(|(connection, room)| cx.room_title(connection, &room, 64));
        let unread = self.unread(cx);
        let mut title = String::new();
        if unread > 0 {
            title.push_str(&format!("({unread}) "));
        }
        if let Some(room) = room {
            title.push_str(&format!("{room} — "));
        }
        title.push_str("Duplex");
        ui.ctx().accesskit_node_builder(egui::accesskit_root_id(), |node| node.set_label(title.clone()));
        if self.title != title {
            ui.ctx().send_viewport_cmd(egui::ViewportCommand::Title(title.clone()));
            self.title = title;
        }
    }
}
