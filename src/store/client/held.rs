//! [`Keeper`]: the writer thread's work. Commits go to the database in one transaction; while the disk does not take
//! them they are held in memory, in order, and tried again.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{oneshot, watch};

use super::super::error::StoreError;
use super::super::files;
use super::super::migrate;
use super::super::readers::ReaderConnections;
use super::super::writer::Work;
use super::background::Background;
use super::identity::Filters;
use super::open::{self, Found, Location};
use super::schema::SCHEMA;
use super::search::index;
use super::write::{self, Taken};
use super::{Commit, Health, Outcome, Write};
use crate::model::event::{ChatEvent, Follows};
use crate::model::{Banner, ConnectionId, Content, Event, Offset};

/// Commits that wait for the writer.
pub(super) const WAITING: usize = 64;
/// How often a disk that takes nothing is tried.
const RETRY: Duration = Duration::from_secs(2);
/// Most bytes held in memory before entries are let go.
const HELD_LIMIT: usize = 64 * 1024 * 1024;
/// Free space on the disk below which what servers send is not written any more, in bytes.
const MIN_FREE_BYTES: u64 = 256 * 1024 * 1024;
/// The free space is looked at after so many bytes of writes, and whenever nothing was written for [`RETRY`].
const LOOK_BYTES: usize = 4 * 1024 * 1024;

/// Writes into the database, where there is one.
pub(super) type AtOnce = Box<dyn FnOnce(Option<&Connection>) + Send>;

/// What the writer is asked.
pub(super) enum Job {
    Commit {
        connection: ConnectionId,
        writes: Vec<Write>,
        reply: oneshot::Sender<Outcome>,
    },
    /// The person's changes of a connection that are held are wanted.
    Held {
        connection: ConnectionId,
        reply: oneshot::Sender<Vec<Write>>,
    },
    /// Something that nothing else depends on: written now, or not at all.
    AtOnce(AtOnce),
    /// A reader found damage.
    Suspect,
    /// A search found its index damaged.
    IndexDamaged,
    #[cfg(test)]
    Test(Box<dyn FnOnce(&mut ClientWriter) + Send>),
}

#[cfg(test)]
pub(super) type Fault = fn(&mut ClientWriter) -> Result<(), StoreError>;

/// A commit that is not on disk yet.
struct HeldCommit {
    connection: ConnectionId,
    writes: Vec<Write>,
    bytes: usize,
    /// Who wants to know when all of it is on disk.
    later: Option<oneshot::Sender<Outcome>>,
}

/// How much of a commit is held.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Hold {
    All,
    Some,
    Nothing,
}

/// The only one who writes to the database.
pub(super) struct ClientWriter {
    place: Location,
    pub(super) db: Option<Connection>,
    readers: Arc<ReaderConnections>,
    health: watch::Sender<Health>,
    held: VecDeque<HeldCommit>,
    held_bytes: usize,
    pub(super) limit: usize,
    /// Whether there is less space on the disk than [`MIN_FREE_BYTES`]; how much was written since that was looked at.
    space: (bool, usize),
    #[cfg(test)]
    is_disk_small: bool,
    background: Background,
    /// What the disk answers instead, in tests.
    #[cfg(test)]
    pub(super) fault: Option<Fault>,
    #[cfg(test)]
    pub(super) transactions: u32,
}

/// Whether a write deletes what somebody said.
fn deletes(write: &Write) -> bool {
    let (Write::Event(Event::Chat(ChatEvent::Entries { entries, .. }))
    | Write::Event(Event::Chat(ChatEvent::History { entries, .. }))) = write
    else {
        return false;
    };
    entries.iter().any(|entry| matches!(entry.draft.content, Content::Delete { .. }))
}

impl ClientWriter {
    pub(super) fn new(
        place: Location,
        db: Option<Connection>,
        readers: Arc<ReaderConnections>,
        health: watch::Sender<Health>,
        indexed: watch::Sender<Option<u8>>,
    ) -> Self {
        ClientWriter {
            place,
            background: Background::new(db.as_ref(), indexed),
            db,
            readers,
            health,
            held: VecDeque::new(),
            held_bytes: 0,
            limit: HELD_LIMIT,
            // It is looked at with the first write.
            space: (false, LOOK_BYTES),
            #[cfg(test)]
            is_disk_small: false,
            #[cfg(test)]
            fault: None,
            #[cfg(test)]
            transactions: 0,
        }
    }

