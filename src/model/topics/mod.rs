//! [`Topics`]: every topic seen of a broker, with what came on it. Bounded in topics and bytes: what there is no space for
//! is counted.

pub mod ghosts;
mod leaf;
mod level;
mod ranking;
mod rate;
pub mod system;
mod tree;

use super::publication::{Publication, Publications, Retain};
use super::time::{BootMs, Time};
use super::topic::{PublishOutcome, Subscription, TopicEvent};
pub use leaf::{Kept, Leaf, MAX_PAST, MAX_PAST_BYTES, Past};
pub use level::{Level, natural};
pub use ranking::RANKED;
use ranking::Ranking;
use tree::Put;
pub use tree::{MAX_DEPTH, MAX_TOPICS, Node, NodeId, Tree};

/// Maximum number of answers to requests that are kept.
const MAX_ANSWERS: usize = 16;
/// What all messages of a connection may take in memory, in bytes.
pub const MAX_HELD_BYTES: usize = 64 * 1024 * 1024;
/// So much is kept of every topic's last payload, in bytes: with the most topics that is well below [`MAX_HELD_BYTES`].
const MIN_PAYLOAD_BYTES: usize = 256;

/// An answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// What became of a published message.
    Published(PublishOutcome),
    /// How far the clearing of retained messages has come.
    Cleared {
        /// How many were cleared.
        done: u32,
        /// How many were not.
        failed: u32,
        /// Why the first of those was not.
        why: Option<PublishOutcome>,
        /// Whether it is over.
        is_over: bool,
    },
}

/// Every topic seen of a broker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topics {
    tree: Tree,
    ranking: Ranking,
    /// Topics that have a retained message, as far as this connection has seen; in no order.
    kept: Vec<NodeId>,
    kept_version: u64,
    /// What the messages take in memory, in bytes.
    held: usize,
    /// Where space is made next: an index into the tree's topics.
    hand: usize,
    subscriptions: Vec<Subscription>,
    answers: Vec<(u64, Answer)>,
    connected: Option<Time>,
    seen: u64,
    seen_bytes: u64,
    left_out: u64,
    unlisted: u64,
}

impl Topics {
    /// Takes one event in.
    pub fn apply(&mut self, event: TopicEvent) {
        match event {
            TopicEvent::Seen(seen) => self.see(&seen),
            TopicEvent::Subscriptions(all) => self.subscriptions = all,
            TopicEvent::Published { number, outcome } => self.answer(number, Answer::Published(outcome)),
            TopicEvent::Cleared { number, done, failed, why, is_over } => {
                self.answer(number, Answer::Cleared { done, failed, why, is_over });
            }
        }
    }

    fn see(&mut self, seen: &Publications) {
        self.left_out += seen.left_out;
        for message in seen.iter() {
            self.take(seen.received, &message);
        }
    }

    fn take(&mut self, at: Time, message: &Publication<'_>) {
        self.seen += 1;
        self.seen_bytes += u64::from(message.size);
        let is_live = message.retain != Retain::Replayed;
        let (node, more, is_first) = match self.tree.put(at, message, is_live) {
            Put::New(node) => {
                let held = self.tree.leaf(node).map_or(0, Leaf::held);
                (node, held as isize, is_live)
            }
            Put::Known(node, more, is_first) => (node, more, is_first),
            Put::Full => {
                self.unlisted += 1;
                return;
            }
        };
        self.held = self.held.saturating_add_signed(more);
        self.keep(node, at, message);
        if is_first {
            self.ranking.touched(&mut self.tree, node, at.boot_ms);
        }
        if self.held > MAX_HELD_BYTES {
            self.make_space();
        }
    }

