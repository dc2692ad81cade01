//! What a hub keeps beside its database: the owner's token, the secret it proves itself with, where it listens, and the
//! lock that keeps a second hub away. All of it is readable by its owner only.

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
use crate::settings::private_file;
use crate::store::readings::HUB_FILE as HUB_READINGS;

/// The owner's token.
const TOKEN: &str = "token";
/// The secret for [`proof`].
const SECRET: &str = "hub.secret";
/// Where the hub listens, as long as it runs.
const BEACON: &str = "hub.json";
/// The port it had last, so that it has the same one again.
const PORT: &str = "hub.port";
/// Locked as long as the hub runs.
const LOCK: &str = "hub.lock";
/// How often a hub looks whether a command has given the lock back, and how long it waits in between.
const LOOKS: u32 = 40;
const PAUSE: Duration = Duration::from_millis(50);

/// Where a running hub is found. `DIR/hub.json` holds it as long as the hub runs, and after a crash; whoever reads it
/// asks the hub for its proof before telling it a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beacon {
    /// The socket's URL.
    pub url: String,
    /// The hub's process.
    pub pid: u32,
    /// When it started, in Unix milliseconds.
    pub started: i64,
    /// SHA-256 of the certificate, 64 hexadecimal digits, where it signed its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// The socket's URL as this computer reaches it, whatever name or address others use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local: Option<String>,
    /// The file of its certificate, where it was given one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
    /// How others reach it on the local network, while it is open to that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lan: Option<LanWay>,
}

/// How a hub is reached on the local network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LanWay {
    /// The socket's URL.
    pub url: String,
    /// Other hosts by which it is reached at the same port.
    pub also: Vec<String>,
    /// SHA-256 of the certificate, 64 hexadecimal digits.
    pub fingerprint: String,
    /// The hub's name for people.
    pub name: String,
}

impl Beacon {
    /// The hub that runs on this data directory, or ran there and crashed.
    pub fn read(data_dir: &Path) -> Option<Beacon> {
        serde_json::from_slice(&fs::read(data_dir.join(BEACON)).ok()?).ok()
    }

    /// The socket's URL as this computer reaches it.
    pub fn local_url(&self) -> &str {
        self.local.as_ref().unwrap_or(&self.url)
    }

