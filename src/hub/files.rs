//! The small files of a hub: the owner's token, the identity secret, the address it listens on, and the lock that
//! prevents a second hub. Only their owner can read them.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use super::HubError;
use crate::clock;
use crate::model::profile::Secret;
use crate::model::time::WallMs;
use crate::settings::private_file;
use crate::store::readings::HUB_FILE as HUB_READINGS;

/// The owner's token.
const TOKEN: &str = "token";
/// The secret for [`proof`].
const SECRET: &str = "hub.secret";
/// The address of the hub while it runs.
const BEACON: &str = "hub.json";
/// The port of the last run, to be reused.
const PORT: &str = "hub.port";
/// Locked while the hub runs.
const LOCK: &str = "hub.lock";
/// Number of attempts to take the lock from a short-running command, and the pause between them.
const MAX_LOCK_ATTEMPTS: u32 = 40;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// How to reach a running hub. Stored in `DIR/hub.json` while the hub runs, and left there by a crash; readers verify
/// the hub's proof before they send a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HubAddressFile {
    /// The socket's URL.
    pub url: String,
    /// The hub's process id.
    pub pid: u32,
    /// When it started, in Unix milliseconds.
    pub started: WallMs,
    /// SHA-256 of its certificate, 64 hexadecimal digits, if it is self-signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// The socket's URL as this computer reaches it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local: Option<String>,
    /// Path of its certificate, if the owner supplied one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
    /// How other computers reach it on the local network, while that listener is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lan: Option<LanEndpoint>,
}

/// How a hub is reached on the local network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LanEndpoint {
    /// The socket's URL.
    pub url: String,
    /// Other host names or addresses with the same port.
    pub also: Vec<String>,
    /// SHA-256 of the certificate, 64 hexadecimal digits.
    pub fingerprint: String,
    /// The hub's display name.
    pub name: String,
}

impl HubAddressFile {
    /// Reads the address of the hub that runs, or crashed, in this data directory.
    pub fn read(data_dir: &Path) -> Option<HubAddressFile> {
        serde_json::from_slice(&fs::read(data_dir.join(BEACON)).ok()?).ok()
    }

    /// The socket's URL as this computer reaches it.
    pub fn local_url(&self) -> &str {
        self.local.as_ref().unwrap_or(&self.url)
    }

    /// SHA-256 of its certificate, self-signed or not; `None` without TLS or if it cannot be read.
    pub fn pin(&self) -> Option<String> {
        let of_file = || super::tls::fingerprint_of(self.certificate.as_ref()?);
        self.fingerprint.clone().or_else(of_file)
    }

    pub(super) fn write(&self, data_dir: &Path) -> Result<(), HubError> {
        let path = data_dir.join(BEACON);
        // Serialising text and numbers cannot fail.
        let text = serde_json::to_vec(self).unwrap_or_default();
        private_file::write(&path, &text).map_err(HubError::file(path))
    }

    pub(super) fn remove(data_dir: &Path) {
        let path = data_dir.join(BEACON);
        if let Err(error) = fs::remove_file(&path) {
            log::warn!("cannot remove {}: {error}", path.display());
        }
    }
}

/// Whether this data directory has ever been used by a hub.
pub fn is_there(data_dir: &Path) -> bool {
    data_dir.join(SECRET).exists()
}