    /// Takes in what a message says of its topic's retained message.
    fn keep(&mut self, node: NodeId, at: Time, message: &Publication<'_>) {
        let Some(leaf) = self.tree.leaf_mut(node) else { return };
        let now = match (message.retain, message.size) {
            (Retain::Live, 0) => Kept::No,
            (Retain::Live, _) => Kept::Since(at),
            (Retain::Replayed, 0) => return,
            // A new subscription tells again what was seen being published.
            (Retain::Replayed, _) if matches!(leaf.kept, Kept::Since(_)) => return,
            (Retain::Replayed, _) => Kept::Earlier,
            // An empty message without the flag is how MQTT 3.1.1 passes on that a retained one was cleared.
            (Retain::No, 0) => Kept::No,
            (Retain::No, _) => return,
        };
        let was = std::mem::replace(&mut leaf.kept, now);
        match (was, now) {
            (Kept::No, Kept::No) => {}
            (Kept::No, _) => {
                leaf.kept_place = self.kept.len() as u32;
                self.kept.push(node);
                self.kept_version += 1;
            }
            (_, Kept::No) => {
                let place = std::mem::replace(&mut leaf.kept_place, u32::MAX) as usize;
                if place < self.kept.len() {
                    self.kept.swap_remove(place);
                }
                let moved = self.kept.get(place).copied();
                if let Some(moved) = moved.and_then(|moved| self.tree.leaf_mut(moved)) {
                    moved.kept_place = place as u32;
                }
                self.kept_version += 1;
            }
            _ => {}
        }
    }

    /// Lets earlier messages go, topic by topic; if that is not enough, also most of long payloads.
    fn make_space(&mut self) {
        let count = self.tree.topics().len();
        for step in 0..2 * count {
            if self.held <= MAX_HELD_BYTES {
                return;
            }
            self.hand = (self.hand + 1) % count;
            let node = self.tree.topics()[self.hand];
            let Some(leaf) = self.tree.leaf_mut(node) else { continue };
            let freed = leaf.halve() + if step >= count { leaf.cut(MIN_PAYLOAD_BYTES) } else { 0 };
            self.held = self.held.saturating_sub(freed);
        }
    }

    fn answer(&mut self, number: u64, answer: Answer) {
        self.answers.retain(|(known, _)| *known != number);
        if self.answers.len() == MAX_ANSWERS {
            self.answers.remove(0);
        }
        self.answers.push((number, answer));
    }

    /// A connection begins. The broker sends its retained messages again.
    pub fn connected(&mut self, now: Time) {
        self.connected = Some(now);
        let kept = std::mem::take(&mut self.kept);
        self.kept_version += u64::from(!kept.is_empty());
        for node in kept {
            if let Some(leaf) = self.tree.leaf_mut(node) {
                (leaf.kept, leaf.kept_place) = (Kept::No, u32::MAX);
            }
        }
    }

    /// The connection ended.
    pub fn disconnected(&mut self) {
        self.subscriptions.clear();
    }

    /// The topics by their levels.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The busiest topics with their rates in thousandths a second, the busiest first; at most [`RANKED`].
    pub fn ranking(&self, now: BootMs) -> Vec<(NodeId, u32)> {
        self.ranking.sorted(&self.tree, now)
    }

    /// The topics that have a retained message, as far as this connection has seen; in no order.
    pub fn kept(&self) -> &[NodeId] {
        &self.kept
    }

    /// Changes whenever [`Topics::kept`] does.
    pub fn kept_version(&self) -> u64 {
        self.kept_version
    }

    /// When the connection began, of the present or the last one.
    pub fn connected_at(&self) -> Option<Time> {
        self.connected
    }

    /// All subscriptions.
    pub fn subscriptions(&self) -> &[Subscription] {
        &self.subscriptions
    }

    /// The answer to a request, once there is one.
    pub fn answer_to(&self, number: u64) -> Option<&Answer> {
        self.answers.iter().find(|(known, _)| *known == number).map(|(_, answer)| answer)
    }

    /// Number of messages that came since the start.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// Size of their payloads, in bytes.
    pub fn seen_bytes(&self) -> u64 {
        self.seen_bytes
    }

    /// Number of messages that the session left out.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Number of messages whose topics there was no space for.
    pub fn unlisted(&self) -> u64 {
        self.unlisted
    }

    /// What the messages take in memory, about, in bytes.
    pub fn held(&self) -> usize {
        self.held
    }
}

#[cfg(test)]
mod tests;
