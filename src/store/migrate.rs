//! Opens a database file and migrates it to the current version, in numbered steps with a backup before the first
//! one. Files of a newer version or another program, and damaged ones, are refused unchanged.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::Duration;

use percent_encoding::{AsciiSet, CONTROLS, percent_encode, utf8_percent_encode};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::error::StoreError;
use super::files;

/// How long to wait for another process's write, such as `duplexctl invite` beside a running hub.
const BUSY: Duration = Duration::from_secs(5);
/// A larger write-ahead log is truncated to this size at the next checkpoint, in bytes.
const WAL_LIMIT: i64 = 32 * 1024 * 1024;
/// Maximum number of prepared statements cached by a connection.
const STATEMENTS: usize = 64;

/// The history of one database: step `n` migrates version `n` to `n + 1`. Steps are never edited, only added.
pub(super) struct Schema {
    /// Identifies the program that owns the file (`PRAGMA application_id`).
    pub application_id: i32,
    /// One SQL text per version.
    pub steps: &'static [&'static str],
    /// What a commit waits for.
    pub sync: Synchronous,
}

/// What a commit waits for (sqlite.org/pragma.html#pragma_synchronous).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Synchronous {
    /// The disk: committed data survives a power failure.
    Full,
    /// The operating system: the last commits may be lost in a power failure, but the file stays consistent. The
    /// writer checkpoints explicitly, so that a commit never waits for it.
    Normal,
}

impl Schema {
    pub(super) fn version(&self) -> i64 {
        i64::try_from(self.steps.len()).unwrap_or(i64::MAX)
    }
}

/// Opens a file for writing; creates and migrates it if needed.
pub(super) fn open(path: &Path, schema: &Schema) -> Result<Connection, StoreError> {
    files::make_private(path)?;
    let (mut db, version) = open_unchanged(path, schema)?;
    prepare(&db, schema)?;
    if 0 < version && version < schema.version() {
        back_up(&db, path, version)?;
    }
    migrate(&mut db, schema, version)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    Ok(db)
}

/// Opens an existing file of the current version for writing, while another process may be using it.
pub(super) fn open_beside(path: &Path, schema: &Schema) -> Result<Connection, StoreError> {
    let (db, version) = open_unchanged(path, schema)?;
    if version < schema.version() {
        return Err(StoreError::Older { found: version, needed: schema.version() });
    }
    prepare(&db, schema)?;
    Ok(db)
}

/// Opens a file for writing without changing it. Returns its version; 0 for an empty file.
pub(super) fn open_unchanged(path: &Path, schema: &Schema) -> Result<(Connection, i64), StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    // Closing must not write to the file until it is known to be ours.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    db.busy_timeout(BUSY)?;
    let version = check(&db, schema)?;
    if db.is_readonly("main")? {
        return Err(StoreError::Unwritable { detail: "it is read-only".to_owned() });
    }
    Ok((db, version))
}

/// Opens an empty in-memory database. Connections with the same name share it while one of them is open; without a
/// name it is private to the connection.
pub(super) fn open_memory(name: Option<&str>, schema: &Schema) -> Result<Connection, StoreError> {
    let mut db = match name {
        Some(name) => connect_memory(name)?,
        None => Connection::open_in_memory()?,
    };
    prepare(&db, schema)?;
    let version = check(&db, schema)?;
    migrate(&mut db, schema, version)?;
    Ok(db)
}

/// Connects to a shared in-memory database.
pub(super) fn connect_memory(name: &str) -> Result<Connection, StoreError> {
    let uri = format!("file:/{name}?vfs=memdb");
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(uri, flags)?;
    db.busy_timeout(BUSY)?;
    Ok(db)
}

