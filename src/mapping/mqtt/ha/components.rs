//! The components of Home Assistant's discovery, but for lights, covers and climate: what of each is read, and what is set.

use std::sync::Arc;

use serde_json::json;

use super::config::{Config, words_of};
use super::decode::{Decode, Others};
use super::part::{Part, Parts, Sent, as_is, by_flag, by_number, by_word, commands, reads, words};
use super::{climate, cover, light};
use crate::mapping::mqtt::levels;
use crate::model::device::{Control, MetricType, Value};

/// Device classes of sensors whose values are no numbers.
const TEXT_CLASSES: &[&str] = &["date", "enum", "timestamp", "uptime"];

/// The parts of an entity.
pub(super) fn parts(config: &Config) -> Vec<Part> {
    let mut parts = Parts::new(config);
    let p = &mut parts;
    match config.component.as_str() {
        "sensor" if is_secret(config) => {}
        "sensor" => sensor(p),
        "binary_sensor" => binary_sensor(p),
        "switch" => switch(p),
        "siren" => siren(p),
        "number" => number(p),
        "select" => select(p),
        "button" | "scene" => button(p),
        "text" | "date" | "time" | "datetime" => text(p),
        "notify" => notify(p),
        "light" => light::parts(p),
        "cover" => cover::cover(p),
        "valve" => cover::valve(p),
        "lock" => cover::lock(p),
        "climate" => climate::climate(p),
        "water_heater" => climate::water_heater(p),
        "humidifier" => climate::humidifier(p),
        "fan" => climate::fan(p),
        "vacuum" => vacuum(p),
        "lawn_mower" => lawn_mower(p),
        "alarm_control_panel" => alarm(p),
        "update" => update(p),
        "event" => event(p),
        "device_tracker" => tracker(p),
        "device_automation" => automation(p),
        "tag" => {
            let config = p.config;
            p.add("tag", MetricType::Text).state(config, "topic", "value_template");
        }
        "camera" => picture(p, "topic", ""),
        "image" if p.has(&["url_topic"]) => picture(p, "url_topic", "url_template"),
        "image" => picture(p, "image_topic", ""),
        _ => {}
    }
    parts.list
}

/// Whether its state must not be shown.
pub(super) fn is_secret(config: &Config) -> bool {
    let is_called_so =
        config.name().is_some_and(|name| levels::is_secret(&name)) || levels::is_secret(&config.object);
    match config.component.as_str() {
        "sensor" => is_called_so,
        "text" => is_called_so || config.text("mode").as_deref() == Some("password"),
        _ => false,
    }
}

fn sensor(p: &mut Parts<'_>) {
    let config = p.config;
    let class = config.text("device_class").filter(|class| class != "None").unwrap_or_default();
    let unit = config.text("unit_of_measurement").unwrap_or_default();
    let is_label =
        config.name().is_some_and(|name| levels::is_label(&name)) || levels::is_label(&config.object);
    let is_text = TEXT_CLASSES.contains(&class.as_str()) || is_label && unit.is_empty();
    let is_number = !unit.is_empty() || config.text("state_class").is_some() || !class.is_empty() && !is_text;
    let options = config.list("options");
    let kind = match (is_text, options.is_empty()) {
        (true, false) => MetricType::Enum,
        (true, true) => MetricType::Text,
        (false, _) => MetricType::Number,
    };
    let precision =
        config.number("suggested_display_precision").filter(|digits| (0.0..=15.0).contains(digits));
    let part = p.add("", kind).state(config, "state_topic", "value_template").unit(&unit).options(options);
    if matches!(class.as_str(), "timestamp" | "uptime") {
        part.decode(Decode::Time);
    }
    part.metric.precision = precision.map(|digits| digits as u8);
    part.is_guessed = !is_number && !is_text;
}

fn binary_sensor(p: &mut Parts<'_>) {
    let config = p.config;
    let (on, off) = (config.text_or("payload_on", "ON"), config.text_or("payload_off", "OFF"));
    p.add("", MetricType::Flag)
        .state(config, "state_topic", "value_template")
        .decode(Decode::Flag { on, off });
}

