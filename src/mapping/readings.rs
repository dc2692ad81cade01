//! Readings in what is no chat: numbers, flags and texts by the names of their fields.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::Measured;
use super::shape::{Fields, word};
use super::{time, words};
use crate::model;

/// Maximum number of readings of one event.
const MAX_READINGS: usize = 256;
/// How deep objects are looked into.
const MAX_DEPTH: usize = 6;
/// Maximum number of elements of a list that are read.
const MAX_LIST: usize = 64;
/// Longest name, in characters; that of a metric.
const MAX_NAME_CHARS: usize = model::device::NAME_CHARS;
/// Fields that hold the readings, and whose names say nothing of them.
const TRANSPARENT: &[&str] =
    &["data", "payload", "params", "readings", "values", "measurements", "metrics", "latest"];
/// Words for what is measured: a name with one of them is no device's.
const QUANTITIES: &[&str] = &[
    "temperature",
    "temp",
    "humidity",
    "hum",
    "pressure",
    "co2",
    "voltage",
    "current",
    "power",
    "energy",
    "light",
    "lux",
    "battery",
    "speed",
    "rpm",
    "ph",
    "level",
    "flow",
    "noise",
    "distance",
    "moisture",
    "weight",
    "altitude",
    "cpu",
    "memory",
    "온도",
    "습도",
];
/// Longest text that is a reading, in characters.
const MAX_TEXT_CHARS: usize = 256;

/// The readings of a value that came from this source; none where it holds no number and no flag. `device`: the device, where a rule
/// says so.
pub(super) fn of(source: &str, value: &Value, device: Option<String>, unit: &str) -> Option<Measured> {
    let mut values = Vec::new();
    match value {
        Value::Object(map) => {
            let fields = Fields::of(map);
            let (device_field, named) = match &device {
                Some(_) => (None, None),
                None => match fields.find(words::DEVICE, word) {
                    Some((field, named)) => (Some(field), Some(named)),
                    // `{"name": "shed", "temperature": 21}`.
                    None => {
                        let of_device = |value: &Value| {
                            value.as_str().filter(|name| !is_quantity(name)).and_then(|_| word(value))
                        };
                        match fields.find(&["name", "id"], of_device) {
                            Some((field, named)) => (Some(field), Some(named)),
                            None => (None, None),
                        }
                    }
                },
            };
            let at = fields.find(words::TIME, time::of).map(|(_, at)| at);
            let device = device.or(named).unwrap_or_else(|| last_part(source));
            match single(&fields, source, unit) {
                Some(one) => values.push(one),
                None => flatten(map, "", 0, device_field, &mut values),
            }
            give_units(map, unit, &mut values);
            let is_measured = values.iter().any(|(_, value, _)| !matches!(value, model::Value::Text(_)));
            (is_measured && !values.is_empty()).then_some(Measured { device, values, at })
        }
        value => {
            let value = bare(value)?;
            let parts: Vec<&str> = source.split(['/', '.', ':']).filter(|part| !part.is_empty()).collect();
            let (mut metric, before) = parts.split_last()?;
            // The source ends with the device, which a rule found there.
            if let Some(last) = before.last().filter(|_| device.as_deref() == Some(*metric)) {
                metric = last;
            }
            let device = device.or_else(|| before.last().map(|part| (*part).to_owned()));
            values.push((name(metric)?, value, unit.to_owned()));
            Some(Measured { device: device.unwrap_or_else(|| "server".to_owned()), values, at: None })
        }
    }
}

/// `{"metric": "temperature", "value": 21.5, "unit": "°C"}`.
fn single(fields: &Fields, source: &str, unit: &str) -> Option<(String, model::Value, String)> {
    let (value, own_unit) = only_reading(fields)?;
    let named = fields
        .find(words::METRIC, word)
        .or_else(|| fields.find(&["type", "kind"], word))
        .or_else(|| fields.find(&["name", "id"], |value| word(value).filter(|name| is_quantity(name))))
        .map(|(_, metric)| metric);
    let metric = named.unwrap_or_else(|| last_part(source));
    let unit = if own_unit.is_empty() { unit.to_owned() } else { own_unit };
    Some((name(&metric)?, value, unit))
}

