//! Input methods on Windows and macOS, where the window system handles them.

use eframe::{AppCreator, CreationContext, NativeOptions};

/// Nothing to prepare on these systems.
pub(super) fn prepare() {}

/// State shared by the window system and the frames: none on these systems.
pub(super) struct Link;

impl Link {
    /// Creates the empty link.
    pub(super) fn new() -> Link {
        Link
    }

    /// Does nothing on these systems.
    pub(super) fn attach(&self, _creation: &CreationContext<'_>) {}
}

/// Runs eframe's app until its window is closed.
pub(super) fn run(
    options: NativeOptions,
    creator: AppCreator<'_>,
    _link: &Link,
) -> Result<(), eframe::Error> {
    eframe::run_native("duplex", options, creator)
}