/// Opens a file read-only. If not even the shared memory beside it can be created (a read-only disk), reads the last
/// checkpoint.
pub(super) fn open_read_only(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let usable = |db: Connection| -> Result<Connection, StoreError> {
        db.busy_timeout(BUSY)?;
        db.set_prepared_statement_cache_capacity(STATEMENTS);
        db.execute_batch(
            "PRAGMA cache_size = -1024; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;",
        )?;
        db.query_row("SELECT count(*) FROM sqlite_schema", (), |_| Ok(()))?;
        Ok(db)
    };
    match Connection::open_with_flags(path, flags).map_err(StoreError::from).and_then(usable) {
        Err(StoreError::Unwritable { .. }) => {
            let uri = format!("{}?immutable=1", uri(path));
            let db = Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_URI)?;
            usable(db)
        }
        other => other,
    }
}

/// A path as a SQLite URI (sqlite.org/uri.html §3.1).
fn uri(path: &Path) -> String {
    const SPECIAL: &AsciiSet = &CONTROLS.add(b'%').add(b'?').add(b'#');
    if cfg!(windows) {
        let path = path.to_string_lossy().replace('\\', "/");
        return format!("file:/{}", utf8_percent_encode(&path, SPECIAL));
    }
    format!("file:{}", percent_encode(path.as_os_str().as_encoded_bytes(), SPECIAL))
}

/// Moves the write-ahead log into the database and empties it, so that nothing of what was deleted is left there. Returns
/// whether it is empty: a reader may need it for a moment.
pub(super) fn empty_log(db: &Connection) -> Result<bool, StoreError> {
    let is_busy: i64 = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |row| row.get(0))?;
    Ok(is_busy == 0)
}

/// Checks the owner and returns the version of a database; 0 if it is empty. Writes nothing.
pub(super) fn check(db: &Connection, schema: &Schema) -> Result<i64, StoreError> {
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))?;
    let version: i64 = db.query_row("PRAGMA user_version", (), |row| row.get(0))?;
    let application: i32 = db.query_row("PRAGMA application_id", (), |row| row.get(0))?;
    if tables == 0 && version == 0 {
        return Ok(0);
    }
    if application != schema.application_id || version <= 0 {
        return Err(StoreError::Damaged { detail: "it is another program's database".to_owned() });
    }
    if version > schema.version() {
        return Err(StoreError::Newer { found: version, known: schema.version() });
    }
    Ok(version)
}

fn prepare(db: &Connection, schema: &Schema) -> Result<(), StoreError> {
    db.set_prepared_statement_cache_capacity(STATEMENTS);
    db.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA foreign_keys = ON;
         PRAGMA trusted_schema = OFF;
         PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -2048;
         PRAGMA secure_delete = ON;",
    )?;
    db.pragma_update(None, "journal_size_limit", WAL_LIMIT)?;
    match schema.sync {
        Synchronous::Full => db.pragma_update(None, "synchronous", "FULL")?,
        Synchronous::Normal => {
            db.execute_batch("PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0;")?;
        }
    }
    Ok(())
}

/// Each step and its version number are one transaction: a crash in between leaves a valid earlier version.
fn migrate(db: &mut Connection, schema: &Schema, from: i64) -> Result<(), StoreError> {
    for (version, step) in (1..).zip(schema.steps) {
        if version <= from {
            continue;
        }
        let step_of = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        step_of.execute_batch(step)?;
        step_of.pragma_update(None, "application_id", schema.application_id)?;
        step_of.pragma_update(None, "user_version", version)?;
        step_of.commit()?;
    }
    Ok(())
}

/// Keeps a copy as `NAME.before-vN`, complete and on disk before anything changes.
fn back_up(db: &Connection, path: &Path, version: i64) -> Result<(), StoreError> {
    let target = files::beside(path, &format!(".before-v{}", version + 1));
    let part = files::beside(&target, ".part");
    if part.exists() {
        fs::remove_file(&part)?;
    }
    files::make_private(&part)?;
    db.execute("VACUUM INTO ?1", [part.to_string_lossy()])?;
    File::options().write(true).open(&part)?.sync_all()?;
    fs::rename(&part, &target)?;
    Ok(())
}

