//! What a person sees of topics, and that it stays within its bounds.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::ghosts::{self, Gone};
use super::*;
use crate::model::publication::{Publication, Qos};
use crate::model::time::BootMs;
use crate::model::time::WallMs;

fn at(ms: u64) -> Time {
    Time { boot_ms: BootMs(ms), wall_ms: WallMs(1_700_000_000_000 + ms as i64) }
}

fn message<'a>(topic: &'a str, payload: &'a [u8], retain: Retain) -> Publication<'a> {
    let (size, qos) = (payload.len() as u32, Qos::AtMostOnce);
    Publication { topic, payload, size, qos, retain, properties: None }
}

fn see(topics: &mut Topics, ms: u64, messages: &[Publication<'_>]) {
    let mut seen = Publications::new(at(ms));
    messages.iter().for_each(|message| seen.push(message));
    topics.apply(TopicEvent::Seen(Arc::new(seen)));
}

fn leaf<'a>(topics: &'a Topics, topic: &str) -> &'a Leaf {
    topics.tree().leaf(topics.tree().find(topic).unwrap()).unwrap()
}

/// The tree as text, two spaces a level, with the number of topics.
fn drawn(topics: &Topics) -> String {
    fn draw(tree: &Tree, node: NodeId, depth: usize, to: &mut String) {
        for (level, child) in tree.node(node).children_after(None) {
            let node = tree.node(child);
            to.push_str(&format!("{}{} {}/{}\n", "  ".repeat(depth), level.0, node.topics, node.messages));
            draw(tree, child, depth + 1, to);
        }
    }
    let mut text = String::new();
    draw(topics.tree(), NodeId::ROOT, 0, &mut text);
    text
}

#[test]
fn topics_are_a_tree_in_the_order_of_names() {
    let mut topics = Topics::default();
    let names = ["home/plug10/power", "home/plug2/power", "home/plug2", "home/plug2/power", "/lead", "Attic"];
    see(&mut topics, 0, &names.map(|name| message(name, b"1", Retain::No)));
    let expected =
        " 1/1\n  lead 1/1\nAttic 1/1\nhome 3/4\n  plug2 2/3\n    power 1/2\n  plug10 1/1\n    power 1/1\n";
    assert_eq!(drawn(&topics), expected);
    assert_eq!((topics.seen(), topics.tree().topics().len()), (6, 5));
    let plug = topics.tree().find("home/plug2/power").unwrap();
    let above: Vec<&str> =
        topics.tree().above(plug).iter().map(|node| &*topics.tree().node(*node).name).collect();
    assert_eq!(above, ["home", "plug2"]);
}

#[test]
fn deep_topics_end_in_one_long_level() {
    let mut topics = Topics::default();
    let deep = vec!["x"; MAX_DEPTH + 40].join("/");
    see(&mut topics, 0, &[message(&deep, b"1", Retain::No)]);
    assert_eq!(topics.tree().len(), MAX_DEPTH);
    assert_eq!(&*leaf(&topics, &deep).topic, deep);
}

#[test]
fn a_retained_message_has_an_age_only_if_it_was_seen_being_published() {
    let mut topics = Topics::default();
    topics.connected(at(0));
    see(&mut topics, 1, &[message("a", b"1", Retain::Replayed), message("b", b"1", Retain::Live)]);
    assert_eq!(leaf(&topics, "a").kept, Kept::Earlier);
    assert!(!leaf(&topics, "a").is_live());
    assert_eq!(leaf(&topics, "b").kept, Kept::Since(at(1)));
    // A further subscription tells it again.
    see(&mut topics, 2, &[message("b", b"1", Retain::Replayed), message("a", b"2", Retain::No)]);
    assert_eq!(leaf(&topics, "b").kept, Kept::Since(at(1)));
    assert_eq!(leaf(&topics, "a").kept, Kept::Earlier, "a live message says nothing of the retained one");
    see(&mut topics, 3, &[message("a", b"", Retain::No), message("b", b"", Retain::Live)]);
    assert_eq!((leaf(&topics, "a").kept, leaf(&topics, "b").kept), (Kept::No, Kept::No));
    assert!(topics.kept().is_empty());
}

