//! The window's views. A view copies out of the model what is visible, lets go of the lock, draws, and says what the
//! person wants as [`Intent`]s. No I/O, no clock; every sentence comes from [`text`], every colour from [`theme`].

pub mod harmless;
pub mod keys;
pub mod text;
pub mod theme;

mod acts;
mod ask;
mod banner;
mod bar;
mod chat;
mod devices;
mod dialog;
mod first_steps;
mod link;
mod log;
mod looks;
mod open_link;
mod rooms;
mod settings;
mod shortcuts;
mod target;
mod value;
mod widgets;

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use egui::{CentralPanel, Frame, Panel};

use crate::model::device::DeviceId;
use crate::model::id::{ConnectionId, RoomName};
use crate::model::intent::Intent;
use crate::model::preferences::Preferences;
use crate::model::shared::SharedModel;
use crate::model::time::{BootMs, Time};

use link::LinkMemory;
use text::{Language, Words};
use theme::{size, space};

/// What the window takes from the system. The person's own choices are in the model.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The system's language: the window's own unless the person prefers another.
    pub language: Language,
}

/// What is open: a connection, and a room of it once there is one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Place {
    connection: ConnectionId,
    room: Option<RoomName>,
}

/// What every view gets beside its own state.
struct Cx<'a> {
    words: &'static Words,
    chosen: Preferences,
    now: Time,
    model: &'a SharedModel,
    intents: &'a mut Vec<Intent>,
    deadline: &'a mut Deadline,
}

/// The next moment at which something on screen changes by itself.
#[derive(Copy, Clone, Debug, Default)]
struct Deadline(Option<BootMs>);

impl Deadline {
    /// Asks to be drawn at this moment or before.
    fn at(&mut self, moment: BootMs) {
        self.0 = Some(self.0.map_or(moment, |known| known.min(moment)));
    }
}

/// Where the devices are. In a wide window they stand beside the chat, in a narrow one in its place; for each the person
/// chooses, and it is remembered apart.
#[derive(Copy, Clone, Debug)]
struct Layout {
    beside: bool,
    instead: bool,
    is_wide: bool,
}

impl Default for Layout {
    fn default() -> Self {
        Layout { beside: true, instead: false, is_wide: true }
    }
}

impl Layout {
    fn shows_devices(self) -> bool {
        if self.is_wide { self.beside } else { self.instead }
    }

    fn shows_chat(self) -> bool {
        self.is_wide || !self.instead
    }

    fn toggle(&mut self) {
        let shown = if self.is_wide { &mut self.beside } else { &mut self.instead };
        *shown = !*shown;
    }
}

/// The window's own state: what is open, scrolled to, typed. Everything else is in the model.
pub struct Ui {
    looks: looks::Looks,
    open: Option<Place>,
    links: HashMap<ConnectionId, LinkMemory>,
    rooms: rooms::Rooms,
    chat: chat::Chat,
    devices: devices::Devices,
    logs: log::Logs,
    layout: Layout,
    asks: ask::Asks,
    dialog: Option<dialog::Dialog>,
    /// The connections there were when the person added one: the one that comes is opened.
    known_before: Option<BTreeSet<ConnectionId>>,
    focused: Option<bool>,
    deadline: Deadline,
}

impl Ui {
    /// Dresses the context and starts with nothing open.
    pub fn new(ctx: &egui::Context, options: Options) -> Ui {
        Ui {
            looks: looks::Looks::new(ctx, options.language),
            open: None,
            links: HashMap::new(),
            rooms: rooms::Rooms::default(),
            chat: chat::Chat::default(),
            devices: devices::Devices::default(),
            logs: log::Logs::default(),
            layout: Layout::default(),
            asks: ask::Asks::default(),
            dialog: None,
            known_before: None,
            focused: None,
            deadline: Deadline::default(),
        }
    }

    /// Draws the window. What the person wants is added to `intents`. Asks the context for its next repaint, and only
    /// for one that [`Ui::next_deadline`] names.
    pub fn show(&mut self, ui: &mut egui::Ui, model: &SharedModel, now: Time, intents: &mut Vec<Intent>) {
        self.looks.follow(ui, model);
        let mut deadline = Deadline::default();
        let (words, chosen) = (self.looks.words(), self.looks.wanted());
        let mut cx = Cx { words, chosen, now, model, intents, deadline: &mut deadline };
        self.note_focus(ui, &mut cx);
        self.look_at_links(&mut cx);
        self.keep_open_place_valid(&mut cx);
        let by_keys = keys::take(ui, self.dialog.is_some());
        if let Some(action) = by_keys {
            self.act(&mut cx, action);
        }
        self.panels(ui, &mut cx);
        self.dialogs(ui, &mut cx);
        self.deadline = deadline;
        if let Some(moment) = deadline.0 {
            let wait = moment.saturating_sub(now.boot_ms);
            ui.ctx().request_repaint_after(Duration::from_millis(wait));
        }
    }

