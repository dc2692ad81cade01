//! The index: which grams are in which message, and its room and author beside them. Its rows are numbered by time, so
//! that it is read newest first and from day to day.
//!
//! - `search`: the grams. It keeps no text of its own; the database's `message` table has it.
//! - `search_entry`: which message a number stands for.
//! - `search_author`: each name that a sender ever had.
//! - `search_state`: how far messages that were there before the index have come into it (`todo` of `of`, from the newest
//!   down), by how many stretches of time a message ever had to give way to others (`late`), and the last message whose
//!   grams are in the index (`since`).
//!
//! A commit gives a message its number and author. Its grams follow soon, many messages at a time ([`take_in`]): that
//! costs a fraction of what each alone would. Until then a search reads the few that are behind ([`super::behind`]).
//!
//! A message that is deleted leaves the index by a trigger. FTS5 only marks its row as deleted: the grams stay in their
//! segment until that is put together with others. After a person deleted a message, all segments are, within a minute
//! ([`begin_erasing`]); until then `search_state.erase` is set.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};

use super::super::super::error::StoreError;
use crate::model::search::fold::grams;
use crate::model::time::WallMs;

type Result<T> = std::result::Result<T, StoreError>;

/// A number is a stretch of 2¹³ ms (about 8 s) and one of 2⁸ places within: small distances make a small index.
const STRETCH_BITS: u32 = 13;
const PLACE_BITS: u32 = 8;
/// A message gives way to others of its moment by at most so many stretches (97 days).
const MAX_LATE: i64 = (1 << 20) - 1;
/// Times beyond this (the year 9999) count as this.
const MAX_TIME: WallMs = WallMs(253_402_300_800_000);
/// Bodies of old messages taken in at a time, in bytes.
const BATCH_BYTES: usize = 16 * 1024;
/// Bodies of new messages taken in at a time, in bytes.
const MAX_BATCH_BYTES: usize = 1024 * 1024;
/// Whether something else waits is asked after so many messages.
const LOOK_EACH: u32 = 16;

/// FTS5 keeps its marks of deleted rows in pages with numbers from this one on (`FTS5_TOMBSTONE_ROWID` in `fts5_index.c`).
const FIRST_MARK: i64 = 1 << 53;

/// The column `search_state.erase`: whether grams of what was deleted may still be in the index.
pub(in super::super) const ERASE_STEP: &str =
    "ALTER TABLE search_state ADD COLUMN erase INTEGER NOT NULL DEFAULT 1;";

/// What an index entry says beside the grams.
#[derive(Copy, Clone)]
pub(super) enum Slot {
    Room,
    Author,
}

impl Slot {
    /// The word for it; no gram begins like this.
    pub(super) fn word(self, id: i64) -> String {
        match self {
            Slot::Room => format!("#{id}"),
            Slot::Author => format!("@{id}"),
        }
    }
}

/// Gives messages their numbers.
pub(in super::super) struct Numbering {
    /// The highest number of all.
    newest: i64,
    late: i64,
    /// The stretch that the message with `newest` asked for.
    wanted: Option<i64>,
    /// The last name of each sender.
    authors: HashMap<i64, String>,
}

impl Numbering {
    pub(in super::super) fn new(db: &Connection) -> Result<Self> {
        db.prepare_cached(
            "SELECT coalesce(key, -1), received, late FROM search_state
             LEFT JOIN search_entry ON key = (SELECT max(key) FROM search_entry)
             LEFT JOIN message ON message.rowid = search_entry.message",
        )?
        .query_row((), |row| {
            let received: Option<WallMs> = row.get(1)?;
            Ok(Numbering {
                newest: row.get(0)?,
                wanted: received.map(stretch),
                late: row.get(2)?,
                authors: HashMap::new(),
            })
        })
        .map_err(StoreError::from)
    }

    /// Gives a message its number; none where hundreds of millions are of one moment: no server means them to be found.
    /// `row`: the message's.
    pub(in super::super) fn enter(
        &mut self,
        db: &Connection,
        row: i64,
        received: WallMs,
    ) -> Result<Option<i64>> {
        let key = self.next(db, received)?;
        if let Some(key) = key {
            db.prepare_cached("INSERT INTO search_entry (key, message) VALUES (?1, ?2)")?
                .execute([key, row])?;
        }
        Ok(key)
    }

    /// Keeps a name that a sender has.
    pub(in super::super) fn keep_author(&mut self, db: &Connection, sender: i64, name: &str) -> Result<()> {
        if self.authors.get(&sender).is_none_or(|known| known != name) {
            author(db, sender, name)?;
            self.authors.insert(sender, name.to_owned());
        }
        Ok(())
    }

