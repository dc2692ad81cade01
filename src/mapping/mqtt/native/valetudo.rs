//! Valetudo RE: `valetudo/ROBOT/state` and `/attributes`. The newer one speaks Homie.

use super::there;
use super::{new_metric, put, spaced};
use crate::mapping::mqtt::book::{Book, Rank};
use crate::mapping::mqtt::ha::{word, words_of};
use crate::mapping::mqtt::template::Payload;
use crate::mapping::mqtt::{general, json, text};
use crate::model::device::{MetricType, Value};

pub(super) fn takes(topic: &str) -> bool {
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

pub(super) fn receive(book: &mut Book, id: u32, topic: &str, payload: &Payload<'_>) {
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
    if let Some(key) = new_metric(book, dev, "command", super::NO_TOPIC, "Command", MetricType::Enum) {
        let words = ["start", "pause", "stop", "return_to_base", "locate", "clean_spot"];
        book.change_metric(dev, key, |metric| {
            metric.options = words.map(str::to_owned).to_vec();
            metric.write_only = true;
        });
        let topic = format!("valetudo/{name}/command");
        book.command_on(dev, key, false, topic, word);
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
                Some(at) => chrono::DateTime::from_timestamp_millis(at.0).map_or(Value::Missing, |time| {
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
