//! The connection bar: the open connection's state, server, protocol, transport and round trip; when it is down, what
//! happened and what to do.

use egui::{Align, Frame, Label, Layout, Margin, RichText, Sense, Ui, Vec2};

use super::icons::Icon;
use super::keys::{self, Action};
use super::link::LinkMemory;
use super::text::StateWord;
use super::theme::{self, radius, size, space};
use super::widgets;
use super::{Cx, Place};
use super::{harmless, panes, rooms};
use crate::model::id::ConnectionId;
use crate::model::intent::Intent;
use crate::model::link_state::{LinkState, Why};
use crate::model::profile::{Protocol, Socket};

/// What the bar shows, copied out of the model.
struct Row {
    server: String,
    protocol: Protocol,
    socket: Socket,
    rtt_ms: Option<u64>,
    catching_up: bool,
}

fn row(cx: &Cx, id: ConnectionId) -> Option<Row> {
    cx.model.read(|model| {
        let connection = model.connections.get(&id)?;
        let rtt_ms = match connection.link {
            LinkState::Online { rtt_ms, .. } => rtt_ms,
            _ => None,
        };
        Some(Row {
            server: match &connection.server {
                Some(server) => harmless::line(server, 60),
                None => rooms::name_of(&connection.profile, cx.words),
            },
            protocol: connection.profile.protocol,
            socket: connection.profile.socket,
            rtt_ms,
            catching_up: connection.link.is_online() && !connection.caught_up(),
        })
    })
}

/// What the person wants of the rest of the window.
#[derive(Default)]
pub(super) struct Wish {
    /// To change this connection.
    pub(super) edit: Option<ConnectionId>,
    /// What its switches and buttons do.
    pub(super) action: Option<Action>,
}

/// What is on screen.
#[derive(Copy, Clone)]
pub(super) struct Shown<'a> {
    /// The panes.
    pub(super) layout: &'a panes::Layout,
    /// The open connection's log.
    pub(super) log: bool,
    /// How many messages are unread, in rooms that are not open.
    pub(super) unread: u64,
}

/// Draws the bar.
pub(super) fn show(
    ui: &mut Ui,
    cx: &mut Cx,
    open: Option<&Place>,
    link: Option<&LinkMemory>,
    shown: Shown<'_>,
) -> Wish {
    let mut wish = Wish::default();
    let known = open.and_then(|place| Some((place.connection, row(cx, place.connection)?, link?)));
    ui.allocate_ui_with_layout(
        Vec2::new(ui.available_width(), size::BAR),
        Layout::right_to_left(Align::Center),
        |ui| {
            ui.set_min_height(size::BAR);
            wish.action = controls(ui, cx, known.is_some(), shown);
            if let Some((id, _, link)) = &known {
                action(ui, cx, *id, link);
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                if shown.layout.is_wide() {
                    wish.action = rooms_switch(ui, cx, shown).or(wish.action);
                }
                match &known {
                    Some((_, row, link)) => line(ui, cx, row, link),
                    None => quiet(ui, cx.words.no_connection),
                }
            });
        },
    );
    if let Some((id, _, link)) = known
        && let Some(why) = link.why.as_ref().filter(|_| link.alarm)
    {
        wish.edit = explanation(ui, cx, id, link, why);
    }
    wish
}

/// At the right: the settings, the log, and the switch of the panes.
fn controls(ui: &mut Ui, cx: &Cx, has_connection: bool, shown: Shown<'_>) -> Option<Action> {
    let words = cx.words;
    let mut action = None;
    let hint = keys::hint(ui.ctx(), words.settings, Action::Settings);
    if widgets::icon_button(ui, Icon::Settings, words.settings, &hint, false).clicked() {
        action = Some(Action::Settings);
    }
    // A menu in the list of rooms opens the log as well.
    if has_connection && ui.ctx().content_rect().width() >= size::SLIM {
        let hint = keys::hint(ui.ctx(), words.log.hint, Action::ToggleLog);
        if widgets::icon_button(ui, Icon::Log, words.log.title, &hint, shown.log).clicked() {
            action = Some(Action::ToggleLog);
        }
    }
    action.or(panes_switch(ui, cx, shown))
}

/// Which pane is shown: in a wide window either or both, in a narrow one each by itself, the rooms too.
fn panes_switch(ui: &mut Ui, cx: &Cx, shown: Shown<'_>) -> Option<Action> {
    let words = cx.words.keys;
    let layout = shown.layout;
    let (chat, devices) = (layout.shows_chat(), layout.shows_devices());
    let names = [words.rooms, words.chat, cx.words.devices.devices, words.both];
    let all = [
        (Icon::Rooms, names[0], Action::ToggleRooms, layout.shows_rooms()),
        (Icon::Chat, names[1], Action::ShowChat, chat && !devices),
        (Icon::Devices, names[2], Action::ShowDevices, devices && !chat),
        (Icon::Both, names[3], Action::ShowBoth, chat && devices),
    ];
    let here = if layout.is_wide() { &all[1..] } else { &all[..3] };
    let segments: Vec<_> = here
        .iter()
        .map(|(icon, name, action, chosen)| widgets::Segment {
            icon: *icon,
            name,
            hint: keys::hint(ui.ctx(), (words.action)(*action), *action),
            chosen: *chosen,
            marked: *action == Action::ToggleRooms && !chosen && shown.unread > 0,
        })
        .collect();
    let wordy = ui.ctx().content_rect().width() >= size::WORDY;
    let chosen = widgets::segments(ui, &segments, wordy)?;
    // The pane that is shown stays shown.
    here.get(chosen).filter(|(.., chosen)| !chosen).map(|(_, _, action, _)| *action)
}

