//! Lights, in the three forms of Home Assistant: topics of their own, JSON, and templates.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::json;

use super::config::Config;
use super::decode::Decode;
use super::part::{Encode, Parts, Pick, Sends, Sent, as_is, by_flag, by_rgb, json_of, rgb};
use crate::model::device::{Control, MetricType, Value};

pub(super) fn parts(p: &mut Parts<'_>) {
    let config = p.config;
    match config.text("schema").as_deref() {
        Some("json" | "JSON") => json_schema(p),
        Some("template") => template_schema(p),
        _ => basic(p),
    }
}

fn temperature_unit(config: &Config) -> &'static str {
    if config.flag("color_temp_kelvin") { "K" } else { "mired" }
}

fn temperature_range(p: &Parts<'_>) -> (Option<f64>, Option<f64>, &'static str) {
    let config = p.config;
    let (low, high) = match config.flag("color_temp_kelvin") {
        true => {
            (config.number("min_kelvin").unwrap_or(2_000.0), config.number("max_kelvin").unwrap_or(6_535.0))
        }
        false => (config.number("min_mireds").unwrap_or(153.0), config.number("max_mireds").unwrap_or(500.0)),
    };
    (Some(low), Some(high), temperature_unit(config))
}

fn basic(p: &mut Parts<'_>) {
    let config = p.config;
    let (on, off) = (config.text_or("payload_on", "ON"), config.text_or("payload_off", "OFF"));
    let template = if p.has(&["state_value_template"]) { "state_value_template" } else { "value_template" };
    p.add("", MetricType::Flag)
        .state(config, "state_topic", template)
        .decode(Decode::Flag { on: on.clone(), off: off.clone() })
        .sends(config, "command_topic", "", by_flag(on, off.clone()));
    let scale = config.number("brightness_scale").unwrap_or(255.0);
    if p.has(&["brightness_command_topic", "brightness_state_topic"]) {
        let part = p
            .add("brightness", MetricType::Number)
            .state(config, "brightness_state_topic", "brightness_value_template")
            .range(Some(0.0), Some(scale), None)
            .sends(config, "brightness_command_topic", "brightness_command_template", as_is());
        let last = part.kept();
        let topic = config.text("brightness_command_topic");
        if config.text("on_command_type").as_deref() == Some("brightness")
            && let (Some(topic), Some(switch)) = (topic, p.list.first_mut())
        {
            // Switching on sends the brightness instead.
            let command = switch.sends.as_ref().map(|sends| sends.topic.clone()).unwrap_or_default();
            let encode: Encode = Arc::new(move |value| {
                if *value == Value::Flag(false) {
                    return Ok(Sent { value: json!(off), more: vec![("topic", json!(command))] });
                }
                let known = f64::from_bits(last.load(Ordering::Relaxed));
                let level = if known > 0.0 { known } else { scale };
                Ok(Sent::of(json_of(&Value::number(level))))
            });
            let template = config.text("brightness_command_template");
            switch.sends = Some(Sends { topic, template, off_template: None, encode });
        }
    }
    if p.has(&["color_temp_command_topic", "color_temp_state_topic"]) {
        let (min, max, unit) = temperature_range(p);
        p.add("colour temperature", MetricType::Number)
            .state(config, "color_temp_state_topic", "color_temp_value_template")
            .unit(unit)
            .range(min, max, None)
            .sends(config, "color_temp_command_topic", "color_temp_command_template", as_is());
    }
    colours(p);
    if p.has(&["effect_command_topic", "effect_state_topic"]) {
        p.add("effect", MetricType::Enum)
            .state(config, "effect_state_topic", "effect_value_template")
            .options(config.list("effect_list"))
            .sends(config, "effect_command_topic", "effect_command_template", as_is());
    }
    white(p);
}

/// The brightness of a channel of white.
fn white(p: &mut Parts<'_>) {
    let config = p.config;
    if p.has(&["white_command_topic"]) {
        let scale = config.number("white_scale").unwrap_or(255.0);
        let part = p.add("white", MetricType::Number).range(Some(0.0), Some(scale), None);
        part.sends(config, "white_command_topic", "", as_is()).metric.write_only = true;
    }
    // The form before 2021.
    if p.has(&["white_value_command_topic", "white_value_state_topic"]) {
        let scale = config.number("white_value_scale").unwrap_or(255.0);
        p.add("white", MetricType::Number)
            .state(config, "white_value_state_topic", "white_value_template")
            .range(Some(0.0), Some(scale), None)
            .sends(config, "white_value_command_topic", "", as_is());
    }
}

