//! The connection bar: the open connection's state, server, protocol, transport and round trip; when it is down, what
//! happened and what to do.

use egui::{Align, Frame, Label, Layout, Margin, RichText, Sense, Ui, UiBuilder, Vec2};

use super::icons::Icon;
use super::keys::{self, Action};
use super::link::LinkMemory;
use super::text::StateWord;
use super::theme::{self, radius, size, space};
use super::widgets;
use super::{Cx, OpenRoom, fade, harmless};
use super::{panes, rooms};
use crate::model::address;
use crate::model::id::ConnectionId;
use crate::model::intent::{Credential, Intent, LinkIntent};
use crate::model::link_state::{LinkState, Why};
use crate::model::profile::{Profile, Protocol, Socket};
use crate::model::proxy::ProxyUsed;
use crate::model::route::{Route, RouteInUse};
use crate::model::socketio::Carriers;

/// The settings with the address that works, where only its scheme is wrong. To leave the encryption of another computer
/// away is nothing to do in passing: whoever edits the connection is warned first.
fn better_address(cx: &Cx, id: ConnectionId, why: &Why) -> Option<(Profile, String)> {
    let Why::WrongScheme { .. } = why else { return None };
    let mut profile = cx.model.read(|model| Some(model.connections.get(&id)?.profile.clone()))?;
    let url = address::other_scheme(profile.urls.first().filter(|_| id > ConnectionId::COMMAND_LINE)?)?;
    let is_safe = profile.urls.len() == 1 && address::unencrypted_host(&url).is_none();
    profile.urls = vec![url.clone()];
    is_safe.then_some((profile, url))
}

/// What the bar shows, copied out of the model.
struct Row {
    name: String,
    protocol: Protocol,
    socket: Socket,
    /// Of a Socket.IO server.
    carriers: Carriers,
    /// Whether it is a stream by TCP.
    is_stream: bool,
    /// The proxy that it goes through.
    proxy: Option<Box<ProxyUsed>>,
    /// How frames travel, where more than one way leads to the server.
    route: Option<RouteInUse>,
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
            name: rooms::name_of(connection, cx.words),
            protocol: connection.profile.protocol,
            socket: connection.profile.socket,
            carriers: connection.profile.websocket.socketio.carriers,
            is_stream: connection.profile.urls.first().is_some_and(|url| address::is_stream(url)),
            proxy: connection.proxy.clone().filter(|_| connection.link.is_online()),
            route: connection.route,
            rtt_ms,
            catching_up: connection.link.is_online() && !connection.chat.caught_up(),
        })
    })
}

/// What the person wants of the rest of the window.
#[derive(Default)]
pub(super) struct BarAction {
    /// To change this connection.
    pub(super) edit: Option<ConnectionId>,
    /// To check this connection.
    pub(super) diagnose: Option<ConnectionId>,
    /// What its switches and buttons do.
    pub(super) action: Option<Action>,
}

/// What is on screen.
#[derive(Copy, Clone)]
pub(super) struct Shown<'a> {
    /// The panes.
    pub(super) layout: &'a panes::Layout,
    /// Whether the devices are to be seen.
    pub(super) devices: bool,
    /// Whether topics are in the devices' place; none where there are none.
    pub(super) topics: Option<bool>,
    /// The search pane.
    pub(super) search: bool,
    /// The open connection's log.
    pub(super) log: bool,
    /// How many messages are unread, in rooms that are not open.
    pub(super) unread: u64,
}

/// Draws the bar.
pub(super) fn show(
    ui: &mut Ui,
    cx: &mut Cx,
    open: Option<&OpenRoom>,
    link: Option<&LinkMemory>,
    shown: Shown<'_>,
) -> BarAction {
    let mut wish = BarAction::default();
    let known = open.and_then(|place| Some((place.connection, row(cx, place.connection)?, link?)));
    let link = known.as_ref().map(|(id, _, link)| (*id, *link));
    let (rect, _) = ui.allocate_exact_size(Vec2::new(ui.available_width(), size::BAR), Sense::hover());
    let segments = panes_switch(ui, cx, shown);
    let right = rect.right() - controls_width(ui, cx, link, &segments);
    // From left to right, as the Tab key goes.
    let part = |rect| UiBuilder::new().max_rect(rect).layout(Layout::left_to_right(Align::Center));
    ui.scope_builder(part(rect.with_max_x(right - space::SMALL)), |ui| {
        if shown.layout.is_wide() {
            wish.action = rooms_switch(ui, cx, shown);
        }
        match &known {
            Some((_, row, link)) => line(ui, cx, row, link),
            None => quiet(ui, cx.words.no_connection),
        }
    });
    ui.scope_builder(part(rect.with_min_x(right)), |ui| {
        if let Some((id, link)) = link {
            action(ui, cx, id, link);
        }
        wish.action = controls(ui, cx, link.is_some(), shown, &segments).or(wish.action);
    });
    if let Some((id, _, link)) = known
        && let Some(why) = link.why.as_ref().filter(|_| link.alarm)
    {
        explanation(ui, cx, id, (link, why), &mut wish);
    }
    wish
}

