//! The words of topics and fields that no convention explains: which levels name a device, which a reading, which ask for something, and
//! what must not be shown. What becomes of them is decided in [`super::general`].

use std::borrow::Cow;

use serde_json::Value as Json;

use super::template::Payload;
use super::text;
use crate::mapping::words;
use crate::model::device::Value;

/// Last levels that ask for something instead of saying it.
const REQUESTS: &[&str] = &["set", "cmd", "command", "cmnd", "request", "rpc"];
/// Levels that name no device: what is below them is about the device above.
const PARTS: &[&str] = &[
    "state",
    "status",
    "sensor",
    "sensors",
    "data",
    "info",
    "telemetry",
    "attributes",
    "values",
    "json",
    "result",
    "payload",
    "measurements",
    "measurement",
    "reading",
    "readings",
    "event",
    "events",
    "system",
    "network",
    "wifi",
    "stats",
    "config",
    "settings",
    "heartbeat",
    "update",
    "up",
    "rx",
    "uplink",
    "main",
    "tele",
    "stat",
    "data_upload",
    "properties",
    "report",
];
/// Quantities: levels that name no device either, and say what the fields are about.
const QUANTITIES: &[&str] = &["power", "energy", "realtime", "temperature", "humidity", "battery"];
/// Further words that levels which are numbers end with.
const NUMBERS: &[&str] = &[
    "voltage",
    "current",
    "frequency",
    "charge",
    "health",
    "capacity",
    "cycles",
    "usage",
    "percentage",
    "percent",
    "level",
    "pressure",
    "illuminance",
    "brightness",
    "moisture",
    "co2",
    "flow",
    "speed",
    "count",
    "uptime",
    "memory",
    "cpu",
    "signal",
    "rssi",
    "average",
    "highest",
    "lowest",
    "total",
];
/// Words that levels which are texts end with.
const WORDS: &[&str] = &["mode", "priority", "name", "version", "model", "number", "serial", "firmware"];
/// Fields that describe a device and are no readings.
const ATTRIBUTES: &[(&str, &str)] = &[
    ("version", "firmware"),
    ("firmware", "firmware"),
    ("firmware_version", "firmware"),
    ("fw", "firmware"),
    ("fw_ver", "firmware"),
    ("sw_version", "firmware"),
    ("sw", "firmware"),
    ("hw_version", "hardware"),
    ("mac", "mac"),
    ("mac_address", "mac"),
    ("ip", "ip"),
    ("ip_address", "ip"),
    ("ipaddress", "ip"),
    ("localip", "ip"),
    ("model", "model"),
    ("manufacturer", "manufacturer"),
    ("vendor", "manufacturer"),
    ("brand", "manufacturer"),
    ("serial", "serial"),
    ("serial_number", "serial"),
    ("hostname", "hostname"),
];
/// Last levels that say what a device is called.
const NAMES: &[&str] = &["name", "friendly_name", "display_name", "device_name", "devicename"];
/// Fields that must not be shown.
const SECRETS: &[&str] = &["pass", "pwd", "psk", "wke"];
/// What names of fields that must not be shown end with, in small letters and without anything between.
const SECRET_ENDS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "wifipass",
    "mqttpass",
    "token",
    "secret",
    "apikey",
    "accesskey",
    "privatekey",
    "networkkey",
    "pincode",
    "bssid",
];

/// Whether a level or a field is one of these words, whatever the case of their letters.
pub(super) fn is_one_of(level: &str, words: &[&str]) -> bool {
    words.iter().any(|word| level.eq_ignore_ascii_case(word))
}

/// Whether the general rule says nothing of a topic.
pub(super) fn is_ignored(topic: &str) -> bool {
    let last = topic.rsplit('/').next().unwrap_or(topic);
    topic.starts_with('$')
        || topic.ends_with("/debug/log")
        || is_one_of(last, REQUESTS)
        || topic.split('/').take(3).any(|level| level == "cmnd")
        || topic.trim_matches('/').is_empty()
}

/// The path of the device that a bare value belongs to, and the name of the reading.
pub(super) fn split(topic: &str) -> (&str, &str) {
    let topic = topic.trim_matches('/');
    topic.rsplit_once('/').map_or((topic, "value"), |(path, last)| (path.trim_end_matches('/'), last))
}

