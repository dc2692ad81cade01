//! What a session of MQTT does with what comes: messages to the chat, the topics and the devices, and acknowledgements.

use super::chat::{self, Came};
use super::devices::Done;
use super::encode;
use super::handshake::CHAT_NUMBER;
use super::outbound::{After, Of};
use super::packet::{Ack, AckKind, Publish, Version};
use super::session::MqttSession;
use crate::model::event::ChatEvent;
use crate::model::log::Note;
use crate::model::publication::{Publication, Qos, Retain};
use crate::model::topic::PublishOutcome;
use crate::model::{Event, Refusal, RoomId, Time};
use crate::wire::{Mark, Output, WireError};

impl MqttSession {
    /// A message came.
    pub(super) fn publication(&mut self, now: Time, publish: &Publish<'_>) -> Result<(), WireError> {
        if publish.alias.is_some() {
            // MQTT-3.1.2-26: we offered none.
            self.transmit(&encode::disconnect(self.version, 0x94));
            let detail = "the server uses topic aliases, which were not offered".to_owned();
            return Err(WireError::Violation { detail });
        }
        if let (Qos::ExactlyOnce, Some(id)) = (publish.qos, publish.id)
            && self.inbound.is_taken(id)
        {
            self.inbound.received(id, publish.qos, None);
            return Ok(());
        }
        self.saw(now, publish);
        let mut mark = None;
        if self.config.options.chats && self.chat.owns(publish.topic) {
            mark = self.chat_message(now, publish);
        } else if publish.left_out.is_none() && !publish.topic.starts_with('$') {
            self.devices.received(now, publish.topic, publish.payload, publish.is_retained);
        }
        if let Some(id) = publish.id {
            self.inbound.received(id, publish.qos, mark);
            // What waits for the disk is not to come twice: that is on disk with it.
            if mark.is_some() && publish.qos == Qos::ExactlyOnce {
                self.kept.taken.insert(id);
                self.is_dirty = true;
            }
        }
        Ok(())
    }

    /// Passes a message on to the topics.
    fn saw(&mut self, now: Time, publish: &Publish<'_>) {
        let size = publish.left_out.unwrap_or(publish.payload.len());
        self.seen.push(&Publication {
            topic: publish.topic,
            payload: publish.payload,
            size: u32::try_from(size).unwrap_or(u32::MAX),
            qos: publish.qos,
            retain: if publish.is_retained { Retain::Replayed } else { Retain::No },
            properties: publish.properties.as_ref(),
        });
        if self.seen.is_full() {
            self.tell_seen(now);
        }
    }

    /// A message of the chat. Returns the mark of what is to be on disk before it is acknowledged.
    fn chat_message(&mut self, now: Time, publish: &Publish<'_>) -> Option<Mark> {
        // It came for another subscription, and comes for ours as well.
        if self.topics.chat_has_number() && !publish.subscriptions.contains(&CHAT_NUMBER) {
            return None;
        }
        let Some(room) = self.chat.room(publish.topic) else {
            if self.chat.is_own_presence(publish.topic) && !publish.is_retained {
                self.copies.came_back();
            }
            if let Some(event) = self.chat.presence(publish.topic, publish.payload) {
                self.event(event);
            }
            return None;
        };
        // An empty message only clears what was retained.
        if publish.payload.is_empty() || self.came_before(publish) {
            return None;
        }
        if self.version == Version::V311 && self.copies.is_copy(now, publish.topic, publish.payload) {
            return None;
        }
        let came = Came { is_retained: publish.is_retained, may_be_repeat: publish.is_repeated };
        let id: RoomId = room.id.clone();
        let listed = self.chat.list(room);
        let (entry, ours) = self.chat.received(now, &id, publish.payload, came);
        if let Some(ours) = ours {
            self.outbound.came_back(ours);
        }
        let entry = entry?;
        self.outputs.extend(listed.map(|event| Output::Event(event, None)));
        let mark = publish.id.map(|_| self.inbound.mark());
        let live = !publish.is_retained;
        let entries = Event::Chat(ChatEvent::Entries { entries: vec![entry], live });
        self.outputs.push_back(Output::Event(entries, mark));
        mark
    }

