//! The input: a text field of up to six lines whose Enter sends, with a draft for every room.

use std::collections::HashMap;

use egui::text::CCursor;
use egui::text_edit::TextEditOutput;
use egui::text_selection::CCursorRange;
use egui::{
    Align, Event, EventFilter, Frame, Id, Key, KeyboardShortcut, Label, Layout, Margin, Modifiers, Pos2,
    Rect, RichText, ScrollArea, Stroke, TextEdit, Ui, UiBuilder, pos2, vec2,
};

use super::RoomKey;
use super::closed;
use super::complete::Complete;
use super::compose::Compose;
use super::emoji_picker::{EmojiPicker, Purpose};
use super::format_bar::{self, Format};
use super::frame_input::{self, Ask, Checked};
use super::notice;
use super::refused::Refused;
use super::slash::{self, Notice, Outcome};
use super::uploads::{self, Uploads};
use crate::model::content::Content;
use crate::model::features::Feature;
use crate::model::id::MessageId;
use crate::model::intent::{ChatIntent, FileIntent, Intent, LinkIntent};
use crate::model::message::{Delivery, MAX_BODY_BYTES, OutboxItem};
use crate::model::panes::Composer;
use crate::model::profile::FrameFormat;
use crate::model::time::BootMs;
use crate::model::window::Edge;
use crate::ui::icons::Icon;
use crate::ui::keys::{self, Action};
use crate::ui::theme::{self, radius, size, space};
use crate::ui::{Cx, widgets};

/// A draft is kept this long after its last change.
const KEEP_AFTER_MS: u64 = 300;
/// Others are told at most this often that the person is typing.
const TYPING_EVERY_MS: u64 = 3_000;
/// The input method's window follows the cursor once no key has come for so long.
const SPOT_AFTER_MS: u64 = 250;
/// The same within a syllable.
const SPOT_WITHIN_MS: u64 = 700;
/// The field grows to so many lines.
const LINES: f32 = 6.0;
/// More is never laid out: it is far more than can be sent.
const MOST_CHARACTERS: usize = 2 * MAX_BODY_BYTES;

/// The input's own state.
#[derive(Default)]
pub(super) struct Input {
    /// The first message of the thread that is written to; none: it is the room.
    thread: Option<MessageId>,
    drafts: HashMap<RoomKey, Draft>,
    wants_focus: bool,
    compose: Compose,
    complete: Complete,
    spot: Spot,
    pub(super) picker: EmojiPicker,
    uploads: Uploads,
    /// Where the cursor was when a field last had the focus.
    cursor: Option<(Id, CCursorRange)>,
}

/// Where the input method was told to put its window.
#[derive(Default)]
struct Spot {
    told: Option<(Id, Rect)>,
    typed_at: BootMs,
}

impl Spot {
    /// Keeps the spot while keys come and lets it follow the cursor at a pause. On X11 to move it means to wait for the
    /// input method's answer, and what it sends meanwhile, a syllable and the space behind it, comes in the wrong order.
    fn steady(&mut self, ui: &Ui, cx: &mut Cx, id: Id, composing: bool) {
        let typed = |event: &Event| matches!(event, Event::Ime(_) | Event::Text(_) | Event::Key { .. });
        if ui.input(|input| input.events.iter().any(typed)) {
            self.typed_at = cx.now.boot_ms;
        }
        let follows_at = self.typed_at.saturating_add(if composing { SPOT_WITHIN_MS } else { SPOT_AFTER_MS });
        let told = self.told.filter(|(field, _)| *field == id && cx.now.boot_ms < follows_at);
        ui.output_mut(|output| {
            let Some(ime) = &mut output.ime else { return };
            match told {
                Some((_, spot)) if spot != ime.cursor_rect => {
                    ime.cursor_rect = spot;
                    cx.deadline.at(follows_at);
                }
                Some(_) => {}
                None => self.told = Some((id, ime.cursor_rect)),
            }
        });
    }
}

/// What is typed in one room.
#[derive(Default)]
struct Draft {
    text: String,
    /// What the model was told.
    kept: String,
    /// When it changed, until it is kept.
    changed_at: Option<BootMs>,
    /// Whether the person typed here: before, what is kept is taken in.
    touched: bool,
    editing: Option<Editing>,
    /// The text was put there by us: what is typed next goes behind it.
    cursor_to_end: bool,
    typing_told_at: Option<BootMs>,
    /// Where messages are frames: whether this is one.
    checked: Checked,
    /// A paste that was not taken.
    refused_paste: Option<Refused>,
    /// What is said of a command.
    notice: Option<Notice>,
    /// What it replies to.
    reply: Option<Reply>,
    /// The first message of the thread that it is for.
    thread: Option<MessageId>,
    /// Whether it is shown in the room, too.
    also_in_room: bool,
    /// What it was last told to reply to.
    kept_reply: Option<MessageId>,
}