fn switch(p: &mut Parts<'_>) {
    let config = p.config;
    let (on, off) = (config.text_or("payload_on", "ON"), config.text_or("payload_off", "OFF"));
    let states = Decode::Flag { on: config.text_or("state_on", &on), off: config.text_or("state_off", &off) };
    let template =
        if config.text("state_value_template").is_some() { "state_value_template" } else { "value_template" };
    p.add("", MetricType::Flag).state(config, "state_topic", template).decode(states).sends(
        config,
        "command_topic",
        "command_template",
        by_flag(on, off),
    );
}

fn siren(p: &mut Parts<'_>) {
    let config = p.config;
    switch(p);
    if let Some(part) = p.list.first_mut()
        && let Decode::Flag { on, off } = &part.decode
    {
        // Its state is a word, or an object with one.
        part.decode = Decode::FlagIn { field: "state", on: on.clone(), off: off.clone() };
    }
    if let Some(sends) = p.list.first_mut().and_then(|part| part.sends.as_mut()) {
        let plain = Arc::clone(&sends.encode);
        let has_template = sends.template.is_some();
        sends.off_template = config.text("command_off_template");
        // Without a template it is sent as an object.
        sends.encode = Arc::new(move |value| {
            let Sent { value, mut more } = plain(value)?;
            more.push(("state", value.clone()));
            Ok(Sent { value: if has_template { value } else { json!({"state": value}) }, more })
        });
    }
    let on = config.text_or("payload_on", "ON");
    let set = |name: &'static str| -> super::part::Encode {
        let on = on.clone();
        Arc::new(move |value| {
            let value = super::part::json_of(value);
            Ok(Sent { value: json!({"state": on, name: value}), more: vec![(name, value)] })
        })
    };
    let tones = config.list("available_tones");
    if !tones.is_empty() {
        p.add("tone", MetricType::Enum).field(config, &["tone"]).options(tones).sends(
            config,
            "command_topic",
            "command_template",
            set("tone"),
        );
    }
    for (field, name, unit, max) in
        [("volume_level", "volume", "", Some(1.0)), ("duration", "duration", "s", None)]
    {
        let supports = if field == "duration" { "support_duration" } else { "support_volume_set" };
        if config.flag(supports) {
            p.add(name, MetricType::Number)
                .field(config, &[field])
                .unit(unit)
                .range(Some(0.0), max, None)
                .sends(config, "command_topic", "command_template", set(field));
        }
    }
}

fn number(p: &mut Parts<'_>) {
    let config = p.config;
    let unit = config.text("unit_of_measurement").unwrap_or_default();
    let (min, max) = (config.number("min").unwrap_or(1.0), config.number("max").unwrap_or(100.0));
    p.add("", MetricType::Number)
        .state(config, "state_topic", "value_template")
        .unit(&unit)
        .range(Some(min), Some(max), Some(config.number("step").unwrap_or(1.0)))
        .sends(config, "command_topic", "command_template", as_is());
}

fn select(p: &mut Parts<'_>) {
    let config = p.config;
    p.add("", MetricType::Enum)
        .state(config, "state_topic", "value_template")
        .options(config.list("options"))
        .sends(config, "command_topic", "command_template", as_is());
}

fn button(p: &mut Parts<'_>) {
    let config = p.config;
    let (key, default, word) = match config.component.as_str() {
        "scene" => ("payload_on", "ON", "activate"),
        _ => ("payload_press", "PRESS", "press"),
    };
    let encode = by_word(commands(config, &[(key, default, word)]));
    let is_risky = matches!(config.text("device_class").as_deref(), Some("restart" | "update"));
    let part = p.add("", MetricType::Enum).options(vec![word.to_owned()]).control(Control::Button);
    part.sends(config, "command_topic", "command_template", encode);
    (part.metric.write_only, part.metric.risky) = (true, is_risky);
}

fn text(p: &mut Parts<'_>) {
    let config = p.config;
    let is_secret = is_secret(config);
    let part = p.add("", MetricType::Text).sends(config, "command_topic", "command_template", as_is());
    match is_secret {
        true => part.metric.write_only = true,
        false => {
            part.state(config, "state_topic", "value_template");
        }
    }
}

fn notify(p: &mut Parts<'_>) {
    let config = p.config;
    let part = p.add("", MetricType::Text).sends(config, "command_topic", "command_template", as_is());
    part.metric.write_only = true;
}