#[test]
fn another_connection_learns_anew_what_is_retained() {
    let mut topics = Topics::default();
    topics.connected(at(0));
    see(&mut topics, 1, &[message("a", b"1", Retain::Replayed), message("b", b"1", Retain::Replayed)]);
    topics.disconnected();
    assert_eq!(topics.kept().len(), 2, "what was known stays on screen");
    topics.connected(at(10));
    see(&mut topics, 11, &[message("b", b"1", Retain::Replayed)]);
    let kept: Vec<_> =
        topics.kept().iter().map(|node| topics.tree().leaf(*node).unwrap().topic.clone()).collect();
    assert_eq!(kept, [Arc::from("b")]);
}

#[test]
fn earlier_messages_are_kept_newest_first_within_their_bounds() {
    let mut topics = Topics::default();
    for n in 0..MAX_PAST + 50 {
        see(&mut topics, n as u64, &[message("a", n.to_string().as_bytes(), Retain::No)]);
    }
    let leaf = leaf(&topics, "a");
    assert_eq!((leaf.count, leaf.past().len()), (MAX_PAST as u64 + 50, MAX_PAST));
    let newest: Vec<u64> = leaf.newest(0).take(3).map(|past| past.number).collect();
    assert_eq!(newest, [150, 149, 148]);
    assert_eq!(&*leaf.before().unwrap().payload, b"148");
}

#[test]
fn memory_stays_within_its_budget_and_every_topic_keeps_its_last_message() {
    let mut topics = Topics::default();
    let payload = vec![7; 200 * 1024];
    let names: Vec<String> = (0..600).map(|n| format!("camera/{n}")).collect();
    for round in 0..3 {
        for name in &names {
            see(&mut topics, round, &[message(name, &payload, Retain::No)]);
        }
        assert!(topics.held() <= MAX_HELD_BYTES);
    }
    let held: usize =
        topics.tree().topics().iter().map(|node| topics.tree().leaf(*node).unwrap().held()).sum();
    assert_eq!(held, topics.held(), "what is counted is what is held");
    for name in &names {
        let leaf = leaf(&topics, name);
        assert_eq!((leaf.count, leaf.last.size), (3, payload.len() as u32));
        assert!(leaf.last.payload.len() >= MIN_PAYLOAD_BYTES);
    }
    assert!(names.iter().any(|name| leaf(&topics, name).last.is_cut()), "the last ones alone are too much");
}

#[test]
fn topics_beyond_the_most_are_counted() {
    let mut topics = Topics::default();
    let long = "n".repeat(1_000);
    for n in 0..17_000 {
        see(&mut topics, 0, &[message(&format!("{n}/{long}"), b"1", Retain::No)]);
    }
    let listed = topics.tree().topics().len();
    assert!(listed < 17_000 && listed > 16_000);
    assert_eq!(topics.unlisted(), 17_000 - listed as u64);
    see(&mut topics, 1, &[message(&format!("0/{long}"), b"2", Retain::No)]);
    assert_eq!(leaf(&topics, &format!("0/{long}")).count, 2, "those that are listed go on");
}

#[test]
fn the_busiest_topics_come_first() {
    let mut topics = Topics::default();
    for second in 0..10 {
        for topic in 0..300 {
            let name = format!("t/{topic}");
            let each = if topic % 10 == 3 { topic } else { 1 };
            (0..each).for_each(|_| see(&mut topics, second * 1_000, &[message(&name, b"1", Retain::No)]));
        }
        see(&mut topics, second * 1_000, &[message("kept", b"1", Retain::Replayed)]);
    }
    let ranking = topics.ranking(BootMs(10_000));
    assert_eq!(ranking.len(), RANKED);
    let first: Vec<(&str, u32)> = ranking
        .iter()
        .take(3)
        .map(|(node, rate)| (&*topics.tree().leaf(*node).unwrap().topic, *rate))
        .collect();
    assert_eq!(first, [("t/293", 293_000), ("t/283", 283_000), ("t/273", 273_000)]);
    assert!(ranking.iter().all(|(node, _)| &*topics.tree().leaf(*node).unwrap().topic != "kept"));
}

