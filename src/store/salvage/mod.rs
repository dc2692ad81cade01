//! Recovers the rows of a damaged database into a new one, table by table: first along the B-trees, skipping damage,
//! then page by page for rows that the trees no longer reach. The damaged file is only read.

mod pages;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, params_from_iter};

use super::error::StoreError;
use super::files;
use pages::Pages;

type Result<T> = std::result::Result<T, StoreError>;

/// Page size of our databases, in bytes.
const PAGE_BYTES: u64 = 4096;
/// Maximum number of keys tried one by one after a damaged one; beyond it the steps grow. Rows skipped this way are
/// found page by page.
const MAX_SINGLE_STEPS: u32 = 256;

/// A working copy of a damaged database, including committed pages of its write-ahead log. Deleted when dropped.
pub(super) struct Source {
    copy: PathBuf,
    /// `None` if SQLite cannot even read the schema.
    db: Option<Connection>,
}

/// The result for one table.
#[derive(Debug, Default)]
pub(super) struct Saved {
    /// Number of recovered rows.
    pub rows: u64,
    /// Part of it was damaged: rows may be missing.
    pub is_damaged: bool,
}

impl Source {
    /// Copies a database to `NAME.salvage` beside it.
    pub(super) fn open(path: &Path) -> Result<Source> {
        let copy = files::beside(path, ".salvage");
        let mut source = Source { copy, db: None };
        source.copy_from(path)?;
        source.db = source.connect().ok();
        Ok(source)
    }

    fn copy_from(&self, path: &Path) -> Result<()> {
        let _ = fs::remove_file(&self.copy);
        files::make_private(&self.copy)?;
        let mut copy = OpenOptions::new().read(true).write(true).open(&self.copy)?;
        io::copy(&mut File::open(path)?, &mut copy)?;
        if let Ok(log) = File::open(files::beside(path, "-wal")) {
            apply_log(log, &mut copy)?;
        }
        let mut head = [0; 100];
        copy.seek(SeekFrom::Start(0))?;
        if copy.read_exact(&mut head).is_ok() && head.starts_with(b"SQLite format 3\0") {
            let page_size = match u16::from_be_bytes([head[16], head[17]]) {
                1 => 65_536,
                size => u64::from(size).max(512),
            };
            let pages = u32::try_from(copy.metadata()?.len() / page_size).unwrap_or(u32::MAX);
            // Clears the WAL flag and fixes the page count.
            (head[18], head[19]) = (1, 1);
            head[28..32].copy_from_slice(&pages.to_be_bytes());
            head.copy_within(24..28, 92);
            copy.seek(SeekFrom::Start(0))?;
            copy.write_all(&head)?;
        }
        Ok(())
    }

    fn connect(&self) -> Result<Connection> {
        let db = Connection::open_with_flags(
            &self.copy,
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        db.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA writable_schema = ON;")?;
        db.query_row("SELECT count(*) FROM sqlite_schema", (), |_| Ok(()))?;
        Ok(db)
    }

    /// The copy, if SQLite can read it.
    pub(super) fn db(&self) -> Option<&Connection> {
        self.db.as_ref()
    }

    /// Recovers the rows of a table. `is_sound` checks whether a row can belong to this table.
    pub(super) fn save(
        &self,
        into: &Connection,
        table: &str,
        is_sound: &dyn Fn(&[Value]) -> bool,
    ) -> Result<Saved> {
        let shape = Shape::of(into, table)?;
        let mut saved = Saved::default();
        let along = match &self.db {
            Some(db) => along_the_tree(db, into, &shape, is_sound, &mut saved),
            None => Err(StoreError::Damaged { detail: "its first page is damaged".to_owned() }),
        };
        match along {
            Err(error) if !error.is_damage() && !matches!(error, StoreError::Sqlite(_)) => return Err(error),
            Err(_) => saved.is_damaged = true,
            Ok(()) => {}
        }
        if saved.is_damaged && shape.has_rowid {
            let mut failed = None;
            Pages::open(&self.copy)?.rows(|rowid, mut values| {
                if let Some(place) = shape.rowid_alias.filter(|place| *place < values.len()) {
                    values[place] = Value::Integer(rowid);
                }
                if failed.is_none() && shape.fits(&values) && is_sound(&values) {
                    failed = shape.insert(into, values).map(|new| saved.rows += u64::from(new)).err();
                }
            })?;
            failed.map_or(Ok(()), Err)?;
        }
        Ok(saved)
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.db = None;
        // Best effort: the next repair overwrites it.
        let _ = fs::remove_file(&self.copy);
    }
}

/// Applies the committed frames of a write-ahead log to the file (sqlite.org/fileformat2.html §4).
fn apply_log(mut log: File, copy: &mut File) -> Result<()> {
    let mut head = [0; 32];
    if log.read_exact(&mut head).is_err() {
        return Ok(());
    }
    let be = |bytes: &[u8], at: usize| {
        bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).map_or(0, u32::from_be_bytes)
    };
    let (magic, page_size) = (be(&head, 0), be(&head, 8) as usize);
    if magic & !1 != 0x377f_0682 || !(512..=65_536).contains(&page_size) {
        return Ok(());
    }
    let is_big = magic & 1 == 1;
    let mut sum = checksum(is_big, &head[..24], (0, 0));
    let (mut frame, mut open) = (vec![0; 24 + page_size], Vec::new());
    while log.read_exact(&mut frame).is_ok() && frame[8..16] == head[16..24] {
        sum = checksum(is_big, &frame[24..], checksum(is_big, &frame[..8], sum));
        if sum != (be(&frame, 16), be(&frame, 20)) {
            break;
        }
        open.push((u64::from(be(&frame, 0)), frame[24..].to_vec()));
        if be(&frame, 4) == 0 {
            continue;
        }
        for (page, content) in open.drain(..).filter(|(page, _)| *page > 0) {
            copy.seek(SeekFrom::Start((page - 1) * page_size as u64))?;
            copy.write_all(&content)?;
        }
    }
    Ok(())
}

