//! [`MqttSession`]: a connection as the app sees it. It remembers what must outlive the connection, sends all packets of one turn
//! together after what they depend on is on disk, and leaves what messages mean to [`super::chat`] and the conventions.

use std::collections::VecDeque;

use super::chat::Chat;
use super::copies::Copies;
use super::decode::{Decoder, Malformed};
use super::devices::{Devices, Memory};
use super::encode;
use super::inbound::Inbound;
use super::kept::Kept;
use super::outbound::Outbound;
use super::packet::{Packet, Version};
use super::topics::Topics;
use crate::frame::Frame;
use crate::model::link_state::Why;
use crate::model::log::Note;
use crate::model::mqtt::{KEEP_ALIVE_S, MqttOptions};
use crate::model::profile::Secret;
use crate::model::publication::Publications;
use crate::model::time::BootMs;
use crate::model::{Event, Time, TopicEvent};
use crate::wire::{Input, Output, Saved, Session, WireError};

/// A server that sends nothing for this long is asked for a sign of life, in milliseconds.
const QUIET_MS: u64 = 25_000;
/// Close code of a WebSocket.
pub(super) const NORMAL: u16 = 1_000;

/// What a session needs to begin.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// How the server is used.
    pub options: MqttOptions,
    /// The user; empty for none.
    pub user: String,
    /// The password.
    pub password: Option<Secret>,
    /// What the conventions of devices know, over lost connections.
    pub memory: Memory,
    /// Whether others are told that we are there. A command of the console is not somebody.
    pub is_seen: bool,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    New,
    Connecting,
    Online,
    Ended,
}

/// What the server takes.
#[derive(Copy, Clone, Debug)]
pub(super) struct Limits {
    pub(super) max_packet: usize,
    pub(super) max_qos: u8,
    pub(super) retains: bool,
    pub(super) has_subscription_ids: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { max_packet: usize::MAX, max_qos: 2, retains: true, has_subscription_ids: true }
    }
}

/// The client's end.
pub struct MqttSession {
    pub(super) config: Config,
    pub(super) phase: Phase,
    pub(super) version: Version,
    decoder: Decoder,
    is_stream: bool,
    pub(super) server: String,
    pub(super) kept: Kept,
    /// Whether what is kept has changed and is not on its way to the disk.
    pub(super) is_dirty: bool,
    pub(super) inbound: Inbound,
    pub(super) outbound: Outbound,
    pub(super) limits: Limits,
    pub(super) chat: Chat,
    pub(super) topics: Topics,
    pub(super) devices: Devices,
    pub(super) copies: Copies,
    /// What came in this turn, for the topics.
    pub(super) seen: Publications,
    /// Packets to send at the end of this turn.
    out: Vec<u8>,
    /// Keep-alive, in milliseconds; 0 for none.
    pub(super) keep_alive_ms: u64,
    sent_at: BootMs,
    probed_at: Option<BootMs>,
    pub(super) online_since: Option<BootMs>,
    pub(super) outputs: VecDeque<Output>,
}

impl MqttSession {
    /// Begins a session. `entropy`: fresh random bytes.
    pub fn new(config: Config, saved: &Saved, entropy: [u8; 32]) -> Self {
        let mut kept = Kept::read(saved.state.as_deref());
        let is_new = kept.client_id.is_empty();
        if is_new {
            // MQTT-3.1.3-5: all servers take 23 letters and digits.
            let bytes: [u8; 8] = std::array::from_fn(|at| entropy[at] ^ entropy[at + 16]);
            kept.client_id = format!("duplex{:016x}", u64::from_be_bytes(bytes));
        }
        let given = &config.options.client_id;
        let client_id = if given.is_empty() { &kept.client_id } else { given }.clone();
        let name = [&config.options.name, &config.user, &client_id].into_iter().find(|name| !name.is_empty());
        let options = &config.options;
        let name = name.cloned().unwrap_or_default();
        let chat = Chat::new(&options.chat, options.chat_qos, name, client_id, entropy);
        let devices = Devices::new(config.memory.clone(), &config.options.merged, chat.sender().clone());
        MqttSession {
            phase: Phase::New,
            version: Version::V5,
            decoder: Decoder::default(),
            is_stream: false,
            server: String::new(),
            inbound: Inbound::new(kept.taken.clone()),
            outbound: Outbound::new(kept.twice.clone()),
            topics: Topics::new(kept.subscriptions(&config.options)),
            kept,
            is_dirty: is_new,
            limits: Limits::default(),
            chat,
            devices,
            copies: Copies::default(),
            seen: Publications::new(Time::default()),
            out: Vec::new(),
            keep_alive_ms: u64::from(KEEP_ALIVE_S) * 1_000,
            sent_at: BootMs(0),
            probed_at: None,
            online_since: None,
            outputs: VecDeque::new(),
            config,
        }
    }

