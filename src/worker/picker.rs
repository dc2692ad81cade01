//! Has the person pick files in a window of the system's.

use std::path::PathBuf;

/// The files that the person picked, perhaps none; `None` where this computer has nothing to pick files with.
pub(super) async fn pick() -> Option<Vec<PathBuf>> {
    None
}
