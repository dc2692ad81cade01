//! Plain WebSocket: every message is shown as received, in one room. Nothing is expected of the server: it numbers
//! nothing, confirms nothing and identifies nobody. Opening and closing of the socket are rows of the room, too:
//! [`Row`]. On request, messages and readings are recognized instead: [`RecognizedSession`].

mod recognized;
mod unanswered;

use std::collections::VecDeque;

use crate::frame::Frame;
use crate::mapping::{Incoming, Mapping, socket};
use crate::model::event::{ChatEvent, LinkEvent, LogKind};
use crate::model::id::Offset;
use crate::model::link_state::Why;
use crate::model::samples::MAX_SAMPLE_BYTES;
use crate::model::socket_row::{Row, bytes_of, is_binary};
use crate::model::time::BootMs;
use crate::model::{
    Content, Entry, Event, Feature, Features, MessageId, OutboxItem, Principal, PrincipalId, PrincipalKind,
    Refusal, RoomId, Sender, Time,
};
use crate::wire::mapped::Sampler;
use crate::wire::{
    Agreed, ChatRequest, Describe, Described, Input, Output, Request, Saved, Session, WireError,
};

pub use recognized::RecognizedSession;
use unanswered::Unanswered;

/// Maximum size of a message, in bytes of payload.
pub const MAX_FRAME_BYTES: usize = 1024 * 1024;
/// A server that sends nothing for this long is pinged, in milliseconds.
const QUIET_MS: u64 = 25_000;
/// Number of messages that are parsed for samples one after the other; after that, one in this time, in milliseconds: parsing
/// every message would be slow.
const PARSED_AT_ONCE: u64 = 50;
const PARSED_EVERY_MS: u64 = 200;
/// Ids of the server and of ourselves in the room.
const SERVER: &str = "server";
const ME: &str = "me";

/// Configuration of a session.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Subprotocols to offer, in order of preference. A server that chooses none of them is rejected.
    pub subprotocols: Vec<String>,
    /// How messages and readings are recognized; none: everything is shown as received.
    pub mapping: Option<Box<Mapping>>,
}

/// The client's end.
pub struct PlainSession {
    server: Sender,
    /// Generates ids for received messages.
    entropy: [u8; 32],
    received: u64,
    is_open: bool,
    unanswered: Unanswered,
    /// For the person who maps what is received.
    sampler: Sampler,
    /// When a message may be the next sample.
    sample_at: BootMs,
    outputs: VecDeque<Output>,
}

impl PlainSession {
    /// Begins a session. `entropy`: fresh random bytes.
    pub fn new(entropy: [u8; 32]) -> Self {
        PlainSession {
            server: Sender { id: PrincipalId(SERVER.to_owned()), name: String::new() },
            entropy,
            received: 0,
            is_open: false,
            unanswered: Unanswered::default(),
            sampler: Sampler::default(),
            sample_at: BootMs(0),
            outputs: VecDeque::new(),
        }
    }

