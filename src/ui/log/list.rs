//! The list of log lines. Only visible lines are drawn. Arrow keys move through it, Enter opens a line.

use std::collections::VecDeque;
use std::sync::Arc;

use egui::accesskit::Role;
use egui::scroll_area::ScrollArea;
use egui::{
    EventFilter, FontId, Id, Key, Painter, Pos2, Rect, Sense, Stroke, Ui, UiBuilder, WidgetInfo, pos2, vec2,
};

use super::line;
use crate::model::log::{Line, Note, Way, What};
use crate::ui::text::{Words, log};
use crate::ui::theme::{self, Theme, radius, size, space};
use crate::ui::{Cx, widgets};

/// Widths of the columns arrow, time, size and kind, in points.
const COLUMNS: [f32; 4] = [22.0, 96.0, 68.0, 116.0];
/// Length of a time of day with milliseconds, in characters.
const TIME_CHARS: usize = 12;
/// Minimum width of the text, in points; columns are left out if less remains.
const MIN_TEXT_WIDTH: f32 = 140.0;

type Lines = VecDeque<Arc<Line>>;

/// State of the list.
pub(super) struct List {
    /// Number of the line with the keyboard cursor.
    cursor: Option<u64>,
    offset: f32,
    height: f32,
    /// Whether to follow the newest line, because it was in view.
    at_end: bool,
    /// The first visible line and its distance from the top edge, in points.
    top: Option<(u64, f32)>,
    wants_focus: bool,
}

impl Default for List {
    fn default() -> Self {
        List { cursor: None, offset: 0.0, height: 0.0, at_end: true, top: None, wants_focus: false }
    }
}

/// An action on a line.
pub(super) enum LineAction {
    /// Show it in full.
    Open(Arc<Line>),
    /// Copy it.
    Copy(Arc<Line>),
    /// Close the line shown in full.
    Close,
}

fn id() -> Id {
    Id::unique("connection log lines")
}

fn row_id(number: u64) -> Id {
    id().with(number)
}

/// Index of the line with this number.
fn place(lines: &Lines, number: u64) -> Option<usize> {
    lines.binary_search_by_key(&number, |line| line.number).ok()
}

impl List {
    /// Focuses the list.
    pub(super) fn focus(&mut self) {
        self.wants_focus = true;
    }

    /// Draws the list. `changed`: the visible lines differ from the last frame. `opened`: the line shown in
    /// full.
    pub(super) fn show(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx,
        lines: &Lines,
        changed: bool,
        opened: Option<u64>,
    ) -> Option<LineAction> {
        let area = ui.available_rect_before_wrap();
        let response = ui.interact(area, id(), Sense::focusable_noninteractive());
        if std::mem::take(&mut self.wants_focus) {
            response.request_focus();
        }
        let height = lines.len() as f32 * size::LOG_ROW;
        let most = (height - area.height()).max(0.0);
        let mut jump = (changed || area.height() != self.height).then(|| self.kept(lines, most));
        self.height = area.height();
        let mut wish = None;
        let focused = response.has_focus();
        if focused {
            let filter = EventFilter { vertical_arrows: true, escape: true, ..EventFilter::default() };
            ui.memory_mut(|memory| memory.set_focus_lock_filter(id(), filter));
            wish = self.keys(ui, lines, opened, &mut jump);
        }
        // A scroll position past the last frame's end is clamped by egui unless the area sticks to its end.
        let follows = self.at_end && jump.is_none_or(|offset| offset >= most);
        let mut scroll =
            ScrollArea::vertical().id_salt("connection log").auto_shrink(false).stick_to_bottom(follows);
        if let Some(offset) = jump {
            scroll = scroll.vertical_scroll_offset(offset.clamp(0.0, most));
        }
        let builder = UiBuilder::new().max_rect(area).scope_id(id().with("rows")).accessibility_parent(id());
        ui.scope_builder(builder, |ui| {
            ui.spacing_mut().scroll.kinetic.rubber_band = false;
            let output = scroll.show_viewport(ui, |ui, viewport| {
                ui.set_height(height);
                let origin = pos2(area.left(), ui.max_rect().top());
                self.rows(ui, cx.words, lines, viewport, origin, focused, opened)
            });
            self.offset = output.state.clamped_offset().y;
            if let Some(clicked) = output.inner {
                self.cursor = Some(clicked.number);
                self.wants_focus = true;
                cx.deadline.at(cx.now.boot_ms);
                wish = Some(if opened == Some(clicked.number) {
                    LineAction::Close
                } else {
                    LineAction::Open(clicked)
                });
            }
        });
        self.at_end = self.offset >= most - 1.0;
        let first = (self.offset / size::LOG_ROW) as usize;
        self.top = lines.get(first).map(|line| (line.number, first as f32 * size::LOG_ROW - self.offset));
        if !self.announce(ui, cx.words, lines) {
            widgets::focus_ring(ui, &response, theme::of(ui));
        }
        wish
    }