    /// Takes in what a damaged file still held.
    pub(super) fn rescue(&mut self, rescued: Vec<(ConnectionId, Write)>) {
        self.hold_first(rescued);
        if !self.is_troubled() && !self.held.is_empty() {
            self.flush();
        }
    }

    /// Takes a commit in, as far as there is room for it while the disk takes nothing.
    fn hold(&mut self, connection: ConnectionId, mut writes: Vec<Write>) -> Hold {
        let is_whole = !self.is_troubled() || !self.let_go(connection, &mut writes);
        if writes.is_empty() {
            return Hold::Nothing;
        }
        let bytes = writes.iter().map(Write::size).sum();
        self.held_bytes += bytes;
        self.held.push_back(HeldCommit { connection, writes, bytes, later: None });
        if is_whole { Hold::All } else { Hold::Some }
    }

    /// Lets go of what a server will say again where there is no more room for it. What was typed always has room.
    /// Returns whether any of it had to go.
    fn let_go(&mut self, connection: ConnectionId, writes: &mut Vec<Write>) -> bool {
        let mut is_some_gone = false;
        let last = self.held.iter().rev().find(|held| held.connection == connection);
        let mut after_stub = last.and_then(|held| held.writes.last()).is_some_and(is_stub);
        let mut bytes = self.held_bytes;
        writes.retain_mut(|write| {
            let is_too_much = bytes + write.size() > self.limit;
            is_some_gone |= is_too_much && (is_told_again(write) || open::can_be_replayed(write));
            if is_too_much && is_told_again(write) {
                return false;
            }
            if is_too_much && open::can_be_replayed(write) {
                *write = stub(write);
            }
            // One stub says as much as many.
            let is_again = is_stub(write) && after_stub;
            after_stub = is_stub(write);
            if !is_again {
                bytes += write.size();
            }
            !is_again
        });
        is_some_gone
    }

    /// The person's changes of a connection that are held; servers send the others again.
    fn held_of(&self, connection: ConnectionId) -> Vec<Write> {
        let held = self.held.iter().filter(|held| held.connection == connection);
        let writes = held.flat_map(|held| &held.writes);
        writes.filter(|write| !open::can_be_replayed(write)).cloned().collect()
    }

    /// Writes all that is held. Returns what became of each, or nothing if the disk took none of it.
    fn flush(&mut self) -> Option<Vec<(Taken, Numbered)>> {
        let result = self.try_flush().or_else(|error| {
            if !error.is_damage() {
                return Err(error);
            }
            log::warn!("the database is damaged: {error}");
            self.replace()?;
            self.try_flush()
        });
        match result {
            Ok(taken) => {
                for (held, (taken, numbered)) in self.held.drain(..).zip(&taken) {
                    note_behind(&self.health, &held, *taken);
                    if let (Some(later), Taken::Yes) = (held.later, taken) {
                        // The receiver may be gone.
                        let _ = later.send(Outcome {
                            commit: Commit::Saved,
                            numbered: numbered.clone(),
                            later: None,
                        });
                    }
                }
                self.held_bytes = 0;
                self.set_trouble(self.space.0.then_some(Banner::DiskLow));
                Some(taken)
            }
            Err(error) => {
                if !matches!(error, StoreError::Full) && matches!(self.place, Location::File(_)) {
                    // A file that was opened while it could not be written stays so: the next try opens it anew.
                    self.close();
                }
                self.set_trouble(Some(open::trouble(&error)));
                None
            }
        }
    }

    fn try_flush(&mut self) -> Result<Vec<(Taken, Numbered)>, StoreError> {
        #[cfg(test)]
        {
            self.transactions += 1;
            self.fault.map_or(Ok(()), |fault| fault(self))?;
        }
        self.reopen()?;
        let is_low = self.is_space_low();
        let Some(db) = self.db.as_mut() else { return Err(StoreError::Closed) };
        self.background.make_room(db, self.held_bytes)?;
        // A savepoint for each commit costs as much as the commit: they are for when one of them fails.
        let taken = match write_all(db, self.background.filters(), &self.held, is_low)? {
            Some(taken) => taken,
            None => self.write_each(is_low)?,
        };
        if self.held.iter().flat_map(|held| &held.writes).any(deletes) {
            self.background.erased();
            if let Location::File(path) = &self.place {
                migrate::remove_backups(path, &SCHEMA);
            }
        }
        self.background
            .committed(self.held.iter().any(|held| held.writes.contains(&Write::RemoveConnection)));
        Ok(taken)
    }

