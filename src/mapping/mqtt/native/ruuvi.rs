//! Ruuvi gateways: `ruuvi/GATEWAY/TAG`.

use super::put;
use super::there;
use crate::mapping::mqtt::book::{Book, Dev, Rank};
use crate::mapping::mqtt::general;
use crate::mapping::mqtt::ha::mac;
use crate::mapping::mqtt::json;
use crate::mapping::mqtt::template::Payload;
use crate::model::device::Value;
use serde_json::{Map, Value as Json};

/// The gateway and the tag, or another last level.
fn split(topic: &str) -> Option<(&str, &str)> {
    let (before, last) = topic.rsplit_once('/')?;
    let gateway = before.rsplit('/').next()?;
    (mac(gateway).is_some() && gateway.contains(':') && (mac(last).is_some() || last == "gw_status"))
        .then_some((gateway, last))
}

pub(super) fn takes(topic: &str, payload: &Payload<'_>) -> bool {
    split(topic).is_some()
        && payload.json().is_some_and(|json| {
            json.get("gw_mac").is_some() || json.get("data").is_some() || json.get("state").is_some()
        })
}

pub(super) fn receive(book: &mut Book, id: u32, topic: &str, payload: &Payload<'_>) {
    let (Some((gateway, tag)), Some(Json::Object(fields))) = (split(topic), payload.json()) else {
        return;
    };
    if tag == "gw_status" {
        let key = format!("ruuvi-gateway:{gateway}");
        if let (Some(dev), Some(is_there)) = (
            book.device(Rank::Own, &[&key], &format!("Ruuvi gateway {gateway}")),
            general::presence("state", payload),
        ) {
            book.describe(
                dev,
                Rank::Own,
                &format!("Ruuvi gateway {gateway}"),
                "gateway",
                &[("manufacturer", "Ruuvi"), ("mac", gateway)],
            );
            book.say(dev, topic, there(is_there));
        }
        return;
    }
    let Some(address) = mac(tag) else { return };
    let Some(dev) = book.device(Rank::Own, &[&format!("mac:{address}")], tag) else { return };
    book.at = fields.get("ts").or_else(|| fields.get("timestamp")).and_then(general::moment);
    if let Some(signal) = fields.get("rssi").and_then(json::reading) {
        put(book, dev, "rssi", id, "Signal", signal, "dBm");
    }
    let raw = fields
        .get("data")
        .and_then(Json::as_str)
        .and_then(|data| data_encoding::HEXUPPER_PERMISSIVE.decode(data.as_bytes()).ok());
    let decoded = raw.as_deref().and_then(ruuvi_data).map(decode).unwrap_or_default();
    let is_ruuvi = !decoded.is_empty();
    for (name, value, unit) in decoded {
        put(book, dev, name, id, name, value, unit);
    }
    if !is_ruuvi {
        decoded_by_gateway(book, dev, id, fields);
    }
    let title = if is_ruuvi || fields.contains_key("temperature") {
        format!("RuuviTag {tag}")
    } else {
        tag.to_owned()
    };
    book.describe(
        dev,
        Rank::Own,
        &title,
        "",
        &[("via", gateway), ("mac", tag), ("manufacturer", if is_ruuvi { "Ruuvi" } else { "" })],
    );
}

/// Newer gateways decode by themselves.
fn decoded_by_gateway(book: &mut Book, dev: Dev, id: u32, fields: &Map<String, Json>) {
    let own = [
        ("temperature", "Temperature", "°C"),
        ("humidity", "Humidity", "%"),
        ("pressure", "Pressure", "hPa"),
        ("voltage", "Battery voltage", "V"),
        ("movementCounter", "Movements", ""),
        ("measurementSequenceNumber", "Sequence", ""),
        ("txPower", "Transmit power", "dBm"),
        ("accelX", "Acceleration X", "g"),
        ("accelY", "Acceleration Y", "g"),
        ("accelZ", "Acceleration Z", "g"),
        ("CO2", "CO2", "ppm"),
        ("PM2.5", "PM2.5", "µg/m³"),
        ("VOC", "VOC", ""),
        ("NOx", "NOx", ""),
        ("luminosity", "Illuminance", "lx"),
    ];
    for (field, name, unit) in own {
        let Some(value) = fields.get(field).and_then(json::reading) else { continue };
        let value = match (field, &value) {
            ("pressure", Value::Number(pascals)) if *pascals > 2_000.0 => {
                Value::number((pascals / 100.0 * 100.0).round() / 100.0)
            }
            _ => value,
        };
        put(book, dev, name, id, name, value, unit);
    }
}