    /// A free number for a moment. Messages mostly come in the order of time: then no look at the others is needed.
    fn next(&mut self, db: &Connection, received: WallMs) -> Result<Option<i64>> {
        let wanted = stretch(received);
        let first = wanted << PLACE_BITS;
        let follows = self.wanted.is_some_and(|before| before <= wanted);
        let key = if first > self.newest {
            first
        } else if follows && ((self.newest + 1) >> PLACE_BITS) - wanted < MAX_LATE / 2 {
            self.newest + 1
        } else {
            match free_key(db, wanted)? {
                Some(key) => key,
                None => return Ok(None),
            }
        };
        if key > self.newest {
            (self.newest, self.wanted) = (key, Some(wanted));
        }
        let late = (key >> PLACE_BITS) - wanted;
        if late > self.late {
            self.late = late;
            db.prepare_cached("UPDATE search_state SET late = max(late, ?1)")?.execute([late])?;
        }
        Ok(Some(key))
    }
}

/// Which of a sender's names is which author; none of a connection that was removed.
fn author(db: &Connection, sender: i64, name: &str) -> Result<Option<i64>> {
    let mut find = db.prepare_cached("SELECT id FROM search_author WHERE sender = ?1 AND name = ?2")?;
    if let Some(id) = find.query_row(params![sender, name], |row| row.get(0)).optional()? {
        return Ok(Some(id));
    }
    if !db.prepare_cached("SELECT 1 FROM sender WHERE id = ?1")?.exists([sender])? {
        return Ok(None);
    }
    db.prepare_cached("INSERT INTO search_author (sender, name) VALUES (?1, ?2)")?
        .execute(params![sender, name])?;
    Ok(Some(db.last_insert_rowid()))
}

/// The stretch of a moment. What a server says it is need not make sense.
fn stretch(at: WallMs) -> i64 {
    at.clamp(WallMs(0), MAX_TIME).0 >> STRETCH_BITS
}

/// The next number of a stretch. Where more messages came within it than it has places, one of a later stretch; none where
/// all that are near enough are taken.
fn free_key(db: &Connection, wanted: i64) -> Result<Option<i64>> {
    let mut last_of = db.prepare_cached("SELECT max(key) FROM search_entry WHERE key BETWEEN ?1 AND ?2")?;
    let (mut late, mut stretches) = (0, 1);
    loop {
        let first = (wanted + late) << PLACE_BITS;
        let end = first + (stretches << PLACE_BITS) - 1;
        let last: Option<i64> = last_of.query_row([first, end], |row| row.get(0))?;
        let key = last.map_or(first, |last| last + 1);
        if key <= end {
            return Ok(Some(key));
        }
        (late, stretches) = match late {
            // Twice as far each time, and in the end behind all that are there.
            _ if stretches > 1 => return Ok(None),
            late if late > MAX_LATE / 2 - 1 => (0, MAX_LATE + 1),
            late => (late * 2 + 1, 1),
        };
    }
}

/// The numbers that messages from one moment up to another have, the second one excluded. Some of them may be messages
/// from before or after.
pub(super) fn range(db: &Connection, after: Option<WallMs>, before: Option<WallMs>) -> Result<(i64, i64)> {
    let late: i64 = db.prepare_cached("SELECT late FROM search_state")?.query_row((), |row| row.get(0))?;
    let from = after.map_or(i64::MIN, |after| stretch(after) << PLACE_BITS);
    // A database of before there was a limit may have any number.
    let late = late.clamp(0, MAX_TIME.0);
    let to = before.map_or(i64::MAX, |before| (stretch(before) + late + 1) << PLACE_BITS);
    Ok((from, to))
}

/// How many of a hundred messages that were there before the index are in it; `None`: all.
pub(in super::super) fn progress(db: &Connection) -> Result<Option<u8>> {
    let (todo, of): (i64, i64) = db
        .prepare_cached("SELECT todo, of FROM search_state")?
        .query_row((), |row| Ok((row.get(0)?, row.get(1)?)))?;
    let percent = (of - todo).saturating_mul(100) / of.max(1);
    Ok((todo > 0).then(|| percent.clamp(0, 99) as u8))
}

/// Writes the grams of messages, with what is the same for many of them looked up once.
struct Grams<'a> {
    db: &'a Connection,
    /// The author of each sender's last message.
    authors: HashMap<i64, (String, Option<i64>)>,
    bytes: usize,
}

/// What the index needs of a message.
struct Entry<'a> {
    room: i64,
    sender: i64,
    sender_name: &'a str,
    body: &'a str,
}

impl<'a> Grams<'a> {
    fn new(db: &'a Connection) -> Self {
        Grams { db, authors: HashMap::new(), bytes: 0 }
    }

