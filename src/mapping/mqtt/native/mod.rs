//! [`Natives`]: the conventions that are known by the shape of their topics.

mod esphome;
mod shelly1;
mod shelly2;
mod tasmota;
mod z2m;

use super::book::{Book, NO_TOPIC};
use super::template::Payload;
use super::topics::Topics;

/// A convention.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Native {
    Zigbee,
    Tasmota,
    Shelly1,
    Shelly2,
    EspHome,
}

/// All of them.
#[derive(Default)]
pub(super) struct Natives {
    zigbee: z2m::Zigbee,
    tasmota: tasmota::Tasmota,
    shelly2: shelly2::Shelly2,
    esphome: esphome::EspHome,
}

impl Natives {
    /// The convention of a topic. `payload`: the first message of it.
    pub fn of(&self, topic: &str, payload: &Payload<'_>) -> Option<Native> {
        Some(match topic {
            _ if self.zigbee.takes(topic, payload) => Native::Zigbee,
            _ if topic.starts_with("shellies/") => Native::Shelly1,
            _ if self.tasmota.takes(topic, payload) => Native::Tasmota,
            _ if self.shelly2.takes(topic, payload) => Native::Shelly2,
            _ if self.esphome.takes(topic, payload) => Native::EspHome,
            _ => return None,
        })
    }

    /// Reads a message. Returns what the topics begin with that are explained from now on.
    pub fn receive(
        &mut self,
        native: Native,
        book: &mut Book,
        topics: &mut Topics,
        id: u32,
        topic: &str,
        payload: &Payload<'_>,
    ) -> Vec<String> {
        match native {
            Native::Zigbee => return self.zigbee.receive(book, topics, id, topic, payload),
            Native::Tasmota => return self.tasmota.receive(book, id, topic, payload),
            Native::Shelly1 => shelly1::receive(book, id, topic, payload),
            Native::Shelly2 => return self.shelly2.receive(book, id, topic, payload),
            Native::EspHome => return self.esphome.receive(book, id, topic, payload),
        }
        Vec::new()
    }
}

/// The key of the device that a topic belongs to, where its shape says so.
pub(super) fn key_of(topic: &str) -> Option<String> {
    let keys: [fn(&str) -> Option<String>; 4] =
        [shelly1::key_of, tasmota::key_of, shelly2::key_of, esphome::key_of];
    keys.iter().find_map(|key| key(topic))
}
