//! Uploads and downloads of files, each over an HTTP connection of its own to the server of a link: with the same
//! certificate rules and the same token, which goes to no other host. What was transferred is kept across lost connections.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use data_encoding::HEXLOWER;
use http::header::{AUTHORIZATION, CONTENT_DISPOSITION, CONTENT_LENGTH, ETAG, RANGE};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use hyper::body::Bytes;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use super::access::{Access, authority, secret_value};
use super::pictures;
use crate::clock;
use crate::link::backoff::{Jitter, delay_ms};
use crate::model::file::{FileHash, FileId, FileInfo, FileRefusal, MAX_PART_BYTES, UploadState};
use crate::model::link_state::Why;
use crate::model::profile::Profile;
use crate::settings::private_file;
use crate::transport::fetch::{Answer, HttpConnection};
use crate::wire::duplex::proof;

/// How long the answer to a request may take.
const ANSWER: Duration = Duration::from_secs(30);
/// How long a part may take.
const PART: Duration = Duration::from_secs(150);
/// The last part is answered once the server has checked the whole file; it reads at least so many bytes in a second.
const CHECKED_BYTES_PER_S: u64 = 20_000_000;
/// The size of the first part, in bytes. It doubles while parts are quick, so that progress is seen on a slow link.
const FIRST_PART_BYTES: u64 = 64 * 1024;
/// A part is quick if it takes no longer.
const QUICK_PART: Duration = Duration::from_millis(500);
/// Bytes that are hashed or written at once.
const PIECE_BYTES: usize = 256 * 1024;

/// How to reach the server of a link.
#[derive(Clone, Debug)]
pub struct FileServer {
    /// Its address and certificate.
    pub profile: Profile,
    /// Which of the addresses to use.
    pub url: String,
    /// The token.
    pub access: Access,
}

/// Why a file was not transferred.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The server cannot be reached, or the connection was lost.
    #[error("the server cannot be reached")]
    Link(Why),
    /// The server refused it.
    #[error("the server refused it: {}", refusal.detail)]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Why.
        refusal: FileRefusal,
    },
    /// A file here cannot be read or written.
    #[error("{path}: {source}", path = path.display())]
    Disk {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// What arrived is not what was sent.
    #[error("what arrived does not have the checksum that the sender told")]
    Checksum,
    /// The file changed while it was being read.
    #[error("the file was changed while it was being sent")]
    Changed,
}

impl TransferError {
    /// Whether the same may work later by itself.
    pub fn is_retryable(&self) -> bool {
        match self {
            TransferError::Link(why) => why.is_retryable(),
            TransferError::Refused { status, refusal } => {
                matches!(status, 408 | 429 | 500..=599)
                    || matches!(refusal.code.as_str(), "superseded" | "offset" | "incomplete")
            }
            TransferError::Disk { .. } | TransferError::Checksum | TransferError::Changed => false,
        }
    }
}

type Result<T> = std::result::Result<T, TransferError>;

fn disk(path: &Path) -> impl FnOnce(io::Error) -> TransferError {
    let path = path.to_owned();
    move |source| TransferError::Disk { path, source }
}

/// What a server tells of a file that can be downloaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offered {
    /// Its name; none where the server does not say.
    pub name: Option<String>,
    /// Its size, in bytes.
    pub size: u64,
    /// Its SHA-256.
    pub sha256: Option<FileHash>,
}

