//! [`Client`]: one connection to a server that speaks STOMP: negotiation, heart-beats, subscriptions, receipts and
//! acknowledgements. What messages mean is up to its caller.

use std::collections::{BTreeSet, VecDeque};

use super::acks::{Acks, PREFETCH};
use super::decode::{Decoder, Item};
use super::frame::{Frame, Version};
use super::heart_beat::HeartBeat;
use super::receipts::Receipts;
use super::refused::Complaint;
use crate::frame;
use crate::model::link_state::Why;
use crate::model::profile::Secret;
use crate::model::stomp::{Destination, MAX_DESTINATIONS};
use crate::model::time::BootMs;
use crate::model::{MessageId, Refusal, Time};
use crate::wire::{Agreed, Mark, WireError};
use serde::{Deserialize, Serialize};

/// Maximum number of messages that wait because they are sent one by one.
const MAX_WAITING: usize = 1_024;
/// A server that sends no heart-beats is asked for a sign of life after this much silence, in milliseconds.
const QUIET_MS: u64 = 25_000;
/// How receipts begin: of messages, subscriptions, probes, and the last frame.
const OF_MESSAGE: &str = "m-";
const OF_SUBSCRIPTION: &str = "s-";
const OF_PROBE: &str = "p-";
const OF_GOODBYE: &str = "goodbye";

/// How to connect.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The user; empty for none.
    pub login: String,
    /// The password.
    pub passcode: Option<Secret>,
    /// The virtual host; empty to leave the choice to the server.
    pub host: String,
    /// Further headers of `CONNECT`.
    pub headers: Vec<(String, Secret)>,
    /// What to subscribe to.
    pub destinations: Vec<Destination>,
}

/// A message to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Its id, the same on every attempt.
    pub id: MessageId,
    /// Where to.
    pub destination: String,
    /// The body's type, such as `text/plain`.
    pub content_type: String,
    /// Further headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What a client wants done, or tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Send this; with the id of the message that it carries.
    Send(frame::Frame, Option<MessageId>),
    /// Send a WebSocket ping.
    Ping,
    /// The server accepted the connection, and the subscriptions are on their way.
    Connected,
    /// A message. With a mark: tell [`Client::committed`] when it is on disk.
    Message(Frame, Option<Mark>),
    /// The server has this message.
    Receipted(MessageId),
    /// These were sent, and the server confirms nothing.
    Unconfirmed(Vec<MessageId>),
    /// The server does not take this message.
    Refused(MessageId, Refusal),
    /// The server confirmed a subscription.
    Subscribed(String),
    /// What the server said in an `ERROR`: its message, and its body.
    Error(String, String),
    /// A measured round trip, in milliseconds.
    RoundTrip(u64),
    /// The server sent something unusable.
    Unusable(String),
    /// What [`Client::saved`] returns has changed.
    Changed,
    /// End the connection.
    Close(Why),
}

/// A connection that the server closes so soon after a subscription or message was closed because of it, in milliseconds.
const SOON_MS: u64 = 5_000;
/// So many connections in a row that were closed because of the same thing are enough.
const MAX_CLOSED: u32 = 3;

/// What a server closed connections over, without saying so: RabbitMQ sends no `ERROR` over WebSocket for what its broker
/// refuses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Suspect {
    /// The subscription; empty: the message.
    destination: String,
    message: Option<MessageId>,
    /// How often in a row.
    times: u32,
}

/// What outlives a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Destinations that send no receipts.
    pub without_receipts: BTreeSet<String>,
    /// Whether messages are sent one by one, because the server ended the connection over one of several.
    pub one_by_one: bool,
    /// What the server closed the last connections over.
    pub suspect: Suspect,
}

