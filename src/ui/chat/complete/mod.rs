//! Completes names behind `@` and emoji behind `:` while somebody types: a list above the field, for arrows, Enter and Tab
//! or the pointer. It takes no key while an input method composes, and none while it is closed.

mod find;
mod trigger;

use std::ops::Range;

use egui::accesskit::Role;
use egui::text::{CCursor, CharIndex};
use egui::text_selection::CCursorRange;
use egui::{
    Align2, Area, EventFilter, Frame, Id, Key, Margin, Modifiers, Order, Rect, Sense, Stroke, TextEdit, Ui,
    WidgetInfo, pos2, vec2,
};

use super::RoomKey;
use crate::ui::theme::{self, radius, space};
use crate::ui::{Cx, widgets};
use find::Finder;
pub(super) use find::{Face, Found};
use trigger::Trigger;

/// Maximum number of entries that are offered at a time.
const MAX_SHOWN: usize = 8;
/// Width of the list, in points, where there is room for it.
const WIDTH: f32 = 320.0;
/// Height of an entry, in points.
const ROW: f32 = 28.0;

/// The list's own state.
#[derive(Default)]
pub(super) struct Complete {
    finder: Finder,
    /// What stands before the cursor, and what is offered for it. Empty: the list is closed.
    trigger: Option<Trigger>,
    found: Vec<Found>,
    /// The entry that the keyboard is on.
    at: usize,
    /// Where a completion begins that the person does not want.
    dismissed: Option<(RoomKey, usize)>,
    /// An entry that was chosen while a syllable was composed: it is put in once that is there.
    chosen: Option<Found>,
}

impl Complete {
    fn is_open(&self) -> bool {
        !self.found.is_empty()
    }

    /// Looks at what stands before the cursor, and takes the keys that are meant for the list before the field sees them.
    /// Returns whether it changed the text.
    pub(super) fn take_keys(
        &mut self,
        ui: &Ui,
        cx: &Cx,
        key: &RoomKey,
        id: Id,
        text: &mut String,
        is_composing: bool,
    ) -> bool {
        let cursor = cursor(ui, id, is_composing);
        if let Some(chosen) = self.chosen.take_if(|_| !is_composing) {
            let trigger = cursor.and_then(|cursor| Trigger::at(text, cursor));
            self.close();
            return trigger.is_some_and(|trigger| put(ui, id, text, &trigger, &chosen));
        }
        self.look(cx, key, text, cursor);
        if !self.is_open() || is_composing {
            return false;
        }
        let pressed = |key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
        let count = self.found.len();
        if pressed(Key::ArrowDown) {
            self.at = (self.at + 1) % count;
        }
        if pressed(Key::ArrowUp) {
            self.at = (self.at + count - 1) % count;
        }
        if pressed(Key::Escape) {
            self.dismissed = self.trigger.as_ref().map(|trigger| (key.clone(), trigger.begins));
            self.close();
            return false;
        }
        if pressed(Key::Enter) || pressed(Key::Tab) {
            return self.accept(ui, id, text, self.at);
        }
        false
    }

    /// Finds what to offer.
    fn look(&mut self, cx: &Cx, key: &RoomKey, text: &str, cursor: Option<usize>) {
        let trigger = cursor.and_then(|cursor| Trigger::at(text, cursor));
        if self.trigger == trigger {
            return;
        }
        let begins = trigger.as_ref().map(|trigger| trigger.begins);
        if self.dismissed.as_ref().is_some_and(|(room, at)| room != key || Some(*at) != begins) {
            self.dismissed = None;
        }
        self.found = match &trigger {
            Some(trigger) if self.dismissed.is_none() => self.finder.find(cx, key.0, trigger, MAX_SHOWN),
            _ => Vec::new(),
        };
        (self.trigger, self.at) = (trigger, 0);
    }

    fn close(&mut self) {
        self.found.clear();
    }

    fn accept(&mut self, ui: &Ui, id: Id, text: &mut String, at: usize) -> bool {
        let (Some(trigger), Some(found)) = (self.trigger.take(), self.found.get(at).cloned()) else {
            return false;
        };
        self.close();
        put(ui, id, text, &trigger, &found)
    }

    /// Which keys the field is to keep from egui: with the list open Tab and Escape are the list's.
    pub(super) fn filter(&self) -> EventFilter {
        let is_open = self.is_open();
        EventFilter { tab: is_open, escape: is_open, horizontal_arrows: true, vertical_arrows: true }
    }

