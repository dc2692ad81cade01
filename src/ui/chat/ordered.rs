//! A block of text with right-to-left parts: how it is painted, kept with its row, and how letters in it are selected.
//! What egui offers for that knows left-to-right text alone.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use egui::text::{LayoutJob, TextFormat};
use egui::{CursorIcon, Event, Galley, Id, OutputCommand, Pos2, Rect, Response, Ui};
use unicode_segmentation::UnicodeSegmentation as _;

use crate::ui::bidi::{Plan, measure};
use crate::ui::theme;

/// The plans of a row's blocks, made when it is first drawn at a width.
#[derive(Default)]
pub(super) struct Plans(Mutex<HashMap<usize, (Key, Arc<Plan>)>>);

impl fmt::Debug for Plans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Plans")
    }
}

/// For what a plan was made: width, scale and colours.
#[derive(Copy, Clone, PartialEq)]
struct Key {
    width: f32,
    scale: f32,
    theme: usize,
}

/// A block as it is painted.
pub(super) struct Ordered {
    pub(super) galley: Arc<Galley>,
    pub(super) plan: Arc<Plan>,
}

impl Plans {
    /// Lays a block out, by the plan that was made before where that still holds.
    pub(super) fn lay_out(
        &self,
        ui: &Ui,
        block: usize,
        text: &str,
        width: f32,
        sections: impl FnOnce() -> Vec<(Range<usize>, TextFormat)>,
    ) -> Ordered {
        let theme = std::ptr::from_ref(theme::of(ui)) as usize;
        let key = Key { width, scale: ui.pixels_per_point(), theme };
        let mut plans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = plans.get(&block).filter(|(known, _)| *known == key).map(|(_, plan)| Arc::clone(plan));
        if let Some(plan) = known {
            let galley = lay(ui, plan.job.clone());
            if plan.fits(&galley) {
                return Ordered { galley, plan };
            }
        }
        let plan = Arc::new(Plan::new(text, &sections(), width, |text, format| measure(ui, text, format)));
        plans.insert(block, (key, Arc::clone(&plan)));
        Ordered { galley: lay(ui, plan.job.clone()), plan }
    }
}

fn lay(ui: &Ui, job: LayoutJob) -> Arc<Galley> {
    ui.fonts_mut(|fonts| fonts.layout_job(job))
}

/// Letters that are selected in such a block, in the whole window one stretch at most.
#[derive(Clone, Default)]
struct Selected {
    block: Option<Id>,
    /// The stretch that the selection began with: a point, a word or a line.
    anchor: Range<usize>,
    /// Where it goes to, with the whole of the unit under the pointer.
    head: Range<usize>,
    unit: Unit,
}

/// What a click selects.
#[derive(Copy, Clone, Default, PartialEq)]
enum Unit {
    #[default]
    Letter,
    Word,
    Line,
}

impl Selected {
    fn range(&self) -> Range<usize> {
        self.anchor.start.min(self.head.start)..self.anchor.end.max(self.head.end)
    }
}

impl Ordered {
    /// Lets the person select in it, paints what is selected, and copies it. `text` is what the plan was made of; the
    /// galley itself is painted by the caller, on top.
    pub(super) fn select(&self, ui: &Ui, response: &Response, at: Pos2, text: &str) {
        if response.hovered() {
            ui.set_cursor_icon(CursorIcon::Text);
        }
        let key = Id::unique("letters selected in right-to-left text");
        let known: Selected = ui.data(|data| data.get_temp(key)).unwrap_or_default();
        let mut selected = known.clone();
        let is_own = known.block == Some(response.id);
        let changed = self.follow_pointer(ui, response, at, text, &mut selected);
        if changed {
            ui.data_mut(|data| data.insert_temp(key, selected.clone()));
        }
        if selected.block != Some(response.id) || selected.range().is_empty() {
            return;
        }
        let range = selected.range();
        for rect in self.rects(range.clone()) {
            ui.painter().rect_filled(rect.translate(at.to_vec2()), 0.0, theme::of(ui).selection);
        }
        let (copies, settles) = ui.input(|input| {
            let copies = input.events.iter().any(|event| matches!(event, Event::Copy | Event::Cut));
            (copies, input.pointer.primary_released())
        });
        if copies {
            ui.ctx().copy_text(slice(text, range.clone()).to_owned());
        }
        if settles && is_own {
            let text = slice(text, range).to_owned();
            ui.ctx().send_cmd(OutputCommand::TextSelectionSettled(text));
        }
    }

