//! Tasmota: `tasmota/discovery/MAC/…`, `tele/TOPIC/…` and `stat/TOPIC/…`, or with the prefix behind the topic.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;
use serde_json::{Map, Value as Json, json};

use crate::mapping::mqtt::book::{Book, Command, Dev, Rank, guessed, named};
use crate::mapping::mqtt::change::{Outgoing, There};
use crate::mapping::mqtt::ha::{hex, json_of, mac, rgb, word, words_of};
use crate::mapping::mqtt::template::Payload;
use crate::mapping::mqtt::{json, text};
use crate::model::device::{Control, Metric, MetricType, Value};
use crate::model::number::Number;

/// The same state comes as JSON and as text: within this time it is one, in milliseconds.
const ECHO_MS: u64 = 2_000;
/// Maximum number of devices that are discovered.
const MAX_DEVICES: usize = 4_000;
/// Telemetry by its last level.
const TELEMETRY: &[&str] = &[
    "LWT",
    "STATE",
    "SENSOR",
    "INFO1",
    "INFO2",
    "INFO3",
    "RESULT",
    "UPTIME",
    "ENERGY",
    "MARGINS",
    "EVENT",
    "HASS_STATE",
];

/// What discovery says of a device.
struct Found {
    dev: Dev,
    /// What its commands begin with.
    commands: String,
    /// Names of its relays.
    names: Vec<String>,
    online: String,
    offline: String,
}

/// See the module.
#[derive(Default)]
pub(super) struct Tasmota {
    /// By MAC address.
    found: HashMap<String, Found, RandomState>,
    /// MAC addresses by what topics begin with.
    prefixes: HashMap<String, String, RandomState>,
    /// What topics without `tele` and `stat` begin with.
    bare: HashSet<String, RandomState>,
}

/// Where a message is from: the device's topic, where its commands go, and the last level.
struct Place<'a> {
    topic: &'a str,
    commands: String,
    last: &'a str,
    is_state: bool,
}

fn place(topic: &str) -> Option<Place<'_>> {
    // Some begin all topics with a slash.
    let (slash, inner) = topic.strip_prefix('/').map_or(("", topic), |inner| ("/", inner));
    if let Some((prefix, rest)) = inner.split_once('/')
        && matches!(prefix, "tele" | "stat")
    {
        let (name, last) = rest.rsplit_once('/')?;
        return Some(Place {
            topic: name,
            commands: format!("{slash}cmnd/{name}/"),
            last,
            is_state: prefix == "stat",
        });
    }
    let (before, last) = topic.rsplit_once('/')?;
    let (name, prefix) = before.rsplit_once('/')?;
    let is_it = matches!(prefix, "tele" | "stat") && is_telemetry(last);
    is_it.then(|| Place { topic: name, commands: format!("{name}/cmnd/"), last, is_state: prefix == "stat" })
}

/// Whether a message is the state that only Tasmota sends.
fn is_own_state(last: &str, payload: &Payload<'_>) -> bool {
    let has = |fields: &Map<String, Json>| ["Uptime", "Wifi"].iter().all(|name| fields.contains_key(*name));
    last == "STATE" && payload.json().and_then(Json::as_object).is_some_and(has)
}

fn is_telemetry(last: &str) -> bool {
    TELEMETRY.contains(&last) || last.starts_with("POWER") || last.starts_with("STATUS")
}

/// The key of the device that a topic belongs to.
pub(super) fn key_of(topic: &str) -> Option<String> {
    place(topic).map(|place| format!("tasmota:{}", place.topic))
}

impl Tasmota {
    /// Whether it reads a topic.
    pub fn takes(&self, topic: &str, payload: &Payload<'_>) -> bool {
        if topic.starts_with("tasmota/discovery/") {
            return true;
        }
        if self.prefix(topic).is_some() {
            return true;
        }
        if let Some((name, last)) = topic.rsplit_once('/')
            && place(topic).is_none()
            && is_telemetry(last)
            && (self.bare.contains(name) || is_own_state(last, payload))
        {
            return true;
        }
        // Others begin with `tele` and `stat`, too.
        place(topic).is_some_and(|place| {
            let last = place.last;
            TELEMETRY.contains(&last) && (last == "LWT" || payload.json().is_some_and(Json::is_object))
                || place.is_state
                    && ["POWER", "STATUS", "SHUTTER"].iter().any(|start| last.starts_with(start))
        })
    }