fn flatten(
    map: &Map<String, Value>,
    before: &str,
    depth: usize,
    device_field: Option<&str>,
    values: &mut Vec<(String, model::Value, String)>,
) {
    for (field, value) in map {
        if values.len() >= MAX_READINGS {
            return;
        }
        let folded = words::folded(field);
        let is_about = device_field == Some(field.as_str())
            || before.is_empty()
                && (words::TIME.contains(&folded.as_str())
                    && (time::of(value).is_some() || matches!(leaf(value), Some(model::Value::Text(_))))
                    || words::UNIT.contains(&folded.as_str())
                    || ["id", "_id", "type", "event", "jsonrpc", "__v"].contains(&folded.as_str()));
        let is_id = !value.is_object() && words::words(field).last().is_some_and(|word| word == "id");
        if is_about || is_id || words::SECRET.contains(&folded.as_str()) {
            continue;
        }
        let path = match (before, TRANSPARENT.contains(&folded.as_str()) && value.is_object()) {
            (before, true) => before.to_owned(),
            ("", false) => field.clone(),
            (before, false) => format!("{before}.{field}"),
        };
        match value {
            Value::Object(inner) if depth < MAX_DEPTH => nested(inner, &path, depth, None, values),
            Value::Array(list) if list.len() <= MAX_LIST => {
                let is_of_sensors = TRANSPARENT.contains(&folded.as_str()) || folded == "sensors";
                for (place, value) in list.iter().enumerate() {
                    match (value, leaf(value)) {
                        (Value::Object(inner), _) if is_of_sensors => element(inner, before, depth, values),
                        (_, Some(value)) => values.extend(
                            name(&format!("{path}.{place}")).map(|path| (path, value, String::new())),
                        ),
                        _ => {}
                    }
                }
            }
            value => {
                if let (Some(value), Some(path)) = (leaf(value), name(&path)) {
                    values.push((path, value, String::new()));
                }
            }
        }
    }
    values.truncate(MAX_READINGS);
}

/// An object inside: one reading, as `{"temperature": {"value": 21.5, "unit": "°C"}}`, or several. `named`: its field that is in the path.
fn nested(
    map: &Map<String, Value>,
    path: &str,
    depth: usize,
    named: Option<&str>,
    values: &mut Vec<(String, model::Value, String)>,
) {
    match (only_reading(&Fields::of(map)), name(path)) {
        (Some((value, unit)), Some(path)) => values.push((path, value, unit)),
        _ => flatten(map, path, depth + 1, named, values),
    }
}

/// An object in a list, by what it calls itself: `{"readings": [{"name": "co2", "value": 800}]}`.
fn element(
    map: &Map<String, Value>,
    before: &str,
    depth: usize,
    values: &mut Vec<(String, model::Value, String)>,
) {
    let fields = Fields::of(map);
    let named = [words::METRIC, &["type", "kind", "name", "label"], words::DEVICE, &["id"]];
    let named = named.iter().find_map(|names| fields.find(names, word));
    let Some((field, own)) = named.filter(|_| depth < MAX_DEPTH) else { return };
    let path = if before.is_empty() { own } else { format!("{before}.{own}") };
    nested(map, &path, depth, Some(field), values);
}

/// The reading of an object with no other number, and its unit.
fn only_reading(fields: &Fields) -> Option<(model::Value, String)> {
    let (_, value) = fields.find(words::READING, leaf)?;
    let others = fields.iter().filter(|(folded, _, value)| {
        (value.is_number() || value.is_boolean())
            && !words::READING.contains(folded)
            && !words::TIME.contains(folded)
            && !words::ID.contains(folded)
    });
    let unit = fields.find(words::UNIT, word).map(|(_, unit)| unit).unwrap_or_default();
    (others.count() == 0).then_some((value, unit))
}