fn colours(p: &mut Parts<'_>) {
    let config = p.config;
    if p.has(&["rgb_command_topic", "rgb_state_topic"]) {
        p.add("colour", MetricType::Text)
            .state(config, "rgb_state_topic", "rgb_value_template")
            .decode(Decode::Rgb)
            .control(Control::Colour)
            .sends(config, "rgb_command_topic", "rgb_command_template", by_rgb());
    } else if p.has(&["hs_command_topic", "hs_state_topic"]) {
        p.add("colour", MetricType::Text)
            .state(config, "hs_state_topic", "hs_value_template")
            .decode(Decode::HueSaturation)
            .control(Control::Colour)
            .sends(config, "hs_command_topic", "hs_command_template", by_hue());
    } else if p.has(&["xy_command_topic", "xy_state_topic"]) {
        p.add("colour", MetricType::Text)
            .state(config, "xy_state_topic", "xy_value_template")
            .decode(Decode::Xy)
            .control(Control::Colour)
            .sends(config, "xy_command_topic", "xy_command_template", by_xy());
    } else {
        colours_with_white(p);
    }
}

/// Red, green and blue with one channel of white or two.
fn colours_with_white(p: &mut Parts<'_>) {
    let config = p.config;
    let whites: [(&str, &[&'static str]); 2] =
        [("rgbw", &["white"]), ("rgbww", &["cold_white", "warm_white"])];
    for (key, whites) in whites {
        let topic = |end: &str| format!("{key}_{end}");
        if !p.has(&[&topic("command_topic"), &topic("state_topic")]) {
            continue;
        }
        let encode: Encode = Arc::new(move |value| {
            let mut sent = by_rgb()(value)?;
            sent.more.extend(whites.iter().map(|white| (*white, json!(0))));
            let colour = sent.value.as_str().unwrap_or_default();
            sent.value = json!(format!("{colour}{}", ",0".repeat(whites.len())));
            Ok(sent)
        });
        p.add("colour", MetricType::Text)
            .state(config, &topic("state_topic"), &topic("value_template"))
            .decode(Decode::Rgb)
            .control(Control::Colour)
            .sends(config, &topic("command_topic"), &topic("command_template"), encode);
        return;
    }
}

/// A colour as x and y of CIE 1931, as Home Assistant reckons it.
fn xy_of(colour: [u8; 3]) -> [f64; 2] {
    let linear = |part: u8| match f64::from(part) / 255.0 {
        part if part > 0.040_45 => ((part + 0.055) / 1.055).powf(2.4),
        part => part / 12.92,
    };
    let [red, green, blue] = colour.map(linear);
    let x = red * 0.664_511 + green * 0.154_324 + blue * 0.162_028;
    let y = red * 0.283_881 + green * 0.668_433 + blue * 0.047_685;
    let z = red * 0.000_088 + green * 0.072_310 + blue * 0.986_039;
    let sum = x + y + z;
    if sum == 0.0 {
        return [0.0, 0.0];
    }
    [x / sum, y / sum].map(|part| (part * 1_000.0).round() / 1_000.0)
}

fn by_xy() -> Encode {
    Arc::new(|value| {
        let [x, y] = xy_of(rgb(value)?);
        Ok(Sent { value: json!(format!("{x},{y}")), more: vec![("x", json!(x)), ("y", json!(y))] })
    })
}

fn by_hue() -> Encode {
    Arc::new(|value| {
        let [hue, saturation] = hue_of(rgb(value)?);
        Ok(Sent {
            value: json!(format!("{hue},{saturation}")),
            more: vec![("hue", json!(hue)), ("sat", json!(saturation))],
        })
    })
}

/// Hue (0 to 360) and saturation (0 to 100) of a colour.
pub(in super::super) fn hue_of([red, green, blue]: [u8; 3]) -> [f64; 2] {
    let [red, green, blue] = [red, green, blue].map(f64::from);
    let (low, high) = (red.min(green).min(blue), red.max(green).max(blue));
    let width = high - low;
    if width == 0.0 {
        return [0.0, 0.0];
    }
    let sixth = match high {
        _ if high == red => ((green - blue) / width).rem_euclid(6.0),
        _ if high == green => (blue - red) / width + 2.0,
        _ => (red - green) / width + 4.0,
    };
    [sixth * 60.0, width / high * 100.0].map(|number| (number * 100.0).round() / 100.0)
}

/// Sends an object that switches the light on and sets one thing.
fn with(key: &'static str) -> Encode {
    Arc::new(move |value| Ok(Sent::of(json!({"state": "ON", key: json_of(value)}))))
}

fn json_schema(p: &mut Parts<'_>) {
    let config = p.config;
    let modes = config.list("supported_color_modes");
    let has = |mode: &str| modes.iter().any(|known| known == mode);
    let switch: Encode = Arc::new(|value| match value {
        Value::Flag(on) => Ok(Sent::of(json!({"state": if *on { "ON" } else { "OFF" }}))),
        _ => Err("true or false is needed".to_owned()),
    });
    p.add("", MetricType::Flag)
        .field(config, &["state"])
        .decode(Decode::Flag { on: "ON".to_owned(), off: "OFF".to_owned() })
        .sends(config, "command_topic", "", switch);
    let is_plain = modes.is_empty() || modes.iter().all(|mode| mode == "onoff");
    if config.flag("brightness") || !is_plain {
        let scale = config.number("brightness_scale").unwrap_or(255.0);
        p.add("brightness", MetricType::Number)
            .field(config, &["brightness"])
            .range(Some(0.0), Some(scale), None)
            .sends(config, "command_topic", "", with("brightness"));
    }
    if has("color_temp") || config.flag("color_temp") {
        let (min, max, unit) = temperature_range(p);
        p.add("colour temperature", MetricType::Number)
            .field(config, &["color_temp"])
            .unit(unit)
            .range(min, max, None)
            .sends(config, "command_topic", "", with("color_temp"));
    }
    let is_hue = has("hs") || config.flag("hs");
    let has_rgb = ["rgb", "rgbw", "rgbww"].iter().any(|mode| has(mode) || config.flag(mode));
    if is_hue || has_rgb || has("xy") || config.flag("xy") {
        let encode: Encode = Arc::new(move |value| {
            let [red, green, blue] = rgb(value)?;
            let colour = if is_hue {
                let [hue, saturation] = hue_of([red, green, blue]);
                json!({"h": hue, "s": saturation})
            } else if has_rgb {
                json!({"r": red, "g": green, "b": blue})
            } else {
                let [x, y] = xy_of([red, green, blue]);
                json!({"x": x, "y": y})
            };
            Ok(Sent::of(json!({"state": "ON", "color": colour})))
        });
        p.add("colour", MetricType::Text)
            .field(config, &["color"])
            .decode(Decode::Colour)
            .control(Control::Colour)
            .sends(config, "command_topic", "", encode);
    }
    json_white(p, has("white"));
    if config.flag("effect") || !config.list("effect_list").is_empty() {
        p.add("effect", MetricType::Enum)
            .field(config, &["effect"])
            .options(config.list("effect_list"))
            .sends(config, "command_topic", "", with("effect"));
    }
}

/// The same in JSON. `has_mode`: white is one of the modes.
fn json_white(p: &mut Parts<'_>, has_mode: bool) {
    let config = p.config;
    if has_mode {
        let scale = config.number("white_scale").unwrap_or(255.0);
        let part = p.add("white", MetricType::Number).range(Some(0.0), Some(scale), None);
        part.sends(config, "command_topic", "", with("white")).metric.write_only = true;
    }
    // The form before 2021.
    if config.flag("white_value") {
        p.add("white", MetricType::Number)
            .field(config, &["white_value"])
            .range(Some(0.0), Some(255.0), None)
            .sends(config, "command_topic", "", with("white_value"));
    }
}

fn template_schema(p: &mut Parts<'_>) {
    let config = p.config;
    let set = |name: &'static str| -> Encode {
        Arc::new(move |value| {
            let value = json_of(value);
            Ok(Sent { more: vec![("state", json!("on")), (name, value.clone())], value })
        })
    };
    let template = if p.has(&["state_template"]) { "state_template" } else { "value_template" };
    let switch: Encode = Arc::new(|value| match value {
        Value::Flag(on) => {
            let word = json!(if *on { "on" } else { "off" });
            Ok(Sent { value: word.clone(), more: vec![("state", word)] })
        }
        _ => Err("true or false is needed".to_owned()),
    });
    let part = p.add("", MetricType::Flag).state(config, "state_topic", template);
    part.decode(Decode::Flag { on: "on".to_owned(), off: "off".to_owned() });
    part.sends(config, "command_topic", "command_on_template", switch);
    if let Some(sends) = &mut part.sends {
        sends.off_template = config.text("command_off_template");
    }
    let rest = [
        ("brightness", "brightness_template", "brightness", Some(255.0)),
        ("colour temperature", "color_temp_template", "color_temp", None),
        ("effect", "effect_template", "effect", None),
    ];
    for (name, template, variable, max) in rest {
        if p.has(&[template]) {
            let kind = if variable == "effect" { MetricType::Enum } else { MetricType::Number };
            let part =
                p.add(name, kind).state(config, "state_topic", template).range(max.map(|_| 0.0), max, None);
            part.sends(config, "command_topic", "command_on_template", set(variable));
            match variable {
                "effect" => part.options(config.list("effect_list")),
                "color_temp" => part.unit(temperature_unit(config)),
                _ => part,
            };
        }
    }
    template_colour(p);
}

/// A colour whose parts have a template each.
fn template_colour(p: &mut Parts<'_>) {
    let config = p.config;
    let parts = ["red_template", "green_template", "blue_template"].map(|part| config.text(part));
    let [Some(red), Some(green), Some(blue)] = parts else { return };
    let encode: Encode = Arc::new(|value| {
        let mut sent = by_rgb()(value)?;
        sent.more.push(("state", json!("on")));
        Ok(sent)
    });
    let part = p.add("colour", MetricType::Text).decode(Decode::Rgb).control(Control::Colour);
    part.state(config, "state_topic", "red_template");
    if let Some((_, pick)) = &mut part.state {
        *pick = Pick::Template(Some(format!("{red},{green},{blue}")));
    }
    part.sends(config, "command_topic", "command_on_template", encode);
}