    fn prefix<'a>(&self, topic: &'a str) -> Option<(&Found, &'a str)> {
        let (before, last) = topic.rsplit_once('/')?;
        Some((self.found.get(self.prefixes.get(before)?)?, last))
    }

    /// Reads a message. Returns what the topics begin with that are explained from now on.
    pub fn receive(&mut self, book: &mut Book, id: u32, topic: &str, payload: &Payload<'_>) -> Vec<String> {
        if let Some(rest) = topic.strip_prefix("tasmota/discovery/") {
            let Some((address, what)) = rest.split_once('/') else { return Vec::new() };
            return match what {
                "config" => self.discover(book, address, payload),
                "sensors" => {
                    let fields = payload.json().and_then(|json| json.get("sn")).and_then(Json::as_object);
                    if let (Some(found), Some(fields)) = (self.found.get(address), fields) {
                        sensors(book, found.dev, id, &found.commands, fields);
                    }
                    Vec::new()
                }
                _ => Vec::new(),
            };
        }
        if let Some((found, last)) = self.prefix(topic) {
            let (dev, commands) = (found.dev, found.commands.clone());
            let names = found.names.clone();
            let words = (found.online.clone(), found.offline.clone());
            says(book, dev, id, topic, &commands, &names, &words, last, payload);
            return Vec::new();
        }
        let Some((place, is_new)) = self.place(topic) else { return Vec::new() };
        let key = format!("tasmota:{}", place.topic);
        let bridged = payload.json().and_then(|json| json.get("ZbReceived")).and_then(Json::as_object);
        if let Some(bridged) = bridged.filter(|_| place.topic.contains('/')) {
            // Such a topic belongs to a device behind the bridge: it does not make a device itself.
            let bridge = place.commands.rsplitn(3, '/').last().unwrap_or_default();
            bridged.iter().for_each(|(address, fields)| zigbee(book, id, bridge, address, fields));
            return Vec::new();
        }
        let Some(dev) = book.device(Rank::Shape, &[&key], place.topic) else { return Vec::new() };
        book.describe(
            dev,
            Rank::Shape,
            place.topic,
            "",
            &[("topic", place.topic), ("manufacturer", "Tasmota")],
        );
        let words = ("Online".to_owned(), "Offline".to_owned());
        says(book, dev, id, topic, &place.commands, &[], &words, place.last, payload);
        if is_new { vec![format!("{}/", place.topic)] } else { Vec::new() }
    }

    /// Where a message is from, and whether its device was not known to do without `tele` and `stat`.
    fn place<'a>(&mut self, topic: &'a str) -> Option<(Place<'a>, bool)> {
        if let Some(place) = place(topic) {
            return Some((place, false));
        }
        let (name, last) = topic.rsplit_once('/')?;
        let is_new = self.bare.len() < MAX_DEVICES && self.bare.insert(name.to_owned());
        // Only commands have a prefix then.
        Some((Place { topic: name, commands: format!("{name}/cmnd/"), last, is_state: false }, is_new))
    }

    fn discover(&mut self, book: &mut Book, address: &str, payload: &Payload<'_>) -> Vec<String> {
        if payload.bytes.is_empty() {
            if let Some(gone) = self.found.remove(address) {
                self.prefixes.retain(|_, of| of != address);
                book.remove(gone.dev);
            }
            return Vec::new();
        }
        let Some(Json::Object(fields)) = payload.json() else { return Vec::new() };
        let text = |name: &str| fields.get(name).and_then(json::string).unwrap_or_default().into_owned();
        let (topic, full) = (text("t"), text("ft"));
        if topic.is_empty()
            || full.is_empty()
            || self.found.len() >= MAX_DEVICES && !self.found.contains_key(address)
        {
            return Vec::new();
        }
        let mac = mac(address).unwrap_or_else(|| address.to_owned());
        let id = mac.get(6..).unwrap_or(&mac);
        let prefixes = fields.get("tp").and_then(Json::as_array);
        let prefix = |at: usize, default: &str| {
            let own = prefixes.and_then(|list| list.get(at)).and_then(Json::as_str).unwrap_or(default);
            let filled =
                full.replace("%prefix%", own).replace("%topic%", &topic).replace("%hostname%", &text("hn"));
            filled.replace("%id%", id).trim_end_matches('/').to_owned()
        };
        let keys = [format!("mac:{mac}"), format!("ha:{id}"), format!("tasmota:{topic}")];
        let Some(dev) = book.device(Rank::Told, &[&keys[0], &keys[1], &keys[2]], &mac) else {
            return Vec::new();
        };
        let names: Vec<String> = fields
            .get("fn")
            .and_then(Json::as_array)
            .into_iter()
            .flatten()
            .take(32)
            .map(|name| name.as_str().unwrap_or_default().to_owned())
            .collect();
        describe(book, dev, fields);
        let found = Found {
            dev,
            commands: format!("{}/", prefix(0, "cmnd")),
            names,
            online: text("onln"),
            offline: text("ofln"),
        };
        relays(book, &found, fields);
        let below = [prefix(1, "stat"), prefix(2, "tele")];
        self.prefixes.retain(|_, of| of != address);
        for prefix in &below {
            self.prefixes.insert(prefix.clone(), address.to_owned());
        }
        self.found.insert(address.to_owned(), found);
        let mut explained: Vec<String> = below.iter().map(|prefix| format!("{prefix}/")).collect();
        explained.push(format!("tasmota/discovery/{address}/sensors"));
        explained
    }
}

