//! Devices: announcements, values, commands and their freshness. Value types only; [`super::devices`] stores
//! them.

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

/// Lifetime of a command, in milliseconds; a device must not carry it out later.
pub const COMMAND_MS: u64 = 30_000;
/// A device counts as silent after this many expected intervals without data.
pub const SILENT_AFTER: u64 = 3;
/// Expected interval of a device whose own interval is not known yet, in milliseconds.
pub const UNKNOWN_RHYTHM_MS: u64 = 20_000;
/// Time that devices have to reconnect after a start of the hub before they count as silent, in milliseconds.
pub const RETURN_MS: u64 = 30_000;
/// Maximum difference between a source's clock and the hub's that is ignored, in milliseconds.
pub const CLOCK_TOLERANCE_MS: i64 = 5_000;
/// Readings older than this are attributed to a clock that was never set, in milliseconds.
const MAX_AGE_MS: i64 = 366 * 86_400_000;
/// What stands in place of the reason of a device that is there and sleeps between its readings.
pub const ASLEEP: &str = "asleep";
/// The time of a value of which nobody knows when it was measured.
pub const UNKNOWN_TIME: WallMs = WallMs(1);
/// Maximum length of a device's id and of a metric's name, in characters.
pub const NAME_CHARS: usize = 64;
/// Maximum number of metrics of a device; more are ignored.
pub const METRICS: usize = 256;

/// A name of 1 to 64 characters, without control characters or leading or trailing white space. Cheap to
/// clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShortName(Arc<str>);

/// A device's id, unique within its hub.
pub type DeviceId = ShortName;
/// Name of a metric or writable property, unique within its device.
pub type MetricName = ShortName;

impl ShortName {
    /// Validates a name.
    ///
    /// # Errors
    /// Describes the rule if the name breaks it.
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

    /// Whether both share an allocation and are therefore equal. `false` does not mean that they differ.
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

/// The value of a reading. In JSON: a number, `true` or `false`, a string, or `null` if there is no value at
/// the moment (a failed sensor; NaN and infinities, which JSON lacks, become this too). Each number has one
/// representation, so that equal values compare equal: what an `f64` represents exactly is a
/// [`Value::Number`].
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// There is no value at the moment.
    #[default]
    Missing,
    /// A finite number.
    Number(f64),
    /// An integer of `i64` or `u64` that no `f64` represents exactly.
    Whole(Whole),
    /// A Boolean.
    Flag(bool),
    /// A text, or an option of an enumeration.
    Text(Arc<str>),
}

impl Value {
    /// A number; [`Value::Missing`] for NaN and infinities.
    pub fn number(number: f64) -> Value {
        if number.is_finite() { Value::Number(number) } else { Value::Missing }
    }

    /// An integer; `None` if it fits neither `i64` nor `u64`.
    pub fn whole(number: i128) -> Option<Value> {
        number::split(number).map(|(nearest, off)| Number::new(nearest, off).into())
    }

    /// Parses a number. Digits without a point or exponent are an exact integer.
    ///
    /// # Errors
    /// If the text is not a number, or one that is out of range.
    pub fn parse_number(text: &str) -> Result<Value, NotHeld> {
        number::parse(text).map(Value::from)
    }

    /// The value as a number, if it is one.
    pub fn as_number(&self) -> Option<Number> {
        match self {
            Value::Number(number) => Some(Number::from(*number)),
            Value::Whole(whole) => Some(Number::new(whole.nearest(), whole.off())),
            Value::Missing | Value::Flag(_) | Value::Text(_) => None,
        }
    }

    /// The value as charted: a number, rounded to an `f64` if necessary; a flag as 0 or 1.
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

/// Writes integers without a decimal point, as other programs do; -0 is kept.
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
        // Not in i64, so it is in u64.
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

/// Type of a metric's values.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetricType {
    /// A number, usually with a unit.
    #[default]
    Number,
    /// Free text.
    Text,
    /// A Boolean.
    Flag,
    /// One of [`Metric::options`].
    Enum,
}

