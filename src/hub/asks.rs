//! What a session asks, and how this hub answers from its store.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use super::invite;
use super::metrics::Refused;
use super::presence::{Mailbox, Seat};
use super::state::{Commit, Hub, hash};
use crate::clock;
use crate::model::rights::proper_name;
use crate::model::{
    EntryKind, MessageId, Offset, Principal, PrincipalId, Refusal, ResumePoint, RoomName, Sender,
};
use crate::store::{Append, Appended, RedeemError, StoreError};
use crate::wire::duplex::message::Redeem;
use crate::wire::duplex::proof;
use crate::wire::duplex::server::{Answer, AppendOutcome, Begun, LIST_ITEMS, Lists, ListsFrom};
use tokio::sync::broadcast;

/// About how much JSON one answer holds at most, in bytes: well below the largest frame.
const ANSWER_BYTES: usize = 256 * 1024;

/// A client that is about to be welcome: counted in, and hearing of what is committed from before its head was read.
pub(super) struct Entrance {
    /// Its place among those who are connected.
    pub seat: Seat,
    /// What the others tell it.
    pub mailbox: Mailbox,
    /// What is committed from now on.
    pub commits: broadcast::Receiver<Commit>,
}

impl Entrance {
    pub(super) fn new(hub: &Hub, who: &Principal) -> Entrance {
        let commits = hub.commits.subscribe();
        let (seat, mailbox) = hub.registry.enter(who, clock::now().boot_ms);
        Entrance { seat, mailbox, commits }
    }
}

/// An append as a session asked for it.
pub(super) struct NewEntry {
    /// By whom.
    pub sender: Sender,
    /// Its id.
    pub id: MessageId,
    /// A message or a room.
    pub kind: EntryKind,
    /// Where.
    pub room: RoomName,
    /// What.
    pub body: String,
    /// When, by the sender's clock.
    pub at: i64,
}

pub(super) fn unavailable(hub: &Hub, what: &str, error: &StoreError) -> Answer {
    log::warn!("cannot {what}: {error}");
    hub.metrics.refuse(Refused::Unavailable);
    Answer::Unavailable
}

pub(super) async fn authenticate(hub: Arc<Hub>, token: String, from: IpAddr) -> Answer {
    match hub.principal(&token).await {
        Ok(principal) => {
            if principal.is_none() {
                hub.metrics.refuse(Refused::Token);
                hub.failed(from);
            }
            Answer::Authenticated(principal)
        }
        Err(error) => unavailable(&hub, "look up a token", &error),
    }
}

pub(super) async fn redeem(hub: Arc<Hub>, redeem: Redeem, from: IpAddr) -> Answer {
    let name = proper_name(&redeem.name);
    let is_token = proof::unhex(&redeem.token).is_some_and(|bytes| bytes.len() == 32);
    let new_id = if is_token { new_principal_id().ok() } else { None };
    let refused = |why: &str| {
        log::info!("an invite was refused to {from}: {why}");
        hub.metrics.refuse(Refused::Invite);
        hub.failed(from);
        Answer::Redeemed(None)
    };
    let (Some(name), Some(new_id)) = (name, new_id) else {
        return refused("no proper name or token");
    };
    let (code, token) = (hash(&invite::canonical(&redeem.code)), hash(&redeem.token));
    let now = clock::now().wall_ms;
    match hub.store.redeem(code, name, token, new_id, now).await {
        Ok(principal) => {
            hub.forget_people();
            Answer::Redeemed(Some(principal))
        }
        Err(RedeemError::Refused(why)) => refused(&why.to_string()),
        // The token is somebody's already.
        Err(RedeemError::Store(StoreError::Sqlite(error))) => refused(&error.to_string()),
        Err(RedeemError::Store(error)) => unavailable(&hub, "redeem an invite", &error),
    }
}

/// A key for a new principal.
pub(super) fn new_principal_id() -> Result<PrincipalId, getrandom::Error> {
    Ok(PrincipalId(proof::hex(&clock::random::<8>()?)))
}

