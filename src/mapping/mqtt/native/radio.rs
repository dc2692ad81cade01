//! Meshtastic, Ruuvi gateways, ChirpStack and The Things Network.

use serde_json::{Map, Value as Json};

use super::omg::there;
use super::put;
use crate::mapping::mqtt::book::{Book, Dev, Rank};
use crate::mapping::mqtt::general;
use crate::mapping::mqtt::ha::{mac, words_of};
use crate::mapping::mqtt::template::Payload;
use crate::mapping::mqtt::{json, text};
use crate::model::device::Value;

/// Meshtastic's JSON: `ROOT/2/json/CHANNEL/!NODE`.
pub(super) mod meshtastic {
    use super::*;

    /// The level before which the root ends.
    fn place(topic: &str) -> Option<(&str, Vec<&str>)> {
        let (_, rest) = topic.split_once("/2/")?;
        let levels: Vec<&str> = rest.split('/').collect();
        Some((levels.first()?, levels[1..].to_vec()))
    }

    pub fn takes(topic: &str, payload: &Payload<'_>) -> bool {
        let is_node = topic.rsplit('/').next().is_some_and(|last| last.starts_with('!'));
        topic.starts_with("msh/") && place(topic).is_some()
            || is_node
                && place(topic).is_some()
                && payload.json().is_some_and(|json| json.get("from").is_some())
    }

    fn node(book: &mut Book, number: u64) -> Option<Dev> {
        let id = format!("!{number:08x}");
        book.device(Rank::Own, &[&format!("meshtastic:{id}")], &id)
    }

    pub fn receive(book: &mut Book, id: u32, topic: &str, payload: &Payload<'_>) {
        let Some((kind, rest)) = place(topic) else { return };
        if kind == "stat" {
            let number =
                rest.last().and_then(|last| u64::from_str_radix(last.trim_start_matches('!'), 16).ok());
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
        let Some(dev) = fields.get("from").and_then(Json::as_u64).and_then(|number| node(book, number))
        else {
            return;
        };
        book.at = fields.get("timestamp").and_then(general::moment);
        let kind = fields.get("type").and_then(Json::as_str).unwrap_or_default();
        for (field, name, unit) in [
            ("rssi", "Signal", "dBm"),
            ("snr", "Signal-to-noise ratio", "dB"),
            ("hops_away", "Hops away", ""),
        ] {
            if let Some(value @ Value::Number(_)) = fields.get(field).and_then(json::reading) {
                put(book, dev, field, id, name, value, unit);
            }
        }
        match fields.get("payload") {
            Some(Json::Object(inner)) if kind == "nodeinfo" => {
                let text =
                    |name: &str| inner.get(name).and_then(json::string).unwrap_or_default().into_owned();
                book.describe(
                    dev,
                    Rank::Told,
                    &text("longname"),
                    "node",
                    &[
                        ("short name", &text("shortname")),
                        ("model", &text("hardware")),
                        ("role", &text("role")),
                    ],
                );
            }
            Some(Json::Object(inner)) if kind == "position" => position(book, dev, id, inner),
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
}

/// Ruuvi gateways: `ruuvi/GATEWAY/TAG`.
pub(super) mod ruuvi {
    use super::*;

    /// The gateway and the tag, or another last level.
    fn split(topic: &str) -> Option<(&str, &str)> {
        let (before, last) = topic.rsplit_once('/')?;
        let gateway = before.rsplit('/').next()?;
        (mac(gateway).is_some() && gateway.contains(':') && (mac(last).is_some() || last == "gw_status"))
            .then_some((gateway, last))
    }

    pub fn takes(topic: &str, payload: &Payload<'_>) -> bool {
        split(topic).is_some()
            && payload.json().is_some_and(|json| {
                json.get("gw_mac").is_some() || json.get("data").is_some() || json.get("state").is_some()
            })
    }

    pub fn receive(book: &mut Book, id: u32, topic: &str, payload: &Payload<'_>) {
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
        // Newer gateways decode by themselves.
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
        for (field, name, unit) in own.into_iter().filter(|_| !is_ruuvi) {
            let Some(value) = fields.get(field).and_then(json::reading) else { continue };
            let value = match (field, &value) {
                ("pressure", Value::Number(pascals)) if *pascals > 2_000.0 => {
                    Value::number((pascals / 100.0 * 100.0).round() / 100.0)
                }
                _ => value,
            };
            put(book, dev, name, id, name, value, unit);
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
                add(
                    "Temperature",
                    signed(1).filter(|v| *v != i16::MIN).map(|v| f64::from(v) * 0.005),
                    3,
                    "°C",
                );
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
                add(
                    "Temperature",
                    signed(1).filter(|v| *v != i16::MIN).map(|v| f64::from(v) * 0.005),
                    3,
                    "°C",
                );
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
}

/// LoRaWAN: ChirpStack 3 and 4, The Things Network 2 and 3.
pub(super) mod lorawan {
    use super::*;

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

    pub fn takes(topic: &str, payload: &Payload<'_>) -> bool {
        kind(topic).is_some() && payload.json().is_some_and(Json::is_object)
    }

    pub fn receive(book: &mut Book, id: u32, topic: &str, payload: &Payload<'_>) {
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
        book.at =
            ["/time", "/received_at", "/uplink_message/received_at", "/metadata/time", "/rxInfo/0/time"]
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
            let unit = if matches!(value, Value::Number(_)) {
                text::unit_of_name(path).unwrap_or_default()
            } else {
                ""
            };
            put(book, dev, &format!("object.{path}"), id, &words_of(path), value, unit);
        });
    }
}
