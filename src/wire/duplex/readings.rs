//! `readings` and `publish`, the two messages that come by the thousand: decoded straight into [`Readings`], without a
//! tree in between, names shared instead of copied; encoded from borrowed values.
//!
//! One bad value costs that value and not the frame: it is left out and counted in [`LeftOut`].

mod reader;

use std::collections::HashSet;
use std::fmt;

use foldhash::fast::RandomState;
use serde::{Serialize, Serializer};

use super::limits;
use super::message::{self, MAX_DEPTH, MAX_FRAME_BYTES, Malformed};
use crate::model::device::ShortName;
use crate::model::time::WallMs;
use crate::model::{DeviceId, MetricName, Readings, Sample, Value};
use reader::Reader;

/// A `publish` is cut into several frames of about so many bytes.
const PUBLISH_BYTES: usize = 256 * 1024;

/// The names that one connection has seen, so that each is one allocation however often it comes. Once there are too
/// many, all are forgotten.
pub struct Names {
    known: HashSet<ShortName, RandomState>,
    limit: usize,
    bytes: usize,
}

/// Most bytes of names that are remembered.
const NAMES_BYTES: usize = 8 * 1024 * 1024;
/// What a name takes beside its text, in bytes.
const NAME_BYTES: usize = 48;

impl Default for Names {
    fn default() -> Self {
        Names::up_to(100_000)
    }
}

impl Names {
    /// Remembers about so many names.
    pub fn up_to(limit: usize) -> Names {
        Names { known: HashSet::default(), limit, bytes: 0 }
    }

    /// The name, if it keeps the rule.
    fn get(&mut self, text: &str) -> Option<ShortName> {
        if let Some(known) = self.known.get(text) {
            return Some(known.clone());
        }
        let name = ShortName::new(text).ok()?;
        self.known.insert(name.clone());
        self.bytes += text.len() + NAME_BYTES;
        Some(name)
    }

    /// Only between frames: within one, two equal names are one allocation.
    fn make_room(&mut self) {
        if self.known.len() >= self.limit || self.bytes >= NAMES_BYTES {
            (self.known, self.bytes) = (HashSet::default(), 0);
        }
    }
}

/// What a frame held.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Received {
    /// What can be used.
    pub readings: Readings,
    /// What cannot.
    pub left_out: Option<LeftOut>,
}

/// The code of a number that cannot be held.
pub const OUT_OF_RANGE: &str = "out_of_range";
/// At most so many of the metrics that were left out are told by name.
const NAMED: usize = 8;

/// Values that were left out of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// How many values; a device without a usable name counts as its values, at least one.
    pub values: u64,
    /// The device of the first one, as it was told, at most 64 characters.
    pub device: String,
    /// Why the first one: `bad_name`, `bad_value`, `out_of_range`, `too_many`, `too_large`.
    pub code: &'static str,
    /// Which metrics, and why; the first of them.
    pub metrics: Vec<String>,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LeftOut { values, device, code, metrics } = self;
        write!(f, "values left out: {values}, the first of `{device}`: {code}")?;
        if metrics.is_empty() {
            return Ok(());
        }
        write!(f, "; {}", metrics.join(", "))?;
        if *values > metrics.len() as u64 { f.write_str(", …") } else { Ok(()) }
    }
}

/// Decodes a `readings` message; `None` for any other one, which [`super::message::decode`] then reads.
pub fn decode(names: &mut Names, text: &str) -> Option<Result<Received, Malformed>> {
    take(names, text, "readings", None)
}

/// Decodes a `publish` message; `None` for any other one. `now`: the hub's clock, which readings are received by, and
/// what they are of where they do not say it.
pub fn decode_publish(names: &mut Names, text: &str, now: WallMs) -> Option<Result<Received, Malformed>> {
    take(names, text, "publish", Some(now))
}

