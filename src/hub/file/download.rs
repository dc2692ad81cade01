//! `GET /v1/files/{id}`: a file, or a part of it, for whoever may see its message at that moment.

use std::fs::File;
use std::io;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Extension, Path, State};
use axum::response::Response;
use futures_util::stream;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::spawn_blocking;

use super::{busy, disk, enter, id_of, no_such_file, refused, unavailable};
use crate::hub::http::{Ends, with};
use crate::hub::state::Hub;
use crate::model::file::save_name;
use crate::store::hub::file::StoredFile;

/// Bytes that are read at once.
const READ_BYTES: usize = 128 * 1024;

/// Handles one request.
pub(in crate::hub) async fn download(
    State(hub): State<Arc<Hub>>,
    Extension(ends): Extension<Ends>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let (area, principal) = match enter(&hub, &ends, &headers).await {
        Ok(entered) => entered,
        Err(refused) => return refused,
    };
    let id = match id_of(&id) {
        Ok(id) => id,
        Err(refused) => return refused,
    };
    let file = match hub.store.file(id).await {
        Ok(Some(file)) => file,
        Ok(None) => return no_such_file(),
        Err(error) => return unavailable(&hub, &error),
    };
    let may_see = match &file.room {
        Some(room) => hub.may_see(&principal, room),
        // Its message is not written yet.
        None => file.owner == principal.id,
    };
    match may_see {
        true if file.gone => {
            let sentence =
                "The server no longer keeps this file: its admin has set for how long files are kept.";
            return refused(StatusCode::GONE, "gone", sentence);
        }
        true if file.complete => {}
        _ => return no_such_file(),
    }
    let Ok(place) = Arc::clone(&area.downloads).try_acquire_owned() else {
        return busy("The server sends as many files as it can: try again later.");
    };
    let Ok(range) = range(&headers, file.size) else {
        let response = refused(StatusCode::RANGE_NOT_SATISFIABLE, "range", "There is nothing at this range.");
        return with(response, header::CONTENT_RANGE, value(&format!("bytes */{}", file.size)));
    };
    let (content, sha256) = (area.disk.clone(), file.sha256);
    let opened = spawn_blocking(move || content.open(id, sha256)).await;
    let opened = match opened.unwrap_or_else(|error| Err(io::Error::other(error))) {
        Ok(opened) => opened,
        Err(error) => {
            log::error!("the file {id} cannot be read: {error}");
            return busy("The server cannot read this file: try again later, and tell its admin.");
        }
    };
    let (from, to) = range.unwrap_or((0, file.size));
    let body = Reading { file: opened, at: from, end: to, _place: place };
    let mut response = Response::new(Body::from_stream(stream::unfold(body, Reading::next)));
    describe(response.headers_mut(), &file, from, to, range.is_some());
    if range.is_some() {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    hub.metrics.sent.add(to - from);
    response
}

/// What is said of bytes `from` to `to` of a file.
fn describe(answer: &mut HeaderMap, file: &StoredFile, from: u64, to: u64, is_part: bool) {
    answer.insert(header::CONTENT_LENGTH, HeaderValue::from(to - from));
    answer.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    answer.insert(header::ETAG, value(&format!("\"{}\"", file.sha256)));
    // Whatever it is, it is never a page of this server.
    answer.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    answer.insert(header::CONTENT_DISPOSITION, value(&disposition(file.name.as_deref())));
    answer.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    if is_part {
        let range = format!("bytes {from}-{}/{}", to.saturating_sub(1), file.size);
        answer.insert(header::CONTENT_RANGE, value(&range));
    }
}

/// As a download, under a name that can be saved (RFC 6266).
fn disposition(name: Option<&str>) -> String {
    let name = name.map(save_name);
    name.map_or_else(
        || "attachment".to_owned(),
        |name| format!("attachment; filename*=UTF-8''{}", utf8_percent_encode(&name, NON_ALPHANUMERIC)),
    )
}

/// Text of digits and ASCII letters.
fn value(text: &str) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// From where to where, exclusive, of one `Range` in bytes (RFC 9110 §14.2); other ranges are ignored, as it allows.
/// `Err`: there is nothing at this range.
fn range(headers: &HeaderMap, size: u64) -> Result<Option<(u64, u64)>, ()> {
    let Some(text) = headers.get(header::RANGE).and_then(|range| range.to_str().ok()) else {
        return Ok(None);
    };
    let Some((first, last)) = text.strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Ok(None);
    };
    match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), _) if first >= size => Err(()),
        (Ok(first), Ok(last)) if last >= first => Ok(Some((first, size.min(last.saturating_add(1))))),
        (Ok(first), Err(_)) if last.is_empty() => Ok(Some((first, size))),
        (Err(_), Ok(0)) if first.is_empty() => Err(()),
        (Err(_), Ok(count)) if first.is_empty() => Ok(Some((size.saturating_sub(count), size))),
        _ => Ok(None),
    }
}

/// A file on its way out, a piece at a time.
struct Reading {
    file: File,
    at: u64,
    end: u64,
    _place: OwnedSemaphorePermit,
}

impl Reading {
    async fn next(mut self) -> Option<(io::Result<Bytes>, Reading)> {
        if self.at >= self.end {
            return None;
        }
        let most = usize::try_from(self.end - self.at).unwrap_or(usize::MAX).min(READ_BYTES);
        let read = move || {
            let bytes = disk::read_at(&mut self.file, self.at, most);
            (bytes, self)
        };
        let (bytes, mut reading) = spawn_blocking(read).await.ok()?;
        let bytes = match bytes {
            Ok(bytes) if bytes.is_empty() => Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
            bytes => bytes,
        };
        match &bytes {
            Ok(bytes) => reading.at += bytes.len() as u64,
            Err(_) => reading.end = reading.at,
        }
        Some((bytes.map(Bytes::from), reading))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_of_bytes_is_understood() {
        let of = |text: &'static str| {
            range(&[(header::RANGE, HeaderValue::from_static(text))].into_iter().collect(), 100)
        };
        assert_eq!(range(&HeaderMap::new(), 100), Ok(None));
        assert_eq!(of("bytes=0-"), Ok(Some((0, 100))));
        assert_eq!(of("bytes=10-19"), Ok(Some((10, 20))));
        assert_eq!(of("bytes=90-900"), Ok(Some((90, 100))));
        assert_eq!(of("bytes=-5"), Ok(Some((95, 100))));
        for nothing in ["bytes=100-", "bytes=200-300", "bytes=-0"] {
            assert_eq!(of(nothing), Err(()), "{nothing}");
        }
        for ignored in ["bytes=0-1,5-6", "lines=1-", "bytes=9-1", "bytes=a-b"] {
            assert_eq!(of(ignored), Ok(None), "{ignored}");
        }
    }
}
