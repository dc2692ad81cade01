//! Homie 3, 4 and 5: devices that describe themselves by `$` topics.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use serde_json::{Map, Value as Json};

use crate::mapping::mqtt::book::{Book, Command, Dev, Rank, named};
use crate::mapping::mqtt::change::{Outgoing, There};
use crate::mapping::mqtt::ha::{hex, hue_of, json_of, mac, of_hue, rgb, words_of};
use crate::mapping::mqtt::template::Payload;
use crate::mapping::mqtt::{json, text};
use crate::model::device::{Control, Metric, MetricType, Value};
use crate::model::number::Number;

/// Maximum number of devices, and of topics below one.
const MAX_DEVICES: usize = 4_000;
const MAX_PROPERTIES: usize = 256;
/// A longer value is no reading, in bytes.
const MAX_VALUE_BYTES: usize = 4 * 1024;
/// Attributes of a device, a node or a property.
const ATTRIBUTES: &[&str] = &[
    "$homie",
    "$name",
    "$state",
    "$nodes",
    "$extensions",
    "$implementation",
    "$localip",
    "$mac",
    "$properties",
    "$type",
    "$datatype",
    "$format",
    "$settable",
    "$retained",
    "$unit",
    "$online",
    "$array",
    "$description",
    "$target",
    "$log",
    "$alert",
    "$meta",
];

/// A property as it is described.
#[derive(Clone, Debug, Default, PartialEq)]
struct Property {
    name: String,
    kind: String,
    unit: String,
    format: String,
    is_settable: bool,
    value: Option<String>,
}

#[derive(Default)]
struct Device {
    dev: Option<Dev>,
    nodes: HashMap<String, String, RandomState>,
    properties: HashMap<String, Property, RandomState>,
    children: Vec<String>,
}

/// See the module.
#[derive(Default)]
pub(super) struct Homie {
    devices: HashMap<String, Device, RandomState>,
}

/// The device, and what follows it, of a topic with an attribute.
fn described(topic: &str) -> Option<(&str, &str)> {
    let at = topic.find("/$")?;
    let attribute = topic[at + 1..].split('/').next()?;
    let is_known =
        ATTRIBUTES.contains(&attribute) || attribute == "$fw" || attribute == "$stats" || attribute == "$hw";
    is_known.then(|| (&topic[..at], &topic[at + 1..]))
}

impl Homie {
    /// Whether it reads a topic.
    pub fn takes(&self, topic: &str) -> bool {
        if self.device(topic).is_some() {
            return true;
        }
        match described(topic) {
            // Attributes of a device begin it; those of its nodes follow.
            Some((device, rest)) => is_first(rest) || device.split('/').next() == Some("homie"),
            None => false,
        }
    }

    /// The device that a topic belongs to, and what follows it.
    fn device<'a>(&self, topic: &'a str) -> Option<(&'a str, &'a str)> {
        let mut levels = topic.match_indices('/').map(|(at, _)| at).collect::<Vec<_>>();
        levels.truncate(8);
        levels
            .into_iter()
            .rev()
            .map(|at| (&topic[..at], &topic[at + 1..]))
            .find(|(device, _)| self.devices.contains_key(*device))
    }

    /// Reads a message. Returns what the topics begin with that are explained from now on.
    pub fn receive(&mut self, book: &mut Book, id: u32, topic: &str, payload: &Payload<'_>) -> Vec<String> {
        let mut explained = Vec::new();
        let place = match self.device(topic) {
            Some((device, rest)) => Some((device.to_owned(), rest.to_owned())),
            None => described(topic)
                .filter(|(_, rest)| is_first(rest))
                .map(|(device, rest)| (device.to_owned(), rest.to_owned())),
        };
        let Some((path, rest)) = place else { return explained };
        if !self.devices.contains_key(&path) {
            if self.devices.len() >= MAX_DEVICES {
                return explained;
            }
            self.devices.insert(path.clone(), Device::default());
            explained.push(format!("{path}/"));
        }
        let Some(device) = self.devices.get_mut(&path) else { return explained };
        if device.dev.is_none_or(|dev| book.get(dev).is_none()) {
            let own = path.rsplit('/').next().unwrap_or(&path);
            device.dev = book.device(Rank::Own, &[&format!("homie:{path}")], own);
            if let Some(dev) = device.dev {
                book.describe(dev, Rank::Shape, own, "", &[("topic", &path)]);
            }
        }
        let Some(dev) = device.dev else { return explained };
        let said = payload.text();
        if said.is_empty() && matches!(rest.as_str(), "$state" | "$homie" | "$description") {
            book.remove(dev);
            self.devices.remove(&path);
            return explained;
        }
        device.says(book, dev, id, &path, &rest, &said, payload);
        let children: Vec<(String, There)> = match rest.as_str() {
            "$state" => {
                let base = path.rsplit_once('/').map_or("", |(base, _)| base);
                let there = state_of(&said);
                device.children.iter().map(|child| (format!("{base}/{child}"), there.clone())).collect()
            }
            _ => Vec::new(),
        };
        // A device is away when the one that it hangs on is.
        for (child, there) in children {
            if let Some(dev) = self.devices.get(&child).and_then(|child| child.dev) {
                match there {
                    There::Offline(_) => {
                        book.say(dev, &path, There::Offline("what it hangs on is offline".to_owned()))
                    }
                    _ => book.unsay(dev, &path),
                }
            }
        }
        explained
    }
}