/// What discovery says of a device.
fn describe(book: &mut Book, dev: Dev, fields: &Map<String, Json>) {
    let text = |name: &str| fields.get(name).and_then(json::string).unwrap_or_default().into_owned();
    let is_light = fields.get("lt_st").and_then(Json::as_u64).is_some_and(|kind| kind > 0);
    let about = [
        ("manufacturer", "Tasmota".to_owned()),
        ("model", text("md")),
        ("firmware", text("sw")),
        ("ip", text("ip")),
        ("hostname", text("hn")),
        ("mac", text("mac")),
        ("topic", text("t")),
    ];
    let about: Vec<(&str, &str)> = about.iter().map(|(name, text)| (*name, text.as_str())).collect();
    book.describe(dev, Rank::Told, &text("dn"), if is_light { "light" } else { "switch" }, &about);
}

/// Declares the relays and lights of a device.
fn relays(book: &mut Book, found: &Found, fields: &Map<String, Json>) {
    let relays: Vec<u64> = fields
        .get("rl")
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
        .take(32)
        .filter_map(Json::as_u64)
        .collect();
    let count = relays.iter().filter(|kind| **kind > 0).count();
    for (at, _) in relays.iter().enumerate().filter(|(_, kind)| matches!(kind, 1 | 2)) {
        let power = if count == 1 { "POWER".to_owned() } else { format!("POWER{}", at + 1) };
        relay(book, found.dev, super::NO_TOPIC, &found.commands, &found.names, &power);
    }
    if relays.contains(&2) {
        for key in ["Dimmer", "CT", "Color"] {
            let kind = fields.get("lt_st").and_then(Json::as_u64).unwrap_or(1);
            let has = match key {
                "Dimmer" => true,
                "CT" => matches!(kind, 2 | 5),
                _ => kind >= 3,
            };
            if has {
                light(book, found.dev, super::NO_TOPIC, &found.commands, key);
            }
        }
    }
}

fn number_of(power: &str) -> usize {
    power.trim_start_matches("POWER").parse().unwrap_or(1)
}

/// Declares a relay.
fn relay(book: &mut Book, dev: Dev, id: u32, commands: &str, names: &[String], power: &str) {
    // A device with one relay calls it either way.
    let key = if power == "POWER" { "POWER1" } else { power };
    let is_new = book.get(dev).is_some_and(|device| device.find(key).is_none());
    if !is_new {
        return;
    }
    let number = number_of(power);
    let name = names.get(number.saturating_sub(1)).filter(|name| !name.is_empty()).cloned();
    let own = if power == "POWER" { "Power switch".to_owned() } else { format!("Switch {number}") };
    let is_title = |name: &String| book.get(dev).is_some_and(|device| device.title() == name);
    let name = name.filter(|name| power != "POWER" || !is_title(name)).unwrap_or(own);
    let mut metric = Metric::new(named(&name), MetricType::Flag);
    metric.writable = true;
    book.put_metric(dev, key, id, metric);
    let topic = format!("{commands}{power}");
    book.command_on(dev, key, true, topic, |value| {
        Ok(if *value == Value::Flag(true) { "ON" } else { "OFF" })
    });
}

