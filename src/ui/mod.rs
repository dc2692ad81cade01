//! The window's views. A view copies what is visible out of the model, releases the lock, draws, and returns
//! the person's actions as [`Intent`]s. No I/O and no clock; every text comes from [`text`], every colour
//! from [`theme`].

pub mod harmless;
pub mod keys;
pub mod text;
pub mod theme;
mod token;

mod acts;
mod announce;
mod appearance;
mod archive;
mod ask;
mod banner;
mod bar;
mod bidi;
mod body;
mod chat;
mod connection;
mod deep_link;
mod devices;
mod dialog;
mod digits;
mod doctor;
mod fade;
mod first_steps;
mod focus;
mod focus_mark;
mod icons;
mod link;
mod log;
mod mapping;
mod members;
mod menu;
mod nearby;
mod nul;
mod open_link;
mod outside;
mod overhang;
mod palette;
mod panes;
mod paste_note;
mod people;
mod room_browse;
mod room_edit;
mod room_menu;
mod rooms;
mod search;
mod settings;
mod sheet;
mod shortcuts;
mod snippets;
mod status;
mod synonyms;
mod target;
mod textures;
mod topics;
mod value;
mod viewer;
mod widgets;

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::model::device::DeviceId;
use crate::model::export::Picture;
use crate::model::features::Feature;
use crate::model::id::{ConnectionId, RoomId, RoomName};
use crate::model::intent::{AppIntent, FileIntent, FileSource, Intent, LinkIntent};
use crate::model::panes::Panes;
use crate::model::preferences::Preferences;
use crate::model::shared::SharedModel;
use crate::model::time::{BootMs, Time};

use link::LinkMemory;
pub use outside::Surroundings;
use panes::Layout;
pub use paste_note::NotPasted;
pub use rooms::name_of as connection_name;
use text::{Language, Words};

/// Maximum number of recently opened rooms remembered.
const MAX_RECENT_ROOMS: usize = 20;

/// What the window takes from the system at start. The person's own choices are in the model.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The system's language, used unless the person chose another.
    pub language: Language,
    /// Layout of the panes when the window was last closed.
    pub panes: Panes,
}

/// What is open: a connection and, once it has any, a room of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct OpenRoom {
    connection: ConnectionId,
    room: Option<RoomId>,
}

/// Context passed to every view besides its own state.
struct Cx<'a> {
    words: &'static Words,
    chosen: Preferences,
    now: Time,
    model: &'a SharedModel,
    intents: &'a mut Vec<Intent>,
    around: Surroundings,
    deadline: &'a mut Deadline,
}

impl Cx<'_> {
    /// Spacing set by the density preference.
    fn rhythm(&self) -> &'static theme::Rhythm {
        theme::rhythm(self.chosen.density)
    }

    /// Name of a room for display, with at most `most` characters.
    fn room_title(&self, connection: ConnectionId, room: &RoomId, most: usize) -> String {
        let read =
            |connection: &crate::model::Connection| (connection.has_frames(), connection.chat.name_of(room));
        let (has_frames, name) =
            self.model.read(|model| model.connections.get(&connection).map(read)).unzip();
        if has_frames == Some(true) {
            // Such a server has only one room, which has no name.
            return self.words.plain.room.to_owned();
        }
        harmless::line(name.unwrap_or_else(|| RoomName::of_id(room)).as_str(), most)
    }
}

/// The number of a new request to the worker, which no other of this process has.
fn request_number() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

/// The next moment at which something on screen changes without input.
#[derive(Copy, Clone, Debug, Default)]
struct Deadline(Option<BootMs>);

impl Deadline {
    /// Requests a repaint at this moment or earlier.
    fn at(&mut self, moment: BootMs) {
        self.0 = Some(self.0.map_or(moment, |known| known.min(moment)));
    }
}

