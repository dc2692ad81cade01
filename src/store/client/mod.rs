//! [`ClientStore`]: what the app keeps about its connections, in `client.db`. Never fails to open: what cannot be kept on
//! disk is held in memory, and a banner says so.
//!
//! A write goes `held` (the writer thread's work) → `write` (what each event does) → `book` (messages: `identity`, `counts`), `outbox`,
//! `later` (what is not understood); `background` does what nobody waits for. A read
//! goes straight to `read` or `search`. `open` knows every state that a file can be in; `schema` is the tables.

mod background;
mod book;
mod changes;
mod counts;
mod events;
mod held;
mod identity;
mod later;
mod lookup;
mod open;
mod outbox;
mod read;
mod rooms;
mod schema;
mod search;
mod threads;
pub mod uploads;
mod write;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::Connection;
use tokio::sync::{oneshot, watch};

use super::error::StoreError;
use super::readers::Readers;
use super::writer::Writer;
pub use crate::link::durable::Change as Write;
use crate::model::event::{Page, Side, Stored};
use crate::model::intent::Jump;
use crate::model::lookup::{Lookup, LookupFound};
use crate::model::search::{Found, Search};
use crate::model::time::WallMs;
use crate::model::{Banner, ConnectionId, Event, Message, MessageId, Offset, OutboxItem, Position, RoomId};
use crate::wire::Saved;
use held::Job;

/// The file's name in the data directory.
pub const FILE: &str = "client.db";

/// Where a commit is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Commit {
    /// On disk (or in the database in memory, while [`Banner::DatabaseNewer`] says that nothing is kept).
    Saved,
    /// Not on disk. It is held in memory and written in its turn once the disk takes it; entries that there was no room
    /// for, or that do not continue what is on disk, have to come from the hub again (see [`Health::behind`]).
    Held,
}

/// How the disk is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Why writes are held at the moment: [`Banner::DiskFull`] or [`Banner::DiskReadOnly`]; or why what servers send is not
    /// written: [`Banner::DiskLow`].
    pub trouble: Option<Banner>,
    /// The database was found damaged while in use, and a new one begun: [`Banner::DatabaseSetAside`].
    pub set_aside: Option<Banner>,
    /// Connections of which the disk misses entries that had to be let go. Once `trouble` is over, build their links anew
    /// from [`ClientStore::load`], so that the hub sends what is missing.
    pub behind: BTreeSet<ConnectionId>,
}

/// What a start needs to know about one connection.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Loaded {
    /// For the model.
    pub stored: Stored,
    /// For the session.
    pub saved: Saved,
}

/// Where a room has its first message of a moment or later.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct FirstAt {
    /// Where it stands, and when the hub took it; none where all are older.
    pub first: Option<(Position, WallMs)>,
    /// When the hub took the room's newest message; none in an empty room.
    pub newest: Option<WallMs>,
    /// Whether nothing before it is on this disk, and the hub may have some.
    pub older_at_hub: bool,
}

/// A store that was just opened.
pub struct Opened {
    /// The store.
    pub store: ClientStore,
    /// What the person should know about how it opened. Those that can pass are in [`Health::trouble`] too.
    pub banners: Vec<Banner>,
}

/// A handle to the app's database. Clones share it; when the last one goes, what waits is written first.
#[derive(Clone)]
pub struct ClientStore {
    shared: Arc<Shared>,
}

struct Shared {
    // Dropped in this order: the readers first, so that the writer's connection is the last and clears the log away.
    readers: Option<Readers>,
    writer: Option<Writer<Job>>,
    health: watch::Receiver<Health>,
    indexed: watch::Receiver<Option<u8>>,
    newest_search: Arc<AtomicU64>,
}

/// What became of a commit.
#[derive(Debug)]
pub struct Outcome {
    /// Where it is.
    pub commit: Commit,
    /// Of writes whose entries had no offsets: which of the commit's, and its first entry's offset.
    pub numbered: Vec<(usize, Offset)>,
    /// Of a commit that is held: its outcome once the disk has taken all of it. Never, where some of it was let go.
    pub later: Option<oneshot::Receiver<Outcome>>,
}

