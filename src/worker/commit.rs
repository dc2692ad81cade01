//! What goes to the disk: gathered while a commit is under way, written in the order in which it came, and of no connection
//! so much at once that another waits long.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::time::Duration;

use super::desk::{Desk, Done, Seat};
use crate::link::courier::Input;
use crate::model::ConnectionId;
use crate::store::client::{Commit, Outcome, Write};

/// Maximum number of bytes of one connection's changes that wait for the disk before its socket is held back.
const MAX_UNSAVED_BYTES: usize = 4 * 1024 * 1024;
/// Maximum number of bytes of one connection's changes in one commit: those of other connections wait for it.
const MAX_COMMIT_BYTES: usize = 1024 * 1024;
/// When the worker ends, readings that wait have this long to be taken in.
const READINGS_CLOSE: Duration = Duration::from_millis(500);

/// One connection's part of a commit.
#[derive(Default)]
struct Part {
    tickets: Vec<u64>,
    writes: Vec<Write>,
    bytes: usize,
    /// How many of them no server would say again.
    unnumbered: usize,
}

/// One connection's part of a commit, once the disk has it or cannot take it.
pub(super) struct Written {
    id: ConnectionId,
    /// The tickets of its writes, in order; 0 where nothing waits.
    tickets: Vec<u64>,
    outcome: Outcome,
    /// How many bytes wait no longer when it is on disk, and when it is held.
    bytes: (usize, usize),
}

/// What became of a commit.
pub(super) type Committed = Vec<Written>;
pub(super) type Committing = Pin<Box<dyn Future<Output = Committed>>>;

impl Seat {
    /// Whether the disk keeps up with it.
    pub(super) fn has_room(&self) -> bool {
        self.unsaved < MAX_UNSAVED_BYTES
    }
}

impl Desk {
    /// Hangs up, and waits for the disk to have what the person did. What servers said and is not on its way to the disk
    /// yet they will say again.
    pub(super) async fn close(&mut self, committing: Option<Committing>) {
        self.trays.clear();
        for seat in self.seats.values_mut() {
            seat.line.hang_up(1001);
        }
        self.unwritten.retain(|(.., write)| !write.is_replayable());
        if let Some(commit) = committing {
            commit.await;
        }
        while !self.unwritten.is_empty() {
            self.begin_commit().await;
        }
        if let Some(readings) = &self.fleet.readings {
            readings.close(READINGS_CLOSE).await;
        }
        if let Some(hub) = self.own_hub.take() {
            hub.end().await;
        }
    }

    /// Commits what waits: of each connection as much as takes little time, in order.
    pub(super) fn begin_commit(&mut self) -> Committing {
        let mut by_connection: BTreeMap<ConnectionId, Part> = BTreeMap::new();
        for (id, ticket, write) in std::mem::take(&mut self.unwritten) {
            let part = by_connection.entry(id).or_default();
            // What goes with the write before it is in the same transaction.
            if part.bytes >= MAX_COMMIT_BYTES && !matches!(write, Write::State(_)) {
                self.unwritten.push((id, ticket, write));
                continue;
            }
            part.tickets.push(ticket);
            part.bytes += write.size();
            part.unnumbered += if write.is_unnumbered() { write.size() } else { 0 };
            part.writes.push(write);
        }
        let store = self.store.clone();
        Box::pin(async move {
            let mut submitted = Vec::new();
            for (id, Part { tickets, writes, bytes, unnumbered }) in by_connection {
                let bytes = (bytes, bytes - unnumbered);
                submitted.push((id, tickets, store.submit(id, writes).await, bytes));
            }
            let mut committed = Vec::new();
            for (id, tickets, commit, bytes) in submitted {
                committed.push(Written { id, tickets, outcome: commit.outcome().await, bytes });
            }
            committed
        })
    }

    pub(super) fn committed(&mut self, committed: Committed) {
        committed.into_iter().for_each(|written| self.written(written));
    }

    pub(super) fn written(&mut self, written: Written) {
        let Written { id, tickets, outcome, bytes } = written;
        let is_saved = outcome.commit == Commit::Saved;
        let waiting = if is_saved { bytes.0 } else { bytes.1 };
        if let Some(seat) = self.seats.get_mut(&id) {
            seat.unsaved = seat.unsaved.saturating_sub(waiting);
        }
        for (place, ticket) in tickets.iter().enumerate().filter(|(_, ticket)| **ticket > 0) {
            let first =
                outcome.numbered.iter().find(|(numbered, _)| *numbered == place).map(|(_, first)| *first);
            let ticket = *ticket;
            self.tell(
                id,
                match first {
                    Some(first) => Input::Numbered { ticket, first },
                    None if is_saved => Input::Saved(ticket),
                    None => Input::Held(ticket),
                },
            );
        }
        if let Some(later) = outcome.later {
            let done = self.done.clone();
            let bytes = (bytes.0 - bytes.1, 0);
            tokio::spawn(async move {
                // Some of it may have been let go: then it is never on disk, and the connection is seated anew.
                if let Ok(outcome) = later.await {
                    let _ = done.send(Done::Written(Written { id, tickets, outcome, bytes })).await;
                }
            });
        }
    }

    /// Writes something down that nothing waits for.
    pub(super) fn write(&mut self, id: ConnectionId, write: Write) {
        self.put(id, 0, write);
    }

    pub(super) fn put(&mut self, id: ConnectionId, ticket: u64, write: Write) {
        if let Some(seat) = self.seats.get_mut(&id) {
            seat.unsaved += write.size();
        }
        self.unwritten.push((id, ticket, write));
    }
}
