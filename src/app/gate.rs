//! [`Gate`]: when a repaint is asked for. At once for what a person waits for, at most 20 times a second for readings, not
//! at all for readings that nobody can see, and once a second for the rest of what nobody can see: the tray counts it. egui schedules each request on its own, and they pile up while a window is
//! hidden: so one that is sooner than the last is the only one let through until something was drawn.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock;
use crate::model::time::BootMs;
use crate::worker::News;

/// Shorter than a frame: what happens together is drawn together. In milliseconds.
const SOON_MS: u64 = 2;
/// Readings are drawn no oftener than this, in milliseconds.
const READINGS_MS: u64 = 50;
/// What happens while the window cannot be seen is attended to no oftener than this, in milliseconds.
const HIDDEN_MS: u64 = 1_000;

/// The one way from another thread to a repaint.
pub(super) struct Gate {
    ctx: egui::Context,
    pace: Mutex<Pace>,
}

impl Gate {
    pub(super) fn new(ctx: egui::Context) -> Self {
        Gate { ctx, pace: Mutex::default() }
    }

    /// Asks for a repaint, once the data is in place.
    pub(super) fn ask(&self, news: News) {
        let wait = self.pace(|pace| pace.ask(clock::now().boot_ms, news));
        if let Some(wait) = wait {
            self.ctx.request_repaint_after(wait);
        }
    }

    /// Whether the window can be seen, as far as the system tells.
    pub(super) fn shown(&self, visible: bool) {
        self.pace(|pace| {
            pace.hidden = !visible;
            if !visible {
                // There will be no frame.
                pace.drawing(clock::now().boot_ms);
            }
        });
    }

    /// A frame begins: what changes from now on needs another.
    pub(super) fn drawing(&self) {
        self.pace(|pace| pace.drawing(clock::now().boot_ms));
    }

    fn pace<R>(&self, with: impl FnOnce(&mut Pace) -> R) -> R {
        with(&mut self.pace.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// When to draw.
#[derive(Debug, Default)]
struct Pace {
    /// When the last frame began; none before the first.
    drawn: Option<BootMs>,
    /// When the next one was asked for; none was since the last.
    asked: Option<BootMs>,
    hidden: bool,
}

impl Pace {
    /// How long from now to draw; `None`: not for this, or it was asked for already.
    fn ask(&mut self, now: BootMs, news: News) -> Option<Duration> {
        let soon = now + SOON_MS;
        let due = match news {
            News::Now if self.hidden => self.drawn.map_or(soon, |drawn| soon.max(drawn + HIDDEN_MS)),
            News::Now => soon,
            // It is drawn with whatever shows the window again.
            News::Readings if self.hidden => return None,
            News::Readings => self.drawn.map_or(soon, |drawn| soon.max(drawn + READINGS_MS)),
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
    fn what_a_person_waits_for_is_asked_for_once_and_at_once() {
        let mut pace = Pace::default();
        pace.drawing(1_000);
        assert_eq!(pace.ask(1_001, News::Now), ms(2));
        assert_eq!(pace.ask(1_002, News::Now), None);
        assert_eq!(pace.ask(1_002, News::Readings), None);
        pace.drawing(1_003);
        assert_eq!(pace.ask(1_004, News::Now), ms(2));
    }

    #[test]
    fn readings_are_drawn_twenty_times_a_second() {
        let mut pace = Pace::default();
        assert_eq!(pace.ask(500, News::Readings), ms(2), "nothing was ever drawn");
        pace.drawing(1_000);
        assert_eq!(pace.ask(1_010, News::Readings), ms(40));
        assert_eq!(pace.ask(1_020, News::Readings), None);
        assert_eq!(pace.ask(1_030, News::Now), ms(2), "a message does not wait for readings");
        pace.drawing(1_033);
        assert_eq!(pace.ask(2_000, News::Readings), ms(2), "the last frame is old");

        let mut frames = 0;
        let mut pace = Pace::default();
        let mut due = None;
        for now in 0..10_000 {
            if due == Some(now) {
                (due, frames) = (None, frames + 1);
                pace.drawing(now);
            }
            if let Some(wait) = pace.ask(now, News::Readings) {
                due = Some(now + wait.as_millis() as u64);
            }
        }
        assert_eq!(frames, 200);
    }

    #[test]
    fn a_hidden_window_is_not_drawn_for_readings() {
        let mut pace = Pace { hidden: true, ..Pace::default() };
        assert_eq!(pace.ask(1_000, News::Readings), None);
        assert_eq!(pace.ask(1_000, News::Now), ms(2));
        assert_eq!(pace.ask(5_000, News::Now), None, "they would pile up");
        (pace.hidden, pace.asked) = (false, None);
        assert_eq!(pace.ask(6_000, News::Readings), ms(2));
    }
}