/// Declares what a light has besides its relay.
fn light(book: &mut Book, dev: Dev, id: u32, commands: &str, key: &str) {
    let is_new = book.get(dev).is_some_and(|device| device.find(key).is_none());
    if !is_new {
        return;
    }
    let number = |number: f64| Some(Number::from(number));
    let mut metric = Metric::new(named("Dimmer"), MetricType::Number);
    match key {
        "Dimmer" | "White" => {
            metric.name = named(key);
            (metric.unit, metric.min, metric.max) = ("%".to_owned(), number(0.0), number(100.0));
        }
        "FanSpeed" => {
            metric.name = named("Fan speed");
            (metric.min, metric.max, metric.step) = (number(0.0), number(3.0), number(1.0));
        }
        "CT" => {
            metric.name = named("Colour temperature");
            (metric.unit, metric.min, metric.max) = ("mired".to_owned(), number(153.0), number(500.0));
        }
        _ => {
            metric = Metric::new(named("Colour"), MetricType::Text);
            metric.control = Some(Control::Colour);
        }
    }
    metric.writable = true;
    book.put_metric(dev, key, id, metric);
    let (topic, is_colour) = (format!("{commands}{key}"), key == "Color");
    book.command_on(dev, key, true, topic, move |value| {
        Ok(match is_colour {
            true => {
                let [red, green, blue] = rgb(value)?;
                format!("#{red:02X}{green:02X}{blue:02X}")
            }
            false => json_of(value).to_string(),
        })
    });
}

#[allow(clippy::too_many_arguments, reason = "what is known of the device beside its message")]
fn says(
    book: &mut Book,
    dev: Dev,
    id: u32,
    topic: &str,
    commands: &str,
    names: &[String],
    words: &(String, String),
    last: &str,
    payload: &Payload<'_>,
) {
    let fields = payload.json().and_then(Json::as_object);
    match (last, fields) {
        ("LWT", _) => {
            let said = payload.text();
            let is_there = match said.trim() {
                said if *said == *words.0 => Some(true),
                said if *said == *words.1 => Some(false),
                said => text::presence(said),
            };
            if let Some(is_there) = is_there {
                book.say(dev, topic, if is_there { There::Online } else { There::Offline(String::new()) });
            }
        }
        (power, None) if power.starts_with("POWER") => {
            switched(book, dev, id, commands, names, power, &payload.text())
        }
        (shutter, None) if shutter.starts_with("SHUTTER") => {
            let number = shutter.trim_start_matches("SHUTTER");
            if let Some(position) = text::number(&payload.text()) {
                shutter_at(book, dev, id, commands, number, position);
            }
        }
        (_, Some(fields)) => {
            if let Some(bridged) = fields.get("ZbReceived").and_then(Json::as_object) {
                let bridge = commands.trim_end_matches('/');
                bridged.iter().for_each(|(address, fields)| zigbee(book, id, bridge, address, fields));
            }
            if let Some(sensors_) = fields.get("StatusSNS").and_then(Json::as_object) {
                sensors(book, dev, id, commands, sensors_);
            } else if let Some(state_) = fields.get("StatusSTS").and_then(Json::as_object) {
                state(book, dev, id, commands, names, state_);
            } else if last.starts_with("INFO") || last.starts_with("STATUS") {
                about(book, dev, fields);
            } else if last == "SENSOR" {
                sensors(book, dev, id, commands, fields);
            } else {
                state(book, dev, id, commands, names, fields);
            }
        }
        _ => {}
    }
}

