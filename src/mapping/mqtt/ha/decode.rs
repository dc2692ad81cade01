//! [`Decode`]: what a state says, once its template has picked it out.

use chrono::{DateTime, NaiveDateTime};
use serde_json::Value as Json;

use crate::mapping::mqtt::template::Given;
use crate::mapping::mqtt::{general, json, text};
use crate::model::device::{MetricType, Value};

/// How a state is read.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Decode {
    /// By the metric's type.
    Plain,
    /// On or off, by these payloads.
    Flag { on: String, off: String },
    /// One of these payloads, each with what it means; others as they are, or not at all.
    Words { words: Vec<(String, String)>, others: Others },
    /// A point in time.
    Time,
    /// A colour as numbers of red, green and blue.
    Rgb,
    /// A colour as hue and saturation.
    HueSaturation,
    /// A colour as x and y.
    Xy,
    /// A colour as an object with one of these.
    Colour,
    /// Where a picture is, or how large it is.
    Picture,
    /// The type of an event.
    Event,
    /// Open or closed, by the position.
    OpenAt { closed: f64 },
    /// A number on the left scale, shown on the right one.
    Scaled { from: (f64, f64), to: (f64, f64) },
    /// A field of a JSON state, or the state itself.
    FieldOrWhole(&'static str),
    /// A field of a JSON state, and nothing else.
    Field(&'static str),
    /// On or off, by these payloads in a field of a JSON state, or by the state itself.
    FlagIn { field: &'static str, on: String, off: String },
}

/// What becomes of payloads that are not among the known ones.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Others {
    Shown,
    Unknown,
    Left,
}

impl Decode {
    /// The value of a state; `None` if it says nothing.
    pub fn value(&self, given: Given<'_>, kind: MetricType) -> Option<Value> {
        match (self, given) {
            (_, Given::Nothing) => None,
            (Decode::Plain, Given::Json(json)) => plain_json(json, kind),
            (Decode::Colour, Given::Json(json)) => colour_of(json),
            (Decode::OpenAt { .. }, Given::Json(Json::Object(map))) => {
                match map.get("state").and_then(Json::as_str) {
                    Some(state) => Some(text::text(state)),
                    None => self.text(&json::string(map.get("position")?)?, kind),
                }
            }
            (Decode::Field(field), Given::Json(json)) => plain_json(json.get(*field)?, kind),
            (Decode::Field(field), Given::Text(text)) => {
                plain_json(json::object(text.as_bytes())?.get(*field)?, kind)
            }
            (Decode::FlagIn { field, on, off }, Given::Json(Json::Object(map))) => {
                flag(&json::string(map.get(*field)?)?, on, off)
            }
            (Decode::FieldOrWhole(field), Given::Json(json)) => {
                plain_json(json.get(*field).unwrap_or(json), kind)
            }
            (Decode::FieldOrWhole(field), Given::Text(text)) => match json::parse(text.as_bytes()) {
                Some(Json::Object(map)) => plain_json(map.get(*field)?, kind),
                _ => plain(&text, kind),
            },
            (decode, given) => decode.text(&given.into_text()?, kind),
        }
    }

    fn text(&self, text: &str, kind: MetricType) -> Option<Value> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        if text == "None" {
            return Some(Value::Missing);
        }
        match self {
            Decode::Plain | Decode::FieldOrWhole(_) | Decode::Field(_) => plain(text, kind),
            Decode::Flag { on, off } | Decode::FlagIn { on, off, .. } => flag(text, on, off),
            Decode::Words { words, others } => {
                let known = words.iter().find(|(payload, _)| payload == text);
                match (known, others) {
                    (Some((_, shown)), _) => Some(text::text(shown)),
                    (None, Others::Shown) => Some(text::text(text)),
                    (None, Others::Unknown) => Some(text::text("unknown")),
                    (None, Others::Left) => None,
                }
            }
            Decode::Time => Some(time(text)),
            Decode::Rgb => {
                // Channels of white may follow.
                let [red, green, blue] = *numbers(text)?.first_chunk()?;
                Some(hex(red, green, blue))
            }
            Decode::HueSaturation => {
                let [hue, saturation] = numbers(text)?.try_into().ok()?;
                Some(of_hue(hue, saturation))
            }
            Decode::Xy => Some(text::text(text)),
            Decode::Picture if text.len() > 256 && !text.contains("://") => {
                Some(text::text(&format!("picture, {} bytes", text.len())))
            }
            Decode::Picture => Some(text::text(text)),
            Decode::Colour => {
                json::parse(text.as_bytes()).as_ref().and_then(colour_of).or_else(|| Some(text::text(text)))
            }
            Decode::Event => {
                let kind = json::object(text.as_bytes())
                    .and_then(|map| Some(map.get("event_type")?.as_str()?.to_owned()));
                kind.map(|kind| text::text(&kind))
            }
            Decode::OpenAt { closed } => {
                let position: f64 = text.parse().ok()?;
                Some(text::text(if (position - closed).abs() < f64::EPSILON { "closed" } else { "open" }))
            }
            Decode::Scaled { from, to } => {
                let number: f64 = text.parse().ok()?;
                Some(Value::number(scaled(number, *from, *to).round()))
            }
        }
    }
}

/// A number on another scale.
pub(super) fn scaled(number: f64, from: (f64, f64), to: (f64, f64)) -> f64 {
    let width = if (from.1 - from.0).abs() < f64::EPSILON { 1.0 } else { from.1 - from.0 };
    to.0 + (number - from.0) / width * (to.1 - to.0)
}

