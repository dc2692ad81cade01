//! [`Moves`]: keyboard input of the device list.

use egui::{Event, EventFilter, Id, Key as Button, Ui};

use super::order::{Line, LineKind};
use super::view::{Grid, View};

/// Keys pressed in this frame.
#[derive(Debug, Default)]
pub(super) struct Moves {
    /// Open the device under the cursor.
    pub(super) opens: bool,
    /// Clear the filter.
    pub(super) clear: bool,
    /// Text to append to the filter.
    pub(super) typed: String,
    pressed: Option<Button>,
}

/// Keeps arrow keys within the list. Esc first clears the filter; the next one leaves the list.
pub(super) fn lock_focus(ui: &Ui, id: Id, view: &View) {
    let escape = !view.filter.is_empty();
    let filter =
        EventFilter { vertical_arrows: true, horizontal_arrows: true, escape, ..EventFilter::default() };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(id, filter));
}

impl Moves {
    /// Reads the key events of this frame.
    pub(super) fn read(ui: &Ui) -> Moves {
        let keys = [
            Button::Home,
            Button::End,
            Button::ArrowDown,
            Button::ArrowUp,
            Button::ArrowLeft,
            Button::ArrowRight,
            Button::PageDown,
            Button::PageUp,
        ];
        ui.input(|input| {
            let text = |event: &Event| match event {
                // A leading space is not the start of a name.
                Event::Text(text) if !text.trim().is_empty() => Some(text.clone()),
                _ => None,
            };
            Moves {
                opens: input.key_pressed(Button::Enter),
                clear: input.key_pressed(Button::Escape),
                typed: input.events.iter().filter_map(text).collect(),
                pressed: keys.into_iter().find(|key| input.key_pressed(*key)),
            }
        })
    }

    /// The line to which the cursor moves; `None` if it stays. `top` is the first visible line.
    pub(super) fn next(
        &self,
        lines: &[Line],
        at: Option<usize>,
        top: impl Fn() -> Option<usize>,
        (height, grid): (f32, &Grid),
    ) -> Option<usize> {
        let is_device = |line: &usize| matches!(lines[*line].what, LineKind::Device(..));
        let count = lines.len();
        let page = (height / grid.device()).max(1.0) as usize * grid.columns;
        let pressed = self.pressed?;
        let Some(at) = at else {
            return match pressed {
                Button::Home => (0..count).find(is_device),
                Button::End => (0..count).rfind(is_device),
                Button::ArrowDown | Button::ArrowUp => top().or_else(|| (0..count).find(is_device)),
                _ => None,
            };
        };
        let column = lines[at].column;
        match pressed {
            Button::Home => (0..count).find(is_device),
            Button::End => (0..count).rfind(is_device),
            Button::ArrowRight if grid.columns > 1 => (at + 1..count).find(is_device),
            Button::ArrowLeft if grid.columns > 1 => (0..at).rfind(is_device),
            Button::ArrowDown => below(lines, at, column),
            Button::ArrowUp => above(lines, at, column),
            Button::PageDown => (at + 1..count).filter(is_device).take(page).last(),
            Button::PageUp => (0..at).rev().filter(is_device).take(page).last(),
            _ => None,
        }
    }
}

/// The device in the next row, in this column or the last one to its left.
fn below(lines: &[Line], at: usize, column: usize) -> Option<usize> {
    let is_device = |line: &usize| matches!(lines[*line].what, LineKind::Device(..));
    let first = (at + 1..lines.len()).find(|line| is_device(line) && lines[*line].top > lines[at].top)?;
    let in_row = |line: &usize| is_device(line) && lines[*line].top == lines[first].top;
    (first..lines.len()).take_while(in_row).take_while(|line| lines[*line].column <= column).last()
}

/// The device in the previous row, in this column or the last one to its left.
fn above(lines: &[Line], at: usize, column: usize) -> Option<usize> {
    let is_device = |line: &usize| matches!(lines[*line].what, LineKind::Device(..));
    let last = (0..at).rfind(|line| is_device(line) && lines[*line].top < lines[at].top)?;
    let in_row = |line: &usize| is_device(line) && lines[*line].top == lines[last].top;
    (0..=last).rev().take_while(in_row).find(|line| lines[*line].column <= column)
}