    fn event(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event, None));
    }

    fn opened(&mut self, now: Time, agreed: Agreed) {
        self.is_open = true;
        self.server.name.clone_from(&agreed.server);
        self.outputs.push_back(Output::Online);
        self.event(Event::Link(LinkEvent::Welcomed {
            me: Principal {
                id: PrincipalId(ME.to_owned()),
                kind: PrincipalKind::Person,
                name: String::new(),
                role: None,
            },
            server: agreed.server.clone(),
            log: LogKind::Local,
            now: now.wall_ms,
            people: Vec::new(),
            rooms: vec![room().into()],
            features: Features::new([Feature::Frames.word()]),
        }));
        let row = Row::Opened { subprotocol: agreed.subprotocol, extensions: agreed.extensions };
        self.show(now, &row);
    }

    /// Shows a row that comes from the server or describes its socket, after messages sent before it.
    fn show(&mut self, now: Time, row: &Row) {
        let mut entries = self.take_sent(now);
        entries.push(row.entry(self.next_id(), room(), self.server.clone(), now.wall_ms));
        self.event(Event::Chat(ChatEvent::Entries { entries, live: true }));
    }

    /// The server sent something, so it may have received what was sent before. It confirms nothing.
    fn take_sent(&mut self, now: Time) -> Vec<Entry> {
        let me = Sender { id: PrincipalId(ME.to_owned()), name: String::new() };
        let entry = |item: OutboxItem| Entry {
            draft: item.draft,
            offset: Offset(0),
            sender: me.clone(),
            received: now.wall_ms,
        };
        self.unanswered.take().into_iter().map(entry).collect()
    }

    /// A few messages are shown to the person who maps them.
    fn sample(&mut self, now: Time, text: &str) {
        if text.len() > MAX_SAMPLE_BYTES || self.received > PARSED_AT_ONCE && now.boot_ms < self.sample_at {
            return;
        }
        self.sample_at = now.boot_ms.saturating_add(PARSED_EVERY_MS);
        for (value, _) in socket::values(text) {
            let incoming = Incoming { source: socket::source(&value), args: std::slice::from_ref(&value) };
            let sample = self.sampler.take(now, &incoming);
            self.outputs.extend(sample.map(|event| Output::Event(event, None)));
        }
    }

    /// A unique id.
    fn next_id(&mut self) -> MessageId {
        self.received += 1;
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.entropy[..8]);
        bytes[8..].copy_from_slice(&self.received.to_be_bytes());
        MessageId::from_random(bytes)
    }

    fn request(&mut self, now: Time, request: Request) {
        match request {
            Request::Chat(ChatRequest::Send(item)) => match frame(&item.draft.content) {
                Ok(frame) => {
                    self.outputs.push_back(Output::Send(frame, Some(item.draft.id)));
                    self.unanswered.given(item);
                }
                Err(refusal) => {
                    self.event(Event::Chat(ChatEvent::Refused { id: item.draft.id, refusal }));
                }
            },
            Request::Probe => self.ping(now),
            other => self.outputs.extend(other.decline().map(|event| Output::Event(event, None))),
        }
    }

    fn ping(&mut self, now: Time) {
        self.unanswered.pinged(now);
        self.outputs.push_back(Output::Ping);
    }

    /// These were sent. A ping will check whether the server is still there.
    fn flushed(&mut self, now: Time, ids: &[MessageId]) {
        if self.unanswered.flushed(now, ids) {
            self.ping(now);
        }
    }

    fn pong(&mut self, now: Time) {
        self.outputs.extend(self.unanswered.pong(now).map(Output::RoundTrip));
        let entries = self.take_sent(now);
        if !entries.is_empty() {
            self.event(Event::Chat(ChatEvent::Entries { entries, live: true }));
        }
    }
}

impl Session for PlainSession {
    fn handle(&mut self, now: Time, input: Input) -> Result<(), WireError> {
        match input {
            Input::Opened(agreed) => self.opened(now, agreed),
            Input::Frame(Frame::Text(text)) => {
                self.sample(now, &text);
                self.show(now, &Row::Text(text));
            }
            Input::Frame(Frame::Binary(bytes)) => self.show(now, &Row::Binary(bytes)),
            Input::Request(request) => self.request(now, request),
            Input::Flushed(ids) => self.flushed(now, &ids),
            Input::Pong => self.pong(now),
            Input::Closed(why) => {
                if self.is_open {
                    // Whether the last messages arrived is unknown; they are not among these rows.
                    self.unanswered.forget();
                    self.show(now, &Row::closed(&why));
                }
            }
            Input::Tick => {
                if self.unanswered.is_due(now) {
                    self.ping(now);
                }
            }
            Input::Committed(_) | Input::StoodStill(_) => {}
        }
        Ok(())
    }

    fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn deadline(&self) -> Option<BootMs> {
        self.unanswered.ping_at()
    }

    fn saved(&self) -> Saved {
        Saved::default()
    }

    fn quiet_ms(&self) -> Option<u64> {
        Some(QUIET_MS)
    }

    fn is_final(&self, why: &Why) -> bool {
        is_final(why)
    }
}

/// Close codes are private to servers and their clients, so only errors of the connection itself are final.
fn is_final(why: &Why) -> bool {
    !matches!(why, Why::Closed { .. }) && !why.is_retryable()
}

/// Describes nothing: the meaning of frames is private to servers and their clients.
pub struct Describer;

impl Describe for Describer {
    fn describe(&mut self, _: &str) -> Described {
        Described::default()
    }
}

/// The only room.
pub fn room() -> RoomId {
    RoomId::messages()
}

/// The frame that content is sent as.
///
/// # Errors
/// Why it cannot be sent.
fn frame(content: &Content) -> Result<Frame, Refusal> {
    let Content::Text { body, extra } = content else {
        return Err(Refusal::UnknownKind { kind: content.kind().to_owned() });
    };
    let frame = match is_binary(extra) {
        true => Frame::Binary(
            bytes_of(body).map_err(|detail| Refusal::Other { code: "bad_message".to_owned(), detail })?,
        ),
        false => Frame::Text(body.clone()),
    };
    match frame.len() > MAX_FRAME_BYTES {
        true => Err(Refusal::TooLarge { limit: MAX_FRAME_BYTES as u64 }),
        false => Ok(frame),
    }
}
