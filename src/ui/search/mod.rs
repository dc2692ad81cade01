//! The search pane: the query and its results. It replaces the devices on the right or, in a narrow window,
//! all other panes. [`day`] is the sheet that jumps to a date.

mod controls;
pub(super) mod day;
mod excerpt;
mod list;

use std::sync::Arc;

use chrono::NaiveDate;
use egui::{CentralPanel, Frame, Key, Margin, Modifiers, Panel, Rect, Ui};

use super::theme::{self, size, space};
use super::{Cx, OpenRoom, widgets};
use crate::model::banner::Banner;
use crate::model::id::{ConnectionId, MessageId, RoomId};
use crate::model::intent::{ChatIntent, Intent, Jump};
use crate::model::reducer::Model;
use crate::model::search::{End, Fault, Found, Hit, HitPlace, Patience, Query, Scope, Search, parse};

use list::List;

/// State of the pane; `None` while it is closed.
#[derive(Default)]
pub(super) struct Pane {
    view: Option<View>,
}

/// An action for the rest of the window.
pub(super) enum SearchAction {
    /// Show a message in its room.
    Go(MessageRef),
    /// The pane was closed.
    Closed,
}

/// A message to jump to.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct MessageRef {
    /// The connection.
    pub(super) connection: ConnectionId,
    /// The room.
    pub(super) room: RoomId,
    /// Position in the room's log, or the outbox.
    pub(super) place: HitPlace,
    /// Id of the message.
    pub(super) id: MessageId,
    /// The thread that alone shows it.
    pub(super) thread: Option<MessageId>,
}

/// An open pane.
struct View {
    text: String,
    /// Whether an input method is composing.
    composing: bool,
    everywhere: bool,
    faults: Vec<Fault>,
    /// Whether indexing was incomplete when the last search was sent.
    was_indexing: bool,
    asked: Option<SentSearch>,
    shown: Results,
    list: List,
    wants_focus: bool,
    /// Whether a filter was inserted for the person to complete.
    goes_on: bool,
}

/// A search that was sent.
struct SentSearch {
    number: u64,
    query: Query,
    scope: Scope,
    /// Whether it continues the results shown.
    is_more: bool,
    answered: bool,
}

/// The results shown.
#[derive(Default)]
struct Results {
    hits: Vec<Hit>,
    /// The last answer, without its hits.
    answer: Option<Found>,
}

/// What the view needs from the model besides the answers.
struct Facts {
    found: Option<Arc<Found>>,
    indexed: Option<u8>,
    disk_trouble: bool,
    room: Option<(ConnectionId, RoomId)>,
    /// The current local date.
    today: NaiveDate,
}

fn facts(cx: &Cx, open: Option<&OpenRoom>) -> Facts {
    let room = open.and_then(|place| Some((place.connection, place.room.clone()?)));
    cx.model.read(|model: &Model| Facts {
        found: model.searching.found.clone(),
        indexed: model.searching.indexed,
        disk_trouble: model
            .banners
            .iter()
            .any(|banner| matches!(banner, Banner::DiskFull | Banner::DiskLow | Banner::DiskReadOnly { .. })),
        room,
        today: day::today(cx),
    })
}

impl MessageRef {
    /// The position to jump to.
    pub(super) fn jump(&self) -> Jump {
        match self.place {
            HitPlace::Logged(position) => Jump::To(position),
            HitPlace::Outbox => Jump::End,
        }
    }
}

impl Pane {
    /// Opens or focuses the pane, to search the open room or everywhere.
    pub(super) fn open(&mut self, everywhere: bool) {
        let view = self.view.get_or_insert_with(|| View {
            text: String::new(),
            composing: false,
            everywhere,
            faults: Vec::new(),
            was_indexing: false,
            asked: None,
            shown: Results::default(),
            list: List::default(),
            wants_focus: true,
            goes_on: false,
        });
        view.everywhere = everywhere;
        view.wants_focus = true;
    }

    /// Whether the pane is open.
    pub(super) fn is_open(&self) -> bool {
        self.view.is_some()
    }

    /// Closes the pane.
    pub(super) fn close(&mut self) {
        self.view = None;
    }

    /// Focuses the field.
    pub(super) fn focus(&mut self) {
        if let Some(view) = &mut self.view {
            view.wants_focus = true;
        }
    }

    /// Draws the pane, if it is open: on the right, or `alone` in place of all other panes.
    pub(super) fn show(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx,
        open: Option<&OpenRoom>,
        alone: bool,
    ) -> (Option<SearchAction>, Rect) {
        let Some(view) = &mut self.view else { return (None, Rect::NOTHING) };
        let facts = facts(cx, open);
        view.take(&facts);
        view.ask(cx, &facts);
        let frame = Frame::new().fill(theme::of(ui).panel);
        let shown = if alone {
            CentralPanel::default().frame(frame).show(ui, |ui| view.show(ui, cx, &facts))
        } else {
            let most = ui.available_width() - size::ROOMS_LEAST - size::CHAT_LEAST;
            Panel::right("search")
                .frame(frame)
                .default_size(size::SEARCH)
                .size_range(size::SEARCH_LEAST..=most.max(size::SEARCH_LEAST))
                .show(ui, |ui| view.show(ui, cx, &facts))
        };
        // If the pane covers the room, it closes when a result is opened.
        if matches!(shown.inner, Some(SearchAction::Closed)) || (alone && shown.inner.is_some()) {
            self.view = None;
            cx.deadline.at(cx.now.boot_ms);
        }
        (shown.inner, shown.response.rect)
    }
}

