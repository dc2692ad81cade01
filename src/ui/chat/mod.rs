//! The chat pane: the room's head, its messages, who is typing, and the input.

mod acts;
mod addresses;
mod boards;
mod body;
mod closed;
mod complete;
mod compose;
mod emoji;
mod emoji_picker;
mod events;
mod extras;
mod extras_paint;
mod file_card;
mod format_bar;
mod frame_input;
mod frames;
pub(super) mod history;
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
mod seen;
mod selection;
mod slash;
mod spot;
mod thread;
mod toolbar;
mod uploads;

use std::collections::HashMap;

use egui::{Align, Frame, Label, Layout, Margin, Panel, RichText, Sense, Ui, Vec2, vec2};

use self::frame_input::Ask;
use super::icons::{self, Icon};
use super::keys::{self, Action};
use super::target::LinkTarget;
use super::text::Words;
use super::theme::{self, size, space};
use super::{Cx, OpenRoom, bidi, harmless, menu, room_menu, widgets};
use crate::model::content::Content;
use crate::model::id::{ConnectionId, MessageId, RoomId};
use crate::model::intent::{ChatIntent, Intent, Jump};
use crate::model::message::Position;
use crate::model::panes::Composer;
use crate::model::permit::RoomAct;
use crate::model::profile::Snippet;
use crate::model::{Connection, PrincipalId};

use boards::Board;
use emoji_picker::Purpose;
use input::{Input, Reply};
use list::List;
use thread::Threads;

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
pub(super) struct Chat {
    lists: HashMap<RoomKey, List>,
    input: Input,
    threads: Threads,
    pins: Board,
    thread_list: Board,
    online: online::Online,
    open: Option<RoomKey>,
    /// Where to go, once its room is drawn, and what to mark there.
    pointed: Option<(RoomKey, Jump, Option<MessageId>)>,
}

impl Default for Chat {
    fn default() -> Self {
        Chat {
            lists: HashMap::new(),
            input: Input::default(),
            threads: Threads::default(),
            pins: Board::new(boards::Kind::Pins),
            thread_list: Board::new(boards::Kind::Threads),
            online: online::Online::default(),
            open: None,
            pointed: None,
        }
    }
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
    /// Open the direct message with its author.
    Direct(PrincipalId),
    /// Follow a link in it. Beside it the address that its text names.
    Follow(LinkTarget, Option<String>),
    /// Keep it to be sent with one click.
    Save(Snippet),
    /// Reply to it.
    Reply(MessageId),
    /// Show the thread of this first message.
    Thread(MessageId),
    /// Change its words, at the server.
    EditSent(MessageId, String),
    /// Delete it at the server, after a question that says what it says.
    Delete(MessageId, String),
    /// Add this emoji, or take it back.
    React(MessageId, String, bool),
    /// Pick an emoji to add, beside this place.
    PickReaction(MessageId, egui::Rect),
    /// Pin it, or unpin it.
    Pin(MessageId, bool),
    /// Go to this message.
    GoTo(Position, MessageId),
    /// Something about its file.
    File(Box<Intent>),
    /// Show all versions of the message at this place.
    History(Position),
    /// Have the message at this place be unread, and all after it.
    MarkUnread(Position),
}

/// What the pane cannot do alone.
pub(super) enum ChatAction {
    /// Follow a link. Beside it the address that its text names.
    Follow(LinkTarget, Option<String>),
    /// Show all versions of a message.
    History(RoomKey, Position),
    /// Something that keys do as well.
    Act(Action),
    /// Say something of oneself there.
    SetStatus(ConnectionId),
    /// Change who may come in there.
    People(ConnectionId),
    /// Open the direct message with somebody there.
    Direct(ConnectionId, PrincipalId),
    /// Something done with a room.
    Room(RoomKey, RoomAct),
    /// Ask before a message is deleted that says this.
    Delete(RoomKey, MessageId, String),
    /// To change the messages of a connection that are sent with one click, or to add one.
    Snippets(ConnectionId, Option<Snippet>),
    /// To change what on a connection's server means what.
    Mapping(ConnectionId),
}