/// What is typed replies to a message.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) id: MessageId,
    /// The thread that the message belongs to.
    pub(super) thread: Option<MessageId>,
    /// Who wrote it, and what, on one line.
    pub(super) author: String,
    pub(super) text: String,
}

/// A message of the outbox is being changed.
struct Editing {
    id: MessageId,
    /// What was typed before.
    set_aside: String,
    /// It was sent meanwhile, or is no more.
    gone: bool,
    /// What it said, where the server has it.
    sent: Option<String>,
}

impl Draft {
    /// What must survive the window.
    fn to_keep(&self) -> &str {
        match &self.editing {
            Some(editing) if !editing.set_aside.is_empty() => &editing.set_aside,
            _ => &self.text,
        }
    }

    fn keep(&mut self, key: &RoomKey, intents: &mut Vec<Intent>) {
        self.changed_at = None;
        let reply = self.reply.as_ref().map(|reply| reply.id);
        let is_changed = (self.to_keep() != self.kept, reply != self.kept_reply);
        if is_changed == (false, false) {
            return;
        }
        self.kept = self.to_keep().to_owned();
        self.kept_reply = reply;
        let ((connection, room), text) = (key.clone(), self.kept.clone());
        if let Some(root) = self.thread {
            let draft = ChatIntent::SaveThreadDraft { connection, room, root, text, reply };
            return intents.push(Intent::Chat(draft));
        }
        if is_changed.1 {
            let room = room.clone();
            intents.push(Intent::Chat(ChatIntent::SaveReply { connection, room, reply }));
        }
        if is_changed.0 {
            intents.push(Intent::Chat(ChatIntent::SaveDraft { connection, room, text }));
        }
    }

    /// The text was changed otherwise than by typing in the field.
    fn changed(&mut self, cx: &Cx) {
        self.touched = true;
        self.changed_at = Some(cx.now.boot_ms);
    }

    /// Draws what is said of a command. Returns whether the person is done with it.
    fn show_notice(&mut self, ui: &mut Ui, cx: &mut Cx) -> bool {
        let Some(notice) = &self.notice else { return false };
        let answer = notice::show(ui, cx, notice);
        if answer == notice::Answer::None {
            return false;
        }
        if let Some((_, intent)) = self.notice.take().and_then(|notice| notice.ask)
            && answer == notice::Answer::Confirm
        {
            cx.intents.push(intent);
        }
        cx.deadline.at(cx.now.boot_ms);
        true
    }

    fn end_edit(&mut self) {
        if let Some(editing) = self.editing.take() {
            self.text = editing.set_aside;
            self.cursor_to_end = true;
        }
    }
}

/// What the input needs of the room.
struct Facts {
    online: bool,
    /// What was kept, where the person has not typed yet.
    draft: Option<(String, Option<Reply>)>,
    editable: bool,
    /// Whether others see who is typing.
    tells_typing: bool,
}

impl Input {
    /// The text field's id in a room.
    pub(super) fn id(&self, key: &RoomKey) -> Id {
        match self.thread {
            None => Id::unique(("message", key)),
            Some(root) => Id::unique(("message", key, root)),
        }
    }

    /// For the thread that begins with a message.
    pub(super) fn of_thread(root: MessageId) -> Input {
        Input { thread: Some(root), ..Input::default() }
    }

    /// Puts the keyboard's focus into the field with the next frame.
    pub(super) fn focus(&mut self) {
        self.wants_focus = true;
    }

    /// Takes a message of the outbox into the field, to be changed.
    pub(super) fn edit(&mut self, key: &RoomKey, id: MessageId, body: String) {
        let draft = self.drafts.entry(key.clone()).or_default();
        draft.end_edit();
        let set_aside = std::mem::replace(&mut draft.text, body);
        draft.editing = Some(Editing { id, set_aside, gone: false, sent: None });
        draft.touched = true;
        draft.cursor_to_end = true;
        self.wants_focus = true;
    }

    /// The same with a message that the server has.
    pub(super) fn edit_sent(&mut self, key: &RoomKey, id: MessageId, body: String) {
        self.edit(key, id, body.clone());
        if let Some(editing) = self.drafts.get_mut(key).and_then(|draft| draft.editing.as_mut()) {
            editing.sent = Some(body);
        }
    }