fn vacuum(p: &mut Parts<'_>) {
    let config = p.config;
    let states = ["docked", "cleaning", "returning", "paused", "idle", "error"].map(str::to_owned).to_vec();
    let pairs = [
        ("payload_start", "start", "start"),
        ("payload_pause", "pause", "pause"),
        ("payload_stop", "stop", "stop"),
        ("payload_return_to_base", "return_to_base", "return to base"),
        ("payload_clean_spot", "clean_spot", "clean spot"),
        ("payload_locate", "locate", "locate"),
    ];
    let features = config.list("supported_features");
    let pairs: Vec<_> = pairs
        .into_iter()
        .filter(|(_, feature, _)| {
            features.is_empty()
                || features.iter().any(|f| f == feature || *feature == "return_to_base" && f == "return_home")
        })
        .collect();
    let state = p.add("", MetricType::Enum).state(config, "state_topic", "value_template").options(states);
    state.decode(Decode::FieldOrWhole("state"));
    if p.has(&["command_topic"]) {
        let part = p.add("command", MetricType::Enum).chooses(config, "command_topic", "", &pairs);
        part.metric.write_only = true;
    }
    let speeds = config.list("fan_speed_list");
    if !speeds.is_empty() {
        p.add("fan speed", MetricType::Enum).field(config, &["fan_speed"]).options(speeds).sends(
            config,
            "set_fan_speed_topic",
            "",
            as_is(),
        );
    }
    if p.has(&["battery_level_topic"]) {
        older_vacuum(p);
    } else if features.is_empty() || features.iter().any(|feature| feature == "battery") {
        p.add("battery", MetricType::Number).field(config, &["battery_level"]).unit("%");
    }
}

/// The form before 2024: a topic for each thing that it says.
fn older_vacuum(p: &mut Parts<'_>) {
    let config = p.config;
    p.add("battery", MetricType::Number)
        .state(config, "battery_level_topic", "battery_level_template")
        .unit("%");
    for what in ["cleaning", "docked", "charging"] {
        let (topic, template) = (format!("{what}_topic"), format!("{what}_template"));
        if p.has(&[&topic]) {
            let states = Decode::Flag { on: "True".to_owned(), off: "False".to_owned() };
            p.add(what, MetricType::Flag).state(config, &topic, &template).decode(states);
        }
    }
    if p.has(&["error_topic"]) {
        p.add("error", MetricType::Text).state(config, "error_topic", "error_template");
    }
    if p.has(&["fan_speed_topic"])
        && let Some(part) = p.list.iter_mut().find(|part| part.key == "fan speed")
    {
        part.state(config, "fan_speed_topic", "fan_speed_template");
    }
}

fn lawn_mower(p: &mut Parts<'_>) {
    let config = p.config;
    let states = ["mowing", "paused", "docked", "returning", "error"].map(str::to_owned).to_vec();
    p.add("", MetricType::Enum)
        .state(config, "activity_state_topic", "activity_value_template")
        .options(states);
    for (word, topic, template) in [
        ("start_mowing", "start_mowing_command_topic", "start_mowing_command_template"),
        ("pause", "pause_command_topic", "pause_command_template"),
        ("dock", "dock_command_topic", "dock_command_template"),
    ] {
        if p.has(&[topic]) {
            let encode = by_word(vec![(word.to_owned(), word.to_owned())]);
            let part = p
                .add(&words_of(word), MetricType::Enum)
                .options(vec![word.to_owned()])
                .control(Control::Button);
            part.sends(config, topic, template, encode).metric.write_only = true;
        }
    }
}