/// A subscription.
#[derive(Debug)]
struct Subscription {
    number: u64,
    destination: Destination,
    /// Whether the server has not confirmed it.
    is_pending: bool,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Phase {
    New,
    Connecting,
    Online,
    Ended,
}

/// One connection.
pub struct Client {
    config: Config,
    phase: Phase,
    version: Version,
    decoder: Decoder,
    /// Whether the transport is a stream, which has no pings of its own.
    is_stream: bool,
    /// What the server calls itself; may be empty.
    server: String,
    beat: HeartBeat,
    sent_at: BootMs,
    heard_at: BootMs,
    /// When something was last asked of the server that it may refuse.
    asked_at: BootMs,
    subscriptions: Vec<Subscription>,
    next_number: u64,
    receipts: Receipts,
    acks: Acks,
    one_by_one: bool,
    suspect: Suspect,
    waiting: VecDeque<Outgoing>,
    /// Number of the last probe, and when it was sent.
    probe: u64,
    probed_at: Option<BootMs>,
    outputs: VecDeque<Output>,
}

impl Client {
    /// Begins. Nothing is sent before [`Client::opened`].
    pub fn new(config: Config, kept: Kept) -> Client {
        Client {
            config,
            phase: Phase::New,
            version: Version::V1_0,
            decoder: Decoder::default(),
            is_stream: false,
            server: String::new(),
            beat: HeartBeat::default(),
            sent_at: BootMs(0),
            heard_at: BootMs(0),
            asked_at: BootMs(0),
            subscriptions: Vec::new(),
            next_number: 0,
            receipts: Receipts::knowing(kept.without_receipts),
            acks: Acks::default(),
            one_by_one: kept.one_by_one,
            suspect: kept.suspect,
            waiting: VecDeque::new(),
            probe: 0,
            probed_at: None,
            outputs: VecDeque::new(),
        }
    }

    /// The next output.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// What the server calls itself; may be empty.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// The version that was agreed on.
    pub fn version(&self) -> Version {
        self.version
    }

    /// What the next connection begins with.
    pub fn saved(&self) -> Kept {
        Kept {
            without_receipts: self.receipts.without().clone(),
            one_by_one: self.one_by_one,
            suspect: self.suspect.clone(),
        }
    }

    /// Whether a message may be sent again over the next connection without being asked: the server would have told that it
    /// has it.
    pub fn may_resend(&self, id: MessageId) -> bool {
        self.receipts.may_resend(id)
    }

    /// When it needs [`Client::tick`], as boot time in milliseconds.
    pub fn deadline(&self) -> Option<BootMs> {
        if self.phase != Phase::Online {
            return None;
        }
        [self.beat.due(self.sent_at), self.doubt_at()].into_iter().flatten().min()
    }

    /// When a heart-beat is due, as boot time in milliseconds.
    pub fn beat_due(&self) -> Option<BootMs> {
        self.beat.due(self.sent_at).filter(|_| self.phase == Phase::Online)
    }

    /// How long the server may say nothing before it is asked for a sign of life, in milliseconds.
    pub fn quiet_ms(&self) -> Option<u64> {
        Some(self.beat.quiet_ms().unwrap_or(QUIET_MS))
    }

    /// When to look for messages without a receipt. Once the server was asked for a sign of life, its answer brings that up.
    fn doubt_at(&self) -> Option<BootMs> {
        self.receipts.deadline().filter(|_| self.probed_at.is_none())
    }

    /// Sends a frame.
    fn transmit(&mut self, now: Time, frame: &Frame, of: Option<MessageId>) -> Result<(), Refusal> {
        let bytes = frame
            .encode(self.version)
            .map_err(|error| Refusal::Other { code: "bad_message".to_owned(), detail: error.to_string() })?;
        self.sent_at = now.boot_ms;
        let frame = String::from_utf8(bytes)
            .map_or_else(|error| frame::Frame::Binary(error.into_bytes()), frame::Frame::Text);
        self.outputs.push_back(Output::Send(frame, of));
        Ok(())
    }

    fn close(&mut self, why: Why) {
        self.phase = Phase::Ended;
        self.outputs.push_back(Output::Close(why));
    }

