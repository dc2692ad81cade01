//! What goes into [`super::Conventions`] and what comes out of it. Values only.

use crate::model::device::{DeviceId, MetricName, Spec, Value};
use crate::model::time::WallMs;

/// A message that the broker delivered.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Publication<'a> {
    /// Its topic.
    pub topic: &'a str,
    /// Its payload.
    pub payload: &'a [u8],
    /// Whether the broker had kept it from before the subscription.
    pub retained: bool,
}

/// A message to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// The topic.
    pub topic: String,
    /// The payload.
    pub payload: Vec<u8>,
    /// Quality of service: 0, 1 or 2.
    pub qos: u8,
    /// Whether the broker keeps it.
    pub retain: bool,
}

impl Outgoing {
    /// A message at QoS 0 that is not kept.
    pub fn new(topic: impl Into<String>, payload: impl Into<Vec<u8>>) -> Self {
        Outgoing { topic: topic.into(), payload: payload.into(), qos: 0, retain: false }
    }
}

/// Whether a device is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum There {
    /// Nothing says so.
    #[default]
    Unknown,
    /// It is online.
    Online,
    /// It sleeps on purpose: its readings may be old.
    Asleep,
    /// It is offline, for this reason; may be empty.
    Offline(String),
}

/// What changed.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// There is a device, or its description changed.
    Described(Box<Spec>),
    /// A device does not exist any longer.
    Gone(DeviceId),
    /// Whether a device is there. Follows the first [`Change::Described`] unless it is [`There::Unknown`].
    Presence {
        /// The device.
        device: DeviceId,
        /// Whether it is there.
        there: There,
    },
    /// A device published nothing for three of its usual intervals.
    Silent {
        /// The device.
        device: DeviceId,
        /// Since when.
        since: WallMs,
    },
    /// A device's readings.
    Readings {
        /// The device.
        device: DeviceId,
        /// When they were taken, by the device's clock; `None` where it does not say: of replayed ones the age is unknown then.
        at: Option<WallMs>,
        /// Whether the broker had kept them from before.
        replayed: bool,
        /// Each with its value.
        values: Vec<(MetricName, Value)>,
    },
    /// A convention asks for a message to be published.
    Publish(Outgoing),
    /// A message was not understood, for this reason.
    Refused {
        /// Its topic.
        topic: String,
        /// Why, in English.
        why: String,
    },
}

/// What a command becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commanded {
    /// The messages, in order.
    pub messages: Vec<Outgoing>,
    /// Whether the device reports the property's state, so that the command can be seen to have been carried out.
    pub is_reported: bool,
}
