//! The list of devices: counts, filter, order, and the lines that are visible. Arrows move through it, Enter opens.

use egui::accesskit::Role;
use egui::scroll_area::ScrollArea;
use egui::{EventFilter, Id, Key as Button, Panel, Rect, Sense, Ui, UiBuilder, pos2, vec2};

use super::controls;
use super::empty;
use super::entry::Entry;
use super::order::{Grouping, Key, Order, View, What};
use super::paint::{self, Stand};
use super::rows::{self, Cache};
use super::standing::Standing;
use crate::model::Devices;
use crate::ui::text::Words;
use crate::ui::theme;
use crate::ui::{Cx, widgets};

/// The list's own state: what it shows and where it is scrolled to.
#[derive(Default)]
pub(super) struct List {
    view: View,
    order: Order,
    cache: Cache,
    visible: Vec<(Key, usize)>,
    /// The row that the keyboard is on.
    cursor: Option<Key>,
    /// Where it was drawn last.
    area: Option<Rect>,
    offset: f32,
    /// The first device that is wholly visible, and how far below the list's edge it stands.
    top: Option<(Key, f32)>,
    wants_focus: bool,
    /// The person wants to add a device.
    add: bool,
    /// In whose words everything here is.
    words: Option<&'static Words>,
}

impl List {
    /// Draws the pane. Returns the device that the person chose.
    pub(super) fn show(&mut self, ui: &mut Ui, cx: &mut Cx, standings: &[Standing]) -> Option<Key> {
        if self.words.replace(cx.words).is_some_and(|words| !std::ptr::eq(words, cx.words)) {
            // Another language: nothing that was prepared is right.
            (self.cache, self.order) = (Cache::default(), Order::default());
        }
        let hold = self.is_pointed_at(ui);
        let before = self.view.clone();
        let mut changed = self.order.sync(cx, &self.view, hold);
        let wish = controls::show(ui, cx, &mut self.view, &self.order, standings);
        self.wants_focus |= wish.into_list;
        if before != self.view {
            changed |= self.order.sync(cx, &self.view, hold);
            // What is drawn above the list already may say something else now.
            cx.deadline.at(cx.now.boot_ms);
        }
        let chosen_first = wish.open_first.then(|| self.first()).flatten();
        let mut jump = None;
        if before != self.view {
            jump = Some(0.0);
        } else if changed && self.offset > 0.0 {
            // What is looked at stays where it is, whatever comes or goes above it.
            jump = self.top.as_ref().and_then(|(key, y)| Some(self.top_of(key)? - y));
        }
        left_out(ui, cx);
        let clear = empty::show(ui, cx, &self.order, &self.view.filter, standings, &mut self.add);
        if clear {
            self.view.filter.clear();
            cx.deadline.at(cx.now.boot_ms);
        }
        let chosen = self.lines(ui, cx, standings, jump);
        chosen.or(chosen_first)
    }

    /// Whether the person wants to add a device; asked for once.
    pub(super) fn take_add(&mut self) -> bool {
        std::mem::take(&mut self.add)
    }

    /// Puts the keyboard's focus into the list.
    pub(super) fn focus(&mut self) {
        self.wants_focus = true;
    }

    /// Another view is shown: what is prepared for drawing is let go.
    pub(super) fn rest(&mut self) {
        self.cache.clear();
        self.area = None;
    }

    fn is_pointed_at(&self, ui: &Ui) -> bool {
        let pointer = ui.ctx().pointer_hover_pos();
        self.area.zip(pointer).is_some_and(|(area, pointer)| area.contains(pointer))
    }

    fn first(&self) -> Option<Key> {
        (0..self.order.lines().len()).find_map(|line| self.order.key(line))
    }

    fn top_of(&self, key: &Key) -> Option<f32> {
        let line = self.order.line(key)?;
        self.order.lines().get(line).map(|line| line.top)
    }

