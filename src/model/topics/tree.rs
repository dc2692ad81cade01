//! [`Tree`]: topics by their levels. Nodes are only ever added, so that a number stays good for as long as the tree is there.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::leaf::Leaf;
use super::level::Level;
use super::rate::Rate;
use crate::model::publication::Publication;
use crate::model::time::Time;

/// Maximum number of topics.
pub const MAX_TOPICS: usize = 100_000;
/// Maximum number of levels and topics.
const MAX_NODES: usize = 300_000;
/// Maximum size of all topics, in bytes.
const MAX_NAMES_BYTES: usize = 16 * 1024 * 1024;
/// Deeper levels are one: the rest of the topic.
pub const MAX_DEPTH: usize = 24;

/// A level of a topic, by its number.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

impl NodeId {
    /// What is above all topics.
    pub const ROOT: NodeId = NodeId(0);
}

/// A level of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its name: without slashes, but for the last possible level. May be empty.
    pub name: Arc<str>,
    /// The level above.
    pub parent: NodeId,
    /// Number of topics here and below.
    pub topics: u32,
    /// Number of messages here and below.
    pub messages: u64,
    /// How many live messages a second here and below.
    pub rate: Rate,
    /// What is known of the topic that ends here, if one does.
    pub leaf: Option<Box<Leaf>>,
    children: BTreeMap<Level, NodeId>,
}

impl Node {
    fn new(name: Arc<str>, parent: NodeId) -> Node {
        let (rate, children) = (Rate::default(), BTreeMap::new());
        Node { name, parent, topics: 0, messages: 0, rate, leaf: None, children }
    }

    /// Number of levels directly below. It only grows.
    pub fn child_count(&self) -> usize {
        self.children.len()
    }

    /// The levels directly below that come after one of them, in order.
    pub fn children_after(&self, after: Option<&Level>) -> impl Iterator<Item = (&Level, NodeId)> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.children.range::<Level, _>((from, Bound::Unbounded)).map(|(level, node)| (level, *node))
    }
}

/// What came of a message.
pub(super) enum Put {
    /// Its topic is new.
    New(NodeId),
    /// Its topic was known. So many bytes more are held, and whether the message is the first live one of its second.
    Known(NodeId, isize, bool),
    /// There is no space for its topic.
    Full,
}

/// Topics by their levels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    nodes: Vec<Node>,
    /// The topics in the order in which they came.
    topics: Vec<NodeId>,
    index: HashMap<Arc<str>, NodeId, RandomState>,
    names_bytes: usize,
}

impl Default for Tree {
    fn default() -> Tree {
        Tree {
            nodes: vec![Node::new("".into(), NodeId::ROOT)],
            topics: Vec::new(),
            index: HashMap::default(),
            names_bytes: 0,
        }
    }
}

impl Tree {
    /// Takes a message in.
    pub(super) fn put(&mut self, at: Time, message: &Publication<'_>, is_live: bool) -> Put {
        if let Some(node) = self.index.get(message.topic).copied() {
            self.count(node, at, is_live, false);
            let leaf = self.nodes[node.0 as usize].leaf.as_mut();
            let (more, is_first) = leaf.map_or((0, false), |leaf| leaf.take(at, message));
            return Put::Known(node, more, is_first);
        }
        let Some(node) = self.add(message.topic) else { return Put::Full };
        let topic: Arc<str> = message.topic.into();
        self.nodes[node.0 as usize].leaf = Some(Box::new(Leaf::new(Arc::clone(&topic), at, message)));
        self.index.insert(topic, node);
        self.topics.push(node);
        self.count(node, at, is_live, true);
        Put::New(node)
    }

    /// The node of a new topic.
    fn add(&mut self, topic: &str) -> Option<NodeId> {
        if self.topics.len() >= MAX_TOPICS
            || self.nodes.len() + MAX_DEPTH > MAX_NODES
            || self.names_bytes + topic.len() > MAX_NAMES_BYTES
        {
            return None;
        }
        self.names_bytes += topic.len();
        let mut at = NodeId::ROOT;
        for name in topic.splitn(MAX_DEPTH, '/') {
            let level = Level(name.into());
            at = match self.nodes[at.0 as usize].children.get(&level) {
                Some(child) => *child,
                None => {
                    let child = NodeId(u32::try_from(self.nodes.len()).ok()?);
                    self.nodes.push(Node::new(Arc::clone(&level.0), at));
                    self.nodes[at.0 as usize].children.insert(level, child);
                    child
                }
            };
        }
        Some(at)
    }

    /// Counts a message at all levels above its topic.
    fn count(&mut self, mut node: NodeId, at: Time, is_live: bool, is_new: bool) {
        loop {
            let own = &mut self.nodes[node.0 as usize];
            own.messages += 1;
            own.topics += u32::from(is_new);
            if is_live {
                own.rate.count(at.boot_ms);
            }
            if node == NodeId::ROOT {
                break;
            }
            node = own.parent;
        }
    }

    /// A level. That of an unknown number is the root.
    pub fn node(&self, node: NodeId) -> &Node {
        self.nodes.get(node.0 as usize).unwrap_or(&self.nodes[0])
    }

    /// What is known of a topic.
    pub fn leaf(&self, node: NodeId) -> Option<&Leaf> {
        self.nodes.get(node.0 as usize)?.leaf.as_deref()
    }

    pub(super) fn leaf_mut(&mut self, node: NodeId) -> Option<&mut Leaf> {
        self.nodes.get_mut(node.0 as usize)?.leaf.as_deref_mut()
    }

    /// The level of this name directly below another.
    pub fn child(&self, node: NodeId, level: &Level) -> Option<NodeId> {
        self.node(node).children.get(level).copied()
    }

    /// The node of a topic.
    pub fn find(&self, topic: &str) -> Option<NodeId> {
        self.index.get(topic).copied()
    }

    /// The topics in the order in which they came. Only added to.
    pub fn topics(&self) -> &[NodeId] {
        &self.topics
    }

    /// Number of levels and topics. It only grows.
    pub fn len(&self) -> usize {
        self.nodes.len() - 1
    }

    /// Whether there is no topic.
    pub fn is_empty(&self) -> bool {
        self.topics.is_empty()
    }

    /// The first level from here on down where a topic ends or the tree branches.
    pub fn end_of_chain(&self, mut node: NodeId) -> NodeId {
        loop {
            let at = self.node(node);
            let mut below = at.children.values();
            match (&at.leaf, below.next(), below.next()) {
                (None, Some(only), None) => node = *only,
                _ => return node,
            }
        }
    }

    /// The levels above a node, from the top, without itself.
    pub fn above(&self, node: NodeId) -> Vec<NodeId> {
        let mut above = Vec::new();
        let mut at = self.node(node).parent;
        while at != NodeId::ROOT {
            above.push(at);
            at = self.node(at).parent;
        }
        above.reverse();
        above
    }
}
