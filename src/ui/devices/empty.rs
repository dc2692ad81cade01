//! The empty states of the device pane, each with a way forward.

use egui::{Align, Frame, Label, Layout, Margin, RichText, Stroke, Ui};

use super::order::Order;
use super::standing::Standing;
use crate::ui::theme::{self, radius, space};
use crate::ui::{Cx, harmless, people, widgets};

/// Draws an empty state if no device is visible. Returns whether the person asked to see what is left out
/// (clearing the filter or showing hidden devices); sets `add` if they asked to add a device.
pub(super) fn show(
    ui: &mut Ui,
    cx: &Cx,
    order: &Order,
    filter: &str,
    standings: &[Standing],
    add: &mut bool,
) -> bool {
    let words = cx.words.devices;
    let (shown, all) = order.matching();
    if standings.is_empty() {
        sentence(ui, words.no_connection);
    } else if all == 0 && order.hidden() > 0 {
        sentence(ui, words.all_hidden);
        let mut show = false;
        ui.vertical_centered(|ui| show = ui.add(widgets::plain(words.show_hidden)).clicked());
        return show;
    } else if all == 0 {
        let live = |with: bool| standings.iter().find(|s| s.is_live() && s.has_devices == with);
        match live(true).or_else(|| live(false)) {
            Some(live) if !live.has_devices => sentence(ui, cx.words.plain.no_devices),
            Some(live) => *add |= first_devices(ui, cx, live.url.as_deref().unwrap_or("")),
            // The head already shows the status of the only connection.
            None if standings.len() == 1 => {}
            None => sentence(ui, words.asking),
        }
    } else if shown == 0 {
        sentence(ui, &(words.no_match)(&harmless::line(filter.trim(), 60)));
        let mut clear = false;
        ui.vertical_centered(|ui| clear = ui.add(widgets::plain(words.clear_filter)).clicked());
        return clear;
    }
    false
}

fn sentence(ui: &mut Ui, text: &str) {
    let theme = theme::of(ui);
    ui.add_space(space::HUGE);
    Frame::new().inner_margin(Margin::symmetric(space::LARGE as i8, 0)).show(ui, |ui| {
        ui.with_layout(Layout::top_down(Align::Center), |ui| {
            ui.add(Label::new(RichText::new(text).color(theme.weak)).wrap());
        });
    });
    ui.add_space(space::SMALL);
}

/// Two ways to connect a first device, with this server's address filled in. Never includes a token.
///
/// Returns whether "Add device" was clicked.
fn first_devices(ui: &mut Ui, cx: &Cx, url: &str) -> bool {
    let words = cx.words.devices;
    let theme = theme::of(ui);
    let (secure, place) = host_and_port(url);
    let http = if secure { "https" } else { "http" };
    let socket = if secure { "wss" } else { "ws" };
    let curl = format!(
        "curl -d '{{\"temperature\": 21.5}}' -H 'Content-Type: application/json' \
         -H \"Authorization: Bearer $TOKEN\" {http}://{place}/v1/devices/greenhouse-3/readings"
    );
    let agent = format!("duplexctl agent --url {socket}://{place}");
    Frame::new()
        .inner_margin(Margin::symmetric(space::LARGE as i8, space::SMALL as i8))
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = space::SMALL;
            ui.label(RichText::new(words.none_title).font(theme::heading()));
            let possible = people::add_device::is_possible(cx);
            let add = possible && ui.add(widgets::primary(theme, cx.words.people.add_device)).clicked();
            explained(ui, words.none_curl);
            line(ui, cx, &curl);
            widgets::explain(ui, words.none_curl_token);
            ui.add_space(space::SMALL);
            explained(ui, words.none_agent);
            line(ui, cx, &agent);
            add
        })
        .inner
}

fn explained(ui: &mut Ui, text: &str) {
    let theme = theme::of(ui);
    ui.add(Label::new(RichText::new(text).color(theme.weak)).wrap());
}

/// A shell command with a button that copies it.
fn line(ui: &mut Ui, cx: &Cx, text: &str) {
    let words = cx.words.devices;
    let theme = theme::of(ui);
    let frame = Frame::new()
        .fill(theme.ground)
        .stroke(Stroke::new(1.0, theme.line))
        .corner_radius(radius::CONTROL)
        .inner_margin(space::SMALL);
    frame.show(ui, |ui| {
        ui.set_min_width(ui.available_width());
        ui.add(Label::new(RichText::new(text).font(theme::mono_small())).wrap());
        let copy = ui.add(widgets::link(theme, words.copy));
        let copy = copy.accessible_name((words.copy_line)(text));
        if copy.clicked() {
            ui.ctx().copy_text(text.to_owned());
        }
    });
}

/// Whether the address uses TLS, and its host and port. User names, passwords and query strings are dropped,
/// since they may be secret.
fn host_and_port(url: &str) -> (bool, String) {
    let (scheme, rest) = url.split_once("://").unwrap_or(("ws", url));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
    // The result is pasted into a shell: only characters that are valid in a host or port may remain.
    let is_plain = |c: &char| c.is_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']' | '_');
    (matches!(scheme, "wss" | "https"), place.chars().filter(is_plain).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_host_and_port_of_an_address_are_shown() {
        let shown = |url| host_and_port(url);
        assert_eq!(shown("ws://127.0.0.1:7870/v1/socket"), (false, "127.0.0.1:7870".to_owned()));
        assert_eq!(shown("wss://me:secret@hub.example/v1/socket?token=s"), (true, "hub.example".to_owned()));
        assert_eq!(shown("wss://[::1]:7870"), (true, "[::1]:7870".to_owned()));
        assert_eq!(shown("ws://a;rm$(x):1/"), (false, "armx:1".to_owned()));
    }
}
