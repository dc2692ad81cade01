//! Frigate: `frigate/CAMERA/…` and `frigate/events`.

use super::there;
use super::{new_metric, put};
use crate::mapping::mqtt::book::{Book, Dev, Rank};
use crate::mapping::mqtt::ha::{json_of, words_of};
use crate::mapping::mqtt::template::Payload;
use crate::mapping::mqtt::{general, json, text};
use crate::model::device::{MetricType, Value};
use serde_json::Value as Json;

const BASE: &str = "frigate";

pub(super) fn takes(topic: &str) -> bool {
    topic.strip_prefix(BASE).is_some_and(|rest| rest.starts_with('/'))
}

fn camera(book: &mut Book, name: &str) -> Option<Dev> {
    let dev = book.device(Rank::Shape, &[&format!("frigate:{name}")], &format!("{BASE}/{name}"))?;
    book.describe(dev, Rank::Own, name, "", &[("via", "Frigate")]);
    Some(dev)
}

/// What only a camera has: zones count what is seen, too.
fn is_camera(book: &mut Book, dev: Dev) {
    book.describe(dev, Rank::Own, "", "camera", &[]);
}

fn server(book: &mut Book) -> Option<Dev> {
    let dev = book.device(Rank::Shape, &["frigate-server"], BASE)?;
    book.describe(dev, Rank::Own, "Frigate", "server", &[]);
    Some(dev)
}

/// Long: one arm for each topic.
pub(super) fn receive(book: &mut Book, id: u32, topic: &str, payload: &Payload<'_>) {
    let levels: Vec<&str> = topic.split('/').skip(1).collect();
    let said = payload.text();
    match levels.as_slice() {
        ["available"] => {
            if let (Some(dev), Some(is_there)) = (server(book), text::presence(&said)) {
                book.say(dev, topic, there(is_there));
            }
        }
        ["events"] => event(book, id, payload),
        ["reviews"] => review(book, id, payload),
        ["stats"] => stats(book, id, payload),
        ["tracked_object_update"] => recognized(book, id, payload),
        [_] | ["notifications" | "onConnect" | "restart", ..] => {}
        [name, "status", "detect"] => {
            if let (Some(dev), Some(is_there)) = (camera(book, name), text::presence(&said)) {
                is_camera(book, dev);
                book.say(dev, topic, there(is_there));
            }
        }
        [name, kind, "set"] if !kind.is_empty() && !name.is_empty() => {}
        [name, kind, "state"] => {
            let Some(dev) = camera(book, name) else { return };
            is_camera(book, dev);
            let value = text::flag(&said).map_or_else(|| text::value(&said), Value::Flag);
            let kind_of = match value {
                Value::Flag(_) => MetricType::Flag,
                Value::Text(_) => MetricType::Text,
                _ => MetricType::Number,
            };
            if let Some(key) = new_metric(book, dev, kind, id, &words_of(kind), kind_of) {
                let topic = format!("{BASE}/{name}/{kind}/set");
                book.command_on(dev, key, true, topic, |value| {
                    Ok(match value {
                        Value::Flag(on) => if *on { "ON" } else { "OFF" }.to_owned(),
                        Value::Text(word) => word.to_string(),
                        other => json_of(other).to_string(),
                    })
                });
            }
            put(book, dev, kind, id, &words_of(kind), value, "");
        }
        [name, "motion"] => {
            if let (Some(dev), Some(moves)) = (camera(book, name), text::flag(&said)) {
                is_camera(book, dev);
                put(book, dev, "motion", id, "Motion detected", Value::Flag(moves), "");
            }
        }
        [name, "review_status"] => {
            if let Some(dev) = camera(book, name) {
                put(book, dev, "review_status", id, "Review status", text::text(&said.to_lowercase()), "");
            }
        }
        // Pictures, and the loudness a second time.
        [_, _, "snapshot"] | [_, "audio", "rms"] => {}
        [name, "audio", "dBFS"] => {
            if let (Some(dev), value @ Value::Number(_)) = (camera(book, name), text::value(&said)) {
                put(book, dev, "audio dBFS", id, "Audio level", value, "dBFS");
            }
        }
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
    is_camera(book, dev);
    book.at = now.get("frame_time").and_then(general::moment);
    let is_end = json.get("type").and_then(Json::as_str) == Some("end");
    let label = text_of("label");
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

/// A review gathers events: how grave it is, and what was seen.
fn review(book: &mut Book, id: u32, payload: &Payload<'_>) {
    let Some(json) = payload.json() else { return };
    let Some(now) = json.get("after").or_else(|| json.get("before")) else { return };
    let text_of = |name: &str| now.get(name).and_then(Json::as_str).unwrap_or_default();
    let Some(dev) = camera(book, text_of("camera")) else { return };
    is_camera(book, dev);
    book.at = now.get("start_time").and_then(general::moment);
    let objects = now.pointer("/data/objects").and_then(Json::as_array);
    let objects: Vec<&str> = objects.into_iter().flatten().filter_map(Json::as_str).take(16).collect();
    let is_end = json.get("type").and_then(Json::as_str) == Some("end");
    let severity = if is_end { "none" } else { text_of("severity") };
    put(book, dev, "review", id, "Review", text::text(severity), "");
    put(book, dev, "review objects", id, "Review objects", text::text(&objects.join(", ")), "");
}

/// A face or a licence plate that was recognized.
fn recognized(book: &mut Book, id: u32, payload: &Payload<'_>) {
    let Some(json) = payload.json() else { return };
    let text_of = |name: &str| json.get(name).and_then(Json::as_str).filter(|text| !text.is_empty());
    let (key, shown) = match text_of("type") {
        Some("face") => ("face", "Face"),
        Some("lpr") => ("plate", "Licence plate"),
        _ => return,
    };
    // A plate that was given a name is known by it.
    let Some(name) = text_of("name").or_else(|| text_of("plate")) else { return };
    let Some(dev) = text_of("camera").and_then(|name| camera(book, name)) else { return };
    is_camera(book, dev);
    book.at = json.get("timestamp").and_then(general::moment);
    put(book, dev, key, id, shown, text::text(name), "");
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
            if let (Some(value), Some(dev)) = (about.get(field).and_then(json::reading), camera(book, name)) {
                is_camera(book, dev);
                put(book, dev, field, id, shown, value, unit);
            }
        }
    }
}
