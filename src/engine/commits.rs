//! Commits: changes are gathered while a commit is under way and written in order, a limited amount per connection so
//! that no connection delays the others.

use std::collections::{BTreeMap, BTreeSet};

use super::{Engine, Outcome, Part};
use crate::link;
use crate::link::durable::{Change, Input};
use crate::model::link_state::LinkState;
use crate::model::{ConnectionId, Offset, Time};

/// A change queued for the next commit.
struct QueuedChange {
    connection: ConnectionId,
    /// The connection's number; 0 if it no longer exists.
    of: u64,
    /// 0 if nothing waits for the result.
    ticket: u64,
    change: Change,
}

/// A submitted part of a commit that is not on disk yet.
struct Submitted {
    connection: ConnectionId,
    of: u64,
    /// Tickets of its changes, in order.
    tickets: Vec<u64>,
    bytes: usize,
    /// Bytes of those changes that no server would send again.
    unnumbered_bytes: usize,
    is_held: bool,
}

/// Changes waiting for the disk, and the parts submitted to it.
#[derive(Default)]
pub(super) struct Commits {
    waiting: Vec<QueuedChange>,
    given: BTreeMap<u64, Submitted>,
    /// Number of parts of the current commit that have no outcome yet.
    under_way: usize,
    last: u64,
}

/// A part being assembled.
struct Gathering {
    part: Part,
    given: Submitted,
}

impl Gathering {
    fn new(number: u64, connection: ConnectionId, of: u64) -> Gathering {
        let part = Part { number, connection, changes: Vec::new() };
        let (tickets, bytes, unnumbered_bytes, is_held) = (Vec::new(), 0, 0, false);
        let given = Submitted { connection, of, tickets, bytes, unnumbered_bytes, is_held };
        Gathering { part, given }
    }

    /// Whether this change still fits. A state always fits: it belongs in the transaction of the change before it.
    fn has_room(&self, change: &Change, max_bytes: usize) -> bool {
        self.given.bytes < max_bytes || matches!(change, Change::State(_))
    }

    fn take(&mut self, ticket: u64, change: Change) {
        let bytes = change.size();
        self.given.tickets.push(ticket);
        self.given.bytes += bytes;
        self.given.unnumbered_bytes += if change.is_unnumbered() { bytes } else { 0 };
        self.part.changes.push(change);
    }
}

impl Commits {
    /// The next commit, with a limited amount per connection, in order. `None` while one is under way.
    pub(super) fn begin(&mut self, max_bytes: usize) -> Option<Vec<Part>> {
        if self.under_way > 0 || self.waiting.is_empty() {
            return None;
        }
        let mut gathering: BTreeMap<(ConnectionId, u64), Gathering> = BTreeMap::new();
        let mut full = BTreeSet::new();
        let mut later = Vec::new();
        for waiting in std::mem::take(&mut self.waiting) {
            let QueuedChange { connection, of, .. } = waiting;
            let part = gathering.entry((connection, of)).or_insert_with(|| {
                self.last += 1;
                Gathering::new(self.last, connection, of)
            });
            // Once a change of a connection has to wait, all later ones of it wait as well.
            if full.contains(&connection) || !part.has_room(&waiting.change, max_bytes) {
                full.insert(connection);
                later.push(waiting);
            } else {
                part.take(waiting.ticket, waiting.change);
            }
        }
        self.waiting = later;
        let mut parts = Vec::with_capacity(gathering.len());
        for Gathering { part, given } in gathering.into_values().filter(|part| !part.part.changes.is_empty())
        {
            self.given.insert(part.number, given);
            parts.push(part);
        }
        self.under_way = parts.len();
        // Parts of a connection from before it was removed or reloaded come first.
        parts.sort_by_key(|part| part.number);
        Some(parts)
    }

    /// Whether nothing of a connection is on its way to the store. Loading includes what the store holds in memory.
    fn is_quiet(&self, connection: ConnectionId) -> bool {
        let is_on_its_way = |given: &Submitted| given.connection == connection && !given.is_held;
        !self.waiting.iter().any(|waiting| waiting.connection == connection)
            && !self.given.values().any(is_on_its_way)
    }