/// The topic of a reading, which may end with `get`. `None`: it asks for one instead.
pub(super) fn answered<'a>(topic: &'a str, payload: &Payload<'_>) -> Option<&'a str> {
    let Some((path, last)) = topic.rsplit_once('/') else { return Some(topic) };
    if !last.eq_ignore_ascii_case("get") {
        return Some(topic);
    }
    let says = |value: &Json| !matches!(value, Json::Null) && value.as_str() != Some("");
    let is_said = match payload.json() {
        Some(Json::Object(fields)) => fields.values().any(says),
        Some(Json::Array(items)) => !items.is_empty(),
        _ => !matches!(payload.text().trim(), "" | "?" | "get" | "all" | "state" | "status"),
    };
    (is_said && path.contains('/')).then_some(path)
}

/// Whether a level names no device.
pub(super) fn is_part(level: &str) -> bool {
    is_one_of(level, PARTS)
}

/// Whether a level names no device, and says what the fields are about.
pub(super) fn is_quantity(level: &str) -> bool {
    is_one_of(level, QUANTITIES)
}

/// The device's part of a path, and the level that follows it if that names no device.
pub(super) fn folded(path: &str) -> (&str, &str) {
    path.rsplit_once('/').filter(|(_, level)| is_part(level)).unwrap_or((path, ""))
}

/// What is not empty of a path's parts, with dots between.
pub(super) fn joined(parts: &[&str]) -> String {
    let parts: Vec<&str> = parts.iter().copied().filter(|part| !part.is_empty()).collect();
    parts.join(".")
}

/// The path and the name of a reading whose last level does not name it: the state of a quantity, or one of several that are
/// numbered.
pub(super) fn named_above<'a>(path: &'a str, level: &str, value: &Value) -> Option<(&'a str, Cow<'a, str>)> {
    let (device, above) = path.rsplit_once('/')?;
    // What is below such a level has a name of its own.
    let is_named = folded(device) != (device, "");
    if matches!(level, "state" | "value") && !is_named {
        let last = above.rsplit(['_', '-', ' ']).next().unwrap_or(above);
        let is_reading = match value {
            Value::Flag(_) => false,
            Value::Text(said) => text::flag(said).is_none() && is_one_of(last, WORDS),
            _ => is_one_of(last, QUANTITIES) || is_one_of(last, NUMBERS) || is_one_of(last, WORDS),
        };
        return is_reading.then_some((device, Cow::Borrowed(above)));
    }
    let is_number = |level: &str| level.len() <= 3 && level.bytes().all(|byte| byte.is_ascii_digit());
    (is_number(level) && !is_number(above)).then(|| (device, Cow::Owned(format!("{above} {level}"))))
}

/// Whether a name is one of what may look like a number and is none.
pub(super) fn is_label(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["version", "firmware", "serial", "serialno", "serialnumber", "serial_number"]
        .iter()
        .any(|end| name.ends_with(end))
}

/// Whether a level says what its device is called. One of several that are numbered has a title.
pub(super) fn is_name(level: &str, device: &str) -> bool {
    let is_number = |level: &str| !level.is_empty() && level.bytes().all(|byte| byte.is_ascii_digit());
    is_one_of(level, NAMES)
        || level.eq_ignore_ascii_case("title") && device.rsplit('/').next().is_some_and(is_number)
}

/// Whether a field must not be shown.
pub(super) fn is_secret(name: &str) -> bool {
    let last = name.rsplit(['.', ' ']).next().unwrap_or(name);
    let name = words::folded(name);
    is_one_of(last, SECRETS) || SECRET_ENDS.iter().any(|end| name.ends_with(end))
}

/// Whether a level is only about its device being there.
pub(super) fn is_presence(level: &str) -> bool {
    is_one_of(level, &["lwt", "status", "availability", "available", "avail", "online"])
}

/// What of a device a field describes.
pub(super) fn attribute(name: &str) -> Option<&'static str> {
    ATTRIBUTES.iter().find(|(known, _)| name.eq_ignore_ascii_case(known)).map(|(_, attribute)| *attribute)
}
