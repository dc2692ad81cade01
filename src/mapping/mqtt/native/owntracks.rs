//! OwnTracks: `owntracks/PERSON/DEVICE`.

use super::put;
use super::there;
use crate::mapping::mqtt::book::{Book, Dev, Rank};
use crate::mapping::mqtt::template::Payload;
use crate::mapping::mqtt::{general, json, text};
use crate::model::device::Value;
use serde_json::Value as Json;

pub(super) fn takes(topic: &str, payload: &Payload<'_>) -> bool {
    let has_type = || payload.json().and_then(|json| json.get("_type")).is_some_and(Json::is_string);
    topic.starts_with("owntracks/") && topic.split('/').count() >= 3
        || has_type() && payload.json().is_some_and(|json| json.get("tst").is_some())
}

pub(super) fn receive(book: &mut Book, id: u32, topic: &str, payload: &Payload<'_>) {
    let levels: Vec<&str> = topic.split('/').collect();
    let Some(Json::Object(fields)) = payload.json() else { return };
    let at = if levels[0] == "owntracks" { 1 } else { levels.len().saturating_sub(2) };
    let (Some(person), Some(phone)) = (levels.get(at), levels.get(at + 1)) else { return };
    let kind = fields.get("_type").and_then(Json::as_str).unwrap_or_default();
    let path = format!("{person}/{phone}");
    let Some(dev) = book.device(Rank::Shape, &[&format!("owntracks:{path}")], &path) else { return };
    book.describe(dev, Rank::Own, &format!("{person} {phone}"), "phone", &[("person", person)]);
    book.at = fields.get("tst").and_then(general::moment);
    match kind {
        "lwt" => book.say(dev, "lwt", there(false)),
        "location" => {
            book.say(dev, "lwt", there(true));
            location(book, dev, id, fields);
        }
        "steps" => {
            if let Some(steps) = fields.get("steps").and_then(json::reading) {
                put(book, dev, "steps", id, "Steps", steps, "");
            }
        }
        "transition" => {
            let text_of =
                |name: &str| fields.get(name).and_then(json::string).unwrap_or_default().into_owned();
            put(
                book,
                dev,
                "transition",
                id,
                "Transition",
                text::text(&format!("{} {}", text_of("event"), text_of("desc"))),
                "",
            );
        }
        _ => {}
    }
}

fn location(book: &mut Book, dev: Dev, id: u32, fields: &serde_json::Map<String, Json>) {
    let number = |name: &str| {
        fields.get(name).and_then(json::reading).filter(|value| matches!(value, Value::Number(_)))
    };
    for (field, name, unit) in [
        ("lat", "Latitude", "°"),
        ("lon", "Longitude", "°"),
        ("acc", "Accuracy", "m"),
        ("alt", "Altitude", "m"),
        ("vel", "Speed", "km/h"),
        ("cog", "Course", "°"),
        ("batt", "Battery", "%"),
        ("p", "Pressure", "kPa"),
    ] {
        if let Some(value) = number(field) {
            put(book, dev, field, id, name, value, unit);
        }
    }
    let charge = match fields.get("bs").and_then(Json::as_i64) {
        Some(1) => "unplugged",
        Some(2) => "charging",
        Some(3) => "full",
        _ => "",
    };
    if !charge.is_empty() {
        put(book, dev, "bs", id, "Charge", text::text(charge), "");
    }
    let connection = match fields.get("conn").and_then(Json::as_str) {
        Some("w") => "Wi-Fi",
        Some("m") => "mobile",
        Some("o") => "offline",
        _ => "",
    };
    if !connection.is_empty() {
        put(book, dev, "conn", id, "Connection", text::text(connection), "");
    }
    let regions: Vec<&str> = fields
        .get("inregions")
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
        .filter_map(Json::as_str)
        .take(16)
        .collect();
    let regions = if regions.is_empty() { "none".to_owned() } else { regions.join(", ") };
    put(book, dev, "inregions", id, "Region", text::text(&regions), "");
}
