//! Zigbee2MQTT: `BASE/bridge/…` says which devices there are and what they expose, `BASE/NAME` is a device's state.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use serde_json::{Map, Value as Json, json};

use crate::mapping::mqtt::book::{Book, Dev, Rank, guessed, named};
use crate::mapping::mqtt::change::{Outgoing, There};
use crate::mapping::mqtt::ha::{colour_of, words_of};
use crate::mapping::mqtt::template::Payload;
use crate::mapping::mqtt::topics::Topics;
use crate::mapping::mqtt::{general, json, levels, text};
use crate::model::device::{Control, Metric, MetricType, Value};
use crate::model::number::Number;

/// The base topic unless somebody chose another.
const BASE: &str = "zigbee2mqtt";
/// Maximum number of bases, and of devices of one.
const MAX_BASES: usize = 16;
const MAX_DEVICES: usize = 2_000;
/// Maximum number of properties that a device exposes.
const MAX_EXPOSES: usize = 200;
/// The source that says whether the bridge is there.
const BRIDGE: &str = "bridge";

/// What a property is.
#[derive(Clone, Debug, PartialEq)]
struct Expose {
    property: String,
    metric: Metric,
    /// Payloads of on and off, or of the options.
    words: Vec<(Json, Value)>,
    is_read: bool,
}

struct Device {
    dev: Dev,
    exposes: Vec<Expose>,
}

#[derive(Default)]
struct Base {
    devices: HashMap<String, Device, RandomState>,
    described: u64,
    grouped: u64,
    bridge: There,
}

/// See the module.
#[derive(Default)]
pub(super) struct Zigbee {
    bases: HashMap<String, Base, RandomState>,
}

fn split(topic: &str) -> Option<(&str, &str)> {
    let at = topic.find("/bridge/")?;
    Some((&topic[..at], &topic[at + "/bridge/".len()..]))
}

impl Zigbee {
    /// Whether it reads a topic.
    pub fn takes(&self, topic: &str, payload: &Payload<'_>) -> bool {
        if let Some((base, rest)) = split(topic) {
            let is_list = || matches!(payload.json(), Some(Json::Array(items)) if items.iter().all(|item| item.get("friendly_name").is_some()));
            return base == BASE
                || self.bases.contains_key(base)
                || matches!(rest, "devices" | "groups" | "config/devices") && is_list()
                || rest == "info" && payload.json().is_some_and(|json| json.get("coordinator").is_some());
        }
        if topic.strip_prefix(BASE).is_some_and(|rest| rest.starts_with('/')) {
            return true;
        }
        let base = self.bases.iter().find_map(|(base, known)| {
            let rest = topic.strip_prefix(base.as_str())?.strip_prefix('/')?;
            Some((known, rest))
        });
        base.is_some_and(|(base, rest)| {
            base.device(rest).is_some()
                || payload.json().is_some_and(|json| json.get("linkquality").is_some())
        })
    }

    /// Reads a message. Returns what the topics begin with that are explained from now on.
    pub fn receive(
        &mut self,
        book: &mut Book,
        topics: &mut Topics,
        id: u32,
        topic: &str,
        payload: &Payload<'_>,
    ) -> Vec<String> {
        if let Some((name, rest)) = split(topic) {
            return self.bridge(book, topics, name, rest, payload);
        }
        let known = self
            .bases
            .iter_mut()
            .filter(|(base, _)| topic.starts_with(base.as_str()))
            .max_by_key(|(base, _)| base.len());
        let (name, base) = match known {
            Some((name, base)) => (name.clone(), base),
            None => (BASE.to_owned(), self.bases.entry(BASE.to_owned()).or_default()),
        };
        let Some(rest) = topic.strip_prefix(name.as_str()).and_then(|rest| rest.strip_prefix('/')) else {
            return Vec::new();
        };
        base.device_says(book, id, &name, rest, payload);
        Vec::new()
    }

