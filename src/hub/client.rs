//! One client's task: it drives a [`ServerSession`] over a [`Carrier`].

mod devices;

use std::collections::VecDeque;
use std::future::{Future, pending};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, Sleep, timeout};

use super::account::Account;
use super::asks::{self, NewEntry, Queued, Subscriptions, Written};
use super::carrier::Carrier;
use super::file::FileArea;
use super::fleet::{CommandMessage, FleetClient, Relay};
use super::lan::{self, ListenerHandle};
use super::manage::{self, Asker};
use super::metrics::Refused;
use super::presence::Notice;
use super::rate::{self, Bucket};
use super::sessions::{Dismissal, SessionChange, SessionHandle};
use super::slots::{ConnectionSlot, Eviction};
use super::socket::{Outgoing, Received};
use super::state::{Commit, Hub, hash};
use crate::clock;
use crate::frame::Frame;
use crate::model::rights::ManageRequest;
use crate::model::time::BootMs;
use crate::model::{Offset, Principal, Receipt, ResumePoint, RoomId, Sender};
use crate::wire::duplex::message::{self, HubMessage, close};
use crate::wire::duplex::server::{
    Batch, Begun, Config, HubAccessRequest, HubAnswer, HubChatAnswer, HubChatRequest, HubRequest, Input,
    Output, ServerSession,
};

/// A client that accepts no data for this long is disconnected.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);
/// The same for a client that is being disconnected.
const LEAVE_TIMEOUT: Duration = Duration::from_millis(500);
/// Maximum number of requests in progress; nothing more is read from the client beyond it. Its window of
/// unacknowledged sends is half of that.
const MAX_ASKS: usize = 64;
/// Typing notices of one person are passed on at most this often, in milliseconds.
const MIN_TYPING_INTERVAL_MS: u64 = 1_000;
/// How late an alarm may fire, so that it need not be reset for every frame.
const MAX_ALARM_DELAY: Duration = Duration::from_millis(20);
/// Close code 1013, "Try Again Later" (IANA registry of close codes): the hub has reached its connection limit.
const TRY_AGAIN: u16 = 1013;
/// When a client refused because of a connection limit may reconnect, in milliseconds.
const RETRY_WHEN_FULL_MS: u64 = 5_000;
/// The alarm of a session that waits for nothing.
const NEVER: Duration = Duration::from_secs(24 * 60 * 60);

/// The other end of a socket.
pub(super) struct Peer {
    /// The client's IP address.
    pub address: IpAddr,
    /// The `host:port` that it dialed.
    pub dialed: String,
    /// The principal, if the handshake carried a token.
    pub principal: Option<Principal>,
    /// The slot of the connection.
    pub slot: ConnectionSlot,
    /// SHA-256 of that token.
    pub credential: Option<[u8; 32]>,
    /// The listener that accepted the connection.
    pub accepted_by: ListenerHandle,
}

/// Serves one client until either end closes. The client is boxed because arguments of an `async fn` would be stored
/// in its future twice.
pub(super) fn serve(hub: Arc<Hub>, carrier: Carrier, mut peer: Peer) -> impl Future<Output = ()> + Send {
    let principal = peer.principal.take();
    let mut client = Box::new(Client::new(hub, carrier, peer));
    client.tell(Input::Opened(principal));
    run(client)
}

async fn run(mut client: Box<Client>) {
    let end = loop {
        if let Err(end) = client.turn().await {
            break end;
        }
    };
    let Client { hub, carrier, slot, subscriptions, fleet_client, relay, session_handle, .. } = *client;
    // The receivers are gone if the hub has already stopped.
    drop((subscriptions, fleet_client, relay, session_handle));
    if let End::Close(code, reason) = end {
        tokio::select! {
            // Boxed so that its size does not add to the task of every client.
            () = Box::pin(carrier.close(code, &reason)) => {}
            // The slot of a lingering connection is needed for another one.
            () = evicted_by_limit(&slot) => hub.metrics.refuse(Refused::Evicted),
        }
    }
}

