//! Carries out actions chosen by keyboard shortcut, menu or palette.

use super::body::Stop;
use super::chat::RoomKey;
use super::keys::Action;
use super::palette::{self, Target};
use super::{Cx, OpenRoom, Ui, dialog, members, room_browse, room_edit, search, status, topics};
use crate::model::id::ConnectionId;
use crate::model::intent::{Intent, LinkIntent};
use crate::model::panes::Middle;
use crate::model::permit::RoomAct;
use crate::model::preferences::Preferences;

impl Ui {
    /// Carries out an action. Those handled by lists and text fields themselves do not arrive here.
    ///
    /// Long: one arm for each action.
    pub(super) fn act(&mut self, ui: &egui::Ui, cx: &mut Cx, action: Action) {
        match action {
            Action::Palette => {
                let device = self.devices.opened().filter(|_| self.shows_devices());
                self.palette =
                    Some(palette::Palette::new(cx, self.open.as_ref(), &self.recent, device.as_ref()));
            }
            Action::RoomAbove => self.go_along(cx, -1, false),
            Action::RoomBelow => self.go_along(cx, 1, false),
            Action::UnreadAbove => self.go_along(cx, -1, true),
            Action::UnreadBelow => self.go_along(cx, 1, true),
            Action::NextPane => self.next_stop(ui, 1),
            Action::PreviousPane => self.next_stop(ui, -1),
            Action::ToggleRooms => {
                let covered = self.search.is_open() && !self.layout.is_wide();
                self.uncover(false);
                if !(covered && self.layout.shows_rooms()) {
                    self.layout.toggle_rooms();
                }
                self.focus_on(if self.layout.shows_rooms() { Stop::Rooms } else { Stop::Chat });
            }
            Action::ShowChat => {
                self.uncover(false);
                self.layout.show_alone(Middle::Chat);
                self.focus_on(Stop::Chat);
            }
            Action::ShowDevices => {
                self.uncover(true);
                self.layout.show_alone(Middle::Devices);
                self.layout.topics_mut().shown = false;
                self.focus_on(Stop::Devices);
            }
            Action::ShowTopics => self.show_topics(cx),
            Action::ShowBoth => {
                self.uncover(true);
                self.layout.show_alone(Middle::Both);
                self.focus_on(Stop::Chat);
            }
            Action::SearchRoom => self.search.open(false),
            Action::SearchEverywhere => self.search.open(true),
            Action::GoToDate => {
                let room = self.open.as_ref().and_then(|place| Some((place.connection, place.room.clone()?)));
                if let Some((connection, room)) = room.filter(|_| self.dialog.is_none()) {
                    self.dialog = Some(dialog::Dialog::Day(search::day::Sheet::new(connection, room)));
                }
            }
            Action::ToggleDevices => {
                let shown = self.shows_devices();
                self.uncover(true);
                if shown || !self.shows_devices() {
                    self.layout.toggle_devices();
                }
                self.focus_on(if self.layout.shows_devices() { Stop::Devices } else { Stop::Chat });
            }
            Action::ToggleLog => {
                if let Some(place) = &self.open {
                    self.toggle_log(cx, place.connection);
                }
            }
            Action::ZoomIn => self.zoom(cx, Preferences::zoom_in),
            Action::ZoomOut => self.zoom(cx, Preferences::zoom_out),
            Action::ZoomReset => self.zoom(cx, |_| 100),
            Action::Settings => self.open_settings(),
            Action::Shortcuts => self.dialog = Some(dialog::Dialog::Shortcuts),
            Action::AddConnection => self.dialog = Some(dialog::Dialog::add()),
            Action::RetryNow => {
                cx.intents.extend(
                    self.open.as_ref().map(|place| Intent::Link(LinkIntent::RetryNow(place.connection))),
                );
            }
            Action::Send
            | Action::NewLine
            | Action::Bold
            | Action::Italic
            | Action::Code
            | Action::RoomMenu
            | Action::SelectMore
            | Action::SelectAll
            | Action::Reply
            | Action::React
            | Action::EditMessage
            | Action::DeleteMessage
            | Action::PinMessage
            | Action::EditLast
            | Action::Page
            | Action::Step
            | Action::Ends
            | Action::Choose
            | Action::Back => {}
        }
    }

