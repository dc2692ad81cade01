//! [`HubStore`]: a hub's log, its principals and invites, in `hub.db`. What is answered is on disk.

mod access;
mod changes;
mod export;
pub mod file;
mod io_health;
mod lists;
mod people;
mod read;
mod receipts;
mod retain;
mod rights;
mod room_change;
mod rooms;
mod schema;
mod upkeep;
mod usage;
mod write;

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{broadcast, oneshot};

use super::error::StoreError;
use super::files;
use super::migrate;
use super::readers::{ReaderConnections, Readers};
use super::writer::Writer;
use crate::model::name::BadName;
use crate::model::rights::Invitation;
use crate::model::time::WallMs;
use crate::model::{
    Draft, Entry, Epoch, MessageId, NamedRoom, Offset, Principal, PrincipalId, Receipt, Role, RoomId,
    RoomName, Sender,
};
use crate::wire::duplex::server::{Lists, ListsFrom};
pub use access::Access;
pub use changes::MAX_PINNED;
pub use export::{LogReader, MadeRoom};
use io_health::{IoHealth, Probe};
pub use rights::{Change, MAX_KEPT_INVITES, MAX_OPEN_INVITES, NotChanged, Owner, OwnerRefused};
use write::{Appender, Job};

pub use io_health::LogTrouble;
pub use read::Stretch;
pub use upkeep::{Anew, Repaired};

/// The file's name in the data directory.
pub const FILE: &str = "hub.db";
/// The principal that makes the room every hub has.
pub const HUB_SENDER: &str = "hub";

/// Why the hub's database could not be read or written.
pub type HubStoreError = StoreError;

/// Jobs that wait for the writer.
const WAITING: usize = 2048;
/// Reader threads.
const READERS: usize = 2;
/// Batches kept for a subscriber that is slow; after that it reads from the disk.
const BATCHES: usize = 64;

/// An entry to be written.
#[derive(Clone, Debug, PartialEq)]
pub struct Append {
    /// What.
    pub draft: Draft,
    /// By whom.
    pub sender: Sender,
    /// When, by the hub's clock.
    pub received: WallMs,
    /// What the sender may do.
    pub role: Role,
    /// It is not to be written: only whether it is on disk already is of interest.
    pub only_known: bool,
}

/// What became of an [`Append`].
#[derive(Clone, Debug, PartialEq)]
pub enum Appended {
    /// It is on disk, as this entry.
    New(Entry),
    /// It was on disk already: this sender has sent this id before.
    Known {
        /// Its place.
        offset: Offset,
        /// When it was written.
        received: WallMs,
    },
    /// It was not on disk, and was not to be written.
    NotKnown,
    /// There is no such room. Nothing was written.
    NoSuchRoom,
    /// The room takes no new messages. Nothing was written.
    Archived,
    /// The sender may not do that. Nothing was written.
    NotAllowed,
    /// The room was made before, by somebody else or with another id. Nothing was written.
    RoomExists {
        /// Its id.
        room: RoomId,
        /// The place of the entry that made it.
        offset: Offset,
        /// When it was made.
        received: WallMs,
    },
    /// Another room has the id that this one would have. Nothing was written.
    RoomIdTaken,
    /// A reader would take the room for another one that is there. Nothing was written.
    RoomAlike {
        /// What that is called.
        name: RoomName,
    },
    /// No room can be made under this name. Nothing was written.
    BadRoomName(BadName),
    /// The message that it changes or replies to is not there, was deleted, or is in another room. Nothing was written.
    NoSuchMessage,
    /// The file that belongs to it was not uploaded by its sender, is not complete, or belongs to another message. Nothing
    /// was written.
    NoSuchFile,
    /// It changes somebody else's message, which its sender may not. Nothing was written.
    NotYours,
    /// Another sender's message has this id. Nothing was written.
    IdTaken,
    /// There is as much of it at the message or in the room as there may be. Nothing was written.
    TooMany {
        /// The limit.
        limit: u64,
    },
    /// It would change nothing: what it says stands already. Nothing was written.
    Redundant {
        /// The place of the message that it refers to.
        offset: Offset,
        /// When that was written.
        received: WallMs,
    },
    /// An earlier message was refused, see [`HubStore::append_in_order`]. Nothing was written.
    Behind,
    /// There is as much as there may be. Nothing was written, nor any later message of the same job.
    Refused {
        /// Which limit.
        quota: Quota,
        /// When it may be tried again, where that is known.
        until: Option<WallMs>,
    },
}