fn plain(text: &str, kind: MetricType) -> Option<Value> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    Some(match kind {
        MetricType::Number if text::is_no_number(text) => Value::Missing,
        MetricType::Number if matches!(text, "unknown" | "unavailable" | "none" | "null" | "None") => {
            Value::Missing
        }
        MetricType::Number => match Value::parse_number(text) {
            Ok(number) => text::tidied(number),
            Err(_) => text::text(text),
        },
        MetricType::Flag => text::flag(text).map_or_else(|| text::text(text), Value::Flag),
        MetricType::Text | MetricType::Enum => text::text(text),
    })
}

fn plain_json(json: &Json, kind: MetricType) -> Option<Value> {
    match (json, kind) {
        (Json::String(text), _) => plain(text, kind),
        (Json::Bool(flag), MetricType::Text | MetricType::Enum) => {
            Some(text::text(if *flag { "True" } else { "False" }))
        }
        (Json::Number(number), MetricType::Text | MetricType::Enum) => Some(text::text(&number.to_string())),
        (Json::Array(_) | Json::Object(_), _) => Some(text::text(&json.to_string())),
        _ => json::scalar(json),
    }
}

fn flag(text: &str, on: &str, off: &str) -> Option<Value> {
    if text == on {
        return Some(Value::Flag(true));
    }
    if text == off {
        return Some(Value::Flag(false));
    }
    // Templates write flags as Python does, whatever the payload was.
    let same = |one: &str| {
        text.eq_ignore_ascii_case(one) && matches!(one.to_ascii_lowercase().as_str(), "true" | "false")
    };
    if same(on) {
        return Some(Value::Flag(true));
    }
    same(off).then_some(Value::Flag(false)).or(Some(Value::Missing))
}

/// A time as text. One without a zone is left as it is, and said so.
pub(super) fn time(text: &str) -> Value {
    let form = "%Y-%m-%d %H:%M:%S";
    let shown = |time: DateTime<chrono::FixedOffset>| {
        let zone =
            if time.offset().local_minus_utc() == 0 { "UTC".to_owned() } else { time.offset().to_string() };
        text::text(&format!("{} {zone}", time.format(form)))
    };
    let with_zone = ["%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%d %H:%M:%S%.f%z", "%Y-%m-%dT%H:%M%z"];
    let read = with_zone.iter().find_map(|form| DateTime::parse_from_str(text, form).ok());
    if let Some(time) = DateTime::parse_from_rfc3339(text).ok().or(read) {
        return shown(time);
    }
    if let Some(at) = text::number(text).and_then(|_| general::moment(&Json::String(text.to_owned())))
        && let Some(time) = DateTime::from_timestamp_millis(at.0)
    {
        return shown(time.fixed_offset());
    }
    let naive = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M"];
    match naive.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok()) {
        Some(time) => text::text(&format!("{} (no time zone)", time.format(form))),
        None => text::text(text),
    }
}

fn numbers(text: &str) -> Option<Vec<f64>> {
    let text = text.trim_matches(|c: char| matches!(c, '(' | ')' | '[' | ']'));
    text.split(',').take(8).map(|part| part.trim().parse().ok()).collect()
}

/// A colour as text.
pub(in super::super) fn hex(red: f64, green: f64, blue: f64) -> Value {
    let byte = |part: f64| part.round().clamp(0.0, 255.0) as u8;
    text::text(&format!("#{:02X}{:02X}{:02X}", byte(red), byte(green), byte(blue)))
}

/// A colour of this hue (0 to 360) and saturation (0 to 100) at full brightness.
pub(in super::super) fn of_hue(hue: f64, saturation: f64) -> Value {
    let saturation = (saturation / 100.0).clamp(0.0, 1.0);
    let part = |n: f64| {
        let k = (n + hue / 60.0).rem_euclid(6.0);
        255.0 * (1.0 - saturation * k.min(4.0 - k).clamp(0.0, 1.0))
    };
    hex(part(5.0), part(3.0), part(1.0))
}

/// A colour of an object: red, green and blue, hue and saturation, or x and y.
pub(in super::super) fn colour_of(json: &Json) -> Option<Value> {
    let map = json.as_object()?;
    let number = |name: &str| json::number(map.get(name));
    if let (Some(red), Some(green), Some(blue)) = (number("r"), number("g"), number("b")) {
        return Some(hex(red, green, blue));
    }
    if let (Some(x), Some(y)) = (number("x"), number("y")) {
        return Some(text::text(&format!("x {x}, y {y}")));
    }
    let hue = number("h").or_else(|| number("hue"))?;
    Some(of_hue(hue, number("s").or_else(|| number("saturation"))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_keep_their_zone_or_say_that_they_have_none() {
        for (text, shown) in [
            ("1707350400", "2024-02-08 00:00:00 UTC"),
            ("2022-11-29T06:23:50+0200", "2022-11-29 06:23:50 +02:00"),
            ("2024-12-01 15:29:19", "2024-12-01 15:29:19 (no time zone)"),
            ("2024-02-08 00:00:00+00:00", "2024-02-08 00:00:00 UTC"),
            ("soon", "soon"),
        ] {
            assert_eq!(time(text), text::text(shown));
        }
    }

    #[test]
    fn colours_are_shown_as_hexadecimal() {
        assert_eq!(Decode::Rgb.text("128,64,0", MetricType::Text), Some(text::text("#804000")));
        assert_eq!(of_hue(120.0, 100.0), text::text("#00FF00"));
        assert_eq!(of_hue(0.0, 0.0), text::text("#FFFFFF"));
        assert_eq!(colour_of(&serde_json::json!({"x":0.4,"y":0.5})), Some(text::text("x 0.4, y 0.5")));
    }
}
