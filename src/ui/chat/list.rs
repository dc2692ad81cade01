//! The message list: laid out from an anchor up and down, only as far as is visible. Where the anchor stands on the
//! screen is kept, so that nothing moves when messages come before or after it.

use std::collections::HashSet;
use std::sync::Arc;

use egui::accesskit::Role;
use egui::{Id, Rect, Sense, Ui, UiBuilder};

use super::acts::{self, Act};
use super::moves::Asked;
use super::paint::{self, Measured};
use super::rows::{Around, Cache, Head, Item, Key, Slice, View, slice};
use super::scrollbar;
use super::seen::Seen;
use super::selection::{Pressed, Selection};
use super::spot::{self, Spot};
use super::toolbar;
use super::{MessageAction, RoomKey};
use crate::model::chat::Room;
use crate::model::features::Feature;
use crate::model::id::MessageId;
use crate::model::intent::{ChatIntent, Intent, Jump};
use crate::model::link_state::LinkState;
use crate::model::message::Position;
use crate::model::time::WallMs;
use crate::model::window::Edge;
use crate::ui::keys::{self, Action};
use crate::ui::theme::{self, size};
use crate::ui::{Cx, widgets};

/// No row is lower than this.
const LEAST_ROW: f32 = 22.0;
/// So many messages are remembered of which it was asked what they reply to.
const MAX_ASKED_QUOTES: usize = 2_000;
/// Space under the newest row.
const FOOT: f32 = 8.0;

/// Which row stands where on the screen.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(super) enum Anchor {
    /// The newest row stands at the foot, and new ones push it up.
    End,
    /// This row's body begins `y` points below the list's upper edge.
    Row { key: Key, id: MessageId, y: f32 },
}

/// One room's list: where it is scrolled to, and what is prepared.
pub(super) struct List {
    /// Whose thread it is; none: it is a whole room's.
    pub(super) thread: Option<MessageId>,
    pub(super) anchor: Anchor,
    /// The topmost row whose beginning is visible, as of the last frame.
    pub(super) top: Option<(Key, MessageId, f32)>,
    cache: Cache,
    /// What was read when the room was opened: a line marks where the rest begins.
    pub(super) divider: Option<Position>,
    /// Whether that line has been on screen.
    pub(super) divider_seen: bool,
    pub(super) wanted: Option<Jump>,
    pub(super) asked_older: Option<Asked>,
    pub(super) asked_newer: Option<Asked>,
    pub(super) marked: Option<Position>,
    pub(super) selection: Selection,
    /// The message that the toolbar stands at, and where.
    pub(super) toolbar: Option<(Key, Rect)>,
    /// Messages of which it was asked what they reply to.
    asked_quotes: HashSet<MessageId>,
    was_focused: bool,
    seen: Seen,
    bar: scrollbar::Bar,
    pub(super) spot: Option<Spot>,
}

impl Default for List {
    fn default() -> Self {
        List {
            thread: None,
            anchor: Anchor::End,
            top: None,
            cache: Cache::default(),
            divider: None,
            divider_seen: true,
            wanted: None,
            asked_older: None,
            asked_newer: None,
            marked: None,
            selection: Selection::default(),
            toolbar: None,
            asked_quotes: HashSet::new(),
            was_focused: true,
            seen: Seen::default(),
            bar: scrollbar::Bar::default(),
            spot: None,
        }
    }
}

/// A row with its place on the screen.
pub(super) struct Placed {
    pub(super) item: Item,
    pub(super) measured: Measured,
    /// Where its body begins, below the list's upper edge.
    pub(super) y: f32,
}

impl Placed {
    fn top(&self) -> f32 {
        self.y - self.measured.above
    }

    /// Where it begins for the pointer: with its author's name.
    pub(super) fn begins(&self) -> f32 {
        self.y - if self.item.grouped { 0.0 } else { size::BODY_LINE }
    }

    pub(super) fn bottom(&self) -> f32 {
        self.y + self.measured.body
    }
}

/// What the list needs to know of its room beside the rows.
#[derive(Clone, Default)]
pub(super) struct RoomFacts {
    pub(super) first: Option<Position>,
    pub(super) last: Option<Position>,
    pub(super) newest: Position,
    pub(super) read: Position,
    pub(super) unread: u64,
    pub(super) before: Edge,
    pub(super) after: Edge,
    /// Whether any of it is in memory: a thread is read when it is opened.
    pub(super) is_read_in: bool,
    pub(super) loading_older: bool,
    pub(super) loading_newer: bool,
    pub(super) online: bool,
    /// Since when, where it is.
    pub(super) online_since: Option<WallMs>,
    /// Whether the server keeps receipts.
    pub(super) has_receipts: bool,
    /// Whether the server gives older messages, as far as is known.
    pub(super) has_history: bool,
    can_react: bool,
}

