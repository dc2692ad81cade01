//! Messages selected as wholes: with the pointer across them, one by one, by keys; and copied as text, those out of
//! sight included. Within one message text is selected as in any other.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Bound;

use egui::{
    Align2, Area, Event, Frame, Id, Key as Keyboard, Label, Margin, Modifiers, PointerButton, Rect, RichText,
    Stroke, Ui, pos2,
};

use super::RoomKey;
use super::frames;
use super::list::{Anchor, List, Placed};
use super::rows::{AUTHOR_CHARS, Key};
use crate::model::id::MessageId;
use crate::model::message::Position;
use crate::model::reducer::Connection;
use crate::model::time::WallMs;
use crate::model::window::Window;
use crate::ui::text::{Words, local};
use crate::ui::theme::{self, radius, size, space};
use crate::ui::{Cx, widgets};

/// So many points a second the list moves while the pointer is held beyond its edge.
const SPEED: f32 = 900.0;

/// What is selected.
#[derive(Default)]
pub(super) struct Selection {
    /// A range: where it began, and where it goes to.
    range: Option<(Key, Key)>,
    /// Taken in or out one by one.
    toggled: BTreeSet<Key>,
    /// Where the pointer went down, until it is let go.
    pressed: Option<Key>,
    /// Where the next range begins.
    origin: Option<Key>,
    /// The pointer selected and is not let go yet.
    selecting: bool,
}

impl Selection {
    pub(super) fn is_empty(&self) -> bool {
        self.range.is_none() && self.toggled.is_empty()
    }

    pub(super) fn contains(&self, key: Key) -> bool {
        let in_range =
            self.range.is_some_and(|(one, other)| (one.min(other)..=one.max(other)).contains(&key));
        key != Key::Head && in_range != self.toggled.contains(&key)
    }

    /// Whether one message is selected.
    pub(super) fn is_one(&self) -> bool {
        self.toggled.is_empty() && self.range.is_some_and(|(from, to)| from == to)
    }

    /// The row that the keyboard is on, where it selected one.
    pub(super) fn keyboard_row(&self) -> Option<Key> {
        self.range.map(|(_, to)| to)
    }

    pub(super) fn clear(&mut self) {
        *self = Selection { origin: self.origin, ..Selection::default() };
    }

    fn select(&mut self, from: Key, to: Key) {
        self.toggled.clear();
        self.range = Some((from, to));
        self.origin = Some(from);
    }

    fn toggle(&mut self, key: Key) {
        if !self.toggled.remove(&key) {
            self.toggled.insert(key);
        }
        self.origin = Some(key);
        let range = self.range.filter(|(one, other)| one == other && self.toggled.contains(one));
        if let Some((one, _)) = range {
            // A range of one that was taken out.
            self.toggled.remove(&one);
            self.range = None;
        }
    }
}

/// A selected message as it is copied.
struct Line<'a> {
    at: WallMs,
    /// As shown.
    author: String,
    body: Cow<'a, str>,
}

/// What was pressed that has to do with a selection.
#[derive(Copy, Clone, Default)]
pub(super) struct Pressed {
    up: usize,
    down: usize,
    all: bool,
    copy: bool,
    escape: bool,
}

impl Pressed {
    /// Takes it out of what was pressed: while the list has the focus, before the arrows move the list.
    pub(super) fn take(ui: &Ui, selection: &Selection) -> Pressed {
        let copy = ui.input(|input| input.events.iter().any(|event| matches!(event, Event::Copy)));
        ui.input_mut(|input| Pressed {
            up: input.count_and_consume_key(Modifiers::SHIFT, Keyboard::ArrowUp),
            down: input.count_and_consume_key(Modifiers::SHIFT, Keyboard::ArrowDown),
            all: input.consume_key(Modifiers::COMMAND, Keyboard::A),
            copy,
            escape: !selection.is_empty() && input.consume_key(Modifiers::NONE, Keyboard::Escape),
        })
    }
}