    fn bridge(
        &mut self,
        book: &mut Book,
        topics: &mut Topics,
        name: &str,
        rest: &str,
        payload: &Payload<'_>,
    ) -> Vec<String> {
        if !self.bases.contains_key(name) && self.bases.len() >= MAX_BASES {
            return Vec::new();
        }
        let base = self.bases.entry(name.to_owned()).or_default();
        match rest {
            "state" => {
                let Some(is_there) = general::presence("state", payload) else { return Vec::new() };
                base.bridge =
                    if is_there { There::Online } else { There::Offline("the bridge is offline".to_owned()) };
                if let Some(dev) = bridge_device(book, name) {
                    book.say(dev, BRIDGE, base.bridge.clone());
                }
                for device in base.devices.values() {
                    device.dev_says(book, &base.bridge);
                }
                Vec::new()
            }
            "devices" | "config/devices" => {
                let hash = text::hash(&payload.text());
                if std::mem::replace(&mut base.described, hash) == hash {
                    return Vec::new();
                }
                let Some(Json::Array(items)) = payload.json() else { return Vec::new() };
                base.list(book, topics, name, items, false);
                vec![format!("{name}/")]
            }
            "groups" => {
                let hash = text::hash(&payload.text());
                if std::mem::replace(&mut base.grouped, hash) == hash {
                    return Vec::new();
                }
                let Some(Json::Array(items)) = payload.json() else { return Vec::new() };
                base.list(book, topics, name, items, true);
                vec![format!("{name}/")]
            }
            "info" => {
                let Some(json) = payload.json() else { return Vec::new() };
                let version = json.get("version").and_then(json::string).unwrap_or_default();
                let coordinator =
                    json.pointer("/coordinator/type").and_then(json::string).unwrap_or_default();
                if let Some(dev) = bridge_device(book, name) {
                    book.describe(
                        dev,
                        Rank::Told,
                        "",
                        "",
                        &[("firmware", &version), ("coordinator", &coordinator)],
                    );
                }
                Vec::new()
            }
            _ => Vec::new(),
        }
    }
}

fn bridge_device(book: &mut Book, base: &str) -> Option<Dev> {
    let key = format!("z2m-bridge:{base}");
    let is_new = book.by_key(&key).is_none();
    let dev = book.device(Rank::Told, &[&key], &format!("{base}/bridge"))?;
    if is_new {
        let title =
            if base == BASE { "Zigbee2MQTT bridge".to_owned() } else { format!("Zigbee2MQTT bridge {base}") };
        book.describe(dev, Rank::Told, &title, "bridge", &[("topic", base)]);
        book.hold(dev, 1);
    }
    Some(dev)
}

impl Device {
    fn dev_says(&self, book: &mut Book, bridge: &There) {
        match bridge {
            There::Offline(_) => book.say(self.dev, BRIDGE, bridge.clone()),
            // That the bridge is there says nothing of its devices.
            _ => book.unsay(self.dev, BRIDGE),
        }
    }
}

