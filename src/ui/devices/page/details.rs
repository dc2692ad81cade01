//! The rest of a device's page: attributes, the log of status changes and commands, and the raw last message
//! as JSON.

use std::sync::Arc;

use egui::{Label, RichText, TextEdit, Ui};
use serde_json::{Map, Value as Json, json};

use super::{Facts, View, rows};
use crate::model::device::{DeviceLogEvent, Metric, MetricType, Spec};
use crate::model::devices::{Device, Latest};
use crate::model::id::ConnectionId;
use crate::model::known::person_line;
use crate::model::time::WallMs;
use crate::ui::theme::{self, size, space};
use crate::ui::{Cx, harmless, value, widgets};

/// Maximum number of attributes shown.
const MAX_ATTRIBUTES: usize = 100;
/// Maximum length of an attribute's name and value, in characters.
const MAX_ATTRIBUTE_CHARS: (usize, usize) = (60, 400);

/// The attributes, sanitized for display.
pub(super) fn copied(spec: &Spec) -> Vec<(String, String)> {
    let own = spec.attributes.iter().take(MAX_ATTRIBUTES);
    own.map(|(name, said)| {
        (harmless::line(name, MAX_ATTRIBUTE_CHARS.0), harmless::line(said, MAX_ATTRIBUTE_CHARS.1))
    })
    .collect()
}

/// Draws the attributes.
pub(super) fn attributes(ui: &mut Ui, attributes: &[(String, String)]) {
    let theme = theme::of(ui);
    for (name, said) in attributes {
        ui.horizontal_wrapped(|ui| {
            let name = RichText::new(name).font(theme::small()).color(theme.weak);
            ui.add(Label::new(name));
            ui.add(Label::new(RichText::new(said)).wrap());
        });
    }
}

/// Draws the log, newest first. Pending commands are shown at their control instead.
pub(super) fn log(ui: &mut Ui, cx: &Cx, connection: ConnectionId, view: &View) {
    let theme = theme::of(ui);
    let words = cx.words.device_page;
    if view.log.is_empty() {
        ui.add(Label::new(RichText::new(words.log_empty).color(theme.weak)).wrap());
    }
    let height = size::BODY_LINE + size::SMALL_LINE;
    rows(ui, view.log.len(), height, |ui, number| {
        let line = &view.log[number];
        let (what, result) = said(cx, connection, &view.metrics, &line.what);
        let when = (cx.words.day_and_clock)(line.at);
        let below = if result.is_empty() { when.clone() } else { format!("{when} · {result}") };
        let rect = ui.max_rect();
        let width = rect.width();
        let top = widgets::cut(ui, &what, theme::body(), theme.text, width);
        let bottom = widgets::cut(ui, &below, theme::small(), theme.weak, width);
        let cut = top.elided || bottom.elided;
        ui.painter().galley(rect.min, top, theme.text);
        ui.painter().galley(rect.min + egui::vec2(0.0, size::BODY_LINE), bottom, theme.weak);
        let spoken = format!("{what}, {below}");
        let response = widgets::spoken(ui, rect, ui.scope_id().with("line"), &spoken);
        if cut {
            response.on_hover_text(spoken);
        }
    });
}

/// Text of a log line: what happened, and its outcome.
fn said(
    cx: &Cx,
    connection: ConnectionId,
    metrics: &[Arc<Metric>],
    what: &DeviceLogEvent,
) -> (String, String) {
    let words = cx.words.device_page;
    match what {
        DeviceLogEvent::Online => (words.came.to_owned(), String::new()),
        DeviceLogEvent::Offline { reason } => ((words.went)(&harmless::line(reason, 200)), String::new()),
        DeviceLogEvent::Silent => (words.fell_silent.to_owned(), String::new()),
        DeviceLogEvent::Command { command } => {
            let who = cx.model.read(|model| {
                let connection = model.connections.get(&connection)?;
                Some(connection.chat.shown(&command.by, 40).label())
            });
            let who = who.unwrap_or_else(|| person_line(&command.by.name, 40));
            let metric = metrics.iter().find(|metric| metric.name == command.property);
            let name = harmless::line(metric.map_or(command.property.as_str(), |metric| metric.label()), 64);
            let shown = match metric {
                Some(metric) => value::reading(cx.words, metric, &command.value),
                None => {
                    let metric = Metric::new(command.property.clone(), MetricType::Text);
                    value::reading(cx.words, &metric, &command.value)
                }
            };
            ((words.asked)(&who, &name, &shown), (words.became)(&command.state))
        }
    }
}

/// The raw last message, formatted.
#[derive(Default)]
pub(super) struct Details {
    open: bool,
    /// Versions of the data that the text was made from: time received, number of metrics.
    key: Option<(Option<WallMs>, usize, u64)>,
    raw: String,
}

impl Details {
    /// Draws the last message, collapsed by default.
    pub(super) fn raw(&mut self, ui: &mut Ui, cx: &Cx, facts: &Facts) {
        let words = cx.words.device_page;
        ui.add_space(space::MEDIUM);
        ui.checkbox(&mut self.open, words.raw);
        if !self.open {
            return;
        }
        cx.model.read(|model| {
            let Some(connection) = model.connections.get(&facts.connection) else { return };
            let Some(device) = connection.devices.get(facts.device.as_str()) else { return };
            let key = (device.heard, device.latest.len(), connection.devices.version());
            if self.key != Some(key) {
                self.raw = serde_json::to_string_pretty(&last_said(device)).unwrap_or_default();
                self.key = Some(key);
            }
        });
        let copy = ui.add(widgets::plain(cx.words.devices.copy));
        widgets::named(ui, &copy, words.copy_raw);
        if copy.clicked() {
            ui.ctx().copy_text(self.raw.clone());
        }
        let shown = harmless::text(&self.raw);
        let mut shown: &str = &shown;
        let edit = TextEdit::multiline(&mut shown).code_editor().desired_width(f32::INFINITY).desired_rows(4);
        let response = ui.add(edit);
        widgets::named(ui, &response, words.raw);
    }
}

/// Its latest readings and its announcement, in the protocol's terms.
fn last_said(device: &Device) -> Json {
    let last = device.last_said();
    let (at, received) =
        (last.iter().map(|latest| latest.at).max(), last.first().map(|latest| latest.received));
    let value = |latest: &&Latest| (latest.metric.name.to_string(), json!(latest.value));
    let values: Map<String, Json> = last.iter().map(value).collect();
    json!({ "readings": { "at": at, "received": received, "values": values }, "announced": device.spec })
}
