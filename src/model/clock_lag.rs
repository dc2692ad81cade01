//! [`ClockLag`]: how far a source's clock is behind the hub's, so calm that a person can read it.

use super::time::WallMs;

/// The last moments that are looked at: the median of so many does not follow one that was held up on its way.
const MOMENTS: usize = 5;
/// A change smaller than this is not told, in milliseconds.
const CALM_MS: u64 = 250;

/// How far a source's clock is behind the hub's. Transport included.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClockLag {
    last: Option<WallMs>,
    behind: [i64; MOMENTS],
    known: u8,
    next: u8,
}

impl ClockLag {
    /// Something that its source dates `at` reached the hub. Of what came at once the newest counts: the rest had waited.
    /// Returns what to tell, where `told` was told before.
    pub fn heard(&mut self, at: WallMs, received: WallMs, told: Option<i64>) -> i64 {
        let behind = received.saturating_sub(at);
        let at_once = self.last == Some(received);
        if at_once {
            let last = (self.next as usize + MOMENTS - 1) % MOMENTS;
            self.behind[last] = self.behind[last].min(behind);
        } else {
            self.behind[self.next as usize] = behind;
            self.next = (self.next + 1) % MOMENTS as u8;
            self.known = (self.known + 1).min(MOMENTS as u8);
            self.last = Some(received);
        }
        let mut sorted = self.behind;
        let sorted = &mut sorted[..self.known as usize];
        sorted.sort_unstable();
        let median = sorted[sorted.len() / 2];
        told.filter(|told| told.abs_diff(median) < CALM_MS).unwrap_or(median)
    }
}