fn about(book: &mut Book, dev: Dev, fields: &Map<String, Json>) {
    let names = [
        ("Version", "firmware"),
        ("Module", "model"),
        ("Hostname", "hostname"),
        ("IPAddress", "ip"),
        ("Mac", "mac"),
        ("RestartReason", "restart reason"),
    ];
    for inner in fields.values().filter_map(Json::as_object) {
        for (field, attribute) in names {
            let Some(text) = inner.get(field).and_then(json::string) else { continue };
            if !text.chars().all(|c| c.is_ascii_digit()) {
                book.describe(dev, Rank::Own, "", "", &[(attribute, &text)]);
            }
        }
        // Older ones have no name but the friendly one.
        let friendly = || match inner.get("FriendlyName")? {
            Json::Array(names) => names.first()?.as_str(),
            name => name.as_str(),
        };
        if let Some(name) = inner.get("DeviceName").and_then(Json::as_str).or_else(friendly) {
            book.describe(dev, Rank::Own, name, "", &[]);
        }
    }
}

fn switched(book: &mut Book, dev: Dev, id: u32, commands: &str, names: &[String], power: &str, said: &str) {
    let Some(is_on) = text::flag(said) else { return };
    relay(book, dev, super::NO_TOPIC, commands, names, power);
    let key = if power == "POWER" { "POWER1" } else { power };
    let value = Value::Flag(is_on);
    let now = book.now.boot_ms;
    if book.last(dev, key).is_some_and(|(last, at)| *last == value && now.since(*at) <= ECHO_MS) {
        return;
    }
    book.read(dev, key, id, value, || Metric::new(named(key), MetricType::Flag));
}

/// What a state, or an answer to a command, says.
///
/// Long: one arm for each field.
fn state(book: &mut Book, dev: Dev, id: u32, commands: &str, names: &[String], fields: &Map<String, Json>) {
    let put = |book: &mut Book, key: &str, name: &str, value: Value, unit: &str| {
        book.read(dev, key, id, value.clone(), || guessed(named(name), &value, unit));
    };
    for (name, value) in fields {
        match (name.as_str(), value) {
            (power, Json::String(said)) if power.starts_with("POWER") => {
                switched(book, dev, id, commands, names, power, said);
            }
            (key @ ("Dimmer" | "CT"), Json::Number(_)) => {
                light(book, dev, super::NO_TOPIC, commands, key);
                put(book, key, key, json::reading(value).unwrap_or_default(), "");
            }
            ("Color", Json::String(colour)) => {
                if let Some(colour) = colour_of(colour) {
                    light(book, dev, super::NO_TOPIC, commands, "Color");
                    put(book, "Color", "Colour", colour, "");
                }
            }
            ("Vcc", value) => {
                put(book, name, "Supply voltage", json::reading(value).unwrap_or_default(), "V")
            }
            ("UptimeSec", value) => put(book, name, "Uptime", json::reading(value).unwrap_or_default(), "s"),
            ("Wifi", Json::Object(wifi)) => {
                if let Some(signal) = wifi.get("Signal").and_then(json::reading) {
                    put(book, "Wifi.Signal", "Wi-Fi signal", signal, "dBm");
                } else if let Some(quality) = wifi.get("RSSI").and_then(json::reading) {
                    put(book, "Wifi.RSSI", "Wi-Fi quality", quality, "%");
                }
            }
            ("FanSpeed" | "White", Json::Number(_)) => {
                light(book, dev, super::NO_TOPIC, commands, name);
                put(book, name, name, json::reading(value).unwrap_or_default(), "");
            }
            ("Hostname" | "IPAddress", Json::String(said)) => {
                let attribute = if name == "Hostname" { "hostname" } else { "ip" };
                book.describe(dev, Rank::Own, "", "", &[(attribute, said)]);
            }
            // What was received by radio or infrared, and what was pressed.
            ("RfReceived", Json::Object(inner)) => {
                let text_of = |name: &str| inner.get(name).and_then(json::string).unwrap_or_default();
                let code = match text_of("RfKey") {
                    key if key.is_empty() || key == "None" => text_of("Data").into_owned(),
                    key => format!("{} (key {key})", text_of("Data")),
                };
                put(book, name, "RF received", text::text(&code), "");
            }
            ("IrReceived", Json::Object(inner)) => {
                let text_of = |name: &str| inner.get(name).and_then(json::string).unwrap_or_default();
                let code = format!("{} {}", text_of("Protocol"), text_of("Data"));
                put(book, name, "IR received", text::text(code.trim()), "");
            }
            (pressed, Json::Object(inner)) if inner.contains_key("Action") => {
                if let Some(action) = inner.get("Action").and_then(Json::as_str) {
                    let value = text::flag(action).map_or_else(|| text::text(action), Value::Flag);
                    put(book, pressed, pressed, value, "");
                }
            }
            (shutter, Json::Number(_)) if shutter.starts_with("ShutterPosition") => {
                let number = shutter.trim_start_matches("ShutterPosition");
                let value = json::reading(value).unwrap_or_default();
                shutter_at(book, dev, id, commands, number, value);
            }
            (switch, Json::String(said)) if switch.starts_with("Switch") => {
                let value = text::flag(said).map_or_else(|| text::text(said), Value::Flag);
                put(book, switch, switch, value, "");
            }
            (name, Json::Object(inner)) if name.starts_with("Shutter") => {
                shutter(book, dev, id, commands, name, inner);
            }
            _ => {}
        }
    }
    // What follows a command may tell of sensors, too.
    let is_sensor = |(_, value): &(&String, &Json)| {
        value.as_object().is_some_and(|map| map.contains_key("Temperature") || map.contains_key("Power"))
    };
    let inner: Map<String, Json> =
        fields.iter().filter(is_sensor).map(|(name, value)| (name.clone(), value.clone())).collect();
    if !inner.is_empty() {
        sensors(book, dev, id, commands, &inner);
    }
}