pub(super) fn facts(cx: &Cx, key: &RoomKey, thread: Option<MessageId>) -> Option<RoomFacts> {
    cx.model.read(|model| {
        let connection = model.connections.get(&key.0)?;
        let room: &Room = connection.chat.rooms.get(&key.1)?;
        let known = thread.and_then(|root| room.threads.get(&root));
        let window = room.window_of(thread);
        let (newest, read, unread) = match known {
            Some(thread) => (thread.newest, thread.read, thread.unread),
            None if thread.is_some() => Default::default(),
            None => (room.newest, room.read, room.unread),
        };
        Some(RoomFacts {
            first: window.and_then(|window| window.first()).map(|message| message.position),
            last: window.and_then(|window| window.last()).map(|message| message.position),
            newest,
            read,
            unread,
            before: window.map_or(Edge::Disk, |window| window.before),
            after: window.map_or(Edge::Disk, |window| window.after),
            loading_older: known.map_or(room.loading_older && thread.is_none(), |thread| thread.loading),
            loading_newer: room.loading_newer,
            is_read_in: window.is_some(),
            online: connection.link.is_online(),
            online_since: match connection.link {
                LinkState::Online { since, .. } => Some(since),
                _ => None,
            },
            has_receipts: connection.offers(Feature::Receipts),
            has_history: connection.offers(Feature::History),
            can_react: connection.offers(Feature::Reactions),
        })
    })
}

impl List {
    /// The list of the thread that begins with a message.
    pub(super) fn of_thread(root: MessageId) -> List {
        List { thread: Some(root), ..List::default() }
    }

    /// The room is opened: what is unread now is marked so until it is opened again.
    pub(super) fn enter(&mut self, cx: &Cx, key: &RoomKey) {
        let Some(facts) = facts(cx, key, None) else { return };
        self.divider = (facts.unread > 0).then_some(facts.read);
        self.divider_seen = facts.unread == 0;
        self.marked = None;
        self.seen = Seen::default();
        if self.anchor == Anchor::End && facts.unread > 0 && facts.after == Edge::End {
            let first_unread = cx.model.read(|model| {
                let room = model.connections.get(&key.0)?.chat.rooms.get(&key.1)?;
                // Only when what was read last is in memory is the next one the first unread.
                if room.window.before != Edge::End && facts.first.is_none_or(|first| first > facts.read) {
                    return None;
                }
                room.window
                    .from(facts.read)
                    .find(|message| message.position > facts.read)
                    .map(|m| (m.position, m.id))
            });
            if let Some((position, id)) = first_unread {
                self.anchor = Anchor::Row { key: Key::Message(position), id, y: 120.0 };
            }
        }
    }

    /// The room is left: only where it was scrolled to is kept.
    pub(super) fn rest(&mut self) {
        self.cache.clear();
        self.selection = Selection::default();
    }

    /// Whether the person has the newest message before them.
    pub(super) fn is_read(&self) -> bool {
        self.anchor == Anchor::End && self.was_focused
    }

    /// What of the room or thread concerns the list.
    fn facts(&self, cx: &Cx, key: &RoomKey) -> Option<RoomFacts> {
        facts(cx, key, self.thread)
    }

    /// Asks for what messages on screen reply to, where that is not in memory.
    fn load_quotes(&mut self, cx: &mut Cx, key: &RoomKey, placed: &[Placed]) {
        for placed in placed {
            let (Key::Message(position), Some(row)) = (placed.item.key, &placed.item.row) else { continue };
            let is_unknown = row.extras.quote.as_ref().is_some_and(|quote| quote.to.is_none());
            if is_unknown && self.asked_quotes.insert(row.id) {
                if self.asked_quotes.len() > MAX_ASKED_QUOTES {
                    self.asked_quotes.clear();
                }
                let (connection, room) = key.clone();
                cx.intents.push(Intent::Chat(ChatIntent::LoadQuote { connection, room, position }));
            }
        }
    }

    fn scroll_bars(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx,
        key: &RoomKey,
        facts: &RoomFacts,
        (rect, id): (Rect, Id),
        placed: &[Placed],
    ) {
        self.unread_button(ui, cx, key, facts, rect, placed);
        let visible = (placed.first().map(|p| p.item.key), placed.last().map(|p| p.item.key));
        if let Some(jump) = self.bar.show(ui, cx, rect, id, facts, visible, self.anchor == Anchor::End) {
            self.jump(cx, key, facts, jump);
        }
    }

