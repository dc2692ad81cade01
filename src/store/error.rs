//! [`StoreError`]: why a database operation failed.

use crate::model::Offset;
use crate::model::time::WallMs;
use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlResult, ToSqlOutput, ValueRef};
use std::path::PathBuf;

use rusqlite::ErrorCode;

/// Why a database could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk is full. Can be retried once there is space.
    #[error("the disk is full")]
    Full,
    /// The file cannot be opened or written: permissions, a read-only disk, an I/O error, a lock of another program.
    #[error("{detail}")]
    Unwritable {
        /// The system's error text.
        detail: String,
    },
    /// The file is not one of our databases, or its content is damaged.
    #[error("it is damaged: {detail}")]
    Damaged {
        /// What was found.
        detail: String,
    },
    /// The file was written by a newer version of this program; it was left unchanged.
    #[error("it has version {found}, but this program supports versions up to {known}")]
    Newer {
        /// The file's version.
        found: i64,
        /// The highest version this program knows.
        known: i64,
    },
    /// The file was written by an older version, and only its owning program may migrate it: start that first.
    #[error("it has version {found}, but version {needed} is required: start the hub once with this program")]
    Older {
        /// The file's version.
        found: i64,
        /// The required version.
        needed: i64,
    },
    /// A number too large for the database (above 2⁶³ − 1).
    #[error("the number {0} is too large for the database")]
    OutOfRange(u64),
    /// The database contains a value that is not valid.
    #[error("the database contains an invalid value: {0}")]
    Nonsense(String),
    /// The database's thread has ended.
    #[error("the database is closed")]
    Closed,
    /// The search index is damaged. Messages are not affected, and it can be rebuilt from them.
    #[error("the search index is damaged")]
    IndexDamaged,
    /// Any other SQLite error; a bug in this program.
    #[error("the database reports: {0}")]
    Sqlite(#[source] rusqlite::Error),
    /// One of the above, with the file's path.
    #[error("cannot use {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<StoreError>,
    },
}

impl StoreError {
    /// Adds the file's path.
    pub(super) fn at(self, path: impl Into<PathBuf>) -> Self {
        StoreError::File { path: path.into(), source: Box::new(self) }
    }

    /// Whether the operation may succeed later: a problem of the disk, not of the content.
    pub fn is_retryable(&self) -> bool {
        match self {
            StoreError::Full | StoreError::Unwritable { .. } => true,
            StoreError::File { source, .. } => source.is_retryable(),
            _ => false,
        }
    }

    /// Whether the file is damaged or not one of our databases.
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
        // A value of the wrong type, or text that is not UTF-8: this program did not write that.
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

/// Converts an unsigned number to SQLite's signed type.
pub(super) fn int(number: impl Into<u64>) -> Result<i64, StoreError> {
    let number = number.into();
    i64::try_from(number).map_err(|_| StoreError::OutOfRange(number))
}

/// Converts an unsigned number for comparisons alone: no stored number is larger than what this gives for a larger one.
pub(super) fn saturated(number: impl Into<u64>) -> i64 {
    i64::try_from(number.into()).unwrap_or(i64::MAX)
}

/// Converts a number that was never negative when it was written.
pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

impl FromSql for WallMs {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(WallMs)
    }
}

impl ToSql for WallMs {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.into())
    }
}

impl FromSql for Offset {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Ok(Offset(unsigned(value.as_i64()?)))
    }
}