/// A shutter's position, tilt and movement.
fn shutter(book: &mut Book, dev: Dev, id: u32, commands: &str, name: &str, fields: &Map<String, Json>) {
    let number = name.trim_start_matches("Shutter");
    if let Some(position) = fields.get("Position").and_then(json::reading) {
        shutter_at(book, dev, id, commands, number, position);
    }
    let field = |field: &str| fields.get(field).and_then(json::reading);
    // Those without slats say 0.
    let tilt_key = format!("Shutter{number}.Tilt");
    let has_tilt = || book.get(dev).is_some_and(|device| device.find(&tilt_key).is_some());
    let tilt = field("Tilt").filter(|tilt| *tilt != Value::Number(0.0) || has_tilt());
    if let Some(tilt) = tilt {
        let name = named(&format!("Shutter {number} tilt"));
        book.read(dev, &tilt_key, id, tilt.clone(), || guessed(name, &tilt, "°"));
    }
    let moves = match fields.get("Direction").or_else(|| fields.get("direction")).and_then(Json::as_i64) {
        Some(1) => "opening",
        Some(-1) => "closing",
        Some(_) => "stopped",
        None => return,
    };
    let key = format!("Shutter{number}.moves");
    if book.get(dev).is_some_and(|device| device.find(&key).is_none()) {
        let mut metric = Metric::new(named(&format!("Shutter {number}")), MetricType::Enum);
        metric.options = ["open", "closed", "stopped"].map(str::to_owned).to_vec();
        metric.control = Some(Control::Cover);
        book.put_metric(dev, &key, super::NO_TOPIC, metric);
        let (commands, number) = (commands.to_owned(), number.to_owned());
        let command: Command = std::sync::Arc::new(move |_, _, value| {
            let verb = match word(value)?.as_str() {
                "open" => "Open",
                "closed" => "Close",
                _ => "Stop",
            };
            Ok(vec![Outgoing::new(format!("{commands}Shutter{verb}{number}"), Vec::new())])
        });
        // What it reports is how it moves, not where it was sent.
        book.command(dev, &key, false, command);
    }
    book.read(dev, &key, id, text::text(moves), || Metric::new(named(&key), MetricType::Enum));
}

