//! Files on their way out: copied, kept, sent in their order, made messages.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest as _, Sha256};
use tokio::task::spawn_blocking;

use super::super::driver::{Driver, TaskResult};
use super::super::file_transfer::copy_in;
use super::super::pictures;
use super::{FileResult, OUT, Outgoing, Pending, Place, expect_room, make_folder, remove, retried};
use crate::clock;
use crate::link::durable::Input;
use crate::model::content::{Content, Draft};
use crate::model::event::Update;
use crate::model::file::{self, FileHash, FileId, FileInfo, MAX_NAME_BYTES, file_body};
use crate::model::files::{FileTrouble, FileUpdate, MAX_PENDING, PendingFile, Stage};
use crate::model::intent::FileSource;
use crate::model::{ConnectionId, MessageId};
use crate::settings::private_file;
use crate::store::client::uploads::StoredUpload;

impl Driver {
    /// Adds a file: it is copied, so that what becomes of the original does not matter.
    pub(super) fn add_file(&mut self, (connection, room, thread): Place, source: FileSource) {
        let id = clock::random().map(FileId::from_random);
        let Ok(id) = id else { return };
        let name = name_of(&source);
        let media_type = file::media_type(&name).to_owned();
        let info =
            FileInfo { id, name, size: 0, sha256: FileHash([0; 32]), media_type, width: None, height: None };
        let file = PendingFile { info: info.clone(), room: room.clone(), thread, stage: Stage::Copying };
        if self.files.pending.len() >= MAX_PENDING {
            let file = PendingFile { stage: Stage::Failed(FileTrouble::TooMany), ..file };
            return self.show_file(FileUpdate::Pending(connection, file));
        }
        let (to, dir, store) = (self.files.out(id), self.files.dir.join(OUT), self.store.clone());
        let copying = self.file_task(async move {
            let copied = spawn_blocking(move || {
                make_folder(&dir)?;
                if let FileSource::Path(path) = &source {
                    // Where it cannot be read, copying will tell.
                    expect_room(&dir, fs::metadata(path).map_or(0, |file| file.len()))?;
                }
                copy(source, &to, info)
            });
            let copied = copied.await.unwrap_or_else(|e| Err(FileTrouble::Disk { detail: e.to_string() }));
            let stored = async {
                let stored = StoredUpload { connection, room, thread, info: copied?, draft: None };
                let kept = store.put_upload(stored.clone()).await;
                kept.map_err(|error| FileTrouble::Disk { detail: error.to_string() })?;
                Ok(Box::new(stored))
            };
            FileResult::Copied(id, stored.await)
        });
        let pending = Pending { connection, file, outgoing: None, stored: None, copying: Some(copying) };
        self.files.pending.push(pending);
        self.show_pending(id);
    }

    pub(super) fn copied(&mut self, id: FileId, copied: Result<Box<StoredUpload>, FileTrouble>) {
        let path = self.files.out(id);
        let Some(pending) = self.pending_mut(id) else {
            // It was given up meanwhile.
            return self.drop_copy(id);
        };
        pending.copying = None;
        match copied {
            Ok(stored) => {
                pending.file.info.clone_from(&stored.info);
                pending.stored = Some(*stored);
                pending.file.stage = Stage::Attached;
                let is_sent = pending.outgoing.is_some();
                self.show_pending(id);
                if is_sent {
                    self.release(id);
                }
            }
            Err(trouble) => {
                remove(&path);
                self.set_stage(id, Stage::Failed(trouble));
            }
        }
    }

    /// Sends all files that were added to a place. The first one bears the words.
    pub(super) fn send_files(&mut self, place: Place, text: String, reply_to: Option<MessageId>) {
        let is_meant = |pending: &&mut Pending| {
            let PendingFile { room, thread, stage, .. } = &pending.file;
            (pending.connection, room, *thread) == (place.0, &place.1, place.2)
                && matches!(stage, Stage::Attached | Stage::Copying)
                && pending.outgoing.is_none()
        };
        let mut text = Some(text);
        let mut sent = Vec::new();
        for pending in self.files.pending.iter_mut().filter(is_meant) {
            let Ok(id) = clock::random().map(MessageId::from_random) else { return };
            let text = text.take().unwrap_or_default();
            pending.outgoing = Some(Outgoing { id, at: clock::now().wall_ms, text, reply_to });
            sent.push(pending.file.info.id);
        }
        sent.into_iter().for_each(|id| self.release(id));
    }