impl Base {
    /// The device that a topic below the base belongs to, and what follows its name.
    fn device<'a>(&self, rest: &'a str) -> Option<(&'a str, &'a str)> {
        if self.devices.contains_key(rest) {
            return Some((rest, ""));
        }
        // Names may hold slashes: the longest wins.
        rest.rmatch_indices('/').find_map(|(at, _)| {
            let (name, more) = (&rest[..at], &rest[at + 1..]);
            self.devices.contains_key(name).then_some((name, more))
        })
    }

    /// The devices or groups that a bridge lists.
    fn list(&mut self, book: &mut Book, topics: &mut Topics, base: &str, items: &[Json], are_groups: bool) {
        let mut listed: Vec<String> = Vec::new();
        for item in items.iter().take(MAX_DEVICES) {
            let text = |name: &str| item.get(name).and_then(json::string).unwrap_or_default().into_owned();
            let name = text("friendly_name");
            if text("type") == "Coordinator" {
                if let Some(dev) = bridge_device(book, base) {
                    book.describe(dev, Rank::Told, "", "", &[("ieee address", &text("ieee_address"))]);
                }
                continue;
            }
            if name.is_empty() {
                continue;
            }
            let found =
                if are_groups { group(book, base, &name, item) } else { device(book, base, &name, item) };
            let Some((dev, exposes)) = found else { continue };
            let topic = format!("{base}/{name}");
            let id = topics.id(&topic).unwrap_or(crate::mapping::mqtt::book::NO_TOPIC);
            topics.note(id, &[dev]);
            let is_known = self.devices.insert(name.clone(), Device { dev, exposes }).is_some();
            if !is_known {
                book.hold(dev, 1);
            }
            if let Some(device) = self.devices.get(&name) {
                if !topics.is_explained(&topic) {
                    device.exposes.iter().for_each(|expose| describe(book, dev, id, &topic, expose));
                }
                device.dev_says(book, &self.bridge);
            }
            listed.push(name);
        }
        let is_of_list = |name: &String, dev: Dev| {
            let is_group = book
                .get(dev)
                .is_some_and(|device| device.keys.iter().any(|key| key.starts_with("z2m-group:")));
            is_group == are_groups && !listed.contains(name)
        };
        let gone: Vec<String> = self
            .devices
            .iter()
            .filter(|(name, device)| is_of_list(name, device.dev))
            .map(|(name, _)| name.clone())
            .collect();
        for name in gone {
            if let Some(device) = self.devices.remove(&name) {
                // Renamed ones are still listed, under another name.
                let stays =
                    self.devices.values().any(|other| book.resolved(other.dev) == book.resolved(device.dev));
                if !stays {
                    device.exposes.iter().for_each(|expose| {
                        book.remove_metric(device.dev, &format!("z2m.{}", expose.property))
                    });
                }
                book.hold(device.dev, -1);
                if !stays && book.get(device.dev).is_some_and(|device| device.held <= 0) {
                    book.remove(device.dev);
                }
            }
        }
    }

    fn device_says(&mut self, book: &mut Book, id: u32, base: &str, rest: &str, payload: &Payload<'_>) {
        let (name, more) = match self.device(rest) {
            Some((name, more)) => (name.to_owned(), more),
            None => match rest.rsplit_once('/') {
                Some((name, "availability")) => (name.to_owned(), "availability"),
                Some((name, "set" | "get")) => (name.to_owned(), "set"),
                _ => (rest.to_owned(), ""),
            },
        };
        if matches!(more.rsplit('/').next(), Some("set" | "get"))
            || more.starts_with("set/")
            || more.starts_with("get/")
        {
            return;
        }
        let is_object = matches!(payload.json(), Some(Json::Object(_)));
        if more.is_empty() && !is_object {
            return;
        }
        if !self.devices.contains_key(&name) && self.devices.len() >= MAX_DEVICES {
            return;
        }
        if !self.devices.contains_key(&name) {
            let key = format!("z2m:{base}/{name}");
            let ieee = format!("ieee:{name}");
            let keys = if name.starts_with("0x") { vec![key.as_str(), &ieee] } else { vec![key.as_str()] };
            let Some(dev) = book.device(Rank::Shape, &keys, &name) else { return };
            book.describe(dev, Rank::Shape, &name, "", &[]);
            let device = Device { dev, exposes: Vec::new() };
            device.dev_says(book, &self.bridge);
            self.devices.insert(name.clone(), device);
        }
        let Some(device) = self.devices.get(&name) else { return };
        let topic = format!("{base}/{name}");
        match (more, payload.json()) {
            ("availability", _) => {
                if let Some(is_there) = general::presence("state", payload) {
                    let there = if is_there { There::Online } else { There::Offline(String::new()) };
                    book.say(device.dev, "availability", there);
                }
            }
            ("", Some(Json::Object(fields))) => device.state(book, id, &topic, fields),
            ("", _) => {}
            (property, json) => {
                // One topic for each property.
                let value = json.cloned().unwrap_or_else(|| Json::String(payload.text().into_owned()));
                device.state(book, id, &topic, &Map::from_iter([(property.replace('/', "_"), value)]));
            }
        }
    }
}

