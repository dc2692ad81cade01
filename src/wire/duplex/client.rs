//! The client's end of a Duplex conversation.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use data_encoding::HEXLOWER;

use super::message::{
    self, ClientMessage, Decoded, END_OF_OFFSETS, Hello, HubMessage, Lists, MAX_FRAME_BYTES, Malformed,
    Redeem, Start, VERSIONS, Welcome, close,
};
use super::readings::{self, Names, Received};
use super::{deflate, limits, proof};
use crate::frame::Frame;
use crate::model::event::{
    ChatEvent, DeviceEvent, Follows, LinkEvent, Listed, LogEvent, LogKind, LogRestart, Person,
};
use crate::model::link_state::{Closing, Why};
use crate::model::log::Note;
use crate::model::message::MAX_BODY_BYTES;
use crate::model::profile::Secret;
use crate::model::time::BootMs;
use crate::model::{
    Command, CommandRefusal, CommandState, Content, DeviceId, DeviceState, Draft, Entry, Event, Feature,
    Features, MessageId, Offset, PrincipalKind, Readings, Refusal, ResumePoint, Sender, SeriesPage, Time,
};
use crate::wire::{
    ChatRequest, DeviceRequest, Input, Mark, Output, Request, Saved, SavedState, Session, WireError,
};

/// How long a "somebody is typing" is believed, in milliseconds.
pub const TYPING_MS: u64 = 6_000;

/// Maximum number of rooms, of people and of read markers taken from one welcome and what follows of its lists.
pub const MAX_LISTED: usize = 131_072;
/// Maximum length of what is quoted of a message that is not of this protocol, in characters.
const MAX_EXCERPT_CHARS: usize = 200;
/// A hub that says nothing for so long is asked for a sign of life, in milliseconds.
pub const QUIET_MS: u64 = 25_000;
/// Maximum number of places in the log that are remembered until they are committed.
const MAX_MARKS: usize = 4_096;
/// Maximum number of rooms whose making has no answer yet.
const MAX_ROOMS_BEING_MADE: usize = 64;

/// How a client comes in.
#[derive(Clone)]
pub enum Credentials {
    /// The transport carries the token in the handshake's `Authorization` header.
    InHeader,
    /// The hello carries it.
    Token(Secret),
    /// An invite is redeemed.
    Invite {
        /// Its code.
        code: Secret,
        /// The name people will see.
        name: String,
        /// The token to be known by from then on: 64 hexadecimal digits, made by the client.
        token: Secret,
    },
    /// The hub must prove itself before it is told the token.
    Prove {
        /// The data directory's secret.
        secret: [u8; 32],
        /// `host:port` as dialed.
        address: String,
        /// The token.
        token: Secret,
    },
    /// None: to learn whether a Duplex server answers.
    Nobody,
    /// No hello: only whether this invite is good.
    CheckInvite {
        /// Its code.
        code: Secret,
    },
}

/// Which of them, without a secret.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Credentials::InHeader => "InHeader",
            Credentials::Token(_) => "Token(…)",
            Credentials::Invite { .. } => "Invite(…)",
            Credentials::Prove { .. } => "Prove(…)",
            Credentials::Nobody => "Nobody",
            Credentials::CheckInvite { .. } => "CheckInvite(…)",
        })
    }
}

/// What a session needs to begin.
#[derive(Clone, Debug)]
pub struct Config {
    /// The program and its version, for people.
    pub client: String,
    /// How to come in.
    pub credentials: Credentials,
    /// How much longer than one dial it may take to open the transport; see [`Dialing::race_ms`].
    pub race_ms: u64,
    /// Whether to be told of all devices.
    pub watch: bool,
    /// Whether the transport can compress frames, and read compressed ones.
    pub compresses: bool,
}

/// Where the conversation is.
enum Phase {
    New,
    /// Hello is sent; a proof is awaited where there was a challenge.
    Greeting {
        challenge: Option<String>,
    },
    Online,
    Ended,
}

