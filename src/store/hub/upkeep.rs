//! Checks, repairs and copies a hub's log, from outside of the hub.

use crate::store::hub::Offset;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::super::error::StoreError;
use super::super::files;
use super::super::inspect::{self, Findings, MAX_TOLD};
use super::super::migrate::{self, Schema};
use super::super::salvage::Source;
use super::schema::SCHEMA;
use super::{FILE, HUB_SENDER, HubStore, access, changes, file, people, read};
use crate::model::time::WallMs;
use crate::model::{Epoch, FileHash, FileId, MessageId, NamedRoom, Principal, RoomId, RoomName};

type Result<T> = std::result::Result<T, StoreError>;

/// Entries read at once, and their bytes of JSON.
const MAX_ENTRIES: u32 = 1_000;
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// What a repair needs to be given.
pub struct Anew<'a> {
    /// The repaired log is another log: clients take it whole, and send again what it does not have.
    pub epoch: Epoch,
    /// By the hub's clock.
    pub now: WallMs,
    /// An id for an entry that has to be made.
    pub new_id: &'a mut dyn FnMut() -> MessageId,
}

/// What a repair came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repaired {
    /// Lines for whoever asked: what was saved, and what was not.
    pub lines: Vec<String>,
    /// Where the damaged file is now.
    pub aside: std::path::PathBuf,
}

impl HubStore {
    /// Looks at the log in a data directory, whether its hub runs or not. Blocks, for long where the log is long.
    pub fn check(dir: &Path) -> Findings {
        let mut found = Findings::default();
        let path = dir.join(FILE);
        if let Some(db) = inspect::database(&path, &SCHEMA, &mut found) {
            let log = log(&db, &mut found);
            found.step(FILE, log);
            let places = places(&db, &mut found);
            found.step(FILE, places);
        }
        found
    }

    /// Saves what can be read of the log in a data directory into a new one, and sets the old one aside, whole. Entries
    /// keep their order and get gapless offsets; the log has another epoch. Only while no hub runs on it. Blocks.
    ///
    /// # Errors
    /// When there is nothing to be saved, or no room for it. The old file is as it was then.
    pub fn repair(dir: &Path, anew: Anew<'_>) -> Result<Repaired> {
        let path = dir.join(FILE);
        let from = source(dir, &path)?;
        let part = files::beside(&path, ".repaired");
        remove(&part)?;
        let lines = save(&from, &part, anew).map_err(|error| error.at(&from))?;
        let aside = if from == path { files::set_aside(&path)? } else { from };
        // Nothing of a file that was lost may be taken for a part of this one.
        for suffix in ["-wal", "-shm"] {
            remove(&files::beside(&path, suffix))?;
        }
        fs::rename(&part, &path)?;
        files::sync_folder(&path)?;
        Ok(Repaired { lines, aside })
    }

    /// Makes a complete copy of the log, as it is at one moment, in another directory, whether its hub runs or not. Blocks.
    ///
    /// # Errors
    /// The log is damaged or cannot be read, or there is no room for the copy. The error names the file.
    pub fn copy(dir: &Path, to: &Path) -> Result<()> {
        let path = dir.join(FILE);
        inspect::copy(&path, &SCHEMA, &to.join(FILE)).map_err(|error| error.at(&path))
    }

    /// The content of files that must be in a hub's directory: SHA-256, a file that has it, and its size.
    ///
    /// # Errors
    /// The log is damaged, missing or cannot be read. The error names the file.
    pub fn files_in(dir: &Path) -> Result<Vec<(FileHash, FileId, u64)>> {
        let path = dir.join(FILE);
        let read = || {
            let db = migrate::open_read_only(&path)?;
            // One of an earlier version has none.
            if has_table(&db, "file")? { file::contents(&db) } else { Ok(Vec::new()) }
        };
        read().map_err(|error| error.at(&path))
    }

    /// The people of the hub in a directory, whether or not it runs.
    ///
    /// # Errors
    /// The log is damaged, missing or cannot be read. The error names the file.
    pub fn people_in(dir: &Path) -> Result<Vec<Principal>> {
        let path = dir.join(FILE);
        let read = |db: Connection| people::principals(&db);
        let all = migrate::open_read_only(&path).and_then(read).map_err(|error| error.at(&path))?;
        Ok(all.into_iter().filter(|one| one.kind.chats()).collect())
    }