/// State of the window: what is open, scrolled to and typed. Everything else is in the model.
pub struct Ui {
    looks: appearance::Appearance,
    open: Option<OpenRoom>,
    links: HashMap<ConnectionId, LinkMemory>,
    rooms: rooms::Rooms,
    chat: chat::Chat,
    devices: devices::Devices,
    topics: topics::Pane,
    /// Connections whose topics can be looked at.
    brokers: Vec<ConnectionId>,
    logs: log::Logs,
    search: search::Pane,
    layout: Layout,
    asks: ask::TokenDialogs,
    links_opened: deep_link::LinkOpener,
    /// The layout last handed out to be saved.
    kept: Panes,
    /// The room that was open when the window was last closed, until its connection exists.
    restored: Option<OpenRoom>,
    /// Areas of the panes in the last frame.
    stops: Vec<(body::Stop, egui::Rect)>,
    title: String,
    announcer: announce::Announcer,
    paste_note: paste_note::PasteNote,
    dialog: Option<dialog::Dialog>,
    viewer: viewer::Viewer,
    /// Whether a picture is looked at, as of the beginning of this frame.
    is_viewing: bool,
    palette: Option<palette::Palette>,
    later: keys::Later,
    /// Recently opened rooms, the newest last.
    recent: Vec<OpenRoom>,
    /// The pane used last; `None` after a click or focus outside of all panes.
    last_used: Option<body::Stop>,
    /// `last_used` as of when the window was covered by a dialog or the palette.
    used_below: Option<body::Stop>,
    /// The focused widget of the last frame.
    last_focused: Option<egui::Id>,
    /// The focused widget as of when the window was covered.
    focus_below: Option<egui::Id>,
    /// The widget to focus in the next frame.
    focus_next: Option<egui::Id>,
    /// The existing connections when the person added one, so that the new one can be opened.
    known_before: Option<BTreeSet<ConnectionId>>,
    /// A room that was asked for, and is opened once it is there.
    awaited: Option<members::Awaited>,
    /// Whether discovery of servers on the local network is on.
    looking: bool,
    focused: Option<bool>,
    around: Surroundings,
    deadline: Deadline,
}

impl Ui {
    /// Sets up the egui context. Nothing is open at first.
    pub fn new(ctx: &egui::Context, options: Options) -> Ui {
        ctx.add_plugin(nul::NoNul);
        ctx.add_plugin(overhang::Overhang);
        Ui {
            looks: appearance::Appearance::new(ctx, options.language),
            open: None,
            links: HashMap::new(),
            rooms: rooms::Rooms::default(),
            chat: chat::Chat::default(),
            devices: devices::Devices::default(),
            topics: topics::Pane::default(),
            brokers: Vec::new(),
            logs: log::Logs::default(),
            search: search::Pane::default(),
            asks: ask::TokenDialogs::default(),
            links_opened: deep_link::LinkOpener::default(),
            layout: Layout::new(options.panes.clone()),
            restored: options
                .panes
                .room
                .clone()
                .map(|(connection, room)| OpenRoom { connection, room: Some(room) }),
            kept: options.panes,
            stops: Vec::new(),
            title: String::new(),
            announcer: announce::Announcer::default(),
            paste_note: paste_note::PasteNote::default(),
            dialog: None,
            viewer: viewer::Viewer::default(),
            is_viewing: false,
            palette: None,
            later: keys::Later::default(),
            recent: Vec::new(),
            last_used: Some(body::Stop::Chat),
            used_below: Some(body::Stop::Chat),
            last_focused: None,
            focus_below: None,
            focus_next: None,
            known_before: None,
            awaited: None,
            looking: false,
            focused: None,
            around: Surroundings::default(),
            deadline: Deadline::default(),
        }
    }

    /// Draws the window, and appends the person's actions to `intents`. Schedules the repaint at
    /// [`Ui::next_deadline`], and no other.
    pub fn show(&mut self, ui: &mut egui::Ui, model: &SharedModel, now: Time, intents: &mut Vec<Intent>) {
        focus_mark::note(ui.ctx());
        self.looks.follow(ui, model, self.around);
        let mut deadline = Deadline::default();
        let (words, chosen) = (self.looks.words(), self.looks.wanted());
        let mut cx = Cx { words, chosen, now, model, intents, around: self.around, deadline: &mut deadline };
        self.is_viewing = viewer::is_open(&cx);
        self.note_focus(ui, &mut cx);
        self.open_awaited(&mut cx);
        self.look_at_links(&mut cx);
        self.keep_open_place_valid(&mut cx);
        self.follow_link(&mut cx);
        self.remember_focus(ui);
        if let Some(action) = self.later.take(ui, self.is_covered()) {
            self.act(ui, &mut cx, action);
        }
        if self.later.is_some() {
            cx.deadline.at(now.boot_ms);
        }
        self.note_use(ui);
        self.take_typing(ui);
        self.panels(ui, &mut cx);
        self.come_back(ui);
        self.dialogs(ui, &mut cx);
        focus_mark::mark(ui.ctx());
        self.paste_note.show(ui, &mut cx);
        self.keep_panes(ui, &mut cx);
        self.entitle(ui, &cx);
        self.announcer.show(ui, &mut cx, self.open.as_ref(), &self.links);
        self.deadline = deadline;
        if let Some(moment) = deadline.0 {
            let wait = moment.since(now.boot_ms);
            ui.ctx().request_repaint_after(Duration::from_millis(wait));
        }
    }

