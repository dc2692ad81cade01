//! [`Layout`]: which panes are on screen. A wide window shows chat, devices or both, with or without the room
//! list; a narrow one shows a single pane. A choice made in one carries over to the other as far as possible.

use super::theme::size;
use crate::model::panes::{Composer, DeviceLists, Middle, Pane, Panes, TopicLists};

/// Which panes are on screen, and the choices to be saved.
#[derive(Debug)]
pub(super) struct Layout {
    chosen: Panes,
    is_wide: bool,
    /// Width of the room list and of the device pane in the last frame, in points.
    drawn: [Option<f32>; 2],
}

impl Layout {
    /// Restores a saved layout.
    pub(super) fn new(chosen: Panes) -> Layout {
        Layout { chosen, is_wide: true, drawn: [None; 2] }
    }

    /// Whether two layouts are equal, ignoring the open room.
    pub(super) fn same(one: &Panes, other: &Panes) -> bool {
        let bare = |panes: &Panes| Panes { room: None, ..panes.clone() };
        bare(one) == bare(other)
    }

    /// The choices to be saved.
    pub(super) fn chosen(&self) -> &Panes {
        &self.chosen
    }

    /// Sets the width of the window, in points.
    pub(super) fn fit(&mut self, width: f32) {
        self.is_wide = width >= size::BESIDE;
    }

    /// Whether the window is wide enough for panes side by side.
    pub(super) fn is_wide(&self) -> bool {
        self.is_wide
    }

    /// Whether the room list is on screen.
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

    /// Shows only this pane. The room list is unaffected if there is space for it.
    pub(super) fn show_alone(&mut self, middle: Middle) {
        // In a narrow window, viewing one of the two panes does not undo the choice of both.
        if self.is_wide || self.chosen.middle != Middle::Both {
            self.chosen.middle = middle;
        }
        self.chosen.single = match middle {
            Middle::Devices => Pane::Devices,
            Middle::Chat | Middle::Both => Pane::Chat,
        };
    }

    /// Makes the chat visible, changing as little as possible.
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

    /// Makes the devices visible, changing as little as possible.
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

    /// Makes the room list visible.
    pub(super) fn bring_rooms(&mut self) {
        if self.is_wide { self.chosen.rooms = true } else { self.chosen.single = Pane::Rooms }
    }

    /// Shows or hides the devices beside the chat.
    pub(super) fn toggle_devices(&mut self) {
        if self.shows_devices() { self.show_alone(Middle::Chat) } else { self.bring_devices() }
    }

    /// Shows or hides the room list.
    pub(super) fn toggle_rooms(&mut self) {
        if !self.shows_rooms() {
            self.bring_rooms();
        } else if self.is_wide {
            self.chosen.rooms = false;
        } else {
            self.chosen.single = Pane::Chat;
        }
    }

    /// Mutable access to the layout of the device list.
    pub(super) fn lists_mut(&mut self) -> &mut DeviceLists {
        &mut self.chosen.devices
    }

    /// Mutable access to what is kept of the topics' pane.
    pub(super) fn topics_mut(&mut self) -> &mut TopicLists {
        &mut self.chosen.topics
    }

    /// Mutable access to what the message field has beside the text.
    pub(super) fn composer_mut(&mut self) -> &mut Composer {
        &mut self.chosen.composer
    }

    /// Records the widths of the room list and device pane. A change while the pointer is `held` is saved as
    /// chosen.
    pub(super) fn note_widths(&mut self, now: [Option<f32>; 2], held: bool) {
        let kept = [&mut self.chosen.rooms_width, &mut self.chosen.devices_width];
        for ((kept, before), now) in kept.into_iter().zip(self.drawn).zip(now) {
            // A narrower window shrinks panels; that is not the person's choice.
            let moved = before.zip(now).is_some_and(|(before, now)| (before - now).abs() >= 0.5);
            if held && moved {
                *kept = now.map(f32::round);
            }
        }
        self.drawn = now;
    }
}