    /// Keeps only changes made by the person.
    pub(super) fn drop_what_is_said_again(&mut self) {
        self.waiting.retain(|waiting| !waiting.change.is_replayable());
    }
}

impl Engine {
    /// Queues a change to be written.
    pub(super) fn keep(&mut self, connection: ConnectionId, ticket: u64, change: Change) {
        let known = self.connections.get_mut(&connection);
        let of = known.map_or(0, |known| {
            known.unsaved_bytes += change.size();
            known.number
        });
        self.commits.waiting.push(QueuedChange { connection, of, ticket, change });
    }

    /// Whether the disk keeps up with a connection.
    pub(super) fn has_room(&self, connection: ConnectionId) -> bool {
        let max = self.limits.max_unsaved_bytes;
        self.connections.get(&connection).is_none_or(|known| known.unsaved_bytes < max)
    }

    /// Marks connections to be reloaded from the disk, and hangs up until then.
    pub(super) fn begin_anew(&mut self, now: Time, connections: BTreeSet<ConnectionId>) {
        for connection in connections {
            let Some(known) = self.connections.get(&connection) else { continue };
            if !matches!(known.durable.link().state(), LinkState::Idle | LinkState::Stopped { .. }) {
                self.restarts.insert(connection);
                self.tell(now, connection, Input::Link(link::Input::Stop));
            }
            self.behind.insert(connection);
        }
    }

    /// The next connection to reload: all its changes have reached the store.
    pub(super) fn next_reload(&mut self) -> Option<ConnectionId> {
        let next = self.behind.iter().find(|connection| self.commits.is_quiet(**connection)).copied()?;
        self.behind.remove(&next);
        Some(next)
    }

    pub(super) fn committed(&mut self, now: Time, part: u64, outcome: Outcome) {
        let Some(given) = self.commits.given.get_mut(&part) else { return };
        let (connection, of) = (given.connection, given.of);
        let was_held = std::mem::replace(&mut given.is_held, true);
        self.commits.under_way -= usize::from(!was_held);
        let is_saved = matches!(outcome, Outcome::Saved { .. });
        let bytes = match (is_saved, was_held) {
            (true, true) => given.unnumbered_bytes,
            (true, false) => given.bytes,
            (false, true) => 0,
            (false, false) => given.bytes - given.unnumbered_bytes,
        };
        let tickets = std::mem::take(&mut given.tickets);
        self.free(connection, of, bytes);
        let numbered = match outcome {
            Outcome::Saved { numbered } => numbered,
            Outcome::Held => Vec::new(),
        };
        for (place, ticket) in tickets.iter().enumerate().filter(|(_, ticket)| **ticket > 0) {
            // The connection may have been replaced by one that was loaded from the disk.
            if self.is_closing || !self.is_current(connection, of) {
                break;
            }
            let ticket = *ticket;
            let input = match first_offset(&numbered, place) {
                Some(first) => Input::Numbered { ticket, first },
                None if is_saved => Input::Saved(ticket),
                None => Input::Held(ticket),
            };
            self.tell(now, connection, input);
        }
        match self.commits.given.get_mut(&part) {
            Some(given) if !is_saved => given.tickets = tickets,
            _ => _ = self.commits.given.remove(&part),
        }
    }

    /// A part will never be saved as a whole; its connection is reloaded.
    pub(super) fn let_go(&mut self, part: u64) {
        if let Some(given) = self.commits.given.remove(&part) {
            self.commits.under_way -= usize::from(!given.is_held);
            let bytes = if given.is_held { given.unnumbered_bytes } else { given.bytes };
            self.free(given.connection, given.of, bytes);
        }
    }

    fn is_current(&self, connection: ConnectionId, of: u64) -> bool {
        self.connections.get(&connection).is_some_and(|known| known.number == of)
    }

    fn free(&mut self, connection: ConnectionId, of: u64, bytes: usize) {
        if let Some(known) = self.connections.get_mut(&connection).filter(|known| known.number == of) {
            known.unsaved_bytes = known.unsaved_bytes.saturating_sub(bytes);
        }
    }
}

fn first_offset(numbered: &[(usize, Offset)], place: usize) -> Option<Offset> {
    numbered.iter().find(|(numbered, _)| *numbered == place).map(|(_, first)| *first)
}
