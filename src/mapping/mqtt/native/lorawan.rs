//! LoRaWAN: ChirpStack 3 and 4, The Things Network 2 and 3.

use super::put;
use crate::mapping::mqtt::book::{Book, Dev, Rank};
use crate::mapping::mqtt::general;
use crate::mapping::mqtt::ha::words_of;
use crate::mapping::mqtt::template::Payload;
use crate::mapping::mqtt::{json, text};
use crate::model::device::Value;
use serde_json::Value as Json;

/// The kind of a message by its topic.
fn kind(topic: &str) -> Option<&str> {
    let levels: Vec<&str> = topic.split('/').collect();
    match levels.as_slice() {
        [.., "application", _, "device", _, "event", kind] => Some(kind),
        [
            ..,
            "application",
            _,
            "device",
            _,
            kind @ ("rx" | "up" | "status" | "join" | "ack" | "error" | "location"),
        ] => Some(kind),
        ["v3", _, "devices", _, kind] | ["v3", _, "devices", _, kind, _] => Some(kind),
        [_, "devices", _, "up"] => Some("up"),
        _ => None,
    }
}

pub(super) fn takes(topic: &str, payload: &Payload<'_>) -> bool {
    match payload.json() {
        Some(json @ Json::Object(_)) => kind(topic).is_some() || is_helium(json),
        _ => false,
    }
}

/// Helium's console publishes below any topic.
fn is_helium(json: &Json) -> bool {
    json.get("hotspots").is_some_and(Json::is_array) && json.get("dev_eui").is_some()
}

/// The device's address in a topic of ChirpStack: older ones write it in base64 in the message.
fn eui_in(topic: &str) -> Option<&str> {
    let (_, rest) = topic.split_once("application/")?;
    let (_, rest) = rest.split_once("/device/")?;
    let eui = rest.split('/').next()?;
    (eui.len() == 16 && eui.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(eui)
}

/// Where the servers write a device's address and its name.
const EUIS: &[&str] =
    &["/deviceInfo/devEui", "/devEUI", "/end_device_ids/dev_eui", "/hardware_serial", "/dev_eui"];
const NAMES: &[&str] =
    &["/deviceInfo/deviceName", "/deviceName", "/end_device_ids/device_id", "/dev_id", "/name"];

/// The first text at one of these places; may be empty.
fn text_at(json: &Json, paths: &[&str]) -> String {
    let found = paths.iter().filter_map(|path| json.pointer(path)).find_map(json::string);
    found.unwrap_or_default().into_owned()
}

pub(super) fn receive(book: &mut Book, id: u32, topic: &str, payload: &Payload<'_>) {
    let Some(json) = payload.json() else { return };
    let Some(kind) = kind(topic).or_else(|| is_helium(json).then_some("up")) else { return };
    let text = |paths: &[&str]| text_at(json, paths);
    let eui = match eui_in(topic) {
        Some(eui) => eui.to_owned(),
        None => text(EUIS),
    };
    let name = text(NAMES);
    let own = if eui.is_empty() { name.clone() } else { eui.clone() };
    if own.is_empty() {
        return;
    }
    let Some(dev) = book.device(Rank::Told, &[&format!("lora:{}", own.to_lowercase())], &own) else {
        return;
    };
    let group = text(&[
        "/deviceInfo/applicationName",
        "/applicationName",
        "/end_device_ids/application_ids/application_id",
        "/app_id",
    ]);
    let profile = text(&["/deviceInfo/deviceProfileName", "/uplink_message/version_ids/model_id"]);
    book.describe(
        dev,
        Rank::Told,
        &name,
        &group,
        &[("application", &group), ("profile", &profile), ("EUI", &eui)],
    );
    book.at = [
        "/time",
        "/received_at",
        "/uplink_message/received_at",
        "/metadata/time",
        "/rxInfo/0/time",
        "/reported_at",
    ]
    .iter()
    .filter_map(|path| json.pointer(path))
    .find_map(general::moment);
    match kind {
        "up" | "rx" => uplink(book, dev, id, json),
        "status" => {
            for (field, name, unit) in [
                ("batteryLevel", "Battery", "%"),
                ("battery", "Battery", "%"),
                ("margin", "Link margin", "dB"),
            ] {
                if let Some(value) = json.get(field).and_then(json::reading) {
                    put(book, dev, field, id, name, value, unit);
                }
            }
        }
        "join" => put(book, dev, "event", id, "Network event", text::text("joined"), ""),
        _ => {}
    }
}

fn uplink(book: &mut Book, dev: Dev, id: u32, json: &Json) {
    let gateways = ["/rxInfo", "/uplink_message/rx_metadata", "/metadata/gateways", "/hotspots"]
        .iter()
        .find_map(|path| json.pointer(path));
    // The strongest of the gateways that heard it.
    let best = gateways.and_then(Json::as_array).into_iter().flatten().max_by(|a, b| {
        let signal = |gateway: &Json| json::number(gateway.get("rssi")).unwrap_or(f64::MIN);
        signal(a).total_cmp(&signal(b))
    });
    for (fields, name, unit) in
        [(&["rssi"][..], "Signal", "dBm"), (&["snr", "loRaSNR"], "Signal-to-noise ratio", "dB")]
    {
        let value = fields.iter().find_map(|field| best?.get(*field)).and_then(json::reading);
        if let Some(value) = value {
            put(book, dev, fields[0], id, name, value, unit);
        }
    }
    let count = ["/fCnt", "/uplink_message/f_cnt", "/counter", "/fcnt"]
        .iter()
        .find_map(|path| json.pointer(path))
        .and_then(json::reading);
    if let Some(count) = count {
        put(book, dev, "frame", id, "Frame", count, "");
    }
    // Only what was decoded: raw data means nothing without its decoder.
    let decoded = ["/object", "/uplink_message/decoded_payload", "/payload_fields", "/decoded/payload"]
        .iter()
        .find_map(|path| json.pointer(path))
        .cloned()
        .or_else(|| json::parse(json.get("objectJSON")?.as_str()?.as_bytes()));
    let Some(decoded) = decoded.filter(Json::is_object) else { return };
    json::flatten(&decoded, ".", &mut |path, value| {
        let Some(value) = json::reading(value) else { return };
        let (name, unit) = match path {
            // Dragino's names.
            "TempC_SHT" => ("Temperature", "°C"),
            "TempC_DS" => ("Probe temperature", "°C"),
            "Hum_SHT" => ("Humidity", "%"),
            "BatV" => ("Battery voltage", "V"),
            path => (path, text::unit_of_name(path).unwrap_or_default()),
        };
        let unit = if matches!(value, Value::Number(_)) { unit } else { "" };
        put(book, dev, &format!("object.{path}"), id, &words_of(name), value, unit);
    });
}
