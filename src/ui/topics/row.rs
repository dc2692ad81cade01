//! [`Row`]: a topic or level as it is shown in a list, copied out of the model.

use std::sync::Arc;

use egui::accesskit::Role;
use egui::{Rect, Sense, Stroke, Ui, WidgetInfo, pos2};

use super::payload;
use super::rowlist::RowList;
use crate::model::time::Time;
use crate::model::topics::{Kept, Leaf, NodeId, Tree};
use crate::ui::icons::{self, Icon};
use crate::ui::theme::{self, radius, size, space};
use crate::ui::{Cx, harmless, value, widgets};

/// Longest name of a level or topic that is shown, in characters.
const MAX_NAME_CHARS: usize = 300;
/// Space for one level of the tree, in points.
const INDENT: f32 = 16.0;
/// Space for the arrow that unfolds a level, in points.
const ARROW: f32 = 16.0;
/// A value is shown if there is so much space left for it, in points.
const MIN_VALUE_WIDTH: f32 = 48.0;

/// What is known of a topic, copied.
#[derive(Clone, Debug)]
pub(super) struct Last {
    /// Its last payload.
    pub(super) payload: Arc<[u8]>,
    /// The size of the whole payload, in bytes.
    pub(super) size: u32,
    /// When it came.
    pub(super) at: Time,
    /// Whether it was only replayed.
    pub(super) is_replayed: bool,
    /// Whether the broker keeps a message on this topic.
    pub(super) is_kept: bool,
}

impl Last {
    fn of(leaf: &Leaf) -> Last {
        Last {
            payload: Arc::clone(&leaf.last.payload),
            size: leaf.last.size,
            at: leaf.last.at,
            is_replayed: !leaf.is_live(),
            is_kept: leaf.kept != Kept::No,
        }
    }
}

/// A row, copied out of the model.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// Which.
    pub(super) node: NodeId,
    /// How deep it is indented.
    pub(super) depth: usize,
    /// The name of the level, or the whole topic.
    pub(super) name: Arc<str>,
    /// Whether it is unfolded; none where nothing is below it.
    pub(super) fold: Option<bool>,
    /// Number of topics here and below.
    pub(super) topics: u32,
    /// What came last, if a topic ends here.
    pub(super) last: Option<Last>,
    /// What stands at the right instead of the age.
    pub(super) at_right: Option<String>,
}

impl Row {
    /// A level of the tree.
    pub(super) fn of_level(tree: &Tree, (first, node): (NodeId, NodeId), depth: usize, is_open: bool) -> Row {
        let of = tree.node(node);
        let fold = (of.child_count() > 0).then_some(is_open);
        let last = of.leaf.as_deref().map(Last::of);
        let (name, topics) = (name_of(tree, first, node), of.topics);
        Row { node, depth, name, fold, topics, last, at_right: None }
    }

    /// A topic with its whole name.
    pub(super) fn of_topic(tree: &Tree, node: NodeId) -> Option<Row> {
        let leaf = tree.leaf(node)?;
        let (name, last) = (Arc::clone(&leaf.topic), Some(Last::of(leaf)));
        Some(Row { node, depth: 0, name, fold: None, topics: 1, last, at_right: None })
    }

    /// What is shown as its name.
    fn title(&self, cx: &Cx) -> String {
        let name = harmless::line(&self.name, MAX_NAME_CHARS);
        if name.is_empty() { cx.words.topics.empty_level.to_owned() } else { name }
    }

    fn age(&self, cx: &mut Cx) -> Option<String> {
        let last = self.last.as_ref()?;
        let words = cx.words.topics;
        if last.is_replayed {
            return Some(words.replayed.to_owned());
        }
        let passed = cx.now.boot_ms.since(last.at.boot_ms) as i64;
        cx.deadline.at(cx.now.boot_ms + value::age_changes_in(passed));
        Some(value::age(cx.words, passed))
    }

    /// All of it as a person would read it aloud.
    fn spoken(&self, cx: &Cx, title: &str, preview: &str, right: &str) -> String {
        let words = cx.words.topics;
        let mut parts = vec![title.to_owned()];
        parts.extend((!preview.is_empty()).then(|| preview.to_owned()));
        parts.extend((!right.is_empty()).then(|| right.to_owned()));
        if self.last.as_ref().is_some_and(|last| last.is_kept) {
            parts.push(words.retained.to_owned());
        }
        parts.join(", ")
    }
}

/// The names of the levels from one to another below it.
fn name_of(tree: &Tree, first: NodeId, node: NodeId) -> Arc<str> {
    if first == node {
        return Arc::clone(&tree.node(node).name);
    }
    let mut names = vec![&*tree.node(node).name];
    let mut at = node;
    while at != first && at != NodeId::ROOT {
        at = tree.node(at).parent;
        names.push(&tree.node(at).name);
    }
    names.reverse();
    names.join("/").into()
}

/// How a row stands in its list.
pub(super) struct Stand {
    /// The list's id.
    pub(super) list: egui::Id,
    /// The row's own id.
    pub(super) id: egui::Id,
    /// Whether it is the one that is shown beside the list.
    pub(super) is_open: bool,
    /// Whether the keyboard is on it.
    pub(super) has_cursor: bool,
    /// What it is: an item of a list or of a tree.
    pub(super) role: Role,
    /// Its number, and the number of all.
    pub(super) position: (usize, usize),
}

