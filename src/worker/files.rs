//! Files of messages in the app: what the person adds is copied at once and uploaded in its turn, also after a restart; what
//! others sent is fetched when it is wanted, checked, and kept in a bounded cache under its SHA-256.

mod fetch;
mod upload;

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::{Notify, Semaphore};
use tokio::task::{AbortHandle, spawn_blocking};

use super::driver::{Driver, TaskResult};
use super::file_transfer::{FileServer, Retry, TransferError};
use super::picker::Chosen;
use crate::model::event::{ChatEvent, LinkEvent, Update};
use crate::model::file::{FileHash, FileId, FileInfo};
use crate::model::files::{FileTrouble, FileUpdate, Held, PendingFile, Stage, Thumbnail, Viewed};
use crate::model::intent::FileIntent;
use crate::model::link_state::LinkState;
use crate::model::time::WallMs;
use crate::model::{ConnectionId, Content, Event, MessageId, RoomId};
use crate::settings::private_file;
use crate::store::client::uploads::StoredUpload;

/// The folder in the data directory.
const FOLDER: &str = "app.files";
/// Files that wait to be sent.
const OUT: &str = "out";
/// Files that can be fetched again.
const CACHE: &str = "cache";
/// Maximum size of the cache, in bytes. The files that were used longest ago go first.
const MAX_CACHE_BYTES: u64 = 512 * 1024 * 1024;
/// Maximum number of files that are fetched at the same time.
const MAX_FETCHES: usize = 3;
/// Free space that files leave on the disk, in bytes, or 5 % of a small disk: messages need it more.
const MIN_FREE_BYTES: u64 = 256 * 1024 * 1024;
/// How long a file is tried to be fetched while nothing goes on.
const FETCH_PATIENCE: Duration = Duration::from_secs(60);

/// What a background task of a file came to.
pub(super) enum FileResult {
    /// A file was copied and noted on the disk, or not.
    Copied(FileId, Result<Box<StoredUpload>, FileTrouble>),
    /// The message of a file was noted on the disk.
    Released(FileId),
    /// So many bytes are at the server.
    Progress(FileId, u64),
    /// An upload waits before it is tried again.
    Waits(FileId, FileTrouble),
    /// An upload ended.
    Uploaded(FileId, Result<(), FileTrouble>),
    /// So many bytes are here.
    Fetching(FileHash, u64),
    /// A file is here, or is not to be had.
    Fetched(FileHash, Result<(), FileTrouble>),
    /// A thumbnail was made.
    Thumbnail(FileHash, Thumbnail),
    /// The picture in the viewer was decoded.
    Decoded(FileHash, Thumbnail),
    /// The person chose where a file is to be saved.
    Chosen(ConnectionId, FileInfo, Chosen),
    /// A file was saved, or not.
    Saved(FileId, Result<PathBuf, FileTrouble>),
    /// Files were picked; or there is nothing to pick them with.
    Picked(Place, Option<Vec<PathBuf>>),
}

/// A room, or a thread in it.
pub(super) type Place = (ConnectionId, RoomId, Option<MessageId>);

/// A file that is not a message yet.
struct Pending {
    connection: ConnectionId,
    file: PendingFile,
    /// What it is to be sent with, once the person has sent it.
    outgoing: Option<Outgoing>,
    /// As it is on the disk, once it is.
    stored: Option<StoredUpload>,
    copying: Option<AbortHandle>,
}

/// What a file is sent with.
#[derive(Clone)]
struct Outgoing {
    id: MessageId,
    at: WallMs,
    text: String,
    reply_to: Option<MessageId>,
}

/// A file on its way here.
struct Fetch {
    task: AbortHandle,
    connection: ConnectionId,
    /// What is to be done once it is here.
    then: Vec<Then>,
}

/// What is to be done with a file once it is here.
#[derive(Clone)]
enum Then {
    Thumbnail,
    View,
    Save(FileInfo),
    /// The same in this place.
    SaveAt(FileInfo, PathBuf),
}

/// The worker's files.
pub(super) struct FileJobs {
    dir: PathBuf,
    pending: Vec<Pending>,
    /// The upload under way of each connection.
    running: BTreeMap<ConnectionId, (FileId, AbortHandle)>,
    /// Uploads that wait try again at once.
    retry_now: Arc<Notify>,
    fetches: BTreeMap<FileHash, Fetch>,
    places: Arc<Semaphore>,
    /// One picture is decoded at a time: each may take much memory.
    decoder: Arc<Semaphore>,
    decoding: HashSet<FileHash>,
}

