//! [`ClockLag`]: how far a source's clock lags behind the hub's, smoothed for display.

use super::device::CLOCK_TOLERANCE_MS;
use super::time::WallMs;

/// Number of recent moments whose median is taken, so that a single delayed one has no influence.
const MOMENTS: usize = 5;
/// Minimum number of moments for a reliable result.
const MIN_TRUSTED: u8 = 3;
/// Changes smaller than this are not reported, in milliseconds.
const CALM_MS: u64 = 250;

/// Estimates how far a source's clock lags behind the hub's, including transport time.
///
/// A wrong clock is off by the same amount at every moment. A source that sends a backlog is not: its
/// timestamps advance faster than the hub's clock until it has caught up. Such moments say nothing about its
/// clock and are ignored.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClockLag {
    /// Newest timestamp of the last moment by the source's clock, and by the hub's.
    last: Option<(WallMs, WallMs)>,
    /// Whether that moment is used for the estimate.
    counts: bool,
    /// How much the source has caught up over the last moments, in milliseconds.
    caught_up: i64,
    behind: [i64; MOMENTS],
    known: u8,
    next: u8,
}

impl ClockLag {
    /// Processes data dated `at` by its source, and `received` by the hub's clock. Of data received at once the
    /// newest counts, since the rest was delayed. Returns the lag to report in milliseconds, given the one
    /// reported before (`told`): 0 as long as the clock may be right.
    pub fn heard(&mut self, at: WallMs, received: WallMs, told: Option<i64>) -> i64 {
        let behind = received.since(at);
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
                    let passed = received.since(moment);
                    let run = at.since(newest);
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

    /// Discards an estimate that turned out to be the beginning of a backlog, unless there is a better one.
    fn catch_up(&mut self, by: i64) {
        self.caught_up = self.caught_up.saturating_add(by);
        if self.caught_up > CLOCK_TOLERANCE_MS && self.known < MIN_TRUSTED {
            (self.known, self.next) = (0, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;
    const T: WallMs = WallMs(1_790_000_000_000);

    /// Feeds these moments, each by the source's and the hub's clock. Returns the lag reported after each.
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
    fn a_wrong_clock_is_detected_at_once_until_it_is_set() {
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
    fn a_backlog_is_not_a_wrong_clock() {
        // Ten minutes offline, then the backlog one by one and in batches, then live again.
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
    fn a_backlog_of_a_new_source_is_recognized() {
        let mut lag = ClockLag::default();
        let off = told(&mut lag, (0..100).map(|n| (T + n * 10_000, T + 30 * HOUR + n * 20)));
        assert!(off[0] > 29 * HOUR, "not detectable yet");
        assert_eq!(off[1..], [0; 99]);
    }

    #[test]
    fn batches_of_ten_seconds_still_give_an_estimate() {
        let mut lag = ClockLag::default();
        let off = told(&mut lag, (0..50).map(|n| (T + n * 1_000 - HOUR, T + (n / 10 + 1) * 10_000)));
        assert!(off[9..].iter().all(|ms| (HOUR..=HOUR + 10_000).contains(ms)), "{off:?}");
    }
}