async fn evicted_by_limit(slot: &ConnectionSlot) {
    if slot.evicted().await != Eviction::TooMany {
        pending().await
    }
}

/// Why the connection ends.
enum End {
    /// The hub closes it with this code and reason.
    Close(u16, String),
    /// The socket is closed, or blocked in the middle of a frame.
    Gone,
}

impl End {
    fn close(code: u16, reason: impl Into<String>) -> Result<(), End> {
        Err(End::Close(code, reason.into()))
    }
}

/// What the client's task waits for.
enum ClientEvent {
    Evicted(Eviction),
    Received(Received),
    Answered(Result<Answered, JoinError>),
    Committed(Result<Commit, RecvError>),
    Noticed(Option<Arc<Notice>>),
    FleetMessage(Option<CommandMessage>),
    SessionChanged(SessionChange),
    /// There is something to send about watched devices.
    Watched,
    Alarm,
    Stopping,
}

/// The outcome of a request.
enum Answered {
    Answer(HubAnswer),
    /// The answer to one of the requests that are handled one at a time.
    Large(Option<HubAnswer>),
    /// In the order of the requests.
    Appended(Written),
    /// A read marker that the other clients of the principal are to be sent.
    Read(RoomId, Offset),
    /// What the principal has seen, for others who look at the room.
    Seen(RoomId, Receipt),
    /// A read marker that was moved back.
    Unread(RoomId, Offset),
    /// The client's rights changed while it was connecting.
    Dismissed(Dismissal),
    Nothing,
}

struct Client {
    hub: Arc<Hub>,
    session: ServerSession,
    carrier: Carrier,
    slot: ConnectionSlot,
    address: IpAddr,
    accepted_by: ListenerHandle,
    stopping: watch::Receiver<bool>,
    subscriptions: Option<Subscriptions>,
    /// SHA-256 of the token that it authenticated with.
    credential: Option<[u8; 32]>,
    /// Receives changes of its rights, once the principal is known.
    session_handle: Option<SessionHandle>,
    /// It is being disconnected: the short timeout applies.
    leaving: bool,
    /// Its connection to the fleet, from its first request about devices.
    fleet_client: Option<FleetClient>,
    /// What it watches.
    relay: Option<Relay>,
    /// Requests to the hub. Each is a task of its own, so that this client's share is released in time even while its
    /// socket is blocked.
    asks: JoinSet<Answered>,
    /// The store is writing a group of appends, all or none of them.
    appending: bool,
    /// Appends that wait for that group: a later message must not be stored if an earlier one failed.
    waiting: VecDeque<Queued>,
    /// A request with a large answer is in progress: one at a time, so that at most one answer waits for the socket.
    answering: bool,
    large: VecDeque<HubRequest>,
    /// The log's newest offset when the client connected: entries up to here are backlog.
    old_to: Offset,
    bucket: Bucket,
    readings: Bucket,
    /// Nothing is read until then.
    paused: Option<Instant>,
    /// The client is to be told that it exceeds its rate.
    slowed: bool,
    /// A channel has something for the WebSocket that joined it.
    writable: bool,
    typed: Option<BootMs>,
    alarm: Pin<Box<Sleep>>,
}

impl Client {
    fn new(hub: Arc<Hub>, carrier: Carrier, peer: Peer) -> Client {
        let now = clock::now();
        let files = hub.files.get().map(FileArea::limits_told);
        let compresses = hub.packer.get().is_some();
        let config = Config { proof: Some((hub.secret, peer.dialed)), files, compresses };
        Client {
            session: ServerSession::new(config, now),
            carrier,
            slot: peer.slot,
            address: peer.address,
            stopping: peer.accepted_by.closing(),
            accepted_by: peer.accepted_by,
            subscriptions: None,
            credential: peer.credential,
            session_handle: None,
            leaving: false,
            fleet_client: None,
            relay: None,
            asks: JoinSet::new(),
            appending: false,
            waiting: VecDeque::new(),
            answering: false,
            large: VecDeque::new(),
            old_to: Offset(0),
            bucket: Bucket::new(rate::CONNECTION, now.boot_ms),
            readings: Bucket::new(rate::READINGS, now.boot_ms),
            paused: None,
            slowed: false,
            writable: false,
            typed: None,
            alarm: Box::pin(tokio::time::sleep(Duration::ZERO)),
            hub,
        }
    }

