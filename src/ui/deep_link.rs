//! Opens `duplex://` links: goes to the room or message at once if its server is known, and asks before it adds a
//! server. A link alone never connects and never sends anything.

use egui::{Frame, Label, RichText, Ui};

use super::connection::Form;
use super::dialog::{Dialog, Fate};
use super::target::{Concern, LinkTarget};
use super::theme::{self, radius, size, space};
use super::{Cx, OpenRoom, harmless, rooms, sheet, widgets};
use crate::model::address::unencrypted_host;
use crate::model::deep_link::{BadLink, DeepLink, Destination};
use crate::model::id::{ConnectionId, RoomId};
use crate::model::intent::{ChatIntent, Intent, Jump};
use crate::model::lan::InviteLink;
use crate::model::link_state::LinkState;

/// Maximum length of a name that is shown, in characters.
const MAX_NAME_CHARS: usize = 80;

/// A link that was opened and not yet followed.
#[derive(Default)]
pub(super) struct LinkOpener {
    /// The newest link; an older one that still waits is dropped.
    waiting: Option<String>,
    /// The message that is looked for, with the number of the request.
    looked_for: Option<(u64, ConnectionId, RoomId, DeepLink)>,
}

/// What a link came to, for the dialog.
pub(super) enum Outcome {
    /// The text is not a link.
    Bad(BadLink),
    /// No connection leads to its server. With the connection where there is one, and the link is an invite.
    Unknown(DeepLink, Option<ConnectionId>),
    /// Its server is on another computer and cannot be reached from here.
    OtherComputer,
    /// The room is not there.
    NoRoom(DeepLink, ConnectionId),
    /// The message is not on this computer.
    NoMessage,
}

/// The dialog about a link that could not simply be followed.
pub(super) struct Sheet {
    outcome: Outcome,
    is_fresh: bool,
    /// The person wants to add the server.
    add: Option<Box<Form>>,
    /// The person wants to open this connection.
    open: Option<ConnectionId>,
}

impl super::Ui {
    /// Opens a link that the system handed over.
    pub fn open_link(&mut self, text: &str) {
        self.links_opened.waiting = Some(text.to_owned());
    }

    /// Follows a link that waits, as soon as the saved connections are there and no dialog holds typed text.
    pub(super) fn follow_link(&mut self, cx: &mut Cx) {
        self.take_found_message(cx);
        if self.links_opened.waiting.is_none() {
            return;
        }
        let is_busy = self.dialog.as_ref().is_some_and(Dialog::holds_input);
        if is_busy || !cx.model.read(|model| model.connections_loaded) {
            return;
        }
        let Some(text) = self.links_opened.waiting.take() else { return };
        self.palette = None;
        self.dialog = None;
        self.links_opened.looked_for = None;
        let outcome = match DeepLink::parse(&text) {
            Err(bad) => Some(Outcome::Bad(bad)),
            Ok(link) => self.follow(cx, link),
        };
        self.dialog = outcome.map(|outcome| Dialog::DeepLink(Sheet::new(outcome)));
        cx.deadline.at(cx.now.boot_ms);
    }

    /// Goes where a link leads. Returns what the person is to be told or asked.
    fn follow(&mut self, cx: &mut Cx, link: DeepLink) -> Option<Outcome> {
        let connection = match cx.model.read(|model| link.destination(model)) {
            Destination::Known(connection) if link.address.invite.is_some() => {
                return Some(Outcome::Unknown(link, Some(connection)));
            }
            Destination::Known(connection) => connection,
            Destination::Unknown => return Some(Outcome::Unknown(link, None)),
            Destination::OtherComputer => return Some(Outcome::OtherComputer),
        };
        if link.room.is_none() {
            self.visit(cx, OpenRoom { connection, room: None });
            return None;
        }
        let room = cx.model.read(|model| link.room_in(&model.connections.get(&connection)?.chat));
        let Some(room) = room else { return Some(Outcome::NoRoom(link, connection)) };
        self.visit(cx, OpenRoom { connection, room: Some(room.clone()) });
        if let Some(id) = link.message {
            let number = crate::ui::request_number();
            cx.intents.push(Intent::Chat(ChatIntent::FindMessage {
                number,
                connection,
                room: room.clone(),
                id,
            }));
            self.links_opened.looked_for = Some((number, connection, room, link));
        }
        None
    }