    /// The boot time, in milliseconds, at which the window wants to be drawn although nothing happened: a countdown's
    /// next second, the end of somebody's typing, a draft to be kept. `None`: nothing changes by itself.
    pub fn next_deadline(&self) -> Option<BootMs> {
        self.deadline.0
    }

    /// Hands out every draft that is not kept yet; for when the window is hidden or closed.
    pub fn flush_drafts(&mut self, intents: &mut Vec<Intent>) {
        self.chat.flush_drafts(intents);
    }

    /// The connection and room that are open.
    pub fn open_room(&self) -> Option<(ConnectionId, &RoomName)> {
        let place = self.open.as_ref()?;
        Some((place.connection, place.room.as_ref()?))
    }

    /// Opens a room, as if the person had chosen it; it may be one that is yet to come.
    pub fn open(&mut self, connection: ConnectionId, room: RoomName, intents: &mut Vec<Intent>) {
        self.go_to(Place { connection, room: Some(room) }, intents);
    }

    /// Whether the devices are on screen.
    pub fn shows_devices(&self) -> bool {
        self.layout.shows_devices()
    }

    /// Opens the page of a device, as if the person had chosen it in the list.
    pub fn open_device(&mut self, connection: ConnectionId, device: DeviceId) {
        if !self.layout.shows_devices() {
            self.layout.toggle();
        }
        self.devices.open(connection, device);
    }

    fn go_to(&mut self, place: Place, intents: &mut Vec<Intent>) {
        if self.open.as_ref() != Some(&place) {
            self.chat.flush_drafts(intents);
            self.chat.leave();
            self.open = Some(place);
        }
    }

    fn note_focus(&mut self, ui: &egui::Ui, cx: &mut Cx) {
        let focused = ui.input(|input| input.focused);
        if self.focused != Some(focused) {
            // A window starts with the focus: only its changes are news.
            if self.focused.is_some() {
                cx.intents.push(Intent::Focus(focused));
            }
            self.focused = Some(focused);
        }
    }

    fn look_at_links(&mut self, cx: &mut Cx) {
        let links = &mut self.links;
        let (now, deadline) = (cx.now, &mut *cx.deadline);
        cx.model.read(|model| {
            links.retain(|id, _| model.connections.contains_key(id));
            for (id, connection) in &model.connections {
                links.entry(*id).or_default().look(connection, now, deadline);
            }
        });
    }

    /// Opens the first room there is when nothing is open, and leaves what is gone.
    fn keep_open_place_valid(&mut self, cx: &mut Cx) {
        let added = self.known_before.as_ref().and_then(|known| {
            cx.model.read(|model| model.connections.keys().find(|id| !known.contains(id)).copied())
        });
        if let Some(connection) = added {
            self.known_before = None;
            self.go_to(Place { connection, room: None }, cx.intents);
        }
        let open = self.open.clone();
        let better = cx.model.read(|model| {
            let known =
                open.as_ref().and_then(|place| Some((place, model.connections.get(&place.connection)?)));
            match known {
                Some((place, connection)) => match &place.room {
                    Some(room) if connection.rooms.contains_key(room) => open.clone(),
                    // A connection whose rooms are not known yet keeps its place.
                    Some(_) if connection.rooms.is_empty() => open.clone(),
                    _ => Some(Place { connection: place.connection, room: first_room(connection) }),
                },
                None => model
                    .connections
                    .iter()
                    .next()
                    .map(|(id, connection)| Place { connection: *id, room: first_room(connection) }),
            }
        });
        if better != self.open {
            match better {
                Some(place) => self.go_to(place, cx.intents),
                None => {
                    self.chat.leave();
                    self.open = None;
                }
            }
        }
    }

