//! Devices: what they are, what they say, and how far it is to be believed. Values alone; [`super::devices`] keeps them.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::id::{InvalidName, MessageId};
use super::number::{self, END_OF_WHOLE, NotHeld, Number, Whole};
use super::principal::Sender;
use super::time::WallMs;

/// A command that was not carried out within so long is not carried out any more, in milliseconds.
pub const COMMAND_MS: u64 = 30_000;
/// Expected intervals without a word after which a device counts as silent.
pub const SILENT_AFTER: u64 = 3;
/// Until a device's rhythm is known, a word is expected this often, in milliseconds.
pub const UNKNOWN_RHYTHM_MS: u64 = 20_000;
/// A hub that was just started does not know yet who is there: devices have so long to come back, in milliseconds.
pub const RETURN_MS: u64 = 30_000;
/// A source's clock that differs from the hub's by no more than this counts as right, in milliseconds.
pub const CLOCK_TOLERANCE_MS: i64 = 5_000;
/// A reading that is older is taken for one whose clock was never set, in milliseconds.
const YEAR_MS: i64 = 366 * 86_400_000;
/// Longest id of a device and longest name of a metric, in characters.
pub const NAME_CHARS: usize = 64;
/// Most metrics of one device; more are not taken.
pub const METRICS: usize = 256;

/// A name of 1 to 64 characters, no control characters, no white space at either end. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShortName(Arc<str>);

/// A device's id, unique within its hub.
pub type DeviceId = ShortName;
/// A metric's (or a writable property's) name, unique within its device.
pub type MetricName = ShortName;

impl ShortName {
    /// Takes a name that keeps the rule.
    ///
    /// # Errors
    /// Says the rule.
    pub fn new(text: impl AsRef<str>) -> Result<Self, InvalidName> {
        let text = text.as_ref();
        let count = text.chars().take(NAME_CHARS + 1).count();
        if count == 0 || count > NAME_CHARS || text.trim() != text || text.chars().any(char::is_control) {
            return Err(InvalidName(
                "a device's or metric's name has 1 to 64 characters, no control characters",
            ));
        }
        Ok(ShortName(text.into()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether both are one allocation, and so certainly the same name. `false` says nothing.
    pub fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Borrow<str> for ShortName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ShortName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ShortName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl Serialize for ShortName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ShortName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        ShortName::new(text).map_err(de::Error::custom)
    }
}

/// What a reading says. In JSON: a number, `true` or `false`, a text, or `null` where there is no value at the moment (a
/// sensor that failed; NaN and infinities, which JSON does not have, become this too). Each number has one form here, so
/// that equal values are equal: what an `f64` holds is a [`Value::Number`].
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// There is no value at the moment.
    #[default]
    Missing,
    /// A finite number.
    Number(f64),
    /// A whole number of `i64` or `u64` that no `f64` holds.
    Whole(Whole),
    /// Yes or no.
    Flag(bool),
    /// A text, or one of an enumeration's options.
    Text(Arc<str>),
}

impl Value {
    /// A number; [`Value::Missing`] for NaN and infinities.
    pub fn number(number: f64) -> Value {
        if number.is_finite() { Value::Number(number) } else { Value::Missing }
    }

    /// A whole number; none beyond those of `i64` and `u64`.
    pub fn whole(number: i128) -> Option<Value> {
        number::split(number).map(|(nearest, off)| Number::new(nearest, off).into())
    }

    /// A number as JSON and people write it: digits alone are a whole number, and exact.
    ///
    /// # Errors
    /// When it is no number, or one that cannot be held.
    pub fn parse_number(text: &str) -> Result<Value, NotHeld> {
        number::parse(text).map(Value::from)
    }

    /// It as a number, if it is one.
    pub fn as_number(&self) -> Option<Number> {
        match self {
            Value::Number(number) => Some(Number::from(*number)),
            Value::Whole(whole) => Some(Number::new(whole.nearest(), whole.off())),
            Value::Missing | Value::Flag(_) | Value::Text(_) => None,
        }
    }

