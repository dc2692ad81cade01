//! Bounds, presence, and devices that several conventions describe.

use super::*;
use crate::model::Spec;
use crate::model::time::BootMs;
use crate::model::time::WallMs;

fn at(seconds: u64) -> Time {
    Time { boot_ms: BootMs(1_000_000), wall_ms: WallMs(1_700_000_000_000) }.plus(seconds * 1_000)
}

fn publish(conventions: &mut Conventions, now: Time, topic: &str, payload: &str) -> Vec<Change> {
    conventions.received(now, &Publication { topic, payload: payload.as_bytes(), retained: false })
}

fn specs(changes: &[Change]) -> Vec<&Spec> {
    changes
        .iter()
        .filter_map(|change| if let Change::Described(spec) = change { Some(&**spec) } else { None })
        .collect()
}

#[test]
fn too_long_a_discovery_message_is_refused_with_a_reason() {
    let mut conventions = Conventions::new();
    for (topic, bytes) in
        [("homeassistant/sensor/a/config", 5_000_000), ("homeassistant/sensor/a/config", 300_000)]
    {
        let payload = format!(r#"{{"state_topic":"a","name":"{}"}}"#, "x".repeat(bytes));
        let changes = publish(&mut conventions, at(0), topic, &payload);
        assert!(
            matches!(&changes[..], [Change::Refused { why, .. }] if why.contains("bytes")),
            "{changes:?}"
        );
    }
    assert_eq!(conventions.devices().count(), 0);
}

#[test]
fn devices_metrics_and_topics_are_bounded() {
    let mut conventions = Conventions::new();
    for number in 0..MAX_DEVICES + 100 {
        publish(&mut conventions, at(1), &format!("house/d{number}/temperature"), "21");
    }
    assert_eq!(conventions.devices().count(), MAX_DEVICES);
    assert!(conventions.left_out() >= 100);
    let mut conventions = Conventions::new();
    let mut last = 0;
    for number in 0..1_000 {
        let changes = publish(&mut conventions, at(1), &format!("house/device/m{number}"), "21");
        last = specs(&changes).last().map_or(last, |spec| spec.metrics.len());
    }
    assert_eq!(last, crate::model::device::METRICS);
}

#[test]
fn a_burst_of_descriptions_is_told_in_few_changes() {
    let mut conventions = Conventions::new();
    let mut described = 0;
    for number in 0..200 {
        let config = format!(
            r#"{{"name":"m{number}","stat_t":"d/{number}","uniq_id":"u{number}","dev":{{"ids":"d"}}}}"#
        );
        described += specs(&publish(
            &mut conventions,
            at(0),
            &format!("homeassistant/sensor/u{number}/config"),
            &config,
        ))
        .len();
    }
    assert_eq!(described, 1);
    assert_eq!(conventions.deadline(), Some(at(0).boot_ms + 50));
    let changes = conventions.tick(at(0).plus(50));
    assert_eq!(specs(&changes)[0].metrics.len(), 200);
    assert_eq!(conventions.deadline(), None);
}

#[test]
fn the_same_description_again_changes_nothing() {
    let mut conventions = Conventions::new();
    let config = r#"{"name":"T","stat_t":"a/b","uniq_id":"u","dev":{"ids":"d","name":"D"}}"#;
    assert_eq!(specs(&publish(&mut conventions, at(0), "homeassistant/sensor/u/config", config)).len(), 1);
    assert_eq!(publish(&mut conventions, at(10), "homeassistant/sensor/u/config", config), []);
    let renamed = config.replace("\"T\"", "\"Temperature\"");
    let changes = publish(&mut conventions, at(20), "homeassistant/sensor/u/config", &renamed);
    assert_eq!(specs(&changes)[0].metrics[0].name.as_str(), "Temperature");
}

#[test]
fn a_general_device_goes_once_discovery_explains_its_topics() {
    let mut conventions = Conventions::new();
    publish(&mut conventions, at(0), "room/sensor", r#"{"t":21,"h":40}"#);
    let config = r#"{"name":"T","stat_t":"room/sensor","val_tpl":"{{ value_json.t }}","uniq_id":"u","dev":{"ids":"d"}}"#;
    let changes = publish(&mut conventions, at(5), "homeassistant/sensor/u/config", config);
    assert!(
        changes.iter().any(|change| matches!(change, Change::Gone(device) if device.as_str() == "room")),
        "{changes:?}"
    );
    let read = changes.iter().find_map(|change| match change {
        Change::Readings { device, at, replayed, values } => {
            Some((device.as_str(), *at, *replayed, values[0].1.clone()))
        }
        _ => None,
    });
    assert_eq!(read, Some(("d", Some(at(0).wall_ms), false, Value::Number(21.0))), "the message that waited");
    assert_eq!(conventions.devices().count(), 1);
    // And comes back when discovery takes that away.
    publish(&mut conventions, at(6), "homeassistant/sensor/u/config", "");
    assert_eq!(conventions.devices().map(|id| id.as_str()).collect::<Vec<_>>(), ["room"]);
}

#[test]
fn a_regular_sender_becomes_silent_and_a_quiet_one_does_not() {
    let mut conventions = Conventions::new();
    for second in [0, 10, 20, 30, 40] {
        publish(&mut conventions, at(second), "a/temperature", "21");
    }
    publish(&mut conventions, at(0), "b/door", "open");
    publish(&mut conventions, at(45), "b/door", "closed");
    let silent: Vec<Change> = (41..200).flat_map(|second| conventions.tick(at(second))).collect();
    let device = DeviceId::new("a").unwrap();
    assert_eq!(silent, [Change::Silent { device, since: at(40).wall_ms }]);
}

#[test]
fn a_topic_that_says_offline_says_it_of_everything_below() {
    let mut conventions = Conventions::new();
    publish(&mut conventions, at(0), "esp/room/temperature", "21");
    let changes = publish(&mut conventions, at(1), "esp/status", "offline");
    let device = DeviceId::new("esp/room").unwrap();
    assert_eq!(changes, [Change::Presence { device, there: There::Offline(String::new()) }]);
    let changes = publish(&mut conventions, at(2), "esp/pump/power", "3");
    let device = DeviceId::new("esp/pump").unwrap();
    assert!(
        changes.contains(&Change::Presence { device, there: There::Offline(String::new()) }),
        "{changes:?}"
    );
}

#[test]
fn a_thousand_descriptions_leave_no_more_than_they_must() {
    let mut conventions = Conventions::new();
    for round in 0..20 {
        for number in 0..100 {
            let topic = format!("homeassistant/sensor/u{number}/config");
            let config = format!(
                r#"{{"name":"n{round}","stat_t":"t/{round}/{number}","val_tpl":"{{{{ value_json.a | float + {round} }}}}","dev":{{"ids":"d{number}"}}}}"#
            );
            publish(&mut conventions, at(round), &topic, &config);
        }
    }
    assert_eq!(conventions.devices().count(), 100);
    for number in 0..100 {
        publish(&mut conventions, at(30), &format!("homeassistant/sensor/u{number}/config"), "");
    }
    assert_eq!(conventions.devices().count(), 0);
}

#[test]
fn a_value_that_expires_is_missing_until_the_next_comes() {
    let mut conventions = Conventions::new();
    let config = r#"{"name":"T","stat_t":"a/b","unit_of_meas":"°C","exp_aft":30,"dev":{"ids":"d"}}"#;
    publish(&mut conventions, at(0), "homeassistant/sensor/u/config", config);
    publish(&mut conventions, at(1), "a/b", "21");
    publish(&mut conventions, at(20), "a/b", "22");
    assert_eq!(conventions.deadline(), Some(at(31).boot_ms));
    assert_eq!(conventions.tick(at(31)), []);
    let missing = |changes: Vec<Change>| matches!(&changes[..], [Change::Readings { values, .. }] if values[0].1 == Value::Missing);
    assert!(missing(conventions.tick(at(50))));
    assert_eq!(conventions.tick(at(500)), []);
    publish(&mut conventions, at(600), "a/b", "23");
    assert!(missing(conventions.tick(at(630))));
}

/// What anyone who may publish can send: every message of the test data, truncated, altered and sent to other topics.
#[test]
fn no_message_makes_it_panic_or_grow_without_bound() {
    let messages: Vec<(String, Vec<u8>)> = include_str!("../../../tests/data/mqtt/messages.jsonl")
        .lines()
        .filter_map(|line| {
            let json: serde_json::Value = serde_json::from_str(line).ok()?;
            let hex = json["payload_hex"]
                .as_str()
                .and_then(|hex| data_encoding::HEXLOWER.decode(hex.as_bytes()).ok());
            let payload =
                hex.unwrap_or_else(|| json["payload"].as_str().unwrap_or_default().as_bytes().to_vec());
            Some((json["topic"].as_str()?.to_owned(), payload))
        })
        .collect();
    assert_eq!(messages.len(), 154);
    let mut conventions = Conventions::new();
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = move |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % below.max(1) as u64) as usize
    };
    for round in 0..6_000 {
        let (topic, own) = &messages[next(messages.len())];
        let (_, other) = &messages[next(messages.len())];
        let mut payload = if next(3) > 0 { own.clone() } else { other.clone() };
        for _ in 0..next(4) {
            match (next(4), payload.len()) {
                (_, 0) => payload.push(next(256) as u8),
                (0, length) => payload.truncate(next(length)),
                (1, length) => payload[next(length)] = next(256) as u8,
                (2, length) => {
                    let at = next(length);
                    payload.splice(at..at, b"[{\"a\":1e999,".iter().copied());
                }
                (_, length) => {
                    payload.swap(next(length), next(length));
                }
            }
        }
        let mut topic = topic.clone();
        if next(8) == 0 {
            let places: Vec<usize> = topic.char_indices().map(|(at, _)| at).collect();
            topic.insert_str(places[next(places.len())], ["/", "+", "\u{0}", "//", "é"][next(5)]);
        }
        let now = at(round / 10);
        let changes = conventions
            .received(now, &Publication { topic: &topic, payload: &payload, retained: next(2) == 0 });
        for change in &changes {
            if let Change::Described(spec) = change {
                assert!(spec.metrics.len() <= crate::model::device::METRICS);
                for metric in spec.metrics.iter().filter(|metric| metric.writable).take(4) {
                    for value in
                        [Value::Flag(true), Value::Number(-1e300), Value::Text("#12é".into()), Value::Missing]
                    {
                        let _ = conventions.command(now, &spec.id, &metric.name, &value);
                    }
                }
            }
        }
        conventions.tick(now);
    }
    assert!(conventions.devices().count() < 2_000);
}

