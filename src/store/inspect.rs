//! Inspects a database file that may be in use: its length, pages and tables. Reads only.

use std::fs;
use std::path::Path;

use rusqlite::Connection;

use super::error::StoreError;
use super::files;
use super::migrate::{self, Schema};

/// Maximum number of problems reported of one kind.
pub(super) const MAX_TOLD: usize = 20;

/// The result of inspecting a data directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// What is wrong.
    pub problems: Vec<String>,
    /// Remarks that are not problems.
    pub notes: Vec<String>,
}

impl Findings {
    /// Whether no problems were found.
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }

    pub(super) fn problem(&mut self, text: impl Into<String>) {
        self.problems.push(text.into());
    }

    /// Records the result of a step; a read error is a problem.
    pub(super) fn step(&mut self, name: &str, done: Result<(), StoreError>) {
        if let Err(error) = done {
            self.problem(format!("{name}: {error}"));
        }
    }
}

/// Inspects a file as a database of this schema. Returns a read-only connection, if that is possible.
pub(super) fn database(path: &Path, schema: &Schema, found: &mut Findings) -> Option<Connection> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if fs::metadata(path).map_or(0, |file| file.len()) == 0 {
        found.problem(format!("{name} is missing or empty"));
        return None;
    }
    found.step(&name, length(path));
    let opened = migrate::open_read_only(path).and_then(|db| Ok((migrate::check(&db, schema)?, db)));
    let (version, db) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            found.problem(format!("{name}: {error}"));
            return None;
        }
    };
    let pages = pages(&db, &name, found);
    found.step(&name, pages);
    if version == schema.version() {
        let tables = tables(&db, schema, &name, found);
        found.step(&name, tables);
    } else {
        found.notes.push(format!(
            "{name} has version {version}; the next start migrates it to {}",
            schema.version()
        ));
    }
    Some(db)
}

/// While another program writes, the file and its log may not match; only a lasting mismatch is a problem.
fn length(path: &Path) -> Result<(), StoreError> {
    const TRIES: usize = 4;
    let mut checked = files::check_length(path);
    for _ in 1..TRIES {
        if checked.is_ok() {
            break;
        }
        std::thread::park_timeout(std::time::Duration::from_millis(100));
        checked = files::check_length(path);
    }
    checked
}

/// Checks every page, index and reference.
fn pages(db: &Connection, name: &str, found: &mut Findings) -> Result<(), StoreError> {
    let mut query = db.prepare(&format!("PRAGMA integrity_check({MAX_TOLD})"))?;
    let mut rows = query.query(())?;
    while let Some(row) = rows.next()? {
        let line: String = row.get(0)?;
        if line != "ok" {
            found.problems.extend(line.lines().map(|line| format!("{name}: {}", line.trim())));
        }
    }
    let mut query =
        db.prepare("SELECT \"table\", parent, count(*) FROM pragma_foreign_key_check GROUP BY 1, 2")?;
    let mut rows = query.query(())?;
    while let Some(row) = rows.next()? {
        let (table, parent, count): (String, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        found.problem(format!("{name}: {count} rows of {table} refer to a missing {parent}"));
    }
    Ok(())
}

/// Checks that tables and indexes match the schema.
fn tables(db: &Connection, schema: &Schema, name: &str, found: &mut Findings) -> Result<(), StoreError> {
    let list = |db: &Connection| -> Result<Vec<(String, String)>, StoreError> {
        let mut query = db.prepare(
            "SELECT name, coalesce(sql, '') FROM sqlite_schema WHERE name NOT LIKE 'sqlite_stat%' ORDER BY name",
        )?;
        let rows = query.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    };
    let (found_there, expected) = (list(db)?, list(&migrate::open_memory(None, schema)?)?);
    for (table, sql) in &expected {
        match found_there.iter().find(|(other, _)| other == table) {
            None => found.problem(format!("{name}: {table} is missing")),
            Some((_, other)) if other != sql => {
                found.problem(format!("{name}: {table} has a different definition"))
            }
            Some(_) => {}
        }
    }
    for (table, _) in
        found_there.iter().filter(|(table, _)| !expected.iter().any(|(other, _)| other == table))
    {
        found.notes.push(format!("{name}: {table} does not belong to this program"));
    }
    Ok(())
}

/// Makes a consistent copy of a database that may be in use, at a path where nothing exists yet.
///
/// # Errors
/// If the database is damaged or cannot be read, or there is not enough space.
pub(super) fn copy(path: &Path, schema: &Schema, to: &Path) -> Result<(), StoreError> {
    let db = migrate::open_read_only(path)?;
    migrate::check(&db, schema)?;
    files::make_private(to)?;
    db.execute("VACUUM INTO ?1", [to.to_string_lossy()])?;
    fs::File::options().write(true).open(to)?.sync_all()?;
    Ok(())
}
