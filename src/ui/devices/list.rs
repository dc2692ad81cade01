//! The device list: counts, filter, order and the visible lines. Arrow keys move through it, Enter opens a
//! device, and typing goes to the filter.

use std::sync::Arc;

use egui::accesskit::Role;
use egui::scroll_area::ScrollArea;
use egui::{Id, Panel, Rect, Sense, Ui, UiBuilder, pos2, vec2};

use super::card;
use super::controls;
use super::empty;
use super::entry::Entry;
use super::moves::{self, Moves};
use super::order::{Line, LineKind, Order};
use super::paint::{self, Pen, RowState, Slots};
use super::rows::{self, Cache, Visible, Which};
use super::standing::Standing;
use super::table::Table;
use super::view::{DeviceKey, Grid, Grouping, Shape, View};
use crate::model::Devices;
use crate::model::link_device::link_id;
use crate::model::panes::DeviceLists;
use crate::ui::digits::Digits;
use crate::ui::text::Words;
use crate::ui::theme::{self, space};
use crate::ui::{Cx, harmless, widgets};

/// A pointer at rest for this long no longer holds the order, in seconds.
const MAX_HOLD_S: f64 = 10.0;

/// State of the list: what it shows and its scroll position.
pub(super) struct List {
    view: View,
    order: Order,
    cache: Cache,
    digits: Digits,
    visible: Vec<Visible>,
    /// The row with the keyboard cursor.
    cursor: Option<DeviceKey>,
    /// Area in which it was drawn last.
    area: Option<Rect>,
    offset: f32,
    /// The first fully visible device and its distance from the top edge, in points. Anchors the scroll
    /// position.
    top: Option<(DeviceKey, f32)>,
    wants_focus: bool,
    /// Search text in the column chooser.
    column_search: String,
    /// The tables of the sections on screen.
    tables: Vec<Option<Table>>,
    /// Whether "Add device" was clicked.
    add: bool,
    /// The language in which the cached texts were formatted.
    words: Option<&'static Words>,
}

impl Default for List {
    fn default() -> List {
        List {
            view: View::default(),
            order: Order::default(),
            cache: Cache::default(),
            digits: Digits::new(theme::body()),
            visible: Vec::new(),
            cursor: None,
            area: None,
            offset: 0.0,
            top: None,
            wants_focus: false,
            add: false,
            column_search: String::new(),
            tables: Vec::new(),
            words: None,
        }
    }
}

impl List {
    /// Draws the list. Returns the device that the person opened.
    pub(super) fn show(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx,
        standings: &[Standing],
        lists: &mut DeviceLists,
    ) -> Option<DeviceKey> {
        if self.words.replace(cx.words).is_some_and(|words| !std::ptr::eq(words, cx.words)) {
            // The language changed: all cached texts are stale.
            (self.cache, self.order) = (Cache::default(), Order::default());
        }
        let width = ui.available_width();
        let hold = self.is_pointed_at(ui, cx);
        let before = self.view.clone();
        let mut grid = Grid::of(Shape::of(lists.layout, width), width, cx.rhythm());
        let mut changed = self.order.sync(cx, &self.view, hold, grid);
        let wish = controls::show(ui, cx, &mut self.view, &self.order, standings, &mut lists.layout);
        self.wants_focus |= wish.into_list;
        self.add |= wish.add;
        let chosen_grid = Grid::of(Shape::of(lists.layout, width), width, cx.rhythm());
        if before != self.view || grid != chosen_grid {
            grid = chosen_grid;
            changed |= self.order.sync(cx, &self.view, hold, grid);
            // The head was drawn before the order changed: draw it again.
            cx.deadline.at(cx.now.boot_ms);
        }
        let chosen_first = wish.open_first.then(|| self.first()).flatten();
        let mut jump = None;
        if before != self.view {
            jump = Some(0.0);
        } else if changed && self.offset > 0.0 {
            // Rows that come or go above must not move what the person is looking at.
            jump = self.top.as_ref().and_then(|(key, y)| Some(self.top_of(key)? - y));
        }
        left_out(ui, cx);
        if grid.shape == Shape::Table {
            self.header(ui, cx, lists, width);
        }
        let mut area = ui.available_rect_before_wrap();
        let has_devices = self.order.matching().0 > 0;
        if !has_devices {
            // The empty state is drawn below the connection rows.
            area.set_height(self.order.height().min(area.height() / 2.0));
        }
        let chosen = self.lines(ui, cx, standings, (area, grid), jump, lists);
        if !has_devices {
            let rest = ui.available_rect_before_wrap().with_min_y(area.bottom());
            let clear = ui.scope_builder(UiBuilder::new().max_rect(rest), |ui| {
                empty::show(ui, cx, &self.order, &self.view.filter, standings, &mut self.add)
            });
            if clear.inner {
                self.view.filter.clear();
                self.view.hidden_too |= self.order.matching().1 == 0;
                cx.deadline.at(cx.now.boot_ms);
            }
        }
        chosen.or(chosen_first)
    }