fn is_first(rest: &str) -> bool {
    matches!(
        rest,
        "$homie"
            | "$name"
            | "$state"
            | "$nodes"
            | "$extensions"
            | "$implementation"
            | "$localip"
            | "$mac"
            | "$online"
            | "$description"
    ) || rest.starts_with("$fw/")
        || rest.starts_with("$stats/")
}

fn state_of(said: &str) -> There {
    match said.trim() {
        "ready" | "alert" => There::Online,
        "sleeping" => There::Asleep,
        "init" => There::Unknown,
        "disconnected" => There::Offline("disconnected".to_owned()),
        "lost" => There::Offline("lost".to_owned()),
        _ => There::Unknown,
    }
}

impl Device {
    /// Long: one arm for each kind of topic.
    #[allow(clippy::too_many_arguments, reason = "a message and where it belongs")]
    fn says(
        &mut self,
        book: &mut Book,
        dev: Dev,
        id: u32,
        path: &str,
        rest: &str,
        said: &str,
        payload: &Payload<'_>,
    ) {
        let levels: Vec<&str> = rest.split('/').collect();
        match levels.as_slice() {
            ["$name"] => book.describe(dev, Rank::Told, said, "", &[]),
            ["$state"] => book.say(dev, "$state", state_of(said)),
            ["$online"] => {
                if let Some(is_there) = text::flag(said) {
                    book.say(
                        dev,
                        "$state",
                        if is_there { There::Online } else { There::Offline(String::new()) },
                    );
                }
            }
            ["$homie"] => book.describe(dev, Rank::Own, "", "", &[("convention", &format!("Homie {said}"))]),
            ["$localip"] => book.describe(dev, Rank::Own, "", "", &[("ip", said)]),
            ["$mac"] => {
                book.describe(dev, Rank::Own, "", "", &[("mac", said)]);
                if let Some(mac) = mac(said) {
                    book.add_weak_key(dev, &format!("mac:{mac}"));
                }
            }
            ["$implementation"] => book.describe(dev, Rank::Own, "", "", &[("model", said)]),
            ["$fw", "version"] => book.describe(dev, Rank::Own, "", "", &[("firmware", said)]),
            ["$description"] => self.description(book, dev, path, payload),
            ["$alert", alert] => {
                let key = format!("$alert/{alert}");
                match said.is_empty() {
                    true => book.remove_metric(dev, &key),
                    false => book.read(dev, &key, id, text::text(said), || {
                        Metric::new(named(&format!("Alert {alert}")), MetricType::Text)
                    }),
                }
            }
            ["$stats", what] => {
                let unit = match *what {
                    "uptime" | "interval" => "s",
                    "signal" | "battery" => "%",
                    _ => "",
                };
                let value = text::value(said);
                let name = named(&words_of(what));
                book.read(dev, rest, id, value.clone(), || {
                    crate::mapping::mqtt::book::guessed(name, &value, unit)
                });
            }
            [node, "$name"] => {
                if self.nodes.len() < MAX_PROPERTIES {
                    self.nodes.insert((*node).to_owned(), said.to_owned());
                }
                self.declare_all(book, dev, path, node);
            }
            // Version 2 says here what can be set: `on:settable`.
            [node, "$properties"] => {
                for property in said.split(',').filter_map(|name| name.trim().strip_suffix(":settable")) {
                    let key = format!("{node}/{property}");
                    let Some(known) = self.property(&key) else { return };
                    known.is_settable = true;
                    self.declare(book, dev, path, &key);
                }
            }
            [node, property, attribute] if attribute.starts_with('$') && !node.starts_with('$') => {
                let key = format!("{node}/{property}");
                let Some(known) = self.property(&key) else { return };
                match *attribute {
                    "$name" => said.clone_into(&mut known.name),
                    "$datatype" => said.clone_into(&mut known.kind),
                    "$unit" => said.clone_into(&mut known.unit),
                    "$format" => said.clone_into(&mut known.format),
                    "$settable" => known.is_settable = said == "true",
                    _ => return,
                }
                self.declare(book, dev, path, &key);
                if let Some(value) = self.properties.get(&key).and_then(|property| property.value.clone()) {
                    self.value(book, dev, id, &key, &value);
                }
            }
            // Maps and pictures are no readings.
            [node, property] if said.len() > MAX_VALUE_BYTES => {
                book.remove_metric(dev, &format!("{node}/{property}"));
            }
            [node, property] if !node.starts_with('$') && !property.starts_with('$') => {
                let key = format!("{node}/{property}");
                let Some(known) = self.property(&key) else { return };
                known.value = (said.len() <= 256).then(|| said.to_owned());
                self.declare(book, dev, path, &key);
                self.value(book, dev, id, &key, said);
            }
            _ => {}
        }
    }