    /// What is charted: a number as it is, or the `f64` next to it; a flag as 0 or 1.
    pub fn as_chart(&self) -> Option<f64> {
        match self {
            Value::Number(number) => Some(*number),
            Value::Whole(whole) => Some(whole.nearest()),
            Value::Flag(flag) => Some(f64::from(u8::from(*flag))),
            Value::Missing | Value::Text(_) => None,
        }
    }
}

impl From<Number> for Value {
    fn from(number: Number) -> Value {
        match Whole::join(number.nearest(), number.off()) {
            Some(whole) => Value::Whole(whole),
            None => Value::number(number.nearest()),
        }
    }
}

impl From<i64> for Value {
    fn from(whole: i64) -> Value {
        if number::is_small(whole) {
            return Value::Number(whole as f64);
        }
        Value::whole(whole.into()).unwrap_or_default()
    }
}

impl From<u64> for Value {
    fn from(whole: u64) -> Value {
        match i64::try_from(whole) {
            Ok(whole) => Value::from(whole),
            Err(_) => Value::whole(whole.into()).unwrap_or_default(),
        }
    }
}

/// A whole number as digits alone, like that of any other program; -0 as it is.
fn serialize_number<S: Serializer>(number: f64, serializer: S) -> Result<S::Ok, S::Error> {
    let is_minus_zero = number == 0.0 && number.is_sign_negative();
    match number.fract() == 0.0 && !is_minus_zero {
        true if (i64::MIN as f64..-(i64::MIN as f64)).contains(&number) => {
            serializer.serialize_i64(number as i64)
        }
        true if (0.0..END_OF_WHOLE).contains(&number) => serializer.serialize_u64(number as u64),
        _ => serializer.serialize_f64(number),
    }
}

fn serialize_whole<S: Serializer>(whole: Whole, serializer: S) -> Result<S::Ok, S::Error> {
    match i64::try_from(whole.get()) {
        Ok(whole) => serializer.serialize_i64(whole),
        // It is one of u64, or it would be none.
        Err(_) => serializer.serialize_u64(u64::try_from(whole.get()).unwrap_or(u64::MAX)),
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match Whole::join(self.nearest(), self.off()) {
            Some(whole) => serialize_whole(whole, serializer),
            None => serializer.serialize_f64(self.nearest()),
        }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberVisitor;
        impl Visitor<'_> for NumberVisitor {
            type Value = Number;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number")
            }
            fn visit_i64<E>(self, number: i64) -> Result<Number, E> {
                Ok(Value::from(number).as_number().unwrap_or_else(|| Number::from(number as f64)))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Number, E> {
                Ok(Value::from(number).as_number().unwrap_or_else(|| Number::from(number as f64)))
            }
            fn visit_f64<E>(self, number: f64) -> Result<Number, E> {
                Ok(Number::from(number))
            }
        }
        deserializer.deserialize_any(NumberVisitor)
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Missing => serializer.serialize_unit(),
            Value::Number(number) => serialize_number(*number, serializer),
            Value::Whole(whole) => serialize_whole(*whole, serializer),
            Value::Flag(flag) => serializer.serialize_bool(*flag),
            Value::Text(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ValueVisitor;
        impl Visitor<'_> for ValueVisitor {
            type Value = Value;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, a text, true, false or null")
            }
            fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
                Ok(Value::Flag(flag))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
                Ok(Value::from(number))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
                Ok(Value::from(number))
            }
            fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
                Ok(Value::number(number))
            }
            fn visit_str<E>(self, text: &str) -> Result<Value, E> {
                Ok(Value::Text(text.into()))
            }
            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value::Missing)
            }
        }
        deserializer.deserialize_any(ValueVisitor)
    }
}

