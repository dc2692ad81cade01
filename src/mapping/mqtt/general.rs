//! [`General`]: the rule for whatever no convention explains. The path of a topic is the device and the reading, JSON is flattened,
//! and a topic that says *online* or *offline* says it of everything below its path.

use std::collections::HashMap;

use chrono::DateTime;
use foldhash::fast::RandomState;
use serde_json::{Map, Value as Json};

use super::book::{Book, Dev, Rank, guessed, named};
use super::change::There;
use super::json;
use super::levels::{self, split};
use super::template::Payload;
use super::text;
use crate::model::device::Value;
use crate::model::time::WallMs;

/// Last levels that may say whether something is there.
const PRESENCE: &[&str] = &[
    "lwt",
    "status",
    "state",
    "online",
    "availability",
    "available",
    "connected",
    "connection",
    "alive",
    "will",
    "reachable",
];
/// Of these, the levels for which `true` and `1` mean that it is.
const PRESENCE_FLAGS: &[&str] =
    &["online", "availability", "available", "connected", "connection", "alive", "reachable", "lwt"];
/// Words that say of a pump or a charger how it runs, unless the level is only about being there.
const ACTIVITIES: &[&str] = &["ready", "up", "down", "running", "active", "stopped"];
/// Fields that say when something was measured.
const TIMES: &[&str] =
    &["time", "timestamp", "ts", "datetime", "tst", "date_time", "measured_at", "received_at", "_timestamp"];
/// Maximum number of paths that are remembered.
const MAX_PATHS: usize = 65_536;
/// Maximum number of devices that one path speaks for.
const MAX_BELOW: usize = 4_096;
/// Maximum number of levels of a path that are looked at.
const MAX_LEVELS: usize = 16;

#[derive(Default)]
struct Node {
    /// What the topic says, and which.
    said: Option<(Box<str>, There)>,
    devs: Vec<Dev>,
}

/// Where readings are shown: the device, and what stands before their names because it is not the whole path that the device owns.
struct Place {
    dev: Dev,
    below: String,
}

impl Place {
    fn name(&self, level: &str) -> String {
        if self.below.is_empty() { level.to_owned() } else { format!("{} {level}", self.below) }
    }
}

/// See the module.
#[derive(Default)]
pub(super) struct General {
    paths: HashMap<Box<str>, Node, RandomState>,
}

/// When something was measured, if it says so in a way that leaves no doubt.
pub(super) fn taken_at(fields: &Map<String, Json>) -> Option<WallMs> {
    let (_, time) = fields.iter().find(|(name, _)| levels::is_one_of(name, TIMES))?;
    moment(time)
}

/// A time that is a number of seconds, milliseconds or so since 1970, or a text with a zone.
pub(super) fn moment(time: &Json) -> Option<WallMs> {
    // From 2001 to 2100.
    const SECONDS: std::ops::Range<f64> = 978_307_200.0..4_102_444_800.0;
    if let Some(number) = json::number(Some(time)) {
        let scale = [1.0, 1e3, 1e6, 1e9].into_iter().find(|scale| SECONDS.contains(&(number / scale)))?;
        return Some(WallMs((number / scale * 1e3) as i64));
    }
    let text = time.as_str()?.trim();
    let read = DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"));
    read.ok().map(|time| WallMs(time.timestamp_millis())).filter(|at| SECONDS.contains(&(at.0 as f64 / 1e3)))
}

/// Whether a message says that something is there or not.
pub(super) fn presence(level: &str, payload: &Payload<'_>) -> Option<bool> {
    if !levels::is_one_of(level, PRESENCE) || payload.bytes.len() > 256 {
        return None;
    }
    let is_level = |words| levels::is_one_of(level, words);
    let is_doubtful = |text: &str| {
        let is = |words| levels::is_one_of(text.trim(), words);
        // A charger is connected to a car.
        is_level(&["state", "status"]) && is(ACTIVITIES)
            || is_level(&["state"]) && is(&["connected", "disconnected", "not connected"])
    };
    let of_text = |text: &str| {
        text::presence(text).filter(|_| !is_doubtful(text)).or_else(|| {
            let flag = if text.trim() == "2" { Some(true) } else { text::flag(text) };
            flag.filter(|_| is_level(PRESENCE_FLAGS))
        })
    };
    match payload.json() {
        Some(Json::Object(map)) if map.len() <= 5 => {
            let said = ["state", "status", "online", "connected", "availability"]
                .iter()
                .find_map(|name| map.get(*name))?;
            match said {
                Json::Bool(flag) => Some(*flag),
                said => said.as_str().filter(|said| !is_doubtful(said)).and_then(text::presence),
            }
        }
        Some(Json::Object(_) | Json::Array(_)) => None,
        _ => of_text(&payload.text()),
    }
}

