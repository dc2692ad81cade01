//! The hub's end of a Duplex conversation, one [`ServerSession`] a client. It owns no log: it asks ([`Ask`]) and is
//! answered ([`Answer`]), so that the simulation and the real hub drive the same code.
//!
//! The log is pulled, not pushed: a session holds a cursor and asks for more only when all it sent before was taken by
//! the socket. A slow reader costs no memory, and a replay is the same code as a live message.

mod devices;
mod rights;

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::sync::Arc;

use super::batch;
pub use super::batch::Batch;
pub use super::exchange::{
    AppendOutcome, Begun, DeviceCommand, HubAccessAnswer, HubAccessRequest, HubAnswer, HubChatAnswer,
    HubChatRequest, HubDeviceAnswer, HubDeviceRequest, HubRequest, Input, LIST_ITEMS, Lists, ListsFrom,
    Output,
};
use super::message::{
    self, ClientMessage, Decoded, Hello, HubMessage, MAX_PAD_BYTES, Malformed, PersonState, ReadState, Start,
    Token, VERSIONS, Welcome, close,
};
use super::readings::{self, Names};
use super::{deflate, limits, proof};
use crate::frame::Frame;
use crate::model::change::is_emoji;
use crate::model::content::{CHANGES, MEMBER, MemberChange};
use crate::model::file::FileLimits;
use crate::model::message::MAX_BODY_BYTES;
use crate::model::principal::MAX_STATUS_CHARS;
use crate::model::rights::Act;
use crate::model::room::MAX_MEMBERS;
use crate::model::time::BootMs;
use crate::model::{
    Content, Draft, Entry, MessageId, Offset, Principal, PrincipalId, PrincipalKind, Refusal, Role, Sender,
    SeriesPage, Time,
};

/// A client that says no hello for so long is closed, in milliseconds.
pub const HELLO_MS: u64 = 5_000;
/// A client that was silent for so long is pinged, in milliseconds.
pub const IDLE_MS: u64 = 45_000;
/// A pinged client that stays silent for so long is closed, in milliseconds.
pub const PONG_MS: u64 = 15_000;
/// Entries sent to a client that holds nothing; older ones are fetched page by page.
pub const RECENT: u64 = 500;
/// Most entries asked for at once.
pub const READ_LIMIT: u32 = 256;
/// Most entries in one page of history.
pub const HISTORY_LIMIT: u32 = 200;
/// Names of devices and metrics that are remembered for one client.
const NAMES: usize = 16_384;
/// Malformed frames after which a client is closed.
const MALFORMED_LIMIT: u32 = 16;
/// How long a client is asked to stay away when the log cannot be written, in milliseconds.
const UNAVAILABLE_MS: u64 = 5_000;

/// What a hub is to all its sessions.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The secret to prove, and the `host:port` it is bound to; none for a hub that proves nothing.
    pub proof: Option<([u8; 32], String)>,
    /// What the hub takes in files; none: it takes no files.
    pub files: Option<FileLimits>,
    /// Whether frames are compressed for clients that want it.
    pub compresses: bool,
}

enum Phase {
    /// Waits for the hello (or, after a proof, for the token) until this boot time.
    Greeting {
        until: BootMs,
        hello: Option<Hello>,
        header: Option<Principal>,
    },
    /// Asked the hub whether an invite is good.
    Checking,
    /// Asked the hub who this is, or where to begin.
    Entering {
        hello: Hello,
        principal: Option<Principal>,
    },
    Online(Online),
    Ended,
}

struct Online {
    me: Principal,
    /// The first offset that is sent.
    from: Offset,
    /// The next offset to look at.
    cursor: Offset,
    /// The last offset that the client was told of. What is hidden behind it is told of with the next visible entry.
    told: Offset,
    /// The newest offset known.
    head: Offset,
    /// Whether a read is under way.
    reading: bool,
    /// Whether the socket took all that was sent.
    drained: bool,
    /// Whether the client wants to be told of devices.
    watching: bool,
    /// Where the lists of the welcome go on.
    lists: Option<ListsFrom>,
    /// Whether the next part of them is under way.
    listing: bool,
}