impl Chat {
    /// Draws the pane.
    ///
    /// Long: its parts in the order in which they take room from each other.
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
        let Head { action, people, act, board } = self.head(ui, cx, &key);
        if let Some(wish) = board {
            self.board_action(cx, &key, wish);
        }
        let action = act.map(|act| ChatAction::Room(key.clone(), act)).or(action.map(ChatAction::Act));
        let action = match people {
            Some(online::Wish::Mention(name)) => {
                self.input.mention(&key, &name);
                cx.deadline.at(cx.now.boot_ms);
                action
            }
            Some(online::Wish::Direct(who)) => Some(ChatAction::Direct(connection, who)),
            Some(online::Wish::SetStatus) => Some(ChatAction::SetStatus(connection)),
            Some(online::Wish::Manage) => Some(ChatAction::People(connection)),
            None => action,
        };
        uploads::take_dropped(ui, cx, &key);
        let thread = self.threads.show(ui, cx, &key, focused, composer);
        let beyond = thread.act.and_then(|act| self.message_action(cx, &key, act, true));
        if let Some(input) = self.threads.input(&key) {
            pick_emoji(input, ui, cx, &key, composer);
        }
        if beyond.is_some() || thread.covers {
            return beyond.or(action);
        }
        let margin = Margin {
            left: space::LARGE as i8,
            right: space::LARGE as i8,
            top: 0,
            bottom: space::MEDIUM as i8,
        };
        let has_frames = paint::has_frames(cx, &key);
        let mut ask = None;
        Panel::bottom("input")
            .frame(Frame::new().inner_margin(margin))
            .resizable(false)
            .show_separator_line(false)
            .show(ui, |ui| {
                if !has_frames {
                    typing(ui, cx, &key);
                }
                ask = self.input.show(ui, cx, &key, composer);
            });
        let list = self.lists.entry(key.clone()).or_default();
        if opened {
            list.enter(cx, &key);
        }
        if let Some((_, jump, id)) = self.pointed.take_if(|pointed| pointed.0 == key) {
            list.point_at(cx, &key, jump, id);
        }
        let act = list.show(ui, cx, &key, focused, self.input.id(&key));
        pick_emoji(&mut self.input, ui, cx, &key, composer);
        let beyond = act.and_then(|act| self.message_action(cx, &key, act, false));
        if beyond.is_some() {
            return beyond;
        }
        match ask {
            Some(Ask::Snippets(more)) => Some(ChatAction::Snippets(connection, more)),
            Some(Ask::Mapping) => Some(ChatAction::Mapping(connection)),
            None => action,
        }
    }

    /// Does what was chosen at a message. Returns what the pane cannot do alone.
    fn message_action(
        &mut self,
        cx: &mut Cx,
        key: &RoomKey,
        act: MessageAction,
        in_thread: bool,
    ) -> Option<ChatAction> {
        let (connection, room) = key.clone();
        let input = match self.threads.input(key).filter(|_| in_thread) {
            Some(input) => input,
            None => &mut self.input,
        };
        let mut want = |intent| cx.intents.push(Intent::Chat(intent));
        match act {
            MessageAction::Resend(id) => want(ChatIntent::Resend { connection, id }),
            MessageAction::Discard(id) => want(ChatIntent::Discard { connection, id }),
            MessageAction::Mention(name) => input.mention(key, &name),
            MessageAction::Direct(who) => return Some(ChatAction::Direct(connection, who)),
            MessageAction::Edit(id, body) => input.edit(key, id, body),
            MessageAction::Save(snippet) => return Some(ChatAction::Snippets(connection, Some(snippet))),
            MessageAction::Follow(target, claimed) => return Some(ChatAction::Follow(target, claimed)),
            MessageAction::Reply(id) => {
                let reply = cx.model.read(|model| {
                    model.connections.get(&key.0).map(|connection| reply_of(connection, &key.1, id, cx.words))
                });
                if let Some(reply) = reply {
                    input.reply(cx, key, reply);
                }
            }
            MessageAction::EditSent(id, body) => input.edit_sent(key, id, body),
            MessageAction::Delete(id, body) => return Some(ChatAction::Delete(key.clone(), id, body)),
            MessageAction::React(target, emoji, off) => {
                want(ChatIntent::React { connection, room, target, emoji, off });
            }
            MessageAction::PickReaction(id, at) => input.picker.open(key, Purpose::React(id), at),
            MessageAction::Pin(target, off) => want(ChatIntent::Pin { connection, room, target, off }),
            MessageAction::GoTo(position, id) => {
                if !in_thread || !self.threads.point_at(cx, key, id) {
                    self.pointed = Some((key.clone(), Jump::To(position), Some(id)));
                }
            }
            MessageAction::History(at) => return Some(ChatAction::History(key.clone(), at)),
            MessageAction::MarkUnread(position) => {
                want(ChatIntent::MarkUnread { connection, room, position });
                if let Some(list) = self.lists.get_mut(key) {
                    list.mark_unread(cx, key, position);
                }
            }
            MessageAction::Thread(root) => self.threads.open(key, root),
            MessageAction::File(intent) => cx.intents.push(*intent),
        }
        // What is drawn already does not show it.
        cx.deadline.at(cx.now.boot_ms);
        None
    }

    /// Does what was chosen in a list of the room's head.
    fn board_action(&mut self, cx: &mut Cx, key: &RoomKey, wish: boards::Wish) {
        let (connection, room) = key.clone();
        let want = |cx: &mut Cx, intent| cx.intents.push(Intent::Chat(intent));
        match wish {
            boards::Wish::GoTo(position, id) => {
                self.pointed = Some((key.clone(), Jump::To(position), Some(id)));
            }
            boards::Wish::Open(root) => self.threads.open(key, root),
            boards::Wish::Unpin(target) => {
                want(cx, ChatIntent::Pin { connection, room, target, off: true });
            }
            boards::Wish::ReadAll => {
                let unread = cx.model.read(|model| {
                    let room = model.connections.get(&connection)?.chat.rooms.get(&room)?;
                    let unread = room.threads.iter().filter(|(_, thread)| thread.unread > 0);
                    Some(unread.map(|(root, thread)| (*root, thread.newest)).collect::<Vec<_>>())
                });
                for (root, position) in unread.unwrap_or_default() {
                    let room = room.clone();
                    want(cx, ChatIntent::ReadThread { connection, room, root, position });
                }
            }
        }
        cx.deadline.at(cx.now.boot_ms);
    }

    /// Opens a thread beside its room, and marks one of its messages for a moment.
    pub(super) fn open_thread(&mut self, key: &RoomKey, root: MessageId) {
        self.threads.open(key, root);
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
        self.threads.flush_drafts(intents);
    }
}

