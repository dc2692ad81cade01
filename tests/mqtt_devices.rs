//! Real messages of real devices, and what a person should see of them: `tests/data/mqtt`.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that fails should say so at once"
)]

use std::collections::BTreeMap;

use duplex::mapping::mqtt::There;
use duplex::model::{MetricType, Value};
use serde::Deserialize;

#[path = "mqtt/seen.rs"]
mod seen;
use seen::{Seen, show};

const MESSAGES: &str = include_str!("data/mqtt/messages.jsonl");
const EXPECTED: &str = include_str!("data/mqtt/expected.txt");
const VARIANTS: &str = include_str!("data/mqtt/variants.txt");
const MORE: &str = include_str!("data/mqtt/more.txt");

#[derive(Deserialize)]
struct Message {
    group: String,
    topic: String,
    retain: bool,
    #[serde(default)]
    payload: String,
    #[serde(default)]
    payload_hex: String,
}

impl Message {
    fn bytes(&self) -> Vec<u8> {
        match self.payload_hex.is_empty() {
            true => self.payload.clone().into_bytes(),
            false => data_encoding::HEXLOWER.decode(self.payload_hex.as_bytes()).unwrap(),
        }
    }
}

fn messages() -> Vec<Message> {
    MESSAGES.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The expectations of each group: after which of its messages, and what.
fn expected() -> BTreeMap<&'static str, Vec<(usize, &'static str)>> {
    let mut groups: BTreeMap<&str, Vec<(usize, &str)>> = BTreeMap::new();
    let mut group = "";
    for line in EXPECTED.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")) {
        if let Some(name) = line.strip_prefix("= ") {
            group = name;
            assert!(groups.insert(group, Vec::new()).is_none(), "{group} is there twice");
            continue;
        }
        let (number, check) = line.split_once(' ').unwrap();
        groups
            .get_mut(group)
            .unwrap()
            .push((number.parse().unwrap_or_else(|_| panic!("{line}")), check.trim()));
    }
    groups
}