/// Whether a hub is running on this data directory.
pub fn is_running(data_dir: &Path) -> bool {
    let lock = File::open(data_dir.join(LOCK));
    lock.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// Whether this text has the form of a token.
pub(super) fn is_token(text: &str) -> bool {
    bytes_of(text).is_some()
}

fn bytes_of(digits: &str) -> Option<[u8; 32]> {
    HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok()?.try_into().ok()
}

/// The owner's token in this data directory, created on the first start.
///
/// # Errors
/// If there is no token yet, or it cannot be read.
pub fn token(data_dir: &Path) -> Result<Secret, HubError> {
    let path = data_dir.join(TOKEN);
    let text = fs::read_to_string(&path).map_err(HubError::file(&path))?;
    match is_token(text.trim()) {
        true => Ok(Secret::new(text.trim())),
        false => Err(HubError::Damaged { path, detail: "expected 64 hexadecimal digits".to_owned() }),
    }
}

/// The secret that proves the identity of this data directory's hub, created on the first start.
///
/// # Errors
/// If there is no secret yet, or it cannot be read.
pub fn secret(data_dir: &Path) -> Result<[u8; 32], HubError> {
    let path = data_dir.join(SECRET);
    let text = fs::read_to_string(&path).map_err(HubError::file(&path))?;
    let bytes = bytes_of(text.trim());
    let detail = || "expected 64 hexadecimal digits".to_owned();
    bytes.ok_or_else(|| HubError::Damaged { path, detail: detail() })
}

/// Returns the owner's token; creates it if there is none.
pub(super) fn ensure_token(data_dir: &Path) -> Result<Secret, HubError> {
    ensure_hex(&data_dir.join(TOKEN))?;
    token(data_dir)
}

/// The owner's token before it was replaced, to undo the replacement.
pub(super) struct FormerToken {
    path: PathBuf,
    content: Vec<u8>,
}

impl FormerToken {
    /// Restores the file. If that fails, the next start gives the owner the token in the file.
    pub(super) fn put_back(self) {
        if let Err(error) = rewrite(&self.path, &self.content) {
            log::error!("cannot write {}: {error}", self.path.display());
        }
    }
}

/// Replaces the owner's token. Blocks.
pub(super) fn replace_token(data_dir: &Path, token: &Secret) -> Result<FormerToken, HubError> {
    let path = data_dir.join(TOKEN);
    let content = fs::read(&path).map_err(HubError::file(&path))?;
    let text = format!("{}\n", token.reveal());
    rewrite(&path, text.as_bytes()).map_err(HubError::file(&path))?;
    Ok(FormerToken { path, content })
}

/// Rewrites a file and keeps its owner: root may do this for the hub's user.
fn rewrite(path: &Path, content: &[u8]) -> io::Result<()> {
    #[cfg(unix)]
    let owner = fs::metadata(path).map(|file| {
        use std::os::unix::fs::MetadataExt as _;
        (file.uid(), file.gid())
    });
    private_file::write(path, content)?;
    #[cfg(unix)]
    if let Ok((user, group)) = owner {
        std::os::unix::fs::chown(path, Some(user), Some(group))?;
    }
    Ok(())
}

/// The path of the owner's token.
pub(super) fn token_file(data_dir: &Path) -> PathBuf {
    data_dir.join(TOKEN)
}

/// Returns the hub's secret; creates it if there is none.
pub(super) fn ensure_secret(data_dir: &Path) -> Result<[u8; 32], HubError> {
    ensure_hex(&data_dir.join(SECRET))?;
    secret(data_dir)
}

/// Files, besides the databases, that a backup contains if they exist.
pub(super) const TO_COPY: [&str; 6] =
    [TOKEN, SECRET, PORT, super::tls::CERT, super::tls::KEY, super::hook::FILE];

/// Files of a hub in a data directory without a log: if there are any, the log was lost. A first start creates them
/// after the log, the token last.
pub(super) fn left_over(data_dir: &Path) -> Vec<String> {
    let is_left = |name: &str| {
        let is_known = [TOKEN, SECRET, BEACON, PORT].contains(&name) || name.starts_with(HUB_READINGS);
        is_known || name.starts_with("hub.db.before-") || name.starts_with("hub.db.damaged-")
    };
    let names = fs::read_dir(data_dir).into_iter().flatten().flatten();
    let names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut left: Vec<String> = names.filter(|name| is_left(name) && !name.ends_with(".part")).collect();
    left.sort();
    left
}

fn ensure_hex(path: &Path) -> Result<(), HubError> {
    if let Some(detail) = private_file::is_foreign(path) {
        return Err(HubError::NotOwn { path: path.to_owned(), detail });
    }
    if path.exists() {
        return Ok(());
    }
    let text = HEXLOWER.encode(&clock::random::<32>()?) + "\n";
    private_file::write(path, text.as_bytes()).map_err(HubError::file(path))
}

/// The port of the previous run.
pub(super) fn last_port(data_dir: &Path) -> Option<u16> {
    fs::read_to_string(data_dir.join(PORT)).ok()?.trim().parse().ok()
}

/// Remembers the port. If that fails, the next run takes another one.
pub(super) fn keep_port(data_dir: &Path, port: u16) {
    if last_port(data_dir) != Some(port)
        && let Err(error) = private_file::write(&data_dir.join(PORT), format!("{port}\n").as_bytes())
    {
        log::warn!("cannot remember the port: {error}");
    }
}

/// Creates the data directory, private to its owner, and takes its lock. The lock lasts as long as the returned file;
/// the system releases it when the process ends.
pub(super) fn take(data_dir: &Path) -> Result<File, HubError> {
    private_file::create_dir(data_dir).map_err(HubError::file(data_dir))?;
    let path = data_dir.join(LOCK);
    let file = private(OpenOptions::new().write(true).create(true).truncate(false)).open(&path);
    let file = file.map_err(HubError::file(&path))?;
    match file.try_lock() {
        Ok(()) => {
            // File systems without permissions, such as on most USB sticks, cannot restrict access.
            if let Err(error) = private_file::close(data_dir) {
                log::warn!("cannot restrict access to {}: {error}", data_dir.display());
            }
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => Err(HubError::AlreadyRunning { data_dir: data_dir.to_owned() }),
        Err(TryLockError::Error(source)) => Err(HubError::File { path, source }),
    }
}

/// Like [`take`], for a hub: waits for commands that hold the lock for a moment, and removes the address left by a
/// crash.
pub(super) async fn take_to_serve(data_dir: &Path) -> Result<File, HubError> {
    let mut looks = MAX_LOCK_ATTEMPTS;
    let lock = loop {
        match take(data_dir) {
            Err(HubError::AlreadyRunning { .. }) if looks > 0 && HubAddressFile::read(data_dir).is_none() => {
                looks -= 1;
                sleep(LOCK_PAUSE).await;
            }
            taken => break taken?,
        }
    };
    match fs::remove_file(data_dir.join(BEACON)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            log::warn!("cannot remove {BEACON}: {error}");
        }
        _ => {}
    }
    Ok(lock)
}

/// On Windows the directory's access list does this.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_created_once_and_private() {
        let dir = tempfile::tempdir().unwrap();
        let (token, secret) = (ensure_token(dir.path()).unwrap(), ensure_secret(dir.path()).unwrap());
        assert_eq!(ensure_token(dir.path()).unwrap(), token);
        assert_eq!(ensure_secret(dir.path()).unwrap(), secret);
        #[cfg(unix)]
        for name in [TOKEN, SECRET] {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(dir.path().join(name)).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_damaged_token_is_reported_and_not_changed() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(TOKEN), "half").unwrap();
        assert!(matches!(ensure_token(dir.path()), Err(HubError::Damaged { .. })));
        assert_eq!(fs::read_to_string(dir.path().join(TOKEN)).unwrap(), "half");
    }

    #[test]
    fn a_directory_can_be_locked_only_once() {
        let dir = tempfile::tempdir().unwrap();
        let lock = take(dir.path()).unwrap();
        assert!(matches!(take(dir.path()), Err(HubError::AlreadyRunning { .. })));
        drop(lock);
        take(dir.path()).unwrap();
    }
}
