//! [`Appender`]: the hub's writer thread. All that waits goes into one transaction; after its fsync the new entries are
//! published, and then everybody is answered.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use tokio::sync::{broadcast, oneshot};

use super::super::error::{StoreError, int, unsigned};
use super::super::writer::Work;
use super::{Append, Appended, HUB_SENDER, read};
use crate::model::chat::Extra;
use crate::model::time::WallMs;
use crate::model::{Entry, EntryKind, Epoch, MessageId, Offset, PrincipalId, RoomName, Sender};

type Result<T> = std::result::Result<T, StoreError>;

/// Most entries in one published batch.
const BATCH_ENTRIES: usize = 256;
/// About how much JSON one published batch makes at most, in bytes.
const BATCH_BYTES: usize = 512 * 1024;

/// What the writer is asked.
pub(super) enum Job {
    /// Appends of one sender: all or none.
    Append { appends: Vec<Append>, reply: oneshot::Sender<Result<Vec<Appended>>> },
    /// Anything else that writes.
    Other(Other),
    #[cfg(test)]
    Test(Box<dyn FnOnce(&mut Connection) + Send>),
}

/// Writes in the open transaction (without one it only notes that it could not), and hands back how to answer.
type Other = Box<dyn FnOnce(Option<&Connection>) -> Answer + Send>;
/// Answers, once it is known whether the transaction is on disk.
type Answer = Box<dyn FnOnce(std::result::Result<(), &StoreError>)>;

impl Job {
    pub(super) fn other<T: Send + 'static>(
        write: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
        reply: oneshot::Sender<Result<T>>,
    ) -> Job {
        Job::Other(Box::new(move |db| {
            let result = db.ok_or(StoreError::Closed).and_then(|db| in_savepoint(db, write));
            answer(reply, result)
        }))
    }
}

fn answer<T: 'static>(reply: oneshot::Sender<Result<T>>, result: Result<T>) -> Answer {
    Box::new(move |committed| {
        // Whoever asked may have gone.
        let _ = reply.send(committed.map_err(again).and(result));
    })
}

/// The same error for each of those whom it concerns.
fn again(error: &StoreError) -> StoreError {
    match error {
        StoreError::Full => StoreError::Full,
        StoreError::Damaged { detail } => StoreError::Damaged { detail: detail.clone() },
        other => StoreError::Unwritable { detail: other.to_string() },
    }
}

/// A failed write leaves no trace, and does not take its neighbours in the transaction with it.
fn in_savepoint<T>(db: &Connection, write: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
    db.prepare_cached("SAVEPOINT one")?.execute(())?;
    let result = catch_unwind(AssertUnwindSafe(|| write(db)))
        .unwrap_or_else(|_| Err(StoreError::Nonsense("a write failed half way".to_owned())));
    if result.is_err() && !db.is_autocommit() {
        db.prepare_cached("ROLLBACK TO one")?.execute(())?;
    }
    if !db.is_autocommit() {
        db.prepare_cached("RELEASE one")?.execute(())?;
    }
    result
}

/// Makes sure that there is a log, with the room that every hub has. Returns its epoch and its newest offset.
pub(super) fn begin(
    db: &mut Connection,
    new_epoch: Epoch,
    now: WallMs,
    general_id: MessageId,
) -> Result<(Epoch, Offset)> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let epoch: Option<i64> =
        transaction.query_row("SELECT epoch FROM log", (), |row| row.get(0)).optional()?;
    if let Some(epoch) = epoch {
        let head = head(&transaction)?;
        if head == 0 {
            return Err(StoreError::Damaged { detail: "the log is empty".to_owned() });
        }
        return Ok((Epoch(epoch.cast_unsigned()), head));
    }
    transaction.execute("INSERT INTO log (id, epoch) VALUES (1, ?1)", [new_epoch.0.cast_signed()])?;
    let mut rooms = HashMap::new();
    let general = Append {
        sender: Sender { id: PrincipalId(HUB_SENDER.to_owned()), name: HUB_SENDER.to_owned() },
        id: general_id,
        kind: EntryKind::Room,
        room: RoomName::general(),
        body: String::new(),
        at: now,
        received: now,
    };
    append(&transaction, general, &mut 0, &mut rooms)?;
    transaction.commit()?;
    Ok((new_epoch, 1))
}

/// The only one who writes to the log.
pub(super) struct Appender {
    db: Connection,
    head: Arc<AtomicU64>,
    batches: broadcast::Sender<Arc<[Entry]>>,
    /// Rooms found so far. Rooms are never removed; after a failed transaction it is found anew.
    rooms: HashMap<RoomName, i64>,
}

impl Appender {
    pub(super) fn new(
        db: Connection,
        head: Arc<AtomicU64>,
        batches: broadcast::Sender<Arc<[Entry]>>,
    ) -> Self {
        Appender { db, head, batches, rooms: HashMap::new() }
    }
}

/// What a transaction will have brought about once it is on disk.
#[derive(Default)]
struct Fresh {
    head: Offset,
    entries: Vec<Entry>,
}

impl Work for Appender {
    type Job = Job;

    fn batch(&mut self, jobs: Vec<Job>) {
        #[cfg(test)]
        let jobs = self.run_tests(jobs);
        let (mut fresh, mut answers) = (Fresh::default(), Vec::with_capacity(jobs.len()));
        let mut jobs = jobs.into_iter();
        let result = self.commit(&mut jobs, &mut fresh, &mut answers);
        match &result {
            Ok(()) => {
                self.head.fetch_max(fresh.head, Ordering::Release);
                publish(&self.batches, fresh.entries);
            }
            Err(_) => {
                self.rooms.clear();
                // What it did not come to is answered like the rest.
                answers.extend(jobs.filter_map(unwritten));
            }
        }
        for answer in answers {
            answer(result.as_ref().copied());
        }
    }
}