    /// The author of a message; none of a connection that was removed: its messages will be, too.
    fn author(&mut self, entry: &Entry) -> Result<Option<i64>> {
        if let Some((name, id)) = self.authors.get(&entry.sender)
            && name == entry.sender_name
        {
            return Ok(*id);
        }
        let id = author(self.db, entry.sender, entry.sender_name)?;
        self.authors.insert(entry.sender, (entry.sender_name.to_owned(), id));
        Ok(id)
    }

    fn write(&mut self, key: i64, author: i64, entry: &Entry) -> Result<()> {
        self.bytes += entry.body.len();
        let mut words = grams(entry.body);
        words.push_str(&Slot::Room.word(entry.room));
        words.push(' ');
        words.push_str(&Slot::Author.word(author));
        self.db
            .prepare_cached("INSERT INTO search (rowid, grams) VALUES (?1, ?2)")?
            .execute(params![key, words])?;
        Ok(())
    }
}

/// A message says something else now; nothing, where it was deleted: then it leaves the index.
pub(in super::super) fn changed(db: &Connection, message: i64) -> Result<()> {
    let key: Option<i64> = db
        .prepare_cached("SELECT key FROM search_entry WHERE message = ?1")?
        .query_row([message], |row| row.get(0))
        .optional()?;
    // One that was there before the index is taken in as it is then.
    let Some(key) = key else { return Ok(()) };
    let since: i64 = db.prepare_cached("SELECT since FROM search_state")?.query_row((), |row| row.get(0))?;
    let mut query =
        db.prepare_cached("SELECT room, sender, sender_name, body FROM message WHERE rowid = ?1")?;
    let mut rows = query.query([message])?;
    let Some(row) = rows.next()? else { return Ok(()) };
    let entry =
        Entry { room: row.get(0)?, sender: row.get(1)?, sender_name: text(row, 2)?, body: text(row, 3)? };
    // What is behind is taken in as it is then.
    if message <= since {
        db.prepare_cached("DELETE FROM search WHERE rowid = ?1")?.execute([key])?;
    }
    if entry.body.is_empty() {
        db.prepare_cached("DELETE FROM search_entry WHERE key = ?1")?.execute([key])?;
        db.prepare_cached("UPDATE search_state SET erase = 1 WHERE NOT erase")?.execute(())?;
    } else if message <= since {
        let mut grams = Grams::new(db);
        if let Some(author) = grams.author(&entry)? {
            grams.write(key, author, &entry)?;
        }
    }
    Ok(())
}

/// How many messages' grams are behind, at most.
pub(in super::super) fn behind(db: &Connection) -> Result<i64> {
    Ok(db
        .prepare_cached(
            "SELECT max(0, coalesce((SELECT max(rowid) FROM message), 0) - since) FROM search_state",
        )?
        .query_row((), |row| row.get(0))?)
}

/// Takes in the grams of at most `limit` messages that are behind, the oldest first; fewer once something else waits. Returns
/// whether there are more.
pub(in super::super) fn take_in(db: &mut Connection, limit: u32, waits: &dyn Fn() -> bool) -> Result<bool> {
    let batch = db.transaction()?;
    let since: i64 = batch.query_row("SELECT since FROM search_state", (), |row| row.get(0))?;
    let mut query = batch.prepare_cached(
        "SELECT message.rowid, key, room, sender, sender_name, body FROM message
         LEFT JOIN search_entry ON search_entry.message = message.rowid
         WHERE message.rowid > ?1 ORDER BY message.rowid LIMIT ?2",
    )?;
    let mut rows = query.query(params![since, limit])?;
    let (mut grams, mut last, mut count) = (Grams::new(&batch), since, 0);
    while let Some(row) = rows.next()? {
        last = row.get(0)?;
        let key: Option<i64> = row.get(1)?;
        let entry =
            Entry { room: row.get(2)?, sender: row.get(3)?, sender_name: text(row, 4)?, body: text(row, 5)? };
        if let Some(key) = key
            && let Some(author) = grams.author(&entry)?
        {
            grams.write(key, author, &entry)?;
        }
        count += 1;
        if grams.bytes > MAX_BATCH_BYTES || (count % LOOK_EACH == 0 && waits()) {
            break;
        }
    }
    drop(rows);
    drop(query);
    if last > since {
        batch.prepare_cached("UPDATE search_state SET since = ?1")?.execute([last])?;
    }
    let is_behind = behind(&batch)? > 0;
    batch.commit()?;
    Ok(is_behind)
}

fn text<'a>(row: &'a rusqlite::Row<'_>, column: usize) -> Result<&'a str> {
    row.get_ref(column)?.as_str().map_err(|error| StoreError::Nonsense(error.to_string()))
}

