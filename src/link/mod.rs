//! [`Link`]: one connection's life as a sans-IO state machine: dial, handshake, online, wait, stop; backoff, heartbeat
//! and the outbox's window. It owns no clock, no socket and no disk: all come in by [`Input`] and go out by [`Output`].
//!
//! Mutate once with [`Link::handle`], then drain [`Link::poll`]. Exactly one function leaves `Online`: `fall`.

pub mod backoff;
pub mod durable;
mod inbound;
pub mod outbox;
mod size;
pub mod watch;

use std::collections::VecDeque;

use crate::frame::Frame;
use crate::model::event::{ChatEvent, DeviceEvent, Follows, LinkEvent, LogKind, LogRestart, Paused};
use crate::model::link_state::{Closing, LinkState, Phase, Why};
use crate::model::proxy::ProxyUsed;
use crate::model::route::RouteInUse;
use crate::model::time::BootMs;
use crate::model::time::WallMs;
use crate::model::{Delivery, Event, MessageId, Offset, OutboxItem, PrincipalId, Refusal, RoomId, Time};
use crate::wire::{self, Agreed, ChatRequest, Open, Request, Saved, Session};

use backoff::Jitter;
use inbound::InboundFilter;
use outbox::{Batch, Outbox};
use watch::Watch;

/// Deadline for dial and handshake together, in milliseconds; more where several ways are tried, see
/// [`wire::Dialing::race_ms`].
pub const CONNECT_MS: u64 = 10_000;
/// A probe unanswered for this long means that the link is dead. In milliseconds.
pub const PONG_MS: u64 = 10_000;
/// The same if something suggests that the link is dead: the computer woke up, or a device fell silent.
pub const PROBE_MS: u64 = 2_000;
/// A message unacknowledged for this long means that the server lost its state. In milliseconds.
pub const ACK_MS: u64 = 30_000;
/// Minimum pause in sending after a temporary refusal, in milliseconds.
pub const MIN_HOLD_MS: u64 = 500;
/// Maximum pause in sending after a temporary refusal, in milliseconds.
pub const MAX_HOLD_MS: u64 = 600_000;
/// Maximum time ahead at which a server's time is shown, in milliseconds: a year.
const MAX_SHOWN_MS: u64 = 366 * 86_400_000;
/// Maximum random delay added to the time a hub asked for, in milliseconds, so that clients do not all return at once.
const MAX_HOLD_JITTER_MS: u64 = 5_000;
/// Online for at least this long makes a link stable. In milliseconds.
pub const STABLE_MS: u64 = 10_000;
/// How often in a row a link that was lost before it was stable begins a new outage, which is retried quickly: a server
/// that restarts several times. One that welcomes and drops everybody is not to be dialed several times a second for long.
pub const MAX_QUICK_RETURNS: u32 = 8;
/// Online for at least this long clears an earlier violation. In milliseconds.
const TRUSTED_MS: u64 = 600_000;

/// A session's mark, and the dial whose connection it belongs to.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The dial's number.
    pub dial: u64,
    /// The session's own number.
    pub mark: wire::Mark,
}

/// An input of the link.
#[derive(Clone, Debug)]
pub enum Input {
    /// The person (or the start of the app) wants this connection: dial at once, or probe if it is up.
    Start,
    /// The person no longer wants it.
    Stop,
    /// The transport of this dial is open.
    Opened {
        /// The dial's number.
        dial: u64,
        /// Fresh random bytes.
        entropy: [u8; 32],
        /// What was negotiated with the server.
        agreed: Agreed,
    },
    /// The dial failed, or its connection ended.
    Closed {
        /// The dial's number.
        dial: u64,
        /// Why.
        why: Why,
    },
    /// A frame was received.
    Frame {
        /// The dial's number.
        dial: u64,
        /// The frame.
        frame: Frame,
    },
    /// The frames of this dial's connection travel another way from now on.
    Routed {
        /// The dial's number.
        dial: u64,
        /// Which.
        used: RouteInUse,
    },
    /// Number of frames handed to the operating system over this dial's connection.
    Flushed {
        /// The dial's number.
        dial: u64,
        /// Counted from the connection's first frame.
        frames: u64,
    },
    /// The server answered a WebSocket ping.
    Pong {
        /// The dial's number.
        dial: u64,
    },
    /// A queued item is on disk.
    Queued(OutboxItem),
    /// An item queued in an earlier run of the program is on disk.
    Restored(OutboxItem),
    /// These are marked on disk as attempted.
    Attempted(Vec<MessageId>),
    /// This mark and all before it are on disk.
    Committed(Mark),
    /// A request to the server; dropped unless online.
    Request(Request),
    /// Probe or dial at once: the computer woke up, the network changed, the window got the focus. Does not start links
    /// that are off or stopped.
    Nudge,
    /// We stopped or resumed reading from the socket. While it is not read, no timer runs against the server.
    HeldBack(bool),
    /// The deadline has passed.
    Tick,
}