    /// The boot time, in milliseconds, of the next repaint needed without input, such as for a countdown, the
    /// end of a typing indicator, or saving a draft. `None` if nothing changes without input.
    pub fn next_deadline(&self) -> Option<BootMs> {
        self.deadline.0
    }

    /// Hands out every unsaved draft. To be called when the window is hidden or closed.
    pub fn flush_drafts(&mut self, intents: &mut Vec<Intent>) {
        self.chat.flush_drafts(intents);
    }

    /// Adds a picture that was pasted to the open room, if its server takes files.
    pub fn paste_picture(
        &mut self,
        model: &SharedModel,
        picture: Picture,
        intents: &mut Vec<Intent>,
    ) -> bool {
        let Some((connection, room)) = self.open_room().map(|(connection, room)| (connection, room.clone()))
        else {
            return false;
        };
        let takes = model.read(|model| {
            let features = model.connections.get(&connection)?.features.as_ref()?;
            Some(features.has(Feature::Files))
        });
        if takes != Some(true) || self.is_covered() {
            return false;
        }
        let thread = None;
        let source = FileSource::Picture(picture);
        intents.push(Intent::File(FileIntent::Add { connection, room, thread, source }));
        true
    }

    /// Reports at the focused field that pasting failed.
    pub fn not_pasted(&mut self, why: NotPasted) {
        self.paste_note.set(why);
    }

    /// The open connection and room.
    pub fn open_room(&self) -> Option<(ConnectionId, &RoomId)> {
        let place = self.open.as_ref()?;
        Some((place.connection, place.room.as_ref()?))
    }

    /// Opens a room, as if chosen by the person. It need not exist yet.
    pub fn open(&mut self, connection: ConnectionId, room: RoomId, intents: &mut Vec<Intent>) {
        self.go_to(OpenRoom { connection, room: Some(room) }, intents);
    }

    /// Whether the devices are on screen.
    pub fn shows_devices(&self) -> bool {
        // The search pane replaces the devices beside the chat, and everything in a narrow window.
        let covered = self.search.is_open() && (self.layout.shows_chat() || !self.layout.is_wide());
        self.layout.shows_devices() && !covered
    }

    /// The layout and what is open, to be saved when the window is closed.
    pub fn panes(&self) -> Panes {
        let room = self.open.as_ref().and_then(|place| Some((place.connection, place.room.clone()?)));
        Panes { room: room.or_else(|| self.kept.room.clone()), ..self.layout.chosen().clone() }
    }

    /// Opens a device's page, as if chosen in the list.
    pub fn open_device(&mut self, connection: ConnectionId, device: DeviceId) {
        self.search.close();
        self.layout.bring_devices();
        self.layout.topics_mut().shown = false;
        self.focus_next = None;
        self.devices.open(connection, device);
    }

    /// Opens the room that was asked for, once it is there.
    fn open_awaited(&mut self, cx: &mut Cx) {
        let Some((connection, room)) = self.awaited.as_ref().map(|room| room.look(cx)) else { return };
        let is_gone = cx.model.read(|model| !model.connections.contains_key(&connection));
        if room.is_some() || is_gone {
            self.awaited = None;
        }
        if let Some(room) = room {
            self.visit(cx, OpenRoom { connection, room: Some(room) });
            cx.deadline.at(cx.now.boot_ms);
        }
    }

    /// Opens a room chosen by the person.
    fn go_to(&mut self, place: OpenRoom, intents: &mut Vec<Intent>) {
        self.restored = None;
        self.enter(place, intents);
    }

    fn enter(&mut self, place: OpenRoom, intents: &mut Vec<Intent>) {
        if self.open.as_ref() != Some(&place) {
            self.chat.flush_drafts(intents);
            self.chat.leave();
            self.recent.retain(|known| *known != place);
            let most = self.recent.len().saturating_sub(MAX_RECENT_ROOMS - 1);
            self.recent.drain(..most);
            self.recent.push(place.clone());
            self.open = Some(place);
        }
    }

