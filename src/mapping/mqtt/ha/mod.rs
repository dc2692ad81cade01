//! [`HomeAssistant`]: devices by Home Assistant's MQTT discovery. A configuration makes an entity, whose parts read topics.

mod climate;
mod components;
mod config;
mod cover;
mod decode;
mod light;
mod part;
mod words;

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use foldhash::fast::RandomState;
use serde_json::Value as Json;

use super::book::{Book, Command, Dev, Rank, named};
use super::change::{Outgoing, There};
use super::device::ANY;
use super::template::{Given, Payload, Template, Templates, at};
use super::topics::{Reader, Topics};
use super::{general, json, levels, text};
use crate::model::device::MetricType;
use config::Config;
use decode::Decode;
use part::{Part, Pick, Sends};

pub(super) use config::{mac, words_of};
pub(super) use decode::{colour_of, hex, of_hue};
pub(super) use light::hue_of;
pub(super) use part::{json_of, rgb, word};

/// Maximum length of a discovery message, in bytes.
const MAX_CONFIG_BYTES: usize = 256 * 1024;
/// Maximum number of entities.
const MAX_ENTITIES: usize = 60_000;

/// How a part's state is picked out.
enum Source {
    Template(Template),
    Field(Vec<super::template::Step>),
}

/// A part that reads a topic.
struct Read {
    key: String,
    kind: MetricType,
    is_guessed: bool,
    source: Source,
    decode: Decode,
    last: Option<Arc<AtomicU64>>,
    /// Whether a person was told that its template fails.
    has_note: bool,
}

/// An availability topic.
struct Available {
    template: Template,
    yes: String,
    no: String,
    is: Option<bool>,
}

/// How several availability topics count.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Mode {
    All,
    Any,
    Latest,
}

struct Entity {
    dev: Dev,
    reads: Vec<Read>,
    keys: Vec<String>,
    topics: Vec<u32>,
    available: Vec<Available>,
    mode: Mode,
    /// The source under which they speak.
    source: String,
    templates: Vec<Template>,
}

/// See the module.
#[derive(Default)]
pub(super) struct HomeAssistant {
    entities: Vec<Option<Entity>>,
    free: Vec<usize>,
    /// By discovery topic: what the message was, and its entities.
    configs: HashMap<Box<str>, (u64, Vec<usize>), RandomState>,
}

/// Whether a topic is one of discovery.
pub(super) fn is_discovery(topic: &str) -> bool {
    topic.ends_with("/config") && config::place(topic).is_some()
}

/// What a discovery message changed.
#[derive(Default)]
pub(super) struct Found {
    /// The topics that are read differently.
    pub topics: Vec<u32>,
    /// The new entities.
    pub entities: Vec<usize>,
    /// Paths below which everything is about one of its devices from now on.
    pub owned: Vec<String>,
}

/// Whether an object has fields that a discovery message has.
fn describes(fields: &serde_json::Map<String, Json>) -> bool {
    const OTHERS: &[&str] = &[
        "dev",
        "device",
        "cmps",
        "components",
        "migrate_discovery",
        "migr_discvry",
        "availability",
        "avty",
        "t",
        "~",
    ];
    fields.keys().any(|key| key.ends_with("_t") || key.ends_with("topic") || OTHERS.contains(&key.as_str()))
}