impl Online {
    /// Goes on behind a batch. Returns what to send of it, if there is anything to be seen.
    fn take(&mut self, batch: &Arc<Batch>) -> Option<Arc<Batch>> {
        self.cursor = batch.last() + 1;
        let last = batch.entries.last()?.offset;
        let told = batch.told_from(self.told + 1);
        (self.told, self.drained) = (last, false);
        Some(told)
    }

    /// A device publishes, and has no log.
    fn is_device(&self) -> bool {
        self.me.kind == PrincipalKind::Device
    }
}

/// The hub's end.
pub struct ServerSession {
    config: Config,
    phase: Phase,
    heard_at: BootMs,
    pinged_at: Option<BootMs>,
    malformed: u32,
    sends: u64,
    /// A send was refused: how those behind it are refused until the client begins again, and when that may be.
    stalled: Option<(Refusal, BootMs)>,
    /// Rooms being made: what becomes of them concerns no send.
    making: Vec<MessageId>,
    names: Names,
    outputs: VecDeque<Output>,
}

impl ServerSession {
    /// Begins a conversation at this time.
    pub fn new(config: Config, now: Time) -> Self {
        let until = now.boot_ms + HELLO_MS;
        ServerSession {
            config,
            phase: Phase::Greeting { until, hello: None, header: None },
            heard_at: now.boot_ms,
            pinged_at: None,
            malformed: 0,
            sends: 0,
            stalled: None,
            making: Vec::new(),
            names: Names::up_to(NAMES),
            outputs: VecDeque::new(),
        }
    }

    /// The client, once it is welcome.
    pub fn principal(&self) -> Option<&Principal> {
        match &self.phase {
            Phase::Online(online) => Some(&online.me),
            _ => None,
        }
    }

    /// Whether [`Input::Readings`] may be given: the client is online and watches, its socket took everything, and no
    /// entries of the log wait, since chat goes first.
    pub fn wants_readings(&self) -> bool {
        matches!(&self.phase, Phase::Online(online)
            if online.watching && online.drained && !online.reading && online.cursor > online.head)
    }

    /// The next output; `None` when there is nothing more to do.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// The boot time in milliseconds at which it wants an [`Input::Tick`].
    pub fn deadline(&self) -> Option<BootMs> {
        match &self.phase {
            Phase::Greeting { until, .. } => Some(*until),
            Phase::Ended => None,
            _ => Some(self.pinged_at.map_or(self.heard_at + IDLE_MS, |at| at + PONG_MS)),
        }
    }

    /// Takes one input in; then drain [`ServerSession::poll`].
    pub fn handle(&mut self, now: Time, input: Input) {
        if matches!(self.phase, Phase::Ended) {
            return;
        }
        match input {
            Input::Opened(principal) => {
                if let Phase::Greeting { header, .. } = &mut self.phase {
                    *header = principal;
                }
            }
            Input::Frame(frame) => {
                self.alive(now);
                self.frame(now, &frame);
            }
            Input::Alive => self.alive(now),
            Input::Drained => self.pump(|online| online.drained = true),
            Input::Answer(answer) => self.answer(now, answer),
            Input::Committed(batch) => self.committed(&batch),
            Input::Devices(text) | Input::Readings(text) => {
                if let Phase::Online(online) = &mut self.phase {
                    online.drained = false;
                    self.outputs.push_back(Output::SendShared(text));
                }
            }
            Input::CommandGiven(given) => {
                let DeviceCommand { id, device, property, value, by, expires_in_ms } = given;
                if self.principal().is_some() {
                    self.send(&HubMessage::Command { id, device, property, value, by, expires_in_ms });
                }
            }
            Input::Head(head) => self.pump(|online| {
                if !online.is_device() {
                    online.head = online.head.max(head);
                }
            }),
            Input::Presence(PersonState { who, online, status }) => {
                let about = who.id.clone();
                self.tell(Some(&about), HubMessage::Presence { who, online, status, removed: false });
            }
            Input::Status(PersonState { who, online, status }) => {
                self.tell(None, HubMessage::Presence { who: named(who), online, status, removed: false });
            }
            Input::Removed(who) => {
                let about = who.id.clone();
                self.tell(
                    Some(&about),
                    HubMessage::Presence { who, online: false, status: String::new(), removed: true },
                );
            }
            Input::Renamed { name, status } => self.renamed(name, status),
            Input::Dismissed { code, reason, retry_after_ms } => self.bye(code, reason, retry_after_ms),
            Input::Typing { room, who } => self.tell(Some(&who.id.clone()), HubMessage::Typing { room, who }),
            Input::Read { room, offset } => self.tell(None, HubMessage::Read { room, offset }),
            Input::Unread { room, offset } => self.tell(None, HubMessage::Unread { room, offset }),
            Input::Seen { room, receipt } => {
                self.tell(None, HubMessage::Receipts { room, by: vec![receipt], all: false });
            }
            Input::GoingAway => self.bye(close::GOING_AWAY, "the hub is shutting down", Some(0)),
            Input::Tick => self.tick(now),
        }
    }

