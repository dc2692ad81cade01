//! Answers a session's requests from the store.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use super::account::{Account, Held, MARKER_COST_BYTES};
use super::files;
use super::invite;
use super::metrics::Refused;
use super::presence::{Mailbox, Registration};
use super::state::{Commit, Hub, hash};
use crate::clock;
use crate::model::name;
use crate::model::time::WallMs;
use crate::model::{
    Draft, MessageId, Offset, Principal, PrincipalId, Receipt, Refusal, ResumePoint, Role, RoomId, Sender,
};
use crate::store::{Append, Appended, Quota, RedeemError, StoreError, Stretch};
use crate::wire::duplex::message::Redeem;
use crate::wire::duplex::server::{
    AppendOutcome, Begun, HubAccessAnswer, HubAnswer, HubChatAnswer, HubChatRequest, HubDeviceAnswer,
    HubDeviceRequest, HubRequest, LIST_ITEMS, Lists, ListsFrom,
};
use data_encoding::HEXLOWER;
use tokio::sync::broadcast;

/// Approximate maximum of JSON in one answer, in bytes: well below the frame limit.
const MAX_ANSWER_BYTES: usize = 256 * 1024;
/// Approximate maximum of text written in one group for one client, in bytes.
const MAX_GROUP_BYTES: usize = 128 * 1024;
/// When to retry if the log is full and nothing in it expires, in milliseconds.
const RETRY_WHEN_LOG_FULL_MS: u64 = 600_000;
/// Approximate JSON overhead of an entry, person, room, read marker or log line, in bytes.
const OVERHEAD_BYTES: usize = 128;

/// The subscriptions of a client that is about to be welcomed. They begin before the log's head is read, so that no
/// commit is missed.
pub(super) struct Subscriptions {
    /// Its registration among the connected clients.
    pub registration: Registration,
    /// Notices from other clients.
    pub mailbox: Mailbox,
    /// Commits from now on.
    pub commits: broadcast::Receiver<Commit>,
}

impl Subscriptions {
    pub(super) fn new(hub: &Hub, who: &Principal) -> Subscriptions {
        let commits = hub.commits.subscribe();
        let (registration, mailbox) = hub.registry.enter(who, clock::now().boot_ms);
        Subscriptions { registration, mailbox, commits }
    }
}

/// An append requested by a session.
pub(super) struct NewEntry {
    /// The message or room.
    pub draft: Draft,
    /// The author.
    pub sender: Sender,
    /// What the author may do.
    pub role: Role,
    /// The refusal, unless the entry is already on disk.
    pub refusal: Option<Refusal>,
}

impl NewEntry {
    /// Refuses it, unless the entry is already on disk. Only its id is needed then.
    fn refused(mut self, refusal: Refusal) -> Self {
        self.refusal.get_or_insert(refusal);
        self.draft.content = self.draft.content.emptied();
        self
    }

    fn bytes(&self) -> usize {
        self.draft.content.bytes()
    }
}

/// An append in the queue, with its share of the principal's limit.
pub(super) struct Queued {
    new: NewEntry,
    _held: Option<Held>,
}

impl Queued {
    /// Queues an append behind `waiting`. A message behind one that is refused must not be stored first.
    pub(super) fn new(account: &Arc<Account>, new: NewEntry, waiting: &VecDeque<Queued>) -> Queued {
        let is_message = |new: &NewEntry| !new.draft.content.is_room();
        let last = waiting.iter().rev().find(|last| is_message(&last.new));
        let before = last.and_then(|last| last.new.refusal.as_ref()).filter(|_| is_message(&new));
        match before {
            Some(refusal) => Queued { new: new.refused(refusal.for_those_behind()), _held: None },
            None if new.refusal.is_some() => Queued { new, _held: None },
            None => match account.hold(new.bytes()) {
                Ok(held) => Queued { new, _held: Some(held) },
                Err(retry_after_ms) => {
                    Queued { new: new.refused(Refusal::SlowDown { retry_after_ms }), _held: None }
                }
            },
        }
    }

    /// The same, behind a message. `refusal`: see [`Written::stall`].
    pub(super) fn behind(self, refusal: &Refusal) -> Queued {
        match self.new.draft.content.is_room() {
            true => self,
            false => Queued { new: self.new.refused(refusal.clone()), _held: None },
        }
    }
}

