//! `PUT /v1/files/{id}`: one part of an upload. What is acknowledged is on disk; what came before a connection was lost stays.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Path, Query, State};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt as _;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until};

use super::disk::{self, Disk};
use super::turns::Turn;
use super::{FileArea, busy, enter, id_of, no_such_file, refusal, refused, unavailable};
use crate::clock;
use crate::hub::http::{Ends, authorize, unauthorized};
use crate::hub::metrics::Refused;
use crate::hub::post::told_bytes;
use crate::hub::state::Hub;
use crate::model::Principal;
use crate::model::file::{FileHash, FileId, FileRefusal, MAX_PART_BYTES, UploadState};
use crate::model::rights::Act;
use crate::store::hub::file::{NewFile, StoredFile, Upload};

/// How long a part may take.
const PART_DEADLINE: Duration = Duration::from_secs(120);
/// How long nothing of it may come.
const IDLE_DEADLINE: Duration = Duration::from_secs(20);
/// Bytes that are written at once.
const WRITTEN_BYTES: usize = 128 * 1024;
/// The answer to a part that is too large.
const PART_TOO_LARGE: &str = "A part has at most 1 MiB.";
/// The answer to a request that a later one ended.
const TOO_LATE: &str =
    "Another request for this upload came meanwhile: ask for its status, and go on from there.";

/// Query parameters of a part.
#[derive(Debug, Deserialize)]
pub(in crate::hub) struct Part {
    offset: u64,
    size: u64,
    sha256: String,
}

/// Handles one part. It goes on when the connection is lost: what came before that is kept.
pub(in crate::hub) async fn upload(
    State(hub): State<Arc<Hub>>,
    Extension(ends): Extension<Ends>,
    Path(id): Path<String>,
    part: Result<Query<Part>, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let handled = tokio::spawn(handle(hub, ends, id, part, headers, body)).await;
    handled.unwrap_or_else(|error| {
        log::error!("an upload failed: {error}");
        busy("The upload failed: try again later.")
    })
}

async fn handle(
    hub: Arc<Hub>,
    ends: Ends,
    id: String,
    part: Result<Query<Part>, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let dismissals = hub.sessions.dismissals();
    let (area, principal) = match enter(&hub, &ends, &headers).await {
        Ok(entered) => entered,
        Err(refused) => return refused,
    };
    if !principal.role().may(Act::Write) {
        hub.metrics.refuse(Refused::Kind);
        return refused(StatusCode::FORBIDDEN, "not_allowed", "This token may only read.");
    }
    let id = match id_of(&id) {
        Ok(id) => id,
        Err(refused) => return refused,
    };
    let Some((part, sha256)) = part.ok().and_then(|Query(part)| {
        let sha256 = part.sha256.parse::<FileHash>().ok()?;
        (part.size < 1 << 53).then_some((part, sha256))
    }) else {
        let sentence =
            "Say ?offset=N&size=N&sha256=HEX: where the part begins, and size and SHA-256 of the whole file.";
        return refused(StatusCode::BAD_REQUEST, "malformed", sentence);
    };
    if told_bytes(&headers).is_some_and(|told| told > MAX_PART_BYTES) {
        return refused(StatusCode::PAYLOAD_TOO_LARGE, "part_too_large", PART_TOO_LARGE);
    }
    let Ok(_place) = area.uploads.try_acquire() else {
        return busy("The server takes as many uploads as it can: try again later.");
    };
    let Some(turn) = area.turns.take(id).await else {
        return refused(StatusCode::CONFLICT, "superseded", TOO_LATE);
    };
    let new = NewFile { id, owner: principal.id.clone(), sha256, size: part.size };
    let file = match begin(&hub, area, new, part.offset).await {
        Ok(file) => file,
        Err(answer) => return *answer,
    };
    ends.slot.hold(WRITTEN_BYTES);
    let received = receive(&hub, area, &file, part.offset, body, &turn).await;
    ends.slot.hold(0);
    let offset = match received {
        Ok(offset) => offset,
        Err(answer) => return *answer,
    };
    if let Err(answer) = is_still(&hub, &ends, &headers, &principal, dismissals).await {
        return answer;
    }
    if offset < file.size {
        return state(offset, file.size, false);
    }
    finish(&hub, area, &file).await
}