    fn alive(&mut self, now: Time) {
        self.heard_at = now.boot_ms;
        self.pinged_at = None;
    }

    fn tick(&mut self, now: Time) {
        if self.deadline().is_none_or(|deadline| now.boot_ms < deadline) {
            return;
        }
        if matches!(self.phase, Phase::Greeting { .. }) {
            self.bye(close::TIMED_OUT, "no hello came", None);
        } else if self.pinged_at.is_some() {
            self.bye(close::TIMED_OUT, "no answer to a ping", None);
        } else {
            self.pinged_at = Some(now.boot_ms);
            self.outputs.push_back(Output::Ping);
        }
    }

    fn send(&mut self, message: &HubMessage) {
        if let Phase::Online(online) = &mut self.phase {
            online.drained = false;
        }
        self.outputs.push_back(Output::Send(message::encode(message)));
    }

    fn ask(&mut self, ask: HubRequest) {
        self.outputs.push_back(Output::Ask(ask));
    }

    fn error(&mut self, code: &str, detail: impl Into<String>) {
        // What is wrong with a frame may quote all of it.
        let detail = limits::cut(&detail.into(), limits::DETAIL_CHARS);
        self.send(&HubMessage::Error { code: code.to_owned(), detail });
    }

    fn bye(&mut self, code: u16, reason: &str, retry_after_ms: Option<u64>) {
        let reason = &limits::cut(reason, limits::REASON_CHARS);
        self.send(&HubMessage::Bye { code, reason: reason.to_owned(), retry_after_ms });
        self.outputs.push_back(Output::Close(code, reason.to_owned()));
        self.phase = Phase::Ended;
    }

    /// Tells the client, if it is online, chats, and is not the one whom the message is about.
    fn tell(&mut self, about: Option<&PrincipalId>, message: HubMessage) {
        let to_whom = self.principal().filter(|me| me.kind != PrincipalKind::Device);
        if to_whom.is_some_and(|me| about != Some(&me.id)) {
            self.send(&message);
        }
    }

    fn frame(&mut self, now: Time, frame: &Frame) {
        if let (Phase::Online(_), Frame::Text(text)) = (&self.phase, frame)
            && let Some(received) = readings::decode_publish(&mut self.names, text, now.wall_ms)
        {
            return match received {
                Ok(received) => self.publish(received),
                Err(malformed) => self.malformed(&malformed),
            };
        }
        let decoded = message::decode::<ClientMessage>(frame);
        if let (Phase::Online(online), Frame::Text(text)) = (&self.phase, frame)
            && online.me.kind != PrincipalKind::Device
            && !matches!(
                decoded,
                Ok(Decoded::UnknownType(_)) | Err(Malformed::TooDeep | Malformed::TooLarge { .. })
            )
            && let known = if let Ok(Decoded::Known(message)) = &decoded { Some(message) } else { None }
            && let Some(unread) = devices::Unread::find(text, known)
        {
            let by = Sender { id: online.me.id.clone(), name: online.me.name.clone() };
            return self.refuse_number(now, by, unread);
        }
        match decoded {
            Ok(Decoded::Known(ClientMessage::Announce(spec))) if frame.len() > limits::SPEC_BYTES => {
                let detail = format!("an announcement has at most {} bytes", limits::SPEC_BYTES);
                self.refuse(spec.id.as_str(), "too_large", detail);
            }
            Ok(Decoded::Known(message)) => self.message(now, message),
            Ok(Decoded::UnknownType(kind)) => {
                self.error("unknown_type", kind.chars().take(64).collect::<String>())
            }
            Err(malformed) => self.malformed(&malformed),
        }
    }

