//! [`RowList`]: a list of rows of equal height, of which only those in view are drawn. Arrow keys move through it.

use std::ops::Range;

use egui::accesskit::Role;
use egui::scroll_area::ScrollArea;
use egui::{Event, EventFilter, Id, Key, Rect, Sense, Ui, UiBuilder, pos2, vec2};

use crate::ui::Cx;
use crate::ui::theme;
use crate::ui::widgets;

/// What is drawn.
pub(super) struct Spec<'a> {
    /// The list's id.
    pub(super) id: Id,
    /// What it is called by those who read it aloud.
    pub(super) name: &'a str,
    /// What it is: a list or a tree.
    pub(super) role: Role,
    /// Height of a row, in points.
    pub(super) row: f32,
    /// Number of rows.
    pub(super) count: usize,
    /// The row with the keyboard cursor.
    pub(super) cursor: Option<usize>,
}

impl Spec<'_> {
    /// The id of a row, by what it shows.
    pub(super) fn row_id(&self, key: u32) -> Id {
        self.id.with(key)
    }
}

/// What a person did in the list.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ListEvent {
    /// Moved the cursor to this row.
    Moved(usize),
    /// Clicked a row, or pressed Enter on it.
    Opened(usize),
    /// Wants the row under the cursor unfolded, or folded.
    Fold(usize, bool),
    /// Typed this: it belongs into the filter.
    Typed(String),
    /// Wants to go back.
    Back,
}

/// State of the list.
#[derive(Debug, Default)]
pub(super) struct RowList {
    offset: f32,
    height: f32,
    wants_focus: bool,
    /// Scrolled so that this row is in view, in the next frame.
    reveal: Option<usize>,
}

impl RowList {
    /// Focuses the list.
    pub(super) fn focus(&mut self) {
        self.wants_focus = true;
    }

    /// Scrolls to a row.
    pub(super) fn reveal(&mut self, row: usize) {
        self.reveal = Some(row);
    }

    /// Draws the rows in view with `rows`, which is given their numbers and the place of the first, and returns the one that
    /// was clicked.
    pub(super) fn show(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx,
        spec: &Spec<'_>,
        rows: impl FnOnce(&mut Ui, &mut Cx, Range<usize>, Rect, bool) -> Option<usize>,
    ) -> Option<ListEvent> {
        let area = ui.available_rect_before_wrap();
        let response = ui.interact(area, spec.id, Sense::focusable_noninteractive());
        if std::mem::take(&mut self.wants_focus) {
            response.request_focus();
        }
        let focused = response.has_focus();
        self.height = area.height();
        let mut event = focused.then(|| self.handle_keys(ui, spec)).flatten();
        let whole = spec.count as f32 * spec.row;
        let mut scroll = ScrollArea::vertical().id_salt(spec.id).auto_shrink(false);
        if let Some(offset) = self.revealing_offset(spec) {
            scroll = scroll.vertical_scroll_offset(offset);
        }
        let builder =
            UiBuilder::new().max_rect(area).scope_id(spec.id.with("rows")).accessibility_parent(spec.id);
        ui.scope_builder(builder, |ui| {
            let output = scroll.show_viewport(ui, |ui, viewport| {
                ui.set_height(whole);
                let first = ((viewport.top() / spec.row).max(0.0) as usize).min(spec.count);
                let shown = (viewport.height() / spec.row) as usize + 2;
                let range = first..(first + shown).min(spec.count);
                let corner = pos2(area.left(), ui.max_rect().top() + first as f32 * spec.row);
                let place = Rect::from_min_size(corner, vec2(area.width(), spec.row));
                rows(ui, cx, range, place, focused)
            });
            self.offset = output.state.clamped_offset().y;
            if let Some(clicked) = output.inner {
                self.wants_focus = true;
                event = Some(ListEvent::Opened(clicked));
            }
        });
        ui.ctx().accesskit_node_builder(spec.id, |node| {
            node.set_role(spec.role);
            node.set_label(spec.name);
        });
        if spec.cursor.is_none() && widgets::is_by_keys(ui.ctx()) {
            widgets::focus_ring(ui, &response, theme::of(ui));
        }
        if event.is_some() {
            cx.deadline.at(cx.now.boot_ms);
        }
        event
    }

    /// Tells those who read the list aloud which row has the cursor. To be called by `rows` when it draws that row.
    pub(super) fn announce(ui: &Ui, spec: Id, row: Id) {
        ui.ctx().accesskit_node_builder(spec, |node| node.set_active_descendant(row.accesskit_id()));
    }

    /// Keeps arrow keys within the list, and follows what was pressed.
    fn handle_keys(&mut self, ui: &Ui, spec: &Spec<'_>) -> Option<ListEvent> {
        let filter = EventFilter {
            vertical_arrows: true,
            horizontal_arrows: true,
            escape: true,
            ..EventFilter::default()
        };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(spec.id, filter));
        let event = self.keys(ui, spec);
        if let Some(ListEvent::Moved(row)) = event {
            self.reveal = Some(row);
        }
        event
    }

    /// Where to scroll so that the row that is to be revealed is in view, if there is one.
    fn revealing_offset(&mut self, spec: &Spec<'_>) -> Option<f32> {
        let row = self.reveal.take()?;
        let (top, bottom) = (row as f32 * spec.row, (row + 1) as f32 * spec.row);
        let most = (spec.count as f32 * spec.row - self.height).max(0.0);
        Some(self.offset.min(top).max(bottom - self.height).clamp(0.0, most))
    }

    fn keys(&self, ui: &Ui, spec: &Spec<'_>) -> Option<ListEvent> {
        let pressed = |key| ui.input(|input| input.key_pressed(key));
        if pressed(Key::Escape) {
            return Some(ListEvent::Back);
        }
        let typed: String = ui.input(|input| {
            let text = |event: &Event| match event {
                Event::Text(text) if !text.trim().is_empty() => Some(text.clone()),
                _ => None,
            };
            input.events.iter().filter_map(text).collect()
        });
        if !typed.is_empty() {
            return Some(ListEvent::Typed(typed));
        }
        let last = spec.count.checked_sub(1)?;
        if let Some(at) = spec.cursor {
            if pressed(Key::Enter) {
                return Some(ListEvent::Opened(at));
            }
            if pressed(Key::ArrowRight) || pressed(Key::ArrowLeft) {
                return Some(ListEvent::Fold(at, pressed(Key::ArrowRight)));
            }
        }
        let page = (self.height / spec.row).max(1.0) as usize;
        let visible = ((self.offset / spec.row).ceil() as usize).min(last);
        let next = match spec.cursor {
            _ if pressed(Key::Home) => 0,
            _ if pressed(Key::End) => last,
            Some(at) if pressed(Key::ArrowDown) => (at + 1).min(last),
            Some(at) if pressed(Key::ArrowUp) => at.saturating_sub(1),
            Some(at) if pressed(Key::PageDown) => (at + page).min(last),
            Some(at) if pressed(Key::PageUp) => at.saturating_sub(page),
            None if pressed(Key::ArrowDown) || pressed(Key::ArrowUp) => visible,
            _ => return None,
        };
        Some(ListEvent::Moved(next))
    }
}
