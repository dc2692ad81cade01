//! Radio sensors by rtl_433: all of them on one topic, or one topic for each value.

use super::put;
use crate::mapping::mqtt::book::{Book, Dev, Rank};
use crate::mapping::mqtt::general;
use crate::mapping::mqtt::ha::words_of;
use crate::mapping::mqtt::template::Payload;
use crate::mapping::mqtt::{json, text};
use crate::model::device::Value;
use serde_json::{Map, Value as Json};

/// How long the same values again are the same transmission, in milliseconds.
const REPEATED_MS: u64 = 3_000;
/// Fields that tell a sender from others, and what is about the transmission.
const LEFT: &[&str] = &[
    "time",
    "model",
    "id",
    "sensor_id",
    "channel",
    "mic",
    "mod",
    "freq",
    "freq1",
    "freq2",
    "subtype",
    "type",
    "protocol",
    "sequence_num",
    "message_type",
    "raw_msg",
    "repeat",
    "brand",
    "flags",
    "learn",
    "test",
    "data",
    "code",
    "codes",
    "rows",
    "tristate",
    "exception",
    "msg_counter",
    "counter",
    "ProtocolID",
    "EndpointType",
    "EndpointID",
    "PacketCRC",
    "rolling_code",
    "secure_id",
    "sequence",
];
/// Fields that are 1 or 0 for yes or no.
const FLAGS: &[&str] = &[
    "battery_low",
    "contact_open",
    "reed_open",
    "alarm",
    "tamper",
    "heartbeat",
    "motion",
    "open",
    "closed",
    "water",
    "leak",
    "smoke",
    "rain",
    "raining",
    "button",
    "test_button",
    "startup",
];

/// Whether it reads a topic.
pub(super) fn takes(topic: &str, payload: &Payload<'_>) -> bool {
    if topic.starts_with("rtl_433/") && !topic.ends_with("/status") && !topic.ends_with("/availability") {
        return place(topic).is_some() || payload.json().is_some_and(|json| json.get("model").is_some());
    }
    payload.json().is_some_and(|json| {
        json.get("model").is_some()
            && json.get("time").is_some()
            && (json.get("mic").is_some() || json.get("mod").is_some() || json.get("temperature_C").is_some())
    })
}

/// The sender and the field of a topic for one value: they follow `devices`, or begin with a model such as `Prologue-TH`.
fn place(topic: &str) -> Option<(&str, &str)> {
    if let Some((_, rest)) = topic.split_once("/devices/") {
        return rest.rsplit_once('/');
    }
    let mut rest = topic.strip_prefix("rtl_433/")?;
    loop {
        let (level, below) = rest.split_once('/')?;
        if level.contains('-') && level.starts_with(|first: char| first.is_ascii_uppercase()) {
            return rest.rsplit_once('/');
        }
        rest = below;
    }
}

/// Reads a message.
pub(super) fn receive(book: &mut Book, id: u32, topic: &str, payload: &Payload<'_>) {
    match payload.json() {
        Some(Json::Object(fields)) => event(book, id, fields),
        _ => {
            let Some((sender, field)) = place(topic) else { return };
            if LEFT.contains(&field) {
                return;
            }
            let title = sender.replace('/', " ");
            let Some(dev) = book.device(Rank::Own, &[&format!("rtl433:{title}")], &title) else { return };
            book.describe(
                dev,
                Rank::Own,
                &title,
                "",
                &[("model", sender.split('/').next().unwrap_or_default())],
            );
            let (value, unit) = general::bare(payload);
            reading(book, dev, id, field, value, unit);
        }
    }
}

fn event(book: &mut Book, id: u32, fields: &Map<String, Json>) {
    let text = |name: &str| fields.get(name).and_then(json::string).unwrap_or_default().into_owned();
    let (model, channel) = (text("model"), text("channel"));
    let own = [text("id"), text("sensor_id")].into_iter().find(|id| !id.is_empty()).unwrap_or_default();
    let title = [model.as_str(), &channel, &own]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    let Some(dev) = book.device(Rank::Own, &[&format!("rtl433:{title}")], &title) else { return };
    book.describe(
        dev,
        Rank::Own,
        &title,
        "",
        &[("model", &model), ("sender id", &own), ("channel", &channel)],
    );
    book.at = fields.get("time").and_then(general::moment);
    for (name, value) in fields {
        if !LEFT.contains(&name.as_str())
            && let Some(value) = json::reading(value)
        {
            reading(book, dev, id, name, value, "");
        }
    }
}

fn reading(book: &mut Book, dev: Dev, id: u32, field: &str, value: Value, unit: &'static str) {
    let now = book.now.boot_ms;
    let is_again =
        book.last(dev, field).is_some_and(|(last, at)| *last == value && now.since(*at) < REPEATED_MS);
    if is_again && !book.replayed {
        return;
    }
    // The unit is shown beside the name.
    let (shown, own) = text::named_unit(field).unwrap_or((field, ""));
    let unit = match (unit, field) {
        ("", "humidity" | "moisture") => "%",
        ("", "rssi" | "snr" | "noise") => "dB",
        ("", "uv" | "uvi") => "",
        ("", _) => own,
        (unit, _) => unit,
    };
    let value = match &value {
        Value::Number(number) if FLAGS.contains(&field) => Value::Flag(*number != 0.0),
        _ => value,
    };
    let (shown, value, unit) = match field {
        "rssi" => ("Signal", value, unit),
        "snr" => ("Signal-to-noise ratio", value, unit),
        "pm2_5_ug_m3" | "estimated_pm10_0_ug_m3" | "pm10_0_ug_m3" => {
            (if field.contains("10") { "PM10" } else { "PM2.5" }, value, unit)
        }
        "co2_ppm" => ("CO2", value, unit),
        "uvi" | "uv" => ("UV index", value, unit),
        // 1 is full, 0 is empty; some say how full.
        "battery_ok" => ("Battery", battery(&value), "%"),
        _ => (shown, value, unit),
    };
    put(book, dev, field, id, &words_of(shown), value, unit);
}

fn battery(value: &Value) -> Value {
    match value {
        Value::Number(level) => Value::number((level * 100.0).round().clamp(0.0, 100.0)),
        other => other.clone(),
    }
}
