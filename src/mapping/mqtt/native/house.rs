//! WLED, Frigate, Valetudo's older form, OwnTracks, and ebusd.

use std::collections::HashSet;

use serde_json::Value as Json;

use super::omg::there;
use super::{new_metric, put};
use crate::mapping::mqtt::book::{Book, Rank};
use crate::mapping::mqtt::change::Outgoing;
use crate::mapping::mqtt::ha::{json_of, rgb, words_of};
use crate::mapping::mqtt::template::Payload;
use crate::mapping::mqtt::{general, json, text};
use crate::model::device::{Control, MetricType, Value};
use crate::model::number::Number;

/// WLED: `BASE/g`, `/c`, `/v` and `/status`.
#[derive(Default)]
pub(super) struct Wled {
    bases: HashSet<String>,
}

impl Wled {
    pub fn takes(&self, topic: &str, payload: &Payload<'_>) -> bool {
        let Some((base, last)) = topic.rsplit_once('/') else { return false };
        if !matches!(last, "g" | "c" | "v" | "status" | "col" | "api") {
            return false;
        }
        base.starts_with("wled/")
            || self.bases.contains(base)
            || last == "v" && payload.bytes.windows(4).take(256).any(|part| part == b"<vs>")
    }

    pub fn receive(&mut self, book: &mut Book, id: u32, topic: &str, payload: &Payload<'_>) -> Vec<String> {
        let Some((base, last)) = topic.rsplit_once('/') else { return Vec::new() };
        let Some(dev) = book.device(Rank::Shape, &[&format!("wled:{base}")], base) else { return Vec::new() };
        book.describe(dev, Rank::Shape, base, "light", &[("manufacturer", "WLED"), ("topic", base)]);
        let said = payload.text();
        match last {
            "status" => {
                if let Some(is_there) = text::presence(&said) {
                    book.say(dev, topic, there(is_there));
                }
            }
            "g" => {
                if let Some(level) = text::number(&said) {
                    let is_on = level != Value::Number(0.0);
                    if let Some(metric) = new_metric(book, dev, "on", id, "On", MetricType::Flag) {
                        let topic = base.to_owned();
                        book.command(
                            dev,
                            metric,
                            true,
                            std::sync::Arc::new(move |_, _, value| {
                                Ok(vec![Outgoing::new(
                                    topic.as_str(),
                                    if *value == Value::Flag(true) { "ON" } else { "OFF" },
                                )])
                            }),
                        );
                    }
                    put(book, dev, "on", id, "On", Value::Flag(is_on), "");
                    if let Some(metric) = new_metric(book, dev, "g", id, "Brightness", MetricType::Number) {
                        book.change_metric(dev, metric, |metric| {
                            (metric.min, metric.max) = (Some(Number::from(0.0)), Some(Number::from(255.0)))
                        });
                        let topic = base.to_owned();
                        book.command(
                            dev,
                            metric,
                            true,
                            std::sync::Arc::new(move |_, _, value| {
                                Ok(vec![Outgoing::new(topic.as_str(), json_of(value).to_string())])
                            }),
                        );
                    }
                    put(book, dev, "g", id, "Brightness", level, "");
                }
            }
            "c" => {
                if let Some(metric) = new_metric(book, dev, "c", id, "Colour", MetricType::Text) {
                    book.change_metric(dev, metric, |metric| metric.control = Some(Control::Colour));
                    let topic = format!("{base}/col");
                    book.command(
                        dev,
                        metric,
                        true,
                        std::sync::Arc::new(move |_, _, value| {
                            let [red, green, blue] = rgb(value)?;
                            Ok(vec![Outgoing::new(
                                topic.as_str(),
                                format!("#{red:02X}{green:02X}{blue:02X}"),
                            )])
                        }),
                    );
                }
                put(book, dev, "c", id, "Colour", text::text(said.trim()), "");
            }
            "v" => {
                for (tag, name) in [("fx", "Effect"), ("sx", "Effect speed"), ("fp", "Palette")] {
                    if let Some(value) = tagged(&said, tag).and_then(text::number) {
                        put(book, dev, tag, id, name, value, "");
                    }
                }
                if let Some(name) = tagged(&said, "ds").filter(|name| !name.is_empty() && *name != "WLED") {
                    book.describe(dev, Rank::Own, name, "", &[]);
                }
            }
            _ => {}
        }
        let is_new =
            !base.starts_with("wled/") && self.bases.len() < 1_000 && self.bases.insert(base.to_owned());
        if is_new { ["g", "c", "status"].map(|last| format!("{base}/{last}")).to_vec() } else { Vec::new() }
    }
}

