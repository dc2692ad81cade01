//! [`Appender`]: the hub's writer thread. All that waits goes into one transaction; after its fsync the new entries are
//! published, and then everybody is answered.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use tokio::sync::{broadcast, oneshot};

use super::super::error::{StoreError, int, unsigned};
use super::super::migrate;
use super::super::writer::Work;
use super::io_health::IoHealth;
use super::rooms::Rooms;
use super::schema::SCHEMA;
use super::usage::Usage;
use super::{
    Append, Appended, HUB_SENDER, LogLimits, Quota, State, access, changes, file, read, retain, room_change,
};
use crate::model::content::MemberChange;
use crate::model::name;
use crate::model::room::ABOUT;
use crate::model::time::WallMs;
use crate::model::{
    Content, Draft, Entry, Epoch, MessageId, Offset, PrincipalId, Role, RoomId, RoomName, Sender,
};

type Result<T> = std::result::Result<T, StoreError>;

/// Most entries in one published batch.
const BATCH_ENTRIES: usize = 256;
/// About how much JSON one published batch makes at most, in bytes.
const BATCH_BYTES: usize = 512 * 1024;
/// About how much an entry takes in the database besides its text, in bytes.
const ENTRY_BYTES: u64 = 256;
/// What was deleted leaves the write-ahead log when nothing was written for this long.
const CHECKPOINT_AFTER: Duration = Duration::from_secs(2);
/// And at the latest after this long.
const MAX_IN_LOG: Duration = Duration::from_secs(30);
/// When to try again where the log is full and its oldest entries are about to go, in milliseconds.
const SOON_MS: i64 = 2_000;

/// What the writer is asked.
pub(super) enum Job {
    /// Appends: all or none. `in_order`: no message is written behind one that was refused.
    Append { appends: Vec<Append>, in_order: bool, reply: oneshot::Sender<Result<Vec<Appended>>> },
    /// Let go of some old entries, if there are any at this time. Answers whether there may be more.
    Retain { now: WallMs, reply: oneshot::Sender<Result<bool>> },
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
        // The receiver may be gone.
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
        if head == Offset(0) {
            return Err(StoreError::Damaged { detail: "the log is empty".to_owned() });
        }
        read::look_over(&transaction, head)?;
        return Ok((Epoch(epoch.cast_unsigned()), head));
    }
    transaction.execute("INSERT INTO log (id, epoch) VALUES (1, ?1)", [new_epoch.0.cast_signed()])?;
    let mut rooms = Rooms::default();
    let general = Append {
        draft: Draft {
            id: general_id,
            room: RoomId::general(),
            content: Content::room(RoomName::general()),
            at: now,
        },
        sender: Sender { id: PrincipalId(HUB_SENDER.to_owned()), name: HUB_SENDER.to_owned() },
        received: now,
        only_known: false,
        role: Role::Admin,
    };
    let mut gate = QuotaCheck::new(LogLimits::default(), Usage::default(), false);
    append(&transaction, general, &mut Offset(0), &mut rooms, &mut gate)?;
    transaction.commit()?;
    Ok((new_epoch, Offset(1)))
}

/// Whether there is a log in a file of any version.
pub(super) fn is_begun(db: &Connection) -> Result<bool> {
    Ok(db.query_row("SELECT EXISTS (SELECT 1 FROM log)", (), |row| row.get(0))?)
}

/// The only one who writes to the log.
pub(super) struct Appender {
    db: Connection,
    state: Arc<State>,
    batches: broadcast::Sender<Arc<[Entry]>>,
    rooms: Rooms,
    /// What everybody has written today; after a failed transaction it is counted anew.
    usage: Option<Usage>,
    pulse: Arc<IoHealth>,
    /// Since when the write-ahead log may hold what was deleted.
    erased: Option<Instant>,
}