    fn property(&mut self, key: &str) -> Option<&mut Property> {
        if !self.properties.contains_key(key) {
            if self.properties.len() >= MAX_PROPERTIES {
                return None;
            }
            self.properties.insert(key.to_owned(), Property::default());
        }
        self.properties.get_mut(key)
    }

    /// What version 5 says of a device in one message.
    fn description(&mut self, book: &mut Book, dev: Dev, path: &str, payload: &Payload<'_>) {
        let Some(Json::Object(fields)) = payload.json() else { return };
        let text = |map: &Map<String, Json>, name: &str| {
            map.get(name).and_then(json::string).unwrap_or_default().into_owned()
        };
        let convention = format!("Homie {}", text(fields, "homie"));
        book.describe(
            dev,
            Rank::Told,
            &text(fields, "name"),
            &text(fields, "type"),
            &[("convention", &convention)],
        );
        self.children = fields
            .get("children")
            .and_then(Json::as_array)
            .into_iter()
            .flatten()
            .take(256)
            .filter_map(|child| child.as_str().map(str::to_owned))
            .collect();
        let mut listed = Vec::new();
        for (node, about) in fields.get("nodes").and_then(Json::as_object).into_iter().flatten() {
            let Some(about) = about.as_object() else { continue };
            let title = [text(about, "name"), words_of(node)]
                .into_iter()
                .find(|name| !name.is_empty())
                .unwrap_or_default();
            self.nodes.insert(node.clone(), title);
            for (property, about) in about.get("properties").and_then(Json::as_object).into_iter().flatten() {
                let Some(about) = about.as_object() else { continue };
                let key = format!("{node}/{property}");
                let Some(known) = self.property(&key) else { continue };
                let value = known.value.take();
                *known = Property {
                    name: text(about, "name"),
                    kind: text(about, "datatype"),
                    unit: text(about, "unit"),
                    format: text(about, "format"),
                    is_settable: about.get("settable") == Some(&Json::Bool(true)),
                    value,
                };
                listed.push(key);
            }
        }
        let gone: Vec<String> = self.properties.keys().filter(|key| !listed.contains(key)).cloned().collect();
        for key in gone {
            self.properties.remove(&key);
            book.remove_metric(dev, &key);
        }
        listed.iter().for_each(|key| self.declare(book, dev, path, key));
    }

    fn declare_all(&self, book: &mut Book, dev: Dev, path: &str, node: &str) {
        let of_node = self.properties.keys().filter(|key| key.split('/').next() == Some(node));
        of_node.for_each(|key| self.declare(book, dev, path, key));
    }