impl FileJobs {
    pub(super) fn new(data_dir: &Path) -> FileJobs {
        FileJobs {
            dir: data_dir.join(FOLDER),
            pending: Vec::new(),
            running: BTreeMap::new(),
            retry_now: Arc::default(),
            fetches: BTreeMap::new(),
            places: Arc::new(Semaphore::new(MAX_FETCHES)),
            decoder: Arc::new(Semaphore::new(1)),
            decoding: HashSet::new(),
        }
    }

    fn out(&self, id: FileId) -> PathBuf {
        self.dir.join(OUT).join(id.to_string())
    }

    fn cached(&self, hash: FileHash) -> PathBuf {
        self.dir.join(CACHE).join(hash.to_string())
    }
}

impl Driver {
    /// Takes in what was added before the last end, and removes copies that nothing needs.
    pub(super) async fn restore_files(&mut self) {
        self.show_file(FileUpdate::Begin);
        let stored = match self.store.uploads().await {
            Ok(stored) => stored,
            Err(error) => return log::error!("files that wait to be sent cannot be read: {error}"),
        };
        let needed: HashSet<String> = stored.iter().map(|upload| upload.info.id.to_string()).collect();
        for upload in stored {
            if !self.slots.contains_key(&upload.connection) {
                // Its connection was removed, or is not there in this run.
                continue;
            }
            let StoredUpload { connection, room, thread, info, .. } = upload.clone();
            let stage = if upload.draft.is_some() { Stage::Waiting(None) } else { Stage::Attached };
            let file = PendingFile { info, room, thread, stage };
            let outgoing = upload.draft.as_ref().map(|draft| Outgoing {
                id: draft.id,
                at: draft.at,
                text: draft.content.caption().to_owned(),
                reply_to: draft.content.reply_to(),
            });
            let pending = Pending { connection, file, outgoing, stored: Some(upload), copying: None };
            self.files.pending.push(pending);
        }
        let all: Vec<FileId> = self.files.pending.iter().map(|pending| pending.file.info.id).collect();
        all.into_iter().for_each(|id| self.show_pending(id));
        let connections: Vec<ConnectionId> = self.slots.keys().copied().collect();
        connections.into_iter().for_each(|connection| self.start_upload(connection));
        let (out, cache) = (self.files.dir.join(OUT), self.files.dir.join(CACHE));
        // Before anything is added, which would not be noted yet.
        if let Err(error) = spawn_blocking(move || remove_others(&out, &needed)).await {
            log::warn!("copies that nothing needs are not removed: {error}");
        }
        spawn_blocking(move || trim_cache(&cache));
    }

    pub(super) fn want_file(&mut self, intent: FileIntent) {
        match intent {
            FileIntent::Pick { connection, room, thread } => self.pick_files((connection, room, thread)),
            FileIntent::Add { connection, room, thread, source } => {
                self.add_file((connection, room, thread), source);
            }
            FileIntent::Send { connection, room, thread, text, reply_to } => {
                self.send_files((connection, room, thread), text, reply_to);
            }
            FileIntent::Cancel { connection, file } => self.cancel_file(connection, file),
            FileIntent::Retry { connection, file } => self.retry_file(connection, file),
            FileIntent::Fetch { connection, file, thumbnail } => {
                let then = if thumbnail { vec![Then::Thumbnail] } else { Vec::new() };
                self.fetch_file(connection, &file, then);
            }
            FileIntent::EndFetch(hash) => self.end_fetch(hash),
            FileIntent::Save { connection, file } => {
                let then = vec![Then::Save(file.clone())];
                self.fetch_file(connection, &file, then);
            }
            FileIntent::SaveAs { connection, file } => self.choose_place(connection, file),
            FileIntent::View { connection, file } => {
                let viewed = Viewed { connection, info: file.clone(), picture: None };
                self.show_file(FileUpdate::Viewed(Some(viewed)));
                self.fetch_file(connection, &file, vec![Then::View]);
            }
            FileIntent::EndView => self.show_file(FileUpdate::Viewed(None)),
        }
    }

