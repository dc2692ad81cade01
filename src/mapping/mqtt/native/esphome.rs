//! ESPHome without discovery: `NODE/COMPONENT/OBJECT/state`, `…/command` and `NODE/status`.

use std::collections::HashSet;

use serde_json::{Value as Json, json};

use crate::mapping::mqtt::book::{Book, Command, Dev, Rank, guessed, named};
use crate::mapping::mqtt::change::{Outgoing, There};
use crate::mapping::mqtt::ha::{colour_of, json_of, mac, rgb, words_of};
use crate::mapping::mqtt::template::Payload;
use crate::mapping::mqtt::{general, json, text};
use crate::model::device::{Control, Metric, MetricType, Value};
use crate::model::mqtt::HOME_ASSISTANT_COMPONENTS;
use crate::model::number::Number;

/// Maximum number of nodes.
const MAX_NODES: usize = 4_000;

/// See the module.
#[derive(Default)]
pub(super) struct EspHome {
    nodes: HashSet<String>,
}

/// Whether a level of a topic names a kind of entity: those of Home Assistant, and two of ESPHome's own.
fn is_component(level: &str) -> bool {
    HOME_ASSISTANT_COMPONENTS.contains(&level) || matches!(level, "text_sensor" | "media_player")
}

/// Where a state is from: node, component, object, and which of its states.
fn split(topic: &str) -> Option<(&str, &str, &str, &str)> {
    let path = topic.strip_suffix("/state")?;
    let (before, object) = path.rsplit_once('/')?;
    let (node, component) = before.rsplit_once('/')?;
    if is_component(component) {
        return Some((node, component, object, ""));
    }
    // `climate/OBJECT/mode/state`
    let (node, kind) = node.rsplit_once('/')?;
    is_component(kind).then_some((node, kind, component, object))
}

/// The key of the device that a topic belongs to.
pub(super) fn key_of(topic: &str) -> Option<String> {
    split(topic).map(|(node, ..)| format!("esphome:{node}"))
}

impl EspHome {
    /// Whether it reads a topic.
    pub fn takes(&self, topic: &str, payload: &Payload<'_>) -> bool {
        if topic.starts_with("esphome/discover/") {
            return true;
        }
        // Home Assistant writes its own states under such topics, too.
        if let Some((node, component, ..)) = split(topic) {
            return node != "homeassistant"
                && (matches!(component, "light" | "event" | "update")
                    || !payload.json().is_some_and(Json::is_object));
        }
        let (node, last) = topic.rsplit_once('/').unwrap_or((topic, ""));
        matches!(last, "status" | "debug") && self.nodes.contains(node)
    }

    /// Reads a message. Returns what the topics begin with that are explained from now on.
    pub fn receive(&mut self, book: &mut Book, id: u32, topic: &str, payload: &Payload<'_>) -> Vec<String> {
        if let Some(node) = topic.strip_prefix("esphome/discover/") {
            return self.discovered(book, node, payload);
        }
        if let Some(node) = topic.strip_suffix("/status") {
            if let (Some(dev), Some(is_there)) = (device(book, node), text::presence(&payload.text())) {
                book.say(dev, topic, if is_there { There::Online } else { There::Offline(String::new()) });
            }
            return Vec::new();
        }
        let Some((node, component, object, part)) = split(topic) else { return Vec::new() };
        let Some(dev) = device(book, node) else { return Vec::new() };
        let path = topic.strip_suffix("/state").unwrap_or(topic);
        says(book, dev, id, path, component, object, part, payload);
        let is_new = !self.nodes.contains(node) && self.nodes.len() < MAX_NODES;
        if is_new {
            self.nodes.insert(node.to_owned());
            return vec![format!("{node}/status"), format!("{node}/debug")];
        }
        Vec::new()
    }

