//! `readings` and `publish`, the two messages that come by the thousand: decoded straight into [`Readings`], without a
//! tree in between, names shared instead of copied; encoded from borrowed values.
//!
//! One bad value costs that value and not the frame: it is left out and counted in [`LeftOut`].

use std::collections::HashSet;
use std::fmt;

use foldhash::fast::RandomState;
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use super::limits;
use super::message::{self, MAX_DEPTH, MAX_FRAME_BYTES, Malformed};
use crate::model::device::{METRICS, ShortName};
use crate::model::time::WallMs;
use crate::model::{DeviceId, MetricName, Readings, Sample, Value};

/// A `publish` is cut into several frames of about so many bytes.
const PUBLISH_BYTES: usize = 256 * 1024;

/// The names that one connection has seen, so that each is one allocation however often it comes. Once there are too
/// many, all are forgotten.
pub struct Names {
    known: HashSet<ShortName, RandomState>,
    limit: usize,
}

impl Default for Names {
    fn default() -> Self {
        Names::up_to(100_000)
    }
}

impl Names {
    /// Remembers about so many names.
    pub fn up_to(limit: usize) -> Names {
        Names { known: HashSet::default(), limit }
    }

    /// The name, if it keeps the rule.
    fn get(&mut self, text: &str) -> Option<ShortName> {
        if let Some(known) = self.known.get(text) {
            return Some(known.clone());
        }
        let name = ShortName::new(text).ok()?;
        self.known.insert(name.clone());
        Some(name)
    }

    /// Only between frames: within one, two equal names are one allocation.
    fn make_room(&mut self) {
        if self.known.len() >= self.limit {
            self.known = HashSet::default();
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

/// Values that were left out of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// How many values; a device without a usable name counts as its values, at least one.
    pub values: u64,
    /// The device of the first one, as it was told, at most 64 characters.
    pub device: String,
    /// Why the first one: `bad_name`, `bad_value`, `too_many`, `too_large`.
    pub code: &'static str,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LeftOut { values, device, code } = self;
        write!(f, "left out {values} values, the first of `{device}`: {code}")
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
        // A number beyond all numbers is an error to serde_json: this time each value is looked at by itself.
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

/// Reads one frame.
struct Reader<'n> {
    names: &'n mut Names,
    /// The hub's clock, where it is the hub that reads.
    now: Option<WallMs>,
    /// Whether values are looked at one by one.
    loose: bool,
    kind: &'static str,
    /// Whether anything was skipped whose depth nobody looked at.
    skipped: bool,
    received: Received,
}

impl Reader<'_> {
    fn read(&mut self, text: &str) -> Result<(), serde_json::Error> {
        (self.received, self.skipped) = (Received::default(), false);
        let mut json = serde_json::Deserializer::from_str(text);
        Message(self).deserialize(&mut json)?;
        json.end()
    }

    fn leave_out(&mut self, device: &str, code: &'static str, values: u64) {
        let device = || limits::cut_name(device);
        let left_out =
            self.received.left_out.get_or_insert_with(|| LeftOut { values: 0, device: device(), code });
        left_out.values += values;
    }
}

/// Reads a part of a frame into the [`Reader`]; so do the next three.
struct Message<'r, 'n>(&'r mut Reader<'n>);
struct Samples<'r, 'n>(&'r mut Reader<'n>);
struct OneSample<'r, 'n>(&'r mut Reader<'n>);
/// The values of one sample, from this place on. Tells the first fault and how many there were.
struct Values<'r, 'n> {
    reader: &'r mut Reader<'n>,
    begin: usize,
}
/// A device's name, or what was told instead.
struct Name<'r>(&'r mut Names);

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum MessageField {
    Type,
    Samples,
    Conflated,
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum SampleField {
    Device,
    At,
    Received,
    Values,
    #[serde(other)]
    Other,
}

impl<'de> DeserializeSeed<'de> for Message<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Message<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a message of type `{}`", self.0.kind)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Message(reader) = self;
        let (mut has_samples, mut has_type) = (false, false);
        while let Some(field) = map.next_key()? {
            match field {
                MessageField::Type if has_type => return Err(de::Error::duplicate_field("type")),
                MessageField::Type => {
                    map.next_value::<IgnoredAny>()?;
                    has_type = true;
                }
                MessageField::Samples => {
                    let conflated = reader.received.readings.conflated;
                    reader.received =
                        Received { readings: Readings { conflated, ..Readings::default() }, left_out: None };
                    map.next_value_seed(Samples(&mut *reader))?;
                    has_samples = true;
                }
                MessageField::Conflated if reader.now.is_none() => {
                    reader.received.readings.conflated = map.next_value()?;
                }
                MessageField::Conflated | MessageField::Other => {
                    map.next_value::<IgnoredAny>()?;
                    reader.skipped = true;
                }
            }
        }
        if has_samples { Ok(()) } else { Err(de::Error::missing_field("samples")) }
    }
}