    fn tell(&mut self, input: Input) {
        self.session.handle(clock::now(), input);
    }

    fn is_online(&self) -> bool {
        self.session.principal().is_some()
    }

    /// Carries out what the session requested, then waits for the next event and passes it to the session.
    async fn turn(&mut self) -> Result<(), End> {
        self.settle().await?;
        self.start_queued();
        self.set_alarm();
        match self.next_event().await {
            ClientEvent::Received(received) => self.received(received)?,
            ClientEvent::Answered(Ok(answered)) => self.answered(answered),
            ClientEvent::Answered(Err(error)) => {
                log::error!("a client's question failed: {error}");
                self.tell(Input::Answer(HubAnswer::Unavailable));
            }
            ClientEvent::Committed(commit) => self.committed(commit)?,
            ClientEvent::Noticed(notice) => self.noticed(notice)?,
            ClientEvent::FleetMessage(message) => self.fleet_message(message),
            ClientEvent::SessionChanged(change) => self.session_changed(change),
            ClientEvent::Watched => self.relay(),
            ClientEvent::Evicted(why) => return self.evicted(why),
            ClientEvent::Alarm => {
                if self.carrier.is_abandoned() {
                    return Err(End::Gone);
                }
                if self.carrier.is_overdue() {
                    self.hub.metrics.refuse(Refused::Unfinished);
                    return End::close(close::TIMED_OUT, "a message was not completed in time");
                }
                self.paused.take_if(|until| *until <= Instant::now());
                self.tell(Input::Tick);
            }
            ClientEvent::Stopping => {
                // Only the LAN listener may have closed.
                match self.accepted_by.is_lan() && !*self.hub.stopping.borrow() {
                    true => self.dismissed(lan::CLOSED),
                    false => self.tell(Input::GoingAway),
                }
                self.settle().await?;
                return Err(End::Gone);
            }
        }
        Ok(())
    }

    /// Starts queued requests.
    fn start_queued(&mut self) {
        if !self.appending
            && let Some(account) = self.account()
            && let Some(group) = asks::next_to_append(&mut self.waiting)
        {
            let appended = asks::append(Arc::clone(&self.hub), account, group);
            self.asks.spawn(async { Answered::Appended(appended.await) });
            self.appending = true;
        }
        if !self.answering
            && let Some(ask) = self.large.pop_front()
            && let Some((account, me)) = self.account().zip(self.session.principal())
        {
            let answer = asks::large(Arc::clone(&self.hub), account, me.id.clone(), ask, self.old_to);
            self.asks.spawn(async { Answered::Large(answer.await) });
            self.answering = true;
        }
    }

    fn account(&self) -> Option<Arc<Account>> {
        self.subscriptions.as_ref().map(|subscriptions| Arc::clone(&subscriptions.registration.account))
    }

    fn answered(&mut self, answered: Answered) {
        match answered {
            Answered::Answer(mut answer) => {
                self.mark_present(&mut answer);
                if let HubAnswer::Chat(HubChatAnswer::Begun(begun)) = &answer {
                    self.old_to = begun.head;
                }
                self.tell(Input::Answer(answer));
            }
            Answered::Large(answer) => {
                self.answering = false;
                if let Some(mut answer) = answer {
                    self.mark_present(&mut answer);
                    self.tell(Input::Answer(answer));
                }
            }
            Answered::Appended(Written { answers, stall }) => {
                self.appending = false;
                // A later message must not be stored before the client knows that this one was refused.
                if let Some(refusal) = stall {
                    let waiting = std::mem::take(&mut self.waiting).into_iter();
                    self.waiting = waiting.map(|queued| queued.behind(&refusal)).collect();
                }
                for answer in answers {
                    self.tell(Input::Answer(answer));
                }
            }
            Answered::Read(room, offset) => {
                if let Some(subscriptions) = &self.subscriptions {
                    subscriptions.registration.read(room, offset);
                }
            }
            Answered::Seen(room, receipt) => {
                let members = self.hub.store.access().members(&room).cloned();
                if let Some(subscriptions) = &self.subscriptions {
                    subscriptions.registration.seen(room, receipt, members.as_ref());
                }
            }
            Answered::Unread(room, offset) => {
                if let Some(subscriptions) = &self.subscriptions {
                    subscriptions.registration.unread(room, offset);
                }
            }
            Answered::Dismissed(dismissal) => self.dismissed(dismissal),
            Answered::Nothing => {}
        }
    }