    /// Does what a key asks for with the selected message; it is selected no more.
    fn act_on_selected(
        &mut self,
        cx: &Cx,
        key: &RoomKey,
        columns: &paint::Columns,
        placed: &[Placed],
        action: Action,
    ) -> Option<MessageAction> {
        let chosen = self.act_by_keys(cx, key, columns, placed, action)?;
        self.selection.clear();
        Some(chosen)
    }

    /// Draws the list into what is left of the pane.
    ///
    /// Long: the steps of one frame, whose order matters.
    pub(super) fn show(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx,
        key: &RoomKey,
        focused: bool,
        input: Id,
    ) -> Option<MessageAction> {
        let rect = ui.available_rect_before_wrap();
        if rect.height() < size::BODY_LINE {
            // A window so low has no room for a line.
            return None;
        }
        let id = Id::unique(("messages", key, self.thread));
        let facts = self.facts(cx, key)?;
        let response = ui.interact(rect, id, Sense::focusable_noninteractive());
        let label = if self.thread.is_some() { cx.words.chat.thread } else { cx.words.messages };
        ui.ctx().accesskit_node_builder(id, |node| {
            node.set_role(Role::Log);
            node.set_label(label);
        });
        if std::mem::replace(&mut self.was_focused, focused) && !focused && self.anchor == Anchor::End {
            // What comes while the person looks elsewhere is new to them.
            self.divider = Some(facts.newest);
        }
        let by_keys = response.has_focus().then(|| acts::by_keys(ui)).flatten();
        let pressed = match response.has_focus() {
            true => Pressed::take(ui, &self.selection),
            false => Pressed::default(),
        };
        let scrolled = self.scroll(ui, cx, key, &facts, rect, id, input);
        self.arrive(cx, key, &facts);
        let columns = paint::Columns::of(rect, facts.can_react, self.thread.is_some());
        let (placed, slice) = self.lay_out(ui, cx, key, &columns, rect.height());
        let dragged = self.select_by_pointer(ui, rect, id, &placed);
        let menu_row = self.menu_by_keys(ui, response.has_focus(), &placed);
        let mut chosen = (None, None);
        let builder = UiBuilder::new().max_rect(rect).scope_id(id.with("rows")).accessibility_parent(id);
        ui.scope_builder(builder, |ui| {
            ui.shrink_clip_rect(rect);
            if slice.room_is_empty && facts.before == Edge::End {
                paint::empty(ui, cx, key, rect);
            } else {
                chosen = self.rows(ui, cx, key, id, &columns, &placed, menu_row);
                chosen.0 = self.show_toolbar(ui, cx, key, id, &columns, &placed).or(chosen.0.take());
            }
        });
        let (mut act, leads_to) = chosen;
        act = by_keys.and_then(|action| self.act_on_selected(cx, key, &columns, &placed, action)).or(act);
        self.remember(&placed, rect.height());
        if dragged != 0.0 {
            self.move_by(dragged, rect.height());
            cx.deadline.at(cx.now.boot_ms);
        }
        self.select_by_keys(ui, cx, key, rect, &placed, pressed);
        self.mark_read(cx, key, &facts, &slice, focused);
        self.seen.look(cx, key, &facts, &placed, rect.height(), focused && self.thread.is_none());
        match self.thread {
            None => {
                self.load_more(cx, key, &facts, scrolled);
                self.scroll_bars(ui, cx, key, &facts, (rect, id), &placed);
            }
            Some(root) => self.load_thread(cx, key, &facts, root, scrolled),
        }
        self.load_quotes(cx, key, &placed);
        self.jump_button(ui, cx, key, &facts, rect);
        self.selection_bar(ui, cx, key, rect);
        if let Some(url) = leads_to {
            paint::leads_to(ui, rect, &url);
        }
        widgets::focus_ring(ui, &response, theme::of(ui));
        ui.allocate_rect(rect, Sense::hover());
        act
    }

    /// Draws the rows. Returns what was chosen in one of them, and the address that the pointer is at.
    #[allow(clippy::too_many_arguments)]
    fn rows(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx,
        key: &RoomKey,
        id: Id,
        columns: &paint::Columns,
        placed: &[Placed],
        menu_row: Option<Key>,
    ) -> (Option<MessageAction>, Option<String>) {
        let (mut act, mut leads_to) = (None, None);
        for placed in placed {
            let is_spotted = self.is_spotted(cx, placed);
            if is_spotted {
                spot::paint(ui, columns, placed);
            }
            let opens = menu_row == Some(placed.item.key);
            let wish = paint::row(ui, cx, key, id, columns, placed, &self.selection, opens);
            if is_spotted {
                spot::tell(ui, id.with(placed.item.key));
            }
            match wish {
                Some(paint::RowAction::Act(wanted)) => act = Some(wanted),
                Some(paint::RowAction::Unfold(message)) => self.unfold(message, placed),
                Some(paint::RowAction::Format(message, on)) => {
                    self.cache.formatted.insert(message, on);
                    cx.deadline.at(cx.now.boot_ms);
                }
                Some(paint::RowAction::See(url)) => leads_to = Some(url),
                Some(paint::RowAction::CopySelected) => {
                    ui.ctx().copy_text(self.selection.text(cx, key, self.thread));
                }
                None => {}
            }
        }
        (act, leads_to)
    }