/// The value of an object that holds one and says no more than when and how it was measured, and its unit.
fn envelope(fields: &Map<String, Json>) -> Option<(&Json, &str)> {
    const AROUND: &[&str] = &[
        "lc",
        "unit",
        "units",
        "ack",
        "q",
        "quality",
        "nodename",
        "nodelocation",
        "node_id",
        "nodeid",
        "age",
        "name",
        "topic",
        "from",
        "user",
        "s",
        "status",
        "knx_src_addr",
    ];
    let is_value = |name: &str| matches!(name, "value" | "val" | "v");
    let (_, value) = fields.iter().find(|(name, _)| is_value(name))?;
    let is_around = |name: &str| {
        is_value(name) || TIMES.iter().chain(AROUND).any(|known| name.eq_ignore_ascii_case(known))
    };
    let is_one = fields.len() > 1
        && fields.keys().all(|name| is_around(name))
        && !value.is_object()
        && !value.is_array();
    let unit = fields.get("unit").or_else(|| fields.get("units")).and_then(Json::as_str).unwrap_or_default();
    is_one.then_some((value, unit))
}

/// What an object holds whose only field is called like its topic, also alone in a list or below `value`.
fn unwrapped<'a>(level: &str, json: &'a Json) -> Option<&'a Json> {
    let mut fields = json.as_object().filter(|fields| fields.len() == 1)?.iter();
    let (_, inner) = fields.next().filter(|(name, _)| name.eq_ignore_ascii_case(level))?;
    let inner =
        inner.as_array().filter(|items| items.len() == 1).and_then(|items| items.first()).unwrap_or(inner);
    let lone = inner.as_object().filter(|fields| fields.len() == 1);
    Some(lone.and_then(|fields| fields.get("value")).unwrap_or(inner))
}

/// The name and the unit of a field, which may be a value beside its unit. `None`: it is the unit.
fn measured<'a>(fields: Option<&'a Map<String, Json>>, name: &'a str) -> Option<(&'a str, &'a str)> {
    let beside = |outer: &str| {
        let object = fields?.get(outer)?.as_object().filter(|object| object.contains_key("value"))?;
        object.get("unit").or_else(|| object.get("units"))?.as_str()
    };
    let Some((outer, field)) = name.split_once('.') else { return Some((name, "")) };
    match (field, beside(outer)) {
        ("value", Some(unit)) => Some((outer, unit)),
        ("unit" | "units", Some(_)) => None,
        _ => Some((name, "")),
    }
}

/// The readings of Telegraf, which wraps them with names and tags.
fn inner(json: &Json) -> &Json {
    let is_wrapped = json.get("tags").is_some_and(Json::is_object) && json.get("timestamp").is_some();
    json.get("fields").filter(|fields| is_wrapped && fields.is_object()).unwrap_or(json)
}

impl General {
    /// Reads a message. `id`: its topic.
    pub fn receive(&mut self, book: &mut Book, id: u32, topic: &str, payload: &Payload<'_>) {
        let source = topic;
        let Some(topic) = levels::answered(topic, payload) else { return };
        let (path, level) = split(topic);
        let is_part = book.owner(path).is_some_and(|(_, below)| !below.is_empty());
        if let Some(is_there) = presence(level, payload).filter(|_| !is_part) {
            self.say(book, levels::folded(path).0, source, is_there);
            let more = |fields: &Map<String, Json>| {
                fields.keys().filter(|name| !TIMES.contains(&name.as_str())).count() > 1
            };
            if !payload.json().and_then(Json::as_object).is_some_and(more) {
                return;
            }
        }
        let wrapped = payload.json().and_then(|json| unwrapped(level, json)).filter(|_| topic.contains('/'));
        let fields = wrapped.or(payload.json()).and_then(Json::as_object);
        if let Some((value, unit)) = fields.and_then(envelope) {
            book.at = fields.and_then(taken_at);
            if let (Some(place), Some(value)) = (self.place(book, path), json::reading(value)) {
                let name = place.name(level);
                book.read(place.dev, &name, id, value.clone(), || guessed(named(&name), &value, unit));
            }
            return;
        }
        match payload.json() {
            Some(json @ (Json::Object(_) | Json::Array(_))) => {
                self.object(book, id, topic, wrapped.unwrap_or(json), wrapped.is_some());
            }
            _ if payload.bytes.is_empty() => {}
            _ => self.bare(book, id, topic, payload),
        }
    }

    /// Where the readings of a path are shown.
    fn place(&mut self, book: &mut Book, path: &str) -> Option<Place> {
        if let Some((dev, below)) = book.owner(path) {
            return Some(Place { dev, below: below.replace('/', " ") });
        }
        Some(Place { dev: self.device(book, path)?, below: String::new() })
    }

