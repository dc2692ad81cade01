//! [`Ranking`]: the busiest topics. Kept while messages come, so that nothing sorts all topics.

use super::tree::{NodeId, Tree};
use crate::model::time::BootMs;

/// Number of topics in the ranking.
pub const RANKED: usize = 100;

/// The busiest topics.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ranking {
    /// In no order.
    topics: Vec<NodeId>,
    /// The lowest rate among them when that was looked up, and the second of that.
    lowest: u32,
    looked_at_s: u64,
}

impl Ranking {
    /// A topic had its first live message of this second: it belongs here if it is busier than one of those that are.
    pub(super) fn touched(&mut self, tree: &mut Tree, topic: NodeId, now: BootMs) {
        let Some(leaf) = tree.leaf(topic).filter(|leaf| !leaf.is_ranked) else { return };
        let rate = leaf.rate_milli(now);
        if self.topics.len() < RANKED {
            self.topics.push(topic);
        } else {
            let is_new_second = self.looked_at_s != now.0 / 1_000;
            if rate <= self.lowest && !is_new_second {
                return;
            }
            let rates =
                self.topics.iter().enumerate().map(|(place, node)| (rate_of(tree, *node, now), place));
            let Some((lowest, place)) = rates.min() else { return };
            (self.lowest, self.looked_at_s) = (lowest, now.0 / 1_000);
            if rate <= lowest {
                return;
            }
            let out = std::mem::replace(&mut self.topics[place], topic);
            if let Some(leaf) = tree.leaf_mut(out) {
                leaf.is_ranked = false;
            }
        }
        if let Some(leaf) = tree.leaf_mut(topic) {
            leaf.is_ranked = true;
        }
    }

    /// The topics with their rates in thousandths a second, the busiest first.
    pub(super) fn sorted(&self, tree: &Tree, now: BootMs) -> Vec<(NodeId, u32)> {
        let mut all: Vec<(NodeId, u32)> =
            self.topics.iter().map(|node| (*node, rate_of(tree, *node, now))).collect();
        all.sort_unstable_by_key(|(node, rate)| (std::cmp::Reverse(*rate), *node));
        all
    }
}

fn rate_of(tree: &Tree, node: NodeId, now: BootMs) -> u32 {
    tree.leaf(node).map_or(0, |leaf| leaf.rate_milli(now))
}
