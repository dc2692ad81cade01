//! [`Saved`]: the state of a session that outlives it, and [`SavedState`]: where to resume a server's log.

use crate::model::{Offset, ResumePoint};

/// What a new session resumes with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saved {
    /// Where to resume the server's log.
    pub log: SavedState,
    /// The protocol's own state; see [`super::Output::Persist`].
    pub state: Option<Vec<u8>>,
}

/// Where to resume a server's log. The store derives it from its entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SavedState {
    /// The last committed entry of the current era; `None` if the era has no entry.
    pub resume: Option<ResumePoint>,
    /// Used without a resume point: begin after this offset; `None`: with recent entries. For an era without entries,
    /// the offset before its first.
    pub since: Option<Offset>,
}