/// What stands in an element of XML.
fn tagged<'a>(xml: &'a str, tag: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{tag}>"))?;
    rest.split_once(&format!("</{tag}>")).map(|(inside, _)| inside.trim())
}

/// Frigate: `frigate/CAMERA/…` and `frigate/events`.
pub(super) mod frigate {
    use super::*;

    const BASE: &str = "frigate";

    pub fn takes(topic: &str) -> bool {
        topic.strip_prefix(BASE).is_some_and(|rest| rest.starts_with('/'))
    }

    fn camera(book: &mut Book, name: &str) -> Option<crate::mapping::mqtt::book::Dev> {
        let dev = book.device(Rank::Shape, &[&format!("frigate:{name}")], &format!("{BASE}/{name}"))?;
        book.describe(dev, Rank::Own, name, "camera", &[("via", "Frigate")]);
        Some(dev)
    }

    fn server(book: &mut Book) -> Option<crate::mapping::mqtt::book::Dev> {
        let dev = book.device(Rank::Shape, &["frigate-server"], BASE)?;
        book.describe(dev, Rank::Own, "Frigate", "server", &[]);
        Some(dev)
    }

    pub fn receive(book: &mut Book, id: u32, topic: &str, payload: &Payload<'_>) {
        let levels: Vec<&str> = topic.split('/').skip(1).collect();
        let said = payload.text();
        match levels.as_slice() {
            ["available"] => {
                if let (Some(dev), Some(is_there)) = (server(book), text::presence(&said)) {
                    book.say(dev, topic, there(is_there));
                }
            }
            ["events"] | ["reviews"] => event(book, id, payload),
            ["stats"] => stats(book, id, payload),
            [_] | ["notifications" | "onConnect" | "restart" | "tracked_object_update", ..] => {}
            [name, kind, "set"] if !kind.is_empty() && !name.is_empty() => {}
            [name, kind, "state"] => {
                let Some(dev) = camera(book, name) else { return };
                let value = text::flag(&said).map_or_else(|| text::value(&said), Value::Flag);
                let kind_of =
                    if matches!(value, Value::Flag(_)) { MetricType::Flag } else { MetricType::Number };
                if let Some(key) = new_metric(book, dev, kind, id, &words_of(kind), kind_of) {
                    let topic = format!("{BASE}/{name}/{kind}/set");
                    book.command(
                        dev,
                        key,
                        true,
                        std::sync::Arc::new(move |_, _, value| {
                            let payload = match value {
                                Value::Flag(on) => if *on { "ON" } else { "OFF" }.to_owned(),
                                other => json_of(other).to_string(),
                            };
                            Ok(vec![Outgoing::new(topic.as_str(), payload)])
                        }),
                    );
                }
                put(book, dev, kind, id, &words_of(kind), value, "");
            }
            [name, "motion"] => {
                if let (Some(dev), Some(moves)) = (camera(book, name), text::flag(&said)) {
                    put(book, dev, "motion", id, "Motion detected", Value::Flag(moves), "");
                }
            }
            // Pictures.
            [_, _, "snapshot"] => {}
            [name, object] => counted(book, id, name, object, "", payload),
            [name, object, "active"] => counted(book, id, name, object, " active", payload),
            [name, "audio", kind] => {
                let Some(dev) = camera(book, name) else { return };
                let value = text::flag(&said).map_or_else(|| text::value(&said), Value::Flag);
                put(book, dev, &format!("audio {kind}"), id, &format!("Audio {kind}"), value, "");
            }
            _ => {}
        }
    }

    fn counted(book: &mut Book, id: u32, name: &str, object: &str, more: &str, payload: &Payload<'_>) {
        let Ok(said) = std::str::from_utf8(payload.bytes) else { return };
        let value = text::value(said);
        if let (Some(dev), Value::Number(_)) = (camera(book, name), &value) {
            let shown = format!("{}{more}", words_of(object));
            put(book, dev, &format!("{object}{more}"), id, &shown, value, "");
        }
    }