    pub(super) fn event(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event, None));
    }

    pub(super) fn note(&mut self, note: Note) {
        self.event(Event::Log(crate::model::event::LogEvent::Note(note)));
    }

    /// Sends a packet at the end of this turn.
    pub(super) fn transmit(&mut self, packet: &[u8]) {
        self.out.extend_from_slice(packet);
    }

    pub(super) fn set_version(&mut self, version: Version) {
        self.version = version;
        self.decoder.set_version(version);
    }

    pub(super) fn close(&mut self, why: Why) {
        self.phase = Phase::Ended;
        self.outputs.push_back(Output::Close { code: NORMAL, why });
    }

    fn received(&mut self, now: Time, frame: &Frame) -> Result<(), WireError> {
        let mut bytes = match frame {
            Frame::Binary(bytes) => bytes.as_slice(),
            // A stream has no text; its pieces may be UTF-8 by chance.
            Frame::Text(text) if self.is_stream => text.as_bytes(),
            Frame::Text(_) => {
                let detail = "a WebSocket message of MQTT must be binary".to_owned();
                return Err(WireError::Violation { detail });
            }
        };
        let mut decoder = std::mem::take(&mut self.decoder);
        let mut result = Ok(());
        while self.phase != Phase::Ended && result.is_ok() {
            result = match decoder.next(&mut bytes) {
                Ok(Some(packet)) => self.packet(now, packet),
                Ok(None) => break,
                Err(malformed) => Err(self.malformed(&malformed)),
            };
        }
        decoder.set_version(self.version);
        self.decoder = decoder;
        result
    }

    /// What the server sent cannot be read. Version 5 tells it so.
    fn malformed(&mut self, malformed: &Malformed) -> WireError {
        let code = if matches!(malformed, Malformed::TooLarge { .. }) { 0x95 } else { 0x81 };
        self.transmit(&encode::disconnect(self.version, code));
        WireError::Violation { detail: malformed.to_string() }
    }

    fn packet(&mut self, now: Time, packet: Packet<'_>) -> Result<(), WireError> {
        let violation = |detail: &str| Err(WireError::Violation { detail: detail.to_owned() });
        match (self.phase, packet) {
            (Phase::Connecting, Packet::Connack(connack)) => self.connack(now, connack),
            (_, Packet::Disconnect { code, said, reference }) => self.disconnected(code, said, reference),
            (_, Packet::Auth) => self.close(Why::Mqtt { code: 0x8C, said: String::new() }),
            (Phase::Online, Packet::Publish(publish)) => return self.publication(now, &publish),
            (Phase::Online, Packet::Ack(ack)) => self.acked(now, &ack),
            (Phase::Online, Packet::Granted { id, codes, said }) => self.granted(id, &codes, &said),
            (Phase::Online, Packet::Pong) => {
                if let Some(at) = self.probed_at.take() {
                    self.outputs.push_back(Output::RoundTrip(now.boot_ms.since(at)));
                }
            }
            (Phase::Online, Packet::Connack(_)) => return violation("a second CONNACK"),
            _ => return violation("the server sends something before CONNACK"),
        }
        Ok(())
    }

    fn ping(&mut self) {
        self.transmit(&encode::PING);
    }

    /// When something must be sent (MQTT-3.1.2-22): a little early, because it takes a while to arrive.
    fn ping_at(&self) -> Option<BootMs> {
        let is_due = self.phase == Phase::Online && self.keep_alive_ms > 0;
        is_due.then(|| self.sent_at.saturating_add(self.keep_alive_ms - self.keep_alive_ms / 4))
    }

    /// What came in this turn is passed on, then what must be on disk, then what depends on it.
    fn finish(&mut self, now: Time) {
        self.tell_seen(now);
        self.tell_devices();
        while let Some((kind, id)) = self.inbound.next_ack() {
            self.transmit(&encode::ack(kind, id));
        }
        self.pump(now);
        if self.outbound.twice() != &self.kept.twice {
            self.kept.twice.clone_from(self.outbound.twice());
            self.is_dirty = true;
        }
        if std::mem::take(&mut self.is_dirty) {
            self.outputs.push_back(Output::Persist(self.kept.write()));
        }
        if !self.out.is_empty() {
            let frame = Frame::Binary(std::mem::take(&mut self.out));
            self.sent_at = now.boot_ms;
            // What ends the connection comes last.
            let is_close = |output: &Output| matches!(output, Output::Close { .. });
            let at = self.outputs.iter().position(is_close).unwrap_or(self.outputs.len());
            self.outputs.insert(at, Output::Send(frame, None));
        }
    }

    /// Passes on what was seen of topics.
    pub(super) fn tell_seen(&mut self, now: Time) {
        if !self.seen.is_empty() {
            let seen = std::mem::replace(&mut self.seen, Publications::new(now));
            self.event(Event::Topic(TopicEvent::Seen(seen.into())));
        }
    }
}

