//! How a session of MQTT begins and ends: `CONNECT` and its answer, the version that is spoken, and why the server ends it.

use super::encode::{self, Connect, Subscription};
use super::outbound::Of;
use super::packet::{Connack, Version};
use super::session::{Limits, MqttSession, Phase};
use crate::model::event::{LinkEvent, LogKind};
use crate::model::link_state::Why;
use crate::model::log::Note;
use crate::model::mqtt::{KEEP_ALIVE_S, MqttVersion, SESSION_EXPIRY_S};
use crate::model::publication::Qos;
use crate::model::{Event, Feature, Features, Time};
use crate::wire::Output;

/// A connection that ends so soon after it was online may have been taken over, in milliseconds.
const SOON_MS: u64 = 10_000;
/// So many of them in a row were.
const MAX_LOSSES: u32 = 3;
/// The subscription identifier of the chat: what comes for it is told from what comes for `#`.
pub(super) const CHAT_NUMBER: u32 = 1;

impl MqttSession {
    /// The transport is open.
    pub(super) fn opened(&mut self, now: Time) {
        self.phase = Phase::Connecting;
        let server = self.server.clone();
        self.chat.set_server(&server);
        let is_old = match self.config.options.version {
            MqttVersion::V311 => true,
            MqttVersion::V5 => false,
            MqttVersion::Automatic => self.kept.is_old(now.wall_ms),
        };
        self.set_version(if is_old { Version::V311 } else { Version::V5 });
        let options = &self.config.options;
        let client_id = match options.client_id.is_empty() {
            true => self.kept.client_id.clone(),
            false => options.client_id.clone(),
        };
        let connect = Connect {
            client_id,
            user: self.config.user.clone(),
            password: self.config.password.clone(),
            keep_alive: KEEP_ALIVE_S,
            is_clean: !options.keeps_session,
            session_expiry: if options.keeps_session { SESSION_EXPIRY_S } else { 0 },
            will: self.tells_presence().then(|| self.chat.will()),
        };
        match encode::connect(self.version, &connect) {
            Ok(packet) => self.transmit(&packet),
            Err(bad) => self.close(Why::Unsupported { detail: bad.to_string() }),
        }
    }

    /// The server answered.
    pub(super) fn connack(&mut self, now: Time, connack: Connack) {
        if connack.code != 0 {
            return self.refused(&connack);
        }
        self.phase = Phase::Online;
        self.online_since = Some(now.boot_ms);
        self.learn_version(now);
        if !connack.session_present {
            self.kept.forget_session();
            self.outbound.forget();
            self.is_dirty = true;
        }
        if let Some(seconds) = connack.keep_alive {
            self.keep_alive_ms = u64::from(seconds) * 1_000;
        }
        self.limits = Limits {
            max_packet: connack.max_packet.map_or(usize::MAX, |bytes| bytes as usize),
            max_qos: connack.max_qos.unwrap_or(2),
            retains: connack.retains.unwrap_or(true),
            has_subscription_ids: self.version == Version::V5 && connack.has_subscription_ids.unwrap_or(true),
        };
        self.outbound.set_window(connack.receive_maximum.unwrap_or(u16::MAX));
        self.welcome(now);
        self.subscribe_all();
        for id in self.outbound.release_left() {
            self.transmit(&encode::ack(super::packet::AckKind::Pubrel, id));
        }
        if self.tells_presence() {
            let mut there = self.chat.own_presence(true);
            there.qos = self.allowed(there.qos);
            self.publish(Of::Nothing, there);
        }
    }

    /// What version the server knows is remembered.
    fn learn_version(&mut self, now: Time) {
        let is_old = self.version == Version::V311;
        let is_learned = self.config.options.version == MqttVersion::Automatic;
        if is_learned && (self.kept.falls_back || is_old != self.kept.old_since.is_some()) {
            self.kept.old_since = is_old.then_some(now.wall_ms);
            self.kept.falls_back = false;
            self.is_dirty = true;
        }
    }