/// The client's end.
pub struct ClientSession {
    config: Config,
    phase: Phase,
    saved: SavedState,
    /// What the client holds once a mark is committed, oldest first.
    marks: VecDeque<(Mark, ResumePoint)>,
    next_mark: u64,
    epoch_and_next: Option<(crate::model::Epoch, Offset)>,
    head: Offset,
    max_body: u64,
    nonce: [u8; 32],
    sends: u64,
    /// The next send is the first after a refusal.
    retry: bool,
    /// What the hub offers.
    features: Features,
    me: Option<Sender>,
    /// Whether more of the welcome's lists is due, and how much of each may come yet.
    lists_left: Option<[usize; 3]>,
    /// Rooms that the hub was asked to make, and has not answered for.
    making: VecDeque<MessageId>,
    pings: u64,
    ping_sent_at: Option<(u64, BootMs)>,
    /// The first message before the welcome that was none of this protocol's.
    strange: Option<String>,
    names: Names,
    outputs: VecDeque<Output>,
}

impl ClientSession {
    /// Begins a conversation. `nonce` must be fresh and random where the hub has to prove itself.
    pub fn new(config: Config, saved: Saved, nonce: [u8; 32]) -> Self {
        ClientSession {
            config,
            phase: Phase::New,
            saved: saved.log,
            marks: VecDeque::new(),
            next_mark: 1,
            epoch_and_next: None,
            head: Offset(0),
            max_body: MAX_BODY_BYTES as u64,
            nonce,
            sends: 0,
            retry: false,
            features: Features::default(),
            me: None,
            lists_left: None,
            making: VecDeque::new(),
            pings: 0,
            ping_sent_at: None,
            strange: None,
            names: Names::default(),
            outputs: VecDeque::new(),
        }
    }

    fn send(&mut self, message: &ClientMessage) {
        self.outputs.push_back(Output::Send(message::encode(message), None));
    }