    /// The rooms of the hub in a directory, whether or not it runs.
    ///
    /// # Errors
    /// The log is damaged, missing or cannot be read. The error names the file.
    pub fn rooms_in(dir: &Path) -> Result<Vec<NamedRoom>> {
        let path = dir.join(FILE);
        migrate::open_read_only(&path).and_then(|db| read::rooms(&db)).map_err(|error| error.at(&path))
    }
}

/// The log: one epoch, offsets without a hole, entries that mean something.
fn log(db: &Connection, found: &mut Findings) -> Result<()> {
    let logs: i64 = db.query_row("SELECT count(*) FROM log", (), |row| row.get(0))?;
    if logs != 1 {
        found.problem(format!("{FILE}: it is {logs} logs instead of one"));
    }
    let mut query = db.prepare("SELECT offset FROM entry ORDER BY offset")?;
    let mut rows = query.query(())?;
    let (mut last, mut holes) = (None::<Offset>, 0);
    while let Some(row) = rows.next()? {
        let offset: Offset = row.get(0)?;
        if let Some(last) = last.filter(|last| last.next() != offset) {
            holes += 1;
            if holes <= MAX_TOLD {
                found.problem(format!(
                    "{FILE}: entries {} to {} are missing",
                    last.next(),
                    offset.previous()
                ));
            }
        }
        last = Some(offset);
    }
    drop(rows);
    let Some(head) = last else {
        found.problem(format!("{FILE}: the log is empty"));
        return Ok(());
    };
    if holes > MAX_TOLD {
        found.problem(format!("{FILE}: there are {holes} holes in all"));
    }
    let first: Offset = db.query_row("SELECT min(offset) FROM entry", (), |row| row.get(0))?;
    let (mut next, mut unreadable) = (first, 0);
    while holes == 0 && next <= head {
        match read::entries(db, next, MAX_ENTRIES, MAX_BYTES) {
            Ok(entries) if !entries.is_empty() => {
                next = entries.last().map_or(head, |last| last.offset).next()
            }
            Ok(_) => return Err(read::missing(next, head)),
            Err(error) => {
                unreadable += 1;
                if unreadable > MAX_TOLD {
                    break;
                }
                found.problem(format!("{FILE}: entries from {next} on: {error}"));
                next = next + u64::from(MAX_ENTRIES);
            }
        }
    }
    let held = head.next() - first;
    found.notes.push(match first.0 {
        1 => format!("{FILE}: {held} entries"),
        _ => format!("{FILE}: {held} entries, from {first} on; older ones were let go of"),
    });
    Ok(())
}

/// Rooms, read markers and invites name what is there.
fn places(db: &Connection, found: &mut Findings) -> Result<()> {
    let problems = [
        ("entries are in a room that is not there", "SELECT count(*) FROM entry WHERE room NOT IN (SELECT id FROM room)"),
        (
            "rooms are not made by the entry that they name",
            // What was let go of from the log's beginning is no longer there.
            "SELECT count(*) FROM room WHERE offset >= (SELECT min(offset) FROM entry) AND NOT EXISTS
             (SELECT 1 FROM entry WHERE entry.offset = room.offset AND kind = 'room' AND entry.room = room.id)",
        ),
        (
            "read markers are beyond the end of the log",
            "SELECT count(*) FROM read_marker WHERE offset > (SELECT max(offset) FROM entry)",
        ),
        (
            "read markers are of a room that is not there",
            "SELECT count(*) FROM read_marker WHERE room NOT IN (SELECT id FROM room)",
        ),
        (
            "receipts are of no message in the log",
            "SELECT count(*) FROM receipt WHERE first < 1 OR last < first OR last > (SELECT max(offset) FROM entry)",
        ),
    ];
    for (what, sql) in problems {
        match db.query_row(sql, (), |row| row.get::<_, i64>(0))? {
            0 => {}
            count => found.problem(format!("{FILE}: {count} {what}")),
        }
    }
    read::rooms(db)?;
    super::people::principals(db)?;
    let notes = [
        ("people and devices", "SELECT count(*) FROM principal"),
        ("rooms", "SELECT count(*) FROM room"),
        (
            "read markers are of somebody who is not there any more",
            "SELECT count(*) FROM read_marker WHERE principal NOT IN (SELECT id FROM principal)",
        ),
    ];
    for (what, sql) in notes {
        let count: i64 = db.query_row(sql, (), |row| row.get(0))?;
        if count > 0 {
            found.notes.push(format!("{FILE}: {count} {what}"));
        }
    }
    Ok(())
}

