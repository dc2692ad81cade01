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
    // What it found when it looked who is there.
    if circuit.starts_with("scan.") {
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
        ("global", "uptime") => {
            return put(book, dev, "uptime", id, "Uptime", text::value(said.trim()), "s");
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
                let shown = if field == "value" || field == "0" || is_one { "" } else { field };
                show(book, dev, id, message, (shown, field), value);
            });
        }
        _ => {
            let field = levels.get(2).copied().unwrap_or_default();
            // A value and how its sensor is: `46.44;ok`. More fields in one text are shown as they come.
            let pair = said.trim().split_once(';').filter(|(_, state)| !state.contains(';'));
            let pair = pair.and_then(|(number, state)| Some((text::number(number)?, state)));
            match pair {
                Some((value, state)) => {
                    show(book, dev, id, message, (field, field), value);
                    let name = format!("{field} sensor");
                    show(book, dev, id, message, (name.trim(), ""), text::text(state));
                }
                None => show(book, dev, id, message, (field, field), general::bare(payload).0),
            }
        }
    }
}

/// `field`: what the field is shown as, and what it is called.
fn show(book: &mut Book, dev: Dev, id: u32, message: &str, (shown, field): (&str, &str), value: Value) {
    let name = format!("{} {shown}", words_of(super::spaced(message).trim()).trim()).trim().to_owned();
    let lower = message.to_lowercase();
    let is_number = matches!(value, Value::Number(_));
    let unit = match lower.as_str() {
        // The type of the field, where it is given, says more than the message's name.
        _ if is_number && field.starts_with("temp") => "°C",
        _ if is_number && field.starts_with("percent") => "%",
        _ if is_number && field.starts_with("press") => "bar",
        _ if is_number && field.starts_with("hours") => "h",
        name if !is_number || name.contains("status") || name.contains("mode") => "",
        name if name.contains("temp") => "°C",
        name if name.contains("press") => "bar",
        _ => "",
    };
    put(book, dev, &format!("{message}/{shown}"), id, &name, value, unit);
}