impl Appender {
    fn commit(
        &mut self,
        jobs: &mut impl Iterator<Item = Job>,
        fresh: &mut Fresh,
        answers: &mut Vec<Answer>,
    ) -> Result<()> {
        let transaction = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        fresh.head = head(&transaction)?;
        for job in jobs {
            let failed = match job {
                Job::Append { appends, reply } => {
                    let (before, head, rooms) = (fresh.head, &mut fresh.head, &mut self.rooms);
                    let all = |db: &Connection| -> Result<Vec<Appended>> {
                        appends.into_iter().map(|new| append(db, new, head, rooms)).collect()
                    };
                    let appended = in_savepoint(&transaction, all);
                    let failed = match &appended {
                        Ok(appended) => {
                            fresh.entries.extend(appended.iter().filter_map(Appended::entry).cloned());
                            None
                        }
                        Err(error) => {
                            fresh.head = before;
                            self.rooms.clear();
                            (error.is_retryable() || error.is_damage()).then(|| again(error))
                        }
                    };
                    answers.push(answer(reply, appended));
                    failed
                }
                Job::Other(write) => {
                    answers.push(write(Some(&transaction)));
                    None
                }
                #[cfg(test)]
                Job::Test(_) => None,
            };
            if let Some(error) = failed {
                return Err(error);
            }
            if transaction.is_autocommit() {
                return Err(StoreError::Unwritable { detail: "the transaction was given up".to_owned() });
            }
        }
        Ok(transaction.commit()?)
    }

    #[cfg(test)]
    fn run_tests(&mut self, jobs: Vec<Job>) -> Vec<Job> {
        let mut rest = Vec::new();
        for job in jobs {
            match job {
                Job::Test(test) => test(&mut self.db),
                other => rest.push(other),
            }
        }
        rest
    }
}

fn unwritten(job: Job) -> Option<Answer> {
    match job {
        Job::Append { reply, .. } => Some(answer(reply, Err(StoreError::Closed))),
        Job::Other(write) => Some(write(None)),
        #[cfg(test)]
        Job::Test(_) => None,
    }
}

fn append(
    db: &Connection,
    new: Append,
    head: &mut Offset,
    rooms: &mut HashMap<RoomName, i64>,
) -> Result<Appended> {
    let mut known =
        db.prepare_cached("SELECT offset, received FROM entry WHERE principal = ?1 AND id = ?2")?;
    let known: Option<(i64, WallMs)> = known
        .query_row(params![new.sender.id.0, new.id.0.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if let Some((offset, received)) = known {
        return Ok(Appended::Known { offset: unsigned(offset), received });
    }
    let found = room(db, &new.room, rooms)?;
    let offset = *head + 1;
    let room = match (new.kind, found) {
        (EntryKind::Message, Some(room)) => room,
        (EntryKind::Message, None) => return Ok(Appended::NoSuchRoom),
        (EntryKind::Room, Some(room)) => return room_exists(db, room),
        (EntryKind::Room, None) => {
            db.prepare_cached("INSERT INTO room (name, offset) VALUES (?1, ?2)")?
                .execute(params![new.room.as_str(), int(offset)?])?;
            db.last_insert_rowid()
        }
        (EntryKind::Unknown, _) => return Err(StoreError::Nonsense("an entry of no known kind".to_owned())),
    };
    db.prepare_cached(
        "INSERT INTO entry (offset, id, principal, sender_name, kind, room, body, at, received)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        int(offset)?,
        new.id.0.as_bytes(),
        new.sender.id.0,
        new.sender.name,
        read::kind_text(new.kind),
        room,
        new.body,
        new.at,
        new.received
    ])?;
    *head = offset;
    rooms.insert(new.room.clone(), room);
    Ok(Appended::New(Entry {
        kind: new.kind,
        offset,
        id: new.id,
        room: new.room,
        sender: new.sender,
        body: new.body,
        at: new.at,
        received: new.received,
        extra: Extra::default(),
    }))
}

fn room(db: &Connection, name: &RoomName, rooms: &HashMap<RoomName, i64>) -> Result<Option<i64>> {
    match rooms.get(name) {
        Some(id) => Ok(Some(*id)),
        None => read::room_id(db, name),
    }
}

fn room_exists(db: &Connection, room: i64) -> Result<Appended> {
    let mut query = db.prepare_cached(
        "SELECT entry.offset, entry.received FROM room JOIN entry ON entry.offset = room.offset
         WHERE room.id = ?1",
    )?;
    Ok(query.query_row([room], |row| {
        Ok(Appended::RoomExists { offset: unsigned(row.get(0)?), received: row.get(1)? })
    })?)
}

/// The newest offset; 0 without entries.
fn head(db: &Connection) -> Result<Offset> {
    let mut query = db.prepare_cached("SELECT max(offset) FROM entry")?;
    let head: Option<i64> = query.query_row((), |row| row.get(0))?;
    Ok(head.map_or(0, unsigned))
}

/// Sends new entries out, in pieces that a frame can carry.
fn publish(batches: &broadcast::Sender<Arc<[Entry]>>, entries: Vec<Entry>) {
    let (mut piece, mut bytes) = (Vec::new(), 0);
    for entry in entries {
        let size = read::json_size(&entry);
        if !piece.is_empty() && (piece.len() == BATCH_ENTRIES || bytes + size > BATCH_BYTES) {
            // Without subscribers there is nobody to tell.
            let _ = batches.send(std::mem::take(&mut piece).into());
            bytes = 0;
        }
        bytes += size;
        piece.push(entry);
    }
    if !piece.is_empty() {
        let _ = batches.send(piece.into());
    }
}