impl Device {
    fn state(&self, book: &mut Book, id: u32, topic: &str, fields: &Map<String, Json>) {
        book.at = fields.get("last_seen").and_then(general::moment);
        let mode = fields.get("color_mode").and_then(Json::as_str);
        for (property, value) in fields.iter().take(json::MAX_FIELDS) {
            if matches!(property.as_str(), "last_seen" | "device" | "elapsed" | "color_mode")
                || levels::is_secret(property)
            {
                continue;
            }
            // An empty action is the end of one.
            if property == "action" && value.as_str().is_none_or(str::is_empty) {
                continue;
            }
            // What was set last, not what is shown now.
            let is_stale = property == "color_temp" && mode.is_some_and(|mode| mode != "color_temp");
            let value = if is_stale { &Json::Null } else { value };
            match self.exposes.iter().find(|expose| expose.property == *property) {
                Some(expose) if expose.is_read => {
                    let known =
                        expose.words.iter().find(|(word, _)| word == value).map(|(_, value)| value.clone());
                    let Some(value) = known.or_else(|| plain(value, expose.metric.kind)) else { continue };
                    declare(book, self.dev, id, topic, expose);
                    book.read(self.dev, &format!("z2m.{property}"), id, value, || expose.metric.clone());
                }
                Some(_) => {}
                None => self.unknown(book, id, topic, property, value),
            }
        }
    }

    /// A property that the device was not said to expose.
    fn unknown(&self, book: &mut Book, id: u32, topic: &str, property: &str, value: &Json) {
        if property == "color" || property.starts_with("color_") && value.is_object() {
            if let Some(value) = colour_of(value) {
                book.read(self.dev, &format!("z2m.{property}"), id, value.clone(), || {
                    guessed(named("Colour"), &value, "")
                });
            }
            return;
        }
        json::flatten(value, ".", &mut |path, value| {
            // Whole texts about new firmware, and where it is.
            if property == "update" && (path.starts_with("latest_release") || path == "latest_source") {
                return;
            }
            // Some wrap a property in itself.
            let is_whole = path.is_empty() || path == property;
            let path = if is_whole { property.to_owned() } else { format!("{property}.{path}") };
            let value = match value {
                // Of firmware that does not say its version.
                Json::Number(number) if path.ends_with("_version") && number.as_i64() == Some(-1) => {
                    Value::Missing
                }
                Json::String(word) if property == "state" => {
                    text::flag(word).map_or_else(|| text::text(word), Value::Flag)
                }
                other => match json::reading(other) {
                    Some(value) => value,
                    None => return,
                },
            };
            let key = format!("z2m.{path}");
            let unit = unit_of(&path, &value);
            book.read(self.dev, &key, id, value.clone(), || {
                guessed(named(&words_of(&path.replace('.', " "))), &value, unit)
            });
            if property == "state" && matches!(value, Value::Flag(_)) {
                book.command(
                    self.dev,
                    &key,
                    true,
                    set(
                        topic,
                        "state",
                        vec![(json!("ON"), Value::Flag(true)), (json!("OFF"), Value::Flag(false))],
                    ),
                );
            }
        });
    }
}

/// The unit of a property that no bridge described: Zigbee2MQTT gives each name one meaning.
fn unit_of(property: &str, value: &Value) -> &'static str {
    let number = match value {
        Value::Text(_) | Value::Flag(_) => return "",
        value => value.as_chart().unwrap_or_default(),
    };
    match property {
        "temperature" | "local_temperature" | "device_temperature" | "soil_temperature" | "dew_point" => "°C",
        name if name.ends_with("_setpoint") || name.ends_with("_temperature_calibration") => "°C",
        "humidity" | "soil_moisture" | "battery" | "pi_heating_demand" | "position" | "update.progress" => {
            "%"
        }
        "pressure" => "hPa",
        "illuminance" | "illuminance_lux" => "lx",
        "power" => "W",
        "energy" => "kWh",
        "current" => "A",
        // Of a battery, or of the mains.
        "voltage" => {
            if number >= 1_000.0 {
                "mV"
            } else {
                "V"
            }
        }
        "co2" => "ppm",
        "pm25" | "pm10" => "µg/m³",
        "linkquality" => "lqi",
        "color_temp" => "mired",
        "update.remaining" => "s",
        _ => "",
    }
}

fn plain(value: &Json, kind: MetricType) -> Option<Value> {
    match (value, kind) {
        (Json::Object(_), _) => colour_of(value).or_else(|| Some(text::text(&value.to_string()))),
        (Json::Array(_), _) => Some(text::text(&value.to_string())),
        (_, MetricType::Number) => json::reading(value),
        (Json::Bool(_) | Json::Number(_), MetricType::Enum | MetricType::Text) => {
            Some(text::text(&value.to_string()))
        }
        _ => json::scalar(value),
    }
}

