//! [`Banner`]: something to tell above everything else.

use std::path::PathBuf;
use std::sync::Arc;

use super::id::ConnectionId;

/// Something to tell above everything else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Banner {
    /// There is little space left on the disk: what servers send is not written any more, what is typed is.
    DiskLow,
    /// The disk is full: what is typed and received stays in memory.
    DiskFull,
    /// The database cannot be written.
    DiskReadOnly {
        /// The system's words.
        detail: String,
    },
    /// The database was damaged, and was set aside untouched; a new one was begun.
    DatabaseSetAside {
        /// Where the damaged one is now.
        path: PathBuf,
    },
    /// The database is of a later version; it is left untouched, and nothing is kept.
    DatabaseNewer {
        /// Where it is.
        path: PathBuf,
    },
    /// The settings could not be read and were set aside.
    SettingsSetAside {
        /// Where they are now.
        path: PathBuf,
    },
    /// What devices say cannot be written to the disk: their past will have holes.
    ReadingsNotWritten {
        /// The system's words.
        detail: String,
    },
    /// What devices said was damaged on the disk, and was set aside untouched; a new file was begun.
    ReadingsSetAside {
        /// Where the damaged one is now.
        path: PathBuf,
    },
    /// A part of the app failed and was started again.
    Restarted,
    /// The secret of a connection could not be kept by this computer: it will be asked for again.
    SecretNotKept {
        /// Of which connection.
        connection: ConnectionId,
        /// The system's words.
        detail: String,
    },
    /// No program took a link that was to be opened.
    LinkNotOpened {
        /// Its address.
        url: String,
        /// The system's words.
        detail: String,
    },
    /// The last run of the app did not end properly.
    ClosedUnexpectedly {
        /// What it noted; none if it could note nothing.
        note: Option<Arc<str>>,
    },
    /// A part of the app failed in the last run, which went on and ended properly.
    PartFailed {
        /// What was noted.
        note: Arc<str>,
    },
}