    async fn next_event(&mut self) -> ClientEvent {
        let asked = self.waiting.len() + self.large.len() + self.asks.len();
        let reads = self.paused.is_none() && asked < MAX_ASKS;
        self.carrier.reads(reads);
        // Notices and commits are for online clients; until then they stay queued here.
        let online = self.is_online();
        let (commits, mailbox) = match self.subscriptions.as_mut().filter(|_| online) {
            Some(Subscriptions { commits, mailbox, .. }) => (Some(commits), Some(mailbox)),
            None => (None, None),
        };
        // Chat takes priority over readings.
        let wants =
            self.session.wants_readings() && commits.as_ref().is_some_and(|commits| commits.is_empty());
        let relay = self.relay.as_mut().filter(|_| wants);
        tokio::select! {
            received = self.carrier.next(), if reads => ClientEvent::Received(received),
            Some(answered) = self.asks.join_next() => ClientEvent::Answered(answered),
            commit = or_never(commits.map(|commits| commits.recv())) => ClientEvent::Committed(commit),
            notice = or_never(mailbox.map(|mailbox| mailbox.recv())) => ClientEvent::Noticed(notice),
            message = or_never(self.fleet_client.as_mut().map(FleetClient::next_message)) => ClientEvent::FleetMessage(message),
            change = or_never(self.session_handle.as_mut().map(SessionHandle::change)) => ClientEvent::SessionChanged(change),
            () = or_never(relay.map(Relay::ready)) => ClientEvent::Watched,
            () = self.alarm.as_mut() => ClientEvent::Alarm,
            why = self.slot.evicted() => ClientEvent::Evicted(why),
            _ = self.stopping.wait_for(|stopping| *stopping) => ClientEvent::Stopping,
        }
    }

    fn set_alarm(&mut self) {
        let now = Instant::now();
        let deadline = self.session.deadline().map(|at| at.since(clock::now().boot_ms));
        let next = now + deadline.map_or(NEVER, Duration::from_millis);
        let next = self.paused.map_or(next, |until| until.min(next));
        let next = self.carrier.deadline().map_or(next, |at| next.min(at));
        if self.alarm.is_elapsed() || next + MAX_ALARM_DELAY < self.alarm.deadline() {
            self.alarm.as_mut().reset(next);
        }
    }

    /// Handles the session's outputs until there are none.
    async fn settle(&mut self) -> Result<(), End> {
        loop {
            let mut frames = Vec::new();
            let mut end = None;
            while let Some(output) = self.session.poll() {
                match output {
                    Output::Send(Frame::Text(text)) => frames.push(Outgoing::Own(text)),
                    // This protocol has no binary frames.
                    Output::Send(Frame::Binary(_)) => {}
                    Output::SendBatch(batch) => frames.push(Outgoing::Shared(batch.text())),
                    Output::SendShared(text) => frames.push(Outgoing::Shared(text)),
                    Output::Ping => frames.push(Outgoing::Ping),
                    Output::Compress => {
                        self.hub.packer.get().into_iter().for_each(|packer| self.carrier.compress(packer));
                    }
                    Output::Ask(HubRequest::Chat(HubChatRequest::Begin { principal, .. }))
                        if let Some(wait_ms) = self.over_limit(&principal) =>
                    {
                        (frames, end) = self.away(wait_ms);
                        break;
                    }
                    Output::Ask(ask) => self.ask(ask),
                    Output::Close(code, reason) => end = Some(End::Close(code, reason)),
                }
            }
            frames.extend(self.slow_down());
            let sent = !frames.is_empty() || std::mem::take(&mut self.writable);
            if sent {
                self.write(frames).await?;
            }
            match end {
                Some(end) => return Err(end),
                None if sent && self.carrier.is_drained() => self.tell(Input::Drained),
                None if sent => {}
                None => return Ok(()),
            }
        }
    }