/// The file to be repaired: the log itself, or where it is gone the last one that was set aside.
fn source(dir: &Path, path: &Path) -> Result<std::path::PathBuf> {
    let is_there = |path: &Path| fs::metadata(path).is_ok_and(|file| file.len() > 0);
    if is_there(path) {
        return Ok(path.to_owned());
    }
    let aside = format!("{FILE}.damaged-");
    let names =
        fs::read_dir(dir)?.filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()));
    let mut names: Vec<_> = names
        .filter(|name| name.starts_with(&aside) && !name.ends_with("-wal") && !name.ends_with("-shm"))
        .collect();
    names.sort();
    let last = names.into_iter().map(|name| dir.join(name)).rfind(|path| is_there(path));
    last.ok_or_else(|| StoreError::Damaged {
        detail: "it is missing or empty, there is nothing to repair".to_owned(),
    })
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// Saves a damaged log into a new file, which is complete and on disk when this returns.
fn save(from: &Path, to: &Path, anew: Anew<'_>) -> Result<Vec<String>> {
    let source = Source::open(from)?;
    let mut schema = SCHEMA;
    if let Some(db) = source.db() {
        match migrate::check(db, &SCHEMA) {
            // The new one is of the same version, and the next start brings it to the current one.
            Ok(version) if version > 0 => {
                let version = usize::try_from(version).unwrap_or(usize::MAX);
                schema = Schema { steps: SCHEMA.steps.get(..version).unwrap_or(SCHEMA.steps), ..SCHEMA };
            }
            Ok(_) => {}
            Err(error) if error.is_damage() && is_of_another_program(db) => return Err(error),
            Err(error @ StoreError::Newer { .. }) => return Err(error),
            Err(_) => {}
        }
    }
    let mut db = migrate::open(to, &schema)?;
    db.execute_batch("PRAGMA foreign_keys = OFF")?;
    let saving = db.transaction()?;
    let mut lines = Vec::new();
    let mut names = saving.prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name = 'entry', name",
    )?;
    let tables = names.query_map((), |row| row.get(0))?.collect::<std::result::Result<Vec<String>, _>>()?;
    drop(names);
    let mut has_all_members = true;
    for table in tables {
        let is_sound: &dyn Fn(&[Value]) -> bool = if table == "entry" { &is_entry } else { &|_| true };
        let saved = source.save(&saving, &table, is_sound)?;
        has_all_members &= table != "member" || !saved.is_damaged;
        let damaged = if saved.is_damaged { "; a part of it was damaged" } else { "" };
        lines.push(format!("{table}: {} rows saved{damaged}", saved.rows));
    }
    if saving.query_row("SELECT count(*) FROM entry", (), |row| row.get::<_, i64>(0))? == 0 {
        return Err(StoreError::Damaged { detail: "no message of it can be read".to_owned() });
    }
    lines.extend(make_whole(&saving, &source, anew, has_all_members)?);
    saving.commit()?;
    db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
    db.close().map_err(|(_, error)| error)?;
    fs::File::options().write(true).open(to)?.sync_all()?;
    Ok(lines)
}

/// Its header and its tables are sound, and not a hub's.
fn is_of_another_program(db: &Connection) -> bool {
    let ours: std::result::Result<i64, _> = db.query_row(
        "SELECT count(*) FROM sqlite_schema WHERE name IN ('log', 'entry', 'room', 'principal')",
        (),
        |row| row.get(0),
    );
    ours.is_ok_and(|ours| ours < 4)
}

/// Whether the hub could read this as an entry.
fn is_entry(values: &[Value]) -> bool {
    let [offset, id, principal, sender, kind, ..] = values else { return false };
    matches!(offset, Value::Integer(offset) if *offset > 0)
        && matches!(id, Value::Blob(id) if id.len() == 16)
        && matches!((principal, sender, kind), (Value::Text(_), Value::Text(_), Value::Text(_)))
}

