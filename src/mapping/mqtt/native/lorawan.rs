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
    kind(topic).is_some() && payload.json().is_some_and(Json::is_object)
}

pub(super) fn receive(book: &mut Book, id: u32, topic: &str, payload: &Payload<'_>) {
    let (Some(kind), Some(json)) = (kind(topic), payload.json()) else { return };
    let text = |paths: &[&str]| {
        let found = paths.iter().filter_map(|path| json.pointer(path)).find_map(json::string);
        found.unwrap_or_default().into_owned()
    };
    let eui = text(&["/deviceInfo/devEui", "/devEUI", "/end_device_ids/dev_eui", "/hardware_serial"]);
    let name = text(&["/deviceInfo/deviceName", "/deviceName", "/end_device_ids/device_id", "/dev_id"]);
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
    book.at = ["/time", "/received_at", "/uplink_message/received_at", "/metadata/time", "/rxInfo/0/time"]
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
    let gateways = ["/rxInfo", "/uplink_message/rx_metadata", "/metadata/gateways"]
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
    let count = ["/fCnt", "/uplink_message/f_cnt", "/counter"]
        .iter()
        .find_map(|path| json.pointer(path))
        .and_then(json::reading);
    if let Some(count) = count {
        put(book, dev, "frame", id, "Frame", count, "");
    }
    // Only what was decoded: raw data means nothing without its decoder.
    let decoded = ["/object", "/uplink_message/decoded_payload", "/payload_fields"]
        .iter()
        .find_map(|path| json.pointer(path));
    let Some(decoded) = decoded.filter(|decoded| decoded.is_object()) else { return };
    json::flatten(decoded, ".", &mut |path, value| {
        let Some(value) = json::reading(value) else { return };
        let unit =
            if matches!(value, Value::Number(_)) { text::unit_of_name(path).unwrap_or_default() } else { "" };
        put(book, dev, &format!("object.{path}"), id, &words_of(path), value, unit);
    });
}