    /// The device of a path. Says of it what was said of the paths above.
    fn device(&mut self, book: &mut Book, path: &str) -> Option<Dev> {
        let key = format!("path:{path}");
        if let Some(dev) = book.by_key(&key).and_then(|dev| book.resolved(dev)) {
            return Some(dev);
        }
        let dev = book.device(Rank::Path, &[&key], path)?;
        let kind = path.split_once('/').map_or("", |(first, _)| first);
        book.describe(dev, Rank::Path, path, kind, &[("topic", path)]);
        for above in above(path) {
            self.make_way(book, above, path);
            let Some(node) = self.node(above) else { break };
            if let Some((topic, there)) = &node.said {
                let (topic, there) = (topic.clone(), there.clone());
                book.say(dev, &topic, there);
            }
            if let Some(node) = self.node(above)
                && node.devs.len() < MAX_BELOW
                && !node.devs.contains(&dev)
            {
                node.devs.push(dev);
            }
        }
        Some(dev)
    }

    /// What was only said to be there has turned out to be more than one device.
    fn make_way(&self, book: &mut Book, above: &str, path: &str) {
        if above == path {
            return;
        }
        let known = book.by_key(&format!("path:{above}")).and_then(|dev| Some((dev, book.get(dev)?)));
        if let Some((dev, device)) = known
            && device.is_bare()
            && device.title() == above
            && device.held <= 0
            && device.rank == Rank::Path
        {
            book.remove(dev);
        }
    }

    fn node(&mut self, path: &str) -> Option<&mut Node> {
        if !self.paths.contains_key(path) {
            if self.paths.len() >= MAX_PATHS {
                return None;
            }
            self.paths.insert(path.into(), Node::default());
        }
        self.paths.get_mut(path)
    }

    fn say(&mut self, book: &mut Book, path: &str, topic: &str, is_there: bool) {
        let there = if is_there { There::Online } else { There::Offline(String::new()) };
        if let Some((dev, _)) = book.owner(path) {
            return book.say(dev, topic, there);
        }
        let Some(node) = self.node(path) else { return };
        node.said = Some((topic.into(), there.clone()));
        let devs = std::mem::take(&mut node.devs);
        let known: Vec<Dev> = devs.into_iter().filter(|dev| book.get(*dev).is_some()).collect();
        if known.is_empty() {
            self.device(book, path);
            return;
        }
        for dev in &known {
            book.say(*dev, topic, there.clone());
        }
        if let Some(node) = self.node(path) {
            node.devs = known;
        }
    }

    /// What a topic said of its path is explained by a convention.
    pub fn forget(&mut self, book: &mut Book, topic: &str) {
        let (path, _) = split(topic);
        let Some(node) = self.paths.get_mut(levels::folded(path).0) else { return };
        if node.said.as_ref().is_some_and(|(known, _)| **known == *topic) {
            node.said = None;
            node.devs.iter().for_each(|dev| book.unsay(*dev, topic));
        }
    }

    /// `is_wrapped`: it was in an object, under the name of the topic.
    fn object(&mut self, book: &mut Book, id: u32, topic: &str, json: &Json, is_wrapped: bool) {
        let (path, level) = split(topic);
        let is_list = json.is_array();
        let is_quantity = is_wrapped || levels::is_quantity(level);
        let is_part =
            (is_list || is_quantity || levels::is_part(level)) && topic.trim_matches('/').contains('/');
        if json.as_object().is_some_and(Map::is_empty) {
            return;
        }
        let (device, part) = if is_part { levels::folded(path) } else { (topic.trim_matches('/'), "") };
        let Some(place) = self.place(book, device) else { return };
        let dev = place.dev;
        let inner = inner(json);
        book.at = json.as_object().and_then(taken_at);
        let has_time = book.at.is_some();
        let is_own = !is_part && name_itself(book, &place, level, json);
        // What JSON repeats of the topics beside it is not another reading.
        let own = if is_part && !level.eq_ignore_ascii_case("json") { level } else { "" };
        json::flatten(inner, ".", &mut |name, json| {
            let Some((name, unit)) = measured(inner.as_object(), name) else { return };
            if levels::is_secret(name)
                || name.starts_with("_msg")
                || is_own && matches!(name, "id" | "name")
                || has_time && levels::is_one_of(name, TIMES)
            {
                return;
            }
            if let (Some(attribute), Some(text)) = (levels::attribute(name), json.as_str()) {
                book.describe(dev, Rank::Path, "", "", &[(attribute, text)]);
                return;
            }
            let value = if levels::is_label(name) { json::scalar(json) } else { json::reading(json) };
            let Some(value) = value else { return };
            let numbered = format!("{level} {name}");
            let shown = place.name(match name {
                "" => level,
                _ if is_list || is_part && is_quantity => &numbered,
                name => name,
            });
            let key = place.name(&levels::joined(&[part, own, name]));
            let unit = match value {
                Value::Number(_) | Value::Whole(_) if !unit.is_empty() => unit,
                _ => unit_of(&shown, &value),
            };
            book.read(dev, &key, id, value.clone(), || guessed(named(&shown), &value, unit));
        });
    }

