//! Files of messages over HTTP: `/v1/files/{id}`. Uploads come in parts that a lost connection does not undo; downloads are
//! for whoever may see the message that a file belongs to, as it is at that moment. `disk`: the content. `upload` and
//! `download`: the two ways.

pub(super) mod disk;
mod download;
mod turns;
mod upload;

pub(super) use download::download;
pub(super) use upload::{cancel, status, upload};

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Extension, Query, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::{Mutex, Notify, Semaphore};
use tokio::task::spawn_blocking;

use super::http::{BUSY_S, Ends, authorize, unauthorized, with};
use super::metrics::Refused;
use super::state::Hub;
use crate::clock;
use crate::model::file::{FileId, FileLimits, FileRefusal, MAX_PART_BYTES};
use crate::model::{Principal, RoomId};
use crate::store::StoreError;
use crate::store::hub::file::FileQuotas;
use crate::wire::duplex::proof;
use disk::Disk;
use turns::Turns;

/// Maximum number of uploads, and of downloads, at the same time.
const MAX_AT_ONCE: usize = 64;
/// Maximum length of a challenge, in bytes.
const MAX_CHALLENGE_BYTES: usize = 128;
/// How often files are looked for that are too old.
const EXPIRE_EVERY: Duration = Duration::from_secs(60);

/// What a hub needs for files.
pub(super) struct FileArea {
    disk: Disk,
    quotas: FileQuotas,
    /// One request at a time for each upload.
    turns: Turns,
    uploads: Arc<Semaphore>,
    downloads: Arc<Semaphore>,
    /// Held while content is put in its place or removed: what one upload brings must not be removed for another.
    contents: Mutex<()>,
    /// There may be content to remove.
    sweep: Notify,
}

impl FileArea {
    pub(super) fn new(data_dir: &std::path::Path, quotas: FileQuotas) -> FileArea {
        FileArea {
            disk: Disk::new(data_dir),
            quotas,
            turns: Turns::default(),
            uploads: Arc::new(Semaphore::new(MAX_AT_ONCE)),
            downloads: Arc::new(Semaphore::new(MAX_AT_ONCE)),
            contents: Mutex::new(()),
            sweep: Notify::new(),
        }
    }

    /// What clients are told.
    pub(super) fn limits_told(&self) -> FileLimits {
        FileLimits {
            max_bytes: self.quotas.file_bytes,
            max_part_bytes: MAX_PART_BYTES,
            keep_ms: self.quotas.keep_ms,
        }
    }

    /// Messages were deleted, perhaps with files.
    pub(super) fn messages_deleted(&self) {
        self.sweep.notify_one();
    }

    /// Removes files that are too old, and content that no file needs any more. Never returns.
    pub(super) async fn tend(&self, hub: &Hub) {
        loop {
            let cleared = async {
                while hub.store.expire_files(self.quotas, clock::now().wall_ms).await? {}
                while self.remove_trash(hub).await? {}
                Ok::<_, StoreError>(())
            };
            if let Err(error) = cleared.await {
                log::warn!("cannot remove old files: {error}");
            }
            // Fails if the time is up.
            let _ = tokio::time::timeout(EXPIRE_EVERY, self.sweep.notified()).await;
        }
    }

    /// Returns whether there was any.
    async fn remove_trash(&self, hub: &Hub) -> Result<bool, StoreError> {
        let _contents = self.contents.lock().await;
        let mut trash = hub.store.file_trash().await?;
        let disk = self.disk.clone();
        let remove = move || {
            trash.retain(|file| match disk.remove(file.id, file.sha256, file.is_needed) {
                Ok(()) => true,
                Err(error) => {
                    log::warn!("cannot remove the file {}: {error}", file.id);
                    false
                }
            });
            trash
        };
        let removed = spawn_blocking(remove).await.unwrap_or_default();
        let is_any = !removed.is_empty();
        if is_any {
            hub.store.trash_removed(removed).await?;
        }
        Ok(is_any)
    }
}

impl Hub {
    /// Whether a principal may see what is written in a room, as it is now.
    pub(super) fn may_see(&self, who: &Principal, room: &RoomId) -> bool {
        who.kind.chats() && self.store.sees_room(&who.id, room)
    }
}

/// Who asks, and the area of files.
async fn enter<'a>(
    hub: &'a Hub,
    ends: &Ends,
    headers: &HeaderMap,
) -> Result<(&'a FileArea, Principal), Response> {
    let principal = match authorize(hub, ends, headers).await? {
        Some(principal) => principal,
        None => return Err(unauthorized(hub, ends)),
    };
    if !principal.kind.chats() {
        hub.metrics.refuse(Refused::Kind);
        return Err(refused(
            StatusCode::FORBIDDEN,
            "not_allowed",
            "Devices have no files: use a person's token.",
        ));
    }
    let area = hub.files.get();
    area.map(|area| (area, principal)).ok_or_else(|| {
        refused(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "The server is starting: try again.")
    })
}

/// The id of a path.
fn id_of(text: &str) -> Result<FileId, Response> {
    text.parse().map_err(|_| {
        refused(StatusCode::NOT_FOUND, "no_such_file", "Not a file's id: it is a UUID, as in /v1/files/UUID.")
    })
}

fn no_such_file() -> Response {
    refused(
        StatusCode::NOT_FOUND,
        "no_such_file",
        "There is no such file here, or not for this token: its message may have been deleted.",
    )
}

/// An error: a status, a word for programs and a sentence for people, as JSON.
fn refused(status: StatusCode, code: &str, detail: &str) -> Response {
    refusal(
        status,
        FileRefusal { code: code.to_owned(), detail: detail.to_owned(), ..FileRefusal::default() },
    )
}

fn refusal(status: StatusCode, refusal: FileRefusal) -> Response {
    (status, axum::Json(refusal)).into_response()
}

fn busy(detail: &str) -> Response {
    with(refused(StatusCode::SERVICE_UNAVAILABLE, "busy", detail), header::RETRY_AFTER, BUSY_S)
}

fn unavailable(hub: &Hub, error: &StoreError) -> Response {
    log::debug!("cannot read or write a file's row: {error}");
    hub.metrics.refuse(Refused::Unavailable);
    let detail = "The server cannot use its database: try again later, and see its log.";
    with(refused(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail), header::RETRY_AFTER, BUSY_S)
}

/// A challenge.
#[derive(Deserialize)]
pub(super) struct Challenge {
    challenge: String,
}

/// Proves the hub's identity, for clients on this computer that send their token only to a hub they know: the same proof as
/// that of the socket.
pub(super) async fn prove(
    State(hub): State<Arc<Hub>>,
    Extension(ends): Extension<Ends>,
    challenge: Result<Query<Challenge>, axum::extract::rejection::QueryRejection>,
) -> Response {
    match challenge {
        Ok(Query(Challenge { challenge })) if challenge.len() <= MAX_CHALLENGE_BYTES => {
            let mac = proof::mac(&hub.secret, &ends.own.to_string(), &challenge);
            axum::Json(json!({ "mac": mac })).into_response()
        }
        _ => refused(StatusCode::BAD_REQUEST, "malformed", "Ask with ?challenge= and 64 hexadecimal digits."),
    }
}