impl HomeAssistant {
    /// Reads a discovery message. Returns what it changed, or `None` if it is none.
    pub fn discover(
        &mut self,
        book: &mut Book,
        topics: &mut Topics,
        templates: &mut Templates,
        topic: &str,
        payload: &[u8],
    ) -> Option<Found> {
        if payload.len() > MAX_CONFIG_BYTES {
            book.refuse(
                topic,
                format!("the discovery message has {} bytes; {MAX_CONFIG_BYTES} are allowed", payload.len()),
            );
            return Some(Found::default());
        }
        if payload.iter().all(u8::is_ascii_whitespace) {
            return self
                .configs
                .contains_key(topic)
                .then(|| Found { topics: self.remove(book, topics, templates, topic), ..Found::default() })
                .or_else(|| topic.starts_with("homeassistant/").then(Found::default));
        }
        let mut hasher = DefaultHasher::new();
        payload.hash(&mut hasher);
        let hash = hasher.finish();
        if self.configs.get(topic).is_some_and(|(known, _)| *known == hash) {
            return Some(Found::default());
        }
        let fields = json::object(payload).filter(describes);
        let Some(fields) = fields else {
            let is_prefix = topic.starts_with("homeassistant/");
            is_prefix.then(|| {
                book.refuse(topic, "the discovery message is not a JSON object that describes something")
            })?;
            return Some(Found::default());
        };
        if fields.get("migrate_discovery").or(fields.get("migr_discvry")) == Some(&Json::Bool(true)) {
            return Some(Found::default());
        }
        let configs = config::read(topic, fields)?;
        let mut again = self.remove(book, topics, templates, topic);
        let (mut entities, mut owned) = (Vec::new(), Vec::new());
        for config in &configs {
            if let Some((entity, read)) = self.add(book, topics, templates, topic, config) {
                entities.push(entity);
                again.extend(read);
                owned.extend(self.own(book, topics, entity, config));
            }
        }
        self.configs.insert(topic.into(), (hash, entities.clone()));
        again.sort_unstable();
        again.dedup();
        Some(Found { topics: again, entities, owned })
    }

    /// The path of an entity's topics that ends with an identifier of its device, if that is new: what else is below it is about the
    /// same device.
    fn own(&self, book: &mut Book, topics: &Topics, entity: usize, config: &Config) -> Option<String> {
        let entity = self.entities.get(entity)?.as_ref()?;
        let device = config.device.as_ref()?;
        let names = entity.topics.iter().filter_map(|id| topics.get(*id));
        let path = names.filter_map(|topic| own_path(&topic.name, device).map(str::to_owned)).next()?;
        book.own(entity.dev, &path).then_some(path)
    }

    /// Removes what a discovery message described. Returns the topics that are not explained any longer.
    fn remove(
        &mut self,
        book: &mut Book,
        topics: &mut Topics,
        templates: &mut Templates,
        topic: &str,
    ) -> Vec<u32> {
        let Some((_, entities)) = self.configs.remove(topic) else { return Vec::new() };
        let mut freed = Vec::new();
        for at in entities {
            let Some(entity) = self.entities[at].take() else { continue };
            self.free.push(at);
            topics.stop(at, &entity.topics);
            entity.templates.iter().for_each(|template| templates.release(template));
            entity.keys.iter().for_each(|key| book.remove_metric(entity.dev, key));
            let others = self.entities.iter().flatten();
            let is_last =
                !others.filter(|other| other.dev == entity.dev).any(|other| other.source == entity.source);
            if is_last && !entity.source.is_empty() {
                book.unsay(entity.dev, &entity.source);
            }
            book.hold(entity.dev, -1);
            freed.extend(entity.topics);
        }
        freed
    }

    fn add(
        &mut self,
        book: &mut Book,
        topics: &mut Topics,
        templates: &mut Templates,
        topic: &str,
        config: &Config,
    ) -> Option<(usize, Vec<u32>)> {
        if self.entities.len() - self.free.len() >= MAX_ENTITIES {
            book.left_out += 1;
            return None;
        }
        let parts = components::parts(config);
        let dev = device(book, config, &parts)?;
        book.hold(dev, 1);
        let prefix = format!("{topic}#{}", config.id);
        let at = match self.free.pop() {
            Some(at) => at,
            None => {
                self.entities.push(None);
                self.entities.len() - 1
            }
        };
        let (available, mode, source, avail_topics) = availability(config, templates);
        let mut entity = Entity {
            dev,
            reads: Vec::new(),
            keys: Vec::new(),
            topics: Vec::new(),
            templates: available.iter().map(|one| one.template.clone()).collect(),
            available,
            mode,
            source,
        };
        for part in parts {
            add_part(book, topics, templates, config, &prefix, at, &mut entity, part);
        }
        for (number, filter) in avail_topics.iter().enumerate() {
            entity
                .topics
                .extend(topics.listen(filter, Reader { entity: at, part: Reader::AVAILABILITY + number }));
        }
        if !entity.source.is_empty() {
            book.say(dev, &entity.source, There::Unknown);
        }
        // Attributes and secrets are explained, and no readings.
        let secret = if components::is_secret(config) { config.text("state_topic") } else { None };
        for filter in config.text("json_attributes_topic").into_iter().chain(secret) {
            entity.topics.extend(topics.listen(&filter, Reader { entity: at, part: Reader::ATTRIBUTES }));
        }
        let read = entity.topics.clone();
        self.entities[at] = Some(entity);
        Some((at, read))
    }

