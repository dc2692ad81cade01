//! [`HubError`]: why a hub does not run. Each says what to do.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

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
    /// The database.
    #[error(
        "the hub's database: {source}; the disk may be full, read-only or damaged, or a later version wrote it"
    )]
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

impl HubError {
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