impl<'de> DeserializeSeed<'de> for Samples<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Samples<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of samples")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(OneSample(&mut *self.0))?.is_some() {}
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for OneSample<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for OneSample<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sample")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let OneSample(reader) = self;
        let begin = reader.received.readings.values.len();
        let (mut device, mut at, mut received) = (None, None, reader.now);
        let mut faults = None;
        while let Some(field) = map.next_key()? {
            match field {
                SampleField::Device => device = Some(map.next_value_seed(Name(&mut *reader.names))?),
                SampleField::At if reader.now.is_some() => at = map.next_value::<Option<WallMs>>()?,
                SampleField::At => at = Some(map.next_value()?),
                SampleField::Received if reader.now.is_none() => received = Some(map.next_value()?),
                SampleField::Values => {
                    reader.received.readings.values.truncate(begin);
                    faults = Some(map.next_value_seed(Values { reader: &mut *reader, begin })?);
                }
                SampleField::Received | SampleField::Other => {
                    map.next_value::<IgnoredAny>()?;
                    reader.skipped = true;
                }
            }
        }
        let device = device.ok_or_else(|| de::Error::missing_field("device"))?;
        let faults = faults.ok_or_else(|| de::Error::missing_field("values"))?;
        let at = at.or(reader.now).ok_or_else(|| de::Error::missing_field("at"))?;
        let received = received.ok_or_else(|| de::Error::missing_field("received"))?;
        reader.sample(device, limits::time(at), limits::time(received), begin, faults);
        Ok(())
    }
}

impl Reader<'_> {
    /// Takes a sample in whose values begin here.
    fn sample(
        &mut self,
        device: Result<DeviceId, String>,
        at: WallMs,
        received: WallMs,
        begin: usize,
        faults: Faults,
    ) {
        let readings = &mut self.received.readings;
        let count = readings.values.len() - begin;
        let all = (count as u64 + faults.values).max(1);
        match device {
            Err(told) => {
                readings.values.truncate(begin);
                self.leave_out(&told, "bad_name", all);
            }
            Ok(device) if self.now.is_some() && readings.samples.len() >= limits::SAMPLES => {
                readings.values.truncate(begin);
                self.leave_out(device.as_str(), "too_many", all);
            }
            Ok(device) => {
                let count = u32::try_from(count).unwrap_or(u32::MAX);
                readings.samples.push(Sample { device: device.clone(), at, received, count });
                if let Some(code) = faults.first {
                    self.leave_out(device.as_str(), code, faults.values);
                }
            }
        }
    }
}

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Result<ShortName, String>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Result<ShortName, String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        let name = limits::is_of_a_hub(text).then(|| self.0.get(text)).flatten();
        Ok(name.ok_or_else(|| limits::cut_name(text)))
    }
}

/// A metric's name; none where it breaks the rule.
struct Metric<'r>(&'r mut Names);