/// Makes a log of what was saved: rooms for all entries, each with the entry that makes it, offsets without a hole.
fn make_whole(
    db: &Connection,
    source: &Source,
    anew: Anew<'_>,
    has_all_members: bool,
) -> Result<Vec<String>> {
    let Anew { epoch, now, new_id } = anew;
    let mut lines = Vec::new();
    let has = |table: &str| has_table(db, table);
    let (has_gone, has_revoked) = (has("gone")?, has("revoked")?);
    db.execute("DELETE FROM log", ())?;
    db.execute("INSERT INTO log (id, epoch) VALUES (1, ?1)", [epoch.0.cast_signed()])?;
    let saved_rooms = {
        let mut query = db.prepare("SELECT id FROM room")?;
        query.query_map((), |row| row.get(0))?.collect::<std::result::Result<HashSet<i64>, _>>()?
    };
    let rooms = name_rooms(db, source)?;
    lines.extend(rooms.iter().map(|name| format!("room: the name of {name} was damaged; this one is new")));
    let gone: i64 = match has_gone {
        true => db.query_row("SELECT coalesce(max(offset), 0) FROM gone", (), |row| row.get(0))?,
        false => 0,
    };
    lines.extend(missing_of(db, gone)?);
    let made = number_anew(db, now, new_id)?;
    if made > 0 {
        lines.push(format!("entry: {made} entries that make a room were missing, and are made again"));
    }
    if has("pinned")? {
        changes::rebuild(db)?;
    }
    if has("file")? {
        file::rebuild(db)?;
    }
    if has("member")? {
        access::rebuild(db, &saved_rooms, !has_all_members)?;
    }
    if has("receipt")? {
        // They refer to offsets of the old log; clients send new ones.
        db.execute("DELETE FROM receipt", ())?;
    }
    db.execute("DELETE FROM read_marker WHERE offset < 1 OR room NOT IN (SELECT id FROM room)", ())?;
    if has_gone {
        // An acknowledgement names a place in the log: the first one, which every client has passed.
        db.execute("UPDATE gone SET offset = max(offset, 1)", ())?;
        db.execute("UPDATE log SET counted = (SELECT max(offset) FROM entry)", ())?;
    }
    if has_revoked {
        // A page from before the removal may have been saved.
        let back = db.execute("DELETE FROM principal WHERE token_hash IN (SELECT hash FROM revoked)", ())?;
        if back > 0 {
            lines.push(format!("principal: {back} whose access was withdrawn are left out"));
        }
    } else {
        db.execute(
            "DELETE FROM invite WHERE redeemed_by IS NOT NULL AND redeemed_by NOT IN (SELECT id FROM principal)",
            (),
        )?;
    }
    let head: i64 = db.query_row("SELECT max(offset) FROM entry", (), |row| row.get(0))?;
    lines.push(format!(
        "the log has {head} entries now, and is a new one for clients, who keep what they have"
    ));
    Ok(lines)
}

/// Gives an id and a name to rooms that have entries and none. Returns the names of those of which neither could be found.
fn name_rooms(db: &Connection, source: &Source) -> Result<Vec<String>> {
    let known_by = RoomColumns::of(db)?;
    let nameless = "SELECT DISTINCT room FROM entry WHERE room NOT IN (SELECT id FROM room)";
    let mut query = db.prepare(nameless)?;
    let nameless = query.query_map((), |row| row.get(0))?.collect::<std::result::Result<Vec<i64>, _>>()?;
    // The index has the ids, too.
    let indexed = || -> Result<HashMap<i64, String>> {
        let Some(from) = source.db() else { return Ok(HashMap::new()) };
        let id = known_by.id();
        let mut query = from.prepare(&format!(
            "SELECT id, {id} FROM room INDEXED BY sqlite_autoindex_room_1 ORDER BY {id}"
        ))?;
        let rows = query.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.filter_map(std::result::Result::ok).collect())
    };
    let indexed = indexed().unwrap_or_default();
    let mut unknown = Vec::new();
    for row in nameless {
        let made = known_by.maker_of(db, row)?;
        let id = indexed.get(&row).and_then(|id| RoomId::new(id.clone()).ok());
        // The first room of a hub is the one that every hub has.
        let id = id.or_else(|| (row == 1).then(RoomId::general));
        let is_known = id.is_some() || made.is_some();
        let id = id.or_else(|| made.as_ref().map(|(maker, _)| RoomId::from(*maker)));
        let recovered = || RoomId::new(format!("recovered-{row}")).map_err(nonsense);
        let id = id.map_or_else(recovered, Ok)?;
        let name = made.map_or_else(|| RoomName::of_id(&id), |(_, name)| name);
        if !is_known {
            unknown.push(name.as_str().to_owned());
        }
        known_by.insert(db, row, &id, &name)?;
    }
    known_by.correct(db)?;
    let general: Option<i64> = db
        .query_row(
            &format!("SELECT id FROM room WHERE {} = ?1", known_by.id()),
            [RoomId::general().as_str()],
            |row| row.get(0),
        )
        .optional()?;
    if general.is_none() {
        let free: i64 = db.query_row("SELECT coalesce(max(id), 0) + 1 FROM room", (), |row| row.get(0))?;
        known_by.insert(db, free, &RoomId::general(), &RoomName::general())?;
    }
    Ok(unknown)
}

