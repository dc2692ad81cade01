//! Dialogs: which there are, the frame of all, and the one that asks before a connection is removed.

use std::sync::Arc;

use egui::{Key, Label, RichText, ScrollArea, Ui, vec2};

use super::chat::{RoomKey, history};
use super::connection::Form;
use super::search::day;
use super::target::LinkTarget;
use super::text::Words;
use super::theme::{self, size, space};
use super::{
    Cx, archive, deep_link, doctor, harmless, mapping, members, open_link, people, room_browse, room_edit,
    rooms, settings, sheet, shortcuts, snippets, status, widgets,
};
use crate::model::id::{ConnectionId, MessageId};
use crate::model::intent::{ChatIntent, Intent, LinkIntent};
use crate::model::preferences::Preferences;
use crate::model::profile::Snippet;

/// Most people who are named of those who are offline, and their longest name in characters.
const MAX_OFFLINE: usize = 5;
const MAX_OFFLINE_CHARS: usize = 40;
/// Longest part of a message that is quoted before it is deleted, in characters.
const MAX_QUOTED_CHARS: usize = 200;

/// Whether the dialog stays.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It stays.
    Open,
    /// It is done with.
    Closed,
}

/// An open dialog.
pub(super) enum Dialog {
    /// Of a connection's settings.
    Connection(Box<Form>),
    /// The app's settings.
    Settings(settings::Sheet),
    /// Of what can be done by keys.
    Shortcuts,
    /// Before a link is followed.
    OpenLink(open_link::LinkConfirmation),
    /// What was noted of a crash.
    CrashNote(Arc<str>),
    /// About a `duplex://` link that could not simply be followed.
    DeepLink(deep_link::Sheet),
    /// To go to a date.
    Day(day::Sheet),
    /// To change a room.
    Room(room_edit::Sheet),
    /// To save messages as a file.
    Archive(archive::Sheet),
    /// Of all versions of a message.
    History(history::Sheet),
    /// In which people are chosen: members of a private room, or for a direct message.
    Members(members::Sheet),
    /// To say something of oneself.
    Status(status::Sheet),
    /// Of all rooms of a server.
    Browse(room_browse::Sheet),
    /// Of who may come in at a server.
    People(Box<people::Sheet>),
    /// To give a device a token.
    AddDevice(Box<people::add_device::Sheet>),
    /// Of messages that are sent with one click.
    Snippets(snippets::Sheet),
    /// Of what is different on a foreign server.
    Mapping(mapping::Sheet),
    /// Of what the check of a connection finds.
    Doctor(doctor::Sheet),
    /// Before a message is deleted.
    Delete {
        /// Of which room.
        room: RoomKey,
        /// Which.
        id: MessageId,
        /// What it says.
        body: String,
        /// Whose apps do not hear of it yet.
        offline: Option<String>,
    },
    /// Before a connection is removed.
    Remove {
        /// Which.
        id: ConnectionId,
        /// Its name.
        name: String,
    },
}

impl Dialog {
    /// For a new connection.
    pub(super) fn add() -> Dialog {
        Dialog::Connection(Box::new(Form::add()))
    }

    /// For the app's settings.
    pub(super) fn settings(chosen: Preferences) -> Dialog {
        Dialog::Settings(settings::Sheet::new(chosen))
    }

    /// For one of the app's settings.
    pub(super) fn setting(chosen: Preferences, words: &Words, at: usize) -> Dialog {
        Dialog::Settings(settings::Sheet::at(chosen, words, at))
    }

    /// For the settings of a connection.
    pub(super) fn edit(cx: &Cx, id: ConnectionId) -> Option<Dialog> {
        Some(Dialog::Connection(Box::new(Form::edit(cx, id)?)))
    }

    /// Before a link is followed whose text names an address, or none.
    pub(super) fn open_link(target: LinkTarget, claimed: Option<String>) -> Dialog {
        Dialog::OpenLink(open_link::LinkConfirmation::new(target, claimed))
    }

