//! Checks, repairs and copies the readings' file from outside of the program that writes it.

use std::fs;
use std::path::Path;

use super::super::error::StoreError;
use super::super::inspect::{self, Findings};
use super::super::migrate::{self, Schema};
use super::super::salvage::Source;
use super::super::{files, hub::Repaired};
use super::schema::SCHEMA;
use super::{ReadingsStore, open};

impl ReadingsStore {
    /// Checks the file `name` in a directory, whether it is in use or not. A missing file is not a problem: the next
    /// start creates it. Blocks.
    pub fn check(dir: &Path, name: &str) -> Findings {
        let mut found = Findings::default();
        let path = dir.join(name);
        if !path.exists() {
            found.notes.push(format!("{name} is missing; the next start creates it"));
            return found;
        }
        if let Some(db) = inspect::database(&path, &SCHEMA, &mut found) {
            found.step(name, db.execute_batch("BEGIN").map_err(StoreError::from));
            found.step(name, open::load(&db, true).map(drop));
            match db.query_row("SELECT count(*) FROM device", (), |row| row.get::<_, i64>(0)) {
                Ok(devices) => found.notes.push(format!("{name}: {devices} devices")),
                Err(error) => found.problem(format!("{name}: {}", StoreError::from(error))),
            }
        }
        found
    }

    /// Recovers what can be read of the file `name` in a directory into a new one, and renames the old one. Only
    /// while nothing else uses it. If nothing can be recovered, the next start creates a new file. Blocks.
    ///
    /// # Errors
    /// If there is not enough space. The old file is unchanged then.
    pub fn repair(dir: &Path, name: &str) -> Result<Repaired, StoreError> {
        let path = dir.join(name);
        let part = files::beside(&path, ".repaired");
        if part.exists() {
            fs::remove_file(&part)?;
        }
        let saved = save(&path, &part);
        let lines = match saved {
            Ok(lines) => lines,
            Err(error) if error.is_damage() || matches!(error, StoreError::Nonsense(_)) => {
                let _ = fs::remove_file(&part);
                vec![format!("nothing can be recovered ({error}); the next start creates a new file")]
            }
            Err(error) => return Err(error.at(&path)),
        };
        let aside = files::set_aside(&path)?;
        if part.exists() {
            fs::rename(&part, &path)?;
        }
        files::sync_folder(&path)?;
        Ok(Repaired { lines, aside })
    }

    /// Makes a consistent copy of the file `name` in another directory, whether it is in use or not. Blocks.
    ///
    /// # Errors
    /// If the file is damaged or cannot be read, or there is not enough space. The error names the file.
    pub fn copy(dir: &Path, name: &str, to: &Path) -> Result<(), StoreError> {
        let path = dir.join(name);
        inspect::copy(&path, &SCHEMA, &to.join(name)).map_err(|error| error.at(&path))
    }
}

fn save(from: &Path, to: &Path) -> Result<Vec<String>, StoreError> {
    let source = Source::open(from)?;
    let mut schema = Schema { ..SCHEMA };
    if let Some(db) = source.db()
        && let Ok(version @ 1..) = migrate::check(db, &SCHEMA)
    {
        let version = usize::try_from(version).unwrap_or(usize::MAX);
        schema.steps = SCHEMA.steps.get(..version).unwrap_or(SCHEMA.steps);
    }
    let mut db = migrate::open(to, &schema)?;
    let saving = db.transaction()?;
    let mut names = saving.prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
    )?;
    let tables = names.query_map((), |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
    drop(names);
    // The initial row of a new file.
    saving.execute("DELETE FROM state", ())?;
    let mut lines = Vec::new();
    for table in tables {
        let saved = source.save(&saving, &table, &|_| true)?;
        let damaged = if saved.is_damaged { "; a part of it was damaged" } else { "" };
        if saved.rows > 0 || saved.is_damaged {
            lines.push(format!("{table}: {} rows saved{damaged}", saved.rows));
        }
    }
    saving.execute("INSERT OR IGNORE INTO state VALUES (0, 0, -9223372036854775808)", ())?;
    saving.execute("UPDATE state SET raw_bytes = (SELECT coalesce(sum(length(body)), 0) FROM chunk)", ())?;
    // Rows without a parent would never be found.
    for orphans in [
        "DELETE FROM series WHERE device NOT IN (SELECT id FROM device)",
        "DELETE FROM last WHERE series NOT IN (SELECT id FROM series)",
    ] {
        saving.execute(orphans, ())?;
    }
    saving.commit()?;
    open::load(&db, true)?;
    db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
    db.close().map_err(|(_, error)| error)?;
    fs::File::options().write(true).open(to)?.sync_all()?;
    Ok(lines)
}
