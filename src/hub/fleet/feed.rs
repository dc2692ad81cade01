//! [`Feed`]: readings on their way to clients. Each has a number. The newest are kept in a ring, encoded once for all
//! clients; a client that is too far behind gets the newest value of each metric, in the order of their numbers.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Position in the readings of this hub since its start: 1 for the first value, consecutive across all devices.
pub(in crate::hub) type Seq = u64;

/// Maximum bytes of encoded readings in the ring.
const MAX_RING_BYTES: u64 = 4 * 1024 * 1024;
/// A chunk of the ring is closed beyond this size, in bytes.
pub(super) const CHUNK_BYTES: usize = 16 * 1024;
/// Approximate size of one frame, in bytes.
pub(super) const FRAME_BYTES: usize = 64 * 1024;
/// A client with a backlog larger than this is sent only the newest values, in bytes.
const MAX_BEHIND_BYTES: u64 = 256 * 1024;

/// Where a value is stored: the index of the device in the fleet, and of the metric in the device.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub device: u32,
    pub metric: u16,
}

/// Encoded samples of one publish, separated by commas.
struct Chunk {
    /// The number before its first reading, and that of its last.
    numbers: (Seq, Seq),
    /// Bytes put into the ring before it, since the start.
    begin: u64,
    text: Arc<str>,
}

/// Readings on their way to clients.
#[derive(Default)]
pub(super) struct Feed {
    head: Seq,
    ring: VecDeque<Chunk>,
    /// Bytes put into the ring since the start.
    bytes: u64,
    /// The slot of each metric's newest value, by its number.
    newest: BTreeMap<Seq, Slot>,
}

/// Whole chunks of the ring.
pub(super) struct Exact {
    /// Encoded samples, one text per chunk.
    pub texts: Vec<Arc<str>>,
    /// The number of the last reading among them.
    pub to: Seq,
}

impl Feed {
    /// The number of the newest reading.
    pub(super) fn head(&self) -> Seq {
        self.head
    }

    /// Assigns a number to a new value of a metric whose last value had the number `before`, or 0.
    pub(super) fn number(&mut self, slot: Slot, before: Seq) -> Seq {
        self.forget(before);
        self.head += 1;
        self.newest.insert(self.head, slot);
        self.head
    }

    /// The metric with this number moved to another slot.
    pub(super) fn moved(&mut self, number: Seq, to: Slot) {
        if let Some(slot) = self.newest.get_mut(&number) {
            *slot = to;
        }
    }

    /// The metric with this number no longer exists.
    pub(super) fn forget(&mut self, number: Seq) {
        if number > 0 {
            self.newest.remove(&number);
        }
    }

    /// Puts the readings with numbers in `(numbers.0, numbers.1]` into the ring.
    pub(super) fn push(&mut self, numbers: (Seq, Seq), text: &str) {
        let length = text.len() as u64;
        self.ring.push_back(Chunk { numbers, begin: self.bytes, text: text.into() });
        self.bytes += length;
        while self.ring.front().is_some_and(|oldest| self.bytes - oldest.begin > MAX_RING_BYTES.max(length)) {
            self.ring.pop_front();
        }
    }

    /// The readings after `after`, up to `until`, as far as one frame allows; `None` if the ring no longer holds them
    /// or the backlog is too large.
    pub(super) fn exact(&self, after: Seq, until: Seq) -> Option<Exact> {
        let index = self.ring.partition_point(|chunk| chunk.numbers.0 < after);
        let first = self.ring.get(index).filter(|chunk| chunk.numbers.0 == after)?;
        if self.bytes - first.begin > MAX_BEHIND_BYTES.max(first.text.len() as u64) {
            return None;
        }
        let mut exact = Exact { texts: vec![Arc::clone(&first.text)], to: first.numbers.1 };
        for chunk in self.ring.range(index + 1..) {
            let bytes = chunk.begin + chunk.text.len() as u64 - first.begin;
            if bytes > FRAME_BYTES as u64 || chunk.numbers.1 > until {
                break;
            }
            exact.texts.push(Arc::clone(&chunk.text));
            exact.to = chunk.numbers.1;
        }
        (exact.to <= until).then_some(exact)
    }

    /// The metrics whose newest value has a number in `(after, until]`, by number.
    pub(super) fn newest(&self, after: Seq, until: Seq) -> impl Iterator<Item = (Seq, Slot)> {
        // `BTreeMap::range` panics if the start is beyond the end.
        self.newest.range(after + 1..until.max(after) + 1).map(|(number, slot)| (*number, *slot))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOT: Slot = Slot { device: 0, metric: 0 };

    fn push(feed: &mut Feed, bytes: usize) {
        let from = feed.head();
        feed.number(SLOT, from);
        feed.push((from, feed.head()), &"x".repeat(bytes));
    }

    #[test]
    fn the_ring_is_bounded_and_reports_what_it_has_dropped() {
        let mut feed = Feed::default();
        for _ in 0..1000 {
            push(&mut feed, 10_000);
        }
        let held: usize = feed.ring.iter().map(|chunk| chunk.text.len()).sum();
        assert!(held as u64 <= MAX_RING_BYTES && held as u64 > MAX_RING_BYTES - 10_000, "{held}");
        assert!(feed.exact(0, feed.head()).is_none(), "gone");
        assert!(feed.exact(990, 1000).is_some());
        assert!(feed.exact(700, 1000).is_none(), "too far behind");
        assert!(feed.exact(1000, 1000).is_none(), "nothing more");
        assert_eq!(feed.newest(0, 1000).collect::<Vec<_>>(), [(1000, SLOT)]);
    }

    #[test]
    fn a_frame_takes_whole_chunks_within_its_size_and_range() {
        let mut feed = Feed::default();
        for _ in 0..20 {
            push(&mut feed, 10_000);
        }
        assert_eq!(feed.exact(0, 20).unwrap().to, 6);
        assert_eq!(feed.exact(6, 8).unwrap().to, 8);
        push(&mut feed, 500_000);
        assert_eq!(feed.exact(20, 21).unwrap().to, 21, "a larger chunk is sent alone");
        assert_eq!(feed.newest(25, 21).count(), 0);
    }
}