    fn bare(&mut self, book: &mut Book, id: u32, topic: &str, payload: &Payload<'_>) {
        let (value, unit) = bare(payload);
        let (path, level) = split(topic);
        // Whatever was shown of the path before decides, so that the reading stays where it is.
        let above = levels::named_above(path, level, &value)
            .filter(|(above, name)| is_known(book, above, name) || !is_known(book, path, ""));
        let (path, level) = above.unwrap_or((path, level.into()));
        let (device, part) = levels::folded(path);
        let level = &*level;
        let Some(place) = self.place(book, device) else { return };
        let dev = place.dev;
        let value = if levels::is_label(level) { text::text(payload.text().trim()) } else { value };
        let attribute = levels::attribute(level);
        if let (Some(attribute), false) = (attribute, matches!(value, Value::Flag(_) | Value::Missing)) {
            book.describe(dev, Rank::Path, "", "", &[(attribute, &payload.text())]);
            return;
        }
        if let Value::Text(name) = &value
            && part.is_empty()
            && levels::is_name(level, device)
            && give_name(book, &place, name)
        {
            return;
        }
        if levels::is_secret(level) {
            return;
        }
        let unit = if unit.is_empty() { unit_of(level, &value) } else { unit };
        let key = place.name(&levels::joined(&[part, level]));
        book.read(dev, &key, id, value.clone(), || guessed(named(&place.name(level)), &value, unit));
    }
}

/// Names a device that nothing surer names. Returns whether it did.
fn give_name(book: &mut Book, place: &Place, name: &str) -> bool {
    let is_free = place.below.is_empty() && book.get(place.dev).is_some_and(|device| !device.is_named());
    if is_free {
        book.describe(place.dev, Rank::Path, name, "", &[]);
    }
    is_free
}

/// Names a device by a message that has the identifier at the end of its topic: it is about that device alone. Returns whether it did.
fn name_itself(book: &mut Book, place: &Place, level: &str, json: &Json) -> bool {
    let Some(fields) = json.as_object() else { return false };
    let is_its = fields.get("id").and_then(json::string).is_some_and(|id| id.eq_ignore_ascii_case(level));
    let name = fields.get("name").and_then(Json::as_str).filter(|name| is_its && !name.trim().is_empty());
    name.is_some_and(|name| give_name(book, place, name))
}

/// Whether a path is a device that has this reading, or any where the key is empty.
fn is_known(book: &Book, path: &str, key: &str) -> bool {
    let device = book.by_key(&format!("path:{path}")).and_then(|dev| book.get(dev));
    device.is_some_and(|device| key.is_empty() || device.find(key).is_some())
}

/// The unit of a reading by its name.
fn unit_of(name: &str, value: &Value) -> &'static str {
    let is_number = matches!(value, Value::Number(_) | Value::Whole(_));
    text::unit_of_name(name).filter(|_| is_number).unwrap_or_default()
}

/// What a payload that is no JSON says, and its unit.
pub(super) fn bare(payload: &Payload<'_>) -> (Value, &'static str) {
    let Ok(text) = std::str::from_utf8(payload.bytes) else {
        return (text::text(&binary(payload.bytes)), "");
    };
    if text.chars().any(|c| c.is_control() && !c.is_whitespace()) {
        return (text::text(&binary(payload.bytes)), "");
    }
    let text = text.trim().trim_matches('"');
    if text.starts_with('<') && text.len() > 64 {
        return (text::text(&format!("XML, {} bytes", text.len())), "");
    }
    if matches!(text, "null" | "None" | "nil") {
        return (Value::Missing, "");
    }
    text::with_unit(text).unwrap_or_else(|| (text::value(text), ""))
}

/// A few words about bytes that are no text.
fn binary(bytes: &[u8]) -> String {
    let what = match bytes {
        [0xff, 0xd8, 0xff, ..] => "JPEG picture",
        [0x89, b'P', b'N', b'G', ..] => "PNG picture",
        [0x1f, 0x8b, ..] => "compressed data",
        _ => "",
    };
    if !what.is_empty() {
        return format!("{what}, {} bytes", bytes.len());
    }
    let shown = data_encoding::HEXLOWER.encode(&bytes[..bytes.len().min(32)]);
    let more = if bytes.len() > 32 { "…" } else { "" };
    format!("0x{shown}{more} ({} bytes)", bytes.len())
}

/// A path and the paths above it.
fn above(path: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(path);
    std::iter::from_fn(move || {
        let path = rest?;
        rest = path.rsplit_once('/').map(|(above, _)| above);
        Some(path)
    })
    .take(MAX_LEVELS)
}
