//! [`StoreError`]: why the disk did not do what it was asked.

use std::path::PathBuf;

use rusqlite::ErrorCode;

/// Why a database could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk is full. Works again once there is space.
    #[error("the disk is full")]
    Full,
    /// The file cannot be written or opened: permissions, a read-only disk, an I/O error, another program's lock.
    #[error("{detail}")]
    Unwritable {
        /// The system's words.
        detail: String,
    },
    /// The file is not a database of ours, or its content is damaged.
    #[error("it is damaged: {detail}")]
    Damaged {
        /// What was found.
        detail: String,
    },
    /// The file was written by a later version of this program; it was left untouched.
    #[error("it is of version {found}, and this program knows versions up to {known}")]
    Newer {
        /// The file's version.
        found: i64,
        /// The highest version this program knows.
        known: i64,
    },
    /// The file was written by an earlier version, and only the program that owns it may migrate it: start that first.
    #[error("it is of version {found}, and version {needed} is needed: start the hub once with this program")]
    Older {
        /// The file's version.
        found: i64,
        /// The version that is needed.
        needed: i64,
    },
    /// A number that the database cannot hold (above 2⁶³ − 1).
    #[error("the number {0} is too large for the database")]
    OutOfRange(u64),
    /// A value in the database that does not mean anything.
    #[error("the database holds something that makes no sense: {0}")]
    Nonsense(String),
    /// The thread that does this has ended.
    #[error("the database is closed")]
    Closed,
    /// The search index is damaged; the messages are not, and it can be made anew from them.
    #[error("the search index is damaged")]
    IndexDamaged,
    /// Anything else that SQLite reports; a fault of this program.
    #[error("the database reports: {0}")]
    Sqlite(#[source] rusqlite::Error),
    /// One of the above, about this file.
    #[error("cannot use {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<StoreError>,
    },
}

impl StoreError {
    /// The same, naming the file.
    pub(super) fn at(self, path: impl Into<PathBuf>) -> Self {
        StoreError::File { path: path.into(), source: Box::new(self) }
    }

    /// Whether the same may work later: the disk's fault, not the content's.
    pub fn is_retryable(&self) -> bool {
        match self {
            StoreError::Full | StoreError::Unwritable { .. } => true,
            StoreError::File { source, .. } => source.is_retryable(),
            _ => false,
        }
    }

    /// Whether the file is not a database of ours, or damaged.
    pub fn is_damage(&self) -> bool {
        match self {
            StoreError::Damaged { .. } => true,
            StoreError::File { source, .. } => source.is_damage(),
            _ => false,
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let detail = error.to_string();
        if error.sqlite_extended_error_code() == Some(rusqlite::ffi::SQLITE_CORRUPT_VTAB) {
            return StoreError::IndexDamaged;
        }
        // A value of another type than its column's, or a text that is not UTF-8: nothing that was written so.
        if matches!(
            error,
            rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::IntegralValueOutOfRange(..)
                | rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::Utf8Error(..)
        ) {
            return StoreError::Damaged { detail };
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => StoreError::Full,
            Some(
                ErrorCode::ReadOnly
                | ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::PermissionDenied
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::FileLockingProtocolFailed
                | ErrorCode::OutOfMemory,
            ) => StoreError::Unwritable { detail },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Damaged { detail },
            _ => StoreError::Sqlite(error),
        }
    }
}

impl From<std::io::Error> for StoreError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull => StoreError::Full,
            _ => StoreError::Unwritable { detail: error.to_string() },
        }
    }
}

/// An unsigned number as SQLite holds it.
pub(super) fn int(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| StoreError::OutOfRange(number))
}

/// A number from SQLite that was never negative when it was written.
pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