    /// Notes the message of a file on the disk, once the file is copied; then it is uploaded in its turn.
    fn release(&mut self, id: FileId) {
        let Some(pending) = self.pending_mut(id) else { return };
        let (Some(stored), Some(outgoing)) = (&mut pending.stored, &pending.outgoing) else { return };
        stored.draft = Some(draft(stored, outgoing));
        pending.file.stage = Stage::Waiting(None);
        let (stored, store) = (stored.clone(), self.store.clone());
        self.show_pending(id);
        self.file_task(async move {
            if let Err(error) = store.put_upload(stored).await {
                log::error!("a file that waits to be sent is not noted: {error}");
            }
            FileResult::Released(id)
        });
    }

    /// Uploads the next file of a connection, unless one is under way.
    pub(super) fn start_upload(&mut self, connection: ConnectionId) {
        let is_wanted = self.slots.get(&connection).is_some_and(|slot| slot.wanted);
        if !is_wanted || self.files.running.contains_key(&connection) {
            return;
        }
        let servers = self.file_servers(connection);
        let is_next = |pending: &&Pending| {
            pending.connection == connection
                && pending.stored.as_ref().is_some_and(|stored| stored.draft.is_some())
                && matches!(pending.file.stage, Stage::Waiting(_) | Stage::Uploading(_))
        };
        let Some(next) = self.files.pending.iter().find(is_next).filter(|_| !servers.is_empty()) else {
            return;
        };
        let (info, done) = (next.file.info.clone(), self.done.clone());
        let (path, now, id) = (self.files.out(info.id), Arc::clone(&self.files.retry_now), info.id);
        let task = self.file_task(async move {
            let reached = AtomicU64::new(0);
            // What does not fit into the queue is overtaken by what follows.
            let tell = |result| _ = done.try_send(TaskResult::File(result));
            let told = |bytes| {
                reached.fetch_max(bytes, Ordering::Relaxed);
                tell(FileResult::Progress(id, bytes));
            };
            let uploaded = retried(
                &servers,
                None,
                &now,
                || reached.load(Ordering::Relaxed),
                |why| tell(FileResult::Waits(id, why)),
                async |server| server.upload(&path, &info, &told).await,
            );
            FileResult::Uploaded(id, uploaded.await)
        });
        self.files.running.insert(connection, (id, task));
    }

    /// The person wants no connection to this server.
    pub(super) fn stop_upload(&mut self, connection: ConnectionId) {
        if let Some((id, task)) = self.files.running.remove(&connection) {
            task.abort();
            self.set_stage(id, Stage::Waiting(None));
        }
    }

    pub(super) fn uploaded(&mut self, id: FileId, uploaded: Result<(), FileTrouble>) {
        let Some(pending) = self.pending(id) else { return };
        let (connection, draft) = (pending.connection, pending.stored.as_ref().and_then(|s| s.draft.clone()));
        self.files.running.remove(&connection);
        match (uploaded, draft) {
            (Ok(()), Some(draft)) => {
                self.set_stage(id, Stage::Sending);
                // From here on it is a message like any other. Only when that is on the disk is the file's row let go.
                self.tell(connection, Input::Send(draft));
            }
            (Ok(()), None) => {}
            (Err(trouble), _) => self.set_stage(id, Stage::Failed(trouble)),
        }
        self.start_upload(connection);
    }

    /// The message of a file is in the outbox: the file is one of the cache now.
    pub(in crate::worker) fn message_queued(&mut self, message: MessageId) {
        let is_its = |pending: &Pending| {
            matches!(pending.file.stage, Stage::Sending)
                && pending.outgoing.as_ref().is_some_and(|outgoing| outgoing.id == message)
        };
        let Some(place) = self.files.pending.iter().position(is_its) else { return };
        let Pending { connection, file, .. } = self.files.pending.remove(place);
        let info = file.info;
        let (from, to, store) = (self.files.out(info.id), self.files.cached(info.sha256), self.store.clone());
        self.show_file(FileUpdate::PendingOver(connection, info.id));
        tokio::spawn(async move {
            if let Err(error) = store.remove_upload(info.id).await {
                // It is sent once more after the next start, with the same id: the server knows it.
                return log::warn!("a file that was sent is still noted: {error}");
            }
            let moved = spawn_blocking(move || {
                to.parent().map_or(Ok(()), private_file::create_dir)?;
                fs::rename(from, to)
            });
            if let Ok(Err(error)) = moved.await {
                log::warn!("a file that was sent cannot be kept: {error}");
            }
        });
    }