    /// For a new connection like another.
    pub(super) fn duplicate(cx: &Cx, id: ConnectionId) -> Option<Dialog> {
        Some(Dialog::Connection(Box::new(Form::duplicate(cx, id)?)))
    }

    /// For the messages of a connection that are sent with one click; with one more, where there is one.
    pub(super) fn snippets(cx: &Cx, id: ConnectionId, more: Option<Snippet>) -> Option<Dialog> {
        Some(Dialog::Snippets(snippets::Sheet::new(cx, id, more)?))
    }

    /// For the mapping of a connection.
    pub(super) fn mapping(cx: &Cx, id: ConnectionId) -> Option<Dialog> {
        Some(Dialog::Mapping(mapping::Sheet::new(cx, id)?))
    }

    /// For the check of a connection, which begins with it.
    pub(super) fn doctor(cx: &mut Cx, id: ConnectionId) -> Option<Dialog> {
        Some(Dialog::Doctor(doctor::Sheet::new(cx, id)?))
    }

    /// For who may come in at the other end of a connection.
    pub(super) fn people(id: ConnectionId) -> Dialog {
        Dialog::People(Box::new(people::Sheet::new(id)))
    }

    /// To invite somebody to the server at the other end of a connection.
    pub(super) fn invites(id: ConnectionId) -> Dialog {
        Dialog::People(Box::new(people::Sheet::invites(id)))
    }

    /// To add a device, at this server unless the person chooses another.
    pub(super) fn add_device(cx: &Cx, at: Option<ConnectionId>) -> Dialog {
        Dialog::AddDevice(Box::new(people::add_device::Sheet::new(cx, at)))
    }

    /// Before a connection is removed.
    pub(super) fn remove(cx: &Cx, id: ConnectionId) -> Option<Dialog> {
        let name = cx.model.read(|model| {
            let newer = || model.newer_connections.iter().find(|newer| newer.id == id);
            match model.connections.get(&id) {
                Some(connection) => Some(rooms::name_of(connection, cx.words)),
                None => newer().map(|newer| rooms::name_of_newer(newer, cx.words)),
            }
        })?;
        Some(Dialog::Remove { id, name })
    }

    /// Before a message is deleted.
    pub(super) fn delete(cx: &Cx, room: RoomKey, id: MessageId, body: String) -> Dialog {
        let offline = offline_in(cx, &room);
        Dialog::Delete { room, id, body, offline }
    }

    /// Whether it holds what a person typed or is to decide: no link that is opened closes it.
    pub(super) fn holds_input(&self) -> bool {
        if let Dialog::Room(sheet) = self {
            return sheet.holds_input();
        }
        !matches!(
            self,
            Dialog::Settings(_)
                | Dialog::Shortcuts
                | Dialog::OpenLink(_)
                | Dialog::DeepLink(_)
                | Dialog::Day(_)
                | Dialog::Browse(_)
                | Dialog::History(_)
                | Dialog::Doctor(_)
        )
    }

    /// What it is called by those who read it aloud.
    fn title(&self, cx: &Cx) -> String {
        let words = cx.words;
        match self {
            Dialog::Connection(form) if form.is_new() => words.add_title.to_owned(),
            Dialog::Connection(_) => words.edit_title.to_owned(),
            Dialog::Settings(_) => words.settings.to_owned(),
            Dialog::Shortcuts => words.keys.title.to_owned(),
            Dialog::OpenLink(_) => words.rich.open_title.to_owned(),
            Dialog::CrashNote(_) => words.sheet.crash_title.to_owned(),
            Dialog::DeepLink(sheet) => sheet.title(cx).to_owned(),
            Dialog::Day(_) => words.search.go_to_date.to_owned(),
            Dialog::Room(sheet) => sheet.title(cx),
            Dialog::Archive(_) => words.archive.title.to_owned(),
            Dialog::History(_) => words.chat.edit_history.to_owned(),
            Dialog::Members(sheet) => sheet.title(cx),
            Dialog::Status(_) => words.people.set_status.to_owned(),
            Dialog::Browse(_) => words.rooms.browse.to_owned(),
            Dialog::People(sheet) => sheet.title(cx),
            Dialog::AddDevice(sheet) => sheet.title(cx),
            Dialog::Snippets(_) => words.plain.snippets.to_owned(),
            Dialog::Mapping(_) => words.mapping.title.to_owned(),
            Dialog::Doctor(sheet) => sheet.title(cx),
            Dialog::Delete { .. } => words.chat.delete_title.to_owned(),
            Dialog::Remove { name, .. } => (words.remove_title)(name),
        }
    }

