//! Z-Wave JS UI: `PREFIX/[LOCATION/]NODE/CLASS/ENDPOINT/PROPERTY[/KEY]`, with the command class as a number or by name.

use serde_json::Value as Json;

use super::{new_metric, put, spaced, there};
use crate::mapping::mqtt::book::{Book, Dev, Rank};
use crate::mapping::mqtt::change::{Outgoing, There};
use crate::mapping::mqtt::general;
use crate::mapping::mqtt::ha::{json_of, words_of};
use crate::mapping::mqtt::json;
use crate::mapping::mqtt::template::Payload;
use crate::model::device::{Control, MetricType, Value};
use crate::model::number::Number;

/// What the name of a gateway begins with, below `PREFIX/_CLIENTS/`.
const GATEWAY: &str = "ZWAVE_GATEWAY";
/// Command classes that configure and describe a node: association, version, manufacturer and the like.
const LEFT: &[&str] = &[
    "112",
    "configuration",
    "114",
    "manufacturer_specific",
    "134",
    "version",
    "94",
    "zwaveplus_info",
    "133",
    "association",
    "142",
    "multi_channel_association",
    "115",
    "powerlevel",
    "135",
    "indicator",
    "132",
    "wake_up",
    "122",
    "firmware_update_md",
];

/// A value of a node by its topic.
struct Place<'a> {
    /// The topic as far as the node.
    node: &'a str,
    class: &'a str,
    endpoint: &'a str,
    property: Vec<&'a str>,
}

fn place(topic: &str) -> Option<Place<'_>> {
    let levels: Vec<&str> = topic.split('/').collect();
    let is_number = |level: &str| level.len() <= 3 && level.parse::<u8>().is_ok();
    let at = (1..levels.len().saturating_sub(2)).find(|at| {
        let (class, endpoint) = (levels[*at], levels[*at + 1]);
        is_number(class) && class.parse().is_ok_and(|class: u8| class >= 32) && is_number(endpoint)
            || endpoint.strip_prefix("endpoint_").is_some_and(is_number)
    })?;
    let length = levels[..at].iter().map(|level| level.len() + 1).sum::<usize>() - 1;
    Some(Place {
        node: &topic[..length],
        class: levels[at],
        endpoint: levels[at + 1].trim_start_matches("endpoint_"),
        property: levels[at + 2..].to_vec(),
    })
}

/// The key of the device that a topic belongs to.
pub(super) fn key_of(topic: &str) -> Option<String> {
    place(topic).map(|place| format!("zwave:{}", place.node))
}

pub(super) fn takes(topic: &str, payload: &Payload<'_>) -> bool {
    if topic.contains(GATEWAY) {
        return true;
    }
    let Some(Json::Object(fields)) = payload.json() else { return false };
    let has = |field: &str| fields.contains_key(field);
    match topic.rsplit('/').next() {
        Some("status") => has("nodeId") && has("status"),
        Some("nodeinfo") => has("manufacturer") && has("ready"),
        // When a node was last heard, and whether the stick is: read, and no readings.
        Some("lastActive") => has("time") && has("value"),
        _ => place(topic).is_some() && has("time") && has("value"),
    }
}

fn device(book: &mut Book, node: &str) -> Option<Dev> {
    let dev = book.device(Rank::Shape, &[&format!("zwave:{node}")], node)?;
    let title = node.split_once('/').map_or(node, |(_, rest)| rest).replace('/', " ");
    book.describe(dev, Rank::Shape, &title, "", &[("topic", node)]);
    Some(dev)
}

pub(super) fn receive(book: &mut Book, id: u32, topic: &str, payload: &Payload<'_>) {
    if let Some((prefix, rest)) = topic.split_once("/_CLIENTS/") {
        return gateway(book, topic, prefix, rest, payload);
    }
    let Some(Json::Object(fields)) = payload.json() else { return };
    book.at = general::taken_at(fields);
    let text = |name: &str| fields.get(name).and_then(json::string).unwrap_or_default().into_owned();
    match topic.rsplit_once('/') {
        Some((node, "status")) if fields.contains_key("nodeId") => {
            let Some(dev) = device(book, node) else { return };
            let there = match text("status").as_str() {
                "Alive" | "Awake" => There::Online,
                "Asleep" => There::Asleep,
                "Dead" => There::Offline("dead".to_owned()),
                _ => There::Unknown,
            };
            book.say(dev, topic, there);
        }
        Some((node, "nodeinfo")) => {
            let Some(dev) = device(book, node) else { return };
            book.describe(
                dev,
                Rank::Own,
                &text("name"),
                "",
                &[
                    ("manufacturer", &text("manufacturer")),
                    ("model", &text("productLabel")),
                    ("firmware", &text("firmwareVersion")),
                    ("area", &text("loc")),
                    ("node id", &text("id")),
                ],
            );
        }
        _ => value(book, id, topic, fields.get("value").unwrap_or(&Json::Null)),
    }
}

