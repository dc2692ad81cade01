//! [`Layout`]: which panes are on screen. In a wide window chat and devices stand side by side or either alone, with the
//! list of rooms beside them or hidden; in a narrow one there is one pane at a time. What a person chooses in one is
//! meant in the other too, as far as it goes.

use super::theme::size;
use crate::model::panes::{DeviceLists, Middle, Pane, Panes};

/// Which panes are on screen, and what of that is kept.
#[derive(Debug)]
pub(super) struct Layout {
    chosen: Panes,
    is_wide: bool,
    /// How wide the list of rooms and the devices were drawn last.
    drawn: [Option<f32>; 2],
}

impl Layout {
    /// As it was kept.
    pub(super) fn new(chosen: Panes) -> Layout {
        Layout { chosen, is_wide: true, drawn: [None; 2] }
    }

    /// Whether two are the same but for the open room.
    pub(super) fn same(one: &Panes, other: &Panes) -> bool {
        let bare = |panes: &Panes| Panes { room: None, ..panes.clone() };
        bare(one) == bare(other)
    }

    /// What is to be kept.
    pub(super) fn chosen(&self) -> &Panes {
        &self.chosen
    }

    /// The window is so wide now, in points.
    pub(super) fn fit(&mut self, width: f32) {
        self.is_wide = width >= size::BESIDE;
    }

    /// Whether panes have room beside each other.
    pub(super) fn is_wide(&self) -> bool {
        self.is_wide
    }

    /// Whether the list of rooms is on screen.
    pub(super) fn shows_rooms(&self) -> bool {
        if self.is_wide { self.chosen.rooms } else { self.chosen.single == Pane::Rooms }
    }

    /// Whether the chat is on screen.
    pub(super) fn shows_chat(&self) -> bool {
        if self.is_wide { self.chosen.middle != Middle::Devices } else { self.chosen.single == Pane::Chat }
    }

    /// Whether the devices are on screen.
    pub(super) fn shows_devices(&self) -> bool {
        if self.is_wide { self.chosen.middle != Middle::Chat } else { self.chosen.single == Pane::Devices }
    }

    /// Shows this alone; the list of rooms stays as it is where there is room for it.
    pub(super) fn show_alone(&mut self, middle: Middle) {
        // Who looks at one of both in a narrow window has not given up the other.
        if self.is_wide || self.chosen.middle != Middle::Both {
            self.chosen.middle = middle;
        }
        self.chosen.single = match middle {
            Middle::Devices => Pane::Devices,
            Middle::Chat | Middle::Both => Pane::Chat,
        };
    }

    /// Brings the chat on screen, with as little change as will do.
    pub(super) fn bring_chat(&mut self) {
        if !self.shows_chat() {
            self.chosen.single = Pane::Chat;
            if self.is_wide {
                self.chosen.middle = Middle::Both;
            } else if self.chosen.middle == Middle::Devices {
                self.chosen.middle = Middle::Chat;
            }
        }
    }

    /// Brings the devices on screen, with as little change as will do.
    pub(super) fn bring_devices(&mut self) {
        if !self.shows_devices() {
            self.chosen.single = Pane::Devices;
            if self.is_wide {
                self.chosen.middle = Middle::Both;
            } else if self.chosen.middle == Middle::Chat {
                self.chosen.middle = Middle::Devices;
            }
        }
    }

    /// Brings the list of rooms on screen.
    pub(super) fn bring_rooms(&mut self) {
        if self.is_wide { self.chosen.rooms = true } else { self.chosen.single = Pane::Rooms }
    }

    /// Shows the devices, or leaves the chat alone.
    pub(super) fn toggle_devices(&mut self) {
        if self.shows_devices() { self.show_alone(Middle::Chat) } else { self.bring_devices() }
    }

    /// Shows the list of rooms, or hides it.
    pub(super) fn toggle_rooms(&mut self) {
        if !self.shows_rooms() {
            self.bring_rooms();
        } else if self.is_wide {
            self.chosen.rooms = false;
        } else {
            self.chosen.single = Pane::Chat;
        }
    }

    /// How the devices are listed, to be changed.
    pub(super) fn lists_mut(&mut self) -> &mut DeviceLists {
        &mut self.chosen.devices
    }

    /// Notes how wide the list of rooms and the devices are drawn; what changes while the pointer is `held` was dragged.
    pub(super) fn note_widths(&mut self, now: [Option<f32>; 2], held: bool) {
        let kept = [&mut self.chosen.rooms_width, &mut self.chosen.devices_width];
        for ((kept, before), now) in kept.into_iter().zip(self.drawn).zip(now) {
            // What a narrower window takes from a panel is not the person's wish.
            let moved = before.zip(now).is_some_and(|(before, now)| (before - now).abs() >= 0.5);
            if held && moved {
                *kept = now.map(f32::round);
            }
        }
        self.drawn = now;
    }
}