    fn malformed(&mut self, malformed: &Malformed) {
        self.malformed += 1;
        if self.malformed > MALFORMED_LIMIT || !matches!(self.phase, Phase::Online(_)) {
            self.bye(close::VIOLATION, &malformed.to_string(), None);
        } else {
            self.error("malformed", malformed.to_string());
        }
    }

    fn message(&mut self, now: Time, message: ClientMessage) {
        match (&mut self.phase, message) {
            (Phase::Greeting { hello: None, .. }, ClientMessage::Hello(hello)) => self.hello(now, hello),
            (phase @ Phase::Greeting { hello: None, .. }, ClientMessage::CheckInvite { code }) => {
                *phase = Phase::Checking;
                self.ask(HubRequest::Access(HubAccessRequest::CheckInvite { code }));
            }
            (Phase::Greeting { hello: hello @ Some(_), .. }, ClientMessage::Auth { token }) => {
                if let Some(hello) = hello.take() {
                    self.phase = Phase::Entering { hello, principal: None };
                    self.ask(HubRequest::Access(HubAccessRequest::Authenticate { token }));
                }
            }
            (_, ClientMessage::Bye) => {
                self.outputs.push_back(Output::Close(1000, String::new()));
                self.phase = Phase::Ended;
            }
            (phase, ClientMessage::Ping { nonce, pad }) => {
                let sent = if let Phase::Online(online) = phase { online.told } else { Offset(0) };
                let pad = if pad.len() <= MAX_PAD_BYTES { pad } else { String::new() };
                self.send(&HubMessage::Pong { nonce, sent, pad });
            }
            (Phase::Online(online), message) => {
                let me = online.me.clone();
                self.online(now, me, message);
            }
            _ => self.bye(close::VIOLATION, "a message before its time", None),
        }
    }

    fn hello(&mut self, now: Time, hello: Hello) {
        if hello.versions.0 > VERSIONS.1 || hello.versions.1 < VERSIONS.0 {
            return self.bye(close::NO_COMMON_VERSION, &format!("{}-{}", VERSIONS.0, VERSIONS.1), None);
        }
        let header = match &mut self.phase {
            Phase::Greeting { header, .. } => header.take(),
            _ => None,
        };
        if let Some(challenge) = hello.challenge.clone() {
            let Some((secret, address)) = &self.config.proof else {
                return self.bye(close::UNAUTHORIZED, "this hub has nothing to prove", None);
            };
            let mac = proof::mac(secret, address, &challenge);
            self.phase = Phase::Greeting { until: now.boot_ms + HELLO_MS, hello: Some(hello), header: None };
            return self.send(&HubMessage::Proof { mac });
        }
        let ask = match (header, hello.token.clone(), hello.invite.clone()) {
            (Some(principal), None, None) => {
                return self.enter(hello, Some(principal));
            }
            (_, Some(token), None) => {
                HubRequest::Access(HubAccessRequest::Authenticate { token: Token(token) })
            }
            (_, None, Some(redeem)) => HubRequest::Access(HubAccessRequest::Redeem(redeem)),
            _ => return self.bye(close::UNAUTHORIZED, "no token", None),
        };
        self.phase = Phase::Entering { hello, principal: None };
        self.ask(ask);
    }

    fn enter(&mut self, hello: Hello, principal: Option<Principal>) {
        match principal {
            None => self.bye(close::UNAUTHORIZED, "the token is not known", None),
            Some(principal) => {
                let principal = named(principal);
                let resume = hello.resume.filter(|_| principal.kind != PrincipalKind::Device);
                let begin = HubRequest::Chat(HubChatRequest::Begin { principal: principal.clone(), resume });
                self.phase = Phase::Entering { hello, principal: Some(principal) };
                self.ask(begin);
            }
        }
    }

