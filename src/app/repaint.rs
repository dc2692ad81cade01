//! [`Gate`]: limits repaint requests. Immediate for what a person waits for, at most 20 per second for readings, none
//! for readings in a hidden window, and once a second for other changes in a hidden window, because the tray shows a
//! count. egui schedules each request separately, and they accumulate while a window is hidden: only a request that
//! is earlier than the pending one is passed on until a frame is drawn.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock;
use crate::model::time::BootMs;
use crate::worker::RepaintReason;

/// Less than a frame, so that simultaneous changes are drawn together. In milliseconds.
const SOON_MS: u64 = 2;
/// Minimum interval between repaints for readings, in milliseconds.
const READINGS_MS: u64 = 50;
/// Minimum interval between updates of a hidden window, in milliseconds.
const HIDDEN_MS: u64 = 1_000;

/// The only way for another thread to request a repaint.
pub(super) struct RepaintLimiter {
    ctx: egui::Context,
    pace: Mutex<Pace>,
}

impl RepaintLimiter {
    pub(super) fn new(ctx: egui::Context) -> Self {
        RepaintLimiter { ctx, pace: Mutex::default() }
    }

    /// Requests a repaint; call it after the data has changed.
    pub(super) fn ask(&self, news: RepaintReason) {
        let wait = self.pace(|pace| pace.ask(clock::now().boot_ms, news));
        if let Some(wait) = wait {
            self.ctx.request_repaint_after(wait);
        }
    }

    /// Sets whether the window is visible, as far as the system reports it.
    pub(super) fn shown(&self, visible: bool) {
        self.pace(|pace| {
            pace.hidden = !visible;
            if !visible {
                // No frame will be drawn.
                pace.drawing(clock::now().boot_ms);
            }
        });
    }

    /// A frame begins: later changes need another one.
    pub(super) fn drawing(&self) {
        self.pace(|pace| pace.drawing(clock::now().boot_ms));
    }

    fn pace<R>(&self, with: impl FnOnce(&mut Pace) -> R) -> R {
        with(&mut self.pace.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Timing of repaints.
#[derive(Debug, Default)]
struct Pace {
    /// When the last frame began; `None` before the first.
    drawn: Option<BootMs>,
    /// When the next one is scheduled; `None` if it is not.
    asked: Option<BootMs>,
    hidden: bool,
}

impl Pace {
    /// The delay of a repaint; `None` if it is not needed, or already requested.
    fn ask(&mut self, now: BootMs, news: RepaintReason) -> Option<Duration> {
        let soon = now + SOON_MS;
        let due = match news {
            RepaintReason::Now if self.hidden => self.drawn.map_or(soon, |drawn| soon.max(drawn + HIDDEN_MS)),
            RepaintReason::Now => soon,
            // It is drawn when the window becomes visible again.
            RepaintReason::Readings if self.hidden => return None,
            RepaintReason::Readings => self.drawn.map_or(soon, |drawn| soon.max(drawn + READINGS_MS)),
        };
        if self.asked.is_some_and(|asked| asked <= due) {
            return None;
        }
        self.asked = Some(due);
        Some(Duration::from_millis(due - now))
    }

    fn drawing(&mut self, now: BootMs) {
        (self.drawn, self.asked) = (Some(now), None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Option<Duration> {
        Some(Duration::from_millis(ms))
    }

    #[test]
    fn urgent_changes_are_requested_once_and_at_once() {
        let mut pace = Pace::default();
        pace.drawing(BootMs(1_000));
        assert_eq!(pace.ask(BootMs(1_001), RepaintReason::Now), ms(2));
        assert_eq!(pace.ask(BootMs(1_002), RepaintReason::Now), None);
        assert_eq!(pace.ask(BootMs(1_002), RepaintReason::Readings), None);
        pace.drawing(BootMs(1_003));
        assert_eq!(pace.ask(BootMs(1_004), RepaintReason::Now), ms(2));
    }

    #[test]
    fn readings_are_drawn_at_most_twenty_times_a_second() {
        let mut pace = Pace::default();
        assert_eq!(pace.ask(BootMs(500), RepaintReason::Readings), ms(2), "no frame was drawn yet");
        pace.drawing(BootMs(1_000));
        assert_eq!(pace.ask(BootMs(1_010), RepaintReason::Readings), ms(40));
        assert_eq!(pace.ask(BootMs(1_020), RepaintReason::Readings), None);
        assert_eq!(
            pace.ask(BootMs(1_030), RepaintReason::Now),
            ms(2),
            "a message does not wait for readings"
        );
        pace.drawing(BootMs(1_033));
        assert_eq!(pace.ask(BootMs(2_000), RepaintReason::Readings), ms(2), "the last frame is old");

        let mut frames = 0;
        let mut pace = Pace::default();
        let mut due = None;
        for now in 0..10_000 {
            if due == Some(now) {
                (due, frames) = (None, frames + 1);
                pace.drawing(BootMs(now));
            }
            if let Some(wait) = pace.ask(BootMs(now), RepaintReason::Readings) {
                due = Some(now + wait.as_millis() as u64);
            }
        }
        assert_eq!(frames, 200);
    }

    #[test]
    fn readings_do_not_repaint_a_hidden_window() {
        let mut pace = Pace { hidden: true, ..Pace::default() };
        assert_eq!(pace.ask(BootMs(1_000), RepaintReason::Readings), None);
        assert_eq!(pace.ask(BootMs(1_000), RepaintReason::Now), ms(2));
        assert_eq!(pace.ask(BootMs(5_000), RepaintReason::Now), None, "requests would accumulate");
        (pace.hidden, pace.asked) = (false, None);
        assert_eq!(pace.ask(BootMs(6_000), RepaintReason::Readings), ms(2));
    }
}
