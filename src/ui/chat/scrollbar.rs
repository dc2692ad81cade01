//! The scroll bar: where in the room's log the visible rows stand, by interpolation between its first and its newest
//! offset. Exact positions would need every height of the room.

use crate::model::Offset;
use egui::{Id, Rect, Response, Sense, Ui, pos2, vec2};

use super::list::RoomFacts;
use super::rows::Key;
use crate::model::intent::Jump;
use crate::model::message::Position;
use crate::model::window::Edge;
use crate::ui::Cx;
use crate::ui::theme::{self, size};

/// The thumb under the pointer.
#[derive(Default)]
pub(super) struct Bar {
    /// While dragged: from the thumb's upper edge to the pointer.
    grip: Option<f32>,
    asked: Option<Position>,
}

/// A room's whole log as a line from 0 to 1. Eras have equal parts, except that there mostly is one.
struct Scale {
    low: Position,
    high: Position,
}

impl Scale {
    fn of(facts: &RoomFacts) -> Scale {
        let first = facts.first.unwrap_or_default();
        let low = if facts.before == Edge::End {
            first
        } else {
            Position { era: first.era.min(1), offset: Offset(1) }
        };
        Scale { low, high: facts.newest.max(facts.last.unwrap_or_default()) }
    }

    fn fraction(&self, position: Position) -> f32 {
        let eras = f64::from(self.high.era.saturating_sub(self.low.era)) + 1.0;
        let era = f64::from(position.era.saturating_sub(self.low.era));
        let from = if position.era == self.low.era { self.low.offset } else { Offset(0) };
        let span = (self.high.offset.max(position.offset).since(from)).max(1) as f64;
        let within = position.offset.since(from) as f64 / span;
        ((era + within) / eras).clamp(0.0, 1.0) as f32
    }

    fn position(&self, fraction: f32) -> Position {
        let eras = f64::from(self.high.era.saturating_sub(self.low.era)) + 1.0;
        let place = f64::from(fraction.clamp(0.0, 1.0)) * eras;
        let era = (place.floor() as u32).min(eras as u32 - 1);
        let from = if era == 0 { self.low.offset } else { Offset(0) };
        let span = self.high.offset.since(from) as f64;
        let offset = from + ((place - f64::from(era)) * span) as u64;
        Position { era: self.low.era + era, offset }
    }
}

impl Bar {
    /// Draws the bar at the list's right edge. Returns where the person dragged it.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn show(
        &mut self,
        ui: &Ui,
        cx: &Cx,
        list: Rect,
        list_id: Id,
        facts: &RoomFacts,
        visible: (Option<Key>, Option<Key>),
        at_end: bool,
    ) -> Option<Jump> {
        let scale = Scale::of(facts);
        let of = |key: Option<Key>, otherwise: f32| match key {
            Some(Key::Message(position)) => scale.fraction(position),
            Some(Key::Head) => 0.0,
            Some(Key::Pending(_)) => 1.0,
            None => otherwise,
        };
        let (from, to) = (of(visible.0, 0.0), if at_end { 1.0 } else { of(visible.1, 1.0) });
        let everything = visible.0 == Some(Key::Head) && at_end && facts.before == Edge::End;
        if everything || facts.first.is_none() || list.height() < size::THUMB {
            self.grip = None;
            return None;
        }
        let track =
            Rect::from_min_max(pos2(list.right() - size::SCROLL - 2.0, list.top()), list.right_bottom());
        let length = ((to - from) * track.height()).clamp(size::THUMB, track.height());
        let travel = track.height() - length;
        // The middle of the visible part says where it is, so that both ends are reached exactly.
        let span = (1.0 - (to - from)).max(f32::EPSILON);
        let at = (from / span).clamp(0.0, 1.0);
        let at = if at_end { 1.0 } else { at };
        let mut top = track.top() + at * travel;
        let response =
            ui.interact(track, list_id.with("scroll bar"), Sense::click_and_drag() - Sense::FOCUSABLE);
        ui.ctx().accesskit_node_builder(response.id, |node| {
            node.set_role(egui::accesskit::Role::ScrollBar);
            node.set_label(cx.words.scroll_bar);
            node.set_numeric_value(f64::from(at));
            node.set_min_numeric_value(0.0);
            node.set_max_numeric_value(1.0);
        });
        let jump = self.drag(&response, &scale, track, travel, &mut top, length);
        let theme = theme::of(ui);
        let busy = response.hovered() || self.grip.is_some();
        let (width, colour) =
            if busy { (size::SCROLL, theme.thumb_hover) } else { (size::SCROLL - 3.0, theme.thumb) };
        let thumb =
            Rect::from_min_size(pos2(track.right() - 2.0 - width, top + 2.0), vec2(width, length - 4.0));
        ui.painter().rect_filled(thumb, width / 2.0, colour);
        jump
    }

    /// Moves the thumb with the pointer. Returns where to, once for each place.
    fn drag(
        &mut self,
        response: &Response,
        scale: &Scale,
        track: Rect,
        travel: f32,
        top: &mut f32,
        length: f32,
    ) -> Option<Jump> {
        let Some(pointer) = response.interact_pointer_pos().filter(|_| response.is_pointer_button_down_on())
        else {
            *self = Bar::default();
            return None;
        };
        let within = (*top..=*top + length).contains(&pointer.y);
        let grip = *self.grip.get_or_insert(if within { pointer.y - *top } else { length / 2.0 });
        *top = (pointer.y - grip).clamp(track.top(), track.top() + travel);
        let fraction = if travel > 0.0 { (*top - track.top()) / travel } else { 1.0 };
        let position = scale.position(fraction);
        let first_press_on_thumb = within && self.asked.is_none() && response.drag_delta().y == 0.0;
        if self.asked == Some(position) || first_press_on_thumb {
            return None;
        }
        self.asked = Some(position);
        Some(if fraction >= 1.0 { Jump::End } else { Jump::To(position) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_survive_the_way_through_the_scale() {
        let position = |era, offset| Position { era, offset };
        let one = Scale { low: position(1, Offset(1)), high: position(1, Offset(1_000_001)) };
        assert_eq!(one.fraction(position(1, Offset(1))), 0.0);
        assert_eq!(one.fraction(position(1, Offset(1_000_001))), 1.0);
        assert_eq!(one.position(0.5), position(1, Offset(500_001)));
        let two = Scale { low: position(1, Offset(1)), high: position(2, Offset(1_000)) };
        assert!(two.fraction(position(1, Offset(900))) < two.fraction(position(2, Offset(10))));
        assert_eq!(two.position(0.75), position(2, Offset(500)));
        assert_eq!(two.position(1.0), position(2, Offset(1_000)));
    }
}