    /// Writes all that is held in one transaction, and leaves out each commit that fails.
    fn write_each(&mut self, is_low: bool) -> Result<Vec<(Taken, Numbered)>, StoreError> {
        let Some(db) = self.db.as_mut() else { return Err(StoreError::Closed) };
        let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut taken = Vec::with_capacity(self.held.len());
        for held in &self.held {
            taken.push(match commit_one(&transaction, self.background.filters(), held, is_low) {
                Err(StoreError::IndexDamaged) => {
                    index::begin_anew(&transaction)?;
                    self.background.begin_anew(index::progress(&transaction)?);
                    commit_one(&transaction, self.background.filters(), held, is_low)?
                }
                other => other?,
            });
        }
        transaction.commit()?;
        Ok(taken)
    }

    /// Whether the disk has less space than is to be left to others.
    fn is_space_low(&mut self) -> bool {
        let (is_low, written) = &mut self.space;
        *written += self.held_bytes;
        if *written >= LOOK_BYTES || *is_low {
            let of_disk = match &self.place {
                Location::File(path) => files::is_space_low(path, MIN_FREE_BYTES),
                _ => false,
            };
            (*is_low, *written) = (of_disk, 0);
            #[cfg(test)]
            (*is_low |= self.is_disk_small);
        }
        *is_low
    }

    fn reopen(&mut self) -> Result<(), StoreError> {
        match &self.place {
            Location::File(path) if self.db.is_none() => {
                let found = open::open_file(path);
                self.take(found)
            }
            _ => Ok(()),
        }
    }

    /// Sets the damaged file aside and begins a new one.
    fn replace(&mut self) -> Result<(), StoreError> {
        let Location::File(path) = self.place.clone() else { return Ok(()) };
        self.close();
        self.take(open::begin_anew(&path))
    }

    /// Goes on with what was found. What was rescued comes first in the order of writes, whether it can be written yet or
    /// not.
    fn take(&mut self, found: Found) -> Result<(), StoreError> {
        self.readers.close();
        self.background.forget();
        if let Some(set_aside) = found.set_aside {
            let banner = Banner::DatabaseSetAside { path: set_aside.path };
            self.health.send_modify(|health| health.set_aside = Some(banner));
            self.hold_first(set_aside.rescued);
        }
        let db = found.db?;
        self.background.begin_anew(index::progress(&db)?);
        self.db = Some(db);
        Ok(())
    }

    fn hold_first(&mut self, rescued: Vec<(ConnectionId, Write)>) {
        for (connection, write) in rescued.into_iter().rev() {
            let held = HeldCommit { connection, bytes: write.size(), writes: vec![write], later: None };
            self.held_bytes += held.bytes;
            self.held.push_front(held);
        }
    }

    /// Closes every connection to the file without touching what is in it.
    fn close(&mut self) {
        self.readers.close();
        if let Some(db) = self.db.take() {
            // Best effort: a checkpoint would write to a file that is to stay as it is.
            let _ = db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        }
    }

    /// A reader found damage: looks at every page before anything is done about it.
    fn examine(&mut self) {
        let Some(db) = &self.db else { return };
        let verdict = db.query_row("PRAGMA quick_check(1)", (), |row| row.get::<_, String>(0));
        let damaged = match verdict {
            // FTS5 speaks of itself here: the messages are not set aside for the sake of what is made from them.
            Ok(verdict) if verdict.contains("FTS5 table") => return self.index_anew(),
            Ok(verdict) => verdict != "ok",
            Err(error) => StoreError::from(error).is_damage(),
        };
        self.readers.close();
        if damaged && let Err(error) = self.replace() {
            self.set_trouble(Some(open::trouble(&error)));
        }
    }

    /// Notes how something ended that nobody waits for. What fails is tried again at the next start.
    fn tended(&mut self, turn: Result<(), StoreError>) {
        match turn {
            Ok(()) => {}
            Err(StoreError::IndexDamaged) => self.index_anew(),
            Err(error) => {
                log::error!("the database cannot be tended: {error}");
                self.background.stop();
            }
        }
    }

    /// The search index is damaged: it is made anew from the messages.
    fn index_anew(&mut self) {
        self.readers.close();
        let Some(db) = &mut self.db else { return };
        let anew = db.transaction().map_err(StoreError::from).and_then(|anew| {
            index::begin_anew(&anew)?;
            let percent = index::progress(&anew)?;
            anew.commit()?;
            Ok(percent)
        });
        match anew {
            Ok(percent) => self.background.begin_anew(percent),
            Err(error) => log::error!("the search index cannot be made anew: {error}"),
        }
    }