    /// What is typed replies to this.
    pub(super) fn reply(&mut self, cx: &Cx, key: &RoomKey, reply: Reply) {
        let draft = self.drafts.entry(key.clone()).or_default();
        draft.end_edit();
        draft.reply = Some(reply);
        draft.changed(cx);
        self.wants_focus = true;
    }

    /// Adds somebody's name behind what is written.
    pub(super) fn mention(&mut self, key: &RoomKey, name: &str) {
        let draft = self.drafts.entry(key.clone()).or_default();
        if !draft.text.is_empty() && !draft.text.ends_with(char::is_whitespace) {
            draft.text.push(' ');
        }
        draft.text.push_str(&format!("@{name} "));
        draft.touched = true;
        draft.cursor_to_end = true;
        self.wants_focus = true;
    }

    /// Puts an emoji where the cursor is.
    pub(super) fn insert(&mut self, ui: &Ui, cx: &Cx, key: &RoomKey, emoji: &str) {
        let id = self.id(key);
        let draft = self.drafts.entry(key.clone()).or_default();
        let last = self.cursor.filter(|(field, _)| *field == id).map(|(_, range)| range);
        format_bar::insert(ui, id, &mut draft.text, emoji, last);
        draft.changed(cx);
        self.wants_focus = true;
    }

    /// Hands out every draft that is not kept yet.
    pub(super) fn flush(&mut self, intents: &mut Vec<Intent>) {
        for (key, draft) in &mut self.drafts {
            draft.keep(key, intents);
        }
    }

