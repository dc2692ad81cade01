//! Shelly's first generation: `shellies/ID/…`, one topic for each value.

use serde_json::Value as Json;

use crate::mapping::mqtt::book::{Book, Dev, Rank, guessed, named};
use crate::mapping::mqtt::change::There;
use crate::mapping::mqtt::general;
use crate::mapping::mqtt::ha::{hex, json_of, mac, rgb, word, words_of};
use crate::mapping::mqtt::template::Payload;
use crate::mapping::mqtt::{json, text};
use crate::model::device::{Control, Metric, MetricType, Value};
use crate::model::number::Number;

/// Models that sleep between their readings.
const SLEEPERS: &[&str] =
    &["shellyht-", "shellydw-", "shellydw2-", "shellyflood-", "shellysmoke-", "shellybutton1-"];

/// The key of the device that a topic belongs to.
pub(super) fn key_of(topic: &str) -> Option<String> {
    let (id, _) = topic.strip_prefix("shellies/")?.split_once('/')?;
    Some(format!("shelly1:{id}"))
}

/// Reads a message.
pub(super) fn receive(book: &mut Book, id: u32, topic: &str, payload: &Payload<'_>) {
    let Some(rest) = topic.strip_prefix("shellies/") else { return };
    if rest == "announce" {
        if let Some(name) = payload.json().and_then(|json| json.get("id")).and_then(Json::as_str)
            && let Some(dev) = device(book, name)
        {
            announced(book, dev, payload);
        }
        return;
    }
    let Some((name, rest)) = rest.split_once('/') else { return };
    if rest == "command" || rest.ends_with("/command") || rest.contains("/command/") || rest.ends_with("/set")
    {
        return;
    }
    let Some(dev) = device(book, name) else { return };
    match rest {
        "online" => {
            if let Some(is_there) = text::flag(&payload.text()) {
                let there = match is_there {
                    true => There::Online,
                    // They switch their radio off to save the battery.
                    false if SLEEPERS.iter().any(|model| name.starts_with(model)) => There::Asleep,
                    false => There::Offline(String::new()),
                };
                book.say(dev, topic, there);
            }
        }
        "announce" => announced(book, dev, payload),
        "info" | "status" => info(book, dev, id, name, payload),
        "settings" => {}
        rest => says(book, dev, id, name, rest, payload),
    }
}

fn device(book: &mut Book, name: &str) -> Option<Dev> {
    let dev = book.device(Rank::Shape, &[&format!("shelly1:{name}")], name)?;
    let model = name.rsplit_once('-').map_or(name, |(model, _)| model);
    book.describe(dev, Rank::Shape, name, "", &[("model", model), ("manufacturer", "Shelly")]);
    Some(dev)
}

fn announced(book: &mut Book, dev: Dev, payload: &Payload<'_>) {
    let Some(json) = payload.json() else { return };
    let text = |name: &str| json.get(name).and_then(json::string).unwrap_or_default().into_owned();
    book.describe(
        dev,
        Rank::Own,
        "",
        "",
        &[
            ("model", &text("model")),
            ("mac", &text("mac")),
            ("ip", &text("ip")),
            ("firmware", &text("fw_ver")),
        ],
    );
    if let Some(mac) = mac(&text("mac")) {
        book.add_weak_key(dev, &format!("mac:{mac}"));
    }
}

/// What a device says of itself in one message. Some say the same on topics of their own.
fn info(book: &mut Book, dev: Dev, id: u32, name: &str, payload: &Payload<'_>) {
    let Some(json) = payload.json() else { return };
    for (paths, key, shown, unit) in [
        (&["/wifi_sta/rssi"][..], "info/rssi", "Wi-Fi signal", "dBm"),
        (&["/tmp/value", "/tmp/tC", "/thermostats/0/tmp/value", "/tmp"], "temperature", "Temperature", "°C"),
        (&["/hum/value"], "sensor/humidity", "Humidity", "%"),
        (&["/bat/value", "/bat"], "sensor/battery", "Battery", "%"),
        (&["/bat/voltage"], "info/voltage", "Battery voltage", "V"),
        (&["/lux/value", "/lux"], "sensor/lux", "Illuminance", "lx"),
        (&["/sensor/motion", "/motion"], "sensor/motion", "Motion", ""),
        (&["/sensor/vibration", "/vibration"], "sensor/vibration", "Vibration", ""),
        (&["/thermostats/0/pos", "/pos"], "info/pos", "Valve position", "%"),
        (&["/thermostats/0/target_t/value", "/target_t/value"], "info/target_t", "Target temperature", "°C"),
        (&["/uptime"], "info/uptime", "Uptime", "s"),
    ] {
        let Some(value) = paths.iter().find_map(|path| json::reading(json.pointer(path)?)) else { continue };
        let key = if key == "temperature" { temperature_key(book, dev) } else { key };
        if key == "info/target_t" {
            target(book, dev, id, key, shown, name);
        }
        book.read(dev, key, id, value.clone(), || guessed(named(shown), &value, unit));
    }
}