/// At the left: the switch of the list of rooms; a dot where that is hidden and has something unread.
fn rooms_switch(ui: &mut Ui, cx: &Cx, shown: Shown<'_>) -> Option<Action> {
    let words = cx.words.keys;
    let is_shown = shown.layout.shows_rooms();
    let hint = keys::hint(ui.ctx(), (words.action)(Action::ToggleRooms), Action::ToggleRooms);
    let button = widgets::icon_button(ui, Icon::Rooms, words.rooms, &hint, false);
    ui.ctx().accesskit_node_builder(button.id, |node| node.set_toggled(is_shown.into()));
    if !is_shown && shown.unread > 0 {
        let at = button.rect.right_top() + Vec2::new(-6.0, 6.0);
        ui.painter().circle_filled(at, 4.0, theme::of(ui).accent_fill);
        let count = (cx.words.unread)(shown.unread);
        ui.ctx().accesskit_node_builder(button.id, |node| node.set_description(count));
    }
    ui.add_space(space::TINY);
    button.clicked().then_some(Action::ToggleRooms)
}

/// The main act on a connection that is down. Where there is no room for its words it is an icon.
fn action(ui: &mut Ui, cx: &mut Cx, id: ConnectionId, link: &LinkMemory) {
    let (icon, words, intent) = match link.word {
        StateWord::Waiting | StateWord::Suspended | StateWord::Stopped => {
            (Icon::Again, cx.words.retry_now, Intent::RetryNow(id))
        }
        StateWord::Off => (Icon::Connect, cx.words.connect, Intent::Connect(id)),
        StateWord::Connecting | StateWord::Online => return,
    };
    let button = if ui.ctx().content_rect().width() < size::SLIM {
        widgets::icon_button(ui, icon, words, words, true)
    } else {
        ui.add(widgets::primary(theme::of(ui), words))
    };
    if button.clicked() {
        cx.intents.push(intent);
    }
}

fn line(ui: &mut Ui, cx: &Cx, row: &Row, link: &LinkMemory) {
    let theme = theme::of(ui);
    let words = cx.words;
    let colour = widgets::state_colour(theme, link.word, link.alarm);
    let (mark, _) = ui.allocate_exact_size(Vec2::splat(14.0), Sense::hover());
    widgets::state_mark(ui.painter(), mark.center(), link.word, colour);
    ui.add(Label::new(RichText::new(&row.server).font(theme::strong(size::BODY))).truncate());
    let word = (words.state)(link.word);
    let state = ui.add(Label::new(RichText::new(word).font(theme::small()).color(colour)).selectable(false));
    widgets::live(ui, state.id, word);
    if let Some(countdown) = link.countdown(cx) {
        sign(ui, "·");
        quiet(ui, &countdown);
    } else if row.catching_up {
        sign(ui, "·");
        quiet(ui, words.catching_up);
    }
    let protocol = match row.protocol {
        Protocol::Duplex => words.protocol_duplex,
    };
    let (transport, limits) = match row.socket {
        Socket::Tungstenite => (words.transport_websocket, None),
        Socket::Ewebsock => (words.transport_ewebsock, Some(words.no_close_reasons)),
    };
    let mut facts = vec![protocol.to_owned(), transport.to_owned()];
    facts.extend(row.rtt_ms.map(words.round_trip));
    facts.extend(limits.map(str::to_owned));
    for fact in facts {
        if ui.available_width() < 24.0 {
            break;
        }
        sign(ui, "·");
        quiet(ui, &fact);
    }
}

/// A sign between two facts: nothing to read aloud.
fn sign(ui: &mut Ui, text: &str) {
    let theme = theme::of(ui);
    let galley = ui.painter().layout_no_wrap(text.to_owned(), theme::small(), theme.weak);
    let (rect, _) = ui.allocate_exact_size(galley.size(), Sense::hover());
    ui.painter().galley(rect.min, galley, theme.weak);
}

fn quiet(ui: &mut Ui, text: &str) {
    let theme = theme::of(ui);
    let text = RichText::new(text).font(theme::small()).color(theme.weak);
    ui.add(Label::new(text).selectable(false).truncate());
}

fn explanation(
    ui: &mut Ui,
    cx: &mut Cx,
    id: ConnectionId,
    link: &LinkMemory,
    why: &Why,
) -> Option<ConnectionId> {
    let theme = theme::of(ui);
    let sentence = (cx.words.why)(why);
    let (ground, colour) = match link.word {
        StateWord::Stopped => (theme.bad_ground, theme.bad),
        _ => (theme.warn_ground, theme.warn),
    };
    let mut edit = None;
    let margin = Margin::symmetric(space::MEDIUM as i8, space::SMALL as i8);
    Frame::new().fill(ground).corner_radius(radius::CONTROL).inner_margin(margin).show(ui, |ui| {
        ui.set_min_width(ui.available_width());
        let what = ui.add(Label::new(RichText::new(&sentence.what).color(colour)).wrap());
        widgets::alert(ui, what.id, &sentence.what);
        ui.add(Label::new(RichText::new(&sentence.then).color(theme.text)).wrap());
        if !why.is_retryable() && ui.add(widgets::link(theme, cx.words.edit_connection)).clicked() {
            edit = Some(id);
        }
    });
    ui.add_space(space::SMALL);
    edit
}