fn checksum(is_big: bool, bytes: &[u8], (mut one, mut two): (u32, u32)) -> (u32, u32) {
    let word = |four: &[u8]| {
        let four = four.try_into().unwrap_or_default();
        if is_big { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) }
    };
    for eight in bytes.chunks_exact(8) {
        one = one.wrapping_add(word(&eight[..4])).wrapping_add(two);
        two = two.wrapping_add(word(&eight[4..])).wrapping_add(one);
    }
    (one, two)
}

/// The structure of a table, from its definition in the new database.
struct Shape {
    table: String,
    /// Name, type, and whether it may be missing or NULL.
    columns: Vec<(String, String, bool)>,
    has_rowid: bool,
    /// The column that is an alias of the rowid.
    rowid_alias: Option<usize>,
    /// An integer column by which the table is sorted.
    key: Option<String>,
    insert: String,
}

impl Shape {
    fn of(db: &Connection, table: &str) -> Result<Shape> {
        let quoted = format!("\"{}\"", table.replace('"', "\"\""));
        let is_without: bool =
            db.query_row("SELECT wr FROM pragma_table_list WHERE name = ?1", [table], |row| row.get(0))?;
        let mut query = db.prepare(
            "SELECT name, type, \"notnull\" = 0 OR dflt_value IS NOT NULL, pk FROM pragma_table_info(?1)",
        )?;
        let rows = query.query_map([table], |row| {
            Ok((
                (row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, bool>(2)?),
                row.get::<_, u32>(3)?,
            ))
        })?;
        let rows = rows.collect::<std::result::Result<Vec<_>, _>>()?;
        let keys = rows.iter().filter(|(_, pk)| *pk > 0).count();
        let is_integer = |kind: &str| kind.eq_ignore_ascii_case("INTEGER");
        let first = rows.iter().position(|((_, kind, _), pk)| *pk == 1 && is_integer(kind));
        let rowid_alias = first.filter(|_| keys == 1 && !is_without);
        let key = match is_without {
            false => Some("rowid".to_owned()),
            true => first.map(|place| format!("\"{}\"", rows[place].0.0)),
        };
        let columns: Vec<_> = rows.into_iter().map(|(column, _)| column).collect();
        let names = columns.iter().map(|(name, ..)| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
        let places = (1..=columns.len()).map(|place| format!("?{place}")).collect::<Vec<_>>().join(", ");
        let insert = format!("INSERT OR IGNORE INTO {quoted} ({names}) VALUES ({places})");
        Ok(Shape { table: quoted, columns, has_rowid: !is_without, rowid_alias, key, insert })
    }

    /// Whether these can be the values of a row.
    fn fits(&self, values: &[Value]) -> bool {
        let fits = |(value, (_, kind, may_be_null)): (&Value, &(String, String, bool))| match value {
            Value::Null => *may_be_null,
            Value::Integer(_) => matches!(kind.as_str(), "INTEGER" | "INT" | "REAL" | "ANY"),
            Value::Real(_) => matches!(kind.as_str(), "REAL" | "ANY"),
            Value::Text(_) => matches!(kind.as_str(), "TEXT" | "ANY"),
            Value::Blob(_) => matches!(kind.as_str(), "BLOB" | "ANY"),
        };
        values.len() <= self.columns.len()
            && values.iter().zip(&self.columns).all(fits)
            && self.columns.iter().skip(values.len()).all(|(_, _, may_be_null)| *may_be_null)
    }

    /// Returns `false` if the row exists, or cannot belong to this table.
    fn insert(&self, into: &Connection, values: Vec<Value>) -> Result<bool> {
        let inserted = if values.len() == self.columns.len() {
            into.prepare_cached(&self.insert)?.execute(params_from_iter(values))
        } else {
            // Written before columns were added, which get their defaults.
            let names: Vec<_> =
                self.columns.iter().take(values.len()).map(|(name, ..)| format!("\"{name}\"")).collect();
            let places: Vec<_> = (1..=values.len()).map(|place| format!("?{place}")).collect();
            let insert = format!(
                "INSERT OR IGNORE INTO {} ({}) VALUES ({})",
                self.table,
                names.join(", "),
                places.join(", ")
            );
            into.prepare_cached(&insert)?.execute(params_from_iter(values))
        };
        match inserted.map_err(StoreError::from) {
            Ok(rows) => Ok(rows > 0),
            // It violates a type or a constraint.
            Err(StoreError::Sqlite(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Recovers what the table's tree still reaches.
fn along_the_tree(
    from: &Connection,
    into: &Connection,
    shape: &Shape,
    is_sound: &dyn Fn(&[Value]) -> bool,
    saved: &mut Saved,
) -> Result<()> {
    let names: Vec<_> = shape.columns.iter().map(|(name, ..)| format!("\"{name}\"")).collect();
    let (names, table) = (names.join(", "), &shape.table);
    let Some(key) = &shape.key else {
        let ends = |order: &str| -> String {
            let by: Vec<_> = (1..=shape.columns.len()).map(|place| format!("{place} {order}")).collect();
            format!("SELECT {names} FROM {table} ORDER BY {}", by.join(", "))
        };
        let mut forward = Reading { shape, into, is_sound, saved };
        if forward.read(from, &ends("ASC"), None).is_err() {
            forward.saved.is_damaged = true;
            // From the other end, up to the damage.
            let _ = forward.read(from, &ends("DESC"), None);
        }
        return Ok(());
    };
    let select = format!("SELECT {names}, {key} FROM {table} NOT INDEXED WHERE {key} >= ?1 ORDER BY {key}");
    let mut next = i64::MIN;
    loop {
        let mut reading = Reading { shape, into, is_sound, saved };
        match reading.read(from, &select, Some(next)) {
            Ok(_) => return Ok(()),
            Err(Broken { at, error }) if error.is_damage() => {
                saved.is_damaged = true;
                let failed = at.map_or(next.max(0), |at| at.saturating_add(1));
                match past_damage(from, &select, failed)? {
                    Some(sound) => next = sound,
                    None => return Ok(()),
                }
            }
            Err(Broken { error, .. }) => return Err(error),
        }
    }
}

/// Where reading stopped, and why.
struct Broken {
    /// The last key that was read.
    at: Option<i64>,
    error: StoreError,
}

struct Reading<'a> {
    shape: &'a Shape,
    into: &'a Connection,
    is_sound: &'a dyn Fn(&[Value]) -> bool,
    saved: &'a mut Saved,
}

impl Reading<'_> {
    fn read(
        &mut self,
        from: &Connection,
        select: &str,
        first: Option<i64>,
    ) -> std::result::Result<(), Broken> {
        let mut at = None;
        let broken = |at: Option<i64>| move |error: rusqlite::Error| Broken { at, error: error.into() };
        let mut query = from.prepare_cached(select).map_err(broken(at))?;
        let mut rows = query.query(params_from_iter(first)).map_err(broken(at))?;
        while let Some(row) = rows.next().map_err(broken(at))? {
            let width = self.shape.columns.len();
            // Invalid text or a truncated blob: only this row is lost.
            let values =
                (0..width).map(|place| row.get(place)).collect::<std::result::Result<Vec<Value>, _>>();
            if first.is_some() {
                at = Some(row.get(width).map_err(broken(at))?);
            }
            let Some(values) = values.ok().filter(|values| (self.is_sound)(values)) else {
                self.saved.is_damaged = true;
                continue;
            };
            match self.shape.insert(self.into, values) {
                Ok(is_new) => self.saved.rows += u64::from(is_new),
                Err(error) => return Err(Broken { at, error }),
            }
        }
        Ok(())
    }
}

/// The next key from which the table can be read again; `None` if there is none.
fn past_damage(from: &Connection, select: &str, failed: i64) -> Result<Option<i64>> {
    let mut query = from.prepare_cached(select)?;
    let mut works = |key: i64| -> bool {
        let mut rows = match query.query([key]) {
            Ok(rows) => rows,
            Err(_) => return false,
        };
        rows.next().is_ok()
    };
    let (mut key, mut step) = (failed, 1_i64);
    for tried in 0_u32.. {
        if works(key) {
            break;
        }
        if key == i64::MAX {
            return Ok(None);
        }
        step = if tried < MAX_SINGLE_STEPS { 1 } else { step.saturating_mul(2) };
        key = key.saturating_add(step);
    }
    let mut bad = key.saturating_sub(step).max(failed - 1);
    while key - bad > 1 {
        let middle = bad + (key - bad) / 2;
        if works(middle) { key = middle } else { bad = middle }
    }
    Ok(Some(key))
}