/// A device has one thermometer of its own, whatever topics tell its value.
fn temperature_key(book: &Book, dev: Dev) -> &'static str {
    let has = |key: &str| book.get(dev).is_some_and(|device| device.find(key).is_some());
    if has("sensor/temperature") { "sensor/temperature" } else { "temperature" }
}

/// Declares the temperature that a radiator valve aims at.
fn target(book: &mut Book, dev: Dev, id: u32, key: &str, shown: &str, device: &str) {
    if !is_new(book, dev, key) {
        return;
    }
    let mut metric = Metric::new(named(shown), MetricType::Number);
    (metric.min, metric.max) = (Some(Number::from(4.0)), Some(Number::from(31.0)));
    (metric.unit, metric.control) = ("°C".to_owned(), Some(Control::Setpoint));
    book.put_metric(dev, key, id, metric);
    let topic = format!("shellies/{device}/thermostat/0/command/target_t");
    book.command_on(dev, key, true, topic, |value| Ok(json_of(value).to_string()));
}

/// Units by the last level.
fn unit(level: &str, is_meter: bool) -> &'static str {
    match level {
        "power" => "W",
        "reactive_power" => "var",
        "voltage" => "V",
        "current" => "A",
        "total" | "total_returned" | "energy" | "returned_energy" => "Wh",
        "temperature" | "ext_temperature" | "target_t" => "°C",
        "overpower_value" => "W",
        "humidity" | "ext_humidity" | "battery" | "pos" | "valve_pos" => "%",
        "lux" => "lx",
        "tilt" => "°",
        "concentration" => "ppm",
        "adc" if !is_meter => "V",
        _ => "",
    }
}

fn says(book: &mut Book, dev: Dev, id: u32, device: &str, rest: &str, payload: &Payload<'_>) {
    let levels: Vec<&str> = rest.split('/').collect();
    let said = payload.text();
    match *levels.as_slice() {
        ["relay" | "light" | "color" | "white", number] => {
            let Some(is_on) = text::flag(said.split_whitespace().next().unwrap_or_default()) else { return };
            switch(book, dev, id, device, levels[0], number);
            book.read(dev, rest, id, Value::Flag(is_on), || Metric::new(named(rest), MetricType::Flag));
        }
        ["light" | "color" | "white", number, "status"] => {
            light(book, dev, id, device, levels[0], number, payload)
        }
        ["roller", number] => {
            roller(book, dev, id, device, number);
            book.read(dev, rest, id, text::text(said.trim()), || Metric::new(named(rest), MetricType::Enum));
        }
        ["roller", number, "pos"] => {
            roller(book, dev, id, device, number);
            let value = text::value(&said);
            book.read(dev, rest, id, value, || Metric::new(named(rest), MetricType::Number));
        }
        ["input_event", number] => {
            let event =
                payload.json().and_then(|json| json.get("event")).and_then(Json::as_str).unwrap_or_default();
            if !event.is_empty() {
                book.read(dev, rest, id, text::text(event), || {
                    Metric::new(named(&format!("Input {number} event")), MetricType::Text)
                });
            }
        }
        _ => plain(book, dev, id, rest, &levels, payload),
    }
}

fn plain(book: &mut Book, dev: Dev, id: u32, rest: &str, levels: &[&str], payload: &Payload<'_>) {
    let last = levels
        .iter()
        .rev()
        .find(|level| !level.bytes().all(|byte| byte.is_ascii_digit()))
        .copied()
        .unwrap_or(rest);
    let is_meter = matches!(levels[0], "relay" | "emeter" | "roller" | "light" | "color" | "white");
    // Lists and objects say it once more, and so does Fahrenheit.
    if payload.json().is_some_and(|json| json.is_object() || json.is_array())
        || matches!(last, "temperature_f" | "ext_temperature_f")
    {
        return;
    }
    let (value, _) = general::bare(payload);
    let is_flag = matches!(
        levels[0],
        "input" | "longpush" | "overtemperature" | "ext_switch" | "overpower" | "loaderror"
    ) || levels[0] == "sensor"
        && matches!(last, "vibration" | "motion" | "flood" | "smoke" | "ext_power" | "charger" | "active");
    let value = match (&value, last) {
        (Value::Number(number), _) if is_flag => Value::Flag(*number != 0.0),
        // Counted in watt-minutes.
        (Value::Number(number), "energy" | "returned_energy") if is_meter => {
            Value::number((number / 60.0 * 1e3).round() / 1e3)
        }
        _ => value,
    };
    let name = match levels {
        ["emeter_n", field] => format!("Neutral {}", words_of(field).to_lowercase()),
        ["emeter", number, field] => format!("Phase {number} {}", words_of(field).to_lowercase()),
        ["sensor", field] => words_of(field),
        [kind, number, field] => format!("{} {number} {}", words_of(kind), words_of(field).to_lowercase()),
        [kind, number] => format!("{} {number}", words_of(kind)),
        _ => words_of(rest),
    };
    let unit = if matches!(value, Value::Text(_) | Value::Flag(_)) { "" } else { unit(last, is_meter) };
    let has_other = || book.get(dev).is_some_and(|device| device.find("temperature").is_some());
    let rest = match rest {
        "temperature" => temperature_key(book, dev),
        "sensor/temperature" if has_other() => "temperature",
        rest => rest,
    };
    book.read(dev, rest, id, value.clone(), || guessed(named(&name), &value, unit));
}