/// Entries that are written together.
pub(super) type Group = Vec<Queued>;

/// The next group to write; `None` if the queue is empty.
pub(super) fn next_to_append(waiting: &mut VecDeque<Queued>) -> Option<Group> {
    let (mut group, mut bytes) = (Vec::new(), 0);
    while let Some(next) =
        waiting.pop_front_if(|next| group.is_empty() || bytes + next.new.bytes() <= MAX_GROUP_BYTES)
    {
        bytes += next.new.bytes();
        group.push(next);
    }
    (!group.is_empty()).then_some(group)
}

/// Logged at debug level only: the store logs the cause once when it begins.
pub(super) fn unavailable(hub: &Hub, what: &str, error: &StoreError) -> HubAnswer {
    log::debug!("cannot {what}: {error}");
    hub.metrics.refuse(Refused::Unavailable);
    HubAnswer::Unavailable
}

pub(super) async fn authenticate(hub: Arc<Hub>, token: String, from: IpAddr) -> HubAnswer {
    match hub.principal(&token).await {
        Ok(principal) => {
            if principal.is_none() {
                hub.metrics.refuse(Refused::Token);
                hub.failed(from);
            }
            HubAnswer::Access(HubAccessAnswer::Authenticated(principal))
        }
        Err(error) => unavailable(&hub, "look up a token", &error),
    }
}

pub(super) async fn redeem(hub: Arc<Hub>, redeem: Redeem, from: IpAddr) -> HubAnswer {
    let name = name::make(&redeem.name, name::MAX_PERSON_CHARS);
    let is_token = files::is_token(&redeem.token);
    let new_id = if is_token { new_principal_id().ok() } else { None };
    let refused = |why: &str| {
        log::info!("refused an invite from {from}: {why}");
        hub.metrics.refuse(Refused::Invite);
        hub.failed(from);
        HubAnswer::Access(HubAccessAnswer::Redeemed(None))
    };
    let name = match name {
        Ok(name) => name,
        Err(why) => return refused(&why.to_string()),
    };
    let Some(new_id) = new_id else {
        return refused("malformed token");
    };
    let (code, token) = (hash(&invite::canonical(&redeem.code)), hash(&redeem.token));
    let now = clock::now().wall_ms;
    match hub.store.redeem(code, name, token, new_id, now).await {
        Ok(principal) => {
            hub.forget_people();
            HubAnswer::Access(HubAccessAnswer::Redeemed(Some(principal)))
        }
        Err(RedeemError::Refused(why)) => refused(&why.to_string()),
        // The token is already in use.
        Err(RedeemError::Store(StoreError::Sqlite(error))) => refused(&error.to_string()),
        Err(RedeemError::Store(error)) => unavailable(&hub, "redeem an invite", &error),
    }
}

/// Checks whether an invite can be redeemed. An invalid code counts like a bad token, so that codes cannot be
/// guessed.
pub(super) async fn check_invite(hub: Arc<Hub>, code: String, from: IpAddr) -> HubAnswer {
    let code = hash(&invite::canonical(&code));
    match hub.store.check_invite(code, clock::now().wall_ms).await {
        Ok(expires) => HubAnswer::Access(HubAccessAnswer::InviteChecked(Some((hub.name.clone(), expires)))),
        Err(RedeemError::Refused(why)) => {
            log::info!("invite check from {from} failed: {why}");
            hub.metrics.refuse(Refused::Invite);
            hub.failed(from);
            HubAnswer::Access(HubAccessAnswer::InviteChecked(None))
        }
        Err(RedeemError::Store(error)) => unavailable(&hub, "look up an invite", &error),
    }
}

/// A random id for a new principal.
pub(super) fn new_principal_id() -> Result<PrincipalId, getrandom::Error> {
    Ok(PrincipalId(HEXLOWER.encode(&clock::random::<8>()?)))
}

