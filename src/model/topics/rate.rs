//! [`Rate`]: how many messages a second, over about the last eight seconds.

use crate::model::time::BootMs;

/// Seconds over which is averaged.
const SPAN_S: u32 = 8;
/// Messages further apart than this are counted by their distance, in milliseconds.
const MIN_GAP_MS: u64 = 2_000;

/// How many messages a second. In thousandths, so that it can be compared exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rate {
    second: u32,
    in_second: u32,
    milli: u32,
    /// Whole seconds that went into it, at most [`SPAN_S`].
    span: u32,
}

impl Rate {
    /// Counts a message. Returns whether it is the first one of its second.
    pub fn count(&mut self, now: BootMs) -> bool {
        let second = second(now);
        let is_first = second != self.second || self.in_second == 0;
        if second != self.second {
            if self.second > 0 {
                *self = self.folded(second);
            }
            (self.second, self.in_second) = (second, 0);
        }
        self.in_second = self.in_second.saturating_add(1);
        is_first
    }

    /// Messages a second, in thousandths.
    pub fn milli(&self, now: BootMs) -> u32 {
        let second = second(now);
        if second <= self.second {
            // The present second counts only once it is over, but for the very first.
            return if self.span == 0 { self.in_second.saturating_mul(1_000) } else { self.milli };
        }
        self.folded(second).milli
    }

    /// As it is at the beginning of this later second.
    fn folded(&self, second: u32) -> Rate {
        let mut rate = *self;
        let passed = second - self.second;
        let mut add = |count: u32| {
            rate.span = (rate.span + 1).min(SPAN_S);
            let (before, own) = (u64::from(rate.milli), u64::from(count) * 1_000);
            let span = u64::from(rate.span);
            rate.milli = u32::try_from((before * (span - 1) + own) / span).unwrap_or(u32::MAX);
        };
        add(self.in_second);
        // After so many silent seconds nothing is left of it.
        (1..passed.min(SPAN_S * 12)).for_each(|_| add(0));
        (rate.second, rate.in_second) = (second, 0);
        rate
    }
}

/// The rate of what comes seldom: by how far the last two messages were apart, and how long ago the last one is.
pub fn of_gap(gap_ms: u64, since_ms: u64) -> Option<u32> {
    (gap_ms >= MIN_GAP_MS).then(|| u32::try_from(1_000_000 / gap_ms.max(since_ms)).unwrap_or(u32::MAX))
}

fn second(now: BootMs) -> u32 {
    // Second 0 means never.
    u32::try_from(now.0 / 1_000 + 1).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(seconds: u64, each: u64) -> Rate {
        let mut rate = Rate::default();
        for second in 0..seconds {
            for n in 0..each {
                rate.count(BootMs(second * 1_000 + n * 1_000 / each));
            }
        }
        rate
    }

    #[test]
    fn an_even_stream_has_its_rate_from_the_first_second_on() {
        for seconds in [1, 2, 5, 60] {
            assert_eq!(after(seconds, 200).milli(BootMs(seconds * 1_000)), 200_000, "after {seconds} s");
        }
    }

    #[test]
    fn it_falls_to_nothing_when_nothing_comes() {
        let rate = after(20, 1_000);
        assert!(rate.milli(BootMs(24_000)) < 800_000);
        assert_eq!(rate.milli(BootMs(140_000)), 0);
    }

    #[test]
    fn seldom_messages_are_counted_by_their_distance() {
        assert_eq!(of_gap(60_000, 1_000), Some(16));
        assert_eq!(of_gap(10_000, 100_000), Some(10));
        assert_eq!(of_gap(500, 0), None);
    }
}
