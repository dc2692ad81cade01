//! The connection bar: the open connection's state, server, protocol, transport and round trip; when it is down, what
//! happened and what to do.

use egui::{Align, Button, Frame, Label, Layout, Margin, RichText, Sense, Ui, Vec2};

use super::link::LinkMemory;
use super::text::StateWord;
use super::theme::{self, radius, size, space};
use super::widgets;
use super::{Cx, Place};
use super::{harmless, rooms};
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
    /// To see the devices, or to see them no more.
    pub(super) toggle_devices: bool,
    /// To see what passes over this connection, or to see it no more.
    pub(super) toggle_log: Option<ConnectionId>,
}

/// What is on screen beside the chat.
#[derive(Copy, Clone)]
pub(super) struct Shown {
    /// The devices.
    pub(super) devices: bool,
    /// The open connection's log.
    pub(super) log: bool,
}

/// Draws the bar.
pub(super) fn show(
    ui: &mut Ui,
    cx: &mut Cx,
    open: Option<&Place>,
    link: Option<&LinkMemory>,
    shown: Shown,
) -> Wish {
    let mut wish = Wish::default();
    let theme = theme::of(ui);
    let known = open.and_then(|place| Some((place.connection, row(cx, place.connection)?, link?)));
    let Some((id, row, link)) = known else {
        ui.allocate_ui_with_layout(
            Vec2::new(ui.available_width(), size::BAR),
            Layout::right_to_left(Align::Center),
            |ui| {
                ui.set_min_height(size::BAR);
                wish.toggle_devices = devices(ui, cx, shown.devices);
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    ui.label(RichText::new(cx.words.no_connection).color(theme.weak));
                });
            },
        );
        return wish;
    };
    ui.allocate_ui_with_layout(
        Vec2::new(ui.available_width(), size::BAR),
        Layout::right_to_left(Align::Center),
        |ui| {
            ui.set_min_height(size::BAR);
            wish.toggle_devices = devices(ui, cx, shown.devices);
            wish.toggle_log = log(ui, cx, shown.log).then_some(id);
            action(ui, cx, id, link);
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| line(ui, cx, &row, link));
        },
    );
    if let Some(why) = link.why.as_ref().filter(|_| link.alarm) {
        wish.edit = explanation(ui, cx, id, link, why);
    }
    wish
}

/// The switch of the device pane.
fn devices(ui: &mut Ui, cx: &Cx, shown: bool) -> bool {
    let button = widgets::plain(cx.words.devices.devices).selected(shown);
    ui.add(button).on_hover_text(cx.words.devices.toggle_hint).clicked()
}

/// The switch of the connection log.
fn log(ui: &mut Ui, cx: &Cx, shown: bool) -> bool {
    let button = Button::new("").selected(shown).min_size(Vec2::splat(size::CONTROL));
    let button = ui.add(button);
    widgets::log_mark(ui.painter(), button.rect.center(), theme::of(ui).text);
    let button = button.on_hover_text(cx.words.log.hint);
    widgets::named(ui, &button, cx.words.log.title);
    button.clicked()
}

fn action(ui: &mut Ui, cx: &mut Cx, id: ConnectionId, link: &LinkMemory) {
    let theme = theme::of(ui);
    match link.word {
        StateWord::Waiting | StateWord::Suspended | StateWord::Stopped => {
            if ui.add(widgets::primary(theme, cx.words.retry_now)).clicked() {
                cx.intents.push(Intent::RetryNow(id));
            }
        }
        StateWord::Off => {
            if ui.add(widgets::primary(theme, cx.words.connect)).clicked() {
                cx.intents.push(Intent::Connect(id));
            }
        }
        StateWord::Connecting | StateWord::Online => {}
    }
}

fn line(ui: &mut Ui, cx: &Cx, row: &Row, link: &LinkMemory) {
    let theme = theme::of(ui);
    let words = cx.words;
    let colour = widgets::state_colour(theme, link.word, link.alarm);
    let (mark, _) = ui.allocate_exact_size(Vec2::splat(14.0), Sense::hover());
    widgets::state_mark(ui.painter(), mark.center(), link.word, colour);
    let word = (words.state)(link.word);
    let state = ui.add(Label::new(RichText::new(word).color(colour)).selectable(false).extend());
    widgets::live(ui, state.id, word);
    if let Some(countdown) = link.countdown(cx) {
        sign(ui, "—");
        quiet(ui, &countdown);
    } else if row.catching_up {
        sign(ui, "—");
        quiet(ui, words.catching_up);
    }
    ui.add_space(space::SMALL);
    ui.add(Label::new(RichText::new(&row.server).font(theme::body())).truncate());
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
        ui.add(Label::new(RichText::new(&sentence.what).color(colour)).wrap());
        ui.add(Label::new(RichText::new(&sentence.then).color(theme.text)).wrap());
        if !why.is_retryable() && ui.add(widgets::link(theme, cx.words.edit_connection)).clicked() {
            edit = Some(id);
        }
    });
    ui.add_space(space::SMALL);
    edit
}