/// A connection that may carry the token.
struct Session {
    connection: HttpConnection,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl FileServer {
    async fn open(&self) -> Result<Session> {
        let link = TransferError::Link;
        let mut target = self.access.target(&self.profile, &self.url).map_err(link)?;
        // They are of the socket's handshake.
        target.headers.clear();
        let (token, secret) = self.access.bearer().ok_or(link(Why::NoToken))?;
        let mut connection = HttpConnection::open(&target).await.map_err(link)?;
        if let Some(secret) = secret {
            self.expect_proof(&mut connection, secret).await?;
        }
        let value = secret_value(&format!("Bearer {}", token.reveal())).map_err(link)?;
        Ok(Session { connection, headers: vec![(AUTHORIZATION, value)] })
    }

    /// The hub proves on this very connection that it is the one we know.
    async fn expect_proof(&self, connection: &mut HttpConnection, secret: &[u8; 32]) -> Result<()> {
        #[derive(Deserialize)]
        struct Proof {
            mac: String,
        }
        let random = clock::random::<32>();
        let random = random.map_err(|error| TransferError::Link(Why::Lost { detail: error.to_string() }))?;
        let challenge = HEXLOWER.encode(&random);
        let path = format!("/v1/proof?challenge={challenge}");
        let answer = connection.request(Method::GET, &path, &[], Bytes::new(), ANSWER).await;
        let answer = answer.map_err(TransferError::Link)?.whole().await.map_err(TransferError::Link)?;
        let is_right = serde_json::from_slice(&answer)
            .is_ok_and(|Proof { mac }| proof::verify(secret, &authority(&self.url), &challenge, &mac));
        if is_right { Ok(()) } else { Err(TransferError::Link(Why::Impostor)) }
    }

    /// One attempt to upload what is left of a file. `told`: bytes that the server has, each time it has more.
    ///
    /// # Errors
    /// See [`TransferError::is_retryable`].
    pub async fn upload(&self, source: &Path, info: &FileInfo, told: &(dyn Fn(u64) + Sync)) -> Result<()> {
        let mut session = self.open().await?;
        let mut offset = session.status(info.id).await?.map_or(0, |state| state.offset);
        let (mut part_bytes, mut file) = (FIRST_PART_BYTES, None);
        loop {
            told(offset);
            let length = part_bytes.min(info.size.saturating_sub(offset));
            let (bytes, opened) = read_part(source, file.take(), offset, length).await?;
            file = Some(opened);
            let begun = Instant::now();
            let is_last = offset + length >= info.size;
            let state = session.put(info, offset, bytes, is_last).await?;
            if state.complete {
                told(info.size);
                return Ok(());
            }
            if state.offset <= offset {
                // It has all, and neither takes nor refuses it.
                return Err(TransferError::Link(Why::Lost {
                    detail: "the upload does not go on".to_owned(),
                }));
            }
            offset = state.offset;
            let is_quick = begun.elapsed() <= QUICK_PART;
            part_bytes = if is_quick { part_bytes * 2 } else { (part_bytes / 2).max(FIRST_PART_BYTES) };
            part_bytes = part_bytes.min(MAX_PART_BYTES);
        }
    }

    /// Gives an upload up. Nothing remains of it at the server.
    ///
    /// # Errors
    /// See [`TransferError::is_retryable`].
    pub async fn cancel_upload(&self, id: FileId) -> Result<()> {
        let mut session = self.open().await?;
        let answer = session.ask(Method::DELETE, &path_of(id), &[], Bytes::new(), ANSWER).await?;
        match answer.status {
            StatusCode::NO_CONTENT | StatusCode::NOT_FOUND => Ok(()),
            _ => Err(refused(answer).await),
        }
    }

    /// What the server says of a file.
    ///
    /// # Errors
    /// See [`TransferError::is_retryable`].
    pub async fn offered(&self, id: FileId) -> Result<Offered> {
        let mut session = self.open().await?;
        let answer = session.ask(Method::HEAD, &path_of(id), &[], Bytes::new(), ANSWER).await?;
        if answer.status == StatusCode::OK {
            return Ok(offered(&answer));
        }
        // The reason is in the body, which this has not.
        let answer = session.ask(Method::GET, &path_of(id), &[], Bytes::new(), ANSWER).await?;
        match answer.status {
            StatusCode::OK => Ok(offered(&answer)),
            _ => Err(refused(answer).await),
        }
    }

    /// One attempt to download what is left of a file into `part`, which is complete and checked when this returns. `told`:
    /// bytes that are here, each time there are more.
    ///
    /// # Errors
    /// See [`TransferError::is_retryable`]. What does not have the right checksum is removed.
    pub async fn download(
        &self,
        id: FileId,
        size: u64,
        sha256: FileHash,
        part: &Path,
        told: &(dyn Fn(u64) + Sync),
    ) -> Result<()> {
        let mut here = fs::metadata(part).map_or(0, |file| file.len());
        if here > size {
            fs::remove_file(part).map_err(disk(part))?;
            here = 0;
        }
        told(here);
        if here < size || size == 0 {
            self.fetch(id, size, here, part, told).await?;
        }
        let path = part.to_owned();
        let found = spawn_blocking(move || hash_file(&path)).await.map_err(io::Error::other);
        let (found, length) = found.and_then(|found| found).map_err(disk(part))?;
        if (found, length) == (sha256, size) {
            return Ok(());
        }
        fs::remove_file(part).map_err(disk(part))?;
        Err(TransferError::Checksum)
    }

    async fn fetch(
        &self,
        id: FileId,
        size: u64,
        here: u64,
        part: &Path,
        told: &(dyn Fn(u64) + Sync),
    ) -> Result<()> {
        let mut session = self.open().await?;
        let range = HeaderValue::try_from(format!("bytes={here}-")).unwrap_or(HeaderValue::from_static(""));
        let range = [(RANGE, range)];
        let range: &[_] = if here > 0 { &range } else { &[] };
        let mut answer = session.ask(Method::GET, &path_of(id), range, Bytes::new(), ANSWER).await?;
        let begin = match answer.status {
            StatusCode::PARTIAL_CONTENT => here,
            StatusCode::OK => 0,
            _ => return Err(refused(answer).await),
        };
        let mut sink = Sink::open(part, begin).await?;
        while let Some(piece) = answer.piece().await.transpose() {
            let piece = match piece {
                Ok(piece) => piece,
                Err(why) => {
                    sink.write().await?;
                    return Err(TransferError::Link(why));
                }
            };
            // A server that sends more than it said is not believed.
            if sink.length + (sink.buffer.len() + piece.len()) as u64 > size {
                return Err(TransferError::Checksum);
            }
            if sink.take(&piece).await? {
                told(sink.length);
            }
        }
        sink.write().await?;
        told(sink.length);
        if sink.length < size {
            return Err(TransferError::Link(Why::Lost { detail: "the file ended early".to_owned() }));
        }
        Ok(())
    }
}

impl Session {
    async fn ask(
        &mut self,
        method: Method,
        path: &str,
        more: &[(HeaderName, HeaderValue)],
        body: Bytes,
        within: Duration,
    ) -> Result<Answer> {
        let headers = [&self.headers, more].concat();
        let answer = self.connection.request(method, path, &headers, body, within).await;
        answer.map_err(TransferError::Link)
    }