    fn slow_down(&mut self) -> Option<Outgoing> {
        if !std::mem::take(&mut self.slowed) || !self.is_online() {
            return None;
        }
        self.hub.metrics.slowed.add(1);
        let detail = "you are sending faster than the server allows; it now reads more slowly".to_owned();
        match message::encode(&HubMessage::Error { code: "slow_down".to_owned(), detail }) {
            Frame::Text(text) => Some(Outgoing::Own(text)),
            Frame::Binary(_) => None,
        }
    }

    async fn write(&mut self, frames: Vec<Outgoing>) -> Result<(), End> {
        let bytes: usize = frames.iter().map(Outgoing::len).sum();
        let patience = if self.leaving { LEAVE_TIMEOUT } else { SEND_TIMEOUT };
        let written = tokio::select! {
            biased;
            written = timeout(patience, self.carrier.write(frames)) => written,
            _ = self.slot.evicted() => return Err(End::Gone),
            // A client that does not read must not delay the closing.
            () = or_never(self.session_handle.as_ref().map(SessionHandle::dismissed)) => return Err(End::Gone),
        };
        match written {
            Ok(Ok(())) => {
                self.hub.metrics.sent.add(bytes as u64);
                Ok(())
            }
            Ok(Err(_)) => Err(End::Gone),
            // The write stopped within a frame: a close frame would become part of that frame.
            Err(_) => {
                self.hub.metrics.refuse(Refused::TooSlow);
                Err(End::Gone)
            }
        }
    }

    fn ask(&mut self, ask: HubRequest) {
        let hub = Arc::clone(&self.hub);
        let from = self.address;
        match ask {
            HubRequest::Access(HubAccessRequest::Authenticate { token }) => {
                self.credential = Some(hash(&token.0));
                self.answer(asks::authenticate(hub, token.0, from));
            }
            HubRequest::Access(HubAccessRequest::Redeem(redeem)) => {
                self.credential = Some(hash(&redeem.token));
                self.answer(asks::redeem(hub, redeem, from));
            }
            HubRequest::Access(HubAccessRequest::CheckInvite { code }) => {
                self.answer(asks::check_invite(hub, code.0, from))
            }
            HubRequest::Chat(HubChatRequest::Begin { principal, resume }) => {
                self.begin(hub, principal, resume)
            }
            HubRequest::Chat(HubChatRequest::Append { draft, sender, role, refusal }) => {
                if let Some(account) = self.account() {
                    let new = NewEntry { draft, sender, role, refusal };
                    let queued = Queued::new(&account, new, &self.waiting);
                    self.waiting.push_back(queued);
                }
            }
            // The log takes priority.
            ask @ (HubRequest::Chat(HubChatRequest::Read { .. })
            | HubRequest::Chat(HubChatRequest::Lists(_))) => self.large.push_front(ask),
            ask @ HubRequest::Chat(HubChatRequest::History { .. }) => self.large.push_back(ask),
            HubRequest::Chat(HubChatRequest::Receipts { room }) => self.receipts(room),
            HubRequest::Chat(HubChatRequest::SetSeen { room, first, last }) => {
                self.set_seen(hub, room, first, last)
            }
            HubRequest::Chat(HubChatRequest::SetRead { room, offset }) => self.set_read(hub, room, offset),
            HubRequest::Chat(HubChatRequest::SetUnread { room, offset }) => {
                self.set_unread(hub, room, offset)
            }
            HubRequest::Chat(HubChatRequest::SetStatus(status)) => self.set_status(hub, status),
            HubRequest::Chat(HubChatRequest::Typing { room }) => self.typing(room),
            HubRequest::Manage { id, what } => self.manage(hub, id, what),
            ask => self.device_ask(ask),
        }
    }

