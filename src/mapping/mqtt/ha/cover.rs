//! Covers, valves and locks.

use super::decode::{Decode, Others};
use super::part::{Parts, by_number, reads, words};
use crate::model::device::{Control, MetricType};

pub(super) fn cover(p: &mut Parts<'_>) {
    let config = p.config;
    let states = words(
        config,
        &[
            ("state_open", "open", "open"),
            ("state_closed", "closed", "closed"),
            ("state_opening", "opening", "opening"),
            ("state_closing", "closing", "closing"),
            ("state_stopped", "stopped", "stopped"),
        ],
    );
    let mut pairs = Vec::new();
    for (key, default, word) in [
        ("payload_open", "OPEN", "open"),
        ("payload_close", "CLOSE", "closed"),
        ("payload_stop", "STOP", "stopped"),
    ] {
        // `null` means that it cannot do this.
        if !config.fields.get(key).is_some_and(serde_json::Value::is_null) {
            pairs.push((key, default, word));
        }
    }
    let (open, closed) =
        (config.number("position_open").unwrap_or(100.0), config.number("position_closed").unwrap_or(0.0));
    let has_position = p.has(&["position_topic"]);
    let is_risky = matches!(config.text("device_class").as_deref(), Some("garage" | "door" | "gate"));
    let others = if has_position { Others::Left } else { Others::Shown };
    let part = p.add("", MetricType::Enum).control(Control::Cover);
    part.state(config, "state_topic", "value_template").decode(Decode::Words { words: states, others });
    part.chooses(config, "command_topic", "", &pairs).metric.risky = is_risky;
    if has_position {
        let template = if p.has(&["position_template"]) { "position_template" } else { "value_template" };
        // It decides what is open where the state says nothing.
        p.add("", MetricType::Enum)
            .state(config, "position_topic", template)
            .decode(Decode::OpenAt { closed });
        p.add("position", MetricType::Number)
            .state(config, "position_topic", template)
            .unit(if open == 100.0 && closed == 0.0 { "%" } else { "" })
            .range(Some(open.min(closed)), Some(open.max(closed)), None)
            .sends(config, "set_position_topic", "set_position_template", by_number("position"));
    }
    if p.has(&["tilt_status_topic", "tilt_command_topic"]) {
        let (min, max) =
            (config.number("tilt_min").unwrap_or(0.0), config.number("tilt_max").unwrap_or(100.0));
        p.add("tilt", MetricType::Number)
            .state(config, "tilt_status_topic", "tilt_status_template")
            .unit(if min == 0.0 && max == 100.0 { "%" } else { "" })
            .range(Some(min), Some(max), None)
            .sends(config, "tilt_command_topic", "tilt_command_template", by_number("tilt_position"));
    }
}

pub(super) fn valve(p: &mut Parts<'_>) {
    let config = p.config;
    let (open, closed) =
        (config.number("position_open").unwrap_or(100.0), config.number("position_closed").unwrap_or(0.0));
    if config.flag("reports_position") {
        p.add("", MetricType::Enum)
            .state(config, "state_topic", "value_template")
            .decode(Decode::OpenAt { closed });
        p.add("position", MetricType::Number)
            .state(config, "state_topic", "value_template")
            .decode(Decode::FieldOrWhole("position"))
            .unit(if open == 100.0 && closed == 0.0 { "%" } else { "" })
            .range(Some(open.min(closed)), Some(open.max(closed)), None)
            .sends(config, "command_topic", "command_template", by_number("position"));
        return;
    }
    let states = words(
        config,
        &[
            ("state_open", "open", "open"),
            ("state_closed", "closed", "closed"),
            ("state_opening", "opening", "opening"),
            ("state_closing", "closing", "closing"),
        ],
    );
    let mut pairs = vec![("payload_open", "OPEN", "open"), ("payload_close", "CLOSE", "closed")];
    if p.has(&["payload_stop"]) {
        pairs.push(("payload_stop", "STOP", "stopped"));
    }
    p.add("", MetricType::Enum)
        .state(config, "state_topic", "value_template")
        .decode(reads(states))
        .control(Control::Cover)
        .chooses(config, "command_topic", "command_template", &pairs);
}

pub(super) fn lock(p: &mut Parts<'_>) {
    let config = p.config;
    let states = words(
        config,
        &[
            ("state_locked", "LOCKED", "locked"),
            ("state_unlocked", "UNLOCKED", "unlocked"),
            ("state_locking", "LOCKING", "locking"),
            ("state_unlocking", "UNLOCKING", "unlocking"),
            ("state_jammed", "JAMMED", "jammed"),
            ("state_open", "OPEN", "open"),
            ("state_opening", "OPENING", "opening"),
        ],
    );
    let mut pairs = vec![("payload_lock", "LOCK", "locked"), ("payload_unlock", "UNLOCK", "unlocked")];
    if p.has(&["payload_open"]) {
        pairs.push(("payload_open", "OPEN", "open"));
    }
    p.add("", MetricType::Enum)
        .state(config, "state_topic", "value_template")
        .decode(Decode::Words { words: states, others: Others::Unknown })
        .risky()
        .chooses(config, "command_topic", "command_template", &pairs);
}
