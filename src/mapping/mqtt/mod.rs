//! The devices behind a broker. [`Conventions`] is given every message and says which devices there are, what they measure, whether
//! they are there, and what a command becomes. It knows Home Assistant's discovery and the conventions of common devices;
//! whatever none of them explains is read by a general rule. See CONVENTIONS.md. Pure: time is an argument.

mod book;
mod change;
mod device;
mod general;
mod ha;
mod json;
mod levels;
mod merged;
mod native;
mod rhythm;
mod template;
mod text;
mod topics;

#[cfg(test)]
mod tests;

pub use book::{MAX_DEVICES, MAX_METRICS};
pub use change::{Change, Commanded, Outgoing, Publication, There};
pub use topics::MAX_TOPICS;

use book::Book;
use general::General;
use ha::HomeAssistant;
use merged::Merged;
use native::Natives;
use template::{Payload, Templates};
use topics::{Route, Topics};

use crate::model::device::{DeviceId, MetricName, Value};
use crate::model::mqtt::MergedDevices;
use crate::model::time::{BootMs, Time};

/// Maximum length of a message that is read, in bytes.
pub const MAX_MESSAGE_BYTES: usize = 4 * 1024 * 1024;
/// Maximum number of topics that are read again after a description.
const MAX_AGAIN: usize = 4_096;

/// See the module.
pub struct Conventions {
    book: Book,
    topics: Topics,
    templates: Templates,
    ha: HomeAssistant,
    natives: Natives,
    general: General,
    merged: Merged,
}

impl Default for Conventions {
    fn default() -> Self {
        Self::new()
    }
}

impl Conventions {
    /// Knows nothing yet. Keep it over lost connections: retained messages that come again change nothing.
    pub fn new() -> Self {
        Self::merging(&MergedDevices::new())
    }

    /// The same, with devices that the person says are one.
    pub fn merging(merged: &MergedDevices) -> Self {
        Conventions {
            book: Book::new(),
            topics: Topics::default(),
            templates: Templates::new(),
            ha: HomeAssistant::default(),
            natives: Natives::default(),
            general: General::default(),
            merged: Merged::new(merged),
        }
    }

    /// Reads a message.
    pub fn received(&mut self, now: Time, message: &Publication<'_>) -> Vec<Change> {
        let Publication { topic, payload, retained } = *message;
        self.book.begin(now, retained);
        self.templates.set_now(now.wall_ms);
        if payload.len() > MAX_MESSAGE_BYTES {
            let why = format!("the message has {} bytes; {MAX_MESSAGE_BYTES} are allowed", payload.len());
            self.book.refuse(topic, why);
        } else if ha::is_discovery(topic) && self.discover(topic, payload) {
            // Not a message of a device.
        } else if let Some(id) = self.topic(topic) {
            self.read(id, payload);
            self.topics.keep(id, payload, retained, now);
        }
        self.merged.apply(self.book.finish(false))
    }

    /// The number of a topic. Where there is no space left, one that was silent for long goes, with what it was shown as.
    fn topic(&mut self, name: &str) -> Option<u32> {
        if let Some(id) = self.topics.make_room(name) {
            self.forget(id);
            self.topics.replace(id, name);
        }
        self.topics.id(name)
    }

    /// When [`Conventions::tick`] is to be called, in milliseconds of the boot clock.
    pub fn deadline(&self) -> Option<BootMs> {
        self.book.deadline()
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Time) -> Vec<Change> {
        self.merged.apply(self.book.tick(now))
    }

    /// What a command becomes.
    ///
    /// # Errors
    /// Why it cannot be sent, in English.
    pub fn command(
        &mut self,
        now: Time,
        device: &DeviceId,
        property: &MetricName,
        value: &Value,
    ) -> Result<Commanded, String> {
        self.templates.set_now(now.wall_ms);
        let (device, property) = self.merged.target(device, property);
        self.book.run(&self.templates, now, device.as_str(), property.as_str(), value)
    }

    /// Ids of all devices, in no order.
    pub fn devices(&self) -> impl Iterator<Item = &DeviceId> {
        self.book.ids().filter(|id| !self.merged.is_part(id))
    }

    /// Number of devices, metrics and topics that were left out for lack of space.
    pub fn left_out(&self) -> u64 {
        self.book.left_out + self.topics.left_out
    }