/// The token may have been revoked while the body was being received.
async fn is_still(
    hub: &Hub,
    ends: &Ends,
    headers: &HeaderMap,
    principal: &Principal,
    dismissals: u64,
) -> Result<(), Response> {
    if hub.sessions.dismissals() == dismissals {
        return Ok(());
    }
    match authorize(hub, ends, headers).await? {
        Some(now) if now.id == principal.id && now.role().may(Act::Write) => Ok(()),
        _ => Err(unauthorized(hub, ends)),
    }
}

fn state(offset: u64, size: u64, complete: bool) -> Response {
    axum::Json(UploadState { offset, size, complete }).into_response()
}

type Answer<T> = Result<T, Box<Response>>;

/// The upload, if this part is the next one of it.
///
/// Long: one arm for each reason why it does not go on.
async fn begin(hub: &Hub, area: &FileArea, new: NewFile, offset: u64) -> Answer<StoredFile> {
    let over = |status: StatusCode, code: &str, detail: &str, limit: u64| {
        hub.metrics.refuse(Refused::Quota);
        let (code, detail) = (code.to_owned(), detail.to_owned());
        Err(Box::new(refusal(status, FileRefusal { code, detail, offset: None, limit: Some(limit) })))
    };
    let quotas = area.quotas;
    let begun = hub.store.begin_upload(new, quotas, clock::now().wall_ms).await;
    let file = match begun.map_err(|error| Box::new(unavailable(hub, &error)))? {
        Upload::Ready(file) => file,
        Upload::Taken => {
            let sentence = "Another file has this id: upload this one under a new id.";
            return Err(Box::new(refused(StatusCode::CONFLICT, "id_taken", sentence)));
        }
        Upload::TooLarge { limit } => {
            let sentence = "The file is larger than the server takes.";
            return over(StatusCode::PAYLOAD_TOO_LARGE, "too_large", sentence, limit);
        }
        Upload::TooMany { limit } => {
            let sentence = "Too many files of yours are uploaded, but not sent: finish or cancel some first.";
            return over(StatusCode::FORBIDDEN, "too_many", sentence, limit);
        }
        Upload::OverQuota { limit } => {
            let sentence =
                "Your files use up what you may keep on this server: delete messages with files first.";
            return over(StatusCode::FORBIDDEN, "quota", sentence, limit);
        }
        Upload::Full { limit } => {
            let sentence = "The server has no space left for files: try again later, or ask its admin.";
            return over(StatusCode::INSUFFICIENT_STORAGE, "full", sentence, limit);
        }
    };
    if file.gone {
        return Err(Box::new(refused(StatusCode::GONE, "gone", "The server no longer keeps this file.")));
    }
    if file.complete {
        return Err(Box::new(state(file.size, file.size, true)));
    }
    let file = reach(hub, area, file).await?;
    if file.received == offset {
        return Ok(file);
    }
    let (code, detail) = ("offset".to_owned(), "The upload goes on from another offset.".to_owned());
    let why = FileRefusal { code, detail, offset: Some(file.received), limit: None };
    Err(Box::new(refusal(StatusCode::CONFLICT, why)))
}

/// The upload as far as its part really reaches: a folder that was restored without it begins anew.
async fn reach(hub: &Hub, area: &FileArea, mut file: StoredFile) -> Answer<StoredFile> {
    let (disk, id) = (area.disk.clone(), file.id);
    let there = spawn_blocking(move || disk.length(id)).await.unwrap_or_default();
    if there < file.received {
        file.received = 0;
        let reset = hub.store.upload_received(id, 0, clock::now().wall_ms).await;
        reset.map_err(|error| Box::new(unavailable(hub, &error)))?;
    }
    Ok(file)
}

/// Why a body ended early.
enum Ended {
    /// More came than may.
    TooLong,
    /// It came too slowly, or not at all.
    TooSlow,
    /// A later request took over.
    Superseded,
    /// The connection was lost.
    Lost,
    /// The disk does not take it.
    Disk(io::Error),
}

