//! Messages and readings that are saved as a file from the window: what is wanted, and how far it has come.

use std::path::PathBuf;

use super::export::ExportFailure;
use super::id::{ConnectionId, RoomId};
use super::time::WallMs;

/// How the file is written.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum ArchiveFormat {
    /// A table for spreadsheets.
    #[default]
    Csv,
    /// One JSON object a line, as `duplexctl export` writes them.
    JsonLines,
}

impl ArchiveFormat {
    /// The ending of the file's name.
    pub fn ending(self) -> &'static str {
        match self {
            ArchiveFormat::Csv => "csv",
            ArchiveFormat::JsonLines => "jsonl",
        }
    }
}

/// What is to be saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveWanted {
    /// Chosen by the caller; repeated in the answers.
    pub number: u64,
    /// Of which connection.
    pub connection: ConnectionId,
    /// Messages of this room alone; none: of all.
    pub room: Option<RoomId>,
    /// Whether readings of the connection's devices are wanted, too.
    pub readings: bool,
    /// From this moment on, by the server's clock.
    pub from: WallMs,
    /// Before this moment.
    pub to: WallMs,
    /// As what.
    pub format: ArchiveFormat,
}

/// How far it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArchiveState {
    /// The person chooses where.
    Choosing,
    /// So many messages and readings are written.
    Writing(u64),
    /// It is whole.
    Saved {
        /// Where.
        path: PathBuf,
        /// How many messages and readings are in it.
        count: u64,
    },
    /// The person changed their mind: there is no file.
    Cancelled,
    /// There is no file.
    Failed(ExportFailure),
}

/// What became of the last [`ArchiveWanted`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archived {
    /// Its number.
    pub number: u64,
    /// How far it is.
    pub state: ArchiveState,
}