impl<'de> DeserializeSeed<'de> for Metric<'_> {
    type Value = Option<MetricName>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Metric<'_> {
    type Value = Option<MetricName>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(self.0.get(text))
    }
}

/// What was wrong with the values of one sample.
#[derive(Default)]
struct Faults {
    first: Option<&'static str>,
    values: u64,
}

impl Faults {
    fn add(&mut self, code: &'static str) {
        self.first.get_or_insert(code);
        self.values += 1;
    }
}

impl<'de> DeserializeSeed<'de> for Values<'_, '_> {
    type Value = Faults;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Faults, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Values<'_, '_> {
    type Value = Faults;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of values by metric")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Faults, A::Error> {
        let Values { reader, begin } = self;
        let mut faults = Faults::default();
        while let Some(metric) = map.next_key_seed(Metric(&mut *reader.names))? {
            let value = if reader.loose {
                by_itself(map.next_value::<&RawValue>()?)
            } else {
                map.next_value::<MaybeValue>()?
            };
            let value = match value {
                MaybeValue::Nested => {
                    reader.skipped = true;
                    faults.add("bad_value");
                    continue;
                }
                MaybeValue::Value(Value::Text(text))
                    if reader.now.is_some() && text.len() > limits::TEXT_BYTES =>
                {
                    faults.add("too_large");
                    continue;
                }
                MaybeValue::Value(value) => value,
            };
            let Some(metric) = metric else {
                faults.add("bad_name");
                continue;
            };
            let own = &mut reader.received.readings.values;
            // Equal names of one frame are the same allocation.
            let same = |known: &(MetricName, Value)| std::ptr::eq(known.0.as_str(), metric.as_str());
            match own[begin..].iter().position(same) {
                Some(at) => own[begin + at].1 = value,
                None if own.len() - begin >= METRICS => faults.add("too_many"),
                None => own.push((metric, value)),
            }
        }
        Ok(faults)
    }
}

/// A value, or an object or a list where one should be.
enum MaybeValue {
    Value(Value),
    Nested,
}

impl<'de> Deserialize<'de> for MaybeValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MaybeVisitor;
        impl<'de> Visitor<'de> for MaybeVisitor {
            type Value = MaybeValue;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }
            fn visit_bool<E>(self, flag: bool) -> Result<MaybeValue, E> {
                Ok(MaybeValue::Value(Value::Flag(flag)))
            }
            fn visit_i64<E>(self, number: i64) -> Result<MaybeValue, E> {
                Ok(MaybeValue::Value(Value::Number(number as f64)))
            }
            fn visit_u64<E>(self, number: u64) -> Result<MaybeValue, E> {
                Ok(MaybeValue::Value(Value::Number(number as f64)))
            }
            fn visit_f64<E>(self, number: f64) -> Result<MaybeValue, E> {
                Ok(MaybeValue::Value(Value::number(number)))
            }
            fn visit_str<E>(self, text: &str) -> Result<MaybeValue, E> {
                Ok(MaybeValue::Value(Value::Text(text.into())))
            }
            fn visit_unit<E>(self) -> Result<MaybeValue, E> {
                Ok(MaybeValue::Value(Value::Missing))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<MaybeValue, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(MaybeValue::Nested)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<MaybeValue, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(MaybeValue::Nested)
            }
        }
        deserializer.deserialize_any(MaybeVisitor)
    }
}

/// One value, whatever number it is: beyond all numbers is no value.
fn by_itself(raw: &RawValue) -> MaybeValue {
    match raw.get().as_bytes().first() {
        Some(b'{' | b'[') => MaybeValue::Nested,
        Some(b'-' | b'0'..=b'9') => {
            MaybeValue::Value(raw.get().parse().map_or(Value::Missing, Value::number))
        }
        _ => serde_json::from_str(raw.get()).unwrap_or(MaybeValue::Nested),
    }
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