    /// Takes the request to add a device.
    pub(super) fn take_add(&mut self) -> bool {
        std::mem::take(&mut self.add)
    }

    /// Focuses the list.
    pub(super) fn focus(&mut self) {
        self.wants_focus = true;
    }

    /// Drops what is cached for drawing, since another view is shown.
    pub(super) fn rest(&mut self) {
        self.cache.clear();
        self.area = None;
    }

    /// Whether the pointer is over the list and in use. A pointer left there must not keep problems from
    /// moving up.
    fn is_pointed_at(&self, ui: &Ui, cx: &mut Cx) -> bool {
        let pointer = ui.ctx().pointer_hover_pos();
        if !self.area.zip(pointer).is_some_and(|(area, pointer)| area.contains(pointer)) {
            return false;
        }
        let (still, is_down) =
            ui.input(|input| (f64::from(input.pointer.time_since_last_movement()), input.pointer.any_down()));
        let left = MAX_HOLD_S - still;
        if self.order.is_held() && left > 0.0 {
            cx.deadline.at(cx.now.boot_ms.saturating_add((left * 1_000.0) as u64 + 1));
        }
        is_down || left > 0.0
    }

    fn first(&self) -> Option<DeviceKey> {
        (0..self.order.lines().len()).find_map(|line| self.order.key(line))
    }

    fn top_of(&self, key: &DeviceKey) -> Option<f32> {
        let line = self.order.line(key)?;
        self.order.lines().get(line).map(|line| line.top)
    }

    /// Draws the column headers of the topmost section; they stay in place while it scrolls.
    fn header(&mut self, ui: &mut Ui, cx: &mut Cx, lists: &mut DeviceLists, width: f32) {
        let Some(at) = self.order.section_at(self.offset) else { return };
        let height = cx.rhythm().heading;
        let (rect, _) = ui.allocate_exact_size(vec2(width, height), Sense::hover());
        let view_before = self.view.clone();
        let Some(section) = self.order.sections.get_mut(at) else { return };
        let chosen = lists.table(section.connection);
        let table = Table::of(cx, section, chosen, &self.view, width - 2.0 * paint::EDGE);
        table.header(ui, cx, rect, section, (&mut self.view, lists, &mut self.column_search));
        if view_before != self.view {
            // Sorted again in the next frame.
            cx.deadline.at(cx.now.boot_ms);
        }
    }

    fn lines(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx,
        standings: &[Standing],
        (area, grid): (Rect, Grid),
        mut jump: Option<f32>,
        lists: &mut DeviceLists,
    ) -> Option<DeviceKey> {
        let id = Id::unique("device list");
        let response = ui.interact(area, id, Sense::focusable_noninteractive());
        if std::mem::take(&mut self.wants_focus) {
            response.request_focus();
        }
        let mut chosen = None;
        if response.has_focus() {
            moves::lock_focus(ui, id, &self.view);
            let moves = Moves::read(ui);
            chosen = moves.opens.then(|| self.cursor.clone()).flatten();
            jump = self.move_cursor(&moves, area.height(), &grid).or(jump);
            if moves.clear {
                self.view.filter.clear();
                cx.deadline.at(cx.now.boot_ms);
            }
            if !moves.typed.is_empty() {
                // Typing in the list edits the filter.
                self.view.filter.push_str(&moves.typed);
                controls::focus_filter(ui, self.view.filter.chars().count());
                cx.deadline.at(cx.now.boot_ms);
            }
        }
        self.area = Some(area);
        let mut scroll = ScrollArea::vertical().id_salt("devices").auto_shrink(false);
        if let Some(offset) = jump {
            scroll = scroll.vertical_scroll_offset(offset.clamp(0.0, self.most_offset(area.height())));
        }
        let focused = response.has_focus();
        let builder = UiBuilder::new().max_rect(area).scope_id(id.with("lines")).accessibility_parent(id);
        ui.scope_builder(builder, |ui| {
            let output = scroll.show_viewport(ui, |ui, viewport| {
                ui.set_height(self.order.height());
                let origin = pos2(area.left(), ui.max_rect().top());
                let whole = Rect::from_min_size(origin, area.size());
                self.paint(ui, cx, standings, (viewport, whole, grid), focused, lists)
            });
            self.offset = output.state.clamped_offset().y;
            chosen = output.inner.or(chosen.take());
        });
        let cursor = self.cursor.as_ref().filter(|key| self.cache.get(key).is_some());
        ui.ctx().accesskit_node_builder(id, |node| {
            node.set_role(if grid.shape == Shape::Table { Role::Table } else { Role::List });
            node.set_label(cx.words.devices.device_list);
            if let Some(cursor) = cursor {
                node.set_active_descendant(paint::row_id(cursor).accesskit_id());
            }
        });
        if self.cursor.is_none() && widgets::is_by_keys(ui.ctx()) {
            widgets::focus_ring(ui, &response, theme::of(ui));
        }
        if let Some(chosen) = &chosen {
            self.cursor = Some(chosen.clone());
        }
        chosen
    }