/// Units beside the values: `{"temperature": 21, "unit": "°C"}`, `{"temperature": 21, "temperature_unit": "°C"}`.
fn give_units(map: &Map<String, Value>, unit: &str, values: &mut Vec<(String, model::Value, String)>) {
    let fields = Fields::of(map);
    let common = fields.find(words::UNIT, word).map(|(_, unit)| unit).unwrap_or_else(|| unit.to_owned());
    let mut own = Vec::new();
    for (metric, _, unit) in &mut *values {
        let folded = words::folded(metric);
        let beside = |(name, _, value): (&str, &str, &Value)| {
            let is_unit =
                words::UNIT.iter().any(|word| name.strip_suffix(word).is_some_and(|rest| rest == folded));
            is_unit.then(|| value.as_str().map(|unit| (name.to_owned(), unit.to_owned()))).flatten()
        };
        if let Some((name, found)) = fields.iter().find_map(beside) {
            *unit = found;
            own.push(name);
        } else if unit.is_empty() {
            unit.clone_from(&common);
        }
    }
    values.retain(|(metric, ..)| !own.contains(&words::folded(metric)));
    for (_, value, unit) in values {
        if matches!(value, model::Value::Text(_) | model::Value::Flag(_)) {
            unit.clear();
        }
    }
}

/// Whether a name is that of a quantity.
pub(super) fn is_quantity(name: &str) -> bool {
    words::words(name).iter().any(|word| QUANTITIES.contains(&word.as_str()))
}

/// The readings in arguments in a row: `("shed/temperature", "21.5")`, `("shed", 21.5)`, `(21.5, "°C")`, `(21.5, 40)`.
pub(super) fn in_row(source: &str, args: &[Cow<'_, Value>]) -> Option<Measured> {
    let number = |value: &Value| value.is_number() || value.is_boolean();
    match args {
        [topic, value] if topic.as_str().is_some_and(|topic| topic.contains('/')) => {
            of(topic.as_str()?, value, None, "")
        }
        [device, value] if number(value) && device.is_string() => of(source, value, word(device), ""),
        [value, unit] if value.is_number() && unit.as_str().is_some_and(|unit| unit.chars().count() <= 8) => {
            of(source, value, None, unit.as_str()?)
        }
        args if args.iter().all(|arg| number(arg)) => {
            let list: Vec<Value> = args.iter().map(|arg| (**arg).clone()).collect();
            of(source, &Value::Object(Map::from_iter([(last_part(source), list.into())])), None, "")
        }
        _ => None,
    }
}

/// The readings in a text that is nothing else: `Temperature: 21.5 °C, Humidity: 40 %`. A person may write so, too: there are two, or a unit.
pub(super) fn in_text(source: &str, text: &str) -> Option<Measured> {
    let mut values: Vec<(String, model::Value, String)> = Vec::new();
    for part in text.split([',', ';', '\n', '|']).filter(|part| !part.trim().is_empty()) {
        let (metric, rest) = part.split_once([':', '='])?;
        let rest = rest.trim();
        let end = rest.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '-' | '+'));
        let (number, unit) = rest.split_at(end.unwrap_or(rest.len()));
        let unit = unit.trim();
        if unit.chars().count() > 5 || unit.contains(char::is_whitespace) {
            return None;
        }
        values.push((name(metric)?, number_in(number)?, unit.to_owned()));
    }
    let is_sure = values.len() > 1 || values.iter().any(|(.., unit)| !unit.is_empty());
    let is_measured = values.iter().all(|(metric, ..)| is_quantity(metric));
    (is_sure && is_measured).then(|| Measured { device: last_part(source), values, at: None })
}

/// A value that is no object and no list.
fn leaf(value: &Value) -> Option<model::Value> {
    match value {
        Value::Number(_) | Value::Bool(_) => model::Value::deserialize(value).ok(),
        Value::String(text) if text.chars().count() <= MAX_TEXT_CHARS && !text.trim().is_empty() => {
            Some(number_in(text).unwrap_or_else(|| model::Value::Text(text.trim().into())))
        }
        _ => None,
    }
}

/// A value that is all there is: a number, a flag, or a text that is a number.
fn bare(value: &Value) -> Option<model::Value> {
    match value {
        Value::String(text) => number_in(text),
        value => leaf(value),
    }
}

