//! OpenMQTTGateway and Theengs: `BASE/GATEWAY/BTtoMQTT/ID` and the like, one topic for each device behind a gateway.

use serde_json::{Map, Value as Json};

use super::put;
use crate::mapping::mqtt::book::{Book, Rank};
use crate::mapping::mqtt::ha::{mac, words_of};
use crate::mapping::mqtt::template::Payload;
use crate::mapping::mqtt::{json, text};

/// Fields that describe a device, raw data, and what is said twice.
const LEFT: &[&str] = &[
    "id",
    "mac_type",
    "brand",
    "model",
    "model_id",
    "name",
    "type",
    "servicedata",
    "servicedatauuid",
    "manufacturerdata",
    "tempf",
    "temperature_F",
    "mfr",
    "adv_type",
    "cidc",
    "acts",
    "cont",
    "track",
    "prmac",
    "device",
    "mic",
    "time",
    "raw",
    "origin",
    "unit_id",
    "protocol",
    "subtype",
    "mac",
    "mod",
    "channel",
    "length",
    "delay",
    "mqttport",
    "encr",
    "packet",
    "bits",
    "protocol_name",
    "isNewEvent",
    "packetSize",
    "pferror",
    "rssi_filter",
];

/// The gateway and what follows it: the level that says what it receives, and the rest.
fn split(topic: &str) -> Option<(&str, &str, &str)> {
    let at = topic.find("toMQTT")?;
    let (before, rest) = (&topic[..at], topic[at + "toMQTT".len()..].trim_start_matches('/'));
    let (gateway, kind) = before.rsplit_once('/').unwrap_or(("", before));
    let is_kind = !kind.is_empty()
        && kind.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    is_kind.then_some((gateway, kind, rest))
}

/// Whether it reads a topic. `payload`: its first message.
pub(super) fn takes(topic: &str, payload: &Payload<'_>) -> bool {
    split(topic).is_some() && payload.json().is_some_and(Json::is_object)
}

/// The key of the device that a topic belongs to.
pub(super) fn key_of(topic: &str) -> Option<String> {
    let (gateway, kind, rest) = split(topic)?;
    match (kind, rest) {
        ("BT", id) if !id.is_empty() => {
            Some(mac(id).map_or_else(|| format!("omg:BT/{id}"), |mac| format!("mac:{mac}")))
        }
        ("SYS", _) => Some(format!("omg-gateway:{gateway}")),
        (_, rest) if !rest.is_empty() => Some(format!("omg:{kind}/{rest}")),
        _ => None,
    }
}

/// Reads a message.
pub(super) fn receive(book: &mut Book, id: u32, topic: &str, payload: &Payload<'_>) {
    let (Some((gateway, kind, rest)), Some(Json::Object(fields))) = (split(topic), payload.json()) else {
        return;
    };
    if kind == "SYS" || rest.is_empty() && !fields.contains_key("id") && !fields.contains_key("model") {
        system(book, id, gateway, kind, fields);
        return;
    }
    let text = |name: &str| fields.get(name).and_then(json::string).unwrap_or_default().into_owned();
    let own = [text("id"), rest.to_owned()].into_iter().find(|id| !id.is_empty()).unwrap_or_default();
    // Later messages may come without the id.
    let key = mac(rest).map_or_else(|| format!("omg:{kind}/{rest}"), |mac| format!("mac:{mac}"));
    let address = mac(&own).map_or_else(|| key.clone(), |mac| format!("mac:{mac}"));
    // Radio senders share ids: the whole topic tells them apart.
    let is_radio = kind != "BT";
    let shown = if is_radio && !rest.is_empty() { rest.replace('/', " ") } else { own };
    let Some(dev) = book.device(Rank::Own, &[&key, &address], &shown) else { return };
    let (brand, model) = (text("brand"), text("model"));
    let title = match (text("name"), brand.is_empty() && model.is_empty()) {
        (name, _) if !name.is_empty() => name,
        (_, true) => String::new(),
        _ if is_radio => shown.clone(),
        _ => format!("{brand} {model}").trim().to_owned(),
    };
    let title = if title.is_empty() { shown } else { title };
    let has_title = book.get(dev).is_some_and(|device| device.title() != device.id.as_str());
    let is_named = !text("name").is_empty() || !model.is_empty() || !has_title;
    book.describe(
        dev,
        Rank::Own,
        if is_named { &title } else { "" },
        "",
        &[
            ("manufacturer", &brand),
            ("model", &model),
            ("model id", &text("model_id")),
            ("via", gateway),
            ("address", &text("id")),
        ],
    );
    for (name, value) in fields {
        // The same in °F.
        let plain = name.trim_end_matches(|c: char| c.is_ascii_digit());
        let is_twice = plain
            .strip_suffix('f')
            .is_some_and(|start| fields.contains_key(&format!("{start}c{}", &name[plain.len()..])));
        if is_twice || LEFT.contains(&name.as_str()) {
            continue;
        }
        json::flatten(value, " ", &mut |path, value| {
            let path = if path.is_empty() { name.clone() } else { format!("{name} {path}") };
            let Some(value) = json::reading(value) else { return };
            let (shown, unit) = known(&path);
            put(book, dev, &path, id, &shown, value, unit);
        });
    }
}

