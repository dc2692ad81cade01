//! ebusd: `ebusd/CIRCUIT/MESSAGE[/FIELD]`.

use super::put;
use super::there;
use crate::mapping::mqtt::book::{Book, Dev, Rank};
use crate::mapping::mqtt::ha::words_of;
use crate::mapping::mqtt::template::Payload;
use crate::mapping::mqtt::{general, json, text};
use crate::model::device::Value;
use serde_json::Value as Json;

pub(super) fn takes(topic: &str) -> bool {
    topic.starts_with("ebusd/") && topic.split('/').count() >= 3
}

pub(super) fn receive(book: &mut Book, id: u32, topic: &str, payload: &Payload<'_>) {
    let levels: Vec<&str> = topic.split('/').skip(1).collect();
    let (Some(circuit), Some(message)) = (levels.first(), levels.get(1)) else { return };
    if matches!(levels.last(), Some(&("set" | "get" | "list"))) {
        return;
    }
    let key = format!("ebusd:{circuit}");
    let title = if *circuit == "global" { "ebusd" } else { circuit };
    let Some(dev) = book.device(Rank::Shape, &[&key], &format!("ebusd/{circuit}")) else { return };
    book.describe(dev, Rank::Shape, title, "", &[("via", if *circuit == "global" { "" } else { "ebusd" })]);
    let said = payload.text();
    match (*circuit, *message) {
        ("global", "running") => {
            if let Some(runs) = text::flag(&said) {
                book.say(dev, topic, there(runs));
            }
            return;
        }
        ("global", "version") => {
            book.describe(dev, Rank::Own, "", "", &[("firmware", &said)]);
            return;
        }
        _ => {}
    }
    match payload.json() {
        Some(json @ Json::Object(fields)) => {
            let is_one = fields.len() == 1;
            json::flatten(json, ".", &mut |path, value| {
                // `{"temp":{"value":21.5}}`
                let field = path.strip_suffix(".value").unwrap_or(path);
                if path.ends_with(".name") {
                    return;
                }
                let value = json::reading(value).unwrap_or_default();
                let field = if field == "value" || field == "0" || is_one { "" } else { field };
                show(book, dev, id, message, field, value);
            });
        }
        _ => {
            let (value, _) = general::bare(payload);
            let field = levels.get(2).copied().unwrap_or_default();
            // Fields in one text, separated by `;`, are shown as they come.
            show(book, dev, id, message, field, value);
        }
    }
}

fn show(book: &mut Book, dev: Dev, id: u32, message: &str, field: &str, value: Value) {
    let name = format!("{} {field}", words_of(super::spaced(message).trim()).trim()).trim().to_owned();
    let lower = message.to_lowercase();
    let is_number = matches!(value, Value::Number(_));
    let unit = match lower.as_str() {
        name if !is_number || name.contains("status") || name.contains("mode") => "",
        name if name.contains("temp") => "°C",
        name if name.contains("press") => "bar",
        _ => "",
    };
    put(book, dev, &format!("{message}/{field}"), id, &name, value, unit);
}