    fn event(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event, None));
    }

    fn end(&mut self, code: u16, why: Why) {
        self.phase = Phase::Ended;
        self.outputs.push_back(Output::Close { code, why });
    }

    fn hello(&mut self) {
        let features = if self.config.compresses { &[deflate::WORD][..] } else { &[] };
        let mut hello = Hello {
            features: Features::new(features.iter().copied()),
            versions: VERSIONS,
            client: self.config.client.clone(),
            token: None,
            invite: None,
            challenge: None,
            resume: self.saved.resume,
            // "Only what comes from now on" is any offset beyond the newest.
            since: self.saved.since.map(|since| since.min(END_OF_OFFSETS - 1)),
        };
        match &self.config.credentials {
            Credentials::InHeader | Credentials::Nobody => {}
            Credentials::CheckInvite { code } => {
                let code = code.reveal().into();
                self.phase = Phase::Greeting { challenge: None };
                return self.send(&ClientMessage::CheckInvite { code });
            }
            Credentials::Token(token) => hello.token = Some(token.reveal().to_owned()),
            Credentials::Invite { code, name, token } => {
                hello.invite = Some(Redeem {
                    code: code.reveal().to_owned(),
                    name: name.clone(),
                    token: token.reveal().to_owned(),
                });
            }
            Credentials::Prove { .. } => hello.challenge = Some(HEXLOWER.encode(&self.nonce)),
        }
        self.phase = Phase::Greeting { challenge: hello.challenge.clone() };
        self.send(&ClientMessage::Hello(hello));
    }

    fn frame(&mut self, now: Time, frame: &Frame) -> Result<(), WireError> {
        if let (Phase::Online, Frame::Text(text)) = (&self.phase, frame)
            && let Some(received) = readings::decode(&mut self.names, text)
        {
            self.readings(received);
            return Ok(());
        }
        match message::decode::<HubMessage>(frame) {
            Ok(Decoded::Known(message)) => self.message(now, message),
            Ok(Decoded::UnknownType(kind)) => {
                self.stranger(&kind, frame);
                Ok(())
            }
            Err(malformed) if matches!(self.phase, Phase::Online) => {
                let detail = malformed.to_string();
                self.outputs.push_back(Output::Unusable);
                self.event(Event::Log(LogEvent::Note(Note::Malformed { detail })));
                Ok(())
            }
            // A message of this protocol with a fault in it, or none at all.
            Err(malformed) => match message::hub_type(frame) {
                true => violation(malformed.to_string()),
                false => {
                    self.end(close::VIOLATION, Why::NotDuplex { said: excerpt(frame) });
                    Ok(())
                }
            },
        }
    }

    /// A type that is not known here may be a later version's; before the welcome it may also be another protocol.
    fn stranger(&mut self, kind: &str, frame: &Frame) {
        if !matches!(self.phase, Phase::Greeting { .. }) {
            return;
        }
        if matches!(kind, "hello" | "check_invite" | "auth") {
            // It repeats what it is sent.
            return self.end(close::VIOLATION, Why::NotDuplex { said: String::new() });
        }
        self.strange.get_or_insert_with(|| excerpt(frame));
    }

    fn readings(&mut self, received: Result<Received, Malformed>) {
        let detail = match received {
            Ok(Received { readings, left_out }) => {
                if !readings.samples.is_empty() || readings.conflated > 0 {
                    self.event(Event::Device(DeviceEvent::Readings(Arc::new(readings))));
                }
                left_out.map(|left_out| left_out.to_string())
            }
            Err(malformed) => {
                self.outputs.push_back(Output::Unusable);
                Some(malformed.to_string())
            }
        };
        if let Some(detail) = detail {
            self.event(Event::Log(LogEvent::Note(Note::Malformed { detail })));
        }
    }

    fn message(&mut self, now: Time, message: HubMessage) -> Result<(), WireError> {
        match (&self.phase, message) {
            (Phase::Ended | Phase::New, _) => Ok(()),
            (_, HubMessage::Bye { code, reason, retry_after_ms }) => {
                let why = match why_of_close(code, reason, retry_after_ms) {
                    // It was known a moment ago.
                    Why::Unauthorized if matches!(self.phase, Phase::Online) => Why::Withdrawn,
                    why => why,
                };
                self.end(1000, why);
                Ok(())
            }
            (Phase::Greeting { .. }, HubMessage::Error { code, .. })
                if code == "unknown_type"
                    && matches!(self.config.credentials, Credentials::CheckInvite { .. }) =>
            {
                // It knows no such question.
                self.end(
                    1000,
                    Why::Closed {
                        code: Some(1000),
                        reason: String::new(),
                        retry_after_ms: None,
                        closing: Closing::ByServer,
                    },
                );
                Ok(())
            }
            (Phase::Greeting { .. }, HubMessage::InviteGood { hub, expires })
                if matches!(self.config.credentials, Credentials::CheckInvite { .. }) =>
            {
                self.event(Event::Link(LinkEvent::InviteGood { server: hub, until: limits::time(expires) }));
                self.end(
                    1000,
                    Why::Closed {
                        code: Some(1000),
                        reason: String::new(),
                        retry_after_ms: None,
                        closing: Closing::ByServer,
                    },
                );
                Ok(())
            }
            (_, HubMessage::Error { code, detail }) => {
                self.event(Event::Log(LogEvent::Note(Note::ServerError { code, detail })));
                Ok(())
            }
            (Phase::Greeting { challenge }, HubMessage::Proof { mac }) => {
                let challenge = challenge.clone();
                self.proof(challenge, &mac)
            }
            (Phase::Greeting { challenge: Some(_) }, HubMessage::Welcome(_)) => {
                // It welcomes whoever comes, so it does not know our secret.
                self.end(1000, Why::Impostor);
                Ok(())
            }
            (Phase::Greeting { .. }, HubMessage::Welcome(welcome)) => self.welcome(now, welcome),
            (Phase::Greeting { .. }, _) => violation("a message before the welcome".to_owned()),
            (Phase::Online, message) => self.online(now, message),
        }
    }

    fn proof(&mut self, challenge: Option<String>, mac: &str) -> Result<(), WireError> {
        let (Some(challenge), Credentials::Prove { secret, address, token }) =
            (challenge, &self.config.credentials)
        else {
            return violation("a proof that was not asked for".to_owned());
        };
        if !proof::verify(secret, address, &challenge, mac) {
            self.end(1000, Why::Impostor);
            return Ok(());
        }
        let auth = ClientMessage::Auth { token: token.reveal().into() };
        self.send(&auth);
        self.phase = Phase::Greeting { challenge: None };
        Ok(())
    }

    fn welcome(&mut self, now: Time, welcome: Welcome) -> Result<(), WireError> {
        if !(VERSIONS.0..=VERSIONS.1).contains(&welcome.version) {
            let theirs = (welcome.version, welcome.version);
            self.end(close::NO_COMMON_VERSION, Why::NoCommonVersion { ours: VERSIONS, theirs });
            return Ok(());
        }
        // A device publishes; there is no log for it.
        let is_device = welcome.me.kind == PrincipalKind::Device;
        let why = match (welcome.start, self.saved.resume) {
            _ if is_device => None,
            (Start::Resumed, Some(resume)) => {
                if welcome.epoch != resume.epoch || welcome.from != resume.offset + 1 {
                    return violation("a welcome that resumes somewhere else".to_owned());
                }
                None
            }
            (Start::Resumed, None) => return violation("a welcome that resumes nothing".to_owned()),
            (Start::Recent, _) => Some(LogRestart::First),
            (Start::EpochChanged, _) => Some(LogRestart::EpochChanged),
            (Start::Trimmed, _) => Some(LogRestart::Trimmed),
        };
        if welcome.head >= END_OF_OFFSETS || welcome.from == Offset(0) || welcome.from > welcome.head + 1 {
            return violation("a welcome that begins outside of its log".to_owned());
        }
        self.phase = Phase::Online;
        self.epoch_and_next = (!is_device).then_some((welcome.epoch, welcome.from));
        self.head = welcome.head;
        self.max_body = welcome.max_body.min(MAX_BODY_BYTES as u64);
        self.features = welcome.features.unwrap_or_else(Features::all);
        if self.config.compresses && self.features.has_word(deflate::WORD) {
            self.outputs.push_back(Output::Compress);
        }
        self.me = Some(Sender { id: welcome.me.id.clone(), name: welcome.me.name.clone() });
        self.lists_left = Some([MAX_LISTED; 3]);
        let lists =
            Lists { rooms: welcome.rooms, people: welcome.people, read: welcome.read, more: welcome.more };
        let Some(Listed { rooms, people, read, more }) = self.listed(lists) else { return Ok(()) };
        self.outputs.push_back(Output::Online);
        self.event(Event::Link(LinkEvent::Welcomed {
            me: welcome.me,
            server: welcome.hub,
            log: LogKind::Server { head: welcome.head, next: welcome.from },
            now: welcome.now,
            people,
            rooms,
            features: self.features.clone(),
        }));
        if let Some(why) = why {
            // What was held is not of this log: it must not resume there, even if nothing of this one comes.
            self.saved = SavedState { resume: None, since: Some(welcome.from.previous()) };
            self.event(Event::Chat(ChatEvent::LogStarted { epoch: welcome.epoch, from: welcome.from, why }));
        }
        if !read.is_empty() || more {
            self.event(Event::Chat(ChatEvent::Listed(Listed { read, more, ..Listed::default() })));
        }
        if self.config.watch && !is_device && self.features.has(Feature::Devices) {
            self.send(&ClientMessage::Watch);
        }
        self.ping(now);
        Ok(())
    }

    /// Long: one arm for each message.
    fn online(&mut self, now: Time, message: HubMessage) -> Result<(), WireError> {
        match message {
            HubMessage::Log { entries, skip } => return self.log(entries, &skip),
            HubMessage::Lists(lists) => {
                if let Some(listed) = self.listed(lists) {
                    self.event(Event::Chat(ChatEvent::Listed(listed)));
                }
            }
            HubMessage::Ack { id, offset, received, entry, room } => {
                let is_room = self.is_made(id);
                let follows = match (entry, room) {
                    (true, _) => Follows::Entry,
                    (false, Some(room)) if is_room => Follows::OtherRoom(room),
                    (false, _) => Follows::Nothing,
                };
                self.event(Event::Chat(ChatEvent::Acknowledged { id, offset, received, follows }))
            }
            HubMessage::Refused { id, refusal } => self.refused(id, refusal),
            HubMessage::Typing { room, who } => {
                let until = now.boot_ms + TYPING_MS;
                self.event(Event::Chat(ChatEvent::Typing { room, who, until }));
            }
            HubMessage::Presence { who, removed: true, .. } => {
                self.event(Event::Chat(ChatEvent::PersonRemoved(who.id)))
            }
            HubMessage::Presence { who, online, status, .. } => {
                self.event(Event::Chat(ChatEvent::Presence(Person { who, online, status })))
            }
            HubMessage::Managed { id, managed } => {
                self.event(Event::Link(LinkEvent::Managed { id, managed }))
            }
            HubMessage::Read { room, offset } => {
                self.event(Event::Chat(ChatEvent::ReadMarker { room, offset }))
            }
            HubMessage::Unread { room, offset } => {
                self.event(Event::Chat(ChatEvent::MarkedUnread { room, offset }))
            }
            HubMessage::Receipts { room, by, all } => {
                self.event(Event::Chat(ChatEvent::Receipts { room, by, all }))
            }
            HubMessage::History { room, before, entries, complete } => {
                self.event(Event::Chat(ChatEvent::History { room, before, entries, complete }));
            }
            HubMessage::Pong { nonce, sent, .. } => {
                if self.epoch_and_next.is_some_and(|(_, next)| next <= sent) {
                    return violation(format!("entries up to offset {sent} were sent and did not arrive"));
                }
                if nonce > self.pings {
                    self.outputs.push_back(Output::Unusable);
                }
                if let Some((_, sent_at)) = self.ping_sent_at.take_if(|(sent, _)| *sent == nonce) {
                    self.outputs.push_back(Output::RoundTrip(now.boot_ms.since(sent_at)));
                }
            }
            HubMessage::Devices { started, mut devices, more } => {
                devices.retain(|device| limits::is_of_a_hub(device.spec.id.as_str()));
                for device in &mut devices {
                    in_time(device);
                }
                self.event(Event::Device(DeviceEvent::Listed {
                    devices,
                    started: limits::time(started),
                    more,
                }));
            }
            HubMessage::Device { mut device } if limits::is_of_a_hub(device.spec.id.as_str()) => {
                in_time(&mut device);
                self.event(Event::Device(DeviceEvent::Announced(device)));
            }
            HubMessage::DeviceState { device, online, since, reason }
                if limits::is_of_a_hub(device.as_str()) =>
            {
                let since = limits::time(since);
                self.event(Event::Device(DeviceEvent::Presence { device, online, since, reason }));
            }
            // Apps keep these ids for what they say of themselves.
            HubMessage::Device { .. } | HubMessage::DeviceState { .. } => {}
            HubMessage::Command { id, device, property, value, by, expires_in_ms } => {
                self.event(Event::Device(DeviceEvent::CommandGiven {
                    id,
                    device,
                    property,
                    value,
                    by,
                    expires_in_ms,
                }));
            }
            HubMessage::Commanded { command } => {
                self.event(Event::Device(DeviceEvent::Commanded(Box::new(command))))
            }
            HubMessage::Series { device, metric, from, to, step_ms, buckets } => {
                let page = SeriesPage { from, to, step_ms, buckets };
                self.event(Event::Device(DeviceEvent::SeriesPaged { device, metric, page }));
            }
            HubMessage::DeviceLog { device, lines } => {
                self.event(Event::Device(DeviceEvent::Logged { device, lines }))
            }
            HubMessage::PublishRefused { device, code, detail } => {
                self.event(match DeviceId::new(&device) {
                    Ok(device) => Event::Device(DeviceEvent::PublishRefused { device, code, detail }),
                    Err(_) => Event::Log(LogEvent::Note(Note::ServerError { code, detail })),
                });
            }
            // `frame` has read them already.
            HubMessage::Readings { .. } => {}
            HubMessage::Welcome(_) | HubMessage::Proof { .. } | HubMessage::InviteGood { .. } => {
                return violation("a second welcome".to_owned());
            }
            // Taken care of before.
            HubMessage::Bye { .. } | HubMessage::Error { .. } => {}
        }
        Ok(())
    }

    /// A part of the lists, as far as it is due.
    fn listed(&mut self, lists: Lists) -> Option<Listed> {
        let mut left = self.lists_left.take()?;
        let Lists { mut rooms, mut people, mut read, more } = lists;
        let told = [rooms.len(), people.len(), read.len()];
        rooms.truncate(left[0]);
        people.truncate(left[1]);
        read.truncate(left[2]);
        if told != [rooms.len(), people.len(), read.len()] {
            let detail = format!("more than {MAX_LISTED} rooms, people or read markers; the rest is ignored");
            self.event(Event::Log(LogEvent::Note(Note::Malformed { detail })));
        }
        for (left, told) in left.iter_mut().zip(told) {
            *left = left.saturating_sub(told);
        }
        self.lists_left = more.then_some(left);
        let people = people
            .into_iter()
            .map(|p| Person { who: p.who, online: p.online, status: String::new() })
            .collect();
        let read = read.into_iter().map(|read| (read.room, read.offset)).collect();
        Some(Listed { rooms, people, read, more })
    }

    /// What a person wants and the hub does not offer: the hub is not asked, and the answer is as if it had refused.
    fn not_offered(&mut self, now: Time, request: Request) {
        match request {
            Request::Chat(ChatRequest::History { room, .. }) => {
                self.event(Event::Chat(ChatEvent::HistoryFailed { room }))
            }
            Request::Device(DeviceRequest::Series { device, metric, from, to }) => {
                let page = SeriesPage { from, to, step_ms: 0, buckets: Vec::new() };
                self.event(Event::Device(DeviceEvent::SeriesPaged { device, metric, page }));
            }
            Request::Device(DeviceRequest::Log(device)) => {
                self.event(Event::Device(DeviceEvent::Logged { device, lines: Vec::new() }))
            }
            Request::Device(DeviceRequest::Command { id, device, property, value, .. }) => {
                let Some(by) = self.me.clone() else { return };
                let state = CommandState::Refused { why: CommandRefusal::NotAllowed, detail: String::new() };
                let command = Command { id, device, property, value, by, at: now.wall_ms, state };
                self.event(Event::Device(DeviceEvent::Commanded(Box::new(command))));
            }
            _ => {}
        }
    }

    fn refused(&mut self, id: MessageId, refusal: Refusal) {
        // A room that is refused holds no message up.
        let is_room = self.is_made(id);
        self.retry |= !is_room;
        self.event(Event::Chat(ChatEvent::Refused { id, refusal }));
    }

    /// Sends something typed, in the message that its kind has.
    fn deliver(&mut self, draft: Draft) {
        if let Some(room) = draft.room_name() {
            if self.making.len() == MAX_ROOMS_BEING_MADE {
                self.making.pop_front();
            }
            self.making.push_back(draft.id);
            let (id, at) = (draft.id, Some(draft.at));
            return self.send(&ClientMessage::CreateRoom {
                id,
                room,
                at,
                private: draft.content.private().cloned(),
                extra: draft.content.extra().clone(),
            });
        }
        self.sends += 1;
        let retry = std::mem::take(&mut self.retry);
        self.send(&ClientMessage::Send { draft, seq: self.sends, retry });
    }

    /// There is an answer for this. Whether it was a room.
    fn is_made(&mut self, id: MessageId) -> bool {
        let index = self.making.iter().position(|known| *known == id);
        index.and_then(|index| self.making.remove(index)).is_some()
    }

    fn log(&mut self, entries: Vec<Entry>, skip: &[(Offset, Offset)]) -> Result<(), WireError> {
        let (Some((epoch, next)), Some(last)) = (self.epoch_and_next, entries.last()) else {
            return Ok(());
        };
        if !is_gapless(next, &entries, skip) {
            return violation(format!("entries that do not continue at offset {next}"));
        }
        let resume = ResumePoint { epoch, offset: last.offset, id: last.draft.id, received: last.received };
        self.epoch_and_next = Some((epoch, last.offset + 1));
        let live = last.offset > self.head;
        let mark = Mark(self.next_mark);
        self.next_mark += 1;
        if self.marks.len() == MAX_MARKS {
            // A later mark stands for those before it.
            self.marks.pop_front();
        }
        self.marks.push_back((mark, resume));
        if let Some(first) = entries.first().filter(|first| first.offset > next) {
            self.event(Event::Chat(ChatEvent::Skipped { from: next, to: first.offset - 1 }));
        }
        self.outputs.push_back(Output::Event(Event::Chat(ChatEvent::Entries { entries, live }), Some(mark)));
        Ok(())
    }

    /// Everything up to this mark is on disk: that is where the next conversation goes on.
    fn committed(&mut self, mark: Mark) {
        let count = self.marks.partition_point(|(known, _)| *known <= mark);
        if let Some((_, resume)) = self.marks.drain(..count).next_back() {
            self.saved = SavedState { resume: Some(resume), since: None };
        }
    }

    fn request(&mut self, now: Time, request: Request) {
        if !matches!(self.phase, Phase::Online) {
            return;
        }
        if needs(&request).is_some_and(|feature| !self.features.has(feature)) {
            return self.not_offered(now, request);
        }
        match request {
            Request::Chat(ChatRequest::Send(item)) => match self.refusal_of(&item.draft.content) {
                Some(refusal) => {
                    self.event(Event::Chat(ChatEvent::Refused { id: item.draft.id, refusal }));
                }
                None => self.deliver(item.draft),
            },
            Request::Chat(ChatRequest::Typing(room)) => self.send(&ClientMessage::Typing { room }),
            Request::Chat(ChatRequest::Status(text)) => self.send(&ClientMessage::Status { text }),
            Request::Chat(ChatRequest::Read { room, offset }) => {
                self.send(&ClientMessage::Read { room, offset })
            }
            Request::Chat(ChatRequest::Unread { room, offset }) => {
                self.send(&ClientMessage::Unread { room, offset })
            }
            Request::Chat(ChatRequest::Seen { room, first, last }) => {
                self.send(&ClientMessage::Seen { room, first, last })
            }
            Request::Chat(ChatRequest::Receipts(room)) => self.send(&ClientMessage::Receipts { room }),
            Request::Chat(ChatRequest::History { room, before, limit }) => {
                let before = before.min(END_OF_OFFSETS - 1);
                self.send(&ClientMessage::History { room, before, limit });
            }
            Request::Device(DeviceRequest::Announce(spec)) => self.send(&ClientMessage::Announce(spec)),
            Request::Device(DeviceRequest::State { device, online, reason }) => {
                self.send(&ClientMessage::DeviceState { device, online, reason });
            }
            Request::Device(DeviceRequest::Publish(readings)) => self.publish(&readings),
            Request::Device(DeviceRequest::Command { id, device, incarnation, property, value }) => {
                self.send(&ClientMessage::Command { id, device, incarnation, property, value });
            }
            Request::Device(DeviceRequest::CommandResult { id, state }) => {
                self.send(&ClientMessage::CommandResult { id, state })
            }
            Request::Device(DeviceRequest::Series { device, metric, from, to }) => {
                self.send(&ClientMessage::Series { device, metric, from, to });
            }
            Request::Device(DeviceRequest::Log(device)) => self.send(&ClientMessage::DeviceLog { device }),
            Request::Manage { id, what } => self.send(&ClientMessage::Manage { id, what }),
            Request::Probe => self.ping(now),
            // A hub has no topics.
            Request::Topic(_) => {}
        }
    }

    /// Why the hub is not even asked to take this.
    fn refusal_of(&self, content: &Content) -> Option<Refusal> {
        match content {
            // No hub could say which message it was, if the whole frame is larger than it takes.
            _ if content.body().len() as u64 > self.max_body => {
                Some(Refusal::TooLarge { limit: self.max_body })
            }
            Content::Room { .. } if !self.features.has(Feature::CreateRooms) => Some(Refusal::NotAllowed),
            Content::Room { private: Some(_), .. } if !self.features.has(Feature::PrivateRooms) => {
                Some(Refusal::NotAllowed)
            }
            changing if feature_of(changing).is_some_and(|feature| !self.features.has(feature)) => {
                Some(Refusal::UnknownKind { kind: changing.kind().to_owned() })
            }
            Content::Unknown(unknown) if !self.features.has_kind(&unknown.kind) => {
                Some(Refusal::UnknownKind { kind: unknown.kind.clone() })
            }
            _ => None,
        }
    }

    fn publish(&mut self, readings: &Readings) {
        let mut too_large = Vec::new();
        for text in readings::encode_publish(readings, |device| too_large.push(device.clone())) {
            self.outputs.push_back(Output::Send(Frame::Text(text), None));
        }
        for device in too_large {
            let detail = format!("more than {MAX_FRAME_BYTES} bytes at once");
            self.event(Event::Device(DeviceEvent::PublishRefused {
                device,
                code: "too_large".to_owned(),
                detail,
            }));
        }
    }

    fn ping(&mut self, now: Time) {
        self.pings += 1;
        self.ping_sent_at = Some((self.pings, now.boot_ms));
        let nonce = self.pings;
        self.send(&ClientMessage::Ping { nonce, pad: String::new() });
    }
}

