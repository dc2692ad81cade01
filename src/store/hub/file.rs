//! Files of messages: who uploaded what, how much of it is there, and which message it belongs to. Their content lies beside
//! the database, in the hub's `file` module; what is to be removed there is in `file_trash` until it is.
//!
//! - `file.received`: bytes of the content that are safely on disk.
//! - `file.complete`: all of it is there, and its SHA-256 is right.
//! - `file.entry`: the offset of its message; none before that is written. A file belongs to one message.
//! - `file.gone`: the content was removed because of its age.

use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use super::super::error::{StoreError, int, unsigned};
use super::{HubStore, HubStoreError, read};
use crate::model::file::{FileHash, FileId};
use crate::model::time::WallMs;
use crate::model::{Content, Offset, PrincipalId, RoomId, Sender};

type Result<T> = std::result::Result<T, StoreError>;

/// Uploads of one person that are not the file of a message yet.
pub const MAX_OPEN_UPLOADS: u32 = 64;
/// What a file counts at least, in bytes.
const MIN_COUNTED_BYTES: i64 = 4_096;
/// Files that one step of the expiry takes.
const STEP_FILES: u32 = 256;

/// The step of the schema.
pub(super) const STEP: &str = "
CREATE TABLE file (
    id        BLOB PRIMARY KEY,
    principal TEXT NOT NULL,
    sha256    BLOB NOT NULL,
    size      INTEGER NOT NULL,
    received  INTEGER NOT NULL,
    touched   INTEGER NOT NULL,
    complete  INTEGER NOT NULL,
    entry     INTEGER,
    gone      INTEGER NOT NULL
) STRICT;
CREATE INDEX file_sha256 ON file (sha256);
CREATE INDEX file_principal ON file (principal);
CREATE INDEX file_entry ON file (entry) WHERE entry IS NOT NULL;
CREATE INDEX file_touched ON file (touched);

CREATE TABLE file_trash (
    id     BLOB NOT NULL,
    sha256 BLOB NOT NULL
) STRICT;
CREATE TRIGGER file_deleted AFTER DELETE ON file BEGIN
    INSERT INTO file_trash (id, sha256) VALUES (old.id, old.sha256);
END;
";

/// What is kept in files at most; 0 is no limit.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct FileQuotas {
    /// Size of one file, in bytes.
    pub file_bytes: u64,
    /// Bytes of all files of one person.
    pub bytes_per_person: u64,
    /// Bytes of all files. What several people sent counts once.
    pub bytes: u64,
    /// Files of messages older than this lose their content, in milliseconds.
    pub keep_ms: i64,
    /// An upload that is not the file of a message after this long without a part is removed, in milliseconds.
    pub unfinished_ms: i64,
}

/// A file as the hub knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFile {
    /// Its id.
    pub id: FileId,
    /// Who uploads it.
    pub owner: PrincipalId,
    /// The SHA-256 that its owner told. Checked once it is complete.
    pub sha256: FileHash,
    /// Its size, in bytes.
    pub size: u64,
    /// Bytes that are safely on disk.
    pub received: u64,
    /// Whether all of it is there, and right.
    pub complete: bool,
    /// Whether its content was removed because of its age.
    pub gone: bool,
    /// The room of the message that it belongs to.
    pub room: Option<RoomId>,
    /// Its name, as that message tells it.
    pub name: Option<String>,
}

/// A file that is to be uploaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFile {
    /// Its id.
    pub id: FileId,
    /// Who uploads it.
    pub owner: PrincipalId,
    /// The SHA-256 of its content.
    pub sha256: FileHash,
    /// Its size, in bytes.
    pub size: u64,
}

/// Whether an upload may go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upload {
    /// It may.
    Ready(StoredFile),
    /// The id is that of another person's file, or of this person's with another size or checksum.
    Taken,
    /// The file is larger than one may be.
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// This person has as many open uploads as there may be.
    TooMany {
        /// The limit.
        limit: u64,
    },
    /// The files of this person would take more than they may.
    OverQuota {
        /// The limit, in bytes.
        limit: u64,
    },
    /// All files together would take more than they may.
    Full {
        /// The limit, in bytes.
        limit: u64,
    },
}