/// What kind of value a metric has.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetricType {
    /// A number with a unit.
    #[default]
    Number,
    /// Free text.
    Text,
    /// Yes or no.
    Flag,
    /// One of [`Metric::options`].
    Enum,
}

/// One thing that a device measures or lets be set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// Its name, unique within the device.
    pub name: MetricName,
    /// What kind of value it has.
    #[serde(rename = "type", default)]
    pub kind: MetricType,
    /// Its unit, as people write it: `°C`, `%`, `B/s`. Empty: none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// The lowest value it can have, or be set to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Number>,
    /// The highest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Number>,
    /// Digits after the point that mean something; none: as many as the value has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<u8>,
    /// What an enumeration can be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// Whether it can be set by a command.
    #[serde(default, skip_serializing_if = "is_false")]
    pub writable: bool,
    /// Whether a person is asked once more before it is set.
    #[serde(default, skip_serializing_if = "is_false")]
    pub risky: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

impl Metric {
    /// A metric of which only this is known.
    pub fn new(name: MetricName, kind: MetricType) -> Metric {
        Metric {
            name,
            kind,
            unit: String::new(),
            min: None,
            max: None,
            precision: None,
            options: Vec::new(),
            writable: false,
            risky: false,
        }
    }

    /// A metric that was never announced, known by its first value.
    pub fn of_value(name: MetricName, value: &Value) -> Metric {
        let kind = match value {
            Value::Flag(_) => MetricType::Flag,
            Value::Text(_) => MetricType::Text,
            Value::Number(_) | Value::Whole(_) | Value::Missing => MetricType::Number,
        };
        Metric::new(name, kind)
    }

    /// Whether this number is within the limits.
    fn takes(&self, number: Number) -> bool {
        self.min.is_none_or(|low| number.compare(low).is_ge())
            && self.max.is_none_or(|high| number.compare(high).is_le())
    }

    /// Which numbers may be set, in English.
    pub fn limits(&self) -> String {
        match (self.min, self.max) {
            (None, None) => "a number".to_owned(),
            (Some(low), None) => format!("a number of at least {low}"),
            (None, Some(high)) => format!("a number of at most {high}"),
            (Some(low), Some(high)) => format!("a number from {low} to {high}"),
        }
    }

    /// Whether this value may be set.
    ///
    /// # Errors
    /// Says in English what would do.
    pub fn check(&self, value: &Value) -> Result<(), String> {
        match (self.kind, value) {
            (MetricType::Number, Value::Number(_) | Value::Whole(_)) => {
                let is_within = value.as_number().is_some_and(|number| self.takes(number));
                if is_within { Ok(()) } else { Err(self.limits()) }
            }
            (MetricType::Flag, Value::Flag(_)) | (MetricType::Text, Value::Text(_)) => Ok(()),
            (MetricType::Enum, Value::Text(text)) if self.options.iter().any(|o| **o == **text) => Ok(()),
            (MetricType::Number, _) => Err(self.limits()),
            (MetricType::Flag, _) => Err("true or false".to_owned()),
            (MetricType::Text, _) => Err("a text".to_owned()),
            (MetricType::Enum, _) => Err(format!("one of {}", self.options.join(", "))),
        }
    }
}

/// What a device says about itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spec {
    /// Its id.
    #[serde(rename = "device")]
    pub id: DeviceId,
    /// Its name for people; the id where it is empty.
    #[serde(default)]
    pub name: String,
    /// What kind of thing it is, for grouping: `computer`, `pump`. May be empty.
    #[serde(default)]
    pub kind: String,
    /// What it measures and lets be set.
    #[serde(default)]
    pub metrics: Vec<Metric>,
    /// What else there is to know about it: model, firmware, place.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    /// How often it will say something, in seconds; none: the hub goes by its rhythm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect_every_s: Option<f64>,
    /// Its last will: why it is offline, if its connection ends without a goodbye.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub will: String,
}