    /// Draws the field and its button. Returns the dialog that the person wants.
    ///
    /// Long: the steps of one frame, whose order matters: the keys that are not the field's, the field, what it changed.
    pub(super) fn show(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx,
        key: &RoomKey,
        composer: &mut Composer,
    ) -> Option<Ask> {
        if closed::show(ui, cx, key) {
            self.wants_focus = false;
            return None;
        }
        let id = self.id(key);
        let draft = self.drafts.entry(key.clone()).or_default();
        draft.thread = self.thread;
        let facts = facts(cx, key, draft);
        if let Some((kept, reply)) = facts.draft {
            draft.text = kept.clone();
            draft.kept = kept;
            draft.kept_reply = reply.as_ref().map(|reply| reply.id);
            draft.reply = reply;
            draft.cursor_to_end = true;
        }
        if let Some(editing) = &mut draft.editing {
            editing.gone |= !facts.editable;
        }
        let mut ask = None;
        let mut frames = frame_input::format_of(cx, key.0);
        if frames.is_some() {
            let touch = frame_input::show(ui, cx, key, &draft.text, &mut draft.checked);
            ask = touch.ask;
            if let Some(snippet) = touch.insert {
                frames = Some(snippet.format);
                cx.intents.push(Intent::Link(LinkIntent::SetFormat(key.0, snippet.format)));
                draft.text.push_str(&snippet.text);
                draft.cursor_to_end = true;
                draft.changed(cx);
                self.wants_focus = true;
            }
        }
        let takes_files = frames.is_none() && uploads::are_offered(cx, key);
        if takes_files && self.uploads.show(ui, cx, key, self.thread) {
            self.wants_focus = true;
            cx.deadline.at(cx.now.boot_ms);
        }
        let attached = draft.editing.is_none() && uploads::are_attached(cx, key, self.thread);
        let mut cancel = strip(ui, cx, draft);
        if draft.reply.as_ref().is_some_and(|reply| reply_strip(ui, cx, reply)) {
            draft.reply = None;
            draft.changed(cx);
            self.wants_focus = true;
            cx.deadline.at(cx.now.boot_ms);
        }
        self.wants_focus |= draft.show_notice(ui, cx);
        if draft.refused_paste.as_mut().is_some_and(|refused| refused.show(ui, cx)) {
            draft.refused_paste = None;
            self.wants_focus = true;
            cx.deadline.at(cx.now.boot_ms);
        }
        let too_large = draft.text.len() > MAX_BODY_BYTES;
        let empty = draft.text.trim().is_empty();
        let is_sound = match frames {
            Some(format) if draft.editing.is_none() => draft.checked.look(format, &draft.text).is_ok(),
            _ => true,
        };
        if ui.memory(|memory| memory.has_focus(id)) {
            let sends = |event: &Event| sends(event, cx.chosen.enter_sends);
            ui.input_mut(|input| self.compose.sort(cx.now.boot_ms, &mut input.events, sends));
            if let Some(moment) = self.compose.deadline(cx.now.boot_ms) {
                cx.deadline.at(moment);
            }
            draft.refused_paste = refuse_paste(ui, &draft.text).or(draft.refused_paste.take());
            if frames.is_none()
                && !self.compose.is_composing()
                && let Some(format) = format_bar::by_keys(ui)
            {
                format_bar::apply(ui, id, &mut draft.text, format, None);
                draft.changed(cx);
            }
        }
        let composing = self.compose.is_composing();
        if frames.is_none() && self.complete.take_keys(ui, cx, key, id, &mut draft.text, composing) {
            draft.changed(cx);
        }
        let edits_last = frames.is_none() && !composing && up_pressed(ui, id, draft);
        let enter = enter_pressed(ui, &self.compose, cx.chosen.enter_sends);
        let mut keeps = self.complete.filter();
        // Escape gives up what is being done before it leaves the field.
        keeps.escape |= draft.editing.is_some() || draft.reply.is_some();
        let tools = frames.is_none().then_some(&*composer);
        let can_send = !too_large && (!empty || attached) && is_sound;
        let Field { output, clicked, tool } =
            field(ui, cx, key, id, draft, (facts.online, can_send, takes_files), keeps, tools);
        match tool {
            Some(Tool::Format(format)) => {
                let last = self.cursor.filter(|(field, _)| *field == id).map(|(_, range)| range);
                format_bar::apply(ui, id, &mut draft.text, format, last);
                draft.changed(cx);
                self.wants_focus = true;
            }
            Some(Tool::Formatting) => {
                composer.formatting = !composer.formatting;
                self.wants_focus = true;
                cx.deadline.at(cx.now.boot_ms);
            }
            Some(Tool::Attach) => self.uploads.pick(cx, key, self.thread),
            Some(Tool::Emoji(at)) => self.picker.open(key, Purpose::Insert, at),
            None => {}
        }
        let name = if self.thread.is_some() { cx.words.chat.thread_message } else { cx.words.message };
        let response = output.response.response.clone().accessible_name(name);
        if response.has_focus() {
            self.cursor = output.cursor_range.map(|range| (id, range));
            self.spot.steady(ui, cx, id, self.compose.is_composing());
        }
        if frames.is_none() && self.complete.show(ui, cx, key, id, response.rect, &mut draft.text, composing)
        {
            draft.changed(cx);
            self.wants_focus = true;
        }
        if std::mem::take(&mut self.wants_focus) {
            response.request_focus();
        }
        if too_large {
            let theme = theme::of(ui);
            let words = (cx.words.too_large)(draft.text.len());
            ui.add(Label::new(RichText::new(words).font(theme::small()).color(theme.bad)).wrap());
        }
        if response.changed() {
            draft.changed(cx);
            draft.notice.take_if(|notice| notice.is_bad);
            tell_typing(cx, key, draft, facts.online && facts.tells_typing);
        }
        let escape = response.has_focus() && ui.input(|input| input.key_pressed(Key::Escape));
        cancel |= draft.editing.is_some() && escape;
        if escape && draft.editing.is_none() && draft.reply.take().is_some() {
            draft.changed(cx);
        }
        if cancel {
            draft.end_edit();
            self.wants_focus = true;
        } else if clicked || (enter && response.has_focus()) {
            // Enter counts for what stands in the field now, composed syllables included.
            let is_sendable = attached || !draft.text.trim().is_empty();
            if draft.text.len() <= MAX_BODY_BYTES && is_sendable {
                if attached {
                    submit_files(cx, key, draft, self.thread);
                } else {
                    submit(cx, key, draft, frames, self.thread);
                }
            }
            self.wants_focus = clicked;
        }
        if self.thread.is_some() && draft.editing.is_none() {
            ui.checkbox(&mut draft.also_in_room, cx.words.chat.also_in_room);
        }
        keep_in_time(cx, key, draft);
        if edits_last && let Some((id, body, is_sent)) = last_own(cx, key, self.thread) {
            cx.deadline.at(cx.now.boot_ms);
            if is_sent { self.edit_sent(key, id, body) } else { self.edit(key, id, body) }
        }
        ask
    }
}

/// Whether the up arrow was pressed in a field with nothing in it, which edits one's last message.
fn up_pressed(ui: &Ui, id: Id, draft: &Draft) -> bool {
    draft.text.is_empty()
        && draft.editing.is_none()
        && ui.memory(|memory| memory.has_focus(id))
        && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::ArrowUp))
}