    /// Registers for changes of the client's rights, then looks the token up again to catch a change made in between.
    fn begin(&mut self, hub: Arc<Hub>, principal: Principal, resume: Option<ResumePoint>) {
        self.carrier.admit(&principal.id);
        let subscriptions = Subscriptions::new(&hub, &principal);
        let account = Arc::clone(&subscriptions.registration.account);
        self.subscriptions = Some(subscriptions);
        self.session_handle = Some(hub.sessions.enter(&principal.id));
        let credential = self.credential;
        self.asks.spawn(async move {
            match manage::confirm(&hub, credential, &principal).await {
                Ok(None) => Answered::Answer(asks::begin(hub, account, principal, resume).await),
                Ok(Some(dismissal)) => Answered::Dismissed(dismissal),
                Err(error) => Answered::Answer(asks::unavailable(&hub, "look up a token", &error)),
            }
        });
    }

    fn manage(&mut self, hub: Arc<Hub>, id: u64, what: ManageRequest) {
        let Some(who) = self.session.principal().map(|me| me.id.clone()) else { return };
        let asker = Asker { who, session: self.session_handle.as_ref().map(SessionHandle::number) };
        self.answer(async move { HubAnswer::Managed { id, managed: manage::run(hub, asker, what).await } });
    }

    fn session_changed(&mut self, change: SessionChange) {
        match change {
            SessionChange::Unchanged => {}
            SessionChange::Rename(name) => {
                if let Some(fleet_client) = &mut self.fleet_client {
                    fleet_client.rename(&name);
                }
                let me = self.session.principal().map(|me| me.id.clone());
                let status = me.map(|me| self.hub.registry.status(&me)).unwrap_or_default();
                self.tell(Input::Renamed { name, status });
            }
            SessionChange::Close(dismissal) => self.dismissed(dismissal),
        }
    }

    fn dismissed(&mut self, dismissal: Dismissal) {
        let Dismissal { code, reason, retry_after_ms } = dismissal;
        self.hub.metrics.refuse(Refused::Token);
        (self.session_handle, self.leaving) = (None, true);
        self.tell(Input::Dismissed { code, reason, retry_after_ms });
    }

    fn answer(&mut self, answer: impl Future<Output = HubAnswer> + Send + 'static) {
        self.asks.spawn(async { Answered::Answer(answer.await) });
    }

    /// Adds who is connected right now: earlier changes are included, and later ones follow as notices.
    fn mark_present(&self, answer: &mut HubAnswer) {
        if let HubAnswer::Chat(HubChatAnswer::Lists(lists))
        | HubAnswer::Chat(HubChatAnswer::Begun(Begun { lists, .. })) = answer
        {
            let people = std::mem::take(&mut lists.people).into_iter().map(|person| person.who);
            lists.people = self.hub.registry.mark(people);
        }
    }

    fn set_read(&mut self, hub: Arc<Hub>, room: RoomId, offset: Offset) {
        let me = self.session.principal().map(|me| me.id.clone());
        if let (Some(me), Some(account)) = (me, self.account()) {
            self.asks.spawn(async move {
                let moved = asks::set_read(hub, account, me, room.clone(), offset).await;
                if moved { Answered::Read(room, offset) } else { Answered::Nothing }
            });
        }
    }

    fn set_unread(&mut self, hub: Arc<Hub>, room: RoomId, offset: Offset) {
        let me = self.session.principal().map(|me| me.id.clone());
        if let (Some(me), Some(account)) = (me, self.account()) {
            self.asks.spawn(async move {
                let moved = asks::set_unread(hub, account, me, room.clone(), offset).await;
                if moved { Answered::Unread(room, offset) } else { Answered::Nothing }
            });
        }
    }

