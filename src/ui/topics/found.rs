//! [`Found`]: topics that match a filter, or that have a retained message, or describe devices that are gone. Searched in
//! parts, a part in a frame.

use std::sync::Arc;

use egui::accesskit::Role;
use egui::{Id, Ui};
use memchr::memmem;

use super::row::{self, Row, Stand};
use super::rowlist::{ListEvent, RowList, Spec};
use super::tree::read;
use crate::model::id::ConnectionId;
use crate::model::time::{BootMs, Time};
use crate::model::topics::ghosts::{self, Ghost};
use crate::model::topics::{NodeId, Topics, natural};
use crate::ui::Cx;

/// Number of topics looked at in a frame.
const CHUNK: usize = 2_000;
/// Number of discovery messages read in a frame.
const GHOST_CHUNK: usize = 100;
/// Maximum number of topics in the list.
pub(super) const MAX_LISTED: usize = 1_000;
/// What changed is searched again at most this often, in milliseconds.
const AGAIN_MS: u64 = 1_000;

/// What is searched for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Among {
    /// All topics.
    #[default]
    All,
    /// Topics with a retained message.
    Retained,
    /// Retained discovery messages of devices that seem to be gone.
    Ghosts,
}

/// A filter as the person wrote it: an MQTT filter if it has wildcards, else words that all must occur.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Terms {
    pattern: Option<String>,
    words: Vec<String>,
}

impl Terms {
    /// Reads what was typed.
    pub(super) fn of(text: &str) -> Terms {
        let text = text.trim();
        let is_pattern = text.split('/').any(|level| matches!(level, "+" | "#"));
        if is_pattern {
            return Terms { pattern: Some(text.to_owned()), words: Vec::new() };
        }
        Terms { pattern: None, words: text.split_whitespace().map(str::to_lowercase).collect() }
    }

    /// Whether a topic matches.
    pub(super) fn match_topic(&self, topic: &str) -> bool {
        if let Some(pattern) = &self.pattern {
            return matches_filter(pattern, topic);
        }
        if self.words.is_empty() {
            return true;
        }
        let lower = topic.to_lowercase();
        self.words.iter().all(|word| memmem::find(lower.as_bytes(), word.as_bytes()).is_some())
    }
}

/// Whether a topic matches an MQTT filter (MQTT 5 §4.7).
pub(super) fn matches_filter(filter: &str, topic: &str) -> bool {
    if topic.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let (mut levels, mut names) = (filter.split('/'), topic.split('/'));
    loop {
        match (levels.next(), names.next()) {
            (Some("#"), _) => return true,
            (Some("+"), Some(_)) => {}
            (Some(level), Some(name)) if level == name => {}
            (None, None) => return true,
            _ => return false,
        }
    }
}

/// What was found so far.
#[derive(Default)]
pub(super) struct Found {
    among: Among,
    text: String,
    terms: Terms,
    connection: Option<ConnectionId>,
    /// Of what was searched: how many topics, or which version of the retained ones.
    version: u64,
    began_at: BootMs,
    /// How many topics were looked at.
    next: usize,
    is_done: bool,
    matching: Vec<NodeId>,
    /// The first of them in the order of their names.
    listed: Vec<(Arc<str>, NodeId)>,
    ghosts: Vec<Ghost>,
    cursor: Option<NodeId>,
    list: RowList,
}

impl Found {
    /// Number of topics that were found.
    pub(super) fn count(&self) -> usize {
        self.matching.len()
    }

    /// Whether there may be more than is found yet.
    pub(super) fn is_searching(&self) -> bool {
        !self.is_done
    }

    /// Those that were found, also those that are not listed.
    pub(super) fn matching(&self) -> &[NodeId] {
        &self.matching
    }

    /// Focuses the list.
    pub(super) fn focus(&mut self) {
        self.list.focus();
    }

    /// Looks at the next topics, if any are left.
    pub(super) fn sync(&mut self, cx: &mut Cx, id: ConnectionId, among: Among, text: &str) {
        if (self.connection, self.among, self.text.as_str()) != (Some(id), among, text) {
            (self.connection, self.among) = (Some(id), among);
            (self.text, self.terms) = (text.to_owned(), Terms::of(text));
            self.restart(cx);
        }
        let version = |topics: &Topics| match among {
            Among::All => topics.tree().topics().len() as u64,
            Among::Retained | Among::Ghosts => topics.kept_version(),
        };
        let version = read(cx, id, version).unwrap_or(0);
        if version != self.version && self.is_done {
            let due = self.began_at + AGAIN_MS;
            if cx.now.boot_ms < due {
                cx.deadline.at(due);
                return;
            }
            self.version = version;
            match among {
                // Topics are only added.
                Among::All => (self.is_done, self.began_at) = (false, cx.now.boot_ms),
                Among::Retained | Among::Ghosts => self.restart(cx),
            }
        }
        if !self.is_done {
            self.version = version;
            self.look_on(cx, id);
            if !self.is_done {
                cx.deadline.at(cx.now.boot_ms);
            }
        }
    }

    fn restart(&mut self, cx: &Cx) {
        (self.next, self.is_done, self.began_at) = (0, false, cx.now.boot_ms);
        self.matching.clear();
        self.listed.clear();
        self.ghosts.clear();
    }

