//! [`Feed`]: readings on their way to clients. Each has a number; the newest ones wait in a ring, encoded once for all
//! clients, and for whoever is too far behind there is the newest value of each metric, in the order of its number.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Position in the hub's readings since its start: 1 for the first value, gapless over all devices.
pub(in crate::hub) type Seq = u64;

/// Most bytes of encoded readings in the ring.
const RING_BYTES: u64 = 4 * 1024 * 1024;
/// A piece of the ring is closed beyond this, in bytes.
pub(super) const CHUNK_BYTES: usize = 16 * 1024;
/// About how much goes into one frame, in bytes.
pub(super) const FRAME_BYTES: usize = 64 * 1024;
/// A client for which more than this waits is told the newest values only, in bytes.
const BEHIND_BYTES: u64 = 256 * 1024;

/// Where a value is kept: the device's place in the fleet, the metric's in the device.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub device: u32,
    pub metric: u16,
}

/// Some samples of one publish, encoded, with commas between them.
struct Chunk {
    /// The number before its first reading, and that of its last.
    numbers: (Seq, Seq),
    /// Bytes in the ring, ever, before it.
    begin: u64,
    text: Arc<str>,
}

/// Readings on their way.
#[derive(Default)]
pub(super) struct Feed {
    head: Seq,
    ring: VecDeque<Chunk>,
    /// Bytes in the ring, ever.
    bytes: u64,
    /// Where the newest value of each metric is, by its number.
    newest: BTreeMap<Seq, Slot>,
}

/// Whole pieces of the ring.
pub(super) struct Exact {
    /// Each some samples.
    pub texts: Vec<Arc<str>>,
    /// The number of the last reading among them.
    pub to: Seq,
}

impl Feed {
    /// The number of the newest reading.
    pub(super) fn head(&self) -> Seq {
        self.head
    }

    /// Numbers a new value of a metric whose last value had the number `before`, or 0.
    pub(super) fn number(&mut self, slot: Slot, before: Seq) -> Seq {
        self.forget(before);
        self.head += 1;
        self.newest.insert(self.head, slot);
        self.head
    }

    /// The metric of this number is now kept elsewhere.
    pub(super) fn moved(&mut self, number: Seq, to: Slot) {
        if let Some(slot) = self.newest.get_mut(&number) {
            *slot = to;
        }
    }

    /// The metric of this number is no more.
    pub(super) fn forget(&mut self, number: Seq) {
        if number > 0 {
            self.newest.remove(&number);
        }
    }

    /// Puts the readings of these numbers, without the first one, into the ring.
    pub(super) fn push(&mut self, numbers: (Seq, Seq), text: &str) {
        let length = text.len() as u64;
        self.ring.push_back(Chunk { numbers, begin: self.bytes, text: text.into() });
        self.bytes += length;
        while self.ring.front().is_some_and(|oldest| self.bytes - oldest.begin > RING_BYTES.max(length)) {
            self.ring.pop_front();
        }
    }

    /// What follows a number, up to another one, as far as one frame takes; `None` where the ring no longer holds it, or
    /// too much waits.
    pub(super) fn exact(&self, after: Seq, until: Seq) -> Option<Exact> {
        let place = self.ring.partition_point(|chunk| chunk.numbers.0 < after);
        let first = self.ring.get(place).filter(|chunk| chunk.numbers.0 == after)?;
        if self.bytes - first.begin > BEHIND_BYTES.max(first.text.len() as u64) {
            return None;
        }
        let mut exact = Exact { texts: vec![Arc::clone(&first.text)], to: first.numbers.1 };
        for chunk in self.ring.range(place + 1..) {
            let bytes = chunk.begin + chunk.text.len() as u64 - first.begin;
            if bytes > FRAME_BYTES as u64 || chunk.numbers.1 > until {
                break;
            }
            exact.texts.push(Arc::clone(&chunk.text));
            exact.to = chunk.numbers.1;
        }
        (exact.to <= until).then_some(exact)
    }

    /// The metrics that have not changed again since a number within this range, by that number.
    pub(super) fn newest(&self, after: Seq, until: Seq) -> impl Iterator<Item = (Seq, Slot)> {
        // An empty range that begins beyond its end would be a panic.
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
    fn the_ring_is_bounded_and_knows_what_it_no_longer_holds() {
        let mut feed = Feed::default();
        for _ in 0..1000 {
            push(&mut feed, 10_000);
        }
        let held: usize = feed.ring.iter().map(|chunk| chunk.text.len()).sum();
        assert!(held as u64 <= RING_BYTES && held as u64 > RING_BYTES - 10_000, "{held}");
        assert!(feed.exact(0, feed.head()).is_none(), "gone");
        assert!(feed.exact(990, 1000).is_some());
        assert!(feed.exact(700, 1000).is_none(), "too far behind");
        assert!(feed.exact(1000, 1000).is_none(), "nothing more");
        assert_eq!(feed.newest(0, 1000).collect::<Vec<_>>(), [(1000, SLOT)]);
    }

    #[test]
    fn a_frame_takes_whole_pieces_up_to_its_size_and_to_where_it_was_asked() {
        let mut feed = Feed::default();
        for _ in 0..20 {
            push(&mut feed, 10_000);
        }
        assert_eq!(feed.exact(0, 20).unwrap().to, 6);
        assert_eq!(feed.exact(6, 8).unwrap().to, 8);
        push(&mut feed, 500_000);
        assert_eq!(feed.exact(20, 21).unwrap().to, 21, "one that is larger goes alone");
        assert_eq!(feed.newest(25, 21).count(), 0);
    }
}