    /// Exposes the list and its current line to screen readers. Returns whether that line is visible.
    fn announce(&self, ui: &Ui, words: &Words, lines: &Lines) -> bool {
        let cursor = self.cursor.filter(|cursor| self.is_visible(lines, *cursor));
        ui.ctx().accesskit_node_builder(id(), |node| {
            node.set_role(Role::List);
            node.set_label(words.log.list);
            if let Some(cursor) = cursor {
                node.set_active_descendant(row_id(cursor).accesskit_id());
            }
        });
        cursor.is_some()
    }

    /// Scroll offset that keeps the view in place: at the end, or at the same top line.
    fn kept(&self, lines: &Lines, most: f32) -> f32 {
        match self.top {
            Some((number, y)) if !self.at_end => {
                let at = lines.partition_point(|line| line.number < number);
                at as f32 * size::LOG_ROW - y
            }
            _ => most,
        }
    }

    fn is_visible(&self, lines: &Lines, number: u64) -> bool {
        place(lines, number).is_some_and(|at| {
            let top = at as f32 * size::LOG_ROW;
            top + size::LOG_ROW > self.offset && top < self.offset + self.height
        })
    }

    /// Draws the lines in view. Returns the line that was clicked.
    #[allow(clippy::too_many_arguments)]
    fn rows(
        &self,
        ui: &mut Ui,
        words: &Words,
        lines: &Lines,
        viewport: Rect,
        origin: Pos2,
        focused: bool,
        opened: Option<u64>,
    ) -> Option<Arc<Line>> {
        let first = (viewport.top() / size::LOG_ROW).max(0.0) as usize;
        let count = (viewport.height() / size::LOG_ROW) as usize + 2;
        let mut clicked = None;
        let width = ui.max_rect().right() - origin.x;
        for (at, line) in lines.iter().enumerate().skip(first).take(count) {
            let corner = origin + vec2(0.0, at as f32 * size::LOG_ROW);
            let rect = Rect::from_min_size(corner, vec2(width, size::LOG_ROW));
            let rect = rect.shrink2(vec2(space::SMALL, 0.0));
            let id = row_id(line.number);
            let response = ui.interact(rect, id, Sense::CLICK);
            response.widget_info(|| WidgetInfo::labeled(Role::ListItem, true, line::spoken(words, line)));
            let is_open = opened == Some(line.number);
            ui.ctx().accesskit_node_builder(id, |node| node.set_selected(is_open));
            let theme = theme::of(ui);
            if is_open || response.hovered() {
                let fill = if is_open { theme.selected } else { theme.hover };
                ui.painter().rect_filled(rect, f32::from(radius::CONTROL), fill);
            }
            if focused && self.cursor == Some(line.number) {
                let stroke = Stroke::new(2.0, theme.accent);
                let corner = f32::from(radius::CONTROL);
                ui.painter().rect_stroke(rect, corner, stroke, egui::StrokeKind::Inside);
            }
            paint(ui, words, theme, rect, line);
            if response.clicked() {
                clicked = Some(Arc::clone(line));
            }
        }
        clicked
    }

