//! Backoff: full jitter under a growing bound; it never gives up.

/// An outage shorter than this is retried quickly, in milliseconds.
const QUICK_MS: u64 = 5_000;
/// The bound during the quick phase, in milliseconds.
const QUICK_BOUND_MS: u64 = 500;
/// The bound after that is the outage's duration divided by this, so that people wait little longer than the server was
/// away.
const SHARE: u64 = 4;
/// Maximum of the bound, in milliseconds.
const MOST_MS: u64 = 20_000;
/// Maximum `Retry-After` that is respected, in milliseconds.
const LONGEST_WISH_MS: u64 = 600_000;

/// A small generator for jitter (SplitMix64, Steele et al. 2014). Not for secrets.
#[derive(Clone, Debug)]
pub struct Jitter(u64);

impl Jitter {
    /// A generator with this seed.
    pub fn new(seed: u64) -> Self {
        Jitter(seed)
    }

    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number from 0 to `bound`.
    pub fn up_to(&mut self, bound: u64) -> u64 {
        self.draw() % (bound + 1)
    }
}

/// Delay before the next attempt, in milliseconds. `failures`: attempts since the outage began; `down_ms`: duration of the
/// outage; `wish_ms`: delay requested by the server.
pub fn delay_ms(failures: u32, down_ms: u64, wish_ms: Option<u64>, jitter: &mut Jitter) -> u64 {
    let bound = match failures {
        0 => 0,
        _ if down_ms < QUICK_MS => QUICK_BOUND_MS,
        _ => MOST_MS.min(down_ms / SHARE),
    };
    jitter.up_to(bound).max(wish_ms.unwrap_or(0).min(LONGEST_WISH_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_of_the_design_hold() {
        let mut jitter = Jitter::new(1);
        let mut most =
            |failures, down_ms| (0..2_000).map(|_| delay_ms(failures, down_ms, None, &mut jitter)).max();
        assert_eq!(most(0, 0), Some(0), "at once the first time");
        assert!(most(9, 4_999).is_some_and(|ms| (400..=500).contains(&ms)), "quick for the first 5 s");
        for failures in [1, 20] {
            let longest = most(failures, 6_000);
            assert!(longest.is_some_and(|ms| (1_400..=1_500).contains(&ms)), "a quarter: {longest:?}");
        }
        assert!(
            most(60, 3_600_000).is_some_and(|ms| (19_000..=20_000).contains(&ms)),
            "never more than 20 s"
        );
    }

    #[test]
    fn a_servers_wish_is_heeded_within_reason() {
        let mut jitter = Jitter::new(1);
        assert_eq!(delay_ms(0, 0, Some(3_000), &mut jitter), 3_000);
        assert_eq!(delay_ms(3, 9_000, Some(u64::MAX), &mut jitter), LONGEST_WISH_MS);
    }
}
