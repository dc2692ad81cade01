//! What a session of MQTT does with what a person wants: messages, rooms, and requests about topics.

use super::encode::{self, Outgoing, Subscription};
use super::outbound::{Next, Of};
use super::packet::AckKind;
use super::session::MqttSession;
use super::topics::Asked;
use crate::model::event::{ChatEvent, Follows};
use crate::model::id::Offset;
use crate::model::mqtt::{Filter, check_topic};
use crate::model::publication::{NewPublication, Qos};
use crate::model::topic::{PublishOutcome, TopicEvent, TopicRequest};
use crate::model::{Content, Event, OutboxItem, Refusal, Time};
use crate::wire::{ChatRequest, DeviceRequest, Output, Request};

/// What a packet costs beside its topic and payload, in bytes, at most.
const AROUND_BYTES: usize = 16;
/// Maximum number of filters of one `SUBSCRIBE`: some servers take no more.
const MAX_FILTERS: usize = 8;
/// Fewer than this many under way: more retained messages are cleared.
const CLEARING: usize = 32;

impl MqttSession {
    pub(super) fn request(&mut self, now: Time, request: Request) {
        match request {
            Request::Chat(ChatRequest::Send(item)) => {
                let id = item.draft.id;
                if let Err(refusal) = self.send(now, &item) {
                    self.chat.refused(id);
                    self.event(Event::Chat(ChatEvent::Refused { id, refusal }));
                }
            }
            Request::Topic(request) => self.topic_request(request),
            Request::Probe => self.probe(now),
            Request::Device(DeviceRequest::Command { id, device, property, value, .. }) => {
                for mut message in self.devices.command(now, id, &device, &property, &value) {
                    // So that the server says that it has it.
                    message.qos = self.allowed(message.qos.max(Qos::AtLeastOnce));
                    self.publish(Of::Command(id), message);
                }
            }
            other => self.outputs.extend(other.decline().map(|event| Output::Event(event, None))),
        }
    }

    fn send(&mut self, now: Time, item: &OutboxItem) -> Result<(), Refusal> {
        match &item.draft.content {
            Content::Text { body, .. } => {
                let topic = self.chat.topic(&item.draft.room).ok_or(Refusal::NoSuchRoom)?.to_owned();
                let mut message = self.chat.typed(item, &topic, body);
                message.qos = self.allowed(message.qos);
                self.check_size(&message)?;
                if message.qos == Qos::AtMostOnce {
                    let detail = "the server does not confirm messages: it allows only QoS 0".to_owned();
                    return Err(Refusal::Other { code: "qos".to_owned(), detail });
                }
                match self.outbound.queue(Of::Chat(item.draft.id), message) {
                    true => Ok(()),
                    false => Err(Refusal::SlowDown { retry_after_ms: 1_000 }),
                }
            }
            Content::Room { .. } => self.make_room(now, item),
            content => Err(Refusal::UnknownKind { kind: content.kind().to_owned() }),
        }
    }

    fn check_size(&self, message: &Outgoing) -> Result<(), Refusal> {
        let bytes = message.topic.len() + message.payload.len() + AROUND_BYTES;
        match bytes > self.limits.max_packet.min(super::decode::MAX_PACKET_BYTES) {
            true => Err(Refusal::TooLarge { limit: self.limits.max_packet as u64 }),
            false => Ok(()),
        }
    }

    /// A room is a topic: nothing is to be made on the server, only remembered.
    fn make_room(&mut self, now: Time, item: &OutboxItem) -> Result<(), Refusal> {
        let name = item.draft.room_name().ok_or(Refusal::NoSuchRoom)?;
        let topic = self.chat.topic_of_new(name.as_str());
        let bad = |bad: crate::model::mqtt::BadTopic| Refusal::BadName { detail: bad.to_string() };
        check_topic(&topic).map_err(bad)?;
        let room = self.chat.room(&topic).ok_or(Refusal::BadName { detail: String::new() })?;
        let id = room.id.clone();
        if !self.kept.add_room(&topic) {
            return Err(Refusal::TooMany { limit: super::kept::MAX_ROOMS as u64 });
        }
        self.is_dirty = true;
        if let Some(event) = self.chat.list(room) {
            self.event(event);
        }
        let (id, follows) = (item.draft.id, Follows::OtherRoom(id));
        self.event(Event::Chat(ChatEvent::Acknowledged {
            id,
            offset: Offset(0),
            received: now.wall_ms,
            follows,
        }));
        Ok(())
    }

    /// Publishes something that nothing on disk stands for.
    pub(super) fn publish(&mut self, of: Of, message: Outgoing) {
        if message.qos == Qos::AtMostOnce {
            self.send_or_note(encode::publish(self.version, &message, None, false));
        } else if !self.outbound.queue(of, message)
            && let Of::Request(number) = of
        {
            self.published(number, PublishOutcome::NotSent);
        }
    }

    /// Sends what may be sent with QoS 1 and 2.
    pub(super) fn pump(&mut self, _now: Time) {
        if self.phase != super::session::Phase::Online {
            return;
        }
        self.clear_more();
        while let Some(next) = self.outbound.next() {
            match next {
                Next::Publish { id, message, is_repeated } => {
                    match encode::publish(self.version, &message, Some(id), is_repeated) {
                        Ok(packet) => self.transmit(&packet),
                        Err(bad) => self.cannot_send(id, &bad),
                    }
                }
                Next::Release(id) => self.transmit(&encode::ack(AckKind::Pubrel, id)),
            }
        }
    }

