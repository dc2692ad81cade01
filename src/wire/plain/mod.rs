//! Plain WebSocket: every message as it comes, in one room. The server is a stranger of whom nothing is expected: it numbers
//! nothing, confirms nothing and names nobody. What is said of the socket itself, how it opened and how it ended, is a row
//! of the room, too: [`row`].

pub mod row;

use std::collections::VecDeque;

use crate::frame::Frame;
use crate::model::event::{ChatEvent, LinkEvent, LogKind};
use crate::model::link_state::Why;
use crate::model::{
    Entry, Event, Feature, Features, MessageId, OutboxItem, Principal, PrincipalId, PrincipalKind, RoomId,
    Sender, Time,
};
use crate::wire::{
    Agreed, ChatRequest, Describe, Described, DeviceRequest, Input, Output, Request, Saved, Session,
    WireError,
};
use row::Row;

/// Largest message that is taken, in bytes of payload.
pub const MAX_FRAME_BYTES: usize = 1024 * 1024;
/// A server that says nothing for so long is pinged, in milliseconds.
const QUIET_MS: u64 = 25_000;
/// After so long without a word from the server, a ping finds out whether it got what was sent, in milliseconds.
const WORD_MS: u64 = 500;
/// With so many messages of which that is not known, the ping does not wait.
const MAX_WITHOUT_WORD: usize = 16;
/// The server's own id in its room, and ours.
const SERVER: &str = "server";
const ME: &str = "me";

/// What a session needs to begin.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Subprotocols to offer, in this order. A server that chooses none of them is refused.
    pub subprotocols: Vec<String>,
}

/// The client's end.
pub struct PlainSession {
    server: Sender,
    /// Makes the ids of what is received.
    entropy: [u8; 32],
    received: u64,
    is_open: bool,
    /// Given to the transport, and not known to have left it.
    sending: VecDeque<OutboxItem>,
    /// Sent, and nothing heard since.
    without_word: VecDeque<OutboxItem>,
    /// When to ping because of these.
    ping_at: Option<u64>,
    /// When the ping that has no answer yet was sent.
    pinged_at: Option<u64>,
    outputs: VecDeque<Output>,
}

impl PlainSession {
    /// Begins a conversation. `entropy`: fresh random bytes.
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

    /// Shows a row that comes from the server or says something of its socket, after what was sent before it.
    fn show(&mut self, now: Time, row: &Row) {
        let mut entries = self.take_sent(now);
        entries.push(row.entry(self.next_id(), room(), self.server.clone(), now.wall_ms));
        self.event(Event::Chat(ChatEvent::Entries { entries, live: true }));
    }

    /// The server said something, so that it may have what was sent before. It confirms nothing.
    fn take_sent(&mut self, now: Time) -> Vec<Entry> {
        self.ping_at = None;
        let me = Sender { id: PrincipalId(ME.to_owned()), name: String::new() };
        let entry = |item: OutboxItem| Entry {
            draft: item.draft,
            offset: 0,
            sender: me.clone(),
            received: now.wall_ms,
        };
        self.without_word.drain(..).map(entry).collect()
    }

    /// An id that no other entry has.
    fn next_id(&mut self) -> MessageId {
        self.received += 1;
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.entropy[..8]);
        bytes[8..].copy_from_slice(&self.received.to_be_bytes());
        MessageId::from_random(bytes)
    }

    fn request(&mut self, now: Time, request: Request) {
        match request {
            Request::Chat(ChatRequest::Send(item)) => match row::frame(&item.draft.content) {
                Ok(frame) => {
                    self.outputs.push_back(Output::Send(frame, Some(item.draft.id)));
                    self.sending.push_back(item);
                }
                Err(refusal) => {
                    self.event(Event::Chat(ChatEvent::Refused { id: item.draft.id, refusal }));
                }
            },
            Request::Chat(ChatRequest::History { room, .. }) => {
                self.event(Event::Chat(ChatEvent::HistoryFailed { room }));
            }
            Request::Probe => self.ping(now),
            // There is nobody to tell, and nothing to ask.
            Request::Chat(ChatRequest::Typing(_) | ChatRequest::Status(_) | ChatRequest::Read { .. })
            | Request::Manage { .. }
            | Request::Device(
                DeviceRequest::Announce(_)
                | DeviceRequest::State { .. }
                | DeviceRequest::Publish(_)
                | DeviceRequest::Command { .. }
                | DeviceRequest::CommandResult { .. }
                | DeviceRequest::Series { .. }
                | DeviceRequest::Log(_),
            ) => {}
        }
    }

    fn ping(&mut self, now: Time) {
        self.ping_at = None;
        self.pinged_at = Some(now.boot_ms);
        self.outputs.push_back(Output::Ping);
    }

    /// These went out. Whether the server is still there to get them is found out before long.
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
            self.outputs.push_back(Output::RoundTrip(now.boot_ms.saturating_sub(at)));
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
                    // Whether what was sent last arrived is not known: it is not of these rows.
                    self.without_word.clear();
                    self.show(now, &Row::closed(&why));
                }
            }
            Input::Tick => {
                if self.ping_at.is_some_and(|at| now.boot_ms >= at) {
                    self.ping(now);
                }
            }
            Input::Committed(_) => {}
        }
        Ok(())
    }

    fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn deadline(&self) -> Option<u64> {
        self.ping_at
    }

    fn saved(&self) -> Saved {
        Saved::default()
    }

    fn quiet_ms(&self) -> Option<u64> {
        Some(QUIET_MS)
    }

    /// What a code means is between a server and its own clients: only what is wrong with the connection itself is final.
    fn is_final(&self, why: &Why) -> bool {
        !matches!(why, Why::Closed { .. }) && !why.is_retryable()
    }
}

/// Says nothing of a frame: whatever it means is between the server and its own clients.
pub struct Describer;

impl Describe for Describer {
    fn describe(&mut self, _: &str) -> Described {
        Described::default()
    }
}

/// The one room.
pub fn room() -> RoomId {
    RoomId::messages()
}