    /// Nothing is said of rooms that are not for this client.
    fn receipts(&mut self, room: RoomId) {
        let me = self.session.principal().map(|me| &me.id);
        if let (Some(me), Some(subscriptions)) = (me, &self.subscriptions)
            && self.hub.store.sees_room(me, &room)
        {
            subscriptions.registration.look_at(room.clone());
            self.large.push_back(HubRequest::Chat(HubChatRequest::Receipts { room }));
        }
    }

    fn set_seen(&mut self, hub: Arc<Hub>, room: RoomId, first: Offset, last: Offset) {
        let me = self.session.principal().map(|me| me.id.clone());
        if let (Some(id), Some(account)) = (me, self.account()) {
            self.asks.spawn(async move {
                let kept = asks::set_seen(hub, account, room.clone(), Receipt { id, first, last }).await;
                kept.map_or(Answered::Nothing, |receipt| Answered::Seen(room, receipt))
            });
        }
    }

    fn set_status(&mut self, hub: Arc<Hub>, status: String) {
        let Some(me) = self.session.principal().map(|me| me.id.clone()) else { return };
        if !self.hub.registry.may_set_status(&me, clock::now().boot_ms) {
            let detail = "a status can be changed once a second".to_owned();
            return self.tell(Input::Answer(HubAnswer::NotDone { code: "slow_down", detail }));
        }
        if let Some(account) = self.account() {
            self.asks.spawn(async move {
                asks::set_status(hub, account, me, status).await;
                Answered::Nothing
            });
        }
    }

    fn typing(&mut self, room: RoomId) {
        let now = clock::now().boot_ms;
        let again = self.typed.is_some_and(|at| now.since(at) < MIN_TYPING_INTERVAL_MS);
        if let (false, Some(subscriptions), Some(me)) = (again, &self.subscriptions, self.session.principal())
            // Notices for rooms that do not exist, or are not for this client, are dropped.
            && self.hub.store.sees_room(&me.id, &room)
        {
            self.typed = Some(now);
            let members = self.hub.store.access().members(&room).cloned();
            let who = Sender { id: me.id.clone(), name: me.name.clone() };
            subscriptions.registration.typing(room, who, members.as_ref());
        }
    }

    fn received(&mut self, received: Received) -> Result<(), End> {
        self.count_frames();
        match received {
            Received::Text(text) => {
                self.count(text.len(), &text);
                self.tell(Input::Frame(Frame::Text(text)));
            }
            Received::Binary(bytes) => {
                self.count(bytes, "");
                self.tell(Input::Frame(Frame::Binary(Vec::new())));
            }
            Received::Alive => self.tell(Input::Alive),
            Received::Unfinished => {}
            Received::OwnFrame(bytes) => self.count(bytes, ""),
            Received::Drained => self.tell(Input::Drained),
            Received::Writable => self.writable = true,
            Received::TooLarge => return End::close(1009, "the message is too large"),
            Received::TooMany => return End::close(1008, "too many frames before hello"),
            Received::NotUtf8 => return End::close(1007, "text that is not UTF-8"),
            Received::Broken(how) => return End::close(1002, how),
            Received::Closed => return Err(End::Gone),
        }
        Ok(())
    }

    /// Charges a frame to this client's rate limit. Beyond it, reading pauses and the client sees TCP backpressure.
    fn count(&mut self, bytes: usize, text: &str) {
        self.hub.metrics.received.add(bytes as u64);
        let (own, all) = self.charge(bytes, text);
        let wait_ms = own.wait_ms.max(all.wait_ms);
        if wait_ms > 0 {
            self.paused = Some(Instant::now() + Duration::from_millis(wait_ms));
        }
        self.slowed |= own.begins || all.begins;
    }

    /// Pings, pongs and non-final fragments count as frames, too.
    fn count_frames(&mut self) {
        let frames = self.carrier.take_frames();
        if frames == 0 {
            return;
        }
        let now = clock::now().boot_ms;
        let own = self.bucket.take(frames, now);
        let all = self
            .subscriptions
            .as_ref()
            .map(|subscriptions| subscriptions.registration.account.take_frame(frames, now))
            .unwrap_or_default();
        let wait_ms = own.wait_ms.max(all.wait_ms);
        if wait_ms > 0 {
            self.paused = Some(Instant::now() + Duration::from_millis(wait_ms));
        }
        self.slowed |= own.begins || all.begins;
    }

