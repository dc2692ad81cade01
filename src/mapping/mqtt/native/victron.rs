//! Victron's GX devices: `N/PORTAL/SERVICE/INSTANCE/…`.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use serde_json::json;

use super::put;
use super::there;
use crate::mapping::mqtt::book::{Book, Rank};
use crate::mapping::mqtt::change::Outgoing;
use crate::mapping::mqtt::ha::{json_of, words_of};
use crate::mapping::mqtt::json;
use crate::mapping::mqtt::template::Payload;
use crate::model::device::Value;
use crate::model::number::Number;
use crate::model::time::BootMs;

/// A GX device falls silent unless it is asked to go on at least every 60 s; in milliseconds.
const KEEP_ALIVE_MS: u64 = 50_000;
/// Maximum number of installations.
const MAX_PORTALS: usize = 64;

/// See the module.
#[derive(Default)]
pub(super) struct Victron {
    /// When each was last asked to go on.
    portals: HashMap<String, BootMs, RandomState>,
}

/// Installation, service, instance and path.
fn split(topic: &str) -> Option<(&str, &str, &str, &str)> {
    let mut levels = topic.strip_prefix("N/")?.splitn(4, '/');
    let (portal, service, instance, path) = (levels.next()?, levels.next()?, levels.next()?, levels.next()?);
    let is_instance = !instance.is_empty() && instance.bytes().all(|byte| byte.is_ascii_digit());
    is_instance.then_some((portal, service, instance, path))
}

impl Victron {
    pub fn takes(&self, topic: &str) -> bool {
        let is_portal = |rest: &str| {
            let portal = rest.split('/').next().unwrap_or_default();
            portal.len() == 12 && portal.bytes().all(|byte| byte.is_ascii_hexdigit())
                || self.portals.contains_key(portal)
        };
        split(topic).is_some() || topic.strip_prefix("N/").is_some_and(is_portal)
    }

    pub fn receive(&mut self, book: &mut Book, id: u32, topic: &str, payload: &Payload<'_>) {
        let Some((portal, service, instance, path)) = split(topic) else { return };
        self.keep_alive(book, portal);
        let own = format!("{portal}/{service}/{instance}");
        let Some(dev) = book.device(Rank::Shape, &[&format!("victron:{own}")], &own) else { return };
        let title = if service == "system" {
            "Victron system".to_owned()
        } else {
            format!("{} {instance}", words_of(service))
        };
        book.describe(dev, Rank::Shape, &title, service, &[("manufacturer", "Victron"), ("portal", portal)]);
        let Some(value) = payload.json().and_then(|json| json.get("value")) else {
            // It was removed.
            if payload.bytes.is_empty() {
                book.remove_metric(dev, path);
            }
            return;
        };
        let said = value.as_str().unwrap_or_default();
        match path {
            "CustomName" if !said.is_empty() => return book.describe(dev, Rank::Told, said, "", &[]),
            "ProductName" if !said.is_empty() => {
                return book.describe(dev, Rank::Own, said, "", &[("model", said)]);
            }
            "FirmwareVersion" => {
                let version = json::string(value).unwrap_or_default();
                return book.describe(dev, Rank::Own, "", "", &[("firmware", &version)]);
            }
            "Connected" => {
                if let Some(number) = value.as_i64() {
                    book.say(dev, topic, there(number != 0));
                }
                return;
            }
            _ => {}
        }
        if path.starts_with("Mgmt/") || matches!(path, "DeviceInstance" | "ProductId") {
            return;
        }
        // What is text stays text: serial numbers begin with noughts.
        let Some(value) = json::scalar(value) else { return };
        let unit = if matches!(value, Value::Text(_)) { "" } else { unit_of(path) };
        put(book, dev, path, id, &path.replace('/', " "), value, unit);
        let limits = limits(payload);
        let is_set = limits.is_some()
            || path.starts_with("Settings/")
            || path == "Mode"
            || path.starts_with("Relay/")
            || path.ends_with("/State") && path.starts_with("SwitchableOutput/");
        if is_set && service != "battery" {
            let topic = format!("W/{portal}/{service}/{instance}/{path}");
            book.change_metric(dev, path, |metric| {
                metric.risky = true;
                (metric.min, metric.max) = (limits.map(|(min, _)| min), limits.map(|(_, max)| max));
            });
            book.command_on(dev, path, true, topic, |value| Ok(json!({"value": json_of(value)}).to_string()));
        }
    }

    fn keep_alive(&mut self, book: &mut Book, portal: &str) {
        let now = book.now.boot_ms;
        if self.portals.len() >= MAX_PORTALS && !self.portals.contains_key(portal) {
            return;
        }
        let is_due = self.portals.get(portal).is_none_or(|asked| now.since(*asked) >= KEEP_ALIVE_MS);
        if is_due {
            self.portals.insert(portal.to_owned(), now);
            book.publish(Outgoing::new(
                format!("R/{portal}/keepalive"),
                r#"{"keepalive-options":["suppress-republish"]}"#,
            ));
        }
    }
}

/// The limits of a value. Only what can be set has some.
fn limits(payload: &Payload<'_>) -> Option<(Number, Number)> {
    let limit = |name: &str| json::number(payload.json().and_then(|json| json.get(name)));
    let (min, max) = (limit("min")?, limit("max")?);
    (min < max).then(|| (Number::from(min), Number::from(max)))
}

fn unit_of(path: &str) -> &'static str {
    let level =
        path.rsplit('/').find(|level| !level.bytes().all(|byte| byte.is_ascii_digit())).unwrap_or(path);
    match level {
        "Soc" | "MinimumSocLimit" | "SocLimit" => "%",
        "Voltage" | "V" | "VoltageDirect" => "V",
        "Current" | "I" | "CurrentLimit" | "SetCurrent" | "MaxCurrent" => "A",
        "Power" | "P" | "L1" | "L2" | "L3" => "W",
        "Temperature" => "°C",
        "Frequency" | "F" => "Hz",
        "ConsumedAmphours" | "Capacity" => "Ah",
        "TimeToGo" | "TimeToSoc" | "ChargingTime" => "s",
        "Forward" | "Reverse" | "Yield" | "AcOut" | "Total" | "User" | "System"
            if path.contains("Energy") || path.contains("Yield") =>
        {
            "kWh"
        }
        "Humidity" | "Level" => "%",
        "Remaining" => "m³",
        "Irradiance" => "W/m²",
        "Latitude" | "Longitude" => "°",
        "Pressure" => "hPa",
        "Yield" => "kWh",
        "S" => "VA",
        _ => "",
    }
}
