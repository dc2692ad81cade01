//! Where the keyboard's focus goes: from pane to pane, to the message when somebody just types, and back to where it was
//! when what was on top is closed.

use egui::{Event, Key};

use super::Ui;
use super::body::Stop;

impl Ui {
    /// Puts the focus into a pane.
    pub(super) fn focus_on(&mut self, stop: Stop) {
        match stop {
            Stop::Rooms => self.rooms.focus(),
            Stop::Chat => self.chat.focus_input(),
            Stop::Devices => self.devices.focus(),
            Stop::Log => self.logs.focus(),
        }
    }

    /// Puts the focus into the pane `step` places from the one that has it, round the ends.
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

    /// Who types while no field has the focus writes a message.
    pub(super) fn take_typing(&mut self, ui: &egui::Ui) {
        if self.dialog.is_some() || !self.layout.shows_chat() || ui.ctx().text_edit_focused() {
            return;
        }
        if egui::Popup::is_any_open(ui.ctx()) {
            return;
        }
        // A space presses the button that has the focus.
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

    /// After Esc, where nothing else took it, the focus is on the message again.
    pub(super) fn come_back(&mut self, ui: &egui::Ui) {
        let escape = ui.input(|input| input.key_pressed(Key::Escape));
        let nowhere = ui.memory(|memory| memory.focused().is_none());
        if escape && nowhere && self.dialog.is_none() && self.layout.shows_chat() {
            self.chat.focus_input();
        }
    }
}