    /// Handles the keyboard while the list has the focus.
    fn keys(
        &mut self,
        ui: &Ui,
        lines: &Lines,
        opened: Option<u64>,
        jump: &mut Option<f32>,
    ) -> Option<LineAction> {
        let pressed = |key| ui.input(|input| input.key_pressed(key));
        let at = self.cursor.and_then(|cursor| place(lines, cursor));
        let current = at.and_then(|at| lines.get(at)).cloned();
        if pressed(Key::Escape) {
            return Some(LineAction::Close);
        }
        if let Some(line) = &current {
            if pressed(Key::Enter) {
                return Some(LineAction::Open(Arc::clone(line)));
            }
            if ui.input(|input| input.events.contains(&egui::Event::Copy)) {
                return Some(LineAction::Copy(Arc::clone(line)));
            }
        }
        let last = lines.len().checked_sub(1)?;
        let page = (self.height / size::LOG_ROW).max(1.0) as usize;
        let visible = |offset: f32| ((offset / size::LOG_ROW).ceil() as usize).min(last);
        let next = match at {
            _ if pressed(Key::Home) => 0,
            _ if pressed(Key::End) => last,
            Some(at) if pressed(Key::ArrowDown) => (at + 1).min(last),
            Some(at) if pressed(Key::ArrowUp) => at.saturating_sub(1),
            Some(at) if pressed(Key::PageDown) => (at + page).min(last),
            Some(at) if pressed(Key::PageUp) => at.saturating_sub(page),
            None if pressed(Key::ArrowUp) && self.at_end => last,
            None if pressed(Key::ArrowDown) || pressed(Key::ArrowUp) => visible(self.offset),
            None if pressed(Key::PageDown) => (visible(self.offset) + page).min(last),
            None if pressed(Key::PageUp) => visible(self.offset).saturating_sub(page),
            _ => return None,
        };
        let line = lines.get(next)?;
        self.cursor = Some(line.number);
        let top = next as f32 * size::LOG_ROW;
        if top < self.offset {
            *jump = Some(top);
        } else if top + size::LOG_ROW > self.offset + self.height {
            *jump = Some(top + size::LOG_ROW - self.height);
        }
        // The line shown in full follows the cursor.
        opened.map(|_| LineAction::Open(Arc::clone(line)))
    }
}

/// Draws the columns of a line; without size and kind if space is short.
fn paint(ui: &Ui, words: &Words, theme: &Theme, rect: Rect, line: &Line) {
    let [arrow, time, bytes, kind] = COLUMNS;
    let room = rect.width() - arrow - time;
    let (has_kind, has_bytes) = (room - kind > MIN_TEXT_WIDTH, room - kind - bytes > MIN_TEXT_WIDTH);
    let middle = rect.center().y;
    let mut left = rect.left();
    mark(ui.painter(), pos2(left + arrow / 2.0, middle), theme, line);
    left += arrow;
    let put = |x: f32, text: &str, font: FontId, colour, width: f32| {
        let galley = widgets::cut(ui, text, font, colour, width);
        ui.painter().galley(pos2(x, middle - galley.size().y / 2.0), galley, colour);
    };
    let moment = log::moment(line.at);
    // An ambiguous time is followed by its UTC offset, which needs more space.
    let time = if moment.len() > TIME_CHARS { time * 1.5 } else { time };
    put(left, &moment, theme::mono_small(), theme.weak, time);
    left += time;
    if has_bytes {
        if let What::Frame(passed) = &line.what {
            let text = line::size(words, passed);
            let galley = widgets::cut(ui, &text, theme::small(), theme.weak, bytes);
            let right = left + bytes - space::MEDIUM;
            let at = pos2(right - galley.size().x, middle - galley.size().y / 2.0);
            ui.painter().galley(at, galley, theme.weak);
        }
        left += bytes;
    }
    if has_kind {
        put(left, &line::kind(words, line), theme::small(), theme.text, kind - space::SMALL);
        left += kind;
    }
    let (font, colour) = match &line.what {
        What::Note(Note::State { .. } | Note::Proxy(_)) => (theme::small(), theme.text),
        What::Note(_) => (theme::small(), theme.warn),
        What::Frame(passed) if passed.counts.is_some() => (theme::small(), theme.weak),
        What::Frame(_) => (theme::mono_small(), theme.weak),
    };
    put(left, &line::row(words, line), font, colour, rect.right() - left - space::SMALL);
}

/// An arrow to the right for sent, one to the left for received, a dot for a note.
fn mark(painter: &Painter, centre: Pos2, theme: &Theme, line: &Line) {
    let (colour, way) = match &line.what {
        What::Note(_) => {
            painter.circle_filled(centre, 2.5, theme.weak);
            return;
        }
        What::Frame(passed) if passed.way == Way::Sent => (theme.accent, 1.0),
        What::Frame(_) => (theme.good, -1.0),
    };
    widgets::arrow(painter, centre, way, colour);
}
