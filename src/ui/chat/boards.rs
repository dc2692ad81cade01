//! The lists that open from a room's head: its pinned messages, and its threads.

use std::sync::Arc;

use egui::accesskit::Role;
use egui::{
    Id, Label, Popup, PopupCloseBehavior, Rect, RichText, ScrollArea, Sense, Ui, UiBuilder, pos2, vec2,
};

use super::RoomKey;
use super::extras::one_line;
use super::rows::AUTHOR_CHARS;
use crate::model::features::Feature;
use crate::model::id::MessageId;
use crate::model::intent::{ChatIntent, Intent};
use crate::model::lookup::{Lookup, LookupFound, Wanted};
use crate::model::message::{Message, Position};
use crate::model::rights::Act;
use crate::ui::icons::Icon;
use crate::ui::theme::{self, radius, size, space};
use crate::ui::{Cx, bidi, widgets};

/// Width of a list, in points.
const WIDTH: f32 = 360.0;
/// Height of a row, in points.
const ROW: f32 = 46.0;
/// Maximum height of the rows, in points.
const MAX_HEIGHT: f32 = 420.0;

/// Which list it is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Pins,
    Threads,
}

/// What a person wants of a list.
pub(super) enum Wish {
    /// To see this message.
    GoTo(Position, MessageId),
    /// To see the thread of this first message.
    Open(MessageId),
    /// To unpin this message.
    Unpin(MessageId),
    /// To have all threads of the room count as read.
    ReadAll,
}

/// A list.
pub(super) struct Board {
    kind: Kind,
    /// The question that was asked last, and of which state of which room.
    asked: Option<(u64, RoomKey, u64)>,
    found: Option<Arc<LookupFound>>,
}

/// What the button needs to know.
struct Facts {
    offered: bool,
    /// Changes whenever the list may.
    state: u64,
    unread: u64,
    may_pin: bool,
}

impl Board {
    pub(super) fn new(kind: Kind) -> Board {
        Board { kind, asked: None, found: None }
    }

    fn facts(&self, cx: &Cx, key: &RoomKey) -> Option<Facts> {
        cx.model.read(|model| {
            let connection = model.connections.get(&key.0)?;
            let room = connection.chat.rooms.get(&key.1)?;
            let unread = room.threads.values().map(|thread| thread.unread).sum::<u64>();
            Some(match self.kind {
                Kind::Pins => Facts {
                    offered: connection.offers(Feature::Pins),
                    state: room.change_count(),
                    unread: 0,
                    may_pin: connection.role().may(Act::Write),
                },
                Kind::Threads => Facts {
                    offered: connection.offers(Feature::Replies),
                    state: room
                        .threads
                        .values()
                        .map(|thread| thread.newest.offset.0 + thread.read.offset.0)
                        .sum(),
                    unread,
                    may_pin: false,
                },
            })
        })
    }

    /// Draws the button, and the list while it is open.
    pub(super) fn show(&mut self, ui: &mut Ui, cx: &mut Cx, key: &RoomKey) -> Option<Wish> {
        let facts = self.facts(cx, key).filter(|facts| facts.offered)?;
        let words = cx.words.chat;
        let (icon, name) = match self.kind {
            Kind::Pins => (Icon::Pin, words.pins),
            Kind::Threads => (Icon::Thread, words.threads),
        };
        let hint = if facts.unread > 0 { (words.threads_unread)(facts.unread) } else { name.to_owned() };
        let button = widgets::icon_button(ui, icon, &hint, &hint, false);
        if facts.unread > 0 {
            let theme = theme::of(ui);
            ui.painter().circle_filled(button.rect.right_top() + vec2(-7.0, 7.0), 4.0, theme.accent);
        }
        let popup = Popup::menu(&button)
            .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
            .accessible_name(name);
        if !popup.is_open() && !button.clicked() {
            (self.asked, self.found) = (None, None);
        } else {
            self.ask(cx, key, facts.state);
        }
        let mut wish = None;
        popup.show(|ui| {
            ui.set_width(WIDTH);
            let title = ui.add(Label::new(RichText::new(name).font(theme::heading())).selectable(false));
            widgets::heading(ui, &title, name, 2);
            wish = self.list(ui, cx, key, &facts);
            if matches!(wish, Some(Wish::GoTo(..) | Wish::Open(_))) {
                ui.close();
            }
        });
        wish
    }

    /// Asks the disk where something may have changed, and takes its answer.
    fn ask(&mut self, cx: &mut Cx, key: &RoomKey, state: u64) {
        let is_asked = self.asked.as_ref().is_some_and(|(_, of, at)| (of, *at) == (key, state));
        if !is_asked {
            let number = crate::ui::request_number();
            self.asked = Some((number, key.clone(), state));
            let wanted = if self.kind == Kind::Pins { Wanted::Pins } else { Wanted::Threads };
            let (connection, room) = key.clone();
            cx.intents.push(Intent::Chat(ChatIntent::LookUp(Lookup { number, connection, room, wanted })));
        }
        let wanted = self.asked.as_ref().map(|(number, ..)| *number);
        let found = cx.model.read(|model| model.searching.lookup.clone());
        if let Some((_, found)) = found.filter(|(number, _)| Some(*number) == wanted) {
            self.found = Some(found);
        }
    }