/// At the right: the switch of the panes, the log and the settings.
fn controls(
    ui: &mut Ui,
    cx: &Cx,
    has_connection: bool,
    shown: Shown<'_>,
    segments: &[(Action, widgets::Segment<'_>)],
) -> Option<Action> {
    let words = cx.words;
    let mut action = None;
    if let Some(at) = widgets::segments(ui, segments.iter().map(|(_, segment)| segment), is_wordy(ui)) {
        // The pane that is shown stays shown.
        action = segments.get(at).filter(|(_, segment)| !segment.chosen).map(|(action, _)| *action);
    }
    if has_connection && has_log(ui) {
        let hint = keys::hint(ui.ctx(), words.log.hint, Action::ToggleLog);
        if widgets::icon_toggle(ui, Icon::Log, words.log.title, &hint, shown.log).clicked() {
            action = Some(Action::ToggleLog);
        }
    }
    let hint = keys::hint(ui.ctx(), words.settings, Action::Settings);
    if widgets::icon_button(ui, Icon::Settings, words.settings, &hint, false).clicked() {
        action = Some(Action::Settings);
    }
    action
}

/// How wide all at the right is.
fn controls_width(
    ui: &Ui,
    cx: &Cx,
    link: Option<(ConnectionId, &LinkMemory)>,
    segments: &[(Action, widgets::Segment<'_>)],
) -> f32 {
    let gap = ui.spacing().item_spacing.x;
    let mut width = widgets::segments_width(ui, segments.iter().map(|(_, segment)| segment), is_wordy(ui));
    width += gap + size::CONTROL;
    if link.is_some() && has_log(ui) {
        width += gap + size::CONTROL;
    }
    if let Some((_, words, _)) = link.and_then(|(id, link)| act_on(cx, id, link)) {
        width += gap + if is_slim(ui) { size::CONTROL } else { widgets::primary_width(ui, words) };
    }
    width
}

fn is_wordy(ui: &Ui) -> bool {
    ui.ctx().content_rect().width() >= size::WORDY
}

fn is_slim(ui: &Ui) -> bool {
    ui.ctx().content_rect().width() < size::SLIM
}

/// Where there is no room for its button, a menu in the list of rooms opens the log.
fn has_log(ui: &Ui) -> bool {
    !is_slim(ui)
}

/// Which pane is shown: in a wide window either or both, in a narrow one each by itself, the rooms too.
fn panes_switch<'a>(ui: &Ui, cx: &Cx, shown: Shown<'_>) -> Vec<(Action, widgets::Segment<'a>)> {
    let words = cx.words.keys;
    let layout = shown.layout;
    // In a narrow window the search pane is in the place of all of them.
    let [rooms, chat] =
        [layout.shows_rooms(), layout.shows_chat()].map(|there| there && (layout.is_wide() || !shown.search));
    let (devices, topics) = (shown.devices, shown.topics == Some(true));
    let all = [
        (Icon::Rooms, words.rooms, Action::ToggleRooms, rooms),
        (Icon::Chat, words.chat, Action::ShowChat, chat && !devices),
        (Icon::Devices, cx.words.devices.devices, Action::ShowDevices, devices && !chat && !topics),
        (Icon::Both, words.both, Action::ShowBoth, chat && devices),
        (Icon::List, cx.words.topics.title, Action::ShowTopics, devices && !chat && topics),
    ];
    let is_here = |action: Action| match action {
        Action::ToggleRooms => !layout.is_wide(),
        Action::ShowBoth => layout.is_wide(),
        Action::ShowTopics => shown.topics.is_some(),
        _ => true,
    };
    let segment = |(icon, name, action, chosen): &(Icon, &'static str, Action, bool)| {
        let hint = keys::hint(ui.ctx(), (words.action)(*action), *action);
        let marked = *action == Action::ToggleRooms && !chosen && shown.unread > 0;
        (*action, widgets::Segment { icon: *icon, name, hint, chosen: *chosen, marked })
    };
    all.iter().filter(|(_, _, action, _)| is_here(*action)).map(segment).collect()
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

/// The main act on a connection that is down: its icon, its words, and what it asks for.
fn act_on(cx: &Cx, id: ConnectionId, link: &LinkMemory) -> Option<(Icon, &'static str, Intent)> {
    match link.word {
        StateWord::Waiting | StateWord::Suspended | StateWord::Stopped => {
            Some((Icon::Again, cx.words.retry_now, Intent::Link(LinkIntent::RetryNow(id))))
        }
        StateWord::Off => Some((Icon::Connect, cx.words.connect, Intent::Link(LinkIntent::Connect(id)))),
        StateWord::Connecting | StateWord::Online => None,
    }
}

/// The button for it. Where there is no room for its words it is an icon.
fn action(ui: &mut Ui, cx: &mut Cx, id: ConnectionId, link: &LinkMemory) {
    let Some((icon, words, intent)) = act_on(cx, id, link) else { return };
    let button = if is_slim(ui) {
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
    ui.add(Label::new(RichText::new(&row.name).font(theme::strong(size::BODY))).truncate());
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
        Protocol::WebSocket => words.protocol_websocket,
        Protocol::SocketIo => words.protocol_socketio,
        Protocol::Stomp => words.protocol_stomp,
        Protocol::Mqtt => words.protocol_mqtt,
    };
    let detour =
        row.route.filter(|used| used.route != Route::WebSocket).map(|used| (words.routes.via)(&used));
    let (transport, limits) = match row.socket {
        _ if detour.is_some() => (detour.as_deref().unwrap_or_default(), None),
        _ if row.is_stream => (words.transport_tcp, None),
        _ if row.protocol == Protocol::SocketIo && row.carriers != Carriers::WebSocket => {
            (words.socketio.carriers_of(row.carriers), None)
        }
        Socket::Tungstenite => (words.transport_websocket, None),
        Socket::Ewebsock => (words.transport_ewebsock, Some(words.no_close_reasons)),
    };
    let mut facts = vec![protocol.to_owned(), transport.to_owned()];
    facts.extend(row.rtt_ms.map(words.round_trip));
    facts.extend(row.proxy.as_deref().map(words.proxy.used));
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
    (link, why): (&LinkMemory, &Why),
    wish: &mut BarAction,
) {
    let theme = theme::of(ui);
    let profile = cx.model.read(|model| Some(model.connections.get(&id)?.profile.clone()));
    let Some(profile) = profile else { return };
    let own = match profile.protocol {
        Protocol::Duplex => None,
        Protocol::WebSocket | Protocol::SocketIo | Protocol::Stomp | Protocol::Mqtt => {
            (cx.words.plain.why)(why, link.word == StateWord::Waiting)
        }
    };
    let sentence = own.unwrap_or_else(|| (cx.words.why)(why));
    let (ground, colour) = match link.word {
        StateWord::Stopped => (theme.bad_ground, theme.bad),
        _ => (theme.warn_ground, theme.warn),
    };
    let margin = Margin::symmetric(space::MEDIUM as i8, space::SMALL as i8);
    Frame::new().fill(ground).corner_radius(radius::CONTROL).inner_margin(margin).show(ui, |ui| {
        fade::appear(ui, ("why a link is down", id));
        ui.set_min_width(ui.available_width());
        let what = ui.add(Label::new(RichText::new(&sentence.what).color(colour)).wrap());
        widgets::alert(ui, what.id, &sentence.what);
        ui.add(Label::new(RichText::new(&sentence.then).color(theme.text)).wrap());
        ui.horizontal_wrapped(|ui| {
            if let Some((profile, url)) = better_address(cx, id, why) {
                let text = (cx.words.use_address)(&harmless::line(&url, 100));
                if ui.add(widgets::link(theme, &text)).clicked() {
                    let credential = Credential::Keep;
                    cx.intents.push(Intent::Link(LinkIntent::SaveConnection { profile, credential }));
                }
            }
            let is_other = matches!(why, Why::NotDuplex { .. }) && id > ConnectionId::COMMAND_LINE;
            if is_other && ui.add(widgets::link(theme, cx.words.plain.connect_as_plain)).clicked() {
                // The worker takes no secret from one protocol to another.
                let profile = Profile { protocol: Protocol::WebSocket, ..profile };
                let credential = Credential::Keep;
                cx.intents.push(Intent::Link(LinkIntent::SaveConnection { profile, credential }));
            }
            if !why.is_retryable() && ui.add(widgets::link(theme, cx.words.edit_connection)).clicked() {
                wish.edit = Some(id);
            }
            if ui.add(widgets::link(theme, cx.words.doctor.find_out)).clicked() {
                wish.diagnose = Some(id);
            }
        });
    });
    ui.add_space(space::SMALL);
}