    /// An event is a few words about what is seen now.
    fn event(book: &mut Book, id: u32, payload: &Payload<'_>) {
        let Some(json) = payload.json() else { return };
        let Some(now) = json.get("after").or_else(|| json.get("before")).and_then(Json::as_object) else {
            return;
        };
        let text_of = |name: &str| now.get(name).and_then(json::string).unwrap_or_default().into_owned();
        let Some(dev) = camera(book, &text_of("camera")) else { return };
        book.at = now.get("frame_time").and_then(general::moment);
        let is_end = json.get("type").and_then(Json::as_str) == Some("end");
        let label = text_of("label");
        let label = if label.is_empty() { text_of("severity") } else { label };
        put(book, dev, "event", id, "Event", text::text(if is_end { "none" } else { &label }), "");
        let score = json::number(now.get("score")).map(|score| (score * 100.0).round() / 100.0);
        if let Some(score) = score {
            put(book, dev, "event score", id, "Event score", Value::number(score), "");
        }
        if let Some(Json::Array(zones)) = now.get("current_zones") {
            let zones: Vec<&str> = zones.iter().filter_map(Json::as_str).take(16).collect();
            put(book, dev, "event zone", id, "Event zone", text::text(&zones.join(", ")), "");
        }
    }

    fn stats(book: &mut Book, id: u32, payload: &Payload<'_>) {
        let (Some(json), Some(dev)) = (payload.json(), server(book)) else { return };
        if let Some(version) = json.pointer("/service/version").and_then(Json::as_str) {
            book.describe(dev, Rank::Own, "", "", &[("firmware", version)]);
        }
        if let Some(uptime) = json.pointer("/service/uptime").and_then(json::reading) {
            put(book, dev, "uptime", id, "Uptime", uptime, "s");
        }
        for (name, about) in json.get("cameras").and_then(Json::as_object).into_iter().flatten().take(64) {
            for (field, shown, unit) in
                [("camera_fps", "Frame rate", "fps"), ("detection_fps", "Detections", "1/s")]
            {
                if let (Some(value), Some(dev)) =
                    (about.get(field).and_then(json::reading), camera(book, name))
                {
                    put(book, dev, field, id, shown, value, unit);
                }
            }
        }
    }
}

/// Valetudo RE: `valetudo/ROBOT/state` and `/attributes`. The newer one speaks Homie.
pub(super) mod valetudo {
    use super::*;

    pub fn takes(topic: &str) -> bool {
        let mut levels = topic.split('/');
        levels.next() == Some("valetudo")
            && levels.next().is_some()
            && matches!(
                levels.next(),
                Some(
                    "state"
                        | "attributes"
                        | "status"
                        | "command"
                        | "custom_command"
                        | "map_data"
                        | "map_data_parsed"
                        | "map"
                        | "hass"
                )
            )
            && levels.next().is_none()
    }

    pub fn receive(book: &mut Book, id: u32, topic: &str, payload: &Payload<'_>) {
        let mut levels = topic.split('/').skip(1);
        let (Some(name), Some(last)) = (levels.next(), levels.next()) else { return };
        let Some(dev) = book.device(Rank::Shape, &[&format!("valetudo:{name}")], name) else { return };
        book.describe(
            dev,
            Rank::Shape,
            name,
            "vacuum",
            &[("topic", topic.rsplit_once('/').map_or(topic, |(path, _)| path))],
        );
        if let Some(is_there) = text::presence(&payload.text()) {
            book.say(dev, topic, there(is_there));
            return;
        }
        if let Some(key) =
            new_metric(book, dev, "command", super::super::NO_TOPIC, "Command", MetricType::Enum)
        {
            let words = ["start", "pause", "stop", "return_to_base", "locate", "clean_spot"];
            book.change_metric(dev, key, |metric| {
                metric.options = words.map(str::to_owned).to_vec();
                metric.write_only = true;
            });
            let topic = format!("valetudo/{name}/command");
            book.command(
                dev,
                key,
                false,
                std::sync::Arc::new(move |_, _, value| {
                    let Value::Text(word) = value else { return Err("a text is needed".to_owned()) };
                    Ok(vec![Outgoing::new(topic.as_str(), word.as_bytes())])
                }),
            );
        }
        let (true, Some(json)) = (matches!(last, "state" | "attributes" | "status"), payload.json()) else {
            return;
        };
        json::flatten(json, ".", &mut |path, value| {
            let unit = match path {
                "battery_level" => "%",
                "cleanTime" | "mainBrush" | "sideBrush" | "filter" | "sensor" => "h",
                "currentCleanTime" => "min",
                "cleanArea" | "currentCleanArea" | "last_run_stats.area" => "m²",
                "last_run_stats.duration" => "s",
                _ => "",
            };
            let value = match path {
                "last_run_stats.startTime" | "last_run_stats.endTime" => match general::moment(value) {
                    Some(at) => chrono::DateTime::from_timestamp_millis(at).map_or(Value::Missing, |time| {
                        text::text(&time.format("%Y-%m-%d %H:%M:%S UTC").to_string())
                    }),
                    None => return,
                },
                _ => json::reading(value).unwrap_or_default(),
            };
            // What the state says stands for both.
            if last == "attributes" && path == "state" && book.last(dev, "state").is_some() {
                return;
            }
            put(book, dev, path, id, &words_of(&spaced(path)), value, unit);
        });
    }
}