/// A metric or writable property of a device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// Name, unique within the device.
    pub name: MetricName,
    /// Type of its values.
    #[serde(rename = "type", default)]
    pub kind: MetricType,
    /// Unit as written, for example `°C`, `%` or `B/s`; empty if none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// Minimum value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Number>,
    /// Maximum value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Number>,
    /// Number of decimals to show; `None` for as many as the value has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<u8>,
    /// Options of an enumeration.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// Whether commands can set it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub writable: bool,
    /// Whether setting it requires confirmation.
    #[serde(default, skip_serializing_if = "is_false")]
    pub risky: bool,
    /// Smallest useful difference between two numbers that are set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Number>,
    /// What sets it, where its type does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control: Option<Control>,
    /// Whether it only takes commands and never has a value.
    #[serde(default, skip_serializing_if = "is_false")]
    pub write_only: bool,
    /// Icon as its source names it, for example `mdi:flash`; empty if none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub icon: String,
    /// What a person should know about it, in English, for example why its value is shown raw; empty if nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// What the person calls it, in this app only; empty for its name.
    #[serde(skip)]
    pub title: String,
    /// Whether the person hides it, in this app only.
    #[serde(skip)]
    pub hidden: bool,
}

/// The control of a writable property, where its type does not tell.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Control {
    /// A button: the only option of an enumeration is sent.
    Button,
    /// A colour, as text: `#RRGGBB`.
    Colour,
    /// The movements of a cover or valve: an enumeration.
    Cover,
    /// The mode of a thermostat or fan: an enumeration.
    Mode,
    /// The temperature that a thermostat aims at.
    Setpoint,
    /// A control that this version does not know.
    #[serde(other)]
    Other,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes it by reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

impl Metric {
    /// A metric with default attributes.
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
            step: None,
            control: None,
            write_only: false,
            icon: String::new(),
            note: String::new(),
            title: String::new(),
            hidden: false,
        }
    }

    /// What it is called.
    pub fn label(&self) -> &str {
        if self.title.is_empty() { self.name.as_str() } else { &self.title }
    }

    /// A metric that was not announced, with the type of its first value.
    pub fn of_value(name: MetricName, value: &Value) -> Metric {
        let kind = match value {
            Value::Flag(_) => MetricType::Flag,
            Value::Text(_) => MetricType::Text,
            Value::Number(_) | Value::Whole(_) | Value::Missing => MetricType::Number,
        };
        Metric::new(name, kind)
    }

    /// Whether a number is within the limits.
    fn takes(&self, number: Number) -> bool {
        self.min.is_none_or(|low| number.compare(low).is_ge())
            && self.max.is_none_or(|high| number.compare(high).is_le())
    }

    /// Describes the allowed numbers, in English.
    pub fn limits(&self) -> String {
        match (self.min, self.max) {
            (None, None) => "a number".to_owned(),
            (Some(low), None) => format!("a number of at least {low}"),
            (None, Some(high)) => format!("a number of at most {high}"),
            (Some(low), Some(high)) => format!("a number from {low} to {high}"),
        }
    }

    /// Checks whether a value may be set.
    ///
    /// # Errors
    /// Describes the allowed values, in English.
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

/// A device's announcement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spec {
    /// The device's id.
    #[serde(rename = "device")]
    pub id: DeviceId,
    /// Display name; empty to use the id.
    #[serde(default)]
    pub name: String,
    /// Kind of device, for grouping, for example `computer` or `pump`. May be empty.
    #[serde(default)]
    pub kind: String,
    /// Its metrics and writable properties.
    #[serde(default)]
    pub metrics: Vec<Metric>,
    /// Other attributes: model, firmware, location and so on.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    /// Interval at which it will publish, in seconds; if `None`, the hub measures it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect_every_s: Option<f64>,
    /// Last will: the reason shown if its connection ends without a goodbye.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub will: String,
}