/// A shutter's position, which can be set.
fn shutter_at(book: &mut Book, dev: Dev, id: u32, commands: &str, number: &str, position: Value) {
    let key = format!("Shutter{number}.Position");
    if book.get(dev).is_some_and(|device| device.find(&key).is_none()) {
        let mut metric = Metric::new(named(&format!("Shutter {number} position")), MetricType::Number);
        (metric.min, metric.max) = (Some(Number::from(0.0)), Some(Number::from(100.0)));
        metric.unit = "%".to_owned();
        book.put_metric(dev, &key, super::NO_TOPIC, metric);
        let topic = format!("{commands}ShutterPosition{number}");
        book.command_on(dev, &key, true, topic, |value| Ok(json_of(value).to_string()));
    }
    book.read(dev, &key, id, position, || Metric::new(named(&key), MetricType::Number));
}

/// A colour as `FF8000` with further channels, or `255,128,0` with further channels.
fn colour_of(text: &str) -> Option<Value> {
    if text.contains(',') {
        let mut parts = text.split(',').map(|part| part.trim().parse::<f64>().ok());
        return Some(hex(parts.next()??, parts.next()??, parts.next()??));
    }
    let digits = text.trim_start_matches('#').get(..6)?;
    let number = u32::from_str_radix(digits, 16).ok()?;
    let [_, red, green, blue] = number.to_be_bytes().map(f64::from);
    Some(hex(red, green, blue))
}

fn unit_of(path: &str, fields: &Map<String, Json>) -> String {
    let units =
        |name: &str, default: &str| fields.get(name).and_then(Json::as_str).unwrap_or(default).to_owned();
    let (group, field) = path.rsplit_once(' ').map_or(("", path), |(group, last)| {
        // Phases are numbered.
        if last.bytes().all(|byte| byte.is_ascii_digit()) {
            group.rsplit_once(' ').unwrap_or(("", group))
        } else {
            (group, last)
        }
    });
    let is_energy = group == "ENERGY";
    match field {
        "Temperature"
        | "DewPoint"
        | "ObjTMP"
        | "AmbTMP"
        | "OBJTMP"
        | "AMBTMP"
        | "HeatIndex"
        | "ProbeTemperature"
        | "ReferenceTemperature" => {
            format!("°{}", units("TempUnit", "C"))
        }
        "Humidity" | "BatteryPercentage" | "Moisture" | "Battery" | "BattPercentage" | "Tilt" => {
            "%".to_owned()
        }
        "Pressure" | "SeaPressure" => units("PressureUnit", "hPa"),
        "Power" | "ActivePower" => "W".to_owned(),
        "ApparentPower" => "VA".to_owned(),
        "ReactivePower" => "var".to_owned(),
        "Voltage" | "BatteryVoltage" => "V".to_owned(),
        "Current" => "A".to_owned(),
        "Frequency" => "Hz".to_owned(),
        "Total" | "Yesterday" | "Today" | "ExportActive" | "ImportActive" | "ExportTotal" | "TotalTariff"
            if is_energy =>
        {
            "kWh".to_owned()
        }
        "Period" if is_energy => "Wh".to_owned(),
        "Illuminance" => "lx".to_owned(),
        "CarbonDioxide" | "eCO2" | "CO2" => "ppm".to_owned(),
        "TVOC" => "ppb".to_owned(),
        "PM1" | "PM2.5" | "PM10" => "µg/m³".to_owned(),
        "Distance" if group.starts_with("VL53") => "mm".to_owned(),
        "Distance" => "cm".to_owned(),
        "Weight" => "kg".to_owned(),
        "Signal" | "RSSI" => "dBm".to_owned(),
        _ => String::new(),
    }
}

/// `ApparentPower 1` is *Apparent power 1*, `SI7021 DewPoint` is *SI7021 Dew point*; names of chips stay.
fn readable(path: &str) -> String {
    let is_camel = |word: &str| {
        let plain = word.chars().all(|c| c.is_ascii_alphabetic());
        plain
            && word.starts_with(|c: char| c.is_ascii_uppercase())
            && word.chars().skip(1).any(|c| c.is_ascii_uppercase())
            && !word.as_bytes().windows(2).any(|pair| pair.iter().all(u8::is_ascii_uppercase))
    };
    let words = path.split(' ').map(|word| match is_camel(word) {
        true => words_of(super::spaced(word).trim()),
        false => word.to_owned(),
    });
    words.collect::<Vec<String>>().join(" ")
}