/// Content that no file needs any more, unless another file has the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trash {
    row: i64,
    /// The file that it was of.
    pub id: FileId,
    /// Its SHA-256.
    pub sha256: FileHash,
    /// Whether another file has the same content.
    pub is_needed: bool,
}

impl HubStore {
    /// A file.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn file(&self, id: FileId) -> Result<Option<StoredFile>> {
        self.read_with(move |db| find(db, id)).await
    }

    /// Begins an upload, or finds the one that goes on.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn begin_upload(
        &self,
        new: NewFile,
        quotas: FileQuotas,
        now: WallMs,
    ) -> std::result::Result<Upload, HubStoreError> {
        self.write(move |db| begin(db, &new, &quotas, now)).await
    }

    /// So many bytes of an upload are safely on disk.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn upload_received(&self, id: FileId, received: u64, now: WallMs) -> Result<()> {
        self.write(move |db| {
            db.prepare_cached("UPDATE file SET received = ?2, touched = ?3 WHERE id = ?1 AND complete = 0")?
                .execute(params![key(id), int(received)?, now])?;
            Ok(())
        })
        .await
    }

    /// An upload is complete, and its checksum is right. Returns whether it is still wanted.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn upload_complete(&self, id: FileId, now: WallMs) -> Result<bool> {
        self.write(move |db| {
            let mut set = db.prepare_cached("UPDATE file SET complete = 1, touched = ?2 WHERE id = ?1")?;
            Ok(set.execute(params![key(id), now])? > 0)
        })
        .await
    }

    /// Removes a file that belongs to no message, if it is this person's. Returns whether there was one.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn remove_upload(&self, id: FileId, owner: PrincipalId) -> Result<bool> {
        self.write(move |db| {
            let mut remove =
                db.prepare_cached("DELETE FROM file WHERE id = ?1 AND principal = ?2 AND entry IS NULL")?;
            Ok(remove.execute(params![key(id), owner.0])? > 0)
        })
        .await
    }

    /// Lets go of files by their age, a step at a time. Returns whether there may be more.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn expire_files(&self, quotas: FileQuotas, now: WallMs) -> Result<bool> {
        if !self.read_with(move |db| has_expired(db, &quotas, now)).await? {
            return Ok(false);
        }
        self.write(move |db| expire(db, &quotas, now)).await
    }

    /// Content to be removed from the disk.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn file_trash(&self) -> Result<Vec<Trash>> {
        self.read_with(trash).await
    }

    /// This was removed from the disk.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn trash_removed(&self, removed: Vec<Trash>) -> Result<()> {
        self.write(move |db| {
            let mut remove = db.prepare_cached("DELETE FROM file_trash WHERE rowid = ?1")?;
            removed.iter().try_for_each(|trash| remove.execute([trash.row]).map(drop))?;
            Ok(())
        })
        .await
    }
}

fn key(id: FileId) -> [u8; 16] {
    *id.0.as_bytes()
}

fn id_of(row: &Row<'_>, column: usize) -> rusqlite::Result<FileId> {
    Ok(FileId(Uuid::from_bytes(row.get(column)?)))
}

fn find(db: &Connection, id: FileId) -> Result<Option<StoredFile>> {
    let mut query = db.prepare_cached(
        "SELECT file.id, file.principal, sha256, size, file.received, complete, gone, uid,
                iif(json_valid(extra), json_extract(extra, '$.file.name'), NULL)
         FROM file LEFT JOIN entry ON entry.offset = file.entry LEFT JOIN room ON room.id = entry.room
         WHERE file.id = ?1",
    )?;
    let found = query
        .query_row([key(id)], |row| {
            let room: Option<String> = row.get(7)?;
            let file = StoredFile {
                id: id_of(row, 0)?,
                owner: PrincipalId(row.get(1)?),
                sha256: FileHash(row.get(2)?),
                size: unsigned(row.get(3)?),
                received: unsigned(row.get(4)?),
                complete: row.get(5)?,
                gone: row.get(6)?,
                room: None,
                name: row.get(8)?,
            };
            Ok((file, room))
        })
        .optional()?;
    let Some((file, room)) = found else { return Ok(None) };
    Ok(Some(StoredFile { room: room.map(read::room_uid).transpose()?, ..file }))
}

