//! [`TreeView`]: the topics by their levels. The lists of levels are copied in short reads of the model, and only when
//! something was added; only the rows in view are read in each frame.

use std::collections::{HashMap, HashSet};

use egui::accesskit::Role;
use egui::{Id, Ui};

use super::row::{self, Clicked, Row, Stand};
use super::rowlist::{ListEvent, RowList, Spec};
use crate::model::id::ConnectionId;
use crate::model::time::BootMs;
use crate::model::topics::{Level, NodeId, Topics};
use crate::ui::Cx;

/// Number of levels copied per read of the model.
const CHUNK: usize = 512;
/// Delay before the rows are rebuilt: one millisecond for each this many rows.
const ROWS_A_MS: u64 = 50;

/// A row of the tree: a level, or several where each has nothing beside it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
struct TreeRow {
    node: NodeId,
    /// The first of the levels that the row stands for.
    first: NodeId,
    depth: usize,
}

/// State of the tree.
#[derive(Default)]
pub(super) struct TreeView {
    open: HashSet<NodeId>,
    /// The levels below those that are open, as last copied.
    below: HashMap<NodeId, Vec<(NodeId, NodeId)>>,
    rows: Vec<TreeRow>,
    /// Size of the tree that the rows were made of.
    made_of: usize,
    made_at: BootMs,
    is_stale: bool,
    cursor: Option<(usize, NodeId)>,
    list: RowList,
}

/// What a person did with the tree.
pub(super) enum TreeAction {
    /// Opened a topic or level.
    Open(NodeId),
    /// Typed into it.
    Typed(String),
    /// Wants to go back.
    Back,
}

impl TreeView {
    /// Focuses the tree.
    pub(super) fn focus(&mut self) {
        self.list.focus();
    }

    /// Unfolds all levels above a topic and puts the cursor on it.
    pub(super) fn show_topic(&mut self, cx: &Cx, id: ConnectionId, node: NodeId) {
        let found = read(cx, id, |topics| {
            let end = topics.tree().end_of_chain(node);
            (topics.tree().above(end), end)
        });
        let Some((above, node)) = found else { return };
        self.open.extend(above);
        (self.is_stale, self.cursor) = (true, Some((usize::MAX, node)));
    }

    /// Draws it. `opened`: what is shown beside it.
    pub(super) fn show(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx,
        id: ConnectionId,
        opened: Option<NodeId>,
    ) -> Option<TreeAction> {
        self.sync(cx, id);
        let cursor = self.cursor_row();
        let spec = Spec {
            id: Id::unique("topic tree"),
            name: cx.words.topics.tree,
            role: Role::Tree,
            row: cx.rhythm().device,
            count: self.rows.len(),
            cursor,
        };
        let (rows, open) = (&self.rows, &self.open);
        let mut arrow = false;
        let event = self.list.show(ui, cx, &spec, |ui, cx, range, mut place, focused| {
            let first = range.start;
            let shown = read(cx, id, |topics| {
                let copy = |row: &TreeRow| {
                    let is_open = open.contains(&row.node);
                    Row::of_level(topics.tree(), (row.first, row.node), row.depth, is_open)
                };
                rows[range].iter().map(copy).collect::<Vec<_>>()
            });
            let mut clicked = None;
            for (at, shown) in shown.unwrap_or_default().iter().enumerate() {
                let stand = Stand {
                    list: spec.id,
                    id: spec.row_id(shown.node.0),
                    is_open: opened == Some(shown.node),
                    has_cursor: focused && cursor == Some(first + at),
                    role: Role::TreeItem,
                    position: (first + at, rows.len()),
                };
                if let Some(what) = row::paint(ui, cx, place, shown, &stand) {
                    clicked = Some(first + at);
                    // A level where no topic ends has nothing to show but what is below it.
                    arrow = what == Clicked::Arrow;
                }
                place = place.translate(egui::vec2(0.0, spec.row));
            }
            clicked
        });
        self.follow(cx, id, event?, arrow)
    }