    /// Draws the toolbar of the message under the pointer, else of the one that the keyboard is on. Returns what was chosen.
    fn show_toolbar(
        &mut self,
        ui: &mut Ui,
        cx: &Cx,
        key: &RoomKey,
        id: Id,
        columns: &paint::Columns,
        placed: &[Placed],
    ) -> Option<MessageAction> {
        let stays = self.toolbar.take().filter(|(_, rect)| ui.rect_contains_pointer(*rect));
        let is_selecting = ui.input(|input| input.pointer.primary_down()) && stays.is_none();
        let of_key = |wanted: Key| placed.iter().find(|placed| placed.item.key == wanted);
        let hovered = || placed.iter().find(|placed| ui.rect_contains_pointer(paint::whole(columns, placed)));
        let by_keyboard =
            || self.selection.keyboard_row().filter(|_| self.selection.is_one()).and_then(of_key);
        let at = match stays {
            Some((wanted, _)) => of_key(wanted),
            None if is_selecting => None,
            None => hovered().or_else(by_keyboard),
        };
        let at = at?;
        let row = at.item.row.as_ref()?;
        let all: Vec<Act> = acts::offered(cx, key, at.item.key, row);
        if all.is_empty() {
            return None;
        }
        let rect = toolbar::place(columns.list, paint::whole(columns, at), all.len());
        self.toolbar = Some((at.item.key, rect));
        let (act, place) = toolbar::show(ui, cx, id.with("toolbar"), rect, &all)?;
        Some(act.on(cx, key, at.item.key, row, place))
    }

    /// Does what keys chose with the message that the keyboard is on.
    fn act_by_keys(
        &self,
        cx: &Cx,
        key: &RoomKey,
        columns: &paint::Columns,
        placed: &[Placed],
        action: Action,
    ) -> Option<MessageAction> {
        let wanted = self.selection.keyboard_row().filter(|_| self.selection.is_one())?;
        let at = placed.iter().find(|placed| placed.item.key == wanted)?;
        let row = at.item.row.as_ref()?;
        let act = acts::offered(cx, key, wanted, row).into_iter().find(|act| act.action() == Some(action))?;
        let whole = paint::whole(columns, at).intersect(columns.list);
        Some(act.on(cx, key, wanted, row, whole.with_min_x(columns.text_left)))
    }

    /// The row whose menu is opened by the menu key: the one that the keyboard selected, else the newest on screen.
    fn menu_by_keys(&self, ui: &Ui, has_focus: bool, placed: &[Placed]) -> Option<Key> {
        let pressed = has_focus
            && ui.input_mut(|input| {
                keys::of(Action::RoomMenu).iter().any(|shortcut| input.consume_shortcut(shortcut))
            });
        let newest = || placed.iter().rev().map(|placed| placed.item.key).find(|key| *key != Key::Head);
        pressed.then(|| self.selection.keyboard_row().or_else(newest)).flatten()
    }

    /// Lays rows out from the anchor until the list is full, and keeps the contents within it.
    fn lay_out(
        &mut self,
        ui: &Ui,
        cx: &Cx,
        key: &RoomKey,
        columns: &paint::Columns,
        height: f32,
    ) -> (Vec<Placed>, Slice) {
        let count = |points: f32| (points.clamp(0.0, 3.0 * height) / LEAST_ROW) as usize + 2;
        let mut best = (Vec::new(), Slice::default());
        // Each round settles one thing: contents too high, contents too low, the other end.
        for _ in 0..4 {
            let (around, y) = match self.anchor {
                Anchor::End => (Around::End, None),
                Anchor::Row { key, id, y } => (Around::Key(key, id), Some(y)),
            };
            let mut view = View {
                key,
                thread: self.thread,
                divider: self.divider,
                before: count(y.unwrap_or(height)),
                after: y.map_or(1, |y| count(height - y)),
                words: cx.words,
                read_by: None,
            };
            let Some(slice) = cx.model.read(|model| slice(model, &mut view, around, &mut self.cache)) else {
                return best;
            };
            if slice.items.is_empty() {
                return best;
            }
            let placed = place(ui, cx, key, columns, &slice, y, height);
            let settled = self.settle(&placed, &slice, height);
            best = (placed, slice);
            if settled {
                break;
            }
        }
        best
    }