    /// When to reconnect, in milliseconds, if the principal or the hub has reached its connection limit, or the
    /// principal reconnects too often.
    fn over_limit(&self, who: &Principal) -> Option<u64> {
        if self.slot.know(&who.id).is_err() {
            return Some(RETRY_WHEN_FULL_MS);
        }
        Some(self.slot.welcome(clock::now().boot_ms)).filter(|wait_ms| *wait_ms > 0)
    }

    fn away(&self, wait_ms: u64) -> (Vec<Outgoing>, Option<End>) {
        self.hub.metrics.refuse(Refused::Share);
        let reason = "too many connections of one principal".to_owned();
        let bye = HubMessage::Bye { code: TRY_AGAIN, reason: reason.clone(), retry_after_ms: Some(wait_ms) };
        let frames = match message::encode(&bye) {
            Frame::Text(text) => vec![Outgoing::Own(text)],
            Frame::Binary(_) => Vec::new(),
        };
        (frames, Some(End::Close(TRY_AGAIN, reason)))
    }

    fn evicted(&self, why: Eviction) -> Result<(), End> {
        match why {
            Eviction::TooMany => {
                self.hub.metrics.refuse(Refused::Evicted);
                Err(End::Gone)
            }
            Eviction::Unfinished => {
                self.hub.metrics.refuse(Refused::Unfinished);
                End::close(TRY_AGAIN, "too many incomplete messages")
            }
        }
    }

    fn committed(&mut self, commit: Result<Commit, RecvError>) -> Result<(), End> {
        match commit {
            Ok(Commit::Batch { batch, last, is_public }) => match batch.upgrade() {
                Some(batch) => {
                    let batch = if is_public { batch } else { self.visible(batch) };
                    self.tell(Input::Committed(batch));
                }
                None => self.tell(Input::Head(last)),
            },
            Ok(Commit::Head(head)) => self.tell(Input::Head(head)),
            Err(RecvError::Lagged(_)) => self.tell(Input::Head(self.hub.store.head())),
            Err(RecvError::Closed) => return End::close(close::GOING_AWAY, "the hub has ended"),
        }
        Ok(())
    }

    /// What of new entries is for this client.
    fn visible(&self, batch: Arc<Batch>) -> Arc<Batch> {
        let Some(me) = self.session.principal() else { return batch };
        let access = self.hub.store.access();
        batch.seen(|entry| access.sees(&me.id, entry))
    }

    fn noticed(&mut self, notice: Option<Arc<Notice>>) -> Result<(), End> {
        let Some(notice) = notice else {
            self.hub.metrics.refuse(Refused::TooSlow);
            return End::close(close::TOO_SLOW, "presence updates were not read in time");
        };
        // They may have been removed from the room since it was queued.
        if let (Notice::Typing { room, .. } | Notice::Read { room, .. } | Notice::Seen { room, .. }, Some(me)) =
            (&*notice, self.session.principal())
            && !self.hub.store.sees_room(&me.id, room)
        {
            return Ok(());
        }
        self.tell(match &*notice {
            Notice::Presence(person) => Input::Presence(person.clone()),
            Notice::Status(person) => Input::Status(person.clone()),
            Notice::Removed(who) => Input::Removed(who.clone()),
            Notice::Typing { room, who } => Input::Typing { room: room.clone(), who: who.clone() },
            Notice::Seen { room, receipt } => Input::Seen { room: room.clone(), receipt: receipt.clone() },
            Notice::Read { room, offset } => Input::Read { room: room.clone(), offset: *offset },
            Notice::Unread { room, offset } => Input::Unread { room: room.clone(), offset: *offset },
        });
        Ok(())
    }
}

async fn or_never<F: Future>(future: Option<F>) -> F::Output {
    match future {
        Some(future) => future.await,
        None => pending().await,
    }
}