    /// How wide its contents want to be, in points.
    fn width(&self) -> f32 {
        match self {
            Dialog::Settings(_) => size::SETTINGS,
            Dialog::Shortcuts => size::SHORTCUTS,
            Dialog::People(_)
            | Dialog::AddDevice(_)
            | Dialog::Snippets(_)
            | Dialog::Mapping(_)
            | Dialog::Doctor(_)
            | Dialog::CrashNote(_) => size::WIDE_DIALOG,
            _ => size::DIALOG,
        }
    }

    /// Draws the dialog.
    pub(super) fn show(&mut self, ui: &mut Ui, cx: &mut Cx) -> Fate {
        let window = ui.ctx().content_rect().size();
        let (title, width) = (self.title(cx), self.width());
        let shown = sheet::show(ui, "dialog", &title, width, |ui| match self {
            Dialog::Connection(form) => form.show(ui, cx, window.y),
            Dialog::Settings(sheet) => sheet.show(ui, cx, window.y),
            Dialog::Shortcuts => shortcuts::show(ui, cx),
            Dialog::OpenLink(ask) => ask.show(ui, cx, window.y),
            Dialog::CrashNote(note) => crash_note(ui, cx, note, window.y),
            Dialog::DeepLink(sheet) => sheet.show(ui, cx),
            Dialog::Day(sheet) => sheet.show(ui, cx),
            Dialog::Room(sheet) => sheet.show(ui, cx),
            Dialog::Archive(sheet) => sheet.show(ui, cx),
            Dialog::History(sheet) => sheet.show(ui, cx, window.y),
            Dialog::Members(sheet) => sheet.show(ui, cx, window.y),
            Dialog::Status(sheet) => sheet.show(ui, cx),
            Dialog::Browse(sheet) => sheet.show(ui, cx, window.y),
            Dialog::People(sheet) => sheet.show(ui, cx, window.y),
            Dialog::AddDevice(sheet) => sheet.show(ui, cx, window.y),
            Dialog::Snippets(sheet) => sheet.show(ui, cx, window.y),
            Dialog::Mapping(sheet) => sheet.show(ui, cx, window.y),
            Dialog::Doctor(sheet) => sheet.show(ui, cx, window.y),
            Dialog::Delete { room, id, body, offline } => {
                delete(ui, cx, room, *id, (body, offline.as_deref()))
            }
            Dialog::Remove { id, name } => remove(ui, cx, *id, name),
        });
        let escape =
            shown.is_top_modal && !shown.any_popup_open && ui.input(|input| input.key_pressed(Key::Escape));
        let fate = if escape { Fate::Closed } else { shown.inner };
        match (fate, self) {
            (Fate::Closed, Dialog::Connection(form)) => form.forget_test(cx),
            (Fate::Closed, Dialog::Archive(sheet)) => sheet.closed(cx),
            (Fate::Closed, Dialog::Doctor(_)) => cx.intents.push(Intent::Link(LinkIntent::EndDiagnosis)),
            _ => {}
        }
        fate
    }
}