    /// The transport is open.
    pub fn opened(&mut self, now: Time, agreed: &Agreed) {
        self.is_stream = agreed.is_stream;
        self.phase = Phase::Connecting;
        self.heard_at = now.boot_ms;
        let versions = Version::ALL.map(Version::number).join(",");
        let mut connect =
            Frame::new("CONNECT").with("accept-version", versions).with("heart-beat", HeartBeat::header());
        // Without one the server takes its default. RabbitMQ refuses a host that is not one of its virtual hosts.
        if !self.config.host.is_empty() {
            connect = connect.with("host", self.config.host.clone());
        }
        if !self.config.login.is_empty() || self.config.passcode.is_some() {
            let passcode = self.config.passcode.as_ref().map_or("", Secret::reveal);
            connect = connect.with("login", self.config.login.clone()).with("passcode", passcode);
        }
        for (name, value) in &self.config.headers {
            connect = connect.with(name.clone(), value.reveal());
        }
        if self.transmit(now, &connect, None).is_err() {
            let detail = "a login, password or header contains a line break or NUL".to_owned();
            self.close(Why::Unsupported { detail });
        }
    }

    /// Something was received.
    ///
    /// # Errors
    /// It is not STOMP, or breaks its rules.
    pub fn received(&mut self, now: Time, frame: &frame::Frame) -> Result<(), WireError> {
        self.heard(now);
        let mut bytes = match frame {
            frame::Frame::Text(text) => text.as_bytes(),
            frame::Frame::Binary(bytes) => bytes,
        };
        if self.phase == Phase::Connecting && matches!(bytes, b"o" | [b'a' | b'c', b'[', ..]) {
            let detail =
                "SockJS answers at this address; its WebSocket is at the same address with /websocket"
                    .to_owned();
            return Err(WireError::Violation { detail });
        }
        while self.phase != Phase::Ended {
            let violation =
                |error: super::decode::Malformed| WireError::Violation { detail: error.to_string() };
            match self.decoder.next(&mut bytes).map_err(violation)? {
                Some(Item::Frame(frame)) => self.frame(now, frame)?,
                Some(Item::HeartBeat) => {}
                None => break,
            }
        }
        if self.phase == Phase::Online && self.receipts.deadline().is_some_and(|at| now.boot_ms >= at) {
            self.find_unconfirmed(now);
        }
        Ok(())
    }

    /// The server answered a ping.
    pub fn pong(&mut self, now: Time) {
        self.heard(now);
        if let Some(at) = self.probed_at.take() {
            self.outputs.push_back(Output::RoundTrip(now.boot_ms.since(at)));
        }
        self.find_unconfirmed(now);
    }

    fn heard(&mut self, now: Time) {
        self.heard_at = now.boot_ms;
    }

    fn frame(&mut self, now: Time, frame: Frame) -> Result<(), WireError> {
        match (self.phase, frame.command.as_str()) {
            (Phase::Connecting, "CONNECTED") => return self.connected(now, &frame),
            (_, "ERROR") => self.error(&frame),
            (Phase::Online, "MESSAGE") => match self.acks.received(&frame, self.version) {
                Ok(mark) => self.outputs.push_back(Output::Message(frame, mark)),
                Err(error) => return Err(WireError::Violation { detail: error.to_string() }),
            },
            (Phase::Online, "RECEIPT") => self.receipt(now, frame.header("receipt-id").unwrap_or_default()),
            (Phase::Connecting, command) => {
                let detail = format!("{command} before CONNECTED");
                return Err(WireError::Violation { detail });
            }
            (_, command) => self.outputs.push_back(Output::Unusable(format!("unexpected {command}"))),
        }
        Ok(())
    }

    fn connected(&mut self, now: Time, frame: &Frame) -> Result<(), WireError> {
        // Servers of version 1.0 send no such header.
        self.version = match frame.header("version") {
            None => Version::V1_0,
            Some(number) => Version::of_number(number).ok_or_else(|| WireError::Violation {
                detail: format!("the server chose version {number:.20}, which was not offered"),
            })?,
        };
        self.decoder.set_version(self.version);
        self.beat = HeartBeat::agreed(frame.header("heart-beat"));
        self.server = frame.header("server").unwrap_or_default().to_owned();
        self.phase = Phase::Online;
        self.outputs.push_back(Output::Connected);
        for destination in self.config.destinations.clone() {
            if !destination.is_for_sending {
                self.subscribe(now, destination);
            }
        }
        Ok(())
    }

