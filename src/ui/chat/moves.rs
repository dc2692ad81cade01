//! How the message list moves: wheel, keys and jumps; and what follows from where it is: more is fetched, what was
//! seen is marked read.

use crate::model::Offset;
use egui::{EventFilter, Id, Key as Keyboard, Modifiers, Rect, Ui, UiBuilder, pos2, vec2};

use super::RoomKey;
use super::list::{Anchor, List, Placed, RoomFacts};
use super::rows::{Key, Slice};
use crate::model::event::Side;
use crate::model::id::MessageId;
use crate::model::intent::{ChatIntent, Intent, Jump};
use crate::model::message::Position;
use crate::model::time::BootMs;
use crate::model::window::Edge;
use crate::ui::Cx;
use crate::ui::icons::{self, Icon};
use crate::ui::theme::{self, size, space};

/// More is fetched when fewer rows than this are left in a direction.
const NEAR: usize = 80;
/// The same page is asked for again after this time at the earliest, and only when the person scrolls.
const ASK_AGAIN_MS: u64 = 1_000;

/// A page that was asked for.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(super) struct Asked {
    edge: Option<Position>,
    at: BootMs,
    online: bool,
}

impl List {
    /// Moves by wheel and keys. Returns whether the person moved.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn scroll(
        &mut self,
        ui: &Ui,
        cx: &mut Cx,
        key: &RoomKey,
        facts: &RoomFacts,
        rect: Rect,
        id: Id,
        input: Id,
    ) -> bool {
        let mut by = 0.0;
        if ui.rect_contains_pointer(rect) {
            by += ui.input_mut(|input| std::mem::take(&mut input.smooth_scroll_delta.y));
        }
        let page = (rect.height() - 2.0 * size::BODY_LINE).max(size::BODY_LINE);
        let line = 2.0 * size::BODY_LINE;
        let (on_list, on_input) = ui.memory(|memory| (memory.has_focus(id), memory.has_focus(input)));
        let pressed = |key| ui.input_mut(|input| input.count_and_consume_key(Modifiers::NONE, key)) as f32;
        let mut jump = None;
        if on_list || on_input {
            by += page * (pressed(Keyboard::PageUp) - pressed(Keyboard::PageDown));
        }
        if on_list {
            by += line * (pressed(Keyboard::ArrowUp) - pressed(Keyboard::ArrowDown));
            if pressed(Keyboard::Home) > 0.0 {
                jump = Some(Jump::Start);
            }
            if pressed(Keyboard::End) > 0.0 {
                jump = Some(Jump::End);
            }
            let escape = !self.selection.is_empty();
            let filter = EventFilter { vertical_arrows: true, escape, ..Default::default() };
            ui.memory_mut(|memory| memory.set_focus_lock_filter(id, filter));
        }
        if let Some(jump) = jump {
            self.jump(cx, key, facts, jump);
            return true;
        }
        if by == 0.0 {
            return false;
        }
        self.move_by(by, rect.height());
        true
    }

    /// Moves by so many points, back in time where they are positive.
    pub(super) fn move_by(&mut self, by: f32, height: f32) {
        self.wanted = None;
        let moves = by > 0.0 || self.anchor != Anchor::End;
        if let Some((key, id, y)) = self.top.filter(|_| moves) {
            // So far that no row between here and there need be skipped.
            let most = 2.0 * height;
            self.anchor = Anchor::Row { key, id, y: y + by.clamp(-most, most) };
        }
    }

    /// Goes somewhere in the room: at once where it is in memory, else when it has been fetched.
    pub(super) fn jump(&mut self, cx: &mut Cx, key: &RoomKey, facts: &RoomFacts, jump: Jump) {
        self.wanted = Some(jump);
        if !self.arrive(cx, key, facts) && self.thread.is_none() {
            let (connection, room) = key.clone();
            cx.intents.push(Intent::Chat(ChatIntent::JumpTo { connection, room, jump }));
        }
    }

    /// Takes the place that was jumped to, once it is in memory.
    pub(super) fn arrive(&mut self, cx: &Cx, key: &RoomKey, facts: &RoomFacts) -> bool {
        let Some(jump) = self.wanted else { return true };
        let target = match jump {
            Jump::End => (facts.after == Edge::End).then_some(Anchor::End),
            Jump::Start if facts.before == Edge::Disk => None,
            Jump::Start => Some(Anchor::Row { key: Key::Head, id: MessageId::from_random([0; 16]), y: 0.0 }),
            Jump::To(position) => {
                let from = facts.first.is_some_and(|first| first <= position) || facts.before != Edge::Disk;
                let to = facts.last.is_some_and(|last| last >= position) || facts.after == Edge::End;
                if from && to { nearest(cx, key, self.thread, position) } else { None }
            }
        };
        if let Some(anchor) = target {
            self.anchor = anchor;
            self.wanted = None;
        }
        target.is_some()
    }

    pub(super) fn mark_read(
        &mut self,
        cx: &mut Cx,
        key: &RoomKey,
        facts: &RoomFacts,
        slice: &Slice,
        focused: bool,
    ) {
        let seen = self.anchor == Anchor::End && slice.at_end && focused;
        if seen && facts.newest > facts.read && self.marked.is_none_or(|marked| marked < facts.newest) {
            self.marked = Some(facts.newest);
            let ((connection, room), position) = (key.clone(), facts.newest);
            cx.intents.push(Intent::Chat(match self.thread {
                None => ChatIntent::MarkRead { connection, room, position },
                Some(root) => ChatIntent::ReadThread { connection, room, root, position },
            }));
        }
    }

    /// The person wants the message at a place and all after it to be unread: seeing them now changes nothing.
    pub(super) fn mark_unread(&mut self, cx: &Cx, key: &RoomKey, position: Position) {
        self.divider = Some(Position { offset: position.offset.previous(), ..position });
        self.divider_seen = true;
        self.marked = super::list::facts(cx, key, None).map(|facts| facts.newest);
    }

    pub(super) fn load_more(&mut self, cx: &mut Cx, key: &RoomKey, facts: &RoomFacts, scrolled: bool) {
        let reachable = match facts.before {
            Edge::End => false,
            Edge::Disk => true,
            Edge::Hub => facts.online && facts.has_history,
        };
        let (older, newer) = self.rows_left(cx, key);
        if reachable && !facts.loading_older && older < NEAR {
            let asked = Asked { edge: facts.first, at: cx.now.boot_ms, online: facts.online };
            ask(cx, key, Side::Older, &mut self.asked_older, asked, scrolled);
        }
        if facts.after == Edge::Disk && !facts.loading_newer && newer < NEAR {
            let asked = Asked { edge: facts.last, at: cx.now.boot_ms, online: facts.online };
            ask(cx, key, Side::Newer, &mut self.asked_newer, asked, scrolled);
        }
    }

    /// Reads the thread when it is opened, and what is older when the person comes near it.
    pub(super) fn load_thread(
        &mut self,
        cx: &mut Cx,
        key: &RoomKey,
        facts: &RoomFacts,
        root: MessageId,
        scrolled: bool,
    ) {
        let (connection, room) = key.clone();
        let is_wanted = facts.before != Edge::End && (!facts.is_read_in || self.rows_left(cx, key).0 < NEAR);
        if !is_wanted || facts.loading_older {
            return;
        }
        let asked = Asked { edge: facts.first, at: cx.now.boot_ms, online: facts.online };
        if !is_new(&mut self.asked_older, asked, scrolled || !facts.is_read_in) {
            return;
        }
        cx.intents.push(Intent::Chat(match facts.before {
            // Older replies, and its first message, come with the room's history.
            Edge::Hub => ChatIntent::LoadMore { connection, room, side: Side::Older },
            _ => ChatIntent::LoadThread { connection, room, root, before: facts.first },
        }));
    }

    /// How many messages lie before and after the topmost visible one, each counted up to [`NEAR`].
    fn rows_left(&self, cx: &Cx, key: &RoomKey) -> (usize, usize) {
        let position = match self.top {
            Some((Key::Message(position), ..)) => position,
            Some((Key::Head, ..)) | None => Position::default(),
            Some((Key::Pending(_), ..)) => Position { era: u32::MAX, offset: Offset(0) },
        };
        let left = cx.model.read(|model| {
            let window = model.connections.get(&key.0)?.chat.rooms.get(&key.1)?.window_of(self.thread)?;
            Some((window.until(position).rev().take(NEAR).count(), window.from(position).take(NEAR).count()))
        });
        left.unwrap_or((NEAR, NEAR))
    }

    pub(super) fn jump_button(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx,
        key: &RoomKey,
        facts: &RoomFacts,
        rect: Rect,
    ) {
        if self.anchor == Anchor::End {
            return;
        }
        let theme = theme::of(ui);
        let text = match facts.unread {
            0 => cx.words.jump_to_newest.to_owned(),
            count => (cx.words.new_count)(count),
        };
        let arrow = icons::text(Icon::Down, size::ICON).color(theme.on_accent);
        let button = egui::Button::new((arrow, egui::RichText::new(text).color(theme.on_accent)))
            .fill(theme.accent_fill)
            .corner_radius(14)
            .min_size(vec2(0.0, size::CONTROL));
        let corner = pos2(rect.right() - size::SCROLL - space::LARGE, rect.bottom() - space::SMALL);
        let area = Rect::from_min_max(pos2(rect.left(), corner.y - size::CONTROL), corner);
        let builder = UiBuilder::new()
            .max_rect(area)
            .scope_id(Id::unique(("jump to newest", key, self.thread)))
            .layout(egui::Layout::right_to_left(egui::Align::Center));
        let clicked = ui.new_child(builder).add(button).accessible_name(cx.words.jump_to_newest);
        if facts.unread > 0 {
            let count = (cx.words.new_count)(facts.unread);
            ui.ctx().accesskit_node_builder(clicked.id, |node| node.set_description(count));
        }
        if clicked.clicked() {
            self.jump(cx, key, facts, Jump::End);
        }
    }
}

