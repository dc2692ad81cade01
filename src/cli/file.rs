//! `duplexctl file`: sends a file into a room, and gets one.

use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::args::{File, GetFile, SendFile, Server};
use super::follow::file_server;
use super::reason::reason_of;
use super::send::{self, new_id, send_one};
use super::{Exit, Failure, print};
use crate::model::file::{self, FileId, FileInfo, MAX_NAME_BYTES};
use crate::model::message::MAX_BODY_BYTES;
use crate::model::{Content, MessageId};
use crate::worker::file_transfer::{Offered, Retry, TransferError, hash_file, picture_size};

/// How often a person at a terminal is told how far a file is, in bytes.
const TOLD_BYTES: u64 = 16 * 1024 * 1024;

pub(super) async fn run(command: File) -> Result<(), Failure> {
    match command {
        File::Send(command) => send(command).await,
        File::Get(command) => get(command).await,
    }
}

async fn send(command: SendFile) -> Result<(), Failure> {
    let message = command.id.map_or_else(new_id, Ok)?;
    let info = describe(&command.path, message).await?;
    let body = match &command.text {
        Some(text) => send::text(text, MAX_BODY_BYTES)?,
        None => String::new(),
    };
    let body = if body.is_empty() { file::file_body(&info.name, info.size) } else { body };
    let server = file_server(&command.server)?;
    let progress = Progress::new(info.size);
    let again = |failure: Failure| {
        let id = format!("; to go on from there, send it again with --id {message}");
        let is_open = matches!(failure.exit, Exit::TimedOut);
        Failure { sentence: if is_open { failure.sentence + &id } else { failure.sentence }, ..failure }
    };
    let told = |offset| progress.tell(offset);
    let upload = || server.upload(&command.path, &info, &told);
    retried(&command.server, command.timeout, &progress, upload).await.map_err(again)?;
    let content = Content::text(body).with_file(&info);
    send_one(&command.server, command.room, content, Some(message), command.timeout).await?;
    print::line(&info.id.to_string())
}

/// What is told of a file. Its id follows from that of its message, so that sending both again goes on.
async fn describe(path: &Path, message: MessageId) -> Result<FileInfo, Failure> {
    let failed = |error: std::io::Error| Failure::new(Exit::Failed, format!("{}: {error}", path.display()));
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(Failure::new(Exit::Failed, format!("{} is not a file", path.display())));
    }
    let hashed = path.to_owned();
    let look = move || hash_file(&hashed).map(|(sha256, size)| (sha256, size, picture_size(&hashed)));
    let looked = spawn_blocking(look).await.map_err(std::io::Error::other);
    let (sha256, size, picture) = looked.and_then(|looked| looked).map_err(failed)?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut name = file::save_name(&name);
    while name.len() > MAX_NAME_BYTES {
        name.pop();
    }
    let digest: [u8; 32] =
        Sha256::new().chain_update(b"duplex file").chain_update(message.0.as_bytes()).finalize().into();
    let mut id = [0; 16];
    id.copy_from_slice(&digest[..16]);
    let media_type = file::media_type(&name).to_owned();
    let (width, height) = picture.filter(|_| file::picture_type(&name).is_some()).unzip();
    Ok(FileInfo { id: FileId::from_random(id), name, size, sha256, media_type, width, height })
}

async fn get(command: GetFile) -> Result<(), Failure> {
    let server = file_server(&command.server)?;
    let asked = Progress::new(0);
    let offered = || server.offered(command.id);
    let Offered { name, size, sha256 } = retried(&command.server, command.timeout, &asked, offered).await?;
    let sha256 =
        sha256.ok_or_else(|| Failure::new(Exit::Refused, "the server does not say what the file must be"))?;
    let to = match command.output {
        Some(path) => path,
        None => PathBuf::from(file::save_name(&name.unwrap_or_else(|| command.id.to_string()))),
    };
    // Before anything is downloaded.
    if !command.force && fs::symlink_metadata(&to).is_ok() {
        return Err(in_the_way(&to));
    }
    let part = part_of(&to, command.id);
    let progress = Progress::new(size);
    let told = |here| progress.tell(here);
    let download = || server.download(command.id, size, sha256, &part, &told);
    retried(&command.server, command.timeout, &progress, download).await?;
    put_in_place(&part, &to, command.force)?;
    print::line(&to.display().to_string())
}