pub(super) async fn begin(hub: Arc<Hub>, principal: Principal, resume: Option<ResumePoint>) -> Answer {
    let begun = async {
        let at_resume = match resume {
            Some(resume) => hub.store.at(resume.offset).await?,
            None => None,
        };
        Ok(Begun {
            hub: hub.name.clone(),
            epoch: hub.store.epoch(),
            oldest: hub.store.oldest(),
            at_resume,
            lists: first_lists(&hub, principal.id).await?,
            head: hub.store.head(),
        })
    };
    match begun.await {
        Ok(begun) => Answer::Begun(begun),
        Err(error) => unavailable(&hub, "begin a session", &error),
    }
}

/// The first of what a client is told of rooms, people and what it has read.
async fn first_lists(hub: &Hub, me: PrincipalId) -> Result<Lists, StoreError> {
    let from = ListsFrom { rooms: Some(0), people: None, read: Some(0) };
    let mut lists = hub.store.lists(me, from, LIST_ITEMS).await?;
    let (people, next) = hub.first_people().await?;
    lists.people = hub.registry.mark(people.iter().cloned());
    let more = lists.next.take().unwrap_or_default();
    lists.next = ListsFrom { people: next, ..more }.any();
    Ok(lists)
}

/// What follows of that. Who is connected is looked up when it is told: see `Client`.
pub(super) async fn lists(hub: Arc<Hub>, me: PrincipalId, from: ListsFrom) -> Answer {
    match hub.store.lists(me, from, LIST_ITEMS).await {
        Ok(lists) => Answer::Lists(lists),
        Err(error) => unavailable(&hub, "list rooms and people", &error),
    }
}

/// Writes these entries, all or none; answers in their order.
pub(super) async fn append(hub: Arc<Hub>, group: Vec<NewEntry>) -> Vec<Answer> {
    let asked = Instant::now();
    let received = clock::now().wall_ms;
    let ids: Vec<MessageId> = group.iter().map(|new| new.id).collect();
    let with_time = |new: NewEntry| {
        let NewEntry { sender, id, kind, room, body, at } = new;
        Append { sender, id, kind, room, body, at, received }
    };
    let appended = hub.store.append_all(group.into_iter().map(with_time).collect()).await;
    for _ in &ids {
        hub.metrics.append_took(asked.elapsed());
    }
    hub.log_worked(appended.is_ok());
    match appended {
        Ok(appended) => {
            let outcomes = appended.into_iter().map(|appended| outcome(&hub, appended));
            ids.into_iter().zip(outcomes).map(|(id, outcome)| Answer::Appended { id, outcome }).collect()
        }
        Err(error) => vec![unavailable(&hub, "write to the log", &error)],
    }
}

fn outcome(hub: &Hub, appended: Appended) -> AppendOutcome {
    match appended {
        Appended::New(entry) => {
            hub.metrics.appended.add(1);
            AppendOutcome::Stored { offset: entry.offset, received: entry.received }
        }
        Appended::Known { offset, received } | Appended::RoomExists { offset, received } => {
            hub.metrics.repeated.add(1);
            AppendOutcome::Stored { offset, received }
        }
        Appended::NoSuchRoom => AppendOutcome::Refused(Refusal::NoSuchRoom),
    }
}

pub(super) async fn read(hub: Arc<Hub>, from: Offset, limit: u32) -> Answer {
    match hub.store.read(from, limit, ANSWER_BYTES).await {
        Ok(entries) => Answer::Entries(entries),
        Err(error) => unavailable(&hub, "read the log", &error),
    }
}

pub(super) async fn history(hub: Arc<Hub>, room: RoomName, before: Offset, limit: u32) -> Answer {
    match hub.store.history(room.clone(), before, limit, ANSWER_BYTES).await {
        Ok((entries, complete)) => Answer::History { room, before, entries, complete },
        Err(error) => unavailable(&hub, "read a room's history", &error),
    }
}

/// Keeps a read marker. Returns whether it moved, which the principal's other clients should hear of.
pub(super) async fn set_read(hub: Arc<Hub>, who: PrincipalId, room: RoomName, offset: Offset) -> bool {
    let moved = hub.store.set_read(who, room, offset).await;
    // Nothing is lost: the client says it again with the next message read.
    moved.inspect_err(|error| log::warn!("cannot keep a read marker: {error}")).unwrap_or(false)
}