impl Selection {
    fn lines<'a>(
        &'a self,
        connection: &'a Connection,
        key: &'a RoomKey,
        thread: Option<MessageId>,
        words: &Words,
    ) -> Vec<Line<'a>> {
        let has_frames = connection.has_frames();
        let me_id = connection.chat.me.as_ref().map(|me| &me.id);
        let room = connection.chat.rooms.get(&key.1);
        let Some(window) = room.and_then(|room| room.window_of(thread)) else { return Vec::new() };
        let logged = window.messages().filter(|message| !message.is_event());
        let logged = logged.filter(|message| self.contains(Key::Message(message.position)));
        let logged = logged.map(|message| Line {
            at: message.received,
            author: match has_frames {
                true if me_id == Some(&message.sender.id) => words.plain.sent.to_owned(),
                true => words.plain.received.to_owned(),
                false => connection.chat.shown(&message.sender, AUTHOR_CHARS).label(),
            },
            body: match frames::socket(&message.content, words).filter(|_| has_frames) {
                Some((_, said)) => Cow::Owned(said),
                None => Cow::Borrowed(message.body()),
            },
        });
        let me = connection
            .chat
            .me
            .as_ref()
            .map(|me| connection.chat.known.shown(&me.id, &me.name, AUTHOR_CHARS).label());
        let me = if has_frames { words.plain.sent.to_owned() } else { me.unwrap_or_default() };
        let queued =
            connection.chat.queued_in(&key.1, thread).filter(|item| self.contains(Key::Pending(item.seq)));
        logged
            .chain(queued.map(|item| Line {
                at: item.draft.at,
                author: me.clone(),
                body: Cow::Borrowed(item.draft.content.body()),
            }))
            .collect()
    }

    /// How many messages are selected.
    pub(super) fn count(&self, cx: &Cx, key: &RoomKey, thread: Option<MessageId>) -> usize {
        cx.model.read(|model| {
            let connection = model.connections.get(&key.0);
            connection.map_or(0, |at| self.lines(at, key, thread, cx.words).len())
        })
    }

    /// The selected messages as text, oldest first, as they were written.
    pub(super) fn text(&self, cx: &Cx, key: &RoomKey, thread: Option<MessageId>) -> String {
        let written = |line: Line| {
            let at = local::written(line.at);
            format!("[{at}] {}: {}", line.author, line.body)
        };
        cx.model.read(|model| {
            let connection = model.connections.get(&key.0);
            let lines = connection.map(|at| self.lines(at, key, thread, cx.words));
            lines.unwrap_or_default().into_iter().map(written).collect::<Vec<_>>().join("\n")
        })
    }
}

/// The oldest and the newest row in memory.
fn ends(cx: &Cx, key: &RoomKey, thread: Option<MessageId>) -> Option<(Key, Key)> {
    cx.model.read(|model| {
        let connection = model.connections.get(&key.0)?;
        let window = connection.chat.rooms.get(&key.1)?.window_of(thread)?;
        let logged = || window.messages().map(|message| Key::Message(message.position));
        let queued = || connection.chat.queued_in(&key.1, thread).map(|item| Key::Pending(item.seq));
        Some((logged().chain(queued()).next()?, logged().next_back().into_iter().chain(queued()).last()?))
    })
}

/// The row before or after another, and its message.
fn neighbour(
    cx: &Cx,
    key: &RoomKey,
    thread: Option<MessageId>,
    of: Key,
    down: bool,
) -> Option<(Key, MessageId)> {
    let logged = |window: &Window, bounds: (Bound<Position>, Bound<Position>)| {
        let within = |message: &&crate::model::message::Message| {
            std::ops::RangeBounds::contains(&bounds, &message.position)
        };
        let found = if down { window.messages().find(within) } else { window.messages().rev().find(within) };
        found.map(|message| (Key::Message(message.position), message.id))
    };
    cx.model.read(|model| {
        let connection = model.connections.get(&key.0)?;
        let room = connection.chat.rooms.get(&key.1)?.window_of(thread)?;
        let queued = |wanted: &dyn Fn(u64) -> bool| {
            let mut items: Vec<_> =
                connection.chat.queued_in(&key.1, thread).filter(|item| wanted(item.seq)).collect();
            if !down {
                items.reverse();
            }
            items.first().map(|item| (Key::Pending(item.seq), item.draft.id))
        };
        match (of, down) {
            (Key::Message(position), true) => {
                logged(room, (Bound::Excluded(position), Bound::Unbounded)).or_else(|| queued(&|_| true))
            }
            (Key::Message(position), false) => logged(room, (Bound::Unbounded, Bound::Excluded(position))),
            (Key::Pending(seq), true) => queued(&|other| other > seq),
            (Key::Pending(seq), false) => {
                queued(&|other| other < seq).or_else(|| logged(room, (Bound::Unbounded, Bound::Unbounded)))
            }
            (Key::Head, _) => None,
        }
    })
}

impl List {
    /// Selects by the pointer: a drag beyond one message takes all from there to here, Shift a range, Ctrl one by one.
    /// Returns how far the list is to move, where the pointer is held beyond its edge.
    pub(super) fn select_by_pointer(&mut self, ui: &Ui, rect: Rect, id: Id, placed: &[Placed]) -> f32 {
        let (at, pressed, down) = ui.input(|input| {
            // What was held when the button went down, not at the end of the frame.
            let pressed = input.events.iter().find_map(|event| match event {
                Event::PointerButton { button: PointerButton::Primary, pressed: true, modifiers, .. } => {
                    Some(*modifiers)
                }
                _ => None,
            });
            (input.pointer.interact_pos(), pressed, input.pointer.primary_down())
        });
        if !down {
            self.selection.pressed = None;
            if std::mem::take(&mut self.selection.selecting) {
                // A click takes the focus from what is below what was clicked.
                ui.memory_mut(|memory| memory.request_focus(id));
            }
        }
        let Some(at) = at.filter(|_| down || pressed.is_some()) else { return 0.0 };
        if pressed.is_some() && self.toolbar.is_some_and(|(_, toolbar)| toolbar.contains(at)) {
            return 0.0;
        }
        let Some(key) = row_at(placed, at.y - rect.top()) else { return 0.0 };
        let mut moves = 0.0;
        if let Some(modifiers) = pressed {
            let is_on_text =
                at.x < rect.right() - size::SCROLL - size::TAIL && ui.rect_contains_pointer(rect);
            if !is_on_text {
                return 0.0;
            }
            if modifiers.command {
                self.selection.toggle(key);
            } else if modifiers.shift {
                self.selection.select(self.selection.origin.unwrap_or(key), key);
            } else {
                self.selection.clear();
                self.selection.pressed = Some(key);
                self.selection.origin = Some(key);
            }
        } else if let Some(from) = self.selection.pressed {
            if self.selection.is_empty() && from == key {
                return 0.0;
            }
            self.selection.select(from, key);
            let beyond = (at.y - rect.bottom()).max(0.0) - (rect.top() - at.y).max(0.0);
            if beyond != 0.0 {
                moves = -beyond.signum() * SPEED * ui.input(|input| input.stable_dt.min(0.1));
            }
        }
        self.selection.selecting |= !self.selection.is_empty();
        moves
    }

