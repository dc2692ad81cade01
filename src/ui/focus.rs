//! Moves the keyboard focus: between panes, to the message field when typing in the chat, and back to where
//! it was when a dialog or menu closes.

use egui::{Event, Key};

use super::body::Stop;
use super::{Cx, Ui};

impl Ui {
    /// Focuses a pane.
    pub(super) fn focus_on(&mut self, stop: Stop) {
        self.focus_next = None;
        match stop {
            Stop::Rooms => self.rooms.focus(),
            Stop::Chat => self.chat.focus_input(),
            Stop::Devices if self.layout.chosen().topics.shown => self.topics.focus(),
            Stop::Devices => self.devices.focus(),
            Stop::Log => self.logs.focus(),
            Stop::Search => self.search.focus(),
        }
    }

    /// Focuses the pane `step` places from the focused one, wrapping around.
    pub(super) fn next_stop(&mut self, ui: &egui::Ui, step: isize) {
        let focused = ui.memory(|memory| memory.focused());
        let place = focused.and_then(|id| ui.ctx().read_response(id)).map(|response| response.rect.center());
        let at = place.and_then(|place| self.stops.iter().position(|(_, rect)| rect.contains(place)));
        let count = self.stops.len() as isize;
        let next = match at {
            Some(at) => at as isize + step,
            None if step > 0 => 0,
            None => -1,
        };
        if let Some((stop, _)) = self.stops.get(next.rem_euclid(count.max(1)) as usize) {
            self.focus_on(*stop);
        }
    }

    /// Whether a dialog or the palette covers the window.
    pub(super) fn is_covered(&self) -> bool {
        self.dialog.is_some() || self.palette.is_some() || self.is_viewing
    }

    /// Records the focused widget while nothing covers the window.
    pub(super) fn remember_focus(&mut self, ui: &egui::Ui) {
        if !self.is_covered() {
            self.focus_below = ui.memory(|memory| memory.focused());
            self.used_below = self.last_used;
        }
    }

    /// Restores the focus to the widget that had it before the window was covered. If there was none, focuses
    /// the message field only if the chat was used last: typing may be meant for something else.
    pub(super) fn give_focus_back(&mut self, ui: &egui::Ui, cx: &mut Cx) {
        cx.deadline.at(cx.now.boot_ms);
        match self.focus_below.filter(|id| ui.ctx().read_response(*id).is_some()) {
            Some(id) => self.focus_next = Some(id),
            None if self.used_below == Some(Stop::Chat) => self.chat.focus_input(),
            None => {}
        }
    }

    /// Records the pane that was last clicked or focused.
    pub(super) fn note_use(&mut self, ui: &egui::Ui) {
        if self.is_covered() {
            self.last_used = None;
            return;
        }
        let focused = ui.memory(|memory| memory.focused());
        let moved = std::mem::replace(&mut self.last_focused, focused) != focused;
        let clicked = ui.input(|input| input.pointer.interact_pos().filter(|_| input.pointer.any_pressed()));
        let rect = focused.filter(|_| moved).and_then(|id| ui.ctx().read_response(id));
        if let Some(place) = clicked.or(rect.map(|response| response.rect.center())) {
            let used = self.stops.iter().find(|(_, rect)| rect.contains(place));
            self.last_used = used.map(|(stop, _)| *stop);
        }
    }

    /// Focuses the message field when a key is typed in the chat and no field has the focus. Elsewhere the
    /// text may be meant for something else, and Enter would send it to the room.
    pub(super) fn take_typing(&mut self, ui: &egui::Ui) {
        if self.is_covered() || !self.layout.shows_chat() || ui.ctx().text_edit_focused() {
            return;
        }
        if self.last_used != Some(Stop::Chat) {
            return;
        }
        if egui::Popup::is_any_open(ui.ctx()) {
            return;
        }
        // Space activates the focused button.
        let has_focus = ui.memory(|memory| memory.focused().is_some());
        let types = |event: &Event| match event {
            Event::Text(text) => !has_focus || text.trim() == text,
            Event::Paste(_) => true,
            _ => false,
        };
        if ui.input(|input| input.events.iter().any(types)) {
            self.chat.take_focus(ui);
        }
    }

    /// Focuses the message field after an Esc that nothing else handled.
    pub(super) fn come_back(&mut self, ui: &egui::Ui) {
        // One frame after the overlay closed: until then, nothing below it can have the focus.
        let covered = self.is_covered();
        if let Some(id) = self.focus_next.take_if(|_| !covered) {
            ui.memory_mut(|memory| memory.request_focus(id));
            return;
        }
        let escape = ui.input(|input| input.key_pressed(Key::Escape));
        let nowhere = ui.memory(|memory| memory.focused().is_none());
        if escape && nowhere && !self.is_covered() && self.layout.shows_chat() {
            self.chat.focus_input();
        }
    }
}