impl View {
    /// Takes over new results.
    fn take(&mut self, facts: &Facts) {
        let (Some(asked), Some(found)) = (&mut self.asked, &facts.found) else { return };
        if asked.answered || asked.number != found.number {
            return;
        }
        asked.answered = true;
        if !asked.is_more {
            self.shown.hits.clear();
            self.list.begin_anew();
        }
        self.shown.hits.extend(found.hits.iter().cloned());
        self.shown.answer = Some(Found { hits: Vec::new(), ..Found::clone(found) });
    }

    /// Sends a search for the typed text, unless that was already searched for.
    fn ask(&mut self, cx: &mut Cx, facts: &Facts) {
        if std::mem::replace(&mut self.was_indexing, facts.indexed.is_some()) && facts.indexed.is_none() {
            // Once indexing is complete there may be more results, so search again.
            self.asked = None;
        }
        let parsed = parse::parse(&self.text, facts.today, self.composing);
        self.faults = parsed.faults.clone();
        let query = parsed.query(day::begins);
        let scope = match &facts.room {
            Some((connection, room)) if !self.everywhere => Scope::Room(*connection, room.clone()),
            _ => Scope::Everywhere,
        };
        if query.is_empty() {
            self.asked = None;
            self.shown = Results::default();
            self.list.begin_anew();
        } else if self.asked.as_ref().is_none_or(|asked| asked.query != query || asked.scope != scope) {
            self.send(cx, query, scope, None);
        }
    }

    /// Requests older results.
    fn ask_more(&mut self, cx: &mut Cx) {
        let Some(answer) = &self.shown.answer else { return };
        let Some(asked) = self.asked.take() else { return };
        self.send(cx, asked.query, asked.scope, Some(answer.next));
    }

    /// `behind`: the position to continue from.
    fn send(&mut self, cx: &mut Cx, query: Query, scope: Scope, behind: Option<Option<i64>>) {
        let number = crate::ui::request_number();
        let patience = if behind.is_some() { Patience::Thorough } else { Patience::Typing };
        cx.intents.push(Intent::Chat(ChatIntent::Search(Search {
            number,
            query: query.clone(),
            scope: scope.clone(),
            behind: behind.flatten(),
            patience,
        })));
        self.asked = Some(SentSearch { number, query, scope, is_more: behind.is_some(), answered: false });
    }

    fn show(&mut self, ui: &mut Ui, cx: &mut Cx, facts: &Facts) -> Option<SearchAction> {
        widgets::landmark(ui, egui::accesskit::Role::Search, cx.words.search.button);
        let keys = self.keys(ui);
        let margin = Margin::symmetric(space::MEDIUM as i8, space::SMALL as i8);
        let mut closed = keys.close;
        Panel::top("search controls")
            .frame(Frame::new().inner_margin(margin))
            .resizable(false)
            .show(ui, |ui| closed |= self.controls(ui, cx, facts));
        if closed {
            return Some(SearchAction::Closed);
        }
        let mut wish = None;
        CentralPanel::default().frame(Frame::new()).show(ui, |ui| {
            let before = self.list.cursor();
            self.list.step(keys.steps, self.shown.hits.len());
            let chosen = if self.shown.hits.is_empty() {
                self.nothing(ui, cx, facts);
                None
            } else {
                self.results(ui, cx, before != self.list.cursor())
            };
            let by_enter = keys.enter.then(|| self.list.cursor().unwrap_or(0));
            if let Some(hit) = chosen.or(by_enter).and_then(|at| self.shown.hits.get(at)) {
                wish = Some(SearchAction::Go(MessageRef {
                    connection: hit.connection,
                    room: hit.room.clone(),
                    place: hit.place,
                    id: hit.id,
                    thread: hit.thread,
                }));
            }
        });
        if let (Some(_), Some(at)) = (&wish, keys.enter.then(|| self.list.cursor().unwrap_or(0))) {
            self.list.put(at);
        }
        wish
    }

    /// Handles the keyboard, except while an input method is composing.
    fn keys(&mut self, ui: &Ui) -> Keys {
        controls::note_composing(ui, &mut self.composing);
        let (in_field, nowhere) =
            ui.memory(|memory| (memory.has_focus(controls::field_id()), memory.focused().is_none()));
        if self.composing || !(in_field || nowhere) {
            return Keys::default();
        }
        let page = self.list.page();
        ui.input_mut(|input| {
            let mut count = |key| input.count_and_consume_key(Modifiers::NONE, key) as isize;
            let steps = count(Key::ArrowDown) - count(Key::ArrowUp)
                + page * (count(Key::PageDown) - count(Key::PageUp));
            Keys { steps, enter: in_field && count(Key::Enter) > 0, close: count(Key::Escape) > 0 }
        })
    }

    /// Whether there are more results than those shown.
    fn has_more(&self) -> bool {
        self.shown.answer.as_ref().is_some_and(|answer| answer.end != End::Complete)
    }
}

#[derive(Default)]
struct Keys {
    steps: isize,
    enter: bool,
    close: bool,
}
