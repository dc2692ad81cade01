//! [`RecognizedSession`]: a plain WebSocket whose messages are recognized by a [`Mapping`]: chat, people and readings. What has no
//! meaning is shown as received.

use std::collections::VecDeque;

use super::unanswered::Unanswered;
use super::{MAX_FRAME_BYTES, QUIET_MS, is_final, room};
use crate::frame::Frame;
use crate::mapping::{Mapping, Outgoing, socket, text_of};
use crate::model::event::ChatEvent;
use crate::model::link_state::Why;
use crate::model::socket_row::Row;
use crate::model::time::BootMs;
use crate::model::{Entry, Event, OutboxItem, Refusal, Time};
use crate::wire::mapped::{Mapped, Place};
use crate::wire::{Agreed, ChatRequest, Input, Output, Request, Saved, SavedState, Session, WireError};

/// How long what the mapping remembers may wait to be written, in milliseconds.
const PERSIST_MS: u64 = 200;

/// The client's end.
pub struct RecognizedSession {
    mapped: Mapped,
    unanswered: Unanswered,
    /// When to save what the mapping remembers.
    persist_at: Option<BootMs>,
    outputs: VecDeque<Output>,
}

impl RecognizedSession {
    /// Begins a session. `entropy`: fresh random bytes.
    pub fn new(mapping: Mapping, saved: &Saved, entropy: [u8; 32]) -> Self {
        // If the connection spoke another protocol before, this is that protocol's state.
        let state = saved.state.as_deref().and_then(|bytes| serde_json::from_slice(bytes).ok());
        RecognizedSession {
            mapped: Mapped::of_socket(mapping, entropy, state.as_ref()),
            unanswered: Unanswered::default(),
            persist_at: None,
            outputs: VecDeque::new(),
        }
    }

    fn event(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event, None));
    }

    fn opened(&mut self, now: Time, agreed: &Agreed) {
        self.outputs.push_back(Output::Online);
        let welcomed = self.mapped.opened(now, &agreed.server, vec![room().into()], &[]);
        self.event(welcomed);
        self.event(Mapped::no_devices(now));
        for outgoing in self.mapped.join() {
            self.outputs.push_back(Output::Send(Frame::Text(text_of(&outgoing.args)), None));
        }
    }

    fn frame(&mut self, now: Time, frame: Frame) {
        let events = match frame {
            Frame::Text(text) => self.read(now, &text),
            Frame::Binary(bytes) => match std::str::from_utf8(&bytes) {
                Ok(text) if text.starts_with(['{', '[']) => self.read(now, text),
                _ => vec![self.binary(now, bytes)],
            },
        };
        // Not before: one of ours that comes back is no longer unconfirmed.
        self.take_sent(now);
        events.into_iter().for_each(|event| self.event(event));
        if self.mapped.has_state() {
            self.persist_at.get_or_insert(now.boot_ms.saturating_add(PERSIST_MS));
        }
    }

    fn read(&mut self, now: Time, text: &str) -> Vec<Event> {
        let mut events = Vec::new();
        for (value, text) in socket::values(text) {
            events.extend(self.mapped.received_on_socket(now, &value, text));
        }
        events
    }

    fn binary(&mut self, now: Time, bytes: Vec<u8>) -> Event {
        let (text, extra) = Row::Binary(bytes).content();
        self.mapped.notice(now, &room(), &text, extra)
    }

    /// The server sent something, so it may have received what was sent before. It confirms nothing.
    fn take_sent(&mut self, now: Time) {
        let sent = self.unanswered.take();
        let entries = sent.into_iter().filter_map(|item| self.mapped.unconfirmed(now, item.draft.id));
        let entries: Vec<Entry> = entries.collect();
        if !entries.is_empty() {
            self.event(Event::Chat(ChatEvent::Entries { entries, live: true }));
        }
    }

    fn request(&mut self, now: Time, request: Request) {
        match request {
            Request::Chat(ChatRequest::Send(item)) => {
                let id = item.draft.id;
                if let Err(refusal) = self.send(now, item) {
                    self.mapped.delivered(now, id);
                    self.event(Event::Chat(ChatEvent::Refused { id, refusal }));
                }
            }
            Request::Probe => self.ping(now),
            other => self.outputs.extend(other.decline().map(|event| Output::Event(event, None))),
        }
    }

    fn send(&mut self, now: Time, item: OutboxItem) -> Result<(), Refusal> {
        let outgoing: Outgoing = self.mapped.typed(now, &Place::only(), &item)?;
        let text = text_of(&outgoing.args);
        if text.len() > MAX_FRAME_BYTES {
            return Err(Refusal::TooLarge { limit: MAX_FRAME_BYTES as u64 });
        }
        self.outputs.push_back(Output::Send(Frame::Text(text), Some(item.draft.id)));
        self.unanswered.given(item);
        Ok(())
    }

    fn ping(&mut self, now: Time) {
        self.unanswered.pinged(now);
        self.outputs.push_back(Output::Ping);
    }

    fn state(&self) -> Option<Vec<u8>> {
        Some(self.mapped.state()?.to_string().into_bytes())
    }

    fn tick(&mut self, now: Time) {
        if self.unanswered.is_due(now) {
            self.ping(now);
        }
        if self.persist_at.is_some_and(|at| now.boot_ms >= at) {
            self.persist_at = None;
            self.outputs.extend(self.state().map(Output::Persist));
        }
    }
}

impl Session for RecognizedSession {
    fn handle(&mut self, now: Time, input: Input) -> Result<(), WireError> {
        match input {
            Input::Opened(agreed) => self.opened(now, &agreed),
            Input::Frame(frame) => self.frame(now, frame),
            Input::Request(request) => self.request(now, request),
            Input::Flushed(ids) => {
                if self.unanswered.flushed(now, &ids) {
                    self.ping(now);
                }
            }
            Input::Pong => {
                self.outputs.extend(self.unanswered.pong(now).map(Output::RoundTrip));
                self.take_sent(now);
            }
            Input::Closed(_) => self.unanswered.forget(),
            Input::Tick => self.tick(now),
            Input::Committed(_) | Input::StoodStill(_) => {}
        }
        Ok(())
    }

    fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn deadline(&self) -> Option<BootMs> {
        [self.unanswered.ping_at(), self.persist_at].into_iter().flatten().min()
    }

    fn saved(&self) -> Saved {
        Saved { log: SavedState::default(), state: self.state() }
    }

    fn quiet_ms(&self) -> Option<u64> {
        Some(QUIET_MS)
    }

    fn is_final(&self, why: &Why) -> bool {
        is_final(why)
    }
}