fn is_new(book: &Book, dev: Dev, key: &str) -> bool {
    book.get(dev).is_some_and(|device| device.find(key).is_none())
}

fn switch(book: &mut Book, dev: Dev, id: u32, device: &str, kind: &str, number: &str) {
    let key = format!("{kind}/{number}");
    if !is_new(book, dev, &key) {
        return;
    }
    book.put_metric(
        dev,
        &key,
        id,
        Metric::new(
            named(&format!("{} {number}", words_of(&kind.replace("color", "light")))),
            MetricType::Flag,
        ),
    );
    let topic = format!("shellies/{device}/{key}/command");
    book.command_on(dev, &key, true, topic, |value| {
        Ok(if *value == Value::Flag(true) { "on" } else { "off" })
    });
}

fn roller(book: &mut Book, dev: Dev, id: u32, device: &str, number: &str) {
    let (key, position) = (format!("roller/{number}"), format!("roller/{number}/pos"));
    if !is_new(book, dev, &key) {
        return;
    }
    let mut metric = Metric::new(named(&format!("Roller {number}")), MetricType::Enum);
    metric.options = ["open", "close", "stop"].map(str::to_owned).to_vec();
    metric.control = Some(Control::Cover);
    book.put_metric(dev, &key, id, metric);
    let topic = format!("shellies/{device}/{key}/command");
    book.command_on(dev, &key, true, topic.clone(), word);
    let mut metric = Metric::new(named(&format!("Roller {number} position")), MetricType::Number);
    (metric.unit, metric.min, metric.max) =
        ("%".to_owned(), Some(Number::from(0.0)), Some(Number::from(100.0)));
    book.put_metric(dev, &position, id, metric);
    book.command_on(dev, &position, true, format!("{topic}/pos"), |value| Ok(json_of(value).to_string()));
}

fn light(book: &mut Book, dev: Dev, id: u32, device: &str, kind: &str, number: &str, payload: &Payload<'_>) {
    let Some(json) = payload.json() else { return };
    let value = |name: &str| json.get(name).and_then(json::reading);
    let key = format!("{kind}/{number}");
    switch(book, dev, id, device, kind, number);
    if let Some(Json::Bool(is_on)) = json.get("ison") {
        book.read(dev, &key, id, Value::Flag(*is_on), || Metric::new(named(&key), MetricType::Flag));
    }
    let set = format!("shellies/{device}/{key}/set");
    for (field, name, unit, max) in [
        ("brightness", "brightness", "%", 100.0),
        ("gain", "gain", "%", 100.0),
        ("white", "white", "", 255.0),
        ("temp", "colour temperature", "K", 6_500.0),
        ("power", "power", "W", f64::NAN),
    ] {
        let Some(value) = value(field) else { continue };
        // The power has a topic of its own, too.
        let own = if field == "power" { format!("{key}/power") } else { format!("{key}.{field}") };
        if is_new(book, dev, &own) {
            let mut metric = Metric::new(named(&format!("Light {number} {name}")), MetricType::Number);
            unit.clone_into(&mut metric.unit);
            book.put_metric(dev, &own, id, metric.clone());
            if max.is_finite() {
                (metric.min, metric.max) = (
                    Some(Number::from(if field == "temp" { 2_700.0 } else { 0.0 })),
                    Some(Number::from(max)),
                );
                book.put_metric(dev, &own, id, metric);
                let (topic, field) = (set.clone(), field.to_owned());
                book.command_on(dev, &own, true, topic, move |value| {
                    Ok(serde_json::json!({field.as_str(): json_of(value)}).to_string())
                });
            }
        }
        book.read(dev, &own, id, value, || Metric::new(named(field), MetricType::Number));
    }
    colour(book, dev, id, &key, number, set, json);
}

fn colour(book: &mut Book, dev: Dev, id: u32, key: &str, number: &str, set: String, json: &Json) {
    let part = |name: &str| json::number(json.get(name));
    if let (Some(red), Some(green), Some(blue)) = (part("red"), part("green"), part("blue")) {
        let own = format!("{key}.colour");
        if is_new(book, dev, &own) {
            let mut metric = Metric::new(named(&format!("Light {number} colour")), MetricType::Text);
            metric.control = Some(Control::Colour);
            book.put_metric(dev, &own, id, metric);
            book.command_on(dev, &own, true, set, |value| {
                let [red, green, blue] = rgb(value)?;
                Ok(serde_json::json!({"red": red, "green": green, "blue": blue}).to_string())
            });
        }
        book.read(dev, &own, id, hex(red, green, blue), || Metric::new(named("Colour"), MetricType::Text));
    }
}