    fn most_offset(&self, height: f32) -> f32 {
        (self.order.height() - height).max(0.0)
    }

    /// Registers the visible devices, and copies what is shown of them out of the model.
    fn copy_rows(
        &mut self,
        cx: &Cx,
        lists: &DeviceLists,
        lines: std::ops::Range<usize>,
        grid: &Grid,
        width: f32,
    ) {
        self.visible.clear();
        for line in lines {
            if let (Some(key), LineKind::Device(section, place)) =
                (self.order.key(line), self.order.lines()[line].what)
            {
                self.visible.push(Visible { key, place, section });
            }
        }
        self.tables.clear();
        let slots = Slots::of(width);
        if grid.shape == Shape::Table {
            self.tables.resize_with(self.order.sections.len(), || None);
            for at in self.visible.iter().map(|visible| visible.section) {
                if let Some(section) = self.order.sections.get_mut(at).filter(|_| self.tables[at].is_none()) {
                    let chosen = lists.table(section.connection);
                    let table = Table::of(cx, section, chosen, &self.view, width - 2.0 * paint::EDGE);
                    self.tables[at] = Some(table);
                }
            }
        }
        let tables = &self.tables;
        let which = |section: usize| match grid.shape {
            Shape::Rows => Some(Which::First(slots.count)),
            Shape::Cards => Some(Which::First(card::READINGS)),
            Shape::Table => {
                let table = tables.get(section)?.as_ref()?;
                Some(Which::Named(Arc::clone(&table.metrics), table.others()))
            }
        };
        let spark = match grid.shape {
            Shape::Rows => slots.spark,
            Shape::Cards => true,
            Shape::Table => false,
        };
        self.cache.update(cx, &self.visible, which, spark);
    }

    /// Draws the lines in view.
    fn paint(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx,
        standings: &[Standing],
        (viewport, whole, grid): (Rect, Rect, Grid),
        focused: bool,
        lists: &mut DeviceLists,
    ) -> Option<DeviceKey> {
        let range = self.order.visible(viewport.top(), viewport.bottom());
        self.copy_rows(cx, lists, range.clone(), &grid, whole.width());
        let generation = self.digits.begin(ui);
        self.top = None;
        let mut chosen = None;
        let mut next = 0;
        for at in range {
            let line = self.order.lines()[at];
            let place =
                |height| Rect::from_min_size(whole.min + vec2(0.0, line.top), vec2(whole.width(), height));
            match line.what {
                LineKind::Connection(section) => {
                    let section = &self.order.sections[section];
                    let standing = standings.iter().find(|known| known.connection == section.connection);
                    let counts = (standings.len() > 1).then_some(&section.counts);
                    let rect = place(cx.rhythm().section);
                    if standing.is_some_and(|known| paint::connection(ui, cx, rect, known, counts)) {
                        chosen = Some(DeviceKey { connection: section.connection, device: link_id() });
                    }
                }
                LineKind::Header(section) => {
                    let (rect, search) = (place(cx.rhythm().heading), &mut self.column_search);
                    let section = &mut self.order.sections[section];
                    let table = self.tables.iter().flatten().find(|table| table.is_of(section.connection));
                    if let Some(table) = table {
                        table.header(ui, cx, rect, section, (&mut self.view, lists, search));
                    }
                }
                LineKind::Group(section, entry) => {
                    let section = &self.order.sections[section];
                    let entry = &section.entries[entry];
                    let name = self.view.group_name(cx, entry);
                    let id = Id::unique(("group of devices", section.connection, &name));
                    paint::group(ui, place(cx.rhythm().heading), id, &name);
                }
                LineKind::Device(..) => {
                    let Some(visible) = self.visible.get(next).cloned() else { continue };
                    next += 1;
                    if self.top.is_none() && line.top >= viewport.top() {
                        self.top = Some((visible.key.clone(), line.top - viewport.top()));
                    }
                    let width = whole.width() / grid.columns as f32;
                    let cell = Rect::from_min_size(
                        whole.min + vec2(width * line.column as f32, line.top),
                        vec2(width, grid.device()),
                    );
                    if self.device(ui, cx, &visible, cell, (line, grid), (focused, generation)) {
                        chosen = Some(visible.key);
                    }
                }
            }
        }
        chosen
    }