    fn discovered(&mut self, book: &mut Book, node: &str, payload: &Payload<'_>) -> Vec<String> {
        let Some(json) = payload.json() else { return Vec::new() };
        let text = |name: &str| json.get(name).and_then(json::string).unwrap_or_default().into_owned();
        let Some(dev) = device(book, node) else { return Vec::new() };
        let title = [text("friendly_name"), text("name")]
            .into_iter()
            .find(|name| !name.is_empty())
            .unwrap_or_default();
        let firmware = format!("ESPHome {}", text("version"));
        book.describe(
            dev,
            Rank::Own,
            &title,
            "",
            &[
                ("ip", &text("ip")),
                ("firmware", firmware.trim()),
                ("model", &text("board")),
                ("mac", &text("mac")),
            ],
        );
        if let Some(mac) = mac(&text("mac")) {
            book.add_weak_key(dev, &format!("mac:{mac}"));
        }
        let is_new = self.nodes.len() < MAX_NODES && self.nodes.insert(node.to_owned());
        if is_new { vec![format!("{node}/")] } else { Vec::new() }
    }
}

fn device(book: &mut Book, node: &str) -> Option<Dev> {
    let dev = book.device(Rank::Shape, &[&format!("esphome:{node}")], node)?;
    book.describe(dev, Rank::Shape, node, "", &[("topic", node)]);
    Some(dev)
}

#[allow(clippy::too_many_arguments, reason = "the levels of one topic")]
fn says(
    book: &mut Book,
    dev: Dev,
    id: u32,
    path: &str,
    component: &str,
    object: &str,
    part: &str,
    payload: &Payload<'_>,
) {
    if let ("light", Some(json @ Json::Object(_))) = (component, payload.json()) {
        light(book, dev, id, path, object, json);
        return;
    }
    if let ("event" | "update", Some(json @ Json::Object(_))) = (component, payload.json()) {
        for (field, name) in [
            ("event_type", ""),
            ("installed_version", "installed version"),
            ("latest_version", "latest version"),
        ] {
            if let Some(said) = json.get(field).and_then(Json::as_str) {
                let name = named(format!("{} {name}", words_of(object)).trim());
                book.read(dev, &format!("{component}/{object}/{field}"), id, text::text(said), || {
                    Metric::new(name, MetricType::Text)
                });
            }
        }
        return;
    }
    let (value, unit) = general::bare(payload);
    let said = payload.text();
    let name = match part {
        "" => words_of(object),
        part => format!("{} {}", words_of(object), words_of(part).to_lowercase()),
    };
    let key = format!("{component}/{object}/{part}");
    let is_switch =
        matches!(component, "binary_sensor" | "switch" | "light") || component == "fan" && part.is_empty();
    let value = match (is_switch, said.trim()) {
        (_, "oscillate_on") => Value::Flag(true),
        (_, "oscillate_off") => Value::Flag(false),
        (true, said) => text::flag(said).map_or(value, Value::Flag),
        (false, _) => value,
    };
    let mut metric = guessed(named(&name), &value, unit);
    if component == "sensor" && value == Value::Missing {
        metric.kind = MetricType::Number;
    }
    if component == "sensor" && object.ends_with("wifi_signal") {
        "dBm".clone_into(&mut metric.unit);
    }
    let set = control(&mut metric, component, part);
    let is_new = book.get(dev).is_some_and(|device| device.find(&key).is_none());
    if is_new && let Some(words) = set {
        book.put_metric(dev, &key, id, metric.clone());
        book.command(dev, &key, true, plain(format!("{path}/command"), words));
    }
    book.read(dev, &key, id, value, || metric);
}