/// Says who is offline of those who may have a message of a room: their apps keep it until they connect.
fn offline_in(cx: &Cx, (connection, room): &RoomKey) -> Option<String> {
    let (mut names, mut count) = (Vec::new(), 0_usize);
    cx.model.read(|model| {
        let chat = &model.connections.get(connection)?.chat;
        let info = &chat.rooms.get(room)?.info;
        let me = chat.me.as_ref().map(|me| &me.id);
        let is_there = |id| !info.private || info.members.contains(id);
        let others = chat.people.values().filter(|one| one.who.kind.chats() && Some(&one.who.id) != me);
        for person in others.filter(|one| !one.online && is_there(&one.who.id)) {
            count += 1;
            if names.len() < MAX_OFFLINE {
                names.push(chat.known.shown(&person.who.id, &person.who.name, MAX_OFFLINE_CHARS).label());
            }
        }
        Some(())
    })?;
    (count > 0).then(|| (cx.words.chat.delete_offline)(&names.join(", "), count - names.len()))
}

fn delete(
    ui: &mut Ui,
    cx: &mut Cx,
    room: &RoomKey,
    target: MessageId,
    (body, offline): (&str, Option<&str>),
) -> Fate {
    let theme = theme::of(ui);
    let words = cx.words.chat;
    sheet::title(ui, words.delete_title);
    let quoted = harmless::line(body, MAX_QUOTED_CHARS);
    ui.add(Label::new(RichText::new(quoted).color(theme.weak)).wrap());
    ui.add(Label::new(words.delete_text).wrap());
    if let Some(offline) = offline {
        ui.add(Label::new(RichText::new(offline).color(theme.weak)).wrap());
    }
    ui.add_space(space::SMALL);
    let mut fate = Fate::Open;
    ui.horizontal(|ui| {
        let really = egui::Button::new(RichText::new(cx.words.delete).color(theme.bad))
            .min_size(vec2(72.0, size::CONTROL));
        if ui.add(really).clicked() {
            let (connection, room) = room.clone();
            cx.intents.push(Intent::Chat(ChatIntent::DeleteSent { connection, room, target }));
            fate = Fate::Closed;
        }
        if ui.add(widgets::plain(cx.words.cancel)).clicked() {
            fate = Fate::Closed;
        }
    });
    fate
}

fn remove(ui: &mut Ui, cx: &mut Cx, id: ConnectionId, name: &str) -> Fate {
    let theme = theme::of(ui);
    sheet::title(ui, &(cx.words.remove_title)(name));
    ui.add(Label::new(cx.words.remove_text).wrap());
    ui.add_space(space::SMALL);
    let mut fate = Fate::Open;
    ui.horizontal(|ui| {
        let really = egui::Button::new(RichText::new(cx.words.remove).color(theme.bad))
            .min_size(vec2(72.0, size::CONTROL));
        if ui.add(really).clicked() {
            cx.intents.push(Intent::Link(LinkIntent::RemoveConnection(id)));
            fate = Fate::Closed;
        }
        if ui.add(widgets::plain(cx.words.cancel)).clicked() {
            fate = Fate::Closed;
        }
    });
    fate
}

/// What was noted of a crash, to be read and copied. It leaves this computer only if the person passes it on.
fn crash_note(ui: &mut Ui, cx: &Cx, note: &Arc<str>, window_height: f32) -> Fate {
    let (words, theme) = (cx.words.sheet, theme::of(ui));
    sheet::title(ui, words.crash_title);
    ui.add(Label::new(words.crash_text).wrap());
    let most = (window_height - 240.0).max(120.0);
    ScrollArea::both().max_height(most).auto_shrink([false, true]).show(ui, |ui| {
        let text = RichText::new(harmless::text(note)).font(theme::mono_small());
        ui.add(Label::new(text).selectable(true).extend());
    });
    ui.add_space(space::SMALL);
    let mut fate = Fate::Open;
    ui.horizontal(|ui| {
        if ui.add(widgets::primary(theme, words.crash_copy)).clicked() {
            ui.ctx().copy_text(note.to_string());
        }
        if ui.add(widgets::plain(cx.words.close)).clicked() {
            fate = Fate::Closed;
        }
    });
    fate
}
