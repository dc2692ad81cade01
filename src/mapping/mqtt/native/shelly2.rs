//! Shelly's second and later generations: `PREFIX/status/COMPONENT:N`, `PREFIX/events/rpc` and `PREFIX/online`.

use std::collections::HashSet;

use serde_json::{Map, Value as Json, json};

use crate::mapping::mqtt::book::{Book, Command, Dev, Rank, guessed, named};
use crate::mapping::mqtt::change::{Outgoing, There};
use crate::mapping::mqtt::ha::{hex, json_of, mac, rgb, words_of};
use crate::mapping::mqtt::template::Payload;
use crate::mapping::mqtt::{json, text};
use crate::model::device::{Control, Metric, MetricType, Value};
use crate::model::number::Number;
use crate::model::time::WallMs;

/// Maximum number of prefixes.
const MAX_PREFIXES: usize = 4_000;
/// Where a device that sleeps says how long, in an event.
const WAKES: &str = "/params/sys/wakeup_period";
/// Components without a number.
const SINGLE: &[&str] = &[
    "sys", "wifi", "mqtt", "cloud", "ws", "ble", "eth", "bthome", "knx", "matter", "modbus", "script", "ui",
];

/// See the module.
#[derive(Default)]
pub(super) struct Shelly2 {
    prefixes: HashSet<String>,
    /// Those that sleep between their readings.
    sleepers: HashSet<String>,
}

/// The prefix and what follows it.
fn split(topic: &str) -> Option<(&str, &str)> {
    if let Some((prefix, component)) = topic.rsplit_once("/status/") {
        let (name, number) = component.split_once(':').unwrap_or((component, ""));
        let is_component = !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
            && number.bytes().all(|byte| byte.is_ascii_digit());
        let is_known = component.contains(':') || SINGLE.contains(&name);
        return (is_component && is_known).then_some((prefix, &topic[prefix.len() + 1..]));
    }
    topic.strip_suffix("/events/rpc").map(|prefix| (prefix, "events/rpc"))
}

/// The key of the device that a topic belongs to.
pub(super) fn key_of(topic: &str) -> Option<String> {
    split(topic).map(|(prefix, _)| format!("shelly2:{prefix}"))
}

impl Shelly2 {
    /// Whether it reads a topic.
    pub fn takes(&self, topic: &str, payload: &Payload<'_>) -> bool {
        if split(topic).is_some() {
            return payload.json().is_some_and(Json::is_object);
        }
        let below = |end: &str| topic.strip_suffix(end).is_some_and(|prefix| self.prefixes.contains(prefix));
        below("/online")
            || below("/rpc")
            || below("/debug/log")
            || topic.split_once("/command").is_some_and(|(prefix, _)| self.prefixes.contains(prefix))
    }

    /// Reads a message. Returns what the topics begin with that are explained from now on.
    pub fn receive(&mut self, book: &mut Book, id: u32, topic: &str, payload: &Payload<'_>) -> Vec<String> {
        if let Some(prefix) = topic.strip_suffix("/online") {
            if let (Some(dev), Some(is_there)) = (device(book, prefix), text::flag(&payload.text())) {
                let there = match is_there {
                    true => There::Online,
                    false if self.sleepers.contains(prefix) => There::Asleep,
                    false => There::Offline(String::new()),
                };
                book.say(dev, topic, there);
            }
            return Vec::new();
        }
        let (Some((prefix, rest)), Some(Json::Object(fields))) = (split(topic), payload.json()) else {
            return Vec::new();
        };
        let Some(dev) = device(book, prefix) else { return Vec::new() };
        let is_new = !self.prefixes.contains(prefix) && self.prefixes.len() < MAX_PREFIXES;
        if is_new {
            self.prefixes.insert(prefix.to_owned());
        }
        let wakes = [fields.get("wakeup_period"), payload.json().and_then(|json| json.pointer(WAKES))];
        let is_sleeper = wakes.into_iter().flatten().filter_map(Json::as_u64).any(|seconds| seconds > 0);
        if is_sleeper && self.prefixes.contains(prefix) {
            self.sleepers.insert(prefix.to_owned());
        }
        match rest.strip_prefix("status/") {
            Some(component) => status(book, dev, id, prefix, component, fields),
            None => event(book, dev, id, prefix, fields),
        }
        if is_new {
            vec![format!("{prefix}/online"), format!("{prefix}/debug/"), format!("{prefix}/command")]
        } else {
            Vec::new()
        }
    }
}