fn declare(book: &mut Book, dev: Dev, id: u32, topic: &str, expose: &Expose) {
    let key = format!("z2m.{}", expose.property);
    if book.get(dev).is_some_and(|device| device.find(&key).is_none()) {
        describe(book, dev, id, topic, expose);
    }
}

fn describe(book: &mut Book, dev: Dev, id: u32, topic: &str, expose: &Expose) {
    let key = format!("z2m.{}", expose.property);
    book.put_metric(dev, &key, id, expose.metric.clone());
    if expose.metric.writable {
        book.command(dev, &key, expose.is_read, set(topic, &expose.property, expose.words.clone()));
    }
}

/// Sets a property of the device with this topic.
fn set(topic: &str, property: &str, words: Vec<(Json, Value)>) -> crate::mapping::mqtt::book::Command {
    let (topic, property) = (format!("{topic}/set"), property.to_owned());
    std::sync::Arc::new(move |_, _, value| {
        let known = words.iter().find(|(_, shown)| shown == value).map(|(word, _)| word.clone());
        let plain = || match value {
            Value::Text(colour) if property.starts_with("color") && colour.starts_with('#') => {
                json!({"hex": colour.as_ref()})
            }
            other => crate::mapping::mqtt::ha::json_of(other),
        };
        let payload = json!({property.as_str(): known.unwrap_or_else(plain)});
        Ok(vec![Outgoing::new(topic.as_str(), payload.to_string())])
    })
}

fn group(book: &mut Book, base: &str, name: &str, item: &Json) -> Option<(Dev, Vec<Expose>)> {
    let number = item.get("id").and_then(json::string).unwrap_or_default();
    let (key, own) = (format!("z2m:{base}/{name}"), format!("z2m-group:{base}/{number}"));
    let dev = book.device(Rank::Told, &[&own, &key], &format!("{base}/{name}"))?;
    let members = item.get("members").and_then(Json::as_array).map_or(0, Vec::len).to_string();
    book.describe(dev, Rank::Told, name, "group", &[("members", &members)]);
    Some((dev, Vec::new()))
}

fn device(book: &mut Book, base: &str, name: &str, item: &Json) -> Option<(Dev, Vec<Expose>)> {
    let text = |path: &str| item.pointer(path).and_then(json::string).unwrap_or_default().into_owned();
    let address = [text("/ieee_address"), text("/ieeeAddr")]
        .into_iter()
        .find(|address| !address.is_empty())
        .unwrap_or_default();
    let (key, ieee) = (format!("z2m:{base}/{name}"), format!("ieee:{address}"));
    let dev = book.device(Rank::Told, &[&ieee, &key], if address.is_empty() { name } else { &address })?;
    let definition = item.get("definition").filter(|definition| definition.is_object());
    let exposes = definition.and_then(|definition| definition.get("exposes")).and_then(Json::as_array);
    let kinds = ["climate", "cover", "fan", "light", "lock", "switch"];
    let types: Vec<&str> =
        exposes.into_iter().flatten().filter_map(|expose| expose.get("type")?.as_str()).collect();
    let kind = kinds.into_iter().find(|kind| types.contains(kind)).unwrap_or(if exposes.is_some() {
        "sensor"
    } else {
        ""
    });
    let vendor = [text("/definition/vendor"), text("/vendor")]
        .into_iter()
        .find(|text| !text.is_empty())
        .unwrap_or_default();
    let model = [text("/definition/model"), text("/model"), text("/model_id")]
        .into_iter()
        .find(|text| !text.is_empty())
        .unwrap_or_default();
    let supported = if item.get("supported") == Some(&Json::Bool(false)) { "no" } else { "" };
    book.describe(
        dev,
        Rank::Told,
        name,
        kind,
        &[
            ("manufacturer", &vendor),
            ("model", &model),
            ("description", &text("/definition/description")),
            ("power", &text("/power_source")),
            ("firmware", &text("/software_build_id")),
            ("supported", supported),
        ],
    );
    let mut found = Vec::new();
    for expose in exposes.into_iter().flatten() {
        read_expose(expose, expose, &mut found);
    }
    Some((dev, found))
}