    /// SHA-256 of the certificate it has, whoever signed that; none without TLS, or where it cannot be read.
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

/// Whether a hub was ever started on this data directory.
pub fn is_there(data_dir: &Path) -> bool {
    data_dir.join(SECRET).exists()
}

/// Whether a hub runs on this data directory.
pub fn is_running(data_dir: &Path) -> bool {
    let lock = File::open(data_dir.join(LOCK));
    lock.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// Whether this has the form of a token.
pub(super) fn is_token(text: &str) -> bool {
    bytes_of(text).is_some()
}

fn bytes_of(digits: &str) -> Option<[u8; 32]> {
    HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok()?.try_into().ok()
}

/// The owner's token on this data directory, made by the hub's first start.
///
/// # Errors
/// When there is none yet, or it is not readable.
pub fn token(data_dir: &Path) -> Result<Secret, HubError> {
    let path = data_dir.join(TOKEN);
    let text = fs::read_to_string(&path).map_err(HubError::file(&path))?;
    match is_token(text.trim()) {
        true => Ok(Secret::new(text.trim())),
        false => Err(HubError::Damaged { path, detail: "it does not hold 64 hexadecimal digits".to_owned() }),
    }
}

/// The secret that the hub of this data directory proves itself with, made by its first start.
///
/// # Errors
/// When there is none yet, or it is not readable.
pub fn secret(data_dir: &Path) -> Result<[u8; 32], HubError> {
    let path = data_dir.join(SECRET);
    let text = fs::read_to_string(&path).map_err(HubError::file(&path))?;
    let bytes = bytes_of(text.trim());
    let detail = || "it does not hold 64 hexadecimal digits".to_owned();
    bytes.ok_or_else(|| HubError::Damaged { path, detail: detail() })
}

/// The owner's token; makes one where there is none.
pub(super) fn ensure_token(data_dir: &Path) -> Result<Secret, HubError> {
    ensure_hex(&data_dir.join(TOKEN))?;
    token(data_dir)
}

/// What the owner's token was before it was replaced.
pub(super) struct FormerToken {
    path: PathBuf,
    content: Vec<u8>,
}

impl FormerToken {
    /// Writes it again. Where even that fails, the next start makes what the file has the owner's token.
    pub(super) fn put_back(self) {
        if let Err(error) = rewrite(&self.path, &self.content) {
            log::error!("cannot write {}: {error}", self.path.display());
        }
    }
}

/// Writes another token of the owner's. Blocks.
pub(super) fn replace_token(data_dir: &Path, token: &Secret) -> Result<FormerToken, HubError> {
    let path = data_dir.join(TOKEN);
    let content = fs::read(&path).map_err(HubError::file(&path))?;
    let text = format!("{}\n", token.reveal());
    rewrite(&path, text.as_bytes()).map_err(HubError::file(&path))?;
    Ok(FormerToken { path, content })
}

/// Writes a file that stays whose it was: the system's administrator may do it for the hub's user.
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

/// Where the owner's token is.
pub(super) fn token_file(data_dir: &Path) -> PathBuf {
    data_dir.join(TOKEN)
}

/// The hub's secret; makes one where there is none.
pub(super) fn ensure_secret(data_dir: &Path) -> Result<[u8; 32], HubError> {
    ensure_hex(&data_dir.join(SECRET))?;
    secret(data_dir)
}

/// What a copy of a data directory needs besides the databases, where it is there.
pub(super) const TO_COPY: [&str; 5] = [TOKEN, SECRET, PORT, super::tls::CERT, super::tls::KEY];

/// What of a hub is in a data directory that has no log: where there is any, the log was lost. A first start makes these
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

/// Remembers the port. Where that fails, the next run takes another one.
pub(super) fn keep_port(data_dir: &Path, port: u16) {
    if last_port(data_dir) != Some(port)
        && let Err(error) = private_file::write(&data_dir.join(PORT), format!("{port}\n").as_bytes())
    {
        log::warn!("cannot remember the port: {error}");
    }
}

/// Makes the data directory, its owner's alone, and takes its lock. Whoever holds the file holds the directory; the
/// system lets go of it when the process ends, however it ends.
pub(super) fn take(data_dir: &Path) -> Result<File, HubError> {
    private_file::create_dir(data_dir).map_err(HubError::file(data_dir))?;
    let path = data_dir.join(LOCK);
    let file = private(OpenOptions::new().write(true).create(true).truncate(false)).open(&path);
    let file = file.map_err(HubError::file(&path))?;
    match file.try_lock() {
        Ok(()) => {
            // A file system without owners, as on most USB sticks, has nobody to close it to.
            if let Err(error) = private_file::close(data_dir) {
                log::warn!("{} cannot be closed to others: {error}", data_dir.display());
            }
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => Err(HubError::AlreadyRunning { data_dir: data_dir.to_owned() }),
        Err(TryLockError::Error(source)) => Err(HubError::File { path, source }),
    }
}

/// The same for a hub: a command that changes the database while no hub runs has the lock for a moment. What a hub that
/// crashed said of where it listened is no longer so.
pub(super) async fn take_to_serve(data_dir: &Path) -> Result<File, HubError> {
    let mut looks = LOOKS;
    let lock = loop {
        match take(data_dir) {
            Err(HubError::AlreadyRunning { .. }) if looks > 0 && Beacon::read(data_dir).is_none() => {
                looks -= 1;
                sleep(PAUSE).await;
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

/// On Windows the folder's access list does this.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_made_once_and_only_their_owner_reads_them() {
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
    fn a_damaged_token_is_told_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(TOKEN), "half").unwrap();
        assert!(matches!(ensure_token(dir.path()), Err(HubError::Damaged { .. })));
        assert_eq!(fs::read_to_string(dir.path().join(TOKEN)).unwrap(), "half");
    }

    #[test]
    fn a_directory_is_taken_once() {
        let dir = tempfile::tempdir().unwrap();
        let lock = take(dir.path()).unwrap();
        assert!(matches!(take(dir.path()), Err(HubError::AlreadyRunning { .. })));
        drop(lock);
        take(dir.path()).unwrap();
    }
}
