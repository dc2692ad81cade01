//! What goes to the disk: gathered while a commit is under way, written in the order in which it came, and of no connection
//! so much at once that another waits long.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::time::Duration;

use super::desk::{Desk, Seat};
use crate::link::courier::Input;
use crate::model::ConnectionId;
use crate::store::client::{Commit, Write};

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
}

/// What became of a commit: each connection's tickets, and how many bytes they were.
pub(super) type Committed = Vec<(ConnectionId, Vec<u64>, Commit, usize)>;
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
            if part.bytes >= MAX_COMMIT_BYTES {
                self.unwritten.push((id, ticket, write));
                continue;
            }
            part.tickets.push(ticket);
            part.bytes += write.size();
            part.writes.push(write);
        }
        let store = self.store.clone();
        Box::pin(async move {
            let mut submitted = Vec::new();
            for (id, Part { tickets, writes, bytes }) in by_connection {
                submitted.push((id, tickets, store.submit(id, writes).await, bytes));
            }
            let mut committed = Vec::new();
            for (id, tickets, commit, bytes) in submitted {
                committed.push((id, tickets, commit.done().await, bytes));
            }
            committed
        })
    }

    pub(super) fn committed(&mut self, committed: Committed) {
        for (id, tickets, commit, bytes) in committed {
            if let Some(seat) = self.seats.get_mut(&id) {
                seat.unsaved = seat.unsaved.saturating_sub(bytes);
            }
            let answer = |ticket| match commit {
                Commit::Saved => Input::Saved(ticket),
                Commit::Held => Input::Held(ticket),
            };
            for ticket in tickets.into_iter().filter(|ticket| *ticket > 0) {
                self.tell(id, answer(ticket));
            }
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