    /// Long: one arm for each result.
    pub(super) fn file_done(&mut self, done: FileResult) {
        match done {
            FileResult::Copied(id, copied) => self.copied(id, copied),
            FileResult::Released(id) => {
                if let Some(connection) = self.pending(id).map(|pending| pending.connection) {
                    self.start_upload(connection);
                }
            }
            FileResult::Progress(id, sent) => self.set_stage(id, Stage::Uploading(sent)),
            FileResult::Waits(id, why) => self.set_stage(id, Stage::Waiting(Some(why))),
            FileResult::Uploaded(id, uploaded) => self.uploaded(id, uploaded),
            FileResult::Fetching(hash, here) => {
                if self.files.fetches.contains_key(&hash) {
                    self.show_file(FileUpdate::Held(hash, Some(Held::Loading(here))));
                }
            }
            FileResult::Fetched(hash, fetched) => self.fetched(hash, fetched),
            FileResult::Thumbnail(hash, thumbnail) => {
                self.files.decoding.remove(&hash);
                self.show_file(FileUpdate::Thumbnail(hash, thumbnail));
            }
            FileResult::Decoded(hash, picture) => {
                let viewed = self.model.read(|model| model.files.viewed.clone());
                if let Some(viewed) = viewed.filter(|viewed| viewed.info.sha256 == hash) {
                    let viewed = Viewed { picture: Some(picture), ..viewed };
                    self.show_file(FileUpdate::Viewed(Some(viewed)));
                }
            }
            FileResult::Chosen(connection, file, chosen) => self.place_chosen(connection, file, chosen),
            FileResult::Saved(id, saved) => self.show_file(FileUpdate::Saved(id, saved)),
            FileResult::Picked(place, Some(paths)) => {
                for path in paths {
                    self.add_file(place.clone(), crate::model::intent::FileSource::Path(path));
                }
            }
            FileResult::Picked((connection, room, thread), None) => {
                self.show_file(FileUpdate::NoPicker { connection, room, thread });
            }
        }
    }

    /// What an event means for files.
    pub(super) fn note_for_files(&mut self, connection: ConnectionId, event: &Event) {
        match event {
            Event::Link(LinkEvent::State(LinkState::Online { rtt_ms: None, .. })) => {
                self.files.retry_now.notify_waiters();
                self.start_upload(connection);
                self.forget_unreachable();
            }
            Event::Link(LinkEvent::State(LinkState::Idle | LinkState::Stopped { .. })) => {
                self.stop_upload(connection);
            }
            Event::Chat(ChatEvent::Queued(item)) => self.message_queued(item.draft.id),
            Event::Chat(ChatEvent::Entries { entries, .. }) => {
                for entry in entries {
                    if let Content::Delete { target, .. } = &entry.draft.content {
                        self.forget_file_of(connection, &entry.draft.room, *target);
                    }
                }
            }
            _ => {}
        }
    }

    /// A message is deleted: what is here of its file goes with it, where the message is in memory. Else it goes with the rest
    /// of the cache.
    fn forget_file_of(&mut self, connection: ConnectionId, room: &RoomId, message: MessageId) {
        let file = self.model.read(|model| {
            let room = model.connections.get(&connection)?.chat.rooms.get(room)?;
            room.window.get(message)?.content.file()
        });
        let Some(hash) = file.map(|file| file.sha256) else { return };
        self.end_fetch(hash);
        let path = self.files.cached(hash);
        spawn_blocking(move || remove(&path));
        self.show_file(FileUpdate::Held(hash, None));
    }

    /// The files of a connection go with it.
    pub(super) fn forget_files(&mut self, connection: ConnectionId) {
        let all = self.files.pending.iter().filter(|pending| pending.connection == connection);
        let all: Vec<FileId> = all.map(|pending| pending.file.info.id).collect();
        all.into_iter().for_each(|file| self.give_up(file));
        self.files.running.remove(&connection);
    }

    fn show_file(&mut self, update: FileUpdate) {
        self.update(Update::File(update));
    }

    fn pending(&self, id: FileId) -> Option<&Pending> {
        self.files.pending.iter().find(|pending| pending.file.info.id == id)
    }

    fn pending_mut(&mut self, id: FileId) -> Option<&mut Pending> {
        self.files.pending.iter_mut().find(|pending| pending.file.info.id == id)
    }

    fn show_pending(&mut self, id: FileId) {
        if let Some((connection, file)) = self.pending(id).map(|p| (p.connection, p.file.clone())) {
            self.show_file(FileUpdate::Pending(connection, file));
        }
    }

    fn set_stage(&mut self, id: FileId, stage: Stage) {
        if let Some(pending) = self.pending_mut(id) {
            pending.file.stage = stage;
            self.show_pending(id);
        }
    }

    /// How to reach the server of a connection: by each of its addresses.
    fn file_servers(&self, connection: ConnectionId) -> Vec<FileServer> {
        let Some(slot) = self.slots.get(&connection) else { return Vec::new() };
        let Some(access) = &slot.access else { return Vec::new() };
        let server = |url: &String| FileServer {
            profile: slot.profile.clone(),
            url: url.clone(),
            access: access.clone(),
        };
        slot.profile.urls.iter().map(server).collect()
    }

    /// Runs a task that reports to the worker.
    fn file_task(&self, task: impl Future<Output = FileResult> + Send + 'static) -> AbortHandle {
        let done = self.done.clone();
        let task = async move {
            let result = task.await;
            // The receiver is gone if the worker has ended.
            let _ = done.send(TaskResult::File(result)).await;
        };
        tokio::spawn(task).abort_handle()
    }
}