impl Session for MqttSession {
    fn handle(&mut self, now: Time, input: Input) -> Result<(), WireError> {
        self.seen.received = now;
        let result = match input {
            Input::Opened(agreed) => {
                self.is_stream = agreed.is_stream;
                self.server.clone_from(&agreed.server);
                self.opened(now);
                Ok(())
            }
            Input::Frame(frame) => self.received(now, &frame),
            Input::Request(request) => {
                self.request(now, request);
                Ok(())
            }
            Input::Committed(mark) => {
                self.inbound.committed(mark);
                Ok(())
            }
            Input::Tick => {
                if self.ping_at().is_some_and(|at| now.boot_ms >= at) {
                    self.ping();
                }
                if self.devices.deadline().is_some_and(|at| now.boot_ms >= at) {
                    self.devices.tick(now);
                }
                Ok(())
            }
            Input::Closed(_) => {
                self.ended();
                return Ok(());
            }
            Input::Pong | Input::Flushed(_) | Input::StoodStill(_) => Ok(()),
        };
        self.finish(now);
        result
    }

    fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn deadline(&self) -> Option<BootMs> {
        let of_devices = self.devices.deadline().filter(|_| self.phase == Phase::Online);
        [self.ping_at(), of_devices].into_iter().flatten().min()
    }

    fn must_send_at(&self) -> Option<BootMs> {
        self.ping_at()
    }

    fn goodbye(&mut self) -> Option<Frame> {
        if self.phase != Phase::Online {
            return None;
        }
        let mut bytes = Vec::new();
        if self.tells_presence() {
            let mut gone = self.chat.own_presence(false);
            gone.qos = crate::model::publication::Qos::AtMostOnce;
            bytes = encode::publish(self.version, &gone, None, false).unwrap_or_default();
        }
        bytes.extend(encode::disconnect(self.version, 0));
        Some(Frame::Binary(bytes))
    }

    fn saved(&self) -> Saved {
        let mut kept = self.kept.clone();
        kept.twice.clone_from(self.outbound.twice());
        Saved { state: Some(kept.write()), ..Saved::default() }
    }

    fn quiet_ms(&self) -> Option<u64> {
        Some(QUIET_MS)
    }

    fn explain(&mut self, now: Time, why: Why) -> Why {
        self.why_ended(now, why)
    }

    /// Close codes are the server's own. A version that the server does not know is not the last word while there is another.
    fn is_final(&self, why: &Why) -> bool {
        match why {
            Why::Closed { .. } => false,
            Why::Mqtt { code: 0x84, .. } => !self.kept.falls_back,
            why => !why.is_retryable(),
        }
    }
}

impl MqttSession {
    /// Whether others are told that we are there.
    pub(super) fn tells_presence(&self) -> bool {
        self.config.options.chats && self.config.is_seen && self.limits.retains
    }

    /// Asks for a sign of life.
    pub(super) fn probe(&mut self, now: Time) {
        self.probed_at.get_or_insert(now.boot_ms);
        self.ping();
    }
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