    /// Subscribes to a destination, unless it is already. Returns whether it was possible.
    pub fn subscribe(&mut self, now: Time, destination: Destination) -> bool {
        if self.subscriptions.iter().any(|known| known.destination.name == destination.name) {
            return true;
        }
        if self.subscriptions.len() >= MAX_DESTINATIONS {
            return false;
        }
        let number = self.next_number;
        self.next_number += 1;
        // `client` of 1.1 and 1.2 would acknowledge everything before as well; 1.0 has no other.
        let mode = if self.version == Version::V1_0 { "client" } else { "client-individual" };
        let mut frame = Frame::new("SUBSCRIBE")
            .with("id", format!("{OF_SUBSCRIPTION}{number}"))
            .with("destination", destination.name.clone())
            .with("ack", mode)
            .with("receipt", format!("{OF_SUBSCRIPTION}{number}"));
        // RabbitMQ's name for it, and ActiveMQ's.
        for name in ["prefetch-count", "activemq.prefetchSize"] {
            if !destination.headers.iter().any(|(known, _)| known == name) {
                frame = frame.with(name, PREFETCH.to_string());
            }
        }
        frame.headers.extend(destination.headers.iter().cloned());
        if self.transmit(now, &frame, None).is_err() {
            return false;
        }
        self.asked_at = now.boot_ms;
        self.subscriptions.push(Subscription { number, destination, is_pending: true });
        true
    }

    /// Ends a subscription.
    pub fn unsubscribe(&mut self, now: Time, name: &str) {
        let Some(at) = self.subscriptions.iter().position(|known| known.destination.name == name) else {
            return;
        };
        let Subscription { number, destination, .. } = self.subscriptions.remove(at);
        let frame = Frame::new("UNSUBSCRIBE")
            .with("id", format!("{OF_SUBSCRIPTION}{number}"))
            .with("destination", destination.name);
        // What could be subscribed to can be written.
        let _ = self.transmit(now, &frame, None);
    }

    /// The destinations that it began with.
    pub fn destinations(&self) -> &[Destination] {
        &self.config.destinations
    }

    /// Sends a message. Its receipt, its refusal, or that there is no receipt follows as an output.
    pub fn send(&mut self, now: Time, message: Outgoing) {
        if self.one_by_one && self.receipts.under_way().len() > 0 && self.waiting.len() < MAX_WAITING {
            self.waiting.push_back(message);
            return;
        }
        let Outgoing { id, destination, content_type, headers, body } = message;
        let mut frame = Frame::new("SEND")
            .with("destination", destination.clone())
            .with("receipt", format!("{OF_MESSAGE}{id}"))
            .with("id", id.to_string())
            .with("persistent", "true")
            .with("content-type", content_type);
        // ActiveMQ makes a message of bytes of whatever has a length, which readers of text do not understand.
        if !self.server.starts_with("ActiveMQ/") || body.contains(&0) {
            frame = frame.with("content-length", body.len().to_string());
        }
        frame.headers.extend(headers);
        frame.body = body;
        match self.transmit(now, &frame, Some(id)) {
            Ok(()) => {
                self.asked_at = now.boot_ms;
                self.receipts.sent(id, destination, now.boot_ms);
            }
            Err(refusal) => self.outputs.push_back(Output::Refused(id, refusal)),
        }
    }

    /// Sends what belongs to no message of a person, such as who we are. Nothing confirms it.
    ///
    /// # Errors
    /// It cannot be written in this version of the protocol.
    pub fn send_once(
        &mut self,
        now: Time,
        destination: &str,
        content_type: &str,
        body: Vec<u8>,
    ) -> Result<(), Refusal> {
        let mut frame = Frame::new("SEND")
            .with("destination", destination)
            .with("content-type", content_type)
            .with("content-length", body.len().to_string());
        frame.body = body;
        self.transmit(now, &frame, None)
    }

