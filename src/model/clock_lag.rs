//! [`ClockLag`]: how far a source's clock is behind the hub's, so calm that a person can read it.

use super::device::CLOCK_TOLERANCE_MS;
use super::time::WallMs;

/// The last moments that are looked at: the median of so many does not follow one that was held up on its way.
const MOMENTS: usize = 5;
/// So many of them are more than a guess.
const TRUSTED: u8 = 3;
/// A change smaller than this is not told, in milliseconds.
const CALM_MS: u64 = 250;

/// How far a source's clock is behind the hub's. Transport included.
///
/// A clock that is off is off by the same time in moment after moment. Who sends what had waited is not: its times run
/// faster than the hub's clock, until it has caught up. Such moments say nothing about its clock.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClockLag {
    /// The newest time of the last moment by the source's clock, and by the hub's.
    last: Option<(WallMs, WallMs)>,
    /// Whether that moment is looked at.
    counts: bool,
    /// By how much it has caught up in the last moments, in milliseconds.
    caught_up: i64,
    behind: [i64; MOMENTS],
    known: u8,
    next: u8,
}

impl ClockLag {
    /// Something that its source dates `at` reached the hub. Of what came at once the newest counts: the rest had waited.
    /// Returns what to tell, where `told` was told before: 0 as long as nothing speaks against a right clock.
    pub fn heard(&mut self, at: WallMs, received: WallMs, told: Option<i64>) -> i64 {
        let behind = received.saturating_sub(at);
        match self.last {
            Some((newest, moment)) if moment == received => {
                self.last = Some((newest.max(at), received));
                if self.counts {
                    let last = (self.next as usize + MOMENTS - 1) % MOMENTS;
                    self.behind[last] = self.behind[last].min(behind);
                }
            }
            last => {
                self.last = Some((at, received));
                let by = last.map_or(0, |(newest, moment)| {
                    let passed = received.saturating_sub(moment);
                    let run = at.saturating_sub(newest);
                    if run > passed.saturating_mul(2).saturating_add(CALM_MS as i64) {
                        run.saturating_sub(passed)
                    } else {
                        0
                    }
                });
                let is_as_told = behind.abs_diff(told.unwrap_or(0)) <= CLOCK_TOLERANCE_MS.unsigned_abs();
                self.counts = by == 0 || is_as_told;
                if self.counts {
                    self.count(behind);
                } else {
                    self.catch_up(by);
                }
            }
        }
        if self.known == 0 {
            return 0;
        }
        let mut sorted = self.behind;
        let sorted = &mut sorted[..self.known as usize];
        sorted.sort_unstable();
        let median = sorted[sorted.len() / 2];
        told.filter(|told| told.abs_diff(median) < CALM_MS).unwrap_or(median)
    }

    fn count(&mut self, behind: i64) {
        self.caught_up = 0;
        self.behind[self.next as usize] = behind;
        self.next = (self.next + 1) % MOMENTS as u8;
        self.known = (self.known + 1).min(MOMENTS as u8);
    }

    /// What was taken for a clock that is off was the beginning of a backlog, where nothing better is known.
    fn catch_up(&mut self, by: i64) {
        self.caught_up = self.caught_up.saturating_add(by);
        if self.caught_up > CLOCK_TOLERANCE_MS && self.known < TRUSTED {
            (self.known, self.next) = (0, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;
    const T: WallMs = 1_790_000_000_000;

    /// Tells of these moments, each by its source's clock and the hub's. Returns what is told at the end of each.
    fn told(lag: &mut ClockLag, moments: impl IntoIterator<Item = (WallMs, WallMs)>) -> Vec<i64> {
        let mut last = None;
        let mut all = Vec::new();
        for (at, received) in moments {
            last = Some(lag.heard(at, received, last));
            all.extend(last);
        }
        all
    }

    #[test]
    fn a_clock_an_hour_off_is_off_from_the_first_word_on_until_it_is_set() {
        let mut lag = ClockLag::default();
        let off = told(&mut lag, (0..9).map(|n| (T + n * 1_000 - HOUR, T + n * 1_000)));
        assert_eq!(off, [HOUR; 9]);
        let mut last = HOUR;
        for n in 9..14 {
            last = lag.heard(T + n * 1_000, T + n * 1_000, Some(last));
        }
        assert_eq!(last, 0);
    }

    #[test]
    fn a_backlog_is_not_a_clock_that_is_off() {
        // Ten minutes of silence, then all that had waited, one by one and then in batches, and then live again.
        let mut lag = ClockLag::default();
        let live = (0..9).map(|n| (T + n * 1_000, T + n * 1_000));
        let back = T + 609_000;
        let single = (9..300).map(|n| (T + n * 1_000, back + n));
        let batched = (300..609).map(|n| (T + n * 1_000, back + 1_000 + n / 50));
        let again = (609..620).map(|n| (T + n * 1_000, T + n * 1_000 + 1_500));
        let off = told(&mut lag, live.chain(single).chain(batched).chain(again));
        assert!(off.iter().all(|ms| ms.abs() <= 1_500), "{off:?}");
    }

    #[test]
    fn a_backlog_of_one_that_was_never_heard_before_is_found_out() {
        let mut lag = ClockLag::default();
        let off = told(&mut lag, (0..100).map(|n| (T + n * 10_000, T + 30 * HOUR + n * 20)));
        assert!(off[0] > 29 * HOUR, "nobody can know yet");
        assert_eq!(off[1..], [0; 99]);
    }

    #[test]
    fn a_source_that_sends_ten_seconds_at_once_has_a_clock_all_the_same() {
        let mut lag = ClockLag::default();
        let off = told(&mut lag, (0..50).map(|n| (T + n * 1_000 - HOUR, T + (n / 10 + 1) * 10_000)));
        assert!(off[9..].iter().all(|ms| (HOUR..=HOUR + 10_000).contains(ms)), "{off:?}");
    }
}