impl Appended {
    /// What becomes of the messages behind this one in the same job; none: they are written. `in_order`: none is written
    /// behind one that was refused.
    fn for_those_behind(&self, in_order: bool) -> Option<Appended> {
        match self {
            Appended::New(_)
            | Appended::Known { .. }
            | Appended::Redundant { .. }
            | Appended::RoomExists { .. } => None,
            Appended::Refused { .. } => Some(self.clone()),
            _ => in_order.then_some(Appended::Behind),
        }
    }
}

/// What is kept at most; 0 is no limit. A day begins at midnight UTC.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct LogLimits {
    /// Rooms, in all.
    pub rooms: u32,
    /// Rooms that one person makes.
    pub rooms_per_person: u32,
    /// Rooms that one person makes in a day.
    pub rooms_per_day: u32,
    /// People, in all.
    pub people: u32,
    /// Messages that one person writes in a day.
    pub messages_per_day: u64,
    /// Bytes of text that one person writes in a day.
    pub bytes_per_day: u64,
    /// Bytes of the database. Beyond it messages are refused, unless the oldest go.
    pub log_bytes: u64,
    /// Entries older than this go, in milliseconds.
    pub keep_ms: i64,
    /// Whether the oldest entries go when the log is nearly full.
    pub drop_oldest: bool,
}

/// Which of the [`LogLimits`] was reached.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Quota {
    /// [`LogLimits::rooms`].
    Rooms,
    /// [`LogLimits::rooms_per_person`].
    RoomsOfPerson,
    /// [`LogLimits::rooms_per_day`].
    RoomsToday,
    /// [`LogLimits::messages_per_day`].
    MessagesToday,
    /// [`LogLimits::bytes_per_day`].
    BytesToday,
    /// [`LogLimits::log_bytes`].
    LogFull,
}

impl Appended {
    /// The entry, if this made one.
    fn entry(&self) -> Option<&Entry> {
        match self {
            Appended::New(entry) => Some(entry),
            _ => None,
        }
    }
}

/// Why an invite is not good.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InviteRefused {
    /// There never was such a code.
    #[error("the invite is not known")]
    Unknown,
    /// Somebody used it.
    #[error("the invite was used before")]
    Used,
    /// It is too late.
    #[error("the invite has expired")]
    Expired,
    /// There are as many people as there may be.
    #[error("the hub has as many people as it takes")]
    Full,
    /// Whoever uses it comes with a token that was withdrawn.
    #[error("the token to go with it was withdrawn")]
    Withdrawn,
}