#[test]
fn every_device_is_shown_as_a_person_expects() {
    let (messages, expected) = (messages(), expected());
    let mut faults = Vec::new();
    let mut groups: Vec<&str> = messages.iter().map(|message| message.group.as_str()).collect();
    groups.dedup();
    let only = std::env::var("GROUP").ok();
    for group in groups {
        if only.as_deref().is_some_and(|only| only != group) {
            continue;
        }
        let mut seen = Seen::new();
        let checks = expected.get(group).map(Vec::as_slice).unwrap_or_default();
        let own: Vec<&Message> = messages.iter().filter(|message| message.group == group).collect();
        if checks.is_empty() {
            faults.push(format!("{group}: nothing is expected"));
        }
        for (at, message) in own.iter().enumerate() {
            seen.message(&message.topic, &message.bytes(), message.retain);
            for (_, check) in checks.iter().filter(|(number, _)| *number == at + 1) {
                if let Err(why) = verify(&mut seen, check) {
                    faults.push(format!("{group}: after {}: {check}\n      {why}", at + 1));
                }
            }
        }
        if let Some((number, _)) = checks.iter().find(|(number, _)| *number > own.len() || *number == 0) {
            faults.push(format!("{group}: there is no message {number}"));
        }
        if only.is_some() {
            eprintln!("{}", seen.dump());
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn all_of_them_behind_one_broker_are_shown_as_each_alone() {
    let messages = messages();
    let mut groups: Vec<&str> = messages.iter().map(|message| message.group.as_str()).collect();
    groups.dedup();
    let mut all = Seen::new();
    for message in &messages {
        all.message(&message.topic, &message.bytes(), message.retain);
    }
    let mut faults = Vec::new();
    for group in groups {
        let mut alone = Seen::new();
        for message in messages.iter().filter(|message| message.group == group) {
            alone.message(&message.topic, &message.bytes(), message.retain);
        }
        for (id, shown) in &alone.devices {
            let Some(other) = all.devices.get(id) else {
                faults.push(format!("{group}: {id} is not there"));
                continue;
            };
            for (name, (value, replayed, _)) in &shown.values {
                if other.values.get(name).map(|(value, replayed, _)| (value, replayed))
                    != Some((value, replayed))
                {
                    faults
                        .push(format!("{group}: {id} {name} is {:?}, not {value:?}", other.values.get(name)));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn devices_in_documented_forms_are_shown_as_a_person_expects() {
    let mut faults = Vec::new();
    let mut count = 0;
    for part in format!("\n{VARIANTS}\n{MORE}").split("\n= ").skip(1) {
        let mut seen = Seen::new();
        let (group, lines) = part.split_once('\n').unwrap();
        for line in lines.lines().filter(|line| !line.is_empty() && !line.starts_with("//")) {
            if let Some(check) = line.strip_prefix("? ") {
                count += 1;
                faults.extend(
                    verify(&mut seen, check).err().map(|why| format!("{group}: {check}\n      {why}")),
                );
                continue;
            }
            let parts: Vec<&str> = line.splitn(3, '\t').collect();
            let [kept, topic, payload] = parts[..] else { panic!("{line}") };
            seen.message(topic, payload.as_bytes(), kept == "R");
        }
    }
    assert!(count > 250, "{count}");
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

fn verify(seen: &mut Seen, check: &str) -> Result<(), String> {
    let (word, rest) = check.split_once(' ').unwrap_or((check, ""));
    let parts: Vec<&str> = rest.split(" | ").map(str::trim).collect();
    let device = |seen: &Seen| {
        seen.titled(parts[0]).map(|_| ()).ok_or_else(|| format!("no device {}:\n{}", parts[0], seen.dump()))
    };
    let wrong = |seen: &Seen, is: String| Err(format!("it is {is}:\n{}", seen.dump()));
    match word {
        "devices" => {
            let count = seen.devices.len().to_string();
            if count == rest { Ok(()) } else { wrong(seen, count) }
        }
        "gone" => {
            if seen.titled(parts[0]).is_none() {
                Ok(())
            } else {
                wrong(seen, "there".to_owned())
            }
        }
        "refused" => {
            if seen.refused.iter().any(|(topic, _)| topic == rest) {
                Ok(())
            } else {
                wrong(seen, "read".to_owned())
            }
        }
        "quiet" => {
            if seen.refused.is_empty() {
                Ok(())
            } else {
                wrong(seen, "refused".to_owned())
            }
        }
        "device" => {
            device(seen)?;
            let spec = seen.titled(parts[0]).and_then(|shown| shown.spec.clone()).unwrap();
            for wanted in &parts[1..] {
                let (name, text) = wanted.split_once('=').unwrap_or_else(|| panic!("{check}"));
                let is = if name == "kind" { Some(&spec.kind) } else { spec.attributes.get(name) };
                if is.map(String::as_str) != Some(text) {
                    return wrong(seen, format!("{name}={is:?}"));
                }
            }
            Ok(())
        }
        "is" => {
            device(seen)?;
            let shown = seen.titled(parts[0]).unwrap();
            let is = match &shown.there {
                There::Unknown => "unknown",
                There::Online => "online",
                There::Asleep => "asleep",
                There::Offline(_) => "offline",
            };
            if is == parts[1] { Ok(()) } else { wrong(seen, is.to_owned()) }
        }
        "metrics" => {
            device(seen)?;
            let count = seen.titled(parts[0]).unwrap().spec.as_ref().unwrap().metrics.len().to_string();
            if count == parts[1] { Ok(()) } else { wrong(seen, count) }
        }
        "no-metric" => {
            device(seen)?;
            if seen.titled(parts[0]).unwrap().metric(parts[1]).is_none() {
                Ok(())
            } else {
                wrong(seen, "there".to_owned())
            }
        }
        "metric" | "value" | "live" | "replayed" | "none" | "count" | "at" => {
            verify_metric(seen, word, &parts)
        }
        "command" => {
            let (value, expected) = parts[2].split_once(" -> ").unwrap_or_else(|| panic!("{check}"));
            let value: Value = serde_json::from_str(value).unwrap_or_else(|_| panic!("{check}"));
            let sent = seen.command(parts[0], parts[1], &value);
            let is = match &sent {
                Ok(sent) => sent
                    .messages
                    .iter()
                    .map(|m| format!("{} {}", m.topic, payload(&m.payload)))
                    .collect::<Vec<_>>()
                    .join(" & "),
                Err(why) => format!("refused: {why}"),
            };
            if is == expected { Ok(()) } else { wrong(seen, is) }
        }
        _ => panic!("{check}"),
    }
}

fn payload(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(char::is_control) => text.to_owned(),
        _ => format!("0x{}", data_encoding::HEXLOWER.encode(bytes)),
    }
}

/// Long: one arm for each word.
fn verify_metric(seen: &Seen, word: &str, parts: &[&str]) -> Result<(), String> {
    let wrong = |is: String| Err(format!("it is {is}:\n{}", seen.dump()));
    let shown = seen.titled(parts[0]).ok_or_else(|| format!("no device {}:\n{}", parts[0], seen.dump()))?;
    let Some(metric) = shown.metric(parts[1]) else { return wrong("not there".to_owned()) };
    let value = shown.values.get(parts[1]);
    match word {
        "none" => match value {
            None | Some((Value::Missing, ..)) => Ok(()),
            Some((value, ..)) => wrong(show(value)),
        },
        "value" => {
            let unit = if metric.unit.is_empty() { String::new() } else { format!(" {}", metric.unit) };
            let is =
                value.map(|(value, ..)| format!("{}{unit}", show(value))).unwrap_or("nothing".to_owned());
            if is == parts[2] { Ok(()) } else { wrong(is) }
        }
        "live" | "replayed" => match value {
            Some((_, replayed, _)) if *replayed == (word == "replayed") => Ok(()),
            _ => wrong(format!("{value:?}")),
        },
        "at" => {
            let is =
                value.and_then(|(.., at)| *at).map(|at| at.0.to_string()).unwrap_or("unknown".to_owned());
            if is == parts[2] { Ok(()) } else { wrong(is) }
        }
        "count" => {
            let is = shown.counts.get(parts[1]).copied().unwrap_or(0).to_string();
            if is == parts[2] { Ok(()) } else { wrong(is) }
        }
        _ => {
            for wanted in &parts[2..] {
                let (name, text) = wanted.split_once(' ').unwrap_or((wanted, ""));
                let is = match name {
                    "number" => metric.kind == MetricType::Number,
                    "text" => metric.kind == MetricType::Text,
                    "flag" => metric.kind == MetricType::Flag,
                    "enum" => metric.kind == MetricType::Enum,
                    "writable" => metric.writable,
                    "read-only" => !metric.writable,
                    "write-only" => metric.write_only && metric.writable,
                    "risky" => metric.risky,
                    "harmless" => !metric.risky,
                    "noted" => !metric.note.is_empty(),
                    "unit" => metric.unit == text,
                    "icon" => metric.icon == text,
                    "control" => metric.control.is_some_and(|control| format!("{control:?}") == text),
                    "min" => metric.min.is_some_and(|number| number.to_string() == text),
                    "max" => metric.max.is_some_and(|number| number.to_string() == text),
                    "step" => metric.step.is_some_and(|number| number.to_string() == text),
                    "options" => metric.options.join(",") == text,
                    _ => panic!("{wanted}"),
                };
                if !is {
                    return wrong(format!("not {wanted}"));
                }
            }
            Ok(())
        }
    }
}
