//! Files saved from a device's page: requests and their results.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::device::{DeviceId, MetricName};
use super::id::ConnectionId;
use super::time::WallMs;

/// Maximum number of rows of a saved table: the limit of common spreadsheets.
pub const MAX_EXPORT_ROWS: u64 = 1_000_000;
/// Maximum size of a saved table, in bytes.
pub const MAX_EXPORT_BYTES: u64 = 256 << 20;

/// An image of a part of the window.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    /// Width, in pixels.
    pub width: u32,
    /// Height, in pixels.
    pub height: u32,
    /// RGBA, four bytes per pixel, row by row.
    pub rgba: Arc<[u8]>,
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Picture({}×{})", self.width, self.height)
    }
}

/// What to save.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// All stored readings of these metrics, as a table.
    Readings(Vec<MetricName>),
    /// An image of their plots.
    Picture(Picture),
}

/// A request to save a part of a device's history.
#[derive(Clone, Debug, PartialEq)]
pub struct Export {
    /// Chosen by the caller; repeated in the answer.
    pub number: u64,
    /// The connection.
    pub connection: ConnectionId,
    /// The device.
    pub device: DeviceId,
    /// Start, by the server's clock.
    pub from: WallMs,
    /// End, exclusive.
    pub to: WallMs,
    /// What to save.
    pub content: Content,
}

/// A file that was saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedFile {
    /// Path of the file.
    pub path: PathBuf,
    /// Number of rows of a table, without its header.
    pub rows: Option<u64>,
    /// Time at which a table was cut off because it reached its maximum size; `None` if it is complete.
    pub cut_at: Option<WallMs>,
}

/// Why nothing was saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExportFailure {
    /// There is neither a downloads folder nor a home folder.
    NoFolder,
    /// The disk is full.
    DiskFull,
    /// Permission to write was denied.
    Denied {
        /// The folder.
        folder: String,
    },
    /// Writing failed for another reason.
    NotWritten {
        /// The folder.
        folder: String,
        /// The system's error message.
        detail: String,
    },
    /// The stored readings could not be read.
    NotRead {
        /// The store's error message.
        detail: String,
    },
    /// Another save is in progress.
    Busy,
    /// The device no longer exists.
    Gone,
}

/// Result of an [`Export`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// The number of the request.
    pub number: u64,
    /// The file, or why it was not saved.
    pub outcome: Result<SavedFile, ExportFailure>,
}