impl List {
    /// At the top, while the first unread message is above what is seen: a button that goes there.
    pub(super) fn unread_button(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx,
        key: &RoomKey,
        facts: &RoomFacts,
        rect: Rect,
        placed: &[Placed],
    ) {
        let Some(read) = self.divider.filter(|_| !self.divider_seen) else { return };
        let messages = placed.iter().filter_map(|placed| match placed.item.key {
            Key::Message(position) => Some((position, placed)),
            _ => None,
        });
        let seen = |placed: &Placed| placed.bottom() > 0.0;
        let Some((first, _)) = messages.into_iter().find(|(_, placed)| seen(placed)) else { return };
        let is_divider = |placed: &Placed| placed.item.divider && seen(placed);
        let begins_here = placed.iter().any(|placed| placed.item.key == Key::Head && seen(placed));
        if first <= read || begins_here || placed.iter().any(is_divider) {
            self.divider_seen = true;
            return;
        }
        let theme = theme::of(ui);
        let words = cx.words.chat;
        let arrow = icons::text(Icon::Up, size::ICON).color(theme.on_accent);
        let text = egui::RichText::new(words.jump_to_unread).color(theme.on_accent);
        let button = egui::Button::new((arrow, text))
            .fill(theme.accent_fill)
            .corner_radius(14)
            .min_size(vec2(0.0, size::CONTROL));
        let area = Rect::from_min_size(rect.min + vec2(0.0, space::SMALL), vec2(rect.width(), size::CONTROL));
        let builder = UiBuilder::new()
            .max_rect(area)
            .scope_id(Id::unique(("jump to unread", key)))
            .layout(egui::Layout::top_down(egui::Align::Center));
        let clicked = ui.new_child(builder).add(button).accessible_name(words.jump_to_unread);
        if clicked.clicked() {
            self.divider_seen = true;
            self.jump(cx, key, facts, Jump::To(Position { offset: read.offset + 1, ..read }));
            cx.deadline.at(cx.now.boot_ms);
        }
    }
}