impl Spec {
    /// A device that has not announced itself, known only by its id.
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

    /// Display name.
    pub fn title(&self) -> &str {
        if self.name.is_empty() { self.id.as_str() } else { &self.name }
    }

    /// The metric of this name, if announced.
    pub fn metric(&self, name: &str) -> Option<&Metric> {
        self.metrics.iter().find(|metric| metric.name.as_str() == name)
    }

    /// The announced interval, limited to between 100 ms and a day, in milliseconds.
    pub fn every_ms(&self) -> Option<u64> {
        let seconds = self.expect_every_s.filter(|seconds| seconds.is_finite() && *seconds > 0.0)?;
        Some((seconds.clamp(0.1, 86_400.0) * 1000.0) as u64)
    }
}

/// State of a device in the hub.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeviceState {
    /// The announcement, plus metrics that were published without being announced.
    #[serde(flatten)]
    pub spec: Spec,
    /// Changes with each announcement. A command for an earlier incarnation is not delivered.
    pub incarnation: u64,
    /// Whether it is online. `false` after a goodbye or its last will.
    pub online: bool,
    /// When `online` last changed, by the hub's clock.
    pub since: WallMs,
    /// Reason for being offline as given by the device. May be empty.
    #[serde(default)]
    pub reason: String,
    /// When data was last received from it, by the hub's clock.
    #[serde(default)]
    pub heard: Option<WallMs>,
    /// Its publishing interval, announced or measured, in milliseconds.
    #[serde(default)]
    pub every_ms: Option<u64>,
    /// The latest value of each metric.
    #[serde(default)]
    pub values: Vec<LastValue>,
}

/// The latest value of a metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LastValue {
    /// Name of the metric.
    pub metric: MetricName,
    /// The value.
    pub value: Value,
    /// Timestamp by the device's clock.
    pub at: WallMs,
    /// Time received by the hub's clock.
    pub received: WallMs,
}

/// The values that a device published at one moment: the next `count` of [`Readings::values`].
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The device.
    pub device: DeviceId,
    /// Timestamp by the device's clock, or by the hub's if it sent none.
    pub at: WallMs,
    /// Time received by the hub's clock; 0 on the way to the hub.
    pub received: WallMs,
    /// Number of values.
    pub count: u32,
}

/// Readings of any devices, in the order in which the hub received them. Stored flat: thousands per second
/// need only two allocations.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Readings {
    /// The samples.
    pub samples: Vec<Sample>,
    /// The values of all samples, concatenated.
    pub values: Vec<(MetricName, Value)>,
    /// Number of readings dropped before these because the client could not keep up.
    pub conflated: u64,
}

impl Readings {
    /// A single sample.
    pub fn of(device: DeviceId, at: WallMs, received: WallMs, values: Vec<(MetricName, Value)>) -> Readings {
        let count = u32::try_from(values.len()).unwrap_or(u32::MAX);
        Readings { samples: vec![Sample { device, at, received, count }], values, conflated: 0 }
    }

    /// The samples, each with its values.
    pub fn iter(&self) -> impl Iterator<Item = (&Sample, &[(MetricName, Value)])> {
        let mut rest = self.values.as_slice();
        self.samples.iter().map(move |sample| {
            let (own, others) = rest.split_at((sample.count as usize).min(rest.len()));
            rest = others;
            (sample, own)
        })
    }
}

/// State of a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum CommandState {
    /// Sent; the device has not answered yet.
    Pending,
    /// Carried out.
    Done,
    /// The device failed to carry it out.
    Failed {
        /// The device's explanation.
        #[serde(default)]
        detail: String,
    },
    /// The device did not answer within [`COMMAND_MS`].
    Expired,
    /// The hub refused to deliver it.
    Refused {
        /// The reason.
        why: CommandRefusal,
        /// The hub's explanation; may be empty.
        #[serde(default)]
        detail: String,
    },
    /// The link went down before the answer arrived: the outcome is unknown.
    #[serde(skip)]
    Unknown,
}