    fn list(&self, ui: &mut Ui, cx: &Cx, key: &RoomKey, facts: &Facts) -> Option<Wish> {
        let words = cx.words.chat;
        let say = |ui: &mut Ui, text: &str| {
            let text = RichText::new(text).color(theme::of(ui).weak);
            ui.add(Label::new(text).wrap());
        };
        let count = match self.found.as_deref() {
            None => {
                return {
                    say(ui, cx.words.people.loading);
                    None
                };
            }
            Some(LookupFound::Pins(pins)) => pins.len(),
            Some(LookupFound::Threads(threads)) => threads.len(),
            Some(_) => {
                return {
                    say(ui, words.cannot_read);
                    None
                };
            }
        };
        if count == 0 {
            say(ui, if self.kind == Kind::Pins { words.no_pins } else { words.no_threads });
            return None;
        }
        let mut wish = None;
        let most = MAX_HEIGHT.min(ui.ctx().content_rect().height() - 160.0).max(2.0 * ROW);
        ui.spacing_mut().item_spacing.y = 0.0;
        // A popup keeps the height that it had before the list was read from the disk, unless its content insists.
        let list = ScrollArea::vertical().max_height(most).min_scrolled_height(most);
        list.show_rows(ui, ROW, count, |ui, range| {
            for at in range {
                let chosen = match self.found.as_deref() {
                    Some(LookupFound::Pins(pins)) => pin(ui, cx, key, &pins[at], facts.may_pin),
                    Some(LookupFound::Threads(threads)) => {
                        let line = &threads[at];
                        let first = line.first.as_ref();
                        let replies = first.map_or(0, |first| first.replies.count);
                        let note = match line.unread {
                            0 => (words.replies)(replies),
                            unread => (words.new_replies)(replies.max(1), unread),
                        };
                        let bold = line.unread > 0;
                        let clicked = row(ui, cx, key, (line.root, first), &note, bold, 0.0).0;
                        clicked.then_some(Wish::Open(line.root))
                    }
                    _ => None,
                };
                wish = chosen.or(wish.take());
            }
        });
        if facts.unread > 0 {
            ui.add_space(space::SMALL);
            if ui.add(widgets::plain(words.read_all)).clicked() {
                wish = Some(Wish::ReadAll);
            }
        }
        wish
    }
}

fn pin(ui: &mut Ui, cx: &Cx, key: &RoomKey, message: &Message, may_unpin: bool) -> Option<Wish> {
    let by = message.pinned().map(|mark| {
        let read = |model: &crate::model::Model| {
            model.connections.get(&key.0).map(|at| at.chat.shown(&mark.by, AUTHOR_CHARS).label())
        };
        cx.model.read(read).unwrap_or_default()
    });
    let note = by.map(|by| (cx.words.chat.pinned_by)(&by)).unwrap_or_default();
    let beside = if may_unpin { size::CONTROL + space::SMALL } else { 0.0 };
    let (clicked, place) = row(ui, cx, key, (message.id, Some(message)), &note, false, beside);
    if may_unpin {
        let builder = UiBuilder::new().max_rect(place).id_salt(("unpin", message.id));
        let name = cx.words.chat.unpin;
        if widgets::icon_button(&mut ui.new_child(builder), Icon::Close, name, name, false).clicked() {
            return Some(Wish::Unpin(message.id));
        }
    }
    clicked.then_some(match message.content.is_aside() {
        true => Wish::Open(message.content.thread().unwrap_or(message.id)),
        false => Wish::GoTo(message.position, message.id),
    })
}

/// Draws a message on two lines. Returns whether it was clicked, and the place that is left beside it.
fn row(
    ui: &mut Ui,
    cx: &Cx,
    key: &RoomKey,
    (id, message): (MessageId, Option<&Message>),
    note: &str,
    bold: bool,
    beside: f32,
) -> (bool, Rect) {
    let (theme, words) = (theme::of(ui), cx.words);
    let (whole, _) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::hover());
    let rect = whole.with_max_x(whole.right() - beside);
    let response = ui.interact(rect, Id::unique(("listed message", id)), Sense::click());
    let (author, text, when) = match message {
        Some(message) => {
            let shown = |model: &crate::model::Model| {
                model.connections.get(&key.0).map(|at| at.chat.shown(&message.sender, AUTHOR_CHARS).label())
            };
            let text = match message.is_deleted() {
                true => words.chat.deleted.to_owned(),
                false => one_line(message.body()),
            };
            (cx.model.read(shown).unwrap_or_default(), text, (words.day_and_clock)(message.received))
        }
        None => (words.chat.thread.to_owned(), words.chat.quote_unknown.to_owned(), String::new()),
    };
    let spoken = [author.as_str(), &text, note, &when];
    let spoken = spoken.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
    ui.ctx().accesskit_node_builder(response.id, |node| {
        node.set_role(Role::ListItem);
        node.set_label(spoken);
    });
    if response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect, f32::from(radius::CONTROL), theme.hover);
    }
    let when = widgets::cut(ui, &when, theme::small(), theme.weak, rect.width() / 2.0);
    let left = rect.left() + space::SMALL;
    let at = pos2(rect.right() - space::SMALL - when.size().x, rect.top() + 6.0);
    let room = (at.x - left - space::SMALL).max(0.0);
    let author = widgets::cut(ui, &bidi::line(&author), theme::strong(size::BODY), theme.text, room);
    ui.painter().galley(at, when, theme.weak);
    ui.painter().galley(pos2(left, rect.top() + 4.0), author, theme.text);
    let colour = if bold { theme.accent } else { theme.weak };
    let note = widgets::cut(ui, note, theme::small(), colour, rect.width() / 2.0);
    let at = pos2(rect.right() - space::SMALL - note.size().x, rect.top() + 25.0);
    let room = (at.x - left - space::SMALL).max(0.0);
    let text = widgets::cut(ui, &bidi::line(&text), theme::small(), theme.text, room);
    ui.painter().galley(at, note, colour);
    ui.painter().galley(pos2(left, rect.top() + 25.0), text, theme.text);
    widgets::focus_ring(ui, &response, theme);
    let place = Rect::from_min_max(pos2(rect.right(), whole.top() + 8.0), whole.right_bottom());
    (response.clicked(), place)
}