    /// Returns whether the selection changed.
    fn follow_pointer(
        &self,
        ui: &Ui,
        response: &Response,
        at: Pos2,
        text: &str,
        selected: &mut Selected,
    ) -> bool {
        let is_own = selected.block == Some(response.id);
        let (pressed, held, shift, pointer) = ui.input(|input| {
            let pointer = input.pointer.interact_pos();
            (input.pointer.primary_pressed(), input.pointer.primary_down(), input.modifiers.shift, pointer)
        });
        let is_down = response.is_pointer_button_down_on() && held;
        let Some(pointer) =
            pointer.filter(|_| is_down || response.double_clicked() || response.triple_clicked())
        else {
            let ends = is_own && pressed;
            if ends {
                *selected = Selected::default();
            }
            return ends;
        };
        let unit = match () {
            () if response.triple_clicked() => Unit::Line,
            () if response.double_clicked() => Unit::Word,
            () if pressed && !shift => Unit::Letter,
            () => selected.unit,
        };
        let here = self.unit_at(pointer, at, text, unit);
        let begins = (pressed && !shift) || !is_own || response.double_clicked() || response.triple_clicked();
        if begins {
            *selected = Selected { block: Some(response.id), anchor: here.clone(), head: here, unit };
            return true;
        }
        let moved = selected.head != here;
        selected.head = here;
        moved
    }

    fn unit_at(&self, pointer: Pos2, at: Pos2, text: &str, unit: Unit) -> Range<usize> {
        let place = pointer - at;
        let letter = self.plan.char_at(&self.galley, place);
        match unit {
            Unit::Letter => letter..letter,
            Unit::Word => word_at(text, letter),
            Unit::Line => self.plan.line_at(&self.galley, place.to_pos2()),
        }
    }

    /// Where the characters from one to another stand.
    pub(super) fn rects(&self, chars: Range<usize>) -> Vec<Rect> {
        self.plan.rects(&self.galley, chars).into_iter().map(|(_, rect)| rect).collect()
    }

    /// The same, each with the height of its baseline.
    pub(super) fn lines(&self, chars: Range<usize>) -> Vec<(Rect, f32)> {
        let baseline = |row: usize| {
            let row = &self.galley.rows[row];
            row.pos.y + row.glyphs.first().map_or(row.size.y, |glyph| glyph.pos.y)
        };
        let rects = self.plan.rects(&self.galley, chars).into_iter();
        rects.map(|(row, rect)| (rect, baseline(row))).collect()
    }
}

fn slice(text: &str, chars: Range<usize>) -> &str {
    let byte = |index: usize| text.char_indices().nth(index).map_or(text.len(), |(at, _)| at);
    &text[byte(chars.start)..byte(chars.end)]
}

/// The word around a place, in characters.
fn word_at(text: &str, place: usize) -> Range<usize> {
    let mut from = 0;
    for word in text.split_word_bounds() {
        let to = from + word.chars().count();
        if place < to {
            return from..to;
        }
        from = to;
    }
    from..from
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_by_characters() {
        let text = "שלום, world 안녕";
        assert_eq!(slice(text, word_at(text, 1)), "שלום");
        assert_eq!(slice(text, word_at(text, 7)), "world");
        assert_eq!(slice(text, word_at(text, 12)), "안녕");
        assert_eq!(word_at(text, 14), 14..14);
    }
}