impl Spec {
    /// A device of which only the id is known.
    pub fn unannounced(id: DeviceId) -> Spec {
        Spec {
            id,
            name: String::new(),
            kind: String::new(),
            metrics: Vec::new(),
            attributes: BTreeMap::new(),
            expect_every_s: None,
            will: String::new(),
        }
    }

    /// The name to show.
    pub fn title(&self) -> &str {
        if self.name.is_empty() { self.id.as_str() } else { &self.name }
    }

    /// A metric by name.
    pub fn metric(&self, name: &str) -> Option<&Metric> {
        self.metrics.iter().find(|metric| metric.name.as_str() == name)
    }

    /// The announced interval in milliseconds: at least 100 ms, at most a day.
    pub fn every_ms(&self) -> Option<u64> {
        let seconds = self.expect_every_s.filter(|seconds| seconds.is_finite() && *seconds > 0.0)?;
        Some((seconds.clamp(0.1, 86_400.0) * 1000.0) as u64)
    }
}

/// A device as a hub knows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeviceState {
    /// What it said about itself; metrics that it never announced are added as they come.
    #[serde(flatten)]
    pub spec: Spec,
    /// Changes whenever the device announces itself anew: a command meant for an earlier one is not delivered.
    pub incarnation: u64,
    /// `false`: it, or its will, said that it is gone.
    pub online: bool,
    /// Since when that is so, by the hub's clock.
    pub since: WallMs,
    /// Why it is offline, in its own words. May be empty.
    #[serde(default)]
    pub reason: String,
    /// When it last said anything, by the hub's clock.
    #[serde(default)]
    pub heard: Option<WallMs>,
    /// Its interval as announced, or as the hub learned it, in milliseconds.
    #[serde(default)]
    pub every_ms: Option<u64>,
    /// The last value of each metric.
    #[serde(default)]
    pub values: Vec<LastValue>,
}

/// The last value of a metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LastValue {
    /// Which.
    pub metric: MetricName,
    /// What.
    pub value: Value,
    /// When, by the device's clock.
    pub at: WallMs,
    /// When, by the hub's.
    pub received: WallMs,
}

/// One device's values of one moment: the next `count` of [`Readings::values`].
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Whose.
    pub device: DeviceId,
    /// When, by the device's clock; by the hub's where it said nothing.
    pub at: WallMs,
    /// When, by the hub's clock. 0 on the way to the hub.
    pub received: WallMs,
    /// How many values.
    pub count: u32,
}

/// Readings of any devices, in the order in which the hub received them. Flat: thousands a second are two allocations.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Readings {
    /// The moments.
    pub samples: Vec<Sample>,
    /// The values of all moments, one after the other.
    pub values: Vec<(MetricName, Value)>,
    /// How many other readings were left out before these, because this client could not keep up.
    pub conflated: u64,
}

impl Readings {
    /// One moment of one device.
    pub fn of(device: DeviceId, at: WallMs, received: WallMs, values: Vec<(MetricName, Value)>) -> Readings {
        let count = u32::try_from(values.len()).unwrap_or(u32::MAX);
        Readings { samples: vec![Sample { device, at, received, count }], values, conflated: 0 }
    }

    /// Each moment with its values.
    pub fn iter(&self) -> impl Iterator<Item = (&Sample, &[(MetricName, Value)])> {
        let mut rest = self.values.as_slice();
        self.samples.iter().map(move |sample| {
            let (own, others) = rest.split_at((sample.count as usize).min(rest.len()));
            rest = others;
            (sample, own)
        })
    }
}

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum CommandState {
    /// On its way; the device has not answered.
    Pending,
    /// The device did it.
    Done,
    /// The device could not.
    Failed {
        /// Why, in the device's words.
        #[serde(default)]
        detail: String,
    },
    /// The device did not answer within [`COMMAND_MS`].
    Expired,
    /// The hub did not pass it on.
    Refused {
        /// Why.
        why: CommandRefusal,
        /// What would do, in the hub's words; may be empty.
        #[serde(default)]
        detail: String,
    },
    /// Our link went down before the answer came: nobody here knows.
    #[serde(skip)]
    Unknown,
}