    fn welcome(&mut self, now: Time) {
        self.outputs.push_back(Output::Online);
        let mut features = vec![Feature::Topics, Feature::Devices, Feature::Commands];
        let mut rooms = Vec::new();
        if self.config.options.chats {
            features.extend([Feature::CreateRooms, Feature::Presence]);
            let topics = self.kept.rooms.clone();
            rooms = self.chat.begin(&topics);
        }
        if self.version == Version::V5 {
            features.push(Feature::TopicProperties);
        }
        self.event(Event::Link(LinkEvent::Welcomed {
            me: self.chat.me(),
            server: self.server.clone(),
            log: LogKind::Local,
            now: now.wall_ms,
            people: Vec::new(),
            rooms,
            features: Features::new(features.iter().map(|feature| feature.word())),
        }));
        self.devices.online(now);
        self.tell_devices();
    }

    /// Subscribes to the chat, then to the rest.
    fn subscribe_all(&mut self) {
        if self.config.options.is_deaf {
            return;
        }
        let filters = self.topics.all();
        let chat = self.config.options.chats.then(|| self.chat.filters());
        let all = chat.iter().flatten().chain(filters.iter().map(|filter| &filter.filter)).cloned();
        let (others, is_changed) = self.kept.subscribe_all(all.collect());
        self.is_dirty |= is_changed;
        // The settings were changed, and the server goes on with a session from before.
        self.end_subscriptions(&others);
        if let Some(chat) = chat {
            let chat = chat.map(|filter| Subscription {
                filter,
                qos: self.allowed(Qos::ExactlyOnce),
                no_local: true,
                retained_once: false,
            });
            let number = self.limits.has_subscription_ids.then_some(CHAT_NUMBER);
            if let Some(id) = self.outbound.other_id() {
                self.topics.chat_asked(id);
                self.send_or_note(encode::subscribe(self.version, id, &chat, number));
            }
        }
        self.ask_for(&filters);
    }

    /// A QoS that the server takes.
    pub(super) fn allowed(&self, qos: Qos) -> Qos {
        qos.min(Qos::of(self.limits.max_qos).unwrap_or(Qos::ExactlyOnce))
    }

    /// Sends a packet, or says in the log why it cannot be.
    pub(super) fn send_or_note(&mut self, packet: Result<Vec<u8>, encode::BadPacket>) {
        match packet {
            Ok(packet) => self.transmit(&packet),
            Err(bad) => self.note(Note::Malformed { detail: bad.to_string() }),
        }
    }

    /// The server does not let us in.
    fn refused(&mut self, connack: &Connack) {
        // The codes of version 3.1.1 have others in version 5.
        let code = match connack.code {
            1 => 0x84,
            2 => 0x85,
            3 => 0x88,
            4 => 0x86,
            5 => 0x87,
            code => code,
        };
        if code == 0x84 {
            self.fall_back();
        }
        let said = with_reference(connack.said.clone(), connack.reference.clone());
        self.close(Why::Mqtt { code, said });
    }

    /// The next attempt speaks the other version, where the choice is ours.
    fn fall_back(&mut self) {
        if self.config.options.version == MqttVersion::Automatic {
            self.kept.falls_back = self.version == Version::V5;
            if self.version == Version::V311 {
                self.kept.old_since = None;
            }
        }
    }

    /// The server ends the connection.
    pub(super) fn disconnected(&mut self, code: u8, said: String, reference: Option<String>) {
        let why = match code {
            0x8E => Why::TakenOver { is_certain: true },
            code => Why::Mqtt { code, said: with_reference(said, reference) },
        };
        self.close(why);
    }

    /// Why the connection ended, where that says more than the transport knows.
    pub(super) fn why_ended(&mut self, now: Time, why: Why) -> Why {
        let is_silent = matches!(&why, Why::Lost { .. } | Why::Closed { .. });
        match (self.phase, self.online_since) {
            // RabbitMQ 3.10 closes version 5 without a word.
            (Phase::Connecting, _) if is_silent => self.fall_back(),
            (Phase::Online, Some(since)) if now.boot_ms.since(since) >= SOON_MS => self.kept.losses = 0,
            // Version 5 has a word for it.
            (Phase::Online, Some(_)) if is_silent && self.version == Version::V311 => {
                self.kept.losses = self.kept.losses.saturating_add(1);
                if self.kept.losses >= MAX_LOSSES {
                    return Why::TakenOver { is_certain: false };
                }
            }
            _ => {}
        }
        why
    }
}

fn with_reference(said: String, reference: Option<String>) -> String {
    match reference {
        Some(server) if said.is_empty() => server,
        Some(server) => format!("{said} ({server})"),
        None => said,
    }
}