/// Makes a metric what can be set, and returns the words for on and off.
fn control(metric: &mut Metric, component: &str, part: &str) -> Option<(&'static str, &'static str)> {
    let percent = |metric: &mut Metric| {
        (metric.kind, metric.unit) = (MetricType::Number, "%".to_owned());
        (metric.min, metric.max) = (Some(Number::from(0.0)), Some(Number::from(100.0)));
    };
    match (component, part) {
        ("switch", "") | ("fan", "") => {
            metric.kind = MetricType::Flag;
            Some(("ON", "OFF"))
        }
        ("number", "") => {
            metric.kind = MetricType::Number;
            Some(("", ""))
        }
        ("select" | "text", "") => {
            metric.kind = MetricType::Text;
            Some(("", ""))
        }
        ("fan", "oscillation") => {
            metric.kind = MetricType::Flag;
            Some(("oscillate_on", "oscillate_off"))
        }
        ("fan", "speed_level") => {
            (metric.kind, metric.min) = (MetricType::Number, Some(Number::from(0.0)));
            Some(("", ""))
        }
        ("climate", "mode" | "fan_mode" | "swing_mode" | "preset") => Some(("", "")),
        ("climate", "target_temperature") => {
            metric.control = Some(Control::Setpoint);
            Some(("", ""))
        }
        ("cover" | "valve", "position" | "tilt") => {
            percent(metric);
            Some(("", ""))
        }
        ("cover" | "valve", "") => {
            metric.kind = MetricType::Enum;
            metric.options = ["OPEN", "CLOSE", "STOP"].map(str::to_owned).to_vec();
            metric.control = Some(Control::Cover);
            Some(("", ""))
        }
        ("lock", "") => {
            metric.kind = MetricType::Enum;
            metric.options = ["LOCK", "UNLOCK"].map(str::to_owned).to_vec();
            metric.risky = true;
            Some(("", ""))
        }
        _ => None,
    }
}

fn plain(topic: String, (on, off): (&'static str, &'static str)) -> Command {
    std::sync::Arc::new(move |_, _, value| {
        let payload = match value {
            Value::Flag(true) => on.to_owned(),
            Value::Flag(false) => off.to_owned(),
            Value::Text(text) => text.to_string(),
            number => json_of(number).to_string(),
        };
        Ok(vec![Outgoing::new(topic.as_str(), payload)])
    })
}

fn light(book: &mut Book, dev: Dev, id: u32, path: &str, object: &str, json: &Json) {
    let title = words_of(object);
    let topic = format!("{path}/command");
    for (field, name) in [
        ("state", ""),
        ("brightness", "brightness"),
        ("color_temp", "colour temperature"),
        ("color", "colour"),
        ("effect", "effect"),
    ] {
        let Some(value) = json.get(field) else { continue };
        let key = format!("light/{object}/{field}");
        let mut metric = Metric::new(named(format!("{title} {name}").trim()), MetricType::Number);
        let value = match field {
            "state" => {
                metric.kind = MetricType::Flag;
                value.as_str().and_then(text::flag).map(Value::Flag)
            }
            "color" => {
                (metric.kind, metric.control) = (MetricType::Text, Some(Control::Colour));
                colour_of(value)
            }
            "effect" => {
                metric.kind = MetricType::Text;
                json::scalar(value)
            }
            "brightness" => {
                (metric.min, metric.max) = (Some(Number::from(0.0)), Some(Number::from(255.0)));
                json::reading(value)
            }
            _ => {
                metric.unit = "mired".to_owned();
                json::reading(value)
            }
        };
        let Some(value) = value else { continue };
        let is_new = book.get(dev).is_some_and(|device| device.find(&key).is_none());
        if is_new {
            book.put_metric(dev, &key, id, metric.clone());
            let topic = topic.clone();
            book.command_on(dev, &key, true, topic, move |value| {
                let payload = match (field, value) {
                    ("state", Value::Flag(on)) => json!({"state": if *on { "ON" } else { "OFF" }}),
                    ("color", colour) => {
                        let [red, green, blue] = rgb(colour)?;
                        json!({"state": "ON", "color": {"r": red, "g": green, "b": blue}})
                    }
                    (field, value) => json!({"state": "ON", field: json_of(value)}),
                };
                Ok(payload.to_string())
            });
        }
        book.read(dev, &key, id, value, || metric);
    }
}
