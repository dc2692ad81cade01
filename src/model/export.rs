//! What a person saves of a device's page into a file of theirs, and what came of it.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::device::{DeviceId, MetricName};
use super::id::ConnectionId;
use super::time::WallMs;

/// Maximum number of rows of a saved table: what a spreadsheet can open.
pub const MAX_EXPORT_ROWS: u64 = 1_000_000;
/// Maximum size of a saved table, in bytes.
pub const MAX_EXPORT_BYTES: u64 = 256 << 20;

/// A picture of a part of the window.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    /// Its width, in pixels.
    pub width: u32,
    /// Its height, in pixels.
    pub height: u32,
    /// Four bytes a pixel, row by row: red, green, blue, opacity.
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
    /// A picture of their plots.
    Picture(Picture),
}

/// A part of a device's past to be saved.
#[derive(Clone, Debug, PartialEq)]
pub struct Export {
    /// Chosen by whoever asks; the answer bears it.
    pub number: u64,
    /// Of which connection.
    pub connection: ConnectionId,
    /// Of which device.
    pub device: DeviceId,
    /// From here, by the server's clock.
    pub from: WallMs,
    /// To here, exclusive.
    pub to: WallMs,
    /// What.
    pub content: Content,
}

/// A file that was saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedFile {
    /// Where it is.
    pub path: PathBuf,
    /// How many rows a table has, its heading apart.
    pub rows: Option<u64>,
    /// Where a table ends because it was full; none where everything is in it.
    pub cut_at: Option<WallMs>,
}

/// Why nothing was saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExportFailure {
    /// There is neither a folder for downloads nor a home.
    NoFolder,
    /// The disk is full.
    DiskFull,
    /// The system does not let this program write there.
    Denied {
        /// The folder.
        folder: String,
    },
    /// It could not be written for another reason.
    NotWritten {
        /// The folder.
        folder: String,
        /// The system's words.
        detail: String,
    },
    /// The stored readings could not be read.
    NotRead {
        /// The store's words.
        detail: String,
    },
    /// Another file is being saved.
    Busy,
    /// The device is not known any more.
    Gone,
}

/// What came of an [`Export`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// The number that was chosen when it was asked for.
    pub number: u64,
    /// What came of it.
    pub outcome: Result<SavedFile, ExportFailure>,
}
