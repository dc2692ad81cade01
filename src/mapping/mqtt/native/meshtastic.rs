//! Meshtastic's JSON: `ROOT/2/json/CHANNEL/!NODE`.

use super::put;
use super::there;
use crate::mapping::mqtt::book::{Book, Dev, Rank};
use crate::mapping::mqtt::general;
use crate::mapping::mqtt::ha::words_of;
use crate::mapping::mqtt::template::Payload;
use crate::mapping::mqtt::{json, text};
use crate::model::device::Value;
use serde_json::{Map, Value as Json};

/// The level before which the root ends.
fn place(topic: &str) -> Option<(&str, Vec<&str>)> {
    let (_, rest) = topic.split_once("/2/")?;
    let levels: Vec<&str> = rest.split('/').collect();
    Some((levels.first()?, levels[1..].to_vec()))
}

pub(super) fn takes(topic: &str, payload: &Payload<'_>) -> bool {
    let is_node = topic.rsplit('/').next().is_some_and(|last| last.starts_with('!'));
    topic.starts_with("msh/") && place(topic).is_some()
        || is_node && place(topic).is_some() && payload.json().is_some_and(|json| json.get("from").is_some())
}

fn node(book: &mut Book, number: u64) -> Option<Dev> {
    let id = format!("!{number:08x}");
    book.device(Rank::Own, &[&format!("meshtastic:{id}")], &id)
}

pub(super) fn receive(book: &mut Book, id: u32, topic: &str, payload: &Payload<'_>) {
    let Some((kind, rest)) = place(topic) else { return };
    if kind == "stat" {
        let number = rest.last().and_then(|last| u64::from_str_radix(last.trim_start_matches('!'), 16).ok());
        if let (Some(dev), Some(is_there)) =
            (number.and_then(|number| node(book, number)), text::presence(&payload.text()))
        {
            book.say(dev, topic, there(is_there));
        }
        return;
    }
    // Encrypted packets are for the mesh alone.
    if kind != "json" {
        return;
    }
    let Some(Json::Object(fields)) = payload.json() else { return };
    let Some(dev) = fields.get("from").and_then(Json::as_u64).and_then(|number| node(book, number)) else {
        return;
    };
    book.at = fields.get("timestamp").and_then(general::moment);
    let kind = fields.get("type").and_then(Json::as_str).unwrap_or_default();
    for (field, name, unit) in
        [("rssi", "Signal", "dBm"), ("snr", "Signal-to-noise ratio", "dB"), ("hops_away", "Hops away", "")]
    {
        if let Some(value @ Value::Number(_)) = fields.get(field).and_then(json::reading) {
            put(book, dev, field, id, name, value, unit);
        }
    }
    match fields.get("payload") {
        Some(Json::Object(inner)) if kind == "nodeinfo" => {
            let text = |name: &str| inner.get(name).and_then(json::string).unwrap_or_default().into_owned();
            book.describe(
                dev,
                Rank::Told,
                &text("longname"),
                "node",
                &[("short name", &text("shortname")), ("model", &text("hardware")), ("role", &text("role"))],
            );
        }
        Some(Json::Object(inner)) if kind == "position" => position(book, dev, id, inner),
        Some(Json::Object(inner)) if kind == "paxcounter" => {
            for (field, name) in [("wifi_count", "Wi-Fi devices"), ("ble_count", "Bluetooth devices")] {
                if let Some(count) = inner.get(field).and_then(json::reading) {
                    put(book, dev, field, id, name, count, "");
                }
            }
        }
        Some(Json::Object(inner)) if kind == "telemetry" => {
            inner.iter().for_each(|(name, value)| telemetry(book, dev, id, name, value))
        }
        Some(said) if matches!(kind, "text" | "sendtext") => {
            let said = said.get("text").and_then(Json::as_str).or(said.as_str()).unwrap_or_default();
            if !said.is_empty() {
                put(book, dev, "text", id, "Message", text::text(said), "");
            }
        }
        _ => {}
    }
}

fn position(book: &mut Book, dev: Dev, id: u32, fields: &Map<String, Json>) {
    for (field, name, unit, scale) in [
        ("latitude_i", "Latitude", "°", 1e-7),
        ("longitude_i", "Longitude", "°", 1e-7),
        ("altitude", "Altitude", "m", 1.0),
        ("ground_speed", "Speed", "m/s", 1.0),
        ("sats_in_view", "Satellites", "", 1.0),
    ] {
        if let Some(number) = json::number(fields.get(field)) {
            let value = if scale < 1.0 { (number * scale * 1e7).round() / 1e7 } else { number };
            put(book, dev, field, id, name, Value::number(value), unit);
        }
    }
}

fn telemetry(book: &mut Book, dev: Dev, id: u32, field: &str, value: &Json) {
    let Some(value) = json::reading(value) else { return };
    let (name, unit) = match field {
        "battery_level" => ("Battery", "%"),
        "voltage" => ("Voltage", "V"),
        "air_util_tx" => ("Air time", "%"),
        "channel_utilization" => ("Channel use", "%"),
        "uptime_seconds" => ("Uptime", "s"),
        "temperature" => ("Temperature", "°C"),
        "relative_humidity" => ("Humidity", "%"),
        "barometric_pressure" => ("Pressure", "hPa"),
        "current" => ("Current", "mA"),
        "lux" => ("Illuminance", "lx"),
        "pm10" | "pm25" | "pm100" => ("", "µg/m³"),
        _ => ("", ""),
    };
    let name = if name.is_empty() { words_of(field) } else { name.to_owned() };
    let value = match (field, &value) {
        // Above 100 it is plugged in.
        ("battery_level", Value::Number(level)) if *level > 100.0 => {
            put(book, dev, "power", id, "Power source", text::text("plugged in"), "");
            Value::Number(100.0)
        }
        ("battery_level", Value::Number(_)) => {
            put(book, dev, "power", id, "Power source", text::text("battery"), "");
            value
        }
        // Percentages of single precision, computed by the node.
        ("air_util_tx" | "channel_utilization", Value::Number(share)) => {
            Value::number((share * 1e4).round() / 1e4)
        }
        // Not measured.
        ("voltage", Value::Number(volts)) if *volts == 0.0 => Value::Missing,
        _ => value,
    };
    put(book, dev, field, id, &name, value, unit);
}