    /// Draws a device. Returns whether the person opened it.
    fn device(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx,
        visible: &Visible,
        cell: Rect,
        (line, grid): (Line, Grid),
        (focused, generation): (bool, u64),
    ) -> bool {
        let Some(row) = self.cache.get_mut(&visible.key) else { return false };
        let said = row.said(cx, &visible.key);
        let cursor = focused && self.cursor.as_ref() == Some(&visible.key);
        let role = if grid.shape == Shape::Table { Role::Row } else { Role::ListItem };
        let position = (line.nth, self.order.matching().0);
        let stand = RowState { cursor, ring: cursor && widgets::is_by_keys(ui.ctx()), position, role };
        let rect = match grid.shape {
            Shape::Cards => card::place(cell),
            Shape::Rows | Shape::Table => cell.shrink2(vec2(paint::EDGE, 0.5)),
        };
        let chosen = paint::ground(ui, cx, rect, (&visible.key, row), &said, stand);
        let mut pen = Pen { digits: &mut self.digits, generation };
        match grid.shape {
            Shape::Rows => paint::line(ui, rect, row, &said, Slots::of(cell.width()), &mut pen),
            Shape::Cards => card::paint(ui, rect, row, &said, &mut pen),
            Shape::Table => {
                if let Some(Some(table)) = self.tables.get(visible.section) {
                    table.row(ui, rect, row, &said, &mut pen);
                }
            }
        }
        chosen
    }

    /// Moves the keyboard cursor. Returns the scroll offset that brings it into view.
    fn move_cursor(&mut self, moves: &Moves, height: f32, grid: &Grid) -> Option<f32> {
        let at = self.cursor.as_ref().and_then(|cursor| self.order.line(cursor));
        let top = || self.top.as_ref().and_then(|(top, _)| self.order.line(top));
        let line = moves.next(self.order.lines(), at, top, (height, grid))?;
        self.cursor = self.order.key(line);
        let row = grid.device();
        let lines = self.order.lines();
        let top = lines[line].top;
        // Scrolling to the first row also reveals the headings above it.
        let low =
            if lines[line].nth < grid.columns && lines[line].nth == lines[line].column { 0.0 } else { top };
        if low < self.offset {
            Some(low)
        } else if top + row > self.offset + height {
            Some(top + row - height)
        } else {
            None
        }
    }
}

impl View {
    fn group_name(&self, cx: &Cx, entry: &Entry) -> String {
        let words = cx.words.devices;
        match self.grouping {
            _ if entry.is_pinned() => words.pinned.to_owned(),
            Grouping::None => words.not_grouped.to_owned(),
            Grouping::Own if entry.group().is_empty() => words.not_grouped.to_owned(),
            Grouping::Own => harmless::line(entry.group(), 64),
            Grouping::Kind if entry.kind.trim().is_empty() => words.no_kind.to_owned(),
            Grouping::Kind => rows::kind(cx.words, &entry.kind, entry.id.as_str()),
            Grouping::Status => words.trouble(entry.group_trouble()).to_owned(),
        }
    }
}

/// Footer with the number of readings dropped by the server and by the local disk. At the bottom, so that it
/// moves nothing.
fn left_out(ui: &mut Ui, cx: &Cx) {
    let (left_out, shown, not_kept) = cx.model.read(|model| {
        let devices = || model.connections.values().map(|connection| &connection.devices);
        let left_out: u64 = devices().map(Devices::conflated).sum();
        let shown =
            devices().filter(|devices| devices.left_out() > 0).map(|devices| devices.len() as u64).sum();
        (left_out, shown, model.readings_not_kept)
    });
    if left_out == 0 && shown == 0 && not_kept == 0 {
        return;
    }
    let words = cx.words.devices;
    let margin = egui::Margin::symmetric(space::LARGE as i8, space::TINY as i8);
    let frame = egui::Frame::new().inner_margin(margin);
    Panel::bottom("left out").frame(frame).resizable(false).show(ui, |ui| {
        for (count, said) in
            [(shown, words.devices_left_out), (left_out, words.left_out), (not_kept, words.not_kept)]
        {
            if count > 0 {
                let text = egui::RichText::new(said(count)).font(theme::small()).color(theme::of(ui).weak);
                ui.add(egui::Label::new(text).selectable(false).truncate());
            }
        }
    });
}