fn alarm(p: &mut Parts<'_>) {
    let config = p.config;
    let mut pairs = vec![("payload_disarm", "DISARM", "disarmed")];
    let features = config.list("supported_features");
    for (feature, key, default, word) in [
        ("arm_home", "payload_arm_home", "ARM_HOME", "armed_home"),
        ("arm_away", "payload_arm_away", "ARM_AWAY", "armed_away"),
        ("arm_night", "payload_arm_night", "ARM_NIGHT", "armed_night"),
        ("arm_vacation", "payload_arm_vacation", "ARM_VACATION", "armed_vacation"),
        ("arm_custom_bypass", "payload_arm_custom_bypass", "ARM_CUSTOM_BYPASS", "armed_custom_bypass"),
        ("trigger", "payload_trigger", "TRIGGER", "triggered"),
    ] {
        if features.is_empty() || features.iter().any(|known| known == feature) {
            pairs.push((key, default, word));
        }
    }
    let options = pairs.iter().map(|(.., word)| (*word).to_owned()).collect();
    let payloads = by_word(commands(config, &pairs));
    let encode = Arc::new(move |value: &Value| {
        let sent = payloads(value)?;
        Ok(Sent { more: vec![("action", sent.value.clone()), ("code", json!(null))], value: sent.value })
    });
    p.add("", MetricType::Enum)
        .state(config, "state_topic", "value_template")
        .options(options)
        .risky()
        .sends(config, "command_topic", "command_template", encode);
}

fn update(p: &mut Parts<'_>) {
    let config = p.config;
    let part = p.add("installed version", MetricType::Text).state(config, "state_topic", "value_template");
    part.decode(Decode::FieldOrWhole("installed_version"));
    match p.has(&["latest_version_topic"]) {
        true => p.add("latest version", MetricType::Text).state(
            config,
            "latest_version_topic",
            "latest_version_template",
        ),
        false => p
            .add("latest version", MetricType::Text)
            .state(config, "state_topic", "value_template")
            .decode(Decode::Field("latest_version")),
    };
    if p.has(&["command_topic"]) {
        let encode = by_word(commands(config, &[("payload_install", "install", "install")]));
        let part = p
            .add("install", MetricType::Enum)
            .options(vec!["install".to_owned()])
            .control(Control::Button)
            .risky();
        part.sends(config, "command_topic", "", encode).metric.write_only = true;
    }
}

fn event(p: &mut Parts<'_>) {
    let config = p.config;
    p.add("", MetricType::Enum)
        .state(config, "state_topic", "value_template")
        .options(config.list("event_types"))
        .decode(Decode::Event);
}

fn tracker(p: &mut Parts<'_>) {
    let config = p.config;
    let pairs = words(
        config,
        &[
            ("payload_home", "home", "home"),
            ("payload_not_home", "not_home", "not_home"),
            ("payload_reset", "None", "unknown"),
        ],
    );
    p.add("", MetricType::Text).state(config, "state_topic", "value_template").decode(reads(pairs));
    if p.has(&["json_attributes_topic"]) {
        for name in ["latitude", "longitude", "gps_accuracy"] {
            let part = p.add(&words_of(name), MetricType::Number);
            part.unit(if name == "gps_accuracy" { "m" } else { "°" });
            part.state(config, "json_attributes_topic", "");
            if let Some((_, pick)) = &mut part.state {
                *pick =
                    super::part::Pick::Field(vec![crate::mapping::mqtt::template::Step::Field(name.into())]);
            }
        }
    }
}

/// A picture itself is no reading: where it is, or that there is one.
fn picture(p: &mut Parts<'_>, topic: &str, template: &str) {
    let config = p.config;
    p.add("", MetricType::Text).state(config, topic, template).decode(Decode::Picture);
}

fn automation(p: &mut Parts<'_>) {
    let config = p.config;
    let (kind, subtype) = (config.text_or("type", "trigger"), config.text("subtype").unwrap_or_default());
    let shown = words_of(format!("{kind} {subtype}").trim()).to_lowercase();
    let part = p.add("Action", MetricType::Text).state(config, "topic", "value_template");
    "action".clone_into(&mut part.key);
    part.metric.name = crate::mapping::mqtt::book::named("Action");
    let words = config.text("payload").map(|payload| vec![(payload, shown)]).unwrap_or_default();
    let others = if words.is_empty() { Others::Shown } else { Others::Left };
    part.decode(Decode::Words { words, others });
}

/// A percentage that is sent on another scale.
pub(super) fn by_scaled(name: &'static str, from: (f64, f64), to: (f64, f64)) -> super::part::Encode {
    let plain = by_number(name);
    Arc::new(move |value| match value.as_number() {
        Some(number) => plain(&Value::number(super::decode::scaled(number.nearest(), from, to).round())),
        None => Err("a number is needed".to_owned()),
    })
}