fn nonsense(error: crate::model::id::InvalidName) -> StoreError {
    StoreError::Nonsense(error.to_string())
}

/// Which columns a room has: in files of older versions its name is its id.
#[derive(Copy, Clone, PartialEq, Eq)]
enum RoomColumns {
    Name,
    IdAndName,
}

impl RoomColumns {
    fn of(db: &Connection) -> Result<Self> {
        let has_id = "SELECT EXISTS (SELECT 1 FROM pragma_table_info('room') WHERE name = 'uid')";
        Ok(if db.query_row(has_id, (), |row| row.get(0))? { Self::IdAndName } else { Self::Name })
    }

    fn id(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::IdAndName => "uid",
        }
    }

    /// The entry that made a room, and the name that it gave it, where it says that.
    fn maker_of(self, db: &Connection, room: i64) -> Result<Option<(MessageId, RoomName)>> {
        if self == Self::Name {
            return Ok(None);
        }
        let mut query = db.prepare(
            "SELECT id, json_extract(extra, '$.name') FROM entry
             WHERE room = ?1 AND kind = 'room' AND json_valid(extra) ORDER BY offset LIMIT 1",
        )?;
        let found: Option<([u8; 16], Option<String>)> =
            query.query_row([room], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let named = |(id, name): ([u8; 16], Option<String>)| {
            Some((MessageId(uuid::Uuid::from_bytes(id)), RoomName::new(name?).ok()?))
        };
        Ok(found.and_then(named))
    }

    fn insert(self, db: &Connection, row: i64, id: &RoomId, name: &RoomName) -> Result<()> {
        match self {
            Self::Name => db.execute(
                "INSERT OR IGNORE INTO room (id, name, offset) VALUES (?1, ?2, 0)",
                params![row, id.as_str()],
            )?,
            Self::IdAndName => db.execute(
                "INSERT OR IGNORE INTO room (id, uid, name, offset) VALUES (?1, ?2, ?3, 0)",
                params![row, id.as_str(), name.as_str()],
            )?,
        };
        Ok(())
    }

    /// Gives another id or name to rooms that were saved with one that keeps no rule.
    fn correct(self, db: &Connection) -> Result<()> {
        let mut query = db.prepare(&format!("SELECT id, {}, name FROM room", self.id()))?;
        let all = query.query_map((), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        for (row, id, name) in all.collect::<std::result::Result<Vec<(i64, String, String)>, _>>()? {
            let recovered = format!("recovered-{row}");
            if RoomName::new(name).is_err() {
                db.execute("UPDATE room SET name = ?2 WHERE id = ?1", params![row, recovered])?;
            }
            if self == Self::IdAndName && RoomId::new(id).is_err() {
                db.execute("UPDATE room SET uid = ?2 WHERE id = ?1", params![row, recovered])?;
            }
        }
        Ok(())
    }
}

fn has_table(db: &Connection, name: &str) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1)";
    Ok(db.query_row(sql, [name], |row| row.get(0))?)
}

/// Which entries are not there, by their old offsets; those up to `gone` were let go of.
fn missing_of(db: &Connection, gone: i64) -> Result<Vec<String>> {
    let mut query = db.prepare("SELECT offset FROM entry ORDER BY offset")?;
    let mut rows = query.query(())?;
    let (mut lines, mut last, mut lost) = (Vec::new(), gone, 0_i64);
    while let Some(row) = rows.next()? {
        let offset: i64 = row.get(0)?;
        if offset > last + 1 {
            lost += offset - last - 1;
            if lines.len() < MAX_TOLD {
                lines.push(match (last + 1, offset - 1) {
                    (one, other) if one == other => format!("entry: {one} could not be read"),
                    (one, other) => format!("entry: {one} to {other} could not be read"),
                });
            }
        }
        last = offset;
    }
    if lost > 0 {
        lines.push(format!(
            "entry: {lost} could not be read in all; what came after {last} may be missing, too"
        ));
    }
    Ok(lines)
}