fn device(book: &mut Book, prefix: &str) -> Option<Dev> {
    let dev = book.device(Rank::Shape, &[&format!("shelly2:{prefix}")], prefix)?;
    let name = prefix.strip_prefix("shellies/").unwrap_or(prefix);
    book.describe(dev, Rank::Shape, name, "", &[("manufacturer", "Shelly"), ("topic", prefix)]);
    if name.len() < prefix.len() {
        // What was taken for one of the first generation, by its presence alone.
        book.add_weak_key(dev, &format!("shelly1:{name}"));
    }
    if let Some((model, address)) = prefix.rsplit_once('-')
        && let Some(mac) = mac(address)
    {
        book.describe(
            dev,
            Rank::Shape,
            "",
            "",
            &[("model", model.rsplit('/').next().unwrap_or(model)), ("mac", &mac)],
        );
        book.add_weak_key(dev, &format!("mac:{mac}"));
    }
    Some(dev)
}

fn event(book: &mut Book, dev: Dev, id: u32, prefix: &str, fields: &Map<String, Json>) {
    let Some(params) = fields.get("params").and_then(Json::as_object) else { return };
    if let Some(source) = fields.get("src").and_then(Json::as_str)
        && source != prefix
        && let Some((model, address)) = source.rsplit_once('-')
        && let Some(mac) = mac(address)
    {
        book.describe(dev, Rank::Shape, "", "", &[("model", model), ("mac", &mac)]);
        book.add_weak_key(dev, &format!("mac:{mac}"));
    }
    book.at = json::number(params.get("ts"))
        .map(|seconds| WallMs((seconds * 1e3) as i64))
        .filter(|at| *at > WallMs(978_307_200_000));
    for (component, fields) in params {
        if let Some(fields) = fields.as_object() {
            status(book, dev, id, prefix, component, fields);
        }
    }
    for event in params.get("events").and_then(Json::as_array).into_iter().flatten().take(16) {
        let text = |name: &str| event.get(name).and_then(Json::as_str).unwrap_or_default();
        let (component, what) = (text("component"), text("event"));
        if !component.is_empty() && !what.is_empty() {
            let name = format!("{} event", title(component));
            book.read(dev, &format!("{component}.event"), id, text::text(what), || {
                Metric::new(named(&name), MetricType::Text)
            });
        }
    }
}

/// `switch:0` is *Switch 0*.
fn title(component: &str) -> String {
    let (name, number) = component.split_once(':').unwrap_or((component, ""));
    // A sensor's own is its only one; further ones are wired to it.
    let is_own = matches!(
        name,
        "temperature" | "humidity" | "devicepower" | "illuminance" | "smoke" | "flood" | "presence"
    );
    let number = if is_own && number == "0" { "" } else { number };
    let name = match name {
        "em" | "em1" | "pm1" | "emdata" | "em1data" => "Meter".to_owned(),
        // What it measures says it all.
        "devicepower" => String::new(),
        "temperature" | "humidity" | "illuminance" | "voltmeter" if number.is_empty() => String::new(),
        "bthomedevice" => "Bluetooth device".to_owned(),
        "blutrv" => "Radiator valve".to_owned(),
        "wifi" => "Wi-Fi".to_owned(),
        "sys" => "System".to_owned(),
        "rgb" | "rgbw" | "cct" | "rgbcct" => "Light".to_owned(),
        "bthomesensor" => "Sensor".to_owned(),
        other => words_of(other),
    };
    if number.is_empty() { name } else { format!("{name} {number}").trim().to_owned() }
}