    fn answer(&mut self, now: Time, answer: HubAnswer) {
        match answer {
            HubAnswer::Access(HubAccessAnswer::Authenticated(principal)) => {
                if let Phase::Entering { hello, principal: None } = &self.phase {
                    let hello = hello.clone();
                    self.enter(hello, principal);
                }
            }
            HubAnswer::Access(HubAccessAnswer::InviteChecked(Some((hub, expires)))) => {
                let hub = limits::cut(&hub, limits::TITLE_CHARS);
                self.send(&HubMessage::InviteGood { hub, expires });
                self.outputs.push_back(Output::Close(1000, String::new()));
                self.phase = Phase::Ended;
            }
            HubAnswer::Access(HubAccessAnswer::InviteChecked(None))
            | HubAnswer::Access(HubAccessAnswer::Redeemed(None)) => {
                self.bye(close::INVITE_REFUSED, "the invite is not good", None)
            }
            HubAnswer::Access(HubAccessAnswer::Redeemed(principal)) => {
                self.answer(now, HubAnswer::Access(HubAccessAnswer::Authenticated(principal)))
            }
            HubAnswer::Chat(HubChatAnswer::Begun(begun)) => self.begun(now, begun),
            HubAnswer::Chat(HubChatAnswer::Appended { id, outcome }) => self.appended(now, id, outcome),
            HubAnswer::Chat(HubChatAnswer::Entries { entries, to }) => self.entries(entries, to),
            HubAnswer::Chat(HubChatAnswer::Lists(lists)) => self.lists(lists),
            HubAnswer::Chat(HubChatAnswer::Receipts { room, by }) => {
                self.tell(None, HubMessage::Receipts { room, by, all: true });
            }
            HubAnswer::Chat(HubChatAnswer::History { room, before, entries, complete }) => {
                let (entries, all) = batch::newest_that_fit(entries);
                let complete = complete && all;
                self.send(&HubMessage::History { room, before, entries, complete });
            }
            HubAnswer::Device(HubDeviceAnswer::Series { device, metric, page }) => {
                let SeriesPage { from, to, step_ms, buckets } = page;
                self.send(&HubMessage::Series { device, metric, from, to, step_ms, buckets });
            }
            HubAnswer::Device(HubDeviceAnswer::Log { device, lines }) => {
                let (lines, _) = batch::newest_that_fit(lines);
                self.send(&HubMessage::DeviceLog { device, lines });
            }
            HubAnswer::Device(HubDeviceAnswer::Refused { device, code, detail }) => {
                self.send(&HubMessage::PublishRefused { device, code: code.to_owned(), detail });
            }
            HubAnswer::Managed { id, managed } => self.managed(id, managed),
            HubAnswer::NotDone { code, detail } => self.error(code, detail),
            HubAnswer::Unavailable => {
                self.bye(close::UNAVAILABLE, "the log cannot be read or written", Some(UNAVAILABLE_MS));
            }
        }
    }

    fn appended(&mut self, now: Time, id: MessageId, outcome: AppendOutcome) {
        let is_room = self.making.iter().position(|known| *known == id);
        is_room.map(|index| self.making.swap_remove(index));
        let answer = match outcome {
            AppendOutcome::Stored { offset, received } => {
                let entry = self.is_to_be_sent(offset);
                HubMessage::Ack { id, offset, received, entry, room: None }
            }
            AppendOutcome::Redundant { offset, received } => {
                HubMessage::Ack { id, offset, received, entry: false, room: None }
            }
            AppendOutcome::RoomExists { room, offset, received } => {
                HubMessage::Ack { id, offset, received, entry: false, room: Some(room) }
            }
            AppendOutcome::Refused(refusal) => {
                if is_room.is_none() {
                    let behind = refusal.for_those_behind();
                    let until = now.boot_ms.saturating_add(behind.retry_after_ms().unwrap_or(0));
                    self.stalled.get_or_insert((behind, until));
                }
                HubMessage::Refused { id, refusal }
            }
        };
        self.send(&answer);
    }

    /// Whether an entry is part of what this client is sent: what is older is there already, or held no more.
    fn is_to_be_sent(&self, offset: Offset) -> bool {
        matches!(&self.phase, Phase::Online(online) if !online.is_device() && offset >= online.from)
    }

    /// Nothing is stored behind a message that was refused until the client says that it knows: if the refusal is lost with
    /// the connection, the client sends both again, and the refused one may be stored then. However much time has passed.
    fn refusal_of_stall(&mut self, now: Time, retry: bool) -> Option<Refusal> {
        if retry {
            self.stalled = None;
        }
        let (refusal, until) = self.stalled.clone()?;
        Some(refusal.retried_after(until - now.boot_ms))
    }