    fn note_focus(&mut self, ui: &egui::Ui, cx: &mut Cx) {
        let focused = ui.input(|input| input.focused);
        if self.focused != Some(focused) {
            // A new window has the focus; only later changes are reported.
            if self.focused.is_some() {
                cx.intents.push(Intent::App(AppIntent::Focus(focused)));
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
                links.entry(*id).or_default().update(connection, now, deadline);
            }
        });
    }

    /// Opens the first available room if nothing is open, and closes one that no longer exists.
    fn keep_open_place_valid(&mut self, cx: &mut Cx) {
        let added = self.known_before.as_ref().and_then(|known| {
            cx.model.read(|model| model.connections.keys().find(|id| !known.contains(id)).copied())
        });
        if let Some(connection) = added {
            self.known_before = None;
            self.go_to(OpenRoom { connection, room: None }, cx.intents);
        }
        let is_there =
            |place: &mut OpenRoom| cx.model.read(|model| model.connections.contains_key(&place.connection));
        if let Some(place) = self.restored.take_if(is_there) {
            self.enter(place, cx.intents);
        }
        let open = self.open.clone();
        let better = cx.model.read(|model| {
            let known =
                open.as_ref().and_then(|place| Some((place, model.connections.get(&place.connection)?)));
            match known {
                Some((place, connection)) => match &place.room {
                    Some(room) if connection.chat.rooms.contains_key(room) => open.clone(),
                    // The room already existed under another id.
                    Some(room) if let Some(other) = connection.chat.moved.get(room) => {
                        Some(OpenRoom { connection: place.connection, room: Some(other.clone()) })
                    }
                    // Keep the place while the connection's rooms are not loaded yet.
                    Some(_) if connection.chat.rooms.is_empty() => open.clone(),
                    _ => Some(OpenRoom { connection: place.connection, room: first_room(connection) }),
                },
                None => model
                    .connections
                    .iter()
                    .next()
                    .map(|(id, connection)| OpenRoom { connection: *id, room: first_room(connection) }),
            }
        });
        if better != self.open {
            match better {
                Some(place) => self.enter(place, cx.intents),
                None => {
                    self.chat.leave();
                    self.open = None;
                }
            }
        }
    }

    /// Never replaces another dialog, which may hold typed text.
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
        if let Some(dialog::Dialog::Day(sheet)) = &mut self.dialog
            && let Some((connection, room, jump)) = sheet.go.take()
        {
            self.go_to_message(cx, connection, room, jump, None);
        }
        if let Some(dialog::Dialog::Members(sheet)) = &mut self.dialog
            && let Some(room) = sheet.go.take()
        {
            self.awaited = Some(room);
        }
        if let Some(dialog::Dialog::Browse(sheet)) = &mut self.dialog
            && let Some(place) = sheet.go.take()
        {
            self.visit(cx, place);
            cx.deadline.at(cx.now.boot_ms);
        }
        if self.viewer.show(ui, cx) {
            self.give_focus_back(ui, cx);
        }
        self.take_link_choice(cx);
        if fate == Some(dialog::Fate::Closed) {
            let is_new = |intent: &Intent| matches!(intent, Intent::Link(LinkIntent::SaveConnection { profile, .. }) if profile.id == ConnectionId(0));
            if cx.intents[asked_for..].iter().any(is_new) {
                self.known_before = Some(cx.model.read(|model| model.connections.keys().copied().collect()));
            }
            self.dialog = None;
            self.give_focus_back(ui, cx);
        }
        let looking = matches!(&self.dialog, Some(dialog::Dialog::Connection(form)) if form.is_new());
        if std::mem::replace(&mut self.looking, looking) != looking {
            cx.intents.push(Intent::Link(LinkIntent::LookForServers(looking)));
        }
        if let Some(connection) = self.devices.take_wish() {
            self.dialog = Some(dialog::Dialog::add_device(cx, connection));
            cx.deadline.at(cx.now.boot_ms);
        }
        if let Some(connection) = self.asks.show(ui, cx) {
            self.dialog = dialog::Dialog::edit(cx, connection);
        }
        self.palette(ui, cx);
    }

    fn palette(&mut self, ui: &mut egui::Ui, cx: &mut Cx) {
        match self.palette.as_mut().map(|palette| palette.show(ui, cx)) {
            None | Some(palette::Outcome::Open) => {}
            Some(palette::Outcome::Closed) => {
                self.palette = None;
                self.give_focus_back(ui, cx);
            }
            Some(palette::Outcome::Chosen(target)) => {
                self.palette = None;
                self.give_focus_back(ui, cx);
                self.reach(ui, cx, target);
                cx.deadline.at(cx.now.boot_ms);
            }
        }
    }
}

/// The default room: the one that every server has, or the first by name.
fn first_room(connection: &crate::model::Connection) -> Option<RoomId> {
    let general = RoomId::general();
    if connection.chat.rooms.contains_key(&general) {
        Some(general)
    } else {
        connection.chat.rooms_by_name().next().map(|(id, _)| id.clone())
    }
}