/// What an item of `exposes` and its features describe. `outer`: the item that it is a feature of.
fn read_expose(expose: &Json, outer: &Json, found: &mut Vec<Expose>) {
    let text = |name: &str| expose.get(name).and_then(Json::as_str).unwrap_or_default();
    let (kind, property) = (text("type"), text("property"));
    if found.len() >= MAX_EXPOSES {
        return;
    }
    let features = expose.get("features").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    let name = text("name");
    if kind == "composite" && !name.starts_with("color_") {
        // Its parts are read one by one; what can only be set as a whole is no reading.
        return;
    }
    if kind != "composite" && !features.is_empty() {
        features.iter().take(32).for_each(|feature| read_expose(feature, expose, found));
        return;
    }
    if property.is_empty() || found.iter().any(|known| known.property == property) {
        return;
    }
    let access = expose.get("access").and_then(Json::as_u64).unwrap_or(1);
    let is_colour = kind == "composite";
    // The state of a child lock is not the state of the device.
    let is_part = expose.get("endpoint").is_some() || name == "state" && property != "state";
    let label = match (text("label"), is_part || text("label").is_empty()) {
        (label, false) => label.to_owned(),
        _ => words_of(property),
    };
    let label = if is_colour { words_of(&property.replace("color", "colour")) } else { label };
    let (kind, words) = kind_of(expose, outer, is_colour);
    let number = |name: &str| json::number(expose.get(name)).map(Number::from);
    let mut metric = Metric::new(named(&label), kind);
    metric.unit = text("unit").to_owned();
    (metric.min, metric.max, metric.step) = (number("value_min"), number("value_max"), number("value_step"));
    metric.options = match kind {
        MetricType::Enum => words
            .iter()
            .filter_map(
                |(_, value)| if let Value::Text(text) = value { Some(text.to_string()) } else { None },
            )
            .collect(),
        _ => Vec::new(),
    };
    let is_lock = outer.get("type").and_then(Json::as_str) == Some("lock");
    let is_list = expose.get("type").and_then(Json::as_str) == Some("list");
    let (is_read, is_set) = (
        access & 1 != 0 || access & 4 != 0 || is_colour,
        access & 2 != 0 && !is_list
            || is_colour
                && features
                    .iter()
                    .any(|f| f.get("access").and_then(Json::as_u64).is_some_and(|access| access & 2 != 0)),
    );
    metric.writable = is_set;
    metric.write_only = is_set && !is_read;
    metric.risky = is_set && is_lock && property == "state";
    metric.control = control_of(outer, name, is_colour);
    found.push(Expose { property: property.to_owned(), metric, words, is_read });
}

fn control_of(outer: &Json, name: &str, is_colour: bool) -> Option<Control> {
    match outer.get("type").and_then(Json::as_str) {
        _ if is_colour => Some(Control::Colour),
        Some("cover") if name == "state" => Some(Control::Cover),
        Some("climate") if name.contains("setpoint") => Some(Control::Setpoint),
        Some("climate" | "fan") if name.ends_with("mode") => Some(Control::Mode),
        _ => None,
    }
}

fn kind_of(expose: &Json, outer: &Json, is_colour: bool) -> (MetricType, Vec<(Json, Value)>) {
    let is_lock = outer.get("type").and_then(Json::as_str) == Some("lock");
    match expose.get("type").and_then(Json::as_str) {
        _ if is_colour => (MetricType::Text, Vec::new()),
        Some("binary") => {
            let word = |name: &str, default: bool| expose.get(name).cloned().unwrap_or(Json::Bool(default));
            let (on, off) = (word("value_on", true), word("value_off", false));
            if is_lock && expose.get("name").and_then(Json::as_str) == Some("state") {
                return (MetricType::Enum, vec![(on, text::text("locked")), (off, text::text("unlocked"))]);
            }
            (MetricType::Flag, vec![(on, Value::Flag(true)), (off, Value::Flag(false))])
        }
        Some("numeric") => (MetricType::Number, Vec::new()),
        Some("enum") => {
            let options =
                expose.get("values").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
            let words = options
                .iter()
                .take(256)
                .filter_map(|word| Some((word.clone(), text::text(&json::string(word)?))));
            (MetricType::Enum, words.collect())
        }
        _ => (MetricType::Text, Vec::new()),
    }
}
