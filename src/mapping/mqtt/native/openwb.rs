//! openWB: `openWB/…`.

use super::put;
use crate::mapping::mqtt::book::{Book, Dev, Rank};
use crate::mapping::mqtt::general;
use crate::mapping::mqtt::ha::{json_of, words_of};
use crate::mapping::mqtt::template::Payload;
use crate::mapping::mqtt::{json, text};
use crate::model::device::Value;
use serde_json::Value as Json;

pub(super) fn takes(topic: &str) -> bool {
    topic.starts_with("openWB/")
}

/// The device, which is what stands before the first number, and the number; and the field.
fn split<'a>(rest: &[&'a str]) -> (String, Vec<&'a str>) {
    let number =
        rest.iter().position(|level| !level.is_empty() && level.bytes().all(|byte| byte.is_ascii_digit()));
    match (rest, number) {
        (_, Some(at)) if at > 0 && at < 3 => (rest[..=at].join("/"), rest[at + 1..].to_vec()),
        ([first, field @ ..], _) if !field.is_empty() => ((*first).to_owned(), field.to_vec()),
        _ => ("openWB".to_owned(), rest.to_vec()),
    }
}

pub(super) fn receive(book: &mut Book, id: u32, topic: &str, payload: &Payload<'_>) {
    let levels: Vec<&str> = topic.split('/').skip(1).collect();
    // `set` asks for something; `simpleAPI/set` too.
    if levels.contains(&"set") && levels.first() == Some(&"set") || levels.starts_with(&["simpleAPI", "set"])
    {
        return;
    }
    // Records for its own pages, and what it tells itself.
    const INTERNAL: &[&str] =
        &["graph", "log", "command", "LegacySmartHome", "internal_chargepoint", "internal_io", "mqtt"];
    if levels.first().is_some_and(|first| INTERNAL.contains(first)) {
        return;
    }
    let is_simple = levels.first() == Some(&"simpleAPI");
    let rest = if is_simple { &levels[1..] } else { &levels[..] };
    let (device, field) = split(rest);
    if field.is_empty() {
        return;
    }
    let Some(dev) = book.device(Rank::Shape, &[&format!("openwb:{device}")], &format!("openWB/{device}"))
    else {
        return;
    };
    book.describe(dev, Rank::Shape, &words_of(&device.replace('/', " ")), "", &[("via", "openWB")]);
    match (field.as_slice(), payload.json()) {
        (["config" | "name"], Some(json)) => {
            let name = json.as_str().or_else(|| json.get("name")?.as_str()).unwrap_or_default();
            return book.describe(dev, Rank::Own, name, "", &[]);
        }
        (["version"], Some(Json::String(version))) => {
            return book.describe(dev, Rank::Own, "", "", &[("firmware", version)]);
        }
        _ => {}
    }
    let field: Vec<&str> = field.into_iter().filter(|level| !matches!(*level, "get" | "config")).collect();
    let path = field.join(" ");
    let key = if is_simple { format!("simple.{path}") } else { path.clone() };
    let unit_of = |name: &str, value: &Value| if matches!(value, Value::Text(_)) { "" } else { unit(name) };
    match payload.json() {
        Some(Json::String(said)) => put(book, dev, &key, id, &words_of(&path), text::text(said), ""),
        Some(json @ (Json::Object(_) | Json::Array(_))) => {
            if field.last() == Some(&"name") {
                return;
            }
            json::flatten(json, " ", &mut |inner, value| {
                let Some(value) = json::reading(value) else { return };
                let own = format!("{path} {inner}");
                let unit = unit_of(field.last().copied().unwrap_or_default(), &value);
                put(book, dev, &format!("{key} {inner}"), id, &words_of(own.trim()), value, unit);
            });
        }
        _ => {
            let (value, _) = general::bare(payload);
            let unit = unit_of(field.last().copied().unwrap_or_default(), &value);
            put(book, dev, &key, id, &words_of(&path), value, unit);
        }
    }
    if is_simple {
        control(book, dev, &key, &rest.join("/"), &path);
    }
}

fn unit(name: &str) -> &'static str {
    let lower = name.to_lowercase();
    match lower.as_str() {
        "w" | "watt" | "power" | "powers" => "W",
        "wh" | "imported" | "exported" | "daily_imported" | "daily_exported" | "counter" => "Wh",
        "a" | "currents" | "evse_current" => "A",
        "v" | "voltages" => "V",
        "hz" | "frequency" => "Hz",
        "soc" | "%soc" => "%",
        name if name.contains("soc") => "%",
        name if name.contains("current") => "A",
        name if name.contains("power") => "W",
        name if name.contains("temp") => "°C",
        _ => "",
    }
}

/// Makes a setting of the simple interface one that can be set.
fn control(book: &mut Book, dev: Dev, key: &str, rest: &str, path: &str) {
    let topic = format!("openWB/simpleAPI/set/{rest}");
    let is_setting = ["minimal_", "max_price", "_limit", "_current", "_soc", "chargemode", "charge_template"];
    if is_setting.iter().any(|part| path.contains(part)) {
        book.change_metric(dev, key, |metric| metric.risky = true);
        book.command_on(dev, key, true, topic, |value| {
            Ok(if let Value::Text(text) = value { text.to_string() } else { json_of(value).to_string() })
        });
    }
}