pub(super) async fn begin(
    hub: Arc<Hub>,
    account: Arc<Account>,
    principal: Principal,
    resume: Option<ResumePoint>,
) -> HubAnswer {
    let _turn = account.enter().await;
    let _place = Arc::clone(&hub.reading).acquire_owned().await;
    let begun = async {
        // Both are read in one transaction: retention may delete old entries at any time.
        let (at_resume, oldest) = match resume {
            Some(resume) => hub.store.at_and_oldest(resume.offset).await?,
            None => (None, hub.store.oldest()),
        };
        // No newer one is known to be visible than this: what comes later follows as a commit.
        let head = hub.store.head();
        let visible_head = hub.store.access().head_for(&principal.id).min(head);
        Ok(Begun {
            hub: hub.name.clone(),
            epoch: hub.store.epoch(),
            oldest,
            at_resume,
            lists: first_lists(&hub, principal.id).await?,
            head,
            visible_head,
        })
    };
    match begun.await {
        Ok(begun) => {
            account.answered(listed(&begun.lists));
            HubAnswer::Chat(HubChatAnswer::Begun(begun))
        }
        Err(error) => unavailable(&hub, "begin a session", &error),
    }
}

/// The first page of rooms, people and read markers for a client.
async fn first_lists(hub: &Hub, me: PrincipalId) -> Result<Lists, StoreError> {
    let from = ListsFrom { rooms: Some(0), people: None, read: Some(0) };
    let mut lists = hub.store.lists(me, from, LIST_ITEMS).await?;
    let (people, next) = hub.first_people().await?;
    lists.people = hub.registry.mark(people.iter().cloned());
    let more = lists.next.take().unwrap_or_default();
    lists.next = ListsFrom { people: next, ..more }.any();
    Ok(lists)
}

/// The following pages. Presence is added when the answer is sent: see `Client`.
async fn lists(hub: Arc<Hub>, me: PrincipalId, from: ListsFrom) -> HubAnswer {
    match hub.store.lists(me, from, LIST_ITEMS).await {
        Ok(lists) => HubAnswer::Chat(HubChatAnswer::Lists(lists)),
        Err(error) => unavailable(&hub, "list rooms and people", &error),
    }
}

/// The outcome of writing a group of entries.
pub(super) struct Written {
    /// In the order of the entries.
    pub answers: Vec<HubAnswer>,
    /// A message was refused: how those behind it are.
    pub stall: Option<Refusal>,
}

/// Writes these entries, all or none.
pub(super) async fn append(hub: Arc<Hub>, account: Arc<Account>, group: Group) -> Written {
    let _turn = account.write(group.len(), group.iter().map(|queued| queued.new.bytes()).sum()).await;
    let asked = Instant::now();
    let received = clock::now().wall_ms;
    let (mut asks, mut appends) = (Vec::with_capacity(group.len()), Vec::with_capacity(group.len()));
    for Queued { new, .. } in group {
        let NewEntry { draft, sender, role, refusal } = new;
        let only_known = refusal.is_some();
        asks.push((draft.id, draft.content.is_room(), refusal));
        appends.push(Append { draft, sender, received, role, only_known });
    }
    let appended = hub.store.append_in_order(appends).await;
    for _ in &asks {
        hub.metrics.append_took(asked.elapsed());
    }
    match appended {
        Ok(appended) => {
            let mut stall = None;
            let answer =
                |((id, is_room, refusal), appended): ((MessageId, bool, Option<Refusal>), Appended)| {
                    let outcome = outcome(&hub, appended, refusal, received);
                    // A refused room does not hold up messages.
                    if let (AppendOutcome::Refused(refusal), false) = (&outcome, is_room) {
                        stall.get_or_insert_with(|| refusal.for_those_behind());
                    }
                    HubAnswer::Chat(HubChatAnswer::Appended { id, outcome })
                };
            let answers = asks.into_iter().zip(appended).map(answer).collect();
            Written { answers, stall }
        }
        Err(error) => Written { answers: vec![unavailable(&hub, "write to the log", &error)], stall: None },
    }
}