    fn take_found_message(&mut self, cx: &mut Cx) {
        let Some((number, ..)) = &self.links_opened.looked_for else { return };
        let found = cx.model.read(|model| model.searching.message.clone());
        let Some(found) = found.filter(|found| found.number == *number) else { return };
        let Some((_, connection, room, link)) = self.links_opened.looked_for.take() else { return };
        match found.position {
            Some(position) => {
                if let Some(root) = found.thread {
                    self.go_to_thread(cx, connection, room, root);
                } else {
                    self.go_to_message(cx, connection, room, Jump::To(position), link.message);
                }
            }
            None if self.dialog.is_none() => {
                self.dialog = Some(Dialog::DeepLink(Sheet::new(Outcome::NoMessage)));
                cx.deadline.at(cx.now.boot_ms);
            }
            None => {}
        }
    }

    /// Carries out what the person chose in the dialog about a link.
    pub(super) fn take_link_choice(&mut self, cx: &mut Cx) {
        let Some(Dialog::DeepLink(sheet)) = &mut self.dialog else { return };
        if let Some(form) = sheet.add.take() {
            self.dialog = Some(Dialog::Connection(form));
            cx.deadline.at(cx.now.boot_ms);
        } else if let Some(connection) = sheet.open.take() {
            self.dialog = None;
            self.visit(cx, OpenRoom { connection, room: None });
            cx.deadline.at(cx.now.boot_ms);
        }
    }
}

impl Sheet {
    fn new(outcome: Outcome) -> Sheet {
        Sheet { outcome, is_fresh: true, add: None, open: None }
    }

    /// The dialog's name for screen readers.
    pub(super) fn title(&self, cx: &Cx) -> &'static str {
        let words = cx.words.deep_link;
        match &self.outcome {
            Outcome::Bad(_) | Outcome::OtherComputer => words.bad_title,
            Outcome::Unknown(link, None) if link.address.invite.is_some() => words.join_title,
            Outcome::Unknown(_, None) => words.add_title,
            Outcome::Unknown(_, Some(_)) => words.known_title,
            Outcome::NoRoom(..) => words.no_room_title,
            Outcome::NoMessage => words.no_message_title,
        }
    }

    /// Draws the dialog's contents.
    pub(super) fn show(&mut self, ui: &mut Ui, cx: &mut Cx) -> Fate {
        let words = cx.words.deep_link;
        sheet::title(ui, self.title(cx));
        let (add, open) = match &self.outcome {
            Outcome::Bad(bad) => {
                say(ui, (words.bad)(*bad));
                if let BadLink::Address(bad) = bad {
                    say(ui, (cx.words.bad_address)(*bad));
                }
                (None, None)
            }
            Outcome::OtherComputer => {
                say(ui, words.other_computer);
                (None, None)
            }
            Outcome::NoMessage => {
                say(ui, words.no_message);
                (None, None)
            }
            Outcome::NoRoom(link, connection) => {
                let room = harmless::line(link.room.as_deref().unwrap_or_default(), MAX_NAME_CHARS);
                say(ui, &no_room(cx, *connection, &room));
                (None, Some(*connection))
            }
            Outcome::Unknown(link, known) => {
                match known {
                    Some(known) => say(ui, &(words.known)(&connection_name(cx, *known))),
                    None if link.address.invite.is_some() => say(ui, words.join),
                    None => say(ui, words.add),
                }
                place(ui, cx, link);
                (Some(link), *known)
            }
        };
        ui.add_space(space::SMALL);
        self.buttons(ui, cx, add.map(|link| link.address_text.clone()), open)
    }

    /// The buttons: to open the connection, to add the server at this address, to close.
    fn buttons(&mut self, ui: &mut Ui, cx: &Cx, add: Option<String>, open: Option<ConnectionId>) -> Fate {
        let (words, theme) = (cx.words.deep_link, theme::of(ui));
        let mut fate = Fate::Open;
        ui.horizontal_wrapped(|ui| {
            if let Some(connection) = open
                && ui.add(widgets::primary(theme, words.open_server)).clicked()
            {
                self.open = Some(connection);
            }
            if let Some(address) = add {
                let name = if open.is_some() { words.use_invite } else { words.continue_adding };
                let button =
                    if open.is_some() { widgets::plain(name) } else { widgets::primary(theme, name) };
                if ui.add(button).clicked() {
                    self.add = Some(Box::new(Form::at(address)));
                }
            }
            let asks = open.is_some() || matches!(self.outcome, Outcome::Unknown(..));
            let close = ui.add(widgets::plain(if asks { cx.words.cancel } else { cx.words.close }));
            if std::mem::take(&mut self.is_fresh) {
                // Nobody adds a server by one key press too many.
                close.request_focus();
            }
            if close.clicked() {
                fate = Fate::Closed;
            }
        });
        fate
    }
}