    /// Selects by keys; copies, or ends it.
    pub(super) fn select_by_keys(
        &mut self,
        ui: &Ui,
        cx: &mut Cx,
        key: &RoomKey,
        rect: Rect,
        placed: &[Placed],
        pressed: Pressed,
    ) {
        for is_down in std::iter::repeat_n(false, pressed.up).chain(std::iter::repeat_n(true, pressed.down)) {
            self.extend(cx, key, rect, placed, is_down);
        }
        if pressed.all
            && let Some((first, last)) = ends(cx, key, self.thread)
        {
            self.selection.select(first, last);
        }
        if pressed.copy && !self.selection.is_empty() {
            ui.ctx().copy_text(self.selection.text(cx, key, self.thread));
        }
        if pressed.escape {
            self.selection.clear();
        }
    }

    /// Takes one more row into the range, or one less, and shows it.
    fn extend(&mut self, cx: &mut Cx, key: &RoomKey, rect: Rect, placed: &[Placed], down: bool) {
        let Some((from, to)) = self.selection.range else {
            // It begins with the lowest whole row.
            let whole = |p: &&Placed| p.item.key != Key::Head && p.bottom() <= rect.height() && p.y >= 0.0;
            let first = placed
                .iter()
                .rev()
                .find(whole)
                .or_else(|| placed.iter().rev().find(|p| p.item.key != Key::Head));
            if let Some(first) = first {
                self.selection.select(first.item.key, first.item.key);
            }
            return;
        };
        let Some((next, id)) = neighbour(cx, key, self.thread, to, down) else { return };
        self.selection.select(from, next);
        let place = placed.iter().find(|placed| placed.item.key == next);
        let is_seen = place.is_some_and(|placed| placed.y >= 0.0 && placed.bottom() <= rect.height());
        if !is_seen {
            let y =
                if down { (rect.height() - 4.0 * size::BODY_LINE).max(0.0) } else { 2.0 * size::BODY_LINE };
            self.anchor = Anchor::Row { key: next, id, y };
            // This frame is laid out already.
            cx.deadline.at(cx.now.boot_ms);
        }
    }
}

impl List {
    /// Says how many messages are selected, and what can be done with them: at the top to the right, where it hides the
    /// least.
    pub(super) fn selection_bar(&mut self, ui: &Ui, cx: &Cx, key: &RoomKey, rect: Rect) {
        if self.selection.is_empty() {
            return;
        }
        let theme = theme::of(ui);
        let words = cx.words.rich;
        let frame = Frame::new()
            .fill(theme.raised)
            .stroke(Stroke::new(1.0, theme.outline))
            .corner_radius(radius::CONTROL)
            .inner_margin(Margin::symmetric(space::SMALL as i8, space::TINY as i8));
        let corner = pos2(rect.right() - size::SCROLL - space::LARGE, rect.top() + space::TINY);
        let area =
            Area::new(Id::unique(("selection", key, self.thread))).pivot(Align2::RIGHT_TOP).fixed_pos(corner);
        let contents = |ui: &mut Ui| {
            let text = (words.selected)(self.selection.count(cx, key, self.thread));
            let label = RichText::new(&text).font(theme::small()).color(theme.text);
            let label = ui.add(Label::new(label).selectable(false));
            widgets::live(ui, label.id, &text);
            if ui.add(widgets::link(theme, words.copy_selected)).clicked() {
                ui.ctx().copy_text(self.selection.text(cx, key, self.thread));
            }
            if ui.add(widgets::link(theme, words.clear_selection)).clicked() {
                self.selection.clear();
            }
        };
        area.show(ui.ctx(), |ui| frame.show(ui, |ui| ui.horizontal(contents)));
    }
}

/// The row at a height of the list: the nearest where there is none.
fn row_at(placed: &[Placed], y: f32) -> Option<Key> {
    let mut rows = placed.iter().filter(|placed| placed.item.key != Key::Head);
    let first = rows.next()?;
    let found = rows.rfind(|placed| placed.begins() <= y).unwrap_or(first);
    Some(found.item.key)
}
