//! [`HubError`]: why a hub cannot run. Each message says what to do.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::model::name::BadName;
use crate::store::StoreError;

/// Why a hub cannot run.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// The address is in use.
    #[error("{address} is in use by another program; stop that one or choose another port with --listen")]
    PortInUse {
        /// The address.
        address: SocketAddr,
    },
    /// The system does not allow listening on the address.
    #[error("cannot listen on {address}: {source}; choose an address of this computer with --listen")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's error.
        source: io::Error,
    },
    /// A listener beyond loopback without TLS.
    #[error(
        "{address} can be reached from other computers, so the hub needs TLS there: give --tls-cert and --tls-key, \
         or --tls-self-signed, or --insecure to allow unencrypted connections"
    )]
    TlsRequired {
        /// The address.
        address: SocketAddr,
    },
    /// The certificate or key cannot be used.
    #[error("cannot use the certificate or key {}: {detail}; pass PEM files that match", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// Another hub uses the same data directory.
    #[error("another hub runs on {}; stop it, or choose another directory with --data-dir", data_dir.display())]
    AlreadyRunning {
        /// The directory.
        data_dir: PathBuf,
    },
    /// A file in the data directory cannot be read or written.
    #[error("cannot read or write {}: {source}; check the permissions of the directory, or choose another with --data-dir", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A file in the data directory has unexpected content.
    #[error("{} is damaged: {detail}; move it away and start again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// The data directory was in use, but its log is missing.
    #[error(
        "{} is missing or empty, but this directory was in use ({} still there), so no new log is started; {}, or, to \
         begin a new and empty log, start once with `duplexctl hub --new-log --data-dir {}`",
        path.display(), are(left), way_back(left), data_dir.display()
    )]
    LogMissing {
        /// The expected path of the log.
        path: PathBuf,
        /// The directory.
        data_dir: PathBuf,
        /// Files of the hub that still exist.
        left: Vec<String>,
    },
    /// The log is damaged, or is not a hub's log.
    #[error(
        "{} cannot be used: {detail}; run `duplexctl hub repair --data-dir {}` to save what can be read, or restore a \
         backup; nothing was changed",
        path.display(), data_dir.display()
    )]
    LogDamaged {
        /// The log.
        path: PathBuf,
        /// The directory.
        data_dir: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// Nothing in the log can be recovered.
    #[error(
        "{} cannot be repaired: {detail}; restore a backup, or start with a new, empty log with \
         `duplexctl hub --new-log --data-dir {}`, which sets this one aside",
        path.display(), data_dir.display()
    )]
    BeyondRepair {
        /// The log.
        path: PathBuf,
        /// The directory.
        data_dir: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// `--new-log` was given, but there is a log.
    #[error("there is a log in {}; leave --new-log out", data_dir.display())]
    LogThere {
        /// The directory.
        data_dir: PathBuf,
    },
    /// A running hub uses the data that is to be repaired.
    #[error("a hub runs on {}; stop it first; a running hub's data cannot be repaired", data_dir.display())]
    Running {
        /// The directory.
        data_dir: PathBuf,
    },
    /// The target of a backup exists.
    #[error("{} already exists; choose a new or empty directory", path.display())]
    InTheWay {
        /// The directory.
        path: PathBuf,
    },
    /// The backup failed its check.
    #[error("the copy is damaged and was removed: {detail}; run `duplexctl hub check` to check the original")]
    BadCopy {
        /// The check's finding.
        detail: String,
    },
    /// A private file belongs to somebody else or is a link.
    #[error("{} {detail}; replace it with a regular file that you own", path.display())]
    NotOwn {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: &'static str,
    },
    /// The database failed.
    #[error(
        "the hub's database: {source}; the disk may be full or read-only, or the file was written by a newer version"
    )]
    Store {
        /// The store's error.
        source: StoreError,
    },
    /// The system cannot provide randomness, a thread or a runtime.
    #[error("the system cannot provide a resource that the hub needs: {detail}; restart the computer")]
    System {
        /// The system's error.
        detail: String,
    },
    /// A room that the hub does not have.
    #[error("the hub has no room {room:?}; give the name or id of a room")]
    NoSuchRoom {
        /// What was given.
        room: String,
    },
    /// A hook for a direct message.
    #[error(
        "a direct message is between two people, and no program can post into it; give the name or id of a room"
    )]
    DirectHook,
    /// A person that the hub does not have.
    #[error(
        "the hub has nobody called {who:?}, or several; give the id, as `duplexctl people list` shows it"
    )]
    NoSuchPerson {
        /// What was given.
        who: String,
    },
    /// There are as many addresses to call as there may be.
    #[error("there are {most} addresses already; remove one with `duplexctl notify remove`")]
    TooManyCalls {
        /// The maximum.
        most: usize,
    },
    /// There are as many hooks as there may be.
    #[error("there are {most} hooks already; remove one with `duplexctl hook remove`")]
    TooManyHooks {
        /// The maximum.
        most: usize,
    },
    /// A malformed device id.
    #[error(
        "{id:?} is not a valid device id: use 1 to 64 characters, no control characters, and no ~ at the beginning"
    )]
    BadDeviceId {
        /// The id.
        id: String,
    },
    /// A device id that cannot be used in a URL path.
    #[error("{id:?} is not a valid device id: it cannot be used in a URL; add a letter or a digit")]
    UnreachableId {
        /// The id.
        id: String,
    },
    /// An invalid name.
    #[error("{why}; choose another one")]
    BadName {
        /// What is wrong with it.
        why: BadName,
    },
    /// The device id belongs to a person.
    #[error("{id:?} is the id of a person, not of a device; choose another id")]
    IdTaken {
        /// The id.
        id: String,
    },
    /// The owner's token was revoked.
    #[error(
        "the token in {} was revoked; remove that file and start again: a new token is created, \
         and the owner keeps their name and messages",
        path.display()
    )]
    TokenWithdrawn {
        /// The file.
        path: PathBuf,
    },
    /// The owner's token belongs to a principal that is not an admin.
    #[error(
        "the token in {} is that of {name:?}, who is not an admin; remove that file and start again: a new token is created",
        path.display()
    )]
    TokenNotAdmins {
        /// The file.
        path: PathBuf,
        /// The name of that principal.
        name: String,
    },
    /// The directory has never been used by a hub.
    #[error("there is no hub in {}; pass its data directory with --data-dir DIR", data_dir.display())]
    NoHub {
        /// The directory.
        data_dir: PathBuf,
    },
    /// The limit of unused invites is reached.
    #[error("the limit of unused invites is reached; remove some first")]
    TooManyInvites,
    /// The address for an invite is unknown.
    #[error(
        "no hub is running on {}, so its address is unknown; start it first, or pass the address with --url",
        data_dir.display()
    )]
    NotRunning {
        /// The directory.
        data_dir: PathBuf,
    },
}

/// What to do about a lost log.
fn way_back(left: &[String]) -> &'static str {
    let is_aside = left.iter().any(|name| name.starts_with("hub.db.damaged-"));
    if is_aside { "recover the damaged file with `duplexctl hub repair`" } else { "restore it from a backup" }
}

fn are(files: &[String]) -> String {
    format!("{} {}", files.join(", "), if files.len() == 1 { "is" } else { "are" })
}

impl HubError {
    /// Converts an error of the log: damage has an error of its own.
    pub(super) fn log(data_dir: &Path, source: StoreError) -> HubError {
        match source {
            StoreError::File { path, source } if source.is_damage() => {
                HubError::LogDamaged { path, data_dir: data_dir.to_owned(), detail: source.to_string() }
            }
            source => HubError::Store { source },
        }
    }

    pub(super) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> HubError {
        let path = path.into();
        |source| HubError::File { path, source }
    }
}

impl From<StoreError> for HubError {
    fn from(source: StoreError) -> Self {
        HubError::Store { source }
    }
}

impl From<getrandom::Error> for HubError {
    fn from(error: getrandom::Error) -> Self {
        HubError::System { detail: error.to_string() }
    }
}
