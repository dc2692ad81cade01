//! Sparkplug B: `spBv1.0/GROUP/TYPE/NODE[/DEVICE]`, with births that name what later messages call by alias.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use prost::Message as _;

use crate::mapping::mqtt::book::{Book, Command, Dev, Rank, named};
use crate::mapping::mqtt::change::{Outgoing, There};
use crate::mapping::mqtt::template::Payload;
use crate::mapping::mqtt::text;
use crate::model::device::{Control, Metric as Shown, MetricType, Value};
use crate::model::time::WallMs;

/// Maximum number of nodes, of devices of one, and of metrics of one.
const MAX_NODES: usize = 2_000;
const MAX_DEVICES: usize = 2_000;
const MAX_METRICS: usize = 2_000;
/// A node is asked for its births at most once in this time, in milliseconds.
const ASK_EVERY_MS: u64 = 10_000;
/// What asks a node for its births.
const REBIRTH: &str = "Node Control/Rebirth";

/// A payload (Sparkplug 3.0 §6.4).
#[derive(Clone, PartialEq, prost::Message)]
struct Frame {
    #[prost(uint64, optional, tag = "1")]
    timestamp: Option<u64>,
    #[prost(message, repeated, tag = "2")]
    metrics: Vec<Metric>,
    #[prost(uint64, optional, tag = "3")]
    seq: Option<u64>,
}