    /// The subscribed destination that a message came over.
    pub fn destination_of(&self, message: &Frame) -> Option<&Destination> {
        let number = message.header("subscription")?.strip_prefix(OF_SUBSCRIPTION)?.parse::<u64>().ok()?;
        let known = self.subscriptions.iter().find(|known| known.number == number);
        known.map(|known| &known.destination)
    }

    /// What is sent one by one: the next, once the one before has its answer.
    fn send_waiting(&mut self, now: Time) {
        if self.receipts.under_way().len() > 0 {
            return;
        }
        match self.waiting.pop_front() {
            Some(next) => self.send(now, next),
            None => self.one_by_one = false,
        }
    }

    fn receipt(&mut self, now: Time, id: &str) {
        if let Some(id) = id.strip_prefix(OF_MESSAGE).and_then(|id| id.parse().ok()) {
            let without = self.receipts.without().len();
            if self.receipts.received(id) {
                self.outputs.push_back(Output::Receipted(id));
                if self.receipts.without().len() != without {
                    self.outputs.push_back(Output::Changed);
                }
                return self.send_waiting(now);
            }
        } else if let Some(number) = id.strip_prefix(OF_SUBSCRIPTION).and_then(|id| id.parse::<u64>().ok()) {
            self.receipts.server_answers();
            if let Some(known) = self.subscriptions.iter_mut().find(|known| known.number == number) {
                known.is_pending = false;
                self.outputs.push_back(Output::Subscribed(known.destination.name.clone()));
                return;
            }
        } else if id.strip_prefix(OF_PROBE).and_then(|id| id.parse().ok()) == Some(self.probe) {
            return self.pong(now);
        }
        self.outputs.push_back(Output::Unusable("a receipt that nobody asked for".to_owned()));
    }

    /// The server ends the connection, and says why. Whatever it is about is refused; what may pass is tried again.
    fn error(&mut self, frame: &Frame) {
        let complaint = Complaint::of(frame);
        self.outputs.push_back(Output::Error(complaint.said.clone(), complaint.detail.clone()));
        if self.phase == Phase::Connecting {
            return self.close(complaint.why(None, !complaint.is_passing()));
        }
        let of = frame.header("receipt-id").unwrap_or_default();
        let number = of.strip_prefix(OF_SUBSCRIPTION).and_then(|id| id.parse::<u64>().ok());
        let id = of.strip_prefix(OF_MESSAGE).and_then(|id| id.parse::<MessageId>().ok());
        let mut under_way = self.receipts.under_way().map(|sent| sent.id);
        let culprit = match (id, under_way.next(), under_way.next()) {
            (Some(id), ..) => self.receipts.under_way().any(|sent| sent.id == id).then_some(id),
            // It can be about nothing else.
            (None, Some(only), None) if number.is_none() => Some(only),
            _ => None,
        };
        drop(under_way);
        let mut pending = self.subscriptions.iter().filter(|known| known.is_pending);
        let subscription = match number {
            Some(number) => pending.find(|known| known.number == number),
            // Servers work in order: they got no further than the first one without a receipt.
            None if id.is_none() && complaint.is_lasting() => pending.next(),
            None => None,
        };
        if let Some(subscription) = subscription.filter(|_| !complaint.is_passing()) {
            let why = complaint.why(Some(subscription.destination.name.clone()), true);
            return self.close(why);
        }
        if let Some(id) = culprit.filter(|_| !complaint.is_passing()) {
            self.receipts.forget(id);
            self.outputs.push_back(Output::Refused(id, complaint.refusal()));
        } else if self.receipts.under_way().len() > 1 && !complaint.is_passing() {
            self.one_by_one = true;
        }
        self.close(complaint.why(None, false));
    }

    /// Asks the server for a sign of life.
    pub fn probe(&mut self, now: Time) {
        if self.phase != Phase::Online {
            return;
        }
        self.probed_at = Some(now.boot_ms);
        if !self.is_stream {
            self.outputs.push_back(Output::Ping);
            return;
        }
        // Changes nothing, and must be answered.
        self.probe += 1;
        let transaction = format!("{OF_PROBE}{}", self.probe);
        for command in ["BEGIN", "ABORT"] {
            let mut frame = Frame::new(command).with("transaction", transaction.clone());
            if command == "ABORT" {
                frame = frame.with("receipt", transaction.clone());
            }
            // These headers can be written in every version.
            let _ = self.transmit(now, &frame, None);
        }
    }

