//! Thermostats, water heaters, humidifiers and fans.

use super::components::by_scaled;
use super::config::{Config, words_of};
use super::decode::Decode;
use super::part::{Parts, as_is, by_flag, by_word, commands, reads, words};
use crate::model::device::{Control, MetricType};

/// A choice of modes, where the entity has it. `key`: what its fields begin with.
fn modes(p: &mut Parts<'_>, part: &str, key: &str, list: &str, default: &[&str]) {
    let config = p.config;
    let topic = |end: &str| format!("{key}_{end}");
    if !p.has(&[&topic("state_topic"), &topic("command_topic")]) {
        return;
    }
    let mut options = config.list(list);
    if options.is_empty() {
        options = default.iter().map(|mode| (*mode).to_owned()).collect();
    }
    let template =
        [topic("state_template"), topic("value_template")].into_iter().find(|template| p.has(&[template]));
    p.add(part, MetricType::Enum)
        .state(config, &topic("state_topic"), &template.unwrap_or_default())
        .options(options)
        .control(Control::Mode)
        .sends(config, &topic("command_topic"), &topic("command_template"), as_is());
}

fn unit(config: &Config) -> &'static str {
    match config.text("temperature_unit").as_deref() {
        Some("F" | "°F") => "°F",
        _ => "°C",
    }
}

/// A temperature to aim at, where the entity has it. `limits`: the range in °C where it names none.
fn setpoint(p: &mut Parts<'_>, part: &str, key: &str, limits: (f64, f64)) {
    let config = p.config;
    let topic = |end: &str| format!("{key}_{end}");
    if !p.has(&[&topic("state_topic"), &topic("command_topic")]) {
        return;
    }
    let default = |celsius: f64| if unit(config) == "°F" { celsius * 1.8 + 32.0 } else { celsius };
    let min = config.number("min_temp").unwrap_or_else(|| default(limits.0).round());
    let max = config.number("max_temp").unwrap_or_else(|| default(limits.1).round());
    let step = config.number("temp_step").or_else(|| config.number("precision")).unwrap_or(1.0);
    p.add(part, MetricType::Number)
        .state(config, &topic("state_topic"), &topic("state_template"))
        .unit(unit(config))
        .range(Some(min), Some(max), Some(step))
        .control(Control::Setpoint)
        .sends(config, &topic("command_topic"), &topic("command_template"), as_is());
}

fn current(p: &mut Parts<'_>, part: &str, key: &str, unit: &str) {
    let config = p.config;
    if p.has(&[&format!("{key}_topic")]) {
        p.add(part, MetricType::Number)
            .state(config, &format!("{key}_topic"), &format!("{key}_template"))
            .unit(unit);
    }
}

fn power(p: &mut Parts<'_>) {
    let config = p.config;
    if p.has(&["power_command_topic", "power_state_topic"]) {
        let (on, off) = (config.text_or("payload_on", "ON"), config.text_or("payload_off", "OFF"));
        p.add("power", MetricType::Flag)
            .state(config, "power_state_topic", "power_state_template")
            .decode(Decode::Flag { on: on.clone(), off: off.clone() })
            .sends(config, "power_command_topic", "power_command_template", by_flag(on, off));
    }
}

pub(super) fn climate(p: &mut Parts<'_>) {
    let config = p.config;
    modes(p, "mode", "mode", "modes", &["auto", "off", "cool", "heat", "dry", "fan_only"]);
    setpoint(p, "target temperature", "temperature", (7.0, 35.0));
    setpoint(p, "target temperature low", "temperature_low", (7.0, 35.0));
    setpoint(p, "target temperature high", "temperature_high", (7.0, 35.0));
    current(p, "current temperature", "current_temperature", unit(config));
    current(p, "current humidity", "current_humidity", "%");
    target_humidity(p);
    modes(p, "fan mode", "fan_mode", "fan_modes", &["auto", "low", "medium", "high"]);
    modes(p, "swing mode", "swing_mode", "swing_modes", &["on", "off"]);
    modes(p, "horizontal swing mode", "swing_horizontal_mode", "swing_horizontal_modes", &["on", "off"]);
    modes(p, "preset", "preset_mode", "preset_modes", &[]);
    // What presets were called before 2022.
    modes(p, "hold", "hold", "hold_modes", &[]);
    action(p);
    power(p);
    for key in ["away_mode", "aux"] {
        if p.has(&[&format!("{key}_command_topic"), &format!("{key}_state_topic")]) {
            let (on, off) = (config.text_or("payload_on", "ON"), config.text_or("payload_off", "OFF"));
            p.add(&words_of(key).to_lowercase(), MetricType::Flag)
                .state(config, &format!("{key}_state_topic"), &format!("{key}_state_template"))
                .decode(Decode::Flag { on: on.clone(), off: off.clone() })
                .sends(config, &format!("{key}_command_topic"), "", by_flag(on, off));
        }
    }
}

fn action(p: &mut Parts<'_>) {
    let config = p.config;
    if p.has(&["action_topic"]) {
        p.add("action", MetricType::Text).state(config, "action_topic", "action_template");
    }
}