/// `currentCleanTime` as separate words.
fn spaced(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_uppercase() {
            out.push(' ');
            out.extend(c.to_lowercase());
        } else {
            out.push(if c == '.' { ' ' } else { c });
        }
    }
    out
}

/// OwnTracks: `owntracks/PERSON/DEVICE`.
pub(super) mod owntracks {
    use super::*;

    pub fn takes(topic: &str, payload: &Payload<'_>) -> bool {
        let has_type = || payload.json().and_then(|json| json.get("_type")).is_some_and(Json::is_string);
        topic.starts_with("owntracks/") && topic.split('/').count() >= 3
            || has_type() && payload.json().is_some_and(|json| json.get("tst").is_some())
    }

    pub fn receive(book: &mut Book, id: u32, topic: &str, payload: &Payload<'_>) {
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

    fn location(
        book: &mut Book,
        dev: crate::mapping::mqtt::book::Dev,
        id: u32,
        fields: &serde_json::Map<String, Json>,
    ) {
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
}

/// ebusd: `ebusd/CIRCUIT/MESSAGE[/FIELD]`.
pub(super) mod ebusd {
    use super::*;

    pub fn takes(topic: &str) -> bool {
        topic.starts_with("ebusd/") && topic.split('/').count() >= 3
    }

    pub fn receive(book: &mut Book, id: u32, topic: &str, payload: &Payload<'_>) {
        let levels: Vec<&str> = topic.split('/').skip(1).collect();
        let (Some(circuit), Some(message)) = (levels.first(), levels.get(1)) else { return };
        if matches!(levels.last(), Some(&("set" | "get" | "list"))) {
            return;
        }
        let key = format!("ebusd:{circuit}");
        let title = if *circuit == "global" { "ebusd" } else { circuit };
        let Some(dev) = book.device(Rank::Shape, &[&key], &format!("ebusd/{circuit}")) else { return };
        book.describe(
            dev,
            Rank::Shape,
            title,
            "",
            &[("via", if *circuit == "global" { "" } else { "ebusd" })],
        );
        let said = payload.text();
        match (*circuit, *message) {
            ("global", "running") => {
                if let Some(runs) = text::flag(&said) {
                    book.say(dev, topic, there(runs));
                }
                return;
            }
            ("global", "version") => {
                book.describe(dev, Rank::Own, "", "", &[("firmware", &said)]);
                return;
            }
            _ => {}
        }
        match payload.json() {
            Some(json @ Json::Object(fields)) => {
                let is_one = fields.len() == 1;
                json::flatten(json, ".", &mut |path, value| {
                    // `{"temp":{"value":21.5}}`
                    let field = path.strip_suffix(".value").unwrap_or(path);
                    if path.ends_with(".name") {
                        return;
                    }
                    let value = json::reading(value).unwrap_or_default();
                    let field = if field == "value" || field == "0" || is_one { "" } else { field };
                    show(book, dev, id, message, field, value);
                });
            }
            _ => {
                let (value, _) = general::bare(payload);
                let field = levels.get(2).copied().unwrap_or_default();
                // Fields in one text, separated by `;`, are shown as they come.
                show(book, dev, id, message, field, value);
            }
        }
    }

    fn show(
        book: &mut Book,
        dev: crate::mapping::mqtt::book::Dev,
        id: u32,
        message: &str,
        field: &str,
        value: Value,
    ) {
        let name = format!("{} {field}", words_of(super::spaced(message).trim()).trim()).trim().to_owned();
        let lower = message.to_lowercase();
        let is_number = matches!(value, Value::Number(_));
        let unit = match lower.as_str() {
            name if !is_number || name.contains("status") || name.contains("mode") => "",
            name if name.contains("temp") => "°C",
            name if name.contains("press") => "bar",
            _ => "",
        };
        put(book, dev, &format!("{message}/{field}"), id, &name, value, unit);
    }
}