impl Outcome {
    fn held() -> Outcome {
        Outcome { commit: Commit::Held, numbered: Vec::new(), later: None }
    }
}

/// A commit that has its place in the order of commits.
pub struct Ticket(Option<oneshot::Receiver<Outcome>>);

impl Ticket {
    /// Waits until it is on disk, or held.
    pub async fn done(self) -> Commit {
        self.outcome().await.commit
    }

    /// The same, with all that is known of it.
    pub async fn outcome(self) -> Outcome {
        match self.0 {
            Some(reply) => reply.await.unwrap_or_else(|_| Outcome::held()),
            None => Outcome::held(),
        }
    }
}

impl ClientStore {
    /// Opens the database in a data directory, and makes both if need be. Takes milliseconds, however large the file is.
    /// Blocks; call it where that is allowed.
    pub fn open(dir: &Path) -> Opened {
        open::open(dir)
    }

    /// Commits changes in one transaction. Commits that wait at the same time share one fsync.
    pub async fn commit(&self, connection: ConnectionId, writes: Vec<Write>) -> Commit {
        self.submit(connection, writes).await.done().await
    }

    /// Gives a commit its place and returns at once (unless very many wait): commits are written in the order in which
    /// they were submitted.
    pub async fn submit(&self, connection: ConnectionId, writes: Vec<Write>) -> Ticket {
        let (reply, receiver) = oneshot::channel();
        let Some(jobs) = self.jobs() else { return Ticket(None) };
        match jobs.send(Job::Commit { connection, writes, reply }).await {
            Ok(()) => Ticket(Some(receiver)),
            Err(_) => Ticket(None),
        }
    }

    /// How the disk is, now and from now on.
    pub fn health(&self) -> watch::Receiver<Health> {
        self.shared.health.clone()
    }

    /// What the disk has of a connection, of each room the newest messages, and the person's changes that are only held yet.
    pub async fn load(&self, connection: ConnectionId) -> Result<Loaded, StoreError> {
        // Asked for first: what is written meanwhile is in both, and applying it again changes nothing.
        let held = self.held(connection).await?;
        let mut loaded = self.read(move |db| read::load(db, connection)).await?;
        held.iter().for_each(|write| write.add_to(&mut loaded.stored));
        Ok(loaded)
    }

    /// The person's changes that the disk does not have yet.
    async fn held(&self, connection: ConnectionId) -> Result<Vec<Write>, StoreError> {
        let (reply, held) = oneshot::channel();
        let jobs = self.jobs().ok_or(StoreError::Closed)?;
        jobs.send(Job::Held { connection, reply }).await.map_err(|_| StoreError::Closed)?;
        held.await.map_err(|_| StoreError::Closed)
    }

    /// At most `limit` messages of a room next to a position, which itself is not among them.
    pub async fn page(
        &self,
        connection: ConnectionId,
        room: RoomId,
        from: Position,
        side: Side,
        limit: u32,
    ) -> Result<Page, StoreError> {
        self.read(move |db| read::page(db, connection, &room, from, side, limit)).await
    }

    /// At most `limit` messages of a room after a position, those in its threads included, with what changed them.
    pub async fn stretch(
        &self,
        connection: ConnectionId,
        room: RoomId,
        after: Position,
        limit: u32,
    ) -> Result<Vec<Message>, StoreError> {
        self.read(move |db| read::stretch(db, connection, &room, after, limit)).await
    }

    /// At most `limit` messages of a room around a place.
    pub async fn jump(
        &self,
        connection: ConnectionId,
        room: RoomId,
        jump: Jump,
        limit: u32,
    ) -> Result<Page, StoreError> {
        self.read(move |db| read::jump(db, connection, &room, jump, limit)).await
    }