impl Session for ClientSession {
    fn handle(&mut self, now: Time, input: Input) -> Result<(), WireError> {
        match input {
            Input::Opened(_) => self.hello(),
            Input::Frame(frame) => return self.frame(now, &frame),
            Input::Request(request) => self.request(now, request),
            Input::Committed(mark) => self.committed(mark),
            Input::Pong | Input::Flushed(_) | Input::Closed(_) | Input::StoodStill(_) | Input::Tick => {}
        }
        Ok(())
    }

    fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn deadline(&self) -> Option<BootMs> {
        None
    }

    fn saved(&self) -> Saved {
        Saved { log: self.saved.clone(), state: None }
    }

    fn quiet_ms(&self) -> Option<u64> {
        Some(QUIET_MS)
    }

    fn violation_code(&self) -> u16 {
        close::VIOLATION
    }

    fn why_overdue(&self) -> Option<Why> {
        let strange = self.strange.as_ref().filter(|_| matches!(self.phase, Phase::Greeting { .. }));
        strange.map(|said| Why::NotDuplex { said: said.clone() })
    }
}

/// Whether entries, with what is skipped, follow each other from this offset on, and end with an entry.
fn is_gapless(mut next: Offset, entries: &[Entry], skip: &[(Offset, Offset)]) -> bool {
    let mut skips = skip.iter().peekable();
    let follows = entries.iter().all(|entry| {
        while let Some((_, to)) =
            skips.next_if(|(from, to)| *from == next && (next..entry.offset).contains(to))
        {
            next = to.next();
        }
        let is_next = entry.offset == next;
        next = entry.offset.next();
        is_next
    });
    follows && skips.next().is_none()
}

