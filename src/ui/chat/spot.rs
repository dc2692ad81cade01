//! Marks the message that was gone to, for a moment, so that the eye finds it.

use egui::{Id, Rect, Ui, pos2};

use super::RoomKey;
use super::list::{List, Placed, facts};
use super::paint::Columns;
use crate::model::id::MessageId;
use crate::model::intent::Jump;
use crate::model::time::BootMs;
use crate::ui::Cx;
use crate::ui::theme::{self, radius, size, space};

/// How long, in milliseconds.
const SHOWN_MS: u64 = 2_500;

/// A marked message.
pub(super) struct Spot {
    id: MessageId,
    /// Until when; none until it has been on screen.
    until: Option<BootMs>,
}

impl List {
    /// Goes somewhere, and marks a message there.
    pub(super) fn point_at(&mut self, cx: &mut Cx, key: &RoomKey, jump: Jump, id: Option<MessageId>) {
        self.spot = id.map(|id| Spot { id, until: None });
        if let Some(facts) = facts(cx, key, self.thread) {
            self.jump(cx, key, &facts, jump);
        }
    }

    /// Whether this row is the marked one.
    pub(super) fn is_spotted(&mut self, cx: &mut Cx, placed: &Placed) -> bool {
        let id = placed.item.row.as_ref().map(|row| row.id);
        let Some(spot) = self.spot.as_mut().filter(|spot| Some(spot.id) == id) else { return false };
        let until = *spot.until.get_or_insert(cx.now.boot_ms + SHOWN_MS);
        let is_on = cx.now.boot_ms < until;
        if is_on {
            cx.deadline.at(until);
        } else {
            self.spot = None;
        }
        is_on
    }
}

/// Paints the mark behind a row.
pub(super) fn paint(ui: &Ui, columns: &Columns, placed: &Placed) {
    let top = columns.list.top() + placed.y - if placed.item.grouped { 0.0 } else { size::BODY_LINE };
    let bottom = columns.list.top() + placed.y + placed.measured.body;
    let right = columns.list.right() - size::SCROLL - space::TINY;
    let band = Rect::from_min_max(pos2(columns.list.left() + space::TINY, top), pos2(right, bottom));
    ui.painter().rect_filled(band.expand(2.0), f32::from(radius::CONTROL), theme::of(ui).selected);
}

/// Tells screen readers of it.
pub(super) fn tell(ui: &Ui, row: Id) {
    ui.ctx().accesskit_node_builder(row, |node| node.set_selected(true));
}
