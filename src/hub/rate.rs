//! Rate limits of connections, principals and addresses.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use crate::model::PrincipalId;
use crate::model::time::BootMs;

/// What one connection may send, in frames.
pub(super) const CONNECTION: Rate = Rate { burst: 200, per_second: 500 };
/// Connections and requests without a token from one address.
pub(super) const ANONYMOUS: Rate = Rate { burst: 1_000, per_second: 200 };
/// Logins of one principal: all of its clients at once after a restart, and some more. A welcome costs the hub more
/// than most requests.
pub(super) const WELCOMES: Rate = Rate { burst: 256, per_second: 10 };
/// What all connections of one principal may send together.
pub(super) const PRINCIPAL: Rate = Rate { burst: 5_000, per_second: 5_000 };
/// What all connections of one principal may write together, in weighted bytes. Writes beyond it wait.
pub(super) const PRINCIPAL_WRITES: Rate = Rate { burst: 4_000_000, per_second: 4_000_000 };
/// Answers to all connections of one principal, in bytes. Answers beyond it wait.
pub(super) const PRINCIPAL_READS: Rate = Rate { burst: 4_000_000, per_second: 4_000_000 };
/// Answers to all principals together, in bytes, before the cost factor rises.
pub(super) const ALL_READS: Rate = Rate { burst: 8_000_000, per_second: 8_000_000 };
/// Typing notices of one principal, multiplied by their receivers: a burst of ten to 500 receivers, and ten per
/// second.
pub(super) const TYPING: Rate = Rate { burst: 4_500, per_second: 5_000 };
/// Receipts of one principal, multiplied by their receivers.
pub(super) const SEEN: Rate = Rate { burst: 5_000, per_second: 1_000 };
/// Presence changes of one principal before others are told later.
pub(super) const PRESENCE: Rate = Rate { burst: 10, per_second: 1 };
/// Readings published by one connection, in units of [`publish_cost`]: some 60,000 readings per second in batches.
pub(super) const READINGS: Rate = Rate { burst: 100_000, per_second: 100_000 };
/// Readings published by all connections of one principal together.
pub(super) const PRINCIPAL_READINGS: Rate = Rate { burst: 400_000, per_second: 400_000 };
/// Readings published by one principal over HTTP, in requests of up to 4 KiB.
pub(super) const POSTS: Rate = Rate { burst: 500, per_second: 500 };
/// Messages posted with one hook's token, in requests of up to 4 KiB: what a room still can be read at.
const HOOK_POSTS: Rate = Rate { burst: 120, per_second: 2 };
/// Requests of one channel, in tenths of one: 50 a second, and as many bytes of posts as a connection's frames may have. Those
/// beyond it wait.
pub(super) const CHANNEL_REQUESTS: Rate = Rate { burst: 2_000, per_second: 500 };
/// Bytes that are compressed for all clients together: about a tenth of the time of one of today's processor cores. What is beyond
/// it is sent as it is.
pub(super) const PACKING: Rate = Rate { burst: 16_000_000, per_second: 8_000_000 };
/// Bytes of readings that cost one unit.
const READING_BYTES: usize = 64;
/// Fixed cost of a frame of readings, in units: about ten readings.
const PUBLISH: usize = 10;
/// Maximum number of HTTP publishers remembered; those idle for a minute are forgotten first, then all.
const MAX_PUBLISHERS: usize = 4096;
/// Bytes of a frame that count as one more frame.
const FRAME_BYTES: usize = 4096;
/// Maximum number of handshakes with bad credentials per address and window.
const MAX_FAILURES: u32 = 20;
/// The window, in milliseconds.
const WINDOW_MS: u64 = 60_000;
/// Maximum number of addresses remembered; expired ones are forgotten first, then all.
const MAX_ADDRESSES: usize = 4096;

/// A rate with a burst.
#[derive(Copy, Clone, Debug)]
pub(super) struct Rate {
    /// Units available at once.
    pub burst: u32,
    /// Units added per second.
    pub per_second: u32,
}

/// A token bucket that can go into debt: what was sent is charged, and the sender waits until the debt is paid.
#[derive(Debug)]
pub(super) struct Bucket {
    rate: Rate,
    /// In thousandths of a unit, so that each millisecond adds `per_second` of them.
    level: i64,
    at: BootMs,
    exhausted: bool,
}