impl Chat {
    /// The room's name, who is there, its menu and ways into its past.
    ///
    /// Long: its buttons from right to left.
    fn head(&mut self, ui: &mut Ui, cx: &mut Cx, key: &RoomKey) -> Head {
        let mut wished = Head::default();
        let theme = theme::of(ui);
        let has_frames = paint::has_frames(cx, key);
        let list = self.lists.entry(key.clone()).or_default();
        let (pins, threads) = (&mut self.pins, &mut self.thread_list);
        let frame = Frame::new().inner_margin(Margin::symmetric(space::LARGE as i8, 0));
        Panel::top("room head").frame(frame).resizable(false).show(ui, |ui| {
            ui.allocate_ui_with_layout(
                vec2(ui.available_width(), size::BAR),
                Layout::right_to_left(Align::Center),
                |ui| {
                    ui.set_min_height(size::BAR);
                    let words = cx.words.search;
                    let ways = [
                        (Icon::Search, words.button, Action::SearchRoom),
                        (Icon::Calendar, words.go_to_date, Action::GoToDate),
                    ];
                    // Beside a short name there is not room for all buttons.
                    let is_narrow = ui.available_width() < NARROW_HEAD;
                    if is_narrow || !room_menu::offered(cx, key).is_empty() {
                        let size = Vec2::splat(size::CONTROL);
                        menu::more(ui, cx.words.rooms.menu, size, |ui| {
                            for (_, name, action) in ways.into_iter().filter(|_| is_narrow) {
                                if menu::item_of(ui, name, action).clicked() {
                                    wished.action = Some(action);
                                }
                            }
                            wished.act = room_menu::acts(ui, cx, key);
                            room_menu::link(ui, cx, key);
                        });
                    }
                    for (icon, name, action) in ways.into_iter().filter(|_| !is_narrow) {
                        let hint = keys::hint(ui.ctx(), name, action);
                        if widgets::icon_button(ui, icon, name, &hint, false).clicked() {
                            wished.action = Some(action);
                        }
                    }
                    let board = threads.show(ui, cx, key);
                    wished.board = pins.show(ui, cx, key).or(board);
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
                        wished.people = self.online.show(ui, cx, key);
                        about(ui, cx, key);
                    });
                },
            );
        });
        wished
    }
}