fn begin(db: &Connection, new: &NewFile, quotas: &FileQuotas, now: WallMs) -> Result<Upload> {
    if let Some(file) = find(db, new.id)? {
        let is_same = file.owner == new.owner && file.sha256 == new.sha256 && file.size == new.size;
        return Ok(if is_same { Upload::Ready(file) } else { Upload::Taken });
    }
    let beyond = |limit: u64, bytes: u64| limit > 0 && bytes > limit;
    if beyond(quotas.file_bytes, new.size) {
        return Ok(Upload::TooLarge { limit: quotas.file_bytes });
    }
    let mut query = db.prepare_cached(
        "SELECT count(*) FILTER (WHERE entry IS NULL), coalesce(sum(max(size, ?2)), 0)
         FROM file WHERE principal = ?1 AND gone = 0",
    )?;
    let (open, own): (i64, i64) =
        query.query_row(params![new.owner.0, MIN_COUNTED_BYTES], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if open >= i64::from(MAX_OPEN_UPLOADS) {
        return Ok(Upload::TooMany { limit: MAX_OPEN_UPLOADS.into() });
    }
    let counted = new.size.max(unsigned(MIN_COUNTED_BYTES));
    if beyond(quotas.bytes_per_person, unsigned(own).saturating_add(counted)) {
        return Ok(Upload::OverQuota { limit: quotas.bytes_per_person });
    }
    if quotas.bytes > 0 && beyond(quotas.bytes, used_bytes(db)?.saturating_add(counted)) {
        return Ok(Upload::Full { limit: quotas.bytes });
    }
    db.prepare_cached(
        "INSERT INTO file (id, principal, sha256, size, received, touched, complete, gone)
         VALUES (?1, ?2, ?3, ?4, 0, ?5, 0, 0)",
    )?
    .execute(params![key(new.id), new.owner.0, new.sha256.0, int(new.size)?, now])?;
    let NewFile { id, owner, sha256, size } = new.clone();
    let (received, complete, gone, room, name) = (0, false, false, None, None);
    Ok(Upload::Ready(StoredFile { id, owner, sha256, size, received, complete, gone, room, name }))
}

/// Bytes of all files. The same content counts once, each upload under way by itself.
fn used_bytes(db: &Connection) -> Result<u64> {
    let mut query = db.prepare_cached(
        "SELECT coalesce(sum(bytes), 0) FROM (SELECT max(size, ?1) AS bytes FROM file WHERE gone = 0
         GROUP BY CASE complete WHEN 1 THEN sha256 ELSE id END)",
    )?;
    Ok(unsigned(query.query_row([MIN_COUNTED_BYTES], |row| row.get(0))?))
}

/// Whether a message's file is there for it: uploaded by its sender, complete, as the message describes it, and of no
/// other message.
pub(super) fn is_there(db: &Connection, content: &Content, sender: &Sender) -> Result<bool> {
    if !content.names_file() {
        return Ok(true);
    }
    let Some(told) = content.file() else { return Ok(false) };
    let mut query = db.prepare_cached(
        "SELECT 1 FROM file WHERE id = ?1 AND principal = ?2 AND sha256 = ?3 AND size = ?4
         AND complete = 1 AND gone = 0 AND entry IS NULL",
    )?;
    Ok(query.exists(params![key(told.id), sender.id.0, told.sha256.0, int(told.size)?])?)
}

/// The message of a file was written.
pub(super) fn attach(db: &Connection, content: &Content, offset: Offset, received: WallMs) -> Result<()> {
    if let Some(file) = content.file() {
        db.prepare_cached("UPDATE file SET entry = ?2, touched = ?3 WHERE id = ?1")?.execute(params![
            key(file.id),
            int(offset)?,
            received
        ])?;
    }
    Ok(())
}

/// The message at this offset was deleted.
pub(super) fn message_deleted(db: &Connection, at: i64) -> Result<()> {
    db.prepare_cached("DELETE FROM file WHERE entry = ?1")?.execute([at])?;
    Ok(())
}

