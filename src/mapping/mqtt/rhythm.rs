//! [`Rhythms`]: which devices send at regular intervals, and which of them are silent. Only those can be: a door that is opened
//! now and then has no interval.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use foldhash::fast::RandomState;

use crate::model::device::SILENT_AFTER;
use crate::model::time::{BootMs, Time, WallMs};

/// Messages within this time are one, in milliseconds.
const BURST_MS: u64 = 1_000;
/// Number of intervals that are compared.
const GAPS: usize = 3;
/// The longest of them is at most this many times the shortest.
const EVEN: u64 = 2;

/// What is known of one device's intervals.
#[derive(Clone, Debug, Default)]
struct Rhythm {
    born: u32,
    /// The first message of the last burst, and the last message.
    began: BootMs,
    heard: BootMs,
    heard_wall: WallMs,
    gaps: [u64; GAPS],
    next: usize,
    is_armed: bool,
    is_silent: bool,
}

impl Rhythm {
    fn every_ms(&self) -> Option<u64> {
        let (low, high) = (*self.gaps.iter().min()?, *self.gaps.iter().max()?);
        (low > 0 && high <= low.saturating_mul(EVEN)).then_some(high)
    }

    fn due(&self) -> Option<BootMs> {
        Some(self.heard.saturating_add(self.every_ms()?.saturating_mul(SILENT_AFTER)))
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Rhythms {
    devices: HashMap<usize, Rhythm, RandomState>,
    /// When to look at which device, at the earliest.
    heap: BinaryHeap<Reverse<(BootMs, usize)>>,
}

impl Rhythms {
    /// A device sent something. `born` tells apart devices that had the same place one after the other.
    pub fn heard(&mut self, at: usize, born: u32, now: Time) {
        let rhythm = self.devices.entry(at).or_default();
        if rhythm.born != born {
            let is_armed = rhythm.is_armed;
            *rhythm = Rhythm { born, began: now.boot_ms, is_armed, ..Rhythm::default() };
        } else if rhythm.is_silent {
            // The pause was none of its intervals.
            rhythm.began = now.boot_ms;
        } else if now.boot_ms.since(rhythm.began) >= BURST_MS {
            rhythm.gaps[rhythm.next] = now.boot_ms - rhythm.began;
            rhythm.next = (rhythm.next + 1) % GAPS;
            rhythm.began = now.boot_ms;
        }
        (rhythm.heard, rhythm.heard_wall, rhythm.is_silent) = (now.boot_ms, now.wall_ms, false);
        if !rhythm.is_armed
            && let Some(due) = rhythm.due()
        {
            rhythm.is_armed = true;
            self.heap.push(Reverse((due, at)));
        }
    }

    pub fn deadline(&self) -> Option<BootMs> {
        self.heap.peek().map(|Reverse((due, _))| *due)
    }

    /// The devices that have become silent, with when they were last heard.
    pub fn silent(&mut self, now: Time) -> Vec<(usize, u32, WallMs)> {
        let mut silent = Vec::new();
        while let Some(Reverse((due, at))) = self.heap.peek().copied()
            && due <= now.boot_ms
        {
            self.heap.pop();
            let Some(rhythm) = self.devices.get_mut(&at) else { continue };
            rhythm.is_armed = false;
            match rhythm.due() {
                Some(due) if due > now.boot_ms => {
                    rhythm.is_armed = true;
                    self.heap.push(Reverse((due, at)));
                }
                Some(_) if !rhythm.is_silent => {
                    rhythm.is_silent = true;
                    silent.push((at, rhythm.born, rhythm.heard_wall));
                }
                _ => {}
            }
        }
        silent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Time {
        Time::default().plus(1_000_000 + seconds * 1_000)
    }

    #[test]
    fn a_regular_sender_is_silent_after_three_intervals_and_an_irregular_one_never() {
        let mut rhythms = Rhythms::default();
        [0, 10, 20, 31].into_iter().for_each(|second| rhythms.heard(1, 1, at(second)));
        [0, 3, 40, 44, 90].into_iter().for_each(|second| rhythms.heard(2, 1, at(second)));
        assert_eq!(rhythms.deadline(), Some(at(31 + 33).boot_ms));
        assert_eq!(rhythms.silent(at(63)), []);
        assert_eq!(rhythms.silent(at(64)), [(1, 1, at(31).wall_ms)]);
        assert_eq!(rhythms.silent(at(10_000)), []);
        rhythms.heard(1, 1, at(10_000));
        assert_eq!(rhythms.silent(at(10_032)), []);
        assert_eq!(rhythms.silent(at(10_033)), [(1, 1, at(10_000).wall_ms)], "the pause was no interval");
    }
}
