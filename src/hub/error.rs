//! [`HubError`]: why a hub does not run. Each says what to do.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::model::name::BadName;
use crate::store::StoreError;

/// Why a hub does not run.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// Somebody else listens there.
    #[error("{address} is in use by another program; stop that one or choose another port with --listen")]
    PortInUse {
        /// Where it was to listen.
        address: SocketAddr,
    },
    /// The system does not let it listen there.
    #[error("cannot listen on {address}: {source}; choose an address of this computer with --listen")]
    Listen {
        /// Where it was to listen.
        address: SocketAddr,
        /// The system's words.
        source: io::Error,
    },
    /// Beyond loopback without TLS.
    #[error(
        "{address} can be reached from other computers, so the hub needs TLS there: give --tls-cert and --tls-key, \
         or --tls-self-signed, or --insecure to let everybody on the way read along"
    )]
    TlsRequired {
        /// Where it was to listen.
        address: SocketAddr,
    },
    /// A certificate or key that cannot be used.
    #[error("cannot use the certificate or key {}: {detail}; give PEM files that belong together", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// Another hub has the same data directory.
    #[error("another hub runs on {}; stop it, or choose another directory with --data-dir", data_dir.display())]
    AlreadyRunning {
        /// The directory.
        data_dir: PathBuf,
    },
    /// A file in the data directory.
    #[error("cannot read or write {}: {source}; make the directory yours, or choose another with --data-dir", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// A file in the data directory that says something else than it should.
    #[error("{} is damaged: {detail}; move it away and start again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// A hub has lived here, and its log is gone.
    #[error(
        "{} is missing or empty, but a hub has lived here ({} still there), so no new log is begun in its place; {}, or, to \
         begin a new and empty log, start once with `duplexctl hub --new-log --data-dir {}`",
        path.display(), are(left), way_back(left), data_dir.display()
    )]
    LogMissing {
        /// Where the log should be.
        path: PathBuf,
        /// The directory.
        data_dir: PathBuf,
        /// What of the hub is still there.
        left: Vec<String>,
    },
    /// The log is damaged, or not a hub's.
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
    /// Nothing can be saved of a log.
    #[error(
        "{} cannot be repaired: {detail}; restore a backup, or begin a new and empty log with \
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
    /// A new log was asked for where there is one.
    #[error("there is a log in {}; leave --new-log out", data_dir.display())]
    LogThere {
        /// The directory.
        data_dir: PathBuf,
    },
    /// A hub runs on what is to be repaired.
    #[error("a hub runs on {}; stop it first: nothing can be repaired under it", data_dir.display())]
    Running {
        /// The directory.
        data_dir: PathBuf,
    },
    /// A copy is to be made where something is.
    #[error("{} is there already; name a directory that is not there yet, or is empty", path.display())]
    InTheWay {
        /// The directory.
        path: PathBuf,
    },
    /// A copy that is not as good as what it was made of.
    #[error(
        "the copy is not sound and was removed: {detail}; `duplexctl hub check` says more about the original"
    )]
    BadCopy {
        /// What was found.
        detail: String,
    },
    /// A file that must be its owner's alone is not.
    #[error("{} {detail}; nobody else may have a say in it: make it a file of your own", path.display())]
    NotOwn {
        /// The file.
        path: PathBuf,
        /// What it is.
        detail: &'static str,
    },
    /// The database.
    #[error("the hub's database: {source}; the disk may be full or read-only, or a later version wrote it")]
    Store {
        /// What the store says.
        source: StoreError,
    },
    /// The system has no randomness, no thread or no runtime to give.
    #[error("the system does not give what a hub needs: {detail}; restart the computer")]
    System {
        /// Its words.
        detail: String,
    },
    /// A device's id that is none.
    #[error(
        "{id:?} cannot be a device's id: it has 1 to 64 characters, no control characters, no ~ at its beginning"
    )]
    BadDeviceId {
        /// The id.
        id: String,
    },
    /// A device's id that no address over HTTP can name.
    #[error("{id:?} cannot be a device's id: no web address can reach it; add a letter or a digit")]
    UnreachableId {
        /// The id.
        id: String,
    },
    /// A name that cannot be given to anything.
    #[error("{why}; choose another one")]
    BadName {
        /// What is wrong with it.
        why: BadName,
    },
    /// A device's id that somebody else has.
    #[error("{id:?} is somebody who chats, not a device; choose another id")]
    IdTaken {
        /// The id.
        id: String,
    },
    /// The owner's token was withdrawn.
    #[error(
        "the token in {} was withdrawn and lets nobody in any more; remove that file and start again: a new one is made, \
         and the owner keeps their name and messages",
        path.display()
    )]
    TokenWithdrawn {
        /// The file.
        path: PathBuf,
    },
    /// The owner's token is that of somebody who is no admin.
    #[error(
        "the token in {} is that of {name:?}, who is no admin; remove that file and start again: a new one is made",
        path.display()
    )]
    TokenNotAdmins {
        /// The file.
        path: PathBuf,
        /// Whose token it is.
        name: String,
    },
    /// No hub was ever started there.
    #[error("there is no hub in {}; say where it keeps its data: --data-dir DIR", data_dir.display())]
    NoHub {
        /// The directory.
        data_dir: PathBuf,
    },
    /// There are as many invites as there may be.
    #[error("there are as many unused invites as a hub takes; remove some first")]
    TooManyInvites,
    /// An invite needs an address to say.
    #[error(
        "no hub runs on {}, so its address is not known; start it first, or give the address with --url",
        data_dir.display()
    )]
    NotRunning {
        /// The directory.
        data_dir: PathBuf,
    },
}

/// Where a lost log may still be.
fn way_back(left: &[String]) -> &'static str {
    let is_aside = left.iter().any(|name| name.starts_with("hub.db.damaged-"));
    if is_aside {
        "`duplexctl hub repair` saves what was set aside of it"
    } else {
        "restore it from a backup"
    }
}

fn are(files: &[String]) -> String {
    format!("{} {}", files.join(", "), if files.len() == 1 { "is" } else { "are" })
}

impl HubError {
    /// A log's error: what is damaged has a way out of its own.
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