#[test]
fn the_ranking_follows_when_others_become_busy() {
    let mut topics = Topics::default();
    let names: Vec<String> = (0..150).map(|n| format!("t/{n}")).collect();
    for second in 0..20u64 {
        for (n, name) in names.iter().enumerate() {
            let is_busy = (n < 100) == (second < 10);
            (0..if is_busy { 5 } else { 2 })
                .for_each(|_| see(&mut topics, second * 1_000, &[message(name, b"1", Retain::No)]));
        }
    }
    let first: Vec<NodeId> = topics.ranking(BootMs(20_000)).iter().take(50).map(|(node, _)| *node).collect();
    assert!(first.iter().all(|node| names[100..].iter().any(|name| topics.tree().find(name) == Some(*node))));
}

#[test]
fn answers_are_kept_by_their_number() {
    let mut topics = Topics::default();
    assert_eq!(topics.answer_to(7), None);
    let outcome = PublishOutcome::Confirmed { unheard: true };
    topics.apply(TopicEvent::Published { number: 7, outcome: outcome.clone() });
    assert_eq!(topics.answer_to(7), Some(&Answer::Published(outcome)));
    for number in 100..100 + MAX_ANSWERS as u64 {
        topics.apply(TopicEvent::Published { number, outcome: PublishOutcome::Sent });
    }
    assert_eq!(topics.answer_to(7), None);
}

const DISCOVERY: &str = r#"{"~":"tele/plug","name":"Power","stat_t":"~/STATE","avty_t":"~/LWT","pl_not_avail":"Offline",
    "dev":{"name":"Kitchen plug"}}"#;

fn ghosts(topics: &Topics, now: u64) -> Vec<ghosts::Ghost> {
    let judge = |node: &NodeId| {
        let leaf = topics.tree().leaf(*node)?;
        ghosts::judge(topics.tree(), leaf, topics.connected_at()?, at(now))
    };
    topics.kept().iter().filter_map(judge).collect()
}

#[test]
fn a_discovered_device_is_a_ghost_once_it_is_offline_or_was_never_heard() {
    let mut topics = Topics::default();
    topics.connected(at(0));
    let config = "homeassistant/sensor/plug/power/config";
    see(&mut topics, 1, &[message(config, DISCOVERY.as_bytes(), Retain::Replayed)]);
    assert_eq!(ghosts(&topics, 1_000), [], "it may still say something");
    let [ghost] = <[_; 1]>::try_from(ghosts(&topics, ghosts::QUIET_MS + 1)).unwrap();
    assert_eq!(ghost.name, "Kitchen plug, Power");
    assert_eq!(ghost.why, Gone::Silent { topic: "tele/plug/STATE".into() });
    see(&mut topics, 2, &[message("tele/plug/STATE", b"{}", Retain::No)]);
    assert_eq!(ghosts(&topics, ghosts::QUIET_MS + 1), []);
    see(&mut topics, 3, &[message("tele/plug/LWT", b"Offline", Retain::Replayed)]);
    let [ghost] = <[_; 1]>::try_from(ghosts(&topics, 4)).unwrap();
    assert_eq!(ghost.why, Gone::Offline { topic: "tele/plug/LWT".into() });
    see(&mut topics, 5, &[message(config, b"", Retain::Live)]);
    assert_eq!(ghosts(&topics, ghosts::QUIET_MS + 1), []);
}

