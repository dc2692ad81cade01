//! [`Gate`]: asks for a repaint at most once until it was drawn. egui schedules each request on its own, and they pile
//! up while a window is hidden.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Shorter than a frame: what happens together is drawn together.
const SOON: Duration = Duration::from_millis(2);

/// The one way from another thread to a repaint.
pub(super) struct Gate {
    ctx: egui::Context,
    asked: AtomicBool,
}

impl Gate {
    pub(super) fn new(ctx: egui::Context) -> Self {
        Gate { ctx, asked: AtomicBool::new(false) }
    }

    /// Asks for a repaint, once the data is in place.
    pub(super) fn ask(&self) {
        if !self.asked.swap(true, Ordering::AcqRel) {
            self.ctx.request_repaint_after(SOON);
        }
    }

    /// A frame begins: what changes from now on needs another.
    pub(super) fn drawing(&self) {
        self.asked.store(false, Ordering::Release);
    }
}