    /// How much of an upload the server has; none where it has nothing of it.
    async fn status(&mut self, id: FileId) -> Result<Option<UploadState>> {
        let path = format!("{}/status", path_of(id));
        let answer = self.ask(Method::GET, &path, &[], Bytes::new(), ANSWER).await?;
        match answer.status {
            StatusCode::OK => Ok(Some(read_state(answer).await?)),
            StatusCode::NOT_FOUND => match refused(answer).await {
                TransferError::Refused { refusal, .. } if refusal.code == "no_such_file" => Ok(None),
                other => Err(other),
            },
            _ => Err(refused(answer).await),
        }
    }

    async fn put(
        &mut self,
        info: &FileInfo,
        offset: u64,
        bytes: Bytes,
        is_last: bool,
    ) -> Result<UploadState> {
        let FileInfo { id, size, sha256, .. } = info;
        let path = format!("{}?offset={offset}&size={size}&sha256={sha256}", path_of(*id));
        let check = if is_last { Duration::from_secs(size / CHECKED_BYTES_PER_S) } else { Duration::ZERO };
        let answer = self.ask(Method::PUT, &path, &[], bytes, PART + check).await?;
        if answer.status == StatusCode::OK { read_state(answer).await } else { Err(refused(answer).await) }
    }
}

fn path_of(id: FileId) -> String {
    format!("/v1/files/{id}")
}

async fn read_state(answer: Answer) -> Result<UploadState> {
    let body = answer.whole().await.map_err(TransferError::Link)?;
    serde_json::from_slice(&body)
        .map_err(|error| TransferError::Link(Why::Violation { detail: error.to_string() }))
}

/// Why a request was refused, with a sentence of our own where the answer has none.
async fn refused(answer: Answer) -> TransferError {
    let status = answer.status;
    let body = match answer.whole().await {
        Ok(body) => body,
        Err(why) => return TransferError::Link(why),
    };
    let refusal = serde_json::from_slice(&body).unwrap_or_else(|_| FileRefusal {
        code: match status {
            StatusCode::UNAUTHORIZED => "unauthorized".to_owned(),
            StatusCode::NOT_FOUND => "not_offered".to_owned(),
            _ => format!("http_{}", status.as_u16()),
        },
        detail: String::from_utf8_lossy(&body).trim().chars().take(200).collect(),
        ..FileRefusal::default()
    });
    TransferError::Refused { status: status.as_u16(), refusal }
}

fn offered(answer: &Answer) -> Offered {
    let text = |name: HeaderName| answer.headers.get(name).and_then(|value| value.to_str().ok());
    let name = text(CONTENT_DISPOSITION).and_then(|value| value.split_once("filename*=UTF-8''"));
    let decoded =
        name.map(|(_, name)| percent_encoding::percent_decode_str(name).decode_utf8_lossy().into_owned());
    Offered {
        name: decoded.filter(|name| !name.is_empty()),
        size: text(CONTENT_LENGTH).and_then(|length| length.parse().ok()).unwrap_or_default(),
        sha256: text(ETAG).and_then(|tag| tag.trim_matches('"').parse().ok()),
    }
}

/// Reads a part, on a blocking thread.
async fn read_part(source: &Path, file: Option<File>, offset: u64, length: u64) -> Result<(Bytes, File)> {
    let path = source.to_owned();
    let read = move || -> io::Result<(Vec<u8>, File)> {
        let mut file = file.map_or_else(|| File::open(path), Ok)?;
        file.seek(SeekFrom::Start(offset))?;
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
        (&mut file).take(length).read_to_end(&mut bytes)?;
        Ok((bytes, file))
    };
    let (bytes, file) =
        spawn_blocking(read).await.map_err(io::Error::other).and_then(|read| read).map_err(disk(source))?;
    if bytes.len() as u64 != length {
        return Err(TransferError::Changed);
    }
    Ok((Bytes::from(bytes), file))
}

/// A file that is being downloaded.
struct Sink {
    path: PathBuf,
    file: Option<File>,
    buffer: Vec<u8>,
    /// Bytes that are written.
    length: u64,
}

impl Sink {
    async fn open(path: &Path, begin: u64) -> Result<Sink> {
        let at = path.to_owned();
        let open = move || -> io::Result<File> {
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(false);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut file = options.open(at)?;
            file.set_len(begin)?;
            file.seek(SeekFrom::Start(begin))?;
            Ok(file)
        };
        let file =
            spawn_blocking(open).await.map_err(io::Error::other).and_then(|file| file).map_err(disk(path))?;
        Ok(Sink { path: path.to_owned(), file: Some(file), buffer: Vec::new(), length: begin })
    }