    fn lines(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx,
        standings: &[Standing],
        mut jump: Option<f32>,
    ) -> Option<Key> {
        let area = ui.available_rect_before_wrap();
        let id = Id::unique("device list");
        let response = ui.interact(area, id, Sense::focusable_noninteractive());
        if std::mem::take(&mut self.wants_focus) {
            response.request_focus();
        }
        let mut chosen = None;
        if response.has_focus() {
            // Esc clears the filter first, and leaves the list after that.
            let escape = !self.view.filter.is_empty();
            let filter = EventFilter { vertical_arrows: true, escape, ..EventFilter::default() };
            ui.memory_mut(|memory| memory.set_focus_lock_filter(id, filter));
            let keys = self.keys(ui, area.height(), cx.rhythm().device);
            jump = keys.scroll_to.or(jump);
            chosen = keys.chosen;
            if keys.clear {
                self.view.filter.clear();
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
                self.paint(ui, cx, standings, viewport, Rect::from_min_size(origin, area.size()), focused)
            });
            self.offset = output.state.clamped_offset().y;
            chosen = output.inner.or(chosen.take());
        });
        let cursor = self.cursor.as_ref().filter(|key| self.cache.get(key).is_some());
        ui.ctx().accesskit_node_builder(id, |node| {
            node.set_role(Role::List);
            node.set_label(cx.words.devices.device_list);
            if let Some(cursor) = cursor {
                node.set_active_descendant(paint::row_id(cursor).accesskit_id());
            }
        });
        if self.cursor.is_none() {
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

    /// Draws the lines that a part of the list shows.
    fn paint(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx,
        standings: &[Standing],
        viewport: Rect,
        whole: Rect,
        focused: bool,
    ) -> Option<Key> {
        let range = self.order.visible(viewport.top(), viewport.bottom());
        self.visible.clear();
        for line in range.clone() {
            if let (Some(key), What::Device(_, place)) = (self.order.key(line), self.order.lines()[line].what)
            {
                self.visible.push((key, place));
            }
        }
        self.cache.update(cx, &self.visible);
        self.top = None;
        let mut chosen = None;
        let mut keys = self.visible.iter();
        let under_kind = self.view.grouping == Grouping::Kind;
        for line in &self.order.lines()[range] {
            let at =
                |height| Rect::from_min_size(whole.min + vec2(0.0, line.top), vec2(whole.width(), height));
            match line.what {
                What::Connection(section) => {
                    let section = &self.order.sections[section];
                    let id = Id::unique(("devices of", section.connection));
                    let standing = Standing::of(standings, section.connection);
                    let text =
                        standing.sentence(cx).unwrap_or_else(|| (cx.words.devices.counts)(&section.counts));
                    let rect = at(cx.rhythm().section);
                    paint::section(ui, rect, id, &standing.name, &text, standing.is_down());
                }
                What::Group(section, place) => {
                    let section = &self.order.sections[section];
                    let entry = &section.entries[place];
                    let name = self.view.group_name(cx, entry);
                    let id = Id::unique(("group of devices", section.connection, &name));
                    paint::group(ui, at(cx.rhythm().heading), id, &name);
                }
                What::Device(..) => {
                    let Some((key, _)) = keys.next() else { continue };
                    let Some(row) = self.cache.get(key) else { continue };
                    if self.top.is_none() && line.top >= viewport.top() {
                        self.top = Some((key.clone(), line.top - viewport.top()));
                    }
                    let focused = focused && self.cursor.as_ref() == Some(key);
                    let stand = Stand { focused, under_kind };
                    if paint::device(ui, cx, at(cx.rhythm().device), key, row, stand) {
                        chosen = Some(key.clone());
                    }
                }
            }
        }
        chosen
    }

    /// What the keyboard says while the list has the focus.
    fn keys(&mut self, ui: &Ui, height: f32, row: f32) -> Keys {
        let mut keys = Keys::default();
        let pressed = |key| ui.input(|input| input.key_pressed(key));
        keys.clear = pressed(Button::Escape);
        let at = self.cursor.as_ref().and_then(|cursor| self.order.line(cursor));
        if pressed(Button::Enter) && at.is_some() {
            keys.chosen.clone_from(&self.cursor);
        }
        let count = self.order.lines().len();
        let device = |line: &usize| self.order.key(*line).is_some();
        let page = (height / row).max(1.0) as usize;
        let next = match at {
            _ if pressed(Button::Home) => (0..count).find(device),
            _ if pressed(Button::End) => (0..count).rfind(device),
            Some(at) if pressed(Button::ArrowDown) => (at + 1..count).find(device),
            Some(at) if pressed(Button::ArrowUp) => (0..at).rfind(device),
            Some(at) if pressed(Button::PageDown) => (at + 1..count).filter(device).take(page).last(),
            Some(at) if pressed(Button::PageUp) => (0..at).rev().filter(device).take(page).last(),
            None if pressed(Button::ArrowDown) || pressed(Button::ArrowUp) => self
                .top
                .as_ref()
                .and_then(|(top, _)| self.order.line(top))
                .or_else(|| (0..count).find(device)),
            _ => None,
        };
        if let Some(line) = next {
            self.cursor = self.order.key(line);
            let top = self.order.lines()[line].top;
            // Headings above the first row come into view with it.
            let first = (0..line).all(|line| !device(&line));
            let low = if first { 0.0 } else { top };
            if low < self.offset {
                keys.scroll_to = Some(low);
            } else if top + row > self.offset + height {
                keys.scroll_to = Some(top + row - height);
            }
        }
        keys
    }
}

#[derive(Default)]
struct Keys {
    scroll_to: Option<f32>,
    chosen: Option<Key>,
    clear: bool,
}

impl View {
    fn group_name(&self, cx: &Cx, entry: &Entry) -> String {
        let words = cx.words.devices;
        match self.grouping {
            Grouping::None => String::new(),
            Grouping::Kind if entry.kind.trim().is_empty() => words.no_kind.to_owned(),
            Grouping::Kind => rows::kind(cx.words, &entry.kind, entry.id.as_str()),
            Grouping::Status => (words.status)(entry.group_status()).to_owned(),
        }
    }
}

/// How many readings the hub left out, and how many this disk did not take: at the foot, where nothing is moved by it.
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
    let margin = egui::Margin::symmetric(theme::space::LARGE as i8, theme::space::TINY as i8);
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