    /// Whether the contents fill the list; otherwise moves the anchor so that they will.
    fn settle(&mut self, placed: &[Placed], slice: &Slice, height: f32) -> bool {
        let Anchor::Row { y, .. } = &mut self.anchor else {
            return true;
        };
        let (Some(first), Some(last)) = (placed.first(), placed.last()) else {
            return true;
        };
        let is_last = slice.items.last().is_some_and(|item| item.key == last.item.key) && slice.ends;
        let room_below = height - FOOT - last.bottom();
        if is_last && room_below >= -0.5 {
            if slice.at_end {
                self.anchor = Anchor::End;
                return false;
            }
            if room_below > 0.5 {
                *y += room_below;
                return false;
            }
        }
        let room_above = first.top();
        if first.item.key == Key::Head && room_above > 0.5 {
            *y -= room_above;
            return false;
        }
        true
    }

    /// Takes the topmost row that begins within the list as the anchor of the next frame.
    fn remember(&mut self, placed: &[Placed], height: f32) {
        let begins = |placed: &&Placed| placed.y >= 0.0 && placed.y < height && placed.item.key != Key::Head;
        let top = placed.iter().find(begins).or_else(|| placed.iter().rev().find(|placed| placed.y < height));
        self.top = top.map(|placed| {
            let id = placed.item.row.as_ref().map_or(MessageId::from_random([0; 16]), |row| row.id);
            (placed.item.key, id, placed.y)
        });
        if let (Anchor::Row { .. }, Some((key, id, y))) = (self.anchor, self.top) {
            self.anchor = Anchor::Row { key, id, y };
        }
    }

    /// Whether JSON is on lines of its own in all of the room.
    pub(super) fn formats_all(&self) -> bool {
        self.cache.formats_all
    }

    /// Puts all JSON of the room on lines of its own, or shows it as it came.
    pub(super) fn format_all(&mut self, on: bool) {
        self.cache.formats_all = on;
        self.cache.formatted.clear();
    }

    fn unfold(&mut self, message: MessageId, placed: &Placed) {
        if self.cache.expanded.remove(&message).is_none() {
            self.cache.expanded.insert(message, true);
        }
        // The row's beginning stays where it is, even at the end.
        self.anchor = Anchor::Row { key: placed.item.key, id: message, y: placed.y };
        self.top = Some((placed.item.key, message, placed.y));
    }
}

/// Gives the rows their places: the anchor's body at `y`, or its foot at the list's foot.
fn place(
    ui: &Ui,
    cx: &Cx,
    key: &RoomKey,
    columns: &paint::Columns,
    slice: &Slice,
    y: Option<f32>,
    height: f32,
) -> Vec<Placed> {
    let measure = |item: &Item| paint::measure(ui, cx, key, item, columns);
    let anchor = &slice.items[slice.anchor];
    let measured = measure(anchor);
    let y = y.unwrap_or(height - FOOT - measured.body);
    let mut above = Vec::new();
    let mut top = y - measured.above;
    for item in slice.items[..slice.anchor].iter().rev() {
        if top <= 0.0 {
            break;
        }
        let measured = measure(item);
        let y = top - measured.body;
        top = y - measured.above;
        above.push(Placed { item: item.clone(), measured, y });
    }
    above.reverse();
    let mut placed = above;
    let mut bottom = y + measured.body;
    placed.push(Placed { item: anchor.clone(), measured, y });
    for item in &slice.items[slice.anchor + 1..] {
        if bottom >= height {
            break;
        }
        let measured = measure(item);
        let y = bottom + measured.above;
        bottom = y + measured.body;
        placed.push(Placed { item: item.clone(), measured, y });
    }
    placed
}

/// What a head says.
pub(super) fn head_text(cx: &Cx, key: &RoomKey, head: Head) -> Arc<str> {
    match head {
        Head::Begin if paint::has_frames(cx, key) => cx.words.plain.room_begins.into(),
        Head::Begin => (cx.words.room_begins)(&cx.room_title(key.0, &key.1, 64)).into(),
        Head::Thread => cx.words.chat.thread_begins.into(),
        Head::Loading => cx.words.loading_older.into(),
        Head::OnServer => cx.words.older_on_server.into(),
        Head::OutOfReach => cx.words.older_out_of_reach.into(),
    }
}