    /// Reads a message of a topic for one of its readers. `id`: the topic.
    pub fn receive(
        &mut self,
        book: &mut Book,
        templates: &Templates,
        id: u32,
        reader: Reader,
        payload: &Payload<'_>,
    ) {
        let Some(entity) = self.entities.get_mut(reader.entity).and_then(Option::as_mut) else { return };
        if !reader.is_state() {
            entity.say(book, templates, reader.part - Reader::AVAILABILITY, payload);
            return;
        }
        let dev = entity.dev;
        let Some(read) = entity.reads.get_mut(reader.part) else { return };
        let given = match &read.source {
            // What was set last, not what is shown now.
            Source::Field(path) if is_stale(path, payload) => Ok(Given::Text("None".to_owned())),
            Source::Field(path) => {
                Ok(payload.json().and_then(|json| at(json, path)).map_or(Given::Nothing, Given::Json))
            }
            // `1.10` is another version than 1.1.
            Source::Template(Template::Whole) => Ok(match (whole(payload), read.kind) {
                (Given::Json(Json::Number(_)), MetricType::Text) if !read.is_guessed => {
                    Given::Text(payload.text().into_owned())
                }
                (given, _) => given,
            }),
            Source::Template(template) => templates.render(template, payload),
        };
        let given = match given {
            Ok(given) => given,
            Err(why) => {
                read.note(book, dev, &why);
                let raw = payload.text();
                Given::Text(raw.chars().take(256).collect())
            }
        };
        let kind = if read.is_guessed { guessed_kind(&given) } else { read.kind };
        let Some(value) = read.decode.value(given, kind) else { return };
        if let (Some(last), Some(number)) = (&read.last, value.as_chart()) {
            last.store(number.to_bits(), Ordering::Relaxed);
        }
        let name = read.key.clone();
        book.read(dev, &read.key, id, value, || crate::model::device::Metric::new(named(&name), kind));
    }
}

/// Whether a light's colour temperature does not apply, since it shows a colour.
fn is_stale(path: &[super::template::Step], payload: &Payload<'_>) -> bool {
    let is_temperature = matches!(path, [super::template::Step::Field(name)] if **name == *"color_temp");
    let mode = || payload.json().and_then(|json| json.get("color_mode")).and_then(Json::as_str);
    is_temperature && mode().is_some_and(|mode| mode != "color_temp")
}

/// A payload without a template.
fn whole<'a>(payload: &'a Payload<'a>) -> Given<'a> {
    match payload.json() {
        Some(json @ (Json::Number(_) | Json::Object(_) | Json::Array(_))) => Given::Json(json),
        _ => match std::str::from_utf8(payload.bytes) {
            Ok(text) => Given::Text(text.to_owned()),
            Err(_) => Given::Text(match general::bare(payload).0 {
                crate::model::device::Value::Text(text) => text.to_string(),
                _ => String::new(),
            }),
        },
    }
}