/// The message at a position, or the next one, a third down the list.
fn nearest(cx: &Cx, key: &RoomKey, thread: Option<MessageId>, position: Position) -> Option<Anchor> {
    cx.model.read(|model| {
        let window = model.connections.get(&key.0)?.chat.rooms.get(&key.1)?.window_of(thread)?;
        let message = window.from(position).next().or(window.last())?;
        Some(Anchor::Row { key: Key::Message(message.position), id: message.id, y: 160.0 })
    })
}

/// Whether a page is to be asked for, and was not yet. It is remembered.
fn is_new(before: &mut Option<Asked>, asked: Asked, scrolled: bool) -> bool {
    let again = before.is_none_or(|known| {
        let late = asked.at >= known.at.saturating_add(ASK_AGAIN_MS);
        known.edge != asked.edge || (asked.online && !known.online) || (scrolled && late)
    });
    if again {
        *before = Some(asked);
    }
    again
}

/// Asks for a page, once.
fn ask(cx: &mut Cx, key: &RoomKey, side: Side, before: &mut Option<Asked>, asked: Asked, scrolled: bool) {
    if is_new(before, asked, scrolled) {
        let (connection, room) = key.clone();
        cx.intents.push(Intent::Chat(ChatIntent::LoadMore { connection, room, side }));
    }
}