fn say(ui: &mut Ui, text: &str) {
    let shown = ui.add(Label::new(text).wrap());
    widgets::live(ui, shown.id, text);
}

fn connection_name(cx: &Cx, connection: ConnectionId) -> String {
    let name =
        |model: &crate::model::Model| Some(rooms::name_of(model.connections.get(&connection)?, cx.words));
    cx.model.read(name).unwrap_or_default()
}

fn no_room(cx: &Cx, connection: ConnectionId, room: &str) -> String {
    let words = cx.words.deep_link;
    let name = connection_name(cx, connection);
    let is_online = cx.model.read(|model| {
        model.connections.get(&connection).is_some_and(|it| matches!(it.link, LinkState::Online { .. }))
    });
    if is_online { (words.no_room)(room, &name) } else { (words.no_room_offline)(room, &name) }
}

/// Where the link leads: host and port, what is suspicious about them, and what the link claims.
fn place(ui: &mut Ui, cx: &Cx, link: &DeepLink) {
    let (words, theme) = (cx.words.deep_link, theme::of(ui));
    let place = harmless::line(&link.place(), MAX_NAME_CHARS * 4);
    ui.label(RichText::new(words.server).font(theme::small()).color(theme.weak));
    Frame::new().fill(theme.code_ground).corner_radius(radius::CONTROL).inner_margin(space::SMALL).show(
        ui,
        |ui| {
            ui.set_min_width(ui.available_width());
            ui.add(Label::new(RichText::new(&place).font(theme::strong(size::BODY))).wrap());
        },
    );
    let warn = |ui: &mut Ui, text: &str| {
        ui.add(Label::new(RichText::new(text).font(theme::small()).color(theme.warn)).wrap());
    };
    // The host is in ASCII: shown as well as people read it.
    let concerns = LinkTarget::parse(&["https://", &place, "/"].concat()).map(|target| target.concerns(None));
    for concern in concerns.into_iter().flatten() {
        match concern {
            Concern::Letters(name) => warn(ui, &(cx.words.rich.letters)(&name)),
            Concern::MixedAlphabets(name) => warn(ui, &(cx.words.rich.mixed_alphabets)(&name)),
            Concern::OtherThanText(_) | Concern::User(_) => {}
        }
    }
    if unencrypted_host(&link.address.url).is_some() {
        warn(ui, cx.words.clear_text_warning);
    }
    let (_, name) = InviteLink::extras(&link.address_text, &link.address);
    if !name.is_empty() {
        let text = (words.claimed_name)(&harmless::line(&name, MAX_NAME_CHARS));
        widgets::explain(ui, text);
    }
}