fn take(
    names: &mut Names,
    text: &str,
    kind: &'static str,
    now: Option<WallMs>,
) -> Option<Result<Received, Malformed>> {
    if !is_of_type(text, kind) {
        return None;
    }
    if text.len() > MAX_FRAME_BYTES {
        return Some(Err(Malformed::TooLarge { bytes: text.len() }));
    }
    names.make_room();
    let mut reader = Reader { names, now, loose: false, kind, skipped: false, received: Received::default() };
    let result = reader.read(text).or_else(|_| {
        // A number that is too large is an error to serde_json, or rounded: this time each value is looked at by itself.
        reader.loose = true;
        reader.read(text)
    });
    // What is read nests no deeper than four levels; only what was skipped may.
    if (reader.skipped || result.is_err()) && message::deeper_than(text, MAX_DEPTH) {
        return Some(Err(Malformed::TooDeep));
    }
    Some(match result {
        Ok(()) => Ok(reader.received),
        Err(error) => Err(Malformed::Shape { detail: error.to_string() }),
    })
}

/// Whether this message is of this type. The head tells, where it begins with the type, as everybody writes it.
fn is_of_type(text: &str, kind: &str) -> bool {
    fn after<'a>(text: &'a str, token: &str) -> Option<&'a str> {
        Some(text.strip_prefix(token)?.trim_start_matches([' ', '\t', '\r', '\n']))
    }
    let head = after(text.trim_start_matches([' ', '\t', '\r', '\n']), "{")
        .and_then(|rest| after(rest, "\"type\""))
        .and_then(|rest| after(rest, ":"))
        .and_then(|rest| rest.strip_prefix('"'));
    if let Some(rest) = head
        && let Some(end) = rest.bytes().position(|byte| matches!(byte, b'"' | b'\\'))
        && rest.as_bytes()[end] == b'"'
    {
        return &rest[..end] == kind;
    }
    text.len() <= MAX_FRAME_BYTES
        && serde_json::from_str::<message::Probe>(text).is_ok_and(|probe| probe.kind == kind)
}

#[derive(Serialize)]
struct SampleOut<'a> {
    device: &'a DeviceId,
    at: WallMs,
    #[serde(skip_serializing_if = "Option::is_none")]
    received: Option<WallMs>,
    #[serde(serialize_with = "as_object")]
    values: &'a [(MetricName, Value)],
}

#[allow(clippy::ptr_arg, clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn as_object<S: Serializer>(values: &&[(MetricName, Value)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(values.iter().map(|(metric, value)| (metric, value)))
}

/// One moment of one device as part of a `readings` message: `{"device":…,"at":…,"received":…,"values":{…}}`.
pub fn encode_sample(
    device: &DeviceId,
    at: WallMs,
    received: WallMs,
    values: &[(MetricName, Value)],
) -> String {
    let sample = SampleOut { device, at, received: Some(received), values };
    // Serialising this cannot fail: all keys are texts.
    serde_json::to_string(&sample).unwrap_or_default()
}

/// A whole `readings` message of encoded samples.
pub fn encode<'a>(samples: impl Iterator<Item = &'a str>, conflated: u64) -> String {
    let mut text = String::from(r#"{"type":"readings","samples":["#);
    for (at, sample) in samples.enumerate() {
        if at > 0 {
            text.push(',');
        }
        text.push_str(sample);
    }
    text.push(']');
    if conflated > 0 {
        text.push_str(&format!(r#","conflated":{conflated}"#));
    }
    text.push('}');
    text
}

/// `publish` messages with these readings, one unless they are many. A sample that fits into no frame is told to
/// `too_large` instead.
pub fn encode_publish(readings: &Readings, mut too_large: impl FnMut(&DeviceId)) -> Vec<String> {
    const HEAD: &str = r#"{"type":"publish","samples":["#;
    let mut frames = Vec::new();
    let (mut text, mut samples) = (String::from(HEAD), 0);
    for (sample, values) in readings.iter() {
        let Sample { device, at, .. } = sample;
        let sample = SampleOut { device, at: *at, received: None, values };
        let sample = serde_json::to_string(&sample).unwrap_or_default();
        if sample.len() + HEAD.len() + 2 > MAX_FRAME_BYTES {
            too_large(device);
            continue;
        }
        if samples > 0 && (text.len() + sample.len() > PUBLISH_BYTES || samples == limits::SAMPLES) {
            text.push_str("]}");
            frames.push(std::mem::replace(&mut text, HEAD.to_owned()));
            samples = 0;
        }
        if samples > 0 {
            text.push(',');
        }
        text.push_str(&sample);
        samples += 1;
    }
    if samples > 0 {
        text.push_str("]}");
        frames.push(text);
    }
    frames
}