/// The person's last message in a room that can be edited, and whether the server has it.
fn last_own(cx: &Cx, key: &RoomKey, thread: Option<MessageId>) -> Option<(MessageId, String, bool)> {
    cx.model.read(|model| {
        let connection = model.connections.get(&key.0)?;
        let me = &connection.chat.me.as_ref()?.id;
        let is_free = |item: &&OutboxItem| matches!(item.delivery, Delivery::Pending | Delivery::Failed(_));
        if let Some(last) =
            connection.chat.queued_in(&key.1, thread).filter(|item| item.draft.content.is_text()).last()
        {
            return Some(last)
                .filter(is_free)
                .map(|item| (item.draft.id, item.draft.content.body().to_owned(), false));
        }
        let window = connection.chat.rooms.get(&key.1)?.window_of(thread)?;
        if !connection.offers(Feature::Edits) || window.after != Edge::End {
            return None;
        }
        let own = window
            .messages()
            .rev()
            .find(|message| message.sender.id == *me && !message.is_deleted() && !message.is_event())?;
        Some((own.id, own.body().to_owned(), true))
    })
}

fn facts(cx: &Cx, key: &RoomKey, draft: &Draft) -> Facts {
    cx.model.read(|model| {
        let Some(connection) = model.connections.get(&key.0) else {
            return Facts { online: false, draft: None, editable: false, tells_typing: false };
        };
        let room = connection.chat.rooms.get(&key.1);
        let (kept, reply) = match (room, draft.thread) {
            (None, _) => ("", None),
            (Some(room), None) => (room.draft.as_str(), room.draft_reply),
            (Some(room), Some(root)) => {
                room.threads.get(&root).map_or(("", None), |known| (known.draft.as_str(), known.draft_reply))
            }
        };
        let is_news = kept != draft.text || reply != draft.reply.as_ref().map(|reply| reply.id);
        let item = draft
            .editing
            .as_ref()
            .and_then(|e| connection.chat.outbox.values().find(|item| item.draft.id == e.id));
        // A message that is not in memory is taken to be there.
        let is_there = |id| {
            let room = connection.chat.rooms.get(&key.1);
            room.and_then(|room| room.message(id)).is_none_or(|message| !message.is_deleted())
        };
        let sent = draft.editing.as_ref().filter(|editing| editing.sent.is_some());
        Facts {
            online: connection.link.is_online(),
            draft: (!draft.touched && is_news).then(|| {
                let reply = reply.map(|id| super::reply_of(connection, &key.1, id, cx.words));
                (kept.to_owned(), reply)
            }),
            editable: sent.is_some_and(|editing| is_there(editing.id))
                || item.is_some_and(|item| matches!(item.delivery, Delivery::Pending | Delivery::Failed(_))),
            tells_typing: connection.offers(Feature::Typing),
        }
    })
}

/// The line above the field while a message is changed. Returns whether the person gave it up.
fn strip(ui: &mut Ui, cx: &Cx, draft: &Draft) -> bool {
    let Some(editing) = &draft.editing else {
        return false;
    };
    let theme = theme::of(ui);
    let (words, colour) = match (editing.gone, editing.sent.is_some()) {
        (true, false) => (cx.words.sent_meanwhile, theme.warn),
        (true, true) => (cx.words.chat.deleted_meanwhile, theme.warn),
        (false, false) => (cx.words.editing, theme.weak),
        (false, true) => (cx.words.chat.editing_sent, theme.weak),
    };
    let mut cancel = false;
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(words).font(theme::small()).color(colour));
        cancel = ui.add(widgets::link(theme, cx.words.cancel)).clicked();
    });
    cancel
}

/// The line above the field while a message is replied to. Returns whether the person gave it up.
fn reply_strip(ui: &mut Ui, cx: &Cx, reply: &Reply) -> bool {
    let theme = theme::of(ui);
    let words = cx.words.chat;
    let mut cancel = false;
    let height = 2.0 * size::SMALL_LINE + space::TINY;
    let layout = Layout::right_to_left(Align::Center);
    ui.allocate_ui_with_layout(vec2(ui.available_width(), height), layout, |ui| {
        ui.set_min_height(height);
        cancel =
            widgets::icon_button(ui, Icon::Close, words.cancel_reply, words.cancel_reply, false).clicked();
        let rect = ui.available_rect_before_wrap();
        let bar = Rect::from_min_size(rect.min, vec2(3.0, rect.height()));
        ui.painter().rect_filled(bar, 1.5, theme.accent);
        let left = rect.left() + space::SMALL + 2.0;
        let title = (words.replying_to)(&reply.author);
        let room = rect.right() - left;
        let shown = widgets::cut(ui, &title, theme::small(), theme.accent, room);
        ui.painter().galley(pos2(left, rect.top() + 1.0), shown, theme.accent);
        let text = widgets::cut(ui, &reply.text, theme::small(), theme.weak, room);
        ui.painter().galley(pos2(left, rect.top() + 1.0 + size::SMALL_LINE), text, theme.weak);
        let said = format!("{title}: {}", reply.text);
        widgets::spoken(ui, rect, ui.scope_id().with("reply"), &said);
    });
    ui.add_space(space::TINY);
    cancel
}