/// The type of a state of which nothing is said.
fn guessed_kind(given: &Given<'_>) -> MetricType {
    let is_number = match given {
        Given::Json(Json::Number(_)) => true,
        Given::Json(Json::String(text)) => text::number(text).is_some() || text::is_no_number(text),
        Given::Text(text) => text::number(text).is_some() || text::is_no_number(text),
        _ => false,
    };
    if is_number { MetricType::Number } else { MetricType::Text }
}

impl Read {
    fn note(&mut self, book: &mut Book, dev: Dev, why: &str) {
        if !self.has_note {
            self.has_note = true;
            book.change_metric(dev, &self.key, |metric| metric.note = format!("Shown as it came: {why}."));
        }
    }
}

impl Entity {
    fn say(&mut self, book: &mut Book, templates: &Templates, number: usize, payload: &Payload<'_>) {
        let Some(topic) = self.available.get_mut(number) else { return };
        let text = match templates.render(&topic.template, payload).map(Given::into_text) {
            Ok(Some(text)) => text,
            _ => return,
        };
        let text = text.trim();
        let is = if text == topic.yes {
            true
        } else if text == topic.no {
            false
        } else {
            match general::presence("state", payload).filter(|_| topic.template == Template::Whole) {
                // The old form beside the new one.
                Some(is) => is,
                None => return,
            }
        };
        topic.is = Some(is);
        let all = || self.available.iter().map(|topic| topic.is);
        let there = match self.mode {
            Mode::Latest => Some(is),
            Mode::All if all().any(|one| one == Some(false)) => Some(false),
            Mode::All => all().all(|one| one == Some(true)).then_some(true),
            Mode::Any if all().any(|one| one == Some(true)) => Some(true),
            Mode::Any => all().all(|one| one == Some(false)).then_some(false),
        };
        let there = match there {
            Some(true) => There::Online,
            Some(false) => There::Offline(String::new()),
            None => There::Unknown,
        };
        book.say(self.dev, &self.source, there);
    }
}

/// Keys by which other conventions know a device of discovery. `first`: the first topic of a state; `key`: what its topics say.
fn share_keys(book: &mut Book, dev: Dev, config: &Config, first: Option<&str>, key: Option<String>) {
    let of_command = || config.text("command_topic").as_deref().and_then(super::native::key_of);
    if let Some(key) = key.or_else(of_command) {
        book.add_weak_key(dev, &key);
    }
    // It is there when its Homie device is.
    let availability = config.text("availability_topic").unwrap_or_default();
    if let Some(path) = availability.strip_suffix("/$state") {
        book.add_weak_key(dev, &format!("homie:{path}"));
    }
    // Zigbee2MQTT's own messages are about the same device, whatever its base is called.
    let is_zigbee =
        config.device.as_ref().is_some_and(|device| device.keys.iter().any(|key| key.starts_with("ieee:")));
    if let Some(topic) = first.filter(|_| is_zigbee) {
        book.add_weak_key(dev, &format!("z2m:{topic}"));
    }
}

/// The part of a topic that ends with an identifier that can only be this device's: a serial number or an address, also one that is
/// its name; or with its name, where the topic says whether it is there.
fn own_path<'a>(topic: &'a str, device: &config::DeviceInfo) -> Option<&'a str> {
    let ids = || device.keys.iter().filter_map(|key| key.split_once(':')).map(|(_, id)| id);
    let is_serial = |level: &str| level.len() >= 6 && level.bytes().filter(u8::is_ascii_digit).count() >= 3;
    let is_its = |level: &str| {
        device.name.eq_ignore_ascii_case(level) || ids().any(|id| id.eq_ignore_ascii_case(level))
    };
    let serial = topic.match_indices('/').map(|(at, _)| &topic[..at]).find(|path| {
        let level = path.rsplit('/').next().unwrap_or(path);
        is_serial(level) && (is_its(level) || ids().any(|id| id.ends_with(level)))
    });
    serial.or_else(|| {
        let (path, last) = topic.rsplit_once('/')?;
        let (_, level) = path.rsplit_once('/')?;
        (levels::is_presence(last) && is_its(level)).then_some(path)
    })
}