/// The name and unit of a field; `None` for those that are no readings.
/// Long: one arm for each field.
fn field(component: &str, path: &str) -> Option<(String, &'static str)> {
    let kind = component.split_once(':').map_or(component, |(kind, _)| kind);
    let known = match (kind, path) {
        ("sys", "uptime") => ("uptime", "s"),
        ("wifi", "rssi") => ("signal", "dBm"),
        (
            "sys" | "wifi" | "mqtt" | "cloud" | "ws" | "ble" | "eth" | "bthome" | "knx" | "matter" | "script"
            | "ui" | "modbus",
            _,
        ) => return None,
        (
            _,
            "id"
            | "source"
            | "tag"
            | "minute_ts"
            | "temperature.tF"
            | "tF"
            | "timer_started_at"
            | "timer_duration"
            | "pos_control"
            | "packet_id"
            | "flags"
            | "calibration"
            | "errors"
            | "schedules.enable"
            | "calibration.progress",
        ) => return None,
        ("group", _) => return None,
        (_, path) if path.contains("by_minute") || path.contains("_ts") || path.contains("transition") => {
            return None;
        }
        ("temperature", "tC") if !title(component).is_empty() => ("", "°C"),
        ("humidity", "rh") if !title(component).is_empty() => ("", "%"),
        (_, "rssi") => ("signal", "dBm"),
        (_, "external.present") => ("external power", ""),
        (_, "battery") => ("battery", "%"),
        (_, "rgb") => ("colour", ""),
        (_, "slat_pos") => ("slat position", "%"),
        (_, "target_pos") => ("target position", "%"),
        (_, "pos") => ("position", "%"),
        (_, "apower" | "act_power") => ("power", "W"),
        (_, "aprt_power") => ("apparent power", "VA"),
        (_, "voltage") => ("voltage", "V"),
        (_, "current") => ("current", "A"),
        (_, "freq") => ("frequency", "Hz"),
        (_, "pf") => ("power factor", ""),
        (_, "aenergy.total" | "total_act" | "total_act_energy") => ("energy", "Wh"),
        (_, "ret_aenergy.total" | "total_act_ret" | "total_act_ret_energy") => ("returned energy", "Wh"),
        (_, "temperature.tC" | "tC") => ("temperature", "°C"),
        (_, "rh") => ("humidity", "%"),
        (_, "lux") => ("illuminance", "lx"),
        (_, "battery.percent") => ("battery", "%"),
        (_, "battery.V") => ("battery voltage", "V"),
        (_, "current_pos") => ("position", "%"),
        ("light" | "rgb" | "rgbw" | "cct", "brightness") => ("brightness", "%"),
        (_, "ct") => ("colour temperature", "K"),
        ("switch" | "light" | "rgb" | "rgbw" | "cct", "output") | ("cover" | "input", "state") => ("", ""),
        (_, "percent") => ("level", "%"),
        (_, "current_C") => ("temperature", "°C"),
        (_, "target_C") => ("target temperature", "°C"),
        (_, "value") => ("", ""),
        (_, "counts.on_time") => ("time on", "s"),
        (_, path) => {
            // Phases of a meter.
            let phase =
                path.split_once('_').filter(|(phase, _)| matches!(*phase, "a" | "b" | "c" | "n" | "total"));
            let (start, rest) = phase.unwrap_or(("", path));
            let unit = match rest {
                "current" => "A",
                "voltage" => "V",
                "act_power" => "W",
                "aprt_power" => "VA",
                "freq" => "Hz",
                "total_act_energy" | "total_act_ret_energy" | "act" | "act_ret" => "Wh",
                _ => "",
            };
            let words = match rest {
                "act_power" => "power".to_owned(),
                "aprt_power" => "apparent power".to_owned(),
                "pf" => "power factor".to_owned(),
                "total_act_energy" | "act" => "energy".to_owned(),
                "total_act_ret_energy" | "act_ret" => "returned energy".to_owned(),
                other => words_of(&other.replace('.', " ")).to_lowercase(),
            };
            let start = if start.is_empty() || start == "total" {
                start.to_owned()
            } else {
                format!("phase {}", start.to_uppercase())
            };
            return Some((shown(&format!("{} {} {words}", title(component), start)), unit));
        }
    };
    Some((shown(&format!("{} {}", title(component), known.0)), known.1))
}