/// The manufacturer's data of Ruuvi in a Bluetooth advertisement.
fn ruuvi_data(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes;
    while let [length, after @ ..] = rest {
        let (part, next) = after.split_at_checked(usize::from(*length))?;
        if let [0xff, 0x99, 0x04, data @ ..] = part {
            return Some(data);
        }
        rest = next;
    }
    None
}

type Reading = (&'static str, Value, &'static str);

/// Ruuvi's data formats 3, 5 and 6.
/// Long: one arm for each data format.
fn decode(data: &[u8]) -> Vec<Reading> {
    let signed = |at: usize| Some(i16::from_be_bytes([*data.get(at)?, *data.get(at + 1)?]));
    let whole = |at: usize| Some(u16::from_be_bytes([*data.get(at)?, *data.get(at + 1)?]));
    let byte = |at: usize| data.get(at).copied();
    let mut out = Vec::new();
    let mut add = |name: &'static str, value: Option<f64>, digits: i32, unit: &'static str| {
        if let Some(value) = value {
            let scale = 10f64.powi(digits);
            out.push((name, Value::number((value * scale).round() / scale), unit));
        }
    };
    match data.first() {
        Some(5) => {
            add("Temperature", signed(1).filter(|v| *v != i16::MIN).map(|v| f64::from(v) * 0.005), 3, "°C");
            add("Humidity", whole(3).filter(|v| *v != u16::MAX).map(|v| f64::from(v) * 0.0025), 4, "%");
            add(
                "Pressure",
                whole(5).filter(|v| *v != u16::MAX).map(|v| (f64::from(v) + 50_000.0) / 100.0),
                2,
                "hPa",
            );
            for (name, at) in [("Acceleration X", 7), ("Acceleration Y", 9), ("Acceleration Z", 11)] {
                add(name, signed(at).filter(|v| *v != i16::MIN).map(|v| f64::from(v) / 1_000.0), 3, "g");
            }
            add(
                "Battery voltage",
                whole(13).filter(|v| v >> 5 != 2_047).map(|v| (f64::from(v >> 5) + 1_600.0) / 1_000.0),
                3,
                "V",
            );
            add(
                "Transmit power",
                whole(13).filter(|v| v & 31 != 31).map(|v| f64::from(v & 31) * 2.0 - 40.0),
                0,
                "dBm",
            );
            add("Movements", byte(15).filter(|v| *v != u8::MAX).map(f64::from), 0, "");
            add("Sequence", whole(16).filter(|v| *v != u16::MAX).map(f64::from), 0, "");
        }
        Some(3) => {
            add("Humidity", byte(1).map(|v| f64::from(v) * 0.5), 1, "%");
            let sign = |v: u8| if v & 0x80 != 0 { -1.0 } else { 1.0 };
            let temperature = byte(2)
                .zip(byte(3))
                .map(|(v, part)| sign(v) * (f64::from(v & 0x7f) + f64::from(part) / 100.0));
            add("Temperature", temperature, 2, "°C");
            add("Pressure", whole(4).map(|v| (f64::from(v) + 50_000.0) / 100.0), 2, "hPa");
            for (name, at) in [("Acceleration X", 6), ("Acceleration Y", 8), ("Acceleration Z", 10)] {
                add(name, signed(at).map(|v| f64::from(v) / 1_000.0), 3, "g");
            }
            add("Battery voltage", whole(12).map(|v| f64::from(v) / 1_000.0), 3, "V");
        }
        Some(6) => {
            add("Temperature", signed(1).filter(|v| *v != i16::MIN).map(|v| f64::from(v) * 0.005), 3, "°C");
            add("Humidity", whole(3).filter(|v| *v != u16::MAX).map(|v| f64::from(v) * 0.0025), 4, "%");
            add(
                "Pressure",
                whole(5).filter(|v| *v != u16::MAX).map(|v| (f64::from(v) + 50_000.0) / 100.0),
                2,
                "hPa",
            );
            add("PM2.5", whole(7).filter(|v| *v != u16::MAX).map(|v| f64::from(v) * 0.1), 1, "µg/m³");
            add("CO2", whole(9).filter(|v| *v != u16::MAX).map(f64::from), 0, "ppm");
        }
        _ => {}
    }
    out
}