/// Removes the copies that earlier versions of this file were kept in: a message that was deleted is in them. Returns how many
/// there were.
pub(super) fn remove_backups(path: &Path, schema: &Schema) -> usize {
    let backups =
        (2..=schema.version() + 1).map(|version| files::beside(path, &format!(".before-v{version}")));
    let removed = backups.filter(|backup| match fs::remove_file(backup) {
        Ok(()) => {
            log::info!("{} is removed, since a message in it was deleted", backup.display());
            true
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => {
            log::warn!(
                "{} may hold a message that was deleted, and cannot be removed: {error}",
                backup.display()
            );
            false
        }
    });
    removed.count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Schema = Schema { application_id: 7, steps: &["CREATE TABLE a (x)"], sync: Synchronous::Full };
    const TWO: Schema = Schema { steps: &["CREATE TABLE a (x)", "ALTER TABLE a ADD y DEFAULT 2"], ..ONE };

    #[test]
    fn an_older_file_is_backed_up_and_migrated() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.db");
        open(&path, &ONE).unwrap().execute("INSERT INTO a VALUES (1)", ()).unwrap();
        let db = open(&path, &TWO).unwrap();
        let sum: i64 = db.query_row("SELECT x + y FROM a", (), |row| row.get(0)).unwrap();
        assert_eq!(sum, 3);
        let old = open(&dir.path().join("t.db.before-v2"), &ONE).unwrap();
        assert_eq!(old.query_row("SELECT x FROM a", (), |row| row.get::<_, i64>(0)).unwrap(), 1);
        assert!(!dir.path().join("t.db.before-v2.part").exists());
    }

    #[test]
    fn a_newer_version_is_refused_unchanged_even_with_a_log() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.db");
        drop(open(&path, &ONE).unwrap());
        let newer = open(&path, &TWO).unwrap();
        newer.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
        drop(newer);
        let wal = files::beside(&path, "-wal");
        let before = (fs::read(&path).unwrap(), fs::read(&wal).unwrap());
        let refused = open(&path, &ONE).map(|_| ());
        assert!(matches!(refused, Err(StoreError::Newer { found: 2, known: 1 })), "{refused:?}");
        assert_eq!((fs::read(&path).unwrap(), fs::read(&wal).unwrap()), before);
    }

    #[test]
    fn other_files_are_reported_as_damaged() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.db");
        fs::write(&path, b"this is a letter, not a database, and it is long enough to look like one")
            .unwrap();
        assert!(open(&path, &ONE).is_err_and(|error| error.is_damage()));
        let other = dir.path().join("other.db");
        drop(open(&other, &Schema { application_id: 8, ..ONE }).unwrap());
        assert!(open(&other, &ONE).is_err_and(|error| error.is_damage()));
    }

    #[test]
    fn a_file_on_a_read_only_disk_can_be_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a #1?.db");
        open(&path, &ONE).unwrap().execute("INSERT INTO a VALUES (5)", ()).unwrap();
        // The fallback of `open_read_only` if no file can be created beside it.
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        let immutable = Connection::open_with_flags(format!("{}?immutable=1", uri(&path)), flags).unwrap();
        assert_eq!(immutable.query_row("SELECT x FROM a", (), |row| row.get::<_, i64>(0)).unwrap(), 5);
        let reader = open_read_only(&path).unwrap();
        assert_eq!(reader.query_row("SELECT x FROM a", (), |row| row.get::<_, i64>(0)).unwrap(), 5);
        assert!(StoreError::from(reader.execute("DELETE FROM a", ()).unwrap_err()).is_retryable());
    }

    #[cfg(unix)]
    #[test]
    fn databases_are_private() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.db");
        let _db = open(&path, &ONE).unwrap();
        for suffix in ["", "-wal", "-shm"] {
            let mode = fs::metadata(files::beside(&path, suffix)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{suffix}");
        }
    }
}