/// Entries up to this offset were let go of.
pub(super) fn let_go(db: &Connection, last: i64) -> Result<()> {
    db.prepare_cached("DELETE FROM file WHERE entry <= ?1")?.execute([last])?;
    Ok(())
}

const UNFINISHED: &str = "entry IS NULL AND touched < ?1";
const OLD: &str = "entry IS NOT NULL AND gone = 0 AND touched < ?1";

/// Before when a file must have been touched last to go: an unfinished one, and that of a message.
fn ends(quotas: &FileQuotas, now: WallMs) -> (WallMs, WallMs) {
    let before = |ms: i64| if ms > 0 { now.before(ms) } else { WallMs::MIN };
    (before(quotas.unfinished_ms), before(quotas.keep_ms))
}

fn has_expired(db: &Connection, quotas: &FileQuotas, now: WallMs) -> Result<bool> {
    let (unfinished, old) = ends(quotas, now);
    let exists = |which: &str, before: WallMs| -> Result<bool> {
        Ok(db.prepare_cached(&format!("SELECT 1 FROM file WHERE {which} LIMIT 1"))?.exists([before])?)
    };
    Ok(exists(UNFINISHED, unfinished)? || exists(OLD, old)?)
}

fn expire(db: &Connection, quotas: &FileQuotas, now: WallMs) -> Result<bool> {
    let (unfinished, old) = ends(quotas, now);
    let some = |which: &str| format!("rowid IN (SELECT rowid FROM file WHERE {which} LIMIT {STEP_FILES})");
    let removed =
        db.prepare_cached(&format!("DELETE FROM file WHERE {}", some(UNFINISHED)))?.execute([unfinished])?;
    db.prepare_cached(&format!(
        "INSERT INTO file_trash (id, sha256) SELECT id, sha256 FROM file WHERE {}",
        some(OLD)
    ))?
    .execute([old])?;
    let aged = db.prepare_cached(&format!("UPDATE file SET gone = 1 WHERE {}", some(OLD)))?.execute([old])?;
    Ok(removed.max(aged) >= STEP_FILES as usize)
}

fn trash(db: &Connection) -> Result<Vec<Trash>> {
    let mut query = db.prepare_cached(
        "SELECT rowid, id, sha256,
                EXISTS (SELECT 1 FROM file WHERE file.sha256 = file_trash.sha256 AND complete = 1 AND gone = 0)
         FROM file_trash LIMIT ?1",
    )?;
    let rows = query.query_map([STEP_FILES], |row| {
        Ok(Trash {
            row: row.get(0)?,
            id: id_of(row, 1)?,
            sha256: FileHash(row.get(2)?),
            is_needed: row.get(3)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Finds anew which messages of a repaired log the files belong to.
pub(super) fn rebuild(db: &Connection) -> Result<()> {
    db.execute("UPDATE file SET entry = NULL", ())?;
    let mut query = db.prepare(
        "SELECT offset, principal, json_extract(extra, '$.file.id') FROM entry
         WHERE kind = 'message' AND json_valid(extra) AND json_extract(extra, '$.file.id') IS NOT NULL",
    )?;
    let mut rows = query.query(())?;
    let mut set = db.prepare(
        "UPDATE file SET entry = ?3 WHERE id = ?1 AND principal = ?2 AND entry IS NULL AND complete = 1",
    )?;
    while let Some(row) = rows.next()? {
        let (offset, principal): (i64, String) = (row.get(0)?, row.get(1)?);
        let id: rusqlite::Result<String> = row.get(2);
        if let Some(id) = id.ok().and_then(|id| id.parse::<FileId>().ok()) {
            set.execute(params![key(id), principal, offset])?;
        }
    }
    Ok(())
}

/// The content that must be on disk: SHA-256 and size.
pub(super) fn contents(db: &Connection) -> Result<Vec<(FileHash, FileId, u64)>> {
    let mut query = db.prepare(
        "SELECT sha256, id, size FROM file WHERE complete = 1 AND gone = 0 GROUP BY sha256 ORDER BY sha256",
    )?;
    let rows =
        query.query_map((), |row| Ok((FileHash(row.get(0)?), id_of(row, 1)?, unsigned(row.get(2)?))))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