/// The outcome of charging a [`Bucket`].
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Charge {
    /// How long to wait before the next one, in milliseconds.
    pub wait_ms: u64,
    /// Whether this began an episode of waiting; it lasts until the bucket is half full again.
    pub begins: bool,
}

/// Cost of a frame in units.
pub(super) fn cost(bytes: usize) -> u32 {
    u32::try_from(1 + bytes / FRAME_BYTES).unwrap_or(u32::MAX)
}

/// Cost of a frame of readings in units: a batch is cheaper than single readings.
pub(super) fn publish_cost(bytes: usize) -> u32 {
    u32::try_from(PUBLISH + bytes / READING_BYTES).unwrap_or(u32::MAX)
}

impl Bucket {
    /// A full bucket.
    pub(super) fn new(rate: Rate, now: BootMs) -> Self {
        Bucket { rate, level: i64::from(rate.burst) * 1000, at: now, exhausted: false }
    }

    fn fill(&mut self, now: BootMs) -> i64 {
        let full = i64::from(self.rate.burst) * 1000;
        let elapsed = i64::try_from(now.since(self.at)).unwrap_or(i64::MAX);
        let filled = elapsed.saturating_mul(i64::from(self.rate.per_second));
        self.level = self.level.saturating_add(filled).min(full);
        self.at = now;
        full
    }

    /// Time until the debt is paid, in milliseconds.
    pub(super) fn lack(&mut self, now: BootMs) -> u64 {
        self.fill(now);
        self.level.min(0).unsigned_abs().div_ceil(u64::from(self.rate.per_second))
    }

    /// Charges the bucket.
    pub(super) fn take(&mut self, cost: u32, now: BootMs) -> Charge {
        let full = self.fill(now);
        if self.level > full / 2 {
            self.exhausted = false;
        }
        self.level -= i64::from(cost) * 1000;
        if self.level >= 0 {
            return Charge::default();
        }
        let wait_ms = self.level.unsigned_abs().div_ceil(u64::from(self.rate.per_second));
        let begins = !std::mem::replace(&mut self.exhausted, true);
        Charge { wait_ms, begins }
    }

    /// Charges the bucket if it holds enough and returns 0; otherwise charges nothing and returns how long to wait,
    /// in milliseconds.
    pub(super) fn try_take(&mut self, cost: u32, now: BootMs) -> u64 {
        let taken = self.take(cost, now);
        if taken.wait_ms > 0 {
            self.give_back(cost);
        }
        taken.wait_ms
    }

    /// Refunds a charge.
    pub(super) fn give_back(&mut self, cost: u32) {
        let full = i64::from(self.rate.burst) * 1000;
        self.level = self.level.saturating_add(i64::from(cost) * 1000).min(full);
    }

    /// Whether the bucket is full.
    pub(super) fn is_full(&self, now: BootMs) -> bool {
        let elapsed = i64::try_from(now.since(self.at)).unwrap_or(i64::MAX);
        let filled = elapsed.saturating_mul(i64::from(self.rate.per_second));
        self.level.saturating_add(filled) >= i64::from(self.rate.burst) * 1000
    }
}

/// Rates of principals that publish over HTTP.
#[derive(Debug)]
pub(super) struct Posts {
    rate: Rate,
    buckets: Mutex<HashMap<PrincipalId, Bucket>>,
}

impl Default for Posts {
    fn default() -> Self {
        Posts { rate: POSTS, buckets: Mutex::default() }
    }
}

impl Posts {
    /// For messages posted with the tokens of hooks.
    pub(super) fn of_hooks() -> Posts {
        Posts { rate: HOOK_POSTS, ..Posts::default() }
    }

    /// Charges a request. Returns the seconds to wait if it exceeds the rate; it is not charged then.
    pub(super) fn take(&self, who: &PrincipalId, bytes: usize, now: BootMs) -> Option<u64> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MAX_PUBLISHERS && !buckets.contains_key(who) {
            buckets.retain(|_, bucket| now.since(bucket.at) < WINDOW_MS);
            if buckets.len() >= MAX_PUBLISHERS {
                buckets.clear();
            }
        }
        let bucket = buckets.entry(who.clone()).or_insert_with(|| Bucket::new(self.rate, now));
        let cost = cost(bytes);
        let taken = bucket.take(cost, now);
        if taken.wait_ms > 0 {
            bucket.level += i64::from(cost) * 1000;
            return Some(taken.wait_ms.div_ceil(1000));
        }
        None
    }
}

/// Counts failed authentication by address.
#[derive(Default)]
pub(super) struct Failures(Mutex<HashMap<IpAddr, (BootMs, u32)>>);