    fn begun(&mut self, now: Time, mut begun: Begun) {
        let Phase::Entering { hello, principal: Some(me) } = &self.phase else {
            return;
        };
        let me = me.clone();
        let compresses = self.config.compresses && hello.features.has_word(deflate::WORD);
        let (start, from) = if me.kind == PrincipalKind::Device {
            // It publishes: there is no log for it, and nobody to talk to.
            begun = Begun { head: Offset(0), visible_head: Offset(0), lists: Lists::default(), ..begun };
            (Start::Recent, Offset(1))
        } else {
            start(hello, &begun)
        };
        let next = begun.lists.next.take();
        let lists = told(begun.lists, next.is_some());
        let mut features = rights::features_for(&me, self.config.files.is_some());
        if compresses {
            features = features.with(deflate::WORD);
            self.outputs.push_back(Output::Compress);
        }
        let welcome = Welcome {
            version: hello.versions.1.min(VERSIONS.1),
            hub: limits::cut(&begun.hub, limits::TITLE_CHARS),
            me: me.clone(),
            epoch: begun.epoch,
            // Of what is hidden behind it nothing is told, and nobody waits for it.
            head: begun.visible_head.max(from - 1),
            from,
            start,
            now: now.wall_ms,
            max_body: MAX_BODY_BYTES as u64,
            files: self.config.files,
            features: Some(features),
            rooms: lists.rooms,
            people: lists.people,
            read: lists.read,
            more: lists.more,
        };
        self.send(&HubMessage::Welcome(welcome));
        self.phase = Phase::Online(Online {
            me,
            from,
            cursor: from,
            told: from - 1,
            head: begun.head,
            reading: false,
            drained: false,
            watching: false,
            lists: next,
            listing: false,
        });
    }

    fn online(&mut self, now: Time, me: Principal, message: ClientMessage) {
        if me.kind == PrincipalKind::Device && !devices::is_for_devices(&message) {
            return self.not_for_devices(now, me, message);
        }
        if let ClientMessage::Manage { id, what } = message {
            return self.manage(&me, id, what);
        }
        let role = me.role();
        let sender = Sender { id: me.id, name: me.name };
        match message {
            ClientMessage::Send { draft, seq, retry } => {
                match self.count_send(seq) {
                    Ordering::Less => return,
                    Ordering::Equal => {}
                    Ordering::Greater => return self.bye(close::SEND_LOST, "a send is missing", None),
                }
                let refusal = self.refusal_of_stall(now, retry);
                let may = role.may(Act::Write) || is_own_membership(&draft.content, &sender);
                let refusal = refusal.or((!may).then_some(Refusal::NotAllowed));
                self.append(draft, sender, role, refusal);
            }
            ClientMessage::CreateRoom { id, room, at, private, extra } => {
                self.making.push(id);
                let content = Content::Room { name: Some(room), private, extra };
                let draft = Draft { id, room: id.into(), content, at: at.unwrap_or(now.wall_ms) };
                let refusal = (!role.may(Act::MakeRoom)).then_some(Refusal::NotAllowed);
                self.append(draft, sender, role, refusal);
            }
            ClientMessage::Typing { room } if role.may(Act::Write) => {
                self.ask(HubRequest::Chat(HubChatRequest::Typing { room }))
            }
            // Whoever may not write is not told of as if they were about to.
            ClientMessage::Typing { .. } => {}
            ClientMessage::Status { text } => {
                let visible = text.chars().filter(|c| !c.is_control()).collect::<String>();
                self.ask(HubRequest::Chat(HubChatRequest::SetStatus(limits::cut(
                    visible.trim(),
                    MAX_STATUS_CHARS,
                ))));
            }
            reading @ (ClientMessage::Read { .. }
            | ClientMessage::Unread { .. }
            | ClientMessage::Seen { .. }
            | ClientMessage::Receipts { .. }) => self.reading(reading),
            ClientMessage::History { room, before, limit } => {
                self.ask(HubRequest::Chat(HubChatRequest::History {
                    room,
                    before,
                    limit: limit.clamp(1, HISTORY_LIMIT),
                }));
            }
            // `message` takes care of the rest.
            ClientMessage::Hello(_) | ClientMessage::Auth { .. } => {
                self.bye(close::VIOLATION, "a second hello", None);
            }
            ClientMessage::Ping { .. } | ClientMessage::Bye => {}
            of_devices => self.of_devices(now, sender, role, of_devices),
        }
    }