/// A name of some words: one blank between them, the first with a capital letter.
fn shown(name: &str) -> String {
    let words: Vec<&str> = name.split_whitespace().collect();
    let name = words.join(" ");
    let mut chars = name.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

fn status(book: &mut Book, dev: Dev, id: u32, prefix: &str, component: &str, fields: &Map<String, Json>) {
    match component {
        "sys" => about(book, dev, fields, &[("mac", "mac")]),
        "wifi" => about(book, dev, fields, &[("sta_ip", "ip"), ("ssid", "network")]),
        "eth" => about(book, dev, fields, &[("ip", "ip")]),
        _ => {}
    }
    if let Some(Json::Array(parts)) = fields.get("rgb") {
        let parts: Vec<f64> = parts.iter().filter_map(Json::as_f64).collect();
        if let [red, green, blue] = parts[..] {
            let key = format!("{component}.rgb");
            control(book, dev, id, prefix, component, "rgb", &key, "");
            book.read(dev, &key, id, hex(red, green, blue), || {
                Metric::new(named("Colour"), MetricType::Text)
            });
        }
    }
    for (name, json) in fields.iter().filter(|(name, _)| *name != "rgb") {
        json::flatten(json, ".", &mut |path, value| {
            let path = if path.is_empty() { name.clone() } else { format!("{name}.{path}") };
            let Some((shown, unit)) = field(component, &path) else { return };
            let Some(value) = json::scalar(value) else { return };
            let key = format!("{component}.{path}");
            control(book, dev, id, prefix, component, &path, &key, unit);
            book.read(dev, &key, id, value.clone(), || guessed(named(&shown), &value, unit));
        });
    }
}

fn about(book: &mut Book, dev: Dev, fields: &Map<String, Json>, names: &[(&str, &'static str)]) {
    for (field, attribute) in names {
        if let Some(text) = fields.get(*field).and_then(json::string) {
            book.describe(dev, Rank::Own, "", "", &[(*attribute, &text)]);
        }
    }
}

/// Declares what can be set.
///
/// Long: one arm for each field.
#[allow(clippy::too_many_arguments, reason = "what names one field of one component")]
fn control(
    book: &mut Book,
    dev: Dev,
    id: u32,
    prefix: &str,
    component: &str,
    path: &str,
    key: &str,
    unit: &str,
) {
    let (kind, number) = component.split_once(':').unwrap_or((component, "0"));
    let is_known = book.get(dev).is_none_or(|device| device.find(key).is_some());
    let number: u32 = number.parse().unwrap_or(0);
    if is_known {
        return;
    }
    let name = field(component, path).map(|(name, _)| name).unwrap_or_default();
    let method = match kind {
        "switch" => "Switch",
        "light" => "Light",
        "rgb" => "RGB",
        "rgbw" => "RGBW",
        "cct" => "CCT",
        "cover" => "Cover",
        "boolean" => "Boolean",
        "number" => "Number",
        "text" => "Text",
        "thermostat" => "Thermostat",
        _ => return,
    };
    let limit = |low: f64, high: f64| (Some(Number::from(low)), Some(Number::from(high)));
    let (mut metric, param) = match (kind, path) {
        ("switch" | "light" | "rgb" | "rgbw" | "cct", "output") => {
            (Metric::new(named(&name), MetricType::Flag), "on")
        }
        ("light" | "rgb" | "rgbw" | "cct", "brightness") => {
            let mut metric = Metric::new(named(&name), MetricType::Number);
            (metric.min, metric.max) = limit(0.0, 100.0);
            (metric, "brightness")
        }
        ("rgbw", "white") => {
            let mut metric = Metric::new(named(&name), MetricType::Number);
            (metric.min, metric.max) = limit(0.0, 255.0);
            (metric, "white")
        }
        ("cct", "ct") => (Metric::new(named(&name), MetricType::Number), "ct"),
        ("rgb" | "rgbw", "rgb") => {
            let mut metric = Metric::new(named(&name), MetricType::Text);
            metric.control = Some(Control::Colour);
            (metric, "rgb")
        }
        ("cover", "current_pos") => {
            let mut metric = Metric::new(named(&name), MetricType::Number);
            (metric.min, metric.max) = limit(0.0, 100.0);
            (metric, "pos")
        }
        ("cover", "state") => {
            let mut metric = Metric::new(named(&name), MetricType::Enum);
            metric.options = ["open", "closed", "stopped"].map(str::to_owned).to_vec();
            metric.control = Some(Control::Cover);
            (metric, "state")
        }
        ("thermostat", "target_C") => {
            let mut metric = Metric::new(named(&name), MetricType::Number);
            metric.control = Some(Control::Setpoint);
            (metric, "target_C")
        }
        ("boolean", "value") => (Metric::new(named(&name), MetricType::Flag), "value"),
        ("number", "value") => (Metric::new(named(&name), MetricType::Number), "value"),
        ("text", "value") => (Metric::new(named(&name), MetricType::Text), "value"),
        _ => return,
    };
    unit.clone_into(&mut metric.unit);
    book.put_metric(dev, key, id, metric);
    book.command(dev, key, true, command(prefix, method, number, param));
}

fn command(prefix: &str, method: &'static str, number: u32, param: &'static str) -> Command {
    let topic = format!("{prefix}/rpc");
    std::sync::Arc::new(move |_, now, value| {
        let mut params = json!({"id": number});
        let mut verb = "Set";
        match (method, param, value) {
            ("Cover", "state", Value::Text(word)) => {
                verb = match &**word {
                    "open" => "Open",
                    "closed" => "Close",
                    _ => "Stop",
                };
            }
            ("Cover", ..) => {
                verb = "GoToPosition";
                params["pos"] = json_of(value);
            }
            ("Thermostat", ..) => {
                verb = "SetConfig";
                params = json!({"id": number, "config": {"id": number, "target_C": json_of(value)}});
            }
            (_, "rgb", value) => params["rgb"] = json!(rgb(value)?),
            _ => params[param] = json_of(value),
        }
        let request = json!({"id": now.boot_ms.0, "src": "duplex", "method": format!("{method}.{verb}"), "params": params});
        Ok(vec![Outgoing::new(topic.as_str(), request.to_string())])
    })
}