/// Whether Enter was pressed to send. While an input method composes, Enter is its own: what counts is whether it still
/// composes after all events of this frame, since it ends the composition with a commit. Where Enter alone breaks the
/// line, it sends with Ctrl or Command.
fn enter_pressed(ui: &Ui, compose: &Compose, enter_sends: bool) -> bool {
    !compose.is_composing() && ui.input(|input| input.events.iter().any(|event| sends(event, enter_sends)))
}

fn sends(event: &Event, enter_sends: bool) -> bool {
    match event {
        Event::Key { key: Key::Enter, pressed: true, modifiers, .. } => {
            !modifiers.shift && !modifiers.alt && (enter_sends || modifiers.command)
        }
        _ => false,
    }
}

/// Takes a paste that does not fit out of what was pressed: cut short, a part of it would be lost unseen.
fn refuse_paste(ui: &Ui, text: &str) -> Option<Refused> {
    ui.input_mut(|input| {
        let mut refused = None;
        input.events.retain(|event| {
            let (Event::Paste(pasted) | Event::MiddleClickPaste { text: pasted, .. }) = event else {
                return true;
            };
            // Bytes bound characters: most pastes are not counted.
            if text.len() + pasted.len() <= MOST_CHARACTERS {
                return true;
            }
            let (length, room) =
                (pasted.chars().count(), MOST_CHARACTERS.saturating_sub(text.chars().count()));
            let fits = length <= room;
            if !fits {
                refused = Some(Refused::new(pasted, length, room));
            }
            fits
        });
        refused
    })
}

fn move_cursor_to_end(ui: &Ui, id: Id, text: &str) {
    let mut state = TextEdit::load_state(ui.ctx(), id).unwrap_or_default();
    let end = CCursorRange::one(CCursor::new(text.chars().count()));
    state.cursor.set_char_range(Some(end));
    TextEdit::store_state(ui.ctx(), id, state);
}

/// What stands in the field while it is empty.
fn hint(ui: &Ui, cx: &Cx, key: &RoomKey) -> String {
    let hint = match frame_input::format_of(cx, key.0) {
        Some(_) => cx.words.plain.message_hint.to_owned(),
        None => (cx.words.message_hint)(&cx.room_title(key.0, &key.1, 40)),
    };
    match keys::label(ui.ctx(), Action::NewLine) {
        Some(keys) if cx.chosen.enter_sends && ui.available_width() > size::HINTED => {
            (cx.words.rich.with_new_line)(&hint, &keys)
        }
        _ => hint,
    }
}

/// What was drawn of the field, and what the person did beside it.
struct Field {
    output: TextEditOutput,
    /// Whether the button was clicked that sends.
    clicked: bool,
    tool: Option<Tool>,
}

/// What stands beside the field.
enum Tool {
    /// Format what is selected.
    Format(Format),
    /// Show the formatting toolbar, or hide it.
    Formatting,
    /// Pick an emoji, beside this place.
    Emoji(Rect),
    /// Pick files.
    Attach,
}