/// Why the hub refused to deliver a command.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandRefusal {
    /// There is no such device.
    UnknownDevice,
    /// The device has no such property, or it cannot be set.
    NotWritable,
    /// The value is not valid for this property.
    BadValue,
    /// The device has changed since the command was given.
    Changed,
    /// The principal lacks permission.
    NotAllowed,
    /// A reason that this version does not know.
    #[serde(other)]
    Other,
}

/// A command and its state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Command {
    /// Its id, chosen by the sender.
    pub id: MessageId,
    /// The device.
    pub device: DeviceId,
    /// The property to set.
    pub property: MetricName,
    /// The requested value.
    pub value: Value,
    /// Who sent it.
    pub by: Sender,
    /// When it was sent, by the hub's clock.
    pub at: WallMs,
    /// Its state.
    #[serde(flatten)]
    pub state: CommandState,
}

/// An entry of a device's log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogLine {
    /// When it happened, by the hub's clock.
    pub at: WallMs,
    /// What happened.
    #[serde(flatten)]
    pub what: DeviceLogEvent,
}

/// An event in a device's log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "what")]
pub enum DeviceLogEvent {
    /// It came online.
    Online,
    /// It went offline.
    Offline {
        /// The reason given; may be empty.
        #[serde(default)]
        reason: String,
    },
    /// It published nothing for three of its intervals.
    Silent,
    /// A command was completed.
    Command {
        /// The command and its outcome.
        command: Command,
    },
}

/// Status of a device as shown.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// It is publishing.
    Online,
    /// It sleeps between its readings to spare its battery, and says so: they may be old.
    Asleep,
    /// It published nothing for three of its expected intervals, although the link is up.
    Silent,
    /// It went offline, or its last will was published.
    Offline,
    /// The link is down, or the hub restarted and has not heard from it yet.
    Unknown,
}

/// Freshness of a reading.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Freshness {
    /// Received live.
    Live,
    /// Read before we connected; valid until the next one.
    Replayed,
    /// The device is silent or offline.
    Stale,
    /// The link is down.
    Unknown,
}

/// The time at which a reading is plotted, by the hub's clock. `behind` is the lag of the source's clock as
/// last estimated by [`super::clock_lag`]. If the clock is right, this is the source's timestamp, however
/// late the reading arrived, so a backlog keeps its times. If it is wrong, the timestamp is corrected by the
/// lag. The result is never in the future or more than a year back.
pub fn place(at: WallMs, received: WallMs, behind: i64) -> WallMs {
    let is_right = behind.saturating_abs() <= CLOCK_TOLERANCE_MS;
    let at = if is_right { at } else { at.saturating_add(behind) };
    let late = received.since(at);
    if (-CLOCK_TOLERANCE_MS..=MAX_AGE_MS).contains(&late) { at } else { received }
}

/// Measures the interval of recurring events.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IntervalEstimator {
    last: Option<WallMs>,
    gaps: [u32; 4],
    next: usize,
}

impl IntervalEstimator {
    /// Starts over, since the clock was set back.
    pub fn restart(&mut self) {
        self.last = None;
    }

    /// Records an event at this time.
    pub fn heard(&mut self, at: WallMs) {
        if let Some(last) = self.last
            && at > last
        {
            self.gaps[self.next] = u32::try_from(at.since(last)).unwrap_or(u32::MAX);
            self.next = (self.next + 1) % self.gaps.len();
        }
        self.last = Some(self.last.map_or(at, |last| last.max(at)));
    }

    /// The longest of the recent intervals, at least 1 s, in milliseconds; `None` until there were two
    /// events.
    pub fn every_ms(&self) -> Option<u64> {
        let longest = self.gaps.iter().copied().max().filter(|gap| *gap > 0)?;
        Some(u64::from(longest.max(1_000)))
    }
}