/// The name and unit of a field (Theengs decoder's names).
fn known(field: &str) -> (String, &'static str) {
    // A thermometer with several probes numbers them: `tempc2`.
    let plain = field.trim_end_matches(|c: char| c.is_ascii_digit());
    if plain.len() < field.len() && matches!(plain, "tempc" | "hum" | "power" | "volt") {
        let (name, unit) = known(plain);
        return (format!("{name} {}", &field[plain.len()..]), unit);
    }
    let (name, unit) = match field {
        "rssi" => ("Signal", "dBm"),
        "tempc" | "tem" | "temperature_C" => ("Temperature", "°C"),
        "hum" | "humidity" => ("Humidity", "%"),
        "battery_ok" => ("Battery ok", ""),
        "batt" => ("Battery", "%"),
        "volt" => ("Battery voltage", "V"),
        "distance" => ("Distance", "m"),
        "rotation" | "angle" => ("Rotation", "°"),
        "uv" => ("UV index", ""),
        "ibeacon" => ("iBeacon", ""),
        "lux" => ("Illuminance", "lx"),
        "moi" => ("Moisture", "%"),
        "fer" => ("Fertility", "µS/cm"),
        "pres" => ("Pressure", "hPa"),
        "weight" => ("Weight", "kg"),
        "power" => ("Power", "W"),
        "current" => ("Current", "A"),
        "energy" => ("Energy", "kWh"),
        "co2" => ("CO2", "ppm"),
        "pm25" => ("PM2.5", "µg/m³"),
        "pm10" => ("PM10", "µg/m³"),
        "txpower" => ("Transmit power", "dBm"),
        other => return (words_of(other), text::unit_of_name(other).unwrap_or_default()),
    };
    (name.to_owned(), unit)
}

/// What a gateway says of itself.
fn system(book: &mut Book, id: u32, gateway: &str, kind: &str, fields: &Map<String, Json>) {
    let title = gateway.rsplit('/').next().unwrap_or(gateway);
    let mut keys = vec![format!("omg-gateway:{gateway}"), format!("path:{gateway}")];
    let address = fields.get("mac").and_then(Json::as_str).and_then(mac);
    keys.extend(address.map(|address| format!("mac:{address}")));
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let Some(dev) = book.device(Rank::Own, &keys, gateway) else { return };
    book.describe(dev, Rank::Own, title, "gateway", &[("topic", gateway)]);
    let is_own = kind == "SYS";
    for (name, value) in fields {
        if !is_own && (LEFT.contains(&name.as_str()) || name.starts_with("raw") || name == "hex") {
            continue;
        }
        let attribute = match name.as_str() {
            "version" => "firmware",
            "mac" => "mac",
            "ip" => "ip",
            "env" => "model",
            "SSID" | "modules" | "BSSID" => continue,
            _ => "",
        };
        if let (false, Some(text)) = (attribute.is_empty(), value.as_str()) {
            book.describe(dev, Rank::Own, "", "", &[(attribute, text)]);
            continue;
        }
        let Some(value) = json::reading(value) else { continue };
        let unit = match name.as_str() {
            "uptime" => "s",
            "rssi" => "dBm",
            "tempc" => "°C",
            "freemem" => "B",
            _ => "",
        };
        let shown = match (name.as_str(), is_own) {
            ("rssi", true) => "Signal".to_owned(),
            // What a radio or a remote control sent: `433 value`.
            (_, false) => format!("{kind} {}", name.replace('_', " ")),
            _ => words_of(name),
        };
        put(book, dev, &format!("{kind}.{name}"), id, &shown, value, unit);
    }
}