/// What a person wants of a room's head.
#[derive(Default)]
struct Head {
    action: Option<Action>,
    /// What they want of the people.
    people: Option<online::Wish>,
    act: Option<RoomAct>,
    /// What they want of the room's pinned messages or threads.
    board: Option<boards::Wish>,
}

/// Draws the emoji picker, and does what an emoji was picked for.
fn pick_emoji(input: &mut Input, ui: &Ui, cx: &mut Cx, key: &RoomKey, composer: &mut Composer) {
    let (picked, closed) = input.picker.show(ui, cx, key, composer);
    match picked {
        Some((Purpose::Insert, emoji)) => input.insert(ui, cx, key, emoji),
        Some((Purpose::React(target), emoji)) => {
            let (connection, room) = key.clone();
            let emoji = emoji.to_owned();
            let react = ChatIntent::React { connection, room, target, emoji, off: false };
            cx.intents.push(Intent::Chat(react));
        }
        None => {}
    }
    if closed {
        input.focus();
    }
}

/// What a reply to a message needs of it. One that is not in memory is replied to all the same.
fn reply_of(connection: &Connection, room: &RoomId, id: MessageId, words: &Words) -> Reply {
    let chat = &connection.chat;
    match chat.rooms.get(room).and_then(|room| room.message(id)) {
        Some(message) => Reply {
            id,
            thread: message.content.thread(),
            author: chat.shown(&message.sender, rows::AUTHOR_CHARS).label(),
            text: extras::one_line(message.body()),
        },
        None => {
            let unknown = words.chat.quote_unknown;
            Reply { id, thread: None, author: "…".to_owned(), text: unknown.to_owned() }
        }
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

/// With less room than this, the ways into a room's past are in its menu, in points.
const NARROW_HEAD: f32 = 380.0;
/// Longest topic that is shown beside a room's name, in characters.
const TOPIC_CHARS: usize = 250;

/// What is known of a room beside its name: whether it is archived or was left, and what it is about.
fn about(ui: &mut Ui, cx: &Cx, key: &RoomKey) {
    let info = cx.model.read(|model| {
        let room = model.connections.get(&key.0)?.chat.rooms.get(&key.1)?;
        Some((room.info.archived, room.info.left, harmless::line(&room.info.topic, TOPIC_CHARS)))
    });
    let Some((archived, left, topic)) = info else { return };
    let theme = theme::of(ui);
    let words = cx.words.chat;
    let states = [(archived, words.archived), (left, words.left)];
    let states = states.iter().filter(|(is_so, _)| *is_so).map(|(_, said)| (*said).to_owned());
    for said in states.chain(Some(topic).filter(|topic| !topic.is_empty())) {
        let text = RichText::new(bidi::line(&said)).font(theme::small()).color(theme.weak);
        ui.add(Label::new(text).selectable(false).truncate()).on_hover_text(said);
    }
}