    pub(super) fn cancel_file(&mut self, connection: ConnectionId, file: FileId) {
        let has_begun = self.pending(file).is_some_and(|pending| {
            matches!(pending.file.stage, Stage::Uploading(_) | Stage::Waiting(Some(_)) | Stage::Failed(_))
        });
        if has_begun && let Some(server) = self.file_servers(connection).into_iter().next() {
            tokio::spawn(async move {
                if let Err(error) = server.cancel_upload(file).await {
                    // It goes there by itself after some days.
                    log::debug!("an upload is not given up at the server: {error}");
                }
            });
        }
        if self.pending(file).is_none() {
            // It never was more than a line.
            self.show_file(FileUpdate::PendingOver(connection, file));
        }
        self.give_up(file);
        self.start_upload(connection);
    }

    /// Removes a file that is not a message yet.
    pub(super) fn give_up(&mut self, id: FileId) {
        let Some(place) = self.files.pending.iter().position(|pending| pending.file.info.id == id) else {
            return;
        };
        let Pending { connection, copying, .. } = self.files.pending.remove(place);
        if let Some(copying) = copying {
            copying.abort();
        }
        if let Some((_, task)) = self.files.running.get(&connection).filter(|(running, _)| *running == id) {
            task.abort();
            self.files.running.remove(&connection);
        }
        self.update(Update::File(FileUpdate::PendingOver(connection, id)));
        self.drop_copy(id);
    }

    fn drop_copy(&self, id: FileId) {
        let (path, store) = (self.files.out(id), self.store.clone());
        tokio::spawn(async move {
            if let Err(error) = store.remove_upload(id).await {
                log::warn!("a file that was given up is still noted: {error}");
            }
            // The receiver of nothing.
            let _ = spawn_blocking(move || remove(&path)).await;
        });
    }

    pub(super) fn retry_file(&mut self, connection: ConnectionId, file: FileId) {
        let is_stored = self.pending(file).is_some_and(|pending| pending.stored.is_some());
        if is_stored {
            self.set_stage(file, Stage::Waiting(None));
            self.start_upload(connection);
        }
        self.files.retry_now.notify_waiters();
    }
}

/// The message of a file.
fn draft(stored: &StoredUpload, outgoing: &Outgoing) -> Draft {
    let info = &stored.info;
    let body = match outgoing.text.trim() {
        "" => file_body(&info.name, info.size),
        _ => outgoing.text.clone(),
    };
    let content = match (outgoing.reply_to, stored.thread) {
        (Some(target), thread) => Content::reply(body, target, thread),
        (None, Some(root)) => Content::reply(body, root, Some(root)),
        (None, None) => Content::text(body),
    };
    Draft { id: outgoing.id, room: stored.room.clone(), content: content.with_file(info), at: outgoing.at }
}

/// The name that others are told.
fn name_of(source: &FileSource) -> String {
    let name = match source {
        FileSource::Path(path) => {
            path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
        }
        FileSource::Picture(_) => format!("picture-{}.png", clock::utc_stamp()),
    };
    let mut name = file::save_name(&name);
    while name.len() > MAX_NAME_BYTES {
        name.pop();
    }
    name
}

/// Copies what was added, and finds out what is told of it. Blocks.
fn copy(source: FileSource, to: &Path, info: FileInfo) -> Result<FileInfo, FileTrouble> {
    let disk = |error: std::io::Error| FileTrouble::Disk { detail: error.to_string() };
    let (sha256, size) = match source {
        FileSource::Path(path) => copy_in(&path, to).map_err(disk)?,
        FileSource::Picture(picture) => {
            let detail = || "the picture cannot be written as PNG".to_owned();
            let bytes = pictures::png(&picture).ok_or_else(|| FileTrouble::Disk { detail: detail() })?;
            write_new(to, &bytes).map_err(disk)?
        }
    };
    let is_picture = file::picture_type(&info.name).is_some();
    let dimensions = is_picture.then(|| pictures::dimensions(to)).flatten();
    let (width, height) = dimensions.unzip();
    Ok(FileInfo { size, sha256, width, height, ..info })
}

fn write_new(to: &Path, bytes: &[u8]) -> std::io::Result<(FileHash, u64)> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(to)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok((FileHash(Sha256::digest(bytes).into()), bytes.len() as u64))
}

impl Driver {
    /// Has the person pick files, where there is something to pick them with.
    pub(super) fn pick_files(&mut self, place: Place) {
        self.file_task(async move {
            let picked: Option<Vec<PathBuf>> = super::super::picker::pick().await;
            FileResult::Picked(place, picked)
        });
    }
}
