//! [`Natives`]: the conventions that are known by the shape of their topics.

mod ebusd;
mod esphome;
mod frigate;
mod homie;
mod lorawan;
mod meshtastic;
mod omg;
mod openwb;
mod owntracks;
mod rtl433;
mod ruuvi;
mod shelly1;
mod shelly2;
mod sparkplug;
mod tasmota;
mod valetudo;
mod victron;
mod wled;
mod z2m;
mod zwave;

use super::book::{Book, Dev, NO_TOPIC, guessed, named};
use super::change::There;
use super::template::Payload;
use super::topics::Topics;
use crate::model::device::{Metric, MetricType, Value};

/// A convention.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Native {
    Zigbee,
    Tasmota,
    Shelly1,
    Shelly2,
    EspHome,
    Homie,
    Sparkplug,
    Omg,
    Rtl433,
    Wled,
    Frigate,
    Valetudo,
    OwnTracks,
    Ebusd,
    Victron,
    OpenWb,
    Meshtastic,
    Ruuvi,
    LoRaWan,
    ZWave,
}

/// All of them.
#[derive(Default)]
pub(super) struct Natives {
    zigbee: z2m::Zigbee,
    tasmota: tasmota::Tasmota,
    shelly2: shelly2::Shelly2,
    esphome: esphome::EspHome,
    homie: homie::Homie,
    sparkplug: sparkplug::Sparkplug,
    wled: wled::Wled,
    victron: victron::Victron,
}

impl Natives {
    /// The convention of a topic. `payload`: the first message of it.
    pub fn of(&self, topic: &str, payload: &Payload<'_>) -> Option<Native> {
        Some(match topic {
            _ if sparkplug::takes(topic) => Native::Sparkplug,
            _ if self.homie.takes(topic) => Native::Homie,
            _ if self.zigbee.takes(topic, payload) => Native::Zigbee,
            // Later generations are often put below the same level.
            _ if topic.starts_with("shellies/") && self.shelly2.takes(topic, payload) => Native::Shelly2,
            _ if topic.starts_with("shellies/") => Native::Shelly1,
            _ if self.victron.takes(topic) => Native::Victron,
            _ if openwb::takes(topic) => Native::OpenWb,
            _ if frigate::takes(topic) => Native::Frigate,
            _ if valetudo::takes(topic) => Native::Valetudo,
            _ if owntracks::takes(topic, payload) => Native::OwnTracks,
            _ if ebusd::takes(topic) => Native::Ebusd,
            _ if meshtastic::takes(topic, payload) => Native::Meshtastic,
            _ if lorawan::takes(topic, payload) => Native::LoRaWan,
            _ if self.wled.takes(topic, payload) => Native::Wled,
            _ if self.tasmota.takes(topic, payload) => Native::Tasmota,
            _ if self.shelly2.takes(topic, payload) => Native::Shelly2,
            _ if self.esphome.takes(topic, payload) => Native::EspHome,
            _ if omg::takes(topic, payload) => Native::Omg,
            _ if rtl433::takes(topic, payload) => Native::Rtl433,
            _ if ruuvi::takes(topic, payload) => Native::Ruuvi,
            _ if zwave::takes(topic, payload) => Native::ZWave,
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
            Native::Homie => return self.homie.receive(book, id, topic, payload),
            Native::Wled => return self.wled.receive(book, id, topic, payload),
            Native::Sparkplug => self.sparkplug.receive(book, id, topic, payload),
            Native::Victron => self.victron.receive(book, id, topic, payload),
            Native::Omg => omg::receive(book, id, topic, payload),
            Native::Rtl433 => rtl433::receive(book, id, topic, payload),
            Native::Frigate => frigate::receive(book, id, topic, payload),
            Native::Valetudo => valetudo::receive(book, id, topic, payload),
            Native::OwnTracks => owntracks::receive(book, id, topic, payload),
            Native::Ebusd => ebusd::receive(book, id, topic, payload),
            Native::OpenWb => openwb::receive(book, id, topic, payload),
            Native::Meshtastic => meshtastic::receive(book, id, topic, payload),
            Native::Ruuvi => ruuvi::receive(book, id, topic, payload),
            Native::LoRaWan => lorawan::receive(book, id, topic, payload),
            Native::ZWave => zwave::receive(book, id, topic, payload),
        }
        Vec::new()
    }
}

/// The key of the device that a topic belongs to, where its shape says so.
pub(super) fn key_of(topic: &str) -> Option<String> {
    let keys: [fn(&str) -> Option<String>; 6] =
        [shelly1::key_of, tasmota::key_of, shelly2::key_of, esphome::key_of, omg::key_of, zwave::key_of];
    keys.iter().find_map(|key| key(topic))
}

/// A reading, whose metric is described by the way if it is new.
fn put(book: &mut Book, dev: Dev, key: &str, id: u32, name: &str, value: Value, unit: &str) {
    book.read(dev, key, id, value.clone(), || guessed(named(name), &value, unit));
}

/// Declares a metric that is to become a control. `None` if it is there already.
fn new_metric<'a>(
    book: &mut Book,
    dev: Dev,
    key: &'a str,
    id: u32,
    name: &str,
    kind: MetricType,
) -> Option<&'a str> {
    let is_new = book.get(dev).is_some_and(|device| device.find(key).is_none());
    is_new.then(|| {
        book.put_metric(dev, key, id, Metric::new(named(name), kind));
        key
    })
}

/// Whether a device is there, by one word of it.
fn there(is_there: bool) -> There {
    if is_there { There::Online } else { There::Offline(String::new()) }
}

/// `currentCleanTime` as separate words.
fn spaced(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_uppercase() {
            out.push(' ');
            out.extend(c.to_lowercase());
        } else {
            out.push(if c == '.' { ' ' } else { c });
        }
    }
    out
}