/// Why a hub does not pass a command on.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandRefusal {
    /// There is no such device.
    UnknownDevice,
    /// The device has no such property, or it cannot be set.
    NotWritable,
    /// Not a value that this property takes.
    BadValue,
    /// The device is not what it was when the command was given.
    Changed,
    /// This principal may not.
    NotAllowed,
    /// Another reason.
    #[serde(other)]
    Other,
}

/// A command and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Command {
    /// Its id, made by who asked.
    pub id: MessageId,
    /// For which device.
    pub device: DeviceId,
    /// Which property.
    pub property: MetricName,
    /// The wanted value.
    pub value: Value,
    /// Who asked.
    pub by: Sender,
    /// When it was asked, by the hub's clock.
    pub at: WallMs,
    /// What became of it.
    #[serde(flatten)]
    pub state: CommandState,
}

/// Something about a device that is kept for people: newest last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogLine {
    /// When, by the hub's clock.
    pub at: WallMs,
    /// What.
    #[serde(flatten)]
    pub what: Happened,
}

/// What happened to a device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "what")]
pub enum Happened {
    /// It came.
    Online,
    /// It went.
    Offline {
        /// Why, in its own words. May be empty.
        #[serde(default)]
        reason: String,
    },
    /// It said nothing for three of its intervals.
    Silent,
    /// A command ended.
    Command {
        /// Which.
        command: Command,
    },
}

/// Whether a device is there.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// It speaks.
    Online,
    /// It said nothing for three of its expected intervals, and the link is alive.
    Silent,
    /// It, or its will, said that it is gone.
    Offline,
    /// Our link is down, or a hub that was just started has not heard of it yet.
    Unknown,
}

/// How far a reading is to be believed.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Freshness {
    /// It came as it was said.
    Live,
    /// It was said before we were there, and holds until the next one.
    Replayed,
    /// Its device is silent or offline.
    Stale,
    /// Our link is down.
    Unknown,
}

/// Where a reading stands in time, by the hub's clock. `behind`: how far its source's clock is behind the hub's, as the
/// newest of its last words told ([`super::clock_lag`]). With a right clock it stands where its source says, however long
/// it was on its way: a backlog keeps its past. With a wrong one it is moved by as much. Nothing stands in the future, or
/// more than a year back.
pub fn place(at: WallMs, received: WallMs, behind: i64) -> WallMs {
    let is_right = behind.saturating_abs() <= CLOCK_TOLERANCE_MS;
    let at = if is_right { at } else { at.saturating_add(behind) };
    let late = received.saturating_sub(at);
    if (-CLOCK_TOLERANCE_MS..=YEAR_MS).contains(&late) { at } else { received }
}

/// How often something comes, learned from when it came.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rhythm {
    last: Option<WallMs>,
    gaps: [u32; 4],
    next: usize,
}

impl Rhythm {
    /// The clock that says when was put back: what it says next is the first of all.
    pub fn restart(&mut self) {
        self.last = None;
    }

    /// It came at this time.
    pub fn heard(&mut self, at: WallMs) {
        if let Some(last) = self.last
            && at > last
        {
            self.gaps[self.next] = u32::try_from(at.saturating_sub(last)).unwrap_or(u32::MAX);
            self.next = (self.next + 1) % self.gaps.len();
        }
        self.last = Some(self.last.map_or(at, |last| last.max(at)));
    }

    /// The longest of the last intervals, at least 1 s, in milliseconds; none before the second time.
    pub fn every_ms(&self) -> Option<u64> {
        let longest = self.gaps.iter().copied().max().filter(|gap| *gap > 0)?;
        Some(u64::from(longest.max(1_000)))
    }
}
