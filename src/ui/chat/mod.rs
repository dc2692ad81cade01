//! The chat pane: the room's head, its messages, who is typing, and the input.

mod addresses;
mod body;
mod complete;
mod compose;
mod emoji;
mod emoji_picker;
mod format_bar;
mod frame_input;
mod frames;
mod input;
mod json;
mod list;
mod literal;
mod marked;
mod markup;
mod moves;
mod notice;
mod online;
mod ordered;
mod paint;
mod refused;
mod row_menu;
mod rows;
mod scrollbar;
mod selection;
mod slash;
mod spot;

use std::collections::HashMap;

use egui::{Align, Frame, Label, Layout, Margin, Panel, RichText, Sense, Ui, Vec2, vec2};

use super::icons::{self, Icon};
use super::keys::{self, Action};
use super::target::LinkTarget;
use super::text::Words;
use super::theme::{self, size, space};
use super::{Cx, OpenRoom, bidi, harmless, widgets};
use crate::model::content::Content;
use crate::model::id::{ConnectionId, MessageId, RoomId};
use crate::model::intent::{ChatIntent, Intent, Jump};
use crate::model::panes::Composer;
use crate::model::profile::Snippet;

use emoji_picker::Purpose;
use input::Input;
use list::List;

/// A room of a connection: what drafts and places in the history are kept by.
pub(super) type RoomKey = (ConnectionId, RoomId);

/// The text of a message without its marks of Markdown, on one line; none where it has none.
pub(super) fn plain_text(text: &str) -> Option<String> {
    markup::parse(text).map(|markup| markup.plain())
}

/// What is said of a frame that was received, in at most so many characters of it.
pub(super) fn said_of_frame(content: &Content, words: &Words, most_chars: usize) -> String {
    match frames::socket(content, words) {
        Some((_, said)) => said,
        None => format!("{}: {}", words.plain.received, harmless::line(content.body(), most_chars)),
    }
}

/// The pane's own state.
#[derive(Default)]
pub(super) struct Chat {
    lists: HashMap<RoomKey, List>,
    input: Input,
    online: online::Online,
    open: Option<RoomKey>,
    /// Where to go, once its room is drawn, and what to mark there.
    pointed: Option<(RoomKey, Jump, Option<MessageId>)>,
}

/// An act on one message of the outbox, from its row.
pub(super) enum MessageAction {
    /// Send it again.
    Resend(crate::model::MessageId),
    /// Change it in the input.
    Edit(crate::model::MessageId, String),
    /// Delete it.
    Discard(crate::model::MessageId),
    /// Name its author in the input.
    Mention(String),
    /// Follow a link in it. Beside it the address that its text names.
    Follow(LinkTarget, Option<String>),
    /// Keep it to be sent with one click.
    Save(Snippet),
}

/// What the pane cannot do alone.
pub(super) enum ChatAction {
    /// Follow a link. Beside it the address that its text names.
    Follow(LinkTarget, Option<String>),
    /// Something that keys do as well.
    Act(Action),
    /// To change the messages of a connection that are sent with one click, or to add one.
    Snippets(ConnectionId, Option<Snippet>),
}

impl Chat {
    /// Draws the pane.
    pub(super) fn show(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx,
        open: Option<&OpenRoom>,
        focused: bool,
        composer: &mut Composer,
    ) -> Option<ChatAction> {
        let Some((connection, room)) = open.and_then(|place| Some((place.connection, place.room.clone()?)))
        else {
            nothing_open(ui, cx);
            return None;
        };
        let key = (connection, room);
        let opened = self.open.as_ref() != Some(&key);
        if opened {
            self.open = Some(key.clone());
            self.input.focus();
            self.lists.values_mut().for_each(List::rest);
        }
        let (action, mentioned) = self.head(ui, cx, &key);
        if let Some(name) = mentioned {
            self.input.mention(&key, &name);
            cx.deadline.at(cx.now.boot_ms);
        }
        let margin = Margin {
            left: space::LARGE as i8,
            right: space::LARGE as i8,
            top: 0,
            bottom: space::MEDIUM as i8,
        };
        let has_frames = paint::has_frames(cx, &key);
        let mut snippets = None;
        Panel::bottom("input")
            .frame(Frame::new().inner_margin(margin))
            .resizable(false)
            .show_separator_line(false)
            .show(ui, |ui| {
                if !has_frames {
                    typing(ui, cx, &key);
                }
                snippets = self.input.show(ui, cx, &key, composer);
            });
        let list = self.lists.entry(key.clone()).or_default();
        if opened {
            list.enter(cx, &key);
        }
        if let Some((_, jump, id)) = self.pointed.take_if(|pointed| pointed.0 == key) {
            list.point_at(cx, &key, jump, id);
        }
        let act = list.show(ui, cx, &key, focused, self.input.id(&key));
        self.pick_emoji(ui, cx, &key, composer);
        match act {
            Some(MessageAction::Resend(id)) => {
                cx.intents.push(Intent::Chat(ChatIntent::Resend { connection, id }))
            }
            Some(MessageAction::Discard(id)) => {
                cx.intents.push(Intent::Chat(ChatIntent::Discard { connection, id }))
            }
            Some(MessageAction::Mention(name)) => {
                self.input.mention(&key, &name);
                cx.deadline.at(cx.now.boot_ms);
            }
            Some(MessageAction::Edit(id, body)) => self.input.edit(&key, id, body),
            Some(MessageAction::Save(snippet)) => {
                return Some(ChatAction::Snippets(connection, Some(snippet)));
            }
            Some(MessageAction::Follow(target, claimed)) => return Some(ChatAction::Follow(target, claimed)),
            None => {}
        }
        match snippets {
            Some(more) => Some(ChatAction::Snippets(connection, more)),
            None => action.map(ChatAction::Act),
        }
    }