/// What was clicked of a row.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Clicked {
    /// The arrow that unfolds it.
    Arrow,
    /// Anything else.
    Row,
}

/// Draws a row. Returns what was clicked of it.
pub(super) fn paint(ui: &mut Ui, cx: &mut Cx, rect: Rect, row: &Row, stand: &Stand) -> Option<Clicked> {
    let theme = theme::of(ui);
    let rect = rect.shrink2(egui::vec2(space::SMALL, 0.0));
    let response = ui.interact(rect, stand.id, Sense::click());
    let title = row.title(cx);
    let preview = row.last.as_ref().map_or_else(String::new, |last| payload::preview(cx.words, last));
    let right = match (&row.at_right, row.fold) {
        (Some(text), _) => text.clone(),
        (None, Some(_)) if row.topics != 1 || row.last.is_none() => {
            (cx.words.topics.count)(cx.words, row.topics as usize)
        }
        _ => row.age(cx).unwrap_or_default(),
    };
    response.widget_info(|| WidgetInfo::labeled(stand.role, true, row.spoken(cx, &title, &preview, &right)));
    ui.ctx().accesskit_node_builder(stand.id, |node| {
        node.set_selected(stand.is_open);
        node.set_position_in_set(stand.position.0 + 1);
        node.set_size_of_set(stand.position.1);
        if stand.role == Role::TreeItem {
            node.set_level(row.depth + 1);
        }
        if let Some(is_open) = row.fold {
            node.set_expanded(is_open);
        }
    });
    if stand.has_cursor {
        RowList::announce(ui, stand.list, stand.id);
    }
    let corner = f32::from(radius::CONTROL);
    if stand.is_open || response.hovered() {
        let fill = if stand.is_open { theme.selected } else { theme.hover };
        ui.painter().rect_filled(rect, corner, fill);
    }
    if stand.has_cursor && widgets::is_by_keys(ui.ctx()) {
        let stroke = Stroke::new(2.0, theme.accent);
        ui.painter().rect_stroke(rect, corner, stroke, egui::StrokeKind::Inside);
    }
    let arrow = columns(ui, rect, row, [&title, &preview, &right]);
    let clicked = response.clicked().then(|| response.interact_pointer_pos()).flatten();
    match clicked {
        Some(at) if row.fold.is_some() && at.x <= arrow => Some(Clicked::Arrow),
        Some(_) => Some(Clicked::Row),
        None => response.clicked().then_some(Clicked::Row),
    }
}

/// Draws the arrow, the name, the value and what stands at the right. Returns where the arrow's place ends.
fn columns(ui: &Ui, rect: Rect, row: &Row, [title, preview, right]: [&str; 3]) -> f32 {
    let theme = theme::of(ui);
    let middle = rect.center().y;
    let mut left = rect.left() + space::TINY + row.depth as f32 * INDENT;
    // However deep it is, something of the name is to be seen.
    left = left.min(rect.left() + rect.width() / 2.0);
    if let Some(is_open) = row.fold {
        let at = pos2(left + ARROW / 2.0, middle);
        fold_arrow(ui, at, is_open);
    }
    left += ARROW;
    let arrow = left;
    let galley = ui.painter().layout_no_wrap(right.to_owned(), theme::small(), theme.weak);
    let mut end = rect.right() - space::SMALL - galley.size().x;
    ui.painter().galley(pos2(end, middle - galley.size().y / 2.0), galley, theme.weak);
    if row.last.as_ref().is_some_and(|last| last.is_kept) {
        end -= space::LARGE;
        icons::paint(ui.painter(), pos2(end + 6.0, middle), Icon::Pin, 12.0, theme.weak);
    }
    end -= space::SMALL;
    let name_font = if row.fold.is_some() { theme::strong(size::BODY) } else { theme::body() };
    let name = widgets::cut(ui, title, name_font, theme.text, (end - left).max(0.0));
    let width = name.size().x;
    ui.painter().galley(pos2(left, middle - name.size().y / 2.0), name, theme.text);
    left += width + space::MEDIUM;
    if !preview.is_empty() && end - left >= MIN_VALUE_WIDTH {
        let galley = widgets::cut(ui, preview, theme::mono_small(), theme.weak, end - left);
        ui.painter().galley(pos2(left, middle - galley.size().y / 2.0), galley, theme.weak);
    }
    arrow
}

/// The arrow of a level: to the right where it is folded, down where it is not.
fn fold_arrow(ui: &Ui, centre: egui::Pos2, is_open: bool) {
    let stroke = Stroke::new(1.5, theme::of(ui).weak);
    let points = match is_open {
        true => [(-3.5, -2.0), (0.0, 2.0), (3.5, -2.0)],
        false => [(-2.0, -3.5), (2.0, 0.0), (-2.0, 3.5)],
    };
    let points = points.map(|(x, y)| centre + egui::vec2(x, y));
    ui.painter().line_segment([points[0], points[1]], stroke);
    ui.painter().line_segment([points[1], points[2]], stroke);
}