#[test]
fn availability_is_read_in_all_its_forms() {
    let mut topics = Topics::default();
    topics.connected(at(0));
    let of = |availability: &str| format!(r#"{{"device":{{"name":"L"}},"cmps":{{"a":{availability}}}}}"#);
    let (list, json) =
        (of(r#"{"avty":[{"t":"x"},{"topic":"y"}]}"#), of(r#"{"availability":[{"topic":"z"}]}"#));
    see(
        &mut topics,
        1,
        &[
            message("ha/device/one/config", list.as_bytes(), Retain::Replayed),
            message("ha/device/two/config", json.as_bytes(), Retain::Replayed),
            message("ha/device/three/config", b"{\"cmps\":", Retain::Replayed),
            message("y", b"offline", Retain::Replayed),
            message("z", br#"{"state":"offline"}"#, Retain::Replayed),
        ],
    );
    assert_eq!(ghosts(&topics, 2).len(), 2);
}

#[test]
fn only_discovery_topics_are_judged() {
    for topic in ["homeassistant/sensor/a/config", "x/y/light/node/id/config"] {
        assert!(ghosts::is_discovery(topic), "{topic}");
    }
    for topic in ["a/config", "sensor/config", "homeassistant/sensor/a/state", "x/y/z/config"] {
        assert!(!ghosts::is_discovery(topic), "{topic}");
    }
}

#[test]
fn the_figures_of_mosquitto_and_of_a_cluster_of_emqx_are_found() {
    let mut topics = Topics::default();
    let names = [
        "$SYS/broker/version",
        "$SYS/broker/clients/connected",
        "$SYS/broker/something/else",
        "$SYS/brokers/emqx@a/stats/connections/count",
        "$SYS/brokers/emqx@b/version",
    ];
    see(&mut topics, 0, &names.map(|name| message(name, b"7", Retain::Replayed)));
    let found = system::figures(topics.tree());
    let found: Vec<(system::Figure, Option<&str>)> =
        found.iter().map(|(figure, node, _)| (*figure, node.as_deref())).collect();
    use system::Figure::{Connected, Version};
    assert_eq!(
        found,
        [(Version, None), (Connected, None), (Connected, Some("emqx@a")), (Version, Some("emqx@b"))]
    );
}

fn any_message() -> impl Strategy<Value = (String, Vec<u8>, u8)> {
    ("[ab/0-2]{0,6}", proptest::collection::vec(any::<u8>(), 0..4), 0u8..3)
}

proptest! {
    /// Whatever comes: counts add up at every level, and the retained ones are those whose last word was that.
    #[test]
    fn counts_add_up(messages in proptest::collection::vec(any_message(), 0..60)) {
        let mut topics = Topics::default();
        let mut kept = BTreeMap::new();
        for (n, (topic, payload, retain)) in messages.iter().enumerate() {
            let retain = [Retain::No, Retain::Live, Retain::Replayed][usize::from(*retain)];
            see(&mut topics, n as u64 * 300, &[message(topic, payload, retain)]);
            match (retain, payload.is_empty()) {
                (Retain::No, false) | (Retain::Replayed, true) => {}
                (_, true) => _ = kept.insert(topic.clone(), false),
                (_, false) => _ = kept.insert(topic.clone(), true),
            }
        }
        let tree = topics.tree();
        prop_assert_eq!(tree.node(NodeId::ROOT).messages, messages.len() as u64);
        prop_assert_eq!(tree.node(NodeId::ROOT).topics as usize, tree.topics().len());
        for number in 0..=tree.len() as u32 {
            let node = tree.node(NodeId(number));
            let own = node.leaf.as_ref().map_or((0, 0), |leaf| (1, leaf.count));
            let below = node.children_after(None).map(|(_, child)| tree.node(child));
            let sum = below.fold(own, |sum, child| (sum.0 + child.topics, sum.1 + child.messages));
            prop_assert_eq!(sum, (node.topics, node.messages));
        }
        let mut expected: Vec<String> =
            kept.into_iter().filter(|(_, is_kept)| *is_kept).map(|(topic, _)| topic).collect();
        let mut found: Vec<String> =
            topics.kept().iter().map(|node| tree.leaf(*node).unwrap().topic.to_string()).collect();
        expected.sort();
        found.sort();
        prop_assert_eq!(found, expected);
        let held: usize = tree.topics().iter().map(|node| tree.leaf(*node).unwrap().held()).sum();
        prop_assert_eq!(held, topics.held());
    }
}