    fn declare(&self, book: &mut Book, dev: Dev, path: &str, key: &str) {
        let (Some(property), Some((node, id))) = (self.properties.get(key), key.split_once('/')) else {
            return;
        };
        let title = self.nodes.get(node).cloned().unwrap_or_else(|| words_of(node));
        let name = if property.name.is_empty() { words_of(id) } else { property.name.clone() };
        let name = if title.is_empty() || name.to_lowercase().starts_with(&title.to_lowercase()) {
            name
        } else {
            format!("{title} {name}")
        };
        let kind = match property.kind.as_str() {
            "integer" | "float" | "percent" | "duration" => MetricType::Number,
            "boolean" => MetricType::Flag,
            "enum" => MetricType::Enum,
            "" if property.value.as_deref().is_some_and(|value| text::number(value).is_some()) => {
                MetricType::Number
            }
            "" if property.value.as_deref().is_some_and(|value| matches!(value, "true" | "false")) => {
                MetricType::Flag
            }
            _ => MetricType::Text,
        };
        let mut metric = Metric::new(named(&name), kind);
        metric.unit = if property.unit.is_empty() && property.kind == "percent" {
            "%".to_owned()
        } else {
            property.unit.clone()
        };
        match kind {
            MetricType::Number => {
                // `min:max:step`, each of which may be missing.
                let mut parts =
                    property.format.split(':').map(|part| part.parse::<f64>().ok().map(Number::from));
                let mut next = || parts.next().flatten();
                (metric.min, metric.max, metric.step) = (next(), next(), next());
            }
            MetricType::Enum => {
                metric.options = property
                    .format
                    .split(',')
                    .take(256)
                    .map(|word| word.trim().to_owned())
                    .filter(|word| !word.is_empty())
                    .collect()
            }
            _ => {}
        }
        if property.kind == "color" {
            metric.control = Some(Control::Colour);
        }
        metric.writable = property.is_settable;
        book.put_metric(dev, key, super::NO_TOPIC, metric);
        if property.is_settable {
            book.command(
                dev,
                key,
                true,
                command(format!("{path}/{key}/set"), property.kind.clone(), property.format.clone()),
            );
        }
    }

    fn value(&self, book: &mut Book, dev: Dev, id: u32, key: &str, said: &str) {
        let property = self.properties.get(key);
        let kind = property.map(|property| property.kind.as_str()).unwrap_or_default();
        let format = property.map(|property| property.format.as_str()).unwrap_or_default();
        let value = match kind {
            // An empty string is one character, since an empty message removes.
            "string" | "enum" | "datetime" | "json" => text::text(if said == "\u{0}" { "" } else { said }),
            "boolean" => text::flag(said).map_or_else(|| text::text(said), Value::Flag),
            "color" => colour(said, format),
            "duration" => duration(said).map_or_else(|| text::text(said), Value::number),
            "integer" | "float" | "percent" => {
                Value::parse_number(said).map_or_else(|_| text::value(said), text::tidied)
            }
            _ => text::value(said),
        };
        book.read(dev, key, id, value.clone(), || {
            crate::mapping::mqtt::book::guessed(named(key), &value, "")
        });
    }
}

/// A colour as `rgb,255,128,0`, `hsv,30,100,100`, or without the first word where the format is only one.
fn colour(said: &str, format: &str) -> Value {
    let (form, rest) = said
        .split_once(',')
        .filter(|(form, _)| form.chars().all(char::is_alphabetic))
        .unwrap_or((if format == "hsv" { "hsv" } else { "rgb" }, said));
    let parts: Vec<f64> = rest.split(',').filter_map(|part| part.trim().parse().ok()).collect();
    match (form, parts.as_slice()) {
        ("rgb", [red, green, blue]) => hex(*red, *green, *blue),
        ("hsv", [hue, saturation, _]) => of_hue(*hue, *saturation),
        _ => text::text(said),
    }
}

/// Seconds of a duration like `PT1H30M5S`.
fn duration(said: &str) -> Option<f64> {
    let mut rest = said.strip_prefix("PT")?;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| c.is_ascii_alphabetic())?;
        let number: f64 = rest[..end].parse().ok()?;
        seconds += number
            * match &rest[end..=end] {
                "H" => 3_600.0,
                "M" => 60.0,
                "S" => 1.0,
                _ => return None,
            };
        rest = &rest[end + 1..];
    }
    Some(seconds)
}

fn command(topic: String, kind: String, format: String) -> Command {
    std::sync::Arc::new(move |_, _, value| {
        let payload = match (kind.as_str(), value) {
            ("color", value) => {
                let [red, green, blue] = rgb(value)?;
                // Version 5 names the form.
                let form = if format.split(',').any(|form| form == "rgb") && format.contains("xyz")
                    || format.contains("rgb,")
                {
                    "rgb,"
                } else {
                    ""
                };
                match format.as_str() {
                    "hsv" => {
                        let [hue, saturation] = hue_of([red, green, blue]);
                        let value = f64::from(red.max(green).max(blue)) / 2.55;
                        format!("{},{},{}", hue.round(), saturation.round(), value.round())
                    }
                    _ => format!("{form}{red},{green},{blue}"),
                }
            }
            ("duration", value) => format!("PT{}S", json_of(value)),
            (_, Value::Text(text)) => text.to_string(),
            (_, value) => json_of(value).to_string(),
        };
        Ok(vec![Outgoing { qos: 1, ..Outgoing::new(topic.as_str(), payload) }])
    })
}