fn outcome(hub: &Hub, appended: Appended, why: Option<Refusal>, now: WallMs) -> AppendOutcome {
    match appended {
        Appended::New(entry) => {
            hub.metrics.appended.add(1);
            hub.log_full(false);
            AppendOutcome::Stored { offset: entry.offset, received: entry.received }
        }
        Appended::Known { offset, received } => {
            hub.metrics.repeated.add(1);
            AppendOutcome::Stored { offset, received }
        }
        Appended::RoomExists { room, offset, received } => {
            hub.metrics.repeated.add(1);
            AppendOutcome::RoomExists { room, offset, received }
        }
        Appended::NotKnown => AppendOutcome::Refused(why.unwrap_or(Refusal::NotAllowed)),
        Appended::Behind => AppendOutcome::Refused(Refusal::SlowDown { retry_after_ms: 0 }),
        Appended::NoSuchRoom => AppendOutcome::Refused(Refusal::NoSuchRoom),
        Appended::Archived => AppendOutcome::Refused(Refusal::Archived),
        Appended::NotAllowed => AppendOutcome::Refused(Refusal::NotAllowed),
        Appended::RoomAlike { name } => AppendOutcome::Refused(Refusal::NameAlike { name }),
        Appended::NoSuchMessage => AppendOutcome::Refused(Refusal::NoSuchMessage),
        Appended::NoSuchFile => AppendOutcome::Refused(Refusal::NoSuchFile),
        Appended::NotYours => AppendOutcome::Refused(Refusal::NotYours),
        Appended::TooMany { limit } => AppendOutcome::Refused(Refusal::TooMany { limit }),
        Appended::Redundant { offset, received } => {
            hub.metrics.repeated.add(1);
            AppendOutcome::Redundant { offset, received }
        }
        Appended::RoomIdTaken | Appended::IdTaken => {
            AppendOutcome::Refused(Refusal::Other { code: "id_taken".to_owned(), detail: String::new() })
        }
        Appended::BadRoomName(why) => AppendOutcome::Refused(Refusal::BadName { detail: why.to_string() }),
        Appended::Refused { quota, until } => {
            hub.metrics.refuse(Refused::Quota);
            if quota == Quota::LogFull {
                hub.log_full(true);
            }
            AppendOutcome::Refused(refusal(hub, quota, until, now))
        }
    }
}

/// The refusal for an exceeded quota.
fn refusal(hub: &Hub, quota: Quota, until: Option<WallMs>, now: WallMs) -> Refusal {
    let limits = hub.store.limits();
    let in_ms = until.map(|until| until.since(now).max(1).unsigned_abs());
    let quota_of = || Refusal::Quota { retry_after_ms: in_ms.unwrap_or(RETRY_WHEN_LOG_FULL_MS) };
    match quota {
        Quota::Rooms => Refusal::TooMany { limit: limits.rooms.into() },
        Quota::RoomsOfPerson => Refusal::TooMany { limit: limits.rooms_per_person.into() },
        Quota::RoomsToday | Quota::MessagesToday | Quota::BytesToday | Quota::LogFull => quota_of(),
    }
}

/// A question whose answer may be large: waits for the principal's turn, and pays for the answer by its size, but not for
/// what has come into the log since the client is here: that is paid for by whoever wrote it. `None`: there is no answer.
pub(super) async fn large(
    hub: Arc<Hub>,
    account: Arc<Account>,
    me: PrincipalId,
    ask: HubRequest,
    old_to: Offset,
) -> Option<HubAnswer> {
    let is_new = matches!(ask, HubRequest::Chat(HubChatRequest::Read { from, .. }) if from > old_to);
    let _turn = if is_new { None } else { Some(account.read().await) };
    let _place = Arc::clone(&hub.reading).acquire_owned().await;
    let answer = match ask {
        HubRequest::Chat(HubChatRequest::Read { from, limit }) => read(hub, me, from, limit).await,
        HubRequest::Chat(HubChatRequest::Lists(from)) => lists(hub, me, from).await,
        HubRequest::Chat(HubChatRequest::History { room, before, limit }) => {
            history(hub, me, room, before, limit).await
        }
        HubRequest::Chat(HubChatRequest::Receipts { room }) => receipts(hub, me, room).await,
        HubRequest::Device(HubDeviceRequest::Series { device, metric, from, to }) => {
            let page = hub.fleet.series(device.clone(), metric.clone(), from, to).await?;
            HubAnswer::Device(HubDeviceAnswer::Series { device, metric, page })
        }
        HubRequest::Device(HubDeviceRequest::Log(device)) => {
            let lines = hub.fleet.device_log(device.clone()).await?;
            HubAnswer::Device(HubDeviceAnswer::Log { device, lines })
        }
        // There are no other large requests.
        _ => return None,
    };
    if !is_new {
        account.answered(size(&answer));
    }
    Some(answer)
}

