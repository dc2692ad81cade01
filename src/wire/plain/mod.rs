//! Plain WebSocket: every message is shown as received, in one room. Nothing is expected of the server: it numbers
//! nothing, confirms nothing and identifies nobody. Opening and closing of the socket are rows of the room, too:
//! [`Row`].

use std::collections::VecDeque;

use crate::frame::Frame;
use crate::model::event::{ChatEvent, LinkEvent, LogKind};
use crate::model::id::Offset;
use crate::model::link_state::Why;
use crate::model::socket_row::{Row, bytes_of, is_binary};
use crate::model::time::BootMs;
use crate::model::{
    Content, Entry, Event, Feature, Features, MessageId, OutboxItem, Principal, PrincipalId, PrincipalKind,
    Refusal, RoomId, Sender, Time,
};
use crate::wire::{
    Agreed, ChatRequest, Describe, Described, Input, Output, Request, Saved, Session, WireError,
};

/// Maximum size of a message, in bytes of payload.
pub const MAX_FRAME_BYTES: usize = 1024 * 1024;
/// A server that sends nothing for this long is pinged, in milliseconds.
const QUIET_MS: u64 = 25_000;
/// If the server sends nothing for this long after a message, a ping checks whether it is still there. In milliseconds.
const WORD_MS: u64 = 500;
/// With this many unchecked messages, the ping is sent at once.
const MAX_WITHOUT_WORD: usize = 16;
/// Ids of the server and of ourselves in the room.
const SERVER: &str = "server";
const ME: &str = "me";

/// Configuration of a session.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Subprotocols to offer, in order of preference. A server that chooses none of them is rejected.
    pub subprotocols: Vec<String>,
}

/// The client's end.
pub struct PlainSession {
    server: Sender,
    /// Generates ids for received messages.
    entropy: [u8; 32],
    received: u64,
    is_open: bool,
    /// Given to the transport, and possibly not sent.
    sending: VecDeque<OutboxItem>,
    /// Sent, but nothing was received since.
    without_word: VecDeque<OutboxItem>,
    /// When to send a ping because of these.
    ping_at: Option<BootMs>,
    /// When the unanswered ping was sent.
    pinged_at: Option<BootMs>,
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
            sending: VecDeque::new(),
            without_word: VecDeque::new(),
            ping_at: None,
            pinged_at: None,
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
        self.ping_at = None;
        let me = Sender { id: PrincipalId(ME.to_owned()), name: String::new() };
        let entry = |item: OutboxItem| Entry {
            draft: item.draft,
            offset: Offset(0),
            sender: me.clone(),
            received: now.wall_ms,
        };
        self.without_word.drain(..).map(entry).collect()
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
                    self.sending.push_back(item);
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
        self.ping_at = None;
        self.pinged_at = Some(now.boot_ms);
        self.outputs.push_back(Output::Ping);
    }

    /// These were sent. A ping will check whether the server is still there.
    fn flushed(&mut self, now: Time, ids: &[MessageId]) {
        let is_flushed = |item: &OutboxItem| ids.contains(&item.draft.id);
        let (flushed, sending) = std::mem::take(&mut self.sending).into_iter().partition(is_flushed);
        self.sending = sending;
        self.without_word.extend::<VecDeque<_>>(flushed);
        if self.without_word.len() >= MAX_WITHOUT_WORD && self.pinged_at.is_none() {
            self.ping(now);
        } else if !self.without_word.is_empty() && self.pinged_at.is_none() {
            self.ping_at.get_or_insert(now.boot_ms.saturating_add(WORD_MS));
        }
    }

    fn pong(&mut self, now: Time) {
        if let Some(at) = self.pinged_at.take() {
            self.outputs.push_back(Output::RoundTrip(now.boot_ms.since(at)));
        }
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
            Input::Frame(Frame::Text(text)) => self.show(now, &Row::Text(text)),
            Input::Frame(Frame::Binary(bytes)) => self.show(now, &Row::Binary(bytes)),
            Input::Request(request) => self.request(now, request),
            Input::Flushed(ids) => self.flushed(now, &ids),
            Input::Pong => self.pong(now),
            Input::Closed(why) => {
                if self.is_open {
                    // Whether the last messages arrived is unknown; they are not among these rows.
                    self.without_word.clear();
                    self.show(now, &Row::closed(&why));
                }
            }
            Input::Tick => {
                if self.ping_at.is_some_and(|at| now.boot_ms >= at) {
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
        self.ping_at
    }

    fn saved(&self) -> Saved {
        Saved::default()
    }

    fn quiet_ms(&self) -> Option<u64> {
        Some(QUIET_MS)
    }

    /// Close codes are private to servers and their clients, so only errors of the connection itself are final.
    fn is_final(&self, why: &Why) -> bool {
        !matches!(why, Why::Closed { .. }) && !why.is_retryable()
    }
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