    /// From now on the disk has little space left, or much.
    #[cfg(test)]
    pub(super) fn pretend_small(&mut self, is_small: bool) {
        (self.is_disk_small, self.space.1) = (is_small, LOOK_BYTES);
    }

    /// As in the midst of a replay.
    #[cfg(test)]
    pub(super) fn pretend_replay(&mut self) {
        if let Some(db) = &mut self.db {
            self.background.make_room(db, usize::MAX).unwrap();
        }
    }

    #[cfg(test)]
    pub(super) fn held_bytes(&self) -> usize {
        self.held.iter().map(|held| held.bytes + size_of::<HeldCommit>()).sum()
    }

    fn set_trouble(&self, trouble: Option<Banner>) {
        self.health.send_if_modified(|health| {
            let changed = health.trouble != trouble;
            health.trouble = trouble;
            changed
        });
    }

    fn is_troubled(&self) -> bool {
        self.health.borrow().trouble.is_some()
    }
}

impl Work for ClientWriter {
    type Job = Job;

    fn batch(&mut self, jobs: Vec<Job>) {
        let mut replies = Vec::new();
        for job in jobs {
            match job {
                Job::Commit { connection, writes, reply } => {
                    replies.push((reply, self.hold(connection, writes)));
                }
                Job::Held { connection, reply } => {
                    // The receiver may be gone.
                    let _ = reply.send(self.held_of(connection));
                }
                Job::AtOnce(write) => write(self.db.as_ref()),
                Job::Suspect => self.examine(),
                Job::IndexDamaged => self.index_anew(),
                #[cfg(test)]
                Job::Test(test) => test(self),
            }
        }
        let taken = if self.held.is_empty() { None } else { self.flush() }.unwrap_or_default();
        // The newest of what was taken are these.
        let mut taken = taken.iter().rev();
        // And the newest of what is held, where none was taken.
        let mut still_held = self.held.len();
        for (reply, hold) in replies.into_iter().rev() {
            let taken = if hold == Hold::Nothing { None } else { taken.next() };
            let outcome = match (hold, taken) {
                (Hold::All, Some((Taken::Yes, numbered))) => {
                    Outcome { commit: Commit::Saved, numbered: numbered.clone(), later: None }
                }
                (Hold::All, None) => {
                    still_held -= 1;
                    let later = self.held.get_mut(still_held).map(|held| {
                        let (later, receiver) = oneshot::channel();
                        held.later = Some(later);
                        receiver
                    });
                    Outcome { later, ..Outcome::held() }
                }
                (Hold::Some, None) => {
                    still_held -= 1;
                    Outcome::held()
                }
                _ => Outcome::held(),
            };
            // The receiver may be gone.
            let _ = reply.send(outcome);
        }
        if let Some(db) = self.db.as_mut().filter(|_| self.held.is_empty()) {
            let turn = self.background.keep_up(db);
            self.tended(turn);
        }
    }

    fn idle_after(&self) -> Option<Duration> {
        if self.is_troubled() || !self.held.is_empty() { Some(RETRY) } else { self.background.pause() }
    }

    fn idle(&mut self, waits: &dyn Fn() -> bool) {
        if self.is_troubled() || !self.held.is_empty() {
            self.flush();
        } else if let Some(db) = &mut self.db {
            let turn = self.background.turn(db, waits);
            self.tended(turn);
        } else {
            self.background.stop();
        }
    }

    fn finish(&mut self) {
        if !self.held.is_empty() {
            self.flush();
        }
    }
}

/// Writes commits in one transaction. Nothing, if one of them fails for a reason of its own.
fn write_all(
    db: &mut Connection,
    filters: &Filters,
    held: &VecDeque<HeldCommit>,
    is_low: bool,
) -> Result<Option<Vec<(Taken, Numbered)>>, StoreError> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let all = catch_unwind(AssertUnwindSafe(|| {
        held.iter().map(|held| write(&transaction, filters, held, is_low)).collect::<Result<Vec<_>, _>>()
    }));
    match all {
        Ok(Ok(taken)) => {
            transaction.commit()?;
            Ok(Some(taken))
        }
        Ok(Err(error)) if error.is_retryable() || error.is_damage() => Err(error),
        _ => Ok(None),
    }
}