    /// Draws the emoji picker, and does what an emoji was picked for.
    fn pick_emoji(&mut self, ui: &Ui, cx: &mut Cx, key: &RoomKey, composer: &mut Composer) {
        let (picked, closed) = self.input.picker.show(ui, cx, key, composer);
        match picked {
            Some((Purpose::Insert, emoji)) => self.input.insert(ui, cx, key, emoji),
            Some((Purpose::React(_), _)) => {}
            None => {}
        }
        if closed {
            self.input.focus();
        }
    }

    /// The room is left: it is entered anew the next time.
    pub(super) fn leave(&mut self) {
        self.open = None;
    }

    /// The room whose newest message the person has before them: what comes there is read at once.
    pub(super) fn reading(&self) -> Option<&RoomKey> {
        let key = self.open.as_ref()?;
        self.lists.get(key).filter(|list| list.is_read()).map(|_| key)
    }

    /// Goes to a place in a room as soon as that is drawn, and marks a message there for a moment.
    pub(super) fn point_at(&mut self, key: RoomKey, jump: Jump, id: Option<MessageId>) {
        self.pointed = Some((key, jump, id));
    }

    /// Puts the keyboard's focus into the input.
    pub(super) fn focus_input(&mut self) {
        self.input.focus();
    }

    /// Gives the input the focus before it is drawn, so that what is typed in this frame is in it.
    pub(super) fn take_focus(&self, ui: &Ui) {
        if let Some(key) = &self.open {
            ui.memory_mut(|memory| memory.request_focus(self.input.id(key)));
        }
    }

    /// Hands out every draft that is not kept yet.
    pub(super) fn flush_drafts(&mut self, intents: &mut Vec<Intent>) {
        self.input.flush(intents);
    }
}

impl Chat {
    /// The room's name, who is there, and ways into its past. Returns which of these the person takes, and whom they mention.
    fn head(&mut self, ui: &mut Ui, cx: &Cx, key: &RoomKey) -> (Option<Action>, Option<String>) {
        let (mut wish, mut mentioned) = (None, None);
        let theme = theme::of(ui);
        let has_frames = paint::has_frames(cx, key);
        let list = self.lists.entry(key.clone()).or_default();
        let frame = Frame::new().inner_margin(Margin::symmetric(space::LARGE as i8, 0));
        Panel::top("room head").frame(frame).resizable(false).show(ui, |ui| {
            ui.allocate_ui_with_layout(
                vec2(ui.available_width(), size::BAR),
                Layout::right_to_left(Align::Center),
                |ui| {
                    ui.set_min_height(size::BAR);
                    let words = cx.words.search;
                    for (icon, name, action) in [
                        (Icon::Search, words.button, Action::SearchRoom),
                        (Icon::Calendar, words.go_to_date, Action::GoToDate),
                    ] {
                        let hint = keys::hint(ui.ctx(), name, action);
                        if widgets::icon_button(ui, icon, name, &hint, false).clicked() {
                            wish = Some(action);
                        }
                    }
                    if has_frames {
                        let (name, on) = (cx.words.plain.format_all, list.formats_all());
                        if widgets::icon_toggle(ui, Icon::List, name, name, on).clicked() {
                            list.format_all(!on);
                        }
                    }
                    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                        let name = cx.room_title(key.0, &key.1, 64);
                        let (mark, _) = ui.allocate_exact_size(Vec2::splat(size::ICON), Sense::hover());
                        icons::paint(ui.painter(), mark.center(), Icon::Room, size::ICON, theme.weak);
                        let said = if has_frames { name.clone() } else { format!("# {name}") };
                        let name = RichText::new(bidi::line(&name)).font(theme::heading()).color(theme.text);
                        let shown = ui.add(Label::new(name).selectable(false).truncate());
                        widgets::heading(ui, &shown, &said, 2);
                        ui.add_space(space::TINY);
                        mentioned = self.online.show(ui, cx, key);
                    });
                },
            );
        });
        (wish, mentioned)
    }
}

fn nothing_open(ui: &mut Ui, cx: &Cx) {
    let theme = theme::of(ui);
    ui.with_layout(Layout::top_down(Align::Center), |ui| {
        ui.add_space(ui.available_height() * 0.4);
        ui.add(Label::new(RichText::new(cx.words.nothing_open).color(theme.weak)).wrap());
    });
}

/// The line of those who are typing. It has its place whether anyone is, so that nothing jumps.
fn typing(ui: &mut Ui, cx: &mut Cx, key: &RoomKey) {
    let theme = theme::of(ui);
    let now = cx.now.boot_ms;
    let names = cx.model.read(|model| {
        let connection = model.connections.get(&key.0)?;
        let current = connection.chat.rooms.get(&key.1)?.typing.iter().filter(|(_, (_, until))| *until > now);
        let shown = |id, name| connection.chat.known.shown(id, name, 40).label();
        Some(current.map(|(id, (name, until))| (shown(id, name), *until)).collect::<Vec<_>>())
    });
    let names = names.unwrap_or_default();
    for (_, until) in &names {
        cx.deadline.at(*until);
    }
    let names: Vec<String> = names.into_iter().map(|(name, _)| name).collect();
    let height = size::SMALL_LINE + space::TINY;
    ui.allocate_ui_with_layout(
        vec2(ui.available_width(), height),
        Layout::left_to_right(Align::Center),
        |ui| {
            ui.set_min_height(height);
            if !names.is_empty() {
                ui.add_space(size::GUTTER - space::LARGE);
                let text = (cx.words.typing)(&names);
                let text = RichText::new(bidi::line(&text)).font(theme::small()).color(theme.weak);
                ui.add(Label::new(text).selectable(false).truncate());
            }
        },
    );
}
