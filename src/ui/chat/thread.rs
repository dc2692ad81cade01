//! A thread beside its room: the first message, its replies, and a field of its own.

use std::collections::HashMap;

use egui::{Align, Frame, Label, Layout, Margin, Panel, RichText, Ui, vec2};

use super::input::Input;
use super::list::List;
use super::{MessageAction, RoomKey};
use crate::model::id::MessageId;
use crate::model::intent::{Intent, Jump};
use crate::model::panes::Composer;
use crate::ui::icons::Icon;
use crate::ui::theme::{self, size, space};
use crate::ui::{Cx, widgets};

/// Maximum number of threads whose scroll position and text are remembered.
const MAX_THREADS: usize = 100;
/// With less room than this for the messages of the room, a thread takes their place, in points.
const MIN_ROOM_WIDTH: f32 = 300.0;
/// Width of a thread beside its room, in points.
const WIDTH: f32 = 280.0;

/// A thread that was opened.
struct Thread {
    list: List,
    input: Input,
}

/// The threads that were opened, and which one is.
#[derive(Default)]
pub(super) struct Threads {
    all: HashMap<(RoomKey, MessageId), Thread>,
    open: Option<(RoomKey, MessageId)>,
}

/// What came of drawing a thread.
#[derive(Default)]
pub(super) struct Drawn {
    pub(super) act: Option<MessageAction>,
    /// Whether it has the place of the room's messages.
    pub(super) covers: bool,
}

impl Threads {
    /// Opens the thread that begins with this message.
    pub(super) fn open(&mut self, key: &RoomKey, root: MessageId) {
        let place = (key.clone(), root);
        if self.all.len() >= MAX_THREADS && !self.all.contains_key(&place) {
            self.all.clear();
        }
        let thread = self
            .all
            .entry(place.clone())
            .or_insert_with(|| Thread { list: List::of_thread(root), input: Input::of_thread(root) });
        thread.input.focus();
        self.open = Some(place);
    }

    /// Marks a message of the open thread for a moment, if it is in it and in memory. Returns whether it is.
    pub(super) fn point_at(&mut self, cx: &mut Cx, key: &RoomKey, id: MessageId) -> bool {
        let Some(place) = self.open.as_ref().filter(|(room, _)| room == key) else { return false };
        let position = cx.model.read(|model| {
            let room = model.connections.get(&key.0)?.chat.rooms.get(&key.1)?;
            room.window_of(Some(place.1))?.position(id)
        });
        let (Some(position), Some(thread)) = (position, self.all.get_mut(place)) else { return false };
        thread.list.point_at(cx, key, Jump::To(position), Some(id));
        true
    }

    /// Hands out every draft that is not kept yet.
    pub(super) fn flush_drafts(&mut self, intents: &mut Vec<Intent>) {
        self.all.values_mut().for_each(|thread| thread.input.flush(intents));
    }

    /// The open thread's field, in this room.
    pub(super) fn input(&mut self, key: &RoomKey) -> Option<&mut Input> {
        let place = self.open.as_ref().filter(|(room, _)| room == key)?;
        self.all.get_mut(place).map(|thread| &mut thread.input)
    }

    /// Draws the open thread of this room, if there is one.
    pub(super) fn show(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx,
        key: &RoomKey,
        focused: bool,
        composer: &mut Composer,
    ) -> Drawn {
        self.open.take_if(|(room, _)| room != key);
        let Some(thread) = self.open.as_ref().and_then(|place| self.all.get_mut(place)) else {
            return Drawn::default();
        };
        let covers = ui.available_width() < MIN_ROOM_WIDTH + WIDTH;
        let mut closes = false;
        let mut act = None;
        let mut contents = |ui: &mut Ui| (closes, act) = thread.contents(ui, cx, key, focused, composer);
        if covers {
            contents(ui);
        } else {
            let panel = Panel::right("thread").frame(Frame::new()).default_size(WIDTH);
            panel.size_range(WIDTH..=(ui.available_width() - MIN_ROOM_WIDTH).max(WIDTH)).show(ui, contents);
            widgets::splitter(ui, "thread", cx.words.chat.resize_thread);
        }
        if closes {
            self.open = None;
            cx.deadline.at(cx.now.boot_ms);
        }
        Drawn { act, covers: covers && !closes }
    }
}

impl Thread {
    /// Returns whether the person closed it, and what they want of a message.
    fn contents(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx,
        key: &RoomKey,
        focused: bool,
        composer: &mut Composer,
    ) -> (bool, Option<MessageAction>) {
        let mut closes = false;
        let words = cx.words.chat;
        let frame = Frame::new().inner_margin(Margin::symmetric(space::LARGE as i8, 0));
        Panel::top("thread head").frame(frame).resizable(false).show(ui, |ui| {
            let size = vec2(ui.available_width(), size::BAR - space::SMALL);
            ui.allocate_ui_with_layout(size, Layout::right_to_left(Align::Center), |ui| {
                closes = widgets::icon_button(ui, Icon::Close, words.close_thread, words.close_thread, false)
                    .clicked();
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    let text = RichText::new(words.thread).font(theme::heading()).color(theme::of(ui).text);
                    let shown = ui.add(Label::new(text).selectable(false).truncate());
                    widgets::heading(ui, &shown, words.thread, 2);
                });
            });
        });
        let margin = Margin {
            left: space::LARGE as i8,
            right: space::LARGE as i8,
            top: 0,
            bottom: space::MEDIUM as i8,
        };
        Panel::bottom("thread input")
            .frame(Frame::new().inner_margin(margin))
            .resizable(false)
            .show_separator_line(false)
            .show(ui, |ui| _ = self.input.show(ui, cx, key, composer));
        let act = self.list.show(ui, cx, key, focused, self.input.id(key));
        (closes, act)
    }
}