#[test]
fn a_value_with_its_time_is_the_reading_of_its_topic() {
    let mut conventions = Conventions::new();
    let changes = publish(
        &mut conventions,
        at(0),
        "hm/status/Kitchen/TEMPERATURE",
        r#"{"val":21.5,"ts":1699999999000,"lc":1699999990000,"unit":"°C"}"#,
    );
    let spec = specs(&changes)[0];
    assert_eq!(
        (spec.id.as_str(), spec.metrics[0].name.as_str(), spec.metrics[0].unit.as_str()),
        ("hm/status/Kitchen", "TEMPERATURE", "°C")
    );
    let read = changes.iter().any(|change| {
        matches!(change, Change::Readings { at: Some(WallMs(1_699_999_999_000)), values, .. } if values[0].1 == Value::Number(21.5))
    });
    assert!(read, "{changes:?}");
}

#[test]
fn topics_that_were_silent_for_long_make_room_for_new_ones() {
    let mut conventions = Conventions::new();
    for number in 0..MAX_TOPICS {
        publish(&mut conventions, at(0), &format!("flood/{number}/set"), "1");
    }
    // Every topic was heard since: the first round over them only notes that.
    let mut is_shown = |number: usize| {
        let changes = publish(&mut conventions, at(1), &format!("late/{number}/temperature"), "21.5");
        changes.iter().any(|change| matches!(change, Change::Readings { .. }))
    };
    let shown = (0..512).filter(|number| is_shown(*number)).count();
    assert!(shown > 200, "{shown}");
    assert!((312..512).all(&mut is_shown), "they have come to stay");
}