/// Receives a part. Returns how far the upload has come, with all that is on disk.
async fn receive(
    hub: &Hub,
    area: &FileArea,
    file: &StoredFile,
    offset: u64,
    body: Body,
    turn: &Turn,
) -> Answer<u64> {
    let most = MAX_PART_BYTES.min(file.size - offset);
    let (room, disk) = (area.disk.clone(), area.disk.clone());
    if !spawn_blocking(move || room.has_room(most)).await.unwrap_or(true) {
        return Err(no_space());
    }
    let id = file.id;
    let opened = spawn_blocking(move || disk.write_from(id, offset)).await;
    let opened = opened.unwrap_or_else(|error| Err(io::Error::other(error))).map_err(|error| full(&error))?;
    let mut sink = Sink { file: Some(opened), buffer: Vec::new(), written: 0, most };
    let ended = sink.fill(body, turn).await;
    // Also what came before a connection was lost.
    let ended = match sink.flush().await {
        Ok(()) => ended,
        Err(error) => Err(Ended::Disk(error)),
    };
    hub.metrics.received.add(sink.written);
    let received = offset + sink.written;
    if sink.written > 0 {
        let kept = hub.store.upload_received(id, received, clock::now().wall_ms).await;
        kept.map_err(|error| Box::new(unavailable(hub, &error)))?;
    }
    match ended {
        Ok(()) => Ok(received),
        Err(Ended::Disk(error)) => Err(full(&error)),
        Err(why) => Err(Box::new(broken(&why, received))),
    }
}

/// The answer to a part that did not come as it should.
fn broken(why: &Ended, received: u64) -> Response {
    let (status, code, detail) = match why {
        Ended::TooLong => (StatusCode::PAYLOAD_TOO_LARGE, "part_too_large", PART_TOO_LARGE),
        Ended::TooSlow => {
            (StatusCode::REQUEST_TIMEOUT, "too_slow", "The part came too slowly: go on with a smaller one.")
        }
        Ended::Superseded => (StatusCode::CONFLICT, "superseded", TOO_LATE),
        _ => (StatusCode::BAD_REQUEST, "incomplete", "The part is shorter than its Content-Length."),
    };
    let why =
        FileRefusal { code: code.to_owned(), detail: detail.to_owned(), offset: Some(received), limit: None };
    refusal(status, why)
}

fn no_space() -> Box<Response> {
    let sentence = "The server's disk is full: try again later, or ask its admin.";
    Box::new(refused(StatusCode::INSUFFICIENT_STORAGE, "disk_full", sentence))
}

fn full(error: &io::Error) -> Box<Response> {
    use io::ErrorKind::{QuotaExceeded, StorageFull};
    if matches!(error.kind(), StorageFull | QuotaExceeded) {
        return no_space();
    }
    log::warn!("cannot write a file: {error}");
    Box::new(busy("The server cannot write to its disk: try again later, and see its log."))
}

/// Writes a body to the disk, a bounded piece at a time.
struct Sink {
    /// None while it is being written to.
    file: Option<File>,
    buffer: Vec<u8>,
    /// Bytes that are written.
    written: u64,
    most: u64,
}

impl Sink {
    async fn fill(&mut self, body: Body, turn: &Turn) -> Result<(), Ended> {
        let (mut body, until) = (body.into_data_stream(), Instant::now() + PART_DEADLINE);
        loop {
            let next = tokio::select! {
                next = body.next() => next,
                () = turn.ended() => return Err(Ended::Superseded),
                () = sleep_until(until.min(Instant::now() + IDLE_DEADLINE)) => return Err(Ended::TooSlow),
            };
            match next {
                None => return Ok(()),
                Some(Err(_)) => return Err(Ended::Lost),
                Some(Ok(bytes)) => self.take(&bytes).await?,
            }
        }
    }

    async fn take(&mut self, bytes: &Bytes) -> Result<(), Ended> {
        if self.written + (self.buffer.len() + bytes.len()) as u64 > self.most {
            return Err(Ended::TooLong);
        }
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= WRITTEN_BYTES { self.write(false).await.map_err(Ended::Disk) } else { Ok(()) }
    }

    /// Writes what is left. What has been written is safely on disk once this returns.
    async fn flush(&mut self) -> io::Result<()> {
        self.write(true).await
    }

    async fn write(&mut self, is_last: bool) -> io::Result<()> {
        let Some(mut file) = self.file.take() else { return Err(io::Error::other("the file is in use")) };
        let buffer = std::mem::take(&mut self.buffer);
        let count = buffer.len() as u64;
        let write = move || {
            let done = disk::append(&mut file, &buffer);
            let done = if is_last { done.and_then(|()| file.sync_data()) } else { done };
            (file, done)
        };
        let (file, done) = spawn_blocking(write).await.map_err(io::Error::other)?;
        self.file = Some(file);
        done?;
        self.written += count;
        Ok(())
    }
}