/// An output of the link. Carry them out in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Dial this URL and answer with `Opened` or `Closed` of this number. Replaces every earlier dial.
    Dial {
        /// Its number.
        dial: u64,
        /// The URL.
        url: String,
    },
    /// Send this over the current dial's connection.
    Send(Frame),
    /// Send a WebSocket ping over the current dial's connection.
    Ping,
    /// The server reads compressed frames over the current dial's connection.
    Compress,
    /// Close the current dial or connection with this code.
    Hangup {
        /// The close code.
        code: u16,
    },
    /// An event. With a mark: commit it, then report `Committed`.
    Event(Event, Option<Mark>),
    /// Save this for the next session, in the same transaction as the events before it. Frames after it are sent once
    /// it is on disk.
    Persist(Vec<u8>),
    /// Mark these as attempted on disk, then report `Attempted`.
    MarkAttempted(Vec<MessageId>),
}

/// One connection's life.
pub struct Link {
    urls: Vec<String>,
    url: usize,
    /// Indexes of the address that last led to the server, and of the one tried last besides it.
    good: Option<usize>,
    other: usize,
    /// Number of dials in a row at which the certificate was not the server's.
    untrusted: usize,
    setup: Box<dyn Open>,
    /// Whether a lost connection is dialed again.
    reconnects: bool,
    /// What the next session resumes with, unless `past` has newer state.
    saved: Saved,
    me: Option<PrincipalId>,
    state: LinkState,
    /// The current dial's number; inputs of older ones are ignored.
    dial: u64,
    /// The proxy of the connection that opened last.
    proxy: Option<ProxyUsed>,
    session: Option<Box<dyn Session>>,
    /// The previous session, with its dial's number: what was received over it may still be on its way to the disk.
    past: Option<(u64, Box<dyn Session>)>,
    /// Number of frames given to this dial's connection, and the messages that may not have been sent, each with the
    /// number of its last frame.
    frames: u64,
    unflushed: VecDeque<(u64, MessageId)>,
    outbox: Outbox,
    jitter: Jitter,
    failures: u32,
    /// Number of connections in a row that were lost before they were stable.
    returns: u32,
    violations: u32,
    down_since: BootMs,
    online_since: BootMs,
    connect_by: BootMs,
    heard_at: BootMs,
    pong_by: Option<BootMs>,
    /// Deadline for the answer to the oldest unanswered message.
    ack_by: Option<BootMs>,
    /// No message is sent before this boot time, because the hub temporarily refused one.
    hold: Option<BootMs>,
    /// A message was refused for good: nothing is sent until everything under way has been answered, since what was sent
    /// behind it is refused, too, and goes first.
    is_settling: bool,
    watch: Watch,
    gate: InboundFilter,
    /// Since when nothing is read from the socket.
    held_since: Option<BootMs>,
    /// Offset of the next entry of the log; earlier ones do not come.
    log_next: Offset,
    outputs: VecDeque<Output>,
}

impl Link {
    /// A link that is off. `urls` are tried in turn; `seed` is for jitter.
    pub fn new(
        urls: Vec<String>,
        setup: Box<dyn Open>,
        saved: Saved,
        me: Option<PrincipalId>,
        seed: u64,
    ) -> Self {
        Link {
            urls,
            url: 0,
            good: None,
            other: 0,
            untrusted: 0,
            setup,
            reconnects: true,
            saved,
            me,
            state: LinkState::Idle,
            dial: 0,
            session: None,
            past: None,
            frames: 0,
            proxy: None,
            unflushed: VecDeque::new(),
            outbox: Outbox::default(),
            jitter: Jitter::new(seed),
            failures: 0,
            returns: 0,
            violations: 0,
            down_since: BootMs(0),
            online_since: BootMs(0),
            connect_by: BootMs(0),
            heard_at: BootMs(0),
            pong_by: None,
            ack_by: None,
            hold: None,
            is_settling: false,
            watch: Watch::default(),
            gate: InboundFilter::default(),
            held_since: None,
            log_next: Offset(0),
            outputs: VecDeque::new(),
        }
    }

