//! A broker's figures about itself, from its `$SYS` topics: Mosquitto's, EMQX's and those of brokers like them.

use super::level::Level;
use super::tree::{NodeId, Tree};

/// What all of them begin with.
pub const ROOT: &str = "$SYS";
/// What to subscribe to for them.
pub const FILTER: &str = "$SYS/#";

/// A figure.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Figure {
    /// The broker's version, in its own words.
    Version,
    /// How long it runs, in its own words.
    Uptime,
    /// Clients that are connected.
    Connected,
    /// Clients it knows, connected or not.
    Known,
    /// The most that were connected at a time.
    MostConnected,
    /// Subscriptions of all clients.
    Subscriptions,
    /// Retained messages.
    Retained,
    /// Messages that wait for clients.
    Waiting,
    /// Messages received since its start.
    Received,
    /// Messages sent since its start.
    Sent,
    /// Messages dropped since its start.
    Dropped,
    /// Messages received a minute.
    ReceivedAMinute,
    /// Messages sent a minute.
    SentAMinute,
    /// Bytes received since its start.
    BytesReceived,
    /// Bytes sent since its start.
    BytesSent,
    /// Memory in use, in bytes.
    Memory,
    /// The most memory that was in use, in bytes.
    MostMemory,
}

impl Figure {
    /// Whether it is a number of bytes.
    pub fn is_bytes(self) -> bool {
        matches!(self, Figure::BytesReceived | Figure::BytesSent | Figure::Memory | Figure::MostMemory)
    }
}

/// In the order in which they are shown: Mosquitto's topic, and what EMQX has below `$SYS/brokers/NODE/`.
const FIGURES: &[(Figure, &[&str], &[&str])] = &[
    (Figure::Version, &["broker/version"], &["version", "sysdescr"]),
    (Figure::Uptime, &["broker/uptime"], &["uptime"]),
    (Figure::Connected, &["broker/clients/connected", "broker/clients/active"], &["stats/connections/count"]),
    (Figure::Known, &["broker/clients/total"], &["stats/sessions/count"]),
    (Figure::MostConnected, &["broker/clients/maximum"], &["stats/connections/max"]),
    (Figure::Subscriptions, &["broker/subscriptions/count"], &["stats/subscriptions/count"]),
    (
        Figure::Retained,
        &["broker/retained messages/count", "broker/messages/retained/count"],
        &["stats/retained/count"],
    ),
    (Figure::Waiting, &["broker/store/messages/count", "broker/messages/stored"], &[]),
    (Figure::Received, &["broker/messages/received"], &["metrics/messages/received"]),
    (Figure::Sent, &["broker/messages/sent"], &["metrics/messages/sent"]),
    (
        Figure::Dropped,
        &["broker/publish/messages/dropped", "broker/messages/publish/dropped"],
        &["metrics/messages/dropped"],
    ),
    (Figure::ReceivedAMinute, &["broker/load/messages/received/1min"], &[]),
    (Figure::SentAMinute, &["broker/load/messages/sent/1min"], &[]),
    (Figure::BytesReceived, &["broker/bytes/received"], &["metrics/bytes/received"]),
    (Figure::BytesSent, &["broker/bytes/sent"], &["metrics/bytes/sent"]),
    (Figure::Memory, &["broker/heap/current", "broker/heap/current size"], &[]),
    (Figure::MostMemory, &["broker/heap/maximum", "broker/heap/maximum size"], &[]),
];
/// Maximum number of nodes of a cluster that are looked at.
const MAX_CLUSTER: usize = 16;

/// A figure that a broker publishes: which, by which node of a cluster, and the topic.
pub type FigureFound = (Figure, Option<String>, NodeId);

/// The figures that a broker publishes, in the order in which they are shown, node by node.
pub fn figures(tree: &Tree) -> Vec<FigureFound> {
    let find = |topic: String| tree.find(&topic);
    let own = FIGURES.iter().filter_map(|(figure, topics, _)| {
        let topic = topics.iter().find_map(|topic| find(format!("{ROOT}/{topic}")))?;
        Some((*figure, None, topic))
    });
    let mut found: Vec<FigureFound> = own.collect();
    for name in cluster(tree) {
        found.extend(FIGURES.iter().filter_map(|(figure, _, topics)| {
            let topic = topics.iter().find_map(|topic| find(format!("{ROOT}/brokers/{name}/{topic}")))?;
            Some((*figure, Some(name.clone()), topic))
        }));
    }
    found
}

/// The nodes of a cluster of EMQX.
fn cluster(tree: &Tree) -> Vec<String> {
    let brokers = root(tree).and_then(|system| tree.child(system, &Level("brokers".into())));
    let Some(brokers) = brokers else { return Vec::new() };
    let names = tree.node(brokers).children_after(None).map(|(level, _)| level.0.to_string());
    names.take(MAX_CLUSTER).collect()
}

/// The level above all figures, once one was seen.
pub fn root(tree: &Tree) -> Option<NodeId> {
    tree.child(NodeId::ROOT, &Level(ROOT.into()))
}
