//! How one frame of readings is read: `serde`'s visitors, one for each level, which fill the [`Reader`].

use std::fmt;

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::super::limits;
use super::{LeftOut, NAMED, Names, OUT_OF_RANGE, Received};
use crate::model::device::{METRICS, ShortName};
use crate::model::number::NotHeld;
use crate::model::time::WallMs;
use crate::model::{DeviceId, MetricName, Readings, Sample, Value};

/// Reads one frame.
pub(super) struct Reader<'n> {
    pub(super) names: &'n mut Names,
    /// The hub's clock, where it is the hub that reads.
    pub(super) now: Option<WallMs>,
    /// Whether values are looked at one by one.
    pub(super) loose: bool,
    pub(super) kind: &'static str,
    /// Whether anything was skipped whose depth nobody looked at.
    pub(super) skipped: bool,
    pub(super) received: Received,
}

impl Reader<'_> {
    /// Reads it; what was read before is forgotten.
    pub(super) fn read(&mut self, text: &str) -> Result<(), serde_json::Error> {
        (self.received, self.skipped) = (Received::default(), false);
        let mut json = serde_json::Deserializer::from_str(text);
        Message(self).deserialize(&mut json)?;
        json.end()
    }

    fn leave_out(&mut self, device: &str, code: &'static str, values: u64, metrics: Vec<String>) {
        let device = || limits::cut_name(device);
        let left_out = self.received.left_out.get_or_insert_with(|| LeftOut {
            values: 0,
            device: device(),
            code,
            metrics: Vec::new(),
        });
        left_out.values += values;
        let room = NAMED.saturating_sub(left_out.metrics.len());
        left_out.metrics.extend(metrics.into_iter().take(room));
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
                self.leave_out(&told, "bad_name", all, Vec::new());
            }
            Ok(device) if self.now.is_some() && readings.samples.len() >= limits::SAMPLES => {
                readings.values.truncate(begin);
                self.leave_out(device.as_str(), "too_many", all, Vec::new());
            }
            Ok(device) => {
                let count = u32::try_from(count).unwrap_or(u32::MAX);
                readings.samples.push(Sample { device: device.clone(), at, received, count });
                if let Some(code) = faults.first {
                    self.leave_out(device.as_str(), code, faults.values, faults.metrics);
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
    /// The first of the metrics.
    metrics: Vec<String>,
}

impl Faults {
    fn add(&mut self, metric: Option<&MetricName>, code: &'static str) {
        self.first.get_or_insert(code);
        self.values += 1;
        if let Some(metric) = metric.filter(|_| self.metrics.len() < NAMED) {
            self.metrics.push(format!("`{metric}` ({code})"));
        }
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
                    faults.add(metric.as_ref(), "bad_value");
                    continue;
                }
                MaybeValue::OutOfRange => {
                    faults.add(metric.as_ref(), OUT_OF_RANGE);
                    continue;
                }
                MaybeValue::Value(Value::Text(text))
                    if reader.now.is_some() && text.len() > limits::TEXT_BYTES =>
                {
                    faults.add(metric.as_ref(), "too_large");
                    continue;
                }
                MaybeValue::Value(value) => value,
            };
            let Some(metric) = metric else {
                faults.add(None, "bad_name");
                continue;
            };
            let own = &mut reader.received.readings.values;
            // Equal names of one frame are the same allocation.
            let same = |known: &(MetricName, Value)| std::ptr::eq(known.0.as_str(), metric.as_str());
            match own[begin..].iter().position(same) {
                Some(at) => own[begin + at].1 = value,
                None if own.len() - begin >= METRICS => faults.add(Some(&metric), "too_many"),
                None => own.push((metric, value)),
            }
        }
        Ok(faults)
    }
}

/// A value, or what is none.
enum MaybeValue {
    Value(Value),
    /// An object or a list.
    Nested,
    /// A number that cannot be held.
    OutOfRange,
}

/// From 2⁶³ on, on both sides of 0, a whole number that is too large arrives as the `f64` next to it.
const DOUBTFUL: f64 = 9_223_372_036_854_775_808.0;

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
                Ok(MaybeValue::Value(Value::from(number)))
            }
            fn visit_u64<E>(self, number: u64) -> Result<MaybeValue, E> {
                Ok(MaybeValue::Value(Value::from(number)))
            }
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<MaybeValue, E> {
                // Only its digits tell whether it was rounded: the frame is read again, value by value.
                if number.abs() >= DOUBTFUL {
                    return Err(E::custom("a number to be looked at by itself"));
                }
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

/// One value, whatever number it is.
fn by_itself(raw: &RawValue) -> MaybeValue {
    match raw.get().as_bytes().first() {
        Some(b'{' | b'[') => MaybeValue::Nested,
        Some(b'-' | b'0'..=b'9') => match Value::parse_number(raw.get()) {
            Ok(number) => MaybeValue::Value(number),
            Err(NotHeld::OutOfRange) => MaybeValue::OutOfRange,
            Err(NotHeld::NoNumber) => MaybeValue::Nested,
        },
        _ => serde_json::from_str(raw.get()).unwrap_or(MaybeValue::Nested),
    }
}