    /// About what the client's principal and others have read.
    fn reading(&mut self, message: ClientMessage) {
        let ask = match message {
            ClientMessage::Read { room, offset } => HubChatRequest::SetRead { room, offset },
            ClientMessage::Unread { room, offset } => HubChatRequest::SetUnread { room, offset },
            ClientMessage::Seen { room, first, last } => HubChatRequest::SetSeen { room, first, last },
            ClientMessage::Receipts { room } => HubChatRequest::Receipts { room },
            _ => return,
        };
        self.ask(HubRequest::Chat(ask));
    }

    /// A device writes nothing. What its principal wrote before it became one is acknowledged.
    fn not_for_devices(&mut self, now: Time, me: Principal, message: ClientMessage) {
        let role = me.role();
        let sender = Sender { id: me.id, name: me.name };
        match message {
            ClientMessage::Send { draft, seq, .. } if self.count_send(seq).is_eq() => {
                self.append(draft, sender, role, Some(Refusal::NotAllowed));
            }
            ClientMessage::CreateRoom { id, room, at, private, extra } => {
                let content = Content::Room { name: Some(room), private, extra };
                let draft = Draft { id, room: id.into(), content, at: at.unwrap_or(now.wall_ms) };
                self.append(draft, sender, role, Some(Refusal::NotAllowed));
            }
            _ => self.error("not_allowed", "a device publishes and answers commands, nothing else"),
        }
    }

    /// Asks for an entry to be written. What is refused may be on disk since an earlier try: then it is acknowledged.
    fn append(&mut self, mut draft: Draft, sender: Sender, role: Role, refusal: Option<Refusal>) {
        let refusal = refusal.or_else(|| refusal_of_content(&draft.content));
        if refusal.is_some() {
            draft.content = draft.content.emptied();
        }
        self.ask(HubRequest::Chat(HubChatRequest::Append { draft, sender, role, refusal }));
    }

    /// Where this send stands to the one that is expected: a doubled one is less, greater means that one was lost.
    fn count_send(&mut self, seq: u64) -> Ordering {
        let order = seq.cmp(&(self.sends + 1));
        if order.is_eq() {
            self.sends = seq;
        }
        order
    }

    fn committed(&mut self, batch: &Arc<Batch>) {
        let Phase::Online(online) = &mut self.phase else {
            return;
        };
        if online.is_device() {
            return;
        }
        online.head = online.head.max(batch.last());
        let is_next = online.cursor == batch.first() && !online.reading && online.drained;
        // What is hidden in between takes little space, but a frame may be nearly full.
        let told = if is_next && batch.fits() { online.take(batch) } else { None };
        if let Some(told) = told {
            let parts = if told.fits() { vec![told] } else { Batch::cut(told.first(), told.entries.clone()) };
            self.outputs.extend(parts.into_iter().map(Output::SendBatch));
        }
        self.pump(|_| ());
    }

    fn entries(&mut self, entries: Vec<Entry>, to: Offset) {
        let Phase::Online(online) = &mut self.phase else {
            return;
        };
        online.reading = false;
        let is_in_order = entries.is_sorted_by(|one, other| one.offset < other.offset)
            && entries.first().is_none_or(|first| first.offset >= online.cursor)
            && entries.last().is_none_or(|last| last.offset <= to);
        if to >= online.cursor && is_in_order {
            let first = online.told + 1;
            online.cursor = to + 1;
            if let Some(last) = entries.last() {
                (online.told, online.drained) = (last.offset, false);
                self.outputs.extend(Batch::cut(first, entries).into_iter().map(Output::SendBatch));
            }
        } else {
            self.bye(close::UNAVAILABLE, "the log has a hole", Some(UNAVAILABLE_MS));
        }
        self.pump(|_| ());
    }