fn gateway(book: &mut Book, topic: &str, prefix: &str, rest: &str, payload: &Payload<'_>) {
    let Some((name, last)) = rest.split_once('/') else { return };
    let Some(dev) = book.device(Rank::Own, &[&format!("zwave-gateway:{prefix}/{name}")], name) else {
        return;
    };
    let title = name.trim_start_matches(GATEWAY).trim_start_matches('-');
    book.describe(dev, Rank::Own, format!("Z-Wave JS UI {title}").trim(), "gateway", &[("topic", prefix)]);
    let said = payload.json().map(|json| json.get("value").unwrap_or(json));
    match (last, said) {
        ("status", Some(Json::Bool(is_there))) => book.say(dev, topic, there(*is_there)),
        ("version", Some(version)) => {
            book.describe(
                dev,
                Rank::Own,
                "",
                "",
                &[("firmware", &json::string(version).unwrap_or_default())],
            );
        }
        ("version", None) => book.describe(dev, Rank::Own, "", "", &[("firmware", &payload.text())]),
        _ => {}
    }
}

fn value(book: &mut Book, id: u32, topic: &str, said: &Json) {
    let Some(Place { node, class, endpoint, property }) = place(topic) else { return };
    let last = property.last().copied().unwrap_or_default();
    // What was asked for, and how long it takes.
    if LEFT.contains(&class) || matches!(property[0], "targetValue" | "duration" | "restorePrevious") {
        return;
    }
    let (Some(dev), Some(value)) = (device(book, node), json::scalar(said)) else { return };
    let (name, unit) = match (class, property[0], last) {
        ("37" | "switch_binary", "currentValue", _) => ("Switch".to_owned(), ""),
        ("38" | "switch_multilevel", "currentValue", _) => ("Level".to_owned(), ""),
        ("128" | "battery", "level", _) => ("Battery".to_owned(), "%"),
        ("128" | "battery", "isLow", _) => ("Battery low".to_owned(), ""),
        // The scale is part of the key (electricity, consumed).
        ("50" | "meter", _, "65537") => ("Energy".to_owned(), "kWh"),
        ("50" | "meter", _, "66049") => ("Power".to_owned(), "W"),
        ("50" | "meter", _, "66561") => ("Voltage".to_owned(), "V"),
        ("50" | "meter", _, "66817") => ("Current".to_owned(), "A"),
        ("67" | "thermostat_setpoint", ..) => ("Target temperature".to_owned(), ""),
        ("49" | "sensor_multilevel", "Humidity", _) => ("Humidity".to_owned(), "%"),
        _ => {
            let words = property.iter().map(|level| words_of(spaced(level).trim()).to_lowercase());
            (words_of(words.collect::<Vec<String>>().join(" ").trim()), "")
        }
    };
    let name = if endpoint == "0" { name } else { format!("{name} {endpoint}") };
    let key = topic.get(node.len() + 1..).unwrap_or(topic);
    let unit = if matches!(value, Value::Text(_) | Value::Flag(_)) { "" } else { unit };
    control(book, dev, id, topic, (class, property[0]), key, &name);
    put(book, dev, key, id, &name, value, unit);
}

/// Declares what can be set.
fn control(
    book: &mut Book,
    dev: Dev,
    id: u32,
    topic: &str,
    (class, property): (&str, &str),
    key: &str,
    name: &str,
) {
    let (kind, target) = match (class, property) {
        ("37" | "switch_binary", "currentValue") => (MetricType::Flag, true),
        ("38" | "switch_multilevel", "currentValue") => (MetricType::Number, true),
        ("67" | "thermostat_setpoint", "setpoint") => (MetricType::Number, false),
        _ => return,
    };
    let Some(key) = new_metric(book, dev, key, id, name, kind) else { return };
    book.change_metric(dev, key, |metric| match (target, kind) {
        (true, MetricType::Number) => {
            (metric.min, metric.max) = (Some(Number::from(0.0)), Some(Number::from(99.0)));
        }
        (false, _) => metric.control = Some(Control::Setpoint),
        _ => {}
    });
    let topic = if target { topic.replace("/currentValue", "/targetValue") } else { topic.to_owned() };
    book.command(
        dev,
        key,
        true,
        std::sync::Arc::new(move |_, _, value| {
            Ok(vec![Outgoing::new(format!("{topic}/set"), json_of(value).to_string())])
        }),
    );
}
