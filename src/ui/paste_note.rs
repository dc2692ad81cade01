//! A note at the text field that explains why pasting failed.

use egui::{Align2, Area, Frame, Id, Label, Margin, Order, RichText, Stroke, Ui, pos2};

use super::theme::{self, radius, space};
use super::{Cx, widgets};
use crate::model::time::BootMs;

/// How long the note is shown, in milliseconds.
const SHOWN_MS: u64 = 6_000;

/// Why pasting failed.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum NotPasted {
    /// The application that owns the clipboard did not respond in time.
    NoAnswer,
    /// The clipboard contains no text.
    NoText,
}

/// State of the note.
#[derive(Default)]
pub(super) struct PasteNote {
    shown: Option<(NotPasted, Option<BootMs>)>,
}

impl PasteNote {
    /// Shows the note.
    pub(super) fn set(&mut self, why: NotPasted) {
        self.shown = Some((why, None));
    }

    /// Draws the note above the focused field until it expires.
    pub(super) fn show(&mut self, ui: &Ui, cx: &mut Cx) {
        let Some((why, until)) = &mut self.shown else { return };
        let until = *until.get_or_insert(cx.now.boot_ms + SHOWN_MS);
        if cx.now.boot_ms >= until {
            self.shown = None;
            return;
        }
        cx.deadline.at(until);
        let text = match why {
            NotPasted::NoAnswer => cx.words.rich.paste_no_answer,
            NotPasted::NoText => cx.words.rich.paste_no_text,
        };
        let theme = theme::of(ui);
        let window = ui.ctx().content_rect();
        let field = ui.memory(|memory| memory.focused()).and_then(|id| ui.ctx().read_response(id));
        let corner = field
            .map_or(pos2(window.left() + space::HUGE, window.bottom() - space::HUGE), |field| {
                field.rect.left_top() - egui::vec2(0.0, space::SMALL)
            });
        let frame = Frame::new()
            .fill(theme.raised)
            .stroke(Stroke::new(1.0, theme.outline))
            .corner_radius(radius::CONTROL)
            .inner_margin(Margin::symmetric(space::SMALL as i8, space::TINY as i8));
        let area = Area::new(Id::unique("paste note"))
            .order(Order::Foreground)
            .interactable(false)
            .pivot(Align2::LEFT_BOTTOM)
            .fixed_pos(corner)
            .constrain(true);
        area.show(ui.ctx(), |ui| {
            frame.show(ui, |ui| {
                let label = RichText::new(text).font(theme::small()).color(theme.text);
                let label = ui.add(Label::new(label).selectable(false).extend());
                widgets::live(ui, label.id, text);
            });
        });
    }
}