/// A metric. Data sets, templates and bytes are not read.
#[derive(Clone, PartialEq, prost::Message)]
struct Metric {
    #[prost(string, optional, tag = "1")]
    name: Option<String>,
    #[prost(uint64, optional, tag = "2")]
    alias: Option<u64>,
    #[prost(uint64, optional, tag = "3")]
    timestamp: Option<u64>,
    #[prost(uint32, optional, tag = "4")]
    datatype: Option<u32>,
    #[prost(bool, optional, tag = "5")]
    is_historical: Option<bool>,
    #[prost(bool, optional, tag = "7")]
    is_null: Option<bool>,
    #[prost(message, optional, tag = "9")]
    properties: Option<Properties>,
    #[prost(oneof = "Content", tags = "10, 11, 12, 13, 14, 15")]
    content: Option<Content>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Properties {
    #[prost(string, repeated, tag = "1")]
    keys: Vec<String>,
    #[prost(message, repeated, tag = "2")]
    values: Vec<Property>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Property {
    #[prost(string, optional, tag = "8")]
    text: Option<String>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum Content {
    #[prost(uint32, tag = "10")]
    Int(u32),
    #[prost(uint64, tag = "11")]
    Long(u64),
    #[prost(float, tag = "12")]
    Float(f32),
    #[prost(double, tag = "13")]
    Double(f64),
    #[prost(bool, tag = "14")]
    Flag(bool),
    #[prost(string, tag = "15")]
    Text(String),
}

/// A metric of a birth.
#[derive(Clone, Debug)]
struct Known {
    name: String,
    datatype: u32,
}

#[derive(Default)]
struct Node {
    dev: Option<Dev>,
    /// By device; the node itself is the empty name.
    devices: HashMap<String, Dev, RandomState>,
    names: HashMap<(String, String), Known, RandomState>,
    aliases: HashMap<u64, (String, String), RandomState>,
    seq: Option<u64>,
    birth: Option<u64>,
    is_born: bool,
    asked: Option<crate::model::time::BootMs>,
}

/// See the module.
#[derive(Default)]
pub(super) struct Sparkplug {
    nodes: HashMap<String, Node, RandomState>,
}

/// Whether a topic is one of Sparkplug's.
pub(super) fn takes(topic: &str) -> bool {
    topic.starts_with("spBv1.0/") || topic.starts_with("spAv1.0/")
}

impl Sparkplug {
    /// Reads a message.
    pub fn receive(&mut self, book: &mut Book, id: u32, topic: &str, payload: &Payload<'_>) {
        let levels: Vec<&str> = topic.split('/').collect();
        let (group, kind, name, device) = match levels.as_slice() {
            [_, group, kind, name] => (*group, *kind, *name, ""),
            [_, group, kind, name, device] => (*group, *kind, *name, *device),
            // `STATE/HOST` is a host application, not a device.
            _ => return,
        };
        if !matches!(kind, "NBIRTH" | "NDATA" | "NDEATH" | "DBIRTH" | "DDATA" | "DDEATH") {
            return;
        }
        let Ok(frame) = Frame::decode(payload.bytes) else {
            book.refuse(topic, "the payload is not one of Sparkplug B");
            return;
        };
        let key = format!("{group}/{name}");
        if !self.nodes.contains_key(&key) && self.nodes.len() >= MAX_NODES {
            return;
        }
        let node = self.nodes.entry(key.clone()).or_default();
        let place = Place { prefix: levels[0], group, name, device };
        node.receive(book, id, &place, kind, frame);
    }
}

struct Place<'a> {
    prefix: &'a str,
    group: &'a str,
    name: &'a str,
    device: &'a str,
}

impl Node {
    fn receive(&mut self, book: &mut Book, id: u32, place: &Place<'_>, kind: &str, frame: Frame) {
        let is_next = self.count(kind, frame.seq);
        book.at = frame.timestamp.and_then(moment).filter(|at| *at > WallMs(978_307_200_000));
        match kind {
            "NBIRTH" | "DBIRTH" => self.born(book, id, place, kind, &frame),
            "NDEATH" => {
                let birth = number_of(&frame, "bdSeq");
                if birth.is_some() && self.birth.is_some() && birth != self.birth {
                    // The death of a connection before this one.
                    return;
                }
                self.is_born = false;
                let all: Vec<Dev> = self.devices.values().copied().collect();
                all.into_iter()
                    .for_each(|dev| book.say(dev, "birth", There::Offline("the node is offline".to_owned())));
            }
            "DDEATH" => {
                if let Some(dev) = self.devices.get(place.device) {
                    book.say(*dev, "birth", There::Offline(String::new()));
                }
            }
            _ => {
                let is_known = self.is_born && self.devices.contains_key(place.device);
                let all_named = is_known && self.data(book, id, place, &frame);
                if !all_named || !is_next {
                    self.ask(book, place);
                }
            }
        }
    }

    /// Whether a message follows the last one.
    fn count(&mut self, kind: &str, seq: Option<u64>) -> bool {
        let Some(seq) = seq.filter(|_| kind != "NDEATH") else { return true };
        let is_next = kind == "NBIRTH" || self.seq.is_none_or(|last| (last + 1) % 256 == seq || last == seq);
        self.seq = Some(seq);
        is_next
    }

    fn device(&mut self, book: &mut Book, place: &Place<'_>) -> Option<Dev> {
        if let Some(dev) = self.devices.get(place.device).copied().filter(|dev| book.get(*dev).is_some()) {
            return Some(dev);
        }
        if self.devices.len() >= MAX_DEVICES {
            return None;
        }
        let (own, title) = match place.device {
            "" => (format!("{}/{}", place.group, place.name), place.name),
            device => (format!("{}/{}/{device}", place.group, place.name), device),
        };
        let dev = book.device(Rank::Told, &[&format!("spb:{own}")], &own)?;
        let via = if place.device.is_empty() { "" } else { place.name };
        let kind = if place.device.is_empty() { "edge node" } else { "" };
        book.describe(dev, Rank::Told, title, kind, &[("group", place.group), ("via", via)]);
        book.hold(dev, 1);
        self.devices.insert(place.device.to_owned(), dev);
        self.dev = self.devices.get("").copied();
        Some(dev)
    }

    fn born(&mut self, book: &mut Book, id: u32, place: &Place<'_>, kind: &str, frame: &Frame) {
        if kind == "NBIRTH" {
            self.is_born = true;
            self.birth = number_of(frame, "bdSeq");
            // Aliases are of one birth; devices are born after their node.
            self.names.clear();
            self.aliases.clear();
            let others: Vec<Dev> =
                self.devices.iter().filter(|(name, _)| !name.is_empty()).map(|(_, dev)| *dev).collect();
            others
                .into_iter()
                .for_each(|dev| book.say(dev, "birth", There::Offline("not born again yet".to_owned())));
        }
        let Some(dev) = self.device(book, place) else { return };
        book.say(dev, "birth", There::Online);
        for metric in frame.metrics.iter().take(MAX_METRICS) {
            let Some(name) = metric.name.as_deref().filter(|name| !name.is_empty()) else { continue };
            let at = (place.device.to_owned(), name.to_owned());
            if self.names.len() >= MAX_METRICS {
                break;
            }
            if let Some(alias) = metric.alias {
                self.aliases.insert(alias, at.clone());
            }
            let datatype = metric.datatype.unwrap_or(0);
            self.names.insert(at, Known { name: name.to_owned(), datatype });
            if name == "bdSeq" {
                continue;
            }
            if let Some(attribute) = name.strip_prefix("Properties/") {
                if let Some(Content::Text(said)) = &metric.content {
                    book.describe(dev, Rank::Told, "", "", &[(&attribute.to_lowercase(), said)]);
                }
                continue;
            }
            declare(book, dev, place, name, datatype, metric);
            if !is_control(name) {
                book.read(dev, name, id, value(metric, datatype), || {
                    Shown::new(named(name), MetricType::Number)
                });
            }
        }
    }

    /// Reads data. Returns whether all of it was named by a birth.
    fn data(&mut self, book: &mut Book, id: u32, place: &Place<'_>, frame: &Frame) -> bool {
        let Some(dev) = self.devices.get(place.device).copied() else { return false };
        let mut all_named = true;
        let frame_at = book.at;
        for metric in frame.metrics.iter().take(MAX_METRICS) {
            let by_name = || {
                metric
                    .name
                    .clone()
                    .filter(|name| !name.is_empty())
                    .map(|name| (place.device.to_owned(), name))
            };
            let at = by_name().or_else(|| self.aliases.get(&metric.alias?).cloned());
            let Some(known) = at.and_then(|at| self.names.get(&at)) else {
                all_named = false;
                continue;
            };
            if known.name == "bdSeq" || is_control(&known.name) {
                continue;
            }
            // What was stored while it was offline keeps its time.
            book.at =
                metric.timestamp.filter(|_| metric.is_historical == Some(true)).and_then(moment).or(frame_at);
            let datatype = metric.datatype.filter(|kind| *kind != 0).unwrap_or(known.datatype);
            let name = known.name.clone();
            book.read(dev, &name, id, value(metric, datatype), || {
                Shown::new(named(&name), MetricType::Number)
            });
        }
        all_named
    }

    /// Asks for the births, without which data means nothing.
    fn ask(&mut self, book: &mut Book, place: &Place<'_>) {
        let now = book.now.boot_ms;
        if book.replayed || self.asked.is_some_and(|asked| now.since(asked) < ASK_EVERY_MS) {
            return;
        }
        self.asked = Some(now);
        book.publish(request(place, REBIRTH, 11, Content::Flag(true), now_of(book.now.wall_ms)));
    }
}

fn is_control(name: &str) -> bool {
    name.starts_with("Node Control/") || name.starts_with("Device Control/")
}

fn moment(timestamp: u64) -> Option<WallMs> {
    i64::try_from(timestamp).ok().map(WallMs)
}

fn now_of(wall_ms: WallMs) -> u64 {
    u64::try_from(wall_ms.0).unwrap_or(0)
}

fn request(place: &Place<'_>, name: &str, datatype: u32, content: Content, now: u64) -> Outgoing {
    let metric = Metric {
        name: Some(name.to_owned()),
        timestamp: Some(now),
        datatype: Some(datatype),
        content: Some(content),
        ..Metric::default()
    };
    let frame = Frame { timestamp: Some(now), metrics: vec![metric], seq: None };
    let topic = match place.device {
        "" => format!("{}/{}/NCMD/{}", place.prefix, place.group, place.name),
        device => format!("{}/{}/DCMD/{}/{device}", place.prefix, place.group, place.name),
    };
    Outgoing::new(topic, frame.encode_to_vec())
}

fn number_of(frame: &Frame, name: &str) -> Option<u64> {
    let metric = frame.metrics.iter().find(|metric| metric.name.as_deref() == Some(name))?;
    match metric.content {
        Some(Content::Int(number)) => Some(number.into()),
        Some(Content::Long(number)) => Some(number),
        _ => None,
    }
}

/// A value, by its type (Sparkplug 3.0 §6.4.16): signed integers travel as unsigned ones.
fn value(metric: &Metric, datatype: u32) -> Value {
    if metric.is_null == Some(true) {
        return Value::Missing;
    }
    match (&metric.content, datatype) {
        (Some(Content::Int(number)), 1) => Value::from(i64::from(*number as u8 as i8)),
        (Some(Content::Int(number)), 2) => Value::from(i64::from(*number as u16 as i16)),
        (Some(Content::Int(number)), 3) => Value::from(i64::from(*number as i32)),
        (Some(Content::Int(number)), _) => Value::from(i64::from(*number)),
        (Some(Content::Long(number)), 4) => Value::from(*number as i64),
        (Some(Content::Long(at)), 13) => i64::try_from(*at)
            .ok()
            .and_then(chrono::DateTime::from_timestamp_millis)
            .map_or(Value::Missing, |time| text::text(&time.format("%Y-%m-%d %H:%M:%S UTC").to_string())),
        (Some(Content::Long(number)), _) => Value::from(*number),
        (Some(Content::Float(number)), _) => text::single(*number),
        (Some(Content::Double(number)), _) => Value::number(*number),
        (Some(Content::Flag(flag)), _) => Value::Flag(*flag),
        (Some(Content::Text(said)), _) => text::text(said),
        (None, _) => Value::Missing,
    }
}

fn declare(book: &mut Book, dev: Dev, place: &Place<'_>, name: &str, datatype: u32, metric: &Metric) {
    let kind = match datatype {
        11 => MetricType::Flag,
        12..=14 => MetricType::Text,
        _ => MetricType::Number,
    };
    let mut shown = Shown::new(named(name), kind);
    let properties = metric.properties.iter().flat_map(|set| set.keys.iter().zip(&set.values));
    let unit = properties
        .into_iter()
        .find(|(key, _)| matches!(key.to_lowercase().as_str(), "engunit" | "unit" | "units" | "engunits"));
    shown.unit = unit.and_then(|(_, property)| property.text.clone()).unwrap_or_default();
    if is_control(name) {
        shown.kind = MetricType::Enum;
        shown.options = vec!["run".to_owned()];
        (shown.control, shown.write_only, shown.risky) = (Some(Control::Button), true, name != REBIRTH);
    }
    // A plant is not switched by a slip of the hand.
    shown.risky |= !is_control(name);
    book.put_metric(dev, name, super::NO_TOPIC, shown);
    book.command(dev, name, !is_control(name), command(place, name, datatype));
}

fn command(place: &Place<'_>, name: &str, datatype: u32) -> Command {
    let (prefix, group, node, device) =
        (place.prefix.to_owned(), place.group.to_owned(), place.name.to_owned(), place.device.to_owned());
    let name = name.to_owned();
    std::sync::Arc::new(move |_, now, value| {
        let number = value.as_number().map(|number| number.nearest());
        let whole = || number.map(|number| number as i64).ok_or("a number is needed");
        let content = match (datatype, value) {
            _ if is_control(&name) => Content::Flag(true),
            (1..=3 | 5..=7, _) => Content::Int(whole()? as u32),
            (4 | 8 | 13, _) => Content::Long(whole()? as u64),
            (9, _) => Content::Float(number.ok_or("a number is needed")? as f32),
            (10, _) => Content::Double(number.ok_or("a number is needed")?),
            (_, Value::Flag(flag)) => Content::Flag(*flag),
            (_, Value::Text(text)) => Content::Text(text.to_string()),
            _ => Content::Double(number.ok_or("a number is needed")?),
        };
        let place = Place { prefix: &prefix, group: &group, name: &node, device: &device };
        Ok(vec![request(&place, &name, datatype, content, now_of(now.wall_ms))])
    })
}