    /// Whether nothing is read from the socket; see [`Input::HeldBack`].
    pub fn is_held_back(&self) -> bool {
        self.held_since.is_some()
    }

    /// Adds rooms known from earlier, which the server may refer to.
    pub fn know_rooms<'a>(&mut self, rooms: impl IntoIterator<Item = &'a RoomId>) {
        rooms.into_iter().for_each(|room| self.gate.know_room(room));
    }

    /// Whether the server confirms what it has stored.
    pub fn confirms(&self) -> bool {
        let learned = self.session.as_ref().and_then(|session| session.confirms());
        learned.unwrap_or_else(|| self.setup.confirms(&self.saved))
    }

    /// The number of the current dial.
    pub fn current_dial(&self) -> u64 {
        self.dial
    }

    /// Numbers later dials after this one.
    pub fn count_dials_from(&mut self, dial: u64) {
        self.dial = self.dial.max(dial);
    }

    /// The connection's state.
    pub fn state(&self) -> &LinkState {
        &self.state
    }

    /// Whether an item queued now would be sent at once, so that it can be stored as attempted in the first place.
    pub fn would_send_now(&self) -> bool {
        self.state.is_online() && self.hold.is_none() && !self.is_settling && self.outbox.is_clear()
    }

    /// Whether a room still has to be made.
    pub fn is_unmade(&self, room: &RoomId) -> bool {
        self.outbox.is_unmade(room)
    }

    /// Why a room was not made.
    pub fn refusal_of_room(&self, room: &RoomId) -> Option<&Refusal> {
        self.outbox.refusal_of_room(room)
    }

    /// Items to send again together with a refused one; see [`Outbox::to_send_again`].
    pub fn to_send_again(&self, id: MessageId) -> Vec<MessageId> {
        self.outbox.to_send_again(id)
    }

    /// The item that makes a room is given up. Returns the items typed into the room, which are refused by this.
    pub fn strand(&mut self, room: &RoomId) -> Vec<MessageId> {
        self.outbox.strand(room)
    }

    /// Takes back an item that the hub cannot have seen, or has refused. `None` if the hub may have it.
    pub fn take_back(&mut self, id: MessageId) -> Option<OutboxItem> {
        self.outbox.take_back(id)
    }

    /// Keeps the place of an item that was taken back for editing, until another with its `seq` is queued.
    pub fn keep_place(&mut self, item: OutboxItem) {
        self.outbox.keep_place(item);
    }

    /// Changes the setup from the next dial on.
    pub fn set_setup(&mut self, setup: Box<dyn Open>) {
        self.setup = setup;
    }

    /// Sets whether a lost connection is dialed again automatically.
    pub fn set_reconnects(&mut self, reconnects: bool) {
        self.reconnects = reconnects;
    }

    /// Sets the addresses from the next dial on.
    pub fn set_urls(&mut self, urls: Vec<String>) {
        self.urls = urls;
        (self.url, self.good, self.other, self.untrusted) = (0, None, 0, 0);
    }

    /// The next output; `None` if there is nothing more to do.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When it needs an [`Input::Tick`], as boot time in milliseconds.
    pub fn deadline(&self) -> Option<BootMs> {
        match &self.state {
            LinkState::Idle | LinkState::Stopped { .. } => None,
            LinkState::Handshaking { .. } | LinkState::Online { .. } if self.is_held_back() => {
                self.session.as_ref().and_then(|session| session.must_send_at())
            }
            LinkState::Dialing { .. } => Some(self.connect_by),
            LinkState::Handshaking { .. } => {
                let theirs = self.session.as_ref().and_then(|session| session.deadline());
                Some(theirs.map_or(self.connect_by, |theirs| theirs.min(self.connect_by)))
            }
            LinkState::Waiting { retry_at, .. } => Some(*retry_at),
            LinkState::Online { .. } => {
                let alive_by = self.pong_by.or(self.quiet_at());
                let theirs = self.session.as_ref().and_then(|session| session.deadline());
                let hold = self.hold.filter(|_| !self.outbox.is_in_flight());
                [alive_by, self.ack_by, hold, self.watch.deadline(), theirs].into_iter().flatten().min()
            }
        }
    }

    /// Handles one input; then drain [`Link::poll`].
    pub fn handle(&mut self, now: Time, input: Input) {
        match input {
            Input::Start => {
                if matches!(self.state, LinkState::Idle | LinkState::Stopped { .. }) {
                    (self.failures, self.returns, self.violations) = (0, 0, 0);
                    self.down_since = now.boot_ms;
                    self.dial(now);
                } else {
                    self.nudge(now);
                }
            }
            Input::Stop => self.stop(now),
            Input::Opened { dial, entropy, agreed } => self.opened(now, dial, entropy, agreed),
            Input::Closed { dial, why } => {
                if dial == self.dial && self.has_transport() {
                    self.fall(now, why, None);
                }
            }
            Input::Frame { dial, frame } => {
                if dial == self.dial && self.session.is_some() {
                    self.heard(now, wire::Input::Frame(frame));
                }
            }
            Input::Pong { dial } => {
                if dial == self.dial && self.session.is_some() {
                    self.heard(now, wire::Input::Pong);
                }
            }
            Input::Routed { dial, used } => {
                if dial == self.dial && self.session.is_some() {
                    self.outputs.push_back(Output::Event(Event::Link(LinkEvent::Route(used)), None));
                }
            }
            Input::Flushed { dial, frames } => {
                if dial == self.dial && self.session.is_some() {
                    self.flushed(now, frames);
                }
            }
            Input::Queued(item) => self.outbox.push(item),
            Input::Restored(item) => self.restored(item),
            Input::Attempted(ids) => self.outbox.marked(&ids),
            Input::Committed(mark) => self.committed(now, mark),
            Input::Request(request) => {
                if self.state.is_online() {
                    self.gate.asked(&request);
                    self.tell(now, wire::Input::Request(request));
                }
            }
            Input::Nudge => self.nudge(now),
            Input::HeldBack(true) => _ = self.held_since.get_or_insert(now.boot_ms),
            Input::HeldBack(false) => self.read_on(now),
            Input::Tick => self.tick(now),
        }
        self.deliver(now);
        if self.state.is_online() && !self.is_held_back() && self.watch.wants_round_trip(now) {
            self.probe(now, PROBE_MS);
        }
    }

    /// The server has sent something.
    fn heard(&mut self, now: Time, input: wire::Input) {
        self.heard_at = now.boot_ms;
        self.pong_by = None;
        self.tell(now, input);
    }

    /// When to probe the server, unless it sends something before that.
    fn quiet_at(&self) -> Option<BootMs> {
        let quiet_ms = self.session.as_ref().and_then(|session| session.quiet_ms())?;
        Some(self.heard_at.saturating_add(quiet_ms))
    }

    /// Frames were sent: messages whose last frame is among them count as sent.
    fn flushed(&mut self, now: Time, frames: u64) {
        let count = self.unflushed.partition_point(|(number, _)| *number <= frames);
        let ids: Vec<MessageId> = self.unflushed.drain(..count).map(|(_, id)| id).collect();
        if ids.is_empty() {
            return;
        }
        if !self.confirms() {
            self.outbox.sent(&ids);
            self.outputs.push_back(Output::Event(Event::Chat(ChatEvent::Sent(ids.clone())), None));
            self.ack_by = None;
        }
        self.tell(now, wire::Input::Flushed(ids));
    }

    /// Messages attempted in an earlier run may or may not have arrived. If the server cannot tell, the person decides.
    fn restored(&mut self, item: OutboxItem) {
        let is_tried = matches!(item.delivery, Delivery::Attempted | Delivery::Sent);
        let id = item.draft.id;
        self.outbox.restore(item);
        if is_tried && !self.confirms() {
            self.unsure(vec![id]);
        }
    }

    fn unsure(&mut self, ids: Vec<MessageId>) {
        if !ids.is_empty() {
            self.outbox.unsure(&ids);
            self.outputs.push_back(Output::Event(Event::Chat(ChatEvent::Unsure(ids)), None));
        }
    }

    fn committed(&mut self, now: Time, Mark { dial, mark }: Mark) {
        if dial == self.dial && self.session.is_some() {
            self.tell(now, wire::Input::Committed(mark));
        } else if let Some((_, past)) = self.past.as_mut().filter(|(past, _)| *past == dial) {
            // Without a connection it sends nothing and only keeps state.
            let _ = past.handle(now, wire::Input::Committed(mark));
        }
    }

    /// The socket is read again: the server has as much time left as before.
    fn read_on(&mut self, now: Time) {
        let Some(since) = self.held_since.take() else { return };
        let held_ms = now.boot_ms.since(since);
        self.connect_by += held_ms;
        self.heard_at += held_ms;
        for by in [&mut self.pong_by, &mut self.ack_by].into_iter().flatten() {
            *by += held_ms;
        }
        self.watch.stood_still(now);
        self.tell(now, wire::Input::StoodStill(held_ms));
    }

    fn has_transport(&self) -> bool {
        matches!(
            self.state,
            LinkState::Dialing { .. } | LinkState::Handshaking { .. } | LinkState::Online { .. }
        )
    }

    fn set_state(&mut self, state: LinkState) {
        self.state = state;
        self.outputs.push_back(Output::Event(Event::Link(LinkEvent::State(self.state.clone())), None));
    }

    fn dial(&mut self, now: Time) {
        let Some(url) = self.urls.get(self.url).cloned() else {
            let why = Why::BadUrl { detail: "no address".to_owned() };
            return self.set_state(LinkState::Stopped { why });
        };
        self.dial += 1;
        self.connect_by = now.boot_ms + CONNECT_MS + self.setup.dialing().race_ms;
        self.set_state(LinkState::Dialing { attempt: self.failures + 1 });
        self.outputs.push_back(Output::Dial { dial: self.dial, url });
    }

    fn opened(&mut self, now: Time, dial: u64, entropy: [u8; 32], agreed: Agreed) {
        if dial != self.dial || !matches!(self.state, LinkState::Dialing { .. }) {
            return;
        }
        if let Some((_, past)) = self.past.take() {
            self.saved = past.saved();
        }
        self.session = Some(self.setup.open(self.saved.clone(), entropy));
        self.gate.begin();
        // Whatever the race took, the handshake takes no longer than otherwise.
        self.connect_by = self.connect_by.min(now.boot_ms + CONNECT_MS);
        self.set_state(LinkState::Handshaking { attempt: self.failures + 1 });
        if let Some(used) = agreed.route {
            self.outputs.push_back(Output::Event(Event::Link(LinkEvent::Route(used)), None));
        }
        if self.proxy != agreed.proxy {
            self.proxy.clone_from(&agreed.proxy);
            let proxy = agreed.proxy.clone().map(Box::new);
            self.outputs.push_back(Output::Event(Event::Link(LinkEvent::Proxy(proxy)), None));
        }
        self.tell(now, wire::Input::Opened(agreed));
    }

    /// Gives the session an input and handles its outputs.
    fn tell(&mut self, now: Time, input: wire::Input) {
        let Some(session) = &mut self.session else { return };
        let result = session.handle(now, input);
        let mut end = None;
        while let Some(output) = self.session.as_mut().and_then(|session| session.poll()) {
            match output {
                wire::Output::Send(frame, of) => {
                    self.frames += 1;
                    self.unflushed.extend(of.map(|id| (self.frames, id)));
                    self.outputs.push_back(Output::Send(frame));
                }
                wire::Output::Ping => self.outputs.push_back(Output::Ping),
                wire::Output::Compress => self.outputs.push_back(Output::Compress),
                wire::Output::Event(event, mark) => self.event(now, event, mark),
                wire::Output::Persist(state) => {
                    self.outputs.push_back(Output::Persist(state));
                }
                wire::Output::Online => self.online(now),
                wire::Output::RoundTrip(ms) => self.round_trip(now, ms),
                wire::Output::Unusable => self.gate.strike(now),
                wire::Output::Close { code, why } => end = Some((code, why)),
            }
        }
        let too_many = self.gate.violation().map(|detail| wire::WireError::Violation { detail });
        if let Err(wire::WireError::Violation { detail }) = result.and(too_many.map_or(Ok(()), Err)) {
            let why = Why::Violation { detail };
            let code = self.session.as_ref().map_or(1000, |session| session.violation_code());
            end.get_or_insert((code, why));
        }
        if let Some((code, why)) = end {
            self.fall(now, why, Some(code));
        }
    }

    fn online(&mut self, now: Time) {
        self.online_since = now.boot_ms;
        self.set_state(LinkState::Online { since: now.wall_ms, rtt_ms: None });
    }

    fn round_trip(&mut self, now: Time, ms: u64) {
        if let LinkState::Online { since, .. } = self.state {
            self.set_state(LinkState::Online { since, rtt_ms: Some(ms) });
            for (device, since) in self.watch.answered(now) {
                self.outputs
                    .push_back(Output::Event(Event::Device(DeviceEvent::Silent { device, since }), None));
            }
        }
    }

    /// Updates the outbox and the watch after an event of the session.
    fn event(&mut self, now: Time, event: Event, mark: Option<wire::Mark>) {
        let Some(event) = self.gate.pass(now, &self.outbox, &self.watch, event) else { return };
        self.watch.handle(now, &event);
        match &event {
            Event::Link(LinkEvent::Welcomed { me, log, .. }) => {
                self.me = Some(me.id.clone());
                if let LogKind::Server { head, next } = *log {
                    self.outbox.welcomed(head);
                    self.log_next = next;
                }
            }
            Event::Chat(ChatEvent::Acknowledged { id, follows, .. }) if *follows != Follows::Entry => {
                if let Follows::OtherRoom(room) = follows {
                    self.gate.know_room(room);
                }
                self.outbox.done(*id, follows);
                self.ack_by = None;
            }
            Event::Chat(ChatEvent::Acknowledged { id, offset, received, .. }) => {
                let delivery = Delivery::Acknowledged { offset: *offset, received: *received };
                self.outbox.acknowledged(*id, delivery);
                if *offset < self.log_next {
                    // Stored earlier, at an offset that the log has passed: its entry will not come back.
                    self.outbox.remove(*id);
                }
                self.ack_by = None;
            }
            Event::Chat(ChatEvent::Refused { id, refusal })
                if refusal.retry_after_ms().is_some() && self.outbox.postpones(*id, refusal) =>
            {
                return self.postpone(now, *id, refusal);
            }
            Event::Chat(ChatEvent::Refused { id, refusal }) => {
                self.is_settling |= !self.outbox.is_room(*id);
                self.outbox.refused(*id, refusal);
                self.ack_by = None;
            }
            Event::Chat(ChatEvent::LogStarted { from, why, .. }) => {
                self.log_next = *from;
                if *why != LogRestart::First {
                    self.outbox.passed_by(Offset::MAX);
                }
            }
            Event::Chat(ChatEvent::Entries { entries, .. }) if !self.outbox.is_empty() => {
                self.log_next = entries.last().map_or(self.log_next, |last| last.offset + 1);
                for entry in entries.iter().filter(|entry| Some(&entry.sender.id) == self.me.as_ref()) {
                    self.outbox.remove(entry.draft.id);
                    self.ack_by = None;
                }
                self.outbox.passed_by(entries.last().map_or(Offset(0), |entry| entry.offset));
            }
            Event::Chat(ChatEvent::Entries { entries, .. }) => {
                self.log_next = entries.last().map_or(self.log_next, |last| last.offset + 1);
            }
            _ => {}
        }
        let dial = self.dial;
        self.outputs.push_back(Output::Event(event, mark.map(|mark| Mark { dial, mark })));
    }

    /// Pauses sending until the hub accepts messages again and everything under way has been answered: what is sent
    /// later must not be stored first.
    fn postpone(&mut self, now: Time, id: MessageId, refusal: &Refusal) {
        let Some(unseen) = self.outbox.postponed(id) else { return };
        self.ack_by = None;
        self.outputs.push_back(Output::Event(Event::Chat(ChatEvent::Postponed { id, unseen }), None));
        let asked_ms = refusal.retry_after_ms().unwrap_or(0);
        if self.is_settling && asked_ms == 0 {
            // It was sent behind one that was refused for good.
            return;
        }
        let (wait_ms, shown_ms) = (asked_ms.clamp(MIN_HOLD_MS, MAX_HOLD_MS), asked_ms.min(MAX_SHOWN_MS));
        // Messages under way are refused with the rest of the same pause.
        if self.hold.is_some_and(|until| until >= now.boot_ms + wait_ms) {
            return;
        }
        let until = now.boot_ms + wait_ms + self.jitter.up_to((wait_ms / 8).min(MAX_HOLD_JITTER_MS));
        self.hold = Some(until);
        // Trying earlier is harmless: it is refused again.
        let until = WallMs(now.wall_ms.0.saturating_add_unsigned((until - now.boot_ms).max(shown_ms)));
        let paused = Paused { refusal: refusal.clone(), until };
        self.outputs.push_back(Output::Event(Event::Link(LinkEvent::Paused(Some(paused))), None));
    }

    /// Whether sending is paused.
    fn is_held(&mut self, now: Time) -> bool {
        self.is_settling &= self.outbox.is_in_flight();
        let Some(until) = self.hold else { return self.is_settling };
        if now.boot_ms < until || self.outbox.is_in_flight() {
            return true;
        }
        self.hold = None;
        self.outputs.push_back(Output::Event(Event::Link(LinkEvent::Paused(None)), None));
        false
    }

    /// The only way out of `Online`. `code`: the close code to send, if we end the connection.
    fn fall(&mut self, now: Time, mut why: Why, code: Option<u16>) {
        if let Some(session) = &mut self.session {
            why = session.explain(now, why);
        }
        inbound::shorten(&mut why);
        self.count_failure(now);
        self.outputs.push_back(Output::Hangup { code: code.unwrap_or(1000) });
        let is_final = match &self.session {
            Some(session) => session.is_final(&why),
            None => !why.is_retryable(),
        };
        self.last_words(now, &why);
        self.end_session();
        self.untrusted = if matches!(why, Why::TlsUntrusted { .. }) { self.untrusted + 1 } else { 0 };
        self.next_url();
        if why.is_violation() {
            self.violations += 1;
        }
        // With several addresses, another server may answer at one of them: only if all of them fail is there nothing
        // to try.
        let elsewhere = self.untrusted > 0 && self.untrusted < self.urls.len();
        // A server that violated the protocol twice in a row will not get it right the third time.
        if (is_final && !elsewhere) || self.violations >= 2 || !self.reconnects {
            return self.set_state(LinkState::Stopped { why });
        }
        let down_ms = now.boot_ms.since(self.down_since);
        let delay = backoff::delay_ms(self.failures, down_ms, why.retry_after_ms(), &mut self.jitter);
        self.set_state(LinkState::Waiting {
            attempt: self.failures,
            retry_at: now.boot_ms + delay,
            down_since: self.down_since,
            why,
        });
    }

    /// Counts the end of a dial or a connection, which may begin a new outage.
    fn count_failure(&mut self, now: Time) {
        let online_ms = self.state.is_online().then(|| now.boot_ms.since(self.online_since));
        if online_ms.is_some_and(|ms| ms >= TRUSTED_MS) {
            self.violations = 0;
        }
        match online_ms {
            Some(STABLE_MS..) => (self.failures, self.returns, self.down_since) = (0, 0, now.boot_ms),
            Some(_) if self.returns < MAX_QUICK_RETURNS => {
                self.returns += 1;
                (self.failures, self.down_since) = (1, now.boot_ms);
            }
            _ => self.failures += 1,
        }
    }

    /// The address that led to the server is tried first, and again between any two of the others.
    fn next_url(&mut self) {
        let count = self.urls.len().max(1);
        if self.state.is_online() {
            self.good = Some(self.url);
            return;
        }
        self.url = match self.good {
            Some(good) if self.url != good => good,
            Some(good) => {
                self.other = (self.other + 1) % count;
                if self.other == good {
                    self.other = (self.other + 1) % count;
                }
                self.other
            }
            None => (self.url + 1) % count,
        };
    }

    fn stop(&mut self, now: Time) {
        if self.has_transport() {
            let goodbye = self.session.as_mut().and_then(|session| session.goodbye());
            self.outputs.extend(goodbye.map(Output::Send));
            self.outputs.push_back(Output::Hangup { code: 1000 });
        }
        let (code, reason) = (Some(1000), String::new());
        let closing = Closing::ByUsUnanswered;
        self.last_words(now, &Why::Closed { code, reason, retry_after_ms: None, closing });
        self.end_session();
        self.dial += 1;
        self.set_state(LinkState::Idle);
    }

    /// Handles the session's last outputs after the end of its connection.
    fn last_words(&mut self, now: Time, why: &Why) {
        let Some(session) = &mut self.session else { return };
        // The connection has ended already.
        let _ = session.handle(now, wire::Input::Closed(why.clone()));
        while let Some(output) = self.session.as_mut().and_then(|session| session.poll()) {
            if let wire::Output::Event(event, mark) = output {
                self.event(now, event, mark);
            }
        }
    }

    /// The connection is gone. Unanswered messages are sent again over the next one; if the server confirms nothing,
    /// the person decides.
    fn end_session(&mut self) {
        let confirms = self.confirms();
        if let Some(session) = self.session.take() {
            self.past = Some((self.dial, session));
        }
        self.watch = Watch::default();
        (self.pong_by, self.ack_by, self.held_since) = (None, None, None);
        self.is_settling = false;
        self.frames = 0;
        self.unflushed.clear();
        let mut ids = self.outbox.under_way_ids();
        if confirms {
            ids.retain(|id| self.past.as_ref().is_some_and(|(_, past)| !past.may_resend(*id)));
        }
        self.unsure(ids);
        self.outbox.disconnected();
    }

    fn nudge(&mut self, now: Time) {
        match &self.state {
            LinkState::Online { .. } => self.probe(now, PROBE_MS),
            LinkState::Waiting { .. } => self.dial(now),
            _ => {}
        }
    }

    /// Probes the server with a deadline of `ms`; the deadline of an earlier probe is only ever shortened.
    fn probe(&mut self, now: Time, ms: u64) {
        let by = now.boot_ms + ms;
        self.pong_by = Some(self.pong_by.map_or(by, |earlier| earlier.min(by)));
        self.tell(now, wire::Input::Request(Request::Probe));
    }

    fn tick(&mut self, now: Time) {
        if self.deadline().is_none_or(|deadline| now.boot_ms < deadline) {
            return;
        }
        match &self.state {
            LinkState::Handshaking { .. } | LinkState::Online { .. } if self.is_held_back() => {
                self.tell(now, wire::Input::Tick);
            }
            LinkState::Dialing { .. } => self.fall(now, Why::TimedOut { during: Phase::Dial }, None),
            LinkState::Handshaking { .. } if now.boot_ms < self.connect_by => {
                self.tell(now, wire::Input::Tick);
            }
            LinkState::Handshaking { .. } => {
                let known = self.session.as_ref().and_then(|session| session.why_overdue());
                self.fall(now, known.unwrap_or(Why::TimedOut { during: Phase::Handshake }), None);
            }
            LinkState::Waiting { .. } => self.dial(now),
            LinkState::Online { .. } => match self.pong_by {
                Some(by) if now.boot_ms >= by => self.fall(now, Why::Silent, None),
                _ if self.ack_by.is_some_and(|by| now.boot_ms >= by) => self.fall(now, Why::Silent, None),
                None if self.quiet_at().is_some_and(|at| now.boot_ms >= at) => self.probe(now, PONG_MS),
                _ => self.tell(now, wire::Input::Tick),
            },
            LinkState::Idle | LinkState::Stopped { .. } => {}
        }
    }

    /// Sends what the outbox may send now.
    fn deliver(&mut self, now: Time) {
        if !self.state.is_online() {
            return;
        }
        let turn = if self.is_held(now) { Batch::default() } else { self.outbox.turn() };
        if !turn.mark.is_empty() {
            self.outputs.push_back(Output::MarkAttempted(turn.mark));
        }
        for item in turn.send {
            self.tell(now, wire::Input::Request(Request::Chat(ChatRequest::Send(item))));
        }
        self.ack_by = (self.state.is_online() && self.outbox.is_in_flight())
            .then(|| self.ack_by.unwrap_or(now.boot_ms + ACK_MS));
    }
}
