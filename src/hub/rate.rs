//! How much one connection, one principal and one address may ask for.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use crate::model::time::BootMs;

/// What one connection may send: frames at once, and frames a second from then on.
pub(super) const CONNECTION: Rate = Rate { burst: 200, per_second: 500 };
/// What all connections of one principal may send together.
pub(super) const PRINCIPAL: Rate = Rate { burst: 2_000, per_second: 10_000 };
/// Bytes of a frame that count as one more frame.
const FRAME_BYTES: usize = 4096;
/// Handshakes with bad credentials in one window that an address may have.
const FAILURES: u32 = 20;
/// The window, in milliseconds.
const WINDOW_MS: u64 = 60_000;
/// Addresses remembered; beyond that the expired ones are forgotten first, then all.
const ADDRESSES: usize = 4096;

/// A rate with a burst.
#[derive(Copy, Clone, Debug)]
pub(super) struct Rate {
    burst: u32,
    per_second: u32,
}

/// A token bucket that goes into debt: what was sent is taken, and the debt is waited for.
#[derive(Debug)]
pub(super) struct Bucket {
    rate: Rate,
    /// In thousandths, so that a millisecond fills `per_second` of them.
    level: i64,
    at: BootMs,
    exhausted: bool,
}

/// What taking from a [`Bucket`] comes to.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Taken {
    /// How long to wait before the next one, in milliseconds.
    pub wait_ms: u64,
    /// Whether this began an episode of waiting; it lasts until the bucket is half full again.
    pub begins: bool,
}

/// What a frame of this size costs.
pub(super) fn cost(bytes: usize) -> u32 {
    u32::try_from(1 + bytes / FRAME_BYTES).unwrap_or(u32::MAX)
}

impl Bucket {
    /// A full one.
    pub(super) fn new(rate: Rate, now: BootMs) -> Self {
        Bucket { rate, level: i64::from(rate.burst) * 1000, at: now, exhausted: false }
    }

    /// Takes that much out.
    pub(super) fn take(&mut self, cost: u32, now: BootMs) -> Taken {
        let full = i64::from(self.rate.burst) * 1000;
        let elapsed = i64::try_from(now.saturating_sub(self.at)).unwrap_or(i64::MAX);
        let filled = elapsed.saturating_mul(i64::from(self.rate.per_second));
        self.level = self.level.saturating_add(filled).min(full);
        self.at = now;
        if self.level > full / 2 {
            self.exhausted = false;
        }
        self.level -= i64::from(cost) * 1000;
        if self.level >= 0 {
            return Taken::default();
        }
        let wait_ms = self.level.unsigned_abs().div_ceil(u64::from(self.rate.per_second));
        let begins = !std::mem::replace(&mut self.exhausted, true);
        Taken { wait_ms, begins }
    }
}

/// Counts the handshakes with bad credentials of each address.
#[derive(Default)]
pub(super) struct Failures(Mutex<HashMap<IpAddr, (BootMs, u32)>>);

impl Failures {
    /// Counts one. Returns the seconds to stay away, if it was one too many.
    pub(super) fn count(&self, from: IpAddr, now: BootMs) -> Option<u64> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= ADDRESSES {
            counts.retain(|_, (since, _)| now.saturating_sub(*since) < WINDOW_MS);
            if counts.len() >= ADDRESSES {
                counts.clear();
            }
        }
        let (since, count) = counts.entry(network(from)).or_insert((now, 0));
        if now.saturating_sub(*since) >= WINDOW_MS {
            (*since, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        (*count > FAILURES).then(|| away(*since, now))
    }

    /// The seconds that an address has to stay away.
    pub(super) fn away(&self, from: IpAddr, now: BootMs) -> Option<u64> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, count) = counts.get(&network(from))?;
        (*count > FAILURES && now.saturating_sub(*since) < WINDOW_MS).then(|| away(*since, now))
    }
}

fn away(since: BootMs, now: BootMs) -> u64 {
    (since + WINDOW_MS).saturating_sub(now).div_ceil(1000)
}

/// An IPv6 network of one household counts as one address.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & !u128::from(u64::MAX)).into()),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_the_rate_holds() {
        let mut bucket = Bucket::new(CONNECTION, 1000);
        for _ in 0..200 {
            assert_eq!(bucket.take(1, 1000), Taken::default());
        }
        assert_eq!(bucket.take(1, 1000), Taken { wait_ms: 2, begins: true });
        assert_eq!(bucket.take(1, 1002), Taken { wait_ms: 2, begins: false }, "the same episode");
        assert_eq!(bucket.take(1, 2000), Taken::default());
        for _ in 0..199 {
            bucket.take(1, 2000);
        }
        assert!(bucket.take(1, 2000).begins, "another episode");
    }

    #[test]
    fn guessing_from_one_address_ends() {
        let failures = Failures::default();
        let (one, other) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        for _ in 0..20 {
            assert_eq!(failures.count(one, 0), None);
        }
        assert_eq!(failures.away(one, 1_000), None);
        assert_eq!(failures.count(one, 1_000), Some(59));
        assert_eq!(failures.away(one, 30_000), Some(30));
        assert_eq!(failures.away(other, 30_000), None);
        assert_eq!(failures.away(one, 60_000), None);
        assert_eq!(failures.count(one, 60_000), None);
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one() {
        let address = |text: &str| network(text.parse().unwrap());
        assert_eq!(address("2001:db8::1"), address("2001:db8::ffff:2"));
        assert_ne!(address("2001:db8::1"), address("2001:db8:0:1::1"));
        assert_eq!(address("::ffff:192.0.2.1"), address("192.0.2.1"));
    }
}