/// All bytes are there: checks them, and puts them in their place.
async fn finish(hub: &Hub, area: &FileArea, file: &StoredFile) -> Response {
    let (disk, id, sha256) = (area.disk.clone(), file.id, file.sha256);
    // An empty file has no part yet.
    let check = move || match file_is_empty(&disk, id) {
        Ok(()) => disk.is_right(id, sha256),
        Err(error) => Err(error),
    };
    match spawn_blocking(check).await.unwrap_or_else(|error| Err(io::Error::other(error))) {
        Ok(true) => {}
        Ok(false) => {
            if let Err(error) = hub.store.remove_upload(id, file.owner.clone()).await {
                return unavailable(hub, &error);
            }
            area.sweep.notify_one();
            let sentence =
                "The content does not have the SHA-256 that was told: it was removed. Upload it again.";
            return refused(StatusCode::UNPROCESSABLE_ENTITY, "checksum", sentence);
        }
        Err(error) => return *full(&error),
    }
    let _contents = area.contents.lock().await;
    match hub.store.upload_complete(id, clock::now().wall_ms).await {
        Ok(true) => {}
        Ok(false) => return no_such_file(),
        Err(error) => return unavailable(hub, &error),
    }
    let disk = area.disk.clone();
    let settled = spawn_blocking(move || disk.settle(id, sha256)).await;
    if let Err(error) = settled.unwrap_or_else(|error| Err(io::Error::other(error))) {
        // It is found where it is.
        log::warn!("cannot move the file {id}: {error}");
    }
    state(file.size, file.size, true)
}

fn file_is_empty(disk: &Disk, id: FileId) -> io::Result<()> {
    if disk.length(id) == 0 { disk.write_from(id, 0).map(drop) } else { Ok(()) }
}

/// The requester's own upload, for as long as its turn lasts.
struct Own<'a> {
    area: &'a FileArea,
    principal: Principal,
    id: FileId,
    _turn: Turn,
}

/// Admits the uploader of this file once earlier requests for it have ended.
async fn enter_own<'a>(
    hub: &'a Hub,
    ends: &Ends,
    headers: &HeaderMap,
    id: &str,
) -> Result<Own<'a>, Response> {
    let (area, principal) = enter(hub, ends, headers).await?;
    let id = id_of(id)?;
    match hub.store.file(id).await {
        Ok(Some(file)) if file.owner == principal.id => {}
        Ok(_) => return Err(no_such_file()),
        Err(error) => return Err(unavailable(hub, &error)),
    }
    match area.turns.take(id).await {
        Some(turn) => Ok(Own { area, principal, id, _turn: turn }),
        None => Err(refused(StatusCode::CONFLICT, "superseded", TOO_LATE)),
    }
}

/// `GET /v1/files/{id}/status`: how far an upload has come. It ends a request that is still under way.
pub(in crate::hub) async fn status(
    State(hub): State<Arc<Hub>>,
    Extension(ends): Extension<Ends>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let Own { area, id, _turn, .. } = match enter_own(&hub, &ends, &headers, &id).await {
        Ok(own) => own,
        Err(refused) => return refused,
    };
    match hub.store.file(id).await {
        Ok(Some(file)) if file.complete => state(file.size, file.size, true),
        Ok(Some(file)) => match reach(&hub, area, file).await {
            Ok(file) => state(file.received, file.size, false),
            Err(answer) => *answer,
        },
        Ok(None) => no_such_file(),
        Err(error) => unavailable(&hub, &error),
    }
}

/// `DELETE /v1/files/{id}`: gives up an upload that is not the file of a message.
pub(in crate::hub) async fn cancel(
    State(hub): State<Arc<Hub>>,
    Extension(ends): Extension<Ends>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let Own { area, principal, id, _turn } = match enter_own(&hub, &ends, &headers, &id).await {
        Ok(own) => own,
        Err(refused) => return refused,
    };
    match hub.store.remove_upload(id, principal.id).await {
        Ok(true) => {
            area.sweep.notify_one();
            StatusCode::NO_CONTENT.into_response()
        }
        Ok(false) => {
            let sentence = "The file belongs to a message: delete that instead.";
            refused(StatusCode::CONFLICT, "in_use", sentence)
        }
        Err(error) => unavailable(&hub, &error),
    }
}