/// Where a download lies until it is complete: beside its target, so that the same command goes on.
fn part_of(to: &Path, id: FileId) -> PathBuf {
    let mut name = to.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", &id.to_string()[..8]));
    to.with_file_name(name)
}

fn in_the_way(to: &Path) -> Failure {
    let sentence = format!(
        "{} is there already: choose another name with -o, or overwrite it with --force",
        to.display()
    );
    Failure::new(Exit::Failed, sentence)
}

/// A complete download gets its name. Without `force` nothing that came into being meanwhile is overwritten.
fn put_in_place(part: &Path, to: &Path, force: bool) -> Result<(), Failure> {
    let failed = |error: std::io::Error| match error.kind() {
        ErrorKind::AlreadyExists => in_the_way(to),
        _ => Failure::new(Exit::Failed, format!("{}: {error}", to.display())),
    };
    if !force {
        // Reserves the name.
        OpenOptions::new().write(true).create_new(true).open(to).map_err(failed)?;
    }
    fs::rename(part, to).map_err(failed)
}

/// Tries until it works, until nothing goes on for `timeout`, or until trying again makes no sense.
async fn retried<T, F>(
    server: &Server,
    timeout: Duration,
    progress: &Progress,
    attempt: impl Fn() -> F,
) -> Result<T, Failure>
where
    F: Future<Output = Result<T, TransferError>>,
{
    let mut retry = Retry::default();
    loop {
        let before = progress.reached();
        let error = match attempt().await {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        if progress.reached() > before {
            retry.progressed();
        }
        if !error.is_retryable() {
            return Err(failure(server, &error));
        }
        let wait = retry.wait();
        if retry.stuck() + wait > timeout {
            return Err(Failure { exit: Exit::TimedOut, ..failure(server, &error) });
        }
        sleep(wait).await;
    }
}

fn failure(server: &Server, error: &TransferError) -> Failure {
    match error {
        TransferError::Link(why) => Failure::new(Exit::Refused, reason_of(server, why)),
        TransferError::Refused { refusal, .. } => {
            let limit = match (refusal.code.as_str(), refusal.limit) {
                ("too_many", Some(limit)) => format!(" ({limit})"),
                (_, Some(limit)) => format!(" ({})", file::size_text(limit)),
                _ => String::new(),
            };
            let detail = refusal.detail.trim_end_matches('.');
            let sentence = match refusal.code.as_str() {
                "not_offered" => "the server takes no files".to_owned(),
                _ if detail.is_empty() => format!("the server refused it: {}", refusal.code),
                _ => format!("{detail}{limit}"),
            };
            Failure::new(Exit::Refused, print::harmless(&sentence))
        }
        TransferError::Disk { .. } | TransferError::Changed => Failure::new(Exit::Failed, error.to_string()),
        TransferError::Checksum => Failure::new(Exit::Refused, error.to_string()),
    }
}

/// How far a transfer has come.
struct Progress {
    size: u64,
    reached: AtomicU64,
    is_told: bool,
}

impl Progress {
    fn new(size: u64) -> Progress {
        Progress { size, reached: AtomicU64::new(0), is_told: print::is_at_terminal() && size > TOLD_BYTES }
    }

    fn reached(&self) -> u64 {
        self.reached.load(Ordering::Relaxed)
    }

    fn tell(&self, bytes: u64) {
        let before = self.reached.fetch_max(bytes, Ordering::Relaxed);
        if self.is_told && bytes > before && bytes / TOLD_BYTES > before / TOLD_BYTES {
            print::error(&format!("{} of {}", file::size_text(bytes), file::size_text(self.size)));
        }
    }
}