    /// Opens a palette entry's target, or carries out its action.
    pub(super) fn reach(&mut self, ui: &egui::Ui, cx: &mut Cx, target: Target) {
        let wanted = self.looks.wanted();
        let choice = match target {
            Target::Room(place) => return self.visit(cx, place),
            Target::Connection(connection) => return self.visit(cx, OpenRoom { connection, room: None }),
            Target::Device(connection, device) => return self.open_device(connection, device),
            Target::DeviceAct(connection, device, act) => {
                return self.devices.act(ui, cx, (connection, &device), act);
            }
            Target::People(connection) => {
                self.dialog = Some(dialog::Dialog::people(connection));
                return;
            }
            Target::Invite(connection) => {
                self.dialog = Some(dialog::Dialog::invites(connection));
                return;
            }
            Target::AddDevice(connection) => {
                self.dialog = Some(dialog::Dialog::add_device(cx, Some(connection)));
                return;
            }
            Target::RoomAct(key, act) => return self.room_act(cx, &key, act),
            Target::SetStatus(connection) => {
                self.dialog = Some(dialog::Dialog::Status(status::Sheet::new(cx, connection)));
                return;
            }
            Target::Direct(connection, who) => {
                self.awaited = Some(members::ask_direct(cx, connection, who));
                return;
            }
            Target::Choose(purpose) => {
                self.dialog = Some(dialog::Dialog::Members(members::Sheet::new(purpose)));
                return;
            }
            Target::Browse(connection) => {
                self.dialog = Some(dialog::Dialog::Browse(room_browse::Sheet::new(connection)));
                return;
            }
            Target::Act(action) => return self.act(ui, cx, action),
            Target::Theme(theme) => Preferences { theme, ..wanted },
            Target::Language(language) => Preferences { language, ..wanted },
            Target::Density(density) => Preferences { density, ..wanted },
            Target::Setting(at) => {
                self.dialog = Some(dialog::Dialog::setting(wanted, cx.words, at));
                return;
            }
        };
        self.looks.choose(choice, cx.intents);
    }

    /// Shows the topics of the open connection, or of another one that has some.
    fn show_topics(&mut self, cx: &Cx) {
        let brokers = topics::brokers(cx);
        let open = self.open.as_ref().map(|place| place.connection).filter(|id| brokers.contains(id));
        let Some(id) = open.or(brokers.first().copied()) else { return };
        self.uncover(true);
        self.layout.show_alone(Middle::Devices);
        self.layout.topics_mut().shown = true;
        self.topics.open(id);
        self.focus_on(Stop::Devices);
    }

    /// Closes the search pane if it covers the pane being opened.
    fn uncover(&mut self, devices: bool) {
        if devices || !self.layout.is_wide() {
            self.search.close();
        }
    }

    /// Does something with a room, or opens the dialog that it needs.
    pub(super) fn room_act(&mut self, cx: &mut Cx, key: &RoomKey, act: RoomAct) {
        if let Some(dialog) = room_edit::act(cx, key, act) {
            self.dialog = Some(dialog);
        }
    }

    /// Opens a room.
    pub(super) fn visit(&mut self, cx: &mut Cx, place: OpenRoom) {
        self.uncover(false);
        self.layout.bring_chat();
        self.focus_on(Stop::Chat);
        self.go_to(place, cx.intents);
    }

    /// Shows or hides a connection's log. When it is hidden, the message field gets the focus.
    pub(super) fn toggle_log(&mut self, cx: &mut Cx, connection: ConnectionId) {
        self.logs.toggle(connection, cx.intents);
        if !self.logs.shows(connection) {
            self.chat.focus_input();
        }
    }

    fn zoom(&mut self, cx: &mut Cx, step: impl FnOnce(&Preferences) -> u16) {
        let zoom_percent = step(&self.looks.wanted());
        self.looks.choose(Preferences { zoom_percent, ..self.looks.wanted() }, cx.intents);
        if let Some(dialog::Dialog::Settings(sheet)) = &mut self.dialog {
            sheet.chosen().zoom_percent = zoom_percent;
        }
    }

    /// Opens the room `step` places down the list, wrapping around; with `unread`, the next one with unread
    /// messages.
    fn go_along(&mut self, cx: &mut Cx, step: isize, unread: bool) {
        let open = self.open.clone();
        let next = cx.model.read(|model| {
            let rooms = model.connections.iter().flat_map(|(id, connection)| {
                let rooms = connection.chat.rooms_by_name().filter(|(_, room)| !room.info.left);
                rooms.map(move |(name, room)| (*id, name, room.unread))
            });
            let rooms: Vec<_> = rooms.collect();
            let is_open = |(id, name, _): &(ConnectionId, &_, u64)| {
                open.as_ref()
                    .is_some_and(|place| place.connection == *id && place.room.as_ref() == Some(*name))
            };
            let at = rooms.iter().position(is_open).map_or(-1, |at| at as isize);
            let count = rooms.len() as isize;
            let others = (1..=count).map(|n| (at + n * step).rem_euclid(count) as usize);
            let (id, name, _) =
                others.map(|place| rooms[place]).find(|room| !unread || (room.2 > 0 && !is_open(room)))?;
            Some(OpenRoom { connection: id, room: Some(name.clone()) })
        });
        if let Some(place) = next {
            self.visit(cx, place);
        }
    }
}
