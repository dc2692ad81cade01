//! [`Leaf`]: what is known of one topic, and [`Past`], one message on it.

use std::collections::VecDeque;
use std::sync::Arc;

use super::rate::{self, Rate};
use crate::model::publication::{Properties, Publication, Qos, Retain};
use crate::model::time::{BootMs, Time};

/// Maximum number of earlier messages kept of a topic.
pub const MAX_PAST: usize = 100;
/// Maximum size of the earlier messages kept of a topic, in bytes.
pub const MAX_PAST_BYTES: usize = 1024 * 1024;
/// What a message takes beside its payload, about, in bytes.
const OVERHEAD_BYTES: usize = 96;

/// One message on a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// When it came.
    pub at: Time,
    /// The messages on this topic are numbered from 1.
    pub number: u64,
    /// Its payload, or the beginning of it.
    pub payload: Arc<[u8]>,
    /// The size of the whole payload, in bytes.
    pub size: u32,
    /// Its QoS.
    pub qos: Qos,
    /// Its retain flag.
    pub retain: Retain,
    /// What it carried beside the payload, if anything.
    pub properties: Option<Arc<Properties>>,
}

impl Past {
    /// Whether only the beginning of the payload is kept.
    pub fn is_cut(&self) -> bool {
        self.payload.len() < self.size as usize
    }

    /// What it takes, about, in bytes.
    pub fn bytes(&self) -> usize {
        OVERHEAD_BYTES + self.payload.len() + self.properties.as_ref().map_or(0, |some| some.size())
    }
}

/// What is known of a topic's retained message.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Kept {
    /// None was seen.
    #[default]
    No,
    /// The broker has one, and had it when we subscribed: MQTT does not tell since when.
    Earlier,
    /// The broker has one since this moment: we saw it being published.
    Since(Time),
}

/// What is known of one topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// The topic.
    pub topic: Arc<str>,
    /// Number of messages, replayed ones included.
    pub count: u64,
    /// Size of all their payloads, in bytes.
    pub bytes: u64,
    /// The last message.
    pub last: Past,
    /// Its retained message.
    pub kept: Kept,
    /// Whether it is among the busiest; see [`super::ranking`].
    pub(super) is_ranked: bool,
    /// Where it is among those with a retained message.
    pub(super) kept_place: u32,
    /// How many live messages a second.
    rate: Rate,
    /// How far the last two live messages were apart, in milliseconds.
    gap_ms: u64,
    /// When the last live message came.
    live_at: Option<BootMs>,
    /// Earlier messages, oldest first.
    past: VecDeque<Past>,
    past_bytes: usize,
}

impl Leaf {
    /// A topic with its first message.
    pub(super) fn new(topic: Arc<str>, at: Time, message: &Publication<'_>) -> Leaf {
        let mut leaf = Leaf {
            topic,
            count: 1,
            bytes: u64::from(message.size),
            last: past_of(at, 1, message),
            kept: Kept::No,
            is_ranked: false,
            kept_place: u32::MAX,
            rate: Rate::default(),
            gap_ms: 0,
            live_at: None,
            past: VecDeque::new(),
            past_bytes: 0,
        };
        leaf.heard(at, message);
        leaf
    }

    /// Takes the next message in. Returns how many bytes more are held, and whether it is the first live one of its second.
    pub(super) fn take(&mut self, at: Time, message: &Publication<'_>) -> (isize, bool) {
        let before = self.held();
        self.count += 1;
        self.bytes += u64::from(message.size);
        let last = std::mem::replace(&mut self.last, past_of(at, self.count, message));
        self.past_bytes += last.bytes();
        self.past.push_back(last);
        while self.past.len() > MAX_PAST || self.past_bytes > MAX_PAST_BYTES {
            self.forget_oldest();
        }
        let is_first = self.heard(at, message);
        (self.held() as isize - before as isize, is_first)
    }

    fn heard(&mut self, at: Time, message: &Publication<'_>) -> bool {
        if message.retain == Retain::Replayed {
            return false;
        }
        self.gap_ms = self.live_at.map_or(0, |before| at.boot_ms.since(before));
        self.live_at = Some(at.boot_ms);
        self.rate.count(at.boot_ms)
    }

    fn forget_oldest(&mut self) {
        if let Some(oldest) = self.past.pop_front() {
            self.past_bytes -= oldest.bytes();
        }
    }

    /// Lets the older half of the earlier messages go. Returns how many bytes that were.
    pub(super) fn halve(&mut self) -> usize {
        let before = self.past_bytes;
        (0..self.past.len().div_ceil(2)).for_each(|_| self.forget_oldest());
        if self.past.is_empty() {
            self.past = VecDeque::new();
        }
        before - self.past_bytes
    }

    /// Keeps only so much of the last payload. Returns how many bytes were let go.
    pub(super) fn cut(&mut self, bytes: usize) -> usize {
        let more = self.last.payload.len().saturating_sub(bytes);
        if more > 0 {
            self.last.payload = self.last.payload[..bytes].into();
        }
        more
    }

    /// What its messages take, in bytes.
    pub(super) fn held(&self) -> usize {
        self.last.bytes() + self.past_bytes
    }

    /// Whether a live message came, rather than only one that was kept.
    pub fn is_live(&self) -> bool {
        self.live_at.is_some()
    }

    /// Live messages a second, in thousandths.
    pub fn rate_milli(&self, now: BootMs) -> u32 {
        let since = self.live_at.map_or(0, |at| now.since(at));
        rate::of_gap(self.gap_ms, since).unwrap_or_else(|| self.rate.milli(now))
    }

    /// Earlier messages, oldest first.
    pub fn past(&self) -> &VecDeque<Past> {
        &self.past
    }

    /// The message before the last, if it is still held.
    pub fn before(&self) -> Option<&Past> {
        self.past.back()
    }

    /// The held messages, newest first, from this place on.
    pub fn newest(&self, from: usize) -> impl Iterator<Item = &Past> {
        std::iter::once(&self.last).chain(self.past.iter().rev()).skip(from)
    }
}

fn past_of(at: Time, number: u64, message: &Publication<'_>) -> Past {
    Past {
        at,
        number,
        payload: message.payload.into(),
        size: message.size,
        qos: message.qos,
        retain: message.retain,
        properties: message.properties.cloned(),
    }
}