    fn lists(&mut self, mut lists: Lists) {
        let Phase::Online(online) = &mut self.phase else {
            return;
        };
        online.listing = false;
        online.lists = lists.next.take();
        let more = online.lists.is_some();
        self.send(&HubMessage::Lists(told(lists, more)));
        self.pump(|_| ());
    }

    /// Changes what is known, then asks for the next entries, and the next of the lists, if the socket wants them.
    fn pump(&mut self, change: impl FnOnce(&mut Online)) {
        let Phase::Online(online) = &mut self.phase else {
            return;
        };
        change(online);
        if online.drained && !online.reading && online.cursor <= online.head {
            online.reading = true;
            let from = online.cursor;
            self.outputs
                .push_back(Output::Ask(HubRequest::Chat(HubChatRequest::Read { from, limit: READ_LIMIT })));
        }
        if online.drained
            && !online.listing
            && let Some(from) = online.lists.clone()
        {
            online.listing = true;
            self.outputs.push_back(Output::Ask(HubRequest::Chat(HubChatRequest::Lists(from))));
        }
    }
}

/// A part of the lists as it is told, with names no longer than they may be.
fn told(lists: Lists, more: bool) -> message::Lists {
    let person = |person: PersonState| PersonState { who: named(person.who), ..person };
    message::Lists {
        rooms: lists.rooms,
        people: lists.people.into_iter().map(person).collect(),
        read: lists.read.into_iter().map(|(room, offset)| ReadState { room, offset }).collect(),
        more,
    }
}

fn named(mut who: Principal) -> Principal {
    if who.name.len() > limits::PERSON_CHARS {
        who.name = limits::cut(&who.name, limits::PERSON_CHARS);
    }
    who
}

/// Whether somebody joins or leaves a room, which takes no role.
fn is_own_membership(content: &Content, sender: &Sender) -> bool {
    matches!(content, Content::Member { who, change, .. }
        if who.id == sender.id && *change != MemberChange::Invited)
}

/// What this hub does not take of anybody.
fn refusal_of_content(content: &Content) -> Option<Refusal> {
    let other = |code: &str| Some(Refusal::Other { code: code.to_owned(), detail: String::new() });
    let too_large = |limit: usize| Some(Refusal::TooLarge { limit: limit as u64 });
    match content {
        Content::Unknown(unknown) if CHANGES.contains(&unknown.kind.as_str()) || unknown.kind == MEMBER => {
            other("malformed")
        }
        Content::Unknown(unknown) => {
            Some(Refusal::UnknownKind { kind: limits::cut(&unknown.kind, limits::TITLE_CHARS) })
        }
        Content::Room { private: Some(private), .. } if private.members.len() >= MAX_MEMBERS => {
            Some(Refusal::TooMany { limit: MAX_MEMBERS as u64 })
        }
        Content::Text { body, .. } | Content::Edit { body, .. } if body.is_empty() => other("empty"),
        Content::Reaction { emoji, .. } if !is_emoji(emoji) => Some(Refusal::NotAnEmoji),
        _ if content.body().len() > MAX_BODY_BYTES => too_large(MAX_BODY_BYTES),
        _ if content.names_file() && content.file().is_none() => other("malformed"),
        // What entries are sent in is nested deeper than what they came in.
        _ if content.extra().depth() > limits::EXTRA_DEPTH => other("too_deep"),
        _ if content.extra().bytes() > limits::EXTRA_BYTES => too_large(limits::EXTRA_BYTES),
        _ => None,
    }
}

/// Where a client begins.
fn start(hello: &Hello, begun: &Begun) -> (Start, Offset) {
    let oldest = begun.oldest.max(Offset(1));
    let Some(resume) = hello.resume else {
        let next = begun.visible_head + 1;
        let from = hello.since.map_or(next - RECENT, |since| since.next().min(next));
        return (Start::Recent, from.max(oldest));
    };
    if resume.epoch != begun.epoch || resume.offset > begun.head {
        (Start::EpochChanged, oldest)
    } else if resume.offset < oldest {
        // The entry itself is no longer held: if the next one is, nothing is missing, but nothing proves it either.
        (Start::Trimmed, oldest)
    } else if begun.at_resume == Some((resume.id, resume.received)) {
        (Start::Resumed, resume.offset + 1)
    } else {
        (Start::EpochChanged, oldest)
    }
}
