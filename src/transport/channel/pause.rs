//! [`Pause`]: how long to wait after a request that failed. A server that restarts is soon back, so that it is asked often at first.

use crate::model::time::BootMs;

/// After the first failure, in milliseconds; doubled with each further one.
pub(super) const FIRST_MS: u64 = 250;
/// At most, while nothing but failures came for less than [`QUICK_MS`], in milliseconds; and after that.
const MAX_QUICK_MS: u64 = 500;
const MAX_MS: u64 = 2_000;
const QUICK_MS: u64 = 5_000;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Pause {
    /// Since when there are only failures, and the last pause, in milliseconds.
    failing: Option<(BootMs, u64)>,
}

impl Pause {
    /// A request failed. Returns when to make the next one.
    pub(super) fn failed(&mut self, now: BootMs) -> BootMs {
        let (since, ms) = match self.failing {
            None => (now, FIRST_MS),
            Some((since, ms)) => {
                let most = if now.since(since) < QUICK_MS { MAX_QUICK_MS } else { MAX_MS };
                (since, (ms * 2).min(most))
            }
        };
        self.failing = Some((since, ms));
        now + ms
    }

    /// A request went well.
    pub(super) fn over(&mut self) {
        self.failing = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_away_for_long_is_asked_less_often() {
        let mut pause = Pause::default();
        let mut now = BootMs(10_000);
        let mut pauses = Vec::new();
        for _ in 0..15 {
            let next = pause.failed(now);
            pauses.push(next.since(now));
            now = next;
        }
        assert_eq!(pauses[..3], [250, 500, 500]);
        assert_eq!(pauses[10..13], [500, 1_000, 2_000]);
        pause.over();
        assert_eq!(pause.failed(now), now + FIRST_MS);
    }
}