/// The device of an entity. One that names none belongs to what its topics begin with.
fn device(book: &mut Book, config: &Config, parts: &[Part]) -> Option<Dev> {
    let topics = || parts.iter().filter_map(|part| Some(part.state.as_ref()?.0.as_str()));
    let dev = match &config.device {
        Some(device) if !device.keys.is_empty() => {
            let keys: Vec<&str> = device.keys.iter().map(String::as_str).collect();
            let dev = book.device(Rank::Told, &keys, &device.id)?;
            let attributes: Vec<(&str, &str)> =
                device.attributes.iter().map(|(name, text)| (*name, text.as_str())).collect();
            // One without a name is called by its identifier, whatever its topics are called.
            let is_named = book.get(dev).is_some_and(super::device::Device::is_named);
            let (rank, name) = match device.name.is_empty() {
                false => (Rank::Told, device.name.as_str()),
                true if is_named => (Rank::Told, ""),
                true => (Rank::Own, device.id.as_str()),
            };
            book.describe(dev, rank, name, "", &[]);
            book.describe(dev, Rank::Told, "", "", &attributes);
            share_keys(book, dev, config, topics().next(), topics().find_map(super::native::key_of));
            dev
        }
        _ => {
            let is_whole = matches!(
                config.component.as_str(),
                "climate" | "light" | "cover" | "fan" | "humidifier" | "vacuum" | "water_heater" | "lock"
            );
            let name = config.name().unwrap_or_else(|| config.object.clone());
            let path = topics().next().map(|topic| levels::split(topic).0.to_owned());
            let (key, name) = match path {
                _ if is_whole => {
                    (format!("entity:{}/{}/{}", config.component, config.node, config.object), name)
                }
                _ if !config.node.is_empty() => (format!("node:{}", config.node), config.node.clone()),
                Some(path) if !path.is_empty() => (format!("path:{path}"), path),
                _ => (format!("entity:{}/{}/{}", config.component, config.node, config.object), name),
            };
            let dev = book.device(Rank::Told, &[&key], &name)?;
            book.describe(dev, Rank::Told, &name, "", &[]);
            // What its firmware says besides is about the same device.
            if let Some(known) =
                topics().find_map(super::native::key_of).filter(|_| !key.starts_with("node:"))
            {
                book.add_weak_key(dev, &known);
            }
            dev
        }
    };
    let kind = match config.component.as_str() {
        kind @ ("light" | "climate" | "cover" | "lock" | "fan" | "vacuum" | "humidifier" | "water_heater"
        | "lawn_mower" | "valve") => kind,
        "alarm_control_panel" => "alarm",
        _ => "",
    };
    book.describe(dev, Rank::Told, "", &words_of(kind).to_lowercase(), &[]);
    Some(dev)
}

fn availability(config: &Config, templates: &mut Templates) -> (Vec<Available>, Mode, String, Vec<String>) {
    let mode = match config.text("availability_mode").as_deref() {
        Some("all") => Mode::All,
        Some("any") => Mode::Any,
        _ => Mode::Latest,
    };
    let mut available = Vec::new();
    let mut topics = Vec::new();
    let mut add = |fields: &serde_json::Map<String, Json>, topic: &str, template: &str| {
        let text = |key: &str| fields.get(key).and_then(json::string).map(|text| text.into_owned());
        let Some(topic) = text(topic).filter(|topic| !topic.is_empty()) else { return };
        let template = text(template).map_or(Template::Whole, |source| templates.compile(&source));
        topics.push(topic);
        available.push(Available {
            template,
            yes: text("payload_available").unwrap_or_else(|| "online".to_owned()),
            no: text("payload_not_available").unwrap_or_else(|| "offline".to_owned()),
            is: None,
        });
    };
    match config.fields.get("availability") {
        Some(Json::Array(items)) => {
            items.iter().filter_map(Json::as_object).for_each(|item| add(item, "topic", "value_template"))
        }
        Some(Json::Object(item)) => add(item, "topic", "value_template"),
        _ => add(&config.fields, "availability_topic", "availability_template"),
    }
    let source = if topics.is_empty() { String::new() } else { format!("{ANY}{}", topics.join(" ")) };
    (available, mode, source, topics)
}