impl Failures {
    /// Counts one failure. Returns the seconds to wait if the address has reached the limit.
    pub(super) fn count(&self, from: IpAddr, now: BootMs) -> Option<u64> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= MAX_ADDRESSES {
            counts.retain(|_, (since, _)| now.since(*since) < WINDOW_MS);
            if counts.len() >= MAX_ADDRESSES {
                counts.clear();
            }
        }
        let (since, count) = counts.entry(network(from)).or_insert((now, 0));
        if now.since(*since) >= WINDOW_MS {
            (*since, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        (*count > MAX_FAILURES).then(|| away(*since, now))
    }

    /// The seconds for which an address is refused.
    pub(super) fn away(&self, from: IpAddr, now: BootMs) -> Option<u64> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, count) = counts.get(&network(from))?;
        (*count > MAX_FAILURES && now.since(*since) < WINDOW_MS).then(|| away(*since, now))
    }
}

fn away(since: BootMs, now: BootMs) -> u64 {
    (since + WINDOW_MS).since(now).div_ceil(1000)
}

/// Maps an IPv6 address to its /64 network, so that one household counts as one address.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & !u128::from(u64::MAX)).into()),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_the_rate_applies() {
        let mut bucket = Bucket::new(CONNECTION, BootMs(1000));
        for _ in 0..200 {
            assert_eq!(bucket.take(1, BootMs(1000)), Charge::default());
        }
        assert_eq!(bucket.take(1, BootMs(1000)), Charge { wait_ms: 2, begins: true });
        assert_eq!(bucket.take(1, BootMs(1002)), Charge { wait_ms: 2, begins: false }, "the same episode");
        assert_eq!(bucket.take(1, BootMs(2000)), Charge::default());
        for _ in 0..199 {
            bucket.take(1, BootMs(2000));
        }
        assert!(bucket.take(1, BootMs(2000)).begins, "another episode");
    }

    #[test]
    fn thousands_of_readings_pass_in_batches_but_not_one_by_one() {
        let sent = |batches: u64, bytes: usize| {
            let mut bucket = Bucket::new(READINGS, BootMs(0));
            let mut late = 0;
            for batch in 0..10 * batches {
                // Evenly over ten seconds.
                late = bucket.take(publish_cost(bytes), BootMs(batch * 1000 / batches)).wait_ms;
            }
            late
        };
        assert_eq!(sent(2_000, 10 * 100), 0, "20,000 a second, ten each");
        assert_eq!(sent(200, 200 * 100), 0, "40,000 a second, two hundred each");
        assert!(sent(20_000, 100) > 1_000, "20,000 a second, one each");
        assert!(sent(20, 1024 * 1024) > 1_000, "as large as may be");
    }

    #[test]
    fn requests_beyond_the_rate_get_a_time_to_retry() {
        let (posts, one, other) = (Posts::default(), PrincipalId("1".into()), PrincipalId("2".into()));
        for _ in 0..500 {
            assert_eq!(posts.take(&one, 100, BootMs(0)), None);
        }
        assert_eq!(posts.take(&one, 100, BootMs(0)), Some(1));
        assert_eq!(posts.take(&other, 100, BootMs(0)), None, "somebody else's rate is their own");
        assert_eq!(posts.take(&one, 100, BootMs(2)), None, "refused requests are not charged");
    }

    #[test]
    fn repeated_bad_tokens_block_an_address() {
        let failures = Failures::default();
        let (one, other) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        for _ in 0..20 {
            assert_eq!(failures.count(one, BootMs(0)), None);
        }
        assert_eq!(failures.away(one, BootMs(1_000)), None);
        assert_eq!(failures.count(one, BootMs(1_000)), Some(59));
        assert_eq!(failures.away(one, BootMs(30_000)), Some(30));
        assert_eq!(failures.away(other, BootMs(30_000)), None);
        assert_eq!(failures.away(one, BootMs(60_000)), None);
        assert_eq!(failures.count(one, BootMs(60_000)), None);
    }

    #[test]
    fn an_ipv6_network_counts_as_one_address() {
        let address = |text: &str| network(text.parse().unwrap());
        assert_eq!(address("2001:db8::1"), address("2001:db8::ffff:2"));
        assert_ne!(address("2001:db8::1"), address("2001:db8:0:1::1"));
        assert_eq!(address("::ffff:192.0.2.1"), address("192.0.2.1"));
    }
}