/// The beginning of a message that is not of this protocol, for people.
fn excerpt(frame: &Frame) -> String {
    match frame {
        Frame::Text(text) => text.chars().take(MAX_EXCERPT_CHARS).collect(),
        Frame::Binary(bytes) => format!("({} bytes)", bytes.len()),
    }
}

/// What a hub must offer to be sent this.
fn feature_of(content: &Content) -> Option<Feature> {
    match content {
        Content::Edit { .. } => Some(Feature::Edits),
        Content::Delete { .. } => Some(Feature::Deletions),
        Content::Reaction { .. } => Some(Feature::Reactions),
        Content::Pin { .. } => Some(Feature::Pins),
        Content::RoomChange { .. } => Some(Feature::RoomChanges),
        Content::Member { .. } => Some(Feature::Membership),
        Content::Text { .. } | Content::Room { .. } | Content::Unknown(_) => None,
    }
}

/// What a hub must offer to be asked this.
fn needs(request: &Request) -> Option<Feature> {
    match request {
        Request::Chat(ChatRequest::Typing(_)) => Some(Feature::Typing),
        Request::Chat(ChatRequest::Status(_)) => Some(Feature::Status),
        Request::Chat(ChatRequest::Read { .. } | ChatRequest::Unread { .. }) => Some(Feature::Read),
        Request::Chat(ChatRequest::Seen { .. } | ChatRequest::Receipts(_)) => Some(Feature::Receipts),
        Request::Chat(ChatRequest::History { .. }) => Some(Feature::History),
        Request::Device(DeviceRequest::Command { .. }) => Some(Feature::Commands),
        Request::Device(DeviceRequest::Series { .. }) => Some(Feature::DevicePast),
        Request::Device(DeviceRequest::Log(_)) => Some(Feature::DeviceLog),
        Request::Device(DeviceRequest::Announce(_))
        | Request::Device(DeviceRequest::State { .. })
        | Request::Device(DeviceRequest::Publish(_))
        | Request::Device(DeviceRequest::CommandResult { .. }) => Some(Feature::Devices),
        // Who may not do it is refused in words.
        Request::Chat(ChatRequest::Send(_)) | Request::Probe | Request::Manage { .. } | Request::Topic(_) => {
            None
        }
    }
}