/// Tries until it works or makes no sense; by another address after each failure. `patience`: how long while nothing goes
/// on; none: for ever. `waits` is told why, before each pause.
async fn retried<T, F: Future<Output = Result<T, TransferError>>>(
    servers: &[FileServer],
    patience: Option<Duration>,
    now: &Notify,
    reached: impl Fn() -> u64,
    waits: impl Fn(FileTrouble),
    attempt: impl Fn(FileServer) -> F,
) -> Result<T, FileTrouble> {
    let mut retry = Retry::default();
    for server in servers.iter().cycle() {
        let before = reached();
        let error = match attempt(server.clone()).await {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        log::info!("a file was not transferred: {error}");
        if reached() > before {
            retry.progressed();
        }
        let trouble = trouble_of(&error);
        if !error.is_retryable() {
            return Err(trouble);
        }
        let wait = retry.wait();
        if patience.is_some_and(|patience| retry.stuck() + wait > patience) {
            return Err(trouble);
        }
        waits(trouble);
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = now.notified() => {}
        }
    }
    Err(FileTrouble::Unreachable)
}

/// What a person is told of an error.
fn trouble_of(error: &TransferError) -> FileTrouble {
    match error {
        TransferError::Link(_) => FileTrouble::Unreachable,
        TransferError::Disk { source, .. } => FileTrouble::Disk { detail: source.to_string() },
        TransferError::Checksum => FileTrouble::Checksum,
        TransferError::Changed => FileTrouble::Disk { detail: error.to_string() },
        TransferError::Refused { refusal, status } => match refusal.code.as_str() {
            "too_large" => FileTrouble::TooLarge { limit: refusal.limit },
            "quota" => FileTrouble::Quota { limit: refusal.limit },
            "too_many" => FileTrouble::TooMany,
            "full" | "disk_full" => FileTrouble::ServerFull,
            "not_allowed" | "unauthorized" => FileTrouble::NotAllowed,
            "not_offered" => FileTrouble::NotOffered,
            "no_such_file" => FileTrouble::NoSuchFile,
            "gone" => FileTrouble::Gone,
            "checksum" => FileTrouble::Checksum,
            _ if matches!(status, 500..=599) => FileTrouble::Unreachable,
            _ => FileTrouble::Refused { detail: refusal.detail.clone() },
        },
    }
}

fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        log::warn!("{} cannot be removed: {error}", path.display());
    }
}

/// Removes copies that are not noted in the database: the app ended while they were made. Blocks.
fn remove_others(dir: &Path, needed: &HashSet<String>) {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let others = entries.filter(|entry| !needed.contains(&*entry.file_name().to_string_lossy()));
    others.for_each(|entry| remove(&entry.path()));
}

/// Removes what was used longest ago from the cache until it fits. Blocks.
fn trim_cache(dir: &Path) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    let mut files: Vec<(SystemTime, u64, PathBuf)> = entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let file = entry.metadata().ok()?;
            Some((file.modified().ok()?, file.len(), entry.path()))
        })
        .collect();
    files.sort();
    let mut bytes: u64 = files.iter().map(|(_, length, _)| length).sum();
    // The newest is what somebody waits for.
    files.pop();
    for (_, length, path) in files {
        if bytes <= MAX_CACHE_BYTES {
            return;
        }
        remove(&path);
        bytes -= length;
    }
}

/// A file in the cache was used.
fn touch(path: &Path) {
    let touched =
        fs::File::options().write(true).open(path).and_then(|file| file.set_modified(SystemTime::now()));
    if let Err(error) = touched {
        log::debug!("{}: {error}", path.display());
    }
}

/// Whether a folder's disk takes so many more bytes. Blocks.
#[cfg(unix)]
fn expect_room(dir: &Path, bytes: u64) -> Result<(), FileTrouble> {
    let Ok(disk) = rustix::fs::statvfs(dir) else { return Ok(()) };
    let of = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
    let least = MIN_FREE_BYTES.min(of(disk.f_blocks) / 20);
    if of(disk.f_bavail) >= bytes.saturating_add(least) {
        return Ok(());
    }
    Err(FileTrouble::Disk { detail: std::io::Error::from(std::io::ErrorKind::StorageFull).to_string() })
}

/// Elsewhere writing will tell.
#[cfg(not(unix))]
fn expect_room(_: &Path, _: u64) -> Result<(), FileTrouble> {
    Ok(())
}

fn make_folder(dir: &Path) -> Result<(), FileTrouble> {
    private_file::create_dir(dir).map_err(|error| FileTrouble::Disk { detail: error.to_string() })
}