/// Takes in at most `limit` messages that were there before the index, the newest first. Returns [`progress`].
pub(in super::super) fn take_in_old(db: &mut Connection, limit: u32) -> Result<Option<u8>> {
    let batch = db.transaction()?;
    let mut todo: i64 = batch.query_row("SELECT todo FROM search_state", (), |row| row.get(0))?;
    let mut is_over = true;
    if todo > 0 {
        let mut query = batch.prepare_cached(
            "SELECT rowid, received, room, sender, sender_name, body FROM message
             WHERE rowid <= ?1 ORDER BY rowid DESC LIMIT ?2",
        )?;
        let mut rows = query.query(params![todo, limit])?;
        let (mut grams, mut numbering) = (Grams::new(&batch), Numbering::new(&batch)?);
        while let Some(row) = rows.next()? {
            let number: i64 = row.get(0)?;
            let entry = Entry {
                room: row.get(2)?,
                sender: row.get(3)?,
                sender_name: text(row, 4)?,
                body: text(row, 5)?,
            };
            let is_known =
                batch.prepare_cached("SELECT 1 FROM search_entry WHERE message = ?1")?.exists([number])?;
            if !is_known
                && let Some(author) = grams.author(&entry)?
                && let Some(key) = numbering.enter(&batch, number, row.get(1)?)?
            {
                grams.write(key, author, &entry)?;
            }
            todo = number - 1;
            is_over = false;
            if grams.bytes > BATCH_BYTES {
                break;
            }
        }
        if is_over {
            todo = 0;
        }
        drop(rows);
        batch.prepare_cached("UPDATE search_state SET todo = ?1")?.execute([todo])?;
    }
    let progress = progress(&batch)?;
    batch.commit()?;
    Ok(progress)
}

/// How segments of the index are put together.
#[derive(Copy, Clone, PartialEq, Eq)]
pub(in super::super) enum Merge {
    /// While nobody waits: few are left, so that a search has few to look at.
    Idle,
    /// During a replay: as fast as new ones come, each as seldom as can be.
    Replay,
    /// All of them, so that nothing is left of what was deleted: see [`begin_erasing`].
    Erase,
}

impl Merge {
    /// Pages that are written at a time, and how many segments are put together at least.
    fn extent(self) -> (i64, i64) {
        match self {
            Merge::Idle => (16, 4),
            Merge::Replay => (384, 16),
            Merge::Erase => (256, 4),
        }
    }
}

/// Puts some of the index's segments together: each turn leaves one. FTS5 would do so by itself, now and then for very long.
/// Returns whether there may be more to do.
pub(in super::super) fn merge(db: &Connection, how: Merge) -> Result<bool> {
    let (pages, segments) = how.extent();
    let mut query = db.prepare_cached("SELECT v FROM search_config WHERE k = 'usermerge'")?;
    let set: Option<i64> = query.query_row((), |row| row.get(0)).optional()?;
    if set != Some(segments) {
        db.execute("INSERT INTO search (search, rank) VALUES ('usermerge', ?1)", [segments])?;
    }
    let before = db.total_changes();
    db.prepare_cached("INSERT INTO search (search, rank) VALUES ('merge', ?1)")?.execute([pages])?;
    // sqlite.org/fts5.html#the_merge_command: a difference of less than two means that there was nothing to do.
    Ok(db.total_changes() - before >= 2)
}

/// Whether grams of what was deleted may still be in the index.
pub(in super::super) fn is_to_be_erased(db: &Connection) -> Result<bool> {
    Ok(db.prepare_cached("SELECT erase FROM search_state")?.query_row((), |row| row.get(0))?)
}

/// Begins to put all segments together; [`merge`] goes on with it. Returns whether there is anything to erase.
pub(in super::super) fn begin_erasing(db: &Connection) -> Result<bool> {
    let mut query = db.prepare_cached("SELECT EXISTS (SELECT 1 FROM search_data WHERE id >= ?1)")?;
    let is_marked: bool = query.query_row([FIRST_MARK], |row| row.get(0))?;
    if is_marked {
        let (pages, _) = Merge::Erase.extent();
        db.prepare_cached("INSERT INTO search (search, rank) VALUES ('merge', ?1)")?.execute([-pages])?;
    } else {
        db.prepare_cached("UPDATE search_state SET erase = 0 WHERE erase")?.execute(())?;
    }
    Ok(is_marked)
}

/// Empties the index, so that all messages are taken in anew: for one that is damaged.
pub(in super::super) fn begin_anew(db: &Connection) -> Result<()> {
    log::warn!("the search index is damaged and made anew");
    db.execute_batch(
        "INSERT INTO search (search) VALUES ('delete-all');
         DELETE FROM search_entry;
         UPDATE search_state SET late = 0, todo = (SELECT coalesce(max(rowid), 0) FROM message),
             of = (SELECT coalesce(max(rowid), 0) FROM message),
             since = max(since, (SELECT coalesce(max(rowid), 0) FROM message));",
    )?;
    Ok(())
}