fn sensors(book: &mut Book, dev: Dev, id: u32, commands: &str, fields: &Map<String, Json>) {
    for (name, value) in fields {
        if let (Some(number), Json::Object(inner)) = (name.strip_prefix("Shutter"), value)
            && number.bytes().all(|byte| byte.is_ascii_digit())
        {
            shutter(book, dev, id, commands, name, inner);
            continue;
        }
        if matches!(name.as_str(), "Time" | "TempUnit" | "PressureUnit" | "ZbReceived" | "StatusSNS") {
            continue;
        }
        json::flatten(value, " ", &mut |path, value| {
            let path = if path.is_empty() { name.clone() } else { format!("{name} {path}") };
            let field = path.rsplit(' ').next().unwrap_or_default();
            if matches!(field, "Id" | "Address" | "TotalStartTime" | "Time" | "mac" | "Btn") {
                return;
            }
            let value = match value {
                Json::String(said) if matches!(said.as_str(), "ON" | "OFF") => Value::Flag(said == "ON"),
                other => json::reading(other).unwrap_or_default(),
            };
            let unit = unit_of(&path, fields);
            let shown = readable(path.strip_prefix("ENERGY ").unwrap_or(&path));
            book.read(dev, &format!("sensor.{path}"), id, value.clone(), || {
                guessed(named(&shown), &value, &unit)
            });
        });
    }
}

/// A Zigbee device behind a Tasmota bridge. `bridge`: what the bridge's commands begin with, without the last slash.
fn zigbee(book: &mut Book, id: u32, bridge: &str, address: &str, fields: &Json) {
    let Some(fields) = fields.as_object() else { return };
    let text = |name: &str| fields.get(name).and_then(json::string).unwrap_or_default().into_owned();
    let short =
        [text("Device"), address.to_owned()].into_iter().find(|text| !text.is_empty()).unwrap_or_default();
    let Some(dev) = book.device(Rank::Own, &[&format!("tasmota-zigbee:{short}")], &format!("Zigbee {short}"))
    else {
        return;
    };
    book.describe(
        dev,
        Rank::Own,
        &text("Name"),
        "",
        &[("address", &short), ("model", &text("ModelId")), ("manufacturer", &text("Manufacturer"))],
    );
    for (name, value) in fields {
        // Attributes that the bridge does not know are raw bytes.
        if matches!(name.as_str(), "Device" | "Name" | "Endpoint" | "Group" | "ModelId" | "Manufacturer")
            || name.contains(['!', '/'])
        {
            continue;
        }
        json::flatten(value, " ", &mut |path, value| {
            let path = if path.is_empty() { name.clone() } else { format!("{name} {path}") };
            let value = json::reading(value).unwrap_or_default();
            let value = match (path.as_str(), &value) {
                // Whether it is on, not how much it takes.
                ("Power" | "Occupancy" | "Contact" | "Water", Value::Number(number)) => {
                    Value::Flag(*number != 0.0)
                }
                _ => value,
            };
            let unit = if path == "Power" { String::new() } else { unit_of(&path, fields) };
            zigbee_control(book, dev, id, bridge, &short, &path);
            book.read(dev, &path, id, value.clone(), || guessed(named(&readable(&path)), &value, &unit));
        });
    }
}

/// Declares what of a Zigbee device can be set through its bridge.
fn zigbee_control(book: &mut Book, dev: Dev, id: u32, bridge: &str, device: &str, path: &str) {
    let kind = match path {
        "Power" => MetricType::Flag,
        "Dimmer" => MetricType::Number,
        _ => return,
    };
    if book.get(dev).is_none_or(|known| known.find(path).is_some()) {
        return;
    }
    let mut metric = Metric::new(named(path), kind);
    if kind == MetricType::Number {
        (metric.min, metric.max) = (Some(Number::from(0.0)), Some(Number::from(254.0)));
    }
    book.put_metric(dev, path, id, metric);
    let (topic, device, path_) = (format!("{bridge}/ZbSend"), device.to_owned(), path.to_owned());
    let command: Command = std::sync::Arc::new(move |_, _, value| {
        let request = json!({"Device": device, "Send": {path_.as_str(): json_of(value)}});
        Ok(vec![Outgoing::new(topic.as_str(), request.to_string())])
    });
    book.command(dev, path, true, command);
}