    /// Whether a message that does not name itself came before: a retained one comes with each connection, and one with QoS 1
    /// again if its acknowledgement was lost.
    fn came_before(&mut self, publish: &Publish<'_>) -> bool {
        if chat::has_id(publish.payload) {
            return false;
        }
        let fingerprint = chat::fingerprint(publish.topic, publish.payload);
        if publish.is_retained {
            let is_known = self.kept.is_known_retained(fingerprint);
            self.is_dirty |= !is_known;
            return is_known;
        }
        let (Qos::AtLeastOnce, Some(id)) = (publish.qos, publish.id) else { return false };
        if publish.is_repeated && self.kept.unacked.get(&id) == Some(&fingerprint) {
            return true;
        }
        self.kept.note_unacked(id, fingerprint);
        self.is_dirty = true;
        false
    }

    /// The server acknowledged something.
    pub(super) fn acked(&mut self, now: Time, ack: &Ack) {
        if ack.kind == AckKind::Pubrel {
            self.inbound.released(ack.id);
            self.is_dirty |= self.kept.taken.remove(&ack.id);
            return self.transmit(&encode::ack(AckKind::Pubcomp, ack.id));
        }
        match self.outbound.acked(ack.kind, ack.id, ack.code) {
            After::Release => self.transmit(&encode::ack(AckKind::Pubrel, ack.id)),
            After::Done(of) => self.delivered(now, of, ack.code),
            After::Refused(of) => self.not_taken(of, ack),
            // The server has the id, and we do not: it is let go (MQTT 5 §4.3.3).
            After::Nothing if ack.kind == AckKind::Pubrec => {
                self.transmit(&encode::ack(AckKind::Pubrel, ack.id));
            }
            After::Nothing => {}
        }
    }

    fn delivered(&mut self, now: Time, of: Of, code: u8) {
        match of {
            Of::Chat(id) => {
                let entries: Vec<_> = self.chat.delivered(now, id).into_iter().collect();
                if !entries.is_empty() {
                    self.event(Event::Chat(ChatEvent::Entries { entries, live: true }));
                }
            }
            Of::Request(number) => {
                self.published(number, PublishOutcome::Confirmed { unheard: code == 0x10 });
            }
            Of::Command(id) => self.devices.published(id, None),
            Of::Nothing => {}
        }
    }

    /// Passes on what the conventions found.
    pub(super) fn tell_devices(&mut self) {
        self.devices.flush();
        while let Some(done) = self.devices.poll() {
            match done {
                Done::Event(event) => self.event(event),
                Done::Publish(mut message) => {
                    message.qos = self.allowed(message.qos);
                    self.publish(Of::Nothing, message);
                }
                Done::NotUnderstood(topic, why) => {
                    self.note(Note::Malformed { detail: format!("{topic}: {why}") });
                }
            }
        }
    }

    fn not_taken(&mut self, of: Of, ack: &Ack) {
        match of {
            Of::Chat(id) => {
                self.chat.refused(id);
                let refusal = refusal(ack.code, &ack.said);
                self.event(Event::Chat(ChatEvent::Refused { id, refusal }));
            }
            Of::Request(number) => {
                let (code, reason) = (ack.code, ack.said.clone());
                self.published(number, PublishOutcome::Refused { code, reason });
            }
            Of::Command(id) => {
                let words = crate::model::mqtt::reason(ack.code);
                let detail = if ack.said.is_empty() { words.to_owned() } else { ack.said.clone() };
                self.devices.published(id, Some(detail));
            }
            Of::Nothing => {}
        }
    }
}

/// Why the server does not take a message.
fn refusal(code: u8, said: &str) -> Refusal {
    match code {
        0x87 => Refusal::NotAllowed,
        0x97 => Refusal::Quota { retry_after_ms: 10_000 },
        code => Refusal::Other { code: format!("mqtt_{code:#04x}"), detail: said.to_owned() },
    }
}