impl Appender {
    pub(super) fn new(
        db: Connection,
        state: Arc<State>,
        batches: broadcast::Sender<Arc<[Entry]>>,
        pulse: Arc<IoHealth>,
    ) -> Self {
        // A crash may have left there what was deleted.
        let erased = Some(Instant::now());
        Appender { db, state, batches, rooms: Rooms::default(), usage: None, pulse, erased }
    }
}

/// What a transaction will have brought about once it is on disk.
#[derive(Default)]
struct Fresh {
    head: Offset,
    /// The oldest entry, where older ones were let go of.
    oldest: Option<Offset>,
    entries: Vec<Entry>,
    /// An append was not written, though others were.
    is_partial: bool,
}

impl Work for Appender {
    type Job = Job;

    fn batch(&mut self, jobs: Vec<Job>) {
        #[cfg(test)]
        let jobs = self.run_tests(jobs);
        let (mut fresh, mut answers) = (Fresh::default(), Vec::with_capacity(jobs.len()));
        let mut jobs = jobs.into_iter();
        let changes = self.db.total_changes();
        let result = self.commit(&mut jobs, &mut fresh, &mut answers);
        match &result {
            Ok(()) => {
                // Whoever reads up to the new head must know who may see it.
                self.take_access(&fresh.entries);
                self.state.head.fetch_max(fresh.head.0, Ordering::Release);
                if let Some(oldest) = fresh.oldest {
                    self.state.oldest.fetch_max(oldest.0, Ordering::Release);
                }
                let made = fresh.entries.iter().filter(|entry| entry.draft.content.is_room());
                let mut made = made.map(|entry| entry.draft.room.clone()).peekable();
                if made.peek().is_some() {
                    self.state.rooms.write().unwrap_or_else(PoisonError::into_inner).extend(made);
                }
                let is_deletion = |entry: &Entry| matches!(entry.draft.content, Content::Delete { .. });
                if fresh.entries.iter().any(is_deletion) {
                    self.erased.get_or_insert_with(Instant::now);
                    if let Some(path) = self.db.path().filter(|path| !path.is_empty()) {
                        migrate::remove_backups(Path::new(path), &SCHEMA);
                    }
                }
                publish(&self.batches, fresh.entries);
                // What changes nothing needs no room on the disk, and says nothing about it.
                if !fresh.is_partial && self.db.total_changes() != changes {
                    self.pulse.write_works();
                }
            }
            Err(error) => {
                self.pulse.write_failed(error);
                self.rooms.clear();
                self.usage = None;
                // What it did not come to is answered like the rest.
                answers.extend(jobs.filter_map(unwritten));
            }
        }
        for answer in answers {
            answer(result.as_ref().copied());
        }
        if self.erased.is_some_and(|since| since.elapsed() > MAX_IN_LOG) {
            self.empty_log();
        }
    }

    fn idle_after(&self) -> Option<Duration> {
        self.erased.map(|_| CHECKPOINT_AFTER)
    }

    fn idle(&mut self, _waits: &dyn Fn() -> bool) {
        self.empty_log();
    }

    fn finish(&mut self) {
        // What is not written down is counted again at the next start.
        if let Some(usage) = &mut self.usage
            && let Err(error) = usage.write(&self.db, true)
        {
            log::debug!("what was written today is not noted: {error}");
        }
    }
}

impl Appender {
    /// Keeps what is known of who may see what up to date with the log.
    fn take_access(&self, entries: &[Entry]) {
        if !entries.is_empty() {
            let mut access = self.state.access.write().unwrap_or_else(PoisonError::into_inner);
            entries.iter().for_each(|entry| access.take(entry));
        }
    }

    /// Takes what was deleted out of the write-ahead log.
    fn empty_log(&mut self) {
        match migrate::empty_log(&self.db) {
            Ok(true) => self.erased = None,
            Ok(false) => {}
            Err(error) => log::debug!("what was deleted is still in the write-ahead log: {error}"),
        }
    }