/// Gives entries their new offsets, and everything that names one the new one. Returns how many had to be made.
fn number_anew(db: &Connection, now: WallMs, new_id: &mut dyn FnMut() -> MessageId) -> Result<usize> {
    let (numbers, to_make) = renumbering(db)?;
    let is_changed = !to_make.is_empty() || numbers.iter().any(|(old, new)| old != new);
    follow(db, &numbers)?;
    if is_changed {
        let mut set = db.prepare("UPDATE entry SET offset = -?2 WHERE offset = ?1")?;
        for (old, new) in &numbers {
            set.execute([old, new])?;
        }
        db.execute("UPDATE entry SET offset = -offset", ())?;
        let mut make = db.prepare(
            "INSERT INTO entry (offset, id, principal, sender_name, kind, room, body, at, received)
             VALUES (?1, ?2, ?3, ?3, 'room', ?4, '', ?5, ?5)",
        )?;
        for (offset, room) in &to_make {
            make.execute(params![offset, new_id().0.as_bytes(), HUB_SENDER, room, now])?;
        }
    }
    db.execute(
        "UPDATE room SET offset = (SELECT min(offset) FROM entry WHERE entry.room = room.id AND kind = 'room')",
        (),
    )?;
    let has_changed = "SELECT EXISTS (SELECT 1 FROM pragma_table_info('room') WHERE name = 'changed')";
    if db.query_row(has_changed, (), |row| row.get(0))? {
        db.execute(
            "UPDATE room SET changed = coalesce((SELECT max(offset) FROM entry
                 WHERE entry.room = room.id AND kind IN ('room_change', 'member')), 0)",
            (),
        )?;
    }
    Ok(to_make.len())
}

/// New offsets by old ones, and where an entry has to be made for which room.
type Renumbering = (BTreeMap<i64, i64>, Vec<(i64, i64)>);

fn renumbering(db: &Connection) -> Result<Renumbering> {
    let mut made = std::collections::HashSet::new();
    let (mut numbers, mut to_make, mut next) = (BTreeMap::new(), Vec::new(), 1_i64);
    let mut make = |room: i64, next: &mut i64, made: &mut std::collections::HashSet<i64>| {
        if made.insert(room) {
            to_make.push((*next, room));
            *next += 1;
        }
    };
    // The room that every hub has comes first.
    let general = format!("SELECT id FROM room WHERE {} = ?1", RoomColumns::of(db)?.id());
    let general: i64 = db.query_row(&general, [RoomId::general().as_str()], |row| row.get(0))?;
    let first: Option<(i64, String)> = db
        .query_row("SELECT room, kind FROM entry ORDER BY offset LIMIT 1", (), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    if first.is_none_or(|(room, kind)| room != general || kind != "room") {
        let elsewhere: bool = db.query_row(
            "SELECT EXISTS (SELECT 1 FROM entry WHERE room = ?1 AND kind = 'room')",
            [general],
            |row| row.get(0),
        )?;
        if !elsewhere {
            make(general, &mut next, &mut made);
        }
    }
    let mut query = db.prepare("SELECT offset, room, kind FROM entry ORDER BY offset")?;
    let mut rows = query.query(())?;
    while let Some(row) = rows.next()? {
        let (offset, room, kind): (i64, i64, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        if kind == "room" {
            made.insert(room);
        } else {
            make(room, &mut next, &mut made);
        }
        numbers.insert(offset, next);
        next += 1;
    }
    let mut query = db.prepare("SELECT id FROM room ORDER BY id")?;
    let mut rows = query.query(())?;
    while let Some(row) = rows.next()? {
        make(row.get(0)?, &mut next, &mut made);
    }
    Ok((numbers, to_make))
}

/// Moves whatever else names an offset: read markers, and what later versions have.
fn follow(db: &Connection, numbers: &BTreeMap<i64, i64>) -> Result<()> {
    let mut query = db.prepare(
        "SELECT m.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c
         WHERE m.type = 'table' AND m.name NOT IN ('entry', 'room') AND c.name = 'offset' AND c.type = 'INTEGER' AND c.pk = 0",
    )?;
    let tables = query.query_map((), |row| row.get(0))?.collect::<std::result::Result<Vec<String>, _>>()?;
    for table in tables {
        let mut query = db.prepare(&format!("SELECT DISTINCT offset FROM \"{table}\""))?;
        let named = query.query_map((), |row| row.get(0))?.collect::<std::result::Result<Vec<i64>, _>>()?;
        let mut set = db.prepare(&format!("UPDATE \"{table}\" SET offset = -?2 WHERE offset = ?1"))?;
        for old in named {
            // Up to the last entry before it that is still there.
            let new = numbers.range(..=old).next_back().map_or(0, |(_, new)| *new);
            set.execute([old, new])?;
        }
        db.execute(&format!("UPDATE \"{table}\" SET offset = -offset"), ())?;
    }
    Ok(())
}