    /// A deadline has passed.
    pub fn tick(&mut self, now: Time) {
        if self.phase != Phase::Online {
            return;
        }
        if self.doubt_at().is_some_and(|at| now.boot_ms >= at) {
            self.find_unconfirmed(now);
            // The server said nothing since: it may be gone.
            if self.doubt_at().is_some_and(|at| now.boot_ms >= at) {
                self.probe(now);
            }
        }
        if self.beat.due(self.sent_at).is_some_and(|at| now.boot_ms >= at) {
            self.sent_at = now.boot_ms;
            self.outputs.push_back(Output::Send(frame::Frame::Text("\n".to_owned()), None));
        }
    }

    fn find_unconfirmed(&mut self, now: Time) {
        let without = self.receipts.without().len();
        let ids = self.receipts.take_unconfirmed(now.boot_ms, self.heard_at);
        if ids.is_empty() {
            return;
        }
        self.outputs.push_back(Output::Unconfirmed(ids));
        if self.receipts.without().len() != without {
            self.outputs.push_back(Output::Changed);
        }
        self.send_waiting(now);
    }

    /// Everything up to this mark is on disk.
    pub fn committed(&mut self, now: Time, mark: Mark) {
        while let Some(ack) = self.acks.next_until(mark) {
            if self.phase == Phase::Online {
                // Unencodable only where the server broke its own rules; it sends the message again.
                let _ = self.transmit(now, &ack, None);
            }
        }
    }

    /// This message needs no place on disk, whatever becomes of those before it.
    pub fn acknowledge(&mut self, now: Time, mark: Mark) {
        if let Some(ack) = self.acks.only(mark).filter(|_| self.phase == Phase::Online) {
            let _ = self.transmit(now, &ack, None);
        }
    }

    /// The server closed the connection without an `ERROR`. What for, if that is known by now.
    pub fn closed(&mut self, now: Time, said: &str) -> Option<Why> {
        let is_soon = now.boot_ms.since(self.asked_at) < SOON_MS;
        let pending = self.subscriptions.iter().find(|known| known.is_pending);
        let destination = pending.map(|known| known.destination.name.clone()).unwrap_or_default();
        let oldest = self.receipts.under_way().next().map(|sent| sent.id);
        let message = oldest.filter(|_| destination.is_empty());
        if self.phase != Phase::Online || !is_soon || (destination.is_empty() && message.is_none()) {
            self.suspect = Suspect::default();
            return None;
        }
        self.one_by_one |= message.is_some() && self.receipts.under_way().len() > 1;
        let is_same = self.suspect.destination == destination && self.suspect.message == message;
        let times = if is_same { self.suspect.times + 1 } else { 1 };
        self.suspect = Suspect { destination, message, times };
        if times < MAX_CLOSED {
            return None;
        }
        let Suspect { destination, message, .. } = std::mem::take(&mut self.suspect);
        let Some(id) = message else {
            return Some(Why::Refused { of: Some(destination), said: said.to_owned(), is_final: true });
        };
        self.receipts.forget(id);
        let detail = format!("the server closed the connection because of it each time: {said}");
        self.outputs.push_back(Output::Refused(id, Refusal::Other { code: "refused".to_owned(), detail }));
        None
    }

    /// The connection has ended: nothing more is sent.
    pub fn ended(&mut self) {
        self.phase = Phase::Ended;
    }

    /// The last frame of a connection that we end.
    pub fn goodbye(&mut self) -> Option<frame::Frame> {
        if self.phase != Phase::Online {
            return None;
        }
        self.phase = Phase::Ended;
        let frame = Frame::new("DISCONNECT").with("receipt", OF_GOODBYE);
        frame
            .encode(self.version)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .map(frame::Frame::Text)
    }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