#[allow(clippy::too_many_arguments, reason = "one step of adding an entity, apart for its length")]
fn add_part(
    book: &mut Book,
    topics: &mut Topics,
    templates: &mut Templates,
    config: &Config,
    prefix: &str,
    at: usize,
    entity: &mut Entity,
    part: Part,
) {
    // Triggers of one device are one reading.
    let key = if part.key == "action" && config.component == "device_automation" {
        "ha:action".to_owned()
    } else {
        format!("{prefix}.{}", part.key)
    };
    let Part { mut metric, is_guessed, state, decode, sends, last, .. } = part;
    metric.writable = sends.is_some();
    if state.is_none() && sends.is_none() {
        return;
    }
    let is_new = !entity.keys.contains(&key);
    let (mut source, mut topic_ids) = (None, Vec::new());
    if let Some((topic, pick)) = &state {
        let found = match pick {
            Pick::Field(path) => Source::Field(path.clone()),
            Pick::Template(text) => {
                let template = text.as_ref().map_or(Template::Whole, |text| templates.compile(text));
                if let Template::Broken(why) = &template {
                    metric.note = format!("Shown as it came: {why}.");
                }
                entity.templates.push(template.clone());
                Source::Template(template)
            }
        };
        topic_ids = topics.listen(topic, Reader { entity: at, part: entity.reads.len() });
        source = Some(found);
    }
    let kind = metric.kind;
    let topic = topic_ids.first().copied().unwrap_or(super::book::NO_TOPIC);
    if is_new {
        book.put_metric(entity.dev, &key, super::book::NO_TOPIC, metric);
        book.guess(entity.dev, &key, is_guessed);
        if let Some(seconds) = config.number("expire_after").filter(|seconds| (1.0..1e7).contains(seconds)) {
            book.lasts(entity.dev, &key, (seconds * 1e3) as u64);
        }
        entity.keys.push(key.clone());
    }
    if let Some(source) = source {
        let has_note = matches!(&source, Source::Template(Template::Broken(_)));
        entity.reads.push(Read { key: key.clone(), kind, is_guessed, source, decode, last, has_note });
    }
    entity.topics.extend(topic_ids);
    if let Some(sends) = sends {
        let is_reported = topic != super::book::NO_TOPIC || state.is_some();
        book.command(entity.dev, &key, is_reported, command(config, templates, entity, sends));
    }
}

fn command(config: &Config, templates: &mut Templates, entity: &mut Entity, sends: Sends) -> Command {
    let mut compile = |text: Option<&String>| {
        let template = text.map_or(Template::Whole, |text| templates.compile(text));
        entity.templates.push(template.clone());
        template
    };
    let template = compile(sends.template.as_ref());
    let off = sends.off_template.as_ref().map(|text| compile(Some(text)));
    let qos = config.number("qos").map_or(0, |qos| qos.clamp(0.0, 2.0) as u8);
    let retain = config.flag("retain");
    Arc::new(move |templates, _, value| {
        let sent = (sends.encode)(value)?;
        if let Some((_, Json::String(topic))) = sent.more.iter().find(|(name, _)| *name == "topic") {
            let payload = templates.command(&Template::Whole, &sent.value, &[])?;
            return Ok(vec![Outgoing { topic: topic.clone(), payload: payload.into_bytes(), qos, retain }]);
        }
        let is_off = *value == crate::model::device::Value::Flag(false);
        let template = off.as_ref().filter(|_| is_off).unwrap_or(&template);
        let payload = templates.command(template, &sent.value, &sent.more)?;
        Ok(vec![Outgoing { topic: sends.topic.clone(), payload: payload.into_bytes(), qos, retain }])
    })
}
