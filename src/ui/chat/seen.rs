//! [`Seen`]: which messages of an open room the person has had before them, for the receipts that others may be shown.

use super::RoomKey;
use super::list::{Placed, RoomFacts};
use super::rows::Key;
use crate::model::intent::{ChatIntent, Intent};
use crate::model::message::Position;
use crate::model::time::{BootMs, WallMs};
use crate::ui::Cx;

/// Others are told at most this often what the person has seen.
const TELL_EVERY_MS: u64 = 1_000;
/// A message counts as seen when its end is on screen, up to so many points.
const SLACK: f32 = 4.0;

/// One stretch of messages that were on screen without one between them left out.
#[derive(Default)]
pub(super) struct Seen {
    stretch: Option<(Position, Position)>,
    told: Option<(Position, Position)>,
    told_at: Option<BootMs>,
    /// Of which time online it was asked what others have seen.
    asked: Option<WallMs>,
}

impl Seen {
    /// Takes in what is on screen; `looking`: whether the person looks at it.
    pub(super) fn look(
        &mut self,
        cx: &mut Cx,
        key: &RoomKey,
        facts: &RoomFacts,
        placed: &[Placed],
        height: f32,
        looking: bool,
    ) {
        if !facts.has_receipts {
            return;
        }
        let (connection, room) = key.clone();
        if facts.online_since.is_some() && self.asked != facts.online_since {
            self.asked = facts.online_since;
            cx.intents.push(Intent::Chat(ChatIntent::AskReceipts { connection, room: room.clone() }));
        }
        if !looking || !cx.chosen.tell_seen {
            return;
        }
        self.extend(on_screen(placed, height));
        let Some((first, last)) = self.stretch.filter(|stretch| self.told != Some(*stretch)) else { return };
        let due = self.told_at.map_or(cx.now.boot_ms, |at| at.saturating_add(TELL_EVERY_MS));
        if cx.now.boot_ms < due {
            return cx.deadline.at(due);
        }
        (self.told, self.told_at) = (self.stretch, Some(cx.now.boot_ms));
        cx.intents.push(Intent::Chat(ChatIntent::TellSeen { connection, room, first, last }));
    }

    /// What overlaps the stretch makes it longer; anything else takes its place.
    fn extend(&mut self, shown: Option<(Position, Position)>) {
        let Some((first, last)) = shown else { return };
        self.stretch = Some(match self.stretch {
            Some((from, to)) if first <= to && last >= from => (first.min(from), last.max(to)),
            _ => (first, last),
        });
    }
}

/// The messages on screen, up to the last; only those after the last gap.
fn on_screen(placed: &[Placed], height: f32) -> Option<(Position, Position)> {
    let mut stretch: Option<(Position, Position)> = None;
    for placed in placed {
        let Key::Message(position) = placed.item.key else { continue };
        let bottom = placed.bottom();
        if bottom <= 0.0 || bottom > height + SLACK {
            continue;
        }
        stretch = match stretch {
            Some((first, _)) if placed.item.gap.is_none() => Some((first, position)),
            _ => Some((position, position)),
        };
    }
    stretch
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Offset;

    #[test]
    fn what_was_passed_over_is_not_seen() {
        let at = |offset| Position { era: 1, offset: Offset(offset) };
        let mut seen = Seen::default();
        for (first, last, stretch) in
            [(10, 14, (10, 14)), (12, 17, (10, 17)), (8, 10, (8, 17)), (40, 44, (40, 44))]
        {
            seen.extend(Some((at(first), at(last))));
            assert_eq!(seen.stretch, Some((at(stretch.0), at(stretch.1))));
        }
        seen.extend(None);
        assert_eq!(seen.stretch, Some((at(40), at(44))));
    }
}