    /// Reads a discovery message. Returns whether it was one.
    fn discover(&mut self, topic: &str, payload: &[u8]) -> bool {
        let Conventions { book, topics, templates, ha, .. } = self;
        let Some(found) = ha.discover(book, topics, templates, topic, payload) else { return false };
        for path in found.owned {
            for id in self.topics.below(&format!("{path}/")).into_iter().take(MAX_AGAIN) {
                let is_general =
                    |topic: &topics::Topic| topic.route == Route::General && !topic.is_explained();
                if self.topics.get(id).is_some_and(is_general) {
                    self.forget(id);
                    self.read_again(id);
                }
            }
        }
        for id in found.topics.into_iter().take(MAX_AGAIN) {
            let Some(topic) = self.topics.get(id) else { continue };
            let is_free = topic.readers.is_empty();
            if is_free || topic.is_explained() || topic.route == Route::General {
                self.forget(id);
            }
            match is_free {
                true => self.read_again(id),
                false => self.read_for(id, &found.entities),
            }
        }
        true
    }

    /// What a topic was shown as goes.
    fn forget(&mut self, id: u32) {
        let Some(topic) = self.topics.get_mut(id) else { return };
        let name = topic.name.clone();
        for dev in std::mem::take(&mut topic.devs) {
            self.book.forget_topic(dev, id, &name);
        }
        self.general.forget(&mut self.book, &name);
    }

    /// New entities read a topic: they are given its last message.
    fn read_for(&mut self, id: u32, entities: &[usize]) {
        let Some(topic) = self.topics.get(id) else { return };
        let (readers, kept) = (topic.readers.clone(), topic.kept());
        let Some((payload, retained, at)) = kept else { return };
        let payload = Payload::new(&payload);
        let was_replayed = self.waited(retained, at);
        // The newest readers are the last ones.
        for reader in readers.iter().rev().take_while(|reader| entities.contains(&reader.entity)) {
            self.ha.receive(&mut self.book, &self.templates, id, *reader, &payload);
        }
        (self.book.replayed, self.book.at, self.book.came) = (was_replayed, None, None);
    }

    /// A message is read that came before. Returns whether the one at hand was replayed.
    fn waited(&mut self, retained: bool, at: Time) -> bool {
        let now = self.book.now;
        // A live message stays one: it only waited for its description.
        self.book.came = (!retained && at.boot_ms < now.boot_ms).then_some(at.wall_ms);
        std::mem::replace(&mut self.book.replayed, retained)
    }

    /// A topic is explained differently: its last message is read again.
    fn read_again(&mut self, id: u32) {
        let Some(topic) = self.topics.get_mut(id) else { return };
        topic.route = Route::New;
        let kept = topic.kept();
        let Some((payload, retained, at)) = kept else { return };
        let was_replayed = self.waited(retained, at);
        self.read(id, &payload);
        (self.book.replayed, self.book.at, self.book.came) = (was_replayed, None, None);
    }

    fn read(&mut self, id: u32, payload: &[u8]) {
        let payload = Payload::new(payload);
        self.book.touched.clear();
        let Some(topic) = self.topics.get(id) else { return };
        let (readers, is_explained, name) = (topic.readers.clone(), topic.is_explained(), topic.name.clone());
        for reader in readers.iter() {
            self.ha.receive(&mut self.book, &self.templates, id, *reader, &payload);
        }
        if is_explained {
            return;
        }
        // Devices of discovery are not noted: their metrics go with their configuration.
        self.book.touched.clear();
        let mut explained = Vec::new();
        match self.route(id, &payload) {
            Route::Native(native) => {
                explained =
                    self.natives.receive(native, &mut self.book, &mut self.topics, id, &name, &payload)
            }
            Route::General if readers.is_empty() => self.general.receive(&mut self.book, id, &name, &payload),
            _ => {}
        }
        let touched = std::mem::take(&mut self.book.touched);
        self.topics.note(id, &touched);
        self.book.touched = touched;
        for prefix in explained {
            for other in self.topics.below(&prefix).into_iter().filter(|other| *other != id).take(MAX_AGAIN) {
                if self.topics.get(other).is_some_and(|topic| topic.route == Route::General) {
                    self.forget(other);
                }
                self.read_again(other);
            }
        }
    }

    /// Who reads a topic.
    fn route(&mut self, id: u32, payload: &Payload<'_>) -> Route {
        let Some(topic) = self.topics.get_mut(id) else { return Route::Ignored };
        if topic.route == Route::New {
            topic.route = match self.natives.of(&topic.name, payload) {
                Some(native) => Route::Native(native),
                None if levels::is_ignored(&topic.name) => Route::Ignored,
                None => Route::General,
            };
        }
        topic.route
    }
}