    /// Long: one arm for each job, all of them within one transaction.
    fn commit(
        &mut self,
        jobs: &mut impl Iterator<Item = Job>,
        fresh: &mut Fresh,
        answers: &mut Vec<Answer>,
    ) -> Result<()> {
        let transaction = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        fresh.head = head(&transaction)?;
        let usage = match self.usage.take() {
            Some(usage) => usage,
            None => Usage::load(&transaction)?,
        };
        let has_gone = retain::has_gone(&transaction)?;
        let mut gate = QuotaCheck::new(self.state.limits(), usage, has_gone);
        for job in jobs {
            let failed = match job {
                Job::Append { appends, in_order, reply } => {
                    let (before, head, rooms) = (fresh.head, &mut fresh.head, &mut self.rooms);
                    gate.stopped = None;
                    let all = |db: &Connection| -> Result<Vec<Appended>> {
                        let mut next = |new: Append| {
                            let is_room = new.draft.content.is_room();
                            let appended = append(db, new, head, rooms, &mut gate)?;
                            if !is_room && gate.stopped.is_none() {
                                gate.stopped = appended.for_those_behind(in_order);
                            }
                            Ok(appended)
                        };
                        appends.into_iter().map(&mut next).collect()
                    };
                    let appended = in_savepoint(&transaction, all);
                    let failed = match &appended {
                        Ok(appended) => {
                            fresh.entries.extend(appended.iter().filter_map(Appended::entry).cloned());
                            None
                        }
                        Err(error) => {
                            fresh.head = before;
                            fresh.is_partial = true;
                            self.rooms.clear();
                            if matches!(error, StoreError::Sqlite(_)) {
                                self.pulse.write_failed(error);
                            }
                            (gate.usage, gate.used) = (Usage::load(&transaction)?, None);
                            (error.is_retryable() || error.is_damage()).then(|| again(error))
                        }
                    };
                    answers.push(answer(reply, appended));
                    failed
                }
                Job::Retain { now, reply } => {
                    let limits = gate.limits;
                    let usage = &mut gate.usage;
                    let stepped = in_savepoint(&transaction, |db| {
                        // What is not counted yet must not go uncounted.
                        usage.write(db, true)?;
                        retain::step(db, &limits, now)
                    });
                    (gate.used, gate.has_gone) = (None, true);
                    fresh.oldest = Some(retain::oldest(&transaction)?);
                    answers.push(answer(reply, stepped));
                    None
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
        gate.usage.write(&transaction, false)?;
        transaction.commit()?;
        self.usage = Some(gate.usage);
        Ok(())
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
        Job::Retain { reply, .. } => Some(answer(reply, Err(StoreError::Closed))),
        Job::Other(write) => Some(write(None)),
        #[cfg(test)]
        Job::Test(_) => None,
    }
}

/// What decides whether there is room for another entry.
struct QuotaCheck {
    limits: LogLimits,
    usage: Usage,
    /// Bytes of the database in use, once they are known in this transaction.
    used: Option<u64>,
    /// Entries were let go of.
    has_gone: bool,
    /// An earlier message of the same job was refused: what becomes of later ones, which must not take its place.
    stopped: Option<Appended>,
}

impl QuotaCheck {
    fn new(limits: LogLimits, usage: Usage, has_gone: bool) -> QuotaCheck {
        QuotaCheck { limits, usage, used: None, has_gone, stopped: None }
    }

    /// Which limit an entry would exceed, and until when.
    fn refuses(&mut self, db: &Connection, new: &Append) -> Result<Option<(Quota, Option<WallMs>)>> {
        let is_room = new.draft.content.is_room();
        if is_room && let Some(quota) = self.refuses_room(db, new)? {
            return Ok(Some((quota, None)));
        }
        if let Some((quota, until)) = self.usage.reached(&self.limits, &new.sender.id, is_room, new.received)
        {
            return Ok(Some((quota, Some(until))));
        }
        self.is_full(db, new)
    }

    fn refuses_room(&self, db: &Connection, new: &Append) -> Result<Option<Quota>> {
        let count = |sql: &str, who: Option<&str>| -> Result<u64> {
            let mut query = db.prepare_cached(sql)?;
            let count = match who {
                Some(who) => query.query_row([who], |row| row.get(0)),
                None => query.query_row((), |row| row.get(0)),
            };
            Ok(unsigned(count?))
        };
        let beyond = |limit: u32, count: u64| limit > 0 && count >= u64::from(limit);
        // How many private rooms there are is nobody's business: they count with whoever made them.
        let is_private = new.draft.content.private().is_some();
        let public = "SELECT count(*) FROM room WHERE NOT private";
        if !is_private && beyond(self.limits.rooms, count(public, None)?) {
            return Ok(Some(Quota::Rooms));
        }
        let of_person =
            count("SELECT count(*) FROM room WHERE made_by = ?1", Some(new.sender.id.0.as_str()))?;
        Ok(beyond(self.limits.rooms_per_person, of_person).then_some(Quota::RoomsOfPerson))
    }

    /// Whether the log has no room for this one, and when it may have.
    fn is_full(&mut self, db: &Connection, new: &Append) -> Result<Option<(Quota, Option<WallMs>)>> {
        if self.limits.log_bytes == 0 {
            return Ok(None);
        }
        let used = match self.used {
            Some(used) => used,
            None => retain::used_bytes(db)?,
        };
        let with_this = used.saturating_add(new.draft.content.bytes() as u64 + ENTRY_BYTES);
        if with_this > self.limits.log_bytes {
            self.used = Some(used);
            let until = match retain::oldest_goes_at(db, &self.limits)? {
                _ if self.limits.drop_oldest => Some(new.received.saturating_add(SOON_MS)),
                Some(at) => Some(at.max(new.received.saturating_add(SOON_MS))),
                None => None,
            };
            return Ok(Some((Quota::LogFull, until)));
        }
        self.used = Some(with_this);
        Ok(None)
    }
}

/// The place of an entry that its sender has sent before, whether the log still holds it or not.
fn known(db: &Connection, new: &Append, has_gone: bool) -> Result<Option<(Offset, WallMs)>> {
    let (sender, id) = (&new.sender.id.0, new.draft.id.0.as_bytes());
    let mut query =
        db.prepare_cached("SELECT offset, received FROM entry WHERE principal = ?1 AND id = ?2")?;
    let held: Option<(Offset, WallMs)> =
        query.query_row(params![sender, id], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    match held {
        Some((offset, received)) => Ok(Some((offset, received))),
        None if has_gone => retain::gone(db, sender, id),
        None => Ok(None),
    }
}

/// Writes one entry, or says why not.
///
/// Long: the checks of one append in their order; each returns early.
fn append(
    db: &Connection,
    mut new: Append,
    head: &mut Offset,
    rooms: &mut Rooms,
    gate: &mut QuotaCheck,
) -> Result<Appended> {
    if let Some((offset, received)) = known(db, &new, gate.has_gone)? {
        return Ok(Appended::Known { offset, received });
    }
    if new.only_known {
        return Ok(Appended::NotKnown);
    }
    if let Some(stopped) = gate.stopped.as_ref().filter(|_| !new.draft.content.is_room()) {
        return Ok(stopped.clone());
    }
    let found = match find_room(db, &mut new, rooms)? {
        Ok(found) => found,
        Err(refused) => return Ok(refused),
    };
    let target = match changes::check(db, &mut new.draft, found, &new.sender, new.role)? {
        Ok(target) => target,
        Err(refused) => return Ok(refused),
    };
    if let Some((quota, until)) = gate.refuses(db, &new)? {
        return Ok(Appended::Refused { quota, until });
    }
    // It is in a column: a repaired log has other offsets.
    new.draft.content = new.draft.content.with_target_offset(None);
    let offset = *head + 1;
    let room = match found {
        Some(row) => row,
        None => make_room(db, &new, offset, rooms)?,
    };
    if let Content::RoomChange { .. } | Content::Member { .. } = &new.draft.content {
        room_change::apply(db, room, &new.draft.content, offset, rooms)?;
        // Only the hub says that.
        new.draft.content.extra_mut().remove(ABOUT);
        if let Content::Member { change: MemberChange::Invited, extra, .. } = &mut new.draft.content
            && rooms.privacy(db, room)?.is_some()
        {
            let about = serde_json::to_value(room_change::about(db, room)?);
            extra.insert(ABOUT, about.map_err(|error| StoreError::Nonsense(error.to_string()))?);
        }
    }
    if new.draft.content.is_text() && rooms.privacy(db, room)? == Some(true) {
        // A direct message that was put out of sight is in sight again.
        db.prepare_cached("DELETE FROM absent WHERE room = ?1")?.execute([room])?;
    }
    let Draft { id, content, at, .. } = &new.draft;
    gate.usage.add(&new.sender.id, content.is_room(), content.bytes() as u64, new.received, offset);
    db.prepare_cached(
        "INSERT INTO entry (offset, id, principal, sender_name, kind, room, body, at, received, extra)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(params![
        int(offset)?,
        id.0.as_bytes(),
        new.sender.id.0,
        new.sender.name,
        content.kind(),
        room,
        content.body(),
        at,
        new.received,
        content.fields_json()
    ])?;
    *head = offset;
    file::attach(db, content, offset, new.received)?;
    let mut entry = Entry { draft: new.draft, offset, sender: new.sender, received: new.received };
    if let Some(target) = target {
        changes::written(db, &entry, room, target)?;
        entry.draft.content = entry.draft.content.with_target_offset(Some(target));
    }
    Ok(Appended::New(entry))
}

/// The row of a room, unless it is not there or not for this one, which is the same to them.
fn visible(db: &Connection, room: &RoomId, who: &PrincipalId, rooms: &mut Rooms) -> Result<Option<i64>> {
    let Some(row) = rooms.row(db, room)? else { return Ok(None) };
    let is_public = rooms.privacy(db, row)?.is_none();
    // A hook writes into the room for which it was made.
    let sees = is_public || who.is_integration() || access::is_member(db, row, who)?;
    Ok(sees.then_some(row))
}

/// The row of the room that a message, or what changes one, is for.
fn room_to_write_in(
    db: &Connection,
    draft: &mut Draft,
    who: &PrincipalId,
    rooms: &mut Rooms,
) -> Result<Option<i64>> {
    if let Some(row) = visible(db, &draft.room, who, rooms)? {
        rooms.remember(&draft.room, row);
        return Ok(Some(row));
    }
    // Whoever writes by hand knows its name, or the message that is to be changed.
    let called = match read::room_called(db, draft.room.as_str())? {
        None => changes::room_of(db, &draft.content)?,
        called => called,
    };
    let Some((row, id)) = called else { return Ok(None) };
    draft.room = id;
    Ok(visible(db, &draft.room, who, rooms)?.filter(|known| *known == row))
}

/// The row of the room that a draft is for; none for one that it makes. `Err`: it cannot be written.
fn find_room(
    db: &Connection,
    new: &mut Append,
    rooms: &mut Rooms,
) -> Result<std::result::Result<Option<i64>, Appended>> {
    let Append { draft, sender, role, .. } = new;
    room_change::tidy_topic(&mut draft.content);
    match &mut draft.content {
        Content::Text { .. }
        | Content::Edit { .. }
        | Content::Delete { .. }
        | Content::Reaction { .. }
        | Content::Pin { .. } => {
            let Some(row) = room_to_write_in(db, draft, &sender.id, rooms)? else {
                return Ok(Err(Appended::NoSuchRoom));
            };
            // What should not be there can be deleted all the same.
            let is_delete = matches!(draft.content, Content::Delete { .. });
            let is_refused = !is_delete && rooms.is_archived(db, row)?;
            Ok(if is_refused { Err(Appended::Archived) } else { Ok(Some(row)) })
        }
        Content::RoomChange { .. } | Content::Member { .. } => {
            match visible(db, &draft.room, &sender.id, rooms)? {
                Some(row) => {
                    let refused =
                        room_change::refusal(db, row, &sender.id, *role, &mut draft.content, rooms)?;
                    Ok(refused.map_or(Ok(Some(row)), Err))
                }
                None => Ok(Err(Appended::NoSuchRoom)),
            }
        }
        Content::Room { name, private: Some(private), .. } => {
            let checked = room_change::check_private(db, name, private, &draft.room, &sender.id)?;
            let is_taken = checked.is_ok() && rooms.row(db, &draft.room)?.is_some();
            Ok(if is_taken { Err(Appended::RoomIdTaken) } else { checked.map(|()| None) })
        }
        Content::Room { name, .. } => {
            let wanted = name.get_or_insert_with(|| RoomName::of_id(&draft.room));
            Ok(check_room(db, &draft.room, wanted, rooms)?.map(|()| None))
        }
        Content::Unknown(_) => Err(StoreError::Nonsense("an entry of no known kind".to_owned())),
    }
}

/// Makes the room of an entry that has this offset. Returns its row.
fn make_room(db: &Connection, new: &Append, offset: Offset, rooms: &mut Rooms) -> Result<i64> {
    let name = new.draft.room_name().unwrap_or_else(|| RoomName::of_id(&new.draft.room));
    db.prepare_cached("INSERT INTO room (uid, name, offset, made_by, made_at) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![
            new.draft.room.as_str(),
            name.as_str(),
            int(offset)?,
            new.sender.id.0,
            new.received
        ])?;
    let row = db.last_insert_rowid();
    let topic = new.draft.content.first_topic();
    if !topic.is_empty() {
        db.prepare_cached("UPDATE room SET topic = ?2 WHERE id = ?1")?.execute(params![row, topic])?;
    }
    let Some(private) = new.draft.content.private() else {
        rooms.insert(&new.draft.room, &name, row);
        return Ok(row);
    };
    let with = private.members.first().filter(|_| private.direct);
    let direct = with.map(|with| access::pair(&new.sender.id, with));
    db.prepare_cached("UPDATE room SET private = 1, direct = ?2 WHERE id = ?1")?
        .execute(params![row, direct])?;
    for who in access::members_of(private, &new.sender.id) {
        access::set_member(db, row, who, true, offset)?;
    }
    rooms.insert_private(&new.draft.room, row, private.direct);
    Ok(row)
}

/// Whether a room can be made, and under which spelling of its name. `Err`: it cannot, or is there.
fn check_room(
    db: &Connection,
    id: &RoomId,
    name: &mut RoomName,
    rooms: &mut Rooms,
) -> Result<std::result::Result<(), Appended>> {
    // One that was made before names were made in one spelling is known by its own.
    let mut called = read::room_called(db, name.as_str())?;
    if called.is_none() {
        *name = match name::make_room(name.as_str()) {
            Ok(name) => name,
            Err(why) => return Ok(Err(Appended::BadRoomName(why))),
        };
        called = read::room_called(db, name.as_str())?;
    }
    if let Some((row, room)) = called {
        return room_exists(db, row, room).map(Err);
    }
    if let Some(name) = rooms.like(db, name, None)? {
        return Ok(Err(Appended::RoomAlike { name }));
    }
    Ok(if rooms.row(db, id)?.is_some() { Err(Appended::RoomIdTaken) } else { Ok(()) })
}

fn room_exists(db: &Connection, row: i64, room: RoomId) -> Result<Appended> {
    let mut query = db.prepare_cached("SELECT offset, made_at FROM room WHERE id = ?1")?;
    Ok(query.query_row([row], |row| {
        Ok(Appended::RoomExists { room: room.clone(), offset: row.get(0)?, received: row.get(1)? })
    })?)
}

/// The newest offset; 0 without entries.
fn head(db: &Connection) -> Result<Offset> {
    let mut query = db.prepare_cached("SELECT max(offset) FROM entry")?;
    let head: Option<Offset> = query.query_row((), |row| row.get(0))?;
    Ok(head.unwrap_or_default())
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