/// Why [`HubStore::redeem`] made nobody.
#[derive(Debug, thiserror::Error)]
pub enum RedeemError {
    /// The invite is not good.
    #[error(transparent)]
    Refused(#[from] InviteRefused),
    /// The database could not be used.
    #[error(transparent)]
    Store(#[from] HubStoreError),
}

/// A handle to a hub's database. Clones share it; when the last one goes, what waits is written first.
#[derive(Clone)]
pub struct HubStore {
    shared: Arc<Shared>,
}

struct Shared {
    readers: Readers,
    writer: Writer<Job>,
    batches: broadcast::Sender<Arc<[Entry]>>,
    state: Arc<State>,
    epoch: Epoch,
    pulse: Arc<IoHealth>,
}

/// What is known of the log without asking the disk, kept up to date by its writer.
#[derive(Default)]
struct State {
    head: AtomicU64,
    oldest: AtomicU64,
    rooms: RwLock<HashSet<RoomId>>,
    access: RwLock<Access>,
    limits: RwLock<LogLimits>,
}

impl State {
    fn access(&self) -> RwLockReadGuard<'_, Access> {
        self.access.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn limits(&self) -> LogLimits {
        *self.limits.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HubStore {
    /// Opens the log in a data directory. Where there is none, begins one with `new_epoch`, and with the room `general`
    /// as its first entry. Blocks.
    ///
    /// # Errors
    /// A file that is damaged, of a later version or cannot be written is left untouched: a hub never goes on with an
    /// empty log by itself. The error names the file.
    pub fn open(
        dir: &Path,
        new_epoch: Epoch,
        now: WallMs,
        general_id: MessageId,
    ) -> Result<HubStore, HubStoreError> {
        let path = dir.join(FILE);
        let open = || -> Result<(Connection, Epoch, State), StoreError> {
            files::check_length(&path)?;
            let mut db = migrate::open(&path, &schema::SCHEMA)?;
            let (epoch, head) = write::begin(&mut db, new_epoch, now, general_id)?;
            let oldest = AtomicU64::new(retain::oldest(&db)?.0);
            let rooms = RwLock::new(read::rooms(&db)?.into_iter().map(|room| room.id).collect());
            let access = RwLock::new(Access::load(&db)?);
            Ok((db, epoch, State { head: AtomicU64::new(head.0), oldest, rooms, access, ..State::default() }))
        };
        let (db, epoch, state) = open().map_err(|error| error.at(&path))?;
        let state = Arc::new(state);
        let (batches, _) = broadcast::channel(BATCHES);
        let pulse = Arc::new(IoHealth::new(path.clone()));
        let appender = Appender::new(db, Arc::clone(&state), batches.clone(), Arc::clone(&pulse));
        let reading = path.clone();
        let slots = ReaderConnections::new(READERS, Box::new(move || migrate::open_read_only(&reading)));
        let start = || -> Result<(Readers, Writer<Job>), StoreError> {
            let readers = Readers::start("hub-store-reader", &slots)?;
            Ok((readers, Writer::start("hub-store-writer", WAITING, appender)?))
        };
        let (readers, writer) = start().map_err(|error| error.at(&path))?;
        Ok(HubStore { shared: Arc::new(Shared { readers, writer, batches, state, epoch, pulse }) })
    }

    /// Whether there is a log in a data directory. Where there is none (no file, an empty one, one that a first start did
    /// not finish), [`HubStore::open`] begins one. Blocks.
    ///
    /// # Errors
    /// A file that is damaged, of a later version or cannot be read. The error names the file.
    pub fn is_begun(dir: &Path) -> Result<bool, HubStoreError> {
        let path = dir.join(FILE);
        let look = || -> Result<bool, StoreError> {
            files::check_length(&path)?;
            if std::fs::metadata(&path).map_or(0, |file| file.len()) == 0 {
                return Ok(false);
            }
            let (db, version) = migrate::open_unchanged(&path, &schema::SCHEMA)?;
            Ok(version > 0 && write::is_begun(&db)?)
        };
        look().map_err(|error| error.at(&path))
    }

    /// Sets a log aside, whole, and says where it is now. Blocks.
    ///
    /// # Errors
    /// When the file cannot be renamed.
    pub fn set_aside(dir: &Path) -> Result<PathBuf, HubStoreError> {
        let path = dir.join(FILE);
        files::set_aside(&path).map_err(|error| StoreError::from(error).at(&path))
    }

    /// Changes who may do what in a hub's database from another process. No hub may run on it, since it would not end the
    /// connections of those whom it concerns. Blocks, for at most some seconds.
    ///
    /// # Errors
    /// Also when there is no hub's database in that directory, or it is of another version.
    pub fn change_offline(
        dir: &Path,
        change: &Change,
        now: WallMs,
    ) -> Result<Result<Option<Principal>, NotChanged>, HubStoreError> {
        Self::write_offline(dir, |db| rights::change(db, change, now))
    }

    /// A page of those who have a token, from another process, as [`HubStore::page`]. Blocks, for at most some seconds.
    ///
    /// # Errors
    /// As [`HubStore::change_offline`].
    pub fn page_offline(
        dir: &Path,
        devices: bool,
        after: &str,
    ) -> Result<(Vec<Principal>, Option<String>), HubStoreError> {
        Self::write_offline(dir, |db| rights::page(db, devices, after))
    }

    /// A page of the invites, from another process, as [`HubStore::invites`]. Blocks, for at most some seconds.
    ///
    /// # Errors
    /// As [`HubStore::change_offline`].
    pub fn invites_offline(
        dir: &Path,
        after: &str,
    ) -> Result<(Vec<Invitation>, Option<String>), HubStoreError> {
        Self::write_offline(dir, |db| rights::invites(db, after))
    }

    /// Who the owner is, from another process. Blocks, for at most some seconds.
    ///
    /// # Errors
    /// As [`HubStore::change_offline`].
    pub fn owner_offline(dir: &Path) -> Result<Option<PrincipalId>, HubStoreError> {
        Self::write_offline(dir, rights::owner)
    }

    fn write_offline<T>(
        dir: &Path,
        write: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, HubStoreError> {
        let path = dir.join(FILE);
        let write = || {
            let mut db = migrate::open_beside(&path, &schema::SCHEMA)?;
            let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let written = write(&transaction)?;
            transaction.commit()?;
            Ok(written)
        };
        write().map_err(|error: StoreError| error.at(&path))
    }

    // ----- The log -----

    /// Writes an entry at the log's end, and returns once it is on disk. Appends that wait at the same time share one
    /// fsync. Idempotent by `(sender, id)`.
    ///
    /// # Errors
    /// Nothing was written, and the same append may be tried again.
    pub async fn append(&self, append: Append) -> Result<Appended, HubStoreError> {
        let appended = self.append_all(vec![append]).await?;
        // As many answers as appends.
        appended.into_iter().next().ok_or(StoreError::Closed)
    }

    /// Writes entries one after the other, all or none: where the first does not fit on the disk, a smaller second must
    /// not take its place. Answers in their order.
    ///
    /// # Errors
    /// As [`HubStore::append`], for all of them.
    pub async fn append_all(&self, appends: Vec<Append>) -> Result<Vec<Appended>, HubStoreError> {
        self.append_job(appends, false).await
    }

    /// The same for entries of one connection: no message is written behind one that was refused, unless it was on disk
    /// already.
    ///
    /// # Errors
    /// As [`HubStore::append`], for all of them.
    pub async fn append_in_order(&self, appends: Vec<Append>) -> Result<Vec<Appended>, HubStoreError> {
        self.append_job(appends, true).await
    }

    async fn append_job(&self, appends: Vec<Append>, in_order: bool) -> Result<Vec<Appended>, HubStoreError> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Append { appends, in_order, reply }).await?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// New entries as they are committed: gapless over the batches, in order, each batch before its appends are
    /// answered. One batch holds at most 256 entries and about 512 KiB of JSON. Who lags reads from the disk.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<[Entry]>> {
        self.shared.batches.subscribe()
    }

    /// Which log this is.
    pub fn epoch(&self) -> Epoch {
        self.shared.epoch
    }

    /// The newest offset on disk. Costs nothing.
    pub fn head(&self) -> Offset {
        Offset(self.shared.state.head.load(Ordering::Acquire))
    }

    /// The oldest offset held. Costs nothing.
    pub fn oldest(&self) -> Offset {
        Offset(self.shared.state.oldest.load(Ordering::Acquire))
    }

    /// Whether there is such a room. Costs nothing.
    pub fn has_room(&self, room: &RoomId) -> bool {
        self.shared.state.rooms.read().unwrap_or_else(PoisonError::into_inner).contains(room)
    }

    /// Who may see which private room: at least as it was at [`HubStore::head`]. Held by the caller, for a moment.
    pub fn access(&self) -> RwLockReadGuard<'_, Access> {
        self.shared.state.access()
    }

    /// Whether there is such a room and somebody may know of it. Costs nothing.
    pub fn sees_room(&self, who: &PrincipalId, room: &RoomId) -> bool {
        self.has_room(room) && self.access().sees_room(who, room)
    }

    /// Limits what is kept, from the next write on. A store begins without limits.
    pub fn set_limits(&self, limits: LogLimits) {
        *self.shared.state.limits.write().unwrap_or_else(PoisonError::into_inner) = limits;
    }

    /// The limits of what is kept.
    pub fn limits(&self) -> LogLimits {
        self.shared.state.limits()
    }

    /// Lets go of some of the log's oldest entries, if the limits say so at this time. A message that is let go of stays
    /// known by its sender and id, and rooms and read markers stay. Returns whether there may be more to let go of.
    ///
    /// # Errors
    /// When the disk cannot be written; nothing was let go of.
    pub async fn retain(&self, now: WallMs) -> Result<bool, HubStoreError> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Retain { now, reply }).await?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// Bytes of the database that hold something.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn used_bytes(&self) -> Result<u64, HubStoreError> {
        self.read_with(retain::used_bytes).await
    }