fn target_humidity(p: &mut Parts<'_>) {
    let config = p.config;
    if p.has(&["target_humidity_command_topic", "target_humidity_state_topic"]) {
        let (min, max) =
            (config.number("min_humidity").unwrap_or(0.0), config.number("max_humidity").unwrap_or(100.0));
        p.add("target humidity", MetricType::Number)
            .state(config, "target_humidity_state_topic", "target_humidity_state_template")
            .unit("%")
            .range(Some(min), Some(max), None)
            .sends(config, "target_humidity_command_topic", "target_humidity_command_template", as_is());
    }
}

pub(super) fn water_heater(p: &mut Parts<'_>) {
    let config = p.config;
    modes(
        p,
        "mode",
        "mode",
        "modes",
        &["off", "eco", "electric", "gas", "heat_pump", "high_demand", "performance"],
    );
    setpoint(p, "target temperature", "temperature", (43.3, 60.0));
    current(p, "current temperature", "current_temperature", unit(config));
    power(p);
}

/// On or off, by the entity's own topics.
fn on_off(p: &mut Parts<'_>) {
    let config = p.config;
    let (on, off) = (config.text_or("payload_on", "ON"), config.text_or("payload_off", "OFF"));
    let template = if p.has(&["state_value_template"]) { "state_value_template" } else { "value_template" };
    p.add("", MetricType::Flag)
        .state(config, "state_topic", template)
        .decode(Decode::Flag { on: on.clone(), off: off.clone() })
        .sends(config, "command_topic", "command_template", by_flag(on, off));
}

pub(super) fn humidifier(p: &mut Parts<'_>) {
    on_off(p);
    target_humidity(p);
    current(p, "current humidity", "current_humidity", "%");
    modes(p, "mode", "mode", "modes", &[]);
    action(p);
}

/// Speeds by name: the form before 2021.
fn named_speeds(p: &mut Parts<'_>) {
    let config = p.config;
    if !p.has(&["speed_command_topic", "speed_state_topic"]) {
        return;
    }
    let known = [
        ("payload_off_speed", "off", "off"),
        ("payload_low_speed", "low", "low"),
        ("payload_medium_speed", "medium", "medium"),
        ("payload_high_speed", "high", "high"),
    ];
    let mut speeds = config.list("speeds");
    if speeds.is_empty() {
        speeds = known.map(|(.., speed)| speed.to_owned()).to_vec();
    }
    let mut payloads = commands(config, &known);
    let is_other = |speed: &&String| !known.iter().any(|(.., known)| known == speed);
    payloads.extend(speeds.iter().filter(is_other).map(|speed| (speed.clone(), speed.clone())));
    p.add("speed", MetricType::Enum)
        .state(config, "speed_state_topic", "speed_value_template")
        .decode(reads(words(config, &known)))
        .options(speeds)
        .sends(config, "speed_command_topic", "", by_word(payloads));
}

pub(super) fn fan(p: &mut Parts<'_>) {
    let config = p.config;
    on_off(p);
    if p.has(&["percentage_command_topic", "percentage_state_topic"]) {
        // The range begins with the slowest speed: 0 % is off.
        let (low, high) = (
            config.number("speed_range_min").unwrap_or(1.0),
            config.number("speed_range_max").unwrap_or(100.0),
        );
        let (raw, shown) = ((low - 1.0, high), (0.0, 100.0));
        p.add("speed", MetricType::Number)
            .state(config, "percentage_state_topic", "percentage_value_template")
            .decode(Decode::Scaled { from: raw, to: shown })
            .unit("%")
            .range(Some(0.0), Some(100.0), Some((100.0 / (high - low + 1.0).max(1.0)).max(1.0)))
            .sends(
                config,
                "percentage_command_topic",
                "percentage_command_template",
                by_scaled("percentage", shown, raw),
            );
    }
    named_speeds(p);
    modes(p, "preset", "preset_mode", "preset_modes", &[]);
    if p.has(&["oscillation_command_topic", "oscillation_state_topic"]) {
        let on = config.text_or("payload_oscillation_on", "oscillate_on");
        let off = config.text_or("payload_oscillation_off", "oscillate_off");
        p.add("oscillation", MetricType::Flag)
            .state(config, "oscillation_state_topic", "oscillation_value_template")
            .decode(Decode::Flag { on: on.clone(), off: off.clone() })
            .sends(config, "oscillation_command_topic", "oscillation_command_template", by_flag(on, off));
    }
    if p.has(&["direction_command_topic", "direction_state_topic"]) {
        let pairs = [
            ("payload_direction_forward", "forward", "forward"),
            ("payload_direction_reverse", "reverse", "reverse"),
        ];
        p.add("direction", MetricType::Enum)
            .state(config, "direction_state_topic", "direction_value_template")
            .decode(reads(words(config, &pairs)))
            .options(vec!["forward".to_owned(), "reverse".to_owned()])
            .sends(
                config,
                "direction_command_topic",
                "direction_command_template",
                by_word(commands(config, &pairs)),
            );
    }
}
