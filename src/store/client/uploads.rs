//! Files that the person has added and that are not messages yet. Their content lies beside the database, in the worker's
//! folder of files.
//!
//! - `upload.draft`: the message, once the person has sent it; none: it waits beside the message field.

use rusqlite::{Connection, Row, params};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::super::error::StoreError;
use super::ClientStore;
use super::held::Job;
use crate::model::file::{FileId, FileInfo};
use crate::model::{ConnectionId, Draft, MessageId, RoomId};

/// The step of the schema.
pub(super) const STEP: &str = "
CREATE TABLE upload (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,
    file       BLOB NOT NULL UNIQUE,
    connection INTEGER NOT NULL,
    room       TEXT NOT NULL,
    thread     BLOB,
    info       TEXT NOT NULL,
    draft      TEXT
) STRICT;
";

/// A file that is not a message yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredUpload {
    /// By which connection it goes.
    pub connection: ConnectionId,
    /// Into which room.
    pub room: RoomId,
    /// Into which thread of it.
    pub thread: Option<MessageId>,
    /// What is told of it.
    pub info: FileInfo,
    /// Its message, once the person has sent it.
    pub draft: Option<Draft>,
}

impl ClientStore {
    /// All files that are not messages yet, in the order in which they were added.
    ///
    /// # Errors
    /// When the disk cannot be read.
    pub async fn uploads(&self) -> Result<Vec<StoredUpload>, StoreError> {
        self.read(all).await
    }

    /// Keeps a file that was added, or what became of it.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub async fn put_upload(&self, upload: StoredUpload) -> Result<(), StoreError> {
        self.at_once(move |db| put(db, &upload)).await
    }

    /// A file is a message now, or was given up.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub async fn remove_upload(&self, file: FileId) -> Result<(), StoreError> {
        self.at_once(move |db| {
            db.execute("DELETE FROM upload WHERE file = ?1", [file.0.as_bytes()])?;
            Ok(())
        })
        .await
    }

    /// Writes something that nothing else on the disk depends on. It is not held where the disk does not take it.
    async fn at_once(
        &self,
        write: impl FnOnce(&Connection) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<(), StoreError> {
        let (reply, written) = oneshot::channel();
        let job = Job::AtOnce(Box::new(move |db| {
            // The receiver may be gone.
            let _ = reply.send(db.ok_or(StoreError::Closed).and_then(write));
        }));
        let jobs = self.jobs().ok_or(StoreError::Closed)?;
        jobs.send(job).await.map_err(|_| StoreError::Closed)?;
        written.await.map_err(|_| StoreError::Closed)?
    }
}

fn put(db: &Connection, upload: &StoredUpload) -> Result<(), StoreError> {
    let json = |text: serde_json::Result<String>| text.map_err(|e| StoreError::Nonsense(e.to_string()));
    let draft = upload.draft.as_ref().map(|draft| json(serde_json::to_string(draft))).transpose()?;
    db.execute(
        "INSERT INTO upload (file, connection, room, thread, info, draft) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (file) DO UPDATE SET info = excluded.info, draft = excluded.draft",
        params![
            upload.info.id.0.as_bytes(),
            upload.connection.0.cast_signed(),
            upload.room.as_str(),
            upload.thread.map(|thread| *thread.0.as_bytes()),
            json(serde_json::to_string(&upload.info))?,
            draft,
        ],
    )?;
    Ok(())
}

fn all(db: &Connection) -> Result<Vec<StoredUpload>, StoreError> {
    let mut query = db.prepare("SELECT connection, room, thread, info, draft FROM upload ORDER BY number")?;
    let rows = query.query_map((), |row| Ok(read(row)))?;
    let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    // One that cannot be read is of a later version, and keeps its place.
    Ok(rows.into_iter().filter_map(|row| row.inspect_err(|e| log::warn!("an upload: {e}")).ok()).collect())
}

fn read(row: &Row<'_>) -> Result<StoredUpload, StoreError> {
    let nonsense = |error: String| StoreError::Nonsense(error);
    let json = |error: serde_json::Error| StoreError::Nonsense(error.to_string());
    let (connection, room): (i64, String) = (row.get(0)?, row.get(1)?);
    let (thread, info): (Option<[u8; 16]>, String) = (row.get(2)?, row.get(3)?);
    let draft: Option<String> = row.get(4)?;
    Ok(StoredUpload {
        connection: ConnectionId(connection.cast_unsigned()),
        room: RoomId::new(room).map_err(|error| nonsense(error.to_string()))?,
        thread: thread.map(|id| MessageId(Uuid::from_bytes(id))),
        info: serde_json::from_str(&info).map_err(json)?,
        draft: draft.map(|draft| serde_json::from_str(&draft).map_err(json)).transpose()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Content;
    use crate::model::file::FileHash;
    use crate::model::time::WallMs;

    #[tokio::test]
    async fn files_that_are_not_messages_yet_are_there_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let info = |n: u8| FileInfo {
            id: FileId::from_random([n; 16]),
            name: format!("{n}.png"),
            size: 5,
            sha256: FileHash([n; 32]),
            media_type: "image/png".to_owned(),
            width: Some(3),
            height: Some(4),
        };
        let upload = |n: u8| StoredUpload {
            connection: ConnectionId(u64::MAX - 1),
            room: RoomId::general(),
            thread: (n == 2).then(|| MessageId::from_random([9; 16])),
            info: info(n),
            draft: None,
        };
        let store = ClientStore::open(dir.path()).store;
        for n in [1, 2, 3] {
            store.put_upload(upload(n)).await.unwrap();
        }
        store.remove_upload(info(3).id).await.unwrap();
        let (id, content) = (MessageId::from_random([5; 16]), Content::text("Look").with_file(&info(1)));
        let draft = Draft { id, room: RoomId::general(), content, at: WallMs(7) };
        let sent = StoredUpload { draft: Some(draft), ..upload(1) };
        store.put_upload(sent.clone()).await.unwrap();
        drop(store);
        let store = ClientStore::open(dir.path()).store;
        assert_eq!(store.uploads().await.unwrap(), [sent, upload(2)]);
    }
}