    /// As [`HubStore::at`], with the oldest offset held at that moment.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn at_and_oldest(
        &self,
        offset: Offset,
    ) -> Result<(Option<(MessageId, WallMs)>, Offset), HubStoreError> {
        self.read_with(move |db| Ok((read::at(db, offset)?, retain::oldest(db)?))).await
    }

    /// The id of the entry at an offset, and when it was written.
    pub async fn at(&self, offset: Offset) -> Result<Option<(MessageId, WallMs)>, HubStoreError> {
        self.read_with(move |db| read::at(db, offset)).await
    }

    /// Consecutive entries from an offset on: at most `limit`, and at most about `max_bytes` of JSON, but at least one if
    /// there is one.
    pub async fn read(
        &self,
        from: Offset,
        limit: u32,
        max_bytes: usize,
    ) -> Result<Vec<Entry>, HubStoreError> {
        // A read that held the store could be the last to let go of it, on a thread that the store waits for.
        let head = self.head();
        let whole = move |db: &Connection| {
            let entries = read::entries(db, from, limit, max_bytes)?;
            // Nothing where something must be is damage, not the log's end.
            if entries.is_empty() && limit > 0 && (Offset(1)..=head).contains(&from) {
                return Err(read::missing(from, head));
            }
            Ok(entries)
        };
        self.read_with(whole).await
    }

    /// The entries from an offset on that somebody may see now, within the limits of [`HubStore::read`], and how far that
    /// goes: those that are not among them are not for this one.
    pub async fn read_for(
        &self,
        who: PrincipalId,
        from: Offset,
        limit: u32,
        max_bytes: usize,
    ) -> Result<Stretch, HubStoreError> {
        let state = Arc::clone(&self.shared.state);
        let head = self.head();
        let whole = move |db: &Connection| {
            let sees = |room: &str, kind: &str, extra: Option<&str>| {
                // No room has an id that keeps no rule.
                RoomId::new(room).is_ok_and(|room| state.access().sees_fields(&who, &room, kind, extra))
            };
            match read::visible(db, (from, head), limit, max_bytes, sees)? {
                None if limit > 0 && (Offset(1)..=head).contains(&from) => Err(read::missing(from, head)),
                found => Ok(found.unwrap_or_default()),
            }
        };
        self.read_with(whole).await
    }

    /// The newest entries of a room before an offset, oldest first, within the limits of [`HubStore::read`]; and whether
    /// no older ones are held. Nothing of a room that is not there or not for this one.
    pub async fn history(
        &self,
        who: PrincipalId,
        room: RoomId,
        before: Offset,
        limit: u32,
        max_bytes: usize,
    ) -> Result<(Vec<Entry>, bool), HubStoreError> {
        let head = self.head();
        let mut before = before;
        loop {
            let of = room.clone();
            let read = move |db: &Connection| read::history(db, &of, (before, head), limit, max_bytes);
            let (mut entries, complete) = self.read_with(read).await?;
            let access = self.access();
            // They may have been removed while it was read.
            if !access.sees_room(&who, &room) {
                return Ok((Vec::new(), true));
            }
            before = entries.first().map_or(Offset(0), |first| first.offset);
            entries.retain(|entry| access.sees(&who, entry));
            if complete || !entries.is_empty() {
                return Ok((entries, complete));
            }
        }
    }

    /// At most `limit` of the rooms, the people who may chat and what somebody has read, from where they go on. Nobody is
    /// marked as connected.
    pub async fn lists(
        &self,
        me: PrincipalId,
        from: ListsFrom,
        limit: usize,
    ) -> Result<Lists, HubStoreError> {
        self.read_with(move |db| lists::lists(db, &me, &from, limit)).await
    }

    /// At most `limit` of the people who may chat, by id, after one of them; and after whom the rest comes.
    pub async fn people(
        &self,
        after: Option<PrincipalId>,
        limit: usize,
    ) -> Result<(Vec<Principal>, Option<PrincipalId>), HubStoreError> {
        self.read_with(move |db| lists::people(db, after.as_ref(), limit)).await
    }

    /// All rooms, in the order in which they were made.
    pub async fn rooms(&self) -> Result<Vec<NamedRoom>, HubStoreError> {
        self.read_with(read::rooms).await
    }

    // ----- Principals, invites, read markers -----

    /// Makes a principal, or gives the one with this id its kind, name and token.
    ///
    /// # Errors
    /// Also when another principal has this token.
    pub async fn create_principal(
        &self,
        principal: Principal,
        token_hash: [u8; 32],
    ) -> Result<(), HubStoreError> {
        self.write(move |db| people::put_principal(db, &principal, token_hash)).await
    }

    /// Whose token it is.
    pub async fn principal_by_token_hash(
        &self,
        token_hash: [u8; 32],
    ) -> Result<Option<Principal>, HubStoreError> {
        self.read_with(move |db| people::by_token_hash(db, token_hash)).await
    }

    /// Everybody, by name.
    pub async fn principals(&self) -> Result<Vec<Principal>, HubStoreError> {
        self.read_with(people::principals).await
    }

    /// Sees to it that the token in the data directory is an admin's. One that nobody has becomes the owner's, and the one
    /// that the owner had is withdrawn; where there is no owner yet, `new` becomes it.
    pub async fn settle_owner(
        &self,
        token_hash: [u8; 32],
        new: Principal,
    ) -> Result<Result<Owner, OwnerRefused>, HubStoreError> {
        self.write(move |db| rights::settle_owner(db, token_hash, &new)).await
    }

    /// Who the owner is, if there is one.
    pub async fn owner(&self) -> Result<Option<PrincipalId>, HubStoreError> {
        self.read_with(rights::owner).await
    }

    /// Changes who may do what. Returns whom it was about: as they are now, or as they were when they were removed; nobody
    /// where it was an invite.
    pub async fn change(
        &self,
        change: Change,
        now: WallMs,
    ) -> Result<Result<Option<Principal>, NotChanged>, HubStoreError> {
        self.write(move |db| rights::change(db, &change, now)).await
    }

    /// A page of those who have a token: devices, or everybody else; and what the next page begins after. The first one
    /// begins after nothing.
    pub async fn page(
        &self,
        devices: bool,
        after: String,
    ) -> Result<(Vec<Principal>, Option<String>), HubStoreError> {
        self.read_with(move |db| rights::page(db, devices, &after)).await
    }

    /// A page of the invites, the newest first; and what the next page begins after.
    pub async fn invites(&self, after: String) -> Result<(Vec<Invitation>, Option<String>), HubStoreError> {
        self.read_with(move |db| rights::invites(db, &after)).await
    }

    /// Uses an invite: from now on the token is that of a principal with this name, and with `new_id` if it is new. The
    /// same code with the same token again gives the same principal, however late.
    ///
    /// # Errors
    /// [`RedeemError::Refused`] says why the invite is not good.
    pub async fn redeem(
        &self,
        code_hash: [u8; 32],
        name: String,
        token_hash: [u8; 32],
        new_id: PrincipalId,
        now: WallMs,
    ) -> Result<Principal, RedeemError> {
        let most = self.shared.state.limits().people;
        let redeem = people::Redeem { code_hash, name, token_hash, new_id, now, most };
        Ok(self.write(move |db| people::redeem(db, &redeem)).await??)
    }

    /// Whether an invite can be redeemed; changes nothing. Returns until when.
    ///
    /// # Errors
    /// [`RedeemError::Refused`] says why the invite is not good.
    pub async fn check_invite(&self, code_hash: [u8; 32], now: WallMs) -> Result<WallMs, RedeemError> {
        let most = self.shared.state.limits().people;
        Ok(self.read_with(move |db| people::check_invite(db, code_hash, now, most)).await??)
    }

    /// What people say of themselves, as far as they say anything.
    pub async fn statuses(&self) -> Result<Vec<(PrincipalId, String)>, HubStoreError> {
        self.read_with(people::statuses).await
    }

    /// Keeps what somebody says of themselves.
    pub async fn set_status(&self, who: PrincipalId, status: String) -> Result<(), HubStoreError> {
        self.write(move |db| people::set_status(db, &who, &status)).await
    }

    /// Moves a read marker forward; never beyond the last entry of its room. Returns whether it moved.
    pub async fn set_read(
        &self,
        principal: PrincipalId,
        room: RoomId,
        offset: Offset,
    ) -> Result<bool, HubStoreError> {
        self.write(move |db| people::set_read(db, &principal, &room, offset)).await
    }

    /// Moves a read marker back. Returns whether it moved.
    pub async fn set_unread(
        &self,
        principal: PrincipalId,
        room: RoomId,
        offset: Offset,
    ) -> Result<bool, HubStoreError> {
        self.write(move |db| people::set_unread(db, &principal, &room, offset)).await
    }

    /// Keeps what somebody has seen in a room, if they may see it. Returns what is kept of them, if that is more than before.
    pub async fn set_seen(&self, room: RoomId, receipt: Receipt) -> Result<Option<Receipt>, HubStoreError> {
        self.write(move |db| receipts::set(db, &room, receipt)).await
    }

    /// What others have seen in a room, those who have seen its newest messages first, at most [`MAX_RECEIPTS`]; nothing of a
    /// room that is not for the one who asks, and of people for whom it is not.
    ///
    /// [`MAX_RECEIPTS`]: crate::model::receipt::MAX_RECEIPTS
    pub async fn receipts(&self, asker: PrincipalId, room: RoomId) -> Result<Vec<Receipt>, HubStoreError> {
        self.read_with(move |db| receipts::of_room(db, &asker, &room)).await
    }

    /// A principal's read markers.
    pub async fn reads(&self, principal: PrincipalId) -> Result<Vec<(RoomId, Offset)>, HubStoreError> {
        self.read_with(move |db| people::reads(db, &principal)).await
    }

    // ----- Health -----

    /// What is wrong with the log at the moment, by what the last reads and writes came to.
    pub fn trouble(&self) -> Option<LogTrouble> {
        self.shared.pulse.trouble()
    }

    /// Whether what was read last could be read, and what was written last be written.
    pub fn works(&self) -> (bool, bool) {
        self.shared.pulse.works()
    }

    /// Returns when a trouble begins, or has begun since the last call.
    pub async fn troubled(&self) {
        self.shared.pulse.changed().await;
    }

    /// How many reads and how many writes have failed since the start.
    pub fn failed(&self) -> (u64, u64) {
        self.shared.pulse.failed()
    }

    /// Tries what failed again. Where it works, the trouble is over.
    pub async fn probe(&self) {
        if !self.works().1 {
            let written = self.write(|db| {
                // Written even though it is the same, unlike a row of a table.
                let version: i64 = db.query_row("PRAGMA user_version", (), |row| row.get(0))?;
                Ok(db.pragma_update(None, "user_version", version)?)
            });
            if written.await.is_ok() {
                self.shared.pulse.write_works();
            }
        }
        let probes = self.shared.pulse.probes();
        for probe in probes.iter().cloned() {
            if self.shared.readers.read(move |db| probe(db)).await.is_err() {
                return;
            }
        }
        self.shared.pulse.reads_work(probes.len());
    }

    async fn read_with<T: Send + 'static>(
        &self,
        read: impl Fn(&Connection) -> Result<T, StoreError> + Send + Sync + 'static,
    ) -> Result<T, StoreError> {
        let read = Arc::new(read);
        let again = Arc::clone(&read);
        let result = self.shared.readers.read(move |db| again(db)).await;
        if let Err(error) = &result {
            let probe: Probe = Arc::new(move |db| read(db).map(drop));
            self.shared.pulse.read_failed(error, probe);
        }
        result
    }

    /// Writes in the transaction of whatever else waits; answered once it is on disk.
    async fn write<T: Send + 'static>(
        &self,
        write: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::other(write, reply)).await?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    async fn send(&self, job: Job) -> Result<(), StoreError> {
        let jobs = self.shared.writer.jobs().ok_or(StoreError::Closed)?;
        jobs.send(job).await.map_err(|_| StoreError::Closed)
    }
}