fn number_in(text: &str) -> Option<model::Value> {
    let text = text.trim();
    let looks = text.len() <= 32
        && text.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | 'e' | 'E'));
    let is_padded =
        text.trim_start_matches(['-', '+']).starts_with('0') && !text.contains('.') && text.len() > 1;
    (looks && !is_padded).then(|| model::Value::parse_number(text).ok()).flatten()
}

fn last_part(source: &str) -> String {
    source.split(['/', '.', ':']).rfind(|part| !part.is_empty()).unwrap_or("server").to_owned()
}

fn name(text: &str) -> Option<String> {
    let visible: String = text.chars().filter(|c| !c.is_control()).take(MAX_NAME_CHARS).collect();
    Some(visible.trim().to_owned()).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A metric, its value and its unit.
    type Reading = (String, Value, String);

    fn read(source: &str, value: Value) -> Option<(String, Vec<Reading>)> {
        let measured = of(source, &value, None, "")?;
        let json = |value: &model::Value| serde_json::to_value(value).unwrap();
        let values =
            measured.values.iter().map(|(metric, value, unit)| (metric.clone(), json(value), unit.clone()));
        Some((measured.device, values.collect()))
    }

    #[test]
    fn readings_are_found_with_their_device_and_unit() {
        let one = |metric: &str, value: Value, unit: &str| (metric.to_owned(), value, unit.to_owned());
        for (source, value, device, values) in [
            (
                "sensor",
                json!({"device": "shed", "temperature": 21.5, "humidity": 40, "time": 1_767_323_045}),
                "shed",
                vec![one("temperature", json!(21.5), ""), one("humidity", json!(40), "")],
            ),
            ("temperature", json!(21.5), "server", vec![one("temperature", json!(21.5), "")]),
            ("shed/temperature", json!("21.5"), "shed", vec![one("temperature", json!(21.5), "")]),
            ("/topic/shed.temperature", json!(21), "shed", vec![one("temperature", json!(21), "")]),
            (
                "sensor data",
                json!({"sensorId": "a1", "metric": "co2", "value": 800, "unit": "ppm"}),
                "a1",
                vec![one("co2", json!(800), "ppm")],
            ),
            (
                "stats",
                json!({"cpu": {"load": 0.5, "cores": 4}, "ok": true}),
                "stats",
                vec![
                    one("cpu.load", json!(0.5), ""),
                    one("cpu.cores", json!(4), ""),
                    one("ok", json!(true), ""),
                ],
            ),
            (
                "env",
                json!({"name": "shed", "temperature": {"value": 20, "unit": "°C"}}),
                "shed",
                vec![one("temperature", json!(20), "°C")],
            ),
            (
                "env",
                json!({"temperature": 20, "temperature_unit": "°C", "state": "on"}),
                "env",
                vec![one("temperature", json!(20), "°C"), one("state", json!("on"), "")],
            ),
            (
                "xy",
                json!({"pos": [1, 2]}),
                "xy",
                vec![one("pos.0", json!(1), ""), one("pos.1", json!(2), "")],
            ),
        ] {
            let mut expected = values;
            expected.sort_by(|a, b| a.0.cmp(&b.0));
            let (found, mut values) = read(source, value.clone()).unwrap();
            values.sort_by(|a, b| a.0.cmp(&b.0));
            assert_eq!((found.as_str(), values), (device, expected), "{value}");
        }
    }

    #[test]
    fn what_measures_nothing_is_no_reading() {
        for (source, value) in [
            ("x", json!("hello")),
            ("x", json!({"page": "/admin"})),
            ("x", json!({})),
            ("x", json!(null)),
            ("x", json!([])),
            ("x", json!("0123")),
            ("x", json!({"token": 7})),
        ] {
            assert_eq!(read(source, value.clone()), None, "{value}");
        }
        let many: Map<String, Value> = (0..1000).map(|n| (format!("m{n}"), json!(n))).collect();
        assert_eq!(read("x", Value::Object(many)).unwrap().1.len(), MAX_READINGS);
    }
}