/// Draws the field with its buttons. `tools`: which there are, where messages may have any.
///
/// Long: what stands beside the field takes its place from it.
#[allow(clippy::too_many_arguments)]
fn field(
    ui: &mut Ui,
    cx: &Cx,
    key: &RoomKey,
    id: Id,
    draft: &mut Draft,
    (online, can_send, takes_files): (bool, bool, bool),
    keeps: EventFilter,
    tools: Option<&Composer>,
) -> Field {
    let theme = theme::of(ui);
    if std::mem::take(&mut draft.cursor_to_end) {
        move_cursor_to_end(ui, id, &draft.text);
    }
    let focused = ui.memory(|memory| memory.has_focus(id));
    let stroke = if focused { Stroke::new(1.5, theme.accent) } else { Stroke::new(1.0, theme.outline) };
    let hint = if draft.thread.is_some() { cx.words.chat.thread_hint.to_owned() } else { hint(ui, cx, key) };
    let label = if draft.editing.as_ref().is_some_and(|e| !e.gone) { cx.words.save } else { cx.words.send };
    let breaks_line = if cx.chosen.enter_sends { Modifiers::SHIFT } else { Modifiers::NONE };
    let margin = Margin { left: space::MEDIUM as i8, right: 6, top: 6, bottom: 6 };
    let frame =
        Frame::new().fill(theme.raised).stroke(stroke).corner_radius(radius::CARD).inner_margin(margin);
    let mut tool = None;
    let inner = frame.show(ui, |ui| {
        let is_low = ui.ctx().content_rect().height() < size::CRAMPED_HEIGHT;
        if tools.is_some_and(|tools| tools.formatting) && !is_low {
            tool = format_bar::show(ui, cx).map(Tool::Format);
        }
        // Both sizes come from the content alone. Placed from the bottom up, the field would be as high as the panel was in
        // the frame before, and neither would ever shrink again.
        let button_width = widgets::primary_width(ui, label);
        let full = ui.available_rect_before_wrap();
        let tools_width = if tools.is_some() { tools_width(takes_files) } else { 0.0 };
        let text_width = (full.width() - button_width - tools_width - ui.spacing().item_spacing.x).max(0.0);
        // The words on the button stand on the line of the last row of the text.
        let row = ui.text_style_height(&egui::TextStyle::Body);
        let pad = ((size::CONTROL - row) / 2.0).max(0.0).round();
        let most = LINES * size::BODY_LINE + 2.0 * pad;
        let text = ui.allocate_ui_with_layout(vec2(text_width, most), Layout::top_down(Align::Min), |ui| {
            ui.set_width(text_width);
            let area = ScrollArea::vertical().id_salt(key).max_height(most).auto_shrink([false, true]);
            area.show(ui, |ui| {
                TextEdit::multiline(&mut draft.text)
                    .id(id)
                    .frame(Frame::new().inner_margin(Margin::symmetric(0, pad as i8)))
                    .hint_text(hint)
                    .desired_rows(1)
                    .desired_width(f32::INFINITY)
                    .char_limit(MOST_CHARACTERS)
                    .event_filter(keeps)
                    .return_key(KeyboardShortcut::new(breaks_line, Key::Enter))
                    .show(ui)
            })
        });
        let line = text.response.rect.bottom() - pad - row / 2.0;
        let right = full.right() - button_width - space::TINY;
        if let Some(tools) = tools {
            tool = beside(ui, cx, tools, takes_files, pos2(right, line)).or(tool.take());
        }
        let centre = pos2(full.right() - button_width / 2.0, line);
        let at = Rect::from_center_size(centre, vec2(button_width, size::CONTROL));
        let button = if can_send {
            widgets::primary(theme, label)
        } else {
            widgets::plain(label).min_size(vec2(button_width, size::CONTROL))
        };
        let mut button = ui.add_enabled_ui(can_send, |ui| ui.put(at, button)).inner;
        if !online {
            button = button.on_hover_text(cx.words.sent_when_online);
        }
        (text.inner.inner, button.clicked())
    });
    let (output, clicked) = inner.inner;
    Field { output, clicked, tool }
}

/// The buttons between the field and the one that sends, which end at this place.
fn beside(ui: &mut Ui, cx: &Cx, tools: &Composer, takes_files: bool, right_centre: Pos2) -> Option<Tool> {
    let words = cx.words.chat;
    let size = vec2(tools_width(takes_files), size::CONTROL);
    let corner = pos2(right_centre.x - size.x, right_centre.y - size.y / 2.0);
    let builder = UiBuilder::new()
        .max_rect(Rect::from_min_size(corner, size))
        .id_salt("composer tools")
        .layout(Layout::right_to_left(Align::Center));
    let mut ui = ui.new_child(builder);
    ui.spacing_mut().item_spacing.x = space::TINY;
    ui.spacing_mut().button_padding.x = space::TINY;
    let mut tool = None;
    let emoji = widgets::icon_button(&mut ui, Icon::Smile, words.emoji, words.emoji, false);
    if emoji.clicked() {
        tool = Some(Tool::Emoji(emoji.rect));
    }
    let hint = if tools.formatting { words.hide_formatting } else { words.show_formatting };
    if widgets::icon_toggle(&mut ui, Icon::Format, words.formatting, hint, tools.formatting).clicked() {
        tool = Some(Tool::Formatting);
    }
    if takes_files {
        let name = cx.words.files.attach;
        if widgets::icon_button(&mut ui, Icon::Plus, name, name, false).clicked() {
            tool = Some(Tool::Attach);
        }
    }
    tool
}