/// Writes one commit. Where space `is_low`, what a server will say again is not taken, as if there was a gap before it.
fn write(
    db: &Connection,
    filters: &Filters,
    held: &HeldCommit,
    is_low: bool,
) -> Result<(Taken, Numbered), StoreError> {
    let (mut all, mut numbered) = (Taken::Yes, Numbered::new());
    for (place, write) in held.writes.iter().enumerate() {
        let is_left_out = is_low && open::can_be_replayed(write);
        let taken = match is_left_out {
            true => write::apply(db, filters, held.connection, &stub(write)).map(|_| Taken::Gap)?,
            false => write::apply(db, filters, held.connection, write)?,
        };
        match taken {
            Taken::Yes => {}
            Taken::Numbered(first) => numbered.push((place, first)),
            Taken::Gap => all = Taken::Gap,
        }
    }
    Ok((all, numbered))
}

/// One commit is all or nothing. One that this program or the hub got wrong is left out, and does not stop the others.
fn commit_one(
    db: &Connection,
    filters: &Filters,
    held: &HeldCommit,
    is_low: bool,
) -> Result<(Taken, Numbered), StoreError> {
    db.prepare_cached("SAVEPOINT one")?.execute(())?;
    let result = catch_unwind(AssertUnwindSafe(|| write(db, filters, held, is_low)));
    let taken = match result {
        Ok(Ok(taken)) => taken,
        Ok(Err(error)) if error.is_retryable() || error.is_damage() => return Err(error),
        Ok(Err(StoreError::IndexDamaged)) => {
            db.execute_batch("ROLLBACK TO one; RELEASE one")?;
            return Err(StoreError::IndexDamaged);
        }
        failed => {
            match failed {
                Ok(Err(error)) => log::error!("a change could not be written and is left out: {error}"),
                _ => log::error!("writing a change failed, and it is left out"),
            }
            db.prepare_cached("ROLLBACK TO one")?.execute(())?;
            (Taken::Gap, Numbered::new())
        }
    };
    db.prepare_cached("RELEASE one")?.execute(())?;
    Ok(taken)
}

/// A connection is behind from the first entries that are not taken until some are taken again: those continue what is on
/// disk.
fn note_behind(health: &watch::Sender<Health>, held: &HeldCommit, taken: Taken) {
    let mut entries = held.writes.iter().filter_map(|write| match write {
        Write::Event(Event::Chat(ChatEvent::Entries { entries, .. })) => Some(entries),
        _ => None,
    });
    if let Some(last) = entries.next_back() {
        set_behind(health, held.connection, taken == Taken::Gap || last.is_empty());
    }
}

fn set_behind(health: &watch::Sender<Health>, connection: ConnectionId, is_behind: bool) {
    health.send_if_modified(|health| {
        if is_behind { health.behind.insert(connection) } else { health.behind.remove(&connection) }
    });
}

/// The first offsets of writes whose entries were numbered, each with its place in the commit.
type Numbered = Vec<(usize, Offset)>;

/// Whether a server, or the person's next look at a room, says this again in other words. That a server has a message whose
/// entry does not follow is final: not every server drops a message that it is sent again.
fn is_told_again(write: &Write) -> bool {
    matches!(
        write,
        Write::Event(
            Event::Chat(ChatEvent::Acknowledged { follows: Follows::Entry, .. })
                | Event::Chat(ChatEvent::Refused { .. })
                | Event::Chat(ChatEvent::ReadMarker { .. })
        )
    )
}

fn is_stub(write: &Write) -> bool {
    match write {
        Write::Event(Event::Chat(ChatEvent::Entries { entries, .. })) => entries.is_empty(),
        Write::Event(Event::Chat(ChatEvent::HistoryFailed { .. })) => true,
        _ => false,
    }
}

/// What stands for a write that was let go: the era goes on to have entries.
fn stub(write: &Write) -> Write {
    match write {
        Write::Event(Event::Chat(ChatEvent::Entries { live, .. })) => {
            Write::Event(Event::Chat(ChatEvent::Entries { entries: Vec::new(), live: *live }))
        }
        Write::Event(Event::Chat(ChatEvent::Skipped { .. })) => {
            Write::Event(Event::Chat(ChatEvent::Entries { entries: Vec::new(), live: false }))
        }
        Write::Event(Event::Chat(ChatEvent::History { room, .. })) => {
            Write::Event(Event::Chat(ChatEvent::HistoryFailed { room: room.clone() }))
        }
        other => other.clone(),
    }
}