    /// Draws the list above the field, for what was typed in this frame. Returns whether it changed the text.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn show(
        &mut self,
        ui: &Ui,
        cx: &Cx,
        key: &RoomKey,
        id: Id,
        field: Rect,
        text: &mut String,
        is_composing: bool,
    ) -> bool {
        let cursor = cursor(ui, id, is_composing);
        // The colon that was just typed may close an emoji's name.
        if !is_composing
            && ui.input(|input| {
                input
                    .events
                    .iter()
                    .any(|event| matches!(event, egui::Event::Text(typed) if typed.ends_with(':')))
            })
            && let Some(closed) = cursor.and_then(|cursor| trigger::closed(text, cursor))
            && let Some(found) = self.finder.emoji(&closed.typed)
        {
            self.close();
            return put(ui, id, text, &closed, &found);
        }
        self.look(cx, key, text, cursor);
        if !self.is_open() {
            return false;
        }
        let theme = theme::of(ui);
        let title = match self.trigger.as_ref().map(|trigger| trigger.kind) {
            Some(trigger::Kind::Name) => cx.words.rich.people_found,
            Some(trigger::Kind::Command) => cx.words.chat.commands_found,
            Some(trigger::Kind::Emoji) | None => cx.words.rich.emoji_found,
        };
        let frame = Frame::new()
            .fill(theme.raised)
            .stroke(Stroke::new(1.0, theme.outline))
            .corner_radius(radius::CONTROL)
            .inner_margin(Margin::same(space::TINY as i8));
        let area = Area::new(Id::unique("completion"))
            .order(Order::Foreground)
            .pivot(Align2::LEFT_BOTTOM)
            .fixed_pos(pos2(field.left() - space::MEDIUM, field.top() - space::SMALL - 2.0))
            .constrain(true);
        let width = WIDTH.min(field.width().max(160.0));
        let drawn = area.show(ui.ctx(), |ui| frame.show(ui, |ui| self.list(ui, cx, width, title)).inner);
        let Some(taken) = drawn.inner else { return false };
        if is_composing {
            // The syllable comes first: it is a part of what is completed.
            self.chosen = self.found.get(taken).cloned();
            self.close();
            return false;
        }
        self.accept(ui, id, text, taken)
    }

    /// Draws the entries. Returns which one was chosen.
    fn list(&self, ui: &mut Ui, cx: &Cx, width: f32, title: &str) -> Option<usize> {
        let height = ROW * self.found.len() as f32;
        let (list, _) = ui.allocate_exact_size(vec2(width, height), Sense::hover());
        let list_id = Id::unique("completion list");
        ui.interact(list, list_id, Sense::hover());
        ui.ctx().accesskit_node_builder(list_id, |node| {
            node.set_role(Role::ListBox);
            node.set_label(title);
        });
        let builder = egui::UiBuilder::new()
            .max_rect(list)
            .scope_id(list_id.with("rows"))
            .accessibility_parent(list_id);
        let mut taken = None;
        ui.scope_builder(builder, |ui| {
            for (at, found) in self.found.iter().enumerate() {
                let top = list.top() + at as f32 * ROW;
                let rect = Rect::from_min_size(pos2(list.left(), top), vec2(width, ROW));
                if row(ui, cx, found, rect, list_id.with(at), at == self.at) {
                    taken = Some(at);
                }
            }
        });
        let said = (cx.words.rich.suggestion)(&self.found[self.at].label, self.at + 1, self.found.len());
        let place = Rect::from_min_size(list.min, vec2(1.0, 1.0));
        let announced = ui.interact(place, list_id.with("said"), Sense::hover());
        widgets::live(ui, announced.id, &said);
        taken
    }
}

/// Draws an entry. Returns whether it was chosen: at once when the button goes down, while the field has the focus.
fn row(ui: &Ui, cx: &Cx, found: &Found, rect: Rect, id: Id, is_current: bool) -> bool {
    let theme = theme::of(ui);
    let response = ui.interact(rect, id, Sense::CLICK - Sense::FOCUSABLE);
    response.widget_info(|| WidgetInfo::labeled(Role::ListBoxOption, true, &found.label));
    ui.ctx().accesskit_node_builder(id, |node| {
        node.set_selected(is_current);
        if found.face == Face::Person(true) {
            node.set_description(cx.words.people.online);
        }
    });
    if is_current || response.hovered() {
        let fill = if is_current { theme.selected } else { theme.hover };
        ui.painter().rect_filled(rect, f32::from(radius::CONTROL), fill);
    }
    let mut left = rect.left() + space::SMALL;
    match found.face {
        Face::Person(true) => {
            ui.painter().circle_filled(pos2(left + 5.0, rect.center().y), 4.0, theme.good);
        }
        Face::Person(false) => {
            let stroke = Stroke::new(1.5, theme.weak);
            ui.painter().circle_stroke(pos2(left + 5.0, rect.center().y), 3.5, stroke);
        }
        Face::Plain => {}
        Face::Emoji => {
            let emoji = widgets::cut(ui, &found.insert, theme::body(), theme.text, 24.0);
            ui.painter().galley(pos2(left, rect.center().y - emoji.size().y / 2.0), emoji, theme.text);
        }
    }
    left += match found.face {
        Face::Person(_) => 20.0,
        Face::Emoji => 28.0,
        Face::Plain => 0.0,
    };
    let label = widgets::cut(ui, &found.label, theme::body(), theme.text, rect.right() - left - space::SMALL);
    ui.painter().galley(pos2(left, rect.center().y - label.size().y / 2.0), label, theme.text);
    let pressed = response.is_pointer_button_down_on() && ui.input(|input| input.pointer.primary_pressed());
    response.clicked() || pressed
}

/// Where the cursor stands, in characters, if nothing is selected. What is being composed counts as written.
fn cursor(ui: &Ui, id: Id, is_composing: bool) -> Option<usize> {
    if !ui.memory(|memory| memory.has_focus(id)) {
        return None;
    }
    let range = TextEdit::load_state(ui.ctx(), id)?.cursor.char_range()?;
    let [_, end] = range.sorted_cursors();
    (range.is_empty() || is_composing).then_some(end.index.0)
}

/// Puts an entry in the place of what was typed for it.
fn put(ui: &Ui, id: Id, text: &mut String, trigger: &Trigger, found: &Found) -> bool {
    let byte = |index: usize| text.char_indices().nth(index).map_or(text.len(), |(at, _)| at);
    let place: Range<usize> = byte(trigger.begins)..byte(trigger.ends);
    let follows_space = text[place.end..].starts_with(char::is_whitespace);
    let space = if found.face != Face::Emoji && !follows_space { " " } else { "" };
    let insert = format!("{}{space}", found.insert);
    let cursor = trigger.begins + insert.chars().count();
    text.replace_range(place, &insert);
    let mut state = TextEdit::load_state(ui.ctx(), id).unwrap_or_default();
    state.cursor.set_char_range(Some(CCursorRange::one(CCursor::new(CharIndex(cursor)))));
    TextEdit::store_state(ui.ctx(), id, state);
    true
}
