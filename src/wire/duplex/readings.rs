//! `readings` and `publish`, the two messages that come by the thousand: decoded without an intermediate tree, names
//! shared instead of copied.

use crate::model::device::ShortName;
use crate::model::time::WallMs;
use crate::model::{Readings, Sample};

use super::message::{HubMessage, ReadSample};

/// The names that one connection has seen, so that each is one allocation however often it comes.
#[derive(Default)]
pub struct Names {}

/// Decodes a `readings` message; `None` for any other one, which [`super::message::decode`] then reads.
pub fn decode(_names: &mut Names, text: &str) -> Option<Readings> {
    match serde_json::from_str::<HubMessage>(text) {
        Ok(HubMessage::Readings { samples, conflated }) => {
            let mut readings = Readings { conflated, ..Readings::default() };
            for ReadSample { device, at, received, values } in samples {
                let count = u32::try_from(values.len()).unwrap_or(u32::MAX);
                readings.samples.push(Sample { device, at, received, count });
                readings.values.extend(values);
            }
            Some(readings)
        }
        _ => None,
    }
}

/// One moment of one device as part of a `readings` message: `{"device":…,"at":…,"received":…,"values":{…}}`.
pub fn encode_sample(
    device: &ShortName,
    at: WallMs,
    received: WallMs,
    values: &[(ShortName, crate::model::Value)],
) -> String {
    let values = values.iter().cloned().collect();
    let sample = ReadSample { device: device.clone(), at, received, values };
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