    fn cannot_send(&mut self, id: u16, bad: &encode::BadPacket) {
        let detail = bad.to_string();
        match self.outbound.give_up(id) {
            Some(Of::Chat(id)) => {
                self.chat.refused(id);
                let refusal = Refusal::Other { code: "bad_message".to_owned(), detail };
                self.event(Event::Chat(ChatEvent::Refused { id, refusal }));
            }
            Some(Of::Request(number)) => {
                self.published(number, PublishOutcome::Refused { code: 0x90, reason: detail });
            }
            Some(Of::Command(id)) => self.devices.published(id, Some(detail)),
            Some(Of::Nothing) | None => {}
        }
    }

    fn topic_request(&mut self, request: TopicRequest) {
        match request {
            TopicRequest::Publish { number, message } => self.publish_for_person(number, *message),
            TopicRequest::Subscribe(filter) => {
                let filter = Filter { filter: filter.filter, qos: filter.qos };
                if self.kept.subscribe(&self.config.options, &filter) {
                    self.is_dirty = true;
                    self.topics.add(&filter);
                    self.ask_for(std::slice::from_ref(&filter));
                }
            }
            TopicRequest::Unsubscribe(filter) => {
                self.kept.unsubscribe(&self.config.options, &filter);
                self.is_dirty = true;
                self.topics.remove(&filter);
                self.end_subscriptions(&[filter]);
                self.tell_subscriptions();
            }
            TopicRequest::Clear { number, topics } => {
                if !self.topics.clear(number, topics) {
                    let why = Some(PublishOutcome::NotSent);
                    let (done, failed, is_over) = (0, u32::MAX, true);
                    self.event(Event::Topic(TopicEvent::Cleared { number, done, failed, why, is_over }));
                }
            }
        }
    }

    fn publish_for_person(&mut self, number: u64, message: NewPublication) {
        let NewPublication { topic, payload, qos, retain, properties } = message;
        let properties = (!properties.is_empty()).then(|| Box::new(properties));
        let message = Outgoing { topic, payload, qos: self.allowed(qos), retain, properties };
        let refused = |code, reason| PublishOutcome::Refused { code, reason };
        let problem = match (check_topic(&message.topic), self.check_size(&message)) {
            (Err(bad), _) => Some(refused(0x90, bad.to_string())),
            (_, Err(_)) => Some(refused(0x95, String::new())),
            _ if retain && !self.limits.retains => Some(refused(0x9A, String::new())),
            _ => None,
        };
        if let Some(problem) = problem {
            return self.published(number, problem);
        }
        let is_unconfirmed = message.qos == Qos::AtMostOnce;
        self.publish(Of::Request(number), message);
        if is_unconfirmed {
            self.published(number, PublishOutcome::Sent);
        }
    }

    /// What became of something that a person published, or of one message of many that are cleared.
    pub(super) fn published(&mut self, number: u64, outcome: PublishOutcome) {
        let event = match self.topics.cleared(number, &outcome) {
            Some(None) => return,
            Some(Some(progress)) => progress,
            None => TopicEvent::Published { number, outcome },
        };
        self.event(Event::Topic(event));
    }

    /// Clears more retained messages, a few at a time.
    fn clear_more(&mut self) {
        while self.outbound.load() < CLEARING {
            let Some((number, topic)) = self.topics.next_to_clear() else { return };
            let (qos, retain) = (self.allowed(Qos::AtLeastOnce), true);
            self.publish(Of::Request(number), Outgoing { topic, qos, retain, ..Outgoing::default() });
            if qos == Qos::AtMostOnce {
                self.published(number, PublishOutcome::Sent);
            }
        }
    }

    /// Asks the server for these.
    pub(super) fn ask_for(&mut self, filters: &[Filter]) {
        for part in filters.chunks(MAX_FILTERS) {
            let subscriptions: Vec<Subscription> = part
                .iter()
                .map(|Filter { filter, qos }| {
                    let (filter, qos) = (filter.clone(), self.allowed(*qos));
                    Subscription { filter, qos, no_local: false, retained_once: false }
                })
                .collect();
            let Some(id) = self.outbound.other_id() else { return };
            self.topics.asked(id, Asked::Subscribe(part.iter().map(|part| part.filter.clone()).collect()));
            self.send_or_note(encode::subscribe(self.version, id, &subscriptions, None));
        }
        self.tell_subscriptions();
    }

    /// Tells the server that these are not wanted any more.
    pub(super) fn end_subscriptions(&mut self, filters: &[String]) {
        for part in filters.chunks(MAX_FILTERS) {
            let Some(id) = self.outbound.other_id() else { return };
            self.topics.asked(id, Asked::Unsubscribe);
            self.send_or_note(encode::unsubscribe(self.version, id, part));
        }
    }

    fn tell_subscriptions(&mut self) {
        let all = self.topics.subscriptions();
        self.event(Event::Topic(TopicEvent::Subscriptions(all)));
    }

    /// The server answered a `SUBSCRIBE` or `UNSUBSCRIBE`.
    pub(super) fn granted(&mut self, id: u16, codes: &[u8], said: &str) {
        self.outbound.other_done(id);
        let has_numbers = self.limits.has_subscription_ids;
        if let Some(refused) = self.topics.granted(id, codes, said, has_numbers) {
            self.note(crate::model::log::Note::ServerError {
                code: format!("mqtt_{:#04x}", refused.code),
                detail: format!("the server refused to subscribe to {}: {said}", refused.filter),
            });
        }
        self.tell_subscriptions();
    }

    /// The connection has ended: nobody knows what became of what was under way.
    pub(super) fn ended(&mut self) {
        let left: Vec<Of> = self.outbound.left().collect();
        for of in left {
            if let Of::Request(number) = of {
                self.published(number, PublishOutcome::Unsure);
            }
        }
        for event in self.topics.give_up_clearing() {
            self.event(Event::Topic(event));
        }
        self.devices.ended();
        self.phase = super::session::Phase::Ended;
    }
}