    /// What is unread in a room: an [`ChatEvent::Counted`]. Exact, except above 10,000 in the first minutes after an update
    /// from a version that kept no counts.
    pub async fn count_unread(&self, connection: ConnectionId, room: RoomId) -> Result<Event, StoreError> {
        self.read(move |db| read::unread(db, connection, &room)).await
    }

    /// Finds messages, the newest first. A newer search ends this one: then there is no answer. What is in the outbox is
    /// not among them.
    pub async fn search(&self, search: Search) -> Result<Option<Found>, StoreError> {
        let newest = Arc::clone(&self.shared.newest_search);
        let ticket = newest.fetch_add(1, Ordering::Relaxed) + 1;
        self.read(move |db| {
            search::limit::within(newest, ticket, search.patience, || search::find(db, &search))
        })
        .await
    }

    /// While messages that were there before the search index are being taken in: how many of a hundred are.
    pub fn indexed(&self) -> watch::Receiver<Option<u8>> {
        self.shared.indexed.clone()
    }

    /// The first message of a room that the hub took at this moment or later.
    pub async fn first_at(
        &self,
        connection: ConnectionId,
        room: RoomId,
        at: WallMs,
    ) -> Result<FirstAt, StoreError> {
        self.read(move |db| read::first_at(db, connection, &room, at)).await
    }

    /// Where a message of a room is; none: not on the disk.
    pub async fn find_message(
        &self,
        connection: ConnectionId,
        room: RoomId,
        id: MessageId,
    ) -> Result<Option<Position>, StoreError> {
        self.read(move |db| read::find_message(db, connection, &room, id)).await
    }

    /// At most about `limit` messages of a thread before a position, or of its end.
    pub async fn thread_page(
        &self,
        connection: ConnectionId,
        room: RoomId,
        root: MessageId,
        before: Option<Position>,
        limit: u32,
    ) -> Result<Page, StoreError> {
        self.read(move |db| threads::page(db, connection, &room, root, before, limit)).await
    }

    /// The message at a place, with what it replies to; none: not on the disk.
    pub async fn message_at(
        &self,
        connection: ConnectionId,
        room: RoomId,
        position: Position,
    ) -> Result<Option<Message>, StoreError> {
        self.read(move |db| match read::room_id(db, connection, &room)? {
            Some(room) => lookup::message_at(db, room, position),
            None => Ok(None),
        })
        .await
    }

    /// The thread that alone shows the message at a place; none: its room shows it.
    pub async fn thread_of(
        &self,
        connection: ConnectionId,
        room: RoomId,
        position: Position,
    ) -> Result<Option<MessageId>, StoreError> {
        self.read(move |db| match read::room_id(db, connection, &room)? {
            Some(room) => threads::root_of(db, room, position),
            None => Ok(None),
        })
        .await
    }

    /// Answers a question about a room.
    pub async fn look_up(&self, asked: Lookup) -> Result<LookupFound, StoreError> {
        self.read(move |db| lookup::find(db, &asked)).await
    }

    /// What waits in the outbox, by `seq`.
    pub async fn outbox(&self, connection: ConnectionId) -> Result<Vec<OutboxItem>, StoreError> {
        self.read(move |db| read::outbox(db, connection)).await
    }

    /// A `seq` that no message of this connection ever had.
    pub async fn next_seq(&self, connection: ConnectionId) -> Result<u64, StoreError> {
        self.read(move |db| read::next_seq(db, connection)).await
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let readers = self.shared.readers.as_ref().ok_or(StoreError::Closed)?;
        self.checked(readers.read(read).await)
    }

    /// A read that comes upon damage has the writer look into it.
    fn checked<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if let (Err(error), Some(jobs)) = (&result, self.jobs()) {
            let job = match error {
                StoreError::IndexDamaged => Some(Job::IndexDamaged),
                error => error.is_damage().then_some(Job::Suspect),
            };
            // When the queue is full, the next such read says so again.
            let _ = job.map(|job| jobs.try_send(job));
        }
        result
    }

    fn jobs(&self) -> Option<&tokio::sync::mpsc::Sender<Job>> {
        self.shared.writer.as_ref()?.jobs()
    }
}