    /// Returns whether it wrote.
    async fn take(&mut self, bytes: &[u8]) -> Result<bool> {
        self.buffer.extend_from_slice(bytes);
        let is_due = self.buffer.len() >= PIECE_BYTES;
        if is_due {
            self.write().await?;
        }
        Ok(is_due)
    }

    async fn write(&mut self) -> Result<()> {
        let Some(mut file) = self.file.take() else { return Ok(()) };
        let buffer = std::mem::take(&mut self.buffer);
        let count = buffer.len() as u64;
        let write = move || file.write_all(&buffer).map(|()| file);
        let written = spawn_blocking(write).await.map_err(io::Error::other).and_then(|written| written);
        self.file = Some(written.map_err(disk(&self.path))?);
        self.length += count;
        Ok(())
    }
}

/// The SHA-256 and the size of a file. Blocks.
///
/// # Errors
/// When it cannot be read.
pub fn hash_file(path: &Path) -> io::Result<(FileHash, u64)> {
    let (mut file, mut digest, mut length) = (File::open(path)?, Sha256::new(), 0);
    let mut buffer = vec![0; PIECE_BYTES];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok((FileHash(digest.finalize().into()), length)),
            Ok(count) => {
                digest.update(&buffer[..count]);
                length += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Copies a file into a folder of ours, private to its owner, and returns its SHA-256 and size. Later changes to the
/// original do not matter. Blocks.
///
/// # Errors
/// When it cannot be read or written. Nothing is left of the copy then.
pub fn copy_in(from: &Path, to: &Path) -> io::Result<(FileHash, u64)> {
    if let Some(folder) = to.parent() {
        private_file::create_dir(folder)?;
    }
    let copied = || -> io::Result<(FileHash, u64)> {
        let mut source = File::open(from)?;
        if !source.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut target = options.open(to)?;
        let (mut digest, mut length, mut buffer) = (Sha256::new(), 0, vec![0; PIECE_BYTES]);
        loop {
            let count = match source.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            digest.update(&buffer[..count]);
            target.write_all(&buffer[..count])?;
            length += count as u64;
        }
        target.sync_all()?;
        Ok((FileHash(digest.finalize().into()), length))
    };
    copied().inspect_err(|_| _ = fs::remove_file(to))
}

/// The size of a picture that can be shown, in pixels; none for any other file. Blocks.
pub fn picture_size(path: &Path) -> Option<(u32, u32)> {
    pictures::dimensions(path)
}

/// When to try again, as for links.
#[derive(Debug)]
pub struct Retry {
    failures: u32,
    since: Option<Instant>,
    jitter: Jitter,
}

impl Default for Retry {
    fn default() -> Self {
        let seed = clock::random::<8>().map_or(0, u64::from_le_bytes);
        Retry { failures: 0, since: None, jitter: Jitter::new(seed) }
    }
}

impl Retry {
    /// The transfer went on.
    pub fn progressed(&mut self) {
        (self.failures, self.since) = (0, None);
    }

    /// An attempt failed: how long to wait before the next one.
    pub fn wait(&mut self) -> Duration {
        let since = *self.since.get_or_insert_with(Instant::now);
        self.failures += 1;
        let down_ms = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(delay_ms(self.failures, down_ms, None, &mut self.jitter))
    }

    /// How long nothing has gone on.
    pub fn stuck(&self) -> Duration {
        self.since.map_or(Duration::ZERO, |since| since.elapsed())
    }
}