    fn panels(&mut self, ui: &mut egui::Ui, cx: &mut Cx) {
        let width = ui.available_width();
        let theme = theme::of(ui);
        self.layout.is_wide = width >= size::BESIDE;
        banner::show(ui, cx);
        let open = self.open.clone();
        let mut wish = bar::Wish::default();
        let bar = Frame::new().fill(theme.panel).inner_margin(egui::Margin::symmetric(space::LARGE as i8, 0));
        Panel::top("connection bar").frame(bar).resizable(false).show(ui, |ui| {
            let link = open.as_ref().and_then(|place| self.links.get(&place.connection));
            let shows_log = open.as_ref().is_some_and(|place| self.logs.shows(place.connection));
            let shown = bar::Shown { devices: self.layout.shows_devices(), log: shows_log };
            wish = bar::show(ui, cx, open.as_ref(), link, shown);
        });
        if let Some(connection) = wish.edit {
            self.dialog = dialog::Dialog::edit(cx, connection);
        }
        if let Some(connection) = wish.toggle_log {
            self.toggle_log(cx, connection);
        }
        if self.logs.show(ui, cx) {
            self.chat.focus_input();
        }
        if wish.toggle_devices {
            self.layout.toggle();
            if !self.layout.shows_devices() {
                self.chat.focus_input();
            }
        }
        let rooms_width = match width {
            w if w < size::SLIM => size::ROOMS_SLIM,
            w if w < size::NARROW => size::ROOMS_NARROW,
            _ => size::ROOMS,
        };
        // Each width class keeps the width that the person dragged it to.
        let salt = ("rooms", rooms_width as u32);
        Panel::left(salt)
            .frame(Frame::new().fill(theme.panel))
            .default_size(rooms_width)
            .size_range(120.0..=(width * 0.45).max(120.0))
            .show(ui, |ui| {
                match self.rooms.show(ui, cx, self.open.as_ref(), &self.links, self.chat.reading()) {
                    Some(rooms::Wish::Open(place)) => {
                        self.layout.instead = false;
                        self.chat.focus_input();
                        self.go_to(place, cx.intents);
                    }
                    Some(rooms::Wish::Settings) => self.open_settings(),
                    Some(rooms::Wish::Add) => self.dialog = Some(dialog::Dialog::add()),
                    Some(rooms::Wish::Log(id)) => self.logs.open(id, cx.intents),
                    Some(rooms::Wish::Edit(id)) => self.dialog = dialog::Dialog::edit(cx, id),
                    Some(rooms::Wish::Remove(id)) => self.dialog = dialog::Dialog::remove(cx, id),
                    None => {}
                }
            });
        if self.layout.is_wide && self.layout.beside {
            Panel::right("devices")
                .frame(Frame::new().fill(theme.panel))
                .default_size(size::DEVICES)
                .size_range(size::DEVICES_LEAST..=(width * 0.6))
                .show(ui, |ui| self.devices.show(ui, cx, &self.links));
        }
        let ground = if self.layout.shows_chat() { theme.ground } else { theme.panel };
        CentralPanel::default().frame(Frame::new().fill(ground)).show(ui, |ui| {
            if first_steps::show(ui, cx) {
                self.dialog = Some(dialog::Dialog::add());
            }
            if self.layout.shows_chat() {
                let wish = self.chat.show(ui, cx, self.open.as_ref(), self.focused.unwrap_or(true));
                if let Some(chat::Wish::Follow(target, claimed)) = wish {
                    self.dialog = Some(dialog::Dialog::open_link(target, claimed));
                }
            } else {
                self.chat.flush_drafts(cx.intents);
                self.chat.leave();
                self.devices.show(ui, cx, &self.links);
            }
        });
        if !self.layout.shows_devices() {
            self.devices.rest();
        }
    }

    /// Never over another dialog: what is typed there stays.
    fn open_settings(&mut self) {
        if self.dialog.is_none() {
            self.dialog = Some(dialog::Dialog::settings(self.looks.wanted()));
        }
    }

    fn dialogs(&mut self, ui: &mut egui::Ui, cx: &mut Cx) {
        let asked_for = cx.intents.len();
        let fate = self.dialog.as_mut().map(|dialog| dialog.show(ui, cx));
        if let Some(dialog::Dialog::Settings(sheet)) = &mut self.dialog {
            self.looks.choose(*sheet.chosen(), cx.intents);
        }
        if fate == Some(dialog::Fate::Closed) {
            let is_new = |intent: &Intent| matches!(intent, Intent::SaveConnection { profile, .. } if profile.id == ConnectionId(0));
            if cx.intents[asked_for..].iter().any(is_new) {
                self.known_before = Some(cx.model.read(|model| model.connections.keys().copied().collect()));
            }
            self.dialog = None;
            self.chat.focus_input();
        }
        if let Some(connection) = self.asks.show(ui, cx) {
            self.dialog = dialog::Dialog::edit(cx, connection);
        }
    }
}

/// The room to begin with: the one every hub has, or the first by name.
fn first_room(connection: &crate::model::Connection) -> Option<RoomName> {
    let general = RoomName::general();
    if connection.rooms.contains_key(&general) {
        Some(general)
    } else {
        connection.rooms.keys().next().cloned()
    }
}