/// How wide the buttons beside the field are, in points.
fn tools_width(takes_files: bool) -> f32 {
    let count = if takes_files { 3.0 } else { 2.0 };
    count * (size::CONTROL + space::TINY)
}

fn tell_typing(cx: &mut Cx, key: &RoomKey, draft: &mut Draft, online: bool) {
    let now = cx.now.boot_ms;
    let due = draft.typing_told_at.is_none_or(|told| now >= told.saturating_add(TYPING_EVERY_MS));
    if online && due && draft.editing.is_none() && !draft.text.trim().is_empty() {
        draft.typing_told_at = Some(now);
        let (connection, room) = key.clone();
        cx.intents.push(Intent::Chat(ChatIntent::Typing { connection, room }));
    }
}

/// Sends the files that were added, with what stands in the field.
fn submit_files(cx: &mut Cx, key: &RoomKey, draft: &mut Draft, thread: Option<MessageId>) {
    let (connection, room) = key.clone();
    let text = std::mem::take(&mut draft.text);
    let reply_to = draft.reply.take().map(|reply| reply.id);
    cx.intents.push(Intent::File(FileIntent::Send { connection, room, thread, text, reply_to }));
    draft.touched = true;
    draft.typing_told_at = None;
    draft.keep(key, cx.intents);
}

/// Sends what stands in the field, or carries out the command that it is.
fn submit(
    cx: &mut Cx,
    key: &RoomKey,
    draft: &mut Draft,
    frames: Option<FrameFormat>,
    thread: Option<MessageId>,
) {
    let outcome = match frames.filter(|_| draft.editing.is_none()) {
        Some(format) => match frame_input::content(format, &draft.text) {
            Ok(content) => Outcome::Send(content),
            Err(_) => {
                draft.checked.is_refused = true;
                return;
            }
        },
        None if draft.editing.is_some() => Outcome::Send(Content::text(draft.text.as_str())),
        None => slash::run(cx, key, &draft.text),
    };
    match outcome {
        Outcome::Send(content) => {
            draft.notice = None;
            let content = match draft.reply.take_if(|_| draft.editing.is_none()) {
                Some(reply) => Content::reply(content.body(), reply.id, thread.or(reply.thread)),
                None if draft.editing.is_some() => content,
                None => match thread {
                    Some(root) => Content::reply(content.body(), root, Some(root)),
                    None => content,
                },
            };
            let content = match thread.is_some() && std::mem::take(&mut draft.also_in_room) {
                true => content.also_in_room(),
                false => content,
            };
            send(cx, key, draft, content);
        }
        Outcome::Done(notice) => {
            draft.notice = notice;
            draft.text.clear();
            draft.touched = true;
            draft.keep(key, cx.intents);
        }
        Outcome::Failed(notice) => draft.notice = Some(notice),
    }
}

/// Hands the text over and clears the field in the same step.
fn send(cx: &mut Cx, key: &RoomKey, draft: &mut Draft, content: Content) {
    let body = std::mem::take(&mut draft.text);
    let (connection, room) = key.clone();
    match draft.editing.as_ref().filter(|editing| !editing.gone) {
        // Nothing was changed.
        Some(Editing { sent: Some(sent), .. }) if *sent == body => {}
        Some(Editing { sent: Some(_), id, .. }) => {
            let target = *id;
            cx.intents.push(Intent::Chat(ChatIntent::EditSent { connection, room, target, body }));
        }
        Some(editing) => cx.intents.push(Intent::Chat(ChatIntent::Edit { connection, id: editing.id, body })),
        None => cx.intents.push(Intent::Chat(ChatIntent::Send { connection, room, content })),
    }
    draft.end_edit();
    draft.touched = true;
    draft.typing_told_at = None;
    // After the intent to send: were it lost with us, the draft would still be there.
    draft.keep(key, cx.intents);
}

fn keep_in_time(cx: &mut Cx, key: &RoomKey, draft: &mut Draft) {
    if let Some(changed_at) = draft.changed_at {
        let due = changed_at.saturating_add(KEEP_AFTER_MS);
        if cx.now.boot_ms >= due {
            draft.keep(key, cx.intents);
        } else {
            cx.deadline.at(due);
        }
    }
}
