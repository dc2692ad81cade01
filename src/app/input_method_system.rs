//! Input methods where the window system alone brings them: Windows and macOS.

use eframe::{AppCreator, CreationContext, NativeOptions};

/// Nothing needs to be prepared.
pub(super) fn prepare() {}

/// What the window system and the frames share: nothing.
pub(super) struct Link;

impl Link {
    /// Nothing is shared.
    pub(super) fn new() -> Link {
        Link
    }

    /// Nothing needs to be told.
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