/// Approximate size of an answer as JSON, in bytes.
fn size(answer: &HubAnswer) -> usize {
    match answer {
        HubAnswer::Chat(HubChatAnswer::Entries { entries, .. })
        | HubAnswer::Chat(HubChatAnswer::History { entries, .. }) => {
            entries.iter().map(|entry| 2 * OVERHEAD_BYTES + entry.draft.content.bytes()).sum()
        }
        HubAnswer::Device(HubDeviceAnswer::Series { page, .. }) => page.buckets.len() * OVERHEAD_BYTES / 2,
        HubAnswer::Device(HubDeviceAnswer::Log { lines, .. }) => lines.len() * 4 * OVERHEAD_BYTES,
        HubAnswer::Chat(HubChatAnswer::Lists(lists)) => listed(lists),
        HubAnswer::Chat(HubChatAnswer::Receipts { by, .. }) => by.len() * OVERHEAD_BYTES,
        _ => 0,
    }
}

fn listed(lists: &Lists) -> usize {
    (lists.rooms.len() + lists.people.len() + lists.read.len()) * OVERHEAD_BYTES
}

async fn read(hub: Arc<Hub>, me: PrincipalId, from: Offset, limit: u32) -> HubAnswer {
    match hub.store.read_for(me, from, limit, MAX_ANSWER_BYTES).await {
        Ok(Stretch { entries, from: first, to }) if first == from => {
            HubAnswer::Chat(HubChatAnswer::Entries { entries, to })
        }
        // It has been let go of.
        Ok(_) => HubAnswer::Chat(HubChatAnswer::Entries { entries: Vec::new(), to: Offset(0) }),
        Err(error) => unavailable(&hub, "read the log", &error),
    }
}

async fn history(hub: Arc<Hub>, me: PrincipalId, room: RoomId, before: Offset, limit: u32) -> HubAnswer {
    match hub.store.history(me, room.clone(), before, limit, MAX_ANSWER_BYTES).await {
        Ok((entries, complete)) => {
            HubAnswer::Chat(HubChatAnswer::History { room, before, entries, complete })
        }
        Err(error) => unavailable(&hub, "read a room's history", &error),
    }
}

/// Stores what somebody says of themselves, and tells everyone.
pub(super) async fn set_status(hub: Arc<Hub>, account: Arc<Account>, who: PrincipalId, status: String) {
    let _turn = account.write(1, MARKER_COST_BYTES).await;
    match hub.store.set_status(who.clone(), status.clone()).await {
        Ok(()) => hub.registry.set_status(&who, status),
        Err(error) => log::warn!("cannot keep a status: {error}"),
    }
}

/// Stores a read marker. Returns whether it moved; the principal's other clients are to be told then.
pub(super) async fn set_read(
    hub: Arc<Hub>,
    account: Arc<Account>,
    who: PrincipalId,
    room: RoomId,
    offset: Offset,
) -> bool {
    let _turn = account.write(1, MARKER_COST_BYTES).await;
    let moved = hub.store.set_read(who, room, offset).await;
    // Nothing is lost: the client sends it again with the next message read.
    moved.inspect_err(|error| log::warn!("cannot keep a read marker: {error}")).unwrap_or(false)
}

/// Keeps what somebody has seen. Returns what is kept of them, if that is more than before.
pub(super) async fn set_seen(
    hub: Arc<Hub>,
    account: Arc<Account>,
    room: RoomId,
    receipt: Receipt,
) -> Option<Receipt> {
    let _turn = account.write(1, MARKER_COST_BYTES).await;
    let kept = hub.store.set_seen(room, receipt).await;
    kept.inspect_err(|error| log::warn!("cannot keep a receipt: {error}")).unwrap_or(None)
}

async fn receipts(hub: Arc<Hub>, me: PrincipalId, room: RoomId) -> HubAnswer {
    match hub.store.receipts(me, room.clone()).await {
        Ok(by) => HubAnswer::Chat(HubChatAnswer::Receipts { room, by }),
        Err(error) => unavailable(&hub, "read receipts", &error),
    }
}

/// The person wants everything after this offset to be unread. Returns whether the marker moved.
pub(super) async fn set_unread(
    hub: Arc<Hub>,
    account: Arc<Account>,
    who: PrincipalId,
    room: RoomId,
    offset: Offset,
) -> bool {
    let _turn = account.write(1, MARKER_COST_BYTES).await;
    let moved = hub.store.set_unread(who, room, offset).await;
    moved.inspect_err(|error| log::warn!("cannot move a read marker back: {error}")).unwrap_or(false)
}
