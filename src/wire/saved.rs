//! [`Saved`]: what of a conversation outlives it, and [`SavedState`], where a server's log goes on.

use crate::model::{Offset, ResumePoint};

/// What a new session is to begin with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saved {
    /// Where the server's log goes on.
    pub log: SavedState,
    /// What the protocol itself wanted to be kept; see [`super::Output::Persist`].
    pub state: Option<Vec<u8>>,
}

/// Where a server's log goes on. The store derives it from the entries that it holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SavedState {
    /// The last committed entry of the current era; none while the era has no entry.
    pub resume: Option<ResumePoint>,
    /// Without a resume point: begin after this offset; none means recently. An era without entries has the one before
    /// its first.
    pub since: Option<Offset>,
}