    fn follow(&mut self, cx: &Cx, id: ConnectionId, event: ListEvent, arrow: bool) -> Option<TreeAction> {
        match event {
            ListEvent::Moved(row) => {
                self.cursor = Some((row, self.rows.get(row)?.node));
                None
            }
            ListEvent::Opened(row) => {
                let of = *self.rows.get(row)?;
                let node = of.node;
                self.cursor = Some((row, node));
                let has_topic = read(cx, id, |topics| topics.tree().leaf(node).is_some()) == Some(true);
                if arrow || !has_topic {
                    let is_open = self.open.contains(&node);
                    self.fold(cx, id, of, !is_open);
                }
                (!arrow).then_some(TreeAction::Open(node))
            }
            ListEvent::Fold(row, unfold) => {
                let at = *self.rows.get(row)?;
                let has_below = read(cx, id, |topics| topics.tree().node(at.node).child_count() > 0);
                match (unfold, self.open.contains(&at.node)) {
                    (true, false) if has_below == Some(true) => self.fold(cx, id, at, true),
                    (true, true) => self.move_to(row + 1),
                    (false, true) => self.fold(cx, id, at, false),
                    (false, false) => {
                        let above = self.rows[..row].iter().rposition(|above| above.depth < at.depth);
                        above.into_iter().for_each(|above| self.move_to(above));
                    }
                    _ => {}
                }
                None
            }
            ListEvent::Typed(text) => Some(TreeAction::Typed(text)),
            ListEvent::Back => Some(TreeAction::Back),
        }
    }

    fn move_to(&mut self, row: usize) {
        if let Some(at) = self.rows.get(row) {
            self.cursor = Some((row, at.node));
            self.list.reveal(row);
        }
    }

    fn fold(&mut self, cx: &Cx, id: ConnectionId, row: TreeRow, unfold: bool) {
        // All levels of the row: if one gets company later, what is below stays in view.
        let mut node = row.node;
        loop {
            match unfold {
                true => _ = self.open.insert(node),
                false => _ = self.open.remove(&node),
            }
            if node == row.first {
                break;
            }
            node = read(cx, id, |topics| topics.tree().node(node).parent).unwrap_or(row.first);
        }
        self.is_stale = true;
    }

    /// The row of the cursor. It is searched only after rows have moved.
    fn cursor_row(&mut self) -> Option<usize> {
        let (row, node) = self.cursor?;
        if self.rows.get(row).is_some_and(|at| at.node == node) {
            return Some(row);
        }
        let found = self.rows.iter().position(|at| at.node == node);
        if let Some(found) = found {
            self.cursor = Some((found, node));
            if row == usize::MAX {
                self.list.reveal(found);
            }
        }
        found
    }

    /// Rebuilds the rows if something was added, unfolded or folded.
    fn sync(&mut self, cx: &mut Cx, id: ConnectionId) {
        let size = read(cx, id, |topics| topics.tree().len()).unwrap_or(0);
        if size == self.made_of && !self.is_stale {
            return;
        }
        let next = self.made_at + self.rows.len() as u64 / ROWS_A_MS;
        if !self.is_stale && cx.now.boot_ms < next {
            cx.deadline.at(next);
            return;
        }
        if size < self.made_of {
            // The connection is another one.
            (self.open, self.below, self.cursor) = Default::default();
        }
        (self.made_of, self.made_at, self.is_stale) = (size, cx.now.boot_ms, false);
        let open: Vec<NodeId> = self.open.iter().copied().chain([NodeId::ROOT]).collect();
        for node in open {
            self.copy(cx, id, node);
        }
        self.rows.clear();
        let mut stack = vec![(NodeId::ROOT, 0, 0)];
        while let Some((node, next, depth)) = stack.pop() {
            let Some(child) = self.below.get(&node).and_then(|below| below.get(next)) else { continue };
            stack.push((node, next + 1, depth));
            let (first, node) = *child;
            self.rows.push(TreeRow { node, first, depth });
            if self.open.contains(&node) {
                stack.push((node, 0, depth + 1));
            }
        }
    }

    /// Copies the list of levels below one. One that has a single level below it, and no topic, is shown with that.
    fn copy(&mut self, cx: &Cx, id: ConnectionId, node: NodeId) {
        let below = self.below.entry(node).or_default();
        below.clear();
        let mut last: Option<Level> = None;
        loop {
            let part = read(cx, id, |topics| {
                let children = topics.tree().node(node).children_after(last.as_ref()).take(CHUNK);
                let with_end = |(level, child): (&Level, NodeId)| {
                    (level.clone(), child, topics.tree().end_of_chain(child))
                };
                children.map(with_end).collect::<Vec<_>>()
            });
            let part = part.unwrap_or_default();
            let is_last = part.len() < CHUNK;
            below.extend(part.iter().map(|(_, first, end)| (*first, *end)));
            last = part.into_iter().last().map(|(level, ..)| level);
            if is_last {
                break;
            }
        }
    }
}

/// Looks at the topics of a connection.
pub(super) fn read<R>(cx: &Cx, id: ConnectionId, look: impl FnOnce(&Topics) -> R) -> Option<R> {
    cx.model.read(|model| Some(look(&model.connections.get(&id)?.topics)))
}