    fn look_on(&mut self, cx: &Cx, id: ConnectionId) {
        let chunk = if self.among == Among::Ghosts { GHOST_CHUNK } else { CHUNK };
        let (among, terms, from, now) = (self.among, &self.terms, self.next, cx.now);
        let looked = read(cx, id, |topics| {
            let all = match among {
                Among::All => topics.tree().topics(),
                Among::Retained | Among::Ghosts => topics.kept(),
            };
            let part = &all[from.min(all.len())..(from + chunk).min(all.len())];
            let found: Vec<(Arc<str>, NodeId, Option<Ghost>)> =
                part.iter().filter_map(|node| judge(topics, *node, among, terms, now)).collect();
            (found, part.len(), from + chunk >= all.len())
        });
        let Some((found, looked_at, is_done)) = looked else {
            self.is_done = true;
            return;
        };
        self.next += looked_at;
        self.is_done = is_done;
        let is_new = !found.is_empty();
        for (topic, node, ghost) in found {
            self.matching.push(node);
            self.listed.push((topic, node));
            self.ghosts.extend(ghost);
        }
        if is_new {
            self.listed.sort_by(|(one, _), (other, _)| natural(one, other).then_with(|| one.cmp(other)));
            self.listed.truncate(MAX_LISTED);
        }
    }

    /// Draws the list. Returns what a person did with a topic.
    pub(super) fn show(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx,
        id: ConnectionId,
        opened: Option<NodeId>,
    ) -> Option<FoundAction> {
        let cursor = self.cursor.and_then(|cursor| self.listed.iter().position(|(_, node)| *node == cursor));
        let spec = Spec {
            id: Id::unique(("found topics", self.among)),
            name: cx.words.topics.list,
            role: Role::List,
            row: cx.rhythm().device,
            count: self.listed.len(),
            cursor,
        };
        let (listed, ghosts) = (&self.listed, &self.ghosts);
        let event = self.list.show(ui, cx, &spec, |ui, cx, range, mut place, focused| {
            let first = range.start;
            let nodes = &listed[range];
            let rows = read(cx, id, |topics| {
                let rows = nodes.iter().map(|(_, node)| Row::of_topic(topics.tree(), *node));
                rows.collect::<Vec<_>>()
            });
            let mut clicked = None;
            for (at, shown) in rows.unwrap_or_default().into_iter().enumerate() {
                if let Some(mut shown) = shown {
                    let ghost = ghosts.iter().find(|ghost| ghost.topic == shown.name);
                    shown.at_right = ghost.map(|ghost| (cx.words.topics.gone)(&ghost.why));
                    let stand = Stand {
                        list: spec.id,
                        id: spec.row_id(shown.node.0),
                        is_open: opened == Some(shown.node),
                        has_cursor: focused && cursor == Some(first + at),
                        role: Role::ListItem,
                        position: (first + at, listed.len()),
                    };
                    if row::paint(ui, cx, place, &shown, &stand).is_some() {
                        clicked = Some(first + at);
                    }
                }
                place = place.translate(egui::vec2(0.0, spec.row));
            }
            clicked
        });
        let node = |row: usize| self.listed.get(row).map(|(_, node)| *node);
        match event? {
            ListEvent::Moved(row) => {
                self.cursor = node(row);
                None
            }
            ListEvent::Opened(row) => {
                self.cursor = node(row);
                node(row).map(FoundAction::Open)
            }
            ListEvent::Typed(text) => Some(FoundAction::Typed(text)),
            ListEvent::Back => Some(FoundAction::Back),
            ListEvent::Fold(..) => None,
        }
    }
}

/// What a person did with the list.
pub(super) enum FoundAction {
    /// Opened a topic.
    Open(NodeId),
    /// Typed into it.
    Typed(String),
    /// Wants to go back.
    Back,
}

/// Whether a topic belongs to what is searched for.
fn judge(
    topics: &Topics,
    node: NodeId,
    among: Among,
    terms: &Terms,
    now: Time,
) -> Option<(Arc<str>, NodeId, Option<Ghost>)> {
    let leaf = topics.tree().leaf(node)?;
    if !terms.match_topic(&leaf.topic) {
        return None;
    }
    let ghost = match among {
        Among::Ghosts => Some(ghosts::judge(topics.tree(), leaf, topics.connected_at()?, now)?),
        Among::All | Among::Retained => None,
    };
    Some((Arc::clone(&leaf.topic), node, ghost))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_with_wildcards_is_one_of_mqtt() {
        for (filter, topic, is_match) in [
            ("a/+/c", "a/b/c", true),
            ("a/+/c", "a/b/d", false),
            ("a/#", "a", true),
            ("a/#", "a/b/c", true),
            ("#", "$SYS/x", false),
            ("$SYS/#", "$SYS/x", true),
            ("+", "a/b", false),
            ("/+", "/a", true),
        ] {
            assert_eq!(Terms::of(filter).match_topic(topic), is_match, "{filter} {topic}");
        }
    }

    #[test]
    fn other_text_is_words_in_any_order_and_case() {
        let terms = Terms::of("Power kitchen");
        assert!(terms.match_topic("tele/Kitchen/POWER"));
        assert!(!terms.match_topic("tele/Kitchen/energy"));
        assert!(Terms::of("c++").match_topic("code/C++/x"));
        assert!(Terms::of(" ").match_topic("anything"));
    }
}