/// Brings a hub's times to where two of them have a difference.
fn in_time(device: &mut DeviceState) {
    device.since = limits::time(device.since);
    device.heard = device.heard.map(limits::time);
    for last in &mut device.values {
        (last.at, last.received) = (limits::time(last.at), limits::time(last.received));
    }
}

/// What a hub's close code or bye means to a client.
pub fn why_of_close(code: u16, reason: String, retry_after_ms: Option<u64>) -> Why {
    match code {
        close::UNAUTHORIZED => Why::Unauthorized,
        close::FORBIDDEN => Why::Forbidden,
        close::INVITE_REFUSED => Why::InviteRefused,
        close::NO_COMMON_VERSION => Why::NoCommonVersion { ours: VERSIONS, theirs: versions_in(&reason) },
        _ => Why::Closed { code: Some(code), reason, retry_after_ms, closing: Closing::ByServer },
    }
}

/// The range in a bye's reason, such as `2-3`; (0, 0) where there is none.
fn versions_in(reason: &str) -> (u32, u32) {
    let range = reason.split_once('-').and_then(|(low, high)| Some((low.parse().ok()?, high.parse().ok()?)));
    range.unwrap_or((0, 0))
}

fn violation(detail: String) -> Result<(), WireError> {
    Err(WireError::Violation { detail })
}
